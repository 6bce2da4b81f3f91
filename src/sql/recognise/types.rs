//! CREATE and ALTER of types and domains.

use super::alter::{self, behaviour, subcommands};
use super::constraint::{self, Terms};
use super::cursor::{Cursor, Read};
use super::{Operations, one, type_name};
use crate::model::name::Ident;
use crate::model::operation::{AlterAction, DomainAction, DomainCheck, ObjectKind, Operation, Target, TypeDefinition};

/// CREATE TYPE.
pub(super) fn create(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("create type")?;
    let name = cursor.name()?;
    let definition = if cursor.take("as enum") {
        let mut group = cursor.group()?;
        let labels = if group.at_end() { Vec::new() } else { group.list(Cursor::string)? };
        group.finish()?;
        TypeDefinition::Enum(labels)
    } else if cursor.take("as range") {
        alter::options(cursor)?;
        TypeDefinition::Range
    } else if cursor.take("as") {
        TypeDefinition::Composite(attributes(&mut cursor.group()?)?)
    } else {
        if cursor.sees("(") {
            alter::options(cursor)?;
        }
        TypeDefinition::Other
    };
    Ok(one(cursor, from, Operation::CreateType { name, definition }))
}

fn attributes(group: &mut Cursor<'_>) -> Read<Vec<(Ident, crate::model::types::TypeName)>> {
    if group.at_end() {
        return Ok(Vec::new());
    }
    let attributes = group.list(|group| {
        let name = group.ident()?;
        let data_type = type_name::read(group)?;
        type_name::collation(group)?;
        Ok((name, data_type))
    })?;
    group.finish()?;
    Ok(attributes)
}

/// ALTER TYPE.
pub(super) fn alter(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("alter type")?;
    let name = cursor.name()?;
    if cursor.take("add value") {
        let if_not_exists = cursor.if_not_exists();
        let value = cursor.string()?;
        let placed = cursor.take_any(&["before", "after"]).is_some();
        if placed {
            cursor.string()?;
        }
        return Ok(one(cursor, from, Operation::AddEnumValue { name, value, if_not_exists, placed }));
    }
    if cursor.take("rename value") {
        let old = cursor.string()?;
        cursor.expect("to")?;
        let to = cursor.string()?;
        return Ok(one(cursor, from, Operation::RenameEnumValue { name, from: old, to }));
    }
    if cursor.take("rename to") {
        let to = cursor.ident()?;
        return Ok(one(cursor, from, Operation::Rename { object: ObjectKind::Type, name, table: None, to }));
    }
    let target = Target { name, only: false, if_exists: false, written: ObjectKind::Type };
    subcommands(cursor, &target, attribute)
}

/// A subcommand of ALTER TYPE; most are about an attribute of a composite type.
fn attribute(part: &mut Cursor<'_>, target: &Target) -> Read<Operations> {
    let from = part.mark();
    const VERBS: [&str; 7] = ["add attribute", "drop attribute", "alter attribute", "rename attribute", "owner to", "set schema", "set"];
    let action = match part.expect_any(&VERBS)? {
        "add attribute" => {
            let (name, data_type) = attribute_of_type(part)?;
            AlterAction::AddAttribute { name, data_type }
        }
        "drop attribute" => {
            part.if_exists();
            AlterAction::DropAttribute { name: part.ident()? }
        }
        "alter attribute" => {
            let name = part.ident()?;
            part.take("set data");
            part.expect("type")?;
            let data_type = type_name::read(part)?;
            type_name::collation(part)?;
            AlterAction::ChangeAttribute { name, data_type }
        }
        "rename attribute" => {
            let from = part.ident()?;
            part.expect("to")?;
            AlterAction::RenameAttribute { from, to: part.ident()? }
        }
        "owner to" => AlterAction::OwnerTo { role: part.role()? },
        "set schema" => AlterAction::SetSchema { schema: part.ident()? },
        _ => {
            alter::options(part)?;
            AlterAction::Other { words: "set".into() }
        }
    };
    behaviour(part);
    part.finish()?;
    Ok(one(part, from, Operation::Alter(target.clone(), Box::new(action))))
}

fn attribute_of_type(part: &mut Cursor<'_>) -> Read<(Ident, crate::model::types::TypeName)> {
    let name = part.ident()?;
    let data_type = type_name::read(part)?;
    type_name::collation(part)?;
    Ok((name, data_type))
}

/// CREATE DOMAIN.
pub(super) fn create_domain(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("create domain")?;
    let name = cursor.name()?;
    cursor.take("as");
    let base = type_name::read(cursor)?;
    let (mut not_null, mut default, mut checks) = (false, None, Vec::new());
    while !cursor.at_end() {
        if type_name::collation(cursor)?.is_some() {
            continue;
        }
        let constraint = constraint::name(cursor)?;
        match cursor.expect_any(&["not null", "null", "default", "check"])? {
            "not null" => not_null = true,
            "null" => {}
            "default" => default = Some(super::column::default(cursor)?),
            _ => checks.push(check(cursor, constraint)?),
        }
    }
    Ok(one(cursor, from, Operation::CreateDomain { name, base, not_null, default, checks }))
}

/// Behind CHECK.
fn check(cursor: &mut Cursor<'_>, name: Option<Ident>) -> Read<DomainCheck> {
    let tokens = cursor.group()?.rest();
    let expression = cursor.expression(tokens)?;
    Ok(DomainCheck { name, expression, not_valid: terms(cursor).not_valid })
}

fn terms(cursor: &mut Cursor<'_>) -> Terms {
    let mut terms = Terms::default();
    while constraint::term(cursor, &mut terms) {}
    terms
}

/// ALTER DOMAIN.
pub(super) fn alter_domain(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("alter domain")?;
    let name = cursor.name()?;
    if cursor.take("rename to") {
        let to = cursor.ident()?;
        return Ok(one(cursor, from, Operation::Rename { object: ObjectKind::Domain, name, table: None, to }));
    }
    let action = domain_action(cursor)?;
    Ok(one(cursor, from, Operation::AlterDomain { name, action }))
}

fn domain_action(cursor: &mut Cursor<'_>) -> Read<DomainAction> {
    const VERBS: [&str; 10] = [
        "set default",
        "drop default",
        "set not null",
        "drop not null",
        "add",
        "drop constraint",
        "rename constraint",
        "validate constraint",
        "owner to",
        "set schema",
    ];
    Ok(match cursor.expect_any(&VERBS)? {
        "set default" => {
            let tokens = cursor.rest();
            cursor.expression(tokens)?;
            DomainAction::SetDefault
        }
        "drop default" => DomainAction::DropDefault,
        "set not null" => DomainAction::SetNotNull,
        "drop not null" => DomainAction::DropNotNull,
        "add" => add_domain_constraint(cursor)?,
        "drop constraint" => {
            let if_exists = cursor.if_exists();
            let name = cursor.ident()?;
            behaviour(cursor);
            DomainAction::DropConstraint { name, if_exists }
        }
        "rename constraint" => {
            let from = cursor.ident()?;
            cursor.expect("to")?;
            DomainAction::RenameConstraint { from, to: cursor.ident()? }
        }
        "validate constraint" => DomainAction::ValidateConstraint { name: cursor.ident()? },
        words => {
            cursor.role()?;
            DomainAction::Other { words: words.into() }
        }
    })
}

fn add_domain_constraint(cursor: &mut Cursor<'_>) -> Read<DomainAction> {
    let name = constraint::name(cursor)?;
    if cursor.expect_any(&["check", "not null"])? == "check" {
        return check(cursor, name).map(DomainAction::AddCheck);
    }
    terms(cursor);
    Ok(DomainAction::AddNotNull)
}
