//! The three proofs of a plan: it ends where the statement ends, it goes back to the start from each phase, and on to the end from there.

use super::compare::{Declared, End, compare};
use super::ends::{File, Original, look};
use super::phases::Step;
use super::table::Tally;
use crate::servers::remove_database;
use lockkeeper::db::Refusal;
use lockkeeper::db::server::Server;
use sqlx::postgres::PgConnectOptions;

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
        self.rolled_back(&original, naive.as_ref().ok(), tally).await?;
        self.to_the_end(&original, naive.as_ref().ok(), tally).await?;
        original.remove().await;
        Ok(())
    }

    /// All phases, on the original itself.
    async fn to_the_end(&self, original: &Original<'_>, naive: Option<&End>, tally: &mut Tally) -> Result<(), Refusal> {
        match (naive, forward(&original.database, &self.steps).await) {
            (_, Err(complaint)) => tally.count("taken by the server", &self.who, vec![complaint]),
            (None, Ok(())) => tally.count("taken where the statement is refused", &self.who, Vec::new()),
            (Some(naive), Ok(())) => {
                let ours = original.look(&self.declared).await?;
                tally.count("same end", &self.who, compare(naive, &ours, &self.declared));
                tally.count("nothing lost", &self.who, ours.rows.lost(&naive.rows));
            }
        }
        Ok(())
    }

    /// On a copy: up to the first phase and back to the start, from there up to the second and back, and so on; to the end from the last start.
    async fn rolled_back(&self, original: &Original<'_>, naive: Option<&End>, tally: &mut Tally) -> Result<(), Refusal> {
        let start = original.look(&self.declared).await?.without_numbers();
        let with_way_back = self.steps.iter().take_while(|step| step.has_way_back()).count();
        let mut copy = original.copy().await;
        let mut is_back = false;
        for gone in 1..=with_way_back {
            let place = format!("back from {}", self.steps[gone - 1].what);
            let complaints = match there_and_back(&copy, &self.steps[..gone]).await {
                Ok(()) => compare(&start, &look(&copy, &self.declared).await?.without_numbers(), &self.declared),
                Err(complaint) => vec![complaint],
            };
            is_back = complaints.is_empty();
            tally.count_at("rolled back from each phase", &self.who, &place, complaints);
            if !is_back {
                remove_database(self.server, &copy).await;
                copy = original.copy().await;
            }
        }
        if let (true, Some(naive)) = (is_back, naive) {
            let complaints = match forward(&copy, &self.steps).await {
                Ok(()) => compare(&naive.clone().without_numbers(), &look(&copy, &self.declared).await?.without_numbers(), &self.declared),
                Err(complaint) => vec![complaint],
            };
            tally.count_at("then to the end", &self.who, "back from all phases", complaints);
        }
        remove_database(self.server, &copy).await;
        Ok(())
    }
}

async fn forward(database: &PgConnectOptions, steps: &[Step]) -> Result<(), String> {
    for step in steps {
        step.forward(database).await?;
    }
    Ok(())
}

async fn there_and_back(database: &PgConnectOptions, steps: &[Step]) -> Result<(), String> {
    forward(database, steps).await?;
    for step in steps.iter().rev() {
        step.back(database).await?;
    }
    Ok(())
}
