//! `init --from`: the config of another linter, said in our words. What has no words here is said too: in the config, and to whoever asks.

mod eugene;
mod migration_pilot;
mod pg_migration_lint;
mod pgfence;
mod squawk;

use super::draft::Draft;
use crate::model::effects::Version;
use crate::problem::{Problem, io_words};
use crate::rule::linter::{Linter, TheirRule};
use crate::rule::node::{self, Fault, Node, What};
use crate::rule::set::RuleSet;
use crate::rule::toml;
use crate::text::SourceFile;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The code of what is wrong with another linter's config.
const CODE: &str = "init::theirs";

/// Reads a config into the draft.
type Read = fn(&Node, &mut Translation<'_>) -> Result<(), Fault>;

/// Where the config of a linter stands.
enum Home {
    /// In the first of these files.
    Files(&'static [&'static str], Read),
    /// On the command lines that start it.
    CommandLines(fn(&Path, &mut Translation<'_>) -> Result<(), Problem>),
}

/// A linter whose config can be read.
pub(super) struct Source {
    /// Its name, as `--from` takes it.
    pub word: &'static str,
    home: Home,
}

/// One row for each.
pub(super) const SOURCES: &[Source] = &[
    Source { word: "squawk", home: Home::Files(&[".squawk.toml"], squawk::read) },
    Source { word: "eugene", home: Home::CommandLines(eugene::read) },
    Source { word: "pg-migration-lint", home: Home::Files(&["pg-migration-lint.toml"], pg_migration_lint::read) },
    Source { word: "pgfence", home: Home::Files(&[".pgfence.toml", ".pgfence.json"], pgfence::read) },
    Source {
        word: "migrationpilot",
        home: Home::Files(
            &[".migrationpilotrc.yml", ".migrationpilotrc.yaml", "migrationpilot.config.yml", "migrationpilot.config.yaml"],
            migration_pilot::read,
        ),
    },
];

impl Source {
    /// Its config in a directory, if there is one to be seen.
    pub fn seen(&self, directory: &Path) -> Option<PathBuf> {
        match self.home {
            Home::Files(names, _) => names.iter().map(|name| directory.join(name)).find(|path| path.is_file()),
            Home::CommandLines(_) => None,
        }
    }

    /// Translates its config.
    ///
    /// # Errors
    /// There is none, or what is wrong with it, at its place.
    pub fn translate(&self, directory: &Path, draft: &mut Draft) -> Result<(), Problem> {
        let linter = Linter::find(self.word).ok_or_else(|| Problem::new(CODE, format!("`{}` is not known", self.word)))?;
        let mut translation = Translation { linter, rules: RuleSet::embedded(), draft };
        match self.home {
            Home::CommandLines(read) => read(directory, &mut translation),
            Home::Files(names, read) => {
                let Some(path) = self.seen(directory) else {
                    let message = format!("there is no config of {} here", linter.name);
                    return Err(Problem::new(CODE, message).help(format!("looked for {}", names.join(", "))));
                };
                let source = SourceFile::read(&path).map_err(|error| Problem::new(CODE, io_words(&error)).about(&path))?;
                translation.draft.from.push(path.display().to_string());
                translation.read(&source, read)
            }
        }
    }
}

/// A config on its way into the draft.
struct Translation<'d> {
    linter: &'static Linter,
    /// Our rules.
    rules: RuleSet,
    draft: &'d mut Draft,
}

impl Translation<'_> {
    fn read(&mut self, source: &Arc<SourceFile>, read: Read) -> Result<(), Problem> {
        let is_toml = source.path().extension().is_some_and(|ending| ending == "toml");
        match is_toml {
            true => toml::read(source, CODE, |root| read(root, self)),
            // JSON is YAML.
            false => node::read(source, CODE, |root| if root.what == What::Null { Ok(()) } else { read(root, self) }),
        }
    }

    /// Notes what cannot be translated.
    fn untold(&mut self, what: impl Into<String>) {
        self.draft.untold.push(what.into());
    }

    /// Notes keys that are not translated, each with the reason. A value may be a secret, so it is not repeated.
    fn untold_keys(&mut self, entries: &[(Node, Node)], why: &[(&str, &str)]) -> Result<(), Fault> {
        for (key, _) in entries {
            let key = key.text()?;
            if let Some((_, why)) = why.iter().find(|(known, _)| *known == key) {
                self.untold(format!("{key}: {why}"));
            }
        }
        Ok(())
    }

    /// The major version of the server, if it is one that is judged for, else the nearest one.
    fn postgres(&mut self, key: &Node, written: &str) -> Result<(), Fault> {
        let major: u8 = written
            .split('.')
            .next()
            .and_then(|major| major.trim().parse().ok())
            .ok_or_else(|| key.fault(format!("`{written}` is no version of PostgreSQL")))?;
        let judged = major.clamp(Version::OLDEST.0, Version::NEWEST.0);
        if judged != major {
            let (oldest, newest) = (Version::OLDEST.0, Version::NEWEST.0);
            self.untold(format!("PostgreSQL {major}: {judged} is judged for, since lockkeeper knows {oldest} to {newest}"));
        }
        self.draft.set("postgres", judged.to_string(), format!("{}: {written}", self.linter.name));
        Ok(())
    }

    /// The rules of the linter that a list names.
    fn named(&self, list: &Node) -> Result<BTreeSet<&'static str>, Fault> {
        let mut named = BTreeSet::new();
        for item in list.items() {
            let word = item.text()?;
            let before = named.len();
            let ids: Vec<_> = self.linter.named(word).map(|rule| rule.id).collect();
            named.extend(&ids);
            if ids.is_empty() && named.len() == before {
                let near = crate::problem::did_you_mean(word, self.linter.words());
                return Err(item.fault(format!("{} has no rule `{word}`{near}", self.linter.name)));
            }
        }
        Ok(named)
    }

    /// Turns off what the linter does not say. A rule of ours is off when all rules of theirs are that say the same.
    fn turn_off(&mut self, off: &BTreeSet<&'static str>) {
        for theirs in self.linter.rules.iter().filter(|rule| off.contains(rule.id)) {
            if let Some(why) = theirs.without {
                self.untold(format!("{} is off: it has no counterpart here ({why})", theirs.id));
            }
            for id in self.counterparts(theirs) {
                let all: Vec<_> = self.theirs(&id).collect();
                let on: Vec<_> = all.iter().copied().filter(|theirs| !off.contains(theirs)).collect();
                if on.is_empty() {
                    self.draft.rule(&id, "off", format!("{}: {}", self.linter.name, all.join(", ")));
                } else {
                    self.untold(format!(
                        "{} is off: `{id}` says the same, and says what {} says too, so it stays on",
                        theirs.id,
                        on.join(", ")
                    ));
                }
            }
        }
    }

    /// Turns on what the linter says of its own accord, and here only who is asked.
    fn turn_on(&mut self, on: impl Fn(&TheirRule) -> bool) {
        for theirs in self.linter.rules.iter().filter(|rule| on(rule)) {
            for id in self.counterparts(theirs) {
                let entry = self.rules.find(&id).and_then(|entry| entry.rule().ok());
                if let Some(severity) = entry.filter(|rule| rule.opt_in).map(|rule| rule.severity) {
                    self.draft.rule(&id, severity, format!("{} is on in {}", theirs.id, self.linter.name));
                }
            }
        }
    }

    fn counterparts(&self, theirs: &TheirRule) -> Vec<String> {
        theirs.counterparts(&self.rules).map(|entry| entry.id.clone()).collect()
    }

    /// The rules of the linter that say what one of ours says.
    fn theirs<'s>(&'s self, id: &'s str) -> impl Iterator<Item = &'static str> + 's {
        self.linter.rules.iter().filter(move |theirs| theirs.counterparts(&self.rules).any(|entry| entry.id == id)).map(|theirs| theirs.id)
    }

    /// A pattern of paths in which `*` does not stop at a slash, in our words, where it does.
    fn exclude(&mut self, pattern: &str) {
        let why = format!("{}: {pattern}", self.linter.name);
        let everywhere: Vec<_> = pattern
            .split('/')
            .map(|part| if part.starts_with('*') && part != "**" { format!("**/{part}") } else { part.to_owned() })
            .collect();
        self.draft.add("exclude", &everywhere.join("/"), why);
        if pattern.split('/').any(|part| part.trim_start_matches('*').contains('*')) {
            self.untold(format!("exclude {pattern}: there `*` crosses slashes, here only `**` does"));
        }
    }
}
