//! What earlier attempts have left behind: indexes whose build has failed, constraints that nobody has validated.

use super::look::{count, look};
use super::touched::Touched;
use super::{Check, Findings, Limits, Verdict};
use crate::db::{Connection, Refusal};
use crate::model::name::{Ident, QualifiedName};
use sqlx::Row;

/// A partitioned index is invalid while a partition has none: that is not a build that has failed.
const INVALID: &str = "
    SELECT n.nspname::text AS schema, c.relname::text AS name, t.relname::text AS \"table\",
           tn.nspname::text AS table_schema,
           p.pid
    FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid AND c.relkind = 'i' JOIN pg_namespace n ON n.oid = c.relnamespace
         JOIN pg_class t ON t.oid = x.indrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace
         LEFT JOIN pg_stat_progress_create_index p ON p.index_relid = x.indexrelid AND p.datname = current_database()
    WHERE NOT x.indisvalid AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    ORDER BY 1, 2";

const NOT_VALID: &str = "
    SELECT k.conname || ' of ' || coalesce(nullif(k.conrelid, 0)::regclass::text, k.contypid::regtype::text)
    FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
    WHERE NOT k.convalidated AND k.contype IN ('c', 'f', 'n') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    ORDER BY 1";

/// Whether there are leftovers, and whether one of them has a name that the migrations need.
pub(super) async fn check(connection: &mut Connection, touched: &Touched, limits: &Limits) -> Result<Check, Refusal> {
    let mut found = Findings::default();
    for row in look(connection, limits, INVALID).await? {
        let index = QualifiedName { schema: Ident::quoted(row.try_get("schema")?), name: Ident::quoted(row.try_get("name")?) };
        let table = QualifiedName { schema: Ident::quoted(row.try_get("table_schema")?), name: Ident::quoted(row.try_get("table")?) };
        if let Some(pid) = row.try_get::<Option<i32>, _>("pid")? {
            let words = format!("index {index} on {table} is being built (pid {pid})");
            found.add(Verdict::Warn, words, Some("wait until it is built".to_owned()));
            continue;
        }
        let next = Some(format!("DROP INDEX CONCURRENTLY {}, and build it again if it is needed", index.sql()));
        let words = format!("index {index} on {table} is invalid: no query uses it, and every write pays for it");
        if touched.builds.contains_key(&index) {
            // One that is built concurrently is rid of such a leftover first.
            found.add(Verdict::Warn, format!("{words}; the migrations are to build one of that name"), next);
        } else if touched.locks.contains_key(&table) {
            found.add(Verdict::Warn, format!("{words}; the migrations touch {table}"), next);
        } else {
            found.add(Verdict::Warn, words, next);
        }
    }
    let rows = look(connection, limits, NOT_VALID).await?;
    let names: Vec<String> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    if !names.is_empty() {
        found.note(format!("{} not validated: {}", count(names.len(), "constraint"), names.join(", ")));
    }
    if found.words.is_empty() {
        found.note("no invalid index, no constraint that is not validated");
    }
    Ok(found.check("leftovers"))
}
