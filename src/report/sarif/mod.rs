//! The report as SARIF 2.1.0, for code scanning: rules with their pages, findings with fixes, what is allowed as suppressions, problems as
//! notifications of the run.

mod log;

use super::{Run, manual, whole_edits, worst_class, worst_class_with_fixes};
use crate::lint::finding::{Allowance, Assessed, Edit, Finding, Report, Safety};
use crate::problem::Problem;
use crate::rule::set::{Entry, RuleSet};
use crate::rule::{Class, Severity};
use crate::text::{Place, SourceFile, Span, shown};
use log::{
    Artifact, ArtifactChange, ArtifactLocation, BaseId, Configuration, Content, Descriptor, Driver, Fingerprints, Fix, Help, Invocation,
    Location, Log, Message, MigrationProperties, Notification, PhysicalLocation, Region, Replacement, ResultObject, ResultProperties, Rule,
    RuleProperties, RunProperties, Suppression, Tool,
};
use serde::ser::{Serialize, Serializer};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// GitHub refuses a file that has more.
const MOST_RESULTS: usize = 25_000;

const MARK: &[u8] = "\u{FEFF}".as_bytes();

/// The top of the tree, by the name that GitHub and editors know.
const ROOT: &str = "%SRCROOT%";

pub(super) fn write(report: &Report, run: &Run<'_>, out: &mut impl Write) -> io::Result<()> {
    let (kept, left_out) = results(report, MOST_RESULTS);
    let mut rules: Vec<_> = kept.iter().map(|(_, _, finding)| finding.rule.as_str()).collect();
    rules.sort_unstable();
    rules.dedup();
    let mut notifications: Vec<_> = report.problems.iter().map(|problem| notification(problem, run)).collect();
    notifications.extend((left_out > 0).then(|| too_many(left_out)));
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [log::Run {
            tool: Tool { driver: driver(&rules, run.rules) },
            invocations: [Invocation { execution_successful: report.problems.is_empty(), tool_execution_notifications: notifications }],
            original_uri_base_ids: BTreeMap::from([(ROOT, BaseId { description: message("The top of the working tree.") })]),
            artifacts: report.migrations.iter().map(|migration| artifact(migration, run)).collect(),
            column_kind: "unicodeCodePoints",
            results: Results { kept: &kept, rules: &rules, run },
            properties: RunProperties {
                class: worst_class(report).word(),
                class_with_fixes: worst_class_with_fixes(report).word(),
                postgres: report.server.0,
            },
        }],
    };
    serde_json::to_writer(&mut *out, &log).map_err(io::Error::from)?;
    writeln!(out)
}

/// A finding with its migration, and that one's place in the report.
type Found<'a> = (usize, &'a Assessed, &'a Finding);

/// The findings, by place; of too many, the worst ones, and how many are missing.
fn results(report: &Report, most: usize) -> (Vec<Found<'_>>, usize) {
    let mut found: Vec<Found<'_>> = Vec::new();
    for (at, migration) in report.migrations.iter().enumerate() {
        found.extend(migration.findings.iter().map(|finding| (at, migration, finding)));
    }
    let left_out = found.len().saturating_sub(most);
    if left_out > 0 {
        found.sort_by_key(|(_, _, finding)| (finding.allowed.is_some(), Reverse((finding.severity, finding.class))));
        found.truncate(most);
    }
    (found, left_out)
}

/// The results, each made when it is written, so that a long report takes no second memory.
struct Results<'a> {
    kept: &'a [Found<'a>],
    rules: &'a [&'a str],
    run: &'a Run<'a>,
}

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.kept.iter().map(|found| self.result(*found)))
    }
}

impl<'a> Results<'a> {
    fn result(&self, (index, migration, finding): Found<'a>) -> ResultObject<'a> {
        let source = &*migration.source;
        let artifact = || ArtifactLocation { index: Some(index), ..file(source.path(), self.run) };
        let at = |span| location(artifact(), Some(region(source, span)));
        let suppressions = finding.allowed.iter().map(|allowance| {
            let (kind, location) = match allowance {
                Allowance::Comment { span, .. } => ("inSource", Some(at(*span))),
                Allowance::Baseline => ("external", None),
            };
            Suppression { kind, status: "accepted", justification: allowance.reason(), location }
        });
        ResultObject {
            rule_id: &finding.rule,
            rule_index: self.rules.binary_search(&finding.rule.as_str()).unwrap_or_default(),
            level: level(finding.severity),
            message: message(&finding.message),
            locations: [at(finding.span)],
            partial_fingerprints: Fingerprints { own: &finding.fingerprint },
            suppressions: suppressions.collect(),
            fixes: fix(source, finding, artifact()).into_iter().collect(),
            properties: ResultProperties {
                class: finding.class.word(),
                class_with_fix: finding.class_with_fix.map(Class::word),
                assumed: &finding.assumed,
                safety: finding.suggestion.as_ref().filter(|suggestion| !suggestion.edits.is_empty()).map(|suggestion| {
                    match suggestion.safety {
                        Safety::Safe => "safe",
                        Safety::Review => "review",
                    }
                }),
            },
        }
    }
}

/// The edits, where they are all that there is to do.
fn fix<'a>(source: &SourceFile, finding: &'a Finding, artifact: ArtifactLocation) -> Option<Fix<'a>> {
    let replacements: Vec<_> = whole_edits(finding)
        .into_iter()
        .map(|edit| Replacement { deleted_region: region(source, edit.span), inserted_content: Content { text: &edit.text } })
        .collect();
    // No region has the byte order mark in it.
    let is_of_mark = |edit: &&Edit| has_mark(source) && (edit.span.start as usize) < MARK.len();
    let can_be_told = !replacements.is_empty() && !whole_edits(finding).iter().any(is_of_mark);
    let suggestion = finding.suggestion.as_ref().filter(|_| can_be_told)?;
    Some(Fix { description: message(&suggestion.title), artifact_changes: [ArtifactChange { artifact_location: artifact, replacements }] })
}

fn driver(ids: &[&str], rules: &RuleSet) -> Driver {
    let version = env!("CARGO_PKG_VERSION");
    let rules = ids.iter().map(|id| rule(id, rules)).collect();
    Driver { name: env!("CARGO_PKG_NAME"), version, semantic_version: version, rules }
}

/// A rule, with its page as help. One that cannot be read is reported as a problem elsewhere.
fn rule(id: &str, rules: &RuleSet) -> Rule {
    let entry = rules.find(id);
    let read = entry.and_then(|entry| entry.rule().ok());
    let page = entry.and_then(|entry| manual::page(entry, rules).ok()).unwrap_or_else(|| id.to_owned());
    let title = message(read.map_or(id, |rule| &rule.title));
    let severity = entry.and_then(Entry::overridden).or(read.map(|rule| rule.severity)).unwrap_or(Severity::Error);
    let class = read.map_or(Class::MaintenanceWindow, |rule| rule.class);
    Rule {
        id: id.to_owned(),
        short_description: title.clone(),
        full_description: title,
        help: Help { text: page.clone(), markdown: page },
        default_configuration: Configuration { level: level(severity) },
        properties: RuleProperties { tags: vec!["postgresql", "migration", class.word()] },
    }
}

fn artifact(migration: &Assessed, run: &Run<'_>) -> Artifact {
    Artifact {
        location: file(migration.source.path(), run),
        properties: MigrationProperties {
            class: migration.class.word(),
            class_with_fixes: migration.class_with_fixes.word(),
            version: migration.version.clone(),
        },
    }
}

fn notification(problem: &Problem, run: &Run<'_>) -> Notification {
    let help = problem.help.iter().map(|help| format!(" ({help})"));
    let words: String = std::iter::once(problem.message.clone()).chain(help).collect();
    let region = problem.place().map(|(source, span)| region(source, span));
    Notification {
        level: "error",
        message: message(&words),
        descriptor: Descriptor { id: problem.code },
        locations: problem.path().map(|path| location(file(path, run), region)).into_iter().collect(),
    }
}

fn too_many(left_out: usize) -> Notification {
    let words = format!("{left_out} findings are left out, the least of all: code scanning takes {MOST_RESULTS}");
    Notification { level: "warning", message: message(&words), descriptor: Descriptor { id: "sarif::too-many" }, locations: Vec::new() }
}

fn location(artifact_location: ArtifactLocation, region: Option<Region>) -> Location {
    Location { physical_location: PhysicalLocation { artifact_location, region } }
}

fn file(path: &Path, run: &Run<'_>) -> ArtifactLocation {
    let (uri, is_absolute) = run.checkout.uri(path);
    ArtifactLocation { uri, uri_base_id: (!is_absolute).then_some(ROOT), index: None }
}

fn region(source: &SourceFile, span: Span) -> Region {
    let (source, span) = source.in_repository(span);
    let (first, last) = (source.place(span.start), source.place(span.end));
    let column = |place: Place| if place.line == 1 && has_mark(source) { (place.column - 1).max(1) } else { place.column };
    Region { start_line: first.line, start_column: column(first), end_line: last.line, end_column: column(last) }
}

/// Whether the file begins with a byte order mark, which columns do not count.
fn has_mark(source: &SourceFile) -> bool {
    source.bytes().starts_with(MARK)
}

/// A text that is shown as it is: `[words](target)` would be a link.
fn message(text: &str) -> Message {
    let text = shown(text).replace("](", "\\](");
    Message { text: if text.trim().is_empty() { "no message".to_owned() } else { text } }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Advice => "note",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::discover::{Discovered, Role, in_memory};
    use crate::lint::{Settings, run};
    use crate::model::effects::Version;
    use crate::text::SourceFile;

    #[test]
    fn of_too_many_findings_the_least_are_left_out() {
        let sql = "CREATE TABLE drafts (id int PRIMARY KEY);\n-- lockkeeper: allow drop-table because nobody reads it\n\
                   DROP TABLE payments;\nDROP TABLE users;\nVACUUM FULL orders;\n";
        let (config, rules) = (Config::default(), RuleSet::embedded());
        let history = in_memory(None, &[(SourceFile::new("0001_shop.sql", sql), Role::Subject)], &config);
        let settings = Settings { rules: &rules, config: &config, server: Version::DEFAULT };
        let report = run(Discovered { histories: vec![history], ..Discovered::default() }, &settings);
        let (all, none) = results(&report, MOST_RESULTS);
        assert_eq!(none, 0);
        let (kept, left_out) = results(&report, 2);
        let rules: Vec<_> = kept.iter().map(|(_, _, finding)| (finding.rule.as_str(), finding.allowed.is_some())).collect();
        assert_eq!(rules, [("vacuum-full-or-cluster", false), ("drop-table", false)]);
        assert_eq!(left_out, all.len() - 2);
    }
}
