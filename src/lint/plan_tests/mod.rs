//! Plans as their files: naive SQL in, the phases and what lint says of them out. One file for each family of recipes.

mod columns;
mod new_columns;
mod files;
mod constraints;
mod partitions;
mod moves;
mod removals;

use super::planner::{Piece, plan};
use super::{Settings, run};
use crate::config::Config;
use crate::discover::{self, Discovered, Role};
use crate::model::effects::Version;
use crate::plan::{Down, Runs, header};
use crate::rule::set::RuleSet;
use crate::text::SourceFile;

/// The files that a plan gives for `sql` on the schema `given`, one after the other, linted as the next files of its history.
fn planned(given: &str, sql: &str) -> String {
    planned_on(15, given, sql)
}

/// The same for a server of this major version.
fn planned_on(server: u8, given: &str, sql: &str) -> String {
    let (rules, config) = (RuleSet::embedded(), Config::default());
    let settings = Settings { rules: &rules, config: &config, server: Version(server) };
    let schema = SourceFile::new("schema.sql", given);
    let judged = |files: &[(std::sync::Arc<SourceFile>, Role)]| {
        let histories = vec![discover::in_memory(Some(std::sync::Arc::clone(&schema)), files, &config)];
        Discovered { histories, ..Discovered::default() }
    };
    let (_, pieces) = plan(judged(&[(SourceFile::new("0001_naive.sql", sql), Role::Subject)]), &settings);
    let mut files = Vec::new();
    let mut said = String::new();
    for piece in &pieces {
        match piece {
            Piece::Kept(statements, _) => said += &format!("kept: {}\n", statements.join("; ")),
            Piece::Refused { sql, class, refusal } => said += &format!("{class}: {sql}: {}\n", refusal.reason()),
            Piece::Planned(plan) => {
                for (at, phase) in plan.phases.iter().enumerate() {
                    let mut text: String = header::lines(plan, at).iter().map(|line| format!("-- {line}\n")).collect();
                    text +=
                        if phase.runs == Runs::Alone { "-- lockkeeper: transaction none\n" } else { "SET LOCAL lock_timeout = '2s';\n" };
                    text.extend(phase.up.iter().map(|line| format!("{};\n", line.sql)));
                    said += &text;
                    if let Down::Sql(back) = &phase.down {
                        said.extend(back.iter().map(|sql| format!("-- back: {sql}\n")));
                    }
                    files.push((SourceFile::new(format!("{:04}_phase.sql", files.len() + 1), text), Role::Subject));
                }
                said.extend(plan.manual.iter().map(|manual| format!("by hand: {}: {}\n", manual.thing, manual.what)));
                said.extend(plan.differs.iter().map(|what| format!("differs: {what}\n")));
            }
        }
    }
    let report = run(judged(&files), &settings);
    for migration in &report.migrations {
        for finding in &migration.findings {
            said += &format!("! {} {}: {}\n", migration.source.path().display(), finding.rule, finding.message);
        }
    }
    said
}
