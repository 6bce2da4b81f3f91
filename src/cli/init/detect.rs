//! What a project tells of itself: where its migrations are and which tool runs them, and which PostgreSQL its containers are.

use super::draft::Draft;
use crate::config::Config;
use crate::discover::{History, Request, discover};
use crate::model::effects::Version;
use crate::tool::Tool;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Looks around, adds what was found to the draft, and gives what else there is to say.
pub(super) fn look(here: &Path, draft: &mut Draft) -> Vec<String> {
    let mut said = Vec::new();
    let named = draft.has("migrations");
    let found = histories(here);
    if !named {
        found.iter().for_each(|found| draft.add("migrations", &found.directory, found.words()));
        rendered(here, draft);
    }
    if !draft.has("migrations") {
        draft.add("migrations", "migrations", "no migrations were found: put their directory here");
        if !draft.has("render") {
            said.push("no migrations were found: put their directory into lockkeeper.yaml".to_owned());
        }
    }
    if let Some(tool) = only_tool(&found) {
        draft.set("tool", tool.word(), "as the files, or what lies beside them, tell");
    }
    if let Some(server) = servers(here).into_iter().min_by_key(|server| server.major) {
        draft.set("postgres", server.major.to_string(), format!("{}:{} has {}", server.path.display(), server.line, server.image));
    }
    said
}

/// A directory of migrations.
struct Found {
    directory: String,
    tool: Option<Tool>,
    files: usize,
}

impl Found {
    fn words(&self) -> String {
        let mut words = format!("{} file{}", self.files, if self.files == 1 { "" } else { "s" });
        if let Some(tool) = self.tool.filter(|tool| *tool != Tool::Plain) {
            let _ = write!(words, ", {}", tool.word());
        }
        words
    }
}

/// Names of folders that hold SQL which nobody runs on a server that counts.
const ASIDE: &[&str] = &[
    "test",
    "tests",
    "testdata",
    "test_data",
    "__tests__",
    "spec",
    "e2e",
    "fixture",
    "fixtures",
    "example",
    "examples",
    "sample",
    "samples",
    "vendor",
    "third_party",
    "target",
    "dist",
    "build",
    "docs",
    "doc",
    "seed",
    "seeds",
    "benches",
    "node_modules",
    "venv",
    "templates",
];

/// Pieces of names of folders that say what is in them.
const MIGRATIONS: &[&str] = &["migrat", "deploy", "changelog", "versions"];

/// The histories of a project, the longest first.
fn histories(here: &Path) -> Vec<Found> {
    let request = Request { paths: vec![here.to_owned()], ..Request::default() };
    let discovered = discover(&request, &Config::default());
    let mut found: Vec<_> = discovered.histories.iter().filter(|history| are_migrations(history)).map(found).collect();
    found.sort_by(|a, b| b.files.cmp(&a.files).then_with(|| a.directory.cmp(&b.directory)));
    found
}

fn are_migrations(history: &History) -> bool {
    let parts: Vec<_> = history.directory.iter().map(|part| part.to_string_lossy().to_ascii_lowercase()).collect();
    let is_aside = parts.iter().any(|part| ASIDE.contains(&part.as_str()));
    let says_so = parts.iter().any(|part| MIGRATIONS.iter().any(|piece| part.contains(piece)));
    let is_run = history.migrations.iter().any(|migration| migration.tool.is_some_and(|tool| tool != Tool::Plain));
    let is_numbered = history.migrations.iter().any(|migration| migration.version.is_some());
    !is_aside && is_numbered && (says_so || is_run)
}

fn found(history: &History) -> Found {
    let tool = history.migrations.iter().rev().find_map(|migration| migration.tool);
    Found { directory: slashes(&history.directory), tool, files: history.migrations.len() }
}

/// A path as the config has it, on every system.
fn slashes(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

/// The tool that runs all of them.
fn only_tool(found: &[Found]) -> Option<Tool> {
    let tool = found.first()?.tool.filter(|tool| *tool != Tool::Plain)?;
    found.iter().all(|found| found.tool == Some(tool)).then_some(tool)
}

/// Files that only one tool leaves whose migrations are programs.
const PROGRAMS: &[(&str, &str)] = &[("alembic.ini", "alembic"), ("manage.py", "django")];

/// Migrations that are programs: their own tool prints the SQL.
fn rendered(here: &Path, draft: &mut Draft) {
    let folders = std::fs::read_dir(crate::config::non_empty(here)).into_iter().flatten().flatten();
    let mut folders: Vec<_> = folders.filter(|entry| entry.path().is_dir()).map(|entry| here.join(entry.file_name())).collect();
    folders.sort();
    folders.insert(0, here.to_owned());
    let found = folders.iter().find_map(|folder| {
        let (file, tool) = PROGRAMS.iter().find(|(file, _)| folder.join(file).is_file())?;
        Some((folder, file, tool))
    });
    if let Some((folder, file, tool)) = found {
        let directory = if folder == here { String::new() } else { format!(", directory: {}", slashes(folder)) };
        draft.set("render", format!("{{ tool: {tool}{directory} }}"), format!("{} is there", folder.join(file).display()));
    }
}

/// A PostgreSQL that a container is.
struct Server {
    major: u8,
    path: PathBuf,
    line: usize,
    image: String,
}

/// Files that name images, from the root of a project.
const COMPOSE: &[&str] = &[
    "compose.yaml",
    "compose.yml",
    "docker-compose.yaml",
    "docker-compose.yml",
    "docker-compose.dev.yml",
    ".devcontainer/docker-compose.yml",
    ".gitlab-ci.yml",
    ".circleci/config.yml",
    "docker/docker-compose.yml",
];
const WORKFLOWS: &str = ".github/workflows";

fn servers(here: &Path) -> Vec<Server> {
    let workflows = std::fs::read_dir(here.join(WORKFLOWS)).into_iter().flatten().flatten();
    let mut paths: Vec<_> = workflows.map(|entry| here.join(WORKFLOWS).join(entry.file_name())).collect();
    paths.extend(COMPOSE.iter().map(|path| here.join(path)));
    paths.sort();
    paths
        .iter()
        .filter_map(|path| Some((path, std::fs::read_to_string(path).ok()?)))
        .flat_map(|(path, text)| servers_in(path, &text))
        .collect()
}

fn servers_in(path: &Path, text: &str) -> Vec<Server> {
    let mut servers = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.split(" #").next().unwrap_or_default();
        let words = line.split(|c: char| c.is_whitespace() || "\"'`,[]{}".contains(c)).filter(|_| !line.trim_start().starts_with('#'));
        for image in words {
            let Some(major) = major_of(image) else { continue };
            servers.push(Server { major, path: path.to_owned(), line: at + 1, image: image.to_owned() });
        }
    }
    servers
}

/// The major version of an image of PostgreSQL: `postgres:16-alpine`, `postgis/postgis:16-3.4`, `pgvector/pgvector:pg16`.
fn major_of(image: &str) -> Option<u8> {
    let (repository, tag) = image.rsplit_once(':')?;
    let name = repository.rsplit('/').next()?;
    let digits = |text: &str| text.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok());
    let major = match name {
        "postgres" | "postgis" | "postgresql" => digits(tag),
        "pgvector" | "timescaledb" | "timescaledb-ha" => tag.split('-').find_map(|part| digits(part.strip_prefix("pg")?)),
        _ => None,
    };
    major.filter(|major| (Version::OLDEST.0..=Version::NEWEST.0).contains(major))
}

#[cfg(test)]
mod tests {
    use super::major_of;

    #[test]
    fn the_tag_of_an_image_tells_the_major_version() {
        for (image, major) in [
            ("postgres:16", Some(16)),
            ("postgres:15.4-alpine3.18", Some(15)),
            ("docker.io/library/postgres:17-bookworm", Some(17)),
            ("localhost:5000/postgres:14", Some(14)),
            ("postgis/postgis:16-3.4", Some(16)),
            ("supabase/postgres:15.1.0.117", Some(15)),
            ("pgvector/pgvector:pg17", Some(17)),
            ("timescale/timescaledb:2.14.2-pg16", Some(16)),
            ("postgres:latest", None),
            ("postgres:9.6", None),
            ("postgres", None),
            ("mypostgres:16", None),
            ("postgres:${PG}", None),
            ("postgres://shop@db:5432/shop", None),
        ] {
            assert_eq!(major_of(image), major, "{image}");
        }
    }
}
