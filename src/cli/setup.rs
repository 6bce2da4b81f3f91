//! What every command needs first: the config and the rules.

use crate::config::{Config, Level, non_empty};
use crate::problem::{Problem, did_you_mean, io_words};
use crate::rule::set::RuleSet;
use crate::text::SourceFile;
use std::path::{Path, PathBuf};

/// The config and the rules of a run, and what is wrong with them.
pub(super) struct Setup {
    pub config: Config,
    pub rules: RuleSet,
    pub problems: Vec<Problem>,
}

impl Setup {
    /// Reads the config that is named, or the nearest one above `start`, and the rules that it adds or changes.
    pub fn read(named: Option<&Path>, start: &Path) -> Self {
        let mut problems = Vec::new();
        let config = match named {
            Some(path) => Config::read(path),
            None => Config::find(start),
        };
        let config = config.unwrap_or_else(|problem| {
            problems.push(problem);
            Config::default()
        });
        let mut rules = RuleSet::embedded();
        for folder in config.rule_paths() {
            add_folder(&folder, &mut rules, &mut problems);
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
        Self { config, rules, problems }
    }
}

/// Adds the rules of a folder of the project's own; one that is broken does not keep the others away.
fn add_folder(folder: &Path, rules: &mut RuleSet, problems: &mut Vec<Problem>) {
    let files = match yaml_files(folder) {
        Ok(files) => files,
        Err(error) => {
            let problem = Problem::new("config::rule-folder", io_words(&error)).help("it is named under `rule_folders:`");
            problems.push(problem.about(folder));
            return;
        }
    };
    if files.is_empty() {
        let problem = Problem::new("config::rule-folder", "there is no rule in this folder").help("looked for files that end in .yaml");
        problems.push(problem.about(folder));
    }
    for path in files {
        let added = SourceFile::read(&path)
            .map_err(|error| Problem::new("rule::unreadable", io_words(&error)).about(&path))
            .and_then(|source| rules.add(source));
        problems.extend(added.err());
    }
}

fn yaml_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(non_empty(folder))?.collect::<Result<Vec<_>, _>>()?;
    let is_yaml = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml");
    let mut files: Vec<_> = entries.iter().map(std::fs::DirEntry::path).filter(is_yaml).collect();
    files.sort();
    Ok(files)
}
