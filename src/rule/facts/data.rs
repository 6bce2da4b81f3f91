//! Facts about statements that change rows, and about COPY.

use super::{Fact, Kind, Value, table};
use crate::model::expression::{Expression, Predicate};
use crate::model::kind::OpKind;
use crate::model::name::{Ident, Name};
use crate::model::operation::{InsertSource, Operation};
use crate::rule::moment::{Moment, PsqlCommands};

/// INSERT ... VALUES with no more rows than this is a handful.
const HANDFUL: u32 = 1000;

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "filter", kind: Kind::Words(&["none", "always_true", "some"]), of: &[OpKind::Update, OpKind::Delete], read: filter,
           doc: "its WHERE" },
    Fact { name: "bounded", kind: Kind::Bool, of: &[OpKind::Update, OpKind::Delete, OpKind::Insert, OpKind::Merge], read: bounded,
           doc: "a key range, a list, a unique value or a LIMIT bounds the number of rows" },
    Fact { name: "data_in_file", kind: Kind::Bool, of: &[OpKind::Copy], read: |m| matches!(m.operation(), Some(Operation::Copy { data: Some(_), .. })).into(),
           doc: "COPY FROM STDIN, with its rows in the file" },
    Fact { name: "psql", kind: Kind::Words(&["allowed", "refused", "untold"]), of: &[OpKind::Copy, OpKind::PsqlCommand, OpKind::Set], read: psql,
           doc: "whether psql runs the files, as lockkeeper.yaml says" },
    Fact { name: "command", kind: Kind::Text, of: &[OpKind::PsqlCommand], read: |m| match m.operation() { Some(Operation::PsqlCommand { word }) => Value::Text((&**word).into()), _ => Value::Unknown },
           doc: "the command, without its backslash" },
];

fn psql<'a>(m: &Moment<'a>) -> Value<'a> {
    Value::Word(match m.migration.psql {
        PsqlCommands::Allowed => "allowed",
        PsqlCommands::Refused => "refused",
        PsqlCommands::Untold => "untold",
    })
}

/// The condition of an UPDATE or DELETE, and whether it is WHERE CURRENT OF.
fn condition<'a>(m: &Moment<'a>) -> Option<(Option<&'a Expression>, bool)> {
    match m.operation()? {
        Operation::Update(update) => Some((update.filter.as_ref(), update.current_of)),
        Operation::Delete(delete) => Some((delete.filter.as_ref(), delete.current_of)),
        _ => None,
    }
}

fn filter<'a>(m: &Moment<'a>) -> Value<'a> {
    Value::Word(match condition(m) {
        Some((None, false)) => "none",
        Some((Some(filter), _)) if filter.understood && filter.conjuncts.iter().all(|part| *part == Predicate::True) => "always_true",
        Some(_) | None => "some",
    })
}

fn bounded<'a>(m: &Moment<'a>) -> Value<'a> {
    if m.nesting().is_some_and(|nesting| nesting.repeats) {
        // A few rows each time, and nothing bounds how often.
        return false.into();
    }
    match m.operation() {
        Some(Operation::Insert(insert)) => match &insert.source {
            InsertSource::Values { rows, .. } => (*rows <= HANDFUL).into(),
            InsertSource::Query { limited: true, .. } | InsertSource::DefaultValues => true.into(),
            InsertSource::Query { limited: false, filters } => is_query_bounded(m, &insert.reads, filters).into(),
        },
        Some(Operation::Merge { limited, .. }) => (*limited).into(),
        _ => match condition(m) {
            None => Value::Unknown,
            Some((None, current_of)) => current_of.into(),
            Some((Some(filter), _)) => filter.bounds_rows(|column| m.before.is_key(&m.before.resolve(&table::name(m)?), column)).into(),
        },
    }
}

/// Whether the rows of a query are few, however large the tables are that it reads.
fn is_query_bounded(m: &Moment<'_>, reads: &[Name], filters: &[Expression]) -> Option<bool> {
    if reads.is_empty() {
        return Some(true);
    }
    // Of several tables nothing tells whose column it is: that of one is enough.
    let is_key = |column: &Ident| {
        let answers = || reads.iter().map(|read| m.before.is_key(&m.before.resolve(read), column));
        if answers().any(|answer| answer == Some(true)) { Some(true) } else { answers().min_by_key(Option::is_some).flatten() }
    };
    let answers: Vec<_> = filters.iter().map(|filter| filter.bounds_rows(is_key)).collect();
    if filters.is_empty() || answers.contains(&Some(false)) {
        return Some(false);
    }
    if answers.contains(&None) { None } else { Some(true) }
}
