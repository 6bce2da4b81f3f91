//! A standby that stands still, and one that is gone.

use super::{COUNTED, begun, ended, until, words};
use crate::project::Project;
use crate::standby_server::{self, Standby};
use lockkeeper::db::server::Server;
use lockkeeper::db::{Connection, block_on};
use sqlx::postgres::PgConnectOptions;

/// A session's one query.
fn ask(options: &PgConnectOptions, query: &str) {
    let ask = async {
        let mut connection = Connection::open(options).await.expect("the standby answers");
        connection.run(query).await.unwrap_or_else(|refusal| panic!("{query}: {refusal}"));
        connection.close().await;
    };
    block_on(ask).expect("an event queue");
}

#[test]
fn a_standby_that_is_behind_by_bytes_is_waited_for_and_one_that_goes_away_stops_it() {
    let primary = Server::start(&standby_server::that_copies(), &[]).expect("it starts");
    let orders = "CREATE TABLE orders (id bigint PRIMARY KEY, n int NOT NULL DEFAULT 0);\n\
                  INSERT INTO orders (id) SELECT g FROM generate_series(1, 150000) g;\n";
    let count = "-- lockkeeper: backfill key=id batch=500\nUPDATE orders SET n = n + 1;\n";
    let project = Project::new(&primary, &[("0001_orders.sql", orders), ("0002_count.sql", count)]);
    let config = "migrations: [m]\nhistory: whole\nenvironments:\n  test: { confirm: false }\n\
                  apply: { backfill: { target: 5ms, max_lag_bytes: 1MB } }\n";
    project.write("lockkeeper.yaml", config);
    let first = project.run(&["apply", "--to", "0001"]);
    assert_eq!(first.code, 0, "{}", first.err);

    let standby = Standby::of(&primary, "reporting");
    until(&project, "SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming' AND replay_lsn >= pg_current_wal_lsn()");
    let on_standby = standby.options(&project.options);
    ask(&on_standby, "SELECT pg_wal_replay_pause()");
    let child = begun(&project);
    until(
        &project,
        "SELECT count(*) > 0 FROM lockkeeper.event WHERE kind = 'throttled' AND text LIKE 'standby reporting, which is % MB behind'",
    );
    let rows: u32 = project.ask("SELECT rows::text FROM lockkeeper.job").parse().expect("a number");
    assert!(rows < 150_000, "all {rows} rows were changed, whatever the standby did");
    std::thread::sleep(std::time::Duration::from_millis(600));
    assert_eq!(project.ask("SELECT rows::text FROM lockkeeper.job"), rows.to_string(), "nothing is changed while it stands still");
    ask(&on_standby, "SELECT pg_wal_replay_resume()");
    until(&project, &format!("SELECT rows > {rows} FROM lockkeeper.job"));

    ask(&on_standby, "SELECT pg_wal_replay_pause()");
    until(&project, "SELECT count(*) > 1 OR (SELECT state = 'done' FROM lockkeeper.job) FROM lockkeeper.event WHERE kind = 'throttled'");
    drop(standby);
    let is_throttled =
        "SELECT count(*) > 0 FROM lockkeeper.event WHERE kind = 'throttled' AND text LIKE '%reporting, which was there at the beginning%'";
    until(&project, &format!("{is_throttled} OR (SELECT state = 'done' FROM lockkeeper.job)"));
    assert_eq!(project.run(&["backfill", "--cancel", "0002"]).code, 0);
    let cancelled = ended(child);
    assert_eq!((cancelled.code, words(&cancelled).contains("it was cancelled")), (10, true), "{}", cancelled.err);
    // Without it, and by somebody's word, it goes on to its end.
    assert_eq!(project.run(&["backfill", "--resume", "0002"]).code, 0);
    let applied = project.run(&["apply"]);
    assert_eq!(applied.code, 0, "{}", applied.err);
    assert_eq!(project.ask(COUNTED), "1: 150000");
}
