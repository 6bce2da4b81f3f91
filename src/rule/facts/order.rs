//! Facts about a relation that is not there: who drops it before, who makes it later, or that nobody does.

use super::{Fact, Kind, Value, table};
use crate::model::catalog::{Lookup, Relation};
use crate::model::kind::OpKind;
use crate::model::name::{Name, QualifiedName};
use crate::model::operation::{ConstraintKind, ObjectKind, Operation, Persistence};
use crate::rule::moment::Moment;
use crate::rule::story::Deed;

const OF: &[OpKind] = &[OpKind::Statement];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "missing", kind: Kind::Words(&["no", "dropped", "made_later", "never_made"]), of: OF, read: |m| Value::Word(missing(m).map_or("no", |missing| missing.word())),
           doc: "whether a table or view that the statement works on, or that its foreign keys lead to, is surely not there: dropped before, made only later, or made by no file of a history that is said to be whole; IF EXISTS takes care of it" },
    Fact { name: "missing_name", kind: Kind::Text, of: OF, read: |m| missing_name(m).map(|name| name.sql()).into(),
           doc: "its name" },
    Fact { name: "made_later_at", kind: Kind::Text, of: OF, read: made_later_at,
           doc: "where it is made" },
];

/// Why a relation is not there.
enum Missing<'a> {
    Dropped,
    MadeLater(&'a Deed),
    NeverMade,
}

impl Missing<'_> {
    fn word(&self) -> &'static str {
        match self {
            Self::Dropped => "dropped",
            Self::MadeLater(_) => "made_later",
            Self::NeverMade => "never_made",
        }
    }
}

/// The relations that the statement needs, as it writes them; not those that it makes itself.
fn needed<'a>(m: &Moment<'a>) -> impl Iterator<Item = &'a Name> {
    let operations = || m.statement().into_iter().flat_map(|statement| &statement.operations).map(|operation| &operation.what);
    let made: Vec<&Name> = operations().filter_map(made_by).collect();
    let names = operations().filter(|operation| needs_table(operation)).flat_map(|operation| {
        let referenced = match operation {
            Operation::AddConstraint(constraint) => match &constraint.kind {
                ConstraintKind::ForeignKey(key) => Some(&key.referenced),
                _ => None,
            },
            _ => None,
        };
        table::written(operation).into_iter().chain(referenced)
    });
    names.filter(|name| !made.contains(name)).collect::<Vec<_>>().into_iter()
}

/// Whether it names a table or a view, and fails if that is not there.
fn needs_table(operation: &Operation) -> bool {
    let is_table =
        |object| matches!(object, ObjectKind::Table | ObjectKind::ForeignTable | ObjectKind::View | ObjectKind::MaterializedView);
    match operation {
        Operation::Drop(drop) => !drop.if_exists && is_table(drop.object),
        Operation::Alter(target, _) => !target.if_exists && is_table(target.written),
        Operation::Reindex(_) => false,
        _ => true,
    }
}

fn made_by(operation: &Operation) -> Option<&Name> {
    match operation {
        Operation::CreateTable(create) => Some(&create.name),
        Operation::CreateTableAs(create) => Some(&create.name),
        Operation::CreateView(view) | Operation::CreateMaterializedView(view) => Some(&view.name),
        _ => None,
    }
}

fn missing<'a>(m: &Moment<'a>) -> Option<Missing<'a>> {
    needed(m).find_map(|name| why_missing(m, name))
}

fn missing_name<'a>(m: &Moment<'a>) -> Option<&'a Name> {
    needed(m).find(|name| why_missing(m, name).is_some())
}

fn made_later_at<'a>(m: &Moment<'a>) -> Value<'a> {
    match missing(m) {
        Some(Missing::MadeLater(deed)) => deed.place(m.source).into(),
        Some(Missing::Dropped | Missing::NeverMade) | None => Value::Unknown,
    }
}

fn why_missing<'a>(m: &Moment<'a>, name: &Name) -> Option<Missing<'a>> {
    let resolved = m.before.resolve(name);
    let known = m.before.get(&resolved);
    // Without a version nobody can tell which file runs first.
    let is_placed = m.migration.version.is_some();
    let made = known.is_some_and(is_made);
    let system = resolved.schema.as_str().starts_with("pg_") || resolved.schema == "information_schema";
    if made || system || m.before.may_hide_objects() {
        return None;
    }
    let here = (m.story.file(), m.index.unwrap_or(0));
    let later = m.ahead.maker_of(&resolved).filter(|deed| deed.at > here && m.story.maker_of(&resolved).is_none());
    if let Some(deed) = later.filter(|_| is_placed) {
        return Some(Missing::MadeLater(deed));
    }
    let absent = known.is_none() && m.before.lookup(&resolved) == Lookup::Absent;
    if absent && is_placed && m.story.is_gone(&resolved) {
        return Some(Missing::Dropped);
    }
    // What was only mentioned has been told already.
    let nobody = known.is_none() && m.migration.told_whole && is_in_known_schema(m, &resolved) && later.is_none();
    nobody.then_some(Missing::NeverMade)
}

fn is_made(relation: &Relation) -> bool {
    relation.made_in.is_some() || relation.persistence == Persistence::Temporary
}

/// A dump need not hold all schemas of a database.
fn is_in_known_schema(m: &Moment<'_>, name: &QualifiedName) -> bool {
    matches!(m.before.schema(&name.schema), Lookup::Known(()))
}
