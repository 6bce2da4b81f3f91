//! CREATE FUNCTION and CREATE PROCEDURE: options in any order.

use super::super::cursor::{Cursor, Read};
use super::super::{Operations, one, session, type_name};
use super::{language, literal};
use crate::model::operation::{CreateFunction, Operation, Volatility};
use crate::model::types::TypeName;

/// CREATE [OR REPLACE] FUNCTION or PROCEDURE.
pub(in super::super) fn create(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("create")?;
    let or_replace = cursor.take("or replace");
    let procedure = cursor.expect_any(&["function", "procedure"])? == "procedure";
    let name = cursor.type_or_function_name()?;
    let mut arguments = Vec::new();
    for argument in cursor.group()?.comma_parts()? {
        arguments.extend(passed(argument, procedure)?);
    }
    let mut function = CreateFunction {
        name,
        or_replace,
        procedure,
        arguments,
        language: None,
        volatility: None,
        returns_trigger: false,
        security_definer: false,
        sets_search_path: false,
        body: None,
        atomic: false,
    };
    while !cursor.at_end() {
        option(cursor, &mut function)?;
    }
    Ok(one(cursor, from, Operation::CreateFunction(Box::new(function))))
}

/// The type of one argument if a call passes it; `Some(None)` if it cannot be read.
fn passed(mut argument: Cursor<'_>, procedure: bool) -> Read<Option<Option<TypeName>>> {
    if argument.at_end() {
        return Err(argument.fail("an argument"));
    }
    let mut mode = take_mode(&mut argument);
    let from = argument.mark();
    let mut read = type_name::read(&mut argument);
    if !ends_argument(&argument) || read.is_err() {
        // The first word was its name; the mode may also stand behind that.
        argument.back_to(from);
        argument.type_ident()?;
        mode = mode.or_else(|| take_mode(&mut argument));
        read = type_name::read(&mut argument);
    }
    if argument.take_any(&["default", "="]).is_some() {
        let default = argument.rest();
        argument.expression(default)?;
    }
    if read.is_err() || !argument.at_end() {
        argument.note_unknown();
    }
    // A function gives its OUT arguments back; a procedure is called with them.
    Ok((mode != Some("out") || procedure).then_some(read.ok()))
}

fn take_mode<'w>(argument: &mut Cursor<'_>) -> Option<&'w str> {
    argument.take_any(&["in out", "in", "out", "inout", "variadic"])
}

fn ends_argument(argument: &Cursor<'_>) -> bool {
    argument.at_end() || argument.sees("default") || argument.sees("=")
}

/// One option.
fn option(cursor: &mut Cursor<'_>, function: &mut CreateFunction) -> Read<()> {
    const PLAIN: [&str; 8] = [
        "called on null input",
        "returns null on null input",
        "strict",
        "not leakproof",
        "leakproof",
        "window",
        "security invoker",
        "external security invoker",
    ];
    if cursor.take_any(&PLAIN).is_some() {
        return Ok(());
    }
    if cursor.take_any(&["security definer", "external security definer"]).is_some() {
        function.security_definer = true;
    } else if let Some(word) = cursor.take_any(&["immutable", "stable", "volatile"]) {
        function.volatility = Some(match word {
            "immutable" => Volatility::Immutable,
            "stable" => Volatility::Stable,
            _ => Volatility::Volatile,
        });
    } else if cursor.take("returns table") {
        cursor.group()?;
    } else if cursor.take("returns") {
        let returned = type_name::read(cursor)?;
        function.returns_trigger = returned.name.name == "trigger" && returned.dimensions == 0;
    } else if cursor.take("language") {
        function.language = Some(language(cursor)?);
    } else if cursor.take("set") {
        let (name, _) = session::assignment(cursor)?;
        function.sets_search_path |= *name == *"search_path";
    } else if cursor.take("parallel") {
        cursor.label()?;
    } else if cursor.take_any(&["cost", "rows"]).is_some() {
        cursor.integer()?;
    } else if cursor.take("support") {
        cursor.type_or_function_name()?;
    } else if cursor.take("transform") {
        cursor.list(|cursor| {
            cursor.expect("for type")?;
            type_name::read(cursor)
        })?;
    } else {
        return body(cursor, function);
    }
    Ok(())
}

/// AS 'body', RETURN expression, BEGIN ATOMIC ... END.
fn body(cursor: &mut Cursor<'_>, function: &mut CreateFunction) -> Read<()> {
    let from = cursor.mark();
    if cursor.take("as") {
        function.body = literal(cursor)?;
        if cursor.take(",") {
            // A library and a symbol in it.
            literal(cursor)?;
            function.body = None;
        } else if function.body.is_none() {
            cursor.note_unknown();
        }
        return Ok(());
    }
    if cursor.sees("begin atomic") || cursor.sees("return") {
        let block = cursor.sees("begin atomic");
        cursor.rest();
        if block && !cursor.sees_before("end") {
            return Err(cursor.fail("END"));
        }
        function.atomic = true;
        function.body = Some(cursor.span_from(from));
        return Ok(());
    }
    Err(cursor.fail("an option of the function"))
}
