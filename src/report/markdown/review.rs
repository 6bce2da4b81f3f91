//! Review comments with the changes that GitHub applies at a click: a list as the `comments` of its API take it. Only lines that are part of
//! the pull request can have one; which those are, GitHub knows.

use super::escape::{code, fenced_as_is, text};
use crate::lint::finding::{Assessed, Edit, Finding, Report};
use crate::lint::fix::edited;
use crate::report::{Run, whole_edits, worst_first};
use crate::rule::Severity;
use crate::text::{SourceFile, Span, shown};
use serde::Serialize;
use std::io::{self, Write};

/// More lines than this are no suggestion, but a new file.
const MOST_LINES: u32 = 100;

pub(in crate::report) fn write(report: &Report, run: &Run<'_>, out: &mut impl Write) -> io::Result<()> {
    let comments: Vec<_> = worst_first(report).into_iter().filter_map(|(migration, finding)| comment(migration, finding, run)).collect();
    serde_json::to_writer(&mut *out, &comments).map_err(io::Error::from)?;
    writeln!(out)
}

#[derive(Serialize)]
struct Comment {
    path: String,
    side: &'static str,
    line: u32,
    #[serde(flatten)]
    start: Option<Start>,
    body: String,
}

/// The first line, where it is not the last one.
#[derive(Serialize)]
struct Start {
    start_line: u32,
    start_side: &'static str,
}

fn comment(migration: &Assessed, finding: &Finding, run: &Run<'_>) -> Option<Comment> {
    // A remark in a review asks for an answer: what is only good to know does not.
    let suggestion = finding.suggestion.as_ref().filter(|_| finding.severity > Severity::Advice)?;
    let change = Change::of(&migration.source, &whole_edits(finding))?;
    let body = format!(
        "<!-- lockkeeper:{} -->\n**{}** {}: {}\n\nInstead ({}): {}.\n\n{}",
        finding.fingerprint,
        finding.severity,
        code(&finding.rule),
        text(&finding.message),
        suggestion.class,
        text(suggestion.title.trim_end_matches('.')),
        fenced_as_is("suggestion", &change.text)
    );
    let start = (change.first < change.last).then_some(Start { start_line: change.first, start_side: "RIGHT" });
    Some(Comment { path: run.checkout.path(migration.source.path()), side: "RIGHT", line: change.last, start, body })
}

/// Whole lines, and what stands there instead of them.
struct Change {
    first: u32,
    last: u32,
    text: String,
}

impl Change {
    /// What edits make of their lines; nothing where a comment could not show it exactly.
    fn of(source: &SourceFile, edits: &[&Edit]) -> Option<Self> {
        let start = edits.iter().map(|edit| edit.span.start).min()?;
        let end = edits.iter().map(|edit| edit.span.end).max()?;
        let (mut first, mut last) = (source.place(start).line, source.place(end).line);
        let is_behind_all = last > 1 && source.line(last).start as usize == source.bytes().len();
        if is_behind_all {
            // Behind the last line break there is no line: the one before it ends in a line break that stays.
            last -= 1;
            first = first.min(last);
        }
        let lines = Span::new(source.line(first).start, source.line(last).end.max(end));
        let is_exact = source.shown().as_bytes().get(lines.range()) == source.bytes().get(lines.range());
        if !is_exact || last - first >= MOST_LINES {
            return None;
        }
        let inside =
            |edit: &&Edit| Edit { span: Span::new(edit.span.start - lines.start, edit.span.end - lines.start), text: edit.text.clone() };
        let inside: Vec<_> = edits.iter().map(inside).collect();
        let text = String::from_utf8(edited(source.slice(lines), &inside.iter().collect::<Vec<_>>())).ok()?;
        (shown(&text) == text).then(|| Self {
            first,
            last,
            text: text.strip_suffix('\n').filter(|_| is_behind_all).unwrap_or(&text).to_owned(),
        })
    }
}
