//! Writes the ledger.

use super::{Direction, State, schema, text};
use crate::apply::draft::Draft;
use crate::apply::step::Step;
use crate::db::{Connection, Refusal};
use sqlx::Row;

/// Who calls, and what for.
#[derive(Clone, Debug)]
pub struct NewRun {
    /// `apply`, `rollback`, ...
    pub command: &'static str,
    /// For which environment.
    pub environment: String,
    /// The user of the operating system.
    pub who: String,
    /// The machine.
    pub host: String,
    /// The commit that is checked out, if one is.
    pub git: Option<String>,
}

/// A step that is about to run.
#[derive(Clone, Copy, Debug)]
pub struct Begun<'a> {
    /// The run.
    pub run: i64,
    /// The migration.
    pub key: &'a str,
    /// Which way.
    pub direction: Direction,
    /// The step.
    pub step: &'a Step,
    /// The backend that will run it.
    pub pid: i32,
    /// Which try it is, from 1.
    pub attempt: u32,
}

impl NewRun {
    /// Notes that a run begins, and gives its number. Makes the ledger if there is none.
    ///
    /// # Errors
    /// What the server says.
    pub async fn begin(&self, connection: &mut Connection) -> Result<i64, Refusal> {
        if !super::exists(connection).await? {
            schema::create(connection).await?;
        }
        let git = self.git.as_deref().map_or("NULL".to_owned(), text);
        let sql = format!(
            "INSERT INTO lockkeeper.run (command, environment, who, host, git, tool, state) VALUES ({}, {}, {}, {}, {git}, {}, 'running') RETURNING id",
            text(self.command),
            text(&self.environment),
            text(&self.who),
            text(&self.host),
            text(env!("CARGO_PKG_VERSION")),
        );
        id(connection, &sql).await
    }
}

/// Notes how a run has ended.
///
/// # Errors
/// What the server says.
pub async fn end_run(connection: &mut Connection, run: i64, state: &str, error: Option<&str>) -> Result<(), Refusal> {
    let (state, error) = (text(state), error.map_or("NULL".to_owned(), text));
    connection
        .run(&format!("UPDATE lockkeeper.run SET state = {state}, error = {error}, ended = pg_catalog.clock_timestamp() WHERE id = {run}"))
        .await
}

/// Notes where a migration stands now, and by what it is known. `beside` is what has to be true if and only if that is.
///
/// # Errors
/// What the server says.
pub async fn migration(
    connection: &mut Connection,
    run: i64,
    draft: &Draft,
    about: (&str, Option<(&str, usize)>),
    state: State,
    beside: &str,
) -> Result<(), Refusal> {
    let (class, phase) = about;
    // One message is one transaction (manual: protocol-flow, Multiple Statements in a Simple Query).
    connection.run(&format!("{}; {beside}", migration_sql(run, draft, (Some(class), phase), state))).await
}

/// The SQL for it.
pub fn migration_sql(run: i64, draft: &Draft, about: (Option<&str>, Option<(&str, usize)>), state: State) -> String {
    let (class, plan) = about;
    let (version, class) = (nullable(draft.version.as_deref()), nullable(class));
    let (plan, phase) = plan.map_or(("NULL".to_owned(), "NULL".to_owned()), |(plan, phase)| (text(plan), phase.to_string()));
    format!(
        "INSERT INTO lockkeeper.migration (key, version, name, path, checksum, hash, class, plan, phase, state, run)
         VALUES ({}, {version}, {}, {}, {}, {}, {class}, {plan}, {phase}, {}, {run})
         ON CONFLICT (key) DO UPDATE SET (version, name, path, checksum, hash, class, plan, phase, state, run, changed) =
             (excluded.version, excluded.name, excluded.path, excluded.checksum, excluded.hash, excluded.class, excluded.plan, excluded.phase,
              excluded.state, excluded.run, pg_catalog.clock_timestamp())",
        text(&draft.key), text(&draft.name), text(&draft.path()), text(&draft.checksum), text(&draft.hash), text(state.word()),
    )
}

fn nullable(value: Option<&str>) -> String {
    value.map_or("NULL".to_owned(), text)
}

/// Notes that a step is about to run, and gives the number of its row.
///
/// # Errors
/// What the server says.
pub async fn begin_step(connection: &mut Connection, begun: &Begun<'_>) -> Result<i64, Refusal> {
    let Begun { run, key, direction, step, pid, attempt } = begun;
    let sql = format!(
        "INSERT INTO lockkeeper.step (run, migration, direction, number, kind, hash, state, attempt, pid, backend_start)
         SELECT {run}, {}, {}, {}, {}, {}, 'started', {attempt}, {pid}, (SELECT backend_start FROM pg_catalog.pg_stat_activity WHERE pid = {pid})
         RETURNING id",
        text(key), text(direction.word()), step.number, text(step.kind.word()), text(&step.hash),
    );
    id(connection, &sql).await
}

/// The SQL that notes, inside of a step's own transaction, that it is done. Nothing in it depends on what the migration has set.
pub fn done_inside(step: i64) -> String {
    format!(
        "UPDATE lockkeeper.step SET state = 'done', ended = pg_catalog.clock_timestamp(), xid = pg_catalog.txid_current()::pg_catalog.text \
         WHERE id OPERATOR(pg_catalog.=) {step}"
    )
}

/// Notes how a step has ended: `done`, `adopted` (it was found done) or `failed`.
///
/// # Errors
/// What the server says.
pub async fn end_step(connection: &mut Connection, step: i64, state: &str, error: Option<&str>) -> Result<(), Refusal> {
    let (state, error) = (text(state), error.map_or("NULL".to_owned(), text));
    connection
        .run(&format!(
            "UPDATE lockkeeper.step SET state = {state}, error = {error}, ended = pg_catalog.clock_timestamp() WHERE id = {step}"
        ))
        .await
}

/// Notes how many bytes of WAL the server wrote while a step ran, others' included.
///
/// # Errors
/// What the server says.
pub async fn note_wal(connection: &mut Connection, step: i64, bytes: &str) -> Result<(), Refusal> {
    connection.run(&format!("UPDATE lockkeeper.step SET wal_bytes = {} WHERE id = {step}", text(bytes))).await
}

/// Notes that the steps of a migration are undone: none of them counts any more.
///
/// # Errors
/// What the server says.
pub async fn undo_steps(connection: &mut Connection, key: &str) -> Result<(), Refusal> {
    connection
        .run(&format!(
            "UPDATE lockkeeper.step SET undone = true WHERE migration = {}; DELETE FROM lockkeeper.job WHERE migration = {0}",
            text(key)
        ))
        .await
}

/// Notes something that happened.
///
/// # Errors
/// What the server says.
pub async fn event(connection: &mut Connection, run: i64, kind: &str, words: &str) -> Result<(), Refusal> {
    connection.run(&event_sql(run, kind, words)).await
}

/// The SQL for it.
pub fn event_sql(run: i64, kind: &str, words: &str) -> String {
    format!("INSERT INTO lockkeeper.event (run, kind, text) VALUES ({run}, {}, {})", text(kind), text(words))
}

async fn id(connection: &mut Connection, sql: &str) -> Result<i64, Refusal> {
    let rows = connection.rows(sql).await?;
    Ok(rows.first().ok_or(sqlx::Error::RowNotFound)?.try_get(0)?)
}
