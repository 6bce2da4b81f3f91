//! What changed since a branch point is judged, the rest is history: the roles of candidates, and what a change makes of their place.

use super::Role;
use super::convention::{self, Purpose, Sequence};
use super::git::{Change, Changes};
use super::order;
use super::walk::Candidate;
use crate::config::Config;
use crate::problem::Problem;
use crate::rule::moment::Order;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The changes of a run, and the versions that the base branch has.
pub(super) struct Since<'a> {
    changes: &'a Changes,
    /// By history, absolute: the newest version, and all of them with their paths.
    base: BTreeMap<PathBuf, Vec<(String, &'a Path)>>,
}

impl<'a> Since<'a> {
    pub fn new(changes: &'a Changes) -> Self {
        let mut base: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for path in &changes.base {
            let Some(named) = convention::read(path).filter(|named| named.purpose == Purpose::Up) else { continue };
            let counts = named.sequence != Sequence::ByFolder;
            if let Some(version) = named.version.filter(|_| counts) {
                base.entry(named.history).or_default().push((version, path.as_path()));
            }
        }
        for versions in base.values_mut() {
            versions.sort_by(|a, b| order::versions(&a.0, &b.0));
        }
        Self { changes, base }
    }

    /// Makes history of what has not changed.
    ///
    /// # Errors
    /// A file is in another repository, or in none, so that nobody can tell.
    pub fn mark(&self, candidates: &mut [Candidate]) -> Result<(), Problem> {
        let mut parents: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
        for candidate in candidates.iter_mut().filter(|candidate| candidate.role == Role::Subject) {
            let parent = candidate.path.parent().unwrap_or(Path::new("")).to_owned();
            let absolute = parents.entry(parent).or_insert_with_key(|parent| absolute(parent));
            if !absolute.starts_with(&self.changes.root) {
                let words = "this file is outside of the git repository that `--since` is about";
                return Err(Problem::new("since::outside", words).help("name files of one repository").about(&candidate.path));
            }
            let path = absolute.join(candidate.path.file_name().unwrap_or_default());
            candidate.change = self.changes.changed.get(&path).copied().unwrap_or_default();
            if candidate.change == Change::None {
                candidate.role = Role::History;
            }
        }
        Ok(())
    }

    /// Migrations that were there at the branch point and are no more, as candidates of their histories. `walked` are the directories
    /// that were asked for.
    pub fn gone(&self, walked: &[PathBuf], config: &Config) -> Vec<(PathBuf, Candidate)> {
        let mut gone = Vec::new();
        for directory in walked {
            let base = absolute(directory);
            let below = |path: &&PathBuf| path.starts_with(&base);
            for path in self.changes.changed.iter().filter(|(_, change)| **change == Change::Gone).map(|(path, _)| path).filter(below) {
                let shown = directory.join(path.strip_prefix(&base).unwrap_or(path));
                let named = convention::read(&shown).filter(|named| named.purpose == Purpose::Up && config.excludes(&shown).is_none());
                if let Some(named) = named {
                    let history = named.history.clone();
                    gone.push((history, Candidate { change: Change::Gone, ..Candidate::new(shown, named, Role::Subject) }));
                }
            }
        }
        gone.sort_by(|a, b| a.1.path.cmp(&b.1.path));
        gone.dedup_by(|a, b| a.1.path == b.1.path);
        gone
    }

    /// What the base branch makes of a candidate's place, and the version there that does.
    pub fn place(&self, candidate: &Candidate, history: &Path) -> Option<(Order, Option<String>)> {
        match candidate.change {
            Change::None => None,
            // What is run again whenever it changes is there to be edited.
            Change::Edited => (!candidate.repeatable).then_some((Order::Edited, None)),
            Change::Gone => Some((Order::Gone, None)),
            Change::Added => {
                let version = order::counted(candidate)?;
                let versions = self.base.get(&absolute(history))?;
                let here = absolute(&candidate.path);
                let same = |known: &&(String, &Path)| order::versions(&known.0, version).is_eq() && known.1 != here && !known.1.exists();
                if candidate.sequence != Sequence::ByName && versions.iter().any(|known| same(&known)) {
                    return Some((Order::Duplicate, None));
                }
                let (newest, _) = versions.last()?;
                order::versions(version, newest).is_lt().then(|| (Order::Behind, Some(newest.clone())))
            }
        }
    }
}

/// From the root of the file system, links resolved as far as the path exists.
fn absolute(path: &Path) -> PathBuf {
    let path = crate::config::non_empty(path);
    std::fs::canonicalize(&path).or_else(|_| std::path::absolute(&path)).unwrap_or(path)
}
