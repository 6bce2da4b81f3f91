//! Facts about the column that an operation works on.

use super::{Fact, Kind, Value, table};
use crate::model::catalog::{Column, Lookup, Relation};
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
    Fact { name: "column_virtual", kind: Kind::Bool, of: &[OpKind::DropColumn], read: is_virtual,
           doc: "a generated column that stores nothing (18)" },
    Fact { name: "required", kind: Kind::Bool, of: &[OpKind::AddColumn], read: |m| added(m).map(is_required).into(),
           doc: "NOT NULL, and nothing gives old rows a value" },
    Fact { name: "nullable", kind: Kind::Bool, of: &[OpKind::AddColumn], read: |m| added(m).map(|column| !column.not_null).into(),
           doc: "the column that is added may be null" },
    Fact { name: "default", kind: Kind::Words(&["none", "constant", "stable", "volatile"]), of: &[OpKind::AddColumn], read: default,
           doc: "the default over its whole expression: `volatile` if one call in it is, `stable` if it is the same for all rows of a statement" },
    Fact { name: "default_text", kind: Kind::Text, of: &[OpKind::AddColumn], read: |m| added(m).and_then(|c| c.default.as_ref()).map(|d| m.text(d.span)).into(),
           doc: "the default as it is written" },
    Fact { name: "numbering", kind: Kind::Words(&["none", "serial", "identity", "sequence"]), of: &[OpKind::AddColumn, OpKind::AddPrimaryKey], read: numbering,
           doc: "what numbers the rows of an added column: serial, GENERATED AS IDENTITY, a default from a sequence" },
    Fact { name: "generated", kind: Kind::Words(&["none", "stored", "virtual"]), of: &[OpKind::AddColumn], read: generated,
           doc: "GENERATED ALWAYS AS (...), stored or computed when it is read" },
    Fact { name: "column_told", kind: Kind::Bool, of: ON_ONE_COLUMN, read: |m| is_told(m).into(),
           doc: "the history shows how the column was defined" },
    Fact { name: "column_not_null", kind: Kind::Bool, of: ON_ONE_COLUMN, read: |m| known(m).filter(|_| is_told(m)).map(|column| column.not_null).into(),
           doc: "the column is NOT NULL" },
    Fact { name: "null_refused_by", kind: Kind::Words(&["nothing", "primary_key", "identity"]), of: &[OpKind::DropNotNull], read: null_refused_by,
           doc: "what keeps the column NOT NULL whatever is asked" },
    Fact { name: "null_in_the_end", kind: Kind::Bool, of: &[OpKind::DropNotNull], read: null_in_the_end,
           doc: "at the end of the history the column is still there and may be null" },
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
pub(super) fn known<'a>(m: &Moment<'a>) -> Option<&'a Column> {
    table::relation(m)?.column(name(m)?)
}

/// The column that ADD COLUMN adds.
pub(super) fn added<'a>(m: &Moment<'a>) -> Option<&'a operation::Column> {
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

/// A column that was only ever mentioned has no type in the catalog.
pub(super) fn is_told(m: &Moment<'_>) -> bool {
    known(m).is_some_and(|column| column.data_type.is_some())
}

/// The column as the last migration leaves it; `Lookup::Absent` if it, or its table under this name, is there no longer.
pub(super) fn in_the_end<'a>(m: &Moment<'a>) -> Lookup<(&'a Relation, &'a Column)> {
    let (Some(table), Some(name)) = (table::name(m).map(|name| m.before.resolve(&name)), name(m)) else { return Lookup::Unknown };
    match m.end.get(&table) {
        None => Lookup::Absent,
        Some(relation) => match relation.find_column(name) {
            Lookup::Known(column) => Lookup::Known((relation, column)),
            Lookup::Absent => Lookup::Absent,
            // A column that the history defined leaves the catalog only by a statement that was seen.
            Lookup::Unknown if is_told(m) => Lookup::Absent,
            Lookup::Unknown => Lookup::Unknown,
        },
    }
}

fn null_refused_by<'a>(m: &Moment<'a>) -> Value<'a> {
    let in_key = |relation: &Relation, name: &Ident| {
        relation.constraints.iter().any(|known| matches!(known.kind, ConstraintKind::PrimaryKey(_)) && known.columns().contains(name))
    };
    let by_key = table::relation(m).zip(name(m)).is_some_and(|(relation, name)| in_key(relation, name));
    let by_identity = || known(m).is_some_and(|column| column.identity.is_some());
    Value::Word(if by_key {
        "primary_key"
    } else if by_identity() {
        "identity"
    } else {
        "nothing"
    })
}

fn null_in_the_end<'a>(m: &Moment<'a>) -> Value<'a> {
    match in_the_end(m) {
        Lookup::Known((_, column)) => (!column.not_null).into(),
        Lookup::Absent => false.into(),
        Lookup::Unknown => Value::Unknown,
    }
}
