//! How far backfills have come.

use super::{Direction, text};
use crate::db::{Connection, Refusal};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// Which backfill: of which migration, which way, which step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobId<'a> {
    /// The migration.
    pub key: &'a str,
    /// Which way.
    pub direction: Direction,
    /// The step.
    pub number: u32,
}

/// How far a backfill has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Of its statement.
    pub hash: String,
    /// The columns by which it goes through the table.
    pub key: Vec<String>,
    /// The last row of the last batch, by its key; `None`: the pass has not begun.
    pub cursor: Option<Vec<String>>,
    /// The row at which the pass ends; `None`: not known yet.
    pub last: Option<Vec<String>>,
    /// Which pass it is, from 1.
    pub pass: u32,
    /// The pass has come to its end.
    pub swept: bool,
    /// Rows of a batch.
    pub batch: u32,
    /// How many batches have committed.
    pub batches: u64,
    /// How many rows they have changed.
    pub rows: u64,
    /// How many rows this pass has gone through.
    pub seen: u64,
    /// Rows that were changed did not match any more, all of them so far.
    pub settles: bool,
    /// Whether it goes on.
    pub standing: Standing,
}

/// Whether a backfill goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does.
    Running,
    /// Somebody wants it to wait.
    Paused,
    /// Somebody wants it to end here.
    Cancelled,
    /// Nothing is left to do.
    Done,
}

impl Standing {
    const WORDS: [(&'static str, Self); 4] =
        [("running", Self::Running), ("paused", Self::Paused), ("cancelled", Self::Cancelled), ("done", Self::Done)];

    /// The word for it in the ledger.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, standing)| *standing == self).map_or("", |(word, _)| word)
    }
}

impl Job {
    /// One that has not begun.
    pub fn new(hash: &str, key: Vec<String>, batch: u32) -> Self {
        Self {
            hash: hash.to_owned(),
            key,
            cursor: None,
            last: None,
            pass: 1,
            swept: false,
            batch,
            batches: 0,
            rows: 0,
            seen: 0,
            settles: true,
            standing: Standing::Running,
        }
    }
}

impl JobId<'_> {
    fn is(&self) -> String {
        // In sessions of migrations `=` may be anybody's.
        format!(
            "migration OPERATOR(pg_catalog.=) {} AND direction OPERATOR(pg_catalog.=) {} AND number OPERATOR(pg_catalog.=) {}",
            text(self.key),
            text(self.direction.word()),
            self.number
        )
    }

    /// The query for it; `lock` keeps everybody else from changing it until the transaction ends.
    pub fn select(&self, lock: bool) -> String {
        let lock = if lock { " FOR UPDATE" } else { "" };
        format!(
            "SELECT hash, key, cursor, last, pass, swept, batch, batches, rows, seen, settles, state FROM lockkeeper.job WHERE {}{lock}",
            self.is()
        )
    }

    /// Reads it.
    ///
    /// # Errors
    /// What the server says, and that somebody has changed the row by hand.
    pub async fn read(&self, connection: &mut Connection) -> Result<Option<Job>, Refusal> {
        connection.rows(&self.select(false)).await?.first().map(job).transpose()
    }

    /// The SQL that puts it where it stands now; what somebody wants of it stays.
    pub fn advance(&self, job: &Job) -> String {
        format!(
            "UPDATE lockkeeper.job SET cursor = {}, last = {}, pass = {}, swept = {}, batch = {}, batches = {}, rows = {}, seen = {}, settles = {}, \
             changed = pg_catalog.clock_timestamp() WHERE {}",
            place(job.cursor.as_deref()),
            place(job.last.as_deref()),
            job.pass,
            job.swept,
            job.batch,
            job.batches,
            job.rows,
            job.seen,
            job.settles,
            self.is(),
        )
    }

    /// Notes that nothing is left to do.
    ///
    /// # Errors
    /// What the server says.
    pub async fn end(&self, connection: &mut Connection) -> Result<(), Refusal> {
        connection
            .run(&format!(
                "UPDATE lockkeeper.job SET state = {}, changed = clock_timestamp() WHERE {}",
                text(Standing::Done.word()),
                self.is()
            ))
            .await
    }

    /// Puts it there as new.
    ///
    /// # Errors
    /// What the server says.
    pub async fn begin(&self, connection: &mut Connection, job: &Job) -> Result<(), Refusal> {
        let sql = format!(
            "BEGIN; DELETE FROM lockkeeper.job WHERE {}; \
             INSERT INTO lockkeeper.job (migration, direction, number, hash, key, batch, state) VALUES ({}, {}, {}, {}, {}, {}, {}); COMMIT",
            self.is(),
            text(self.key),
            text(self.direction.word()),
            self.number,
            text(&job.hash),
            place(Some(&job.key)),
            job.batch,
            text(job.standing.word()),
        );
        connection.run(&sql).await
    }
}

/// Says what somebody wants of a backfill, by its migration's key, or by the path of its file where that names one. Gives the keys of those
/// that were told.
///
/// # Errors
/// What the server says.
pub async fn tell(connection: &mut Connection, key: &str, standing: Standing) -> Result<Vec<String>, Refusal> {
    if !super::exists(connection).await? {
        return Ok(Vec::new());
    }
    let separator = crate::apply::backfill::SEPARATOR;
    let sql = format!(
        "UPDATE lockkeeper.job SET state = {}, changed = clock_timestamp() WHERE (migration = {key} OR starts_with(migration, {key} || '{separator}')) AND state <> 'done' RETURNING migration",
        text(standing.word()),
        key = text(key),
    );
    connection.texts(&sql).await
}

/// Another backfill of a file, with other SQL, that has begun and neither ended nor been cancelled.
///
/// # Errors
/// What the server says.
pub async fn other(connection: &mut Connection, file: &str, key: &str) -> Result<Option<String>, Refusal> {
    let separator = crate::apply::backfill::SEPARATOR;
    let sql = format!(
        "SELECT migration FROM lockkeeper.job
         WHERE starts_with(migration, {} || '{separator}') AND migration <> {} AND batches > 0 AND state IN ('running', 'paused')",
        text(file),
        text(key),
    );
    Ok(connection.texts(&sql).await?.into_iter().next())
}

/// All of them, with words for where they stand.
///
/// # Errors
/// What the server says.
pub async fn list(connection: &mut Connection) -> Result<Vec<String>, Refusal> {
    if !super::exists(connection).await? {
        return Ok(Vec::new());
    }
    let sql = "SELECT migration || CASE direction WHEN 'down' THEN ' (way back)' ELSE '' END || ': '
                      || CASE WHEN swept AND state = 'running' THEN 'through the table' ELSE state END
                      || ', ' || rows || ' rows in ' || batches || ' batches, pass ' || pass
               FROM lockkeeper.job ORDER BY changed DESC";
    connection.texts(sql).await
}

/// Reads a row of [`JobId::select`].
///
/// # Errors
/// Somebody has changed it by hand.
pub fn job(row: &PgRow) -> Result<Job, Refusal> {
    let word: String = row.try_get(11)?;
    let count = |at: usize| row.try_get::<i64, _>(at).map(|count| u64::try_from(count).unwrap_or_default());
    let small = |at: usize| row.try_get::<i32, _>(at).map(|count| u32::try_from(count).unwrap_or_default());
    let place = |at: usize| -> Result<Option<Vec<String>>, Refusal> {
        let Some(json) = row.try_get::<Option<String>, _>(at)? else { return Ok(None) };
        names(&json).map(Some)
    };
    Ok(Job {
        hash: row.try_get(0)?,
        key: place(1)?.unwrap_or_default(),
        cursor: place(2)?,
        last: place(3)?,
        pass: small(4)?,
        swept: row.try_get(5)?,
        batch: small(6)?,
        batches: count(7)?,
        rows: count(8)?,
        seen: count(9)?,
        settles: row.try_get(10)?,
        standing: Standing::WORDS
            .iter()
            .find(|(known, _)| *known == word)
            .map(|(_, standing)| *standing)
            .ok_or_else(|| super::tampered(&format!("`{word}` is no state of a backfill")))?,
    })
}

/// A list of texts, as JSON.
///
/// # Errors
/// It is none.
pub fn names(json: &str) -> Result<Vec<String>, Refusal> {
    serde_json::from_str(json).map_err(|_| super::tampered(&format!("`{json}` is no place in a table")))
}

fn place(values: Option<&[String]>) -> String {
    let json = |values: &[String]| serde_json::Value::from(values.to_vec()).to_string();
    values.map_or("NULL".to_owned(), |values| text(&json(values)))
}
