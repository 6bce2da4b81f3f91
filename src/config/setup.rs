//! What every command needs first: the config and the rules.

use super::{Config, Level, nearest, non_empty};
use crate::problem::{Problem, did_you_mean, io_words};
use crate::rule::set::RuleSet;
use crate::text::SourceFile;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The config and the rules of a run, and what is wrong with them.
#[derive(Debug)]
pub struct Setup {
    /// The config; if it cannot be read, the default one.
    pub config: Config,
    /// The rules, each as the config wants it.
    pub rules: RuleSet,
    /// What is wrong with both.
    pub problems: Vec<Problem>,
    /// The files that were read, or would have been.
    pub files: Vec<PathBuf>,
}

/// Gives the text of a path.
pub type Texts<'a> = &'a dyn Fn(&Path) -> io::Result<Arc<SourceFile>>;

impl Setup {
    /// Reads the config that is named, or the nearest one above `start`, and the rules that it adds or changes.
    pub fn read(named: Option<&Path>, start: &Path) -> Self {
        Self::of(named.map(Path::to_owned).or_else(|| nearest(start)).as_deref(), &|path| SourceFile::read(path))
    }

    /// Reads the config at a path, if there is one, and the rules that it adds or changes. Folders are read on the disk.
    pub fn of(path: Option<&Path>, texts: Texts<'_>) -> Self {
        let mut problems = Vec::new();
        let mut files: Vec<_> = path.map(Path::to_owned).into_iter().collect();
        let config = path.map_or_else(|| Ok(Config::default()), |path| Config::read_from(path, texts(path)));
        let config = config.unwrap_or_else(|problem| {
            problems.push(problem);
            Config::default()
        });
        let mut rules = RuleSet::embedded();
        for folder in config.rule_paths() {
            add_folder(&folder, (&mut rules, texts), &mut problems, &mut files);
        }
        config.presets.iter().for_each(|preset| rules.turn_on_preset(*preset));
        for wanted in &config.rules {
            let severity = match wanted.level {
                Level::Off => None,
                Level::At(severity) => Some(severity),
            };
            if !rules.switch(&wanted.rule, severity) {
                let guess = did_you_mean(&wanted.rule, rules.names());
                let message = format!("there is no rule `{}`{guess}", wanted.rule);
                problems.push(config.override_problem(&wanted.rule, &message, "`lockkeeper rules` lists them all"));
            }
        }
        files.extend(config.stats_path());
        files.push(config.baseline_path());
        Self { config, rules, problems, files }
    }
}

/// Adds the rules of a folder of the project's own; one that is broken does not keep the others away.
fn add_folder(folder: &Path, (rules, texts): (&mut RuleSet, Texts<'_>), problems: &mut Vec<Problem>, files: &mut Vec<PathBuf>) {
    // Its time changes when a file of it comes or goes.
    files.push(folder.to_owned());
    let found = match yaml_files(folder) {
        Ok(files) => files,
        Err(error) => {
            let problem = Problem::new("config::rule-folder", io_words(&error)).help("it is named under `rule_folders:`");
            problems.push(problem.about(folder));
            return;
        }
    };
    if found.is_empty() {
        let problem = Problem::new("config::rule-folder", "there is no rule in this folder").help("looked for files that end in .yaml");
        problems.push(problem.about(folder));
    }
    for path in found {
        let added = texts(&path)
            .map_err(|error| Problem::new("rule::unreadable", io_words(&error)).about(&path))
            .and_then(|source| rules.add(source));
        problems.extend(added.err());
        files.push(path);
    }
}

fn yaml_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(non_empty(folder))?.collect::<Result<Vec<_>, _>>()?;
    let is_yaml = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
    let mut files: Vec<_> = entries.iter().map(std::fs::DirEntry::path).filter(is_yaml).collect();
    files.sort();
    Ok(files)
}
