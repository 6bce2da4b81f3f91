//! What happens while migrations run, as it happens: for the terminal, the journal and the ledger.

use serde::Serialize;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A stage of the pipeline is over.
    Stage {
        /// `gate`, `preflight`, ...
        stage: &'static str,
        /// `passed`, or `skipped: not configured`.
        outcome: String,
    },
    /// Something is waited for that comes at a known time.
    Countdown {
        /// How many seconds are left.
        seconds: u64,
    },
    /// The server was looked at before anything was changed.
    Check {
        /// What was looked at.
        id: &'static str,
        /// `pass`, `warn` or `fail`.
        verdict: &'static str,
        /// What was seen.
        evidence: String,
    },
    /// A migration begins.
    Migration {
        /// Its key and its name.
        name: String,
        /// Its place among those that are due, from 1.
        at: usize,
        /// How many are due.
        of: usize,
        /// What it asks of its surroundings.
        class: &'static str,
    },
    /// A step begins.
    Step {
        /// Its place in the migration, from 1.
        number: u32,
        /// How many there are.
        of: usize,
        /// Its first words.
        title: String,
        /// `transaction` or `alone`.
        kind: &'static str,
    },
    /// A step is over.
    StepDone {
        /// Its place in the migration.
        number: u32,
        /// How long it took, all tries together.
        seconds: f64,
    },
    /// A step need not run: the ledger or the catalog shows that it has.
    StepKnown {
        /// Its place in the migration.
        number: u32,
        /// How that is known.
        why: String,
    },
    /// The server said something beside the result.
    Notice {
        /// `NOTICE`, `WARNING`.
        severity: String,
        /// Its words.
        text: String,
    },
    /// A command that runs the migrations says something.
    Output {
        /// A line of it, without passwords of URLs.
        text: String,
    },
    /// A lock is waited for.
    Waiting {
        /// Who holds it, a line each.
        blockers: Vec<String>,
        /// How many sessions wait behind ours.
        queue: usize,
    },
    /// A long statement goes on.
    Progress {
        /// What the server does at the moment.
        phase: String,
        /// How much of it is done.
        done: u64,
        /// Of how much; 0 if the server does not say.
        total: u64,
    },
    /// Batches of a backfill have committed.
    Batches {
        /// How many rows have been changed.
        rows: u64,
        /// How many rows of the table have been gone through in this pass.
        seen: u64,
        /// Of about how many; 0 if the server does not know.
        total: u64,
        /// How many rows the next batch has.
        batch: u32,
        /// How many rows are gone through in a second.
        rate: f64,
        /// About how many seconds are left; `None`: nobody knows.
        left: Option<f64>,
    },
    /// A session that was in the way was ended, or could not be.
    Killed {
        /// Whose, and what has come of it.
        what: String,
    },
    /// A try was given up, and there will be another one.
    Retry {
        /// Which try it was, from 1.
        attempt: u32,
        /// Why it was given up.
        why: String,
        /// How long until the next one, in seconds.
        pause: f64,
    },
    /// The server has gone away, and is called again.
    Reconnect {
        /// What was heard last.
        why: String,
    },
    /// What is left over of a failed try is removed.
    Cleanup {
        /// What it is.
        what: String,
    },
    /// Somebody was not reached who is to be told of the run.
    Unreached {
        /// Who.
        who: String,
        /// What happened instead.
        why: String,
    },
    /// A migration is over.
    MigrationDone {
        /// Its key and its name.
        name: String,
        /// How long it took.
        seconds: f64,
    },
}

/// Who is told.
pub type Tell<'a> = &'a mut dyn FnMut(&Event);
