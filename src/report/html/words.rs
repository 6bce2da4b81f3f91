//! Words that several parts of the page use.

use crate::lint::finding::{Allowance, Assessed, Finding};
use crate::model::lock::{Blocked, LockMode};
use crate::model::session::{Opener, TransactionMode};
use crate::report::{Totals, count};
use crate::rule::{Class, Severity};

/// What nobody has allowed, and of what weight; the rest is listed apart.
pub(super) fn counts(totals: &Totals) -> String {
    let parts = [
        (totals.errors, count(totals.errors, "error")),
        (totals.warnings, count(totals.warnings, "warning")),
        (totals.advice, format!("{} advice", totals.advice)),
    ];
    let parts: Vec<_> = parts.into_iter().filter(|(number, _)| *number > 0).map(|(_, words)| words).collect();
    if parts.is_empty() { "nothing found".to_owned() } else { parts.join(", ") }
}

/// The number of what weighs most: a title has little room.
pub(super) fn gravest(totals: &Totals) -> String {
    match (totals.errors, totals.warnings, totals.advice) {
        (0, 0, 0) => "nothing found".to_owned(),
        (0, 0, advice) => format!("{advice} advice"),
        (0, warnings, _) => count(warnings, "warning"),
        (errors, ..) => count(errors, "error"),
    }
}

/// `1 in 20 migrations` would be wrong of many: the verb follows the number.
pub(super) fn verb(number: usize, one: &'static str, many: &'static str) -> &'static str {
    if number == 1 { one } else { many }
}

/// Whether there is nothing to say of a migration.
pub(super) fn is_silent(migration: &Assessed) -> bool {
    migration.class == Class::Additive && super::share::told(migration).next().is_none()
}

/// The name of a class in the style sheet.
pub(super) fn style(class: Class) -> &'static str {
    match class {
        Class::Additive => "additive",
        Class::ThreePhase => "phased",
        Class::MaintenanceWindow => "window",
    }
}

/// A class in words for a reader.
pub(super) fn class(class: Class) -> &'static str {
    match class {
        Class::Additive => "additive",
        Class::ThreePhase => "three-phase",
        Class::MaintenanceWindow => "maintenance window",
    }
}

/// The name of a severity in the style sheet; what is allowed has one of its own.
pub(super) fn weight(finding: &Finding) -> &'static str {
    match (&finding.allowed, finding.severity) {
        (Some(Allowance::Comment { .. }), _) => "allowed",
        (Some(Allowance::Baseline), _) => "baseline",
        (None, Severity::Error) => "error",
        (None, Severity::Warning) => "warning",
        (None, Severity::Advice) => "advice",
    }
}

/// Who waits for a lock that is held.
pub(super) fn who(mode: LockMode) -> &'static str {
    match (mode.blocks_reads(), mode.blocks_writes()) {
        (true, _) => "reads and writes",
        (false, true) => "writes",
        (false, false) => "nobody",
    }
}

/// The name of a lock in the style sheet.
pub(super) fn stops(mode: LockMode) -> &'static str {
    if mode.blocks_reads() { "reads" } else { "writes" }
}

/// How long a statement takes, in a word.
pub(super) fn takes(takes: Blocked) -> &'static str {
    match takes {
        Blocked::No | Blocked::Brief => "brief",
        Blocked::Long => "long",
        Blocked::Unknown => "unknown",
    }
}

/// Who opened a transaction.
pub(super) fn opener(opener: Opener) -> &'static str {
    match opener {
        Opener::File => "opened by BEGIN",
        Opener::Runner => "opened by the migration tool",
        Opener::OneMessage => "opened by the server around one message",
        Opener::Assumed => "taken to be open: nothing says otherwise",
        Opener::Body => "opened by the body",
    }
}

/// How a file is put into transactions.
pub(super) fn transaction(mode: TransactionMode) -> &'static str {
    match mode {
        TransactionMode::Assumed(true) => "taken to run in one transaction, as nothing says otherwise",
        TransactionMode::Assumed(false) => "taken to run in no transaction, as a statement refuses one",
        TransactionMode::Runner => "run in one transaction, which the migration tool opens",
        TransactionMode::None => "run without a transaction: each statement commits for itself",
        TransactionMode::OneMessage => "sent as one message, which the server runs as one transaction",
        TransactionMode::Explicit => "run in the transactions that the file opens; outside them each statement commits for itself",
    }
}

/// The open errors, warnings and advice of one migration.
pub(super) fn counts_of(migration: &Assessed) -> String {
    counts(&Totals::of(std::slice::from_ref(migration)))
}
