//! Facts about what else needs a thing: without CASCADE the server refuses to drop it, with CASCADE that goes too. Only what surely needs it
//! counts.

use super::{Fact, Kind, column, loss, table};
use crate::model::catalog::{Index, Lookup, Relation};
use crate::model::kind::OpKind;
use crate::model::name::{Ident, Name, QualifiedName};
use crate::model::operation::{AlterAction, ConstraintKind, ObjectKind, Operation, Realm};
use crate::rule::moment::Moment;

#[rustfmt::skip]
const OF: &[OpKind] = &[
    OpKind::DropTable, OpKind::DropView, OpKind::DropMaterializedView, OpKind::DropSequence, OpKind::DropType, OpKind::DropDomain,
    OpKind::DropFunction, OpKind::DropSchema, OpKind::DropColumn, OpKind::DropConstraint, OpKind::ChangeColumnType,
];

#[rustfmt::skip]
const CASCADES: &[OpKind] = &[
    OpKind::DropTable, OpKind::DropView, OpKind::DropMaterializedView, OpKind::DropSequence, OpKind::DropType, OpKind::DropDomain,
    OpKind::DropFunction, OpKind::DropSchema, OpKind::DropColumn, OpKind::DropConstraint, OpKind::DropIndex, OpKind::DropExtension,
    OpKind::DropTrigger, OpKind::DropPolicy, OpKind::DropRule, OpKind::DropObject,
];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "needed", kind: Kind::Bool, of: OF, read: |m| (!needed_by(m).is_empty()).into(),
           doc: "something else is known to need it that the statement does not drop as well" },
    Fact { name: "needed_by", kind: Kind::Text, of: OF, read: |m| listed(&needed_by(m)).into(),
           doc: "what needs it" },
    Fact { name: "cascades_to_nothing", kind: Kind::Bool, of: CASCADES, read: |m| is_needed_by_nothing(m).into(),
           doc: "nothing can hang on it: CASCADE says no more than its absence" },
];

/// How many are named before the rest is counted.
const NAMED: usize = 3;

fn listed(all: &[String]) -> String {
    let named = all.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if all.len() > NAMED { format!("{named} and {} more", all.len() - NAMED) } else { named }
}

/// What the server would name in its refusal, as far as the history tells.
fn needed_by(m: &Moment<'_>) -> Vec<String> {
    match (m.operation(), column::alter(m)) {
        (Some(Operation::Drop(drop)), _) => match (drop.object, table::relation_named(m.before, &drop.name)) {
            (ObjectKind::Table | ObjectKind::ForeignTable | ObjectKind::View | ObjectKind::MaterializedView, Some(relation)) => {
                of_relation(m, relation)
            }
            (ObjectKind::Sequence, Some(sequence)) => of_sequence(m, sequence).into_iter().collect(),
            (ObjectKind::Type | ObjectKind::Domain, _) => of_type(m, &drop.name),
            (ObjectKind::Function | ObjectKind::Procedure, _) => of_function(m, &drop.name),
            (ObjectKind::Schema, _) => of_schema(m, &drop.name.name),
            _ => Vec::new(),
        },
        (_, Some(AlterAction::DropColumn { column, .. } | AlterAction::ChangeType { column, .. })) => of_column(m, column),
        (_, Some(AlterAction::DropConstraint { name, .. })) => of_key(m, name),
        _ => Vec::new(),
    }
}

/// Whether the statement drops a relation as well.
fn goes_as_well(m: &Moment<'_>, relation: &QualifiedName) -> bool {
    let mut operations = m.statement().into_iter().flat_map(|statement| &statement.operations);
    operations.any(|operation| matches!(&operation.what, Operation::Drop(drop) if drop.object.realm() == Some(Realm::Relation) && m.before.resolve(&drop.name) == *relation))
}

fn of_relation(m: &Moment<'_>, relation: &Relation) -> Vec<String> {
    let stays = |name: &QualifiedName| *name != relation.name && !goes_as_well(m, name);
    let views = relation.read_by.iter().filter(|name| stays(name)).map(|name| format!("view `{}`", loss::shown(m, name)));
    let keys = m.before.foreign_keys_to(&relation.name).filter(|(from, key)| stays(&from.name) && key.parent.is_none());
    let keys = keys.map(|(from, key)| format!("foreign key `{}` of `{}`", key.name.sql(), loss::shown(m, &from.name)));
    // Partitions go with their table, children do not.
    let children = relation.children.iter().filter(|child| relation.partition_by.is_none() && stays(child));
    let children = children.map(|child| format!("table `{}`, which inherits from it", loss::shown(m, child)));
    views.chain(keys).chain(children).collect()
}

fn of_sequence(m: &Moment<'_>, sequence: &Relation) -> Option<String> {
    let (owner, name) = sequence.owned_by.as_ref()?;
    let column = m.before.get(owner)?.column(name)?;
    (column.is_numbered() && !goes_as_well(m, owner)).then(|| format!("column `{}.{}`", loss::shown(m, owner), name.sql()))
}

fn of_type(m: &Moment<'_>, name: &Name) -> Vec<String> {
    let columns = m.before.columns_of_type(&m.before.resolve_type(name));
    columns.into_iter().map(|(table, column)| format!("column `{}.{}`", loss::shown(m, &table), column.sql())).collect()
}

/// Of several by the same name nobody here can tell which one a trigger runs.
fn of_function(m: &Moment<'_>, name: &Name) -> Vec<String> {
    if m.before.functions(name).len() != 1 {
        return Vec::new();
    }
    let place = m.before.resolve_function(name);
    let mut found = Vec::new();
    for relation in m.before.relations() {
        let runs_it = |function: &Option<Name>| function.as_ref().is_some_and(|function| m.before.resolve_function(function) == place);
        for trigger in relation.triggers.iter().filter(|trigger| runs_it(&trigger.function)) {
            found.push(format!("trigger `{}` of `{}`", trigger.name.sql(), loss::shown(m, &relation.name)));
        }
    }
    found.sort();
    found
}

fn of_schema(m: &Moment<'_>, schema: &Ident) -> Vec<String> {
    let inside = m.before.relations().filter(|relation| relation.name.schema == *schema && relation.made_in.is_some());
    let mut found: Vec<String> =
        inside.filter(|relation| relation.index.is_none()).map(|relation| format!("`{}`", loss::shown(m, &relation.name))).collect();
    found.sort();
    found
}

fn of_column(m: &Moment<'_>, column: &Ident) -> Vec<String> {
    let Some(table) = table::relation(m) else { return Vec::new() };
    let dropped = matches!(column::alter(m), Some(AlterAction::DropColumn { .. }));
    let dependents = m.before.dependents(&table.name, column);
    let in_key = table.partition_by.as_ref().is_some_and(|key| key.columns.iter().flatten().any(|part| part == column));
    let views = dependents.views.iter().filter(|view| surely_names(m, view, table, column));
    let views = views.map(|view| format!("view `{}`", loss::shown(m, &view.name)));
    // Up to 14 they go with the column, without a word.
    let generated = dependents
        .generated
        .iter()
        .filter(|_| !dropped || m.server.0 >= 15)
        .map(|other| format!("generated column `{}`", other.name.sql()));
    let triggers = dependents.triggers.iter().map(|trigger| format!("trigger `{}`", trigger.name.sql()));
    // A change of type takes foreign keys down and sets them up again.
    let keys = dependents.incoming.iter().filter(|(from, key)| {
        let told = matches!(&key.kind, ConstraintKind::ForeignKey(key) if !key.referenced_columns.is_empty());
        dropped && told && from.name != table.name && key.parent.is_none()
    });
    let keys = keys.map(|(from, key)| format!("foreign key `{}` of `{}`", key.name.sql(), loss::shown(m, &from.name)));
    in_key.then(|| "the partition key".to_owned()).into_iter().chain(views).chain(generated).chain(triggers).chain(keys).collect()
}

/// Whether a name in a view's query can be nothing but this column: no other relation that it reads has one of that name, or may have.
fn surely_names(m: &Moment<'_>, view: &Relation, table: &Relation, column: &Ident) -> bool {
    let Some(query) = &view.query else { return false };
    let lacks = |name: &QualifiedName| m.before.get(name).is_some_and(|other| other.find_column(column) == Lookup::Absent);
    query.mentions.contains(column) && query.reads.iter().filter(|read| **read != table.name).all(lacks)
}

/// The foreign keys that lead to a unique constraint which is the only one over its columns.
fn of_key(m: &Moment<'_>, name: &Ident) -> Vec<String> {
    let Some(table) = table::relation(m) else { return Vec::new() };
    let Some(ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key)) = table.constraint(name).map(|known| &known.kind) else {
        return Vec::new();
    };
    let same = |columns: &[Ident]| columns.len() == key.columns.len() && key.columns.iter().all(|column| columns.contains(column));
    let over_same = |(_, index): &(&Relation, &Index)| index.unique && same(&index.names);
    if m.before.indexes_of(table).filter(over_same).count() > 1 {
        return Vec::new();
    }
    let leads_here = |kind: &ConstraintKind| matches!(kind, ConstraintKind::ForeignKey(foreign) if same(&foreign.referenced_columns));
    let keys = m
        .before
        .foreign_keys_to(&table.name)
        .filter(|(from, foreign)| leads_here(&foreign.kind) && from.name != table.name && foreign.parent.is_none());
    keys.map(|(from, foreign)| format!("foreign key `{}` of `{}`", foreign.name.sql(), loss::shown(m, &from.name))).collect()
}

/// Whether CASCADE finds nothing to drop.
fn is_needed_by_nothing(m: &Moment<'_>) -> bool {
    match (m.operation(), column::alter(m)) {
        (Some(Operation::Drop(drop)), _) => match drop.object {
            ObjectKind::Trigger | ObjectKind::Policy | ObjectKind::Rule => true,
            ObjectKind::Table | ObjectKind::View | ObjectKind::MaterializedView => {
                let known = table::relation_named(m.before, &drop.name).is_some_and(|relation| relation.made_in.is_some());
                known && m.before.is_whole() && needed_by(m).is_empty()
            }
            ObjectKind::Index => table::relation_named(m.before, &drop.name)
                .and_then(|relation| relation.index.as_ref())
                .is_some_and(|index| !index.unique && index.constraint.is_none()),
            _ => false,
        },
        (_, Some(AlterAction::DropConstraint { name, .. })) => {
            let kind = table::relation(m).and_then(|table| table.constraint(name)).map(|known| &known.kind);
            matches!(kind, Some(ConstraintKind::Check { .. } | ConstraintKind::NotNull { .. } | ConstraintKind::ForeignKey(_)))
        }
        _ => false,
    }
}
