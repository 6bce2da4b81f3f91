//! What `lockkeeper lint` says of the projects in `fixtures/tools`, against what the server saw when the real tools ran them:
//! `fixtures/tools/measured.json`, written by `tests/tools/run.sh --record`. Nothing is installed for this.

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Of these lockkeeper says something else, and why. A tool that is right by now has to be taken off.
const WRONG: &[(&str, &str)] = &[("graphile-migrate", "current.sql is judged, before it is committed")];

/// A file, and the word for how its statements are put into transactions.
type File = (String, String);

#[test]
fn each_tool_is_said_to_run_what_it_was_seen_to_run() {
    let measured: Value =
        serde_json::from_str(&std::fs::read_to_string(fixtures().join("measured.json")).expect("it is there")).expect("JSON");
    let tools = measured.as_object().expect("one entry for each tool");
    assert!(tools.len() >= 5);
    let mut wrong = Vec::new();
    for (tool, measured) in tools {
        let differences = differences(tool, &seen(measured));
        match WRONG.iter().find(|(known, _)| known == tool) {
            Some((_, why)) if differences.is_empty() => wrong.push(format!("{tool}: right by now, take it off the list ({why})")),
            Some(_) => {}
            None => wrong.extend(differences),
        }
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn each_measured_file_is_there() {
    let measured: Value =
        serde_json::from_str(&std::fs::read_to_string(fixtures().join("measured.json")).expect("it is there")).expect("JSON");
    for (tool, measured) in measured.as_object().expect("one entry for each tool") {
        for (path, _) in seen(measured) {
            let path = fixtures().join(tool).join(path);
            assert!(path.is_file(), "{} is not there: tests/tools/run.sh --record", path.display());
        }
    }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tools")
}

/// `changes/1_users.sql#anna:users` is a part of a file.
fn file_of(part: &str) -> &str {
    part.split('#').next().unwrap_or(part)
}

/// A file whose parts do not all run in the same way is `none`.
fn seen(measured: &Value) -> Vec<File> {
    let mut files: Vec<File> = Vec::new();
    for part in measured["files"].as_array().expect("files in order") {
        let (path, word) = (file_of(&text(&part["path"])).to_owned(), text(&part["transaction"]));
        match files.iter_mut().find(|(known, _)| *known == path) {
            Some((_, before)) if *before != word => "none".clone_into(before),
            Some(_) => {}
            None => files.push((path, word)),
        }
    }
    files
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn said(tool: &str) -> Vec<File> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockkeeper"));
    command.current_dir(fixtures().join(tool)).args(["lint", "--format", "json", "--fail-on", "never", "."]);
    let output = command.output().expect("the program starts");
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report in JSON");
    let migrations = report["migrations"].as_array().expect("migrations in order");
    let path = |migration: &Value| text(&migration["path"]).trim_start_matches("./").to_owned();
    migrations.iter().map(|migration| (path(migration), text(&migration["transaction"]))).collect()
}

fn differences(tool: &str, seen: &[File]) -> Vec<String> {
    // Their migrations are programs; where these are installed, tests/tools/run.sh compares them.
    if !seen.iter().all(|(path, _)| path.ends_with(".sql")) {
        return Vec::new();
    }
    let said = said(tool);
    // Of a file that runs in parts it is said once.
    let order = |files: &[File]| {
        let mut paths: Vec<_> = files.iter().map(|(path, _)| file_of(path).to_owned()).collect();
        paths.dedup();
        paths
    };
    let mut wrong = Vec::new();
    if order(seen) != order(&said) {
        let (seen, said) = (order(seen), order(&said));
        wrong.push(format!("{tool}: it runs {}; lockkeeper says {}", seen.join(", "), said.join(", ")));
    }
    let words: BTreeSet<_> = said.iter().cloned().collect();
    let is_whole = |path: &str| seen.iter().filter(|(part, _)| file_of(part) == file_of(path)).count() == 1;
    for (path, word) in seen.iter().filter(|(path, _)| is_whole(path)).map(|(path, word)| (file_of(path), word)) {
        if let Some((_, ours)) = words.iter().find(|(known, _)| known == path)
            && !agrees(ours, word)
        {
            wrong.push(format!("{tool}: {path} was seen as `{word}`; lockkeeper says `{ours}`"));
        }
    }
    wrong
}

/// A single statement outside of a block is as much one message as it is none.
fn agrees(said: &str, seen: &str) -> bool {
    said == seen || seen == "alone" && matches!(said, "none" | "one-message")
}
