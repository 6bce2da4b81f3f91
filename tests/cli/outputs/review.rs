//! `--format github-review`: suggestions that GitHub applies at a click.

use super::{Shop, assert_report};
use serde_json::Value;

/// The comments, each with its suggestion put into its file as GitHub does it, and then judged again.
fn applied(shop: &Shop) -> Vec<Value> {
    let comments = shop.run(&["lint", "--format", "github-review"]).json().as_array().expect("a list").clone();
    for comment in &comments {
        let path = comment["path"].as_str().unwrap_or_default();
        let before = shop.text(path);
        let mut lines: Vec<&str> = before.split('\n').collect();
        let last = comment["line"].as_u64().expect("a line") as usize;
        let first = comment["start_line"].as_u64().map_or(last, |first| first as usize);
        let body = comment["body"].as_str().unwrap_or_default();
        let (_, block) = body.split_once("suggestion\n").expect("a suggestion");
        let fence = block.lines().last().unwrap_or_default();
        let text = block.trim_end().strip_suffix(fence).and_then(|text| text.strip_suffix('\n')).expect("its end");
        lines.splice(first - 1..last, text.split('\n'));
        shop.write(path, lines.join("\n"));
    }
    comments
}

#[test]
fn review_comments_say_what_their_snapshot_says() {
    let comments = applied(&Shop::awkward());
    assert_report("awkward.review", &serde_json::to_string_pretty(&comments).expect("it is JSON"));
}

#[test]
fn an_applied_suggestion_is_the_fix() {
    let shop = Shop::with(&[
        ("lockkeeper.yaml", "migrations: m\ntransaction: none\n"),
        ("m/0001_shop.sql", "CREATE TABLE orders (id bigint PRIMARY KEY, buyer bigint, note text);\n"),
        ("m/0002_index.sql", "SET lock_timeout = '2s';\nSELECT 1; CREATE INDEX orders_buyer -- `a`, ```b```\n  ON orders (buyer);"),
    ]);
    assert_eq!(applied(&shop).len(), 1);
    assert!(
        shop.text("m/0002_index.sql").contains("SELECT 1; CREATE INDEX CONCURRENTLY orders_buyer -- `a`, ```b```\n  ON orders (buyer);")
    );
    let left = shop.run(&["lint", "--format", "short"]).out;
    assert!(!left.contains("create-index-without-concurrently"), "{left}");
}

#[test]
fn a_line_with_a_secret_or_with_bytes_that_are_no_text_has_no_suggestion() {
    let index = "CREATE INDEX orders_buyer ON orders (buyer);";
    let shop = Shop::with(&[
        ("lockkeeper.yaml", "migrations: m\ntransaction: none\n"),
        ("m/0001_a.sql", &format!("CREATE ROLE shop PASSWORD 'geheim99'; {index}\n")),
    ]);
    shop.write("m/0002_b.sql", [b"SELECT '\xff'; ", index.as_bytes(), b"\n"].concat());
    let out = shop.run(&["lint", "--format", "github-review"]).out;
    assert_eq!(out, "[]\n");
    let found = shop.run(&["lint", "--format", "short"]).out;
    assert_eq!(found.matches("create-index-without-concurrently").count(), 2, "{found}");
}
