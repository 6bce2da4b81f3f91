//! A partition that leaves its parent without anybody waiting, and as the plain statement would leave it.

use super::Cooked;
use super::attach_partition::{beside, is_partition};
use crate::model::catalog::Relation;
use crate::model::effects::{Version, bound as known_bound};
use crate::model::expression::{Answers, Expression};
use crate::model::name::{Ident, Name};
use crate::model::operation::{AlterAction, Bound, ConstraintKind, Detach, Operation};
use crate::plan::bound;
use crate::plan::{Ask, Down, Phase, Refusal, Stage};

/// DETACH PARTITION CONCURRENTLY, and off with the CHECK that it leaves behind.
pub(super) fn cook(ask: &Ask<'_>) -> Result<Cooked, Refusal> {
    let not_it = || Refusal::Unknown("this detaches no partition".to_owned());
    let Some(Operation::Alter(target, action)) = ask.operation() else { return Err(not_it()) };
    let AlterAction::DetachPartition { partition, how } = &**action else { return Err(not_it()) };
    if *how == Detach::Finalize {
        return Err(Refusal::Unknown("FINALIZE ends what was begun, and there is nothing to plan".to_owned()));
    }
    let (parent, table) = (ask.table(&target.name)?, ask.table(partition)?);
    let phases = phases(ask, (parent, &target.name), (table, partition))?;
    Ok(Cooked { name: format!("detach-{}", table.name.name), phases, manual: Vec::new(), differs: Vec::new() })
}

/// The phases that take a table off its parent.
pub(super) fn phases(
    ask: &Ask<'_>,
    (parent, parent_name): (&Relation, &Name),
    (table, name): (&Relation, &Name),
) -> Result<Vec<Phase>, Refusal> {
    let Some((_, bound)) = &table.partition_of else {
        return Err(Refusal::Unknown(format!("the history does not tell that `{}` is a partition", name.sql())));
    };
    can_be_concurrent(ask, parent, bound)?;
    let (of, this) = (parent_name.sql(), name.sql());
    let mut detach = Phase::new(Stage::Contract, "concurrently")
        .why(format!(
            "Waits for queries of {of} that are under way without stopping any. If it is interrupted, run ALTER TABLE {of} DETACH PARTITION \
             {this} FINALIZE."
        ))
        .meanwhile(format!("queries of {of} go on, and find no rows of {this} any more"))
        .deploy(format!("code that asks {this} itself for its rows, or does without them"))
        .alone()
        // Only those who ask the partition by its own name wait behind it.
        .run_accepting(format!("ALTER TABLE {of} DETACH PARTITION {this} CONCURRENTLY"), &["lock-without-timeout"])
        .verify(format!("SELECT NOT ({})", is_partition(name)));
    detach = match written(bound) {
        Some(bound) => detach.back(format!("ALTER TABLE {of} ATTACH PARTITION {this} {bound}")),
        None => detach.no_way_back("the history does not tell the bound of the partition; ATTACH PARTITION with it is the way back"),
    };
    let check = left_behind(ask, (parent, parent_name), table, bound);
    if let (Some(check), Down::Sql(_)) = (&check, &detach.down) {
        detach = detach.back(format!("ALTER TABLE {this} DROP CONSTRAINT IF EXISTS {}", check.sql()));
    }
    let mut phases = vec![detach];
    if let Some(check) = check {
        phases.push(
            Phase::new(Stage::Contract, format!("drop {check}"))
                .why("CONCURRENTLY leaves the bound behind as a CHECK, which DETACH PARTITION by itself does not.")
                .meanwhile(format!("nothing asks {of} for these rows"))
                .run_accepting(format!("ALTER TABLE {this} DROP CONSTRAINT IF EXISTS {}", check.sql()), &["drop-constraint"]),
        );
    }
    Ok(phases)
}

fn can_be_concurrent(ask: &Ask<'_>, parent: &Relation, bound: &Bound) -> Result<(), Refusal> {
    let window = |why: String| Err(Refusal::Window(why));
    let is_default = |name| ask.before.get(name).is_some_and(|child| matches!(child.partition_of, Some((_, Bound::Default))));
    if ask.server < Version(14) {
        return window(
            "DETACH PARTITION CONCURRENTLY begins with PostgreSQL 14; before, it takes ACCESS EXCLUSIVE on the parent".to_owned(),
        );
    }
    if *bound == Bound::Default || parent.children.iter().any(is_default) {
        return window("PostgreSQL refuses DETACH PARTITION CONCURRENTLY where there is a default partition".to_owned());
    }
    if let Some((table, key)) = ask.before.foreign_keys_to(&parent.name).next() {
        return window(format!(
            "the foreign key `{}` of `{}` points to `{}`: its rows are searched for those that point into the partition, under ACCESS EXCLUSIVE",
            key.name, table.name.name, parent.name.name
        ));
    }
    if !parent.complete {
        return Err(Refusal::Unknown(format!(
            "the history does not tell all partitions of `{}`, of which one may be the default",
            parent.name.name
        )));
    }
    Ok(())
}

/// The bound as ATTACH PARTITION writes it.
pub(super) fn written(bound: &Bound) -> Option<String> {
    match bound {
        Bound::Default => Some("DEFAULT".to_owned()),
        Bound::In(values) => Some(format!("FOR VALUES IN ({})", values.join(", "))),
        Bound::Range { from, to } => Some(format!("FOR VALUES FROM ({}) TO ({})", from.join(", "), to.join(", "))),
        Bound::Hash { modulus, remainder } => Some(format!("FOR VALUES WITH (MODULUS {modulus}, REMAINDER {remainder})")),
        Bound::Unknown => None,
    }
}

/// The CHECK that the server makes of the bound, by the name that it gives it (DetachAddConstraintIfNeeded); none of a hash.
fn left_behind(ask: &Ask<'_>, (parent, parent_name): (&Relation, &Name), table: &Relation, bound: &Bound) -> Option<Ident> {
    if matches!(bound, Bound::Hash { .. }) || known_bound::fits(parent, table, bound) {
        return None;
    }
    bound::condition(parent, parent_name, bound).ok()?;
    let columns: Vec<Ident> = parent.partition_by.as_ref()?.columns.iter().flatten().cloned().collect();
    let expression = Expression::from(Answers { columns, ..Answers::default() });
    Some(ask.before.constraint_name(&table.name, None, &ConstraintKind::Check { expression }))
}

/// The parent of a partition as statements call it that call the partition by this name.
pub(super) fn parent_of<'a>(ask: &Ask<'a>, name: &Name, table: &Relation) -> Option<(&'a Relation, Name)> {
    let (parent, _) = table.partition_of.as_ref()?;
    Some((ask.before.get(parent)?, beside(name, table, parent)))
}
