//! A plan: its phases one after the other, with what has to be true before each, who waits, and the way back.

use super::page::{Page, put};
use super::words;
use crate::lint::finding::Assessed;
use crate::lint::planner::{FilePlan, Piece};
use crate::plan::{Down, Phase, Plan, Refusal, Runs};
use crate::report::count;
use crate::report::plan::{WINDOW, waits};
use crate::rule::Class;
use crate::text::SourceFile;
use std::borrow::Cow;
use std::io::{self, Write};

/// How many phases a plan has in all.
pub(super) fn phases_of(plan: &FilePlan) -> usize {
    let phases = |piece: &Piece| match piece {
        Piece::Planned(plan) => plan.phases.len(),
        Piece::Kept(..) | Piece::Refused { .. } => 0,
    };
    plan.pieces.iter().map(phases).sum()
}

pub(super) fn write<W: Write>(plan: &FilePlan, id: &str, page: &mut Page<'_, W>) -> io::Result<()> {
    put!(page, "<h4 id=\"", (id), "-plan\">What to run instead</h4>\n<div class=\"plan\">\n");
    let mut files = plan.judged.migrations.iter();
    let source = plan.naive.migrations.first().map(|migration| &*migration.source);
    for piece in &plan.pieces {
        match piece {
            Piece::Kept(statements, _) => kept(statements, source, files.next(), page)?,
            Piece::Planned(plan) => phases(plan, &mut files, page)?,
            Piece::Refused { sql, class, refusal } => refused((&shown(sql, source), *class), refusal, files.next(), page)?,
        }
    }
    end(plan, page)?;
    put!(page, "</div>\n");
    Ok(())
}

fn phases<'a, W: Write>(plan: &Plan, files: &mut impl Iterator<Item = &'a Assessed>, page: &mut Page<'_, W>) -> io::Result<()> {
    put!(
        page,
        "<div class=\"piece\">\n<p><b>",
        (plan.name),
        "</b>: ",
        (count(plan.phases.len(), "phase")),
        " instead of <code>",
        (plan.instead_of),
        "</code></p>\n"
    );
    put!(page, "<ol class=\"phases\">\n");
    for (at, phase) in plan.phases.iter().enumerate() {
        gates(phase, page)?;
        put!(page, "<li class=\"phase ", (phase.stage.word()), "\"><p class=\"head\"><span class=\"stage\">", (at + 1), "/");
        put!(page, (plan.phases.len()), " ", (phase.stage.word()), "</span> <b>", (phase.title), "</b></p>\n");
        one(phase, files.next(), page)?;
        put!(page, "</li>\n");
    }
    put!(page, "</ol>\n");
    if !plan.manual.is_empty() || !plan.differs.is_empty() {
        put!(page, "<ul class=\"notes\">\n");
        for manual in &plan.manual {
            put!(page, "<li><b>By hand:</b> ", (manual.thing), ": ");
            page.prose(&manual.what)?;
            put!(page, "</li>\n");
        }
        for difference in &plan.differs {
            put!(page, "<li><b>Ends differently:</b> ");
            page.prose(difference)?;
            put!(page, "</li>\n");
        }
        put!(page, "</ul>\n");
    }
    put!(page, "</div>\n");
    Ok(())
}

/// SQL as the file has it, without its secrets.
fn shown<'t>(sql: &'t str, source: Option<&SourceFile>) -> Cow<'t, str> {
    source.map_or(Cow::Borrowed(sql), |source| source.without_hidden(sql))
}

/// What has to be true before a phase.
fn gates<W: Write>(phase: &Phase, page: &mut Page<'_, W>) -> io::Result<()> {
    if let Some(what) = &phase.deploy {
        put!(page, "<li class=\"gate\"><b>Deploy</b> ");
        page.prose(what)?;
        put!(page, "</li>\n");
    }
    if let Some(hours) = phase.wait_hours {
        put!(page, "<li class=\"gate\"><b>Wait</b> ", (hours), " hours</li>\n");
    }
    if let Some(query) = &phase.assert {
        put!(page, "<li class=\"gate\"><b>Go on when this is true:</b> <code>", (query), "</code></li>\n");
    }
    Ok(())
}

fn one<W: Write>(phase: &Phase, file: Option<&Assessed>, page: &mut Page<'_, W>) -> io::Result<()> {
    put!(page, "<p>");
    page.prose(&phase.why)?;
    put!(page, "</p>\n<pre class=\"code\">");
    for line in &phase.up {
        put!(page, (line.sql.trim_end()), ";\n");
    }
    put!(page, "</pre>\n<dl>\n");
    where_and_who(file, page)?;
    row("Runs", runs(phase), page)?;
    row("Code", &phase.meanwhile, page)?;
    for query in &phase.verify {
        put!(page, "<dt>Verify</dt><dd><code>", (query), "</code></dd>\n");
    }
    match &phase.down {
        Down::Sql(statements) if statements.is_empty() => row("Way back", "nothing to undo", page)?,
        Down::Sql(statements) => {
            put!(page, "<dt>Way back</dt><dd><pre class=\"code\">");
            for sql in statements {
                put!(page, (sql.trim_end()), ";\n");
            }
            put!(page, "</pre></dd>\n");
        }
        Down::Nothing(why) => row("Way back", &format!("none: {why}"), page)?,
    }
    put!(page, "</dl>\n");
    Ok(())
}

fn runs(phase: &Phase) -> &'static str {
    match (phase.runs, &phase.batches) {
        (_, Some(_)) => "in batches, a transaction each",
        (Runs::InTransaction, None) => "in one transaction",
        (Runs::Alone, None) => "alone, in no transaction",
    }
}

fn where_and_who<W: Write>(file: Option<&Assessed>, page: &mut Page<'_, W>) -> io::Result<()> {
    let Some(file) = file else { return Ok(()) };
    put!(page, "<dt>File</dt><dd>");
    page.path(file.source.path())?;
    put!(page, "</dd>\n");
    row("Waits", &waits(&file.statements), page)
}

fn row<W: Write>(name: &'static str, text: &str, page: &mut Page<'_, W>) -> io::Result<()> {
    if !text.is_empty() {
        put!(page, "<dt>", (name), "</dt><dd>");
        page.prose(text)?;
        put!(page, "</dd>\n");
    }
    Ok(())
}

fn kept<W: Write>(statements: &[String], source: Option<&SourceFile>, file: Option<&Assessed>, page: &mut Page<'_, W>) -> io::Result<()> {
    let what = words::verb(statements.len(), "This statement runs as it is", "These statements run as they are");
    put!(page, "<div class=\"piece\"><p class=\"head\"><b>", (what), "</b></p>\n<pre class=\"code\">");
    for sql in statements {
        put!(page, (shown(sql.trim_end(), source)), ";\n");
    }
    put!(page, "</pre>\n<dl>\n");
    where_and_who(file, page)?;
    put!(page, "</dl></div>\n");
    Ok(())
}

fn refused<W: Write>((sql, class): (&str, Class), refusal: &Refusal, file: Option<&Assessed>, page: &mut Page<'_, W>) -> io::Result<()> {
    put!(page, "<div class=\"piece\"><p class=\"head\"><b>There is no plan for this statement</b> ");
    super::overview::badge(class, page)?;
    put!(page, "</p>\n<pre class=\"code\">", (sql.trim_end()), ";</pre>\n<p>");
    page.prose(refusal.reason())?;
    put!(page, "</p>\n<dl>\n");
    where_and_who(file, page)?;
    put!(page, "</dl>\n");
    match refusal {
        Refusal::Unknown(_) => {
            put!(page, "<p>Tell what the history does not: <code>--schema dump.sql</code> from <code>pg_dump --schema-only</code></p>\n");
        }
        Refusal::Release(_) => {}
        Refusal::Window(_) => {
            put!(page, "<ul class=\"checklist\">\n");
            for step in WINDOW {
                put!(page, "<li>", (step), "</li>\n");
            }
            put!(page, "</ul>\n");
        }
    }
    put!(page, "</div>\n");
    Ok(())
}

/// What was found in the files of the plan: they are linted like any other.
fn end<W: Write>(plan: &FilePlan, page: &mut Page<'_, W>) -> io::Result<()> {
    for migration in &plan.judged.migrations {
        for finding in migration.findings.iter().filter(|finding| finding.allowed.is_none()) {
            let weight = words::weight(finding);
            put!(page, "<p class=\"remains\"><span class=\"mark ", (weight), "\">", (weight), " ", (finding.rule), "</span> ");
            page.path(migration.source.path())?;
            put!(page, ": ");
            page.prose(&finding.message)?;
            put!(page, "</p>\n");
        }
    }
    if let Some(none) = &plan.no_room {
        put!(page, "<p class=\"quiet\">The files have no names yet: ", (none), "</p>\n");
    }
    Ok(())
}
