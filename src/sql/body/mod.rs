//! Bodies: the statements inside of DO and of functions, each with its place in the file and how it is run.
//!
//! PL/pgSQL and SQL are read. What cannot be told from the text is [`Operation::Dynamic`], with the construct named: nothing in a body is
//! passed over in silence.

mod code;
mod dynamic;
mod plpgsql;
mod variables;
#[cfg(test)]
mod tests;

use super::lex::{Lexer, Token, TokenKind};
use super::split::{Piece, Splitter};
use super::{Reading, Statement, recognise};
use crate::model::name::Ident;
use crate::model::operation::Operation;
use crate::text::{Located, SourceFile, Span};
use code::{Code, Text};
use plpgsql::{Event, Scope};
use std::path::Path;
use std::sync::Arc;

/// Where in a body a statement stands, and how it is run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Nesting {
    /// How many branches begin before it.
    pub opens: u32,
    /// How many branches end behind it.
    pub closes: u32,
    /// It may not run: under IF, in a loop, in a block that has an EXCEPTION, behind a RETURN.
    pub conditional: bool,
    /// It may run so often that it takes long, all in one transaction.
    pub repeats: bool,
    /// It runs in a subtransaction, since errors are caught.
    pub caught: bool,
    /// The server lets nobody end the transaction here: a function is running, which no CALL has called.
    pub atomic: bool,
    /// The function or procedure whose body it stands in; `None`: a DO block.
    pub routine: Option<Arc<str>>,
    /// The text that the spans inside of its operations are about; `None`: the file's.
    pub code: Option<Arc<SourceFile>>,
}

/// A function or procedure to be read.
#[derive(Clone, Copy, Debug)]
pub struct Routine<'a> {
    /// LANGUAGE; `None` is `sql`.
    pub language: Option<&'a Ident>,
    /// The literal with its quotes, or the BEGIN ATOMIC block or RETURN.
    pub body: Span,
    /// Whether it is such a block.
    pub atomic: bool,
    /// Names of its arguments.
    pub parameters: &'a [Ident],
}

/// So deep may bodies stand in bodies.
const DEEPEST: usize = 8;

/// Reads the body of a DO.
pub(super) fn attach(statement: &mut Statement, source: &SourceFile) {
    attach_at(statement, source, &|span| span, 0);
}

/// The statements of a routine's body, in order, each at its place in `source`.
pub fn routine(source: &SourceFile, routine: &Routine<'_>) -> Vec<Statement> {
    let text = match routine.atomic {
        true => Some(inside_of_block(source, routine.body)),
        false => literal_at(source, routine.body, &|span| span),
    };
    let language = routine.language.map_or("sql", Ident::as_str);
    let read = text.and_then(|text| read(source.path(), text, language, routine.parameters, 0));
    read.unwrap_or_else(|| vec![dynamic(routine.body, unread(language))])
}

/// The comments in the body of a DO.
pub(super) fn comments(statement: &Statement, source: &SourceFile) -> Vec<Span> {
    let mut comments = Vec::new();
    for operation in &statement.operations {
        let Operation::DoBlock { body: Some(body), .. } = operation.what else { continue };
        let Some(text) = literal_at(source, body, &|span| span) else { continue };
        let code = Code::new(source.path(), text);
        let mut lexer = Lexer::new(&code.source, code.whole());
        while let Some(token) = lexer.next_lexeme() {
            if token.kind == TokenKind::Comment {
                comments.push(code.place(token.span));
            }
        }
    }
    comments
}

/// The text of a body, as a source of its own.
pub fn code(source: &SourceFile, body: Span) -> Arc<SourceFile> {
    let text = literal_at(source, body, &|span| span).unwrap_or_else(|| inside_of_block(source, body));
    Code::new(source.path(), text).source
}

fn attach_at(statement: &mut Statement, source: &SourceFile, place: &dyn Fn(Span) -> Span, depth: usize) {
    for operation in &statement.operations {
        let Operation::DoBlock { language, body } = &operation.what else { continue };
        let language = language.as_ref().map_or("plpgsql", Ident::as_str);
        let text = body.and_then(|body| literal_at(source, body, place));
        let read = text.filter(|_| depth < DEEPEST).and_then(|text| read(source.path(), text, language, &[], depth + 1));
        statement.body = read.unwrap_or_else(|| vec![dynamic(place(operation.span), unread(language))]);
    }
}

fn literal_at(source: &SourceFile, span: Span, place: &dyn Fn(Span) -> Span) -> Option<Text> {
    let token = Lexer::new(source, span).next()?;
    code::literal(source, token, place)
}

/// The statements between BEGIN ATOMIC and END; RETURN of an expression is a SELECT.
fn inside_of_block(source: &SourceFile, block: Span) -> Text {
    let tokens: Vec<Token> = Lexer::new(source, block).collect();
    let mut text = Text::default();
    let mut push = |part: Span| text.push(&source.text(part), part);
    match tokens.as_slice() {
        [begin, atomic, .., end] if begin.is_word(source, "begin") => push(Span::new(atomic.span.end, end.span.start)),
        [word, .., last] => {
            text.push("SELECT", word.span);
            let expression = Span::new(word.span.end, last.span.end);
            text.push(&source.text(expression), expression);
        }
        [] | [_] => push(block),
    }
    text
}

/// Why a body is not known.
fn unread(language: &str) -> String {
    match language {
        "plpgsql" | "sql" => "its body cannot be read".to_owned(),
        other => format!("its body is in {other}"),
    }
}

/// A statement that stands for what nobody sees.
fn dynamic(span: Span, construct: String) -> Statement {
    let what = Operation::Dynamic { construct: construct.into() };
    let nesting = Some(Box::new(Nesting::default()));
    Statement { nesting, ..Statement::new(span, Reading::Partial, vec![Located { what, span }]) }
}

/// The statements of a body; `None` if it cannot be read.
fn read(path: &Path, text: Text, language: &str, parameters: &[Ident], depth: usize) -> Option<Vec<Statement>> {
    let code = Code::new(path, text);
    match language {
        "plpgsql" => {
            let program = plpgsql::read(&code, parameters)?;
            let mut body = Body::new(&code, depth);
            body.program(&program);
            Some(body.statements)
        }
        "sql" => {
            let mut variables = variables::Variables::default();
            parameters.iter().for_each(|parameter| variables.declare(parameter.clone()));
            let tokens: Vec<Token> = Lexer::new(&code.source, code.whole()).collect();
            variables.write_values(&code.source, &tokens);
            let mut body = Body::new(&code, depth);
            body.script(&SourceFile::new(path, variables.overwrite(&code.source)));
            Some(body.statements)
        }
        _ => None,
    }
}

/// The statements of a body as they are read.
struct Body<'a> {
    code: &'a Code,
    depth: usize,
    statements: Vec<Statement>,
    scopes: Vec<Scope>,
    /// Branches that have begun without a statement in them so far.
    pending: u32,
}

impl<'a> Body<'a> {
    fn new(code: &'a Code, depth: usize) -> Self {
        Self { code, depth, statements: Vec::new(), scopes: Vec::new(), pending: 0 }
    }

    fn program(&mut self, program: &plpgsql::Program) {
        let constants = plpgsql::constants(program);
        let source = SourceFile::new(self.code.source.path(), program.variables.overwrite(&self.code.source));
        for event in &program.events {
            match *event {
                Event::Open(scope) => {
                    self.scopes.push(scope);
                    self.pending += u32::from(scope.branch);
                }
                Event::Close => self.close(),
                Event::Sql(span) => self.sql(&source, span),
                Event::Expression(span) => self.expression(&source, span),
                Event::Execute(span) => {
                    let tokens: Vec<Token> = Lexer::new(&self.code.source, span).collect();
                    match dynamic::text(self.code, &tokens, &constants).filter(|_| self.depth < DEEPEST) {
                        Some(text) => self.executed(text),
                        None => self.unknown(span, |text| format!("the text of EXECUTE `{text}` is made while it runs")),
                    }
                }
            }
        }
    }

    fn close(&mut self) {
        if !self.scopes.pop().is_some_and(|scope| scope.branch) {
            return;
        }
        match self.statements.last_mut().and_then(|last| last.nesting.as_mut()).filter(|_| self.pending == 0) {
            Some(last) => last.closes += 1,
            None => self.pending = self.pending.saturating_sub(1),
        }
    }

    /// A statement of SQL as the server's parser sees it: with parameters in place of variables. If that leads nowhere, as it is written.
    fn sql(&mut self, overwritten: &SourceFile, span: Span) {
        let read = |source: &SourceFile| {
            let tokens: Vec<Token> = Lexer::new(source, span).collect();
            recognise::statement(source, span, &tokens, false)
        };
        let mut statement = read(overwritten);
        if statement.reading == Reading::Unreadable {
            statement = read(&self.code.source);
        }
        match statement.reading {
            Reading::Unreadable => self.unknown(span, |text| format!("`{text}` cannot be read")),
            Reading::Full | Reading::Partial => self.add(statement),
        }
    }

    /// An expression matters for what it reads and calls.
    fn expression(&mut self, overwritten: &SourceFile, span: Span) {
        let tokens: Vec<Token> = Lexer::new(overwritten, span).collect();
        let survey = super::detail::survey(overwritten, &tokens, &[]);
        let (reads, calls) = (survey.reads.into_vec(), survey.calls.into_vec());
        if reads.is_empty() && calls.is_empty() {
            return;
        }
        let what = Operation::Select { reads, calls, locks_rows: survey.locks_rows, text: None };
        self.add(Statement::new(span, Reading::Full, vec![Located { what, span }]));
    }

    /// What EXECUTE runs: statements of a text of its own.
    fn executed(&mut self, text: Text) {
        let code = Code::new(self.code.source.path(), text);
        let mut inner = Body::new(&code, self.depth + 1);
        inner.script(&code.source);
        self.splice(inner.statements);
    }

    /// A script: statement after statement.
    fn script(&mut self, source: &SourceFile) {
        let mut splitter = Splitter::new(source, self.code.whole());
        while let Some(piece) = splitter.next_piece() {
            match piece {
                Piece::Sql(span) => self.sql(source, span),
                Piece::PsqlCommand(span) | Piece::CopyData(span) | Piece::Broken { span, .. } => {
                    self.unknown(span, |text| format!("`{text}` cannot be read"));
                }
            }
        }
    }

    fn unknown(&mut self, span: Span, why: impl Fn(&str) -> String) {
        let construct = why(&in_short(&self.code.source.text(span)));
        self.add(dynamic(span, construct));
    }

    /// Adds a statement with what stands in its own body, and tells how it is run.
    fn add(&mut self, mut statement: Statement) {
        attach_at(&mut statement, &self.code.source, &|span| self.code.place(span), self.depth);
        let body = std::mem::take(&mut statement.body);
        statement.span = self.code.place(statement.span);
        for operation in &mut statement.operations {
            operation.span = self.code.place(operation.span);
            if let Operation::CreateFunction(function) = &mut operation.what {
                // Its body can be read again where it stands word for word.
                function.body = function.body.map(|body| (body, self.code.place(body))).filter(|(a, b)| a.len() == b.len()).map(|(_, b)| b);
            }
        }
        let code = Some(Arc::clone(&self.code.source));
        statement.nesting = Some(Box::new(Nesting { code, ..Nesting::default() }));
        self.splice(vec![statement]);
        self.splice(body);
    }

    /// Adds statements whose places are the file's already.
    fn splice(&mut self, statements: Vec<Statement>) {
        let is = |which: fn(&Scope) -> bool| self.scopes.iter().any(which);
        let (branch, repeats, caught) = (is(|scope| scope.branch), is(|scope| scope.repeats), is(|scope| scope.caught));
        for mut statement in statements {
            let nesting = statement.nesting.get_or_insert_default();
            nesting.opens += std::mem::take(&mut self.pending);
            nesting.conditional |= branch;
            nesting.repeats |= repeats;
            nesting.caught |= caught;
            self.statements.push(statement);
        }
    }
}

/// A piece of code in one line.
fn in_short(text: &str) -> String {
    const LONGEST: usize = 60;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} ...", &line[..end]),
        None => line,
    }
}
