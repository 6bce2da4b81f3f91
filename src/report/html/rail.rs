//! What is drawn beside a timeline: brackets around transactions, and a bar for each lock, from the statement that takes it to the end of
//! its transaction.

use crate::lint::finding::{Judged, Within};
use crate::model::lock::{Blocked, LockMode};
use crate::model::name::QualifiedName;
use std::cmp::Reverse;
use std::ops::Range;

/// Bars side by side; there is no room for more on a phone.
const MOST_LANES: usize = 6;
/// The bars of a transaction: in each lane one for each mode that stops somebody, as a lock gets stronger and never weaker.
const MOST_BARS: usize = 4 * MOST_LANES;

/// A lock for which others wait, from statement to statement.
#[derive(Clone, Debug)]
pub(super) struct Bar<'a> {
    relation: &'a QualifiedName,
    /// What is held.
    pub mode: LockMode,
    /// The statement that takes it.
    pub from: usize,
    /// The last one that is run while it is held.
    pub to: usize,
    lane: usize,
}

/// The transactions and locks of a file.
pub(super) struct Rail<'a> {
    /// By place and lane.
    bars: Vec<Bar<'a>>,
    /// Of each statement: the last one of its transaction.
    ends: Vec<usize>,
    /// How many bars stand side by side at most.
    pub lanes: usize,
}

impl<'a> Rail<'a> {
    pub fn of(statements: &'a [Judged]) -> Self {
        let mut rail = Self { bars: Vec::new(), ends: ends(statements), lanes: 0 };
        for (at, statement) in statements.iter().enumerate() {
            let mut stops: Vec<_> = statement.course.stops.iter().collect();
            stops.sort_by_key(|lock| Reverse(lock.mode));
            for lock in stops {
                rail.take(&lock.relation, lock.mode, at);
            }
        }
        rail
    }

    /// The last statement of the transaction of a statement; itself, if it commits for itself.
    pub fn end(&self, at: usize) -> usize {
        self.ends[at]
    }

    /// The bars beside some statements, by lane.
    pub fn beside(&self, rows: &Range<usize>) -> [Option<&Bar<'a>>; MOST_LANES] {
        let mut lanes = [None; MOST_LANES];
        let first = self.bars.partition_point(|bar| bar.from < rows.end);
        // What stands further back is of a transaction that is over.
        for bar in self.bars[..first].iter().rev().take(MOST_BARS) {
            if bar.to >= rows.start && lanes[bar.lane].is_none() {
                lanes[bar.lane] = Some(bar);
            }
        }
        lanes
    }

    fn take(&mut self, relation: &'a QualifiedName, mode: LockMode, at: usize) {
        let to = self.ends[at];
        let is_held = |bar: &&mut Bar<'_>| bar.to >= at;
        let known = self.bars.iter_mut().rev().take(MOST_BARS).filter(is_held).find(|bar| bar.relation == relation);
        let lane = match known {
            Some(known) if known.mode >= mode => return,
            Some(known) => {
                // From here on it is held in a stronger mode.
                known.to = at.saturating_sub(1);
                Some(known.lane)
            }
            None => {
                let beside = self.beside(&(at..at + 1));
                beside.iter().position(Option::is_none)
            }
        };
        if let Some(lane) = lane {
            self.lanes = self.lanes.max(lane + 1);
            self.bars.push(Bar { relation, mode, from: at, to, lane });
        }
    }
}

/// Of each statement: the last one of its transaction.
fn ends(statements: &[Judged]) -> Vec<usize> {
    let mut ends: Vec<_> = (0..statements.len()).collect();
    for at in (1..statements.len()).rev() {
        if is_same(&statements[at - 1], &statements[at]) {
            ends[at - 1] = ends[at];
        }
    }
    ends
}

/// Whether two neighbours are of one transaction.
fn is_same(a: &Judged, b: &Judged) -> bool {
    let start = |statement: &Judged| statement.course.transaction.map(|Within { start, .. }| start);
    start(a).is_some() && start(a) == start(b)
}

/// Fewer than this are not worth a row of their own.
const FEWEST_QUIET: usize = 3;

/// The rows of a timeline: a statement each, or several of which there is nothing to say.
pub(super) fn rows(statements: &[Judged], has_finding: impl Fn(usize) -> bool) -> Vec<Range<usize>> {
    let quiet: Vec<_> = statements.iter().enumerate().map(|(at, statement)| is_quiet(statement) && !has_finding(at)).collect();
    let mut rows: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while at < statements.len() {
        let goes_on = |next: &usize| quiet[*next] && statements[*next].course.transaction == statements[at].course.transaction;
        let run = if quiet[at] { 1 + (at + 1..statements.len()).take_while(goes_on).count() } else { 1 };
        if run < FEWEST_QUIET {
            rows.extend((at..at + run).map(|at| at..at + 1));
        } else {
            rows.push(at..at + run);
        }
        at += run;
    }
    rows
}

/// Whether nobody waits for a statement, and nothing else is to be said of it.
fn is_quiet(statement: &Judged) -> bool {
    let course = &statement.course;
    course.stops.is_empty()
        && course.takes == Blocked::Brief
        && statement.body.is_empty()
        && statement.class == crate::rule::Class::Additive
        && statement.reading == crate::sql::Reading::Full
}
