//! FOREIGN KEY: NOT VALID, then VALIDATE; of a partitioned table up to 17 on each partition first.

use super::{Added, Indexed, Steps, check};
use crate::model::catalog::{Lookup, Relation};
use crate::model::name::Ident;
use crate::model::operation::{ConstraintKind, ForeignKey};
use crate::plan::definition::list;
use crate::plan::mirror::GIVE_WAY;
use crate::plan::names::Names;
use crate::plan::{Manual, Phase, Refusal, Stage};
use crate::rule::guard;

/// From this version on a partitioned table takes a foreign key that is NOT VALID.
const NOT_VALID_ON_PARTITIONED: u8 = 18;

pub(super) fn cook(added: &Added<'_>, key: &ForeignKey, indexed: Indexed, steps: &mut Steps) -> Result<(), Refusal> {
    if indexed == Indexed::First {
        index(added, key, steps)?;
    }
    let by_partition = added.ask.server.0 < NOT_VALID_ON_PARTITIONED && added.partitioned()?;
    if !added.looks_at_rows() && (by_partition || indexed == Indexed::Elsewhere) {
        return Err(Refusal::Unknown(format!("{} looks at no row as it is", added.made.name.sql())));
    }
    steps.phases.extend(if by_partition { partitions(added, key)? } else { phases(added, key) });
    Ok(())
}

/// An index that finds the rows of a key that is deleted or changed, where there is none.
fn index(added: &Added<'_>, key: &ForeignKey, steps: &mut Steps) -> Result<(), Refusal> {
    let (table, columns) = (added.table(), list(&key.columns));
    match added.after.covering_index(&added.relation.name, &key.columns) {
        Lookup::Known(_) => return Ok(()),
        Lookup::Unknown => return Err(Refusal::Unknown(format!("the history does not tell which indexes {table} has"))),
        Lookup::Absent => {}
    }
    if added.partitioned()? {
        steps.manual.push(Manual {
            thing: format!("index on {table} {columns}"),
            what: "build it first, by a plan of its own: PostgreSQL builds no index of a partitioned table CONCURRENTLY".to_owned(),
        });
        return Ok(());
    }
    let name = &added.relation.name;
    let stem = std::iter::once(name.name.as_str()).chain(key.columns.iter().map(Ident::as_str)).collect::<Vec<_>>().join("_");
    let index = Names::new(added.after).free(&name.schema, &stem, "_idx");
    let qualified = added.beside(&crate::model::name::QualifiedName { schema: name.schema.clone(), name: index.clone() });
    steps.differs.push(format!("there is an index `{qualified}`, which the statement does not make"));
    steps.phases.push(
        Phase::new(Stage::Expand, format!("index {}", key.columns.iter().map(Ident::as_str).collect::<Vec<_>>().join(" ")))
            .alone()
            .run(format!("CREATE INDEX CONCURRENTLY {} ON {table} {columns}", index.sql()))
            .why(format!(
                "Without it each DELETE or change of a key in {} reads all of {table}. If it fails, drop {qualified} and run it again.",
                referenced(added)
            ))
            .meanwhile("reads and writes as ever")
            .verify(format!("SELECT indisvalid FROM pg_index WHERE indexrelid = {}::regclass", super::literal(&qualified)))
            .back(format!("DROP INDEX CONCURRENTLY {qualified}")),
    );
    Ok(())
}

fn phases(added: &Added<'_>, key: &ForeignKey) -> Vec<Phase> {
    let (alter, name) = (added.alter(), &added.made.name);
    if !added.looks_at_rows() {
        return vec![not_valid(added, &added.table(), &alter, name, "")];
    }
    let mut validate = check::validate(added, &alter);
    validate.assert = orphans(added, key, &added.table());
    vec![not_valid(added, &added.table(), &alter, name, " NOT VALID"), validate]
}

/// The phase that adds it for rows to come.
fn not_valid(added: &Added<'_>, table: &str, alter: &str, name: &Ident, tail: &str) -> Phase {
    let referenced = referenced(added);
    let title = if *table == added.table() { format!("add {name}") } else { format!("add {name} to {table}") };
    Phase::new(Stage::Expand, title)
        .deploy(format!("code that writes a row of {referenced} before the rows of {} that refer to it", added.table()))
        .gives_way()
        .run_accepting(added.add_to(alter, name, tail), &["add-constraint-never-validated", "add-foreign-key-without-index"])
        .why(format!("Holds for every new row; SHARE ROW EXCLUSIVE on {table} and {referenced} for a moment, since no old row is read."))
        .meanwhile("reads as ever; writes to both tables wait for a moment")
        .back(GIVE_WAY)
        .back(format!("{alter} DROP CONSTRAINT {}", name.sql()))
}

/// The table that it leads to, as the statement writes it.
fn referenced(added: &Added<'_>) -> String {
    match &added.add.kind {
        ConstraintKind::ForeignKey(key) => key.referenced.sql(),
        _ => String::new(),
    }
}

/// A query that shows that no row refers to nothing.
fn orphans(added: &Added<'_>, key: &ForeignKey, table: &str) -> Option<String> {
    guard::no_orphans(table, key, &added.beside(added.made.referenced.as_ref()?))
}

/// NOT VALID and VALIDATE on each partition; the key of the partitioned table then takes theirs over and reads no row.
fn partitions(added: &Added<'_>, key: &ForeignKey) -> Result<Vec<Phase>, Refusal> {
    let leaves = added.leaves();
    let table = added.table();
    if leaves.is_empty() {
        return Err(Refusal::Unknown(format!("the history tells of no partition of {table}")));
    }
    let own = |leaf: &&Relation| {
        let name = leaf.constraints.iter().find(|constraint| constraint.added_in == super::NOW).map(|constraint| constraint.name.clone());
        name.map(|name| (added.beside(&leaf.name), name))
            .ok_or_else(|| Refusal::Unknown(format!("{} has an equal key already", added.beside(&leaf.name))))
    };
    let named: Vec<(String, Ident)> = leaves.iter().map(own).collect::<Result<_, _>>()?;
    let mut phases: Vec<Phase> = Vec::new();
    for (leaf, name) in &named {
        let alter = format!("ALTER TABLE {leaf}");
        let mut phase = not_valid(added, leaf, &alter, name, " NOT VALID");
        // Dropping the key of the whole table takes those of the partitions with it.
        phase.down = crate::plan::Down::Sql(vec![GIVE_WAY.to_owned(), format!("{alter} DROP CONSTRAINT IF EXISTS {}", name.sql())]);
        phases.push(phase);
    }
    let mut validate = Phase::new(Stage::Migrate, format!("validate {}", added.made.name))
        .why("Reads all rows under SHARE UPDATE EXCLUSIVE, which lets reads and writes through.")
        .meanwhile("reads and writes as ever");
    validate.assert = orphans(added, key, &table);
    for (leaf, name) in &named {
        validate = validate.run(format!("ALTER TABLE {leaf} VALIDATE CONSTRAINT {}", name.sql())).verify(added.is_validated(leaf, name));
    }
    phases.push(validate);
    let (alter, name) = (added.alter(), &added.made.name);
    phases.push(
        Phase::new(Stage::Migrate, format!("add {name}"))
            .assert(added.has_only(&leaves))
            .gives_way()
            .run_accepting(added.add_to(&alter, name, ""), &["add-foreign-key", "add-foreign-key-without-index", "data-dependent-change"])
            .why(format!("The keys of the partitions become parts of it: no row is read. SHARE ROW EXCLUSIVE on {table} for a moment."))
            .meanwhile("reads as ever; writes wait for a moment")
            .verify(added.is_validated(&table, name))
            .back(GIVE_WAY)
            .back(format!("{alter} DROP CONSTRAINT {}", name.sql())),
    );
    Ok(phases)
}
