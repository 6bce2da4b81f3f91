//! Every plan for a bad example of a rule that has a recipe.

use super::ends::File;
use super::journey::Journey;
use super::phases::{declared, steps};
use super::table::{Table, Tally};
use crate::servers::oldest_and_newest;
use lockkeeper::db::block_on;
use lockkeeper::db::server::Server;
use lockkeeper::lint::example;
use lockkeeper::lint::planner::{Piece, plan_file};
use lockkeeper::lint::{Settings, finding::Report};
use lockkeeper::model::session::TransactionMode;
use lockkeeper::rule::example::Example;
use lockkeeper::rule::set::{Entry, RuleSet};
use lockkeeper::text::SourceFile;
use std::collections::BTreeMap;
use std::sync::Mutex;

// One test for each rule: `cargo test --test live same_end::plans::rename_column`.
include!(concat!(env!("OUT_DIR"), "/rule_tests.rs"));

static TABLE: Table = Table { title: "plans", without: "examples without a plan", sums: Mutex::new(BTreeMap::new()) };

/// More than two batches.
const ROWS: u32 = 2500;

fn speaks_for_itself(rule: &str) {
    let mut rules = RuleSet::embedded();
    rules.while_on(rule, hold_all).expect("the test was made from the rule");
}

fn hold_all(entry: &Entry, rules: &RuleSet) {
    let examples = entry.examples().unwrap_or_else(|problem| panic!("{}", problem.message));
    let mut complaints = Vec::new();
    for server in oldest_and_newest() {
        let mut tally = Tally::default();
        let of_this_server = |example: &&Example| example.is_about(server.installation().version.0);
        for example in examples.bad.iter().filter(of_this_server) {
            hold(entry, example, rules, server, &mut tally);
        }
        complaints.append(&mut tally.complaints);
        TABLE.add(&server.installation().release, &mut tally, rules.all().count());
    }
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

fn hold(entry: &Entry, example: &Example, rules: &RuleSet, server: &Server, tally: &mut Tally) {
    let config = example::config(example);
    let settings = Settings { rules, config: &config, server: server.installation().version };
    let planned = plan_file(example::discovered(example, &config), &settings);
    if !asks_for_a_plan(&entry.id, &planned.naive) {
        return;
    }
    let name = format!("{}: {:?}", entry.id, example::name(example));
    let reason =
        planned.pieces.iter().find_map(|piece| if let Piece::Refused { refusal, .. } = piece { Some(refusal.reason()) } else { None });
    if let Some(reason) = reason {
        tally.left_out.insert(format!("{name}: {reason}"));
        return;
    }
    let Some(sql) = example.sql.as_deref().filter(|_| example.live && example.files.is_empty()) else {
        tally.left_out.insert(format!("{name}: it has no single file that a server could be asked about"));
        return;
    };
    let mode = planned.naive.migrations.first().map_or(TransactionMode::None, |migration| migration.transaction);
    let journey = Journey {
        who: format!("{name} on {}", server.installation().release),
        server,
        before: vec![File { source: SourceFile::new("given.sql", example.given.as_str()), mode: TransactionMode::None }],
        naive: vec![File { source: SourceFile::new(&example.file, sql), mode }],
        steps: steps(&planned),
        declared: declared(&planned.pieces),
    };
    journey.lints_clean(tally);
    let proofs = block_on(async {
        let rows = if waits_for_rows(&planned.pieces) { 0 } else { ROWS };
        journey.prove(rows, tally).await
    });
    proofs.expect("an event queue").unwrap_or_else(|refusal| panic!("{}: {refusal}", journey.who));
}

/// Whether somebody has to give rows a value before the plan goes on, which only he knows: without rows there is none to give.
fn waits_for_rows(pieces: &[Piece]) -> bool {
    let plans = pieces.iter().filter_map(|piece| if let Piece::Planned(plan) = piece { Some(plan) } else { None });
    plans.flat_map(|plan| &plan.manual).any(|manual| manual.thing.starts_with("the rows of "))
}

/// Whether the rule itself has found something that takes a plan.
fn asks_for_a_plan(rule: &str, report: &Report) -> bool {
    let mut findings = report.migrations.iter().flat_map(|migration| &migration.findings);
    findings.any(|finding| finding.rule == rule && finding.suggestion.as_ref().is_some_and(|suggestion| suggestion.recipe.is_some()))
}
