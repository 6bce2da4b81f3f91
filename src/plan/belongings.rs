//! What hangs on a column, and what a plan that puts another column in its place does with each thing: carries it over, or says why not.
//!
//! ```text
//! let copy = Replacement { catalog, server, table, written: &target.name, from, to };
//! for belonging in belongings(&copy) {
//!     match belonging.fate {
//!         Fate::Carried(carried) => { /* carried.with_column, .build, .before_drop, .after_drop */ }
//!         Fate::Manual(reason) => { /* a Manual { thing: belonging.thing, what: reason } */ }
//!         Fate::Prevents(reason) => { /* Refusal::Window(reason) */ }
//!     }
//! }
//! ```
//!
//! The statements of all belongings are run in the order of the list, each [`Step`] of `build` in a transaction of its own; those of
//! `before_drop`, `DROP COLUMN from` and those of `after_drop` in one. See [`before_drop`] for their order. What has another name as long as
//! both columns are there is called as before at the end.

mod keys;
mod readers;
mod values;

pub(super) use readers::body_names;

use super::definition::{Definitions, Gap};
use super::names::Names;
use crate::model::catalog::{Catalog, Column, Grant, Relation};
use crate::model::effects::Version;
use crate::model::name::{Ident, Name, QualifiedName};

/// A column that another one is to take the place of.
#[derive(Clone, Copy, Debug)]
pub struct Replacement<'a> {
    /// The schema before it.
    pub catalog: &'a Catalog,
    /// The server's major version.
    pub server: Version,
    /// The table.
    pub table: &'a Relation,
    /// The table as the statement writes it.
    pub written: &'a Name,
    /// The column that is there.
    pub from: &'a Ident,
    /// The column that takes its place.
    pub to: &'a Ident,
}

/// Something that hangs on the column.
#[derive(Clone, Debug, PartialEq)]
pub struct Belonging {
    /// What kind of thing.
    pub what: What,
    /// The thing in words: `index users_email_idx`.
    pub thing: String,
    /// What becomes of it.
    pub fate: Fate,
}

/// The kinds of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// STORAGE, COMPRESSION, STATISTICS, n_distinct.
    Setting,
    /// COMMENT ON COLUMN.
    Comment,
    /// A right on the column alone.
    Grant,
    /// NOT NULL.
    NotNull,
    /// DEFAULT.
    Default,
    /// GENERATED AS IDENTITY.
    Identity,
    /// A sequence that it owns.
    Sequence,
    /// It is computed from others.
    Generated,
    /// Another column is computed from it.
    ComputedFrom,
    /// An index that no constraint owns.
    Index,
    /// A constraint of its table.
    Constraint,
    /// A foreign key of another table that points to it.
    ForeignKeyIn,
    /// Extended statistics.
    Statistics,
    /// A trigger.
    Trigger,
    /// A policy of row-level security.
    Policy,
    /// A view or materialized view.
    View,
    /// A function that reads it.
    Function,
    /// A rewrite rule of its table.
    Rule,
    /// A publication that has its table.
    Publication,
    /// It is part of the partition key.
    PartitionKey,
    /// It comes from a parent, or goes to children.
    Inheritance,
    /// REPLICA IDENTITY USING INDEX.
    ReplicaIdentity,
    /// CLUSTER ON.
    Cluster,
}

/// What becomes of something.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// These statements carry it over.
    Carried(Carried),
    /// Somebody has to do it, for this reason.
    Manual(String),
    /// No column can take the place of this one while others work, for this reason.
    Prevents(String),
}

/// The statements that carry something over.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Carried {
    /// With ADD COLUMN, while nothing uses the column yet.
    pub with_column: Vec<String>,
    /// When the column is filled.
    pub build: Vec<Step>,
    /// In the transaction that drops the old column, before that.
    pub before_drop: Vec<String>,
    /// In that transaction, after that.
    pub after_drop: Vec<String>,
}

/// A statement in a transaction of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// A few words, of which a file's name is made: `build users_email_address_idx`.
    pub title: String,
    /// What is run; several statements in one transaction.
    pub sql: Vec<String>,
    /// PostgreSQL wants no transaction block around it.
    pub alone: bool,
    /// What undoes it.
    pub back: Vec<String>,
}

/// Everything that is known to hang on the column, in the order in which it is carried over.
pub fn belongings(replacement: &Replacement<'_>) -> Vec<Belonging> {
    let Some(column) = replacement.table.column(replacement.from) else { return Vec::new() };
    let mut carrier = Carrier::new(*replacement, column);
    carrier.values();
    carrier.keys();
    carrier.readers();
    carrier.found
}

/// The rights on a relation and on its columns, as they are, for something by another name that stands for it.
pub fn grants(relation: &Relation, name: &str) -> Vec<String> {
    let grant = |grant: &Grant, columns: &str| {
        let option = if grant.option { " WITH GRANT OPTION" } else { "" };
        format!("GRANT {}{columns} ON {name} TO {}{option}", grant.privilege.to_uppercase(), values::role(&grant.grantee))
    };
    let whole = relation.details().grants.iter().map(|whole| grant(whole, ""));
    let of_columns = relation.columns.iter().flat_map(|column| {
        let columns = format!(" ({})", column.name.sql());
        column.details().grants.iter().map(move |of_column| grant(of_column, &columns))
    });
    whole.chain(of_columns).collect()
}

/// The statements before the old column is dropped: foreign keys that point to it go before the keys that they rest on.
pub fn before_drop(belongings: &[Belonging]) -> Vec<&str> {
    let of = |is_first: bool| {
        let chosen = belongings.iter().filter(move |belonging| (belonging.what == What::ForeignKeyIn) == is_first);
        chosen.filter_map(Belonging::carried).flat_map(|carried| &carried.before_drop).map(String::as_str)
    };
    of(true).chain(of(false)).collect()
}

impl Belonging {
    /// The statements that carry it over.
    pub fn carried(&self) -> Option<&Carried> {
        match &self.fate {
            Fate::Carried(carried) => Some(carried),
            Fate::Manual(_) | Fate::Prevents(_) => None,
        }
    }
}

impl Carried {
    /// Statements before the old column is dropped.
    fn before(sql: Vec<String>) -> Self {
        Self { before_drop: sql, ..Self::default() }
    }

    /// Statements with ADD COLUMN.
    fn with(sql: Vec<String>) -> Self {
        Self { with_column: sql, ..Self::default() }
    }
}

impl Step {
    fn new(title: impl Into<String>, sql: String, back: Vec<String>) -> Self {
        Self { title: title.into(), sql: vec![sql], alone: false, back }
    }

    fn alone(title: impl Into<String>, sql: String, back: Vec<String>) -> Self {
        Self { alone: true, ..Self::new(title, sql, back) }
    }
}

/// Collects them.
struct Carrier<'a> {
    to: Replacement<'a>,
    column: &'a Column,
    definitions: Definitions<'a>,
    names: Names<'a>,
    /// Indexes of the table, and what their copies are called.
    copies: Vec<(QualifiedName, Ident)>,
    found: Vec<Belonging>,
}

impl<'a> Carrier<'a> {
    fn new(to: Replacement<'a>, column: &'a Column) -> Self {
        let mut definitions = Definitions::new(to.catalog).written(&to.table.name, to.written).renaming(&to.table.name, to.from, to.to);
        // Partitions have the same columns.
        for below in to.catalog.descendants(&to.table.name) {
            definitions = definitions.renaming(&below, to.from, to.to);
        }
        Self { to, column, definitions, names: Names::new(to.catalog), copies: Vec::new(), found: Vec::new() }
    }

    fn push(&mut self, what: What, thing: impl Into<String>, fate: Fate) {
        self.found.push(Belonging { what, thing: thing.into(), fate });
    }

    /// Carried over, or else a manual step.
    fn carry(&mut self, what: What, thing: impl Into<String>, carried: Result<Carried, Gap>) {
        let fate = match carried {
            Ok(carried) => Fate::Carried(carried),
            Err(gap) => Fate::Manual(gap.reason().to_owned()),
        };
        self.push(what, thing, fate);
    }

    /// The table as the statement writes it.
    fn table(&self) -> String {
        self.definitions.table(&self.to.table.name)
    }

    /// Something else in the schema of a table, written as that table is.
    fn beside(&self, table: &QualifiedName, name: &Ident) -> String {
        let schema = match (*table == self.to.table.name, &self.to.written.schema) {
            (true, written) => written.clone(),
            (false, _) => (table.schema != "public").then(|| table.schema.clone()),
        };
        Name { schema, name: name.clone() }.sql()
    }

    /// A free name for the copy of something in the schema of the table.
    fn copy_name(&mut self, old: &Ident) -> Ident {
        self.names.copy_of(&self.to.table.name.schema, old, self.to.from, self.to.to)
    }
}

#[cfg(test)]
mod tests;
