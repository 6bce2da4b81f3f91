//! Facts about the column that an operation works on.

use super::{Fact, Kind, Value, table};
use crate::model::catalog::Column;
use crate::model::expression::{Constant, Expression};
use crate::model::functions;
use crate::model::kind::OpKind;
use crate::model::name::Ident;
use crate::model::operation::{self, AlterAction, ConstraintKind, Operation, Volatility};
use crate::rule::moment::Moment;

/// Operations on one column of a table.
#[rustfmt::skip]
const ON_ONE_COLUMN: &[OpKind] = &[
    OpKind::AddColumn, OpKind::DropColumn, OpKind::SetDefault, OpKind::DropDefault, OpKind::SetNotNull, OpKind::DropNotNull,
    OpKind::ChangeColumnType, OpKind::SetExpression, OpKind::DropExpression, OpKind::AddIdentity, OpKind::SetIdentity,
    OpKind::DropIdentity, OpKind::RenameColumn,
];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "column", kind: Kind::Words(&["existing", "new"]), of: ON_ONE_COLUMN, read: state,
           doc: "the column: `new` if this migration adds it, else `existing`" },
    Fact { name: "column_type", kind: Kind::Text, of: ON_ONE_COLUMN, read: |m| data_type(m).into(),
           doc: "the column's type before the change, of a new column its type" },
    Fact { name: "type", kind: Kind::Text, of: &[OpKind::ChangeColumnType], read: new_type,
           doc: "the new type" },
    Fact { name: "column_virtual", kind: Kind::Bool, of: &[OpKind::DropColumn], read: is_virtual,
           doc: "a generated column that stores nothing (18)" },
    Fact { name: "required", kind: Kind::Bool, of: &[OpKind::AddColumn], read: |m| added(m).map(is_required).into(),
           doc: "NOT NULL, and nothing gives old rows a value" },
    Fact { name: "default", kind: Kind::Words(&["none", "constant", "stable", "volatile"]), of: &[OpKind::AddColumn], read: default,
           doc: "the default over its whole expression: `volatile` if one call in it is, `stable` if it is the same for all rows of a statement" },
    Fact { name: "default_text", kind: Kind::Text, of: &[OpKind::AddColumn], read: |m| added(m).and_then(|c| c.default.as_ref()).map(|d| m.source.text(d.span).into_owned()).into(),
           doc: "the default as it is written" },
    Fact { name: "numbering", kind: Kind::Words(&["none", "serial", "identity", "sequence"]), of: &[OpKind::AddColumn, OpKind::AddPrimaryKey], read: numbering,
           doc: "what numbers the rows of an added column: serial, GENERATED AS IDENTITY, a default from a sequence" },
    Fact { name: "generated", kind: Kind::Words(&["none", "stored", "virtual"]), of: &[OpKind::AddColumn], read: generated,
           doc: "GENERATED ALWAYS AS (...), stored or computed when it is read" },
    Fact { name: "conversion", kind: Kind::Words(&["free", "rebuilds_indexes", "rewrites"]), of: &[OpKind::ChangeColumnType], read: conversion,
           doc: "what the change of type costs: the catalog alone, indexes built anew, or table and indexes written anew" },
    Fact { name: "may_rewrite", kind: Kind::Bool, of: &[OpKind::ChangeColumnType], read: |m| (!m.effects.rewrites.is_empty()).into(),
           doc: "at worst, the change of type writes the table anew" },
];

/// The subcommand of ALTER that is judged.
pub(super) fn alter<'a>(m: &Moment<'a>) -> Option<&'a AlterAction> {
    match m.operation()? {
        Operation::Alter(_, action) => Some(action),
        _ => None,
    }
}

/// The column that is judged, by name.
pub(super) fn name<'a>(m: &Moment<'a>) -> Option<&'a Ident> {
    match alter(m)? {
        AlterAction::AddColumn { column, .. } => Some(&column.name),
        action => action.column(),
    }
}

/// The column in the catalog, if the history made it.
fn known<'a>(m: &Moment<'a>) -> Option<&'a Column> {
    table::relation(m)?.column(name(m)?)
}

/// The column that ADD COLUMN adds.
fn added<'a>(m: &Moment<'a>) -> Option<&'a operation::Column> {
    match alter(m)? {
        AlterAction::AddColumn { column, .. } => Some(column),
        _ => None,
    }
}

fn state<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(name) = name(m) else { return Value::Unknown };
    let is_new = match known(m) {
        Some(column) => column.added_in == m.step,
        None => added(m).is_some(),
    };
    Value::Named(if is_new { "new" } else { "existing" }, name.sql().into())
}

fn data_type(m: &Moment<'_>) -> Option<String> {
    let data_type = match added(m) {
        Some(column) => column.data_type.as_ref(),
        None => known(m).and_then(|column| column.data_type.as_ref()),
    };
    data_type.map(ToString::to_string)
}

fn new_type<'a>(m: &Moment<'a>) -> Value<'a> {
    match alter(m) {
        Some(AlterAction::ChangeType { data_type, .. }) => data_type.to_string().into(),
        _ => Value::Unknown,
    }
}

/// A column that the history has not made is taken to store its values.
fn is_virtual<'a>(m: &Moment<'a>) -> Value<'a> {
    known(m).is_some_and(|column| column.generated.as_ref().is_some_and(|generated| !generated.stored)).into()
}

fn is_required(column: &operation::Column) -> bool {
    let has_value = column.default.as_ref().is_some_and(|default| default.constant != Some(Constant::Null));
    let counts = column.identity.is_some() || column.generated.is_some() || column.data_type.as_ref().is_some_and(|of| of.serial);
    column.not_null && !has_value && !counts
}

fn default<'a>(m: &Moment<'a>) -> Value<'a> {
    match added(m).map(|column| column.default.as_ref()) {
        None => Value::Unknown,
        Some(None) => Value::Word("none"),
        Some(Some(default)) => match functions::volatility_of(default, m.before, m.server) {
            None => Value::Unknown,
            Some(Volatility::Immutable) => Value::Word("constant"),
            Some(Volatility::Stable) => Value::Word("stable"),
            Some(Volatility::Volatile) => Value::Word("volatile"),
        },
    }
}

fn numbering<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(column) = added(m).or_else(|| key_column(m)) else { return Value::Word("none") };
    let from_sequence = |default: &Expression| default.calls.iter().any(|call| call.name == "nextval");
    Value::Word(match column {
        _ if column.data_type.as_ref().is_some_and(|of| of.serial) => "serial",
        _ if column.identity.is_some() => "identity",
        _ if column.default.as_ref().is_some_and(from_sequence) => "sequence",
        _ => "none",
    })
}

/// The column that the same statement adds and makes a primary key.
fn key_column<'a>(m: &Moment<'a>) -> Option<&'a operation::Column> {
    let Some(Operation::AddConstraint(constraint)) = m.operation() else { return None };
    let ConstraintKind::PrimaryKey(key) = &constraint.kind else { return None };
    let [name] = &key.columns[..] else { return None };
    m.statement()?.operations.iter().find_map(|operation| match &operation.what {
        Operation::Alter(_, action) => match &**action {
            AlterAction::AddColumn { column, .. } if column.name == *name => Some(column),
            _ => None,
        },
        _ => None,
    })
}

fn generated<'a>(m: &Moment<'a>) -> Value<'a> {
    match added(m) {
        None => Value::Unknown,
        Some(column) => Value::Word(match &column.generated {
            None => "none",
            Some(generated) if generated.stored => "stored",
            Some(_) => "virtual",
        }),
    }
}

/// As the effects have it; what rests on an assumption is unknown.
fn conversion<'a>(m: &Moment<'a>) -> Value<'a> {
    match (m.effects.rewrites.is_empty(), m.effects.rebuilds.is_empty()) {
        (true, true) => Value::Word("free"),
        _ if !m.effects.assumed.is_empty() => Value::Unknown,
        (true, false) => Value::Word("rebuilds_indexes"),
        (false, _) => Value::Word("rewrites"),
    }
}
