//! Statements to operations: the leading words tell the family, the family reads the rest from tokens.

mod alter;
mod alter_column;
mod alter_object;
mod column;
mod constraint;
pub(crate) mod cursor;
mod dml;
mod drop;
mod index;
pub(crate) mod keyword;
mod maintenance;
mod other;
mod routine;
mod schema;
mod sequence;
mod session;
mod table;
pub(crate) mod type_name;
mod types;
mod views;

use super::lex::{Lexer, Token};
use super::{Reading, Statement};
use crate::model::operation::Operation;
use crate::text::{Located, SourceFile, Span};
use cursor::{Cursor, Fault, Notes, Read};
use std::cell::Cell;

/// What a statement does, in order.
pub(crate) type Operations = Vec<Located<Operation>>;

/// Reads one statement whole; the cursor stands at its first token.
type Family = fn(&mut Cursor<'_>) -> Read<Operations>;

/// Tokens of one statement beyond this many are not looked at: only a bulk INSERT is as long, and its rows are all alike.
pub(crate) const MOST_TOKENS: usize = 1_000_000;

/// The family of each kind of statement by its leading words, [`MODIFIERS`] of CREATE left out. The first row that fits holds.
const FAMILIES: &[(&str, Family)] = &[
    ("select", dml::statement),
    ("insert", dml::statement),
    ("update", dml::statement),
    ("delete", dml::statement),
    ("merge", dml::statement),
    ("with", dml::statement),
    ("values", dml::statement),
    ("table", dml::statement),
    ("(", dml::statement),
    ("explain", dml::explain),
    ("copy", dml::copy),
    ("truncate", dml::truncate),
    ("begin", session::begin),
    ("start transaction", session::begin),
    ("commit prepared", session::two_phase),
    ("rollback prepared", session::two_phase),
    ("prepare transaction", session::two_phase),
    ("prepare", dml::prepare),
    ("declare", dml::declare),
    ("commit", session::commit),
    ("end", session::commit),
    ("rollback", session::rollback),
    ("abort", session::rollback),
    ("savepoint", session::savepoint),
    ("release", session::release),
    ("set constraints", session::set_constraints),
    ("set", session::set),
    ("reset", session::reset),
    ("discard", session::discard),
    ("vacuum", maintenance::vacuum),
    ("analyze", maintenance::analyze),
    ("analyse", maintenance::analyze),
    ("cluster", maintenance::cluster),
    ("repack", maintenance::repack),
    ("lock", maintenance::lock_table),
    ("create table", table::create),
    ("create foreign table", table::create),
    ("create index", index::create),
    ("create view", views::create),
    ("create materialized view", views::create_materialized),
    ("create sequence", sequence::create),
    ("create type", types::create),
    ("create domain", types::create_domain),
    ("create schema", schema::create),
    ("create extension", schema::create_extension),
    ("create statistics", schema::create_statistics),
    ("create function", routine::create_function),
    ("create procedure", routine::create_function),
    ("create trigger", routine::create_trigger),
    ("create rule", routine::create_rule),
    ("create policy", routine::policy),
    ("alter table all", alter::all_in_tablespace),
    ("alter index all", alter::all_in_tablespace),
    ("alter materialized view all", alter::all_in_tablespace),
    ("alter table", alter::relation),
    ("alter foreign table", alter::relation),
    ("alter index", alter::relation),
    ("alter view", alter::relation),
    ("alter materialized view", alter::relation),
    ("alter sequence", alter::relation),
    ("alter type", types::alter),
    ("alter domain", types::alter_domain),
    ("alter policy", routine::policy),
    ("alter default privileges", other::default_privileges),
    ("alter", alter_object::read),
    ("drop", drop::read),
    ("reindex", index::reindex),
    ("refresh materialized view", views::refresh),
    ("do", routine::do_block),
    ("call", routine::call),
    ("grant", other::privilege),
    ("revoke", other::privilege),
    ("comment", other::comment),
    ("security label", other::comment),
];

/// Words between CREATE and the kind of object.
const MODIFIERS: &[&str] =
    &["or replace", "local", "global", "temporary", "temp", "unlogged", "unique", "recursive", "constraint", "trusted", "procedural"];

/// Reads one statement out of its tokens; `cut` says that some were left out at the end. Never fails: what cannot be read becomes
/// [`Operation::Unreadable`] at the token at fault.
pub(crate) fn statement(source: &SourceFile, span: Span, tokens: &[Token], cut: bool) -> Statement {
    let notes = Notes { unknown: Cell::new(cut), cut };
    let broken = tokens.iter().find_map(|token| Some((token.span, token.why_broken(source)?)));
    let read = match broken {
        Some((span, why)) => Err(Fault { message: format!("syntax error: {why}"), span }),
        None => operations(&mut Cursor::new(source, tokens, &notes)),
    };
    match read {
        Ok(operations) => Statement::new(span, if notes.unknown.get() { Reading::Partial } else { Reading::Full }, operations),
        Err(fault) => unreadable(span, fault),
    }
}

fn unreadable(span: Span, fault: Fault) -> Statement {
    let operation = Operation::Unreadable { why: fault.message.into() };
    Statement::new(span, Reading::Unreadable, vec![Located { what: operation, span: fault.span }])
}

/// Dispatches on the leading words; the whole statement has to be consumed.
pub(crate) fn operations(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let behind_create = cursor.sees("create").then(|| 1 + modifiers(cursor));
    let leads_with = |words: &str| match (words.strip_prefix("create "), behind_create) {
        (Some(object), Some(ahead)) => cursor.sees_at(ahead, object),
        (Some(_), None) => false,
        (None, _) => cursor.sees(words),
    };
    let family = FAMILIES.iter().find(|(words, _)| leads_with(words)).map(|(_, family)| *family);
    if cursor.is_cut() && !cursor.sees("insert") {
        return Err(Fault { message: "the statement is too long to be read".into(), span: cursor.here() });
    }
    let operations = family.unwrap_or(other::read)(cursor)?;
    cursor.finish()?;
    Ok(operations)
}

/// How many tokens of modifiers stand between CREATE and the kind of object.
fn modifiers(cursor: &Cursor<'_>) -> usize {
    let mut count = 0;
    while let Some(modifier) = MODIFIERS.iter().find(|modifier| cursor.sees_at(1 + count, modifier)) {
        count += modifier.split(' ').count();
    }
    count
}

/// One operation that stands for all tokens since `mark`.
pub(crate) fn one(cursor: &Cursor<'_>, mark: usize, what: Operation) -> Operations {
    vec![Located { what, span: cursor.span_from(mark) }]
}

/// Where a type stands that begins at the start of a range, its array dimensions not included.
pub fn type_at(source: &SourceFile, within: Span) -> Option<Span> {
    let tokens: Vec<_> = Lexer::new(source, within).collect();
    let notes = Notes::default();
    let mut cursor = Cursor::new(source, &tokens, &notes);
    type_name::simple(&mut cursor).ok()?;
    Some(cursor.span_from(0))
}

#[cfg(test)]
mod tests;
