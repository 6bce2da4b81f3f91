//! The program `git`: where it finds a repository, what it answers, and what it has of a file.
//!
//! It is asked without a shell. Paths are read from lists that end each with a NUL byte, so that no name can be taken for two.

use crate::config::{non_empty, resolved};
use crate::problem::Problem;
use foldhash::{HashMap, HashMapExt};
use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The git of a repository with a working tree.
#[derive(Clone, Debug)]
pub(super) struct Git {
    /// The top of the working tree, links resolved.
    pub root: PathBuf,
    /// What it has to be told so that it finds that, and which index it is to read.
    environment: Vec<(&'static str, PathBuf)>,
}

/// Why git gave no answer.
pub(super) enum Refusal {
    /// It could not be started.
    Start(io::Error),
    /// It ended with a failure: its own words.
    Failed(String),
}

impl Refusal {
    pub fn problem(self, message: &str, about: &Path) -> Problem {
        let problem = match self {
            Self::Start(error) if error.kind() == io::ErrorKind::NotFound => {
                Problem::new("git::missing", "this asks the program `git`, which is not installed")
            }
            Self::Start(error) => Problem::new("git::missing", format!("`git` cannot be started: {error}")),
            Self::Failed(words) if words.is_empty() => Problem::new("git::failed", message),
            Self::Failed(words) => Problem::new("git::failed", message).help(format!("git says: {words}")),
        };
        problem.about(non_empty(about))
    }
}

/// What a hook's environment says of the repository that it was started for.
const OF_HOOK: [&str; 4] = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"];

impl Git {
    /// The repository around a directory. What a hook's environment says may be another one's, and is not complete: git asks in its light only
    /// where the directory alone leads nowhere, or where the working tree is told.
    ///
    /// # Errors
    /// There is no git, or no repository.
    pub fn around(directory: &Path) -> Result<Self, Problem> {
        let plain = Self::locate(command(&non_empty(directory)), Vec::new());
        let variable = |name: &'static str| Some((name, std::path::absolute(std::env::var_os(name)?).ok()?));
        let told = || {
            let (tree, repository) = (variable("GIT_WORK_TREE"), variable("GIT_DIR")?);
            if tree.is_none() && plain.is_ok() {
                return None;
            }
            let mut environment = vec![repository];
            environment.extend(tree);
            let mut asked = command(Path::new("."));
            asked.envs(environment.iter().cloned());
            Self::locate(asked, environment).ok().filter(|git| resolved(directory).starts_with(&git.root))
        };
        match told() {
            Some(git) => Ok(git),
            None => {
                plain.map_err(|refusal| refusal.problem("git is asked what has changed, and there is no git repository here", directory))
            }
        }
    }

    fn locate(mut asked: Command, environment: Vec<(&'static str, PathBuf)>) -> Result<Self, Refusal> {
        asked.args(["rev-parse", "--show-toplevel"]);
        let root = line(&output(asked)?);
        Ok(Self { root: std::fs::canonicalize(&root).unwrap_or(root), environment })
    }

    /// Where git keeps what it knows of this working tree.
    ///
    /// # Errors
    /// Git does not say.
    pub fn directory(&self) -> Result<PathBuf, Refusal> {
        self.ask(&["rev-parse", "--absolute-git-dir"]).map(|directory| line(&directory))
    }

    /// The same with the index that the hook was started with, in which `git commit FILE` and `git commit -a` put together what they commit.
    /// `directory`: see [`Git::directory`].
    #[must_use]
    pub fn with_index_of_hook(mut self, directory: &Path) -> Self {
        let Some(index) = std::env::var_os("GIT_INDEX_FILE").filter(|index| !index.is_empty()) else { return self };
        let index = self.root.join(index);
        let beside = index.parent().map(resolved).unwrap_or_default();
        // Where a hook has gone on to another repository, the variable still is the first one's.
        let is_of_another = beside != resolved(directory) && beside.join("HEAD").is_file();
        if index.is_file() && !is_of_another {
            self.environment.push(("GIT_INDEX_FILE", index));
        }
        self
    }

    pub fn ask<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<Vec<u8>, Refusal> {
        let mut asked = self.command();
        asked.args(arguments);
        output(asked)
    }

    fn command(&self) -> Command {
        let mut command = command(&self.root);
        command.envs(self.environment.iter().cloned());
        command
    }

    /// The id of the commit that a revision leads to.
    ///
    /// # Errors
    /// There is none.
    pub fn commit(&self, revision: &str) -> Result<String, Problem> {
        self.id(revision).ok_or_else(|| self.unknown(revision))
    }

    /// The same, if there is one.
    pub fn id(&self, revision: &str) -> Option<String> {
        // Git would take it for an option, and no branch can be called so.
        let is_name = !revision.is_empty() && !revision.starts_with('-');
        let id = is_name.then(|| self.ask(&["rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")]).ok())??;
        Some(String::from_utf8_lossy(&id).trim().to_owned())
    }

    fn unknown(&self, revision: &str) -> Problem {
        let problem = match revision {
            "HEAD" => Problem::new("git::revision", "this repository has no commit yet"),
            _ => Problem::new("git::revision", format!("git knows no commit `{revision}` here")),
        };
        let help = match self.is_shallow() {
            true => UNSHALLOW,
            false => "`--since` takes a branch, a tag or a commit: `--since origin/main`; `git fetch` brings what is not here yet",
        };
        problem.help(help).about(&self.root)
    }

    /// The commit at which two part.
    ///
    /// # Errors
    /// They have none in common.
    pub fn merge_base(&self, tip: &str, head: &str, shown: &str) -> Result<String, Problem> {
        let base = self.ask(&["merge-base", tip, head]).map_err(|_| {
            let problem = Problem::new("git::revision", format!("HEAD and `{shown}` have no commit in common here")).about(&self.root);
            if self.is_shallow() { problem.help(UNSHALLOW) } else { problem }
        })?;
        Ok(String::from_utf8_lossy(&base).trim().to_owned())
    }

    fn is_shallow(&self) -> bool {
        self.ask(&["rev-parse", "--is-shallow-repository"]).is_ok_and(|answer| answer.trim_ascii() == b"true")
    }

    /// The bytes of blobs by their ids, from one process. What it does not have is not among them.
    pub fn blobs(&self, ids: &[String]) -> Result<HashMap<String, Vec<u8>>, Refusal> {
        let mut blobs = HashMap::with_capacity(ids.len());
        if ids.is_empty() {
            return Ok(blobs);
        }
        let mut command = self.command();
        command.args(["cat-file", "--batch"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(Refusal::Start)?;
        let (Some(mut questions), Some(answers)) = (child.stdin.take(), child.stdout.take()) else { return Ok(blobs) };
        let asked = ids.join("\n") + "\n";
        let read = std::thread::scope(|scope| {
            // Whoever writes all questions first waits for ever where the answers fill the pipe.
            scope.spawn(move || drop(questions.write_all(asked.as_bytes())));
            read_blobs(BufReader::with_capacity(64 * 1024, answers), ids, &mut blobs)
        });
        let ended = child.wait().map_err(Refusal::Start)?;
        match read {
            Ok(()) if ended.success() => Ok(blobs),
            Ok(()) => Err(Refusal::Failed("`git cat-file` ended with a failure".to_owned())),
            Err(error) => Err(Refusal::Failed(error.to_string())),
        }
    }
}

const UNSHALLOW: &str = "this clone is shallow: `git fetch --unshallow` brings the rest (in GitHub's actions/checkout: `fetch-depth: 0`)";

/// Reads `<id> blob <size>\n<bytes>\n` for each id; what is missing is answered by `<id> missing`.
fn read_blobs(mut answers: impl BufRead, ids: &[String], blobs: &mut HashMap<String, Vec<u8>>) -> io::Result<()> {
    for id in ids {
        let mut head = String::new();
        answers.read_line(&mut head)?;
        let size = head.trim_end().rsplit_once(' ').and_then(|(_, size)| size.parse::<usize>().ok());
        let Some(size) = size else {
            if head.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            continue;
        };
        if size >= u32::MAX as usize {
            io::copy(&mut answers.by_ref().take(size as u64 + 1), &mut io::sink())?;
            continue;
        }
        let mut bytes = Vec::new();
        answers.by_ref().take(size as u64 + 1).read_to_end(&mut bytes)?;
        if bytes.len() != size + 1 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes.truncate(size);
        blobs.insert(id.clone(), bytes);
    }
    Ok(())
}

/// Git in a directory, whoever may have started this program.
fn command(directory: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(directory).stdin(Stdio::null());
    for variable in OF_HOOK {
        command.env_remove(variable);
    }
    // Asking is no reason to lock anything.
    command.env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C");
    command
}

fn output(mut command: Command) -> Result<Vec<u8>, Refusal> {
    let output = command.output().map_err(Refusal::Start)?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(Refusal::Failed(String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default().to_owned())),
    }
}

/// The path in an answer of one line.
fn line(answer: &[u8]) -> PathBuf {
    path(answer.strip_suffix(b"\n").unwrap_or(answer))
}

/// The fields of a list in which each ends with a NUL byte.
pub(super) fn list(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == 0).filter(|field| !field.is_empty())
}

#[cfg(unix)]
pub(super) fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(<OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes))
}

#[cfg(not(unix))]
pub(super) fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(&*String::from_utf8_lossy(bytes))
}
