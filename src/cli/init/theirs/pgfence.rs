//! `.pgfence.toml` and `.pgfence.json`.

use super::Translation;
use crate::rule::node::{Fault, Node, What};
use std::collections::BTreeSet;

/// Keys without a counterpart, and why.
const UNTOLD: &[(&str, &str)] = &[
    ("format", "which tool has written a file its name and its text tell, and `tool:`"),
    ("output", "`lockkeeper lint --format` says it"),
    ("db-url", "`lockkeeper stats` asks a server once how large its tables are"),
    ("stats-file", "`lockkeeper stats` writes one that `stats:` names"),
    ("max-risk", "`fail_on:` takes a severity or a class"),
    ("max-lock-timeout", "what is too long lock-timeout-too-long says"),
    ("max-statement-timeout", "how long is too long depends on the statement"),
    ("unknown", "what cannot be read is always an error"),
    ("unknown-handling", "what cannot be read is always an error"),
    ("snapshot", "`lockkeeper lint --schema` takes a dump of the schema"),
    ("plugins", "rules of your own are YAML in `rule_folders:`"),
    ("enable-rules", "rules are turned off one by one, never all but some"),
];

pub(super) fn read(root: &Node, translation: &mut Translation<'_>) -> Result<(), Fault> {
    let mut off = BTreeSet::new();
    translation.untold_keys(root.map()?, UNTOLD)?;
    for (key, value) in root.map()? {
        match key.text()? {
            "min-pg-version" => match &value.what {
                What::Number(number) => translation.postgres(value, &number.to_string())?,
                _ => _ = value.number()?,
            },
            "disable-rules" => off.append(&mut translation.named(value)?),
            "require-lock-timeout" => {
                if !value.bool()? {
                    off.extend(["missing-lock-timeout", "lock-timeout-after-dangerous-statement", "lock-timeout-zero"]);
                }
            }
            "require-statement-timeout" => {
                if !value.bool()? {
                    off.insert("missing-statement-timeout");
                }
            }
            known if UNTOLD.iter().any(|(key, _)| *key == known) => {}
            other => translation.untold(format!("{other}: pgfence does not know it either")),
        }
    }
    translation.turn_off(&off);
    translation.turn_on(|rule| !off.contains(rule.id));
    Ok(())
}
