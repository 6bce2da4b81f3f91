//! Whether WAL that is archived arrives: a large migration writes much of it, and a backup is worth as much as its archive.

use super::look::{look, time};
use super::{Check, Findings, Limits, Verdict};
use crate::db::{Connection, Refusal};
use sqlx::Row;

const ARCHIVER: &str = "
    SELECT current_setting('archive_mode'), archived_count, failed_count, last_failed_wal,
           extract(epoch FROM now() - last_archived_time)::float8, extract(epoch FROM now() - last_failed_time)::float8
    FROM pg_stat_archiver";

/// Whether the last thing that the archiver did was to succeed.
pub(super) async fn check(connection: &mut Connection, limits: &Limits) -> Result<Check, Refusal> {
    let rows = look(connection, limits, ARCHIVER).await?;
    let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    let mode: String = row.try_get(0)?;
    let (archived, failed): (i64, i64) = (row.try_get(1)?, row.try_get(2)?);
    let file: Option<String> = row.try_get(3)?;
    let (since_archived, since_failed): (Option<f64>, Option<f64>) = (row.try_get(4)?, row.try_get(5)?);
    let mut found = Findings::default();
    if mode == "off" {
        found.note("WAL is not archived (archive_mode is off)");
        return Ok(found.check("archive"));
    }
    match (since_archived, since_failed) {
        (archived_ago, Some(failed_ago)) if archived_ago.is_none_or(|archived_ago| failed_ago <= archived_ago) => {
            let last =
                archived_ago.map_or("none has ever been archived".to_owned(), |ago| format!("the last success was {} ago", time(ago)));
            let words = format!("archiving {} failed {} ago, {failed} failures in all; {last}", file.unwrap_or_default(), time(failed_ago));
            found.add(Verdict::Fail, words, Some("mend archive_command: until then WAL fills the disk".to_owned()));
        }
        (Some(ago), _) => found.note(format!("{archived} files archived, the last {} ago; {failed} failures before that", time(ago))),
        (None, _) => found.note("archiving is on; nothing has been archived since the counters were reset"),
    }
    Ok(found.check("archive"))
}
