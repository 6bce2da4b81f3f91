//! Facts about how a table is kept: its storage parameters, its place, what replication knows its rows by.

use super::routine::later_upkeep;
use super::{Fact, Kind, Value, column, table};
use crate::model::kind::OpKind;
use crate::model::name::Name;
use crate::model::operation::{AlterAction, ObjectKind, Operation, Persistence, ReplicaIdentity};
use crate::rule::moment::Moment;

const KEEPS: &[OpKind] = &[OpKind::CreateTable, OpKind::SetOptions];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "autovacuum", kind: Kind::Words(&["untouched", "on", "off", "off_for_a_while"]), of: KEEPS, read: autovacuum,
           doc: "what it makes of autovacuum_enabled: `off_for_a_while` if the file turns it on again" },
    Fact { name: "kept_table", kind: Kind::Words(&["lasting", "temporary"]), of: KEEPS, read: kept_table,
           doc: "the table" },
    Fact { name: "persistence", kind: Kind::Words(&["logged", "unlogged"]), of: &[OpKind::SetPersistence], read: |m| Value::Word(match column::alter(m) { Some(AlterAction::SetPersistence(Persistence::Permanent)) => "logged", _ => "unlogged" }),
           doc: "SET LOGGED or SET UNLOGGED" },
    Fact { name: "replica_identity", kind: Kind::Words(&["default", "full", "nothing", "index"]), of: &[OpKind::SetReplicaIdentity], read: replica_identity,
           doc: "what logical replication records of an old row" },
    Fact { name: "has_primary_key", kind: Kind::Bool, of: &[OpKind::SetReplicaIdentity], read: has_primary_key,
           doc: "the table has a primary key" },
    Fact { name: "repackable", kind: Kind::Bool, of: REPACKED, read: |m| repacked(m).is_some().into(),
           doc: "it writes one table anew of which REPACK (CONCURRENTLY) can tell the rows apart: known, with a primary key, neither partitioned nor unlogged" },
    Fact { name: "repacked", kind: Kind::Text, of: REPACKED, read: |m| repacked(m).into(),
           doc: "the same as REPACK (CONCURRENTLY)" },
];

const REPACKED: &[OpKind] = &[OpKind::Vacuum, OpKind::Cluster, OpKind::Repack];

/// By the manual of 19, of which there is no release to try it on.
fn repacked(m: &Moment<'_>) -> Option<String> {
    let known = table::relation(m).filter(|known| {
        known.primary_key().is_some()
            && known.kind == ObjectKind::Table
            && known.partition_by.is_none()
            && known.persistence == Persistence::Permanent
            && known.replica_identity == ReplicaIdentity::Default
    })?;
    let name = table::name(m)?.sql();
    if m.statement()?.operations.len() > 1 {
        return None;
    }
    match m.operation()? {
        Operation::Vacuum { analyze: true, .. } => Some(format!("REPACK (CONCURRENTLY, ANALYZE) {name}")),
        Operation::Vacuum { .. } => Some(format!("REPACK (CONCURRENTLY) {name}")),
        Operation::Cluster { index, .. } => {
            let index = index.as_ref().or(known.clustered_on.as_ref())?.sql();
            Some(format!("REPACK (CONCURRENTLY) {name} USING INDEX {index}"))
        }
        // Its index and its options would be lost.
        _ => None,
    }
}

type Options = [(Box<str>, Option<Box<str>>)];

fn options(operation: &Operation) -> Option<(&Name, &Options)> {
    match operation {
        Operation::CreateTable(create) => Some((&create.name, &create.options)),
        Operation::Alter(target, action) => match &**action {
            AlterAction::SetOptions { options } => Some((&target.name, options)),
            _ => None,
        },
        _ => None,
    }
}

/// What the options make of autovacuum of the table itself; its TOAST table follows it.
fn enabled(options: &Options) -> Option<bool> {
    let (_, value) = options.iter().rev().find(|(name, _)| &**name == "autovacuum_enabled")?;
    Some(value.as_ref().is_none_or(|value| !is_false(value)))
}

/// As the server reads a Boolean (parse_bool): any beginning of `false`, `no` and `off` that only they have.
fn is_false(value: &str) -> bool {
    let word = value.trim_matches('\'').to_ascii_lowercase();
    word == "0" || (!word.is_empty() && ("false".starts_with(&word) || "no".starts_with(&word))) || word == "of" || word == "off"
}

fn autovacuum<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some((table, options)) = m.operation().and_then(options) else { return Value::Unknown };
    Value::Word(match enabled(options) {
        None => "untouched",
        Some(true) => "on",
        Some(false) if comes_back(m, table) => "off_for_a_while",
        Some(false) => "off",
    })
}

/// Whether a later statement of the file turns it on again, or drops the table.
fn comes_back(m: &Moment<'_>, table: &Name) -> bool {
    later_upkeep(m, &table.name).any(|(_, operation)| match operation {
        Operation::Alter(target, action) if target.name == *table => match &**action {
            AlterAction::SetOptions { options } => enabled(options) == Some(true),
            AlterAction::ResetOptions { options } => options.iter().any(|name| &**name == "autovacuum_enabled"),
            _ => false,
        },
        Operation::Drop(drop) => drop.name == *table,
        _ => false,
    })
}

fn kept_table<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some((table, _)) = m.operation().and_then(options) else { return Value::Unknown };
    let temporary = match m.operation() {
        Some(Operation::CreateTable(create)) => create.persistence == Persistence::Temporary,
        _ => table::state(m, table) == "temporary",
    };
    Value::Named(if temporary { "temporary" } else { "lasting" }, table.sql().into())
}

fn replica_identity<'a>(m: &Moment<'a>) -> Value<'a> {
    match column::alter(m) {
        Some(AlterAction::ReplicaIdentity(identity)) => Value::Word(match identity {
            ReplicaIdentity::Default => "default",
            ReplicaIdentity::Full => "full",
            ReplicaIdentity::Nothing => "nothing",
            ReplicaIdentity::UsingIndex(_) => "index",
        }),
        _ => Value::Unknown,
    }
}

fn has_primary_key<'a>(m: &Moment<'a>) -> Value<'a> {
    match table::relation(m) {
        Some(relation) if relation.primary_key().is_some() => true.into(),
        Some(relation) if relation.complete => false.into(),
        _ => Value::Unknown,
    }
}
