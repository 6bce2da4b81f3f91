//! Values that a file copies and whose first place it drops: no plan for each of the two is one for both.
//!
//! A copy in batches passes over a row once. What is written to the row behind that, while the column is still in use, stays in the old place
//! and goes with it. As written, one transaction holds the table from the copy to the drop; phases do not.

use crate::model::name::{Ident, Name};
use crate::model::operation::{AlterAction, InsertSource, ObjectKind, Operation};
use crate::sql::Statement;
use crate::sql::lex::Lexer;
use crate::text::SourceFile;
use std::collections::BTreeSet;

/// The statements of a file that copy values which it drops, and those that drop them, by their place in the file. A file that creates a
/// trigger on the table keeps both places equal itself.
pub(super) fn moves(source: &SourceFile, statements: &[Statement]) -> BTreeSet<usize> {
    let mut moves = BTreeSet::new();
    for (at, statement) in statements.iter().enumerate() {
        let dropped = statement.operations.iter().filter_map(|operation| dropped(&operation.what));
        for (table, column) in dropped {
            let earlier = &statements[..at];
            if earlier.iter().any(|statement| guards(statement, table)) {
                continue;
            }
            let copies: Vec<_> = (0..at).filter(|earlier| copies(source, &statements[*earlier], table, column)).collect();
            if !copies.is_empty() {
                moves.extend(copies);
                moves.insert(at);
            }
        }
    }
    moves
}

/// What is said of each of them.
pub(super) fn reason() -> String {
    "the file copies values and drops the place that they come from: what is written there behind a copy in batches would be lost. \
     First a trigger that keeps both places equal, then the copy, then code that uses only the new one, then the drop; or all of it in one window"
        .to_owned()
}

/// The table whose values go, and the column if it is one.
fn dropped(operation: &Operation) -> Option<(&Name, Option<&Ident>)> {
    match operation {
        Operation::Alter(target, action) => match &**action {
            AlterAction::DropColumn { column, .. } => Some((&target.name, Some(column))),
            _ => None,
        },
        Operation::Drop(drop) if drop.object == ObjectKind::Table => Some((&drop.name, None)),
        _ => None,
    }
}

fn guards(statement: &Statement, table: &Name) -> bool {
    let is_trigger = |operation: &Operation| matches!(operation, Operation::CreateTrigger(trigger) if is(&trigger.table, table));
    statement.operations.iter().any(|operation| is_trigger(&operation.what))
}

/// Whether a statement reads the column, or the table, and puts what it reads elsewhere.
fn copies(source: &SourceFile, statement: &Statement, table: &Name, column: Option<&Ident>) -> bool {
    let reads = |operation: &Operation| match operation {
        Operation::Insert(insert) => matches!(insert.source, InsertSource::Query { .. }) && insert.reads.iter().any(|read| is(read, table)),
        Operation::Update(update) => {
            let of_itself = is(&update.table, table);
            let sets_it = of_itself && column.is_none_or(|column| update.columns.contains(column));
            !sets_it && (of_itself || update.reads.iter().any(|read| is(read, table)))
        }
        _ => false,
    };
    let names = |column: &Ident| Lexer::new(source, statement.span).any(|token| token.ident(source).is_some_and(|name| name == *column));
    statement.operations.iter().any(|operation| reads(&operation.what)) && column.is_none_or(names)
}

/// Whether two names, as written, may be of the same table.
fn is(one: &Name, other: &Name) -> bool {
    one.name == other.name && (one.schema.is_none() || other.schema.is_none() || one.schema == other.schema)
}
