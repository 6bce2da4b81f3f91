//! Facts about the relation that an operation works on.

use super::{Fact, Kind, Value};
use crate::model::catalog::{Catalog, Lookup, Relation, Step};
use crate::model::kind::OpKind;
use crate::model::name::{Name, QualifiedName};
use crate::model::operation::{ObjectKind, Operation, Persistence};
use crate::rule::moment::Moment;

/// Operations that work on one relation, which [`name`] finds.
#[rustfmt::skip]
pub(super) const ON_ONE_RELATION: &[OpKind] = &[
    OpKind::AddColumn, OpKind::DropColumn, OpKind::SetDefault, OpKind::DropDefault, OpKind::SetNotNull, OpKind::DropNotNull,
    OpKind::ChangeColumnType, OpKind::SetExpression, OpKind::DropExpression, OpKind::AddIdentity, OpKind::SetIdentity,
    OpKind::DropIdentity, OpKind::SetStatistics, OpKind::SetColumnOptions, OpKind::SetStorage, OpKind::SetCompression,
    OpKind::AddCheck, OpKind::AddNotNullConstraint, OpKind::AddUnique, OpKind::AddPrimaryKey, OpKind::AddExclusion,
    OpKind::AddForeignKey, OpKind::AlterConstraint, OpKind::ValidateConstraint, OpKind::DropConstraint, OpKind::RenameColumn,
    OpKind::RenameConstraint, OpKind::RenameTable, OpKind::RenameIndex, OpKind::RenameView, OpKind::RenameSequence, OpKind::SetSchema,
    OpKind::SetTrigger, OpKind::SetRule, OpKind::SetRowSecurity, OpKind::SetPersistence, OpKind::SetTablespace,
    OpKind::SetAccessMethod, OpKind::ClusterOn, OpKind::SetOptions, OpKind::ResetOptions, OpKind::Inherit, OpKind::NoInherit,
    OpKind::SetOfType, OpKind::ChangeOwner, OpKind::SetReplicaIdentity, OpKind::AttachPartition, OpKind::DetachPartition,
    OpKind::MergePartitions, OpKind::SplitPartition, OpKind::AlterOther, OpKind::CreateIndex, OpKind::Reindex,
    OpKind::RefreshMaterializedView, OpKind::CreateTrigger, OpKind::CreateRule, OpKind::CreatePolicy, OpKind::AlterPolicy,
    OpKind::CreateStatistics, OpKind::DropTable, OpKind::DropIndex, OpKind::DropView, OpKind::DropMaterializedView,
    OpKind::DropSequence, OpKind::DropTrigger, OpKind::DropRule, OpKind::DropPolicy, OpKind::Truncate, OpKind::Insert,
    OpKind::Update, OpKind::Delete, OpKind::Merge, OpKind::Copy, OpKind::LockTable, OpKind::Vacuum, OpKind::Analyze,
    OpKind::Cluster, OpKind::Repack,
];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "table", kind: Kind::Words(&["existing", "new", "temporary", "absent"]), of: ON_ONE_RELATION, read: table,
           doc: "the relation: `new` if this migration made it, `temporary`, `absent` if the history is sure of it, else `existing`; an index counts as its table" },
    Fact { name: "small", kind: Kind::Bool, of: ON_ONE_RELATION, read: small,
           doc: "lockkeeper.yaml calls the table small, or `--stats` tells that it is" },
];

fn table<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(written) = m.operation().and_then(written) else { return Value::Unknown };
    // Nearly all rules ask this first: the name is looked up once.
    let found = m.before.relation(written);
    let state_of_it = state_of(m, found);
    match found {
        Lookup::Known(relation) if relation.index.is_some() => {
            let table = behind(written, found);
            // An index of this migration is nobody else's, though its table may be.
            let word = if state_of_it == "new" { "new" } else { state(m, &table) };
            Value::Named(word, table.sql().into())
        }
        Lookup::Known(relation) if writes_through_view(m, relation) => Value::Named("existing", written.sql().into()),
        Lookup::Known(_) | Lookup::Absent | Lookup::Unknown => Value::Named(state_of_it, written.sql().into()),
    }
}

/// Whether rows of a table that others use are changed through a view, however new that is.
fn writes_through_view(m: &Moment<'_>, written: &Relation) -> bool {
    let changes =
        matches!(m.operation(), Some(Operation::Insert(_) | Operation::Update(_) | Operation::Delete(_) | Operation::Merge { .. }));
    let is_old = |table: &QualifiedName| {
        m.before.get(table).is_some_and(|table| {
            table.kind == ObjectKind::Table && table.persistence != Persistence::Temporary && !is_new(m.before, table, m.step)
        })
    };
    changes && written.kind == ObjectKind::View && m.effects.locks.iter().any(|lock| is_old(&lock.relation))
}

fn small<'a>(m: &Moment<'a>) -> Value<'a> {
    name(m).is_some_and(|name| m.migration.sizes.is_small(&m.before.resolve(&name))).into()
}

/// The relation of a name, if the history knows it.
pub(super) fn relation_named<'a>(catalog: &'a Catalog, name: &Name) -> Option<&'a Relation> {
    match catalog.relation(name) {
        Lookup::Known(relation) => Some(relation),
        Lookup::Absent | Lookup::Unknown => None,
    }
}

/// The relation that an operation works on, if the history knows it; for an index, its table.
pub(super) fn relation<'a>(m: &Moment<'a>) -> Option<&'a Relation> {
    relation_named(m.before, &name(m)?)
}

/// The relation that an operation works on; for an index, its table if that is known.
pub(super) fn name(m: &Moment<'_>) -> Option<Name> {
    let written = written(m.operation()?)?;
    Some(behind(written, m.before.relation(written)))
}

/// The name of what was found by a name; of an index, that of its table.
fn behind(written: &Name, found: Lookup<&Relation>) -> Name {
    match found {
        Lookup::Known(Relation { index: Some(index), .. }) => {
            Name { schema: written.schema.as_ref().map(|_| index.table.schema.clone()), name: index.table.name.clone() }
        }
        Lookup::Known(_) | Lookup::Absent | Lookup::Unknown => written.clone(),
    }
}

/// `existing`, `new`, `temporary`, or `absent`. A relation that nobody has seen is existing, unless the history is sure that it is not there.
pub(super) fn state(m: &Moment<'_>, name: &Name) -> &'static str {
    state_of(m, m.before.relation(name))
}

fn state_of(m: &Moment<'_>, found: Lookup<&Relation>) -> &'static str {
    match found {
        Lookup::Known(relation) if relation.persistence == Persistence::Temporary => "temporary",
        Lookup::Known(relation) if is_new(m.before, relation, m.step) => "new",
        Lookup::Absent => "absent",
        Lookup::Known(_) | Lookup::Unknown => "existing",
    }
}

/// Whether this migration made it. A partition is as new as what it hangs on: rows reach it through its parent at once.
fn is_new(catalog: &Catalog, relation: &Relation, step: Step) -> bool {
    let mut relation = relation;
    let mut seen: Vec<&QualifiedName> = Vec::new();
    loop {
        if relation.made_in != Some(step) || !relation.surely_made {
            return false;
        }
        let parent = relation.partition_of.as_ref().map(|(parent, _)| parent).or(relation.inherits.first());
        match parent.filter(|parent| !seen.contains(parent)).and_then(|parent| Some((parent, catalog.get(parent)?))) {
            Some((name, parent)) => {
                seen.push(name);
                relation = parent;
            }
            None => return true,
        }
    }
}

/// The relation that the statement names.
pub(super) fn written(operation: &Operation) -> Option<&Name> {
    match operation {
        Operation::Alter(target, _) => Some(&target.name),
        Operation::AddConstraint(constraint) => Some(&constraint.table),
        Operation::CreateIndex(index) => Some(&index.table),
        Operation::Reindex(reindex) => reindex.name.as_ref(),
        Operation::CreateTrigger(trigger) => Some(&trigger.table),
        Operation::CreateStatistics { table, .. }
        | Operation::Copy { table, .. }
        | Operation::Vacuum { table, .. }
        | Operation::Analyze { table }
        | Operation::Cluster { table, .. }
        | Operation::Repack { table, .. } => table.as_ref(),
        Operation::Drop(drop) => match drop.object {
            ObjectKind::Trigger | ObjectKind::Rule | ObjectKind::Policy => drop.table.as_ref(),
            _ => Some(&drop.name),
        },
        Operation::RefreshMaterializedView { name, .. } => Some(name),
        Operation::CreateRule { table, .. }
        | Operation::Truncate { table, .. }
        | Operation::Merge { table, .. }
        | Operation::LockTable { table, .. } => Some(table),
        Operation::Policy(policy) => Some(&policy.table),
        Operation::Insert(insert) => Some(&insert.table),
        Operation::Update(update) => Some(&update.table),
        Operation::Delete(delete) => Some(&delete.table),
        _ => None,
    }
}
