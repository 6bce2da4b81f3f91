//! The text that EXECUTE runs, where it can be told: literals, `||` between them, `format()` of them, variables that never change.

use super::code::{self, Code, Text};
use crate::model::name::Ident;
use crate::sql::lex::{Token, TokenKind};
use crate::text::Span;
use std::collections::HashMap;

/// Variables with a literal that nothing assigns to later: the literal.
pub(super) type Constants = HashMap<Ident, Token>;

/// The text of an expression; `None` if it is made at run time.
pub(super) fn text(code: &Code, tokens: &[Token], constants: &Constants) -> Option<Text> {
    let place = |span| code.place(span);
    Evaluation { code, constants, place: &place }.text(tokens, 0)
}

/// So deep may brackets and calls nest.
const DEEPEST: usize = 16;

struct Evaluation<'a> {
    code: &'a Code,
    constants: &'a Constants,
    place: &'a dyn Fn(Span) -> Span,
}

impl Evaluation<'_> {
    fn text(&self, tokens: &[Token], depth: usize) -> Option<Text> {
        let mut whole = Text::default();
        for term in self.split(tokens, "||") {
            whole.append(&self.term(term, depth)?);
        }
        Some(whole)
    }

    fn term(&self, tokens: &[Token], depth: usize) -> Option<Text> {
        let source = &*self.code.source;
        match tokens {
            [token] if code::is_text(*token) => code::literal(source, *token, self.place),
            [token] if token.kind == TokenKind::Number => {
                let mut text = Text::default();
                text.push(&source.text(token.span), (self.place)(token.span));
                Some(text)
            }
            [token] => code::literal(source, *self.constants.get(&token.ident(source)?)?, self.place),
            [before @ .., cast, data_type] if cast.is_mark(source, "::") && data_type.is_word(source, "text") => self.term(before, depth),
            _ if depth == DEEPEST => None,
            [open, inner @ .., close] if open.is_mark(source, "(") && close.is_mark(source, ")") => self.text(inner, depth + 1),
            [name, open, inner @ .., close] if open.is_mark(source, "(") && close.is_mark(source, ")") => {
                let arguments = self.split(inner, ",");
                match &*source.text(name.span).to_ascii_lowercase() {
                    "format" => self.format(&arguments, depth + 1),
                    "concat" => arguments.iter().try_fold(Text::default(), |mut whole, argument| {
                        whole.append(&self.text(argument, depth + 1)?);
                        Some(whole)
                    }),
                    "quote_ident" => self.quoted(arguments.first()?, 'I', depth + 1),
                    "quote_literal" | "quote_nullable" => self.quoted(arguments.first()?, 'L', depth + 1),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// `format(template, ...)` (manual: functions-string).
    fn format(&self, arguments: &[&[Token]], depth: usize) -> Option<Text> {
        let [template] = **arguments.first()? else { return None };
        let template = match code::is_text(template) {
            true => template,
            false => *self.constants.get(&template.ident(&self.code.source)?)?,
        };
        let template = Code::new(self.code.source.path(), code::literal(&self.code.source, template, self.place)?);
        let text = template.source.text(template.whole()).into_owned();
        let mut whole = Text::default();
        let (mut from, mut next) = (0, 1);
        while let Some(percent) = text[from..].find('%').map(|at| from + at) {
            let piece = Span::new(from as u32, percent as u32);
            whole.push(&text[from..percent], template.place(piece));
            let rest = &text[percent + 1..];
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let position = rest[..digits].parse::<usize>().ok().filter(|_| rest[digits..].starts_with('$'));
            let skipped = position.map_or(0, |_| digits + 1);
            let kind = rest[skipped..].chars().next()?;
            match kind {
                '%' => whole.push("%", template.place(Span::new(percent as u32, percent as u32 + 2))),
                'I' | 'L' | 's' => {
                    let which = position.unwrap_or(next);
                    next = which + 1;
                    whole.append(&self.quoted(arguments.get(which)?, kind, depth)?);
                }
                // A width: nobody writes one into SQL.
                _ => return None,
            }
            from = percent + 1 + skipped + 1;
        }
        whole.push(&text[from..], template.place(Span::new(from as u32, text.len() as u32)));
        Some(whole)
    }

    /// An argument as `format` writes it: `%I`, `%L` or `%s`. A value of which nothing is known stands as a parameter where only a value
    /// can stand.
    fn quoted(&self, argument: &[Token], kind: char, depth: usize) -> Option<Text> {
        let from = argument.first()?.span.to(argument.last()?.span);
        let mut quoted = Text::default();
        match (self.text(argument, depth), kind) {
            (Some(text), 's') => return Some(text),
            (Some(text), 'I') => quoted.push(&Ident::quoted(text.as_str()).sql(), (self.place)(from)),
            (Some(text), _) => quoted.push(&format!("'{}'", text.as_str().replace('\'', "''")), (self.place)(from)),
            (None, 'L') => quoted.push("$1", (self.place)(from)),
            (None, _) => return None,
        }
        Some(quoted)
    }

    /// The parts between a sign outside of brackets.
    fn split<'t>(&self, tokens: &'t [Token], sign: &str) -> Vec<&'t [Token]> {
        let source = &*self.code.source;
        let (mut parts, mut from, mut depth) = (Vec::new(), 0, 0u32);
        for (at, token) in tokens.iter().enumerate() {
            if token.is_mark(source, "(") || token.is_mark(source, "[") {
                depth += 1;
            } else if token.is_mark(source, ")") || token.is_mark(source, "]") {
                depth = depth.saturating_sub(1);
            } else if depth == 0 && token.is_mark(source, sign) {
                parts.push(&tokens[from..at]);
                from = at + 1;
            }
        }
        parts.push(&tokens[from..]);
        parts
    }
}
