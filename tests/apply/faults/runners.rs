//! More than one runner, and poolers between a runner and the server.

use super::project::{LOGGED, PATIENT, Scene, until};
use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

#[test]
fn two_at_once() {
    let mut scene = Scene::new("runners", "two are started at the same moment, ten times, with a table, an index and rows each time");
    scene.configure(PATIENT);
    scene.file(
        "000_log.sql",
        "CREATE TABLE log (at bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, word text NOT NULL);\nINSERT INTO log (word) VALUES ('begin');",
    );
    for round in 1..=10 {
        scene.file(&format!("{round:03}_round.sql"), &format!(
            "CREATE TABLE drafts_{round} (id bigint PRIMARY KEY);\nCREATE INDEX CONCURRENTLY drafts_{round}_id ON drafts_{round} (id);\nINSERT INTO log (word) VALUES ('{round}');"
        ));
        // One of them waits, or is turned away.
        let (first, second) = (scene.start(&["apply", "--wait", "30s"]), scene.start(&["apply"]));
        let (first, second) = (first.wait(), second.wait());
        assert_eq!(first.code, Some(0), "{}", first.err);
        assert!(matches!(second.code, Some(0 | 9)), "{:?}: {}", second.code, second.err);
    }
    scene.finds(
        "one works; the other waits with --wait, and ends with 9 or finds nothing to do without",
        "SELECT count(*)::text FROM lockkeeper.step WHERE state <> 'done' OR attempt > 1",
        "0",
    );
    scene.settles("begin, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10");
}

#[test]
fn a_second_one_while_the_first_is_at_work() {
    let scene = Scene::new("runners", "a second one while the first one is at work").with_shop();
    let (mut scene, mut reader) = scene.behind_a_reader(PATIENT);
    let running = scene.start(&["apply"]);
    scene.held_up("ALTER TABLE");
    let answer = scene.ends_with(&["apply"], 9);
    scene.saw("it names the process that holds the lock", answer.err.contains("lockkeeper guard"), &answer.err);
    reader.run("COMMIT");
    assert_eq!(scene.end(running).code, Some(0));
    scene.settled(LOGGED);
}

#[test]
fn the_server_still_works_for_one_that_is_gone() {
    let scene = Scene::new("runners", "the first one was killed, and the server still works on its statement").with_shop();
    let patient = format!("{}, settings: {{ client_connection_check_interval: 0 }} }}", PATIENT.trim_end_matches(" }"));
    let (mut scene, mut reader) = scene.behind_a_reader(&patient);
    let running = scene.start(&["apply"]);
    let pid = scene.held_up("ALTER TABLE");
    running.kill();
    scene.end(running);
    scene.configure(&patient.replace("reconnect: 20s", "reconnect: 500ms"));
    let answer = scene.ends_with(&["apply"], 7);
    scene.saw(
        "it names the process, and how it is ended",
        answer.err.contains(&format!("SELECT pg_terminate_backend({pid})")),
        &answer.err,
    );
    scene.sql(&[&format!("SELECT pg_terminate_backend({pid})")]);
    reader.run("COMMIT");
    scene.settles(LOGGED);
}

/// PgBouncer, in front of the server of a scene. It ends with the test.
struct Pooler {
    child: Child,
    port: u16,
}

impl Pooler {
    fn start(scene: &Scene, mode: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
        let socket = scene.database.get_socket().expect("it is reached by a socket").display();
        let config = scene.path("pgbouncer.ini");
        let users = scene.path("users.txt");
        fs::write(&users, "\"postgres\" \"\"\n").expect("a file of users");
        let ini = format!(
            "[databases]\n* = host={socket} port=5432\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = trust\nauth_file = {}\npool_mode = {mode}\nignore_startup_parameters = extra_float_digits\n",
            users.display()
        );
        fs::write(&config, ini).expect("a config for the pooler");
        let mut command = Command::new("/usr/sbin/pgbouncer");
        command.arg(&config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if nix::unistd::geteuid().is_root() {
            // It refuses to run as root.
            let user = nix::unistd::User::from_name("postgres").ok().flatten().expect("who runs PgBouncer");
            for path in [scene.path(""), config, users] {
                std::os::unix::fs::chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw())).expect("its files belong to it");
            }
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        let child = command.spawn().expect("Debian's package pgbouncer is installed");
        until("PgBouncer listens", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        Self { child, port }
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn pooled(done: &'static str, mode: &str) -> (Scene, Pooler) {
    let mut scene = Scene::new("runners", done).with_shop();
    let pooler = Pooler::start(&scene, mode);
    scene.reach_by("PGHOST", "127.0.0.1".to_owned());
    scene.reach_by("PGPORT", pooler.port.to_string());
    (scene, pooler)
}

#[test]
fn a_pooler_that_gives_each_transaction_another_session() {
    let (mut scene, pooler) = pooled("through PgBouncer in transaction mode", "transaction");
    scene.ends_with(&["preflight"], 3);
    let answer = scene.ends_with(&["apply"], 3);
    scene.saw("it says that a pooler is in between", answer.err.contains("pool"), &answer.err);
    scene.finds("nothing is written", "SELECT count(*)::text FROM pg_class WHERE relname IN ('log', 'ledger')", "0");
    drop(pooler);
    let host = scene.database.get_socket().expect("a socket").display().to_string();
    scene.reach_by("PGHOST", host);
    scene.reach_by("PGPORT", "5432".to_owned());
    scene.settles(LOGGED);
}

#[test]
fn a_pooler_that_keeps_sessions_whole() {
    let (mut scene, pooler) = pooled("through PgBouncer in session mode", "session");
    scene.ends_with(&["apply"], 0);
    scene.ends_with(&["validate"], 0);
    drop(pooler);
    let host = scene.database.get_socket().expect("a socket").display().to_string();
    scene.reach_by("PGHOST", host);
    scene.reach_by("PGPORT", "5432".to_owned());
    scene.settles(LOGGED);
}
