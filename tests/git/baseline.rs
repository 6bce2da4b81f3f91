//! `lockkeeper baseline findings`: what was there does not count, and what is new does.

use super::repository::{DROP, INDEX, ORDERS, Repository, words};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::process::Output;

const FILE: &str = "lockkeeper.baseline.yaml";

fn shop() -> Repository {
    Repository::with(&[
        ("m/0001_orders.sql", ORDERS),
        ("m/0002_index.sql", INDEX),
        ("m/0003_drop.sql", DROP),
        ("lockkeeper.yaml", "migrations: [m]\n"),
    ])
}

fn take(shop: &Repository, arguments: &[&str]) -> Output {
    let output = shop.lockkeeper().args(["baseline", "findings"]).args(arguments).output().expect("the program runs");
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
    output
}

fn report(shop: &Repository, arguments: &[&str]) -> Value {
    let output = shop.lint(&[&["--format", "json"], arguments].concat());
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", words(&output)))
}

/// The rules that count, with their lines.
fn open(report: &Value) -> Vec<String> {
    let migrations = report["migrations"].as_array().expect("a list").iter();
    let findings = migrations.flat_map(|migration| migration["findings"].as_array().expect("a list"));
    let open = findings.filter(|finding| finding["allowed"].is_null());
    open.map(|finding| format!("{}:{}", finding["rule"].as_str().expect("a rule"), finding["span"]["line"])).collect()
}

#[test]
fn what_was_there_is_neither_shown_nor_counted_and_the_summary_says_how_much() {
    let shop = shop();
    assert_eq!(shop.lint(&["--fail-on", "advice"]).status.code(), Some(1));
    let said = words(&take(&shop, &[]));
    assert!(said.starts_with("lockkeeper.baseline.yaml: ") && said.contains("added, 0 taken out"), "{said}");
    let output = shop.lint(&["--fail-on", "advice"]);
    let text = words(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(!text.contains("drop-column") && text.contains("in the baseline"), "{text}");
    assert!(text.contains("migrations as the baseline has them"), "{text}");
    let report = report(&shop, &[]);
    assert_eq!((&report["summary"]["errors"], open(&report)), (&Value::from(0), Vec::new()));
    let allowed = &report["migrations"][2]["findings"][0]["allowed"];
    assert_eq!((&allowed["kind"], &allowed["span"]), (&Value::from("baseline"), &Value::Null));
    let short = words(&shop.lint(&["--format", "short", "--fail-on", "advice"]));
    assert_eq!(short, "");
}

#[test]
fn the_file_can_be_read_by_people_and_does_not_change_where_nothing_has() {
    let shop = shop();
    take(&shop, &[]);
    let first = fs::read_to_string(shop.path().join(FILE)).expect("it is written");
    assert!(first.contains("  - path: \"m/0003_drop.sql\"\n    class: three-phase\n"), "{first}");
    assert!(
        first.contains("{ rule: drop-column, fingerprint: \"") && first.contains("about: \"ALTER TABLE orders DROP COLUMN note"),
        "{first}"
    );
    let written = fs::metadata(shop.path().join(FILE)).and_then(|metadata| metadata.modified()).expect("a time");
    let said = words(&take(&shop, &[]));
    assert!(said.contains("(0 added, 0 taken out)"), "{said}");
    assert_eq!(fs::read_to_string(shop.path().join(FILE)).expect("it is there"), first);
    assert_eq!(fs::metadata(shop.path().join(FILE)).and_then(|metadata| metadata.modified()).expect("a time"), written);
    // From another directory, and by other words for the same paths.
    let mut command = shop.lockkeeper();
    command.current_dir(shop.path().join("m")).args(["baseline", "findings"]);
    assert_eq!(command.output().expect("the program runs").status.code(), Some(0));
    assert_eq!(fs::read_to_string(shop.path().join(FILE)).expect("it is there"), first);
    assert_eq!(open(&report(&shop, &["./m/../m/0003_drop.sql"])), [""; 0]);
}

#[test]
fn old_files_do_not_fail_a_gate_on_classes_until_their_sql_changes() {
    let shop = shop();
    let gate = || shop.lint(&["--fail-on", "three-phase"]).status.code();
    assert_eq!(gate(), Some(1));
    take(&shop, &[]);
    assert_eq!(gate(), Some(0));
    // It is what it is, and the report says so.
    assert_eq!(report(&shop, &[])["class"], "maintenance-window");
    shop.write("m/0003_drop.sql", &format!("-- reformatted\n{}", DROP.replace(' ', "\n ")));
    assert_eq!(gate(), Some(0));
    shop.write("m/0003_drop.sql", &format!("{DROP}ALTER TABLE orders ALTER COLUMN id TYPE text;\n"));
    assert_eq!(gate(), Some(1));
    shop.write("m/0003_drop.sql", DROP);
    shop.write("m/0004_drop.sql", "DROP TABLE orders;\n");
    assert_eq!(gate(), Some(1));
}

#[test]
fn a_new_finding_of_the_same_rule_counts_wherever_it_is() {
    let shop = Repository::with(&[(
        "m/0001_orders.sql",
        "CREATE TABLE orders (id bigint PRIMARY KEY, note text, state text);\nCREATE TABLE drafts (note text);\n",
    )]);
    let drop = "SET lock_timeout = '2s';\nALTER TABLE orders DROP COLUMN note;\n";
    shop.write("m/0002_drop.sql", drop);
    shop.write("other/0002_drop.sql", "SELECT 1;\n");
    take(&shop, &[]);
    let rules = |path: &str| open(&report(&shop, &[path])).into_iter().filter(|rule| rule.starts_with("drop-column")).collect::<Vec<_>>();
    assert_eq!(rules("m/0002_drop.sql"), [""; 0]);
    for (file, text, expected) in [
        // Another column, another table with the same part, the same again, and the same in another file and another directory.
        ("m/0002_drop.sql", format!("{drop}ALTER TABLE orders DROP COLUMN state;\n"), "drop-column:3"),
        ("m/0002_drop.sql", "SET lock_timeout = '2s';\nALTER TABLE drafts DROP COLUMN note;\n".to_owned(), "drop-column:2"),
        ("m/0002_drop.sql", format!("{drop}ALTER TABLE orders DROP COLUMN note;\n"), "drop-column:3"),
        ("m/0003_drop.sql", drop.to_owned(), "drop-column:2"),
        ("other/0002_drop.sql", drop.to_owned(), "drop-column:2"),
    ] {
        shop.write(file, &text);
        assert_eq!(rules(file), [expected], "{file}: {text}");
    }
}

#[test]
fn a_rule_that_speaks_once_in_a_file_speaks_of_what_is_new() {
    let two = "ALTER TABLE orders ADD COLUMN a text;\nALTER TABLE drafts ADD COLUMN b text;\n";
    let shop = Repository::with(&[("m/0001_orders.sql", ORDERS), ("m/0002_wide.sql", two)]);
    let spoken = || -> Vec<_> {
        open(&report(&shop, &["m/0002_wide.sql"])).into_iter().filter(|rule| rule.starts_with("lock-without-timeout")).collect()
    };
    assert_eq!(spoken(), ["lock-without-timeout:1"]);
    take(&shop, &[]);
    assert_eq!(spoken(), [""; 0]);
    shop.write("m/0002_wide.sql", &format!("{two}ALTER TABLE users ADD COLUMN c text;\n"));
    assert_eq!(spoken(), ["lock-without-timeout:3"]);
}

#[test]
fn a_link_to_a_file_is_a_file_of_its_own_and_one_to_a_directory_is_the_directory() {
    let shop = shop();
    std::os::unix::fs::symlink("0003_drop.sql", shop.path().join("m/0004_again.sql")).expect("a link");
    std::os::unix::fs::symlink("m", shop.path().join("linked")).expect("a link");
    take(&shop, &[]);
    assert_eq!(words(&shop.lint(&["--format", "short", "--fail-on", "advice"])), "");
    assert_eq!(words(&shop.lint(&["--format", "short", "--fail-on", "advice", "linked"])), "");
}

#[test]
fn what_is_found_no_more_is_told_and_taken_out() {
    let shop = shop();
    shop.write("m/0004_users.sql", "DROP TABLE payments;\n");
    take(&shop, &[]);
    assert_eq!(words(&shop.lint(&["--format", "short"])), "");
    shop.write("m/0003_drop.sql", "SET lock_timeout = '2s';\nSELECT 1;\n");
    shop.remove("m/0004_users.sql");
    let said = words(&shop.lint(&["--format", "short"]));
    assert!(said.contains("note: lockkeeper.baseline.yaml has what is found no more: `drop-column` in m/0003_drop.sql and "), "{said}");
    assert!(!words(&shop.lint(&["--format", "short", "m/0002_index.sql"])).contains("note:"));
    // Pruning adds nothing.
    shop.write("m/0005_drop.sql", "DROP TABLE payments;\n");
    take(&shop, &["--prune"]);
    let text = fs::read_to_string(shop.path().join(FILE)).expect("it is there");
    assert!(
        !text.contains("0004_users") && !text.contains("0005_drop") && !text.contains("drop-column") && text.contains("0002_index"),
        "{text}"
    );
    let said = words(&shop.lint(&["--format", "short"]));
    assert!(!said.contains("note:") && said.contains("drop-table"), "{said}");
    // A part of the files is taken anew, and the rest stays.
    take(&shop, &["m/0005_drop.sql"]);
    let text = fs::read_to_string(shop.path().join(FILE)).expect("it is there");
    assert!(text.contains("0005_drop") && text.contains("0002_index"), "{text}");
}

#[test]
fn what_a_comment_allows_is_its_own_matter() {
    let allowed =
        "SET lock_timeout = '2s';\n-- lockkeeper: allow drop-column because nothing reads it\nALTER TABLE orders DROP COLUMN note;\n";
    let shop = Repository::with(&[("m/0001_orders.sql", ORDERS), ("m/0002_drop.sql", allowed)]);
    take(&shop, &[]);
    assert!(!fs::read_to_string(shop.path().join(FILE)).expect("it is there").contains("rule: drop-column,"));
    shop.write("m/0002_drop.sql", DROP);
    assert_eq!(shop.judged(&["m/0002_drop.sql"]), ["m/0002_drop.sql: drop-column"]);
}

#[test]
fn a_baseline_that_cannot_be_read_hides_nothing_and_ends_with_2() {
    let shop = shop();
    shop.write(FILE, "files:\n  - path: m/0003_drop.sql\n    clas: three-phase\n");
    let (code, said) = shop.refusal(&[]);
    assert_eq!((code, said.contains("lockkeeper.baseline.yaml:3:5:"), said.contains("drop-column")), (Some(2), true, true), "{said}");
    let refused = shop.lockkeeper().args(["baseline", "findings"]).output().expect("the program runs");
    assert_eq!(refused.status.code(), Some(2));
    shop.write(FILE, "");
    shop.write("lockkeeper.yaml", "migrations: [m]\nbaseline: db/known.yaml\n");
    fs::create_dir(shop.path().join("db")).expect("a directory");
    take(&shop, &[]);
    assert!(fs::read_to_string(shop.path().join("db/known.yaml")).expect("it is written").contains("path: \"../m/0003_drop.sql\""));
    assert_eq!(shop.lint(&["--fail-on", "advice"]).status.code(), Some(0));
}

#[test]
fn each_help_says_which_baseline_it_is() {
    let shop = Repository::empty();
    let help = |arguments: &[&str]| words(&shop.lockkeeper().args(arguments).output().expect("the program runs"));
    let both = help(&["baseline", "--help"]);
    assert!(both.contains("lockkeeper baseline findings") && both.contains("--reason 'taken over from psql'"), "{both}");
    let findings = help(&["baseline", "findings", "--help"]);
    assert!(findings.contains("Nothing here is about the database") && !findings.contains("--reason"), "{findings}");
    assert_eq!(shop.lockkeeper().arg("baseline").output().expect("the program runs").status.code(), Some(2));
}

/// Statements that bring findings of these rules, whatever stands before them.
const STATEMENTS: [&str; 8] = [
    "TRUNCATE orders",
    "UPDATE users SET name = 'a -- b\n/* c'",
    "DELETE FROM drafts",
    "ALTER TABLE sales RENAME COLUMN a TO b",
    "ALTER TABLE carts DROP COLUMN x, ADD COLUMN y text NOT NULL",
    "DO $$ BEGIN ALTER TABLE gifts DROP COLUMN a; DELETE FROM gifts; END $$",
    "CREATE INDEX ON payments (id)",
    "SELECT 1",
];
const RULES: [&str; 7] = [
    "truncate-table",
    "update-without-batches",
    "delete-without-where",
    "rename-column",
    "drop-column",
    "add-column-not-null-without-default",
    "create-index-without-concurrently",
];

/// The fingerprints of a file with these statements, written with these spaces and comments around and in them.
fn fingerprints(shop: &Repository, statements: &[usize], spelling: &[usize]) -> BTreeSet<String> {
    const GAPS: [&str; 4] = [" ", "\n\n  ", " -- why\n", " /* so; */\t"];
    let gap = |at: usize| GAPS[spelling[at % spelling.len()]];
    let one = |(at, which): (usize, &usize)| {
        let (first, rest) = STATEMENTS[*which].split_once(' ').expect("two words");
        format!("{}{first}{}{rest}{};", gap(at), gap(at + 1), gap(at + 2))
    };
    shop.write("0002_change.sql", &statements.iter().enumerate().map(one).collect::<String>());
    let report = report(shop, &["0002_change.sql"]);
    let findings = report["migrations"][0]["findings"].as_array().expect("a list").iter();
    let heard: Vec<_> = findings.filter(|finding| RULES.iter().any(|rule| finding["rule"] == *rule)).collect();
    let prints: BTreeSet<_> = heard.iter().map(|finding| finding["fingerprint"].as_str().expect("a text").to_owned()).collect();
    assert_eq!(prints.len(), heard.len(), "no two are the same");
    prints
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_fingerprint_stays_whatever_happens_around_it(
        statements in prop::collection::vec(0..STATEMENTS.len(), 1..6),
        added in 0..STATEMENTS.len(),
        at in 0_usize..6,
        spelling in prop::collection::vec(0_usize..4, 1..6),
    ) {
        let shop = Repository::empty();
        shop.write("0001_orders.sql", ORDERS);
        let before = fingerprints(&shop, &statements, &[0]);
        prop_assert_eq!(&before, &fingerprints(&shop, &statements, &spelling), "comments and white space do not matter");
        let mut more = statements;
        more.insert(at.min(more.len()), added);
        let after = fingerprints(&shop, &more, &spelling);
        prop_assert!(before.is_subset(&after), "what was found is known again");
        let new = fingerprints(&shop, &[added], &[0]).len();
        prop_assert_eq!(after.len(), before.len() + new, "what is new is known as new, though it is the same once more");
    }
}
