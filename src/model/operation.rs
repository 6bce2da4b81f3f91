//! The vocabulary: one variant for each thing that a statement does.
//!
//! SQL is lowered to these words and rules match on them. One statement gives one operation or several: ALTER TABLE one for each
//! subcommand, DROP TABLE one for each name, CREATE TABLE one for the table and one for each constraint and each index that comes with it
//! (see [`Operation::AddConstraint`]).

use super::expression::Expression;
use super::lock::LockMode;
use super::name::{Ident, Name};
use super::types::{Collation, TypeName};
use crate::text::{Located, Span};

/// One thing that a statement does.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// CREATE TABLE, without its constraints, which follow as [`Operation::AddConstraint`] with `inline` set.
    CreateTable(Box<CreateTable>),
    /// CREATE TABLE AS, SELECT INTO.
    CreateTableAs(Box<CreateTableAs>),
    /// A subcommand of ALTER TABLE and of its kin for indexes, views, sequences and composite types.
    Alter(Target, Box<AlterAction>),
    /// Any constraint, in a column definition or beside it, in CREATE TABLE or ALTER TABLE ADD.
    AddConstraint(Box<AddConstraint>),
    /// CREATE INDEX.
    CreateIndex(Box<CreateIndex>),
    /// REINDEX.
    Reindex(Reindex),
    /// CREATE [OR REPLACE] VIEW.
    CreateView(Box<CreateView>),
    /// CREATE MATERIALIZED VIEW.
    CreateMaterializedView(Box<CreateView>),
    /// REFRESH MATERIALIZED VIEW.
    RefreshMaterializedView { name: Name, concurrently: bool, with_data: bool },
    /// CREATE SEQUENCE.
    CreateSequence { name: Name, if_not_exists: bool, persistence: Persistence, owned_by: Option<(Name, Ident)> },
    /// ALTER SEQUENCE, options only.
    AlterSequence { name: Name, if_exists: bool, data_type: Option<TypeName>, owned_by: Option<(Name, Ident)>, restart: bool },
    /// CREATE TYPE.
    CreateType { name: Name, definition: TypeDefinition },
    /// CREATE DOMAIN.
    CreateDomain { name: Name, base: TypeName, not_null: bool, default: Option<Expression>, checks: Vec<DomainCheck> },
    /// ALTER DOMAIN.
    AlterDomain { name: Name, action: DomainAction },
    /// ALTER TYPE ... ADD VALUE.
    AddEnumValue { name: Name, value: Box<str>, if_not_exists: bool, placed: bool },
    /// ALTER TYPE ... RENAME VALUE.
    RenameEnumValue { name: Name, from: Box<str>, to: Box<str> },
    /// CREATE [OR REPLACE] FUNCTION, PROCEDURE.
    CreateFunction(Box<CreateFunction>),
    /// CREATE TRIGGER.
    CreateTrigger(Box<CreateTrigger>),
    /// CREATE RULE on a relation.
    CreateRule { name: Ident, table: Name, or_replace: bool },
    /// CREATE POLICY or ALTER POLICY.
    Policy { name: Ident, table: Name, create: bool, reads: Vec<Name>, calls: Vec<Name> },
    /// CREATE STATISTICS; `table` is absent if it could not be read.
    CreateStatistics { name: Option<Name>, table: Option<Name>, columns: Vec<Ident>, if_not_exists: bool },
    /// CREATE SCHEMA. Elements inside it follow as operations of their own.
    CreateSchema { name: Ident, if_not_exists: bool },
    /// CREATE EXTENSION.
    CreateExtension { name: Ident, if_not_exists: bool, schema: Option<Ident> },
    /// DROP of one object; a statement with several names gives several of these.
    Drop(Drop),
    /// RENAME TO of anything that is no relation (for relations: [`AlterAction::RenameTo`]).
    Rename { object: ObjectKind, name: Name, table: Option<Name>, to: Ident },
    /// TRUNCATE, one for each table.
    Truncate { table: Name, only: bool, cascade: bool, restart_identity: bool },
    /// INSERT.
    Insert(Box<Insert>),
    /// UPDATE.
    Update(Box<Update>),
    /// DELETE.
    Delete(Box<Delete>),
    /// MERGE.
    Merge { table: Name, reads: Vec<Name>, calls: Vec<Name> },
    /// COPY. `data` says how many bytes of data stand in the file behind COPY FROM STDIN.
    Copy { table: Option<Name>, from: bool, program: bool, stdin: bool, data: Option<u32>, reads: Vec<Name> },
    /// SELECT, VALUES, TABLE, EXPLAIN, and what else only reads; FOR UPDATE sets `locks_rows`.
    Select { reads: Vec<Name>, calls: Vec<Name>, locks_rows: bool, text: Option<Box<str>> },
    /// LOCK TABLE, one for each table.
    LockTable { table: Name, only: bool, mode: LockMode, nowait: bool },
    /// VACUUM, one for each table, or one with none.
    Vacuum { table: Option<Name>, full: bool, analyze: bool, truncate: bool },
    /// ANALYZE, one for each table, or one with none.
    Analyze { table: Option<Name> },
    /// CLUSTER.
    Cluster { table: Option<Name>, index: Option<Ident> },
    /// REPACK (19).
    Repack { table: Option<Name>, concurrently: bool },
    /// DO. The body is `None` if it is no literal.
    DoBlock { language: Option<Ident>, body: Option<Span> },
    /// CALL.
    Call { procedure: Name },
    /// COMMENT ON, SECURITY LABEL.
    Comment { object: ObjectKind, name: Option<Name>, table: Option<Name> },
    /// GRANT or REVOKE on objects; `objects` may be empty (roles, ALL TABLES IN SCHEMA).
    Privilege { grant: bool, object: ObjectKind, objects: Vec<Name> },
    /// BEGIN, START TRANSACTION.
    Begin,
    /// COMMIT, END; `chain` opens the next transaction.
    Commit { chain: bool },
    /// ROLLBACK, ABORT.
    Rollback { chain: bool },
    /// SAVEPOINT.
    Savepoint(Ident),
    /// RELEASE SAVEPOINT.
    Release(Ident),
    /// ROLLBACK TO SAVEPOINT.
    RollbackTo(Ident),
    /// PREPARE TRANSACTION, COMMIT PREPARED, ROLLBACK PREPARED.
    TwoPhase(TwoPhase),
    /// SET, SET LOCAL, also `SELECT set_config('name', 'value', is_local)` with literals. `value` is `None` for DEFAULT.
    Set { name: Box<str>, value: Option<SettingValue>, local: bool },
    /// RESET; `None` for ALL, and for DISCARD ALL.
    Reset { name: Option<Box<str>> },
    /// SET CONSTRAINTS.
    SetConstraints { deferred: bool },
    /// A statement whose kind is known, which touches no table, and of which nothing more is asked: `words` are its leading keywords in
    /// lower case (`create publication`). `transactional` is false where PostgreSQL refuses it in a transaction block.
    Other { words: Box<str>, object: Option<Name>, transactional: bool },
    /// A statement that could not be read at all.
    Unreadable { why: Box<str> },
    /// A psql meta-command (`\c`, `\i`), without its backslash.
    PsqlCommand { word: Box<str> },
}

/// What an ALTER statement names.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The relation.
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
    AddColumn {
        column: Column,
        if_not_exists: bool,
    },
    DropColumn {
        column: Ident,
        if_exists: bool,
        cascade: bool,
    },
    SetDefault {
        column: Ident,
        default: Expression,
    },
    DropDefault {
        column: Ident,
    },
    SetNotNull {
        column: Ident,
    },
    DropNotNull {
        column: Ident,
    },
    ChangeType {
        column: Ident,
        data_type: TypeName,
        collation: Option<Collation>,
        using: Option<Expression>,
    },
    SetExpression {
        column: Ident,
        expression: Expression,
    },
    DropExpression {
        column: Ident,
        if_exists: bool,
    },
    AddIdentity {
        column: Ident,
        always: bool,
        start: bool,
    },
    SetIdentity {
        column: Ident,
        restart: bool,
    },
    DropIdentity {
        column: Ident,
        if_exists: bool,
    },
    SetStatistics {
        column: Option<Ident>,
    },
    SetColumnOptions {
        column: Ident,
    },
    SetStorage {
        column: Ident,
    },
    SetCompression {
        column: Ident,
    },
    /// ALTER CONSTRAINT; `enforced` if [NOT] ENFORCED is said (18), `inherit` if [NO] INHERIT is (18).
    AlterConstraint {
        name: Ident,
        enforced: Option<bool>,
        inherit: Option<bool>,
        deferrable: bool,
    },
    ValidateConstraint {
        name: Ident,
    },
    DropConstraint {
        name: Ident,
        if_exists: bool,
        cascade: bool,
    },
    RenameColumn {
        from: Ident,
        to: Ident,
    },
    RenameConstraint {
        from: Ident,
        to: Ident,
    },
    RenameTo {
        to: Ident,
    },
    SetSchema {
        schema: Ident,
    },
    /// ENABLE or DISABLE TRIGGER; `None` for ALL and USER.
    SetTrigger {
        enable: bool,
        trigger: Option<Ident>,
    },
    SetRule {
        enable: bool,
        rule: Ident,
    },
    /// ENABLE, DISABLE, FORCE, NO FORCE ROW LEVEL SECURITY.
    RowSecurity(RowSecurity),
    SetPersistence(Persistence),
    SetTablespace {
        tablespace: Ident,
    },
    SetAccessMethod {
        method: Option<Ident>,
    },
    ClusterOn {
        index: Ident,
    },
    SetWithoutCluster,
    /// SET (...): storage parameters with their values as written.
    SetOptions {
        options: Vec<(Box<str>, Option<Box<str>>)>,
    },
    ResetOptions {
        options: Vec<Box<str>>,
    },
    Inherit {
        parent: Name,
    },
    NoInherit {
        parent: Name,
    },
    OfType {
        name: Name,
    },
    NotOf,
    OwnerTo {
        role: Ident,
    },
    ReplicaIdentity(ReplicaIdentity),
    AttachPartition {
        partition: Name,
        bound: Bound,
    },
    DetachPartition {
        partition: Name,
        how: Detach,
    },
    MergePartitions {
        partitions: Vec<Name>,
        into: Name,
    },
    SplitPartition {
        partition: Name,
    },
    /// ALTER INDEX ... ATTACH PARTITION.
    AttachIndex {
        index: Name,
    },
    /// ALTER INDEX, FUNCTION, TRIGGER ... DEPENDS ON EXTENSION.
    DependsOnExtension,
    /// Attributes of a composite type.
    AddAttribute {
        name: Ident,
        data_type: TypeName,
    },
    DropAttribute {
        name: Ident,
    },
    ChangeAttribute {
        name: Ident,
        data_type: TypeName,
    },
    RenameAttribute {
        from: Ident,
        to: Ident,
    },
    /// A subcommand that is known and of which nothing more is asked; leading keywords in lower case.
    Other {
        words: Box<str>,
    },
    /// A subcommand that could not be read; the others of its statement are judged.
    Unreadable {
        why: Box<str>,
    },
}

/// A column definition, without its constraints other than NOT NULL and its default.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub name: Ident,
    /// `None` if it could not be read.
    pub data_type: Option<TypeName>,
    pub collation: Option<Collation>,
    /// NOT NULL as the definition says it: also through PRIMARY KEY, serial and identity.
    pub not_null: bool,
    pub default: Option<Expression>,
    pub identity: Option<Identity>,
    pub generated: Option<Generated>,
    /// The whole definition, its constraints included.
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    Always,
    ByDefault,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Generated {
    pub expression: Expression,
    /// STORED; VIRTUAL or nothing (18) is false.
    pub stored: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateTable {
    pub name: Name,
    pub if_not_exists: bool,
    pub persistence: Persistence,
    pub foreign: bool,
    pub columns: Vec<Located<Column>>,
    /// LIKE tables, and whether INCLUDING ALL or INDEXES and so on was said (lower-case words).
    pub like: Vec<(Name, Vec<Box<str>>)>,
    pub inherits: Vec<Name>,
    pub partition_of: Option<(Name, Bound)>,
    pub partition_by: Option<PartitionKey>,
    pub of_type: Option<Name>,
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
    Default,
    /// FOR VALUES IN, with the constants' texts.
    In(Vec<Box<str>>),
    /// FOR VALUES FROM ... TO, with the constants' texts.
    Range {
        from: Vec<Box<str>>,
        to: Vec<Box<str>>,
    },
    /// FOR VALUES WITH (MODULUS, REMAINDER).
    Hash,
    Unknown,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Persistence {
    #[default]
    Permanent,
    Unlogged,
    Temporary,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateTableAs {
    pub name: Name,
    pub if_not_exists: bool,
    pub persistence: Persistence,
    pub with_data: bool,
    pub reads: Vec<Name>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AddConstraint {
    pub table: Name,
    /// ALTER TABLE ONLY.
    pub only: bool,
    /// As written; `None` lets the server choose.
    pub name: Option<Ident>,
    pub kind: ConstraintKind,
    /// Where it was written.
    pub written: Written,
    pub not_valid: bool,
    /// False for NOT ENFORCED (18).
    pub enforced: bool,
    pub deferrable: bool,
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

#[derive(Clone, Debug, PartialEq)]
pub enum ConstraintKind {
    Check {
        expression: Expression,
    },
    /// NOT NULL as a table constraint (18), or ADD CONSTRAINT name NOT NULL column.
    NotNull {
        column: Ident,
    },
    Unique(Key),
    PrimaryKey(Key),
    Exclude {
        method: Option<Ident>,
        keys: Vec<IndexKey>,
        /// The keys that are plain columns.
        columns: Vec<Ident>,
        predicate: Option<Expression>,
    },
    ForeignKey(ForeignKey),
}

/// UNIQUE and PRIMARY KEY.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    pub columns: Vec<Ident>,
    pub include: Vec<Ident>,
    /// USING INDEX.
    pub using_index: Option<Ident>,
    pub nulls_not_distinct: bool,
    pub without_overlaps: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ForeignKey {
    pub columns: Vec<Ident>,
    pub referenced: Name,
    /// Empty: the primary key.
    pub referenced_columns: Vec<Ident>,
    /// `cascade`, `restrict`, `set null`, `set default`, `no action`; `None` if nothing was written.
    pub on_delete: Option<Box<str>>,
    pub on_update: Option<Box<str>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateIndex {
    /// As written; `None` lets the server choose.
    pub name: Option<Ident>,
    pub table: Name,
    pub unique: bool,
    pub concurrently: bool,
    pub if_not_exists: bool,
    /// ON ONLY.
    pub only: bool,
    /// `btree` if nothing is said.
    pub method: Ident,
    pub keys: Vec<IndexKey>,
    pub include: Vec<Ident>,
    pub predicate: Option<Expression>,
    pub nulls_not_distinct: bool,
    pub tablespace: Option<Ident>,
    /// The INDEX keyword: where CONCURRENTLY would follow.
    pub keyword: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct IndexKey {
    pub what: IndexKeyKind,
    pub operator_class: Option<Name>,
    pub collation: Option<Collation>,
    /// DESC.
    pub descending: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum IndexKeyKind {
    Column(Ident),
    Expression(Expression),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Reindex {
    pub scope: ReindexScope,
    pub name: Option<Name>,
    pub concurrently: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReindexScope {
    Index,
    Table,
    Schema,
    Database,
    System,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateView {
    pub name: Name,
    pub or_replace: bool,
    pub if_not_exists: bool,
    pub temporary: bool,
    /// Names of its columns if they are written or can be read off the query.
    pub columns: Option<Vec<Ident>>,
    pub reads: Vec<Name>,
    pub calls: Vec<Name>,
    /// Names in the query that may be columns of the relations it reads.
    pub mentions: Vec<Ident>,
    /// WITH DATA (materialized views).
    pub with_data: bool,
    pub security_invoker: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TypeDefinition {
    Enum(Vec<Box<str>>),
    Composite(Vec<(Ident, TypeName)>),
    Range,
    /// CREATE TYPE name; and base types.
    Other,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DomainCheck {
    pub name: Option<Ident>,
    pub expression: Expression,
    pub not_valid: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum DomainAction {
    SetDefault,
    DropDefault,
    SetNotNull,
    DropNotNull,
    AddCheck(DomainCheck),
    /// ADD CONSTRAINT ... NOT NULL (17).
    AddNotNull,
    DropConstraint {
        name: Ident,
        if_exists: bool,
    },
    RenameConstraint {
        from: Ident,
        to: Ident,
    },
    ValidateConstraint {
        name: Ident,
    },
    Other {
        words: Box<str>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateFunction {
    pub name: Name,
    pub or_replace: bool,
    pub procedure: bool,
    /// Types of the arguments that a call passes; `None` where one could not be read.
    pub arguments: Vec<Option<TypeName>>,
    pub language: Option<Ident>,
    /// `None`: the server takes VOLATILE.
    pub volatility: Option<Volatility>,
    pub returns_trigger: bool,
    pub security_definer: bool,
    pub sets_search_path: bool,
    /// The body as a literal, quotes not included, or the BEGIN ATOMIC block.
    pub body: Option<Span>,
    pub atomic: bool,
}

/// pg_proc.provolatile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Volatility {
    Immutable,
    Stable,
    Volatile,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateTrigger {
    pub name: Ident,
    pub table: Name,
    pub or_replace: bool,
    pub constraint: bool,
    pub before: bool,
    pub for_each_row: bool,
    /// `insert`, `update`, `delete`, `truncate`.
    pub events: Vec<Box<str>>,
    /// UPDATE OF columns.
    pub of_columns: Vec<Ident>,
    pub function: Option<Name>,
    /// CONSTRAINT TRIGGER ... FROM table.
    pub from: Option<Name>,
}

/// The kinds of object that DROP, RENAME, COMMENT and GRANT name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectKind {
    Table,
    ForeignTable,
    Index,
    View,
    MaterializedView,
    Sequence,
    Column,
    Constraint,
    Trigger,
    Rule,
    Policy,
    Type,
    Domain,
    Function,
    Procedure,
    Aggregate,
    Statistics,
    Schema,
    Extension,
    Database,
    Tablespace,
    Role,
    Publication,
    Subscription,
    EventTrigger,
    /// Operators, casts, collations, languages, servers, text search objects ...
    Other,
}

/// DROP of one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Drop {
    pub object: ObjectKind,
    pub name: Name,
    /// Of triggers, rules and policies.
    pub table: Option<Name>,
    pub if_exists: bool,
    pub cascade: bool,
    /// DROP INDEX CONCURRENTLY.
    pub concurrently: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Insert {
    pub table: Name,
    /// Column list; empty if none was written.
    pub columns: Vec<Ident>,
    pub source: InsertSource,
    /// ON CONFLICT.
    pub on_conflict: bool,
    pub reads: Vec<Name>,
    pub calls: Vec<Name>,
    /// String literals among the values, at most 256 of them: an enum value may be one.
    pub literals: Vec<Box<str>>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum InsertSource {
    /// VALUES, and how many rows.
    Values {
        rows: u32,
    },
    /// A query; `limited` if LIMIT bounds it, `bounded` if its WHERE compares with constants.
    Query {
        limited: bool,
        bounded: bool,
    },
    DefaultValues,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    pub table: Name,
    pub only: bool,
    /// Columns that are set.
    pub columns: Vec<Ident>,
    /// `None`: no WHERE.
    pub filter: Option<Expression>,
    /// WHERE CURRENT OF.
    pub current_of: bool,
    pub reads: Vec<Name>,
    pub calls: Vec<Name>,
    /// String literals that are assigned, at most 256.
    pub literals: Vec<Box<str>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Delete {
    pub table: Name,
    pub only: bool,
    /// `None`: no WHERE.
    pub filter: Option<Expression>,
    pub current_of: bool,
    pub reads: Vec<Name>,
    pub calls: Vec<Name>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TwoPhase {
    Prepare,
    Commit,
    Rollback,
}

/// The right side of SET.
#[derive(Clone, Debug, PartialEq)]
pub enum SettingValue {
    /// A literal or a word, quotes undone.
    Literal(Box<str>),
    /// Several of them with commas between, as `SET search_path = app, public` has; bare words folded.
    List(Vec<Box<str>>),
    /// Something else: a variable.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowSecurity {
    Enable,
    Disable,
    Force,
    NoForce,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ReplicaIdentity {
    Default,
    Full,
    Nothing,
    UsingIndex(Ident),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detach {
    Plain,
    Concurrently,
    Finalize,
}
