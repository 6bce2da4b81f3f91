//! The words that rules are written in, as the manual and `lockkeeper rules` list them.

use super::facts::{self, Fact, Kind};
use super::set::RuleSet;
use crate::model::kind::OpKind;
use crate::problem::Problem;
use std::fmt::Write as _;

/// All operations and all facts.
pub fn everything() -> String {
    let mut text = String::from("# Operations\n\n");
    for op in OpKind::ALL {
        let _ = writeln!(text, "- `{op}`: {}", op.doc());
    }
    text.push_str("\n# Facts\n");
    for fact in facts::all() {
        let _ = writeln!(text, "\n## `{}`\n\n{}\n\nValues: {}\nOf: {}", fact.name, fact.doc, values(fact.kind), owners(fact));
    }
    text
}

/// All rules as a table in Markdown.
///
/// # Errors
/// A rule cannot be read.
pub fn table(rules: &RuleSet) -> Result<String, Problem> {
    let mut text = String::from("| rule | severity | class | hazard | elsewhere |\n|---|---|---|---|---|\n");
    for entry in rules.all() {
        let rule = entry.rule().map_err(Clone::clone)?;
        let severity = if rule.opt_in { format!("{}, off by default", rule.severity) } else { rule.severity.to_string() };
        let aliases: Vec<_> = rule.aliases.iter().map(|alias| format!("`{alias}`")).collect();
        let aliases = aliases.join(", ");
        let _ = writeln!(text, "| [`{0}`](#{0}) | {severity} | {1} | {2} | {aliases} |", rule.id, rule.class, rule.title);
    }
    Ok(text)
}

/// The facts of one operation, a line each.
pub fn facts_of(op: OpKind) -> String {
    let widest = facts::of(op).map(|fact| fact.name.len()).max().unwrap_or_default();
    facts::of(op).fold(String::new(), |mut text, fact| {
        let _ = writeln!(text, "{:<widest$}  {}; {}", fact.name, values(fact.kind), fact.doc);
        text
    })
}

fn values(kind: Kind) -> String {
    match kind {
        Kind::Bool => "true, false".to_owned(),
        Kind::Words(words) => words.join(", "),
        Kind::Number => "a number".to_owned(),
        Kind::Text => "text".to_owned(),
    }
}

fn owners(fact: &Fact) -> String {
    match fact.of.len() {
        count if count == OpKind::ALL.len() => "everything".to_owned(),
        _ => fact.of.iter().map(|op| format!("`{op}`")).collect::<Vec<_>>().join(", "),
    }
}
