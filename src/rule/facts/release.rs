//! Facts about what the same release, or an earlier one, does to put something in the place of a thing, and about a release as a whole.

use super::{Fact, Kind, Value, column, statement, table};
use crate::model::catalog::{Catalog, Column, Index, Relation};
use crate::model::kind::OpKind;
use crate::model::name::{Ident, QualifiedName};
use crate::model::operation::{AlterAction, ConstraintKind, IndexKeyKind, ObjectKind, Operation};
use crate::rule::budget::{Budget, Locked, Opposite};
use crate::rule::moment::{Moment, Subject};
use crate::rule::outline::first_in;
use crate::rule::story::{self, Copied, Deed, Sync};
use crate::text::SourceFile;

const REPLACEABLE: &[OpKind] = &[OpKind::DropColumn, OpKind::RenameColumn, OpKind::DropTable, OpKind::RenameTable];
const TRIGGERS: &[OpKind] = &[OpKind::CreateTrigger, OpKind::DropTrigger];
const RENAMES: &[OpKind] = &[OpKind::RenameColumn, OpKind::RenameTable];
const RELEASE: &[OpKind] = &[OpKind::Release];

/// What belongs to SET NOT NULL stands in the same statement, or in one of the next.
const NEAR: usize = 8;

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "replaced_here", kind: Kind::Bool, of: REPLACEABLE, read: |m| replacement_here(m).is_some().into(),
           doc: "the same release (a file alone is one) adds a column or table and copies rows into it from this one, or adds a column called alike in another file" },
    Fact { name: "replaced_at", kind: Kind::Text, of: REPLACEABLE, read: |m| replacement_here(m).into(),
           doc: "the place of that statement" },
    Fact { name: "added_here", kind: Kind::Bool, of: &[OpKind::SetNotNull], read: |m| added_here(m).is_some().into(),
           doc: "the same release (a file alone is one) adds the column, by the name that it still has" },
    Fact { name: "added_at", kind: Kind::Text, of: &[OpKind::SetNotNull], read: |m| added_here(m).map(|deed| deed.place(m.source)).into(),
           doc: "where the same release adds the column" },
    Fact { name: "given_a_value", kind: Kind::Bool, of: &[OpKind::SetNotNull], read: given_a_value,
           doc: "an INSERT that does not name the column gives it a value: it has a default, is counted or computed, or a trigger sets it" },
    Fact { name: "backfilled_before", kind: Kind::Bool, of: &[OpKind::CreateTrigger], read: |m| backfill_before(m).is_some().into(),
           doc: "an earlier statement of the release copies rows into a column that the release adds and the trigger sets" },
    Fact { name: "backfill_place", kind: Kind::Text, of: &[OpKind::CreateTrigger], read: |m| backfill_before(m).map(|deed| deed.place(m.source)).into(),
           doc: "the place of that statement" },
    Fact { name: "replacement", kind: Kind::Text, of: &[OpKind::DropColumn], read: |m| replacement(m).map(|column| column.name.sql()).into(),
           doc: "the column of the same table that earlier migrations have filled from this one, or keep equal to it" },
    Fact { name: "replacement_lacks", kind: Kind::Bool, of: &[OpKind::DropColumn], read: |m| (!lacks(m).is_empty()).into(),
           doc: "that column lacks something that this one has" },
    Fact { name: "lacking", kind: Kind::Text, of: &[OpKind::DropColumn], read: |m| Some(lacks(m)).filter(|lacks| !lacks.is_empty()).map(|lacks| lacks.join(", ")).into(),
           doc: "what it lacks" },
    Fact { name: "keeps_equal", kind: Kind::Bool, of: TRIGGERS, read: |m| sync(m).is_some().into(),
           doc: "the trigger keeps an older column equal to a newer one, as far as its function's body tells" },
    Fact { name: "old_column", kind: Kind::Text, of: TRIGGERS, read: |m| sync(m).map(|(old, _)| old.sql()).into(),
           doc: "the older of the two" },
    Fact { name: "new_column", kind: Kind::Text, of: TRIGGERS, read: |m| sync(m).map(|(_, new)| new.sql()).into(),
           doc: "the newer of the two" },
    Fact { name: "made_in_release", kind: Kind::Bool, of: &[OpKind::DropTrigger], read: |m| sync_made_in_release(m).is_some().into(),
           doc: "another file of the same release makes the trigger" },
    Fact { name: "made_at", kind: Kind::Text, of: &[OpKind::DropTrigger], read: |m| sync_made_in_release(m).map(|deed| deed.place(m.source)).into(),
           doc: "where" },
    Fact { name: "outlived", kind: Kind::Bool, of: &[OpKind::DropTrigger], read: outlived,
           doc: "at the end of the history both columns are there, and no trigger keeps them equal" },
    Fact { name: "left_at_end", kind: Kind::Bool, of: &[OpKind::CreateTrigger, OpKind::RenameColumn, OpKind::RenameTable], read: left_at_end,
           doc: "at the end of the history it is still there: the trigger, what got the new name, the view that was given the old one" },
    Fact { name: "later_migrations", kind: Kind::Number, of: &[OpKind::CreateTrigger, OpKind::RenameColumn, OpKind::RenameTable], read: |m| m.migration.later.into(),
           doc: "how many later migrations are known, those of the same release not among them" },
    Fact { name: "set_aside", kind: Kind::Bool, of: RENAMES, read: set_aside,
           doc: "the new name says that it is to go: `note_old`, `orders_deprecated_20260101`, `orders_backup`" },
    Fact { name: "files", kind: Kind::Number, of: RELEASE, read: |m| budget(m).map(Budget::files).into(),
           doc: "how many files it has" },
    Fact { name: "locked_table", kind: Kind::Text, of: RELEASE, read: |m| locked(m).map(|locked| statement::shown(m, locked.table)).into(),
           doc: "the table that most of its files lock so that writes wait; one of `hot_tables` before others" },
    Fact { name: "locking_files", kind: Kind::Number, of: RELEASE, read: |m| locked(m).map_or(0, |locked| locked.files).into(),
           doc: "how many of its files do" },
    Fact { name: "locked_against", kind: Kind::Words(&["reads", "writes"]), of: RELEASE, read: |m| locked(m).map_or(Value::Unknown, |locked| Value::Word(if locked.against_reads { "reads" } else { "writes" })),
           doc: "whether each of them makes reads wait too" },
    Fact { name: "hot", kind: Kind::Bool, of: RELEASE, read: |m| locked(m).is_some_and(|locked| is_hot(m, locked.table)).into(),
           doc: "the table is one of `hot_tables`" },
    Fact { name: "locks_in_opposite_order", kind: Kind::Bool, of: RELEASE, read: |m| opposite(m).is_some().into(),
           doc: "one file locks a table and then another, a second file does it the other way round, each in one transaction" },
    Fact { name: "first_table", kind: Kind::Text, of: RELEASE, read: |m| opposite(m).map(|found| statement::shown(m, &found.first)).into(),
           doc: "the table that the one file locks first" },
    Fact { name: "second_table", kind: Kind::Text, of: RELEASE, read: |m| opposite(m).map(|found| statement::shown(m, &found.second)).into(),
           doc: "the table that the other file locks first" },
    Fact { name: "one_file", kind: Kind::Text, of: RELEASE, read: |m| opposite(m).map(|found| short(&found.one)).into(),
           doc: "the one file" },
    Fact { name: "other_file", kind: Kind::Text, of: RELEASE, read: |m| opposite(m).map(|found| short(&found.other)).into(),
           doc: "the other file" },
];

fn on<'a>(m: &Moment<'a>) -> Option<QualifiedName> {
    table::name(m).map(|name| m.before.resolve(&name))
}

/// The place at which the release fills what replaces the column or the table.
fn replacement_here(m: &Moment<'_>) -> Option<String> {
    let table = on(m)?;
    let deed = match column::name(m) {
        Some(column) => copied_here(m, &table, column).or_else(|| added_alike(m, &table, column)).filter(|_| !column_comes_back(m, column)),
        None => m.story.copy_of_table(&table).filter(|deed| deed.step == m.step && !comes_back(m, &table)),
    };
    deed.map(|deed| deed.place(m.source))
}

/// The statement of the release that copies the column into one which the release adds. From file to file, only what looks like a copy is
/// one: much is worked out of a column that lives on.
fn copied_here<'a>(m: &Moment<'a>, table: &QualifiedName, column: &Ident) -> Option<&'a Deed> {
    let copies = m.story.copies_of(table, column).iter();
    let mut here = copies.rev().filter(|copied| copied.deed.step == m.step && copied.added_in == m.step);
    let in_file = |copied: &Copied| copied.deed.at.0 == m.story.file();
    here.find(|copied| in_file(copied) || copied.plainly || story::are_alike(&copied.into.1, column)).map(|copied| &copied.deed)
}

/// A column of the same type and almost the same name that another file of the release adds: whatever fills it, this release does.
fn added_alike<'a>(m: &Moment<'a>, table: &QualifiedName, old: &Ident) -> Option<&'a Deed> {
    let relation = m.before.get(table)?;
    let old = relation.column(old).filter(|column| column.added_in != m.step)?;
    let is_alike = |name: &Ident| {
        let same_type = relation.column(name).is_some_and(|new| new.data_type == old.data_type && new.data_type.is_some());
        same_type && story::are_alike(name, &old.name)
    };
    let mut added = m.story.added_in(table, m.step).iter();
    added.find(|(name, deed)| deed.at.0 != m.story.file() && is_alike(name)).map(|(_, deed)| deed)
}

/// Whether another table takes the name in the same transaction: code finds what it asks for.
fn comes_back(m: &Moment<'_>, table: &QualifiedName) -> bool {
    let rest = m.rest_of_transaction();
    m.outline().renames_to(&table.name).iter().any(|(at, other)| rest.contains(at) && m.before.resolve(other) != *table)
}

/// Whether another column takes the name in the same transaction.
fn column_comes_back(m: &Moment<'_>, column: &Ident) -> bool {
    let renames = table::name(m).map_or(&[][..], |table| m.outline().column_renames_to(&table.name, column));
    first_in(renames, &m.rest_of_transaction()).is_some()
}

fn added_here<'a>(m: &Moment<'a>) -> Option<&'a Deed> {
    let column = column::name(m)?;
    m.story.added_in(&on(m)?, m.step).iter().find(|(name, _)| name == column).map(|(_, deed)| deed)
}

fn given_a_value<'a>(m: &Moment<'a>) -> Value<'a> {
    let (Some(relation), Some(name)) = (table::relation(m), column::name(m)) else { return Value::Unknown };
    let Some(column) = relation.column(name) else { return Value::Unknown };
    let fills = |trigger: &crate::model::catalog::Trigger| {
        let body = trigger.function.as_ref().and_then(|function| m.story.body_of(function));
        trigger.before && trigger.for_each_row && body.is_none_or(|body| body.touches(name))
    };
    let (here, rest) = (m.index.unwrap_or(0), m.rest_of_transaction());
    let sets_default = |operation: &Operation| match operation {
        Operation::Alter(target, action) => {
            m.before.resolve(&target.name) == relation.name
                && matches!(&**action, AlterAction::SetDefault { column, .. } | AlterAction::AddIdentity { column, .. } if column == name)
        }
        _ => false,
    };
    let near = m.file.iter().enumerate().skip(here).take(NEAR).filter(|(at, _)| *at == here || rest.contains(at));
    let sets = near.flat_map(|(_, statement)| &statement.operations).any(|operation| sets_default(&operation.what));
    (has_value(column) || sets || relation.triggers.iter().any(fills)).into()
}

fn has_value(column: &Column) -> bool {
    column.default.is_some() || column.identity.is_some() || column.generated.is_some()
}

fn backfill_before<'a>(m: &Moment<'a>) -> Option<&'a Deed> {
    let Some(Operation::CreateTrigger(trigger)) = m.operation() else { return None };
    let (column, deed) = m.story.filled_in(&on(m)?, m.step).filter(|_| story::is_on_rows(trigger))?;
    let body = trigger.function.as_ref().and_then(|function| m.story.body_of(function));
    body.is_none_or(|body| body.touches(column)).then_some(deed)
}

/// The newer column of the table that holds what the dropped one held, as earlier releases have arranged it.
fn replacement<'a>(m: &Moment<'a>) -> Option<&'a Column> {
    let (relation, old) = (table::relation(m)?, column::name(m)?);
    let old = relation.column(old)?;
    let is_later = |new: &&Column| new.added_in > old.added_in && new.added_in != m.step && new.name != old.name;
    let later = |name: &Ident| relation.column(name).filter(is_later);
    let synced = m.story.syncs_on(&relation.name).iter().filter(|sync| sync.old == old.name).find_map(|sync| later(&sync.new));
    let copied = m.story.copies_of(&relation.name, &old.name).iter().filter(|copied| copied.into.0 == relation.name);
    let mut same = copied.filter(|copied| copied.plainly || story::are_alike(&copied.into.1, &old.name));
    synced.or_else(|| same.find_map(|copied| later(&copied.into.1)))
}

/// What the old column has and the replacement lacks, in words.
fn lacks(m: &Moment<'_>) -> Vec<String> {
    let (Some(relation), Some(name), Some(new)) = (table::relation(m), column::name(m), replacement(m)) else { return Vec::new() };
    let Some(old) = relation.column(name) else { return Vec::new() };
    let mut lacks = Vec::new();
    if old.not_null && !new.not_null {
        lacks.push("NOT NULL".to_owned());
    }
    if has_value(old) && !has_value(new) {
        lacks.push("DEFAULT".to_owned());
    }
    lacks.extend(constraints_without_twin(relation, &old.name, &new.name));
    lacks.extend(indexes_without_twin(m.before, relation, &old.name, &new.name));
    lacks
}

fn constraints_without_twin(relation: &Relation, old: &Ident, new: &Ident) -> Vec<String> {
    let constraints = || relation.constraints.iter();
    let mut lacks = Vec::new();
    for constraint in constraints().filter(|constraint| constraint.columns().contains(old)) {
        let twin = |other: &&crate::model::catalog::Constraint| match (&constraint.kind, &other.kind) {
            (ConstraintKind::ForeignKey(_), ConstraintKind::ForeignKey(_)) => {
                constraint.referenced == other.referenced && is_renamed(constraint.columns(), other.columns(), old, new)
            }
            (ConstraintKind::Check { .. }, ConstraintKind::Check { .. }) => other.columns().contains(new),
            _ => false,
        };
        let what = match &constraint.kind {
            ConstraintKind::ForeignKey(_) => "the foreign key",
            ConstraintKind::Check { .. } => "the check",
            // Keys have an index, which is asked; NOT NULL is one of the column.
            ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_) | ConstraintKind::Exclude { .. } | ConstraintKind::NotNull { .. } => {
                continue;
            }
        };
        if !constraints().any(|other| twin(&other)) {
            lacks.push(format!("{what} {}", constraint.name.sql()));
        }
    }
    lacks
}

fn indexes_without_twin(catalog: &Catalog, relation: &Relation, old: &Ident, new: &Ident) -> Vec<String> {
    let twin = |index: &Index, other: &Index| {
        let keys = |index: &Index| -> Option<Vec<Ident>> {
            let column = |what: &IndexKeyKind| match what {
                IndexKeyKind::Column(column) => Some(column.clone()),
                IndexKeyKind::Expression(_) => None,
            };
            index.keys.iter().map(|key| column(&key.what)).collect()
        };
        let same = match (keys(index), keys(other)) {
            (Some(keys), Some(others)) => is_renamed(&keys, &others, old, new),
            // Of expressions nobody can tell more than that they read the column.
            _ => other.mentions(new),
        };
        same && (!index.unique || other.unique)
    };
    let indexes: Vec<_> = catalog.indexes_of(relation).collect();
    let with_old = indexes.iter().filter(|(_, index)| index.mentions(old));
    let without = with_old.filter(|(_, index)| !indexes.iter().any(|(_, other)| other.mentions(new) && twin(index, other)));
    without.map(|(name, index)| format!("the {}index {}", if index.unique { "unique " } else { "" }, name.name.name.sql())).collect()
}

/// Whether one list of columns is the other with `old` called `new`.
fn is_renamed(columns: &[Ident], others: &[Ident], old: &Ident, new: &Ident) -> bool {
    let renamed = columns.iter().map(|column| if column == old { new } else { column });
    columns.len() == others.len() && renamed.eq(others)
}

/// The two columns that the trigger keeps equal, the older one first.
fn sync(m: &Moment<'_>) -> Option<(Ident, Ident)> {
    match m.operation()? {
        Operation::CreateTrigger(trigger) => m.story.pair_of(trigger, m.before),
        _ => dropped_sync(m).map(|sync| (sync.old.clone(), sync.new.clone())),
    }
}

fn dropped_sync<'a>(m: &Moment<'a>) -> Option<&'a Sync> {
    let name = super::routine::trigger(m)?;
    m.story.syncs_on(&on(m)?).iter().rev().find(|sync| sync.trigger == *name)
}

fn sync_made_in_release<'a>(m: &Moment<'a>) -> Option<&'a Deed> {
    dropped_sync(m).map(|sync| &sync.deed).filter(|deed| deed.step == m.step && deed.at.0 != m.story.file())
}

fn outlived<'a>(m: &Moment<'a>) -> Value<'a> {
    let (Some(sync), Some(table)) = (dropped_sync(m), on(m)) else { return false.into() };
    let Some(relation) = m.end.get(&table) else { return false.into() };
    let both = relation.column(&sync.old).is_some() && relation.column(&sync.new).is_some();
    let goes_on = |other: &Sync| {
        let same = [&other.old, &other.new].iter().all(|column| [&sync.old, &sync.new].contains(column));
        same && relation.triggers.iter().any(|trigger| trigger.name == other.trigger)
    };
    (both && !m.ahead.syncs_on(&table).iter().any(goes_on)).into()
}

fn left_at_end<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(table) = on(m) else { return Value::Unknown };
    let left = match (m.operation(), column::alter(m)) {
        (Some(Operation::CreateTrigger(trigger)), _) => {
            m.end.get(&table).is_some_and(|relation| relation.triggers.iter().any(|known| known.name == trigger.name))
        }
        (_, Some(AlterAction::RenameColumn { to, .. })) => m.end.get(&table).is_some_and(|relation| relation.column(to).is_some()),
        (_, Some(AlterAction::RenameTo { to })) if is_set_aside(to) => {
            m.end.get(&QualifiedName { schema: table.schema, name: to.clone() }).is_some()
        }
        (_, Some(AlterAction::RenameTo { .. })) => m.end.get(&table).is_some_and(|relation| relation.kind == ObjectKind::View),
        _ => return Value::Unknown,
    };
    left.into()
}

fn set_aside<'a>(m: &Moment<'a>) -> Value<'a> {
    match column::alter(m) {
        Some(AlterAction::RenameColumn { to, .. } | AlterAction::RenameTo { to }) => is_set_aside(to).into(),
        _ => Value::Unknown,
    }
}

fn is_set_aside(name: &Ident) -> bool {
    let mut words = name.as_str().split('_').skip(1);
    words.any(|word| matches!(word, "old" | "deprecated" | "backup" | "bak" | "obsolete"))
}

fn budget<'a>(m: &Moment<'a>) -> Option<&'a Budget> {
    match m.subject {
        Subject::Release(budget) => Some(budget),
        Subject::Operation(_)
        | Subject::Statement { .. }
        | Subject::Migration
        | Subject::Remark(_)
        | Subject::BrokenText(_)
        | Subject::Allowance(_)
        | Subject::ForeignAllowance(_) => None,
    }
}

fn is_hot(m: &Moment<'_>, table: &QualifiedName) -> bool {
    m.migration.hot_tables.contains(table)
}

fn locked<'a>(m: &Moment<'a>) -> Option<Locked<'a>> {
    budget(m)?.most_locked(|table| is_hot(m, table))
}

/// A migration by its own name: its file's, or its folder's where all files are called the same.
fn short(file: &SourceFile) -> String {
    let path = file.path();
    let own = path.parent().filter(|_| path.file_stem().is_some_and(|stem| stem == "migration" || stem == "up"));
    own.unwrap_or(path).file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn opposite<'a>(m: &Moment<'a>) -> Option<&'a Opposite> {
    budget(m)?.opposite()
}
