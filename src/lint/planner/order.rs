//! The order of statements in a plan, where that of the file is right for one transaction alone.
//!
//! What lies between two statements of a transaction nobody sees. Between the files of a plan everybody goes on writing: a trigger has to be
//! there before the copy that it completes, a constraint must not be there before the rows that break it are changed, and the index that
//! takes the place of another is built before that one goes.

use super::super::finding::Finding;
use super::part::{Part, Wish};
use crate::model::catalog::Catalog;
use crate::model::name::{Name, QualifiedName};
use crate::model::operation::{AlterAction, ConstraintKind, ObjectKind, Operation};
use crate::sql::Statement;

/// A part with the index of its statement, and what it is wished for.
pub(super) type Wanted = ((usize, Part), Option<Wish>);

/// What the order is told by.
pub(super) struct Ground<'a> {
    /// The statements of the file.
    pub statements: &'a [Statement],
    /// What is said of them if each of them is a transaction of its own.
    pub apart: &'a [Finding],
    /// The schema before the file.
    pub before: Option<&'a Catalog>,
}

/// Whether it may matter at all that others write between the statements.
pub(super) fn may_matter(statements: &[Statement]) -> bool {
    let any = |wanted: fn(&Operation) -> bool| {
        statements.iter().flat_map(|statement| &statement.operations).any(|operation| wanted(&operation.what))
    };
    any(|operation| matches!(operation, Operation::Update(_)))
        && any(|operation| matches!(operation, Operation::CreateTrigger(_)) || guards(operation).is_some())
}

/// The parts in the order of the plan.
pub(super) fn ordered(mut parts: Vec<Wanted>, ground: &Ground<'_>) -> Vec<Wanted> {
    ground.triggers_before_copies(&mut parts);
    ground.guards_behind_changes(&mut parts);
    ground.indexes_before_others_go(&mut parts);
    parts
}

/// The table that a constraint is added to which looks at each row that is written from then on.
fn guards(operation: &Operation) -> Option<&Name> {
    match operation {
        Operation::AddConstraint(add) if add.not_valid => match &add.kind {
            ConstraintKind::Check { .. } | ConstraintKind::NotNull { .. } => Some(&add.table),
            _ => None,
        },
        _ => None,
    }
}

fn updates(operation: &Operation) -> Option<&Name> {
    if let Operation::Update(update) = operation { Some(&update.table) } else { None }
}

impl Ground<'_> {
    fn operation(&self, ((at, part), _): &Wanted) -> Option<&Operation> {
        let operations = &self.statements.get(*at)?.operations;
        operations.iter().find(|operation| operation.span == part.first).map(|operation| &operation.what)
    }

    fn is_said(&self, rule: &str, ((_, part), _): &Wanted) -> bool {
        self.apart.iter().any(|finding| finding.rule == rule && finding.allowed.is_none() && part.has(finding.span))
    }

    fn update_of(&self, table: &Name, wanted: &Wanted) -> bool {
        self.operation(wanted).and_then(updates).is_some_and(|updated| updated == table)
    }

    /// A trigger that keeps two columns equal, with the functions that are made for it, goes before the first UPDATE of its table.
    fn triggers_before_copies(&self, parts: &mut Vec<Wanted>) {
        for at in 0..parts.len() {
            let Some(Operation::CreateTrigger(trigger)) = self.operation(&parts[at]) else { continue };
            if !self.is_said("backfill-before-sync", &parts[at]) {
                continue;
            }
            let Some(mut place) = (0..at).find(|earlier| self.update_of(&trigger.table, &parts[*earlier])) else { continue };
            for moved in place + 1..=at {
                let goes_along = moved == at || matches!(self.operation(&parts[moved]), Some(Operation::CreateFunction(_)));
                if goes_along {
                    let part = parts.remove(moved);
                    parts.insert(place, part);
                    place += 1;
                }
            }
        }
    }

    /// A constraint that is NOT VALID goes behind the UPDATE without which it would refuse writes to most rows. Behind it the UPDATE runs once
    /// more, if it can, for the rows that came meanwhile.
    fn guards_behind_changes(&self, parts: &mut Vec<Wanted>) {
        let Some(said) = (0..parts.len()).find(|at| self.is_said("update-after-check-not-valid", &parts[*at])) else { return };
        let Some(table) = self.operation(&parts[said]).and_then(updates) else { return };
        let Some(last) = (said..parts.len()).rev().find(|at| self.update_of(table, &parts[*at])) else { return };
        let Some(first) = (0..said).find(|at| self.operation(&parts[*at]).and_then(guards) == Some(table)) else { return };
        let is_add_column = |action: &AlterAction| matches!(action, AlterAction::AddColumn { .. });
        let rests_on_it = |at: usize| matches!(self.operation(&parts[at]), Some(Operation::Alter(_, action)) if !is_add_column(action));
        if (first..=last).any(rests_on_it) {
            return;
        }
        let again: Vec<Wanted> =
            parts[first..=last].iter().filter(|part| self.update_of(table, part) && part.1.is_some()).cloned().collect();
        let (guarding, others): (Vec<_>, Vec<_>) =
            parts.drain(first..=last).partition(|part| self.operation(part).and_then(guards) == Some(table));
        parts.splice(first..first, others.into_iter().chain(guarding).chain(again));
    }

    /// `DROP INDEX a; CREATE INDEX b` of one table: the new one is there before the old one goes.
    fn indexes_before_others_go(&self, parts: &mut Vec<Wanted>) {
        for at in 0..parts.len() {
            let Some(Operation::CreateIndex(create)) = self.operation(&parts[at]) else { continue };
            let Some(name) = &create.name else { continue };
            let table = self.before.map(|before| before.resolve(&create.table));
            let mut place = at;
            while let Some(before) = place.checked_sub(1) {
                match self.operation(&parts[before]) {
                    Some(Operation::CreateIndex(_)) => {}
                    Some(Operation::Drop(drop)) if drop.object == ObjectKind::Index && drop.name.name != *name => {}
                    _ => break,
                }
                place = before;
            }
            let dropped = (place..at).find(|earlier| table.is_some() && self.table_of_dropped(&parts[*earlier]) == table);
            if let Some(place) = dropped {
                let part = parts.remove(at);
                parts.insert(place, part);
            }
        }
    }

    fn table_of_dropped(&self, wanted: &Wanted) -> Option<QualifiedName> {
        let Operation::Drop(drop) = self.operation(wanted)? else { return None };
        let before = self.before?;
        let index = before.get(&before.resolve(&drop.name))?;
        Some(index.index.as_ref()?.table.clone())
    }
}
