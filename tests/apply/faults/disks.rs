//! Disks that are full, and a table of locks that is.

use super::copy::Copy;
use super::project::{BRIEF, LOGGED, Scene};
use crate::standby_server;
use lockkeeper::db::server::Server;
use std::path::PathBuf;
use std::process::Command;

/// A server with a file system in memory beside it, which holds a tablespace. Both are gone with the test.
struct SmallDisk {
    server: Option<Server>,
    folder: PathBuf,
}

impl SmallDisk {
    fn mount(size: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("lockkeeper-disk-").tempdir_in("/tmp").expect("a folder to mount it on").keep();
        let user = nix::unistd::User::from_name("postgres").ok().flatten().expect("who runs the server");
        let disk = Self { server: Some(server(&[])), folder };
        disk.run(&["mount", "-t", "tmpfs", "-o", &format!("size={size},mode=700,uid={},gid={}", user.uid, user.gid), "lockkeeper"]);
        disk
    }

    fn server(&self) -> &Server {
        self.server.as_ref().expect("it runs as long as the test")
    }

    fn grow(&self) {
        self.run(&["mount", "-o", "remount,size=800m"]);
    }

    fn run(&self, command: &[&str]) {
        let ok = Command::new(command[0]).args(&command[1..]).arg(&self.folder).status().is_ok_and(|status| status.success());
        assert!(ok, "a full disk needs a file system of its own, which only root may mount: {command:?}");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(self.server.take());
        let _ = Command::new("umount").arg(&self.folder).status();
        let _ = std::fs::remove_dir(&self.folder);
    }
}

fn server(settings: &[(&str, &str)]) -> Server {
    Server::start(&standby_server::that_copies(), settings).unwrap_or_else(|problem| panic!("{}", problem.message))
}

/// A shop whose payments lie on a small disk and fill most of it.
fn on_a_small_disk(done: &'static str, disk: &SmallDisk) -> Scene {
    let mut scene = Scene::on(disk.server(), "disk", done).with_shop();
    scene.ends_with(&["apply"], 0);
    scene.sql(&[
        &format!("CREATE TABLESPACE small LOCATION '{}'", disk.folder.display()),
        "CREATE TABLE payments (id int, words text) TABLESPACE small",
        "INSERT INTO payments SELECT g, repeat(md5(g::text), 3) FROM generate_series(1, 80000) g",
        "CHECKPOINT",
    ]);
    scene
}

#[test]
fn a_table_that_is_written_anew() {
    let disk = SmallDisk::mount("20m");
    let mut scene = on_a_small_disk("the disk is full while a table is written anew", &disk);
    scene.file("005_id.sql", "ALTER TABLE payments ALTER COLUMN id TYPE bigint;\nINSERT INTO log (word) VALUES ('rewritten');");
    scene.approve();
    let answer = scene.ends_with(&["apply"], 6);
    scene.saw("there is no second try", answer.err.contains("No space left on device") && !answer.err.contains("given up"), &answer.err);
    scene.finds(
        "the table is as it was",
        "SELECT format_type(atttypid, -1) FROM pg_attribute WHERE attrelid = 'payments'::regclass AND attname = 'id'",
        "integer",
    );
    disk.grow();
    scene.settles(&format!("{LOGGED}, rewritten"));
}

#[test]
fn an_index_that_is_built() {
    let disk = SmallDisk::mount("20m");
    let mut scene = on_a_small_disk("the disk is full while an index is built concurrently", &disk);
    scene.file("005_index.sql", "CREATE INDEX CONCURRENTLY payments_words ON payments (words, id) TABLESPACE small;");
    let size = "SELECT pg_tablespace_size('small')::text";
    let before = scene.ask(size);
    let answer = scene.ends_with(&["apply"], 6);
    scene.saw("there is no second try", answer.err.contains("No space left on device") && !answer.err.contains("given up"), &answer.err);
    scene.finds("what was left of the index is dropped", "SELECT count(*)::text FROM pg_class WHERE relname = 'payments_words'", "0");
    scene.sql(&["CHECKPOINT"]);
    scene.finds("its space is free again", size, &before);
    disk.grow();
    scene.settles(LOGGED);
}

#[test]
fn the_log_of_the_server() {
    let disk = SmallDisk::mount("64m");
    let mut copy = Copy::of(disk.server(), &["--waldir", &disk.folder.join("wal").display().to_string()]);
    let done = "the disk of the server's write-ahead log is full, and the server goes down";
    let mut scene = Scene::on(disk.server(), "disk", done).with_shop();
    let host = copy.folder.display().to_string();
    scene.reach_by("PGHOST", host);
    scene.reach_by("PGDATABASE", "postgres".to_owned());
    scene.database = scene.database.clone().socket(&copy.folder).database("postgres");
    scene.ready();
    scene.configure(&BRIEF.replace("reconnect: 20s", "reconnect: 3s"));
    scene.ends_with(&["apply"], 0);
    // What nobody has fetched is kept.
    scene.sql(&["SELECT pg_create_physical_replication_slot('archive', true)", "CREATE TABLE payments (id int, words text)"]);
    scene.file(
        "005_payments.sql",
        "INSERT INTO payments SELECT g, repeat(md5(g::text), 8) FROM generate_series(1, 400000) g;\nINSERT INTO log (word) VALUES ('payments');",
    );
    let answer = scene.ends_with(&["apply"], 7);
    scene.saw("it says what it has heard last", answer.err.contains("the server has gone away"), &answer.err);
    disk.grow();
    copy.restart();
    scene.ready();
    scene.sql(&["SELECT pg_drop_replication_slot('archive')"]);
    scene.finds("nothing of it has happened", "SELECT count(*)::text FROM payments", "0");
    scene.configure(BRIEF);
    scene.settles(&format!("{LOGGED}, payments"));
    drop(copy);
}

#[test]
fn more_partitions_than_locks() {
    let server = server(&[("max_locks_per_transaction", "10"), ("max_connections", "20"), ("max_prepared_transactions", "0")]);
    let mut scene = Scene::on(&server, "disk", "a table has more partitions than the server has room for locks").with_shop();
    scene.ends_with(&["apply"], 0);
    scene.sql(&["CREATE TABLE payments (id int) PARTITION BY RANGE (id)"]);
    let mut session = scene.session();
    for part in 0..60 {
        session.run(&format!(
            "DO $$ BEGIN FOR g IN {}..{} LOOP EXECUTE format('CREATE TABLE payments_%s PARTITION OF payments FOR VALUES FROM (%s) TO (%s)', g, g, g + 1); END LOOP; END $$",
            part * 25,
            part * 25 + 24
        ));
    }
    drop(session);
    scene.file("005_note.sql", "ALTER TABLE payments ADD COLUMN note text;\nINSERT INTO log (word) VALUES ('partitions');");
    let answer = scene.ends_with(&["apply"], 6);
    scene.saw("there is no second try", !answer.err.contains("given up"), &answer.err);
    scene.saw("it says which setting is too small", answer.err.contains("max_locks_per_transaction"), &answer.err);
    scene.file("005_note.sql", "INSERT INTO log (word) VALUES ('partitions');");
    scene.settles(&format!("{LOGGED}, partitions"));
}
