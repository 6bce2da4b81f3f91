//! The same brief change, made by psql and as a migration.

use super::pgbench::{connect, program};
use crate::servers::{Database, server};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// Takes ACCESS EXCLUSIVE for a moment: nothing is read, nothing is written but the catalog.
pub const CHANGE: &str = "ALTER TABLE orders ADD COLUMN remark text;";

/// Changes a table, and then another one in the same transaction: the first is locked while the second is waited for.
pub const TWO_CHANGES: &str = "ALTER TABLE orders ADD COLUMN remark text; ALTER TABLE users ADD COLUMN remark text;";

const TABLES: &str = "CREATE TABLE orders (id bigint PRIMARY KEY, status text NOT NULL);\nCREATE TABLE users (id bigint PRIMARY KEY);";

/// Who makes the change.
#[derive(Clone, Copy, Debug)]
pub enum By {
    /// Nobody: the clients and the reader alone.
    Nobody,
    /// `psql -c`, which waits for as long as it takes.
    Psql,
    /// `lockkeeper apply`.
    Apply {
        /// `lock.timeout`.
        timeout: Duration,
        /// `lock.max_waiters`.
        max_waiters: u32,
    },
}

/// A shop with a migration that is due.
pub struct Shop<'a> {
    folder: TempDir,
    database: &'a Database,
    change: &'static str,
}

impl<'a> Shop<'a> {
    /// Makes the tables by the first migration, and fills that of the orders.
    pub fn open(database: &'a Database, rows: u32, (by, change): (By, &'static str)) -> Self {
        let shop = Self { folder: TempDir::new().expect("a temporary folder"), database, change };
        let (timeout, max_waiters) = match by {
            By::Apply { timeout, max_waiters } => (timeout, max_waiters),
            By::Nobody | By::Psql => (Duration::from_secs(2), 20),
        };
        let lock = format!("timeout: {}ms, budget: 10min, max_waiters: {max_waiters}", timeout.as_millis());
        let config = "migrations: [m]\nhistory: whole\nenvironments:\n  test: { confirm: false }\n";
        fs::create_dir(shop.path().join("m")).expect("the folder is new");
        shop.write("lockkeeper.yaml", &format!("{config}apply: {{ statement_timeout: 11min, lock: {{ {lock} }} }}\n"));
        shop.write("m/0001_tables.up.sql", TABLES);
        shop.apply();
        shop.write("m/0002_remark.up.sql", change);
        shop.psql(&format!("INSERT INTO orders SELECT n, 'new' FROM generate_series(1, {rows}) n"));
        shop.psql("VACUUM ANALYZE orders");
        shop
    }

    /// Makes the change, however long that takes.
    pub fn change(&self, by: By) {
        match by {
            By::Nobody => return,
            By::Psql => drop(self.psql(self.change)),
            By::Apply { .. } => self.apply(),
        }
        let there = self.psql("SELECT count(remark) FROM orders");
        assert_eq!(there.trim(), "0", "the column is there");
    }

    /// How many tries the migration had.
    pub fn tries(&self, by: By) -> u32 {
        match by {
            By::Nobody => 0,
            By::Psql => 1,
            By::Apply { .. } => {
                let tries = self.psql("SELECT max(attempt) FROM lockkeeper.step WHERE state = 'done'");
                tries.trim().parse().expect("a number")
            }
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).expect("a temporary folder takes files");
    }

    fn apply(&self) {
        let options = self.database.options();
        let url = format!(
            "postgres://postgres@localhost/{}?host={}&port=5432",
            options.get_database().expect("it has a name"),
            server().socket().display()
        );
        let mut apply = Command::new(env!("CARGO_BIN_EXE_lockkeeper"));
        apply.arg("apply").current_dir(self.path()).stdin(Stdio::null());
        apply.env("LOCKKEEPER_ENV", "test").env("LOCKKEEPER_DATABASE_URL", url);
        let answer = apply.output().expect("lockkeeper starts");
        assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    }

    fn psql(&self, sql: &str) -> String {
        let mut psql = Command::new(program("psql"));
        connect(&mut psql, self.database);
        let answer = psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql]).output().expect("psql starts");
        assert!(answer.status.success(), "{sql}: {}", String::from_utf8_lossy(&answer.stderr));
        String::from_utf8_lossy(&answer.stdout).into_owned()
    }
}
