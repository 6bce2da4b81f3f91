//! ALTER COLUMN.

use super::alter::options;
use super::cursor::{Cursor, Read};
use super::{sequence, type_name};
use crate::model::name::Ident;
use crate::model::operation::AlterAction;
use crate::sql::lex::TokenKind;

/// Behind ALTER [COLUMN].
pub(super) fn read(part: &mut Cursor<'_>) -> Read<AlterAction> {
    if part.kind() == Some(TokenKind::Number) {
        // A column of an index, by its position.
        part.bump();
        part.expect("set statistics")?;
        let target = statistics(part)?;
        return Ok(AlterAction::SetStatistics { column: None, target });
    }
    let column = part.ident()?;
    if speaks_of_identity(part) {
        return set_identity(part, column);
    }
    const VERBS: [&str; 7] = ["set data type", "set", "drop", "type", "reset", "add generated", "options"];
    Ok(match part.expect_any(&VERBS)? {
        "set data type" | "type" => change_type(part, column)?,
        "set" => set(part, column)?,
        "drop" => drop(part, column)?,
        "reset" => AlterAction::SetColumnOptions { column, options: options(part)?, reset: true },
        "add generated" => add_identity(part, column)?,
        _ => {
            part.group()?;
            AlterAction::Other { words: "alter column options".into() }
        }
    })
}

/// RESTART, or SET and what only an identity column has.
fn speaks_of_identity(part: &Cursor<'_>) -> bool {
    const OPTIONS: [&str; 11] =
        ["generated", "start", "restart", "increment", "cycle", "cache", "minvalue", "maxvalue", "no", "owned by", "sequence name"];
    part.sees("restart") || part.sees("set") && OPTIONS.iter().any(|option| part.sees_at(1, option))
}

fn set(part: &mut Cursor<'_>, column: Ident) -> Read<AlterAction> {
    if part.sees("(") {
        return Ok(AlterAction::SetColumnOptions { column, options: options(part)?, reset: false });
    }
    Ok(match part.expect_any(&["default", "not null", "expression as", "statistics", "storage", "compression"])? {
        "default" => {
            let tokens = part.rest();
            AlterAction::SetDefault { column, default: part.expression(tokens)? }
        }
        "not null" => AlterAction::SetNotNull { column },
        "expression as" => {
            let tokens = part.group()?.rest();
            AlterAction::SetExpression { column, expression: part.expression(tokens)? }
        }
        "statistics" => AlterAction::SetStatistics { column: Some(column), target: statistics(part)? },
        "storage" => AlterAction::SetStorage { column, storage: part.label()?.as_str().into() },
        _ => AlterAction::SetCompression { column, method: part.label()?.as_str().into() },
    })
}

/// A number; -1 is the default.
fn statistics(part: &mut Cursor<'_>) -> Read<Option<Box<str>>> {
    if part.take("default") { Ok(None) } else { Ok(Some(part.integer()?).filter(|target| **target != *"-1")) }
}

fn drop(part: &mut Cursor<'_>, column: Ident) -> Read<AlterAction> {
    Ok(match part.expect_any(&["default", "not null", "expression", "identity"])? {
        "default" => AlterAction::DropDefault { column },
        "not null" => AlterAction::DropNotNull { column },
        "expression" => AlterAction::DropExpression { column, if_exists: part.if_exists() },
        _ => AlterAction::DropIdentity { column, if_exists: part.if_exists() },
    })
}

/// Behind TYPE.
fn change_type(part: &mut Cursor<'_>, column: Ident) -> Read<AlterAction> {
    let data_type = type_name::read(part)?;
    let collation = type_name::collation(part)?;
    let using = if part.take("using") {
        let tokens = part.rest();
        Some(part.expression(tokens)?)
    } else {
        None
    };
    Ok(AlterAction::ChangeType { column, data_type, collation, using })
}

/// Behind ADD GENERATED.
fn add_identity(part: &mut Cursor<'_>, column: Ident) -> Read<AlterAction> {
    let always = part.expect_any(&["always as identity", "by default as identity"])? == "always as identity";
    let sequence::Options { start, told: options, .. } =
        if part.sees("(") { sequence::options(&mut part.group()?)? } else { sequence::Options::default() };
    Ok(AlterAction::AddIdentity { column, always, start, options })
}

/// `SET GENERATED ALWAYS`, `SET` and an option of a sequence, `RESTART`, one after the other.
fn set_identity(part: &mut Cursor<'_>, column: Ident) -> Read<AlterAction> {
    let (mut options, mut always) = (sequence::Options::default(), None);
    while !part.at_end() {
        if part.take("set generated") {
            always = Some(part.expect_any(&["always", "by default"])? == "always");
            continue;
        }
        if !part.take("set") && !part.sees("restart") {
            return Err(part.fail("SET or RESTART"));
        }
        sequence::option(part, &mut options)?;
    }
    Ok(AlterAction::SetIdentity { column, always, restart: options.restart, options: options.told })
}
