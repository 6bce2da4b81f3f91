//! COPY and TRUNCATE.

use super::super::cursor::{Cursor, Read};
use super::super::maintenance::{options, relations, spread};
use super::super::{Operations, one};
use crate::model::operation::Operation;
use crate::sql::lex::TokenKind;
use crate::text::Located;

/// COPY of a table or of a query's rows.
pub(in super::super) fn copy(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("copy")?;
    cursor.take("binary");
    let mut operations = Vec::new();
    let (mut table, mut reads) = (None, Vec::new());
    if cursor.sees("(") {
        for Located { what, span } in super::statement(&mut cursor.group()?)? {
            match what {
                Operation::Select { reads: read, .. } => reads = read,
                what => operations.push(Located { what, span }),
            }
        }
    } else {
        table = Some(cursor.name()?);
        if cursor.sees("(") {
            cursor.ident_group()?;
        }
    }
    let inward = cursor.expect_any(&["from", "to"])? == "from";
    if inward && table.is_none() {
        return Err(cursor.fail("TO, as a query takes no rows"));
    }
    let program = cursor.take("program");
    let stdin = !program && cursor.take_any(&["stdin", "stdout"]).is_some();
    if !stdin && !is_file_of_psql(cursor) {
        cursor.string()?;
    }
    copy_options(cursor)?;
    if inward && cursor.take("where") {
        let filter = cursor.rest();
        reads.extend(cursor.expression(filter)?.reads.iter().cloned());
    }
    let what = Operation::Copy { table, from: inward, program, stdin: stdin && inward, data: None, reads };
    operations.extend(one(cursor, from, what));
    Ok(operations)
}

/// A file whose name psql puts in.
fn is_file_of_psql(cursor: &mut Cursor<'_>) -> bool {
    let variable = cursor.kind() == Some(TokenKind::Variable);
    if variable {
        cursor.bump();
    }
    variable
}

/// `WITH (FORMAT csv)`, or the words of before 9.0.
fn copy_options(cursor: &mut Cursor<'_>) -> Read<()> {
    cursor.take("using");
    cursor.take("with");
    if cursor.sees("(") {
        return options(cursor).map(drop);
    }
    const WITH_STRING: [&str; 6] = ["delimiters", "delimiter", "null", "quote", "escape", "encoding"];
    const WITH_COLUMNS: [&str; 3] = ["force quote", "force not null", "force null"];
    loop {
        if cursor.take_any(&["binary", "oids", "freeze", "csv", "header"]).is_some() {
            cursor.take("with");
        } else if cursor.take_any(&WITH_STRING).is_some() {
            cursor.take("as");
            cursor.string()?;
        } else if cursor.take_any(&WITH_COLUMNS).is_some() {
            if !cursor.take("*") {
                cursor.list(Cursor::ident)?;
            }
        } else {
            return Ok(());
        }
    }
}

/// TRUNCATE.
pub(in super::super) fn truncate(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("truncate")?;
    cursor.take("table");
    let tables = relations(cursor)?;
    let restart_identity = cursor.take_any(&["restart identity", "continue identity"]) == Some("restart identity");
    let cascade = cursor.take_any(&["cascade", "restrict"]) == Some("cascade");
    Ok(spread(tables, cursor.span_from(from), |(table, only)| Operation::Truncate { table, only, cascade, restart_identity }))
}
