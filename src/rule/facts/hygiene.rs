//! Facts about a migration as something to be read and undone: its name, its head, its comments, how much it does at once.

use super::{Fact, Kind, Value};
use crate::model::catalog::Lookup;
use crate::model::kind::OpKind;
use crate::model::name::{Name, QualifiedName};
use crate::model::operation::{AlterAction, ConstraintKind, ObjectKind, Operation, Persistence};
use crate::rule::moment::{Moment, WayBack};
use foldhash::{HashMap, HashSet};

const MIGRATION: &[OpKind] = &[OpKind::Migration];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "statements", kind: Kind::Number, of: MIGRATION, read: |m| m.file.len().into(),
           doc: "how many statements it has" },
    Fact { name: "file_name", kind: Kind::Words(&["telling", "number", "hash", "short"]), of: MIGRATION, read: |m| Value::Word(file_name(&m.migration.name)),
           doc: "what its name says beside the version: nothing but a number, a hash, or less than three letters" },
    Fact { name: "way_back", kind: Kind::Words(&["there", "missing", "not_usual"]), of: MIGRATION, read: way_back,
           doc: "whether a file or a part of this one undoes it; `not_usual` if nothing does, nor undoes those right before it" },
    Fact { name: "undoable", kind: Kind::Bool, of: MIGRATION, read: |m| operations(m).any(can_be_undone).into(),
           doc: "it changes something that another statement could change back: not only rows, settings, comments and values of an enum" },
    Fact { name: "unrelated_tables", kind: Kind::Number, of: MIGRATION, read: |m| unrelated(m).len().into(),
           doc: "older tables that it changes; those that a foreign key or a parent joins count once" },
    Fact { name: "changed_tables", kind: Kind::Text, of: MIGRATION, read: |m| unrelated(m).join(", ").into(),
           doc: "one of each" },
    Fact { name: "uncommented", kind: Kind::Words(&["none", "some"]), of: MIGRATION, read: uncommented,
           doc: "tables that it makes and that no COMMENT of the file explains" },
    Fact { name: "header", kind: Kind::Bool, of: OpKind::ALL, read: |m| m.migration.header.into(),
           doc: "the file begins with a comment of three words or more that is no directive" },
];

fn file_name(name: &str) -> &'static str {
    let letters = name.chars().filter(|c| c.is_alphabetic()).count();
    let is_hash = name.len() >= 7 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) && name.bytes().any(|byte| byte.is_ascii_digit());
    match letters {
        0 => "number",
        _ if is_hash => "hash",
        1 | 2 => "short",
        _ => "telling",
    }
}

fn way_back<'a>(m: &Moment<'a>) -> Value<'a> {
    Value::Word(match m.migration.way_back {
        WayBack::There => "there",
        WayBack::Missing => "missing",
        WayBack::NotUsual => "not_usual",
    })
}

fn operations<'a>(m: &Moment<'a>) -> impl Iterator<Item = &'a Operation> {
    m.file.iter().flat_map(|statement| statement.operations.iter().map(|operation| &operation.what))
}

fn can_be_undone(operation: &Operation) -> bool {
    !matches!(
        operation.kind(),
        OpKind::Insert
            | OpKind::Update
            | OpKind::Delete
            | OpKind::Merge
            | OpKind::Copy
            | OpKind::Select
            | OpKind::Set
            | OpKind::Reset
            | OpKind::Begin
            | OpKind::Commit
            | OpKind::Comment
            | OpKind::Analyze
            | OpKind::Vacuum
            | OpKind::AddEnumValue
    )
}

/// Two tables that belong together.
type Link = (QualifiedName, QualifiedName);

/// The older tables that the file changes, each with the index of its statement, and which of them foreign keys join.
fn changes(m: &Moment<'_>) -> (Vec<(usize, QualifiedName)>, Vec<Link>) {
    let mut made: HashSet<QualifiedName> = HashSet::default();
    let mut changed: Vec<(usize, QualifiedName)> = Vec::new();
    let mut links: Vec<Link> = Vec::new();
    let all = m.file.iter().enumerate().flat_map(|(at, statement)| statement.operations.iter().map(move |operation| (at, &operation.what)));
    for (at, operation) in all {
        match operation {
            Operation::CreateTable(table) => drop(made.insert(m.before.creation_name(&table.name, table.persistence))),
            Operation::CreateTableAs(table) => drop(made.insert(m.before.creation_name(&table.name, table.persistence))),
            Operation::AddConstraint(constraint) => {
                let table = m.before.resolve(&constraint.table);
                if let ConstraintKind::ForeignKey(key) = &constraint.kind {
                    links.push((table.clone(), m.before.resolve(&key.referenced)));
                }
                changed.push((at, table));
            }
            Operation::Alter(target, action) if changes_shape(action) && target.written == ObjectKind::Table => {
                changed.push((at, m.before.resolve(&target.name)));
            }
            Operation::Drop(drop) if drop.object == ObjectKind::Table => changed.push((at, m.before.resolve(&drop.name))),
            _ => {}
        }
    }
    changed.retain(|(_, table)| !made.contains(table));
    let mut seen = HashSet::default();
    for (_, table) in changed.iter().filter(|(_, table)| seen.insert(table)) {
        links.extend(known_links(m, table).into_iter().map(|other| (table.clone(), other)));
    }
    (changed, links)
}

/// One table of each group of older tables that the file changes.
fn unrelated(m: &Moment<'_>) -> Vec<String> {
    let (changed, links) = changes(m);
    let tables: Vec<_> = changed.into_iter().map(|(_, table)| table).collect();
    groups(&tables, &links).into_iter().map(|group| format!("`{}`", group[0].name.sql())).collect()
}

/// Where a file about several groups of tables goes over from one to another.
pub struct Parting {
    /// The first statement behind it, by its index in the file.
    pub at: usize,
    /// The table that it changes.
    pub table: String,
}

/// Where the file goes over from one group of older tables to another; none if it is about one.
pub fn partings(m: &Moment<'_>) -> Vec<Parting> {
    let (changed, links) = changes(m);
    let tables: Vec<_> = changed.iter().map(|(_, table)| table.clone()).collect();
    let groups = groups(&tables, &links);
    let group = |table: &QualifiedName| groups.iter().position(|group| group.contains(&table));
    let goes_over = |pair: &[(usize, QualifiedName)]| {
        let [(before, one), (at, other)] = pair else { return None };
        (before < at && group(one) != group(other)).then(|| Parting { at: *at, table: other.name.sql() })
    };
    changed.windows(2).filter_map(goes_over).collect()
}

fn changes_shape(action: &AlterAction) -> bool {
    !matches!(
        action,
        AlterAction::ValidateConstraint { .. } | AlterAction::SetOptions { .. } | AlterAction::OwnerTo { .. } | AlterAction::RowSecurity(_)
    )
}

/// Tables that an older foreign key, partition or parent joins to this one.
fn known_links(m: &Moment<'_>, table: &QualifiedName) -> Vec<QualifiedName> {
    let Some(relation) = m.before.get(table) else { return Vec::new() };
    let referenced = relation.constraints.iter().filter_map(|constraint| constraint.referenced.clone());
    let parents = relation.inherits.iter().cloned().chain(relation.partition_of.iter().map(|(parent, _)| parent.clone()));
    referenced.chain(parents).collect()
}

/// Tables by groups that links join, each with those on the way; the first table of a group leads it.
fn groups<'t>(tables: &'t [QualifiedName], links: &'t [Link]) -> Vec<Vec<&'t QualifiedName>> {
    let mut near: HashMap<&QualifiedName, Vec<&QualifiedName>> = HashMap::default();
    for (one, other) in links {
        near.entry(one).or_default().push(other);
        near.entry(other).or_default().push(one);
    }
    let mut reached: HashSet<&QualifiedName> = HashSet::default();
    let mut groups = Vec::new();
    for table in tables {
        if reached.contains(table) {
            continue;
        }
        let (mut group, mut open) = (Vec::new(), vec![table]);
        while let Some(next) = open.pop() {
            if reached.insert(next) {
                group.push(next);
                open.extend(near.get(next).into_iter().flatten());
            }
        }
        groups.push(group);
    }
    groups
}

fn uncommented<'a>(m: &Moment<'a>) -> Value<'a> {
    let explained: HashSet<&Name> = operations(m)
        .filter_map(|operation| match operation {
            Operation::Comment { object: ObjectKind::Table | ObjectKind::ForeignTable, name: Some(name), .. } => Some(name),
            _ => None,
        })
        .collect();
    let silent: Vec<String> = operations(m)
        .filter_map(|operation| match operation {
            Operation::CreateTable(table) if table.persistence != Persistence::Temporary && table.partition_of.is_none() => Some(table),
            _ => None,
        })
        .filter(|table| !explained.contains(&table.name) && !matches!(m.before.relation(&table.name), Lookup::Known(_)))
        .map(|table| table.name.sql())
        .collect();
    if silent.is_empty() { Value::Word("none") } else { Value::Named("some", silent.join(super::BETWEEN_NAMES).into()) }
}
