//! The column that brings constraints: added without them.

use crate::model::effects;
use crate::model::operation::{AddConstraint, AlterAction, Operation, Written};
use crate::model::session::{Session, TransactionMode};
use crate::plan::{Ask, Phase, Refusal, Stage};
use crate::text::{Located, Span};

/// ADD COLUMN without the constraints that the statement adds with it. NOT NULL and the default stay.
pub(super) fn phase(ask: &Ask<'_>, operation: &Located<Operation>) -> Result<Phase, Refusal> {
    let Operation::Alter(target, action) = &operation.what else { return Err(Refusal::Unknown("this adds no column".to_owned())) };
    let AlterAction::AddColumn { column, if_not_exists } = &**action else {
        return Err(Refusal::Unknown("this adds no column".to_owned()));
    };
    let (table, name) = (target.name.sql(), column.name.sql());
    if *if_not_exists {
        return Err(Refusal::Unknown(format!("IF NOT EXISTS: whether {table}.{name} is there already cannot be told")));
    }
    let has_value = column.default.is_some() || column.identity.is_some() || column.generated.is_some();
    if column.not_null && !has_value {
        return Err(Refusal::Unknown(format!("the rows of {table} have no value for {name}, and nothing tells which they should get")));
    }
    let session = Session::new(TransactionMode::None, super::NOW);
    let effects = effects::assess(std::slice::from_ref(operation), ask.before, &session, ask.server);
    if effects.iter().any(|effects| !effects.rewrites.is_empty()) {
        return Err(Refusal::Unknown(format!("adding {name} alone rewrites {table} already; that has a plan of its own")));
    }
    let alter = format!("ALTER TABLE {}{table}", if target.only { "ONLY " } else { "" });
    Ok(Phase::new(Stage::Expand, format!("add {}", column.name))
        .run(format!("{alter} {}", without_constraints(ask, operation.span)))
        .why("The column alone: the catalog changes, no row is read or written.")
        .meanwhile("reads and writes as ever, and does not know the column yet")
        .back(format!("{alter} DROP COLUMN {name}")))
}

/// The text of ADD COLUMN with its constraints cut out.
fn without_constraints(ask: &Ask<'_>, span: Span) -> String {
    let mut text = String::new();
    let mut from = span.start;
    let cut = ask.operations().filter(|operation| {
        matches!(&operation.what, Operation::AddConstraint(add) if is_in_column(add))
            && operation.span.start >= span.start
            && operation.span.end <= span.end
    });
    for operation in cut {
        text.push_str(ask.text(Span::new(from, operation.span.start)).trim_end());
        from = operation.span.end;
    }
    text.push_str(&ask.text(Span::new(from, span.end)));
    text
}

fn is_in_column(add: &AddConstraint) -> bool {
    add.written == Written::AddColumn
}
