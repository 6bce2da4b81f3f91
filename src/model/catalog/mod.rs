//! What exists, as far as the history tells: relations with their columns, constraints and indexes, types, functions, schemas.
//!
//! `replay` moves the catalog one operation on. What the history does not tell is unknown, never absent: see [`Lookup`].

mod alter;
mod branch;
mod constraint;
mod create;
mod dependents;
mod details;
mod drop;
mod figure;
mod grants;
mod index;
mod lookup;
mod naming;
mod overlap;
mod partition;
mod print;
mod rename;
mod replay;
mod store;
mod types;

pub use dependents::Dependents;
pub use details::{ColumnDetails, Firing, Grant, Policy, PublishedTable, RelationDetails, Statistics};
pub use index::GivenIndex;

use super::expression::Expression;
use super::name::{Ident, Name, QualifiedName};
use super::operation::{
    Bound, ConstraintKind, Generated, Identity, IndexKey, ObjectKind, Options, PartitionKey, Persistence, ReplicaIdentity, Signature,
    Volatility,
};
use super::types::{Collation, TypeName, UserType};
use crate::text::{SourceFile, Span};
use foldhash::{HashMap, HashSet};
use std::sync::Arc;
use store::Journal;

/// What the history says about an object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lookup<T> {
    /// It exists, and this is it.
    Known(T),
    /// It was dropped, or the history is whole and never made it.
    Absent,
    /// The history does not tell.
    Unknown,
}

/// Which migration made something, as a position in the replayed order. The schema dump and the setup of examples are `Step::BASE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step(pub u32);

impl Step {
    /// Older than every migration.
    pub const BASE: Self = Self(0);
}

/// The schema as it is at one moment of the history.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Boxed, since they are large and a table of them is half empty.
    relations: HashMap<QualifiedName, Box<Relation>>,
    types: HashMap<QualifiedName, UserType>,
    functions: HashMap<QualifiedName, Vec<Function>>,
    schemas: HashSet<Ident>,
    extensions: HashSet<Ident>,
    /// Temporary relations: they end with the connection.
    temporary: Vec<QualifiedName>,
    /// Those of them that go when the open transaction commits.
    until_commit: Vec<QualifiedName>,
    /// Names that the history saw go.
    dropped: HashSet<QualifiedName>,
    dropped_types: HashSet<QualifiedName>,
    dropped_schemas: HashSet<Ident>,
    /// Indexes that the current file drops, whether or not they were known.
    dropped_in_file: HashSet<QualifiedName>,
    /// How many constraints of a schema have a name: the server counts on when it chooses one.
    constraint_names: HashMap<QualifiedName, u32>,
    /// Constraints by domain.
    domain_constraints: HashMap<QualifiedName, Vec<Ident>>,
    /// By a name that was chosen: the first number behind it that may be free. Forgotten whenever a name becomes free.
    numbers: HashMap<QualifiedName, u32>,
    /// Relations whose contents are all known, and some whose contents were: what an opaque statement has to visit.
    known_whole: Vec<QualifiedName>,
    search_path: Vec<Ident>,
    /// The history began with an empty database and has named nothing that it did not make.
    whole: bool,
    /// A statement named what no statement before it had made or could have hidden.
    older: bool,
    /// A statement may have done anything.
    opaque: bool,
    /// The table that CREATE TABLE IF NOT EXISTS, or the column that ADD COLUMN IF NOT EXISTS, found in place: the constraints of the
    /// same statement follow, and are passed over with it.
    passed_over: Option<(QualifiedName, Option<Ident>)>,
    /// Tables that publications name.
    published: Vec<PublishedTable>,
    /// ALTER DEFAULT PRIVILEGES has granted rights on what is made later.
    grants_to_come: bool,
    journal: Journal,
    /// The branches that are open: parts of a program that may not run.
    branches: Vec<branch::Branch>,
}

/// A table, index, view, materialized view, sequence or foreign table.
#[derive(Clone, Debug, PartialEq)]
pub struct Relation {
    /// Its full name.
    pub name: QualifiedName,
    /// Table, ForeignTable, Index, View, MaterializedView or Sequence.
    pub kind: ObjectKind,
    /// Permanent, unlogged or temporary.
    pub persistence: Persistence,
    /// The migration that made it; `None` if it was only ever mentioned.
    pub made_in: Option<Step>,
    /// False if the statement that made it would also pass over an older one (IF NOT EXISTS) and nothing proves that there was none.
    pub surely_made: bool,
    /// A statement of the history has put rows into it; of a materialized view: the last one that could did not say WITH NO DATA.
    pub filled: bool,
    /// The history has granted rights on it.
    pub granted: bool,
    /// In the order of the table. For views: as far as they are known.
    pub columns: Vec<Column>,
    /// Whether `columns`, `constraints` and `indexes` are all there are.
    pub complete: bool,
    /// Of a table.
    pub constraints: Vec<Constraint>,
    /// Of a table: the indexes on it, by name.
    pub indexes: Vec<QualifiedName>,
    /// Of an index: what it indexes.
    pub index: Option<Index>,
    /// Of a partitioned table.
    pub partition_by: Option<PartitionKey>,
    /// Of a partition: its parent and its bound. Of an index partition: the parent index and `Bound::Unknown`.
    pub partition_of: Option<(QualifiedName, Bound)>,
    /// Partitions and children by INHERITS, direct ones.
    pub children: Vec<QualifiedName>,
    /// INHERITS parents.
    pub inherits: Vec<QualifiedName>,
    /// Of a typed table: the composite type that it follows.
    pub of_type: Option<QualifiedName>,
    /// Of a table.
    pub triggers: Vec<Trigger>,
    /// Tables whose foreign keys point here, once for each constraint: the table and the constraint's name.
    pub referenced_by: Vec<(QualifiedName, Ident)>,
    /// Of a view or materialized view: what its query reads, and which names in it may be columns.
    pub query: Option<Query>,
    /// Views and materialized views whose queries read it, each once.
    pub read_by: Vec<QualifiedName>,
    /// Of a sequence: the type of its numbers by name (`integer`), which sets its last one; `None`: not known.
    pub numbers: Option<Box<str>>,
    /// Of a sequence: the column that owns it.
    pub owned_by: Option<(QualifiedName, Ident)>,
    /// Of a table: the sequences that its columns own.
    pub owned_sequences: Vec<QualifiedName>,
    /// Row level security is enabled.
    pub row_security: bool,
    /// Policies of row-level security.
    pub policies: Vec<Policy>,
    /// Rewrite rules by name, a view's own excepted.
    pub rules: Vec<Ident>,
    /// Extended statistics.
    pub statistics: Vec<Statistics>,
    /// The index of CLUSTER ON.
    pub clustered_on: Option<Ident>,
    /// What logical replication knows its rows by.
    pub replica_identity: ReplicaIdentity,
    /// `None`: the default. A tablespace of its own.
    pub tablespace: Option<Ident>,
    /// `None`: the default.
    pub access_method: Option<Ident>,
    /// What few relations have, see [`Relation::details`].
    pub details: Option<Box<RelationDetails>>,
}

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: Ident,
    /// `None`: not known.
    pub data_type: Option<TypeName>,
    /// COLLATE.
    pub collation: Option<Collation>,
    /// attnotnull.
    pub not_null: bool,
    /// DEFAULT; `None` also if it is not known.
    pub default: Option<Expression>,
    /// GENERATED AS IDENTITY.
    pub identity: Option<Identity>,
    /// GENERATED ALWAYS AS.
    pub generated: Option<Generated>,
    /// attislocal: the table has it even if the parent's goes.
    pub local: bool,
    /// The migration that added it; `Step::BASE` if it was only ever mentioned.
    pub added_in: Step,
    /// An UPDATE of the history has set it.
    pub updated: bool,
    /// What few columns have, see [`Column::details`].
    pub details: Option<Box<ColumnDetails>>,
}

/// A constraint of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Constraint {
    /// As written, or as the server would name it.
    pub name: Ident,
    /// A foreign key's referenced table carries its schema, and its referenced columns are filled in where they are known.
    pub kind: ConstraintKind,
    /// Of a foreign key: the referenced table, resolved.
    pub referenced: Option<QualifiedName>,
    /// convalidated.
    pub validated: bool,
    /// False for NOT ENFORCED.
    pub enforced: bool,
    /// DEFERRABLE.
    pub deferrable: bool,
    /// INITIALLY DEFERRED.
    pub deferred: bool,
    /// NO INHERIT.
    pub no_inherit: bool,
    /// The migration that added it.
    pub added_in: Step,
    /// The index behind UNIQUE, PRIMARY KEY and EXCLUDE.
    pub index: Option<QualifiedName>,
    /// The constraint of the parent table that it came from, or that it was merged with.
    pub parent: Option<Ident>,
    /// conislocal: the table has it even if the parent's goes.
    pub local: bool,
    /// The text of its comment as a literal, as written.
    pub comment: Option<Arc<str>>,
}

/// An index.
#[derive(Clone, Debug, PartialEq)]
pub struct Index {
    /// The table.
    pub table: QualifiedName,
    /// UNIQUE.
    pub unique: bool,
    /// `btree`, ...
    pub method: Ident,
    /// What it is ordered by.
    pub keys: Vec<IndexKey>,
    /// Its columns as it calls them, keys and INCLUDE: they keep the names that the table's columns had when it was made.
    pub names: Vec<Ident>,
    /// INCLUDE.
    pub include: Vec<Ident>,
    /// WHERE.
    pub predicate: Option<Expression>,
    /// NULLS NOT DISTINCT (15).
    pub nulls_not_distinct: bool,
    /// WITH (...).
    pub options: Options,
    /// False for ON ONLY a partitioned table while not all partitions are attached.
    pub valid: bool,
    /// The constraint that owns it.
    pub constraint: Option<Ident>,
}

/// A trigger.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    /// Its name.
    pub name: Ident,
    /// What it runs.
    pub function: Option<Name>,
    /// The arguments of that, as written.
    pub arguments: Box<[Box<str>]>,
    /// UPDATE OF.
    pub of_columns: Vec<Ident>,
    /// BEFORE.
    pub before: bool,
    /// INSTEAD OF.
    pub instead: bool,
    /// FOR EACH ROW.
    pub for_each_row: bool,
    /// CONSTRAINT TRIGGER.
    pub constraint: bool,
    /// DEFERRABLE.
    pub deferrable: bool,
    /// INITIALLY DEFERRED.
    pub deferred: bool,
    /// CONSTRAINT TRIGGER ... FROM table.
    pub from: Option<Name>,
    /// REFERENCING, as written.
    pub referencing: Option<Box<str>>,
    /// WHEN.
    pub when: Option<Expression>,
    /// `insert`, `update`, `delete`, `truncate`.
    pub events: Vec<Box<str>>,
    /// ENABLE and DISABLE TRIGGER.
    pub firing: Firing,
    /// The text of its comment as a literal, as written.
    pub comment: Option<Arc<str>>,
    /// The migration that made it.
    pub added_in: Step,
}

/// What a view reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Relations.
    pub reads: Vec<QualifiedName>,
    /// Functions.
    pub calls: Vec<Name>,
    /// Names that may be columns of what it reads.
    pub mentions: Vec<Ident>,
    /// Where it stands, see [`Query::text`].
    pub source: Option<Arc<SourceFile>>,
    /// The place in that file.
    pub span: Span,
}

/// A function or procedure.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// Types of the arguments that a call passes.
    pub arguments: Vec<Option<TypeName>>,
    /// What else a later definition has to keep.
    pub signature: Signature,
    /// `sql`, `plpgsql`, ...
    pub language: Option<Ident>,
    /// provolatile.
    pub volatility: Volatility,
    /// PROCEDURE.
    pub procedure: bool,
    /// RETURNS trigger: nothing but triggers can call it.
    pub returns_trigger: bool,
    /// The body is a BEGIN ATOMIC block, so that its dependencies are recorded.
    pub atomic: bool,
    /// SECURITY DEFINER, or SET among its options: its body may not end the transaction.
    pub pinned: bool,
    /// Where its body stands: the file, and the literal or the block in it. `None` if it cannot be told.
    pub body: Option<(Arc<SourceFile>, Span)>,
    /// The migration that made it.
    pub added_in: Step,
}

impl Catalog {
    /// An empty catalog. `whole` says that the history begins with an empty database, so what it does not make does not exist.
    pub fn new(whole: bool) -> Self {
        Self { whole, schemas: HashSet::from_iter([public()]), search_path: vec![public()], ..Self::default() }
    }

    /// Whether what is not known does not exist: the history began with an empty database, and no statement was opaque.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// Whether the history has proved that there was something before it: it named what it cannot have made.
    pub fn is_older_than_history(&self) -> bool {
        self.older
    }

    /// Whether a statement may have made or dropped what the history does not tell: an opaque one, or an extension.
    pub fn may_hide_objects(&self) -> bool {
        self.opaque || !self.extensions.is_empty()
    }

    /// Whether the history has granted rights on what is made later.
    pub fn grants_to_come(&self) -> bool {
        self.grants_to_come
    }

    /// All relations that are known, in no order.
    pub fn relations(&self) -> impl Iterator<Item = &Relation> {
        self.relations.values().map(Box::as_ref)
    }
}

impl Relation {
    /// A relation with nothing in it.
    fn new(name: QualifiedName, kind: ObjectKind, made_in: Option<Step>) -> Self {
        Self {
            name,
            kind,
            persistence: Persistence::Permanent,
            made_in,
            surely_made: made_in.is_some(),
            filled: false,
            granted: false,
            columns: Vec::new(),
            complete: made_in.is_some(),
            constraints: Vec::new(),
            indexes: Vec::new(),
            index: None,
            partition_by: None,
            partition_of: None,
            children: Vec::new(),
            inherits: Vec::new(),
            of_type: None,
            triggers: Vec::new(),
            referenced_by: Vec::new(),
            query: None,
            read_by: Vec::new(),
            numbers: None,
            owned_by: None,
            owned_sequences: Vec::new(),
            row_security: false,
            policies: Vec::new(),
            rules: Vec::new(),
            statistics: Vec::new(),
            clustered_on: None,
            replica_identity: ReplicaIdentity::Default,
            tablespace: None,
            access_method: None,
            details: None,
        }
    }

    /// A column by name; `None` says little if the relation is not `complete`: see [`Relation::find_column`].
    pub fn column(&self, name: &Ident) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == *name)
    }

    /// A column by name, and what it means if there is none.
    pub fn find_column(&self, name: &Ident) -> Lookup<&Column> {
        match self.column(name) {
            Some(column) => Lookup::Known(column),
            None if self.complete => Lookup::Absent,
            None => Lookup::Unknown,
        }
    }

    /// A constraint by name.
    pub fn constraint(&self, name: &Ident) -> Option<&Constraint> {
        self.constraints.iter().find(|constraint| constraint.name == *name)
    }

    /// The primary key.
    pub fn primary_key(&self) -> Option<&Constraint> {
        self.constraints.iter().find(|constraint| matches!(constraint.kind, ConstraintKind::PrimaryKey(_)))
    }

    /// Whether the migration `step` itself made it, and nothing can have been there before.
    pub fn is_made_in(&self, step: Step) -> bool {
        self.made_in == Some(step) && self.surely_made
    }

    /// Whether the migration `step` itself made it and has put nothing into it yet.
    pub fn is_empty_in(&self, step: Step) -> bool {
        self.is_made_in(step) && !self.filled && self.children.is_empty() && self.partition_of.is_none()
    }

    fn constraint_mut(&mut self, name: &Ident) -> Option<&mut Constraint> {
        self.constraints.iter_mut().find(|constraint| constraint.name == *name)
    }
}

/// The schema `public`.
fn public() -> Ident {
    Ident::quoted("public")
}

/// The schema of temporary objects, by the name that always leads to the session's own.
fn pg_temp() -> Ident {
    Ident::quoted("pg_temp")
}
