//! Every edit that a rule suggests, on the rule's own bad examples.

use super::compare::{Declared, End, compare};
use super::ends::{File, Original};
use super::table::{Table, Tally};
use crate::servers::oldest_and_newest;
use lockkeeper::db::server::Server;
use lockkeeper::db::{Refusal, block_on};
use lockkeeper::lint::example::{self, edited};
use lockkeeper::lint::finding::{Finding, Report, Suggestion};
use lockkeeper::model::session::TransactionMode;
use lockkeeper::rule::example::{Example, OtherFile};
use lockkeeper::rule::set::{Entry, RuleSet};
use lockkeeper::text::SourceFile;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

// One test for each rule: `cargo test --test live same_end::fixes::drop_column`.
include!(concat!(env!("OUT_DIR"), "/rule_tests.rs"));

static TABLE: Table = Table { title: "fixes", without: "rules with neither an edit nor a plan", sums: Mutex::new(BTreeMap::new()) };

/// Enough for the server to look at every page of a table.
const ROWS: u32 = 1000;

fn speaks_for_itself(rule: &str) {
    let mut rules = RuleSet::embedded();
    rules.while_on(rule, hold_all).expect("the test was made from the rule");
}

fn hold_all(entry: &Entry, rules: &RuleSet) {
    let examples = entry.examples().unwrap_or_else(|problem| panic!("{}", problem.message));
    let mut complaints = Vec::new();
    for server in oldest_and_newest() {
        let mut tally = Tally::default();
        let version = server.installation().version;
        let (mut fixes, mut planned) = (0, false);
        let once = entry.rule().is_ok_and(|rule| rule.once);
        for example in examples.bad.iter().filter(|example| example.is_about(version.0)) {
            let judged = example::report_for(example, rules, version);
            for (path, finding) in own_findings(&entry.id, &judged) {
                planned |= finding.suggestion.as_ref().is_some_and(|suggestion| suggestion.recipe.is_some());
                let Some(suggestion) =
                    finding.suggestion.as_ref().filter(|suggestion| !suggestion.edits.is_empty() || !suggestion.files.is_empty())
                else {
                    continue;
                };
                fixes += 1;
                Case { rule: &entry.id, example, server, rules, judged: &judged, path, suggestion, once }.hold(&mut tally);
            }
        }
        if fixes == 0 && !planned {
            tally.left_out.insert(entry.id.clone());
        }
        complaints.append(&mut tally.complaints);
        TABLE.add(&server.installation().release, &mut tally, rules.all().count());
    }
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

/// What the rule itself found, and in which file.
fn own_findings<'r>(rule: &str, judged: &'r Report) -> Vec<(&'r Path, &'r Finding)> {
    let mut found = Vec::new();
    for file in &judged.migrations {
        let own = file.findings.iter().filter(|finding| finding.rule == rule && finding.allowed.is_none());
        found.extend(own.map(|finding| (file.source.path(), finding)));
    }
    found
}

/// The fix of one finding, on one server.
struct Case<'a> {
    rule: &'a str,
    example: &'a Example,
    server: &'a Server,
    rules: &'a RuleSet,
    /// The example as it stands.
    judged: &'a Report,
    /// The file that the finding is about.
    path: &'a Path,
    suggestion: &'a Suggestion,
    /// The rule speaks once in a file.
    once: bool,
}

/// A rule that speaks once in a file has no example with more findings.
const MOST_IN_A_FILE: usize = 5;

impl Case<'_> {
    fn hold(&self, tally: &mut Tally) {
        let mut fixed = applied(self.example, self.path, self.suggestion);
        let version = self.server.installation().version;
        let mut again = example::report_for(&fixed, self.rules, version);
        if self.once {
            // One finding stands for all others of the file: the next comes when it has gone.
            for _ in 0..MOST_IN_A_FILE {
                let Some(next) = own_findings(self.rule, &again).into_iter().find(|(path, _)| *path == self.path) else { break };
                let Some(suggestion) = next.1.suggestion.as_ref() else { break };
                fixed = applied(&fixed, self.path, suggestion);
                again = example::report_for(&fixed, self.rules, version);
            }
        }
        let is_changed = |path: &Path| path == self.path || self.suggestion.files.iter().any(|file| file.path == path);
        let found = own_findings(self.rule, &again);
        let said = found.iter().filter(|(path, _)| is_changed(path)).map(|(_, finding)| finding.message.clone()).collect();
        tally.count("re-lints silent", &self.who(), said);
        if self.example.live {
            let ends = block_on(self.ends(&fixed, &again)).expect("an event queue");
            let (naive, ours) = ends.unwrap_or_else(|refusal| panic!("{}: {refusal}", self.who()));
            self.count(naive, ours, tally);
        }
    }

    fn who(&self) -> String {
        format!("{} on {}, {:?}", self.rule, self.server.installation().release, example::name(self.example))
    }

    /// The ends of the naive statement and of the fix. Where rows are what the server objects to (a duplicate key), empty tables show the
    /// rest.
    async fn ends(&self, fixed: &Example, again: &Report) -> Result<(Result<End, Refusal>, Result<End, Refusal>), Refusal> {
        let (before, naive): (Vec<_>, Vec<_>) =
            files(self.example, self.judged).into_iter().partition(|file| file.source.path() < self.path);
        let ours: Vec<_> = files(fixed, again).into_iter().filter(|file| file.source.path() >= self.path).collect();
        let given = File { source: SourceFile::new("given.sql", self.example.given.as_str()), mode: TransactionMode::None };
        let before: Vec<_> = std::iter::once(given).chain(before).collect();
        let declared = Declared::default();
        let mut ends = None;
        for rows in [ROWS, 0] {
            let original = Original::make(self.server, &before, rows).await?;
            let both = (original.end(&naive, &declared).await?, original.end(&ours, &declared).await?);
            original.remove().await;
            let refused = both.1.is_err();
            ends = Some(both);
            if !refused {
                break;
            }
        }
        Ok(ends.expect("it was run at least once"))
    }

    fn count(&self, naive: Result<End, Refusal>, ours: Result<End, Refusal>, tally: &mut Tally) {
        let who = self.who();
        match (naive, ours) {
            (_, Err(refusal)) => tally.count("taken by the server", &who, vec![refusal.to_string()]),
            (Err(_), Ok(_)) => tally.count("taken where the statement is refused", &who, Vec::new()),
            (Ok(naive), Ok(ours)) if self.suggestion.ends_elsewhere => tally.count("nothing lost", &who, ours.rows.lost(&naive.rows)),
            (Ok(naive), Ok(ours)) => tally.count("same end", &who, compare(&naive, &ours, &Declared::default())),
        }
    }
}

/// The example with the file changed and the new ones beside it. What is no SQL tells the runner what lint has read already.
fn applied(example: &Example, path: &Path, suggestion: &Suggestion) -> Example {
    let mut example = example.clone();
    example.files.extend(example.sql.take().map(|sql| OtherFile { name: example.file.clone(), sql }));
    for file in example.files.iter_mut().filter(|file| Path::new(&file.name) == path) {
        file.sql = edited(&file.sql, &suggestion.edits);
    }
    for file in suggestion.files.iter().filter(|file| file.path.extension().is_some_and(|extension| extension == "sql")) {
        let name = file.path.display().to_string();
        example.release.iter_mut().for_each(|release| release.push(name.clone()));
        example.files.push(OtherFile { name, sql: file.text.clone() });
    }
    example
}

/// The files of an example, in order, as its runner runs them. What is not judged is history, which commits for itself.
fn files(example: &Example, judged: &Report) -> Vec<File> {
    let mode = |path: &Path| judged.migrations.iter().find(|file| file.source.path() == path).map(|file| file.transaction);
    let file =
        |name: &str, sql: &str| File { source: SourceFile::new(name, sql), mode: mode(Path::new(name)).unwrap_or(TransactionMode::None) };
    let mut files: Vec<_> = example.files.iter().map(|other| file(&other.name, &other.sql)).collect();
    files.extend(example.sql.as_deref().map(|sql| file(&example.file, sql)));
    files.sort_by(|one, other| one.source.path().cmp(other.source.path()));
    files
}
