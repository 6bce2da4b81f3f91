//! Sessions of runs that are gone, in which the server still works.

use super::event::{Event, Tell};
use super::ledger;
use crate::db::Connection;
use crate::problem::Problem;
use sqlx::Row;
use std::time::Duration;
use tokio::time::Instant;

/// How often they are looked for.
const TICK: Duration = Duration::from_millis(250);

/// Waits until no session works on a step that an earlier run has begun. What it holds would be in the way of everything that is asked, and
/// what it does is not known before it has ended.
///
/// # Errors
/// Which session still works when patience is over, and how it is ended.
pub async fn wait(watch: &mut Connection, patience: Duration, tell: Tell<'_>) -> Result<(), Problem> {
    let begin = Instant::now();
    loop {
        let orphans = match ledger::exists(watch).await {
            Ok(true) => watch.rows(ORPHANS).await,
            Ok(false) => return Ok(()),
            Err(refusal) => Err(refusal),
        };
        let orphan = orphans.and_then(|rows| match rows.first() {
            Some(row) => Ok(Some((row.try_get::<i32, _>(0)?, row.try_get::<String, _>(1)?))),
            None => Ok(None),
        });
        let Some((pid, step)) = orphan.map_err(|refusal| ledger::problem(&refusal))? else { return Ok(()) };
        if begin.elapsed() > patience {
            let message = format!("process {pid} still works on {step} for a run that is gone");
            let help = format!("wait until it has ended, or end it: `SELECT pg_terminate_backend({pid})`; then run it again");
            return Err(Problem::new("apply::orphan", message).help(help));
        }
        tell(&Event::Waiting { blockers: vec![format!("process {pid}, which still works on {step}")], queue: 0 });
        tokio::time::sleep(TICK).await;
    }
}

/// Of sessions that are not ours it may be hidden when they began; then the number of the process has to do.
const ORPHANS: &str = "
    SELECT s.pid, 'step ' || s.number || ' of ' || s.migration
    FROM lockkeeper.step s JOIN pg_catalog.pg_stat_activity a ON a.pid = s.pid
    WHERE s.state = 'started' AND NOT s.undone AND (a.backend_start = s.backend_start OR a.backend_start IS NULL)
    ORDER BY s.id DESC LIMIT 1";
