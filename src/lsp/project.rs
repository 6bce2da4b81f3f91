//! The files of one config: its rules, the histories of the documents that are open, and what was found about them.

use super::client::Client;
use super::document::{Document, Kind};
use super::shelf::{Shelf, Stamp};
use crate::config::setup::Setup;
use crate::discover::{self, Discovered, History, Request, Role, Walked};
use crate::lint::Settings;
use crate::lint::finding::Assessed;
use crate::lint::fix::{Fixed, How, fixed};
use crate::lint::planner::{FilePlan, plan_file};
use crate::lint::standing::Standing;
use crate::model::effects::Version;
use crate::problem::{Problem, io_words};
use crate::text::SourceFile;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The documents that are open, by [`Client::key`].
pub type Documents = BTreeMap<PathBuf, Document>;

/// A config, and what it is for.
pub struct Project {
    /// Where the config lies, if there is one.
    home: Option<PathBuf>,
    /// The last config that could be read, and its rules.
    setup: Setup,
    /// What is wrong with the config and the rules as they are now.
    setup_problems: Vec<Problem>,
    stamps: Vec<(PathBuf, Stamp)>,
    request: Request,
    walked: Option<Walked>,
    /// By directory.
    histories: BTreeMap<PathBuf, Standing>,
    discover_problems: Vec<Problem>,
    /// By the key of its document.
    assessed: BTreeMap<PathBuf, Assessed>,
}

impl Project {
    /// Reads a config and its rules.
    pub fn new(home: Option<PathBuf>, documents: &Documents, client: &Client) -> Self {
        let (setup, problems) = read_setup(home.as_deref(), documents, client);
        let stamps = stamps(&setup);
        Self {
            home,
            setup,
            setup_problems: problems,
            stamps,
            request: Request::default(),
            walked: None,
            histories: BTreeMap::new(),
            discover_problems: Vec::new(),
            assessed: BTreeMap::new(),
        }
    }

    /// Whether a file is the config, a rule, or the folder of rules.
    pub fn rests_on(&self, key: &Path, client: &Client) -> bool {
        self.stamps.iter().any(|(path, _)| client.key(path) == key)
    }

    /// Whether one of the files that it rests on has changed on the disk.
    pub fn is_outdated(&self) -> bool {
        self.stamps.iter().any(|(path, stamp)| Stamp::of(path) != *stamp)
    }

    /// Reads the config and the rules anew. A config that cannot be read leaves the last one that could.
    pub fn reload(&mut self, documents: &Documents, client: &Client) {
        let (setup, problems) = read_setup(self.home.as_deref(), documents, client);
        self.setup_problems = problems;
        self.stamps = stamps(&setup);
        if setup.config.source.is_some() || self.home.is_none() {
            self.setup = setup;
            self.walked = None;
            self.histories.values_mut().for_each(Standing::forget_replayed);
            self.assessed.clear();
        }
    }

    /// Takes the documents as they are now; with `look`, what has changed on the disk too. Gives the keys of those that are to be judged.
    pub fn refresh(&mut self, documents: &[&Document], look: bool, shelf: &mut Shelf, client: &Client) -> Vec<PathBuf> {
        let given: Vec<_> = documents.iter().map(|document| Arc::clone(document.source())).collect();
        let same_files = self.request.given.iter().map(|source| source.path()).eq(given.iter().map(|source| source.path()));
        let unchanged = same_files && self.request.given.iter().zip(&given).all(|(old, new)| Arc::ptr_eq(old, new));
        let is_new = !same_files || self.walked.is_none();
        self.request = Request { paths: given.iter().map(|source| source.path().to_owned()).collect(), given, ..Request::default() };
        if look || is_new || self.walked.is_none() {
            self.walked = Some(discover::walk(&self.request, &self.setup.config));
        } else if unchanged {
            return Vec::new();
        }
        let Some(walked) = &self.walked else { return Vec::new() };
        let open: HashMap<_, _> = self.request.given.iter().map(|source| (source.path(), source)).collect();
        if look || is_new {
            shelf.refresh(walked.paths().filter(|path| !open.contains_key(path)));
        }
        let texts = |path: &Path| match open.get(path).copied().or_else(|| shelf.get(path)) {
            Some(source) => Ok(Arc::clone(source)),
            None => SourceFile::read(path).map_err(|error| Problem::new("discover::unreadable", io_words(&error)).about(path)),
        };
        let found = walked.read(&self.request, &self.setup.config, &texts);
        self.discover_problems = found.problems;
        let mut histories = std::mem::take(&mut self.histories);
        for history in found.histories {
            let standing = match histories.remove(&history.directory) {
                Some(mut standing) => {
                    standing.renew(history);
                    standing
                }
                None => Standing::new(history),
            };
            self.histories.insert(standing.history().directory.clone(), standing);
        }
        let keys =
            |standing: &Standing| standing.history().subjects().map(|migration| client.key(migration.source.path())).collect::<Vec<_>>();
        let subjects: Vec<_> = self.histories.values().flat_map(keys).collect();
        self.assessed.retain(|key, _| subjects.contains(key));
        subjects
    }

    /// Judges one document, if it is a migration.
    pub fn judge(&mut self, document: &Document, key: &Path) {
        let settings = settings(&self.setup);
        for standing in self.histories.values_mut() {
            let is_it = |at: &usize| Arc::ptr_eq(&standing.history().migrations[*at].source, document.source());
            if let Some(at) = standing.subjects().into_iter().find(is_it) {
                // What is wrong with rules has been said where they were read.
                let (assessed, _) = standing.judge(at, &settings, &|_| {});
                self.assessed.insert(key.to_owned(), assessed);
                return;
            }
        }
    }

    /// What was found about a document, if its text is still that.
    pub fn assessed(&self, document: &Document, key: &Path) -> Option<&Assessed> {
        self.assessed.get(key).filter(|assessed| Arc::ptr_eq(&assessed.source, document.source()))
    }

    /// The phases to run instead of a document, if it is a migration.
    pub fn plan(&self, document: &Document) -> Option<FilePlan> {
        let discovered = Discovered { histories: vec![self.alone(document)?], ..Discovered::default() };
        Some(plan_file(discovered, &settings(&self.setup)))
    }

    /// What fixes make of a document, if it is a migration.
    pub fn fixed(&self, document: &Document, how: How) -> Option<Fixed> {
        let discovered = Discovered { histories: vec![self.alone(document)?], ..Discovered::default() };
        Some(fixed(discovered, &settings(&self.setup), how))
    }

    /// The history in which a document is a migration, and in which nothing else is judged.
    fn alone(&self, document: &Document) -> Option<History> {
        let is_it = |migration: &discover::Migration| Arc::ptr_eq(&migration.source, document.source());
        let mut histories = self.histories.values().map(Standing::history);
        let mut history = histories.find(|history| history.subjects().any(is_it))?.clone();
        for migration in &mut history.migrations {
            migration.role = if is_it(migration) { Role::Subject } else { Role::History };
        }
        Some(history)
    }

    /// What is wrong with the config, with rules, and with what was looked for.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.setup_problems.iter().chain(&self.discover_problems)
    }

    /// The config and the rules that documents are judged by; to be changed for as long as it takes to show a rule that is off.
    pub fn setup_mut(&mut self) -> &mut Setup {
        &mut self.setup
    }
}

fn settings(setup: &Setup) -> Settings<'_> {
    Settings { rules: &setup.rules, config: &setup.config, server: setup.config.postgres.unwrap_or(Version::DEFAULT) }
}

/// The config at a path and its rules, with the texts of documents instead of those on the disk; and what is wrong with them.
fn read_setup(home: Option<&Path>, documents: &Documents, client: &Client) -> (Setup, Vec<Problem>) {
    let text = |path: &Path| match documents.get(&client.key(path)).filter(|document| document.kind != Kind::Sql) {
        Some(document) => Ok(Arc::clone(document.source())),
        None => SourceFile::read(path),
    };
    let mut setup = Setup::of(home, &text);
    let mut problems = std::mem::take(&mut setup.problems);
    problems.extend(setup.config.read_stats(None).err());
    problems.extend(setup.config.read_baseline().err());
    (setup, problems)
}

fn stamps(setup: &Setup) -> Vec<(PathBuf, Stamp)> {
    setup.files.iter().map(|path| (path.clone(), Stamp::of(path))).collect()
}
