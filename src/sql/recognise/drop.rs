//! DROP of every kind of object; each name of a list is an operation.

use super::cursor::{Cursor, Read};
use super::{Operations, one};
use crate::model::name::{Ident, Name};
use crate::model::operation::{Drop, ObjectKind, Operation};
use crate::text::{Located, Span};

/// How the objects of a kind are named.
#[derive(Clone, Copy)]
enum Naming {
    /// `schema.name, ...`.
    Names,
    /// `name, CURRENT_USER, ...`.
    Roles,
    /// `name(argument types), ...`.
    Routines,
    /// `name ON table`.
    OnTable,
    /// `name USING access_method`.
    Using,
    /// `schema.+ (left, right), ...`.
    Operators,
}

/// Every kind, longest words first.
const KINDS: &[(&str, ObjectKind, Naming)] = &[
    ("table", ObjectKind::Table, Naming::Names),
    ("foreign table", ObjectKind::ForeignTable, Naming::Names),
    ("index", ObjectKind::Index, Naming::Names),
    ("view", ObjectKind::View, Naming::Names),
    ("materialized view", ObjectKind::MaterializedView, Naming::Names),
    ("sequence", ObjectKind::Sequence, Naming::Names),
    ("type", ObjectKind::Type, Naming::Names),
    ("domain", ObjectKind::Domain, Naming::Names),
    ("statistics", ObjectKind::Statistics, Naming::Names),
    ("schema", ObjectKind::Schema, Naming::Names),
    ("extension", ObjectKind::Extension, Naming::Names),
    ("publication", ObjectKind::Publication, Naming::Names),
    ("subscription", ObjectKind::Subscription, Naming::Names),
    ("event trigger", ObjectKind::EventTrigger, Naming::Names),
    ("trigger", ObjectKind::Trigger, Naming::OnTable),
    ("rule", ObjectKind::Rule, Naming::OnTable),
    ("policy", ObjectKind::Policy, Naming::OnTable),
    ("function", ObjectKind::Function, Naming::Routines),
    ("procedure", ObjectKind::Procedure, Naming::Routines),
    ("routine", ObjectKind::Function, Naming::Routines),
    ("aggregate", ObjectKind::Aggregate, Naming::Routines),
    ("database", ObjectKind::Database, Naming::Names),
    ("tablespace", ObjectKind::Tablespace, Naming::Names),
    ("role", ObjectKind::Role, Naming::Roles),
    ("user", ObjectKind::Role, Naming::Roles),
    ("group", ObjectKind::Role, Naming::Roles),
    ("operator class", ObjectKind::Other, Naming::Using),
    ("operator family", ObjectKind::Other, Naming::Using),
    ("operator", ObjectKind::Other, Naming::Operators),
    ("access method", ObjectKind::Other, Naming::Names),
    ("collation", ObjectKind::Other, Naming::Names),
    ("conversion", ObjectKind::Other, Naming::Names),
    ("foreign data wrapper", ObjectKind::Other, Naming::Names),
    ("procedural language", ObjectKind::Other, Naming::Names),
    ("language", ObjectKind::Other, Naming::Names),
    ("property graph", ObjectKind::Other, Naming::Names),
    ("server", ObjectKind::Other, Naming::Names),
    ("text search configuration", ObjectKind::Other, Naming::Names),
    ("text search dictionary", ObjectKind::Other, Naming::Names),
    ("text search parser", ObjectKind::Other, Naming::Names),
    ("text search template", ObjectKind::Other, Naming::Names),
];

/// DROP.
pub(super) fn read(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("drop")?;
    if cursor.sees_any(&["user mapping for", "user mapping if", "owned by", "cast", "transform"]).is_some() {
        return unnamed(cursor, from);
    }
    let Some((_, object, naming)) = KINDS.iter().copied().find(|(words, ..)| cursor.take(words)) else {
        return Err(cursor.fail("a kind of object"));
    };
    let concurrently = object == ObjectKind::Index && cursor.take("concurrently");
    let if_exists = cursor.if_exists();
    let names = cursor.list(|cursor| {
        let from = cursor.mark();
        let (name, table) = named(cursor, naming)?;
        Ok((name, table, cursor.span_from(from)))
    })?;
    if object == ObjectKind::Database {
        force(cursor)?;
    }
    let cascade = super::alter::behaviour(cursor);
    let whole = cursor.span_from(from);
    let single = names.len() == 1;
    let operation = |(name, table, span): (Name, Option<Name>, Span)| {
        let what = Operation::Drop(Drop { object, name, table, if_exists, cascade, concurrently });
        // One of several is found by its name; a single one is the statement.
        Located { what, span: if single { whole } else { span } }
    };
    Ok(names.into_iter().map(operation).collect())
}

fn named(cursor: &mut Cursor<'_>, naming: Naming) -> Read<(Name, Option<Name>)> {
    Ok(match naming {
        Naming::Names => (cursor.name()?, None),
        Naming::Roles => (Name::bare(cursor.role()?), None),
        Naming::Routines => (cursor.routine()?, None),
        Naming::OnTable => {
            let name = Name::bare(cursor.ident()?);
            cursor.expect("on")?;
            (name, Some(cursor.name()?))
        }
        Naming::Using => {
            let name = cursor.name()?;
            cursor.expect("using")?;
            cursor.ident()?;
            (name, None)
        }
        Naming::Operators => (operator(cursor)?, None),
    })
}

/// `schema.+ (left, right)`.
fn operator(cursor: &mut Cursor<'_>) -> Read<Name> {
    let mut schema = None;
    while cursor.sees_at(1, ".") {
        schema = Some(cursor.ident()?);
        cursor.expect(".")?;
    }
    let symbol = match cursor.bump() {
        Some(token) if token.kind == crate::sql::lex::TokenKind::Operator => Ident::quoted(&cursor.text(token)),
        _ => return Err(cursor.fail("an operator")),
    };
    if cursor.group()?.items()?.len() != 2 {
        return Err(cursor.fail("two arguments before it"));
    }
    Ok(Name { schema, name: symbol })
}

/// `[WITH] (FORCE)` of DROP DATABASE.
fn force(cursor: &mut Cursor<'_>) -> Read<()> {
    if cursor.take("with") || cursor.sees("(") {
        cursor.group()?;
    }
    Ok(())
}

/// Objects without a name of their own.
fn unnamed(cursor: &mut Cursor<'_>, from: usize) -> Read<Operations> {
    let kind = cursor.expect_any(&["user mapping", "owned by", "cast", "transform"])?;
    if kind == "owned by" {
        cursor.list(Cursor::role)?;
        super::alter::behaviour(cursor);
    } else {
        cursor.if_exists();
        if kind == "cast" {
            cursor.group()?;
        } else {
            cursor.expect("for")?;
            // A role and its server, or a type and its language.
            cursor.until(|cursor| cursor.sees_any(&["server", "language"]).is_some())?;
            cursor.expect_any(&["server", "language"])?;
            cursor.ident()?;
        }
        super::alter::behaviour(cursor);
    }
    let words = format!("drop {kind}").into();
    Ok(one(cursor, from, Operation::Other { words, object: None, tables: Vec::new(), transactional: true }))
}
