//! What undoes a migration, judged on what that has made.
//!
//! It is run when something has gone wrong, and with the code that was there before. So what running code would miss is no finding: a way back
//! has to take away what the way there has brought. Who waits for long, and what the server refuses, is one, and never more than a warning.

use super::finding::{Assessed, Finding, Part};
use super::judge::{Judge, Neighbours};
use super::{Asked, Replay, read_script};
use crate::discover::{History, Migration};
use crate::problem::Problem;
use crate::rule::{Class, Severity};

/// How many of the last migrations have their ways back judged. Each needs a schema of its own to be judged on, and nobody goes back further.
const LAST: usize = 50;

/// The first migration whose way back is judged.
pub(super) fn first_judged(history: &History) -> usize {
    let with_one = |at: &usize| history.migrations[*at].way_down.is_some();
    (0..history.migrations.len()).rev().filter(with_one).take(LAST).last().unwrap_or_default()
}

/// Judges it, behind the migration that it undoes; nothing if there is nothing to say.
pub(super) fn judge(
    down: &Migration,
    replay: &Replay<'_>,
    history: &History,
    asked: Asked<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Assessed> {
    let script = read_script(down);
    let mut behind = replay.clone();
    let unfolded = behind.unfolded(down, &script);
    let judge = Judge::new(asked, (down, &script, &unfolded), Neighbours { history, end: replay, later: 0 });
    behind.budget.begin_file();
    let mut assessed = judge.file(&mut behind, false, problems);
    assessed.findings.retain(is_told);
    for finding in &mut assessed.findings {
        finding.part = Part::Down;
        finding.message.insert_str(0, "undoing it: ");
        finding.severity = finding.severity.min(Severity::Warning);
        // New files would be migrations, and not ways back.
        finding.suggestion.take_if(|suggestion| !suggestion.files.is_empty());
    }
    // The class of a migration is that of the way there.
    (assessed.class, assessed.class_with_fixes) = (Class::Additive, Class::Additive);
    assessed.part = Part::Down;
    (!assessed.findings.is_empty()).then_some(assessed)
}

fn is_told(finding: &Finding) -> bool {
    match finding.class {
        Class::MaintenanceWindow => finding.severity > Severity::Advice,
        Class::Additive => finding.severity == Severity::Error,
        Class::ThreePhase => false,
    }
}
