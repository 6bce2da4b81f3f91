//! Random histories: whatever statements a server accepts, the replayed catalog is the catalog of that server.
//!
//! What the server refuses is not replayed. `LOCKKEEPER_HISTORIES=500` runs more of them, `LOCKKEEPER_SEED=7` others.

use crate::servers::{new_database, servers};
use lockkeeper::db::server::Server;
use lockkeeper::db::{Connection, block_on, dump};
use lockkeeper::model::catalog::{Catalog, Step};
use lockkeeper::sql::read;
use lockkeeper::text::{SourceFile, Span};

const STATEMENTS: usize = 60;

#[test]
fn a_random_history_leaves_the_same_catalog_replayed_and_run() {
    let number = |variable: &str, default| std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (histories, seed): (u64, u64) = (number("LOCKKEEPER_HISTORIES", 12), number("LOCKKEEPER_SEED", 1));
    for server in servers() {
        for history in 0..histories {
            let statements = one_history(seed, history);
            block_on(async {
                let (accepted, fault) = play(server, &statements, false).await;
                if fault.is_some() {
                    // Once more, step by step, to find the statement from which on they differ.
                    let (accepted, fault) = play(server, &accepted, true).await;
                    panic!("history {history} of seed {seed}:\n{};\n{}", accepted.join(";\n"), fault.unwrap_or_default());
                }
            })
            .expect("an event queue");
        }
    }
}

/// The first few histories of the first seed.
pub fn histories(count: u64) -> Vec<Vec<String>> {
    (0..count).map(|history| one_history(1, history)).collect()
}

fn one_history(seed: u64, history: u64) -> Vec<String> {
    let mut dice = Dice(seed << 32 | history << 16);
    SETUP.iter().map(|text| (*text).to_owned()).chain((0..STATEMENTS).map(|_| dice.statement())).collect()
}

/// Runs and replays statements; gives those that the server accepted, and in what the two catalogs differ: at the end, or with `each` after
/// the first statement that makes a difference.
async fn play(server: &Server, statements: &[String], each: bool) -> (Vec<String>, Option<String>) {
    let mut connection = Connection::open(&new_database(server).await).await.expect("the server answers");
    let mut catalog = Catalog::new(true);
    let mut accepted = Vec::new();
    let mut fault = None;
    for (index, statement) in statements.iter().enumerate() {
        if connection.run(statement).await.is_ok() {
            replay(&mut catalog, statement);
            accepted.push(statement.clone());
        }
        if each || index + 1 == statements.len() {
            fault = difference(&dump::lines(&mut connection).await.expect("the schema can be read"), &catalog.lines());
        }
        if fault.is_some() {
            break;
        }
    }
    connection.close().await;
    (accepted, fault)
}

fn replay(catalog: &mut Catalog, statement: &str) {
    let source = SourceFile::new("random.sql", statement);
    for statement in read(&source, Span::new(0, statement.len() as u32)).statements {
        for operation in statement.operations {
            catalog.replay(&operation.what, Step(1));
        }
    }
}

/// What only the server has (`-`), and what only the replayed catalog has (`+`).
pub fn difference(run: &[String], replayed: &[String]) -> Option<String> {
    let missing = run.iter().filter(|line| !replayed.contains(line)).map(|line| format!("- {line}"));
    let invented = replayed.iter().filter(|line| !run.contains(line)).map(|line| format!("+ {line}"));
    let lines: Vec<String> = missing.chain(invented).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// A source of choices that is the same in every run (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (value ^ (value >> 31)) as usize % limit
    }

    fn one<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }

    /// A statement with its blanks filled: `$t` a table, `$c` a column, `$i` an index, `$k` a constraint, `$y` a type, `$v` a view,
    /// `$n` a number, `$s` a schema, `$o` what follows a column's type, `$w` what follows a DROP.
    fn statement(&mut self) -> String {
        let mut text = self.one(SHAPES).to_owned();
        while let Some(place) = text.find('$') {
            let word = match text.as_bytes()[place + 1] {
                b't' => self.one(&["orders", "orders", "users", "users", "payments", "drafts", "shop.orders", "shop.users"]),
                b'c' => self.one(&["id", "a", "b", "c"]),
                b'i' => self.one(&["i1", "i2", "i3", "orders_a_idx", "orders_pkey", "users_pkey", "orders_a_key", "shop.i1"]),
                b'k' => {
                    self.one(&["k1", "k2", "orders_pkey", "users_pkey", "orders_a_check", "orders_a_fkey", "users_a_key", "orders_check"])
                }
                b'y' => self.one(&["int", "bigint", "bigint", "text", "numeric(10,2)", "state", "price"]),
                b'v' => self.one(&["v1", "v2", "m1"]),
                b'n' => self.one(&["1", "2", "3", "40", "500"]),
                b's' => self.one(&["public", "shop"]),
                b'o' => self.one(OPTIONS),
                b'w' => self.one(&["", "", " CASCADE"]),
                other => panic!("no blank is called {}", other as char),
            };
            text.replace_range(place..place + 2, word);
        }
        text
    }
}

/// So that there is something to change.
const SETUP: &[&str] = &[
    "CREATE SCHEMA shop",
    "CREATE TYPE state AS ENUM ('open', 'sent')",
    "CREATE DOMAIN price AS int CHECK (VALUE > 0)",
    "CREATE TABLE users (id bigserial PRIMARY KEY, a int UNIQUE, b bigint, c text)",
    "CREATE TABLE orders (id bigint PRIMARY KEY, a int REFERENCES users, b bigint CHECK (b > 0), c state)",
];

const OPTIONS: &[&str] = &[
    "",
    "",
    "",
    " NOT NULL",
    " UNIQUE",
    " PRIMARY KEY",
    " REFERENCES $t",
    " CHECK ($c > 0)",
    " DEFAULT 3",
    " GENERATED BY DEFAULT AS IDENTITY",
    " CONSTRAINT $k UNIQUE",
    " UNIQUE CHECK ($c > $n) NOT NULL",
];

const SHAPES: &[&str] = &[
    "CREATE TABLE $t (id bigint PRIMARY KEY, a int$o, b $y$o)",
    "CREATE TABLE $t (id bigserial PRIMARY KEY, a bigint$o, b text, UNIQUE ($c), CHECK ($c > 0))",
    "CREATE TABLE IF NOT EXISTS $t (id int$o, a int$o, c $y)",
    "CREATE TABLE $t (LIKE $t INCLUDING ALL EXCLUDING DEFAULTS)",
    "CREATE TABLE $t (LIKE $t INCLUDING INDEXES, c bigint$o)",
    "CREATE TABLE $t (c int$o) INHERITS ($t)",
    "CREATE TABLE $t (id bigint, a int$o, b bigint, PRIMARY KEY (id, a)) PARTITION BY RANGE (a)",
    "CREATE TABLE $t PARTITION OF $t FOR VALUES FROM ($n) TO ($n)",
    "CREATE TABLE $t PARTITION OF $t DEFAULT",
    "ALTER TABLE $t ATTACH PARTITION $t FOR VALUES FROM ($n) TO ($n)",
    "ALTER TABLE $t DETACH PARTITION $t",
    "ALTER TABLE $t INHERIT $t",
    "ALTER TABLE $t NO INHERIT $t",
    "CREATE TYPE state AS ENUM ('open')",
    "ALTER TYPE state ADD VALUE IF NOT EXISTS 'paid'",
    "ALTER TYPE state RENAME TO old_state",
    "DROP TYPE state$w",
    "CREATE DOMAIN price AS int CHECK (VALUE > 0)",
    "DROP DOMAIN price$w",
    "CREATE SCHEMA shop",
    "DROP SCHEMA shop$w",
    "ALTER TABLE $t ADD COLUMN $c $y$o",
    "ALTER TABLE $t ADD COLUMN $c bigint$o",
    "ALTER TABLE $t ADD COLUMN IF NOT EXISTS $c bigint$o",
    "ALTER TABLE $t ADD COLUMN IF NOT EXISTS $c serial$o, ADD COLUMN $c int",
    "ALTER TABLE $t ADD COLUMN $c bigint GENERATED ALWAYS AS ($c + 1) STORED",
    "ALTER TABLE $t DROP COLUMN $c$w",
    "ALTER TABLE $t DROP COLUMN IF EXISTS $c$w",
    "ALTER TABLE $t RENAME COLUMN $c TO $c",
    "ALTER TABLE $t RENAME COLUMN $c TO d",
    "ALTER TABLE $t RENAME TO payments",
    "ALTER TABLE $t RENAME TO drafts",
    "ALTER TABLE $t SET SCHEMA $s",
    "ALTER TABLE $t ALTER COLUMN $c SET NOT NULL",
    "ALTER TABLE $t ALTER COLUMN $c DROP NOT NULL",
    "ALTER TABLE $t ALTER COLUMN $c SET DEFAULT 5",
    "ALTER TABLE $t ALTER COLUMN $c DROP DEFAULT",
    "ALTER TABLE $t ALTER COLUMN $c ADD GENERATED ALWAYS AS IDENTITY",
    "ALTER TABLE $t ALTER COLUMN $c DROP IDENTITY IF EXISTS",
    "ALTER TABLE $t ALTER COLUMN $c DROP EXPRESSION IF EXISTS",
    "ALTER TABLE $t ADD CHECK ($c > $n)",
    "ALTER TABLE $t ADD CHECK ($c > $c)",
    "ALTER TABLE $t ADD CONSTRAINT $k CHECK ($c > $n) NOT VALID",
    "ALTER TABLE $t ADD CONSTRAINT $k CHECK ($c IS NOT NULL) NO INHERIT",
    "ALTER TABLE $t VALIDATE CONSTRAINT $k",
    "ALTER TABLE $t ADD UNIQUE ($c)",
    "ALTER TABLE $t ADD CONSTRAINT $k UNIQUE ($c, $c)",
    "ALTER TABLE $t ADD PRIMARY KEY ($c)",
    "ALTER TABLE $t ADD CONSTRAINT $k PRIMARY KEY ($c)",
    "ALTER TABLE $t ADD CONSTRAINT $k UNIQUE USING INDEX $i",
    "ALTER TABLE $t ADD PRIMARY KEY USING INDEX $i",
    "ALTER TABLE $t ADD FOREIGN KEY ($c) REFERENCES $t",
    "ALTER TABLE $t ADD CONSTRAINT $k FOREIGN KEY ($c) REFERENCES $t ($c) NOT VALID",
    "ALTER TABLE $t DROP CONSTRAINT $k$w",
    "ALTER TABLE $t DROP CONSTRAINT IF EXISTS $k$w, DROP COLUMN $c",
    "ALTER TABLE $t RENAME CONSTRAINT $k TO $k",
    "CREATE INDEX ON $t ($c)",
    "CREATE INDEX ON $t ($c, ($c + 1))",
    "CREATE INDEX ON $t (abs($c)) WHERE $c > 0",
    "CREATE UNIQUE INDEX $i ON $t ($c)",
    "CREATE UNIQUE INDEX i2 ON $t (id, $c)",
    "CREATE INDEX IF NOT EXISTS $i ON $t ($c) INCLUDE (b)",
    "CREATE INDEX CONCURRENTLY $i ON $t ($c)",
    "CREATE INDEX $i ON ONLY $t ($c)",
    "ALTER INDEX $i ATTACH PARTITION $i",
    "ALTER INDEX $i RENAME TO i3",
    "ALTER INDEX $i RENAME TO orders_pkey",
    "DROP INDEX $i$w",
    "CREATE VIEW $v AS SELECT $c FROM $t",
    "CREATE OR REPLACE VIEW $v AS SELECT $c, 1 AS one FROM $t",
    "CREATE VIEW v2 AS SELECT * FROM $v",
    "CREATE MATERIALIZED VIEW m1 AS SELECT id FROM $t",
    "CREATE INDEX ON m1 (id)",
    "ALTER VIEW $v RENAME TO v3",
    "DROP VIEW $v$w",
    "DROP MATERIALIZED VIEW m1$w",
    "CREATE SEQUENCE numbers OWNED BY $t.$c",
    "DROP SEQUENCE numbers$w",
    "DROP TABLE $t$w",
    "DROP TABLE IF EXISTS $t, $t CASCADE",
];
