//! The statements of PL/pgSQL inside of a block: loops, assignments, EXECUTE, and SQL itself.

use super::super::code;
use super::{Event, Kind, Reader, Scope};
use crate::sql::lex::Token;
use crate::sql::recognise::cursor::{Read, span_of};

impl<'a> Reader<'a> {
    /// One statement that opens no block.
    pub(super) fn inner_statement(&mut self) -> Read<()> {
        const WORDS: [&str; 20] = [
            "if", "case", "loop", "while", "foreach", "for", "exit", "continue", "return", "raise", "assert", "perform", "execute", "get",
            "open", "fetch", "move", "close", "null", "call",
        ];
        if self.is_assignment() {
            return self.assignment();
        }
        let from = self.cursor.mark();
        match self.cursor.take_any(&WORDS) {
            Some("if") => {
                self.expression_before("then")?;
                self.push(Kind::If, Scope::BRANCH);
                Ok(())
            }
            Some("case") => {
                if !self.cursor.sees("when") {
                    let operand = self.cursor.until(|cursor| cursor.sees("when"))?;
                    self.expression(operand);
                }
                self.push(Kind::Case, Scope::default());
                self.close_scope();
                Ok(())
            }
            Some("loop") => {
                self.begin_loop(true);
                Ok(())
            }
            Some("while") => {
                self.begin_loop(true);
                self.expression_before("loop")
            }
            Some("foreach") => self.foreach(),
            Some("for") => self.for_loop(),
            Some("return") => self.return_(),
            Some("execute") => self.execute(";"),
            Some("open") => self.open_cursor(),
            Some("get" | "fetch" | "move" | "close" | "null") => {
                let rest = self.until_semicolon()?;
                self.program.variables.assign_all(self.cursor.source(), rest);
                Ok(())
            }
            // An expression stands somewhere behind these.
            Some("exit" | "continue" | "raise" | "assert") => {
                let rest = self.until_semicolon()?;
                self.expression(rest);
                Ok(())
            }
            Some("perform") => {
                self.until_semicolon()?;
                let tokens = self.cursor.tokens_from(from);
                self.program.variables.write_select(tokens[0].span);
                self.sql(&tokens[..tokens.len() - 1]);
                Ok(())
            }
            Some(_) | None => {
                self.cursor.back_to(from);
                let tokens = self.until_semicolon()?;
                self.sql(tokens);
                Ok(())
            }
        }
    }

    /// Takes what stands before the next semicolon, and that too.
    fn until_semicolon(&mut self) -> Read<&'a [Token]> {
        let tokens = self.cursor.until(|cursor| cursor.sees(";"))?;
        self.cursor.expect(";")?;
        Ok(tokens)
    }

    /// Behind DECLARE.
    pub(super) fn declarations(&mut self) -> Read<()> {
        while !self.cursor.sees("begin") {
            if self.cursor.take("declare") {
                continue;
            }
            let name = self.cursor.label()?;
            let rest = self.until_semicolon()?;
            let place = |word| rest.iter().position(|token| token.is_word(self.cursor.source(), word));
            let is_cursor = place("cursor").is_some_and(|at| at <= 2);
            match place("for").or(place("is")) {
                Some(query) if is_cursor => self.sql(&rest[query + 1..]),
                _ => {
                    let starts = |token: &Token| {
                        let source = self.cursor.source();
                        token.is_word(source, "default") || token.is_mark(source, ":=") || token.is_mark(source, "=")
                    };
                    if let Some(value) = rest.iter().position(starts).map(|at| &rest[at + 1..]) {
                        match value {
                            [literal] if code::is_text(*literal) => self.program.variables.initialise(name.clone(), *literal),
                            _ => self.expression(value),
                        }
                    }
                }
            }
            self.program.variables.declare(name);
        }
        Ok(())
    }

    // Loops.

    fn begin_loop(&mut self, repeats: bool) {
        self.push(Kind::Loop, Scope { branch: true, repeats, caught: false });
    }

    /// `FOREACH x SLICE 1 IN ARRAY expression LOOP`.
    fn foreach(&mut self) -> Read<()> {
        let targets = self.cursor.until(|cursor| cursor.sees("in array"))?;
        self.program.variables.bind(self.cursor.source(), targets);
        self.cursor.expect("in array")?;
        let written_out = self.cursor.sees("array") || self.cursor.sees("[");
        self.expression_before("loop")?;
        self.begin_loop(!written_out);
        Ok(())
    }

    /// `FOR x IN` a range, a query, a cursor, or EXECUTE.
    fn for_loop(&mut self) -> Read<()> {
        let targets = self.cursor.until(|cursor| cursor.sees("in"))?;
        self.program.variables.bind(self.cursor.source(), targets);
        self.cursor.expect("in")?;
        if self.cursor.take("execute") {
            self.execute("loop")?;
            self.begin_loop(true);
            return Ok(());
        }
        let is_query = self.cursor.sees_any(&["select", "with", "values", "insert", "update", "delete", "merge", "table", "("]).is_some();
        let tokens = self.cursor.until(|cursor| cursor.sees("loop"))?;
        self.cursor.expect("loop")?;
        let is_range = tokens.iter().any(|token| token.is_mark(self.cursor.source(), ".."));
        let mut repeats = true;
        if is_range {
            repeats = !self.is_short_range(tokens);
            self.expression(tokens);
        } else if is_query {
            self.sql(tokens);
        }
        self.begin_loop(repeats);
        Ok(())
    }

    /// `1..12`: two numbers, not far apart.
    fn is_short_range(&self, tokens: &[Token]) -> bool {
        const LONGEST: i64 = 1000;
        let number = |token: &Token| self.cursor.text(*token).parse::<i64>().ok();
        match tokens {
            [first, _, last] => number(first).zip(number(last)).is_some_and(|(first, last)| last - first < LONGEST),
            _ => false,
        }
    }

    // Parts.

    fn return_(&mut self) -> Read<()> {
        if self.cursor.take("query execute") {
            return self.execute(";");
        }
        if self.cursor.take("query") {
            let query = self.until_semicolon()?;
            self.sql(query);
            return Ok(());
        }
        let goes_on = self.cursor.take("next");
        let value = self.until_semicolon()?;
        self.expression(value);
        if let Some(frame) = self.frames.last_mut().filter(|_| !goes_on) {
            frame.returns = true;
        }
        Ok(())
    }

    /// Behind EXECUTE: the text, INTO and USING in any order, up to `end`.
    fn execute(&mut self, end: &str) -> Read<()> {
        let text = self.cursor.until(|cursor| cursor.sees_any(&["into", "using", end]).is_some())?;
        if let Some(span) = span_of(text) {
            self.program.events.push(Event::Execute(span));
        }
        while !self.cursor.take(end) {
            let into = self.cursor.expect_any(&["into", "using"])? == "into";
            let rest = self.cursor.until(|cursor| cursor.sees_any(&["into", "using", end]).is_some())?;
            if into {
                self.program.variables.assign_all(self.cursor.source(), rest);
            } else {
                self.expression(rest);
            }
        }
        Ok(())
    }

    /// `OPEN c FOR query`, `OPEN c FOR EXECUTE text`, `OPEN c (arguments)`.
    fn open_cursor(&mut self) -> Read<()> {
        self.cursor.until(|cursor| cursor.sees_any(&["for", ";"]).is_some())?;
        if self.cursor.take("for execute") {
            return self.execute(";");
        }
        let is_query = self.cursor.take("for");
        let query = self.until_semicolon()?;
        if is_query {
            self.sql(query);
        }
        Ok(())
    }

    pub(super) fn expression_before(&mut self, word: &str) -> Read<()> {
        let tokens = self.cursor.until(|cursor| cursor.sees(word) || cursor.sees(";"))?;
        self.cursor.expect(word)?;
        self.expression(tokens);
        Ok(())
    }

    fn expression(&mut self, tokens: &[Token]) {
        if let Some(span) = span_of(tokens) {
            self.program.variables.write_values(self.cursor.source(), tokens);
            self.program.events.push(Event::Expression(span));
        }
    }

    fn sql(&mut self, tokens: &[Token]) {
        let source = self.cursor.source();
        let Some(first) = tokens.first() else { return };
        let is = |words: &[&str]| words.iter().any(|word| first.is_word(source, word));
        if is(&["commit", "rollback"]) {
            self.frames.iter_mut().for_each(|frame| frame.commits = true);
        }
        // Only queries know variables, and only they fill them.
        if is(&["select", "with", "values", "insert", "update", "delete", "merge", "perform", "table"]) || first.is_mark(source, "(") {
            self.program.variables.leave_out_into(source, tokens);
            self.program.variables.write_values(source, tokens);
        }
        if let Some(span) = span_of(tokens) {
            self.program.events.push(Event::Sql(span));
        }
    }

    /// `name := `, `name.field = `, `name[1] := `.
    fn is_assignment(&self) -> bool {
        let mut ahead = self.cursor.clone();
        if ahead.label().is_err() {
            return false;
        }
        loop {
            if ahead.take(".") {
                if ahead.label().is_err() {
                    return false;
                }
            } else if ahead.sees("[") {
                if ahead.balanced().is_err() {
                    return false;
                }
            } else {
                return ahead.sees(":=") || ahead.sees("=");
            }
        }
    }

    fn assignment(&mut self) -> Read<()> {
        let target = self.cursor.until(|cursor| cursor.sees(":=") || cursor.sees("="))?;
        self.program.variables.assign_all(self.cursor.source(), &target[..target.len().min(1)]);
        self.cursor.bump();
        let value = self.until_semicolon()?;
        self.expression(value);
        Ok(())
    }
}
