//! One line for each finding: `path:line:column: severity[rule] message`.

use crate::lint::finding::Report;
use crate::problem::Problem;
use crate::text::{shown, shown_path};
use std::io::{self, Write};

pub(super) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    for problem in &report.problems {
        writeln!(out, "{}", line(problem))?;
    }
    for migration in &report.migrations {
        for finding in migration.findings.iter().filter(|finding| finding.allowed.is_none()) {
            let place = migration.source.place(finding.span.start);
            let path = shown_path(migration.source.path());
            writeln!(out, "{path}:{}:{}: {}[{}] {}", place.line, place.column, finding.severity, finding.rule, one_line(&finding.message))?;
        }
    }
    Ok(())
}

/// A problem in one line.
fn line(problem: &Problem) -> String {
    let path = problem.path().map(|path| format!("{}:", shown_path(path))).unwrap_or_default();
    let place = problem.place().map(|(source, span)| source.place(span.start));
    let place = place.map(|place| format!("{}:{}:", place.line, place.column)).unwrap_or_default();
    format!("{path}{place} error[{}] {}", problem.code, one_line(&problem.message))
}

fn one_line(message: &str) -> String {
    shown(message).replace(['\n', '\r'], " ")
}
