//! `resolve`: how a step has ended, of which neither the ledger nor the catalog can tell.

use super::{Change, Known, ledger_verdict, refused};
use crate::apply::draft::{self, Work};
use crate::apply::ledger::{self, Direction, State, StepEntry};
use crate::apply::pipeline::Pipeline;
use crate::apply::predicate::{self, Evidence};
use crate::apply::session;
use crate::apply::step::{Kind, Step};
use crate::apply::verdict::Verdict;
use crate::apply::wish::quoted;
use crate::db::{Connection, Refusal};

/// How a step has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It has run to its end.
    Done,
    /// It has not run, or nothing of it is left.
    NotRun,
}

impl Answer {
    /// What it is, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Done => "has run",
            Self::NotRun => "has not run",
        }
    }

    /// The word for it in the ledger.
    pub(super) fn state(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NotRun => "failed",
        }
    }
}

impl Pipeline<'_> {
    /// The answer, if it is open how the step has ended, and nothing speaks against it.
    pub(super) async fn resolved(
        &self,
        connection: &mut Connection,
        known: &Known,
        at: (&str, u32),
        answer: Answer,
    ) -> Result<Change, Verdict> {
        let (version, number) = at;
        let Some(draft) = known.drafts.iter().find(|draft| draft.key == version) else { return Err(known.no_such(version)) };
        let direction = match known.entry(version).map(|entry| entry.state) {
            Some(State::Applying) => Direction::Up,
            Some(State::RollingBack) => Direction::Down,
            Some(State::Applied | State::Baselined | State::RolledBack) | None => {
                return Err(not_open(format!("nothing of {version} is open: it was not begun, or it has ended")));
            }
        };
        let entries = ledger::steps(connection, version, direction).await.map_err(ledger_verdict)?;
        let entry = open_entry(&entries, number).map_err(|why| not_open(format!("{version} step {number} {why}")))?;
        let works = match direction {
            Direction::Up => draft::works(self.history, &known.drafts, &[version.to_owned()], self.settings),
            Direction::Down => draft::way_back(self.history, draft, self.settings).map(|work| vec![work]),
        };
        let works = works.map_err(Verdict::Refused)?;
        let step = works.first().and_then(|work| Some((work, work.steps.iter().find(|step| step.number == number)?)));
        let Some((work, step)) = step.filter(|(_, step)| step.hash == entry.hash) else {
            let message = format!("the SQL of {version} step {number} is another one now than the one that was begun");
            return Err(refused("apply::resolve", message, "bring the file back as it was; then look, and say what has become of it"));
        };
        if let Some(against) = self.speaks_against(connection, (work, step), answer).await.map_err(ledger_verdict)? {
            let other = match answer {
                Answer::Done => "not-run",
                Answer::NotRun => "done",
            };
            let help = format!("if that is so: `lockkeeper resolve {} --step {number} --as {other} --reason WHY`", quoted(version));
            return Err(refused("apply::resolve", format!("{version} step {number}: {against}"), &help));
        }
        Ok(Change::Answered { key: version.to_owned(), direction, number: entry.number, row: entry.id, answer })
    }

    /// What ledger and catalog show, if it is not that.
    async fn speaks_against(
        &self,
        connection: &mut Connection,
        (work, step): (&Work, &Step),
        answer: Answer,
    ) -> Result<Option<String>, Refusal> {
        let noted = match step.kind {
            Kind::Transaction => {
                Some("it runs in a transaction that would have noted its end: it has not run, and `lockkeeper apply` runs it")
            }
            Kind::Backfill => Some("each of its batches has noted how far it came, and `lockkeeper apply` goes on from there"),
            Kind::Alone => None,
        };
        if let Some(noted) = noted {
            return Ok((answer == Answer::Done).then(|| noted.to_owned()));
        }
        let Some(statement) = step.statements.first().and_then(|at| work.script.statements.get(*at)) else { return Ok(None) };
        let path = self.search_path().await?;
        let evidence = predicate::look(connection, statement, work.source(), &path).await?;
        Ok(match (evidence, answer) {
            (Evidence::Unknown { .. } | Evidence::Repeat, Answer::Done | Answer::NotRun) => None,
            (Evidence::Done, Answer::Done) => None,
            (Evidence::NotYet | Evidence::Leftover { .. } | Evidence::Differs { .. }, Answer::NotRun) => None,
            (Evidence::Busy { pid, what }, Answer::Done | Answer::NotRun) => Some(format!("process {pid} is still at work on it: {what}")),
            (Evidence::Done, Answer::NotRun) => Some("the catalog shows that it has run".to_owned()),
            (Evidence::NotYet, Answer::Done) => Some("the catalog does not show that it has run".to_owned()),
            (Evidence::Leftover { what, .. }, Answer::Done) => Some(format!("it was broken off and has left {what}")),
            (Evidence::Differs { why }, Answer::Done) => Some(format!("what is there is not what it makes: {why}")),
        })
    }

    /// Where names lead in the session that runs migrations.
    async fn search_path(&self) -> Result<String, Refusal> {
        let mut work = Connection::open(self.target).await?;
        session::set_up(&mut work, &self.settings.config.apply).await?;
        let path = work.texts("SELECT pg_catalog.current_setting('search_path')").await?.concat();
        work.close().await;
        Ok(path)
    }
}

/// The row of a step that was begun and of which nobody knows how it ended.
fn open_entry(entries: &[StepEntry], number: u32) -> Result<&StepEntry, String> {
    let Some(entry) = entries.iter().find(|entry| i64::from(entry.number) == i64::from(number)) else {
        return Err("was never begun".to_owned());
    };
    match entry.state.as_str() {
        "started" if entry.alive => Err(format!("is still at work: process {0}; `SELECT pg_terminate_backend({0})` ends it", entry.pid)),
        "started" => Ok(entry),
        "failed" => Err("has failed, and the ledger says so".to_owned()),
        _ => Err("is done, and the ledger says so".to_owned()),
    }
}

fn not_open(message: String) -> Verdict {
    refused("apply::resolve", message, "`lockkeeper status` and `lockkeeper history` tell how it stands")
}
