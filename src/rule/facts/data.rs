//! Facts about statements that change rows, and about COPY.

use super::{Fact, Kind, Value, table};
use crate::model::catalog::Relation;
use crate::model::expression::{Expression, Predicate};
use crate::model::kind::OpKind;
use crate::model::name::Ident;
use crate::model::operation::{ConstraintKind, InsertSource, Operation};
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
    Fact { name: "psql", kind: Kind::Words(&["allowed", "refused", "untold"]), of: &[OpKind::Copy, OpKind::PsqlCommand], read: psql,
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
    match m.operation() {
        Some(Operation::Insert(insert)) => match insert.source {
            InsertSource::Values { rows } => (rows <= HANDFUL).into(),
            InsertSource::Query { limited, .. } => limited.into(),
            InsertSource::DefaultValues => true.into(),
        },
        Some(Operation::Merge { .. }) => false.into(),
        _ => match condition(m) {
            None => Value::Unknown,
            Some((None, current_of)) => current_of.into(),
            Some((Some(filter), _)) => is_bounded(filter, table::relation(m)).into(),
        },
    }
}

/// `None` where it depends on a column of which nothing is known.
fn is_bounded(filter: &Expression, table: Option<&Relation>) -> Option<bool> {
    let has = |column: &Ident, operators: &[&str]| {
        filter
            .conjuncts
            .iter()
            .any(|part| matches!(part, Predicate::Compare { column: c, operator, .. } if c == column && operators.contains(&&**operator)))
    };
    let bounds = |part: &Predicate| match part {
        Predicate::Compare { column, operator, .. } => match &**operator {
            "=" => is_unique(column, table),
            ">" | ">=" => Some(has(column, &["<", "<="])),
            _ => Some(false),
        },
        Predicate::InList(column) => match is_unique(column, table) {
            // A list is written by hand: what it names is a handful, unless the column is known to repeat.
            None => Some(true),
            known => known,
        },
        Predicate::InQuery { limited, .. } => Some(*limited),
        Predicate::IsNotNull(_) | Predicate::IsNull(_) | Predicate::True | Predicate::Other => Some(false),
    };
    let answers: Vec<_> = filter.conjuncts.iter().map(bounds).collect();
    if answers.contains(&Some(true)) {
        return Some(true);
    }
    if answers.contains(&None) { None } else { Some(false) }
}

/// Whether a column alone is a key; `None` if the table is not known well enough.
fn is_unique(column: &Ident, table: Option<&Relation>) -> Option<bool> {
    let table = table?;
    let alone = |columns: &[Ident]| columns.len() == 1 && columns[0] == *column;
    let key = table.constraints.iter().any(|constraint| match &constraint.kind {
        ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => alone(&key.columns),
        ConstraintKind::Check { .. } | ConstraintKind::NotNull { .. } | ConstraintKind::Exclude { .. } | ConstraintKind::ForeignKey(_) => {
            false
        }
    });
    if key {
        return Some(true);
    }
    if table.complete { Some(false) } else { None }
}
