//! A column under a new name, while code under the old one still runs.

use super::Cooked;
use crate::model::operation::{AlterAction, Operation};
use crate::plan::backfill::Backfill;
use crate::plan::sync::Sync;
use crate::plan::{Ask, Phase, Refusal, Stage};

/// Two columns, kept equal by a trigger, until nothing knows the old one any more.
pub(super) fn cook(ask: &Ask<'_>) -> Result<Cooked, Refusal> {
    let Some(Operation::Alter(target, action)) = ask.operation() else { return Err(Refusal::Unknown("this renames no column".to_owned())) };
    let AlterAction::RenameColumn { from, to } = &**action else { return Err(Refusal::Unknown("this renames no column".to_owned())) };
    let relation = ask.table(&target.name)?;
    let column = ask.column(relation, from)?;
    let table = target.name.sql();
    let data_type = column.data_type.as_ref().map(ToString::to_string).unwrap_or_default();
    let (old, new) = (from.sql(), to.sql());
    let sync = Sync::same(&target.name, from, to);
    let expand = Phase::new(Stage::Expand, format!("add {to}"))
        .run(format!("ALTER TABLE {table} ADD COLUMN {new} {data_type}"))
        .run(sync.create_function())
        .run(sync.create_trigger())
        .back(sync.drop_trigger())
        .back(sync.drop_function())
        .back(format!("ALTER TABLE {table} DROP COLUMN {new}"));
    let differ = format!("{new} IS DISTINCT FROM {old}");
    let fill = Backfill { table: table.clone(), set: Some(format!("{old} = {old}")), rows: format!("{new} IS NULL AND {old} IS NOT NULL") };
    let fill =
        fill.phase(ask, &target.name, format!("fill {to}"))?.verify(format!("SELECT NOT EXISTS (SELECT FROM {table} WHERE {differ})"));
    let contract = Phase::new(Stage::Contract, format!("drop {from}"))
        .deploy(format!("code that reads and writes only {table}.{new}"))
        .assert(format!("SELECT NOT EXISTS (SELECT FROM {table} WHERE {differ})"))
        .wait_hours(48)
        .run(sync.drop_trigger())
        .run(sync.drop_function())
        .run_accepting(format!("ALTER TABLE {table} DROP COLUMN {old}"), &["drop-column"]);
    Ok(Cooked {
        name: format!("rename-{}-{from}", target.name.name),
        phases: vec![expand, fill, contract],
        manual: Vec::new(),
        differs: Vec::new(),
    })
}
