//! SQL in, words out.

mod alter;
mod definitions;
mod faults;
mod objects;
mod others;
mod routines;
mod rows;
mod session;
mod tables;

use crate::sql::{Reading, read};
use crate::text::{SourceFile, Span};

/// Every operation of every statement in one line each; how much was read stands behind it unless it was all.
fn words(sql: &str) -> String {
    let source = SourceFile::new("orders.sql", sql);
    let script = read(&source, Span::new(0, sql.len() as u32));
    let lines = script.statements.iter().flat_map(|statement| {
        let reading = match statement.reading {
            Reading::Full => "",
            Reading::Partial => " (partial)",
            Reading::Unreadable => " (unreadable)",
        };
        statement.operations.iter().map(move |operation| format!("{}{reading}", operation.what))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The source text that each operation stands for.
fn spans(sql: &str) -> String {
    let source = SourceFile::new("orders.sql", sql);
    let script = read(&source, Span::new(0, sql.len() as u32));
    let operations = script.statements.iter().flat_map(|statement| &statement.operations);
    operations.map(|operation| source.text(operation.span).into_owned()).collect::<Vec<_>>().join("\n")
}
