//! The code quality report of GitLab: a list of violations, the worst first. What is allowed is none.

use super::{Run, worst_first};
use crate::lint::finding::{Assessed, Finding, Report};
use crate::problem::Problem;
use crate::rule::Severity;
use crate::text::shown;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::io::{self, Write};

pub(super) fn write(report: &Report, run: &Run<'_>, out: &mut impl Write) -> io::Result<()> {
    let problems = report.problems.iter().map(|problem| of_problem(problem, run));
    let findings = worst_first(report).into_iter().map(|(migration, finding)| of_finding(migration, finding, run));
    let violations: Vec<_> = problems.chain(findings).collect();
    serde_json::to_writer(&mut *out, &violations).map_err(io::Error::from)?;
    writeln!(out)
}

#[derive(Serialize)]
struct Violation {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

fn of_finding(migration: &Assessed, finding: &Finding, run: &Run<'_>) -> Violation {
    let path = run.checkout.path(migration.source.path());
    Violation {
        description: shown(&finding.message).into_owned(),
        check_name: finding.rule.clone(),
        // Files of the same name in different directories have the same findings.
        fingerprint: fingerprint(&[&path, &finding.fingerprint]),
        severity: match finding.severity {
            Severity::Error => "critical",
            Severity::Warning => "major",
            Severity::Advice => "minor",
        },
        location: Location { path, lines: Lines { begin: migration.source.place(finding.span.start).line } },
    }
}

fn of_problem(problem: &Problem, run: &Run<'_>) -> Violation {
    // What is wrong with the run itself has no file: the tree stands for it.
    let path = problem.path().map_or(".".to_owned(), |path| run.checkout.path(path));
    let begin = problem.place().map_or(1, |(source, span)| source.place(span.start).line);
    Violation {
        description: shown(&problem.message).into_owned(),
        check_name: problem.code.to_owned(),
        fingerprint: fingerprint(&[&path, problem.code, &problem.message, &begin.to_string()]),
        severity: "blocker",
        location: Location { path, lines: Lines { begin } },
    }
}

/// 32 hexadecimal digits.
fn fingerprint(of: &[&str]) -> String {
    let hash = Sha256::digest(of.join("\0"));
    hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
