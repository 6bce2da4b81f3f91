//! A column under a new name, while code under the old one still runs.
//!
//! A copy under the new name stands beside it until nothing knows the old name any more. Then the copy goes and the column itself takes the
//! name, with all that has hung on it from the beginning: keys, constraints, views, policies, rights, its place in the table.

use super::Cooked;
use crate::model::catalog::Function;
use crate::model::name::QualifiedName;
use crate::model::operation::{AlterAction, Operation};
use crate::plan::backfill::Backfill;
use crate::plan::belongings::body_names;
use crate::plan::definition::{Gap, qualified};
use crate::plan::mirror::index::Copies;
use crate::plan::mirror::sync::{Follows, Sync};
use crate::plan::mirror::trigger::{self, Second};
use crate::plan::mirror::{PREPARED, Twin};
use crate::plan::names::Names;
use crate::plan::{Ask, Manual, Phase, Refusal, Stage};

/// Two columns, kept equal by a trigger, until nothing knows the old one any more.
pub(super) fn cook(ask: &Ask<'_>) -> Result<Cooked, Refusal> {
    let Some(Operation::Alter(target, action)) = ask.operation() else { return Err(Refusal::Unknown("this renames no column".to_owned())) };
    let AlterAction::RenameColumn { from, to } = &**action else { return Err(Refusal::Unknown("this renames no column".to_owned())) };
    let twin = Twin::new(ask, &target.name, from, to)?;
    let mut names = Names::new(ask.before);
    let copy = Copy::new(&twin, ask, &mut names)?;
    let copies = Copies::of(&twin, ask.before, &mut names);
    let mut manual = copies.manual(&twin);
    manual.extend(copy.manual.iter().cloned());
    manual.extend(bodies(&twin, ask));
    let mut phases = vec![expand(&twin, &copy.lines)];
    phases.extend(copy.filled.then(|| fill(&twin, ask)).transpose()?);
    phases.extend(copies.phases);
    phases.extend(listen(&twin, &copy.seconds));
    phases.push(contract(&twin, &copy));
    Ok(Cooked { name: format!("rename-{}-{from}", target.name.name), phases, manual, differs: Vec::new() })
}

/// Functions whose bodies are text that names the column: PostgreSQL renames nothing in them, and those of triggers fail from then on.
fn bodies(twin: &Twin<'_>, ask: &Ask<'_>) -> Vec<Manual> {
    let (old, table) = (&twin.old.name, twin.table);
    let runs = |name: &QualifiedName| {
        let mut run = table.triggers.iter().filter_map(|trigger| trigger.function.as_ref());
        run.any(|function| ask.before.resolve_function(function) == *name)
    };
    let names_it = |name: &QualifiedName, function: &Function| {
        let words = body_names(function);
        words.contains(old) && (runs(name) || words.contains(&table.name.name))
    };
    let found = ask.before.all_functions().filter(|(name, function)| !function.atomic && names_it(name, function));
    let mut names: Vec<&QualifiedName> = found.map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    let manual = |name: &QualifiedName| Manual {
        thing: format!("function {}", qualified(name)),
        what: format!(
            "its body is text that names {}, and no rename follows there: make one that names {}, in the transaction of the last phase",
            old.sql(),
            twin.new.sql()
        ),
    };
    names.into_iter().map(manual).collect()
}

/// What makes the copy and what takes it away.
struct Lines {
    make: Vec<String>,
    take: Vec<String>,
}

struct Copy {
    lines: Lines,
    /// Rows have to be filled, and differ until they are.
    filled: bool,
    seconds: Vec<Second>,
    manual: Vec<Manual>,
}

impl Copy {
    fn new(twin: &Twin<'_>, ask: &Ask<'_>, names: &mut Names<'_>) -> Result<Self, Refusal> {
        let (table, new) = (twin.sql(), twin.new.sql());
        let computed = twin.old.generated.as_ref();
        let unknown = |gap: Gap| Refusal::Unknown(format!("`{table}.{}` cannot be copied: {gap}", twin.old.name.sql()));
        let expression = computed.map(|generated| twin.as_they_are().expression(twin.table, &generated.expression)).transpose();
        let expression = expression.map_err(unknown)?;
        let data_type = twin.plain_type(ask).map_err(unknown)?;
        let column = match (computed, &expression) {
            // Nothing is stored, so that a second one costs nothing.
            (Some(generated), Some(expression)) if !generated.stored => {
                format!("ALTER TABLE {table} ADD COLUMN {new} {data_type} GENERATED ALWAYS AS ({expression}) VIRTUAL")
            }
            _ => format!("ALTER TABLE {table} ADD COLUMN {new} {data_type}"),
        };
        let sync = match (computed, expression) {
            (Some(generated), _) if !generated.stored => None,
            (Some(_), Some(expression)) => {
                Some(Sync::one_way(twin, names, &Follows::computed(&twin.new, &expression, &twin.table.name.name)))
            }
            _ => Some(Sync::both_ways(twin, names, &Follows::plainly(&twin.new, &twin.old.name))),
        };
        let seconds = trigger::seconds(twin, names);
        let manual: Vec<Manual> = seconds
            .iter()
            .filter_map(|(trigger, second)| {
                let gap = second.as_ref().err()?;
                Some(Manual {
                    thing: trigger::shown(&twin.table.name, trigger),
                    what: format!(
                        "it fires on UPDATE OF {}, and code that sets {new} does not fire it; make a second one for that column: {gap}",
                        twin.old.name.sql()
                    ),
                })
            })
            .collect();
        let seconds: Vec<Second> = seconds.into_iter().filter_map(|(_, second)| second.ok()).collect();
        let mut make = vec![column];
        make.extend(twin.grants());
        make.extend(sync.iter().flat_map(Sync::create));
        let mut take: Vec<String> = sync.iter().flat_map(Sync::drop).collect();
        take.push(format!("ALTER TABLE {table} DROP COLUMN {new}"));
        Ok(Self { lines: Lines { make, take }, filled: sync.is_some(), seconds, manual })
    }
}

fn expand(twin: &Twin<'_>, lines: &Lines) -> Phase {
    let (old, new) = (&twin.old.name, &twin.new);
    let mut phase = Phase::new(Stage::Expand, format!("add {new}"))
        .why(format!("{new} stands beside {old}, and a trigger gives every row that is written the same in both."))
        .meanwhile(PREPARED);
    for sql in &lines.make {
        phase = phase.run(sql);
    }
    for sql in &lines.take {
        phase = phase.back(sql);
    }
    phase
}

fn fill(twin: &Twin<'_>, ask: &Ask<'_>) -> Result<Phase, Refusal> {
    let (table, old, new) = (twin.sql(), twin.old.name.sql(), twin.new.sql());
    let fill = Backfill { table: table.clone(), set: Some(format!("{new} = {old}")), rows: format!("{new} IS NULL AND {old} IS NOT NULL") };
    let phase = fill.phase(ask, twin.name, format!("fill {}", twin.new))?;
    Ok(phase
        .why("Rows from before the trigger get their value.")
        .meanwhile("Reads and writes go on; a write to one of the rows of a batch waits until the batch is committed.")
        .verify(format!("SELECT NOT EXISTS (SELECT FROM {table} WHERE {})", twin.differ())))
}

/// Triggers on UPDATE OF the old column hear of the new one. Only now: the backfill is none of their business.
fn listen(twin: &Twin<'_>, seconds: &[Second]) -> Option<Phase> {
    let (old, new) = (twin.old.name.sql(), twin.new.sql());
    let mut phase = Phase::new(Stage::Migrate, format!("fire on {}", twin.new))
        .why(format!("What fires on UPDATE OF {old} has to fire when new code sets {new}."))
        .meanwhile("Writes wait for a moment.");
    for second in seconds {
        phase = phase.run(&second.create).back(second.drop(true));
    }
    (!seconds.is_empty()).then_some(phase)
}

fn contract(twin: &Twin<'_>, copy: &Copy) -> Phase {
    let (table, old, new) = (twin.sql(), twin.old.name.sql(), twin.new.sql());
    let mut phase = Phase::new(Stage::Contract, format!("rename {}", twin.old.name))
        .why(format!(
            "Both columns hold the same, so the copy goes and {old} itself becomes {new}: its keys, constraints, views and rights stay with it."
        ))
        .meanwhile(PREPARED)
        .deploy(format!("code that reads and writes only {table}.{new}"))
        .wait_hours(48)
        .assert(format!("SELECT NOT EXISTS (SELECT FROM {table} WHERE {})", twin.differ()));
    for second in &copy.seconds {
        phase = phase.run_accepting(second.drop(false), &["drop-trigger"]);
    }
    for sql in &copy.lines.take {
        phase =
            phase.run_accepting(sql, &["drop-column", "drop-column-silent-dependents", "replacement-parity", "sync-scaffold-left-behind"]);
    }
    phase = phase
        .run_accepting(format!("ALTER TABLE {table} RENAME COLUMN {old} TO {new}"), &["rename-column"])
        .back(format!("ALTER TABLE {table} RENAME COLUMN {new} TO {old}"));
    for sql in &copy.lines.make {
        phase = phase.back(sql);
    }
    phase
}
