//! What a project tells of itself: where its migrations are and which tool runs them, and which PostgreSQL its containers are.

use super::draft::{Draft, plain};
use crate::config::Config;
use crate::discover::{History, Request, discover};
use crate::model::effects::Version;
use crate::tool::Tool;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use walkdir::{DirEntry, WalkDir};

/// Looks around, adds what was found to the draft, and gives what else there is to say.
pub(super) fn look(here: &Path, draft: &mut Draft) -> Vec<String> {
    let named = draft.has("migrations");
    let (found, mut said) = histories(here);
    if !named {
        found.iter().for_each(|found| draft.add("migrations", &found.directory, found.words()));
        rendered(here, draft);
    }
    if !draft.has("migrations") && !draft.has("render") {
        draft.add("migrations", "migrations", "no migrations were found: put their directory here");
        said.push("no migrations were found: put their directory into lockkeeper.yaml".to_owned());
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
#[rustfmt::skip]
const ASIDE: &[&str] = &[
    "test", "tests", "testdata", "test_data", "__tests__", "spec", "e2e", "fixture", "fixtures", "stub", "stubs", "example", "examples", "sample",
    "samples", "vendor", "third_party", "target", "dist", "build", "docs", "doc", "seed", "seeds", "benches", "node_modules", "venv", "templates",
];

/// Pieces of names of folders that say what is in them.
const MIGRATIONS: &[&str] = &["migrat", "deploy", "changelog", "versions"];

/// The histories of a project, the longest first, and what is to be said of those that are none of PostgreSQL.
fn histories(here: &Path) -> (Vec<Found>, Vec<String>) {
    let request = Request { paths: vec![here.to_owned()], ..Request::default() };
    let discovered = discover(&request, &Config::default());
    let histories = discovered.histories.iter().filter(|history| are_migrations(history));
    let (mut found, mut others) = (Vec::new(), Vec::new());
    for history in histories {
        match other_database(&history.directory) {
            Some(why) => others.push(format!("{} was passed over: {why}", slashes(&history.directory))),
            None => found.push(self::found(history)),
        }
    }
    found.sort_by(|a: &Found, b| b.files.cmp(&a.files).then_with(|| a.directory.cmp(&b.directory)));
    (found, others)
}

/// Names of folders for what is no PostgreSQL.
const OTHERS: &[&str] =
    &["clickhouse", "mysql", "mariadb", "sqlite", "sqlite3", "mssql", "sqlserver", "oracle", "spanner", "cassandra", "duckdb"];

/// Files beside migrations that say which database they are for, and how they say that it is PostgreSQL.
const SAY: &[(&str, &str, &[&str])] =
    &[("migration_lock.toml", "provider", &["postgresql", "cockroachdb"]), ("meta/_journal.json", "\"dialect\"", &["pg", "postgresql"])];

/// Why the migrations of a directory are for another database, if anything says so.
fn other_database(directory: &Path) -> Option<String> {
    let is_other = |part: &str| OTHERS.iter().any(|other| part.split(['-', '_', '.']).any(|word| word == *other));
    if let Some(part) = directory.iter().map(|part| part.to_string_lossy().to_ascii_lowercase()).find(|part| is_other(part)) {
        return Some(format!("`{part}` is another database"));
    }
    SAY.iter().find_map(|(file, key, postgres)| {
        let text = std::fs::read_to_string(directory.join(file)).ok()?;
        let said = text.lines().find_map(|line| line.trim_start().strip_prefix(key))?;
        let said = said.trim_matches(|c: char| c.is_whitespace() || "=:\",".contains(c));
        (!postgres.contains(&said)).then(|| format!("{file} says {said}"))
    })
}

fn are_migrations(history: &History) -> bool {
    let parts: Vec<_> = history.directory.iter().map(|part| part.to_string_lossy().to_ascii_lowercase()).collect();
    let is_aside = parts.iter().any(|part| ASIDE.contains(&part.as_str()));
    let says_so = parts.iter().any(|part| MIGRATIONS.iter().any(|piece| part.contains(piece)));
    let is_run = history.migrations.iter().any(|migration| migration.tool.is_some_and(|tool| tool != Tool::Plain));
    let is_numbered = history.migrations.iter().any(|migration| migration.version.is_some());
    // sqitch's files have no numbers: its plan has their order.
    !is_aside && (is_run || is_numbered && says_so)
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

/// Files that say by what a project of Python starts programs.
const STARTERS: &[(&str, &str)] = &[("uv.lock", "uv"), ("poetry.lock", "poetry"), ("Pipfile.lock", "pipenv")];

/// Migrations that are programs: their own tool prints the SQL.
fn rendered(here: &Path, draft: &mut Draft) {
    let mut programs = Vec::new();
    for entry in WalkDir::new(crate::config::non_empty(here)).max_depth(DEEPEST).into_iter().filter_entry(is_wanted).flatten() {
        let Some((file, tool)) = PROGRAMS.iter().find(|(file, _)| entry.file_name() == *file) else { continue };
        let path = entry.path().strip_prefix(".").unwrap_or(entry.path());
        let directory = path.parent().unwrap_or(Path::new(""));
        if !directory.iter().any(|part| ASIDE.contains(&part.to_string_lossy().as_ref())) {
            programs.push((path.to_owned(), program(directory, file, tool)));
        }
    }
    programs.sort();
    let why: Vec<_> = programs.iter().map(|(path, _)| slashes(path)).collect();
    let each: Vec<_> = programs.into_iter().map(|(_, program)| program).collect();
    match &each[..] {
        [] => {}
        [one] => draft.set("render", one, format!("{} is there", why.join(", "))),
        several => draft.set("render", format!("[{}]", several.join(", ")), format!("{} are there", why.join(", "))),
    }
}

/// How far below its root a project may keep its programs.
const DEEPEST: usize = 4;

fn is_wanted(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    entry.depth() == 0 || !(name.starts_with('.') || name == "node_modules")
}

/// One program of `render:`.
fn program(directory: &Path, file: &str, tool: &str) -> String {
    let starter = directory.ancestors().find_map(|folder| STARTERS.iter().find(|(lock, _)| folder.join(lock).is_file()));
    let command = starter.map_or_else(String::new, |(_, starter)| {
        let own = if file == "manage.py" { "python, manage.py, shell" } else { "alembic, upgrade, heads, --sql" };
        format!(", command: [{starter}, run, {own}]")
    });
    let place = if directory.as_os_str().is_empty() { String::new() } else { format!(", directory: {}", plain(&slashes(directory))) };
    format!("{{ tool: {tool}{command}{place} }}")
}

/// A PostgreSQL that a container is.
struct Server {
    major: u8,
    path: PathBuf,
    line: usize,
    image: String,
}

/// Files that name images, from the root of a project.
#[rustfmt::skip]
const COMPOSE: &[&str] = &[
    "compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml", "docker-compose.dev.yml", ".devcontainer/docker-compose.yml",
    ".gitlab-ci.yml", ".circleci/config.yml", "docker/docker-compose.yml",
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
            servers.push(Server { major, path: path.to_owned(), line: at + 1, image: image.trim_start_matches('/').to_owned() });
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
