//! The command line as its users meet it: exit codes, formats, and the answers to bad input.

mod bad_input;
mod exit;
mod fix;
mod foreign;
mod formats;
mod html;
mod init;
mod outputs;
mod plan;
mod presets;
mod render;
mod rules;
mod secrets;
mod show;
mod which_files;

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A directory of its own, and the program run in it.
struct Shop(TempDir);

/// What a run gave.
struct Answer {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Shop {
    fn new() -> Self {
        Self(TempDir::new().expect("a directory for the test"))
    }

    fn with(files: &[(&str, &str)]) -> Self {
        let shop = Self::new();
        for (path, text) in files {
            shop.write(path, text);
        }
        shop
    }

    fn write(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("the directory is made");
        fs::write(path, bytes).expect("the file is written");
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lockkeeper"));
        command.args(arguments).current_dir(self.0.path()).env_remove("NO_COLOR").stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Answer {
        answer(&self.command(arguments).output().expect("the program runs"))
    }

    fn run_with_input(&self, arguments: &[&str], input: &str) -> Answer {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program runs");
        child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("it reads");
        answer(&child.wait_with_output().expect("it ends"))
    }

    /// The lines of the short format: `path:line:column: severity[rule]`, without the messages.
    fn short(&self, arguments: &[&str]) -> Vec<String> {
        let answer = self.run(&[&["lint", "--format", "short"], arguments].concat());
        let until_rule = |line: &str| line.split_inclusive(']').next().unwrap_or_default().to_owned();
        answer.out.lines().map(until_rule).collect()
    }
}

fn answer(output: &Output) -> Answer {
    Answer {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Answer {
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }
}

const ORDERS: &str = "CREATE TABLE orders (id bigint PRIMARY KEY, buyer bigint);\n";
const PLAIN_INDEX: &str = "SET LOCAL lock_timeout = '2s';\nCREATE INDEX orders_buyer_idx ON orders (buyer);\n";
