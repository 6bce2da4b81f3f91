//! What CREATE INDEX means, by the server itself: the same index on an empty copy of the table, in a transaction that is rolled back.
//!
//! So names are found, defaults are filled in and expressions are printed by the server on both sides, and only what it says is compared.

use super::inquiry::{Inquiry, Relation};
use crate::db::Refusal;
use crate::model::operation::CreateIndex;
use crate::sql::lex::Lexer;
use crate::text::{SourceFile, Span};
use sqlx::Row;

/// An index as the server describes it, part by part; names of indexes and tables are not among them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Definition(Vec<String>);

/// The parts, in the order of the query's columns.
const PARTS: [&str; 7] = ["method", "kind", "key", "INCLUDE", "WHERE", "WITH", "tablespace"];

impl Definition {
    /// The first part in which the one that is there is another than `wanted`, in words.
    pub(super) fn difference(&self, wanted: &Self) -> Option<String> {
        let parts = PARTS.iter().zip(&self.0).zip(&wanted.0);
        let ((part, there), wanted) = parts.into_iter().find(|((_, there), wanted)| there != wanted)?;
        Some(match (there.as_str(), wanted.as_str()) {
            ("", wanted) => format!("it has no {part}, where the statement says `{wanted}`"),
            (there, "") => format!("its {part} is `{there}`, where the statement says nothing"),
            (there, wanted) => format!("its {part} is `{there}`, where the statement says `{wanted}`"),
        })
    }
}

/// What the statement asks for, or in words why the server does not say it.
pub(super) async fn wanted(
    inquiry: &mut Inquiry<'_>,
    create: &CreateIndex,
    table: &Relation,
    (source, end): (&SourceFile, u32),
) -> Result<Result<Definition, String>, Refusal> {
    let Some(rest) = behind_table(source, create, end) else { return Ok(Err("its table could not be found in the statement".to_owned())) };
    // Of the same name as the table, since an expression may say `orders.note`.
    let copy = table.name.name.sql();
    let unique = if create.unique { "UNIQUE " } else { "" };
    let make = format!("CREATE TEMPORARY TABLE {copy} (LIKE {}); CREATE {unique}INDEX ON pg_temp.{copy} ", table.name.sql());
    if let Err(refusal) = inquiry.run_on_path(&(make + &source.text(rest))).await {
        return if may_pass(&refusal) { Err(refusal) } else { Ok(Err(format!("the server says of its definition: {refusal}"))) };
    }
    let of_copy = format!("i.indrelid = to_regclass({})", super::inquiry::literal(&format!("pg_temp.{copy}")));
    let made = definitions(inquiry, &of_copy, create).await?.pop();
    Ok(made.map(|(_, definition)| definition).ok_or_else(|| "the server made no index of its definition".to_owned()))
}

/// What the server refuses now and not because of the definition: no connection, no resources, cancelled, a lock not gotten, shutting down.
fn may_pass(refusal: &Refusal) -> bool {
    ["08", "40", "53", "55", "57"].iter().any(|class| refusal.code.starts_with(class))
}

/// From what follows the table to the end of the statement.
fn behind_table(source: &SourceFile, create: &CreateIndex, end: u32) -> Option<Span> {
    let mut tokens = Lexer::new(source, Span::new(create.keyword.end, end)).skip_while(|token| !token.is_word(source, "on")).skip(1);
    let mut token = tokens.next()?;
    if token.is_word(source, "only") {
        token = tokens.next()?;
    }
    token.ident(source)?;
    let mut next = tokens.next()?;
    while next.is_mark(source, ".") {
        tokens.next()?.ident(source)?;
        next = tokens.next()?;
    }
    if next.is_mark(source, "*") {
        next = tokens.next()?;
    }
    Some(Span::new(next.span.start, end))
}

/// The definitions of the indexes that a condition on `pg_index i` chooses.
pub(super) async fn definitions(
    inquiry: &mut Inquiry<'_>,
    condition: &str,
    create: &CreateIndex,
) -> Result<Vec<(i64, Definition)>, Refusal> {
    let rows = inquiry.rows(&format!("{DEFINITIONS} WHERE {condition} ORDER BY i.indexrelid")).await?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        let mut parts: Vec<String> = (1..=PARTS.len()).map(|at| row.try_get(at)).collect::<Result<_, _>>()?;
        if create.tablespace.is_none() {
            // Settings decide then, and an index of a temporary table follows others.
            parts.pop();
        }
        all.push((row.try_get(0)?, Definition(parts)));
    }
    Ok(all)
}

/// `NULLS NOT DISTINCT` is a column of newer servers only, so it is asked for by its name.
const DEFINITIONS: &str = "
    SELECT i.indexrelid::int8,
           am.amname::text,
           CASE WHEN i.indisunique THEN 'unique' ELSE 'not unique' END
           || CASE WHEN to_jsonb(i) ->> 'indnullsnotdistinct' = 'true' THEN ', nulls not distinct' ELSE '' END
           || CASE WHEN i.indisexclusion THEN ', of an exclusion constraint' ELSE '' END || CASE WHEN i.indimmediate THEN '' ELSE ', deferrable' END,
           (SELECT string_agg(
                pg_get_indexdef(i.indexrelid, n, false)
                || CASE WHEN i.indcollation[n - 1] IN (0, 100) THEN '' ELSE ' COLLATE ' || i.indcollation[n - 1]::regcollation::text END
                || ' ' || CASE o.opcnamespace WHEN 11 THEN '' ELSE quote_ident(s.nspname) || '.' END || quote_ident(o.opcname)
                || coalesce((SELECT '(' || string_agg(o, ', ') || ')' FROM unnest(a.attoptions) o WHERE o NOT LIKE 'pg_attver=%'), '')
                || CASE WHEN i.indoption[n - 1] & 1 = 1 THEN ' DESC' ELSE '' END
                || CASE WHEN i.indoption[n - 1] & 3 = 1 THEN ' NULLS LAST' WHEN i.indoption[n - 1] & 3 = 2 THEN ' NULLS FIRST' ELSE '' END,
                ', ' ORDER BY n)
            FROM generate_series(1, i.indnkeyatts::int) n JOIN pg_opclass o ON o.oid = i.indclass[n - 1]
                 JOIN pg_namespace s ON s.oid = o.opcnamespace JOIN pg_attribute a ON a.attrelid = i.indexrelid AND a.attnum = n),
           coalesce((SELECT string_agg(pg_get_indexdef(i.indexrelid, n, false), ', ' ORDER BY n)
                     FROM generate_series(i.indnkeyatts + 1, i.indnatts::int) n), ''),
           coalesce(pg_get_expr(i.indpred, i.indrelid), ''),
           coalesce((SELECT string_agg(option, ', ' ORDER BY option) FROM unnest(c.reloptions) option), ''),
           coalesce((SELECT t.spcname::text FROM pg_tablespace t WHERE t.oid = c.reltablespace), '')
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am am ON am.oid = c.relam";
