//! How much of each migration a page shows: a browser takes long over what is very long.

use crate::lint::finding::{Allowance, Assessed, Finding};
use std::cmp::Reverse;

/// Findings of a page that are shown in full.
const MOST_FINDINGS: usize = 1_000;
/// Findings of one migration that are shown in any case.
const LEAST_FINDINGS: usize = 3;
/// Rows of all timelines.
const MOST_ROWS: usize = 3_000;
/// Rows of one timeline that are shown in any case.
const LEAST_ROWS: usize = 3;
/// Bytes of all files.
const MOST_SOURCE: usize = 512 << 10;

/// What is shown of one migration.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    /// How many findings in full.
    pub findings: usize,
    /// How many rows of the timeline.
    pub rows: usize,
    /// Whether the whole file, rather than the lines around its findings.
    pub whole_source: bool,
}

pub(super) fn shares(migrations: &[Assessed]) -> Vec<Share> {
    let wants = |want: fn(&Assessed) -> usize| migrations.iter().map(want).collect::<Vec<_>>();
    let findings = shared(&wants(|migration| told(migration).count()), MOST_FINDINGS, LEAST_FINDINGS);
    let rows = shared(&wants(|migration| migration.statements.len()), MOST_ROWS, LEAST_ROWS);
    let bytes = wants(|migration| migration.source.bytes().len());
    let source = shared(&bytes, MOST_SOURCE, 0);
    let share = |at: usize| Share { findings: findings[at], rows: rows[at], whole_source: source[at] == bytes[at] };
    (0..migrations.len()).map(share).collect()
}

/// The findings that are told, one by one: those of the baseline are counted.
pub(super) fn told(migration: &Assessed) -> impl Iterator<Item = &Finding> {
    migration.findings.iter().filter(|finding| finding.allowed != Some(Allowance::Baseline))
}

/// Shares out `most` among those who want something: nobody gets more than they want, and what one leaves over, the others have.
fn shared(wants: &[usize], most: usize, least: usize) -> Vec<usize> {
    let mut modest_first: Vec<_> = (0..wants.len()).collect();
    modest_first.sort_by_key(|at| wants[*at]);
    let mut shares = vec![0; wants.len()];
    let mut left = most;
    for (served, at) in modest_first.into_iter().enumerate() {
        let fair = left / (wants.len() - served);
        shares[at] = wants[at].min(fair.max(least));
        left = left.saturating_sub(shares[at]);
    }
    shares
}

/// The findings that are shown, by their index and in their order: the gravest, if not all can be. Those of the
/// baseline are only counted.
pub(super) fn gravest(findings: &[Finding], share: Share) -> Vec<usize> {
    let mut chosen: Vec<_> = (0..findings.len()).filter(|at| findings[*at].allowed != Some(Allowance::Baseline)).collect();
    chosen.sort_by_key(|at| (findings[*at].allowed.is_some(), Reverse(findings[*at].severity)));
    chosen.truncate(share.findings);
    chosen.sort_unstable();
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_modest_leave_over_the_others_have() {
        assert_eq!(shared(&[2, 100, 40, 0], 60, 0), [2, 29, 29, 0]);
        assert_eq!(shared(&[2, 3, 4], 60, 0), [2, 3, 4]);
        assert_eq!(shared(&[50, 50, 50], 6, 3), [3, 3, 3]);
        assert_eq!(shared(&[50, 50], 0, 3), [3, 3]);
        assert!(shared(&[], 10, 3).is_empty());
    }
}
