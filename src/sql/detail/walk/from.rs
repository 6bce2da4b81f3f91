//! Relations: what stands in WITH, in FROM, and behind the word of a statement that changes rows.

use super::{Kind, Walk};
use crate::model::name::{Ident, Name};
use crate::sql::detail::survey::Clause;
use crate::sql::detail::words;
use crate::sql::lex::TokenKind;

impl Walk<'_> {
    /// A relation or function in FROM, or the alias behind one.
    pub(super) fn relation(&mut self, expected: bool) {
        if !expected {
            self.alias_in_from();
            return;
        }
        let Some((name, _)) = self.chain() else {
            self.found.complete = false;
            self.at += 1;
            return;
        };
        let frame = self.frame();
        frame.clause = Clause::From { expected: false };
        frame.relations += 1;
        frame.last_is_bounded = false;
        self.operand = false;
        if self.is_mark(0, "(") {
            if name.schema.is_some() || !words::is_construct(name.name.as_str()) {
                self.found.calls.insert(name);
            }
            self.open(Kind::Plain);
        } else if name.schema.is_none() && words::is_niladic(name.name.as_str()) && self.tokens[self.at - 1].kind == TokenKind::Word {
            self.found.calls.insert(name);
        } else {
            self.table(name);
        }
    }

    pub(super) fn alias_in_from(&mut self) {
        let alias = self.ident(0);
        if self.frames.len() == 1 && self.frames[0].last_is_bounded {
            self.found.bounded.extend(alias.clone());
        }
        self.found.aliases.extend(alias);
        self.skip(1);
    }

    /// A table, a view or a CTE.
    pub(super) fn table(&mut self, name: Name) {
        self.found.aliases.insert(name.name.clone());
        let is_in = |ctes: &[Ident]| name.schema.is_none() && ctes.contains(&name.name);
        let is_cte = self.frames.iter().any(|frame| is_in(&frame.ctes));
        if self.frames.iter().any(|frame| is_in(&frame.bounded_ctes)) {
            let frame = self.frame();
            frame.last_is_bounded = true;
            // What is selected from it is bounded, too; a join could bring more.
            frame.limited |= frame.relations == 1;
        }
        if !is_cte {
            self.found.reads.insert(name);
        }
    }

    /// A word in the list of CTEs: the last one before AS or a column list is the name.
    pub(super) fn with_name(&mut self) {
        let name = self.ident(0);
        let frame = self.frame();
        if !frame.body_next {
            frame.pending = name;
        }
        self.skip(1);
    }

    pub(super) fn word_in_with(&mut self, word: &str) {
        let frame = self.frame();
        let between = frame.pending.is_none() && !frame.ctes.is_empty();
        match word {
            "recursive" if frame.pending.is_none() => {
                frame.recursive = true;
                self.skip(1);
            }
            "as" => {
                frame.body_next = true;
                if frame.recursive {
                    let name = frame.pending.clone();
                    frame.ctes.extend(name);
                }
                self.skip(1);
            }
            "select" | "values" | "table" | "insert" | "update" | "delete" | "merge" if between => {
                // Behind a comma the word would be a name.
                if self.at > 0 && self.source.slice(self.tokens[self.at - 1].span) == b"," {
                    self.with_name();
                } else {
                    self.frame().clause = Clause::Start;
                    self.word_in_expression(word);
                }
            }
            _ => self.with_name(),
        }
    }

    pub(super) fn word_in_from(&mut self, word: &str, expected: bool) {
        match word {
            "lateral" | "only" if expected => self.skip(1),
            "rows" if expected && self.is_word(1, "from") => {
                self.skip(2);
                self.frame().clause = Clause::From { expected: false };
                if self.is_mark(0, "(") {
                    self.open(Kind::Plain);
                }
            }
            "select" | "values" | "with" | "table" if expected && self.begins_query(0) => {
                self.frame().clause = Clause::Start;
                self.word_in_expression(word);
            }
            "join" => {
                self.enter(Clause::From { expected: true });
                self.skip(1);
            }
            "cross" | "inner" | "left" | "right" | "full" | "outer" | "natural" if !expected => self.skip(1),
            "as" => self.skip(1),
            "with" if self.is_word(1, "ordinality") => self.skip(2),
            "tablesample" => {
                self.skip(1);
                self.sampling();
            }
            "using" if self.is_mark(1, "(") => {
                self.skip(1);
                self.joined_columns();
            }
            "on" => {
                if self.is_word(1, "conflict") {
                    self.word_in_expression(word);
                } else {
                    self.enter(Clause::On);
                    self.skip(1);
                }
            }
            _ if ends_from(word) => self.word_in_expression(word),
            _ => self.relation(expected),
        }
    }

    /// JOIN ... USING (columns).
    pub(super) fn joined_columns(&mut self) {
        let from = self.at;
        self.skip_group();
        for token in &self.tokens[from..self.at] {
            self.found.columns.extend(token.ident(self.source));
        }
    }

    /// TABLESAMPLE method (...) [REPEATABLE (...)]: its arguments are expressions.
    pub(super) fn sampling(&mut self) {
        self.chain();
        if self.is_mark(0, "(") {
            self.open(Kind::Plain);
        }
    }

    /// The table that a statement changes, up to its next clause.
    pub(super) fn word_in_target(&mut self, word: &str) {
        match word {
            "using" => {
                self.enter(Clause::From { expected: true });
                self.skip(1);
            }
            "for" if self.is_word(1, "portion") => {
                // FOR PORTION OF column FROM a TO b (19): words around two expressions, both without columns.
                self.skip(4);
            }
            "overriding" => self.skip(3),
            "default" => self.skip(2),
            "as" => self.skip(2),
            "select" | "values" | "with" | "table" | "where" | "returning" | "set" | "on" => self.word_in_expression(word),
            _ => {
                self.found.aliases.extend(self.ident(0));
                self.skip(1);
            }
        }
    }

    pub(super) fn parenthesis_in_with(&mut self) {
        let frame = self.frame();
        if frame.body_next {
            frame.body_next = false;
            self.open(Kind::Cte);
        } else if frame.pending.is_some() {
            self.skip_group();
        } else {
            // The statement behind the CTEs, in brackets.
            self.frame().clause = Clause::Start;
            self.open(Kind::Plain);
        }
    }
}

/// Words that end FROM where they stand.
fn ends_from(word: &str) -> bool {
    matches!(
        word,
        "where"
            | "group"
            | "having"
            | "window"
            | "order"
            | "limit"
            | "offset"
            | "fetch"
            | "for"
            | "union"
            | "intersect"
            | "except"
            | "returning"
            | "when"
            | "set"
            | "into"
            | "select"
            | "using"
    )
}
