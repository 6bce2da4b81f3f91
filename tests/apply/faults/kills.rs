//! `kill -9`, everywhere.

use super::project::files_below;
use super::project::{LOGGED, PATIENT, Scene};
use super::proxy::{COMMIT, Deed, Proxy};
use std::fs;
use std::path::Path;

/// All places at which a process can be ended, see `src/apply/failpoint.rs`.
fn places() -> Vec<String> {
    let mut files = files_below(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/apply")));
    // Where another tool runs the migrations, its own tests end us.
    files.retain(|path| !path.components().any(|part| part.as_os_str() == "runner"));
    let code: Vec<_> = files.iter().map(|path| fs::read_to_string(path).expect("a file of ours")).collect();
    let named = code.iter().flat_map(|code| code.split("failpoint::reach(\"").skip(1));
    let mut places: Vec<_> = named.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect();
    places.sort();
    places.dedup();
    places
}

#[test]
fn a_process_killed_at_any_place_leaves_what_the_next_one_needs() {
    let mut kills = 0;
    let places = places();
    let (last, _) = places.split_last().expect("there are places");
    for place in &places {
        let mut scene = Scene::new("kill -9", "at one place after the other in each run, until one comes to its end").with_shop();
        scene.file("005_words.sql", "-- lockkeeper: backfill key=id batch=400\nUPDATE orders SET note = coalesce(note, '') || 'x';");
        // Each run passes some places that the one before it has not reached, or has not passed.
        for time in 1.. {
            let running = scene.start_with(&["apply"], &[("LOCKKEEPER_FAILPOINT", &format!("{place}:{time}"))]);
            let answer = running.wait();
            if answer.code.is_some() {
                assert_eq!(answer.code, Some(0), "{place}: {}", answer.err);
                assert!(time > 1, "{place} is never passed");
                break;
            }
            kills += 1;
        }
        assert_eq!(scene.ask("SELECT DISTINCT note FROM orders"), "x", "{place}");
        if place == last {
            println!("{kills} kills at {} places", places.len());
            scene.saw(&format!("{} places in the code", places.len()), true, "");
            scene.settles(LOGGED);
            return;
        }
        scene.holds(LOGGED);
    }
}

#[test]
fn before_the_first_step() {
    let mut scene = Scene::new("kill -9", "before the first step").with_shop();
    scene.killed_at(&["apply"], "step-begun");
    scene.finds("no table of the migration is there", "SELECT count(*)::text FROM pg_tables WHERE schemaname = 'public'", "0");
    scene.settles(LOGGED);
}

#[test]
fn in_a_transaction() {
    let mut scene = Scene::new("kill -9", "while a statement in a transaction runs").with_shop();
    scene.configure(&without_check());
    scene.file(
        "002_count.sql",
        "UPDATE orders SET n = n + 1 WHERE id > 0;\nSELECT pg_advisory_xact_lock(42);\nINSERT INTO log (word) VALUES ('counted');",
    );
    let mut other = scene.session();
    other.run("SELECT pg_advisory_lock(42)");
    let running = scene.start(&["apply"]);
    scene.held_up("SELECT pg_advisory_xact_lock");
    running.kill();
    scene.end(running);
    let next = scene.start(&["apply"]);
    next.says("still works on step 1");
    scene.saw("the next run waits for the old session", true, "");
    other.run("SELECT pg_advisory_unlock(42)");
    assert_eq!(scene.end(next).code, Some(0));
    scene.finds(
        "the first try is failed in the ledger",
        "SELECT state FROM lockkeeper.step WHERE migration = '002' ORDER BY id",
        "failed, done",
    );
    scene.settled(LOGGED);
}

#[test]
fn after_commit_was_sent() {
    let mut scene = Scene::new("kill -9", "after COMMIT was sent, before its answer").with_shop();
    scene.ends_with(&["apply", "--to", "001"], 0);
    let proxy = Proxy::to(scene.database.get_socket().expect("it is reached by a socket"));
    scene.reach_by("PGHOST", "127.0.0.1".to_owned());
    scene.reach_by("PGPORT", proxy.port.to_string());
    proxy.when(COMMIT, Deed::HoldAnswer);
    let running = scene.start(&["apply"]);
    super::project::until("COMMIT is answered", || proxy.has_happened().then_some(()));
    running.kill();
    scene.end(running);
    scene.finds("the ledger says done", "SELECT state FROM lockkeeper.step WHERE migration = '002'", "done");
    scene.settles(LOGGED);
}

#[test]
fn between_a_statement_that_runs_alone_and_the_ledger() {
    let mut scene = Scene::new("kill -9", "after an index was built, before the ledger says so").with_shop();
    scene.killed_at(&["apply"], "alone-ended");
    scene.ends_with(&["apply"], 0);
    scene.finds("the index is adopted", "SELECT state FROM lockkeeper.step WHERE migration = '003'", "adopted");
    scene.settled(LOGGED);
}

/// The server does not look whether we are still there while a statement runs.
fn without_check() -> String {
    format!("{}, settings: {{ client_connection_check_interval: 0 }} }}", PATIENT.trim_end_matches(" }"))
}

/// Kills a run while it builds an index, and gives the scene and who stands in the index's way.
fn killed_in_index(done: &'static str, interval: &str) -> (Scene, super::project::Session) {
    let mut scene = Scene::new("kill -9", done).with_shop();
    let settings = format!(", settings: {{ client_connection_check_interval: {interval} }} }}");
    scene.configure(&format!("{}{settings}", PATIENT.trim_end_matches(" }")));
    scene.ends_with(&["apply", "--to", "002"], 0);
    let mut snapshot = scene.session();
    snapshot.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
    let running = scene.start(&["apply"]);
    scene.held_up("CREATE INDEX CONCURRENTLY");
    running.kill();
    scene.end(running);
    (scene, snapshot)
}

#[test]
fn while_an_index_is_built_and_the_server_goes_on() {
    let done = "while an index is built; the server does not look whether we are there";
    let (mut scene, mut snapshot) = killed_in_index(done, "0");
    let next = scene.start(&["apply"]);
    next.says("still works on step 1");
    scene.saw("the next run waits for the old session", true, "");
    snapshot.run("COMMIT");
    assert_eq!(scene.end(next).code, Some(0));
    scene.finds("the index is adopted", "SELECT state FROM lockkeeper.step WHERE migration = '003'", "adopted");
    scene.settled(LOGGED);
}

#[test]
fn while_an_index_is_built_and_the_server_notices() {
    let done = "while an index is built; the server looks whether we are there";
    let (mut scene, mut snapshot) = killed_in_index(done, "100ms");
    scene.until(
        "the old session ends",
        "SELECT 'x' WHERE NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lockkeeper apply')",
    );
    scene.finds("an invalid index is left", "SELECT indisvalid::text FROM pg_index WHERE indexrelid = 'orders_n'::regclass", "false");
    let next = scene.start(&["apply"]);
    next.says("removes index");
    scene.held_up("CREATE INDEX CONCURRENTLY");
    snapshot.run("COMMIT");
    let answer = scene.end(next);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    scene.saw("it is dropped and built again", true, "");
    scene.settled(LOGGED);
}

#[test]
fn on_the_way_back() {
    let mut scene = Scene::new("kill -9", "in a rollback, between two of its steps");
    scene.file(
        "001_orders.up.sql",
        "CREATE TABLE log (at bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, word text NOT NULL);\nINSERT INTO log (word) VALUES ('up 1');",
    );
    scene.file("001_orders.down.sql", "DROP TABLE log;");
    scene.file("002_count.up.sql", "INSERT INTO log (word) VALUES ('up 2');");
    scene.file(
        "002_count.down.sql",
        "BEGIN;\nINSERT INTO log (word) VALUES ('down 2a');\nCOMMIT;\nBEGIN;\nINSERT INTO log (word) VALUES ('down 2b');\nCOMMIT;",
    );
    scene.ends_with(&["apply"], 0);
    scene.killed_at(&["rollback", "--steps", "1"], "step-ended");
    scene.ends_with(&["apply"], 3);
    scene.saw("apply refuses until the rollback has ended", true, "");
    scene.ends_with(&["rollback", "--steps", "1"], 0);
    scene.settles("up 1, up 2, down 2a, down 2b, up 2");
}
