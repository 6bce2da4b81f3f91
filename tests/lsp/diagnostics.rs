//! What is said of a file, and where.

use crate::editor::{Editor, modern};
use crate::{project, write};
use serde_json::json;

/// The role that migrates gives up soon, so that nobody has to say so.
const ROLE: (&str, &str) = ("lockkeeper.yaml", "lock_timeout: 2s\n");
const ORDERS: &str = "CREATE TABLE orders (id bigint PRIMARY KEY, buyer bigint, note text);\n";
const INDEX: &str = "CREATE INDEX orders_buyer_idx ON orders (buyer);\n";

#[test]
fn a_file_is_judged_on_the_files_before_it() {
    let folder = project(&[ROLE, ("0001_orders.sql", ORDERS), ("0002_index.sql", INDEX)]);
    let mut editor = Editor::start(folder.path(), modern());
    editor.open("0002_index.sql");
    let said = editor.diagnostics("0002_index.sql");
    assert_eq!(editor.words("0002_index.sql"), ["create-index-without-concurrently 0:0-0:47"]);
    assert_eq!(said[0]["severity"], 1);
    assert_eq!(said[0]["source"], "lockkeeper");
    assert!(said[0].get("codeDescription").is_none());
    assert!(said[0]["message"].as_str().is_some_and(|message| message.contains("writes to `orders` wait")), "{said:?}");
}

#[test]
fn later_files_see_the_unsaved_text_of_earlier_ones() {
    let folder = project(&[ROLE, ("0001_orders.sql", ORDERS), ("0003_index.sql", INDEX)]);
    let mut editor = Editor::start(folder.path(), modern());
    editor.open("0003_index.sql");
    assert_eq!(editor.words("0003_index.sql").len(), 1);
    // A new file, which is not on the disk, drops the table; then it says something else, and goes.
    editor.open_text("0002_drop.sql", "DROP TABLE orders;\n");
    let said = editor.next_diagnostics("0003_index.sql");
    assert!(!said.iter().any(|finding| finding["code"] == "create-index-without-concurrently"), "there is no such table: {said:?}");
    editor.set_text("0002_drop.sql", "SELECT 1;\n");
    assert_eq!(editor.next_diagnostics("0003_index.sql").len(), 1);
    editor.set_text("0002_drop.sql", "DROP TABLE orders;\n");
    assert_eq!(editor.next_diagnostics("0003_index.sql"), said);
    editor.close("0002_drop.sql");
    assert_eq!(editor.next_diagnostics("0003_index.sql").len(), 1);
    assert_eq!(editor.said[&editor.uri("0002_drop.sql")].1.len(), 0, "what is closed and not on the disk has no findings");
}

#[test]
fn an_earlier_file_hears_of_what_a_later_one_does() {
    let constraint = "ALTER TABLE orders ADD CONSTRAINT orders_buyer_known CHECK (buyer > 0) NOT VALID;\n";
    let folder = project(&[("0001_orders.sql", ORDERS), ("0002_check.sql", constraint), ("0003_more.sql", "SELECT 1;\n")]);
    let mut editor = Editor::start(folder.path(), modern());
    editor.open("0002_check.sql");
    assert!(editor.words("0002_check.sql").iter().any(|word| word.starts_with("add-constraint-never-validated")));
    editor.open("0003_more.sql");
    editor.diagnostics("0003_more.sql");
    editor.set_text("0003_more.sql", "ALTER TABLE orders VALIDATE CONSTRAINT orders_buyer_known;\n");
    let said = editor.next_diagnostics("0002_check.sql");
    assert!(!said.iter().any(|finding| finding["code"] == "add-constraint-never-validated"), "{said:?}");
}

#[test]
fn columns_are_counted_as_the_editor_wants() {
    let text = "/* größe 😀 */ CREATE INDEX orders_buyer_idx ON orders (buyer);\r\n-- ä\r\n/* 😀 */ DROP TABLE orders;\r\n";
    let folder = project(&[("0001_orders.sql", ORDERS), ("0002_index.sql", text)]);
    for (encodings, index, drop) in [(json!(["utf-16"]), 15, 9), (json!(["utf-8", "utf-16"]), 19, 11), (json!(null), 15, 9)] {
        let mut capabilities = modern();
        capabilities["general"]["positionEncodings"] = encodings;
        let mut editor = Editor::start(folder.path(), capabilities);
        editor.open("0002_index.sql");
        let words = editor.words("0002_index.sql");
        assert!(words.contains(&format!("create-index-without-concurrently 0:{index}-0:{}", index + 47)), "{words:?}");
        assert!(
            words.iter().any(|word| word.starts_with("drop-table ") && word.contains(&format!(" 2:{drop}-2:{}", drop + 17))),
            "{words:?}"
        );
    }
}

#[test]
fn what_is_allowed_is_a_hint_that_leads_to_its_reason() {
    let text = "-- lockkeeper: allow create-index-without-concurrently because the shop is closed on Sundays\nCREATE INDEX orders_buyer_idx ON orders (buyer);\n";
    let folder = project(&[("0001_orders.sql", ORDERS), ("0002_index.sql", text)]);
    let mut editor = Editor::start(folder.path(), modern());
    editor.open("0002_index.sql");
    let said = editor.diagnostics("0002_index.sql");
    assert_eq!(said[0]["severity"], 4);
    let related = &said[0]["relatedInformation"][0];
    assert_eq!(related["message"], "allowed because the shop is closed on Sundays");
    assert_eq!(related["location"]["range"]["start"], json!({ "line": 0, "character": 0 }));
    let mut editor = Editor::start(folder.path(), json!({}));
    editor.open("0002_index.sql");
    let said = editor.diagnostics("0002_index.sql");
    assert!(said[0].get("relatedInformation").is_none() && said[0]["message"].to_string().contains("the shop is closed"), "{said:?}");
}

#[test]
fn what_changes_on_the_disk_is_seen_when_the_editor_says_so_and_soon_if_it_does_not() {
    let folder = project(&[ROLE, ("0001_orders.sql", ORDERS), ("0003_index.sql", INDEX)]);
    let mut editor = Editor::start(folder.path(), modern());
    editor.open("0003_index.sql");
    assert_eq!(editor.words("0003_index.sql").len(), 1);
    assert!(editor.asked.iter().any(|asked| asked["method"] == "client/registerCapability"), "{:?}", editor.asked);
    write(folder.path(), "0002_drop.sql", "DROP TABLE orders;\n");
    let uri = editor.uri("0002_drop.sql");
    editor.notify("workspace/didChangeWatchedFiles", json!({ "changes": [{ "uri": uri, "type": 1 }] }));
    let after = editor.next_diagnostics("0003_index.sql");
    assert!(after.iter().any(|finding| finding["code"] != "create-index-without-concurrently"), "{after:?}");
    // Nobody says that the file has gone, but it is looked for now and then while somebody types.
    std::fs::remove_file(folder.path().join("0002_drop.sql")).expect("it was written");
    std::thread::sleep(std::time::Duration::from_millis(2100));
    editor.set_text("0003_index.sql", &format!("{INDEX}\n"));
    assert_eq!(editor.words("0003_index.sql").len(), 1);
}

#[test]
fn a_file_that_undoes_another_one_and_one_that_is_excluded_have_no_findings() {
    let folder = project(&[
        ("lockkeeper.yaml", "exclude: ['seeds/*']\n"),
        ("m/0001_orders.up.sql", ORDERS),
        ("m/0001_orders.down.sql", "DROP TABLE orders;\n"),
        ("seeds/0001_rows.sql", "DROP TABLE orders;\n"),
    ]);
    let mut editor = Editor::start(folder.path(), modern());
    for file in ["m/0001_orders.down.sql", "seeds/0001_rows.sql"] {
        editor.open(file);
        assert_eq!(editor.diagnostics(file).len(), 0, "{file}");
    }
}

#[test]
fn more_findings_than_an_editor_can_show_are_counted() {
    let folder = project(&[("0001_orders.sql", ORDERS), ("0002_many.sql", &"DROP TABLE orders;\n".repeat(1500))]);
    let mut editor = Editor::start(folder.path(), modern());
    editor.open("0002_many.sql");
    let said = editor.diagnostics("0002_many.sql");
    assert_eq!(said.len(), 1001);
    assert!(said[1000]["message"].to_string().contains("more findings"));
}
