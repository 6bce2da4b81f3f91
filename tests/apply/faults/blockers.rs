//! Who is in the way and does not go away by itself.

use super::project::{BRIEF, LOGGED, Scene, Session};

/// A session of an ordinary role, under the name of an application.
fn session_of(scene: &Scene, role: &str, application: &str) -> Session {
    Session::open(&scene.database.clone().username(role).application_name(application))
}

/// A shop on which the last migration is left to run, and where a role may read everything.
fn shop_read_by(role: &str, done: &'static str) -> Scene {
    let mut scene = Scene::new("locks", done).with_shop();
    scene.ends_with(&["apply", "--to", "003"], 0);
    scene.sql(&[
        &format!("DO $$ BEGIN CREATE ROLE {role} LOGIN; EXCEPTION WHEN duplicate_object THEN END $$"),
        "CREATE TABLE drafts (id bigint)",
        &format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}"),
    ]);
    scene
}

/// What the ledger has of sessions that were to be ended.
const KILLS: &str = "SELECT count(*)::text FROM lockkeeper.event WHERE kind = 'kill'";

#[test]
fn an_idle_transaction_is_ended_if_that_is_wanted() {
    let mut scene = shop_read_by("teller", "idle transactions are in the way, and `lock: { kill: idle_in_transaction }`");
    scene.configure(&BRIEF.replace("budget: 10s", "budget: 40s, kill: idle_in_transaction"));
    let mut idle = session_of(&scene, "teller", "till");
    idle.run("BEGIN; SELECT count(*) FROM orders");
    let mut beside = session_of(&scene, "teller", "till");
    beside.run("BEGIN; SELECT count(*) FROM drafts");
    let mut superuser = scene.session();
    superuser.run("BEGIN; SELECT count(*) FROM orders");
    let running = scene.start(&["apply"]);
    let ended = format!("process {} (till of teller), idle in transaction, query since", idle.pid());
    running.says(&ended);
    running.says("ended by pg_terminate_backend");
    running.says("try 4 given up");
    let said = running.said();
    scene.saw(
        "after a try it ends the one that is in its way",
        idle.try_run("SELECT 1").is_err() && said.contains("try 1 given up"),
        &said,
    );
    let others = superuser.try_run("SELECT 1").is_ok() && beside.try_run("SELECT 1").is_ok();
    scene.saw(
        "neither that of a superuser nor one that is in nobody's way",
        others && said.matches("pg_terminate_backend").count() == 1,
        &said,
    );
    superuser.run("COMMIT");
    let answer = scene.end(running);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    scene.finds("the ledger has it before and after", KILLS, "2");
    scene.settled(LOGGED);
}

#[test]
fn a_session_that_may_not_be_ended_is_told_of() {
    let mut scene = shop_read_by("clerk", "`lock: { kill: [reports] }`, and the role may not end sessions of others");
    let name = scene.database.get_database().expect("a name").to_owned();
    scene.sql(&[
        "DO $$ BEGIN CREATE ROLE warden LOGIN; EXCEPTION WHEN duplicate_object THEN END $$",
        &format!("GRANT ALL ON DATABASE {name} TO warden"),
        "GRANT ALL ON SCHEMA public, lockkeeper TO warden",
        "GRANT ALL ON ALL TABLES IN SCHEMA public, lockkeeper TO warden",
        "ALTER TABLE orders OWNER TO warden",
    ]);
    scene.configure(&BRIEF.replace("budget: 10s", "budget: 40s, kill: [reports]"));
    scene.reach_by("PGUSER", "warden".to_owned());
    let mut reader = session_of(&scene, "clerk", "reports");
    reader.run("BEGIN; SELECT count(*) FROM orders");
    let mut other = session_of(&scene, "clerk", "till");
    other.run("BEGIN; SELECT count(*) FROM orders");
    let running = scene.start(&["apply"]);
    running.says("GRANT pg_signal_backend to this role");
    running.says("try 4 given up");
    let said = running.said();
    scene.saw("it says what is missing, once, and goes on trying", said.matches("pg_signal_backend").count() <= 2, &said);
    reader.run("COMMIT");
    other.run("COMMIT");
    let answer = scene.end(running);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    scene.settled(LOGGED);
}
