//! The fixes of all examples, as SARIF and as review comments say them, against the edits of the JSON report.

use super::Shop;
use lockkeeper::rule::set::RuleSet;
use serde_json::Value;
use std::fs;

/// A finding that can be edited away: its fingerprint, its file, and the file's text with the edits.
struct Fixed {
    fingerprint: String,
    path: String,
    before: String,
    after: String,
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn number(value: &Value) -> usize {
    value.as_u64().expect("a number") as usize
}

/// Each of these in turn, the last one first, so that the places of the others stay.
fn with_edits(before: &str, mut edits: Vec<(usize, usize, String)>) -> String {
    edits.sort();
    let mut after = before.to_owned();
    for (start, end, new) in edits.into_iter().rev() {
        after.replace_range(start..end, &new);
    }
    after
}

/// The bad examples of all rules, each in a directory of its own, and files with unusual signs and line ends.
fn examples() -> Shop {
    let shop = Shop::with(&[
        (".git/HEAD", "ref: refs/heads/main\n"),
        ("lockkeeper.yaml", "transaction: none\n"),
        ("unusual/0001_größer.sql", "\u{feff}-- größer 🐘\r\nCREATE TABLE orders (id bigint PRIMARY KEY, note text);\r\n"),
        ("marked/0001_shop.sql", "CREATE TABLE orders (id bigint PRIMARY KEY, note text);\n"),
        ("marked/0002_index.sql", "\u{feff}CREATE INDEX orders_note ON orders (note);\n"),
        ("unusual/0002_index.sql", "SELECT '🐘'; CREATE INDEX\r\n  orders_note ON orders (note); -- ende\r\nSELECT 1;"),
    ]);
    let rules = RuleSet::embedded();
    for entry in rules.all() {
        let bad = entry.examples().expect("they are read").bad;
        for (at, example) in bad.iter().enumerate().filter(|(_, example)| example.files.is_empty()) {
            let directory = format!("{}-{at}", entry.id);
            shop.write(&format!("{directory}/0001_given.sql"), &example.given);
            shop.write(&format!("{directory}/0002_change.sql"), example.sql.as_deref().unwrap_or_default());
        }
    }
    shop
}

/// What the JSON report says can be edited.
fn fixed(shop: &Shop) -> Vec<Fixed> {
    let mut fixed = Vec::new();
    for migration in list(&shop.run(&["lint", "--format", "json"]).json()["migrations"]) {
        let path = text(&migration["path"]).to_owned();
        let Ok(before) = String::from_utf8(fs::read(shop.0.path().join(&path)).expect("it is there")) else { continue };
        for finding in list(&migration["findings"]) {
            let edits = list(&finding["suggestion"]["edits"]);
            if edits.is_empty() || !list(&finding["suggestion"]["files"]).is_empty() {
                continue;
            }
            let edits = edits.iter().map(|edit| (number(&edit["start"]), number(&edit["end"]), text(&edit["text"]).to_owned()));
            let after = with_edits(&before, edits.collect());
            fixed.push(Fixed { fingerprint: text(&finding["fingerprint"]).to_owned(), path: path.clone(), before: before.clone(), after });
        }
    }
    assert!(fixed.len() > 100, "{} findings can be edited", fixed.len());
    assert!(fixed.iter().any(|fixed| fixed.path.starts_with("unusual/")));
    assert!(fixed.iter().any(|fixed| fixed.path.starts_with("marked/")));
    fixed
}

/// The byte at which a line and a column of characters stand; a byte order mark has no column.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let mark = if line == 1 && text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let start = mark + text.split_inclusive('\n').take(line - 1).map(str::len).sum::<usize>();
    start + text[start..].chars().take(column - 1).map(char::len_utf8).sum::<usize>()
}

#[test]
fn the_replacements_of_sarif_are_the_edits() {
    let shop = examples();
    // To take the mark away is nothing that a region can say.
    let keeps_mark = |fixed: &Fixed| fixed.before.starts_with('\u{feff}') == fixed.after.starts_with('\u{feff}');
    let fixed: Vec<_> = fixed(&shop).into_iter().filter(keeps_mark).collect();
    let report: Value = serde_json::from_str(&shop.report("sarif")).expect("it is JSON");
    let results: Vec<_> = list(&report["runs"][0]["results"]).iter().filter(|result| result["fixes"].is_array()).collect();
    assert_eq!(results.len(), fixed.len());
    for fixed in &fixed {
        let is_it = |result: &&&Value| {
            let change = &result["fixes"][0]["artifactChanges"][0]["artifactLocation"]["uri"];
            text(&result["partialFingerprints"]["lockkeeper/v1"]) == fixed.fingerprint
                && text(change).replace("%C3%B6%C3%9F", "öß") == fixed.path
        };
        let result = results.iter().find(is_it).unwrap_or_else(|| panic!("no fix in {}", fixed.path));
        let edit = |replacement: &Value| {
            let region = &replacement["deletedRegion"];
            let at = |line: &str, column: &str| offset(&fixed.before, number(&region[line]), number(&region[column]));
            (at("startLine", "startColumn"), at("endLine", "endColumn"), text(&replacement["insertedContent"]["text"]).to_owned())
        };
        let edits = list(&result["fixes"][0]["artifactChanges"][0]["replacements"]).iter().map(edit).collect();
        assert_eq!(with_edits(&fixed.before, edits), fixed.after, "{}", fixed.path);
    }
}

#[test]
fn the_suggestions_of_a_review_are_the_edits() {
    let shop = examples();
    let fixed = fixed(&shop);
    let comments = shop.run(&["lint", "--format", "github-review"]).json();
    let comments = list(&comments);
    assert!(comments.len() > 50, "{} comments", comments.len());
    for comment in comments {
        let body = text(&comment["body"]);
        let is_it = |fixed: &&Fixed| body.contains(&fixed.fingerprint) && text(&comment["path"]) == fixed.path;
        let fixed = fixed.iter().find(is_it).unwrap_or_else(|| panic!("no edits for {comment}"));
        let (_, block) = body.split_once("suggestion\n").expect("a suggestion");
        let fence = block.lines().last().unwrap_or_default();
        let new = block.trim_end_matches('\n').strip_suffix(fence).and_then(|text| text.strip_suffix('\n')).expect("its end");
        let last = number(&comment["line"]);
        let first = comment["start_line"].as_u64().map_or(last, |first| first as usize);
        let mut lines: Vec<&str> = fixed.before.split('\n').collect();
        lines.splice(first - 1..last, new.split('\n'));
        // How GitHub ends the last of these lines is its own affair.
        assert_eq!(lines.join("\n").replace('\r', ""), fixed.after.replace('\r', ""), "{}", fixed.path);
    }
}
