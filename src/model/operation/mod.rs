//! The vocabulary: one variant for each thing that a statement does.
//!
//! SQL is lowered to these words and rules match on them. One statement gives one operation or several: ALTER TABLE one for each
//! subcommand, DROP TABLE one for each name, CREATE TABLE one for the table and one for each constraint and each index that comes with it
//! (see [`Operation::AddConstraint`]).
//!
//! Names are as the statement writes them: without a schema if none was written, and then `search_path` decides where they lead.

mod alter;
mod column;
mod constraint;
mod data;
mod index;
mod object;
mod routine;
mod security;
mod sequence;
mod session;
mod table;
mod types;
mod view;

pub use alter::{AlterAction, Detach, ReplicaIdentity, RowSecurity, Target, Triggers};
pub use column::{Column, Generated, Identity};
pub use constraint::{AddConstraint, ConstraintKind, ForeignKey, IndexParameters, Key, Written};
pub use data::{Delete, Insert, InsertSource, Update};
pub use index::{CreateIndex, IndexKey, IndexKeyKind, Options, Reindex, ReindexScope};
pub use object::{Drop, ObjectKind, Published, Publishing, Realm};
pub use routine::{CreateFunction, CreateTrigger, Signature, Volatility};
pub use security::{Policy, Privilege};
pub use sequence::SequenceOptions;
pub use session::{SettingValue, TwoPhase};
pub use table::{Bound, CreateTable, CreateTableAs, PartitionKey, Persistence};
pub use types::{DomainAction, DomainCheck, TypeDefinition};
pub use view::CreateView;

use super::expression::Expression;
use super::lock::LockMode;
use super::name::{Ident, Name};
use super::types::TypeName;
use crate::text::Span;
use std::sync::Arc;

/// One thing that a statement does.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// CREATE TABLE, without its constraints, which follow as [`Operation::AddConstraint`].
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
    /// `CREATE [OR REPLACE] VIEW`.
    CreateView(Box<CreateView>),
    /// CREATE MATERIALIZED VIEW.
    CreateMaterializedView(Box<CreateView>),
    /// REFRESH MATERIALIZED VIEW.
    RefreshMaterializedView {
        /// The materialized view, as written.
        name: Name,
        /// CONCURRENTLY: readers go on.
        concurrently: bool,
        /// False for WITH NO DATA, which leaves it empty, and SELECT from it fails.
        with_data: bool,
    },
    /// CREATE SEQUENCE.
    CreateSequence {
        /// The sequence, as written.
        name: Name,
        /// IF NOT EXISTS.
        if_not_exists: bool,
        /// UNLOGGED (15) and TEMPORARY.
        persistence: Persistence,
        /// AS: the type of its numbers; `None` is `bigint`.
        data_type: Option<TypeName>,
        /// Table and column of OWNED BY, with which the sequence is dropped; `None` also for OWNED BY NONE.
        owned_by: Option<(Name, Ident)>,
        /// How it counts.
        options: Box<SequenceOptions>,
    },
    /// ALTER SEQUENCE, options only.
    AlterSequence {
        /// The sequence, as written.
        name: Name,
        /// IF EXISTS.
        if_exists: bool,
        /// AS: the new type; `None` keeps the old one.
        data_type: Option<TypeName>,
        /// Table and column of OWNED BY; `None` if it is not said, and for OWNED BY NONE.
        owned_by: Option<(Name, Ident)>,
        /// RESTART, with a number or without.
        restart: bool,
        /// How it counts from now on.
        options: Box<SequenceOptions>,
    },
    /// CREATE TYPE.
    CreateType {
        /// The type, as written.
        name: Name,
        /// What follows AS.
        definition: TypeDefinition,
    },
    /// CREATE DOMAIN.
    CreateDomain {
        /// The domain, as written.
        name: Name,
        /// The type that it narrows.
        base: TypeName,
        /// NOT NULL.
        not_null: bool,
        /// DEFAULT.
        default: Option<Expression>,
        /// Its CHECK constraints, in order.
        checks: Vec<DomainCheck>,
    },
    /// ALTER DOMAIN.
    AlterDomain {
        /// The domain, as written.
        name: Name,
        /// What is altered.
        action: DomainAction,
    },
    /// ALTER TYPE ... ADD VALUE.
    AddEnumValue {
        /// The enum type, as written.
        name: Name,
        /// The new label, quotes undone.
        value: Box<str>,
        /// IF NOT EXISTS.
        if_not_exists: bool,
        /// BEFORE or AFTER another label; otherwise it is added at the end.
        placed: bool,
    },
    /// ALTER TYPE ... RENAME VALUE.
    RenameEnumValue {
        /// The enum type, as written.
        name: Name,
        /// The old label, quotes undone.
        from: Box<str>,
        /// The new label, quotes undone.
        to: Box<str>,
    },
    /// `CREATE [OR REPLACE] FUNCTION`, PROCEDURE.
    CreateFunction(Box<CreateFunction>),
    /// CREATE TRIGGER.
    CreateTrigger(Box<CreateTrigger>),
    /// CREATE RULE on a relation.
    CreateRule {
        /// The rule, unique among those of its relation.
        name: Ident,
        /// The table or view behind TO, as written.
        table: Name,
        /// OR REPLACE.
        or_replace: bool,
    },
    /// CREATE POLICY or ALTER POLICY.
    Policy(Box<Policy>),
    /// CREATE STATISTICS.
    CreateStatistics {
        /// As written; `None` lets the server choose (16).
        name: Option<Name>,
        /// The table behind FROM; `None` if it could not be read.
        table: Option<Name>,
        /// Its kinds (`ndistinct`, `dependencies`, `mcv`); empty for all.
        kinds: Vec<Ident>,
        /// Plain columns among those behind ON.
        columns: Vec<Ident>,
        /// Expressions among them (14).
        expressions: Vec<Expression>,
        /// IF NOT EXISTS.
        if_not_exists: bool,
    },
    /// CREATE SCHEMA. Elements inside it follow as operations of their own.
    CreateSchema {
        /// The schema; that of the role behind AUTHORIZATION if it has no name of its own.
        name: Ident,
        /// IF NOT EXISTS.
        if_not_exists: bool,
    },
    /// CREATE EXTENSION.
    CreateExtension {
        /// The extension, by the name of its control file.
        name: Ident,
        /// IF NOT EXISTS.
        if_not_exists: bool,
        /// SCHEMA: where its objects go; `None` leaves it to the control file or `search_path`.
        schema: Option<Ident>,
        /// VERSION; `None` takes the one that the server's files call the default.
        version: Option<Box<str>>,
    },
    /// DROP of one object; a statement with several names gives several of these.
    Drop(Drop),
    /// RENAME TO of anything that is no relation (for relations: [`AlterAction::RenameTo`]).
    Rename {
        /// What kind of object the statement says.
        object: ObjectKind,
        /// The old name, as written.
        name: Name,
        /// The table of a trigger, rule or policy; `None` for everything else.
        table: Option<Name>,
        /// The new name.
        to: Ident,
    },
    /// TRUNCATE, one for each table.
    Truncate {
        /// The table, as written.
        table: Name,
        /// ONLY: tables that inherit from it keep their rows.
        only: bool,
        /// CASCADE: tables with foreign keys to it are emptied too.
        cascade: bool,
        /// RESTART IDENTITY: sequences that its columns own start anew.
        restart_identity: bool,
    },
    /// INSERT.
    Insert(Box<Insert>),
    /// UPDATE.
    Update(Box<Update>),
    /// DELETE.
    Delete(Box<Delete>),
    /// MERGE (15).
    Merge {
        /// The table that is changed, as written.
        table: Name,
        /// It changes few rows: LIMIT, FETCH FIRST or VALUES bounds what stands behind USING, and ON finds rows by an equality.
        limited: bool,
        /// Relations behind USING and in subqueries, each once.
        reads: Vec<Name>,
        /// Functions called anywhere in it, each once.
        calls: Vec<Name>,
    },
    /// COPY.
    Copy {
        /// The table, as written; `None` if a query's rows are copied.
        table: Option<Name>,
        /// FROM: rows go into the table; false for TO.
        from: bool,
        /// PROGRAM: a command on the server's machine gives or takes the rows.
        program: bool,
        /// FROM STDIN; false for TO STDOUT.
        stdin: bool,
        /// Bytes of the lines of data that stand in the file behind COPY FROM STDIN; `None` if there are none.
        data: Option<u32>,
        /// Relations that the query of COPY TO, or the WHERE of COPY FROM, reads; the table itself is not among them.
        reads: Vec<Name>,
    },
    /// SELECT, VALUES, TABLE, EXPLAIN, and what else only reads.
    Select {
        /// Relations that it names, CTEs not among them, each once.
        reads: Vec<Name>,
        /// Functions that it calls, each once; none for EXPLAIN, which calls nothing.
        calls: Vec<Name>,
        /// FOR UPDATE, NO KEY UPDATE, SHARE or KEY SHARE, anywhere in it.
        locks_rows: bool,
        /// Its tokens with one space between, keywords and bare names folded; `None` for a query too long to keep.
        text: Option<Box<str>>,
    },
    /// LOCK TABLE, one for each table.
    LockTable {
        /// The table, as written.
        table: Name,
        /// ONLY: tables that inherit from it are not locked.
        only: bool,
        /// The mode behind IN; ACCESS EXCLUSIVE if none is said.
        mode: LockMode,
        /// NOWAIT: fails where it would have to wait.
        nowait: bool,
    },
    /// VACUUM, one for each table, or one with none.
    Vacuum {
        /// The table, as written; `None` for every table of the database.
        table: Option<Name>,
        /// FULL: the table is written anew.
        full: bool,
        /// ANALYZE: statistics are gathered too.
        analyze: bool,
        /// False for TRUNCATE off (12): empty pages at the end stay, so no ACCESS EXCLUSIVE is taken to cut them off.
        truncate: bool,
    },
    /// ANALYZE, one for each table, or one with none.
    Analyze {
        /// The table, as written; `None` for every table of the database.
        table: Option<Name>,
    },
    /// CLUSTER.
    Cluster {
        /// The table, as written; `None` for every table that has been clustered before.
        table: Option<Name>,
        /// The index whose order is taken; `None` for the one of last time.
        index: Option<Ident>,
    },
    /// REPACK (19).
    Repack {
        /// The table, as written; `None` for every table of the database.
        table: Option<Name>,
        /// CONCURRENTLY: others go on reading and writing nearly to the end.
        concurrently: bool,
    },
    /// DO.
    DoBlock {
        /// LANGUAGE; `None` is `plpgsql`.
        language: Option<Ident>,
        /// The code, with its quotes; `None` if psql puts it in.
        body: Option<Span>,
    },
    /// CALL.
    Call {
        /// The procedure, as written.
        procedure: Name,
    },
    /// COMMENT ON, SECURITY LABEL.
    Comment {
        /// What kind of object the statement says.
        object: ObjectKind,
        /// The object, as written; `None` for casts, operators and others that are not called by a name alone.
        name: Option<Name>,
        /// The relation of a column, constraint, trigger, rule or policy; `None` for everything else.
        table: Option<Name>,
        /// The text as a literal, as written, or the psql variable that stands for it; `None` for NULL, which takes it away.
        text: Option<Arc<str>>,
        /// SECURITY LABEL.
        label: bool,
    },
    /// GRANT or REVOKE, also in ALTER DEFAULT PRIVILEGES.
    Privilege(Box<Privilege>),
    /// BEGIN, START TRANSACTION.
    Begin,
    /// COMMIT, END.
    Commit {
        /// AND CHAIN (12): the next transaction begins at once.
        chain: bool,
    },
    /// ROLLBACK, ABORT.
    Rollback {
        /// AND CHAIN (12): the next transaction begins at once.
        chain: bool,
    },
    /// SAVEPOINT.
    Savepoint(Ident),
    /// RELEASE SAVEPOINT.
    Release(Ident),
    /// ROLLBACK TO SAVEPOINT.
    RollbackTo(Ident),
    /// PREPARE TRANSACTION, COMMIT PREPARED, ROLLBACK PREPARED.
    TwoPhase(TwoPhase),
    /// SET, SET LOCAL, also `SELECT set_config('name', 'value', is_local)` with literals.
    Set {
        /// The setting, in lower case; `SET ROLE`, `SET TIME ZONE` and their kin by the setting that they stand for.
        name: Box<str>,
        /// `None` for DEFAULT.
        value: Option<SettingValue>,
        /// LOCAL: the end of the transaction undoes it.
        local: bool,
    },
    /// RESET, and DISCARD ALL, which resets all.
    Reset {
        /// The setting, in lower case; `None` for ALL.
        name: Option<Box<str>>,
    },
    /// SET CONSTRAINTS.
    SetConstraints {
        /// DEFERRED; false for IMMEDIATE.
        deferred: bool,
    },
    /// A statement whose kind is known, which touches no table but those of a publication, and of which nothing more is asked.
    Other {
        /// Its leading keywords in lower case (`create publication`).
        words: Box<str>,
        /// The object that it names, as written; `None` if it names none by a name alone.
        object: Option<Name>,
        /// The tables that it puts into a publication or takes out of one.
        tables: Vec<Published>,
        /// False where PostgreSQL refuses it in a transaction block.
        transactional: bool,
    },
    /// Something in a body, or the call of one, that may run any statement: nobody sees here which.
    Dynamic {
        /// Why, in words (`its body is in plpython3u`).
        construct: Box<str>,
    },
    /// A statement that could not be read at all.
    Unreadable {
        /// What stood there instead of what was expected.
        why: Box<str>,
    },
    /// A psql meta-command (`\c`, `\i`).
    PsqlCommand {
        /// Its name without the backslash.
        word: Box<str>,
    },
}

impl Operation {
    /// The table whose rows it adds, changes or deletes one by one; TRUNCATE is none of these.
    pub fn writes_to(&self) -> Option<&Name> {
        match self {
            Self::Insert(insert) => Some(&insert.table),
            Self::Update(update) => Some(&update.table),
            Self::Delete(delete) => Some(&delete.table),
            Self::Merge { table, .. } => Some(table),
            Self::Copy { table, from: true, .. } => table.as_ref(),
            _ => None,
        }
    }

    /// Whether it may run statements that nobody sees here. What DO and a call run are statements of their own.
    pub fn runs_unseen(&self) -> bool {
        match self {
            Self::Dynamic { .. } | Self::Unreadable { .. } => true,
            Self::PsqlCommand { word } => !is_harmless(word),
            _ => false,
        }
    }
}

impl Operation {
    /// The functions and procedures that it calls, each once.
    pub fn calls(&self) -> &[Name] {
        match self {
            Self::Call { procedure } => std::slice::from_ref(procedure),
            Self::Select { calls, .. } | Self::Merge { calls, .. } => calls,
            Self::Insert(insert) => &insert.calls,
            Self::Update(update) => &update.calls,
            Self::Delete(delete) => &delete.calls,
            Self::CreateTableAs(create) if create.with_data => &create.calls,
            Self::CreateMaterializedView(view) if view.with_data => &view.calls,
            _ => &[],
        }
    }
}

/// Commands of psql that only look, print, or change psql itself. Any other may run statements that nobody sees here.
fn is_harmless(word: &str) -> bool {
    const HARMLESS: [&str; 19] = [
        "a",
        "copy",
        "echo",
        "encoding",
        "errverbose",
        "g",
        "p",
        "prompt",
        "pset",
        "qecho",
        "restrict",
        "set",
        "t",
        "timing",
        "unrestrict",
        "unset",
        "warn",
        "watch",
        "x",
    ];
    HARMLESS.binary_search(&word).is_ok() || (word.starts_with('d') && word != "drop")
}
