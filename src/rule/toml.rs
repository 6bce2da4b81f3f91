//! TOML as a tree of [`Node`]s, so that what reads YAML reads it too. The one file that knows which library does it.

use super::node::{Fault, Node, What};
use crate::problem::Problem;
use crate::text::{SourceFile, Span};
use std::ops::Range;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Reads a TOML file into `T`. `code` is the id that its problems carry.
///
/// # Errors
/// The first thing that is no TOML, or that `reader` did not accept, at its place.
pub fn read<T>(source: &Arc<SourceFile>, code: &'static str, reader: impl FnOnce(&Node) -> Result<T, Fault>) -> Result<T, Problem> {
    let text = std::str::from_utf8(source.bytes()).map_err(|error| {
        let at = error.valid_up_to() as u32;
        Problem::new(code, "this is no UTF-8").at(source, Span::new(at, at + 1), "here")
    })?;
    let table = DeTable::parse(text).map_err(|error| {
        let place = error.span().map_or(Span::new(0, 0), |range| span(&range));
        Problem::new(code, error.message()).at(source, place, "here")
    })?;
    let mut places = Vec::new();
    let root = node(&mut places, table.span(), |places| entries(table.get_ref(), places));
    reader(&root).map_err(|fault| {
        let problem = Problem::new(code, &fault.message).at(source, places[fault.node()], "here");
        match fault.help {
            Some(help) => problem.help(help),
            None => problem,
        }
    })
}

fn span(range: &Range<usize>) -> Span {
    Span::new(range.start as u32, range.end as u32)
}

/// Numbers a node before those in it, and keeps its place under that number.
fn node(places: &mut Vec<Span>, at: Range<usize>, what: impl FnOnce(&mut Vec<Span>) -> What) -> Node {
    let id = places.len() as u32;
    places.push(span(&at));
    Node::numbered(what(places), id)
}

/// A table. How deep they may stand in each other the library bounds.
fn entries(table: &DeTable<'_>, places: &mut Vec<Span>) -> What {
    let mut entries: Vec<_> = table.iter().collect();
    // The library keeps them by name; a report goes through them as they stand.
    entries.sort_by_key(|(key, _)| key.span().start);
    let read = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let name: &std::borrow::Cow<'_, str> = key.get_ref();
        let key = node(places, key.span(), |_| What::Text(name.to_string()));
        (key, node(places, value.span(), |places| self::value(value.get_ref(), places)))
    };
    What::Map(entries.into_iter().map(read).collect())
}

fn value(value: &DeValue<'_>, places: &mut Vec<Span>) -> What {
    match value {
        DeValue::String(text) => What::Text(text.to_string()),
        DeValue::Boolean(truth) => What::Bool(*truth),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or_else(|_| What::Text(number.as_str().to_owned()), What::Number)
        }
        DeValue::Float(number) => number.as_str().parse().map_or_else(|_| What::Text(number.as_str().to_owned()), What::Float),
        DeValue::Datetime(time) => What::Text(time.to_string()),
        DeValue::Array(items) => {
            What::List(items.iter().map(|item| node(places, item.span(), |places| self::value(item.get_ref(), places))).collect())
        }
        DeValue::Table(table) => entries(table, places),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;

    fn fault(text: &str) -> String {
        let source = SourceFile::new(".squawk.toml", text);
        let numbers = |node: &Node| {
            node.fields(&["numbers", "more"])?.need("numbers")?.list()?.iter().map(Node::number).collect::<Result<Vec<_>, _>>()
        };
        match read(&source, "init::theirs", numbers) {
            Ok(numbers) => format!("{numbers:?}"),
            Err(problem) => format!("{} <- {}", problem.message, source.text(problem.labels[0].0)),
        }
    }

    #[test]
    fn values_and_their_places_are_read() {
        assert_snapshot!(fault("numbers = [1, 0x10]\n"), @"[1, 16]");
        assert_snapshot!(fault("numbers = [1, 'two']\n"), @"text stands where a whole number is expected <- 'two'");
        assert_snapshot!(fault("more = 1\n[numbers]\na = 1\n"), @"a mapping stands where a list is expected <- [numbers]");
        assert_snapshot!(fault("nmubers = []\n"), @"there is no key `nmubers` here, did you mean `numbers`? <- nmubers");
    }

    #[test]
    fn what_is_no_toml_is_shown_at_its_place() {
        assert!(fault("numbers = [1,\n[more]\n").contains(" <- "));
        assert!(fault("numbers = [1]\nnumbers = [2]\n").contains("duplicate key"));
    }
}
