//! The three proofs of a plan: it ends where the statement ends, it goes back to the start from each phase, and on to the end from there.

use super::compare::{Declared, End, compare};
use super::ends::{File, Original, look};
use super::phases::Step;
use super::table::Tally;
use crate::servers::remove_database;
use lockkeeper::db::server::Server;
use lockkeeper::db::{Connection, Refusal};
use sqlx::postgres::PgConnectOptions;
use std::ops::RangeInclusive;

/// The naive statement, and the phases that stand for it.
pub struct Journey<'a> {
    /// Which rule and example on which server.
    pub who: String,
    pub server: &'a Server,
    /// What makes the database that both begin with.
    pub before: Vec<File>,
    pub naive: Vec<File>,
    pub steps: Vec<Step>,
    pub declared: Declared,
}

impl Journey<'_> {
    /// What the plan prints, lint has nothing to say of.
    pub fn lints_clean(&self, tally: &mut Tally) {
        let said = self.steps.iter().flat_map(|step| step.findings.iter().map(|finding| format!("{}: {finding}", step.what))).collect();
        tally.count("lints clean", &self.who, said);
    }

    /// The database that both begin with, and the naive end. Where it is the rows that the server objects to, there are none.
    async fn begin(&self, rows: u32) -> Result<(Original<'_>, Result<End, Refusal>), Refusal> {
        let original = Original::make(self.server, &self.before, rows).await?;
        let naive = original.end(&self.naive, &self.declared).await?;
        if naive.is_ok() || rows == 0 {
            return Ok((original, naive));
        }
        original.remove().await;
        let original = Original::make(self.server, &self.before, 0).await?;
        let naive = original.end(&self.naive, &self.declared).await?;
        Ok((original, naive))
    }

    /// The plan beside the naive statement, on tables of so many rows.
    pub async fn same_end(&self, rows: u32, tally: &mut Tally) -> Result<(), Refusal> {
        let (original, naive) = self.begin(rows).await?;
        self.to_the_end(&original, naive.as_ref().ok(), tally).await?;
        original.remove().await;
        Ok(())
    }

    /// All three proofs, on tables of so many rows.
    pub async fn prove(&self, rows: u32, tally: &mut Tally) -> Result<(), Refusal> {
        let (original, naive) = self.begin(rows).await?;
        let start = original.look(&self.declared).await?.without_numbers();
        let last = self.steps.iter().take_while(|step| step.has_way_back()).count();
        if last < self.steps.len() {
            // From its end no way leads back, so the way back from the phases before it is shown on a copy.
            let copy = original.copy().await;
            self.rolled_back(&copy, (&start, naive.as_ref().ok()), 1..=last, tally).await?;
            remove_database(self.server, &copy).await;
            self.to_the_end(&original, naive.as_ref().ok(), tally).await?;
        } else if self.to_the_end(&original, naive.as_ref().ok(), tally).await? {
            let database = &original.database;
            let place = format!("back from {}", self.steps[last - 1].what);
            let complaints = self.compared(&start, database, back(database, &self.steps).await).await?;
            let is_back = complaints.is_empty();
            tally.count_at("rolled back from each phase", &self.who, &place, complaints);
            if is_back {
                self.rolled_back(database, (&start, naive.as_ref().ok()), 1..=last - 1, tally).await?;
            }
        }
        original.remove().await;
        Ok(())
    }

    /// All phases, on the original itself. Whether they went through.
    async fn to_the_end(&self, original: &Original<'_>, naive: Option<&End>, tally: &mut Tally) -> Result<bool, Refusal> {
        let went = forward(&original.database, &self.steps).await;
        let through = went.is_ok();
        match (naive, went) {
            (_, Err(complaint)) => tally.count("taken by the server", &self.who, vec![complaint]),
            (None, Ok(())) => tally.count("taken where the statement is refused", &self.who, Vec::new()),
            (Some(naive), Ok(())) => {
                let ours = original.look(&self.declared).await?;
                tally.count("same end", &self.who, compare(naive, &ours, &self.declared));
                tally.count("nothing lost", &self.who, ours.rows.lost(&naive.rows));
            }
        }
        Ok(through)
    }

    /// Up to the first of these phases and back to the start, from there up to the second and back, and so on; to the end from the last
    /// start.
    async fn rolled_back(
        &self,
        database: &PgConnectOptions,
        (start, naive): (&End, Option<&End>),
        phases: RangeInclusive<usize>,
        tally: &mut Tally,
    ) -> Result<(), Refusal> {
        for gone in phases {
            let steps = &self.steps[..gone];
            let went = match forward(database, steps).await {
                Ok(()) => back(database, steps).await,
                stuck => stuck,
            };
            let complaints = self.compared(start, database, went).await?;
            let is_back = complaints.is_empty();
            tally.count_at("rolled back from each phase", &self.who, &format!("back from {}", steps[gone - 1].what), complaints);
            if !is_back {
                return Ok(());
            }
        }
        if let Some(naive) = naive {
            let went = forward(database, &self.steps).await;
            let complaints = self.compared(&naive.clone().without_numbers(), database, went).await?;
            tally.count("then to the end", &self.who, complaints);
        }
        Ok(())
    }

    /// What is not as it was to be behind a way that was gone, or why it could not be gone.
    async fn compared(&self, expected: &End, database: &PgConnectOptions, went: Result<(), String>) -> Result<Vec<String>, Refusal> {
        match went {
            Ok(()) => Ok(compare(expected, &look(database, &self.declared).await?.without_numbers(), &self.declared)),
            Err(complaint) => Ok(vec![complaint]),
        }
    }
}

async fn forward(database: &PgConnectOptions, steps: &[Step]) -> Result<(), String> {
    let mut connection = Connection::open(database).await.map_err(|refusal| refusal.to_string())?;
    let mut went = Ok(());
    for step in steps {
        if went.is_ok() {
            went = step.forward(&mut connection).await;
        }
    }
    connection.close().await;
    went
}

async fn back(database: &PgConnectOptions, steps: &[Step]) -> Result<(), String> {
    let mut connection = Connection::open(database).await.map_err(|refusal| refusal.to_string())?;
    let mut went = Ok(());
    for step in steps.iter().rev() {
        if went.is_ok() {
            went = step.back(&mut connection).await;
        }
    }
    connection.close().await;
    went
}
