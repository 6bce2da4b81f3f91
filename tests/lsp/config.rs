//! Configs and rules, while they are written.

use crate::editor::{Editor, modern, words};
use crate::{project, write};
use serde_json::json;

const DROP: &str = "ALTER TABLE orders DROP COLUMN note;\n";
const MINE: &str = "title: A column of ours goes\nseverity: warning\nclass: three-phase\nmatch:\n  op: drop_column\nmessage: \"`{column}` was ours\"\nwhy: It was.\n\
                    examples:\n  bad:\n    - sql: ALTER TABLE orders DROP COLUMN note;\n";

fn severity(said: &[serde_json::Value], rule: &str) -> Option<i64> {
    said.iter().find(|finding| finding["code"] == rule)?["severity"].as_i64()
}

#[test]
fn a_config_is_judged_by_its_unsaved_text_and_its_faults_stand_in_it() {
    let folder = project(&[("lockkeeper.yaml", "rules:\n  drop-column: warning\n"), ("migrations/0001_note.sql", DROP)]);
    let mut editor = Editor::start(folder.path(), modern());
    editor.open("migrations/0001_note.sql");
    let said = editor.diagnostics("migrations/0001_note.sql");
    assert_eq!(severity(&said, "drop-column"), Some(2));
    editor.open("lockkeeper.yaml");
    assert_eq!(editor.diagnostics("lockkeeper.yaml").len(), 0);
    editor.set_text("lockkeeper.yaml", "rules:\n  drop-column: error\n");
    assert_eq!(severity(&editor.next_diagnostics("migrations/0001_note.sql"), "drop-column"), Some(1));
    editor.set_text("lockkeeper.yaml", "rules:\r\n  drop-column: warnning\r\n");
    assert_eq!(editor.words("lockkeeper.yaml"), ["config::wrong 1:15-1:23"]);
    // The last config that could be read holds until there is another one.
    editor.set_text("migrations/0001_note.sql", &format!("{DROP}\n"));
    let said = editor.diagnostics("migrations/0001_note.sql");
    assert_eq!(severity(&said, "drop-column"), Some(1));
    editor.set_text("lockkeeper.yaml", "rules:\n  drop-colum: 'off'\n");
    assert_eq!(editor.words("lockkeeper.yaml"), ["config::wrong 1:2-1:12"]);
    editor.set_text("lockkeeper.yaml", "rules:\n  drop-column: 'off'\n");
    assert_eq!(editor.diagnostics("lockkeeper.yaml").len(), 0);
    assert_eq!(severity(&editor.next_diagnostics("migrations/0001_note.sql"), "drop-column"), None);
    editor.close("lockkeeper.yaml");
    assert_eq!(severity(&editor.next_diagnostics("migrations/0001_note.sql"), "drop-column"), Some(2), "as it is on the disk");
}

#[test]
fn a_config_that_changes_on_the_disk_is_read_again_though_nobody_says_so() {
    let folder = project(&[("lockkeeper.yaml", "postgres: 15\n"), ("migrations/0001_note.sql", DROP)]);
    let mut editor = Editor::start(folder.path(), json!({}));
    editor.open("migrations/0001_note.sql");
    let said = editor.diagnostics("migrations/0001_note.sql");
    assert_eq!(severity(&said, "drop-column"), Some(1));
    write(folder.path(), "lockkeeper.yaml", "rules: { drop-column: warning }\n");
    assert_eq!(severity(&editor.next_diagnostics("migrations/0001_note.sql"), "drop-column"), Some(2));
    write(folder.path(), "lockkeeper.yaml", "rules: { drop-column: warnig }\n");
    assert_eq!(editor.next_diagnostics("lockkeeper.yaml").len(), 1, "though it is not open");
    write(folder.path(), "lockkeeper.yaml", "rules: { drop-column: error }\n");
    editor.save("lockkeeper.yaml");
    assert_eq!(editor.next_diagnostics("lockkeeper.yaml").len(), 0);
}

#[test]
fn rules_of_the_project_speak_as_they_are_written() {
    let folder = project(&[
        ("lockkeeper.yaml", "rule_folders: [rules]\n"),
        ("rules/drop-our-column.yaml", MINE),
        ("migrations/0001_note.sql", DROP),
    ]);
    let mut editor = Editor::start(folder.path(), modern());
    editor.open("migrations/0001_note.sql");
    let said = editor.diagnostics("migrations/0001_note.sql");
    assert_eq!(severity(&said, "drop-our-column"), Some(2));
    editor.open("rules/drop-our-column.yaml");
    editor.set_text("rules/drop-our-column.yaml", &MINE.replace("severity: warning", "severity: error"));
    assert_eq!(severity(&editor.next_diagnostics("migrations/0001_note.sql"), "drop-our-column"), Some(1));
    editor.set_text("rules/drop-our-column.yaml", &MINE.replace("op: drop_column", "op: drop_colum"));
    let said = editor.diagnostics("rules/drop-our-column.yaml");
    assert_eq!(said.iter().map(words).collect::<Vec<_>>(), ["rule::unreadable 4:6-4:16"]);
    assert!(said[0]["message"].to_string().contains("did you mean `drop_column`"), "{said:?}");
    assert!(editor.hover("migrations/0001_note.sql", 0, 3).contains("drop_column"));
}
