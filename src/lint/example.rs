//! Runs the examples of a rule: for `lockkeeper rule test`, for `explain`, and for our own tests.

use super::finding::{Assessed, Edit, Finding, Judged, Report};
use super::{Settings, run};
use crate::config::Config;
use crate::discover::{Discovered, Role, in_memory};
use crate::model::effects::Version;
use crate::model::lock::LockMode;
use crate::model::name::QualifiedName;
use crate::model::session::{Timeout, TransactionMode};
use crate::problem::Problem;
use crate::rule::Severity;
use crate::rule::example::{Example, Mode, OtherFile};
use crate::rule::set::{Entry, RuleSet};
use crate::text::SourceFile;
use std::collections::BTreeSet;

/// Whether a rule has to speak on an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// It speaks once.
    Speaks,
    /// It is silent, as are all others.
    Silent,
}

/// What an example claims and what does not hold.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The example's name, or its SQL in one line.
    pub example: String,
    /// Each claim that does not hold.
    pub complaints: Vec<String>,
}

/// Runs all examples of a rule against all rules of the set; gives how many there are, and those that fail.
///
/// # Errors
/// The rule's file cannot be read.
pub fn test(entry: &Entry, rules: &RuleSet) -> Result<(usize, Vec<Failure>), Problem> {
    entry.rule().map_err(Clone::clone)?;
    let examples = entry.examples()?;
    let bad = examples.bad.iter().map(|example| (example, Expected::Speaks));
    let good = examples.good.iter().map(|example| (example, Expected::Silent));
    let all: Vec<_> = bad.chain(good).collect();
    let failure = |(example, expected): &(&Example, Expected)| {
        let complaints = complaints(&entry.id, example, *expected, rules);
        (!complaints.is_empty()).then(|| Failure { example: name(example), complaints })
    };
    Ok((all.len(), all.iter().filter_map(failure).collect()))
}

/// The report of an example, judged for a server that it is about.
pub fn report(example: &Example, rules: &RuleSet) -> Report {
    report_for(example, rules, server(example))
}

/// The report of an example, judged for this server.
pub fn report_for(example: &Example, rules: &RuleSet, server: Version) -> Report {
    let config = config(example);
    run(discovered(example, &config), &Settings { rules, config: &config, server })
}

/// The files of an example, as if they had been found.
pub fn discovered(example: &Example, config: &Config) -> Discovered {
    let given = Some(SourceFile::new("given.sql", example.given.as_str())).filter(|given| !given.bytes().is_empty());
    // Where one file is judged, the others are its history, or what comes after it.
    let role = |name: &str, otherwise| match &example.release {
        Some(release) if release.iter().any(|member| member == name) => Role::Subject,
        Some(_) => Role::History,
        None => otherwise,
    };
    let others = if example.sql.is_some() { Role::History } else { Role::Subject };
    let mut files: Vec<_> =
        example.files.iter().map(|file| (SourceFile::new(&file.name, file.sql.as_str()), role(&file.name, others))).collect();
    let own = |sql: &String| (SourceFile::new(&example.file, sql.as_str()), role(&example.file, Role::Subject));
    files.extend(example.sql.as_ref().map(own));
    let history = in_memory(given, &files, config);
    let history = if example.release.is_some() { history.as_one_release() } else { history };
    Discovered { histories: vec![history], ..Discovered::default() }
}

/// The example's name, or its SQL in one line.
pub fn name(example: &Example) -> String {
    let sql = || example.sql.as_deref().or(example.files.last().map(|file| file.sql.as_str())).unwrap_or_default();
    example.name.clone().unwrap_or_else(|| sql().split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The default version, or the nearest that the example is about.
fn server(example: &Example) -> Version {
    let versions = || (Version::OLDEST.0..=Version::NEWEST.0).filter(|version| example.is_about(*version));
    Version(versions().min_by_key(|version| version.abs_diff(Version::DEFAULT.0)).unwrap_or(Version::DEFAULT.0))
}

/// What the project of an example says about itself.
pub fn config(example: &Example) -> Config {
    let mut config = Config::default();
    // Whether the role has one is told by the examples that are about it; all others would be, too.
    if !example.without_lock_timeout {
        config.role.lock_timeout = Timeout::Unknown;
    }
    config.transaction = example.transaction.map(|mode| match mode {
        Mode::Runner => TransactionMode::Runner,
        Mode::None => TransactionMode::None,
        Mode::OneMessage => TransactionMode::OneMessage,
    });
    config
}

fn complaints(id: &str, example: &Example, expected: Expected, rules: &RuleSet) -> Vec<String> {
    let report = report(example, rules);
    let mut complaints: Vec<_> = report.problems.iter().map(|problem| problem.message.clone()).collect();
    let findings: Vec<_> =
        report.migrations.iter().flat_map(|migration| &migration.findings).filter(|finding| finding.allowed.is_none()).collect();
    complaints.append(&mut speakers(id, example, expected, &findings));
    let own = findings.iter().find(|finding| finding.rule == id);
    if let (Some(claimed), Some(finding)) = (&example.assumed, own) {
        let [claimed, seen]: [BTreeSet<_>; 2] = [claimed.iter().collect(), finding.assumed.iter().collect()];
        complaints.extend((claimed != seen).then(|| format!("assumed: {claimed:?} claimed, {seen:?} found")));
    }
    if let Some(last) = report.migrations.last() {
        if let Some(finding) = own.filter(|_| !example.fixed.is_empty()) {
            complaints.append(&mut fix_complaints(finding, last, example, rules));
        }
        complaints.append(&mut effect_complaints(example, last));
    }
    complaints
}

/// Who speaks that should be silent, and who is silent that should speak.
fn speakers(id: &str, example: &Example, expected: Expected, findings: &[&Finding]) -> Vec<String> {
    let mut complaints = Vec::new();
    let times = findings.iter().filter(|finding| finding.rule == id).count();
    // Where all files are judged, two of them may be at fault for the same reason.
    let as_expected = times == 1 || (example.sql.is_none() && times > 1);
    if expected == Expected::Speaks && !as_expected {
        complaints.push(format!("the rule speaks {times} times, not once"));
    }
    for finding in findings {
        let is_own = finding.rule == id && expected == Expected::Speaks;
        let matters = finding.severity > Severity::Advice || expected == Expected::Silent;
        if matters && !is_own && !example.also.contains(&finding.rule) {
            complaints.push(format!("{} speaks: {}", finding.rule, finding.message));
        }
    }
    for also in &example.also {
        if !findings.iter().any(|finding| finding.rule == *also) {
            complaints.push(format!("{also} does not speak, though `also` says so"));
        }
    }
    complaints
}

/// What the suggestion makes of the example, and whether the rule is silent then.
fn fix_complaints(finding: &Finding, migration: &Assessed, example: &Example, rules: &RuleSet) -> Vec<String> {
    let Some(suggestion) = &finding.suggestion else { return vec!["there is no fix".to_owned()] };
    let whole = crate::text::Span::new(0, migration.source.bytes().len() as u32);
    let own = || edited(&migration.source.text(whole), &suggestion.edits);
    let own = (!suggestion.edits.is_empty()).then(|| OtherFile { name: example.file.clone(), sql: own() });
    let added = suggestion.files.iter().map(|file| OtherFile { name: file.path.display().to_string(), sql: file.text.clone() });
    let files: Vec<_> = own.into_iter().chain(added).collect();
    let is_claimed = |file: &OtherFile| example.fixed.iter().any(|fixed| fixed.name == file.name && fixed.sql == file.sql.trim_end());
    if files.len() != example.fixed.len() || !files.iter().all(is_claimed) {
        let why = suggestion.not_offered.as_ref().map_or(String::new(), |why| format!("not offered: {why}"));
        let shown = files.iter().map(|file| format!("== {}\n{}\n", file.name, file.sql.trim_end())).collect::<String>();
        return vec![format!("the fix gives:\n{why}{shown}")];
    }
    let now: Vec<_> = files.into_iter().filter(|file| file.name.ends_with(".sql")).collect();
    let is_now = |name: &str| now.iter().any(|file| file.name == name);
    let before =
        example.files.iter().cloned().chain(example.sql.iter().map(|sql| OtherFile { name: example.file.clone(), sql: sql.clone() }));
    let all = before.filter(|file| !is_now(&file.name)).chain(now.iter().cloned()).collect();
    let again = report(&Example { sql: None, files: all, ..example.clone() }, rules);
    let changed = again.migrations.iter().filter(|migration| is_now(&migration.source.path().display().to_string()));
    let findings = changed.flat_map(|migration| &migration.findings).filter(|again| again.rule == finding.rule);
    findings.map(|again| format!("after the fix it still speaks: {}", again.message)).collect()
}

/// A text with edits applied, from the last to the first.
pub fn edited(text: &str, edits: &[Edit]) -> String {
    let mut edits: Vec<_> = edits.iter().collect();
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.span));
    edits.iter().fold(text.to_owned(), |mut text, edit| {
        text.replace_range(edit.span.range(), &edit.text);
        text
    })
}

/// What is claimed about the last statement that does something.
fn effect_complaints(example: &Example, migration: &Assessed) -> Vec<String> {
    let Some(last) = migration.statements.iter().rev().find(|statement| !only_steers(statement)) else { return Vec::new() };
    let mut complaints = Vec::new();
    for (relation, claimed) in example.locks.iter().flatten() {
        match last.effects.lock_on(&qualified(relation)) {
            Some(mode) if mode == *claimed => {}
            mode => {
                complaints.push(format!("locks: {relation} in {} claimed, in {} found", claimed, mode.map_or("no mode", LockMode::words)))
            }
        }
    }
    for (what, claimed, found) in [("rewrites", &example.rewrites, &last.effects.rewrites), ("scans", &example.scans, &last.effects.scans)]
    {
        let Some(claimed) = claimed else { continue };
        let claimed: BTreeSet<_> = claimed.iter().map(|name| qualified(name)).collect();
        let found: BTreeSet<_> = found.iter().cloned().collect();
        if claimed != found {
            complaints.push(format!("{what}: [{}] claimed, [{}] found", list(&claimed), list(&found)));
        }
    }
    complaints
}

/// Transaction control and settings.
fn only_steers(statement: &Judged) -> bool {
    let steers = ["begin", "commit", "rollback", "savepoint", "release_savepoint", "rollback_to_savepoint", "set", "reset"];
    statement.operations.iter().all(|operation| steers.contains(operation))
}

fn qualified(name: &str) -> QualifiedName {
    let Ok(name) = name.parse();
    name
}

fn list(names: &BTreeSet<QualifiedName>) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
