//! INSERT, UPDATE and DELETE.

use crate::model::expression::Expression;
use crate::model::name::{Ident, Name};

/// INSERT.
#[derive(Clone, Debug, PartialEq)]
pub struct Insert {
    /// The table, as written.
    pub table: Name,
    /// Column list; empty if none was written.
    pub columns: Vec<Ident>,
    /// Where the rows come from.
    pub source: InsertSource,
    /// ON CONFLICT.
    pub on_conflict: bool,
    /// Relations that its query and subqueries read, each once.
    pub reads: Vec<Name>,
    /// Functions called anywhere in it, each once.
    pub calls: Vec<Name>,
    /// String literals among the values, at most 256 of them: an enum value may be one.
    pub literals: Vec<Box<str>>,
}

/// Where the rows of INSERT come from.
#[derive(Clone, Debug, PartialEq)]
pub enum InsertSource {
    /// VALUES.
    Values {
        /// How many rows are written out.
        rows: u32,
        /// The values of the first row, in order: a whole number that is written out, or `None` for anything else.
        numbers: Vec<Option<u64>>,
    },
    /// A query.
    Query {
        /// LIMIT or FETCH FIRST bounds it.
        limited: bool,
        /// The WHERE of each of its branches; empty if one of them has none.
        filters: Vec<Expression>,
    },
    /// DEFAULT VALUES: one row.
    DefaultValues,
}

/// UPDATE.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// The table, as written.
    pub table: Name,
    /// ONLY: rows of tables that inherit from it are left alone.
    pub only: bool,
    /// Columns that are set.
    pub columns: Vec<Ident>,
    /// `None`: no WHERE.
    pub filter: Option<Expression>,
    /// WHERE CURRENT OF.
    pub current_of: bool,
    /// Relations behind FROM and in subqueries, each once.
    pub reads: Vec<Name>,
    /// Functions called anywhere in it, each once.
    pub calls: Vec<Name>,
    /// String literals that are assigned, at most 256.
    pub literals: Vec<Box<str>>,
}

/// DELETE.
#[derive(Clone, Debug, PartialEq)]
pub struct Delete {
    /// The table, as written.
    pub table: Name,
    /// ONLY: rows of tables that inherit from it are left alone.
    pub only: bool,
    /// `None`: no WHERE.
    pub filter: Option<Expression>,
    /// WHERE CURRENT OF.
    pub current_of: bool,
    /// Relations behind USING and in subqueries, each once.
    pub reads: Vec<Name>,
    /// Functions called anywhere in it, each once.
    pub calls: Vec<Name>,
}
