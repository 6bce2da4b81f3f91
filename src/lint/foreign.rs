//! Suppression comments of other linters: which findings they silence here, and how they would read in our words.
//!
//! Such a comment never silences more than it does at home: it reaches as far as it reaches there, a rule stands for those of ours that say the
//! same, and one that names no rule stands for no hazard that its linter does not know.

use super::finding::{Allowance, Finding};
use super::suppress::{Target, groups};
use crate::problem::nearest;
use crate::rule::linter::{Bare, Form, Linter, Reach, TheirRule};
use crate::rule::moment::{ComesTo, ForeignAllowed};
use crate::rule::set::RuleSet;
use crate::sql::Script;
use crate::text::{SourceFile, Span};
use std::cell::OnceCell;
use std::collections::BTreeSet;

/// A comment that speaks to another linter.
#[derive(Debug)]
pub(super) struct Foreign<'a> {
    linter: &'static Linter,
    form: &'static Form,
    /// The comment.
    span: Span,
    /// Its first line, without the dashes.
    text: &'a str,
    /// The rules, as written.
    rules: Vec<&'a str>,
    /// What it says besides.
    remark: Option<&'a str>,
    /// What it stands for.
    targets: Vec<Target>,
}

/// Reads a comment, if it speaks to another linter. `head`: where the head of the file ends, once somebody has asked.
pub(super) fn read<'a>(source: &SourceFile, script: &Script, (span, text): (Span, &'a str), head: &OnceCell<u32>) -> Option<Foreign<'a>> {
    let text = text.lines().next()?.trim_end();
    let (linter, form, rest) = Linter::asked(text)?;
    let (rules, remark) = match form.remark.and_then(|mark| rest.split_once(mark)) {
        Some((rules, remark)) => (rules, Some(remark.trim()).filter(|remark| !remark.is_empty())),
        None => (rest, None),
    };
    let rules = rules.split(form.between).map(str::trim).filter(|rule| !rule.is_empty()).collect();
    let reach = match form.reach {
        Reach::TopOrNext if span.end <= *head.get_or_init(|| end_of_head(source)) => Reach::File,
        Reach::TopOrNext => Reach::Next,
        told => told,
    };
    Some(Foreign { linter, form, span, text, rules, remark, targets: targets(source, script, span, reach) })
}

/// Marks the findings that such comments silence, and says what became of the comments: of each thing that is to be said, the first.
pub(super) fn apply<'a>(
    comments: &[Foreign<'a>],
    findings: &mut [Finding],
    (rules, source): (&RuleSet, &SourceFile),
) -> Vec<ForeignAllowed<'a>> {
    if comments.is_empty() {
        return Vec::new();
    }
    let mut groups = groups(findings, Some(source));
    let mut said = Said::default();
    for comment in comments {
        let mut covered = BTreeSet::new();
        for theirs in comment.named() {
            let ids = theirs.counterparts(rules).map(|entry| entry.id.clone());
            for (id, target) in ids.flat_map(|id| comment.targets.iter().map(move |target| (id.clone(), *target))) {
                let Some(group) = groups.get_mut(&(target, id.clone())) else { continue };
                for at in group.open.drain(..).filter(|at| findings[*at].allowed.is_none()).collect::<Vec<_>>() {
                    findings[at].allowed = Some(Allowance::Comment { reason: comment.reason(), span: comment.span });
                    covered.insert(id.clone());
                }
            }
        }
        said.note(comment, &covered);
    }
    said.all
}

impl<'a> Foreign<'a> {
    /// The rules of its linter that it stands for.
    fn named(&self) -> Vec<&'static TheirRule> {
        match (self.rules.is_empty(), self.form.bare) {
            (true, Bare::Everything) => self.linter.rules.iter().collect(),
            (true, Bare::Nothing) => Vec::new(),
            (false, _) => self.rules.iter().flat_map(|word| self.linter.named(word)).collect(),
        }
    }

    /// Why a finding does not count.
    fn reason(&self) -> String {
        let remark = self.remark.map(|remark| format!(": {remark}")).unwrap_or_default();
        format!("by {}'s comment{remark}", self.linter.name)
    }

    /// The comment in our words.
    fn in_our_words(&self, covered: &BTreeSet<String>) -> String {
        let word = if self.targets == [Target::File] { "allow-file" } else { "allow" };
        let rules: Vec<_> = covered.iter().map(String::as_str).collect();
        format!("-- lockkeeper: {word} {} because {}", rules.join(", "), self.remark.unwrap_or("..."))
    }

    /// What it comes to that somebody should know.
    fn comes_to(&self, covered: &BTreeSet<String>) -> Vec<ComesTo<'a>> {
        let mut all = Vec::new();
        if !covered.is_empty() {
            all.push(ComesTo::Allows { words: self.in_our_words(covered) });
        }
        if self.rules.is_empty() && self.form.bare == Bare::Nothing {
            all.push(ComesTo::Nothing);
        }
        for word in &self.rules {
            let mut named = self.linter.named(word).peekable();
            if named.peek().is_none() {
                // What is near is looked for when it is said.
                all.push(ComesTo::Unknown { rule: word, near: None });
            }
            // A word for several rules is no word for those of them that have no counterpart.
            all.extend(named.filter(|rule| rule.id.eq_ignore_ascii_case(word)).filter_map(|rule| {
                let why = rule.without?;
                Some(ComesTo::NoCounterpart { rules: vec![rule.id], why })
            }));
        }
        all
    }
}

/// What is said of the comments of a file: of each linter each thing once.
#[derive(Default)]
struct Said<'a> {
    all: Vec<ForeignAllowed<'a>>,
}

impl<'a> Said<'a> {
    fn note(&mut self, comment: &Foreign<'a>, covered: &BTreeSet<String>) {
        for comes_to in comment.comes_to(covered) {
            let is_same = |said: &&mut ForeignAllowed<'a>| {
                said.linter == comment.linter.name && std::mem::discriminant(&said.comes_to) == std::mem::discriminant(&comes_to)
            };
            match (self.all.iter_mut().find(is_same).map(|said| &mut said.comes_to), comes_to) {
                (Some(ComesTo::NoCounterpart { rules, .. }), ComesTo::NoCounterpart { rules: more, .. }) => {
                    rules.extend(more.into_iter().filter(|rule| !rules.contains(rule)).collect::<Vec<_>>());
                }
                (Some(_), _) => {}
                (None, mut comes_to) => {
                    if let ComesTo::Unknown { rule, near } = &mut comes_to {
                        *near = nearest(rule, comment.linter.words());
                    }
                    self.all.push(ForeignAllowed { linter: comment.linter.name, comment: comment.text, comes_to, span: comment.span });
                }
            }
        }
    }
}

/// What a comment of a reach stands for.
fn targets(source: &SourceFile, script: &Script, comment: Span, reach: Reach) -> Vec<Target> {
    let line = |offset| source.text_place(offset).line;
    let statement = |at: usize| if at < script.statements.len() { vec![Target::Statement(at)] } else { Vec::new() };
    match reach {
        Reach::File => vec![Target::File],
        Reach::TwoLines => vec![Target::Line(line(comment.start)), Target::Line(line(comment.start) + 1)],
        Reach::Statement => statement(script.statements.partition_point(|statement| statement.span.end <= comment.start)),
        Reach::FromLine => {
            let here = line(comment.start);
            statement(script.statements.partition_point(|statement| line(statement.span.start) < here))
        }
        Reach::Next | Reach::TopOrNext => statement(script.statements.partition_point(|statement| statement.span.start < comment.end)),
    }
}

/// Where the lines of comments at the very top of a file end, if an empty line parts them from the rest.
fn end_of_head(source: &SourceFile) -> u32 {
    let mut end = 0;
    for line in source.bytes().split_inclusive(|byte| *byte == b'\n') {
        if !line.starts_with(b"--") {
            return if line.trim_ascii().is_empty() { end } else { 0 };
        }
        end += line.len() as u32;
    }
    end
}
