//! Objects of any kind, and DROP of one.

use crate::model::expression::Expression;
use crate::model::name::{Ident, Name};

/// The kinds of object that DROP, RENAME, COMMENT and GRANT name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectKind {
    /// TABLE; partitioned tables and partitions too.
    Table,
    /// FOREIGN TABLE.
    ForeignTable,
    /// INDEX.
    Index,
    /// VIEW.
    View,
    /// MATERIALIZED VIEW.
    MaterializedView,
    /// SEQUENCE.
    Sequence,
    /// COLUMN, of a relation or a composite type.
    Column,
    /// CONSTRAINT, of a table or a domain.
    Constraint,
    /// TRIGGER.
    Trigger,
    /// RULE.
    Rule,
    /// POLICY.
    Policy,
    /// TYPE.
    Type,
    /// DOMAIN.
    Domain,
    /// FUNCTION, and ROUTINE, which may also name a procedure or an aggregate.
    Function,
    /// PROCEDURE.
    Procedure,
    /// AGGREGATE.
    Aggregate,
    /// STATISTICS.
    Statistics,
    /// SCHEMA.
    Schema,
    /// EXTENSION.
    Extension,
    /// DATABASE.
    Database,
    /// TABLESPACE.
    Tablespace,
    /// ROLE, USER, GROUP.
    Role,
    /// PUBLICATION.
    Publication,
    /// SUBSCRIPTION.
    Subscription,
    /// EVENT TRIGGER.
    EventTrigger,
    /// Operators, casts, collations, languages, servers, text search objects ...
    Other,
}

/// DROP of one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Drop {
    /// What kind of object the statement says.
    pub object: ObjectKind,
    /// The object, as written; argument types of routines are not kept.
    pub name: Name,
    /// Of triggers, rules and policies.
    pub table: Option<Name>,
    /// IF EXISTS.
    pub if_exists: bool,
    /// CASCADE: what depends on it goes too.
    pub cascade: bool,
    /// DROP INDEX CONCURRENTLY.
    pub concurrently: bool,
}

/// What a statement does with a table of a publication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publishing {
    /// CREATE ... FOR, and ADD.
    Add,
    /// SET: only what it names is in it from now on.
    Set,
    /// DROP.
    Drop,
}

/// A table of a publication.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// The table, as written.
    pub name: Name,
    /// ONLY.
    pub only: bool,
    /// What is done with it.
    pub how: Publishing,
    /// Its columns that are published (15); empty for all.
    pub columns: Vec<Ident>,
    /// WHERE: only these rows are (15).
    pub filter: Option<Expression>,
}

/// What shares one space of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Realm {
    /// Tables, views, sequences, indexes.
    Relation,
    /// Types and domains.
    Type,
    /// Functions, procedures, aggregates.
    Function,
    /// Schemas.
    Schema,
    /// Extensions.
    Extension,
}

impl ObjectKind {
    /// As SQL calls it, in lower case: `materialized view`; `object` for what has no kind of its own here.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::ForeignTable => "foreign table",
            Self::Index => "index",
            Self::View => "view",
            Self::MaterializedView => "materialized view",
            Self::Sequence => "sequence",
            Self::Type => "type",
            Self::Domain => "domain",
            Self::Function => "function",
            Self::Procedure => "procedure",
            Self::Aggregate => "aggregate",
            Self::Column => "column",
            Self::Constraint => "constraint",
            Self::Trigger => "trigger",
            Self::Rule => "rule",
            Self::Policy => "policy",
            Self::Statistics => "statistics",
            Self::Schema => "schema",
            Self::Extension => "extension",
            Self::Database => "database",
            Self::Tablespace => "tablespace",
            Self::Role => "role",
            Self::Publication => "publication",
            Self::Subscription => "subscription",
            Self::EventTrigger => "event trigger",
            Self::Other => "object",
        }
    }

    /// Where names of objects of a kind live; `None` for parts of a table and for what the model does not follow.
    pub fn realm(self) -> Option<Realm> {
        match self {
            Self::Table | Self::ForeignTable | Self::Index | Self::View | Self::MaterializedView | Self::Sequence => Some(Realm::Relation),
            Self::Type | Self::Domain => Some(Realm::Type),
            Self::Function | Self::Procedure | Self::Aggregate => Some(Realm::Function),
            Self::Schema => Some(Realm::Schema),
            Self::Extension => Some(Realm::Extension),
            Self::Column
            | Self::Constraint
            | Self::Trigger
            | Self::Rule
            | Self::Policy
            | Self::Statistics
            | Self::Database
            | Self::Tablespace
            | Self::Role
            | Self::Publication
            | Self::Subscription
            | Self::EventTrigger
            | Self::Other => None,
        }
    }
}
