//! What somebody says of the past: `baseline`, `resolve` and `repair`.

use crate::project::{Project, said};
use crate::servers::servers;

const USERS: (&str, &str) = ("0001_users.up.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL);\n");
const DRAFTS: (&str, &str) = ("0002_drafts.up.sql", "CREATE TABLE drafts (id bigint PRIMARY KEY);\n");
const NOTES: (&str, &str) = ("0003_notes.up.sql", "ALTER TABLE drafts ADD COLUMN note text;\n");

/// Run by `psql`, before anybody knew lockkeeper.
fn by_hand(project: &Project, files: &[(&str, &str)]) {
    let sql: String = files.iter().map(|(_, sql)| *sql).collect();
    project.ask(&format!("DO $by_hand$ BEGIN {sql} END $by_hand$"));
}

#[test]
fn what_was_there_before_is_not_run_again_and_what_comes_behind_it_is() {
    for server in servers() {
        let down = ("0003_notes.down.sql", "ALTER TABLE drafts DROP COLUMN note;\n");
        let project = Project::new(server, &[USERS, DRAFTS, NOTES, down]);
        by_hand(&project, &[USERS, DRAFTS]);
        let baseline = |more: &[&str]| {
            let mut arguments = vec!["baseline", "0002", "--reason", "made by psql"];
            arguments.extend(more);
            project.run(&arguments)
        };
        let dry = baseline(&["--dry-run"]);
        assert_eq!(dry.code, 0, "{}", dry.err);
        assert_eq!(
            dry.out, "0001 users: had run before there was a ledger\n0002 drafts: had run before there was a ledger\n",
            "{}",
            dry.err
        );
        assert_eq!(project.ask("SELECT to_regnamespace('lockkeeper')::text"), "", "a dry run writes nothing");
        let said = baseline(&[]);
        assert_eq!((said.code, &said.out), (0, &dry.out), "{}", said.err);
        assert!(project.run(&["status"]).out.contains("  0002  there before lockkeeper  drafts\n"));
        assert_eq!(
            project.ask("SELECT r.command || ' ' || r.state || ' by ' || r.who || ': ' || e.text FROM lockkeeper.run r JOIN lockkeeper.event e ON e.run = r.id WHERE e.kind = 'reason'"),
            "baseline succeeded by anna: made by psql"
        );
        let history = project.run(&["history"]).out;
        assert!(history.contains("  reason: made by psql\n  baseline: 0001 users: had run before there was a ledger\n"), "{history}");
        let again = baseline(&[]);
        assert_eq!((again.code, again.says("nothing to do")), (0, true), "{}", again.err);
        let applied = project.run(&["apply"]);
        assert_eq!(applied.code, 0, "{}", applied.err);
        assert_eq!(project.ask("SELECT note FROM drafts"), "");
        let late = project.run(&["baseline", "0003", "--reason", "too late"]);
        assert_eq!((late.code, late.says("0003 has run here, and the ledger says so")), (1, true), "{}", late.err);
        let back = project.run(&["rollback", "--to", "0002"]);
        assert_eq!((back.code, back.says("1 migration undone on")), (0, true), "{}", back.err);
    }
}

#[test]
fn a_version_that_no_file_has_is_no_baseline() {
    let project = Project::new(&servers()[0], &[USERS]);
    let said = project.run(&["baseline", "0011", "--reason", "a slip"]);
    assert_eq!((said.code, said.says("there is no migration `0011`, did you mean `0001`?")), (1, true), "{}", said.err);
    assert_eq!(project.ask("SELECT to_regnamespace('lockkeeper')::text"), "", "what is refused writes nothing");
}

#[test]
fn an_apply_that_failed_because_all_was_there_already_does_not_stand_in_the_way_of_a_baseline() {
    let project = Project::new(&servers()[0], &[USERS]);
    by_hand(&project, &[USERS]);
    assert_eq!(project.run(&["apply"]).code, 6);
    let said = project.run(&["baseline", "0001", "--reason", "made by psql"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(project.run(&["validate"]).code, 0);
}

#[test]
fn an_edited_file_is_taken_for_the_one_that_ran_and_when_it_ran_stays() {
    for server in servers() {
        let project = Project::new(server, &[USERS, DRAFTS]);
        assert_eq!(project.run(&["apply"]).code, 0);
        let when = project.ask("SELECT changed::text FROM lockkeeper.migration WHERE key = '0001'");
        project.write(USERS.0, &USERS.1.replace("email text", "email varchar"));
        project.write(DRAFTS.0, &format!("-- what is not sent yet\n{}", DRAFTS.1));
        let refused = project.run(&["apply"]);
        assert!(refused.says("`lockkeeper repair 0001 --reason WHY` takes it for the one that ran"), "{}", refused.err);
        let one = project.run(&["repair", "0001", "--reason", "mended by hand"]);
        assert_eq!((one.code, &*one.out), (0, "0001 users: the file of today is what ran\n"), "{}", one.err);
        assert_eq!(project.ask("SELECT changed::text FROM lockkeeper.migration WHERE key = '0001'"), when);
        let rest = project.run(&["repair", "--reason", "reformatted"]);
        assert_eq!((rest.code, &*rest.out), (0, "0002 drafts: the file of today is what ran\n"), "{}", rest.err);
        assert!(project.run(&["status"]).out.contains("  0002  applied  drafts\n"));
        assert_eq!(project.run(&["validate"]).code, 0);
    }
}

#[test]
fn a_file_that_is_gone_is_forgotten_only_if_it_is_named() {
    let project = Project::new(&servers()[0], &[USERS, DRAFTS]);
    assert_eq!(project.run(&["apply"]).code, 0);
    project.remove(DRAFTS.0);
    let refused = project.run(&["apply"]);
    assert!(refused.says("`lockkeeper repair 0002 --reason WHY` forgets it"), "{}", refused.err);
    let all = project.run(&["repair", "--reason", "squashed"]);
    assert_eq!((all.code, &*all.out), (0, ""), "{}", all.err);
    assert_eq!(project.run(&["validate"]).code, 3);
    let named = project.run(&["repair", "0002", "--reason", "squashed"]);
    assert_eq!((named.code, &*named.out), (0, "0002: is forgotten\n"), "{}", named.err);
    assert_eq!(project.run(&["validate"]).code, 0);
}

/// A statement that runs alone, begun by a session that is gone.
fn broken_off(project: &Project, sql: &str) {
    project.write("0003_alone.up.sql", sql);
    project.approve_all();
    let killed = project.command(&["apply"]).env("LOCKKEEPER_FAILPOINT", "alone-begun").output().expect("lockkeeper starts");
    let killed = said(&killed);
    assert_eq!(project.ask("SELECT state FROM lockkeeper.step WHERE migration = '0003'"), "started", "{}", killed.err);
    // The server takes a moment to see that nobody is there any more.
    project.ask(
        "SELECT pg_terminate_backend(pid, 5000)::text FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
}

#[test]
fn a_step_of_which_nobody_knows_is_asked_about_and_then_goes_on() {
    for server in servers().iter().filter(|server| server.installation().version.0 >= 14) {
        for (answer, state, rows) in [("done", "done", "0"), ("not-run", "done", "1")] {
            let project = Project::new(server, &[USERS, DRAFTS]);
            assert_eq!(project.run(&["apply"]).code, 0);
            broken_off(&project, "DO $$ BEGIN INSERT INTO drafts VALUES (1); COMMIT; END $$;\n");
            let unclear = project.run(&["apply"]);
            assert_eq!(unclear.code, 7, "{}", unclear.err);
            assert!(unclear.says("`lockkeeper resolve 0003 --step 1 --as done --reason WHY`"), "{}", unclear.err);
            let said = project.run(&["resolve", "0003", "--step", "1", "--as", answer, "--reason", "I have looked"]);
            assert_eq!(said.code, 0, "{}", said.err);
            let applied = project.run(&["apply"]);
            assert_eq!(applied.code, 0, "{}", applied.err);
            assert_eq!(project.ask("SELECT count(*)::text FROM drafts"), rows);
            assert_eq!(project.ask("SELECT state FROM lockkeeper.step WHERE migration = '0003' ORDER BY id DESC LIMIT 1"), state);
            let late = project.run(&["resolve", "0003", "--step", "1", "--as", answer, "--reason", "again"]);
            assert_eq!((late.code, late.says("nothing of 0003 is open")), (1, true), "{}", late.err);
        }
    }
}

#[test]
fn an_answer_that_the_catalog_contradicts_is_refused() {
    let server = servers().last().expect("a server");
    let project = Project::new(server, &[USERS, (DRAFTS.0, &format!("{}CREATE INDEX drafts_id ON drafts (id);\n", DRAFTS.1))]);
    assert_eq!(project.run(&["apply"]).code, 0);
    broken_off(&project, "DROP INDEX CONCURRENTLY drafts_id;\n");
    let answer = |answer: &str| project.run(&["resolve", "0003", "--step", "1", "--as", answer, "--reason", "a guess"]);
    let never = answer("done");
    assert_eq!((never.code, never.says("0003 step 1: the catalog does not show that it has run")), (1, true), "{}", never.err);
    project.ask("DROP INDEX drafts_id");
    let dropped = answer("not-run");
    assert_eq!((dropped.code, dropped.says("0003 step 1: the catalog shows that it has run")), (1, true), "{}", dropped.err);
    assert!(dropped.says("`lockkeeper resolve 0003 --step 1 --as done --reason WHY`"), "{}", dropped.err);
    assert_eq!(answer("done").code, 0);
    assert_eq!(project.run(&["apply"]).code, 0);
}
