//! One batch: the rows, and the place up to which the table has been gone through, in one transaction.

use super::Trouble;
use super::backfill::{Walk, failed};
use crate::apply::failpoint;
use crate::apply::ledger::job::{self, Job, Standing};
use crate::apply::ledger::text;
use crate::db::{Connection, Refusal};
use sqlx::Row;
use sqlx::postgres::PgRow;
use std::time::Duration;

/// What has come of a try.
pub(super) enum Turn {
    /// A batch has committed, and this is where the job stands.
    Went(Job),
    /// There was nothing left in this pass.
    Through,
    /// Somebody wants it to wait.
    Paused,
    /// Somebody wants it to end.
    Cancelled,
}

/// A row that somebody else has locked is waited for no longer than this, since the batch holds locks of its own.
const LOCK_TIMEOUT: Duration = Duration::from_millis(500);

/// A batch that takes longer is too large.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs a batch. After an error the transaction is still open.
pub(super) async fn run(work: &mut Connection, walk: &Walk<'_>) -> Result<Turn, Trouble> {
    work.run(&format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; SET LOCAL lock_timeout = {}; SET LOCAL statement_timeout = {}",
        LOCK_TIMEOUT.as_millis(),
        STATEMENT_TIMEOUT.as_millis()
    ))
    .await?;
    let owner = walk.role.as_ref().map(|_| "NONE");
    become_role(work, owner).await?;
    // Nobody else goes on from this place, nor changes what is wanted of it, before this transaction ends.
    let row = work.rows(&walk.id.select(true)).await?;
    let Some(mut job) = row.first().map(job::job).transpose()? else {
        return Err(Trouble::Contradiction("its row in `lockkeeper.job` is gone: nobody knows how far it has come".to_owned()));
    };
    let ends = match job.standing {
        Standing::Paused => Some(Turn::Paused),
        Standing::Cancelled => Some(Turn::Cancelled),
        Standing::Running | Standing::Done if job.swept => Some(Turn::Through),
        Standing::Running | Standing::Done => None,
    };
    if let Some(turn) = ends {
        work.run("ROLLBACK").await?;
        return Ok(turn);
    }
    become_role(work, walk.role.as_deref().map(text).as_deref()).await?;
    change(work, walk, &mut job).await?;
    become_role(work, owner).await?;
    job.batch = walk.size;
    job.batches += 1;
    work.run(&walk.id.advance(&job)).await?;
    failpoint::reach("batch-advanced");
    work.run("COMMIT").await?;
    Ok(Turn::Went(job))
}

/// Changes the next rows, and moves the place behind them.
async fn change(work: &mut Connection, walk: &Walk<'_>, job: &mut Job) -> Result<(), Trouble> {
    let (only, qualifier) = (walk.change.only, walk.change.qualifier);
    if job.last.is_none() {
        job.last = place(work.rows(&walk.way.last(only)).await?.first())?;
    }
    let next = match &job.last {
        Some(last) => work.rows(&walk.way.next(only, job.cursor.as_deref(), last, walk.size)).await?,
        None => Vec::new(),
    };
    let condition = match place(next.first())? {
        Some(to) => {
            let condition = walk.way.within(qualifier, job.cursor.as_deref(), &to);
            job.seen += count(next.first(), 1)?;
            job.cursor = Some(to);
            Some(condition)
        }
        None => {
            job.swept = true;
            work.run(&format!("SET LOCAL statement_timeout = {}", walk.patience.as_millis())).await?;
            walk.way.unknown(qualifier)
        }
    };
    let Some(condition) = condition else { return Ok(()) };
    let rows = work.rows(&walk.change.of(&condition)).await?;
    job.rows += count(rows.first(), 0)?;
    if count(rows.first(), 1)? > 0 {
        if walk.way.by_pages() {
            return Err(failed(
                "rows that were changed still match, and without a key they would be found again: give the table a key, or let WHERE ask for what SET makes false"
                    .to_owned(),
            ));
        }
        job.settles = false;
    }
    Ok(())
}

async fn become_role(work: &mut Connection, role: Option<&str>) -> Result<(), Refusal> {
    match role {
        Some(role) => work.run(&format!("SET LOCAL ROLE {role}")).await,
        None => Ok(()),
    }
}

/// The place in the first column of a row.
fn place(row: Option<&PgRow>) -> Result<Option<Vec<String>>, Refusal> {
    let json: Option<String> = row.map(|row| row.try_get(0)).transpose()?.flatten();
    json.map(|json| job::names(&json)).transpose()
}

/// A number of rows.
pub(super) fn count(row: Option<&PgRow>, column: usize) -> Result<u64, Refusal> {
    let count: i64 = row.ok_or(sqlx::Error::RowNotFound)?.try_get(column)?;
    Ok(u64::try_from(count).unwrap_or_default())
}
