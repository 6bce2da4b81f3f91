//! The versions that come next, written as the others are.

use crate::discover::order;

/// What comes right behind a version in the same writing; `None` if its digits are used up or it has none.
pub(super) fn successor(version: &str) -> Option<String> {
    if order::day(version).is_some() {
        return later(version);
    }
    let (kept, last) = last_number(version)?;
    // Seconds since 1970, and milliseconds: what looks like a time counts on by a second.
    let step = if kept.is_empty() && last.len() == 13 { 1000 } else { 1 };
    let next = last.parse::<u64>().ok()?.checked_add(step)?.to_string();
    Some(format!("{kept}{next:0>width$}", width = last.len()))
}

/// The first of the versions that belong under a dotted one: `1.2.1` of `1.2`.
pub(super) fn first_below(version: &str) -> String {
    let sign = version.chars().find(|c| !c.is_ascii_digit()).unwrap_or('.');
    format!("{version}{sign}1")
}

/// Everything before the last run of digits, and that run.
fn last_number(version: &str) -> Option<(&str, &str)> {
    let digits = version.bytes().rev().take_while(u8::is_ascii_digit).count();
    (digits > 0).then(|| version.split_at(version.len() - digits))
}

/// The smallest time behind a date, in the same digits: a second later, a minute where there are no seconds, or the next day.
fn later(version: &str) -> Option<String> {
    let digits: String = version.chars().filter(char::is_ascii_digit).collect();
    let number = |range: std::ops::Range<usize>| digits.get(range).map_or(Ok(0), str::parse::<u64>).ok();
    let has_time = digits.len() >= 12;
    let has_seconds = digits.len() >= 14;
    let mut seconds = days_to(number(0..4)?, number(4..6)?, number(6..8)?) * 86_400;
    if has_time {
        seconds += number(8..10)? * 3600 + number(10..12)? * 60;
    }
    if has_seconds {
        seconds += number(12..14)?;
    }
    seconds += if has_seconds {
        1
    } else if has_time {
        60
    } else {
        86_400
    };
    let of_day = seconds % 86_400;
    let mut new = order::date_of(seconds / 86_400);
    if has_time {
        new += &format!("{:02}{:02}", of_day / 3600, of_day / 60 % 60);
    }
    if has_seconds {
        new += &format!("{:02}", of_day % 60);
    }
    // Milliseconds, and what diesel counts on with, stay.
    new += &digits[new.len()..];
    let mut new = new.chars();
    Some(version.chars().map(|sign| if sign.is_ascii_digit() { new.next().unwrap_or(sign) } else { sign }).collect())
}

/// The days from 1970 to a date of the calendar; a day behind the end of its month belongs to the next one.
fn days_to(year: u64, month: u64, day: u64) -> u64 {
    // Years begin in March, so that the day that comes every four years is the last one.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days_to_month = (153 * month + 2) / 5;
    (365 * year + year / 4 - year / 100 + year / 400 + days_to_month + day - 1).saturating_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;

    fn next(version: &str) -> String {
        successor(version).unwrap_or_else(|| "none".to_owned())
    }

    #[test]
    fn numbers_keep_their_width_as_long_as_it_lasts() {
        assert_snapshot!(next("0041"), @"0042");
        assert_snapshot!(next("099"), @"100");
        assert_snapshot!(next("9"), @"10");
        assert_snapshot!(next("1.10.2"), @"1.10.3");
        assert_snapshot!(next("1_2"), @"1_3");
    }

    #[test]
    fn times_count_on_by_a_second_and_stay_times() {
        assert_snapshot!(next("20240131235959"), @"20240201000000");
        assert_snapshot!(next("20240228235959"), @"20240229000000");
        assert_snapshot!(next("2023_02_28_235959"), @"2023_03_01_000000");
        assert_snapshot!(next("2024-12-31-235959-0001"), @"2025-01-01-000000-0001");
        assert_snapshot!(next("202401312359"), @"202402010000");
        assert_snapshot!(next("2024-01-31"), @"2024-02-01");
        assert_snapshot!(next("20240131120000123"), @"20240131120001123");
        assert_snapshot!(next("1700000000"), @"1700000001");
        assert_snapshot!(next("1700000000123"), @"1700000001123");
    }

    #[test]
    fn what_is_no_time_of_day_becomes_one() {
        assert_snapshot!(next("20240131000099"), @"20240131000140");
    }

    #[test]
    fn a_dotted_version_has_versions_below_it() {
        assert_snapshot!(first_below("1.2"), @"1.2.1");
        assert_snapshot!(first_below("1_2"), @"1_2_1");
    }
}
