//! The files of migrations that are programs: where they are, which of them somebody asks about, and which one a program means.

use super::alembic::Revision;
use crate::config::render::{Named, Render, Tool};
use crate::config::{Config, non_empty, resolved};
use crate::discover::Request;
use crate::problem::{Problem, io_words};
use crate::text::SourceFile;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use walkdir::{DirEntry, WalkDir};

/// A migration that is a program.
pub(super) struct Program {
    /// Its text, under the path that reports show.
    pub source: Arc<SourceFile>,
    /// Where it lies, links resolved.
    pub path: PathBuf,
    /// What Alembic's say about themselves.
    pub revision: Option<Revision>,
    pub asked: Asked,
}

/// Whether somebody asks about a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    No,
    /// About all that are where it is.
    Along,
    /// By its name.
    ByName,
}

/// The files of one entry of `render:`.
pub(super) struct Sources {
    /// Where its program runs.
    pub directory: PathBuf,
    /// By path.
    pub programs: Vec<Program>,
    /// Files that cannot be read.
    pub problems: Vec<Problem>,
}

impl Sources {
    pub fn of(entry: &Render, config: &Config, request: &Request) -> Self {
        let directory = config.directory.join(&entry.directory);
        let directory = directory.strip_prefix(".").unwrap_or(&directory).to_owned();
        let mut sources = Self { directory, programs: Vec::new(), problems: Vec::new() };
        let root = non_empty(&sources.directory);
        let files = WalkDir::new(&root).sort_by_file_name().follow_links(true).into_iter().filter_entry(is_wanted).flatten();
        for file in files.filter(|file| file.file_type().is_file()) {
            let below = file.path().strip_prefix(&root).unwrap_or(file.path());
            let is_dunder = below.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"__"));
            if entry.source.matching(below).is_some() && !(entry.tool == Tool::Django && is_dunder) {
                sources.read(below, entry.tool);
            }
        }
        let asked: Vec<_> = request.paths.iter().map(|path| resolved(path)).collect();
        for program in &mut sources.programs {
            program.asked = match () {
                () if asked.contains(&program.path) => Asked::ByName,
                () if request.all_programs || asked.iter().any(|asked| program.path.starts_with(asked)) => Asked::Along,
                () => Asked::No,
            };
        }
        sources
    }

    fn read(&mut self, below: &Path, tool: Tool) {
        let shown = self.directory.join(below);
        match SourceFile::read(&shown) {
            Ok(source) => {
                let revision = (tool == Tool::Alembic).then(|| Revision::read(&source)).flatten();
                // What lies beside Alembic's revisions helps them.
                if tool != Tool::Alembic || revision.is_some() {
                    self.programs.push(Program { path: resolved(&shown), source, revision, asked: Asked::No });
                }
            }
            Err(error) => self.problems.push(Problem::new("discover::unreadable", io_words(&error)).about(shown)),
        }
    }

    /// The file that is meant by what was printed.
    pub fn find(&self, named: &Named) -> Option<usize> {
        match named {
            Named::File(path) => {
                let path = resolved(&self.directory.join(path));
                self.programs.iter().position(|program| program.path == path)
            }
            Named::Revision(id) => self.programs.iter().position(|program| program.is_called(id)),
        }
    }
}

impl Program {
    /// `0042` is said by a file of Alembic's, and is elsewhere the whole name or its beginning: `0042_note.rb`.
    fn is_called(&self, id: &str) -> bool {
        match &self.revision {
            Some(revision) => revision.id == id,
            None => {
                let name = self.path.file_name().unwrap_or_default().to_string_lossy();
                name.strip_prefix(id).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
            }
        }
    }
}

/// What is hidden or installed is no migration of this project.
fn is_wanted(entry: &DirEntry) -> bool {
    const OTHERS: [&str; 3] = ["node_modules", "site-packages", "__pycache__"];
    let name = entry.file_name().to_string_lossy();
    entry.depth() == 0 || !(name.starts_with('.') || OTHERS.contains(&&*name) || entry.path().join("pyvenv.cfg").is_file())
}
