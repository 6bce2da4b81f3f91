//! The schemas for editors against the readers: what an editor marks as wrong, lockkeeper refuses, and keys, words and kinds of values that
//! lockkeeper refuses, an editor marks.

use jsonschema::Validator;
use lockkeeper::config::{Config, FILE_NAME, TEMPLATE, schema};
use lockkeeper::problem::Problem;
use lockkeeper::rule::file::Rule;
use lockkeeper::rule::schema::rules;
use lockkeeper::rule::set::RuleSet;
use lockkeeper::text::SourceFile;
use serde_json::Value as Json;
use serde_yaml::{Mapping, Value};
use std::fs;
use std::path::{Path, PathBuf};

fn validator(schema: &Json) -> Validator {
    jsonschema::draft202012::meta::validate(schema).expect("it is a schema of its dialect");
    jsonschema::validator_for(schema).expect("it is a schema")
}

fn of_rules() -> Validator {
    validator(&rules())
}

fn of_config() -> Validator {
    validator(&schema::config(&RuleSet::embedded()))
}

fn yaml_files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut paths: Vec<_> = fs::read_dir(&folder).expect("the folder is there").filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    assert!(paths.len() > 5);
    paths
}

fn json(yaml: &Value) -> Json {
    serde_json::to_value(yaml).expect("the keys are texts")
}

fn read_rule(text: &str) -> Result<(), Problem> {
    let source = SourceFile::new("rules/drop-view.yaml", text);
    Rule::read(&source)?;
    Rule::read_examples(&source).map(drop)
}

/// What the schema does not like about a file.
fn complaints(validator: &Validator, yaml: &Value) -> String {
    validator.iter_errors(&json(yaml)).map(|error| format!("{}: {error}\n", error.instance_path())).collect()
}

#[test]
fn every_rule_of_ours_is_right() {
    let validator = of_rules();
    for path in yaml_files("rules") {
        let yaml = serde_yaml::from_str(&fs::read_to_string(&path).expect("it was listed")).expect("it is YAML");
        assert_eq!(complaints(&validator, &yaml), "", "{}", path.display());
    }
}

/// What no schema can say: an order of keys, that a key is said once, and what stands inside of a text.
const BEYOND_A_SCHEMA: &[&str] = &[
    "key-said-twice",
    "no-yaml",
    "operation-not-first",
    "unknown-fact-in-a-step",
    "unknown-fact-in-message",
    "fact-that-not-all-operations-have",
];

#[test]
fn every_broken_rule_is_refused_unless_its_fault_is_one_of_order_or_of_texts() {
    let validator = of_rules();
    for path in yaml_files("fixtures/broken") {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let yaml = serde_yaml::from_str::<Value>(&fs::read_to_string(&path).expect("it was listed"));
        let refused = !yaml.is_ok_and(|mut yaml| {
            // What is broken is not that there are no examples, unless it is.
            if let Value::Mapping(rule) = &mut yaml {
                rule.entry("examples".into()).or_insert(serde_yaml::from_str("bad: [{ sql: SELECT 1 }]").expect("it is YAML"));
            }
            complaints(&validator, &yaml).is_empty()
        });
        let told_by_yaml = ["key-said-twice", "no-yaml"].contains(&&*name);
        assert_eq!(refused, told_by_yaml || !BEYOND_A_SCHEMA.contains(&&*name), "{name}");
    }
}

#[test]
fn every_key_of_the_template_is_there_and_no_other() {
    let schema = schema::config(&RuleSet::embedded());
    let known: Vec<_> = schema["properties"].as_object().expect("it has keys").keys().cloned().collect();
    let is_key = |key: &str| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let key_of = |line: &str| line.trim_start_matches("# ").split_once(':').map(|(key, _)| key.to_owned());
    let mut keys: Vec<_> = TEMPLATE.lines().filter(|line| !line.starts_with("#  ")).filter_map(key_of).filter(|key| is_key(key)).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys, known);
}

#[test]
fn the_template_and_the_configs_of_our_projects_are_right() {
    let validator = of_config();
    let mut texts = vec![TEMPLATE.to_owned()];
    let projects = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/projects");
    for project in fs::read_dir(projects).expect("there are projects").flatten() {
        texts.extend(fs::read_to_string(project.path().join(FILE_NAME)).ok());
    }
    assert!(texts.len() > 1);
    for text in texts {
        let yaml = serde_yaml::from_str(&text).unwrap_or(Value::Null);
        assert_eq!(complaints(&validator, &yaml), "", "{text}");
    }
}

/// Values of every kind, and words of every table.
fn values() -> Vec<Value> {
    let texts = "15 15.4 9.6 -1 0 64 2s 5min 0.5h 2parsecs runner none one-message assumed allowed refused off advice warning error style whole partial \
                 auto never three-phase snake_case any *_idx {table}_* public.orders share additive safe elsewhere file existing";
    let mut values: Vec<_> = texts.split_whitespace().map(|word| serde_yaml::from_str(&quoted_star(word)).expect("a value")).collect();
    for text in [
        "~",
        "true",
        "[]",
        "[style]",
        "[off]",
        "[1]",
        "['*_a', any]",
        "{}",
        "{ rows: 3 }",
        "{ rows: -3, names: a }",
        "{ drop-column: off }",
        "{ index: '{table}_*', longest: 40 }",
        "{ table: '{table}_*' }",
        "{ schema: [any, 'x*'] }",
        "{ longest: 64 }",
        "{ at_least: 14 }",
        "{ like: 'a*' }",
        "{ orders: share }",
        "{ orders: shared }",
        "{ lock: { timeout: 2s, budget: 3min, attempts: 30, max_waiters: 0 } }",
        "{ lock: { timeout: 2 } }",
        "{ lock: { attempts: 0 } }",
        "{ lock: { max_waiters: -1 } }",
        "{ index: { lock_timeout: 1min, timeout: 1.5h } }",
        "{ index: 5min }",
        "{ statement_timeout: 0s }",
        "{ statement_timeout: 5 min, reconnect: 1d }",
        "{ reconnect: 500us }",
        "{ search_path: 'shop, public', role: keeper }",
        "{ role: [keeper] }",
        "{ settings: { work_mem: 64MB, jit: false, shop.tenant: 7 } }",
        "{ settings: { lock_timeout: 1s } }",
        "{ settings: { 'work mem': 1 } }",
        "{ settings: { work_mem: [1] } }",
        "{ staging: {} }",
        "{ staging: ~ }",
        "{ staging: { database: shop, url_env: SHOP_URL, approve: additive, env_file: .env, confirm: true } }",
        "{ staging: { url: 'postgres://keeper@db/shop?sslmode=require' } }",
        "{ staging: { url: 'postgres://keeper:secret@db/shop' } }",
        "{ staging: { url: 'postgres://db/shop?user=keeper&password=secret' } }",
        "{ staging: { url: 'mysql://db/shop' } }",
        "{ staging: { url_env: 'SHOP-URL' } }",
        "{ staging: { url: 'postgres://db/shop', url_env: SHOP_URL } }",
        "{ staging: { approve: [aditive] } }",
        "{ staging: { confirm: 'yes' } }",
        "{ tool: alembic, directory: db, source: ['**/*.py'], timeout: 90s }",
        "[{ tool: django, command: [uv, run, manage.py, shell] }]",
        "{ tool: rails }",
        "{ command: [bin/print-sql], source: db/*.rb, cut: '-- == {revision} {any}' }",
        "{ command: [bin/print-sql], source: db/*.rb, cut: '-- == {file} {revision}' }",
        "{ command: [bin/print-sql], source: db/*.rb, cut: '== {file}' }",
        "{ command: [bin/print-sql], source: db/*.rb, cut: '-- {name} {file}' }",
        "{ command: [bin/print-sql] }",
        "{ command: [], source: db/*.rb }",
        "{ command: [''], source: db/*.rb }",
        "{ command: bin/print-sql, source: db/*.rb }",
        "''",
        "'15'",
        "'2 min'",
        "[[style]]",
        "[~]",
    ] {
        values.push(serde_yaml::from_str(text).expect("a value"));
    }
    values
}

fn quoted_star(word: &str) -> String {
    if word.contains(['*', '{']) { format!("'{word}'") } else { word.to_owned() }
}

#[test]
fn a_config_is_refused_by_its_schema_exactly_if_it_is_refused_by_its_reader() {
    let (schema, validator) = (schema::config(&RuleSet::embedded()), of_config());
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE_NAME);
    let (mut refused, mut taken) = (0, 0);
    for key in schema["properties"].as_object().expect("it has keys").keys().map(String::as_str).chain(["migratons"]) {
        for value in values() {
            let config = Value::Mapping(Mapping::from_iter([(Value::from(key), value)]));
            let text = serde_yaml::to_string(&config).expect("it was read");
            fs::write(&path, &text).expect("it is written");
            let read = Config::read(&path);
            assert_eq!(read.is_ok(), validator.is_valid(&json(&config)), "{text}{:?}\n{}", read.err(), complaints(&validator, &config));
            *if validator.is_valid(&json(&config)) { &mut taken } else { &mut refused } += 1;
        }
    }
    assert!(refused > 300 && taken > 80, "{refused} {taken}");
}

/// Every way in which one value of a tree is another one, one key is another one, or one key is not there.
fn mutations(tree: &Value, others: &[Value], seed: usize) -> Vec<Value> {
    let mut mutations = Vec::new();
    let mut places = vec![Vec::new()];
    while let Some(place) = places.pop() {
        let other = &others[(seed + places.len() * 7 + mutations.len()) % others.len()];
        let mut changed = tree.clone();
        *at(&mut changed, &place) = other.clone();
        mutations.push(changed);
        match at(&mut tree.clone(), &place) {
            Value::Mapping(map) => {
                for (which, (key, _)) in map.iter().enumerate() {
                    let (mut without, mut misspelt) = (tree.clone(), tree.clone());
                    if let (Value::Mapping(without), Value::Mapping(misspelt)) = (at(&mut without, &place), at(&mut misspelt, &place)) {
                        without.shift_remove(key);
                        let renamed = map.iter().enumerate().map(|(at, (key, value))| match at == which {
                            true => (Value::from(format!("{}x", key.as_str().unwrap_or_default())), value.clone()),
                            false => (key.clone(), value.clone()),
                        });
                        *misspelt = renamed.collect();
                    }
                    mutations.extend([without, misspelt]);
                    places.push([&place[..], &[which]].concat());
                }
            }
            Value::Sequence(items) => places.extend((0..items.len()).map(|which| [&place[..], &[which]].concat())),
            _ => {}
        }
    }
    mutations
}

fn at<'v>(tree: &'v mut Value, place: &[usize]) -> &'v mut Value {
    place.iter().fold(tree, |node, which| match node {
        Value::Mapping(map) => map.values_mut().nth(*which).expect("the place was seen"),
        Value::Sequence(items) => &mut items[*which],
        leaf => leaf,
    })
}

/// Words of faults that a schema cannot tell.
const OF_ORDER_OR_TEXTS: &[&str] = &[
    "`op` comes first",
    "to show",
    "is not the same kind of fact",
    "keywords are written in upper case",
    "at least one bad example",
    "there is no part `",
    "only inserts are possible here",
    "SQL can be inserted before the first statement",
    "says which name",
    "is the same whatever `of` says",
    "there is no `edit` that this could be about",
    "that is no major version",
    "`{` is never closed",
];

/// Of each rule the examples say the same things again and again: the first of each kind is enough.
fn short(mut rule: Value) -> Value {
    for key in ["bad", "good"] {
        if let Some(Value::Sequence(examples)) = rule.get_mut("examples").and_then(|examples| examples.get_mut(key)) {
            examples.truncate(1);
        }
    }
    rule
}

/// `fix.edit.of: ...`, also of one edit among several.
fn is_of_edit(message: &str) -> bool {
    message.split_once(": ").is_some_and(|(place, _)| place.contains("fix.edit") && place.ends_with(".of"))
}

#[test]
fn a_rule_is_refused_by_its_schema_exactly_if_its_reader_refuses_a_key_a_word_or_a_kind_of_value() {
    let (validator, others) = (of_rules(), values());
    let (mut refused, mut taken, mut beyond) = (0, 0, 0);
    for (seed, path) in yaml_files("rules").iter().enumerate().filter(|(at, _)| at % 4 == 0) {
        let rule = short(serde_yaml::from_str(&fs::read_to_string(path).expect("it was listed")).expect("it is YAML"));
        for changed in mutations(&rule, &others, seed) {
            let text = serde_yaml::to_string(&changed).expect("it was read");
            match (read_rule(&text), validator.is_valid(&json(&changed))) {
                (Ok(()), true) => taken += 1,
                (Err(_), false) => refused += 1,
                // What is said for all matches depends on the operations of all.
                (Err(problem), true) if problem.message.starts_with("fix.where") || is_of_edit(&problem.message) => beyond += 1,
                (Err(problem), true) if OF_ORDER_OR_TEXTS.iter().any(|words| problem.message.contains(words)) => beyond += 1,
                (Err(problem), true) => panic!("{}: the schema takes it, and the reader says: {}\n{text}", path.display(), problem.message),
                (Ok(()), false) => {
                    let complaints = complaints(&validator, &changed);
                    panic!("{}: the reader takes it, and the schema says: {complaints}\n{text}", path.display())
                }
            }
        }
    }
    assert!(refused > 2000 && taken > 500, "{refused} refused, {taken} taken, {beyond} beyond");
}
