//! The triggers that keep columns of two tables equal while old code writes the one and new code the other.
//!
//! A write to either table goes on to the other within the same transaction. It ends there: what is equal already is not written again. A row
//! that looks up its value locks the row that it takes it from, so that no change of that one passes it by.

use super::{Moving, Pair};
use crate::model::name::{Ident, Name};
use crate::plan::mirror::differ;
use crate::plan::names::Names;
use crate::plan::statement::dollar_quoted;

/// What each of them calls the other table: no column has to be told from a variable then.
const THERE: &str = "there";

/// The functions and their triggers.
pub struct Sync {
    steps: Vec<Step>,
}

struct Step {
    /// Of the function, and of its trigger.
    name: Name,
    /// The table with the trigger.
    on: String,
    /// `BEFORE INSERT`.
    event: String,
    body: String,
}

impl Sync {
    /// From the old table to the new one, and back where one row belongs to one.
    pub fn new(moving: &Moving<'_>, names: &mut Names<'_>) -> Self {
        let (to, from) = (moving.trio.added_to, moving.trio.dropped_from);
        let mut step = |table: &Name, label: &str, event: String, body: String| {
            let schema = if table == to { &moving.to.name.schema } else { &moving.from.name.schema };
            let column = &if table == to { moving.pairs[0].to } else { &moving.pairs[0].from.name };
            let name = names.free(schema, &format!("zz_{}_{column}", table.name), label);
            Step { name: Name { schema: table.schema.clone(), name }, on: table.sql(), event, body }
        };
        let named = Ident::sql;
        let written = moving.pairs.iter().map(|pair| pair.to).chain(moving.keys.iter().map(|(key, _)| key)).map(named);
        let of = format!("UPDATE OF {}", written.collect::<Vec<_>>().join(", "));
        let mut steps = vec![
            step(to, "_take", format!("BEFORE INSERT OR {of}"), moving.take()),
            step(from, "_give", "AFTER INSERT OR UPDATE".to_owned(), moving.give()),
        ];
        if moving.both_ways {
            steps.push(step(to, "_give", format!("AFTER INSERT OR {of}"), moving.give_back()));
        }
        if moving.both_ways && !moving.points_back {
            steps.push(step(from, "_take", "BEFORE INSERT".to_owned(), moving.take_back()));
        }
        Self { steps }
    }

    /// The functions and triggers.
    pub fn create(&self) -> Vec<String> {
        let functions = self.steps.iter().map(|step| {
            let result = if step.event.starts_with("AFTER") { "NULL" } else { "NEW" };
            let body = dollar_quoted("sync", &format!("\nBEGIN\n{}  RETURN {result};\nEND\n", step.body));
            // Whoever writes may look for tables elsewhere.
            format!("CREATE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS {body}", step.name.sql())
        });
        let triggers = self.steps.iter().map(|step| {
            let (name, event, on) = (step.name.name.sql(), &step.event, &step.on);
            format!("CREATE TRIGGER {name} {event} ON {on} FOR EACH ROW EXECUTE FUNCTION {}()", step.name.sql())
        });
        functions.chain(triggers).collect()
    }

    /// Takes them away.
    pub fn drop(&self) -> Vec<String> {
        let triggers = self.steps.iter().map(|step| format!("DROP TRIGGER {} ON {}", step.name.name.sql(), step.on));
        triggers.chain(self.steps.iter().map(|step| format!("DROP FUNCTION {}()", step.name.sql()))).collect()
    }
}

/// The columns of a row.
fn of_row<'i>(row: &str, names: impl IntoIterator<Item = &'i Ident>) -> String {
    names.into_iter().map(|name| format!("{row}.{}", name.sql())).collect::<Vec<_>>().join(", ")
}

impl Moving<'_> {
    fn new_columns(&self) -> impl Iterator<Item = &Ident> {
        self.pairs.iter().map(|pair| pair.to)
    }

    fn old_columns(&self) -> impl Iterator<Item = &Ident> {
        self.pairs.iter().map(|pair| &pair.from.name)
    }

    /// One of these columns has changed.
    fn changed<'i>(&self, columns: impl Iterator<Item = &'i Ident>) -> String {
        let changed = |(pair, column): (&Pair<'_>, &Ident)| {
            differ(&pair.compared, &format!("NEW.{}", column.sql()), &format!("OLD.{}", column.sql()))
        };
        self.pairs.iter().zip(columns).map(changed).collect::<Vec<_>>().join(" OR ")
    }

    /// The row belongs to another one from now on.
    fn moves<'i>(keys: impl Iterator<Item = &'i Ident> + Clone) -> String {
        format!("ROW({}) IS DISTINCT FROM ROW({})", of_row("NEW", keys.clone()), of_row("OLD", keys))
    }

    /// The rows of the old table that a new row of the new one belongs to.
    fn there_for_new(&self) -> String {
        let equal = |(to, from): &(Ident, Ident)| format!("{THERE}.{} = NEW.{}", from.sql(), to.sql());
        self.keys.iter().map(equal).collect::<Vec<_>>().join(" AND ")
    }

    fn there_for_old(&self) -> String {
        let equal = |(to, from): &(Ident, Ident)| format!("{THERE}.{} = NEW.{}", to.sql(), from.sql());
        self.keys.iter().map(equal).collect::<Vec<_>>().join(" AND ")
    }

    /// A row of the new table without values takes those of the row that it belongs to.
    fn take(&self) -> String {
        let (table, there) = (self.trio.dropped_from.sql(), self.there_for_new());
        let take = |indent: &str| -> String {
            let one = |pair: &Pair<'_>| {
                let (to, from) = (pair.to.sql(), pair.from.name.sql());
                format!("{indent}NEW.{to} := (SELECT {THERE}.{from} FROM {table} AS {THERE} WHERE {there} FOR SHARE);\n")
            };
            self.pairs.iter().map(one).collect()
        };
        let (new, old) = (of_row("NEW", self.new_columns()), of_row("OLD", self.new_columns()));
        let keys = self.keys.iter().map(|(key, _)| key);
        let (had, moves, changed) = (of_row("OLD", keys.clone()), Self::moves(keys), self.changed(self.new_columns()));
        format!(
            "  IF TG_OP = 'INSERT' THEN\n    IF num_nonnulls({new}) = 0 THEN\n{}    END IF;\n  \
               ELSIF num_nonnulls({new}, {old}) = 0\n    OR ({moves} AND num_nulls({had}) = 0 AND NOT ({changed})) THEN\n{}  END IF;\n",
            take("      "),
            take("    "),
        )
    }

    /// What is written to the old table is written to the new one.
    fn give(&self) -> String {
        let keys = self.keys.iter().map(|(_, key)| key);
        let changes = format!("{} OR {}", self.changed(self.old_columns()), Self::moves(keys));
        let pairs = self.pairs.iter().map(|pair| (pair.to, &pair.from.name, pair));
        written(&self.trio.added_to.sql(), pairs, &self.there_for_old(), &changes)
    }

    /// What is written to the new table is written to the old one.
    fn give_back(&self) -> String {
        let keys = self.keys.iter().map(|(key, _)| key);
        let changes = format!("{} OR {}", self.changed(self.new_columns()), Self::moves(keys));
        let pairs = self.pairs.iter().map(|pair| (&pair.from.name, pair.to, pair));
        written(&self.trio.dropped_from.sql(), pairs, &self.there_for_new(), &changes)
    }

    /// A row that comes after the one that belongs to it: code that does not know the old column gives it no value, or the default.
    fn take_back(&self) -> String {
        let (table, there) = (self.trio.added_to.sql(), self.there_for_old());
        let one = |pair: &Pair<'_>| {
            let (to, from) = (pair.to.sql(), pair.from.name.sql());
            let value = format!("(SELECT {THERE}.{to} FROM {table} AS {THERE} WHERE {there} FOR SHARE)");
            match pair.from.default {
                Some(_) => format!("  NEW.{from} := coalesce({value}, NEW.{from});\n"),
                None => format!("  IF NEW.{from} IS NULL THEN\n    NEW.{from} := {value};\n  END IF;\n"),
            }
        };
        self.pairs.iter().map(one).collect()
    }

    /// The two columns of rows that belong together, by what their tables are called.
    pub fn differ(&self, to: &str, from: &str) -> String {
        let one = |pair: &Pair<'_>| differ(&pair.compared, &format!("{to}.{}", pair.to.sql()), &format!("{from}.{}", pair.from.name.sql()));
        self.pairs.iter().map(one).collect::<Vec<_>>().join(" OR ")
    }

    /// Which rows belong together.
    pub fn belong(&self, to: &str, from: &str) -> String {
        let equal = |(key, of): &(Ident, Ident)| format!("{to}.{} = {from}.{}", key.sql(), of.sql());
        self.keys.iter().map(equal).collect::<Vec<_>>().join(" AND ")
    }

    /// Rows that have no values and should have some, among those of the new table.
    pub fn unfilled(&self) -> String {
        let (to, from) = (self.trio.added_to.name.sql(), self.trio.dropped_from.sql());
        format!(
            "num_nonnulls({}) = 0 AND EXISTS (SELECT FROM {from} AS {THERE} WHERE {} AND num_nonnulls({}) > 0)",
            of_row(&to, self.new_columns()),
            self.belong(&to, THERE),
            of_row(THERE, self.old_columns())
        )
    }
}

/// Writes the first column of each pair in `table` as the second one of the row at hand, where that is something else.
fn written<'p>(
    table: &str,
    pairs: impl Iterator<Item = (&'p Ident, &'p Ident, &'p Pair<'p>)> + Clone,
    there: &str,
    changes: &str,
) -> String {
    let set = pairs.clone().map(|(theirs, ours, _)| format!("{} = NEW.{}", theirs.sql(), ours.sql())).collect::<Vec<_>>().join(", ");
    let differs = pairs
        .clone()
        .map(|(theirs, ours, pair)| differ(&pair.compared, &format!("{THERE}.{}", theirs.sql()), &format!("NEW.{}", ours.sql())));
    let given = of_row("NEW", pairs.clone().map(|(_, ours, _)| ours));
    format!(
        "  IF (CASE TG_OP WHEN 'INSERT' THEN num_nonnulls({given}) > 0 ELSE {changes} END) THEN\n    \
             UPDATE {table} AS {THERE} SET {set}\n      WHERE {there} AND ({});\n  END IF;\n",
        differs.collect::<Vec<_>>().join(" OR ")
    )
}
