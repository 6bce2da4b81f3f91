//! Whether fixes have made things worse: a new error, a file that cannot be read, a finding that is still there.

use super::super::finding::{Assessed, Edit, Finding, Report};
use super::Candidate;
use crate::rule::Severity;
use foldhash::HashMap;
use std::collections::BTreeMap;
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
pub(super) fn worse(before: &Report, after: &Report, batch: &[Candidate], origins: &Origins) -> BTreeMap<PathBuf, String> {
    let mut worse = BTreeMap::new();
    if let Some(problem) = after.problems.get(before.problems.len()) {
        worse.insert(problem.path().unwrap_or(Path::new("")).to_owned(), problem.message.clone());
    }
    let had = errors(before, origins);
    for ((path, rule), (count, message)) in errors(after, origins) {
        if had.get(&(path, rule)).is_none_or(|(had, _)| *had < count) {
            worse.entry(path.to_owned()).or_insert_with(|| format!("it would bring another error: {message}"));
        }
    }
    let comparison = Comparison::of((before, after), batch, origins);
    for fix in batch.iter().filter(|fix| comparison.is_still_there(fix)) {
        worse.entry(origins.of(&fix.fix.path).to_owned()).or_insert_with(|| "its finding would still be there".to_owned());
    }
    worse
}

/// The open errors, by the file that they come from and by rule: how many, and what the first one says.
fn errors<'r>(report: &'r Report, origins: &'r Origins) -> BTreeMap<(&'r Path, &'r str), (usize, &'r str)> {
    let mut errors = BTreeMap::new();
    for (origin, finding) in open(report, origins).filter(|(_, finding)| finding.severity == Severity::Error) {
        errors.entry((origin, finding.rule.as_str())).or_insert((0, finding.message.as_str())).0 += 1;
    }
    errors
}

/// The findings that are not allowed, each with the file that it comes from.
fn open<'r>(report: &'r Report, origins: &'r Origins) -> impl Iterator<Item = (&'r Path, &'r Finding)> {
    report.migrations.iter().flat_map(|migration| {
        let origin = origins.of(migration.source.path());
        migration.findings.iter().filter(|finding| finding.allowed.is_none()).map(move |finding| (origin, finding))
    })
}

/// By the file that they come from, by rule, and by what they say.
type Counted<'r> = HashMap<(&'r Path, &'r str, &'r str), usize>;

fn counted<'r>(findings: impl Iterator<Item = (&'r Path, &'r str, &'r str)>) -> Counted<'r> {
    let mut counted = Counted::default();
    findings.for_each(|finding| *counted.entry(finding).or_default() += 1);
    counted
}

/// Two reports, and the fixes that lie between them.
struct Comparison<'r> {
    before: Counted<'r>,
    after: Counted<'r>,
    batch: Counted<'r>,
    /// The files as they are now.
    files: HashMap<&'r Path, &'r Assessed>,
    edits: HashMap<&'r Path, Vec<&'r Edit>>,
    origins: &'r Origins,
}

impl<'r> Comparison<'r> {
    fn of((before, after): (&'r Report, &'r Report), batch: &'r [Candidate], origins: &'r Origins) -> Self {
        let in_report =
            |report| counted(open(report, origins).map(|(origin, finding)| (origin, finding.rule.as_str(), finding.message.as_str())));
        let in_batch = batch.iter().map(|fix| (origins.of(&fix.fix.path), fix.fix.rule.as_str(), fix.message.as_str()));
        let mut edits: HashMap<_, Vec<_>> = HashMap::default();
        batch.iter().for_each(|fix| edits.entry(fix.fix.path.as_path()).or_default().extend(&fix.edits));
        let files = after.migrations.iter().map(|migration| (migration.source.path(), migration)).collect();
        Self { before: in_report(before), after: in_report(after), batch: counted(in_batch), files, edits, origins }
    }

    fn is_still_there(&self, fix: &Candidate) -> bool {
        if fix.once {
            return self.stands_there_again(fix);
        }
        let alike = (self.origins.of(&fix.fix.path), fix.fix.rule.as_str(), fix.message.as_str());
        let number = |counted: &Counted<'_>| counted.get(&alike).copied().unwrap_or_default();
        number(&self.after) + number(&self.batch) > number(&self.before)
    }

    /// Of a rule that speaks once in a file the next finding may come up, but not at the same place.
    fn stands_there_again(&self, fix: &Candidate) -> bool {
        let own = self.edits.get(fix.fix.path.as_path()).into_iter().flatten();
        let moved: i64 =
            own.filter(|edit| edit.span.end <= fix.start).map(|edit| edit.text.len() as i64 - i64::from(edit.span.len())).sum();
        let same = |finding: &&Finding| finding.allowed.is_none() && finding.rule == fix.fix.rule && finding.message == fix.message;
        let at_place = |finding: &Finding| i64::from(finding.span.start) == i64::from(fix.start) + moved;
        let in_file = |path: &Path| self.files.get(path).into_iter().flat_map(|file| &file.findings).filter(same);
        let is_own = |new: &Path| self.origins.of(new) == self.origins.of(&fix.fix.path);
        let new = fix.files.iter().map(|(new, _)| new.as_path()).filter(|new| is_own(new));
        in_file(&fix.fix.path).any(at_place) || new.flat_map(in_file).next().is_some()
    }
}
