//! `plan`: phases instead of a migration, printed and written.

use super::Shop;

const USERS: &str = "CREATE TABLE users (id bigint PRIMARY KEY, email text);";
const RENAME: &str = "ALTER TABLE users RENAME COLUMN email TO email_address;";

fn shop() -> Shop {
    Shop::with(&[("m/0001_users.sql", USERS), ("m/0002_rename_email.sql", RENAME)])
}

/// The plan written over the migration that it stands for.
fn planned(naive: &str) -> Shop {
    let shop = Shop::with(&[("m/0001_users.sql", USERS), ("m/0002_rename_email.sql", naive)]);
    let answer = shop.run(&["plan", "m/0002_rename_email.sql", "--write", "out"]);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    shop.write("out/0001_users.sql", USERS);
    shop
}

#[test]
fn a_plan_is_a_timeline_with_files_and_deploys() {
    let answer = shop().run(&["plan", "m/0002_rename_email.sql"]);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    for words in
        ["instead of\n  ALTER TABLE users RENAME COLUMN email TO email_address", "1/", "m/0002_", "m/0003_", "▸ deploy", "▸ wait", "back "]
    {
        assert!(answer.out.contains(words), "no {words} in\n{}", answer.out);
    }
}

#[test]
fn its_json_keeps_its_contract() {
    let schema = serde_json::from_str(include_str!("../../docs/plan.schema.json")).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    for sql in [RENAME, "ALTER TABLE orders RENAME COLUMN note TO remark;", "CREATE TABLE drafts (id bigint PRIMARY KEY);"] {
        let shop = Shop::with(&[("m/0001_users.sql", USERS), ("m/0002_more.sql", sql)]);
        let answer = shop.run(&["plan", "m/0002_more.sql", "--format", "json"]);
        let plan = serde_json::from_str(&answer.out).expect("the plan is JSON");
        let faults: Vec<_> = validator.iter_errors(&plan).map(|fault| format!("{}: {fault}", fault.instance_path())).collect();
        assert!(faults.is_empty(), "{faults:#?}\n{}", answer.out);
    }
}

#[test]
fn what_the_history_does_not_tell_is_refused_with_the_reason() {
    let shop = Shop::with(&[("m/0001_users.sql", USERS), ("m/0002_more.sql", "ALTER TABLE orders RENAME COLUMN note TO remark;")]);
    let answer = shop.run(&["plan", "--config", "/dev/null", "m/0002_more.sql"]);
    assert!(answer.out.contains("no plan for this statement"), "{}", answer.out);
    assert_eq!(answer.code, Some(1), "{}", answer.err);
}

#[test]
fn written_files_lint_clean_and_are_never_overwritten() {
    let shop = planned(RENAME);
    let lint = shop.run(&["lint", "out", "--fail-on", "advice"]);
    assert_eq!(lint.code, Some(0), "{}", lint.out);
    let again = shop.run(&["plan", "m/0002_rename_email.sql", "--write", "out"]);
    assert_eq!(again.code, Some(2));
    assert!(again.err.contains("nothing was written"), "{}", again.err);
}

#[test]
fn all_files_are_written_or_none() {
    let naive = "m/20240102000000_rename/migration.sql";
    let shop = Shop::with(&[("m/20240101000000_users/migration.sql", USERS), (naive, RENAME)]);
    assert_eq!(shop.run(&["plan", naive, "--write", "out"]).code, Some(0));
    let names = |directory: &str| {
        let entries = std::fs::read_dir(shop.0.path().join(directory)).expect("the folders");
        let mut names: Vec<_> = entries.map(|entry| entry.expect("one").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    let folders = names("out");
    let last = folders.last().expect("there are phases");
    // Where the folder of the last phase should be, a file is in the way.
    shop.write(&format!("taken/{last}"), "-- ours");
    let answer = shop.run(&["plan", naive, "--write", "taken"]);
    assert_eq!(answer.code, Some(2), "{}", answer.out);
    assert!(answer.err.contains("this is a file, and no directory"), "{}", answer.err);
    assert!(folders.len() > 2);
    assert_eq!(names("taken"), [last.as_str()]);
}

#[test]
fn a_plan_that_somebody_has_broken_by_hand_is_judged_like_any_other_file() {
    let drop = "ALTER TABLE users DROP COLUMN email;";
    for (naive, broken, with, said) in [
        (RENAME, "COLUMN email TO email_address;", "email TO email_address;", "warning[plan-phase]"),
        (RENAME, "phase 1/", "phase 2/", "error[plan-phase]"),
        (RENAME, "CREATE TRIGGER", "-- CREATE TRIGGER", "error[plan-phase]"),
        (drop, "DROP COLUMN email;", "DROP COLUMN email CASCADE;", "error[drop-column]"),
        (drop, "recipe drop-column", "recipe drop-table", "error[drop-column]"),
    ] {
        let shop = planned(naive);
        for entry in std::fs::read_dir(shop.0.path().join("out")).expect("the files") {
            let path = entry.expect("a file").path();
            let text = std::fs::read_to_string(&path).expect("text").replace(broken, with);
            std::fs::write(&path, text).expect("written");
        }
        let lint = shop.run(&["lint", "out", "--format", "short"]);
        assert!(lint.out.contains(said), "{naive} {broken}:\n{}", lint.out);
    }
}

#[test]
fn a_plan_of_no_file_says_so() {
    let answer = shop().run(&["plan", "m"]);
    assert_eq!(answer.code, Some(2));
    assert!(answer.err.contains("name one migration"), "{}", answer.err);
}

#[test]
fn a_migration_that_runs_as_it_is_is_not_written_again() {
    let drafts = "-- what users have not sent\nCREATE TABLE drafts (id bigint PRIMARY KEY);";
    let shop = Shop::with(&[("m/0001_users.sql", USERS), ("m/0002_drafts.sql", drafts)]);
    let answer = shop.run(&["plan", "m/0002_drafts.sql", "--write", "out"]);
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    assert!(answer.err.contains("nothing is written: `m/0002_drafts.sql` runs as it is"), "{}", answer.err);
    assert!(!shop.0.path().join("out").exists());
}
