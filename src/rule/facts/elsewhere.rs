//! Facts about what the file of an operation does to the same thing elsewhere, before it and behind it.

use super::{Fact, Kind, Value, column, table};
use crate::model::kind::OpKind;
use crate::model::name::{Ident, Name, QualifiedName};
use crate::model::operation::{InsertSource, ObjectKind, Operation, Update};
use crate::rule::moment::Moment;
use crate::rule::outline::{first_in, in_word};

const REPLACEABLE: &[OpKind] = &[OpKind::DropColumn, OpKind::RenameColumn, OpKind::DropTable, OpKind::RenameTable];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "replaced_here", kind: Kind::Bool, of: REPLACEABLE, read: replaced_here,
           doc: "the same file adds a column or table and copies rows into it from this one" },
    Fact { name: "emptied", kind: Kind::Bool, of: &[OpKind::AddColumn], read: emptied,
           doc: "the transaction has deleted all rows of the table, and has put none into it since" },
    Fact { name: "backfilled_before", kind: Kind::Bool, of: &[OpKind::CreateTrigger], read: |m| backfill_before(m).is_some().into(),
           doc: "an earlier statement of the file copies rows into a column that the file adds" },
    Fact { name: "backfill_line", kind: Kind::Number, of: &[OpKind::CreateTrigger], read: |m| backfill_before(m).map(|by| super::session::line_of(m, by)).into(),
           doc: "the line of that statement" },
    Fact { name: "used_later_in_transaction", kind: Kind::Bool, of: &[OpKind::AddEnumValue], read: used_later,
           doc: "a later statement of the same transaction holds the value as a literal" },
    Fact { name: "type_made_in_transaction", kind: Kind::Bool, of: &[OpKind::AddEnumValue], read: type_made,
           doc: "the enum type was made in the same transaction" },
];

/// Whether an earlier statement of the file makes a trigger or policy of this name.
pub(super) fn is_part_made_here(m: &Moment<'_>, kind: ObjectKind, name: &Name) -> bool {
    let made = m.outline().makes(kind, &Name::bare(name.name.clone()));
    first_in(made, &(0..m.index.unwrap_or(0))).is_some()
}

/// The operations of one statement of the file.
fn operations<'a>(m: &Moment<'a>, at: usize) -> impl Iterator<Item = &'a Operation> {
    m.file[at].operations.iter().map(|operation| &operation.what)
}

fn updates<'a>(m: &Moment<'a>, at: usize) -> impl Iterator<Item = &'a Update> {
    operations(m, at).filter_map(|operation| match operation {
        Operation::Update(update) => Some(&**update),
        _ => None,
    })
}

fn replaced_here<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(table) = table::name(m).map(|name| m.before.resolve(&name)) else { return Value::Unknown };
    match column::name(m) {
        Some(column) => copies_out_of(m, &table, column).into(),
        None => (is_copied(m, &table) && !comes_back(m, &table)).into(),
    }
}

/// An earlier UPDATE that sets a column which this file adds, reads the table, and names the old column.
fn copies_out_of(m: &Moment<'_>, table: &QualifiedName, column: &Ident) -> bool {
    let name = column.as_str().to_lowercase();
    // A name of several words is found by one of them.
    let word = name.split(|c| !in_word(c)).max_by_key(|word| word.len()).unwrap_or_default();
    let candidates = m.outline().backfills_with((&table.name, word), m.file, m.source);
    let earlier = candidates.iter().copied().take_while(|at| m.index.is_some_and(|here| *at < here));
    let named = |at: usize| word == name || m.source.text(m.file[at].span).to_lowercase().contains(&name);
    earlier.filter(|at| named(*at)).flat_map(|at| updates(m, at)).any(|update| {
        let target = m.before.resolve(&update.table);
        let reads = target == *table || update.reads.iter().any(|read| m.before.resolve(read) == *table);
        reads && sets_new_column(m, &target, &update.columns)
    })
}

/// Whether an earlier statement fills another table from this one.
fn is_copied(m: &Moment<'_>, table: &QualifiedName) -> bool {
    let candidates = m.outline().copies_from(&table.name).iter().copied();
    let earlier = candidates.take_while(|at| m.index.is_some_and(|here| *at < here));
    earlier.flat_map(|at| operations(m, at)).any(|operation| copies_into_another_table(m, operation, table))
}

/// Whether another table takes the name in the same transaction: code finds what it asks for.
fn comes_back(m: &Moment<'_>, table: &QualifiedName) -> bool {
    let rest = m.rest_of_transaction();
    m.outline().renames_to(&table.name).iter().any(|(at, other)| rest.contains(at) && m.before.resolve(other) != *table)
}

fn emptied<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(table) = table::name(m).map(|name| m.before.resolve(&name)) else { return Value::Unknown };
    let changes = m.outline().row_changes(&table.name);
    let earlier = m.earlier_in_transaction();
    let until = changes.partition_point(|change| change.at < earlier.end);
    let last = changes[..until]
        .iter()
        .rev()
        .take_while(|change| change.at >= earlier.start)
        .find(|change| m.before.resolve(&change.table) == table);
    last.is_some_and(|change| change.empties).into()
}

/// Whether one of the columns is one that this file adds to an older table.
fn sets_new_column(m: &Moment<'_>, table: &QualifiedName, columns: &[Ident]) -> bool {
    let Some(relation) = m.before.get(table) else { return false };
    let is_new = |name| relation.column(name).is_some_and(|column| column.added_in == m.step && relation.made_in != Some(m.step));
    columns.iter().any(is_new)
}

/// INSERT INTO another table, SELECT FROM the old one.
fn copies_into_another_table(m: &Moment<'_>, operation: &Operation, old: &QualifiedName) -> bool {
    let reads_old = |reads: &[Name]| reads.iter().any(|read| m.before.resolve(read) == *old);
    match operation {
        Operation::Insert(insert) => {
            let from_query = matches!(insert.source, InsertSource::Query { .. });
            from_query
                && reads_old(&insert.reads)
                && m.before.resolve(&insert.table) != *old
                && table::state(m, &insert.table) != "temporary"
        }
        Operation::CreateTableAs(made) => reads_old(&made.reads),
        _ => false,
    }
}

/// The index of an earlier UPDATE of the trigger's table that sets a column which this file adds.
fn backfill_before(m: &Moment<'_>) -> Option<usize> {
    let Some(Operation::CreateTrigger(trigger)) = m.operation() else { return None };
    if !trigger.for_each_row || !trigger.events.iter().any(|event| matches!(&**event, "insert" | "update")) {
        return None;
    }
    let table = m.before.resolve(&trigger.table);
    let is_backfill = |update: &Update| m.before.resolve(&update.table) == table && sets_new_column(m, &table, &update.columns);
    let candidates = m.outline().backfills_of(&table.name).iter().copied();
    candidates.take_while(|at| m.index.is_some_and(|here| *at < here)).find(|at| updates(m, *at).any(is_backfill))
}

fn used_later<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(Operation::AddEnumValue { value, .. }) = m.operation() else { return Value::Unknown };
    first_in(m.outline().holds_literal(value, m.file), &m.rest_of_transaction()).is_some().into()
}

fn type_made<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(Operation::AddEnumValue { name, .. }) = m.operation() else { return Value::Unknown };
    first_in(m.outline().makes(ObjectKind::Type, name), &m.earlier_in_transaction()).is_some().into()
}
