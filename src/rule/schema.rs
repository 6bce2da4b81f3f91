//! The JSON Schema of rule files, for editors: made of the tables that the readers use, so that neither can say what the other does not.

use super::facts::{self, Fact, Kind};
use super::file::{CASE, FILE, SAID_BY_EITHER};
use super::matcher::{LIKE, RANGE};
use super::shape::{Key, Object, Shape};
use crate::model::kind::OpKind;
use serde_json::{Map, Value, json};

/// The dialect that our schemas are written in.
pub const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of a rule file.
pub fn rules() -> Value {
    let mut schema = object(&FILE);
    schema["$schema"] = DIALECT.into();
    schema["title"] = "a rule of lockkeeper".into();
    schema["allOf"] = SAID_BY_EITHER.iter().map(|key| said_by_either(key)).collect();
    schema["properties"]["match"] = one_or_more(&json!({ "$ref": "#/$defs/match" }));
    schema["$defs"] = definitions();
    schema
}

/// The schema of a mapping.
pub(crate) fn object(object: &Object) -> Value {
    let properties: Map<_, _> = object.keys.iter().map(|key| (key.name.to_owned(), documented(key))).collect();
    let needed: Vec<_> = object.keys.iter().filter(|key| key.needed).map(|key| key.name).collect();
    let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !needed.is_empty() {
        schema["required"] = needed.into();
    }
    if !object.one_of.is_empty() {
        schema["anyOf"] = object.one_of.iter().map(|key| json!({ "required": [key] })).collect();
    }
    schema
}

/// The schema of a key's value.
pub(crate) fn documented(key: &Key) -> Value {
    let mut schema = value(&key.shape);
    schema["description"] = key.doc.into();
    schema
}

/// The schema of a value.
pub(crate) fn value(shape: &Shape) -> Value {
    match shape {
        Shape::Text => json!({ "type": "string" }),
        Shape::Bool => json!({ "type": "boolean" }),
        Shape::Number => json!({ "type": "integer" }),
        Shape::Words(words) => json!({ "enum": words() }),
        Shape::List(item) => json!({ "type": "array", "items": value(item) }),
        Shape::Items(item) => one_or_more(&value(item)),
        Shape::Keys(keys) => object(keys),
        Shape::Map(each) => json!({ "type": "object", "additionalProperties": value(each) }),
        Shape::OneKey(words, each) => {
            let properties: Map<_, _> = words().into_iter().map(|word| (word.to_owned(), value(each))).collect();
            json!({ "type": "object", "properties": properties, "additionalProperties": false, "minProperties": 1, "maxProperties": 1 })
        }
        Shape::Either(shapes) => json!({ "anyOf": shapes.iter().map(value).collect::<Vec<_>>() }),
        Shape::Schema(schema) => schema(),
    }
}

/// Operations, at least one.
pub(super) fn ops() -> Value {
    let op = json!({ "$ref": "#/$defs/op" });
    json!({ "anyOf": [op, { "type": "array", "items": op, "minItems": 1 }] })
}

/// Facts, whichever they are: the operation of the match says more.
pub(super) fn any_facts() -> Value {
    json!({ "type": "object" })
}

fn one_or_more(item: &Value) -> Value {
    json!({ "anyOf": [item, { "type": "array", "items": item }] })
}

/// What each match has to say if the rule does not say it for all.
fn said_by_either(key: &str) -> Value {
    let in_each = one_or_more(&json!({ "type": "object", "required": [key] }));
    json!({ "anyOf": [{ "required": [key] }, { "properties": { "match": in_each } }] })
}

/// The facts, the sets of them that operations have, the operations, and a match of them.
fn definitions() -> Value {
    let mut definitions = Map::new();
    let ops = OpKind::ALL.iter().map(|op| json!({ "const": op.word(), "description": op.doc() }));
    definitions.insert("op".to_owned(), json!({ "oneOf": ops.collect::<Vec<_>>() }));
    for (at, fact) in facts::all().enumerate() {
        definitions.insert(name(fact, at), described(fact));
    }
    let mut matched = object(&CASE);
    matched["allOf"] = OpKind::ALL.iter().map(|op| facts_of(*op, &mut definitions)).collect();
    definitions.insert("match".to_owned(), matched);
    Value::Object(definitions)
}

/// Two facts may share a name.
fn name(fact: &Fact, at: usize) -> String {
    format!("{}-{at}", fact.name)
}

fn described(fact: &Fact) -> Value {
    let mut schema = match fact.kind {
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Words(words) => one_or_more(&json!({ "enum": words })),
        Kind::Number => one_or_more_or(&Shape::Number, &RANGE),
        Kind::Text => json!({ "anyOf": [
            { "type": "string" }, object(&LIKE),
            { "type": "array", "items": { "anyOf": [{ "type": "string" }, object(&LIKE)] } }
        ] }),
    };
    schema["description"] = fact.doc.into();
    schema
}

fn one_or_more_or(item: &Shape, other: &Object) -> Value {
    let item = value(item);
    json!({ "anyOf": [item, { "type": "array", "items": item }, object(other)] })
}

/// Where a match names this operation, only its facts may follow. Operations that have the same facts share one definition.
fn facts_of(op: OpKind, definitions: &mut Map<String, Value>) -> Value {
    let own = facts::all().enumerate().filter(|(_, fact)| fact.of.contains(&op));
    let properties: Map<_, _> =
        own.map(|(at, fact)| (fact.name.to_owned(), json!({ "$ref": format!("#/$defs/{}", name(fact, at)) }))).collect();
    let facts = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    let known = definitions.iter().find(|(_, known)| **known == facts).map(|(name, _)| name.clone());
    let name = known.unwrap_or_else(|| format!("facts-of-{}", op.word()));
    let facts_of = json!({ "$ref": format!("#/$defs/{}", name) });
    definitions.entry(name).or_insert(facts);
    let is_named = json!({ "anyOf": [{ "const": op.word() }, { "type": "array", "contains": { "const": op.word() } }] });
    json!({
        "if": { "properties": { "op": is_named }, "required": ["op"] },
        "then": { "properties": {
            "where": facts_of,
            "unless": one_or_more(&facts_of),
            "fix": { "properties": { "where": facts_of } }
        } }
    })
}
