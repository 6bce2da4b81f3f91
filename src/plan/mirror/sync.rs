//! The trigger that keeps two columns equal while old and new code write side by side.
//!
//! The older column leads: whoever has written, the row ends with the newer one computed from it, so that triggers, constraints and policies
//! on the older one go on to see what they have always seen.

use super::{Compared, Twin, differ};
use crate::model::name::{Ident, Name};
use crate::plan::names::Names;
use crate::plan::statement::dollar_quoted;

/// Functions that set columns of a row, and the triggers that run them.
#[derive(Clone, Debug)]
pub struct Sync {
    steps: Vec<Step>,
    tables: Vec<String>,
}

/// A function and the triggers that run it, on each table.
#[derive(Clone, Debug)]
struct Step {
    trigger: Ident,
    function: Name,
    /// What it does, between BEGIN and RETURN NEW.
    body: String,
}

/// How a value of one column follows from the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follows {
    /// The statement that sets it.
    pub assignment: String,
    /// What the column becomes where that fails; `None`: then the write fails.
    pub or_null: Option<String>,
}

impl Follows {
    /// The value is the same, cast as an assignment casts.
    pub fn plainly(target: &Ident, source: &Ident) -> Self {
        Self { assignment: format!("NEW.{} := NEW.{};", target.sql(), source.sql()), or_null: None }
    }

    /// The value is computed from the row; the expression may call the table by its name.
    pub fn computed(target: &Ident, expression: &str, table: &Ident) -> Self {
        let assignment = format!("SELECT {expression} INTO NEW.{} FROM (SELECT NEW.*) AS {};", target.sql(), table.sql());
        Self { assignment, or_null: None }
    }

    fn lines(&self) -> String {
        match &self.or_null {
            None => format!("  {}\n", self.assignment),
            Some(null) => {
                format!(
                    "  BEGIN\n    {}\n  EXCEPTION WHEN data_exception OR integrity_constraint_violation THEN\n    {null}\n  END;\n",
                    self.assignment
                )
            }
        }
    }
}

impl Sync {
    /// Both columns may be written, and hold the same. A write to both at once, which no application does, counts for the older one.
    pub fn both_ways(twin: &Twin<'_>, names: &mut Names<'_>, give: &Follows) -> Self {
        let (old, new) = (twin.old.name.sql(), twin.new.sql());
        let changed = differ(&twin.exactness(), &format!("NEW.{new}"), &format!("OLD.{new}"));
        let kept = match twin.exactness() {
            Compared::ByEquality => format!("NEW.{old} IS NOT DISTINCT FROM OLD.{old}"),
            Compared::ByBytes => format!("ROW(NEW.{old})::record *= ROW(OLD.{old})::record"),
        };
        let take = format!(
            "  IF TG_OP = 'INSERT' THEN\n    \
               IF NEW.{new} IS NOT NULL THEN NEW.{old} := NEW.{new}; END IF;\n  \
             ELSIF {kept} AND {changed} THEN\n    \
               NEW.{old} := NEW.{new};\n  \
             END IF;\n"
        );
        let give = give.lines();
        let tables = tables(twin);
        // What others make of the old column in between has to reach the new one.
        let steps = if has_others(twin) {
            vec![step(twin, names, Turn::First, "_take", take), step(twin, names, Turn::Last, "_sync", give)]
        } else {
            vec![step(twin, names, Turn::Last, "_sync", take + &give)]
        };
        Self { steps, tables }
    }

    /// Only the old column is written; the new one follows.
    pub fn one_way(twin: &Twin<'_>, names: &mut Names<'_>, give: &Follows) -> Self {
        Self { steps: vec![step(twin, names, Turn::Last, "_sync", give.lines())], tables: tables(twin) }
    }

    /// One function, by what it does.
    pub fn by(twin: &Twin<'_>, names: &mut Names<'_>, turn: Turn, label: &str, body: String) -> Self {
        Self { steps: vec![step(twin, names, turn, label, body)], tables: tables(twin) }
    }

    /// The functions and triggers.
    pub fn create(&self) -> Vec<String> {
        let functions = self.steps.iter().map(|step| format!("CREATE {}", step.function()));
        functions.chain(self.steps.iter().flat_map(|step| self.tables.iter().map(|table| step.trigger(table)))).collect()
    }

    /// Takes them away.
    pub fn drop(&self) -> Vec<String> {
        let triggers =
            self.steps.iter().flat_map(|step| self.tables.iter().map(|table| format!("DROP TRIGGER {} ON {table}", step.trigger.sql())));
        triggers.chain(self.steps.iter().map(|step| format!("DROP FUNCTION {}()", step.function.sql()))).collect()
    }

    /// The last function does something else from now on.
    pub fn turn(&self, give: &Follows) -> Option<String> {
        let last = self.steps.last()?;
        Some(format!("CREATE OR REPLACE {}", Step { body: give.lines(), ..last.clone() }.function()))
    }
}

impl Step {
    fn function(&self) -> String {
        let body = format!("\nBEGIN\n{}  RETURN NEW;\nEND\n", self.body);
        format!("FUNCTION {}() RETURNS trigger LANGUAGE plpgsql AS {}", self.function.sql(), dollar_quoted("sync", &body))
    }

    fn trigger(&self, table: &str) -> String {
        let (trigger, function) = (self.trigger.sql(), self.function.sql());
        format!("CREATE TRIGGER {trigger} BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()")
    }
}

/// When a trigger fires: those of a row fire in the order of their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Before all others.
    First,
    /// When all others are done.
    Last,
}

fn tables(twin: &Twin<'_>) -> Vec<String> {
    let definitions = twin.as_they_are();
    twin.triggered().iter().map(|table| definitions.table(&table.name)).collect()
}

/// Whether other triggers may change a row before it is stored.
fn has_others(twin: &Twin<'_>) -> bool {
    twin.family.iter().any(|table| !table.complete || others(twin).next().is_some())
}

/// The names of the triggers that may change a row.
fn others<'a>(twin: &'a Twin<'_>) -> impl Iterator<Item = &'a str> {
    let triggers = twin.family.iter().flat_map(|table| &table.triggers);
    triggers.filter(|trigger| trigger.before && trigger.for_each_row).map(|trigger| trigger.name.as_str())
}

fn step(twin: &Twin<'_>, names: &mut Names<'_>, turn: Turn, label: &str, body: String) -> Step {
    let prefix = match turn {
        Turn::First if others(twin).all(|other| other > "aa") => "aa_",
        Turn::First => "!aa_",
        Turn::Last if others(twin).all(|other| other < "zz") => "zz_",
        Turn::Last => "~zz_",
    };
    let stem = format!("{prefix}{}_{}", twin.table.name.name, twin.new);
    let name = names.free(&twin.table.name.schema, &stem, label);
    Step { trigger: name.clone(), function: Name { schema: twin.name.schema.clone(), name }, body }
}
