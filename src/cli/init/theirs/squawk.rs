//! `.squawk.toml`.

use super::Translation;
use crate::rule::node::{Fault, Node};
use std::collections::BTreeSet;

/// What squawk says only if it is asked to.
const OPT_IN: &[&str] = &["require-table-schema"];

pub(super) fn read(root: &Node, translation: &mut Translation<'_>) -> Result<(), Fault> {
    let (mut off, mut on) = (BTreeSet::new(), BTreeSet::new());
    for (key, value) in root.map()? {
        match key.text()? {
            "pg_version" => translation.postgres(value, value.text()?)?,
            "excluded_rules" => off = translation.named(value)?,
            "included_rules" => on = translation.named(value)?,
            "excluded_paths" => {
                for path in value.list()? {
                    translation.exclude(path.text()?);
                }
            }
            "assume_in_transaction" => {
                let mode = if value.bool()? { "runner" } else { "none" };
                translation.draft.set("transaction", mode, format!("squawk: assume_in_transaction = {}", value.bool()?));
                if value.bool()? {
                    translation
                        .untold("a file that says `squawk-disable-assume-in-transaction` has to say `lockkeeper: transaction none` here");
                }
            }
            "upload_to_github" => translation.untold("upload_to_github: `lockkeeper init --workflow` writes a workflow that comments"),
            other => translation.untold(format!("{other}: squawk does not know it either")),
        }
    }
    translation.untold("squawk fails on whatever it finds; lockkeeper on errors (`fail_on: advice` is nearest to squawk)");
    translation.turn_off(&off);
    translation.turn_on(|rule| !off.contains(rule.id) && (on.contains(rule.id) || !OPT_IN.contains(&rule.id)));
    Ok(())
}
