//! A table that goes once nothing uses it any more: first its name, then its ties, then its rows.

use super::{Cooked, detach_partition};
use crate::model::catalog::{Constraint, Relation};
use crate::model::name::Name;
use crate::model::operation::{ConstraintKind, Drop, ObjectKind, Operation};
use crate::plan::definition::{Add, Definitions};
use crate::plan::index::regclass;
use crate::plan::names::Names;
use crate::plan::{Ask, Manual, Phase, Refusal, Stage};

/// What the rules say of dropping what nothing uses any more.
const DROP: &[&str] = &["drop-table", "contract-in-same-release"];
const RENAME: &[&str] = &["rename-table", "contract-in-same-release"];
const UNTIE: &[&str] = &["drop-constraint"];

/// A tripwire, the foreign keys one by one, and DROP TABLE.
pub(super) fn cook(ask: &Ask<'_>) -> Result<Cooked, Refusal> {
    let Some(Operation::Drop(drop @ Drop { object: ObjectKind::Table, .. })) = ask.operation() else {
        return Err(Refusal::Unknown("this drops no table".to_owned()));
    };
    let table = ask.table(&drop.name)?;
    can_go(ask, drop, table)?;
    let name = format!("drop-{}", drop.name.name);
    let mut phases = Vec::new();
    let mut called = drop.name.clone();
    if let Some((parent, parent_name)) = detach_partition::parent_of(ask, &drop.name, table) {
        phases.extend(detach_partition::phases(ask, (parent, &parent_name), (table, &drop.name))?);
    } else {
        let schema = &table.name.schema;
        let away = Names::new(ask.before).free(schema, table.name.name.as_str(), "_dropped");
        let away = Name { schema: drop.name.schema.clone(), name: away };
        phases.push(tripwire(&drop.name, &away));
        phases.extend(untie(ask, table, &away)?);
        called = away;
    }
    let if_exists = if drop.if_exists { "IF EXISTS " } else { "" };
    phases.push(
        Phase::new(Stage::Contract, "for good")
            .why("Nobody has missed it. Its rows are gone then: take a last dump before this phase.")
            .meanwhile("nothing uses it")
            .wait_hours(168)
            .run_accepting(format!("DROP TABLE {if_exists}{}", called.sql()), DROP)
            .no_way_back("the rows are gone; a dump brings them back")
            .verify(format!("SELECT to_regclass('{}') IS NULL", called.sql().replace('\'', "''"))),
    );
    let manual = vec![Manual {
        thing: format!("the rows of {}", drop.name.sql()),
        what: format!("dump them before the last phase: pg_dump --data-only --table={}", called.sql()),
    }];
    Ok(Cooked { name, phases, manual, differs: Vec::new() })
}

fn can_go(ask: &Ask<'_>, drop: &Drop, table: &Relation) -> Result<(), Refusal> {
    let name = drop.name.sql();
    let refused =
        |what: String| Err(Refusal::Window(format!("{what} needs `{name}`, and PostgreSQL drops nothing that is needed; drop that first")));
    if drop.cascade {
        return Err(Refusal::Window("CASCADE takes away whatever needs the table; drop that by its name first, then the table".to_owned()));
    }
    if table.kind != ObjectKind::Table {
        return Err(Refusal::Unknown(format!("`{name}` is no table")));
    }
    if let Some(view) = table.read_by.first() {
        return refused(format!("the view `{}`", view.name));
    }
    if let Some((other, key)) = ask.before.foreign_keys_to(&table.name).find(|(other, _)| other.name != table.name) {
        return refused(format!("the foreign key `{}` of `{}`", key.name, other.name.name));
    }
    if let Some(child) = table.children.iter().find(|_| table.partition_by.is_none()) {
        return refused(format!("`{}`, which inherits from it,", child.name));
    }
    Ok(())
}

/// The table under another name: whoever still uses it says so, and is helped in a moment.
fn tripwire(name: &Name, away: &Name) -> Phase {
    let (old, new) = (name.sql(), away.sql());
    Phase::new(Stage::Contract, "hide")
        .why(format!("Whoever still uses {old} gets an error, and all its rows are there yet: the way back takes a moment."))
        .meanwhile("nothing uses it")
        .deploy(format!("code that neither reads nor writes {old}; its counters in pg_stat_user_tables stand still then"))
        .run_accepting(format!("ALTER TABLE {old} RENAME TO {}", away.name.sql()), RENAME)
        .back(format!("ALTER TABLE {new} RENAME TO {}", name.name.sql()))
        .verify(format!("SELECT to_regclass('{}') IS NULL", old.replace('\'', "''")))
}

/// Its foreign keys, each in a transaction of its own, since each locks the table that it points to.
fn untie(ask: &Ask<'_>, table: &Relation, away: &Name) -> Result<Vec<Phase>, Refusal> {
    let to_others = |constraint: &&Constraint| {
        matches!(constraint.kind, ConstraintKind::ForeignKey(_)) && constraint.referenced.as_ref().is_some_and(|other| *other != table.name)
    };
    let keys: Vec<_> = table.constraints.iter().filter(to_others).collect();
    // A single one may as well go with the table.
    if keys.len() < 2 {
        return Ok(Vec::new());
    }
    let definitions = Definitions::new(ask.before).written(&table.name, away);
    let sql = away.sql();
    let phase = |key: &&Constraint| {
        let name = key.name.sql();
        let phase = Phase::new(Stage::Contract, format!("drop {}", key.name))
            .why("DROP TABLE would lock every table that it points to, all at once. One at a time, nobody waits for two.")
            .meanwhile("queries of the table that it points to wait for a moment")
            .run_accepting(format!("ALTER TABLE {sql} DROP CONSTRAINT {name}"), UNTIE);
        match definitions.constraint(table, key, &key.name, Add::NotValid) {
            Ok(text) => {
                let phase = phase.back(format!("ALTER TABLE {sql} ADD {text}"));
                if key.validated { phase.back(format!("ALTER TABLE {sql} VALIDATE CONSTRAINT {name}")) } else { phase }
            }
            Err(gap) => phase.no_way_back(format!("what it demands is not known: {gap}")),
        }
        .verify(format!(
            "SELECT NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = {} AND conname = '{}')",
            regclass(away),
            key.name.as_str().replace('\'', "''")
        ))
    };
    Ok(keys.iter().map(phase).collect())
}
