//! The three sessions of a run: one that runs the migrations, one that watches it and writes the ledger, one that holds the runner's lock.

use super::ledger::text;
use crate::config::apply::Apply;
use crate::db::{Connection, Refusal};
use sqlx::postgres::PgConnectOptions;
use std::time::Duration;

/// The sessions of a run.
#[derive(Debug)]
pub struct Sessions {
    /// Runs the migrations.
    pub work: Connection,
    /// Watches, cancels, and writes the ledger.
    pub watch: Connection,
    /// Holds the runner's lock, in no transaction.
    pub guard: Connection,
}

/// The key of the lock that keeps a second runner out. Advisory locks belong to a database, so it is the same in all.
const RUNNER: i64 = 0x6c6f_636b_6b65_6570; // "lockkeep"

/// Why there is no lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoLock {
    /// Somebody else holds it.
    Held(String),
    /// The server does not answer.
    Refused(Refusal),
}

impl From<Refusal> for NoLock {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Sessions {
    /// Opens all three, waits for the runner's lock for as long as `patience`, and sets the working session up.
    ///
    /// # Errors
    /// Who holds the lock, or what the server says.
    pub async fn open(target: &PgConnectOptions, limits: &Apply, patience: Duration) -> Result<Self, NoLock> {
        let mut guard = own(target, "lockkeeper guard").await?;
        lock(&mut guard, patience).await?;
        let watch = own(target, "lockkeeper watch").await?;
        let mut work = Connection::open(target).await?;
        set_up(&mut work, limits).await?;
        Ok(Self { work, watch, guard })
    }

    /// Opens anew what does not answer any more. The runner's lock is kept if the session that holds it is still there; else it is taken again,
    /// and somebody else may have had it meanwhile.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn reopen(&mut self, target: &PgConnectOptions, limits: &Apply) -> Result<(), NoLock> {
        let mut watch = own(target, "lockkeeper watch").await?;
        if watch.texts("SELECT pg_is_in_recovery()::text").await?.concat() == "true" {
            return Err(NoLock::Refused(Refusal { code: READ_ONLY.to_owned(), message: "this server is a standby now".to_owned() }));
        }
        let holds = self.still_ours().await.is_ok();
        watch.run(&end_sessions(self, !holds)).await?;
        if !holds {
            let mut guard = own(target, "lockkeeper guard").await?;
            lock(&mut guard, TO_END).await?;
            self.guard = guard;
        }
        let mut work = Connection::open(target).await?;
        set_up(&mut work, limits).await?;
        (self.watch, self.work) = (watch, work);
        Ok(())
    }

    /// Says goodbye to all of them.
    pub async fn close(self) {
        self.work.close().await;
        self.watch.close().await;
        self.guard.close().await;
    }

    /// Whether nobody else can have become the runner meanwhile.
    ///
    /// # Errors
    /// That the session which holds the lock is gone.
    pub async fn still_ours(&mut self) -> Result<(), Refusal> {
        let held = format!("SELECT 'held' FROM pg_locks WHERE {LOCK} AND pid = pg_backend_pid() AND granted");
        match tokio::time::timeout(ANSWER, self.guard.texts(&held)).await {
            Ok(Ok(rows)) if !rows.is_empty() => Ok(()),
            Ok(Ok(_)) => Err(lost("the runner's lock is gone: something between us and the server has reset the session")),
            Ok(Err(refusal)) => Err(refusal),
            Err(_) => Err(lost("the session that holds the runner's lock does not answer")),
        }
    }
}

/// Ends sessions of ours of which the server does not know yet that nobody listens to them any more. A statement that still runs in the one that
/// worked may come to its end. Their names are asked for because the server gives the number of a process again.
fn end_sessions(old: &Sessions, guard: bool) -> String {
    let guard = if guard { format!("pid = {} AND application_name = 'lockkeeper guard' OR", old.guard.pid()) } else { String::new() };
    format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND ({guard} pid = {} AND application_name = 'lockkeeper watch'
               OR pid = {} AND application_name = 'lockkeeper apply' AND state LIKE 'idle%')",
        old.watch.pid(),
        old.work.pid()
    )
}

/// How long a session that was told to end may take for it.
const TO_END: Duration = Duration::from_secs(2);

/// How long our own short queries may take before the connection counts as lost.
pub const ANSWER: Duration = Duration::from_secs(10);

/// A connection that does not answer any more.
pub fn lost(why: &str) -> Refusal {
    Refusal { code: crate::db::code::CONNECTION.to_owned(), message: why.to_owned() }
}

/// A session for our own queries, in which every name means the server's own. None of them is ever worth waiting for long.
///
/// # Errors
/// What the server says.
pub async fn own(target: &PgConnectOptions, name: &str) -> Result<Connection, Refusal> {
    let mut connection = Connection::open(&target.clone().application_name(name)).await?;
    connection
        .run(
            "SET search_path = pg_catalog; SET standard_conforming_strings = on; SET lock_timeout = '5s'; SET statement_timeout = '10s'; \
             SET default_transaction_read_only = off; SET DateStyle = ISO; SET client_min_messages = error; \
             SET default_transaction_isolation = 'read committed'; SET synchronous_commit = on; \
             SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3",
        )
        .await?;
    Ok(connection)
}

/// What is asked of `pg_locks`.
const LOCK: &str = "locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
                    AND classid = 1819239275 AND objid = 1801807216 AND objsubid = 1";

async fn lock(guard: &mut Connection, patience: Duration) -> Result<(), NoLock> {
    let begin = tokio::time::Instant::now();
    loop {
        let got = guard.texts(&format!("SELECT CASE WHEN pg_try_advisory_lock({RUNNER}) THEN 'yes' ELSE '' END")).await?;
        if got.concat() == "yes" {
            return Ok(());
        }
        if begin.elapsed() >= patience {
            return Err(NoLock::Held(holder(guard).await?));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Who holds the runner's lock, in words; nobody if it is free.
///
/// # Errors
/// What the server says.
pub async fn holder(connection: &mut Connection) -> Result<String, Refusal> {
    let query = format!(
        "SELECT 'process ' || l.pid || coalesce(' (' || nullif(a.application_name, '') || ')', '')
                || coalesce(' of ' || a.usename, '') || coalesce(' from ' || a.client_addr::text, '')
                || coalesce(', for ' || date_trunc('second', clock_timestamp() - a.backend_start)::text, '')
         FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid WHERE {LOCK} AND granted"
    );
    Ok(connection.texts(&query).await?.join("; "))
}

/// Sets the working session to what every file may count on, whatever an earlier one has left behind, and reads it back.
///
/// # Errors
/// What the server says, and a setting that did not take.
pub async fn set_up(work: &mut Connection, limits: &Apply) -> Result<(), Refusal> {
    // DISCARD ALL would take locks of ours away on a shared connection.
    work.run("RESET SESSION AUTHORIZATION; RESET ALL").await?;
    for (name, value) in settings(limits) {
        let set = format!("SELECT pg_catalog.set_config({}, {}, false)", text(&name), text(&value));
        match work.run(&set).await {
            // Some services keep it to themselves; it only tells a server earlier that we are gone.
            Err(_) if name == "client_connection_check_interval" => {}
            other => other?,
        }
    }
    if let Some(role) = &limits.role {
        work.run(&format!("SET ROLE {}", text(role))).await?;
    }
    let timeout = work.texts("SELECT setting FROM pg_catalog.pg_settings WHERE name = 'lock_timeout'").await?.concat();
    if timeout != limits.lock.timeout.as_millis().to_string() {
        let message = format!(
            "lock_timeout was set to {} ms and is {timeout} ms: something between us and the server changes it",
            limits.lock.timeout.as_millis()
        );
        return Err(Refusal { code: NOT_TAKEN.to_owned(), message });
    }
    Ok(())
}

/// read_only_sql_transaction
const READ_ONLY: &str = "25006";

/// Ours: a setting did not take.
const NOT_TAKEN: &str = "LK002";

/// The settings of the working session, in order.
pub fn settings(limits: &Apply) -> Vec<(String, String)> {
    let milliseconds = |time: Duration| format!("{}ms", time.as_millis());
    let fixed = [
        ("application_name", "lockkeeper apply".to_owned()),
        ("standard_conforming_strings", "on".to_owned()),
        ("lock_timeout", milliseconds(limits.lock.timeout)),
        ("statement_timeout", milliseconds(limits.statement_timeout)),
        ("idle_in_transaction_session_timeout", "60s".to_owned()),
        ("client_connection_check_interval", "2s".to_owned()),
        ("TimeZone", "UTC".to_owned()),
        ("DateStyle", "ISO".to_owned()),
        ("extra_float_digits", "3".to_owned()),
        ("check_function_bodies", "on".to_owned()),
        ("default_transaction_read_only", "off".to_owned()),
        ("synchronous_commit", "on".to_owned()),
        ("client_min_messages", "notice".to_owned()),
        ("jit", "off".to_owned()),
    ];
    let path = limits.search_path.iter().map(|path| ("search_path".to_owned(), path.clone()));
    fixed.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(path).chain(limits.settings.iter().cloned()).collect()
}
