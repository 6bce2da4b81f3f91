//! ALTER of what is no relation, type or domain: only RENAME is looked into, the rest touches no table.

use super::cursor::{Cursor, Read};
use super::{Operations, one, other};
use crate::model::name::Name;
use crate::model::operation::{ObjectKind, Operation};

/// What stands between the kind and the change.
#[derive(Clone, Copy)]
enum Naming {
    /// `schema.name`.
    Name,
    /// `name(argument types)`.
    Routine,
    /// `name ON table`.
    OnTable,
    /// Something else that is not asked for.
    Any,
}

/// Every kind, longest words first.
const KINDS: &[(&str, ObjectKind, Naming)] = &[
    ("function", ObjectKind::Function, Naming::Routine),
    ("procedure", ObjectKind::Procedure, Naming::Routine),
    ("routine", ObjectKind::Function, Naming::Routine),
    ("aggregate", ObjectKind::Aggregate, Naming::Routine),
    ("trigger", ObjectKind::Trigger, Naming::OnTable),
    ("rule", ObjectKind::Rule, Naming::OnTable),
    ("schema", ObjectKind::Schema, Naming::Name),
    ("extension", ObjectKind::Extension, Naming::Name),
    ("statistics", ObjectKind::Statistics, Naming::Name),
    ("database", ObjectKind::Database, Naming::Name),
    ("tablespace", ObjectKind::Tablespace, Naming::Name),
    ("user mapping for", ObjectKind::Other, Naming::Any),
    ("role all", ObjectKind::Role, Naming::Any),
    ("user all", ObjectKind::Role, Naming::Any),
    ("role", ObjectKind::Role, Naming::Name),
    ("user", ObjectKind::Role, Naming::Name),
    ("group", ObjectKind::Role, Naming::Name),
    ("publication", ObjectKind::Publication, Naming::Name),
    ("subscription", ObjectKind::Subscription, Naming::Name),
    ("event trigger", ObjectKind::EventTrigger, Naming::Name),
    ("collation", ObjectKind::Other, Naming::Name),
    ("conversion", ObjectKind::Other, Naming::Name),
    ("foreign data wrapper", ObjectKind::Other, Naming::Name),
    ("large object", ObjectKind::Other, Naming::Any),
    ("procedural language", ObjectKind::Other, Naming::Name),
    ("language", ObjectKind::Other, Naming::Name),
    ("operator", ObjectKind::Other, Naming::Any),
    ("property graph", ObjectKind::Other, Naming::Name),
    ("server", ObjectKind::Other, Naming::Name),
    ("system", ObjectKind::Other, Naming::Any),
    ("text search configuration", ObjectKind::Other, Naming::Name),
    ("text search dictionary", ObjectKind::Other, Naming::Name),
    ("text search parser", ObjectKind::Other, Naming::Name),
    ("text search template", ObjectKind::Other, Naming::Name),
];

/// ALTER of any other object.
pub(super) fn read(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("alter")?;
    let Some((words, object, naming)) = KINDS.iter().copied().find(|(words, ..)| cursor.take(words)) else {
        return Err(cursor.fail("a kind of object"));
    };
    let named = named(cursor, naming, object)?;
    if let (Some((name, table)), true) = (&named, cursor.take("rename to")) {
        let to = if object == ObjectKind::Role { cursor.role()? } else { cursor.ident()? };
        return Ok(one(cursor, from, Operation::Rename { object, name: name.clone(), table: table.clone(), to }));
    }
    let transactional = !outside_transactions(cursor, words);
    let from_change = cursor.mark();
    let tables = if object == ObjectKind::Publication { other::tables_of_publication(&mut cursor.clone())? } else { Vec::new() };
    cursor.until(|_| false)?;
    // A role may be altered by no word at all.
    if cursor.mark() == from_change && object != ObjectKind::Role {
        return Err(cursor.fail("a change"));
    }
    let object = named.map(|(name, _)| name);
    Ok(one(
        cursor,
        from,
        Operation::Other {
            words: format!("alter {}", words.trim_end_matches(" all").trim_end_matches(" for")).into(),
            object,
            tables,
            transactional,
        },
    ))
}

fn named(cursor: &mut Cursor<'_>, naming: Naming, object: ObjectKind) -> Read<Option<(Name, Option<Name>)>> {
    if matches!(naming, Naming::Any) {
        return Ok(None);
    }
    cursor.if_exists();
    if object == ObjectKind::Role {
        return Ok(Some((Name::bare(cursor.role()?), None)));
    }
    Ok(Some(match naming {
        Naming::Routine => (cursor.routine()?, None),
        Naming::OnTable => {
            let name = Name::bare(cursor.ident()?);
            cursor.expect("on")?;
            (name, Some(cursor.name()?))
        }
        Naming::Name | Naming::Any => (cursor.name()?, None),
    }))
}

/// Whether the server refuses the change in a transaction block (PreventInTransactionBlock).
fn outside_transactions(cursor: &Cursor<'_>, words: &str) -> bool {
    match words {
        "system" => true,
        // TABLESPACE is also taken as an option, and then it is the only one.
        "database" => cursor.sees_any(&["set tablespace", "tablespace", "with tablespace"]).is_some(),
        "subscription" => subscription_outside_transactions(cursor),
        _ => false,
    }
}

/// What asks the other server, or changes the slot there.
fn subscription_outside_transactions(cursor: &Cursor<'_>) -> bool {
    let says = |option, on| other::says(cursor.clone(), &[option], on);
    match cursor.sees_any(&["refresh", "set publication", "add publication", "drop publication", "set ("]) {
        Some("refresh") => true,
        Some("set (") => says("failover", true) || says("failover", false) || says("two_phase", false),
        // They refresh unless they are told not to.
        Some(_) => !says("refresh", false),
        None => false,
    }
}
