//! YAML to [`Rule`], checked while it is read: a rule that exists can be matched, shown and fixed.

use super::example::{self, Examples};
use super::fix::{self, Fix};
use super::matcher::{self, Matcher};
use super::moment::Moment;
use super::node::{self, Fault, Node};
use super::shape::{Key, Object, Shape, words};
use super::template::Template;
use super::{CLASSES, Class, PRESETS, Preset, SEVERITIES, Severity};
use crate::model::kind::OpKind;
use crate::problem::Problem;
use crate::text::SourceFile;
use std::sync::Arc;

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The name of its file.
    pub id: String,
    /// The hazard, in one line.
    pub title: String,
    /// What other tools call it.
    pub aliases: Vec<String>,
    /// How much a finding weighs, unless its case or the config says otherwise.
    pub severity: Severity,
    /// What a finding makes of the migration, unless its case says otherwise.
    pub class: Class,
    /// `default: off`, or part of a preset: only the config turns it on.
    pub opt_in: bool,
    /// The preset that turns it on, with others.
    pub preset: Option<Preset>,
    /// `once: file`: one finding stands for all others of its file.
    pub once: bool,
    /// What it speaks about. The first case that holds speaks.
    pub cases: Vec<Case>,
}

/// One of the things that a rule speaks about, and how.
#[derive(Clone, Debug)]
pub struct Case {
    /// When it speaks.
    pub matcher: Matcher,
    /// What it says.
    pub message: Template,
    /// Why that is so.
    pub why: Template,
    /// Overrides the rule's.
    pub severity: Option<Severity>,
    /// Overrides the rule's.
    pub class: Option<Class>,
    /// What to do instead.
    pub fix: Option<Fix>,
}

const SEVERITY: Shape = Shape::Words(|| words(SEVERITIES));
const CLASS: Shape = Shape::Words(|| words(CLASSES));
const DEFAULTS: &[(&str, bool)] = &[("on", false), ("off", true)];
const ONCE: &[(&str, bool)] = &[("file", true)];

/// The keys of a rule file.
#[rustfmt::skip]
pub(super) const FILE: Object = Object::of(&[
    Key::needed("title", Shape::Text, "the hazard, in one line"),
    Key::new("aliases", Shape::List(&Shape::Text), "what other tools call it"),
    Key::needed("severity", SEVERITY, "how much a finding weighs"),
    Key::needed("class", CLASS, "what a finding makes of the migration"),
    Key::new("default", Shape::Words(|| words(DEFAULTS)), "off: only lockkeeper.yaml turns it on"),
    Key::new("preset", Shape::Words(|| words(PRESETS)), "the preset that turns it on, with others"),
    Key::new("once", Shape::Words(|| words(ONCE)), "file: one finding stands for all others of its file"),
    Key::needed("match", Shape::Items(&Shape::Keys(&CASE)), "what it speaks about; the first match that holds speaks"),
    Key::new("message", Shape::Text, "the thing, then the harm, in one line; {fact} shows a fact"),
    Key::new("why", Shape::Text, "what the server does, how long, and who notices: a paragraph"),
    Key::new("fix", Shape::Keys(&fix::FIX), "what to do instead"),
    Key::needed("examples", Shape::Keys(&example::EXAMPLES), "SQL on which it speaks, and SQL on which no rule does"),
]);

/// The keys of a match. What it does not say itself of the last five, the rule says for all.
#[rustfmt::skip]
pub(super) const CASE: Object = Object::of(&[
    matcher::OP,
    matcher::WHERE,
    matcher::UNLESS,
    Key::new("message", Shape::Text, "the thing, then the harm, in one line; {fact} shows a fact"),
    Key::new("why", Shape::Text, "what the server does, how long, and who notices: a paragraph"),
    Key::new("severity", SEVERITY, "how much a finding of this match weighs"),
    Key::new("class", CLASS, "what a finding of this match makes of the migration"),
    Key::new("fix", Shape::Keys(&fix::FIX), "what to do instead"),
]);

/// What a rule says for all of its matches, or each match for itself.
pub(super) const SAID_BY_EITHER: &[&str] = &["message", "why"];

impl Rule {
    /// Reads a rule file up to its examples. The id is the name of the file.
    ///
    /// # Errors
    /// The first thing in it that cannot be understood, at its place.
    pub fn read(source: &Arc<SourceFile>) -> Result<Self, Problem> {
        let id = source.path().file_stem().unwrap_or_default().to_string_lossy().into_owned();
        node::read(source, "rule::unreadable", |node| Self::of_node(node, id))
    }

    /// Reads the examples of a rule file.
    ///
    /// # Errors
    /// The first thing in them that cannot be understood, at its place.
    pub fn read_examples(source: &Arc<SourceFile>) -> Result<Examples, Problem> {
        node::read(source, "rule::unreadable", |node| Examples::read(FILE.fields(node)?.need("examples")?))
    }

    fn of_node(node: &Node, id: String) -> Result<Self, Fault> {
        let fields = FILE.fields(node)?;
        let aliases = fields.get("aliases").map_or(Ok(&[][..]), Node::list)?;
        // Where each match says its own, nobody reads what is said for all.
        SAID_BY_EITHER.iter().filter_map(|key| fields.get(key)).try_for_each(|node| node.text().map(drop))?;
        fields.get("fix").map(|fix| Fix::read(fix, &[])).transpose()?;
        let preset = fields.get("preset").map(|node| node.one_of(PRESETS)).transpose()?;
        Ok(Self {
            id,
            title: fields.need("title")?.text()?.to_owned(),
            aliases: aliases.iter().map(|alias| alias.text().map(str::to_owned)).collect::<Result<_, _>>()?,
            severity: fields.need("severity")?.one_of(SEVERITIES)?,
            class: fields.need("class")?.one_of(CLASSES)?,
            opt_in: fields.get("default").map_or(Ok(preset.is_some()), |node| node.one_of(DEFAULTS))?,
            preset,
            once: fields.get("once").map_or(Ok(false), |node| node.one_of(ONCE))?,
            cases: fields.need("match")?.items().iter().map(|case| Case::read(case, node)).collect::<Result<_, _>>()?,
        })
    }

    /// The case in which it speaks at a moment, and the facts that are not known there. Advice on something that nobody knows would be
    /// noise.
    pub fn speaks(&self, moment: &Moment<'_>) -> Option<(&Case, Vec<&'static str>)> {
        self.cases.iter().find_map(|case| {
            let assumed = case.matcher.holds(moment)?;
            let severity = case.severity.unwrap_or(self.severity);
            (assumed.is_empty() || severity > Severity::Advice).then_some((case, assumed))
        })
    }

    /// The operations that it speaks about, each once.
    pub fn ops(&self) -> Vec<OpKind> {
        let mut ops: Vec<_> = self.cases.iter().flat_map(|case| case.matcher.ops.iter().copied()).collect();
        ops.sort_unstable();
        ops.dedup();
        ops
    }
}

impl Case {
    /// Reads one match; what it does not say itself, the rule says for all.
    fn read(case: &Node, rule: &Node) -> Result<Self, Fault> {
        let own = CASE.fields(case)?;
        let common = FILE.fields(rule)?;
        let matcher = Matcher::read(case)?;
        let say = |key: &str| own.get(key).or(common.get(key));
        let need = |key: &str| say(key).ok_or(()).or_else(|()| common.need(key));
        Ok(Self {
            message: Template::read(need("message")?, &matcher.ops)?,
            why: Template::read(need("why")?, &matcher.ops)?,
            severity: own.get("severity").map(|node| node.one_of(SEVERITIES)).transpose()?,
            class: own.get("class").map(|node| node.one_of(CLASSES)).transpose()?,
            fix: say("fix").map(|node| Fix::read(node, &matcher.ops)).transpose()?,
            matcher,
        })
    }
}
