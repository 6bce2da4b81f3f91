//! Standbys and slots: who falls behind when much WAL is written, and what keeps WAL and old rows.

use super::look::{bytes, count, look};
use super::{Check, Findings, Limits, Verdict};
use crate::db::{Connection, Refusal};
use sqlx::Row;

/// Without pg_read_all_stats all but the first two columns are NULL. On a standby, its own position is what it has replayed.
const STANDBYS: &str = "
    SELECT application_name, pid, state, sync_state,
           pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
                           replay_lsn)::int8 AS behind,
           current_setting('synchronous_standby_names') AS wanted,
           pg_has_role('pg_read_all_stats', 'USAGE') AS sees
    FROM (SELECT) one LEFT JOIN pg_stat_replication ON true ORDER BY application_name, pid";

/// Whether the standbys keep up.
pub(super) async fn check(connection: &mut Connection, limits: &Limits) -> Result<Check, Refusal> {
    let rows = look(connection, limits, STANDBYS).await?;
    let mut found = Findings::default();
    let (mut connected, mut synchronous) = (0, 0);
    for row in rows.iter() {
        let Some(pid) = row.try_get::<Option<i32>, _>("pid")? else { continue };
        connected += 1;
        let name = row.try_get::<Option<String>, _>("application_name")?.unwrap_or_default();
        let (state, sync): (Option<String>, Option<String>) = (row.try_get("state")?, row.try_get("sync_state")?);
        synchronous += usize::from(sync.is_some_and(|sync| sync == "sync" || sync == "quorum"));
        let behind: Option<i64> = row.try_get("behind")?;
        let behind = behind.map(|behind| u64::try_from(behind).unwrap_or_default());
        match (state.as_deref(), behind) {
            (Some("streaming"), Some(behind)) if behind > limits.behind => {
                let words = format!("`{name}` (pid {pid}) is {} behind, of {} allowed", bytes(behind), bytes(limits.behind));
                found.add(Verdict::Fail, words, Some(format!("wait until `{name}` has caught up, or drop it")));
            }
            (Some("streaming"), Some(behind)) => found.note(format!("`{name}` is {} behind", bytes(behind))),
            (Some(state), _) => {
                found.add(
                    Verdict::Warn,
                    format!("`{name}` (pid {pid}) is in state `{state}`"),
                    Some(format!("wait until `{name}` streams")),
                );
            }
            (None, _) => {}
        }
    }
    let (wanted, sees): (String, bool) = match rows.first() {
        Some(row) => (row.try_get("wanted")?, row.try_get("sees")?),
        None => return Err(sqlx::Error::RowNotFound.into()),
    };
    if !sees {
        let words = format!("{}; how far behind is hidden from this role", count(connected, "standby connection"));
        found.add(Verdict::Warn, words, Some("GRANT pg_monitor to the role that logs in".to_owned()));
    } else if !wanted.trim().is_empty() && synchronous == 0 {
        let words = format!("synchronous_standby_names is `{wanted}`, and no such standby is connected: every COMMIT waits for one");
        found.add(Verdict::Fail, words, Some("start the synchronous standby, or empty synchronous_standby_names".to_owned()));
    } else if connected == 0 {
        found.note("no standby is connected");
    }
    Ok(found.check("standbys"))
}

/// `wal_status` is there since 13.
const SLOTS: &str = "
    SELECT slot_name::text, active, slot_type, to_jsonb(s) ->> 'wal_status' AS wal,
           pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
                           restart_lsn)::int8 AS retained,
           greatest(age(xmin), age(catalog_xmin))::int8 AS age
    FROM pg_replication_slots s ORDER BY slot_name";

/// Whether a slot keeps WAL or old rows for nobody.
pub(super) async fn slots(connection: &mut Connection, limits: &Limits) -> Result<Check, Refusal> {
    let mut found = Findings::default();
    for row in look(connection, limits, SLOTS).await? {
        let (name, active): (String, bool) = (row.try_get("slot_name")?, row.try_get("active")?);
        let wal: Option<String> = row.try_get("wal")?;
        let unsigned = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok()).unwrap_or_default();
        let (retained, age) = (unsigned(row.try_get("retained")?), unsigned(row.try_get("age")?));
        let used = if active { "in use" } else { "used by nobody" };
        let drop =
            (!active).then(|| format!("SELECT pg_drop_replication_slot('{}'), if nobody will come back for it", name.replace('\'', "''")));
        let words = format!("slot `{name}`, {used}, keeps {} of WAL", bytes(retained));
        if wal.as_deref() == Some("lost") {
            found.add(Verdict::Warn, format!("slot `{name}`, {used}, has lost the WAL that it needs"), drop);
        } else if retained > limits.retained {
            let next = drop.or_else(|| Some(format!("see why whoever reads from `{name}` does not keep up")));
            found.add(Verdict::Fail, format!("{words}, of {} allowed", bytes(limits.retained)), next);
        } else if age > limits.old_snapshot {
            found.add(Verdict::Warn, format!("{words} and rows that are {age} transactions old"), drop);
        } else if active {
            found.note(words);
        } else {
            found.add(Verdict::Warn, words, drop);
        }
    }
    if found.words.is_empty() {
        found.note("no replication slots");
    }
    Ok(found.check("slots"))
}
