//! Whole runs over small files: SQL in, words out.

use super::finding::{Assessed, Finding, Report};
use super::{Settings, run};
use crate::config::Config;
use crate::discover::{Discovered, Role, in_memory};
use crate::model::effects::Version;
use crate::model::session::Timeout;
use crate::rule::set::RuleSet;
use crate::text::SourceFile;
use insta::assert_snapshot;

const SHOP: &str = "CREATE TABLE users (id bigint PRIMARY KEY);
    CREATE TABLE orders (id bigint PRIMARY KEY, buyer bigint NOT NULL, note text, amount numeric);";

fn report(files: &[(&str, &str)]) -> Report {
    let mut config = Config::default();
    config.role.lock_timeout = Timeout::Unknown;
    let files: Vec<_> = files.iter().map(|(name, sql)| (SourceFile::new(name, *sql), Role::Subject)).collect();
    let history = in_memory(Some(SourceFile::new("schema.sql", SHOP)), &files, &config);
    let rules = RuleSet::embedded();
    run(
        Discovered { histories: vec![history], ..Discovered::default() },
        &Settings { rules: &rules, config: &config, server: Version::DEFAULT },
    )
}

fn assessed(sql: &str) -> Assessed {
    report(&[("0001_orders.sql", sql)]).migrations.remove(0)
}

/// The findings of a file, a line each.
fn findings(sql: &str) -> String {
    let assessed = assessed(sql);
    let line = |finding: &Finding| {
        let line = assessed.source.place(finding.span.start).line;
        let allowed = finding.allowed.as_ref().map(|allowance| format!(" (allowed: {})", allowance.reason)).unwrap_or_default();
        format!("{line} {}{allowed}", finding.rule)
    };
    assessed.findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The classes of a file and of its statements, as written and with fixes, and who waits.
fn classes(sql: &str) -> String {
    let assessed = assessed(sql);
    let statements = assessed.statements.iter().map(|statement| {
        let blocks = statement.blocks;
        let waits = format!("reads {}, writes {}", blocks.reads.word(), blocks.writes.word());
        format!("{} -> {}; {waits}", statement.class, statement.class_with_fixes)
    });
    let whole = format!("{} -> {}", assessed.class, assessed.class_with_fixes);
    std::iter::once(whole).chain(statements).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_allowance_covers_the_statement_below_it_and_no_other() {
    assert_snapshot!(findings(
        "-- lockkeeper: allow drop-column because nobody reads it\n\n-- a word in between\nALTER TABLE orders DROP COLUMN note;\n\
         ALTER TABLE orders DROP COLUMN amount;"
    ), @r"
    4 drop-column (allowed: nobody reads it)
    5 drop-column
    ");
}

#[test]
fn an_allowance_covers_the_statement_that_ends_on_its_line() {
    assert_snapshot!(findings(
        "ALTER TABLE orders\n    DROP COLUMN note; -- lockkeeper: allow drop-column because nobody reads it\n\
         ALTER TABLE orders DROP COLUMN amount;"
    ), @r"
    2 drop-column (allowed: nobody reads it)
    3 drop-column
    ");
}

#[test]
fn an_allowance_inside_a_statement_covers_that_statement() {
    assert_snapshot!(findings(
        "ALTER TABLE orders\n    /* lockkeeper: allow drop-column because nobody reads it */\n    DROP COLUMN note;\n\
         ALTER TABLE orders DROP COLUMN amount;"
    ), @r"
    3 drop-column (allowed: nobody reads it)
    4 drop-column
    ");
}

#[test]
fn an_allowance_for_the_file_stands_before_its_first_statement() {
    assert_snapshot!(findings(
        "-- lockkeeper: allow-file drop-column because the shop is closed\nALTER TABLE orders DROP COLUMN note;\n\
         ALTER TABLE orders DROP COLUMN amount;"
    ), @r"
    2 drop-column (allowed: the shop is closed)
    3 drop-column (allowed: the shop is closed)
    ");
    assert_snapshot!(findings(
        "ALTER TABLE orders DROP COLUMN note;\n-- lockkeeper: allow-file drop-column because the shop is closed\n\
         ALTER TABLE orders DROP COLUMN amount;"
    ), @r"
    1 drop-column
    2 allowance
    3 drop-column
    ");
}

#[test]
fn an_allowance_needs_a_reason_and_a_rule_that_exists() {
    assert_snapshot!(findings("-- lockkeeper: allow drop-column\nALTER TABLE orders DROP COLUMN note;"), @r"
    1 allowance
    2 drop-column
    ");
    assert_snapshot!(findings("-- lockkeeper: allow drop-column because \nALTER TABLE orders DROP COLUMN note;"), @r"
    1 allowance
    2 drop-column
    ");
    assert_snapshot!(findings("-- lockkeeper: allow drop-colum because nobody reads it\nALTER TABLE orders DROP COLUMN note;"), @r"
    1 allowance
    2 drop-column
    ");
    assert_snapshot!(findings("-- lockkeeper: permit drop-column because nobody reads it\nALTER TABLE orders DROP COLUMN note;"), @r"
    1 allowance
    2 drop-column
    ");
}

#[test]
fn an_allowance_may_name_several_rules_and_what_other_tools_call_them() {
    assert_snapshot!(findings(
        "-- lockkeeper: allow ban-drop-column, drop-cascade because nobody reads it\nALTER TABLE orders DROP COLUMN note CASCADE;"
    ), @r"
    2 drop-cascade (allowed: nobody reads it)
    2 drop-column (allowed: nobody reads it)
    ");
}

#[test]
fn an_allowance_that_covers_nothing_is_a_finding() {
    assert_snapshot!(findings("-- lockkeeper: allow drop-column because nobody reads it\nSELECT 1;"), @"1 allowance");
    assert_snapshot!(findings("SELECT 1;\n-- lockkeeper: allow drop-column because nobody reads it"), @"2 allowance");
}

#[test]
fn an_allowance_in_a_string_or_a_body_is_none() {
    assert_snapshot!(findings(
        "SELECT '\n-- lockkeeper: allow drop-column because nobody reads it\n'; ALTER TABLE orders DROP COLUMN note;"
    ), @r"
    3 drop-column
    ");
}

#[test]
fn the_class_of_a_file_is_the_worst_of_its_statements() {
    assert_snapshot!(classes("ALTER TABLE orders ADD COLUMN state text; ALTER TABLE orders DROP COLUMN note;"), @r"
    three-phase -> three-phase
    additive -> additive; reads brief, writes brief
    three-phase -> three-phase; reads brief, writes brief
    ");
}

#[test]
fn a_fix_takes_the_class_of_its_statement_down() {
    assert_snapshot!(classes("CREATE INDEX orders_buyer_idx ON orders (buyer);"), @r"
    maintenance-window -> additive
    maintenance-window -> additive; reads no, writes long
    ");
}

#[test]
fn an_allowed_finding_keeps_its_class() {
    assert_snapshot!(classes("-- lockkeeper: allow drop-column because nobody reads it\nALTER TABLE orders DROP COLUMN note;"), @r"
    three-phase -> three-phase
    three-phase -> three-phase; reads brief, writes brief
    ");
}

#[test]
fn nobody_waits_for_a_table_that_the_file_has_made() {
    assert_snapshot!(classes("CREATE TABLE drafts (id bigint PRIMARY KEY, note text); CREATE INDEX drafts_note_idx ON drafts (note);"), @r"
    additive -> additive
    additive -> additive; reads no, writes no
    additive -> additive; reads no, writes no
    ");
}

#[test]
fn what_a_transaction_holds_is_held_while_a_later_statement_takes_its_time() {
    assert_snapshot!(classes(
        "BEGIN;\nALTER TABLE users ADD COLUMN name text;\nUPDATE orders SET note = '';\nCOMMIT;"
    ), @r"
    maintenance-window -> three-phase
    additive -> additive; reads no, writes no
    additive -> additive; reads brief, writes brief
    maintenance-window -> three-phase; reads long, writes long
    additive -> additive; reads no, writes no
    ");
}

#[test]
fn nothing_is_known_of_what_cannot_be_read() {
    assert_snapshot!(classes("DO $$ BEGIN EXECUTE 'x'; END $$; FROBNICATE orders;"), @r"
    maintenance-window -> maintenance-window
    maintenance-window -> maintenance-window; reads unknown, writes unknown
    maintenance-window -> maintenance-window; reads unknown, writes unknown
    ");
}

#[test]
fn a_fingerprint_stays_when_other_lines_change() {
    let fingerprints = |sql: &str| assessed(sql).findings.iter().map(|finding| finding.fingerprint.clone()).collect::<Vec<_>>();
    let one = fingerprints("ALTER TABLE orders DROP COLUMN note;");
    let moved = fingerprints("-- a new line\nSELECT 1;\n\nALTER TABLE   orders DROP COLUMN\n  note;");
    let twice = fingerprints("ALTER TABLE orders DROP COLUMN note; ALTER TABLE orders DROP COLUMN note;");
    assert_eq!((one.len(), one[0].len()), (1, 16));
    assert_eq!(one, moved);
    assert_eq!((&twice[0], twice.len()), (&one[0], 2));
    assert_ne!(twice[0], twice[1]);
}

#[test]
fn a_table_of_an_earlier_file_is_in_use() {
    let report = report(&[
        ("0001_drafts.sql", "CREATE TABLE drafts (id bigint PRIMARY KEY, note text);"),
        ("0002_note.sql", "ALTER TABLE drafts DROP COLUMN note;"),
    ]);
    let rules = |at: usize| report.migrations[at].findings.iter().map(|finding| finding.rule.as_str()).collect::<Vec<_>>();
    assert_eq!(rules(0), Vec::<&str>::new());
    assert_eq!(rules(1), ["drop-column"]);
}

#[test]
fn a_broken_statement_leaves_the_others_judged() {
    assert_snapshot!(findings("ALTER TABLE orders DROP COLUMN note;\nALTER TABEL orders DROP COLUMN amount;\nALTER TABLE orders DROP COLUMN buyer;"), @r"
    1 drop-column
    2 unreadable-statement
    3 drop-column
    ");
}
