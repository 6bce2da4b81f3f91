//! What one ALTER TABLE did, for the next statement: two of them on one table may be one.

use crate::model::catalog::Catalog;
use crate::model::effects::Effects;
use crate::model::lock::LockMode;
use crate::model::name::{Name, QualifiedName};
use crate::model::operation::{AlterAction, ObjectKind, Operation, Written};
use crate::sql::Statement;

/// An ALTER TABLE whose parts could stand in another one.
#[derive(Clone, Debug, PartialEq)]
pub struct Altered {
    /// The table.
    pub table: QualifiedName,
    /// What takes it its time.
    pub work: Work,
}

/// What takes an ALTER TABLE its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Nothing: the catalog alone is changed.
    Brief,
    /// Every row is read.
    Scan,
    /// Every row is written anew.
    Rewrite,
}

impl Altered {
    /// What a statement does, by the schema before it; `None` if it is no ALTER TABLE, does not shut its table, or does what does not go
    /// together with other subcommands.
    pub fn of(statement: &Statement, effects: &Effects, before: &Catalog) -> Option<Self> {
        let written = statement.operations.first().and_then(|operation| part_of(&operation.what))?;
        if !statement.operations.iter().all(|operation| part_of(&operation.what) == Some(written)) {
            return None;
        }
        let table = before.resolve(written);
        let is_index = |relation: &QualifiedName| before.get(relation).is_some_and(|known| known.index.is_some());
        let others = effects.locks.iter().filter(|lock| lock.relation != table && !is_index(&lock.relation));
        let alone = others.max_by_key(|lock| lock.mode).is_none_or(|lock| lock.mode < LockMode::ShareRowExclusive);
        if effects.lock_on(&table) != Some(LockMode::AccessExclusive) || !alone || !effects.assumed.is_empty() {
            return None;
        }
        let proves =
            |operation: &Operation| matches!(operation, Operation::Alter(_, action) if matches!(**action, AlterAction::SetNotNull { .. }));
        let work = if effects.rewrites.contains(&table) {
            Work::Rewrite
        } else if !effects.builds.is_empty() || !effects.rebuilds.is_empty() {
            // Each index is built by a pass of its own.
            return None;
        } else if effects.scans.contains(&table) {
            Work::Scan
        } else if statement.operations.iter().any(|operation| proves(&operation.what)) {
            // What proves it to the server may be a constraint that its neighbour drops: together they read every row.
            return None;
        } else {
            Work::Brief
        };
        Some(Self { table, work })
    }
}

/// The table of a subcommand that may stand beside others.
fn part_of(operation: &Operation) -> Option<&Name> {
    match operation {
        Operation::Alter(target, action) if target.written == ObjectKind::Table => {
            let alone = matches!(
                **action,
                AlterAction::RenameTo { .. }
                    | AlterAction::RenameColumn { .. }
                    | AlterAction::RenameConstraint { .. }
                    | AlterAction::SetSchema { .. }
                    | AlterAction::ValidateConstraint { .. }
                    | AlterAction::AttachPartition { .. }
                    | AlterAction::DetachPartition { .. }
                    | AlterAction::Unreadable { .. }
            );
            (!alone).then_some(&target.name)
        }
        Operation::AddConstraint(constraint) if constraint.written != Written::CreateTable => Some(&constraint.table),
        _ => None,
    }
}
