//! DROP and TRUNCATE: what goes, what goes with it, and who is locked meanwhile.

use super::scene::{Scene, Subject};
use super::{BreakKind, Effects, InTransaction, Loss, index, partition};
use crate::model::catalog::{Column, Lookup, Relation};
use crate::model::lock::LockMode::{AccessExclusive, ShareUpdateExclusive};
use crate::model::name::{Name, QualifiedName};
use crate::model::operation::{ConstraintKind, Drop, ObjectKind, Realm};
use crate::model::types::{EXTENSION_TYPES, TypeName, UserType};
use foldhash::{HashSet, HashSetExt};

/// DROP of one object.
pub(super) fn drop(scene: &Scene<'_>, what: &Drop, out: &mut Effects) {
    match what.object {
        ObjectKind::Table | ObjectKind::ForeignTable => table(scene, what, out),
        ObjectKind::View | ObjectKind::MaterializedView => view(scene, what, out),
        ObjectKind::Index => drop_index(scene, what, out),
        ObjectKind::Sequence => {
            if let Some(sequence) = scene.subject(&what.name, what.if_exists) {
                out.lock(&sequence.name, AccessExclusive);
                out.breaks(BreakKind::Removed, &sequence.name, None);
                if what.cascade {
                    tables_with(scene, out, |column| {
                        column.default.as_ref().is_some_and(|default| super::default::sequences(scene, default).contains(&sequence.name))
                    });
                }
            }
        }
        ObjectKind::Type | ObjectKind::Domain => drop_type(scene, what, out),
        ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Aggregate => function(scene, what, out),
        ObjectKind::Trigger => {
            if let Some(table) = what.table.as_ref().and_then(|table| scene.subject(table, what.if_exists)) {
                // A trigger of a partitioned table goes from its partitions too.
                out.lock_all(scene.partitions(&table, false).iter().map(|member| &member.name), AccessExclusive);
            }
        }
        ObjectKind::Rule | ObjectKind::Policy => {
            if let Some(table) = what.table.as_ref().and_then(|table| scene.subject(table, what.if_exists)) {
                out.lock(&table.name, AccessExclusive);
            }
        }
        ObjectKind::Statistics => {
            let of = scene.relations_where(|relation| relation.statistics.iter().any(|statistics| statistics.name.name == what.name.name));
            out.lock_all(of.into_iter().map(|relation| &relation.name), ShareUpdateExclusive);
        }
        ObjectKind::Schema => schema(scene, what, out),
        ObjectKind::Extension => extension(scene, what, out),
        ObjectKind::Database | ObjectKind::Tablespace => {
            out.loses(Loss::Database);
            out.transaction = InTransaction::Forbidden;
        }
        // Only one without a replication slot could be dropped in a transaction, and that is not to be seen here.
        ObjectKind::Subscription => out.transaction = InTransaction::Forbidden,
        ObjectKind::Column
        | ObjectKind::Constraint
        | ObjectKind::Role
        | ObjectKind::Publication
        | ObjectKind::EventTrigger
        | ObjectKind::Other => {}
    }
}

fn table(scene: &Scene<'_>, what: &Drop, out: &mut Effects) {
    let Some(table) = scene.subject(&what.name, what.if_exists) else { return };
    if let Some(parent) = partition::parent_of(scene, &table) {
        out.lock(&parent.name, AccessExclusive);
        if let Some(default) = partition::default_of(scene, &parent) {
            out.lock(&default.name, AccessExclusive);
        }
    }
    let going = if what.cascade { scene.family(&table, false) } else { scene.partitions(&table, false) };
    for member in &going {
        out.loses(Loss::Relation(member.name.clone()));
        out.breaks(BreakKind::Removed, &member.name, None);
        with_table(scene, member, what.cascade, out);
    }
    if !table.is_complete() {
        // Its foreign keys lead to tables that are locked as well.
        out.assume("foreign_keys");
    }
}

/// A table that goes, its indexes and sequences, and the other ends of its foreign keys.
fn with_table(scene: &Scene<'_>, table: &Subject<'_>, cascade: bool, out: &mut Effects) {
    out.lock(&table.name, AccessExclusive);
    let Some(relation) = table.relation else { return };
    out.lock_all(&relation.indexes, AccessExclusive);
    out.lock_all(&relation.owned_sequences, AccessExclusive);
    // What a partition has from its parent's foreign key goes without a word to the other table.
    for (_, _, referenced) in scene.foreign_keys(table).filter(|(constraint, ..)| constraint.parent.is_none()) {
        scene.release_referenced(&referenced, out);
    }
    if cascade {
        for (from, _) in scene.catalog.foreign_keys_to(&relation.name) {
            scene.lock_with_partitions(&from.name, AccessExclusive, out);
        }
        lock_views(scene, relation, out);
    }
}

fn lock_views(scene: &Scene<'_>, relation: &Relation, out: &mut Effects) {
    for view in scene.views_over(relation, None) {
        out.lock(&view.name, AccessExclusive);
        out.lock_all(&view.indexes, AccessExclusive);
        out.breaks(BreakKind::Removed, &view.name, None);
    }
}

fn view(scene: &Scene<'_>, what: &Drop, out: &mut Effects) {
    let Some(view) = scene.subject(&what.name, what.if_exists) else { return };
    out.lock(&view.name, AccessExclusive);
    out.lock_all(view.indexes(), AccessExclusive);
    out.breaks(BreakKind::Removed, &view.name, None);
    if what.object == ObjectKind::MaterializedView {
        out.loses(Loss::Relation(view.name.clone()));
    }
    if let Some(relation) = view.relation.filter(|_| what.cascade) {
        lock_views(scene, relation, out);
    }
}

fn drop_index(scene: &Scene<'_>, what: &Drop, out: &mut Effects) {
    if what.concurrently {
        out.transaction = InTransaction::Forbidden;
    }
    let Some(dropped) = scene.subject(&what.name, what.if_exists) else { return };
    let mode = if what.concurrently { ShareUpdateExclusive } else { AccessExclusive };
    if dropped.relation.is_some_and(|relation| relation.index.is_some()) {
        index::lock_tree(scene, &dropped.name, mode, out);
    } else {
        out.lock(&dropped.name, mode);
        // Its table is locked as strongly, and its name is not known.
        out.assume("table");
    }
}

/// DROP TYPE, DROP DOMAIN: with CASCADE the columns of that type go.
fn drop_type(scene: &Scene<'_>, what: &Drop, out: &mut Effects) {
    if what.if_exists && scene.catalog.user_type(&what.name) == Lookup::Absent {
        return;
    }
    let name = scene.catalog.resolve_type(&what.name);
    out.breaks_other(BreakKind::Removed, Realm::Type, &name);
    if what.cascade {
        lose_columns(scene, out, |data_type| scene.catalog.resolve_type(&data_type.name) == name);
    }
}

fn extension(scene: &Scene<'_>, what: &Drop, out: &mut Effects) {
    if !what.cascade {
        return;
    }
    match EXTENSION_TYPES.iter().find(|(extension, _)| what.name.name == *extension) {
        Some((_, types)) => lose_columns(scene, out, |data_type| types.contains(&data_type.name.name.as_str())),
        // What else hangs on it, nobody here can tell.
        None => out.assume("extension"),
    }
}

fn lose_columns(scene: &Scene<'_>, out: &mut Effects, of_type: impl Fn(&TypeName) -> bool) {
    let has_type = |column: &Column| column.data_type.as_ref().is_some_and(&of_type);
    for relation in scene.relations_where(|relation| relation.is_table() && relation.columns.iter().any(has_type)) {
        out.lock(&relation.name, AccessExclusive);
        for column in relation.columns.iter().filter(|column| has_type(column)) {
            for index in scene.catalog.dependents(&relation.name, &column.name).indexes {
                out.lock(&index.name, AccessExclusive);
            }
            out.loses(Loss::Column(relation.name.clone(), column.name.clone()));
            out.breaks(BreakKind::Removed, &relation.name, Some(&column.name));
        }
    }
}

fn tables_with(scene: &Scene<'_>, out: &mut Effects, wanted: impl Fn(&Column) -> bool) {
    let tables = scene.relations_where(|relation| relation.is_table() && relation.columns.iter().any(&wanted));
    out.lock_all(tables.into_iter().map(|relation| &relation.name), AccessExclusive);
}

/// DROP FUNCTION: with CASCADE the defaults, checks and triggers that call it go.
fn function(scene: &Scene<'_>, what: &Drop, out: &mut Effects) {
    if what.if_exists && scene.catalog.is_whole() && scene.catalog.functions(&what.name).is_empty() {
        return;
    }
    let name = scene.catalog.resolve_function(&what.name);
    // No code calls a trigger's function, and without CASCADE it can only go when no trigger needs it.
    let known = scene.catalog.functions(&what.name);
    if known.is_empty() || !known.iter().all(|function| function.returns_trigger) {
        out.breaks_other(BreakKind::Removed, Realm::Function, &name);
    }
    if !what.cascade {
        return;
    }
    let is_it = |called: &Name| scene.catalog.resolve_function(called) == name;
    let calls = |relation: &Relation| {
        let in_defaults =
            relation.columns.iter().filter_map(|column| column.default.as_ref()).any(|default| default.calls.iter().any(is_it));
        let in_checks = relation.constraints.iter().any(|constraint| match &constraint.kind {
            ConstraintKind::Check { expression } => expression.calls.iter().any(is_it),
            _ => false,
        });
        in_defaults || in_checks || relation.triggers.iter().any(|trigger| trigger.function.as_ref().is_some_and(is_it))
    };
    out.lock_all(scene.relations_where(calls).into_iter().map(|relation| &relation.name), AccessExclusive);
}

fn schema(scene: &Scene<'_>, what: &Drop, out: &mut Effects) {
    if !what.cascade {
        return;
    }
    out.loses(Loss::Schema(what.name.name.clone()));
    for relation in scene.relations_where(|relation| relation.name.schema == what.name.name) {
        let subject = scene.known(relation);
        if relation.is_table() {
            with_table(scene, &subject, true, out);
        } else {
            out.lock(&relation.name, AccessExclusive);
        }
        out.breaks(BreakKind::Removed, &relation.name, None);
    }
}

/// TRUNCATE of one table.
pub(super) fn truncate(scene: &Scene<'_>, table: &Name, only: bool, cascade: bool, restart_identity: bool, out: &mut Effects) {
    let Some(table) = scene.subject(table, false) else { return };
    let mut emptied: HashSet<QualifiedName> = HashSet::new();
    let mut next = scene.family(&table, only);
    while let Some(member) = next.pop() {
        if !emptied.insert(member.name.clone()) {
            continue;
        }
        out.lock(&member.name, AccessExclusive);
        out.lock_all(member.indexes(), AccessExclusive);
        out.loses(Loss::Rows(member.name.clone()));
        if restart_identity && let Some(relation) = member.relation {
            out.lock_all(&relation.owned_sequences, AccessExclusive);
        }
        if cascade {
            for (from, _) in scene.catalog.foreign_keys_to(&member.name) {
                next.extend(scene.family(&scene.named(&from.name), false));
            }
        }
    }
    if cascade && !table.is_complete() {
        out.assume("foreign_keys");
    }
}

/// Whether a type is, or rests on, a domain.
pub(super) fn rests_on(scene: &Scene<'_>, data_type: &TypeName, domain: &QualifiedName) -> bool {
    let mut at = data_type;
    for _ in 0..32 {
        if at.built_in().is_some() && at.is_well_known() {
            return false;
        }
        if scene.catalog.resolve_type(&at.name) == *domain {
            return true;
        }
        match scene.catalog.user_type(&at.name) {
            Lookup::Known(UserType::Domain { base, .. }) => at = base,
            Lookup::Known(UserType::Enum(_) | UserType::Composite(_) | UserType::Other) | Lookup::Absent | Lookup::Unknown => return false,
        }
    }
    false
}
