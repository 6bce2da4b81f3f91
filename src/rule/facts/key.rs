//! Facts about what constraints promise: forms that the server refuses, actions of foreign keys, conditions that change by themselves.

use super::constraint::{added, foreign_key, key, name};
use super::{Fact, Kind, Value, table};
use crate::model::catalog::{Column, Constraint, Relation};
use crate::model::expression::{self, Predicate};
use crate::model::functions;
use crate::model::kind::OpKind;
use crate::model::name::{Ident, Name, QualifiedName};
use crate::model::operation::{ConstraintKind, ForeignKey, IndexKey, Operation, Volatility};
use crate::rule::moment::Moment;

const FOREIGN_KEY: &[OpKind] = &[OpKind::AddForeignKey];
const KEYS: &[OpKind] = &[OpKind::AddUnique, OpKind::AddPrimaryKey];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "named", kind: Kind::Bool, of: super::constraint::ADDS, read: |m| added(m).map(|c| c.name.is_some()).into(),
           doc: "a name is written" },
    Fact { name: "named", kind: Kind::Bool, of: &[OpKind::CreateIndex], read: |m| matches!(m.operation(), Some(Operation::CreateIndex(index)) if index.name.is_some()).into(),
           doc: "a name is written" },
    Fact { name: "column", kind: Kind::Text, of: &[OpKind::AddNotNullConstraint], read: required_column,
           doc: "the column that has to have a value" },
    Fact { name: "index", kind: Kind::Text, of: KEYS, read: |m| key(m).and_then(|key| key.using_index.as_ref()).map(|index| index.sql()).into(),
           doc: "the index of USING INDEX" },
    Fact { name: "unfit", kind: Kind::Words(&["no", "yes"]), of: KEYS, read: unfit,
           doc: "what USING INDEX refuses about that index, in words; `no` also if the history does not know it" },
    Fact { name: "partition_key", kind: Kind::Words(&["none", "contained", "lacking"]), of: &[OpKind::AddUnique, OpKind::AddPrimaryKey, OpKind::CreateIndex], read: partition_key,
           doc: "what is unique in a partitioned table has to contain the columns that it is partitioned by: `lacking` if one is missing; shown as words" },
    Fact { name: "on_delete", kind: Kind::Words(&["no_action", "restrict", "cascade", "set_null", "set_default"]), of: FOREIGN_KEY, read: on_delete,
           doc: "what happens to rows whose row on the other side is deleted" },
    Fact { name: "clears_required_column", kind: Kind::Words(&["no", "on_delete", "on_update"]), of: FOREIGN_KEY, read: clears_required,
           doc: "SET NULL, or SET DEFAULT where there is no default, of a column that is NOT NULL at the end of the history; shown by the column" },
    Fact { name: "tables_referenced", kind: Kind::Number, of: FOREIGN_KEY, read: tables_referenced,
           doc: "how many tables that existed before the transaction has locked by foreign keys, this one's included" },
    Fact { name: "condition", kind: Kind::Words(&["fixed", "moving", "unfixed_function", "volatile"]), of: &[OpKind::AddCheck], read: condition,
           doc: "whether the condition is the same for ever: `moving` with the clock or the session, `unfixed_function` of the project that is not IMMUTABLE, `volatile`; shown by the call" },
    Fact { name: "refused_until_updated", kind: Kind::Words(&["no", "some_rows", "all_rows"]), of: &[OpKind::Update], read: refused_until_updated,
           doc: "the first UPDATE of a column on which a NOT VALID constraint lies already: until it has been to a row, the server refuses every other UPDATE of it; shown by the constraint" },
];

fn required_column<'a>(m: &Moment<'a>) -> Value<'a> {
    match added(m).map(|add| &add.kind) {
        Some(ConstraintKind::NotNull { column }) => column.sql().into(),
        _ => Value::Unknown,
    }
}

fn unfit<'a>(m: &Moment<'a>) -> Value<'a> {
    let reason = key(m).and_then(|key| key.using_index.as_ref()).and_then(|index| reason_against(m, index));
    reason.map_or(Value::Word("no"), |reason| Value::Named("yes", reason.into()))
}

/// As in transformIndexConstraint of the server.
fn reason_against(m: &Moment<'_>, index: &Ident) -> Option<&'static str> {
    let table = table::relation(m)?;
    if table.partition_by.is_some() {
        return Some("the table is partitioned");
    }
    let index = m.before.get(&QualifiedName { schema: table.name.schema.clone(), name: index.clone() })?.index.as_ref()?;
    let reasons = [
        (index.constraint.is_some(), "it stands behind a constraint already"),
        (index.table != table.name, "it is an index of another table"),
        (!index.valid, "it is not valid"),
        (!index.unique, "it is not unique"),
        (index.predicate.is_some(), "it is partial"),
        (index.keys.iter().any(|key| key.column().is_none()), "it contains an expression"),
        (!index.keys.iter().all(IndexKey::has_default_order), "a column of it is not in its default order"),
    ];
    reasons.iter().find(|(against, _)| *against).map(|(_, reason)| *reason)
}

fn partition_key<'a>(m: &Moment<'a>) -> Value<'a> {
    let (columns, unique): (Vec<&Ident>, bool) = match m.operation() {
        Some(Operation::CreateIndex(create)) => (create.keys.iter().filter_map(IndexKey::column).collect(), create.unique),
        _ => (key(m).map_or(Vec::new(), |key| key.columns.iter().collect()), key(m).is_some_and(|key| key.using_index.is_none())),
    };
    let Some(by) = table::relation(m).and_then(|table| table.partition_by.as_ref()).filter(|_| unique) else { return Value::Word("none") };
    match by.columns.iter().find(|column| column.as_ref().is_none_or(|column| !columns.contains(&column))) {
        None => Value::Word("contained"),
        Some(Some(column)) => Value::Named("lacking", format!("`{}`, by which it is partitioned, is no part of it", column.sql()).into()),
        Some(None) => Value::Named("lacking", "it is partitioned by an expression".into()),
    }
}

fn on_delete<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(key) = foreign_key(m) else { return Value::Unknown };
    Value::Word(match key.on_delete.as_deref() {
        None | Some("no action") => "no_action",
        Some("restrict") => "restrict",
        Some("cascade") => "cascade",
        Some("set null") => "set_null",
        Some("set default") => "set_default",
        Some(_) => return Value::Unknown,
    })
}

/// Judged by the end of the history: a primary key or SET NOT NULL may follow, and so may the opposite.
fn clears_required<'a>(m: &Moment<'a>) -> Value<'a> {
    let (Some(add), Some(key)) = (added(m), foreign_key(m)) else { return Value::Unknown };
    // Another one of the same name may have come in its place.
    let is_it = |table: &&Relation| name(m).and_then(|name| table.constraint(&name)).is_some_and(|known| known.added_in == m.step);
    let Some(table) = m.end.get(&m.before.resolve(&add.table)).filter(is_it) else { return Value::Word("no") };
    let cleared = |action: &Option<Box<str>>, columns: &[Ident]| {
        columns.iter().find(|column| table.column(column).is_some_and(|column| is_cleared(action.as_deref(), column))).cloned()
    };
    let on_delete = if key.on_delete_columns.is_empty() { &key.columns } else { &key.on_delete_columns };
    match (cleared(&key.on_delete, on_delete), cleared(&key.on_update, &key.columns)) {
        (Some(column), _) => Value::Named("on_delete", column.sql().into()),
        (None, Some(column)) => Value::Named("on_update", column.sql().into()),
        (None, None) => Value::Word("no"),
    }
}

fn is_cleared(action: Option<&str>, column: &Column) -> bool {
    // A column that is only ever mentioned may have a default that nobody has shown.
    let no_default = column.default.is_none() && column.data_type.is_some();
    column.not_null && (action == Some("set null") || action == Some("set default") && no_default)
}

fn tables_referenced<'a>(m: &Moment<'a>) -> Value<'a> {
    let (Some(start), Some(here)) = (m.session.transaction_start().or(m.index), m.index) else { return Value::Unknown };
    let mut seen: Vec<QualifiedName> = Vec::new();
    for operation in m.file[start.min(here)..=here].iter().flat_map(|statement| &statement.operations) {
        if let Operation::AddConstraint(add) = &operation.what
            && let ConstraintKind::ForeignKey(ForeignKey { referenced, .. }) = &add.kind
            && table::state(m, referenced) == "existing"
        {
            let referenced = m.before.resolve(referenced);
            if referenced != m.before.resolve(&add.table) && !seen.contains(&referenced) {
                seen.push(referenced);
            }
        }
        if operation.span == m.place() {
            break;
        }
    }
    seen.len().into()
}

/// Functions whose answer is another one tomorrow, or for another user.
const MOVING: &[&str] = &[
    "current_date",
    "current_role",
    "current_schema",
    "current_setting",
    "current_time",
    "current_timestamp",
    "current_user",
    "localtime",
    "localtimestamp",
    "now",
    "session_user",
    "statement_timestamp",
    "transaction_timestamp",
    "user",
];

/// By volatility alone `to_char`, `extract` and others would count as moving, for the sake of one overload of several.
fn condition<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(ConstraintKind::Check { expression }) = added(m).map(|add| &add.kind) else { return Value::Unknown };
    let (mut volatile, mut unfixed, mut moving): (Option<&Name>, Option<&Name>, Option<&Name>) = (None, None, None);
    for call in &expression.calls {
        let own = m.before.functions(call).iter().map(|function| function.volatility).max();
        let shipped = call.schema.as_ref().is_none_or(|schema| *schema == "pg_catalog");
        match own {
            Some(Volatility::Immutable) => {}
            Some(Volatility::Stable | Volatility::Volatile) => unfixed = unfixed.or(Some(call)),
            None if shipped && MOVING.binary_search(&call.name.as_str()).is_ok() => moving = moving.or(Some(call)),
            None if shipped && functions::volatility(call.name.as_str(), m.server) == Some(Volatility::Volatile) => {
                volatile = volatile.or(Some(call));
            }
            None => {}
        }
    }
    let words = [("volatile", volatile), ("unfixed_function", unfixed), ("moving", moving)];
    match words.into_iter().find_map(|(word, call)| Some((word, call?))) {
        Some((word, call)) => Value::Named(word, call.sql().into()),
        None => Value::Word("fixed"),
    }
}

fn refused_until_updated<'a>(m: &Moment<'a>) -> Value<'a> {
    let (Some(Operation::Update(update)), Some(table)) = (m.operation(), table::relation(m)) else { return Value::Word("no") };
    // Within one transaction nobody else can come in between.
    let unseen = |constraint: &Constraint| constraint.added_in == m.step && m.session.in_transaction();
    let is_half = |constraint: &&Constraint| {
        let of_rows = matches!(constraint.kind, ConstraintKind::Check { .. } | ConstraintKind::NotNull { .. });
        of_rows && !constraint.validated && constraint.enforced && !unseen(constraint)
    };
    let fresh = |constraint: &Constraint| {
        let columns = update.columns.iter().filter(|column| constraint.columns().contains(column));
        columns.filter_map(|column| table.column(column)).find(|column| !column.updated).cloned()
    };
    let found = table.constraints.iter().filter(is_half).find_map(|constraint| Some((constraint, fresh(constraint)?)));
    match found {
        Some((constraint, column)) => {
            let all = is_empty_everywhere(table, &column) && refuses_null(constraint, &column.name);
            Value::Named(if all { "all_rows" } else { "some_rows" }, constraint.name.sql().into())
        }
        None => Value::Word("no"),
    }
}

/// A column that came after its table, and that nothing has filled yet.
fn is_empty_everywhere(table: &Relation, column: &Column) -> bool {
    let null = |default: &expression::Expression| default.constant == Some(expression::Constant::Null);
    let filled = column.default.as_ref().is_some_and(|default| !null(default)) || column.generated.is_some() || column.identity.is_some();
    !filled && column.data_type.is_some() && table.made_in.is_none_or(|made| column.added_in > made)
}

fn refuses_null(constraint: &Constraint, column: &Ident) -> bool {
    match &constraint.kind {
        ConstraintKind::Check { expression } => {
            expression.conjuncts.iter().any(|part| matches!(part, Predicate::IsNotNull(known) if known == column))
        }
        ConstraintKind::NotNull { column: of } => of == column,
        ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_) | ConstraintKind::Exclude { .. } | ConstraintKind::ForeignKey(_) => false,
    }
}
