//! Facts about hygiene around a statement: transactions left open, settings that stay, locks by hand, tables shut one after the other.

use super::session::line_of;
use super::statement::{is_shared, shown, strongest};
use super::{Fact, Kind, Value, remade, table};
use crate::model::kind::OpKind;
use crate::model::lock::LockMode;
use crate::model::name::QualifiedName;
use crate::model::operation::{Operation, Realm};
use crate::model::session::Timeout;
use crate::rule::aftermath::is_default;
use crate::rule::altered::{Altered, Neighbours, Work};
use crate::rule::moment::Moment;

const STATEMENT: &[OpKind] = &[OpKind::Statement];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "left_open", kind: Kind::Bool, of: &[OpKind::Begin, OpKind::Commit, OpKind::Rollback], read: left_open,
           doc: "it opens a transaction that no later statement of the file ends" },
    Fact { name: "setting", kind: Kind::Text, of: &[OpKind::Set], read: |m| match m.operation() { Some(Operation::Set { name, .. }) => Value::Text((&**name).into()), _ => Value::Unknown },
           doc: "the setting, in lower case" },
    Fact { name: "scope", kind: Kind::Words(&["transaction", "session"]), of: &[OpKind::Set], read: |m| Value::Word(if matches!(m.operation(), Some(Operation::Set { local: true, .. })) { "transaction" } else { "session" }),
           doc: "how long it lasts: LOCAL ends with the transaction" },
    Fact { name: "leaks", kind: Kind::Bool, of: &[OpKind::Set], read: leaks,
           doc: "it sets, for the connection, what later work on that should not inherit (a timeout, a role, search_path), to another value than the server's own, and the file never takes it back" },
    Fact { name: "lock_mode", kind: Kind::Text, of: &[OpKind::LockTable], read: |m| lock_mode(m).map(LockMode::words).into(),
           doc: "the mode, in the manual's words" },
    Fact { name: "makes_wait", kind: Kind::Words(&["nobody", "writers", "everybody"]), of: &[OpKind::LockTable], read: makes_wait,
           doc: "who waits while the lock is held" },
    Fact { name: "serves_a_change", kind: Kind::Bool, of: &[OpKind::LockTable], read: serves_a_change,
           doc: "a later statement of the transaction alters the table, or gives its name to another" },
    Fact { name: "nowait", kind: Kind::Bool, of: &[OpKind::LockTable], read: |m| matches!(m.operation(), Some(Operation::LockTable { nowait: true, .. })).into(),
           doc: "NOWAIT: it fails where it would have to wait" },
    Fact { name: "ends_backends", kind: Kind::Bool, of: &[OpKind::Select], read: |m| killer(m).is_some().into(),
           doc: "it calls pg_terminate_backend or pg_cancel_backend" },
    Fact { name: "killer", kind: Kind::Text, of: &[OpKind::Select], read: |m| killer(m).into(),
           doc: "that function" },
    Fact { name: "shuts_another", kind: Kind::Bool, of: STATEMENT, read: |m| another(m).is_some().into(),
           doc: "the transaction holds ACCESS EXCLUSIVE on a table since an earlier statement, and this one has to wait for the same lock on another" },
    Fact { name: "other_table", kind: Kind::Text, of: STATEMENT, read: |m| another(m).map(|relation| shown(m, relation)).into(),
           doc: "the table of that second lock" },
    Fact { name: "same_alter", kind: Kind::Words(&["no", "brief", "scan", "rewrite"]), of: STATEMENT, read: same_alter,
           doc: "the statement right before is an ALTER TABLE on the same table that this one could be part of: what both of them do to the rows" },
    Fact { name: "altered_table", kind: Kind::Text, of: STATEMENT, read: |m| altered(m).map(|now| shown(m, &now.table)).into(),
           doc: "the table of this ALTER TABLE" },
    Fact { name: "may_be_one", kind: Kind::Bool, of: STATEMENT, read: |m| m.index.and_then(|here| Neighbours::at(here, m.file, m.source)).is_some_and(Neighbours::may_be_one).into(),
           doc: "it and the statement before it end alike with a comma between them: both open alike, and neither names what the other one changes" },
    Fact { name: "idle_timeout", kind: Kind::Words(&["unset", "off", "set", "untold"]), of: STATEMENT, read: idle_timeout,
           doc: "whether idle_in_transaction_session_timeout or transaction_timeout ends a transaction that nobody goes on with" },
    Fact { name: "pending_since", kind: Kind::Number, of: STATEMENT, read: |m| super::pending::pending(m).map(|(_, by)| line_of(m, by)).into(),
           doc: "the line of the statement whose checks are still to be made" },
    Fact { name: "pending_checks", kind: Kind::Bool, of: STATEMENT, read: |m| super::pending::pending(m).is_some().into(),
           doc: "it needs a table of which the transaction has changed rows whose checks or triggers wait for COMMIT" },
    Fact { name: "pending_table", kind: Kind::Text, of: STATEMENT, read: |m| super::pending::pending(m).map(|(table, _)| shown(m, &table)).into(),
           doc: "that table" },
    Fact { name: "waits_for_transactions", kind: Kind::Bool, of: STATEMENT, read: |m| super::statement::operations(m).any(super::statement::is_concurrent).into(),
           doc: "CONCURRENTLY is said: it waits for other transactions, and ended half-way it leaves something behind" },
    Fact { name: "sleeps", kind: Kind::Bool, of: STATEMENT, read: |m| super::statement::operations(m).any(sleeps).into(),
           doc: "it calls pg_sleep" },
];

/// BEGIN where a transaction is open already opens none.
fn left_open<'a>(m: &Moment<'a>) -> Value<'a> {
    let opens = match m.operation() {
        Some(Operation::Begin) => !m.session.in_transaction() || m.session.message_end().is_some(),
        Some(Operation::Commit { chain } | Operation::Rollback { chain }) => *chain && m.session.in_explicit_transaction(),
        _ => false,
    };
    let ended = m.index.is_some_and(|here| m.outline().rest_of_transaction(here + 1).end != usize::MAX);
    (opens && !ended).into()
}

/// Settings that change what later work on the connection means, or whether it gets through. Of session_replication_role disable-trigger
/// speaks.
const NOT_TO_BE_INHERITED: &[&str] = &[
    "idle_in_transaction_session_timeout",
    "lock_timeout",
    "role",
    "search_path",
    "session_authorization",
    "statement_timeout",
    "transaction_timeout",
];

fn leaks<'a>(m: &Moment<'a>) -> Value<'a> {
    let (Some(Operation::Set { name, value, local: false }), Some(here)) = (m.operation(), m.index) else { return false.into() };
    let listed = NOT_TO_BE_INHERITED.contains(&&**name);
    (listed && !is_default(name, value.as_ref()) && !m.outline().aftermath.is_reset_from(name, here + 1)).into()
}

fn lock_mode(m: &Moment<'_>) -> Option<LockMode> {
    match m.operation()? {
        Operation::LockTable { mode, .. } => Some(*mode),
        _ => None,
    }
}

fn makes_wait<'a>(m: &Moment<'a>) -> Value<'a> {
    Value::Word(match lock_mode(m) {
        Some(mode) if mode.blocks_reads() => "everybody",
        Some(mode) if mode.blocks_writes() => "writers",
        _ => "nobody",
    })
}

fn serves_a_change<'a>(m: &Moment<'a>) -> Value<'a> {
    let (Some(here), Some(name)) = (m.index, table::name(m)) else { return Value::Unknown };
    let place = m.before.resolve(&name);
    let rest = m.rest_of_transaction();
    let alters = || remade::on_same_table(m).any(|(by, _)| rest.contains(&by));
    let gives_name = || m.turnover().given_after(here, Realm::Relation, &name.name, |given| m.before.resolve(given) == place);
    (alters() || gives_name().is_some_and(|by| rest.contains(&by))).into()
}

fn killer(m: &Moment<'_>) -> Option<&'static str> {
    let Some(Operation::Select { calls, .. }) = m.operation() else { return None };
    ["pg_terminate_backend", "pg_cancel_backend"].into_iter().find(|known| calls.iter().any(|call| call.name.as_str() == *known))
}

/// The table that the statement shuts beside the one which is shut already. What it found on the way to its first lock, an index or a
/// sequence, is no table of others.
fn another<'a>(m: &Moment<'a>) -> Option<&'a QualifiedName> {
    let held = m.holding.exclusive()?;
    let is_table = |relation: &QualifiedName| m.before.get(relation).is_none_or(|known| known.is_table());
    if !is_table(&held.lock.relation) || strongest(m).is_none_or(|lock| lock.mode < LockMode::AccessExclusive) {
        return None;
    }
    let waits_for = |relation: &QualifiedName| m.session.held_on(relation).is_none_or(|held| held.lock.mode < LockMode::AccessExclusive);
    let locks = m.statement_effects.locks.iter().filter(|lock| lock.mode == LockMode::AccessExclusive);
    locks.map(|lock| &lock.relation).find(|relation| is_table(relation) && is_shared(m, relation) && waits_for(relation))
}

fn altered(m: &Moment<'_>) -> Option<Altered> {
    m.statement().and_then(|statement| Altered::of(statement, m.statement_effects, m.before)).filter(|now| is_shared(m, &now.table))
}

fn same_alter<'a>(m: &Moment<'a>) -> Value<'a> {
    let same = m.previous.filter(|_| m.index.is_some()).filter(|before| altered(m).as_ref() == Some(before));
    Value::Word(match same.map(|before| before.work) {
        None => "no",
        Some(Work::Brief) => "brief",
        Some(Work::Scan) => "scan",
        Some(Work::Rewrite) => "rewrite",
    })
}

fn idle_timeout<'a>(m: &Moment<'a>) -> Value<'a> {
    let timeouts = ["idle_in_transaction_session_timeout", "transaction_timeout"].map(|name| m.session.timeout(name));
    Value::Word(if timeouts.iter().any(|timeout| matches!(timeout, Timeout::After(_))) {
        "set"
    } else if timeouts.contains(&Timeout::Unknown) {
        "untold"
    } else if timeouts.contains(&Timeout::Off) {
        "off"
    } else {
        "unset"
    })
}

fn sleeps(operation: &Operation) -> bool {
    matches!(operation, Operation::Select { calls, .. } if calls.iter().any(|call| matches!(call.name.as_str(), "pg_sleep" | "pg_sleep_for" | "pg_sleep_until")))
}
