//! `kill -9` at random moments.

use super::project::Scene;
use std::hash::{BuildHasher, RandomState};
use std::thread::sleep;
use std::time::Duration;

/// So many rows, in so many transactions.
const ROWS: u32 = 200_000;
const BATCHES: u32 = 40;

/// How many kills there are, unless `LOCKKEEPER_KILLS` says so.
const KILLS: u64 = 40;

/// A run is killed before this time is over.
const LONGEST: u64 = 900;

#[test]
fn every_statement_runs_exactly_once_whenever_it_is_killed() {
    let wanted = std::env::var("LOCKKEEPER_KILLS").ok().map_or(KILLS, |number| number.parse().expect("LOCKKEEPER_KILLS is a number"));
    let (mut kills, mut rounds) = (0, 0);
    loop {
        let mut scene = project();
        rounds += 1;
        while kills < wanted {
            let mut running = scene.start(&["apply", "--wait", "30s"]);
            sleep(Duration::from_millis(RandomState::new().hash_one(kills) % LONGEST));
            if running.has_ended() {
                assert_eq!(running.wait().code, Some(0));
                break;
            }
            running.kill();
            kills += u64::from(running.wait().code.is_none());
        }
        let answer = scene.start(&["apply"]).wait();
        assert_eq!(answer.code, Some(0), "{}", answer.err);
        scene.holds("table, column, count, end");
        let counted = scene.ask("SELECT count(*) || ' rows, changed ' || min(n) || ' to ' || max(n) || ' times' FROM orders");
        assert_eq!(counted, format!("{ROWS} rows, changed 1 to 1 times"));
        let steps = scene.ask("SELECT count(*)::text FROM (SELECT migration, number FROM lockkeeper.step WHERE state IN ('done', 'adopted') GROUP BY 1, 2 HAVING count(*) = 1) once");
        assert_eq!(steps, (4 + BATCHES + 1).to_string(), "each step is done once");
        println!("{kills} kills in {rounds} databases; {counted}; {steps} steps done once");
        if kills >= wanted {
            scene.saw(&format!("{ROWS} rows are changed once each, {steps} steps are done once each"), true, "");
            scene.settled("table, column, count, end");
            return;
        }
    }
}

/// A column, an index and many transactions that change rows.
fn project() -> Scene {
    let scene =
        Scene::new("kill -9", "at random moments of runs with a new column, an index and 200,000 rows that are changed, again and again");
    scene.file(
        "001_orders.sql",
        &format!(
            "CREATE TABLE log (at bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, word text NOT NULL);
             CREATE TABLE orders (id bigint PRIMARY KEY);
             INSERT INTO orders (id) SELECT g FROM generate_series(1, {ROWS}) g;
             INSERT INTO log (word) VALUES ('table');"
        ),
    );
    scene.file("002_column.sql", "ALTER TABLE orders ADD COLUMN n int NOT NULL DEFAULT 0;\nINSERT INTO log (word) VALUES ('column');");
    scene.file("003_index.sql", "CREATE INDEX CONCURRENTLY orders_n ON orders (n);");
    let size = ROWS / BATCHES;
    let batch = |at: u32| format!("BEGIN;\nUPDATE orders SET n = n + 1 WHERE id > {} AND id <= {};\nCOMMIT;\n", at * size, (at + 1) * size);
    let batches: String = (0..BATCHES).map(batch).collect();
    scene.file("004_count.sql", &format!("{batches}INSERT INTO log (word) VALUES ('count');"));
    scene.file("005_end.sql", "ALTER TABLE orders ADD COLUMN note text;\nINSERT INTO log (word) VALUES ('end');");
    scene
}
