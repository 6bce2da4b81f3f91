//! What holds for any bytes: nothing is lost, nothing overlaps, nothing panics.

use lockkeeper::sql::lex::{Lexer, Token, TokenKind};
use lockkeeper::sql::split::{Piece, split};
use lockkeeper::sql::{Reading, read};
use lockkeeper::text::{SourceFile, Span};
use proptest::prelude::*;
use std::sync::Arc;

/// Scraps that begin, end or escape something in PostgreSQL or psql.
const SCRAPS: &[&str] = &[
    "'",
    "''",
    "\"",
    "E'",
    "U&'",
    "u&\"",
    "B'",
    "N'",
    "$$",
    "$a$",
    "$1",
    "$",
    "/*",
    "*/",
    "--",
    "-- +goose StatementEnd\n",
    "\n",
    "\r\n",
    "\\",
    "\\\\",
    "\\;",
    "\\:",
    "\\.\n",
    "\n\\.\n",
    "\\gexec",
    "\\copy t from stdin\n",
    "\\echo 'a",
    ";",
    "(",
    ")",
    "[",
    "]",
    ":",
    "::",
    ":=",
    ":name",
    ":'n'",
    ":{?n}",
    "1",
    "1.",
    ".5",
    "1e",
    "0x",
    "1_0",
    "+",
    "-",
    "*",
    "/",
    "<=",
    "@-",
    " ",
    "\t",
    "a",
    "é",
    "\u{feff}",
    "\0",
    "UESCAPE '!'",
    "CREATE FUNCTION f() ",
    "CREATE OR REPLACE PROCEDURE ",
    "CREATE RULE r AS ON INSERT TO t DO ",
    "BEGIN ATOMIC ",
    "BEGIN",
    "CASE ",
    "END ",
    "AS ",
    "COPY t FROM STDIN",
    "COPY (SELECT ",
    "SELECT ",
    "INSERT INTO orders VALUES ",
    "ALTER TABLE orders ",
    "ADD COLUMN note text ",
    "DROP ",
    "TABLE ",
    "CREATE TABLE ",
    "CREATE INDEX CONCURRENTLY ",
    "ON ",
    "NOT NULL ",
    "DEFAULT ",
    "CHECK ",
    "REFERENCES users ",
    "DO ",
    "SET ",
    "UPDATE orders SET ",
    "WHERE ",
    "PARTITION OF ",
    "GRANT ",
    "COMMENT ON ",
    ",",
    ".",
    "=",
];

fn scraps() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(SCRAPS), 0..60).prop_map(|scraps| scraps.concat().into_bytes())
}

fn random_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..200)
}

/// A real migration with some of its bytes cut out, doubled or replaced.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    const STORY: &str = include_str!("../fixtures/sql/a-shop-in-one-file.sql");
    let edits = prop::collection::vec((any::<prop::sample::Index>(), 0..20_usize, prop::option::of(prop::sample::select(SCRAPS))), 1..6);
    edits.prop_map(|edits| {
        let mut bytes = STORY.as_bytes().to_vec();
        for (place, length, scrap) in edits {
            let at = place.index(bytes.len() + 1);
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, scrap.unwrap_or_default().bytes());
        }
        bytes
    })
}

fn anything() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![scraps(), random_bytes(), mutated()]
}

fn file(bytes: Vec<u8>) -> (Arc<SourceFile>, Span) {
    let whole = Span::new(0, bytes.len() as u32);
    (SourceFile::new("orders.sql", bytes), whole)
}

fn tokens(source: &SourceFile, part: Span) -> Vec<Token> {
    let mut lexer = Lexer::new(source, part);
    std::iter::from_fn(|| lexer.next_lexeme()).collect()
}

/// Whether these bytes are only what may stand between pieces.
fn is_gap(source: &SourceFile, gap: Span) -> bool {
    let text = source.slice(gap);
    let text = text.strip_prefix(b"\xEF\xBB\xBF").filter(|_| gap.start == 0).map_or(text, |text| text);
    let from = gap.end - text.len() as u32;
    tokens(source, Span::new(from, gap.end)).iter().all(|token| {
        let text = source.slice(token.span);
        // Broken: the backslash of `\;`, of `\\` behind a meta-command, and of the line `\.`, whose dot follows.
        token.kind == TokenKind::Comment || matches!(text, b";" | b"\\" | b".")
    })
}

proptest! {
    #[test]
    fn tokens_tile_the_text(bytes in anything()) {
        let (source, whole) = file(bytes);
        let mut end = 0;
        for token in tokens(&source, whole) {
            prop_assert!(token.span.start >= end && token.span.end > token.span.start && token.span.end <= whole.end);
            let gap = source.slice(Span::new(end, token.span.start));
            prop_assert!(gap.iter().all(|byte| b" \t\n\r\x0B\x0C".contains(byte)), "{gap:?} was left out");
            end = token.span.end;
        }
    }

    #[test]
    fn a_token_is_the_same_when_it_is_read_alone(bytes in anything()) {
        let (source, whole) = file(bytes);
        for token in tokens(&source, whole) {
            // A colon behind `[` is no variable.
            if token.kind != TokenKind::Punctuation {
                prop_assert_eq!(tokens(&source, token.span), vec![token]);
            }
        }
    }

    #[test]
    fn names_and_strings_can_be_asked_of_any_token(bytes in anything()) {
        let (source, whole) = file(bytes);
        for token in tokens(&source, whole) {
            prop_assert_eq!(token.why_broken(&source).is_some(), token.kind == TokenKind::Broken);
            prop_assert!(token.ident(&source).is_none() || token.string_value(&source).is_none());
        }
    }

    #[test]
    fn pieces_are_in_order_and_nothing_but_gaps_is_between_them(bytes in anything()) {
        let (source, whole) = file(bytes);
        let split = split(&source, whole);
        let mut end = 0;
        for piece in &split.pieces {
            let span = piece.span();
            prop_assert!(span.start >= end && span.end >= span.start && span.end <= whole.end, "{piece:?} behind {end}");
            prop_assert!(is_gap(&source, Span::new(end, span.start)), "lost {:?}", source.text(Span::new(end, span.start)));
            end = span.end;
        }
        prop_assert!(is_gap(&source, Span::new(end, whole.end)), "lost {:?}", source.text(Span::new(end, whole.end)));
        prop_assert!(split.comments.windows(2).all(|pair| pair[0].end <= pair[1].start));
    }

    #[test]
    fn statements_are_in_order_and_none_is_empty_of_operations(bytes in anything()) {
        let (source, whole) = file(bytes);
        let script = read(&source, whole);
        prop_assert!(script.statements.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start));
        let pieces = split(&source, whole).pieces;
        prop_assert_eq!(script.statements.len(), pieces.iter().filter(|piece| !matches!(piece, Piece::CopyData(_))).count());
        for (statement, piece) in script.statements.iter().zip(pieces.iter().filter(|piece| !matches!(piece, Piece::CopyData(_)))) {
            prop_assert_eq!(statement.span, piece.span());
            prop_assert!(!statement.operations.is_empty());
            let broken = matches!(piece, Piece::Broken { .. });
            prop_assert!(!broken || statement.reading == Reading::Unreadable);
            for operation in &statement.operations {
                prop_assert!(operation.span.end <= whole.end && operation.span.start <= operation.span.end);
            }
        }
    }
}
