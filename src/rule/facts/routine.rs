//! Facts about triggers, and about functions that are made anew.

use super::{Fact, Kind, Value, column, table};
use crate::model::catalog::Function;
use crate::model::kind::OpKind;
use crate::model::name::{Ident, Name};
use crate::model::operation::{
    AlterAction, ConstraintKind, CreateFunction, ObjectKind, Operation, Realm, SettingValue, Signature, Triggers,
};
use crate::model::types::TypeName;
use crate::rule::moment::Moment;
use crate::rule::outline::first_in;

const TRIGGERS: &[OpKind] = &[OpKind::CreateTrigger, OpKind::DropTrigger, OpKind::SetTrigger];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "trigger", kind: Kind::Text, of: TRIGGERS, read: |m| trigger(m).map(Ident::sql).into(),
           doc: "the trigger; not known for ALL and USER" },
    Fact { name: "triggers", kind: Kind::Words(&["all", "user", "one"]), of: &[OpKind::SetTrigger], read: triggers,
           doc: "which triggers are switched: `all` includes those of foreign keys" },
    Fact { name: "enables", kind: Kind::Bool, of: &[OpKind::SetTrigger], read: |m| matches!(column::alter(m), Some(AlterAction::SetTrigger { enable: true, .. })).into(),
           doc: "ENABLE rather than DISABLE" },
    Fact { name: "enabled_again", kind: Kind::Words(&["no", "later", "in_transaction"]), of: &[OpKind::SetTrigger], read: enabled_again,
           doc: "whether the file enables them again, and whether in the same transaction" },
    Fact { name: "misses_checks", kind: Kind::Bool, of: &[OpKind::SetTrigger], read: misses_checks,
           doc: "until the triggers are enabled again, the file writes what a foreign key would have to be looked up for" },
    Fact { name: "comes_back", kind: Kind::Words(&["no", "later", "in_transaction"]), of: &[OpKind::DropTrigger], read: comes_back,
           doc: "whether the file makes a trigger of this name on this table again, and whether in the same transaction" },
    Fact { name: "goes_with_function", kind: Kind::Bool, of: &[OpKind::DropTrigger], read: goes_with_function,
           doc: "the file also drops the function that it runs, or the table" },
    Fact { name: "on_view", kind: Kind::Bool, of: &[OpKind::CreateRule, OpKind::DropTrigger, OpKind::CreateTrigger], read: |m| table::relation(m).is_some_and(|relation| relation.kind == ObjectKind::View).into(),
           doc: "the relation is known to be a view" },
    Fact { name: "rule", kind: Kind::Text, of: &[OpKind::CreateRule], read: |m| match m.operation() { Some(Operation::CreateRule { name, .. }) => name.sql().into(), _ => Value::Unknown },
           doc: "the rule" },
    Fact { name: "session_replication_role", kind: Kind::Words(&["other_setting", "origin", "replica"]), of: &[OpKind::Set], read: replication_role,
           doc: "what this SET makes of session_replication_role: `replica` keeps triggers and foreign keys from firing" },
    Fact { name: "function", kind: Kind::Text, of: &[OpKind::CreateFunction], read: |m| created(m).map(|function| function.name.sql()).into(),
           doc: "the function or procedure" },
    Fact { name: "refusal", kind: Kind::Words(&["none", "return_type", "parameter_name", "default", "kind"]), of: &[OpKind::CreateFunction], read: refusal,
           doc: "what CREATE OR REPLACE changes of a known function that the server does not let it change" },
    Fact { name: "old_arguments", kind: Kind::Text, of: &[OpKind::CreateFunction], read: |m| known(m).map(|known| arguments(&known.arguments)).into(),
           doc: "the types of the arguments of the function that is there" },
    Fact { name: "overloads", kind: Kind::Bool, of: &[OpKind::CreateFunction], read: overloads,
           doc: "OR REPLACE is said, but the one function of this name that is known has other arguments, and stays" },
];

pub(super) fn trigger<'a>(m: &Moment<'a>) -> Option<&'a Ident> {
    match m.operation()? {
        Operation::CreateTrigger(trigger) => Some(&trigger.name),
        Operation::Drop(drop) if drop.object == ObjectKind::Trigger => Some(&drop.name.name),
        Operation::Alter(_, action) => match &**action {
            AlterAction::SetTrigger { triggers: Triggers::One(trigger), .. } => Some(trigger),
            _ => None,
        },
        _ => None,
    }
}

fn triggers<'a>(m: &Moment<'a>) -> Value<'a> {
    match column::alter(m) {
        Some(AlterAction::SetTrigger { triggers, .. }) => Value::Word(match triggers {
            Triggers::All => "all",
            Triggers::User => "user",
            Triggers::One(_) => "one",
        }),
        _ => Value::Unknown,
    }
}

/// What the statements behind this one do to a table of this name, or to a function, and where.
pub(super) fn later_upkeep<'a>(m: &Moment<'a>, name: &Ident) -> impl Iterator<Item = (usize, &'a Operation)> + use<'a> {
    let places = m.outline().upkeep_of(name, m.file);
    let next = places.partition_point(|at| m.index.is_some_and(|here| *at <= here));
    let file = m.file;
    places[next..].iter().flat_map(move |at| file[*at].operations.iter().map(move |operation| (*at, &operation.what)))
}

/// When something is undone, if it is.
fn when<'a>(m: &Moment<'a>, undone: Option<usize>) -> Value<'a> {
    Value::Word(match undone {
        Some(at) if m.rest_of_transaction().contains(&at) => "in_transaction",
        Some(_) => "later",
        None => "no",
    })
}

fn enabled_again<'a>(m: &Moment<'a>) -> Value<'a> {
    when(m, enabling(m))
}

/// The statement that enables all that this one disables.
fn enabling(m: &Moment<'_>) -> Option<usize> {
    let name = table::name(m)?;
    later_upkeep(m, &name.name).find(|(_, operation)| enables(m, operation)).map(|(at, _)| at)
}

/// Whether an operation enables all that this one disables.
fn enables(m: &Moment<'_>, operation: &Operation) -> bool {
    let (Some(name), Some(AlterAction::SetTrigger { triggers, .. })) = (table::name(m), column::alter(m)) else { return false };
    let table = m.before.resolve(&name);
    let covers = |by: &Triggers| by == triggers || *by == Triggers::All || (*by == Triggers::User && *triggers != Triggers::All);
    match operation {
        Operation::Alter(target, action) => {
            matches!(&**action, AlterAction::SetTrigger { enable: true, triggers, .. } if covers(triggers))
                && m.before.resolve(&target.name) == table
        }
        _ => false,
    }
}

/// What changes no column of a foreign key, and none that others refer to, has nothing to be checked.
fn misses_checks<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(name) = table::name(m) else { return Value::Unknown };
    let table = m.before.resolve(&name);
    let is_it = |name: &Name| m.before.resolve(name) == table;
    // What was done to the table behind its making by statements that nobody sees is seldom a foreign key.
    let relation = table::relation(m).filter(|relation| relation.made_in.is_some());
    let keys: Vec<&Ident> = relation.map_or(Vec::new(), |relation| {
        let own = relation.constraints.iter().filter(|constraint| matches!(constraint.kind, ConstraintKind::ForeignKey(_)));
        let pointing = m.before.foreign_keys_to(&relation.name).filter_map(|(_, constraint)| match &constraint.kind {
            ConstraintKind::ForeignKey(key) => Some(&key.referenced_columns),
            _ => None,
        });
        own.flat_map(|constraint| constraint.columns()).chain(pointing.flatten()).collect()
    });
    let changes_key = |columns: &[Ident]| columns.is_empty() || columns.iter().any(|column| keys.contains(&column));
    let next = m.index.map_or(0, |here| here + 1);
    let meanwhile = next..enabling(m).unwrap_or(usize::MAX);
    let misses = later_upkeep(m, &name.name).take_while(|(at, _)| meanwhile.contains(at)).any(|(_, operation)| match operation {
        Operation::Update(update) => is_it(&update.table) && (relation.is_none() || changes_key(&update.columns)),
        _ => operation.writes_to().is_some_and(is_it),
    });
    (misses || first_in(m.outline().unseen(), &meanwhile).is_some()).into()
}

fn comes_back<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(Operation::Drop(drop)) = m.operation() else { return Value::Unknown };
    let Some(table) = drop.table.as_ref().map(|table| m.before.resolve(table)) else { return Value::Unknown };
    let makes_it = |operation: &Operation| match operation {
        Operation::CreateTrigger(made) => made.name == drop.name.name && m.before.resolve(&made.table) == table,
        _ => false,
    };
    when(m, later_upkeep(m, &table.name).find(|(_, operation)| makes_it(operation)).map(|(at, _)| at))
}

fn goes_with_function<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(Operation::Drop(drop)) = m.operation() else { return Value::Unknown };
    let Some(table) = &drop.table else { return Value::Unknown };
    let mut triggers = table::relation_named(m.before, table).into_iter().flat_map(|relation| &relation.triggers);
    let function = triggers.find(|known| known.name == drop.name.name).and_then(|trigger| trigger.function.as_ref());
    let is_routine = |kind: ObjectKind| matches!(kind, ObjectKind::Function | ObjectKind::Procedure);
    let drops = |name: &Name, wanted: &dyn Fn(ObjectKind) -> bool| {
        later_upkeep(m, &name.name)
            .any(|(_, operation)| matches!(operation, Operation::Drop(drop) if wanted(drop.object) && drop.name.name == name.name))
    };
    let goes = match function {
        Some(function) => drops(function, &is_routine),
        // Of a trigger that nobody has seen, any function that goes later may be the one.
        None => m.outline().last_drop_of_routine() > m.index,
    };
    (goes || drops(table, &|kind| kind.realm() == Some(Realm::Relation))).into()
}

fn replication_role<'a>(m: &Moment<'a>) -> Value<'a> {
    match m.operation() {
        Some(Operation::Set { name, value, .. }) if name.eq_ignore_ascii_case("session_replication_role") => match value {
            None => Value::Word("origin"),
            Some(SettingValue::Literal(text)) if text.eq_ignore_ascii_case("replica") => Value::Word("replica"),
            // `local` fires the same triggers as `origin`.
            Some(SettingValue::Literal(_)) => Value::Word("origin"),
            Some(_) => Value::Unknown,
        },
        _ => Value::Word("other_setting"),
    }
}

fn created<'a>(m: &Moment<'a>) -> Option<&'a CreateFunction> {
    match m.operation()? {
        Operation::CreateFunction(function) => Some(function),
        _ => None,
    }
}

/// The one function of this name that the history knows, if OR REPLACE is said.
fn known<'a>(m: &Moment<'a>) -> Option<&'a Function> {
    let function = created(m).filter(|function| function.or_replace)?;
    match m.before.functions(&function.name) {
        [known] => Some(known),
        _ => None,
    }
}

fn refusal<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(function) = created(m).filter(|function| function.or_replace) else { return Value::Word("none") };
    let replaced = m.before.functions(&function.name).iter().find(|known| same_types(&known.arguments, &function.arguments) == Some(true));
    Value::Word(replaced.map_or("none", |known| {
        if known.procedure != function.procedure {
            "kind"
        } else if returns_otherwise(&known.signature, &function.signature) {
            "return_type"
        } else if renames(&known.signature, &function.signature) {
            "parameter_name"
        } else if known.signature.defaults > function.signature.defaults {
            "default"
        } else {
            "none"
        }
    }))
}

fn overloads<'a>(m: &Moment<'a>) -> Value<'a> {
    let (Some(function), Some(known)) = (created(m), known(m)) else { return false.into() };
    let dropped = |operation: &Operation| match operation {
        Operation::Drop(drop) => {
            matches!(drop.object, ObjectKind::Function | ObjectKind::Procedure) && drop.name.name == function.name.name
        }
        _ => false,
    };
    let is_dropped = || later_upkeep(m, &function.name.name).any(|(_, operation)| dropped(operation));
    match same_types(&known.arguments, &function.arguments) {
        Some(false) => (known.added_in != m.step && !is_dropped()).into(),
        Some(true) | None => false.into(),
    }
}

/// Whether two lists of arguments are the same to the server; `None` if one of them could not be read, or a schema tells them apart.
fn same_types(one: &[Option<TypeName>], other: &[Option<TypeName>]) -> Option<bool> {
    if one.len() != other.len() {
        return Some(false);
    }
    let each = one.iter().zip(other).map(|(one, other)| same_type(one.as_ref()?, other.as_ref()?));
    let each: Vec<Option<bool>> = each.collect();
    if each.contains(&Some(false)) { Some(false) } else { each.into_iter().collect::<Option<Vec<_>>>().map(|_| true) }
}

/// A function keeps no length or precision of its types, and no number of dimensions.
fn same_type(one: &TypeName, other: &TypeName) -> Option<bool> {
    if one.name.name != other.name.name || (one.dimensions > 0) != (other.dimensions > 0) {
        return Some(false);
    }
    (one.name.schema == other.name.schema).then_some(true)
}

fn differ(one: Option<&TypeName>, other: Option<&TypeName>) -> bool {
    one.zip(other).is_some_and(|(one, other)| same_type(one, other) == Some(false))
}

/// Two outputs or more are a row, whose columns have names; one is a plain value, whatever it is called.
fn returns_otherwise(old: &Signature, new: &Signature) -> bool {
    let plain = |signature: &'_ Signature| signature.outputs.len() < 2;
    let result = match (plain(old), plain(new)) {
        (true, true) => differ(value(old), value(new)),
        (false, false) => {
            let column = |((old, is), (new, becomes)): (&Output, &Output)| {
                old.as_ref().zip(new.as_ref()).is_some_and(|(old, new)| old != new) || differ(is.as_ref(), becomes.as_ref())
            };
            old.outputs.len() != new.outputs.len() || old.outputs.iter().zip(&new.outputs).any(column)
        }
        (true, false) | (false, true) => true,
    };
    old.returns_set != new.returns_set || result
}

type Output = (Option<Ident>, Option<TypeName>);

fn value(signature: &Signature) -> Option<&TypeName> {
    signature.outputs.first().map_or(signature.returns.as_ref(), |(_, data_type)| data_type.as_ref())
}

fn renames(old: &Signature, new: &Signature) -> bool {
    old.names.iter().zip(&new.names).any(|(old, new)| old.is_some() && old != new)
}

fn arguments(types: &[Option<TypeName>]) -> String {
    types.iter().map(|one| one.as_ref().map_or("…".to_owned(), ToString::to_string)).collect::<Vec<_>>().join(", ")
}
