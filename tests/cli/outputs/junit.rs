//! `--format junit`. The schema is asked by xmllint (libxml2-utils, in Debian and elsewhere).

use super::{Answer, Shop, assert_report};
use std::fs;
use std::path::Path;
use std::process::Command;

/// A run whose report is what the schema says.
fn junit(shop: &Shop, arguments: &[&str]) -> Answer {
    let answer = shop.run(&[&["lint", "--format", "junit"], arguments].concat());
    let file = tempfile::NamedTempFile::new().expect("a file for the report");
    fs::write(file.path(), &answer.out).expect("it is written");
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats/junit-10.xsd");
    let output = Command::new("xmllint").args(["--noout", "--nonet", "--schema"]).arg(schema).arg(file.path()).output();
    let output = output.expect("xmllint is there: install libxml2-utils");
    assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stderr), answer.out);
    answer
}

fn count(out: &str, what: &str) -> usize {
    out.matches(what).count()
}

#[test]
fn a_junit_report_follows_its_schema_and_says_what_its_snapshot_says() {
    assert_report("awkward.junit", &junit(&Shop::awkward(), &[]).out);
}

#[test]
fn a_hostile_name_is_the_value_of_an_attribute_and_no_more() {
    let out = junit(&Shop::hostile(), &[]).out;
    for part in ["name=\"m/0002_&quot;; rm -rf .sql\"", "name=\"m/0003_new&#10;line.sql\"", "name=\"m/0006_&lt;img src=x&gt;.sql\""] {
        assert!(out.contains(part), "`{part}` is not in:\n{out}");
    }
}

#[test]
fn characters_that_xml_does_not_know_are_none_in_the_report() {
    let shop = Shop::with(&[("m/0001_a.sql", "DROP TABLE \"or\u{1}d\u{FFFE}e]]>rs\";\n")]);
    let out = junit(&shop, &[]).out;
    assert!(out.contains("or?d?e]]&gt;rs"), "{out}");
}

#[test]
fn a_harmless_migration_is_a_test_that_passed() {
    let shop = Shop::with(&[("m/0001_a.sql", "CREATE TABLE orders (id bigint PRIMARY KEY);\n")]);
    let answer = junit(&shop, &[]);
    assert_eq!((answer.code, count(&answer.out, "<testcase name=\"additive\"")), (Some(0), 1), "{}", answer.out);
    assert!(answer.out.contains("<testsuites name=\"lockkeeper\" tests=\"1\" failures=\"0\" errors=\"0\">"), "{}", answer.out);
}

#[test]
fn a_test_fails_exactly_where_the_run_does() {
    let shop = Shop::with(&[
        ("m/0001_shop.sql", "CREATE TABLE orders (id bigint PRIMARY KEY, note text);\n"),
        ("m/0002_note.sql", "SET lock_timeout = '2s';\nALTER TABLE orders DROP COLUMN note;\n"),
        // Its class follows from what it does, and not from a finding.
        (
            "m/0003_fill.sql",
            "SET lock_timeout = '2s';\n-- lockkeeper: allow update-without-batches because it is small\nUPDATE orders SET id = id;\n",
        ),
    ]);
    for fail_on in ["error", "warning", "advice", "three-phase", "maintenance-window", "never"] {
        for path in ["m/0001_shop.sql", "m/0002_note.sql", "m/0003_fill.sql", "m"] {
            let answer = junit(&shop, &[path, "--fail-on", fail_on]);
            let failed = count(&answer.out, "<failure ") + count(&answer.out, "<error ");
            assert_eq!(answer.code, Some(i32::from(failed > 0)), "{fail_on} {path}: {}", answer.out);
        }
    }
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let shop = Shop::with(&[("m/0001_a.sql", "ALTER TABL orders;\n")]);
    let out = junit(&shop, &["m", "nowhere"]).out;
    assert!(out.contains("<error type=\"discover::no-such-path\""), "{out}");
    assert!(out.contains("<testcase name=\"unreadable-statement at 1:7\"") && count(&out, "<error ") == 2, "{out}");
}
