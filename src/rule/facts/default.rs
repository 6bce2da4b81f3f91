//! Facts about the default of a column that is there, and about the numbers that it is to get.

use super::{Fact, Kind, Value, column, table};
use crate::model::catalog::{Column, Lookup};
use crate::model::expression::{Constant, Expression};
use crate::model::kind::OpKind;
use crate::model::operation::{AlterAction, Operation};
use crate::rule::moment::Moment;

const CHANGES: &[OpKind] = &[OpKind::SetDefault, OpKind::DropDefault];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "value_demanded", kind: Kind::Bool, of: CHANGES, read: value_demanded,
           doc: "the column had a default and is NOT NULL, and from here to the end of the history nothing gives a value to an INSERT that leaves it out" },
    Fact { name: "old_default", kind: Kind::Words(&["none", "other", "same", "computed", "untold"]), of: CHANGES, read: old_default,
           doc: "the default so far: `other` if it and the new one are two constants, `computed` if one of them is none" },
    Fact { name: "has_default", kind: Kind::Bool, of: &[OpKind::AddIdentity], read: |m| column::known(m).map(|column| column.default.is_some()).into(),
           doc: "the column has a default" },
    Fact { name: "start_told", kind: Kind::Bool, of: &[OpKind::AddIdentity], read: |m| matches!(column::alter(m), Some(AlterAction::AddIdentity { start: true, .. })).into(),
           doc: "START is said" },
    Fact { name: "start_set_later", kind: Kind::Bool, of: &[OpKind::AddIdentity], read: |m| is_start_set_later(m).into(),
           doc: "a later statement of the file sets the next number: setval, RESTART" },
];

/// NULL is no default.
fn default_of(column: &Column) -> Option<&Expression> {
    column.default.as_ref().filter(|default| default.constant != Some(Constant::Null))
}

/// The default that the statement leaves behind.
fn new_default<'a>(m: &Moment<'a>) -> Option<&'a Expression> {
    match column::alter(m)? {
        AlterAction::SetDefault { default, .. } => Some(default).filter(|default| default.constant != Some(Constant::Null)),
        _ => None,
    }
}

fn value_demanded<'a>(m: &Moment<'a>) -> Value<'a> {
    if new_default(m).is_some() {
        return false.into();
    }
    let Some(known) = column::known(m).filter(|_| column::is_told(m)) else { return Value::Unknown };
    let demanded =
        |column: &Column| column.not_null && default_of(column).is_none() && column.identity.is_none() && column.generated.is_none();
    let in_the_end = match column::in_the_end(m) {
        Lookup::Known((relation, column)) => relation.is_table() && demanded(column),
        Lookup::Absent => false,
        Lookup::Unknown => true,
    };
    (known.not_null && default_of(known).is_some() && in_the_end).into()
}

fn old_default<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(known) = column::known(m).filter(|_| column::is_told(m)) else { return Value::Word("untold") };
    let Some(old) = default_of(known) else { return Value::Word("none") };
    let word = match new_default(m) {
        Some(new) if new.text == old.text || (new.constant.is_some() && new.constant == old.constant) => "same",
        Some(new) if new.constant.is_none() || old.constant.is_none() => "computed",
        Some(_) | None => "other",
    };
    Value::Named(word, literal(old).into())
}

/// A constant without its casts; anything else as its words.
fn literal(default: &Expression) -> String {
    match &default.constant {
        Some(Constant::Null) => "NULL".to_owned(),
        Some(Constant::Boolean(value)) => value.to_string(),
        Some(Constant::Number(number)) => number.to_string(),
        Some(Constant::Text(text)) => format!("'{}'", text.replace('\'', "''")),
        None => default.text.clone(),
    }
}

/// Asked only of an ADD GENERATED without START, of which a file has few.
fn is_start_set_later(m: &Moment<'_>) -> bool {
    let Some(table) = table::name(m) else { return false };
    let column = column::name(m);
    let later = m.file.get(m.index.map_or(0, |here| here + 1)..).unwrap_or_default();
    later.iter().flat_map(|statement| &statement.operations).any(|operation| match &operation.what {
        Operation::Select { calls, text, .. } => {
            let about = |text: &str| text.contains(table.name.as_str());
            calls.iter().any(|call| call.name == "setval") && text.as_deref().is_none_or(about)
        }
        Operation::AlterSequence { name, restart: true, .. } => name.name.as_str().starts_with(table.name.as_str()),
        Operation::Alter(target, action) => {
            target.name == table && matches!(&**action, AlterAction::SetIdentity { column: of, restart: true, .. } if Some(of) == column)
        }
        Operation::DoBlock { .. } => true,
        _ => false,
    })
}
