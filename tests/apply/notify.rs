//! Who is told of a run, and of what.

use crate::listener::{Answer, Listener};
use crate::project::Project;
use crate::servers::servers;
use insta::assert_snapshot;
use serde_json::Value;

const ORDERS: (&str, &str) = ("0001_orders.up.sql", "CREATE TABLE orders (id bigint PRIMARY KEY);\n");
const DRAFTS: (&str, &str) = ("0002_drafts.up.sql", "CREATE TABLE drafts (id bigint PRIMARY KEY);\nSELECT 1 / 0;\n");

fn project(routes: &str) -> Project {
    let project = Project::new(&servers()[0], &[ORDERS, DRAFTS]);
    project
        .write("lockkeeper.yaml", &format!("migrations: [m]\nenvironments: {{ test: {{ confirm: false }} }}\napply:\n  notify:\n{routes}"));
    project
}

/// The messages in words, without what is another in each run.
fn words(heard: &[Value]) -> String {
    let words = heard.iter().map(|message| {
        let text = message["text"].as_str().unwrap_or_default();
        let text =
            text.split_once(" (").zip(text.split_once("): ")).map_or(text.to_owned(), |((head, _), (_, tail))| format!("{head}: {tail}"));
        format!("{} {} {}: {text}", message["event"], message["migrations"], message["exit_code"])
    });
    words.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_run_is_told_when_it_begins_and_when_it_ends() {
    let listener = Listener::that(Answer::Status(200));
    let project = project(&format!("    - url: http://127.0.0.1:{}/shop\n", listener.port));
    assert_eq!(project.run(&["apply", "--to", "0001"]).code, 0);
    assert_eq!(project.run(&["apply"]).code, 6);
    assert_snapshot!(words(&listener.heard()), @r#"
"start" ["0001 orders"] null: lockkeeper apply begins on test: 0001 orders
"success" ["0001 orders"] 0: lockkeeper apply succeeded on test: 0001 orders
"start" ["0002 drafts"] null: lockkeeper apply begins on test: 0002 drafts
"failure" [] 6: lockkeeper apply failed on test: m/0002_drafts.up.sql: step 1: division by zero (SQLSTATE 22012)
"#);
    let known = listener.heard().len();
    assert_eq!(project.run(&["rollback", "--dry-run"]).code, 1, "a dry run tells nobody");
    project.remove("0002_drafts.up.sql");
    assert_eq!(project.run(&["apply"]).code, 0, "nothing is due, and nobody is told");
    assert_eq!(listener.heard().len(), known);
}

#[test]
fn somebody_hears_of_what_they_asked_for_alone() {
    let listener = Listener::that(Answer::Status(204));
    let url = format!("http://127.0.0.1:{}/T0/secret", listener.port);
    let project = project("    - { url_env: TEAM_HOOK, on: failure, format: slack }\n");
    let applied = project.command(&["apply"]).env("TEAM_HOOK", &url).output().expect("lockkeeper starts");
    assert_eq!(applied.status.code(), Some(6));
    let heard = listener.heard();
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert_eq!(heard[0].as_object().map(|message| message.len()), Some(1), "Slack takes `text` alone");
    assert!(
        heard[0]["text"].as_str().is_some_and(|text| text.contains("lockkeeper apply failed on test") && text.contains("division by zero")),
        "{heard:?}"
    );
    assert!(!String::from_utf8_lossy(&applied.stderr).contains("secret"));
}

#[test]
fn a_program_reads_it_from_its_standard_input() {
    let project = project("    - command: [sh, -c, 'cat >> told.jsonl; echo >> told.jsonl']\n");
    assert_eq!(project.run(&["apply", "--to", "0001"]).code, 0);
    let told = std::fs::read_to_string(project.path().join("told.jsonl")).expect("the program has run beside the config");
    let mut heard: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    heard.sort_by_key(|message| message["event"].to_string());
    assert_snapshot!(words(&heard), @r#"
"start" ["0001 orders"] null: lockkeeper apply begins on test: 0001 orders
"success" ["0001 orders"] 0: lockkeeper apply succeeded on test: 0001 orders
"#);
}
