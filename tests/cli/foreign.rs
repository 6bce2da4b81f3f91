//! Suppression comments of other linters, as they count here.

use super::{ORDERS, Shop};

/// Where findings stand, `line rule`, that nothing allows; those about the comments themselves left out.
fn open(sql: &str) -> Vec<String> {
    found(sql, |finding| finding["allowed"].is_null() && finding["rule"] != "foreign-allowance", "rule")
}

/// What is said of the comments themselves.
fn said(sql: &str) -> Vec<String> {
    found(sql, |finding| finding["rule"] == "foreign-allowance", "message")
}

/// Those that a comment allows, with the reason.
fn allowed(sql: &str) -> Vec<String> {
    let shop = shop(sql);
    let report = shop.run(&["lint", "--format", "json", "m/2_change.sql"]).json();
    let findings = report["migrations"][0]["findings"].as_array().cloned().unwrap_or_default();
    let allowed = findings.iter().filter(|finding| !finding["allowed"].is_null());
    allowed.map(|finding| format!("{}: {}", word(&finding["rule"]), word(&finding["allowed"]["reason"]))).collect()
}

fn found(sql: &str, wanted: impl Fn(&serde_json::Value) -> bool, key: &str) -> Vec<String> {
    let shop = shop(sql);
    let report = shop.run(&["lint", "--format", "json", "m/2_change.sql"]).json();
    let findings = report["migrations"][0]["findings"].as_array().cloned().unwrap_or_default();
    // The first line of every file sets the timeout, so that only what is meant is found.
    let line = |finding: &serde_json::Value| finding["span"]["line"].as_u64().unwrap_or_default() - 1;
    findings.iter().filter(|finding| wanted(finding)).map(|finding| format!("{} {}", line(finding), word(&finding[key]))).collect()
}

fn word(value: &serde_json::Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn shop(sql: &str) -> Shop {
    let sql = format!("SET lock_timeout = '2s'; SET statement_timeout = '5min';\n{sql}");
    Shop::with(&[("m/1_orders.sql", ORDERS), ("m/2_change.sql", &sql)])
}

#[test]
fn a_comment_of_squawk_reaches_its_own_line_and_the_next() {
    assert_eq!(
        allowed("-- squawk-ignore ban-drop-column -- nobody reads it\nALTER TABLE orders DROP COLUMN buyer;"),
        ["drop-column: by squawk's comment: nobody reads it"]
    );
    assert_eq!(open("ALTER TABLE orders DROP COLUMN buyer; -- squawk-ignore ban-drop-column"), [""; 0]);
    assert_eq!(open("/* squawk-ignore ban-drop-table, ban-drop-column */\nALTER TABLE orders DROP COLUMN buyer;"), [""; 0]);
    assert_eq!(open("-- squawk-ignore ban-drop-column\n\nALTER TABLE orders DROP COLUMN buyer;"), ["3 drop-column"]);
    assert_eq!(
        open("ALTER TABLE orders\n-- squawk-ignore ban-drop-column\nDROP COLUMN buyer,\nDROP COLUMN id;"),
        ["4 drop-column", "4 drop-primary-key"]
    );
}

#[test]
fn a_comment_of_squawk_without_rules_allows_nothing_unless_it_is_for_the_file() {
    assert_eq!(open("-- squawk-ignore\nDROP TABLE orders;"), ["2 drop-table"]);
    assert_eq!(
        said("-- squawk-ignore\nDROP TABLE orders;"),
        ["1 `squawk-ignore` names no rule, and allows nothing, neither for squawk nor here"]
    );
    assert_eq!(open("DROP TABLE orders;\n-- squawk-ignore-file"), [""; 0]);
    // squawk does not look for it.
    assert_eq!(open("-- squawk-ignore-file\nDELETE FROM orders;"), ["2 delete-without-where"]);
}

#[test]
fn a_comment_of_eugene_is_for_the_statement_it_stands_in_or_before() {
    assert_eq!(open("-- eugene: ignore E6\nCREATE INDEX orders_buyer ON orders (buyer);"), [""; 0]);
    assert_eq!(open("CREATE INDEX orders_buyer\n-- eugene: ignore E6\nON orders (buyer);"), [""; 0]);
    let two = "CREATE INDEX orders_buyer ON orders (buyer); -- eugene: ignore\nCREATE INDEX orders_again ON orders (id, buyer);";
    assert_eq!(open(two), ["1 create-index-without-concurrently"]);
    // eugene lets it pass in silence, so its silence is none about it.
    assert_eq!(open("-- eugene: ignore\nDROP TABLE orders;"), ["2 drop-table"]);
}

#[test]
fn a_comment_of_pg_migration_lint_is_for_the_next_statement_or_for_the_file() {
    assert_eq!(open("-- pgm-lint:suppress PGM001,PGM501\nCREATE INDEX orders_buyer ON orders (buyer);"), [""; 0]);
    assert_eq!(open("-- pgm-lint:suppress-file PGM201\nSELECT 1;\nDROP TABLE orders;"), [""; 0]);
    assert_eq!(open("-- pgm-lint:suppress\nDROP TABLE orders;"), ["2 drop-table"]);
    assert_eq!(
        said("-- pgm-lint:suppress PGM301\nINSERT INTO orders (id, buyer) VALUES (1, 2);\n-- pgm-lint:suppress PGM901\nSELECT 1;"),
        [
            "1 `PGM301`, `PGM901` of pg-migration-lint has no counterpart here, so the comment allows nothing: a few rows more stop nobody; a copy of a whole table is told by insert-without-batches"
        ]
    );
}

#[test]
fn comments_of_pgfence_atlas_and_migration_pilot_are_understood_too() {
    for comment in [
        "-- pgfence-ignore",
        "-- pgfence-ignore: drop-table",
        "-- pgfence: ignore drop-table",
        "-- atlas:nolint",
        "-- atlas:nolint destructive",
        "-- atlas:nolint DS102 DS103",
        "-- migrationpilot-disable MP026",
        "-- migrationpilot-disable",
    ] {
        assert_eq!(open(&format!("SELECT 1;\n{comment}\nDROP TABLE orders;")), [""; 0], "{comment}");
        assert_eq!(open(&format!("SELECT 1;\n{comment}\nSELECT 2;\nDROP TABLE orders;")), ["4 drop-table"], "{comment}");
    }
    assert_eq!(open("SELECT 1;\n-- atlas:nolint incompatible\nDROP TABLE orders;"), ["3 drop-table"]);
}

#[test]
fn a_comment_of_atlas_is_for_the_file_if_it_stands_alone_at_its_top() {
    let lint = |sql: &str| {
        let shop = Shop::with(&[("m/1_orders.sql", ORDERS), ("m/2_change.sql", sql)]);
        shop.short(&["m/2_change.sql"]).iter().filter(|line| line.contains("drop-column")).count()
    };
    let two = "ALTER TABLE orders DROP COLUMN buyer;\nALTER TABLE orders DROP COLUMN id;\n";
    assert_eq!(lint(two), 2);
    assert_eq!(lint(&format!("-- atlas:nolint\n\n{two}")), 0);
    assert_eq!(lint(&format!("-- atlas:nolint DS103\n-- why not\n\n{two}")), 0);
    assert_eq!(lint(&format!("-- atlas:nolint\n{two}")), 1);
}

#[test]
fn how_a_comment_would_read_in_our_words_is_said_once_for_a_file() {
    let sql = "-- squawk-ignore ban-drop-column, prefer-robust-stmts -- nobody reads it\nALTER TABLE orders DROP COLUMN buyer;\n\
               -- squawk-ignore ban-drop-table\nDROP TABLE orders;";
    assert_eq!(
        said(sql),
        [
            "1 `squawk-ignore ban-drop-column, prefer-robust-stmts -- nobody reads it` counts here too; in our words: `-- lockkeeper: allow drop-column because nobody reads it`"
        ]
    );
}

#[test]
fn a_rule_that_the_other_linter_does_not_have_is_said_and_allows_nothing() {
    let sql = "-- squawk-ignore ban-drop-tabel\nDROP TABLE orders;";
    assert_eq!(open(sql), ["2 drop-table"]);
    assert_eq!(said(sql), ["1 squawk has no rule `ban-drop-tabel`, so the comment allows nothing; did you mean `ban-drop-table`?"]);
}

#[test]
fn the_words_in_a_string_or_behind_other_words_allow_nothing() {
    assert_eq!(open("SELECT '-- squawk-ignore ban-drop-table'; DROP TABLE orders;"), ["1 drop-table"]);
    assert_eq!(open("-- we never squawk-ignore ban-drop-table\nDROP TABLE orders;"), ["2 drop-table"]);
}
