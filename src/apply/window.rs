//! Whether it is the time of migrations that stop traffic, by the server's clock and by its knowledge of time zones.

use super::draft::Work;
use super::event::{Event, Tell};
use super::ledger::text;
use super::session;
use super::stop::Stop;
use crate::config::window::Windows;
use crate::db::{Connection, Refusal};
use crate::problem::{Problem, did_you_mean};
use crate::rule::Class;
use sqlx::Row;
use sqlx::postgres::PgConnectOptions;
use std::time::Duration;
use tokio::time::Instant;

/// What whoever calls has said about the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// `--maintenance`: others know that they have to wait.
    pub maintenance: bool,
    /// `--wait-window`: it is waited for.
    pub wait: bool,
}

/// Whether a window is open.
#[derive(Clone, Debug, PartialEq)]
pub enum Door {
    /// It is.
    Open {
        /// For how long.
        left: Duration,
        /// Until when, in its own time zone.
        until: String,
    },
    /// None is.
    Shut {
        /// For how long.
        wait: Duration,
        /// When the next one begins, in its own time zone; `None`: not within a week.
        begins: Option<String>,
    },
}

/// Whether a class of migrations runs within windows alone.
pub fn needs(windows: &Windows, class: Class) -> bool {
    !windows.hours.is_empty() && windows.classes.contains(&class)
}

/// What of this runs within windows alone.
pub fn needing<'a>(windows: &Windows, works: &'a [Work]) -> Vec<&'a Work> {
    works.iter().filter(|work| needs(windows, work.assessed.class)).collect()
}

/// That nobody has said that others have to wait, where that is needed.
pub fn unsaid(needing: &[&Work], word: Word) -> Option<Problem> {
    let work = needing.iter().find(|work| work.assessed.class == Class::MaintenanceWindow && !word.maintenance)?;
    let message = "it is maintenance-window, others wait while it runs, and nobody has said that they know";
    let help = "when that is so, within the window: the same with --maintenance; what comes before it runs with --to";
    Some(Problem::new("apply::maintenance", message).help(help).about(work.source().path()))
}

/// That it is not the time of a migration.
pub fn not_now(work: &Work, door: &Door) -> Option<Problem> {
    let Door::Shut { .. } = door else { return None };
    let message = format!("it is {}, and runs within the window alone: {}", work.assessed.class, door.words());
    let help = "nothing was done; --wait-window waits for it; what comes before it runs with --to";
    Some(Problem::new("apply::window", message).help(help).about(work.source().path()))
}

impl Door {
    /// In words: `the next one begins on Sun 2026-11-22 02:00 Europe/Riga, in 26:32 hours`.
    pub fn words(&self) -> String {
        match self {
            Self::Open { left, until } => format!("it is open until {until}, for {}", hours(*left)),
            Self::Shut { wait, begins: Some(begins) } => format!("the next one begins on {begins}, in {}", hours(*wait)),
            Self::Shut { begins: None, .. } => "none begins within a week".to_owned(),
        }
    }
}

/// `1:05 hours`, and seconds below an hour.
pub fn hours(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..3600 => format!("{}:{:02} minutes", seconds / 60, seconds % 60),
        _ => format!("{}:{:02} hours", seconds / 3600, seconds / 60 % 60),
    }
}

/// Asks the server, whose clock counts.
///
/// # Errors
/// What the server says, and that it does not know a time zone.
pub async fn look(connection: &mut Connection, windows: &Windows) -> Result<Door, Problem> {
    let refused = |refusal: Refusal| Problem::new("apply::server", refusal.to_string()).help("nothing was done; run it again");
    unknown_zone(connection, windows).await.map_err(refused)?.map_or(Ok(()), Err)?;
    let row = |hours: &crate::config::window::Hours| {
        let days: Vec<_> = hours.days.iter().map(u8::to_string).collect();
        format!("(ARRAY[{}], interval '{} s', interval '{} s', {})", days.join(","), hours.from, hours.to, text(&hours.zone))
    };
    let rows: Vec<_> = windows.hours.iter().map(row).collect();
    let rows = connection.rows(&NEXT.replace("$hours", &rows.join(", "))).await.map_err(refused)?;
    let Some(row) = rows.first() else { return Ok(Door::Shut { wait: WEEK, begins: None }) };
    let read = || -> Result<Door, Refusal> {
        let (open, seconds, when): (bool, f64, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let time = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        Ok(if open { Door::Open { left: time, until: when } } else { Door::Shut { wait: time, begins: Some(when) } })
    };
    read().map_err(refused)
}

/// Time zones change with the server's tables, not with ours.
async fn unknown_zone(connection: &mut Connection, windows: &Windows) -> Result<Option<Problem>, Refusal> {
    let zones: Vec<_> = windows.hours.iter().map(|hours| text(&hours.zone)).collect();
    // AT TIME ZONE alone would take `Europe/Riga+2` for a zone of somebody's own.
    let query = format!(
        "SELECT z FROM unnest(ARRAY[{}]) z WHERE NOT EXISTS (SELECT FROM pg_timezone_names n WHERE lower(n.name) = lower(z)) LIMIT 1",
        zones.join(", ")
    );
    let Some(zone) = connection.texts(&query).await?.into_iter().next() else { return Ok(None) };
    let known = connection.texts("SELECT name FROM pg_timezone_names").await?;
    let message = format!("this server knows no time zone `{zone}`{}", did_you_mean(&zone, known.iter().map(String::as_str)));
    Ok(Some(Problem::new("apply::window", message).help("`window:` in lockkeeper.yaml names it; the server's are in pg_timezone_names")))
}

/// How often the server is asked again while a window is waited for: its clock may be set meanwhile.
const ASKED_EVERY: Duration = Duration::from_secs(60);

/// How often it is told how long it takes still.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// Waits until a window is open, without a session in between. `false`: somebody wanted it to stop.
///
/// # Errors
/// As [`look`], unless the server only does not answer for a while.
pub async fn wait(target: &PgConnectOptions, windows: &Windows, stop: &mut Stop, tell: Tell<'_>) -> Result<bool, Problem> {
    let mut last: Option<(Instant, Door)> = None;
    loop {
        let door = match session::own(target, "lockkeeper").await {
            Ok(mut connection) => {
                let door = look(&mut connection, windows).await;
                connection.close().await;
                door?
            }
            Err(refusal) => match &last {
                None => return Err(Problem::new("apply::server", refusal.to_string())),
                // It is restarted, perhaps; until it answers, what it has said goes on.
                Some((at, door)) => later(door, at.elapsed()),
            },
        };
        let Door::Shut { wait, .. } = door else { return Ok(true) };
        if last.is_none() {
            tell(&Event::Stage { stage: "window", outcome: format!("waits: {}", door.words()) });
        }
        let (begin, pause) = (Instant::now(), wait.min(ASKED_EVERY).max(Duration::from_millis(50)));
        while begin.elapsed() < pause {
            tell(&Event::Countdown { seconds: wait.saturating_sub(begin.elapsed()).as_secs() });
            tokio::select! {
                () = tokio::time::sleep(TOLD_EVERY.min(pause.saturating_sub(begin.elapsed()))) => {}
                _ = stop.signal() => return Ok(false),
            }
        }
        last = Some((begin, door));
    }
}

/// What was said a while ago, as it is now.
fn later(door: &Door, since: Duration) -> Door {
    match door {
        // Whether it is open by now, only the server can say.
        Door::Shut { wait, begins } => Door::Shut { wait: wait.saturating_sub(since).max(TOLD_EVERY), begins: begins.clone() },
        Door::Open { .. } => door.clone(),
    }
}

const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

/// The window that is open for longest, else the one that begins first. Hours that a change of the clocks leaves out are none.
const NEXT: &str = "
    WITH t AS (SELECT clock_timestamp() AS now),
         w (days, begins, ends, zone) AS (VALUES $hours),
         h AS (SELECT (d::date + w.begins) AT TIME ZONE w.zone AS begins, (d::date + w.ends) AT TIME ZONE w.zone AS ends, w.zone
               FROM t, w, generate_series((t.now AT TIME ZONE w.zone)::date - 1, (t.now AT TIME ZONE w.zone)::date + 8, interval '1 day') d
               WHERE extract(isodow FROM d)::int = ANY (w.days))
    SELECT h.begins <= t.now, extract(epoch FROM CASE WHEN h.begins <= t.now THEN h.ends - t.now ELSE h.begins - t.now END)::float8,
           to_char(CASE WHEN h.begins <= t.now THEN h.ends ELSE h.begins END AT TIME ZONE h.zone, 'Dy YYYY-MM-DD HH24:MI') || ' ' || h.zone
    FROM h, t WHERE h.ends > t.now AND h.ends > h.begins
    ORDER BY h.begins <= t.now DESC, CASE WHEN h.begins <= t.now THEN h.ends END DESC, h.begins LIMIT 1";
