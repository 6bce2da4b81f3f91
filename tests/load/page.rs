//! docs/plans.md: what was measured, in tables.

use super::case::{Alone, Case, Measured, Played};
use super::measure::Stretch;
use super::servers::{ask, server};
use super::traffic::PACE;
use lockkeeper::model::lock::LockMode;
use std::fmt::Write;
use std::time::Duration;

/// What makes the page.
pub const COMMAND: &str = "UPDATE_DOCS=1 cargo test --test load";

/// What was measured of one case.
pub struct Result {
    /// The case.
    pub case: Case,
    /// Its plan.
    pub played: Played,
    /// Its naive statement, with few rows and with many.
    pub naive: Vec<Alone>,
}

/// What was measured behind a transaction that stayed open.
pub struct Behind {
    /// How long it did.
    pub open: Duration,
    /// A phase that is tried again.
    pub phase: Measured,
    /// A statement that waits.
    pub naive: Measured,
}

/// What was measured besides.
pub struct Asides {
    /// Behind a transaction that stays open.
    pub behind: Behind,
    /// A phase that adds a column, under prepared statements that say `SELECT *`.
    pub star: Alone,
}

/// The page.
pub fn page(results: &[Result], asides: &Asides, rows: u32) -> String {
    let mut page = introduction(rows);
    page += &summary(results);
    page += &long_transaction(&asides.behind);
    page += &prepared(&asides.star);
    for result in results {
        page += &section(result);
    }
    page
}

fn introduction(rows: u32) -> String {
    let machine = machine();
    let release = &server().installation().release;
    let today = ask("SELECT current_date::text");
    let pace = PACE.as_millis();
    format!(
        "# Plans under load\n\n\
         Every plan that `lockkeeper plan` makes is run here, file by file, while an application reads and writes the same tables; beside it \
         stands the statement that it replaces. This page is written by a test:\n\n    {COMMAND}\n\n\
         Written on {today}, PostgreSQL {release}, {machine}; {} rows in each table. Without `UPDATE_DOCS` the test runs the plans alone, for a \
         shorter time, and fails when an operation fails, when an acknowledged write is not there at the end, when a phase makes anybody wait \
         longer than it may, or when it reads a table as a whole under a lock that keeps others waiting.\n\n\
         - **The load** is open: each release of the application has an operation due every {pace} ms, inserts, updates and reads in turn, in four \
         sessions with prepared statements, whether or not those before are done. A latency counts from the moment at which the operation was \
         due, so that nobody's waiting is left out. When a plan says `deploy`, the next release is started, both run side by side for a while, \
         and the one before is ended.\n\
         - **A phase** is a file, run as it is printed; its asserted queries have to be true before it. When its `lock_timeout` ends the wait for \
         a lock, it is tried again a moment later. Waits of hours between phases are left out.\n\
         - **Stall** is the longest latency of any operation that was on its way during the phase or right after it.\n\
         - **Naive** is the statement as most people would write it, in one transaction, under the load of the old release alone. It is \
         measured with {} rows and with {} rows.\n\
         - **Wrong rows** are counted at the end over all rows: rows that are gone, that nobody wrote, or that do not hold what was \
         acknowledged last.\n\n",
        count(rows),
        count(rows),
        count(rows * super::GROWTH),
    )
}

fn summary(results: &[Result]) -> String {
    let [few, many] = [count(super::ROWS), count(super::ROWS * super::GROWTH)];
    let mut table = format!(
        "| change | naive: stall, {few} rows | {many} rows | errors right after | plan: phases | longest stall | operations | errors | wrong rows |\n\
                     |---|--:|--:|--:|--:|--:|--:|--:|--:|\n"
    );
    for Result { case, played, naive } in results {
        let stalls: Vec<_> = naive.iter().map(|naive| time(naive.measured.felt.longest)).collect();
        let errors = naive.last().map(|naive| share(&[&naive.measured.felt, &naive.reopened])).unwrap_or_default();
        let (phases, longest) = (played.files().count(), time(played.longest()));
        let line = format!(
            "| [{}](#{}) | {} | {errors} | {phases} | {longest} | {} | {} | {} |\n",
            case.title,
            anchor(case.title),
            stalls.join(" | "),
            count_of(played.all.operations),
            played.all.failed(),
            played.wrong_rows
        );
        table += &line;
    }
    table + "\n"
}

fn long_transaction(Behind { open, phase, naive }: &Behind) -> String {
    let (heads, wait) = (heads(&phase.statements), phase.lock_wait.as_secs());
    format!(
        "## Behind a transaction that stays open\n\n\
         A report has read `users` and keeps its transaction open for {} seconds. A statement that needs ACCESS EXCLUSIVE waits for it, and everybody \
         else waits behind that statement. A phase gives up after {wait} seconds, lets the others pass, and is tried again; so what anybody waits is one \
         lock wait, however long the report takes.\n\n\
         | what runs | strongest lock | seconds | stall | p99 | errors |\n|---|---|--:|--:|--:|--:|\n{}{}\n",
        open.as_secs(),
        row("the naive statement: `ALTER TABLE users RENAME COLUMN …`", naive),
        row(&format!("the first phase of its plan: {heads}"), phase),
    )
}

fn prepared(star: &Alone) -> String {
    let (failed, later) = (share(&[&star.measured.felt]), share(&[&star.reopened]));
    let said: Vec<_> = star.measured.felt.errors.keys().map(|error| format!("`{}`", error.message)).collect();
    format!(
        "## Prepared statements\n\n\
         The applications on this page list the columns that they read, and when a column changes its type, the release that lives through the change \
         reads it through a cast. It has to be so: a statement that was prepared before its result has got another shape fails in its session, \
         whatever has changed the table. An application that has prepared `SELECT * FROM users WHERE …` was told {} by {failed} operations after the \
         first phase of renaming a column, which adds one; by {later} in sessions that were opened after it. Drivers that prepare anew by themselves \
         hide it outside of transactions. Where `SELECT *` cannot be avoided, open the sessions anew right after the phase.\n\n",
        said.join(", "),
    )
}

fn section(Result { case, played, naive }: &Result) -> String {
    let mut text = format!("## {}\n\n```sql\n{}\n```\n\n", case.title, statements(case.naive));
    text += "| what runs | strongest lock | seconds | stall | p99 | errors |\n|---|---|--:|--:|--:|--:|\n";
    for naive in naive {
        text += &row(&format!("naive, {} rows", count(naive.rows)), &naive.measured);
        if naive.reopened.failed() > 0 {
            let errors = share(&[&naive.reopened]);
            let _ = writeln!(text, "| the same, in sessions that are opened after it | | | | | {errors} |");
        }
    }
    let (stall, p99) = (time(played.baseline.longest), time(played.baseline.p99));
    let _ = writeln!(text, "| the load alone | | | {stall} | {p99} | 0 |");
    for phase in &played.phases {
        let what = match phase.statements.is_empty() {
            true => format!("*{}*", phase.name),
            false => format!("{}: {}", phase.name, heads(&phase.statements)),
        };
        text += &row(&what, phase);
    }
    let _ = writeln!(
        text,
        "\n{} operations, {} errors, {} wrong rows.",
        count_of(played.all.operations),
        played.all.failed(),
        played.wrong_rows
    );
    text += &refusals(naive);
    text + "\n"
}

fn row(what: &str, measured: &Measured) -> String {
    let tried = match measured.retries {
        0 => String::new(),
        more => format!(" (tried {} times)", more + 1),
    };
    let (lock, took) = (lock(measured.strongest.as_ref()), seconds(measured.took));
    let (stall, p99, errors) = (time(measured.felt.longest), time(measured.felt.p99), share(&[&measured.felt]));
    format!("| {what}{tried} | {lock} | {took} | {stall} | {p99} | {errors} |\n")
}

/// What the application was told when the naive statement had been run.
fn refusals(naive: &[Alone]) -> String {
    let mut messages: Vec<_> =
        naive.iter().flat_map(|naive| naive.measured.felt.errors.keys().chain(naive.reopened.errors.keys())).collect();
    messages.sort_by_key(|error| &error.message);
    messages.dedup_by_key(|error| &error.message);
    match &messages[..] {
        [] => String::new(),
        some => {
            let said: Vec<_> = some.iter().map(|error| format!("`{}`", error.message)).collect();
            format!("After the naive statement the application is told: {}.\n", said.join(", "))
        }
    }
}

/// The first words of each statement.
fn heads(statements: &[String]) -> String {
    let quiet = |sql: &&String| !["BEGIN", "COMMIT", "SET"].iter().any(|word| sql.starts_with(word));
    let head = |sql: &String| {
        let line: Vec<_> = sql.split_whitespace().collect();
        let line = line.join(" ");
        let end = line.find(" LANGUAGE ").or(line.find(" $")).unwrap_or(line.len()).min(line.floor_char_boundary(100));
        let more = if end < line.len() { " …" } else { "" };
        format!("`{}{more}`", line[..end].replace('|', "\\|"))
    };
    statements.iter().filter(quiet).map(head).collect::<Vec<_>>().join("; ")
}

fn statements(sql: &str) -> String {
    sql.lines().map(str::trim).collect::<Vec<_>>().join("\n")
}

fn lock(strongest: Option<&(LockMode, Vec<String>)>) -> String {
    strongest.map(|(mode, on)| format!("{mode} on {}", on.join(", "))).unwrap_or_default()
}

/// `25 of 100`.
fn share(stretches: &[&Stretch]) -> String {
    let (failed, all) = stretches.iter().fold((0, 0), |(failed, all), stretch| (failed + stretch.failed(), all + stretch.operations));
    if failed == 0 { "0".to_owned() } else { format!("{failed} of {all}") }
}

pub fn time(duration: Duration) -> String {
    let milliseconds = duration.as_secs_f64() * 1000.0;
    if milliseconds < 10.0 { format!("{milliseconds:.1} ms") } else { format!("{milliseconds:.0} ms") }
}

pub fn seconds(duration: Duration) -> String {
    format!("{:.2}", duration.as_secs_f64())
}

/// `100,000`.
pub fn count(number: u32) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub fn count_of(number: usize) -> String {
    u32::try_from(number).map(count).unwrap_or_else(|_| number.to_string())
}

fn anchor(title: &str) -> String {
    let keep = |c: char| c.is_alphanumeric() || c == ' ' || c == '-';
    title.to_lowercase().chars().filter(|c| keep(*c)).collect::<String>().replace(' ', "-")
}

pub fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|(_, name)| name.trim().to_owned()));
    let model = model.unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    format!("{cores} cores of {model} that other work used as well, no disk to wait for (`fsync=off`)")
}
