//! What `init` sets up besides the config: a hook, a workflow, an editor.

use super::New;
use crate::problem::Problem;
use clap::ValueEnum;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;

/// Something to set up.
#[derive(Debug)]
pub(super) enum Offer {
    /// A hook that git starts.
    Hook,
    /// A workflow of GitHub.
    Workflow(Action),
    /// An editor.
    Editor(Editor),
}

/// How it is set up.
#[derive(Debug)]
pub(super) struct Plan {
    /// The file that does it, if a file can.
    pub new: Option<New>,
    /// What to do by hand if there is no such file, or if it is there already.
    pub words: String,
}

/// An editor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Editor {
    Vscode,
    Neovim,
    Zed,
    Helix,
}

/// The action of a repository: `OWNER/NAME@REF`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Action(String);

impl FromStr for Action {
    type Err = String;

    fn from_str(written: &str) -> Result<Self, String> {
        let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        let parts = written.split_once('@').and_then(|(repository, reference)| {
            let (owner, name) = repository.split_once('/')?;
            [owner, name, reference].into_iter().all(is_word).then_some(())
        });
        parts
            .map(|()| Self(written.to_owned()))
            .ok_or_else(|| "an action is written OWNER/NAME@REF, REF being a commit or a tag".to_owned())
    }
}

impl Action {
    /// That of the repository that this program comes from, in the version of this program.
    pub fn known() -> Option<Self> {
        let repository = env!("CARGO_PKG_REPOSITORY").strip_prefix("https://github.com/")?.trim_end_matches('/');
        format!("{repository}@v{}", env!("CARGO_PKG_VERSION")).parse().ok()
    }

    /// What to say where nobody knows it.
    pub fn missing() -> Problem {
        let help = "write `--workflow=OWNER/lockkeeper@COMMIT`: the repository that you have lockkeeper from, and the commit to take of it";
        Problem::new("init::action", "this build does not know where its action is").help(help)
    }
}

impl Offer {
    /// How it is set up here.
    pub fn plan(&self) -> Plan {
        match self {
            Self::Hook => hook(),
            Self::Workflow(action) => {
                let (path, text) = (PathBuf::from(".github/workflows/lockkeeper.yml"), workflow(action));
                Plan { words: text.clone(), new: Some(New { path, text, is_program: false }) }
            }
            Self::Editor(editor) => editor.plan(),
        }
    }
}

/// What the hook runs.
const STAGED: &str = "lockkeeper lint --staged";

/// The config of the pre-commit framework.
const FRAMEWORK: &str = ".pre-commit-config.yaml";

const FRAMEWORK_HOOK: &str = "repos:
  - repo: local
    hooks:
      - id: lockkeeper
        name: lockkeeper
        entry: lockkeeper lint --staged
        language: system
        pass_filenames: false
";

/// Where the framework has a config, it keeps git's own hook, so what belongs into that config is said; else git's own hook is written.
fn hook() -> Plan {
    if Path::new(FRAMEWORK).exists() {
        let new = New { path: FRAMEWORK.into(), text: FRAMEWORK_HOOK.to_owned(), is_program: false };
        return Plan { words: FRAMEWORK_HOOK.to_owned(), new: Some(new) };
    }
    let text =
        format!("#!/bin/sh\n# Judges the migrations that are about to be committed; `git commit --no-verify` passes by.\nexec {STAGED}\n");
    match hooks() {
        Some(folder) => Plan { words: format!("{STAGED}\n"), new: Some(New { path: folder.join("pre-commit"), text, is_program: true }) },
        None => Plan { words: format!("no git repository is here; a hook would run `{STAGED}`\n"), new: None },
    }
}

/// Where git looks for hooks.
fn hooks() -> Option<PathBuf> {
    let answer = Command::new("git").args(["rev-parse", "--git-path", "hooks"]).output().ok().filter(|output| output.status.success())?;
    Some(PathBuf::from(String::from_utf8(answer.stdout).ok()?.trim_end_matches(['\n', '\r'])))
}

fn workflow(action: &Action) -> String {
    format!(
        "# Written by `lockkeeper init --workflow`.
name: lockkeeper

on: pull_request

permissions:
  contents: read
  pull-requests: write # keeps one comment up to date; pull requests from forks have the annotations alone

jobs:
  lint:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
        with:
          fetch-depth: 0 # what a branch changes is found in its history
          persist-credentials: false
      - uses: {}
",
        action.0
    )
}

/// The manual on editors, of which each section begins with the name of one.
const MANUAL: &str = include_str!("../../../docs/editors.md");

impl Editor {
    /// The heading of its section, and the file of a project that its first block of code is.
    fn section(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Vscode => ("VS Code", None),
            Self::Neovim => ("Neovim", None),
            Self::Zed => ("Zed", Some(".zed/settings.json")),
            Self::Helix => ("Helix", Some(".helix/languages.toml")),
        }
    }

    fn plan(self) -> Plan {
        let (heading, path) = self.section();
        let after = MANUAL.split_once(&format!("\n## {heading}\n")).map_or("", |(_, after)| after);
        let words = after.split("\n## ").next().unwrap_or_default().trim().to_owned() + "\n";
        let code = words.split("```").nth(1).and_then(|block| block.split_once('\n')).map(|(_, code)| code.to_owned());
        let new = path.zip(code).map(|(path, text)| New { path: path.into(), text, is_program: false });
        Plan { new, words }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_has_a_section_for_each_editor() {
        for editor in Editor::value_variants() {
            let plan = editor.plan();
            assert!(plan.words.contains("lockkeeper"), "{editor:?}: {}", plan.words);
            assert_eq!(plan.new.is_some(), editor.section().1.is_some(), "{editor:?}");
        }
    }

    #[test]
    fn an_action_is_a_repository_and_a_reference_and_nothing_else() {
        assert!("shop/lockkeeper@v0.1.0".parse::<Action>().is_ok());
        for wrong in ["shop/lockkeeper", "lockkeeper@v1", "shop/lockkeeper@v1\n      - run: rm", "shop/lock keeper@v1", "../x@v1/y"] {
            assert!(wrong.parse::<Action>().is_err(), "{wrong}");
        }
    }
}
