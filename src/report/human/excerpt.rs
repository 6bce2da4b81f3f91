//! The message of a finding or a problem above the lines that it is about, as miette draws them.

use super::super::Paint;
use crate::lint::finding::{Assessed, Finding, Judged};
use crate::model::name::QualifiedName;
use crate::problem::{Problem, label};
use crate::rule::Severity;
use crate::text::{SourceFile, shown};
use miette::{Diagnostic, LabeledSpan, SourceCode};
use std::borrow::Cow;
use std::fmt;

/// What miette draws: the message, and the lines with their labels.
#[derive(Debug)]
pub(super) struct Excerpt<'a> {
    message: Cow<'a, str>,
    severity: Severity,
    source: Option<&'a SourceFile>,
    labels: Vec<LabeledSpan>,
}

impl<'a> Excerpt<'a> {
    pub fn of_problem(problem: &'a Problem) -> Self {
        let source = problem.source.as_deref();
        let labels = source.map(|source| problem.labels.iter().map(|(span, word)| label(source, *span, word)).collect());
        Self { message: shown(&problem.message), severity: Severity::Error, source, labels: labels.unwrap_or_default() }
    }

    pub fn of_finding(migration: &'a Assessed, finding: &'a Finding) -> Self {
        let source = &*migration.source;
        let effects = finding.statement.and_then(|index| migration.statements.get(index)).map(effects).unwrap_or_default();
        Self { source: Some(source), labels: vec![label(source, finding.span, &shown(&effects))], ..Self::of_message(finding) }
    }

    /// The message alone.
    pub fn of_message(finding: &'a Finding) -> Self {
        Self { message: shown(&finding.message), severity: finding.severity, source: None, labels: Vec::new() }
    }

    pub fn has_text(&self) -> bool {
        self.source.is_some()
    }

    pub fn draw(&self, paint: Paint, width: usize) -> String {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = paint.handler(width).render_report(&mut text, self);
        text
    }
}

/// What a statement does to what existed before, in a few words: the label below it.
fn effects(statement: &Judged) -> String {
    let effects = &statement.effects;
    let strongest = effects.locks.iter().map(|lock| lock.mode).max();
    let locked: Vec<_> = effects.locks.iter().filter(|lock| Some(lock.mode) == strongest).map(|lock| &lock.relation).collect();
    let lock = strongest.map(|mode| format!("{mode} on {}", some(&locked)));
    let verbs = [("rewrites", &effects.rewrites), ("scans", &effects.scans), ("builds", &effects.builds), ("rebuilds", &effects.rebuilds)];
    let deeds = verbs
        .iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(verb, names)| format!("{verb} {}", some(&names.iter().collect::<Vec<_>>())));
    let time = statement.estimate.map(|estimate| format!("for about {}", duration(estimate.seconds)));
    lock.into_iter().chain(deeds).chain(time).collect::<Vec<_>>().join(", ")
}

/// Seconds as a reader thinks of them, rounded up.
fn duration(seconds: u64) -> String {
    match seconds {
        0..=1 => "1 s".to_owned(),
        2..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h", seconds.div_ceil(3600)),
    }
}

/// The first name, and how many there are beside it; what lies in `public` is called by its name alone.
fn some(names: &[&QualifiedName]) -> String {
    let short = |name: &QualifiedName| if name.schema == "public" { name.name.to_string() } else { name.to_string() };
    match names {
        [] => String::new(),
        [one] => short(one),
        [one, two] => format!("{} and {}", short(one), short(two)),
        [one, rest @ ..] => format!("{} and {} more", short(one), rest.len()),
    }
}

impl fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Excerpt<'_> {}

impl Diagnostic for Excerpt<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Advice => miette::Severity::Advice,
            Severity::Warning => miette::Severity::Warning,
            Severity::Error => miette::Severity::Error,
        })
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}
