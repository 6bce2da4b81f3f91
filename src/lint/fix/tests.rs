//! Fixes applied until none is left: SQL in, files out.

use super::*;
use crate::config::Config;
use crate::discover::{Role, in_memory};
use crate::model::effects::Version;
use crate::model::session::{Timeout, TransactionMode};
use crate::rule::set::RuleSet;
use insta::assert_snapshot;
use proptest::prelude::*;

const SHOP: &str = "CREATE TABLE users (id bigint PRIMARY KEY, name text);
CREATE TABLE orders (id bigint PRIMARY KEY, buyer bigint, note text);
CREATE INDEX orders_buyer_idx ON orders (buyer);
CREATE INDEX orders_note_idx ON orders (note);";

const SAFE: How = How { review: false, new_files: false };
const ALL: How = How { review: true, new_files: true };

fn config(mode: Option<TransactionMode>) -> Config {
    let mut config = Config { transaction: mode, ..Config::default() };
    config.role.lock_timeout = Timeout::Unknown;
    config
}

/// Files of one history, judged, and fixed.
fn fixed_files(files: &[(&str, &str)], mode: Option<TransactionMode>, how: How, rules: &RuleSet) -> Fixed {
    let config = config(mode);
    let files: Vec<_> = files.iter().map(|(name, sql)| (SourceFile::new(name, *sql), Role::Subject)).collect();
    let history = in_memory(Some(SourceFile::new("schema.sql", SHOP)), &files, &config);
    let discovered = Discovered { histories: vec![history], ..Discovered::default() };
    fixed(discovered, &Settings { rules, config: &config, server: Version::DEFAULT }, how)
}

fn words(fixed: &Fixed) -> String {
    let file = |file: &FixedFile| format!("== {}\n{}", file.path.display(), String::from_utf8_lossy(&file.new));
    let applied = fixed.applied.iter().map(|fix| format!("fixed {} at {}:{}\n", fix.rule, fix.path.display(), fix.line));
    let dropped = fixed.dropped.iter().map(|dropped| format!("not {} at {}: {}\n", dropped.fix.rule, dropped.fix.line, dropped.why));
    let left = fixed.left.migrations.iter().flat_map(|migration| &migration.findings).map(|finding| format!("left {}\n", finding.rule));
    fixed.files.iter().map(file).chain(applied).chain(dropped).chain(left).collect()
}

fn all_fixed(sql: &str, mode: Option<TransactionMode>) -> String {
    words(&fixed_files(&[("0001_orders.sql", sql)], mode, ALL, &RuleSet::embedded()))
}

/// A rule of the project's own.
fn with_rule(yaml: &str) -> RuleSet {
    let mut rules = RuleSet::embedded();
    let text = format!(
        "title: Ours\nseverity: error\nclass: additive\n{yaml}\nmessage: ours\nwhy: ours\nexamples:\n  bad:\n    - sql: SELECT 1;\n"
    );
    rules.add(SourceFile::new("lockkeeper/ours.yaml", text)).unwrap_or_else(|problem| panic!("{problem}"));
    rules
}

#[test]
fn fixes_that_touch_each_other_have_their_turn_one_after_the_other() {
    assert_snapshot!(all_fixed("DROP INDEX orders_buyer_idx, orders_note_idx;\nREINDEX TABLE users;\n", Some(TransactionMode::Runner)), @r#"
== 0001_orders.sql
-- lockkeeper: transaction none
DROP INDEX CONCURRENTLY orders_buyer_idx;
== 0002_orders_rest.sql
-- lockkeeper: transaction none
DROP INDEX CONCURRENTLY orders_note_idx;
== 0003_orders_rest.sql
-- lockkeeper: transaction none
REINDEX TABLE CONCURRENTLY users;
fixed drop-index-without-concurrently at 0001_orders.sql:1
fixed drop-index-without-concurrently at 0002_orders_rest.sql:1
fixed reindex-without-concurrently at 0003_orders_rest.sql:1
"#);
}

#[test]
fn safe_ones_are_those_that_nobody_has_to_look_at() {
    let files = [("0001_orders.sql", "DROP INDEX orders_buyer_idx;\n"), ("0002_orders.sql", "SELECT 1;\nDROP INDEX orders_note_idx;\n")];
    let none = fixed_files(&files, Some(TransactionMode::None), SAFE, &RuleSet::embedded());
    assert_snapshot!(words(&none), @r#"
== 0001_orders.sql
DROP INDEX CONCURRENTLY orders_buyer_idx;
== 0002_orders.sql
SELECT 1;
DROP INDEX CONCURRENTLY orders_note_idx;
fixed drop-index-without-concurrently at 0001_orders.sql:1
fixed drop-index-without-concurrently at 0002_orders.sql:2
"#);
    let runner = fixed_files(&files, Some(TransactionMode::Runner), SAFE, &RuleSet::embedded());
    assert_snapshot!(words(&runner), @r#"
left drop-index-without-concurrently
left drop-index-without-concurrently
"#);
}

#[test]
fn a_finding_that_is_allowed_is_left_alone() {
    let sql = "-- lockkeeper: allow drop-index-without-concurrently because the shop is closed\nDROP INDEX orders_buyer_idx;\n";
    assert_snapshot!(all_fixed(sql, Some(TransactionMode::None)), @"left drop-index-without-concurrently");
}

#[test]
fn a_fix_that_brings_an_error_is_taken_back() {
    let rules = with_rule("match: { op: drop_index }\nfix: { class: additive, edit: { append: CASCADE } }");
    let fixed =
        fixed_files(&[("0001_orders.sql", "DROP INDEX CONCURRENTLY orders_buyer_idx;\n")], Some(TransactionMode::None), ALL, &rules);
    assert_snapshot!(words(&fixed), @r#"
not ours at 1: it would bring another error: the server refuses CASCADE behind DROP INDEX CONCURRENTLY
left ours
"#);
}

#[test]
fn a_fix_that_cannot_be_read_is_taken_back() {
    let rules = with_rule("match: { op: drop_index }\nfix: { class: additive, edit: { append: \"'\" } }");
    let fixed =
        fixed_files(&[("0001_orders.sql", "DROP INDEX CONCURRENTLY orders_buyer_idx;\n")], Some(TransactionMode::None), ALL, &rules);
    assert_snapshot!(words(&fixed), @r#"
not ours at 1: it would bring another error: unterminated quoted string: the rest of the file is inside it: what this does cannot be judged
left ours
"#);
}

#[test]
fn a_fix_after_which_its_finding_is_still_there_is_taken_back() {
    let rules = with_rule("match: { op: drop_index }\nfix: { class: additive, edit: { before: statement, insert: SELECT 1 } }");
    let sql = "DROP INDEX CONCURRENTLY orders_buyer_idx;\nDROP INDEX CONCURRENTLY orders_note_idx;\n";
    let fixed = fixed_files(&[("0001_orders.sql", sql)], Some(TransactionMode::None), ALL, &rules);
    assert_snapshot!(words(&fixed), @r#"
not ours at 1: its finding would still be there
not ours at 2: its finding would still be there
left ours
left ours
"#);
}

#[test]
fn a_bad_fix_does_not_hold_up_the_good_ones() {
    let rules = with_rule("match: { op: drop_index, where: { concurrently: true } }\nfix: { class: additive, edit: { append: CASCADE } }");
    let sql = "DROP INDEX orders_buyer_idx;\nDROP INDEX CONCURRENTLY orders_note_idx;\nREINDEX TABLE users;\n";
    let fixed = fixed_files(&[("0001_orders.sql", sql)], Some(TransactionMode::None), ALL, &rules);
    assert_snapshot!(words(&fixed), @r#"
== 0001_orders.sql
DROP INDEX IF EXISTS orders_buyer_idx;
DROP INDEX CONCURRENTLY orders_note_idx;
REINDEX TABLE CONCURRENTLY users;
fixed statement-cannot-run-again at 0001_orders.sql:1
fixed reindex-without-concurrently at 0001_orders.sql:3
not drop-index-without-concurrently at 1: it would bring another error: ours
not drop-index-without-concurrently at 1: it would bring another error: ours
not ours at 2: it would bring another error: the server refuses CASCADE behind DROP INDEX CONCURRENTLY
left drop-index-without-concurrently
left ours
"#);
}

#[test]
fn a_rule_that_speaks_once_in_a_file_is_followed_to_its_end() {
    let rules = with_rule(
        "once: file\nmatch: { op: drop_index, where: { concurrently: false } }\nfix: { class: additive, edit: { after: INDEX, insert: CONCURRENTLY } }",
    );
    let sql = "DROP INDEX orders_buyer_idx;\nDROP INDEX orders_note_idx;\n";
    let fixed = fixed_files(&[("0001_orders.sql", sql)], Some(TransactionMode::None), How { review: false, new_files: false }, &rules);
    assert_eq!(fixed.files[0].new, b"DROP INDEX CONCURRENTLY orders_buyer_idx;\nDROP INDEX CONCURRENTLY orders_note_idx;\n");
}

/// Every bad example of every rule, fixed, is fixed: there is nothing left to do the second time.
#[test]
fn what_is_fixed_is_not_fixed_again() {
    let rules = RuleSet::embedded();
    let mut wrong = Vec::new();
    for entry in rules.all() {
        for example in entry.examples().expect("the examples are read").bad {
            let Some(sql) = &example.sql else { continue };
            let mode = example.transaction.map(|_| TransactionMode::Runner);
            let first = fixed_files(&[("0001_orders.sql", sql)], mode, ALL, &rules);
            let files: Vec<_> = first.files.iter().map(|file| (file.path.display().to_string(), file.new.clone())).collect();
            let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), std::str::from_utf8(text).expect("it is text"))).collect();
            let migrations: Vec<_> = files.into_iter().filter(|(path, _)| path.ends_with(".sql")).collect();
            let second = fixed_files(&migrations, mode, ALL, &rules);
            if !migrations.is_empty() && !second.files.is_empty() {
                wrong.push(format!("{}: {sql}\n{}\nand then\n{}", entry.id, words(&first), words(&second)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// What may stand between two tokens.
fn gap() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![" ", "\t", "\n", "\r\n", "/* größe */", "-- ключ; CREATE INDEX x\n", "/* '$$ */", "  "]);
    prop::collection::vec(pieces, 1..4).prop_map(|pieces| format!(" {}", pieces.concat()))
}

/// A statement whose fix is one word, and that word with the space behind it.
fn statement() -> impl Strategy<Value = Vec<&'static str>> {
    prop::sample::select(vec![
        vec!["CREATE", "INDEX", "\"größe\"", "ON", "orders", "(note)"],
        vec!["create", "unique", "index", "orders_id_idx", "on", "only", "public.\"orders\"", "(id)"],
        vec!["DROP", "INDEX", "IF", "EXISTS", "orders_note_idx"],
        vec!["REINDEX", "TABLE", "users"],
        vec!["REINDEX", "(VERBOSE)", "INDEX", "public.orders_note_idx"],
    ])
}

/// A statement with gaps between its tokens, and before and behind it.
fn decorated() -> impl Strategy<Value = String> {
    (statement(), prop::collection::vec(gap(), 16)).prop_map(|(tokens, gaps)| {
        let between: String = tokens.iter().zip(&gaps).map(|(token, gap)| format!("{token}{gap}")).collect();
        format!("{}{between};{}", gaps[14], gaps[15])
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn every_byte_outside_of_an_edit_stays(before in gap(), sql in decorated(), behind in gap()) {
        let text = format!("{before}{sql}{behind}SELECT 'CONCURRENTLY '");
        let fixed = fixed_files(&[("0001_orders.sql", &text)], Some(TransactionMode::None), SAFE, &RuleSet::embedded());
        prop_assert_eq!(fixed.files.len(), 1, "{}", words(&fixed));
        let new = String::from_utf8(fixed.files[0].new.clone()).expect("it is text");
        prop_assert_eq!(new.replacen("CONCURRENTLY ", "", 1), text);
    }

    #[test]
    fn what_is_moved_is_moved_whole(first in gap(), one in decorated(), two in decorated()) {
        let text = format!("SELECT 1;{first}{one}{two}SELECT 2;");
        let fixed = fixed_files(&[("0001_orders.sql", &text)], Some(TransactionMode::Runner), ALL, &RuleSet::embedded());
        let new: String = fixed.files.iter().map(|file| String::from_utf8_lossy(&file.new).into_owned()).collect();
        for comment in ["/* größe */", "-- ключ; CREATE INDEX x", "/* '$$ */"] {
            prop_assert_eq!(new.matches(comment).count(), text.matches(comment).count(), "{}", words(&fixed));
        }
    }
}
