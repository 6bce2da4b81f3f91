//! Which names a file gives and which it takes away: what is dropped or renamed may come back, and what is dropped may never have been
//! known to anybody by that name.

use crate::model::name::{Ident, Name};
use crate::model::operation::{AlterAction, Operation, Realm};
use crate::sql::Statement;
use foldhash::HashMap;

/// The names that the statements of a file give and take away.
#[derive(Clone, Debug, Default)]
pub struct Turnover {
    given: HashMap<Ident, Vec<Turn>>,
    taken: HashMap<Ident, Vec<Turn>>,
    /// By the last part of a table's name, what the file does to its columns, constraints and indexes: statement and operation.
    on_table: HashMap<Ident, Vec<(usize, usize)>>,
}

/// A name is given, or taken away.
#[derive(Clone, Debug)]
struct Turn {
    by: usize,
    realm: Realm,
    name: Name,
    /// Nothing of this name can have been there before: no OR REPLACE, no IF NOT EXISTS.
    surely: bool,
}

impl Turnover {
    /// Of a whole file.
    pub fn of(file: &[Statement]) -> Self {
        let mut turnover = Self::default();
        for (by, statement) in file.iter().enumerate() {
            for (which, operation) in statement.operations.iter().enumerate() {
                turnover.add(&operation.what, by);
                if let Some(table) = table(&operation.what) {
                    turnover.on_table.entry(table.name.clone()).or_default().push((by, which));
                }
            }
        }
        turnover
    }

    fn add(&mut self, operation: &Operation, by: usize) {
        if let Some((realm, name, surely)) = given(operation) {
            self.given.entry(name.name.clone()).or_default().push(Turn { by, realm, name, surely });
        }
        if let Some((realm, name)) = taken(operation) {
            self.taken.entry(name.name.clone()).or_default().push(Turn { by, realm, name, surely: true });
        }
    }

    /// The first statement behind `here` that gives a name.
    pub fn given_after(&self, here: usize, realm: Realm, name: &Ident, is_it: impl Fn(&Name) -> bool) -> Option<usize> {
        let turns = self.given.get(name)?.iter();
        turns.filter(|turn| turn.by > here && turn.realm == realm).find(|turn| is_it(&turn.name)).map(|turn| turn.by)
    }

    /// Whether a statement before `here` gives the name to something that is surely new under it.
    pub fn given_before(&self, here: usize, realm: Realm, name: &Ident, is_it: impl Fn(&Name) -> bool) -> bool {
        let turns = self.given.get(name).into_iter().flatten();
        turns.filter(|turn| turn.surely && turn.by < here && turn.realm == realm).any(|turn| is_it(&turn.name))
    }

    /// The last statement before `here` that takes a name away.
    pub fn taken_before(&self, here: usize, realm: Realm, name: &Ident, is_it: impl Fn(&Name) -> bool) -> Option<usize> {
        let turns = self.taken.get(name)?.iter().rev();
        turns.filter(|turn| turn.by < here && turn.realm == realm).find(|turn| is_it(&turn.name)).map(|turn| turn.by)
    }

    /// Whether a statement behind `here` takes a name away.
    pub fn taken_after(&self, here: usize, realm: Realm, name: &Ident, is_it: impl Fn(&Name) -> bool) -> bool {
        let turns = self.taken.get(name).into_iter().flatten();
        turns.filter(|turn| turn.by > here && turn.realm == realm).any(|turn| is_it(&turn.name))
    }

    /// What the file does to the columns, constraints and indexes of tables whose name ends so: statement and operation, in order.
    pub fn on_table<'a>(
        &'a self,
        table: &Ident,
        file: &'a [Statement],
    ) -> impl DoubleEndedIterator<Item = (usize, &'a Operation)> + use<'a> {
        self.on_table
            .get(table)
            .map_or(&[][..], Vec::as_slice)
            .iter()
            .filter_map(|(by, which)| Some((*by, &file.get(*by)?.operations.get(*which)?.what)))
    }
}

/// The name that an operation gives, and whether it is surely to something new.
fn given(operation: &Operation) -> Option<(Realm, Name, bool)> {
    Some(match operation {
        Operation::CreateTable(table) => (Realm::Relation, table.name.clone(), !table.if_not_exists),
        Operation::CreateTableAs(table) => (Realm::Relation, table.name.clone(), !table.if_not_exists),
        Operation::CreateView(view) | Operation::CreateMaterializedView(view) => {
            (Realm::Relation, view.name.clone(), !view.or_replace && !view.if_not_exists)
        }
        Operation::CreateSequence { name, if_not_exists, .. } => (Realm::Relation, name.clone(), !if_not_exists),
        Operation::CreateIndex(index) => {
            let name = index.name.clone()?;
            (Realm::Relation, Name { schema: index.table.schema.clone(), name }, !index.if_not_exists)
        }
        Operation::CreateType { name, .. } | Operation::CreateDomain { name, .. } => (Realm::Type, name.clone(), true),
        Operation::CreateFunction(function) => (Realm::Function, function.name.clone(), !function.or_replace),
        Operation::CreateSchema { name, if_not_exists } => (Realm::Schema, Name::bare(name.clone()), !if_not_exists),
        Operation::CreateExtension { name, if_not_exists, .. } => (Realm::Extension, Name::bare(name.clone()), !if_not_exists),
        Operation::Other { words, object: Some(name), .. } if words.ends_with(" aggregate") && words.starts_with("create ") => {
            (Realm::Function, name.clone(), false)
        }
        Operation::Rename { object, name, to, .. } => (object.realm()?, Name { schema: name.schema.clone(), name: to.clone() }, true),
        Operation::Alter(target, action) => match &**action {
            AlterAction::RenameTo { to } => (target.written.realm()?, Name { schema: target.name.schema.clone(), name: to.clone() }, true),
            AlterAction::SetSchema { schema } => {
                (target.written.realm()?, Name { schema: Some(schema.clone()), name: target.name.name.clone() }, true)
            }
            _ => return None,
        },
        _ => return None,
    })
}

/// The name that an operation takes away.
fn taken(operation: &Operation) -> Option<(Realm, Name)> {
    match operation {
        Operation::Drop(drop) => Some((drop.object.realm()?, drop.name.clone())),
        Operation::Rename { object, name, .. } => Some((object.realm()?, name.clone())),
        Operation::Alter(target, action) => match &**action {
            AlterAction::RenameTo { .. } | AlterAction::SetSchema { .. } => Some((target.written.realm()?, target.name.clone())),
            _ => None,
        },
        _ => None,
    }
}

/// The table whose columns, constraints or indexes an operation changes.
fn table(operation: &Operation) -> Option<&Name> {
    match operation {
        Operation::Alter(target, _) => Some(&target.name),
        Operation::AddConstraint(constraint) => Some(&constraint.table),
        Operation::CreateIndex(index) => Some(&index.table),
        _ => None,
    }
}
