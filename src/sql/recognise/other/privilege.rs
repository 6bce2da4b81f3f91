//! GRANT and REVOKE.

use super::super::cursor::{Cursor, Read};
use super::super::{Operations, one};
use crate::model::name::{Ident, Name};
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
    let (what, columns) = what(cursor.between(granted, cursor.mark()))?;
    let Objects { kind, names, all_in_schema, schemas } = if cursor.take("on") { objects(cursor, direction)? } else { Objects::ROLES };
    cursor.expect(direction)?;
    let roles = cursor.list(|cursor| {
        cursor.take("group");
        cursor.role()
    })?;
    option |= trailing(cursor)?;
    Ok(Privilege { grant, what, columns, object: kind, objects: names, all_in_schema, schemas, roles, option, to_come: false })
}

/// Privileges by their first words, or roles, and the columns behind each.
type Granted = (Vec<Box<str>>, Vec<Vec<Ident>>);

fn what(mut granted: Cursor<'_>) -> Read<Granted> {
    let (mut words, mut columns) = (Vec::new(), Vec::new());
    for mut part in granted.comma_parts()? {
        let first = part.peek().and_then(|token| token.ident(part.source()));
        words.push(first.ok_or_else(|| part.fail("a privilege or a role"))?.as_str().into());
        part.bump();
        part.until(|part| part.sees("("))?;
        columns.push(if part.sees("(") { part.ident_group()? } else { Vec::new() });
    }
    let columns = if columns.iter().all(Vec::is_empty) { Vec::new() } else { columns };
    Ok((words, columns))
}

/// What stands behind ON.
struct Objects {
    kind: ObjectKind,
    names: Vec<Name>,
    all_in_schema: bool,
    schemas: Vec<Ident>,
}

impl Objects {
    /// Roles are granted, and there is no ON.
    const ROLES: Self = Self::unnamed(ObjectKind::Role);

    /// Objects of a kind that have no names here.
    const fn unnamed(kind: ObjectKind) -> Self {
        Self { kind, names: Vec::new(), all_in_schema: false, schemas: Vec::new() }
    }
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
        let all_in_schema = words.starts_with("all ");
        let schemas = if all_in_schema { cursor.list(Cursor::ident)? } else { Vec::new() };
        cursor.until(|cursor| cursor.sees(direction))?;
        return Ok(Objects { all_in_schema, schemas, ..Objects::unnamed(object) });
    }
    let names = cursor.list(|cursor| {
        let name = cursor.type_or_function_name()?;
        if cursor.sees("(") {
            cursor.group()?;
        }
        Ok(name)
    })?;
    Ok(Objects { names, ..Objects::unnamed(object) })
}

fn objects_to_come(cursor: &mut Cursor<'_>) -> Read<Objects> {
    let words: Vec<_> = KINDS_TO_COME.iter().map(|(words, _)| *words).collect();
    let word = cursor.expect_any(&words)?;
    let kind = KINDS_TO_COME.iter().find(|(words, _)| *words == word).map_or(ObjectKind::Other, |(_, kind)| *kind);
    Ok(Objects::unnamed(kind))
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
