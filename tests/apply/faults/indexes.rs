//! Indexes that are built or rebuilt concurrently, and do not come to their end.

use super::project::{BRIEF, LOGGED, PATIENT, Scene};

const OLD_SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1";

/// A shop on which all but the index and the last migration have run.
fn before_the_index(done: &'static str) -> Scene {
    let mut scene = Scene::new("index", done).with_shop();
    scene.ends_with(&["apply", "--to", "002"], 0);
    scene
}

#[test]
fn an_old_snapshot_stays_longer_than_the_lock_timeout() {
    let mut scene = before_the_index("an old transaction stays for longer than index.lock_timeout");
    scene.configure(&BRIEF.replace("lock_timeout: 10s", "lock_timeout: 500ms"));
    let mut snapshot = scene.session();
    snapshot.run(OLD_SNAPSHOT);
    let running = scene.start(&["apply"]);
    running.says("try 1 given up");
    snapshot.run("COMMIT");
    let answer = scene.end(running);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    scene.saw(
        "the invalid index is dropped and built again",
        answer.err.contains("removes index `public.orders_n` is invalid") || answer.err.contains("removes"),
        &answer.err,
    );
    scene.settled(LOGGED);
}

#[test]
fn a_unique_index_over_duplicates() {
    let mut scene = before_the_index("CREATE UNIQUE INDEX CONCURRENTLY over rows that are not unique");
    scene.file("003_index.sql", "CREATE UNIQUE INDEX CONCURRENTLY orders_n ON orders (n);");
    let answer = scene.ends_with(&["apply"], 6);
    scene.saw("there is no second try", !answer.err.contains("given up"), &answer.err);
    scene.saw("it shows a value that is there twice", answer.err.contains("(n)=(1)"), &answer.err);
    scene.finds("what was left of the index is dropped", "SELECT count(*)::text FROM pg_class WHERE relname = 'orders_n'", "0");
    scene.file("003_index.sql", "CREATE INDEX CONCURRENTLY orders_n ON orders (n);");
    scene.settles(LOGGED);
}

#[test]
fn if_not_exists_over_an_invalid_index() {
    let mut scene = before_the_index("CREATE INDEX CONCURRENTLY IF NOT EXISTS, and an invalid index of that name is there");
    scene.file("003_index.sql", "CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_n ON orders (n);");
    let mut session = scene.session();
    session.run("UPDATE orders SET n = 2 WHERE id = 1; UPDATE orders SET n = 2 WHERE id = 2");
    assert!(session.try_run("CREATE UNIQUE INDEX CONCURRENTLY orders_n ON orders (n)").is_err(), "the rows are not unique");
    session.run("UPDATE orders SET n = 1");
    scene.ends_with(&["apply"], 0);
    scene.finds(
        "it is dropped and built",
        "SELECT indisvalid || ' ' || indisunique FROM pg_index WHERE indexrelid = 'orders_n'::regclass",
        "true false",
    );
    scene.settled(LOGGED);
}

#[test]
fn an_index_of_that_name_and_another_definition() {
    let mut scene = before_the_index("a valid index of that name is there, and is another one");
    scene.file("003_index.sql", "CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_n ON orders (n);");
    scene.sql(&["CREATE INDEX orders_n ON orders (n, id)"]);
    let answer = scene.ends_with(&["apply"], 6);
    scene.saw("it says what differs", answer.err.contains("orders_n"), &answer.err);
    scene.sql(&["DROP INDEX orders_n"]);
    scene.settles(LOGGED);
}

#[test]
fn a_reindex_that_somebody_cancels() {
    let mut scene = Scene::new("index", "somebody cancels REINDEX INDEX CONCURRENTLY").with_shop();
    scene.configure(PATIENT);
    scene.ends_with(&["apply"], 0);
    scene.file("005_reindex.sql", "REINDEX INDEX CONCURRENTLY orders_n;");
    let mut snapshot = scene.session();
    snapshot.run(OLD_SNAPSHOT);
    let running = scene.start(&["apply"]);
    let pid = scene.held_up("REINDEX INDEX CONCURRENTLY");
    scene.sql(&[&format!("SELECT pg_cancel_backend({pid})")]);
    running.says("try 1 given up");
    snapshot.run("COMMIT");
    let answer = scene.end(running);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    scene.finds("no copy of the index is left", "SELECT count(*)::text FROM pg_class WHERE relname LIKE 'orders_n_cc%'", "0");
    scene.settled(LOGGED);
}

#[test]
fn an_index_whose_build_is_killed_with_its_session() {
    let mut scene = before_the_index("pg_terminate_backend of the session that builds an index");
    scene.configure(PATIENT);
    let mut snapshot = scene.session();
    snapshot.run(OLD_SNAPSHOT);
    let running = scene.start(&["apply"]);
    let pid = scene.held_up("CREATE INDEX CONCURRENTLY");
    scene.sql(&[&format!("SELECT pg_terminate_backend({pid})")]);
    running.says("removes");
    snapshot.run("COMMIT");
    let answer = scene.end(running);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    scene.saw("it calls again, drops what was left, and builds it", true, "");
    scene.settled(LOGGED);
}
