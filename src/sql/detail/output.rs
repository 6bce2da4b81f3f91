//! The names that the columns of a query have.

use super::words::Lower;
use crate::model::name::Ident;
use crate::sql::lex::{Token, TokenKind};
use crate::sql::recognise::keyword;
use crate::text::SourceFile;

/// The names of what stands between SELECT and FROM; `None` if some name depends on more than the words (`*`, `(a + b)`).
pub(super) fn names(source: &SourceFile, targets: &[Token]) -> Option<Vec<Ident>> {
    if targets.is_empty() {
        return Some(Vec::new());
    }
    let mut names = Vec::new();
    let mut depth = 0usize;
    let mut from = 0;
    for (at, token) in targets.iter().enumerate() {
        if token.kind != TokenKind::Punctuation {
            continue;
        }
        match source.slice(token.span) {
            b"(" | b"[" => depth += 1,
            b")" | b"]" => depth = depth.saturating_sub(1),
            b"," if depth == 0 => {
                names.push(name(source, &targets[from..at])?);
                from = at + 1;
            }
            _ => {}
        }
    }
    names.push(name(source, &targets[from..])?);
    Some(names)
}

/// Whether a target is `*` or `orders.*`.
pub(super) fn has_star(source: &SourceFile, targets: &[Token]) -> bool {
    let mut depth = 0usize;
    let mut before: Option<&Token> = None;
    for token in targets {
        match source.slice(token.span) {
            b"(" | b"[" if token.kind == TokenKind::Punctuation => depth += 1,
            b")" | b"]" if token.kind == TokenKind::Punctuation => depth = depth.saturating_sub(1),
            // Behind an operand it multiplies.
            b"*" if depth == 0 && before.is_none_or(|before| before.is_mark(source, ".") || before.is_mark(source, ",")) => return true,
            _ => {}
        }
        before = Some(token);
    }
    false
}

/// The name of one target: what AS says, else that of a column or of the one function that it calls.
fn name(source: &SourceFile, target: &[Token]) -> Option<Ident> {
    let (last, before) = target.split_last()?;
    let ident = last.ident(source);
    match (ident, before.last()) {
        (Some(name), None) => Some(name),
        (Some(name), Some(previous)) if previous.is_word(source, "as") || previous.is_mark(source, ".") => Some(name),
        (Some(name), Some(previous)) if ends_operand(source, *previous) && is_label(source, *last) => Some(name),
        _ => called(source, target),
    }
}

/// `f(...)` and no more is called `f`.
fn called(source: &SourceFile, target: &[Token]) -> Option<Ident> {
    let open = target.iter().position(|token| token.is_mark(source, "("))?;
    let chain = &target[..open];
    let is_chain =
        chain.iter().enumerate().all(|(at, token)| if at % 2 == 1 { token.is_mark(source, ".") } else { token.ident(source).is_some() });
    let mut depth = 0usize;
    let close = target.iter().enumerate().skip(open).find_map(|(at, token)| {
        depth = if token.is_mark(source, "(") { depth + 1 } else { depth - usize::from(token.is_mark(source, ")")) };
        (depth == 0).then_some(at)
    })?;
    let name = chain.last()?.ident(source)?;
    // The name of a cast is that of what is cast, of CASE that of its ELSE: not worth the rules.
    let plain = !matches!(name.as_str(), "cast" | "treat" | "array" | "exists" | "in" | "any" | "all" | "not");
    (is_chain && plain && close + 1 == target.len()).then_some(name)
}

/// Whether an operand can end here, so that a word behind it is its name.
fn ends_operand(source: &SourceFile, token: Token) -> bool {
    match token.kind {
        TokenKind::Word => {
            let word = Lower::of(source.slice(token.span));
            word.as_str() != "over" && keyword::names_a_type(word.as_str()) || matches!(word.as_str(), "end" | "null" | "true" | "false")
        }
        TokenKind::QuotedIdent
        | TokenKind::String
        | TokenKind::DollarString
        | TokenKind::Number
        | TokenKind::Parameter
        | TokenKind::Variable => true,
        TokenKind::Punctuation => matches!(source.slice(token.span), b")" | b"]"),
        TokenKind::Operator | TokenKind::Comment | TokenKind::Broken => false,
    }
}

/// Whether a word behind an operand can be its name without AS, and is not the end of a type (`::double precision`).
fn is_label(source: &SourceFile, token: Token) -> bool {
    let word = Lower::of(source.slice(token.span));
    token.kind == TokenKind::QuotedIdent
        || keyword::names_a_column(word.as_str())
            && !matches!(word.as_str(), "precision" | "varying" | "zone" | "year" | "month" | "day" | "hour" | "minute" | "second")
}
