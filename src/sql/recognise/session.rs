//! Transactions and settings.

use super::cursor::{Cursor, Read};
use super::{Operations, one};
use crate::model::operation::{Operation, SettingValue, TwoPhase};
use crate::sql::lex::TokenKind;

/// BEGIN, START TRANSACTION.
pub(super) fn begin(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    if !cursor.take("start transaction") {
        cursor.expect("begin")?;
        cursor.take_any(&["work", "transaction"]);
    }
    modes(cursor)?;
    Ok(one(cursor, from, Operation::Begin))
}

/// Transaction modes, with or without commas between.
fn modes(cursor: &mut Cursor<'_>) -> Read<()> {
    const LEVELS: [&str; 4] = ["serializable", "repeatable read", "read committed", "read uncommitted"];
    while !cursor.at_end() {
        if cursor.take("isolation level") {
            cursor.expect_any(&LEVELS)?;
        } else {
            cursor.expect_any(&["read only", "read write", "deferrable", "not deferrable"])?;
        }
        cursor.take(",");
    }
    Ok(())
}

/// PREPARE TRANSACTION, COMMIT PREPARED, ROLLBACK PREPARED.
pub(super) fn two_phase(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    let phase = match cursor.expect_any(&["prepare transaction", "commit prepared", "rollback prepared"])? {
        "prepare transaction" => TwoPhase::Prepare,
        "commit prepared" => TwoPhase::Commit,
        _ => TwoPhase::Rollback,
    };
    cursor.string()?;
    Ok(one(cursor, from, Operation::TwoPhase(phase)))
}

/// COMMIT, END.
pub(super) fn commit(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect_any(&["commit", "end"])?;
    cursor.take_any(&["work", "transaction"]);
    let chain = chain(cursor);
    Ok(one(cursor, from, Operation::Commit { chain }))
}

/// AND [NO] CHAIN.
fn chain(cursor: &mut Cursor<'_>) -> bool {
    cursor.take_any(&["and chain", "and no chain"]) == Some("and chain")
}

/// ROLLBACK, ABORT, ROLLBACK TO SAVEPOINT.
pub(super) fn rollback(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    let word = cursor.expect_any(&["rollback", "abort"])?;
    cursor.take_any(&["work", "transaction"]);
    let what = if word == "rollback" && cursor.take("to") {
        cursor.take("savepoint");
        Operation::RollbackTo(cursor.ident()?)
    } else {
        Operation::Rollback { chain: chain(cursor) }
    };
    Ok(one(cursor, from, what))
}

/// SAVEPOINT.
pub(super) fn savepoint(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("savepoint")?;
    let name = cursor.ident()?;
    Ok(one(cursor, from, Operation::Savepoint(name)))
}

/// RELEASE [SAVEPOINT].
pub(super) fn release(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("release")?;
    // SAVEPOINT may be the name itself.
    if !(cursor.sees("savepoint") && cursor.left() == 1) {
        cursor.take("savepoint");
    }
    let name = cursor.ident()?;
    Ok(one(cursor, from, Operation::Release(name)))
}

/// SET CONSTRAINTS.
pub(super) fn set_constraints(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("set constraints")?;
    if !cursor.take("all") {
        cursor.names()?;
    }
    let deferred = cursor.expect_any(&["deferred", "immediate"])? == "deferred";
    Ok(one(cursor, from, Operation::SetConstraints { deferred }))
}

/// SET in all its forms.
pub(super) fn set(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("set")?;
    let what = if cursor.take("session characteristics as transaction") {
        modes(cursor)?;
        Operation::Other { words: "set session characteristics".into(), object: None, tables: Vec::new(), transactional: true }
    } else {
        let local = scope(cursor);
        if cursor.take("transaction") {
            if cursor.take("snapshot") {
                cursor.string().map(drop)?
            } else {
                modes(cursor)?
            }
            Operation::Other { words: "set transaction".into(), object: None, tables: Vec::new(), transactional: true }
        } else {
            let (name, value) = assignment(cursor)?;
            Operation::Set { name, value, local }
        }
    };
    Ok(one(cursor, from, what))
}

/// SESSION or LOCAL; SESSION AUTHORIZATION is a setting of its own.
fn scope(cursor: &mut Cursor<'_>) -> bool {
    if cursor.take("local") {
        return true;
    }
    if cursor.sees("session") && !cursor.sees("session authorization") {
        cursor.take("session");
    }
    false
}

/// What follows SET [LOCAL], also in ALTER ROLE and CREATE FUNCTION: the setting's name and its value, `None` for its default.
pub(super) fn assignment(cursor: &mut Cursor<'_>) -> Read<(Box<str>, Option<SettingValue>)> {
    if cursor.take("time zone") {
        return Ok(("timezone".into(), time_zone(cursor)?));
    }
    // Words of the standard for settings that have another name here.
    const STANDARD: [(&str, &str); 6] = [
        ("session authorization", "session_authorization"),
        ("role", "role"),
        ("schema", "search_path"),
        ("names", "client_encoding"),
        ("xml option", "xmloption"),
        ("catalog", "catalog"),
    ];
    for (words, name) in STANDARD {
        let count = words.split(' ').count();
        if cursor.sees(words) && !cursor.sees_at(count, "=") && !cursor.sees_at(count, "to") {
            cursor.skip(count);
            // NAMES alone is the default.
            return Ok((name.into(), if name == "client_encoding" && cursor.at_end() { None } else { value(cursor)? }));
        }
    }
    let name = setting_name(cursor)?;
    if cursor.take("from current") {
        return Ok((name, Some(SettingValue::Unknown)));
    }
    cursor.expect_any(&["=", "to"])?;
    let first = value(cursor)?;
    if !cursor.sees(",") {
        return Ok((name, first));
    }
    let mut list = vec![first];
    while cursor.take(",") {
        list.push(value(cursor)?);
    }
    Ok((name, Some(listed(list))))
}

/// The values of a list; one that is unknown makes all unknown.
fn listed(values: Vec<Option<SettingValue>>) -> SettingValue {
    let mut texts = Vec::new();
    for value in values {
        match value {
            Some(SettingValue::Literal(text)) => texts.push(text),
            Some(SettingValue::List(_) | SettingValue::Unknown) | None => return SettingValue::Unknown,
        }
    }
    SettingValue::List(texts)
}

/// A setting's name; settings of extensions have several parts. The server ignores case even in quotes.
fn setting_name(cursor: &mut Cursor<'_>) -> Read<Box<str>> {
    let mut name = cursor.ident()?.as_str().to_ascii_lowercase();
    while cursor.take(".") {
        name.push('.');
        name.push_str(&cursor.label()?.as_str().to_ascii_lowercase());
    }
    Ok(name.into())
}

/// One value; `None` for DEFAULT.
fn value(cursor: &mut Cursor<'_>) -> Read<Option<SettingValue>> {
    if cursor.take("default") {
        return Ok(None);
    }
    let text = match cursor.kind() {
        Some(TokenKind::Variable | TokenKind::Parameter) => {
            cursor.bump();
            return Ok(Some(SettingValue::Unknown));
        }
        Some(TokenKind::String | TokenKind::DollarString) => cursor.string()?,
        Some(TokenKind::Number | TokenKind::Operator) => cursor.integer()?,
        _ => cursor.label()?.as_str().into(),
    };
    Ok(Some(SettingValue::Literal(text)))
}

/// The value of TIME ZONE; `None` for DEFAULT and LOCAL.
fn time_zone(cursor: &mut Cursor<'_>) -> Read<Option<SettingValue>> {
    if cursor.take("local") {
        return Ok(None);
    }
    if cursor.take("interval") {
        if cursor.sees("(") {
            cursor.group()?;
        }
        cursor.string()?;
        while cursor.take_any(&["hour", "minute", "second", "to"]).is_some() {}
        return Ok(Some(SettingValue::Unknown));
    }
    value(cursor)
}

/// RESET.
pub(super) fn reset(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("reset")?;
    let name = reset_name(cursor)?;
    Ok(one(cursor, from, Operation::Reset { name }))
}

/// What follows RESET, also in ALTER ROLE; `None` for ALL.
pub(super) fn reset_name(cursor: &mut Cursor<'_>) -> Read<Option<Box<str>>> {
    Ok(match cursor.take_any(&["all", "time zone", "transaction isolation level", "session authorization"]) {
        Some("all") => None,
        Some("time zone") => Some("timezone".into()),
        Some("transaction isolation level") => Some("transaction_isolation".into()),
        Some(_) => Some("session_authorization".into()),
        None => Some(setting_name(cursor)?),
    })
}

/// DISCARD.
pub(super) fn discard(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("discard")?;
    let word = cursor.expect_any(&["all", "plans", "sequences", "temporary", "temp"])?;
    let other =
        Operation::Other { words: format!("discard {word}").into(), object: None, tables: Vec::new(), transactional: word != "all" };
    let mut operations = one(cursor, from, other);
    if word == "all" {
        operations.extend(one(cursor, from, Operation::Reset { name: None }));
    }
    Ok(operations)
}
