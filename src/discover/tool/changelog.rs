//! The changelogs of Liquibase that include others: which files run, in which order.

use super::base::joined;
use super::settings;
use crate::config::non_empty;
use crate::rule::node::{self, Node, What};
use crate::text::SourceFile;
use std::path::{Path, PathBuf};

/// What a changelog is called that includes the others, unless `liquibase.properties` says it.
const NAMES: &[&str] =
    &["db.changelog-master", "db.changelog-root", "db.changelog", "changelog-master", "changelog-root", "changelog", "root"];
const ENDINGS: &[&str] = &["yaml", "yml", "xml", "json"];

/// How far above a file the changelog may lie that includes it.
const LEVELS: usize = 4;

/// How many files may include each other in a row.
const DEEPEST: usize = 16;

/// How many files a changelog may include, so that one which includes itself comes to an end.
const MOST: usize = 100_000;

/// One line of a changelog.
enum Line {
    Include {
        file: String,
        relative: bool,
    },
    IncludeAll {
        path: String,
        relative: bool,
    },
    /// Changes that the changelog makes itself, in its own words.
    ChangeSet,
}

/// What the changelogs around a directory say.
pub(super) struct Changelog {
    /// The directory of the first of them.
    pub home: PathBuf,
    /// The SQL files that they include, in their order.
    pub files: Vec<PathBuf>,
    /// How many sets of changes they have that are no SQL file.
    pub changesets: usize,
}

/// The changelog that lies around a directory.
pub(super) fn around(directory: &Path) -> Option<Changelog> {
    let above: Vec<_> = directory.ancestors().take(LEVELS).collect();
    let root = above.iter().find_map(|above| told(above)).or_else(|| above.iter().find_map(|above| called(above)))?;
    let mut found = Changelog { home: root.parent()?.to_owned(), files: Vec::new(), changesets: 0 };
    let homes: Vec<_> = root.ancestors().skip(1).map(Path::to_owned).collect();
    gather(&root, &homes, DEEPEST, &mut found);
    // What it includes from elsewhere is a history with it all the same.
    (!found.files.is_empty()).then_some(found)
}

/// As `liquibase.properties` says.
fn told(above: &Path) -> Option<PathBuf> {
    let text = std::fs::read_to_string(non_empty(above).join("liquibase.properties")).ok()?;
    let values = settings::read(&text);
    let file = ["changelog-file", "changelogfile", "liquibase.command.changelogfile"].iter().find_map(|key| settings::get(&values, key))?;
    Some(joined(above, file)).filter(|path| path.is_file())
}

fn called(above: &Path) -> Option<PathBuf> {
    let mut paths = NAMES.iter().flat_map(|name| ENDINGS.iter().map(move |ending| above.join(format!("{name}.{ending}"))));
    paths.find(|path| path.is_file())
}

/// Puts the SQL files of a changelog behind `found`.
fn gather(changelog: &Path, homes: &[PathBuf], depth: usize, found: &mut Changelog) {
    let Ok(text) = std::fs::read_to_string(changelog) else { return };
    let own = changelog.parent().unwrap_or(Path::new(""));
    let lines = if changelog.extension().is_some_and(|ending| ending == "xml") { xml(&text) } else { yaml(changelog, text) };
    // Paths start at one of the directories above: the first of them that has one of the files.
    let home = |path: &str| homes.iter().find(|home| joined(home, path).exists()).map_or(own, PathBuf::as_path);
    for line in lines {
        if found.files.len() > MOST {
            return;
        }
        match line {
            Line::ChangeSet => found.changesets += 1,
            Line::Include { file, relative } => take(joined(if relative { own } else { home(&file) }, &file), homes, depth, found),
            Line::IncludeAll { path, relative } => {
                let folder = joined(if relative { own } else { home(&path) }, &path);
                let mut files: Vec<_> = walkdir::WalkDir::new(&folder).into_iter().flatten().map(walkdir::DirEntry::into_path).collect();
                files.sort();
                files.into_iter().for_each(|file| take(file, homes, depth, found));
            }
        }
    }
}

fn take(file: PathBuf, homes: &[PathBuf], depth: usize, found: &mut Changelog) {
    match file.extension().and_then(|ending| ending.to_str()) {
        Some("sql") => found.files.push(file),
        Some(ending) if ENDINGS.contains(&ending) && depth > 0 => gather(&file, homes, depth - 1, found),
        _ => {}
    }
}

/// The includes of a changelog in YAML or JSON.
fn yaml(path: &Path, text: String) -> Vec<Line> {
    let read = |root: &Node| Ok(field(root, "databaseChangeLog").map_or(&[][..], Node::items).iter().filter_map(included).collect());
    node::read(&SourceFile::new(path, text), "discover::changelog", read).unwrap_or_default()
}

fn included(entry: &Node) -> Option<Line> {
    let path = |body: &Node, key: &str| Some(field(body, key)?.text().ok()?.to_owned());
    let is_relative = |body: &Node| field(body, "relativeToChangelogFile").is_some_and(|relative| relative.what == What::Bool(true));
    if let Some(body) = field(entry, "include") {
        return Some(Line::Include { file: path(body, "file")?, relative: is_relative(body) });
    }
    if field(entry, "changeSet").is_some() {
        return Some(Line::ChangeSet);
    }
    let body = field(entry, "includeAll")?;
    Some(Line::IncludeAll { path: path(body, "path")?, relative: is_relative(body) })
}

fn field<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let What::Map(fields) = &node.what else { return None };
    fields.iter().find(|(key, _)| key.text().is_ok_and(|key| key == name)).map(|(_, value)| value)
}

/// The includes of a changelog in XML.
fn xml(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = &rest[at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.split_once("-->").map_or("", |(_, behind)| behind);
            continue;
        }
        let (tag, behind) = rest[1..].split_once('>').unwrap_or((&rest[1..], ""));
        rest = behind;
        let relative = attribute(tag, "relativeToChangelogFile").is_some_and(|value| value == "true");
        match tag.split(|c: char| c.is_whitespace() || c == '/').next() {
            Some("include") => lines.extend(attribute(tag, "file").map(|file| Line::Include { file, relative })),
            Some("includeAll") => lines.extend(attribute(tag, "path").map(|path| Line::IncludeAll { path, relative })),
            Some("changeSet") => lines.push(Line::ChangeSet),
            _ => {}
        }
    }
    lines
}

/// The value of an attribute of a tag.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, behind) = tag.split_once(&format!(" {name}=")).or_else(|| tag.split_once(&format!("\n{name}=")))?;
    let quote = behind.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    behind[1..].split(quote).next().map(str::to_owned)
}
