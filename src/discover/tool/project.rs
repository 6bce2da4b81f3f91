//! What lies around a history.

use super::base::{Base, Flyway};
use super::{CONF, METADATA, Tool, detect, settings};
use crate::discover::convention::Form;
use crate::discover::place::Known;
use crate::discover::place::spelling::Spelling;
use crate::model::session::TransactionMode;
use crate::text::SourceFile;
use foldhash::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// What lies around a history, and tells who runs it and what is in the way of new files.
#[derive(Clone, Debug, Default)]
pub(crate) struct Project {
    /// The tools of which there is a sign.
    hints: Vec<Tool>,
    /// Files beside migrations in which their tool is told how to run them, with their texts.
    asides: Vec<(PathBuf, String)>,
    /// What the tool's own files say.
    base: Option<Arc<Base>>,
    /// What lies beside the files that are judged, programs and down files included.
    pub beside: Vec<PathBuf>,
    /// The versions that are not free, once somebody has asked.
    pub known: OnceLock<Known>,
    /// Whether the last files say BEGIN themselves, once somebody has asked.
    pub says_begin: OnceLock<bool>,
}

impl Project {
    /// Looks around a directory. `judged`: the files of it that are judged. `asides`: those that were seen of the files beside migrations
    /// which tell how these are run; to look for one beside each migration takes longer than to judge it.
    pub fn around<'p>(directory: &Path, judged: impl Iterator<Item = &'p Path>, asides: Vec<PathBuf>, base: Option<Arc<Base>>) -> Self {
        let spelled: Vec<_> = judged.filter_map(|path| Some((path, Spelling::of(path)?))).collect();
        let mut folders_with_migration = spelled.iter().filter(|(_, spelling)| spelling.form == Form::FolderWithMigration);
        let is_drizzle = folders_with_migration.any(|(path, _)| path.with_file_name("snapshot.json").is_file());
        let mut folders: Vec<_> = spelled.into_iter().map(|(_, spelling)| spelling.directory).collect();
        folders.sort();
        folders.dedup();
        let mut beside = asides.clone();
        for folder in folders {
            let entries = std::fs::read_dir(crate::config::non_empty(&folder)).into_iter().flatten().flatten();
            beside.extend(entries.map(|entry| folder.join(entry.file_name())));
        }
        let mut hints = detect::around(directory);
        hints.extend(is_drizzle.then_some(Tool::Drizzle));
        let text = |path: PathBuf| std::fs::read_to_string(&path).ok().map(|text| (path, text));
        Self { hints, asides: asides.into_iter().filter_map(text).collect(), base, beside, ..Self::default() }
    }

    /// The same around files that are others now.
    pub fn around_others(&self, files: &[Arc<SourceFile>]) -> Self {
        let known: HashSet<_> = self.beside.iter().map(PathBuf::as_path).collect();
        let new: Vec<_> = files.iter().map(|file| file.path()).filter(|path| !known.contains(path)).map(Path::to_owned).collect();
        let beside = [&self.beside[..], &new].concat();
        let texts = files.iter().filter(|file| is_aside(file.path()));
        let asides = texts.map(|file| (file.path().to_owned(), String::from_utf8_lossy(file.bytes()).into_owned()));
        let asides = asides.chain(self.asides.iter().cloned()).collect();
        Self { hints: self.hints.clone(), asides, base: self.base.clone(), beside, ..Self::default() }
    }

    /// The tool whose own files tell of this history.
    pub fn tool(&self) -> Option<Tool> {
        self.base.as_ref()?.tool
    }

    /// Whether a list says which files are run, in which order.
    pub fn lists(&self) -> bool {
        self.base.as_ref().is_some_and(|base| base.listed.is_some())
    }

    /// What Flyway is told.
    pub fn flyway(&self) -> Flyway {
        self.base.as_ref().map_or(Flyway::default(), |base| base.flyway)
    }

    /// Whether there is a sign of a tool.
    pub fn hints(&self, tool: Tool) -> bool {
        self.hints.contains(&tool)
    }

    /// How a tool is told, in a file beside a migration, to run it.
    pub fn told(&self, path: &Path, tool: Tool) -> Option<TransactionMode> {
        let (file, key, unsaid) = match tool {
            // A file without the key says no (migrations_internals, file_based_migrations.rs: TomlMetadata).
            Tool::Diesel => (path.with_file_name(METADATA), "run_in_transaction", Some("false")),
            Tool::Flyway => (with_more(path, CONF), "executeintransaction", None),
            _ => return None,
        };
        let (_, text) = self.asides.iter().find(|(aside, _)| *aside == file)?;
        match settings::get(&settings::read(text), key).or(unsaid)? {
            "true" => Some(TransactionMode::Runner),
            "false" => Some(tool.alone()),
            _ => None,
        }
    }
}

/// Whether a file may tell how the migration beside it is run.
pub(in crate::discover) fn is_aside(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name == METADATA || name.strip_suffix(CONF).is_some_and(|name| name.ends_with(".sql"))
}

/// A path with more behind its name.
pub(in crate::discover) fn with_more(path: &Path, more: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(more);
    PathBuf::from(name)
}
