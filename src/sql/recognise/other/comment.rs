//! COMMENT ON and SECURITY LABEL.

use super::super::cursor::{Cursor, Read};
use super::super::{Operations, one, type_name};
use crate::model::name::{Ident, Name};
use crate::model::operation::{ObjectKind, Operation};

/// How the objects of a kind are named.
#[derive(Clone, Copy)]
enum Naming {
    /// `schema.name`.
    Name,
    /// A data type.
    Type,
    /// `schema.table.column`.
    Column,
    /// `name ON table`.
    OnTable,
    /// `name(argument types)`.
    Routine,
    /// `name USING access_method`.
    Using,
    /// `+ (left, right)`, `(a AS b)`, `FOR type LANGUAGE l`, a number.
    Unasked,
}

/// Every kind, longest words first.
const KINDS: &[(&str, ObjectKind, Naming)] = &[
    ("table", ObjectKind::Table, Naming::Name),
    ("column", ObjectKind::Column, Naming::Column),
    ("foreign table", ObjectKind::ForeignTable, Naming::Name),
    ("index", ObjectKind::Index, Naming::Name),
    ("view", ObjectKind::View, Naming::Name),
    ("materialized view", ObjectKind::MaterializedView, Naming::Name),
    ("sequence", ObjectKind::Sequence, Naming::Name),
    ("constraint", ObjectKind::Constraint, Naming::OnTable),
    ("event trigger", ObjectKind::EventTrigger, Naming::Name),
    ("trigger", ObjectKind::Trigger, Naming::OnTable),
    ("rule", ObjectKind::Rule, Naming::OnTable),
    ("policy", ObjectKind::Policy, Naming::OnTable),
    ("type", ObjectKind::Type, Naming::Type),
    ("domain", ObjectKind::Domain, Naming::Type),
    ("function", ObjectKind::Function, Naming::Routine),
    ("procedure", ObjectKind::Procedure, Naming::Routine),
    ("routine", ObjectKind::Function, Naming::Routine),
    ("aggregate", ObjectKind::Aggregate, Naming::Routine),
    ("statistics", ObjectKind::Statistics, Naming::Name),
    ("schema", ObjectKind::Schema, Naming::Name),
    ("extension", ObjectKind::Extension, Naming::Name),
    ("database", ObjectKind::Database, Naming::Name),
    ("tablespace", ObjectKind::Tablespace, Naming::Name),
    ("role", ObjectKind::Role, Naming::Name),
    ("publication", ObjectKind::Publication, Naming::Name),
    ("subscription", ObjectKind::Subscription, Naming::Name),
    ("access method", ObjectKind::Other, Naming::Name),
    ("cast", ObjectKind::Other, Naming::Unasked),
    ("collation", ObjectKind::Other, Naming::Name),
    ("conversion", ObjectKind::Other, Naming::Name),
    ("foreign data wrapper", ObjectKind::Other, Naming::Name),
    ("large object", ObjectKind::Other, Naming::Unasked),
    ("operator class", ObjectKind::Other, Naming::Using),
    ("operator family", ObjectKind::Other, Naming::Using),
    ("operator", ObjectKind::Other, Naming::Unasked),
    ("procedural language", ObjectKind::Other, Naming::Name),
    ("language", ObjectKind::Other, Naming::Name),
    ("property graph", ObjectKind::Other, Naming::Name),
    ("server", ObjectKind::Other, Naming::Name),
    ("text search configuration", ObjectKind::Other, Naming::Name),
    ("text search dictionary", ObjectKind::Other, Naming::Name),
    ("text search parser", ObjectKind::Other, Naming::Name),
    ("text search template", ObjectKind::Other, Naming::Name),
    ("transform", ObjectKind::Other, Naming::Unasked),
];

/// COMMENT ON, SECURITY LABEL.
pub(in super::super) fn comment(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    let label = cursor.take("security label");
    if label {
        if cursor.take("for") && cursor.string().is_err() {
            cursor.label()?;
        }
    } else {
        cursor.expect("comment")?;
    }
    cursor.expect("on")?;
    let Some((_, object, naming)) = KINDS.iter().copied().find(|(words, ..)| cursor.take(words)) else {
        return Err(cursor.fail("a kind of object"));
    };
    let (name, table) = named(cursor, naming)?;
    cursor.expect("is")?;
    let at = cursor.mark();
    let null = cursor.take("null");
    if !null && !is_psql_variable(cursor) {
        cursor.string()?;
    }
    let text = (!null).then(|| cursor.text_from(at).into());
    Ok(one(cursor, from, Operation::Comment { object, name, table, text, label }))
}

fn is_psql_variable(cursor: &mut Cursor<'_>) -> bool {
    let variable = cursor.kind() == Some(crate::sql::lex::TokenKind::Variable);
    if variable {
        cursor.bump();
    }
    variable
}

/// The object, and the table that it belongs to.
fn named(cursor: &mut Cursor<'_>, naming: Naming) -> Read<(Option<Name>, Option<Name>)> {
    Ok(match naming {
        Naming::Name => {
            let first = cursor.role()?;
            (Some(cursor.parts_behind(first)?), None)
        }
        Naming::Type => (Some(type_name::read(cursor)?.name), None),
        Naming::Column => column(cursor)?,
        Naming::OnTable => {
            let name = cursor.ident()?;
            cursor.expect("on")?;
            let domain = cursor.take("domain");
            let table = cursor.name()?;
            (Some(Name::bare(name)), (!domain).then_some(table))
        }
        Naming::Routine => {
            let name = cursor.type_or_function_name()?;
            if cursor.sees("(") {
                cursor.group()?;
            }
            (Some(name), None)
        }
        Naming::Using => {
            let name = cursor.name()?;
            cursor.expect("using")?;
            cursor.ident()?;
            (Some(name), None)
        }
        Naming::Unasked => {
            cursor.until(|cursor| cursor.sees("is"))?;
            (None, None)
        }
    })
}

/// `table.column` with up to two parts more in front.
fn column(cursor: &mut Cursor<'_>) -> Read<(Option<Name>, Option<Name>)> {
    let mut parts: Vec<Ident> = vec![cursor.ident()?];
    while cursor.take(".") {
        parts.push(cursor.label()?);
    }
    let column = parts.pop().map(Name::bare);
    let name = parts.pop().ok_or_else(|| cursor.fail("the table of the column"))?;
    Ok((column, Some(Name { schema: parts.pop(), name })))
}
