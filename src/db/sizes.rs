//! How large the tables of a live server are. Reads the catalogs and the statistics views only: no data, no locks that anybody waits for.

use super::{Connection, Refusal};
use crate::model::name::{Ident, QualifiedName};
use crate::model::sizes::TableSize;
use sqlx::Row;
use std::collections::BTreeMap;

/// What a server tells of its tables.
#[derive(Clone, Debug)]
pub struct ServerSizes {
    /// The database.
    pub database: String,
    /// The server's version as it says it: `15.18`.
    pub server: String,
    /// When it was asked, in UTC.
    pub taken: String,
    /// All tables and materialized views of user schemas, by name.
    pub tables: BTreeMap<QualifiedName, TableSize>,
}

/// Asks for the sizes of all tables. The session becomes read-only.
///
/// # Errors
/// What the server says.
pub async fn read(connection: &mut Connection) -> Result<ServerSizes, Refusal> {
    // Nobody is to wait for us, nor we for anybody: DROP TABLE holds a lock that a size function waits for.
    connection.run("SET default_transaction_read_only = on; SET lock_timeout = '5s'; SET statement_timeout = '60s'").await?;
    let about = connection.rows(ABOUT).await?;
    let about = about.first().ok_or(sqlx::Error::RowNotFound)?;
    let mut tables = BTreeMap::new();
    for row in connection.rows(TABLES).await? {
        let size = TableSize {
            rows: row.try_get::<Option<i64>, _>(2)?.and_then(|rows| u64::try_from(rows).ok()),
            bytes: bytes(row.try_get(3)?),
            writes_per_second: row.try_get(4)?,
            indexes: BTreeMap::new(),
        };
        tables.insert(name(row.try_get(0)?, row.try_get(1)?), size);
    }
    for row in connection.rows(INDEXES).await? {
        if let Some(size) = tables.get_mut(&name(row.try_get(0)?, row.try_get(1)?)) {
            size.indexes.insert(row.try_get(2)?, bytes(row.try_get(3)?));
        }
    }
    Ok(ServerSizes { database: about.try_get(0)?, server: about.try_get(1)?, taken: about.try_get(2)?, tables })
}

fn name(schema: &str, name: &str) -> QualifiedName {
    QualifiedName { schema: Ident::quoted(schema), name: Ident::quoted(name) }
}

/// A relation that is dropped meanwhile has no size.
fn bytes(size: Option<i64>) -> u64 {
    size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default()
}

const ABOUT: &str = "
    SELECT pg_catalog.current_database()::text, pg_catalog.split_part(pg_catalog.current_setting('server_version'), ' ', 1),
           pg_catalog.to_char(pg_catalog.now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')";

/// `reltuples` is what the planner knows; it is -1 (before 14: 0) until the table is analysed or vacuumed, and then the counters of the
/// statistics collector are all there is. A partitioned table is the sum of its partitions. Counters begin anew with the server's
/// statistics, whose age is that of the database's, else of the server.
const TABLES: &str = "
    WITH age AS (
        SELECT greatest(extract(epoch FROM pg_catalog.now() - coalesce(d.stats_reset, pg_catalog.pg_postmaster_start_time())), 1) AS seconds
        FROM pg_catalog.pg_stat_database d WHERE d.datname = pg_catalog.current_database()),
    own AS (
        SELECT c.oid,
               CASE WHEN c.reltuples > 0 THEN c.reltuples::int8
                    WHEN s.n_live_tup > 0 THEN s.n_live_tup
                    WHEN pg_catalog.pg_relation_size(c.oid) = 0 THEN 0 END AS rows,
               pg_catalog.pg_table_size(c.oid) AS bytes,
               s.n_tup_ins + s.n_tup_upd + s.n_tup_del AS writes
        FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_stat_all_tables s ON s.relid = c.oid
        WHERE c.relkind IN ('r', 'm'))
    SELECT n.nspname::text, c.relname::text,
           CASE WHEN bool_and(o.rows IS NOT NULL) THEN sum(o.rows)::int8 END,
           coalesce(sum(o.bytes), 0)::int8,
           round((sum(o.writes) / max(age.seconds))::numeric, 3)::float8
    FROM pg_catalog.pg_class c
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
         CROSS JOIN age
         LEFT JOIN LATERAL (
            SELECT t.relid FROM pg_catalog.pg_partition_tree(c.oid) t WHERE c.relkind = 'p' AND t.isleaf
            UNION ALL SELECT c.oid WHERE c.relkind <> 'p') leaf ON true
         LEFT JOIN own o ON o.oid = leaf.relid
    WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't'
      AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
    GROUP BY n.nspname, c.relname";

const INDEXES: &str = "
    SELECT n.nspname::text, t.relname::text, i.relname::text, pg_catalog.pg_relation_size(i.oid)
    FROM pg_catalog.pg_index x
         JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid AND i.relkind = 'i'
         JOIN pg_catalog.pg_class t ON t.oid = x.indrelid
         JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
    WHERE t.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'";
