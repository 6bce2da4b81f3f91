//! The plans of all migrations of a report that a recipe helps.

use super::{FilePlan, plan_file};
use crate::discover::{Discovered, History, Role};
use crate::lint::Settings;
use crate::lint::finding::{Finding, Report};
use rayon::prelude::*;
use std::cmp::Reverse;
use std::path::Path;

/// A plan of more statements than this nobody reads beside others; `lockkeeper plan` makes it.
const MOST_STATEMENTS: usize = 100;
/// Histories of more bytes than this, added up for all plans, take longer than all the rest of a run.
const MOST_BYTES: usize = 2 << 20;

/// The plans of the migrations of a report that a recipe helps, in order, and no more than `most`: of the worst. For each of them the history
/// is replayed anew. `discovered` is what the report was made of.
pub fn plans(discovered: &Discovered, report: &Report, settings: &Settings<'_>, most: usize) -> Vec<FilePlan> {
    let has_recipe = |finding: &Finding| finding.suggestion.as_ref().is_some_and(|suggestion| suggestion.recipe.is_some());
    let mut helped: Vec<_> = report.migrations.iter().enumerate().filter(|(_, migration)| migration.open().any(has_recipe)).collect();
    // A plan takes over statements as they are, with the secrets that no report may show.
    helped.retain(|(_, migration)| migration.statements.len() <= MOST_STATEMENTS && !migration.source.hides_something());
    helped.sort_by_key(|(_, migration)| Reverse(migration.class));
    helped.truncate(most);
    let mut left = MOST_BYTES;
    helped.retain(|(_, migration)| {
        let history = history_of(discovered, migration.source.path());
        let bytes = history.iter().flat_map(|history| &history.migrations).map(|migration| migration.source.bytes().len()).sum();
        let is_enough = left >= bytes;
        left = left.saturating_sub(bytes);
        is_enough
    });
    helped.sort_by_key(|(at, _)| *at);
    helped.into_par_iter().map(|(_, migration)| plan_file(alone(discovered, migration.source.path()), settings)).collect()
}

/// The history in which the file at `path` is a subject.
fn history_of<'a>(discovered: &'a Discovered, path: &Path) -> Option<&'a History> {
    discovered.histories.iter().find(|history| history.subjects().any(|subject| subject.source.path() == path))
}

/// The file at `path` as the one subject of its history.
fn alone(discovered: &Discovered, path: &Path) -> Discovered {
    let history = history_of(discovered, path).cloned().map(|mut history| {
        for migration in history.migrations.iter_mut().filter(|migration| migration.source.path() != path) {
            migration.role = Role::History;
        }
        history
    });
    Discovered { histories: history.into_iter().collect(), ..Discovered::default() }
}
