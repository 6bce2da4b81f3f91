//! The one way in which relations come, go and change, so that ROLLBACK can take it back.
//!
//! While a transaction is open that may be rolled back, the first change of each relation since the last savepoint leaves a copy of the
//! relation as it was. Nothing else is ever copied.

use super::{Catalog, Function, Relation};
use crate::model::name::{Ident, QualifiedName};
use crate::model::operation::Operation;
use crate::model::session::TransactionMode;
use crate::model::types::UserType;
use foldhash::HashSet;

/// What has to be put back.
#[derive(Clone, Debug)]
pub(super) enum Undo {
    /// A relation, and whether its name was known to be gone.
    Relation(QualifiedName, Option<Box<Relation>>, bool),
    Type(QualifiedName, Option<UserType>, bool),
    Functions(QualifiedName, Option<Vec<Function>>),
    Schema(Ident, bool),
    /// All names that were known to be gone.
    Dropped(HashSet<QualifiedName>, HashSet<QualifiedName>),
}

/// What the open transaction changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Journal {
    open: bool,
    /// The file is one message: after COMMIT the next transaction opens by itself.
    reopens: bool,
    /// The file rolls nothing back, so nothing need be kept.
    idle: bool,
    undo: Vec<Undo>,
    /// Relations that were kept since the last savepoint.
    kept: HashSet<QualifiedName>,
    savepoints: Vec<(Ident, usize)>,
}

impl Catalog {
    /// A new file begins, whose statements are put into transactions by `mode`. `operations` are all of the file's: where none of them
    /// rolls back, changes cost nothing extra.
    ///
    /// Temporary relations of earlier files are gone with their connections. What an earlier file left in a transaction that it never
    /// ended is taken as committed. A caller that never calls this has every file
    /// treated as if it committed each statement outside its own BEGIN.
    pub fn begin_file<'a>(&mut self, mode: TransactionMode, operations: impl IntoIterator<Item = &'a Operation>) {
        let rolls_back = operations.into_iter().any(|operation| matches!(operation, Operation::Rollback { .. } | Operation::RollbackTo(_)));
        self.journal = Journal::default();
        self.passed_over = None;
        self.dropped_in_file.clear();
        self.drop_temporary();
        let reopens = mode == TransactionMode::OneMessage;
        let open = reopens || matches!(mode, TransactionMode::Runner | TransactionMode::Assumed(true));
        self.journal = Journal { open, reopens, idle: !rolls_back, ..Journal::default() };
    }

    pub(super) fn open_transaction(&mut self) {
        self.journal.open = true;
    }

    /// DISCARD TEMP, and the end of a connection.
    pub(super) fn drop_temporary(&mut self) {
        self.until_commit.clear();
        let names = std::mem::take(&mut self.temporary);
        self.drop_unseen(names);
    }

    /// A table that is ON COMMIT DROP; outside a transaction block its own statement is the transaction.
    pub(super) fn keep_until_commit(&mut self, name: &QualifiedName, until_commit: bool) {
        if until_commit && self.journal.open {
            self.until_commit.push(name.clone());
        } else if until_commit {
            self.drop_unseen(vec![name.clone()]);
        }
    }

    /// Relations go of which nobody will say that they are gone: a permanent one may have the name.
    fn drop_unseen(&mut self, names: Vec<QualifiedName>) {
        for name in names {
            self.drop_relation(&name);
            self.dropped.remove(&name);
        }
    }

    pub(super) fn commit(&mut self, chain: bool) {
        let gone = std::mem::take(&mut self.until_commit);
        self.drop_unseen(gone);
        let journal = &mut self.journal;
        journal.undo.clear();
        journal.kept.clear();
        journal.savepoints.clear();
        journal.open = journal.open && (journal.reopens || chain);
    }

    pub(super) fn roll_back(&mut self, chain: bool) {
        self.undo_from(0);
        self.commit(chain);
    }

    pub(super) fn set_savepoint(&mut self, name: &Ident) {
        if self.journal.open {
            self.journal.savepoints.push((name.clone(), self.journal.undo.len()));
            self.journal.kept.clear();
        }
    }

    pub(super) fn release(&mut self, name: &Ident) {
        if let Some(place) = self.savepoint(name) {
            self.journal.savepoints.truncate(place);
        }
    }

    pub(super) fn roll_back_to(&mut self, name: &Ident) {
        if let Some(place) = self.savepoint(name) {
            self.journal.savepoints.truncate(place + 1);
            self.undo_from(self.journal.savepoints[place].1);
            self.journal.kept.clear();
        }
    }

    fn savepoint(&self, name: &Ident) -> Option<usize> {
        self.journal.savepoints.iter().rposition(|(known, _)| known == name)
    }

    fn undo_from(&mut self, place: usize) {
        for undo in self.journal.undo.split_off(place).into_iter().rev() {
            match undo {
                Undo::Relation(name, relation, dropped) => {
                    self.remove(&name);
                    if let Some(relation) = relation {
                        self.insert(*relation);
                    }
                    set_member(&mut self.dropped, name, dropped);
                }
                Undo::Type(name, Some(user_type), _) => drop(self.types.insert(name, user_type)),
                Undo::Type(name, None, dropped) => {
                    self.types.remove(&name);
                    set_member(&mut self.dropped_types, name, dropped);
                }
                Undo::Functions(name, Some(functions)) => drop(self.functions.insert(name, functions)),
                Undo::Functions(name, None) => drop(self.functions.remove(&name)),
                Undo::Schema(name, known) => set_member(&mut self.schemas, name, known),
                Undo::Dropped(relations, types) => (self.dropped, self.dropped_types) = (relations, types),
            }
        }
    }

    /// A relation, to change it. Its name, its constraints' names and its existence are not changed through this.
    pub(super) fn edit(&mut self, name: &QualifiedName) -> Option<&mut Relation> {
        self.keep(name);
        self.relations.get_mut(name).map(Box::as_mut)
    }

    /// A relation comes into being.
    pub(super) fn put(&mut self, relation: Relation) {
        self.keep(&relation.name);
        self.dropped.remove(&relation.name);
        self.remove(&relation.name);
        self.insert(relation);
    }

    /// A relation goes: its name leads nowhere from now on.
    pub(super) fn take(&mut self, name: &QualifiedName) -> Option<Relation> {
        self.keep(name);
        self.dropped.insert(name.clone());
        self.remove(name)
    }

    pub(super) fn insert(&mut self, relation: Relation) {
        for constraint in &relation.constraints {
            self.count_constraint_name(&relation.name.schema, &constraint.name);
        }
        if relation.name.schema == "pg_temp" {
            self.temporary.push(relation.name.clone());
        }
        self.note_number(&relation.name);
        if relation.complete {
            self.known_whole.push(relation.name.clone());
        }
        self.relations.insert(relation.name.clone(), Box::new(relation));
    }

    pub(super) fn remove(&mut self, name: &QualifiedName) -> Option<Relation> {
        let relation = self.relations.remove(name)?;
        for constraint in &relation.constraints {
            self.uncount_constraint_name(&name.schema, &constraint.name);
        }
        self.numbers.clear();
        Some(*relation)
    }

    pub(super) fn count_constraint_name(&mut self, schema: &Ident, name: &Ident) {
        let name = QualifiedName { schema: schema.clone(), name: name.clone() };
        self.note_number(&name);
        *self.constraint_names.entry(name).or_default() += 1;
    }

    /// `orders_buyer_idx3` is taken: the next search for a free number behind `orders_buyer_idx` begins at 4, if it would come by 3.
    fn note_number(&mut self, taken: &QualifiedName) {
        let stem = taken.name.as_str().trim_end_matches(|c: char| c.is_ascii_digit());
        let Ok(number) = taken.name.as_str()[stem.len()..].parse::<u32>() else { return };
        let first = QualifiedName { schema: taken.schema.clone(), name: Ident::quoted(stem) };
        let next = self.numbers.get(&first).copied().unwrap_or(1);
        if number == next {
            self.numbers.insert(first, next.saturating_add(1));
        }
    }

    pub(super) fn uncount_constraint_name(&mut self, schema: &Ident, name: &Ident) {
        let name = QualifiedName { schema: schema.clone(), name: name.clone() };
        if let Some(count) = self.constraint_names.get_mut(&name) {
            *count -= 1;
            if *count == 0 {
                self.constraint_names.remove(&name);
            }
        }
        self.numbers.clear();
    }

    /// Keeps a relation as it is before its first change since the last savepoint.
    fn keep(&mut self, name: &QualifiedName) {
        if self.branches.last_mut().is_some_and(|branch| branch.is_first(name)) {
            let before = Undo::Relation(name.clone(), self.relations.get(name).cloned(), self.dropped.contains(name));
            self.note_in_branch(before);
        }
        if self.keeps() && self.journal.kept.insert(name.clone()) {
            let relation = self.relations.get(name).cloned();
            self.journal.undo.push(Undo::Relation(name.clone(), relation, self.dropped.contains(name)));
        }
    }

    fn keeps(&self) -> bool {
        self.journal.open && !self.journal.idle
    }

    /// A type comes, changes or goes (`None`).
    pub(super) fn set_type(&mut self, name: QualifiedName, user_type: Option<UserType>) {
        let dropped = self.dropped_types.contains(&name);
        set_member(&mut self.dropped_types, name.clone(), user_type.is_none());
        let before = match user_type {
            Some(user_type) => self.types.insert(name.clone(), user_type),
            None => self.types.remove(&name),
        };
        if !self.branches.is_empty() {
            self.note_in_branch(Undo::Type(name.clone(), before.clone(), dropped));
        }
        if self.keeps() {
            self.journal.undo.push(Undo::Type(name, before, dropped));
        }
    }

    /// The functions of a name change; an empty list removes the name.
    pub(super) fn set_functions(&mut self, name: QualifiedName, functions: Vec<Function>) {
        let before = match functions.is_empty() {
            true => self.functions.remove(&name),
            false => self.functions.insert(name.clone(), functions),
        };
        if !self.branches.is_empty() {
            self.note_in_branch(Undo::Functions(name.clone(), before.clone()));
        }
        if self.keeps() {
            self.journal.undo.push(Undo::Functions(name, before));
        }
    }

    /// A schema comes or goes.
    pub(super) fn set_schema(&mut self, name: Ident, exists: bool) {
        let before = self.schemas.contains(&name);
        set_member(&mut self.dropped_schemas, name.clone(), !exists);
        set_member(&mut self.schemas, name.clone(), exists);
        if !self.branches.is_empty() {
            self.note_in_branch(Undo::Schema(name.clone(), before));
        }
        if self.keeps() {
            self.journal.undo.push(Undo::Schema(name, before));
        }
    }

    /// Nothing is known to be gone or to be all there is any more. A ROLLBACK does not bring that back: too little known is never wrong.
    pub(super) fn forget(&mut self) {
        (self.whole, self.opaque) = (false, true);
        for name in std::mem::take(&mut self.known_whole) {
            if let Some(relation) = self.relations.get_mut(&name) {
                relation.complete = false;
            }
        }
        let dropped = (std::mem::take(&mut self.dropped), std::mem::take(&mut self.dropped_types));
        self.dropped_schemas.clear();
        if self.keeps() {
            self.journal.undo.push(Undo::Dropped(dropped.0, dropped.1));
        }
    }
}

pub(super) fn set_member<T: std::hash::Hash + Eq>(set: &mut HashSet<T>, element: T, is_in: bool) {
    if is_in {
        set.insert(element);
    } else {
        set.remove(&element);
    }
}
