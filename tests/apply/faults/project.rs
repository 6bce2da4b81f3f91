//! A project in a folder of its own with a database of its own, `lockkeeper` run in it as anybody would run it, and what has to hold whatever
//! was done to it meanwhile.

use super::page;
use crate::servers::{new_database, servers};
use lockkeeper::db::server::Server;
use lockkeeper::db::{Connection, Refusal, block_on};
use sqlx::postgres::PgConnectOptions;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Nothing here takes this long; what does, hangs.
const PATIENCE: Duration = Duration::from_secs(45);

/// How often something that is to happen is looked for.
const GLANCE: Duration = Duration::from_millis(10);

/// Short times, so that what is waited for in vain is waited for briefly.
pub const BRIEF: &str =
    "{ lock: { timeout: 600ms, budget: 10s }, statement_timeout: 15s, index: { lock_timeout: 10s, timeout: 30s }, reconnect: 20s }";

/// Nothing is given up before the test says so.
pub const PATIENT: &str =
    "{ lock: { timeout: 20s, budget: 40s }, statement_timeout: 30s, index: { lock_timeout: 20s, timeout: 30s }, reconnect: 20s }";

/// What is logged by the files of [`Scene::with_shop`].
pub const LOGGED: &str = "orders, counted, noted";

/// What is played in one case, and what was seen.
pub struct Scene {
    subject: &'static str,
    done: &'static str,
    folder: TempDir,
    /// How the test itself gets to the database.
    pub database: PgConnectOptions,
    /// What PG* variables tell `lockkeeper`.
    pub place: Vec<(&'static str, String)>,
    runs: Vec<String>,
    found: Vec<String>,
}

impl Scene {
    /// A database on the server that all tests share.
    pub fn new(subject: &'static str, done: &'static str) -> Self {
        let server = servers().last().expect("at least one server");
        Self::on(server, subject, done)
    }

    /// A database on another server.
    pub fn on(server: &Server, subject: &'static str, done: &'static str) -> Self {
        let database = block_on(new_database(server)).expect("an event queue");
        let name = database.get_database().expect("it has a name").to_owned();
        let host = server.socket().display().to_string();
        let place = vec![
            ("PGHOST", host),
            ("PGPORT", "5432".to_owned()),
            ("PGUSER", "postgres".to_owned()),
            ("PGDATABASE", name),
            ("PGSSLMODE", "disable".to_owned()),
        ];
        let folder = TempDir::new().expect("a folder for the test");
        let scene = Self { subject, done, folder, database, place, runs: Vec::new(), found: Vec::new() };
        scene.configure(BRIEF);
        scene
    }

    /// The same with three migrations that change rows in a way that tells how often each has run, and one that builds an index.
    pub fn with_shop(self) -> Self {
        self.file(
            "001_orders.sql",
            "CREATE TABLE log (at bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, word text NOT NULL);
             CREATE TABLE orders (id bigint PRIMARY KEY, n int NOT NULL DEFAULT 0);
             INSERT INTO orders (id) SELECT g FROM generate_series(1, 1000) g;
             INSERT INTO log (word) VALUES ('orders');",
        );
        self.file("002_count.sql", "UPDATE orders SET n = n + 1 WHERE id > 0;\nINSERT INTO log (word) VALUES ('counted');");
        self.file("003_index.sql", "CREATE INDEX CONCURRENTLY orders_n ON orders (n);");
        self.file("004_note.sql", "ALTER TABLE orders ADD COLUMN note text;\nINSERT INTO log (word) VALUES ('noted');");
        self
    }

    /// Runs all migrations of the shop but the last one, which a reader is in the way of from now on.
    pub fn behind_a_reader(mut self, apply: &str) -> (Self, Session) {
        self.ends_with(&["apply", "--to", "003"], 0);
        self.configure(apply);
        let mut reader = self.session();
        reader.run("BEGIN; SELECT count(*) FROM orders");
        (self, reader)
    }

    /// Says how long what is waited for.
    pub fn configure(&self, apply: &str) {
        let config = format!(
            "migrations: [migrations]\nsmall_tables: [public.orders]\napply: {apply}\nenvironments: {{ test: {{ confirm: false }} }}\n"
        );
        fs::write(self.path("lockkeeper.yaml"), config).expect("the config is written");
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a migration.
    pub fn file(&self, name: &str, sql: &str) {
        let path = self.path("migrations").join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder for migrations");
        fs::write(path, sql).expect("the migration is written");
    }

    /// A word for what another place is reached by: `("PGPORT", ...)`.
    pub fn reach_by(&mut self, name: &'static str, value: String) {
        self.place.retain(|(known, _)| *known != name);
        self.place.push((name, value));
    }

    /// Starts `lockkeeper` with more variables, and does not wait for it.
    pub fn start_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Running {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lockkeeper"));
        let said = |kind: &str| {
            let number = fs::read_dir(self.folder.path()).expect("the folder is there").count();
            self.path(&format!("said-{number}.{kind}"))
        };
        let (out, err) = (said("out"), said("err"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("LOCKKEEPER_ENV", "test")
            .envs(self.place.iter().cloned())
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(File::create(&out).expect("a file for what it says"))
            .stderr(File::create(&err).expect("a file for what it says"));
        Running { name: arguments[0].to_owned(), child: command.spawn().expect("lockkeeper starts"), out, err }
    }

    pub fn start(&self, arguments: &[&str]) -> Running {
        self.start_with(arguments, &[])
    }

    /// Runs `lockkeeper` to its end, and notes how it ended.
    pub fn run(&mut self, arguments: &[&str]) -> Answer {
        let running = self.start(arguments);
        self.end(running)
    }

    /// Runs `lockkeeper` until it passes a place for so many times; there it dies.
    pub fn killed_at(&mut self, arguments: &[&str], place: &str) {
        let running = self.start_with(arguments, &[("LOCKKEEPER_FAILPOINT", place)]);
        let answer = self.end(running);
        assert_eq!(answer.code, None, "it passes {place}: {}", answer.err);
    }

    /// Waits until a process has ended, and notes how.
    pub fn end(&mut self, running: Running) -> Answer {
        let name = running.name.clone();
        let answer = running.wait();
        self.runs.push(match answer.code {
            Some(code) => format!("{name}: {code}"),
            None => format!("{name}: killed"),
        });
        answer
    }

    /// Runs `lockkeeper`, and holds the exit code.
    pub fn ends_with(&mut self, arguments: &[&str], code: i32) -> Answer {
        let answer = self.run(arguments);
        assert_eq!(answer.code, Some(code), "{}: {arguments:?}\n{}{}", self.done, answer.out, answer.err);
        answer
    }

    /// Waits until the server lets somebody in.
    pub fn ready(&self) {
        until("the server answers", || block_on(Connection::open(&self.database)).is_ok_and(|opened| opened.is_ok()).then_some(()));
    }

    /// Agrees to all migrations as they are.
    pub fn approve(&self) {
        let mut files: Vec<_> =
            fs::read_dir(self.path("migrations")).expect("there are migrations").flatten().map(|it| it.path()).collect();
        files.retain(|path| !path.display().to_string().ends_with(".down.sql"));
        files.sort();
        let files: Vec<_> = files.iter().map(|path| path.display().to_string()).collect();
        let mut arguments = vec!["approve", "--by", "anna", "--reason", "a test"];
        arguments.extend(files.iter().map(String::as_str));
        let answer = self.start(&arguments).wait();
        assert_eq!(answer.code, Some(0), "{}", answer.err);
    }

    /// A session of somebody else.
    pub fn session(&self) -> Session {
        Session::open(&self.database)
    }

    /// Runs statements, each by itself.
    pub fn sql(&self, statements: &[&str]) {
        let mut session = self.session();
        statements.iter().for_each(|sql| session.run(sql));
    }

    /// The first column of a query, as a list.
    pub fn ask(&self, query: &str) -> String {
        self.session().ask(query)
    }

    /// Waits until a query has rows.
    pub fn until(&self, what: &str, query: &str) -> String {
        let mut session = self.session();
        until(what, || Some(session.ask(query)).filter(|rows| !rows.is_empty()))
    }

    /// Waits until a statement of `lockkeeper` that begins with these words is held up, and gives its process.
    pub fn held_up(&self, words: &str) -> i32 {
        let query = format!(
            "SELECT pid::text FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lockkeeper apply'
               AND state = 'active' AND wait_event_type = 'Lock' AND query LIKE '{words}%'"
        );
        self.until(&format!("`{words}` waits"), &query).parse().expect("one process")
    }

    /// Holds something that was seen, and tells it on the page.
    pub fn saw(&mut self, words: &str, is_so: bool, evidence: &str) {
        assert!(is_so, "{}: not seen: {words}\n{evidence}", self.done);
        self.found.push(words.to_owned());
    }

    /// Holds the answer to a query, and tells on the page what it means.
    pub fn finds(&mut self, words: &str, query: &str, answer: &str) {
        let told = self.ask(query);
        self.saw(words, told == answer, &format!("{query}\n  says {told}, not {answer}"));
    }

    /// What has to hold at the end of every case: whatever was done, the next run brings it to its end, and nothing is left over.
    pub fn settles(mut self, logged: &str) {
        self.ends_with(&["apply"], 0);
        self.settled(logged);
    }

    /// The same, once the last run was the one that brought it to its end.
    pub fn settled(mut self, logged: &str) {
        self.holds(logged);
        page::hold(self.subject, self.done, &self.runs, &self.found);
    }

    /// The same, and nothing is written on the page.
    pub fn holds(&mut self, logged: &str) {
        self.ends_with(&["validate"], 0);
        let again = self.start(&["apply"]).wait();
        assert!(again.code == Some(0) && again.err.contains("nothing to do"), "nothing is left to do: {}", again.err);
        self.leaves_nothing();
        let log = self.ask("SELECT word FROM log ORDER BY at");
        assert_eq!(log, logged, "{}: each statement ran exactly once", self.done);
        if !self.ask("SELECT 'x' WHERE to_regclass('public.orders') IS NOT NULL").is_empty() && logged.starts_with(LOGGED) {
            let rows = "SELECT count(*) || ' rows, counted ' || min(n) || ' to ' || max(n) FROM orders";
            assert_eq!(self.ask(rows), "1000 rows, counted 1 to 1", "{}", self.done);
        }
    }

    /// No invalid index, no lock, no session.
    pub fn leaves_nothing(&self) {
        let invalid = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid";
        assert_eq!(self.ask(invalid), "", "{}: an invalid index is left", self.done);
        let ours = "SELECT pid || ' ' || application_name FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'lockkeeper%'";
        let mut session = self.session();
        until("no session of lockkeeper is left", || session.ask(ours).is_empty().then_some(()));
        let locks = "SELECT l.pid::text FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                     WHERE d.datname = current_database() AND locktype = 'advisory'";
        assert_eq!(self.ask(locks), "", "{}: an advisory lock is left", self.done);
        let orphans = "SELECT s.id::text FROM lockkeeper.step s WHERE s.state = 'started' AND NOT s.undone
                       AND NOT EXISTS (SELECT FROM lockkeeper.step l WHERE (l.migration, l.direction, l.number) = (s.migration, s.direction, s.number) AND l.id > s.id)";
        assert_eq!(self.ask(orphans), "", "{}: the last try of a step has no end", self.done);
    }
}

/// Waits until there is something.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begin.elapsed() < PATIENCE, "it never comes: {what}");
        sleep(GLANCE);
    }
}

/// All files of a folder and of those in it.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            if entry.path().is_dir() { folders.push(entry.path()) } else { files.push(entry.path()) }
        }
    }
    files
}

/// `lockkeeper` at work.
pub struct Running {
    name: String,
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

/// What a run gave.
pub struct Answer {
    /// The exit code; `None`: a signal has ended it.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Running {
    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).expect("a process id"));
        nix::sys::signal::kill(pid, signal).expect("the process is there");
    }

    /// As `kill -9` does.
    pub fn kill(&self) {
        self.signal(nix::sys::signal::Signal::SIGKILL);
    }

    /// What it has said on the standard error so far.
    pub fn said(&self) -> String {
        read(&self.err)
    }

    /// Waits until it says something.
    pub fn says(&self, words: &str) {
        let begin = Instant::now();
        while !self.said().contains(words) {
            assert!(begin.elapsed() < PATIENCE, "it never says `{words}`:\n{}", self.said());
            sleep(GLANCE);
        }
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("it is our child").is_some()
    }

    pub fn wait(mut self) -> Answer {
        let begin = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return Answer { code: status.code(), out: read(&self.out), err: in_lines(&read(&self.err)) };
            }
            if begin.elapsed() > PATIENCE {
                let _ = self.child.kill();
                let _ = self.child.wait();
                panic!("it hangs:\n{}", read(&self.err));
            }
            sleep(GLANCE);
        }
    }
}

/// Without the line ends that make a long line fit a terminal.
fn in_lines(text: &str) -> String {
    text.replace("\n  │ ", " ").replace("\n           ", " ")
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

/// A session of somebody else, which stays open between statements.
pub struct Session {
    runtime: tokio::runtime::Runtime,
    connection: Option<Connection>,
}

impl Session {
    pub fn open(database: &PgConnectOptions) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("an event queue");
        let connection = runtime.block_on(Connection::open(database)).expect("the server answers");
        Self { runtime, connection: Some(connection) }
    }

    pub fn pid(&self) -> i32 {
        self.connection.as_ref().expect("it is open").pid()
    }

    pub fn try_run(&mut self, sql: &str) -> Result<(), Refusal> {
        self.runtime.block_on(self.connection.as_mut().expect("it is open").run(sql))
    }

    pub fn run(&mut self, sql: &str) {
        self.try_run(sql).unwrap_or_else(|refusal| panic!("{sql}: {refusal}"));
    }

    pub fn ask(&mut self, query: &str) -> String {
        let answer = self.runtime.block_on(self.connection.as_mut().expect("it is open").texts(query));
        answer.unwrap_or_else(|refusal| panic!("{query}: {refusal}")).join(", ")
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.runtime.block_on(connection.close());
        }
    }
}
