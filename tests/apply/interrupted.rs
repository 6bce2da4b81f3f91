//! Statements that are broken off half way: somebody holds them up, and then they are cancelled.

use lockkeeper::db::Connection;
use sqlx::postgres::PgConnectOptions;
use std::time::Duration;

/// An idle transaction with an old snapshot: an index is built, but not made valid, as long as it is there.
pub const OLD_SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1";

/// How often a statement that is to wait is looked at.
const GLANCE: Duration = Duration::from_millis(5);

/// A session, for a setup that has to succeed.
pub async fn session(database: &PgConnectOptions) -> Connection {
    Connection::open(database).await.expect("the server answers")
}

/// Runs statements, each by itself.
pub async fn run(database: &PgConnectOptions, statements: &[&str]) {
    let mut session = session(database).await;
    for sql in statements {
        session.run(sql).await.unwrap_or_else(|refusal| panic!("{sql}: {refusal}"));
    }
    session.close().await;
}

/// Runs `sql` until it waits for the transaction that `holder` has opened, calls `meanwhile`, and cancels it.
pub async fn interrupted<T>(database: &PgConnectOptions, holder: &str, sql: &str, meanwhile: impl AsyncFnOnce(i32) -> T) -> T {
    let (mut held, mut runner, mut witness) = (session(database).await, session(database).await, session(database).await);
    held.run(holder).await.expect("the holder's statement is fine");
    let (pid, holder_pid) = (runner.pid(), held.pid());
    let cancel = async {
        let waits = format!("SELECT 1::text WHERE {holder_pid} = ANY (pg_blocking_pids({pid}))");
        while witness.texts(&waits).await.expect("the witness stays connected").is_empty() {
            tokio::time::sleep(GLANCE).await;
        }
        let told = meanwhile(pid).await;
        witness.run(&format!("SELECT pg_cancel_backend({pid})")).await.expect("a superuser may cancel");
        told
    };
    let (answer, told) = tokio::join!(runner.run(sql), cancel);
    assert_eq!(answer.expect_err("it was cancelled").code, "57014", "{sql}");
    for connection in [held, runner, witness] {
        connection.close().await;
    }
    told
}

/// The same, and nobody looks on.
pub async fn broken_off(database: &PgConnectOptions, holder: &str, sql: &str) {
    interrupted(database, holder, sql, async |_| ()).await;
}
