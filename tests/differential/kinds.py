"""PostgreSQL's statement nodes in lockkeeper's words."""

DROPS = {
    "OBJECT_TABLE": "drop_table",
    "OBJECT_FOREIGN_TABLE": "drop_table",
    "OBJECT_INDEX": "drop_index",
    "OBJECT_VIEW": "drop_view",
    "OBJECT_MATVIEW": "drop_materialized_view",
    "OBJECT_SEQUENCE": "drop_sequence",
    "OBJECT_TYPE": "drop_type",
    "OBJECT_DOMAIN": "drop_domain",
    "OBJECT_FUNCTION": "drop_function",
    "OBJECT_PROCEDURE": "drop_function",
    "OBJECT_ROUTINE": "drop_function",
    "OBJECT_AGGREGATE": "drop_function",
    "OBJECT_TRIGGER": "drop_trigger",
    "OBJECT_RULE": "drop_rule",
    "OBJECT_POLICY": "drop_policy",
    "OBJECT_STATISTIC_EXT": "drop_statistics",
    "OBJECT_SCHEMA": "drop_schema",
    "OBJECT_EXTENSION": "drop_extension",
    "OBJECT_PUBLICATION": "drop_publication",
}

RENAMES = {
    "OBJECT_TABLE": "rename_table",
    "OBJECT_FOREIGN_TABLE": "rename_table",
    "OBJECT_INDEX": "rename_index",
    "OBJECT_VIEW": "rename_view",
    "OBJECT_MATVIEW": "rename_view",
    "OBJECT_SEQUENCE": "rename_sequence",
    "OBJECT_COLUMN": "rename_column",
    "OBJECT_ATTRIBUTE": "rename_attribute",
    "OBJECT_TABCONSTRAINT": "rename_constraint",
    "OBJECT_DOMCONSTRAINT": "alter_domain",
    "OBJECT_TYPE": "rename_type",
    "OBJECT_DOMAIN": "rename_type",
    "OBJECT_FUNCTION": "rename_function",
    "OBJECT_PROCEDURE": "rename_function",
    "OBJECT_ROUTINE": "rename_function",
    "OBJECT_AGGREGATE": "rename_function",
    "OBJECT_SCHEMA": "rename_schema",
}

# Objects that ALTER ... SET SCHEMA and OWNER TO treat as subcommands of a relation.
RELATIONS = ("OBJECT_TABLE", "OBJECT_FOREIGN_TABLE", "OBJECT_INDEX", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE")

TRANSACTIONS = {
    "TRANS_STMT_BEGIN": "begin",
    "TRANS_STMT_START": "begin",
    "TRANS_STMT_COMMIT": "commit",
    "TRANS_STMT_ROLLBACK": "rollback",
    "TRANS_STMT_SAVEPOINT": "savepoint",
    "TRANS_STMT_RELEASE": "release_savepoint",
    "TRANS_STMT_ROLLBACK_TO": "rollback_to_savepoint",
    "TRANS_STMT_PREPARE": "two_phase",
    "TRANS_STMT_COMMIT_PREPARED": "two_phase",
    "TRANS_STMT_ROLLBACK_PREPARED": "two_phase",
}

SIMPLE = {
    "InsertStmt": ["insert"],
    "UpdateStmt": ["update"],
    "DeleteStmt": ["delete"],
    "MergeStmt": ["merge"],
    "CopyStmt": ["copy"],
    "TruncateStmt": ["truncate"],
    "LockStmt": ["lock_table"],
    "ClusterStmt": ["cluster"],
    "ReindexStmt": ["reindex"],
    "RefreshMatViewStmt": ["refresh_materialized_view"],
    "CreateStmt": ["create_table"],
    "CreateForeignTableStmt": ["create_table"],
    "IndexStmt": ["create_index"],
    "ViewStmt": ["create_view"],
    "CreateSeqStmt": ["create_sequence"],
    "AlterSeqStmt": ["alter_sequence"],
    "CreateEnumStmt": ["create_type"],
    "CompositeTypeStmt": ["create_type"],
    "CreateRangeStmt": ["create_type"],
    "CreateDomainStmt": ["create_domain"],
    "CreateFunctionStmt": ["create_function"],
    "CreateTrigStmt": ["create_trigger"],
    "RuleStmt": ["create_rule"],
    "CreatePolicyStmt": ["create_policy"],
    "AlterPolicyStmt": ["alter_policy"],
    "CreateStatsStmt": ["create_statistics"],
    "CreateSchemaStmt": ["create_schema"],
    "CreateExtensionStmt": ["create_extension"],
    "DoStmt": ["do_block"],
    "CallStmt": ["call"],
    "CommentStmt": ["comment"],
    "SecLabelStmt": ["comment"],
    "ConstraintsSetStmt": ["set_constraints"],
    "DropdbStmt": ["drop_database"],
    "DropTableSpaceStmt": ["drop_tablespace"],
    "DropSubscriptionStmt": ["drop_subscription"],
    "DropRoleStmt": ["drop_object"],
    "DropOwnedStmt": ["drop_object", "other: drop owned"],
    "DropUserMappingStmt": ["drop_object", "other: drop user mapping"],
    "DiscardStmt": ["reset", "other: discard"],
    "VariableShowStmt": ["other: show", "select"],
    "DeclareCursorStmt": ["other: declare", "select"],
    "FetchStmt": ["other: fetch", "other: move", "select"],
    "ClosePortalStmt": ["other: close"],
    "ExecuteStmt": ["other: execute"],
    "DeallocateStmt": ["other: deallocate"],
    "ListenStmt": ["other: listen"],
    "UnlistenStmt": ["other: unlisten"],
    "NotifyStmt": ["other: notify"],
    "LoadStmt": ["other: load"],
    "CheckPointStmt": ["other: checkpoint"],
    "ReassignOwnedStmt": ["other: reassign"],
    "ImportForeignSchemaStmt": ["other: import foreign schema"],
    "CreateRoleStmt": ["other: create role", "other: create user", "other: create group"],
    "AlterRoleStmt": ["other: alter role", "other: alter user", "other: alter group"],
    "AlterRoleSetStmt": ["other: alter role", "other: alter user"],
    "CreatedbStmt": ["other: create database"],
    "AlterDatabaseStmt": ["other: alter database"],
    "AlterDatabaseSetStmt": ["other: alter database"],
    "AlterDatabaseRefreshCollStmt": ["other: alter database"],
    "AlterSystemStmt": ["other: alter system"],
    "CreateTableSpaceStmt": ["other: create tablespace"],
    "AlterTableSpaceOptionsStmt": ["other: alter tablespace"],
    "CreatePublicationStmt": ["other: create publication"],
    "AlterPublicationStmt": ["other: alter publication"],
    "CreateSubscriptionStmt": ["other: create subscription"],
    "AlterSubscriptionStmt": ["other: alter subscription"],
    "CreateEventTrigStmt": ["other: create event trigger"],
    "AlterEventTrigStmt": ["other: alter event trigger"],
    "CreateCastStmt": ["other: create cast"],
    "CreateConversionStmt": ["other: create conversion", "other: create default conversion"],
    "CreateTransformStmt": ["other: create transform", "other: create or replace transform"],
    "CreateOpClassStmt": ["other: create operator class"],
    "CreateOpFamilyStmt": ["other: create operator family"],
    "AlterOpFamilyStmt": ["other: alter operator family"],
    "AlterOperatorStmt": ["other: alter operator"],
    "CreatePLangStmt": ["other: create language", "other: create trusted", "other: create procedural", "other: create or replace"],
    "CreateAmStmt": ["other: create access method"],
    "CreateFdwStmt": ["other: create foreign data wrapper"],
    "AlterFdwStmt": ["other: alter foreign data wrapper"],
    "CreateForeignServerStmt": ["other: create server"],
    "AlterForeignServerStmt": ["other: alter server"],
    "CreateUserMappingStmt": ["other: create user mapping"],
    "AlterUserMappingStmt": ["other: alter user mapping"],
    "AlterFunctionStmt": ["other: alter function", "other: alter procedure", "other: alter routine"],
    "AlterStatsStmt": ["other: alter statistics", "set_statistics"],
    "AlterTypeStmt": ["other: alter type", "alter_other"],
    "AlterCollationStmt": ["other: alter collation"],
    "AlterTSDictionaryStmt": ["other: alter text search"],
    "AlterTSConfigurationStmt": ["other: alter text search"],
    "AlterExtensionStmt": ["other: alter extension"],
    "AlterExtensionContentsStmt": ["other: alter extension"],
    "AlterObjectDependsStmt": ["depends_on_extension", "other: alter"],
    "AlterTableMoveAllStmt": ["set_tablespace", "other: alter"],
}

SUBCOMMANDS = {
    "AT_SetNotNull": "set_not_null",
    "AT_DropNotNull": "drop_not_null",
    "AT_SetExpression": "set_expression",
    "AT_DropExpression": "drop_expression",
    "AT_SetStatistics": "set_statistics",
    "AT_SetOptions": "set_column_options",
    "AT_ResetOptions": "set_column_options",
    "AT_SetStorage": "set_storage",
    "AT_SetCompression": "set_compression",
    "AT_AlterConstraint": "alter_constraint",
    "AT_ValidateConstraint": "validate_constraint",
    "AT_DropConstraint": "drop_constraint",
    "AT_AlterColumnGenericOptions": "alter_other",
    "AT_GenericOptions": "alter_other",
    "AT_DropOids": "alter_other",
    "AT_ChangeOwner": "change_owner",
    "AT_ClusterOn": "cluster_on",
    "AT_DropCluster": "cluster_on",
    "AT_SetLogged": "set_persistence",
    "AT_SetUnLogged": "set_persistence",
    "AT_SetAccessMethod": "set_access_method",
    "AT_SetTableSpace": "set_tablespace",
    "AT_SetRelOptions": "set_options",
    "AT_ResetRelOptions": "reset_options",
    "AT_AddInherit": "inherit",
    "AT_DropInherit": "no_inherit",
    "AT_AddOf": "set_of_type",
    "AT_DropOf": "set_of_type",
    "AT_ReplicaIdentity": "set_replica_identity",
    "AT_EnableRowSecurity": "set_row_security",
    "AT_DisableRowSecurity": "set_row_security",
    "AT_ForceRowSecurity": "set_row_security",
    "AT_NoForceRowSecurity": "set_row_security",
    "AT_DetachPartition": "detach_partition",
    "AT_DetachPartitionFinalize": "detach_partition",
    "AT_AddIdentity": "add_identity",
    "AT_SetIdentity": "set_identity",
    "AT_DropIdentity": "drop_identity",
}

CONSTRAINTS = {
    "CONSTR_CHECK": "add_check",
    "CONSTR_NOTNULL": "add_not_null_constraint",
    "CONSTR_PRIMARY": "add_primary_key",
    "CONSTR_UNIQUE": "add_unique",
    "CONSTR_EXCLUSION": "add_exclusion",
    "CONSTR_FOREIGN": "add_foreign_key",
}


def statement_words(tree):
    """The words for a statement's own operation, of which one has to fit."""
    (name, node), = tree.items()
    if name in SIMPLE:
        return SIMPLE[name]
    if name == "SelectStmt":
        return ["create_table_as"] if has_into(node) else ["select", "set", "insert", "update", "delete", "merge"]
    if name == "ExplainStmt":
        return ["select"] + statement_words(node["query"])
    if name == "PrepareStmt":
        return ["other: prepare"] + statement_words(node["query"])
    if name == "CreateTableAsStmt":
        return ["create_materialized_view"] if node["objtype"] == "OBJECT_MATVIEW" else ["create_table_as"]
    if name == "TransactionStmt":
        return [TRANSACTIONS[node["kind"]]]
    if name == "VariableSetStmt":
        return ["reset"] if "RESET" in node["kind"] else ["set", "other: set transaction", "other: set session characteristics"]
    if name == "VacuumStmt":
        return ["vacuum"] if node.get("is_vacuumcmd") else ["analyze"]
    if name == "DropStmt":
        return [DROPS[node["removeType"]]] if node["removeType"] in DROPS else ["drop_object", "other: drop"]
    if name == "RenameStmt":
        return renamed(node)
    if name == "AlterDefaultPrivilegesStmt":
        return ["grant"] if node["action"].get("is_grant") else ["revoke"]
    if name in ("GrantStmt", "GrantRoleStmt"):
        return ["grant"] if node.get("is_grant") else ["revoke"]
    if name == "AlterTableStmt":
        return alter_words(tree)[:1]
    if name == "AlterEnumStmt":
        return ["rename_enum_value"] if "oldVal" in node else ["add_enum_value"]
    if name == "AlterDomainStmt":
        return [domain_word(node)]
    if name == "DefineStmt":
        kind = node["kind"].removeprefix("OBJECT_").lower()
        if kind == "type":
            return ["create_type"]
        kind = {"tsparser": "text search", "tsdictionary": "text search", "tstemplate": "text search", "tsconfiguration": "text search"}.get(kind, kind)
        return [f"other: create {kind}", f"other: create or replace {kind}"]
    if name == "AlterObjectSchemaStmt":
        return ["set_schema"] if node["objectType"] in RELATIONS else ["set_schema", "alter_domain", "other: alter"]
    if name == "AlterOwnerStmt":
        return ["change_owner"] if node["objectType"] in RELATIONS else ["change_owner", "alter_domain", "other: alter"]
    return [f"no word for {name}"]


def has_into(node):
    while node.get("op", "SETOP_NONE") != "SETOP_NONE":
        node = node["larg"]
    return "intoClause" in node


def renamed(node):
    kind = node["renameType"]
    return [RENAMES[kind]] if kind in RENAMES else ["rename_object", "other: alter"]


def domain_word(node):
    subtype = node["subtype"]
    if isinstance(subtype, str) and len(subtype) > 1:
        subtype = {"AD_AlterDefault": "T", "AD_DropNotNull": "N", "AD_SetNotNull": "O", "AD_AddConstraint": "C", "AD_DropConstraint": "X", "AD_ValidateConstraint": "V"}[subtype]
    if subtype == "C":
        return "add_domain_not_null" if node["def"]["Constraint"]["contype"] == "CONSTR_NOTNULL" else "add_domain_check"
    return {"T": "alter_domain", "N": "alter_domain", "O": "add_domain_not_null", "X": "drop_domain_constraint", "V": "validate_domain_constraint"}[subtype]


def alter_words(tree):
    """The subcommands of ALTER TABLE and its kin; None for other statements."""
    node = tree.get("AlterTableStmt")
    if node is None:
        return None
    return [subcommand(cmd["AlterTableCmd"], node["objtype"]) for cmd in node["cmds"]]


def subcommand(cmd, of):
    subtype = cmd["subtype"]
    attribute = of == "OBJECT_TYPE"
    if subtype == "AT_AddColumn":
        return "add_attribute" if attribute else "add_column"
    if subtype == "AT_DropColumn":
        return "drop_attribute" if attribute else "drop_column"
    if subtype == "AT_AlterColumnType":
        return "change_attribute_type" if attribute else "change_column_type"
    if subtype == "AT_ColumnDefault":
        return "set_default" if "def" in cmd else "drop_default"
    if subtype == "AT_AddConstraint":
        return CONSTRAINTS[cmd["def"]["Constraint"]["contype"]]
    if subtype == "AT_AttachPartition":
        return "attach_index" if of == "OBJECT_INDEX" else "attach_partition"
    if subtype.startswith(("AT_EnableTrig", "AT_DisableTrig", "AT_EnableAlwaysTrig", "AT_EnableReplicaTrig")):
        return "set_trigger"
    if subtype.startswith(("AT_EnableRule", "AT_DisableRule", "AT_EnableAlwaysRule", "AT_EnableReplicaRule")):
        return "set_rule"
    return SUBCOMMANDS.get(subtype, f"no word for {subtype}")
