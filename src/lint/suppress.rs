//! `-- lockkeeper: allow RULE because REASON`: which findings a comment silences, and what is wrong with the comment.
//!
//! A comment stands for the statement that it is part of or that ends before it on the same line, else for the next statement below it.
//! `allow-file` stands before the first statement, for all of them.

use super::finding::{Allowance, Finding};
use super::foreign::{self, Foreign};
use crate::config::baseline::Known;
use crate::plan::header;
use crate::problem::nearest;
use crate::rule::moment::Allowed;
use crate::rule::set::RuleSet;
use crate::sql::Script;
use crate::text::{SourceFile, Span};
use foldhash::{HashMap, HashMapExt, HashSet};
use std::cell::OnceCell;

/// A comment that speaks to lockkeeper.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Directive<'a> {
    /// The comment.
    span: Span,
    /// What it says first.
    verb: Verb<'a>,
    /// The rules, as written.
    rules: Vec<&'a str>,
    /// `because ...`.
    reason: Option<&'a str>,
    /// What it stands for.
    target: Target,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb<'a> {
    Allow,
    AllowFile,
    Unknown(&'a str),
}

/// What a comment stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Target {
    Statement(usize),
    /// What begins in a line.
    Line(u32),
    File,
    Nothing,
}

/// The words that may follow `lockkeeper:`. The last one is read by `discover`.
const VERBS: [&str; 3] = ["allow", "allow-file", "transaction"];

/// The comments of a file that speak about rules.
#[derive(Debug, Default)]
pub(super) struct Comments<'a> {
    /// Those that speak to lockkeeper.
    pub own: Vec<Directive<'a>>,
    /// Those that speak to another linter.
    pub foreign: Vec<Foreign<'a>>,
}

/// Reads the comments of a file that speak about rules.
pub(super) fn read<'a>(source: &'a SourceFile, script: &Script) -> Comments<'a> {
    let (mut comments, head) = (Comments::default(), OnceCell::new());
    for span in &script.comments {
        let Some(text) = words(source, *span) else { continue };
        match text.strip_prefix("lockkeeper:") {
            Some(rest) => comments.own.extend(directive(source, script, (*span, rest))),
            None => comments.foreign.extend(foreign::read(source, script, (*span, text), &head)),
        }
    }
    comments
}

/// What a comment says, without the signs that make it one.
fn words(source: &SourceFile, span: Span) -> Option<&str> {
    let text = std::str::from_utf8(source.slice(span)).ok()?;
    let text = text.strip_prefix("/*").map_or_else(|| text.trim_start_matches('-'), |inner| inner.strip_suffix("*/").unwrap_or(inner));
    Some(text.trim())
}

/// Marks the findings that are allowed, and says what became of each rule that a comment names.
pub(super) fn apply<'a>(directives: &[Directive<'a>], findings: &mut [Finding], rules: &'a RuleSet) -> Vec<Allowed<'a>> {
    if directives.is_empty() {
        return Vec::new();
    }
    let mut groups = groups(findings, None);
    let each = directives.iter().flat_map(|directive| directive.rules.iter().map(move |rule| (directive, *rule)));
    each.map(|(directive, name)| {
        let ids: Vec<_> = rules.named(name).map(|entry| &*entry.id).collect();
        let known = if ids.is_empty() { Err(nearest(name, rules.names())) } else { Ok(()) };
        let mut covers = 0;
        for id in ids {
            let Some(group) = groups.get_mut(&(directive.target, id.to_owned())) else { continue };
            covers += group.size;
            if let Some(reason) = directive.reason {
                for at in group.open.drain(..) {
                    findings[at].allowed.get_or_insert_with(|| Allowance::Comment { reason: reason.to_owned(), span: directive.span });
                }
            }
        }
        let whole_file = directive.verb == Verb::AllowFile;
        Allowed { word: directive.word(), rule: name, known, reason: directive.reason, covers, whole_file, span: directive.span }
    })
    .collect()
}

/// Marks the findings that the baseline has, unless a comment allows them.
pub(super) fn known(known: &Known, findings: &mut [Finding]) {
    let fingerprints: HashSet<_> = known.findings.iter().map(|entry| entry.fingerprint.as_str()).collect();
    for finding in findings.iter_mut().filter(|finding| fingerprints.contains(finding.fingerprint.as_str())) {
        finding.allowed.get_or_insert(Allowance::Baseline);
    }
}

/// The findings of one rule that one comment may cover.
#[derive(Default)]
pub(super) struct Group {
    size: usize,
    /// Those that no comment has allowed yet, by index: the first comment that gives a reason takes all of them.
    pub open: Vec<usize>,
}

/// Each finding stands in the group of its file, in that of its statement if it has one, and in that of its line if lines are asked for.
pub(super) fn groups(findings: &[Finding], lines: Option<&SourceFile>) -> HashMap<(Target, String), Group> {
    let mut groups: HashMap<_, Group> = HashMap::with_capacity(findings.len());
    for (at, finding) in findings.iter().enumerate() {
        let line = lines.map(|source| Target::Line(source.text_place(finding.span.start).line));
        for target in [Some(Target::File), finding.statement.map(Target::Statement), line].into_iter().flatten() {
            let group = groups.entry((target, finding.rule.clone())).or_default();
            group.size += 1;
            group.open.push(at);
        }
    }
    groups
}

impl<'a> Directive<'a> {
    fn word(&self) -> (&'a str, Result<(), Option<&'a str>>) {
        match self.verb {
            Verb::Allow => ("allow", Ok(())),
            Verb::AllowFile => ("allow-file", Ok(())),
            Verb::Unknown(word) => (word, Err(nearest(word, VERBS))),
        }
    }
}

fn directive<'a>(source: &SourceFile, script: &Script, (span, rest): (Span, &'a str)) -> Option<Directive<'a>> {
    let rest = rest.trim_start();
    let (word, rest) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
    let verb = match word {
        "allow" => Verb::Allow,
        "allow-file" => Verb::AllowFile,
        "transaction" => return None,
        of_a_plan if header::VERBS.contains(&of_a_plan) => return None,
        other => Verb::Unknown(other),
    };
    let (rules, reason) = match rest.split_once(" because ") {
        Some((rules, reason)) => (rules, Some(reason.trim()).filter(|reason| is_reason(reason))),
        None => (rest.trim_end().trim_end_matches(" because"), None),
    };
    let target = match verb {
        Verb::Allow => statement_at(source, script, span).map_or(Target::Nothing, Target::Statement),
        Verb::AllowFile if script.statements.first().is_none_or(|first| span.end <= first.span.start) => Target::File,
        Verb::AllowFile | Verb::Unknown(_) => Target::Nothing,
    };
    let rules: Vec<_> = rules.split(',').map(str::trim).collect();
    Some(Directive { span, verb, rules, reason, target })
}

/// Whether somebody has said why. Editors write `TODO: say why`, to be replaced.
fn is_reason(said: &str) -> bool {
    !said.is_empty() && !said.to_ascii_uppercase().starts_with("TODO")
}

/// The statement that a comment stands for.
fn statement_at(source: &SourceFile, script: &Script, comment: Span) -> Option<usize> {
    let next = script.statements.partition_point(|statement| statement.span.start < comment.end);
    let before = next.checked_sub(1).filter(|at| {
        let end = script.statements[*at].span.end;
        end > comment.start || source.text_place(end).line == source.text_place(comment.start).line
    });
    before.or((next < script.statements.len()).then_some(next))
}
