//! Facts about the columns that CREATE TABLE and ADD COLUMN define, and about tables as they are made.

use super::{Fact, Kind, Value, column};
use crate::model::catalog::Lookup;
use crate::model::kind::OpKind;
use crate::model::name::Ident;
use crate::model::operation::{Column, ConstraintKind, IndexKey, IndexKeyKind, Operation, Persistence, TypeDefinition};
use crate::rule::moment::Moment;
use crate::rule::repetition::{LISTS, repetition};
use foldhash::HashSet;

const DEFINES: &[OpKind] = &[OpKind::CreateTable, OpKind::AddColumn];
const SOME: Kind = Kind::Words(&["none", "some"]);
const MAKES: &[OpKind] = &[OpKind::CreateTable, OpKind::CreateTableAs];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "made_table", kind: Kind::Words(&["permanent", "unlogged", "temporary", "foreign", "partition", "passed_over"]), of: MAKES, read: made_table,
           doc: "the table that is made; `passed_over` if the history shows that IF NOT EXISTS finds it in place" },
    Fact { name: "unique_key", kind: Kind::Bool, of: MAKES, read: |m| has_unique_key(m).into(),
           doc: "at the end of the history a unique index over all its rows and columns that are NOT NULL tells them apart" },
    Fact { name: "primary_key", kind: Kind::Words(&["present", "missing", "untold"]), of: MAKES, read: primary_key,
           doc: "whether the table has a primary key at the end of the history" },
    Fact { name: "repeated", kind: SOME, of: LISTS, read: repeated,
           doc: "a column that the statement names twice where each may stand once" },
    Fact { name: "said_twice", kind: Kind::Bool, of: LISTS, read: |m| repetition(m).is_some().into(),
           doc: "two items of its list are the same, so that either may go" },
    Fact { name: "enum_type", kind: SOME, of: &[OpKind::CreateType], read: enum_type,
           doc: "the type, if it is an enum" },
    Fact { name: "sequence_numbers", kind: Kind::Words(&["narrow", "wide"]), of: &[OpKind::CreateSequence], read: sequence_numbers,
           doc: "`narrow` if the sequence ends before bigint does" },
    Fact { name: "json_columns", kind: SOME, of: DEFINES, read: |m| columns_where(m, |column| is_of(column, &["json"])),
           doc: "columns of type json" },
    Fact { name: "padded_columns", kind: SOME, of: DEFINES, read: |m| columns_where(m, is_padded),
           doc: "columns of type char(n) for an n above 1, or bpchar" },
    Fact { name: "limited_columns", kind: SOME, of: DEFINES, read: |m| columns_where(m, |column| is_of(column, &["character varying"]) && has_modifier(column)),
           doc: "columns of type varchar(n)" },
    Fact { name: "zoneless_columns", kind: SOME, of: DEFINES, read: |m| columns_where(m, |column| is_of(column, &["timestamp without time zone"])),
           doc: "columns of type timestamp without time zone" },
    Fact { name: "whole_second_columns", kind: SOME, of: DEFINES, read: |m| columns_where(m, keeps_whole_seconds),
           doc: "columns of type timestamp(0), timestamptz(0), time(0) or timetz(0)" },
    Fact { name: "serial_columns", kind: SOME, of: DEFINES, read: |m| columns_where(m, |column| column.data_type.as_ref().is_some_and(|of| of.serial)),
           doc: "columns of type serial, bigserial, smallserial" },
    Fact { name: "short_keys", kind: SOME, of: DEFINES, read: |m| columns_where(m, |column| is_of(column, SHORT) && is_numbered(column)),
           doc: "columns of type integer or smallint that a sequence numbers" },
    Fact { name: "wide_numbers", kind: Kind::Text, of: DEFINES, read: wide_numbers,
           doc: "the type that its `short_keys` take to last: bigserial if all are serial, bigint if none is" },
    Fact { name: "short_columns", kind: SOME, of: DEFINES, read: |m| columns_where(m, |column| is_of(column, SHORT) && !is_numbered(column)),
           doc: "other columns of type integer or smallint" },
    Fact { name: "inexact_columns", kind: SOME, of: DEFINES, read: |m| columns_where(m, is_inexact),
           doc: "columns of type money, and of type real or double precision that are called as amounts of money are" },
];

const SHORT: &[&str] = &["integer", "smallint"];

/// The columns that the operation defines and that answer to a question, by name.
fn columns_where<'a>(m: &Moment<'a>, wanted: impl Fn(&Column) -> bool) -> Value<'a> {
    let names: Vec<String> = match m.operation() {
        Some(Operation::CreateTable(table)) => {
            table.columns.iter().map(|column| &column.what).filter(|column| wanted(column)).map(|column| column.name.sql()).collect()
        }
        _ => column::added(m).into_iter().filter(|column| wanted(column)).map(|column| column.name.sql()).collect(),
    };
    some(names)
}

/// One word for all columns that it is asked of.
fn wide_numbers<'a>(m: &Moment<'a>) -> Value<'a> {
    let is_serial = |column: &Column| column.data_type.as_ref().is_some_and(|of| of.serial);
    let short = |column: &Column| is_of(column, SHORT) && is_numbered(column);
    match (columns_where(m, |column| short(column) && is_serial(column)), columns_where(m, |column| short(column) && !is_serial(column))) {
        (Value::Word(_), _) => Value::Text("bigint".into()),
        (_, Value::Word(_)) => Value::Text("bigserial".into()),
        _ => Value::Unknown,
    }
}

fn some<'a>(names: Vec<String>) -> Value<'a> {
    if names.is_empty() { Value::Word("none") } else { Value::Named("some", names.join(super::BETWEEN_NAMES).into()) }
}

fn is_of(column: &Column, names: &[&str]) -> bool {
    column.data_type.as_ref().and_then(|of| of.built_in()).is_some_and(|name| names.contains(&name))
}

fn has_modifier(column: &Column) -> bool {
    column.data_type.as_ref().is_some_and(|of| !of.modifiers.is_empty())
}

fn is_numbered(column: &Column) -> bool {
    let by_default = column.default.as_ref().is_some_and(|default| default.calls.iter().any(|call| call.name == "nextval"));
    by_default || column.identity.is_some() || column.data_type.as_ref().is_some_and(|of| of.serial)
}

/// char(1) has nothing to pad.
fn is_padded(column: &Column) -> bool {
    let one = column.data_type.as_ref().is_some_and(|of| matches!(of.modifiers.as_slice(), [length] if &**length == "1"));
    is_of(column, &["bpchar"]) || (is_of(column, &["character"]) && !one)
}

fn keeps_whole_seconds(column: &Column) -> bool {
    const TIMES: &[&str] = &["timestamp without time zone", "timestamp with time zone", "time without time zone", "time with time zone"];
    is_of(column, TIMES) && column.data_type.as_ref().is_some_and(|of| matches!(of.modifiers.as_slice(), [digits] if &**digits == "0"))
}

fn is_inexact(column: &Column) -> bool {
    const AMOUNTS: [&str; 9] = ["amount", "balance", "cost", "discount", "fee", "price", "salary", "subtotal", "total"];
    let called = || column.name.as_str().to_ascii_lowercase().split('_').any(|word| AMOUNTS.contains(&word));
    is_of(column, &["money"]) || (is_of(column, &["real", "double precision"]) && called())
}

fn made_table<'a>(m: &Moment<'a>) -> Value<'a> {
    let (name, persistence, if_not_exists, kind) = match m.operation() {
        Some(Operation::CreateTable(table)) => {
            let kind = if table.foreign { Some("foreign") } else { table.partition_of.is_some().then_some("partition") };
            (&table.name, table.persistence, table.if_not_exists, kind)
        }
        Some(Operation::CreateTableAs(table)) => (&table.name, table.persistence, table.if_not_exists, None),
        _ => return Value::Unknown,
    };
    let in_place = || matches!(m.before.relation(name), Lookup::Known(known) if known.made_in.is_some());
    let word = match persistence {
        _ if if_not_exists && in_place() => "passed_over",
        Persistence::Temporary => "temporary",
        Persistence::Unlogged => "unlogged",
        Persistence::Permanent => kind.unwrap_or("permanent"),
    };
    Value::Named(word, name.sql().into())
}

/// A table that is dropped or renamed later needs none here.
fn primary_key<'a>(m: &Moment<'a>) -> Value<'a> {
    let (name, persistence, like) = match m.operation() {
        Some(Operation::CreateTable(table)) => (&table.name, table.persistence, !table.like.is_empty()),
        Some(Operation::CreateTableAs(table)) => (&table.name, table.persistence, false),
        _ => return Value::Unknown,
    };
    let Some(at_the_end) = m.end.get(&m.before.creation_name(name, persistence)) else { return Value::Word("present") };
    // LIKE of a table that is not known may bring one along.
    let copies = !at_the_end.complete && like;
    Value::Word(match at_the_end.primary_key() {
        Some(_) => "present",
        None if copies => "untold",
        None => "missing",
    })
}

/// Whether REPLICA IDENTITY USING INDEX could name one of its indexes.
fn has_unique_key(m: &Moment<'_>) -> bool {
    let (name, persistence) = match m.operation() {
        Some(Operation::CreateTable(table)) => (&table.name, table.persistence),
        Some(Operation::CreateTableAs(table)) => (&table.name, table.persistence),
        _ => return false,
    };
    let Some(at_the_end) = m.end.get(&m.before.creation_name(name, persistence)) else { return false };
    let required = |key: &IndexKey| match &key.what {
        IndexKeyKind::Column(column) => at_the_end.column(column).is_some_and(|column| column.not_null),
        IndexKeyKind::Expression(_) => false,
    };
    m.end
        .indexes_of(at_the_end)
        .any(|(_, index)| index.unique && index.valid && index.predicate.is_none() && index.keys.iter().all(required))
}

fn repeated<'a>(m: &Moment<'a>) -> Value<'a> {
    let columns: Vec<&Ident> = match m.operation() {
        Some(Operation::CreateTable(table)) => table.columns.iter().map(|column| &column.what.name).collect(),
        Some(Operation::CreateView(view) | Operation::CreateMaterializedView(view)) => view.columns.iter().flatten().collect(),
        Some(Operation::Insert(insert)) => insert.columns.iter().collect(),
        Some(Operation::Update(update)) => update.columns.iter().collect(),
        Some(Operation::AddConstraint(constraint)) => match &constraint.kind {
            ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => key.columns.iter().collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    let mut seen = HashSet::default();
    some(columns.into_iter().find(|column| !seen.insert(*column)).map(Ident::sql).into_iter().collect())
}

fn enum_type<'a>(m: &Moment<'a>) -> Value<'a> {
    match m.operation() {
        Some(Operation::CreateType { name, definition: TypeDefinition::Enum { .. } }) => Value::Named("some", name.sql().into()),
        _ => Value::Word("none"),
    }
}

fn sequence_numbers<'a>(m: &Moment<'a>) -> Value<'a> {
    match m.operation() {
        Some(Operation::CreateSequence { name, data_type, .. }) => {
            let narrow = data_type.as_ref().and_then(|of| of.built_in()).is_some_and(|of| SHORT.contains(&of));
            Value::Named(if narrow { "narrow" } else { "wide" }, name.sql().into())
        }
        _ => Value::Unknown,
    }
}
