//! PL/pgSQL: where in a body SQL stands, and under which conditions it runs. Blocks, branches and loops are a stack of frames, so that no
//! depth of nesting overflows anything.

mod statement;

use super::code::Code;
use super::dynamic::Constants;
use super::variables::Variables;
use crate::model::name::Ident;
use crate::sql::lex::{Lexer, Token};
use crate::sql::recognise::cursor::{Cursor, Notes, Read};
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
}
