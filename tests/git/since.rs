//! `lint --since REF` and `lint --release FILE...`, in git repositories of their own: what is judged, and what is history.

use super::repository::{DROP, INDEX, ORDERS, Repository, judged, words};
use std::fs;
use tempfile::TempDir;

#[test]
fn only_what_a_branch_changes_is_judged_committed_or_not() {
    let shop = Repository::with(&[("m/0001_orders.sql", ORDERS), ("m/0002_index.sql", INDEX)]);
    shop.branch();
    assert_eq!(shop.judged(&["--since", "main"]), [""; 0]);
    shop.write("m/0003_committed.sql", "CREATE TABLE users (id bigint PRIMARY KEY);\n");
    shop.commit();
    shop.write("m/0004_staged.sql", "CREATE TABLE payments (id bigint PRIMARY KEY);\n");
    shop.git(&["add", "m/0004_staged.sql"]);
    shop.write("m/0005_untracked.sql", DROP);
    let expected = ["m/0003_committed.sql", "m/0004_staged.sql", "m/0005_untracked.sql: drop-column"];
    assert_eq!(shop.judged(&["--since", "main"]), expected);
    assert_eq!(shop.judged(&["--since", "main", "m"]), expected);
    assert_eq!(shop.judged(&["--since", "HEAD", "m"]), expected[1..]);
    assert_eq!(shop.judged(&["--since", "main", "m/0001_orders.sql"]), [""; 0]);
}

#[test]
fn what_the_base_branch_got_in_the_meantime_is_no_change_of_this_one() {
    let shop = Repository::with(&[("m/0001_orders.sql", ORDERS)]);
    shop.branch();
    shop.write("m/0002_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY);\n");
    shop.commit();
    shop.git(&["checkout", "-q", "main"]);
    shop.write("other.sql", DROP);
    shop.commit();
    shop.git(&["checkout", "-q", "work"]);
    assert_eq!(shop.judged(&["--since", "main"]), ["m/0002_users.sql"]);
}

#[test]
fn a_file_of_the_base_branch_that_is_edited_or_deleted_is_a_finding() {
    let shop = Repository::with(&[("m/0001_orders.sql", ORDERS), ("m/0002_index.sql", INDEX), ("m/0003_drop.sql", DROP)]);
    shop.branch();
    shop.write("m/0002_index.sql", "CREATE TABLE drafts (id bigint PRIMARY KEY);\n");
    fs::remove_file(shop.path().join("m/0003_drop.sql")).expect("the file is removed");
    let expected = ["m/0002_index.sql: migration-order", "m/0003_drop.sql: migration-order"];
    assert_eq!(shop.judged(&["--since", "main"]), expected);
    assert_eq!(shop.lint(&["--since", "main"]).status.code(), Some(1));
    shop.commit();
    assert_eq!(shop.judged(&["--since", "main"]), expected);
    let human = String::from_utf8_lossy(&shop.lint(&["--since", "main"]).stdout).into_owned();
    assert!(human.contains("the base branch has this file, and it is deleted"), "{human}");
}

#[test]
fn what_is_run_again_whenever_it_changes_and_what_undoes_may_be_edited() {
    let files = [("m/R__views.sql", "SELECT 1;\n"), ("m/0001_orders.down.sql", "DROP TABLE orders;\n")];
    let shop = Repository::with(&files);
    shop.branch();
    shop.write("m/R__views.sql", "SELECT 2;\n");
    shop.write("m/0001_orders.down.sql", "DROP TABLE orders CASCADE;\n");
    assert_eq!(shop.judged(&["--since", "main"]), ["m/R__views.sql"]);
}

#[test]
fn a_new_file_behind_the_newest_of_the_base_branch_is_a_finding() {
    let shop = Repository::with(&[("m/0001_orders.sql", ORDERS)]);
    shop.branch();
    shop.write("m/0002_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY);\n");
    shop.write("m/0004_users.sql", "CREATE TABLE payments (id bigint PRIMARY KEY);\n");
    shop.commit();
    shop.git(&["checkout", "-q", "main"]);
    // The working tree of the branch has not got this one.
    shop.write("m/0003_drafts.sql", "CREATE TABLE drafts (id bigint PRIMARY KEY);\n");
    shop.commit();
    shop.git(&["checkout", "-q", "work"]);
    assert_eq!(shop.judged(&["--since", "main"]), ["m/0002_users.sql: migration-order", "m/0004_users.sql"]);
    shop.write("m/0003_sales.sql", "CREATE TABLE sales (id bigint PRIMARY KEY);\n");
    fs::remove_file(shop.path().join("m/0002_users.sql")).expect("the file is removed");
    assert_eq!(shop.judged(&["--since", "main"]), ["m/0003_sales.sql: migration-order", "m/0004_users.sql"]);
}

#[test]
fn what_two_files_of_a_branch_do_together_is_judged_as_one_release() {
    let shop = Repository::with(&[("m/0001_orders.sql", ORDERS)]);
    shop.branch();
    shop.write(
        "m/0002_expand.sql",
        "SET lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN remark text;\nUPDATE orders SET remark = note WHERE id BETWEEN 1 AND 9;\n",
    );
    shop.commit();
    shop.write("m/0003_contract.sql", DROP);
    let last = |judged: Vec<String>| judged.last().cloned().unwrap_or_default();
    assert_eq!(last(shop.judged(&["--since", "main"])), "m/0003_contract.sql: contract-in-same-release");
    assert_eq!(last(shop.judged(&["m"])), "m/0003_contract.sql: drop-column");
    // The first half was a release of its own.
    shop.git(&["checkout", "-q", "main"]);
    shop.git(&["merge", "-q", "work"]);
    shop.git(&["checkout", "-q", "work"]);
    assert_eq!(last(shop.judged(&["--since", "main"])), "m/0003_contract.sql: drop-column");
}

#[test]
fn a_hot_table_may_be_locked_once_in_a_release() {
    let shop = Repository::with(&[("m/0001_orders.sql", ORDERS), ("lockkeeper.yaml", "hot_tables: [orders]\nlock_timeout: 2s\n")]);
    shop.branch();
    shop.write("m/0002_state.sql", "ALTER TABLE orders ADD COLUMN state text;\n");
    assert_eq!(shop.judged(&["--since", "main", "m"]), ["m/0002_state.sql"]);
    shop.write("m/0003_day.sql", "ALTER TABLE orders ADD COLUMN day date;\n");
    assert_eq!(shop.judged(&["--since", "main", "m"]), ["m/0002_state.sql", "m/0003_day.sql: release-lock-budget"]);
    assert_eq!(shop.judged(&["m"]), ["m/0001_orders.sql", "m/0002_state.sql", "m/0003_day.sql"]);
}

#[test]
fn a_scaffold_that_ten_later_migrations_have_left_standing_is_told() {
    let sync = "CREATE FUNCTION sync() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.note_new := NEW.note; RETURN NEW; END $$;";
    let trigger = "CREATE TRIGGER sync BEFORE INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION sync();";
    let expand = format!("ALTER TABLE orders ADD COLUMN note_new text;\n{sync}\n{trigger}\n");
    let shop =
        Repository::with(&[("m/0001_orders.sql", ORDERS), ("m/0002_expand.sql", &expand), ("lockkeeper.yaml", "lock_timeout: 2s\n")]);
    let told = || shop.judged(&["m/0002_expand.sql"])[0].contains("sync-scaffold-left-behind");
    for later in 3..12 {
        shop.write(&format!("m/{later:04}_users.sql"), "SELECT 1;\n");
    }
    assert!(!told());
    shop.write("m/0012_users.sql", "SELECT 1;\n");
    assert!(told());
    shop.write("m/0013_contract.sql", "DROP TRIGGER sync ON orders;\nALTER TABLE orders DROP COLUMN note;\n");
    assert!(!told());
}

#[test]
fn a_relation_that_no_file_makes_is_told_where_the_files_are_said_to_be_all() {
    let alter = "ALTER TABLE drafts ADD COLUMN note text;\n";
    let shop = Repository::with(&[("m/0001_orders.sql", ORDERS), ("m/0002_drafts.sql", alter), ("lockkeeper.yaml", "lock_timeout: 2s\n")]);
    assert_eq!(shop.judged(&["m/0002_drafts.sql"]), ["m/0002_drafts.sql"]);
    shop.write("lockkeeper.yaml", "lock_timeout: 2s\nhistory: whole\n");
    assert_eq!(shop.judged(&["m/0002_drafts.sql"]), ["m/0002_drafts.sql: unknown-object"]);
    // Who brings an extension brings relations that no file shows.
    shop.write("m/0001_orders.sql", "CREATE EXTENSION postgis;\n");
    assert_eq!(shop.judged(&["m/0002_drafts.sql"]), ["m/0002_drafts.sql"]);
}

#[test]
fn names_that_look_like_options_or_hold_newlines_and_quotes_are_names() {
    let shop = Repository::with(&[("0001_orders.sql", ORDERS), ("--x.sql", "SELECT 1;\n")]);
    shop.branch();
    shop.write("0002_\"a\nb\".sql", DROP);
    shop.write("--y.sql", DROP);
    shop.write("0003 ü.sql", "SELECT 1;\n");
    let judged = shop.judged(&["--since", "main"]);
    assert_eq!(judged, ["0002_\"a\nb\".sql: drop-column", "0003 ü.sql", "--y.sql: drop-column"]);
}

#[test]
fn a_revision_that_looks_like_an_option_is_refused_and_nothing_runs() {
    let shop = Repository::with(&[("m/0001_orders.sql", ORDERS)]);
    let output = shop.lint(&["--since=--output=owned", "--format", "short"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stdout).contains("git knows no commit `--output=owned` here"));
    assert!(!shop.path().join("owned").exists());
    let (code, words) = shop.refusal(&["--since", "main; touch owned"]);
    assert_eq!((code, shop.path().join("owned").exists()), (Some(2), false), "{words}");
}

#[test]
fn what_git_cannot_answer_is_said_and_ends_with_2() {
    let shop = Repository::with(&[("m/0001_orders.sql", ORDERS)]);
    let (code, words) = shop.refusal(&["--since", "origin/main"]);
    assert_eq!((code, words.contains("git knows no commit `origin/main` here")), (Some(2), true), "{words}");

    let nowhere = TempDir::new().expect("a directory");
    fs::write(nowhere.path().join("0001_orders.sql"), ORDERS).expect("the file is written");
    let path = nowhere.path().to_string_lossy().into_owned();
    let (code, words) = shop.refusal(&["--since", "main", &path]);
    assert_eq!((code, words.contains("there is no git repository here")), (Some(2), true), "{words}");

    // The first path tells the repository; the second is outside of it.
    let (code, words) = shop.refusal(&["--since", "main", "m", &path]);
    assert_eq!((code, words.contains("outside of the git repository")), (Some(2), true), "{words}");

    for arguments in [["--since", "main", "--no-history"], ["--since", "main", "--release=m"], ["--release=m", "m", "--no-history"]] {
        assert_eq!(shop.refusal(&arguments).0, Some(2), "{arguments:?}");
    }
}

#[test]
fn a_shallow_clone_is_told_how_to_get_the_rest() {
    let shop = Repository::with(&[("m/0001_orders.sql", ORDERS)]);
    shop.branch();
    shop.write("m/0002_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY);\n");
    shop.commit();
    shop.git(&["checkout", "-q", "main"]);
    shop.write("m/0003_drafts.sql", "CREATE TABLE drafts (id bigint PRIMARY KEY);\n");
    shop.commit();
    let clones = TempDir::new().expect("a directory");
    let clone = clones.path().join("clone");
    let source = format!("file://{}", shop.path().display());
    let target = clone.to_string_lossy().into_owned();
    shop.git(&["clone", "-q", "--depth", "1", "--no-single-branch", "--branch", "work", &source, &target]);
    let path = clone.join("m").to_string_lossy().into_owned();
    for reference in ["origin/main", "v1"] {
        let (code, words) = {
            let output = shop.lint(&["--since", reference, &path]);
            (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
        };
        assert_eq!((code, words.contains("git fetch --unshallow")), (Some(2), true), "{words}");
    }
}

#[test]
fn files_named_as_a_release_are_judged_and_the_others_are_history() {
    let shop = Repository::with(&[
        ("m/0001_orders.sql", ORDERS),
        ("m/0002_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, note text);\n"),
    ]);
    shop.write("m/0003_index.sql", "SET lock_timeout = '2s';\nCREATE INDEX users_note_idx ON users (note);\n");
    // Alone, the table is in use; with the file that makes it, it is nobody's yet.
    assert_eq!(shop.judged(&["m/0003_index.sql"]), ["m/0003_index.sql: create-index-without-concurrently"]);
    let expected = ["m/0002_users.sql", "m/0003_index.sql"];
    assert_eq!(shop.judged(&["--release", "m/0002_users.sql", "m/0003_index.sql"]), expected);
    assert_eq!(shop.judged(&["--release", "m/0003_index.sql", "--release", "m/0002_users.sql"]), expected);
    assert_eq!(shop.judged(&["--release", "m"]), ["m/0001_orders.sql", "m/0002_users.sql", "m/0003_index.sql"]);
}

#[test]
fn a_renamed_file_is_gone_under_its_old_name_and_new_under_the_other() {
    let shop = Repository::with(&[("m/0001_orders.sql", ORDERS), ("m/0002_drop.sql", DROP)]);
    shop.branch();
    shop.git(&["mv", "m/0002_drop.sql", "m/0003_drop.sql"]);
    let expected = ["m/0003_drop.sql: drop-column", "m/0002_drop.sql: migration-order"];
    assert_eq!(shop.judged(&["--since", "main"]), expected);
    shop.commit();
    assert_eq!(shop.judged(&["--since", "main"]), expected);
}

#[test]
fn settings_that_are_about_what_people_read_change_nothing() {
    let shop = Repository::with(&[("sub/m/0001_orders.sql", ORDERS)]);
    for (key, value) in [
        ("core.quotepath", "true"),
        ("diff.renames", "copies"),
        ("diff.relative", "true"),
        ("diff.noprefix", "true"),
        ("diff.ignoreSubmodules", "all"),
        ("status.showUntrackedFiles", "no"),
        ("color.ui", "always"),
        ("diff.external", "false"),
    ] {
        shop.git(&["config", key, value]);
    }
    shop.branch();
    shop.write("sub/m/0002_dröp.sql", DROP);
    shop.commit();
    shop.write("sub/m/0003_ünt.sql", "SELECT 1;\n");
    assert_eq!(shop.judged(&["--since", "main"]), ["sub/m/0002_dröp.sql: drop-column", "sub/m/0003_ünt.sql"]);
    assert_eq!(shop.judged(&["--since", "main", "sub/m"]), ["sub/m/0002_dröp.sql: drop-column", "sub/m/0003_ünt.sql"]);
}

#[test]
fn a_detached_head_a_merge_and_a_linked_working_tree_have_changed_what_they_have_changed() {
    let shop = Repository::with(&[("m/0001_orders.sql", ORDERS)]);
    shop.branch();
    shop.write("m/0003_drop.sql", DROP);
    shop.commit();
    shop.git(&["checkout", "-q", "main"]);
    shop.write("m/0002_index.sql", INDEX);
    shop.commit();
    shop.git(&["checkout", "-q", "work"]);
    shop.git(&["merge", "-q", "--no-edit", "main"]);
    let expected = ["m/0003_drop.sql: drop-column"];
    assert_eq!(shop.judged(&["--since", "main"]), expected);
    // As a pull request is checked out: the merge of both, on no branch.
    shop.git(&["checkout", "-q", "--detach", "main"]);
    shop.git(&["merge", "-q", "--no-ff", "--no-edit", "work"]);
    assert_eq!(shop.judged(&["--since", "main"]), expected);
    shop.git(&["checkout", "-q", "main"]);
    let place = TempDir::new().expect("a directory");
    let linked = place.path().join("linked");
    shop.git(&["worktree", "add", "-q", &linked.display().to_string(), "work"]);
    let mut command = shop.lockkeeper();
    command.current_dir(&linked).args(["lint", "--since", "main", "--format", "json"]);
    // As git has it in a hook of the linked one.
    command
        .env("GIT_DIR", shop.path().join(".git/worktrees/linked"))
        .env("GIT_INDEX_FILE", shop.path().join(".git/worktrees/linked/index"));
    assert_eq!(judged(command.args(["m"]).output().expect("the program runs")), expected);
}

#[test]
fn files_that_git_ignores_are_history_and_are_counted() {
    let shop = Repository::with(&[("m/0001_orders.sql", ORDERS), (".gitignore", "m/*\n")]);
    // Ignored, and known all the same.
    shop.git(&["add", "-f", "m/0001_orders.sql"]);
    shop.commit();
    shop.branch();
    shop.write("m/0001_orders.sql", "SELECT 1;\n");
    shop.write("m/0002_drop.sql", DROP);
    let output = shop.lint(&["--since", "main"]);
    let said = words(&output);
    assert!(said.contains("files passed over: 1 that git ignores") && !said.contains("drop-column"), "{said}");
    assert_eq!(shop.judged(&["--since", "main"]), ["m/0001_orders.sql: migration-order"]);
    shop.git(&["add", "-f", "m/0002_drop.sql"]);
    assert_eq!(shop.judged(&["--since", "main"]), ["m/0001_orders.sql: migration-order", "m/0002_drop.sql: drop-column"]);
}

#[test]
fn a_link_has_changed_with_what_it_leads_to() {
    let shop = Repository::with(&[("m/0001_orders.sql", ORDERS), ("lib/drop.txt", "SELECT 1;\n"), ("real/0001_users.sql", "SELECT 1;\n")]);
    std::os::unix::fs::symlink("../lib/drop.txt", shop.path().join("m/0002_drop.sql")).expect("a link");
    std::os::unix::fs::symlink("real", shop.path().join("linked")).expect("a link");
    shop.commit();
    shop.branch();
    shop.write("lib/drop.txt", DROP);
    shop.write("real/0002_users.sql", "SELECT 2;\n");
    assert_eq!(shop.judged(&["--since", "main", "m"]), ["m/0002_drop.sql: migration-order, drop-column"]);
    assert_eq!(shop.judged(&["--since", "main", "linked"]), ["linked/0002_users.sql"]);
}

#[test]
fn what_is_new_in_a_repository_inside_is_not_taken_for_old() {
    let (shop, vendored) = (Repository::with(&[("m/0001_orders.sql", ORDERS)]), Repository::with(&[("0001_users.sql", "SELECT 1;\n")]));
    let place = vendored.path().display().to_string();
    shop.git(&["-c", "protocol.file.allow=always", "submodule", "add", "-q", &place, "db"]);
    shop.commit();
    shop.branch();
    shop.write("m/0002_drop.sql", DROP);
    // As it is, it is history.
    assert_eq!(shop.judged(&["--since", "main"]), ["m/0002_drop.sql: drop-column"]);
    shop.write("db/0002_drop.sql", DROP);
    let (code, said) = shop.refusal(&["--since", "main"]);
    assert_eq!((code, said.contains("outside of the git repository"), said.contains("drop-column")), (Some(2), true, true), "{said}");
    // It is a repository of its own, and can be asked.
    assert_eq!(shop.judged(&["--since", "HEAD", "db"]), ["db/0002_drop.sql: drop-column"]);
    let nested = Repository::with(&[("m/0001_orders.sql", ORDERS)]);
    nested.git(&["init", "-q", "inner"]);
    nested.write("inner/0001_drop.sql", DROP);
    let (code, said) = nested.refusal(&["--since", "main"]);
    assert_eq!((code, said.contains("outside of the git repository")), (Some(2), true), "{said}");
}

#[test]
fn a_changed_file_that_the_list_of_its_tool_leaves_out_is_a_problem_in_every_format() {
    let journal = r#"{"entries": [{"tag": "0001_orders"}]}"#;
    let shop = Repository::with(&[("m/meta/_journal.json", journal), ("m/0001_orders.sql", ORDERS), ("m/0002_old.sql", DROP)]);
    shop.branch();
    shop.stage("m/0003_drop.sql", DROP);
    for since in [&["--since", "main"][..], &["--staged"], &["--staged", "m/0003_drop.sql"]] {
        for format in ["human", "short", "json", "sarif", "markdown", "github"] {
            let output = shop.lint(&[&["--format", format], since].concat());
            let words = words(&output);
            assert_eq!(output.status.code(), Some(2), "{since:?} {format}: {words}");
            let said = "the list of drizzle does not name this file";
            assert!(words.contains(said) && words.contains("drop.sql"), "{since:?} {format}: {words}");
            assert!(!words.contains("old.sql"), "{since:?} {format}: {words}");
        }
    }
    let listed = r#"{"entries": [{"tag": "0001_orders"}, {"tag": "0003_drop"}]}"#;
    shop.stage("m/meta/_journal.json", listed);
    assert_eq!(shop.judged(&["--since", "main"]), ["m/0003_drop.sql: drop-column"]);
}
