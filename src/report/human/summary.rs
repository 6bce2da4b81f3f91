//! The end of the report: what becomes of each migration and what to do with it, and what it all adds up to.

use super::super::{Look, Paint, Totals, worst_class};
use crate::discover::Skipped;
use crate::lint::finding::{Assessed, Finding, Part, Report};
use crate::model::sizes::Estimate;
use crate::rule::{Class, Severity};
use crate::text::shown_path;
use crate::tool::Tool;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Write};

pub(super) fn write(report: &Report, look: &Look, out: &mut impl Write) -> io::Result<()> {
    let paint = Paint::new(look.colour);
    // The same verdict is said once, the worst one first.
    let mut verdicts: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let ups = report.migrations.iter().filter(|migration| migration.part == Part::Up);
    let (settled, open): (Vec<_>, Vec<_>) = ups.partition(|migration| is_settled(migration));
    for migration in open {
        let verdict = (migration.class, migration.class_with_fixes, is_faulty(migration));
        verdicts.entry(Reverse(verdict)).or_default().push(migration);
    }
    for (Reverse((written, fixed, faulty)), migrations) in &verdicts {
        verdict(*written, *fixed, *faulty, paint, out)?;
        members(migrations, paint, out)?;
    }
    if !settled.is_empty() {
        writeln!(out, "{}", paint.dim(format_args!("{} as the baseline has them", count(settled.len(), "migration"))))?;
    }
    if !report.migrations.is_empty() {
        writeln!(out)?;
    }
    totals(report, look, paint, out)
}

/// Whether there is nothing to say of it that the baseline does not have.
fn is_settled(migration: &Assessed) -> bool {
    migration.class_in_baseline && migration.findings.iter().all(|finding| finding.allowed.is_some())
}

/// Whether an error that nobody has allowed says nothing of the class: the server refuses the file, or runs it in another way than was meant.
pub(crate) fn is_faulty(migration: &Assessed) -> bool {
    let is_open = |finding: &Finding| finding.allowed.is_none() && finding.severity == Severity::Error;
    migration.class == Class::Additive && migration.findings.iter().any(is_open)
}

/// `maintenance-window → additive: take the fixes, ...`.
fn verdict(written: Class, fixed: Class, faulty: bool, paint: Paint, out: &mut impl Write) -> io::Result<()> {
    let change = if written == fixed { paint.class(written) } else { format!("{} → {}", paint.class(written), paint.class(fixed)) };
    writeln!(out, "{change}: {}", what_to_do(written, fixed, faulty))
}

/// What to do with a migration, in a few words.
pub(crate) fn next_step(migration: &Assessed) -> &'static str {
    what_to_do(migration.class, migration.class_with_fixes, is_faulty(migration))
}

fn what_to_do(written: Class, fixed: Class, faulty: bool) -> &'static str {
    match (written, fixed) {
        (Class::Additive, _) if faulty => "mend the errors first, then run it any time",
        (Class::Additive, _) => "run it any time",
        (Class::ThreePhase, Class::Additive) => "take the fixes, then run it any time",
        (Class::ThreePhase, Class::ThreePhase | Class::MaintenanceWindow) => "part it over releases: expand, migrate, contract",
        (Class::MaintenanceWindow, Class::Additive) => "take the fixes, then run it any time; as it is, only in a maintenance window",
        (Class::MaintenanceWindow, Class::ThreePhase) => "take the fixes and part it over releases; as it is, only in a maintenance window",
        (Class::MaintenanceWindow, Class::MaintenanceWindow) => "run it in a maintenance window",
    }
}

/// The migrations of one verdict; those of which there is nothing to say are counted, unless there is but one.
fn members(migrations: &[&Assessed], paint: Paint, out: &mut impl Write) -> io::Result<()> {
    let worth: Vec<_> =
        migrations.iter().filter(|migration| migration.class > Class::Additive || !tally(migration, paint).is_empty()).collect();
    let worth = if migrations.len() == 1 { migrations.iter().collect() } else { worth };
    let path = |migration: &Assessed| shown_path(migration.source.path());
    let widest = worth.iter().map(|migration| path(migration).chars().count()).max().unwrap_or_default();
    for migration in &worth {
        let path = path(migration);
        let pad = widest - path.chars().count();
        let line = format!("  {}{:pad$}  {}", paint.bold(&path), "", tally(migration, paint));
        writeln!(out, "{}", line.trim_end())?;
    }
    match migrations.len() - worth.len() {
        0 => Ok(()),
        silent => writeln!(out, "  {}{} with nothing found", count(silent, "migration"), if worth.is_empty() { "" } else { " more" }),
    }
}

/// `2 errors, 1 warning`; nothing for a migration without findings.
fn tally(migration: &Assessed, paint: Paint) -> String {
    let totals = Totals::of(std::slice::from_ref(migration));
    let parts = [(Severity::Error, totals.errors), (Severity::Warning, totals.warnings), (Severity::Advice, totals.advice)];
    parts
        .iter()
        .filter(|(_, number)| *number > 0)
        .map(|(severity, number)| counted(*severity, *number, paint))
        .collect::<Vec<_>>()
        .join(", ")
}

/// `2 migrations, 3 statements for PostgreSQL 15: 1 error, 0 warnings, 0 advice`.
pub(crate) fn sum(report: &Report, paint: Paint) -> String {
    let totals = Totals::of(&report.migrations);
    let judged = format!("{}, {}", count(totals.migrations, "migration"), count(totals.statements, "statement"));
    let mut parts = vec![
        counted(Severity::Error, totals.errors, paint),
        counted(Severity::Warning, totals.warnings, paint),
        counted(Severity::Advice, totals.advice, paint),
    ];
    parts.extend((totals.allowed > 0).then(|| format!("{} allowed", totals.allowed)));
    parts.extend((totals.baseline > 0).then(|| format!("{} in the baseline", totals.baseline)));
    parts.extend((totals.unreadable > 0).then(|| format!("{} unreadable", count(totals.unreadable, "statement"))));
    parts.extend((!report.problems.is_empty()).then(|| paint.severity(Severity::Error, count(report.problems.len(), "problem"))));
    format!("{judged} for PostgreSQL {}: {}", report.server.0, parts.join(", "))
}

fn totals(report: &Report, look: &Look, paint: Paint, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}", sum(report, paint))?;
    for (tool, migrations) in tools(report) {
        writeln!(out, "{}", paint.dim(run_by(tool, migrations)))?;
    }
    if let Some(over) = passed_over(&look.skipped) {
        writeln!(out, "{}", paint.dim(format_args!("files passed over: {over}")))?;
    }
    if let Some(words) = speed_words(report) {
        writeln!(out, "{}", paint.dim(words))?;
    }
    if report.migrations.len() > 1 {
        writeln!(out, "all together: {}", paint.class(worst_class(report)))?;
    }
    Ok(())
}

/// The tools that the migrations were read for, whether all new files share a transaction, and how many are of each.
pub(crate) fn tools(report: &Report) -> BTreeMap<(&str, bool), usize> {
    let mut tools = BTreeMap::new();
    let ups = report.migrations.iter().filter(|migration| migration.part == Part::Up);
    let named = ups.filter_map(|migration| Some((word(migration)?, migration.shared_transaction)));
    named.for_each(|tool| *tools.entry(tool).or_default() += 1);
    tools
}

/// What the tool is called that runs a migration, or prints its SQL.
fn word(migration: &Assessed) -> Option<&str> {
    let by = migration.source.origin().map(|origin| origin.by.as_str());
    by.or_else(|| migration.tool.map(Tool::word))
}

/// `3 migrations read as dbmate runs them`.
pub(crate) fn run_by((tool, shared): (&str, bool), migrations: usize) -> String {
    let locks = if shared { ": all new files in one transaction, so that locks last until the last of them has run" } else { "" };
    format!("{} read as {} runs {}{locks}", count(migrations, "migration"), tool, if migrations == 1 { "it" } else { "them" })
}

/// `2 that undo a migration, 1 excluded`.
pub(crate) fn passed_over(skipped: &Skipped) -> Option<String> {
    let over = [
        (skipped.down, "that undo a migration"),
        (skipped.aside, "that check one or fill tables"),
        (skipped.unlisted, "that the list of their tool leaves out"),
        (skipped.changesets, "changesets that are no SQL"),
        (skipped.other_database, "for another database"),
        (skipped.excluded, "excluded"),
        (skipped.ignored, "that git ignores"),
        (skipped.elsewhere, "outside of `migrations:`"),
    ];
    let over: Vec<_> = over.iter().filter(|(files, _)| *files > 0).map(|(files, why)| format!("{files} {why}")).collect();
    (!over.is_empty()).then(|| over.join(", "))
}

/// What the times of a report rest on, if it has any.
pub(crate) fn speed_words(report: &Report) -> Option<String> {
    let mut estimates = report.migrations.iter().flat_map(|migration| &migration.statements).filter_map(|statement| statement.estimate);
    let Estimate { speed, .. } = estimates.next()?;
    let megabytes = |bytes: u64| bytes.div_ceil(1_000_000);
    let assumed = format!("{} MB read and {} MB written a second", megabytes(speed.reads), megabytes(speed.writes));
    Some(format!("times are estimates that assume {assumed}; `assume:` in the stats file says otherwise"))
}

/// `1 error`, `2 errors`, `3 advice`, in the colour of the severity if there are any.
fn counted(severity: Severity, number: usize, paint: Paint) -> String {
    let text = match severity {
        Severity::Error => count(number, "error"),
        Severity::Warning => count(number, "warning"),
        Severity::Advice => format!("{number} advice"),
    };
    if number == 0 { text } else { paint.severity(severity, text) }
}

/// `1 migration`, `2 migrations`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
