//! `lint --since` and `lint --staged`: what git says is new, and what that means under the pre-commit framework.

use crate::config::{Config, non_empty};
use crate::discover::{Changes, Request, Scope, is_sql};
use crate::problem::Problem;
use clap::Args;
use std::path::{Path, PathBuf};

/// What is judged because it is new.
#[derive(Debug, Args)]
pub(super) struct ScopeArgs {
    /// Judge only what is new or different since HEAD and REF parted (a branch, tag or commit), committed or not; the rest is history.
    /// These files are one release: they are deployed together, before the code that needs them, and a table that one of them makes is
    /// nobody's yet. A file that REF has and that was edited or deleted is a finding
    #[arg(long, value_name = "REF", conflicts_with_all = ["release", "no_history", "stdin_path"])]
    since: Option<String>,
    /// Judge what `git commit` would take, as it is staged, whatever the files on disk say; what was committed before is history, and
    /// files that git does not have do not exist. Files that are named narrow it down. With --since REF: all that the branch would have
    /// then. For hooks, those of the pre-commit framework included: under its `--from-ref A --to-ref B` what B has and A has not is judged,
    /// and under `--all-files` every file that it names
    #[arg(long, conflicts_with_all = ["release", "no_history", "stdin_path", "fix"])]
    staged: bool,
}

impl ScopeArgs {
    /// Whether git is asked.
    pub fn is_told(&self) -> bool {
        self.staged || self.since.is_some()
    }

    /// Narrows a request down to what is new. `named` were the paths of the command line, `request.paths` are those, or the config's. Gives
    /// how many of them are none of the config's migrations.
    ///
    /// # Errors
    /// Git does not answer.
    pub fn narrow(&self, request: &mut Request, named: bool, config: &Config) -> Result<usize, Problem> {
        if !self.is_told() {
            return Ok(0);
        }
        let hook = Hook::around();
        let scope = match (&self.since, &hook) {
            (Some(since), _) if !self.staged => Scope::Since(since),
            (_, Some(Hook::Between(from, to))) => Scope::Between(from, to),
            (since, None | Some(Hook::Files)) => Scope::Staged(since.as_deref()),
        };
        let changes = Changes::of(scope, &directory_of(&request.paths))?;
        request.one_release = true;
        if !self.staged {
            request.changes = Some(changes);
            return Ok(0);
        }
        let mut elsewhere = 0;
        if named {
            // A hook names whatever is committed.
            request.paths.retain(|path| path.is_dir() || is_sql(path) || config.renders(path));
            let all = request.paths.len();
            request.paths.retain(|path| config.has_migration(path) || config.renders(path));
            elsewhere = all - request.paths.len();
        }
        if named && matches!(hook, Some(Hook::Files)) && !changes.is_merge() && request.paths.iter().any(|path| !changes.has(path)) {
            // `--all-files` and `--files`: the framework names what nobody has staged, and leaves the files on disk as they are.
            request.one_release = false;
            return Ok(elsewhere);
        }
        if !named && matches!(hook, Some(Hook::Files)) && changes.is_none() {
            // `--all-files`, where the hook is told to pass no names.
            request.one_release = false;
            return Ok(0);
        }
        if !named && changes.is_empty() {
            request.paths.clear();
        }
        request.changes = Some(changes);
        Ok(elsewhere)
    }
}

/// What the pre-commit framework says of the run that it has started.
enum Hook {
    /// The names of files: those that are staged, or those that somebody wants to see.
    Files,
    /// What lies between two revisions.
    Between(String, String),
}

impl Hook {
    fn around() -> Option<Self> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        variable("PRE_COMMIT")?;
        Some(match variable("PRE_COMMIT_FROM_REF").zip(variable("PRE_COMMIT_TO_REF")) {
            Some((from, to)) => Self::Between(from, to),
            None => Self::Files,
        })
    }
}

/// The directory of the first path that is there, or would be.
fn directory_of(paths: &[PathBuf]) -> PathBuf {
    let first = paths.iter().find(|path| path.exists()).or(paths.first()).map_or(Path::new(""), PathBuf::as_path);
    let directory = first.ancestors().find(|directory| non_empty(directory).is_dir());
    directory.map_or_else(PathBuf::new, Path::to_owned)
}
