//! A plan for a whole migration: each statement that breaks code or stops traffic becomes phases, the others stay as they are.

use super::finding::{Finding, Report};
use super::{Settings, run, run_watched};
use crate::discover::place::{self, NoRoom, PieceTransaction, Room};
use crate::discover::{Discovered, History};
use crate::model::catalog::Catalog;
use crate::model::operation::{Operation, Written};
use crate::plan::{Down, Plan, Refusal, Runs, header, recipe};
use crate::rule::Class;
use crate::rule::moment::Subject;
use crate::rule::recipe::Recipe;
use crate::sql::{self, Statement};
use crate::text::{Located, SourceFile, Span};
use std::cell::RefCell;
use std::path::PathBuf;

/// A piece of a migration, in its order.
#[derive(Clone, Debug)]
pub enum Piece {
    /// Statements that stay as they are, without their semicolons.
    Kept(Vec<String>),
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
    let wanted: Vec<_> = pieces.iter().flat_map(|piece| files_of(piece, &room)).collect();
    let (files, no_room) = match room.files(&wanted) {
        Ok(files) => (files, no_room),
        Err(none) => (Room::numbered(&history.directory, settings.config).files(&wanted).unwrap_or_default(), Some(none)),
    };
    let directory = history.directory.clone();
    let history = history.with_instead(subject.source.path(), &files, settings.config);
    let judged = run(Discovered { histories: vec![history], ..Discovered::default() }, settings);
    FilePlan { naive, pieces, files, judged, directory, no_room }
}

/// The files of a piece, as the runner's conventions will write them.
fn files_of(piece: &Piece, room: &Room) -> Vec<place::Piece> {
    let together = |name: String, statements: &[String]| place::Piece {
        name,
        header: Vec::new(),
        transaction: PieceTransaction::InTransaction,
        up: room.transaction_block(statements),
        down: None,
    };
    match piece {
        Piece::Kept(statements) => vec![together("first".to_owned(), statements)],
        Piece::Refused { sql, .. } => vec![together("in a window".to_owned(), std::slice::from_ref(sql))],
        Piece::Planned(plan) => (0..plan.phases.len()).map(|at| phase_file(plan, at, room)).collect(),
    }
}

fn phase_file(plan: &Plan, at: usize, room: &Room) -> place::Piece {
    let phase = &plan.phases[at];
    let put = |statements: &[String]| match phase.runs {
        Runs::InTransaction => room.transaction_block(statements),
        Runs::Alone => statements.iter().map(|sql| format!("{};\n", sql.trim_end())).collect(),
    };
    let up: Vec<_> = phase.up.iter().map(|line| line.sql.clone()).collect();
    let down = match &phase.down {
        Down::Sql(statements) if statements.is_empty() => Some("-- nothing to undo\n".to_owned()),
        Down::Sql(statements) => Some(put(statements)),
        Down::Nothing(why) => Some(format!("-- no way back: {why}\n")),
    };
    let mut header = header::lines(plan, at);
    if let (Down::Sql(statements), false) = (&phase.down, room.writes_way_back()) {
        header.extend(header::way_back(statements));
    }
    let transaction = match phase.runs {
        Runs::InTransaction => PieceTransaction::InTransaction,
        Runs::Alone => PieceTransaction::Alone,
    };
    place::Piece { name: format!("{} {}", plan.name, phase.title), header, transaction, up: put(&up), down }
}

/// The plan for the one migration that is the subject of `discovered`, and how that is judged as it stands. Empty if it has no statements.
pub fn plan(discovered: Discovered, settings: &Settings<'_>) -> (Report, Vec<Piece>) {
    let again = Discovered { histories: discovered.histories.clone(), ..Discovered::default() };
    let report = run(discovered, settings);
    let Some(subject) = again.histories.iter().flat_map(History::subjects).next().cloned() else { return (report, Vec::new()) };
    let source = &subject.source;
    let script = sql::read(source, subject.part);
    let Some(assessed) = report.migrations.first() else { return (report, Vec::new()) };
    let wanted: Vec<_> =
        script.statements.iter().flat_map(|statement| parts(source, statement)).map(|part| wish(&part, &assessed.findings)).collect();
    let schemas = schemas(again, settings, &wanted);
    let mut pieces: Vec<Piece> = Vec::new();
    for (part, wish) in script.statements.iter().flat_map(|statement| parts(source, statement)).zip(&wanted) {
        let before = schemas.iter().find(|(span, _)| *span == part.first).map(|(_, catalog)| catalog);
        let piece = match (wish, before) {
            (Some(wish), Some(before)) => wish.fulfil(&part, before, settings),
            _ => Piece::Kept(vec![part.sql]),
        };
        match (pieces.last_mut(), piece) {
            (Some(Piece::Kept(last)), Piece::Kept(more)) => last.extend(more),
            (_, piece) => pieces.push(piece),
        }
    }
    (report, pieces)
}

/// A statement, or one of the parts that it could as well be written as.
struct Part {
    /// As a statement of its own.
    sql: String,
    /// Where it stands.
    span: Span,
    /// Its first operation.
    first: Span,
}

/// `ALTER TABLE orders ADD a int, DROP b` is two parts; most statements are one.
fn parts(source: &SourceFile, statement: &Statement) -> Vec<Part> {
    let operations = &statement.operations;
    let whole = || Part {
        sql: source.text(statement.span).into_owned(),
        span: statement.span,
        first: operations.first().map_or(statement.span, |first| first.span),
    };
    let starts: Vec<_> = (0..operations.len()).filter(|at| *at == 0 || is_apart(&operations[*at])).collect();
    let separable = operations
        .iter()
        .all(|operation| matches!(operation.what, Operation::Alter(..) | Operation::AddConstraint(_) | Operation::Drop(_)));
    if starts.len() < 2 || !separable {
        return vec![whole()];
    }
    let span_of = |at: usize| {
        let end = starts.get(at + 1).copied().unwrap_or(operations.len());
        operations[starts[at]..end].iter().map(|operation| operation.span).reduce(Span::to).unwrap_or(statement.span)
    };
    let spans: Vec<_> = (0..starts.len()).map(span_of).collect();
    let head = source.text(Span::new(statement.span.start, spans[0].start)).into_owned();
    let tail = source.text(Span::new(spans[spans.len() - 1].end, statement.span.end)).into_owned();
    let part = |(at, span): (usize, &Span)| Part {
        sql: format!("{head}{}{tail}", source.text(*span)),
        span: *span,
        first: operations[starts[at]].span,
    };
    spans.iter().enumerate().map(part).collect()
}

/// Whether an operation could be a statement of its own.
fn is_apart(operation: &Located<Operation>) -> bool {
    !matches!(&operation.what, Operation::AddConstraint(constraint) if constraint.written != Written::AddConstraint)
}

/// What a part is asked for by its findings.
struct Wish {
    class: Class,
    /// The recipes of its findings, that of the gravest first.
    recipes: Vec<Recipe>,
}

fn wish(part: &Part, findings: &[Finding]) -> Option<Wish> {
    let inside = |finding: &&Finding| finding.span.start >= part.span.start && finding.span.end <= part.span.end;
    let mut grave: Vec<_> = findings.iter().filter(inside).filter(|finding| finding.allowed.is_none()).collect();
    grave.sort_by_key(|finding| std::cmp::Reverse((finding.class, finding.severity)));
    let mut recipes: Vec<Recipe> = Vec::new();
    for recipe in grave.iter().filter_map(|finding| finding.suggestion.as_ref()?.recipe) {
        if !recipes.contains(&recipe) {
            recipes.push(recipe);
        }
    }
    // One that does all that another does comes before it.
    let spared: Vec<_> = recipes.iter().copied().filter(|recipe| recipes.iter().any(|other| other.includes(*recipe))).collect();
    recipes.sort_by_key(|recipe| spared.contains(recipe));
    let class = grave.iter().map(|finding| finding.class).max()?;
    (class > Class::Additive || !recipes.is_empty()).then_some(Wish { class, recipes })
}

impl Wish {
    fn fulfil(&self, part: &Part, before: &Catalog, settings: &Settings<'_>) -> Piece {
        let mut refusal = Refusal::Window("no way is known to do this while others work".to_owned());
        for (at, recipe) in self.recipes.iter().enumerate() {
            match recipe::cook(*recipe, &part.sql, before, settings.server) {
                Ok(plan) => return Piece::Planned(plan),
                Err(said) if at == 0 => refusal = said,
                Err(_) => {}
            }
        }
        match self.class {
            // It stops nobody as it is.
            Class::Additive => Piece::Kept(vec![part.sql.clone()]),
            class @ (Class::ThreePhase | Class::MaintenanceWindow) => Piece::Refused { sql: part.sql.clone(), class, refusal },
        }
    }
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
