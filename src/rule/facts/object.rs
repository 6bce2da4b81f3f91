//! Facts about what an operation drops, renames, or adds a value to.

use super::{Fact, Kind, Value, column, elsewhere, remade, table};
use crate::model::catalog::Lookup;
use crate::model::kind::OpKind;
use crate::model::name::{Name, QualifiedName};
use crate::model::operation::{AlterAction, Detach, ObjectKind, Operation, Realm};
use crate::rule::moment::Moment;

#[rustfmt::skip]
const DROPS: &[OpKind] = &[
    OpKind::DropTable, OpKind::DropIndex, OpKind::DropView, OpKind::DropMaterializedView, OpKind::DropSequence, OpKind::DropType,
    OpKind::DropDomain, OpKind::DropFunction, OpKind::DropTrigger, OpKind::DropRule, OpKind::DropPolicy, OpKind::DropStatistics,
    OpKind::DropSchema, OpKind::DropExtension, OpKind::DropDatabase, OpKind::DropTablespace, OpKind::DropPublication,
    OpKind::DropSubscription, OpKind::DropObject,
];

const CASCADES: &[OpKind] = &[OpKind::Truncate, OpKind::DropColumn, OpKind::DropConstraint];

#[rustfmt::skip]
const CONCURRENT: &[OpKind] = &[
    OpKind::CreateIndex, OpKind::DropIndex, OpKind::Reindex, OpKind::DetachPartition, OpKind::RefreshMaterializedView, OpKind::Repack,
    OpKind::Cluster, OpKind::Vacuum, OpKind::Other, OpKind::Reset,
];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "object", kind: Kind::Words(STATES), of: DROPS, read: object,
           doc: "what is dropped: `new` if this migration made it, or gave it its name, `absent` if the history is sure of it" },
    Fact { name: "object", kind: Kind::Text, of: CASCADES, read: |m| column::name(m).map(|c| c.sql()).or_else(|| table::name(m).map(|t| t.sql())).into(),
           doc: "what is dropped or emptied" },
    Fact { name: "object_kind", kind: Kind::Words(&["table", "foreign_table", "other"]), of: DROPS, read: object_kind,
           doc: "whether a table or a foreign table is dropped" },
    Fact { name: "cascade", kind: Kind::Bool, of: DROPS, read: cascade, doc: "CASCADE is said" },
    Fact { name: "cascade", kind: Kind::Bool, of: CASCADES, read: cascade, doc: "CASCADE is said" },
    Fact { name: "emptied_too", kind: Kind::Text, of: &[OpKind::Truncate], read: |m| emptied_too(m).into(),
           doc: "the tables that CASCADE reaches through foreign keys, as a list" },
    Fact { name: "concurrently", kind: Kind::Bool, of: CONCURRENT, read: concurrently, doc: "CONCURRENTLY is said" },
    Fact { name: "only", kind: Kind::Bool, of: &[OpKind::CreateIndex], read: only,
           doc: "ON ONLY a partitioned table: the parent's index alone, which has no rows" },
    Fact { name: "full", kind: Kind::Bool, of: &[OpKind::Vacuum], read: |m| matches!(m.operation(), Some(Operation::Vacuum { full: true, .. })).into(),
           doc: "VACUUM FULL" },
    Fact { name: "index", kind: Kind::Text, of: &[OpKind::CreateIndex, OpKind::DropIndex], read: index,
           doc: "the index's name, as written or as the server chooses it" },
    Fact { name: "partitioned", kind: Kind::Bool, of: &[OpKind::CreateIndex, OpKind::DropIndex, OpKind::Reindex, OpKind::AddExclusion], read: partitioned,
           doc: "the table, or that of the index, is partitioned" },
    Fact { name: "procedure", kind: Kind::Text, of: &[OpKind::Call], read: |m| match m.operation() { Some(Operation::Call { procedure }) => procedure.sql().into(), _ => Value::Unknown },
           doc: "the procedure that is called" },
    Fact { name: "construct", kind: Kind::Text, of: &[OpKind::Dynamic], read: |m| match m.operation() { Some(Operation::Dynamic { construct }) => Value::Text((&**construct).into()), _ => Value::Unknown },
           doc: "why nobody sees what runs, in words" },
    Fact { name: "value", kind: Kind::Text, of: &[OpKind::AddEnumValue], read: |m| match m.operation() { Some(Operation::AddEnumValue { value, .. }) => Value::Text((&**value).into()), _ => Value::Unknown },
           doc: "the enum value that is added" },
    Fact { name: "type", kind: Kind::Text, of: &[OpKind::AddEnumValue], read: |m| match m.operation() { Some(Operation::AddEnumValue { name, .. }) => name.sql().into(), _ => Value::Unknown },
           doc: "the enum type" },
    Fact { name: "guarded", kind: Kind::Bool, of: OpKind::ALL, read: guarded,
           doc: "IF EXISTS, IF NOT EXISTS or OR REPLACE is said, or it stands under a condition" },
    Fact { name: "statement_words", kind: Kind::Text, of: &[OpKind::Vacuum, OpKind::Other, OpKind::Reindex, OpKind::Cluster, OpKind::Repack, OpKind::Reset], read: statement_words,
           doc: "the statement's leading words" },
    Fact { name: "reason", kind: Kind::Text, of: &[OpKind::Unreadable, OpKind::AlterUnreadable], read: reason,
           doc: "what stopped the reading" },
];

fn object<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(Operation::Drop(drop)) = m.operation() else { return Value::Unknown };
    match drop.object.realm() {
        Some(realm) => state(m, realm, &drop.name),
        None => {
            Value::Named(if elsewhere::is_part_made_here(m, drop.object, &drop.name) { "new" } else { "existing" }, drop.name.sql().into())
        }
    }
}

/// What [`state`] may be.
pub(super) const STATES: &[&str] = &["existing", "new", "absent"];

/// Whether code can know a thing that has a name of its own. A temporary relation is nobody else's.
pub(super) fn state<'a>(m: &Moment<'a>, realm: Realm, name: &Name) -> Value<'a> {
    let state = match realm {
        _ if remade::is_named_here(m, realm, name) => "new",
        Realm::Relation => match table::state(m, name) {
            "temporary" => "new",
            state => state,
        },
        _ if is_absent(m, realm, name) => "absent",
        Realm::Type | Realm::Function | Realm::Schema | Realm::Extension => "existing",
    };
    Value::Named(state, name.sql().into())
}

fn is_absent(m: &Moment<'_>, realm: Realm, name: &Name) -> bool {
    match realm {
        Realm::Relation => m.before.relation(name) == Lookup::Absent,
        Realm::Type => m.before.user_type(name) == Lookup::Absent,
        Realm::Schema => m.before.schema(&name.name) == Lookup::Absent,
        // Extensions bring functions that no file shows.
        Realm::Function | Realm::Extension => false,
    }
}

fn object_kind<'a>(m: &Moment<'a>) -> Value<'a> {
    Value::Word(match m.operation() {
        Some(Operation::Drop(drop)) if drop.object == ObjectKind::Table => "table",
        Some(Operation::Drop(drop)) if drop.object == ObjectKind::ForeignTable => "foreign_table",
        _ => "other",
    })
}

fn cascade<'a>(m: &Moment<'a>) -> Value<'a> {
    match (m.operation(), column::alter(m)) {
        (Some(Operation::Drop(drop)), _) => drop.cascade.into(),
        (Some(Operation::Truncate { cascade, .. }), _) => (*cascade).into(),
        (_, Some(AlterAction::DropColumn { cascade, .. } | AlterAction::DropConstraint { cascade, .. })) => (*cascade).into(),
        _ => Value::Unknown,
    }
}

fn concurrently<'a>(m: &Moment<'a>) -> Value<'a> {
    let said = match m.operation() {
        Some(Operation::CreateIndex(index)) => index.concurrently,
        Some(Operation::Drop(drop)) => drop.concurrently,
        Some(Operation::Reindex(reindex)) => reindex.concurrently,
        Some(Operation::RefreshMaterializedView { concurrently, .. } | Operation::Repack { concurrently, .. }) => *concurrently,
        _ => matches!(column::alter(m), Some(AlterAction::DetachPartition { how: Detach::Concurrently, .. })),
    };
    said.into()
}

fn only<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(Operation::CreateIndex(index)) = m.operation() else { return Value::Unknown };
    match table::relation(m) {
        // On a plain table ONLY changes nothing.
        Some(relation) => (index.only && relation.partition_by.is_some()).into(),
        None => index.only.into(),
    }
}

fn index<'a>(m: &Moment<'a>) -> Value<'a> {
    match m.operation() {
        Some(Operation::CreateIndex(index)) => m.before.index_name(index).name.sql().into(),
        Some(Operation::Drop(drop)) => drop.name.sql().into(),
        _ => Value::Unknown,
    }
}

/// An index or a table that nobody has seen is taken to be a plain one.
fn partitioned<'a>(m: &Moment<'a>) -> Value<'a> {
    table::relation(m).is_some_and(|relation| relation.partition_by.is_some()).into()
}

fn guarded<'a>(m: &Moment<'a>) -> Value<'a> {
    let by_condition = m.nesting().is_some_and(|nesting| nesting.conditional);
    m.operation().map(|operation| by_condition || is_guarded(operation)).into()
}

/// Whether running it twice does no harm, because it says so.
fn is_guarded(operation: &Operation) -> bool {
    match operation {
        Operation::CreateTable(table) => table.if_not_exists,
        Operation::CreateTableAs(table) => table.if_not_exists,
        Operation::CreateIndex(index) => index.if_not_exists,
        Operation::CreateView(view) | Operation::CreateMaterializedView(view) => view.or_replace || view.if_not_exists,
        Operation::CreateSequence { if_not_exists, .. }
        | Operation::CreateSchema { if_not_exists, .. }
        | Operation::CreateExtension { if_not_exists, .. }
        | Operation::CreateStatistics { if_not_exists, .. }
        | Operation::AddEnumValue { if_not_exists, .. } => *if_not_exists,
        Operation::CreateFunction(function) => function.or_replace,
        Operation::CreateTrigger(trigger) => trigger.or_replace,
        Operation::Drop(drop) => drop.if_exists,
        // A constraint that comes with its column or table shares the guard of that.
        Operation::AddConstraint(constraint) => constraint.written != crate::model::operation::Written::AddConstraint,
        Operation::Alter(_, action) => match &**action {
            AlterAction::AddColumn { if_not_exists, .. } => *if_not_exists,
            AlterAction::DropColumn { if_exists, .. } | AlterAction::DropConstraint { if_exists, .. } => *if_exists,
            _ => false,
        },
        _ => false,
    }
}

fn statement_words<'a>(m: &Moment<'a>) -> Value<'a> {
    match m.operation() {
        Some(Operation::Other { words, .. }) => words.to_uppercase().into(),
        Some(operation) => operation.kind().word().replace('_', " ").to_uppercase().into(),
        None => Value::Unknown,
    }
}

fn reason<'a>(m: &Moment<'a>) -> Value<'a> {
    match (m.operation(), column::alter(m)) {
        (Some(Operation::Unreadable { why }), _) | (_, Some(AlterAction::Unreadable { why })) => Value::Text((&**why).into()),
        _ => Value::Unknown,
    }
}

/// TRUNCATE ... CASCADE goes from each table to those whose foreign keys lead to it. A partition is emptied with its parent.
fn emptied_too(m: &Moment<'_>) -> Option<String> {
    let Some(Operation::Truncate { table, cascade: true, .. }) = m.operation() else { return None };
    let mut reached = vec![m.before.resolve(table)];
    let mut next = 0;
    while let Some(name) = reached.get(next).cloned() {
        let fresh: Vec<_> = m.before.foreign_keys_to(&name).map(|(from, _)| from.name.clone()).collect();
        for name in fresh.into_iter().chain(m.before.descendants(&name)) {
            if !reached.contains(&name) {
                reached.push(name);
            }
        }
        next += 1;
    }
    let is_partition = |name: &&QualifiedName| m.before.get(name).is_some_and(|relation| relation.partition_of.is_some());
    let called = |name: &QualifiedName| {
        let schema = (table.schema.is_some() || name.schema != reached[0].schema).then(|| name.schema.clone());
        Name { schema, name: name.name.clone() }.sql()
    };
    let others: Vec<String> = reached.iter().skip(1).filter(|name| !is_partition(name)).map(called).collect();
    (!others.is_empty()).then(|| others.join(", "))
}
