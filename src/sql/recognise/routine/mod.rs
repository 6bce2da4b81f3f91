//! Functions, procedures, triggers, rules, policies, DO and CALL.

mod function;
mod policy;
mod trigger;

pub(super) use function::create as create_function;
pub(super) use policy::policy;
pub(super) use trigger::{create as create_trigger, create_rule};

use super::cursor::{Cursor, Read};
use super::{Operations, one};
use crate::model::name::Ident;
use crate::model::operation::Operation;
use crate::sql::lex::TokenKind;
use crate::text::Span;

/// DO, with LANGUAGE before or behind the code.
pub(super) fn do_block(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("do")?;
    let (mut language, mut code) = (None, None);
    while !cursor.at_end() {
        if cursor.take("language") {
            language = Some(self::language(cursor)?);
        } else if code.is_none() {
            code = Some(literal(cursor)?);
        } else {
            return Err(cursor.fail("LANGUAGE or the end"));
        }
    }
    let body = code.ok_or_else(|| cursor.fail("the code as a string"))?;
    if body.is_none() {
        cursor.note_unknown();
    }
    Ok(one(cursor, from, Operation::DoBlock { language, body }))
}

/// A language, as a name or as a string.
fn language(cursor: &mut Cursor<'_>) -> Read<Ident> {
    match cursor.kind() {
        Some(TokenKind::String | TokenKind::DollarString) => Ok(Ident::folded(&cursor.string()?)),
        _ => cursor.label(),
    }
}

/// Takes a string; gives its place, with its quotes. `None` if psql puts it in.
fn literal(cursor: &mut Cursor<'_>) -> Read<Option<Span>> {
    match cursor.peek() {
        Some(token) if matches!(token.kind, TokenKind::String | TokenKind::DollarString) => {
            cursor.bump();
            Ok(Some(token.span))
        }
        // psql puts it in.
        Some(token) if token.kind == TokenKind::Variable => {
            cursor.bump();
            Ok(None)
        }
        _ => Err(cursor.fail("a string")),
    }
}

/// CALL.
pub(super) fn call(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("call")?;
    let procedure = cursor.type_or_function_name()?;
    cursor.group()?;
    Ok(one(cursor, from, Operation::Call { procedure }))
}
