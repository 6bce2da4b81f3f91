//! What exists, as far as the history tells: relations with their columns, constraints and indexes, types, functions, schemas.
//!
//! `replay` moves the catalog one operation on. What the history does not tell is unknown, never absent: see [`Lookup`].

use super::expression::Expression;
use super::name::{Ident, Name, QualifiedName};
use super::operation::{
    Bound, ConstraintKind, Generated, Identity, IndexKey, ObjectKind, Operation, PartitionKey, Persistence, Volatility,
};
use super::types::{Collation, TypeName, UserType};
use std::collections::{HashMap, HashSet};

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
    pub(super) relations: HashMap<QualifiedName, Relation>,
    pub(super) types: HashMap<QualifiedName, UserType>,
    pub(super) functions: HashMap<QualifiedName, Vec<Function>>,
    pub(super) schemas: HashSet<Ident>,
    /// Names that the history saw go.
    pub(super) dropped: HashSet<QualifiedName>,
    pub(super) search_path: Vec<Ident>,
    /// The history began with an empty database and has named nothing that it did not make.
    pub(super) whole: bool,
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
    /// Of a table.
    pub triggers: Vec<Trigger>,
    /// Tables whose foreign keys point here, once for each constraint: the table and the constraint's name.
    pub referenced_by: Vec<(QualifiedName, Ident)>,
    /// Of a view or materialized view: what its query reads, and which names in it may be columns.
    pub query: Option<Query>,
    /// Of a sequence: the column that owns it.
    pub owned_by: Option<(QualifiedName, Ident)>,
    /// Row level security is enabled.
    pub row_security: bool,
    /// Policies by name.
    pub policies: Vec<Ident>,
    /// Extended statistics: name and columns.
    pub statistics: Vec<(QualifiedName, Vec<Ident>)>,
    /// The index of CLUSTER ON.
    pub clustered_on: Option<Ident>,
    /// `None`: the default. A tablespace of its own.
    pub tablespace: Option<Ident>,
    /// `None`: the default.
    pub access_method: Option<Ident>,
}

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub name: Ident,
    /// `None`: not known.
    pub data_type: Option<TypeName>,
    pub collation: Option<Collation>,
    pub not_null: bool,
    pub default: Option<Expression>,
    pub identity: Option<Identity>,
    pub generated: Option<Generated>,
    /// The migration that added it.
    pub added_in: Step,
}

/// A constraint of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Constraint {
    /// As written, or as the server would name it.
    pub name: Ident,
    pub kind: ConstraintKind,
    /// Of a foreign key: the referenced table, resolved.
    pub referenced: Option<QualifiedName>,
    /// convalidated.
    pub validated: bool,
    pub enforced: bool,
    pub deferrable: bool,
    pub added_in: Step,
    /// The index behind UNIQUE, PRIMARY KEY and EXCLUDE.
    pub index: Option<QualifiedName>,
}

/// An index.
#[derive(Clone, Debug, PartialEq)]
pub struct Index {
    pub table: QualifiedName,
    pub unique: bool,
    pub method: Ident,
    pub keys: Vec<IndexKey>,
    pub include: Vec<Ident>,
    pub predicate: Option<Expression>,
    /// ON ONLY a partitioned table and not all partitions attached yet.
    pub valid: bool,
    /// The constraint that owns it.
    pub constraint: Option<Ident>,
}

/// A trigger.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    pub name: Ident,
    pub function: Option<Name>,
    pub of_columns: Vec<Ident>,
    pub before: bool,
    pub for_each_row: bool,
    pub events: Vec<Box<str>>,
    pub added_in: Step,
}

/// What a view reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    pub reads: Vec<QualifiedName>,
    pub mentions: Vec<Ident>,
}

/// A function or procedure.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    pub arguments: Vec<Option<TypeName>>,
    pub language: Option<Ident>,
    pub volatility: Volatility,
    pub added_in: Step,
}

impl Catalog {
    /// An empty catalog. `whole` says that the history begins with an empty database, so what it does not make does not exist.
    pub fn new(_whole: bool) -> Self {
        todo!()
    }

    /// Where a name leads by the search path: the first schema in which it is known, else the first schema of the path.
    pub fn resolve(&self, _name: &Name) -> QualifiedName {
        todo!()
    }

    /// The relation behind a name.
    pub fn relation(&self, _name: &Name) -> Lookup<&Relation> {
        todo!()
    }

    /// The relation of exactly this name, if the history made or mentioned it.
    pub fn get(&self, name: &QualifiedName) -> Option<&Relation> {
        self.relations.get(name)
    }

    /// A user-defined type.
    pub fn user_type(&self, _name: &Name) -> Lookup<&UserType> {
        todo!()
    }

    /// The known functions of a name (overloads). Empty if the history made none.
    pub fn functions(&self, _name: &Name) -> &[Function] {
        todo!()
    }

    /// Applies one operation of the migration `step`.
    pub fn replay(&mut self, _operation: &Operation, _step: Step) {
        todo!()
    }
}

impl Relation {
    /// A column by name.
    pub fn column(&self, name: &Ident) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == *name)
    }

    /// A constraint by name.
    pub fn constraint(&self, name: &Ident) -> Option<&Constraint> {
        self.constraints.iter().find(|constraint| constraint.name == *name)
    }
}
