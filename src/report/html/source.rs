//! The text of a migration: numbered lines, light colours out of our own tokens, and the findings where they are.

use super::ids::Ids;
use super::page::{Page, put};
use super::words;
use crate::lint::finding::{Assessed, Finding, Judged};
use crate::report::count;
use crate::rule::Class;
use crate::sql::lex::{Lexer, Token, TokenKind};
use crate::text::{SourceFile, Span};
use std::io::{self, Write};
use std::iter::Peekable;
use std::ops::RangeInclusive;

/// Lines around a finding, where the file is not shown as a whole.
const CONTEXT: u32 = 3;
/// Lines of a finding, where the file is not shown as a whole.
const LONGEST_FINDING: u32 = 12;
/// Bytes of one line.
const LONGEST_LINE: u32 = 1_000;
/// Notes below one line.
const MOST_NOTES: usize = 6;
/// Files of no more lines than this are unfolded, if anything was found in them.
const MOST_UNFOLDED: u32 = 120;

/// The lines of a file that the page shows.
#[derive(Debug)]
pub(super) struct Extract {
    lines: Vec<RangeInclusive<u32>>,
    last: u32,
    /// The findings that are shown in full.
    findings: Vec<usize>,
}

impl Extract {
    pub fn of(migration: &Assessed, shown: &[usize], whole: bool) -> Self {
        let source = &migration.source;
        let bytes = source.bytes();
        let end = bytes.len() - usize::from(bytes.ends_with(b"\n"));
        let last = source.text_place(end as u32).line;
        let around = |finding: &Finding| {
            let (from, to) = (source.text_place(finding.span.start).line, source.text_place(finding.span.end).line);
            from.saturating_sub(CONTEXT).max(1)..=(to.min(from + LONGEST_FINDING) + CONTEXT).min(last)
        };
        let mut lines: Vec<RangeInclusive<u32>> = Vec::new();
        for range in shown.iter().map(|at| around(&migration.findings[*at])).filter(|_| !whole) {
            match lines.last_mut().filter(|before| *before.end() + 1 >= *range.start()) {
                Some(before) => *before = *before.start()..=(*before.end()).max(*range.end()),
                None => lines.push(range),
            }
        }
        if whole {
            lines.push(1..=last);
        }
        Self { lines, last, findings: shown.to_vec() }
    }

    fn has(&self, line: u32) -> bool {
        let after = self.lines.partition_point(|range| *range.start() <= line);
        after > 0 && self.lines[after - 1].contains(&line)
    }

    /// Whether a finding is shown in full, by its index.
    pub fn shows_finding(&self, at: usize) -> bool {
        self.findings.binary_search(&at).is_ok()
    }

    /// A place in the file, and the way there if it is shown.
    pub fn link<W: Write>(&self, id: &str, line: u32, column: Option<u32>, page: &mut Page<'_, W>) -> io::Result<()> {
        let is_shown = self.has(line);
        match is_shown {
            true => put!(page, "<a class=\"place\" href=\"#", (id), "-L", (line), "\">line ", (line)),
            false => put!(page, "<span class=\"place\">line ", (line)),
        }
        if let Some(column) = column {
            put!(page, ":", (column));
        }
        match is_shown {
            true => put!(page, "</a>"),
            false => put!(page, "</span>"),
        }
        Ok(())
    }
}

/// What is marked in a file.
pub(super) struct Marks<'a> {
    pub migration: &'a Assessed,
    pub ids: &'a Ids,
    /// Findings by their index, by place.
    pub shown: &'a [usize],
}

pub(super) fn write<W: Write>(marks: &Marks<'_>, extract: &Extract, page: &mut Page<'_, W>) -> io::Result<()> {
    put!(page, "<details class=\"source\"");
    if !marks.shown.is_empty() && extract.last <= MOST_UNFOLDED {
        put!(page, " open");
    }
    put!(page, "><summary><h4>Source</h4> <span class=\"quiet\">", (count(extract.last as usize, "line")));
    let shown: u32 = extract.lines.iter().map(|range| range.end() + 1 - range.start()).sum();
    if shown < extract.last {
        put!(page, ", of which ", (shown), " around the findings are shown");
    }
    put!(page, "</span></summary>\n");
    if shown > 0 {
        put!(page, "<pre class=\"source\">");
        let mut lines = Lines::new(marks);
        let mut behind = 0;
        for range in &extract.lines {
            gap(behind + 1, range.start() - 1, page)?;
            for line in range.clone() {
                lines.write(line, page)?;
            }
            behind = *range.end();
        }
        gap(behind + 1, extract.last, page)?;
        put!(page, "</pre>\n");
    }
    put!(page, "</details>\n");
    Ok(())
}

/// Says which lines are left out.
fn gap<W: Write>(from: u32, to: u32, page: &mut Page<'_, W>) -> io::Result<()> {
    if from <= to {
        put!(page, "<span class=\"gap\">lines ", (from), " to ", (to), " are left out\n</span>");
    }
    Ok(())
}

/// Writes lines, in their order.
struct Lines<'a, T: Iterator<Item = Token>> {
    marks: &'a Marks<'a>,
    source: &'a SourceFile,
    text: &'a str,
    tokens: Peekable<T>,
    /// The first statement that does not end before the line.
    statement: usize,
    /// The first statement that does not begin before the line.
    begins: usize,
    /// The first of `marks.shown` that does not begin before the line.
    finding: usize,
}

/// What stands in a line.
struct Marked<'a> {
    finding: &'a Finding,
    id: &'a str,
}

impl<'a> Lines<'a, Box<dyn Iterator<Item = Token> + 'a>> {
    fn new(marks: &'a Marks<'a>) -> Self {
        let source = &*marks.migration.source;
        let tokens: Box<dyn Iterator<Item = Token>> = Box::new(tokens(source, &marks.migration.statements));
        Self { marks, source, text: source.shown(), tokens: tokens.peekable(), statement: 0, begins: 0, finding: 0 }
    }
}

impl<'a, T: Iterator<Item = Token>> Lines<'a, T> {
    fn write<W: Write>(&mut self, number: u32, page: &mut Page<'_, W>) -> io::Result<()> {
        let line = self.source.line(number);
        let (class, begins) = self.statements(line);
        let marked = self.findings(line);
        put!(page, "<span class=\"l");
        if let Some(class) = class {
            put!(page, " ", (words::style(class)));
        }
        put!(page, "\" data-n=\"", (number), "\"");
        if begins || !marked.is_empty() {
            put!(page, " id=\"", (self.marks.ids.migration), "-L", (number), "\"");
        }
        put!(page, ">");
        self.text(line, &marked, page)?;
        put!(page, "\n</span>");
        for mark in marked.iter().take(MOST_NOTES) {
            let weight = words::weight(mark.finding);
            put!(page, "<a class=\"note ", (weight), "\" href=\"#", (mark.id), "\"><b>", (weight), "</b> ");
            page.prose(&mark.finding.message)?;
            put!(page, "\n</a>");
        }
        if marked.len() > MOST_NOTES {
            put!(page, "<span class=\"gap\">and ", (count(marked.len() - MOST_NOTES, "more finding")), " in this line\n</span>");
        }
        Ok(())
    }

    /// The worst class of the statements of a line, and whether one begins in it.
    fn statements(&mut self, line: Span) -> (Option<Class>, bool) {
        let all = &self.marks.migration.statements;
        let skipped =
            |from: usize, is_before: &dyn Fn(&Judged) -> bool| all[from..].iter().take_while(|statement| is_before(statement)).count();
        self.statement += skipped(self.statement, &|statement| statement.span.end <= line.start);
        self.begins += skipped(self.begins, &|statement| statement.span.start < line.start);
        let here = all[self.statement..].iter().take_while(|statement| statement.span.start <= line.end);
        let begins = all.get(self.begins).is_some_and(|statement| statement.span.start <= line.end);
        (here.map(|statement| statement.class).max(), begins)
    }

    /// The findings that begin in a line.
    fn findings(&mut self, line: Span) -> Vec<Marked<'a>> {
        let Marks { migration, ids, shown } = *self.marks;
        let start = |at: &usize| migration.findings[*at].span.start;
        self.finding += shown[self.finding..].iter().take_while(|at| start(at) < line.start).count();
        let here: Vec<_> = shown[self.finding..].iter().take_while(|at| start(at) <= line.end).copied().collect();
        here.into_iter().map(|at| Marked { finding: &migration.findings[at], id: &ids.findings[at] }).collect()
    }

    fn text<W: Write>(&mut self, line: Span, marked: &[Marked<'_>], page: &mut Page<'_, W>) -> io::Result<()> {
        let boundary = |at: u32| self.text.floor_char_boundary(at as usize) as u32;
        let end = boundary(line.end.min(line.start.saturating_add(LONGEST_LINE)));
        let mut at = line.start;
        while at < end {
            while self.tokens.next_if(|token| token.span.end <= at).is_some() {}
            let token = self.tokens.peek().copied();
            let colour = token.filter(|token| token.span.start <= at).and_then(|token| colour(self.source, token));
            let mark = marked.iter().filter(|mark| mark.finding.span.start <= at && at < mark.finding.span.end);
            let mark = mark.min_by_key(|mark| (mark.finding.allowed.is_some(), std::cmp::Reverse(mark.finding.severity)));
            let spans = token.map(|token| token.span).into_iter().chain(marked.iter().map(|mark| mark.finding.span));
            let next = spans.flat_map(|span| [span.start, span.end]).filter(|bound| *bound > at).min().unwrap_or(end).min(end);
            // A boundary inside a character is none.
            let next = if self.text.is_char_boundary(next as usize) { next } else { end };
            let piece = self.text.get(Span::new(at, next).range()).unwrap_or_default();
            if let Some(mark) = mark {
                put!(page, "<mark class=\"", (words::weight(mark.finding)), "\">");
            }
            match colour {
                Some(colour) => put!(page, "<i class=\"", (colour), "\">", (piece), "</i>"),
                None => put!(page, (piece)),
            }
            if mark.is_some() {
                put!(page, "</mark>");
            }
            at = next;
        }
        if end < line.end {
            put!(page, "<span class=\"gap\"> … ", (line.end - end), " more bytes</span>");
        }
        Ok(())
    }
}

/// The tokens of a file. Between statements only comments are SQL: data of COPY and lines for psql may look like anything.
fn tokens<'a>(source: &'a SourceFile, statements: &'a [Judged]) -> impl Iterator<Item = Token> + 'a {
    let end = source.bytes().len() as u32;
    let mut from = 0;
    let regions = statements.iter().map(|statement| statement.span).chain([Span::new(end, end)]).flat_map(move |statement| {
        let between = Span::new(from, statement.start.max(from));
        from = statement.end;
        [(between, true), (statement, false)]
    });
    regions.flat_map(move |(region, is_between)| {
        let mut lexer = Lexer::new(source, region);
        let is_wanted = move |token: &Token| !is_between || token.kind == TokenKind::Comment;
        std::iter::from_fn(move || lexer.next_lexeme()).filter(is_wanted)
    })
}

/// The name of a token's colour in the style sheet.
fn colour(source: &SourceFile, token: Token) -> Option<&'static str> {
    match token.kind {
        TokenKind::Word => is_keyword(source.slice(token.span)).then_some("k"),
        TokenKind::String | TokenKind::DollarString => Some("s"),
        TokenKind::Number => Some("n"),
        TokenKind::Comment => Some("c"),
        TokenKind::Parameter | TokenKind::Variable => Some("v"),
        TokenKind::Broken => Some("b"),
        TokenKind::QuotedIdent | TokenKind::Operator | TokenKind::Punctuation => None,
    }
}

fn is_keyword(word: &[u8]) -> bool {
    KEYWORDS.binary_search_by(|known| known.bytes().cmp(word.iter().map(u8::to_ascii_lowercase))).is_ok()
}

/// The words of which migrations are made; that others have no colour harms nobody. Sorted.
#[rustfmt::skip]
const KEYWORDS: &[&str] = &[
    "add", "all", "alter", "and", "as", "attach", "begin", "between", "by", "cascade", "case", "check", "collate", "column", "comment",
    "commit", "concurrently", "conflict", "constraint", "copy", "create", "cross", "database", "declare", "default", "deferrable",
    "delete", "desc", "detach", "disable", "distinct", "do", "domain", "drop", "else", "enable", "end", "enum", "except", "exclude",
    "execute", "exists", "extension", "false", "for", "foreign", "from", "full", "function", "generated", "grant", "group", "having",
    "if", "in", "index", "inherit", "initially", "inner", "insert", "into", "is", "join", "key", "language", "left", "like", "limit",
    "local", "lock", "loop", "materialized", "not", "nothing", "null", "of", "on", "only", "or", "order", "outer", "owner", "partition",
    "perform", "policy", "primary", "procedure", "publication", "raise", "references", "refresh", "reindex", "rename", "replace",
    "reset", "restrict", "return", "returning", "returns", "revoke", "right", "role", "rollback", "row", "rule", "savepoint", "schema",
    "security", "select", "sequence", "set", "statistics", "storage", "table", "temporary", "then", "to", "trigger", "true", "truncate",
    "type", "union", "unique", "update", "user", "using", "vacuum", "valid", "validate", "value", "values", "view", "when", "where",
    "while", "with", "without",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_found_in_any_case() {
        assert!(KEYWORDS.is_sorted());
        assert!(is_keyword(b"Concurrently") && is_keyword(b"WITHOUT") && is_keyword(b"add"));
        assert!(!is_keyword(b"orders") && !is_keyword(b"") && !is_keyword(b"tabl"));
    }
}
