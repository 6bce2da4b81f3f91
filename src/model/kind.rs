//! The words for what a statement does: one for each kind of [`Operation`], as rule files and reports say it.

use super::operation::{AlterAction, ConstraintKind, DomainAction, ObjectKind, Operation};
use std::fmt;

/// Writes the enum, its list and its words from one table, so that none of them can lack a row.
macro_rules! vocabulary {
    ($($variant:ident $word:literal $doc:literal)*) => {
        /// The kind of an operation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum OpKind { $(#[doc = $doc] $variant,)* }

        impl OpKind {
            /// All of them, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word that rule files use.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The SQL that it stands for, in a few words.
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }
        }
    };
}

vocabulary! {
    CreateTable "create_table" "CREATE TABLE, without its constraints"
    CreateTableAs "create_table_as" "CREATE TABLE AS, SELECT INTO"
    AddColumn "add_column" "ALTER TABLE ADD COLUMN, without its constraints"
    DropColumn "drop_column" "ALTER TABLE DROP COLUMN"
    SetDefault "set_default" "ALTER COLUMN SET DEFAULT"
    DropDefault "drop_default" "ALTER COLUMN DROP DEFAULT"
    SetNotNull "set_not_null" "ALTER COLUMN SET NOT NULL"
    DropNotNull "drop_not_null" "ALTER COLUMN DROP NOT NULL"
    ChangeColumnType "change_column_type" "ALTER COLUMN TYPE"
    SetExpression "set_expression" "ALTER COLUMN SET EXPRESSION (17)"
    DropExpression "drop_expression" "ALTER COLUMN DROP EXPRESSION"
    AddIdentity "add_identity" "ALTER COLUMN ADD GENERATED AS IDENTITY"
    SetIdentity "set_identity" "ALTER COLUMN SET GENERATED, RESTART and other options of its identity"
    DropIdentity "drop_identity" "ALTER COLUMN DROP IDENTITY"
    SetStatistics "set_statistics" "ALTER COLUMN SET STATISTICS"
    SetColumnOptions "set_column_options" "ALTER COLUMN SET (...), RESET (...)"
    SetStorage "set_storage" "ALTER COLUMN SET STORAGE"
    SetCompression "set_compression" "ALTER COLUMN SET COMPRESSION"
    AddCheck "add_check" "a CHECK constraint, wherever it is written"
    AddNotNullConstraint "add_not_null_constraint" "a NOT NULL that is written as a constraint of the table (18)"
    AddUnique "add_unique" "a UNIQUE constraint, wherever it is written"
    AddPrimaryKey "add_primary_key" "a PRIMARY KEY, wherever it is written"
    AddExclusion "add_exclusion" "an EXCLUDE constraint, wherever it is written"
    AddForeignKey "add_foreign_key" "a foreign key, wherever it is written"
    AlterConstraint "alter_constraint" "ALTER CONSTRAINT"
    ValidateConstraint "validate_constraint" "VALIDATE CONSTRAINT"
    DropConstraint "drop_constraint" "DROP CONSTRAINT"
    RenameColumn "rename_column" "RENAME COLUMN"
    RenameConstraint "rename_constraint" "RENAME CONSTRAINT"
    RenameTable "rename_table" "ALTER TABLE or ALTER FOREIGN TABLE ... RENAME TO"
    RenameIndex "rename_index" "ALTER INDEX ... RENAME TO"
    RenameView "rename_view" "ALTER VIEW or ALTER MATERIALIZED VIEW ... RENAME TO"
    RenameSequence "rename_sequence" "ALTER SEQUENCE ... RENAME TO"
    RenameType "rename_type" "ALTER TYPE or ALTER DOMAIN ... RENAME TO"
    RenameFunction "rename_function" "ALTER FUNCTION, PROCEDURE, ROUTINE or AGGREGATE ... RENAME TO"
    RenameSchema "rename_schema" "ALTER SCHEMA ... RENAME TO"
    RenameObject "rename_object" "RENAME TO of anything else"
    SetSchema "set_schema" "SET SCHEMA"
    SetTrigger "set_trigger" "ENABLE or DISABLE TRIGGER"
    SetRule "set_rule" "ENABLE or DISABLE RULE"
    SetRowSecurity "set_row_security" "ENABLE, DISABLE, FORCE, NO FORCE ROW LEVEL SECURITY"
    SetPersistence "set_persistence" "SET LOGGED, SET UNLOGGED"
    SetTablespace "set_tablespace" "SET TABLESPACE"
    SetAccessMethod "set_access_method" "SET ACCESS METHOD"
    ClusterOn "cluster_on" "CLUSTER ON, SET WITHOUT CLUSTER"
    SetOptions "set_options" "SET (...) of a relation"
    ResetOptions "reset_options" "RESET (...) of a relation"
    Inherit "inherit" "INHERIT"
    NoInherit "no_inherit" "NO INHERIT"
    SetOfType "set_of_type" "OF type, NOT OF"
    ChangeOwner "change_owner" "OWNER TO of a relation"
    SetReplicaIdentity "set_replica_identity" "REPLICA IDENTITY"
    AttachPartition "attach_partition" "ATTACH PARTITION"
    DetachPartition "detach_partition" "DETACH PARTITION"
    MergePartitions "merge_partitions" "MERGE PARTITIONS (19)"
    SplitPartition "split_partition" "SPLIT PARTITION (19)"
    AttachIndex "attach_index" "ALTER INDEX ... ATTACH PARTITION"
    DependsOnExtension "depends_on_extension" "DEPENDS ON EXTENSION"
    AddAttribute "add_attribute" "ALTER TYPE ADD ATTRIBUTE"
    DropAttribute "drop_attribute" "ALTER TYPE DROP ATTRIBUTE"
    ChangeAttributeType "change_attribute_type" "ALTER TYPE ALTER ATTRIBUTE"
    RenameAttribute "rename_attribute" "ALTER TYPE RENAME ATTRIBUTE"
    AlterOther "alter_other" "a subcommand of ALTER that is known and of which nothing more is asked"
    CreateIndex "create_index" "CREATE INDEX"
    Reindex "reindex" "REINDEX"
    CreateView "create_view" "CREATE VIEW"
    CreateMaterializedView "create_materialized_view" "CREATE MATERIALIZED VIEW"
    RefreshMaterializedView "refresh_materialized_view" "REFRESH MATERIALIZED VIEW"
    CreateSequence "create_sequence" "CREATE SEQUENCE"
    AlterSequence "alter_sequence" "ALTER SEQUENCE, its options"
    CreateType "create_type" "CREATE TYPE"
    CreateDomain "create_domain" "CREATE DOMAIN"
    AddDomainCheck "add_domain_check" "ALTER DOMAIN ADD CHECK"
    AddDomainNotNull "add_domain_not_null" "ALTER DOMAIN SET NOT NULL, ADD NOT NULL"
    ValidateDomainConstraint "validate_domain_constraint" "ALTER DOMAIN VALIDATE CONSTRAINT"
    DropDomainConstraint "drop_domain_constraint" "ALTER DOMAIN DROP CONSTRAINT"
    AlterDomain "alter_domain" "any other ALTER DOMAIN"
    AddEnumValue "add_enum_value" "ALTER TYPE ADD VALUE"
    RenameEnumValue "rename_enum_value" "ALTER TYPE RENAME VALUE"
    CreateFunction "create_function" "CREATE FUNCTION, PROCEDURE"
    CreateTrigger "create_trigger" "CREATE TRIGGER"
    CreateRule "create_rule" "CREATE RULE"
    CreatePolicy "create_policy" "CREATE POLICY"
    AlterPolicy "alter_policy" "ALTER POLICY"
    CreateStatistics "create_statistics" "CREATE STATISTICS"
    CreateSchema "create_schema" "CREATE SCHEMA"
    CreateExtension "create_extension" "CREATE EXTENSION"
    DropTable "drop_table" "DROP TABLE, DROP FOREIGN TABLE"
    DropIndex "drop_index" "DROP INDEX"
    DropView "drop_view" "DROP VIEW"
    DropMaterializedView "drop_materialized_view" "DROP MATERIALIZED VIEW"
    DropSequence "drop_sequence" "DROP SEQUENCE"
    DropType "drop_type" "DROP TYPE"
    DropDomain "drop_domain" "DROP DOMAIN"
    DropFunction "drop_function" "DROP FUNCTION, PROCEDURE, ROUTINE, AGGREGATE"
    DropTrigger "drop_trigger" "DROP TRIGGER"
    DropRule "drop_rule" "DROP RULE"
    DropPolicy "drop_policy" "DROP POLICY"
    DropStatistics "drop_statistics" "DROP STATISTICS"
    DropSchema "drop_schema" "DROP SCHEMA"
    DropExtension "drop_extension" "DROP EXTENSION"
    DropDatabase "drop_database" "DROP DATABASE"
    DropTablespace "drop_tablespace" "DROP TABLESPACE"
    DropPublication "drop_publication" "DROP PUBLICATION"
    DropSubscription "drop_subscription" "DROP SUBSCRIPTION"
    DropObject "drop_object" "DROP of anything else"
    Truncate "truncate" "TRUNCATE"
    Insert "insert" "INSERT"
    Update "update" "UPDATE"
    Delete "delete" "DELETE"
    Merge "merge" "MERGE"
    Copy "copy" "COPY"
    Select "select" "SELECT and what else only reads"
    LockTable "lock_table" "LOCK TABLE"
    Vacuum "vacuum" "VACUUM"
    Analyze "analyze" "ANALYZE"
    Cluster "cluster" "CLUSTER"
    Repack "repack" "REPACK (19)"
    DoBlock "do_block" "DO"
    Call "call" "CALL"
    Dynamic "dynamic" "a part of a body, or a call of one, that may run any statement"
    Comment "comment" "COMMENT ON, SECURITY LABEL"
    Grant "grant" "GRANT, also in ALTER DEFAULT PRIVILEGES"
    Revoke "revoke" "REVOKE, also in ALTER DEFAULT PRIVILEGES"
    Begin "begin" "BEGIN, START TRANSACTION"
    Commit "commit" "COMMIT, END"
    Rollback "rollback" "ROLLBACK, ABORT"
    Savepoint "savepoint" "SAVEPOINT"
    ReleaseSavepoint "release_savepoint" "RELEASE SAVEPOINT"
    RollbackToSavepoint "rollback_to_savepoint" "ROLLBACK TO SAVEPOINT"
    TwoPhase "two_phase" "PREPARE TRANSACTION, COMMIT PREPARED, ROLLBACK PREPARED"
    Set "set" "SET, SET LOCAL, set_config"
    Reset "reset" "RESET, DISCARD ALL"
    SetConstraints "set_constraints" "SET CONSTRAINTS"
    Other "other" "a statement whose kind is known, which touches no table, and of which nothing more is asked"
    Unreadable "unreadable" "a statement that could not be read"
    AlterUnreadable "alter_unreadable" "a subcommand of ALTER that could not be read"
    PsqlCommand "psql_command" "a psql meta-command"
    Statement "statement" "a statement as a whole, judged after its operations"
    Release "release" "the files of a release (`--since`, `--release`) as a whole, judged once, behind the last of them"
    Migration "migration" "the file as a whole, judged once, before its statements"
    BrokenText "broken_text" "a place in the file that is no text: a NUL byte, a byte that is no UTF-8, a byte order mark; or not the text that it looks like"
    Secret "secret" "a password, a connection string or a key in plain text"
    LongName "long_name" "a name of something new that is longer than the server keeps"
    Allowance "allowance" "a comment `-- lockkeeper: allow ...`, judged after the statements"
    ForeignAllowance "foreign_allowance" "a suppression comment of another linter, judged after the statements"
}

impl OpKind {
    /// The kind that a word names.
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.word() == word)
    }

    /// Whether it stands for an operation, rather than for a statement, a file or a comment.
    pub const fn is_operation(self) -> bool {
        !matches!(
            self,
            Self::Statement
                | Self::Release
                | Self::Migration
                | Self::BrokenText
                | Self::Secret
                | Self::LongName
                | Self::Allowance
                | Self::ForeignAllowance
        )
    }
}

impl fmt::Display for OpKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Operation {
    /// The word for this operation.
    pub fn kind(&self) -> OpKind {
        match self {
            Self::CreateTable(_) => OpKind::CreateTable,
            Self::CreateTableAs(_) => OpKind::CreateTableAs,
            Self::Alter(target, action) => action.kind(target.written),
            Self::AddConstraint(constraint) => constraint.kind.kind(),
            Self::CreateIndex(_) => OpKind::CreateIndex,
            Self::Reindex(_) => OpKind::Reindex,
            Self::CreateView(_) => OpKind::CreateView,
            Self::CreateMaterializedView(_) => OpKind::CreateMaterializedView,
            Self::RefreshMaterializedView { .. } => OpKind::RefreshMaterializedView,
            Self::CreateSequence { .. } => OpKind::CreateSequence,
            Self::AlterSequence { .. } => OpKind::AlterSequence,
            Self::CreateType { .. } => OpKind::CreateType,
            Self::CreateDomain { .. } => OpKind::CreateDomain,
            Self::AlterDomain { action, .. } => action.kind(),
            Self::AddEnumValue { .. } => OpKind::AddEnumValue,
            Self::RenameEnumValue { .. } => OpKind::RenameEnumValue,
            Self::CreateFunction(_) => OpKind::CreateFunction,
            Self::CreateTrigger(_) => OpKind::CreateTrigger,
            Self::CreateRule { .. } => OpKind::CreateRule,
            Self::Policy(policy) => {
                if policy.create {
                    OpKind::CreatePolicy
                } else {
                    OpKind::AlterPolicy
                }
            }
            Self::CreateStatistics { .. } => OpKind::CreateStatistics,
            Self::CreateSchema { .. } => OpKind::CreateSchema,
            Self::CreateExtension { .. } => OpKind::CreateExtension,
            Self::Drop(drop) => dropped(drop.object),
            Self::Rename { object, .. } => renamed(*object),
            Self::Truncate { .. } => OpKind::Truncate,
            Self::Insert(_) => OpKind::Insert,
            Self::Update(_) => OpKind::Update,
            Self::Delete(_) => OpKind::Delete,
            Self::Merge { .. } => OpKind::Merge,
            Self::Copy { .. } => OpKind::Copy,
            Self::Select { .. } => OpKind::Select,
            Self::LockTable { .. } => OpKind::LockTable,
            Self::Vacuum { .. } => OpKind::Vacuum,
            Self::Analyze { .. } => OpKind::Analyze,
            Self::Cluster { .. } => OpKind::Cluster,
            Self::Repack { .. } => OpKind::Repack,
            Self::DoBlock { .. } => OpKind::DoBlock,
            Self::Call { .. } => OpKind::Call,
            Self::Dynamic { .. } => OpKind::Dynamic,
            Self::Comment { .. } => OpKind::Comment,
            Self::Privilege(privilege) => {
                if privilege.grant {
                    OpKind::Grant
                } else {
                    OpKind::Revoke
                }
            }
            Self::Begin => OpKind::Begin,
            Self::Commit { .. } => OpKind::Commit,
            Self::Rollback { .. } => OpKind::Rollback,
            Self::Savepoint(_) => OpKind::Savepoint,
            Self::Release(_) => OpKind::ReleaseSavepoint,
            Self::RollbackTo(_) => OpKind::RollbackToSavepoint,
            Self::TwoPhase(_) => OpKind::TwoPhase,
            Self::Set { .. } => OpKind::Set,
            Self::Reset { .. } => OpKind::Reset,
            Self::SetConstraints { .. } => OpKind::SetConstraints,
            Self::Other { .. } => OpKind::Other,
            Self::Unreadable { .. } => OpKind::Unreadable,
            Self::PsqlCommand { .. } => OpKind::PsqlCommand,
        }
    }
}

impl AlterAction {
    fn kind(&self, of: ObjectKind) -> OpKind {
        match self {
            Self::AddColumn { .. } => OpKind::AddColumn,
            Self::DropColumn { .. } => OpKind::DropColumn,
            Self::SetDefault { .. } => OpKind::SetDefault,
            Self::DropDefault { .. } => OpKind::DropDefault,
            Self::SetNotNull { .. } => OpKind::SetNotNull,
            Self::DropNotNull { .. } => OpKind::DropNotNull,
            Self::ChangeType { .. } => OpKind::ChangeColumnType,
            Self::SetExpression { .. } => OpKind::SetExpression,
            Self::DropExpression { .. } => OpKind::DropExpression,
            Self::AddIdentity { .. } => OpKind::AddIdentity,
            Self::SetIdentity { .. } => OpKind::SetIdentity,
            Self::DropIdentity { .. } => OpKind::DropIdentity,
            Self::SetStatistics { .. } => OpKind::SetStatistics,
            Self::SetColumnOptions { .. } => OpKind::SetColumnOptions,
            Self::SetStorage { .. } => OpKind::SetStorage,
            Self::SetCompression { .. } => OpKind::SetCompression,
            Self::AlterConstraint { .. } => OpKind::AlterConstraint,
            Self::ValidateConstraint { .. } => OpKind::ValidateConstraint,
            Self::DropConstraint { .. } => OpKind::DropConstraint,
            Self::RenameColumn { .. } => OpKind::RenameColumn,
            Self::RenameConstraint { .. } => OpKind::RenameConstraint,
            Self::RenameTo { .. } => renamed(of),
            Self::SetSchema { .. } => OpKind::SetSchema,
            Self::SetTrigger { .. } => OpKind::SetTrigger,
            Self::SetRule { .. } => OpKind::SetRule,
            Self::RowSecurity(_) => OpKind::SetRowSecurity,
            Self::SetPersistence(_) => OpKind::SetPersistence,
            Self::SetTablespace { .. } => OpKind::SetTablespace,
            Self::SetAccessMethod { .. } => OpKind::SetAccessMethod,
            Self::ClusterOn { .. } | Self::SetWithoutCluster => OpKind::ClusterOn,
            Self::SetOptions { .. } => OpKind::SetOptions,
            Self::ResetOptions { .. } => OpKind::ResetOptions,
            Self::Inherit { .. } => OpKind::Inherit,
            Self::NoInherit { .. } => OpKind::NoInherit,
            Self::OfType { .. } | Self::NotOf => OpKind::SetOfType,
            Self::OwnerTo { .. } => OpKind::ChangeOwner,
            Self::ReplicaIdentity(_) => OpKind::SetReplicaIdentity,
            Self::AttachPartition { .. } => OpKind::AttachPartition,
            Self::DetachPartition { .. } => OpKind::DetachPartition,
            Self::MergePartitions { .. } => OpKind::MergePartitions,
            Self::SplitPartition { .. } => OpKind::SplitPartition,
            Self::AttachIndex { .. } => OpKind::AttachIndex,
            Self::DependsOnExtension => OpKind::DependsOnExtension,
            Self::AddAttribute { .. } => OpKind::AddAttribute,
            Self::DropAttribute { .. } => OpKind::DropAttribute,
            Self::ChangeAttribute { .. } => OpKind::ChangeAttributeType,
            Self::RenameAttribute { .. } => OpKind::RenameAttribute,
            Self::Other { .. } => OpKind::AlterOther,
            Self::Unreadable { .. } => OpKind::AlterUnreadable,
        }
    }
}

impl ConstraintKind {
    fn kind(&self) -> OpKind {
        match self {
            Self::Check { .. } => OpKind::AddCheck,
            Self::NotNull { .. } => OpKind::AddNotNullConstraint,
            Self::Unique(_) => OpKind::AddUnique,
            Self::PrimaryKey(_) => OpKind::AddPrimaryKey,
            Self::Exclude { .. } => OpKind::AddExclusion,
            Self::ForeignKey(_) => OpKind::AddForeignKey,
        }
    }
}

impl DomainAction {
    fn kind(&self) -> OpKind {
        match self {
            Self::AddCheck(_) => OpKind::AddDomainCheck,
            Self::SetNotNull | Self::AddNotNull => OpKind::AddDomainNotNull,
            Self::ValidateConstraint { .. } => OpKind::ValidateDomainConstraint,
            Self::DropConstraint { .. } => OpKind::DropDomainConstraint,
            Self::SetDefault | Self::DropDefault | Self::DropNotNull | Self::RenameConstraint { .. } | Self::Other { .. } => {
                OpKind::AlterDomain
            }
        }
    }
}

fn dropped(object: ObjectKind) -> OpKind {
    match object {
        ObjectKind::Table | ObjectKind::ForeignTable => OpKind::DropTable,
        ObjectKind::Index => OpKind::DropIndex,
        ObjectKind::View => OpKind::DropView,
        ObjectKind::MaterializedView => OpKind::DropMaterializedView,
        ObjectKind::Sequence => OpKind::DropSequence,
        ObjectKind::Column => OpKind::DropColumn,
        ObjectKind::Constraint => OpKind::DropConstraint,
        ObjectKind::Trigger => OpKind::DropTrigger,
        ObjectKind::Rule => OpKind::DropRule,
        ObjectKind::Policy => OpKind::DropPolicy,
        ObjectKind::Type => OpKind::DropType,
        ObjectKind::Domain => OpKind::DropDomain,
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Aggregate => OpKind::DropFunction,
        ObjectKind::Statistics => OpKind::DropStatistics,
        ObjectKind::Schema => OpKind::DropSchema,
        ObjectKind::Extension => OpKind::DropExtension,
        ObjectKind::Database => OpKind::DropDatabase,
        ObjectKind::Tablespace => OpKind::DropTablespace,
        ObjectKind::Publication => OpKind::DropPublication,
        ObjectKind::Subscription => OpKind::DropSubscription,
        ObjectKind::Role | ObjectKind::EventTrigger | ObjectKind::Other => OpKind::DropObject,
    }
}

fn renamed(object: ObjectKind) -> OpKind {
    match object {
        ObjectKind::Table | ObjectKind::ForeignTable => OpKind::RenameTable,
        ObjectKind::Index => OpKind::RenameIndex,
        ObjectKind::View | ObjectKind::MaterializedView => OpKind::RenameView,
        ObjectKind::Sequence => OpKind::RenameSequence,
        ObjectKind::Column => OpKind::RenameColumn,
        ObjectKind::Constraint => OpKind::RenameConstraint,
        ObjectKind::Type | ObjectKind::Domain => OpKind::RenameType,
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Aggregate => OpKind::RenameFunction,
        ObjectKind::Schema => OpKind::RenameSchema,
        ObjectKind::Trigger
        | ObjectKind::Rule
        | ObjectKind::Policy
        | ObjectKind::Statistics
        | ObjectKind::Extension
        | ObjectKind::Database
        | ObjectKind::Tablespace
        | ObjectKind::Role
        | ObjectKind::Publication
        | ObjectKind::Subscription
        | ObjectKind::EventTrigger
        | ObjectKind::Other => OpKind::RenameObject,
    }
}
