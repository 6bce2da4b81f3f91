//! Constraints of tables, wherever they are written.

use super::{IndexKey, Options};
use crate::model::expression::Expression;
use crate::model::name::{Ident, Name};

/// A constraint and the table that gets it.
#[derive(Clone, Debug, PartialEq)]
pub struct AddConstraint {
    /// The table, as written.
    pub table: Name,
    /// ALTER TABLE ONLY.
    pub only: bool,
    /// As written; `None` lets the server choose.
    pub name: Option<Ident>,
    /// What it demands.
    pub kind: ConstraintKind,
    /// Where it was written.
    pub written: Written,
    /// NOT VALID: rows that exist are not looked at until VALIDATE CONSTRAINT.
    pub not_valid: bool,
    /// False for NOT ENFORCED (18).
    pub enforced: bool,
    /// DEFERRABLE, also through INITIALLY DEFERRED.
    pub deferrable: bool,
    /// INITIALLY DEFERRED: checked at COMMIT unless SET CONSTRAINTS says otherwise.
    pub deferred: bool,
    /// NO INHERIT: tables that inherit do not get it.
    pub no_inherit: bool,
}

/// The place of a constraint in its statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// In CREATE TABLE, in a column or beside it.
    CreateTable,
    /// In ALTER TABLE ADD COLUMN.
    AddColumn,
    /// ALTER TABLE ADD CONSTRAINT.
    AddConstraint,
}

/// What a constraint demands of the rows.
#[derive(Clone, Debug, PartialEq)]
pub enum ConstraintKind {
    /// CHECK.
    Check {
        /// The condition, which must not be false.
        expression: Expression,
    },
    /// NOT NULL as a table constraint (18), or ADD CONSTRAINT name NOT NULL column.
    NotNull {
        /// The column.
        column: Ident,
    },
    /// UNIQUE.
    Unique(Key),
    /// PRIMARY KEY.
    PrimaryKey(Key),
    /// EXCLUDE.
    Exclude {
        /// USING; `None` is `btree`.
        method: Option<Ident>,
        /// Its elements in order.
        keys: Vec<IndexKey>,
        /// The operator behind WITH of each element, as written (`&&`, `OPERATOR(pg_catalog.=)`).
        operators: Vec<Box<str>>,
        /// The keys that are plain columns.
        columns: Vec<Ident>,
        /// INCLUDE.
        include: Vec<Ident>,
        /// WITH (...) and USING INDEX TABLESPACE.
        parameters: IndexParameters,
        /// WHERE: only these rows are compared.
        predicate: Option<Expression>,
    },
    /// FOREIGN KEY, REFERENCES.
    ForeignKey(ForeignKey),
}

/// What is said of the index behind a constraint.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IndexParameters {
    /// WITH (...).
    pub options: Options,
    /// USING INDEX TABLESPACE.
    pub tablespace: Option<Ident>,
}

/// UNIQUE and PRIMARY KEY.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// Its columns in order; empty with USING INDEX, whose index tells them.
    pub columns: Vec<Ident>,
    /// INCLUDE: columns of the index that are not part of the key.
    pub include: Vec<Ident>,
    /// USING INDEX: the index that exists and becomes the constraint's own.
    pub using_index: Option<Ident>,
    /// NULLS NOT DISTINCT (15).
    pub nulls_not_distinct: bool,
    /// WITHOUT OVERLAPS of the last column (18).
    pub without_overlaps: bool,
    /// WITH (...) and USING INDEX TABLESPACE.
    pub parameters: IndexParameters,
}

/// FOREIGN KEY, in a column or beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct ForeignKey {
    /// The columns that refer, in order.
    pub columns: Vec<Ident>,
    /// The table that is referred to, as written.
    pub referenced: Name,
    /// Columns of that table, in order; empty means its primary key.
    pub referenced_columns: Vec<Ident>,
    /// `cascade`, `restrict`, `set null`, `set default`, `no action`; `None` if nothing was written, which means `no action`.
    pub on_delete: Option<Box<str>>,
    /// The columns behind ON DELETE SET NULL or SET DEFAULT (15); empty means all of the key's.
    pub on_delete_columns: Vec<Ident>,
    /// The same words for ON UPDATE.
    pub on_update: Option<Box<str>>,
    /// MATCH FULL: all of its columns are null or none is.
    pub match_full: bool,
    /// PERIOD before the last column on both sides (18).
    pub period: bool,
}
