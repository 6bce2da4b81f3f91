//! `kill -9` at random moments.

use super::project::{BRIEF, Scene, until};
use std::hash::{BuildHasher, RandomState};
use std::thread::sleep;
use std::time::Duration;

/// So many rows are changed.
const ROWS: u32 = 200_000;

/// So many transactions are in one file.
const PARTS: u32 = 20;

/// How many kills there are, unless `LOCKKEEPER_KILLS` says so.
const KILLS: u64 = 40;

/// A run is killed before so many milliseconds are over.
const LONGEST: u64 = 400;

/// What is said last before the first statement runs.
const AT_WORK: &str = "rehearsal: skipped";

#[test]
fn every_statement_runs_exactly_once_whenever_it_is_killed() {
    let wanted = std::env::var("LOCKKEEPER_KILLS").ok().map_or(KILLS, |number| number.parse().expect("LOCKKEEPER_KILLS is a number"));
    let (mut kills, mut at_work, mut rounds) = (0, 0, 0);
    let log: Vec<_> =
        ["column".to_owned()].into_iter().chain((0..PARTS).map(|part| format!("part {part}"))).chain(["end".to_owned()]).collect();
    loop {
        let mut scene = project();
        rounds += 1;
        while kills < wanted {
            let mut running = scene.start(&["apply", "--wait", "30s"]);
            // One in five anywhere from its start on, the others once the first statement may run.
            if kills % 5 > 0 {
                until("it is at work", || (running.has_ended() || running.said().contains(AT_WORK)).then_some(()));
            }
            sleep(Duration::from_millis(RandomState::new().hash_one(kills) % LONGEST));
            if running.has_ended() {
                let answer = running.wait();
                assert_eq!(answer.code, Some(0), "{}", answer.err);
                break;
            }
            running.kill();
            let answer = running.wait();
            kills += u64::from(answer.code.is_none());
            at_work += u64::from(answer.err.contains(AT_WORK));
        }
        let answer = scene.start(&["apply"]).wait();
        assert_eq!(answer.code, Some(0), "{}", answer.err);
        let counted = scene.ask("SELECT count(*) || ' rows, changed ' || min(n) || ' to ' || max(n) || ' times' FROM orders");
        assert_eq!(counted, format!("{ROWS} rows, changed 1 to 1 times"));
        let once = "SELECT count(*)::text FROM (SELECT FROM lockkeeper.step WHERE state IN ('done', 'adopted') GROUP BY migration, number HAVING count(*) = 1) s";
        let steps = (1 + 1 + 1 + 1 + PARTS + 1).to_string();
        assert_eq!(scene.ask(once), steps, "each step is done once");
        println!("{kills} kills in {rounds} databases, {at_work} of them behind the preflight; {counted}; {steps} steps done once");
        if kills >= wanted {
            scene.saw(&format!("{ROWS} rows are changed once each, {steps} steps are done once each"), true, "");
            return scene.settled(&log.join(", "));
        }
        scene.holds(&log.join(", "));
    }
}

/// A new column, an index, a backfill, many transactions in one file, and one more column. The table is there.
fn project() -> Scene {
    let done = "at random moments of runs with new columns, an index, a backfill of 200,000 rows and 20 transactions, again and again";
    let scene = Scene::new("kill -9", done);
    // Small batches, so that there are many of them.
    scene.configure(&format!("{}, backfill: {{ target: 20ms }} }}", BRIEF.trim_end_matches(" }")));
    scene.file(
        "001_orders.sql",
        &format!(
            "CREATE TABLE log (at bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, word text NOT NULL);
             CREATE TABLE orders (id bigint PRIMARY KEY);
             INSERT INTO orders (id) SELECT g FROM generate_series(1, {ROWS}) g;"
        ),
    );
    let answer = scene.start(&["apply"]).wait();
    assert_eq!(answer.code, Some(0), "{}", answer.err);
    scene.file("002_column.sql", "ALTER TABLE orders ADD COLUMN n int NOT NULL DEFAULT 0;\nINSERT INTO log (word) VALUES ('column');");
    scene.file("003_index.sql", "CREATE INDEX CONCURRENTLY orders_n ON orders (n);");
    scene.file("004_count.sql", "-- lockkeeper: backfill key=id batch=1000\nUPDATE orders SET n = n + 1;");
    let part = |at: u32| format!("BEGIN;\nINSERT INTO log (word) VALUES ('part {at}');\nCOMMIT;\n");
    scene.file("005_parts.sql", &(0..PARTS).map(part).collect::<String>());
    scene.file("006_end.sql", "ALTER TABLE orders ADD COLUMN note text;\nINSERT INTO log (word) VALUES ('end');");
    scene
}
