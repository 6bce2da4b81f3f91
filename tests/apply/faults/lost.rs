//! Connections that end, fall silent or lead somewhere else.

use super::project::{BRIEF, LOGGED, PATIENT, Scene, Session, until};
use super::proxy::{COMMIT, Deed, Proxy};
use crate::servers::servers;
use crate::standby_server::{self, Standby};
use lockkeeper::db::block_on;
use lockkeeper::db::server::Server;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A shop whose second migration waits in a transaction for whoever holds the advisory lock 42.
fn held(scene: Scene) -> (Scene, Session) {
    let scene = scene.with_shop();
    scene.configure(PATIENT);
    scene.file(
        "002_count.sql",
        "UPDATE orders SET n = n + 1 WHERE id > 0;\nSELECT pg_advisory_xact_lock(42);\nINSERT INTO log (word) VALUES ('counted');",
    );
    let mut other = scene.session();
    other.run("SELECT pg_advisory_lock(42)");
    (scene, other)
}

/// Lets `lockkeeper` go through a proxy.
fn through_proxy(scene: &mut Scene) -> Proxy {
    let proxy = Proxy::to(scene.database.get_socket().expect("it is reached by a socket"));
    scene.reach_by("PGHOST", "127.0.0.1".to_owned());
    scene.reach_by("PGPORT", proxy.port.to_string());
    proxy
}

#[test]
fn the_server_crashes() {
    let installation = servers().last().expect("a server").installation();
    let server = Server::start(installation, &[]).unwrap_or_else(|problem| panic!("{}", problem.message));
    let (mut scene, other) = held(Scene::on(&server, "connection", "the server crashes while a statement in a transaction runs"));
    let running = scene.start(&["apply"]);
    scene.held_up("SELECT pg_advisory_xact_lock");
    // One backend that dies takes all others with it, and its lock.
    kill(Pid::from_raw(other.pid()), Signal::SIGKILL).expect("the backend is there");
    let answer = scene.end(running);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    scene.saw("it calls the server again", answer.err.contains("the server has gone away"), &answer.err);
    scene.settled(LOGGED);
}

#[test]
fn the_working_session_is_terminated() {
    let (mut scene, mut other) = held(Scene::new("connection", "pg_terminate_backend of the session that runs the migration"));
    let running = scene.start(&["apply"]);
    let pid = scene.held_up("SELECT pg_advisory_xact_lock");
    scene.sql(&[&format!("SELECT pg_terminate_backend({pid})")]);
    other.run("SELECT pg_advisory_unlock(42)");
    let answer = scene.end(running);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    scene.finds("the second try succeeds", "SELECT state FROM lockkeeper.step WHERE migration = '002' ORDER BY id", "failed, done");
    scene.settled(LOGGED);
}

#[test]
fn the_session_that_holds_the_lock_is_terminated() {
    let (mut scene, mut other) = held(Scene::new("connection", "pg_terminate_backend of the session that holds the runner's lock"));
    let running = scene.start(&["apply"]);
    scene.held_up("SELECT pg_advisory_xact_lock");
    scene.sql(&[TERMINATE_GUARD]);
    other.run("SELECT pg_advisory_unlock(42)");
    let answer = scene.end(running);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    scene.saw("the lock is taken again before the next step", answer.err.contains("the server has gone away"), &answer.err);
    scene.settled(LOGGED);
}

const TERMINATE_GUARD: &str =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lockkeeper guard' AND datname = current_database()";

#[test]
fn another_runner_takes_over_when_the_lock_is_lost() {
    let (mut scene, mut other) = held(Scene::new("connection", "the runner's lock is lost, and a second runner takes over meanwhile"));
    scene.file(
        "002_count.sql",
        "BEGIN;\nUPDATE orders SET n = n + 1 WHERE id > 0;\nSELECT pg_advisory_xact_lock(42);\nCOMMIT;
         BEGIN;\nINSERT INTO log (word) VALUES ('counted');\nCOMMIT;",
    );
    let first = scene.start(&["apply"]);
    scene.held_up("SELECT pg_advisory_xact_lock");
    scene.sql(&[TERMINATE_GUARD]);
    let second = scene.start(&["apply"]);
    second.says("still works on step 1");
    other.run("SELECT pg_advisory_unlock(42)");
    for running in [first, second] {
        let answer = scene.end(running);
        assert_eq!(answer.code, Some(0), "{}", answer.err);
    }
    scene.finds(
        "each step is run by one of them",
        "SELECT state FROM lockkeeper.step WHERE migration = '002' AND state = 'done' ORDER BY id",
        "done, done",
    );
    scene.settled(LOGGED);
}

#[test]
fn the_wire_falls_silent() {
    let mut scene =
        Scene::new("connection", "nothing gets through any more while a statement runs, and nobody is told (a firewall forgets)");
    scene = scene.with_shop();
    scene.configure(&BRIEF.replace("statement_timeout: 15s", "statement_timeout: 1s"));
    let proxy = through_proxy(&mut scene);
    proxy.when(b"UPDATE orders SET n", Deed::Silence);
    let answer = scene.run(&["apply"]);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    scene.saw("it does not wait for ever, and calls again", answer.err.contains("does not answer any more"), &answer.err);
    scene.settled(LOGGED);
}

#[test]
fn the_wire_is_cut_at_commit() {
    for (done, deed, states) in [
        ("the connection is cut when COMMIT is sent, and the server never gets it", Deed::CutBefore, "failed, done"),
        ("the connection is cut when the server answers COMMIT", Deed::CutAfter, "done"),
    ] {
        let mut scene = Scene::new("connection", done).with_shop();
        scene.ends_with(&["apply", "--to", "001"], 0);
        let proxy = through_proxy(&mut scene);
        proxy.when(COMMIT, deed);
        let answer = scene.run(&["apply"]);
        assert_eq!(answer.code, Some(0), "{}", answer.err);
        until("COMMIT was seen", || proxy.has_happened().then_some(()));
        scene.finds(
            if deed == Deed::CutAfter { "the step counts as done" } else { "the step is run again" },
            "SELECT state FROM lockkeeper.step WHERE migration = '002' ORDER BY id",
            states,
        );
        scene.settled(LOGGED);
    }
}

#[test]
fn the_address_leads_to_a_standby() {
    let server = Server::start(&standby_server::that_copies(), &[]).unwrap_or_else(|problem| panic!("{}", problem.message));
    let standby = Standby::of(&server, "standby");
    let done = "the connection breaks, and the address leads to a read-only standby from then on; later to the primary again";
    let (mut scene, other) = held(Scene::on(&server, "connection", done));
    let proxy = through_proxy(&mut scene);
    let running = scene.start(&["apply"]);
    let pid = scene.held_up("SELECT pg_advisory_xact_lock");
    let there = standby.options(&scene.database).database("postgres");
    let known = format!("SELECT 'x' FROM pg_database WHERE datname = '{}'", scene.database.get_database().expect("a name"));
    until("the standby has the database", || {
        let open = block_on(lockkeeper::db::Connection::open(&there)).is_ok_and(|opened| opened.is_ok());
        (open && !Session::open(&there).ask(&known).is_empty()).then_some(())
    });
    proxy.lead_to(there.get_socket().expect("it is reached by a socket"));
    scene.sql(&[&format!("SELECT pg_terminate_backend({pid})"), TERMINATE_GUARD]);
    let answer = scene.end(running);
    assert_eq!(answer.code, Some(7), "{}", answer.err);
    scene.saw("it stops and says why", answer.err.contains("this server is a standby now"), &answer.err);
    scene.ends_with(&["apply"], 3);
    proxy.lead_to(server.socket());
    drop(other);
    scene.settles(LOGGED);
}

#[test]
fn a_statement_that_ends_its_own_session() {
    let mut scene = Scene::new("connection", "a statement ends its own session whenever it runs").with_shop();
    scene.ends_with(&["apply"], 0);
    scene.file("005_ends.sql", "INSERT INTO log (word) VALUES ('last');\nSELECT pg_terminate_backend(pg_backend_pid());");
    scene.approve();
    scene.ends_with(&["apply"], 7);
    scene.finds("it is not tried for ever", "SELECT count(*)::text FROM lockkeeper.step WHERE migration = '005'", "4");
    scene.finds("nothing of it has happened", "SELECT count(*)::text FROM log WHERE word = 'last'", "0");
    scene.file("005_ends.sql", "INSERT INTO log (word) VALUES ('last');");
    scene.settles(&format!("{LOGGED}, last"));
}
