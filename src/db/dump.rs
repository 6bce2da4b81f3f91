//! The schema of a live database in plain lines, one for each thing, to be held against a replayed catalog.
//!
//! ```text
//! table public.orders
//! column public.orders.id bigint not null default
//! constraint public.orders.orders_buyer_fkey foreign key (buyer) references public.users (id) not valid
//! index public.orders_state on public.orders btree (state, *) unique where invalid
//! sequence public.orders_id_seq as integer owned by public.orders.id
//! view public.open_orders
//! enum public.state open, paid
//! ```
//!
//! Expressions are only said to be there (`default`, `where`, `*` for a key of an index): the server prints them its own way.

use super::{Connection, Refusal};

/// The lines of all user schemas, sorted. Temporary relations and what extensions brought along are left out.
///
/// # Errors
/// What the server says.
pub async fn lines(connection: &mut Connection) -> Result<Vec<String>, Refusal> {
    // With an empty path every name, types included, is printed with its schema, unless it is in pg_catalog.
    let path = connection.texts("SELECT current_setting('search_path')").await?.concat();
    connection.run("SELECT set_config('search_path', '', false)").await?;
    let mut lines = Vec::new();
    for query in [RELATIONS, COLUMNS, CONSTRAINTS, INDEXES, TYPES] {
        lines.extend(connection.texts(&format!("{USER_OBJECTS} {query}")).await?);
    }
    connection.run(&format!("SELECT set_config('search_path', '{}', false)", path.replace('\'', "''"))).await?;
    lines.sort();
    Ok(lines)
}

/// `user_schema`, and `relation`: everything but indexes, which have lines of their own.
const USER_OBJECTS: &str = "
    WITH user_schema AS (
        SELECT oid, nspname FROM pg_namespace WHERE nspname NOT IN ('pg_catalog', 'information_schema') AND nspname !~ '^pg_(toast|temp)'),
    relation AS (
        SELECT c.oid, c.relkind, n.nspname || '.' || c.relname AS name FROM pg_class c JOIN user_schema n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'))";

const RELATIONS: &str = "
    SELECT CASE r.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table'
                ELSE 'table' END || ' ' || r.name || coalesce(' partition of ' || p.name, '')
           || coalesce(' as ' || nullif(format_type(s.seqtypid, NULL), 'bigint'), '')
           || coalesce(' owned by ' || o.name || '.' || a.attname, '')
    FROM relation r
         LEFT JOIN pg_inherits i ON i.inhrelid = r.oid AND (SELECT relispartition FROM pg_class WHERE oid = r.oid)
         LEFT JOIN relation p ON p.oid = i.inhparent
         LEFT JOIN pg_sequence s ON s.seqrelid = r.oid
         LEFT JOIN pg_depend d ON r.relkind = 'S' AND d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.deptype IN ('a', 'i')
                   AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
         LEFT JOIN relation o ON o.oid = d.refobjid LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid";

/// A NOT NULL that is not validated (18) promises nothing yet.
const COLUMNS: &str = "
    SELECT 'column ' || r.name || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
           || CASE WHEN a.attnotnull AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.contype = 'n' AND k.conrelid = a.attrelid
                                                       AND k.conkey[1] = a.attnum AND NOT k.convalidated) THEN ' not null' ELSE '' END
           || CASE WHEN a.attgenerated <> '' THEN ' generated' WHEN a.attidentity <> '' THEN ' identity'
                   WHEN a.atthasdef THEN ' default' ELSE '' END
    FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid
    WHERE r.relkind IN ('r', 'p', 'f') AND a.attnum > 0 AND NOT a.attisdropped";

/// Without the NOT NULL constraints that 18 keeps here: they are said of the column. Without those, too, by which a foreign key to a
/// partitioned table points to each partition: nobody names them.
const CONSTRAINTS: &str = "
    SELECT 'constraint ' || r.name || '.' || k.conname || ' '
           || CASE k.contype WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique' WHEN 'c' THEN 'check' WHEN 'x' THEN 'exclude'
                   ELSE 'foreign key' END
           || CASE WHEN k.contype IN ('p', 'u', 'f') THEN ' (' || own.names || ')' ELSE '' END
           || coalesce(' references ' || f.name || ' (' || theirs.names || ')', '')
           || CASE WHEN k.convalidated THEN '' ELSE ' not valid' END
    FROM pg_constraint k JOIN relation r ON r.oid = k.conrelid LEFT JOIN relation f ON f.oid = k.confrelid
         LEFT JOIN LATERAL (SELECT string_agg(a.attname, ', ' ORDER BY u.place) AS names
                            FROM unnest(k.conkey) WITH ORDINALITY u (number, place)
                                 JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number) own ON true
         LEFT JOIN LATERAL (SELECT string_agg(a.attname, ', ' ORDER BY u.place) AS names
                            FROM unnest(k.confkey) WITH ORDINALITY u (number, place)
                                 JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number) theirs ON true
    WHERE k.contype IN ('p', 'u', 'c', 'x', 'f')
      AND NOT EXISTS (SELECT FROM pg_constraint p WHERE k.contype = 'f' AND p.oid = k.conparentid AND p.conrelid = k.conrelid)";

const INDEXES: &str = "
    SELECT 'index ' || n.nspname || '.' || c.relname || ' on ' || r.name || ' ' || m.amname || ' (' || keys.names || ')'
           || CASE WHEN x.indisunique THEN ' unique' ELSE '' END || CASE WHEN x.indpred IS NOT NULL THEN ' where' ELSE '' END
           || CASE WHEN x.indisvalid THEN '' ELSE ' invalid' END
    FROM pg_index x JOIN relation r ON r.oid = x.indrelid JOIN pg_class c ON c.oid = x.indexrelid
         JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_am m ON m.oid = c.relam
         JOIN LATERAL (SELECT string_agg(coalesce(a.attname, '*'), ', ' ORDER BY u.place) AS names
                       FROM unnest(x.indkey::smallint[]) WITH ORDINALITY u (number, place)
                            LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = u.number
                       WHERE u.place <= x.indnkeyatts) keys ON true";

const TYPES: &str = "
    SELECT CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'r' THEN 'range' ELSE 'composite' END
           || ' ' || n.nspname || '.' || t.typname
           || coalesce(' ' || (SELECT string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid), '')
           || CASE WHEN t.typtype = 'd' THEN ' ' || format_type(t.typbasetype, t.typtypmod) || CASE WHEN t.typnotnull THEN ' not null' ELSE '' END
                   ELSE '' END
    FROM pg_type t JOIN user_schema n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
    WHERE (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND c.relkind = 'c'))
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')";
