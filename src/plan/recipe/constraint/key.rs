//! UNIQUE and PRIMARY KEY: over an index that is built beforehand.

use super::not_null::Wanted;
use super::{Added, Steps, gap, literal};
use crate::model::catalog::{Constraint, Relation};
use crate::model::expression::Constant;
use crate::model::name::Ident;
use crate::model::operation::{AlterAction, ConstraintKind, Key, Operation, Written};
use crate::plan::definition::Add;
use crate::plan::{Phase, Refusal, Stage};
use crate::rule::guard;

pub(super) fn cook(added: &Added<'_>, key: &Key, steps: &mut Steps) -> Result<(), Refusal> {
    let table = added.table();
    if key.without_overlaps {
        return Err(Refusal::Window(format!(
            "a key WITHOUT OVERLAPS takes no index that was built before, so its index is built while nobody else can use {table}"
        )));
    }
    if key.columns.is_empty() {
        return Err(Refusal::Unknown(format!("the history does not tell the columns of {}", added.made.name.sql())));
    }
    // A column of this statement has nothing in it that could be told apart.
    new_column_is_null(added)?;
    let partitioned = added.partitioned()?;
    if matches!(added.made.kind, ConstraintKind::PrimaryKey(_)) {
        let keepers = if partitioned { keepers(added) } else { Vec::new() };
        let own = |leaf: &String| key.columns.iter().map(|column| format!("`{leaf}.{}`", column.sql())).collect::<Vec<_>>().join(", ");
        steps.differs.extend(keepers.iter().map(|leaf| format!("NOT NULL of {} is the partition's own as well", own(leaf))));
        steps.phases.extend(required(added, key, keepers)?);
    }
    if let Some(index) = used_index(added) {
        steps.phases.push(constraint(added, added.add_to(&added.alter(), &added.made.name, "")).no_way_back(format!(
            "the index {} goes with the constraint; before that goes, build one like it CONCURRENTLY by another name",
            index.sql()
        )));
    } else if partitioned {
        partitions(added, key, steps)?;
    } else {
        let definition = added
            .definitions()
            .constraint(added.relation, added.made, &added.made.name, Add::UsingIndex(&added.made.name))
            .map_err(gap(added.made.name.sql()))?;
        steps.phases.push(index(added, key, added.relation, added.made)?);
        steps.phases.push(constraint(added, format!("{} ADD {definition}", added.alter())));
    }
    Ok(())
}

/// The index that the statement names.
fn used_index<'a>(added: &Added<'a>) -> Option<&'a Ident> {
    match &added.add.kind {
        ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => key.using_index.as_ref(),
        ConstraintKind::Check { .. } | ConstraintKind::NotNull { .. } | ConstraintKind::Exclude { .. } | ConstraintKind::ForeignKey(_) => {
            None
        }
    }
}

fn new_column_is_null(added: &Added<'_>) -> Result<(), Refusal> {
    if added.add.written != Written::AddColumn {
        return Ok(());
    }
    let has_value = |operation: &Operation| match operation {
        Operation::Alter(_, action) => match &**action {
            AlterAction::AddColumn { column, .. } => {
                column.not_null || column.default.as_ref().is_some_and(|default| default.constant != Some(Constant::Null))
            }
            _ => false,
        },
        _ => false,
    };
    if added.ask.operations().any(|operation| has_value(&operation.what)) {
        let table = added.table();
        return Err(Refusal::Unknown(format!(
            "every row of {table} needs a value of its own in the new column, and nothing tells which: add the column, fill it, then add the key"
        )));
    }
    Ok(())
}

/// The columns of a primary key have to be NOT NULL.
fn required(added: &Added<'_>, key: &Key, keepers: Vec<String>) -> Result<Vec<Phase>, Refusal> {
    let before = added.ask.table(&added.add.table)?;
    let mut columns = Vec::new();
    for column in &key.columns {
        if !added.ask.column(before, column)?.not_null {
            columns.push(column.clone());
        }
    }
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    // One default for all rows would make them equal.
    Wanted { ask: added.ask, table: &added.add.table, columns, fill: false, keepers }.phases().map(|required| required.phases)
}

/// The partitions of which ADD PRIMARY KEY USING INDEX makes NOT NULL a constraint of their own, beside that of the whole table (18).
fn keepers(added: &Added<'_>) -> Vec<String> {
    if added.ask.server.0 < super::not_null::NOT_NULL_NOT_VALID {
        return Vec::new();
    }
    added.leaves().iter().map(|leaf| added.beside(&leaf.name)).collect()
}

/// The phase that builds the index behind the constraint, on the table or on one of its partitions.
fn index(added: &Added<'_>, key: &Key, table: &Relation, made: &Constraint) -> Result<Phase, Refusal> {
    let name = made.index.as_ref().and_then(|index| Some((index, added.after.get(index)?)));
    let (name, relation) = name.ok_or_else(|| Refusal::Unknown(format!("the index of {} is not known", made.name.sql())))?;
    let (sql, qualified) = (added.definitions().index(relation, &name.name, true).map_err(gap(name.name.sql()))?, added.beside(name));
    let shown = added.beside(&table.name);
    let columns = key.columns.iter().map(Ident::as_str).collect::<Vec<_>>().join(" and ");
    Ok(Phase::new(Stage::Expand, format!("build {}", name.name))
        .alone()
        .deploy(format!("code that writes no two rows of {} with the same {columns}", added.table()))
        .assert(guard::distinct(&shown, &key.columns, key.nulls_not_distinct))
        .run(sql)
        .why(format!(
            "Reads {shown} twice and lets reads and writes through. If two rows are equal it fails: drop {qualified}, see to the rows, and \
             run it again."
        ))
        .meanwhile("reads and writes as ever; a second row with the same values is refused")
        .verify(format!("SELECT indisvalid FROM pg_index WHERE indexrelid = {}::regclass", literal(&qualified)))
        // The constraint takes the index with it when it goes.
        .back(format!("DROP INDEX CONCURRENTLY IF EXISTS {qualified}")))
}

/// The phase that makes the index the constraint's own.
fn constraint(added: &Added<'_>, sql: String) -> Phase {
    let name = &added.made.name;
    Phase::new(Stage::Migrate, format!("add {name}"))
        .run(sql)
        .why("The index is there: ACCESS EXCLUSIVE for a moment, no row is read.")
        .meanwhile("reads and writes wait for a moment")
        .verify(added.is_validated(&added.table(), name))
        .back(format!("{} DROP CONSTRAINT {}", added.alter(), name.sql()))
}

/// An index on each partition, then the constraint on all of them at once.
fn partitions(added: &Added<'_>, key: &Key, steps: &mut Steps) -> Result<(), Refusal> {
    let table = added.table();
    let leaves = added.leaves();
    if leaves.is_empty() {
        return Err(Refusal::Unknown(format!("the history tells of no partition of {table}")));
    }
    let own = |leaf: &&Relation| leaf.constraints.iter().find(|made| made.added_in == super::NOW && made.index.is_some()).cloned();
    let mut last = Phase::new(Stage::Migrate, format!("add {}", added.made.name))
        .assert(added.has_only(&leaves))
        .why("The indexes are there: ACCESS EXCLUSIVE on all partitions for a moment, no row is read. Locked first, and in the order in which queries lock them.")
        .meanwhile("reads and writes wait for a moment")
        .run_accepting(format!("LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"), &["lock-table"]);
    for leaf in &leaves {
        let made = own(leaf).ok_or_else(|| Refusal::Unknown(format!("{} has an equal key already", added.beside(&leaf.name))))?;
        steps.phases.push(index(added, key, leaf, &made)?);
        let definition =
            added.definitions().constraint(leaf, &made, &made.name, Add::UsingIndex(&made.name)).map_err(gap(made.name.sql()))?;
        last = last.run_accepting(
            format!("ALTER TABLE {} ADD {definition}", added.beside(&leaf.name)),
            &["statement-while-holding-access-exclusive", "lock-tables-in-turn"],
        );
    }
    let name = &added.made.name;
    let sql = added.add_to(&added.alter(), name, "");
    steps.phases.push(
        last.run_accepting(sql, &["add-unique", "add-primary-key", "statement-while-holding-access-exclusive", "data-dependent-change"])
            .verify(added.is_validated(&table, name))
            .back(format!("{} DROP CONSTRAINT {}", added.alter(), name.sql())),
    );
    Ok(())
}
