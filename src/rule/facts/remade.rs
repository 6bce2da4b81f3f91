//! Facts about what an operation takes away, and whether its file gives it back: by the same name, in the same transaction or later.

use super::{Fact, Kind, Value, column, object, session, table};
use crate::model::catalog::Lookup;
use crate::model::kind::OpKind;
use crate::model::name::{Ident, Name};
use crate::model::operation::{AlterAction, ObjectKind, Operation, Realm};
use crate::rule::moment::Moment;

/// Drops of what has a name that code may know.
#[rustfmt::skip]
const DROPS: &[OpKind] = &[
    OpKind::DropTable, OpKind::DropIndex, OpKind::DropView, OpKind::DropMaterializedView, OpKind::DropSequence, OpKind::DropType,
    OpKind::DropDomain, OpKind::DropFunction, OpKind::DropExtension,
];

/// Renames of what has a name that code may know.
#[rustfmt::skip]
const RENAMES: &[OpKind] = &[
    OpKind::RenameTable, OpKind::RenameColumn, OpKind::RenameView, OpKind::RenameSequence, OpKind::RenameType, OpKind::RenameFunction,
    OpKind::RenameSchema, OpKind::SetSchema,
];

/// Renames of what has no column or table of its own to name it by.
const OF_OTHERS: &[OpKind] =
    &[OpKind::RenameView, OpKind::RenameSequence, OpKind::RenameType, OpKind::RenameFunction, OpKind::RenameSchema, OpKind::SetSchema];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "remade", kind: Kind::Words(&["no", "in_transaction", "later"]), of: DROPS, read: remade,
           doc: "whether the file makes something of the same name again: in the same transaction, or later than that" },
    Fact { name: "remade_on", kind: Kind::Number, of: DROPS, read: |m| given_back(m).map(|by| session::line_of(m, by)).into(),
           doc: "the line on which it is made again" },
    Fact { name: "exchanged", kind: Kind::Bool, of: &[OpKind::DropTable], read: |m| is_exchanged(m).into(),
           doc: "what takes its name in the file is another table, renamed" },
    Fact { name: "trigger_function", kind: Kind::Bool, of: &[OpKind::DropFunction, OpKind::RenameFunction], read: |m| is_trigger_function(m).into(),
           doc: "nothing but triggers can call the function, and the server drops none that a trigger still needs" },
    Fact { name: "owned", kind: Kind::Bool, of: &[OpKind::DropSequence, OpKind::RenameSequence], read: |m| table::relation(m).is_some_and(|sequence| sequence.owned_by.is_some()).into(),
           doc: "the sequence belongs to a column, through whose default code uses it" },
    Fact { name: "index_known", kind: Kind::Bool, of: &[OpKind::DropIndex], read: |m| is_index_known(m).into(),
           doc: "the history has made the index: what is dropped is not just the rest of a build that failed" },
    Fact { name: "kind", kind: Kind::Text, of: DROPS, read: |m| written_kind(m).map(ObjectKind::words).into(),
           doc: "the kind of the object, as the statement says it" },
    Fact { name: "kind", kind: Kind::Text, of: OF_OTHERS, read: |m| written_kind(m).map(ObjectKind::words).into(),
           doc: "the kind of the object, as the statement says it" },
    Fact { name: "object", kind: Kind::Words(object::STATES), of: OF_OTHERS, read: |m| taken(m).map(|(realm, name)| object::state(m, realm, name)).into(),
           doc: "what is renamed: `new` if this migration made it, or gave it its name, `absent` if the history is sure of it" },
    Fact { name: "new_name", kind: Kind::Text, of: RENAMES, read: new_name,
           doc: "the name that it gets; of SET SCHEMA with the new schema" },
    Fact { name: "old_name", kind: Kind::Words(&["gone", "kept", "comes_later"]), of: RENAMES, read: old_name,
           doc: "`kept` if the same transaction makes something of the old name, or gives that to another: a view, a column; `comes_later` if the file does so after the transaction" },
    Fact { name: "old_name_on", kind: Kind::Number, of: RENAMES, read: |m| given_back(m).map(|by| session::line_of(m, by)).into(),
           doc: "the line on which the old name comes back" },
    Fact { name: "takes_place", kind: Kind::Bool, of: RENAMES, read: |m| takes_place(m).into(),
           doc: "the new name belonged to something that the same transaction has renamed or dropped: code finds what it asks for" },
];

/// What the statement names: where it is found, and its name.
fn taken<'a>(m: &Moment<'a>) -> Option<(Realm, &'a Name)> {
    Some(match m.operation()? {
        Operation::Drop(drop) => (drop.object.realm()?, &drop.name),
        Operation::Rename { object, name, .. } => (object.realm()?, name),
        Operation::Alter(target, _) => (target.written.realm()?, &target.name),
        _ => return None,
    })
}

/// The first later statement of the file that gives the name to something.
pub(super) fn given_back(m: &Moment<'_>) -> Option<usize> {
    if let Some(AlterAction::RenameColumn { from, .. }) = column::alter(m) {
        return column_given_back(m, from);
    }
    let (realm, name) = taken(m)?;
    let place = m.before.resolve_in_realm(realm, name);
    let is_it = |given: &Name| m.before.resolve_in_realm(realm, given) == place;
    m.turnover().given_after(m.index?, realm, &name.name, is_it)
}

/// What the file does to the same table, in order, with the statement that does it.
pub(super) fn on_same_table<'a>(m: &Moment<'a>) -> impl DoubleEndedIterator<Item = (usize, &'a Operation)> {
    let table = table::name(m).map(|name| m.before.resolve(&name));
    let name = table.as_ref().map(|table| table.name.clone()).unwrap_or_else(|| Ident::quoted(""));
    let catalog = m.before;
    let is_it = move |operation: &Operation| match operation {
        Operation::Alter(target, _) => Some(catalog.resolve(&target.name)) == table,
        Operation::AddConstraint(constraint) => Some(catalog.resolve(&constraint.table)) == table,
        Operation::CreateIndex(index) => Some(catalog.resolve(&index.table)) == table,
        _ => false,
    };
    m.turnover().on_table(&name, m.file).filter(move |(_, operation)| is_it(operation))
}

fn column_given_back(m: &Moment<'_>, column: &Ident) -> Option<usize> {
    let gives = |operation: &Operation| match operation {
        Operation::Alter(_, action) => match &**action {
            AlterAction::AddColumn { column: added, .. } => added.name == *column,
            AlterAction::RenameColumn { to, .. } => to == column,
            _ => false,
        },
        _ => false,
    };
    on_same_table(m).find(|(by, operation)| Some(*by) > m.index && gives(operation)).map(|(by, _)| by)
}

/// Whether a later statement runs in the same transaction as this one.
pub(super) fn shares_transaction(m: &Moment<'_>, later: usize) -> bool {
    m.rest_of_transaction().contains(&later)
}

fn remade<'a>(m: &Moment<'a>) -> Value<'a> {
    Value::Word(match given_back(m) {
        None => "no",
        Some(by) if shares_transaction(m, by) => "in_transaction",
        Some(_) => "later",
    })
}

fn is_exchanged(m: &Moment<'_>) -> bool {
    let renames =
        |operation: &Operation| matches!(operation, Operation::Alter(_, action) if matches!(**action, AlterAction::RenameTo { .. }));
    given_back(m).and_then(|by| m.file.get(by)).is_some_and(|statement| statement.operations.iter().any(|o| renames(&o.what)))
}

fn old_name<'a>(m: &Moment<'a>) -> Value<'a> {
    Value::Word(match given_back(m) {
        None => "gone",
        Some(by) if shares_transaction(m, by) => "kept",
        Some(_) => "comes_later",
    })
}

fn new_name<'a>(m: &Moment<'a>) -> Value<'a> {
    match (m.operation(), column::alter(m)) {
        (Some(Operation::Rename { to, .. }), _) | (_, Some(AlterAction::RenameTo { to } | AlterAction::RenameColumn { to, .. })) => {
            to.sql().into()
        }
        (Some(Operation::Alter(target, _)), Some(AlterAction::SetSchema { schema })) => {
            Name { schema: Some(schema.clone()), name: target.name.name.clone() }.sql().into()
        }
        _ => Value::Unknown,
    }
}

fn takes_place(m: &Moment<'_>) -> bool {
    let freed_by = match (taken(m), column::alter(m)) {
        (_, Some(AlterAction::RenameColumn { to, .. })) => column_freed(m, to),
        (Some((realm, name)), action) => {
            let new = match (m.operation(), action) {
                (Some(Operation::Rename { to, .. }), _) | (_, Some(AlterAction::RenameTo { to })) => {
                    Name { schema: name.schema.clone(), name: to.clone() }
                }
                (_, Some(AlterAction::SetSchema { schema })) => Name { schema: Some(schema.clone()), name: name.name.clone() },
                _ => return false,
            };
            let place = m.before.resolve_in_realm(realm, &new);
            let is_it = |taken: &Name| m.before.resolve_in_realm(realm, taken) == place;
            m.index.and_then(|here| m.turnover().taken_before(here, realm, &new.name, is_it))
        }
        (None, _) => None,
    };
    freed_by.is_some_and(|by| m.session.transaction_start().is_some_and(|start| by >= start))
}

/// The last earlier statement that renames or drops a column of the same table by this name.
fn column_freed(m: &Moment<'_>, column: &Ident) -> Option<usize> {
    let frees = |operation: &Operation| match operation {
        Operation::Alter(_, action) => match &**action {
            AlterAction::DropColumn { column: dropped, .. } => dropped == column,
            AlterAction::RenameColumn { from, .. } => from == column,
            _ => false,
        },
        _ => false,
    };
    on_same_table(m).rev().find(|(by, operation)| Some(*by) < m.index && frees(operation)).map(|(by, _)| by)
}

/// Whether this migration gave a thing the name by which the statement calls it.
pub(super) fn is_named_here(m: &Moment<'_>, realm: Realm, name: &Name) -> bool {
    let place = m.before.resolve_in_realm(realm, name);
    let is_it = |given: &Name| m.before.resolve_in_realm(realm, given) == place;
    let by_statement = m.index.is_some_and(|here| m.turnover().given_before(here, realm, &name.name, is_it));
    by_statement || (realm == Realm::Function && m.before.is_function_made_in(&place, m.step))
}

/// One that the history does not know is taken for one if the file has dropped a trigger before it: they go together.
fn is_trigger_function(m: &Moment<'_>) -> bool {
    let Some((_, name)) = taken(m) else { return false };
    match m.before.functions(name) {
        [] => m.outline().first_drop_of_trigger().is_some_and(|at| Some(at) < m.index),
        known => known.iter().all(|function| function.returns_trigger),
    }
}

fn is_index_known(m: &Moment<'_>) -> bool {
    let index = taken(m).and_then(|(_, name)| table::relation_named(m.before, name));
    index.is_some_and(|relation| relation.index.as_ref().is_some_and(|index| index.valid))
}

/// The kind that the statement says; of a relation the one that the history knows, since ALTER TABLE takes others too.
fn written_kind(m: &Moment<'_>) -> Option<ObjectKind> {
    Some(match m.operation()? {
        Operation::Drop(drop) => drop.object,
        Operation::Rename { object, .. } => *object,
        Operation::Alter(target, _) => match m.before.relation(&target.name) {
            Lookup::Known(relation) if target.written.realm() == Some(Realm::Relation) => relation.kind,
            Lookup::Known(_) | Lookup::Absent | Lookup::Unknown => target.written,
        },
        _ => return None,
    })
}
