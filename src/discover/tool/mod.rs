//! Which tool runs a history, as far as the config, the texts, the names and the files around it tell, and how it runs each file.

mod alone;
mod base;
mod changelog;
mod detect;
pub(super) mod liquibase;
mod project;
mod settings;

pub use crate::tool::{Told, Tool};
pub(crate) use base::Base;
pub(super) use base::look;
pub(crate) use project::Project;
pub(super) use project::{is_aside, with_more};

use super::convention::{self, Form};
use super::{Migration, Unit};
use crate::config::Config;
use crate::model::session::TransactionMode;
use std::path::Path;

/// In this file diesel is told how it runs a migration.
pub(super) const METADATA: &str = "metadata.toml";

/// Flyway is told by a file that is called after the migration, with this behind its name.
pub(super) const CONF: &str = ".conf";

/// Says of each file who runs it, and how, where its text does not.
pub(super) fn settle<'m>(migrations: impl DoubleEndedIterator<Item = &'m mut Migration>, project: &Project, config: &Config) {
    let mut migrations: Vec<_> = migrations.collect();
    let by_text = migrations.iter().rev().find_map(|migration| migration.tool);
    for migration in &mut migrations {
        let path = migration.source.path().to_owned();
        migration.tool = migration.tool.or_else(|| of(&path, by_text, project, config));
        if migration.tool.is_some_and(has_placeholders) {
            migration.source.read_placeholders();
        }
        if migration.declared.is_none() {
            let told = migration.tool.and_then(|tool| project.told(&path, tool));
            migration.declared = told.or(config.transaction).or_else(|| by_default(migration, project));
            if migration.tool == Some(Tool::Supabase) && migration.declared == Tool::Supabase.mode() {
                send_as_pipelines(migration);
            }
        }
        let all_in_one = migration.tool.is_some_and(Tool::runs_all_in_one) || project.flyway().group;
        migration.shared = all_in_one && migration.declared == Some(TransactionMode::Runner);
    }
}

/// Supabase sends some statements alone, and the others of the file in a pipeline, which the server makes a transaction of.
fn send_as_pipelines(migration: &mut Migration) {
    match alone::pipelines(&migration.source, migration.part) {
        None => migration.declared = Some(TransactionMode::None),
        Some(pieces) if pieces.len() > 1 || alone::look(&migration.source, migration.part) != alone::Seen::Transactional => {
            migration.declared = Some(TransactionMode::None);
            migration.units = pieces.into_iter().map(|span| Unit { span, mode: TransactionMode::OneMessage }).collect();
        }
        Some(_) => {}
    }
}

/// Whether a tool puts values for `${name}` into the text, before anything reads it.
fn has_placeholders(tool: Tool) -> bool {
    matches!(tool, Tool::Flyway | Tool::Liquibase)
}

/// The tool of a file whose text does not tell. `by_text`: what the texts of its neighbours tell.
fn of(path: &Path, by_text: Option<Tool>, project: &Project, config: &Config) -> Option<Tool> {
    if config.tool.is_some() {
        return config.tool;
    }
    if let Some(tool) = project.tool() {
        return Some(tool);
    }
    let (named, form) = convention::read_with_form(path)?;
    let hinted = |tools: &[Tool]| tools.iter().copied().find(|tool| project.hints(*tool));
    match form {
        Form::FolderWithMigration => hinted(&[Tool::Drizzle]).or(Some(Tool::Prisma)),
        Form::FolderWithUp => {
            let version = named.version?;
            // Hasura's versions are milliseconds.
            let is_hasura = version.len() == 13 && version.bytes().all(|byte| byte.is_ascii_digit());
            Some(if is_hasura { Tool::Hasura } else { Tool::Diesel })
        }
        Form::Prefixed => hinted(&[Tool::Refinery]).or(Some(Tool::Flyway)),
        Form::UpAndDown => match hinted(&[Tool::GolangMigrate, Tool::Sqlx]) {
            // A project of both languages may mean either.
            Some(Tool::GolangMigrate) if project.hints(Tool::Sqlx) => by_text,
            hinted => hinted.or(by_text),
        },
        Form::Numbered | Form::NumberedFolder | Form::Unnumbered => by_text
            .or_else(|| hinted(&[Tool::Drizzle, Tool::Atlas, Tool::Supabase]))
            .or_else(|| hinted(&[Tool::Sqlx, Tool::NodePgMigrate, Tool::PostgresMigrations])),
    }
}

/// How the tool of a migration runs it.
fn by_default(migration: &Migration, project: &Project) -> Option<TransactionMode> {
    let tool = migration.tool?;
    if tool != Tool::Flyway {
        return tool.mode();
    }
    match alone::look(&migration.source, migration.part) {
        alone::Seen::Alone => Some(tool.alone()),
        alone::Seen::Mixed if project.flyway().mixed => Some(tool.alone()),
        // What is mixed Flyway refuses, as the server would.
        alone::Seen::Mixed | alone::Seen::Transactional => tool.mode(),
    }
}
