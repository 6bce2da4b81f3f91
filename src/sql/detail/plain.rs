//! The most common expressions, told apart without a parser: a literal, a column, a call with literals, each with or without casts.

use super::cast;
use super::words;
use crate::model::expression::Constant;
use crate::sql::lex::{Token, TokenKind};
use crate::sql::recognise::keyword;
use crate::text::SourceFile;

/// An expression that needs no parser.
pub(super) enum Plain {
    /// A literal, with or without sign and casts.
    Constant(Constant),
    /// A column, a parameter, or a function of nothing but literals.
    Operand,
}

/// Whether these tokens are a plain expression; `None` if they need a parser.
pub(super) fn plain(source: &SourceFile, tokens: &[Token]) -> Option<Plain> {
    let (found, at) =
        literal(source, tokens, 0).map(|(constant, at)| (Plain::Constant(constant), at)).or_else(|| operand(source, tokens))?;
    (casts(source, tokens, at)? == tokens.len()).then_some(found)
}

/// A literal with its sign; gives the place behind it.
pub(super) fn literal(source: &SourceFile, tokens: &[Token], at: usize) -> Option<(Constant, usize)> {
    let token = *tokens.get(at)?;
    let text = source.text(token.span);
    let constant = match token.kind {
        TokenKind::Operator if matches!(&*text, "-" | "+") => {
            let number = tokens.get(at + 1).filter(|next| next.kind == TokenKind::Number)?;
            let sign = if text == "-" { "-" } else { "" };
            return Some((Constant::Number(format!("{sign}{}", source.text(number.span)).into()), at + 2));
        }
        TokenKind::Number => Constant::Number(text.into()),
        // A bit string has no quotes that could be undone to a text.
        TokenKind::String | TokenKind::DollarString => {
            Constant::Text(token.string_value(source).unwrap_or_else(|| text.into_owned()).into())
        }
        TokenKind::Word if text.eq_ignore_ascii_case("null") => Constant::Null,
        TokenKind::Word if text.eq_ignore_ascii_case("true") => Constant::Boolean(true),
        TokenKind::Word if text.eq_ignore_ascii_case("false") => Constant::Boolean(false),
        _ => return None,
    };
    Some((constant, at + 1))
}

/// A parameter, a column, a call of literals, or a keyword that is a function.
fn operand(source: &SourceFile, tokens: &[Token]) -> Option<(Plain, usize)> {
    let first = *tokens.first()?;
    if first.kind == TokenKind::Parameter {
        return Some((Plain::Operand, 1));
    }
    let name = first.ident(source)?;
    if first.kind == TokenKind::Word && (words::is_construct(name.as_str()) || !keyword::names_a_type(name.as_str())) {
        return niladic(source, tokens, name.as_str()).map(|at| (Plain::Operand, at));
    }
    let mut at = 1;
    while is(source, tokens, at, b".")
        && tokens.get(at + 1).is_some_and(|next| matches!(next.kind, TokenKind::Word | TokenKind::QuotedIdent))
    {
        at += 2;
    }
    if !is(source, tokens, at, b"(") {
        return Some((Plain::Operand, at));
    }
    arguments(source, tokens, at + 1).map(|at| (Plain::Operand, at))
}

/// CURRENT_TIMESTAMP and its kin, a precision in parentheses included.
fn niladic(source: &SourceFile, tokens: &[Token], word: &str) -> Option<usize> {
    if !words::is_niladic(word) {
        return None;
    }
    let precision = is(source, tokens, 1, b"(") && is(source, tokens, 3, b")") && tokens[2].kind == TokenKind::Number;
    Some(if precision { 4 } else { 1 })
}

/// Literals with commas between them; gives the place behind the closing parenthesis.
fn arguments(source: &SourceFile, tokens: &[Token], mut at: usize) -> Option<usize> {
    if is(source, tokens, at, b")") {
        return Some(at + 1);
    }
    loop {
        let (_, behind) = literal(source, tokens, at)?;
        at = casts(source, tokens, behind)?;
        match source.slice(tokens.get(at)?.span) {
            b"," => at += 1,
            b")" => return Some(at + 1),
            _ => return None,
        }
    }
}

/// Any number of `::type`; gives the place behind them.
fn casts(source: &SourceFile, tokens: &[Token], mut at: usize) -> Option<usize> {
    while is(source, tokens, at, b"::") {
        at = cast::type_at(source, tokens, at + 1)?.1;
    }
    Some(at)
}

fn is(source: &SourceFile, tokens: &[Token], at: usize, mark: &[u8]) -> bool {
    tokens.get(at).is_some_and(|token| token.kind == TokenKind::Punctuation && source.slice(token.span) == mark)
}
