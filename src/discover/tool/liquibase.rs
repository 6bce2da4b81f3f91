//! Formatted SQL of Liquibase: the changesets of a file, and how each of them is run (AbstractFormattedChangeLogParser.java).

use crate::discover::Unit;
use crate::model::session::TransactionMode;
use crate::text::Span;

/// What the comments of a formatted file say.
pub(in crate::discover) struct Changesets {
    /// Each with its transaction.
    pub units: Vec<Unit>,
    /// Whether each of them says how it is undone.
    pub undone: bool,
}

/// Whether the first line says that the file is one.
pub(in crate::discover) fn is_formatted(line: &str) -> bool {
    let mut words = line.trim_start_matches('-').split_whitespace();
    let is = |word: Option<&str>, wanted: &str| word.is_some_and(|word| word.eq_ignore_ascii_case(wanted));
    line.starts_with("--") && is(words.next(), "liquibase") && is(words.next(), "formatted") && is(words.next(), "sql")
}

/// The changesets of a file.
pub(in crate::discover) fn read(bytes: &[u8]) -> Changesets {
    let mut found = Changesets { units: Vec::new(), undone: true };
    let (mut start, mut undone) = (0u32, true);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let end = start + line.len() as u32;
        let text = String::from_utf8_lossy(line);
        let words = text.trim_end();
        if let Some(attributes) = annotation(words, "changeset") {
            if let Some(last) = found.units.last_mut() {
                last.span.end = start;
                found.undone &= undone;
            }
            undone = false;
            found.units.push(Unit { span: Span::new(end, bytes.len() as u32), mode: mode(attributes) });
        } else if annotation(words, "rollback").is_some() || words.to_ascii_lowercase().starts_with("/* liquibase rollback") {
            undone = true;
        }
        start = end;
    }
    found.undone &= undone && !found.units.is_empty();
    found
}

/// What stands behind `--changeset`.
fn annotation<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    let words = line.trim_start().strip_prefix("--")?.trim_start_matches(['-', ' ', '\t']);
    let (word, rest) = words.split_at_checked(name.len())?;
    (word.eq_ignore_ascii_case(name) && rest.starts_with([' ', '\t', ':']) || word.eq_ignore_ascii_case(name) && rest.is_empty())
        .then_some(rest)
}

/// How a changeset with these attributes is run.
fn mode(attributes: &str) -> TransactionMode {
    let says_no = |name: &str| {
        let value = |word: &str| {
            word.split_once(':').is_some_and(|(key, value)| key.eq_ignore_ascii_case(name) && value.eq_ignore_ascii_case("false"))
        };
        attributes.split_whitespace().any(value)
    };
    match (says_no("runInTransaction"), says_no("splitStatements")) {
        (false, _) => TransactionMode::Runner,
        (true, false) => TransactionMode::None,
        (true, true) => TransactionMode::OneMessage,
    }
}

/// What is said of a file whose changesets run so.
pub(in crate::discover) fn of_all(units: &[Unit]) -> TransactionMode {
    match units {
        [one] => one.mode,
        several if several.iter().all(|unit| unit.mode == TransactionMode::Runner) => TransactionMode::Runner,
        _ => TransactionMode::None,
    }
}
