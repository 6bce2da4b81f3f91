//! `.migrationpilotrc.yml`.

use super::Translation;
use crate::rule::node::{Fault, Node, What};
use std::collections::BTreeSet;

/// Keys without a counterpart, and why.
const UNTOLD: &[(&str, &str)] = &[
    ("extends", "no preset of MigrationPilot is known here; `presets: [style]` turns on names and types"),
    ("plugins", "rules of your own are YAML in `rule_folders:`"),
    ("thresholds", "`stats:` and `small_tables:` say how large tables are, `hot_tables:` which are always in use"),
    ("auditLog", "nothing of that is kept"),
    ("team", "nothing of that is known"),
    ("policy", "`fail_on:` and `rules:` are nearest"),
];

const LEVELS: &[(&str, &str)] = &[("critical", "error"), ("warning", "warning"), ("irreversible", "error"), ("never", "never")];
const SEVERITIES: &[(&str, &str)] = &[("critical", "error"), ("warning", "warning")];

pub(super) fn read(root: &Node, translation: &mut Translation<'_>) -> Result<(), Fault> {
    translation.untold_keys(root.map()?, UNTOLD)?;
    for (key, value) in root.map()? {
        match key.text()? {
            "pgVersion" => translation.postgres(value, &value.number()?.to_string())?,
            "failOn" => {
                translation.draft.set("fail_on", value.one_of(LEVELS)?, format!("MigrationPilot: failOn: {}", value.text()?));
                if value.text()? == "irreversible" {
                    translation.untold("failOn: irreversible: migration-without-way-back is a warning, and no part of `fail_on: error`");
                }
            }
            "migrationPath" => {
                // The folder before the first part that is a pattern.
                let folder: Vec<_> =
                    value.text()?.trim_start_matches("./").split('/').take_while(|part| !part.contains(['*', '.'])).collect();
                match folder.is_empty() {
                    true => translation.untold("migrationPath: it names no folder"),
                    false => {
                        translation.draft.add("migrations", &folder.join("/"), format!("MigrationPilot: migrationPath: {}", value.text()?))
                    }
                }
            }
            "ignore" => {
                for pattern in value.list()? {
                    translation.draft.add("exclude", pattern.text()?, "MigrationPilot: ignore");
                }
            }
            "rules" => rules(value, translation)?,
            known if UNTOLD.iter().any(|(key, _)| *key == known) => {}
            other => translation.untold(format!("{other}: MigrationPilot does not know it either")),
        }
    }
    Ok(())
}

/// `MP037: false`, `MP004: { severity: warning }`.
fn rules(rules: &Node, translation: &mut Translation<'_>) -> Result<(), Fault> {
    let mut off = BTreeSet::new();
    let mut weighs = Vec::new();
    for (key, value) in rules.map()? {
        let named = translation.named(key)?;
        match &value.what {
            What::Bool(true) => {}
            What::Bool(false) => off.extend(named),
            _ => {
                let fields = value.fields(&["enabled", "severity", "threshold"])?;
                if fields.get("enabled").map_or(Ok(true), Node::bool)? {
                    let severity = fields.get("severity").map(|node| node.one_of(SEVERITIES)).transpose()?;
                    weighs
                        .extend(severity.into_iter().flat_map(|severity| named.iter().map(move |id| (*id, severity)).collect::<Vec<_>>()));
                } else {
                    off.extend(named);
                }
                if fields.get("threshold").is_some() {
                    translation.untold(format!("rules.{}.threshold: {}", key.text()?, UNTOLD[2].1));
                }
            }
        }
    }
    translation.turn_off(&off);
    for (theirs, severity) in weighs {
        for ours in translation.linter.named(theirs).flat_map(|rule| translation.counterparts(rule)).collect::<Vec<_>>() {
            translation.draft.rule(&ours, severity, format!("MigrationPilot: {theirs}"));
        }
    }
    Ok(())
}
