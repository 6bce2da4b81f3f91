//! Subcommands of ALTER in one line.

use super::relation::{Bounded, Defined};
use super::{Line, Typed, column_of};
use crate::model::name::Ident;
use crate::model::operation::{AlterAction, Detach, ObjectKind, Persistence, ReplicaIdentity, RowSecurity, Target, Triggers};

pub(super) fn describe(target: &Target, action: &AlterAction, line: &mut Line) {
    match (action, action.column()) {
        (AlterAction::AddColumn { column, .. }, _) => line.word(format_args!("{}.{}", target.name, Defined(column))),
        (_, Some(column)) => line.word(column_of(&target.name, column)),
        (_, None) => line.word(&target.name),
    };
    line.flag(target.only, "only").flag(target.if_exists, "if_exists").maybe(kind(target.written));
    match action {
        AlterAction::AddColumn { column: _, if_not_exists } => line.flag(*if_not_exists, "if_not_exists"),
        AlterAction::DropColumn { column: _, if_exists, cascade } => line.flag(*if_exists, "column_if_exists").flag(*cascade, "cascade"),
        AlterAction::SetDefault { column: _, default } => line.expression("to", Some(default)),
        AlterAction::DropDefault { .. }
        | AlterAction::SetNotNull { .. }
        | AlterAction::DropNotNull { .. }
        | AlterAction::SetColumnOptions { .. }
        | AlterAction::SetStorage { .. }
        | AlterAction::SetCompression { .. }
        | AlterAction::NotOf
        | AlterAction::SetStatistics { .. }
        | AlterAction::DependsOnExtension => line,
        AlterAction::ChangeType { column: _, data_type, collation, using } => {
            line.word(Typed(Some(data_type))).labelled("collate", collation.as_ref()).expression("using", using.as_ref())
        }
        AlterAction::SetExpression { column: _, expression } => line.expression("to", Some(expression)),
        AlterAction::DropExpression { column: _, if_exists } | AlterAction::DropIdentity { column: _, if_exists } => {
            line.flag(*if_exists, "expression_if_exists")
        }
        AlterAction::AddIdentity { always, start, .. } => line.word(if *always { "always" } else { "by_default" }).flag(*start, "start"),
        AlterAction::SetIdentity { restart, .. } => line.flag(*restart, "restart"),
        AlterAction::AlterConstraint { name, enforced, inherit, deferrable, deferred } => line
            .word(name)
            .labelled("enforced", *enforced)
            .labelled("inherit", *inherit)
            .flag(*deferrable, "deferrable")
            .flag(*deferred, "deferred"),
        AlterAction::ValidateConstraint { name } => line.word(name),
        AlterAction::DropConstraint { name, if_exists, cascade } => {
            line.word(name).flag(*if_exists, "constraint_if_exists").flag(*cascade, "cascade")
        }
        AlterAction::RenameColumn { from: _, to } | AlterAction::RenameTo { to } => line.word(format_args!("to {to}")),
        AlterAction::RenameConstraint { from, to } | AlterAction::RenameAttribute { from, to } => line.word(format_args!("{from} to {to}")),
        AlterAction::SetSchema { schema } => line.word(schema),
        AlterAction::SetTrigger { enable, triggers, .. } => line.word(switch(*enable)).word(match triggers {
            Triggers::All => "all",
            Triggers::User => "user",
            Triggers::One(trigger) => trigger.as_str(),
        }),
        AlterAction::SetRule { enable, rule } => line.word(switch(*enable)).word(rule),
        AlterAction::RowSecurity(security) => line.word(match security {
            RowSecurity::Enable => "enable",
            RowSecurity::Disable => "disable",
            RowSecurity::Force => "force",
            RowSecurity::NoForce => "no_force",
        }),
        AlterAction::SetPersistence(persistence) => line.word(match persistence {
            Persistence::Permanent => "logged",
            Persistence::Unlogged => "unlogged",
            Persistence::Temporary => "temporary",
        }),
        AlterAction::SetTablespace { tablespace } => line.word(tablespace),
        AlterAction::SetAccessMethod { method } => line.word(method.as_ref().map_or("default", Ident::as_str)),
        AlterAction::ClusterOn { index } => line.word(index),
        AlterAction::SetWithoutCluster => line.word("none"),
        AlterAction::SetOptions { options } => {
            let option = |(name, value): &(Box<str>, Option<Box<str>>)| match value {
                Some(value) => format!("{name}={value}"),
                None => name.to_string(),
            };
            line.group(&options.iter().map(option).collect::<Vec<_>>())
        }
        AlterAction::ResetOptions { options } => line.group(options),
        AlterAction::Inherit { parent } | AlterAction::NoInherit { parent } => line.word(parent),
        AlterAction::OfType { name } => line.word(name),
        AlterAction::OwnerTo { role } => line.word(role),
        AlterAction::ReplicaIdentity(identity) => match identity {
            ReplicaIdentity::Default => line.word("default"),
            ReplicaIdentity::Full => line.word("full"),
            ReplicaIdentity::Nothing => line.word("nothing"),
            ReplicaIdentity::UsingIndex(index) => line.labelled("using_index", Some(index)),
        },
        AlterAction::AttachPartition { partition, bound } => line.word(partition).word(format_args!("[{}]", Bounded(bound))),
        AlterAction::DetachPartition { partition, how } => line.word(partition).maybe(match how {
            Detach::Plain => None,
            Detach::Concurrently => Some("concurrently"),
            Detach::Finalize => Some("finalize"),
        }),
        AlterAction::MergePartitions { partitions, into } => line.group(partitions).labelled("into", Some(into)),
        AlterAction::SplitPartition { partition } => line.word(partition),
        AlterAction::AttachIndex { index } => line.word(index),
        AlterAction::AddAttribute { name, data_type } | AlterAction::ChangeAttribute { name, data_type } => line.word(name).word(data_type),
        AlterAction::DropAttribute { name } => line.word(name),
        AlterAction::Other { words } => line.word(format_args!("[{words}]")),
        AlterAction::Unreadable { why } => line.word(why),
    };
}

/// The kind that the statement names, if it is not a table.
fn kind(written: ObjectKind) -> Option<&'static str> {
    match written {
        ObjectKind::ForeignTable => Some("foreign"),
        ObjectKind::Index => Some("index"),
        ObjectKind::View => Some("view"),
        ObjectKind::MaterializedView => Some("materialized_view"),
        ObjectKind::Sequence => Some("sequence"),
        ObjectKind::Type => Some("type"),
        _ => None,
    }
}

fn switch(enable: bool) -> &'static str {
    if enable { "enable" } else { "disable" }
}
