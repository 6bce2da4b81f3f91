//! The report for a reader: each finding with its place, the harm and what to do, and at the end what becomes of each migration.

use super::{Look, Paint, Totals, worst_class};
use crate::lint::finding::{Assessed, Edit, Finding, Judged, Report, Suggestion};
use crate::problem::{Problem, label};
use crate::rule::{Class, Severity};
use crate::text::{SourceFile, Span};
use miette::{Diagnostic, LabeledSpan, SourceCode};
use std::collections::HashSet;
use std::fmt;
use std::io::{self, Write};

pub(super) fn write(report: &Report, look: &Look, out: &mut impl Write) -> io::Result<()> {
    let mut page = Page { paint: Paint::new(look.colour), width: look.width, explained: HashSet::new(), out };
    for problem in &report.problems {
        page.problem(problem)?;
    }
    for migration in &report.migrations {
        page.migration(migration)?;
    }
    page.summary(report, look)
}

pub(super) fn write_findings(report: &Report, rule: &str, look: &Look, out: &mut impl Write) -> io::Result<()> {
    let mut page = Page { paint: Paint::new(look.colour), width: look.width, explained: HashSet::new(), out };
    for migration in &report.migrations {
        for finding in migration.findings.iter().filter(|finding| finding.rule == rule) {
            page.finding(migration, finding)?;
        }
    }
    Ok(())
}

pub(super) fn write_problem(problem: &Problem, paint: Paint, out: &mut impl Write) -> io::Result<()> {
    Page { paint, width: 100, explained: HashSet::new(), out }.problem(problem)
}

/// The page that is written, and what the reader knows already.
struct Page<'a, W> {
    paint: Paint,
    width: usize,
    /// Reasons that stand further up.
    explained: HashSet<String>,
    out: &'a mut W,
}

/// The text of help and reasons stands this far in.
const INDENT: usize = 11;

impl<W: Write> Page<'_, W> {
    fn problem(&mut self, problem: &Problem) -> io::Result<()> {
        let mark = self.paint.severity(Severity::Error, format_args!("problem[{}]", problem.code));
        match problem.path().filter(|_| problem.source.is_none()) {
            Some(path) => writeln!(self.out, "{mark} {}", self.paint.bold(path.display()))?,
            None => writeln!(self.out, "{mark}")?,
        }
        let text = Excerpt::of_problem(problem).draw(self.paint, self.width);
        write!(self.out, "{text}")?;
        if let Some(help) = &problem.help {
            self.paragraph("help", help)?;
        }
        writeln!(self.out)
    }

    /// Warnings and errors with their excerpts, then advice and allowances in one line each.
    fn migration(&mut self, migration: &Assessed) -> io::Result<()> {
        let (loud, quiet): (Vec<_>, Vec<_>) =
            migration.findings.iter().partition(|finding| finding.allowed.is_none() && finding.severity > Severity::Advice);
        for finding in &loud {
            self.finding(migration, finding)?;
        }
        for finding in &quiet {
            self.line(migration, finding)?;
        }
        if !quiet.is_empty() {
            writeln!(self.out)?;
        }
        Ok(())
    }

    fn finding(&mut self, migration: &Assessed, finding: &Finding) -> io::Result<()> {
        let mark = format!("{}[{}]", finding.severity, finding.rule);
        writeln!(self.out, "{}", self.paint.severity(finding.severity, mark))?;
        let text = Excerpt::of_finding(migration, finding).draw(self.paint, self.width);
        write!(self.out, "{text}")?;
        self.why(finding)?;
        if !finding.assumed.is_empty() {
            self.assumed(&finding.assumed)?;
        }
        if let Some(suggestion) = &finding.suggestion {
            self.suggestion(&migration.source, suggestion)?;
        }
        writeln!(self.out)
    }

    /// The reason in full the first time it is met.
    fn why(&mut self, finding: &Finding) -> io::Result<()> {
        if finding.why.trim().is_empty() {
            return Ok(());
        }
        if self.explained.insert(finding.why.clone()) {
            return self.paragraph("why", &finding.why);
        }
        let pointer = format!("as above; `lockkeeper explain {}` says more", finding.rule);
        self.paragraph("why", &self.paint.dim(pointer))
    }

    fn assumed(&mut self, facts: &[String]) -> io::Result<()> {
        let names = facts.iter().map(|fact| format!("`{fact}`")).collect::<Vec<_>>().join(", ");
        let how = if self.explained.insert("assumed".to_owned()) {
            ": the history does not tell, so the worst is taken; a schema dump does: `--schema dump.sql`"
        } else {
            ""
        };
        self.paragraph("assumed", &format!("{names}{how}"))
    }

    fn suggestion(&mut self, source: &SourceFile, suggestion: &Suggestion) -> io::Result<()> {
        let outcome = match suggestion.class {
            Class::Additive => String::new(),
            Class::ThreePhase | Class::MaintenanceWindow => format!(" ({})", suggestion.class),
        };
        self.paragraph("help", &format!("{}{outcome}", suggestion.title))?;
        if !suggestion.edits.is_empty() {
            for line in edited(source, &suggestion.edits).lines() {
                self.inset(&self.paint.good(line))?;
            }
        }
        let widest = suggestion.steps.iter().map(|step| step.phase.len()).max().unwrap_or_default();
        for step in &suggestion.steps {
            let mut phase = step.phase.as_str();
            for line in step.text.trim_end().lines() {
                let phase = std::mem::take(&mut phase);
                self.inset(&format!("{}  {}", self.paint.hint(format_args!("{phase:widest$}")), self.paint.good(line)))?;
            }
        }
        for file in &suggestion.files {
            self.inset(&format!("{} {}", self.paint.hint("new file"), file.path.display()))?;
            for line in file.text.trim_end().lines() {
                self.inset(&format!("  {}", self.paint.good(line)))?;
            }
        }
        Ok(())
    }

    /// A finding that needs no excerpt.
    fn line(&mut self, migration: &Assessed, finding: &Finding) -> io::Result<()> {
        let place = migration.source.place(finding.span.start);
        let at = format!("{}:{}:{}", migration.source.path().display(), place.line, place.column);
        let text = match &finding.allowed {
            Some(allowance) => self.paint.dim(format_args!("allowed[{}] {at} {}", finding.rule, allowance.reason)),
            None => {
                let mark = self.paint.severity(finding.severity, format_args!("{}[{}]", finding.severity, finding.rule));
                format!("{mark} {at} {}", finding.message)
            }
        };
        writeln!(self.out, "{text}")
    }

    /// `  why: ...`, wrapped.
    fn paragraph(&mut self, title: &str, text: &str) -> io::Result<()> {
        let head = format!("{title:>width$}: ", width = INDENT - 2);
        let mut head = self.paint.hint(head);
        for line in wrapped(text, self.width.saturating_sub(INDENT).max(20)) {
            writeln!(self.out, "{head}{line}")?;
            head = " ".repeat(INDENT);
        }
        Ok(())
    }

    fn inset(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.out, "{:INDENT$}{line}", "")
    }

    fn summary(&mut self, report: &Report, look: &Look) -> io::Result<()> {
        let (worth, plain): (Vec<_>, Vec<_>) = report.migrations.iter().partition(|migration| is_worth_a_line(migration));
        // A migration that was named alone gets its line in any case.
        let (worth, plain) = if report.migrations.len() == 1 { (report.migrations.iter().collect(), Vec::new()) } else { (worth, plain) };
        if !worth.is_empty() {
            let widest = worth.iter().map(|migration| shown_path(migration).chars().count()).max().unwrap_or_default().min(60);
            for migration in &worth {
                self.verdict(migration, widest)?;
            }
        }
        if !plain.is_empty() {
            let others = if worth.is_empty() { "" } else { " more" };
            writeln!(self.out, "{}{others}: {}, nothing found", count(plain.len(), "migration"), self.paint.class(Class::Additive))?;
        }
        if !worth.is_empty() || !plain.is_empty() {
            writeln!(self.out)?;
        }
        self.totals(report, look)
    }

    /// What becomes of one migration, and what to do with it.
    fn verdict(&mut self, migration: &Assessed, widest: usize) -> io::Result<()> {
        let path = shown_path(migration);
        let (written, fixed) = (migration.class, migration.class_with_fixes);
        let change = if written == fixed {
            self.paint.class(written)
        } else {
            format!("{} → {} with the fixes", self.paint.class(written), self.paint.class(fixed))
        };
        writeln!(self.out, "{}{:pad$}  {change}", self.paint.bold(&path), "", pad = widest.saturating_sub(path.chars().count()))?;
        writeln!(self.out, "{:widest$}  {}", "", self.paint.dim(what_to_do(written, fixed)))
    }

    fn totals(&mut self, report: &Report, look: &Look) -> io::Result<()> {
        let totals = Totals::of(&report.migrations);
        let server = report.server.0;
        let judged =
            format!("{}, {} for PostgreSQL {server}", count(totals.migrations, "migration"), count(totals.statements, "statement"));
        let mut parts = vec![
            self.tally(Severity::Error, totals.errors, "error"),
            self.tally(Severity::Warning, totals.warnings, "warning"),
            self.tally(Severity::Advice, totals.advice, "advice"),
        ];
        parts.extend((totals.allowed > 0).then(|| format!("{} allowed", totals.allowed)));
        parts.extend((totals.unreadable > 0).then(|| format!("{} unreadable", count(totals.unreadable, "statement"))));
        parts.extend((!report.problems.is_empty()).then(|| self.paint.severity(Severity::Error, count(report.problems.len(), "problem"))));
        writeln!(self.out, "{judged}: {}", parts.join(", "))?;
        let skipped = &look.skipped;
        let passed_over =
            [(skipped.down, "that undo a migration"), (skipped.other_database, "for another database"), (skipped.excluded, "excluded")];
        let passed_over: Vec<_> = passed_over.iter().filter(|(files, _)| *files > 0).map(|(files, why)| format!("{files} {why}")).collect();
        if !passed_over.is_empty() {
            writeln!(self.out, "{}", self.paint.dim(format_args!("files passed over: {}", passed_over.join(", "))))?;
        }
        if report.migrations.len() > 1 {
            writeln!(self.out, "all together: {}", self.paint.class(worst_class(report)))?;
        }
        Ok(())
    }

    fn tally(&self, severity: Severity, number: usize, noun: &str) -> String {
        let text = if noun == "advice" { format!("{number} advice") } else { count(number, noun) };
        if number == 0 { text } else { self.paint.severity(severity, text) }
    }
}

fn is_worth_a_line(migration: &Assessed) -> bool {
    let is_open = |finding: &Finding| finding.allowed.is_none() && finding.severity > Severity::Advice;
    migration.class > Class::Additive || migration.findings.iter().any(is_open)
}

fn shown_path(migration: &Assessed) -> String {
    migration.source.path().display().to_string()
}

/// `1 migration`, `2 migrations`.
fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

fn what_to_do(written: Class, fixed: Class) -> &'static str {
    match (written, fixed) {
        (Class::Additive, _) => "run it any time",
        (Class::ThreePhase, Class::Additive) => "take the fixes, then run it any time",
        (Class::ThreePhase, Class::ThreePhase | Class::MaintenanceWindow) => "part it over releases: expand, migrate, contract",
        (Class::MaintenanceWindow, Class::Additive) => "take the fixes, then run it any time; as it is, only in a maintenance window",
        (Class::MaintenanceWindow, Class::ThreePhase) => "take the fixes and part it over releases; as it is, only in a maintenance window",
        (Class::MaintenanceWindow, Class::MaintenanceWindow) => "run it in a maintenance window",
    }
}

/// Edits of more lines than this are shown by their own text alone.
const MOST_EDITED_LINES: u32 = 12;

/// The lines that the edits touch, as they would read.
fn edited(source: &SourceFile, edits: &[Edit]) -> String {
    let text = source.shown();
    let first = edits.iter().map(|edit| edit.span.start).min().unwrap_or_default();
    let last = edits.iter().map(|edit| edit.span.end).max().unwrap_or_default();
    let (from, to) = (source.place(first).line, source.place(last).line);
    let lines = Span::new(source.line(from).start, source.line(to).end);
    if to - from >= MOST_EDITED_LINES || lines.len() > 2_000 {
        return edits.iter().map(|edit| edit.text.trim()).collect::<Vec<_>>().join("\n");
    }
    let mut sorted: Vec<_> = edits.iter().collect();
    sorted.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut result = String::new();
    let mut at = lines.start as usize;
    for edit in sorted {
        let Some(kept) = text.get(at..edit.span.start as usize) else { continue };
        result.push_str(kept);
        result.push_str(&edit.text);
        at = edit.span.end as usize;
    }
    result.push_str(text.get(at..lines.end as usize).unwrap_or_default());
    result
}

/// Lines of at most `width` characters, broken at spaces; a line that begins with a space is SQL and stays as it is.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for written in text.trim_end().lines() {
        if written.starts_with(' ') || written.trim().is_empty() {
            lines.extend((!line.is_empty()).then(|| std::mem::take(&mut line)));
            lines.push(written.trim_end().to_owned());
            continue;
        }
        for word in written.split_whitespace() {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.extend((!line.is_empty()).then_some(line));
    lines
}

/// What miette draws: the message, and the lines with their labels.
#[derive(Debug)]
struct Excerpt<'a> {
    message: &'a str,
    severity: Severity,
    source: Option<&'a SourceFile>,
    labels: Vec<LabeledSpan>,
}

impl<'a> Excerpt<'a> {
    fn of_problem(problem: &'a Problem) -> Self {
        let source = problem.source.as_deref();
        let labels = source.map(|source| problem.labels.iter().map(|(span, word)| label(source, *span, word)).collect());
        Self { message: &problem.message, severity: Severity::Error, source, labels: labels.unwrap_or_default() }
    }

    fn of_finding(migration: &'a Assessed, finding: &'a Finding) -> Self {
        let source = &*migration.source;
        let effects = finding.statement.and_then(|index| migration.statements.get(index)).map(effects).unwrap_or_default();
        Self {
            message: &finding.message,
            severity: finding.severity,
            source: Some(source),
            labels: vec![label(source, finding.span, &effects)],
        }
    }

    fn draw(&self, paint: Paint, width: usize) -> String {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = paint.handler(width).render_report(&mut text, self);
        text
    }
}

/// What a statement does to what existed before, in a few words: the label below it.
fn effects(statement: &Judged) -> String {
    const MOST: usize = 3;
    let mut locks: Vec<_> = statement.effects.locks.iter().collect();
    locks.sort_by_key(|lock| std::cmp::Reverse(lock.mode));
    let mut parts: Vec<_> = locks.iter().take(MOST).map(|lock| format!("{} on {}", lock.mode, lock.relation)).collect();
    parts.extend((locks.len() > MOST).then(|| format!("{} more locks", locks.len() - MOST)));
    let effects = &statement.effects;
    for (verb, names) in
        [("rewrites", &effects.rewrites), ("scans", &effects.scans), ("builds", &effects.builds), ("rebuilds", &effects.rebuilds)]
    {
        if let Some(first) = names.first() {
            let more = if names.len() > 1 { format!(" and {} more", names.len() - 1) } else { String::new() };
            parts.push(format!("{verb} {first}{more}"));
        }
    }
    parts.join(", ")
}

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message)
    }
}

impl std::error::Error for Excerpt<'_> {}

impl Diagnostic for Excerpt<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Advice => miette::Severity::Advice,
            Severity::Warning => miette::Severity::Warning,
            Severity::Error => miette::Severity::Error,
        })
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}
