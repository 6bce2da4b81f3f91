//! Prints how each file is cut and read, one JSON line per file: `cargo run --example recognise FILE...`.
//! `tests/differential/run.sh` compares it with PostgreSQL's own grammar.

use lockkeeper::model::operation::{AlterAction, Operation, Written};
use lockkeeper::sql::{Statement, read};
use lockkeeper::text::{Located, SourceFile, Span};
use serde_json::{Value, json};

fn main() -> std::io::Result<()> {
    for path in std::env::args().skip(1) {
        let source = SourceFile::read(&path)?;
        let script = read(&source, Span::new(0, source.bytes().len() as u32));
        let statements = script.statements.iter().map(statement).collect::<Vec<_>>();
        println!("{}", json!({ "file": path, "statements": statements }));
    }
    Ok(())
}

fn statement(statement: &Statement) -> Value {
    json!({
        "start": statement.span.start,
        "end": statement.span.end,
        "reading": format!("{:?}", statement.reading).to_lowercase(),
        "operations": statement.operations.iter().map(operation).collect::<Vec<_>>(),
    })
}

fn operation(operation: &Located<Operation>) -> Value {
    let words = match &operation.what {
        Operation::Other { words, .. } => Some(words),
        Operation::Unreadable { why } => Some(why),
        Operation::Alter(_, action) => match &**action {
            AlterAction::Other { words } => Some(words),
            AlterAction::Unreadable { why } => Some(why),
            _ => None,
        },
        _ => None,
    };
    let (inline, data) = match &operation.what {
        Operation::AddConstraint(constraint) => (constraint.written != Written::AddConstraint, None),
        Operation::Copy { data, .. } => (false, *data),
        _ => (false, None),
    };
    json!({
        "kind": operation.what.kind().word(),
        "start": operation.span.start,
        "end": operation.span.end,
        "words": words,
        "inline": inline,
        "data": data,
    })
}
