//! Walks paths and gathers the files of each history.

use super::changes::Change;
use super::convention::{self, Form, Named, Purpose, Sequence};
use super::since::Since;
use super::tool::Base;
use super::tree::{Standing, Tree};
use super::{Request, Role, STDIN, Skipped, order, tool};
use crate::config::{Config, non_empty};
use crate::problem::{Problem, io_words};
use crate::rule::moment::Order;
use crate::tool::Tool;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use walkdir::{DirEntry, WalkDir};

/// A file that may become a migration.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub path: PathBuf,
    pub version: Option<String>,
    pub name: String,
    pub repeatable: bool,
    /// The file that undoes it.
    pub down: Option<PathBuf>,
    pub sequence: Sequence,
    pub role: Role,
    /// What has become of it since the branch point, if that was asked.
    pub change: Change,
    /// Somebody has named it.
    pub named: bool,
}

/// The candidates of one history, in order.
pub(super) struct Folder {
    pub directory: PathBuf,
    pub candidates: Vec<Candidate>,
    /// What the base branch makes of the place of each, and the version there that does.
    pub places: Vec<Option<(Order, Option<String>)>>,
    /// Files that the base branch has, and that are no more.
    pub gone: Vec<Candidate>,
    /// Whether all files of the directory are among them, and none of them is a program.
    pub complete: bool,
    /// Files beside them that may tell how they are run.
    pub asides: Vec<PathBuf>,
    /// What the tool's own files say of the history.
    pub base: Option<Arc<Base>>,
}

/// What the walk gave.
#[derive(Default)]
pub(super) struct Found {
    pub folders: Vec<Folder>,
    pub problems: Vec<Problem>,
    pub skipped: Skipped,
}

/// Everything that is known while the paths are walked.
#[derive(Default)]
struct Walk<'r> {
    /// What stands for the disk.
    tree: Option<&'r Tree>,
    /// The tool that the config names.
    told: Option<Tool>,
    /// By history, by path.
    files: BTreeMap<PathBuf, BTreeMap<PathBuf, Candidate>>,
    /// Histories in which programs take part, so that the SQL does not tell everything.
    with_programs: Vec<PathBuf>,
    /// Files that may tell how the migration beside them is run.
    asides: Vec<PathBuf>,
    /// What tools' own files say, by the directory that a file's name gives it.
    bases: HashMap<(PathBuf, Form), Option<Arc<Base>>>,
    /// The same, by the directory that they give it.
    own: HashMap<PathBuf, Arc<Base>>,
    /// What undoes something, by its history and the version or the name of both files.
    downs: HashMap<(PathBuf, String), PathBuf>,
    problems: Vec<Problem>,
    skipped: Skipped,
}

/// Walks the paths of a request, and the directories of files that were named alone.
pub(super) fn folders(request: &Request, config: &Config) -> Found {
    let tree = request.changes.as_ref().and_then(|changes| changes.tree.as_ref());
    let mut walk = Walk { tree, told: config.tool, ..Walk::default() };
    let mut walked = Vec::new();
    for path in &request.paths {
        let path = without_dot(path);
        let is_given = request.given.iter().any(|given| given.path() == path);
        if let Some(tree) = tree {
            walk.in_tree(&path, tree, config, &mut walked);
            continue;
        }
        match std::fs::metadata(non_empty(&path)) {
            Ok(metadata) if metadata.is_dir() => {
                walk.directory(&path, config);
                walked.push(path);
            }
            Ok(metadata) if metadata.is_file() || is_given => walk.named(&path, config),
            Ok(_) => {
                // A pipe such as `<(git show ...)`, or a device: what lies beside it is no history.
                walk.alone(&path, config);
                walked.push(path);
            }
            Err(_) if is_given => walk.named(&path, config),
            Err(error) => walk.problems.push(not_found(&path, &error)),
        }
    }
    if !request.no_history {
        walk.neighbours(&walked, request);
    }
    let complete = |directory: &Path, walk: &Walk<'_>| !request.no_history && !walk.with_programs.iter().any(|other| other == directory);
    let since = request.changes.as_ref().map(Since::new);
    let mut gone = since.as_ref().map_or(Vec::new(), |since| since.gone(&walked, config));
    let mut files = std::mem::take(&mut walk.files);
    gone.iter().for_each(|(history, _)| _ = files.entry(history.clone()).or_default());
    let mut folders = Vec::new();
    for (directory, files) in files {
        let mut candidates: Vec<_> = files.into_values().collect();
        let down = |candidate: &Candidate| walk.downs.get(&(directory.clone(), candidate.key())).cloned();
        candidates.iter_mut().for_each(|candidate| candidate.down = down(candidate));
        match since.as_ref().map_or(Ok(0), |since| since.mark(&mut candidates)) {
            Ok(ignored) => walk.skipped.ignored += ignored,
            Err(problem) => {
                walk.problems.push(problem);
                continue;
            }
        }
        order::sort(&mut candidates);
        let base = walk.own.get(&directory).cloned();
        if let Some(base) = base.as_ref().filter(|base| base.listed.is_some()) {
            if !request.no_history && walk.tree.is_none() {
                walk.problems.extend(missing(&candidates, base));
            }
            let (unlisted, forgotten) = as_listed(&mut candidates, base);
            walk.skipped.unlisted += unlisted;
            walk.problems.extend(forgotten);
        }
        let gone = gone.extract_if(.., |(history, _)| *history == directory).map(|(_, candidate)| candidate).collect();
        let places = candidates.iter().map(|candidate| since.as_ref()?.place(candidate, &directory)).collect();
        let is_here = |aside: &mut PathBuf| aside.ancestors().skip(1).take(2).any(|above| above == directory);
        let asides = walk.asides.extract_if(.., is_here).collect();
        let unread = base.as_ref().map_or(0, |base| base.changesets);
        walk.skipped.changesets += unread;
        // What they have made is not in any of the files.
        folders.push(Folder { complete: unread == 0 && complete(&directory, &walk), directory, candidates, places, gone, asides, base });
    }
    Found { folders, problems: walk.problems, skipped: walk.skipped }
}

fn not_found(path: &Path, error: &std::io::Error) -> Problem {
    Problem::new("discover::no-such-path", io_words(error)).help(LOOKED_FOR).about(path)
}

/// The code of the problem that a directory has no SQL files.
pub(super) const NO_SQL: &str = "discover::no-sql";

const IS_PROGRAM: &str = "migrations that are programs are judged by the SQL that their tool prints: `render:` in lockkeeper.yaml names it, \
                          which `lockkeeper init` writes for Alembic and Django, and then `lockkeeper lint --render`";

const LOOKED_FOR: &str = "looked for a file, or a directory with files that end in .sql, .pgsql, .psql or .sql.postgres";

impl Walk<'_> {
    /// What git has at a path. What it does not have does not exist, unless nobody has it.
    fn in_tree(&mut self, path: &Path, tree: &Tree, config: &Config, walked: &mut Vec<PathBuf>) {
        match tree.at(path) {
            Some(Standing::Directory) => {
                self.directory(path, config);
                walked.push(path.to_owned());
            }
            Some(Standing::File) => {
                // A hook names whatever is committed.
                if let Some(named) = convention::read(path) {
                    self.subject(path.to_owned(), named, config);
                }
            }
            None if std::fs::symlink_metadata(non_empty(path)).is_ok() || tree.had(path) => {}
            None => self.problems.push(not_found(path, &std::io::ErrorKind::NotFound.into())),
        }
    }

    /// All files below a directory are subjects.
    fn directory(&mut self, directory: &Path, config: &Config) {
        let (mut any, mut programs) = (false, false);
        let problems_before = self.problems.len();
        for path in self.below(directory, usize::MAX) {
            match self.read(&path) {
                Some(named) => {
                    any = true;
                    self.subject(path, named, config);
                }
                None => {
                    programs |= is_program(&path);
                    self.other(&path);
                }
            }
        }
        if !any && self.problems.len() == problems_before && self.tree.is_none() {
            let help = if programs { IS_PROGRAM } else { LOOKED_FOR };
            let problem = Problem::new(NO_SQL, "there is no .sql file in this directory").help(help);
            self.problems.push(problem.about(non_empty(directory)));
        }
    }

    /// A file that was named is a subject whatever its ending.
    fn named(&mut self, path: &Path, config: &Config) {
        if path == STDIN {
            self.alone(path, config);
        } else if is_program(path) {
            self.problems.push(Problem::new("discover::program", "this is a program, and no SQL").help(IS_PROGRAM).about(path));
        } else {
            let named = self.read(path).unwrap_or_else(|| convention::read_any(path));
            let history = named.history.clone();
            self.subject(path.to_owned(), named, config);
            if let Some(candidate) = self.files.get_mut(&history).and_then(|files| files.get_mut(path)) {
                candidate.named = true;
            }
        }
    }

    /// What was named and is its own history.
    fn alone(&mut self, path: &Path, config: &Config) {
        let named = Named { history: path.to_owned(), ..convention::read_any(path) };
        self.subject(path.to_owned(), named, config);
    }

    fn subject(&mut self, path: PathBuf, named: Named, config: &Config) {
        match named.purpose {
            Purpose::Down => {
                self.skipped.down += 1;
                self.downs.insert(undoes(&named), path);
            }
            Purpose::Aside => self.skipped.aside += 1,
            Purpose::OtherDatabase => self.skipped.other_database += 1,
            Purpose::Up | Purpose::Repeatable => match config.excludes(&path) {
                // What is never judged still makes the schema that the others meet.
                Some(pattern) => {
                    self.skipped.excluded += 1;
                    if !self.skipped.patterns.contains(&pattern) {
                        self.skipped.patterns.push(pattern);
                    }
                    self.insert(path, named, Role::History);
                }
                None => self.insert(path, named, Role::Subject),
            },
        }
    }

    /// What the name of a file says, and what the files of its tool make of that.
    fn read(&mut self, path: &Path) -> Option<Named> {
        let (named, form) = convention::read_with_form(path)?;
        let (key, told) = ((named.history.clone(), form), self.told);
        let base = self.bases.entry(key).or_insert_with_key(|(history, form)| tool::look(history, *form, told).map(Arc::new));
        let Some(base) = base else { return Some(named) };
        let named = base.named(path, named);
        if named.history == base.directory {
            self.own.entry(named.history.clone()).or_insert_with(|| Arc::clone(base));
        }
        Some(named)
    }

    fn insert(&mut self, path: PathBuf, named: Named, role: Role) {
        let files = self.files.entry(named.history.clone()).or_default();
        let candidate = Candidate::new(path.clone(), named, role);
        let known = files.entry(path).or_insert(candidate);
        if role == Role::Subject {
            known.role = role;
        }
    }

    /// Adds to each history the files that nobody named, those among them that are in memory only.
    fn neighbours(&mut self, walked: &[PathBuf], request: &Request) {
        let is_walked = |directory: &PathBuf| walked.iter().any(|walked| directory.starts_with(walked));
        let directories: Vec<_> = self.files.keys().filter(|directory| !is_walked(directory) && *directory != STDIN).cloned().collect();
        for directory in directories {
            // Two levels: the folders of the conventions lie directly below their history.
            let given: Vec<_> =
                request.given.iter().map(|given| without_dot(given.path())).filter(|path| path.as_path() != Path::new(STDIN)).collect();
            let below = match self.own.get(&directory).cloned() {
                // Its folders lie as its tool wants them.
                Some(base) => base.roots.iter().filter(|root| root.is_dir()).flat_map(|root| self.below(root, usize::MAX)).collect(),
                None => self.below(&directory, 2),
            };
            for path in below.into_iter().chain(given) {
                match self.read(&path) {
                    Some(named) if named.history == directory && matches!(named.purpose, Purpose::Up | Purpose::Repeatable) => {
                        self.insert(path, named, Role::History);
                    }
                    Some(named) if named.history == directory && named.purpose == Purpose::Down => {
                        drop(self.downs.insert(undoes(&named), path));
                    }
                    Some(_) => {}
                    None => self.other(&path),
                }
            }
        }
    }

    /// The files below a directory, hidden ones and installed packages left out.
    fn below(&mut self, directory: &Path, depth: usize) -> Vec<PathBuf> {
        if let Some(tree) = self.tree {
            return tree.below(directory).into_iter().filter(|path| is_wanted_below(path, directory, depth)).collect();
        }
        let mut files = Vec::new();
        let root = non_empty(directory);
        for entry in WalkDir::new(&root).max_depth(depth).follow_links(true).into_iter().filter_entry(is_wanted) {
            match entry {
                Ok(entry) if entry.file_type().is_dir() => {}
                Ok(entry) if entry.file_type().is_file() => files.push(without_dot(entry.path())),
                // To open a pipe may be to wait for ever.
                Ok(entry) if convention::read(entry.path()).is_some() => {
                    self.problems
                        .push(Problem::new("discover::unreadable", "this is no file").help(LOOKED_FOR).about(without_dot(entry.path())));
                }
                Ok(_) => {}
                // A link into nothing is left out as well if its name says so.
                Err(error) if error.depth() > 0 && error.path().and_then(Path::file_name).is_some_and(|name| is_hidden(name, false)) => {}
                Err(error) => {
                    let path = error.path().unwrap_or(&root).to_owned();
                    let words = match error.io_error() {
                        Some(error) => io_words(error),
                        None => "this link leads back to a directory above it".to_owned(),
                    };
                    self.problems.push(Problem::new("discover::unreadable", words).help(LOOKED_FOR).about(without_dot(&path)));
                }
            }
        }
        files
    }

    /// Notes what is no SQL: a migration that is a program, or a file that tells how one is run.
    fn other(&mut self, path: &Path) {
        if tool::is_aside(path) {
            self.asides.push(path.to_owned());
        }
        let begins_with_digit = path.file_name().is_some_and(|name| name.as_encoded_bytes().first().is_some_and(u8::is_ascii_digit));
        if begins_with_digit && is_program(path) {
            // As if it were SQL, so that its folder leads to the same history.
            if let Some(named) = convention::read(&path.with_extension("sql")) {
                self.with_programs.push(named.history);
            }
        }
    }
}

fn is_program(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    matches!(ending, "py" | "go" | "rb" | "ts" | "js" | "php" | "rs" | "java")
}

impl Candidate {
    pub fn new(path: PathBuf, named: Named, role: Role) -> Self {
        let repeatable = named.purpose == Purpose::Repeatable;
        let (version, name, sequence) = (named.version, named.name, named.sequence);
        Self { path, version, name, repeatable, down: None, sequence, role, change: Change::default(), named: false }
    }

    /// What it shares with the file that undoes it.
    fn key(&self) -> String {
        self.version.clone().unwrap_or_else(|| self.name.clone())
    }
}

fn undoes(named: &Named) -> (PathBuf, String) {
    (named.history.clone(), named.version.clone().unwrap_or_else(|| named.name.clone()))
}

/// Puts candidates into the order of their tool's list. Those that it leaves out are not run: what nobody has asked for goes, and is counted,
/// or is a problem where somebody has just written it; the rest is new, and stands behind the others. A list that has none of them is no list of
/// theirs.
fn as_listed(candidates: &mut Vec<Candidate>, base: &Base) -> (usize, Vec<Problem>) {
    if !candidates.iter().any(|candidate| base.place(&candidate.path).is_some()) {
        return (0, Vec::new());
    }
    let is_left_out = |candidate: &mut Candidate| !candidate.named && base.place(&candidate.path).is_none();
    let left_out: Vec<_> = candidates.extract_if(.., is_left_out).collect();
    candidates.sort_by_key(|candidate| base.place(&candidate.path).unwrap_or(usize::MAX));
    let forgotten: Vec<_> = left_out.iter().filter(|one| one.change != Change::None).map(|one| forgotten(one, base)).collect();
    (left_out.len() - forgotten.len(), forgotten)
}

/// A file that has changed and that its tool does not run: as likely as not, the list was forgotten.
fn forgotten(candidate: &Candidate, base: &Base) -> Problem {
    let tool = base.tool.map_or("its tool", Tool::word);
    let help = "add the file to the list, or name the tool that runs it: `tool:` in lockkeeper.yaml";
    Problem::new("discover::unlisted", format!("the list of {tool} does not name this file, which is new or edited"))
        .help(help)
        .about(&candidate.path)
}

/// What the list of a tool names and what is not there: neither can the tool run it, nor can it be judged.
fn missing(candidates: &[Candidate], base: &Base) -> Option<Problem> {
    let tool = base.tool.filter(|tool| matches!(tool, Tool::Drizzle | Tool::Sqitch))?;
    let there: HashSet<_> = candidates.iter().map(|candidate| candidate.path.as_path()).collect();
    let listed = base.listed.as_ref()?;
    let gone = listed.iter().filter(|(path, _)| !there.contains(path.as_path()) && !path.is_file());
    let (mut count, mut first) = (0, None);
    for (path, place) in gone {
        count += 1;
        first = first.into_iter().chain([(place, path)]).min();
    }
    let (_, first) = first?;
    let more = if count == 1 { String::new() } else { format!(", and {} more that are not", count - 1) };
    let problem = Problem::new("discover::listed", format!("the list of {} names this file, which is not there{more}", tool.word()));
    Some(problem.help("bring the file back, or take it off the list: what comes behind it is judged without it").about(first))
}

/// A file by its name alone, judged.
pub(super) fn candidate(path: &Path) -> Candidate {
    Candidate::new(path.to_owned(), convention::read_any(path), Role::Subject)
}

fn is_wanted(entry: &DirEntry) -> bool {
    entry.depth() == 0 || !is_hidden(entry.file_name(), entry.file_type().is_dir())
}

/// The same of a path that git has.
fn is_wanted_below(path: &Path, directory: &Path, depth: usize) -> bool {
    let below = path.strip_prefix(directory).unwrap_or(path);
    let parts = below.components().count();
    parts <= depth && below.iter().enumerate().all(|(at, part)| !is_hidden(part, at + 1 < parts))
}

fn is_hidden(name: &OsStr, is_directory: bool) -> bool {
    name.as_encoded_bytes().starts_with(b".") || (name == "node_modules" && is_directory)
}

/// `./orders.sql` is shown as `orders.sql`.
fn without_dot(path: &Path) -> PathBuf {
    path.strip_prefix(".").unwrap_or(path).to_owned()
}
