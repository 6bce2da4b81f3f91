//! Facts about the connection: the transaction an operation runs in, the timeouts in force, the locks held so far.

use super::{Fact, Kind, Value, table};
use crate::model::kind::OpKind;
use crate::model::lock::LockMode;
use crate::model::operation::{Operation, SettingValue};
use crate::model::session::{Held, Opener, Timeout, TransactionMode};
use crate::rule::moment::Moment;
use crate::sql::Statement;
use std::time::Duration;

/// A lock_timeout above this protects nobody: everybody else waits as long (manual: explicit-locking).
const LONGEST_LOCK_TIMEOUT: Duration = Duration::from_secs(10);
/// A lock_timeout below this ends before a short query does: a unit was forgotten.
const SHORTEST_LOCK_TIMEOUT: Duration = Duration::from_millis(50);
/// A statement_timeout below this is likely to end an index build on a large table.
const SHORT_STATEMENT_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// Modes that [`held`] may find, as words.
const MODES: &[&str] =
    &["none", "row_share", "row_exclusive", "share_update_exclusive", "share", "share_row_exclusive", "exclusive", "access_exclusive"];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "in_transaction", kind: Kind::Bool, of: OpKind::ALL, read: in_transaction,
           doc: "it runs in a transaction that other statements share" },
    Fact { name: "in_begin", kind: Kind::Bool, of: OpKind::ALL, read: |m| m.session.in_explicit_transaction().into(),
           doc: "the open transaction was opened by BEGIN in the file" },
    Fact { name: "mode", kind: Kind::Words(&["assumed_transaction", "assumed_none", "runner", "none", "one_message", "explicit"]), of: OpKind::ALL, read: mode,
           doc: "how the statements of the file are put into transactions" },
    Fact { name: "transaction_source", kind: Kind::Text, of: OpKind::ALL, read: |m| Value::Text(source(m).into()),
           doc: "who opened the transaction, in words" },
    Fact { name: "followed", kind: Kind::Bool, of: OpKind::ALL, read: |m| is_followed(m).into(),
           doc: "a later statement of the file may fail: one that is no SET, RESET or end of a transaction" },
    Fact { name: "stays", kind: Kind::Bool, of: OpKind::ALL, read: stays,
           doc: "if a later statement of the file fails, it is not undone" },
    Fact { name: "in_body", kind: Kind::Bool, of: OpKind::ALL, read: |m| m.nesting().is_some().into(),
           doc: "it stands in a DO block, or in the body of a function or procedure that the file calls" },
    Fact { name: "conditional", kind: Kind::Bool, of: OpKind::ALL, read: |m| m.nesting().is_some_and(|nesting| nesting.conditional).into(),
           doc: "it stands in a body where it may not run: under IF, in a loop, in a block with EXCEPTION, behind a RETURN" },
    Fact { name: "termination", kind: Kind::Words(&["allowed", "in_transaction", "in_function", "in_subtransaction"]), of: &[OpKind::Commit, OpKind::Rollback], read: termination,
           doc: "in a body: whether the server takes it, or what it refuses it for" },
    Fact { name: "alone", kind: Kind::Bool, of: OpKind::ALL, read: |m| (own(m).nth(1).is_none()).into(),
           doc: "the file holds no other statement" },
    Fact { name: "lock_timeout", kind: Kind::Words(&["unset", "off", "set", "untold"]), of: OpKind::ALL, read: |m| timeout(m.session.lock_timeout()),
           doc: "lock_timeout as it is in force: `off` is 0, `untold` a value that cannot be read" },
    Fact { name: "statement_timeout", kind: Kind::Words(&["unset", "off", "short", "long", "untold"]), of: OpKind::ALL, read: statement_timeout,
           doc: "statement_timeout as it is in force; below 30 minutes it is `short`" },
    Fact { name: "lock_timeout_value", kind: Kind::Words(&["other_setting", "off", "too_short", "fine", "too_long", "untold"]), of: &[OpKind::Set], read: lock_timeout_value,
           doc: "what this SET makes of lock_timeout: above 10 s is `too_long`, below 50 ms `too_short`" },
    Fact { name: "setting_value", kind: Kind::Text, of: &[OpKind::Set], read: setting_value,
           doc: "the value that is set" },
    Fact { name: "held_lock", kind: Kind::Words(MODES), of: table::ON_ONE_RELATION, read: held_lock,
           doc: "the strongest lock that earlier statements of the transaction, or other parts of this one, have taken on the relation" },
    Fact { name: "held_by", kind: Kind::Words(&["nobody", "earlier", "same_statement"]), of: table::ON_ONE_RELATION, read: held_by,
           doc: "who took that lock: an earlier statement, or another part of this one" },
    Fact { name: "held_lock_name", kind: Kind::Text, of: table::ON_ONE_RELATION, read: |m| held(m).map(|(mode, _)| mode.words()).into(),
           doc: "that lock, in the manual's words" },
    Fact { name: "held_since", kind: Kind::Number, of: table::ON_ONE_RELATION, read: |m| held(m).map(|(_, by)| line_of(m, by)).into(),
           doc: "the line of the statement that took it" },
];

/// That a file is taken to run in one transaction rests on nothing but the absence of a sign. That it is taken to run in none rests on a
/// statement which would be refused otherwise.
fn in_transaction<'a>(m: &Moment<'a>) -> Value<'a> {
    match m.session.opened_by() {
        // A body is never alone: what stands beside it, it shares its transaction with.
        _ if m.nesting().is_some() => true.into(),
        Some(Opener::Assumed) => Value::Unknown,
        opener => opener.is_some().into(),
    }
}

/// The statements of the file itself.
fn own<'a>(m: &Moment<'a>) -> impl Iterator<Item = &'a Statement> {
    m.file.iter().filter(|statement| statement.nesting.is_none())
}

/// The server asks in this order.
fn termination<'a>(m: &Moment<'a>) -> Value<'a> {
    Value::Word(match m.nesting() {
        Some(nesting) if nesting.atomic => "in_function",
        Some(_) if m.session.opened_by() != Some(Opener::Body) => "in_transaction",
        Some(nesting) if nesting.caught => "in_subtransaction",
        Some(_) | None => "allowed",
    })
}

fn stays<'a>(m: &Moment<'a>) -> Value<'a> {
    if m.session.opened_by() == Some(Opener::Body) {
        return true.into();
    }
    match m.session.message_end() {
        Some(last) => m.outline().may_fail_from(last + 1).into(),
        None => match in_transaction(m) {
            Value::Bool(shared) => (!shared).into(),
            untold => untold,
        },
    }
}

fn is_followed(m: &Moment<'_>) -> bool {
    m.index.is_some_and(|index| m.outline().may_fail_from(index + 1))
}

fn mode<'a>(m: &Moment<'a>) -> Value<'a> {
    Value::Word(match m.session.mode() {
        TransactionMode::Assumed(true) => "assumed_transaction",
        TransactionMode::Assumed(false) => "assumed_none",
        TransactionMode::Runner => "runner",
        TransactionMode::None => "none",
        TransactionMode::OneMessage => "one_message",
        TransactionMode::Explicit => "explicit",
    })
}

fn source(m: &Moment<'_>) -> &'static str {
    match m.session.opened_by() {
        None => "no transaction is open",
        Some(Opener::File) => "BEGIN above has opened a transaction block",
        Some(Opener::Runner) if m.session.mode() != TransactionMode::Runner => "the runner wraps this part of the file in a transaction",
        Some(Opener::Runner) => "the runner wraps this file in a transaction",
        Some(Opener::OneMessage) if m.session.mode() != TransactionMode::OneMessage => {
            "the runner sends this and its neighbours as one message, which is one transaction"
        }
        Some(Opener::OneMessage) => "the runner sends this file as one message, which is one transaction",
        Some(Opener::Body) => "a body runs inside the transaction of the statement that runs it",
        Some(Opener::Assumed) => "nothing tells that the runner does not wrap this file in a transaction",
    }
}

fn timeout<'a>(timeout: Timeout) -> Value<'a> {
    Value::Word(match timeout {
        Timeout::Unset => "unset",
        Timeout::Off => "off",
        Timeout::After(_) => "set",
        Timeout::Unknown => "untold",
    })
}

fn statement_timeout<'a>(m: &Moment<'a>) -> Value<'a> {
    Value::Word(match m.session.statement_timeout() {
        Timeout::Unset => "unset",
        Timeout::Off => "off",
        Timeout::After(limit) if limit < SHORT_STATEMENT_TIMEOUT => "short",
        Timeout::After(_) => "long",
        Timeout::Unknown => "untold",
    })
}

/// The setting as it will be: the session is moved on by a copy, so that the server's own reading of units is asked only in one place.
fn lock_timeout_value<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(operation @ Operation::Set { name, .. }) = m.operation() else { return Value::Unknown };
    if !name.eq_ignore_ascii_case("lock_timeout") {
        return Value::Word("other_setting");
    }
    let mut after = m.session.clone();
    after.advance(operation, m.effects, m.index.unwrap_or(0));
    Value::Word(match after.lock_timeout() {
        Timeout::Unset | Timeout::Off => "off",
        Timeout::After(limit) if limit > LONGEST_LOCK_TIMEOUT => "too_long",
        Timeout::After(limit) if limit < SHORTEST_LOCK_TIMEOUT => "too_short",
        Timeout::After(_) => "fine",
        Timeout::Unknown => "untold",
    })
}

fn setting_value<'a>(m: &Moment<'a>) -> Value<'a> {
    match m.operation() {
        Some(Operation::Set { value: Some(SettingValue::Literal(text)), .. }) => Value::Text((&**text).into()),
        _ => Value::Unknown,
    }
}

fn held_lock<'a>(m: &Moment<'a>) -> Value<'a> {
    Value::Word(held(m).map_or("none", |(mode, _)| mode.id()))
}

fn held_by<'a>(m: &Moment<'a>) -> Value<'a> {
    Value::Word(match held(m) {
        None => "nobody",
        Some((_, by)) if Some(by) == m.index => "same_statement",
        Some(_) => "earlier",
    })
}

/// The strongest lock on the relation besides the operation's own, and the statement that took it.
fn held(m: &Moment<'_>) -> Option<(LockMode, usize)> {
    let relation = m.before.resolve(&table::name(m)?);
    let earlier = m.session.held_on(&relation).map(|Held { lock, by }| (lock.mode, *by));
    // Parts of one ALTER TABLE share the strongest of their locks.
    let own = m.effects.lock_on(&relation);
    let beside = m.statement_effects.lock_on(&relation).filter(|mode| Some(*mode) != own).zip(m.index);
    earlier.into_iter().chain(beside).max_by_key(|(mode, by)| (*mode, std::cmp::Reverse(*by)))
}

/// The line, from 1, on which a statement of the file begins.
pub(super) fn line_of(m: &Moment<'_>, statement: usize) -> i64 {
    m.file.get(statement).map_or(0, |statement| i64::from(m.source.place(statement.span.start).line))
}
