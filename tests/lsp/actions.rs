//! What the editor can do about a finding.

use crate::editor::{Editor, applied, modern};
use crate::project;
use serde_json::{Value, json};
use std::fs;
use std::process::Command;

const ORDERS: &str = "CREATE TABLE orders (id bigint PRIMARY KEY, buyer bigint, note text);\n";

/// The text of a file after the action whose title begins so.
fn after(editor: &mut Editor, file: &str, text: &str, title: &str) -> String {
    let lines = u32::try_from(text.lines().count()).unwrap_or_default();
    let actions = editor.actions(file, (0, lines), None);
    let titles: Vec<_> = actions.iter().map(|action| action["title"].to_string()).collect();
    let action = actions.iter().find(|action| action["title"].as_str().is_some_and(|said| said.starts_with(title)));
    let action = action.unwrap_or_else(|| panic!("{title} is not among {titles:?}"));
    assert_eq!(action["kind"], "quickfix");
    assert!(action["diagnostics"][0]["code"].is_string());
    applied(&action["edit"], &editor.uri(file), text).0
}

#[test]
fn a_fix_changes_nothing_but_what_it_is_about() {
    let text = "-- größe 😀\r\n\tCREATE INDEX  orders_buyer_idx\tON orders (buyer);\r\n-- end";
    let folder = project(&[("lockkeeper.yaml", "transaction: none\n"), ("m/0001_orders.sql", ORDERS), ("m/0002_index.sql", text)]);
    let mut editor = Editor::start(folder.path(), modern());
    editor.open("m/0002_index.sql");
    let fixed = after(&mut editor, "m/0002_index.sql", text, "build it concurrently");
    assert_eq!(fixed, text.replace("INDEX  orders", "INDEX  CONCURRENTLY orders"));
    editor.set_text("m/0002_index.sql", &fixed);
    let rules: Vec<_> = editor.diagnostics("m/0002_index.sql").iter().map(|finding| finding["code"].to_string()).collect();
    assert!(!rules.iter().any(|rule| rule.contains("create-index-without-concurrently")), "{rules:?}");
}

#[test]
fn a_fix_that_needs_files_of_its_own_makes_them() {
    let text = "SELECT 1;\nCREATE INDEX orders_buyer_idx ON orders (buyer);\nSELECT 2;\n";
    let config = ("lockkeeper.yaml", "lock_timeout: 2s\n");
    let folder = project(&[config, ("m/0001_orders.up.sql", ORDERS), ("m/0002_index.up.sql", text)]);
    let mut editor = Editor::start(folder.path(), modern());
    editor.open("m/0002_index.up.sql");
    let actions = editor.actions("m/0002_index.up.sql", (1, 1), None);
    let action = actions.iter().find(|action| action["title"].to_string().contains("build it concurrently")).expect("there is a fix");
    assert_eq!(action["isPreferred"], false, "somebody has to look at it");
    let (own, files) = applied(&action["edit"], &editor.uri("m/0002_index.up.sql"), text);
    assert!(!own.contains("INDEX"), "{own}");
    assert!(files.iter().any(|(uri, text)| uri.starts_with(&editor.uri("m/")) && text.contains("CREATE INDEX CONCURRENTLY")), "{files:?}");
    assert!(editor.actions("m/0002_index.up.sql", (0, 0), Some("source.fixAll")).is_empty(), "nothing is done unseen");
}

#[test]
fn an_allowance_is_a_finding_until_somebody_says_why() {
    let cases = [
        ("CREATE INDEX orders_buyer_idx ON orders (buyer);\n", "@CREATE INDEX orders_buyer_idx ON orders (buyer);\n"),
        ("SELECT 1;\r\n\t  CREATE INDEX i ON orders (buyer);", "SELECT 1;\r\n\t  @CREATE INDEX i ON orders (buyer);"),
        ("SELECT 1; CREATE INDEX i ON orders (buyer);\n", "SELECT 1; \n@CREATE INDEX i ON orders (buyer);\n"),
        ("-- why\nCREATE INDEX i ON orders (buyer);\n", "-- why\n@CREATE INDEX i ON orders (buyer);\n"),
        ("/* größe */ CREATE INDEX i ON orders (buyer);\n", "/* größe */ \n@CREATE INDEX i ON orders (buyer);\n"),
    ];
    for (text, expected) in cases {
        let folder = project(&[("0001_orders.sql", ORDERS), ("0002_index.sql", text)]);
        let mut editor = Editor::start(folder.path(), modern());
        editor.open("0002_index.sql");
        let allowed = after(&mut editor, "0002_index.sql", text, "allow create-index-without-concurrently here");
        let (indentation, end) = if text.contains('\t') { ("\t  ", "\r\n") } else { ("", "\n") };
        let comment = format!("-- lockkeeper: allow create-index-without-concurrently because TODO: say why{end}{indentation}");
        assert_eq!(allowed, expected.replace('@', &comment));
        editor.set_text("0002_index.sql", &allowed);
        let rules: Vec<_> = editor.diagnostics("0002_index.sql").iter().map(|finding| finding["code"].clone()).collect();
        assert!(rules.contains(&"allowance".into()) && rules.contains(&"create-index-without-concurrently".into()), "{rules:?}");
        editor.set_text("0002_index.sql", &allowed.replace("TODO: say why", "the shop is closed"));
        let open = |finding: &&Value| finding["severity"] != 4;
        let rules: Vec<_> = editor.diagnostics("0002_index.sql").iter().filter(open).map(|finding| finding["code"].clone()).collect();
        assert!(!rules.contains(&"allowance".into()) && !rules.contains(&"create-index-without-concurrently".into()), "{rules:?}");
        assert!(
            editor.actions("0002_index.sql", (0, 9), None).iter().all(|action| !action["title"].to_string().contains("allow create-index"))
        );
    }
}

#[test]
fn all_safe_fixes_are_applied_at_once_and_only_where_they_are_asked_for() {
    let text = "CREATE INDEX a ON orders (buyer);\nCREATE INDEX b ON orders (note);\n\
                -- lockkeeper: allow create-index-without-concurrently because it is Sunday\nCREATE INDEX c ON orders (buyer, note);\n";
    let config = ("lockkeeper.yaml", "transaction: none\n");
    let folder = project(&[config, ("m/0001_orders.sql", ORDERS), ("m/0002_index.sql", text)]);
    let mut editor = Editor::start(folder.path(), modern());
    editor.open("m/0002_index.sql");
    let all = editor.actions("m/0002_index.sql", (0, 0), Some("source.fixAll"));
    assert_eq!(all.len(), 1, "{all:?}");
    let fixed = applied(&all[0]["edit"], &editor.uri("m/0002_index.sql"), text).0;
    let with = |name: &str| fixed.lines().any(|line| line.contains("INDEX CONCURRENTLY") && line.contains(&format!(" {name} ON")));
    assert!(with("a") && with("b") && !with("c"), "{fixed}");
    assert_eq!(editor.actions("m/0002_index.sql", (0, 0), Some("source")).len(), 1);
    assert_eq!(editor.actions("m/0002_index.sql", (0, 0), Some("refactor")).len(), 0);
    editor.set_text("m/0002_index.sql", &fixed);
    assert_eq!(editor.actions("m/0002_index.sql", (0, 0), Some("source.fixAll")).len(), 0, "a second time there is nothing to do");
}

#[test]
fn all_safe_fixes_are_those_that_lint_fix_makes() {
    // Two fixes of one statement, one of which has to wait for the other; and a last line without an end.
    let text = "-- größe 😀\r\nDROP INDEX orders_buyer_idx;\r\nREINDEX TABLE orders;\r\nALTER TABLE orders ADD COLUMN paid date, ADD COLUMN sent date;\r\n\
                ALTER TABLE orders ADD COLUMN returned date";
    let indexed = format!("{ORDERS}\nCREATE INDEX orders_buyer_idx ON orders (buyer);\n");
    let folder = project(&[("lockkeeper.yaml", "transaction: none\n"), ("m/0001_orders.sql", &indexed), ("m/0002_change.sql", text)]);
    let mut editor = Editor::start(folder.path(), modern());
    editor.open("m/0002_change.sql");
    let all = editor.actions("m/0002_change.sql", (0, 0), Some("source.fixAll"));
    assert_eq!(all.len(), 1, "{all:?}");
    let (fixed, files) = applied(&all[0]["edit"], &editor.uri("m/0002_change.sql"), text);
    let lint = Command::new(env!("CARGO_BIN_EXE_lockkeeper"))
        .args(["lint", "m/0002_change.sql", "--fix", "--fail-on", "never"])
        .current_dir(folder.path())
        .output();
    assert!(lint.is_ok_and(|lint| lint.status.success()));
    assert_eq!(fs::read_to_string(folder.path().join("m/0002_change.sql")).ok(), Some(fixed.clone()));
    assert!(fixed.contains("DROP INDEX CONCURRENTLY") && fixed.contains("lock_timeout"), "{fixed}");
    assert!(files.is_empty(), "{files:?}");
}

#[test]
fn the_file_that_phases_stand_for_is_deleted_if_the_editor_can() {
    let text = "ALTER TABLE orders RENAME COLUMN note TO remark;\n";
    let folder = project(&[("m/0001_orders.sql", ORDERS), ("m/0002_rename.sql", text)]);
    for deletes in [true, false] {
        let mut capabilities = modern();
        if !deletes {
            capabilities["workspace"]["workspaceEdit"]["resourceOperations"] = json!(["create"]);
        }
        let mut editor = Editor::start(folder.path(), capabilities);
        editor.open("m/0002_rename.sql");
        let title = if deletes { "this file goes then" } else { "then delete this file" };
        let actions = editor.actions("m/0002_rename.sql", (0, 0), None);
        let action = actions.into_iter().find(|action| action["title"].to_string().contains(title)).expect("there is a plan");
        let changes = action["edit"]["documentChanges"].as_array().cloned().unwrap_or_default();
        let gone: Vec<_> = changes.iter().filter(|change| change["kind"] == "delete").map(|change| change["uri"].clone()).collect();
        assert_eq!(gone, if deletes { vec![json!(editor.uri("m/0002_rename.sql"))] } else { Vec::new() });
        assert_eq!(changes.last().is_some_and(|change| change["kind"] == "delete"), deletes, "first the phases, {changes:?}");
    }
}

#[test]
fn the_phases_to_run_instead_are_written_as_files() {
    let text = "ALTER TABLE orders RENAME COLUMN note TO remark;\n";
    let folder = project(&[("m/0001_orders.sql", ORDERS), ("m/0002_rename.sql", text)]);
    let title = "write the phases to run instead";
    for asks_later in [false, true] {
        let mut capabilities = modern();
        if asks_later {
            capabilities["textDocument"]["codeAction"]["resolveSupport"] = json!({ "properties": ["edit"] });
            capabilities["textDocument"]["codeAction"]["dataSupport"] = json!(true);
        }
        let mut editor = Editor::start(folder.path(), capabilities);
        editor.open("m/0002_rename.sql");
        let actions = editor.actions("m/0002_rename.sql", (0, 0), None);
        let mut action = actions.into_iter().find(|action| action["title"].to_string().contains(title)).expect("there is a plan");
        assert_eq!(action["edit"].is_null(), asks_later);
        if asks_later {
            action = editor.request("codeAction/resolve", action)["result"].clone();
        }
        let (own, files) = applied(&action["edit"], &editor.uri("m/0002_rename.sql"), text);
        assert!(files.len() > 2 && files.iter().all(|(_, text)| !text.is_empty()), "{files:?}");
        assert!(
            files.iter().any(|(_, text)| text.contains("-- lockkeeper: phase 1/")) || own.contains("-- lockkeeper: phase 1/"),
            "{files:?}"
        );
        // The same files as `lockkeeper plan --write` makes.
        let to = folder.path().join(if asks_later { "later" } else { "now" });
        let plan = Command::new(env!("CARGO_BIN_EXE_lockkeeper"))
            .args(["plan", "m/0002_rename.sql", "--write"])
            .arg(&to)
            .current_dir(folder.path())
            .output();
        assert!(plan.is_ok_and(|plan| plan.status.success()));
        for (uri, text) in &files {
            let name = uri.rsplit('/').next().unwrap_or_default();
            assert_eq!(fs::read_to_string(to.join(name)).ok().as_ref(), Some(text), "{name}");
        }
        assert_eq!(fs::read_dir(&to).map(Iterator::count).unwrap_or_default(), files.len() + usize::from(own != text));
    }
}

#[test]
fn an_editor_that_knows_no_versions_gets_plain_changes() {
    let text = "DROP TABLE orders;\n";
    let folder = project(&[("0001_orders.sql", ORDERS), ("0002_drop.sql", text)]);
    let mut capabilities = modern();
    capabilities["workspace"] = Value::Null;
    let mut editor = Editor::start(folder.path(), capabilities);
    editor.open("0002_drop.sql");
    let actions = editor.actions("0002_drop.sql", (0, 0), None);
    let uri = editor.uri("0002_drop.sql");
    assert!(actions.iter().all(|action| action["edit"].get("documentChanges").is_none()), "{actions:?}");
    assert!(actions.iter().any(|action| action["edit"]["changes"][&uri].is_array()), "{actions:?}");
    let mut editor = Editor::start(folder.path(), Value::Null);
    editor.open("0002_drop.sql");
    assert_eq!(editor.actions("0002_drop.sql", (0, 0), None).len(), 0, "and one that knows no actions gets none");
}
