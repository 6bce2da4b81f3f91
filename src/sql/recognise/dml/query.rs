//! SELECT and its kin, and the statements around a query: EXPLAIN, DECLARE, PREPARE.

use super::super::cursor::{Cursor, Read};
use super::super::maintenance::{is_on, options};
use super::super::{Operations, one, operations, type_name};
use super::{Surveyed, check};
use crate::model::operation::{CreateTableAs, Operation, SettingValue};
use crate::sql::detail;
use crate::sql::lex::{Token, TokenKind};
use crate::text::Located;

/// Queries of more tokens are kept without their text.
const MOST_TOKENS_OF_TEXT: usize = 1_000;

/// A query: `tokens` are all of it, and what `cursor` ranges over.
pub(super) fn select(cursor: &Cursor<'_>, tokens: &[Token]) -> Read<Operations> {
    let span = super::super::cursor::span_of(tokens).unwrap_or_default();
    if let Some(settings) = set_config(cursor.clone()) {
        return Ok(settings.into_iter().map(|what| Located { what, span }).collect());
    }
    let summary = detail::query(cursor.source(), tokens);
    check(cursor, summary.stray, summary.understood)?;
    let what = match summary.into {
        Some((name, persistence)) => {
            let (reads, calls) = (summary.reads, summary.calls);
            let made = CreateTableAs { name, if_not_exists: false, persistence, until_commit: false, with_data: true, reads, calls };
            Operation::CreateTableAs(Box::new(made))
        }
        None => {
            let text = (tokens.len() <= MOST_TOKENS_OF_TEXT).then(|| detail::normalised(cursor.source(), tokens).into());
            Operation::Select { reads: summary.reads, calls: summary.calls, locks_rows: summary.locks_rows, text }
        }
    };
    Ok(vec![Located { what, span }])
}

/// `SELECT set_config('name', 'value', true), ...` is SET in other words. `None` if the query does anything else.
fn set_config(mut cursor: Cursor<'_>) -> Option<Vec<Operation>> {
    if !cursor.take("select") {
        return None;
    }
    let mut settings = Vec::new();
    loop {
        cursor.take("pg_catalog .");
        if !cursor.take("set_config") {
            return None;
        }
        let mut arguments = cursor.group().ok()?.comma_parts().ok()?.into_iter();
        let (mut name, value, mut local) = (arguments.next()?, arguments.next()?, arguments.next()?);
        let name = name.string().ok()?.to_ascii_lowercase().into();
        let local = match local.take_any(&["true", "false"]) {
            Some(word) => word == "true",
            None => return None,
        };
        settings.push(Operation::Set { name, value: configured(value), local });
        if cursor.take("as") {
            cursor.label().ok()?;
        }
        if cursor.at_end() {
            return arguments.next().is_none().then_some(settings);
        }
        if !cursor.take(",") {
            return None;
        }
    }
}

/// The second argument of `set_config`: NULL is the default.
fn configured(mut argument: Cursor<'_>) -> Option<SettingValue> {
    if argument.take("null") && argument.at_end() {
        return None;
    }
    let literal = argument.string().ok().filter(|_| argument.at_end());
    Some(literal.map_or(SettingValue::Unknown, SettingValue::Literal))
}

/// EXPLAIN: with ANALYZE the statement runs, without it is only planned.
pub(in super::super) fn explain(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("explain")?;
    let mut runs = false;
    if explains_with_options(cursor) {
        runs = options(cursor)?.iter().any(|(name, value)| matches!(&**name, "analyze" | "analyse") && is_on(value.as_deref()));
    } else {
        runs |= cursor.take_any(&["analyze", "analyse"]).is_some();
        cursor.take("verbose");
    }
    const EXPLAINED: [&str; 13] = [
        "select",
        "values",
        "table",
        "with",
        "(",
        "insert",
        "update",
        "delete",
        "merge",
        "declare",
        "create",
        "refresh materialized view",
        "execute",
    ];
    if cursor.sees_any(&EXPLAINED).is_none() {
        return Err(cursor.fail("a statement that has a plan"));
    }
    let mut planned = cursor.clone();
    let inner = operations(cursor)?;
    if runs {
        return Ok(inner);
    }
    let statement = Surveyed::new(&planned, &[], &[])?;
    let mut reads = statement.reads();
    reads.extend(statement.found.writes.iter().filter(|name| !statement.found.reads.contains(name)).cloned());
    let text = Some(detail::normalised(planned.source(), planned.rest()).into());
    // Its functions are planned, not called.
    Ok(one(cursor, from, Operation::Select { reads, calls: Vec::new(), locks_rows: false, text }))
}

/// `EXPLAIN (ANALYZE) ...`, and not `EXPLAIN (SELECT ...)`.
fn explains_with_options(cursor: &Cursor<'_>) -> bool {
    cursor.sees("(") && ["select", "values", "table", "with", "("].iter().all(|word| !cursor.sees_at(1, word))
}

/// DECLARE CURSOR.
pub(in super::super) fn declare(cursor: &mut Cursor<'_>) -> Read<Operations> {
    cursor.expect("declare")?;
    cursor.ident()?;
    while cursor.take_any(&["binary", "asensitive", "insensitive", "scroll", "no scroll"]).is_some() {}
    cursor.expect("cursor")?;
    cursor.take_any(&["with hold", "without hold"]);
    cursor.expect("for")?;
    super::statement(cursor)
}

/// PREPARE name AS: judged as if it ran at once, since EXECUTE does not say what it runs.
pub(in super::super) fn prepare(cursor: &mut Cursor<'_>) -> Read<Operations> {
    cursor.expect("prepare")?;
    cursor.ident()?;
    if cursor.sees("(") {
        let mut group = cursor.group()?;
        group.list(type_name::read)?;
        group.finish()?;
    }
    cursor.expect("as")?;
    if cursor.kind() == Some(TokenKind::Variable) {
        return Err(cursor.fail("a statement"));
    }
    super::statement(cursor)
}
