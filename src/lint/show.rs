//! How lockkeeper sees a file: each subject with its facts, its effects, and what each rule made of it.

use super::finding::Report;
use super::{Settings, run_watched};
use crate::discover::Discovered;
use crate::model::effects::Effects;
use crate::model::kind::OpKind;
use crate::rule::facts;
use crate::rule::matcher::Tested;
use crate::rule::moment::{Moment, Subject};
use crate::rule::set::RuleSet;
use crate::text::Span;
use std::cell::RefCell;
use std::path::PathBuf;

/// One subject as the rules see it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The file it stands in.
    pub path: PathBuf,
    /// The index of its statement, those of bodies counted behind the one that runs them; `None` for the file as a whole.
    pub statement: Option<usize>,
    /// Whether it stands in a body, and if so, whether it may not run.
    pub in_body: Option<bool>,
    /// The word for it.
    pub kind: OpKind,
    /// Where it stands.
    pub span: Span,
    /// What it brings.
    pub effects: Effects,
    /// Its facts by name, in words.
    pub facts: Vec<(&'static str, String)>,
    /// The rules that are filed under its kind.
    pub rules: Vec<Asked>,
}

/// What one rule made of a subject.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its id.
    pub rule: String,
    /// Whether it speaks.
    pub speaks: bool,
    /// The tests of each of its matches.
    pub cases: Vec<Vec<Tested>>,
}

/// Judges everything that was found, and tells what was seen on the way.
pub fn show(discovered: Discovered, settings: &Settings<'_>) -> (Report, Vec<Seen>) {
    let seen = RefCell::new(Vec::new());
    let report = run_watched(discovered, settings, &|moment| seen.borrow_mut().push(see(moment, settings.rules)));
    let mut seen: Vec<Seen> = seen.into_inner();
    // A statement stands before its operations. Of several operations it is asked twice, before and without knowing what they give.
    seen.sort_by_key(|subject| (subject.statement, subject.kind != OpKind::Statement));
    seen.dedup_by(|again, first| {
        first.kind == OpKind::Statement && again.kind == first.kind && again.path == first.path && again.statement == first.statement
    });
    (report, seen)
}

fn see(moment: &Moment<'_>, rules: &RuleSet) -> Seen {
    let kind = moment.kind();
    let asked = rules.about(kind).filter_map(|entry| {
        let rule = entry.rule().ok()?;
        let speaks = entry.is_on() && rule.speaks(moment).is_some();
        Some(Asked { rule: rule.id.clone(), speaks, cases: rule.cases.iter().map(|case| case.matcher.tests(moment)).collect() })
    });
    Seen {
        path: moment.source.path().to_owned(),
        statement: moment.index,
        in_body: moment.nesting().map(|nesting| nesting.conditional),
        kind,
        span: moment.place(),
        effects: match moment.subject {
            Subject::Operation(_) => moment.effects.clone(),
            Subject::Statement { .. }
            | Subject::Migration
            | Subject::Remark(_)
            | Subject::BrokenText(_)
            | Subject::Allowance(_)
            | Subject::ForeignAllowance(_)
            | Subject::Release(_) => moment.statement_effects.clone(),
        },
        facts: facts::of(kind)
            .map(|fact| (fact.name, moment.source.without_hidden(&(fact.read)(moment).to_string()).into_owned()))
            .collect(),
        rules: asked.collect(),
    }
}
