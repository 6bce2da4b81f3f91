//! Standbys that keep up and that do not, and slots that keep WAL for nobody.

use super::{Limits, Touched, check, on_each, run, says};
use crate::standby_server::{self, Standby};
use lockkeeper::db::server::Server;
use lockkeeper::db::{Connection, block_on};
use std::time::Duration;

/// Waits until a query gives true.
async fn until(connection: &mut Connection, query: &str) {
    for _ in 0..600 {
        let texts = connection.texts(&format!("SELECT ({query})::text")).await.expect("it can be asked");
        if texts.concat() == "true" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it does not come to that: {query}");
}

#[test]
fn a_standby_that_is_behind_fails_and_the_standby_itself_takes_no_migrations() {
    let primary = Server::start(&standby_server::that_copies(), &[]).expect("it starts");
    let standby = Standby::of(&primary, "reporting");
    block_on(async {
        let options = primary.options("postgres");
        let nothing = Touched::default();
        let mut shop = run(&options, "CREATE TABLE orders (id bigint, note text)").await;
        until(&mut shop, "SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming' AND replay_lsn >= pg_current_wal_lsn()")
            .await;
        says(&check(&options, "standbys", &nothing, &Limits::default()).await, &["pass: `reporting` is ", " behind"]);

        let its_own = standby.options(&options);
        let line = check(&its_own, "server", &nothing, &Limits::default()).await;
        says(&line, &["fail: PostgreSQL ", "standby, database `postgres`", "a standby takes no migrations -> name the primary"]);

        run(&its_own, "SELECT pg_wal_replay_pause()").await.close().await;
        shop.run("INSERT INTO orders SELECT n, repeat('note ', 100) FROM generate_series(1, 5000) n").await.expect("it is a primary");
        let limits = Limits { behind: 1 << 20, ..Limits::default() };
        says(
            &check(&options, "standbys", &nothing, &limits).await,
            &["fail: `reporting` (pid ", " MB behind, of 1.0 MB allowed -> wait until"],
        );
        run(&its_own, "SELECT pg_wal_replay_resume()").await.close().await;
        until(&mut shop, "SELECT bool_and(replay_lsn >= pg_current_wal_lsn()) FROM pg_stat_replication").await;
        says(&check(&options, "standbys", &nothing, &limits).await, &["pass: `reporting` is "]);

        shop.run("CREATE ROLE deployer LOGIN").await.expect("it is a primary");
        let line = check(&options.clone().username("deployer"), "standbys", &nothing, &limits).await;
        says(&line, &["warn: 1 standby connection; how far behind is hidden from this role -> GRANT pg_monitor"]);
    })
    .expect("an event queue");
}

#[test]
fn a_synchronous_standby_that_is_missing_fails_since_every_commit_waits_for_it() {
    on_each(&[], async |_, options| {
        says(&check(options, "standbys", &Touched::default(), &Limits::default()).await, &["pass: no standby is connected"]);
        let mut shop = run(options, "ALTER SYSTEM SET synchronous_standby_names = 'reporting'").await;
        shop.run("SELECT pg_reload_conf()").await.expect("a superuser may");
        until(&mut shop, "SELECT current_setting('synchronous_standby_names') = 'reporting'").await;
        let line = check(options, "standbys", &Touched::default(), &Limits::default()).await;
        says(&line, &["fail: synchronous_standby_names is `reporting`, and no such standby is connected"]);
    });
}

#[test]
fn a_slot_that_nobody_uses_is_a_warning_and_fails_once_it_keeps_too_much() {
    on_each(&[], async |_, options| {
        let nothing = Touched::default();
        assert_eq!(check(options, "slots", &nothing, &Limits::default()).await, "pass: no replication slots");
        let mut shop = run(options, "SELECT pg_create_physical_replication_slot('reporting', true)").await;
        let line = check(options, "slots", &nothing, &Limits::default()).await;
        says(&line, &["warn: slot `reporting`, used by nobody, keeps ", " -> SELECT pg_drop_replication_slot('reporting')"]);
        shop.run("INSERT INTO orders SELECT n, n, repeat('note ', 100) FROM generate_series(10001, 15000) n").await.expect("it may");
        let line = check(options, "slots", &nothing, &Limits { retained: 1 << 20, ..Limits::default() }).await;
        says(
            &line,
            &["fail: slot `reporting`, used by nobody, keeps ", " MB of WAL, of 1.0 MB allowed -> SELECT pg_drop_replication_slot"],
        );
    });
}
