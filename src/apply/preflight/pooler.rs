//! Whether a pooler hands the server's processes from one client to another between transactions.
//!
//! Then an advisory lock stays with a process that others use, settings of one session reach others, and nobody can be sure to be alone.

use super::{Check, Limits, Verdict};
use crate::db::{Connection, Refusal};
use sqlx::postgres::PgConnectOptions;
use std::future::Future;
use tokio::time::timeout;

/// How many processes are taken away at most, until the one that knows the token is among them.
const CROWD: usize = 3;

/// How many sessions `apply` has: one that runs, one that watches, one that guards.
const NEEDED: usize = 3;

/// A setting that nothing else has.
const TOKEN: &str = "lockkeeper.token";

const NEXT: &str = "connect to the server itself, or to a pool in session mode: direct_url";

/// What became of a session.
enum Seen {
    /// It keeps its process.
    Kept,
    /// Another client has got its process, or it has got another one.
    Moved(&'static str),
    /// No further process is free.
    Full,
}

/// Leaves a token in one session, takes processes away with others, and looks where the token is. Needs up to four connections.
///
/// # Errors
/// If no connection can be opened.
pub async fn check(options: &PgConnectOptions, limits: &Limits) -> Result<Check, Refusal> {
    let mut first = Connection::open(options).await?;
    let mut crowd = Vec::new();
    let seen = look(&mut first, &mut crowd, options, limits).await;
    for connection in crowd {
        connection.close().await;
    }
    // A process that others will get must not keep it.
    let _ = bounded(limits, first.run(&format!("RESET {TOKEN}"))).await;
    first.close().await;
    let check = |verdict, evidence: &str, next: Option<&str>| Check {
        id: "pooler",
        verdict,
        evidence: evidence.to_owned(),
        next: next.map(str::to_owned),
    };
    Ok(match seen? {
        Seen::Kept => check(Verdict::Pass, "each session keeps its own process of the server", None),
        Seen::Moved(how) => {
            check(Verdict::Fail, &format!("a pooler in transaction mode: {how}, so no lock of a session protects anything"), Some(NEXT))
        }
        Seen::Full => check(Verdict::Fail, "a pooler without room for further sessions: three are needed at once", Some(NEXT)),
    })
}

async fn look(first: &mut Connection, crowd: &mut Vec<Connection>, options: &PgConnectOptions, limits: &Limits) -> Result<Seen, Refusal> {
    let token = format!("{}-{}", std::process::id(), first.pid());
    first.run(&format!("SET {TOKEN} = '{token}'")).await?;
    for _ in 0..CROWD {
        let Some(other) = bounded(limits, another(options)).await else {
            return Ok(if crowd.len() + 1 < NEEDED { Seen::Full } else { Seen::Kept });
        };
        let mut other = other?;
        let read = other.texts(&read_token()).await;
        crowd.push(other);
        if read?.concat() == token {
            return Ok(Seen::Moved("a setting of one session was found in another"));
        }
        match bounded(limits, first.texts(&read_token())).await {
            // The process has gone to those who are in a transaction.
            None => return Ok(Seen::Moved("a session waits for a process that another has taken")),
            Some(mine) if mine.as_ref().is_ok_and(|mine| mine.concat() != token) => {
                return Ok(Seen::Moved("a setting of a session is gone with its process"));
            }
            Some(mine) => drop(mine?),
        }
    }
    Ok(Seen::Kept)
}

/// A session that holds on to its process.
async fn another(options: &PgConnectOptions) -> Result<Connection, Refusal> {
    let mut other = Connection::open(options).await?;
    other.run("BEGIN TRANSACTION READ ONLY").await?;
    Ok(other)
}

fn read_token() -> String {
    format!("SELECT pg_catalog.current_setting('{TOKEN}', true)")
}

/// `None` if it takes longer than a query may wait for a lock: a pooler lets its clients wait.
async fn bounded<T>(limits: &Limits, what: impl Future<Output = T>) -> Option<T> {
    timeout(limits.lock_timeout, what).await.ok()
}
