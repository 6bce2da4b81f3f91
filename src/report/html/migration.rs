//! One migration: what to do with it, its timeline, its findings, its plan, and its text.

use super::ids::Ids;
use super::overview::change;
use super::page::{Page, put};
use super::share::{Share, gravest};
use super::source::{Extract, Marks};
use super::{Kind, Told, words};
use crate::lint::finding::{Allowance, Assessed, Finding};
use crate::lint::planner::FilePlan;
use crate::report::count;
use crate::report::human::next_step;
use crate::rule::Severity;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// A migration and how much of it is shown.
pub(super) struct Section<'a> {
    pub kind: Kind,
    pub migration: &'a Assessed,
    pub ids: &'a Ids,
    pub share: Share,
    pub plan: Option<&'a FilePlan>,
}

impl<'a> Section<'a> {
    pub fn write<W: Write>(&self, told: &mut Told<'a>, page: &mut Page<'_, W>) -> io::Result<()> {
        let migration = self.migration;
        let shown = gravest(&migration.findings, self.share);
        let extract = Extract::of(migration, &shown, self.share.whole_source);
        put!(page, "<details class=\"migration ", (words::style(migration.class)), "\"");
        if !words::is_silent(migration) {
            put!(page, " open");
        }
        put!(page, "><summary><h3>");
        page.path(migration.source.path())?;
        put!(page, "</h3> ");
        change(migration, page)?;
        put!(page, " <span class=\"quiet\">", (words::counts_of(migration)), "</span></summary>\n");
        put!(page, "<div class=\"inside\" id=\"", (self.ids.migration), "\">\n<p class=\"todo\"><b>");
        put!(page, (next_step(migration)), "</b></p>\n<p class=\"quiet\">");
        put!(page, (count(migration.statements.len(), "statement")), ", ", (words::transaction(migration.transaction)));
        if let Some(tool) = migration.tool {
            put!(page, ", as ", (tool.word()), " does it");
        }
        if let Some(origin) = migration.source.origin() {
            put!(page, ", in the SQL that ", (origin.by), " prints of it");
        }
        put!(page, ".</p>\n");
        let plan = |page: &mut Page<'_, W>| self.plan.map_or(Ok(()), |plan| super::plan::write(plan, &self.ids.migration, page));
        if self.kind == Kind::Plan {
            plan(page)?;
        }
        self.timeline(&extract, page)?;
        self.findings(&shown, &extract, told, page)?;
        if self.kind == Kind::Lint {
            plan(page)?;
        }
        let marks = Marks { migration, ids: self.ids, shown: &shown };
        super::source::write(&marks, &extract, page)?;
        put!(page, "</div>\n</details>\n");
        Ok(())
    }

    fn findings<W: Write>(&self, shown: &[usize], extract: &Extract, told: &mut Told<'a>, page: &mut Page<'_, W>) -> io::Result<()> {
        let all = &self.migration.findings;
        if all.is_empty() {
            return Ok(());
        }
        put!(page, "<h4>Findings</h4>\n");
        for at in shown {
            self.finding(*at, extract, told, page)?;
        }
        let rest: Vec<_> = (0..all.len()).filter(|at| shown.binary_search(at).is_err()).map(|at| &all[at]).collect();
        let (known, left): (Vec<_>, Vec<_>) = rest.into_iter().partition(|finding| finding.allowed == Some(Allowance::Baseline));
        if !known.is_empty() {
            put!(page, "<p class=\"quiet\">In the baseline: ");
            by_rule(&known, page)?;
            put!(page, "</p>\n");
        }
        left_out(&left, page)
    }
}

/// What there was no room for, by rule.
fn left_out<W: Write>(left: &[&Finding], page: &mut Page<'_, W>) -> io::Result<()> {
    if left.is_empty() {
        return Ok(());
    }
    put!(page, "<p class=\"left\"><b>", (count(left.len(), "more finding")), " of this migration ");
    put!(page, (words::verb(left.len(), "is", "are")), " left out</b>, as the page would be too long; ");
    put!(page, "<code>lockkeeper lint --format json</code> has all of them. By rule: ");
    by_rule(left, page)?;
    put!(page, ".</p>\n");
    Ok(())
}

/// `3 × error drop-column, 1 × advice add-integer-key`.
fn by_rule<W: Write>(findings: &[&Finding], page: &mut Page<'_, W>) -> io::Result<()> {
    let mut rules: BTreeMap<(Reverse<Severity>, &str), usize> = BTreeMap::new();
    for finding in findings {
        *rules.entry((Reverse(finding.severity), &finding.rule)).or_default() += 1;
    }
    for (at, ((Reverse(severity), rule), number)) in rules.iter().enumerate() {
        if at > 0 {
            put!(page, ", ");
        }
        put!(page, (number), " × ", (severity), " <code>", (rule), "</code>");
    }
    Ok(())
}
