//! The type that a cast names.

use super::words;
use crate::model::name::{Ident, Name};
use crate::model::types::TypeName;
use crate::sql::lex::{Token, TokenKind};
use crate::text::SourceFile;

/// The type that begins at `at`, and the place behind it.
pub(super) fn type_name(source: &SourceFile, tokens: &[Token], at: usize) -> Option<(TypeName, usize)> {
    let word = |at: usize, word: &str| {
        tokens.get(at).is_some_and(|token| token.kind == TokenKind::Word && source.slice(token.span).eq_ignore_ascii_case(word.as_bytes()))
    };
    let mark = |at: usize, mark: &[u8]| {
        tokens.get(at).is_some_and(|token| token.kind == TokenKind::Punctuation && source.slice(token.span) == mark)
    };
    let mut parts = vec![words::ident(source, *tokens.get(at)?)?];
    let mut at = at + 1;
    while mark(at, b".") {
        parts.push(words::ident(source, *tokens.get(at + 1)?)?);
        at += 2;
    }
    let name = parts.pop()?;
    let schema = parts.pop();
    let mut name = name.as_str().to_owned();
    if name == "double" && word(at, "precision") || word(at, "varying") {
        at += 1;
    }
    let mut modifiers = Vec::new();
    if mark(at, b"(") {
        at += 1;
        while !mark(at, b")") {
            let token = tokens.get(at)?;
            if !mark(at, b",") {
                modifiers.push(source.text(token.span).into());
            }
            at += 1;
        }
        at += 1;
    }
    if (word(at, "with") || word(at, "without")) && word(at + 1, "time") && word(at + 2, "zone") {
        at += 3;
    }
    let mut dimensions = 0;
    while mark(at, b"[") {
        at += if mark(at + 1, b"]") { 2 } else { 3 };
        dimensions += 1;
    }
    if name == "int" || name == "int4" {
        name = "integer".into();
    }
    Some((TypeName { name: Name { schema, name: Ident::quoted(&name) }, modifiers, fields: None, dimensions, serial: false }, at))
}
