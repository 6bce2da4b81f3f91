//! REINDEX CONCURRENTLY, which leaves `_ccnew` behind if it is broken off before it swaps the indexes, and `_ccold` behind it.

use super::Evidence;
use super::inquiry::{Inquiry, qualified};
use crate::db::Refusal;
use crate::model::operation::{Reindex, ReindexScope};
use sqlx::Row;

/// What it has left behind, one at a time. Without leftovers, nothing is lost by building once more.
pub(super) async fn left(inquiry: &mut Inquiry<'_>, reindex: &Reindex) -> Result<Evidence, Refusal> {
    let Some(scope) = scope(inquiry, reindex).await? else { return Ok(Evidence::Repeat) };
    let query = format!("{LEFT} AND {scope} ORDER BY i.indexrelid LIMIT 1");
    let Some(row) = inquiry.row(&query).await? else { return Ok(Evidence::Repeat) };
    let (index, table): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
    let name = qualified(row.try_get(2)?, row.try_get(3)?).sql();
    // It locks the table, the old index and the new one.
    if let Some(pid) = inquiry.busy(&[index, table]).await? {
        return Ok(Evidence::Busy { pid, what: format!("index `{name}` is not valid, and process {pid} may be building it") });
    }
    let drop = format!("DROP INDEX CONCURRENTLY {name}");
    Ok(Evidence::Leftover { what: format!("index `{name}` is what a REINDEX CONCURRENTLY that was broken off has left"), drop })
}

/// Which indexes may be its leftovers; `None` if there is nothing of the name that it says.
async fn scope(inquiry: &mut Inquiry<'_>, reindex: &Reindex) -> Result<Option<String>, Refusal> {
    Ok(match (reindex.scope, &reindex.name) {
        (ReindexScope::Index, Some(name)) => inquiry.relation(name).await?.map(|index| of_index(index.oid)),
        (ReindexScope::Table, Some(name)) => inquiry.relation(name).await?.map(|table| of_tables(&tree(table.oid))),
        (ReindexScope::Schema, Some(name)) => {
            let schema = super::inquiry::literal(name.name.as_str());
            Some(of_tables(&format!(
                "SELECT r.oid FROM pg_class r JOIN pg_namespace s ON s.oid = r.relnamespace WHERE s.nspname = {schema}"
            )))
        }
        (ReindexScope::Database | ReindexScope::System, _) => Some("true".to_owned()),
        (ReindexScope::Index | ReindexScope::Table | ReindexScope::Schema, None) => None,
    })
}

/// The invalid indexes that are called as REINDEX CONCURRENTLY calls them. A partition's are in `pg_toast` if they are its TOAST table's.
const LEFT: &str = "
    SELECT i.indexrelid::int8, i.indrelid::int8, n.nspname::text, c.relname::text
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT i.indisvalid AND c.relkind = 'i' AND c.relname ~ '_cc(new|old)[0-9]*$'";

/// A relation, and all partitions below it.
fn tree(oid: i64) -> String {
    format!("SELECT {oid}::oid UNION SELECT p.relid FROM pg_partition_tree({oid}) p")
}

/// Indexes of these tables, and of their TOAST tables.
fn of_tables(tables: &str) -> String {
    format!("(i.indrelid IN ({tables}) OR i.indrelid IN (SELECT t.reltoastrelid FROM pg_class t WHERE t.oid IN ({tables})))")
}

/// Indexes whose name is made of that of an index in the tree: cut off at its end if the whole would be too long.
fn of_index(oid: i64) -> String {
    format!(
        "EXISTS (SELECT FROM pg_index m JOIN pg_class o ON o.oid = m.indexrelid,
                             regexp_replace(c.relname, '_cc(new|old)[0-9]*$', '') base
                 WHERE m.indexrelid IN ({}) AND m.indrelid = i.indrelid
                   AND (o.relname = base OR octet_length(c.relname) >= 60 AND starts_with(o.relname, base)))",
        tree(oid)
    )
}
