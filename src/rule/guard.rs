//! Queries that are true if the rows of a table allow a constraint: what to ask the production database beforehand.

use crate::model::name::Ident;
use crate::model::operation::ForeignKey;

fn columns(columns: &[Ident], each: impl Fn(&str) -> String, joint: &str) -> String {
    columns.iter().map(|column| each(&column.sql())).collect::<Vec<_>>().join(joint)
}

/// No row lacks a value in any of these columns.
pub fn none_missing(table: &str, required: &[Ident]) -> String {
    format!("SELECT NOT EXISTS (SELECT FROM {table} WHERE {})", columns(required, |column| format!("{column} IS NULL"), " OR "))
}

/// No row makes the condition false; one that is NULL does not.
pub fn holds(table: &str, condition: &str) -> String {
    format!("SELECT NOT EXISTS (SELECT FROM {table} WHERE NOT ({condition}))")
}

/// No two rows are equal in these columns. Rows with a NULL in them are equal to none, unless NULLS NOT DISTINCT is said.
pub fn distinct(table: &str, key: &[Ident], nulls_not_distinct: bool) -> String {
    let known = columns(key, |column| format!("{column} IS NOT NULL"), " AND ");
    let filter = if nulls_not_distinct { String::new() } else { format!(" WHERE {known}") };
    format!("SELECT NOT EXISTS (SELECT FROM {table}{filter} GROUP BY {} HAVING count(*) > 1)", columns(key, str::to_owned, ", "))
}

/// No row refers to what is not there. `None`: the columns on the other side are not known, or they are ranges of time (PERIOD).
pub fn no_orphans(table: &str, key: &ForeignKey, referenced: &str) -> Option<String> {
    if key.referenced_columns.len() != key.columns.len() || key.period {
        return None;
    }
    let each = |word: &str, joint: &str| columns(&key.columns, |column| format!("child.{column} {word}"), joint);
    let refers = if key.match_full { format!("NOT ({})", each("IS NULL", " AND ")) } else { each("IS NOT NULL", " AND ") };
    let pairs = key.pairs().map(|(column, other)| format!("parent.{} = child.{}", other.sql(), column.sql()));
    let equal = pairs.collect::<Vec<_>>().join(" AND ");
    Some(format!(
        "SELECT NOT EXISTS (SELECT FROM {table} AS child WHERE {refers} AND NOT EXISTS (SELECT FROM {referenced} AS parent WHERE {equal}))"
    ))
}
