//! Whether fixes have made things worse: a new error, a file that cannot be read, a finding that is still there.

use super::super::finding::{Finding, Report};
use super::Candidate;
use crate::rule::Severity;
use foldhash::HashMap;
use std::path::{Path, PathBuf};

/// From which file new ones have come.
#[derive(Clone, Debug, Default)]
pub(super) struct Origins(HashMap<PathBuf, PathBuf>);

impl Origins {
    /// Notes a new file.
    pub fn note(&mut self, new: &Path, from: &Path) {
        let origin = self.of(from).to_owned();
        self.0.insert(new.to_owned(), origin);
    }

    /// The file that was there at first.
    pub fn of<'a>(&'a self, path: &'a Path) -> &'a Path {
        self.0.get(path).map_or(path, PathBuf::as_path)
    }
}

/// What is worse in a report than in the one before a batch of fixes: the file, or that from which it has come, and why.
pub(super) fn worse(before: &Report, after: &Report, batch: &[Candidate], origins: &Origins) -> Vec<(PathBuf, String)> {
    let mut worse = Vec::new();
    if let Some(problem) = after.problems.get(before.problems.len()) {
        worse.push((problem.path().unwrap_or(Path::new("")).to_owned(), problem.message.clone()));
    }
    let errors = |report| count(report, origins, |finding| (finding.severity == Severity::Error).then(String::new));
    let had = errors(before);
    for ((path, rule, _), findings) in errors(after) {
        if had.get(&(path, rule, String::new())).copied().unwrap_or_default() < findings {
            worse.push((path.to_owned(), format!("it would bring another error: {}", message(after, origins, (path, rule)))));
        }
    }
    let still_there = batch.iter().filter(|fix| is_still_there(fix, (before, after), batch, origins));
    worse.extend(still_there.map(|fix| (origins.of(&fix.fix.path).to_owned(), "its finding would still be there".to_owned())));
    worse
}

type Counted<'r> = HashMap<(&'r Path, &'r str, String), usize>;

/// How many open findings there are, by the file that they come from, by rule, and by what else `by` says of those that it wants.
fn count<'r>(report: &'r Report, origins: &'r Origins, by: impl Fn(&Finding) -> Option<String>) -> Counted<'r> {
    let mut counted = Counted::default();
    for migration in &report.migrations {
        let origin = origins.of(migration.source.path());
        for finding in migration.findings.iter().filter(|finding| finding.allowed.is_none()) {
            if let Some(more) = by(finding) {
                *counted.entry((origin, finding.rule.as_str(), more)).or_default() += 1;
            }
        }
    }
    counted
}

fn message<'r>(report: &'r Report, origins: &Origins, (path, rule): (&Path, &str)) -> &'r str {
    let own = report.migrations.iter().filter(|migration| origins.of(migration.source.path()) == path);
    own.flat_map(|migration| &migration.findings).find(|finding| finding.rule == rule).map_or("", |finding| &finding.message)
}

fn is_still_there(fix: &Candidate, (before, after): (&Report, &Report), batch: &[Candidate], origins: &Origins) -> bool {
    let origin = origins.of(&fix.fix.path);
    if fix.once {
        return stands_there_again(fix, after, batch, origins);
    }
    let same = |finding: &Finding| (finding.rule == fix.fix.rule && finding.message == fix.message).then(String::new);
    let number = |report| count(report, origins, same).get(&(origin, fix.fix.rule.as_str(), String::new())).copied().unwrap_or_default();
    let alike =
        |other: &&Candidate| other.fix.rule == fix.fix.rule && other.message == fix.message && origins.of(&other.fix.path) == origin;
    number(after) + batch.iter().filter(alike).count() > number(before)
}

/// Of a rule that speaks once in a file the next finding may come up, but not at the same place.
fn stands_there_again(fix: &Candidate, after: &Report, batch: &[Candidate], origins: &Origins) -> bool {
    let own = batch.iter().filter(|other| other.fix.path == fix.fix.path).flat_map(|other| &other.edits);
    let moved: i64 = own.filter(|edit| edit.span.end <= fix.start).map(|edit| edit.text.len() as i64 - i64::from(edit.span.len())).sum();
    let same = |finding: &&Finding| finding.allowed.is_none() && finding.rule == fix.fix.rule && finding.message == fix.message;
    after.migrations.iter().any(|migration| {
        let path = migration.source.path();
        let here = path == fix.fix.path;
        let is_new = fix.files.iter().any(|(new, _)| new == path) && origins.of(path) == origins.of(&fix.fix.path);
        let at_place = |finding: &Finding| i64::from(finding.span.start) == i64::from(fix.start) + moved;
        migration.findings.iter().filter(same).any(|finding| is_new || (here && at_place(finding)))
    })
}
