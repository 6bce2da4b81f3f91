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
        let copy = original.copy().await;
        let travelled = forward(&copy, &self.steps).await;
        match (naive, travelled) {
            (_, Err(complaint)) => tally.count("taken by the server", &self.who, vec![complaint]),
            (Err(_), Ok(())) => tally.count("taken where the statement is refused", &self.who, Vec::new()),
            (Ok(naive), Ok(())) => {
                let ours = look(&copy, &self.declared).await?;
                tally.count("same end", &self.who, compare(&naive, &ours, &self.declared));
                tally.count("nothing lost", &self.who, ours.rows.lost(&naive.rows));
            }
        }
        remove_database(self.server, &copy).await;
        original.remove().await;
        Ok(())
    }

    /// Up to each phase, back to the start, and to the end from there.
    pub async fn rolled_back(&self, rows: u32, tally: &mut Tally) -> Result<(), Refusal> {
        let (original, naive) = self.begin(rows).await?;
        let start = original.look(&self.declared).await?.without_numbers();
        let naive = naive.map(End::without_numbers);
        let look = async |copy: &PgConnectOptions| look(copy, &self.declared).await.map(End::without_numbers);
        let with_way_back = self.steps.iter().take_while(|step| step.has_way_back()).count();
        for gone in 1..=with_way_back {
            let copy = original.copy().await;
            let steps = &self.steps[..gone];
            let place = format!("back from {}", self.steps[gone - 1].what);
            let complaints = match there_and_back(&copy, steps).await {
                Ok(()) => compare(&start, &look(&copy).await?, &self.declared),
                Err(complaint) => vec![complaint],
            };
            let is_back = complaints.is_empty();
            tally.count_at("rolled back from each phase", &self.who, &place, complaints);
            if let (true, Ok(naive)) = (is_back, &naive) {
                let complaints = match forward(&copy, &self.steps).await {
                    Ok(()) => compare(naive, &look(&copy).await?, &self.declared),
                    Err(complaint) => vec![complaint],
                };
                tally.count_at("then to the end", &self.who, &place, complaints);
            }
            remove_database(self.server, &copy).await;
        }
        original.remove().await;
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
