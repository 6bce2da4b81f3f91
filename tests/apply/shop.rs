//! What the README promises of `apply`, on the shop that it shows.

use crate::project::Project;
use crate::servers::servers;
use std::fs;
use std::path::Path;

/// The shop's migrations, in a project that asks nobody.
fn shop(server: &lockkeeper::db::server::Server) -> Project {
    let project = Project::new(server, &[]);
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/projects/shop/migrations");
    for file in fs::read_dir(migrations).expect("the shop has migrations").flatten() {
        let text = fs::read_to_string(file.path()).expect("it is text");
        project.write(&file.file_name().to_string_lossy(), &text);
    }
    project
}

#[test]
fn the_shop_is_applied_once_and_then_there_is_nothing_to_do() {
    for server in servers() {
        let project = shop(server);
        let refused = project.run(&["apply"]);
        assert_eq!(refused.code, 1, "{}", refused.err);
        assert!(
            refused.err.contains("nobody has approved it: it is maintenance-window, and says create-index-without-concurrently"),
            "{}",
            refused.err
        );
        assert_eq!(project.ask("SELECT count(*)::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"), "0");
        assert_eq!(project.ask("SELECT to_regnamespace('lockkeeper')::text"), "", "what is refused writes nothing");

        project.approve_all();
        let dry = project.run(&["apply", "--dry-run"]);
        assert_eq!(dry.code, 0, "{}", dry.err);
        assert!(dry.out.contains("\nBEGIN;\nCREATE TABLE users (") && !dry.out.contains("lockkeeper."), "{}", dry.out);
        assert_eq!(project.ask("SELECT to_regnamespace('lockkeeper')::text"), "", "a dry run writes nothing");

        let applied = project.run(&["apply"]);
        assert_eq!(applied.code, 0, "{}", applied.err);
        assert!(applied.err.contains("20 migrations have run on"), "{}", applied.err);
        let status = project.run(&["status"]);
        assert!(
            status.out.contains("  20230114093000  applied  create_users\n") && status.out.contains("; 0 of 20 to run"),
            "{}",
            status.out
        );
        let history = project.run(&["history"]);
        assert!(history.out.contains("apply on test: succeeded by anna@"), "{}", history.out);
        assert!(history.out.contains("  20240506093000 up step 1: adopted"), "{}", history.out);
        assert_eq!(project.run(&["validate"]).code, 0);
        let again = project.run(&["apply"]);
        assert_eq!((again.code, again.err.contains("nothing to do")), (0, true), "{}", again.err);
    }
}

const USERS: (&str, &str) = ("0001_users.up.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text NOT NULL);\n");
const DRAFTS: (&str, &str) = ("0002_drafts.up.sql", "CREATE TABLE drafts (id bigint PRIMARY KEY);\nINSERT INTO drafts VALUES (1);\n");

#[test]
fn the_last_migration_is_undone_and_runs_again() {
    for server in servers() {
        let down = ("0002_drafts.down.sql", "DROP TABLE drafts;\n");
        let project = Project::new(server, &[USERS, ("0001_users.down.sql", "DROP TABLE users;\n"), DRAFTS, down]);
        assert_eq!(project.run(&["apply"]).code, 0);
        let back = project.run(&["rollback"]);
        assert_eq!(back.code, 0, "{}", back.err);
        assert!(back.err.contains("1 migration undone on"), "{}", back.err);
        assert_eq!(project.ask("SELECT to_regclass('drafts')::text || to_regclass('users')::text"), "");
        assert!(project.run(&["status"]).out.contains("  0002  pending  drafts\n"));
        assert_eq!(project.run(&["apply"]).code, 0);
        assert_eq!(project.ask("SELECT count(*)::text FROM drafts"), "1");
        assert_eq!(project.run(&["rollback", "--to", "0001"]).code, 0);
        assert_eq!(project.run(&["rollback", "--steps", "5"]).code, 0);
        assert_eq!(project.ask("SELECT count(*)::text FROM pg_class WHERE relnamespace = 'public'::regnamespace"), "0");
        let unknown = project.run(&["rollback", "--to", "0009"]);
        assert_eq!((unknown.code, unknown.err.contains("`0009` has not run here")), (1, true), "{}", unknown.err);
    }
}

#[test]
fn a_file_that_was_edited_after_it_ran_is_refused_and_a_comment_in_it_is_not() {
    let server = &servers()[0];
    let project = Project::new(server, &[USERS, DRAFTS]);
    assert_eq!(project.run(&["apply"]).code, 0);
    project.write(USERS.0, &format!("-- who they are\r\n{}", USERS.1.replace('\n', "\r\n")));
    let validated = project.run(&["validate"]);
    assert_eq!(validated.code, 0, "{}", validated.err);
    assert!(validated.out.contains("0001: applied; only comments or line ends have changed since"), "{}", validated.out);
    assert_eq!(project.run(&["apply"]).code, 0);
    project.write(USERS.0, &USERS.1.replace("NOT NULL", "NULL"));
    project.write("0003_more.up.sql", "CREATE TABLE more (id bigint PRIMARY KEY);\n");
    let refused = project.run(&["apply"]);
    assert_eq!(refused.code, 3, "{}", refused.err);
    assert!(refused.err.contains("0001: its SQL has changed since it ran here"), "{}", refused.err);
    assert_eq!(project.ask("SELECT to_regclass('more')::text"), "");
    assert_eq!(project.run(&["validate"]).code, 3);
}

#[test]
fn a_phase_is_refused_before_its_time() {
    let server = &servers()[0];
    let project = Project::new(server, &[USERS, ("0002_rename.up.sql", "ALTER TABLE users RENAME COLUMN email TO email_address;\n")]);
    let planned = project.run(&["plan", "m/0002_rename.up.sql", "--write", "m"]);
    assert_eq!(planned.code, 0, "{}", planned.err);
    fs::remove_file(project.path().join("m/0002_rename.up.sql")).expect("the plan stands for it");
    project.approve_all();
    let first = project.run(&["apply"]);
    assert_eq!(first.code, 0, "{}", first.err);
    assert!(
        first.err.contains("the rest has to wait: phase 3 of rename-users-email comes after phase 2, and 48 hours lie between them"),
        "{}",
        first.err
    );
    let early = project.run(&["apply"]);
    assert_eq!(early.code, 1, "{}", early.err);
    assert!(early.err.contains("phase 3 of rename-users-email comes after phase 2, and 48:00 hours of the 48"), "{}", early.err);
    // Two days later.
    project.ask("UPDATE lockkeeper.migration SET changed = changed - interval '48 hours 1 second' RETURNING key");
    project.ask("INSERT INTO users (id, email_address) VALUES (1, 'anna@example.org') RETURNING email");
    let late = project.run(&["apply"]);
    assert_eq!(late.code, 0, "{}", late.err);
    assert_eq!(project.ask("SELECT email_address FROM users"), "anna@example.org");
}
