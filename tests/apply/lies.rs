//! Files that are not what they seem: nothing of them is left out, run twice, or told otherwise than it happened.

use crate::project::Project;
use crate::servers::servers;
use std::fs;

#[test]
fn a_statement_with_a_byte_that_is_no_utf_8_is_refused_and_not_left_out() {
    let project = Project::new(servers().last().expect("a server"), &[]);
    project.write("001_orders.sql", "");
    fs::write(project.path().join("m/001_orders.sql"), b"CREATE TABLE orders (note text);\nINSERT INTO orders VALUES ('caf\xe9');\n")
        .expect("the file can be written");
    let said = project.run(&["apply"]);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.err.contains("this is not UTF-8") && said.err.contains("001_orders.sql:2:32"), "{}", said.err);
    assert_eq!(project.ask("SELECT to_regclass('orders')::text"), "");
}

#[test]
fn a_comment_may_be_in_any_encoding() {
    let project = Project::new(servers().last().expect("a server"), &[]);
    project.write("001_orders.sql", "");
    fs::write(project.path().join("m/001_orders.sql"), b"-- caf\xe9\nCREATE TABLE orders (note text);\n").expect("the file can be written");
    project.approve_all();
    let said = project.run(&["apply"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(project.ask("SELECT to_regclass('orders')::text"), "orders");
}

#[test]
fn code_that_has_committed_before_it_fails_is_somebody_s_to_look_at_and_does_not_run_again() {
    for server in servers() {
        let body = "CREATE TABLE orders (id int); COMMIT; PERFORM 1 / 0;";
        let project = Project::new(server, &[("001_orders.sql", &format!("DO $$ BEGIN {body} END $$;\n"))]);
        project.approve_all();
        let said = project.run(&["apply"]);
        assert_eq!(said.code, 7, "{}", said.err);
        assert!(said.err.contains("division by zero") && !said.err.contains("nothing of it has happened"), "{}", said.err);
        assert_eq!(project.ask("SELECT to_regclass('orders')::text"), "orders");
        let again = project.run(&["apply"]);
        assert_eq!(again.code, 7, "{}", again.err);
        assert_eq!(project.ask("SELECT count(*)::text FROM lockkeeper.step"), "1", "it was not sent again");
    }
}

#[test]
fn code_that_fails_before_it_commits_has_not_happened() {
    for server in servers() {
        let body = "CREATE TABLE orders (id int); PERFORM 1 / 0; COMMIT;";
        let project = Project::new(server, &[("001_orders.sql", &format!("DO $$ BEGIN {body} END $$;\n"))]);
        project.approve_all();
        let said = project.run(&["apply"]);
        assert_eq!(said.code, 6, "{}", said.err);
        assert!(said.err.contains("nothing of it has happened"), "{}", said.err);
        project.write("001_orders.sql", "DO $$ BEGIN CREATE TABLE orders (id int); COMMIT; END $$;\n");
        project.approve_all();
        let mended = project.run(&["apply"]);
        assert_eq!(mended.code, 0, "{}", mended.err);
    }
}

#[test]
fn what_the_server_says_cannot_move_the_cursor() {
    let sql = "DO $$ BEGIN RAISE NOTICE '%', 'red' || chr(27) || '[31m'; END $$;\n";
    let project = Project::new(servers().last().expect("a server"), &[("001_orders.sql", sql)]);
    project.approve_all();
    let said = project.run(&["apply"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains("NOTICE: red?[31m") && !said.err.contains('\u{1b}'), "{}", said.err);
}

#[test]
fn a_password_in_a_migration_is_neither_shown_nor_written_down() {
    let sql = "ALTER ROLE nobody_like_this PASSWORD 'very-secret';\n";
    let project = Project::new(servers().last().expect("a server"), &[("001_clerk.sql", sql)]);
    project.approve_all();
    let said = project.run(&["apply"]);
    assert_eq!(said.code, 6, "{}", said.err);
    assert!(said.err.contains("ALTER ROLE nobody_like_this PASSWORD") && !said.err.contains("very-secret"), "{}", said.err);
    let journal = fs::read_to_string(project.path().join(".lockkeeper/journal.jsonl")).expect("there is a journal");
    assert!(journal.contains("PASSWORD") && !journal.contains("very-secret"), "{journal}");
}

#[test]
fn a_migration_that_reaches_into_the_ledger_is_refused() {
    for sql in
        ["TRUNCATE lockkeeper.run CASCADE;", "DROP SCHEMA IF EXISTS \"lockkeeper\" CASCADE;", "UPDATE LOCKKEEPER.step SET state = 'done';"]
    {
        let project = Project::new(&servers()[0], &[("0001_lie.up.sql", sql)]);
        let refused = project.run(&["apply"]);
        assert_eq!(refused.code, 1, "{sql}: {}", refused.err);
        assert!(refused.err.contains("this reaches into the schema in which lockkeeper keeps what has run"), "{}", refused.err);
    }
    let project = Project::new(
        &servers()[0],
        &[("0001_name.up.sql", "CREATE TABLE keepers (lockkeeper text);\nCREATE TABLE lockkeeper (id int);\n")],
    );
    assert_eq!(project.run(&["apply"]).code, 0);
}
