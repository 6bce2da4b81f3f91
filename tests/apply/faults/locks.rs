//! Locks that others hold.

use super::project::{BRIEF, LOGGED, PATIENT, Scene, Session};
use std::thread;

/// A shop with a reader who is in the way of its last migration.
fn behind_a_reader(done: &'static str, apply: &str) -> (Scene, Session) {
    Scene::new("locks", done).with_shop().behind_a_reader(apply)
}

#[test]
fn a_reader_who_stays_longer_than_one_try() {
    let (mut scene, mut reader) = behind_a_reader("a reader stays for longer than one try may wait", BRIEF);
    let running = scene.start(&["apply"]);
    running.says("try 2 given up");
    running.says(&format!("waits for process {}", reader.pid()));
    reader.run("COMMIT");
    let answer = scene.end(running);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    scene.saw("it names who is in its way, and tries again", true, "");
    scene.settled(LOGGED);
}

#[test]
fn a_reader_who_stays_longer_than_all_tries() {
    let (mut scene, mut reader) =
        behind_a_reader("a reader stays for longer than all tries may take", &BRIEF.replace("budget: 10s", "budget: 6s"));
    let running = scene.start(&["apply"]);
    // Whoever waited through two of our tries would not be answered.
    let mut client = scene.session();
    client.run("SET lock_timeout = '3s'");
    let mut answered = 0;
    while !running.said().contains("were in vain") {
        client.run("SELECT count(*) FROM orders");
        answered += 1;
    }
    let answer = scene.end(running);
    assert_eq!(answer.code, Some(9), "{}", answer.err);
    scene.saw("all who ask meanwhile are answered between two tries (how soon: [apply-load.md](apply-load.md))", answered > 1, &answer.err);
    scene.saw("it says that nothing has happened", answer.err.contains("nothing of"), &answer.err);
    let columns = "SELECT count(*)::text FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attname = 'note'";
    scene.finds("the table is as it was", columns, "0");
    reader.run("COMMIT");
    scene.settles(LOGGED);
}

#[test]
fn thirty_sessions_queue_behind_us() {
    let (mut scene, mut reader) = behind_a_reader("thirty readers queue behind an ALTER TABLE that waits for another reader", PATIENT);
    let running = scene.start(&["apply"]);
    scene.held_up("ALTER TABLE");
    let database = &scene.database;
    thread::scope(|scope| {
        for _ in 0..30 {
            scope.spawn(|| Session::open(database).run("SELECT count(*) FROM orders"));
        }
    });
    // All of them have been answered, while the first reader is still in the way.
    running.says("sessions were waiting behind it");
    reader.run("COMMIT");
    let answer = scene.end(running);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    scene.saw("it gives way long before its lock_timeout, and tries again", true, "");
    scene.settled(LOGGED);
}

#[test]
fn a_deadlock_with_the_application() {
    let mut scene = Scene::new("locks", "a deadlock with a transaction of the application").with_shop();
    scene.ends_with(&["apply", "--to", "003"], 0);
    scene.configure(PATIENT);
    scene.sql(&["CREATE TABLE drafts (id bigint)"]);
    scene.file(
        "004_note.sql",
        "ALTER TABLE orders ADD COLUMN note text;\nALTER TABLE drafts ADD COLUMN note text;\nINSERT INTO log (word) VALUES ('noted');",
    );
    let mut other = scene.session();
    // Whoever looks first is the one that gives up.
    other.run("SET deadlock_timeout = '20s'; BEGIN; LOCK drafts");
    let running = scene.start(&["apply"]);
    scene.held_up("ALTER TABLE drafts");
    other.run("SELECT count(*) FROM orders; COMMIT");
    let answer = scene.end(running);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    scene.saw("ours gives up and tries again", answer.err.contains("deadlock detected"), &answer.err);
    scene.settled(LOGGED);
}
