//! A migration cut into steps: what commits together.

use super::hash;
use crate::model::name::Ident;
use crate::model::operation::{Operation, TwoPhase};
use crate::model::session::TransactionMode;
use crate::problem::Problem;
use crate::sql::lex::{Lexer, Token};
use crate::sql::{Script, Statement};
use crate::text::{SourceFile, Span};
use std::sync::Arc;

/// What commits together, or a statement that commits for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its place in the migration, from 1.
    pub number: u32,
    /// How it is run.
    pub kind: Kind,
    /// Its statements, by their index in the script.
    pub statements: Vec<usize>,
    /// Of its statements, see [`hash::normalised`].
    pub hash: String,
}

/// How a step is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// In a transaction.
    Transaction,
    /// One statement outside of a transaction block, which would refuse it.
    Alone,
    /// One UPDATE or DELETE, some rows at a time, each batch in a transaction of its own.
    Backfill,
}

impl Kind {
    /// The word for it in the ledger.
    pub fn word(self) -> &'static str {
        match self {
            Self::Transaction => "transaction",
            Self::Alone => "alone",
            Self::Backfill => "backfill",
        }
    }
}

/// Cuts a script into steps: as many statements as may share a transaction, unless each is to commit for itself; a statement that cannot run
/// in a transaction alone; BEGIN and COMMIT are borders and are never sent. `refuses` tells which statements cannot run in a transaction.
///
/// # Errors
/// Statements that nobody can run exactly once, each with its place.
pub fn cut(
    source: &Arc<SourceFile>,
    script: &Script,
    mode: TransactionMode,
    refuses: impl Fn(usize) -> bool,
) -> Result<Vec<Step>, Vec<Problem>> {
    let mut cutter = Cutter { source, script, steps: Vec::new(), open: Vec::new(), in_block: false };
    let mut problems = Vec::new();
    let each_alone = matches!(mode, TransactionMode::None | TransactionMode::Explicit | TransactionMode::Assumed(false));
    for (at, statement) in script.statements.iter().enumerate() {
        match refused(statement).or_else(|| names_ledger(source, statement.span).then_some(LEDGER)) {
            Some((why, help)) => problems.push(Problem::new("apply::statement", why).help(help).at(source, statement.span, "this")),
            None => cutter.add(at, refuses(at), each_alone),
        }
    }
    cutter.close();
    if problems.is_empty() { Ok(cutter.steps) } else { Err(problems) }
}

/// Statements that cannot be sent as they stand. Their encoding is not known, so nobody can say what their bytes were meant to be.
pub fn not_text(source: &Arc<SourceFile>, script: &Script) -> Vec<Problem> {
    let spans = script.statements.iter().map(|statement| statement.span);
    let broken =
        spans.filter_map(|span| std::str::from_utf8(source.slice(span)).err().map(|error| span.start + error.valid_up_to() as u32));
    let problem = |at: u32| {
        Problem::new("apply::statement", "this is not UTF-8, so nobody knows which character it is meant to be")
            .help("save the file as UTF-8")
            .at(source, Span::new(at, at + 1), "this byte")
    };
    broken.map(problem).collect()
}

struct Cutter<'a> {
    source: &'a Arc<SourceFile>,
    script: &'a Script,
    steps: Vec<Step>,
    open: Vec<usize>,
    /// Between BEGIN and COMMIT.
    in_block: bool,
}

impl Cutter<'_> {
    fn add(&mut self, at: usize, refuses: bool, each_alone: bool) {
        let operations = &self.script.statements[at].operations;
        let is = |wanted: fn(&Operation) -> bool| operations.iter().any(|operation| wanted(&operation.what));
        if is(|operation| matches!(operation, Operation::Begin | Operation::Commit { .. })) {
            self.close();
            self.in_block = is(|operation| matches!(operation, Operation::Begin));
        } else if refuses {
            self.close();
            self.push(Kind::Alone, vec![at]);
        } else {
            self.open.push(at);
            // A new label cannot be used before it is committed.
            if is(|operation| matches!(operation, Operation::AddEnumValue { .. })) || (each_alone && !self.in_block) {
                self.close();
            }
        }
    }

    fn close(&mut self) {
        if !self.open.is_empty() {
            let statements = std::mem::take(&mut self.open);
            self.push(Kind::Transaction, statements);
        }
    }

    fn push(&mut self, kind: Kind, statements: Vec<usize>) {
        let hash = hash::normalised(statements.iter().map(|at| (&**self.source, self.script.statements[*at].span)));
        self.steps.push(Step { number: self.steps.len() as u32 + 1, kind, statements, hash });
    }
}

const LEDGER: (&str, &str) = (
    "this reaches into the schema in which lockkeeper keeps what has run",
    "take it out: `lockkeeper repair` and `resolve` mend the ledger",
);

/// Whether a statement names the schema of the ledger, or something in it.
fn names_ledger(source: &SourceFile, span: Span) -> bool {
    let mut before = None;
    let mut tokens = Lexer::new(source, span).peekable();
    while let Some(token) = tokens.next() {
        let is_ledger = token.ident(source).is_some_and(|name| name == Ident::quoted("lockkeeper"));
        let is_schema = |token: &Token| token.is_word(source, "SCHEMA") || token.is_word(source, "EXISTS");
        if is_ledger && (tokens.peek().is_some_and(|next| next.is_mark(source, ".")) || before.as_ref().is_some_and(is_schema)) {
            return true;
        }
        before = Some(token);
    }
    false
}

/// Why a statement is not run, and what to do.
fn refused(statement: &Statement) -> Option<(&'static str, &'static str)> {
    statement.operations.iter().find_map(|operation| match &operation.what {
        Operation::Rollback { .. } => Some(("a migration that rolls itself back does nothing that could be recorded", "take it out")),
        Operation::Savepoint(_) | Operation::RollbackTo(_) | Operation::Release(_) => Some((
            "savepoints are not run: what is undone within a migration is not recorded",
            "take it out, or put it into a DO block with EXCEPTION",
        )),
        Operation::TwoPhase(TwoPhase::Prepare) => {
            Some(("a prepared transaction keeps its locks after the migration has ended", "COMMIT in its place"))
        }
        Operation::Commit { chain: true } => Some(("COMMIT AND CHAIN is not run", "write COMMIT and BEGIN")),
        Operation::PsqlCommand { .. } => Some(("only psql understands this", "write it in SQL, or run the file with psql")),
        Operation::Copy { stdin: true, .. } => {
            Some(("rows behind COPY FROM STDIN are not run", "write INSERT, or load the rows with psql"))
        }
        Operation::Unreadable { .. } => Some(("this could not be read, so nobody knows where it ends", "mend the SQL")),
        _ => None,
    })
}

/// The first words of a statement, to name it in a line that a journal and a terminal may keep: without its passwords.
pub fn title(source: &SourceFile, span: Span) -> String {
    let words = source.text(span);
    let words = source.without_hidden(&words);
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LONGEST_TITLE) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

const LONGEST_TITLE: usize = 90;
