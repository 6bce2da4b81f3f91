//! Files as git has them, in the index or in a commit: what stands for the disk where that is not what is asked about.

use super::git::{Git, Refusal};
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
    /// Where the links among them lead, by the same paths; what that is may be a link again.
    links: BTreeMap<PathBuf, PathBuf>,
    /// Those that were taken out of it.
    gone: HashSet<PathBuf>,
}

/// What git has of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Blob {
    /// Bytes, by their id.
    File(String),
    /// A link: the id of the path that it leads to.
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

/// How many links a path may lead through, as the system has it.
const MOST_LINKS: usize = 40;

/// The texts of files, by the paths that they were asked for by.
pub(super) type Texts = HashMap<PathBuf, Result<Arc<SourceFile>, Problem>>;

impl Tree {
    /// # Errors
    /// Git does not say where the links lead.
    pub fn new(git: Git, files: HashMap<PathBuf, Blob>, gone: HashSet<PathBuf>) -> Result<Self, Refusal> {
        let files: BTreeMap<_, _> = files.into_iter().collect();
        let of_link = |(path, blob): (&PathBuf, &Blob)| match blob {
            Blob::Link(id) => Some((path.clone(), id.clone())),
            Blob::File(_) | Blob::Conflict => None,
        };
        let found: Vec<_> = files.iter().filter_map(of_link).collect();
        let targets = git.blobs(&found.iter().map(|(_, id)| id.clone()).collect::<Vec<_>>())?;
        let lead = |(path, id): (PathBuf, String)| {
            let target = path.parent()?.join(super::git::path(targets.get(&id)?));
            Some((path, target))
        };
        let links = found.into_iter().filter_map(lead).collect();
        Ok(Self { git, files, links, gone })
    }

    /// Where an absolute path leads, once the links of git are followed; `None`: in a circle.
    pub fn landed(&self, path: &Path) -> Option<PathBuf> {
        let mut path = path.to_owned();
        for _ in 0..MOST_LINKS {
            let above: Vec<_> = path.ancestors().collect();
            let Some((link, target)) = above.into_iter().rev().find_map(|above| self.links.get_key_value(above)) else { return Some(path) };
            path = without_dots(&target.join(path.strip_prefix(link).ok()?));
        }
        None
    }

    /// The same of a path as somebody has written it.
    fn home(&self, path: &Path) -> Option<PathBuf> {
        // What ends with `..` has no name of its own.
        let absolute = if path.file_name().is_some() { Absolute::default().of(path) } else { resolved(path) };
        self.landed(&absolute)
    }

    /// What stands at a path, if anything does.
    pub fn at(&self, path: &Path) -> Option<Standing> {
        let landed = self.home(path);
        let is_below = |home: &PathBuf| !self.files.contains_key(home) && self.from(home).next().is_some();
        if landed.as_ref().is_some_and(is_below) {
            return Some(Standing::Directory);
        }
        // A link that leads nowhere is one that cannot be read.
        let is_file = |path: &PathBuf| self.files.contains_key(path);
        (landed.as_ref().is_some_and(is_file) || is_file(&Absolute::default().of(path))).then_some(Standing::File)
    }

    /// Whether a file was there before the changes that made this of it.
    pub fn had(&self, path: &Path) -> bool {
        self.gone.contains(&Absolute::default().of(path))
    }

    /// The files below a directory, as paths that begin as that is written. Links to directories are followed.
    pub fn below(&self, directory: &Path) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut open: Vec<_> = self.home(directory).map(|base| (directory.to_owned(), vec![base])).into_iter().collect();
        while let Some((shown, bases)) = open.pop() {
            let Some(base) = bases.last() else { continue };
            for (file, _) in self.from(base) {
                let Ok(rest) = file.strip_prefix(base) else { continue };
                let here = shown.join(rest);
                match self.behind(file) {
                    // What leads back to a directory above it has nothing new.
                    Some(target) if bases.iter().any(|base| base.starts_with(&target)) || file.starts_with(&target) => {}
                    Some(target) if bases.len() < MOST_LINKS => open.push((here, [&bases[..], &[target]].concat())),
                    Some(_) | None => files.push(here),
                }
            }
        }
        files
    }

    /// The directory that a link leads to.
    fn behind(&self, link: &Path) -> Option<PathBuf> {
        self.links.get(link)?;
        let target = self.landed(link)?;
        (!self.files.contains_key(&target) && self.from(&target).next().is_some()).then_some(target)
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
        let known = |path: PathBuf| {
            let landed = self.landed(&path);
            landed.and_then(|landed| self.files.get(&landed)).or_else(|| self.files.get(&path))
        };
        let paths: Vec<_> = paths.map(|path| (path, known(absolute.of(path)))).collect();
        let id = |blob: &Blob| match blob {
            Blob::File(id) => Ok(id.clone()),
            Blob::Link(_) => Err(("git::link", "this is a link, and git does not have what it leads to")),
            Blob::Conflict => Err(("git::conflict", "this file is in conflict, and nobody has resolved it")),
        };
        let ids: Vec<_> = paths.iter().filter_map(|(_, blob)| id((*blob)?).ok()).collect();
        let bytes = self.git.blobs(&ids).map_err(|refusal| refusal.problem("git does not give these files", &self.git.root))?;
        let text = |(path, blob): (&'p Path, Option<&Blob>)| {
            let id = blob.map_or(Err(("git::no-file", "git does not have this file")), id);
            let found = id.and_then(|id| bytes.get(&id).ok_or(("git::no-file", "git does not have the text of this file")));
            let source = found.map(|bytes| SourceFile::new(path, bytes.as_slice()));
            (path.to_owned(), source.map_err(|(code, words)| Problem::new(code, words).about(path)))
        };
        Ok(paths.into_iter().map(text).collect())
    }
}
