//! Workflow commands of GitHub Actions: an annotation for each finding and for the class of each migration.
//!
//! GitHub shows the first ten of each kind and step, so the worst come first. A name or an SQL text in a command can end neither it nor one
//! of its properties, whatever it holds.

use super::{Paint, Run, next_step, sum, worst_class, worst_class_with_fixes, worst_first};
use crate::lint::finding::{Assessed, Finding, Report};
use crate::problem::Problem;
use crate::rule::{Class, Severity};
use crate::text::{SourceFile, Span, shown};
use std::io::{self, Write};

/// As many of each kind GitHub shows for a step.
const SHOWN: usize = 10;

pub(super) fn write(report: &Report, run: &Run<'_>, out: &mut impl Write) -> io::Result<()> {
    for problem in &report.problems {
        of_problem(problem, run).write(out)?;
    }
    let findings = worst_first(report);
    let loud = findings.partition_point(|(_, finding)| finding.severity > Severity::Advice);
    for (migration, finding) in &findings[..loud] {
        of_finding(migration, finding, run).write(out)?;
    }
    let mut classes: Vec<_> = report.migrations.iter().filter(|migration| migration.class > Class::Additive).collect();
    classes.sort_by_key(|migration| std::cmp::Reverse(migration.class));
    for migration in &classes {
        of_class(migration, run).write(out)?;
    }
    for (migration, finding) in &findings[loud..] {
        of_finding(migration, finding, run).write(out)?;
    }
    closing(report, classes.len(), out)
}

/// One annotation.
struct Annotation {
    kind: &'static str,
    file: Option<String>,
    /// The first line, the last one, and the column where both are the same.
    lines: Option<(u32, u32, Option<u32>)>,
    title: String,
    message: String,
}

impl Annotation {
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        write!(out, "::{} ", self.kind)?;
        if let Some(file) = &self.file {
            write!(out, "file={},", property(file))?;
        }
        if let Some((first, last, column)) = self.lines {
            write!(out, "line={first},endLine={last},")?;
            column.map_or(Ok(()), |column| write!(out, "col={column},"))?;
        }
        writeln!(out, "title={}::{}", property(&shown(&self.title)), data(&shown(&self.message)))
    }
}

fn of_problem(problem: &Problem, run: &Run<'_>) -> Annotation {
    let help = problem.help.iter().map(|help| format!("\n{help}"));
    Annotation {
        kind: "error",
        file: problem.path().map(|path| run.checkout.path(path)),
        lines: problem.place().map(|(source, span)| lines(source, span)),
        title: format!("lockkeeper: {}", problem.code),
        message: std::iter::once(problem.message.clone()).chain(help).collect(),
    }
}

fn of_finding(migration: &Assessed, finding: &Finding, run: &Run<'_>) -> Annotation {
    let mut message = finding.message.clone();
    // What is only good to know is said in one line.
    if let Some(suggestion) = finding.suggestion.as_ref().filter(|_| finding.severity > Severity::Advice) {
        message += &format!("\nInstead ({}): {}", suggestion.class, suggestion.title);
    }
    Annotation {
        kind: match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Advice => "notice",
        },
        file: Some(run.checkout.path(migration.source.path())),
        lines: Some(lines(&migration.source, finding.span)),
        title: format!("lockkeeper: {}", finding.rule),
        message,
    }
}

fn of_class(migration: &Assessed, run: &Run<'_>) -> Annotation {
    let with_fixes = match migration.class_with_fixes {
        same if same == migration.class => String::new(),
        other => format!(", with the fixes {other}"),
    };
    Annotation {
        kind: "notice",
        file: Some(run.checkout.path(migration.source.path())),
        lines: None,
        title: format!("lockkeeper: {}{with_fixes}", migration.class),
        message: next_step(migration).to_owned(),
    }
}

/// What it comes to, in words of our own alone.
fn closing(report: &Report, classes: usize, out: &mut impl Write) -> io::Result<()> {
    let of = |severity| super::open_findings(report).filter(|finding| finding.severity == severity).count();
    let kinds = [of(Severity::Error) + report.problems.len(), of(Severity::Warning), of(Severity::Advice) + classes];
    if kinds.iter().any(|kind| *kind > SHOWN) {
        writeln!(out, "lockkeeper: of each kind GitHub shows the first {SHOWN} beside the lines; this log has all of them")?;
    }
    let (written, fixed) = (worst_class(report), worst_class_with_fixes(report));
    let with_fixes = if written == fixed { String::new() } else { format!(", with the fixes {fixed}") };
    writeln!(out, "lockkeeper: {written}{with_fixes}; {}", sum(report, Paint::new(false)))
}

fn lines(source: &SourceFile, span: Span) -> (u32, u32, Option<u32>) {
    let first = source.place(span.start);
    // A span that ends behind a line break does not reach into the next line.
    let last = source.place(span.end.saturating_sub(1).max(span.start)).line;
    (first.line, last, (first.line == last).then_some(first.column))
}

/// The text behind the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
