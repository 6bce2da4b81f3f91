//! Who is in the way: transactions that have been open for long, prepared ones, old snapshots, and a vacuum that does not give way.

use super::look::{count, literal, look, time};
use super::touched::Touched;
use super::{Check, Findings, Limits, Verdict};
use crate::db::{Connection, Refusal};
use crate::model::lock::LockMode;
use crate::model::name::QualifiedName;
use sqlx::Row;
use sqlx::postgres::PgRow;
use std::collections::BTreeMap;

/// Who holds a lock: `virtualtransaction` of pg_locks, which prepared transactions have as well.
type Holder = String;

/// What is in the way of somebody's lock.
type Held = BTreeMap<Holder, Vec<String>>;

/// Whether anybody is in the way of the migrations.
pub(super) async fn check(connection: &mut Connection, touched: &Touched, limits: &Limits) -> Result<Check, Refusal> {
    let held = held(connection, touched, limits).await?;
    let mut found = Findings::default();
    let mut hidden = 0;
    for row in look(connection, limits, &sessions(limits)).await? {
        if row.try_get::<Option<String>, _>("kind")?.is_none() {
            // Those of this database that hold nothing of ours may well be short.
            let holder: Holder = row.try_get::<Option<Holder>, _>("holder")?.unwrap_or_default();
            hidden += usize::from(held.contains_key(&holder) || row.try_get::<bool, _>("in_transaction")?);
            continue;
        }
        session(&row, &held, touched, limits, &mut found)?;
    }
    for row in look(connection, limits, PREPARED).await? {
        prepared(&row, &held, touched, &mut found)?;
    }
    for row in look(connection, limits, OLD_SNAPSHOTS).await? {
        let (name, age): (String, i64) = (row.try_get("name")?, row.try_get("age")?);
        if u64::try_from(age).is_ok_and(|age| age > limits.old_snapshot) {
            let words = format!("standby `{name}` keeps rows that are {age} transactions old (hot_standby_feedback)");
            found.add(Verdict::Warn, words, Some(format!("end the long query on `{name}`")));
        }
    }
    if hidden > 0 {
        let words = format!(
            "how long {} in a transaction is hidden from this role",
            if hidden == 1 { "1 session has been".to_owned() } else { format!("{hidden} sessions have been") }
        );
        found.add(Verdict::Warn, words, Some("GRANT pg_monitor to the role that logs in".to_owned()));
    }
    if touched.opaque > 0 {
        found.note(format!("what {} locks cannot be told", count(touched.opaque, "statement")));
    }
    if found.words.is_empty() || found.worst == Some(Verdict::Pass) {
        let than = (time(limits.long_transaction.as_secs_f64()), time(limits.idle.as_secs_f64()));
        found.note(format!("no transaction is older than {}, none has been idle for {}, none is prepared", than.0, than.1));
    }
    Ok(found.check("transactions"))
}

/// One session that has a transaction.
fn session(row: &PgRow, held: &Held, touched: &Touched, limits: &Limits, found: &mut Findings) -> Result<(), Refusal> {
    let pid: i32 = row.try_get("pid")?;
    let holder = row.try_get::<Option<Holder>, _>("holder")?.unwrap_or_default();
    let in_the_way = held.get(&holder);
    let on = in_the_way.map_or(String::new(), |relations| format!(", holds {}", relations.join(", ")));
    if row.try_get::<Option<bool>, _>("wraparound")?.unwrap_or_default() {
        // It is nobody's blocker unless it works on what we touch.
        if in_the_way.is_some() {
            let words = format!("a vacuum to prevent wraparound (pid {pid}){on}, and it gives way to nobody");
            found.add(Verdict::Fail, words, Some("wait until it is done: pg_stat_progress_vacuum".to_owned()));
        }
        return Ok(());
    }
    let (age, idle): (f64, Option<f64>) = (row.try_get::<Option<f64>, _>("age")?.unwrap_or_default(), row.try_get("idle")?);
    let is_idle = idle.is_some_and(|idle| idle > limits.idle.as_secs_f64());
    if age <= limits.long_transaction.as_secs_f64() && !is_idle {
        return Ok(());
    }
    let kind = row.try_get::<Option<String>, _>("kind")?.unwrap_or_default();
    if kind != "client backend" && in_the_way.is_none() {
        return Ok(());
    }
    let application = row.try_get::<Option<String>, _>("application")?.unwrap_or_default();
    let name = if application.is_empty() { kind } else { format!("`{application}`") };
    let since = match idle.filter(|_| is_idle) {
        Some(idle) => format!("idle in a transaction for {}", time(idle)),
        None => format!("in a transaction for {}", time(age)),
    };
    let waited_for = touched.waits_for_all && row.try_get::<bool, _>("older_snapshot")?;
    let waits = if waited_for && in_the_way.is_none() { ", which what runs CONCURRENTLY waits for" } else { "" };
    let verdict = if in_the_way.is_some() || waited_for { Verdict::Fail } else { Verdict::Warn };
    let next = format!("let it end, or SELECT pg_terminate_backend({pid})");
    found.add(verdict, format!("{name} (pid {pid}) has been {since}{on}{waits}"), Some(next));
    Ok(())
}

/// One prepared transaction. Nobody will end it by itself, and it outlives a restart.
fn prepared(row: &PgRow, held: &Held, touched: &Touched, found: &mut Findings) -> Result<(), Refusal> {
    let (gid, database): (String, String) = (row.try_get("gid")?, row.try_get("database")?);
    let (age, here): (f64, bool) = (row.try_get("age")?, row.try_get("here")?);
    let in_the_way = held.get(&row.try_get::<Option<Holder>, _>("holder")?.unwrap_or_default());
    let on = in_the_way.map_or(String::new(), |relations| format!(", holds {}", relations.join(", ")));
    let verdict = if in_the_way.is_some() || (here && touched.waits_for_all) { Verdict::Fail } else { Verdict::Warn };
    let next = format!("COMMIT PREPARED {gid} or ROLLBACK PREPARED {gid}, in database `{database}`", gid = literal(&gid).trim_start());
    found.add(verdict, format!("the prepared transaction `{gid}` has waited for {}{on}", time(age)), Some(next));
    Ok(())
}

/// Which holders have locks that are in the way of ours, and on what.
async fn held(connection: &mut Connection, touched: &Touched, limits: &Limits) -> Result<Held, Refusal> {
    let wanted: Vec<(&QualifiedName, LockMode)> = touched.locks.iter().map(|(name, mode)| (name, *mode)).collect();
    let mut held = Held::new();
    if wanted.is_empty() {
        return Ok(held);
    }
    let names: Vec<String> =
        wanted.iter().enumerate().map(|(at, (name, _))| format!("({at}, to_regclass({}))", literal(&name.sql()))).collect();
    for row in look(connection, limits, &locks(&names.join(", "))).await? {
        let (at, mode): (i32, String) = (row.try_get("at")?, row.try_get("mode")?);
        let Some((name, ours)) = usize::try_from(at).ok().and_then(|at| wanted.get(at)) else { continue };
        if let Some(theirs) = LockMode::read(&mode).filter(|theirs| theirs.conflicts_with(*ours)) {
            let holder = row.try_get::<Option<Holder>, _>("holder")?.unwrap_or_default();
            held.entry(holder).or_default().push(format!("{theirs} on {name}, where {ours} is needed"));
        }
    }
    Ok(held)
}

/// The locks on relations that others hold; `names` are rows of VALUES.
fn locks(names: &str) -> String {
    format!(
        "SELECT v.at, l.mode, l.virtualtransaction AS holder
         FROM (VALUES {names}) v (at, relation)
              JOIN pg_locks l ON l.locktype = 'relation' AND l.relation = v.relation AND l.granted
                             AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
         WHERE l.pid IS DISTINCT FROM pg_backend_pid()
         ORDER BY v.at, l.mode"
    )
}

/// Sessions of all databases, since a vacuum and CONCURRENTLY look at some of those too. `kind` is NULL if they are hidden.
/// `virtualxid` is what a transaction of a session is called in pg_locks, and that everybody may see.
fn sessions(limits: &Limits) -> String {
    let long = limits.long_transaction.min(limits.idle).as_secs_f64();
    format!(
        "SELECT a.pid, a.backend_type AS kind, a.application_name AS application, l.virtualtransaction AS holder,
                extract(epoch FROM now() - a.xact_start)::float8 AS age,
                CASE WHEN a.state LIKE 'idle in transaction%' THEN extract(epoch FROM now() - a.state_change)::float8 END AS idle,
                a.backend_type = 'autovacuum worker' AND a.query LIKE '%(to prevent wraparound)' AS wraparound,
                a.datname = current_database() AND (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL) IS TRUE AS older_snapshot,
                l.pid IS NOT NULL AND a.datname IS NOT DISTINCT FROM current_database() AS in_transaction
         FROM pg_stat_activity a
              LEFT JOIN (SELECT DISTINCT pid, virtualtransaction FROM pg_locks WHERE locktype = 'virtualxid' AND granted) l ON l.pid = a.pid
         WHERE a.pid <> pg_backend_pid()
           AND (a.backend_type IS NULL OR a.backend_type = 'autovacuum worker' OR a.xact_start < now() - interval '{long} s'
                OR a.state LIKE 'idle in transaction%')
         ORDER BY a.xact_start, a.pid"
    )
}

const PREPARED: &str = "
    SELECT p.gid, p.database::text, extract(epoch FROM now() - p.prepared)::float8 AS age, p.database = current_database() AS here,
           l.virtualtransaction AS holder
    FROM pg_prepared_xacts p
         LEFT JOIN pg_locks l ON l.locktype = 'transactionid' AND l.transactionid = p.transaction AND l.pid IS NULL AND l.granted
    ORDER BY p.prepared, p.gid";

const OLD_SNAPSHOTS: &str = "
    SELECT coalesce(application_name, '') AS name, age(backend_xmin)::int8 AS age
    FROM pg_stat_replication WHERE backend_xmin IS NOT NULL";
