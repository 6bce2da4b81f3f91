//! What undoes the migrations that are judged, as migrations of their own: they are judged as well, on what they undo.

use super::tool::{self, Project, Tool};
use super::{Down, Migration, Order, Role, Texts, WORTH_THREADS, WayBack, head};
use crate::config::Config;
use crate::model::session::TransactionMode;
use crate::problem::Problem;
use crate::text::{SourceFile, Span};
use rayon::prelude::*;
use std::sync::Arc;

/// Reads them, and gives what could not be read.
pub(super) fn read(migrations: &mut [Migration], project: &Project, config: &Config, texts: Texts<'_>) -> Vec<Problem> {
    let mut judged: Vec<_> = migrations.iter_mut().filter(|one| one.role == Role::Subject && one.down.is_some()).collect();
    let one = |migration: &mut &mut Migration| match way_down(migration, project, config, texts) {
        Ok(down) => {
            migration.way_down = down.map(Arc::new);
            None
        }
        Err(problem) => Some(problem),
    };
    if judged.len() < WORTH_THREADS { judged.iter_mut().filter_map(one).collect() } else { judged.par_iter_mut().filter_map(one).collect() }
}

fn way_down(up: &Migration, project: &Project, config: &Config, texts: Texts<'_>) -> Result<Option<Migration>, Problem> {
    let (source, part, declared) = match &up.down {
        None => return Ok(None),
        Some(Down::Part(part)) => (Arc::clone(&up.source), *part, mode_of_part(up, *part)),
        Some(Down::File(path)) => {
            let source = texts(path)?;
            let head = head::read(&source, config.tool);
            (source, head.part, head.transaction())
        }
    };
    let (order, way_back) = (Order::Fine, WayBack::NotUsual);
    let mut down = Migration { source, part, declared, order, way_back, units: Vec::new(), base_version: None, down: None, ..up.clone() };
    tool::settle(std::iter::once(&mut down), project, config);
    Ok(Some(down))
}

/// How the second part of a file is run: as the first one, unless its line says otherwise.
fn mode_of_part(up: &Migration, part: Span) -> Option<TransactionMode> {
    let line = first_line(&up.source, part);
    let option = match up.tool {
        Some(Tool::Dbmate) => "transaction:false",
        Some(Tool::SqlMigrate) => "notransaction",
        _ => return up.declared,
    };
    let alone = line.split_whitespace().any(|word| word == option);
    up.tool.map(|tool| if alone { tool.alone() } else { TransactionMode::Runner })
}

fn first_line(source: &SourceFile, part: Span) -> String {
    String::from_utf8_lossy(source.slice(part).split(|byte| *byte == b'\n').next().unwrap_or_default()).into_owned()
}
