//! What has been run, by whom and how it ended: tables in the schema `lockkeeper` of the target.
//!
//! `migration` says where each one stands, `step` what of it has committed, `run` who called, `event` what happened, `job` how far a backfill
//! has come. Everything is written by a connection of its own, but for one thing: that a step in a transaction is done is written inside of
//! that transaction, so that it is true if and only if the step is.

pub mod job;
mod schema;
pub mod write;

pub use schema::ADOPTED;

use crate::db::{Connection, Refusal};
use crate::problem::Problem;
use sqlx::Row;
use sqlx::postgres::PgRow;

/// The format that this lockkeeper writes.
pub const FORMAT: i32 = 1;

/// Where a migration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Begun, and not ended.
    Applying,
    /// It has run.
    Applied,
    /// Its way back was begun, and has not ended.
    RollingBack,
    /// It has been undone.
    RolledBack,
    /// It had run before there was a ledger.
    Baselined,
}

impl State {
    const WORDS: [(&'static str, Self); 5] = [
        ("applying", Self::Applying),
        ("applied", Self::Applied),
        ("rolling back", Self::RollingBack),
        ("rolled back", Self::RolledBack),
        ("baselined", Self::Baselined),
    ];

    /// The word for it in the ledger.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, state)| *state == self).map_or("", |(word, _)| word)
    }

    fn read(word: &str) -> Result<Self, Refusal> {
        let known = Self::WORDS.iter().find(|(known, _)| *known == word);
        known.map(|(_, state)| *state).ok_or_else(|| tampered(&format!("`{word}` is no state of a migration")))
    }
}

/// What the ledger says of a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// See [`super::draft::Draft::key`].
    pub key: String,
    /// Its name.
    pub name: String,
    /// SHA-256 of its file when it ran.
    pub checksum: String,
    /// Of its SQL when it ran, see [`super::hash::normalised`].
    pub hash: String,
    /// Where it stands.
    pub state: State,
    /// The plan that it is a phase of, and which.
    pub phase: Option<(String, i32)>,
    /// When it came to that state, in UTC: `2026-11-20 21:15:47`.
    pub changed: String,
    /// How many seconds ago, by the server's clock.
    pub age: i64,
    /// The run that did it.
    pub run: Option<i64>,
}

/// A step that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepEntry {
    /// The row.
    pub id: i64,
    /// Its place in the migration, from 1.
    pub number: i32,
    /// Of its statements.
    pub hash: String,
    /// `started`, `done`, `adopted` or `failed`.
    pub state: String,
    /// The backend that ran it.
    pub pid: i32,
    /// Whether that backend is still there.
    pub alive: bool,
}

impl StepEntry {
    /// Whether it need not run any more.
    pub fn is_done(&self) -> bool {
        matches!(self.state.as_str(), "done" | "adopted")
    }
}

/// A run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunEntry {
    /// Its number.
    pub id: i64,
    /// `apply`, `rollback`, ...
    pub command: String,
    /// For which environment.
    pub environment: String,
    /// Who called it, at which machine.
    pub who: String,
    /// How it ended, or `running`.
    pub state: String,
    /// When it began, in UTC.
    pub began: String,
    /// How many seconds it took; `None`: it has not ended.
    pub seconds: Option<f64>,
    /// What went wrong.
    pub error: Option<String>,
    /// What it did, in order.
    pub steps: Vec<String>,
}

/// Reads all migrations of the ledger, in the order in which they ran; nothing if there is no ledger. Writes nothing.
///
/// # Errors
/// What the server says, and that the ledger is not as lockkeeper has made it.
pub async fn entries(connection: &mut Connection) -> Result<Vec<Entry>, Refusal> {
    if !exists(connection).await? {
        return Ok(Vec::new());
    }
    connection.rows(ENTRIES).await?.iter().map(entry).collect()
}

/// Whether there is a ledger that this lockkeeper can read.
///
/// # Errors
/// As [`entries`].
pub async fn exists(connection: &mut Connection) -> Result<bool, Refusal> {
    if connection.texts("SELECT pg_catalog.to_regclass('lockkeeper.ledger')::text").await?.concat().is_empty() {
        return Ok(false);
    }
    let formats = connection.rows("SELECT format FROM lockkeeper.ledger").await?;
    let formats: Vec<i32> = formats.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    match formats[..] {
        [FORMAT] => Ok(true),
        [newer] if newer > FORMAT => {
            Err(tampered(&format!("it has format {newer}, and this lockkeeper knows {FORMAT}: use the lockkeeper that has written it")))
        }
        _ => Err(tampered("`lockkeeper.ledger` has to have one row")),
    }
}

/// The steps of a migration that were begun since it was last undone, the newest row of each.
///
/// # Errors
/// What the server says.
pub async fn steps(connection: &mut Connection, key: &str, direction: Direction) -> Result<Vec<StepEntry>, Refusal> {
    let query = STEPS.replace("$key", &text(key)).replace("$direction", &text(direction.word()));
    let read = |row: &PgRow| -> Result<StepEntry, Refusal> {
        Ok(StepEntry {
            id: row.try_get(0)?,
            number: row.try_get(1)?,
            hash: row.try_get(2)?,
            state: row.try_get(3)?,
            pid: row.try_get(4)?,
            alive: row.try_get(5)?,
        })
    };
    connection.rows(&query).await?.iter().map(read).collect()
}

/// The runs, the newest first.
///
/// # Errors
/// What the server says.
pub async fn runs(connection: &mut Connection) -> Result<Vec<RunEntry>, Refusal> {
    if !exists(connection).await? {
        return Ok(Vec::new());
    }
    let read = |row: &PgRow| -> Result<RunEntry, Refusal> {
        let steps: String = row.try_get(8)?;
        Ok(RunEntry {
            id: row.try_get(0)?,
            command: row.try_get(1)?,
            environment: row.try_get(2)?,
            who: row.try_get(3)?,
            state: row.try_get(4)?,
            began: row.try_get(5)?,
            seconds: row.try_get(6)?,
            error: row.try_get(7)?,
            steps: steps.lines().map(str::to_owned).collect(),
        })
    };
    connection.rows(RUNS).await?.iter().map(read).collect()
}

fn entry(row: &PgRow) -> Result<Entry, Refusal> {
    let (plan, phase): (Option<String>, Option<i32>) = (row.try_get(5)?, row.try_get(6)?);
    Ok(Entry {
        key: row.try_get(0)?,
        name: row.try_get(1)?,
        checksum: row.try_get(2)?,
        hash: row.try_get(3)?,
        state: State::read(row.try_get(4)?)?,
        phase: plan.zip(phase),
        changed: row.try_get(7)?,
        age: row.try_get(8)?,
        run: row.try_get(9)?,
    })
}

/// Which way a migration is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Forwards.
    Up,
    /// Back.
    Down,
}

impl Direction {
    /// The word for it in the ledger.
    pub fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// A text as SQL. Our sessions have `standard_conforming_strings` on.
pub fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''").replace('\0', ""))
}

fn tampered(why: &str) -> Refusal {
    Refusal { code: TAMPERED.to_owned(), message: format!("the ledger in schema `lockkeeper` cannot be read: {why}") }
}

/// Ours, in the class that the manual leaves to applications.
const TAMPERED: &str = "LK001";

/// What a user reads if the ledger cannot be used.
pub fn problem(refusal: &Refusal) -> Problem {
    let help = match refusal.code.as_str() {
        "42P01" | "42703" | TAMPERED => {
            "somebody has changed the tables of the ledger; restore the schema `lockkeeper` from a backup, or drop it and say what has run: `lockkeeper baseline VERSION --reason WHY`"
        }
        "42501" => "grant the role USAGE on schema lockkeeper and SELECT, INSERT, UPDATE on its tables, or run as the role that made it",
        _ => "`lockkeeper status` asks again",
    };
    Problem::new("apply::ledger", refusal.to_string()).help(help)
}

const ENTRIES: &str = "
    SELECT key, name, checksum, hash, state, plan, phase, pg_catalog.to_char(changed AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
           pg_catalog.floor(extract(epoch FROM pg_catalog.clock_timestamp() - changed))::int8, run
    FROM lockkeeper.migration ORDER BY place";

const STEPS: &str = "
    SELECT DISTINCT ON (s.number) s.id, s.number, s.hash, s.state, s.pid,
           EXISTS (SELECT FROM pg_catalog.pg_stat_activity a
                   WHERE a.pid = s.pid AND (a.backend_start = s.backend_start OR a.backend_start IS NULL))
    FROM lockkeeper.step s
    WHERE s.migration = $key AND s.direction = $direction AND NOT s.undone
    ORDER BY s.number, s.id DESC";

const RUNS: &str = "
    SELECT r.id, r.command, r.environment, r.who || '@' || r.host, r.state,
           pg_catalog.to_char(r.began AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'),
           extract(epoch FROM r.ended - r.began)::float8, r.error,
           pg_catalog.concat_ws(E'\\n',
             (SELECT pg_catalog.string_agg(e.kind || ': ' || e.text, E'\\n' ORDER BY e.id) FROM lockkeeper.event e
              WHERE e.run = r.id AND (e.kind = 'reason' OR e.kind = r.command)),
             (SELECT pg_catalog.string_agg(
                s.migration || ' ' || s.direction || ' step ' || s.number || ': ' || s.state
                || coalesce(' in ' || pg_catalog.round(extract(epoch FROM s.ended - s.began)::numeric, 3) || ' s', '')
                || CASE WHEN s.attempt > 1 THEN ', attempt ' || s.attempt ELSE '' END
                || coalesce(', ' || s.wal_bytes || ' bytes of WAL', '') || coalesce(', ' || s.error, ''), E'\\n' ORDER BY s.id)
              FROM lockkeeper.step s WHERE s.run = r.id))
    FROM lockkeeper.run r ORDER BY r.id DESC";
