//! `lint --staged`: what the next commit takes is judged, as the index has it.

use super::repository::{DROP, INDEX, ORDERS, Repository, judged, words};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

const USERS: &str = "CREATE TABLE users (id bigint PRIMARY KEY);\n";

fn shop() -> Repository {
    Repository::with(&[("m/0001_orders.sql", ORDERS)])
}

#[test]
fn only_what_is_staged_is_judged_and_untracked_files_do_not_exist() {
    let shop = shop();
    assert_eq!(shop.judged(&["--staged"]), [""; 0]);
    shop.write("m/0002_untracked.sql", DROP);
    assert_eq!(shop.judged(&["--staged"]), [""; 0]);
    shop.stage("m/0003_users.sql", USERS);
    assert_eq!(shop.judged(&["--staged"]), ["m/0003_users.sql"]);
    // The column is dropped by the untracked file alone, so in the index it is still there.
    shop.stage("m/0004_index.sql", INDEX);
    let expected = ["m/0003_users.sql", "m/0004_index.sql: create-index-without-concurrently"];
    assert_eq!(shop.judged(&["--staged"]), expected);
    assert_eq!(shop.judged(&["--staged", "m"]), expected);
    assert_eq!(shop.lint(&["--staged"]).status.code(), Some(1));
}

#[test]
fn the_staged_text_counts_and_not_the_one_on_disk() {
    let shop = shop();
    shop.stage("m/0002_drop.sql", DROP);
    shop.write("m/0002_drop.sql", "SELECT 1;\n");
    assert_eq!(shop.judged(&["--staged"]), ["m/0002_drop.sql: drop-column"]);
    assert_eq!(shop.judged(&["m/0002_drop.sql"]), ["m/0002_drop.sql"]);
    // As `git add -p` leaves it: one of two statements.
    shop.stage("m/0002_drop.sql", "SELECT 1;\n");
    shop.write("m/0002_drop.sql", &format!("SELECT 1;\n{DROP}"));
    assert_eq!(shop.judged(&["--staged"]), ["m/0002_drop.sql"]);
    let report = shop.lint(&["--staged", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&report.stdout).expect("a report");
    assert_eq!(report["summary"]["statements"], 1);
    // It is gone from the disk, and the commit takes it all the same.
    shop.remove("m/0002_drop.sql");
    assert_eq!(shop.judged(&["--staged"]), ["m/0002_drop.sql"]);
    fs::remove_dir_all(shop.path().join("m")).expect("the directory is removed");
    assert_eq!(shop.judged(&["--staged", "m/0002_drop.sql"]), ["m/0002_drop.sql"]);
}

#[test]
fn history_is_what_is_staged_of_it() {
    let shop = shop();
    shop.stage("m/0002_index.sql", INDEX);
    // On disk the table is made by no file.
    shop.write("m/0001_orders.sql", "SELECT 1;\n");
    let output = shop.lint(&["--staged", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a report");
    assert_eq!(report["migrations"][0]["findings"][0]["assumed"], serde_json::json!([]));
    shop.git(&["add", "m/0001_orders.sql"]);
    let all = shop.judged(&["--staged"]);
    assert_eq!(all, ["m/0001_orders.sql", "m/0002_index.sql: create-index-without-concurrently"]);
}

#[test]
fn the_first_commit_of_a_repository_is_judged() {
    let shop = Repository::empty();
    assert_eq!(shop.judged(&["--staged"]), [""; 0]);
    shop.stage("README.md", "A shop.\n");
    assert_eq!(shop.judged(&["--staged"]), [""; 0]);
    shop.stage("lockkeeper.yaml", "migrations: [m]\n");
    assert_eq!(shop.judged(&["--staged"]), [""; 0]);
    shop.stage("m/0001_orders.sql", ORDERS);
    shop.stage("m/0002_drop.sql", "ALTER TABLE payments DROP COLUMN note;\n");
    let all = shop.judged(&["--staged"]);
    assert_eq!((all.len(), &*all[0], all[1].contains("drop-column")), (2, "m/0001_orders.sql", true), "{all:?}");
}

#[test]
fn what_is_taken_away_is_not_judged_and_what_is_renamed_is_judged_under_its_new_name() {
    let shop = Repository::with(&[("m/0001_orders.sql", ORDERS), ("m/0002_drop.sql", DROP), ("m/0003_users.sql", USERS)]);
    shop.git(&["rm", "-q", "m/0003_users.sql"]);
    assert_eq!(shop.judged(&["--staged"]), [""; 0]);
    // As a hook names it that does not look whether it is still there.
    assert_eq!(shop.judged(&["--staged", "m/0003_users.sql"]), [""; 0]);
    shop.git(&["mv", "m/0002_drop.sql", "m/0004_drop.sql"]);
    assert_eq!(shop.judged(&["--staged"]), ["m/0004_drop.sql: drop-column"]);
    // Taken out of the index alone: the file stays, the commit loses it.
    shop.git(&["reset", "-q", "--hard"]);
    shop.git(&["rm", "-q", "--cached", "m/0001_orders.sql"]);
    assert_eq!(shop.judged(&["--staged"]), [""; 0]);
}

#[test]
fn a_file_that_will_be_added_later_is_not_staged_yet() {
    let shop = shop();
    shop.write("m/0002_drop.sql", DROP);
    shop.git(&["add", "-N", "m/0002_drop.sql"]);
    assert_eq!(shop.judged(&["--staged"]), [""; 0]);
    assert_eq!(shop.judged(&["--since", "main"]), ["m/0002_drop.sql: drop-column"]);
}

#[test]
fn files_that_are_named_narrow_it_down() {
    let shop = Repository::with(&[("m/0001_orders.sql", ORDERS), ("lockkeeper.yaml", "migrations: [m]\n")]);
    shop.stage("m/0002_drop.sql", DROP);
    shop.stage("m/0003_users.sql", USERS);
    shop.stage("src/main.rs", "fn main() {}\n");
    shop.stage("queries/orders.sql", "DELETE FROM orders;\n");
    shop.write("m/0004_untracked.sql", DROP);
    let judged = |files: &[&str]| shop.judged(&[&["--staged"], files].concat());
    assert_eq!(judged(&["m/0003_users.sql", "m/0001_orders.sql", "m/0004_untracked.sql", "src/main.rs"]), ["m/0003_users.sql"]);
    assert_eq!(judged(&["queries/orders.sql", "src/main.rs"]), [""; 0]);
    let absolute = shop.path().join("m/0002_drop.sql").display().to_string();
    assert_eq!(judged(&[&absolute]), [format!("{absolute}: drop-column")]);
    let output = shop.lint(&["--staged", "queries/orders.sql", "m/0003_users.sql"]);
    assert!(words(&output).contains("files passed over: 1 outside of `migrations:`"), "{}", words(&output));
    let (code, words) = shop.refusal(&["--staged", "m/0009_nowhere.sql"]);
    assert_eq!((code, words.contains("m/0009_nowhere.sql")), (Some(2), true), "{words}");
}

#[test]
fn a_commit_is_one_release_and_no_branch_tells_what_was_edited() {
    let shop = shop();
    shop.stage("m/0002_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, name text);\n");
    shop.stage("m/0003_index.sql", "SET lock_timeout = '2s';\nCREATE INDEX users_name_idx ON users (name);\n");
    assert_eq!(shop.judged(&["--staged"]), ["m/0002_users.sql", "m/0003_index.sql"]);
    shop.commit();
    // Mended before anybody has run it.
    shop.stage("m/0003_index.sql", "SET lock_timeout = '3s';\nSELECT 1;\n");
    assert_eq!(shop.judged(&["--staged"]), ["m/0003_index.sql"]);
}

#[test]
fn with_a_base_branch_all_that_the_branch_would_have_is_one_release() {
    let shop = shop();
    shop.branch();
    shop.write("m/0002_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, name text);\n");
    shop.commit();
    shop.stage("m/0003_index.sql", "SET lock_timeout = '2s';\nCREATE INDEX users_name_idx ON users (name);\n");
    assert_eq!(shop.judged(&["--staged"]), ["m/0003_index.sql: create-index-without-concurrently"]);
    shop.write("m/0004_untracked.sql", DROP);
    assert_eq!(shop.judged(&["--staged", "--since", "main"]), ["m/0002_users.sql", "m/0003_index.sql"]);
    shop.stage("m/0001_orders.sql", "SELECT 1;\n");
    assert_eq!(shop.judged(&["--staged", "--since", "main"])[0], "m/0001_orders.sql: migration-order");
}

/// A hook that writes down what is judged.
fn with_hook(shop: &Repository, line: &str) {
    let hook = shop.path().join(shop.git(&["rev-parse", "--git-path", "hooks"])).join("pre-commit");
    fs::create_dir_all(hook.parent().expect("a parent")).expect("the directory is made");
    let text = format!("#!/bin/sh\n{}\n", line.replace("lockkeeper", env!("CARGO_BIN_EXE_lockkeeper")));
    fs::write(&hook, text).expect("the hook is written");
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).expect("the hook may run");
}

/// What the last run of the hook judged.
fn told(shop: &Repository) -> Vec<String> {
    let text = fs::read_to_string(shop.path().join(".git/told")).expect("the hook has run");
    serde_json::from_str::<serde_json::Value>(&text).expect("a report")["migrations"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|migration| migration["path"].as_str().expect("a path").to_owned())
        .collect()
}

#[test]
fn a_hook_sees_the_index_that_the_commit_is_made_of() {
    let shop = shop();
    with_hook(&shop, "lockkeeper lint --staged --format json > .git/told; true");
    shop.write("m/0002_users.sql", USERS);
    shop.commit();
    // `git commit -a`: an index of its own.
    shop.write("m/0002_users.sql", "SELECT 2;\n");
    shop.git(&["commit", "-q", "-a", "-m", "all"]);
    assert_eq!(told(&shop), ["m/0002_users.sql"]);
    // `git commit FILE`: what else is staged is not part of it.
    shop.stage("m/0003_drop.sql", DROP);
    shop.write("m/0002_users.sql", "SELECT 3;\n");
    shop.git(&["commit", "-q", "-m", "one file", "m/0002_users.sql"]);
    assert_eq!(told(&shop), ["m/0002_users.sql"]);
    shop.git(&["commit", "-q", "-m", "the rest"]);
    assert_eq!(told(&shop), ["m/0003_drop.sql"]);
    shop.stage("m/0004_users.sql", "SELECT 4;\n");
    shop.git(&["commit", "-q", "--amend", "-m", "more"]);
    assert_eq!(told(&shop), ["m/0004_users.sql"]);
}

#[test]
fn a_bad_commit_is_blocked_and_a_good_one_passes() {
    let shop = shop();
    with_hook(&shop, "exec lockkeeper lint --staged");
    shop.stage("m/0002_drop.sql", DROP);
    let blocked = shop.try_git(&["commit", "-q", "-m", "bad"]);
    assert_eq!((blocked.status.success(), words(&blocked).contains("drop-column")), (false, true), "{}", words(&blocked));
    shop.git(&["reset", "-q", "m/0002_drop.sql"]);
    shop.stage("m/0003_users.sql", USERS);
    shop.git(&["commit", "-q", "-m", "good"]);
}

#[test]
fn a_hook_of_a_linked_working_tree_and_one_that_stands_in_a_directory_see_their_own_index() {
    let shop = shop();
    with_hook(&shop, "cd m && lockkeeper lint --staged --format json > \"$(git rev-parse --git-common-dir)/told\"; true");
    let place = tempfile::TempDir::new().expect("a directory");
    let linked = place.path().join("linked").display().to_string();
    shop.git(&["worktree", "add", "-q", &linked, "-b", "work"]);
    fs::write(place.path().join("linked/m/0002_users.sql"), USERS).expect("the file is written");
    shop.stage("m/0003_drop.sql", DROP);
    shop.git(&["-C", &linked, "add", "-A"]);
    shop.git(&["-C", &linked, "commit", "-q", "-m", "there"]);
    assert_eq!(told(&shop), ["0002_users.sql"]);
    shop.git(&["commit", "-q", "-m", "here"]);
    assert_eq!(told(&shop), ["0003_drop.sql"]);
}

#[test]
fn a_hook_that_looks_into_another_repository_sees_the_index_of_that() {
    let (shop, other) = (shop(), shop());
    other.stage("m/0009_users.sql", USERS);
    let line =
        format!("told=\"$PWD/.git/told\"; cd '{}' && lockkeeper lint --staged --format json > \"$told\"; true", other.path().display());
    with_hook(&shop, &line);
    shop.write("m/0001_orders.sql", "SELECT 1;\n");
    shop.git(&["commit", "-q", "-a", "-m", "all"]);
    assert_eq!(told(&shop), ["m/0009_users.sql"]);
}

#[test]
fn a_repository_whose_git_directory_lies_elsewhere_is_found_by_what_its_hook_is_told() {
    let place = tempfile::TempDir::new().expect("a directory");
    let (home, bare) = (place.path().join("home"), place.path().join("bare"));
    fs::create_dir_all(home.join("m")).expect("a directory");
    let shop = Repository::empty();
    shop.git(&["init", "-q", "--bare", &bare.display().to_string()]);
    fs::write(home.join("m/0001_orders.sql"), ORDERS).expect("the file is written");
    let (dir, tree) = (format!("--git-dir={}", bare.display()), format!("--work-tree={}", home.display()));
    shop.git(&[&dir, &tree, "add", "-A"]);
    let staged = |command: &mut std::process::Command| {
        judged(command.current_dir(&home).args(["lint", "--staged", "--format", "json"]).output().expect("the program runs"))
    };
    let told = staged(shop.lockkeeper().env("GIT_DIR", &bare).env("GIT_WORK_TREE", &home));
    assert_eq!(told, ["m/0001_orders.sql"]);
}

#[test]
fn what_a_merge_brings_in_as_it_is_was_judged_where_it_was_written() {
    let shop = Repository::with(&[("m/0001_orders.sql", ORDERS), ("notes.md", "one\n")]);
    shop.branch();
    shop.write("notes.md", "two\n");
    shop.commit();
    shop.git(&["checkout", "-q", "main"]);
    shop.write("m/0002_drop.sql", DROP);
    shop.write("notes.md", "three\n");
    shop.commit();
    shop.git(&["checkout", "-q", "work"]);
    assert!(!shop.try_git(&["merge", "-q", "main"]).status.success());
    let (code, _) = shop.refusal(&["--staged"]);
    assert_eq!(code, Some(0));
    shop.stage("notes.md", "both\n");
    assert_eq!(shop.judged(&["--staged"]), [""; 0]);
    shop.stage("m/0003_index.sql", INDEX);
    assert_eq!(shop.judged(&["--staged"]).len(), 1);
}

#[test]
fn a_file_in_conflict_cannot_be_judged_and_the_run_says_so() {
    let shop = Repository::with(&[("m/0001_orders.sql", ORDERS), ("m/0002_users.sql", USERS)]);
    shop.branch();
    shop.write("m/0002_users.sql", "SELECT 1;\n");
    shop.commit();
    shop.git(&["checkout", "-q", "main"]);
    shop.write("m/0002_users.sql", "SELECT 2;\n");
    shop.commit();
    assert!(!shop.try_git(&["merge", "-q", "work"]).status.success());
    let (code, words) = shop.refusal(&["--staged"]);
    assert_eq!((code, words.contains("this file is in conflict")), (Some(2), true), "{words}");
}

#[test]
fn strange_names_links_and_modes_are_what_git_says_they_are() {
    let shop = Repository::with(&[("0001_orders.sql", ORDERS), ("lib/drop.txt", DROP)]);
    shop.stage("0002_\"a\nb\".sql", DROP);
    shop.stage("0003 ü;$(touch owned).sql", DROP);
    shop.stage("--y.sql", DROP);
    symlink("lib/drop.txt", shop.path().join("0004_link.sql")).expect("a link");
    shop.git(&["add", "0004_link.sql"]);
    let judged = shop.judged(&["--staged"]);
    let expected = ["0002_\"a\nb\".sql", "0003 ü;$(touch owned).sql", "0004_link.sql", "--y.sql"];
    assert_eq!(judged.len(), expected.len(), "{judged:?}");
    for (judged, expected) in judged.iter().zip(expected) {
        assert!(judged.starts_with(expected) && judged.contains("drop-column"), "{judged}");
    }
    assert!(!shop.path().join("owned").exists());
    shop.commit();
    // A mode is nothing that runs.
    fs::set_permissions(shop.path().join("0001_orders.sql"), fs::Permissions::from_mode(0o755)).expect("the mode is set");
    shop.git(&["update-index", "--chmod=+x", "0001_orders.sql"]);
    assert_eq!(shop.judged(&["--staged"]), [""; 0]);
    assert_eq!(shop.judged(&["--since", "HEAD"]), [""; 0]);
    symlink("/etc/hostname", shop.path().join("0009_out.sql")).expect("a link");
    shop.git(&["add", "0009_out.sql"]);
    let (code, words) = shop.refusal(&["--staged"]);
    assert_eq!((code, words.contains("git does not have what it leads to")), (Some(2), true), "{words}");
}

#[test]
fn a_project_in_a_subdirectory_is_judged_from_there() {
    let shop = Repository::with(&[("shop/m/0001_orders.sql", ORDERS), ("other/0001_users.sql", USERS)]);
    shop.write("shop/lockkeeper.yaml", "migrations: [m]\n");
    shop.stage("shop/m/0002_drop.sql", DROP);
    shop.stage("other/0002_users.sql", "DROP TABLE users;\n");
    let within = |arguments: &[&str]| {
        let mut command = shop.lockkeeper();
        command.current_dir(shop.path().join("shop")).args(["lint", "--staged", "--format", "json"]).args(arguments);
        judged(command.output().expect("the program runs"))
    };
    assert_eq!(within(&[]), ["m/0002_drop.sql: drop-column"]);
    assert_eq!(within(&["m/0002_drop.sql"]), ["m/0002_drop.sql: drop-column"]);
    // Whose config does not reach there.
    assert_eq!(within(&["../other"]), ["../other/0002_users.sql: drop-table, lock-without-timeout"]);
    assert_eq!(shop.judged(&["--staged", "shop"]), ["shop/m/0002_drop.sql: drop-column"]);
}

#[test]
fn fixes_are_not_written_over_what_is_not_staged() {
    let shop = shop();
    shop.stage("m/0002_index.sql", INDEX);
    assert_eq!(shop.lint(&["--staged", "--fix"]).status.code(), Some(2));
    let diff = shop.lint(&["--staged", "--diff"]);
    assert!(String::from_utf8_lossy(&diff.stdout).contains("+CREATE INDEX CONCURRENTLY"), "{}", words(&diff));
}

#[test]
fn a_migration_that_is_a_program_is_judged_when_it_is_staged() {
    let config = "migrations: [m]\nrender:\n  command: [sh, print]\n  source: db/*.rb\n  cut: '-- == {revision}'\n";
    let print = "echo '-- == 0001_orders'; echo 'CREATE TABLE orders (id bigint PRIMARY KEY, note text);'\n";
    let shop =
        Repository::with(&[("lockkeeper.yaml", config), ("print", print), ("db/0001_orders.rb", "orders\n"), ("m/0001_users.sql", USERS)]);
    shop.stage("db/0002_drop.rb", "drop note\n");
    shop.stage("app/shop.rb", "no migration\n");
    shop.write("print", &format!("{print}echo '-- == 0002_drop'; echo 'ALTER TABLE orders DROP COLUMN note;'\n"));
    let expected = ["db/0002_drop.rb: drop-column, lock-without-timeout"];
    let sorted = |mut judged: Vec<String>| {
        judged.iter_mut().for_each(|line| *line = line.replace("lock-without-timeout, drop-column", "drop-column, lock-without-timeout"));
        judged
    };
    assert_eq!(sorted(shop.judged(&["--staged", "--render"])), expected);
    assert_eq!(sorted(shop.judged(&["--staged", "--render", "db/0002_drop.rb", "app/shop.rb"])), expected);
    assert_eq!(shop.judged(&["--staged", "--render", "app/shop.rb", "m/0001_users.sql"]), [""; 0]);
    let taken = shop.lockkeeper().args(["baseline", "findings", "--render"]).output().expect("the program runs");
    assert_eq!(taken.status.code(), Some(0), "{}", words(&taken));
    assert_eq!(shop.judged(&["--staged", "--render"]), ["db/0002_drop.rb"]);
    let (code, said) = shop.refusal(&["--staged"]);
    assert_eq!((code, said.contains("was not run")), (Some(2), true), "{said}");
}

#[test]
fn what_stands_behind_a_link_has_changed_when_it_is_staged() {
    let shop = Repository::with(&[("lockkeeper.yaml", "migrations: [m]\n"), ("m/0001_orders.sql", ORDERS), ("x.txt", "SELECT 1;\n")]);
    symlink("../x.txt", shop.path().join("m/0002_link.sql")).expect("a link");
    shop.commit();
    shop.stage("x.txt", DROP);
    let expected = ["m/0002_link.sql: drop-column"];
    assert_eq!(shop.judged(&["--since", "HEAD"]), ["m/0002_link.sql: migration-order, drop-column"]);
    assert_eq!(shop.judged(&["--staged"]), expected);
    assert_eq!(shop.judged(&["--staged", "m"]), expected);
}

#[test]
fn a_directory_behind_a_link_is_judged_as_it_is_staged() {
    let shop = Repository::with(&[("lockkeeper.yaml", "migrations: [m]\n"), ("real/0001_orders.sql", ORDERS)]);
    symlink("real", shop.path().join("m")).expect("a link");
    fs::create_dir(shop.path().join("db")).expect("a directory");
    symlink("../real", shop.path().join("db/shop")).expect("a link");
    symlink("..", shop.path().join("real/round")).expect("a link");
    shop.commit();
    shop.stage("real/0002_drop.sql", DROP);
    shop.write("real/0003_untracked.sql", "DROP TABLE orders;\n");
    assert_eq!(shop.judged(&["--staged"]), ["m/0002_drop.sql: drop-column"]);
    // What stands on disk does not count.
    fs::remove_file(shop.path().join("m")).expect("the link is removed");
    assert_eq!(shop.judged(&["--staged"]), ["m/0002_drop.sql: drop-column"]);
    shop.write("lockkeeper.yaml", "migrations: [db]\n");
    assert_eq!(shop.judged(&["--staged"]), ["db/shop/0002_drop.sql: drop-column"]);
}
