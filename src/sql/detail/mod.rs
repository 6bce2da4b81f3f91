//! What expressions and queries need: a walk over their tokens names it, and sqlparser says what an expression's conditions are.

mod cast;
mod once;
mod plain;
mod survey;
mod tree;
mod words;

#[cfg(test)]
mod tests;

use super::lex::{Token, TokenKind};
use super::recognise::cursor::span_of;
use crate::model::expression::Expression;
use crate::text::SourceFile;
use survey::{Survey, survey};
use tree::Tree;

/// Reads an expression from its tokens. Never fails: what cannot be read clears [`Expression::understood`], and what its tokens tell of
/// functions, columns and relations is there nonetheless.
pub(crate) fn expression(source: &SourceFile, tokens: &[Token]) -> Expression {
    let survey = survey(source, tokens);
    let Tree { understood, constant, conjuncts } = tree::shape(source, tokens, &survey);
    let Survey { calls, operators, columns, casts, reads, aliases, complete, .. } = survey;
    Expression {
        span: span_of(tokens).unwrap_or_default(),
        text: normalised(source, tokens),
        understood: understood && complete,
        constant,
        calls: calls.into_vec(),
        operators: operators.into_vec(),
        columns: columns.into_vec().into_iter().filter(|column| !aliases.contains(column)).collect(),
        casts: casts.into_vec(),
        reads: reads.into_vec(),
        conjuncts,
    }
}

/// The tokens with one space between them, words in lower case.
fn normalised(source: &SourceFile, tokens: &[Token]) -> String {
    let length = span_of(tokens).map_or(0, |span| span.len() as usize);
    let mut text = String::with_capacity(length + 8);
    for token in tokens {
        if !text.is_empty() {
            text.push(' ');
        }
        let from = text.len();
        text.push_str(&source.text(token.span));
        if token.kind == TokenKind::Word {
            text[from..].make_ascii_lowercase();
        }
    }
    text
}
