//! Where a history begins, if the config of its tool says that: several folders may be one history, one may be several, and a list may say
//! which files run in which order.

use super::{Tool, changelog, detect, settings};
use crate::config::non_empty;
use crate::discover::convention::{self, Form, Named, Purpose, parent};
use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

/// What a tool's own files say of a history.
#[derive(Debug, Default)]
pub(crate) struct Base {
    /// Whose.
    pub tool: Option<Tool>,
    /// The directory by which the history goes.
    pub directory: PathBuf,
    /// All directories in which its files may lie.
    pub roots: Vec<PathBuf>,
    /// The files that are run, with their places; `None`: their names tell.
    pub listed: Option<HashMap<PathBuf, usize>>,
    /// How many changes its lists make themselves, in words that are no SQL.
    pub changesets: usize,
    /// What Flyway is told.
    pub flyway: Flyway,
}

/// What Flyway is told for all files.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Flyway {
    /// A file may hold both what runs in a transaction and what does not; then none of it does.
    pub mixed: bool,
    /// All new files share one transaction.
    pub group: bool,
}

/// How far above its files the config of a tool may lie.
const LEVELS: usize = 5;

/// Looks for what says where the history of a file begins. `history`: the directory that it would be by its name alone. `told`: the tool that
/// the config names; the list of another one is a leftover, and says nothing of what is run.
pub(in crate::discover) fn look(history: &Path, form: Form, told: Option<Tool>) -> Option<Base> {
    let counts = |tool: Tool| told.is_none_or(|told| told == tool);
    let list = |tool: Tool, read: fn(&Path) -> Option<Base>| counts(tool).then(|| read(history)).flatten();
    match form {
        Form::Prefixed => refinery(history).or_else(|| flyway(history)).or_else(|| nested(history)),
        Form::Numbered | Form::Unnumbered | Form::NumberedFolder => {
            let first = list(Tool::Sqitch, sqitch).or_else(|| supabase(history));
            first.or_else(|| list(Tool::Drizzle, journal)).or_else(|| list(Tool::Liquibase, liquibase))
        }
        Form::UpAndDown | Form::FolderWithUp | Form::FolderWithMigration => None,
    }
}

impl Base {
    /// What the name of a file means here; `None`: as it stands. A file that only checks another one is told by its purpose.
    pub(in crate::discover) fn named(&self, path: &Path, named: Named) -> Named {
        match self.tool {
            Some(Tool::Sqitch) => self.sqitch_named(path, named),
            Some(Tool::Supabase) => Named { purpose: Purpose::Aside, ..named },
            Some(Tool::Liquibase | Tool::Drizzle) if !self.lists(path) => named,
            // `U` is for those that need not come behind all others.
            Some(Tool::Refinery) => Named { history: self.directory.clone(), purpose: Purpose::Up, ..named },
            _ => Named { history: self.directory.clone(), ..named },
        }
    }

    fn lists(&self, path: &Path) -> bool {
        self.listed.as_ref().is_some_and(|listed| listed.contains_key(path))
    }

    /// The place of a file among those that are run.
    pub fn place(&self, path: &Path) -> Option<usize> {
        self.listed.as_ref()?.get(path).copied()
    }

    /// A change is called by its path below `deploy`, `revert` or `verify`.
    fn sqitch_named(&self, path: &Path, named: Named) -> Named {
        let project = parent(&self.directory);
        let Some((purpose, below)) =
            SQITCH.iter().find_map(|(folder, purpose)| Some((purpose, path.strip_prefix(project.join(folder)).ok()?)))
        else {
            return named;
        };
        let name = below.with_extension("").to_string_lossy().into_owned();
        Named { history: self.directory.clone(), version: None, name, purpose: *purpose, ..named }
    }
}

/// The folders of sqitch (App::Sqitch::Target: deploy_dir, revert_dir, verify_dir), and what lies in them.
const SQITCH: &[(&str, Purpose)] = &[("deploy", Purpose::Up), ("revert", Purpose::Down), ("verify", Purpose::Aside)];

/// What lies beside Supabase's config is no migration; those have a folder.
fn supabase(history: &Path) -> Option<Base> {
    let is_it = history.ends_with("supabase") && history.join("config.toml").is_file();
    is_it.then(|| Base { tool: Some(Tool::Supabase), directory: history.to_owned(), ..Base::default() })
}

/// A folder of sqitch with the plan beside it.
fn sqitch(history: &Path) -> Option<Base> {
    let is_folder = |path: &&Path| path.file_name().is_some_and(|name| SQITCH.iter().any(|(folder, _)| name == *folder));
    let (project, plan) = history.ancestors().filter(is_folder).find_map(|folder| {
        let project = parent(folder);
        Some((project.clone(), std::fs::read_to_string(project.join("sqitch.plan")).ok()?))
    })?;
    let deploy = project.join("deploy");
    let files = planned(&plan).into_iter().map(|change| change.file(&deploy));
    let roots = SQITCH.iter().map(|(folder, _)| project.join(folder)).collect();
    Some(Base { tool: Some(Tool::Sqitch), roots, listed: Some(places(files)), directory: deploy, ..Base::default() })
}

fn places(files: impl Iterator<Item = PathBuf>) -> HashMap<PathBuf, usize> {
    files.enumerate().map(|(at, path)| (path, at)).collect()
}

/// A change of a plan.
#[derive(Debug, PartialEq, Eq)]
struct Change<'p> {
    name: &'p str,
    /// The tags between it and the place where it is planned again.
    tags: Vec<&'p str>,
}

impl Change<'_> {
    /// Once it is planned again, its file has one of the tags in between in its name: the first that there is
    /// (App::Sqitch::Plan::Change: path_segments).
    fn file(&self, deploy: &Path) -> PathBuf {
        let name = |tag: &str| deploy.join(format!("{}{tag}.sql", self.name));
        let mut names = self.tags.iter().map(|tag| name(tag));
        names.find(|path| path.is_file()).unwrap_or_else(|| name(self.tags.first().unwrap_or(&"")))
    }
}

/// The changes of a plan in their order.
fn planned(plan: &str) -> Vec<Change<'_>> {
    fn entry(line: &str) -> Option<&str> {
        let line = line.split('#').next().unwrap_or_default().trim().trim_start_matches('+').trim_start();
        line.split_whitespace().next().filter(|word| !word.starts_with(['%', '-']))
    }
    let entries: Vec<_> = plan.lines().filter_map(entry).collect();
    let mut changes = Vec::new();
    for (at, name) in entries.iter().enumerate().filter(|(_, entry)| !entry.starts_with('@')) {
        let later = &entries[at + 1..];
        // The tags behind the last time say nothing of its file.
        let again = later.iter().position(|entry| entry == name).unwrap_or(0);
        changes.push(Change { name, tags: later[..again].iter().copied().filter(|entry| entry.starts_with('@')).collect() });
    }
    changes
}

/// Drizzle's journal (drizzle-orm, migrator.ts: readMigrationFiles).
fn journal(history: &Path) -> Option<Base> {
    let text = std::fs::read_to_string(non_empty(history).join("meta/_journal.json")).ok()?;
    let journal: serde_json::Value = serde_json::from_str(&text).ok()?;
    let tags = journal.get("entries")?.as_array()?.iter().filter_map(|entry| entry.get("tag")?.as_str());
    let files = tags.map(|tag| history.join(format!("{tag}.sql")));
    let listed = Some(places(files));
    Some(Base { tool: Some(Tool::Drizzle), directory: history.to_owned(), roots: vec![history.to_owned()], listed, ..Base::default() })
}

/// Liquibase's changelog that includes the files.
fn liquibase(history: &Path) -> Option<Base> {
    let changelog::Changelog { home: directory, files, changesets } = changelog::around(history)?;
    let roots = vec![directory.clone()];
    let listed = Some(places(files.into_iter()));
    Some(Base { tool: Some(Tool::Liquibase), directory, roots, listed, changesets, ..Base::default() })
}

/// refinery looks below the folder that it is given (refinery_core, util.rs: find_migration_files).
fn refinery(history: &Path) -> Option<Base> {
    let is_one = detect::around(history).contains(&Tool::Refinery);
    let directory = top(history);
    is_one.then(|| Base { tool: Some(Tool::Refinery), roots: vec![directory.clone()], directory, ..Base::default() })
}

/// A folder of versions below the folder that has others.
fn nested(history: &Path) -> Option<Base> {
    let directory = top(history);
    (directory != history).then(|| Base { roots: vec![directory.clone()], directory, ..Base::default() })
}

/// The uppermost of the folders around one, each with a file in it that is named as its own are; or where Spring looks.
fn top(history: &Path) -> PathBuf {
    let has_one = |above: &Path| {
        let mut entries = std::fs::read_dir(non_empty(above)).into_iter().flatten().flatten();
        entries.any(|entry| convention::read_with_form(Path::new(&entry.file_name())).is_some_and(|(_, form)| form == Form::Prefixed))
    };
    let spring = history.ancestors().find(|above| above.ends_with("db/migration"));
    let mut top = spring.unwrap_or(history);
    while let Some(above) = top.parent().filter(|above| !above.as_os_str().is_empty() && has_one(above)) {
        top = above;
    }
    top.to_owned()
}

/// What Flyway reads its config from, above the migrations.
const FLYWAY: &[&str] = &["flyway.toml", "flyway.conf", "conf/flyway.toml", "conf/flyway.conf"];

/// The locations of Flyway's config that the directory is one of, or lies below.
fn flyway(history: &Path) -> Option<Base> {
    let read = |above: &Path| {
        let text = FLYWAY.iter().find_map(|name| std::fs::read_to_string(non_empty(above).join(name)).ok())?;
        Some((above.to_owned(), settings::read(&text)))
    };
    let (home, values) = history.ancestors().take(LEVELS).find_map(read).or_else(|| absolute_above(history))?;
    let locations = settings::get(&values, "flyway.locations").unwrap_or("filesystem:sql");
    let roots: Vec<_> = settings::items(locations).flat_map(|location| location_paths(&home, location)).collect();
    let is_set = |key: &str| settings::get(&values, key) == Some("true");
    let flyway = Flyway { mixed: is_set("flyway.mixed"), group: is_set("flyway.group") };
    let inside = roots.iter().any(|root| history.starts_with(root));
    let directory = roots.first().filter(|_| inside).cloned().unwrap_or_else(|| top(history));
    let roots = if inside { roots } else { vec![directory.clone()] };
    Some(Base { tool: Some(Tool::Flyway), directory, roots, flyway, ..Base::default() })
}

/// The config above the current directory: its locations cannot be named from here, what else it says can be told.
fn absolute_above(history: &Path) -> Option<(PathBuf, Vec<(String, String)>)> {
    let absolute = std::path::absolute(non_empty(history)).ok()?;
    let text = absolute
        .ancestors()
        .take(LEVELS)
        .find_map(|above| FLYWAY.iter().find_map(|name| std::fs::read_to_string(above.join(name)).ok()))?;
    Some((absolute, settings::read(&text)))
}

/// The paths of a location; one on the classpath lies where Maven and Gradle put resources.
fn location_paths(home: &Path, location: &str) -> Vec<PathBuf> {
    match location.split_once(':') {
        Some(("classpath", path)) => vec![joined(home, &format!("src/main/resources/{path}")), joined(home, path)],
        Some(("filesystem", path)) => vec![joined(home, path)],
        Some(_) => Vec::new(),
        None => vec![joined(home, location)],
    }
}

/// A path from a directory, without `.` in it.
pub(super) fn joined(directory: &Path, path: &str) -> PathBuf {
    let mut joined = directory.to_owned();
    for component in Path::new(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if joined.file_name().is_some() => drop(joined.pop()),
            other => joined.push(other),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_that_is_planned_again_has_the_tags_up_to_there() {
        let plan = "%project=shop\n\nusers 2024-01-01T00:00:00Z A <a@b>\n+orders [users] 2024-01-01T00:00:00Z A <a@b> # x\n@v1 2024\nfind 2024\n@v2 2024\norders [orders@v2] 2024\n@v3 2024\n";
        let words: Vec<_> = planned(plan).iter().map(|change| format!("{}{}", change.name, change.tags.concat())).collect();
        assert_eq!(words, ["users", "orders@v1@v2", "find", "orders"]);
    }
}
