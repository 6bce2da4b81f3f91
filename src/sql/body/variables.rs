//! The variables of a body. In SQL they stand for values: before SQL is read, each is overwritten by a parameter of the same length.

use super::dynamic::Constants;
use crate::model::name::Ident;
use crate::sql::lex::{Token, TokenKind};
use crate::text::{SourceFile, Span};
use std::collections::{HashMap, HashSet};

/// The variables of a body, and what has to be overwritten where they stand.
#[derive(Debug, Default)]
pub(super) struct Variables {
    names: HashSet<Ident>,
    assigned: HashSet<Ident>,
    initial: HashMap<Ident, Token>,
    overwritten: Vec<(Span, By)>,
}

#[derive(Clone, Copy, Debug)]
enum By {
    /// A parameter: a value of which nothing is known.
    Value,
    /// SELECT: PERFORM is the same and gives nothing back.
    Select,
    /// Nothing: INTO says where the row goes.
    Space,
}

impl Variables {
    /// DECLARE.
    pub fn declare(&mut self, name: Ident) {
        self.names.insert(name);
    }

    /// DECLARE with a literal. If it was there before, in another block, it is not one value any more.
    pub fn initialise(&mut self, name: Ident, literal: Token) {
        if self.names.contains(&name) {
            self.assigned.insert(name);
        } else {
            self.initial.insert(name, literal);
        }
    }

    /// The target of a loop.
    pub fn bind(&mut self, source: &SourceFile, targets: &[Token]) {
        self.names.extend(targets.iter().filter_map(|token| token.ident(source)));
        self.assign_all(source, targets);
    }

    /// Every name among these tokens gets another value.
    pub fn assign_all(&mut self, source: &SourceFile, tokens: &[Token]) {
        self.assigned.extend(tokens.iter().filter_map(|token| token.ident(source)));
    }

    /// The literals of those that nothing assigns to.
    pub fn constants(&self) -> Constants {
        self.initial.iter().filter(|(name, _)| !self.assigned.contains(*name)).map(|(name, literal)| (name.clone(), *literal)).collect()
    }

    /// PERFORM.
    pub fn write_select(&mut self, perform: Span) {
        self.overwritten.push((perform, By::Select));
    }

    /// Variables in a query or an expression, with their fields.
    pub fn write_values(&mut self, source: &SourceFile, tokens: &[Token]) {
        const BEFORE_A_NAME: [&str; 8] = ["from", "join", "into", "update", "table", "as", "only", "with"];
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            let before = at.checked_sub(1).map(|before| tokens[before]);
            let is_name =
                before.is_some_and(|before| before.is_mark(source, ".") || BEFORE_A_NAME.iter().any(|word| before.is_word(source, word)));
            let next = |ahead: usize| tokens.get(at + ahead);
            let calls = next(1).is_some_and(|next| next.is_mark(source, "("));
            let is_variable = matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent)
                && token.ident(source).is_some_and(|name| self.names.contains(&name) || name == "found");
            if !is_variable || is_name || calls {
                at += 1;
                continue;
            }
            let mut last = at;
            while next(last - at + 1).is_some_and(|dot| dot.is_mark(source, "."))
                && next(last - at + 2).is_some_and(|field| matches!(field.kind, TokenKind::Word | TokenKind::QuotedIdent))
            {
                last += 2;
            }
            self.overwritten.push((token.span.to(tokens[last].span), By::Value));
            at = last + 1;
        }
    }

    /// `INTO STRICT a, b` of a query, which is no INTO of INSERT, MERGE or SELECT INTO.
    pub fn leave_out_into(&mut self, source: &SourceFile, tokens: &[Token]) {
        let is_into = |at: usize| {
            let before = at.checked_sub(1).map(|before| tokens[before]);
            tokens[at].is_word(source, "into")
                && !before.is_some_and(|before| before.is_word(source, "insert") || before.is_word(source, "merge"))
        };
        for at in (0..tokens.len()).filter(|at| is_into(*at)) {
            let mut last = at;
            let mut expects_name = true;
            for (ahead, token) in tokens.iter().enumerate().skip(at + 1) {
                let is_word = matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent);
                let joins = token.is_mark(source, ",") || token.is_mark(source, ".");
                if token.is_word(source, "strict") && last == at {
                    last = ahead;
                } else if (expects_name && is_word) || (!expects_name && joins) {
                    self.assign_all(source, std::slice::from_ref(token));
                    expects_name = joins;
                    last = ahead;
                } else {
                    break;
                }
            }
            self.overwritten.push((tokens[at].span.to(tokens[last].span), By::Space));
        }
    }

    /// The text with all of it overwritten, byte for byte; line breaks stay.
    pub fn overwrite(&self, source: &SourceFile) -> Vec<u8> {
        let mut bytes = source.bytes().to_vec();
        for (span, by) in &self.overwritten {
            let place = &mut bytes[span.range()];
            let (words, filler): (&[u8], u8) = match by {
                By::Value if place.len() < 2 => (b"1", b' '),
                // A parameter may have as many digits as it needs.
                By::Value if !place.contains(&b'\n') => (b"$1", b'0'),
                By::Value => (b"$1", b' '),
                By::Select => (b"SELECT", b' '),
                By::Space => (b"", b' '),
            };
            place.iter_mut().filter(|byte| !matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = filler);
            place[..words.len()].copy_from_slice(words);
        }
        bytes
    }
}
