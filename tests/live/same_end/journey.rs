//! The three proofs of a plan: it ends where the statement ends, it goes back to the start from each phase, and on to the end from there.

use super::compare::{Declared, End, compare};
use super::ends::{File, Original, look};
use super::phases::Step;
use super::table::Tally;
use crate::servers::remove_database;
use lockkeeper::db::Refusal;
use lockkeeper::db::server::Server;

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

    /// The plan beside the naive statement, on tables of so many rows. Gives the naive end.
    pub async fn same_end(&self, rows: u32, tally: &mut Tally) -> Result<(), Refusal> {
        let original = Original::make(self.server, &self.before, rows).await?;
        let naive = original.end(&self.naive, &self.declared).await?;
        let ours = self.travel(&original).await?;
        original.remove().await;
        match (naive, ours) {
            (_, Err(complaint)) => tally.count("taken by the server", &self.who, vec![complaint]),
            (Err(_), Ok(_)) => tally.count("taken where the statement is refused", &self.who, Vec::new()),
            (Ok(naive), Ok(ours)) => {
                tally.count("same end", &self.who, compare(&naive, &ours, &self.declared));
                tally.count("nothing lost", &self.who, ours.rows.lost(&naive.rows));
            }
        }
        Ok(())
    }

    /// All phases on a copy.
    async fn travel(&self, original: &Original<'_>) -> Result<Result<End, String>, Refusal> {
        let copy = original.copy().await;
        let mut complaint = Ok(());
        for step in &self.steps {
            complaint = step.forward(&copy).await;
            if complaint.is_err() {
                break;
            }
        }
        let end = match complaint {
            Ok(()) => Ok(look(&copy, &self.declared).await?),
            Err(complaint) => Err(complaint),
        };
        remove_database(self.server, &copy).await;
        Ok(end)
    }

    /// Up to each phase, back to the start, and to the end from there.
    pub async fn rolled_back(&self, rows: u32, tally: &mut Tally) -> Result<(), Refusal> {
        let original = Original::make(self.server, &self.before, rows).await?;
        let start = original.look(&self.declared).await?;
        let naive = original.end(&self.naive, &self.declared).await?;
        let with_way_back = self.steps.iter().take_while(|step| step.has_way_back()).count();
        for last in 0..with_way_back {
            let copy = original.copy().await;
            let who = format!("{}: after {}", self.who, self.steps[last].what);
            let mut complaints = Vec::new();
            match self.there_and_back(&copy, last).await {
                Ok(()) => {
                    complaints.extend(
                        compare(&start, &look(&copy, &self.declared).await?, &self.declared)
                            .into_iter()
                            .map(|line| line.replace("after the naive statement", "at the start")),
                    );
                }
                Err(complaint) => complaints.push(complaint),
            }
            let back = complaints.is_empty();
            tally.count("rolled back from each phase", &who, complaints);
            if let (true, Ok(naive)) = (back, &naive) {
                let mut complaints = Vec::new();
                for step in &self.steps {
                    if let Err(complaint) = step.forward(&copy).await {
                        complaints.push(complaint);
                        break;
                    }
                }
                if complaints.is_empty() {
                    complaints = compare(naive, &look(&copy, &self.declared).await?, &self.declared);
                }
                tally.count("then to the end", &who, complaints);
            }
            remove_database(self.server, &copy).await;
        }
        original.remove().await;
        Ok(())
    }

    async fn there_and_back(&self, database: &sqlx::postgres::PgConnectOptions, last: usize) -> Result<(), String> {
        for step in &self.steps[..=last] {
            step.forward(database).await?;
        }
        for step in self.steps[..=last].iter().rev() {
            step.back(database).await?;
        }
        Ok(())
    }
}
