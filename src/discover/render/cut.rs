//! What a program has printed, cut into migrations: which statements are its own doing and which are the migration's, and in which transaction
//! those run.

use super::alembic;
use crate::config::render::{Named, Render, Tool};
use crate::model::operation::Operation;
use crate::model::session::TransactionMode;
use crate::sql::{self, Reading, Script, Statement};
use crate::text::{SourceFile, Span};

/// The SQL of one migration, as it was printed.
pub(super) struct Piece {
    pub named: Named,
    /// In order, with what was printed of its place.
    pub statements: Vec<Printed>,
    /// What the program says of transactions; `None`: nothing.
    pub transaction: Option<TransactionMode>,
    /// Its transaction is that of others, too.
    pub shared: bool,
}

/// A statement with the comments before it.
pub(super) struct Printed {
    pub text: String,
    /// Where it begins in the text, behind the comments.
    pub begins: usize,
    /// The line of the file that it comes from, if that was printed.
    pub line: Option<u32>,
}

/// By this comment a program says which line of the file the next statements come from.
const LINE: &str = "-- lockkeeper: line ";

/// Cuts a text.
pub(super) fn pieces(output: &SourceFile, entry: &Render) -> Vec<Piece> {
    let whole = first_cut(output, entry);
    let script = sql::read(output, whole);
    let names = |comment: &Span| Some((*comment, entry.cut.names(&output.text(*comment))?));
    let cuts: Vec<_> = script.comments.iter().filter_map(names).collect();
    let says_nothing = entry.tool == Tool::Other && !script.statements.iter().any(|statement| border(statement).is_some());
    let mut cutter = Cutter { output, script: &script, tool: entry.tool, open: is_open(&output.text(Span::new(0, whole.start))) };
    let ends: Vec<_> = cuts.iter().skip(1).map(|(cut, _)| cut.start).chain([whole.end]).collect();
    let piece = |((cut, named), end): ((Span, Named), u32)| {
        let piece = cutter.piece(Span::new(cut.end, end), named);
        Piece { transaction: piece.transaction.filter(|_| !says_nothing), ..piece }
    };
    let mut pieces: Vec<_> = cuts.into_iter().zip(ends).map(piece).collect();
    // The last one ends the transaction of all.
    let shared = pieces.iter().any(|piece| piece.shared);
    pieces.iter_mut().for_each(|piece| piece.shared = shared && piece.transaction == Some(TransactionMode::Runner));
    pieces
}

/// From the first comment that begins a migration to the end. What a program says before may be no SQL.
fn first_cut(output: &SourceFile, entry: &Render) -> Span {
    let mut start = 0;
    for line in output.bytes().split_inclusive(|byte| *byte == b'\n') {
        if entry.cut.names(&String::from_utf8_lossy(line)).is_some() {
            break;
        }
        start += line.len();
    }
    Span::new(start as u32, output.bytes().len() as u32)
}

/// Whether what stands before the first migration has begun a transaction.
fn is_open(before: &str) -> bool {
    before.lines().map(str::trim).rfind(is_border_line) == Some("BEGIN;")
}

fn is_border_line(line: &&str) -> bool {
    matches!(*line, "BEGIN;" | "COMMIT;")
}

/// Whether SQL stands before the first migration, where it belongs to none. Alembic and Django make their own tables there.
pub(super) fn is_sql_before_first(output: &SourceFile, entry: &Render) -> bool {
    match entry.tool {
        Tool::Alembic | Tool::Django => false,
        Tool::Other => says_sql(&output.text(Span::new(0, first_cut(output, entry).start))),
    }
}

/// Whether there is a statement in what may be mere words of a program, too: one that can be read, or the end of one behind words whose quotes
/// keep it from being read.
fn says_sql(said: &str) -> bool {
    let lines: Vec<_> = said.lines().map(str::trim).filter(|line| !is_border_line(line)).collect();
    let text = SourceFile::new("", lines.join("\n"));
    let script = sql::read(&text, Span::new(0, text.bytes().len() as u32));
    let is_read = |statement: &Statement| statement.reading != Reading::Unreadable && border(statement).is_none();
    script.statements.iter().any(is_read) || lines.iter().any(|line| line.ends_with(';') && !line.starts_with("--"))
}

/// BEGIN or COMMIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Border {
    Begin,
    Commit,
}

fn border(statement: &Statement) -> Option<Border> {
    match &statement.operations[..] {
        [only] => match only.what {
            Operation::Begin => Some(Border::Begin),
            Operation::Commit { .. } => Some(Border::Commit),
            _ => None,
        },
        _ => None,
    }
}

struct Cutter<'a> {
    output: &'a SourceFile,
    script: &'a Script,
    tool: Tool,
    /// Whether a transaction is open behind what was read so far.
    open: bool,
}

impl<'a> Cutter<'a> {
    fn within(&self, range: Span) -> &'a [Statement] {
        let at = |offset: u32| self.script.statements.partition_point(|statement| statement.span.start < offset);
        &self.script.statements[at(range.start)..at(range.end)]
    }

    /// Notes whether a transaction is open behind a range.
    fn pass(&mut self, range: Span) {
        let last = self.within(range).iter().rev().find_map(border);
        self.open = last.map_or(self.open, |last| last == Border::Begin);
    }

    /// What the program does around a migration is left out: its transaction and its own table. A transaction that the migration itself ends and
    /// begins again stays, with its first BEGIN and its last COMMIT.
    fn piece(&mut self, range: Span, named: Named) -> Piece {
        let mut body = self.within(range);
        let mut open = self.open;
        while let Some((border, rest)) = body.split_first().and_then(|(first, rest)| Some((border(first)?, rest))) {
            (open, body) = (border == Border::Begin, rest);
        }
        while let Some((_, rest)) = body.split_last().filter(|(last, _)| border(last).is_some() || self.is_bookkeeping(last)) {
            body = rest;
        }
        // Nobody has begun it behind the one before, or ended it before the next one.
        let shared = self.open && self.within(range).iter().all(|statement| border(statement).is_none());
        self.pass(range);
        let borders: Vec<_> = body.iter().filter_map(border).collect();
        let mut statements = self.printed(range, body);
        let transaction = match borders.last() {
            None if open => TransactionMode::Runner,
            None => TransactionMode::None,
            Some(last) => {
                if open {
                    statements.insert(0, Printed { text: "BEGIN;\n".to_owned(), begins: 0, line: None });
                }
                if *last == Border::Begin {
                    statements.push(Printed { text: "COMMIT;\n".to_owned(), begins: 0, line: None });
                }
                // The statements say it themselves.
                TransactionMode::None
            }
        };
        Piece { named, statements, transaction: Some(transaction), shared }
    }

    fn is_bookkeeping(&self, statement: &Statement) -> bool {
        self.tool == Tool::Alembic && alembic::is_bookkeeping(&self.output.text(statement.span))
    }

    /// Each statement with what stands before it, up to the semicolon behind it.
    fn printed(&self, range: Span, body: &[Statement]) -> Vec<Printed> {
        let (mut line, mut from) = (None, range.start);
        let before =
            self.script.statements.partition_point(|statement| statement.span.start < body.first().map_or(0, |first| first.span.start));
        if let Some(left_out) = before.checked_sub(1).and_then(|at| self.script.statements.get(at)).filter(|last| last.span.end > from) {
            line = self.lines(Span::new(from, left_out.span.end)).last().map(|(_, line)| *line);
            from = self.end(left_out);
        }
        let mut printed = Vec::with_capacity(body.len());
        for statement in body {
            let mut text = String::new();
            for (mark, said) in self.lines(Span::new(from, statement.span.start)) {
                text.push_str(&self.output.text(Span::new(from, mark.start)));
                (from, line) = (mark.end, Some(said));
            }
            text.push_str(&self.output.text(Span::new(from, statement.span.start)));
            let text = text.trim_start();
            let end = self.end(statement);
            let whole = format!("{text}{}\n", self.output.text(Span::new(statement.span.start, end)));
            printed.push(Printed { begins: text.len(), text: whole, line });
            from = end;
        }
        printed
    }

    /// One past the semicolon behind a statement.
    fn end(&self, statement: &Statement) -> u32 {
        let rest = &self.output.bytes()[statement.span.end as usize..];
        let blank = rest.len() - rest.trim_ascii_start().len();
        let semicolon = rest.get(blank) == Some(&b';');
        statement.span.end + if semicolon { blank as u32 + 1 } else { 0 }
    }

    /// What is said of lines in a range.
    fn lines(&self, range: Span) -> Vec<(Span, u32)> {
        let from = self.script.comments.partition_point(|comment| comment.start < range.start);
        let inside = self.script.comments[from..].iter().take_while(|comment| comment.end <= range.end);
        let line = |comment: &Span| self.output.text(*comment).strip_prefix(LINE)?.trim().parse().ok().filter(|line| *line > 0);
        inside.filter_map(|comment| Some((*comment, line(comment)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, FILE_NAME};
    use insta::assert_snapshot;

    fn words(config: &str, output: &str) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(FILE_NAME);
        std::fs::write(&path, config).expect("it can be written");
        let config = Config::read(&path).unwrap_or_else(|problem| panic!("{problem}"));
        let pieces = pieces(&SourceFile::new("output.sql", output), &config.render[0]);
        let one = |printed: &Printed| {
            let line = printed.line.map(|line| format!("{line}: ")).unwrap_or_default();
            format!("{line}{}", printed.text.trim().replace('\n', " / "))
        };
        let all = |piece: &Piece| {
            let statements = piece.statements.iter().map(one).collect::<Vec<_>>().join(" | ");
            let shared = if piece.shared { ", shared" } else { "" };
            format!("{:?} {:?}{shared} {statements}", piece.named, piece.transaction)
        };
        pieces.iter().map(all).collect::<Vec<_>>().join("\n")
    }

    const ALEMBIC: &str = "render: { tool: alembic }";

    #[test]
    fn one_transaction_around_all_revisions_is_each_ones_own() {
        assert_snapshot!(words(ALEMBIC, "BEGIN;\n\nCREATE TABLE alembic_version (version_num VARCHAR(32));\n\n-- Running upgrade  -> 0a\n\nCREATE TABLE orders (id BIGINT);\n\nINSERT INTO alembic_version (version_num) VALUES ('0a');\n\n-- Running upgrade 0a -> 0b\n\nDROP TABLE drafts;\n\nUPDATE alembic_version SET version_num='0b' WHERE alembic_version.version_num = '0a';\n\nCOMMIT;\n"), @r#"
        Revision("0a") Some(Runner), shared CREATE TABLE orders (id BIGINT);
        Revision("0b") Some(Runner), shared DROP TABLE drafts;
        "#);
    }

    #[test]
    fn a_transaction_for_each_revision_begins_before_its_comment() {
        assert_snapshot!(words(ALEMBIC, "BEGIN;\n-- Running upgrade  -> 0a\nCREATE TABLE orders (id BIGINT);\nCOMMIT;\nBEGIN;\n-- Running upgrade 0a -> 0b\nDROP TABLE drafts;\nCOMMIT;\n"), @r#"
        Revision("0a") Some(Runner) CREATE TABLE orders (id BIGINT);
        Revision("0b") Some(Runner) DROP TABLE drafts;
        "#);
    }

    #[test]
    fn what_is_run_outside_of_the_transaction_in_between_is_seen() {
        let all = "BEGIN;\n-- Running upgrade  -> 0a\nCREATE TABLE orders (id BIGINT);\nCOMMIT;\nCREATE INDEX CONCURRENTLY ON orders (id);\nBEGIN;\nDROP TABLE drafts;\nUPDATE alembic_version SET version_num='0b' WHERE alembic_version.version_num = '0a';\n-- Running upgrade 0a -> 0b\nCOMMIT;\nREINDEX TABLE CONCURRENTLY orders;\nBEGIN;\nCOMMIT;\n";
        assert_snapshot!(words(ALEMBIC, all), @r#"
        Revision("0a") Some(None) BEGIN; | CREATE TABLE orders (id BIGINT); | COMMIT; | CREATE INDEX CONCURRENTLY ON orders (id); | BEGIN; | DROP TABLE drafts; | COMMIT;
        Revision("0b") Some(None) REINDEX TABLE CONCURRENTLY orders;
        "#);
    }

    #[test]
    fn a_comment_in_a_string_cuts_nothing() {
        assert_snapshot!(words(ALEMBIC, "-- Running upgrade  -> 0a\nSELECT '\n-- Running upgrade 0a -> 0b\n';\n-- said\nSELECT 2"), @r#"Revision("0a") Some(None) SELECT ' / -- Running upgrade 0a -> 0b / '; | -- said / SELECT 2"#);
    }

    #[test]
    fn a_program_says_which_lines_its_statements_come_from() {
        let output = "-- lockkeeper: file m/0001.py\nBEGIN;\n-- lockkeeper: line 7\nSELECT 1;\n-- why\nSELECT 2;\n-- lockkeeper: line 9\nSELECT 3;\nCOMMIT;\n-- lockkeeper: file m/0002.py\n-- lockkeeper: line 4\nSELECT 4;\n-- lockkeeper: line 0\nSELECT 5;\n";
        assert_snapshot!(words("render: { tool: django }", output), @r#"
        File("m/0001.py") Some(Runner) 7: SELECT 1; | 7: -- why / SELECT 2; | 9: SELECT 3;
        File("m/0002.py") Some(None) 4: SELECT 4; | 4: -- lockkeeper: line 0 / SELECT 5;
        "#);
        assert_snapshot!(words("render: { command: [bin/sql], source: m/*, cut: '-- {revision}' }", "-- 1\nSELECT 1;\n-- 2\n"), @r#"
        Revision("1") None SELECT 1;
        Revision("2") None
        "#);
    }
}
