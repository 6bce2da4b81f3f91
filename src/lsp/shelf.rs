//! Texts of files that were read, kept until the files change.

use crate::text::SourceFile;
use rayon::prelude::*;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// By what a change of a file is told: when it was written, and how long it is; `None` if it cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp(Option<(SystemTime, u64)>);

impl Stamp {
    /// The stamp of what lies at a path now.
    pub fn of(path: &Path) -> Self {
        Self(std::fs::metadata(path).and_then(|metadata| Ok((metadata.modified()?, metadata.len()))).ok())
    }
}

/// Texts by path.
#[derive(Debug, Default)]
pub struct Shelf {
    texts: HashMap<PathBuf, (Stamp, Arc<SourceFile>)>,
}

impl Shelf {
    /// Reads the files that are new here, or that have changed. What cannot be read is not here afterwards.
    pub fn refresh<'p>(&mut self, paths: impl Iterator<Item = &'p Path>) {
        let paths: Vec<_> = paths.collect();
        let texts = &self.texts;
        let read = |path: &&Path| {
            let stamp = Stamp::of(path);
            if texts.get(*path).is_some_and(|(known, _)| *known == stamp && stamp.0.is_some()) {
                return None;
            }
            Some((path.to_path_buf(), SourceFile::read(*path).ok().map(|source| (stamp, source))))
        };
        let changed: Vec<_> = paths.par_iter().filter_map(read).collect();
        for (path, text) in changed {
            match text {
                Some(text) => drop(self.texts.insert(path, text)),
                None => drop(self.texts.remove(&path)),
            }
        }
    }

    /// The text of a path, if it is here.
    pub fn get(&self, path: &Path) -> Option<&Arc<SourceFile>> {
        self.texts.get(path).map(|(_, source)| source)
    }
}
