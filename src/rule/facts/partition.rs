//! Facts about partitions that come and go, and about the rows that are searched for it.

use super::statement::{is_shared, shown};
use super::{Fact, Kind, Value, column, table};
use crate::model::catalog::Relation;
use crate::model::effects::bound;
use crate::model::kind::OpKind;
use crate::model::name::{Name, QualifiedName};
use crate::model::operation::{AlterAction, Bound, ConstraintKind, CreateTable, Detach, ObjectKind, Operation, Persistence};
use crate::rule::moment::Moment;
use crate::sql::lex::{Lexer, Token};

const STATES: &[&str] = &["none", "existing", "new", "temporary", "absent"];
const PARTS: &[OpKind] = &[OpKind::CreateTable, OpKind::AttachPartition, OpKind::DetachPartition];
const COMES: &[OpKind] = &[OpKind::CreateTable, OpKind::AttachPartition];
const OF_PARENT: &[OpKind] = &[OpKind::CreateTable, OpKind::AttachPartition, OpKind::DetachPartition, OpKind::DropTable];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "partition", kind: Kind::Words(STATES), of: PARTS, read: partition,
           doc: "the partition that comes or goes; `none` if the table is none" },
    Fact { name: "parent", kind: Kind::Words(STATES), of: OF_PARENT, read: parent,
           doc: "the partitioned table; `none` if the table is no partition, or nobody has seen that it is" },
    Fact { name: "default_partition", kind: Kind::Words(&["absent", "present"]), of: OF_PARENT, read: |m| default_partition(m).map_or(Value::Word("absent"), |default| Value::Named("present", shown(m, &default.name).into())),
           doc: "the DEFAULT partition of the parent, if it has one that is known" },
    Fact { name: "searches_default", kind: Kind::Bool, of: COMES, read: searches_default,
           doc: "the default partition is read as a whole, since rows of the new one may lie there" },
    Fact { name: "bound", kind: Kind::Text, of: COMES, read: |m| written_bound(m).into(),
           doc: "which rows it takes, as SQL says it" },
    Fact { name: "bound_is_written", kind: Kind::Bool, of: COMES, read: |m| written_bound(m).is_some().into(),
           doc: "`bound` is known: it is no hash" },
    Fact { name: "bare_partition", kind: Kind::Bool, of: &[OpKind::CreateTable], read: |m| is_bare(m).into(),
           doc: "behind PARTITION OF stands nothing but the parent and the bound" },
    Fact { name: "bound_condition", kind: Kind::Text, of: COMES, read: |m| condition(m).into(),
           doc: "the condition that proves this as a CHECK" },
    Fact { name: "bound_is_simple", kind: Kind::Bool, of: COMES, read: |m| condition(m).is_some().into(),
           doc: "the bound is one of a single column, so that `bound_condition` says it" },
    Fact { name: "is_unprepared", kind: Kind::Bool, of: &[OpKind::AttachPartition], read: is_unprepared,
           doc: "rows of the table that is attached are read as a whole" },
    Fact { name: "lacks", kind: Kind::Text, of: &[OpKind::AttachPartition], read: lacks,
           doc: "what it would need so that they are not, in words" },
    Fact { name: "how", kind: Kind::Words(&["plain", "concurrently", "finalize"]), of: &[OpKind::DetachPartition], read: how,
           doc: "in one step, CONCURRENTLY, or FINALIZE" },
];

fn created<'a>(m: &Moment<'a>) -> Option<&'a CreateTable> {
    match m.operation()? {
        Operation::CreateTable(create) => Some(create),
        _ => None,
    }
}

/// The partition and its bound, if the operation is about one.
fn part<'a>(m: &Moment<'a>) -> Option<(&'a Name, Option<&'a Bound>)> {
    if let Some(create) = created(m) {
        return create.partition_of.as_ref().map(|(_, bound)| (&create.name, Some(bound)));
    }
    match column::alter(m)? {
        AlterAction::AttachPartition { partition, bound } => Some((partition, Some(bound))),
        AlterAction::DetachPartition { partition, .. } => Some((partition, None)),
        _ => None,
    }
}

/// The name of the partitioned table.
fn parent_name(m: &Moment<'_>) -> Option<Name> {
    match m.operation()? {
        Operation::CreateTable(create) => create.partition_of.as_ref().map(|(parent, _)| parent.clone()),
        Operation::Drop(drop) if drop.object == ObjectKind::Table => {
            let (parent, _) = table::relation_named(m.before, &drop.name)?.partition_of.as_ref()?;
            Some(qualified(parent))
        }
        Operation::Alter(target, _) => Some(target.name.clone()),
        _ => None,
    }
}

fn parent_relation<'a>(m: &Moment<'a>) -> Option<&'a Relation> {
    table::relation_named(m.before, &parent_name(m)?)
}

fn qualified(name: &QualifiedName) -> Name {
    Name { schema: Some(name.schema.clone()), name: name.name.clone() }
}

fn stated<'a>(m: &Moment<'a>, name: &Name) -> Value<'a> {
    Value::Named(table::state(m, name), shown(m, &m.before.resolve(name)).into())
}

fn partition<'a>(m: &Moment<'a>) -> Value<'a> {
    part(m).map_or(Value::Word("none"), |(name, _)| stated(m, name))
}

fn parent<'a>(m: &Moment<'a>) -> Value<'a> {
    parent_name(m).map_or(Value::Word("none"), |name| stated(m, &name))
}

fn default_partition<'a>(m: &Moment<'a>) -> Option<&'a Relation> {
    let children = parent_relation(m)?.children.iter().filter_map(|child| m.before.get(child));
    children.into_iter().find(|child| matches!(child.partition_of, Some((_, Bound::Default))))
}

/// A default partition that nobody has seen is taken not to be there: few tables have one.
fn searches_default<'a>(m: &Moment<'a>) -> Value<'a> {
    let searched = |name: &QualifiedName| m.effects.scans.contains(name) && is_shared(m, name);
    let searches = |default: &Relation| searched(&default.name) || m.before.descendants(&default.name).iter().any(searched);
    default_partition(m).is_some_and(searches).into()
}

fn condition(m: &Moment<'_>) -> Option<String> {
    bound::condition(parent_relation(m)?, part(m)?.1?)
}

fn written_bound(m: &Moment<'_>) -> Option<String> {
    match part(m)?.1? {
        Bound::Default => Some("DEFAULT".to_owned()),
        Bound::In(values) => Some(format!("FOR VALUES IN ({})", values.join(", "))),
        Bound::Range { from, to } => Some(format!("FOR VALUES FROM ({}) TO ({})", from.join(", "), to.join(", "))),
        Bound::Hash { .. } | Bound::Unknown => None,
    }
}

fn is_bare(m: &Moment<'_>) -> Option<bool> {
    let create = created(m)?;
    let plain = create.columns.is_empty() && create.options.is_empty() && create.partition_by.is_none() && !create.if_not_exists;
    let says_more = |token: Token| token.is_word(m.source, "USING") || token.is_word(m.source, "TABLESPACE");
    Some(plain && create.persistence == Persistence::Permanent && !create.foreign && !Lexer::new(m.source, m.place()).any(says_more))
}

fn is_unprepared<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some((name, _)) = part(m) else { return Value::Unknown };
    let partition = m.before.resolve(name);
    let read = |name: &QualifiedName| m.effects.scans.contains(name);
    match read(&partition) || m.before.descendants(&partition).iter().any(read) {
        true if m.effects.assumed.contains(&"constraints") => Value::Unknown,
        is_read => is_read.into(),
    }
}

fn lacks<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some((name, Some(bound))) = part(m) else { return Value::Unknown };
    let check = || "a validated CHECK that says which rows it holds".to_owned();
    let (Some(parent), Some(partition)) = (parent_relation(m), table::relation_named(m.before, name)) else { return check().into() };
    let mut lacks: Vec<String> = (!bound::fits(parent, partition, bound)).then(check).into_iter().collect();
    for (relation, index) in m.before.indexes_of(parent) {
        if m.before.index_for_partition(index, &partition.name).is_new {
            lacks.push(format!("an index like `{}`", relation.name.name.sql()));
        }
    }
    for constraint in &parent.constraints {
        if !has_equal_key(partition, constraint) {
            lacks.push(format!("a foreign key like `{}`", constraint.name.sql()));
        }
    }
    // The rest is found in the same way.
    lacks.truncate(MOST_SHOWN);
    lacks.join(" and ").into()
}

/// So much fits into a message.
const MOST_SHOWN: usize = 3;

/// Whether a table has the foreign key that its new parent has; true also of any other constraint.
fn has_equal_key(partition: &Relation, constraint: &crate::model::catalog::Constraint) -> bool {
    let ConstraintKind::ForeignKey(key) = &constraint.kind else { return true };
    partition.constraints.iter().any(|own| match &own.kind {
        ConstraintKind::ForeignKey(known) => own.referenced == constraint.referenced && known.columns == key.columns,
        _ => false,
    })
}

fn how<'a>(m: &Moment<'a>) -> Value<'a> {
    match column::alter(m) {
        Some(AlterAction::DetachPartition { how, .. }) => Value::Word(match how {
            Detach::Plain => "plain",
            Detach::Concurrently => "concurrently",
            Detach::Finalize => "finalize",
        }),
        _ => Value::Unknown,
    }
}
