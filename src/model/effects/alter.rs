//! ALTER TABLE and its kin: which lock each subcommand takes, how far down it goes, and who judges the rest.

use super::column::{self, NewType};
use super::scene::{Scene, Subject};
use super::{BreakKind, Effects, InTransaction, constraint, partition};
use crate::model::catalog::Relation;
use crate::model::lock::LockMode;
use crate::model::name::{Ident, QualifiedName};
use crate::model::operation::{AlterAction, Detach, ObjectKind, Persistence, ReplicaIdentity, Target};
use LockMode::{AccessExclusive, Share, ShareRowExclusive, ShareUpdateExclusive};

/// One subcommand.
pub(super) fn alter(scene: &Scene<'_>, target: &Target, action: &AlterAction, out: &mut Effects) {
    if matches!(target.written, ObjectKind::Type | ObjectKind::Domain) {
        return super::object::alter_type(scene, &target.name, action, out);
    }
    let Some(subject) = scene.subject(&target.name, target.if_exists) else { return };
    match subject.relation.map_or(target.written, |relation| relation.kind) {
        ObjectKind::Index => index(scene, target, &subject, action, out),
        ObjectKind::View => view(&subject, action, out),
        ObjectKind::Sequence => sequence(&subject, action, out),
        ObjectKind::Table | ObjectKind::ForeignTable | ObjectKind::MaterializedView => table(scene, target, &subject, action, out),
        // Anything else that has subcommands is no relation.
        _ => {}
    }
}

/// ALTER INDEX takes less than ALTER TABLE on the same index.
fn index(scene: &Scene<'_>, target: &Target, index: &Subject<'_>, action: &AlterAction, out: &mut Effects) {
    match action {
        AlterAction::RenameTo { .. } => {
            let mode = if target.written == ObjectKind::Index { ShareUpdateExclusive } else { AccessExclusive };
            out.lock(&index.name, mode);
        }
        AlterAction::SetStatistics { .. } => out.lock(&index.name, ShareUpdateExclusive),
        AlterAction::SetOptions { options } => {
            let modes = options.iter().map(|(name, _)| option_lock(name));
            out.lock(&index.name, modes.max().unwrap_or(AccessExclusive));
        }
        AlterAction::ResetOptions { options } => {
            out.lock(&index.name, options.iter().map(|name| option_lock(name)).max().unwrap_or(AccessExclusive));
        }
        AlterAction::AttachIndex { index: child } => {
            out.lock(&index.name, ShareUpdateExclusive);
            if let Some(child) = scene.subject(child, false) {
                out.lock(&child.name, AccessExclusive);
            }
        }
        AlterAction::SetTablespace { tablespace } => {
            out.lock(&index.name, AccessExclusive);
            if moves(index.relation, tablespace) {
                out.rebuild(&index.name);
            }
        }
        _ => out.lock(&index.name, AccessExclusive),
    }
}

fn view(view: &Subject<'_>, action: &AlterAction, out: &mut Effects) {
    out.lock(&view.name, AccessExclusive);
    note_rename(view, action, out);
}

fn sequence(sequence: &Subject<'_>, action: &AlterAction, out: &mut Effects) {
    out.lock(&sequence.name, AccessExclusive);
    note_rename(sequence, action, out);
}

fn note_rename(subject: &Subject<'_>, action: &AlterAction, out: &mut Effects) {
    match action {
        AlterAction::RenameTo { .. } | AlterAction::SetSchema { .. } => out.breaks(BreakKind::Renamed, &subject.name, None),
        AlterAction::RenameColumn { from, .. } => out.breaks(BreakKind::Renamed, &subject.name, Some(from)),
        _ => {}
    }
}

fn table(scene: &Scene<'_>, target: &Target, table: &Subject<'_>, action: &AlterAction, out: &mut Effects) {
    let only = target.only;
    note_rename(table, action, out);
    match action {
        AlterAction::AddColumn { column, if_not_exists } => column::add(scene, table, only, column, *if_not_exists, out),
        AlterAction::DropColumn { column, if_exists, cascade } => column::drop(scene, table, only, column, *if_exists, *cascade, out),
        AlterAction::ChangeType { column, data_type, collation, using } => {
            let new = NewType { column, data_type, collation: collation.as_ref(), using: using.as_ref() };
            column::change_type(scene, table, only, &new, out);
        }
        AlterAction::SetExpression { column, .. } => column::set_expression(scene, table, only, column, out),
        AlterAction::SetNotNull { column } => constraint::set_not_null(scene, table, only, column, out),
        AlterAction::DropDefault { column } => {
            if table.column(column).is_some_and(|known| known.not_null && known.default.is_some()) {
                out.breaks(BreakKind::Required, &table.name, Some(column));
            }
            reaching(scene, table, only, AccessExclusive, out);
        }
        AlterAction::DropNotNull { column } => {
            // From 18 on a column that has none is not looked for further down.
            let has_none = scene.server.0 >= 18 && table.column(column).is_some_and(|known| !known.not_null);
            reaching(scene, table, only || has_none, AccessExclusive, out);
        }
        AlterAction::SetDefault { .. }
        | AlterAction::DropExpression { .. }
        | AlterAction::SetStorage { .. }
        | AlterAction::RenameColumn { .. } => reaching(scene, table, only, AccessExclusive, out),
        AlterAction::AddIdentity { .. } => reaching(scene, table, only || scene.server.0 < 17, AccessExclusive, out),
        AlterAction::SetIdentity { column, .. } => {
            out.lock(&table.name, AccessExclusive);
            own_sequence(scene, table, column, ShareRowExclusive, out);
        }
        AlterAction::DropIdentity { column, .. } => {
            out.lock(&table.name, AccessExclusive);
            own_sequence(scene, table, column, AccessExclusive, out);
        }
        AlterAction::SetStatistics { .. } => reaching(scene, table, only, ShareUpdateExclusive, out),
        AlterAction::SetColumnOptions { .. } | AlterAction::SetWithoutCluster => out.lock(&table.name, ShareUpdateExclusive),
        AlterAction::ClusterOn { index } => {
            out.lock(&table.name, ShareUpdateExclusive);
            out.lock(&beside(table, index), ShareUpdateExclusive);
        }
        AlterAction::AlterConstraint { name, enforced, .. } => constraint::alter(scene, table, name, *enforced, out),
        AlterAction::ValidateConstraint { name } => constraint::validate(scene, table, only, name, out),
        AlterAction::DropConstraint { name, cascade, .. } => constraint::drop(scene, table, only, name, *cascade, out),
        AlterAction::RenameConstraint { from, .. } => rename_constraint(scene, table, only, from, out),
        AlterAction::SetTrigger { .. } => {
            let members = scene.partitions(table, only);
            out.lock_all(members.iter().map(|member| &member.name), ShareRowExclusive);
        }
        AlterAction::SetOptions { options } => set_options(table, options.iter().map(|(name, _)| &**name), out),
        AlterAction::ResetOptions { options } => set_options(table, options.iter().map(|name| &**name), out),
        AlterAction::SetSchema { .. } => {
            out.lock(&table.name, AccessExclusive);
            out.lock_all(owned_sequences(table), AccessExclusive);
        }
        AlterAction::OwnerTo { .. } => {
            out.lock(&table.name, AccessExclusive);
            out.lock_all(table.indexes(), AccessExclusive);
            out.lock_all(owned_sequences(table), AccessExclusive);
        }
        AlterAction::SetPersistence(persistence) => set_persistence(scene, table, *persistence, out),
        AlterAction::SetTablespace { tablespace } => {
            out.lock(&table.name, AccessExclusive);
            if table.keeps_rows() && moves(table.relation, tablespace) {
                out.rewrites.push(table.name.clone());
            }
        }
        AlterAction::SetAccessMethod { method } => {
            out.lock(&table.name, AccessExclusive);
            let old = table.relation.and_then(|relation| relation.access_method.as_ref()).map_or("heap", Ident::as_str);
            if table.keeps_rows() && old != method.as_ref().map_or("heap", Ident::as_str) {
                out.rewrite(table);
            }
        }
        AlterAction::Inherit { parent } => {
            out.lock(&table.name, AccessExclusive);
            if let Some(parent) = scene.subject(parent, false) {
                out.lock(&parent.name, ShareUpdateExclusive);
            }
        }
        AlterAction::ReplicaIdentity(identity) => {
            out.lock(&table.name, AccessExclusive);
            if let ReplicaIdentity::UsingIndex(index) = identity {
                out.lock(&beside(table, index), Share);
            }
        }
        AlterAction::AttachPartition { partition, bound } => partition::attach(scene, table, partition, bound, out),
        AlterAction::DetachPartition { partition, how } => {
            partition::detach(scene, table, partition, *how, out);
            if *how == Detach::Concurrently {
                out.transaction = InTransaction::Forbidden;
            }
        }
        AlterAction::MergePartitions { partitions, .. } => partition::rebuild(scene, table, partitions, out),
        AlterAction::SplitPartition { partition } => partition::rebuild(scene, table, std::slice::from_ref(partition), out),
        AlterAction::Unreadable { .. } => {
            out.lock(&table.name, AccessExclusive);
            out.opaque = true;
        }
        AlterAction::RenameTo { .. }
        | AlterAction::SetRule { .. }
        | AlterAction::RowSecurity(_)
        | AlterAction::SetCompression { .. }
        | AlterAction::NoInherit { .. }
        | AlterAction::OfType { .. }
        | AlterAction::NotOf
        | AlterAction::AttachIndex { .. }
        | AlterAction::DependsOnExtension
        | AlterAction::AddAttribute { .. }
        | AlterAction::DropAttribute { .. }
        | AlterAction::ChangeAttribute { .. }
        | AlterAction::RenameAttribute { .. }
        | AlterAction::Other { .. } => out.lock(&table.name, AccessExclusive),
    }
}

/// The table and all below it, with one lock.
fn reaching(scene: &Scene<'_>, table: &Subject<'_>, only: bool, mode: LockMode, out: &mut Effects) {
    for member in scene.family(table, only) {
        out.lock(&member.name, mode);
    }
}

fn owned_sequences<'a>(table: &Subject<'a>) -> &'a [QualifiedName] {
    table.relation.map_or(&[], |relation| &relation.owned_sequences)
}

fn own_sequence(scene: &Scene<'_>, table: &Subject<'_>, column: &Ident, mode: LockMode, out: &mut Effects) {
    if let Some(sequence) = table.relation.and_then(|relation| scene.catalog.owned_sequence(relation, column)) {
        out.lock(&sequence.name, mode);
    }
}

/// An index lives in the schema of its table.
fn beside(table: &Subject<'_>, index: &Ident) -> QualifiedName {
    QualifiedName { schema: table.name.schema.clone(), name: index.clone() }
}

fn rename_constraint(scene: &Scene<'_>, table: &Subject<'_>, only: bool, name: &Ident, out: &mut Effects) {
    reaching(scene, table, only, AccessExclusive, out);
    if let Some(index) = table.relation.and_then(|relation| relation.constraint(name)).and_then(|constraint| constraint.index.as_ref()) {
        out.lock(index, ShareUpdateExclusive);
    }
}

fn set_persistence(scene: &Scene<'_>, table: &Subject<'_>, persistence: Persistence, out: &mut Effects) {
    out.lock(&table.name, AccessExclusive);
    let unchanged = table.relation.is_some_and(|relation| relation.persistence == persistence);
    if unchanged || !table.keeps_rows() {
        return;
    }
    out.rewrite(table);
    // From 15 on sequences have a persistence of their own, which follows the table's.
    if scene.server.0 >= 15 {
        out.lock_all(owned_sequences(table), AccessExclusive);
    }
}

/// Whether SET TABLESPACE copies the files: not if they are there already. `pg_default` is where a database's files lie unless said otherwise.
fn moves(relation: Option<&Relation>, to: &Ident) -> bool {
    let from = relation.and_then(|relation| relation.tablespace.as_ref()).map_or("pg_default", Ident::as_str);
    relation.is_none() || from != to.as_str()
}

fn set_options<'o>(table: &Subject<'_>, options: impl Iterator<Item = &'o str>, out: &mut Effects) {
    let strongest = options.map(option_lock).max().unwrap_or(AccessExclusive);
    out.lock(&table.name, strongest);
}

/// AlterTableGetRelOptionsLockLevel: most storage parameters only keep VACUUM and other DDL away.
fn option_lock(name: &str) -> LockMode {
    let name = name.strip_prefix("toast.").unwrap_or(name);
    let weak = name.starts_with("autovacuum_")
        || matches!(
            name,
            "fillfactor"
                | "toast_tuple_target"
                | "parallel_workers"
                | "vacuum_index_cleanup"
                | "vacuum_truncate"
                | "vacuum_max_eager_freeze_failure_rate"
                | "log_autovacuum_min_duration"
                | "deduplicate_items"
                | "vacuum_cleanup_index_scale_factor"
                | "n_distinct"
                | "n_distinct_inherited"
        );
    if weak { ShareUpdateExclusive } else { AccessExclusive }
}
