//! Facts about IF NOT EXISTS that finds something in place: whether that is what the statement describes.

use super::{Fact, Kind, table};
use crate::model::catalog::{self, Lookup, Relation};
use crate::model::kind::OpKind;
use crate::model::name::{Name, QualifiedName};
use crate::model::operation::{AlterAction, Column, CreateIndex, CreateTable, IndexKey, IndexKeyKind, Operation};
use crate::model::types::TypeName;
use crate::rule::moment::Moment;

const OF: &[OpKind] = &[OpKind::CreateTable, OpKind::AddColumn, OpKind::CreateIndex];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "drifts", kind: Kind::Bool, of: OF, read: |m| difference(m).is_some().into(),
           doc: "IF NOT EXISTS finds something in place that the history has made otherwise" },
    Fact { name: "difference", kind: Kind::Text, of: OF, read: |m| difference(m).into(),
           doc: "the first difference, in words" },
];

fn difference(m: &Moment<'_>) -> Option<String> {
    match m.operation()? {
        Operation::CreateTable(table) if table.if_not_exists => of_table(m, table),
        Operation::CreateIndex(index) if index.if_not_exists => of_index(m, index),
        Operation::Alter(_, action) => match &**action {
            AlterAction::AddColumn { column, if_not_exists: true } => {
                let relation = older(m, &table::name(m)?)?;
                of_column(&table::name(m)?.sql(), column, relation.column(&column.name).filter(|known| known.added_in != m.step)?)
            }
            _ => None,
        },
        _ => None,
    }
}

/// What an older migration has made.
fn older<'a>(m: &Moment<'a>, name: &Name) -> Option<&'a Relation> {
    match m.before.relation(name) {
        Lookup::Known(relation) => Some(relation).filter(|relation| relation.made_in.is_some_and(|made| made != m.step)),
        Lookup::Absent | Lookup::Unknown => None,
    }
}

fn of_table(m: &Moment<'_>, create: &CreateTable) -> Option<String> {
    let known = older(m, &create.name)?;
    let name = create.name.sql();
    if !known.is_table() {
        return Some(format!("`{name}` is no table"));
    }
    create.columns.iter().map(|column| &column.what).find_map(|column| match known.find_column(&column.name) {
        Lookup::Known(there) => of_column(&name, column, there),
        Lookup::Absent => Some(format!("`{name}` has no column `{}`", column.name.sql())),
        Lookup::Unknown => None,
    })
}

fn of_column(table: &str, column: &Column, there: &catalog::Column) -> Option<String> {
    let name = format!("`{table}.{}`", column.name.sql());
    if let (Some(wanted), Some(known)) = (&column.data_type, &there.data_type)
        && !is_same(wanted, known)
    {
        return Some(format!("{name} is {known}"));
    }
    (column.not_null && !there.not_null && there.data_type.is_some()).then(|| format!("{name} may be null"))
}

/// Whether two types are one, as far as they are written: a schema may be left out.
fn is_same(one: &TypeName, other: &TypeName) -> bool {
    one.name.name == other.name.name && one.modifiers == other.modifiers && one.dimensions == other.dimensions
}

fn of_index(m: &Moment<'_>, create: &CreateIndex) -> Option<String> {
    create.name.as_ref()?;
    let QualifiedName { schema, name } = m.before.index_name(create);
    let place = Name { schema: Some(schema), name };
    let there = older(m, &place)?.index.as_ref()?;
    let shown = place.name.sql();
    if there.table != m.before.resolve(&create.table) {
        return Some(format!("`{shown}` is on `{}`", there.table.name.sql()));
    }
    if there.unique != create.unique {
        return Some(format!("`{shown}` is {}", if there.unique { "unique" } else { "not unique" }));
    }
    let keys = |keys: &[IndexKey]| keys.iter().map(key).collect::<Vec<_>>().join(", ");
    let predicate = |predicate: &Option<crate::model::expression::Expression>| predicate.as_ref().map(|condition| condition.text.clone());
    if keys(&there.keys) != keys(&create.keys) {
        return Some(format!("`{shown}` is on ({})", keys(&there.keys)));
    }
    (predicate(&there.predicate) != predicate(&create.predicate)).then(|| format!("`{shown}` has another WHERE"))
}

fn key(key: &IndexKey) -> String {
    match &key.what {
        IndexKeyKind::Column(column) => column.sql(),
        IndexKeyKind::Expression(expression) => expression.text.clone(),
    }
}
