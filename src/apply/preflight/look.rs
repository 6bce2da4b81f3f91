//! One query of a check: read only, in a transaction of its own, bounded in time.

use super::Limits;
use crate::db::{Connection, Refusal};
use sqlx::postgres::PgRow;
use std::time::Duration;

/// The rows of a query. What it cannot see in time it does not wait for, and it leaves no transaction open.
pub(super) async fn look(connection: &mut Connection, limits: &Limits, sql: &str) -> Result<Vec<PgRow>, Refusal> {
    let (lock, statement) = (limits.lock_timeout.as_millis(), limits.statement_timeout.as_millis());
    connection.run("BEGIN TRANSACTION READ ONLY").await?;
    let bounds =
        format!("SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL lock_timeout = {lock}; SET LOCAL statement_timeout = {statement}");
    let rows = match connection.run(&bounds).await {
        Ok(()) => connection.rows(sql).await,
        Err(refusal) => Err(refusal),
    };
    let end = connection.run("ROLLBACK").await;
    let rows = rows?;
    end.map(|()| rows)
}

/// A text as SQL, whatever `standard_conforming_strings` is.
pub(super) fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') { format!(" E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

/// A size as people say it: `1.2 GB`.
pub(super) fn bytes(size: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "kB", "MB", "GB", "TB"];
    let mut value = size as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let word = UNITS.get(unit).copied().unwrap_or_default();
    if unit == 0 || value >= 100.0 { format!("{value:.0} {word}") } else { format!("{value:.1} {word}") }
}

/// A time as people say it: `7 min`.
pub(super) fn time(seconds: f64) -> String {
    let seconds = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or_default().as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// `1 session`, `2 sessions`.
pub(super) fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_said_as_people_say_them() {
        assert_eq!([0, 1023, 1536, 100 << 20, 5 << 40].map(bytes), ["0 bytes", "1023 bytes", "1.5 kB", "100 MB", "5.0 TB"]);
        assert_eq!([-1.0, 61.0, 420.0, 7200.0, 1e6].map(time), ["0 s", "61 s", "7 min", "2 h", "11 days"]);
        assert_eq!([literal("it's"), literal("a\\b")], ["'it''s'", " E'a\\\\b'"]);
    }
}
