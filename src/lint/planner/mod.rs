//! A plan for a whole migration: each statement that breaks code or stops traffic becomes phases, the others stay as they are.

mod comments;
mod every;
mod files;
mod moved;
mod order;
mod part;

use super::finding::{Assessed, Finding, Report};
use super::{Settings, run, run_watched};
use crate::discover::place::{NoRoom, Room};
use crate::discover::{self, Discovered, History};
use crate::model::catalog::Catalog;
use crate::model::effects::InTransaction;
use crate::model::operation::{AlterAction, Operation};
use crate::model::session::TransactionMode;
use crate::plan::{Plan, Refusal, Runs};
use crate::rule::Class;
use crate::rule::moment::Subject;
use crate::sql::{self, Statement};
use crate::text::{Located, Span};
pub use every::plans;
use files::files_of;
use part::{Wish, all_parts, wish};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// A piece of a migration, in its order.
#[derive(Clone, Debug)]
pub enum Piece {
    /// Statements that stay as they are, without their semicolons, and how they run.
    Kept(Vec<String>, Runs),
    /// Phases instead of a statement.
    Planned(Plan),
    /// A statement that needs more than it says, and for which there is no plan.
    Refused {
        /// The statement, or the part of it.
        sql: String,
        /// Its class as it stands.
        class: Class,
        /// Why there is no plan.
        refusal: Refusal,
    },
}

/// What becomes of a migration.
#[derive(Debug)]
pub struct FilePlan {
    /// The migration as it stands, judged.
    pub naive: Report,
    /// What it is made of, in order.
    pub pieces: Vec<Piece>,
    /// The files that take its place, with their texts; a piece of statements is one, a plan one for each phase, with what undoes it beside.
    pub files: Vec<(PathBuf, String)>,
    /// Those files, judged: one migration for each file that is run forwards.
    pub judged: Report,
    /// The directory of its history.
    pub directory: PathBuf,
    /// Why the files have no names of the project's own, if so.
    pub no_room: Option<NoRoom>,
}

/// The files that take the place of the one migration that is the subject of `discovered`.
pub fn plan_file(discovered: Discovered, settings: &Settings<'_>) -> FilePlan {
    let histories = discovered.histories.clone();
    let (naive, pieces) = plan(discovered, settings);
    let history = histories.into_iter().find(|history| history.subjects().next().is_some());
    let Some((history, subject)) = history.and_then(|history| Some((history.clone(), history.subjects().next()?.clone()))) else {
        let judged = Report { server: settings.server, migrations: Vec::new(), problems: Vec::new() };
        return FilePlan { naive, pieces, files: Vec::new(), judged, directory: PathBuf::new(), no_room: None };
    };
    let (room, no_room) = match Room::behind(&history, &subject, settings.config) {
        Ok(room) => (room.in_its_place(), None),
        Err(none) => (Room::numbered(&history.directory, settings.config), Some(none)),
    };
    let directory = history.directory.clone();
    if let [Piece::Kept(_, Runs::InTransaction)] = &pieces[..] {
        // The file itself does it.
        let judged = Report { server: settings.server, migrations: Vec::new(), problems: Vec::new() };
        return FilePlan { naive, pieces, files: Vec::new(), judged, directory, no_room: None };
    }
    let wanted: Vec<_> = pieces.iter().flat_map(|piece| files_of(piece, &room)).collect();
    let (files, no_room) = match room.files(&wanted) {
        Ok(files) => (files, no_room),
        Err(none) => (Room::numbered(&history.directory, settings.config).files(&wanted).unwrap_or_default(), Some(none)),
    };
    let history = history.with_instead(subject.source.path(), &files, settings.config);
    let judged = run(Discovered { histories: vec![history], ..Discovered::default() }, settings);
    FilePlan { naive, pieces, files, judged, directory, no_room }
}

/// The plan for the one migration that is the subject of `discovered`, and how that is judged as it stands. Empty if it has no statements.
pub fn plan(discovered: Discovered, settings: &Settings<'_>) -> (Report, Vec<Piece>) {
    let again = Discovered { histories: discovered.histories.clone(), ..Discovered::default() };
    let report = run(discovered, settings);
    let Some(subject) = again.histories.iter().flat_map(History::subjects).next().cloned() else { return (report, Vec::new()) };
    let Some(assessed) = report.migrations.first() else { return (report, Vec::new()) };
    let script = sql::read(&subject.source, subject.part);
    let parts = all_parts(&subject.source, &script.statements);
    let mut wanted: Vec<_> = parts.iter().map(|(_, part)| wish(part, &assessed.findings)).collect();
    let apart = said_apart(&again, settings, &script.statements, &wanted);
    for ((_, part), wish) in parts.iter().zip(&mut wanted) {
        if let Some(wish) = wish.as_mut().filter(|wish| wish.is_without_recipe()) {
            wish.look_apart(part, &apart);
        }
    }
    let schemas = schemas(again, settings, &wanted);
    let roles: Vec<_> = script.statements.iter().map(Role::of).collect();
    let moved = moved::moves(&subject.source, &script.statements);
    let ground = order::Ground { statements: &script.statements, apart: &apart, before: schemas.first().map(|(_, catalog)| catalog) };
    let mut pieces: Vec<Piece> = Vec::new();
    let mut said_of = None;
    let mut was_proof = false;
    let mut seen = BTreeSet::new();
    for ((at, part), wish) in order::ordered(parts.into_iter().zip(wanted).collect(), &ground) {
        if roles[at] == Role::Frame {
            continue;
        }
        let before = schemas.iter().find(|(span, _)| *span == part.first).map(|(_, catalog)| catalog);
        let piece = match (&wish, before) {
            (Some(wish), _) if moved.contains(&at) => wish.refuse(&part, Refusal::Window(moved::reason())),
            (Some(wish), Some(before)) => match setting_before(&script.statements[..at], &roles) {
                Some(refusal) => wish.refuse(&part, refusal),
                None => wish.fulfil(&part, before, settings),
            },
            _ => Piece::Kept(vec![part.sql.clone()], runs(assessed, at)),
        };
        // What runs once more does so in batches or not at all.
        if !seen.insert(part.first) && !matches!(piece, Piece::Planned(_)) {
            continue;
        }
        let piece = match piece {
            // Only its first part is behind them.
            Piece::Kept(statements, runs) if said_of != Some(at) => {
                let above = comments::above(&subject.source, &script, at);
                Piece::Kept(statements.into_iter().map(|sql| format!("{above}{sql}")).collect(), runs)
            }
            other => other,
        };
        said_of = Some(at);
        // What reads all rows has a transaction of its own, whatever stands beside it.
        let is_proof = is_validate(&script.statements[at]);
        let is_cut = commits_each(assessed.transaction) || is_proof || std::mem::replace(&mut was_proof, is_proof);
        match (pieces.last_mut(), piece) {
            // What committed for itself goes on doing so.
            (Some(Piece::Kept(last, Runs::InTransaction)), Piece::Kept(more, Runs::InTransaction)) if !is_cut => last.extend(more),
            (_, piece) => pieces.push(piece),
        }
    }
    (report, pieces)
}

/// What a statement is for in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// It does something.
    Work,
    /// It opens and ends transactions or sets timeouts: each file of a plan has a frame of its own.
    Frame,
    /// What it sets, statements behind it rest on.
    Setting,
}

impl Role {
    fn of(statement: &Statement) -> Self {
        let is_timeout = |name: &str| name.ends_with("_timeout");
        let role = |operation: &Located<Operation>| match &operation.what {
            Operation::Begin | Operation::Commit { .. } => Self::Frame,
            Operation::Set { name, .. } if is_timeout(name) => Self::Frame,
            Operation::Reset { name: Some(name) } if is_timeout(name) => Self::Frame,
            Operation::Set { .. } | Operation::SetConstraints { .. } | Operation::Rollback { .. } | Operation::Savepoint(_) => {
                Self::Setting
            }
            Operation::RollbackTo(_) | Operation::PsqlCommand { .. } => Self::Setting,
            _ => Self::Work,
        };
        let mut roles = statement.operations.iter().map(role);
        let first = roles.next().unwrap_or(Self::Work);
        if roles.all(|other| other == first) { first } else { Self::Work }
    }
}

/// What an earlier statement of the file has set, that the files of a plan would not know.
fn setting_before(earlier: &[Statement], roles: &[Role]) -> Option<Refusal> {
    let at = roles[..earlier.len()].iter().rposition(|role| *role == Role::Setting)?;
    let setting = earlier[at].operations.first()?.what.kind().word();
    let reason =
        format!("the file says `{setting}` before, and what that changes would be missing in the files of a plan: write it without");
    Some(Refusal::Unknown(reason))
}

/// How a statement that stays as it is has to run.
fn runs(assessed: &Assessed, at: usize) -> Runs {
    let forbidden = assessed.statements.get(at).is_some_and(|statement| statement.effects.transaction == InTransaction::Forbidden);
    if forbidden { Runs::Alone } else { Runs::InTransaction }
}

/// What is said of the file if each of its statements is a transaction of its own, where that may matter: in a plan they are.
fn said_apart(discovered: &Discovered, settings: &Settings<'_>, statements: &[Statement], wanted: &[Option<Wish>]) -> Vec<Finding> {
    if !order::may_matter(statements) && !wanted.iter().flatten().any(Wish::is_without_recipe) {
        return Vec::new();
    }
    let mut histories = discovered.histories.clone();
    let migrations = histories.iter_mut().flat_map(|history| &mut history.migrations);
    migrations.filter(|migration| migration.role == discover::Role::Subject).for_each(|migration| {
        migration.declared = Some(TransactionMode::None);
    });
    let report = run(Discovered { histories, ..Discovered::default() }, settings);
    report.migrations.into_iter().next().map_or(Vec::new(), |migration| migration.findings)
}

fn is_validate(statement: &Statement) -> bool {
    let validates = |operation: &Located<Operation>| matches!(&operation.what, Operation::Alter(_, action) if matches!(**action, AlterAction::ValidateConstraint { .. }));
    statement.operations.iter().any(validates)
}

/// Whether each statement of the file is a transaction of its own.
fn commits_each(mode: TransactionMode) -> bool {
    matches!(mode, TransactionMode::None | TransactionMode::Assumed(false))
}

/// The schema before each part that wants a plan.
fn schemas(discovered: Discovered, settings: &Settings<'_>, wanted: &[Option<Wish>]) -> Vec<(Span, Catalog)> {
    if wanted.iter().all(Option::is_none) {
        return Vec::new();
    }
    let seen = RefCell::new(Vec::new());
    run_watched(discovered, settings, &|moment| {
        if let (Subject::Operation(operation), None) = (moment.subject, moment.nesting()) {
            seen.borrow_mut().push((operation.span, moment.before.clone()));
        }
    });
    seen.into_inner()
}
