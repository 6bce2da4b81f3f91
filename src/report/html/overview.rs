//! The top of the page: the verdict, the numbers behind it, what could not be judged, and all migrations with their classes.

use super::page::{Page, put};
use super::{Document, Kind, words};
use crate::lint::finding::{Assessed, Report};
use crate::problem::Problem;
use crate::report::human::{is_faulty, next_step, passed_over, run_by, speed_words, tools};
use crate::report::{Totals, count, worst_class, worst_class_with_fixes};
use crate::rule::Class;
use crate::sql::Reading;
use std::io::{self, Write};

pub(super) fn write<W: Write>(document: &Document<'_>, page: &mut Page<'_, W>) -> io::Result<()> {
    let report = document.report;
    let totals = Totals::of(&report.migrations);
    put!(page, "<header class=\"top ", (words::style(worst_class(report))), "\">\n<p class=\"brand\"><b>lockkeeper</b> ");
    put!(page, (if document.kind == Kind::Plan { "plan" } else { "lint report" }));
    put!(page, " for PostgreSQL ", (report.server.0), "</p>\n<h1>", (verdict(document)), "</h1>\n<p class=\"lead\">");
    put!(page, (if report.migrations.len() > 1 { "All together: " } else { "As written: " }));
    badge(worst_class(report), page)?;
    let fixed = worst_class_with_fixes(report);
    if fixed != worst_class(report) {
        put!(page, "<span class=\"then\"> with the fixes that are offered: ");
        badge(fixed, page)?;
        put!(page, "</span>");
    }
    put!(page, "</p>\n");
    numbers(report, &totals, page)?;
    strip(document, page)?;
    put!(page, "</header>\n<main>\n");
    unjudged(document, &totals, page)?;
    if report.migrations.len() > 1 {
        list(document, page)?;
    }
    circumstances(report, page)?;
    legend(page)
}

/// How the migrations were taken to run, and what times rest on.
fn circumstances<W: Write>(report: &Report, page: &mut Page<'_, W>) -> io::Result<()> {
    for (tool, migrations) in tools(report) {
        put!(page, "<p class=\"quiet\">", (run_by(tool, migrations)), "</p>\n");
    }
    if let Some(assumed) = speed_words(report) {
        put!(page, "<p class=\"quiet\">");
        page.prose(&assumed)?;
        put!(page, "</p>\n");
    }
    Ok(())
}

/// What to make of all of it, in a sentence.
pub(super) fn verdict(document: &Document<'_>) -> String {
    let all = &document.report.migrations;
    let plan = document.plans.first().filter(|_| document.kind == Kind::Plan);
    if let Some(phases @ 1..) = plan.map(super::plan::phases_of) {
        let statements: usize = all.iter().map(|migration| migration.statements.len()).sum();
        return format!("{} instead of {}", count(phases, "phase"), count(statements, "statement"));
    }
    let worst = worst_class(document.report);
    let number = all.iter().filter(|migration| migration.class == worst).count();
    let faulty = all.iter().filter(|migration| is_faulty(migration)).count();
    let some = |number: usize| match all.len() {
        1 => "The migration".to_owned(),
        of => format!("{number} of {of} migrations"),
    };
    match worst {
        _ if all.is_empty() => "No migration was judged".to_owned(),
        Class::MaintenanceWindow => {
            format!("{} {} a maintenance window as written", some(number), words::verb(number, "needs", "need"))
        }
        Class::ThreePhase => format!("{} {} to be parted over releases", some(number), words::verb(number, "has", "have")),
        Class::Additive if faulty > 0 => format!("{} {} errors to mend first", some(faulty), words::verb(faulty, "has", "have")),
        Class::Additive => format!("{}: run {} any time", count(all.len(), "migration"), words::verb(all.len(), "it", "them")),
    }
}

/// A class as a mark with its word.
pub(super) fn badge<W: Write>(class: Class, page: &mut Page<'_, W>) -> io::Result<()> {
    put!(page, "<span class=\"badge ", (words::style(class)), "\">", (words::class(class)), "</span>");
    Ok(())
}

/// The class as written, and the one with fixes where that is another.
pub(super) fn change<W: Write>(migration: &Assessed, page: &mut Page<'_, W>) -> io::Result<()> {
    badge(migration.class, page)?;
    if migration.class_with_fixes != migration.class {
        put!(page, "<span class=\"then\"> <span class=\"quiet\">with fixes</span> ");
        badge(migration.class_with_fixes, page)?;
        put!(page, "</span>");
    }
    Ok(())
}

fn numbers<W: Write>(report: &Report, totals: &Totals, page: &mut Page<'_, W>) -> io::Result<()> {
    let of = |class: Class| report.migrations.iter().filter(|migration| migration.class == class).count();
    let numbers = [
        (totals.migrations, words::verb(totals.migrations, "migration", "migrations"), ""),
        (of(Class::MaintenanceWindow), "maintenance window", "window"),
        (of(Class::ThreePhase), "three-phase", "phased"),
        (of(Class::Additive), "additive", "additive"),
        (totals.errors, words::verb(totals.errors, "error", "errors"), "error"),
        (totals.warnings, words::verb(totals.warnings, "warning", "warnings"), "warning"),
        (totals.advice, "advice", "advice"),
        (totals.allowed, "allowed", "allowed"),
        (totals.baseline, "in the baseline", "allowed"),
        (totals.unreadable, words::verb(totals.unreadable, "unreadable statement", "unreadable statements"), "error"),
        (report.problems.len(), words::verb(report.problems.len(), "problem", "problems"), "error"),
    ];
    put!(page, "<ul class=\"numbers\">\n");
    for (number, what, style) in numbers.iter().filter(|(number, ..)| *number > 0) {
        put!(page, "<li class=\"", (style), "\"><b>", (number), "</b> ", (what), "</li>\n");
    }
    put!(page, "</ul>\n");
    Ok(())
}

/// A column for each migration, in their order: the taller, the worse.
fn strip<W: Write>(document: &Document<'_>, page: &mut Page<'_, W>) -> io::Result<()> {
    let all = &document.report.migrations;
    if all.len() < 2 {
        return Ok(());
    }
    put!(
        page,
        "<p class=\"strip\" role=\"img\" aria-label=\"The classes of all migrations in their order; the list below has them in words\">"
    );
    for migration in all {
        put!(page, "<i class=\"", (words::style(migration.class)), "\"></i>");
    }
    put!(page, "</p>\n");
    Ok(())
}

fn unjudged<W: Write>(document: &Document<'_>, totals: &Totals, page: &mut Page<'_, W>) -> io::Result<()> {
    let report = document.report;
    let over = passed_over(document.skipped);
    let partial = report.migrations.iter().flat_map(|migration| &migration.statements);
    let partial = partial.filter(|statement| statement.reading == Reading::Partial).count();
    if report.problems.is_empty() && totals.unreadable + partial == 0 && over.is_none() {
        return Ok(());
    }
    put!(page, "<section class=\"unjudged\" aria-labelledby=\"unjudged\">\n<h2 id=\"unjudged\">What could not be judged</h2>\n<ul>\n");
    for problem in &report.problems {
        put!(page, "<li class=\"problem\">");
        one_problem(problem, page)?;
        put!(page, "</li>\n");
    }
    for (migration, ids) in report.migrations.iter().zip(&document.ids) {
        let unreadable = migration.statements.iter().filter(|statement| statement.reading == Reading::Unreadable).count();
        if unreadable > 0 {
            put!(page, "<li><a href=\"#", (ids.migration), "\">");
            page.path(migration.source.path())?;
            put!(page, "</a>: ");
            put!(page, (count(unreadable, "statement")), " of a kind that nobody knows here</li>\n");
        }
    }
    if partial > 0 {
        put!(page, "<li>", (count(partial, "statement")), " could be read in part; what is not known is taken at its worst</li>\n");
    }
    if let Some(over) = over {
        put!(page, "<li>Files passed over: ", (over), "</li>\n");
    }
    put!(page, "</ul>\n</section>\n");
    Ok(())
}

fn one_problem<W: Write>(problem: &Problem, page: &mut Page<'_, W>) -> io::Result<()> {
    let place = problem.source.as_deref().zip(problem.labels.first()).map(|(source, (span, _))| source.place(span.start));
    if let Some(path) = problem.path() {
        page.path(path)?;
        if let Some(place) = place {
            put!(page, ":", (place.line), ":", (place.column));
        }
        put!(page, " ");
    }
    page.prose(&problem.message)?;
    put!(page, " <code class=\"quiet\">", (problem.code), "</code>");
    if let Some(help) = &problem.help {
        put!(page, "<br><b>help:</b> ");
        page.prose(help)?;
    }
    Ok(())
}

/// All migrations; those of which there is nothing to say stand behind the others, folded.
fn list<W: Write>(document: &Document<'_>, page: &mut Page<'_, W>) -> io::Result<()> {
    let all: Vec<_> = document.report.migrations.iter().zip(&document.ids).collect();
    let (silent, worth): (Vec<_>, Vec<_>) = all.into_iter().partition(|(migration, _)| words::is_silent(migration));
    put!(page, "<section aria-labelledby=\"verdicts\">\n<h2 id=\"verdicts\">What to do with each</h2>\n");
    if !worth.is_empty() {
        put!(page, "<ul class=\"verdicts\">\n");
        for (migration, ids) in worth {
            entry(migration, &ids.migration, page)?;
        }
        put!(page, "</ul>\n");
    }
    if !silent.is_empty() {
        put!(page, "<details class=\"silent\"><summary>", (count(silent.len(), "migration")));
        put!(page, " with nothing found: run ", (words::verb(silent.len(), "it", "them")), " any time</summary>\n<ul class=\"paths\">\n");
        for (migration, ids) in silent {
            put!(page, "<li><a href=\"#", (ids.migration), "\">");
            page.path(migration.source.path())?;
            put!(page, "</a></li>\n");
        }
        put!(page, "</ul>\n</details>\n");
    }
    put!(page, "</section>\n");
    Ok(())
}

fn entry<W: Write>(migration: &Assessed, id: &str, page: &mut Page<'_, W>) -> io::Result<()> {
    put!(page, "<li class=\"", (words::style(migration.class)), "\"><a href=\"#", (id), "\">");
    page.path(migration.source.path())?;
    put!(page, "</a> <span class=\"change\">");
    change(migration, page)?;
    put!(page, "</span> <span class=\"todo\">");
    put!(page, (next_step(migration)), "</span> ");
    put!(page, "<span class=\"quiet\">", (words::counts_of(migration)), "</span></li>\n");
    Ok(())
}

/// How the drawings beside the timelines are to be read.
fn legend<W: Write>(page: &mut Page<'_, W>) -> io::Result<()> {
    put!(
        page,
        "<details class=\"legend\"><summary>How to read the timelines</summary>\n<ul>\n\
         <li><span class=\"key rail\" aria-hidden=\"true\"><i class=\"tx a\"></i></span> statements of one transaction: a lock that one of \
         them takes is kept until the last one is through</li>\n\
         <li><span class=\"key rail\" aria-hidden=\"true\"><i class=\"bar reads\"></i></span> a lock for which reads and writes wait, from \
         the statement that takes it on</li>\n\
         <li><span class=\"key rail\" aria-hidden=\"true\"><i class=\"bar writes\"></i></span> a lock for which writes wait; reads go on</li>\n\
         <li><span class=\"key rail long\" aria-hidden=\"true\"><i class=\"bar reads\"></i></span> the bar is wide while a statement runs \
         that takes as long as its table is large: this is what others feel</li>\n\
         <li>Only tables that were there before the migration count: nobody waits for one that it makes itself.</li>\n\
         </ul></details>\n"
    );
    Ok(())
}
