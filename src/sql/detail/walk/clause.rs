//! Words that open a clause.

use super::{Kind, Statement, Walk};
use crate::model::operation::Persistence;
use crate::sql::detail::survey::Clause;

impl Walk<'_> {
    /// INSERT INTO, UPDATE, DELETE FROM, MERGE INTO: the table behind the words.
    pub(super) fn statement(&mut self, statement: Statement, words: usize) {
        self.enter(Clause::Target);
        self.skip(words);
        if self.is_word(0, "only") {
            self.skip(1);
        }
        let frame = self.frame();
        frame.statement = statement;
        frame.query = true;
        let bracket = self.is_mark(0, "(");
        self.skip(usize::from(bracket));
        match self.chain() {
            Some((name, _)) => {
                self.found.aliases.insert(name.name.clone());
                self.found.writes.insert(name);
            }
            None => self.found.complete = false,
        }
        self.skip(usize::from(bracket));
    }

    /// Words that open a clause; false if this one does not, here.
    pub(super) fn clause_word(&mut self, word: &str) -> bool {
        let query = self.frame().query;
        let statement = self.frame().statement;
        let start = self.clause() == Clause::Start && self.frame().from == self.at || query && self.clause() == Clause::Start;
        match word {
            "select" if self.clause() == Clause::Conflict => self.skip(1),
            "select" => {
                self.enter(Clause::Targets);
                self.frame().query = true;
                self.skip(1);
                if self.is_word(0, "all") {
                    self.skip(1);
                }
                if self.is_word(0, "distinct") {
                    let on = self.is_word(1, "on") && self.is_mark(2, "(");
                    self.skip(if on { 2 } else { 1 });
                    if on {
                        self.open(Kind::DistinctOn);
                    }
                }
            }
            "from" if query => {
                self.enter(Clause::From { expected: true });
                self.skip(1);
            }
            "where" => {
                self.enter(Clause::Where);
                self.skip(1);
                if self.is_word(0, "current") && self.is_word(1, "of") {
                    self.skip(3);
                    self.operand = false;
                }
            }
            "partition" if !self.is_word(1, "by") => return false,
            "group" | "having" | "window" | "order" | "partition" | "offset" => {
                self.enter(Clause::Tail);
                self.skip(if self.is_word(1, "by") { 2 } else { 1 });
            }
            "limit" | "fetch" => {
                let all = self.is_any(1, &["all", "null"]);
                self.enter(Clause::Tail);
                self.frame().limited |= !all;
                // FIRST or NEXT.
                self.skip(if word == "fetch" { 2 } else { 1 });
            }
            "for" if query => {
                self.found.locks_rows |= self.is_any(1, &["update", "no", "share", "key"]);
                self.enter(Clause::Locking);
                self.skip(1);
            }
            "union" | "intersect" | "except" => {
                self.frame().query = true;
                self.enter(Clause::Start);
                self.skip(if self.is_any(1, &["all", "distinct"]) { 2 } else { 1 });
            }
            "values" if self.is_mark(1, "(") => {
                self.frame().query = true;
                self.enter(Clause::Values);
                self.skip(1);
            }
            "table" => {
                self.frame().query = true;
                self.enter(Clause::From { expected: true });
                self.skip(1);
            }
            "with" if start || self.clause() == Clause::Target => {
                self.frame().query = true;
                self.enter(Clause::With);
                self.skip(1);
            }
            "insert" if start && self.is_word(1, "into") => self.statement(Statement::Insert, 2),
            "merge" if start && self.is_word(1, "into") => self.statement(Statement::Merge, 2),
            "delete" if start && self.is_word(1, "from") => self.statement(Statement::Delete, 2),
            "update" if start && self.is_name(1) => self.statement(Statement::Update, 1),
            "into" if query => self.select_into(),
            "set" if statement != Statement::Query && !matches!(self.clause(), Clause::Set | Clause::Targets) => {
                self.enter(Clause::Set);
                self.skip(1);
            }
            "returning" if statement != Statement::Query => {
                self.enter(Clause::Returning);
                self.skip(1);
                // RETURNING WITH (OLD AS o, NEW AS n) (18).
                if self.is_word(0, "with") && self.is_mark(1, "(") {
                    self.skip(1);
                    self.skip_group();
                }
            }
            "on" if self.is_word(1, "conflict") && statement == Statement::Insert => {
                self.enter(Clause::Conflict);
                self.skip(2);
                if self.is_word(0, "on") {
                    self.skip(3);
                }
            }
            "do" => self.skip(if self.is_any(1, &["nothing", "update", "select"]) { 2 } else { 1 }),
            "when" if statement == Statement::Merge && self.is_any(1, &["matched", "not"]) && self.is_merge_when() => {
                self.enter(Clause::When);
                self.skip(1);
                while self.is_any(0, &["not", "matched", "by", "source", "target"]) {
                    self.skip(1);
                }
            }
            "then" if self.clause() == Clause::When && self.is_any(1, &["insert", "update", "delete", "do"]) => self.merge_action(),
            "join" | "cross" | "inner" | "natural" | "left" | "right" | "full" if self.clause() == Clause::On && !self.operand => {
                self.frame().clause = Clause::From { expected: false };
                self.word_in_from(word, false);
            }
            _ => return false,
        }
        true
    }

    pub(super) fn is_merge_when(&self) -> bool {
        self.is_word(1, "matched") || self.is_word(2, "matched")
    }

    /// What MERGE does with a row: the columns of INSERT are no expressions.
    pub(super) fn merge_action(&mut self) {
        let insert = self.is_word(1, "insert");
        self.skip(2);
        self.operand = true;
        if insert && self.is_mark(0, "(") {
            self.skip_group();
        }
        if insert && self.is_word(0, "overriding") {
            self.skip(3);
        }
        if self.is_any(0, &["nothing"]) {
            self.skip(1);
        }
        if self.is_word(0, "default") && self.is_word(1, "values") {
            self.skip(2);
        }
    }

    /// SELECT ... INTO: the table is made, not read.
    pub(super) fn select_into(&mut self) {
        self.enter(Clause::Into);
        self.skip(1);
        let mut persistence = Persistence::Permanent;
        loop {
            match self.ident(0) {
                // A word that is no name of a table if another name follows.
                Some(word) if self.is_name(1) && !self.is_any(1, &["from"]) => match word.as_str() {
                    "temporary" | "temp" => persistence = Persistence::Temporary,
                    "unlogged" => persistence = Persistence::Unlogged,
                    "local" | "global" | "table" => {}
                    _ => break,
                },
                _ => break,
            }
            self.skip(1);
        }
        match self.chain() {
            Some((name, _)) => self.found.into = Some((name, persistence)),
            None => {
                self.found.complete = false;
                self.skip(1);
            }
        }
        self.operand = false;
    }
}
