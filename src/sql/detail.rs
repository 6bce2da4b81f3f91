//! Lets sqlparser read expressions and queries, and reduces its trees to what the model asks.

use super::lex::Token;
use crate::model::expression::Expression;
use crate::text::SourceFile;

/// An expression out of its tokens.
pub(crate) fn expression(source: &SourceFile, tokens: &[Token]) -> Expression {
    let text = tokens.iter().map(|token| source.text(token.span)).collect::<Vec<_>>().join(" ");
    let span = super::recognise::cursor::span_of(tokens).unwrap_or_default();
    Expression { span, text, ..Expression::default() }
}
