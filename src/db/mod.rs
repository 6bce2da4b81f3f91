//! Live servers: connections, throw-away servers, and what a statement really does.

pub mod dump;
pub mod installed;
pub mod observe;
pub mod schema;
pub mod server;
pub mod sizes;
pub mod target;

mod hold;
mod picture;

use crate::problem::Problem;
use sqlx::postgres::{PgConnectOptions, PgDatabaseError, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, PgConnection, Row};
use std::fmt;
use std::future::Future;

/// The error codes that are asked for by name (manual: errcodes-appendix).
pub mod code {
    /// `active_sql_transaction`: the statement cannot run inside a transaction block.
    pub const ACTIVE_TRANSACTION: &str = "25001";
    /// `invalid_transaction_termination`: a procedure or DO block commits, and a transaction block is open around it.
    pub const INVALID_TERMINATION: &str = "2D000";
    /// `unique_violation`
    pub const UNIQUE_VIOLATION: &str = "23505";
    /// `out_of_memory`, of the table of locks above all.
    pub const OUT_OF_MEMORY: &str = "53200";
    /// `connection_exception`: no answer at all.
    pub const CONNECTION: &str = "08000";
}

/// What the server answers when it refuses a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// SQLSTATE, five characters.
    pub code: String,
    /// The server's message.
    pub message: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (SQLSTATE {})", self.message, self.code)
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(answer) => {
                let code = answer.code().unwrap_or_default().into_owned();
                // Only here the rest of the answer says what is to be done: which rows are twice, which setting is too small.
                let more = answer.try_downcast_ref::<PgDatabaseError>().and_then(|answer| match code.as_str() {
                    code::UNIQUE_VIOLATION => answer.detail(),
                    code::OUT_OF_MEMORY => answer.hint(),
                    _ => None,
                });
                let message = more.map_or_else(|| answer.message().to_owned(), |more| format!("{}: {more}", answer.message()));
                Self { code, message }
            }
            other => Self { code: code::CONNECTION.to_owned(), message: other.to_string() },
        }
    }
}

/// One session on a server.
///
/// Everything goes through the simple protocol, as psql sends it: no prepared statement is left behind that a `DISCARD ALL` of a migration
/// would take away, and what works here works there.
#[derive(Debug)]
pub struct Connection {
    inner: PgConnection,
    pid: i32,
    version: u8,
}

impl Connection {
    /// Opens a session.
    ///
    /// # Errors
    /// What the server or the operating system says.
    pub async fn open(options: &PgConnectOptions) -> Result<Self, Refusal> {
        let inner = options.clone().extra_float_digits(None).disable_statement_logging().connect().await?;
        let mut session = Self { inner, pid: 0, version: 0 };
        let rows =
            session.rows("SELECT pg_catalog.pg_backend_pid(), pg_catalog.current_setting('server_version_num')::int / 10000").await?;
        let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
        session.pid = row.try_get(0)?;
        session.version = u8::try_from(row.try_get::<i32, _>(1)?).unwrap_or(u8::MAX);
        Ok(session)
    }

    /// The process that serves it.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// The server's major version.
    pub fn version(&self) -> u8 {
        self.version
    }

    /// Runs one statement or several and throws rows away.
    ///
    /// # Errors
    /// The server's refusal of the first statement that fails.
    pub async fn run(&mut self, sql: &str) -> Result<(), Refusal> {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.inner).await?;
        Ok(())
    }

    /// Runs one query and gives its rows.
    ///
    /// # Errors
    /// The server's refusal.
    pub async fn rows(&mut self, sql: &str) -> Result<Vec<PgRow>, Refusal> {
        Ok(sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut self.inner).await?)
    }

    /// Runs one query and gives its first column as text, NULL as an empty string.
    ///
    /// # Errors
    /// The server's refusal, or that the column is no text.
    pub async fn texts(&mut self, sql: &str) -> Result<Vec<String>, Refusal> {
        let rows = self.rows(sql).await?;
        rows.iter().map(|row| Ok(row.try_get::<Option<String>, _>(0)?.unwrap_or_default())).collect()
    }

    /// Sends `data` to a `COPY ... FROM STDIN`.
    ///
    /// # Errors
    /// The server's refusal.
    pub async fn copy_in(&mut self, sql: &str, data: &[u8]) -> Result<(), Refusal> {
        let mut copy = self.inner.copy_in_raw(sql).await?;
        copy.send(data).await?;
        copy.finish().await?;
        Ok(())
    }

    /// Says goodbye. A session that is only dropped is noticed by the server a moment later.
    pub async fn close(self) {
        // The server may have ended it already, for example by DROP DATABASE ... WITH (FORCE); then there is nobody left to tell.
        let _ = self.inner.close().await;
    }
}

/// Runs a future to its end on this thread. All sessions that it uses must be opened inside it.
///
/// # Errors
/// If the operating system gives no event queue.
pub fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => Ok(runtime.block_on(future)),
        Err(error) => Err(server::problem("db::runtime", format!("cannot wait for a server: {error}"), None)),
    }
}
