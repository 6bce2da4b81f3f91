//! Ctrl-C and SIGTERM.

use super::project::{LOGGED, PATIENT, Scene};
use nix::sys::signal::Signal;

#[test]
fn ctrl_c_while_a_statement_in_a_transaction_waits() {
    let scene = Scene::new("signal", "Ctrl-C while ALTER TABLE waits for a reader").with_shop();
    let (mut scene, mut reader) = scene.behind_a_reader(PATIENT);
    let running = scene.start(&["apply"]);
    scene.held_up("ALTER TABLE");
    running.signal(Signal::SIGINT);
    let answer = scene.end(running);
    assert_eq!(answer.code, Some(130), "{}", answer.err);
    scene.saw("it says that nothing of it has happened", answer.err.contains("nothing of"), &answer.err);
    scene.finds("the run is interrupted in the ledger", "SELECT state FROM lockkeeper.run ORDER BY id DESC LIMIT 1", "interrupted");
    reader.run("COMMIT");
    scene.settles(LOGGED);
}

#[test]
fn ctrl_c_while_an_index_is_built() {
    let mut scene = Scene::new("signal", "Ctrl-C while an index is built").with_shop();
    scene.configure(PATIENT);
    scene.ends_with(&["apply", "--to", "002"], 0);
    let mut snapshot = scene.session();
    snapshot.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
    let running = scene.start(&["apply"]);
    scene.held_up("CREATE INDEX CONCURRENTLY");
    running.signal(Signal::SIGINT);
    let answer = scene.end(running);
    assert_eq!(answer.code, Some(130), "{}", answer.err);
    scene.finds("what was left of the index is dropped", "SELECT count(*)::text FROM pg_class WHERE relname = 'orders_n'", "0");
    snapshot.run("COMMIT");
    scene.settles(LOGGED);
}

#[test]
fn ctrl_c_twice() {
    let mut scene = Scene::new("signal", "Ctrl-C while an index is built, and again while what is left of it is dropped").with_shop();
    scene.configure(PATIENT);
    scene.ends_with(&["apply", "--to", "002"], 0);
    let mut snapshot = scene.session();
    // Reading the table also stands in the way of dropping its index.
    snapshot.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM orders");
    let running = scene.start(&["apply"]);
    scene.held_up("CREATE INDEX CONCURRENTLY");
    running.signal(Signal::SIGINT);
    scene.held_up("DROP INDEX CONCURRENTLY");
    running.signal(Signal::SIGINT);
    let answer = scene.end(running);
    assert_eq!(answer.code, Some(130), "{}", answer.err);
    scene.saw("it says what goes on", answer.err.contains("`lockkeeper apply` goes on from there"), &answer.err);
    snapshot.run("COMMIT");
    scene.settles(LOGGED);
}

#[test]
fn a_terminated_run_of_batches_goes_on() {
    let mut scene = Scene::new("signal", "SIGTERM in the second of three transactions that change rows").with_shop();
    scene.configure(PATIENT);
    scene.file(
        "002_count.sql",
        "BEGIN;\nUPDATE orders SET n = n + 1 WHERE id BETWEEN 1 AND 300;\nCOMMIT;
         BEGIN;\nUPDATE orders SET n = n + 1 WHERE id BETWEEN 301 AND 600;\nSELECT pg_advisory_xact_lock(42);\nCOMMIT;
         BEGIN;\nUPDATE orders SET n = n + 1 WHERE id > 600;\nINSERT INTO log (word) VALUES ('counted');\nCOMMIT;",
    );
    let mut other = scene.session();
    other.run("SELECT pg_advisory_lock(42)");
    let running = scene.start(&["apply"]);
    scene.held_up("SELECT pg_advisory_xact_lock");
    running.signal(Signal::SIGTERM);
    let answer = scene.end(running);
    assert_eq!(answer.code, Some(130), "{}", answer.err);
    scene.finds("the first transaction stays, the second is rolled back", "SELECT count(*)::text FROM orders WHERE n = 1", "300");
    other.run("SELECT pg_advisory_unlock(42)");
    scene.settles(LOGGED);
}
