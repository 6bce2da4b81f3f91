//! CREATE TRIGGER and CREATE RULE.

use super::super::cursor::{Cursor, Read};
use super::super::{Operations, one};
use crate::model::operation::{CreateTrigger, Operation};

/// CREATE [OR REPLACE] [CONSTRAINT] TRIGGER.
pub(in super::super) fn create(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("create")?;
    let or_replace = cursor.take("or replace");
    let constraint = cursor.take("constraint");
    cursor.expect("trigger")?;
    let name = cursor.ident()?;
    let timing = cursor.expect_any(&["before", "after", "instead of"])?;
    let (before, instead) = (timing == "before", timing == "instead of");
    let (events, of_columns) = events(cursor)?;
    cursor.expect("on")?;
    let table = cursor.name()?;
    let referenced = if cursor.take("from") { Some(cursor.name()?) } else { None };
    const ATTRIBUTES: [&str; 6] = ["not deferrable", "deferrable", "initially immediate", "initially deferred", "not enforced", "enforced"];
    let (mut deferrable, mut deferred) = (false, false);
    while let Some(attribute) = cursor.take_any(&ATTRIBUTES) {
        deferred |= attribute == "initially deferred";
        deferrable |= matches!(attribute, "deferrable" | "initially deferred");
    }
    let tables = cursor.mark();
    if cursor.take("referencing") {
        while cursor.take_any(&["new", "old"]).is_some() {
            cursor.expect_any(&["table", "row"])?;
            cursor.take("as");
            cursor.ident()?;
        }
    }
    let referencing = (cursor.mark() > tables).then(|| cursor.text_from(tables));
    let mut for_each_row = false;
    if cursor.take("for") {
        cursor.take("each");
        for_each_row = cursor.expect_any(&["row", "statement"])? == "row";
    }
    let when = if cursor.take("when") {
        let condition = cursor.group()?.rest();
        Some(cursor.expression(condition)?)
    } else {
        None
    };
    cursor.expect("execute")?;
    cursor.expect_any(&["function", "procedure"])?;
    let function = Some(cursor.type_or_function_name()?);
    let argument = |argument: Cursor<'_>| argument.source().text(argument.clone().span_of_rest()).into();
    let arguments = cursor.group()?.comma_parts()?.into_iter().map(argument).collect();
    let trigger = CreateTrigger {
        name,
        table,
        or_replace,
        constraint,
        deferred,
        before,
        for_each_row,
        events,
        of_columns,
        function,
        from: referenced,
        instead,
        deferrable,
        referencing,
        when,
        arguments,
    };
    Ok(one(cursor, from, Operation::CreateTrigger(Box::new(trigger))))
}

/// Events with OR between, and the columns of UPDATE OF.
fn events(cursor: &mut Cursor<'_>) -> Read<(Vec<Box<str>>, Vec<crate::model::name::Ident>)> {
    let (mut events, mut columns) = (Vec::new(), Vec::new());
    loop {
        let event = cursor.expect_any(&["insert", "update", "delete", "truncate"])?;
        events.push(event.into());
        if event == "update" && cursor.take("of") {
            columns.extend(cursor.list(Cursor::ident)?);
        }
        if !cursor.take("or") {
            return Ok((events, columns));
        }
    }
}

/// CREATE [OR REPLACE] RULE. What the rule does is done when it fires, not now.
pub(in super::super) fn create_rule(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("create")?;
    let or_replace = cursor.take("or replace");
    cursor.expect("rule")?;
    let name = cursor.ident()?;
    cursor.expect("as on")?;
    cursor.expect_any(&["select", "insert", "update", "delete"])?;
    cursor.expect("to")?;
    let table = cursor.name()?;
    if cursor.take("where") {
        let condition = cursor.until(|cursor| cursor.sees("do"))?;
        cursor.expression(condition)?;
    }
    cursor.expect("do")?;
    cursor.take_any(&["also", "instead"]);
    if cursor.at_end() {
        return Err(cursor.fail("NOTHING or a statement"));
    }
    cursor.until(|_| false)?;
    Ok(one(cursor, from, Operation::CreateRule { name, table, or_replace }))
}
