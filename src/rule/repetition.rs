//! The same thing said twice in a list where it may stand once: a column of CREATE TABLE, of a key, of SET.

use super::moment::Moment;
use crate::model::kind::OpKind;
use crate::model::operation::Operation;
use crate::sql::lex::{Lexer, Token};
use crate::text::{SourceFile, Span};

/// Operations with lists in which a column may stand once.
#[rustfmt::skip]
pub const LISTS: &[OpKind] = &[
    OpKind::CreateTable, OpKind::CreateView, OpKind::CreateMaterializedView, OpKind::Insert, OpKind::Update, OpKind::AddPrimaryKey,
    OpKind::AddUnique,
];

/// The second of two equal items; `None` if no two are equal, or if another list would have to change with this one.
pub fn repetition(m: &Moment<'_>) -> Option<Span> {
    let tokens: Vec<Token> = Lexer::new(m.source, m.place()).collect();
    let items = match m.operation()? {
        Operation::CreateTable(_) | Operation::AddConstraint(_) => items(m.source, in_parentheses(m.source, &tokens)?, &[]),
        Operation::Update(_) => items(m.source, behind_set(m.source, &tokens)?, &["FROM", "WHERE", "RETURNING"]),
        // The values of INSERT stand in lists of their own, and a query has its columns for its readers.
        _ => return None,
    };
    let mut seen: Vec<&[Token]> = Vec::new();
    for item in items {
        if seen.iter().any(|other| is_equal(m.source, other, item)) {
            return Some(item.first()?.span.to(item.last()?.span));
        }
        seen.push(item);
    }
    None
}

/// What stands in the first parentheses.
fn in_parentheses<'t>(source: &SourceFile, tokens: &'t [Token]) -> Option<&'t [Token]> {
    let open = tokens.iter().position(|token| token.is_mark(source, "("))?;
    let mut depth = 0usize;
    let close = tokens[open..].iter().position(|token| closes(source, token, &mut depth))?;
    Some(&tokens[open + 1..open + close])
}

/// Follows the parentheses; whether the first of them is closed by this token.
fn closes(source: &SourceFile, token: &Token, depth: &mut usize) -> bool {
    match () {
        () if token.is_mark(source, "(") => *depth += 1,
        () if token.is_mark(source, ")") => {
            *depth = depth.saturating_sub(1);
            return *depth == 0;
        }
        () => {}
    }
    false
}

/// What follows SET.
fn behind_set<'t>(source: &SourceFile, tokens: &'t [Token]) -> Option<&'t [Token]> {
    let mut depth = 0usize;
    let is_set = |token: &Token| {
        closes(source, token, &mut depth);
        depth == 0 && token.is_word(source, "SET")
    };
    tokens.iter().position(is_set).map(|at| &tokens[at + 1..])
}

/// The items of a list that ends at its end, or at one of these words.
fn items<'t>(source: &SourceFile, tokens: &'t [Token], until: &[&str]) -> Vec<&'t [Token]> {
    let mut depth = 0usize;
    let mut ends = |token: &Token| {
        closes(source, token, &mut depth);
        depth == 0 && until.iter().any(|word| token.is_word(source, word))
    };
    let list = tokens.iter().position(&mut ends).map_or(tokens, |end| &tokens[..end]);
    let mut depth = 0usize;
    let parts = |token: &Token| {
        closes(source, token, &mut depth);
        depth == 0 && token.is_mark(source, ",")
    };
    list.split(parts).filter(|item| !item.is_empty()).collect()
}

fn is_equal(source: &SourceFile, one: &[Token], other: &[Token]) -> bool {
    let same = |(one, other): (&Token, &Token)| match (one.ident(source), other.ident(source)) {
        (Some(one), Some(other)) => one == other,
        _ => source.slice(one.span) == source.slice(other.span),
    };
    one.len() == other.len() && one.iter().zip(other).all(same)
}
