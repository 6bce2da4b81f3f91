//! What the statements of a file do to one thing in several places, indexed once for all facts that ask about the rest of the file.
//!
//! Tables are filed under their name without schema, since where a name leads depends on the moment: who asks looks closer.

use super::aftermath::Aftermath;
use super::literals::literals_of;
use crate::model::name::{Ident, Name};
use crate::model::operation::{AlterAction, ObjectKind, Operation, Privilege, Realm, TwoPhase};
use crate::sql::Statement;
use crate::text::SourceFile;
use foldhash::HashMap;
use std::cell::OnceCell;
use std::hash::Hash;
use std::ops::Range;

/// Indices of statements, in order.
pub type Places = Vec<usize>;

/// What a file does, by thing.
#[derive(Debug, Default)]
pub struct Outline {
    /// Statements that end a transaction.
    ends: Places,
    /// The last statement that is no SET, RESET or end of a transaction.
    last_that_may_fail: Option<usize>,
    drops_trigger: Option<usize>,
    drops_routine: Option<usize>,
    made: HashMap<(ObjectKind, Name), Places>,
    renames: HashMap<Ident, Vec<(usize, Name)>>,
    /// By table, without schema, and the new name.
    column_renames: HashMap<(Ident, Ident), Places>,
    row_changes: HashMap<Ident, Vec<RowChange>>,
    /// By the bare name of a table, view or function; grants of roles by the role, and those on all objects of a schema by no name.
    rights: HashMap<Ident, Places>,
    /// What the file does about its earlier statements.
    pub aftermath: Aftermath,
    literals: OnceCell<HashMap<Box<str>, Places>>,
    upkeep: OnceCell<HashMap<Ident, Places>>,
    /// Statements that may run others which nobody sees.
    unseen: Places,
    sequence_words: OnceCell<HashMap<Box<str>, usize>>,
}

/// A statement that empties a table, or puts rows into it.
#[derive(Clone, Debug)]
pub struct RowChange {
    /// The statement.
    pub at: usize,
    /// The table, as written.
    pub table: Name,
    /// No row is left; false if there may be some.
    pub empties: bool,
}

impl Outline {
    /// Goes through a file once.
    pub fn of(file: &[Statement]) -> Self {
        let mut outline = Self::default();
        for (at, operation) in operations(file) {
            outline.note(at, operation);
            // A body fails or succeeds with the statement that runs it.
            let steers =
                matches!(operation, Operation::Set { .. } | Operation::Reset { .. } | Operation::Begin) || ends_transaction(operation);
            if !steers && file[at].nesting.is_none() {
                outline.last_that_may_fail = Some(at);
            }
            outline.aftermath.note(at, operation);
        }
        outline
    }

    /// The statements from `next` on that run in the transaction that is open there.
    pub fn rest_of_transaction(&self, next: usize) -> Range<usize> {
        next..first_from(&self.ends, next).unwrap_or(usize::MAX)
    }

    /// Whether a statement from `next` on may fail: one that is no SET, RESET or end of a transaction.
    pub fn may_fail_from(&self, next: usize) -> bool {
        self.last_that_may_fail.is_some_and(|last| last >= next)
    }

    /// The first statement that drops a trigger.
    pub fn first_drop_of_trigger(&self) -> Option<usize> {
        self.drops_trigger
    }

    /// The last statement that drops a function or procedure.
    pub fn last_drop_of_routine(&self) -> Option<usize> {
        self.drops_routine
    }

    /// Statements that make a type, domain, function, schema, trigger or policy of this name, and cannot find it in place; triggers and
    /// policies are filed under their bare names, procedures as functions. Unlike in [`super::turnover`], a new name makes nothing new.
    pub fn makes(&self, kind: ObjectKind, name: &Name) -> &[usize] {
        places(&self.made, &(kind, name.clone()))
    }

    /// Statements that say who may do what with a table, view or function of this name: GRANT, CREATE POLICY, and options that change whose
    /// rights count. GRANT of a role is filed under the role, and on all objects of a schema under the empty name.
    pub fn rights_on(&self, name: &Ident) -> &[usize] {
        places(&self.rights, name)
    }

    /// Statements that give a table this name, and the name that it had.
    pub fn renames_to(&self, name: &Ident) -> &[(usize, Name)] {
        self.renames.get(name).map_or(&[], Vec::as_slice)
    }

    /// Statements that give a column of a table of this name this name.
    pub fn column_renames_to(&self, table: &Ident, column: &Ident) -> &[usize] {
        places(&self.column_renames, &(table.clone(), column.clone()))
    }

    /// Statements that empty or fill a table of this name.
    pub fn row_changes(&self, table: &Ident) -> &[RowChange] {
        self.row_changes.get(table).map_or(&[], Vec::as_slice)
    }

    /// Statements that hold a text as a literal.
    pub fn holds_literal(&self, text: &str, file: &[Statement]) -> &[usize] {
        let index = self.literals.get_or_init(|| {
            let mut index = HashMap::default();
            for (at, operation) in operations(file) {
                literals_of(operation, &mut |literal| push(&mut index, literal.into(), at));
            }
            index
        });
        index.get(text).map_or(&[], Vec::as_slice)
    }

    /// Statements that change rows of a table of this name, its triggers or options, or drop it; and those that drop a function of this name.
    pub fn upkeep_of(&self, name: &Ident, file: &[Statement]) -> &[usize] {
        let index = self.upkeep.get_or_init(|| {
            let mut index = HashMap::default();
            for (at, operation) in operations(file) {
                if let Some(name) = kept_up(operation) {
                    push(&mut index, name.name.clone(), at);
                }
            }
            index
        });
        places(index, name)
    }

    /// Statements that may run others which nobody sees.
    pub fn unseen(&self) -> &[usize] {
        &self.unseen
    }

    /// The words of the statements that may move a sequence on, in lower case, each with the last of them that says it.
    pub fn sequence_words(&self, file: &[Statement], source: &SourceFile) -> &HashMap<Box<str>, usize> {
        self.sequence_words.get_or_init(|| {
            let mut words = HashMap::default();
            for at in self.aftermath.sequence_moves() {
                let text = source.text(file[*at].span).to_lowercase();
                if !text.contains("setval") && !text.contains("restart") {
                    continue;
                }
                let said = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
                words.extend(said.map(|word| (word.into(), *at)));
            }
            words
        })
    }

    fn note(&mut self, at: usize, operation: &Operation) {
        if operation.runs_unseen() {
            self.unseen.push(at);
        }
        match operation {
            _ if ends_transaction(operation) => self.ends.push(at),
            Operation::CreateType { name, .. } => self.note_made(at, ObjectKind::Type, name),
            Operation::CreateDomain { name, .. } => self.note_made(at, ObjectKind::Domain, name),
            Operation::CreateFunction(function) if !function.or_replace => self.note_made(at, ObjectKind::Function, &function.name),
            Operation::CreateSchema { name, if_not_exists: false } => {
                self.note_made(at, ObjectKind::Schema, &Name::bare(name.clone()));
            }
            Operation::Drop(drop) if drop.object == ObjectKind::Trigger => self.drops_trigger = self.drops_trigger.or(Some(at)),
            Operation::Drop(drop) if drop.object.realm() == Some(Realm::Function) => self.drops_routine = Some(at),
            Operation::CreateTrigger(trigger) if !trigger.or_replace => {
                self.note_made(at, ObjectKind::Trigger, &Name::bare(trigger.name.clone()));
            }
            Operation::Policy(policy) if policy.create => {
                self.note_made(at, ObjectKind::Policy, &Name::bare(policy.name.clone()));
                push(&mut self.rights, policy.table.name.clone(), at);
            }
            Operation::Privilege(privilege) if privilege.grant => self.note_grant(at, privilege),
            Operation::Other { words, object: Some(name), .. } if words.starts_with("alter ") => {
                push(&mut self.rights, name.name.clone(), at);
            }
            Operation::Alter(target, action) => match &**action {
                AlterAction::SetOptions { .. } => push(&mut self.rights, target.name.name.clone(), at),
                AlterAction::RenameTo { to } => self.renames.entry(to.clone()).or_default().push((at, target.name.clone())),
                AlterAction::RenameColumn { to, .. } => push(&mut self.column_renames, (target.name.name.clone(), to.clone()), at),
                _ => {}
            },
            _ => self.note_rows(at, operation),
        }
    }

    fn note_made(&mut self, at: usize, kind: ObjectKind, name: &Name) {
        push(&mut self.made, (kind, name.clone()), at);
    }

    fn note_grant(&mut self, at: usize, privilege: &Privilege) {
        if privilege.object == ObjectKind::Role {
            privilege.what.iter().for_each(|role| push(&mut self.rights, Ident::quoted(role), at));
        } else if privilege.objects.is_empty() {
            push(&mut self.rights, Ident::quoted(""), at);
        } else {
            privilege.objects.iter().for_each(|name| push(&mut self.rights, name.name.clone(), at));
        }
    }

    fn note_rows(&mut self, at: usize, operation: &Operation) {
        let mut change = |table: &Name, empties| {
            self.row_changes.entry(table.name.clone()).or_default().push(RowChange { at, table: table.clone(), empties });
        };
        match operation {
            Operation::Truncate { table, .. } => change(table, true),
            Operation::Delete(delete) if delete.filter.is_none() && !delete.current_of => change(&delete.table, true),
            Operation::Copy { table: Some(table), from: true, .. } | Operation::Merge { table, .. } => change(table, false),
            Operation::Insert(insert) => change(&insert.table, false),
            _ => {}
        }
    }
}

/// The table whose rows, triggers or options are changed, or what is dropped.
fn kept_up(operation: &Operation) -> Option<&Name> {
    match operation {
        _ if operation.writes_to().is_some() => operation.writes_to(),
        Operation::CreateTrigger(trigger) => Some(&trigger.table),
        Operation::Drop(drop) => Some(&drop.name),
        Operation::Alter(target, action) => match &**action {
            AlterAction::SetTrigger { .. } | AlterAction::SetOptions { .. } | AlterAction::ResetOptions { .. } => Some(&target.name),
            _ => None,
        },
        _ => None,
    }
}

/// The first place in a range, if there is one.
pub fn first_in(places: &[usize], range: &Range<usize>) -> Option<usize> {
    first_from(places, range.start).filter(|at| *at < range.end)
}

pub(super) fn first_from(places: &[usize], start: usize) -> Option<usize> {
    places.get(places.partition_point(|at| *at < start)).copied()
}

fn ends_transaction(operation: &Operation) -> bool {
    matches!(operation, Operation::Commit { .. } | Operation::Rollback { .. } | Operation::TwoPhase(TwoPhase::Prepare))
}

fn operations(file: &[Statement]) -> impl Iterator<Item = (usize, &Operation)> {
    file.iter().enumerate().flat_map(|(at, statement)| statement.operations.iter().map(move |operation| (at, &operation.what)))
}

pub(super) fn push<K: Eq + Hash>(index: &mut HashMap<K, Places>, key: K, at: usize) {
    let places = index.entry(key).or_default();
    if places.last() != Some(&at) {
        places.push(at);
    }
}

pub(super) fn places<'a, K: Eq + Hash>(index: &'a HashMap<K, Places>, key: &K) -> &'a [usize] {
    index.get(key).map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::{Outline, first_in};
    use crate::model::name::{Ident, Name};
    use crate::model::operation::ObjectKind;
    use crate::sql;
    use crate::text::{SourceFile, Span};

    /// What rules ask of each statement must not be answered by going through all of them.
    #[test]
    fn an_answer_holds_the_statements_about_one_thing_and_no_others() {
        let mut text = String::from("BEGIN; CREATE TYPE state AS ENUM ('open'); ALTER TABLE users ADD COLUMN email text;\n");
        for at in 0..1000 {
            text += &format!("ALTER TYPE state ADD VALUE 's{at}'; UPDATE users SET email = mail{at} WHERE id = {at};\n");
        }
        text += "INSERT INTO orders (state) VALUES ('s7'); COMMIT; INSERT INTO orders (state) VALUES ('s8');";
        let source = SourceFile::new("shop.sql", text);
        let file = sql::read(&source, Span::new(0, source.bytes().len() as u32)).statements;
        let outline = Outline::of(&file);
        assert_eq!(outline.makes(ObjectKind::Type, &Name::bare(Ident::quoted("state"))), [1]);
        assert_eq!(outline.holds_literal("s7", &file), [2003]);
        assert_eq!(outline.rest_of_transaction(5), 5..2004);
        assert_eq!(first_in(outline.holds_literal("s8", &file), &outline.rest_of_transaction(5)), None);
        assert!(outline.may_fail_from(2005) && !outline.may_fail_from(2006));
    }
}
