//! The connection as it moves on: transactions, settings with their scope, and the locks that are held.

use lockkeeper::model::catalog::Step;
use lockkeeper::model::effects::{Effects, Lock};
use lockkeeper::model::lock::LockMode;
use lockkeeper::model::name::{Ident, QualifiedName};
use lockkeeper::model::operation::{Operation, SettingValue};
use lockkeeper::model::session::{Opener, Session, Timeout, TransactionMode, Turn};
use lockkeeper::sql::read;
use lockkeeper::text::{SourceFile, Span};

/// Runs statements one by one; a LOCK TABLE takes the lock that it names, nothing else takes any. Gives what became of each.
fn run(session: &mut Session, sql: &str) -> Vec<Turn> {
    let source = SourceFile::new("orders.sql", sql);
    let script = read(&source, Span::new(0, sql.len() as u32));
    let mut turns = Vec::new();
    for (index, statement) in script.statements.iter().enumerate() {
        for operation in &statement.operations {
            let mut effects = Effects::default();
            if let Operation::LockTable { table, mode, .. } = &operation.what {
                let relation = QualifiedName { schema: Ident::quoted("public"), name: table.name.clone() };
                effects.locks.push(Lock { relation, mode: *mode });
            }
            turns.push(session.turn(&operation.what));
            session.advance(&operation.what, &effects, index);
        }
    }
    turns
}

fn after(mode: TransactionMode, sql: &str) -> Session {
    let mut session = Session::new(mode, Step(1));
    run(&mut session, sql);
    session
}

fn timeout(mode: TransactionMode, sql: &str) -> String {
    match after(mode, sql).lock_timeout() {
        Timeout::Unset => "unset".to_owned(),
        Timeout::Off => "off".to_owned(),
        Timeout::After(duration) => format!("{duration:?}"),
        Timeout::Unknown => "unknown".to_owned(),
    }
}

fn held(session: &Session) -> String {
    let words = session.held().iter().map(|held| format!("{} {} by {}", held.lock.relation.name, held.lock.mode, held.by));
    words.collect::<Vec<_>>().join(", ")
}

const EXPLICIT: TransactionMode = TransactionMode::Explicit;
const RUNNER: TransactionMode = TransactionMode::Runner;

#[test]
fn set_outlives_a_transaction_that_commits_and_no_other() {
    assert_eq!(timeout(EXPLICIT, "SET lock_timeout = '2s'"), "2s");
    assert_eq!(timeout(EXPLICIT, "BEGIN; SET lock_timeout = '2s'; COMMIT"), "2s");
    assert_eq!(timeout(EXPLICIT, "BEGIN; SET lock_timeout = '2s'; ROLLBACK"), "unset");
    assert_eq!(timeout(EXPLICIT, "SET lock_timeout = 100; BEGIN; SET lock_timeout = '2s'; ROLLBACK"), "100ms");
    assert_eq!(timeout(EXPLICIT, "SET lock_timeout TO 0"), "off");
    assert_eq!(timeout(EXPLICIT, "SET lock_timeout TO DEFAULT"), "unset");
    assert_eq!(timeout(EXPLICIT, "SET LOCK_TIMEOUT TO '1min'; RESET lock_timeout"), "unset");
    assert_eq!(timeout(EXPLICIT, "SET SESSION lock_timeout = '1h'; RESET ALL"), "unset");
    assert_eq!(timeout(EXPLICIT, "SET lock_timeout = '1h'; DISCARD ALL"), "unset");
    assert_eq!(timeout(EXPLICIT, "SELECT set_config('lock_timeout', '3s', false)"), "3s");
}

#[test]
fn set_local_ends_with_its_transaction_and_does_nothing_outside_of_one() {
    assert_eq!(timeout(EXPLICIT, "BEGIN; SET LOCAL lock_timeout = '2s'"), "2s");
    assert_eq!(timeout(EXPLICIT, "BEGIN; SET LOCAL lock_timeout = '2s'; COMMIT"), "unset");
    assert_eq!(timeout(EXPLICIT, "SET lock_timeout = '5s'; BEGIN; SET LOCAL lock_timeout = '2s'; COMMIT"), "5s");
    assert_eq!(timeout(EXPLICIT, "SET LOCAL lock_timeout = '2s'"), "unset");
    assert_eq!(timeout(RUNNER, "SET LOCAL lock_timeout = '2s'"), "2s");
    assert_eq!(timeout(TransactionMode::OneMessage, "SET LOCAL lock_timeout = '2s'"), "2s");
    assert_eq!(timeout(EXPLICIT, "BEGIN; SET lock_timeout = '5s'; SET LOCAL lock_timeout = '2s'; COMMIT"), "5s");
    assert_eq!(timeout(EXPLICIT, "BEGIN; SET LOCAL lock_timeout = '2s'; SET lock_timeout = '5s'"), "5s");
    assert_eq!(timeout(EXPLICIT, "BEGIN; SET LOCAL lock_timeout = '2s'; SAVEPOINT s; RELEASE s"), "2s");
    assert_eq!(timeout(EXPLICIT, "BEGIN; SET LOCAL lock_timeout = '2s'; COMMIT AND CHAIN"), "unset");
}

#[test]
fn rollback_to_a_savepoint_brings_settings_back() {
    assert_eq!(timeout(EXPLICIT, "BEGIN; SET lock_timeout = '5s'; SAVEPOINT s; SET lock_timeout = '2s'; ROLLBACK TO s"), "5s");
    assert_eq!(timeout(EXPLICIT, "BEGIN; SAVEPOINT s; SET LOCAL lock_timeout = '2s'; ROLLBACK TO s; COMMIT"), "unset");
    assert_eq!(timeout(EXPLICIT, "BEGIN; SAVEPOINT s; SET LOCAL lock_timeout = '2s'; RELEASE s"), "2s");
}

#[test]
fn reset_goes_back_to_what_was_in_force_before_the_file() {
    let mut session = Session::new(EXPLICIT, Step(1));
    session.preset("lock_timeout", SettingValue::Literal("4s".into()));
    assert_eq!(session.lock_timeout(), Timeout::After(std::time::Duration::from_secs(4)));
    run(&mut session, "SET lock_timeout = '2s'; RESET lock_timeout");
    assert_eq!(session.lock_timeout(), Timeout::After(std::time::Duration::from_secs(4)));
}

#[test]
fn other_settings_are_told_too() {
    let session =
        after(EXPLICIT, "SET TIME ZONE 'UTC'; SET ROLE shop_owner; SET session_replication_role = replica; SET statement_timeout = 0");
    assert_eq!(session.time_zone(), Some("UTC"));
    assert_eq!(session.role(), Some("shop_owner"));
    assert!(session.triggers_are_off());
    assert_eq!(session.statement_timeout(), Timeout::Off);
    assert_eq!(session.setting("timezone").and_then(|setting| setting.by), Some(0));
}

#[test]
fn a_transaction_has_somebody_who_opened_it() {
    let opened = |mode, sql| (after(mode, sql).opened_by(), after(mode, sql).transaction_start());
    assert_eq!(opened(EXPLICIT, ""), (None, None));
    assert_eq!(opened(EXPLICIT, "SELECT 1; BEGIN"), (Some(Opener::File), Some(1)));
    assert_eq!(opened(EXPLICIT, "BEGIN; COMMIT"), (None, None));
    assert_eq!(opened(EXPLICIT, "BEGIN; SELECT 1; COMMIT AND CHAIN"), (Some(Opener::File), Some(3)));
    assert_eq!(opened(RUNNER, "SELECT 1"), (Some(Opener::Runner), Some(0)));
    assert_eq!(opened(RUNNER, "SELECT 1; COMMIT; SELECT 1"), (None, None));
    assert_eq!(opened(TransactionMode::Assumed(true), "SELECT 1"), (Some(Opener::Assumed), Some(0)));
    assert_eq!(opened(TransactionMode::Assumed(false), "SELECT 1"), (None, None));
    assert_eq!(opened(TransactionMode::OneMessage, "SELECT 1"), (Some(Opener::OneMessage), Some(0)));
    assert_eq!(opened(TransactionMode::OneMessage, "SELECT 1; BEGIN; SELECT 1"), (Some(Opener::File), Some(0)));
    assert_eq!(opened(TransactionMode::OneMessage, "SELECT 1; COMMIT; SELECT 1"), (Some(Opener::OneMessage), Some(2)));
    assert_eq!(opened(EXPLICIT, "BEGIN; PREPARE TRANSACTION 'shop'"), (None, None));
}

#[test]
fn what_the_server_only_warns_of_is_told() {
    let turns = |mode, sql| run(&mut Session::new(mode, Step(1)), sql);
    assert_eq!(turns(EXPLICIT, "BEGIN; BEGIN; COMMIT; COMMIT"), [Turn::AsWritten, Turn::NestedBegin, Turn::AsWritten, Turn::Stray]);
    assert_eq!(turns(RUNNER, "BEGIN; COMMIT; COMMIT"), [Turn::NestedBegin, Turn::EndsTheRunners, Turn::Stray]);
    assert_eq!(turns(TransactionMode::OneMessage, "COMMIT; BEGIN; COMMIT"), [Turn::Stray, Turn::AsWritten, Turn::AsWritten]);
    assert_eq!(turns(EXPLICIT, "SET LOCAL lock_timeout = 1; SAVEPOINT s"), [Turn::NoEffect, Turn::Refused]);
    assert_eq!(
        turns(EXPLICIT, "BEGIN; SAVEPOINT s; ROLLBACK TO s; RELEASE s; ROLLBACK TO s")[2..],
        [Turn::AsWritten, Turn::AsWritten, Turn::Refused]
    );
}

#[test]
fn locks_are_held_in_their_strongest_mode_until_the_transaction_ends() {
    let locks =
        "BEGIN; LOCK TABLE orders IN SHARE MODE; LOCK TABLE orders IN ROW SHARE MODE; LOCK TABLE orders; LOCK TABLE users IN SHARE MODE";
    assert_eq!(held(&after(EXPLICIT, locks)), "orders ACCESS EXCLUSIVE by 3, users SHARE by 4");
    assert_eq!(held(&after(EXPLICIT, &format!("{locks}; COMMIT"))), "");
    assert_eq!(held(&after(EXPLICIT, &format!("{locks}; ROLLBACK"))), "");
    assert_eq!(held(&after(RUNNER, "LOCK TABLE orders; COMMIT; SELECT 1")), "");
    assert_eq!(held(&after(TransactionMode::None, "LOCK TABLE orders")), "");
    let session = after(EXPLICIT, locks);
    let users = QualifiedName { schema: Ident::quoted("public"), name: Ident::quoted("users") };
    assert_eq!(session.held_on(&users).map(|held| held.lock.mode), Some(LockMode::Share));
}

#[test]
fn rollback_to_a_savepoint_releases_the_locks_taken_since() {
    let since =
        "BEGIN; LOCK TABLE orders IN SHARE MODE; SAVEPOINT one; LOCK TABLE orders; LOCK TABLE users; SAVEPOINT two; LOCK TABLE drafts";
    assert_eq!(held(&after(EXPLICIT, &format!("{since}; ROLLBACK TO one"))), "orders SHARE by 1");
    assert_eq!(held(&after(EXPLICIT, &format!("{since}; ROLLBACK TO two"))), "orders ACCESS EXCLUSIVE by 3, users ACCESS EXCLUSIVE by 4");
    assert_eq!(
        held(&after(EXPLICIT, &format!("{since}; RELEASE two"))),
        "orders ACCESS EXCLUSIVE by 3, users ACCESS EXCLUSIVE by 4, drafts ACCESS EXCLUSIVE by 6"
    );
    assert_eq!(
        held(&after(EXPLICIT, &format!("{since}; ROLLBACK TO one; LOCK TABLE payments"))),
        "orders SHARE by 1, payments ACCESS EXCLUSIVE by 8"
    );
}
