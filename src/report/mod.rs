//! Reports, one format each.

pub mod checkout;
pub mod diff;
mod github;
mod gitlab;
mod html;
mod human;
mod json;
mod junit;
mod labels;
pub mod manual;
mod markdown;
mod paint;
pub mod plan;
pub mod plan_json;
mod sarif;
mod short;
pub mod show;

use crate::config::FailOn;
use crate::discover::Skipped;
use crate::lint::Suggest;
use crate::lint::finding::{Allowance, Assessed, Edit, Finding, Part, Report};
use crate::lint::planner::FilePlan;
use crate::problem::Problem;
use crate::rule::set::RuleSet;
use crate::rule::{Class, Severity};
use checkout::Checkout;
use std::cmp::Reverse;
use std::io::{self, Write};

pub(crate) use human::count;
use human::{next_step, sum};
pub use markdown::MARK;
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
    /// For code scanning: SARIF 2.1.0.
    Sarif,
    /// Annotations in the log of a GitHub workflow.
    Github,
    /// Labels for a pull request.
    GithubLabels,
    /// Review comments with suggested changes, for GitHub's API.
    GithubReview,
    /// The code quality report of GitLab.
    Gitlab,
    /// Tests that passed and failed, for what shows those.
    Junit,
    /// The comment of a pull request.
    Markdown,
    /// For a browser: one page that needs nothing else.
    Html,
}

impl Format {
    /// The suggestions that it prints. Others need not be made.
    pub fn suggestions(self) -> Suggest {
        match self {
            Self::Human => Suggest::AboveAdvice,
            Self::Short | Self::GithubLabels | Self::Gitlab => Suggest::Nothing,
            Self::Json | Self::Sarif | Self::Junit | Self::Html => Suggest::All,
            Self::Github | Self::GithubReview | Self::Markdown => Suggest::AboveAdvice,
        }
    }

    /// Whether it shows the plans of migrations.
    pub fn shows_plans(self) -> bool {
        match self {
            Self::Markdown | Self::Html => true,
            Self::Human | Self::Short | Self::Json | Self::Sarif => false,
            Self::Github | Self::GithubLabels | Self::GithubReview | Self::Gitlab | Self::Junit => false,
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

/// The run that a report comes from, for formats that tell of it.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    /// What is shown to readers at a terminal.
    pub look: Look,
    /// The rules that were asked.
    pub rules: &'a RuleSet,
    /// From where on it fails.
    pub fail_on: FailOn,
    /// What to run instead of migrations, for formats that show it.
    pub plans: &'a [FilePlan],
    /// From where paths are told.
    pub checkout: Checkout,
}

impl Run<'_> {
    /// What to run instead of a migration, if somebody asked for it.
    fn plan_of(&self, migration: &Assessed) -> Option<&FilePlan> {
        plan_of(self.plans, migration)
    }
}

/// What to run instead of a migration, if it is among the plans.
fn plan_of<'p>(plans: &'p [FilePlan], migration: &Assessed) -> Option<&'p FilePlan> {
    let is_of = |plan: &&FilePlan| plan.naive.migrations.iter().any(|naive| naive.source.path() == migration.source.path());
    plans.iter().find(is_of)
}

/// Writes a report.
///
/// # Errors
/// What the operating system says of the writer.
pub fn write(report: &Report, format: Format, run: &Run<'_>, out: &mut impl Write) -> io::Result<()> {
    match format {
        Format::Human => human::write(report, &run.look, out),
        Format::Short => short::write(report, out),
        Format::Json => json::write(report, out),
        Format::Sarif => sarif::write(report, run, out),
        Format::Github => github::write(report, run, out),
        Format::GithubLabels => labels::write(report, out),
        Format::GithubReview => markdown::review::write(report, run, out),
        Format::Gitlab => gitlab::write(report, run, out),
        Format::Junit => junit::write(report, run, out),
        Format::Markdown => markdown::write(report, run, out),
        Format::Html => html::write(report, run, out),
    }
}

/// Writes a plan, with the migration that it stands for, as a page for a browser.
///
/// # Errors
/// What the operating system says of the writer.
pub fn write_plan_page(plan: &FilePlan, out: &mut impl Write) -> io::Result<()> {
    html::write_plan(plan, out)
}

/// Writes the findings of a report in one line each.
///
/// # Errors
/// What the operating system says of the writer.
pub fn write_short(report: &Report, out: &mut impl Write) -> io::Result<()> {
    short::write(report, out)
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
        FailOn::Class(least) => report.migrations.iter().any(|migration| migration.class >= least && !migration.class_in_baseline),
        FailOn::Never => false,
    }
}

/// The findings that count.
fn open_findings(report: &Report) -> impl Iterator<Item = &Finding> {
    report.migrations.iter().flat_map(Assessed::open)
}

/// The same with their migrations, the worst first, then by place.
fn worst_first(report: &Report) -> Vec<(&Assessed, &Finding)> {
    let each = |migration| Assessed::open(migration).map(move |finding| (migration, finding));
    let mut findings: Vec<_> = report.migrations.iter().flat_map(each).collect();
    findings.sort_by_key(|(_, finding)| Reverse((finding.severity, finding.class)));
    findings
}

/// The edits that are the whole of a fix, by place; none if the fix is more than that.
fn whole_edits(finding: &Finding) -> Vec<&Edit> {
    let suggestion = finding.suggestion.iter().filter(|suggestion| suggestion.files.is_empty());
    let mut edits: Vec<_> = suggestion.flat_map(|suggestion| &suggestion.edits).collect();
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    edits
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
        let mut totals = Self::default();
        for migration in migrations {
            let is_up = migration.part == Part::Up;
            totals.migrations += usize::from(is_up);
            totals.statements += if is_up { migration.statements.len() } else { 0 };
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

/// The worst class of a report with the suggested fixes.
fn worst_class_with_fixes(report: &Report) -> Class {
    report.migrations.iter().map(|migration| migration.class_with_fixes).max().unwrap_or(Class::Additive)
}

/// The worst class of a report.
fn worst_class(report: &Report) -> Class {
    report.migrations.iter().map(|migration| migration.class).max().unwrap_or(Class::Additive)
}
