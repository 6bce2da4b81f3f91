//! A column of another type, while code goes on writing the old one: a second column, computed by a trigger, that takes its place.

use super::Cooked;
use crate::model::catalog::Trigger;
use crate::model::operation::{AlterAction, Operation};
use crate::plan::mirror::Twin;
use crate::plan::mirror::retype::{Retype, Wanted};
use crate::plan::mirror::swap::Swap;
use crate::plan::names::Names;
use crate::plan::{Ask, Refusal};

/// ALTER COLUMN TYPE.
pub(super) fn cook(ask: &Ask<'_>) -> Result<Cooked, Refusal> {
    let none = || Refusal::Unknown("this changes no column's type".to_owned());
    let Some(Operation::Alter(target, action)) = ask.operation() else { return Err(none()) };
    let AlterAction::ChangeType { column, data_type, collation, using } = &**action else { return Err(none()) };
    let table = ask.table(&target.name)?;
    let beside = Twin::free_name(table, ask.before, column, "_new");
    let twin = Twin::new(ask, &target.name, column, &beside)?;
    refuse(&twin, ask)?;
    let wanted = Wanted { data_type, collation: collation.as_ref(), using: using.as_ref() };
    let retype = Retype::new(&twin, ask.before, wanted)?;
    let aside = Twin::free_name(table, ask.before, column, "_old");
    let mut names = Names::new(ask.before);
    let swapped = Swap { twin, aside, retype, ask: *ask }.phases(&mut names)?;
    Ok(Cooked {
        name: format!("change-type-of-{}-{column}", target.name.name),
        phases: swapped.phases,
        manual: swapped.manual,
        differs: swapped.differs,
    })
}

/// What the server allows no other type for, so that no column can take its place either.
fn refuse(twin: &Twin<'_>, ask: &Ask<'_>) -> Result<(), Refusal> {
    let (table, column) = (twin.table, &twin.old.name);
    let window = |reason: String| Err(Refusal::Window(reason));
    if twin.old.generated.is_some() {
        return window(format!(
            "`{}` is generated, and PostgreSQL computes such a column anew only by writing the table anew",
            column.sql()
        ));
    }
    if !twin.is_partitioned() && twin.family.len() > 1 {
        return window(format!("other tables inherit from `{}`, and each has keys and indexes of its own", twin.sql()));
    }
    let dependents = ask.before.dependents(&table.name, column);
    let names = |trigger: &&Trigger| {
        trigger.of_columns.contains(column) || trigger.when.as_ref().is_some_and(|condition| condition.columns.contains(column))
    };
    let view = dependents.views.first().map(|view| format!("view `{}`", view.name));
    let generated = dependents.generated.first().map(|generated| format!("generated column `{}`", generated.name.sql()));
    let trigger = table.triggers.iter().find(names).map(|trigger| format!("trigger `{}`", trigger.name.sql()));
    let policy = table.policies.iter().find(|policy| {
        let mut conditions = policy.using.iter().chain(&policy.check);
        conditions.any(|condition| condition.columns.contains(column) || !condition.understood)
    });
    let policy = policy.map(|policy| format!("policy `{}`", policy.name.sql()));
    match view.or(generated).or(trigger).or(policy) {
        Some(thing) => window(format!(
            "{thing} is made of `{}`: PostgreSQL gives the column no other type as long as it is there, so drop it first and make it again at the end",
            column.sql()
        )),
        None => Ok(()),
    }
}
