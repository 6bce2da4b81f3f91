//! Plays a migration on a server as its runner would, and looks at each statement.

use lockkeeper::db::observe::{Observed, Observer};
use lockkeeper::db::{Connection, Refusal};
use lockkeeper::model::name::{Ident, QualifiedName};
use lockkeeper::model::operation::Operation;
use lockkeeper::model::session::TransactionMode;
use lockkeeper::sql::{self, Statement};
use lockkeeper::text::{SourceFile, Span};
use sqlx::Row;
use std::collections::BTreeMap;

/// A statement that was run.
#[derive(Debug)]
pub struct Step {
    /// Its index in the file.
    pub statement: usize,
    /// Which of the transactions it ran in, counted from 0. A statement that commits for itself has one of its own.
    pub transaction: usize,
    /// The relations that were there before it, by name and object id: earlier statements of the file rename and drop.
    pub there: Relations,
    /// What it did. Statements that only open, end or configure transactions do nothing that is looked at.
    pub observed: Option<Observed>,
}

/// Relations by name, with their object ids.
pub type Relations = BTreeMap<QualifiedName, i64>;

/// A migration that was run, up to its end or to the statement that failed.
#[derive(Debug, Default)]
pub struct Played {
    /// Its statements in order, without psql's own.
    pub steps: Vec<Step>,
    /// Why it was not run to its end.
    pub refused: Option<Refusal>,
}

impl Played {
    /// What the last statement did that did anything.
    pub fn last(&self) -> Option<&Observed> {
        self.steps.iter().rev().find_map(|step| step.observed.as_ref())
    }
}

/// Runs a file. What the witness cannot see is an error of the test.
pub async fn play(observer: &mut Observer, source: &SourceFile, mode: TransactionMode) -> Played {
    let statements = sql::read(source, whole(source)).statements;
    let wrapped = is_wrapped(&statements, mode);
    let mut played = Played::default();
    let mut transaction = 0;
    let mut in_block = wrapped;
    if wrapped {
        observer.runner().run("BEGIN").await.expect("a new connection takes a BEGIN");
    }
    for (index, statement) in statements.iter().enumerate() {
        if is(statement, |operation| matches!(operation, Operation::PsqlCommand { .. })) {
            continue;
        }
        // In a failed transaction nothing can be asked, and nothing will be done.
        let there = relations(observer.runner()).await.unwrap_or_default();
        let (observed, refused) = run(observer, source, statement).await;
        played.steps.push(Step { statement: index, transaction, there, observed });
        let begins = is(statement, |operation| matches!(operation, Operation::Begin));
        let ends = is(statement, |operation| matches!(operation, Operation::Commit { .. } | Operation::Rollback { .. }));
        in_block = (in_block || begins) && !ends;
        transaction += usize::from(!in_block);
        if refused.is_some() {
            played.refused = refused;
            break;
        }
    }
    // Where the file has ended the runner's transaction itself, the server only warns.
    if wrapped && played.refused.is_none() {
        played.refused = observer.runner().run("COMMIT").await.err();
    }
    played
}

/// Runs a file without looking at what it does.
pub async fn apply(connection: &mut Connection, source: &SourceFile, mode: TransactionMode) -> Result<(), Refusal> {
    let statements = sql::read(source, whole(source)).statements;
    let wrapped = is_wrapped(&statements, mode);
    if wrapped {
        connection.run("BEGIN").await?;
    }
    run_statements(connection, source).await?;
    if wrapped { connection.run("COMMIT").await } else { Ok(()) }
}

/// Whether all that a file does is undone by a ROLLBACK behind it.
pub fn stays_in_one_transaction(source: &SourceFile, mode: TransactionMode) -> bool {
    let statements = sql::read(source, whole(source)).statements;
    let steers = |operation: &Operation| {
        use Operation::{Begin, Commit, Rollback, TwoPhase};
        matches!(operation, Begin | Commit { .. } | Rollback { .. } | TwoPhase(_))
    };
    is_wrapped(&statements, mode) && !statements.iter().any(|statement| is(statement, steers))
}

/// Runs all statements of a file, in whatever transaction is open.
pub async fn run_statements(connection: &mut Connection, source: &SourceFile) -> Result<(), Refusal> {
    for statement in &sql::read(source, whole(source)).statements {
        let text = source.text(statement.span);
        match data_of(source, statement) {
            Some(data) => connection.copy_in(&text, data).await?,
            None if is(statement, |operation| matches!(operation, Operation::PsqlCommand { .. })) => {}
            None => connection.run(&text).await?,
        }
    }
    Ok(())
}

/// Whether the runner puts a transaction around the file.
fn is_wrapped(statements: &[Statement], mode: TransactionMode) -> bool {
    let says_begin = || statements.iter().any(|statement| is(statement, |operation| matches!(operation, Operation::Begin)));
    match mode {
        TransactionMode::Runner | TransactionMode::Assumed(true) => true,
        TransactionMode::None | TransactionMode::Explicit | TransactionMode::Assumed(false) => false,
        // One message with one statement is no transaction block, and BEGIN makes its own.
        TransactionMode::OneMessage => statements.len() > 1 && !says_begin(),
    }
}

async fn run(observer: &mut Observer, source: &SourceFile, statement: &Statement) -> (Option<Observed>, Option<Refusal>) {
    let text = source.text(statement.span);
    if let Some(data) = data_of(source, statement) {
        return (None, observer.runner().copy_in(&text, data).await.err());
    }
    if is(statement, only_steers) {
        return (None, observer.runner().run(&text).await.err());
    }
    let observed = observer.observe(&text, &[]).await.expect("the witness stays connected");
    let refused = observed.refused.clone();
    (Some(observed), refused)
}

async fn relations(connection: &mut Connection) -> Result<Relations, Refusal> {
    let sql = "SELECT n.nspname::text, c.relname::text, c.oid::int8 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n
               ON n.oid = c.relnamespace WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_t'";
    let read = |row: &sqlx::postgres::PgRow| {
        let (schema, name): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        Ok((QualifiedName { schema: Ident::quoted(&schema), name: Ident::quoted(&name) }, row.try_get(2)?))
    };
    connection.rows(sql).await?.iter().map(read).collect()
}

fn is(statement: &Statement, what: impl Fn(&Operation) -> bool) -> bool {
    statement.operations.iter().any(|operation| what(&operation.what))
}

/// Whether a statement is about the session or its transaction alone.
fn only_steers(operation: &Operation) -> bool {
    use Operation::{Begin, Commit, Release, Reset, Rollback, RollbackTo, Savepoint, Set, SetConstraints, TwoPhase};
    matches!(
        operation,
        Begin
            | Commit { .. }
            | Rollback { .. }
            | Savepoint(_)
            | Release(_)
            | RollbackTo(_)
            | TwoPhase(_)
            | Set { .. }
            | Reset { .. }
            | SetConstraints { .. }
    )
}

/// The data that stands behind a COPY FROM STDIN, from the next line on.
fn data_of<'a>(source: &'a SourceFile, statement: &Statement) -> Option<&'a [u8]> {
    let length = statement.operations.iter().find_map(|operation| match operation.what {
        Operation::Copy { data: Some(length), .. } => Some(length),
        _ => None,
    })?;
    let rest = &source.bytes()[statement.span.end as usize..];
    let line_end = rest.iter().position(|byte| *byte == b'\n')?;
    rest.get(line_end + 1..)?.get(..length as usize)
}

/// All of a file.
pub fn whole(source: &SourceFile) -> Span {
    Span::new(0, u32::try_from(source.bytes().len()).expect("an example is short"))
}
