//! Where statements begin and end in the lines of a file, their comments and semicolons included.

use super::super::finding::Edit;
use crate::discover::Migration;
use crate::rule::moment::Moment;
use crate::sql::Statement;
use crate::sql::lex::{Lexer, TokenKind};
use crate::text::{SourceFile, Span};

/// The lines of a file that is edited.
pub(super) struct Lines<'a> {
    pub source: &'a SourceFile,
    /// The part of it that is run.
    pub part: Span,
    /// Its statements, those in bodies left out.
    pub statements: Vec<&'a Statement>,
    /// The statement that is judged, or in whose body it stands, by its place among those.
    pub here: Option<usize>,
}

/// Comments that are for programs: they stay where they are.
const TO_PROGRAMS: &[&str] = &["lockkeeper: transaction", "lockkeeper: allow-file", "+goose", "migrate:", "no-transaction"];

impl<'a> Lines<'a> {
    pub fn of(moment: &Moment<'a>, migration: &Migration) -> Self {
        // A nested statement stands behind the one that runs it, which is the one that can be moved.
        let own = |index: usize| moment.file[..=index].iter().filter(|statement| statement.nesting.is_none()).count().saturating_sub(1);
        Self {
            source: moment.source,
            part: migration.part,
            statements: moment.file.iter().filter(|statement| statement.nesting.is_none()).collect(),
            here: moment.index.map(own),
        }
    }

    /// The sign that ends a line here.
    pub fn line_end(&self) -> &'static str {
        if self.source.bytes().windows(2).any(|pair| pair == b"\r\n") { "\r\n" } else { "\n" }
    }

    /// Behind the semicolon of a statement; `None` if it has none.
    pub fn semicolon(&self, at: usize) -> Option<u32> {
        let end = self.statements[at].span.end;
        let next = Lexer::new(self.source, Span::new(end, self.part.end)).next()?;
        next.is_mark(self.source, ";").then_some(next.span.end)
    }

    /// Behind a statement, its semicolon included.
    pub fn end(&self, at: usize) -> u32 {
        self.semicolon(at).unwrap_or(self.statements[at].span.end)
    }

    /// Behind a statement with its semicolon and what is said of it on the same line; and whether the line ends there.
    pub fn tail(&self, at: usize) -> (u32, bool) {
        let end = self.end(at);
        let rest = &self.source.bytes()[end as usize..self.part.end as usize];
        let line = rest.iter().position(|byte| *byte == b'\n').map_or(rest, |newline| &rest[..newline]);
        let text = line.trim_ascii();
        match text.is_empty() || text.starts_with(b"--") {
            true => (end + line.trim_ascii_end().len() as u32, true),
            false => (end, false),
        }
    }

    /// Behind the line break that ends the line of a place, if nothing else is on it.
    pub fn next_line(&self, at: u32) -> u32 {
        let rest = &self.source.bytes()[at as usize..self.part.end as usize];
        let blank = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r')).count();
        if rest.get(blank) == Some(&b'\n') { at + blank as u32 + 1 } else { at }
    }

    /// The start of a statement's first line if nothing else stands before it there; else its own start.
    pub fn line_start(&self, at: u32) -> u32 {
        let before = &self.source.bytes()[self.part.start as usize..at as usize];
        let indent = before.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        match before.len().checked_sub(indent + 1).map(|last| before[last]) {
            None | Some(b'\n') => at - indent as u32,
            Some(_) => at,
        }
    }

    /// Where a statement begins with the comments right above it.
    pub fn start_with_comments(&self, at: usize) -> u32 {
        self.above(at, |_| true)
    }

    /// Where another statement can stand before this one. The comments at the top of a file are about the file, but for allowances.
    pub fn start_for_another(&self, at: usize) -> u32 {
        self.above(at, |comment| at > 0 || comment.contains("lockkeeper: allow"))
    }

    /// The start of the topmost comment that is wanted among those right above a statement, else of the statement.
    fn above(&self, at: usize, wanted: impl Fn(&str) -> bool) -> u32 {
        let statement = self.statements[at].span.start;
        let from = at.checked_sub(1).map_or(self.part.start, |before| self.tail(before).0);
        let mut lexer = Lexer::new(self.source, Span::new(from, statement));
        let mut comments: Vec<Span> = Vec::new();
        while let Some(token) = lexer.next_lexeme() {
            if token.kind == TokenKind::Comment {
                comments.push(token.span);
            }
        }
        let mut start = self.line_start(statement);
        let (mut found, mut next) = (start, statement);
        for comment in comments.into_iter().rev() {
            let between = &self.source.bytes()[comment.end as usize..next as usize];
            let breaks = between.iter().filter(|byte| **byte == b'\n').count();
            let text = self.source.text(comment);
            let words = text.trim_start_matches(['-', '/', '*']).trim_start();
            let own_line = self.line_start(comment.start);
            let at_line_start = own_line == 0 || self.source.bytes()[own_line as usize - 1] == b'\n';
            if breaks != 1 || !at_line_start || TO_PROGRAMS.iter().any(|sign| words.starts_with(sign)) {
                break;
            }
            (start, next) = (own_line, comment.start);
            if wanted(&text) {
                found = start;
            }
        }
        found
    }

    /// An edit that puts a statement (with its semicolon) before another one.
    pub fn before(&self, at: usize, sql: &str) -> Edit {
        let start = self.start_for_another(at);
        let on_own_line = start == 0 || self.source.bytes()[start as usize - 1] == b'\n' || start == self.part.start;
        let text = if on_own_line { format!("{}{}", self.ended(sql), self.line_end()) } else { format!("{} ", self.ended(sql)) };
        Edit { span: Span::new(start, start), text }
    }

    /// An edit that puts a statement behind another one.
    pub fn behind(&self, at: usize, sql: &str) -> Edit {
        let semicolon = if self.semicolon(at).is_some() { "" } else { ";" };
        let (tail, ends_line) = self.tail(at);
        match ends_line && semicolon.is_empty() {
            true => Edit { span: Span::new(tail, tail), text: format!("{}{}", self.line_end(), self.ended(sql)) },
            false if ends_line => {
                let end = self.statements[at].span.end;
                // What is said of it on the same line stays there, behind the semicolon that it lacked.
                let said = self.source.text(Span::new(end, tail)).into_owned();
                Edit { span: Span::new(end, tail), text: format!(";{said}{}{}", self.line_end(), self.ended(sql)) }
            }
            false => {
                let end = self.end(at);
                Edit { span: Span::new(end, end), text: format!("{semicolon} {}", self.ended(sql)) }
            }
        }
    }

    /// Edits that put one text behind a statement and another before the next one, with an empty line between them.
    pub fn between(&self, at: usize, behind: &str, before: &str) -> Vec<Edit> {
        let (tail, start) = (self.tail(at).0, self.start_with_comments(at + 1));
        let gap = &self.source.bytes()[tail as usize..start as usize];
        let is_parted = gap.iter().filter(|byte| **byte == b'\n').count() > 1;
        let mut behind = if behind.is_empty() { String::new() } else { format!("\n{behind}") };
        if !is_parted {
            behind += if gap.contains(&b'\n') { "\n" } else { "\n\n" };
        }
        let edit = |place, text: &str| Edit { span: Span::new(place, place), text: self.with_line_ends(text) };
        vec![edit(tail, &behind), edit(start, before)]
    }

    /// SQL with a semicolon at its end, unless it is a comment, and with the line ends of this file.
    pub fn ended(&self, sql: &str) -> String {
        let sql = sql.trim();
        let last_line = sql.lines().next_back().unwrap_or_default().trim_start();
        let sign = if sql.ends_with(';') || last_line.starts_with("--") { "" } else { ";" };
        self.with_line_ends(&format!("{sql}{sign}"))
    }

    /// Text with the line ends of this file.
    pub fn with_line_ends(&self, text: &str) -> String {
        text.replace("\r\n", "\n").replace('\n', self.line_end())
    }

    /// An edit that takes out a range, and its lines with it if nothing else is on them.
    pub fn without(&self, range: Span) -> Edit {
        let start = self.line_start(range.start);
        let at_line_start = start == 0 || start == self.part.start || self.source.bytes()[start as usize - 1] == b'\n';
        let end = self.next_line(range.end);
        let whole_lines = at_line_start && (end > range.end || range.end == self.part.end);
        let span = match (whole_lines, at_line_start) {
            (true, _) => Span::new(start, end),
            (false, true) => Span::new(range.start, self.spaces_behind(range.end)),
            (false, false) => Span::new(self.spaces_before(range.start), range.end),
        };
        Edit { span, text: String::new() }
    }

    /// An edit that takes out a statement and its semicolon.
    pub fn without_statement(&self, at: usize) -> Edit {
        self.without(Span::new(self.statements[at].span.start, self.end(at)))
    }

    /// The end of the spaces behind a place on its line.
    fn spaces_behind(&self, at: u32) -> u32 {
        let rest = &self.source.bytes()[at as usize..self.part.end as usize];
        at + rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count() as u32
    }

    /// The start of the spaces before a place.
    pub fn spaces_before(&self, at: u32) -> u32 {
        let before = &self.source.bytes()[..at as usize];
        at - before.iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count() as u32
    }
}
