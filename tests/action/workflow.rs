//! A workflow that uses the action for pull request 7: a repository, the steps of action.yml, and what they leave behind.

use crate::server::{Server, TOKEN};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// What the steps have said and left.
pub struct Outcome {
    pub code: Option<i32>,
    /// Everything in the log.
    pub log: String,
    pub summary: String,
    pub outputs: BTreeMap<String, String>,
}

impl Outcome {
    /// The lines of the log that GitHub takes for commands.
    pub fn commands(&self) -> Vec<&str> {
        self.log.lines().filter(|line| line.trim_start().starts_with("::")).collect()
    }
}

/// A repository whose branch is checked out for the workflow.
pub struct Workflow {
    folder: TempDir,
    pub server: Server,
    pub inputs: BTreeMap<&'static str, String>,
    /// The commit that the pull request starts from.
    pub base: String,
    pub event: Value,
    runs: usize,
}

pub const ORDERS: (&str, &str) = ("migrations/0001_orders.sql", "CREATE TABLE orders (id bigint PRIMARY KEY, note text);\n");
pub const INDEX: (&str, &str) = ("migrations/0002_index.sql", "SET lock_timeout = '2s';\nCREATE INDEX orders_note_idx ON orders (note);\n");

impl Workflow {
    /// The first commit is the base.
    pub fn new() -> Self {
        let folder = TempDir::new().expect("a folder for the test");
        let mut workflow =
            Self { folder, server: Server::start(), inputs: BTreeMap::new(), base: String::new(), event: Value::Null, runs: 0 };
        fs::create_dir_all(workflow.path("checkout")).expect("a folder for the checkout");
        workflow.git(&["init", "-q", "-b", "main"]);
        workflow.commit(&[ORDERS]);
        workflow.base = workflow.git(&["rev-parse", "HEAD"]);
        workflow.event = json!({ "pull_request": { "number": 7, "base": { "sha": workflow.base }, "head": { "sha": "feed" } } });
        workflow
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn commit(&self, files: &[(&str, &str)]) {
        for (name, text) in files {
            let path = self.path("checkout").join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder for the file");
            fs::write(path, text).expect("the file is written");
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", "change"]);
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        self.git_in("checkout", arguments)
    }

    pub fn git_in(&self, folder: &str, arguments: &[&str]) -> String {
        let identity = ["-c", "user.name=shop", "-c", "user.email=shop@example.org", "-c", "commit.gpgsign=false"];
        let output = Command::new("git").current_dir(self.path(folder)).args(identity).args(arguments).output().expect("git runs");
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Runs the step that judges, with the lockkeeper of this build.
    pub fn judge(&mut self) -> Outcome {
        let own = Path::new(env!("CARGO_BIN_EXE_lockkeeper")).parent().expect("it lies in a folder").to_owned();
        self.step("Judge migrations", &own)
    }

    /// Runs a step of action.yml, with a folder before all others on the PATH.
    pub fn step(&mut self, name: &str, first_on_path: &Path) -> Outcome {
        let action: Value = serde_yaml::from_str(include_str!("../../action.yml")).expect("action.yml is YAML");
        let steps = action["runs"]["steps"].as_array().expect("a list of steps");
        let step = steps.iter().find(|step| step["name"] == name).expect("the step is there");
        let files = self.path(&format!("run-{}", self.runs));
        self.runs += 1;
        fs::create_dir_all(&files).expect("a folder for what the step leaves");
        fs::write(files.join("event.json"), self.event.to_string()).expect("the event is written");
        let mut command = Command::new("bash");
        command.arg("-e").arg("-c").arg(step["run"].as_str().expect("a line to run")).current_dir(self.path("checkout")).env_clear();
        let path = format!("{}:{}", first_on_path.display(), std::env::var("PATH").expect("a PATH"));
        let server = format!("http://127.0.0.1:{}", self.server.port);
        command.env("PATH", path).env("HOME", &files).env("GITHUB_API_URL", &server).env("GITHUB_SERVER_URL", &server);
        command.env("GITHUB_REPOSITORY", "shop/shop").env("RUNNER_TEMP", &files).env("GIT_CONFIG_NOSYSTEM", "1");
        for (variable, file) in
            [("GITHUB_EVENT_PATH", "event.json"), ("GITHUB_STEP_SUMMARY", "summary"), ("GITHUB_OUTPUT", "outputs"), ("GITHUB_PATH", "path")]
        {
            command.env(variable, files.join(file));
        }
        for (name, value) in step["env"].as_object().expect("an environment") {
            command.env(name, self.value(value.as_str().expect("a text"), &action));
        }
        let output = command.output().expect("bash runs");
        let read = |name: &str| fs::read_to_string(files.join(name)).unwrap_or_default();
        let outputs = read("outputs").lines().filter_map(|line| line.split_once('=')).map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
        let log = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        Outcome { code: output.status.code(), log, summary: read("summary"), outputs }
    }

    /// What GitHub makes of `${{ a.b || c.d }}`; what is no such thing is itself.
    fn value(&self, written: &str, action: &Value) -> String {
        let Some(expression) = written.strip_prefix("${{").and_then(|rest| rest.strip_suffix("}}")) else { return written.to_owned() };
        let values = expression.split("||").map(|path| self.of(path.trim(), action));
        values.into_iter().find(|value| !value.is_empty()).unwrap_or_default()
    }

    fn of(&self, path: &str, action: &Value) -> String {
        if let Some(name) = path.strip_prefix("inputs.") {
            let known = &action["inputs"][name];
            assert!(known.is_object(), "there is an input {name}");
            return match self.inputs.get(name) {
                Some(value) => value.clone(),
                None => self.value(known["default"].as_str().unwrap_or_default(), action),
            };
        }
        match path {
            "github.token" => TOKEN.to_owned(),
            "github.action_path" => env!("CARGO_MANIFEST_DIR").to_owned(),
            "github.action_repository" => "keepers/lockkeeper".to_owned(),
            path => {
                let rest = path.strip_prefix("github.event.").unwrap_or_else(|| panic!("nobody knows {path}"));
                let value = rest.split('.').fold(&self.event, |value, key| &value[key]);
                value.as_str().unwrap_or_default().to_owned()
            }
        }
    }
}

/// No expression may stand in a line that a shell runs: what it becomes would be a program there.
#[test]
fn nothing_from_outside_stands_in_what_a_shell_runs() {
    let action: Value = serde_yaml::from_str(include_str!("../../action.yml")).expect("action.yml is YAML");
    for step in action["runs"]["steps"].as_array().expect("a list of steps") {
        assert!(!step["run"].as_str().unwrap_or_default().contains("${{"), "{step}");
    }
}
