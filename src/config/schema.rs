//! The JSON Schema of `lockkeeper.yaml`, for editors: made of the keys and words that the reader uses.

use super::apply::{MEMORY, SET_ELSEWHERE};
use super::environments::{ENVIRONMENT, SCHEMES};
use super::naming::{ANY, LENGTHS, LONGEST, OF_TABLE, SNAKE_CASE, has_table};
use super::read::{KEYS, UNITS};
use super::render::RENDER;
use crate::model::effects::Version;
use crate::rule::naming::KINDS;
use crate::rule::schema::{self, DIALECT};
use crate::rule::set::RuleSet;
use serde_json::{Map, Value, json};

/// The schema of the config of a project with these rules.
pub fn config(rules: &RuleSet) -> Value {
    let mut properties = Map::new();
    for entry in KEYS {
        let value = schema::value(&entry.key.shape);
        let or_nothing = json!({ "anyOf": [value, { "type": "null" }], "description": entry.key.doc });
        properties.insert(entry.key.name.to_owned(), or_nothing);
    }
    if let Some(levels) = properties.get_mut("rules").and_then(|rules| rules.pointer_mut("/anyOf/0")) {
        let level = levels["additionalProperties"].clone();
        // Other names are those that other linters use, and those of rules to come.
        levels["properties"] =
            rules.all().filter_map(|entry| Some((entry.id.clone(), documented(&level, &entry.rule().ok()?.title)))).collect();
    }
    json!({
        "$schema": DIALECT,
        "title": "lockkeeper.yaml",
        "description": "What a project says about itself to lockkeeper. Everything is optional.",
        "type": ["object", "null"],
        "properties": properties,
        "additionalProperties": false
    })
}

fn documented(value: &Value, words: &str) -> Value {
    let mut value = value.clone();
    value["description"] = words.into();
    value
}

/// A major version, with or without its minor.
pub(super) fn postgres() -> Value {
    let (Version(oldest), Version(newest)) = (Version::OLDEST, Version::NEWEST);
    let majors: Vec<_> = (oldest..=newest).map(|major| major.to_string()).collect();
    json!({ "anyOf": [
        { "enum": (oldest..=newest).collect::<Vec<_>>() },
        { "type": "number", "minimum": oldest, "exclusiveMaximum": u32::from(newest) + 1 },
        { "type": "string", "pattern": format!("^\\+?0*({})(\\..*)?$", majors.join("|")) }
    ] })
}

/// A time as PostgreSQL writes it.
pub(super) fn time() -> Value {
    let units: Vec<_> = UNITS.iter().map(|(unit, _)| *unit).filter(|unit| !unit.is_empty()).collect();
    json!({ "anyOf": [
        { "type": "number", "minimum": 0 },
        { "type": "string", "pattern": format!("^\\s*(\\d+\\.?\\d*|\\.\\d+)\\s*({})?\\s*$", units.join("|")) }
    ] })
}

/// A time with its unit, longer than nothing.
pub(super) fn positive_time() -> Value {
    let units: Vec<_> = UNITS.iter().map(|(unit, _)| *unit).filter(|unit| !["", "us"].contains(unit)).collect();
    json!({
        "type": "string",
        "pattern": format!("^\\s*(\\d+\\.?\\d*|\\.\\d+)\\s*({})\\s*$", units.join("|")),
        "not": { "pattern": "^[\\s0.]*[a-z]+\\s*$" }
    })
}

/// A number of rows, or of sessions.
pub(super) fn natural() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

/// Bytes as PostgreSQL writes them, with a unit.
pub(super) fn bytes() -> Value {
    let units: Vec<_> = MEMORY.iter().map(|(unit, _)| *unit).collect();
    json!({ "type": "string", "pattern": format!("^\\s*\\d+\\s*({})\\s*$", units.join("|")) })
}

/// A number of tries.
pub(super) fn positive() -> Value {
    json!({ "type": "integer", "minimum": 1 })
}

/// Settings of a session, by name.
pub(super) fn settings() -> Value {
    let elsewhere: Vec<_> = SET_ELSEWHERE.iter().map(|(name, _)| *name).collect();
    let word = "[A-Za-z_][A-Za-z0-9_]*";
    json!({
        "type": "object",
        "propertyNames": { "pattern": format!("^{word}(\\.{word})*$"), "not": { "enum": elsewhere } },
        "additionalProperties": { "type": ["string", "number", "boolean"] }
    })
}

/// A URL without a password.
pub(super) fn url() -> Value {
    json!({
        "type": "string",
        "pattern": format!("^({})", SCHEMES.join("|")),
        "not": { "pattern": "://[^:\\n]*:[^\\n]+@|password=[^&\\s]" }
    })
}

/// The name of an environment variable.
pub(super) fn variable() -> Value {
    json!({ "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" })
}

/// What is said of databases, by the names of their environments.
pub(super) fn environments() -> Value {
    let mut environment = schema::object(&ENVIRONMENT);
    environment["not"] = json!({ "required": ["url", "url_env"] });
    json!({ "type": "object", "additionalProperties": environment })
}

/// Programs that print migrations.
pub(super) fn render() -> Value {
    let mut program = schema::object(&RENDER);
    // Of a tool that is known the rest is known.
    program["anyOf"] = json!([{ "required": ["tool"] }, { "required": ["command", "source"] }]);
    json!({ "anyOf": [program, { "type": "array", "items": program }] })
}

/// A program and its arguments.
pub(super) fn command() -> Value {
    json!({ "type": "array", "items": { "type": "string" }, "minItems": 1, "prefixItems": [{ "minLength": 1 }] })
}

/// A comment with one hole that tells which migration begins.
pub(super) fn cut() -> Value {
    json!({ "type": "string", "pattern": "^--(\\{any\\}|[^{])*\\{(file|revision)\\}(\\{any\\}|[^{])*$" })
}

/// Forms of names, by kind.
pub(super) fn naming() -> Value {
    let mut properties: Map<_, _> = KINDS.iter().map(|(word, kind)| ((*word).to_owned(), forms(has_table(*kind)))).collect();
    properties.insert(LONGEST.to_owned(), json!({ "type": "integer", "minimum": LENGTHS.start(), "maximum": LENGTHS.end() }));
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

fn forms(has_table: bool) -> Value {
    let table = OF_TABLE.replace('{', "\\{").replace('}', "\\}");
    let pattern = match has_table {
        true => json!({ "type": "string", "pattern": format!("\\*|{table}") }),
        false => json!({ "type": "string", "pattern": "\\*", "not": { "pattern": table } }),
    };
    let form = json!({ "anyOf": [{ "enum": [SNAKE_CASE, ANY] }, pattern] });
    json!({ "anyOf": [form, { "type": "array", "items": form }] })
}
