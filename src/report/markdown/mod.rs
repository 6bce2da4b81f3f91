//! The comment of a pull request: the class of each migration, and folded up the findings, the plans, what could not be judged, and what is
//! allowed. It begins with a mark by which its next version finds it, and is never longer than a comment may be.

mod escape;
mod finding;
mod plan;
pub(super) mod review;

use super::{Paint, Run, Totals, count, next_step, sum, worst_class, worst_first};
use crate::lint::finding::{Assessed, Finding, Report};
use crate::problem::Problem;
use crate::rule::Severity;
use crate::sql::Reading;
use crate::text::Span;
use escape::{code, text};
use std::cmp::Reverse;
use std::io::{self, Write};

/// By this first line a comment is known again.
pub const MARK: &str = "<!-- lockkeeper -->";

/// GitHub takes 65,536 characters; these are bytes, and some are kept for the words about what is left out.
const LONGEST: usize = 64_000;

pub(super) fn write(report: &Report, run: &Run<'_>, out: &mut impl Write) -> io::Result<()> {
    let head = head(report);
    let mut page = Page { report, run, room: LONGEST - head.len(), left_out: Vec::new() };
    // What matters most takes its room first.
    let table = page.table();
    let unjudged = page.unjudged();
    let loud = page.findings();
    let plans = page.plans();
    let allowed = page.allowed();
    let advice = page.advice();
    writeln!(out, "{MARK}")?;
    for section in [head, table, loud, plans, unjudged, advice, allowed, page.left_out()] {
        if !section.is_empty() {
            writeln!(out, "{}\n", section.trim_end())?;
        }
    }
    Ok(())
}

fn head(report: &Report) -> String {
    if report.migrations.is_empty() && report.problems.is_empty() {
        return "### lockkeeper: no migration is added or changed".to_owned();
    }
    let class = if report.migrations.is_empty() { "nothing could be judged" } else { worst_class(report).word() };
    format!("### lockkeeper: {class}\n\n{}", sum(report, Paint::new(false)))
}

/// The comment while it is written.
struct Page<'a> {
    report: &'a Report,
    run: &'a Run<'a>,
    /// Bytes that are left.
    room: usize,
    /// What did not find room: how many, of what.
    left_out: Vec<(usize, &'static str)>,
}

/// Things of one kind.
struct Section {
    /// What one of them is called.
    noun: &'static str,
    /// No more than this for all of them.
    share: usize,
    head: &'static str,
    tail: &'static str,
}

impl Page<'_> {
    /// Each thing for which there is room, in the given order; the first ones have the right of way.
    fn fill(&mut self, section: &Section, things: impl IntoIterator<Item = String>) -> String {
        let mut room = self.room.min(section.share).saturating_sub(section.head.len() + section.tail.len());
        let mut body = String::new();
        let mut left_out = 0;
        for thing in things {
            if thing.len() <= room {
                room -= thing.len();
                body += &thing;
            } else {
                left_out += 1;
            }
        }
        if left_out > 0 {
            self.left_out.push((left_out, section.noun));
        }
        if body.is_empty() {
            return body;
        }
        let filled = format!("{}{body}{}", section.head, section.tail);
        self.room -= filled.len();
        filled
    }

    /// The migrations, in their order; the worst of them first if there is no room for all.
    fn table(&mut self) -> String {
        const SHARE: usize = 16_000;
        let section = Section {
            noun: "migration",
            share: SHARE,
            head: "| migration | class | with the fixes | findings | what to do |\n|---|---|---|---|---|\n",
            tail: "",
        };
        let mut rows: Vec<_> = self.report.migrations.iter().map(|migration| (migration, self.row(migration))).enumerate().collect();
        if rows.iter().map(|(_, (_, row))| row.len()).sum::<usize>() > SHARE - section.head.len() {
            let weight = |migration: &Assessed| (migration.class, migration.open().map(|finding| finding.severity).max());
            rows.sort_by_key(|(_, (migration, _))| Reverse(weight(migration)));
        }
        self.fill(&section, rows.into_iter().map(|(_, (_, row))| row))
    }

    fn row(&self, migration: &Assessed) -> String {
        let totals = Totals::of(std::slice::from_ref(migration));
        let counts = [
            (totals.errors, count(totals.errors, "error")),
            (totals.warnings, count(totals.warnings, "warning")),
            (totals.advice, format!("{} advice", totals.advice)),
            (totals.allowed, format!("{} allowed", totals.allowed)),
            (totals.baseline, format!("{} in the baseline", totals.baseline)),
        ];
        let counts: Vec<_> = counts.into_iter().filter(|(number, _)| *number > 0).map(|(_, words)| words).collect();
        format!(
            "| {} | **{}** | {} | {} | {} |\n",
            code(&self.run.checkout.path(migration.source.path())),
            migration.class,
            migration.class_with_fixes,
            if counts.is_empty() { "none".to_owned() } else { counts.join(", ") },
            next_step(migration)
        )
    }

    /// Errors and warnings, each folded up.
    fn findings(&mut self) -> String {
        let section = Section { noun: "finding", share: 30_000, head: "#### Findings\n\n", tail: "" };
        let mut told = finding::Told::default();
        let loud: Vec<_> = worst_first(self.report).into_iter().filter(|(_, finding)| finding.severity > Severity::Advice).collect();
        let blocks: Vec<_> = loud.into_iter().map(|(migration, finding)| finding::block(migration, finding, self.run, &mut told)).collect();
        self.fill(&section, blocks)
    }

    fn advice(&mut self) -> String {
        let section =
            Section { noun: "piece of advice", share: 8_000, head: "<details><summary>Advice</summary>\n\n", tail: "\n</details>\n" };
        let quiet: Vec<_> = worst_first(self.report).into_iter().filter(|(_, finding)| finding.severity == Severity::Advice).collect();
        let line = |(migration, finding): &(&Assessed, &Finding)| {
            format!("- {} {}: {}\n", self.place(migration, finding.span), code(&finding.rule), text(&finding.message))
        };
        let lines: Vec<_> = quiet.iter().map(line).collect();
        self.fill(&section, lines)
    }

    fn plans(&mut self) -> String {
        let section = Section { noun: "plan", share: self.room, head: "#### What to run instead\n\n", tail: "" };
        let blocks: Vec<_> = self.run.plans.iter().filter_map(|plan| plan::block(plan, self.run)).collect();
        self.fill(&section, blocks)
    }

    /// What could not be read: files, and statements.
    fn unjudged(&mut self) -> String {
        let section = Section { noun: "problem", share: 10_000, head: "#### Could not be judged\n\n", tail: "" };
        let problems = self.report.problems.iter().map(|problem| self.problem(problem));
        let unreadable = self.report.migrations.iter().flat_map(|migration| {
            let statements = migration.statements.iter().filter(|statement| statement.reading == Reading::Unreadable);
            statements.map(|statement| format!("- {} a statement that could not be read\n", self.place(migration, statement.span)))
        });
        let lines: Vec<_> = problems.chain(unreadable).collect();
        self.fill(&section, lines)
    }

    fn problem(&self, problem: &Problem) -> String {
        let place = problem.place().map(|(source, span)| source.place(span.start));
        let place = place.map(|place| format!(":{}:{}", place.line, place.column)).unwrap_or_default();
        let path = problem.path().map(|path| code(&format!("{}{place}", self.run.checkout.path(path))) + " ").unwrap_or_default();
        let help = problem.help.as_ref().map(|help| format!(" ({})", text(help))).unwrap_or_default();
        format!("- {path}{}{help}\n", text(&problem.message))
    }

    fn allowed(&mut self) -> String {
        let section =
            Section { noun: "allowed finding", share: self.room, head: "<details><summary>Allowed</summary>\n\n", tail: "\n</details>\n" };
        let lines = self.report.migrations.iter().flat_map(|migration| {
            let line = |(finding, reason): (&Finding, &str)| {
                format!("- {} {}: {}\n", self.place(migration, finding.span), code(&finding.rule), text(reason))
            };
            migration.allowed().map(line).collect::<Vec<_>>()
        });
        let lines: Vec<_> = lines.collect();
        self.fill(&section, lines)
    }

    fn left_out(&self) -> String {
        let words: Vec<_> = self.left_out.iter().map(|(number, noun)| many(*number, noun)).collect();
        if words.is_empty() {
            return String::new();
        }
        format!("Left out, since a comment has no room for more: {}. `lockkeeper lint` shows everything.\n", words.join(", "))
    }

    /// `path:line:column`.
    fn place(&self, migration: &Assessed, span: Span) -> String {
        finding::place(migration, span, self.run)
    }
}

fn many(number: usize, noun: &'static str) -> String {
    match noun.strip_prefix("piece ") {
        Some(rest) => format!("{} {rest}", count(number, "piece")),
        None => count(number, noun),
    }
}
