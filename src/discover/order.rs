//! The order of migrations, and what is wrong with a place in it.

use super::convention::Sequence;
use super::walk::Candidate;
use crate::rule::moment::Order;
use crate::tool::{Sorting, Tool};
use std::cmp::Ordering;
use std::time::{Duration, SystemTime};

/// Puts candidates into the order in which they run: by version, numbers as numbers; then what has no version, by name.
pub(super) fn sort(candidates: &mut [Candidate]) {
    candidates.sort_by(|a, b| {
        let version = |candidate: &Candidate| candidate.version.clone().filter(|_| !candidate.repeatable);
        let rank = |candidate: &Candidate| (candidate.repeatable, candidate.version.is_none());
        rank(a)
            .cmp(&rank(b))
            .then_with(|| versions(version(a).as_deref().unwrap_or_default(), version(b).as_deref().unwrap_or_default()))
            .then_with(|| natural(&a.name, &b.name))
            .then_with(|| a.path.cmp(&b.path))
    });
}

/// Compares versions: dates by their digits, with signs between them or without, as the runners do that allow both.
pub(super) fn versions(a: &str, b: &str) -> Ordering {
    match day(a).is_some() && day(b).is_some() {
        true => digits(a).cmp(digits(b)).then_with(|| natural(a, b)),
        false => natural(a, b),
    }
}

fn digits(version: &str) -> impl Iterator<Item = u8> {
    version.bytes().filter(u8::is_ascii_digit)
}

/// Compares texts with the numbers in them taken as numbers: 2 is before 10.
pub(super) fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    while !a.is_empty() && !b.is_empty() {
        let ((a_number, a_rest), (b_number, b_rest)) = (leading_digits(a), leading_digits(b));
        let order = if a_number.is_empty() || b_number.is_empty() {
            let ((a_char, a_after), (b_char, b_after)) = (leading_char(a), leading_char(b));
            (a, b) = (a_after, b_after);
            a_char.cmp(b_char)
        } else {
            (a, b) = (a_rest, b_rest);
            numbers(a_number, b_number)
        };
        if order.is_ne() {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

/// Compares runs of digits of any length as numbers.
fn numbers(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn leading_digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

fn leading_char(text: &str) -> (&str, &str) {
    text.split_at(text.chars().next().map_or(0, char::len_utf8))
}

/// Puts things into the order of their tool, where that is not the one of [`sort`]; gives whether the tool tells.
pub(super) fn as_of<T>(tool: Option<Tool>, things: &mut [T], candidate: impl Fn(&T) -> &Candidate) -> bool {
    let version = |thing: &T| candidate(thing).version.clone().unwrap_or_default();
    match tool.map(Tool::sorting) {
        None | Some(Sorting::Unknown) => return false,
        Some(Sorting::Number | Sorting::List) => {}
        Some(Sorting::Text) => things.sort_by(|a, b| candidate(a).path.cmp(&candidate(b).path)),
        Some(Sorting::Digits) => things.sort_by_key(|thing| version(thing).replace(['-', '_'], "")),
        Some(Sorting::Milliseconds) => things.sort_by_key(|thing| milliseconds(&version(thing))),
    }
    true
}

/// A time as node-pg-migrate compares it: 17 digits are a date in UTC down to the millisecond, all else is a number.
fn milliseconds(version: &str) -> u128 {
    let part = |range: std::ops::Range<usize>| version[range].parse::<u64>().unwrap_or_default();
    if version.len() != 17 || !version.bytes().all(|byte| byte.is_ascii_digit()) {
        return version.parse().unwrap_or(u128::MAX);
    }
    let days = days_before(part(0..4), part(4..6), part(6..8));
    let seconds = ((days * 24 + part(8..10)) * 60 + part(10..12)) * 60 + part(12..14);
    u128::from(seconds * 1000 + part(14..17))
}

/// How many days lie between the first of 1970 and a day.
fn days_before(year: u64, month: u64, day: u64) -> u64 {
    let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let years: u64 = (1970..year).map(|year| 365 + u64::from(is_leap(year))).sum();
    let february = 28 + u64::from(is_leap(year));
    let months: u64 = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].iter().take(month.saturating_sub(1) as usize).sum();
    years + months + day.saturating_sub(1)
}

/// Whether the names say that the first file meets an empty database: it has number 0 or 1, or it is called after a beginning.
pub(super) fn begins_empty(sorted: &[Candidate]) -> bool {
    let Some(first) = sorted.first() else { return false };
    let number = first.version.as_deref().map(|version| version.trim_start_matches(['0', '.', '/']));
    matches!(number, Some("" | "1")) || first.name.to_ascii_lowercase().starts_with("init")
}

/// What is wrong with each place, for candidates in their order.
pub(super) fn irregularities(sorted: &[Candidate]) -> Vec<Order> {
    let tomorrow = tomorrow();
    let strict = is_strict(sorted);
    let mut orders: Vec<_> = (0..sorted.len()).map(|at| irregularity(sorted, at, strict, &tomorrow)).collect();
    for at in 1..sorted.len() {
        if same_version(&sorted[at - 1], &sorted[at]) {
            (orders[at - 1], orders[at]) = (Order::Duplicate, Order::Duplicate);
        }
    }
    orders
}

fn irregularity(sorted: &[Candidate], at: usize, strict: bool, tomorrow: &str) -> Order {
    let Some(version) = counted(&sorted[at]) else { return Order::Fine };
    let before = at.checked_sub(1).and_then(|before| counted(&sorted[before]));
    let are_dates = |before: &str| day(before).is_some() && day(version).is_some();
    let text_disagrees = before.is_some_and(|before| natural(before, version).is_lt() && before > version && !are_dates(before));
    let leaves_out = before.is_some_and(|before| step(before, version).is_some_and(|step| step > 1));
    if text_disagrees && sorted[at].sequence == Sequence::Plain {
        Order::MixedWidth
    } else if strict && leaves_out {
        Order::Gap
    } else if day(version).is_some_and(|day| day.as_str() > tomorrow) {
        Order::Future
    } else {
        Order::Fine
    }
}

fn same_version(a: &Candidate, b: &Candidate) -> bool {
    a.sequence != Sequence::ByName && matches!((counted(a), counted(b)), (Some(a), Some(b)) if natural(a, b).is_eq())
}

/// The version, where its runner takes it for one that nothing else may have.
pub(super) fn counted(candidate: &Candidate) -> Option<&str> {
    candidate.version.as_deref().filter(|_| !candidate.repeatable && candidate.sequence != Sequence::ByFolder)
}

/// How far it is from one number to the next; `None` if one of them is no plain number, or so large that it is a time.
fn step(before: &str, version: &str) -> Option<u32> {
    let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number < 10_000_000);
    number(version)?.checked_sub(number(before)?)
}

/// Whether the versions count one by one: at least five of them, and three of four steps are 1.
fn is_strict(sorted: &[Candidate]) -> bool {
    let versions: Vec<_> = sorted.iter().filter_map(counted).collect();
    let steps: Vec<_> = versions.windows(2).filter_map(|pair| step(pair[0], pair[1])).filter(|step| *step > 0).collect();
    let ones = steps.iter().filter(|step| **step == 1).count();
    versions.len() >= 5 && steps.len() + 1 >= versions.len() && ones * 4 >= steps.len() * 3
}

/// The eight digits of the day that a version begins with: `20240131` of `20240131120000` and of `2024-01-31`.
pub(super) fn day(version: &str) -> Option<String> {
    if !matches!(digits(version).count(), 8 | 12 | 14 | 17 | 18) {
        return None;
    }
    let day: String = digits(version).take(8).map(char::from).collect();
    let (month, of_month) = (day[4..6].parse::<u8>().ok()?, day[6..8].parse::<u8>().ok()?);
    (day.starts_with("20") && (1..=12).contains(&month) && (1..=31).contains(&of_month)).then_some(day)
}

/// Whether a version is a date that has not come.
pub(super) fn is_future(version: &str) -> bool {
    day(version).is_some_and(|day| day > tomorrow())
}

/// Nowhere on earth it is later.
fn tomorrow() -> String {
    date(SystemTime::now() + Duration::from_secs(86_400))
}

/// The day of a time, in UTC, as eight digits.
fn date(time: SystemTime) -> String {
    date_of(time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs() / 86_400)
}

/// A day as eight digits, by how many days are between it and the first of 1970.
pub(super) fn date_of(mut days: u64) -> String {
    let mut year = 1970;
    let is_leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    while days >= 365 + u64::from(is_leap(year)) {
        days -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        (month, days) = (month + 1, days - length);
    }
    format!("{year:04}{month:02}{:02}", days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::walk::candidate;
    use insta::assert_snapshot;
    use std::path::Path;

    fn words(paths: &[&str]) -> String {
        let mut candidates: Vec<_> = paths.iter().map(|path| candidate(Path::new(path))).collect();
        sort(&mut candidates);
        let orders = irregularities(&candidates);
        let word = |(candidate, order): (&Candidate, &Order)| match order {
            Order::Fine => candidate.path.display().to_string(),
            order => format!("{} ({order:?})", candidate.path.display()),
        };
        candidates.iter().zip(&orders).map(word).collect::<Vec<_>>().join(" < ")
    }

    #[test]
    fn numbers_are_ordered_as_numbers() {
        assert_snapshot!(words(&["10_c.up.sql", "2_b.up.sql", "1_a.up.sql"]), @"1_a.up.sql < 2_b.up.sql < 10_c.up.sql");
        assert_snapshot!(words(&["V1.10__c.sql", "V1.2__b.sql", "R__views.sql", "V1__a.sql"]), @"V1__a.sql < V1.2__b.sql < V1.10__c.sql < R__views.sql");
        assert_snapshot!(words(&["delta/9/02b.sql", "delta/10/01c.sql", "delta/9/01a.sql"]), @"delta/9/01a.sql < delta/9/02b.sql < delta/10/01c.sql");
    }

    #[test]
    fn dates_are_ordered_by_their_digits() {
        let paths = ["2017-08-31-230457_c/up.sql", "20140924113530_a/up.sql", "20170804200817_b/up.sql"];
        assert_snapshot!(words(&paths), @"20140924113530_a/up.sql < 20170804200817_b/up.sql < 2017-08-31-230457_c/up.sql");
    }

    #[test]
    fn files_without_a_number_come_last_and_by_name() {
        assert_snapshot!(words(&["views10.sql", "views9.sql", "0001_orders.sql"]), @"0001_orders.sql < views9.sql < views10.sql");
    }

    #[test]
    fn two_files_of_one_version_are_both_wrong() {
        assert_snapshot!(words(&["0001_a.sql", "0002_b.sql", "0002_c.sql"]), @"0001_a.sql < 0002_b.sql (Duplicate) < 0002_c.sql (Duplicate)");
    }

    #[test]
    fn a_folder_with_another_name_is_another_migration() {
        assert_snapshot!(words(&["20240101120000_a/migration.sql", "20240101120000_b/migration.sql"]), @"20240101120000_a/migration.sql < 20240101120000_b/migration.sql");
    }

    #[test]
    fn a_number_that_grows_wider_is_sorted_elsewhere_as_text() {
        assert_snapshot!(words(&["8_a.sql", "9_b.sql", "10_c.sql", "11_d.sql"]), @"8_a.sql < 9_b.sql < 10_c.sql (MixedWidth) < 11_d.sql");
        assert_snapshot!(words(&["0042_a.sql", "20240101120000_b.sql"]), @"0042_a.sql < 20240101120000_b.sql");
    }

    #[test]
    fn a_strict_sequence_has_no_gaps() {
        assert_snapshot!(words(&["01_a.sql", "02_b.sql", "03_c.sql", "04_d.sql", "06_e.sql"]), @"01_a.sql < 02_b.sql < 03_c.sql < 04_d.sql < 06_e.sql (Gap)");
        let many: Vec<_> = (1..=30).filter(|number| *number != 20).map(|number| format!("{number:02}_a.sql")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        assert!(words(&many).contains("21_a.sql (Gap)"));
    }

    #[test]
    fn a_day_that_has_not_come_is_in_the_future() {
        assert_snapshot!(words(&["20240131120000_a.sql", "20980131120000_b.sql"]), @"20240131120000_a.sql < 20980131120000_b.sql (Future)");
    }

    #[test]
    fn days_are_counted_as_the_calendar_does() {
        let day_of = |seconds| date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(day_of(0), "19700101");
        assert_eq!(day_of(951_782_400), "20000229");
        assert_eq!(day_of(1_735_689_599), "20241231");
    }
}
