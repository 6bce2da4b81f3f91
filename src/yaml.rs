//! Reads YAML, and turns its errors into problems that point at their place. The one file that knows which library does it.

use crate::problem::Problem;
use crate::text::{SourceFile, Span};
use serde::de::DeserializeSeed;
use std::sync::Arc;

/// Reads a whole file with `seed`. An error that the seed raises points at the key or value it was raised for; a newline in its text
/// parts the message from the help.
///
/// # Errors
/// The first thing that is wrong, under `code`.
pub fn read<'de, S: DeserializeSeed<'de>>(source: &'de Arc<SourceFile>, code: &'static str, seed: S) -> Result<S::Value, Problem> {
    let text = std::str::from_utf8(source.bytes()).map_err(|error| {
        let at = error.valid_up_to() as u32;
        Problem::new(code, "this is no UTF-8").at(source, Span::new(at, at + 1), "here")
    })?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    seed.deserialize(serde_yaml::Deserializer::from_str(text)).map_err(|error| problem(source, code, &error))
}

fn problem(source: &Arc<SourceFile>, code: &'static str, error: &serde_yaml::Error) -> Problem {
    let text = error.to_string();
    let place = error.location();
    // The library ends its words with the place, which the report shows better.
    let words = place.as_ref().and_then(|place| text.strip_suffix(&format!(" at line {} column {}", place.line(), place.column())));
    let words = words.unwrap_or(&text);
    let (message, help) = words.split_once('\n').unwrap_or((words, ""));
    let mut problem = Problem::new(code, kindly(message));
    if !help.is_empty() {
        problem = problem.help(help);
    }
    match place {
        Some(place) => problem.at(source, token(source, place.line() as u32, place.column() as u32), "here"),
        None => problem.at(source, Span::new(0, 0), ""),
    }
}

/// `expected a text, not a map` for `invalid type: map, expected a text`.
fn kindly(message: &str) -> String {
    let parts = message.split_once("invalid type: ").and_then(|(before, rest)| Some((before, rest.split_once(", expected ")?)));
    match parts {
        Some((before, (found, expected))) => format!("{before}expected {expected}, not {}", found.replace("unit value", "nothing")),
        None => message.to_owned(),
    }
}

/// The word, or the quoted text, that begins at a line and a column.
fn token(source: &SourceFile, line: u32, column: u32) -> Span {
    let line = source.line(line);
    let text = source.text(line);
    // The library never saw a byte order mark.
    let mark = usize::from(text.starts_with('\u{FEFF}'));
    let skipped: usize = text.chars().take(column.saturating_sub(1) as usize + mark).map(char::len_utf8).sum();
    let rest = &text[skipped..];
    let length = match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => rest[1..].find(quote).map_or(rest.len(), |end| end + 2),
        // A colon inside a word (`tuple::x`) does not end it.
        _ => rest.find([' ', ',', '}', ']', '#', '\r']).unwrap_or(rest.len()),
    };
    let word = rest[..length].trim_end_matches(':');
    let start = line.start + skipped as u32;
    Span::new(start, start + (word.len() as u32).max(1))
}
