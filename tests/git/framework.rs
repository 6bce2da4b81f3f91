//! The pre-commit framework, really run with the hook file of this repository.

use super::repository::{DROP, ORDERS, Repository, words};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

const USERS: &str = "CREATE TABLE users (id bigint PRIMARY KEY);\n";

/// A shop whose commits the framework looks at.
struct Shop {
    repository: Repository,
    /// Where our hooks come from.
    _hooks: Repository,
    /// What the framework keeps.
    cache: TempDir,
}

impl Shop {
    /// Whose config of our hook goes on with these lines.
    fn new(more: &str) -> Self {
        let version = Command::new("pre-commit").arg("--version").output();
        assert!(
            version.is_ok_and(|version| version.status.success()),
            "this test runs the pre-commit framework: `apt-get install pre-commit`, or `pip install pre-commit`"
        );
        let file =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(".pre-commit-hooks.yaml")).expect("the hook file is there");
        let hooks = Repository::with(&[(".pre-commit-hooks.yaml", &file)]);
        let (place, revision) = (hooks.path().display(), hooks.git(&["rev-parse", "HEAD"]));
        let config = format!("repos:\n  - repo: {place}\n    rev: {revision}\n    hooks:\n      - id: lockkeeper-system\n{more}");
        let repository =
            Repository::with(&[("m/0001_orders.sql", ORDERS), ("m/0002_drop.sql", DROP), (".pre-commit-config.yaml", &config)]);
        let shop = Self { repository, _hooks: hooks, cache: TempDir::new().expect("a directory") };
        let installed = shop.run("pre-commit", &["install"]);
        assert!(installed.status.success(), "{}", words(&installed));
        shop
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let own = Path::new(env!("CARGO_BIN_EXE_lockkeeper")).parent().expect("a directory");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(own.to_owned()).chain(std::env::split_paths(&path))).expect("a path");
        let mut command = self.repository.program(program);
        command.args(arguments).env("PATH", path).env("PRE_COMMIT_HOME", self.cache.path()).env("PRE_COMMIT_COLOR", "never");
        command.output().expect("the program runs")
    }

    fn commit(&self) -> (bool, String) {
        let output = self.run("git", &["commit", "-m", "change"]);
        (output.status.success(), words(&output))
    }
}

#[test]
fn the_framework_blocks_a_bad_commit_and_lets_a_good_one_pass() {
    let shop = Shop::new("");
    shop.repository.stage("m/0003_drop.sql", "SET lock_timeout = '2s';\nDROP TABLE payments;\n");
    shop.repository.stage("README.md", "A shop.\n");
    let (passes, said) = shop.commit();
    assert!(!passes && said.contains("drop-table") && !said.contains("drop-column"), "{said}");

    // What is not staged is no part of the commit, and is there again afterwards.
    shop.repository.stage("m/0003_drop.sql", USERS);
    shop.repository.write("m/0003_drop.sql", "DROP TABLE payments;\n");
    shop.repository.write("m/0004_untracked.sql", "DROP TABLE payments;\n");
    let (passes, said) = shop.commit();
    assert!(passes, "{said}");
    assert_eq!(fs::read_to_string(shop.repository.path().join("m/0003_drop.sql")).expect("it is there"), "DROP TABLE payments;\n");

    shop.repository.stage("notes.md", "Nothing of the database.\n");
    let (passes, said) = shop.commit();
    assert!(passes && said.contains("Skipped"), "{said}");
}

#[test]
fn where_nothing_is_staged_the_framework_says_what_is_judged() {
    let shop = Shop::new("");
    let all = shop.run("pre-commit", &["run", "--all-files"]);
    assert!(!all.status.success() && words(&all).contains("m/0002_drop.sql"), "{}", words(&all));
    let one = shop.run("pre-commit", &["run", "--files", "m/0001_orders.sql"]);
    assert!(one.status.success(), "{}", words(&one));

    shop.repository.branch();
    shop.repository.write("m/0003_users.sql", USERS);
    shop.repository.commit();
    let between = |from: &str, to: &str| {
        let output = shop.run("pre-commit", &["run", "--from-ref", from, "--to-ref", to]);
        (output.status.success(), words(&output))
    };
    let (passes, said) = between("main", "HEAD");
    assert!(passes, "{said}");
    // As it was committed, whatever stands on disk by now.
    shop.repository.write("m/0004_drop.sql", "DROP TABLE payments;\n");
    shop.repository.commit();
    shop.repository.write("m/0004_drop.sql", "SELECT 1;\n");
    shop.repository.commit();
    let (passes, said) = between("main", "HEAD");
    assert!(passes, "{said}");
    let (passes, said) = between("main", "HEAD~1");
    assert!(!passes && said.contains("drop-table") && !said.contains("drop-column"), "{said}");
}

#[test]
fn a_hook_that_is_given_no_names_finds_them_itself() {
    let shop = Shop::new("        pass_filenames: false\n");
    let all = shop.run("pre-commit", &["run", "--all-files"]);
    assert!(!all.status.success() && words(&all).contains("m/0002_drop.sql"), "{}", words(&all));
    shop.repository.stage("m/0003_users.sql", USERS);
    let (passes, said) = shop.commit();
    assert!(passes, "{said}");
    shop.repository.stage("m/0004_drop.sql", "DROP TABLE payments;\n");
    let (passes, said) = shop.commit();
    assert!(!passes && said.contains("drop-table") && !said.contains("drop-column"), "{said}");
}
