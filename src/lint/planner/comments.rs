//! The comments that go along with a statement which stays as it is.

use crate::sql::Script;
use crate::text::{SourceFile, Span};

/// Words by which a comment speaks to a runner, which has lines of its own in the new file.
const TO_RUNNERS: [&str; 3] = ["+goose", "migrate:", "no-transaction"];

/// The comments between the statement with this index and the one before it, each on a line of its own, and allowances among them.
pub(super) fn above(source: &SourceFile, script: &Script, at: usize) -> String {
    let statement = script.statements[at].span;
    let from = at.checked_sub(1).map_or(0, |before| script.statements[before].span.end);
    let between = script.comments.iter().filter(|comment| comment.start >= from && comment.end <= statement.start);
    between.filter(|comment| stays(source, **comment)).map(|comment| format!("{}\n", source.text(*comment).trim_end())).collect()
}

fn stays(source: &SourceFile, comment: Span) -> bool {
    let text = source.text(comment);
    let to_lockkeeper = text.split_once("lockkeeper:").map(|(_, words)| words.trim_start());
    to_lockkeeper.is_none_or(|words| words.starts_with("allow ")) && !TO_RUNNERS.iter().any(|word| text.contains(word))
}
