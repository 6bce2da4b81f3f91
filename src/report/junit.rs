//! The report as JUnit XML: a suite for each migration, in which what makes the run fail is a test that failed. It has a failure or an error
//! exactly when the run ends with a code other than 0.

use super::{Run, next_step};
use crate::config::FailOn;
use crate::lint::finding::{Assessed, Finding, Report};
use crate::problem::Problem;
use crate::sql::Reading;
use crate::text::shown;
use std::fmt::Write as _;
use std::io::{self, Write};

pub(super) fn write(report: &Report, run: &Run<'_>, out: &mut impl Write) -> io::Result<()> {
    let mut suites: Vec<_> = report.migrations.iter().map(|migration| Suite::of(migration, run)).collect();
    if !report.problems.is_empty() {
        suites.insert(0, Suite::of_problems(&report.problems, run));
    }
    let sum = |of: fn(&Suite) -> usize| suites.iter().map(of).sum::<usize>();
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    let (tests, failures, errors) = (sum(Suite::tests), sum(Suite::failures), sum(Suite::errors));
    writeln!(out, "<testsuites name=\"lockkeeper\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">")?;
    for suite in &suites {
        suite.write(out)?;
    }
    writeln!(out, "</testsuites>")
}

/// What was tried on a migration.
struct Suite {
    name: String,
    properties: Vec<(&'static str, &'static str)>,
    cases: Vec<Case>,
    /// What makes nothing fail.
    told: String,
}

/// One test.
struct Case {
    name: String,
    outcome: Outcome,
}

enum Outcome {
    Passed,
    Failed(Harm),
    /// It could not be judged.
    Error(Harm),
}

/// What is said of a test that did not pass.
struct Harm {
    kind: String,
    message: String,
    text: String,
}

impl Suite {
    fn of(migration: &Assessed, run: &Run<'_>) -> Self {
        let mut suite = Self {
            name: run.checkout.path(migration.source.path()),
            properties: vec![("class", migration.class.word()), ("class_with_fixes", migration.class_with_fixes.word())],
            cases: Vec::new(),
            told: String::new(),
        };
        for finding in &migration.findings {
            let place = migration.source.place(finding.span.start);
            if let Some(allowance) = &finding.allowed {
                let _ = writeln!(suite.told, "allowed[{}] {}:{}: {}", finding.rule, place.line, place.column, allowance.reason());
            } else if run.fail_on.is_reached_by(finding.severity, finding.class) {
                suite.cases.push(case(migration, finding));
            } else {
                let _ = writeln!(suite.told, "{}[{}] {}:{}: {}", finding.severity, finding.rule, place.line, place.column, finding.message);
            }
        }
        if suite.cases.is_empty() {
            suite.cases.push(of_class(migration, run.fail_on));
        }
        suite
    }

    fn of_problems(problems: &[Problem], run: &Run<'_>) -> Self {
        let case = |problem: &Problem| {
            let path = problem.path().map(|path| run.checkout.path(path)).unwrap_or_default();
            let place = problem.place().map(|(source, span)| source.place(span.start));
            let place = place.map(|place| format!(":{}:{}", place.line, place.column)).unwrap_or_default();
            let text = problem.help.clone().unwrap_or_default();
            let harm = Harm { kind: problem.code.to_owned(), message: problem.message.clone(), text };
            Case { name: format!("{} {path}{place}", problem.code).trim_end().to_owned(), outcome: Outcome::Error(harm) }
        };
        let cases = problems.iter().map(case).collect();
        Self { name: "lockkeeper".to_owned(), properties: Vec::new(), cases, told: String::new() }
    }

    fn tests(&self) -> usize {
        self.cases.len()
    }

    fn failures(&self) -> usize {
        self.cases.iter().filter(|case| matches!(case.outcome, Outcome::Failed(_))).count()
    }

    fn errors(&self) -> usize {
        self.cases.iter().filter(|case| matches!(case.outcome, Outcome::Error(_))).count()
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let (name, tests, failures, errors) = (attribute(&self.name), self.tests(), self.failures(), self.errors());
        writeln!(out, "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">")?;
        if !self.properties.is_empty() {
            writeln!(out, "    <properties>")?;
            for (key, value) in &self.properties {
                writeln!(out, "      <property name=\"{key}\" value=\"{value}\"/>")?;
            }
            writeln!(out, "    </properties>")?;
        }
        for case in &self.cases {
            case.write(&name, out)?;
        }
        if !self.told.is_empty() {
            writeln!(out, "    <system-out>{}</system-out>", escaped(&self.told))?;
        }
        writeln!(out, "  </testsuite>")
    }
}

impl Case {
    fn write(&self, suite: &str, out: &mut impl Write) -> io::Result<()> {
        let (tag, harm) = match &self.outcome {
            Outcome::Passed => return writeln!(out, "    <testcase name=\"{}\" classname=\"{suite}\"/>", attribute(&self.name)),
            Outcome::Failed(harm) => ("failure", harm),
            Outcome::Error(harm) => ("error", harm),
        };
        writeln!(out, "    <testcase name=\"{}\" classname=\"{suite}\">", attribute(&self.name))?;
        let (kind, message, text) = (attribute(&harm.kind), attribute(&harm.message), escaped(&harm.text));
        writeln!(out, "      <{tag} type=\"{kind}\" message=\"{message}\">{text}</{tag}>")?;
        writeln!(out, "    </testcase>")
    }
}

/// A finding that makes the run fail.
fn case(migration: &Assessed, finding: &Finding) -> Case {
    let place = migration.source.place(finding.span.start);
    let mut text = finding.why.trim().to_owned();
    if let Some(suggestion) = &finding.suggestion {
        let _ = write!(text, "\n\nInstead ({}): {}", suggestion.class, suggestion.title);
    }
    let harm = Harm { kind: format!("{}, {}", finding.severity, finding.class), message: finding.message.clone(), text };
    let statement = finding.statement.and_then(|index| migration.statements.get(index));
    let is_unreadable = statement.is_some_and(|statement| statement.reading == Reading::Unreadable);
    Case {
        name: format!("{} at {}:{}", finding.rule, place.line, place.column),
        outcome: if is_unreadable { Outcome::Error(harm) } else { Outcome::Failed(harm) },
    }
}

/// A migration of which no finding makes the run fail. Its class may follow from what it does, without a finding.
fn of_class(migration: &Assessed, fail_on: FailOn) -> Case {
    let outcome = match fail_on {
        FailOn::Class(least) if migration.class >= least => Outcome::Failed(Harm {
            kind: migration.class.to_string(),
            message: format!("this is {}", migration.class),
            text: next_step(migration).to_owned(),
        }),
        FailOn::Class(_) | FailOn::Severity(_) | FailOn::Never => Outcome::Passed,
    };
    Case { name: migration.class.to_string(), outcome }
}

/// As the value of an attribute, in which a line break would become a space.
fn attribute(text: &str) -> String {
    escaped(text).replace('\n', "&#10;").replace('\r', "&#13;").replace('\t', "&#9;")
}

/// As text. XML has no place for control characters, written by their numbers or not.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in shown(text).chars() {
        match c {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\u{FFFE}' | '\u{FFFF}' => escaped.push('?'),
            other => escaped.push(other),
        }
    }
    escaped
}
