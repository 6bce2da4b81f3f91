//! Applies fixes: texts in, texts out. Nothing is written to disk here.
//!
//! In each round those fixes are applied that do not touch each other, and everything is judged again; then the next round has its turn,
//! until no fix is left. A file that a round makes worse is left out of it, and has fewer fixes applied at once from then on, so that in the
//! end a single one is blamed: one that brings a new error, or after which its own finding is still there, is not applied.

mod check;
#[cfg(test)]
mod tests;

use super::finding::{Assessed, Edit, Finding, Report, Safety, Suggestion};
use super::standing::read_again;
use super::{Asked, Settings, Suggest, judge_history, read_all};
use crate::discover::{Discovered, History};
use crate::problem::Problem;
use crate::rule::moment::Order;
use crate::sql::Script;
use crate::text::SourceFile;
use check::Origins;
use foldhash::{HashMap, HashSet};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Which fixes are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct How {
    /// Those that somebody has to look at, too.
    pub review: bool,
    /// Those that add files, too.
    pub new_files: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct Fixed {
    /// The files that are different now, and those that are new; by path.
    pub files: Vec<FixedFile>,
    /// What was done, in order.
    pub applied: Vec<Applied>,
    /// What was tried and taken back.
    pub dropped: Vec<Dropped>,
    /// What is left to say of the files as they are now.
    pub left: Report,
}

/// A file that is different now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixedFile {
    /// Where.
    pub path: PathBuf,
    /// What it was; `None`: it is new.
    pub old: Option<Vec<u8>>,
    /// What it is.
    pub new: Vec<u8>,
}

/// A fix that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The file.
    pub path: PathBuf,
    /// The line of the finding when it was applied.
    pub line: u32,
    /// The rule.
    pub rule: String,
    /// What was done.
    pub title: String,
}

/// A fix that was taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// What it would have been.
    pub fix: Applied,
    /// Why.
    pub why: String,
}

/// A fix among those of a round.
#[derive(Clone, Debug)]
struct Candidate {
    fix: Applied,
    message: String,
    /// The place of the finding.
    start: u32,
    /// Whether the rule speaks once in a file.
    once: bool,
    edits: Vec<Edit>,
    files: Vec<(PathBuf, String)>,
}

/// By which a fix is known again: the same one is not applied twice.
type Key = (PathBuf, String, Vec<String>, String);

/// More rounds than this mean that fixes undo each other.
const MOST_ROUNDS: usize = 1_000;

/// Applies fixes to everything that was found, as long as there are any. Histories know nothing of each other.
pub fn fixed(discovered: Discovered, settings: &Settings<'_>, how: How) -> Fixed {
    let left = Report { server: settings.server, migrations: Vec::new(), problems: discovered.problems };
    let mut all = Fixed { files: Vec::new(), applied: Vec::new(), dropped: Vec::new(), left };
    for history in discovered.histories {
        let mut one = of_history(history, settings, how);
        all.files.append(&mut one.files);
        all.applied.append(&mut one.applied);
        all.dropped.append(&mut one.dropped);
        all.left.migrations.append(&mut one.left.migrations);
        let is_new =
            |problem: &Problem| !all.left.problems.iter().any(|known| known.message == problem.message && known.path() == problem.path());
        let new: Vec<_> = one.left.problems.into_iter().filter(is_new).collect();
        all.left.problems.extend(new);
    }
    all
}

/// The same of one history.
fn of_history(history: History, settings: &Settings<'_>, how: How) -> Fixed {
    let scripts = read_all(&history.migrations);
    let mut texts = HashMap::default();
    for migration in &history.migrations {
        texts.entry(migration.source.path().to_owned()).or_insert_with(|| Arc::clone(&migration.source));
    }
    let mut rounds = Rounds {
        report: judged(&history, scripts.clone(), settings),
        settings,
        how,
        history,
        scripts,
        texts,
        before: BTreeMap::new(),
        origins: Origins::default(),
        seen: HashMap::default(),
        refused: HashSet::default(),
        at_once: HashMap::default(),
        applied: Vec::new(),
        dropped: Vec::new(),
    };
    for _ in 0..MOST_ROUNDS {
        let batch = rounds.choose();
        if batch.is_empty() {
            break;
        }
        rounds.round(batch);
    }
    rounds.end()
}

fn judged(history: &History, scripts: Vec<Arc<Script>>, settings: &Settings<'_>) -> Report {
    let mut problems = Vec::new();
    let migrations = judge_history(
        history,
        scripts,
        Asked { settings, suggest: Suggest::All, every: false, downs: false, watch: &|_| {} },
        &mut problems,
    );
    Report { server: settings.server, migrations, problems }
}

struct Rounds<'a> {
    settings: &'a Settings<'a>,
    how: How,
    history: History,
    /// What its migrations say.
    scripts: Vec<Arc<Script>>,
    report: Report,
    /// All migrations and all new files, as they are now.
    texts: HashMap<PathBuf, Arc<SourceFile>>,
    /// Those that are different now, as they were; `None`: they are new.
    before: BTreeMap<PathBuf, Option<Arc<SourceFile>>>,
    origins: Origins,
    /// How often each fix may still be applied: as often as it was there when it was first seen.
    seen: HashMap<Key, usize>,
    refused: HashSet<Key>,
    /// How many fixes of a file, by its origin, are applied at once, if more have made it worse.
    at_once: HashMap<PathBuf, usize>,
    applied: Vec<Applied>,
    dropped: Vec<Dropped>,
}

impl Rounds<'_> {
    /// The fixes that may be applied together: in a file none reaches into another, and one at most adds files.
    fn choose(&mut self) -> Vec<Candidate> {
        let run_before: HashSet<_> = run_before(&self.history).collect();
        let mut chosen: Vec<Candidate> = Vec::new();
        let mut counts: HashMap<Key, usize> = HashMap::default();
        let mut taken = HashMap::default();
        for migration in self.report.migrations.iter().filter(|migration| !run_before.contains(migration.source.path())) {
            let from = chosen.len();
            let origin = self.origins.of(migration.source.path()).to_owned();
            let most = self.at_once.get(&origin).copied().unwrap_or(usize::MAX);
            let taken = taken.entry(origin).or_insert(0usize);
            for finding in migration.findings.iter().filter(|finding| finding.allowed.is_none()) {
                let Some(candidate) = self.candidate(migration, finding) else { continue };
                let key = key(&candidate, &migration.source);
                *counts.entry(key.clone()).or_default() += 1;
                let is_new = !self.refused.contains(&key) && self.seen.get(&key) != Some(&0);
                if is_new && *taken < most && chosen[from..].iter().all(|other| apart(other, &candidate)) {
                    *taken += 1;
                    chosen.push(candidate);
                }
            }
        }
        for (key, count) in counts {
            self.seen.entry(key).or_insert(count);
        }
        chosen
    }

    fn candidate(&self, migration: &Assessed, finding: &Finding) -> Option<Candidate> {
        let suggestion = finding.suggestion.as_ref().filter(|suggestion| self.is_wanted(suggestion))?;
        let path = migration.source.path().to_owned();
        let line = migration.source.place(finding.span.start).line;
        Some(Candidate {
            fix: Applied { path, line, rule: finding.rule.clone(), title: suggestion.title.clone() },
            message: finding.message.clone(),
            start: finding.span.start,
            once: self.settings.rules.find(&finding.rule).and_then(|entry| entry.rule().ok()).is_some_and(|rule| rule.once),
            edits: suggestion.edits.clone(),
            files: suggestion.files.iter().map(|file| (file.path.clone(), file.text.clone())).collect(),
        })
    }

    fn is_wanted(&self, suggestion: &Suggestion) -> bool {
        let is_one = !suggestion.edits.is_empty() || !suggestion.files.is_empty();
        let is_safe = suggestion.safety == Safety::Safe;
        is_one && (is_safe || self.how.review) && (suggestion.files.is_empty() || self.how.new_files)
    }

    /// Applies as many fixes of a batch as make nothing worse.
    fn round(&mut self, mut batch: Vec<Candidate>) {
        while !batch.is_empty() {
            let blamed = self.apply(&batch);
            if blamed.is_empty() {
                for fix in &batch {
                    self.at_once.entry(self.origins.of(&fix.fix.path).to_owned()).and_modify(|most| *most = most.saturating_mul(2));
                }
                return;
            }
            let mut by_file: BTreeMap<_, Vec<_>> = BTreeMap::new();
            for fix in batch.extract_if(.., |fix| blamed.contains_key(self.origins.of(&fix.fix.path))) {
                by_file.entry(self.origins.of(&fix.fix.path).to_owned()).or_default().push(fix);
            }
            if by_file.is_empty() {
                // What was made worse is another file: nobody knows by which fix.
                match (batch.len(), blamed.values().next()) {
                    (1, Some(why)) => self.blame(std::mem::take(&mut batch), why),
                    (many, _) => batch.truncate(many / 2),
                }
            }
            for (path, fixes) in by_file {
                self.blame(fixes, blamed.get(&path).map_or("", String::as_str));
            }
        }
    }

    /// The fixes of one file, and of those that have come from it, have made something worse.
    fn blame(&mut self, fixes: Vec<Candidate>, why: &str) {
        match &fixes[..] {
            [single] => self.refuse(single, why.to_owned()),
            [first, ..] => _ = self.at_once.insert(self.origins.of(&first.fix.path).to_owned(), fixes.len() / 2),
            [] => {}
        }
    }

    /// Applies fixes and judges again. What is made worse, and why; then all is as before.
    fn apply(&mut self, batch: &[Candidate]) -> BTreeMap<PathBuf, String> {
        let mut origins = self.origins.clone();
        let texts = self.texts(batch, &mut origins);
        let history = self.history.edited(&texts, self.settings.config);
        let scripts = read_again(&history.migrations, (&self.history.migrations, &self.scripts));
        let report = judged(&history, scripts.clone(), self.settings);
        let blamed = check::worse(&self.report, &report, batch, &origins);
        if blamed.is_empty() {
            self.accept(batch, texts);
            (self.history, self.scripts, self.report, self.origins) = (history, scripts, report, origins);
        }
        blamed
    }

    /// The files of a batch as they would be.
    fn texts(&self, batch: &[Candidate], origins: &mut Origins) -> Vec<Arc<SourceFile>> {
        let mut edits: BTreeMap<&Path, Vec<&Edit>> = BTreeMap::new();
        let mut texts = Vec::new();
        for candidate in batch {
            edits.entry(&candidate.fix.path).or_default().extend(&candidate.edits);
            for (path, text) in &candidate.files {
                origins.note(path, &candidate.fix.path);
                texts.push(SourceFile::new(path, text.as_str()));
            }
        }
        for (path, edits) in edits {
            if let Some(source) = self.texts.get(path).filter(|_| !edits.is_empty()) {
                texts.push(SourceFile::new(path, edited(source.bytes(), &edits)));
            }
        }
        texts
    }

    fn accept(&mut self, batch: &[Candidate], texts: Vec<Arc<SourceFile>>) {
        for candidate in batch {
            let key = self.texts.get(&candidate.fix.path).map(|source| key(candidate, source));
            if let Some(count) = key.and_then(|key| self.seen.get_mut(&key)) {
                *count = count.saturating_sub(1);
            }
            self.applied.push(candidate.fix.clone());
        }
        for text in texts {
            let path = text.path().to_owned();
            let old = self.texts.insert(path.clone(), text);
            self.before.entry(path).or_insert(old);
        }
    }

    fn refuse(&mut self, candidate: &Candidate, why: String) {
        if let Some(key) = self.texts.get(&candidate.fix.path).map(|source| key(candidate, source)) {
            self.refused.insert(key);
        }
        self.dropped.push(Dropped { fix: candidate.fix.clone(), why });
    }

    fn end(self) -> Fixed {
        let mut files = Vec::new();
        for (path, old) in &self.before {
            let new = self.texts.get(path).map(|source| source.bytes().to_vec()).unwrap_or_default();
            let old = old.as_ref().map(|source| source.bytes().to_vec());
            if old.as_ref() != Some(&new) {
                files.push(FixedFile { path: path.clone(), old, new });
            }
        }
        Fixed { files, applied: self.applied, dropped: self.dropped, left: self.report }
    }
}

/// Files that the base branch has, whatever has become of them: they have been run.
fn run_before(history: &History) -> impl Iterator<Item = &Path> {
    let edited = history.migrations.iter().filter(|migration| matches!(migration.order, Order::Edited | Order::Gone));
    edited.map(|migration| migration.source.path())
}

fn key(candidate: &Candidate, source: &SourceFile) -> Key {
    let line = source.text(source.line(candidate.fix.line)).into_owned();
    let texts = candidate.edits.iter().map(|edit| edit.text.clone()).collect();
    (candidate.fix.path.clone(), candidate.fix.rule.clone(), texts, line)
}

/// Whether two fixes of one file can be applied together: not even at the same place, since nobody knows what would come first.
fn apart(one: &Candidate, other: &Candidate) -> bool {
    let touches = |a: &Edit, b: &Edit| a.span.start <= b.span.end && b.span.start <= a.span.end;
    let clash = one.edits.iter().any(|a| other.edits.iter().any(|b| touches(a, b)));
    !clash && (one.files.is_empty() || other.files.is_empty())
}

/// Bytes with edits applied, none of which reaches into another.
pub fn edited(bytes: &[u8], edits: &[&Edit]) -> Vec<u8> {
    let mut sorted = edits.to_vec();
    sorted.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut result = Vec::with_capacity(bytes.len());
    let mut at = 0;
    for edit in sorted {
        result.extend_from_slice(bytes.get(at..edit.span.start as usize).unwrap_or_default());
        result.extend_from_slice(edit.text.as_bytes());
        at = edit.span.end as usize;
    }
    result.extend_from_slice(bytes.get(at..).unwrap_or_default());
    result
}
