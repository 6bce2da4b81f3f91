//! Facts about an index: whether another one does its work, what comes in its place, what it stands behind.

use super::{Fact, Kind, Value, table};
use crate::model::catalog::{Catalog, Index, Relation, Step};
use crate::model::kind::OpKind;
use crate::model::name::QualifiedName;
use crate::model::operation::{Operation, ReindexScope};
use crate::rule::moment::Moment;

const CREATE: &[OpKind] = &[OpKind::CreateIndex];
const DROP: &[OpKind] = &[OpKind::DropIndex];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "unique", kind: Kind::Bool, of: CREATE, read: |m| matches!(m.operation(), Some(Operation::CreateIndex(create)) if create.unique).into(),
           doc: "CREATE UNIQUE INDEX" },
    Fact { name: "if_not_exists", kind: Kind::Bool, of: CREATE, read: |m| matches!(m.operation(), Some(Operation::CreateIndex(create)) if create.if_not_exists).into(),
           doc: "IF NOT EXISTS is said" },
    Fact { name: "dropped_before", kind: Kind::Bool, of: CREATE, read: dropped_before,
           doc: "an earlier statement of the file drops an index of this name" },
    Fact { name: "overlap", kind: Kind::Words(&["none", "does_nothing_new", "replaces", "repeats_column"]), of: CREATE, read: overlap,
           doc: "another index, which stays, finds what this one finds; or this one finds what an older one finds, which stays all the same; or a column stands in it twice" },
    Fact { name: "replaced_in_file", kind: Kind::Bool, of: DROP, read: |m| replaced_by(m).map(|other| other.made_in == Some(m.step)).into(),
           doc: "the index that replaces it is built by the same migration" },
    Fact { name: "replacement", kind: Kind::Words(&["none", "later", "of_the_same_name"]), of: DROP, read: replacement,
           doc: "an index that begins with the same column and is built later, in this file or the next; `none` also if another index finds the same meanwhile, `of_the_same_name` if this file makes it again" },
    Fact { name: "needed_by", kind: Kind::Words(&["nobody", "constraint", "partitioned_index"]), of: DROP, read: needed_by,
           doc: "the constraint that the index stands behind, or the partitioned index that it is a part of" },
    Fact { name: "names_before", kind: Kind::Number, of: DROP, read: names_before,
           doc: "how many names the statement has before this one" },
    Fact { name: "names", kind: Kind::Number, of: DROP, read: |m| m.statement().map(|statement| statement.operations.len()).into(),
           doc: "how many names the statement has" },
    Fact { name: "guard", kind: Kind::Text, of: DROP, read: |m| if matches!(m.operation(), Some(Operation::Drop(drop)) if drop.if_exists) { "IF EXISTS " } else { "" }.into(),
           doc: "`IF EXISTS ` as SQL goes on with it, if it is said" },
    Fact { name: "scope", kind: Kind::Words(&["index", "table", "schema", "database", "system"]), of: &[OpKind::Reindex], read: scope,
           doc: "what REINDEX builds anew; shown by its name" },
];

fn dropped_before<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(Operation::CreateIndex(create)) = m.operation() else { return Value::Unknown };
    m.before.has_dropped_index(&m.before.index_name(create)).into()
}

/// As many indexes of a table are compared with each other: no table in use has more, and a file that makes thousands is still read at once.
const COMPARED: usize = 256;

fn indexes<'a>(catalog: &'a Catalog, table: &'a Relation) -> impl Iterator<Item = (&'a Relation, &'a Index)> {
    catalog.indexes_of(table).take(COMPARED)
}

/// Only indexes that are still there at the end count: of two that do the same, the one may be on its way out.
fn overlap<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(Operation::CreateIndex(create)) = m.operation() else { return Value::Unknown };
    let Some(on) = table::relation(m) else { return Value::Word("none") };
    let (name, made) = (m.before.index_name(create), Index::of(create, on.name.clone()));
    if let Some(column) = made.repeated_column() {
        return Value::Named("repeats_column", column.sql().into());
    }
    let stays = |name: &QualifiedName| m.end.get(name).is_some_and(|relation| relation.index.is_some());
    // IF NOT EXISTS may pass over it.
    if !stays(&name) || m.before.get(&name).is_some() {
        return Value::Word("none");
    }
    // NULLS NOT DISTINCT is a promise of its own.
    let does_it = |by: &Index| !create.nulls_not_distinct && by.does_the_work_of(&made);
    let by = indexes(m.before, on).find(|(other, index)| does_it(index) && stays(&other.name));
    // Once is enough to say that an index is not needed.
    let is_news = |name: &QualifiedName, index: &Index| {
        !indexes(m.before, on).any(|(other, by)| by.does_the_work_of(index) && other.name != *name && stays(&other.name))
    };
    let is_replaced = |(relation, other): &(&Relation, &Index)| {
        made.does_the_work_of(other) && is_free_to_go(relation, other) && stays(&relation.name) && is_news(&relation.name, other)
    };
    let replaced = || indexes(m.before, on).find(is_replaced);
    match by.map(|found| ("does_nothing_new", found)).or_else(|| Some(("replaces", replaced()?))) {
        Some((word, (other, _))) => Value::Named(word, other.name.name.sql().into()),
        None => Value::Word("none"),
    }
}

/// Nothing but searches needs it.
fn is_free_to_go(relation: &Relation, index: &Index) -> bool {
    !index.unique && index.constraint.is_none() && relation.partition_of.is_none()
}

/// The index that begins like the one that is dropped, and is built when that is gone.
fn replaced_by<'a>(m: &Moment<'a>) -> Option<&'a Relation> {
    let Some(Operation::Drop(drop)) = m.operation() else { return None };
    let name = m.before.resolve(&drop.name);
    let dropped = m.before.get(&name)?.index.as_ref()?;
    let on = m.before.get(&dropped.table)?;
    if indexes(m.before, on).any(|(other, index)| other.name != name && index.leads_like(dropped)) {
        return None;
    }
    let is_new = |other: &Relation| other.name == name || m.before.get(&other.name).is_none();
    let soon = |other: &Relation| other.made_in.is_some_and(|made| leaves_gap(m, drop.concurrently, made));
    let mut at_the_end = indexes(m.end, m.end.get(&dropped.table)?);
    at_the_end.find(|(other, index)| is_new(other) && soon(other) && index.leads_like(dropped)).map(|(other, _)| other)
}

fn replacement<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(Operation::Drop(drop)) = m.operation() else { return Value::Unknown };
    match replaced_by(m) {
        Some(other) if other.name == m.before.resolve(&drop.name) && other.made_in == Some(m.step) => Value::Word("of_the_same_name"),
        Some(other) => Value::Named("later", other.name.name.sql().into()),
        None => Value::Word("none"),
    }
}

/// Whether queries can miss an index that is made in that migration: in the next one; or in this one, unless the transaction that drops the
/// old index keeps the table to itself until the new one is there.
fn leaves_gap(m: &Moment<'_>, concurrently: bool, made: Step) -> bool {
    let held = !concurrently && m.session.in_transaction();
    made.0 == m.step.0 + 1 || (made == m.step && !held)
}

fn needed_by<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(Operation::Drop(drop)) = m.operation() else { return Value::Unknown };
    let Some(relation) = table::relation_named(m.before, &drop.name) else { return Value::Word("nobody") };
    match (relation.index.as_ref().and_then(|index| index.constraint.as_ref()), &relation.partition_of) {
        (Some(constraint), _) => Value::Named("constraint", constraint.sql().into()),
        (None, Some((parent, _))) => Value::Named("partitioned_index", parent.name.sql().into()),
        (None, None) => Value::Word("nobody"),
    }
}

fn names_before<'a>(m: &Moment<'a>) -> Value<'a> {
    let place = m.place();
    m.statement().map(|statement| statement.operations.iter().take_while(|other| other.span != place).count()).into()
}

fn scope<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(Operation::Reindex(reindex)) = m.operation() else { return Value::Unknown };
    let word = match reindex.scope {
        ReindexScope::Index => "index",
        ReindexScope::Table => "table",
        ReindexScope::Schema => "schema",
        ReindexScope::Database => "database",
        ReindexScope::System => "system",
    };
    match &reindex.name {
        Some(name) => Value::Named(word, name.sql().into()),
        None => Value::Named(word, "this database".into()),
    }
}
