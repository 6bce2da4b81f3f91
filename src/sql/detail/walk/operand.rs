//! Words inside of expressions: operators, operands, and what goes with them.

use super::{Kind, Walk};
use crate::model::name::{Ident, Name};
use crate::sql::detail::survey::Clause;
use crate::sql::detail::{cast, words};
use crate::sql::lex::TokenKind;
use crate::sql::recognise::keyword;

impl Walk<'_> {
    /// A column, a call, or a literal with its type in front.
    pub(super) fn operand_name(&mut self) {
        let start = self.at;
        let Some((name, star)) = self.chain() else {
            self.found.complete = false;
            self.at += 1;
            return;
        };
        if star {
            self.found.places.push(self.at - 3);
            self.operand = false;
        } else if self.is_mark(0, "(") {
            self.found.calls.insert(name);
            self.open(Kind::Plain);
        } else if matches!(self.kind(0), Some(TokenKind::String | TokenKind::Variable)) {
            self.at = start;
            self.typed_literal();
        } else if self.is_mark(0, "=>") || self.is_mark(0, ":=") {
            self.skip(1);
        } else {
            self.found.places.push(self.at - 1);
            self.found.columns.insert(name.name);
            self.operand = false;
        }
    }

    pub(super) fn word_in_expression(&mut self, word: &str) {
        if self.clause_word(word) || self.operator_word(word) {
            return;
        }
        if self.operand { self.operand_word(word) } else { self.trailing_word(word) }
    }

    /// Words that are operators, or go with one; false if this one is none, here.
    pub(super) fn operator_word(&mut self, word: &str) -> bool {
        match word {
            "and" | "or" | "not" | "like" | "ilike" | "in" | "between" => {
                self.found.operators.insert(word.into());
                self.operand = true;
                self.skip(1);
            }
            "similar" | "overlaps" if !self.operand => {
                self.found.operators.insert(if word == "similar" { "similar to" } else { word }.into());
                self.operand = true;
                self.skip(if word == "similar" { 2 } else { 1 });
            }
            "is" | "isnull" | "notnull" if !self.operand => self.test(word),
            "escape" | "uescape" if !self.operand => {
                self.operand = true;
                self.skip(1);
            }
            "at" if !self.operand && (self.is_word(1, "time") || self.is_word(1, "local")) => {
                self.found.calls.insert(Name::bare(Ident::folded("timezone")));
                self.operand = self.is_word(1, "time");
                self.skip(if self.operand { 3 } else { 2 });
            }
            "operator" if self.is_mark(1, "(") => {
                self.skip(2);
                while self.at < self.tokens.len() && !self.is_mark(0, ")") {
                    if self.kind(0) == Some(TokenKind::Operator) {
                        self.found.operators.insert(self.source.text(self.tokens[self.at].span).into());
                    }
                    self.skip(1);
                }
                self.skip(1);
                self.operand = true;
            }
            "case" | "when" | "then" | "else" | "any" | "some" | "all" | "distinct" | "variadic" | "symmetric" | "asymmetric" | "both"
            | "leading" | "trailing" | "placing" | "from" | "for" | "to" | "on" | "using" | "by" => {
                self.operand = true;
                self.skip(1);
            }
            _ => return false,
        }
        true
    }

    /// IS and all that may follow it.
    pub(super) fn test(&mut self, word: &str) {
        self.found.operators.insert("is".into());
        self.skip(1);
        self.operand = false;
        if word != "is" {
            return;
        }
        if self.is_word(0, "not") {
            self.skip(1);
        }
        if self.is_word(0, "distinct") && self.is_word(1, "from") {
            self.skip(2);
            self.operand = true;
            return;
        }
        const TESTS: &[&str] = &[
            "null",
            "true",
            "false",
            "unknown",
            "document",
            "normalized",
            "nfc",
            "nfd",
            "nfkc",
            "nfkd",
            "json",
            "value",
            "scalar",
            "array",
            "object",
            "with",
            "without",
            "unique",
            "keys",
        ];
        while self.is_any(0, TESTS) {
            self.skip(1);
        }
    }

    /// A word where an operand is due.
    pub(super) fn operand_word(&mut self, word: &str) {
        match word {
            "null" | "true" | "false" | "default" | "end" => {
                self.operand = false;
                self.skip(1);
            }
            "cast" | "treat" if self.is_mark(1, "(") => {
                self.skip(1);
                self.open(Kind::Cast);
            }
            "array" => self.skip(1),
            "grouping" if self.is_word(1, "sets") => self.skip(2),
            "collation" if self.is_word(1, "for") => self.skip(2),
            "rollup" | "cube" if self.clause() == Clause::Tail => self.skip(1),
            // The frame of a window.
            "unbounded" | "current" if self.is_any(1, &["preceding", "following", "row"]) => {
                self.operand = false;
                self.skip(2);
            }
            "as" => self.alias(),
            _ if words::is_niladic(word) => {
                self.found.calls.insert(Name::bare(Ident::folded(word)));
                self.skip(1);
                if self.is_mark(0, "(") {
                    self.skip_group();
                }
                self.operand = false;
            }
            _ if self.begins_typed_literal(word) => self.typed_literal(),
            _ if words::is_construct(word) && self.is_mark(1, "(") => {
                if let Some(function) = words::function_of(word) {
                    self.found.calls.insert(Name::bare(Ident::folded(function)));
                }
                self.skip(1);
                self.open(Kind::Plain);
                if word == "extract" && self.is_word(1, "from") {
                    self.skip(1);
                }
            }
            _ if keyword::names_a_column(word) || self.is_mark(1, "(") => self.operand_name(),
            _ => self.skip(1),
        }
    }

    /// Types of several words in front of a literal: `timestamp with time zone '...'`.
    pub(super) fn begins_typed_literal(&self, word: &str) -> bool {
        match word {
            "interval" | "double" | "time" | "timestamp" | "character" | "national" | "bit" | "char" | "varchar" | "numeric" => {
                let behind = cast::type_at(self.source, self.tokens, self.at).map(|(_, behind)| behind);
                behind.is_some_and(|at| self.tokens.get(at).is_some_and(|token| token.kind == TokenKind::String))
            }
            _ => false,
        }
    }

    pub(super) fn typed_literal(&mut self) {
        self.cast();
        if matches!(self.kind(0), Some(TokenKind::String | TokenKind::Variable)) {
            self.skip(1);
        }
        while self.is_any(0, &["year", "month", "day", "hour", "minute", "second", "to"]) {
            self.skip(1);
            if self.is_mark(0, "(") {
                self.skip_group();
            }
        }
        self.operand = false;
    }

    /// A word behind an operand.
    pub(super) fn trailing_word(&mut self, word: &str) {
        match word {
            "as" => self.alias(),
            "collate" => {
                self.skip(1);
                self.chain();
            }
            "over" => {
                self.skip(1);
                if self.is_mark(0, "(") { self.open(Kind::Plain) } else { self.skip(1) }
            }
            "filter" if self.is_mark(1, "(") => {
                self.skip(1);
                self.open(Kind::Plain);
            }
            "rows" | "range" | "groups" => {
                self.operand = true;
                self.skip(1);
            }
            "asc" | "desc" | "nulls" | "within" | "respect" | "ignore" | "end" => self.skip(1),
            _ => {
                let may_name = matches!(self.clause(), Clause::Targets | Clause::Returning) && self.label != Some(self.at);
                if self.frames.len() == 1 && self.clause().holds_expressions() && !may_name {
                    self.stray(self.at);
                }
                self.skip(1);
                self.label = Some(self.at);
            }
        }
    }

    /// AS: the type of a CAST, the columns of a function's rows, or a name for what stands before it.
    pub(super) fn alias(&mut self) {
        self.skip(1);
        if self.frame().kind == Kind::Cast {
            self.cast();
        } else if self.is_mark(0, "(") {
            // A window's definition holds expressions.
            if self.clause() == Clause::Tail { self.open(Kind::Plain) } else { self.skip_group() }
        } else {
            self.skip(1);
            self.operand = false;
            self.label = Some(self.at);
        }
    }
}
