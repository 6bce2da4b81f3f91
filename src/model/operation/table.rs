//! CREATE TABLE, CREATE TABLE AS, and how tables are partitioned.

use super::Column;
use crate::model::name::{Ident, Name};
use crate::text::Located;

/// CREATE TABLE, CREATE FOREIGN TABLE.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateTable {
    /// The table, as written.
    pub name: Name,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
    /// UNLOGGED and TEMPORARY.
    pub persistence: Persistence,
    /// CREATE FOREIGN TABLE.
    pub foreign: bool,
    /// The columns that it defines itself, in order; not those of LIKE, INHERITS, OF and PARTITION OF.
    pub columns: Vec<Located<Column>>,
    /// LIKE tables, as written, and what INCLUDING leaves included in the end, in lower case (`all`, `indexes`).
    pub like: Vec<(Name, Vec<Box<str>>)>,
    /// INHERITS, as written; empty if there is none.
    pub inherits: Vec<Name>,
    /// PARTITION OF: the parent, as written, and which of its rows go here.
    pub partition_of: Option<(Name, Bound)>,
    /// PARTITION BY.
    pub partition_by: Option<PartitionKey>,
    /// OF: the composite type, as written, that gives the columns.
    pub of_type: Option<Name>,
    /// WITH (...): storage parameters, names folded, values as written; `None` for a name alone, which means `true`.
    pub options: Vec<(Box<str>, Option<Box<str>>)>,
    /// ON COMMIT DROP.
    pub until_commit: bool,
}

/// PARTITION BY.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionKey {
    /// `range`, `list` or `hash`.
    pub strategy: Box<str>,
    /// Its columns; an expression is `None`.
    pub columns: Vec<Option<Ident>>,
}

/// Where a partition's rows lie.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// DEFAULT: the rows that no other partition takes.
    Default,
    /// FOR VALUES IN, with the constants' texts.
    In(Vec<Box<str>>),
    /// FOR VALUES FROM ... TO, one text for each column of the key; MINVALUE and MAXVALUE are words.
    Range {
        /// The first that belongs to it.
        from: Vec<Box<str>>,
        /// The first that does not.
        to: Vec<Box<str>>,
    },
    /// FOR VALUES WITH (MODULUS, REMAINDER).
    Hash {
        /// MODULUS, as written.
        modulus: Box<str>,
        /// REMAINDER, as written.
        remainder: Box<str>,
    },
    /// No statement tells it: what MERGE PARTITIONS makes, and partitions of an index, which have none.
    Unknown,
}

/// How long a relation lives and whether a crash spares it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Persistence {
    /// Nothing is said, or SET LOGGED: every change is in the write-ahead log.
    #[default]
    Permanent,
    /// UNLOGGED: empty after a crash, and not on standbys.
    Unlogged,
    /// TEMPORARY: seen by its own session alone, and gone with it.
    Temporary,
}

/// CREATE TABLE AS, SELECT INTO.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateTableAs {
    /// The table that is made, as written.
    pub name: Name,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
    /// UNLOGGED and TEMPORARY.
    pub persistence: Persistence,
    /// ON COMMIT DROP.
    pub until_commit: bool,
    /// False for WITH NO DATA: the query is not run.
    pub with_data: bool,
    /// Relations that the query names, each once; empty for EXECUTE of a prepared statement.
    pub reads: Vec<Name>,
    /// Functions that it calls, each once.
    pub calls: Vec<Name>,
}
