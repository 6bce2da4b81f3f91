//! VACUUM, ANALYZE, CLUSTER, REPACK, LOCK.

use super::cursor::{Cursor, Read};
use super::{Operations, one};
use crate::model::lock::LockMode;
use crate::model::name::Name;
use crate::model::operation::Operation;
use crate::text::{Located, Span};

/// VACUUM, with options in parentheses or as words.
pub(super) fn vacuum(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("vacuum")?;
    let (mut full, mut analyze, mut truncate) = (false, false, true);
    if cursor.sees("(") {
        for (name, value) in options(cursor)? {
            match &*name {
                "full" => full = is_on(value.as_deref()),
                "analyze" | "analyse" => analyze = is_on(value.as_deref()),
                "truncate" => truncate = is_on(value.as_deref()),
                _ => {}
            }
        }
    } else {
        while let Some(word) = cursor.take_any(&["full", "freeze", "verbose", "analyze", "analyse"]) {
            full |= word == "full";
            analyze |= word.starts_with("analy");
        }
    }
    each_relation(cursor, from, |table| Operation::Vacuum { table, full, analyze, truncate })
}

/// ANALYZE.
pub(super) fn analyze(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect_any(&["analyze", "analyse"])?;
    if cursor.sees("(") {
        options(cursor)?;
    } else {
        cursor.take("verbose");
    }
    each_relation(cursor, from, |table| Operation::Analyze { table })
}

/// An operation for each relation, or one without any.
fn each_relation(cursor: &mut Cursor<'_>, from: usize, operation: impl Fn(Option<Name>) -> Operation) -> Read<Operations> {
    if cursor.at_end() {
        return Ok(one(cursor, from, operation(None)));
    }
    let relations = cursor.list(|cursor| {
        let at = cursor.mark();
        let (name, _only) = relation(cursor)?;
        if cursor.sees("(") {
            cursor.ident_group()?;
        }
        Ok((name, cursor.span_from(at)))
    })?;
    Ok(spread(relations, cursor.span_from(from), |name| operation(Some(name))))
}

/// One operation for each item; a single one stands for the whole statement.
pub(super) fn spread<T>(items: Vec<(T, Span)>, whole: Span, operation: impl Fn(T) -> Operation) -> Operations {
    let single = items.len() == 1;
    items.into_iter().map(|(item, span)| Located { what: operation(item), span: if single { whole } else { span } }).collect()
}

/// `[ONLY] name [*]` or `ONLY (name)`, and whether ONLY was said.
pub(super) fn relation(cursor: &mut Cursor<'_>) -> Read<(Name, bool)> {
    if !cursor.take("only") {
        let name = cursor.name()?;
        cursor.take("*");
        return Ok((name, false));
    }
    let bracket = cursor.take("(");
    let name = cursor.name()?;
    if bracket {
        cursor.expect(")")?;
    }
    Ok((name, true))
}

/// Relations separated by commas, each with its place.
pub(super) fn relations(cursor: &mut Cursor<'_>) -> Read<Vec<((Name, bool), Span)>> {
    cursor.list(|cursor| {
        let at = cursor.mark();
        let table = relation(cursor)?;
        Ok((table, cursor.span_from(at)))
    })
}

/// Names in lower case, values as written.
pub(super) type Options = Vec<(Box<str>, Option<Box<str>>)>;

/// `(name [value], ...)`.
pub(super) fn options(cursor: &mut Cursor<'_>) -> Read<Options> {
    let mut group = cursor.group()?;
    let mut options = Vec::new();
    for mut part in group.comma_parts()? {
        let name = part.label()?;
        let from = part.mark();
        if part.sees("(") {
            part.balanced()?;
        } else if part.string().is_err() && part.integer().is_err() && !part.at_end() {
            part.bump();
        }
        let value = (part.mark() > from).then(|| part.text_from(from));
        part.finish()?;
        options.push((name.as_str().into(), value));
    }
    Ok(options)
}

/// What an option without a value, or with a boolean one, says.
pub(super) fn is_on(value: Option<&str>) -> bool {
    value.is_none_or(|value| !["false", "off", "no", "0"].iter().any(|off| value.trim_matches('\'').eq_ignore_ascii_case(off)))
}

/// CLUSTER, also `CLUSTER index ON table`.
pub(super) fn cluster(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("cluster")?;
    if cursor.sees("(") {
        options(cursor)?;
    } else {
        cursor.take("verbose");
    }
    if cursor.at_end() {
        return Ok(one(cursor, from, Operation::Cluster { table: None, index: None }));
    }
    let first = cursor.name()?;
    let (table, index) = if cursor.take("on") {
        (cursor.name()?, Some(first.name))
    } else {
        let index = if cursor.take("using") { Some(cursor.ident()?) } else { None };
        (first, index)
    };
    Ok(one(cursor, from, Operation::Cluster { table: Some(table), index }))
}

/// REPACK (19).
pub(super) fn repack(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("repack")?;
    let mut concurrently = false;
    if cursor.sees("(") {
        concurrently = options(cursor)?.iter().any(|(name, value)| **name == *"concurrently" && is_on(value.as_deref()));
    } else {
        cursor.take("verbose");
    }
    let mut table = None;
    if !cursor.at_end() && !cursor.sees("using index") {
        table = Some(relation(cursor)?.0);
        if cursor.sees("(") {
            cursor.ident_group()?;
        }
    }
    if cursor.take("using index") && !cursor.at_end() {
        cursor.ident()?;
    }
    Ok(one(cursor, from, Operation::Repack { table, concurrently }))
}

/// LOCK TABLE.
pub(super) fn lock_table(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("lock")?;
    cursor.take("table");
    let tables = relations(cursor)?;
    let mode = if cursor.take("in") { lock_mode(cursor)? } else { LockMode::AccessExclusive };
    let nowait = cursor.take("nowait");
    Ok(spread(tables, cursor.span_from(from), |(table, only)| Operation::LockTable { table, only, mode, nowait }))
}

fn lock_mode(cursor: &mut Cursor<'_>) -> Read<LockMode> {
    let mode = LockMode::ALL.into_iter().find(|mode| {
        let words = format!("{} mode", mode.words());
        cursor.sees(&words)
    });
    let mode = mode.ok_or_else(|| cursor.fail("a lock mode"))?;
    cursor.skip(mode.words().split(' ').count() + 1);
    Ok(mode)
}
