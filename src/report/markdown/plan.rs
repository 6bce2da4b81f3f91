//! What to run instead of a migration, phase by phase, folded up.

use super::escape::{code, command, fenced, text};
use crate::lint::finding::Assessed;
use crate::lint::planner::{FilePlan, Piece};
use crate::plan::{Phase, Plan};
use crate::report::plan::waits;
use crate::report::{Run, count};

/// The plan of a file; nothing if it runs as it is.
pub(super) fn block(plan: &FilePlan, run: &Run<'_>) -> Option<String> {
    let migration = plan.naive.migrations.first()?;
    let phases: usize = plan.pieces.iter().map(|piece| if let Piece::Planned(plan) = piece { plan.phases.len() } else { 0 }).sum();
    if phases == 0 {
        return None;
    }
    let path = run.checkout.path(migration.source.path());
    let mut words = format!("<details><summary>{} instead of {}</summary>\n\n", count(phases, "phase"), code(&path));
    let mut files = plan.judged.migrations.iter();
    for piece in &plan.pieces {
        words += &match piece {
            Piece::Kept(statements, _) => {
                files.next();
                let sql: Vec<_> = statements.iter().map(|sql| format!("{};", sql.trim_end())).collect();
                format!("As it is:\n\n{}\n", fenced("sql", &sql.join("\n")))
            }
            Piece::Refused { sql, class, refusal } => {
                files.next();
                format!("No plan ({class}): {}\n\n{}\n", text(refusal.reason()), fenced("sql", &format!("{sql};")))
            }
            Piece::Planned(plan) => planned(plan, files.by_ref()),
        };
    }
    words += &format!("The files are written by {}.\n</details>\n\n", command("lockkeeper plan", &path, " --write DIR"));
    Some(words)
}

/// Whether there are phases for everything that needs them.
pub(super) fn is_whole(plan: &FilePlan) -> bool {
    let has = |of: fn(&Piece) -> bool| plan.pieces.iter().any(of);
    has(|piece| matches!(piece, Piece::Planned(_))) && !has(|piece| matches!(piece, Piece::Refused { .. }))
}

fn planned<'a>(plan: &Plan, files: &mut impl Iterator<Item = &'a Assessed>) -> String {
    let mut words = format!("{}, instead of {}\n\n", code(&plan.name), code(&plan.instead_of));
    for (at, one) in plan.phases.iter().enumerate() {
        words += &format!("**{}/{} {}: {}**\n\n", at + 1, plan.phases.len(), one.stage.word(), text(&one.title));
        words += &phase(one, files.next());
    }
    for manual in &plan.manual {
        words += &format!("By hand: {}: {}\n\n", text(&manual.thing), text(&manual.what));
    }
    for difference in &plan.differs {
        words += &format!("Differs: {}\n\n", text(difference));
    }
    words
}

fn phase(phase: &Phase, file: Option<&Assessed>) -> String {
    let deploy = phase.deploy.iter().map(|what| format!("deploy {}", text(what)));
    let wait = phase.wait_hours.iter().map(|hours| format!("wait {hours} hours"));
    let assert = phase.assert.iter().map(|query| format!("go on when this is true: {}", code(query)));
    let before: Vec<_> = deploy.chain(wait).chain(assert).collect();
    let mut words = String::new();
    if !before.is_empty() {
        words += &format!("Before it: {}.\n\n", before.join("; "));
    }
    words += &format!("{}\n\n", text(&phase.why));
    words += &file.map(|file| format!("Locks: {}.\n\n", text(&waits(&file.statements)))).unwrap_or_default();
    let sql: Vec<_> = phase.up.iter().map(|line| format!("{};", line.sql.trim_end())).collect();
    words + &fenced("sql", &sql.join("\n")) + "\n"
}
