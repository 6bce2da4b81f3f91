//! Who is in the way and does not go away by itself.

use super::project::{BRIEF, LOGGED, Scene, Session};
use crate::servers::servers;
use lockkeeper::db::server::Server;

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

/// Uses up numbers of transactions: at a hundred thousand, the least that the server takes, tables have to be frozen.
fn age(scene: &Scene, by: u32) {
    scene.sql(&[&format!("DO $$ BEGIN FOR i IN 1..{by} LOOP PERFORM txid_current(); COMMIT; END LOOP; END $$")]);
}

#[test]
fn a_vacuum_to_prevent_wraparound_works_on_the_table() {
    let installed = servers().last().expect("at least one server").installation();
    let settings =
        [("autovacuum", "on"), ("autovacuum_freeze_max_age", "100000"), ("autovacuum_naptime", "1"), ("vacuum_freeze_min_age", "0")];
    let server = Server::start(installed, &settings).unwrap_or_else(|problem| panic!("{}", problem.message));
    let mut scene = Scene::on(&server, "locks", "a vacuum to prevent wraparound works on the table").with_shop();
    scene.ends_with(&["apply", "--to", "003"], 0);
    // No other vacuum is to be there first, and this one is slow.
    scene.sql(&["ALTER TABLE orders SET (autovacuum_enabled = off, autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 2)"]);
    age(&scene, 101_000);
    let pid = scene.until(
        "the vacuum",
        "SELECT pid::text FROM pg_stat_activity WHERE query LIKE 'autovacuum: VACUUM% public.orders (to prevent wraparound)%'",
    );
    let answer = scene.ends_with(&["apply"], 3);
    let named = format!("a vacuum to prevent wraparound (pid {pid})");
    scene.saw("it is refused, for a vacuum of that kind gives way to nobody", answer.err.contains(&named), &answer.err);
    scene.until("it has ended", &format!("SELECT 'gone' WHERE NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = {pid})"));
    scene.settles(LOGGED);
}
