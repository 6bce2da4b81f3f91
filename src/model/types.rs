//! Data types, and which change of a column's type rewrites the table, rebuilds indexes, or costs nothing.

use super::name::{Ident, Name};
use std::fmt;

/// A type as a statement names it, spelling variants unified (`int`, `int4` and `integer` are `integer`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TypeName {
    /// The type, by the name `format_type` prints (`character varying`, `timestamp with time zone`); other names as written.
    pub name: Name,
    /// Numbers or words in parentheses: `{10, 2}` of `numeric(10, 2)`.
    pub modifiers: Vec<Box<str>>,
    /// The fields of an interval: `day to second`.
    pub fields: Option<Box<str>>,
    /// Array dimensions; 0 for none.
    pub dimensions: u8,
    /// `serial`, `bigserial`, `smallserial`: an integer whose default comes from a sequence of its own.
    pub serial: bool,
}

/// What a change of a column's type costs, indexes with expressions or predicates aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conversion {
    /// Only the catalog changes.
    Free,
    /// The table stays, indexes on the column are built anew.
    RebuildsIndexes,
    /// Table and all indexes are written anew.
    Rewrites,
    /// One of the types is not known well enough.
    Unknown,
}

impl fmt::Display for TypeName {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}

/// The collation clause of a column or of a change of type.
pub type Collation = Name;

/// A user-defined type as the history tells it.
#[derive(Clone, Debug, PartialEq)]
pub enum UserType {
    /// CREATE TYPE ... AS ENUM, labels in order.
    Enum(Vec<Box<str>>),
    /// CREATE DOMAIN.
    Domain {
        /// The type below it.
        base: TypeName,
        /// Whether it has a CHECK or NOT NULL of its own.
        constrained: bool,
    },
    /// CREATE TYPE ... AS (...): attribute names and types.
    Composite(Vec<(Ident, TypeName)>),
    /// CREATE TYPE ... AS RANGE, base types, shells.
    Other,
}
