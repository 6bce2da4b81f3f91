//! An enum value under a new name, while code that knows the old one still runs: a second value beside it, to which all rows move.

use super::Cooked;
use crate::model::catalog::{Column, Lookup, Relation};
use crate::model::expression::{Constant, Expression};
use crate::model::name::{Ident, Name, QualifiedName};
use crate::model::operation::{ConstraintKind, ObjectKind, Operation};
use crate::model::types::UserType;
use crate::plan::backfill::Backfill;
use crate::plan::definition::{callable, qualified};
use crate::plan::{Ask, Manual, Phase, Refusal, Stage};

/// ALTER TYPE ... RENAME VALUE.
pub(super) fn cook(ask: &Ask<'_>) -> Result<Cooked, Refusal> {
    let Some(Operation::RenameEnumValue { name, from, to }) = ask.operation() else {
        return Err(Refusal::Unknown("this renames no value of an enum".to_owned()));
    };
    if ask.server.0 < 12 {
        return Err(Refusal::Window("before PostgreSQL 12 a new value cannot be used in the transaction that reads it first".to_owned()));
    }
    match ask.before.user_type(name) {
        Lookup::Known(UserType::Enum(labels)) if labels.contains(to) => {
            return Err(Refusal::Unknown(format!("`{}` has the value `{to}` already", name.sql())));
        }
        Lookup::Known(UserType::Enum(labels)) if !labels.contains(from) => {
            return Err(Refusal::Unknown(format!("`{}` has no value `{from}`", name.sql())));
        }
        Lookup::Known(UserType::Enum(_)) => {}
        _ => return Err(Refusal::Unknown(format!("the history does not tell of the enum `{}`", name.sql()))),
    }
    let renaming = Renaming { ask, name, from: literal(from), to: literal(to), columns: columns(ask, name) };
    let mut phases = vec![renaming.add()];
    phases.extend(renaming.defaults());
    for (at, (table, column)) in renaming.columns.iter().enumerate() {
        phases.push(renaming.fill(table, column, at == 0)?);
    }
    Ok(Cooked {
        name: format!("rename-{}-{from}", name.name),
        phases,
        manual: renaming.manual(),
        differs: vec![format!(
            "`{}` keeps the value {} behind the new one: PostgreSQL takes no value out of a type",
            name.name, renaming.from
        )],
    })
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The columns of the type, in tables that hold rows or have partitions that do.
fn columns<'a>(ask: &Ask<'a>, name: &Name) -> Vec<(&'a Relation, &'a Column)> {
    let found = ask.before.columns_of_type(&ask.before.resolve_type(name));
    let column = |(table, column): (QualifiedName, Ident)| {
        let relation = ask.before.get(&table).filter(|relation| relation.kind == ObjectKind::Table)?;
        let column = relation.column(&column)?;
        // What comes from a parent is changed there.
        let own = relation.partition_of.is_none() && !relation.inherits.iter().any(|parent| inherits(ask, parent, &column.name));
        (own && column.generated.is_none()).then_some((relation, column))
    };
    found.into_iter().filter_map(column).collect()
}

fn inherits(ask: &Ask<'_>, parent: &QualifiedName, column: &Ident) -> bool {
    ask.before.get(parent).is_some_and(|parent| parent.column(column).is_some())
}

struct Renaming<'r, 'a> {
    ask: &'r Ask<'a>,
    name: &'r Name,
    /// The values as literals.
    from: String,
    to: String,
    columns: Vec<(&'a Relation, &'a Column)>,
}

impl Renaming<'_, '_> {
    fn add(&self) -> Phase {
        let (name, from, to) = (callable(self.name), &self.from, &self.to);
        Phase::new(Stage::Expand, format!("add {to}"))
            .why(format!("Both values stand side by side until nothing holds or knows {from} any more."))
            .meanwhile("Nothing waits, and nobody writes the new value yet.")
            .alone()
            .run(format!("ALTER TYPE {name} ADD VALUE IF NOT EXISTS {to} AFTER {from}"))
            .no_way_back("PostgreSQL takes no value out of a type; one that nobody writes does no harm")
    }

    /// Columns whose default it is.
    fn defaults(&self) -> Option<Phase> {
        let is_it = |column: &Column| {
            let constant = column.default.as_ref().and_then(|default| default.constant.as_ref());
            matches!(constant, Some(Constant::Text(text)) if literal(text) == self.from)
        };
        let mut phase = Phase::new(Stage::Migrate, format!("default {}", self.to))
            .why("Rows of code that says nothing get the new value from now on.")
            .meanwhile("It waits for a moment, and meets the new value.")
            .deploy(self.readers());
        for (table, column) in self.columns.iter().filter(|(_, column)| is_it(column)) {
            let set =
                |value: &str| format!("ALTER TABLE {} ALTER COLUMN {} SET DEFAULT {value}", qualified(&table.name), column.name.sql());
            phase = phase.run_accepting(set(&self.to), &["change-default"]).back(set(&self.from));
        }
        (!phase.up.is_empty()).then_some(phase)
    }

    fn readers(&self) -> String {
        format!("code that takes {} and {} for the same", self.from, self.to)
    }

    fn fill(&self, table: &Relation, column: &Column, is_first: bool) -> Result<Phase, Refusal> {
        let (sql, name, from, to) = (qualified(&table.name), column.name.sql(), &self.from, &self.to);
        let is_array = column.data_type.as_ref().is_some_and(|data_type| data_type.dimensions > 0);
        let (set, rows) = match is_array {
            true => (format!("{name} = array_replace({name}, {from}, {to})"), format!("{from} = ANY ({name})")),
            false => (format!("{name} = {to}"), format!("{name} = {from}")),
        };
        let written = Name { schema: (table.name.schema != "public").then(|| table.name.schema.clone()), name: table.name.name.clone() };
        let fill = Backfill { table: sql.clone(), set: Some(set), rows: rows.clone() };
        let phase = fill.phase(self.ask, &written, format!("move {}", table.name.name))?;
        let phase = phase
            .why(format!("Rows that hold {from} move to {to}."))
            .meanwhile("Reads and writes go on; a write to one of the rows of a batch waits until the batch is committed.")
            .verify(format!("SELECT NOT EXISTS (SELECT FROM {sql} WHERE {rows})"))
            .no_way_back(format!(
                "which of the rows that hold {to} held {from} is not known; code that takes both for the same needs none"
            ));
        Ok(if is_first { phase.deploy(format!("code that writes only {to}, and takes {from} for the same")) } else { phase })
    }

    /// Conditions that name the old value, which follow its rename and do not follow a row to another value.
    fn manual(&self) -> Vec<Manual> {
        let mut manual = Vec::new();
        for (table, column) in &self.columns {
            let shown = qualified(&table.name);
            let names = |expression: &Expression| expression.columns.contains(&column.name) && expression.text.contains(&self.from);
            let mut say = |thing: String| {
                let what = format!("its condition names {}: make it anew with {} beside it before rows move", self.from, self.to);
                let said = Manual { thing, what };
                if !manual.contains(&said) {
                    manual.push(said);
                }
            };
            for constraint in &table.constraints {
                if matches!(&constraint.kind, ConstraintKind::Check { expression } if names(expression)) {
                    say(format!("constraint {} of {shown}", constraint.name.sql()));
                }
            }
            for (index, definition) in self.ask.before.indexes_of(table) {
                if definition.expressions().any(names) {
                    say(format!("index {}", index.name.name.sql()));
                }
            }
            for policy in table.policies.iter().filter(|policy| policy.using.iter().chain(&policy.check).any(names)) {
                say(format!("policy {} of {shown}", policy.name.sql()));
            }
            for generated in
                table.columns.iter().filter(|other| other.generated.as_ref().is_some_and(|generated| names(&generated.expression)))
            {
                say(format!("generated column {} of {shown}", generated.name.sql()));
            }
        }
        manual
    }
}
