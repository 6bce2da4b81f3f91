//! GRANT and REVOKE.

use super::super::cursor::{Cursor, Read};
use super::super::{Operations, one};
use crate::model::name::Name;
use crate::model::operation::{ObjectKind, Operation};

/// What stands behind ON, and whether its names can be listed.
const KINDS: &[(&str, ObjectKind, bool)] = &[
    ("all tables in schema", ObjectKind::Table, false),
    ("all sequences in schema", ObjectKind::Sequence, false),
    ("all functions in schema", ObjectKind::Function, false),
    ("all procedures in schema", ObjectKind::Procedure, false),
    ("all routines in schema", ObjectKind::Function, false),
    ("foreign data wrapper", ObjectKind::Other, true),
    ("foreign server", ObjectKind::Other, true),
    ("large object", ObjectKind::Other, false),
    ("property graph", ObjectKind::Other, true),
    ("parameter", ObjectKind::Other, false),
    ("language", ObjectKind::Other, true),
    ("database", ObjectKind::Database, true),
    ("schema", ObjectKind::Schema, true),
    ("tablespace", ObjectKind::Tablespace, true),
    ("domain", ObjectKind::Domain, true),
    ("type", ObjectKind::Type, true),
    ("sequence", ObjectKind::Sequence, true),
    ("function", ObjectKind::Function, true),
    ("procedure", ObjectKind::Procedure, true),
    ("routine", ObjectKind::Function, true),
    ("table", ObjectKind::Table, true),
];

/// GRANT or REVOKE, on objects or of roles.
pub(in super::super) fn privilege(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    let grant = cursor.expect_any(&["grant", "revoke"])? == "grant";
    let direction = if grant { "to" } else { "from" };
    if !grant {
        cursor.take_any(&["grant option for", "admin option for", "inherit option for", "set option for"]);
    }
    let granted = cursor.until(|cursor| cursor.sees("on") || cursor.sees(direction))?;
    if granted.is_empty() {
        return Err(cursor.fail("privileges or roles"));
    }
    let (object, objects) = if cursor.take("on") { objects(cursor, direction)? } else { (ObjectKind::Role, Vec::new()) };
    cursor.expect(direction)?;
    cursor.list(|cursor| {
        cursor.take("group");
        cursor.role()
    })?;
    trailing(cursor)?;
    Ok(one(cursor, from, Operation::Privilege { grant, object, objects }))
}

fn objects(cursor: &mut Cursor<'_>, direction: &str) -> Read<(ObjectKind, Vec<Name>)> {
    let is_kind = |cursor: &Cursor<'_>, words: &str| {
        // A table may be called `type` or `schema`.
        let behind = words.split(' ').count();
        cursor.sees(words) && !cursor.sees_at(behind, direction) && !cursor.sees_at(behind, ",") && !cursor.sees_at(behind, ".")
    };
    let kind = KINDS.iter().copied().find(|(words, ..)| is_kind(cursor, words));
    let (words, object, listed) = kind.unwrap_or(("", ObjectKind::Table, true));
    if !words.is_empty() {
        cursor.take(words);
    }
    if !listed {
        cursor.until(|cursor| cursor.sees(direction))?;
        return Ok((object, Vec::new()));
    }
    let names = cursor.list(|cursor| {
        let name = cursor.type_or_function_name()?;
        if cursor.sees("(") {
            cursor.group()?;
        }
        Ok(name)
    })?;
    Ok((object, names))
}

/// What may stand behind the grantees.
fn trailing(cursor: &mut Cursor<'_>) -> Read<()> {
    if cursor.take("with") && cursor.take_any(&["grant option", "admin option", "hierarchy option"]).is_none() {
        cursor.list(|cursor| {
            cursor.expect_any(&["admin", "inherit", "set"])?;
            cursor.expect_any(&["option", "true", "false"])
        })?;
    }
    if cursor.take("granted by") {
        cursor.role()?;
    }
    cursor.take_any(&["cascade", "restrict"]);
    Ok(())
}
