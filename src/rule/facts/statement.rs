//! Facts about a statement as a whole: the locks it waits for, what others wait for meanwhile, what was held before it.

use super::session::line_of;
use super::{Fact, Kind, Value};
use crate::model::effects::{InTransaction, Lock};
use crate::model::kind::OpKind;
use crate::model::lock::{Blocked, LockMode};
use crate::model::name::{Name, QualifiedName};
use crate::model::operation::{AlterAction, Operation, Persistence};
use crate::model::session::{Held, Timeout};
use crate::rule::moment::{Moment, Subject};

const OF: &[OpKind] = &[OpKind::Statement];
const BLOCKED: &[&str] = &["no", "brief", "unknown", "long"];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "first_lock_without_timeout", kind: Kind::Bool, of: OF, read: |m| is_first_without_timeout(m).into(),
           doc: "it waits for a lock that others queue behind, no lock_timeout is in force, and it is the first such statement of the file" },
    Fact { name: "lock_name", kind: Kind::Text, of: OF, read: |m| blocking(m).map(|lock| lock.mode.words()).into(),
           doc: "the strongest lock that it takes or finds held on a relation that existed before the migration, in the manual's words" },
    Fact { name: "lock_table", kind: Kind::Text, of: OF, read: |m| blocking(m).map(|lock| shown(m, &lock.relation)).into(),
           doc: "the relation of that lock" },
    Fact { name: "awaited_lock", kind: Kind::Text, of: OF, read: |m| strongest(m).map(|lock| lock.mode.words()).into(),
           doc: "the strongest lock that it takes itself on a relation that existed before the migration, in the manual's words" },
    Fact { name: "awaited_table", kind: Kind::Text, of: OF, read: |m| strongest(m).map(|lock| shown(m, &lock.relation)).into(),
           doc: "the relation of that lock" },
    Fact { name: "holds_access_exclusive", kind: Kind::Bool, of: OF, read: |m| held_exclusive(m).is_some().into(),
           doc: "an earlier statement of the same transaction took ACCESS EXCLUSIVE on a relation that existed before the migration" },
    Fact { name: "held_table", kind: Kind::Text, of: OF, read: |m| held_exclusive(m).map(|held| shown(m, &held.lock.relation)).into(),
           doc: "the relation that is held" },
    Fact { name: "held_since", kind: Kind::Number, of: OF, read: |m| held_exclusive(m).map(|held| line_of(m, held.by)).into(),
           doc: "the line of the statement that took it" },
    Fact { name: "takes_long", kind: Kind::Bool, of: OF, read: takes_long,
           doc: "its time grows with a table that existed before the migration" },
    Fact { name: "takes_access_exclusive", kind: Kind::Bool, of: OF, read: |m| strongest(m).is_some_and(|lock| lock.mode == LockMode::AccessExclusive).into(),
           doc: "it takes ACCESS EXCLUSIVE itself on a relation that existed before the migration" },
    Fact { name: "refused", kind: Kind::Bool, of: OF, read: |m| (m.session.in_transaction() && m.statement_effects.transaction == InTransaction::Forbidden).into(),
           doc: "the server refuses it here, because a transaction is open" },
    Fact { name: "changes_rows", kind: Kind::Bool, of: OF, read: changes_rows,
           doc: "it is INSERT, UPDATE, DELETE, MERGE or COPY FROM" },
    Fact { name: "changes_held_table", kind: Kind::Bool, of: OF, read: changes_held_table,
           doc: "it changes rows of a relation on which an earlier statement of the same transaction took ACCESS EXCLUSIVE" },
    Fact { name: "validates", kind: Kind::Bool, of: OF, read: validates,
           doc: "it validates a constraint" },
    Fact { name: "explained", kind: Kind::Bool, of: OF, read: |m| matches!(m.subject, Subject::Statement { explained: true, .. }).into(),
           doc: "a finding on one of its operations tells already how it blocks others" },
    Fact { name: "blocks_reads", kind: Kind::Words(BLOCKED), of: OF, read: |m| blocked(m, true),
           doc: "how long SELECT waits on relations that existed before the migration" },
    Fact { name: "blocks_writes", kind: Kind::Words(BLOCKED), of: OF, read: |m| blocked(m, false),
           doc: "how long INSERT, UPDATE and DELETE wait on relations that existed before the migration" },
    Fact { name: "blocking_work", kind: Kind::Text, of: OF, read: blocking_work,
           doc: "what takes it long, in words" },
];

/// Whether others can know the relation: this migration did not make it, and it is not temporary.
pub(super) fn is_shared(m: &Moment<'_>, relation: &QualifiedName) -> bool {
    m.before.get(relation).is_none_or(|known| {
        let new = known.made_in == Some(m.step) && known.surely_made;
        let of_new = known
            .index
            .as_ref()
            .and_then(|index| m.before.get(&index.table))
            .is_some_and(|table| table.made_in == Some(m.step) && table.surely_made);
        !new && !of_new && known.persistence != Persistence::Temporary
    })
}

/// A name as the file would write it: `public` is left out.
pub(super) fn shown(m: &Moment<'_>, relation: &QualifiedName) -> String {
    let bare = Name::bare(relation.name.clone());
    if m.before.resolve(&bare) == *relation {
        bare.sql()
    } else {
        Name { schema: Some(relation.schema.clone()), name: relation.name.clone() }.sql()
    }
}

/// The strongest lock on a relation that others know; of equally strong ones the first.
pub(super) fn strongest<'a>(m: &Moment<'a>) -> Option<&'a Lock> {
    let shared = m.statement_effects.locks.iter().filter(|lock| is_shared(m, &lock.relation));
    shared.rev().max_by_key(|lock| lock.mode)
}

/// The lock that others wait for while the statement runs: its own, or a stronger one that the transaction holds already.
fn blocking<'a>(m: &Moment<'a>) -> Option<&'a Lock> {
    let held = m.holding.strongest.as_ref().map(|held| &held.lock);
    strongest(m).into_iter().chain(held).rev().max_by_key(|lock| lock.mode)
}

/// Whether CONCURRENTLY is said.
pub(super) fn is_concurrent(operation: &Operation) -> bool {
    match operation {
        Operation::CreateIndex(index) => index.concurrently,
        Operation::Drop(drop) => drop.concurrently,
        Operation::Reindex(reindex) => reindex.concurrently,
        // Nobody writes to a materialized view but another REFRESH.
        Operation::RefreshMaterializedView { concurrently, .. } => *concurrently,
        _ => false,
    }
}

/// Behind these locks others queue while the statement waits. The concurrent forms only wait for transactions, and block nobody meanwhile.
fn queues(m: &Moment<'_>) -> bool {
    // Of what LOCK TABLE keeps waiting its own rule speaks.
    let by_hand = |operation: &Operation| matches!(operation, Operation::LockTable { .. });
    let unlike = m.statement().is_none_or(|statement| !statement.operations.iter().any(|o| is_concurrent(&o.what) || by_hand(&o.what)));
    unlike && strongest(m).is_some_and(|lock| lock.mode >= LockMode::Share)
}

/// The first of its file, so that one file gives one finding: no earlier statement of the transaction holds such a lock, and no earlier
/// transaction of the file was in the same case. The second half is left to the loop, which reports a rule of the file once.
fn is_first_without_timeout(m: &Moment<'_>) -> bool {
    let unlimited = matches!(m.session.lock_timeout(), Timeout::Unset | Timeout::Off);
    unlimited && queues(m)
}

fn held_exclusive<'a>(m: &Moment<'a>) -> Option<&'a Held> {
    m.holding.exclusive()
}

fn takes_long<'a>(m: &Moment<'a>) -> Value<'a> {
    let effects = m.statement_effects;
    let on_shared = |relations: &[QualifiedName]| relations.iter().any(|relation| is_shared(m, relation));
    let builds = !effects.builds.is_empty() && effects.locks.iter().any(|lock| is_shared(m, &lock.relation));
    (on_shared(&effects.rewrites) || on_shared(&effects.scans) || on_shared(&effects.rebuilds) || builds).into()
}

pub(super) fn operations<'a>(m: &Moment<'a>) -> impl Iterator<Item = &'a Operation> {
    m.statement().into_iter().flat_map(|statement| statement.operations.iter().map(|operation| &operation.what))
}

fn changes_rows<'a>(m: &Moment<'a>) -> Value<'a> {
    operations(m).any(|operation| operation.writes_to().is_some()).into()
}

fn changes_held_table<'a>(m: &Moment<'a>) -> Value<'a> {
    let held = |name: &Name| m.session.held_on(&m.before.resolve(name)).is_some_and(|held| held.lock.mode == LockMode::AccessExclusive);
    // Of COPY update-in-ddl-transaction does not speak.
    let by_query = operations(m).filter(|operation| !matches!(operation, Operation::Copy { .. }));
    by_query.filter_map(Operation::writes_to).any(held).into()
}

fn validates<'a>(m: &Moment<'a>) -> Value<'a> {
    let validates = |operation: &Operation| matches!(operation, Operation::Alter(_, action) if matches!(**action, AlterAction::ValidateConstraint { .. }));
    operations(m).any(validates).into()
}

fn blocked<'a>(m: &Moment<'a>, reads: bool) -> Value<'a> {
    match m.subject {
        Subject::Statement { blocks, .. } => Value::Word(Blocked::word(if reads { blocks.reads } else { blocks.writes })),
        Subject::Operation(_)
        | Subject::Migration
        | Subject::Remark(_)
        | Subject::Release(_)
        | Subject::BrokenText(..)
        | Subject::Allowance(_)
        | Subject::ForeignAllowance(_) => Value::Unknown,
    }
}

fn blocking_work<'a>(m: &Moment<'a>) -> Value<'a> {
    let effects = m.statement_effects;
    // What the migration has made itself takes no time worth telling.
    let first = |relations: &[QualifiedName]| {
        relations.iter().find(|relation| is_shared(m, relation)).or(relations.first()).map(|relation| shown(m, relation))
    };
    let work = None
        .or_else(|| first(&effects.rewrites).map(|name| format!("every row of `{name}` is written anew")))
        .or_else(|| first(&effects.rebuilds).map(|name| format!("`{name}` is built anew")))
        .or_else(|| first(&effects.builds).map(|name| format!("`{name}` is built")))
        .or_else(|| first(&effects.scans).map(|name| format!("all of `{name}` is read")));
    work.unwrap_or_else(|| "this takes a time that no bound limits".to_owned()).into()
}
