//! `lint --format`: what the reports hold.

use super::{ORDERS, PLAIN_INDEX, Shop};
use std::path::Path;

#[test]
fn the_json_report_follows_its_schema() {
    let schema: serde_json::Value = serde_json::from_str(include_str!("../../docs/report.schema.json")).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let shop = Shop::with(&[("lockkeeper.yaml", "rules: { drop-colum: off }\n")]);
    let root = root.to_str().expect("a path of letters");
    for paths in [&[root][..], &["nowhere"], &["--config", "lockkeeper.yaml", root]] {
        let answer = shop.run(&[&["lint", "--format", "json"], paths].concat());
        let report = answer.json();
        let errors: Vec<_> = validator.iter_errors(&report).map(|error| format!("{} at {}", error, error.instance_path())).collect();
        assert!(errors.is_empty(), "{paths:?}: {errors:#?}");
    }
}

#[test]
fn the_keys_of_the_json_report_stand_in_the_order_of_the_contract() {
    let shop = Shop::with(&[("m/0001_orders.sql", ORDERS), ("m/0002_index.sql", PLAIN_INDEX)]);
    let out = shop.run(&["lint", "m/0002_index.sql", "nowhere", "--format", "json"]).out;
    let mut rest = out.as_str();
    for key in [
        "schema",
        "tool",
        "name",
        "version",
        "postgres",
        "class",
        "summary",
        "migrations",
        "statements",
        "unreadable",
        "errors",
        "warnings",
        "advice",
        "allowed",
        "migrations",
        "path",
        "version",
        "part",
        "tool",
        "transaction",
        "shared_transaction",
        "class",
        "class_with_fixes",
        "statements",
        "span",
        "start",
        "end",
        "line",
        "column",
        "end_line",
        "end_column",
        "reading",
        "operations",
        "effects",
        "locks",
        "blocks",
        "reads",
        "writes",
        "rewrites",
        "scans",
        "builds",
        "transaction",
        "class",
        "class_with_fixes",
        "findings",
        "rule",
        "part",
        "severity",
        "class",
        "statement",
        "span",
        "message",
        "why",
        "assumed",
        "allowed",
        "fingerprint",
        "suggestion",
        "class",
        "safety",
        "title",
        "edits",
        "start",
        "end",
        "text",
        "files",
        "problems",
        "path",
        "message",
        "span",
    ] {
        let quoted = format!("\"{key}\":");
        let at = rest.find(&quoted).unwrap_or_else(|| panic!("no {quoted} in {rest}"));
        rest = &rest[at + quoted.len()..];
    }
}

#[test]
fn places_in_the_json_report_count_characters_from_1_and_bytes_from_0() {
    let shop = Shop::with(&[("0001_x.sql", "SELECT 1; /* ä */ DROP TABLE orders;\n")]);
    let report = shop.run(&["lint", "0001_x.sql", "--format", "json"]).json();
    let span = &report["migrations"][0]["statements"][1]["span"];
    let [start, column, end, end_column] = ["start", "column", "end", "end_column"].map(|key| span[key].as_u64().unwrap_or_default());
    assert_eq!((start, column, end, end_column), (19, 19, 36, 36));
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let shop = Shop::with(&[("0001_x.sql", "DROP TABLE orders;\n")]);
    assert!(!shop.run(&["lint", "0001_x.sql"]).out.contains('\x1b'));
    assert!(shop.run(&["lint", "0001_x.sql", "--color", "always"]).out.contains("\x1b[31m"));
}

#[test]
fn the_human_report_says_what_to_do_with_each_migration() {
    let shop = Shop::with(&[("m/0001_orders.sql", ORDERS), ("m/0002_index.sql", PLAIN_INDEX)]);
    let out = shop.run(&["lint", "m"]).out;
    for part in [
        "error[create-index-without-concurrently]",
        "[m/0002_index.sql:2:1]",
        "SHARE on orders",
        "maintenance-window → additive: take the fixes, then run it any time",
        "additive: run it any time",
        "2 migrations, 3 statements for PostgreSQL 15: 1 error, 0 warnings, 0 advice",
    ] {
        assert!(out.contains(part), "`{part}` is not in:\n{out}");
    }
}

#[test]
fn a_terminal_is_not_steered_by_what_it_is_shown() {
    let shop = Shop::with(&[("0001_x.sql", "DROP TABLE \"or\u{1b}[2Jders\"; -- \u{202e}\n")]);
    for format in ["human", "short"] {
        let out = shop.run(&["lint", "0001_x.sql", "--format", format]).out;
        assert!(out.contains("drop-table") && !out.contains('\u{1b}') && !out.contains('\u{202e}'), "{out}");
    }
}
