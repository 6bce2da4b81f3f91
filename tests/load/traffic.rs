//! An application under load: sessions that do what it does, each operation when it is due.
//!
//! The load is open: an operation is due every ten milliseconds, whether or not those before it are done. Its latency counts from the
//! moment it was due, so that the time for which a lock stops all sessions is seen by every operation that fell due meanwhile.

use lockkeeper::db::Refusal;
use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, PgConnection, Row};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often an operation is due.
pub const PACE: Duration = Duration::from_millis(10);

/// How many of them can be on their way at once.
const SESSIONS: usize = 4;

/// Seeded rows have the numbers from 1 on, rows and values that are written under load have numbers from here on.
const FIRST_TOKEN: i64 = 1_000_000_000;

/// Each update has a row of its own, and the rows of neighbouring updates lie on different pages.
const STRIDE: i64 = 7919;

/// What one release of the application does, in turns.
#[derive(Clone, Debug)]
pub struct Application {
    /// What it is called in the table.
    pub name: &'static str,
    /// Its operations.
    pub operations: Vec<Operation>,
}

/// One operation of the application. Its statements are prepared once in each session; their parameters are `$1::int8`, a number that no
/// other statement has, and `$2::int8`, the row.
#[derive(Clone, Debug)]
pub enum Operation {
    /// Puts the number into the row, or into a new one, and returns the row: what is acknowledged has to be there at the end.
    Write(String),
    /// Does so with the next row and then with the row itself, in one transaction: against the order in which a backfill comes along. The
    /// application thinks for a while in between.
    WriteTwo(String, Duration),
    /// Reads the row, which has to be there.
    Read(String),
}

impl Operation {
    fn sql(&self) -> &str {
        match self {
            Self::Write(sql) | Self::WriteTwo(sql, _) | Self::Read(sql) => sql,
        }
    }
}

/// One operation that is done.
#[derive(Clone, Debug)]
pub struct Sample {
    /// When it was due.
    pub due: Instant,
    /// When its answer was there.
    pub done: Instant,
    /// What was wrong with the answer.
    pub error: Option<ClientError>,
}

impl Sample {
    /// How long its user has waited.
    pub fn latency(&self) -> Duration {
        self.done.saturating_duration_since(self.due)
    }
}

/// A statement of the application that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClientError {
    /// The release that sent it.
    pub application: &'static str,
    /// The statement.
    pub sql: String,
    /// What the server said.
    pub message: String,
}

/// An application that runs until it is stopped.
pub struct Traffic {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    application: Application,
    /// How many rows are seeded.
    rows: i64,
    /// Tokens of one application end in its number.
    number: i64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    begin: Option<Instant>,
    stopping: bool,
    next: u32,
    /// Operations that are on their way, or that a session waits to send.
    open: BTreeSet<u32>,
    samples: Vec<Sample>,
    /// The last acknowledged value of each row.
    written: BTreeMap<i64, i64>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no session panics while it holds it")
    }

    /// The next operation, and when it is due.
    fn take(&self) -> Option<(u32, Instant)> {
        let mut state = self.state();
        if state.stopping {
            return None;
        }
        let number = state.next;
        state.next += 1;
        state.open.insert(number);
        Some((number, state.begin? + PACE * number))
    }
}

impl Traffic {
    /// Starts an application; `number` tells those apart that run on the same database. Returns when all its sessions are open.
    pub fn start(options: &PgConnectOptions, application: &Application, rows: u32, number: u8) -> Self {
        let shared = Shared { application: application.clone(), rows: i64::from(rows), number: i64::from(number), state: Mutex::default() };
        let shared = Arc::new(shared);
        let of_thread = Arc::clone(&shared);
        let options = options.clone().disable_statement_logging();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("an event queue");
            tokio::task::LocalSet::new().block_on(&runtime, all_sessions(of_thread, options));
        });
        while shared.state().begin.is_none() {
            assert!(!thread.is_finished(), "the sessions of `{}` do not open", application.name);
            std::thread::sleep(Duration::from_millis(1));
        }
        Self { shared, thread: Some(thread) }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.shared.application.name
    }

    /// Waits until everything that was due by then is done.
    pub fn wait_until_done(&self, due: Instant) {
        loop {
            {
                let state = self.shared.state();
                let begin = state.begin.expect("it was started");
                let earliest = state.open.first().copied().unwrap_or(state.next);
                if state.stopping || begin + PACE * earliest > due {
                    return;
                }
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// What was on its way between two moments.
    pub fn samples(&self, from: Instant, to: Instant) -> Vec<Sample> {
        let state = self.shared.state();
        state.samples.iter().filter(|sample| sample.done >= from && sample.due <= to).cloned().collect()
    }

    /// Lets the operations that are on their way end, and stops.
    pub fn stop(&mut self) {
        self.shared.state().stopping = true;
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap_or_else(|_| panic!("`{}` has panicked", self.name()));
        }
    }

    /// The last acknowledged value of each row that it has written.
    pub fn written(&self) -> BTreeMap<i64, i64> {
        self.shared.state().written.clone()
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            // What the thread said when it panicked stands in the output already.
            self.shared.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner).stopping = true;
            let _ = thread.join();
        }
    }
}

async fn all_sessions(shared: Arc<Shared>, options: PgConnectOptions) {
    let mut sessions = Vec::new();
    for _ in 0..SESSIONS {
        sessions.push(options.connect().await.expect("the server lets the application in"));
    }
    shared.state().begin = Some(Instant::now());
    let run = |session| tokio::task::spawn_local(work(Arc::clone(&shared), options.clone(), session));
    let running: Vec<_> = sessions.into_iter().map(run).collect();
    for task in running {
        task.await.expect("a session reports errors and does not panic");
    }
}

async fn work(shared: Arc<Shared>, options: PgConnectOptions, mut session: PgConnection) {
    while let Some((number, due)) = shared.take() {
        tokio::time::sleep_until(due.into()).await;
        let answer = send(&shared, &mut session, number).await;
        let done = Instant::now();
        if matches!(&answer, Err(refusal) if refusal.code == lockkeeper::db::code::CONNECTION) {
            session = options.connect().await.expect("the server lets the application in again");
        }
        note(&shared, number, Sample { due, done, error: None }, answer);
    }
    // Nobody is left to be told if the server has ended the session.
    let _ = session.close().await;
}

/// Sends one operation; a write answers with its rows and the values that it has put there.
async fn send(shared: &Shared, session: &mut PgConnection, number: u32) -> Result<Vec<(i64, i64)>, Refusal> {
    let operations = &shared.application.operations;
    let turn = i64::from(number);
    let kinds = i64::try_from(operations.len()).unwrap_or(i64::MAX);
    let operation = &operations[number as usize % operations.len()];
    let token = FIRST_TOKEN + turn * 100 + shared.number * 10;
    // The last row has no next one.
    let row = 1 + (turn / kinds) * STRIDE % (shared.rows - 1);
    match operation {
        Operation::Read(sql) => one(session, sql, token, row).await.map(|_| Vec::new()),
        Operation::Write(sql) => Ok(vec![(id(&one(session, sql, token, row).await?)?, token)]),
        Operation::WriteTwo(sql, thinks) => {
            let mut transaction = session.begin().await?;
            let next = one(&mut transaction, sql, token, row + 1).await?;
            tokio::time::sleep(*thinks).await;
            let this = one(&mut transaction, sql, token + 1, row).await?;
            transaction.commit().await?;
            Ok(vec![(id(&next)?, token), (id(&this)?, token + 1)])
        }
    }
}

/// Sends one statement, which has to answer with a row.
async fn one(session: &mut PgConnection, sql: &str, token: i64, row: i64) -> Result<PgRow, Refusal> {
    let found = sqlx::query(AssertSqlSafe(sql)).bind(token).bind(row).fetch_optional(session).await?;
    found.ok_or_else(|| Refusal { code: String::new(), message: format!("row {row} is not there") })
}

/// The row that a write has answered with.
fn id(answer: &PgRow) -> Result<i64, Refusal> {
    Ok(answer.try_get(0)?)
}

fn note(shared: &Shared, number: u32, mut sample: Sample, answer: Result<Vec<(i64, i64)>, Refusal>) {
    let operations = &shared.application.operations;
    let mut state = shared.state();
    match answer {
        Ok(written) => state.written.extend(written),
        Err(refusal) => {
            let sql = operations[number as usize % operations.len()].sql().to_owned();
            let message = if refusal.code.is_empty() { refusal.message } else { refusal.to_string() };
            sample.error = Some(ClientError { application: shared.application.name, sql, message });
        }
    }
    state.samples.push(sample);
    state.open.remove(&number);
}
