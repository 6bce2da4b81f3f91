//! eugene has no config: what it is told stands on the command lines that start it, in workflows, hooks and makefiles.

use super::{CODE, Translation};
use crate::problem::Problem;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Where a project starts its tools.
const PLACES: &[&str] = &[
    ".gitlab-ci.yml",
    ".pre-commit-config.yaml",
    "bitbucket-pipelines.yml",
    "azure-pipelines.yml",
    "Makefile",
    "justfile",
    "Justfile",
    "mise.toml",
    "package.json",
    ".circleci/config.yml",
];
const WORKFLOWS: &str = ".github/workflows";

/// Options that take a word, and what becomes of them.
const UNTOLD: &[(&[&str], &str)] = &[
    (&["-v", "--var"], "placeholders are not filled in"),
    (&["-f", "--format"], "`lockkeeper lint --format` says it"),
    (&["-g", "--git-diff"], "`lockkeeper lint --since` takes it"),
    (&["--sort-mode"], "the order is that of the tool that runs the files"),
    (&["--skip"], "statements are never left out; `exclude:` leaves out files, a comment allows a finding"),
];
const IGNORE: &[&str] = &["-i", "--ignore"];

pub(super) fn read(directory: &Path, translation: &mut Translation<'_>) -> Result<(), Problem> {
    let mut off = BTreeSet::new();
    let mut found = false;
    for path in places(directory) {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        // A command goes on behind a backslash.
        let joined = text.replace("\\\n", " ");
        let lines =
            joined.lines().flat_map(|line| ["eugene lint", "eugene trace"].into_iter().filter_map(|start| Some(line.split_once(start)?.1)));
        let lines: Vec<_> = lines.collect();
        if !lines.is_empty() {
            found = true;
            translation.draft.from.push(format!("{}, which starts eugene", path.display()));
        }
        lines.iter().for_each(|line| command_line(line, translation, &mut off));
    }
    if !found {
        let help =
            format!("eugene has no config of its own; looked for `eugene lint` and `eugene trace` in {WORKFLOWS}, {}", PLACES.join(", "));
        return Err(Problem::new(CODE, "nothing here starts eugene").help(help));
    }
    translation.turn_off(&off);
    translation.turn_on(|rule| !off.contains(rule.id));
    Ok(())
}

fn places(directory: &Path) -> Vec<PathBuf> {
    let workflows = std::fs::read_dir(directory.join(WORKFLOWS)).into_iter().flatten().flatten();
    let mut places: Vec<_> = workflows.map(|entry| directory.join(WORKFLOWS).join(entry.file_name())).collect();
    places.sort();
    places.extend(PLACES.iter().map(|place| directory.join(place)).filter(|place| place.is_file()));
    places
}

/// What stands behind `eugene lint`.
fn command_line(line: &str, translation: &mut Translation<'_>, off: &mut BTreeSet<&'static str>) {
    let unquoted = |word: &str| word.trim_matches(['"', '\'', ',']).to_owned();
    let mut words = line.split_whitespace().take_while(|word| !["&&", "||", "|", ";", ">", "#"].contains(word)).map(unquoted);
    while let Some(word) = words.next() {
        let (option, mut value) = match word.split_once('=') {
            Some((option, value)) if option.starts_with("--") => (option.to_owned(), Some(value.to_owned())),
            _ => (word.clone(), None),
        };
        if IGNORE.contains(&option.as_str()) {
            let Some(id) = value.take().or_else(|| words.next()) else { continue };
            let ids: Vec<_> = translation.linter.named(&id).map(|rule| rule.id).collect();
            if ids.is_empty() {
                translation.untold(format!("--ignore {id}: eugene has no such hint"));
            }
            off.extend(ids);
        } else if let Some((names, why)) = UNTOLD.iter().find(|(names, _)| names.contains(&option.as_str())) {
            if value.is_none() {
                words.next();
            }
            translation.untold(format!("{}: {why}", names.last().copied().unwrap_or_default()));
        } else if option.starts_with('-') {
            translation.untold(format!("{option}: it says nothing about rules"));
        } else if directory_of(&option).is_some_and(|path| Path::new(&path).exists()) {
            translation.draft.add("migrations", &directory_of(&option).unwrap_or_default(), "eugene: on its command line");
        } else {
            translation.untold(format!("`{option}`: no such path is here"));
        }
    }
}

/// The part of a path before a pattern.
fn directory_of(path: &str) -> Option<String> {
    let parts: Vec<_> = path.trim_start_matches("./").split('/').take_while(|part| !part.contains(['*', '$'])).collect();
    Some(parts.join("/")).filter(|path| !path.is_empty())
}
