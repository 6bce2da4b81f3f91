//! What was compared, and how often it agreed: one table for each server, printed when everything has been counted.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

/// What was asked, and what came out.
#[derive(Debug, Default)]
pub struct Tally {
    /// By what was compared: how often it agreed, of how many.
    counts: BTreeMap<&'static str, (u32, u32)>,
    /// In words, each with its rule and example.
    pub complaints: Vec<String>,
    /// What has been told already: the same complaint comes back from many places.
    told: BTreeSet<(String, String)>,
    /// What is not compared.
    pub left_out: BTreeSet<String>,
}

impl Tally {
    /// Counts one comparison; it agreed if there are no complaints. `who` is put before each of them.
    pub fn count(&mut self, what: &'static str, who: &str, complaints: Vec<String>) {
        self.count_at(what, who, "", complaints);
    }

    /// The same with the place in a plan at which it was compared.
    pub fn count_at(&mut self, what: &'static str, who: &str, place: &str, complaints: Vec<String>) {
        let (agreed, total) = self.counts.entry(what).or_default();
        *total += 1;
        *agreed += u32::from(complaints.is_empty());
        let gap = if place.is_empty() { "" } else { ": " };
        for complaint in complaints {
            if self.told.insert((who.to_owned(), complaint.clone())) {
                self.complaints.push(format!("{who}: {what}{gap}{place}: {complaint}"));
            }
        }
    }
}

/// The tallies of one kind of proof, by server, until all parts of it have been counted.
pub struct Table {
    /// `fixes`, `plans`.
    pub title: &'static str,
    /// What is said of those that are left out.
    pub without: &'static str,
    /// By server: how many parts have been counted, and their sum.
    pub sums: Mutex<BTreeMap<String, (usize, Tally)>>,
}

impl Table {
    /// Adds the tally of one part of `parts`. With the last one the sum is printed, past the harness, which keeps what tests print.
    pub fn add(&self, server: &str, tally: &mut Tally, parts: usize) {
        let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        let (counted, sum) = sums.entry(server.to_owned()).or_default();
        *counted += 1;
        sum.left_out.append(&mut tally.left_out);
        for (what, (agreed, total)) in &tally.counts {
            let so_far = sum.counts.entry(what).or_default();
            *so_far = (so_far.0 + agreed, so_far.1 + total);
        }
        if *counted == parts {
            let counts: Vec<_> = sum.counts.iter().map(|(what, (agreed, total))| format!("{what} {agreed}/{total}")).collect();
            let left_out = Vec::from_iter(sum.left_out.iter().map(String::as_str)).join(", ");
            let (title, left_out) =
                (self.title, if left_out.is_empty() { left_out } else { format!("\n    {}: {left_out}", self.without) });
            let _ = writeln!(std::io::stderr(), "PostgreSQL {server}, {title}: {}{left_out}", counts.join(", "));
        }
    }
}
