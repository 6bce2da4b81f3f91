//! The statements of a migration one below the other, with the locks that each takes, who waits, and for how long.

use super::migration::Section;
use super::page::{Page, put};
use super::rail::{Rail, rows};
use super::source::Extract;
use super::words;
use crate::lint::finding::{Finding, Judged};
use crate::model::effects::Lock;
use crate::model::lock::Blocked;
use crate::model::name::QualifiedName;
use crate::model::session::Held;
use crate::report::count;
use crate::report::plan::how_long;
use crate::report::show::one_line;
use crate::rule::Class;
use crate::sql::Reading;
use std::io::{self, Write};
use std::ops::Range;

/// Relations, statements of a body and others of a kind that are named one by one.
const MOST_NAMED: usize = 8;
/// Statements that are listed although there is nothing to say of them.
const MOST_LISTED: usize = 40;

impl<'a> Section<'a> {
    pub(super) fn timeline<W: Write>(&self, extract: &Extract, page: &mut Page<'_, W>) -> io::Result<()> {
        let statements = &self.migration.statements;
        if statements.is_empty() {
            put!(page, "<p>No statement is run.</p>\n");
            return Ok(());
        }
        let mut findings: Vec<Vec<usize>> = vec![Vec::new(); statements.len()];
        for (at, finding) in self.migration.findings.iter().enumerate() {
            if let Some(of) = finding.statement.and_then(|index| findings.get_mut(index)) {
                of.push(at);
            }
        }
        let rows = rows(statements, |at| !findings[at].is_empty());
        let timeline = Timeline { section: self, statements, findings, rail: Rail::of(statements), extract };
        put!(page, "<h4>Timeline</h4>\n<ol class=\"timeline\">\n");
        let left = rows.len().saturating_sub(self.share.rows);
        for row in &rows[..rows.len() - left] {
            timeline.row(row, page)?;
        }
        put!(page, "</ol>\n");
        if left > 0 {
            put!(page, "<p class=\"left\">The rows of ", (left), " more statements or groups of them are left out: the page would be too ");
            put!(page, "long. <code>lockkeeper lint --format json</code> has all of them.</p>\n");
        }
        Ok(())
    }
}

struct Timeline<'a, 's> {
    section: &'s Section<'a>,
    statements: &'a [Judged],
    /// By statement.
    findings: Vec<Vec<usize>>,
    rail: Rail<'a>,
    extract: &'s Extract,
}

impl Timeline<'_, '_> {
    fn row<W: Write>(&self, row: &Range<usize>, page: &mut Page<'_, W>) -> io::Result<()> {
        let statement = &self.statements[row.start];
        let transaction = statement.course.transaction;
        let starts = row.start == 0 || self.rail.end(row.start - 1) != self.rail.end(row.start);
        let number = self.rail.end(row.start) + 1 - row.start;
        // One alone is its own transaction, whoever opens it.
        let is_alone = starts && number == 1;
        if let Some(within) = transaction.filter(|_| starts && !is_alone) {
            put!(page, "<li class=\"row caption\">");
            self.draw(&(0..0), "tx a", page)?;
            put!(
                page,
                "<p class=\"what\">One transaction, ",
                (words::opener(within.opener)),
                ": ",
                (count(number, "statement")),
                "</p></li>\n"
            );
        }
        put!(page, "<li class=\"row ", (words::takes(takes(statement))), "\">");
        let is_last = self.rail.end(row.start) < row.end;
        let bracket = match (transaction, is_last) {
            (None, _) => "alone",
            (Some(_), _) if is_alone => "alone",
            (Some(_), true) => "tx z",
            (Some(_), false) => "tx",
        };
        self.draw(row, bracket, page)?;
        put!(page, "<div class=\"what\">");
        if row.len() == 1 {
            self.statement(row.start, page)?
        } else {
            self.quiet(row, page)?
        }
        put!(page, "</div></li>\n");
        Ok(())
    }

    /// The bracket and the bars beside a row.
    fn draw<W: Write>(&self, row: &Range<usize>, bracket: &'static str, page: &mut Page<'_, W>) -> io::Result<()> {
        put!(page, "<span class=\"rail\" aria-hidden=\"true\"><i class=\"", (bracket), "\"></i>");
        let beside = self.rail.beside(row);
        for bar in &beside[..self.rail.lanes] {
            match bar.filter(|_| !row.is_empty()) {
                None => put!(page, "<i></i>"),
                Some(bar) => {
                    put!(page, "<i class=\"bar ", (words::stops(bar.mode)));
                    if row.contains(&bar.from) {
                        put!(page, " a");
                    }
                    if row.contains(&bar.to) {
                        put!(page, " z");
                    }
                    put!(page, "\"></i>");
                }
            }
        }
        put!(page, "</span>");
        Ok(())
    }

    fn statement<W: Write>(&self, at: usize, page: &mut Page<'_, W>) -> io::Result<()> {
        let statement = &self.statements[at];
        put!(page, "<p class=\"head\">");
        self.place(statement, page)?;
        put!(page, " <code>", (one_line(&self.section.migration.source, statement.span)), "</code>");
        if statement.class > Class::Additive {
            put!(page, " ");
            super::overview::badge(statement.class, page)?;
        }
        put!(page, "</p>");
        self.waits(at, page)?;
        does(statement, page)?;
        self.body(statement, page)?;
        if statement.reading == Reading::Unreadable {
            put!(page, "<p class=\"does\"><b>unreadable:</b> what it does is not known</p>");
        }
        for which in self.findings[at].iter().take(MOST_NAMED) {
            self.link(*which, page)?;
        }
        if self.findings[at].len() > MOST_NAMED {
            put!(page, "<span class=\"quiet\">and ", (count(self.findings[at].len() - MOST_NAMED, "more finding")), "</span>");
        }
        Ok(())
    }

    /// The line of a statement, as a link where the page shows it.
    fn place<W: Write>(&self, statement: &Judged, page: &mut Page<'_, W>) -> io::Result<()> {
        let line = self.section.migration.source.text_place(statement.span.start).line;
        self.extract.link(&self.section.ids.migration, line, None, page)
    }

    fn link<W: Write>(&self, which: usize, page: &mut Page<'_, W>) -> io::Result<()> {
        let finding: &Finding = &self.section.migration.findings[which];
        let weight = words::weight(finding);
        if self.extract.shows_finding(which) {
            put!(page, "<a class=\"mark ", (weight), "\" href=\"#", (self.section.ids.findings[which]), "\">");
            put!(page, (weight), " ", (finding.rule), "</a> ");
        } else {
            put!(page, "<span class=\"mark ", (weight), "\">", (weight), " ", (finding.rule), "</span> ");
        }
        Ok(())
    }

    /// The locks for which somebody waits, and those that its transaction holds all the while.
    fn waits<W: Write>(&self, at: usize, page: &mut Page<'_, W>) -> io::Result<()> {
        let statement = &self.statements[at];
        let course = &statement.course;
        let end = self.rail.end(at);
        put!(page, "<ul class=\"locks\">");
        for lock in &course.stops {
            put!(page, "<li class=\"", (words::stops(lock.mode)), "\"><b>", (lock.mode), "</b> on <code>", (lock.relation), "</code>: ");
            put!(page, (words::who(lock.mode)), " wait ", (how_long(course.takes)));
            if end > at {
                let line = self.section.migration.source.text_place(self.statements[end].span.start).line;
                put!(page, ", and on until the transaction ends (line ", (line), ")");
            }
            put!(page, "</li>");
        }
        if takes(statement) > Blocked::Brief {
            let is_stronger = |held: &&Held| {
                let own = course.stops.iter().find(|lock| lock.relation == held.lock.relation);
                own.is_none_or(|lock| lock.mode < held.lock.mode)
            };
            if let Some(held) = course.held.as_ref().filter(is_stronger) {
                let line = self.statements.get(held.by).map(|by| self.section.migration.source.text_place(by.span.start).line);
                put!(page, "<li class=\"", (words::stops(held.lock.mode)), "\">all the while ", (words::who(held.lock.mode)));
                put!(page, " of <code>", (held.lock.relation), "</code> wait: <b>", (held.lock.mode), "</b>");
                if let Some(line) = line {
                    put!(page, " since line ", (line));
                }
                put!(page, "</li>");
            }
        }
        others(statement, page)?;
        put!(page, "</ul>");
        Ok(())
    }

    /// The statements of its bodies.
    fn body<W: Write>(&self, statement: &Judged, page: &mut Page<'_, W>) -> io::Result<()> {
        if statement.body.is_empty() {
            return Ok(());
        }
        put!(page, "<ul class=\"body\">");
        for inner in statement.body.iter().take(MOST_NAMED) {
            put!(page, "<li>runs <code>", (one_line(&self.section.migration.source, inner.span)), "</code>");
            if inner.conditional {
                put!(page, " <span class=\"quiet\">(under a condition: it may not)</span>");
            }
            put!(page, "</li>");
        }
        if statement.body.len() > MOST_NAMED {
            put!(page, "<li>and ", (count(statement.body.len() - MOST_NAMED, "more statement")), "</li>");
        }
        put!(page, "</ul>");
        Ok(())
    }

    /// Several statements of which there is nothing to say.
    fn quiet<W: Write>(&self, row: &Range<usize>, page: &mut Page<'_, W>) -> io::Result<()> {
        let statements = &self.statements[row.clone()];
        put!(
            page,
            "<details class=\"quiet-rows\"><summary>",
            (count(statements.len(), "statement")),
            " for which nobody waits</summary><ul>"
        );
        for statement in statements.iter().take(MOST_LISTED) {
            put!(page, "<li>");
            self.place(statement, page)?;
            put!(page, " <code>", (one_line(&self.section.migration.source, statement.span)), "</code></li>");
        }
        if statements.len() > MOST_LISTED {
            put!(page, "<li>and ", (count(statements.len() - MOST_LISTED, "more statement")), "</li>");
        }
        put!(page, "</ul></details>");
        Ok(())
    }
}

/// How long a statement takes: as its effects say, or a rule, where locks are held meanwhile.
fn takes(statement: &Judged) -> Blocked {
    let course = &statement.course;
    let is_felt = course.takes == Blocked::Brief && course.held.is_some() && statement.class == Class::MaintenanceWindow;
    if is_felt { Blocked::Long } else { course.takes }
}

/// Locks that stop nobody.
fn others<W: Write>(statement: &Judged, page: &mut Page<'_, W>) -> io::Result<()> {
    let course = &statement.course;
    let stronger = course.stops.iter().chain(course.held.as_ref().map(|held| &held.lock));
    // A strong lock beside one that stops somebody may be on an index of that table.
    let is_other =
        |lock: &&Lock| stronger.clone().all(|stop| stop.relation != lock.relation && (stop.mode < lock.mode || !lock.mode.blocks_writes()));
    let others: Vec<_> = statement.effects.locks.iter().filter(is_other).collect();
    if others.is_empty() {
        return Ok(());
    }
    put!(page, "<li class=\"free\">nobody waits for ");
    for (at, lock) in others.iter().take(MOST_NAMED).enumerate() {
        if at > 0 {
            put!(page, ", ");
        }
        put!(page, (lock.mode), " on <code>", (lock.relation), "</code>");
    }
    if others.len() > MOST_NAMED {
        put!(page, " and ", (count(others.len() - MOST_NAMED, "more lock")));
    }
    put!(page, "</li>");
    Ok(())
}

/// Why it takes long, and how long that is.
fn does<W: Write>(statement: &Judged, page: &mut Page<'_, W>) -> io::Result<()> {
    let effects = &statement.effects;
    let work: [(&str, &[QualifiedName]); 4] = [
        ("rewrites", &effects.rewrites),
        ("reads all of", &effects.scans),
        ("builds", &effects.builds),
        ("builds anew", &effects.rebuilds),
    ];
    let said = work.iter().any(|(_, names)| !names.is_empty()) || effects.unbounded || effects.opaque || statement.estimate.is_some();
    if !said {
        return Ok(());
    }
    put!(page, "<p class=\"does\">");
    let mut between = "";
    for (verb, names) in work.iter().filter(|(_, names)| !names.is_empty()) {
        put!(page, (between), (verb), " ");
        between = "; ";
        for (at, name) in names.iter().take(MOST_NAMED).enumerate() {
            if at > 0 {
                put!(page, ", ");
            }
            put!(page, "<code>", (name), "</code>");
        }
        if names.len() > MOST_NAMED {
            put!(page, " and ", (names.len() - MOST_NAMED), " more");
        }
    }
    if effects.unbounded {
        put!(page, (between), "works on a number of rows that nothing limits");
        between = "; ";
    }
    if effects.opaque {
        put!(page, (between), "does what nobody can see from here");
        between = "; ";
    }
    if let Some(estimate) = statement.estimate {
        put!(page, (between), "about ", (estimate.seconds), " s");
    }
    put!(page, "</p>");
    Ok(())
}
