//! A column that goes once nothing uses it any more.

use super::Cooked;
use crate::model::catalog::{Catalog, Dependents, Relation};
use crate::model::name::{Ident, Name};
use crate::model::operation::{AlterAction, ConstraintKind, IndexKeyKind, Operation};
use crate::plan::index::regclass;
use crate::plan::{Ask, Manual, Phase, Refusal, Stage};

/// What the rules say of dropping what nothing uses any more.
const DROP: &[&str] = &["drop-column", "drop-column-silent-dependents", "contract-in-same-release", "drop-constraint"];

/// Writers may leave it out; then it goes.
pub(super) fn cook(ask: &Ask<'_>) -> Result<Cooked, Refusal> {
    let not_it = || Refusal::Unknown("this drops no column".to_owned());
    let Some(Operation::Alter(target, action)) = ask.operation() else { return Err(not_it()) };
    let AlterAction::DropColumn { column: name, cascade, if_exists } = &**action else { return Err(not_it()) };
    let relation = ask.table(&target.name)?;
    let column = ask.column(relation, name)?;
    let dependents = ask.before.dependents(&relation.name, name);
    can_go(relation, name, *cascade, &dependents)?;
    let (table, sql) = (target.name.sql(), name.sql());
    let mut phases = Vec::new();
    let has_value = column.default.is_some() || column.identity.is_some() || column.generated.is_some();
    if column.not_null && !has_value {
        phases.push(
            Phase::new(Stage::Expand, "not required")
                .why(format!("{sql} is required and has no default: code that does not know it any more could insert no row."))
                .meanwhile("reads and writes as before; each of them waits for a moment")
                .run_accepting(format!("ALTER TABLE {table} ALTER COLUMN {sql} DROP NOT NULL"), &["drop-not-null"])
                .back(format!("ALTER TABLE {table} ALTER COLUMN {sql} SET NOT NULL"))
                .verify(not_required(&target.name, name)),
        );
    }
    let if_exists = if *if_exists { "IF EXISTS " } else { "" };
    let contract = Phase::new(Stage::Contract, "for good")
        .why("The column is marked as dropped; no row is touched. Its values are gone: keep a backup, or a copy as `by hand` says.")
        .meanwhile("reads and writes go on; each of them waits for a moment")
        .deploy(format!("code that neither reads nor writes {table}.{sql}"))
        .wait_hours(48)
        .run_accepting(format!("ALTER TABLE {table} DROP COLUMN {if_exists}{sql}"), DROP)
        .no_way_back(format!("the values of {sql} are gone; before this phase code that uses them can be deployed again"))
        .verify(is_gone(&target.name, name));
    phases.push(contract);
    let mut manual = vec![copy(ask, relation, &table, &sql)];
    manual.extend(lost(ask.before, relation, name, &dependents));
    Ok(Cooked { name: format!("drop-{}-{name}", target.name.name), phases, manual, differs: Vec::new() })
}

/// The server refuses to drop what something else is made of.
///
/// # Errors
/// Something is.
pub(super) fn can_go(relation: &Relation, column: &Ident, cascade: bool, dependents: &Dependents<'_>) -> Result<(), Refusal> {
    let refused = |what: String| {
        Err(Refusal::Window(format!("{what} needs `{column}`, and PostgreSQL drops nothing that is needed; change that first")))
    };
    if cascade {
        return Err(Refusal::Window(
            "CASCADE takes away whatever needs the column; drop that by its name first, then the column".to_owned(),
        ));
    }
    if let Some(view) = dependents.views.first() {
        return refused(format!("the view `{}`", view.name.name));
    }
    if let Some(generated) = dependents.generated.first() {
        return refused(format!("the generated column `{}`", generated.name));
    }
    if let Some(trigger) = dependents.triggers.first() {
        return refused(format!("the trigger `{}`", trigger.name));
    }
    if let Some((table, key)) = dependents.incoming.iter().find(|(table, _)| table.name != relation.name) {
        return refused(format!("the foreign key `{}` of `{}`", key.name, table.name.name));
    }
    if dependents.partition_key {
        return refused("the partition key".to_owned());
    }
    if dependents.policies {
        let used = relation.policies.iter().find(|policy| {
            let reads =
                |part: &Option<crate::model::expression::Expression>| part.as_ref().is_some_and(|part| part.columns.contains(column));
            reads(&policy.using) || reads(&policy.check)
        });
        if let Some(policy) = used {
            return refused(format!("the policy `{}`", policy.name));
        }
    }
    let primary = dependents.constraints.iter().find(|constraint| matches!(constraint.kind, ConstraintKind::PrimaryKey(_)));
    match primary {
        Some(key) => Err(Refusal::Window(format!(
            "`{column}` is in the primary key `{}`, which would go with it: give the table another primary key first",
            key.name
        ))),
        None => Ok(()),
    }
}

fn attribute(table: &Name, column: &Ident) -> String {
    let name = column.as_str().replace('\'', "''");
    format!("attrelid = {} AND attname = '{name}'", regclass(table))
}

fn not_required(table: &Name, column: &Ident) -> String {
    format!("SELECT NOT attnotnull FROM pg_attribute WHERE {}", attribute(table, column))
}

fn is_gone(table: &Name, column: &Ident) -> String {
    format!("SELECT NOT EXISTS (SELECT FROM pg_attribute WHERE {})", attribute(table, column))
}

fn copy(ask: &Ask<'_>, relation: &Relation, table: &str, column: &str) -> Manual {
    let what = match crate::plan::backfill::key(ask.before, relation) {
        Some(key) => {
            let key: Vec<_> = key.iter().map(Ident::sql).collect();
            format!(
                "to keep them beside the table, copy {}, {column} of {table} into a table of their own before the last phase",
                key.join(", ")
            )
        }
        None => "no key is known by which a copy could be put back: keep a backup".to_owned(),
    };
    Manual { thing: format!("the values of {column}"), what }
}

/// What goes with the column although other columns are part of it.
fn lost(catalog: &Catalog, relation: &Relation, column: &Ident, dependents: &Dependents<'_>) -> Vec<Manual> {
    let mut lost = Vec::new();
    for (index, of) in catalog.indexes_of(relation).filter(|(_, index)| index.mentions(column) && index.constraint.is_none()) {
        let rest: Vec<_> = of
            .keys
            .iter()
            .filter_map(|key| match &key.what {
                IndexKeyKind::Column(other) if other != column => Some(other.sql()),
                IndexKeyKind::Column(_) | IndexKeyKind::Expression(_) => None,
            })
            .collect();
        if !rest.is_empty() {
            lost.push(Manual {
                thing: format!("index {}", index.name.name.sql()),
                what: format!(
                    "it goes with the column, without a word; if queries need it for {0}, build another before the last phase: \
                     CREATE INDEX CONCURRENTLY ... ON {1} ({0})",
                    rest.join(", "),
                    relation.name.name.sql()
                ),
            });
        }
    }
    for constraint in &dependents.constraints {
        if constraint.columns().iter().any(|other| other != column) {
            lost.push(Manual {
                thing: format!("constraint {}", constraint.name.sql()),
                what: "it goes with the column, without a word, and what it kept out of the other columns may come in".to_owned(),
            });
        }
    }
    lost
}
