//! INSERT, UPDATE, DELETE, MERGE, COPY, SELECT: row locks aside, what they lock and whether anything bounds how long they run.

use super::scene::{Scene, Subject};
use super::{Effects, Loss, object};
use crate::model::catalog::{Column, Lookup};
use crate::model::expression::{Expression, Predicate};
use crate::model::lock::LockMode::{RowExclusive, RowShare};
use crate::model::name::{Ident, Name, QualifiedName};
use crate::model::operation::{Delete, Insert, InsertSource, Update};

/// INSERT.
pub(super) fn insert(scene: &Scene<'_>, insert: &Insert, out: &mut Effects) {
    let Some(table) = scene.subject(&insert.table, false) else { return };
    writes(scene, &table, out);
    counts(scene, &table, insert, out);
    look_up_parents(scene, &table, |_| true, out);
    match &insert.source {
        InsertSource::Query { limited: false, filters } => {
            let read = scene.base_tables(&insert.reads);
            let bounds = |filter: &Expression| read.iter().any(|table| is_bounded(scene, &table.name, filter));
            out.unbounded = !insert.reads.is_empty() && (filters.is_empty() || !filters.iter().all(bounds));
            let helps = |filter: &Expression| read.iter().any(|table| is_indexed(scene, &table.name, filter));
            if out.unbounded && (filters.is_empty() || !filters.iter().all(helps)) {
                read.iter().for_each(|table| out.scan(&table.name));
            }
        }
        InsertSource::Query { limited: true, .. } | InsertSource::Values { .. } | InsertSource::DefaultValues => {}
    }
}

/// A column that INSERT leaves to its sequence moves that on.
fn counts(scene: &Scene<'_>, table: &Subject<'_>, insert: &Insert, out: &mut Effects) {
    let Some(relation) = scene.catalog.get(&table.name) else { return };
    let left_out = |column: &&Column| match insert.source {
        InsertSource::DefaultValues => true,
        InsertSource::Values { .. } | InsertSource::Query { .. } => !insert.columns.is_empty() && !insert.columns.contains(&column.name),
    };
    for column in relation.columns.iter().filter(|column| column.is_numbered()).filter(left_out) {
        if let Some(sequence) = scene.catalog.owned_sequence(relation, &column.name) {
            out.lock(&sequence.name, RowExclusive);
        }
    }
}

/// UPDATE.
pub(super) fn update(scene: &Scene<'_>, update: &Update, out: &mut Effects) {
    let Some(table) = scene.subject(&update.table, false) else { return };
    changes(scene, &table, update.only, update.current_of, update.filter.as_ref(), out);
    let sets = |columns: &[Ident]| columns.is_empty() || columns.iter().any(|column| update.columns.contains(column));
    look_up_parents(scene, &table, sets, out);
    look_up_children(scene, &table, |key| key.on_update.as_deref(), |columns| sets(columns), out);
}

/// DELETE.
pub(super) fn delete(scene: &Scene<'_>, delete: &Delete, out: &mut Effects) {
    let Some(table) = scene.subject(&delete.table, false) else { return };
    changes(scene, &table, delete.only, delete.current_of, delete.filter.as_ref(), out);
    look_up_children(scene, &table, |key| key.on_delete.as_deref(), |_| true, out);
    if delete.filter.is_none() && !delete.current_of {
        for reached in object::below(scene, &table) {
            out.loses(Loss::Rows(reached.name));
        }
    }
}

/// MERGE.
pub(super) fn merge(scene: &Scene<'_>, table: &Name, limited: bool, out: &mut Effects) {
    let Some(table) = scene.subject(table, false) else { return };
    if limited {
        writes(scene, &table, out);
        out.lock_all(scene.family(&table, false).iter().map(|member| &member.name), RowExclusive);
    } else {
        changes(scene, &table, false, false, None, out);
    }
    look_up_parents(scene, &table, |_| true, out);
    look_up_children(scene, &table, |_| None, |_| true, out);
}

/// COPY.
pub(super) fn copy(scene: &Scene<'_>, table: Option<&Name>, from: bool, out: &mut Effects) {
    let Some(table) = table.and_then(|table| scene.subject(table, false)) else { return };
    if from {
        writes(scene, &table, out);
        look_up_parents(scene, &table, |_| true, out);
    } else {
        out.unbounded = true;
        for member in scene.family(&table, false).iter().filter(|member| member.has_rows()) {
            out.scan(&member.name);
        }
    }
}

/// SELECT. What a plain one reads, and how, is nobody's business: it keeps nobody waiting.
pub(super) fn select(scene: &Scene<'_>, reads: &[Name], locks_rows: bool, out: &mut Effects) {
    if locks_rows {
        for subject in reads.iter().filter_map(|name| scene.subject(name, false)) {
            for reached in object::below(scene, &subject) {
                out.lock_all(scene.family(&reached, false).iter().map(|member| &member.name), RowShare);
            }
        }
    }
}

/// The table, or what a view writes through to.
fn writes(scene: &Scene<'_>, table: &Subject<'_>, out: &mut Effects) {
    for reached in object::below(scene, table) {
        out.lock(&reached.name, RowExclusive);
    }
}

/// UPDATE and DELETE, which find their rows first.
fn changes(scene: &Scene<'_>, table: &Subject<'_>, only: bool, current_of: bool, filter: Option<&Expression>, out: &mut Effects) {
    writes(scene, table, out);
    let members = scene.family(table, only);
    out.lock_all(members.iter().map(|member| &member.name), RowExclusive);
    let holds = |test: fn(&Scene<'_>, &QualifiedName, &Expression) -> bool| filter.is_some_and(|filter| test(scene, &table.name, filter));
    let indexed = holds(is_indexed);
    if current_of || (indexed && holds(is_bounded)) {
        return;
    }
    out.unbounded = true;
    if indexed {
        return;
    }
    for member in members.iter().filter(|member| member.has_rows()) {
        out.scan(&member.name);
    }
}

/// Whether a condition bounds the rows by a key. Of a table whose keys are not known it is believed.
fn is_bounded(scene: &Scene<'_>, table: &QualifiedName, filter: &Expression) -> bool {
    filter.bounds_rows(|column| scene.catalog.is_key(table, column)) != Some(false)
}

/// Whether a condition lets an index find the rows. Of a table whose indexes are not known it is believed.
fn is_indexed(scene: &Scene<'_>, table: &QualifiedName, filter: &Expression) -> bool {
    let is_indexed = |column: &Ident| scene.catalog.covering_index(table, std::slice::from_ref(column)) != Lookup::Absent;
    filter.conjuncts.iter().any(|part| match part {
        Predicate::Compare { column, operator, .. } => &**operator != "<>" && is_indexed(column),
        Predicate::InList { column, .. } | Predicate::InQuery { column, limited: true } => is_indexed(column),
        Predicate::IsNotNull(_) | Predicate::IsNull(_) | Predicate::InQuery { limited: false, .. } | Predicate::True | Predicate::Other => {
            false
        }
    })
}

/// A row that points somewhere locks the row it points to.
fn look_up_parents(scene: &Scene<'_>, table: &Subject<'_>, sets: impl Fn(&[Ident]) -> bool, out: &mut Effects) {
    for (constraint, key, referenced) in scene.foreign_keys(table) {
        // One that is INITIALLY DEFERRED looks at COMMIT.
        if constraint.enforced && !constraint.deferred && sets(&key.columns) {
            scene.lock_with_partitions(&referenced, RowShare, out);
        }
    }
}

/// A row that goes or changes its key is looked for in the tables that may point to it: by reading them whole if no index helps.
fn look_up_children(
    scene: &Scene<'_>,
    table: &Subject<'_>,
    action: impl Fn(&crate::model::operation::ForeignKey) -> Option<&str>,
    touches: impl Fn(&[Ident]) -> bool,
    out: &mut Effects,
) {
    for (from, constraint) in scene.catalog.foreign_keys_to(&table.name) {
        let crate::model::operation::ConstraintKind::ForeignKey(key) = &constraint.kind else { continue };
        if !constraint.enforced || !touches(&key.referenced_columns) {
            continue;
        }
        // One that waits for COMMIT looks then; what acts on the other table does so at once.
        let acts = matches!(action(key), Some("cascade" | "set null" | "set default"));
        if constraint.deferred && !acts {
            continue;
        }
        let mode = if acts { RowExclusive } else { RowShare };
        for member in scene.partitions(&scene.named(&from.name), false) {
            out.lock(&member.name, mode);
            let helped = scene.catalog.covering_index(&member.name, &key.columns) != Lookup::Absent;
            if !helped && member.has_rows() {
                out.scan(&member.name);
            }
        }
    }
}
