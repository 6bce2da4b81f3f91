//! Whether a live server is ready for migrations: each check with its evidence, read only, and never waiting for long.
//!
//! What a role may not see is said in the evidence; it is never taken for health.

mod archive;
mod disk;
mod leftovers;
mod look;
pub mod pooler;
mod rights;
mod server;
mod standby;
pub mod touched;
mod transactions;

use crate::db::{Connection, Refusal, code};
use std::time::Duration;
pub use touched::Touched;

/// What a check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing is in the way.
    Pass,
    /// It may go wrong, or it cannot be told.
    Warn,
    /// It will go wrong, or others will be harmed.
    Fail,
}

impl Verdict {
    /// The word of reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name, the same in every version.
    pub id: &'static str,
    /// What it says.
    pub verdict: Verdict,
    /// What was seen, in words and numbers.
    pub evidence: String,
    /// What to do.
    pub next: Option<String>,
}

/// From where on something is too much.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// `lock_timeout` of each query. Default: 2 seconds.
    pub lock_timeout: Duration,
    /// `statement_timeout` of each query. Default: 30 seconds.
    pub statement_timeout: Duration,
    /// A transaction is long that has been open for longer. Default: 5 minutes.
    pub long_transaction: Duration,
    /// A transaction is idle for long that has been so for longer. Default: 1 minute.
    pub idle: Duration,
    /// How many transactions old a snapshot may be that a standby or a slot keeps. Default: 10 million.
    pub old_snapshot: u64,
    /// How many bytes of WAL a standby may be behind. Default: 256 MB.
    pub behind: u64,
    /// How many bytes of WAL a slot may keep. Default: 10 GB.
    pub retained: u64,
    /// The part of the disk that has to be free. Default: 0.2.
    pub free: f64,
    /// Whether it is a warning that the disk cannot be seen. Default: no.
    pub disk_required: bool,
    /// The disk as somebody else has measured it, where the server runs on another machine.
    pub disk: Option<Disk>,
    /// The role that runs the migrations, if it is not the one that logs in.
    pub role: Option<String>,
}

/// A disk, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    /// What the server may still use.
    pub free: u64,
    /// All of it.
    pub total: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            lock_timeout: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(30),
            long_transaction: Duration::from_secs(5 * 60),
            idle: Duration::from_secs(60),
            old_snapshot: 10_000_000,
            behind: 256 << 20,
            retained: 10 << 30,
            free: 0.2,
            disk_required: false,
            disk: None,
            role: None,
        }
    }
}

/// Looks at the server that migrations are about to change. No transaction may be open on the connection.
///
/// A query that the server refuses makes its check a warning that says so: nothing is known then.
///
/// # Errors
/// If the connection is lost.
pub async fn checks(connection: &mut Connection, touched: &Touched, limits: &Limits) -> Result<Vec<Check>, Refusal> {
    Ok(vec![
        told("server", server::check(connection, limits).await)?,
        told("transactions", transactions::check(connection, touched, limits).await)?,
        told("disk", disk::check(connection, touched, limits).await)?,
        told("rights", rights::check(connection, touched, limits).await)?,
        told("standbys", standby::check(connection, limits).await)?,
        told("slots", standby::slots(connection, limits).await)?,
        told("archive", archive::check(connection, limits).await)?,
        told("leftovers", leftovers::check(connection, touched, limits).await)?,
    ])
}

/// A check that could not be made is a warning, unless nothing more can be asked at all.
fn told(id: &'static str, check: Result<Check, Refusal>) -> Result<Check, Refusal> {
    match check {
        Err(refusal) if refusal.code != code::CONNECTION && !refusal.code.starts_with("57P") => {
            Ok(Check { id, verdict: Verdict::Warn, evidence: format!("nothing could be told: {refusal}"), next: None })
        }
        other => other,
    }
}

/// What several observations come to: the worst verdict, all words, the advice on what is worst.
#[derive(Debug, Default)]
struct Findings {
    worst: Option<Verdict>,
    words: Vec<String>,
    next: Option<String>,
}

impl Findings {
    /// Something was seen.
    fn add(&mut self, verdict: Verdict, words: impl Into<String>, next: Option<String>) {
        if self.worst.is_none_or(|worst| verdict > worst) {
            self.worst = Some(verdict);
            self.next = next;
        }
        self.words.push(words.into());
    }

    /// Something was seen that does not matter.
    fn note(&mut self, words: impl Into<String>) {
        self.add(Verdict::Pass, words, None);
    }

    fn check(self, id: &'static str) -> Check {
        Check { id, verdict: self.worst.unwrap_or(Verdict::Pass), evidence: self.words.join("; "), next: self.next }
    }
}
