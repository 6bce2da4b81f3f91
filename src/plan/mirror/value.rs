//! Where the values of a column come from goes over to the new one with its name.

use super::swap::Swap;
use super::turnover::Turnover;
use crate::model::catalog::Relation;
use crate::model::name::{Ident, Name};
use crate::plan::definition::{generated_as_identity, qualified};
use crate::plan::names::Names;

/// Default, identity, sequence and NOT NULL. Gives what will differ from the end of the statement.
pub fn carry(swap: &Swap<'_>, names: &mut Names<'_>, turnover: &mut Turnover) -> Vec<String> {
    let sequence = swap.ask.before.owned_sequence(swap.twin.table, &swap.twin.old.name);
    let differs = match (swap.twin.old.identity, sequence) {
        (Some(_), Some(sequence)) => {
            identity(swap, sequence, names, turnover);
            Vec::new()
        }
        (_, sequence) => default(swap, sequence, turnover),
    };
    if swap.twin.old.not_null {
        turnover.values.up.push(alter(swap, &swap.aside, "DROP NOT NULL"));
    }
    differs
}

fn alter(swap: &Swap<'_>, column: &Ident, what: &str) -> String {
    format!("ALTER TABLE {} ALTER COLUMN {} {what}", swap.twin.sql(), column.sql())
}

/// Both columns have one for a moment, so that the new one goes on where the old one is. The sequence keeps its name.
fn identity(swap: &Swap<'_>, sequence: &Relation, names: &mut Names<'_>, turnover: &mut Turnover) {
    let Some(identity) = swap.twin.old.identity else { return };
    let column = &swap.twin.old.name;
    let stem = sequence.name.name.as_str();
    let fresh = names.free(&sequence.name.schema, stem.strip_suffix("_seq").unwrap_or(stem), "_next_seq");
    let named = |name: &Ident| Name { schema: swap.twin.name.schema.clone(), name: name.clone() }.sql();
    let (old, new) = (named(&sequence.name.name), named(&fresh));
    let options = format!("SEQUENCE NAME {new} {}", sequence.details().sequence.sql());
    let add = format!("ADD {} ({})", generated_as_identity(identity), options.trim_end());
    let text = |name: &str| name.replace('\'', "''");
    let hand_over = |from: &Ident| {
        [
            alter(swap, column, &add),
            format!("SELECT setval('{}', nextval('{}'), false)", text(&new), text(&old)),
            alter(swap, from, "DROP IDENTITY"),
            format!("ALTER SEQUENCE {new} RENAME TO {}", sequence.name.name.sql()),
        ]
    };
    turnover.values.up.extend(hand_over(&swap.aside));
    turnover.values.down.push(alter(swap, column, "SET NOT NULL"));
    turnover.values.down.extend(hand_over(&swap.twin.new));
}

fn default(swap: &Swap<'_>, sequence: Option<&Relation>, turnover: &mut Turnover) -> Vec<String> {
    let (twin, column) = (&swap.twin, &swap.twin.old.name);
    let values = &mut turnover.values;
    if let Ok(Some(default)) = twin.as_they_are().default(twin.table, twin.old) {
        let set = alter(swap, column, &format!("SET DEFAULT {default}"));
        values.up.extend([set.clone(), alter(swap, &swap.aside, "DROP DEFAULT")]);
        values.down.extend([set, alter(swap, &twin.new, "DROP DEFAULT")]);
    }
    if twin.old.not_null {
        values.down.push(alter(swap, column, "SET NOT NULL"));
    }
    let Some(sequence) = sequence else { return Vec::new() };
    let name = qualified(&sequence.name);
    let owned = format!("ALTER SEQUENCE {name} OWNED BY {}.{}", twin.sql(), column.sql());
    values.push(owned.clone(), owned);
    let stops_earlier = sequence.numbers.as_deref().is_some_and(|numbers| matches!(numbers, "integer" | "smallint"));
    if swap.retype.data_type != "bigint" || !stops_earlier {
        return Vec::new();
    }
    values.up.push(format!("ALTER SEQUENCE {name} AS bigint"));
    vec![format!("`{}` counts as bigint; the statement alone lets it stop where the old type does", sequence.name.name)]
}
