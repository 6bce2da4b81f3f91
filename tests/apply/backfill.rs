//! Changes of many rows in batches: every row exactly once, whatever happens in between.

mod job;
mod standby;

use crate::project::{Project, Said, said};
use crate::servers::servers;
use lockkeeper::db::server::Server;
use lockkeeper::db::{Connection, block_on};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::hash::{BuildHasher, RandomState};
use std::process::{Child, Stdio};
use std::time::Duration;

/// A table of so many orders, of which each has been counted 0 times.
fn shop(server: &Server, rows: u32, backfill: &str) -> Project {
    let orders = format!(
        "CREATE TABLE orders (id bigint PRIMARY KEY, n int NOT NULL DEFAULT 0, state text);\n\
         INSERT INTO orders (id) SELECT g * 3 FROM generate_series(1, {rows}) g;\n"
    );
    Project::new(server, &[("0001_orders.sql", &orders), ("0002_count.sql", backfill)])
}

fn applied(project: &Project) -> Said {
    let applied = project.run(&["apply"]);
    assert_eq!(applied.code, 0, "{}", applied.err);
    applied
}

/// Runs `apply` in the background.
fn begun(project: &Project) -> Child {
    let mut command = project.command(&["apply"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("lockkeeper starts")
}

fn signal(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id()).expect("a process number");
    kill(Pid::from_raw(pid), signal).expect("it runs");
}

fn ended(child: Child) -> Said {
    said(&child.wait_with_output().expect("it ends"))
}

/// What was said, without the places at which its lines were broken.
fn words(said: &Said) -> String {
    said.err.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Waits until a query says `t`.
fn until(project: &Project, query: &str) {
    let wait = async {
        let mut connection = Connection::open(&project.options).await.expect("the server answers");
        for _ in 0..6000 {
            // Tables that are asked for may not be there yet.
            if connection.texts(&format!("SELECT ({query})::text")).await.is_ok_and(|said| said == ["true"]) {
                return connection.close().await;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("it never came true: {query}");
    };
    block_on(wait).expect("an event queue");
}

const COUNTED: &str = "SELECT string_agg(n || ': ' || c, ', ' ORDER BY n) FROM (SELECT n, count(*) c FROM orders GROUP BY n) o";

#[test]
fn all_rows_are_changed_and_the_ledger_says_so() {
    for server in servers() {
        let project = shop(server, 12_345, "-- lockkeeper: backfill key=id batch=1000\nUPDATE orders SET n = n + 1;\n");
        let applied = applied(&project);
        assert_eq!(project.ask(COUNTED), "1: 12345");
        assert!(applied.err.contains("12345 rows changed"), "{}", applied.err);
        assert_eq!(project.ask("SELECT state || ' ' || rows FROM lockkeeper.job"), "done 12345");
        assert_eq!(project.ask("SELECT kind || ' ' || state FROM lockkeeper.step WHERE migration = '0002'"), "backfill done");
        assert!(project.run(&["apply"]).err.contains("nothing to do"));
        assert_eq!(project.ask(COUNTED), "1: 12345");
    }
}

#[test]
fn a_row_that_still_matches_after_it_was_changed_is_not_changed_again() {
    let project = shop(&servers()[0], 3000, "-- lockkeeper: backfill batch=500\nUPDATE orders SET n = n + 1 WHERE id % 2 = 0;\n");
    applied(&project);
    assert_eq!(project.ask(COUNTED), "0: 1500, 1: 1500");
    assert_eq!(project.ask("SELECT settles || ' ' || pass FROM lockkeeper.job"), "false 1");
}

#[test]
fn rows_come_away_in_batches_too() {
    let sql = "-- lockkeeper: backfill key=id batch=500\nDELETE FROM public.orders AS o USING generate_series(3, 6000, 3) old WHERE old = o.id;\n";
    let project = shop(&servers()[0], 3000, sql);
    project.approve_all();
    applied(&project);
    assert_eq!(project.ask("SELECT count(*) || ' ' || min(id) FROM orders"), "1000 6003");
}

#[test]
fn composite_keys_quoted_names_other_schemas_and_nulls_in_the_key() {
    for server in servers() {
        let table = "CREATE SCHEMA \"My Shop\";\n\
             CREATE TABLE \"My Shop\".\"Order Lines\" (\"Order\" int, line text, \"select\" int NOT NULL DEFAULT 0);\n\
             CREATE UNIQUE INDEX lines_key ON \"My Shop\".\"Order Lines\" (\"Order\", line);\n\
             INSERT INTO \"My Shop\".\"Order Lines\" SELECT g / 7, 'it''s ' || g % 7 FROM generate_series(1, 5000) g;\n\
             INSERT INTO \"My Shop\".\"Order Lines\" VALUES (NULL, 'a'), (NULL, NULL), (3, NULL), (714, NULL);\n";
        let backfill = "-- lockkeeper: backfill key=\"Order\",line batch=300\n\
             UPDATE \"My Shop\".\"Order Lines\" SET \"select\" = \"select\" + 1 -- all of them\n;\n";
        let project = Project::new(server, &[("0001_lines.sql", table), ("0002_count.sql", backfill)]);
        applied(&project);
        let counted = "SELECT string_agg(DISTINCT \"select\"::text, ' ') || ': ' || count(*) FROM \"My Shop\".\"Order Lines\"";
        assert_eq!(project.ask(counted), "1: 5004");
        assert_eq!(project.ask("SELECT key FROM lockkeeper.job"), "[\"Order\",\"line\"]");
    }
}

#[test]
fn without_a_key_it_goes_page_by_page_if_changed_rows_can_be_told_from_others() {
    let table = "CREATE TABLE visits (page text, n int NOT NULL DEFAULT 0);\n\
         INSERT INTO visits SELECT repeat('x', 200) FROM generate_series(1, 20000);\n";
    let backfill = |sql: &str| format!("-- lockkeeper: backfill batch=1000\n{sql};\n");
    let server = &servers()[0];
    let files = |sql: &str| Project::new(server, &[("0001_visits.sql", table), ("0002_count.sql", &backfill(sql))]);
    let project = files("UPDATE visits SET n = n + 1 WHERE n = 0");
    applied(&project);
    assert_eq!(project.ask("SELECT string_agg(DISTINCT n::text, ' ') || ': ' || count(*) FROM visits"), "1: 20000");
    assert_eq!(project.ask("SELECT key FROM lockkeeper.job"), "[\"ctid\"]");

    let refused = files("UPDATE visits SET n = n + 1").run(&["apply"]);
    assert_eq!(refused.code, 6, "{}", refused.err);
    assert!(words(&refused).contains("without WHERE nobody could tell rows that have been changed"), "{}", refused.err);
    let project = files("UPDATE visits SET n = n + 1 WHERE page <> ''");
    let refused = project.run(&["apply"]);
    assert!(words(&refused).contains("would be found again"), "{}", refused.err);
    assert_eq!(project.ask("SELECT sum(n)::text FROM visits"), "0", "the batch that showed it was rolled back");
}

#[test]
fn what_cannot_be_run_in_batches_is_refused_before_anything_runs() {
    for (sql, why) in [
        ("WITH x AS (SELECT 1) UPDATE orders SET n = 1", "begins with WITH"),
        ("UPDATE orders SET n = 1 RETURNING id", "the rows that RETURNING gives go nowhere"),
        ("UPDATE orders SET n = 1; UPDATE orders SET n = 2", "has one statement"),
    ] {
        let project = shop(&servers()[0], 10, &format!("-- lockkeeper: backfill key=id\n{sql};\n"));
        let refused = project.run(&["apply"]);
        assert_eq!((refused.code, words(&refused).contains(why)), (1, true), "{sql}: {}", refused.err);
        assert_eq!(project.ask("SELECT to_regclass('orders')::text"), "");
    }
    let project = shop(&servers()[0], 10, "-- lockkeeper: backfill key=n\nUPDATE orders SET state = 'open';\n");
    let refused = project.run(&["apply"]);
    assert_eq!((refused.code, words(&refused).contains("no index is in the order of (n)")), (6, true), "{}", refused.err);
}

#[test]
fn killed_again_and_again_it_changes_every_row_exactly_once() {
    let server = servers().last().expect("a server");
    let project = shop(server, 200_000, "-- lockkeeper: backfill key=id batch=200\nUPDATE orders SET n = n + 1;\n");
    let config = "migrations: [m]\nhistory: whole\nenvironments:\n  test: { confirm: false }\napply: { reconnect: 20s, backfill: { target: 4ms } }\n";
    project.write("lockkeeper.yaml", config);
    let first = project.run(&["apply", "--to", "0001"]);
    assert_eq!(first.code, 0, "{}", first.err);
    let random = RandomState::new();
    let (mut killed, mut batches) = (0, String::from("0"));
    for round in 0..50u64 {
        let child = begun(&project);
        // Some before anything has happened, the others in the midst of their batches.
        if round % 5 != 0 {
            until(&project, &format!("SELECT batches > {batches} OR state = 'done' FROM lockkeeper.job"));
        }
        std::thread::sleep(Duration::from_millis(random.hash_one(round) % 60));
        signal(&child, Signal::SIGKILL);
        killed += i32::from(ended(child).code != 0);
        if round > 0 {
            batches = project.ask("SELECT batches::text FROM lockkeeper.job");
        }
    }
    applied(&project);
    assert_eq!(project.ask(COUNTED), "1: 200000", "after {killed} kills");
    assert_eq!(project.ask("SELECT rows::text FROM lockkeeper.job"), "200000");
    assert!(killed > 40, "only {killed} of the runs were killed before their end");
}

#[test]
fn killed_at_each_place_of_a_batch_it_goes_on_there() {
    let server = &servers()[0];
    for place in ["backfill-begun", "batch-advanced:3", "batch-committed:3", "backfill-ended"] {
        let project = shop(server, 5000, "-- lockkeeper: backfill key=id batch=200\nUPDATE orders SET n = n + 1;\n");
        let killed = project.command(&["apply"]).env("LOCKKEEPER_FAILPOINT", place).output().expect("it starts");
        assert_eq!(killed.status.code(), None, "{place}: {}", said(&killed).err);
        applied(&project);
        assert_eq!(project.ask(COUNTED), "1: 5000", "{place}");
    }
}

#[test]
fn somebody_who_holds_a_row_is_waited_for() {
    let server = &servers()[0];
    let project = shop(server, 3000, "-- lockkeeper: backfill key=id batch=1000\nUPDATE orders SET n = n + 1;\n");
    let first = project.run(&["apply", "--to", "0001"]);
    assert_eq!(first.code, 0, "{}", first.err);
    let scene = async {
        let mut holder = Connection::open(&project.options).await.expect("the server answers");
        holder.run("BEGIN; UPDATE orders SET state = 'mine' WHERE id = 4500").await.expect("a row");
        let child = begun(&project);
        let begin = std::time::Instant::now();
        while begin.elapsed() < Duration::from_secs(3) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        holder.run("COMMIT").await.expect("it commits");
        holder.close().await;
        child
    };
    let ended = ended(block_on(scene).expect("an event queue"));
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.err.contains("canceling statement due to lock timeout"), "{}", ended.err);
    assert_eq!(project.ask(COUNTED), "1: 3000");
    assert_eq!(project.ask("SELECT state FROM orders WHERE id = 4500"), "mine");
}

#[test]
fn ctrl_c_ends_it_after_the_batch_and_it_goes_on_later() {
    let server = &servers()[0];
    let project = shop(server, 100_000, "-- lockkeeper: backfill key=id batch=50\nUPDATE orders SET n = n + 1;\n");
    project.write(
        "lockkeeper.yaml",
        "migrations: [m]\nhistory: whole\nenvironments:\n  test: { confirm: false }\napply: { backfill: { target: 1ms } }\n",
    );
    let child = begun(&project);
    until(&project, "SELECT batches > 3 FROM lockkeeper.job");
    signal(&child, Signal::SIGINT);
    let stopped = ended(child);
    assert_eq!(stopped.code, 130, "{}", stopped.err);
    assert!(words(&stopped).contains("batches, which have committed and stay"), "{}", stopped.err);
    let rows = project.ask("SELECT rows::text FROM lockkeeper.job");
    assert_eq!(project.ask("SELECT count(*)::text FROM orders WHERE n = 1"), rows);
    assert_eq!(project.ask("SELECT state FROM lockkeeper.step ORDER BY id DESC LIMIT 1"), "failed");
    applied(&project);
    assert_eq!(project.ask(COUNTED), "1: 100000");
}

#[test]
fn a_session_that_is_ended_in_the_midst_of_batches_is_followed_by_another() {
    let project = shop(&servers()[0], 100_000, "-- lockkeeper: backfill key=id batch=50\nUPDATE orders SET n = n + 1;\n");
    let config = "migrations: [m]\nhistory: whole\nenvironments:\n  test: { confirm: false }\napply: { reconnect: 20s, backfill: { target: 1ms } }\n";
    project.write("lockkeeper.yaml", config);
    let child = begun(&project);
    let mut batches = "0".to_owned();
    for _ in 0..5 {
        until(&project, &format!("SELECT batches > {batches} FROM lockkeeper.job"));
        let ended = "SELECT count(pg_terminate_backend(pid))::text FROM pg_stat_activity WHERE application_name = 'lockkeeper apply' AND datname = current_database()";
        assert_eq!(project.ask(ended), "1");
        batches = project.ask("SELECT batches::text FROM lockkeeper.job");
    }
    let run = ended(child);
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(project.ask(COUNTED), "1: 100000");
    assert!(project.ask("SELECT count(*)::text FROM lockkeeper.step WHERE migration = '0002'").parse::<u32>().is_ok_and(|tries| tries > 1));
}

#[test]
fn a_partitioned_table_is_gone_through_by_its_own_key() {
    for server in servers() {
        let table = "CREATE TABLE payments (day date, id int, n int NOT NULL DEFAULT 0, PRIMARY KEY (day, id)) PARTITION BY RANGE (day);\n\
             CREATE TABLE payments_1 PARTITION OF payments FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');\n\
             CREATE TABLE payments_2 PARTITION OF payments FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');\n\
             INSERT INTO payments SELECT '2026-01-01'::date + g % 59, g FROM generate_series(1, 4000) g;\n";
        let count = "-- lockkeeper: backfill batch=300\nUPDATE payments SET n = n + 1;\n";
        let project = Project::new(server, &[("0001_payments.sql", table), ("0002_count.sql", count)]);
        applied(&project);
        assert_eq!(project.ask("SELECT string_agg(DISTINCT n::text, ' ') || ': ' || count(*) FROM payments"), "1: 4000");
        assert_eq!(project.ask("SELECT key FROM lockkeeper.job"), "[\"day\",\"id\"]");
    }
}
