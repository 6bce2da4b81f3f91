//! Two ways on from the same database, each run on a copy of it.

use super::compare::{Declared, End};
use crate::fill::fill_with;
use crate::play::{apply, run_statements, stays_in_one_transaction};
use crate::servers::{copy_of, new_database, remove_database};
use lockkeeper::db::server::Server;
use lockkeeper::db::{Connection, Refusal};
use lockkeeper::model::session::TransactionMode;
use lockkeeper::text::SourceFile;
use sqlx::postgres::PgConnectOptions;
use std::sync::Arc;

/// A file, and how its runner puts it into transactions.
#[derive(Clone, Debug)]
pub struct File {
    pub source: Arc<SourceFile>,
    pub mode: TransactionMode,
}

/// A database that others are made from. Nobody stays connected to it.
pub struct Original<'s> {
    server: &'s Server,
    pub database: PgConnectOptions,
}

impl<'s> Original<'s> {
    /// Runs the files in a new database. Before each of them but the first, and at the end, tables without rows get so many.
    pub async fn make(server: &'s Server, files: &[File], rows: u32) -> Result<Self, Refusal> {
        let database = new_database(server).await;
        for file in files {
            let mut connection = Connection::open(&database).await?;
            apply(&mut connection, &file.source, file.mode).await?;
            if rows > 0 {
                fill_with(&mut connection, rows).await?;
            }
            connection.close().await;
        }
        Ok(Self { server, database })
    }

    /// A copy of it.
    pub async fn copy(&self) -> PgConnectOptions {
        copy_of(self.server, &self.database).await
    }

    /// What it looks like itself.
    pub async fn look(&self, declared: &Declared) -> Result<End, Refusal> {
        look(&self.database, declared).await
    }

    /// The end of a way that is not taken: in a transaction that is rolled back. `None` if that is not possible, or is refused: a sequence
    /// does not come back, and some statements want no transaction.
    async fn end_undone(&self, files: &[File], declared: &Declared) -> Result<Option<End>, Refusal> {
        if !files.iter().all(|file| stays_in_one_transaction(&file.source, file.mode)) {
            return Ok(None);
        }
        let mut connection = Connection::open(&self.database).await?;
        let mut end = None;
        if connection.rows("SELECT FROM pg_sequence LIMIT 1").await?.is_empty() {
            connection.run("BEGIN").await?;
            let mut done = Ok(());
            for file in files {
                done = done.and(run_statements(&mut connection, &file.source).await);
                // What COMMIT would look at.
                done = done.and(connection.run("SET CONSTRAINTS ALL IMMEDIATE").await);
            }
            if done.is_ok() {
                end = Some(End::look(&mut connection, declared).await?);
            }
            connection.run("ROLLBACK").await?;
        }
        connection.close().await;
        Ok(end)
    }

    /// Runs files on a copy of it and gives its end, or what the server refused.
    pub async fn end(&self, files: &[File], declared: &Declared) -> Result<Result<End, Refusal>, Refusal> {
        if let Some(end) = self.end_undone(files, declared).await? {
            return Ok(Ok(end));
        }
        let copy = self.copy().await;
        let mut connection = Connection::open(&copy).await?;
        let mut refused = None;
        for file in files {
            refused = run(&mut connection, file).await.err();
            if refused.is_some() {
                break;
            }
        }
        connection.close().await;
        let end = match refused {
            None => Ok(look(&copy, declared).await?),
            Some(refusal) => Err(refusal),
        };
        remove_database(self.server, &copy).await;
        Ok(end)
    }

    /// Removes it.
    pub async fn remove(self) {
        remove_database(self.server, &self.database).await;
    }
}

/// Runs a file, and leaves the session as if it were a new one.
pub async fn run(connection: &mut Connection, file: &File) -> Result<(), Refusal> {
    apply(connection, &file.source, file.mode).await?;
    connection.run("DISCARD ALL").await
}

/// Looks at a database.
pub async fn look(database: &PgConnectOptions, declared: &Declared) -> Result<End, Refusal> {
    let mut connection = Connection::open(database).await?;
    let end = End::look(&mut connection, declared).await;
    connection.close().await;
    end
}
