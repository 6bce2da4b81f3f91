//! What the edits of rule files come to: SQL in, files out.

mod split;

use crate::config::Config;
use crate::discover::{Discovered, Role, in_memory};
use crate::lint::example::edited;
use crate::lint::finding::{Safety, Suggestion};
use crate::lint::{Settings, run};
use crate::model::effects::Version;
use crate::model::session::TransactionMode;
use crate::rule::set::RuleSet;
use crate::text::SourceFile;
use insta::assert_snapshot;

const SHOP: &str = "CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE orders (id bigint PRIMARY KEY, note text, state text, buyer bigint);
CREATE INDEX orders_note_idx ON orders (note);";

/// A file, and how it is run.
struct Case<'a> {
    file: &'a str,
    sql: &'a str,
    mode: Option<TransactionMode>,
}

const RUNNER: Option<TransactionMode> = Some(TransactionMode::Runner);

/// A rule of the project's own with this match and fix, both as YAML that goes on behind `op: ` and `class: additive`.
fn own_rule(op: &str, fix: &str) -> std::sync::Arc<SourceFile> {
    let text = format!(
        "title: Ours\nseverity: error\nclass: additive\nmatch:\n  op: {op}\nmessage: ours\nwhy: ours\nfix:\n  class: additive\n  {fix}\n\
         examples:\n  bad:\n    - sql: SELECT 1;\n"
    );
    SourceFile::new("lockkeeper/ours.yaml", text)
}

/// What the last finding of that rule suggests.
fn suggested(op: &str, fix: &str, case: &Case<'_>) -> (Suggestion, String) {
    let mut rules = RuleSet::embedded();
    rules.add(own_rule(op, fix)).unwrap_or_else(|problem| panic!("{problem}"));
    let config = Config { transaction: case.mode, ..Config::default() };
    let history = in_memory(Some(SourceFile::new("schema.sql", SHOP)), &[(SourceFile::new(case.file, case.sql), Role::Subject)], &config);
    let report = run(
        Discovered { histories: vec![history], ..Discovered::default() },
        &Settings { rules: &rules, config: &config, server: Version(18) },
    );
    let own = report.migrations[0].findings.iter().rfind(|finding| finding.rule == "ours").expect("the rule speaks");
    let suggestion = own.suggestion.clone().expect("the rule has a fix");
    let title = suggestion.title.clone();
    (suggestion, title)
}

/// The files that the suggestion leaves, or why it is not offered.
fn fixed_in(op: &str, fix: &str, case: &Case<'_>) -> String {
    let (suggestion, _) = suggested(op, fix, case);
    if let Some(why) = suggestion.not_offered {
        assert!(suggestion.edits.is_empty() && suggestion.files.is_empty());
        return format!("not offered: {why}");
    }
    let safety = if suggestion.safety == Safety::Safe { "safe" } else { "review" };
    let own = edited(case.sql, &suggestion.edits);
    let files: String = suggestion.files.iter().map(|file| format!("== {}\n{}", file.path.display(), file.text)).collect();
    format!("{safety}\n{own}{files}").replace('\r', "^M")
}

fn fixed(op: &str, fix: &str, sql: &str) -> String {
    fixed_in(op, fix, &Case { file: "0001_orders.sql", sql, mode: RUNNER })
}

#[test]
fn a_part_of_a_statement_goes_by_its_name() {
    let json = "edit: { replace: type, of: json_columns, with: jsonb }";
    let sql = "CREATE TABLE drafts (id bigint PRIMARY KEY, \"basket\" json DEFAULT '{}'::json, wishes json [] , j jsonb);";
    assert_snapshot!(fixed("create_table", json, sql), @r#"
safe
CREATE TABLE drafts (id bigint PRIMARY KEY, "basket" jsonb DEFAULT '{}'::json, wishes jsonb [] , j jsonb);
"#);
    assert_snapshot!(fixed("add_column", "edit: { replace: type, with: text }", "ALTER TABLE orders ADD code varchar ( 20 ) NOT NULL;"), @r#"
safe
ALTER TABLE orders ADD code text NOT NULL;
"#);
    assert_snapshot!(fixed("change_column_type", "edit: { replace: type, with: text }", "ALTER TABLE orders ALTER COLUMN state TYPE varchar(9) USING state::varchar(9);"), @r#"
safe
ALTER TABLE orders ALTER COLUMN state TYPE text USING state::varchar(9);
"#);
    assert_snapshot!(fixed("change_column_type", "edit: { remove: using }", "ALTER TABLE orders ALTER COLUMN state TYPE varchar(9) USING state::varchar(9), ADD x int;"), @r#"
safe
ALTER TABLE orders ALTER COLUMN state TYPE varchar(9), ADD x int;
"#);
    assert_snapshot!(fixed("add_column", "edit: { replace: default, with: \"'new'\" }", "ALTER TABLE orders ADD code text DEFAULT ('a' || 'b') NOT NULL;"), @r#"
safe
ALTER TABLE orders ADD code text DEFAULT 'new' NOT NULL;
"#);
    assert_snapshot!(fixed("add_column", "edit: { remove: default_clause }", "ALTER TABLE orders ADD code text DEFAULT ('a' || 'b') NOT NULL;"), @r#"
safe
ALTER TABLE orders ADD code text NOT NULL;
"#);
    assert_snapshot!(fixed("set_default", "edit: { replace: default, with: \"'new'\" }", "ALTER TABLE orders ALTER state SET DEFAULT 'old';"), @r#"
safe
ALTER TABLE orders ALTER state SET DEFAULT 'new';
"#);
    assert_snapshot!(fixed("create_index", "edit: { replace: name, of: index, with: \"{table}_buyer_idx\" }", "CREATE INDEX \"Old\" ON orders (buyer);"), @r#"
safe
CREATE INDEX orders_buyer_idx ON orders (buyer);
"#);
    assert_snapshot!(fixed("update", "edit: { replace: '<>', with: IS DISTINCT FROM }", "UPDATE orders SET note = '<>' WHERE state != 'open';"), @r#"
safe
UPDATE orders SET note = '<>' WHERE state IS DISTINCT FROM 'open';
"#);
    assert_snapshot!(fixed("update", "edit: { replace: '<>', with: IS DISTINCT FROM }", "UPDATE orders SET note = '' WHERE state <> 'a' AND state <> 'b';"), @"not offered: it is written more than once there");
    assert_snapshot!(fixed("change_column_type", "edit: { remove: using }", "ALTER TABLE orders ALTER COLUMN state TYPE varchar(9);"), @"not offered: what it would change is not written there");
}

#[test]
fn what_is_taken_out_of_a_list_takes_its_comma_along() {
    let remove = "edit: { remove: operation }";
    assert_snapshot!(fixed("drop_not_null", remove, "ALTER TABLE orders ALTER note DROP NOT NULL, ADD x int;"), @r#"
safe
ALTER TABLE orders ADD x int;
"#);
    assert_snapshot!(fixed("drop_not_null", remove, "ALTER TABLE orders ADD x int, ALTER note DROP NOT NULL;"), @r#"
safe
ALTER TABLE orders ADD x int;
"#);
    assert_snapshot!(fixed("drop_not_null", remove, "ALTER TABLE orders ALTER note DROP NOT NULL;\n"), @"not offered: nothing would be left of the statement");
    assert_snapshot!(fixed("add_foreign_key", remove, "ALTER TABLE orders ADD x bigint REFERENCES users, ADD y int;"), @r#"
safe
ALTER TABLE orders ADD x bigint, ADD y int;
"#);
    assert_snapshot!(fixed("drop_index", remove, "DROP INDEX orders_note_idx, orders_pkey;"), @r#"
safe
DROP INDEX orders_note_idx;
"#);
    assert_snapshot!(fixed("create_table", "edit: { remove: definition, of: json_columns }", "CREATE TABLE drafts (basket json, id int);"), @r#"
safe
CREATE TABLE drafts (id int);
"#);
}

#[test]
fn a_statement_is_replaced_by_several_or_gets_others_beside_it() {
    let sql = "-- buyers\nALTER TABLE orders ADD note2 text; -- for the shop\nSELECT 1; SELECT 2";
    assert_snapshot!(fixed("add_column", "edit: { replace: statement, with: \"ALTER TABLE {table} ADD a int; ALTER TABLE {table} ADD b int;\" }", sql), @r#"
safe
-- buyers
ALTER TABLE orders ADD a int; ALTER TABLE orders ADD b int; -- for the shop
SELECT 1; SELECT 2
"#);
    assert_snapshot!(fixed("add_column", "edit: { before: statement, insert: SELECT 0 }", sql), @r#"
safe
-- buyers
SELECT 0;
ALTER TABLE orders ADD note2 text; -- for the shop
SELECT 1; SELECT 2
"#);
    assert_snapshot!(fixed("add_column", "edit: { after: statement, insert: SELECT 0; }", sql), @r#"
safe
-- buyers
ALTER TABLE orders ADD note2 text; -- for the shop
SELECT 0;
SELECT 1; SELECT 2
"#);
    assert_snapshot!(fixed("select", "edit: { after: statement, insert: SELECT 3 }", sql), @r#"
safe
-- buyers
ALTER TABLE orders ADD note2 text; -- for the shop
SELECT 1; SELECT 2;
SELECT 3;
"#);
    assert_snapshot!(fixed("select", "edit: { before: statement, insert: SELECT 3 }", sql), @r#"
safe
-- buyers
ALTER TABLE orders ADD note2 text; -- for the shop
SELECT 1; SELECT 3; SELECT 2
"#);
    assert_snapshot!(fixed("add_column", "edit: { after: file, insert: COMMIT }", sql), @r#"
safe
-- buyers
ALTER TABLE orders ADD note2 text; -- for the shop
SELECT 1; SELECT 2;
COMMIT;
"#);
    assert_snapshot!(fixed("add_column", "edit: { before: file, insert: \"-- why\" }", sql), @r#"
safe
-- why
-- buyers
ALTER TABLE orders ADD note2 text; -- for the shop
SELECT 1; SELECT 2
"#);
    assert_snapshot!(fixed("select", "edit: { remove: statement }", "SELECT 0;\nSELECT 1;\nSELECT 2;\n"), @r#"
safe
SELECT 0;
SELECT 1;
"#);
}

#[test]
fn the_start_of_a_transaction_is_behind_begin_or_before_the_first_statement() {
    let edit = "edit: { before: transaction, insert: \"SET LOCAL lock_timeout = '2s'\" }";
    let sql = "-- lockkeeper: allow drop-column because it is empty\nALTER TABLE orders DROP note;\n";
    assert_snapshot!(fixed("drop_column", edit, sql), @r#"
safe
SET LOCAL lock_timeout = '2s';
-- lockkeeper: allow drop-column because it is empty
ALTER TABLE orders DROP note;
"#);
    let explicit = Case { file: "0001_orders.sql", sql: "BEGIN; -- one\nALTER TABLE orders DROP note;\nCOMMIT;\n", mode: None };
    assert_snapshot!(fixed_in("drop_column", edit, &explicit), @r#"
safe
BEGIN; -- one
SET LOCAL lock_timeout = '2s';
ALTER TABLE orders DROP note;
COMMIT;
"#);
    let none = Case { mode: Some(TransactionMode::None), sql, ..explicit };
    assert_snapshot!(fixed_in("drop_column", edit, &none), @"not offered: no transaction is open there");
}
