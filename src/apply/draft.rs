//! Migrations as they would be run: read, judged, cut into steps, with the names by which the ledger knows them.

use super::step::{self, Step};
use super::{backfill, hash};
use crate::discover::Discovered;
use crate::discover::{Down, History, Migration, Role};
use crate::lint::finding::{Assessed, Judged};
use crate::lint::{self, Settings};
use crate::model::catalog::Step as Place;
use crate::model::effects::InTransaction;
use crate::model::operation::Operation;
use crate::plan::{Batches, header};
use crate::problem::{Problem, io_words};
use crate::sql::{self, Script, Statement};
use crate::text::{SourceFile, Span};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A migration and what identifies it.
#[derive(Clone, Debug)]
pub struct Draft {
    /// By what the ledger knows it: its version, or version and name where a version is there twice.
    pub key: String,
    /// The version as its file's name says it.
    pub version: Option<String>,
    /// Its name without version and ending.
    pub name: String,
    /// The file.
    pub source: Arc<SourceFile>,
    /// The part of the file that is run.
    pub part: Span,
    /// SHA-256 of the file.
    pub checksum: String,
    /// Of the SQL that is run, see [`hash::normalised`].
    pub hash: String,
    /// It is run again whenever it changes.
    pub repeatable: bool,
    /// What undoes it.
    pub down: Option<(Arc<SourceFile>, Span)>,
}

impl Draft {
    /// Of the SQL that is run and the SQL that undoes it: what an approval is for.
    pub fn approved_hash(&self) -> String {
        let down = self.down.iter().map(|(source, part)| (&**source, *part));
        hash::normalised(std::iter::once((&*self.source, self.part)).chain(down))
    }

    /// Its key and its name, as lines say them.
    pub fn title(&self) -> String {
        format!("{} {}", self.key, self.name)
    }

    /// The path as reports show it.
    pub fn path(&self) -> String {
        self.source.path().display().to_string()
    }
}

/// A migration that is ready to be run.
#[derive(Debug)]
pub struct Work {
    /// What it is.
    pub draft: Draft,
    /// Its text, read.
    pub script: Script,
    /// What was found.
    pub assessed: Assessed,
    /// What commits together.
    pub steps: Vec<Step>,
    /// It is no migration, but a file that somebody has named.
    pub is_job: bool,
    /// The key and the size of the batches that its file asks for.
    pub batches: Option<Batches>,
}

impl Work {
    /// What is run in a step, statement by statement.
    pub fn texts<'a>(&'a self, step: &'a Step) -> impl Iterator<Item = (Span, &'a str)> {
        let source = self.source();
        step.statements.iter().filter_map(move |at| {
            let span = self.script.statements.get(*at)?.span;
            Some((span, std::str::from_utf8(source.slice(span)).ok()?))
        })
    }

    /// The first words of a step, to name it in a line: of its first statement that is more than a setting.
    pub fn title(&self, step: &Step) -> String {
        let statements = || step.statements.iter().filter_map(|at| self.script.statements.get(*at));
        let is_setting = |statement: &&Statement| {
            statement.operations.iter().all(|operation| matches!(operation.what, Operation::Set { .. } | Operation::Reset { .. }))
        };
        let first = statements().find(|statement| !is_setting(statement)).or_else(|| statements().next());
        let title = first.map_or_else(String::new, |statement| step::title(self.source(), statement.span));
        match statements().filter(|statement| !is_setting(statement)).count() {
            0 | 1 => title,
            count => format!("{title} and {} more", count - 1),
        }
    }

    /// What the linter knows of a statement.
    pub fn judged(&self, at: usize) -> Option<&Judged> {
        self.assessed.statements.get(at)
    }

    /// The text that is run: of the migration, or of what undoes it.
    pub fn source(&self) -> &SourceFile {
        &self.assessed.source
    }

    /// The header of a plan's file.
    pub fn header(&self) -> Option<header::Header<'_>> {
        header::read(self.source(), &self.script.comments)
    }
}

/// All migrations of a history, in order.
///
/// # Errors
/// What undoes one and cannot be read.
pub fn drafts(history: &History) -> Result<Vec<Draft>, Problem> {
    let own: Vec<_> = history.migrations.iter().filter(|migration| migration.step != Place::BASE).collect();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    own.iter().filter_map(|migration| migration.version.as_deref()).for_each(|version| *seen.entry(version).or_default() += 1);
    own.into_iter().map(|migration| draft(migration, &seen)).collect()
}

fn draft(migration: &Migration, versions: &BTreeMap<&str, usize>) -> Result<Draft, Problem> {
    let source = Arc::clone(&migration.source);
    let key = match migration.version.as_deref() {
        Some(version) if versions.get(version) == Some(&1) => version.to_owned(),
        Some(version) => format!("{version} {}", migration.name),
        None => migration.name.clone(),
    };
    let down = match &migration.down {
        None => None,
        Some(Down::Part(part)) => Some((Arc::clone(&source), *part)),
        Some(Down::File(path)) => {
            let down = SourceFile::read(path).map_err(|error| Problem::new("apply::down", io_words(&error)).about(path))?;
            let whole = Span::new(0, down.bytes().len() as u32);
            Some((down, whole))
        }
    };
    Ok(Draft {
        key,
        version: migration.version.clone(),
        name: migration.name.clone(),
        part: migration.part,
        checksum: hash::checksum(source.bytes()),
        hash: hash::normalised([(&*source, migration.part)]),
        repeatable: migration.repeatable,
        down,
        source,
    })
}

/// Judges those migrations of a history that are to be run, on the schema that the others make, and cuts them into steps. `keys` are in the
/// order in which they run; `schema` stands for everything that has run already, if the server told it.
///
/// # Errors
/// What cannot be run, each with its place.
pub fn works(history: &History, drafts: &[Draft], keys: &[String], settings: &Settings<'_>) -> Result<Vec<Work>, Vec<Problem>> {
    let mut history = history.clone();
    let paths: BTreeMap<_, _> = drafts.iter().map(|draft| (draft.source.path(), draft)).collect();
    for migration in &mut history.migrations {
        let due = paths.get(migration.source.path()).is_some_and(|draft| keys.contains(&draft.key));
        migration.role = if due { Role::Subject } else { Role::History };
    }
    judged(history, settings, |assessed| paths.get(assessed.source.path()).map(|draft| (*draft).clone()))
}

/// Judges what undoes a migration, on the schema that all of `applied` have made.
///
/// # Errors
/// As [`works`].
pub fn way_back(history: &History, draft: &Draft, settings: &Settings<'_>) -> Result<Work, Vec<Problem>> {
    let Some((source, part)) = draft.down.clone() else {
        let problem = Problem::new("apply::no-way-back", "nothing says how it is undone")
            .help("write the file that undoes it, or go forwards with a new migration");
        return Err(vec![problem.about(draft.source.path())]);
    };
    let mut history = history.clone();
    let Some(at) = history.migrations.iter().position(|migration| migration.source.path() == draft.source.path()) else {
        return Err(Vec::new());
    };
    history.migrations.iter_mut().for_each(|migration| migration.role = Role::History);
    let last = history.migrations.last().map_or(at as u32, |last| last.step.0);
    let up = &history.migrations[at];
    let down =
        Migration { source, part, units: Vec::new(), role: Role::Subject, step: Place(last + 1), down: None, way_down: None, ..up.clone() };
    history.migrations.push(down);
    let mut works = judged(history, settings, |_| Some(draft.clone()))?;
    works.pop().ok_or_else(Vec::new)
}

/// Judges a file that is none of the migrations, on the schema that all of them have made.
///
/// # Errors
/// As [`works`].
pub fn last(history: &History, source: &Arc<SourceFile>, draft: &Draft, settings: &Settings<'_>) -> Result<Work, Vec<Problem>> {
    let mut works = judged(history.clone().with_last(source), settings, |_| Some(draft.clone()))?;
    let work = works.pop().ok_or_else(Vec::new)?;
    Ok(Work { is_job: true, ..work })
}

fn judged(history: History, settings: &Settings<'_>, draft: impl Fn(&Assessed) -> Option<Draft>) -> Result<Vec<Work>, Vec<Problem>> {
    let parts: BTreeMap<_, _> =
        history.subjects().map(|migration| (migration.source.path().to_owned(), (Arc::clone(&migration.source), migration.part))).collect();
    let report = lint::run(Discovered { histories: vec![history], ..Discovered::default() }, settings);
    let mut problems = report.problems;
    let mut works = Vec::new();
    for assessed in report.migrations {
        let (Some(draft), Some((source, part))) = (draft(&assessed), parts.get(assessed.source.path())) else { continue };
        let script = sql::read(source, *part);
        let refuses = |at: usize| refuses_transaction(script.statements.get(at), assessed.statements.get(at));
        problems.append(&mut step::not_text(source, &script));
        let steps = match backfill::step(source, &script) {
            Some(step) => step.map(|step| vec![step]).map_err(|problem| vec![problem]),
            None => step::cut(source, &script, assessed.transaction, refuses),
        };
        match steps {
            Ok(steps) => {
                let batches = header::batches(source, &script.comments);
                works.push(Work { draft, script, assessed, steps, is_job: false, batches });
            }
            Err(mut wrong) => problems.append(&mut wrong),
        }
    }
    if problems.is_empty() { Ok(works) } else { Err(problems) }
}

/// Whether the server refuses a statement inside a transaction block, or its body commits.
fn refuses_transaction(statement: Option<&Statement>, judged: Option<&Judged>) -> bool {
    let Some(judged) = judged else { return false };
    let ends = |inner: &Judged| inner.operations.iter().any(|word| matches!(*word, "commit" | "rollback"));
    judged.effects.transaction == InTransaction::Forbidden || (statement.is_some() && judged.body.iter().any(ends))
}
