//! Indexes that go, one after the other, while everybody goes on reading and writing.

use super::Cooked;
use crate::model::catalog::{Lookup, Relation};
use crate::model::name::Name;
use crate::model::operation::{Drop, ObjectKind, Operation};
use crate::plan::definition::Definitions;
use crate::plan::{Ask, Manual, Phase, Refusal, Stage};

/// DROP INDEX CONCURRENTLY for each name.
pub(super) fn cook(ask: &Ask<'_>) -> Result<Cooked, Refusal> {
    let drops = ask.operations().filter_map(|operation| match &operation.what {
        Operation::Drop(drop) if drop.object == ObjectKind::Index => Some(drop),
        _ => None,
    });
    let mut phases = Vec::new();
    let mut manual = Vec::new();
    let mut name = String::new();
    for drop in drops {
        if name.is_empty() {
            name = format!("drop-{}", drop.name.name);
        }
        phases.push(phase(ask, drop, &mut manual)?);
    }
    if phases.is_empty() {
        return Err(Refusal::Unknown("this drops no index".to_owned()));
    }
    Ok(Cooked { name, phases, manual, differs: Vec::new() })
}

fn phase(ask: &Ask<'_>, drop: &Drop, manual: &mut Vec<Manual>) -> Result<Phase, Refusal> {
    let index = match ask.before.relation(&drop.name) {
        Lookup::Known(relation) => Some(relation),
        Lookup::Absent if drop.if_exists => None,
        Lookup::Absent => return Err(Refusal::Unknown(format!("there is no index `{}`", drop.name.sql()))),
        Lookup::Unknown => return Err(Refusal::Unknown(format!("the history does not tell of an index `{}`", drop.name.sql()))),
    };
    let if_exists = if drop.if_exists { "IF EXISTS " } else { "" };
    let name = drop.name.sql();
    let phase = Phase::new(Stage::Contract, "concurrently")
        .why(format!(
            "Waits until no query uses {name} any more, and stops none. If it is interrupted, the index stays behind invalid: run this phase again."
        ))
        .meanwhile("reads and writes as before; queries that used the index find another way, or read the whole table")
        .alone()
        .run_accepting(format!("DROP INDEX CONCURRENTLY {if_exists}{name}"), &["drop-constraint"])
        .verify(format!("SELECT to_regclass('{}') IS NULL", name.replace('\'', "''")));
    let Some(index) = index else { return Ok(phase) };
    can_be_concurrent(ask, drop, index)?;
    let table = index.index.as_ref().and_then(|index| ask.before.get(&index.table));
    let phase = match index.index.as_ref().is_some_and(|index| index.unique) {
        true => phase.deploy(format!("code that neither counts on {name} to refuse duplicates nor says ON CONFLICT on its columns")),
        false => phase,
    };
    let Some(table) = table else { return Ok(phase.no_way_back("the history does not tell what the index is made of")) };
    let written = super::attach_partition::beside(&drop.name, index, &table.name);
    match Definitions::new(ask.before).written(&table.name, &written).index(index, &index.name.name, true) {
        Ok(create) => Ok(phase.back(create)),
        Err(gap) => {
            let what = format!("keep its definition (pg_get_indexdef) for the way back: {gap}");
            manual.push(Manual { thing: format!("index {name}"), what });
            Ok(phase.no_way_back("what the index is made of is not known well enough to build it again"))
        }
    }
}

fn can_be_concurrent(ask: &Ask<'_>, drop: &Drop, index: &Relation) -> Result<(), Refusal> {
    let of = index.index.as_ref();
    let owner = of.and_then(|index| index.constraint.as_ref());
    if drop.cascade {
        return Err(Refusal::Window(
            "CASCADE takes away what depends on the index, under ACCESS EXCLUSIVE; drop that by its name first".to_owned(),
        ));
    }
    if let Some(constraint) = owner {
        return Err(Refusal::Unknown(format!("PostgreSQL refuses it: the constraint `{constraint}` stands on the index; drop that")));
    }
    if let Some((parent, _)) = &index.partition_of {
        return Err(Refusal::Unknown(format!("PostgreSQL refuses it: the index is a part of `{}`", parent.name)));
    }
    if of.and_then(|index| ask.before.get(&index.table)).is_some_and(|table| table.partition_by.is_some()) {
        let name = Name::sql(&drop.name);
        return Err(Refusal::Window(format!(
            "`{name}` is the index of a partitioned table: those of all partitions go with it, under ACCESS EXCLUSIVE on all of them. It is quick \
             once it has them; set a lock_timeout and try again until it has"
        )));
    }
    Ok(())
}
