//! `--format sarif`.

use super::{Shop, assert_report};
use serde_json::Value;
use std::collections::BTreeSet;

/// The report, which is what the standard says.
fn sarif(shop: &Shop) -> Value {
    let schema: Value =
        serde_json::from_str(include_str!("../../../fixtures/formats/sarif-schema-2.1.0.json")).expect("the schema is JSON");
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).expect("the schema is one");
    let report: Value = serde_json::from_str(&shop.report("sarif")).expect("it is JSON");
    let errors: Vec<_> = validator.iter_errors(&report).map(|error| format!("{error} at {}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    report
}

fn results(report: &Value) -> &Vec<Value> {
    report["runs"][0]["results"].as_array().expect("results")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Rule and fingerprint of each result.
fn fingerprints(shop: &Shop) -> Vec<(String, String)> {
    let of = |result: &Value| (text(&result["ruleId"]).to_owned(), text(&result["partialFingerprints"]["lockkeeper/v1"]).to_owned());
    results(&sarif(shop)).iter().map(of).collect()
}

#[test]
fn a_sarif_report_follows_the_standard_and_says_what_its_snapshot_says() {
    let mut report = sarif(&Shop::awkward());
    for rule in report["runs"][0]["tool"]["driver"]["rules"].as_array_mut().expect("rules") {
        // The page of a rule is held by docs/rules.md.
        assert!(text(&rule["help"]["markdown"]).contains("Instead") || text(&rule["help"]["text"]).len() > 100, "{rule}");
        rule["help"] = "its page".into();
    }
    report["runs"][0]["tool"]["driver"]["version"] = "of this build".into();
    report["runs"][0]["tool"]["driver"]["semanticVersion"] = "of this build".into();
    assert_report("awkward.sarif", &serde_json::to_string_pretty(&report).expect("it is JSON"));
}

#[test]
fn a_hostile_name_is_a_relative_uri_that_leads_to_its_file() {
    let report = sarif(&Shop::hostile());
    let uris: Vec<_> = results(&report)
        .iter()
        .filter(|result| result["ruleId"] == "drop-table")
        .map(|result| &result["locations"][0]["physicalLocation"]["artifactLocation"])
        .inspect(|location| assert_eq!(location["uriBaseId"], "%SRCROOT%"))
        .map(|location| text(&location["uri"]))
        .collect();
    assert_report("hostile.uris", &uris.join("\n"));
    let messages: Vec<_> = results(&report).iter().map(|result| text(&result["message"]["text"])).collect();
    assert!(messages.iter().any(|message| message.contains("\\](x)")), "{messages:?}");
    assert!(!messages.iter().any(|message| message.replace("\\](x)", "").contains("](x)")), "a link in {messages:?}");
}

#[test]
fn a_fix_is_its_edits_in_characters_and_lines() {
    let report = sarif(&Shop::awkward());
    let index = results(&report).iter().find(|result| result["ruleId"] == "create-index-without-concurrently").expect("it is found");
    let change = &index["fixes"][0]["artifactChanges"][0];
    assert_eq!(text(&change["artifactLocation"]["uri"]), "m/0002_buyer.sql");
    // Behind `/* größer */ CREATE INDEX `, which has two bytes more than signs.
    let region = serde_json::json!({ "startLine": 2, "startColumn": 27, "endLine": 2, "endColumn": 27 });
    assert_eq!(change["replacements"][0]["deletedRegion"], region);
    assert_eq!(text(&change["replacements"][0]["insertedContent"]["text"]).trim(), "CONCURRENTLY");
}

#[test]
fn a_fix_that_is_more_than_edits_is_none_for_a_machine() {
    let shop = Shop::with(&[
        ("m/0001_shop.sql", "CREATE TABLE orders (id bigint PRIMARY KEY, buyer bigint);\n"),
        ("m/0002_buyer.sql", "CREATE TABLE drafts (id bigint PRIMARY KEY);\nCREATE INDEX orders_buyer ON orders (buyer);\n"),
    ]);
    let json = shop.run(&["lint", "--format", "json"]).json();
    let findings = json["migrations"][1]["findings"].as_array().expect("findings");
    let needs_file = |finding: &&Value| finding["suggestion"]["files"].as_array().is_some_and(|files| !files.is_empty());
    let rule = findings.iter().find(needs_file).map(|finding| finding["rule"].clone()).expect("a fix needs a file of its own");
    let report = sarif(&shop);
    let result = results(&report).iter().find(|result| result["ruleId"] == rule).expect("the same finding");
    assert_eq!(result["fixes"], Value::Null);
}

#[test]
fn equal_statements_have_fingerprints_of_their_own_that_survive_edits_elsewhere() {
    let statement = "CREATE INDEX ON orders (buyer);\n";
    let shop = Shop::with(&[("m/0001_buyer.sql", &format!("{statement}{statement}DROP TABLE drafts;\n"))]);
    let before = fingerprints(&shop);
    let different: BTreeSet<_> = before.iter().collect();
    assert_eq!(different.len(), before.len(), "{before:?}");
    assert!(before.iter().filter(|(rule, _)| rule == "create-index-without-concurrently").count() == 2, "{before:?}");
    shop.write("m/0001_buyer.sql", format!("-- who buys\n\nSELECT 1;\n{statement}-- and again\n  {statement}\nDROP TABLE drafts;\n"));
    assert_eq!(fingerprints(&shop), before);
}

#[test]
fn what_is_allowed_is_suppressed_with_its_reason() {
    let report = sarif(&Shop::awkward());
    let suppressed: Vec<_> = results(&report).iter().filter(|result| result["suppressions"].is_array()).collect();
    let [drop] = suppressed[..] else { panic!("one finding is allowed: {suppressed:?}") };
    let suppression = &drop["suppressions"][0];
    assert_eq!((text(&drop["ruleId"]), text(&suppression["kind"])), ("drop-column", "inSource"));
    assert!(text(&suppression["justification"]).contains("release 41"), "{suppression}");
}
