//! CREATE INDEX, REINDEX.

use crate::model::expression::Expression;
use crate::model::name::{Ident, Name};
use crate::model::types::Collation;
use crate::text::Span;

/// CREATE INDEX.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateIndex {
    /// As written; `None` lets the server choose.
    pub name: Option<Ident>,
    /// The table or materialized view, as written; its schema is the index's too.
    pub table: Name,
    /// UNIQUE.
    pub unique: bool,
    /// CONCURRENTLY: writes go on while it is built.
    pub concurrently: bool,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
    /// ON ONLY: partitions get no index of their own, and that of the parent stays invalid until each is attached.
    pub only: bool,
    /// `btree` if nothing is said.
    pub method: Ident,
    /// Its columns and expressions in order, INCLUDE aside.
    pub keys: Vec<IndexKey>,
    /// INCLUDE: columns that are stored and not searched.
    pub include: Vec<Ident>,
    /// WHERE: only these rows are in the index.
    pub predicate: Option<Expression>,
    /// NULLS NOT DISTINCT (15).
    pub nulls_not_distinct: bool,
    /// WITH (...): storage parameters.
    pub options: Options,
    /// TABLESPACE; `None` lets `default_tablespace` decide.
    pub tablespace: Option<Ident>,
    /// The INDEX keyword: where CONCURRENTLY would follow.
    pub keyword: Span,
}

/// Parameters, names folded, values as written; `None` for a name alone, which means `true`.
pub type Options = Vec<(Box<str>, Option<Box<str>>)>;

/// One column or expression of an index.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexKey {
    /// What is indexed.
    pub what: IndexKeyKind,
    /// As written, without its parameters; `None` is the default of the type.
    pub operator_class: Option<Name>,
    /// The parameters of the operator class (13).
    pub operator_class_options: Options,
    /// COLLATE; `None` takes the collation of the column or expression.
    pub collation: Option<Collation>,
    /// DESC.
    pub descending: bool,
    /// NULLS FIRST, which is what DESC means if nothing is said.
    pub nulls_first: bool,
}

/// What one key of an index is made of.
#[derive(Clone, Debug, PartialEq)]
pub enum IndexKeyKind {
    /// A column's value.
    Column(Ident),
    /// The value of an expression, computed for each row.
    Expression(Expression),
}

/// REINDEX.
#[derive(Clone, Debug, PartialEq)]
pub struct Reindex {
    /// Which indexes are built anew.
    pub scope: ReindexScope,
    /// What the scope names, as written; `None` for the current database, where the name may be left out (16).
    pub name: Option<Name>,
    /// CONCURRENTLY (12), as a word or as an option.
    pub concurrently: bool,
}

/// Which indexes REINDEX builds anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReindexScope {
    /// One index, or the indexes of its partitions.
    Index,
    /// All of a table, its TOAST table included.
    Table,
    /// All of the tables of a schema.
    Schema,
    /// All of the database, those of system catalogs not included since 16.
    Database,
    /// Those of the system catalogs.
    System,
}
