//! A statement cut at its own keywords, those in parentheses left alone: what a plan takes over as it is written.

use crate::sql::lex::{Lexer, Token};
use crate::text::{SourceFile, Span};

/// The tokens of a statement, each with the number of parentheses around it.
pub struct Clauses<'a> {
    source: &'a SourceFile,
    tokens: Vec<(Token, u32)>,
}

impl<'a> Clauses<'a> {
    /// Of the statement that stands there.
    pub fn of(source: &'a SourceFile, span: Span) -> Self {
        let mut depth = 0_u32;
        let with_depth = |token: Token| {
            if token.is_mark(source, ")") || token.is_mark(source, "]") {
                depth = depth.saturating_sub(1);
            }
            let at = depth;
            if token.is_mark(source, "(") || token.is_mark(source, "[") {
                depth += 1;
            }
            (token, at)
        };
        Self { source, tokens: Lexer::new(source, span).map(with_depth).collect() }
    }

    /// How many tokens there are.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The first place from `from` on, outside of parentheses, where one of these words stands. FROM of IS DISTINCT FROM is none.
    pub fn find(&self, from: usize, words: &[&str]) -> Option<usize> {
        let is_one = |at: usize| words.iter().any(|word| self.is(at, word));
        let compares = |at: usize| at > 0 && self.is(at, "from") && self.is(at - 1, "distinct");
        (from..self.tokens.len()).find(|at| self.tokens[*at].1 == 0 && is_one(*at) && !compares(*at))
    }

    /// Whether a word stands at this place.
    pub fn is(&self, at: usize, word: &str) -> bool {
        self.tokens.get(at).is_some_and(|(token, _)| token.is_word(self.source, word))
    }

    /// Whether a sign stands at this place.
    pub fn is_mark(&self, at: usize, mark: &str) -> bool {
        self.tokens.get(at).is_some_and(|(token, _)| token.is_mark(self.source, mark))
    }

    /// How many parentheses stand around a place.
    pub fn depth(&self, at: usize) -> u32 {
        self.tokens.get(at).map_or(0, |(_, depth)| *depth)
    }

    /// The first place behind the name of a relation that begins at `at`: `shop.orders`, `orders *`.
    pub fn behind_name(&self, at: usize) -> usize {
        let mut end = at + 1;
        while self.is_mark(end, ".") {
            end += 2;
        }
        match self.tokens.get(end) {
            Some((token, _)) if self.source.slice(token.span) == b"*" => end + 1,
            _ => end,
        }
    }

    /// The name of a variable or table at this place.
    pub fn ident(&self, at: usize) -> Option<crate::model::name::Ident> {
        self.tokens.get(at)?.0.ident(self.source)
    }

    /// Where the tokens from `from` up to `to` stand; `None` if there are none.
    pub fn span(&self, from: usize, to: usize) -> Option<Span> {
        let (first, last) = (self.tokens.get(from)?, self.tokens.get(to.checked_sub(1)?)?);
        (from < to).then(|| first.0.span.to(last.0.span))
    }

    /// The text of the tokens from `from` up to `to`: comments are left out, and white space becomes one space.
    pub fn text(&self, from: usize, to: usize) -> String {
        let mut text = String::new();
        let mut end = None;
        for (token, _) in self.tokens.iter().take(to).skip(from) {
            if end.is_some_and(|end| token.span.start > end) {
                text.push(' ');
            }
            text.push_str(&self.source.text(token.span));
            end = Some(token.span.end);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_cut_at_its_own_words_and_at_none_in_parentheses() {
        let text = "UPDATE orders SET note = (SELECT x FROM y WHERE z), paid = a IS DISTINCT FROM b /* all */ FROM users WHERE  t";
        let source = SourceFile::new("", text);
        let clauses = Clauses::of(&source, Span::new(0, text.len() as u32));
        let set = clauses.find(0, &["set"]).unwrap_or_default();
        let from = clauses.find(set, &["from", "where"]).unwrap_or_default();
        assert_eq!(clauses.text(set + 1, from), "note = (SELECT x FROM y WHERE z), paid = a IS DISTINCT FROM b");
        assert_eq!(clauses.text(from, clauses.len()), "FROM users WHERE t");
    }
}
