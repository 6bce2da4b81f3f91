//! CHECK: NOT VALID, then VALIDATE.

use super::Added;
use crate::model::expression::Expression;
use crate::model::operation::Written;
use crate::plan::{Phase, Refusal, Stage, statement};
use crate::rule::guard;

/// Two phases: it holds for new rows, then for all.
pub(super) fn phases(added: &Added<'_>, condition: &Expression) -> Result<Vec<Phase>, Refusal> {
    if !added.looks_at_rows() {
        return Err(Refusal::Unknown(format!("{} looks at no row as it is", added.made.name.sql())));
    }
    let (table, alter, name) = (added.table(), added.alter(), &added.made.name);
    let mut add = Phase::new(Stage::Expand, format!("add {name}"))
        .run_accepting(added.add_to(&alter, name, " NOT VALID"), &["add-constraint-never-validated"])
        .why("Holds for every new row and every row that is changed; ACCESS EXCLUSIVE for a moment, since no old row is read.")
        .meanwhile("reads and writes as ever; a row that breaks the condition is refused")
        .back(format!("{alter} DROP CONSTRAINT {}", name.sql()));
    // In a new column there is no code yet that writes it, and every row has the same value.
    if let (Written::AddConstraint, Some(condition)) = (added.add.written, statement::on_one_line(added.ask.source, condition.span)) {
        add = add
            .deploy(format!("code that writes no row of {table} for which ({condition}) is false"))
            .assert(guard::holds(&table, &condition));
    }
    Ok(vec![add, validate(added, &alter)])
}

/// The phase that proves a constraint for the rows that are there.
pub(super) fn validate(added: &Added<'_>, alter: &str) -> Phase {
    let name = &added.made.name;
    Phase::new(Stage::Migrate, format!("validate {name}"))
        .run(format!("{alter} VALIDATE CONSTRAINT {}", name.sql()))
        .why("Reads all rows under SHARE UPDATE EXCLUSIVE, which lets reads and writes through.")
        .meanwhile("reads and writes as ever")
        .verify(added.is_validated(&added.table(), name))
}
