//! Answers for the past: what counts as run though this ledger has not seen it run. The schema itself is never touched.
//!
//! Each answer is worked out twice from the ledger, the files and the catalog: once to show it, and once more behind the runner's lock. All
//! that it changes is written in one transaction, with the reason.

mod adopt;
mod baseline;
mod repair;
mod resolve;

pub use adopt::Adopt;
pub use resolve::Answer;

use super::agenda::about;
use super::draft::{self, Draft};
use super::foreign::Table;
use super::hash;
use super::ledger::ADOPTED;
use super::ledger::write::{self, event_sql, migration_sql};
use super::ledger::{self, Direction, Entry, State, text};
use super::pipeline::{Pipeline, no_lock_verdict, unreachable};
use super::session::{self, Sessions};
use super::verdict::Verdict;
use crate::db::{Connection, Refusal};
use crate::plan::header;
use crate::problem::{Problem, did_you_mean};
use crate::sql;

/// What somebody says of the past.
#[derive(Clone, Copy, Debug)]
pub enum Ask<'a> {
    /// Everything up to this version had run before there was a ledger.
    Baseline {
        /// The last one.
        to: &'a str,
    },
    /// How a step has ended whose session is gone.
    Resolve {
        /// The migration.
        version: &'a str,
        /// The step.
        step: u32,
        /// How.
        answer: Answer,
    },
    /// What stands in the files now is what has run; a file that is named and gone is forgotten.
    Repair {
        /// This one alone.
        only: Option<&'a str>,
    },
    /// What another tool has run here has run.
    Adopt(Adopt<'a>),
}

/// One thing that the ledger will say from now on.
#[derive(Clone, Debug)]
pub enum Change {
    /// A migration had run before there was a ledger.
    Baselined(Box<Draft>),
    /// The text of today's file is the one that ran.
    Text(Box<Draft>),
    /// There was never such a migration.
    Forgotten(String),
    /// A step has ended so.
    Answered {
        /// The migration.
        key: String,
        /// Which way it ran.
        direction: Direction,
        /// The step.
        number: i32,
        /// Its row.
        row: i64,
        /// How.
        answer: Answer,
    },
    /// The history of another tool was taken over.
    Adopted {
        /// Its table.
        table: Table,
        /// Whether it is kept in step.
        keep: bool,
    },
}

/// What an answer changes, before anything is changed.
#[derive(Clone, Debug)]
pub struct Amendment {
    /// What the connected database is called.
    pub database: String,
    /// In order.
    pub changes: Vec<Change>,
}

/// Asks whoever calls whether that is what they want.
pub type Confirm<'a> = &'a mut dyn FnMut(&Amendment) -> Result<(), Problem>;

/// What an answer is worked out from.
struct Known {
    drafts: Vec<Draft>,
    entries: Vec<Entry>,
}

impl Change {
    /// What it is, in words.
    pub fn words(&self) -> String {
        match self {
            Self::Baselined(draft) => format!("{} {}: had run before there was a ledger", draft.key, draft.name),
            Self::Text(draft) => format!("{} {}: the file of today is what ran", draft.key, draft.name),
            Self::Forgotten(key) => format!("{key}: is forgotten"),
            Self::Answered { key, direction, number, answer, .. } => {
                format!("{key} {} step {number}: {}", direction.word(), answer.words())
            }
            Self::Adopted { table, keep: true } => format!("{} of {}: is kept in step", table.name, table.tool.word()),
            Self::Adopted { table, keep: false } => format!("{} of {}: stays as it is", table.name, table.tool.word()),
        }
    }

    fn sql(&self, run: i64) -> String {
        match self {
            Self::Baselined(draft) => {
                let script = sql::read(&draft.source, draft.part);
                let header = header::read(&draft.source, &script.comments);
                let phase = header.as_ref().map(|header| (header.plan, header.phase));
                migration_sql(run, draft, (None, phase), State::Baselined)
            }
            // When it ran, and in which run, stays.
            Self::Text(draft) => format!(
                "UPDATE lockkeeper.migration SET (name, path, checksum, hash) = ({}, {}, {}, {}) WHERE key = {}",
                text(&draft.name),
                text(&draft.path()),
                text(&draft.checksum),
                text(&draft.hash),
                text(&draft.key)
            ),
            Self::Forgotten(key) => format!(
                "DELETE FROM lockkeeper.migration WHERE key = {0}; UPDATE lockkeeper.step SET undone = true WHERE migration = {0}",
                text(key)
            ),
            Self::Answered { row, answer, .. } => format!(
                "UPDATE lockkeeper.step SET state = {}, error = {}, ended = pg_catalog.clock_timestamp() WHERE id = {row}",
                text(answer.state()),
                text("somebody has looked and said so")
            ),
            Self::Adopted { table, keep } => format!(
                "{ADOPTED} UPDATE lockkeeper.adopted SET keep = false WHERE {keep};
                 INSERT INTO lockkeeper.adopted (relation, tool, keep, run) VALUES ({}, {}, {keep}, {run})
                 ON CONFLICT (relation) DO UPDATE SET (tool, keep, run, changed) =
                     (excluded.tool, excluded.keep, excluded.run, pg_catalog.clock_timestamp())",
                text(&table.name),
                text(table.tool.word())
            ),
        }
    }
}

impl Amendment {
    /// Of everything that it changes: twelve digits to type or to pass on.
    pub fn hash(&self) -> String {
        // The number of a run is no part of what is agreed to.
        let all: String = self.changes.iter().map(|change| format!("{}\n{}\n", change.words(), change.sql(0))).collect();
        hash::checksum(all.as_bytes())[..12].to_owned()
    }

    fn lines(&self) -> Vec<String> {
        self.changes.iter().map(Change::words).collect()
    }
}

impl Pipeline<'_> {
    /// What an answer would change. Writes nothing.
    ///
    /// # Errors
    /// Why it is no answer.
    pub async fn amendment(&self, ask: Ask<'_>) -> Result<Amendment, Verdict> {
        let mut connection =
            session::own(self.target, "lockkeeper").await.map_err(|refusal| Verdict::NotReady(vec![unreachable(&refusal)]))?;
        let amendment = self.worked_out(&mut connection, ask).await;
        connection.close().await;
        amendment
    }

    async fn worked_out(&self, connection: &mut Connection, ask: Ask<'_>) -> Result<Amendment, Verdict> {
        let about = about(connection).await?;
        self.is_the_one(&about)?;
        let entries = ledger::entries(connection).await.map_err(ledger_verdict)?;
        let drafts = draft::drafts(self.history).map_err(|problem| Verdict::Refused(vec![problem]))?;
        let known = Known { drafts, entries };
        let changes = match ask {
            Ask::Baseline { to } => baseline::changes(&known, to)?,
            Ask::Resolve { version, step, answer } => vec![self.resolved(connection, &known, (version, step), answer).await?],
            Ask::Repair { only } => repair::changes(&known, only)?,
            Ask::Adopt(adopt) => adopt::changes(connection, &known, adopt).await?,
        };
        Ok(Amendment { database: about.database, changes })
    }

    /// Writes an answer into the ledger, once `confirm` agrees.
    pub async fn amend(&self, ask: Ask<'_>, reason: &str, confirm: Confirm<'_>) -> Verdict {
        let agreed = match self.amendment(ask).await {
            Ok(amendment) if amendment.changes.is_empty() => return Verdict::Done { migrations: Vec::new(), stopped: None },
            Ok(amendment) => amendment,
            Err(verdict) => return verdict,
        };
        if let Err(problem) = confirm(&agreed) {
            return Verdict::Refused(vec![problem]);
        }
        match Sessions::open(self.target, &self.settings.config.apply, self.patience).await {
            Ok(mut sessions) => {
                let verdict = self.written(&mut sessions, ask, &agreed, reason).await;
                sessions.close().await;
                verdict
            }
            Err(no_lock) => no_lock_verdict(&no_lock),
        }
    }

    /// Everything behind the lock.
    async fn written(&self, sessions: &mut Sessions, ask: Ask<'_>, agreed: &Amendment, reason: &str) -> Verdict {
        match self.worked_out(&mut sessions.watch, ask).await {
            Ok(now) if now.hash() == agreed.hash() => {}
            Ok(_) => {
                let problem = Problem::new("apply::changed", "another runner has changed the ledger while this one waited");
                return Verdict::NotReady(vec![problem.help("nothing was changed; run it again")]);
            }
            Err(verdict) => return verdict,
        }
        let run = match self.run.begin(&mut sessions.watch).await {
            Ok(run) => run,
            Err(refusal) => return ledger_verdict(refusal),
        };
        let lines = agreed.lines();
        let verdict = match sessions.watch.run(&transaction(run, self.run.command, agreed, reason)).await {
            Ok(()) => Verdict::Done { migrations: lines, stopped: None },
            Err(refusal) => ledger_verdict(refusal),
        };
        match write::end_run(&mut sessions.watch, run, verdict.state(), verdict.said().as_deref()).await {
            Ok(()) => verdict,
            Err(refusal) => ledger_verdict(refusal),
        }
    }
}

/// All of it in one transaction: a message of several statements is one, and if it breaks off, nothing has happened.
fn transaction(run: i64, command: &str, amendment: &Amendment, reason: &str) -> String {
    let changes = amendment.changes.iter().map(|change| format!("{};\n{};\n", change.sql(run), event_sql(run, command, &change.words())));
    format!("{};\n{}", event_sql(run, "reason", reason), changes.collect::<String>())
}

impl Known {
    /// The entry of a migration that counts: what was undone does not.
    fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key && entry.state != State::RolledBack)
    }

    /// That nothing has such a key.
    fn no_such(&self, key: &str) -> Verdict {
        let known = self.drafts.iter().map(|draft| draft.key.as_str()).chain(self.entries.iter().map(|entry| entry.key.as_str()));
        let message = format!("there is no migration `{key}`{}", did_you_mean(key, known));
        refused("apply::version", message, "`lockkeeper status` lists them")
    }
}

fn refused(code: &'static str, message: String, help: &str) -> Verdict {
    Verdict::Refused(vec![Problem::new(code, message).help(help.to_owned())])
}

fn ledger_verdict(refusal: Refusal) -> Verdict {
    Verdict::NotReady(vec![ledger::problem(&refusal)])
}
