//! PL/pgSQL: where in a body SQL stands, and under which conditions it runs. Blocks, branches and loops are a stack of frames, so that no
//! depth of nesting overflows anything.

use super::code::{self, Code};
use super::dynamic::Constants;
use super::variables::Variables;
use crate::model::name::Ident;
use crate::sql::lex::{Lexer, Token};
use crate::sql::recognise::cursor::{Cursor, Notes, Read, span_of};
use crate::text::Span;

/// What a body does, in order.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub events: Vec<Event>,
    /// Its variables, and what has to be written in place of them before SQL is read.
    pub variables: Variables,
}

/// One thing in a body.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Event {
    /// What follows, up to its `Close`, runs under some condition.
    Open(Scope),
    Close,
    /// A statement of SQL.
    Sql(Span),
    /// An expression, which may read tables and call functions.
    Expression(Span),
    /// The expression whose text EXECUTE runs.
    Execute(Span),
}

/// How what stands in it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Scope {
    /// It may not run.
    pub branch: bool,
    /// It may run so often that it takes long, all in one transaction.
    pub repeats: bool,
    /// An error in it is caught: it runs in a subtransaction.
    pub caught: bool,
}

impl Scope {
    const BRANCH: Self = Self { branch: true, repeats: false, caught: false };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Routine,
    Block,
    /// A block behind its EXCEPTION.
    Handlers,
    If,
    Case,
    Loop,
}

/// Something that END will close.
#[derive(Debug)]
struct Frame {
    kind: Kind,
    /// Its `Open` among the events.
    opened: usize,
    /// Whether a scope of its own is open. A CASE has none before its first WHEN, nor has EXCEPTION.
    is_open: bool,
    /// A RETURN stands in it: what follows it may not run.
    returns: bool,
    /// Scopes that were opened in it behind a RETURN under a condition.
    behind_return: usize,
    commits: bool,
}

struct Reader<'a> {
    cursor: Cursor<'a>,
    program: Program,
    frames: Vec<Frame>,
}

/// Reads a body; `None` if it is no PL/pgSQL that can be read. `parameters` are variables, too.
pub(super) fn read(code: &Code, parameters: &[Ident]) -> Option<Program> {
    let tokens: Vec<Token> = Lexer::new(&code.source, code.whole()).collect();
    let notes = Notes::default();
    let cursor = Cursor::new(&code.source, &tokens, &notes);
    let mut reader = Reader { cursor, program: Program::default(), frames: Vec::new() };
    for parameter in parameters {
        reader.program.variables.declare(parameter.clone());
    }
    reader.program().ok()?;
    Some(reader.program)
}

/// The literals of variables that nothing assigns to.
pub(super) fn constants(program: &Program) -> Constants {
    program.variables.constants()
}

impl<'a> Reader<'a> {
    fn program(&mut self) -> Read<()> {
        while self.cursor.sees("#") {
            // #variable_conflict use_column and its kin.
            self.cursor.skip(3);
        }
        self.push(Kind::Routine, Scope::default());
        while !self.cursor.at_end() {
            self.statement()?;
        }
        match self.frames.as_slice() {
            [_] => self.leave(),
            _ => return Err(self.cursor.fail("END")),
        }
        Ok(())
    }

    // Frames.

    fn open(&mut self, scope: Scope) {
        self.program.events.push(Event::Open(scope));
    }

    fn push(&mut self, kind: Kind, scope: Scope) {
        let opened = self.program.events.len();
        self.open(scope);
        self.frames.push(Frame { kind, opened, is_open: true, returns: false, behind_return: 0, commits: false });
    }

    /// Ends the scope of the innermost frame, and those that were opened in it behind a RETURN.
    fn close_scope(&mut self) {
        let Some(frame) = self.frames.last_mut() else { return };
        let scopes = std::mem::take(&mut frame.behind_return) + usize::from(std::mem::take(&mut frame.is_open));
        self.program.events.extend(std::iter::repeat_n(Event::Close, scopes));
    }

    /// The next branch of the innermost frame.
    fn next_branch(&mut self) {
        self.close_scope();
        self.open(Scope::BRANCH);
        if let Some(frame) = self.frames.last_mut() {
            frame.is_open = true;
        }
    }

    /// END.
    fn leave(&mut self) {
        self.close_scope();
        let Some(frame) = self.frames.pop() else { return };
        if frame.commits
            && let Some(Event::Open(scope)) = self.program.events.get_mut(frame.opened)
        {
            scope.repeats = false;
        }
        let Some(around) = self.frames.last_mut() else { return };
        if frame.returns {
            around.returns = true;
            around.behind_return += 1;
            self.open(Scope::BRANCH);
        }
    }

    fn kind(&self) -> Kind {
        self.frames.last().map_or(Kind::Routine, |frame| frame.kind)
    }

    // Statements.

    fn statement(&mut self) -> Read<()> {
        if self.cursor.take("<<") {
            self.cursor.label()?;
            return self.cursor.expect(">>");
        }
        if self.cursor.take(";") {
            return Ok(());
        }
        if self.cursor.take("declare") {
            return self.declarations();
        }
        if self.cursor.take("begin") {
            self.push(Kind::Block, Scope::default());
            return Ok(());
        }
        if self.frames.len() == 1 {
            return Err(self.cursor.fail("DECLARE or BEGIN"));
        }
        match self.kind() {
            Kind::Block if self.cursor.take("exception") => {
                self.handlers();
                return Ok(());
            }
            Kind::Handlers if self.cursor.take("when") => {
                self.cursor.until(|cursor| cursor.sees("then"))?;
                self.cursor.expect("then")?;
                self.next_branch();
                return Ok(());
            }
            Kind::If if self.cursor.take_any(&["elsif", "elseif"]).is_some() => {
                self.next_branch();
                return self.expression_before("then");
            }
            Kind::Case if self.cursor.take("when") => {
                self.expression_before("then")?;
                self.next_branch();
                return Ok(());
            }
            Kind::If | Kind::Case if self.cursor.take("else") => {
                self.next_branch();
                return Ok(());
            }
            _ => {}
        }
        if self.cursor.take("end") { self.end() } else { self.inner_statement() }
    }

    /// Behind END.
    fn end(&mut self) -> Read<()> {
        match self.kind() {
            Kind::If => self.cursor.expect("if")?,
            Kind::Case => self.cursor.expect("case")?,
            Kind::Loop => self.cursor.expect("loop")?,
            Kind::Block | Kind::Handlers | Kind::Routine => {}
        }
        if !self.cursor.sees(";") && !self.cursor.at_end() {
            self.cursor.label()?;
        }
        self.leave();
        if self.cursor.at_end() { Ok(()) } else { self.cursor.expect(";") }
    }

    /// EXCEPTION: what stood before it in its block runs in a subtransaction, and may be undone.
    fn handlers(&mut self) {
        let Some(frame) = self.frames.last_mut() else { return };
        frame.kind = Kind::Handlers;
        if let Some(Event::Open(scope)) = self.program.events.get_mut(frame.opened) {
            *scope = Scope { branch: true, caught: true, ..*scope };
        }
        self.close_scope();
    }

    fn inner_statement(&mut self) -> Read<()> {
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

    fn declarations(&mut self) -> Read<()> {
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

    fn expression_before(&mut self, word: &str) -> Read<()> {
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
