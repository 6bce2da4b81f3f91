//! Bytes to operations: lex, split, recognise, detail.

pub mod body;
pub mod broken_text;
pub mod detail;
pub mod lex;
pub mod literal;
mod psql;
pub mod recognise;
pub mod remark;
pub mod split;

use crate::model::operation::Operation;
use crate::text::{Located, SourceFile, Span};
pub use body::Nesting;
use broken_text::BrokenText;
use remark::{Remark, Remarks};
use split::{Piece, Splitter};

/// A range of a file, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// Its statements in order, psql's meta-commands among them.
    pub statements: Vec<Statement>,
    /// Its comments in order, those inside of statements and of DO blocks included.
    pub comments: Vec<Span>,
    /// Places that are no text: NUL, bytes that are not UTF-8, a byte order mark. The statements are read all the same.
    pub broken_text: Vec<BrokenText>,
    /// Secrets in plain text, and names that the server cuts; in the order of the statements.
    pub remarks: Vec<Remark>,
}

/// One statement of a file, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// From its first token to its last, the semicolon not included.
    pub span: Span,
    /// How much of it could be read.
    pub reading: Reading,
    /// What it does, in order.
    pub operations: Vec<Located<Operation>>,
    /// Of DO: the statements of its body, in order.
    pub body: Vec<Statement>,
    /// Where in a body it stands; `None`: in the file itself.
    pub nesting: Option<Box<Nesting>>,
}

impl Statement {
    /// One that stands in the file itself.
    pub(crate) fn new(span: Span, reading: Reading, operations: Vec<Located<Operation>>) -> Self {
        Self { span, reading, operations, body: Vec::new(), nesting: None }
    }
}

/// How much of a statement could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// All of it.
    Full,
    /// Its kind and names; some detail is unknown.
    Partial,
    /// Nothing; its one operation is `Operation::Unreadable`.
    Unreadable,
}

/// Reads a range of a file: every statement becomes operations, and what cannot be read is [`Reading::Unreadable`].
pub fn read(source: &SourceFile, part: Span) -> Script {
    let mut splitter = Splitter::new(source, part);
    let mut statements: Vec<Statement> = Vec::new();
    let (mut without_data, mut comments_in_bodies) = (0, Vec::new());
    let mut remarks = Remarks::new(source, part);
    while let Some(piece) = splitter.next_piece() {
        match piece {
            Piece::Sql(span) => {
                let (tokens, cut) = splitter.tokens();
                remarks.statement(statements.len(), tokens);
                let mut statement = recognise::statement(source, span, tokens, cut);
                body::attach(&mut statement, source);
                comments_in_bodies.append(&mut body::comments(&statement, source));
                statements.push(statement);
            }
            Piece::PsqlCommand(span) => statements.push(psql_command(source, span)),
            Piece::CopyData(data) => give_data(&mut statements, &mut without_data, data),
            Piece::Broken { span, at, why } => {
                let tail = if why.starts_with("unterminated") { ": the rest of the file is inside it" } else { "" };
                statements.push(unreadable(span, at, format!("{why}{tail}")));
            }
        }
    }
    let mut comments = splitter.comments;
    if !comments_in_bodies.is_empty() {
        comments.append(&mut comments_in_bodies);
        comments.sort_unstable();
    }
    Script { statements, comments, broken_text: broken_text::find(source, part), remarks: remarks.into_vec() }
}

fn unreadable(span: Span, at: Span, why: String) -> Statement {
    let operation = Located { what: Operation::Unreadable { why: why.into() }, span: at };
    Statement::new(span, Reading::Unreadable, vec![operation])
}

fn psql_command(source: &SourceFile, span: Span) -> Statement {
    let name = psql::Command::at(source.bytes(), span.start as usize).name;
    let word = String::from_utf8_lossy(name).into();
    Statement::new(span, Reading::Full, vec![Located { what: Operation::PsqlCommand { word }, span }])
}

/// Gives data to the first COPY FROM STDIN from `without_data` on; of `\copy` the data is of no interest.
fn give_data(statements: &mut [Statement], without_data: &mut usize, lines: Span) {
    for (index, statement) in statements.iter_mut().enumerate().skip(*without_data) {
        for operation in &mut statement.operations {
            if let Operation::Copy { from: true, stdin: true, data: data @ None, .. } = &mut operation.what {
                *data = Some(lines.len());
                *without_data = index + 1;
                return;
            }
        }
    }
    *without_data = statements.len();
}
