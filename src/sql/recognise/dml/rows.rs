//! How many rows VALUES has: counted, never parsed.

use super::super::cursor::Cursor;
use crate::sql::lex::{Lexer, Token, TokenKind};
use crate::text::{SourceFile, Span};

/// Groups in brackets outside of all others.
pub(super) fn count(source: &SourceFile, tokens: &[Token]) -> u32 {
    let mut depth = 0;
    tokens.iter().map(|token| u32::from(opens_row(source, *token, &mut depth))).sum()
}

/// The values of the first row: whole numbers, and `None` for anything else.
pub(super) fn first(source: &SourceFile, tokens: &[Token]) -> Vec<Option<u64>> {
    let mut values = Vec::new();
    let mut depth = 0;
    let mut value: Vec<Token> = Vec::new();
    let number = |value: &[Token]| match value {
        [token] if token.kind == TokenKind::Number => source.text(token.span).parse().ok(),
        _ => None,
    };
    for token in tokens {
        let mark = if token.kind == TokenKind::Punctuation { source.slice(token.span) } else { b"" };
        match (mark, depth) {
            (b"(" | b"[", 0) => depth = 1,
            (b")" | b",", 1) => {
                values.push(number(&value));
                value.clear();
                if mark == b")" {
                    break;
                }
            }
            _ => {
                depth = if mark == b"(" || mark == b"[" { depth + 1 } else { depth - usize::from(mark == b")" || mark == b"]") };
                value.push(*token);
            }
        }
    }
    values
}

/// Whether a token opens a bracket outside of all others.
fn opens_row(source: &SourceFile, token: Token, depth: &mut u32) -> bool {
    if token.kind != TokenKind::Punctuation {
        return false;
    }
    match source.slice(token.span) {
        b"(" | b"[" => {
            *depth += 1;
            *depth == 1
        }
        b")" | b"]" => {
            *depth = depth.saturating_sub(1);
            false
        }
        _ => false,
    }
}

/// What is behind the tokens that are kept of a long INSERT.
#[derive(Clone, Copy, Default)]
pub(super) struct Rest {
    /// Rows that begin there.
    pub rows: u32,
    /// ON CONFLICT stands there.
    pub on_conflict: bool,
}

/// Reads on where the tokens of a cut statement end, up to its semicolon.
pub(super) fn rest(cursor: &Cursor<'_>) -> Rest {
    let source = cursor.source();
    let tokens = cursor.clone().rest();
    let Some(last) = tokens.last() else { return Rest::default() };
    let mut depth = tokens.iter().fold(0, |mut depth, token| {
        opens_row(source, *token, &mut depth);
        depth
    });
    let mut rest = Rest::default();
    let mut previous_is_on = false;
    for token in Lexer::new(source, Span::new(last.span.end, source.bytes().len() as u32)) {
        if depth == 0 && token.is_mark(source, ";") {
            break;
        }
        rest.rows += u32::from(!rest.on_conflict && opens_row(source, token, &mut depth));
        if depth == 0 && token.kind == TokenKind::Word {
            rest.on_conflict |= previous_is_on && token.is_word(source, "conflict");
            previous_is_on = token.is_word(source, "on");
        }
    }
    rest
}
