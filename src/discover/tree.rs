//! Files as git has them, in the index or in a commit: what stands for the disk where that is not what is asked about.

use super::git::Git;
use crate::config::{resolved, without_dots};
use crate::problem::Problem;
use crate::text::SourceFile;
use foldhash::{HashMap, HashSet};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// All files, whatever the disk says.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    git: Git,
    /// By absolute path. Paths are ordered part by part, so that what is below a directory stands together.
    files: BTreeMap<PathBuf, Blob>,
    /// Those that were taken out of it.
    gone: HashSet<PathBuf>,
}

/// What git has of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Blob {
    /// Bytes, by their id.
    File(String),
    /// A link: the id of its target's path.
    Link(String),
    /// Several texts, of which nobody has made one.
    Conflict,
}

impl Blob {
    /// What a mode of git says; `None`: it is no file, but a commit of another repository.
    pub fn new(mode: &str, id: &str) -> Option<Self> {
        match mode {
            "160000" => None,
            "120000" => Some(Self::Link(id.to_owned())),
            _ => Some(Self::File(id.to_owned())),
        }
    }
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    File,
    Directory,
}

/// Paths from the root of the file system. Links above a file are resolved; one that it is itself stays.
#[derive(Debug, Default)]
pub(super) struct Absolute {
    /// The directories that were asked about.
    directories: HashMap<PathBuf, PathBuf>,
}

impl Absolute {
    pub fn of(&mut self, path: &Path) -> PathBuf {
        let directory = path.parent().unwrap_or(Path::new(""));
        let directory = match self.directories.get(directory) {
            Some(known) => known,
            None => self.directories.entry(directory.to_owned()).or_insert_with_key(|directory| resolved(directory)),
        };
        directory.join(path.file_name().unwrap_or_default())
    }
}

/// The texts of files, by the paths that they were asked for by.
pub(super) type Texts = HashMap<PathBuf, Result<Arc<SourceFile>, Problem>>;

impl Tree {
    pub fn new(git: Git, files: HashMap<PathBuf, Blob>, gone: HashSet<PathBuf>) -> Self {
        Self { git, files: files.into_iter().collect(), gone }
    }

    /// What stands at a path, if anything does.
    pub fn at(&self, path: &Path) -> Option<Standing> {
        if self.files.contains_key(&Absolute::default().of(path)) {
            return Some(Standing::File);
        }
        self.from(&resolved(path)).next().map(|_| Standing::Directory)
    }

    /// Whether a file was there before the changes that made this of it.
    pub fn had(&self, path: &Path) -> bool {
        self.gone.contains(&Absolute::default().of(path))
    }

    /// The files below a directory, as paths that begin as that is written.
    pub fn below(&self, directory: &Path) -> Vec<PathBuf> {
        let base = resolved(directory);
        self.from(&base).filter_map(|(file, _)| Some(directory.join(file.strip_prefix(&base).ok()?))).collect()
    }

    fn from<'t>(&'t self, base: &Path) -> impl Iterator<Item = (&'t PathBuf, &'t Blob)> + use<'t> {
        let below = base.to_owned();
        self.files.range(base.to_owned()..).take_while(move |(file, _)| file.starts_with(&below))
    }

    /// Reads files, all of them at once.
    ///
    /// # Errors
    /// Git gives nothing. What is wrong with a single file stands in its place.
    pub fn texts<'p>(&self, paths: impl Iterator<Item = &'p Path>) -> Result<Texts, Problem> {
        let mut absolute = Absolute::default();
        let paths: Vec<_> = paths.map(|path| (path, self.files.get_key_value(&absolute.of(path)))).collect();
        let read =
            |ids: Vec<String>| self.git.blobs(&ids).map_err(|refusal| refusal.problem("git does not give these files", &self.git.root));
        let ids = paths.iter().filter_map(|(_, known)| match known.as_ref()?.1 {
            Blob::File(id) | Blob::Link(id) => Some(id.clone()),
            Blob::Conflict => None,
        });
        let mut bytes = read(ids.collect())?;
        let targets: HashMap<_, _> = paths.iter().filter_map(|(path, known)| Some((*path, self.target((*known)?, &bytes)?))).collect();
        if !targets.is_empty() {
            bytes.extend(read(targets.values().cloned().collect())?);
        }
        let text = |(path, known): (&'p Path, Option<(&PathBuf, &Blob)>)| {
            let id = match known.map(|(_, blob)| blob) {
                Some(Blob::File(id)) => Ok(id),
                Some(Blob::Link(_)) => targets.get(path).ok_or(("git::link", "this is a link, and git does not have what it leads to")),
                Some(Blob::Conflict) => Err(("git::conflict", "this file is in conflict, and nobody has resolved it")),
                None => Err(("git::no-file", "git does not have this file")),
            };
            let found = id.and_then(|id| bytes.get(id).ok_or(("git::no-file", "git does not have the text of this file")));
            let source = found.map(|bytes| SourceFile::new(path, bytes.as_slice()));
            (path.to_owned(), source.map_err(|(code, words)| Problem::new(code, words).about(path)))
        };
        Ok(paths.into_iter().map(text).collect())
    }

    /// The id of the file that a link leads to.
    fn target(&self, (path, blob): (&PathBuf, &Blob), bytes: &HashMap<String, Vec<u8>>) -> Option<String> {
        let Blob::Link(id) = blob else { return None };
        let target = super::git::path(bytes.get(id)?);
        match self.files.get(&without_dots(&path.parent()?.join(target)))? {
            Blob::File(id) => Some(id.clone()),
            Blob::Link(_) | Blob::Conflict => None,
        }
    }
}
