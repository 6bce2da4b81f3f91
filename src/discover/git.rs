//! What git says has changed since a branch point: which files are new, edited or gone, and which the base branch has.
//!
//! The `git` program is asked, without a shell. Paths are read from lists that end each with a NUL byte, so that no name can be taken for two.

use super::convention;
use crate::problem::Problem;
use foldhash::{HashMap, HashMapExt};
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What has changed since a branch point, committed or not.
#[derive(Clone, Debug)]
pub struct Changes {
    /// The top of the working tree, links resolved.
    pub(super) root: PathBuf,
    /// By absolute path.
    pub(super) changed: HashMap<PathBuf, Change>,
    /// SQL files of the base branch as it is now, by absolute path.
    pub(super) base: Vec<PathBuf>,
}

/// What has become of a file since the branch point.
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

impl Changes {
    /// Asks git what is different in the working tree around `directory` from the commit at which HEAD and `reference` part. Files that
    /// git ignores count as unchanged.
    ///
    /// # Errors
    /// There is no git, no repository, no such revision, or no common commit.
    pub fn since(reference: &str, directory: &Path) -> Result<Self, Problem> {
        let here = Git { directory };
        let root = here.ask(&["rev-parse", "--show-toplevel"]).map_err(|refusal| refusal.problem(NO_REPOSITORY, directory))?;
        let root = path(root.strip_suffix(b"\n").unwrap_or(&root));
        let root = std::fs::canonicalize(&root).unwrap_or(root);
        let git = Git { directory: &root };
        let tip = git.commit(reference)?;
        let head = git.commit("HEAD")?;
        let point = git.ask(&["merge-base", &tip, &head]).map_err(|_| git.unrelated(reference))?;
        let point = String::from_utf8_lossy(&point).trim().to_owned();
        let failed = |refusal: Refusal| refusal.problem("git does not say what has changed", &root);
        let mut changed = HashMap::new();
        let diff = git
            .ask(&["-c", "diff.relative=false", "diff", "--name-status", "-z", "--no-renames", "--no-ext-diff", &point, "--"])
            .map_err(failed)?;
        let mut fields = list(&diff);
        while let (Some(status), Some(file)) = (fields.next(), fields.next()) {
            let change = match status {
                b"A" => Change::Added,
                b"D" => Change::Gone,
                _ => Change::Edited,
            };
            changed.insert(root.join(path(file)), change);
        }
        for file in list(&git.ask(&["ls-files", "--others", "--exclude-standard", "-z"]).map_err(failed)?) {
            // Taken out of the index and still there: git counts it as gone, its runner does not.
            changed.entry(root.join(path(file))).and_modify(|change| *change = Change::Edited).or_insert(Change::Added);
        }
        let tree = git.ask(&["ls-tree", "-r", "-z", "--name-only", "--full-tree", &tip]).map_err(failed)?;
        let base = list(&tree).map(|file| root.join(path(file))).filter(|file| convention::read(file).is_some()).collect();
        Ok(Self { root, changed, base })
    }
}

const NO_REPOSITORY: &str = "`--since` asks git what has changed, and there is no git repository here";

/// The git of a directory.
struct Git<'a> {
    directory: &'a Path,
}

/// Why git gave no answer.
enum Refusal {
    /// It could not be started.
    Start(io::Error),
    /// It ended with a failure: its own words.
    Failed(String),
}

impl Refusal {
    fn problem(self, message: &str, about: &Path) -> Problem {
        let problem = match self {
            Self::Start(error) if error.kind() == io::ErrorKind::NotFound => {
                Problem::new("since::git", "`--since` asks the program `git`, which is not installed")
            }
            Self::Start(error) => Problem::new("since::git", format!("`git` cannot be started: {error}")),
            Self::Failed(words) if words.is_empty() => Problem::new("since::git", message),
            Self::Failed(words) => Problem::new("since::git", message).help(format!("git says: {words}")),
        };
        problem.about(crate::config::non_empty(about))
    }
}

impl Git<'_> {
    fn ask(&self, arguments: &[&str]) -> Result<Vec<u8>, Refusal> {
        let mut command = Command::new("git");
        command.current_dir(crate::config::non_empty(self.directory)).args(arguments).stdin(Stdio::null());
        // A hook's environment may point to another repository, or to an index of its own. Asking is no reason to lock anything.
        for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"] {
            command.env_remove(variable);
        }
        command.env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C");
        let output = command.output().map_err(Refusal::Start)?;
        match output.status.success() {
            true => Ok(output.stdout),
            false => Err(Refusal::Failed(String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default().to_owned())),
        }
    }

    /// The id of the commit that a revision leads to.
    fn commit(&self, revision: &str) -> Result<String, Problem> {
        // Git would take it for an option, and no branch can be called so.
        let is_name = !revision.is_empty() && !revision.starts_with('-');
        let found = match is_name {
            true => self.ask(&["rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")]).ok(),
            false => None,
        };
        found.map(|id| String::from_utf8_lossy(&id).trim().to_owned()).ok_or_else(|| self.unknown(revision))
    }

    fn unknown(&self, revision: &str) -> Problem {
        let problem = match revision {
            "HEAD" => Problem::new("since::revision", "this repository has no commit yet"),
            _ => Problem::new("since::revision", format!("git knows no commit `{revision}` here")),
        };
        let help = match self.is_shallow() {
            true => UNSHALLOW,
            false => "`--since` takes a branch, a tag or a commit: `--since origin/main`; `git fetch` brings what is not here yet",
        };
        problem.help(help).about(self.directory)
    }

    fn unrelated(&self, revision: &str) -> Problem {
        let problem = Problem::new("since::revision", format!("HEAD and `{revision}` have no commit in common here"));
        match self.is_shallow() {
            true => problem.help(UNSHALLOW).about(self.directory),
            false => problem.about(self.directory),
        }
    }

    fn is_shallow(&self) -> bool {
        self.ask(&["rev-parse", "--is-shallow-repository"]).is_ok_and(|answer| answer.trim_ascii() == b"true")
    }
}

const UNSHALLOW: &str = "this clone is shallow: `git fetch --unshallow` brings the rest (in GitHub's actions/checkout: `fetch-depth: 0`)";

/// The fields of a list in which each ends with a NUL byte.
fn list(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == 0).filter(|field| !field.is_empty())
}

#[cfg(unix)]
fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(<OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes))
}

#[cfg(not(unix))]
fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::new(&*String::from_utf8_lossy(bytes)))
}
