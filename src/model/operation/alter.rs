//! ALTER of relations and composite types, one action for each subcommand.

use super::{Bound, Column, ObjectKind, Options, Persistence, SequenceOptions};
use crate::model::expression::Expression;
use crate::model::name::{Ident, Name};
use crate::model::types::{Collation, TypeName};

/// What an ALTER statement names.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The relation or composite type, as written.
    pub name: Name,
    /// ALTER TABLE ONLY.
    pub only: bool,
    /// ALTER ... IF EXISTS.
    pub if_exists: bool,
    /// The kind that the statement says (ALTER TABLE also takes indexes, views and sequences).
    pub written: ObjectKind,
}

/// One subcommand of ALTER TABLE and its kin.
#[derive(Clone, Debug, PartialEq)]
pub enum AlterAction {
    /// ADD COLUMN, without its constraints, which follow as operations of their own.
    AddColumn {
        /// The definition.
        column: Column,
        /// IF NOT EXISTS.
        if_not_exists: bool,
    },
    /// DROP COLUMN.
    DropColumn {
        /// The column.
        column: Ident,
        /// IF EXISTS.
        if_exists: bool,
        /// CASCADE: views and foreign keys of others that need the column go too.
        cascade: bool,
    },
    /// ALTER COLUMN ... SET DEFAULT: for rows to come.
    SetDefault {
        /// The column.
        column: Ident,
        /// The new default.
        default: Expression,
    },
    /// ALTER COLUMN ... DROP DEFAULT.
    DropDefault {
        /// The column.
        column: Ident,
    },
    /// ALTER COLUMN ... SET NOT NULL.
    SetNotNull {
        /// The column.
        column: Ident,
    },
    /// ALTER COLUMN ... DROP NOT NULL.
    DropNotNull {
        /// The column.
        column: Ident,
    },
    /// ALTER COLUMN ... `[SET DATA] TYPE`.
    ChangeType {
        /// The column.
        column: Ident,
        /// The new type.
        data_type: TypeName,
        /// COLLATE; `None` takes the collation of the new type.
        collation: Option<Collation>,
        /// USING; `None` casts the old value by an implicit or assignment cast.
        using: Option<Expression>,
    },
    /// ALTER COLUMN ... SET EXPRESSION AS (17).
    SetExpression {
        /// The generated column.
        column: Ident,
        /// Its new expression.
        expression: Expression,
    },
    /// ALTER COLUMN ... DROP EXPRESSION (13).
    DropExpression {
        /// The generated column.
        column: Ident,
        /// IF EXISTS.
        if_exists: bool,
    },
    /// ALTER COLUMN ... ADD GENERATED ... AS IDENTITY.
    AddIdentity {
        /// The column.
        column: Ident,
        /// ALWAYS; false for BY DEFAULT.
        always: bool,
        /// START is among the sequence's options.
        start: bool,
        /// All of them.
        options: Box<SequenceOptions>,
    },
    /// ALTER COLUMN ... SET GENERATED, RESTART, and SET of the options of its sequence.
    SetIdentity {
        /// The identity column.
        column: Ident,
        /// SET GENERATED ALWAYS; false for BY DEFAULT, `None` if neither is said.
        always: Option<bool>,
        /// RESTART, with a number or without.
        restart: bool,
        /// The options that are set.
        options: Box<SequenceOptions>,
    },
    /// ALTER COLUMN ... DROP IDENTITY.
    DropIdentity {
        /// The identity column.
        column: Ident,
        /// IF EXISTS.
        if_exists: bool,
    },
    /// ALTER COLUMN ... SET STATISTICS.
    SetStatistics {
        /// The column; `None` for a column of an index that is written as a number.
        column: Option<Ident>,
        /// How many values are kept; `None` for DEFAULT.
        target: Option<Box<str>>,
    },
    /// ALTER COLUMN ... SET (...) or RESET (...): `n_distinct` and its kin.
    SetColumnOptions {
        /// The column.
        column: Ident,
        /// The options that are set, or those that are reset.
        options: Options,
        /// RESET.
        reset: bool,
    },
    /// ALTER COLUMN ... SET STORAGE.
    SetStorage {
        /// The column.
        column: Ident,
        /// `plain`, `external`, `extended`, `main` or `default`.
        storage: Box<str>,
    },
    /// ALTER COLUMN ... SET COMPRESSION (14).
    SetCompression {
        /// The column.
        column: Ident,
        /// `pglz`, `lz4` or `default`.
        method: Box<str>,
    },
    /// ALTER CONSTRAINT.
    AlterConstraint {
        /// The constraint.
        name: Ident,
        /// `[NOT] ENFORCED` (18); `None` if neither is said.
        enforced: Option<bool>,
        /// `[NO] INHERIT` (18); `None` if neither is said.
        inherit: Option<bool>,
        /// Whether any of `[NOT] DEFERRABLE`, INITIALLY DEFERRED and INITIALLY IMMEDIATE is said.
        deferrable: bool,
        /// INITIALLY DEFERRED, which the others end.
        deferred: bool,
    },
    /// VALIDATE CONSTRAINT.
    ValidateConstraint {
        /// The constraint.
        name: Ident,
    },
    /// DROP CONSTRAINT.
    DropConstraint {
        /// The constraint.
        name: Ident,
        /// IF EXISTS.
        if_exists: bool,
        /// CASCADE: foreign keys that refer to the dropped key go too.
        cascade: bool,
    },
    /// `RENAME [COLUMN]`; also of columns of a view.
    RenameColumn {
        /// The old name.
        from: Ident,
        /// The new name.
        to: Ident,
    },
    /// RENAME CONSTRAINT.
    RenameConstraint {
        /// The old name.
        from: Ident,
        /// The new name.
        to: Ident,
    },
    /// RENAME TO, of any relation.
    RenameTo {
        /// The new name; the schema stays.
        to: Ident,
    },
    /// SET SCHEMA.
    SetSchema {
        /// The new schema; the name stays.
        schema: Ident,
    },
    /// `ENABLE [ALWAYS | REPLICA]` or DISABLE TRIGGER.
    SetTrigger {
        /// False for DISABLE.
        enable: bool,
        /// `always` or `replica`: when it fires, beside or instead of the usual.
        mode: Option<Box<str>>,
        /// Which ones.
        triggers: Triggers,
    },
    /// `ENABLE [ALWAYS | REPLICA]` or DISABLE RULE.
    SetRule {
        /// False for DISABLE.
        enable: bool,
        /// The rule.
        rule: Ident,
    },
    /// ENABLE, DISABLE, FORCE, NO FORCE ROW LEVEL SECURITY.
    RowSecurity(RowSecurity),
    /// SET LOGGED, SET UNLOGGED; never [`Persistence::Temporary`].
    SetPersistence(Persistence),
    /// SET TABLESPACE.
    SetTablespace {
        /// Where the files go.
        tablespace: Ident,
    },
    /// SET ACCESS METHOD (15).
    SetAccessMethod {
        /// The table access method; `None` for DEFAULT (17).
        method: Option<Ident>,
    },
    /// CLUSTER ON.
    ClusterOn {
        /// The index whose order the next CLUSTER takes.
        index: Ident,
    },
    /// SET WITHOUT CLUSTER.
    SetWithoutCluster,
    /// SET (...).
    SetOptions {
        /// Storage parameters, names folded, values as written; `None` for a name alone, which means `true`.
        options: Vec<(Box<str>, Option<Box<str>>)>,
    },
    /// RESET (...).
    ResetOptions {
        /// Names of storage parameters, folded.
        options: Vec<Box<str>>,
    },
    /// INHERIT.
    Inherit {
        /// The new parent, as written.
        parent: Name,
    },
    /// NO INHERIT.
    NoInherit {
        /// The parent that is left, as written.
        parent: Name,
    },
    /// OF: the table becomes one of a composite type.
    OfType {
        /// The type, as written.
        name: Name,
    },
    /// NOT OF.
    NotOf,
    /// OWNER TO.
    OwnerTo {
        /// The role; CURRENT_ROLE, CURRENT_USER and SESSION_USER as that word in lower case.
        role: Ident,
    },
    /// REPLICA IDENTITY.
    ReplicaIdentity(ReplicaIdentity),
    /// ATTACH PARTITION of a table.
    AttachPartition {
        /// The table that becomes a partition, as written.
        partition: Name,
        /// Which rows it takes.
        bound: Bound,
    },
    /// DETACH PARTITION.
    DetachPartition {
        /// The partition, as written.
        partition: Name,
        /// In one step or in two transactions.
        how: Detach,
    },
    /// MERGE PARTITIONS (19).
    MergePartitions {
        /// The partitions that go, as written.
        partitions: Vec<Name>,
        /// The one that takes their rows, as written.
        into: Name,
    },
    /// SPLIT PARTITION (19).
    SplitPartition {
        /// The partition whose rows go into new ones, as written.
        partition: Name,
    },
    /// ALTER INDEX ... ATTACH PARTITION.
    AttachIndex {
        /// The index of a partition, as written.
        index: Name,
    },
    /// ALTER INDEX or MATERIALIZED VIEW ... `[NO] DEPENDS ON EXTENSION`.
    DependsOnExtension,
    /// ALTER TYPE ... ADD ATTRIBUTE.
    AddAttribute {
        /// The attribute.
        name: Ident,
        /// Its type.
        data_type: TypeName,
    },
    /// ALTER TYPE ... DROP ATTRIBUTE.
    DropAttribute {
        /// The attribute.
        name: Ident,
    },
    /// ALTER TYPE ... ALTER ATTRIBUTE ... TYPE.
    ChangeAttribute {
        /// The attribute.
        name: Ident,
        /// Its new type.
        data_type: TypeName,
    },
    /// ALTER TYPE ... RENAME ATTRIBUTE.
    RenameAttribute {
        /// The old name.
        from: Ident,
        /// The new name.
        to: Ident,
    },
    /// A subcommand that is known and of which nothing more is asked.
    Other {
        /// Its leading keywords in lower case (`set without oids`).
        words: Box<str>,
    },
    /// A subcommand that could not be read; the others of its statement are judged.
    Unreadable {
        /// What stood there instead of what was expected.
        why: Box<str>,
    },
}

/// Which triggers ENABLE and DISABLE TRIGGER switch.
#[derive(Clone, Debug, PartialEq)]
pub enum Triggers {
    /// ALL: those of foreign keys too.
    All,
    /// USER: all but those that constraints need.
    User,
    /// One, by name.
    One(Ident),
}

/// What is switched of row-level security.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowSecurity {
    /// ENABLE: policies hold for all but the owner, superusers and roles with BYPASSRLS.
    Enable,
    /// DISABLE: policies stay and do nothing.
    Disable,
    /// FORCE: policies hold for the owner too.
    Force,
    /// NO FORCE: policies hold for the owner no longer.
    NoForce,
}

/// What logical replication records of the old row on UPDATE and DELETE.
#[derive(Clone, Debug, PartialEq)]
pub enum ReplicaIdentity {
    /// DEFAULT: the columns of the primary key.
    Default,
    /// FULL: all columns.
    Full,
    /// NOTHING.
    Nothing,
    /// USING INDEX: the columns of this unique index.
    UsingIndex(Ident),
}

/// How a partition is detached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detach {
    /// In one step, under ACCESS EXCLUSIVE on the parent.
    Plain,
    /// CONCURRENTLY (14): in two transactions, so in no transaction block.
    Concurrently,
    /// FINALIZE (14): the end of a CONCURRENTLY that was interrupted.
    Finalize,
}

impl AlterAction {
    /// The column of a table that it works on; `None` for ADD COLUMN, whose definition names it.
    pub fn column(&self) -> Option<&Ident> {
        match self {
            Self::DropColumn { column, .. }
            | Self::SetDefault { column, .. }
            | Self::DropDefault { column }
            | Self::SetNotNull { column }
            | Self::DropNotNull { column }
            | Self::ChangeType { column, .. }
            | Self::SetExpression { column, .. }
            | Self::DropExpression { column, .. }
            | Self::AddIdentity { column, .. }
            | Self::SetIdentity { column, .. }
            | Self::DropIdentity { column, .. }
            | Self::SetColumnOptions { column, .. }
            | Self::SetStorage { column, .. }
            | Self::SetCompression { column, .. }
            | Self::RenameColumn { from: column, .. } => Some(column),
            Self::SetStatistics { column, .. } => column.as_ref(),
            _ => None,
        }
    }
}
