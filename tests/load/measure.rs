//! What a stretch of time was like for the applications.

use super::traffic::{ClientError, Sample};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long the operations of a stretch took, and which of them failed.
#[derive(Clone, Debug, Default)]
pub struct Stretch {
    /// Operations that were on their way.
    pub operations: usize,
    /// The longest latency.
    pub longest: Duration,
    /// What 99 of 100 operations stay below.
    pub p99: Duration,
    /// Each error that happened, and how often.
    pub errors: BTreeMap<ClientError, usize>,
}

impl Stretch {
    /// Sums up operations.
    pub fn of(samples: &[Sample]) -> Self {
        let mut latencies: Vec<_> = samples.iter().map(Sample::latency).collect();
        latencies.sort();
        let mut errors = BTreeMap::new();
        for error in samples.iter().filter_map(|sample| sample.error.clone()) {
            *errors.entry(error).or_default() += 1;
        }
        let p99 = latencies.get((latencies.len() * 99).div_ceil(100).saturating_sub(1));
        Self {
            operations: latencies.len(),
            longest: latencies.last().copied().unwrap_or_default(),
            p99: p99.copied().unwrap_or_default(),
            errors,
        }
    }

    /// How many operations failed.
    pub fn failed(&self) -> usize {
        self.errors.values().sum()
    }
}
