//! The tables of CREATE and ALTER PUBLICATION.

use super::super::cursor::{Cursor, Read};
use crate::model::name::Name;

/// Behind `FOR`, `ADD`, `SET` or `DROP`: the tables that are named, and whether ONLY is said; those of ALL TABLES and of schemas are not.
pub(in super::super) fn tables(cursor: &mut Cursor<'_>) -> Read<Vec<(Name, bool)>> {
    if cursor.take_any(&["for", "add", "set", "drop"]).is_none() || !cursor.sees("table") {
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
            let mut name = if only && part.sees("(") { part.group()? } else { part };
            tables.push((name.name()?, only));
        }
    }
    Ok(tables)
}
