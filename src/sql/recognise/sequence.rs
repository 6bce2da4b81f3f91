//! CREATE SEQUENCE, and the options of sequences wherever they stand.

use super::cursor::{Cursor, Read};
use super::{Operations, one, table, type_name};
use crate::model::name::{Ident, Name};
use crate::model::operation::{Operation, SequenceOptions};
use crate::model::types::TypeName;

/// The options of a sequence that matter.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub data_type: Option<TypeName>,
    pub owned_by: Option<(Name, Ident)>,
    pub start: bool,
    pub restart: bool,
    /// How it counts.
    pub told: Box<SequenceOptions>,
}

/// CREATE SEQUENCE.
pub(super) fn create(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("create")?;
    let persistence = table::persistence(cursor);
    cursor.expect("sequence")?;
    let if_not_exists = cursor.if_not_exists();
    let name = cursor.name()?;
    let Options { data_type, owned_by, told: options, .. } = options(cursor)?;
    Ok(one(cursor, from, Operation::CreateSequence { name, if_not_exists, persistence, data_type, owned_by, options }))
}

/// Options in any order, to the end.
pub(super) fn options(cursor: &mut Cursor<'_>) -> Read<Options> {
    let mut options = Options::default();
    while !cursor.at_end() {
        option(cursor, &mut options)?;
    }
    Ok(options)
}

/// One option.
pub(super) fn option(cursor: &mut Cursor<'_>, options: &mut Options) -> Read<()> {
    const WORDS: [&str; 16] = [
        "as",
        "cache",
        "cycle",
        "increment by",
        "increment",
        "logged",
        "unlogged",
        "maxvalue",
        "minvalue",
        "no minvalue",
        "no maxvalue",
        "no cycle",
        "owned by",
        "sequence name",
        "start",
        "restart",
    ];
    match cursor.expect_any(&WORDS)? {
        "as" => options.data_type = Some(type_name::read(cursor)?),
        "cache" => options.told.cache = Some(cursor.integer()?),
        "increment by" | "increment" => options.told.increment = Some(cursor.integer()?),
        "maxvalue" => options.told.most = Some(cursor.integer()?),
        "minvalue" => options.told.least = Some(cursor.integer()?),
        "cycle" => options.told.cycle = Some(true),
        "no cycle" => options.told.cycle = Some(false),
        "owned by" => options.owned_by = owner(cursor)?,
        "sequence name" => options.told.name = Some(cursor.name()?),
        "start" => {
            cursor.take("with");
            options.told.start = Some(cursor.integer()?);
            options.start = true;
        }
        "restart" => {
            if cursor.take("with") || number_follows(cursor) {
                cursor.integer()?;
            }
            options.restart = true;
        }
        _ => {}
    }
    Ok(())
}

fn number_follows(cursor: &Cursor<'_>) -> bool {
    cursor.kind() == Some(crate::sql::lex::TokenKind::Number) || cursor.sees_any(&["-", "+"]).is_some()
}

/// `NONE`, or `table.column` with a schema in front or not.
fn owner(cursor: &mut Cursor<'_>) -> Read<Option<(Name, Ident)>> {
    if cursor.take("none") {
        return Ok(None);
    }
    let mut parts = vec![cursor.ident()?];
    while cursor.take(".") {
        parts.push(cursor.label()?);
    }
    let (Some(column), Some(name)) = (parts.pop(), parts.pop()) else { return Err(cursor.fail("a column of a table")) };
    Ok(Some((Name { schema: parts.pop(), name }, column)))
}
