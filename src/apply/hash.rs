//! By what a migration is known again: the bytes of its file, and its SQL without what the server never sees.

use crate::sql::lex::{Lexer, TokenKind};
use crate::text::{SourceFile, Span};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// SHA-256 of bytes, 64 hexadecimal digits.
pub fn checksum(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// SHA-256 of the tokens of some pieces of files: white space, line ends and comments do not count, every other byte does. A comment that
/// tells how a file is run (`-- lockkeeper: transaction none`, `-- +goose ...`, `-- migrate:up ...`) is no mere comment.
pub fn normalised<'a>(pieces: impl IntoIterator<Item = (&'a SourceFile, Span)>) -> String {
    let mut hash = Sha256::new();
    for (source, part) in pieces {
        let mut lexer = Lexer::new(source, part);
        while let Some(token) = lexer.next_lexeme() {
            let bytes = source.slice(token.span);
            if token.kind != TokenKind::Comment || is_directive(bytes) {
                // A literal over several lines is the same in a checkout with other line ends.
                bytes.split(|byte| *byte == b'\r').for_each(|piece| hash.update(piece));
                hash.update([0]);
            }
        }
        hash.update([1]);
    }
    hex(&hash.finalize())
}

/// Whether a comment tells a runner what to do. An allowance only speaks to the linter.
fn is_directive(comment: &[u8]) -> bool {
    let words = String::from_utf8_lossy(comment);
    let words = words.trim_start_matches('-').trim_start();
    let own = words.strip_prefix("lockkeeper:").map(str::trim_start);
    own.is_some_and(|own| !own.starts_with("allow")) || words.starts_with("+goose") || words.starts_with("migrate:")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> String {
        let source = SourceFile::new("m.sql", text);
        normalised([(&*source, Span::new(0, text.len() as u32))])
    }

    #[test]
    fn comments_and_line_ends_do_not_count_and_every_other_byte_does() {
        let known = of("DROP TABLE drafts;\nSELECT 'a\nb';\n");
        assert_eq!(known, of("-- why\r\nDROP  TABLE\tdrafts ;\r\nSELECT 'a\r\nb' /* so */;"));
        for other in ["DROP TABLE draft; SELECT 'a\nb';", "drop TABLE drafts; SELECT 'a\nb';", "DROP TABLE drafts; SELECT 'a b';", ""] {
            assert_ne!(known, of(other), "{other}");
        }
    }

    #[test]
    fn a_comment_that_says_how_the_file_is_run_counts_and_an_allowance_does_not() {
        assert_ne!(of("SELECT 1"), of("-- lockkeeper: transaction none\nSELECT 1"));
        assert_ne!(of("SELECT 1"), of("-- +goose NO TRANSACTION\nSELECT 1"));
        assert_eq!(of("SELECT 1"), of("-- lockkeeper: allow drop-table because it is empty\nSELECT 1"));
    }

    #[test]
    fn tokens_do_not_run_into_each_other() {
        assert_ne!(of("SELECT a b"), of("SELECT ab"));
    }
}
