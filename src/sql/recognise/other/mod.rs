//! Statements that touch no table, one row a kind; GRANT and COMMENT beside them.

mod comment;
mod privilege;
mod publication;

pub(super) use comment::comment;
pub(super) use privilege::{default_privileges, privilege};
pub(super) use publication::tables as tables_of_publication;

use super::cursor::{Cursor, Read};
use super::{Operations, one};
use crate::model::name::Name;
use crate::model::operation::Operation;

/// What stands behind the words of a kind.
#[derive(Clone, Copy)]
enum Shape {
    /// A name, and whatever the kind takes behind it.
    Named,
    /// `name(argument types)` or an operator's symbol, and more.
    Defined,
    /// Anything, at least one token.
    Anything,
    /// Anything or nothing.
    Open,
    /// Tables or other objects come with it that are not named here.
    Unknown,
}

/// When the server refuses a kind in a transaction block (PreventInTransactionBlock).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refused {
    Never,
    Always,
    /// CREATE SUBSCRIPTION, unless it is told to make no replication slot.
    WithSlot,
}

use Refused::{Always, Never, WithSlot};
use Shape::{Anything, Defined, Named, Open, Unknown};

/// Every kind by its leading words, longest first where one begins another.
const KINDS: &[(&str, Shape, Refused)] = &[
    ("create access method", Named, Never),
    ("create aggregate", Defined, Never),
    ("create or replace aggregate", Defined, Never),
    ("create cast", Anything, Never),
    ("create collation", Named, Never),
    ("create conversion", Named, Never),
    ("create default conversion", Named, Never),
    ("create database", Named, Always),
    ("create event trigger", Named, Never),
    ("create foreign data wrapper", Named, Never),
    ("create group", Named, Never),
    ("create language", Named, Never),
    ("create or replace language", Named, Never),
    ("create procedural language", Named, Never),
    ("create or replace procedural language", Named, Never),
    ("create trusted language", Named, Never),
    ("create or replace trusted language", Named, Never),
    ("create trusted procedural language", Named, Never),
    ("create or replace trusted procedural language", Named, Never),
    ("create operator class", Named, Never),
    ("create operator family", Named, Never),
    ("create operator", Defined, Never),
    ("create property graph", Named, Never),
    ("create publication", Named, Never),
    ("create role", Named, Never),
    ("create server", Named, Never),
    ("create subscription", Named, WithSlot),
    ("create tablespace", Named, Always),
    ("create text search configuration", Named, Never),
    ("create text search dictionary", Named, Never),
    ("create text search parser", Named, Never),
    ("create text search template", Named, Never),
    ("create transform for", Anything, Never),
    ("create or replace transform for", Anything, Never),
    ("create user mapping", Anything, Never),
    ("create user", Named, Never),
    ("checkpoint", Open, Never),
    ("close", Anything, Never),
    ("deallocate", Anything, Never),
    ("execute", Named, Never),
    ("fetch", Anything, Never),
    ("import foreign schema", Unknown, Never),
    ("listen", Named, Never),
    ("load", Anything, Never),
    ("move", Anything, Never),
    ("notify", Named, Never),
    ("reassign owned by", Anything, Never),
    ("show", Anything, Never),
    ("unlisten", Anything, Never),
    ("wait for lsn", Anything, Never),
];

/// Any statement that no other family reads.
pub(super) fn read(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    let Some((words, shape, refused)) = KINDS.iter().copied().find(|(words, ..)| cursor.take(words)) else {
        let expected = if cursor.take("create") { "a kind of object" } else { "a statement of PostgreSQL" };
        return Err(cursor.fail(expected));
    };
    let object = object(cursor, shape)?;
    let tables = if words == "create publication" { tables_of_publication(&mut cursor.clone())? } else { Vec::new() };
    let content = cursor.until(|_| false)?;
    if matches!(shape, Anything | Unknown) && content.is_empty() {
        return Err(cursor.fail("more"));
    }
    if matches!(shape, Unknown) {
        cursor.note_unknown();
    }
    let transactional = match refused {
        Never => true,
        Always => false,
        WithSlot => makes_no_slot(cursor.between(from, cursor.mark())),
    };
    Ok(one(cursor, from, Operation::Other { words: plain(words).into(), object, tables, transactional }))
}

fn object(cursor: &mut Cursor<'_>, shape: Shape) -> Read<Option<Name>> {
    match shape {
        Named => {
            cursor.if_not_exists();
            let first = cursor.role()?;
            cursor.parts_behind(first).map(Some)
        }
        Defined => {
            // Of an operator with a schema the symbol is the last part.
            let name = cursor.type_or_function_name().ok();
            cursor.until(|cursor| cursor.sees("("))?;
            cursor.group()?;
            Ok(name)
        }
        Anything | Open | Unknown => Ok(None),
    }
}

/// The kind without the words that only say how.
fn plain(words: &str) -> String {
    words
        .split(' ')
        .filter(|word| !matches!(*word, "or" | "replace" | "trusted" | "procedural" | "default" | "for" | "by"))
        .collect::<Vec<_>>()
        .join(" ")
}

/// A slot is made on the other server unless it is not asked, or told not to.
fn makes_no_slot(cursor: Cursor<'_>) -> bool {
    says(cursor, &["connect", "create_slot"], false)
}

/// Whether one of these options is written, and set to `on`.
pub(super) fn says(mut cursor: Cursor<'_>, options: &[&str], on: bool) -> bool {
    while !cursor.at_end() {
        if cursor.take_any(options).is_none() {
            cursor.bump();
            continue;
        }
        let value = if cursor.take("=") { cursor.bump().map(|token| cursor.text(token)) } else { None };
        if super::maintenance::is_on(value.as_deref()) == on {
            return true;
        }
    }
    false
}
