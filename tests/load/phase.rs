//! The files of a plan, read and run as a careful operator does.

use lockkeeper::db::{Connection, Refusal};
use lockkeeper::model::lock::LockMode;
use lockkeeper::sql::split::{Piece, split};
use lockkeeper::text::{SourceFile, Span};
use sqlx::Row;
use sqlx::postgres::PgConnectOptions;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

/// What begins the lines of a plan's header.
const HEADER: &str = "-- lockkeeper: ";

/// `lock_not_available`, `deadlock_detected`: nothing has been done, and the next attempt may succeed.
const WORTH_A_RETRY: [&str; 2] = ["55P03", "40P01"];

/// An operator who has been refused this often looks for who is in the way.
const MOST_ATTEMPTS: u32 = 50;

/// How often the locks of a statement are looked at that runs outside of a transaction block.
const GLANCE: Duration = Duration::from_millis(5);

/// One file of a plan.
#[derive(Clone, Debug)]
pub struct Phase {
    /// Its name.
    pub name: String,
    /// What has to be deployed before it.
    pub deploy: Option<String>,
    /// Queries that have to answer `true` before it.
    pub asserts: Vec<String>,
    /// Its statements, as they stand there.
    pub statements: Vec<String>,
}

impl Phase {
    /// Reads a file that is run as psql runs it: BEGIN and COMMIT stand there where they are meant.
    pub fn read(name: &str, sql: &str) -> Self {
        let said = |key: &str| {
            let lines = sql.lines().filter_map(|line| line.trim_start().strip_prefix(HEADER));
            lines.filter_map(|line| line.strip_prefix(key)?.strip_prefix(' ')).map(str::to_owned).collect::<Vec<_>>()
        };
        Self { name: name.to_owned(), deploy: said("deploy").pop(), asserts: said("assert"), statements: statements(sql) }
    }

    /// How long one of its statements waits for a lock at most, as the file sets it.
    pub fn lock_wait(&self) -> Duration {
        let set = self.statements.iter().filter_map(|sql| {
            let (setting, value) = sql.split_once("lock_timeout")?;
            let value = value.trim_matches(|c: char| c.is_whitespace() || c == '=' || c == '\'');
            setting.trim_start().to_ascii_uppercase().starts_with("SET").then(|| duration(value.trim_start_matches("TO ")))
        });
        set.max().unwrap_or_default()
    }
}

/// Reads `2s`, `500ms`, `2000`.
fn duration(text: &str) -> Duration {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let digits = digits.trim_start_matches(|c: char| !c.is_ascii_digit());
    let number = digits.parse().unwrap_or_else(|_| panic!("{text} is no lock_timeout"));
    if text.trim_end_matches('\'').ends_with("ms") || !text.contains('s') {
        Duration::from_millis(number)
    } else {
        Duration::from_secs(number)
    }
}

fn statements(sql: &str) -> Vec<String> {
    let source = SourceFile::new("phase.sql", sql);
    let end = u32::try_from(sql.len()).expect("a phase is short");
    let text = |piece: Piece| match piece {
        Piece::Sql(span) => source.text(span).into_owned(),
        other => panic!("{other:?} is no statement:\n{sql}"),
    };
    split(&source, Span::new(0, end)).pieces.into_iter().map(text).collect()
}

/// What a phase did.
#[derive(Clone, Debug)]
pub struct Ran {
    /// When it began.
    pub begin: Instant,
    /// When it was done.
    pub end: Instant,
    /// How often it was refused for a lock that was not to be had in time.
    pub retries: u32,
    /// The strongest lock that it took on a table that existed before the plan, and on which.
    pub strongest: Option<(LockMode, Vec<String>)>,
    /// Rows that were read one after the other in transactions that kept writers or readers waiting meanwhile.
    pub read_while_blocking: i64,
}

/// Runs phases, and sees which locks they take.
pub struct Operator {
    runner: Connection,
    witness: Connection,
    /// The tables that were there at the beginning, by their object id.
    tables: BTreeMap<i64, String>,
}

impl Operator {
    /// Opens its two sessions.
    pub async fn begin(options: &PgConnectOptions) -> Self {
        let runner = Connection::open(options).await.expect("the server answers");
        let mut witness = Connection::open(options).await.expect("the server answers");
        let tables =
            "SELECT oid::int8, relname::text FROM pg_class WHERE relkind IN ('r', 'p', 'v') AND relnamespace = 'public'::regnamespace";
        let rows = witness.rows(tables).await.expect("the catalog can be read");
        let tables = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        Self { runner, witness, tables }
    }

    /// Whether a query answers `true`.
    pub async fn holds(&mut self, assertion: &str) -> Result<bool, Refusal> {
        let rows = self.runner.rows(assertion).await?;
        Ok(rows.len() == 1 && rows[0].try_get::<Option<bool>, _>(0)? == Some(true))
    }

    /// Runs a phase; tries again when a lock was not to be had.
    pub async fn run(&mut self, phase: &Phase) -> Result<Ran, (String, Refusal)> {
        let mut locks = Locks::default();
        let begin = Instant::now();
        let mut retries = 0;
        let mut rest: &[String] = &phase.statements;
        while let Some(first) = rest.first() {
            let commit = || rest.iter().position(|sql| is(sql, "COMMIT")).expect("a transaction that begins in a file ends in it");
            let (now, later) = rest.split_at(if is(first, "BEGIN") { commit() + 1 } else { 1 });
            retries += self.transaction(now, &mut locks).await?;
            rest = later;
        }
        let end = Instant::now();
        let strongest = locks.held.values().max().copied().map(|mode| {
            let on = locks.held.iter().filter(|(_, held)| **held == mode).filter_map(|(id, _)| self.tables.get(id).cloned());
            (mode, on.collect())
        });
        Ok(Ran { begin, end, retries, strongest, read_while_blocking: locks.read_while_blocking })
    }

    /// Runs statements that are done or not done together, until they are done, and tells how often that was in vain.
    async fn transaction(&mut self, statements: &[String], locks: &mut Locks) -> Result<u32, (String, Refusal)> {
        let mut retries = 0;
        loop {
            let Err((sql, refusal)) = self.attempt(statements, locks).await else { return Ok(retries) };
            if !WORTH_A_RETRY.contains(&refusal.code.as_str()) || retries == MOST_ATTEMPTS {
                return Err((sql, refusal));
            }
            retries += 1;
            self.runner.run("ROLLBACK").await.map_err(|refusal| (sql, refusal))?;
            tokio::time::sleep(Duration::from_millis(50 + RandomState::new().hash_one(retries) % 200)).await;
        }
    }

    async fn attempt(&mut self, statements: &[String], locks: &mut Locks) -> Result<(), (String, Refusal)> {
        let mut read_before = 0;
        for sql in statements {
            let failed = |refusal| (sql.clone(), refusal);
            if statements.len() == 1 {
                self.watched(sql, locks).await.map_err(failed)?;
                continue;
            }
            if is(sql, "COMMIT") {
                self.look_before_commit(read_before, locks).await.map_err(failed)?;
            }
            self.runner.run(sql).await.map_err(failed)?;
            if is(sql, "BEGIN") {
                read_before = self.rows_read().await.map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Rows that the runner has read one after the other, counted from some moment on.
    async fn rows_read(&mut self) -> Result<i64, Refusal> {
        let read = "SELECT coalesce(sum(seq_tup_read), 0)::int8::text FROM pg_stat_xact_user_tables";
        Ok(self.runner.texts(read).await?.concat().parse().expect("a count"))
    }

    /// What a transaction has locked is locked until its end.
    async fn look_before_commit(&mut self, read_before: i64, locks: &mut Locks) -> Result<(), Refusal> {
        let mut of_transaction = Locks::default();
        let pid = self.runner.pid();
        look(&mut self.runner, pid, &self.tables, &mut of_transaction).await?;
        let blocks = of_transaction.held.values().any(|mode| *mode >= LockMode::Share);
        if blocks {
            locks.read_while_blocking += self.rows_read().await? - read_before;
        }
        for (relation, mode) in of_transaction.held {
            locks.note(relation, mode);
        }
        Ok(())
    }

    /// Runs a statement and looks at its locks while it runs.
    async fn watched(&mut self, sql: &str, locks: &mut Locks) -> Result<(), Refusal> {
        let pid = self.runner.pid();
        let mut running = std::pin::pin!(self.runner.run(sql));
        loop {
            tokio::select! {
                answer = &mut running => return answer,
                () = tokio::time::sleep(GLANCE) => look(&mut self.witness, pid, &self.tables, locks).await?,
            }
        }
    }

    /// Ends both sessions.
    pub async fn end(self) {
        self.runner.close().await;
        self.witness.close().await;
    }
}

/// What was seen of locks.
#[derive(Default)]
struct Locks {
    /// The strongest mode on each table, by its object id.
    held: BTreeMap<i64, LockMode>,
    read_while_blocking: i64,
}

impl Locks {
    fn note(&mut self, relation: i64, mode: LockMode) {
        let strongest = self.held.entry(relation).or_insert(mode);
        *strongest = mode.max(*strongest);
    }
}

async fn look(session: &mut Connection, pid: i32, tables: &BTreeMap<i64, String>, locks: &mut Locks) -> Result<(), Refusal> {
    let held = format!("SELECT relation::int8, mode FROM pg_locks WHERE locktype = 'relation' AND granted AND pid = {pid}");
    for row in session.rows(&held).await? {
        let (relation, mode): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
        if let Some(mode) = LockMode::read(&mode).filter(|_| tables.contains_key(&relation)) {
            locks.note(relation, mode);
        }
    }
    Ok(())
}

fn is(sql: &str, word: &str) -> bool {
    sql.split_whitespace().next().is_some_and(|first| first.eq_ignore_ascii_case(word))
}
