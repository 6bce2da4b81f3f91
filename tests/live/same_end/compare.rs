//! Holds the end of a fix or a plan against the end of the naive statement.

use super::picture::Picture;
use super::rows::Rows;
use lockkeeper::db::{Connection, Refusal};
use std::collections::{BTreeMap, BTreeSet};

/// A database at its end: its schema, and what is in it.
#[derive(Clone, Debug, Default)]
pub struct End {
    picture: Picture,
    pub rows: Rows,
}

/// What is declared to differ, by name, as `public.orders.note` or the end of that.
#[derive(Clone, Debug, Default)]
pub struct Declared(BTreeSet<String>);

impl Declared {
    /// These things, and what belongs to them.
    pub fn new(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(names.into_iter().map(Into::into).collect())
    }

    /// The names that stand in backquotes in these sentences.
    pub fn in_words<'w>(sentences: impl IntoIterator<Item = &'w String>) -> Self {
        Self(sentences.into_iter().flat_map(|sentence| sentence.split('`').skip(1).step_by(2)).map(str::to_owned).collect())
    }

    /// Whether a thing is one of them: its name stands at the end, behind what kind of thing it is. The arguments of a function are left out.
    pub fn covers(&self, thing: &str) -> bool {
        let thing = match thing.split_once('(') {
            Some((name, _)) if thing.starts_with("function ") || thing.starts_with("privileges on function ") => name,
            _ => thing,
        };
        let is_named =
            |name: &String| thing.strip_suffix(name.as_str()).is_some_and(|before| before.is_empty() || before.ends_with([' ', '.']));
        self.0.iter().any(is_named)
    }
}

impl End {
    /// The same without how far its sequences are: no transaction gives numbers back, and neither does a way back.
    #[must_use]
    pub fn without_numbers(mut self) -> Self {
        self.rows.forget_numbers();
        self
    }

    /// Looks at a database.
    pub async fn look(connection: &mut Connection, declared: &Declared) -> Result<Self, Refusal> {
        Ok(Self { picture: Picture::take(connection).await?, rows: Rows::read(connection, declared).await? })
    }
}

/// Every difference that is not declared, in words. `ours` and `naive` have been looked at with the same things declared.
pub fn compare(naive: &End, ours: &End, declared: &Declared) -> Vec<String> {
    let lines = |end: &End| -> BTreeMap<String, BTreeSet<String>> {
        let mut lines = BTreeMap::<String, BTreeSet<String>>::new();
        for (thing, what) in end.picture.lines().iter().filter(|(thing, _)| !declared.covers(thing)) {
            lines.entry(thing.clone()).or_default().insert(in_one_line(what));
        }
        lines
    };
    let (theirs, own) = (lines(naive), lines(ours));
    let told = |words: &BTreeSet<String>| words.iter().map(String::as_str).collect::<Vec<_>>().join(" / ");
    let mut words = Vec::new();
    for thing in theirs.keys().chain(own.keys()).collect::<BTreeSet<_>>() {
        match (theirs.get(thing), own.get(thing)) {
            (Some(theirs), Some(own)) if theirs == own => {}
            (Some(theirs), Some(own)) => words.push(format!("{thing}: {}, and was to be: {}", told(own), told(theirs))),
            (Some(theirs), None) => words.push(format!("missing: {thing}: {}", told(theirs))),
            (None, Some(own)) => words.push(format!("left over: {thing}: {}", told(own))),
            (None, None) => {}
        }
    }
    words.extend(
        ours.rows.differences(&naive.rows).into_iter().filter(|line| !declared.0.iter().any(|thing| line.contains(thing.as_str()))),
    );
    words
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
