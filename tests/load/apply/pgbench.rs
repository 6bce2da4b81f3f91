//! pgbench as the clients of a shop, and what they felt by its log of every transaction.

use crate::servers::{Database, server};
use lockkeeper::db::installed::installations;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

/// How many transactions are due in a second, all clients together: far from all that the server can do.
pub const RATE: u32 = 200;

/// A read, a write, and both in one transaction, with how often each of them comes.
const SCRIPTS: [(&str, u32, &str); 3] = [
    ("read", 4, "SELECT id, status FROM orders WHERE id = :id;"),
    ("write", 4, "UPDATE orders SET status = 'paid' WHERE id = :id;"),
    ("both", 2, "BEGIN;\nSELECT id, status FROM orders WHERE id = :id;\nUPDATE orders SET status = 'sent' WHERE id = :id;\nCOMMIT;"),
];

/// Longer than anything that is measured; it is ended before.
const LONGEST_RUN: &str = "3600";

/// Clients at work.
pub struct Clients {
    folder: TempDir,
    child: Child,
}

/// What a stretch of time was like for them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Felt {
    /// Transactions that ended in it.
    pub transactions: usize,
    /// The longest of them, from its first statement to its last answer.
    pub longest: Duration,
    /// The longest from the moment at which it was due: all clients may have been waiting then.
    pub longest_from_due: Duration,
    /// What 99 of 100 stay below, from the moment at which they were due.
    pub p99: Duration,
}

/// A program of PostgreSQL, best the one of the server's own version; not every package has them all.
pub fn program(name: &str) -> PathBuf {
    let beside = |bin: &Path| Some(bin.join(name)).filter(|path| path.exists());
    let others = || installations(None).ok()?.iter().find_map(|installation| beside(&installation.bin));
    beside(&server().installation().bin).or_else(others).unwrap_or_else(|| name.into())
}

/// Names the database for a program of PostgreSQL.
pub fn connect(command: &mut Command, database: &Database) {
    let options = database.options();
    command.env("PGHOST", server().socket()).env("PGPORT", "5432").env("PGUSER", "postgres");
    command.env("PGDATABASE", options.get_database().expect("it has a name")).stdin(Stdio::null());
}

impl Clients {
    /// Lets so many clients work on the first `rows` orders.
    pub fn start(database: &Database, clients: u32, rows: u32) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let mut pgbench = Command::new(program("pgbench"));
        connect(&mut pgbench, database);
        pgbench.current_dir(folder.path()).args(["--no-vacuum", "--log", "--jobs=2", "--protocol=prepared", "--time", LONGEST_RUN]);
        pgbench.args([format!("--client={clients}"), format!("--rate={RATE}")]);
        for (name, weight, script) in SCRIPTS {
            let file = folder.path().join(name);
            fs::write(&file, format!("\\set id random(1, {rows})\n{script}\n")).expect("a temporary folder takes files");
            pgbench.arg(format!("--file={}@{weight}", file.display()));
        }
        let said = |name: &str| fs::File::create(folder.path().join(name)).expect("a temporary folder takes files");
        pgbench.stdout(said("out")).stderr(said("err"));
        let child = pgbench.spawn().expect("pgbench is there: it comes with the server or with its `contrib` package");
        Self { folder, child }
    }

    /// Ends them, and sums up what they felt from a moment on. Demands that none of them was told an error.
    pub fn stop(mut self, from: SystemTime) -> Felt {
        // It is what ends its `--time` as well: transactions that are on their way come to their end, and the log is written.
        let ended = Command::new("kill").args(["-ALRM", &self.child.id().to_string()]).status();
        assert!(ended.is_ok_and(|status| status.success()), "pgbench is still at work: {}", self.said());
        let status = self.child.wait().expect("it was started");
        let said = self.said();
        assert!(status.success() && said.contains("number of failed transactions: 0 ("), "clients were told an error: {said}");
        let logs = fs::read_dir(self.folder.path()).expect("it is there").flatten().map(|file| file.path());
        let logs = logs.filter(|path| path.to_string_lossy().contains("pgbench_log."));
        let text: String = logs.map(|path| fs::read_to_string(path).expect("it is text")).collect();
        Felt::of(text.lines().map(Transaction::read).filter(|transaction| transaction.done >= from).collect())
    }

    fn said(&self) -> String {
        ["out", "err"].map(|name| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()).concat()
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        // It has ended already, unless something has panicked.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A line of the log.
struct Transaction {
    done: SystemTime,
    /// From the moment at which it was due.
    took: Duration,
    /// How late it was sent.
    late: Duration,
}

impl Transaction {
    /// Reads `client number microseconds script epoch microseconds lag`.
    fn read(line: &str) -> Self {
        let words: Vec<u64> = line.split_whitespace().map(|word| word.parse().unwrap_or_else(|_| panic!("pgbench logs {line}"))).collect();
        let [_, _, took, _, second, microsecond, late, ..] = words[..] else { panic!("pgbench logs {line}") };
        let done = UNIX_EPOCH + Duration::from_secs(second) + Duration::from_micros(microsecond);
        Self { done, took: Duration::from_micros(took), late: Duration::from_micros(late) }
    }
}

impl Felt {
    fn of(transactions: Vec<Transaction>) -> Self {
        let mut from_due: Vec<_> = transactions.iter().map(|transaction| transaction.took).collect();
        from_due.sort();
        let own = transactions.iter().map(|transaction| transaction.took.saturating_sub(transaction.late));
        Self {
            transactions: transactions.len(),
            longest: own.max().unwrap_or_default(),
            longest_from_due: from_due.last().copied().unwrap_or_default(),
            p99: from_due.get((from_due.len() * 99).div_ceil(100).saturating_sub(1)).copied().unwrap_or_default(),
        }
    }
}
