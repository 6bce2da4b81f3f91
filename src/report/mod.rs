//! Reports, one format each.

pub mod diff;
mod human;
mod json;
pub mod manual;
mod paint;
pub mod plan;
pub mod plan_json;
mod short;
pub mod show;

use crate::config::FailOn;
use crate::discover::Skipped;
use crate::lint::Suggest;
use crate::lint::finding::{Allowance, Assessed, Finding, Report};
use crate::problem::Problem;
use crate::rule::{Class, Severity};
use std::io::{self, Write};

pub(crate) use human::count;
pub(crate) use paint::Paint;

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For a reader: excerpts, reasons, fixes, and a closing summary.
    Human,
    /// One line for each finding.
    Short,
    /// For programs.
    Json,
}

impl Format {
    /// The suggestions that it prints. Others need not be made.
    pub fn suggestions(self) -> Suggest {
        match self {
            Self::Human => Suggest::AboveAdvice,
            Self::Short => Suggest::Nothing,
            Self::Json => Suggest::All,
        }
    }
}

/// What is shown beside the report itself.
#[derive(Clone, Debug)]
pub struct Look {
    /// Whether colours are wanted.
    pub colour: bool,
    /// Columns of a line.
    pub width: usize,
    /// Whether edits are shown as diffs, rather than as the lines that they give.
    pub diffs: bool,
    /// What the search for migrations passed over.
    pub skipped: Skipped,
}

/// Writes a report.
///
/// # Errors
/// What the operating system says of the writer.
pub fn write(report: &Report, format: Format, look: &Look, out: &mut impl Write) -> io::Result<()> {
    match format {
        Format::Human => human::write(report, look, out),
        Format::Short => short::write(report, out),
        Format::Json => json::write(report, out),
    }
}

/// Writes one problem as people read it.
///
/// # Errors
/// What the operating system says of the writer.
pub fn write_problem(problem: &Problem, colour: bool, out: &mut impl Write) -> io::Result<()> {
    human::write_problem(problem, Paint::new(colour), out)
}

/// Writes the findings of one rule as people read them, without a summary.
///
/// # Errors
/// What the operating system says of the writer.
pub fn write_findings(report: &Report, rule: &str, look: &Look, out: &mut impl Write) -> io::Result<()> {
    human::write_findings(report, rule, look, out)
}

/// Whether a report is reason to fail.
pub fn fails(report: &Report, fail_on: FailOn) -> bool {
    match fail_on {
        FailOn::Severity(least) => open_findings(report).any(|finding| finding.severity >= least),
        FailOn::Class(least) => report.migrations.iter().any(|migration| migration.class >= least),
        FailOn::Never => false,
    }
}

/// The findings that count.
fn open_findings(report: &Report) -> impl Iterator<Item = &Finding> {
    report.migrations.iter().flat_map(|migration| &migration.findings).filter(|finding| finding.allowed.is_none())
}

/// What a report adds up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Totals {
    migrations: usize,
    statements: usize,
    unreadable: usize,
    errors: usize,
    warnings: usize,
    advice: usize,
    /// By a comment.
    allowed: usize,
    /// In the baseline.
    baseline: usize,
}

impl Totals {
    fn of(migrations: &[Assessed]) -> Self {
        let mut totals = Self { migrations: migrations.len(), ..Self::default() };
        for migration in migrations {
            totals.statements += migration.statements.len();
            totals.unreadable +=
                migration.statements.iter().filter(|statement| statement.reading == crate::sql::Reading::Unreadable).count();
            for finding in &migration.findings {
                *match (&finding.allowed, finding.severity) {
                    (Some(Allowance::Comment { .. }), _) => &mut totals.allowed,
                    (Some(Allowance::Baseline), _) => &mut totals.baseline,
                    (None, Severity::Error) => &mut totals.errors,
                    (None, Severity::Warning) => &mut totals.warnings,
                    (None, Severity::Advice) => &mut totals.advice,
                } += 1;
            }
        }
        totals
    }
}

/// The worst class of a report.
fn worst_class(report: &Report) -> Class {
    report.migrations.iter().map(|migration| migration.class).max().unwrap_or(Class::Additive)
}
