//! Maintenance windows: by the server's clock, in the time zone that the config names.

use super::project::{Project, Said};
use crate::servers::servers;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

/// Two tables, and a statement that reads all of one while writes wait.
const FILES: [(&str, &str); 2] = [
    ("001_shop.sql", "CREATE TABLE users (id bigint PRIMARY KEY);\nCREATE TABLE orders (id bigint PRIMARY KEY, buyer bigint);"),
    ("002_buyer.sql", "ALTER TABLE orders ADD CONSTRAINT orders_buyer_fkey FOREIGN KEY (buyer) REFERENCES users (id);"),
];

/// A shop that changes what stops traffic in these hours alone; the first file has run.
fn shop(window: &str) -> Project {
    let project = Project::new(servers().last().expect("a server"), &FILES);
    project.approve_all();
    assert_eq!(project.run(&["apply", "--to", "001"]).code, 0);
    declare(&project, window);
    project
}

fn declare(project: &Project, window: &str) {
    let config = format!(
        "migrations: [m]\nhistory: whole\nenvironments:\n  test: {{ confirm: false }}\napply: {{ window: {window}, lock: {{ timeout: 300ms, budget: 20s }} }}\n"
    );
    project.write("lockkeeper.yaml", &config);
}

/// Seconds from now, by the server's clock, as the hours of a window.
fn from_to(project: &Project, from: i32, to: i32) -> String {
    let time = |seconds: i32| format!("to_char(clock_timestamp() AT TIME ZONE 'Asia/Tokyo' + interval '{seconds} s', 'HH24:MI:SS')");
    project.ask(&format!("SELECT {} || '-' || {} || ' Asia/Tokyo'", time(from), time(to)))
}

/// Days from now, by the server's clock.
fn day(project: &Project, days: i32) -> String {
    project.ask(&format!("SELECT to_char(clock_timestamp() AT TIME ZONE 'Europe/Riga' + interval '{days} days', 'Dy')"))
}

fn constraints(project: &Project) -> String {
    project.ask("SELECT conname::text FROM pg_constraint WHERE contype = 'f' AND conrelid = 'orders'::regclass")
}

/// One of them is always open.
const ALWAYS: &str = "[00:00-24:00 UTC, 00:00-24:00 Asia/Tokyo]";

fn refused(said: &Said) {
    assert_eq!(said.code, 1, "{}", said.err);
}

#[test]
fn what_stops_traffic_is_refused_outside_of_the_window_and_says_when_the_next_one_begins() {
    let project = shop("[]");
    let weekday = day(&project, 3);
    declare(&project, &format!("\"{weekday} 02:00-04:00 Europe/Riga\""));
    let said = project.run(&["apply", "--maintenance"]);
    refused(&said);
    assert!(said.says("it is maintenance-window, and runs within the window alone: the next one begins on"), "{}", said.err);
    assert!(said.err.contains(&format!("{weekday} ")) && said.says("02:00 Europe/Riga, in"), "{}", said.err);

    let said = project.run(&["preflight"]);
    refused(&said);
    assert!(said.out.contains("fail  window: 1 of what is due within it alone: the next one begins on"), "{}", said.out);

    // What would be sent does not hang on the time, and what stops nobody runs at any.
    assert_eq!(project.run(&["apply", "--dry-run"]).code, 0);
    project.remove("002_buyer.sql");
    project.write("002_note.sql", "ALTER TABLE orders ADD COLUMN note text;");
    assert_eq!(project.run(&["apply"]).code, 0);
}

#[test]
fn other_classes_wait_for_the_window_where_that_is_said() {
    let project = shop("[]");
    let weekday = day(&project, 3);
    project.remove("002_buyer.sql");
    project.write("002_note.sql", "ALTER TABLE orders ADD COLUMN note text;");
    declare(&project, &format!("{{ at: \"{weekday} 02:00-04:00 Europe/Riga\", for: additive }}"));
    let said = project.run(&["apply"]);
    refused(&said);
    assert!(said.says("it is additive, and runs within the window alone"), "{}", said.err);
    declare(&project, &format!("{{ at: {ALWAYS}, for: additive }}"));
    let said = project.run(&["apply"]);
    assert_eq!(said.code, 0, "others need not know: {}", said.err);
}

#[test]
fn within_the_window_somebody_has_to_say_that_others_know() {
    let project = shop(ALWAYS);
    let said = project.run(&["apply", "--wait-window"]);
    refused(&said);
    assert!(said.says("nobody has said that they know") && said.says("--maintenance"), "{}", said.err);
    assert_eq!(constraints(&project), "");
    let said = project.run(&["preflight"]);
    assert!(said.code == 0 && said.out.contains("pass  window: 1 of what is due within it alone: it is open until"), "{}", said.out);
    assert_eq!(project.run(&["apply", "--maintenance"]).code, 0);
    assert_eq!(constraints(&project), "orders_buyer_fkey");
}

#[test]
fn a_time_zone_that_the_server_does_not_know_is_told() {
    let said = shop("02:00-04:00 Europe/Rigga").run(&["apply", "--maintenance"]);
    assert_eq!(said.code, 3, "{}", said.err);
    assert!(said.says("this server knows no time zone `Europe/Rigga`, did you mean `Europe/Riga`?"), "{}", said.err);
}

#[test]
fn a_window_is_waited_for_and_then_it_runs() {
    let project = shop("[]");
    declare(&project, &from_to(&project, 3, 600));
    let said = project.run(&["apply", "--maintenance", "--wait-window"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.says("window: waits: the next one begins on"), "{}", said.err);
    assert_eq!(constraints(&project), "orders_buyer_fkey");
}

#[test]
fn ctrl_c_ends_the_wait_for_a_window() {
    let project = shop("[]");
    declare(&project, &from_to(&project, 3600, 7200));
    let mut command = project.command(&["apply", "--maintenance", "--wait-window"]);
    let child = command.stderr(Stdio::piped()).spawn().expect("lockkeeper starts");
    let journal = project.path().join(".lockkeeper/journal.jsonl");
    let waits = || std::fs::read_to_string(&journal).unwrap_or_default().contains("countdown");
    (0..1000)
        .find(|_| {
            waits() || {
                sleep(Duration::from_millis(10));
                false
            }
        })
        .expect("it waits");
    let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).expect("a process id"));
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).expect("it is there");
    let said = super::project::said(&child.wait_with_output().expect("it ends"));
    assert_eq!(said.code, 130, "{}", said.err);
    assert!(said.says("nothing was done"), "{}", said.err);
}

#[test]
fn what_still_runs_when_the_window_ends_is_rolled_back() {
    let project = shop("[]");
    project.write("002_buyer.sql", "ALTER TABLE orders ADD COLUMN note text;\nDO $$ BEGIN PERFORM pg_sleep(30); END $$;");
    project.approve_all();
    declare(&project, &from_to(&project, -600, 4));
    let said = project.run(&["apply", "--maintenance"]);
    refused(&said);
    assert!(said.says("the window has ended in which it may run") && said.says("nothing of it has happened"), "{}", said.err);
    assert_eq!(project.ask("SELECT attname::text FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attname = 'note'"), "");
    // It is as if it had never begun.
    project.write("002_buyer.sql", "ALTER TABLE orders ADD COLUMN note text;\nDO $$ BEGIN PERFORM pg_sleep(0); END $$;");
    project.approve_all();
    declare(&project, ALWAYS);
    let said = project.run(&["apply", "--maintenance"]);
    assert_eq!(said.code, 0, "{}", said.err);
}
