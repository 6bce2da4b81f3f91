//! The verbs that take names, lists of names, and literals.

use super::super::keyword;
use super::{Cursor, Read};
use crate::model::name::{Ident, Name};
use crate::sql::lex::TokenKind;

impl Cursor<'_> {
    /// A name of one part that is no reserved word.
    pub fn ident(&mut self) -> Read<Ident> {
        self.part("a name", keyword::names_a_column)
    }

    /// A name of one part where even reserved words are names: behind a dot, behind AS.
    pub fn label(&mut self) -> Read<Ident> {
        self.part("a name", |_| true)
    }

    /// A name of one part where a type or function stands.
    pub fn type_ident(&mut self) -> Read<Ident> {
        self.part("a name", keyword::names_a_type)
    }

    fn part(&mut self, expected: &str, allowed: fn(&str) -> bool) -> Read<Ident> {
        let token = self.peek().ok_or_else(|| self.fail(expected))?;
        match token.ident(self.source) {
            Some(ident) if token.kind == TokenKind::QuotedIdent || allowed(ident.as_str()) => {
                self.at += 1;
                self.no_uescape()?;
                Ok(ident)
            }
            _ => Err(self.fail(expected)),
        }
    }

    /// The name of a role, or CURRENT_USER and its kin.
    pub fn role(&mut self) -> Read<Ident> {
        if self.sees_any(&["current_role", "current_user", "session_user"]).is_some() { self.label() } else { self.type_ident() }
    }

    /// `U&"..." UESCAPE '!'` would need another escape character than the one that was undone.
    fn no_uescape(&self) -> Read<()> {
        if self.sees("uescape") && self.peek_at(1).is_some_and(|next| next.kind == TokenKind::String) {
            return Err(self.fail("no UESCAPE, which cannot be read"));
        }
        Ok(())
    }

    /// A name of up to three parts; the database in front of three is dropped.
    pub fn name(&mut self) -> Read<Name> {
        let first = self.ident()?;
        self.parts_behind(first)
    }

    /// The same where a type or function stands.
    pub fn type_or_function_name(&mut self) -> Read<Name> {
        let first = self.type_ident()?;
        self.parts_behind(first)
    }

    /// A function's name, and the arguments that tell it from others of the name.
    pub fn routine(&mut self) -> Read<Name> {
        let name = self.type_or_function_name()?;
        if self.sees("(") {
            let mut group = self.group()?;
            if !group.at_end() {
                group.items()?;
            }
        }
        Ok(name)
    }

    /// Up to two further parts of a name behind its first.
    pub fn parts_behind(&mut self, first: Ident) -> Read<Name> {
        let mut parts = vec![first];
        while parts.len() < 3 && self.take(".") {
            parts.push(self.label()?);
        }
        if self.sees(".") {
            return Err(self.fail("at most three parts in a name"));
        }
        let name = parts.pop().ok_or_else(|| self.fail("a name"))?;
        Ok(Name { schema: parts.pop(), name })
    }

    /// Names with commas between them.
    pub fn names(&mut self) -> Read<Vec<Name>> {
        self.list(Self::name)
    }

    /// Names of one part with commas between them, in parentheses.
    pub fn ident_group(&mut self) -> Read<Vec<Ident>> {
        let mut group = self.group()?;
        let idents = group.list(Self::ident)?;
        group.finish()?;
        Ok(idents)
    }

    /// Items with commas between them, one at least.
    pub fn list<T>(&mut self, item: impl Fn(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.take(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// A string literal, quotes undone.
    pub fn string(&mut self) -> Read<Box<str>> {
        let token = self.peek().ok_or_else(|| self.fail("a string"))?;
        if !matches!(token.kind, TokenKind::String | TokenKind::DollarString) {
            return Err(self.fail("a string"));
        }
        let text = token.string_value(self.source).ok_or_else(|| self.fail("a string whose escapes can be read"))?;
        self.at += 1;
        self.no_uescape()?;
        Ok(text.into())
    }

    /// A whole number, with or without sign.
    pub fn integer(&mut self) -> Read<Box<str>> {
        let from = self.mark();
        let _sign = self.take_any(&["-", "+"]);
        match self.bump() {
            Some(token) if token.kind == TokenKind::Number => Ok(self.text_from(from)),
            _ => {
                self.at = from;
                Err(self.fail("a number"))
            }
        }
    }
}
