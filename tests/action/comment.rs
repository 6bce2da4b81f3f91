//! The comment, the labels, the summary, the outputs and the exit code.

use crate::workflow::{INDEX, Workflow};
use serde_json::json;
use std::fs;

fn changes(questions: &[String]) -> Vec<&str> {
    questions.iter().map(String::as_str).filter(|question| !question.starts_with("GET ")).collect()
}

#[test]
fn a_comment_is_made_then_kept_up_to_date_and_left_alone_when_it_says_the_same() {
    let mut workflow = Workflow::new();
    workflow.inputs.insert("suggestions", "false".to_owned());
    workflow.server.with(|state| {
        // Ours is on the second page.
        (0..150).for_each(|number| state.add_comment("anna", "User", &format!("comment {number}")));
    });
    workflow.commit(&[INDEX]);
    let found = workflow.judge();
    assert_eq!(found.code, Some(1), "{}", found.log);
    assert_eq!(found.outputs["class"], "maintenance-window");
    assert_eq!(found.outputs["errors"], "1");
    assert!(fs::read_to_string(&found.outputs["report"]).is_ok_and(|report| report.contains("create-index-without-concurrently")));
    assert!(found.commands()[0].starts_with("::error file=migrations/0002_index.sql,line=2,"), "{}", found.log);
    assert_eq!(changes(&workflow.server.asked()), ["POST /repos/shop/shop/issues/7/comments"]);
    let comment = workflow.server.comments().pop().expect("it was written");
    assert!(comment.contains("maintenance-window") && comment == found.summary.trim_end_matches('\n').to_owned() + "\n\n", "{comment}");

    workflow.judge();
    assert_eq!(changes(&workflow.server.asked()), [""; 0], "it says the same");

    let fixed = "-- lockkeeper: transaction none\nCREATE INDEX CONCURRENTLY orders_note_idx ON orders (note);\n";
    workflow.commit(&[(INDEX.0, fixed)]);
    let fine = workflow.judge();
    assert_eq!(fine.code, Some(0), "{}", fine.log);
    assert_eq!(fine.outputs["class"], "additive");
    assert_eq!(changes(&workflow.server.asked()), ["PATCH /repos/shop/shop/issues/comments/1150"]);
    assert!(workflow.server.comments()[0].contains("lockkeeper: additive"));

    workflow.git(&["rm", "-q", INDEX.0]);
    workflow.commit(&[]);
    let nothing = workflow.judge();
    assert_eq!((nothing.code, &*nothing.outputs["class"]), (Some(0), "none"), "{}", nothing.log);
    assert!(workflow.server.comments()[0].contains("no migration is added or changed"));
}

#[test]
fn where_no_migration_changes_nothing_is_written() {
    let mut workflow = Workflow::new();
    workflow.commit(&[("README.md", "the shop\n")]);
    let outcome = workflow.judge();
    assert_eq!((outcome.code, &*outcome.outputs["class"]), (Some(0), "none"), "{}", outcome.log);
    assert_eq!(changes(&workflow.server.asked()), [""; 0]);
}

#[test]
fn a_comment_of_somebody_else_is_never_taken_for_ours() {
    let mut workflow = Workflow::new();
    workflow.inputs.insert("suggestions", "false".to_owned());
    workflow.server.with(|state| state.add_comment("mallory", "User", "<!-- lockkeeper -->\n### lockkeeper: additive\n"));
    workflow.commit(&[INDEX]);
    workflow.judge();
    assert_eq!(changes(&workflow.server.asked()), ["POST /repos/shop/shop/issues/7/comments"]);
}

#[test]
fn a_pull_request_from_a_fork_has_its_annotations_and_no_comment() {
    let mut workflow = Workflow::new();
    workflow.server.with(|state| state.read_only = true);
    workflow.inputs.insert("labels", "true".to_owned());
    workflow.commit(&[INDEX]);
    let outcome = workflow.judge();
    assert_eq!(outcome.code, Some(1), "{}", outcome.log);
    assert!(outcome.commands()[0].starts_with("::error file=migrations/0002_index.sql"), "{}", outcome.log);
    assert!(
        outcome.log.contains("::notice title=lockkeeper::the comment could not be written, since this token may not: 403"),
        "{}",
        outcome.log
    );
    assert!(outcome.summary.contains("maintenance-window"));
}

#[test]
fn a_server_that_is_busy_is_asked_again_and_one_that_stays_busy_is_no_failure() {
    let mut workflow = Workflow::new();
    workflow.commit(&[INDEX]);
    workflow.server.with(|state| state.busy = 1);
    workflow.judge();
    assert_eq!(workflow.server.comments().len(), 1);
    workflow.server.with(|state| state.busy = 100);
    let outcome = workflow.judge();
    assert_eq!(outcome.code, Some(1), "{}", outcome.log);
    assert!(outcome.log.contains("::warning title=lockkeeper::the comment could not be written: 502"), "{}", outcome.log);
}

#[test]
fn labels_tell_the_class_and_those_of_others_stay() {
    let mut workflow = Workflow::new();
    workflow
        .inputs
        .extend([("labels", "true"), ("comment", "false"), ("suggestions", "false")].map(|(name, value)| (name, value.to_owned())));
    workflow.server.with(|state| state.labels = ["bug", "migration: additive"].map(str::to_owned).into());
    workflow.commit(&[INDEX]);
    workflow.judge();
    assert_eq!(workflow.server.with(|state| state.labels.clone()), ["bug", "migration: maintenance-window"]);
    assert_eq!(workflow.server.comments().len(), 0);
    workflow.server.asked();
    workflow.judge();
    assert_eq!(changes(&workflow.server.asked()), [""; 0], "they are as they were");
}

#[test]
fn suggestions_stand_beside_the_lines_as_long_as_their_findings_do() {
    let mut workflow = Workflow::new();
    workflow.server.with(|state| state.last_line = 1);
    let index = |name: &str| format!("CREATE INDEX {name} ON orders (note);\n");
    let below = format!("-- for the list of orders\n{}", index("b"));
    workflow.commit(&[("migrations/0002_a.sql", &index("a")), ("migrations/0003_b.sql", &below)]);
    let outcome = workflow.judge();
    assert!(outcome.log.contains("the suggestions are up to date: 2 written, 0 removed, 2 on lines that"), "{}", outcome.log);
    let review = workflow.server.with(|state| state.review.clone());
    let body = review[0]["body"].as_str().unwrap_or_default();
    assert!(body.contains("```suggestion\n") && body.contains("CREATE INDEX CONCURRENTLY a ON orders (note);\n```"), "{review:?}");
    workflow.server.with(|state| state.review.push(json!({ "id": 1, "body": "why?", "user": { "login": "anna", "type": "User" } })));
    workflow.judge();
    assert_eq!(workflow.server.with(|state| state.review.len()), 3, "what stands is left alone");
    workflow.commit(&[("migrations/0002_a.sql", "SELECT 1;\n")]);
    workflow.judge();
    assert_eq!(workflow.server.with(|state| state.review.iter().map(|comment| comment["id"].clone()).collect::<Vec<_>>()), [json!(1)]);
}

#[test]
fn a_push_is_judged_since_the_one_before_and_a_new_branch_as_a_whole() {
    let mut workflow = Workflow::new();
    workflow.commit(&[INDEX]);
    workflow.event = json!({ "before": workflow.base });
    let since = workflow.judge();
    assert!(since.summary.contains("0002") && !since.summary.contains("0001"), "{}", since.log);
    workflow.event = json!({ "before": "0".repeat(40) });
    let whole = workflow.judge();
    assert!(whole.summary.contains("0002") && whole.summary.contains("0001"), "{}", whole.log);
    assert_eq!(workflow.server.asked(), [""; 0], "there is no pull request to write into");
}

#[test]
fn the_gate_is_what_the_workflow_says_and_sarif_is_written_where_it_says() {
    let mut workflow = Workflow::new();
    workflow.commit(&[INDEX]);
    workflow.inputs.extend([("fail-on", "never".to_owned()), ("sarif", "lint.sarif".to_owned()), ("paths", "migrations\n".to_owned())]);
    let outcome = workflow.judge();
    assert_eq!(outcome.code, Some(0), "{}", outcome.log);
    let sarif = fs::read_to_string(&outcome.outputs["sarif"]).expect("it was written");
    assert!(sarif.contains("create-index-without-concurrently"));
    workflow.inputs.insert("fail-on", "three-fase".to_owned());
    let wrong = workflow.judge();
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.log.contains("three-phase"), "{}", wrong.log);
}

#[test]
fn a_checkout_of_one_commit_is_enough() {
    let mut workflow = Workflow::new();
    workflow.commit(&[INDEX]);
    workflow.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
    workflow.git(&["config", "uploadpack.allowFilter", "true"]);
    let whole = workflow.path("whole");
    fs::rename(workflow.path("checkout"), &whole).expect("it is moved away");
    let url = format!("file://{}", whole.display());
    workflow.git_in("whole", &["clone", "-q", "--depth=1", &url, "../checkout"]);
    let outcome = workflow.judge();
    assert_eq!(outcome.code, Some(1), "{}", outcome.log);
    assert!(outcome.summary.contains("0002") && !outcome.summary.contains("0001"), "{}", outcome.log);
}
