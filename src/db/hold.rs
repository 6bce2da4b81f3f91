//! Holds a statement up on purpose, once at every point where it would wait for others.

use super::{Connection, Refusal};
use crate::model::lock::LockMode;
use crate::model::name::QualifiedName;
use sqlx::postgres::PgConnectOptions;
use std::collections::BTreeMap;

/// Each mode is held by a session of its own on each table, so that a statement gets past one and is caught by the next. They let each
/// other in, and together they stop everything from SHARE UPDATE EXCLUSIVE on.
const HELD: [LockMode; 3] = [LockMode::AccessShare, LockMode::RowExclusive, LockMode::ShareUpdateExclusive];

/// Idle transactions, each in somebody's way.
#[derive(Debug, Default)]
pub(super) struct Obstacles(BTreeMap<i32, Connection>);

impl Obstacles {
    /// Opens a transaction for each table and mode, one for each index, and one with an old snapshot.
    pub(super) async fn put_up(options: &PgConnectOptions, tables: &[QualifiedName], indexes: &[QualifiedName]) -> Result<Self, Refusal> {
        let mut obstacles = Self::default();
        obstacles.add(options, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1").await?;
        for table in tables {
            for mode in HELD {
                obstacles.add(options, &format!("BEGIN; LOCK TABLE ONLY {} IN {mode} MODE", quoted(table))).await?;
            }
        }
        for index in indexes {
            // LOCK TABLE takes no index. This locks it, in SHARE UPDATE EXCLUSIVE, and its table not at all.
            obstacles.add(options, &format!("BEGIN; COMMENT ON INDEX {} IS NULL", quoted(index))).await?;
        }
        Ok(obstacles)
    }

    async fn add(&mut self, options: &PgConnectOptions, sql: &str) -> Result<(), Refusal> {
        let mut connection = Connection::open(options).await?;
        connection.run(sql).await?;
        self.0.insert(connection.pid(), connection);
        Ok(())
    }

    /// Takes away those that `pids` names, and no others.
    pub(super) async fn give_way(&mut self, pids: &[i32]) -> Result<(), Refusal> {
        for pid in pids {
            if let Some(mut connection) = self.0.remove(pid) {
                connection.run("ROLLBACK").await?;
                connection.close().await;
            }
        }
        Ok(())
    }

    /// Takes all away.
    pub(super) async fn clear(mut self) -> Result<(), Refusal> {
        let all: Vec<i32> = self.0.keys().copied().collect();
        self.give_way(&all).await
    }
}

/// A name as SQL, in quotes.
pub(super) fn quoted(name: &QualifiedName) -> String {
    let part = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    format!("{}.{}", part(name.schema.as_str()), part(name.name.as_str()))
}
