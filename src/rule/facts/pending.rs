//! Whether a statement meets checks and triggers that wait for COMMIT: the server refuses to change a table that has any.

use super::statement::operations;
use crate::model::catalog::{Constraint, Relation, Step};
use crate::model::name::{Ident, Name, QualifiedName};
use crate::model::operation::{AlterAction, ConstraintKind, ForeignKey, ObjectKind, Operation, Written};
use crate::rule::moment::Moment;
use crate::rule::outline::first_in;

/// The table with pending checks that the statement needs for itself, and the statement that changed its rows.
pub(super) fn pending(m: &Moment<'_>) -> Option<(QualifiedName, usize)> {
    let earlier = m.earlier_in_transaction();
    let checked_early = first_in(m.outline().aftermath.checks_now(), &earlier).is_some() || m.session.triggers_are_off();
    if earlier.is_empty() || checked_early {
        return None;
    }
    operations(m).filter_map(wants_alone).find_map(|name| {
        let table = m.before.get(&m.before.resolve(name))?;
        let waits = waits_for_commit(m, table);
        if !waits {
            return None;
        }
        let writes = m.outline().aftermath.writes_to(&table.name.name);
        let until = writes.partition_point(|at| *at < earlier.end);
        let by = writes[..until].iter().rev().take_while(|at| **at >= earlier.start).find(|at| leaves_checks(m, table, **at))?;
        Some((table.name.clone(), *by))
    })
}

/// The table that the server wants to have for this statement alone (CheckTableNotInUse).
fn wants_alone(operation: &Operation) -> Option<&Name> {
    match operation {
        Operation::Alter(target, action) if target.written == ObjectKind::Table => {
            let renames = matches!(
                **action,
                AlterAction::RenameTo { .. }
                    | AlterAction::RenameColumn { .. }
                    | AlterAction::RenameConstraint { .. }
                    | AlterAction::SetSchema { .. }
            );
            (!renames).then_some(&target.name)
        }
        Operation::AddConstraint(constraint) if constraint.written != Written::CreateTable => Some(&constraint.table),
        Operation::CreateIndex(index) if !index.concurrently => Some(&index.table),
        Operation::Drop(drop) if drop.object == ObjectKind::Table => Some(&drop.name),
        Operation::Truncate { table, .. } => Some(table),
        _ => None,
    }
}

/// A foreign key whose other side nobody acts on is checked when its constraint says so.
fn own_key(constraint: &Constraint) -> Option<&ForeignKey> {
    match &constraint.kind {
        ConstraintKind::ForeignKey(key) if constraint.deferred && constraint.enforced => Some(key),
        _ => None,
    }
}

fn waits_for_commit(m: &Moment<'_>, table: &Relation) -> bool {
    table.constraints.iter().any(|constraint| own_key(constraint).is_some())
        || table.triggers.iter().any(|trigger| trigger.deferred)
        || m.before.foreign_keys_to(&table.name).any(|(_, constraint)| own_key(constraint).is_some())
}

/// Whether the statement `at` changed rows of the table in a way that leaves something to be checked.
fn leaves_checks(m: &Moment<'_>, table: &Relation, at: usize) -> bool {
    let is_it = |name: &Name| m.before.resolve(name) == table.name;
    // What this file defers only later had been checked when the rows were changed.
    let in_force =
        |since: Step| since != m.step || m.outline().aftermath.defers_on(&table.name.name).first().is_some_and(|from| *from < at);
    let fires = |event: &str, columns: Option<&[Ident]>| {
        table.triggers.iter().filter(|trigger| trigger.deferred && in_force(trigger.added_in)).any(|trigger| {
            let touches =
                columns.is_none_or(|columns| trigger.of_columns.is_empty() || trigger.of_columns.iter().any(|c| columns.contains(c)));
            touches && trigger.events.iter().any(|known| &**known == event)
        })
    };
    let own = |touches: &dyn Fn(&ForeignKey) -> bool| {
        table.constraints.iter().filter(|constraint| in_force(constraint.added_in)).filter_map(own_key).any(touches)
    };
    let others = |touches: &dyn Fn(&ForeignKey) -> bool| {
        let keys = m.before.foreign_keys_to(&table.name).filter(|(_, constraint)| in_force(constraint.added_in));
        keys.filter_map(|(_, constraint)| own_key(constraint)).any(touches)
    };
    let waits = |action: &Option<Box<str>>| action.as_deref().is_none_or(|action| action == "no action");
    m.file[at].operations.iter().any(|operation| match &operation.what {
        Operation::Insert(insert) => is_it(&insert.table) && (own(&|_| true) || fires("insert", None)),
        Operation::Copy { table: Some(name), from: true, .. } => is_it(name) && (own(&|_| true) || fires("insert", None)),
        Operation::Update(update) => {
            let sets = |columns: &[Ident]| columns.iter().any(|column| update.columns.contains(column));
            is_it(&update.table)
                && (own(&|key| sets(&key.columns))
                    || fires("update", Some(&update.columns))
                    || others(&|key| waits(&key.on_update) && sets(&key.referenced_columns)))
        }
        Operation::Delete(delete) => is_it(&delete.table) && (fires("delete", None) || others(&|key| waits(&key.on_delete))),
        _ => false,
    })
}
