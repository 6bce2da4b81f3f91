//! Paths to ordered migrations: which files there are, to which history they belong, and what their runner does with them.

mod changes;
mod convention;
mod down;
mod edited;
mod git;
mod head;
mod order;
pub mod place;
mod render;
mod since;
pub mod tool;
mod tree;
mod walk;

pub use changes::{Changes, Scope};

use crate::config::{Completeness, Config, resolved};
use crate::model::catalog::Step;
use crate::model::session::TransactionMode;
use crate::problem::{Problem, io_words};
use crate::rule::moment::{Order, WayBack};
use crate::text::{SourceFile, Span};
use rayon::prelude::*;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tool::{Project, Tool};
use walk::{Candidate, Folder};

/// One file that changes the schema.
#[derive(Clone, Debug)]
pub struct Migration {
    /// The file.
    pub source: Arc<SourceFile>,
    /// The part of it that is run: all of it, or what stands below `-- +goose Up`.
    pub part: Span,
    /// Pieces of that part which its tool runs in a way of their own, where it does not so run the whole.
    pub units: Vec<Unit>,
    /// The version that its name says.
    pub version: Option<String>,
    /// Its name without version and ending.
    pub name: String,
    /// The tool that runs it, as far as anything tells.
    pub tool: Option<Tool>,
    /// All new files share its transaction.
    pub shared: bool,
    /// How it is run, where the file, the config or its tool says it; `None`: its statements tell, see [`Migration::transaction_mode`].
    pub declared: Option<TransactionMode>,
    /// Whether it is judged, or only replayed.
    pub role: Role,
    /// Its place in its history, from 1; files of one release share the place of the first.
    pub step: Step,
    /// Whether a file, or a part of this one, undoes it, and whether that is usual here.
    pub way_back: WayBack,
    /// What undoes it.
    pub down: Option<Down>,
    /// The same as a migration of its own, of one that is judged.
    pub way_down: Option<Arc<Migration>>,
    /// It is run again whenever it changes.
    pub repeatable: bool,
    /// What is wrong with that place.
    pub order: Order,
    /// The newest version of the base branch, where this one is behind it.
    pub base_version: Option<String>,
}

/// A piece of a migration, and how it is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Where it stands.
    pub span: Span,
    /// Its transaction.
    pub mode: TransactionMode,
}

/// Where the SQL stands that undoes a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Down {
    /// In another file.
    File(PathBuf),
    /// In the same file, behind the part that is run.
    Part(Span),
}

/// Why a migration is among the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It makes the schema that the subjects meet, or, behind them, tells what becomes of what they leave behind.
    History,
    /// It is judged.
    Subject,
}

/// The migrations of one directory, in the order in which they run. Each history has a catalog of its own.
#[derive(Clone, Debug)]
pub struct History {
    /// The directory.
    pub directory: PathBuf,
    /// In order.
    pub migrations: Vec<Migration>,
    /// Whether it begins with an empty database.
    pub whole: bool,
    /// The config or a schema dump says so; otherwise it is read off the names of the files.
    pub told_whole: bool,
    /// Its subjects are deployed together.
    pub one_release: bool,
    /// What lies around it.
    pub(crate) project: Project,
}

/// Everything that was found.
#[derive(Clone, Debug, Default)]
pub struct Discovered {
    /// One for each directory, by path.
    pub histories: Vec<History>,
    /// What could not be found or read.
    pub problems: Vec<Problem>,
    /// What was passed over.
    pub skipped: Skipped,
}

/// Files that were passed over, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Files that undo a migration.
    pub down: usize,
    /// Files that check a migration, or fill tables.
    pub aside: usize,
    /// Files that the list of their tool leaves out.
    pub unlisted: usize,
    /// Changes in changelogs that are no SQL: nobody has judged them.
    pub changesets: usize,
    /// Files for another database.
    pub other_database: usize,
    /// Files that the config excludes.
    pub excluded: usize,
    /// Files that git is told to ignore, so that it does not say whether they are new.
    pub ignored: usize,
    /// Files that were named and are none of the config's migrations.
    pub elsewhere: usize,
    /// Which patterns of `exclude:` matched something, by index.
    pub patterns: Vec<usize>,
}

/// What is asked of a run.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Files and directories.
    pub paths: Vec<PathBuf>,
    /// Texts that stand for the files at their paths, whatever the disk says.
    pub given: Vec<Arc<SourceFile>>,
    /// A file named alone is judged without the others of its directory.
    pub no_history: bool,
    /// A schema dump that is older than every migration.
    pub schema: Option<Arc<SourceFile>>,
    /// Of the files, those are judged that have changed; the rest is history.
    pub changes: Option<Changes>,
    /// The files that are judged are deployed together.
    pub one_release: bool,
    /// Whether the programs of `render:` are run.
    pub programs: Programs,
    /// All migrations that they print are asked about, wherever they are.
    pub all_programs: bool,
}

/// Whether programs that a config names are run. They are code of the repository, so somebody has to want it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Programs {
    /// Nobody has said so: what they would print is a problem.
    #[default]
    Unasked,
    /// They are run.
    Run,
}

impl Request {
    /// Everything that a config names; `None`: it names nothing.
    pub fn of_project(config: &Config) -> Option<Self> {
        let (paths, all_programs) = (config.migration_paths(), !config.render.is_empty());
        (!paths.is_empty() || all_programs).then(|| Self { paths, all_programs, ..Self::default() })
    }
}

/// The path of a text from standard input that stands for no file. It has no neighbours.
pub const STDIN: &str = "<stdin>";

impl Migration {
    /// How its statements are put into transactions. `begins`: one of them is BEGIN; `refuses`: one of them cannot run in a transaction
    /// block.
    pub fn transaction_mode(&self, begins: bool, refuses: bool) -> TransactionMode {
        match self.declared {
            // Both commit each statement for itself, and `explicit` says why there are blocks all the same.
            None | Some(TransactionMode::None) if begins => TransactionMode::Explicit,
            Some(mode) => mode,
            None => TransactionMode::Assumed(!refuses),
        }
    }
}

/// Finds and reads everything that a run needs; what is no SQL file is read as the programs of the config print it.
pub fn discover(request: &Request, config: &Config) -> Discovered {
    if config.render.is_empty() {
        return found(request, config);
    }
    let rendered = render::rendered(request, config);
    let mut request = request.clone();
    request.paths.retain(|path| !rendered.files.contains(&resolved(path)));
    let mut discovered = found(&request, config);
    // A directory may hold nothing but programs.
    let holds_programs = |path: &Path| {
        let path = resolved(path);
        rendered.files.iter().any(|file| file.starts_with(&path))
    };
    discovered.problems.retain(|problem| problem.code != walk::NO_SQL || !problem.path().is_some_and(holds_programs));
    discovered.problems.extend(rendered.problems);
    discovered.skipped.excluded += rendered.excluded.len();
    discovered.skipped.patterns.extend(rendered.excluded);
    discovered.histories.extend(rendered.histories.into_iter().filter(|history| history.subjects().next().is_some()));
    discovered
}

/// Finds and reads the SQL files that a run needs.
fn found(request: &Request, config: &Config) -> Discovered {
    let walked = walk(request, config);
    match request.changes.as_ref().and_then(|changes| changes.tree.as_ref()) {
        None => walked.read(request, config, &|path| text_of(path, request)),
        Some(tree) => match tree.texts(walked.paths()) {
            Ok(texts) => walked.read(request, config, &|path| texts.get(path).cloned().unwrap_or_else(|| text_of(path, request))),
            Err(problem) => Discovered { problems: vec![problem], ..Discovered::default() },
        },
    }
}

/// The files that a run needs, in their order, not read.
pub struct Walked {
    /// With what lies around each.
    folders: Vec<(Folder, Project)>,
    problems: Vec<Problem>,
    skipped: Skipped,
}

/// Gives the text of a path.
pub type Texts<'a> = &'a (dyn Fn(&Path) -> Result<Arc<SourceFile>, Problem> + Sync);

/// Whether a file's name says that there is SQL in it.
pub fn is_sql(path: &Path) -> bool {
    convention::read(path).is_some()
}

/// Finds everything that a run needs.
pub fn walk(request: &Request, config: &Config) -> Walked {
    let found = walk::folders(request, config);
    let with_project = |mut folder: Folder| {
        let judged = folder.candidates.iter().filter(|candidate| candidate.role == Role::Subject);
        let asides = std::mem::take(&mut folder.asides);
        let base = folder.base.take();
        let project = Project::around(&folder.directory, judged.map(|candidate| candidate.path.as_path()), asides, base);
        (folder, project)
    };
    // What nobody judges need not be read.
    let is_judged = |folder: &Folder| folder.candidates.iter().chain(&folder.gone).any(|candidate| candidate.role == Role::Subject);
    Walked {
        folders: found.folders.into_iter().filter(is_judged).map(with_project).collect(),
        problems: found.problems,
        skipped: found.skipped,
    }
}

impl Walked {
    /// The paths of all files.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.folders.iter().flat_map(|(folder, _)| &folder.candidates).map(|candidate| candidate.path.as_path())
    }

    /// Reads the files, taking their texts from `texts`.
    pub fn read(&self, request: &Request, config: &Config, texts: Texts<'_>) -> Discovered {
        let mut discovered = Discovered { histories: Vec::new(), problems: self.problems.clone(), skipped: self.skipped.clone() };
        for found in &self.folders {
            let (history, problems) = read(found, request, config, texts);
            discovered.problems.extend(problems);
            if history.migrations.iter().any(|migration| migration.role == Role::Subject) {
                discovered.histories.push(history);
            }
        }
        discovered
    }
}

/// Files that are in memory, as one history that began before them. `schema` is older than all of them.
pub fn in_memory(schema: Option<Arc<SourceFile>>, files: &[(Arc<SourceFile>, Role)], config: &Config) -> History {
    let found =
        |(source, role): &(Arc<SourceFile>, Role)| (Candidate { role: *role, ..walk::candidate(source.path()) }, Arc::clone(source));
    let mut found: Vec<_> = files.iter().map(found).collect();
    let mut candidates: Vec<_> = found.iter().map(|(candidate, _)| candidate.clone()).collect();
    order::sort(&mut candidates);
    let orders = order::irregularities(&candidates);
    let mut migrations: Vec<_> = schema.into_iter().map(base).collect();
    for (at, candidate) in candidates.iter().enumerate() {
        if let Some(which) = found.iter().position(|(other, _)| other.path == candidate.path) {
            let place = Place { step: Step(at as u32 + 1), order: (orders[at], None) };
            migrations.push(migration(candidate, found.remove(which).1, place, config).0);
        }
    }
    tool::settle(migrations.iter_mut(), &Project::default(), config);
    note_missing_ways_back(&mut migrations);
    let told_whole = config.history == Completeness::Whole;
    History { directory: PathBuf::new(), migrations, whole: false, told_whole, one_release: false, project: Project::default() }
}

impl History {
    /// The migrations that are judged, in order.
    pub fn subjects(&self) -> impl Iterator<Item = &Migration> {
        self.migrations.iter().filter(|migration| migration.role == Role::Subject)
    }

    /// What comes before the file at `path`, and behind that, to be judged, those of `files` that are run forwards.
    #[must_use]
    pub fn with_instead(mut self, path: &Path, files: &[(PathBuf, String)], config: &Config) -> Self {
        let at = self.migrations.iter().position(|migration| migration.source.path() == path).unwrap_or(self.migrations.len());
        self.migrations.truncate(at);
        self.migrations.iter_mut().for_each(|migration| migration.role = Role::History);
        let next = self.migrations.last().map_or(1, |last| last.step.0 + 1);
        let forwards =
            files.iter().filter(|(path, _)| convention::read(path).is_some_and(|named| named.purpose == convention::Purpose::Up));
        let new = forwards.zip(next..).map(|((path, text), step)| {
            let place = Place { step: Step(step), order: (Order::Fine, None) };
            let candidate = Candidate { role: Role::Subject, ..walk::candidate(path) };
            migration(&candidate, SourceFile::new(path.clone(), text.as_str()), place, config).0
        });
        self.migrations.extend(new.collect::<Vec<_>>());
        tool::settle(self.migrations.iter_mut(), &self.project, config);
        self
    }

    /// Those of the migrations that `stays`, on a schema that stands for all others.
    #[must_use]
    pub fn on_schema(mut self, schema: Arc<SourceFile>, stays: impl Fn(&Migration) -> bool) -> Self {
        self.migrations.retain(|migration| migration.step != Step::BASE && stays(migration));
        self.migrations.insert(0, base(schema));
        Self { whole: true, told_whole: true, ..self }
    }

    /// The same with its subjects as one release: what one of them makes, nobody uses before all of them have run.
    #[must_use]
    pub fn as_one_release(mut self) -> Self {
        let first = self.migrations.iter().find(|migration| migration.role == Role::Subject).map(|migration| migration.step);
        for migration in self.migrations.iter_mut().filter(|migration| migration.role == Role::Subject) {
            migration.step = first.unwrap_or(migration.step);
        }
        Self { one_release: true, ..self }
    }
}

/// How many migrations before one tell what is usual.
const USUAL: usize = 10;

/// Notes which migrations cannot be undone, though of those right before them all but one in ten can.
fn note_missing_ways_back(migrations: &mut [Migration]) {
    let mut before: VecDeque<bool> = VecDeque::new();
    let counted = |migration: &&mut Migration| migration.step != Step::BASE && !migration.repeatable && migration.version.is_some();
    for migration in migrations.iter_mut().filter(counted) {
        let undone = before.iter().filter(|undone| **undone).count();
        let is_undone = migration.way_back == WayBack::There;
        if !is_undone && undone >= 2 && 10 * undone >= 9 * before.len() {
            migration.way_back = WayBack::Missing;
        }
        before.push_back(is_undone);
        if before.len() > USUAL {
            before.pop_front();
        }
    }
}

/// A schema as a migration that is older than all others.
fn base(source: Arc<SourceFile>) -> Migration {
    Migration {
        part: Span::new(0, source.bytes().len() as u32),
        units: Vec::new(),
        version: None,
        name: String::new(),
        tool: None,
        shared: false,
        declared: Some(TransactionMode::None),
        role: Role::History,
        step: Step::BASE,
        way_back: WayBack::NotUsual,
        down: None,
        way_down: None,
        repeatable: false,
        order: Order::Fine,
        base_version: None,
        source,
    }
}

/// A file that the base branch has and that is no more: there is nothing in it to judge but that.
fn gone(candidate: &Candidate) -> Migration {
    let source = SourceFile::new(&candidate.path, "");
    let (version, name) = (candidate.version.clone(), candidate.name.clone());
    Migration { version, name, role: Role::Subject, order: Order::Gone, ..base(source) }
}

/// Where a migration stands among the others.
struct Place {
    step: Step,
    /// What is wrong with it, and the version that makes it so.
    order: (Order, Option<String>),
}

fn migration(candidate: &Candidate, source: Arc<SourceFile>, place: Place, config: &Config) -> (Migration, Option<Problem>) {
    let head = head::read(&source, config.tool);
    let declared = head.transaction();
    let migration = Migration {
        part: head.part,
        units: head.units,
        version: candidate.version.clone(),
        name: candidate.name.clone(),
        tool: head.tool,
        shared: false,
        declared,
        role: candidate.role,
        way_back: if head.undone || head.down.is_some() || candidate.down.is_some() { WayBack::There } else { WayBack::NotUsual },
        down: head.down.map(Down::Part).or_else(|| candidate.down.clone().map(Down::File)),
        way_down: None,
        repeatable: candidate.repeatable,
        step: place.step,
        order: place.order.0,
        base_version: place.order.1,
        source,
    };
    (migration, head.problem)
}

/// Fewer files than this are not worth waking other threads for.
const WORTH_THREADS: usize = 32;

fn read((folder, project): &(Folder, Project), request: &Request, config: &Config, texts: Texts<'_>) -> (History, Vec<Problem>) {
    let told_whole = request.schema.is_some() || config.history == Completeness::Whole;
    let whole = match config.history {
        Completeness::Whole => true,
        Completeness::Partial => false,
        // A dump of the schema tells what was there before.
        Completeness::Auto => request.schema.is_some() || (folder.complete && order::begins_empty(&folder.candidates)),
    };
    let one = |candidate: &Candidate| match texts(&candidate.path) {
        Ok(source) => {
            let place = Place { step: Step::BASE, order: (Order::Fine, None) };
            let (migration, problem) = migration(candidate, source, place, config);
            (Some(migration), problem)
        }
        Err(problem) => (None, Some(problem)),
    };
    let candidates = &folder.candidates;
    let results: Vec<_> =
        if candidates.len() < WORTH_THREADS { candidates.iter().map(one).collect() } else { candidates.par_iter().map(one).collect() };
    let (mut found, mut problems): (Vec<Option<Migration>>, Vec<_>) = results.into_iter().unzip();
    tool::settle(found.iter_mut().flatten(), project, config);
    let whole = whole && found.iter().all(Option::is_some);
    let dump = request.schema.clone().map(base);
    let mut migrations: Vec<_> = dump.into_iter().chain(in_order(folder, found, project)).collect();
    note_missing_ways_back(&mut migrations);
    problems.extend(down::read(&mut migrations, project, config, texts).into_iter().map(Some));
    let migrations = migrations.into_iter().chain(folder.gone.iter().map(gone)).collect();
    let told_whole = told_whole && whole;
    let history =
        History { directory: folder.directory.clone(), migrations, whole, told_whole, one_release: false, project: project.clone() };
    let history = if request.one_release { history.as_one_release() } else { history };
    (history, problems.into_iter().flatten().collect())
}

/// The migrations that could be read, each at its place in the order of their tool.
fn in_order(folder: &Folder, found: Vec<Option<Migration>>, project: &Project) -> Vec<Migration> {
    let tool = found.iter().flatten().rev().find_map(|migration| migration.tool);
    let places = folder.candidates.iter().cloned().zip(folder.places.iter().cloned());
    let mut entries: Vec<_> = places.zip(found).collect();
    let is_known = order::as_of(tool, &mut entries, |((candidate, _), _)| candidate);
    if is_known || project.lists() {
        entries.iter_mut().for_each(|((candidate, _), _)| candidate.sequence = convention::Sequence::Known);
    }
    let candidates: Vec<_> = entries.iter().map(|((candidate, _), _)| candidate.clone()).collect();
    let orders = if project.lists() { vec![Order::Fine; candidates.len()] } else { order::irregularities(&candidates) };
    let mut migrations = Vec::new();
    for (at, (((_, place), migration), order)) in entries.into_iter().zip(orders).enumerate() {
        let Some(migration) = migration else { continue };
        let (order, base_version) = place.filter(|_| order != Order::Duplicate).unwrap_or((order, None));
        migrations.push(Migration { step: Step(at as u32 + 1), order, base_version, ..migration });
    }
    migrations
}

fn text_of(path: &Path, request: &Request) -> Result<Arc<SourceFile>, Problem> {
    match request.given.iter().find(|given| given.path() == path) {
        Some(given) => Ok(Arc::clone(given)),
        None => SourceFile::read(path).map_err(|error| Problem::new("discover::unreadable", io_words(&error)).about(path)),
    }
}
