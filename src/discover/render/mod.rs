//! Migrations that are programs: their own tool prints the SQL, and that is judged in their place.
//!
//! `program` runs the tool, `cut` parts what it prints into migrations, `text` puts each together with the file that it comes from. Histories
//! that come of it are like any other, but their texts know their [`Origin`](crate::text::Origin).

mod alembic;
mod cut;
mod program;
mod python;
mod source;
mod text;

use super::changes::Change;
use super::tool::Project;
use super::{History, Migration, Programs, Request, Role, base, note_missing_ways_back};
use crate::config::render::{Named, Render, Tool};
use crate::config::{Completeness, Config, resolved};
use crate::model::catalog::Step;
use crate::problem::Problem;
use crate::rule::moment::{Order, WayBack};
use crate::text::{Origin, SourceFile};
use cut::{Piece, Printed};
use source::{Asked, Program, Sources};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the programs of a project gave.
#[derive(Default)]
pub(super) struct Rendered {
    pub histories: Vec<History>,
    pub problems: Vec<Problem>,
    /// The files that stand for migrations here, and are no SQL, links resolved.
    pub files: HashSet<PathBuf>,
    /// Which pattern of `exclude:` keeps each of those from being judged that somebody asks about.
    pub excluded: Vec<usize>,
}

/// Runs the programs that print what a request asks about.
pub(super) fn rendered(request: &Request, config: &Config) -> Rendered {
    let mut rendered = Rendered::default();
    for entry in &config.render {
        let sources = Sources::of(entry, config, request);
        rendered.files.extend(sources.programs.iter().map(|program| program.path.clone()));
        let render = Rendering { entry, sources: &sources, request, config };
        let (subjects, gone) = (render.subjects(), render.gone());
        let asked = sources.programs.iter().filter(|program| program.asked != Asked::No);
        rendered.excluded.extend(asked.filter_map(|program| config.excludes(program.source.path())));
        let place = config.source.as_ref().map_or(config.directory.as_path(), |source| source.path());
        rendered.problems.extend(sources.problems.iter().filter(|_| subjects > 0).cloned());
        match request.programs {
            _ if sources.programs.is_empty() && request.all_programs => rendered.problems.push(no_files(&sources.directory)),
            _ if subjects == 0 && gone.is_empty() => {}
            Programs::Unasked => rendered.problems.push(not_run(entry, subjects).about(place)),
            Programs::Run => {
                let printed = program::run(entry, &sources.directory, config);
                let is_whole = printed.problem.is_none();
                rendered.problems.extend(printed.problem.map(|problem| problem.about(place)));
                let output = SourceFile::new(program::shown(entry), printed.text);
                let mut pieces = cut::pieces(&output, entry);
                if !is_whole {
                    // The last one was broken off.
                    pieces.pop();
                }
                let (history, problems) = render.history(pieces, gone, is_whole);
                rendered.histories.push(history);
                rendered.problems.extend(problems);
                rendered.problems.extend(cut::is_sql_before_first(&output, entry).then(|| render.before_first()));
            }
        }
    }
    rendered
}

fn no_files(directory: &Path) -> Problem {
    Problem::new("render::no-files", "no file here is one of `source:`, whose SQL `render:` is to print")
        .help("`directory:` says where the program runs, and `source:` which files below it are migrations")
        .about(crate::config::non_empty(directory))
}

fn not_run(entry: &Render, files: usize) -> Problem {
    let (it, are) = if files == 1 { ("a migration is a program", "it is") } else { ("migrations are programs", "they are") };
    let message = format!("{files} {it}, and {are} judged by what `{}` prints, which was not run", program::shown(entry));
    let message = message.replacen("1 a migration", "a migration", 1);
    Problem::new("render::not-run", message)
        .help("it runs code of this repository: if that is what you want, say `lockkeeper lint --render`, or set LOCKKEEPER_RENDER=1")
}

/// What is known while the pieces of one program become a history.
struct Rendering<'a> {
    entry: &'a Render,
    sources: &'a Sources,
    request: &'a Request,
    config: &'a Config,
}

impl Rendering<'_> {
    /// How many files are to be judged.
    fn subjects(&self) -> usize {
        self.sources.programs.iter().filter(|program| self.role(program).map_or(true, |(role, _)| role == Role::Subject)).count()
    }

    /// `is_whole`: the program has not failed.
    fn history(&self, pieces: Vec<Piece>, gone: Vec<Migration>, is_whole: bool) -> (History, Vec<Problem>) {
        let (mut migrations, mut problems, mut printed) = (Vec::new(), Vec::new(), HashSet::new());
        for piece in pieces {
            let found = self.sources.find(&piece.named);
            if found.is_none() && piece.statements.is_empty() && matches!(piece.named, Named::File(_)) {
                continue;
            }
            printed.extend(found);
            let program = found.map(|at| &self.sources.programs[at]);
            match self.migration(piece, program) {
                Ok(migration) if self.request.no_history && migration.role == Role::History => {}
                Ok(migration) => migrations.push(Migration { step: Step(migrations.len() as u32 + 1), ..migration }),
                Err(problem) => problems.push(problem),
            }
        }
        let (left_out, unprinted) = self.left_out(&printed);
        problems.extend(unprinted.filter(|_| is_whole));
        note_missing_ways_back(&mut migrations);
        migrations.extend(gone);
        migrations.splice(0..0, self.request.schema.clone().map(base));
        let told_whole = self.request.schema.is_some() || self.config.history == Completeness::Whole;
        let whole = match self.config.history {
            Completeness::Whole => true,
            Completeness::Partial => false,
            Completeness::Auto => told_whole || self.entry.tool != Tool::Other && !left_out && !self.request.no_history,
        };
        let whole = whole && is_whole;
        let directory = self.sources.programs.first().and_then(|program| program.source.path().parent()).unwrap_or(Path::new(""));
        let (directory, told_whole) = (directory.to_owned(), told_whole && whole);
        let history = History { directory, migrations, whole, told_whole, one_release: false, project: Project::default() };
        (if self.request.one_release { history.as_one_release() } else { history }, problems)
    }

    fn migration(&self, piece: Piece, program: Option<&Program>) -> Result<Migration, Problem> {
        let Piece { named, statements, transaction, shared } = piece;
        let file = match (&named, program) {
            (_, Some(program)) => Arc::clone(&program.source),
            (Named::File(path), None) if self.entry.tool == Tool::Other => return Err(self.unknown_file(path)),
            // Of an installed package: its tables are a part of the history.
            (Named::File(path), None) => {
                let path = self.sources.directory.join(path);
                SourceFile::read(&path).unwrap_or_else(|_| SourceFile::new(path, ""))
            }
            (Named::Revision(id), None) => return Err(self.unknown(id)),
        };
        let (role, order) = match program {
            Some(program) => self.role(program)?,
            None => (Role::History, Order::Fine),
        };
        let named = super::convention::read(&file.path().with_extension("sql"));
        let (version, name) = named.map_or((None, String::new()), |named| (named.version, named.name));
        let version = program.and_then(|program| Some(program.revision.as_ref()?.id.clone())).or(version);
        let way_back = program.map_or(WayBack::NotUsual, |program| self.way_back(program));
        let source = text::text(&self.with_lines(statements, &file), self.origin(file));
        let declared = transaction.or(self.config.transaction);
        Ok(Migration { version, name, declared, role, order, way_back, shared, ..base(source) })
    }

    /// Each statement with the line of the file that is behind it.
    fn with_lines(&self, statements: Vec<Printed>, file: &SourceFile) -> Vec<(Printed, u32)> {
        let mut upgrade = (self.entry.tool == Tool::Alembic).then(|| alembic::Upgrade::read(file));
        let mut line = |printed: &Printed| match (printed.line, &mut upgrade) {
            (Some(line), _) => line,
            (None, Some(upgrade)) => upgrade.line_of(printed.text[printed.begins..].trim_end().trim_end_matches(';')),
            (None, None) => 1,
        };
        statements.into_iter().map(|printed| (line(&printed), printed)).map(|(line, printed)| (printed, line)).collect()
    }

    fn origin(&self, file: Arc<SourceFile>) -> Origin {
        let program = self.entry.command.first().map_or("", String::as_str);
        let (by, alone) = match self.entry.tool {
            Tool::Alembic => ("alembic", "put the call into `with op.get_context().autocommit_block():`"),
            Tool::Django => ("django", "put the operation into a migration of its own with `atomic = False`"),
            Tool::Other => (program, "let the program run it outside of a transaction"),
        };
        Origin { file, by: by.to_owned(), alone: alone.to_owned(), lines: Vec::new() }
    }

    /// Whether a file is judged, and what git says of it.
    fn role(&self, program: &Program) -> Result<(Role, Order), Problem> {
        if program.asked == Asked::No || self.config.excludes(program.source.path()).is_some() {
            return Ok((Role::History, Order::Fine));
        }
        let Some(changes) = &self.request.changes else { return Ok((Role::Subject, Order::Fine)) };
        if !program.path.starts_with(&changes.root) {
            let words = "this file is outside of the git repository that `--since` is about";
            return Err(Problem::new("since::outside", words).help("name files of one repository").about(program.source.path()));
        }
        Ok(match changes.changed.get(&program.path).copied().unwrap_or_default() {
            Change::None => (Role::History, Order::Fine),
            Change::Added | Change::Gone => (Role::Subject, Order::Fine),
            // Who names no base branch edits what nobody has run.
            Change::Edited if changes.base.is_none() => (Role::Subject, Order::Fine),
            Change::Edited => (Role::Subject, Order::Edited),
        })
    }

    fn way_back(&self, program: &Program) -> WayBack {
        let undoes = || python::Python::read(&program.source).function("downgrade").is_some_and(|(_, calls)| !calls.is_empty());
        if self.entry.tool == Tool::Alembic && undoes() { WayBack::There } else { WayBack::NotUsual }
    }

    /// Whether files are left out of what was printed. Those that Alembic has run before the revision from which it printed are history that
    /// nobody tells; any other that somebody asks about is a problem.
    fn left_out(&self, printed: &HashSet<usize>) -> (bool, Option<Problem>) {
        let programs = &self.sources.programs;
        let id = |at: usize| programs[at].revision.as_ref().map(|revision| revision.id.as_str());
        let printed_ids: HashSet<_> = printed.iter().filter_map(|at| id(*at)).collect();
        let revisions: Vec<_> = programs.iter().filter_map(|program| program.revision.as_ref()).collect();
        let before = alembic::before(&revisions, &printed_ids);
        let (mut any, mut missed) = (false, Vec::new());
        for (at, program) in programs.iter().enumerate().filter(|(at, _)| !printed.contains(at)) {
            any = true;
            let is_before = program.asked == Asked::Along && id(at).is_some_and(|id| before.contains(id));
            let is_subject = self.role(program).is_ok_and(|(role, order)| role == Role::Subject && !(is_before && order == Order::Fine));
            missed.extend(is_subject.then(|| program.source.path()));
        }
        (any, (!missed.is_empty()).then(|| self.nothing_printed(&missed)))
    }

    fn nothing_printed(&self, missed: &[&Path]) -> Problem {
        const NAMED: usize = 3;
        let names: Vec<_> = missed.iter().take(NAMED).map(|path| path.display().to_string()).collect();
        let more = if missed.len() > NAMED { format!(" and {} more", missed.len() - NAMED) } else { String::new() };
        let message = format!("`{}` has printed nothing of {}{more}", program::shown(self.entry), names.join(", "));
        let help = "run it by hand to see what it prints; `exclude:` names files that are not to be judged";
        Problem::new("render::left-out", message).help(help).about(missed[0])
    }

    fn unknown(&self, id: &str) -> Problem {
        let message = format!("`{}` has printed revision `{id}`, and no file is called so", program::shown(self.entry));
        Problem::new("render::unknown-revision", message)
            .help("`source:` says which files are migrations")
            .about(crate::config::non_empty(&self.sources.directory))
    }

    fn unknown_file(&self, path: &str) -> Problem {
        let message = format!("`{}` has printed SQL of `{path}`, which is none of the files of `source:`", program::shown(self.entry));
        Problem::new("render::unknown-file", message)
            .help("`source:` says which files are migrations; their paths start where the program runs")
            .about(crate::config::non_empty(&self.sources.directory))
    }

    fn before_first(&self) -> Problem {
        let message = format!("`{}` has printed SQL before the comment that begins the first migration", program::shown(self.entry));
        Problem::new("render::before-first", message)
            .help("it belongs to no file, and is not judged: let the program print that comment above it; other words belong on its standard error")
            .about(crate::config::non_empty(&self.sources.directory))
    }

    /// Files that the base branch has and that are no more.
    fn gone(&self) -> Vec<Migration> {
        let Some(changes) = self.request.changes.as_ref().filter(|changes| changes.base.is_some()) else { return Vec::new() };
        let root = resolved(&self.sources.directory);
        let asked: Vec<_> = self.request.paths.iter().map(|path| resolved(path)).collect();
        let is_asked = |path: &Path| self.request.all_programs || asked.iter().any(|asked| path.starts_with(asked));
        let gone = changes.changed.iter().filter(|(path, change)| **change == Change::Gone && is_asked(path));
        let below = gone.filter_map(|(path, _)| path.strip_prefix(&root).ok());
        let mut below: Vec<_> = below.filter(|below| self.entry.source.matching(below).is_some()).collect();
        below.sort();
        let shown = |below: &Path| SourceFile::new(self.sources.directory.join(below), "");
        below.into_iter().map(|below| Migration { role: Role::Subject, order: Order::Gone, ..base(shown(below)) }).collect()
    }
}
