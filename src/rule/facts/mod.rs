//! The table of facts: what a rule may ask, by topic. One row each, with one small function that reads the moment.

mod column;
mod constraint;
mod data;
mod drift;
mod default;
mod definition;
mod effect;
mod elsewhere;
mod file;
mod hygiene;
mod naming;
mod foreign_key;
mod index;
mod key;
mod loss;
mod needed;
mod object;
mod order;
mod partition;
mod privilege;
mod release;
mod remade;
mod remark;
mod restate;
mod retype;
mod routine;
mod row_security;
mod rows;
mod session;
mod pending;
mod statement;
mod storage;
mod table;
mod types;
mod transaction;
mod undo;
mod version;
mod view;

use super::moment::Moment;
use crate::model::kind::OpKind;
pub(super) use foreign_key::definition as key_definition;
pub use hygiene::{Parting, partings};
use std::borrow::Cow;
use std::fmt;
pub use undo::undo_of;

/// Something that rules may ask and show.
#[derive(Debug)]
pub struct Fact {
    /// As rule files write it: `{name}` shows it.
    pub name: &'static str,
    /// What it may be.
    pub kind: Kind,
    /// The operations that have it. Two rows may share a name if they share no operation.
    pub of: &'static [OpKind],
    /// One line for `lockkeeper rules --facts` and the manual.
    pub doc: &'static str,
    /// Its value at a moment.
    pub read: for<'a> fn(&Moment<'a>) -> Value<'a>,
}

/// What a fact may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Bool,
    /// One of these words. A fact that also has a name ([`Value::Named`]) is matched by the word and shown by the name.
    Words(&'static [&'static str]),
    /// A whole number.
    Number,
    /// Any text: a name, a type, a piece of the statement.
    Text,
}

/// What a fact is at one moment.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// The history or the statement does not tell. Never silences a warning or an error.
    Unknown,
    /// Of [`Kind::Bool`].
    Bool(bool),
    /// Of [`Kind::Words`].
    Word(&'static str),
    /// Of [`Kind::Words`], for a thing that has a name of its own: `{ table: existing }` matches the word, `{table}` shows the name.
    Named(&'static str, Cow<'a, str>),
    /// Of [`Kind::Number`].
    Number(i64),
    /// Of [`Kind::Text`]. Names are written as SQL needs them: quoted if they have to be.
    Text(Cow<'a, str>),
}

/// What stands between two names where a fact shows several: each has its own quotes in a message.
pub const BETWEEN_NAMES: &str = "`, `";

/// The facts, topic by topic.
const TOPICS: &[&[Fact]] = &[
    table::FACTS,
    column::FACTS,
    retype::FACTS,
    default::FACTS,
    definition::FACTS,
    constraint::FACTS,
    restate::FACTS,
    foreign_key::FACTS,
    key::FACTS,
    index::FACTS,
    object::FACTS,
    needed::FACTS,
    loss::FACTS,
    remade::FACTS,
    elsewhere::FACTS,
    order::FACTS,
    release::FACTS,
    privilege::FACTS,
    row_security::FACTS,
    partition::FACTS,
    storage::FACTS,
    types::FACTS,
    routine::FACTS,
    data::FACTS,
    rows::FACTS,
    effect::FACTS,
    session::FACTS,
    statement::FACTS,
    transaction::FACTS,
    version::FACTS,
    view::FACTS,
    file::FACTS,
    hygiene::FACTS,
    undo::FACTS,
    naming::FACTS,
    drift::FACTS,
    remark::FACTS,
];

/// All facts, topic by topic.
pub fn all() -> impl Iterator<Item = &'static Fact> {
    TOPICS.iter().copied().flatten()
}

/// The fact of this name that an operation has.
pub fn find(name: &str, of: OpKind) -> Option<&'static Fact> {
    all().find(|fact| fact.name == name && fact.of.contains(&of))
}

/// The facts that an operation has.
pub fn of(op: OpKind) -> impl Iterator<Item = &'static Fact> {
    all().filter(move |fact| fact.of.contains(&op))
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("unknown"),
            Self::Bool(value) => value.fmt(f),
            Self::Word(word) => f.write_str(word),
            Self::Named(word, name) => write!(f, "{word} ({name})"),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => write!(f, "`{text}`"),
        }
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Number(value)
    }
}

impl From<usize> for Value<'_> {
    fn from(value: usize) -> Self {
        Self::Number(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value.into())
    }
}

impl From<String> for Value<'_> {
    fn from(value: String) -> Self {
        Self::Text(value.into())
    }
}

impl<'a, T: Into<Self>> From<Option<T>> for Value<'a> {
    /// What is not there is unknown.
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Unknown, Into::into)
    }
}
