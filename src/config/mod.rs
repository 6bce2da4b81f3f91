//! `lockkeeper.yaml`: what a project says about itself, and where that file is found.

pub mod apply;
pub mod baseline;
pub mod environments;
mod naming;
pub mod notify;
mod read;
pub mod render;
pub mod schema;
pub mod setup;
pub mod stats;
mod template;
#[cfg(test)]
mod tests;
pub mod window;

use crate::model::effects::Version;
use crate::model::name::QualifiedName;
use crate::model::session::{Timeout, TransactionMode};
use crate::model::sizes::Sizes;
use crate::problem::Problem;
use crate::rule::moment::PsqlCommands;
use crate::rule::naming::Naming;
use crate::rule::{Class, Preset, Severity};
use crate::text::SourceFile;
use crate::tool::Tool;
use apply::Apply;
use baseline::Baseline;
use environments::Environment;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use render::Render;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

pub use read::{major_version, time};
pub use template::TEMPLATE;

/// The name of the file.
pub const FILE_NAME: &str = "lockkeeper.yaml";

/// Everything that a project says; what it leaves out is the default.
#[derive(Debug)]
pub struct Config {
    /// The file, if there is one.
    pub source: Option<Arc<SourceFile>>,
    /// Where it lies: the paths in it start here. As reports show it, so empty for the current directory.
    pub directory: PathBuf,
    /// Directories (or files) that `lint` judges if it is given no path.
    pub migrations: Vec<PathBuf>,
    /// The server's major version.
    pub postgres: Option<Version>,
    /// The tool that runs them; otherwise the files and what lies around them tell.
    pub tool: Option<Tool>,
    /// How the runner puts a file into transactions, where the file does not say it.
    pub transaction: Option<TransactionMode>,
    /// Whether psql runs the files.
    pub psql: PsqlCommands,
    /// Severities that differ from the rules' own.
    pub rules: Vec<Override>,
    /// How the project calls things.
    pub naming: Arc<Naming>,
    /// Rules that are off by default and wanted, together.
    pub presets: Vec<Preset>,
    /// Folders of the project's own rules.
    pub rule_folders: Vec<PathBuf>,
    /// Paths that are never judged, relative to `directory`.
    pub exclude: Globs,
    /// How large tables are.
    pub sizes: Arc<Sizes>,
    /// A file that `lockkeeper stats` has written.
    pub stats: Option<PathBuf>,
    /// Tables that somebody always uses: locks on them are counted over a release.
    pub hot_tables: Arc<[QualifiedName]>,
    /// What the role that migrates has set, so that files need not say it.
    pub role: RoleSettings,
    /// Whether the files are all there ever was.
    pub history: Completeness,
    /// What makes the run fail.
    pub fail_on: Option<FailOn>,
    /// The file of the baseline, where it has another name.
    pub baseline_file: Option<PathBuf>,
    /// The findings that do not count, see [`Config::read_baseline`].
    pub baseline: Baseline,
    /// How `lockkeeper apply` runs migrations.
    pub apply: Apply,
    /// The databases, in the order of the file.
    pub environments: Vec<Environment>,
    /// The programs that print the SQL of migrations which are no SQL files.
    pub render: Vec<Render>,
}

/// One line below `rules:`.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    /// The rule's id or alias, as written.
    pub rule: String,
    /// What it is to be.
    pub level: Level,
}

/// What becomes of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It says nothing.
    Off,
    /// It weighs this much.
    At(Severity),
}

/// Settings of the role that runs the migrations (`ALTER ROLE ... SET`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoleSettings {
    /// lock_timeout.
    pub lock_timeout: Timeout,
    /// statement_timeout.
    pub statement_timeout: Timeout,
}

/// Whether the files begin with an empty database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Completeness {
    /// What no file makes does not exist.
    Whole,
    /// There was a schema before the first file.
    Partial,
    /// The names of the files tell.
    #[default]
    Auto,
}

/// From where on a run fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailOn {
    /// A finding of this severity or worse.
    Severity(Severity),
    /// A migration of this class or worse, as written.
    Class(Class),
    /// Never because of a finding.
    Never,
}

impl FailOn {
    /// Whether a finding is reason to fail.
    pub fn is_reached_by(self, severity: Severity, class: Class) -> bool {
        match self {
            Self::Severity(least) => severity >= least,
            Self::Class(least) => class >= least,
            Self::Never => false,
        }
    }

    /// The words for it, as config and command line take them.
    pub const WORDS: &'static [(&'static str, Self)] = &[
        ("error", Self::Severity(Severity::Error)),
        ("warning", Self::Severity(Severity::Warning)),
        ("advice", Self::Severity(Severity::Advice)),
        ("three-phase", Self::Class(Class::ThreePhase)),
        ("maintenance-window", Self::Class(Class::MaintenanceWindow)),
        ("never", Self::Never),
    ];
}

/// Patterns of paths.
#[derive(Debug, Default)]
pub struct Globs {
    written: Vec<String>,
    set: Option<GlobSet>,
}

impl Globs {
    /// Compiles patterns; `*` stops at a `/`, `**` does not.
    ///
    /// # Errors
    /// The first pattern that is none, in the words of globset.
    pub fn new(written: Vec<String>) -> Result<Self, String> {
        if written.is_empty() {
            return Ok(Self::default());
        }
        let mut builder = GlobSetBuilder::new();
        for pattern in &written {
            let trimmed = pattern.strip_prefix("./").unwrap_or(pattern);
            // A folder's name means all that is in it.
            for pattern in [trimmed.trim_end_matches('/').to_owned(), format!("{}/**", trimmed.trim_end_matches('/'))] {
                let glob = GlobBuilder::new(&pattern).literal_separator(true).build().map_err(|error| error.kind().to_string())?;
                builder.add(glob);
            }
        }
        let set = builder.build().map_err(|error| error.kind().to_string())?;
        Ok(Self { written, set: Some(set) })
    }

    /// Whether a text is a pattern; in globset's words why not.
    pub(super) fn check(pattern: &str) -> Result<(), String> {
        match GlobBuilder::new(pattern).literal_separator(true).build() {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("`{pattern}` is no pattern of paths: {}", error.kind())),
        }
    }

    /// The first pattern that matches a path, by their index among those that were written.
    pub fn matching(&self, path: &Path) -> Option<usize> {
        self.set.as_ref()?.matches(path).first().map(|at| at / 2)
    }

    /// The patterns as written.
    pub fn written(&self) -> &[String] {
        &self.written
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            source: None,
            directory: PathBuf::new(),
            migrations: Vec::new(),
            postgres: None,
            tool: None,
            transaction: None,
            rules: Vec::new(),
            presets: Vec::new(),
            naming: Arc::default(),
            rule_folders: Vec::new(),
            exclude: Globs::default(),
            psql: PsqlCommands::Untold,
            sizes: Arc::default(),
            stats: None,
            hot_tables: Arc::default(),
            role: RoleSettings { lock_timeout: Timeout::Unset, statement_timeout: Timeout::Unset },
            history: Completeness::default(),
            fail_on: None,
            baseline_file: None,
            baseline: Baseline::default(),
            apply: Apply::default(),
            environments: Vec::new(),
            render: Vec::new(),
        }
    }
}

impl Config {
    /// Reads the file at a path.
    ///
    /// # Errors
    /// That it cannot be read, or the first thing in it that lockkeeper does not know.
    pub fn read(path: &Path) -> Result<Self, Problem> {
        Self::read_from(path, SourceFile::read(path))
    }

    /// Reads what was found at a path.
    fn read_from(path: &Path, found: std::io::Result<Arc<SourceFile>>) -> Result<Self, Problem> {
        let source = found.map_err(|error| {
            Problem::new("config::unreadable", format!("{}: {}", path.display(), crate::problem::io_words(&error)))
                .help("`lockkeeper init` writes a commented one")
                .about(path)
        })?;
        let directory = path.parent().unwrap_or(Path::new("")).to_owned();
        read::config(&source, directory)
    }

    /// Reads the nearest `lockkeeper.yaml` in the directory of `start` or above it; without one, everything is at its default.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn find(start: &Path) -> Result<Self, Problem> {
        match nearest(start) {
            Some(path) => Self::read(&path),
            None => Ok(Self::default()),
        }
    }

    /// A problem with what is said of a rule, at its place.
    pub fn override_problem(&self, rule: &str, message: &str, help: &str) -> Problem {
        match &self.source {
            Some(source) => read::override_problem(source, rule, message, help),
            None => Problem::new("config::wrong", message).help(help),
        }
    }

    /// The `migrations:` as paths from the current directory.
    pub fn migration_paths(&self) -> Vec<PathBuf> {
        self.migrations.iter().map(|path| self.directory.join(path)).collect()
    }

    /// The `rule_folders:` as paths from the current directory.
    pub fn rule_paths(&self) -> Vec<PathBuf> {
        self.rule_folders.iter().map(|path| self.directory.join(path)).collect()
    }

    /// The file of `stats:`, as a path from the current directory.
    fn stats_path(&self) -> Option<PathBuf> {
        Some(self.directory.join(self.stats.as_ref()?))
    }

    /// Adds the sizes in a file that `lockkeeper stats` has written: the one that is named, else that of `stats:`.
    ///
    /// # Errors
    /// That it cannot be read, or the first thing in it that is wrong.
    pub fn read_stats(&mut self, named: Option<&Path>) -> Result<(), Problem> {
        let Some(path) = named.map(Path::to_owned).or_else(|| self.stats_path()) else { return Ok(()) };
        let source = SourceFile::read(&path).map_err(|error| {
            Problem::new("stats::unreadable", crate::problem::io_words(&error)).help("`lockkeeper stats` writes it").about(&path)
        })?;
        stats::read(&source, Arc::make_mut(&mut self.sizes))
    }

    /// Reads the findings that do not count.
    ///
    /// # Errors
    /// That the file cannot be read, or the first thing in it that is wrong.
    pub fn read_baseline(&mut self) -> Result<(), Problem> {
        self.baseline = Baseline::read(self.baseline_path())?;
        Ok(())
    }

    /// The file of the baseline, as a path from the current directory.
    fn baseline_path(&self) -> PathBuf {
        self.directory.join(self.baseline_file.as_deref().unwrap_or(Path::new(baseline::FILE_NAME)))
    }

    /// Whether a path lies where the config says that the migrations are, or nobody says where.
    pub fn has_migration(&self, path: &Path) -> bool {
        let path = resolved(path);
        self.migrations.is_empty()
            || self.migration_paths().iter().map(|place| resolved(place)).any(|place| path.starts_with(&place) || place.starts_with(&path))
    }

    /// Whether a path is one of those whose SQL a program prints.
    pub fn renders(&self, path: &Path) -> bool {
        self.render.iter().any(|entry| {
            let directory = resolved(&self.directory.join(&entry.directory));
            resolved(path).strip_prefix(directory).is_ok_and(|below| entry.source.matching(below).is_some())
        })
    }

    /// Which pattern of `exclude:` a path matches, if one does.
    pub fn excludes(&self, path: &Path) -> Option<usize> {
        self.exclude.set.as_ref()?;
        let absolute = |path: &Path| std::path::absolute(path).map(|path| without_dots(&path));
        let (path, base) = (absolute(path).ok()?, absolute(&non_empty(&self.directory)).ok()?);
        self.exclude.matching(path.strip_prefix(base).ok()?)
    }
}

/// The nearest config file above a path, named from the current directory where that is possible.
pub(crate) fn nearest(start: &Path) -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let start = without_dots(&here.join(start));
    let found = start.ancestors().find(|directory| directory.join(FILE_NAME).is_file())?;
    let directory = match (found.strip_prefix(&here), here.strip_prefix(found)) {
        (Ok(below), _) => below.to_owned(),
        (_, Ok(above)) => above.components().map(|_| "..").collect(),
        _ => found.to_owned(),
    };
    Some(directory.join(FILE_NAME))
}

/// The path with `.` and `..` taken out by their letters.
pub(crate) fn without_dots(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => clean.push(component),
        }
    }
    clean
}

/// A path from the root of the file system, links resolved as far as it exists.
pub(crate) fn resolved(path: &Path) -> PathBuf {
    let path = std::path::absolute(non_empty(path)).unwrap_or_else(|_| path.to_owned());
    let known = path.ancestors().find_map(|known| Some((known, std::fs::canonicalize(known).ok()?)));
    let resolved = known.and_then(|(known, resolved)| Some(resolved.join(path.strip_prefix(known).ok()?)));
    without_dots(&resolved.unwrap_or(path))
}

/// The empty path is the current directory, but the system wants it said.
pub(crate) fn non_empty(path: &Path) -> PathBuf {
    if path.as_os_str().is_empty() { PathBuf::from(".") } else { path.to_owned() }
}
