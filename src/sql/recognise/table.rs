//! CREATE TABLE in all its forms, CREATE TABLE AS, CREATE FOREIGN TABLE.

use super::alter::{self, StorageOption};
use super::column::{self, Definition};
use super::constraint::{self, Draft};
use super::cursor::{Cursor, Read};
use super::{Operations, one};
use crate::model::name::{Ident, Name};
use crate::model::operation::{Bound, ConstraintKind, CreateTable, CreateTableAs, Operation, PartitionKey, Persistence, Written};
use crate::text::Located;
use std::collections::HashSet;

/// CREATE TABLE, CREATE FOREIGN TABLE.
pub(super) fn create(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("create")?;
    let persistence = persistence(cursor);
    let foreign = cursor.take("foreign");
    cursor.expect("table")?;
    let if_not_exists = cursor.if_not_exists();
    let name = cursor.name()?;
    if !foreign && is_query(cursor)? {
        return create_as(cursor, from, name, if_not_exists, persistence);
    }
    let mut table = CreateTable {
        name,
        if_not_exists,
        persistence,
        foreign,
        columns: Vec::new(),
        like: Vec::new(),
        inherits: Vec::new(),
        partition_of: None,
        partition_by: None,
        of_type: None,
        options: Vec::new(),
        until_commit: false,
    };
    let constraints = body(cursor, &mut table)?;
    options(cursor, &mut table)?;
    let name = table.name.clone();
    let mut operations = one(cursor, from, Operation::CreateTable(Box::new(table)));
    operations.extend(constraints.into_iter().map(|draft| draft.on(&name, false, Written::CreateTable)));
    Ok(operations)
}

/// TEMPORARY, UNLOGGED, and their obsolete company.
pub(super) fn persistence(cursor: &mut Cursor<'_>) -> Persistence {
    cursor.take_any(&["local", "global"]);
    match cursor.take_any(&["temporary", "temp", "unlogged"]) {
        Some("unlogged") => Persistence::Unlogged,
        Some(_) => Persistence::Temporary,
        None => Persistence::Permanent,
    }
}

/// Elements, OF, or PARTITION OF.
fn body(cursor: &mut Cursor<'_>, table: &mut CreateTable) -> Read<Vec<Draft>> {
    if cursor.take("of") {
        table.of_type = Some(cursor.name()?);
        return if cursor.sees("(") { elements(&mut cursor.group()?, table, true) } else { Ok(Vec::new()) };
    }
    if !cursor.take("partition of") {
        return elements(&mut cursor.group()?, table, false);
    }
    let parent = cursor.name()?;
    let constraints = if cursor.sees("(") { elements(&mut cursor.group()?, table, true)? } else { Vec::new() };
    table.partition_of = Some((parent, bound(cursor)?));
    Ok(constraints)
}

/// Columns, constraints and LIKE clauses; `typed` columns take their type from elsewhere.
fn elements(group: &mut Cursor<'_>, table: &mut CreateTable, typed: bool) -> Read<Vec<Draft>> {
    let mut constraints = Vec::new();
    for mut part in group.comma_parts()? {
        if constraint::begins(&part) {
            constraints.push(constraint::of_table(&mut part)?);
        } else if part.take("like") {
            table.like.push(like(&mut part)?);
        } else {
            let Definition { column, constraints: inline } =
                if typed { column::options(&mut part)? } else { column::definition(&mut part)? };
            table.columns.push(Located { span: column.span, what: column });
            constraints.extend(inline);
        }
        part.finish()?;
    }
    require_columns(table, &constraints);
    Ok(constraints)
}

/// The columns of a primary key are NOT NULL, wherever the key is written.
fn require_columns(table: &mut CreateTable, constraints: &[Draft]) {
    let required = |draft: &Draft| match &draft.kind {
        ConstraintKind::PrimaryKey(key) => key.columns.clone(),
        ConstraintKind::NotNull { column } => vec![column.clone()],
        ConstraintKind::Check { .. } | ConstraintKind::Unique(_) | ConstraintKind::Exclude { .. } | ConstraintKind::ForeignKey(_) => {
            Vec::new()
        }
    };
    let required: HashSet<Ident> = constraints.iter().flat_map(required).collect();
    for column in &mut table.columns {
        column.what.not_null |= required.contains(&column.what.name);
    }
}

/// What INCLUDING ALL includes.
const LIKE_ALL: [&str; 9] =
    ["comments", "compression", "constraints", "defaults", "generated", "identity", "indexes", "statistics", "storage"];

/// Behind LIKE: the table, and what is included in the end.
fn like(cursor: &mut Cursor<'_>) -> Read<(Name, Vec<Box<str>>)> {
    let name = cursor.name()?;
    let mut included: Vec<&str> = Vec::new();
    while let Some(way) = cursor.take_any(&["including", "excluding"]) {
        let what = if cursor.take("all") { LIKE_ALL.to_vec() } else { vec![cursor.expect_any(&LIKE_ALL)?] };
        included.retain(|word| !what.contains(word));
        if way == "including" {
            included.extend(what);
        }
    }
    let all = LIKE_ALL.iter().all(|word| included.contains(word));
    let words = if all { vec!["all".into()] } else { included.into_iter().map(Into::into).collect() };
    Ok((name, words))
}

/// What follows the elements, in the server's order.
fn options(cursor: &mut Cursor<'_>, table: &mut CreateTable) -> Read<()> {
    if cursor.take("inherits") {
        let mut group = cursor.group()?;
        table.inherits = group.names()?;
        group.finish()?;
    }
    if table.foreign {
        cursor.expect("server")?;
        cursor.ident()?;
        if cursor.take("options") {
            cursor.group()?;
        }
        return Ok(());
    }
    if cursor.take("partition by") {
        table.partition_by = Some(partition_key(cursor)?);
    }
    let storage = storage(cursor)?;
    (table.options, table.until_commit) = (storage.with, storage.until_commit);
    Ok(())
}

/// What stands behind the columns of a table.
pub(super) struct Storage {
    pub with: Vec<StorageOption>,
    /// ON COMMIT DROP.
    until_commit: bool,
}

/// USING, WITH, ON COMMIT, TABLESPACE: also of CREATE TABLE AS and materialized views.
pub(super) fn storage(cursor: &mut Cursor<'_>) -> Read<Storage> {
    let (mut with, mut until_commit) = (Vec::new(), false);
    if cursor.take("using") {
        cursor.ident()?;
    }
    if cursor.sees("with (") {
        cursor.skip(1);
        with = alter::options(cursor)?;
    } else {
        cursor.take("without oids");
    }
    if cursor.take("on commit") {
        until_commit = cursor.expect_any(&["drop", "delete rows", "preserve rows"])? == "drop";
    }
    if cursor.take("tablespace") {
        cursor.ident()?;
    }
    Ok(Storage { with, until_commit })
}

/// `RANGE (a, lower(b))`.
fn partition_key(cursor: &mut Cursor<'_>) -> Read<PartitionKey> {
    let strategy = cursor.ident()?;
    let mut group = cursor.group()?;
    let parts = group.items()?;
    let column = |mut part: Cursor<'_>| -> Read<Option<Ident>> {
        let called = part.sees_at(1, "(") || part.sees_at(1, ".");
        Ok(if called { None } else { part.ident().ok() })
    };
    let columns = parts.into_iter().map(column).collect::<Read<_>>()?;
    Ok(PartitionKey { strategy: strategy.as_str().into(), columns })
}

/// `DEFAULT`, `FOR VALUES ...`.
pub(super) fn bound(cursor: &mut Cursor<'_>) -> Read<Bound> {
    if cursor.take("default") {
        return Ok(Bound::Default);
    }
    cursor.expect("for values")?;
    match cursor.expect_any(&["in", "from", "with"])? {
        "in" => Ok(Bound::In(constants(cursor)?)),
        "from" => {
            let from = constants(cursor)?;
            cursor.expect("to")?;
            Ok(Bound::Range { from, to: constants(cursor)? })
        }
        _ => {
            let (mut modulus, mut remainder) = (Box::from(""), Box::from(""));
            for mut part in cursor.group()?.items()? {
                let number = if part.expect_any(&["modulus", "remainder"])? == "modulus" { &mut modulus } else { &mut remainder };
                let from = part.mark();
                part.integer()?;
                *number = part.text_from(from);
                part.finish()?;
            }
            Ok(Bound::Hash { modulus, remainder })
        }
    }
}

fn constants(cursor: &mut Cursor<'_>) -> Read<Vec<Box<str>>> {
    let mut group = cursor.group()?;
    let constant = |mut part: Cursor<'_>| {
        let from = part.mark();
        let tokens = part.rest();
        part.expression(tokens)?;
        Ok(part.text_from(from))
    };
    group.items()?.into_iter().map(constant).collect()
}

/// Whether AS follows the name, its column names and its options: then a query makes the table.
fn is_query(cursor: &Cursor<'_>) -> Read<bool> {
    let mut ahead = cursor.clone();
    if ahead.sees("(") {
        ahead.group()?;
    }
    Ok(storage(&mut ahead).is_ok() && ahead.sees("as"))
}

/// CREATE TABLE AS from the column names on.
fn create_as(cursor: &mut Cursor<'_>, from: usize, name: Name, if_not_exists: bool, persistence: Persistence) -> Read<Operations> {
    if cursor.sees("(") {
        cursor.ident_group()?;
    }
    let until_commit = storage(cursor)?.until_commit;
    cursor.expect("as")?;
    let (mut query, with_data) = query_with_data(cursor)?;
    let (reads, calls) = if query.sees("execute") {
        Default::default()
    } else {
        let tokens = query.rest();
        let summary = query.query(tokens)?;
        (summary.reads, summary.calls)
    };
    let made = CreateTableAs { name, if_not_exists, persistence, until_commit, with_data, reads, calls };
    Ok(one(cursor, from, Operation::CreateTableAs(Box::new(made))))
}

/// The query to the end, and whether it fills what is made: WITH NO DATA does not.
pub(super) fn query_with_data<'a>(cursor: &mut Cursor<'a>) -> Read<(Cursor<'a>, bool)> {
    let from = cursor.mark();
    cursor.until(|cursor| [2, 3].iter().any(|&left| cursor.left() == left) && cursor.sees_any(&["with no data", "with data"]).is_some())?;
    let query = cursor.between(from, cursor.mark());
    let words = cursor.take_any(&["with no data", "with data"]);
    Ok((query, words != Some("with no data")))
}
