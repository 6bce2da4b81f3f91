//! What lockkeeper saw in a file, for people: facts, effects, and which test kept a rule silent.

use super::Paint;
use crate::lint::finding::Report;
use crate::lint::show::{Asked, Seen};
use crate::model::effects::Effects;
use crate::model::kind::OpKind;
use crate::model::name::QualifiedName;
use crate::rule::matcher::Tested;
use crate::text::{SourceFile, Span};
use std::io::{self, Write};

/// Writes each subject of the files of a report, in the order in which they were judged.
///
/// # Errors
/// What the operating system says of the writer.
pub fn write(report: &Report, seen: &[Seen], colour: bool, out: &mut impl Write) -> io::Result<()> {
    let paint = Paint::new(colour);
    for migration in &report.migrations {
        for subject in seen.iter().filter(|subject| subject.path == migration.source.path()) {
            head(&migration.source, subject, paint, out)?;
            effects(&subject.effects, out)?;
            for (at, (fact, value)) in subject.facts.iter().enumerate() {
                writeln!(out, "    {:<8}{fact} = {value}", if at == 0 { "facts" } else { "" })?;
            }
            for (at, asked) in subject.rules.iter().enumerate() {
                let (verdict, why) = verdict(asked);
                let verdict = if asked.speaks { paint.bold(verdict) } else { paint.dim(verdict) };
                writeln!(out, "    {:<8}{} {verdict}{why}", if at == 0 { "rules" } else { "" }, asked.rule)?;
            }
        }
    }
    Ok(())
}

/// A statement begins with its place and its text in one line, an operation with its word.
fn head(source: &SourceFile, subject: &Seen, paint: Paint, out: &mut impl Write) -> io::Result<()> {
    let place = source.place(subject.span.start);
    let place = format!("{}:{}:{}", source.path().display(), place.line, place.column);
    match subject.kind {
        OpKind::Statement => {
            let how = match subject.in_body {
                None => "",
                Some(false) => "in its body: ",
                Some(true) => "in its body, may not run: ",
            };
            writeln!(out, "\n{}  {}{}", paint.bold(place), paint.dim(how), one_line(source, subject.span))
        }
        OpKind::Migration => writeln!(out, "{}", paint.bold(source.path().display())),
        kind => writeln!(out, "  {}  {}", paint.hint(kind), paint.dim(place)),
    }
}

/// At most so many characters of a statement are shown.
const LONGEST: usize = 120;

/// The beginning of a span's text, without its line breaks.
pub(super) fn one_line(source: &SourceFile, span: Span) -> String {
    let shown = Span::new(span.start, span.end.min(span.start.saturating_add(4 * LONGEST as u32)));
    let text =
        if source.hides_something() { String::from_utf8_lossy(&source.shown().as_bytes()[shown.range()]) } else { source.text(shown) };
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text,
    }
}

fn effects(effects: &Effects, out: &mut impl Write) -> io::Result<()> {
    let locks: Vec<_> = effects.locks.iter().map(|lock| format!("{} on {}", lock.mode, lock.relation)).collect();
    let names = |names: &[QualifiedName]| names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let parts = [
        ("locks", locks.join(", ")),
        ("rewrites", names(&effects.rewrites)),
        ("scans", names(&effects.scans)),
        ("builds", names(&effects.builds)),
        ("rebuilds", names(&effects.rebuilds)),
        ("assumed", effects.assumed.join(", ")),
    ];
    for (at, (what, text)) in parts.iter().filter(|(_, text)| !text.is_empty()).enumerate() {
        writeln!(out, "    {:<8}{what} {text}", if at == 0 { "does" } else { "" })?;
    }
    Ok(())
}

/// Whether a rule speaks, and if not, the test that each of its matches failed.
fn verdict(asked: &Asked) -> (&'static str, String) {
    if asked.speaks {
        return ("speaks", String::new());
    }
    let mut why: Vec<_> = asked.cases.iter().filter_map(|tests| silenced_by(tests)).collect();
    why.dedup();
    ("is silent", if why.is_empty() { String::new() } else { format!(": {}", why.join("; ")) })
}

/// The test of `where` that does not hold, else the group of `unless` that does.
fn silenced_by(tests: &[Tested]) -> Option<String> {
    if let Some(failed) = tests.iter().find(|test| test.unless.is_none() && test.held == Some(false)) {
        return Some(format!("`{}` is not as asked", failed.fact));
    }
    let groups = tests.iter().filter_map(|test| test.unless).max()?;
    let group = |which: usize| tests.iter().filter(move |test| test.unless == Some(which));
    let held = (0..=groups).find(|which| group(*which).all(|test| test.held == Some(true)))?;
    let facts: Vec<_> = group(held).map(|test| format!("`{}`", test.fact)).collect();
    Some(format!("unless {} holds", facts.join(" and ")))
}
