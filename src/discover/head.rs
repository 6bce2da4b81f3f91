//! What a file says about its own run, in the comments at its top and in the lines by which runners part it.

use super::Unit;
use super::tool::liquibase;
use crate::model::session::TransactionMode;
use crate::problem::{Problem, did_you_mean};
use crate::text::{SourceFile, Span};
use crate::tool::{Told, Tool};
use std::sync::Arc;

/// What the file says.
pub(super) struct Head {
    /// How it is run, said to lockkeeper.
    own: Option<TransactionMode>,
    /// How it is run, said to its tool.
    told: Option<TransactionMode>,
    /// The part of it that is run.
    pub part: Span,
    /// Pieces of that part which its tool runs in a way of their own.
    pub units: Vec<Unit>,
    /// The part that undoes the rest, if there is something in it, if only a word why nothing is undone.
    pub down: Option<Span>,
    /// It says how it is undone, if not as a part of its own.
    pub undone: bool,
    /// The tool that its marks are for.
    pub tool: Option<Tool>,
    /// A directive with a word that nobody knows.
    pub problem: Option<Problem>,
}

impl Head {
    /// How it is run.
    pub fn transaction(&self) -> Option<TransactionMode> {
        self.own.or(self.told)
    }
}

/// Reads the comments before the first statement, and, if they name a tool, the lines at which that tool parts the file. `of`: the tool, if
/// the config says it; the marks of others are comments then.
pub(super) fn read(source: &Arc<SourceFile>, of: Option<Tool>) -> Head {
    let bytes = source.bytes();
    let part = Span::new(0, bytes.len() as u32);
    let mut head = Head { own: None, told: None, part, units: Vec::new(), down: None, undone: false, tool: None, problem: None };
    for (first, span) in comments(bytes).enumerate().map(|(at, span)| (at == 0, span)) {
        let Ok(line) = std::str::from_utf8(&bytes[span.range()]) else { continue };
        let words = line.trim_start_matches('-').trim();
        if let Some(directive) = words.strip_prefix("lockkeeper:").map(str::trim) {
            match directive.strip_prefix("transaction").map(str::trim) {
                Some(mode) => match transaction(mode) {
                    Some(mode) => head.own = Some(mode),
                    None => head.problem = Some(unknown(source, span, mode)),
                },
                None => continue,
            }
        } else if let Some((tool, mode)) = mark(line, first).filter(|(tool, _)| of.is_none_or(|of| of == *tool)) {
            head.tool = Some(tool);
            // `Up` does not take back what `NO TRANSACTION` has said.
            head.told = head.told.filter(|told| *told != TransactionMode::Runner).or(mode);
            if goose(line).is_some_and(|annotation| annotation.eq_ignore_ascii_case("envsub on")) {
                source.read_placeholders();
            }
        }
    }
    if head.tool.is_none() && of.is_none_or(|of| of == Tool::PostgresMigrations) && says_disable(bytes) {
        (head.tool, head.told) = (Some(Tool::PostgresMigrations), Some(Tool::PostgresMigrations.alone()));
    }
    if let Some(tool) = head.tool
        && let Some(down) = down_at(bytes, tool)
    {
        head.down = is_said(&bytes[down as usize..]).then(|| Span::new(down, bytes.len() as u32));
        head.part.end = down;
    }
    if head.tool == Some(Tool::Goose) && head.transaction() == Some(TransactionMode::None) {
        head.units = messages(bytes, head.part).into_iter().map(|span| Unit { span, mode: TransactionMode::OneMessage }).collect();
    }
    if head.tool == Some(Tool::Liquibase) {
        let changesets = liquibase::read(bytes);
        (head.told, head.undone) = (Some(liquibase::of_all(&changesets.units)), changesets.undone);
        head.units = if changesets.units.len() > 1 { changesets.units } else { Vec::new() };
    }
    if head.tool == Some(Tool::Atlas) && !ends_in_blank_line(bytes) {
        // It is about the statement below it, of which it says nothing.
        head.told = None;
    }
    if head.tool == Some(Tool::NodePgMigrate) {
        (head.part, head.down) = directions(bytes);
    }
    head
}

/// What a comment line tells a tool: which one, and how the file is run then.
fn mark(line: &str, first: bool) -> Option<(Tool, Option<TransactionMode>)> {
    let words = line.trim_start_matches('-').trim();
    if let Some(annotation) = goose(line) {
        let alone = annotation.eq_ignore_ascii_case("no transaction");
        return Some((Tool::Goose, Some(if alone { TransactionMode::None } else { TransactionMode::Runner })));
    }
    if let Some(options) = dbmate(line, "migrate:up") {
        // Without a transaction, dbmate still sends the part as one message.
        let without = options.split_whitespace().any(|option| option == "transaction:false");
        return Some((Tool::Dbmate, Some(if without { TransactionMode::OneMessage } else { TransactionMode::Runner })));
    }
    if let Some(mut options) = sql_migrate(line, "Up") {
        let alone = options.any(|option| option == "notransaction");
        return Some((Tool::SqlMigrate, Some(if alone { Tool::SqlMigrate.alone() } else { TransactionMode::Runner })));
    }
    // Newer versions look for it, and send the file as one message then (cli/migrate/migrate.go).
    if first && line.starts_with("-- hasura:no-transaction") {
        return Some((Tool::Hasura, Some(TransactionMode::OneMessage)));
    }
    if line.starts_with("--! Previous:") {
        return Some((Tool::GraphileMigrate, Some(TransactionMode::Runner)));
    }
    // Above it stand the lines about the file itself.
    if line.starts_with("--! no-transaction") {
        return Some((Tool::GraphileMigrate, Some(Tool::GraphileMigrate.alone())));
    }
    if first && liquibase::is_formatted(line) {
        return Some((Tool::Liquibase, None));
    }
    if direction(line).is_some() {
        return Some((Tool::NodePgMigrate, None));
    }
    if let Some(mode) = words.strip_prefix("atlas:txmode") {
        return (mode.trim() == "none").then_some((Tool::Atlas, Some(Tool::Atlas.alone())));
    }
    let tells = |tool: &Tool| matches!(tool.told(), Told::FirstLine(told) if line.starts_with(told.trim_end()));
    Tool::all().find(tells).filter(|_| first).map(|tool| (tool, Some(tool.alone())))
}

const MODES: &[(&str, TransactionMode)] =
    &[("none", TransactionMode::None), ("runner", TransactionMode::Runner), ("one-message", TransactionMode::OneMessage)];

fn transaction(word: &str) -> Option<TransactionMode> {
    MODES.iter().find(|(name, _)| *name == word).map(|(_, mode)| *mode)
}

fn unknown(source: &Arc<SourceFile>, span: Span, word: &str) -> Problem {
    let known = MODES.iter().map(|(name, _)| *name);
    let guess = did_you_mean(word, known.clone());
    Problem::new("discover::unknown-transaction-mode", format!("there is no transaction mode `{word}`{guess}"))
        .help(format!("known: {}", known.collect::<Vec<_>>().join(", ")))
        .at(source, span, "here")
}

/// `Up` of `-- +goose Up`. A third dash makes it a plain comment.
fn goose(line: &str) -> Option<&str> {
    let words = line.strip_prefix("--")?.trim();
    let (mark, annotation) = words.split_at_checked("+goose".len())?;
    mark.eq_ignore_ascii_case("+goose").then(|| annotation.trim())
}

/// What stands behind `-- migrate:up` or `-- migrate:down` (pkg/dbmate/migration.go). A third dash makes it a plain comment.
fn dbmate<'a>(line: &'a str, way: &str) -> Option<&'a str> {
    let options = line.strip_prefix("--")?.trim_start().strip_prefix(way)?;
    (options.is_empty() || options.starts_with(char::is_whitespace)).then_some(options)
}

/// What stands behind `-- +migrate Up` or `-- +migrate Down`: only with this one blank (sqlparse/sqlparse.go).
fn sql_migrate<'a>(line: &'a str, command: &str) -> Option<impl Iterator<Item = &'a str>> {
    let mut words = line.strip_prefix("-- +migrate ")?.split_whitespace();
    (words.next() == Some(command)).then_some(words)
}

/// Whether the words of postgres-migrations stand somewhere in a comment: it looks for them anywhere (run-migration.ts).
fn says_disable(bytes: &[u8]) -> bool {
    let Told::FirstLine(words) = Tool::PostgresMigrations.told() else { return false };
    bytes.split(|byte| *byte == b'\n').any(|line| line.trim_ascii_start().starts_with(words.as_bytes()))
}

/// Whether a blank line parts the comments at the very top from the rest: only then Atlas takes them for the file's (migrate/dir.go).
fn ends_in_blank_line(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|byte| *byte == b'\n').skip_while(|line| line.starts_with(b"--"));
    lines.next().is_none_or(|line| line.trim_ascii().is_empty())
}

/// What stands between StatementBegin and StatementEnd: goose takes it for one statement, however many there are.
fn messages(bytes: &[u8], part: Span) -> Vec<Span> {
    let (mut messages, mut start, mut open) = (Vec::new(), part.start as usize, None);
    for line in bytes[part.range()].split_inclusive(|byte| *byte == b'\n') {
        let end = start + line.len();
        let text = std::str::from_utf8(line).unwrap_or_default().trim_end();
        match goose(text) {
            Some(annotation) if annotation.eq_ignore_ascii_case("statementbegin") => open = Some(end),
            Some(annotation) if annotation.eq_ignore_ascii_case("statementend") => {
                messages.extend(open.take().map(|open| Span::new(open as u32, start as u32)));
            }
            Some(_) | None => {}
        }
        start = end;
    }
    messages
}

/// Where the part that undoes begins. goose and dbmate look at lines, whatever they stand in, and so does this.
fn down_at(bytes: &[u8], tool: Tool) -> Option<u32> {
    let mut start = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b"--") {
            let line = String::from_utf8_lossy(line);
            let is_down = match tool {
                Tool::Goose => goose(&line).is_some_and(|annotation| annotation.eq_ignore_ascii_case("down")),
                Tool::SqlMigrate => sql_migrate(&line, "Down").is_some(),
                // Not all of its versions part a file at a line with more than one option.
                Tool::Dbmate => dbmate(&line, "migrate:down").is_some_and(|options| options.split_whitespace().count() <= 1),
                _ => return None,
            };
            if is_down {
                return Some(start as u32);
            }
        }
        start += line.len();
    }
    None
}

/// Which way goes what stands behind this line of node-pg-migrate (sqlMigration.ts: createMigrationCommentRegex).
fn direction(line: &str) -> Option<bool> {
    let words = line.trim_start().strip_prefix("--")?.trim_start_matches(|c: char| c == '-' || c.is_whitespace()).to_ascii_lowercase();
    let is = |way: &str| {
        words.strip_prefix(way).is_some_and(|rest| rest.trim_start().starts_with("migration") && rest.starts_with(char::is_whitespace))
    };
    if is("up") { Some(true) } else { is("down").then_some(false) }
}

/// The parts of a file that says `-- Up Migration` and `-- Down Migration`, in whichever order; without a word, all of it goes up.
fn directions(bytes: &[u8]) -> (Span, Option<Span>) {
    let (mut up, mut down, mut start) = (None, None, 0u32);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match direction(&String::from_utf8_lossy(line)) {
            Some(true) => up = up.or(Some(start)),
            Some(false) => down = down.or(Some(start)),
            None => {}
        }
        start += line.len() as u32;
    }
    let until = |from: u32, other: Option<u32>| Span::new(from, other.filter(|other| *other > from).unwrap_or(start));
    let part = up.map_or(Span::new(0, start), |up| until(up, down));
    (part, down.map(|down| until(down, up)).filter(|part| is_said(&bytes[part.range()])))
}

/// Whether anything stands behind the first line but annotations of the runner.
fn is_said(down: &[u8]) -> bool {
    let lines = down.split(|byte| *byte == b'\n').skip(1).map(|line| String::from_utf8_lossy(line).trim().to_owned());
    lines.into_iter().any(|line| !line.is_empty() && !line.starts_with("-- +migrate") && goose(&line).is_none())
}

/// The `--` comments before the first token that is none.
pub(super) fn comments(bytes: &[u8]) -> impl Iterator<Item = Span> {
    let mut at = if bytes.starts_with("\u{FEFF}".as_bytes()) { 3 } else { 0 };
    std::iter::from_fn(move || {
        loop {
            match bytes.get(at..)? {
                [b' ' | b'\t' | b'\n' | b'\r' | 0x0B | 0x0C, ..] => at += 1,
                [b'/', b'*', ..] => at = block_end(bytes, at)?,
                rest @ [b'-', b'-', ..] => {
                    let length = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
                    let span = Span::new(at as u32, (at + length) as u32);
                    at += length;
                    return Some(span);
                }
                _ => return None,
            }
        }
    })
}

/// One past the block comment that begins at `start`; they nest.
fn block_end(bytes: &[u8], start: usize) -> Option<usize> {
    let (mut at, mut depth) = (start, 0usize);
    loop {
        match bytes.get(at..at + 2)? {
            b"/*" => (at, depth) = (at + 2, depth + 1),
            b"*/" => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;

    fn words(text: &str) -> String {
        let source = SourceFile::new("0001_orders.sql", text);
        let head = read(&source, None);
        let problem = head.problem.as_ref().map(|problem| format!(" ! {problem}")).unwrap_or_default();
        format!("{:?} | {}{problem}", head.transaction(), source.text(head.part).replace('\n', " "))
    }

    #[test]
    fn a_file_that_says_nothing_is_run_as_a_whole() {
        assert_snapshot!(words("SELECT 1;\n-- lockkeeper: transaction none\n"), @"None | SELECT 1; -- lockkeeper: transaction none");
    }

    #[test]
    fn a_directive_in_the_comments_at_the_top_says_how_it_is_run() {
        assert_snapshot!(words("\u{FEFF}-- orders\n/* a /* nested */ word */\n-- lockkeeper: transaction none\nSELECT 1;"), @"Some(None) | ﻿-- orders /* a /* nested */ word */ -- lockkeeper: transaction none SELECT 1;");
        assert_snapshot!(words("-- lockkeeper: transaction runer\nSELECT 1;"), @"None | -- lockkeeper: transaction runer SELECT 1; ! there is no transaction mode `runer`, did you mean `runner`?");
    }

    #[test]
    fn goose_parts_a_file_at_its_annotations() {
        assert_snapshot!(words("-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;\n"), @"Some(Runner) | -- +goose Up SELECT 1;");
        assert_snapshot!(words("-- +goose NO TRANSACTION\n-- +goose Up\nSELECT 1;\n"), @"Some(None) | -- +goose NO TRANSACTION -- +goose Up SELECT 1;");
    }

    #[test]
    fn goose_sends_what_stands_between_its_marks_as_one_message() {
        let pieces = |text: &str| {
            let source = SourceFile::new("0001_orders.sql", text);
            read(&source, None).units.iter().map(|unit| source.text(unit.span).trim().to_owned()).collect::<Vec<_>>().join(" | ")
        };
        let body = "SELECT 1;\n-- +goose StatementBegin\nSELECT 2;\nSELECT 3;\n-- +goose StatementEnd\n";
        assert_snapshot!(pieces(&format!("-- +goose NO TRANSACTION\n-- +goose Up\n{body}")), @r"
        SELECT 2;
        SELECT 3;
        ");
        assert_snapshot!(pieces(&format!("-- +goose Up\n{body}")), @"");
    }

    #[test]
    fn dbmate_parts_a_file_at_its_lines() {
        assert_snapshot!(words("-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;\n"), @"Some(Runner) | -- migrate:up SELECT 1;");
        assert_snapshot!(words("-- migrate:up transaction:false\nSELECT 1;\n"), @"Some(OneMessage) | -- migrate:up transaction:false SELECT 1;");
    }

    #[test]
    fn a_line_that_only_looks_like_a_mark_parts_nothing() {
        let part = |up: &str, between: &str| {
            let text = format!("{up}\nSELECT 1;\n{between}\nSELECT 2;\n");
            let source = SourceFile::new("0001_orders.sql", text.clone());
            if source.text(read(&source, None).part).contains("SELECT 2") { "goes on" } else { "parts" }
        };
        for (up, between, parts) in [
            ("-- migrate:up", "--migrate:down transaction:false\r", "parts"),
            ("-- migrate:up", "------ migrate:down", "goes on"),
            ("-- migrate:up", "-- - migrate:down", "goes on"),
            ("-- migrate:up", "-- migrate:down is what undoes it", "goes on"),
            ("-- +migrate Up", "-- +migrate  Down notransaction", "parts"),
            ("-- +migrate Up", "-- +migrate Downgrade", "goes on"),
            ("-- +migrate Up", "--- +migrate Down", "goes on"),
            ("-- +migrate Up", "--+migrate Down", "goes on"),
            ("-- +goose Up", "--+goose down", "parts"),
            ("-- +goose Up", "--- +goose Down", "goes on"),
            ("-- +goose Up", "-- +goose Down below", "goes on"),
            ("-- Up Migration", "  --- down  migration of orders", "parts"),
            ("-- Up Migration", "-- down the migration", "goes on"),
        ] {
            assert_eq!(part(up, between), parts, "{up}, {between}");
        }
    }

    #[test]
    fn a_line_that_only_looks_like_a_mark_says_nothing_of_the_run() {
        let mode = |text: &str| {
            let source = SourceFile::new("0001_orders.sql", text);
            read(&source, None).transaction()
        };
        for text in [
            "---- migrate:up transaction:false",
            "-- migrate:upgrade transaction:false",
            "--- +migrate Up notransaction",
            "-- +migrate Upgrade notransaction",
            "--- +goose NO TRANSACTION",
        ] {
            assert_eq!(mode(&format!("{text}\nSELECT 1;\n")), None, "{text}");
        }
    }

    #[test]
    fn sqlx_sends_a_file_without_transaction_as_one_message() {
        assert_snapshot!(words("-- no-transaction\nSELECT 1;\n"), @"Some(OneMessage) | -- no-transaction SELECT 1;");
    }
}
