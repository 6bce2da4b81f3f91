//! Labels for a pull request, one on each line: the worst class, and what a reviewer has to see first.

use super::{Totals, worst_class};
use crate::lint::finding::Report;
use std::io::{self, Write};

/// Nothing if no migration is judged.
pub(super) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    if !report.migrations.is_empty() {
        writeln!(out, "migration: {}", worst_class(report))?;
    }
    if report.migrations.iter().flat_map(|migration| &migration.statements).any(|statement| statement.destroys) {
        writeln!(out, "migration: destructive")?;
    }
    if Totals::of(&report.migrations).unreadable > 0 || !report.problems.is_empty() {
        writeln!(out, "migration: unreadable")?;
    }
    Ok(())
}
