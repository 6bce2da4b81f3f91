//! CREATE FUNCTION and CREATE PROCEDURE: options in any order.

use super::super::cursor::{Cursor, Read};
use super::super::{Operations, one, session, type_name};
use super::{language, literal};
use crate::model::name::Ident;
use crate::model::operation::{CreateFunction, Operation, Signature, Volatility};
use crate::model::types::TypeName;

/// CREATE [OR REPLACE] FUNCTION or PROCEDURE.
pub(in super::super) fn create(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("create")?;
    let or_replace = cursor.take("or replace");
    let procedure = cursor.expect_any(&["function", "procedure"])? == "procedure";
    let name = cursor.type_or_function_name()?;
    let (mut arguments, mut signature) = (Vec::new(), Signature::default());
    for part in cursor.group()?.comma_parts()? {
        let Argument { mode, name, data_type, has_default } = argument(part)?;
        if matches!(mode, Some("out" | "inout" | "in out")) {
            signature.outputs.push((name.clone(), data_type.clone()));
        }
        // A function gives its OUT arguments back; a procedure is called with them.
        if mode != Some("out") || procedure {
            arguments.push(data_type);
            signature.names.push(name);
            signature.defaults += usize::from(has_default);
        }
    }
    let mut function = CreateFunction {
        name,
        or_replace,
        procedure,
        arguments,
        signature,
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

/// An argument as it is written.
struct Argument {
    mode: Option<&'static str>,
    name: Option<Ident>,
    /// `None` if it cannot be read.
    data_type: Option<TypeName>,
    has_default: bool,
}

fn argument(mut part: Cursor<'_>) -> Read<Argument> {
    if part.at_end() {
        return Err(part.fail("an argument"));
    }
    let mut mode = take_mode(&mut part);
    let mut name = None;
    let from = part.mark();
    let mut read = type_name::read(&mut part);
    if !ends_argument(&part) || read.is_err() {
        // The first word was its name; the mode may also stand behind that.
        part.back_to(from);
        name = Some(part.type_ident()?);
        mode = mode.or_else(|| take_mode(&mut part));
        read = type_name::read(&mut part);
    }
    let has_default = part.take_any(&["default", "="]).is_some();
    if has_default {
        let default = part.rest();
        part.expression(default)?;
    }
    if read.is_err() || !part.at_end() {
        part.note_unknown();
    }
    Ok(Argument { mode, name, data_type: read.ok(), has_default })
}

fn take_mode(argument: &mut Cursor<'_>) -> Option<&'static str> {
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
        function.signature.returns_set = true;
        for mut part in cursor.group()?.comma_parts()? {
            let name = part.type_ident()?;
            function.signature.outputs.push((Some(name), type_name::read(&mut part).ok()));
        }
    } else if cursor.take("returns") {
        function.signature.returns_set = cursor.sees("setof");
        let returned = type_name::read(cursor)?;
        function.returns_trigger = returned.name.name == "trigger" && returned.dimensions == 0;
        function.signature.returns = Some(returned);
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
        if function.body.is_none() {
            cursor.note_unknown();
        }
        if cursor.take(",") {
            // A library and a symbol in it.
            literal(cursor)?;
            function.body = None;
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
