//! A finding: what and where, why, and what to do instead.

use super::migration::Section;
use super::page::{Page, put};
use super::source::Extract;
use super::{Told, words};
use crate::lint::finding::{Allowance, Edit, Finding, Safety, Suggestion};
use crate::report::count;
use crate::report::diff::{self, Change};
use std::io::{self, Write};

/// Edits of one fix that are further apart than this many lines are not shown.
const FURTHEST: u32 = 60;
/// Lines of a new file that are shown.
const MOST_LINES: usize = 12;

impl<'a> Section<'a> {
    pub(super) fn finding<W: Write>(&self, at: usize, extract: &Extract, told: &mut Told<'a>, page: &mut Page<'_, W>) -> io::Result<()> {
        let finding = &self.migration.findings[at];
        let id = self.ids.findings[at].as_str();
        let weight = words::weight(finding);
        let place = self.migration.source.text_place(finding.span.start);
        put!(page, "<article class=\"finding ", (weight), "\" id=\"", (id), "\">\n<h5><span class=\"mark ", (weight), "\">");
        put!(page, (weight), "</span> <code>", (finding.rule), "</code> ");
        extract.link(&self.ids.migration, place.line, Some(place.column), page)?;
        if self.migration.source.origin().is_some() {
            put!(page, " <span class=\"quiet\">from line ", (self.migration.source.place(finding.span.start).line), " of the file</span>");
        }
        put!(page, " <a class=\"self\" href=\"#", (id), "\" aria-label=\"Link to this finding\">#</a></h5>\n<p class=\"message\">");
        page.prose(&finding.message)?;
        put!(page, "</p>\n");
        match &finding.allowed {
            Some(Allowance::Comment { reason, span }) => {
                let line = self.migration.source.text_place(span.start).line;
                put!(page, "<p class=\"reason\"><b>Allowed</b> in line ", (line), ", because ", (reason), "</p>\n");
            }
            Some(Allowance::Baseline) => put!(page, "<p class=\"reason\">It is in the baseline.</p>\n"),
            None => {}
        }
        assumed(&finding.assumed, page)?;
        why(finding, id, told, page)?;
        if let Some(fix) = finding.suggestion.as_ref().filter(|_| finding.allowed.is_none()) {
            self.suggestion(fix, page)?;
        }
        put!(page, "</article>\n");
        Ok(())
    }

    fn suggestion<W: Write>(&self, fix: &Suggestion, page: &mut Page<'_, W>) -> io::Result<()> {
        put!(page, "<div class=\"fix\"><p><b>Instead:</b> ");
        page.prose(&fix.title)?;
        put!(page, " <span class=\"quiet\">leaves</span> ");
        super::overview::badge(fix.class, page)?;
        match fix.safety {
            Safety::Safe => {}
            Safety::Review => put!(page, " <span class=\"quiet\">to be looked at before it is taken</span>"),
        }
        put!(page, "</p>\n");
        if fix.recipe.is_some() && self.plan.is_some() {
            put!(page, "<p><a href=\"#", (self.ids.migration), "-plan\">All phases, with their SQL</a></p>\n</div>\n");
            return Ok(());
        }
        self.edits(fix, page)?;
        if let Some(why) = &fix.not_offered {
            put!(page, "<p><b>No edit:</b> ");
            page.prose(why)?;
            put!(page, "</p>\n");
        }
        if !fix.steps.is_empty() {
            put!(page, "<ol class=\"steps\">\n");
            for step in &fix.steps {
                let text = step.text.trim_end();
                put!(page, "<li><b>", (step.phase), "</b> ");
                if text.ends_with(';') {
                    put!(page, "<pre class=\"code\">", (text), "</pre>");
                } else {
                    page.prose(text)?;
                }
                put!(page, "</li>\n");
            }
            put!(page, "</ol>\n");
        }
        for file in &fix.files {
            put!(page, "<p>New file ");
            page.path(&file.path)?;
            put!(page, "</p>\n<pre class=\"code\">");
            for line in file.text.trim_end().lines().take(MOST_LINES) {
                put!(page, (line), "\n");
            }
            put!(page, "</pre>\n");
            if let more @ 1.. = file.text.trim_end().lines().count().saturating_sub(MOST_LINES) {
                put!(page, "<p class=\"quiet\">and ", (count(more, "more line")), "</p>\n");
            }
        }
        if fix.recipe.is_some() {
            put!(page, "<p>All phases, with their SQL: <code>lockkeeper plan ", (self.migration.source.path().display()), "</code></p>\n");
        }
        put!(page, "</div>\n");
        Ok(())
    }

    /// What an edit changes, line by line.
    fn edits<W: Write>(&self, fix: &Suggestion, page: &mut Page<'_, W>) -> io::Result<()> {
        if fix.edits.is_empty() {
            return Ok(());
        }
        let source = &self.migration.source;
        let line = |edit: &Edit| source.text_place(edit.span.start).line..=source.text_place(edit.span.end).line;
        let (first, last) =
            fix.edits.iter().map(line).fold((u32::MAX, 0), |(first, last), line| (first.min(*line.start()), last.max(*line.end())));
        let changes = if last - first > FURTHEST { None } else { diff::changes(source, &fix.edits) };
        let Some(changes) = changes else {
            put!(page, "<p>The edits are too far apart to be shown here: <code>lockkeeper lint --diff</code> does.</p>\n");
            return Ok(());
        };
        put!(page, "<pre class=\"diff\">");
        for (change, line) in changes {
            match change {
                Change::Stays => put!(page, "<span>  ", (line), "\n</span>"),
                Change::Goes => put!(page, "<del>- ", (line), "\n</del>"),
                Change::Comes => put!(page, "<ins>+ ", (line), "\n</ins>"),
            }
        }
        put!(page, "</pre>\n");
        Ok(())
    }
}

fn assumed<W: Write>(facts: &[String], page: &mut Page<'_, W>) -> io::Result<()> {
    if facts.is_empty() {
        return Ok(());
    }
    put!(page, "<p class=\"quiet\">Assumed: ");
    for (at, fact) in facts.iter().enumerate() {
        if at > 0 {
            put!(page, ", ");
        }
        put!(page, "<code>", (fact), "</code>");
    }
    put!(page, ". The history does not tell, so the worst is taken; a schema dump does: <code>--schema dump.sql</code></p>\n");
    Ok(())
}

/// The reason, once on a page.
fn why<'a, W: Write>(finding: &'a Finding, id: &'a str, told: &mut Told<'a>, page: &mut Page<'_, W>) -> io::Result<()> {
    if finding.why.trim().is_empty() {
        return Ok(());
    }
    if let Some(first) = told.whys.get(&*finding.why) {
        put!(page, "<p class=\"quiet\">Why: <a href=\"#", (first), "\">as said further up</a>, and by <code>lockkeeper explain ");
        put!(page, (finding.rule), "</code></p>\n");
        return Ok(());
    }
    told.whys.insert(&finding.why, id);
    put!(page, "<div class=\"why\">");
    page.paragraphs(&finding.why)?;
    put!(page, "</div>\n");
    Ok(())
}
