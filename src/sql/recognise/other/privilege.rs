//! GRANT and REVOKE.

use super::super::cursor::{Cursor, Read};
use super::super::{Operations, one};
use crate::model::name::Name;
use crate::model::operation::{ObjectKind, Operation, Privilege};

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

/// What stands behind ON in ALTER DEFAULT PRIVILEGES.
const KINDS_TO_COME: &[(&str, ObjectKind)] = &[
    ("tables", ObjectKind::Table),
    ("sequences", ObjectKind::Sequence),
    ("functions", ObjectKind::Function),
    ("routines", ObjectKind::Function),
    ("types", ObjectKind::Type),
    ("schemas", ObjectKind::Schema),
    ("large objects", ObjectKind::Other),
];

/// GRANT or REVOKE, on objects or of roles.
pub(in super::super) fn privilege(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    let privilege = read(cursor, objects)?;
    Ok(one(cursor, from, Operation::Privilege(Box::new(privilege))))
}

/// ALTER DEFAULT PRIVILEGES.
pub(in super::super) fn default_privileges(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("alter default privileges")?;
    while let Some(words) = cursor.take_any(&["in schema", "for role", "for user"]) {
        cursor.list(if words == "in schema" { Cursor::ident } else { Cursor::role })?;
    }
    let privilege = Privilege { to_come: true, ..read(cursor, |cursor, _| objects_to_come(cursor))? };
    Ok(one(cursor, from, Operation::Privilege(Box::new(privilege))))
}

fn read(cursor: &mut Cursor<'_>, objects: impl Fn(&mut Cursor<'_>, &str) -> Read<Objects>) -> Read<Privilege> {
    let grant = cursor.expect_any(&["grant", "revoke"])? == "grant";
    let direction = if grant { "to" } else { "from" };
    let mut option = !grant && cursor.take_any(&["grant option for", "admin option for", "inherit option for", "set option for"]).is_some();
    let granted = cursor.mark();
    if cursor.until(|cursor| cursor.sees("on") || cursor.sees(direction))?.is_empty() {
        return Err(cursor.fail("privileges or roles"));
    }
    let what = what(cursor.between(granted, cursor.mark()))?;
    let Objects { kind, names, all_in_schema } = if cursor.take("on") { objects(cursor, direction)? } else { Objects::ROLES };
    cursor.expect(direction)?;
    let roles = cursor.list(|cursor| {
        cursor.take("group");
        cursor.role()
    })?;
    option |= trailing(cursor)?;
    Ok(Privilege { grant, what, object: kind, objects: names, all_in_schema, roles, option, to_come: false })
}

/// The privileges by their first words, or the roles; columns behind a privilege are left out.
fn what(mut granted: Cursor<'_>) -> Read<Vec<Box<str>>> {
    let words = |part: Cursor<'_>| {
        let first = part.peek().and_then(|token| token.ident(part.source()));
        first.map(|name| name.as_str().into()).ok_or_else(|| part.fail("a privilege or a role"))
    };
    granted.comma_parts()?.into_iter().map(words).collect()
}

/// What stands behind ON.
struct Objects {
    kind: ObjectKind,
    names: Vec<Name>,
    all_in_schema: bool,
}

impl Objects {
    /// Roles are granted, and there is no ON.
    const ROLES: Self = Self { kind: ObjectKind::Role, names: Vec::new(), all_in_schema: false };
}

fn objects(cursor: &mut Cursor<'_>, direction: &str) -> Read<Objects> {
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
        return Ok(Objects { kind: object, names: Vec::new(), all_in_schema: words.starts_with("all ") });
    }
    let names = cursor.list(|cursor| {
        let name = cursor.type_or_function_name()?;
        if cursor.sees("(") {
            cursor.group()?;
        }
        Ok(name)
    })?;
    Ok(Objects { kind: object, names, all_in_schema: false })
}

fn objects_to_come(cursor: &mut Cursor<'_>) -> Read<Objects> {
    let words: Vec<_> = KINDS_TO_COME.iter().map(|(words, _)| *words).collect();
    let word = cursor.expect_any(&words)?;
    let kind = KINDS_TO_COME.iter().find(|(words, _)| *words == word).map_or(ObjectKind::Other, |(_, kind)| *kind);
    Ok(Objects { kind, names: Vec::new(), all_in_schema: false })
}

/// What may stand behind the grantees; gives whether they may pass on what they get.
fn trailing(cursor: &mut Cursor<'_>) -> Read<bool> {
    let mut passed_on = false;
    if cursor.take("with") {
        passed_on = cursor.take_any(&["grant option", "hierarchy option"]).is_some();
        if !passed_on {
            let options = cursor.list(|cursor| {
                let option = cursor.expect_any(&["admin", "inherit", "set"])?;
                let value = cursor.expect_any(&["option", "true", "false"])?;
                Ok(option == "admin" && value != "false")
            })?;
            passed_on = options.contains(&true);
        }
    }
    if cursor.take("granted by") {
        cursor.role()?;
    }
    cursor.take_any(&["cascade", "restrict"]);
    Ok(passed_on)
}
