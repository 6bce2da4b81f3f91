//! What git says is new: which files are added, edited or gone since a commit, in the working tree, in the index, or in another commit.

use super::convention;
use super::git::{Git, Refusal, list, path};
use super::tree::{Absolute, Blob, Tree};
use crate::problem::Problem;
use foldhash::{HashMap, HashMapExt, HashSet};
use std::path::{Path, PathBuf};

/// What has changed.
#[derive(Clone, Debug)]
pub struct Changes {
    /// The top of the working tree, links resolved.
    pub(super) root: PathBuf,
    /// By absolute path.
    pub(super) changed: HashMap<PathBuf, Change>,
    /// Files that were there before, by absolute path: what is neither among them nor changed is not git's.
    pub(super) before: HashSet<PathBuf>,
    /// SQL files of the base branch as it is now, by absolute path; `None`: nobody has named one.
    pub(super) base: Option<Vec<PathBuf>>,
    /// A merge is being committed.
    pub(super) merges: bool,
    /// A link is called as a migration is, and may lead to a file that is not.
    pub(super) links: bool,
    /// What stands for the files on disk, if something does.
    pub(super) tree: Option<Tree>,
}

/// What has become of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Change {
    /// It is as it was, or nobody asked.
    #[default]
    None,
    /// It was not there.
    Added,
    /// It was there with another text.
    Edited,
    /// It was there, and is no more.
    Gone,
}

/// What is held against what.
#[derive(Clone, Copy, Debug)]
pub enum Scope<'a> {
    /// The working tree against the commit at which HEAD and a revision part.
    Since(&'a str),
    /// What the next commit takes, against HEAD; or, with a revision, against the commit at which HEAD and that part.
    Staged(Option<&'a str>),
    /// A revision, the second, against the commit at which it and the first part.
    Between(&'a str, &'a str),
}

impl Changes {
    /// Asks the git around `directory`. Files that git ignores count as unchanged.
    ///
    /// # Errors
    /// There is no git, no repository, no such revision, or no common commit.
    pub fn of(scope: Scope<'_>, directory: &Path) -> Result<Self, Problem> {
        let git = Git::around(directory)?;
        match scope {
            Scope::Since(reference) => since(&git, reference),
            Scope::Staged(reference) => staged(git, reference),
            Scope::Between(from, to) => between(git, from, to),
        }
    }

    /// Whether nothing is new at all, and no merge is being committed.
    pub fn is_none(&self) -> bool {
        self.changed.is_empty() && !self.merges
    }

    /// Whether nothing is new that may be a migration.
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() || !(self.links || self.changed.keys().any(|path| convention::read(path).is_some()))
    }

    /// Whether the next commit is a merge.
    pub fn is_merge(&self) -> bool {
        self.merges
    }

    /// Whether a file is new or edited.
    pub fn has(&self, path: &Path) -> bool {
        matches!(self.changed.get(&Absolute::default().of(path)), Some(Change::Added | Change::Edited))
    }
}

fn failed(root: &Path) -> impl Fn(Refusal) -> Problem {
    |refusal| refusal.problem("git does not say what has changed", root)
}

fn since(git: &Git, reference: &str) -> Result<Changes, Problem> {
    let failed = failed(&git.root);
    let tip = git.commit(reference)?;
    let point = git.merge_base(&tip, &git.commit("HEAD")?, reference)?;
    let diff = raw_diff(git, &[&point]).map_err(&failed)?;
    let mut changed = changed(git, &diff);
    for file in list(&git.ask(&["ls-files", "--others", "--exclude-standard", "-z"]).map_err(&failed)?) {
        // Taken out of the index and still there: git counts it as gone, its runner does not.
        changed.entry(git.root.join(path(file))).and_modify(|change| *change = Change::Edited).or_insert(Change::Added);
    }
    let base = listed(git, &tip).map_err(&failed)?;
    let before = if tip == point { base.clone() } else { listed(git, &point).map_err(&failed)? };
    let links = has_links(&before, &diff);
    let before = before.into_keys().collect();
    Ok(Changes { root: git.root.clone(), changed, before, base: Some(migrations(base)), merges: false, links, tree: None })
}

fn staged(git: Git, reference: Option<&str>) -> Result<Changes, Problem> {
    let root = git.root.clone();
    let failed = failed(&root);
    let directory = git.directory().map_err(&failed)?;
    let git = git.with_index_of_hook(&directory);
    let head = git.id("HEAD");
    let tip = reference.map(|reference| git.commit(reference)).transpose()?;
    let point = match (reference.zip(tip.as_ref()), &head) {
        (Some((reference, tip)), _) => Some(git.merge_base(tip, &git.commit("HEAD")?, reference)?),
        (None, head) => head.clone(),
    };
    let against = |commit: &[&str]| raw_diff(&git, &[&["--cached"], commit].concat()).map_err(&failed);
    // Where there is no commit yet, everything is new.
    let diff = against(point.as_deref().as_slice())?;
    let mut changed = changed(&git, &diff);
    let merged = merged(&directory);
    if reference.is_none() {
        // What a merge brings in as it is, somebody has judged where it was written.
        for other in &merged {
            let others = self::changed(&git, &against(&[other])?);
            changed.retain(|path, _| others.contains_key(path));
        }
    }
    let before = point.as_deref().map_or_else(|| Ok(HashMap::new()), |point| listed(&git, point)).map_err(&failed)?;
    let base = tip.map(|tip| listed(&git, &tip).map(migrations)).transpose().map_err(&failed)?;
    let (known, links) = (before.keys().cloned().collect(), has_links(&before, &diff));
    let tree = tree(git, before, &diff).map_err(&failed)?;
    Ok(Changes { root: root.clone(), changed, before: known, base, merges: !merged.is_empty(), links, tree: Some(tree) })
}

fn between(git: Git, from: &str, to: &str) -> Result<Changes, Problem> {
    let root = git.root.clone();
    let failed = failed(&root);
    let (tip, head) = (git.commit(from)?, git.commit(to)?);
    let point = git.merge_base(&tip, &head, from)?;
    let diff = raw_diff(&git, &[&point, &head]).map_err(&failed)?;
    let before = listed(&git, &point).map_err(&failed)?;
    let base = listed(&git, &tip).map(migrations).map_err(&failed)?;
    let changed = changed(&git, &diff);
    let (known, links) = (before.keys().cloned().collect(), has_links(&before, &diff));
    let tree = tree(git, before, &diff).map_err(&failed)?;
    Ok(Changes { root: root.clone(), changed, before: known, base: Some(base), merges: false, links, tree: Some(tree) })
}

/// The heads of a merge that the next commit ends.
fn merged(directory: &Path) -> Vec<String> {
    let heads = std::fs::read_to_string(directory.join("MERGE_HEAD")).unwrap_or_default();
    heads.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

fn raw_diff(git: &Git, what: &[&str]) -> Result<Vec<u8>, Refusal> {
    const HOW: [&str; 10] = [
        // A mode is nothing that a migration does, and a project's settings are about what people read.
        "-c",
        "diff.relative=false",
        "-c",
        "core.fileMode=false",
        "diff",
        "--raw",
        "-z",
        "--no-abbrev",
        "--no-renames",
        "--no-ext-diff",
    ];
    git.ask(&[&HOW[..], &["--ignore-submodules=none"], what, &["--"]].concat())
}

/// One line of `git diff --raw -z`: `:100644 100755 <id> <id> M`.
struct Line<'a> {
    old_mode: &'a str,
    new_mode: &'a str,
    old: &'a str,
    new: &'a str,
    status: &'a str,
}

fn lines(diff: &[u8]) -> impl Iterator<Item = (Line<'_>, PathBuf)> {
    let mut fields = list(diff);
    std::iter::from_fn(move || {
        let (head, file) = (fields.next()?, fields.next()?);
        let mut words = std::str::from_utf8(head).ok()?.trim_start_matches(':').split(' ');
        let mut word = || words.next().unwrap_or_default();
        let line = Line { old_mode: word(), new_mode: word(), old: word(), new: word(), status: word() };
        Some((line, path(file)))
    })
}

fn changed(git: &Git, diff: &[u8]) -> HashMap<PathBuf, Change> {
    let is_file = |mode: &str| mode.starts_with("100");
    let only_mode = |line: &Line<'_>| line.old == line.new && is_file(line.old_mode) && is_file(line.new_mode);
    let one = |(line, file): (Line<'_>, PathBuf)| {
        let change = match line.status {
            "A" => Change::Added,
            "D" => Change::Gone,
            _ => Change::Edited,
        };
        (git.root.join(file), change)
    };
    lines(diff).filter(|(line, _)| !only_mode(line)).map(one).collect()
}

/// The files of a commit, by absolute path.
fn listed(git: &Git, commit: &str) -> Result<HashMap<PathBuf, Blob>, Refusal> {
    let tree = git.ask(&["ls-tree", "-r", "-z", "--full-tree", commit])?;
    let one = |entry: &[u8]| {
        // `100644 blob <id>\t<path>`
        let tab = entry.iter().position(|byte| *byte == b'\t')?;
        let head = std::str::from_utf8(&entry[..tab]).ok()?;
        let (mode, id) = (head.split(' ').next()?, head.rsplit(' ').next()?);
        Some((git.root.join(path(&entry[tab + 1..])), Blob::new(mode, id)?))
    };
    Ok(list(&tree).filter_map(one).collect())
}

fn migrations(files: HashMap<PathBuf, Blob>) -> Vec<PathBuf> {
    files.into_keys().filter(|path| convention::read(path).is_some()).collect()
}

/// Whether a link among files, or one that a diff brings, is called as a migration is.
fn has_links(files: &HashMap<PathBuf, Blob>, diff: &[u8]) -> bool {
    let is_one = |path: &Path| convention::read(path).is_some();
    files.iter().any(|(path, blob)| matches!(blob, Blob::Link(_)) && is_one(path))
        || lines(diff).any(|(line, path)| line.new_mode == "120000" && is_one(&path))
}

/// The files of a commit with a diff put over them.
fn tree(git: Git, before: HashMap<PathBuf, Blob>, diff: &[u8]) -> Result<Tree, Refusal> {
    let (mut files, mut gone) = (before, HashSet::default());
    for (line, file) in lines(diff) {
        let file = git.root.join(file);
        let blob = match line.status {
            "D" => None,
            "U" => Some(Blob::Conflict),
            _ => Blob::new(line.new_mode, line.new),
        };
        match blob {
            Some(blob) => drop(files.insert(file, blob)),
            None => {
                files.remove(&file);
                gone.insert(file);
            }
        }
    }
    Tree::new(git, files, gone)
}
