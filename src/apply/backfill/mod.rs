//! A change of many rows, made a few at a time: each batch commits together with the place up to which the table has been gone through, so
//! that every row is changed exactly once, whatever happens in between.

pub mod file;
pub mod pace;
pub mod splice;
pub mod throttle;
pub mod way;

use super::hash;
use super::step::{Kind, Step};
use crate::model::operation::Operation;
use crate::plan::header;
use crate::problem::Problem;
use crate::sql::{Script, Statement};
use crate::text::SourceFile;
use std::sync::Arc;

/// The one step of a file that says of itself that it is run in batches; `None`: it does not, or it is a loop that commits for itself.
///
/// # Errors
/// The file says so, and its SQL cannot be run like that.
pub fn step(source: &Arc<SourceFile>, script: &Script) -> Option<Result<Step, Problem>> {
    header::batches(source, &script.comments)?;
    script.statements.iter().find(|statement| is_change(statement))?;
    let [statement] = &script.statements[..] else {
        let second = script.statements.get(1).map_or(script.statements[0].span, |second| second.span);
        let problem = Problem::new("apply::backfill", "a file that is run in batches has one statement");
        return Some(Err(problem.help("put the others into files of their own, before it or behind it").at(
            source,
            second,
            "this is another",
        )));
    };
    if let Err(refused) = splice::read(source, statement) {
        let problem = Problem::new("apply::backfill", refused.why).help(refused.help);
        return Some(Err(problem.at(source, refused.span, "this")));
    }
    let hash = hash::normalised([(&**source, statement.span)]);
    Some(Ok(Step { number: 1, kind: Kind::Backfill, statements: vec![0], hash }))
}

fn is_change(statement: &Statement) -> bool {
    let is = |what: &Operation| {
        matches!(
            what,
            Operation::Update(_) | Operation::Delete(_) | Operation::Insert(_) | Operation::Merge { .. } | Operation::Truncate { .. }
        )
    };
    statement.operations.iter().any(|operation| is(&operation.what))
}

/// Between the path of a file and the hash of its SQL, where it is run as a job of its own.
pub const SEPARATOR: char = '#';
