//! What the model says of a statement, against what real servers were seen to do: `fixtures/lock-truth.json`, 567 statement forms on
//! PostgreSQL 12 to 19, and `fixtures/lock-truth-more.json`, 175 on 12 to 18, which `tests/measure_locks.py` made out of
//! `fixtures/lock-truth-more.txt`.
//!
//! A row's setup is replayed as history, its statement is assessed, and each measured field is compared. A row that disagrees fails the
//! test unless it stands in `EXCEPTIONS` with the reason why no reading of the statement could know better.

use lockkeeper::model::catalog::{Catalog, Step};
use lockkeeper::model::effects::{Effects, InTransaction, Version, assess, union};
use lockkeeper::model::lock::LockMode;
use lockkeeper::model::name::QualifiedName;
use lockkeeper::model::session::{Session, TransactionMode};
use lockkeeper::sql;
use lockkeeper::text::{SourceFile, Span};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const FIXTURES: [&str; 2] = ["lock-truth.json", "lock-truth-more.json"];

/// Rows that no one could foresee from the statement and the schema alone: row, field, reason. `*` stands for every field.
#[rustfmt::skip]
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    // Effects are foretold for a table that is large and in use. That it is empty, no migration says.
    ("type-int-to-bigint-empty",            "rewrites",     "the table is empty"),
    ("type-int-to-bigint-empty",            "scans",        "the table is empty"),
    ("add-fk-to-empty-table",               "scans",        "the table is empty"),
    ("create-partition-default-empty",      "scans",        "the default partition is empty"),
    ("create-table-like-then-attach-empty", "scans",        "the new partition is empty"),
    ("vacuum-clean-table",                  "scans",        "all pages are known to be visible already"),
    // What the planner chooses depends on the rows.
    ("add-fk-to-partitioned",               "scans",        "the planner reads the smaller partition through its index"),
    ("select",                              "scans",        "how a plain read finds its rows is left to the planner: it keeps nobody waiting"),
    ("select-all-for-key-share",            "scans",        "how a read finds its rows is left to the planner"),
    ("analyze",                             "scans",        "a sample of fixed size is read, and 10,000 rows fit in it"),
    ("add-column-references-default-null",  "scans",        "every new key is NULL, so none is looked up"),
    ("add-column-references-beside-default","scans",        "every new key is NULL, so none is looked up"),
    ("add-column-then-foreign-key",         "scans",        "every new key is NULL, so none is looked up"),
    // What only the server knows.
    ("alter-table-all-in-tablespace",       "locks",        "which tables lie in a tablespace, only the server knows: said to be opaque"),
    ("alter-table-all-in-tablespace",       "rewrites",     "the same"),
    ("alter-index-all-in-tablespace",       "index_locks",  "the same"),
    ("alter-index-all-in-tablespace",       "rebuilds",     "the same"),
    // How it was measured.
    ("queue-drop-index",                    "index_locks",  "seen while it still waits for the table; the index comes next, as in the row drop-index"),
];

const FIELDS: [&str; 9] = ["locks", "index_locks", "rewrites", "scans", "rebuilds", "builds", "transaction", "known", "read"];

#[derive(Default)]
struct Count {
    agree: BTreeMap<&'static str, usize>,
    total: BTreeMap<&'static str, usize>,
}

#[test]
fn effects_are_what_servers_were_seen_to_do() {
    let rows: Vec<Value> = FIXTURES.iter().flat_map(|file| rows(file)).collect();
    let (mut wrong, mut unused) = (Vec::new(), EXCEPTIONS.iter().map(|(row, field, _)| (*row, *field)).collect::<BTreeSet<_>>());
    for server in Version::OLDEST.0..=Version::NEWEST.0 {
        let (mut count, mut rejected, mut excused) = (Count::default(), 0, 0);
        for row in &rows {
            let measured = &row["versions"][server.to_string()];
            if measured.is_null() {
                continue;
            }
            if !measured["error"].is_null() {
                rejected += 1;
                continue;
            }
            let differences = compare(row, measured, Version(server), &mut count);
            for (field, difference) in differences {
                let id = row["id"].as_str().unwrap_or_default();
                match EXCEPTIONS.iter().find(|(row, of, _)| *row == id && *of == field) {
                    Some((row, of, _)) => {
                        unused.remove(&(row, of));
                        excused += 1;
                    }
                    None => wrong.push(format!("{server} {id} {field}: {difference}\n      {}", row["sql"].as_str().unwrap_or_default())),
                }
            }
        }
        let fields: Vec<String> =
            FIELDS.iter().filter_map(|field| Some(format!("{field} {}/{}", count.agree.get(field)?, count.total[field]))).collect();
        println!("PostgreSQL {server}: {}; {excused} excused, {rejected} rejected by the server", fields.join(", "));
    }
    assert!(wrong.is_empty(), "{} fields disagree:\n{}", wrong.len(), wrong.join("\n"));
    assert!(unused.is_empty(), "exceptions that excuse nothing: {unused:?}");
}

fn rows(file: &str) -> Vec<Value> {
    let text =
        std::fs::read_to_string(format!("{}/fixtures/{file}", env!("CARGO_MANIFEST_DIR"))).expect("the fixture is in the repository");
    serde_json::from_str(&text).expect("the fixture is JSON")
}

fn statements(text: &str) -> Vec<sql::Statement> {
    let source = SourceFile::new("row.sql", text);
    sql::read(&source, Span::new(0, text.len() as u32)).statements
}

/// Where the relations of a row are. The server that was measured had citext.
const PLACE: &str = "CREATE SCHEMA IF NOT EXISTS lt; SET search_path = lt, public; CREATE EXTENSION IF NOT EXISTS citext;";

/// Runs statements: catalog and session move on.
fn run(text: &str, catalog: &mut Catalog, session: &mut Session, server: Version) {
    for statement in statements(text) {
        let effects = assess(&statement.operations, catalog, session, server);
        for (operation, effects) in statement.operations.iter().zip(&effects) {
            catalog.replay(&operation.what, session.step());
            session.advance(&operation.what, effects, 0);
            catalog.follow(session);
        }
    }
}

/// A row's statement, judged.
fn judge(row: &Value, server: Version) -> (Effects, bool) {
    let mut catalog = Catalog::new(true);
    let setup = format!("{PLACE} {}", row["setup"].as_str().unwrap_or_default().replace("{n}", "10000"));
    run(&setup, &mut catalog, &mut Session::new(TransactionMode::None, Step(1)), server);
    let mut session = Session::new(TransactionMode::None, Step(2));
    run(PLACE, &mut catalog, &mut session, server);
    for setting in row["session"].as_array().into_iter().flatten() {
        run(setting.as_str().unwrap_or_default(), &mut catalog, &mut session, server);
    }
    let before = row["pre"].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>();
    if !before.is_empty() {
        run("BEGIN;", &mut catalog, &mut session, server);
        before.iter().for_each(|text| run(text, &mut catalog, &mut session, server));
    }
    let read = statements(row["sql"].as_str().unwrap_or_default());
    let whole = read.iter().all(|statement| statement.reading == sql::Reading::Full);
    let effects: Vec<Effects> = read.iter().flat_map(|statement| assess(&statement.operations, &catalog, &session, server)).collect();
    let mut all = union(&effects);
    // What the same transaction holds from earlier statements was seen with the statement's own locks.
    let held: Vec<Effects> = session.held().iter().map(|held| Effects { locks: vec![held.lock.clone()], ..Effects::default() }).collect();
    all = union(&held.into_iter().chain([all]).collect::<Vec<_>>());
    (all, whole)
}

fn compare(row: &Value, measured: &Value, server: Version, count: &mut Count) -> Vec<(&'static str, String)> {
    let (effects, whole) = judge(row, server);
    let target = row["target"].as_str().unwrap_or_default();
    let mut differences = Vec::new();
    let mut check = |field: &'static str, seen: &BTreeSet<String>, said: &BTreeSet<String>| {
        *count.total.entry(field).or_default() += 1;
        if seen == said {
            *count.agree.entry(field).or_default() += 1;
        } else {
            let list = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(", ");
            differences.push((field, format!("seen [{}], said [{}]", list(seen), list(said))));
        }
    };
    let brief = brief_locks(row);
    let indexes = index_names(row, measured, &effects);
    if measured["table_lock"] != "not observed" {
        let (mut tables, mut on_indexes) = (locks(&measured["other_locks"]), locks(&measured["index_locks"]));
        if let Some(mode) = measured["table_lock"].as_str().and_then(LockMode::read) {
            tables.insert(target.to_owned(), mode);
        }
        tables.retain(|_, mode| *mode > LockMode::AccessShare);
        on_indexes.retain(|_, mode| *mode >= LockMode::ShareUpdateExclusive);
        let said: BTreeMap<String, LockMode> = effects.locks.iter().map(|lock| (lock.relation.name.to_string(), lock.mode)).collect();
        let (said_indexes, said_tables): (BTreeMap<_, _>, BTreeMap<_, _>) = said.into_iter().partition(|(name, _)| indexes.contains(name));
        check("locks", &words(&tables, &BTreeMap::new()), &words(&said_tables, &allowed(&tables, &brief)));
        check("index_locks", &words(&on_indexes, &BTreeMap::new()), &words(&said_indexes, &allowed(&on_indexes, &brief)));
    }
    let seen = |on_target: &str, others: &str| {
        let mut names = names(&measured[others]);
        if measured[on_target] == true {
            names.insert(target.to_owned());
        }
        names
    };
    check("rewrites", &seen("rewrites_table", "rewrites_other"), &said(&effects.rewrites));
    check("scans", &seen("scans_table", "scans_other"), &said(&effects.scans));
    check("rebuilds", &names(&measured["rebuilds_indexes"]), &said(&effects.rebuilds));
    check("builds", &names(&measured["builds_indexes"]), &said(&effects.builds));
    let allowed_in_block = |allowed: bool| BTreeSet::from([if allowed { "allowed" } else { "forbidden" }.to_owned()]);
    let seen = measured["in_transaction_ok"].as_bool().unwrap_or(true);
    check("transaction", &allowed_in_block(seen), &allowed_in_block(effects.transaction == InTransaction::Allowed));
    let none = BTreeSet::new();
    check("known", &none, &effects.assumed.iter().map(|fact| (*fact).to_owned()).collect());
    check("read", &none, &if whole { BTreeSet::new() } else { BTreeSet::from(["not read whole".to_owned()]) });
    differences
}

/// Locks that were given back before the end, in whichever version they were caught: seen means taken, not seen proves nothing.
fn brief_locks(row: &Value) -> BTreeMap<String, LockMode> {
    let mut all: BTreeMap<String, LockMode> = BTreeMap::new();
    for measured in row["versions"].as_object().into_iter().flatten() {
        for (name, mode) in locks(&measured.1["brief_locks"]) {
            let strongest = all.entry(name).or_insert(mode);
            *strongest = mode.max(*strongest);
        }
    }
    all
}

/// What may be said beyond the locks that were held to the end: briefly held ones.
fn allowed(held: &BTreeMap<String, LockMode>, brief: &BTreeMap<String, LockMode>) -> BTreeMap<String, (Option<LockMode>, LockMode)> {
    brief.iter().map(|(name, mode)| (name.clone(), (held.get(name).copied(), *mode))).collect()
}

/// `t: SHARE`. A lock that lies between what was held and what was held briefly counts as what was held.
fn words(locks: &BTreeMap<String, LockMode>, brief: &BTreeMap<String, (Option<LockMode>, LockMode)>) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for (name, mode) in locks {
        match brief.get(name) {
            Some((held, most)) if mode <= most => {
                if let Some(held) = held {
                    words.insert(format!("{name}: {}", if mode >= held { held } else { mode }));
                }
            }
            _ => {
                words.insert(format!("{name}: {mode}"));
            }
        }
    }
    words
}

fn locks(value: &Value) -> BTreeMap<String, LockMode> {
    let all = value.as_object().into_iter().flatten();
    all.filter_map(|(name, mode)| Some((name.clone(), LockMode::read(mode.as_str()?)?))).collect()
}

fn names(value: &Value) -> BTreeSet<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn said(names: &[QualifiedName]) -> BTreeSet<String> {
    names.iter().map(|name| name.name.to_string()).collect()
}

/// Which of the names are indexes: those that the measurement or the model calls so.
fn index_names(row: &Value, measured: &Value, effects: &Effects) -> BTreeSet<String> {
    let mut all: BTreeSet<String> = locks(&measured["index_locks"]).into_keys().collect();
    all.extend(names(&measured["rebuilds_indexes"]));
    all.extend(said(&effects.rebuilds));
    let setup = row["setup"].as_str().unwrap_or_default();
    all.extend(effects.locks.iter().map(|lock| lock.relation.name.to_string()).filter(|name| {
        name.ends_with("_pkey") || name.ends_with("_idx") || name.ends_with("_key") || setup.contains(&format!("INDEX {name} ON"))
    }));
    all
}
