//! What lies around the files of a history and tells which tool runs them: files that only one tool leaves, and what the package depends on.

use super::Tool;
use std::path::Path;

/// Files that only one tool leaves, from the directory of the migrations.
const LEFT: &[(&str, Tool)] = &[("migration_lock.toml", Tool::Prisma), ("meta/_journal.json", Tool::Drizzle), ("atlas.sum", Tool::Atlas)];

/// Where Supabase looks for migrations, and its config from there.
const SUPABASE: (&str, &str) = ("supabase/migrations", "../config.toml");

/// What a package says that depends on a tool: at the start of a line, or anywhere.
const PACKAGES: &[(&str, &[(Needle, Tool)])] = &[
    ("Cargo.toml", &[(Needle::Line("refinery"), Tool::Refinery), (Needle::Line("sqlx"), Tool::Sqlx)]),
    ("go.mod", &[(Needle::Text("github.com/golang-migrate/migrate/"), Tool::GolangMigrate)]),
    (
        "package.json",
        &[(Needle::Text("\"node-pg-migrate\""), Tool::NodePgMigrate), (Needle::Text("\"postgres-migrations\""), Tool::PostgresMigrations)],
    ),
];

/// How the name of a package is found.
#[derive(Clone, Copy)]
enum Needle {
    /// A line begins with it, or is the head of a table called so.
    Line(&'static str),
    /// It stands somewhere.
    Text(&'static str),
}

impl Needle {
    fn is_in(self, text: &str) -> bool {
        match self {
            Self::Line(name) => text.lines().any(|line| is_key(line.trim_start().trim_start_matches("[dependencies."), name)),
            Self::Text(words) => text.contains(words),
        }
    }
}

/// Whether a line is about the package, not about one whose name only begins so.
fn is_key(line: &str, name: &str) -> bool {
    line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '=', '.', ']', '\t']))
}

/// The tools of which there is a sign around a directory.
pub(super) fn around(directory: &Path) -> Vec<Tool> {
    let mut tools: Vec<_> = LEFT.iter().filter(|(path, _)| directory.join(path).is_file()).map(|(_, tool)| *tool).collect();
    let Ok(absolute) = std::path::absolute(crate::config::non_empty(directory)) else { return tools };
    if absolute.ends_with(SUPABASE.0) && absolute.join(SUPABASE.1).is_file() {
        tools.push(Tool::Supabase);
    }
    for (manifest, needles) in PACKAGES {
        let text = absolute.ancestors().take(LEVELS).find_map(|folder| std::fs::read_to_string(folder.join(manifest)).ok());
        let Some(text) = text else { continue };
        tools.extend(needles.iter().filter(|(needle, _)| needle.is_in(&text)).map(|(_, tool)| *tool));
    }
    tools
}

/// How far above its migrations a package may begin.
const LEVELS: usize = 4;
