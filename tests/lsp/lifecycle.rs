//! Beginning, end, and what no client should send.

use crate::editor::{Editor, modern};
use crate::project;
use serde_json::{Value, json};

#[test]
fn a_server_that_is_told_to_end_ends_well_and_one_that_is_left_does_not() {
    let folder = project(&[]);
    assert_eq!(Editor::start(folder.path(), modern()).exit(), Some(0));
    assert_eq!(Editor::start(folder.path(), modern()).code(), Some(1), "the pipe was closed without a word");
    let mut editor = Editor::start(folder.path(), modern());
    editor.notify("exit", Value::Null);
    assert_eq!(editor.code(), Some(1), "exit without shutdown");
}

#[test]
fn each_request_has_its_time() {
    let folder = project(&[]);
    let mut editor = Editor::silent(folder.path());
    let code = |answer: Value| answer["error"]["code"].as_i64();
    assert_eq!(code(editor.request("textDocument/hover", json!({}))), Some(-32002));
    let answer = editor.request("initialize", json!({ "capabilities": {} }));
    assert_eq!(answer["result"]["capabilities"]["positionEncoding"], "utf-16");
    assert_eq!(code(editor.request("initialize", json!({ "capabilities": {} }))), Some(-32600));
    assert_eq!(code(editor.request("textDocument/rename", json!({}))), Some(-32601));
    assert_eq!(code(editor.request("textDocument/hover", json!({ "textDocument": 3 }))), Some(-32602));
    assert_eq!(editor.request("shutdown", Value::Null)["result"], Value::Null);
    assert_eq!(code(editor.request("textDocument/hover", json!({}))), Some(-32600));
    editor.notify("exit", Value::Null);
    assert_eq!(editor.code(), Some(0));
}

#[test]
fn what_is_no_message_is_said_to_be_none_and_the_next_one_is_answered() {
    let folder = project(&[("0001_orders.sql", "DROP TABLE orders;")]);
    let mut editor = Editor::start(folder.path(), modern());
    for body in ["{", "null", "[]", "\u{FFFD}", "{\"id\":7}", "{\"id\":{},\"method\":\"x\"}", "{\"jsonrpc\":\"2.0\"}"] {
        editor.write(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
        let answer = editor.answer(&Value::Null);
        assert!(answer["error"]["message"].is_string(), "{body}: {answer}");
    }
    editor.write(b"nonsense\r\n\r\n");
    assert_eq!(editor.answer(&Value::Null)["error"]["code"], -32700);
    let odd = [
        ("textDocument/didOpen", json!({ "textDocument": { "uri": "no uri at all", "languageId": "sql", "version": 1, "text": "" } })),
        ("textDocument/didOpen", json!({ "textDocument": { "uri": "untitled:one", "languageId": "sql", "version": 1, "text": "DROP" } })),
        (
            "textDocument/didChange",
            json!({ "textDocument": { "uri": "file:///nowhere.sql", "version": 3 }, "contentChanges": [{ "text": "" }] }),
        ),
        ("textDocument/didChange", json!(null)),
        ("textDocument/didClose", json!({ "textDocument": { "uri": "file:///nowhere.sql" } })),
        ("$/cancelRequest", json!({ "id": [] })),
        ("$/setTrace", json!({ "value": "verbose" })),
        ("workspace/didChangeWatchedFiles", json!({ "changes": [{ "uri": "file:///a", "type": 9 }] })),
        ("nothing/known", json!({ "a": 1 })),
    ];
    for (method, params) in odd {
        editor.notify(method, params);
    }
    editor.open("0001_orders.sql");
    let far = json!({ "start": { "line": 4_000_000_000u32, "character": 1 }, "end": { "line": 0, "character": 4_000_000_000u32 } });
    editor.change("0001_orders.sql", json!([{ "range": far, "text": " -- end" }]));
    assert!(editor.words("0001_orders.sql").iter().any(|word| word.starts_with("drop-table ")), "{:?}", editor.said);
    assert_eq!(editor.hover("0001_orders.sql", 77, 77), "");
    assert_eq!(editor.exit(), Some(0));
}

#[test]
fn a_request_that_is_cancelled_is_answered_all_the_same() {
    let folder = project(&[]);
    let mut editor = Editor::start(folder.path(), modern());
    // A text that takes its time, so that what comes behind it waits.
    editor.open_text("0001_many.sql", &"CREATE TABLE orders (id bigint PRIMARY KEY, note text);\n".repeat(20_000));
    let uri = editor.uri("0001_many.sql");
    let ids: Vec<_> = (0..20)
        .map(|_| editor.ask("textDocument/hover", json!({ "textDocument": { "uri": uri }, "position": { "line": 3, "character": 3 } })))
        .collect();
    for id in &ids[1..] {
        editor.notify("$/cancelRequest", json!({ "id": id }));
    }
    let answers: Vec<_> = ids.iter().map(|id| editor.answer(&json!(id))).collect();
    assert!(answers[0]["result"]["contents"]["value"].as_str().is_some_and(|text| text.contains("create_table")), "{}", answers[0]);
    let cancelled = answers.iter().filter(|answer| answer["error"]["code"] == json!(-32800)).count();
    assert!(cancelled > 10, "{cancelled} of 19");
    assert_eq!(editor.exit(), Some(0));
}

#[test]
fn a_file_of_five_megabytes_stops_neither_the_other_files_nor_the_end() {
    let folder = project(&[("0001_orders.sql", "CREATE TABLE orders (id bigint PRIMARY KEY);")]);
    let mut editor = Editor::start(folder.path(), modern());
    let line = format!("INSERT INTO orders (id) VALUES {}(9);\n", "(1), (2), (3), (4), (5), (6), (7), (8), ".repeat(20));
    editor.open_text("0002_rows.sql", &line.repeat(5_000_000 / line.len()));
    for at in 0..10 {
        let place = json!({ "line": 3_000 + at, "character": 0 });
        editor.change("0002_rows.sql", json!([{ "range": { "start": place, "end": place }, "text": "DROP TABLE orders;" }]));
    }
    let begun = std::time::Instant::now();
    editor.diagnostics("0002_rows.sql");
    let took = begun.elapsed();
    assert!(took.as_secs() < 20, "{took:?}");
    editor.open_text("0003_drop.sql", "DROP TABLE orders;");
    assert!(!editor.words("0003_drop.sql").is_empty());
    editor.change("0002_rows.sql", json!([{ "text": line.repeat(5_000_000 / line.len()) }]));
    let begun = std::time::Instant::now();
    assert_eq!(editor.exit(), Some(0));
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
}
