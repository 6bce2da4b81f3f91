//! The report for a reader: each finding with its place, the harm and what to do, and at the end what becomes of each migration.

mod excerpt;
mod summary;

use super::{Look, Paint, diff};
use crate::lint::finding::{Allowance, Assessed, Edit, Finding, Report, Suggestion};
use crate::problem::Problem;
use crate::rule::{Class, Severity};
use crate::text::{SourceFile, Span, shown, shown_path};
use excerpt::Excerpt;
use std::collections::HashSet;
use std::io::{self, Write};

pub(crate) use summary::{count, is_faulty, next_step, passed_over, run_by, speed_words, sum, tools};

pub(super) fn write(report: &Report, look: &Look, out: &mut impl Write) -> io::Result<()> {
    let mut page = Page { diffs: look.diffs, ..Page::new(Paint::new(look.colour), look.width, out) };
    for problem in &report.problems {
        page.problem(problem)?;
    }
    for migration in &report.migrations {
        page.migration(migration)?;
    }
    summary::write(report, look, page.out)
}

pub(super) fn write_findings(report: &Report, rule: &str, look: &Look, out: &mut impl Write) -> io::Result<()> {
    let mut page = Page::new(Paint::new(look.colour), look.width, out);
    for migration in &report.migrations {
        for finding in migration.findings.iter().filter(|finding| finding.rule == rule) {
            page.finding(migration, finding)?;
        }
    }
    Ok(())
}

pub(super) fn write_problem(problem: &Problem, paint: Paint, out: &mut impl Write) -> io::Result<()> {
    Page::new(paint, 100, out).problem(problem)
}

/// The page that is written, and what the reader knows already.
struct Page<'a, W> {
    paint: Paint,
    width: usize,
    /// Whether edits are shown as diffs.
    diffs: bool,
    /// Reasons and fixes that stand further up.
    told: HashSet<String>,
    /// The statement whose text stands directly above, as the start of its span.
    above: Option<u32>,
    out: &'a mut W,
}

/// The text of help and reasons stands this far in.
const INDENT: usize = 11;

impl<'a, W: Write> Page<'a, W> {
    fn new(paint: Paint, width: usize, out: &'a mut W) -> Self {
        Self { paint, width, diffs: false, told: HashSet::new(), above: None, out }
    }

    fn problem(&mut self, problem: &Problem) -> io::Result<()> {
        let mark = self.paint.severity(Severity::Error, format_args!("problem[{}]", problem.code));
        match problem.path().filter(|_| problem.source.is_none()) {
            Some(path) => writeln!(self.out, "{mark} {}", self.paint.bold(shown_path(path)))?,
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
        let told = migration.findings.iter().filter(|finding| finding.allowed != Some(Allowance::Baseline));
        let (loud, mut quiet): (Vec<_>, Vec<_>) =
            told.partition(|finding| finding.allowed.is_none() && finding.severity > Severity::Advice);
        self.above = None;
        for finding in &loud {
            self.finding(migration, finding)?;
        }
        // The same advice is given once.
        quiet.sort_by(|a, b| a.rule.cmp(&b.rule));
        for alike in quiet.chunk_by(|a, b| a.rule == b.rule && a.message == b.message && a.allowed == b.allowed) {
            self.line(migration, alike)?;
        }
        if !quiet.is_empty() {
            writeln!(self.out)?;
        }
        Ok(())
    }

    fn finding(&mut self, migration: &Assessed, finding: &Finding) -> io::Result<()> {
        let mark = format!("{}[{}]", finding.severity, finding.rule);
        writeln!(self.out, "{}", self.paint.severity(finding.severity, mark))?;
        self.excerpt(migration, finding)?;
        if !finding.assumed.is_empty() {
            self.assumed(&finding.assumed)?;
        }
        let is_new = self.told.insert(finding.why.to_string());
        let fix = finding.suggestion.as_ref().filter(|fix| !fix.edits.is_empty() || !fix.files.is_empty() || self.told.insert(words(fix)));
        if is_new && !finding.why.trim().is_empty() {
            self.paragraph("why", &finding.why)?;
        }
        if let Some(fix) = fix {
            self.suggestion(&migration.source, fix)?;
        }
        if !is_new {
            self.paragraph("why", &format!("as above, and in `lockkeeper explain {}`", finding.rule))?;
        }
        writeln!(self.out)
    }

    /// The message and the statement, unless that stands directly above.
    fn excerpt(&mut self, migration: &Assessed, finding: &Finding) -> io::Result<()> {
        let statement = finding.statement.and_then(|index| migration.statements.get(index)).map(|statement| statement.span.start);
        let excerpt = if statement.is_some() && statement == self.above {
            Excerpt::of_message(finding)
        } else {
            Excerpt::of_finding(migration, finding)
        };
        write!(self.out, "{}", excerpt.draw(self.paint, self.width))?;
        if excerpt.has_text() {
            self.above = statement;
            return Ok(());
        }
        let place = migration.source.place(finding.span.start);
        let at = format!("at {}:{}:{}, as shown above", shown_path(migration.source.path()), place.line, place.column);
        writeln!(self.out, "    {}", self.paint.dim(at))
    }

    fn assumed(&mut self, facts: &[String]) -> io::Result<()> {
        let names = facts.iter().map(|fact| format!("`{fact}`")).collect::<Vec<_>>().join(", ");
        let how = if self.told.insert("assumed".to_owned()) {
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
        self.paragraph("help", &format!("{}{outcome}", shown(&suggestion.title)))?;
        if !suggestion.edits.is_empty() {
            let diff = if self.diffs { diff::of_edits(source, &suggestion.edits, self.paint) } else { None };
            match diff {
                Some(lines) => lines.iter().try_for_each(|line| self.inset(line))?,
                None => edited(source, &suggestion.edits).lines().try_for_each(|line| self.inset(&self.paint.good(line)))?,
            }
        }
        if let Some(why) = &suggestion.not_offered {
            self.paragraph("no edit", why)?;
        }
        let widest = suggestion.steps.iter().map(|step| step.phase.len()).max().unwrap_or_default();
        for step in &suggestion.steps {
            let mut phase = step.phase.as_str();
            for line in shown(&step.text).trim_end().lines() {
                let phase = std::mem::take(&mut phase);
                self.inset(&format!("{}  {}", self.paint.hint(format_args!("{phase:widest$}")), self.paint.good(line)))?;
            }
        }
        if suggestion.recipe.is_some() {
            let path = shown_path(source.path());
            self.inset(&format!("{} lockkeeper plan {path}", self.paint.hint("all phases, with their SQL:")))?;
        }
        for file in &suggestion.files {
            self.inset(&format!("{} {}", self.paint.hint("new file"), shown_path(&file.path)))?;
            for line in shown(&file.text).trim_end().lines() {
                self.inset(&format!("  {}", self.paint.good(line)))?;
            }
        }
        Ok(())
    }

    /// Findings that say the same and need no excerpt.
    fn line(&mut self, migration: &Assessed, alike: &[&Finding]) -> io::Result<()> {
        let [finding, others @ ..] = alike else { return Ok(()) };
        let place = migration.source.place(finding.span.start);
        let more = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
        let at = format!("{}:{}:{}{more}", shown_path(migration.source.path()), place.line, place.column);
        let text = match &finding.allowed {
            Some(allowance) => self.paint.dim(format_args!("allowed[{}] {at}: {}", finding.rule, shown(allowance.reason()))),
            None => {
                let mark = self.paint.severity(finding.severity, format_args!("{}[{}]", finding.severity, finding.rule));
                format!("{mark} {at}: {}", shown(&finding.message))
            }
        };
        writeln!(self.out, "{text}")
    }

    /// `  why: ...`, wrapped.
    fn paragraph(&mut self, title: &str, text: &str) -> io::Result<()> {
        let head = format!("{title:>width$}: ", width = INDENT - 2);
        let mut head = self.paint.hint(head);
        for line in wrapped(&shown(text), self.width.saturating_sub(INDENT).max(20)) {
            writeln!(self.out, "{head}{line}")?;
            head = " ".repeat(INDENT);
        }
        Ok(())
    }

    fn inset(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.out, "{:INDENT$}{line}", "")
    }
}

/// What a fix says, whatever the case.
fn words(fix: &Suggestion) -> String {
    let steps = fix.steps.iter().map(|step| format!("\n{} {}", step.phase, step.text));
    std::iter::once(fix.title.clone()).chain(steps).collect()
}

/// Edits of more lines than this are shown by their own text alone.
const MOST_EDITED_LINES: u32 = 12;

/// The lines that the edits touch, as they would read.
fn edited(source: &SourceFile, edits: &[Edit]) -> String {
    let text = source.shown();
    let first = edits.iter().map(|edit| edit.span.start).min().unwrap_or_default();
    let last = edits.iter().map(|edit| edit.span.end).max().unwrap_or_default();
    let (from, to) = (source.text_place(first).line, source.text_place(last).line);
    let lines = Span::new(source.line(from).start, source.line(to).end);
    if to - from >= MOST_EDITED_LINES || lines.len() > 2_000 {
        return edits.iter().map(|edit| shown(edit.text.trim())).collect::<Vec<_>>().join("\n");
    }
    let mut sorted: Vec<_> = edits.iter().collect();
    sorted.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut result = String::new();
    let mut at = lines.start as usize;
    for edit in sorted {
        let Some(kept) = text.get(at..edit.span.start as usize) else { continue };
        result.push_str(kept);
        result.push_str(&shown(&edit.text));
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
