//! Facts about what the file of an operation does to the same thing elsewhere, before it and behind it.

use super::{Fact, Kind, Value, table};
use crate::model::kind::OpKind;
use crate::model::name::Name;
use crate::model::operation::{ObjectKind, Operation};
use crate::rule::moment::Moment;
use crate::rule::outline::first_in;

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "emptied", kind: Kind::Bool, of: &[OpKind::AddColumn], read: emptied,
           doc: "the transaction has deleted all rows of the table, and has put none into it since" },
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

fn used_later<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(Operation::AddEnumValue { value, .. }) = m.operation() else { return Value::Unknown };
    first_in(m.outline().holds_literal(value, m.file), &m.rest_of_transaction()).is_some().into()
}

fn type_made<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(Operation::AddEnumValue { name, .. }) = m.operation() else { return Value::Unknown };
    first_in(m.outline().makes(ObjectKind::Type, name), &m.earlier_in_transaction()).is_some().into()
}
