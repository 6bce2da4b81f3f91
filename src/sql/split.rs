//! Splits a migration file into statements, as psql does, without understanding them.

use super::broken_text::BYTE_ORDER_MARK;
use super::lex::{Lexer, Token, TokenKind, dollar_tag};
use super::psql::{Command, Data, line_end};
use super::recognise::MOST_TOKENS;
use crate::text::{SourceFile, Span};
use std::collections::VecDeque;

/// A range of a file, split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Its pieces in order. Between them stand only whitespace, comments, semicolons, and the lines `\.`.
    pub pieces: Vec<Piece>,
    /// Its comments in order, those inside of statements included.
    pub comments: Vec<Span>,
}

/// One piece of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// One statement, from its first token to its last; the semicolon is not included.
    Sql(Span),
    /// A meta-command of psql with its arguments.
    PsqlCommand(Span),
    /// The lines of data behind COPY FROM STDIN, without the line `\.`.
    CopyData(Span),
    /// What cannot be cut into statements.
    Broken {
        /// All of it.
        span: Span,
        /// The place at fault.
        at: Span,
        /// What is wrong there.
        why: &'static str,
    },
}

impl Piece {
    /// Where it stands.
    pub fn span(&self) -> Span {
        match *self {
            Self::Sql(span) | Self::PsqlCommand(span) | Self::CopyData(span) | Self::Broken { span, .. } => span,
        }
    }
}

/// Splits a range of a file.
pub fn split(source: &SourceFile, part: Span) -> Split {
    let mut splitter = Splitter::new(source, part);
    let pieces = std::iter::from_fn(|| splitter.next_piece()).collect();
    Split { pieces, comments: splitter.comments }
}

/// Cuts one piece after the other, and keeps the tokens of the last one.
pub(super) struct Splitter<'a> {
    source: &'a SourceFile,
    bytes: &'a [u8],
    lexer: Lexer<'a>,
    statement: Open,
    /// Pieces that are cut already, to be given before the next statement.
    ready: VecDeque<Piece>,
    /// How many COPY FROM STDIN have been cut whose data is still to come.
    copies: usize,
    /// A bracket was never closed: from here on semicolons inside brackets end a statement, too.
    tolerant: bool,
    /// Comments so far.
    pub comments: Vec<Span>,
}

/// The statement that is being cut.
#[derive(Default)]
struct Open {
    tokens: Vec<Token>,
    /// There were more tokens than are kept.
    cut: bool,
    span: Option<Span>,
    parentheses: u32,
    /// Open BEGIN ATOMIC and CASE of a routine's body.
    blocks: u32,
    /// The first semicolon inside of parentheses or a body.
    inner_semicolon: Option<Span>,
    /// A meta-command that left the statement open.
    interrupted_by: Option<Span>,
}

impl Open {
    fn clear(&mut self) {
        let tokens = std::mem::take(&mut self.tokens);
        *self = Self { tokens, ..Self::default() };
        self.tokens.clear();
    }

    fn push(&mut self, token: Token) {
        self.span = Some(self.span.map_or(token.span, |span| span.to(token.span)));
        self.cut |= self.tokens.len() == MOST_TOKENS;
        if !self.cut {
            self.tokens.push(token);
        }
    }

    /// Forgets what stands from `place` on.
    fn end_before(&mut self, place: Span) {
        let kept = self.tokens.partition_point(|token| token.span.start < place.start);
        self.cut &= kept == self.tokens.len();
        self.tokens.truncate(kept);
        let last = self.tokens.last().filter(|_| !self.cut).map_or(place.start, |last| last.span.end);
        self.span = self.span.map(|span| Span::new(span.start, last));
        self.inner_semicolon = None;
        self.interrupted_by = self.interrupted_by.filter(|command| command.start < place.start);
    }

    fn begins_with(&self, source: &SourceFile, words: &[&str]) -> bool {
        self.tokens.len() >= words.len() && words.iter().zip(&self.tokens).all(|(word, token)| token.is_word(source, word))
    }

    fn is_routine(&self, source: &SourceFile) -> bool {
        const ROUTINES: [&[&str]; 4] = [
            &["create", "function"],
            &["create", "procedure"],
            &["create", "or", "replace", "function"],
            &["create", "or", "replace", "procedure"],
        ];
        ROUTINES.iter().any(|words| self.begins_with(source, words))
    }

    fn is_rule(&self, source: &SourceFile) -> bool {
        self.begins_with(source, &["create", "rule"]) || self.begins_with(source, &["create", "or", "replace", "rule"])
    }
}

impl<'a> Splitter<'a> {
    pub fn new(source: &'a SourceFile, part: Span) -> Self {
        let bytes = &source.bytes()[..(part.end as usize).min(source.bytes().len())];
        let mut lexer = Lexer::new(source, part);
        if part.start == 0 && bytes.starts_with(BYTE_ORDER_MARK) {
            lexer.resume(BYTE_ORDER_MARK.len());
        }
        Self { source, bytes, lexer, statement: Open::default(), ready: VecDeque::new(), copies: 0, tolerant: false, comments: Vec::new() }
    }

    /// The tokens of the last piece, at most [`MOST_TOKENS`], and whether there were more.
    pub fn tokens(&self) -> (&[Token], bool) {
        (&self.statement.tokens, self.statement.cut)
    }

    /// The next piece.
    pub fn next_piece(&mut self) -> Option<Piece> {
        if let Some(piece) = self.ready.pop_front() {
            return Some(piece);
        }
        self.statement.clear();
        while let Some(token) = self.lexer.next_lexeme() {
            let piece = match token.kind {
                TokenKind::Comment => self.comment(token),
                TokenKind::Punctuation => self.punctuation(token),
                TokenKind::Broken if self.bytes[token.span.start as usize] == b'\\' => self.backslash(token),
                TokenKind::Broken if token.never_ends(self.source) => self.never_ending(token),
                TokenKind::Word => {
                    self.word(token);
                    None
                }
                _ => {
                    self.statement.push(token);
                    None
                }
            };
            if piece.is_some() {
                return piece;
            }
        }
        self.end_of_text()
    }

    fn comment(&mut self, comment: Token) -> Option<Piece> {
        self.comments.push(comment.span);
        if ends_a_statement(self.source.slice(comment.span)) { self.finish(true) } else { None }
    }

    fn punctuation(&mut self, token: Token) -> Option<Piece> {
        let statement = &mut self.statement;
        match self.bytes[token.span.start as usize] {
            b';' if statement.parentheses == 0 && statement.blocks == 0 => return self.finish(true),
            b';' if self.tolerant && statement.blocks == 0 && !statement.is_rule(self.source) => return self.finish(true),
            b';' if statement.inner_semicolon.is_none() => statement.inner_semicolon = Some(token.span),
            b'(' => statement.parentheses += 1,
            b')' => statement.parentheses = statement.parentheses.saturating_sub(1),
            _ => {}
        }
        self.statement.push(token);
        None
    }

    /// BEGIN ATOMIC ... END protects semicolons, and CASE ends with END, too.
    fn word(&mut self, token: Token) {
        let statement = &mut self.statement;
        let text = &self.bytes[token.span.range()];
        if matches!(text.len(), 3 | 4 | 6) && statement.parentheses == 0 {
            let before = statement.tokens.last().copied();
            if statement.blocks > 0 {
                // Behind a dot or AS, these words are names.
                let is_name = before.is_some_and(|before| before.is_mark(self.source, ".") || before.is_word(self.source, "as"));
                if !is_name && text.eq_ignore_ascii_case(b"case") {
                    statement.blocks += 1;
                } else if !is_name && text.eq_ignore_ascii_case(b"end") {
                    statement.blocks -= 1;
                }
            } else if text.eq_ignore_ascii_case(b"atomic")
                && before.is_some_and(|before| before.is_word(self.source, "begin"))
                && statement.is_routine(self.source)
            {
                statement.blocks = 1;
            }
        }
        statement.push(token);
    }

    /// `\;` separates statements of one message, everything else is a meta-command.
    fn backslash(&mut self, backslash: Token) -> Option<Piece> {
        let at = backslash.span.start as usize;
        match self.bytes.get(at + 1) {
            Some(b';') => {
                self.lexer.resume(at + 2);
                return self.finish(false);
            }
            Some(b':') => {
                self.statement.push(backslash);
                return None;
            }
            _ => {}
        }
        let command = Command::at(self.bytes, at);
        let span = Span::new(at as u32, command.end as u32);
        self.lexer.resume(command.resume);
        if self.statement.span.is_some() && !command.ends_statement() {
            self.statement.push(Token { kind: TokenKind::Broken, span });
            self.statement.interrupted_by.get_or_insert(span);
            return None;
        }
        let statement = self.cut();
        self.ready.push_back(Piece::PsqlCommand(span));
        if command.name == b"copy" {
            let arguments = Lexer::new(self.source, Span::new(at as u32 + 1, span.end)).collect::<Vec<_>>();
            self.copies += usize::from(is_copy_from_stdin(self.source, &arguments));
        }
        self.copy_data();
        statement.or_else(|| self.ready.pop_front())
    }

    fn never_ending(&mut self, token: Token) -> Option<Piece> {
        if self.retreat() {
            return self.finish(true);
        }
        let text = &self.bytes[token.span.range()];
        let opening = match text {
            [b'$', ..] => dollar_tag(text).map_or(1, <[u8]>::len),
            _ => text.iter().position(|byte| b"'\"*".contains(byte)).map_or(1, |at| at + 1),
        };
        self.statement.push(token);
        Some(Piece::Broken {
            span: self.statement.span.unwrap_or(token.span),
            at: Span::new(token.span.start, token.span.start + opening as u32),
            why: token.why_broken(self.source).unwrap_or("never ends"),
        })
    }

    /// The last statement needs no semicolon.
    fn end_of_text(&mut self) -> Option<Piece> {
        self.retreat();
        self.finish(true)
    }

    /// At the end of the text, goes back to the first semicolon of a statement that still waits for a closing bracket or END, so that the
    /// statements behind it are seen. Happens once: from then on brackets protect no semicolons.
    fn retreat(&mut self) -> bool {
        let statement = &mut self.statement;
        let is_open = statement.parentheses > 0 || statement.blocks > 0;
        let Some(semicolon) = statement.inner_semicolon.filter(|_| is_open && !self.tolerant) else { return false };
        self.tolerant = true;
        self.lexer.resume(semicolon.end as usize);
        self.comments.truncate(self.comments.partition_point(|comment| comment.start < semicolon.start));
        statement.end_before(semicolon);
        true
    }

    /// Ends the statement, if there is one; with the message that it is part of, the data of its COPYs begins.
    fn finish(&mut self, message_ends: bool) -> Option<Piece> {
        let piece = self.cut();
        if message_ends {
            self.copy_data();
        }
        if piece.is_none() {
            return self.ready.pop_front();
        }
        piece
    }

    fn cut(&mut self) -> Option<Piece> {
        self.lexer.resume(self.lexer.offset() as usize);
        let span = self.statement.span?;
        if let Some(at) = self.statement.interrupted_by {
            return Some(Piece::Broken { span, at, why: "psql meta-command inside a statement" });
        }
        if let Some(at) = self.statement.inner_semicolon
            && !self.statement.is_rule(self.source)
            && !self.statement.is_routine(self.source)
        {
            return Some(Piece::Broken { span, at, why: "semicolon inside parentheses" });
        }
        self.copies += usize::from(is_copy_from_stdin(self.source, &self.statement.tokens));
        Some(Piece::Sql(span))
    }

    /// Cuts the data that the COPYs of a message wait for: it begins on the next line.
    fn copy_data(&mut self) {
        if self.copies == 0 {
            return;
        }
        let from = self.lexer.offset();
        let mut at = line_end(self.bytes, from as usize);
        let mut rest = Lexer::new(self.source, Span::new(from, at as u32));
        while let Some(token) = rest.next_lexeme() {
            if token.kind == TokenKind::Comment {
                self.comments.push(token.span);
                continue;
            }
            let span = Span::new(token.span.start, at as u32);
            self.ready.push_back(Piece::Broken { span, at: token.span, why: "text between COPY FROM STDIN and its data" });
            break;
        }
        at = (at + 1).min(self.bytes.len());
        for _ in 0..std::mem::take(&mut self.copies) {
            let data = Data::at(self.bytes, at);
            self.ready.push_back(Piece::CopyData(Span::new(at as u32, data.end as u32)));
            if data.resume.is_none() {
                let end = Span::new(data.end as u32, data.end as u32);
                self.ready.push_back(Piece::Broken { span: end, at: end, why: "data of COPY FROM STDIN without a line `\\.` at its end" });
            }
            at = data.resume.unwrap_or(data.end);
        }
        self.lexer.resume(at);
    }
}

/// COPY ... FROM STDIN, also FROM STDOUT, which the grammar takes for the same. COPY (query) TO has its FROM in parentheses.
fn is_copy_from_stdin(source: &SourceFile, tokens: &[Token]) -> bool {
    if !tokens.first().is_some_and(|first| first.is_word(source, "copy")) {
        return false;
    }
    let mut depth = 0u32;
    tokens.windows(2).any(|pair| {
        depth += u32::from(pair[0].is_mark(source, "("));
        depth = depth.saturating_sub(u32::from(pair[0].is_mark(source, ")")));
        depth == 0 && pair[0].is_word(source, "from") && (pair[1].is_word(source, "stdin") || pair[1].is_word(source, "stdout"))
    })
}

/// Whether a comment is where a migration runner ends a statement that may have no semicolon: goose, sql-migrate, drizzle.
fn ends_a_statement(comment: &[u8]) -> bool {
    const ENDS: &[&[u8]] = &[b"+goose StatementEnd", b"+migrate StatementEnd", b"> statement-breakpoint"];
    comment.strip_prefix(b"--").is_some_and(|text| ENDS.contains(&text.trim_ascii()))
}
