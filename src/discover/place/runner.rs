//! Which runner a history is for, as far as its names, its files and the project around it tell, and what that runner does with a file.

use super::Known;
use super::spelling::Spelling;
use crate::discover::convention::Form;
use crate::discover::head::{self, Parting};
use crate::discover::{History, Migration};
use crate::text::SourceFile;
use foldhash::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// A runner, or several that do the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Runner {
    Goose,
    Dbmate,
    /// golang-migrate, or sqlx with files that undo.
    UpAndDown,
    /// One that looks for this first line.
    FirstLine(&'static str),
    Flyway,
    Refinery,
    Diesel,
    Hasura,
    Prisma,
    Drizzle,
    DrizzleJournal,
    Unknown,
}

/// How a runner is told that a file must not run in a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// By this line at the very top.
    FirstLine(&'static str),
    /// By `-- +goose NO TRANSACTION`.
    Goose,
    /// By `transaction:false` behind its line.
    Dbmate,
    /// By a file beside it, called after it.
    Conf,
    /// By a file in its folder.
    Metadata,
    /// It need not be told.
    Nothing,
    /// Nobody knows.
    Unknown,
    /// It cannot be told.
    Never(&'static str),
}

impl Runner {
    /// Whether it puts a file into a transaction if nothing tells it otherwise; `None`: nobody knows.
    pub fn wraps(self) -> Option<bool> {
        match self {
            Self::Unknown => None,
            // A file that is one message is one transaction, too.
            _ => Some(true),
        }
    }

    /// How it is told to leave a file alone.
    pub fn told(self) -> Told {
        match self {
            Self::Goose => Told::Goose,
            Self::Dbmate => Told::Dbmate,
            // sqlx looks for it; golang-migrate has no transaction of its own.
            Self::UpAndDown => Told::FirstLine(SQLX),
            Self::FirstLine(line) => Told::FirstLine(line),
            Self::Flyway => Told::Conf,
            Self::Diesel => Told::Metadata,
            Self::Prisma => Told::Nothing,
            Self::Unknown => Told::Unknown,
            Self::Refinery => Told::Never("refinery puts every file into a transaction"),
            Self::Hasura => Told::Never("Hasura sends every file as a transaction"),
            Self::Drizzle | Self::DrizzleJournal => Told::Never("Drizzle puts all new files into one transaction"),
        }
    }

    /// Whether it sends a file that runs alone as one message: of two statements the server makes a transaction again.
    pub fn sends_one_message(self) -> bool {
        match self {
            Self::Dbmate | Self::UpAndDown | Self::FirstLine(_) | Self::Diesel | Self::Prisma => true,
            Self::Goose | Self::Flyway | Self::Unknown | Self::Refinery | Self::Hasura | Self::Drizzle | Self::DrizzleJournal => false,
        }
    }
}

/// sqlx's.
const SQLX: &str = "-- no-transaction";

/// The first lines by which runners are told; a history that has one of them is for that runner.
const FIRST_LINES: &[&str] =
    &[SQLX, "-- postgres-migrations disable-transaction", "--! no-transaction", "-- pg-sql-migrate: DISABLE TRANSACTION"];

/// The runner of a migration's history.
pub(super) fn of(history: &History, migration: &Migration, spelling: &Spelling) -> Runner {
    let project = &history.project;
    match spelling.form {
        Form::FolderWithMigration if project.has(Hint::DrizzleFolders) => Runner::Drizzle,
        Form::FolderWithMigration => Runner::Prisma,
        // Hasura's versions are milliseconds.
        Form::FolderWithUp if spelling.version.len() == 13 && spelling.version.bytes().all(|byte| byte.is_ascii_digit()) => Runner::Hasura,
        Form::FolderWithUp => Runner::Diesel,
        Form::Prefixed if project.has(Hint::Refinery) => Runner::Refinery,
        Form::Prefixed => Runner::Flyway,
        Form::UpAndDown => Runner::UpAndDown,
        Form::Numbered | Form::NumberedFolder | Form::Unnumbered => {
            by_text(migration).unwrap_or_else(|| *project.runner.get_or_init(|| by_texts(history)))
        }
    }
}

/// What the lines of a file tell.
fn by_text(migration: &Migration) -> Option<Runner> {
    match head::read(&migration.source).parting {
        Some(Parting::Goose) => Some(Runner::Goose),
        Some(Parting::Dbmate) => Some(Runner::Dbmate),
        None => first_line(migration).map(Runner::FirstLine),
    }
}

/// What the other files tell, the newest first, or else the project.
fn by_texts(history: &History) -> Runner {
    let project = &history.project;
    match history.migrations.iter().rev().find_map(by_text) {
        Some(Runner::FirstLine(_)) | None if project.has(Hint::DrizzleJournal) => Runner::DrizzleJournal,
        Some(runner) => runner,
        None if project.has(Hint::Sqlx) => Runner::FirstLine(SQLX),
        None => Runner::Unknown,
    }
}

fn first_line(migration: &Migration) -> Option<&'static str> {
    FIRST_LINES.iter().copied().find(|line| migration.source.bytes().starts_with(line.as_bytes()))
}

/// What lies around a history and tells about its runner.
#[derive(Clone, Debug, Default)]
pub(crate) struct Project {
    hints: Vec<Hint>,
    /// What lies beside the files that are judged, programs and down files included.
    pub beside: Vec<PathBuf>,
    /// Its runner sends each file as one message.
    pub lone_message: bool,
    /// What the texts of all files tell of the runner, once somebody has asked.
    runner: OnceLock<Runner>,
    /// The versions that are not free, once somebody has asked.
    pub(super) known: OnceLock<Known>,
    /// Whether the last files say BEGIN themselves, once somebody has asked.
    pub(super) says_begin: OnceLock<bool>,
}

/// Something that only one runner leaves or needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hint {
    DrizzleFolders,
    DrizzleJournal,
    Refinery,
    Sqlx,
}

/// In this file diesel is told how it runs a migration.
pub(super) const METADATA: &str = "metadata.toml";

/// Prisma leaves this beside its migrations. It sends each file as one message.
const PRISMA_LOCK: &str = "migration_lock.toml";

impl Project {
    /// Looks around a directory. `judged`: the files of it that are judged.
    pub fn around<'p>(directory: &Path, judged: impl Iterator<Item = &'p Path>) -> Self {
        let judged: Vec<_> = judged.collect();
        let spelled: Vec<_> = judged.iter().filter_map(|path| Some((*path, Spelling::of(path)?))).collect();
        // Asking the disk about every file takes longer than judging it: only where the convention has such files.
        let of_form = |form: Form| spelled.iter().filter(move |(_, spelling)| spelling.form == form).map(|(path, _)| *path);
        let mut beside: Vec<_> =
            of_form(Form::FolderWithUp).map(|path| path.with_file_name(METADATA)).filter(|path| path.is_file()).collect();
        let drizzle = of_form(Form::FolderWithMigration).any(|path| path.with_file_name("snapshot.json").is_file());
        let mut folders: Vec<_> = spelled.into_iter().map(|(_, spelling)| spelling.directory).collect();
        folders.sort();
        folders.dedup();
        for folder in folders {
            let entries = std::fs::read_dir(crate::config::non_empty(&folder)).into_iter().flatten().flatten();
            beside.extend(entries.map(|entry| folder.join(entry.file_name())));
        }
        let mut hints = cargo_hints(directory);
        if drizzle {
            hints.push(Hint::DrizzleFolders);
        }
        if directory.join("meta/_journal.json").is_file() {
            hints.push(Hint::DrizzleJournal);
        }
        let lone_message = directory.join(PRISMA_LOCK).is_file();
        Self { hints, beside, lone_message, ..Self::default() }
    }

    /// The same around files that are others now.
    pub fn around_others(&self, files: &[Arc<SourceFile>]) -> Self {
        let known: HashSet<_> = self.beside.iter().map(PathBuf::as_path).collect();
        let new: Vec<_> = files.iter().map(|file| file.path()).filter(|path| !known.contains(path)).map(Path::to_owned).collect();
        let beside = [&self.beside[..], &new].concat();
        Self { hints: self.hints.clone(), beside, lone_message: self.lone_message, ..Self::default() }
    }

    fn has(&self, hint: Hint) -> bool {
        self.hints.contains(&hint)
    }
}

/// How far above its migrations a package may begin.
const LEVELS: usize = 4;

/// What the package that a directory belongs to depends on.
fn cargo_hints(directory: &Path) -> Vec<Hint> {
    let Ok(directory) = std::path::absolute(crate::config::non_empty(directory)) else { return Vec::new() };
    let manifest = directory.ancestors().take(LEVELS).find_map(|folder| std::fs::read_to_string(folder.join("Cargo.toml")).ok());
    let text = manifest.unwrap_or_default();
    let depends = |package: &str| text.lines().any(|line| line.trim_start().starts_with(package));
    [("refinery", Hint::Refinery), ("sqlx", Hint::Sqlx)].into_iter().filter(|(package, _)| depends(package)).map(|(_, hint)| hint).collect()
}
