//! Names and texts that a pull request may bring along to be taken for something else.

use crate::workflow::Workflow;
use std::fs;

const NAMES: [&str; 8] = [
    "$(touch x).sql",
    "`touch x`.sql",
    "\"; touch x; \".sql",
    "0003_\n::error::forged.sql",
    "::error::forged.sql",
    "-rf.sql",
    "<img src=x onerror=alert(1)>.sql",
    "a|b`c`@everyone.sql",
];

const DROP: &str = "SET lock_timeout = '2s';\nALTER TABLE orders DROP COLUMN note;\n-- ::error::forged\n";

#[test]
fn file_names_are_names() {
    let mut workflow = Workflow::new();
    let paths: Vec<_> = NAMES.iter().map(|name| format!("migrations/{name}")).collect();
    workflow.commit(&paths.iter().map(|path| (path.as_str(), DROP)).collect::<Vec<_>>());
    let outcome = workflow.judge();
    assert_eq!(outcome.code, Some(1), "{}", outcome.log);
    let entries = fs::read_dir(workflow.path("checkout")).expect("it is there").flatten().map(|entry| entry.file_name());
    let entries: Vec<_> = entries.map(|name| name.to_string_lossy().into_owned()).filter(|name| name != ".git").collect();
    assert_eq!(entries, ["migrations"], "nothing was run");
    for command in outcome.commands() {
        assert!(["::error file=", "::warning file=", "::notice file="].iter().any(|ours| command.starts_with(ours)), "forged: {command}");
    }
    let comment = workflow.server.comments().pop().expect("it was written");
    assert!(!comment.contains("<img") && comment.lines().count() > 10, "{comment}");
}

#[test]
fn two_hundred_files_are_one_comment_that_github_takes() {
    let mut workflow = Workflow::new();
    let files: Vec<_> = (0..200)
        .map(|number| {
            let sql = format!("ALTER TABLE orders ADD COLUMN c{number} int;\nALTER TABLE orders ALTER COLUMN c{number} TYPE bigint;\nDROP TABLE IF EXISTS t{number};\n");
            (format!("migrations/{:04}_change.sql", number + 2), sql)
        })
        .collect();
    workflow.commit(&files.iter().map(|(path, sql)| (path.as_str(), sql.as_str())).collect::<Vec<_>>());
    let outcome = workflow.judge();
    assert_eq!(outcome.code, Some(1), "{}", outcome.log);
    let comments = workflow.server.comments();
    assert_eq!(comments.len(), 1);
    assert!(comments[0].chars().count() <= 65_536, "{}", comments[0].len());
    assert!(comments[0].contains("Left out"), "it says that there is more");
}
