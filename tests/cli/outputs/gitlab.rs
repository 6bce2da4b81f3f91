//! `--format gitlab`.

use super::{Shop, assert_report};
use serde_json::Value;
use std::collections::BTreeSet;

fn violations(shop: &Shop) -> Vec<Value> {
    let schema: Value =
        serde_json::from_str(include_str!("../../../fixtures/formats/gitlab-code-quality.schema.json")).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    let report: Value = serde_json::from_str(&shop.report("gitlab")).expect("it is JSON");
    let errors: Vec<_> = validator.iter_errors(&report).map(|error| format!("{error} at {}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    report.as_array().expect("a list").clone()
}

#[test]
fn a_code_quality_report_follows_its_table_and_says_what_its_snapshot_says() {
    let violations = violations(&Shop::awkward());
    assert_report("awkward.gitlab", &serde_json::to_string_pretty(&violations).expect("it is JSON"));
}

#[test]
fn a_hostile_name_stays_the_path_that_it_is() {
    let shop = Shop::hostile();
    for violation in violations(&shop) {
        let path = violation["location"]["path"].as_str().unwrap_or_default().to_owned();
        assert!(shop.0.path().join(&path).is_file(), "no file at {path}");
    }
}

#[test]
fn files_of_one_name_have_fingerprints_of_their_own() {
    let drop = "DROP TABLE orders;\n";
    let shop = Shop::with(&[
        ("m/2024-01-01-000000_a/up.sql", drop),
        ("m/2024-01-02-000000_b/up.sql", drop),
        ("m/2024-01-03-000000_c/up.sql", drop),
    ]);
    let violations = violations(&shop);
    let fingerprints: BTreeSet<_> = violations.iter().map(|violation| violation["fingerprint"].to_string()).collect();
    assert!(violations.len() > 2 && fingerprints.len() == violations.len(), "{violations:#?}");
}

#[test]
fn what_concerns_no_file_has_a_path_all_the_same() {
    let shop = Shop::with(&[("m/0001_a.sql", "SELECT 1;\n")]);
    let report = shop.run(&["lint", "m", "--since", "nowhere", "--format", "gitlab"]).json();
    assert_eq!((&report[0]["severity"], &report[0]["location"]["lines"]["begin"]), (&"blocker".into(), &1.into()));
}
