//! Text with `{fact}` in it, for messages and for SQL.

use super::facts::{self, Value};
use super::matcher;
use super::moment::Moment;
use super::node::{Fault, Node};
use crate::model::kind::OpKind;
use std::sync::Arc;

/// Text with `{fact}` in it. Braces around anything but a lower-case word are text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(Arc<str>),
    Fact(String),
}

/// What is shown where a fact is not known.
const UNKNOWN: &str = "…";

impl Template {
    /// Reads a template that may show the facts which all of `ops` have.
    ///
    /// # Errors
    /// It shows something that one of them has not.
    pub fn read(node: &Node, ops: &[OpKind]) -> Result<Self, Fault> {
        let template = Self::split(node.text()?.trim_end());
        for name in template.facts() {
            if let Some(op) = ops.iter().find(|op| facts::find(name, **op).is_none()) {
                let written = format!("{{{name}}}");
                return Err(matcher::unknown(node, name, *op, &format!("no `{written}` to show")).about(written));
            }
        }
        Ok(template)
    }

    /// The facts that it shows.
    pub fn facts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Fact(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The text at a moment.
    pub fn words(&self, moment: &Moment<'_>) -> String {
        self.parts.iter().map(|part| shown(part, moment)).collect()
    }

    /// The text at a moment, shared with all other moments if it shows no fact.
    pub fn shared_words(&self, moment: &Moment<'_>) -> Arc<str> {
        match &self.parts[..] {
            [Part::Text(text)] => Arc::clone(text),
            _ => self.words(moment).into(),
        }
    }

    /// The SQL at a moment: a name that stands beside other letters becomes one name with them, quotes included.
    pub fn sql(&self, moment: &Moment<'_>) -> String {
        self.parts.iter().fold(String::new(), |sql, part| join(sql, &shown(part, moment)))
    }

    /// A fact in it that is not known at a moment.
    pub fn unknown(&self, moment: &Moment<'_>) -> Option<&str> {
        self.facts().find(|name| facts::find(name, moment.kind()).is_none_or(|fact| (fact.read)(moment) == Value::Unknown))
    }

    /// As the rule file writes it.
    pub fn written(&self) -> String {
        let written = |part: &Part| match part {
            Part::Text(text) => text.to_string(),
            Part::Fact(name) => format!("{{{name}}}"),
        };
        self.parts.iter().map(written).collect()
    }

    fn split(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut rest = text;
        let mut from = 0;
        while let Some(open) = rest[from..].find('{').map(|at| from + at) {
            let word = rest[open + 1..].split('}').next().unwrap_or_default();
            let closed = rest[open + 1 + word.len()..].starts_with('}');
            if closed && !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
                parts.push(Part::Text(rest[..open].into()));
                parts.push(Part::Fact(word.to_owned()));
                rest = &rest[open + word.len() + 2..];
                from = 0;
            } else {
                from = open + 1;
            }
        }
        parts.push(Part::Text(rest.into()));
        parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        Self { parts }
    }
}

fn shown(part: &Part, moment: &Moment<'_>) -> String {
    let name = match part {
        Part::Text(text) => return text.to_string(),
        Part::Fact(name) => name,
    };
    match facts::find(name, moment.kind()).map(|fact| (fact.read)(moment)) {
        None | Some(Value::Unknown) => UNKNOWN.to_owned(),
        Some(Value::Bool(value)) => value.to_string(),
        Some(Value::Word(word)) => word.to_owned(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Named(_, name) | Value::Text(name)) => name.into_owned(),
    }
}

/// Puts two pieces of SQL together. `"Note"` and `_is_set` give `"Note_is_set"`.
fn join(mut left: String, right: &str) -> String {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    match (left.chars().last(), right.chars().next()) {
        (Some('"'), Some('"')) => {
            left.pop();
            left + &right[1..]
        }
        (Some('"'), Some(next)) if part_of_name(next) => {
            let (tail, rest) = right.split_at(right.find(|c| !part_of_name(c)).unwrap_or(right.len()));
            left.pop();
            left + tail + "\"" + rest
        }
        (Some(last), Some('"')) if part_of_name(last) => {
            let start = left.rfind(|c| !part_of_name(c)).map_or(0, |at| at + left[at..].chars().next().map_or(1, char::len_utf8));
            left.insert(start, '"');
            left + &right[1..]
        }
        _ => left + right,
    }
}

#[cfg(test)]
mod tests {
    use super::{Template, join};

    #[test]
    fn braces_around_anything_but_a_word_are_text() {
        let template = Template::split("`{table}.{column}` is '{1,2}' or {} or { x }");
        assert_eq!(template.facts().collect::<Vec<_>>(), ["table", "column"]);
        assert_eq!(template.written(), "`{table}.{column}` is '{1,2}' or {} or { x }");
    }

    #[test]
    fn a_quoted_name_swallows_the_letters_beside_it() {
        assert_eq!(join("\"Note\"".into(), "_is_set CHECK"), "\"Note_is_set\" CHECK");
        assert_eq!(join("ADD mirror_".into(), "\"Note\""), "ADD \"mirror_Note\"");
        assert_eq!(join("DROP ".into(), "\"Note\""), "DROP \"Note\"");
        assert_eq!(join("note".into(), "_is_set"), "note_is_set");
    }
}
