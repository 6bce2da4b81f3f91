//! What can happen to a step, and what that asks for.

use crate::db::{Refusal, code};
use std::fmt;

/// Why a step has not come to its end.
#[derive(Clone, Debug, PartialEq)]
pub enum Trouble {
    /// Somebody was in the way: the next try may succeed.
    Busy(Refusal),
    /// All tries are used up.
    Spent {
        /// What the last one ended with.
        refusal: Refusal,
        /// How many there were.
        attempts: u32,
        /// How long they took together.
        seconds: f64,
    },
    /// The server does not answer.
    Lost(Refusal),
    /// The server said no.
    Failed(Refusal),
    /// Somebody wanted it to stop.
    Interrupted,
    /// The window has ended in which it may run.
    Closed,
    /// Nobody can tell by itself what has become of a statement.
    Unclear(String),
    /// It broke off between two batches.
    Partway {
        /// How many have committed.
        batches: u64,
        /// How many rows they have changed.
        rows: u64,
        /// What happened.
        why: Box<Trouble>,
    },
    /// The file or the ledger is not what it was when the migration was begun.
    Contradiction(String),
    /// A query that has to be true before the migration runs is not.
    Premature(String),
    /// Everything has run, and a query that it should have made true is not.
    Unproven(String),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy(refusal) | Self::Lost(refusal) | Self::Failed(refusal) => refusal.fmt(f),
            Self::Spent { refusal, attempts, seconds } => {
                write!(f, "{attempts} tries in {seconds:.0} s were in vain, the last one: {refusal}")
            }
            Self::Interrupted => f.write_str("interrupted"),
            Self::Closed => f.write_str("the window has ended in which it may run"),
            Self::Partway { why, .. } => why.fmt(f),
            Self::Unclear(why) | Self::Contradiction(why) => f.write_str(why),
            Self::Premature(query) => write!(f, "what has to be true before this phase is not: {query}"),
            Self::Unproven(query) => write!(f, "it has run, and what it should have made true is not: {query}"),
        }
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        if is_lost(&refusal) {
            return Self::Lost(refusal);
        }
        match refusal.code.as_str() {
            // lock_not_available, deadlock_detected, serialization_failure
            "55P03" | "40P01" | "40001" => Self::Busy(refusal),
            // query_canceled, and not by a timeout: a cancel of ours that came too late for its statement, or somebody's.
            "57014" if !refusal.message.contains("timeout") => Self::Busy(refusal),
            _ => Self::Failed(refusal),
        }
    }
}

/// Whether a connection is gone, or the server is about to go or to come (manual: errcodes-appendix, classes 08 and 57P).
pub(super) fn is_lost(refusal: &Refusal) -> bool {
    refusal.code.starts_with("08")
        || matches!(refusal.code.as_str(), "57P01" | "57P02" | "57P03" | "57P05")
        || refusal.code == code::CONNECTION
}
