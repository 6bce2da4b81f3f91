//! The name by which a finding is known again in the next run, whatever happens to the other lines of its file.

use super::finding::Finding;
use crate::discover::Migration;
use crate::sql::lex::{Lexer, TokenKind};
use crate::text::{SourceFile, Span};
use foldhash::{HashMap, HashMapExt};
use sha2::{Digest, Sha256};

/// Gives each finding its fingerprint: of the rule, the migration's name, the tokens that it is about, and its number among its equals.
///
/// Those tokens are its own, and those that stand in its statement before the first operation: `ALTER TABLE orders` tells which table a part
/// is about. Comments and white space between tokens are no part of it, and neither is the directory: a file that is moved is the same to its
/// runner, and one that is renamed is not.
pub(super) fn stamp(findings: &mut [Finding], migration: &Migration) {
    let source = &*migration.source;
    let mut equals: HashMap<Vec<u8>, u32> = HashMap::with_capacity(findings.len());
    let file = source.path().file_name().unwrap_or_default().to_string_lossy();
    let version = migration.version.as_deref().unwrap_or_default();
    for finding in findings {
        // Where every file is called `migration.sql`, its folder is the name.
        let mut about = [finding.rule.as_bytes(), version.as_bytes(), migration.name.as_bytes(), file.as_bytes(), &[]].join(&0);
        let apart = finding.head.end <= finding.span.start;
        for span in [Some(finding.head).filter(|_| apart), Some(finding.span)].into_iter().flatten() {
            add_tokens(source, span, &mut about);
            about.push(0);
        }
        let hash = Sha256::new().chain_update(&about);
        let number = equals.entry(about).or_default();
        *number += 1;
        finding.fingerprint = hexadecimal(hash.chain_update(number.to_le_bytes()));
    }
}

/// Of the SQL of a whole file: it stays the same when comments or white space change.
pub fn hash(source: &SourceFile) -> String {
    let mut tokens = Vec::new();
    add_tokens(source, Span::new(0, source.bytes().len() as u32), &mut tokens);
    hexadecimal(Sha256::new().chain_update(&tokens))
}

fn add_tokens(source: &SourceFile, span: Span, to: &mut Vec<u8>) {
    // What is hidden is no part of it: a short password could be found by trying.
    let bytes = if source.hides_something() { source.shown().as_bytes() } else { source.bytes() };
    for token in Lexer::new(source, span).filter(|token| token.kind != TokenKind::Comment) {
        let token = bytes.get(token.span.range()).unwrap_or_default();
        // A literal over several lines is the same in a checkout with other line ends.
        to.extend(token.iter().filter(|byte| **byte != b'\r'));
        to.push(b' ');
    }
}

fn hexadecimal(hash: Sha256) -> String {
    let first = hash.finalize().first_chunk().map_or(0, |first| u64::from_be_bytes(*first));
    format!("{first:016x}")
}
