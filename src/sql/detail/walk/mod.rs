//! The walk of a survey: a stack of frames, one for each open bracket, and what each kind of token does to it.

mod clause;
mod from;
mod operand;

use super::cast;
use super::survey::{Clause, Subquery, Survey};
use super::words::Lower;
use crate::model::name::{Ident, Name};
use crate::sql::lex::{Token, TokenKind};
use crate::text::SourceFile;

/// The state between two tokens.
pub(super) struct Walk<'a> {
    source: &'a SourceFile,
    tokens: &'a [Token],
    at: usize,
    /// Innermost last, never empty.
    frames: Vec<Frame>,
    /// Whether an operand comes next, rather than an operator.
    operand: bool,
    /// The place behind the last name that a target was given: no second one may follow.
    label: Option<usize>,
    found: Survey,
}

/// What stands between two brackets.
#[derive(Debug)]
struct Frame {
    /// Index of the first token inside.
    from: usize,
    kind: Kind,
    clause: Clause,
    /// SELECT or another statement was seen.
    query: bool,
    limited: bool,
    /// Names of CTEs that are in scope, and those of them that LIMIT bounds.
    ctes: Vec<Ident>,
    bounded_ctes: Vec<Ident>,
    /// How many relations FROM has named, and whether LIMIT bounds the last one.
    relations: usize,
    last_is_bounded: bool,
    /// The CTE that is being written, and whether its body comes next.
    pending: Option<Ident>,
    body_next: bool,
    recursive: bool,
    /// The statement that changes data.
    statement: Statement,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    /// CAST (expression AS type).
    Cast,
    /// The body of a CTE.
    Cte,
    /// DISTINCT ON (...): the first target follows.
    DistinctOn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Statement {
    Query,
    Insert,
    Update,
    Delete,
    Merge,
}

impl Frame {
    fn new(from: usize, kind: Kind) -> Self {
        Self {
            from,
            kind,
            clause: Clause::Start,
            query: false,
            limited: false,
            ctes: Vec::new(),
            bounded_ctes: Vec::new(),
            relations: 0,
            last_is_bounded: false,
            pending: None,
            body_next: false,
            recursive: false,
            statement: Statement::Query,
        }
    }
}

impl<'a> Walk<'a> {
    pub fn new(source: &'a SourceFile, tokens: &'a [Token], bounded: &[Ident]) -> Self {
        let found = Survey { complete: true, ..Survey::default() };
        let outermost = Frame { bounded_ctes: bounded.to_vec(), ..Frame::new(0, Kind::Plain) };
        Self { source, tokens, at: 0, frames: vec![outermost], operand: true, label: None, found }
    }

    /// Walks to the end.
    pub fn run(mut self) -> Survey {
        while let Some(token) = self.tokens.get(self.at) {
            match token.kind {
                TokenKind::Word => self.word(*token),
                TokenKind::QuotedIdent => self.quoted(),
                TokenKind::String | TokenKind::DollarString | TokenKind::Number | TokenKind::Parameter | TokenKind::Variable => {
                    self.value()
                }
                TokenKind::Operator => self.operator(*token),
                TokenKind::Punctuation => self.punctuation(*token),
                TokenKind::Comment => self.at += 1,
                TokenKind::Broken => {
                    self.found.complete = false;
                    self.at += 1;
                }
            }
        }
        if self.frames.len() > 1 {
            self.stray(self.frames[1].from - 1);
        } else if self.is_unfinished() {
            self.stray(self.at - 1);
        }
        let outermost = &mut self.frames[0];
        self.found.limited |= outermost.limited;
        self.found.bounded.append(&mut outermost.bounded_ctes);
        self.found
    }

    // Looking.

    fn frame(&mut self) -> &mut Frame {
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    fn clause(&self) -> Clause {
        self.frames[self.frames.len() - 1].clause
    }

    /// Enters a clause; one outside of all brackets is noted.
    fn enter(&mut self, clause: Clause) {
        if self.is_unfinished() {
            self.stray(self.at);
        }
        if self.frames.len() == 1 {
            self.found.clauses.push((clause, self.at));
        }
        self.frame().clause = clause;
        self.operand = true;
    }

    /// Whether the clause needs more where it ends now.
    fn is_unfinished(&self) -> bool {
        let Some(previous) = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)) else { return false };
        match self.clause() {
            Clause::From { expected } => expected,
            // SELECT alone gives rows without columns. Up to 13 `5 !` was an operator behind its operand.
            clause => {
                let may_end =
                    ["select", "all", "distinct"].iter().any(|word| clause == Clause::Targets && previous.is_word(self.source, word));
                clause.holds_expressions() && self.operand && !may_end && !previous.is_mark(self.source, "!")
            }
        }
    }

    fn is_word(&self, ahead: usize, word: &str) -> bool {
        self.tokens
            .get(self.at + ahead)
            .is_some_and(|token| token.kind == TokenKind::Word && self.source.slice(token.span).eq_ignore_ascii_case(word.as_bytes()))
    }

    fn is_any(&self, ahead: usize, words: &[&str]) -> bool {
        words.iter().any(|word| self.is_word(ahead, word))
    }

    fn is_mark(&self, ahead: usize, mark: &str) -> bool {
        self.tokens.get(self.at + ahead).is_some_and(|token| {
            matches!(token.kind, TokenKind::Punctuation | TokenKind::Operator) && self.source.slice(token.span) == mark.as_bytes()
        })
    }

    fn kind(&self, ahead: usize) -> Option<TokenKind> {
        self.tokens.get(self.at + ahead).map(|token| token.kind)
    }

    fn is_name(&self, ahead: usize) -> bool {
        matches!(self.kind(ahead), Some(TokenKind::Word | TokenKind::QuotedIdent))
    }

    fn ident(&self, ahead: usize) -> Option<Ident> {
        self.tokens.get(self.at + ahead)?.ident(self.source)
    }

    // Moving.

    fn skip(&mut self, count: usize) {
        self.at = (self.at + count).min(self.tokens.len());
    }

    /// Moves behind a bracket and all that it holds.
    fn skip_group(&mut self) {
        let mut depth = 0usize;
        while let Some(token) = self.tokens.get(self.at) {
            if token.kind == TokenKind::Punctuation {
                match self.source.slice(token.span) {
                    b"(" | b"[" => depth += 1,
                    b")" | b"]" => depth = depth.saturating_sub(1),
                    _ => {}
                }
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
        self.found.complete = false;
    }

    /// Notes that the token at this index cannot stand where it stands.
    fn stray(&mut self, index: usize) {
        self.found.complete = false;
        if self.found.stray.is_none() {
            self.found.stray = self.tokens.get(index).copied();
        }
    }

    /// Opens a frame at the bracket that comes next.
    fn open(&mut self, kind: Kind) {
        self.at += 1;
        self.frames.push(Frame::new(self.at, kind));
        self.operand = true;
    }

    /// A name with its parts; a star at its end is taken and gives `None` as the last part's place.
    fn chain(&mut self) -> Option<(Name, bool)> {
        let mut name = Name::bare(self.ident(0)?);
        self.at += 1;
        while self.is_mark(0, ".") {
            if self.is_mark(1, "*") {
                self.at += 2;
                return Some((name, true));
            }
            let Some(part) = self.ident(1) else {
                // `a.:variable`, `a.` at the end: what it names is unknown.
                self.found.complete = false;
                self.at += 1;
                break;
            };
            name = Name { schema: Some(name.name), name: part };
            self.at += 2;
        }
        Some((name, false))
    }

    // Tokens.

    fn value(&mut self) {
        // Two operands in a row, outside of brackets where a construct may have a syntax of its own.
        if !self.operand && self.frames.len() == 1 && self.clause().holds_expressions() {
            // A string may belong to a type with modifiers in front of it, a number belongs to nothing.
            if self.kind(0) == Some(TokenKind::Number) { self.stray(self.at) } else { self.found.complete = false }
        }
        if matches!(self.clause(), Clause::From { expected: true } | Clause::Target) && self.kind(0) == Some(TokenKind::Variable) {
            // A relation whose name psql puts in.
            self.found.complete = false;
            self.frame().clause = Clause::From { expected: false };
        }
        self.operand = false;
        self.at += 1;
    }

    fn operator(&mut self, token: Token) {
        self.at += 1;
        let symbol = self.source.slice(token.span);
        // `*` is a star where an operand is due, and noise behind a table.
        if symbol == b"*" && (self.operand || matches!(self.clause(), Clause::From { .. } | Clause::Target)) {
            self.operand = false;
            return;
        }
        self.found.operators.insert(self.source.text(token.span).into());
        self.operand = true;
    }

    fn punctuation(&mut self, token: Token) {
        match self.source.slice(token.span) {
            b"(" => self.parenthesis(),
            b"[" => self.open(Kind::Plain),
            b")" | b"]" => self.close(),
            b"," => self.comma(),
            b"::" => {
                self.at += 1;
                self.cast();
            }
            b"." => {
                // A field of what the bracket before it holds.
                self.skip(2);
                self.operand = false;
            }
            _ => {
                self.at += 1;
                self.operand = true;
            }
        }
    }

    /// A type; one that cannot be read leaves the walk where it is.
    fn cast(&mut self) {
        match cast::type_at(self.source, self.tokens, self.at) {
            Some((data_type, behind)) => {
                self.found.casts.insert(data_type);
                self.at = behind;
            }
            None => self.found.complete = false,
        }
        self.operand = false;
    }

    fn parenthesis(&mut self) {
        match self.clause() {
            Clause::With => self.parenthesis_in_with(),
            Clause::From { expected: true } => {
                self.open(Kind::Plain);
                let outer = self.frames.len() - 2;
                self.frames[outer].clause = Clause::From { expected: false };
                if !self.begins_query(0) {
                    self.frame().clause = Clause::From { expected: true };
                    self.frame().query = true;
                }
            }
            // The columns of an alias or of a function's rows.
            Clause::From { expected: false } => self.skip_group(),
            Clause::Target if !self.begins_query(1) => self.skip_group(),
            _ => self.open(Kind::Plain),
        }
    }

    fn begins_query(&self, ahead: usize) -> bool {
        self.is_any(ahead, &["select", "with", "values", "table"])
    }

    fn close(&mut self) {
        let to = self.at;
        let unfinished = self.is_unfinished() || to > 0 && self.tokens[to - 1].is_mark(self.source, ",");
        if unfinished || self.frames.len() == 1 {
            self.stray(to);
        }
        self.at += 1;
        self.operand = false;
        if self.frames.len() == 1 {
            return;
        }
        let Some(frame) = self.frames.pop() else { return };
        self.operand = frame.kind == Kind::DistinctOn;
        if frame.query {
            while self.found.queries.last().is_some_and(|inner| inner.from > frame.from) {
                self.found.queries.pop();
            }
            self.found.queries.push(Subquery { from: frame.from, to, limited: frame.limited });
        }
        let outer = self.frame();
        if frame.kind == Kind::Cte {
            let name = outer.pending.take();
            outer.bounded_ctes.extend(name.clone().filter(|_| frame.limited));
            outer.ctes.extend(name);
        } else if frame.query && matches!(outer.clause, Clause::From { .. }) {
            outer.relations += 1;
            outer.last_is_bounded = frame.limited;
        }
    }

    fn comma(&mut self) {
        self.at += 1;
        self.operand = true;
        match self.clause() {
            Clause::From { .. } | Clause::On => self.frame().clause = Clause::From { expected: true },
            _ => {}
        }
    }

    fn quoted(&mut self) {
        match self.clause() {
            Clause::With => self.with_name(),
            Clause::From { expected } => self.relation(expected),
            Clause::Target => self.skip(1),
            _ if self.operand => self.operand_name(),
            _ => self.skip(1),
        }
    }

    fn word(&mut self, token: Token) {
        let lower = Lower::of(self.source.slice(token.span));
        let word = lower.as_str();
        match self.clause() {
            Clause::With => self.word_in_with(word),
            Clause::From { expected } => self.word_in_from(word, expected),
            Clause::Target => self.word_in_target(word),
            Clause::Locking => self.skip(1),
            _ => self.word_in_expression(word),
        }
    }
}
