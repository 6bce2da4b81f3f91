//! Constraints that are added while others read and write: first for new rows, then for those that are there.
//!
//! A constraint in the definition of a new column is taken out of it and added like any other. Names that the statement leaves to the server
//! are written down, as the server would choose them, so that the end is the same.

mod check;
mod column;
mod foreign_key;
mod key;
mod not_null;

pub(super) use not_null::cook as cook_not_null;

use super::Cooked;
use crate::model::catalog::{Catalog, Constraint, Lookup, Relation, Step};
use crate::model::name::{Name, QualifiedName};
use crate::model::operation::{AddConstraint, AlterAction, ConstraintKind, DomainAction, Operation, Written};
use crate::plan::definition::{Definitions, Gap};
use crate::plan::{Ask, Manual, Phase, Refusal};
use crate::sql::lex::Lexer;
use crate::text::Span;

/// The step of the statement itself: what carries it has been made by the statement.
const NOW: Step = Step(u32::MAX);

/// Whether a foreign key gets an index on its columns first, where none begins with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Indexed {
    /// It gets one.
    First,
    /// Somebody else has seen to that.
    Elsewhere,
}

/// A constraint that a statement adds.
struct Added<'a> {
    ask: &'a Ask<'a>,
    /// As it is written.
    add: &'a AddConstraint,
    /// Where.
    span: Span,
    /// As the server will have it.
    made: &'a Constraint,
    /// The table with it.
    relation: &'a Relation,
    /// The schema with it.
    after: &'a Catalog,
}

/// What the constraints of one statement come to.
#[derive(Default)]
struct Steps {
    phases: Vec<Phase>,
    manual: Vec<Manual>,
    differs: Vec<String>,
}

/// Phases for every constraint that the statement adds, and for the column that it adds them with.
pub(super) fn cook(ask: &Ask<'_>, indexed: Indexed) -> Result<Cooked, Refusal> {
    let mut after = ask.before.clone();
    let mut steps = Steps::default();
    let mut name = None;
    for operation in ask.operations() {
        after.replay(&operation.what, NOW);
        match &operation.what {
            Operation::Alter(_, action) if matches!(**action, AlterAction::AddColumn { .. }) => {
                steps.phases.push(column::phase(ask, operation)?)
            }
            Operation::AddConstraint(add) if add.written != Written::CreateTable => {
                let (relation, made) = find(&after, add, &operation.what)?;
                let added = Added { ask, add, span: operation.span, made, relation, after: &after };
                name.get_or_insert_with(|| format!("add-{}", made.name));
                added.cook(indexed, &mut steps)?;
            }
            Operation::AlterDomain { action: DomainAction::AddCheck { .. } | DomainAction::SetNotNull, .. } => return Err(of_domain()),
            _ => return Err(Refusal::Unknown("the statement does more than to add constraints".to_owned())),
        }
    }
    let name = name.ok_or_else(|| Refusal::Unknown("this adds no constraint".to_owned()))?;
    let Steps { phases, manual, differs } = steps;
    Ok(Cooked { name, phases, manual, differs })
}

fn of_domain() -> Refusal {
    Refusal::Window(
        "a domain's condition is checked, and validated as well, under SHARE on each table that has a column of it: writes wait. Without a \
         window: leave it NOT VALID, and demand the same by a CHECK of each table, which VALIDATE CONSTRAINT proves while others write"
            .to_owned(),
    )
}

/// The table and its newest constraint.
fn find<'a>(after: &'a Catalog, add: &AddConstraint, what: &Operation) -> Result<(&'a Relation, &'a Constraint), Refusal> {
    let table = add.table.sql();
    let Lookup::Known(relation) = after.relation(&add.table) else { return Err(Refusal::Unknown(format!("there is no `{table}`"))) };
    if !relation.is_table() {
        return Err(Refusal::Unknown(format!("`{table}` is no table")));
    }
    let newest = relation.constraints.iter().rev().find(|constraint| constraint.added_in == NOW);
    let known = newest.filter(|made| matches!(what, Operation::AddConstraint(add) if same_kind(&add.kind, &made.kind)));
    known.map(|made| (relation, made)).ok_or_else(|| Refusal::Unknown(format!("`{table}` has such a constraint already")))
}

fn same_kind(one: &ConstraintKind, other: &ConstraintKind) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}

impl Added<'_> {
    fn cook(&self, indexed: Indexed, steps: &mut Steps) -> Result<(), Refusal> {
        match &self.made.kind {
            ConstraintKind::Check { expression } => steps.phases.extend(check::phases(self, expression)?),
            ConstraintKind::NotNull { column } => steps.phases.extend(not_null::constraint(self, column)?),
            ConstraintKind::ForeignKey(key) => foreign_key::cook(self, key, indexed, steps)?,
            ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => key::cook(self, key, steps)?,
            ConstraintKind::Exclude { .. } => return Err(self.of_exclusion()),
        }
        Ok(())
    }

    fn of_exclusion(&self) -> Refusal {
        let table = self.table();
        Refusal::Window(format!(
            "EXCLUDE has neither NOT VALID nor USING INDEX, so its index is built and every row of {table} compared while nobody else can use \
             the table. Without a window: make a new table that has the constraint from the start, keep it equal by a trigger, fill it in \
             batches, and let the two change names"
        ))
    }

    /// The table as the statement writes it.
    fn table(&self) -> String {
        self.add.table.sql()
    }

    /// ALTER TABLE, up to what it is to do.
    fn alter(&self) -> String {
        format!("ALTER TABLE {}{}", if self.add.only { "ONLY " } else { "" }, self.table())
    }

    /// Another relation of this table's schema: with the schema if the statement writes one.
    fn beside(&self, name: &QualifiedName) -> String {
        let schema = (self.add.table.schema.is_some() || name.schema != self.relation.name.schema).then(|| name.schema.clone());
        Name { schema, name: name.name.clone() }.sql()
    }

    /// The constraint as the statement defines it, without its name: a constraint of a table, even if it is written in a column.
    fn body(&self) -> String {
        let source = self.ask.source;
        let tokens: Vec<_> = Lexer::new(source, self.span).collect();
        let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is_word(source, word));
        let mut at = usize::from(is(0, "ADD"));
        if is(at, "CONSTRAINT") {
            at += 2;
        }
        let start = tokens.get(at).map_or(self.span.start, |token| token.span.start);
        let text = self.ask.text(Span::new(start, self.span.end)).into_owned();
        match &self.add.kind {
            ConstraintKind::ForeignKey(key) if self.add.written == Written::AddColumn => {
                format!("FOREIGN KEY {} {text}", crate::plan::definition::list(&key.columns))
            }
            _ => text,
        }
    }

    /// ADD CONSTRAINT as the statement has it, by its name.
    fn add_to(&self, alter: &str, name: &crate::model::name::Ident, tail: &str) -> String {
        format!("{alter} ADD CONSTRAINT {} {}{tail}", name.sql(), self.body())
    }

    /// Whether rows that exist are looked at when it is added; if not, there is nothing to plan.
    fn looks_at_rows(&self) -> bool {
        !self.add.not_valid && self.add.enforced
    }

    fn definitions(&self) -> Definitions<'_> {
        Definitions::new(self.after).written(&self.relation.name, &self.add.table)
    }

    /// A query that shows that a constraint is there and proven.
    fn is_validated(&self, table: &str, name: &crate::model::name::Ident) -> String {
        format!(
            "SELECT convalidated FROM pg_constraint WHERE conrelid = {}::regclass AND conname = {}",
            literal(table),
            literal(name.as_str())
        )
    }

    /// The partitions that have rows, theirs included.
    fn leaves(&self) -> Vec<&Relation> {
        let below = self.after.descendants(&self.relation.name);
        below.iter().filter_map(|name| self.after.get(name)).filter(|relation| relation.partition_by.is_none()).collect()
    }

    /// A query that shows that the table still has only the partitions that the plan knows.
    fn has_only(&self, leaves: &[&Relation]) -> String {
        format!("SELECT count(*) = {} FROM pg_partition_tree({}) WHERE isleaf", leaves.len(), literal(&self.table()))
    }

    /// Whether a table is partitioned has to be known.
    fn partitioned(&self) -> Result<bool, Refusal> {
        let relation = self.ask.table(&self.add.table)?;
        if relation.made_in.is_none() {
            return Err(Refusal::Unknown(format!("the history does not tell whether {} is partitioned", self.table())));
        }
        Ok(relation.partition_by.is_some())
    }
}

/// What is taken to be a text, as SQL.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn gap(what: impl std::fmt::Display) -> impl FnOnce(Gap) -> Refusal {
    move |gap| Refusal::Unknown(format!("{what} cannot be written down: {gap}"))
}
