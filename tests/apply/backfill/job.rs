//! A file that is run outside of the migrations' order, words to what runs, and loops that commit for themselves.

use super::{COUNTED, applied, begun, ended, shop, until, words};
use crate::project::said;
use crate::servers::servers;
use std::fs;

const SLOW: &str = "migrations: [m]\nhistory: whole\nenvironments:\n  test: { confirm: false }\napply: { backfill: { target: 1ms } }\n";

#[test]
fn a_file_is_a_job_of_its_own_that_runs_once_whatever_the_folder_it_is_called_from() {
    let project = shop(&servers()[0], 3000, "CREATE TABLE drafts (id bigint PRIMARY KEY);\n");
    applied(&project);
    let sql = "-- lockkeeper: backfill key=id batch=500\nUPDATE orders SET n = n + 1;\n";
    fs::write(project.path().join("count.sql"), sql).expect("it can be written");
    let dry = project.run(&["backfill", "count.sql", "--dry-run"]);
    assert!(dry.out.contains("in batches") && dry.out.contains("UPDATE orders SET n = n + 1;\n"), "{}{}", dry.out, dry.err);
    let killed = project.command(&["backfill", "count.sql"]).env("LOCKKEEPER_FAILPOINT", "batch-committed:3").output().expect("it starts");
    assert_eq!(killed.status.code(), None, "{}", said(&killed).err);
    let listed = project.run(&["backfill", "--list"]);
    assert!(listed.out.starts_with("count.sql#") && listed.out.contains(": running, "), "{}{}", listed.out, listed.err);

    fs::write(project.path().join("count.sql"), sql.replace("n + 1", "n + 2")).expect("it can be written");
    let other = project.run(&["backfill", "count.sql"]);
    assert_eq!((other.code, words(&other).contains("it was begun with other SQL")), (3, true), "{}", other.err);
    fs::write(project.path().join("count.sql"), sql).expect("it can be written");

    let mut elsewhere = project.command(&["backfill", "../count.sql"]);
    let run = said(&elsewhere.current_dir(project.path().join("m")).output().expect("it starts"));
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(project.ask(COUNTED), "1: 3000");
    let again = project.run(&["backfill", "count.sql"]);
    assert_eq!((again.code, again.err.contains("nothing to do: it has run")), (0, true), "{}", again.err);
    assert_eq!(project.ask(COUNTED), "1: 3000");
    assert!(project.run(&["apply"]).err.contains("nothing to do"), "it is no migration");
}

#[test]
fn a_job_that_the_environment_wants_approved_is_approved_like_a_migration() {
    let project = shop(&servers()[0], 100, "CREATE TABLE drafts (id bigint PRIMARY KEY);\n");
    applied(&project);
    let config = "migrations: [m]\nhistory: whole\nenvironments:\n  test: { confirm: false, approve: [additive] }\n";
    project.write("lockkeeper.yaml", config);
    let sql = "-- lockkeeper: backfill key=id\nDELETE FROM orders WHERE id > 30;\n";
    fs::write(project.path().join("old.sql"), sql).expect("it can be written");
    let refused = project.run(&["backfill", "old.sql"]);
    assert_eq!((refused.code, words(&refused).contains("nobody has approved it")), (1, true), "{}", refused.err);
    let approved = project.run(&["approve", "old.sql", "--by", "anna", "--reason", "they are old"]);
    assert_eq!(approved.code, 0, "{}", approved.err);
    let run = project.run(&["backfill", "old.sql"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(project.ask("SELECT count(*)::text FROM orders"), "10");
    let migration = project.run(&["backfill", "m/0001_orders.sql"]);
    assert_eq!((migration.code, words(&migration).contains("does not say that it is run in batches")), (2, true), "{}", migration.err);
}

#[test]
fn the_key_and_the_size_of_the_command_line_come_first() {
    let project = shop(&servers()[0], 3000, "CREATE TABLE drafts (id bigint PRIMARY KEY);\n");
    applied(&project);
    project.ask("UPDATE orders SET state = nullif(id % 4, 0)::text; CREATE UNIQUE INDEX ON orders (state, id); SELECT ''");
    let sql = "-- lockkeeper: backfill key=id batch=500\nUPDATE orders SET n = n + 1;\n";
    fs::write(project.path().join("count.sql"), sql).expect("it can be written");
    let run = project.run(&["backfill", "count.sql", "--key", "state,id", "--batch", "200"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(project.ask(COUNTED), "1: 3000", "those without a state as well");
    assert_eq!(project.ask("SELECT key FROM lockkeeper.job"), "[\"state\",\"id\"]");
}

#[test]
fn it_waits_where_somebody_pauses_it_and_ends_where_somebody_cancels_it() {
    let project = shop(&servers()[0], 100_000, "-- lockkeeper: backfill key=id batch=50\nUPDATE orders SET n = n + 1;\n");
    project.write("lockkeeper.yaml", SLOW);
    let child = begun(&project);
    until(&project, "SELECT batches > 2 FROM lockkeeper.job");
    let paused = project.run(&["backfill", "--pause", "0002"]);
    assert_eq!((paused.code, &*paused.out), (0, "0002: paused\n"), "{}", paused.err);
    let rows = project.ask("SELECT rows::text FROM lockkeeper.job");
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(project.ask("SELECT rows::text FROM lockkeeper.job"), rows);
    assert_eq!(project.run(&["backfill", "--resume", "0002"]).code, 0);
    until(&project, &format!("SELECT rows > {rows} FROM lockkeeper.job"));
    assert_eq!(project.run(&["backfill", "--cancel", "0002"]).code, 0);
    let cancelled = ended(child);
    assert_eq!((cancelled.code, words(&cancelled).contains("it was cancelled")), (10, true), "{}", cancelled.err);
    assert_eq!(project.run(&["apply"]).code, 10, "until somebody says otherwise");
    assert_eq!(project.run(&["backfill", "--resume", "0002"]).code, 0);
    applied(&project);
    assert_eq!(project.ask(COUNTED), "1: 100000");
    let unknown = project.run(&["backfill", "--pause", "0002"]);
    assert_eq!((unknown.code, words(&unknown).contains("`0002` is no backfill that is under way")), (2, true), "{}", unknown.err);
}

#[test]
fn other_sql_in_the_middle_is_refused_until_somebody_gives_the_first_up() {
    let sql = "-- lockkeeper: backfill key=id batch=50\nUPDATE orders SET state = 'open' WHERE state IS NULL;\n";
    let project = shop(&servers()[0], 5000, sql);
    let killed = project.command(&["apply"]).env("LOCKKEEPER_FAILPOINT", "batch-committed:2").output().expect("it starts");
    assert_eq!(killed.status.code(), None);
    project.write("0002_count.sql", &sql.replace("'open'", "'new'"));
    let refused = project.run(&["apply"]);
    assert_eq!((refused.code, words(&refused).contains("its SQL is another one now")), (7, true), "{}", refused.err);
    assert_eq!(project.run(&["backfill", "--cancel", "0002"]).code, 0);
    applied(&project);
    assert_eq!(project.ask("SELECT string_agg(DISTINCT state, ', ' ORDER BY state) FROM orders"), "new, open");
    assert_eq!(project.ask("SELECT count(*)::text FROM orders WHERE state IS NULL"), "0");
}

#[test]
fn a_loop_that_commits_for_itself_is_asked_for_its_end_after_a_crash() {
    for (place, runs) in [("alone-begun", "2"), ("alone-ended", "1")] {
        let project = shop(&servers()[0], 5000, "UPDATE orders SET state = 'open' WHERE state IS NULL;\n");
        let planned = project.run(&["plan", "m/0002_count.sql", "--write", "m"]);
        assert_eq!(planned.code, 0, "{}", planned.err);
        fs::remove_file(project.path().join("m/0002_count.sql")).expect("the plan stands for it");
        let file = "0002_update_orders_in_batches.sql";
        let text = fs::read_to_string(project.path().join("m").join(file)).expect("the plan has written it");
        let verify = "\n-- lockkeeper: verify SELECT NOT EXISTS (SELECT FROM orders WHERE state IS NULL)";
        project.write(file, &text.replacen(" batch=1000", &format!(" batch=1000{verify}"), 1));
        project.approve_all();
        assert_eq!(project.run(&["apply", "--to", "0001"]).code, 0);
        let killed = project.command(&["apply"]).env("LOCKKEEPER_FAILPOINT", place).output().expect("it starts");
        assert_eq!(killed.status.code(), None, "{place}: {}", said(&killed).err);
        applied(&project);
        assert_eq!(project.ask("SELECT count(*)::text FROM orders WHERE state IS NULL"), "0");
        assert_eq!(project.ask("SELECT count(*)::text FROM lockkeeper.step WHERE migration = '0002'"), runs, "{place}");
    }
}

#[test]
fn rows_that_the_application_keeps_writing_are_found_by_another_pass() {
    let backfill = "-- lockkeeper: backfill key=id batch=100\nUPDATE orders SET state = 'open' WHERE state IS NULL;\n";
    let project = shop(&servers()[0], 2000, backfill);
    assert_eq!(project.run(&["apply", "--to", "0001"]).code, 0);
    // While the last batch is changed, a row appears behind it.
    project.ask(
        "CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO orders (id) SELECT 7000 WHERE NEW.id = 6000; RETURN NEW; END $$;
         CREATE TRIGGER late AFTER UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION late(); SELECT ''",
    );
    project.approve_all();
    applied(&project);
    assert_eq!(project.ask("SELECT count(*) || ' ' || max(id) FROM orders WHERE state = 'open'"), "2001 7000");
    assert_eq!(project.ask("SELECT pass || ' ' || rows FROM lockkeeper.job"), "2 2001");
}
