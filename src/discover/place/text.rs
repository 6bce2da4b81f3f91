//! The text of a new migration: its head as its runner wants it, its SQL, and its way back.

use super::{Back, Migration, NoRoom, Piece, PieceTransaction, Room, Told, head};
use crate::discover::tool::{CONF, METADATA, Tool, with_more};
use crate::model::session::TransactionMode;
use crate::sql::lex::{Lexer, Token, TokenKind};
use crate::sql::split::{self, split};
use crate::text::{SourceFile, Span};
use std::path::PathBuf;

/// The files of one piece. `down`: where its way back goes, if that is a file.
pub(super) fn write(room: &Room, piece: &Piece, path: PathBuf, down: Option<PathBuf>) -> Result<Vec<(PathBuf, String)>, NoRoom> {
    let alone = piece.transaction == PieceTransaction::Alone;
    let told = if alone { room.ways.told } else { Told::Nothing };
    if let Told::Never(why) = told {
        return Err(NoRoom::new(why, "run it by hand, with psql, and say so in the next file"));
    }
    for sql in [Some(&piece.up), piece.down.as_ref()].into_iter().flatten() {
        if alone && room.ways.one_message && statements(sql).len() > 1 {
            let why = "this runner sends a file as one message, so that two statements are one transaction";
            return Err(NoRoom::new(why, "put each statement into a file of its own"));
        }
    }
    let back = back(room, piece);
    let part = back.as_deref().filter(|_| room.way_back == Back::Part);
    let mut files = vec![(path.clone(), text(room, piece, told, (&piece.up, part)))];
    if let (Some(down), Some(back)) = (down, &back) {
        let headless = Piece { header: Vec::new(), ..piece.clone() };
        files.push((down, text(room, &headless, told, (back, None))));
    }
    let beside: Vec<_> = match told {
        Told::Conf => files.iter().map(|(path, _)| (with_more(path, CONF), "executeInTransaction=false\n".to_owned())).collect(),
        Told::Metadata => vec![(path.with_file_name(METADATA), "run_in_transaction = false\n".to_owned())],
        _ => Vec::new(),
    };
    files.extend(beside);
    Ok(files)
}

/// What undoes it, where this history undoes its migrations; a word where nothing can.
fn back(room: &Room, piece: &Piece) -> Option<String> {
    (room.way_back != Back::None).then(|| piece.down.clone().unwrap_or_else(|| "-- nothing undoes this\n".to_owned()))
}

/// A file with its head. If that does not tell lockkeeper how it runs, lockkeeper's own line does.
fn text(room: &Room, piece: &Piece, told: Told, parts: (&str, Option<&str>)) -> String {
    let plain = assembled(room, piece, told, parts, "");
    let alone = piece.transaction == PieceTransaction::Alone;
    let mode = head::read(&SourceFile::new("new.sql", plain.as_str()), room.tool).transaction().or(room.mode);
    match mode {
        _ if !alone => plain,
        Some(TransactionMode::None | TransactionMode::OneMessage) => plain,
        _ => assembled(room, piece, told, parts, "-- lockkeeper: transaction none\n"),
    }
}

fn assembled(room: &Room, piece: &Piece, told: Told, (up, down): (&str, Option<&str>), own: &str) -> String {
    let (option, goose) = (if told == Told::Dbmate { " transaction:false" } else { "" }, room.tool == Some(Tool::Goose));
    let first = match (room.tool, told) {
        (Some(Tool::Goose), Told::Goose) => "-- +goose NO TRANSACTION\n-- +goose Up\n".to_owned(),
        (Some(Tool::Goose), _) => "-- +goose Up\n".to_owned(),
        (Some(Tool::Dbmate), _) => format!("-- migrate:up{option}\n"),
        (_, Told::FirstLine(line)) => format!("{line}\n"),
        _ => String::new(),
    };
    let header: String = piece.header.iter().map(|line| format!("-- {line}\n").replace("-- \n", "--\n")).collect();
    let sql = |sql: &str| if goose { marked(sql) } else { ended(sql) };
    let mut text = first + &header + own + &sql(up);
    if let Some(down) = down {
        text += &if goose { "\n-- +goose Down\n".to_owned() } else { format!("\n-- migrate:down{option}\n") };
        text += &sql(down);
    }
    text
}

/// The file that undoes a migration which is there already.
pub(super) fn of_way_back<S: AsRef<str>>(room: &Room, statements: &[S]) -> String {
    let (transaction, sql) = way_back(room, statements);
    let piece = Piece { name: String::new(), header: Vec::new(), transaction, up: String::new(), down: None };
    let told = if transaction == PieceTransaction::Alone { room.ways.told } else { Told::Nothing };
    text(room, &piece, told, (&sql, None))
}

/// The part that undoes a migration, for its end.
pub(super) fn second_part<S: AsRef<str>>(room: &Room, migration: &Migration, statements: &[S]) -> (Span, String) {
    let bytes = migration.source.bytes();
    let end = bytes.len() as u32;
    let head = head::read(&migration.source, room.tool);
    let wrapped = matches!(head.transaction(), None | Some(TransactionMode::Runner));
    let together: String = statements.iter().map(|sql| format!("{};\n", sql.as_ref())).collect();
    // Where the runner opens no transaction for this file, each statement commits for itself, and SET LOCAL would do nothing.
    let sql = if wrapped { way_back(room, statements).1 } else { together };
    let is_goose = room.tool == Some(Tool::Goose);
    let option = if wrapped { "" } else { " transaction:false" };
    let gap = if bytes.is_empty() || bytes.ends_with(b"\n") { "\n" } else { "\n\n" };
    let line = match (head.part.end < end, is_goose) {
        // It has the line, and nothing behind it.
        (true, _) => gap[1..].to_owned(),
        (false, true) => format!("{gap}-- +goose Down\n"),
        (false, false) => format!("{gap}-- migrate:down{option}\n"),
    };
    (Span::new(end, end), line + &if is_goose { marked(&sql) } else { ended(&sql) })
}

/// What runs alone is one statement; the rest runs together.
fn way_back<S: AsRef<str>>(room: &Room, statements: &[S]) -> (PieceTransaction, String) {
    let concurrent = |sql: &S| {
        let source = SourceFile::new("new.sql", sql.as_ref());
        Lexer::new(&source, Span::new(0, sql.as_ref().len() as u32)).any(|token| token.is_word(&source, "CONCURRENTLY"))
    };
    match statements {
        [single] if concurrent(single) => (PieceTransaction::Alone, format!("{};\n", single.as_ref())),
        several => (PieceTransaction::InTransaction, room.transaction_block(several)),
    }
}

/// With a line break at its end.
fn ended(sql: &str) -> String {
    format!("{}\n", sql.trim_end())
}

/// goose cuts at every line that ends in a semicolon, unless it is told where a statement begins and ends.
fn marked(sql: &str) -> String {
    let source = SourceFile::new("new.sql", sql);
    let mut text = ended(sql);
    for span in statements(sql).into_iter().rev().filter(|span| source.slice(*span).contains(&b';')) {
        let end = span.end as usize + usize::from(text[span.end as usize..].starts_with(';'));
        text.insert_str(end, "\n-- +goose StatementEnd");
        text.insert_str(span.start as usize, "-- +goose StatementBegin\n");
    }
    text
}

/// Text with other line ends. What stands in quotes is data, and stays.
pub(super) fn with_line_ends(text: &str, line_end: &str) -> String {
    let ended = |text: &str| text.replace("\r\n", "\n").replace('\n', line_end);
    let source = SourceFile::new("new.sql", text);
    let mut result = String::with_capacity(text.len());
    let mut at = 0;
    let quoted = |token: &Token| match token.kind {
        TokenKind::String | TokenKind::DollarString | TokenKind::QuotedIdent | TokenKind::Broken => true,
        TokenKind::Word | TokenKind::Number | TokenKind::Parameter | TokenKind::Operator => false,
        TokenKind::Punctuation | TokenKind::Variable | TokenKind::Comment => false,
    };
    for token in Lexer::new(&source, Span::new(0, text.len() as u32)).filter(quoted) {
        result += &ended(&text[at..token.span.start as usize]);
        at = token.span.end as usize;
        result += &text[token.span.range()];
    }
    result + &ended(&text[at..])
}

/// Where its statements stand.
fn statements(sql: &str) -> Vec<Span> {
    let source = SourceFile::new("new.sql", sql);
    split(&source, Span::new(0, sql.len() as u32)).pieces.iter().map(split::Piece::span).collect()
}

/// Whether a file opens a transaction itself.
pub(super) fn says_begin(migration: &Migration) -> bool {
    let source = &migration.source;
    let begins = |span: Span| {
        let mut tokens = Lexer::new(source, span);
        tokens.next().is_some_and(|first| first.is_word(source, "BEGIN") || first.is_word(source, "START"))
    };
    split(source, migration.part).pieces.iter().any(|piece| begins(piece.span()))
}
