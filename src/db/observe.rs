//! What a statement really does on a server: the locks it takes, the tables it rewrites and reads, the indexes it builds.
//!
//! In a transaction the locks stay until its end, so a second session reads them after the statement. A statement that refuses a
//! transaction block gives its locks back while it runs; it is held up at each point where it waits, and its locks are read there.

use super::hold::Obstacles;
use super::picture::{Changes, Counters, Picture};
use super::{Connection, Refusal, code};
use crate::model::effects::{InTransaction, Lock};
use crate::model::lock::LockMode;
use crate::model::name::QualifiedName;
use crate::model::operation::ObjectKind;
use sqlx::Row;
use sqlx::postgres::PgConnectOptions;
use std::collections::BTreeMap;
use std::time::Duration;

/// How often a statement that runs is looked at.
const GLANCE: Duration = Duration::from_millis(2);

/// What a statement was seen to do to relations that existed before it, new indexes aside. What is temporary is left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// Locks above ACCESS SHARE on everything but indexes, strongest mode each, by name. In a transaction that was already open, those
    /// that it held before are among them.
    pub locks: Vec<Lock>,
    /// The same for indexes.
    pub index_locks: Vec<Lock>,
    /// Tables and materialized views that have a new file with rows in it.
    pub rewrites: Vec<QualifiedName>,
    /// Indexes that have a new file although they existed.
    pub rebuilds: Vec<QualifiedName>,
    /// Indexes that are new.
    pub builds: Vec<QualifiedName>,
    /// Tables and materialized views that were read as a whole.
    pub scans: Vec<QualifiedName>,
    /// Whether the server takes it in a transaction block.
    pub transaction: InTransaction,
    /// What the server said if it refused the statement; nothing else was seen then, but locks.
    pub refused: Option<Refusal>,
}

/// Two sessions: one runs the statements, the other looks on.
#[derive(Debug)]
pub struct Observer {
    options: PgConnectOptions,
    runner: Connection,
    witness: Connection,
}

impl Observer {
    /// Opens both sessions.
    ///
    /// # Errors
    /// What the server says.
    pub async fn open(options: &PgConnectOptions) -> Result<Self, Refusal> {
        // Parallel workers would keep the count of what they read to themselves.
        let alone = [("max_parallel_workers_per_gather", "0"), ("max_parallel_maintenance_workers", "0")];
        let runner = Connection::open(&options.clone().options(alone)).await?;
        let witness = Connection::open(options).await?;
        Ok(Self { options: options.clone(), runner, witness })
    }

    /// The session that runs the statements: for what is not to be observed, BEGIN and COMMIT among it.
    pub fn runner(&mut self) -> &mut Connection {
        &mut self.runner
    }

    /// Ends both sessions.
    pub async fn close(self) {
        self.runner.close().await;
        self.witness.close().await;
    }

    /// Runs one statement and tells what it did. What it does stays: in the transaction that is open, else it is committed. Statements
    /// that open or end a transaction do nothing else and are for [`Observer::runner`].
    ///
    /// A statement that refuses a transaction block is held up by sessions that lock the tables `around` and their indexes;
    /// if none are named, all tables.
    ///
    /// # Errors
    /// If the observation fails. That the server refuses the statement is no error but an observation.
    pub async fn observe(&mut self, sql: &str, around: &[QualifiedName]) -> Result<Observed, Refusal> {
        if self.in_transaction().await? {
            return self.in_open_transaction(sql).await;
        }
        self.runner.run("BEGIN").await?;
        let mut observed = self.in_open_transaction(sql).await?;
        match &observed.refused {
            None => observed.refused = self.runner.run("COMMIT").await.err(),
            Some(_) => self.runner.run("ROLLBACK").await?,
        }
        match observed.transaction {
            InTransaction::Allowed => Ok(observed),
            InTransaction::Forbidden => self.held_up(sql, around).await,
        }
    }

    async fn in_transaction(&mut self) -> Result<bool, Refusal> {
        let query = format!("SELECT state FROM pg_catalog.pg_stat_activity WHERE pid = {}", self.runner.pid());
        loop {
            let state = self.witness.texts(&query).await?.concat();
            // A refusal arrives a moment before the server has done with the statement.
            if state != "active" {
                return Ok(state.starts_with("idle in transaction"));
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    async fn in_open_transaction(&mut self, sql: &str) -> Result<Observed, Refusal> {
        let before = match Picture::take(&mut self.runner, Counters::OfTransaction).await {
            Ok(before) => before,
            // The transaction has failed before, so the statement will be refused as well.
            Err(refused) => return Ok(Observed { refused: Some(refused), ..Observed::default() }),
        };
        let refused = self.runner.run(sql).await.err();
        let mut seen = BTreeMap::new();
        self.look_at_locks(&mut seen).await?;
        let changes = match refused {
            None => before.changes(&Picture::take(&mut self.runner, Counters::OfTransaction).await?, false),
            Some(_) => Changes::default(),
        };
        let transaction = match &refused {
            Some(refusal) if [code::ACTIVE_TRANSACTION, code::INVALID_TERMINATION].contains(&refusal.code.as_str()) => {
                InTransaction::Forbidden
            }
            _ => InTransaction::Allowed,
        };
        Ok(Observed { transaction, refused, ..report(&before, &seen, changes) })
    }

    async fn held_up(&mut self, sql: &str, around: &[QualifiedName]) -> Result<Observed, Refusal> {
        self.report_statistics().await?;
        let before = Picture::take(&mut self.witness, Counters::OfServer).await?;
        let around = if around.is_empty() { before.tables().cloned().collect() } else { around.to_vec() };
        let obstacles = Obstacles::put_up(&self.options, &around, &before.indexes_of(&around)).await?;
        let (seen, refused) = self.run_against(obstacles, sql).await?;
        self.report_statistics().await?;
        let changes = match refused {
            None => before.changes(&Picture::take(&mut self.witness, Counters::OfServer).await?, true),
            Some(_) => Changes::default(),
        };
        Ok(Observed { transaction: InTransaction::Forbidden, refused, ..report(&before, &seen, changes) })
    }

    /// Runs the statement; each time it waits, looks at its locks and removes what it waits for.
    async fn run_against(&mut self, mut obstacles: Obstacles, sql: &str) -> Result<(Seen, Option<Refusal>), Refusal> {
        let mut seen = Seen::new();
        let pid = self.runner.pid();
        let mut running = std::pin::pin!(self.runner.run(sql));
        let refused = loop {
            tokio::select! {
                answer = &mut running => break answer.err(),
                () = tokio::time::sleep(GLANCE) => {
                    let in_the_way = blockers(&mut self.witness, pid).await?;
                    // Only what it holds while it waits: what a running statement holds when the witness happens to look is chance.
                    if !in_the_way.is_empty() {
                        look_at_locks(&mut self.witness, pid, &mut seen).await?;
                        obstacles.give_way(&in_the_way).await?;
                    }
                }
            }
        };
        obstacles.clear().await?;
        Ok((seen, refused))
    }

    async fn look_at_locks(&mut self, seen: &mut Seen) -> Result<(), Refusal> {
        look_at_locks(&mut self.witness, self.runner.pid(), seen).await
    }

    /// Makes the server's statistics contain everything that the runner has done.
    async fn report_statistics(&mut self) -> Result<(), Refusal> {
        if self.runner.version() >= 15 {
            return self.runner.run("SELECT pg_catalog.pg_stat_force_next_flush()").await;
        }
        // Before 15 a session reports when it becomes idle, at most each half second, to a process that writes at most each half second.
        tokio::time::sleep(Duration::from_millis(600)).await;
        self.runner.run("SELECT 1").await?;
        tokio::time::sleep(Duration::from_millis(600)).await;
        Ok(())
    }
}

/// The strongest mode seen on each relation, by its object id.
type Seen = BTreeMap<i64, LockMode>;

/// Adds the locks that a session holds and the one that it waits for.
async fn look_at_locks(witness: &mut Connection, pid: i32, seen: &mut Seen) -> Result<(), Refusal> {
    let locks = "SELECT l.relation::pg_catalog.int8, l.mode FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_database d ON d.oid = l.database
                 WHERE l.locktype = 'relation' AND d.datname = pg_catalog.current_database() AND l.pid =";
    for row in witness.rows(&format!("{locks} {pid}")).await? {
        let (relation, mode): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
        if let Some(mode) = LockMode::read(&mode) {
            let strongest = seen.entry(relation).or_insert(mode);
            *strongest = mode.max(*strongest);
        }
    }
    Ok(())
}

async fn blockers(witness: &mut Connection, pid: i32) -> Result<Vec<i32>, Refusal> {
    let rows = witness.rows(&format!("SELECT pg_catalog.unnest(pg_catalog.pg_blocking_pids({pid}))")).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

fn report(before: &Picture, seen: &Seen, changes: Changes) -> Observed {
    let Changes { rewrites, rebuilds, builds, scans } = changes;
    let mut observed = Observed { rewrites, rebuilds, builds, scans, ..Observed::default() };
    let above_access_share = seen.iter().filter(|(_, mode)| **mode > LockMode::AccessShare);
    for (relation, mode) in above_access_share.filter_map(|(id, mode)| Some((before.get(*id)?, *mode))) {
        let lock = Lock { relation: relation.name.clone(), mode };
        match relation.kind {
            ObjectKind::Index => observed.index_locks.push(lock),
            _ => observed.locks.push(lock),
        }
    }
    observed.locks.sort_by(|a, b| a.relation.cmp(&b.relation));
    observed.index_locks.sort_by(|a, b| a.relation.cmp(&b.relation));
    observed
}
