//! How many rows a batch has: as many as take the time that is aimed at.

use std::time::Duration;

/// Fewer cost more in commits than they spare.
pub const LEAST: u32 = 50;

/// More keep too many rows locked, however fast they are.
pub const MOST: u32 = 50_000;

/// The size of the next batch, when one of `rows` has taken `took`. It changes by half or to the double at most, so that one slow batch does
/// not undo what many have found out.
pub fn next(rows: u32, took: Duration, target: Duration) -> u32 {
    let wanted = target.as_secs_f64() / took.as_secs_f64().max(0.000_1);
    within(f64::from(rows) * wanted.clamp(0.5, 2.0))
}

/// The size after somebody was in the way.
pub fn halved(rows: u32) -> u32 {
    within(f64::from(rows / 2))
}

/// A size within the bounds.
pub fn within(rows: f64) -> u32 {
    rows.clamp(f64::from(LEAST), f64::from(MOST)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const AIM: Duration = Duration::from_millis(200);

    #[test]
    fn a_batch_comes_to_the_time_that_is_aimed_at_and_stays_there() {
        // A row takes 0.1 ms here.
        let took = |rows: u32| Duration::from_micros(u64::from(rows) * 100);
        let sizes: Vec<_> = std::iter::successors(Some(100), |rows| Some(next(*rows, took(*rows), AIM))).take(8).collect();
        assert_eq!(sizes, [100, 200, 400, 800, 1600, 2000, 2000, 2000]);
    }

    #[test]
    fn it_keeps_within_its_bounds_and_moves_in_steps() {
        assert_eq!(next(MOST, Duration::ZERO, AIM), MOST);
        assert_eq!(next(LEAST, Duration::from_secs(9), AIM), LEAST);
        assert_eq!(next(1000, Duration::from_secs(9), AIM), 500);
        assert_eq!((halved(5000), halved(60), halved(0)), (2500, LEAST, LEAST));
    }
}
