//! The name by which a finding is known again in the next run, whatever happens to the other lines of its file.

use super::finding::Finding;
use crate::text::{SourceFile, Span};
use foldhash::{HashMap, HashMapExt};
use sha2::{Digest, Sha256};

/// Gives each finding its fingerprint: of the rule, the file's name, the tokens it is about, and its number among its equals.
pub(super) fn stamp(findings: &mut [Finding], source: &SourceFile) {
    let mut equals: HashMap<Vec<u8>, u32> = HashMap::with_capacity(findings.len());
    let file = source.path().file_name().unwrap_or_default().to_string_lossy();
    for finding in findings {
        let mut about = [finding.rule.as_bytes(), file.as_bytes(), &[]].join(&0);
        for word in shown(source, finding.span).split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
            about.extend_from_slice(word);
            about.push(b' ');
        }
        let hash = Sha256::new().chain_update(&about);
        let number = equals.entry(about).or_default();
        *number += 1;
        let hash = hash.chain_update(number.to_le_bytes()).finalize();
        let first = hash.first_chunk().map_or(0, |first| u64::from_be_bytes(*first));
        finding.fingerprint = format!("{first:016x}");
    }
}

/// What is hidden is no part of it: a short password could be found by trying.
fn shown(source: &SourceFile, span: Span) -> &[u8] {
    if source.hides_something() { source.shown().as_bytes().get(span.range()).unwrap_or_default() } else { source.slice(span) }
}
