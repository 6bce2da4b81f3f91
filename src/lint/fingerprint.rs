//! The name by which a finding is known again in the next run, whatever happens to the other lines of its file.

use super::finding::Finding;
use crate::text::{SourceFile, Span};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fmt::Write as _;

/// Gives each finding its fingerprint: of the rule, the file's name, the tokens it is about, and its number among its equals.
pub(super) fn stamp(findings: &mut [Finding], source: &SourceFile) {
    let mut equals: HashMap<Vec<u8>, u32> = HashMap::new();
    let file = source.path().file_name().unwrap_or_default().to_string_lossy();
    for finding in findings {
        let mut hash = Sha256::new();
        hash.update(finding.rule.as_bytes());
        hash.update([0]);
        hash.update(file.as_bytes());
        hash.update([0]);
        for word in shown(source, finding.span).split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
            hash.update(word);
            hash.update([b' ']);
        }
        let number = equals.entry(hash.clone().finalize().to_vec()).or_default();
        *number += 1;
        hash.update(number.to_le_bytes());
        finding.fingerprint = hash.finalize().iter().take(8).fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
    }
}

/// What is hidden is no part of it: a short password could be found by trying.
fn shown(source: &SourceFile, span: Span) -> &[u8] {
    if source.hides_something() { source.shown().as_bytes().get(span.range()).unwrap_or_default() } else { source.slice(span) }
}
