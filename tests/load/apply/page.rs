//! docs/apply-load.md: what was measured, in tables.

use super::change::{By, CHANGE, TWO_CHANGES};
use super::pgbench::RATE;
use super::{Outcome, ROWS};
use crate::page::{count, count_of, machine, seconds, time};
use crate::servers::{ask, server};

/// What makes the page.
const COMMAND: &str = "UPDATE_DOCS=1 cargo test --test load apply";

/// The page.
pub fn page(outcomes: &[Outcome], crowd: &[Outcome], two: Outcome) -> String {
    let open = outcomes[0].scene.open.as_secs();
    let crowd_open = crowd[0].scene.open.as_secs();
    let (today, release, machine, rows) = (ask("SELECT current_date::text"), &server().installation().release, machine(), count(ROWS));
    let (clients, many) = (outcomes[0].scene.clients, crowd[0].scene.clients);
    let (before, two_open) = (two.scene.before.map(time).unwrap_or_default(), two.scene.open.as_secs());
    format!(
        "# A migration under load\n\n\
         `lockkeeper apply` makes a brief change while a transaction that stays open is in its way; beside it stands the same change made by psql. \
         This page is written by a test:\n\n    {COMMAND}\n\n\
         Written on {today}, PostgreSQL {release}, {machine}; {rows} rows in the table. Without `UPDATE_DOCS` the test plays the same scenes with a \
         reader that stays for a few seconds, and fails when a client is told an error, when the change is not there at the end, and when \
         anybody has waited behind a migration for as long as the reader stayed.\n\n\
         - **The load** is pgbench: reads, writes, and transactions of both, {RATE} of them due in a second, whether or not those before are done.\n\
         - **The reader** has read `orders` and keeps its transaction open. It stops nobody by itself. But `{CHANGE}` needs ACCESS EXCLUSIVE \
         and has to wait for it, and everybody else has to wait behind that statement.\n\
         - **Longest wait** is the longest transaction of any client, from its first statement to its last answer. **From due** counts from the \
         moment at which it was due, so that the time for which all clients were waiting already is not left out; of these is **p99**.\n\
         - **Beyond** is how much longer than one `lock.timeout` the longest wait was.\n\n\
         ## Behind a reader that stays for {open} seconds, {clients} clients\n\n{}\n\
         psql waits for the reader, and so does everybody. A migration gives up after `lock.timeout`, leaves the road free for at least as long as it \
         has barred it, and is tried again, later and later: so what anybody waits is one lock wait, however long the reader stays.\n\n\
         ## Behind a reader that stays for {crowd_open} seconds, {many} clients\n\n\
         When more than `lock.max_waiters` sessions queue behind it, a try is to be given up before its time; a longest wait of a whole \
         `lock.timeout` there means that one try was not.\n\n{}\n\
         ## Two locks in one transaction, {clients} clients\n\n\
         `{TWO_CHANGES}`: a reader of `orders` leaves after {before}, a reader of `users` stays for {two_open} seconds. `lock_timeout` begins anew with each \
         lock, but who waits for `orders` waits for all of it; so a try ends as well when its waits together are longer than `lock.timeout` and \
         somebody is waiting behind it.\n\n{}",
        table(outcomes),
        self::crowd(crowd),
        table(&[two]),
    )
}

/// The outcomes, a line each.
pub fn table(outcomes: &[Outcome]) -> String {
    let head = "| what runs | tries | seconds | longest wait | beyond | from due | p99 | transactions | errors |\n\
                |---|--:|--:|--:|--:|--:|--:|--:|--:|\n";
    outcomes.iter().fold(head.to_owned(), |table, outcome| {
        let (what, beyond) = match outcome.scene.by {
            By::Nobody => ("nothing: the clients and the reader alone".to_owned(), None),
            By::Psql => (format!("`psql -c '{CHANGE}'`"), None),
            By::Apply { timeout, .. } => {
                (format!("`lockkeeper apply`, `lock.timeout: {}`", time(timeout)), Some(outcome.felt.longest.saturating_sub(timeout)))
            }
        };
        table + &line(&what, outcome, &beyond.map(time).unwrap_or_default())
    })
}

/// The same for those that differ in `max_waiters`.
pub fn crowd(outcomes: &[Outcome]) -> String {
    let head =
        "| what runs | tries | seconds | longest wait | from due | p99 | transactions | errors |\n|---|--:|--:|--:|--:|--:|--:|--:|\n";
    outcomes.iter().fold(head.to_owned(), |table, Outcome { scene, tries, took, felt }| {
        let By::Apply { timeout, max_waiters } = scene.by else { return table };
        let what = format!("`lock.timeout: {}`, `lock.max_waiters: {max_waiters}`", time(timeout));
        let (took, longest, due, p99) = (seconds(*took), time(felt.longest), time(felt.longest_from_due), time(felt.p99));
        format!("{table}| {what} | {tries} | {took} | {longest} | {due} | {p99} | {} | 0 |\n", count_of(felt.transactions))
    })
}

fn line(what: &str, Outcome { scene, tries, took, felt }: &Outcome, beyond: &str) -> String {
    let (tries, took) = match scene.by {
        By::Nobody => (String::new(), String::new()),
        By::Psql | By::Apply { .. } => (tries.to_string(), seconds(*took)),
    };
    let (longest, due, p99) = (time(felt.longest), time(felt.longest_from_due), time(felt.p99));
    // A client that is told an error ends the test.
    format!("| {what} | {tries} | {took} | {longest} | {beyond} | {due} | {p99} | {} | 0 |\n", count_of(felt.transactions))
}
