//! Changes of files as a unified diff: one that `git apply` and `patch -p1` take, and pieces of it for readers.

use crate::lint::finding::Edit;
use crate::lint::fix::{FixedFile, edited};
use crate::report::Paint;
use crate::text::{SourceFile, Span, shown};
use similar::{ChangeTag, TextDiff};
use std::borrow::Cow;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

/// Lines before and behind a change.
const CONTEXT: usize = 3;

/// Writes all changes. Paths are those from the current directory; the header has no `diff --git`, so that git takes them for such.
///
/// # Errors
/// What the operating system says of the writer.
pub fn write(files: &[FixedFile], out: &mut impl Write) -> io::Result<()> {
    for file in files {
        let path = from_here(&file.path);
        let (old, new) = (named("a", &path), named("b", &path));
        match &file.old {
            Some(_) => writeln!(out, "--- {old}\n+++ {new}")?,
            None => writeln!(out, "--- /dev/null\n+++ {new}")?,
        }
        hunks(file.old.as_deref().unwrap_or_default(), &file.new, out)?;
    }
    Ok(())
}

/// The lines in which two texts differ, as edits of the first, by place.
pub fn edits(old: &str, new: &str) -> Vec<Edit> {
    let diff = TextDiff::from_lines(old, new);
    let mut edits: Vec<Edit> = Vec::new();
    let mut at = 0;
    for change in diff.iter_all_changes().filter(|change| !change.value().is_empty()) {
        let end = at + change.value().len() as u32;
        let (span, text) = match change.tag() {
            ChangeTag::Equal => {
                at = end;
                continue;
            }
            ChangeTag::Delete => (Span::new(at, end), ""),
            ChangeTag::Insert => (Span::new(at, at), change.value()),
        };
        match edits.last_mut().filter(|last| last.span.end == span.start) {
            Some(last) => {
                last.span = last.span.to(span);
                last.text += text;
            }
            None => edits.push(Edit { span, text: text.to_owned() }),
        }
        at = span.end;
    }
    edits
}

/// The hunks of a change, byte for byte.
fn hunks(old: &[u8], new: &[u8], out: &mut impl Write) -> io::Result<()> {
    let diff = TextDiff::configure().diff_lines(old, new);
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        writeln!(out, "{}", hunk.header())?;
        for change in hunk.iter_changes() {
            let sign = match change.tag() {
                ChangeTag::Equal => b' ',
                ChangeTag::Delete => b'-',
                ChangeTag::Insert => b'+',
            };
            out.write_all(&[sign])?;
            out.write_all(change.value())?;
            if !change.value().ends_with(b"\n") {
                out.write_all(b"\n\\ No newline at end of file\n")?;
            }
        }
    }
    Ok(())
}

/// `a/path`, as git writes it: in quotes if it has signs that would end it.
fn named(side: &str, path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    let is_plain = |c: char| !c.is_control() && c != '"';
    match (text.chars().all(is_plain), text.contains(' ')) {
        (true, false) => format!("{side}/{text}"),
        // What stands behind a tab is no part of the name.
        (true, true) => format!("{side}/{text}\t"),
        (false, _) => {
            let quoted: String = text.chars().map(escaped).collect();
            format!("\"{side}/{quoted}\"")
        }
    }
}

fn escaped(c: char) -> Cow<'static, str> {
    match c {
        '"' => "\\\"".into(),
        '\n' => "\\n".into(),
        '\t' => "\\t".into(),
        c if c.is_control() => format!("\\{:03o}", c as u32).into(),
        c => c.to_string().into(),
    }
}

/// A path from the current directory, if it lies below.
fn from_here(path: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    let path = path.strip_prefix(&here).unwrap_or(path);
    path.components().filter(|component| !matches!(component, Component::CurDir)).collect()
}

/// Lines further apart than this are shown as they would read.
const LONGEST: u32 = 20_000;

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Stays,
    Goes,
    Comes,
}

/// What edits change, line by line, as a terminal shows it; `None` if that would be too long.
pub(super) fn of_edits(source: &SourceFile, edits: &[Edit], paint: Paint) -> Option<Vec<String>> {
    let line = |(change, text): (Change, String)| match change {
        Change::Stays => format!("  {text}").trim_end().to_owned(),
        Change::Goes => paint.bad(format!("- {text}")),
        Change::Comes => paint.good(format!("+ {text}")),
    };
    Some(changes(source, edits)?.into_iter().map(line).collect())
}

/// What edits change, line by line, as a reader sees it; `None` if that would be too long.
pub(super) fn changes(source: &SourceFile, edits: &[Edit]) -> Option<Vec<(Change, String)>> {
    let first = edits.iter().map(|edit| edit.span.start).min()?;
    let last = edits.iter().map(|edit| edit.span.end).max()?;
    let from = source.line(source.text_place(first).line.saturating_sub(1).max(1)).start;
    let to = source.line(source.text_place(last).line + 1).end;
    if to - from > LONGEST {
        return None;
    }
    let inside = |edit: &Edit| Edit { span: Span::new(edit.span.start - from, edit.span.end - from), text: edit.text.clone() };
    let edits: Vec<_> = edits.iter().map(inside).collect();
    // What is hidden stays so: it has as many bytes as it shows.
    let old = source.shown().get(Span::new(from, to).range())?;
    let new = String::from_utf8(edited(old.as_bytes(), &edits.iter().collect::<Vec<_>>())).ok()?;
    let diff = TextDiff::from_lines(old, new.as_str());
    let line = |change: similar::Change<&str>| {
        let text = shown(change.value().trim_end_matches(['\n', '\r'])).into_owned();
        match change.tag() {
            ChangeTag::Equal => (Change::Stays, text),
            ChangeTag::Delete => (Change::Goes, text),
            ChangeTag::Insert => (Change::Comes, text),
        }
    };
    Some(diff.iter_all_changes().map(line).collect())
}
