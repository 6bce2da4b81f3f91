//! Branches of a program: statements that may have run, once or many times, or not at all.
//!
//! Inside a branch each statement meets what those before it made. At its end nothing of that is proven: what it made may be older, or not
//! be there, and what it dropped may still be there.

use super::store::{Undo, set_member};
use super::{Catalog, Column, Constraint, Relation, Step};
use crate::model::name::{Ident, QualifiedName};
use foldhash::HashSet;

/// What an open branch has changed: each thing as it was before.
#[derive(Clone, Debug, Default)]
pub(super) struct Branch {
    before: Vec<Undo>,
    relations: HashSet<QualifiedName>,
}

impl Branch {
    /// Whether a relation is changed in it for the first time.
    pub fn is_first(&mut self, name: &QualifiedName) -> bool {
        !self.relations.contains(name) && self.relations.insert(name.clone())
    }
}

impl Catalog {
    /// A branch begins: what follows may not run.
    pub fn begin_branch(&mut self) {
        self.branches.push(Branch::default());
    }

    /// The branch ends: from now on, what it changed is as it was before or as it is now.
    pub fn end_branch(&mut self) {
        let Some(branch) = self.branches.pop() else { return };
        for before in branch.before.into_iter().rev() {
            let is_new = match &before {
                Undo::Relation(name, ..) => self.branches.last_mut().is_some_and(|around| around.is_first(name)),
                Undo::Type(..) | Undo::Functions(..) | Undo::Schema(..) | Undo::Dropped(..) => true,
            };
            if is_new {
                self.note_in_branch(before.clone());
            }
            self.join(before);
        }
    }

    /// Notes in the innermost branch, if one is open, how something was before a change.
    pub(super) fn note_in_branch(&mut self, before: Undo) {
        if let Some(branch) = self.branches.last_mut() {
            branch.before.push(before);
        }
    }

    fn join(&mut self, before: Undo) {
        match before {
            Undo::Relation(name, before, was_dropped) => {
                let after = self.remove(&name);
                let joined = match (before, after) {
                    // It was only ever mentioned, by a statement that may not have run.
                    (None, Some(after)) if after.made_in.is_none() => None,
                    (None, Some(after)) => Some(of_any_age(after)),
                    (Some(before), None) => Some(Relation { complete: false, ..*before }),
                    (Some(before), Some(after)) => Some(joined(*before, after)),
                    (None, None) => None,
                };
                set_member(&mut self.dropped, name, was_dropped && joined.is_none());
                if let Some(relation) = joined {
                    self.insert(relation);
                }
            }
            Undo::Type(name, before, was_dropped) => {
                set_member(&mut self.dropped_types, name.clone(), was_dropped && !self.types.contains_key(&name));
                if let Some(before) = before {
                    self.types.entry(name).or_insert(before);
                }
            }
            Undo::Functions(name, Some(before)) => {
                let now = self.functions.entry(name).or_default();
                // Which of two bodies a call finds is not known.
                now.extend(before.into_iter().filter(|function| !now.contains(function)).collect::<Vec<_>>());
            }
            Undo::Functions(_, None) | Undo::Dropped(..) => {}
            Undo::Schema(name, was_there) => {
                set_member(&mut self.dropped_schemas, name.clone(), false);
                if was_there {
                    self.schemas.insert(name);
                }
            }
        }
    }
}

/// A relation that a branch has made, unless it was there before.
fn of_any_age(mut relation: Relation) -> Relation {
    relation.surely_made = false;
    relation.complete = false;
    relation.columns.iter_mut().for_each(|column| column.added_in = Step::BASE);
    relation.constraints.iter_mut().for_each(|constraint| constraint.added_in = Step::BASE);
    relation.triggers.iter_mut().for_each(|trigger| trigger.added_in = Step::BASE);
    relation
}

/// A relation that is either as it was or as it is now: what is the same in both is known.
fn joined(before: Relation, mut after: Relation) -> Relation {
    // What happened to rows says nothing of what the table is.
    let updated: Vec<Ident> = after.columns.iter().filter(|column| column.updated).map(|column| column.name.clone()).collect();
    for column in &mut after.columns {
        column.updated &= before.column(&column.name).is_none_or(|old| old.updated);
    }
    let same = before.columns == after.columns && before.constraints == after.constraints && before.indexes == after.indexes;
    after.complete &= before.complete && same;
    // Either the older one or its successor: nothing says which migration made what is there now.
    after.surely_made &= before.surely_made && before.made_in == after.made_in;
    after.filled |= before.filled;
    if !same {
        after.columns = before.columns.iter().filter_map(|column| Some(column.or(after.column(&column.name)?))).collect();
        // A table that is made anew may have the same ones again.
        let is_in_both =
            |old: &Constraint| after.constraints.iter().any(|new| *new == Constraint { added_in: new.added_in, ..old.clone() });
        after.constraints = before.constraints.iter().filter(|old| is_in_both(old)).cloned().collect();
        after.indexes.retain(|index| before.indexes.contains(index));
    }
    // Rows are filled in loops: one that finds none to fill has filled them all.
    after.columns.iter_mut().filter(|column| updated.contains(&column.name)).for_each(|column| column.updated = true);
    after
}

impl Column {
    /// A column of which either this or the other definition holds.
    fn or(&self, other: &Self) -> Self {
        let same_type = self.data_type == other.data_type;
        let same_default = self.default == other.default;
        Self {
            data_type: self.data_type.clone().filter(|_| same_type),
            default: self.default.clone().filter(|_| same_default),
            not_null: self.not_null && other.not_null,
            ..self.clone()
        }
    }
}
