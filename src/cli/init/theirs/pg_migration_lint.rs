//! `pg-migration-lint.toml`.

use super::Translation;
use crate::rule::node::{Fault, Node};
use std::collections::BTreeSet;

const LEVELS: &[(&str, &str)] =
    &[("blocker", "error"), ("critical", "error"), ("major", "warning"), ("minor", "warning"), ("info", "advice"), ("none", "never")];

pub(super) fn read(root: &Node, translation: &mut Translation<'_>) -> Result<(), Fault> {
    let mut off = BTreeSet::new();
    for (section, value) in root.map()? {
        match section.text()? {
            "migrations" => migrations(value, translation)?,
            "liquibase" => {
                for (key, _) in value.map()? {
                    translation.untold(format!("liquibase.{}: changelogs in SQL are read as they are, those in XML are not", key.text()?));
                }
            }
            "output" => translation
                .untold("output: `lockkeeper lint --format sarif` writes to standard output; the format of SonarQube is not known"),
            "cli" => cli(value, translation)?,
            "rules" => {
                for (key, value) in value.map()? {
                    match key.text()? {
                        "disabled" => off = translation.named(value)?,
                        other => translation.untold(format!("rules.{other}: pg-migration-lint does not know it either")),
                    }
                }
            }
            other => translation.untold(format!("{other}: pg-migration-lint does not know it either")),
        }
    }
    translation.turn_off(&off);
    translation.turn_on(|rule| !off.contains(rule.id));
    Ok(())
}

fn migrations(section: &Node, translation: &mut Translation<'_>) -> Result<(), Fault> {
    for (key, value) in section.map()? {
        match key.text()? {
            "paths" => {
                for path in value.list()? {
                    translation.draft.add("migrations", path.text()?.trim_start_matches("./"), "pg-migration-lint: migrations.paths");
                }
            }
            "exclude" => {
                for pattern in value.list()? {
                    translation.exclude(pattern.text()?);
                }
            }
            "strategy" if value.text()? == "liquibase" => {
                translation.draft.set("tool", "liquibase", "pg-migration-lint: migrations.strategy")
            }
            "strategy" => {}
            "run_in_transaction" => {
                let mode = if value.bool()? { "runner" } else { "none" };
                translation.draft.set("transaction", mode, format!("pg-migration-lint: run_in_transaction = {}", value.bool()?));
            }
            "default_schema" if value.text()? == "public" => {}
            "default_schema" => translation.untold(format!(
                "migrations.default_schema: names without a schema are those of public here, not of {}; SET search_path in the files tells",
                value.text()?
            )),
            "include" => translation.untold("migrations.include: files that end in .sql, .pgsql or .psql are read, those in XML are not"),
            other => translation.untold(format!("migrations.{other}: pg-migration-lint does not know it either")),
        }
    }
    Ok(())
}

fn cli(section: &Node, translation: &mut Translation<'_>) -> Result<(), Fault> {
    for (key, value) in section.map()? {
        match key.text()? {
            "fail_on" => translation.draft.set("fail_on", value.one_of(LEVELS)?, format!("pg-migration-lint: fail_on = {}", value.text()?)),
            other => translation.untold(format!("cli.{other}: pg-migration-lint does not know it either")),
        }
    }
    Ok(())
}
