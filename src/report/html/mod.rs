//! The report as one page for a browser: it needs nothing else, runs nothing, and asks nobody for anything.
//!
//! [`page`] knows how to escape, and nothing but literals of this module becomes markup.

mod finding;
mod ids;
mod migration;
mod overview;
mod page;
mod plan;
mod rail;
mod share;
mod source;
mod timeline;
mod words;

use super::{Run, Totals, count, plan_of, worst_class};
use crate::discover::Skipped;
use crate::lint::finding::Report;
use crate::lint::planner::FilePlan;
use ids::Ids;
use migration::Section;
use page::{Page, put};
use share::Share;
use std::collections::HashMap;
use std::io::{self, Write};

const STYLE: &str = include_str!("style.css");

/// The page of a run of `lint`.
pub(super) fn write(report: &Report, run: &Run<'_>, out: &mut impl Write) -> io::Result<()> {
    Document::of(Kind::Lint, report, run.plans, &run.look.skipped).write(out)
}

/// The page of a plan: the migration that it stands for, and its phases.
pub(super) fn write_plan(plan: &FilePlan, out: &mut impl Write) -> io::Result<()> {
    Document::of(Kind::Plan, &plan.naive, std::slice::from_ref(plan), &Skipped::default()).write(out)
}

/// What a page is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// What was found.
    Lint,
    /// What to run instead.
    Plan,
}

/// What a page is made of.
struct Document<'a> {
    kind: Kind,
    report: &'a Report,
    plans: &'a [FilePlan],
    skipped: &'a Skipped,
    shares: Vec<Share>,
    ids: Vec<Ids>,
}

/// What the reader knows already.
#[derive(Default)]
struct Told<'a> {
    /// Reasons, and the finding under which each stands.
    whys: HashMap<&'a str, &'a str>,
}

impl<'a> Document<'a> {
    fn of(kind: Kind, report: &'a Report, plans: &'a [FilePlan], skipped: &'a Skipped) -> Self {
        Self { kind, report, plans, skipped, shares: share::shares(&report.migrations), ids: ids::ids(&report.migrations) }
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let page = &mut Page::new(out);
        self.head(page)?;
        put!(page, "<body>\n<a class=\"skip\" href=\"#migrations\">To the migrations</a>\n");
        overview::write(self, page)?;
        put!(page, "<section id=\"migrations\" class=\"migrations\" aria-labelledby=\"migrations-head\">\n");
        put!(page, "<h2 id=\"migrations-head\">Migrations in detail</h2>\n");
        let mut told = Told::default();
        for (at, migration) in self.report.migrations.iter().enumerate() {
            let plan = plan_of(self.plans, migration);
            Section { kind: self.kind, migration, ids: &self.ids[at], share: self.shares[at], plan }.write(&mut told, page)?;
        }
        put!(page, "</section>\n</main>\n<footer><p>Written by lockkeeper ", (env!("CARGO_PKG_VERSION")));
        put!(page, ". This page loads nothing and runs nothing.</p></footer>\n</body>\n</html>\n");
        Ok(())
    }

    /// Nothing may be loaded: neither what we have forgotten, nor what somebody has slipped in.
    fn head<W: Write>(&self, page: &mut Page<'_, W>) -> io::Result<()> {
        put!(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        put!(page, "<meta http-equiv=\"Content-Security-Policy\" ");
        put!(page, "content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n");
        put!(page, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
        put!(page, "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n");
        put!(page, "<meta name=\"generator\" content=\"lockkeeper ", (env!("CARGO_PKG_VERSION")), "\">\n");
        let totals = Totals::of(&self.report.migrations);
        put!(page, "<title>");
        match self.kind {
            Kind::Lint => {
                put!(page, (worst_class(self.report)), ": ", (words::gravest(&totals)), " in ", (count(totals.migrations, "migration")))
            }
            Kind::Plan => put!(page, "plan: ", (overview::verdict(self))),
        }
        put!(page, " – lockkeeper</title>\n<style>\n");
        page.markup(STYLE)?;
        put!(page, "</style>\n</head>\n");
        Ok(())
    }
}
