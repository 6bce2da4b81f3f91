//! A place in the tokens of a statement, and the verbs that move it on.

mod names;

use super::super::detail::{self, QuerySummary};
use super::super::lex::{Token, TokenKind};
use crate::model::expression::Expression;
use crate::text::{SourceFile, Span};
use std::cell::Cell;

/// Why a statement, or a part of one, cannot be read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    /// What was found and what was expected.
    pub message: String,
    /// The token at fault.
    pub span: Span,
}

/// What a reader gives.
pub(crate) type Read<T> = Result<T, Fault>;

/// What holds for a statement as a whole while it is read.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// Some detail could not be read.
    pub unknown: Cell<bool>,
    /// Tokens at the end of the statement were left out because there are too many.
    pub cut: bool,
}

/// A place in a range of tokens. Words are matched in any case; several words are written with one space between them.
#[derive(Clone)]
pub(crate) struct Cursor<'a> {
    source: &'a SourceFile,
    /// All tokens of the statement, also those outside the range, so that a fault can name what stands behind it.
    tokens: &'a [Token],
    at: usize,
    limit: usize,
    notes: &'a Notes,
}

impl<'a> Cursor<'a> {
    /// A cursor before the first of `tokens`.
    pub fn new(source: &'a SourceFile, tokens: &'a [Token], notes: &'a Notes) -> Self {
        Self { source, tokens, at: 0, limit: tokens.len(), notes }
    }

    /// The file.
    pub fn source(&self) -> &'a SourceFile {
        self.source
    }

    /// Notes that some detail of the statement stays unknown.
    pub fn note_unknown(&self) {
        self.notes.unknown.set(true);
    }

    /// Whether tokens at the end of the statement were left out because there are too many.
    pub fn is_cut(&self) -> bool {
        self.notes.cut
    }

    // Looking.

    /// The next token.
    pub fn peek(&self) -> Option<Token> {
        self.peek_at(0)
    }

    /// The token `ahead` places further on.
    pub fn peek_at(&self, ahead: usize) -> Option<Token> {
        let at = self.at + ahead;
        if at < self.limit { self.tokens.get(at).copied() } else { None }
    }

    /// Whether nothing is left.
    pub fn at_end(&self) -> bool {
        self.at >= self.limit
    }

    /// Whether these words or signs come next.
    pub fn sees(&self, words: &str) -> bool {
        self.sees_at(0, words)
    }

    /// Whether these words or signs come `ahead` places further on.
    pub fn sees_at(&self, ahead: usize, words: &str) -> bool {
        // Asked more often than anything else, and mostly answered by the length of the first word.
        let mut ahead = ahead;
        let mut words = words;
        loop {
            let Some(token) = self.peek_at(ahead) else { return false };
            let length = token.span.len() as usize;
            let behind = words.as_bytes().get(length).copied();
            let ends_here = behind.is_none_or(|byte| byte == b' ');
            if !(ends_here && words.get(..length).is_some_and(|word| self.is(token, word))) {
                return false;
            }
            if behind.is_none() {
                return true;
            }
            words = &words[length + 1..];
            ahead += 1;
        }
    }

    /// The first of `words` that comes next.
    pub fn sees_any<'w>(&self, words: &[&'w str]) -> Option<&'w str> {
        words.iter().copied().find(|words| self.sees(words))
    }

    /// Whether this word stands right before.
    pub fn sees_before(&self, word: &str) -> bool {
        self.at > 0 && self.tokens.get(self.at - 1).is_some_and(|token| self.is(*token, word))
    }

    /// Whether a token is this word, in any case, or this sign.
    pub fn is(&self, token: Token, word: &str) -> bool {
        matches!(token.kind, TokenKind::Word | TokenKind::Punctuation | TokenKind::Operator)
            && self.source.slice(token.span).eq_ignore_ascii_case(word.as_bytes())
    }

    /// The kind of the next token.
    pub fn kind(&self) -> Option<TokenKind> {
        self.peek().map(|token| token.kind)
    }

    // Moving.

    /// Takes the next token.
    pub fn bump(&mut self) -> Option<Token> {
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }

    /// Returns to a mark.
    pub fn back_to(&mut self, mark: usize) {
        self.at = mark;
    }

    /// How many tokens are left.
    pub fn left(&self) -> usize {
        self.limit.saturating_sub(self.at)
    }

    /// Moves on by `count` tokens.
    pub fn skip(&mut self, count: usize) {
        self.at = (self.at + count).min(self.limit);
    }

    /// Takes these words or signs if they come next.
    pub fn take(&mut self, words: &str) -> bool {
        let seen = self.sees(words);
        if seen {
            self.at += words.split(' ').count();
        }
        seen
    }

    /// Takes the first of `words` that comes next.
    pub fn take_any<'w>(&mut self, words: &[&'w str]) -> Option<&'w str> {
        let seen = self.sees_any(words)?;
        self.take(seen);
        Some(seen)
    }

    /// Takes these words or signs.
    pub fn expect(&mut self, words: &str) -> Read<()> {
        if self.take(words) { Ok(()) } else { Err(self.fail(&words.to_uppercase())) }
    }

    /// Takes the first of `words` that comes next.
    pub fn expect_any<'w>(&mut self, words: &[&'w str]) -> Read<&'w str> {
        match self.take_any(words) {
            Some(word) => Ok(word),
            None => Err(self.fail(&alternatives(words))),
        }
    }

    /// IF EXISTS.
    pub fn if_exists(&mut self) -> bool {
        self.take("if exists")
    }

    /// IF NOT EXISTS.
    pub fn if_not_exists(&mut self) -> bool {
        self.take("if not exists")
    }

    /// Nothing may be left.
    pub fn finish(&self) -> Read<()> {
        if self.at_end() { Ok(()) } else { Err(self.fail("the end")) }
    }

    // Ranges.

    /// The place before the next token, for [`Cursor::span_from`].
    pub fn mark(&self) -> usize {
        self.at
    }

    /// From the token at a mark to the last one that was taken.
    pub fn span_from(&self, mark: usize) -> Span {
        span_of(&self.tokens[mark..self.at.max(mark)]).unwrap_or_else(|| self.here())
    }

    /// The tokens from a mark to the last one that was taken.
    pub fn tokens_from(&self, mark: usize) -> &'a [Token] {
        &self.tokens[mark..self.at]
    }

    /// The source text from a mark to the last token that was taken.
    pub fn text_from(&self, mark: usize) -> Box<str> {
        self.source.text(self.span_from(mark)).into()
    }

    /// The text of a token as it is written.
    pub fn text(&self, token: Token) -> std::borrow::Cow<'a, str> {
        self.source.text(token.span)
    }

    /// Takes everything that is left.
    pub fn rest(&mut self) -> &'a [Token] {
        let from = self.at;
        self.at = self.limit;
        &self.tokens[from..self.limit]
    }

    /// From the next token to the last one.
    pub fn span_of_rest(mut self) -> Span {
        let from = self.mark();
        self.rest();
        self.span_from(from)
    }

    /// Takes a parenthesised group and gives a cursor over its inside.
    pub fn group(&mut self) -> Read<Self> {
        if !self.sees("(") {
            return Err(self.fail("("));
        }
        let open = self.at;
        self.balanced()?;
        Ok(Self { at: open + 1, limit: self.at - 1, ..self.clone() })
    }

    /// Takes one token, or a whole group if it opens one.
    pub fn balanced(&mut self) -> Read<()> {
        let from = self.at;
        let mut depth = 0u32;
        while let Some(token) = self.bump() {
            if self.is(token, "(") || self.is(token, "[") {
                depth += 1;
            } else if self.is(token, ")") || self.is(token, "]") {
                let Some(outer) = depth.checked_sub(1) else {
                    self.at -= 1;
                    return Err(self.fail("no closing bracket"));
                };
                depth = outer;
            }
            if depth == 0 {
                return Ok(());
            }
        }
        let open = Self { at: from, ..self.clone() };
        Err(if self.at > from {
            Fault { message: "syntax error: this bracket is never closed".into(), ..open.fail("") }
        } else {
            self.fail("more")
        })
    }

    /// Takes tokens up to the first outside of brackets at which `stop` holds, or to the end.
    pub fn until(&mut self, stop: impl Fn(&Self) -> bool) -> Read<&'a [Token]> {
        let from = self.at;
        while !self.at_end() && !stop(self) {
            self.balanced()?;
        }
        Ok(&self.tokens[from..self.at])
    }

    /// Takes tokens up to the next comma outside of brackets and gives a cursor over them; the comma stays.
    pub fn until_comma(&mut self) -> Read<Self> {
        let from = self.at;
        self.until(|cursor| cursor.sees(","))?;
        Ok(Self { at: from, limit: self.at, ..self.clone() })
    }

    /// A cursor for each part between commas outside of brackets; takes everything that is left. Nothing gives no part.
    pub fn comma_parts(&mut self) -> Read<Vec<Self>> {
        let mut parts = Vec::new();
        if self.at_end() {
            return Ok(parts);
        }
        loop {
            parts.push(self.until_comma()?);
            if !self.take(",") {
                return Ok(parts);
            }
        }
    }

    /// The same, of which there has to be one at least, and none may be empty.
    pub fn items(&mut self) -> Read<Vec<Self>> {
        if self.at_end() {
            return Err(self.fail("something in the parentheses"));
        }
        let parts = self.comma_parts()?;
        match parts.iter().find(|part| part.at_end()) {
            Some(empty) => Err(empty.fail("something before it")),
            None => Ok(parts),
        }
    }

    /// A cursor over the tokens between two marks.
    pub fn between(&self, from: usize, to: usize) -> Self {
        Self { at: from, limit: to.min(self.tokens.len()), ..self.clone() }
    }

    /// An expression out of these tokens.
    pub fn expression(&self, tokens: &[Token]) -> Read<Expression> {
        if tokens.is_empty() {
            return Err(self.fail("an expression"));
        }
        let expression = detail::expression(self.source, tokens);
        if !expression.understood {
            self.note_unknown();
        }
        Ok(expression)
    }

    /// What a query out of these tokens reads and calls.
    pub fn query(&self, tokens: &[Token]) -> Read<QuerySummary> {
        if tokens.is_empty() {
            return Err(self.fail("a query"));
        }
        let summary = detail::query(self.source, tokens);
        if !summary.understood {
            self.note_unknown();
        }
        Ok(summary)
    }

    // Faults.

    /// The next token's place; at the end of the statement, the empty place behind its last token.
    pub fn here(&self) -> Span {
        match self.tokens.get(self.at) {
            Some(token) => token.span,
            None => self.tokens.last().map_or(Span::default(), |last| Span::new(last.span.end, last.span.end)),
        }
    }

    /// A fault at the next token.
    pub fn fail(&self, expected: &str) -> Fault {
        let found = match self.tokens.get(self.at) {
            Some(token) => format!("at `{}`", shortened(&self.source.text(token.span))),
            None => "at the end of the statement".to_owned(),
        };
        Fault { message: format!("syntax error {found}, expected {expected}"), span: self.here() }
    }
}

/// `ADD, DROP or SET`; of many words only the first.
fn alternatives(words: &[&str]) -> String {
    const MOST: usize = 8;
    let words: Vec<_> = words.iter().map(|word| word.to_uppercase()).collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) if rest.len() < MOST => format!("{} or {last}", rest.join(", ")),
        _ => format!("{} ...", words[..words.len().min(MOST)].join(", ")),
    }
}

/// From the first of some tokens to the last.
pub(crate) fn span_of(tokens: &[Token]) -> Option<Span> {
    Some(tokens.first()?.span.to(tokens.last()?.span))
}

/// Long strings would drown a message.
fn shortened(text: &str) -> std::borrow::Cow<'_, str> {
    const MOST: usize = 40;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", &text[..end]).into(),
        None => text.into(),
    }
}
