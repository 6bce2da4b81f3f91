//! NOT NULL: proven by a CHECK that is validated while others write; from 18 on by the constraint itself.

use super::{Added, Cooked, literal};
use crate::model::catalog::{Column, Lookup, Relation};
use crate::model::expression::Constant;
use crate::model::name::{Ident, Name, QualifiedName};
use crate::model::operation::{AlterAction, ConstraintKind, Operation};
use crate::plan::backfill::Backfill;
use crate::plan::names::Names;
use crate::plan::{Ask, Phase, Refusal, Stage};
use crate::rule::guard;

/// From this version on NOT NULL is a constraint that may be NOT VALID.
pub(super) const NOT_NULL_NOT_VALID: u8 = 18;

/// Columns of a table that are to be NOT NULL.
pub(super) struct Wanted<'a> {
    pub ask: &'a Ask<'a>,
    /// The table, as the statement writes it.
    pub table: &'a Name,
    pub columns: Vec<Ident>,
    /// Whether rows without a value get the column's default, where one is known.
    pub fill: bool,
    /// Partitions, as SQL, that will keep the constraints as their own when the table drops them.
    pub keepers: Vec<String>,
}

/// The phases, and where their end differs from that of the statement.
pub(super) struct Required {
    pub phases: Vec<Phase>,
    pub differs: Vec<String>,
}

/// Phases for SET NOT NULL of one column or several, or for a NOT NULL constraint.
pub(in crate::plan::recipe) fn cook(ask: &Ask<'_>) -> Result<Cooked, Refusal> {
    if let Some(Operation::AddConstraint(_)) = ask.operation() {
        return super::cook(ask, super::Indexed::Elsewhere);
    }
    let mut table: Option<&Name> = None;
    let mut columns = Vec::new();
    for operation in ask.operations() {
        let Operation::Alter(target, action) = &operation.what else { return Err(no()) };
        let AlterAction::SetNotNull { column } = &**action else { return Err(no()) };
        if target.only || table.is_some_and(|table| *table != target.name) {
            return Err(Refusal::Unknown("the plan is for one table, and not for ONLY it".to_owned()));
        }
        table = Some(&target.name);
        columns.push(column.clone());
    }
    let table = table.ok_or_else(no)?;
    let words = columns.iter().map(Ident::as_str).collect::<Vec<_>>().join("-");
    let name = format!("require-{}-{words}", table.name);
    let required = Wanted { ask, table, columns, fill: true, keepers: Vec::new() }.phases()?;
    let Required { phases, differs } = required;
    Ok(Cooked { name, phases, manual: Vec::new(), differs })
}

fn no() -> Refusal {
    Refusal::Unknown("this sets no column NOT NULL".to_owned())
}

impl Wanted<'_> {
    /// A backfill where a default is known, the proof, and NOT NULL itself.
    pub fn phases(&self) -> Result<Required, Refusal> {
        let relation = match self.ask.before.relation(self.table) {
            Lookup::Known(relation) => Some(relation),
            Lookup::Unknown => None,
            Lookup::Absent => return Err(Refusal::Unknown(format!("there is no `{}`", self.table.sql()))),
        };
        let fills = |column: &&Ident| self.fill && relation.is_some_and(|relation| has_default(relation, column));
        let filled: Vec<&Ident> = self.columns.iter().filter(fills).collect();
        let mut phases: Vec<Phase> = filled.iter().map(|column| self.backfill(column)).collect::<Result<_, _>>()?;
        phases.extend(if self.ask.server.0 < NOT_NULL_NOT_VALID { self.by_check() } else { self.by_constraint() });
        let told =
            |column: &&Ident| format!("rows without a value get the default of `{}.{}`, and keep it", self.table.sql(), column.sql());
        Ok(Required { phases, differs: filled.iter().map(told).collect() })
    }

    fn schema(&self) -> QualifiedName {
        self.ask.before.resolve(self.table)
    }

    /// Rows that have no value.
    fn missing(&self, columns: &[&Ident], joint: &str, word: &str) -> String {
        columns.iter().map(|column| format!("{} IS {word}", column.sql())).collect::<Vec<_>>().join(joint)
    }

    fn shown(&self, joint: &str) -> String {
        self.columns.iter().map(Ident::as_str).collect::<Vec<_>>().join(joint)
    }

    fn backfill(&self, column: &Ident) -> Result<Phase, Refusal> {
        let (table, column_sql) = (self.table.sql(), column.sql());
        let (set, rows) = (format!("{column_sql} = DEFAULT"), format!("{column_sql} IS NULL"));
        let verify = guard::none_missing(&table, std::slice::from_ref(column));
        let fill = Backfill { table, set: Some(set), rows };
        Ok(fill
            .phase(self.ask, self.table, format!("fill {column}"))?
            .deploy(self.deploy())
            .why("Gives the rows without a value the column's default, in batches. Where NULL means something else, change those rows first.")
            .meanwhile("reads and writes as ever")
            .verify(verify))
    }

    fn deploy(&self) -> String {
        format!("code that gives every row of {} a value for {}", self.table.sql(), self.shown(" and "))
    }

    fn first(&self, phase: Phase) -> Phase {
        phase
            .deploy(self.deploy())
            .assert(guard::none_missing(&self.table.sql(), &self.columns))
            .why("Holds for every new row and every row that is changed; ACCESS EXCLUSIVE for a moment, since no old row is read.")
            .meanwhile("reads and writes as ever; a row without a value is refused")
    }

    fn validated(&self, phase: Phase) -> Phase {
        phase.why("Reads all rows under SHARE UPDATE EXCLUSIVE, which lets reads and writes through.").meanwhile("reads and writes as ever")
    }

    /// By a CHECK, which goes again.
    fn by_check(&self) -> Vec<Phase> {
        let (table, at) = (self.table.sql(), self.schema());
        let stem = format!("{}_{}", at.name, self.columns.iter().map(Ident::as_str).collect::<Vec<_>>().join("_"));
        let check = Names::new(self.ask.before).free(&at.schema, &stem, "_is_set").sql();
        let columns: Vec<&Ident> = self.columns.iter().collect();
        let add = format!("ALTER TABLE {table} ADD CONSTRAINT {check} CHECK ({}) NOT VALID", self.missing(&columns, " AND ", "NOT NULL"));
        let set = |word: &str| {
            self.columns.iter().map(|column| format!("ALTER COLUMN {} {word} NOT NULL", column.sql())).collect::<Vec<_>>().join(", ")
        };
        let proof = Phase::new(Stage::Expand, format!("prove {}", self.shown(" ")))
            .run_accepting(add.clone(), &["add-constraint-never-validated"])
            .back(format!("ALTER TABLE {table} DROP CONSTRAINT {check}"));
        let validate = Phase::new(Stage::Migrate, format!("validate {}", self.shown(" ")))
            .run(format!("ALTER TABLE {table} VALIDATE CONSTRAINT {check}"));
        let last = Phase::new(Stage::Migrate, format!("require {}", self.shown(" ")))
            .run(format!("ALTER TABLE {table} {}", set("SET")))
            .run_accepting(format!("ALTER TABLE {table} DROP CONSTRAINT {check}"), &["drop-constraint", "alter-table-twice"])
            .why("The CHECK proves it, so no row is read; in a statement of its own, since one that also drops the CHECK would read all rows.")
            .meanwhile("reads and writes wait for a moment")
            .back(add)
            .back(format!("ALTER TABLE {table} {}", set("DROP")));
        vec![self.first(proof), self.validated(validate), self.columns.iter().fold(last, |last, column| last.verify(self.is_set(column)))]
    }

    /// By the constraint that SET NOT NULL would make, under the name that it would give.
    fn by_constraint(&self) -> Vec<Phase> {
        let (table, at) = (self.table.sql(), self.schema());
        let named = |column: &Ident| {
            let name = self.ask.before.constraint_name(&at, None, &ConstraintKind::NotNull { column: column.clone() });
            (column.sql(), name.sql())
        };
        let named: Vec<(String, String)> = self.columns.iter().map(named).collect();
        let each = |part: &dyn Fn(&(String, String)) -> String| {
            format!("ALTER TABLE {table} {}", named.iter().map(part).collect::<Vec<_>>().join(", "))
        };
        let add = Phase::new(Stage::Expand, format!("require {}", self.shown(" ")))
            .run_accepting(
                each(&|(column, name)| format!("ADD CONSTRAINT {name} NOT NULL {column} NOT VALID")),
                &["add-constraint-never-validated"],
            )
            .back(each(&|(_, name)| format!("DROP CONSTRAINT {name}")));
        let gone = named.iter().map(|(_, name)| format!("DROP CONSTRAINT IF EXISTS {name}")).collect::<Vec<_>>().join(", ");
        let add = self.keepers.iter().fold(add, |add, keeper| add.back(format!("ALTER TABLE {keeper} {gone}")));
        let validate = Phase::new(Stage::Migrate, format!("validate {}", self.shown(" ")))
            .run(each(&|(_, name)| format!("VALIDATE CONSTRAINT {name}")));
        vec![self.first(add), self.columns.iter().fold(self.validated(validate), |phase, column| phase.verify(self.is_set(column)))]
    }

    fn is_set(&self, column: &Ident) -> String {
        let (table, column) = (literal(&self.table.sql()), literal(column.as_str()));
        format!("SELECT attnotnull FROM pg_attribute WHERE attrelid = {table}::regclass AND attname = {column}")
    }
}

/// ADD CONSTRAINT ... NOT NULL (18).
pub(super) fn constraint(added: &Added<'_>, column: &Ident) -> Result<Vec<Phase>, Refusal> {
    if !added.looks_at_rows() {
        return Err(Refusal::Unknown(format!("{} looks at no row as it is", added.made.name.sql())));
    }
    let (alter, name) = (added.alter(), &added.made.name);
    let wanted = Wanted { ask: added.ask, table: &added.add.table, columns: vec![column.clone()], fill: false, keepers: Vec::new() };
    let add = Phase::new(Stage::Expand, format!("require {column}"))
        .run_accepting(added.add_to(&alter, name, " NOT VALID"), &["add-constraint-never-validated"])
        .back(format!("{alter} DROP CONSTRAINT {}", name.sql()));
    Ok(vec![wanted.first(add), super::check::validate(added, &alter)])
}

/// Whether the history knows a value for rows that have none.
fn has_default(relation: &Relation, column: &Ident) -> bool {
    let gives = |column: &Column| column.default.as_ref().is_some_and(|default| default.constant != Some(Constant::Null));
    relation.column(column).is_some_and(gives)
}
