//! A brief change behind a transaction that stays open, under pgbench: made by `lockkeeper apply`, and by psql.

mod change;
mod page;
mod pgbench;

use super::case::hold;
use super::servers::Template;
use super::{MOST_ATTEMPTS, ONE_AT_A_TIME, updates_docs};
use change::{By, CHANGE, Shop, TWO_CHANGES};
use pgbench::{Clients, Felt};
use std::fs;
use std::path::Path;
use std::sync::{PoisonError, mpsc};
use std::time::{Duration, Instant, SystemTime};

/// How many orders there are.
const ROWS: u32 = 100_000;

/// Before and after the change the clients work alone for so long.
const ALONE: Duration = Duration::from_secs(1);

/// What is measured.
#[derive(Clone, Copy, Debug)]
struct Scene {
    /// Who makes the change.
    by: By,
    /// How many clients there are.
    clients: u32,
    /// How long the reader's transaction stays open.
    open: Duration,
    /// Two tables are changed: a reader has read the orders and leaves after so long, the one that stays has read the users.
    before: Option<Duration>,
}

/// What has come of it.
#[derive(Clone, Copy, Debug)]
struct Outcome {
    /// What was measured.
    scene: Scene,
    /// From the start of the program that made the change to its end.
    took: Duration,
    /// How many tries it had.
    tries: u32,
    /// What the clients felt from the beginning of the change on.
    felt: Felt,
}

impl Scene {
    fn play(self) -> Outcome {
        let empty = Template::filled("SELECT 'a shop that nobody has opened yet'");
        let database = empty.copy();
        let (change, readers) = match self.before {
            None => (CHANGE, vec![("orders", self.open)]),
            Some(before) => (TWO_CHANGES, vec![("orders", before), ("users", self.open)]),
        };
        let shop = Shop::open(&database, ROWS, (self.by, change));
        let clients = Clients::start(&database, self.clients, ROWS);
        std::thread::sleep(ALONE);
        let (from, begin) = (SystemTime::now(), Instant::now());
        let took = std::thread::scope(|scope| {
            for (table, long) in readers {
                let (holds, held) = mpsc::channel();
                let options = database.options();
                scope.spawn(move || lockkeeper::db::block_on(hold(&options, table, long, holds)));
                held.recv().expect("the transaction is open");
            }
            let begin = Instant::now();
            shop.change(self.by);
            begin.elapsed()
        });
        assert!(begin.elapsed() >= self.open, "the reader has stayed");
        std::thread::sleep(ALONE);
        let felt = clients.stop(from);
        let outcome = Outcome { scene: self, took, tries: shop.tries(self.by), felt };
        println!("{outcome:?}");
        outcome
    }
}

/// The waits for a lock that are tried.
const TIMEOUTS: [Duration; 3] = [Duration::from_millis(300), Duration::from_secs(1), Duration::from_secs(2)];

/// Nobody, psql, and a migration with each of the timeouts, all with eight clients behind the same reader.
fn behind_a_reader(open: Duration) -> Vec<Outcome> {
    let apply = TIMEOUTS.map(|timeout| By::Apply { timeout, max_waiters: 20 });
    [By::Nobody, By::Psql].into_iter().chain(apply).map(|by| Scene { by, clients: 8, open, before: None }.play()).collect()
}

/// More clients than may queue, and a limit that they do not reach.
fn in_a_crowd(open: Duration) -> [Outcome; 2] {
    let timeout = TIMEOUTS[2];
    [5, 100].map(|max_waiters| Scene { by: By::Apply { timeout, max_waiters }, clients: 30, open, before: None }.play())
}

/// A migration that holds a lock, for which it has waited already, while it waits for the next.
fn with_two_locks(open: Duration, before: Duration) -> Outcome {
    let by = By::Apply { timeout: TIMEOUTS[2], max_waiters: 20 };
    Scene { by, clients: 8, open, before: Some(before) }.play()
}

#[test]
fn a_migration_behind_a_reader_does_not_let_the_clients_wait_for_it() {
    if updates_docs() {
        return;
    }
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let open = Duration::from_secs(6);
    let outcomes = behind_a_reader(open);
    println!("{}", page::table(&outcomes));
    let [nobody, psql, apply @ ..] = &outcomes[..] else { panic!("there are five of them") };
    assert!(nobody.felt.longest_from_due < open, "the reader by itself stops nobody");
    assert!(psql.felt.longest_from_due > open / 2, "everybody waits behind psql, which waits for the reader: {psql:?}");
    for one in apply {
        assert!(one.tries > 1, "the reader was in the way: {one:?}");
        assert!(one.felt.longest_from_due < open, "somebody has waited for as long as the reader stayed: {one:?}");
    }
    assert!(apply[0].felt.longest < psql.felt.longest / 2, "{:?} {psql:?}", apply[0]);
}

#[test]
fn a_crowd_behind_a_migration_ends_its_try_early() {
    if updates_docs() {
        return;
    }
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let [few, many] = in_a_crowd(Duration::from_secs(4));
    println!("{}", page::crowd(&[few, many]));
    assert!(few.tries > 1 && many.tries > 1, "the reader was in the way: {few:?} {many:?}");
    assert!(few.felt.longest < many.felt.longest, "who may not queue in numbers does not wait for all of `lock.timeout`: {few:?} {many:?}");
}

#[test]
fn waits_for_two_locks_together_are_no_longer_than_one_may_be() {
    if updates_docs() {
        return;
    }
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let (open, before) = (Duration::from_secs(5), Duration::from_millis(1500));
    let outcomes: Vec<_> = (0..MOST_ATTEMPTS).map(|_| with_two_locks(open, before)).collect();
    let least = outcomes.iter().map(|outcome| outcome.felt.longest).min().unwrap_or_default();
    println!("{}", page::table(&outcomes));
    assert!(least < TIMEOUTS[2] + before / 2, "somebody has waited for both locks: {outcomes:?}");
}

/// Writes docs/apply-load.md if `UPDATE_DOCS` is set: behind a reader that stays for a minute.
#[test]
fn the_page_is_written() {
    if !updates_docs() {
        return;
    }
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let outcomes = behind_a_reader(Duration::from_secs(60));
    let crowd = in_a_crowd(Duration::from_secs(10));
    let two = with_two_locks(Duration::from_secs(10), Duration::from_millis(1500));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/apply-load.md");
    fs::write(&path, page::page(&outcomes, &crowd, two)).expect("docs/apply-load.md is written");
}
