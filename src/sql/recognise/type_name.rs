//! Data types in every spelling that PostgreSQL's grammar has, unified to the names that `format_type` prints.

use super::cursor::{Cursor, Read};
use crate::model::name::{Ident, Name};
use crate::model::types::TypeName;
use crate::sql::lex::TokenKind;

/// Names in pg_type whose `format_type` name is another one.
const CATALOG_NAMES: &[(&str, &str)] = &[
    ("int2", "smallint"),
    ("int4", "integer"),
    ("int8", "bigint"),
    ("float4", "real"),
    ("float8", "double precision"),
    ("bool", "boolean"),
    ("varchar", "character varying"),
    ("varbit", "bit varying"),
    ("timestamp", "timestamp without time zone"),
    ("timestamptz", "timestamp with time zone"),
    ("time", "time without time zone"),
    ("timetz", "time with time zone"),
];

/// Words that the grammar itself turns into a type; unquoted and without a schema only.
const GRAMMAR_NAMES: &[(&str, &str)] = &[
    ("int", "integer"),
    ("integer", "integer"),
    ("smallint", "smallint"),
    ("bigint", "bigint"),
    ("real", "real"),
    ("boolean", "boolean"),
    ("decimal", "numeric"),
    ("dec", "numeric"),
];

/// Integers with a sequence of their own: not types, but words of a column definition.
const SERIALS: &[(&str, &str)] = &[
    ("serial", "integer"),
    ("serial4", "integer"),
    ("bigserial", "bigint"),
    ("serial8", "bigint"),
    ("smallserial", "smallint"),
    ("serial2", "smallint"),
];

/// Reads a type; SETOF is passed over.
pub(crate) fn read(cursor: &mut Cursor<'_>) -> Read<TypeName> {
    cursor.take("setof");
    let mut read = simple(cursor)?;
    read.dimensions = dimensions(cursor)?;
    Ok(read)
}

/// Reads a type without SETOF and array dimensions.
pub(super) fn simple(cursor: &mut Cursor<'_>) -> Read<TypeName> {
    if cursor.take("double") {
        cursor.expect("precision")?;
        return Ok(built_in("double precision"));
    }
    if cursor.take("float") {
        return float(cursor);
    }
    if cursor.take("bit") {
        return bits(cursor);
    }
    if cursor.take_any(&["national character", "national char", "nchar", "character", "char"]).is_some() {
        return characters(cursor);
    }
    if let Some(word) = cursor.take_any(&["timestamp", "time"]) {
        return moment(cursor, word);
    }
    if cursor.take("interval") {
        return interval(cursor);
    }
    named(cursor)
}

fn built_in(name: &str) -> TypeName {
    TypeName { name: Name::bare(Ident::quoted(name)), modifiers: Vec::new(), fields: None, dimensions: 0, serial: false }
}

/// `float(24)` is real, `float(25)` and `float` are double precision.
fn float(cursor: &mut Cursor<'_>) -> Read<TypeName> {
    let short = modifiers(cursor)?.first().is_some_and(|digits| digits.parse::<u32>().is_ok_and(|bits| bits < 25));
    Ok(built_in(if short { "real" } else { "double precision" }))
}

/// Without a length `bit` is `bit(1)`.
fn bits(cursor: &mut Cursor<'_>) -> Read<TypeName> {
    let varying = cursor.take("varying");
    sized(cursor, if varying { "bit varying" } else { "bit" }, varying)
}

/// Without a length `char` is `char(1)`.
fn characters(cursor: &mut Cursor<'_>) -> Read<TypeName> {
    let varying = cursor.take("varying");
    sized(cursor, if varying { "character varying" } else { "character" }, varying)
}

fn sized(cursor: &mut Cursor<'_>, name: &str, unlimited: bool) -> Read<TypeName> {
    let mut modifiers = modifiers(cursor)?;
    if modifiers.is_empty() && !unlimited {
        modifiers.push("1".into());
    }
    Ok(TypeName { modifiers, ..built_in(name) })
}

/// `timestamp (3) with time zone`.
fn moment(cursor: &mut Cursor<'_>, word: &str) -> Read<TypeName> {
    let modifiers = modifiers(cursor)?;
    let zone = if cursor.take("with time zone") {
        "with"
    } else {
        cursor.take("without time zone");
        "without"
    };
    Ok(TypeName { modifiers, ..built_in(&format!("{word} {zone} time zone")) })
}

/// `interval(3)`, `interval day to second(3)`.
fn interval(cursor: &mut Cursor<'_>) -> Read<TypeName> {
    let mut modifiers = modifiers(cursor)?;
    let mut fields = None;
    const UNITS: [&str; 6] = ["year", "month", "day", "hour", "minute", "second"];
    if let Some(first) = cursor.take_any(&UNITS) {
        let last = if cursor.take("to") { Some(cursor.expect_any(&UNITS)?) } else { None };
        if last.unwrap_or(first) == "second" && cursor.sees("(") {
            modifiers = self::modifiers(cursor)?;
        }
        fields = Some(last.map_or_else(|| first.to_owned(), |last| format!("{first} to {last}")).into());
    }
    Ok(TypeName { modifiers, fields, ..built_in("interval") })
}

/// Any other type: a name, perhaps with modifiers, or `relation.column%TYPE`.
fn named(cursor: &mut Cursor<'_>) -> Read<TypeName> {
    let quoted = cursor.kind() == Some(TokenKind::QuotedIdent);
    let from = cursor.mark();
    let first = cursor.type_ident().map_err(|_| cursor.fail("a data type"))?;
    let name = cursor.parts_behind(first)?;
    if cursor.take("% type") {
        return Ok(built_in(&cursor.text_from(from).to_ascii_lowercase()));
    }
    let bare = name.schema.is_none();
    let word = name.name.as_str();
    let translate = |table: &[(&str, &'static str)]| table.iter().find(|(written, _)| *written == word).map(|(_, name)| *name);
    if let Some(integer) = translate(SERIALS).filter(|_| bare) {
        return Ok(TypeName { serial: true, ..built_in(integer) });
    }
    let of_grammar = if bare && !quoted { translate(GRAMMAR_NAMES) } else { None };
    let of_catalog = if bare || name.schema.as_ref().is_some_and(|schema| *schema == "pg_catalog") { Some(word) } else { None };
    let unified = of_grammar.map(built_in).or_else(|| of_catalog.map(|word| built_in(translate(CATALOG_NAMES).unwrap_or(word))));
    let modifiers = modifiers(cursor)?;
    let plain = unified.unwrap_or(TypeName { name, ..built_in("") });
    // Without a length bpchar is not char(1) but unlimited, and format_type keeps its name.
    let plain = if plain.name.name == "bpchar" && !modifiers.is_empty() { built_in("character") } else { plain };
    Ok(TypeName { modifiers, ..plain })
}

/// `(10, 2)`; words are folded, other constants stay as written.
fn modifiers(cursor: &mut Cursor<'_>) -> Read<Vec<Box<str>>> {
    if !cursor.sees("(") {
        return Ok(Vec::new());
    }
    let mut group = cursor.group()?;
    group
        .items()?
        .into_iter()
        .map(|mut part| {
            let from = part.mark();
            let folded = part.kind() == Some(TokenKind::Word);
            if part.integer().is_err() {
                part.bump();
            }
            part.finish()?;
            let text = part.text_from(from);
            Ok(if folded { text.to_ascii_lowercase().into() } else { text })
        })
        .collect()
}

/// `[]`, `[3][]`, `ARRAY`, `ARRAY[3]`; a number says nothing to the server.
fn dimensions(cursor: &mut Cursor<'_>) -> Read<u8> {
    if cursor.take("array") {
        if cursor.take("[") {
            cursor.integer()?;
            cursor.expect("]")?;
        }
        return Ok(1);
    }
    let mut count = 0u8;
    while cursor.take("[") {
        if !cursor.sees("]") {
            cursor.integer()?;
        }
        cursor.expect("]")?;
        count = count.saturating_add(1);
    }
    Ok(count)
}

/// COLLATE, if it comes next.
pub(crate) fn collation(cursor: &mut Cursor<'_>) -> Read<Option<Name>> {
    if cursor.take("collate") { cursor.name().map(Some) } else { Ok(None) }
}
