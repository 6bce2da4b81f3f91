//! What is asked on the second connection while a statement runs: who blocks it, who waits behind it, how far it has come.

use super::event::Event;
use crate::db::{Connection, Refusal};
use sqlx::Row;
use std::time::Duration;

/// What the second connection sees of the working session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// Who holds what it waits for, a line each.
    pub blockers: Vec<String>,
    /// How long it has waited for the lock that it waits for; nothing if it does not wait.
    pub waits: Duration,
    /// How many sessions wait for it.
    pub queue: usize,
    /// What a long command has done so far: its phase, how much, of how much.
    pub progress: Option<(String, u64, u64)>,
}

impl Sight {
    /// What is worth telling.
    pub fn event(self) -> Option<Event> {
        match self.progress {
            _ if !self.blockers.is_empty() => Some(Event::Waiting { blockers: self.blockers, queue: self.queue }),
            Some((phase, done, total)) => Some(Event::Progress { phase, done, total }),
            None => None,
        }
    }
}

/// Looks at a session.
///
/// # Errors
/// What the server says.
pub async fn look(watch: &mut Connection, pid: i32) -> Result<Sight, Refusal> {
    let mut sight = Sight::default();
    for row in watch.rows(&WHO.replace("$pid", &pid.to_string())).await? {
        match row.try_get::<&str, _>(0)? {
            "blocker" => sight.blockers.push(row.try_get(1)?),
            "waits" => sight.waits = Duration::from_millis(row.try_get::<&str, _>(1)?.parse().unwrap_or_default()),
            _ => sight.queue += 1,
        }
    }
    if sight.blockers.is_empty() {
        let rows = watch.rows(&PROGRESS.replace("$pid", &pid.to_string())).await?;
        sight.progress = match rows.first() {
            Some(row) => {
                let count = |at: usize| row.try_get::<i64, _>(at).map(|count| u64::try_from(count).unwrap_or_default());
                Some((row.try_get(0)?, count(1)?, count(2)?))
            }
            None => None,
        };
    }
    Ok(sight)
}

/// Ends the statement that a session runs.
///
/// # Errors
/// What the server says.
pub async fn cancel(watch: &mut Connection, pid: i32) -> Result<(), Refusal> {
    watch.run(&format!("SELECT pg_cancel_backend({pid})")).await
}

/// Only sessions that wait for a lock are asked for whom they wait.
const WHO: &str = "
    SELECT 'blocker', 'process ' || a.pid || coalesce(' (' || nullif(a.application_name, '') || ')', '') || ', ' || coalesce(a.state, a.backend_type, 'unknown')
           || coalesce(', transaction open for ' || date_trunc('second', clock_timestamp() - a.xact_start)::text, '')
           || coalesce(': ' || nullif(left(regexp_replace(a.query, '\\s+', ' ', 'g'), 80), ''), '')
    FROM (SELECT DISTINCT unnest(pg_blocking_pids($pid)) AS pid) b JOIN pg_stat_activity a ON a.pid = b.pid
    UNION ALL
    SELECT 'waits', greatest(0, extract(epoch FROM clock_timestamp() - min(l.waitstart)) * 1000)::bigint::text
    FROM pg_locks l WHERE l.pid = $pid AND NOT l.granted HAVING min(l.waitstart) IS NOT NULL
    UNION ALL
    SELECT 'queued', a.pid::text FROM pg_stat_activity a WHERE a.wait_event_type = 'Lock' AND a.pid <> $pid AND $pid = ANY (pg_blocking_pids(a.pid))";

const PROGRESS: &str = "
    SELECT command || ': ' || phase, CASE WHEN blocks_total > 0 THEN blocks_done WHEN tuples_total > 0 THEN tuples_done ELSE lockers_done END,
           CASE WHEN blocks_total > 0 THEN blocks_total WHEN tuples_total > 0 THEN tuples_total ELSE lockers_total END
    FROM pg_stat_progress_create_index WHERE pid = $pid
    UNION ALL
    SELECT 'VACUUM: ' || phase, heap_blks_scanned, heap_blks_total FROM pg_stat_progress_vacuum WHERE pid = $pid
    UNION ALL
    SELECT command || ': ' || phase, heap_blks_scanned, heap_blks_total FROM pg_stat_progress_cluster WHERE pid = $pid";
