//! A git repository with migrations of a shop, and lockkeeper run in it.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// A git repository with a branch `main`.
pub struct Repository(TempDir);

pub const ORDERS: &str = "CREATE TABLE orders (id bigint PRIMARY KEY, note text);\n";
pub const INDEX: &str = "SET lock_timeout = '2s';\nCREATE INDEX orders_note_idx ON orders (note);\n";
pub const DROP: &str = "SET lock_timeout = '2s';\nALTER TABLE orders DROP COLUMN note;\n";

/// What git and pre-commit say to the programs that they start. The tests may run in a hook themselves.
const OF_HOOKS: [&str; 7] =
    ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "PRE_COMMIT", "PRE_COMMIT_FROM_REF", "PRE_COMMIT_TO_REF"];

impl Repository {
    /// Without a commit.
    pub fn empty() -> Self {
        let repository = Self(TempDir::new().expect("a directory for the test"));
        repository.git(&["init", "-q", "-b", "main"]);
        repository.git(&["config", "user.name", "shop"]);
        repository.git(&["config", "user.email", "shop@example.org"]);
        repository.git(&["config", "commit.gpgsign", "false"]);
        repository
    }

    /// With these files as the first commit.
    pub fn with(files: &[(&str, &str)]) -> Self {
        let repository = Self::empty();
        files.iter().for_each(|(path, text)| repository.write(path, text));
        repository.commit();
        repository
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("the directory is made");
        fs::write(path, text).expect("the file is written");
    }

    /// Writes a file and stages it.
    pub fn stage(&self, path: &str, text: &str) {
        self.write(path, text);
        self.git(&["add", "--", path]);
    }

    pub fn remove(&self, path: &str) {
        fs::remove_file(self.path().join(path)).expect("the file is removed");
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        let output = self.try_git(arguments);
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    pub fn try_git(&self, arguments: &[&str]) -> Output {
        self.program("git").args(arguments).output().expect("git runs")
    }

    pub fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--no-verify", "-m", "change"]);
    }

    pub fn branch(&self) {
        self.git(&["checkout", "-q", "-b", "work"]);
    }

    /// A program that knows of no hook, to be run in the repository.
    pub fn program(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.path());
        for variable in OF_HOOKS {
            command.env_remove(variable);
        }
        command
    }

    pub fn lockkeeper(&self) -> Command {
        self.program(env!("CARGO_BIN_EXE_lockkeeper"))
    }

    pub fn lint<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Output {
        self.lockkeeper().arg("lint").args(arguments).output().expect("the program runs")
    }

    /// The paths that are judged, each with the rules that speak as errors or warnings.
    pub fn judged(&self, arguments: &[&str]) -> Vec<String> {
        judged(self.lint(&[&["--format", "json"], arguments].concat()))
    }

    /// The exit code and the words of a run.
    pub fn refusal(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.lint(&[&["--format", "short"], arguments].concat());
        (output.status.code(), words(&output))
    }
}

/// Everything that a program has said.
pub fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// The paths of a report in JSON, each with the rules that speak as errors or warnings and count.
pub fn judged(output: Output) -> Vec<String> {
    let report: serde_json::Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    assert_eq!(report["problems"], serde_json::json!([]));
    let migrations = report["migrations"].as_array().expect("a list");
    let words = |migration: &serde_json::Value| {
        let findings = migration["findings"].as_array().expect("a list").iter();
        let heard = findings.filter(|finding| finding["severity"] != "advice" && finding["allowed"].is_null());
        let heard: Vec<_> = heard.filter_map(|finding| finding["rule"].as_str()).collect();
        let path = migration["path"].as_str().expect("a path");
        if heard.is_empty() { path.to_owned() } else { format!("{path}: {}", heard.join(", ")) }
    };
    migrations.iter().map(words).collect()
}
