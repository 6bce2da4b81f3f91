//! What changed since a branch point is judged, the rest is history: the roles of candidates, and what a change makes of their place.

use super::Role;
use super::changes::{Change, Changes};
use super::convention::{self, Purpose, Sequence};
use super::order;
use super::tree::Absolute;
use super::walk::Candidate;
use crate::config::{Config, resolved};
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
        for path in changes.base.iter().flatten() {
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

    /// Makes history of what has not changed. Gives how many files of that git does not know at all, since it is told to ignore them.
    ///
    /// # Errors
    /// A file is in another repository, or in none, so that nobody can tell.
    pub fn mark(&self, candidates: &mut [Candidate]) -> Result<usize, Problem> {
        let mut absolute = Absolute::default();
        let mut ignored = 0;
        for candidate in candidates.iter_mut().filter(|candidate| candidate.role == Role::Subject) {
            let path = absolute.of(&candidate.path);
            if !path.starts_with(&self.changes.root) || self.is_elsewhere(&path) {
                let words = "this file is outside of the git repository that is asked what has changed";
                return Err(Problem::new("since::outside", words).help("name files of one repository").about(&candidate.path));
            }
            candidate.change = self.change(&path);
            if candidate.change == Change::None {
                candidate.role = Role::History;
                ignored += usize::from(self.changes.tree.is_none() && !self.changes.before.contains(&path));
            }
        }
        Ok(ignored)
    }

    /// What has become of a file, or of what it leads to if it is a link.
    fn change(&self, path: &Path) -> Change {
        let of = |path: &Path| self.changes.changed.get(path).copied();
        let landed = || match &self.changes.tree {
            Some(tree) => tree.landed(path),
            None => std::fs::canonicalize(path).ok(),
        };
        let target = || landed().filter(|target| target != path);
        of(path).or_else(|| of(&target()?)).unwrap_or_default()
    }

    /// Whether it lies in a repository inside of this one of which git says that something in it is new, but not what.
    fn is_elsewhere(&self, path: &Path) -> bool {
        let above = path.ancestors().skip(1).take_while(|above| *above != self.changes.root);
        !self.changes.before.contains(path) && above.into_iter().any(|above| self.changes.changed.contains_key(above))
    }

    /// Migrations that were there at the branch point and are no more, as candidates of their histories. `walked` are the directories
    /// that were asked for.
    pub fn gone(&self, walked: &[PathBuf], config: &Config) -> Vec<(PathBuf, Candidate)> {
        let mut gone = Vec::new();
        // Who names no base branch has taken a file back before anybody ran it.
        for directory in walked.iter().filter(|_| self.changes.base.is_some()) {
            let base = resolved(directory);
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
        self.changes.base.as_ref()?;
        match candidate.change {
            Change::None => None,
            // What is run again whenever it changes is there to be edited.
            Change::Edited => (!candidate.repeatable).then_some((Order::Edited, None)),
            Change::Gone => Some((Order::Gone, None)),
            Change::Added => {
                let version = order::counted(candidate)?;
                let versions = self.base.get(&resolved(history))?;
                let here = resolved(&candidate.path);
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
