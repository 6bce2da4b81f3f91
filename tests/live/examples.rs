//! The examples of all rules: the server takes them, and does what they claim.

use crate::fill::fill;
use crate::model::{Before, Comparison, compare};
use crate::play::{Played, play};
use crate::servers::{new_database, remove_database, servers};
use lockkeeper::db::block_on;
use lockkeeper::db::observe::{Observed, Observer};
use lockkeeper::db::server::Server;
use lockkeeper::lint::{example, finding as lint};
use lockkeeper::model::lock::LockMode;
use lockkeeper::model::name::QualifiedName;
use lockkeeper::model::session::TransactionMode;
use lockkeeper::rule::example::Example;
use lockkeeper::rule::set::{Entry, RuleSet};
use lockkeeper::text::SourceFile;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

// One test for each rule: `cargo test --test live drop_column`.
include!(concat!(env!("OUT_DIR"), "/rule_tests.rs"));

fn speaks_for_itself(rule: &str) {
    let mut rules = RuleSet::embedded();
    rules.while_on(rule, hold_all).expect("the test was made from the rule");
}

fn hold_all(entry: &Entry, rules: &RuleSet) {
    let rule = entry.id.as_str();
    let examples = entry.examples().unwrap_or_else(|problem| panic!("{}", problem.message));
    let mut complaints = Vec::new();
    for server in servers() {
        let mut report = Report::default();
        let of_this_server = |example: &&Example| example.live && example.is_about(server.installation().version.0);
        for example in examples.bad.iter().chain(&examples.good).filter(of_this_server) {
            block_on(hold_against(&Case { rule, example, server }, rules, &mut report)).expect("an event queue");
        }
        complaints.append(&mut report.complaints);
        sum_up(server, report, rules.all().count());
    }
    assert!(complaints.is_empty(), "{} claims do not hold:\n{}", complaints.len(), complaints.join("\n"));
}

/// What was asked, and what came out.
#[derive(Default)]
struct Report {
    /// By what was compared: how often it agreed, of how many.
    tally: BTreeMap<&'static str, (u32, u32)>,
    complaints: Vec<String>,
    /// Tables that could not be filled with rows; scans and rewrites of them are not to be seen.
    left_empty: BTreeSet<String>,
    rules: usize,
}

/// Adds a rule's report to the server's. The last one of all rules prints the sum, past the harness, which keeps what tests print.
fn sum_up(server: &Server, report: Report, rules: usize) {
    static SUMS: Mutex<BTreeMap<String, Report>> = Mutex::new(BTreeMap::new());
    let mut sums = SUMS.lock().unwrap_or_else(PoisonError::into_inner);
    let release = &server.installation().release;
    let sum = sums.entry(release.clone()).or_default();
    sum.rules += 1;
    sum.left_empty.extend(report.left_empty);
    for (what, (agreed, total)) in report.tally {
        let so_far = sum.tally.entry(what).or_default();
        *so_far = (so_far.0 + agreed, so_far.1 + total);
    }
    if sum.rules == rules {
        let parts: Vec<String> = sum.tally.iter().map(|(what, (agreed, total))| format!("{what} {agreed}/{total}")).collect();
        let empty: Vec<String> = sum.left_empty.iter().map(|table| format!("\n    left empty: {table}")).collect();
        let _ = writeln!(std::io::stderr(), "PostgreSQL {release}, {rules} rules: {}{}", parts.join(", "), empty.concat());
    }
}

/// One example on one server.
struct Case<'a> {
    rule: &'a str,
    example: &'a Example,
    server: &'a Server,
}

async fn hold_against(case: &Case<'_>, rules: &RuleSet, report: &mut Report) {
    let judged = example::report_for(case.example, rules, case.server.installation().version);
    let with_rows = run(case, &judged, true, report).await;
    // Rows are a means to see more; where they are what the server objects to (a duplicate key), an empty table still shows the locks.
    let Run { last, comparisons } = match with_rows.last.refused.is_some() && case.example.fails.is_none() {
        true => run(case, &judged, false, report).await,
        false => with_rows,
    };
    report.check_outcome(case, &last);
    if let (Some(observed), None) = (last.last(), &last.refused) {
        report.check_claims(case, observed);
    }
    for (what, complaint) in comparisons {
        report.count(case, what, complaint);
    }
}

/// What came of an example.
#[derive(Default)]
struct Run {
    /// The last of its files that is judged, or the one that was refused.
    last: Played,
    /// What was said of each statement of those that are judged, and what it did.
    comparisons: Vec<Comparison>,
}

/// Plays all files of an example in a new database.
async fn run(case: &Case<'_>, judged: &lint::Report, with_rows: bool, report: &mut Report) -> Run {
    let example = case.example;
    let database = new_database(case.server).await;
    let mut observer = Observer::open(&database).await.expect("the server answers");
    let given = play(&mut observer, &SourceFile::new("given.sql", example.given.as_str()), TransactionMode::None).await;
    assert!(given.refused.is_none(), "{}: its `given` is refused: {:?}", case.rule, given.refused);
    let mut files: Vec<(&str, &str)> = example.files.iter().map(|file| (file.name.as_str(), file.sql.as_str())).collect();
    files.extend(example.sql.as_deref().map(|sql| (example.file.as_str(), sql)));
    files.sort_unstable();
    let mut run = Run::default();
    for (name, sql) in files {
        if with_rows {
            let left = fill(observer.runner()).await.expect("rows are made from the catalog");
            report.left_empty.extend(left.iter().map(|left| format!("{}: {} ({})", case.rule, left.table, left.why)));
        }
        let before = Before::look(observer.runner()).await.expect("the catalog can be read");
        let assessed = judged.migrations.iter().find(|assessed| assessed.source.path() == Path::new(name));
        let mode = assessed.map_or(TransactionMode::None, |assessed| assessed.transaction);
        let played = play(&mut observer, &SourceFile::new(name, sql), mode).await;
        let refused = played.refused.is_some();
        if let Some(assessed) = assessed {
            run.comparisons.extend(compare(&before, assessed, &played));
        }
        if refused || assessed.is_some() {
            run.last = played;
        }
        if refused {
            break;
        }
    }
    observer.close().await;
    remove_database(case.server, &database).await;
    run
}

impl Report {
    fn check_outcome(&mut self, case: &Case<'_>, played: &Played) {
        let complaint = match (&case.example.fails, &played.refused) {
            (None, None) => None,
            (None, Some(refusal)) => Some(format!("the server refuses it: {refusal}")),
            (Some(words), None) => Some(format!("the server takes it, but was to say: {words}")),
            (Some(words), Some(refusal)) if refusal.message.contains(words) => None,
            (Some(words), Some(refusal)) => Some(format!("the server says: {refusal}, but was to say: {words}")),
        };
        self.count(case, "accepted or refused", complaint);
    }

    fn check_claims(&mut self, case: &Case<'_>, observed: &Observed) {
        let seen: BTreeMap<&QualifiedName, LockMode> =
            observed.locks.iter().chain(&observed.index_locks).map(|lock| (&lock.relation, lock.mode)).collect();
        for (name, mode) in case.example.locks.iter().flatten() {
            let complaint = match seen.get(&qualified(name)) {
                Some(seen) if seen == mode => None,
                Some(seen) => Some(format!("{name} is locked in {seen}, claimed is {mode}")),
                None => Some(format!("{name} is not locked, claimed is {mode}")),
            };
            self.count(case, "claimed locks", complaint);
        }
        let lists =
            [("claimed rewrites", &case.example.rewrites, &observed.rewrites), ("claimed scans", &case.example.scans, &observed.scans)];
        for (what, claimed, seen) in lists {
            let Some(claimed) = claimed else { continue };
            let claimed: BTreeSet<QualifiedName> = claimed.iter().map(|name| qualified(name)).collect();
            let seen: BTreeSet<QualifiedName> = seen.iter().cloned().collect();
            let complaint = (claimed != seen).then(|| format!("{what}: [{}], seen: [{}]", list(&claimed), list(&seen)));
            self.count(case, what, complaint);
        }
    }

    fn count(&mut self, case: &Case<'_>, what: &'static str, complaint: Option<String>) {
        let (agreed, total) = self.tally.entry(what).or_default();
        *total += 1;
        match complaint {
            None => *agreed += 1,
            Some(complaint) => {
                let sql = case.example.sql.as_deref().unwrap_or("(several files)").replace('\n', " ");
                self.complaints.push(format!("{} on {}: {complaint}\n    {sql}", case.rule, case.server.installation().release));
            }
        }
    }
}

fn qualified(name: &str) -> QualifiedName {
    let Ok(name) = name.parse();
    name
}

fn list(names: &BTreeSet<QualifiedName>) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
