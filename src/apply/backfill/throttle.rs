//! When a backfill has to wait: for standbys that are behind, for one that has gone, for a server that is busy.

use crate::config::apply::Backfill;
use crate::db::{Connection, Refusal};
use sqlx::Row;
use std::collections::BTreeSet;

/// What the server says of those who follow it, and of its own load.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Load {
    /// The standbys.
    pub standbys: Vec<Standby>,
    /// How many other sessions are at work in this database.
    pub active: u32,
}

/// A standby.
#[derive(Clone, Debug, PartialEq)]
pub struct Standby {
    /// Its name and address.
    pub name: String,
    /// How much of the WAL it has not replayed; `None`: this role is not told.
    pub bytes: Option<u64>,
    /// How old what it replays is, in seconds; `None`: the server does not know.
    pub seconds: Option<f64>,
}

/// Asks the server.
///
/// # Errors
/// What it says.
pub async fn look(watch: &mut Connection, working: i32) -> Result<Load, Refusal> {
    let mut load = Load::default();
    for row in watch.rows(STANDBYS).await? {
        let bytes: Option<i64> = row.try_get(1)?;
        load.standbys.push(Standby {
            name: row.try_get(0)?,
            bytes: bytes.map(|bytes| u64::try_from(bytes).unwrap_or(0)),
            seconds: row.try_get(2)?,
        });
    }
    let active = watch.rows(&ACTIVE.replace("$pid", &working.to_string())).await?;
    load.active = active.first().map_or(Ok(0), |row| row.try_get::<i64, _>(0))?.try_into().unwrap_or(u32::MAX);
    Ok(load)
}

/// Why the next batch has to wait, in words; `None`: it need not. `known` are the standbys that were there when it began. That a standby's
/// replay is old says nothing where it has replayed everything, and the time stands still where it has stopped: so both are asked.
pub fn wait(load: &Load, known: &BTreeSet<String>, limits: &Backfill) -> Option<String> {
    if let Some(gone) = known.iter().find(|name| !load.standbys.iter().any(|standby| standby.name == **name)) {
        return Some(format!("standby {gone}, which was there at the beginning and is gone; without it, begin again"));
    }
    let behind = load.standbys.iter().find_map(|standby| {
        let bytes = standby.bytes.unwrap_or(0);
        if bytes > limits.max_lag_bytes {
            return Some(format!("standby {}, which is {} MB behind", standby.name, bytes / MEGABYTE));
        }
        let seconds = standby.seconds.filter(|seconds| bytes > 0 && *seconds > limits.max_lag.as_secs_f64())?;
        Some(format!("standby {}, which is {seconds:.0} s behind", standby.name))
    });
    behind.or_else(|| {
        let most = limits.max_active.filter(|most| load.active > *most)?;
        Some(format!("the server: {} other sessions are at work, more than {most}", load.active))
    })
}

/// The standbys of which this role is not told how far they are.
pub fn unseen(load: &Load) -> Vec<&str> {
    load.standbys.iter().filter(|standby| standby.bytes.is_none()).map(|standby| standby.name.as_str()).collect()
}

const MEGABYTE: u64 = 1 << 20;

/// Who takes a base backup follows nobody's changes. What only receives WAL replays nothing, so that what it has written counts.
const STANDBYS: &str = "
    SELECT coalesce(nullif(application_name, ''), 'without a name') || coalesce(' at ' || host(client_addr), ''),
           pg_wal_lsn_diff(pg_current_wal_lsn(), coalesce(replay_lsn, flush_lsn, write_lsn, sent_lsn))::int8,
           extract(epoch FROM replay_lag)::float8
    FROM pg_stat_replication WHERE state IS DISTINCT FROM 'backup'";

const ACTIVE: &str = "
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'active' AND backend_type = 'client backend' AND pid NOT IN ($pid, pg_backend_pid())";

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn limits() -> Backfill {
        Backfill { max_lag_bytes: 64 * MEGABYTE, max_lag: Duration::from_secs(10), max_active: Some(4), ..Backfill::default() }
    }

    fn said(bytes: Option<u64>, seconds: Option<f64>, active: u32) -> String {
        let load = Load { standbys: vec![Standby { name: "copy".to_owned(), bytes, seconds }], active };
        wait(&load, &BTreeSet::from(["copy".to_owned()]), &limits()).unwrap_or_default()
    }

    #[test]
    fn a_standby_that_is_behind_by_bytes_or_by_time_is_waited_for() {
        assert_eq!(said(Some(65 * MEGABYTE), None, 0), "standby copy, which is 65 MB behind");
        assert_eq!(said(Some(1), Some(11.2), 0), "standby copy, which is 11 s behind");
        assert_eq!(said(Some(64 * MEGABYTE), Some(9.0), 4), "");
    }

    #[test]
    fn an_old_time_means_nothing_where_everything_is_replayed() {
        assert_eq!(said(Some(0), Some(60.0), 0), "");
        assert_eq!(said(None, None, 0), "");
    }

    #[test]
    fn a_busy_server_is_waited_for() {
        assert_eq!(said(Some(0), None, 5), "the server: 5 other sessions are at work, more than 4");
    }

    #[test]
    fn a_standby_that_is_gone_is_infinitely_behind() {
        let known = BTreeSet::from(["copy".to_owned()]);
        assert_eq!(
            wait(&Load::default(), &known, &limits()).unwrap_or_default(),
            "standby copy, which was there at the beginning and is gone; without it, begin again"
        );
    }
}
