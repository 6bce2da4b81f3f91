//! One change of the shop's schema, the applications on both sides of it, and how it is measured.

use super::measure::Stretch;
use super::phase::{Operator, Phase};
use super::servers::Template;
use super::traffic::{Application, Traffic};
use lockkeeper::db::{Connection, block_on};
use lockkeeper::model::lock::LockMode;
use sqlx::postgres::PgConnectOptions;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Rows are numbered from 1 on.
pub const SEEDED: &str = "SELECT generate_series(1::int8, {rows})";

/// Until caches are warm and statements are prepared.
const WARM_UP: Duration = Duration::from_millis(300);

/// For how long things are looked at.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// The load alone.
    pub baseline: Duration,
    /// Both releases side by side, while the new one is deployed.
    pub roll_out: Duration,
    /// After each phase.
    pub echo: Duration,
}

/// One change.
pub struct Case {
    /// What it is, in a few words.
    pub title: &'static str,
    /// Makes the tables.
    pub schema: &'static str,
    /// Fills them with `{rows}` rows each.
    pub fill: &'static str,
    /// The statement that most people would write.
    pub naive: &'static str,
    /// The releases of the application in their order; a deployment that the plan asks for is one to the next of them.
    pub applications: Vec<Application>,
    /// After so many phases the second release begins to run beside the first, and not only when it is deployed.
    pub early: Option<usize>,
    /// The numbers of the seeded rows.
    pub seeded: &'static str,
    /// Reads each row with the number that was written into it last, or with its own if nobody wrote any.
    pub last: &'static str,
}

/// A phase as it was measured.
#[derive(Clone, Debug)]
pub struct Measured {
    /// What ran: the name of the file, or the deployment.
    pub name: String,
    /// Its statements, none for a deployment.
    pub statements: Vec<String>,
    /// The strongest lock on a table that was there before, and on which.
    pub strongest: Option<(LockMode, Vec<String>)>,
    /// How long it took.
    pub took: Duration,
    /// How often it was tried again for a lock.
    pub retries: u32,
    /// How long it may wait for a lock by itself.
    pub lock_wait: Duration,
    /// See [`super::phase::Ran::read_while_blocking`].
    pub read_while_blocking: i64,
    /// What the applications felt.
    pub felt: Stretch,
}

/// All of a plan.
#[derive(Clone, Debug)]
pub struct Played {
    /// The same load with nothing else running.
    pub baseline: Stretch,
    /// The phases and deployments in order.
    pub phases: Vec<Measured>,
    /// All operations of all applications, from the first to the last.
    pub all: Stretch,
    /// Rows that are not as the last acknowledged write left them, or that nobody wrote, or that are gone.
    pub wrong_rows: i64,
}

/// One file, run under the load of the old application.
#[derive(Clone, Debug)]
pub struct Alone {
    /// How many rows the tables had.
    pub rows: u32,
    /// What it did, and what the application felt while it ran and right after it.
    pub measured: Measured,
    /// What it felt when its sessions were opened anew after that.
    pub reopened: Stretch,
}

impl Played {
    /// Its files, without the deployments.
    pub fn files(&self) -> impl Iterator<Item = &Measured> {
        self.phases.iter().filter(|phase| !phase.statements.is_empty())
    }

    /// The longest stall of all phases and deployments.
    pub fn longest(&self) -> Duration {
        self.phases.iter().map(|phase| phase.felt.longest).max().unwrap_or_default()
    }

    /// The best of two measurements of the same phases.
    pub fn or_better(mut self, other: Self) -> Self {
        for (phase, other) in self.phases.iter_mut().zip(other.phases) {
            if other.felt.longest < phase.felt.longest {
                *phase = other;
            }
        }
        self
    }
}

impl Case {
    /// The tables of the case with so many rows each.
    pub fn template(&self, rows: u32) -> Template {
        Template::filled(&format!("{}\n{}", self.schema, self.fill.replace("{rows}", &rows.to_string())))
    }

    /// Runs a plan under load.
    pub fn play(&self, template: &Template, rows: u32, phases: &[Phase], span: Span) -> Played {
        let database = template.copy();
        let mut stage = Stage::open(self, database.options(), rows, span);
        let baseline = stage.baseline();
        let mut measured = Vec::new();
        for (number, phase) in phases.iter().enumerate() {
            // The last release may keep already what a later phase asks for.
            if let Some(deploy) = phase.deploy.as_ref().filter(|_| stage.current + 1 < self.applications.len()) {
                measured.push(stage.deploy(deploy));
            }
            measured.push(stage.run(phase));
            if self.early == Some(number + 1) {
                stage.start(1);
            }
        }
        let releases = self.applications.len();
        assert_eq!(stage.current + 1, releases, "`{}`: the plan asks for {} deployments only", self.title, stage.current);
        stage.close(baseline, measured)
    }

    /// The naive statement as if it were a file of a plan: one transaction, as most runners make of a file.
    pub fn naive(&self) -> Phase {
        Phase::read("naive", &format!("BEGIN; {} COMMIT;", self.naive))
    }

    /// Runs one file under the load of the first application.
    pub fn alone(&self, template: &Template, rows: u32, phase: &Phase, span: Span) -> Alone {
        let database = template.copy();
        let mut stage = Stage::open(self, database.options(), rows, span);
        stage.baseline();
        let measured = stage.run(phase);
        for traffic in stage.traffic.values_mut() {
            traffic.stop();
        }
        let from = Instant::now();
        stage.traffic.insert(0, Traffic::start(&stage.options, &self.applications[0], rows, u8::MAX));
        let reopened = stage.felt(from, from + span.echo);
        Alone { rows, measured, reopened }
    }

    /// Runs a phase while another transaction has read `table` and stays open for some time. Gives what the load alone felt as well.
    pub fn behind(&self, template: &Template, rows: u32, phase: &Phase, other: (&str, Duration)) -> (Stretch, Measured) {
        let database = template.copy();
        let echo = Duration::from_secs(1);
        let mut stage = Stage::open(self, database.options(), rows, Span { baseline: echo, roll_out: echo, echo });
        let baseline = stage.baseline();
        let (table, long) = other;
        let measured = std::thread::scope(|scope| {
            let (holds, held) = std::sync::mpsc::channel();
            let options = database.options();
            scope.spawn(move || block_on(hold(&options, table, long, holds)));
            held.recv().expect("the transaction is open");
            stage.run(phase)
        });
        (baseline, measured)
    }
}

/// Reads a table in a transaction that stays open.
pub async fn hold(options: &PgConnectOptions, table: &str, long: Duration, holds: std::sync::mpsc::Sender<()>) {
    let mut connection = Connection::open(options).await.expect("the server answers");
    connection.run(&format!("BEGIN; SELECT FROM {table} LIMIT 1")).await.expect("the table can be read");
    holds.send(()).expect("somebody waits for it");
    tokio::time::sleep(long).await;
    connection.run("COMMIT").await.expect("it has only read");
    connection.close().await;
}

/// A database with the applications that run on it.
struct Stage<'a> {
    /// The operator's sessions live as long as it.
    runtime: Runtime,
    case: &'a Case,
    options: PgConnectOptions,
    rows: u32,
    span: Span,
    /// Ended and running ones, by the number of their release.
    traffic: BTreeMap<usize, Traffic>,
    /// The release that has been deployed last.
    current: usize,
    operator: Operator,
    begin: Instant,
}

impl<'a> Stage<'a> {
    fn open(case: &'a Case, options: PgConnectOptions, rows: u32, span: Span) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("an event queue");
        let operator = runtime.block_on(Operator::begin(&options));
        let mut stage = Self { runtime, case, options, rows, span, traffic: BTreeMap::new(), current: 0, operator, begin: Instant::now() };
        stage.start(0);
        stage
    }

    fn start(&mut self, release: usize) {
        let number = u8::try_from(release).expect("few releases");
        let start = || Traffic::start(&self.options, &self.case.applications[release], self.rows, number);
        self.traffic.entry(release).or_insert_with(start);
    }

    /// What was felt between two moments, when everything that was due meanwhile is done.
    fn felt(&self, from: Instant, to: Instant) -> Stretch {
        std::thread::sleep(to.saturating_duration_since(Instant::now()));
        let mut samples = Vec::new();
        for traffic in self.traffic.values() {
            traffic.wait_until_done(to);
            samples.extend(traffic.samples(from, to));
        }
        Stretch::of(&samples)
    }

    fn baseline(&mut self) -> Stretch {
        std::thread::sleep(WARM_UP);
        let from = Instant::now();
        self.felt(from, from + self.span.baseline)
    }

    /// Starts the next release, lets both run, and ends the one before.
    fn deploy(&mut self, words: &str) -> Measured {
        let from = Instant::now();
        let next = self.current + 1;
        self.start(next);
        let felt = self.felt(from, Instant::now() + self.span.roll_out);
        if let Some(before) = self.traffic.get_mut(&self.current) {
            before.stop();
        }
        self.current = next;
        let none = Duration::ZERO;
        Measured {
            name: format!("deploy {words}"),
            statements: Vec::new(),
            strongest: None,
            took: from.elapsed(),
            retries: 0,
            lock_wait: none,
            read_while_blocking: 0,
            felt,
        }
    }

    fn run(&mut self, phase: &Phase) -> Measured {
        let work = async {
            for assertion in &phase.asserts {
                let holds = self.operator.holds(assertion).await;
                assert_eq!(holds, Ok(true), "`{}`, {}: asserted is {assertion}", self.case.title, phase.name);
            }
            self.operator.run(phase).await
        };
        let ran = self.runtime.block_on(work);
        let ran = ran.unwrap_or_else(|(sql, refusal)| panic!("`{}`, {}: {refusal}:\n{sql}", self.case.title, phase.name));
        let felt = self.felt(ran.begin, ran.end + self.span.echo);
        Measured {
            name: phase.name.clone(),
            statements: phase.statements.clone(),
            strongest: ran.strongest,
            took: ran.end - ran.begin,
            retries: ran.retries,
            lock_wait: phase.lock_wait(),
            read_while_blocking: ran.read_while_blocking,
            felt,
        }
    }

    /// Ends all applications and compares the rows with what was acknowledged.
    fn close(mut self, baseline: Stretch, phases: Vec<Measured>) -> Played {
        let mut written = BTreeMap::new();
        let mut samples = Vec::new();
        for traffic in self.traffic.values_mut() {
            traffic.stop();
            // A later release writes into the rows of an earlier one, after it.
            written.extend(traffic.written());
            samples.extend(traffic.samples(self.begin, Instant::now()));
        }
        let wrong_rows = self.runtime.block_on(async {
            self.operator.end().await;
            let mut connection = Connection::open(&self.options).await.expect("the server answers");
            let wrong = wrong_rows(self.case, self.rows, &written, &mut connection).await;
            connection.close().await;
            wrong
        });
        Played { baseline, phases, all: Stretch::of(&samples), wrong_rows }
    }
}

async fn wrong_rows(case: &Case, rows: u32, written: &BTreeMap<i64, i64>, connection: &mut Connection) -> i64 {
    let lines: String = written.iter().map(|(row, token)| format!("{row}\t{token}\n")).collect();
    let seeded = case.seeded.replace("{rows}", &rows.to_string());
    let compare = format!(
        "WITH seeded AS ({seeded}), last AS ({}),
              expected AS (SELECT id, coalesce(w.number, id) AS number FROM seeded s(id) FULL JOIN written w USING (id))
         SELECT count(*)::int8::text FROM expected FULL JOIN last l(id, number) USING (id) WHERE expected.number IS DISTINCT FROM l.number",
        case.last
    );
    let work = async {
        connection.run("CREATE TEMPORARY TABLE written (id int8, number int8)").await?;
        connection.copy_in("COPY written FROM STDIN", lines.as_bytes()).await?;
        connection.texts(&compare).await
    };
    let answer = work.await.unwrap_or_else(|refusal| panic!("`{}`: {refusal}:\n{compare}", case.title));
    answer.concat().parse().expect("a count")
}
