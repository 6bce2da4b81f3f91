//! Each file in fixtures/sql, as it is cut and read, stands beside it as a snapshot.

use lockkeeper::model::operation::Operation;
use lockkeeper::sql::{Statement, read};
use lockkeeper::text::{SourceFile, Span};
use std::path::Path;

#[test]
fn every_file_is_read_as_its_snapshot_says() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/sql");
    let mut paths = std::fs::read_dir(&folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        let source = SourceFile::read(&path)?;
        let words = describe(&source);
        insta::with_settings!({ snapshot_path => &folder, prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(path.file_stem().and_then(|stem| stem.to_str()), words);
        });
    }
    Ok(())
}

fn describe(source: &SourceFile) -> String {
    let script = read(source, Span::new(0, source.bytes().len() as u32));
    let mut lines = Vec::new();
    for broken in &script.broken_text {
        let place = source.place(broken.span.start);
        lines.push(format!("{}:{} {:?}", place.line, place.column, broken.kind));
    }
    script.statements.iter().for_each(|statement| describe_statement(source, statement, &mut lines));
    lines.join("\n")
}

/// Place, reading and beginning of a statement; below it, each operation with its own text.
fn describe_statement(source: &SourceFile, statement: &Statement, lines: &mut Vec<String>) {
    let place = source.place(statement.span.start);
    let reading = format!("{:?}", statement.reading).to_lowercase();
    lines.push(format!("{}:{} {reading} `{}`", place.line, place.column, shortened(source, statement.span)));
    for operation in &statement.operations {
        lines.push(format!("    {} `{}`", operation.what.kind(), shortened(source, operation.span)));
        if let Operation::Unreadable { why } = &operation.what {
            lines.push(format!("        {why}"));
        }
    }
}

fn shortened(source: &SourceFile, span: Span) -> String {
    const MOST: usize = 70;
    let text = source.text(span).split_whitespace().collect::<Vec<_>>().join(" ").replace('\0', "\\0");
    if text.chars().count() <= MOST { text } else { text.chars().take(MOST).chain("...".chars()).collect() }
}
