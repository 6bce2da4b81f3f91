//! Where new migration files go: their names, their versions, their way back, and how their runner is told to run them.
//!
//! [`Room::behind`] looks for free versions between a migration and the one that follows it, [`Room::at_end`] for those behind the last
//! one; [`Room::files`] writes files there. Nothing is written to disk, and nothing is read from it: `discover` has looked around already.

mod directive;
pub(super) mod spelling;
mod text;
mod version;

use super::convention::{self, Form, Sequence};
use super::tool::{Told, Tool};
use super::{History, Migration, STDIN, USUAL, head, order};
use crate::config::Config;
use crate::model::catalog::Step;
use crate::model::session::TransactionMode;
use crate::problem::Problem;
use crate::rule::moment::{Order, WayBack};
use crate::text::Span;
use spelling::Spelling;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Something to be written as one migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What it does, in a few words: its file is called after them.
    pub name: String,
    /// Comment lines, without `-- `, for the head of the file.
    pub header: Vec<String>,
    /// How it is to run.
    pub transaction: PieceTransaction,
    /// SQL, ended by a semicolon. What runs in a transaction is put together by [`Room::transaction_block`].
    pub up: String,
    /// SQL that undoes it; `None`: nothing can.
    pub down: Option<String>,
}

/// How a piece is to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PieceTransaction {
    /// In a transaction: the runner's, or one that `up` opens itself, see [`Room::transaction_block`].
    InTransaction,
    /// As the only statement of its file, outside of any transaction.
    Alone,
}

/// Free places for new migrations.
#[derive(Clone, Debug)]
pub struct Room {
    spelling: Spelling,
    /// Who runs it.
    tool: Option<Tool>,
    /// What is known of that one, or of those that it may be.
    ways: Ways,
    /// The nearest version behind this place that something else has.
    until: Option<Taken>,
    /// Versions may be dotted further: `1.2.1`.
    dotted: bool,
    /// Runners may compare versions as text.
    compared_as_text: bool,
    way_back: Back,
    /// What is said of files that say nothing themselves.
    mode: Option<TransactionMode>,
    /// What is to run together has to say BEGIN itself.
    needs_block: bool,
    line_end: &'static str,
    /// The migration's own version is free as well.
    in_its_place: bool,
}

/// The versions of a history that are not free, in order.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    taken: Vec<Taken>,
    /// One of them has a dot.
    dotted: bool,
}

/// A version that is not free.
#[derive(Clone, Debug)]
struct Taken {
    version: String,
    path: PathBuf,
}

/// How this history undoes its migrations.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Back {
    /// Not at all, usually.
    None,
    /// By a second part of the same file.
    Part,
    /// By another file; with these endings, where the convention does not tell.
    File(Vec<String>),
}

/// What is known of how files are run here.
#[derive(Clone, Copy, Debug)]
struct Ways {
    /// Whether a file is put into a transaction if nothing tells otherwise; `None`: nobody knows.
    wraps: Option<bool>,
    /// How a file is left alone.
    told: Told,
    /// A file that runs alone is sent as one message.
    one_message: bool,
}

impl Ways {
    const UNKNOWN: Self = Self { wraps: None, told: Told::Unknown, one_message: false };

    /// Of a tool, or of those that name their files so.
    fn of(tool: Option<Tool>, form: Form) -> Self {
        match tool {
            // A file that is one message is one transaction, too.
            Some(tool) => {
                let wraps = tool.mode().map(|mode| mode != TransactionMode::None);
                Self { wraps, told: tool.told(), one_message: tool.sends_one_message() }
            }
            // sqlx looks for the line; golang-migrate has no transaction of its own.
            None if form == Form::UpAndDown => Self { wraps: Some(true), told: Tool::Sqlx.told(), one_message: true },
            None => Self::UNKNOWN,
        }
    }
}

/// What to do instead of writing a new file, where its tool would not run that.
fn adds_by_hand(tool: Tool) -> Option<&'static str> {
    match tool {
        Tool::Sqitch => Some("make the change with `sqitch add`, and put the SQL into its files"),
        Tool::Liquibase => Some("put the SQL into a changeset of its own"),
        Tool::SqlMigrate => Some("make the file with `sql-migrate new`, and put the SQL into it"),
        _ => None,
    }
}

/// What a tool makes of a file that tells it nothing, where that is one message.
fn lone_message(tool: Option<Tool>) -> Option<TransactionMode> {
    tool.and_then(Tool::mode).filter(|mode| *mode == TransactionMode::OneMessage)
}

/// There is no place for a new migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoRoom {
    /// What is in the way.
    pub why: String,
    /// What to do.
    pub help: String,
}

impl NoRoom {
    fn new(why: impl Into<String>, help: impl Into<String>) -> Self {
        Self { why: why.into(), help: help.into() }
    }
}

impl fmt::Display for NoRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.why, self.help)
    }
}

impl From<NoRoom> for Problem {
    fn from(none: NoRoom) -> Self {
        Self::new("place::no-room", none.why).help(none.help)
    }
}

/// How long a statement of a new file waits for a lock before it gives up, so that others do not queue behind it.
pub const LOCK_TIMEOUT: &str = "2s";

impl Room {
    /// The place right behind a migration of a history.
    ///
    /// # Errors
    /// Its name says no version, or none is free between it and the next one, or the runner takes no files that it has not made itself.
    pub fn behind(history: &History, migration: &Migration, config: &Config) -> Result<Self, NoRoom> {
        if migration.source.path() == Path::new(STDIN) {
            return Err(NoRoom::new("standard input has no files beside it", "say where it belongs with `--stdin-path`"));
        }
        if let Some(origin) = migration.source.origin() {
            let help = format!("write a migration of {} for each phase, which prints the SQL of it", origin.by);
            return Err(NoRoom::new("this migration is a program, which no SQL file can stand for", help));
        }
        if migration.repeatable {
            return Err(NoRoom::new("this file runs again whenever it changes, behind all others", "write a versioned migration"));
        }
        let Some(spelling) = Spelling::of(migration.source.path()) else {
            return Err(NoRoom::new("the name of this file says no version", "write the next file by hand, behind this one"));
        };
        let tool = migration.tool;
        if let Some(help) = tool.and_then(adds_by_hand) {
            let why = format!("{} only runs files that are made for it", tool.map_or("", Tool::word));
            return Err(NoRoom::new(why, help));
        }
        if tool == Some(Tool::Drizzle) && spelling.form != Form::FolderWithMigration {
            let help = "put the SQL into the file that `drizzle-kit generate --custom` makes";
            return Err(NoRoom::new("Drizzle only runs files that its journal lists", help));
        }
        let known = history.project.known.get_or_init(|| known_versions(history));
        let own = full_version(&spelling, &spelling.version).unwrap_or_default();
        let behind = known.taken.partition_point(|taken| order::versions(&taken.version, &own).is_le());
        let until = known.taken.get(behind).cloned();
        let sequence = convention::read(migration.source.path()).map_or(Sequence::Plain, |named| named.sequence);
        let ways = Ways::of(tool, spelling.form);
        let mode = config.transaction.or_else(|| lone_message(tool));
        Ok(Self {
            dotted: known.dotted || spelling.version.contains(['.', '_']),
            compared_as_text: sequence == Sequence::Plain,
            way_back: way_back(history, migration),
            needs_block: needs_block(history, tool, ways, mode),
            line_end: if migration.source.bytes().windows(2).any(|pair| pair == b"\r\n") { "\r\n" } else { "\n" },
            spelling,
            tool,
            ways,
            until,
            mode,
            in_its_place: false,
        })
    }

    /// The same, for files that stand for the migration itself: the first of them gets its version.
    #[must_use]
    pub fn in_its_place(self) -> Self {
        Self { in_its_place: true, ..self }
    }

    /// Numbers from 1 in a directory, for a runner of which nothing is known: files that have to be called something.
    pub fn numbered(directory: &Path, config: &Config) -> Self {
        let spelling = Spelling::numbered(directory);
        Self {
            spelling,
            tool: None,
            ways: Ways::UNKNOWN,
            until: None,
            dotted: false,
            compared_as_text: false,
            way_back: Back::None,
            mode: config.transaction,
            needs_block: config.transaction == Some(TransactionMode::None),
            line_end: "\n",
            in_its_place: true,
        }
    }

    /// The place behind the last migration of a history.
    ///
    /// # Errors
    /// As [`Room::behind`]; or no migration has a version.
    pub fn at_end(history: &History, config: &Config) -> Result<Self, NoRoom> {
        let last = history.migrations.iter().rfind(|migration| is_counted(migration));
        let last = last.ok_or_else(|| NoRoom::new("no file here has a version", "write the next file by hand"))?;
        Self::behind(history, last, config)
    }

    /// Files for these pieces, in their order: each with its path and its whole text. A piece may need more than one.
    ///
    /// # Errors
    /// There are not enough versions left, or the runner cannot run one of them as it has to.
    pub fn files(&self, pieces: &[Piece]) -> Result<Vec<(PathBuf, String)>, NoRoom> {
        let versions = self.versions(pieces.len())?;
        let mut files = Vec::new();
        for (piece, version) in pieces.iter().zip(versions) {
            let path = self.spelling.path(&version, &piece.name);
            let down = match &self.way_back {
                Back::File(endings) => self.spelling.down(&path, endings),
                Back::None | Back::Part => None,
            };
            files.extend(text::write(self, piece, path, down)?);
        }
        let ended = |(path, text): (PathBuf, String)| (path, text::with_line_ends(&text, self.line_end));
        Ok(files.into_iter().map(ended).collect())
    }

    /// Statements (without their semicolons) that are to run together, as the `up` or `down` of a piece that runs in a transaction: behind
    /// `SET LOCAL lock_timeout`, and between BEGIN and COMMIT where the runner opens no transaction.
    pub fn transaction_block<S: AsRef<str>>(&self, statements: &[S]) -> String {
        let mut block = if self.needs_block { "BEGIN;\n".to_owned() } else { String::new() };
        block += &format!("SET LOCAL lock_timeout = '{LOCK_TIMEOUT}';\n");
        for statement in statements {
            block += statement.as_ref().trim_end();
            block += ";\n";
        }
        block + if self.needs_block { "COMMIT;\n" } else { "" }
    }

    /// SQL that holds its transaction together itself where the runner does not.
    pub fn wrapped(&self, sql: &str) -> String {
        if self.needs_block { format!("BEGIN;\n{}\nCOMMIT;\n", sql.trim_end()) } else { sql.to_owned() }
    }

    /// Whether files of this history have a way back beside them or in them.
    pub fn writes_way_back(&self) -> bool {
        self.way_back != Back::None
    }

    /// Whether a runner that is known to be told how runs what must run alone. Otherwise somebody has to tell it.
    pub fn tells_runner(&self) -> bool {
        self.ways.told != Told::Unknown || self.mode == Some(TransactionMode::None)
    }

    /// The next versions.
    fn versions(&self, count: usize) -> Result<Vec<String>, NoRoom> {
        if self.in_its_place && count > 0 {
            let others = Self { in_its_place: false, ..self.clone() }.versions(count - 1)?;
            return Ok(std::iter::once(self.spelling.version.clone()).chain(others).collect());
        }
        let plain = self.counted_on(&self.spelling.version, count);
        match plain {
            Err(_) if self.dotted && order::day(&self.spelling.version).is_none() => {
                let first = version::first_below(&self.spelling.version);
                let mut versions = vec![first.clone()];
                versions.extend(self.counted_on(&first, count.saturating_sub(1))?);
                versions.iter().try_for_each(|version| self.is_free(version))?;
                Ok(versions)
            }
            other => other,
        }
    }

    fn counted_on(&self, from: &str, count: usize) -> Result<Vec<String>, NoRoom> {
        let mut versions: Vec<String> = Vec::with_capacity(count);
        for _ in 0..count {
            let last = versions.last().map_or(from, String::as_str);
            let next = version::successor(last).ok_or_else(|| NoRoom::new(format!("nothing counts on from `{last}`"), BY_HAND))?;
            if next.len() > last.len() && self.compared_as_text {
                let why = format!("`{next}` is longer than the versions before it, and would be sorted before them as text");
                return Err(NoRoom::new(why, "give the files wider numbers first"));
            }
            self.is_free(&next)?;
            versions.push(next);
        }
        Ok(versions)
    }

    fn is_free(&self, version: &str) -> Result<(), NoRoom> {
        let full = full_version(&self.spelling, version).unwrap_or_default();
        if let Some(taken) = self.until.as_ref().filter(|taken| order::versions(&full, &taken.version).is_ge()) {
            let why = format!("`{}` follows, and no version between is free for a new file", taken.path.display());
            return Err(NoRoom::new(why, "write the new file behind the last one, or give that one a later version if it has run nowhere"));
        }
        match order::is_future(version) {
            true => Err(NoRoom::new(format!("the next version is {version}, and that day has not come"), BY_HAND)),
            false => Ok(()),
        }
    }
}

/// What tells a runner to leave a file that exists alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// Lines for the file: where, and what.
    pub edits: Vec<(Span, String)>,
    /// Files beside it.
    pub files: Vec<(PathBuf, String)>,
    /// The runner is known; otherwise only lockkeeper is told.
    pub sure: bool,
}

/// What tells the runner of a migration to run its one statement outside of any transaction; nothing if that is so already.
///
/// # Errors
/// The runner cannot do it, or would make a transaction of the file's statements all the same.
pub fn run_alone(history: &History, migration: &Migration, config: &Config) -> Result<Directive, NoRoom> {
    let spelling = Spelling::of(migration.source.path());
    let told = spelling.map_or(Told::Unknown, |spelling| Ways::of(migration.tool, spelling.form).told);
    directive::of(told, history, migration, config)
}

/// What gives a migration that nothing undoes a way back: these statements, in a second part of it or in a file beside it.
///
/// # Errors
/// As [`Room::behind`]; or nobody knows how this history undoes its migrations.
pub fn undo<S: AsRef<str>>(history: &History, migration: &Migration, config: &Config, statements: &[S]) -> Result<Directive, NoRoom> {
    let room = Room::behind(history, migration, config)?;
    let lacking =
        || NoRoom::new("how the migrations before this one are undone does not tell where that goes for this one", "write it by hand");
    match &room.way_back {
        Back::None => Err(lacking()),
        Back::Part => Ok(Directive { edits: vec![text::second_part(&room, migration, statements)], files: Vec::new(), sure: true }),
        Back::File(endings) => {
            let path = room.spelling.down(migration.source.path(), endings).ok_or_else(lacking)?;
            if history.project.beside.contains(&path) {
                return Err(NoRoom::new(format!("`{}` is there already", path.display()), "write it there"));
            }
            let text = text::with_line_ends(&text::of_way_back(&room, statements), room.line_end);
            Ok(Directive { edits: Vec::new(), files: vec![(path, text)], sure: true })
        }
    }
}

const BY_HAND: &str = "write the next file by hand, behind this one";

/// A version as `discover` reads it off the path.
fn full_version(spelling: &Spelling, version: &str) -> Option<String> {
    convention::read(&spelling.path(version, "x"))?.version
}

/// Every version that something has, in order: the migrations, and what else lies beside them.
fn known_versions(history: &History) -> Known {
    let of_migrations = history
        .migrations
        .iter()
        .filter(|migration| !migration.repeatable)
        .filter_map(|migration| Some(Taken { version: migration.version.clone()?, path: migration.source.path().to_owned() }));
    let beside = history.project.beside.iter().filter_map(|path| {
        // Folders carry a version as files do, and so do programs.
        let as_folder = || convention::read_with_form(&path.join("up.sql")).filter(|(_, form)| *form == Form::FolderWithUp);
        let as_file = || convention::read_with_form(&path.with_extension("sql"));
        let (named, _) = convention::read_with_form(path).or_else(|| if path.extension().is_none() { as_folder() } else { as_file() })?;
        Some(Taken { version: named.version?, path: path.clone() })
    });
    let mut known: Vec<_> = of_migrations.chain(beside).collect();
    known.sort_by(|a, b| order::versions(&a.version, &b.version));
    Known { dotted: known.iter().any(|taken| taken.version.contains('.')), taken: known }
}

fn is_counted(migration: &Migration) -> bool {
    migration.step != Step::BASE && migration.order != Order::Gone && !migration.repeatable && migration.version.is_some()
}

/// How those up to this migration are undone, if more than half of the last ones are.
fn way_back(history: &History, migration: &Migration) -> Back {
    let at = history.migrations.iter().position(|other| Arc::ptr_eq(&other.source, &migration.source)).unwrap_or_default();
    let last: Vec<_> = history.migrations[..=at].iter().filter(|other| is_counted(other)).rev().take(USUAL).collect();
    let undone = last.iter().filter(|other| other.way_back == WayBack::There).count();
    match migration.tool {
        _ if undone * 2 <= last.len() => Back::None,
        Some(Tool::Goose | Tool::Dbmate) => Back::Part,
        // Its files have two parts, too, in an order of their own.
        Some(Tool::NodePgMigrate) => Back::None,
        _ => Back::File(down_endings(history)),
    }
}

/// The endings of the files beside the migrations that undo one.
fn down_endings(history: &History) -> Vec<String> {
    let ending = |path: &PathBuf| {
        let file = path.file_name()?.to_str()?;
        let (stem, _) = convention::stem(file)?;
        let (stem, purpose) = convention::direction(stem);
        (purpose == convention::Purpose::Down).then(|| file[stem.len()..].to_owned())
    };
    let mut endings: Vec<_> = history.project.beside.iter().filter_map(ending).collect();
    endings.sort();
    endings.dedup();
    endings
}

/// Whether files say BEGIN themselves: because nobody else does, or, where that is not known, because the others do.
fn needs_block(history: &History, tool: Option<Tool>, ways: Ways, mode: Option<TransactionMode>) -> bool {
    let parted = matches!(tool, Some(Tool::Goose | Tool::Dbmate));
    match mode.filter(|_| !parted) {
        Some(TransactionMode::None) => true,
        Some(_) => false,
        None if ways.wraps == Some(true) => false,
        None if ways.wraps == Some(false) => true,
        None => *history.project.says_begin.get_or_init(|| {
            let last = history.migrations.iter().rev().filter(|migration| is_counted(migration)).take(USUAL);
            last.into_iter().any(text::says_begin)
        }),
    }
}

#[cfg(test)]
mod tests;
