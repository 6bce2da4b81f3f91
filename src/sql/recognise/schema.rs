//! CREATE SCHEMA with what it holds, CREATE EXTENSION, CREATE STATISTICS.

use super::cursor::{Cursor, Read};
use super::{Operations, one};
use crate::model::name::{Ident, Name};
use crate::model::operation::{ConstraintKind, Operation};
use std::collections::HashSet;

/// CREATE SCHEMA.
pub(super) fn create(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("create schema")?;
    let if_not_exists = cursor.if_not_exists();
    let written = if cursor.sees("authorization") { None } else { Some(cursor.ident()?) };
    let role = if cursor.take("authorization") { Some(cursor.role()?) } else { None };
    // Without a name of its own a schema is called like its owner.
    let name = written.or(role).ok_or_else(|| cursor.fail("a name"))?;
    let mut elements = Operations::new();
    while !cursor.at_end() {
        elements.extend(element(cursor)?);
    }
    qualify(&mut elements, &name);
    let mut operations = one(cursor, from, Operation::CreateSchema { name, if_not_exists });
    operations.append(&mut elements);
    Ok(operations)
}

/// One CREATE or GRANT inside CREATE SCHEMA, up to the next.
fn element(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect_any(&["create", "grant"])?;
    let mut option = false;
    while !cursor.at_end() {
        // GRANT in WITH GRANT OPTION begins no element.
        if !option && cursor.sees_any(&["create", "grant"]).is_some() {
            break;
        }
        option = cursor.sees("with grant option");
        cursor.balanced()?;
    }
    super::operations(&mut cursor.between(from, cursor.mark()))
}

/// Puts what the elements make into the schema, and turns names that lead there to it.
fn qualify(elements: &mut Operations, schema: &Ident) {
    let made: HashSet<Ident> = elements.iter_mut().filter_map(|element| Some(made_name(&mut element.what)?.name.clone())).collect();
    let inside = |name: &mut Name| {
        if name.schema.is_none() && made.contains(&name.name) {
            name.schema = Some(schema.clone());
        }
    };
    for element in elements {
        if let Some(name) = made_name(&mut element.what) {
            name.schema.get_or_insert_with(|| schema.clone());
        }
        mentioned_names(&mut element.what).into_iter().for_each(inside);
    }
}

/// The name of what a statement inside CREATE SCHEMA makes.
fn made_name(operation: &mut Operation) -> Option<&mut Name> {
    match operation {
        Operation::CreateTable(table) => Some(&mut table.name),
        Operation::CreateView(view) => Some(&mut view.name),
        Operation::CreateSequence { name, .. } => Some(name),
        _ => None,
    }
}

/// The names by which a statement inside CREATE SCHEMA speaks of relations.
fn mentioned_names(operation: &mut Operation) -> Vec<&mut Name> {
    match operation {
        Operation::AddConstraint(added) => {
            let referenced = if let ConstraintKind::ForeignKey(key) = &mut added.kind { Some(&mut key.referenced) } else { None };
            std::iter::once(&mut added.table).chain(referenced).collect()
        }
        Operation::CreateTable(table) => {
            let parent = table.partition_of.as_mut().map(|(parent, _)| parent);
            table.inherits.iter_mut().chain(parent).chain(table.like.iter_mut().map(|(name, _)| name)).collect()
        }
        Operation::CreateIndex(index) => vec![&mut index.table],
        Operation::CreateTrigger(trigger) => vec![&mut trigger.table],
        Operation::CreateView(view) => view.reads.iter_mut().collect(),
        Operation::Privilege(privilege) => privilege.objects.iter_mut().collect(),
        _ => Vec::new(),
    }
}

/// CREATE EXTENSION.
pub(super) fn create_extension(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("create extension")?;
    let if_not_exists = cursor.if_not_exists();
    let name = cursor.ident()?;
    cursor.take("with");
    let (mut schema, mut version) = (None, None);
    while !cursor.at_end() {
        match cursor.expect_any(&["schema", "version", "from", "cascade"])? {
            "schema" => schema = Some(cursor.ident()?),
            "cascade" => {}
            word => {
                let written = match cursor.string() {
                    Ok(written) => written,
                    Err(_) => cursor.type_ident()?.as_str().into(),
                };
                version = (word == "version").then_some(written).or(version);
            }
        }
    }
    Ok(one(cursor, from, Operation::CreateExtension { name, if_not_exists, schema, version }))
}

/// CREATE STATISTICS.
pub(super) fn create_statistics(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("create statistics")?;
    let if_not_exists = cursor.if_not_exists();
    let name = if if_not_exists || cursor.sees_any(&["on", "("]).is_none() { Some(cursor.name()?) } else { None };
    let kinds = if cursor.sees("(") { cursor.ident_group()? } else { Vec::new() };
    cursor.expect("on")?;
    let (mut columns, mut expressions) = (Vec::new(), Vec::new());
    let what = cursor.mark();
    cursor.until(|cursor| cursor.sees("from"))?;
    for mut part in cursor.between(what, cursor.mark()).items()? {
        if part.left() == 1 {
            columns.push(part.ident()?);
        } else {
            let tokens = part.rest();
            expressions.push(cursor.expression(tokens)?);
        }
    }
    cursor.expect("from")?;
    let only = cursor.take("only");
    let table = cursor.clone().name().ok();
    if table.is_some() {
        cursor.name()?;
        cursor.take("*");
    }
    // FROM takes any list of tables; the server refuses all but one table.
    if !cursor.at_end() || (only && table.is_none()) {
        cursor.note_unknown();
        cursor.rest();
    }
    Ok(one(cursor, from, Operation::CreateStatistics { name, table, kinds, columns, expressions, if_not_exists }))
}
