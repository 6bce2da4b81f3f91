//! The tables of CREATE and ALTER PUBLICATION.

use super::super::cursor::{Cursor, Read};
use crate::model::operation::{Published, Publishing};

/// Behind `FOR`, `ADD`, `SET` or `DROP`: the tables that are named, and whether ONLY is said; those of ALL TABLES and of schemas are not.
pub(in super::super) fn tables(cursor: &mut Cursor<'_>) -> Read<Vec<Published>> {
    let how = match cursor.take_any(&["for", "add", "set", "drop"]) {
        Some("set") => Publishing::Set,
        Some("drop") => Publishing::Drop,
        Some(_) => Publishing::Add,
        None => return Ok(Vec::new()),
    };
    if !cursor.sees("table") {
        return Ok(Vec::new());
    }
    let mut tables = Vec::new();
    let mut named = true;
    for mut part in cursor.comma_parts()? {
        // TABLE or TABLES IN SCHEMA holds for what follows, until the other is said.
        match part.take_any(&["tables in schema", "table"]) {
            Some("table") => named = true,
            Some(_) => named = false,
            None => {}
        }
        if named {
            let only = part.take("only");
            let name = if only && part.sees("(") { part.group()?.name()? } else { part.name()? };
            part.take("*");
            let columns = if part.sees("(") { part.ident_group()? } else { Vec::new() };
            let filter = if part.take("where") {
                let condition = part.group()?.rest();
                Some(part.expression(condition)?)
            } else {
                None
            };
            tables.push(Published { name, only, how, columns, filter });
        }
    }
    Ok(tables)
}
