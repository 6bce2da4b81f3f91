//! A full picture of a database: one line for each thing, to be held against the picture of another database of the same server.
//!
//! ```text
//! column public.orders.buyer: bigint, not null, default 7
//! constraint public.orders.orders_buyer_fkey: FOREIGN KEY (buyer) REFERENCES public.users(id), validated
//! index public.orders_state: CREATE INDEX orders_state ON public.orders USING btree (state), valid
//! ```
//!
//! `db::dump` is for the replayed catalog, which knows less. Here everything counts but the order of columns, which a plan that goes by way
//! of a new column changes, object ids, and the names that 18 gives to NOT NULL constraints by itself.

mod objects;
mod relations;

use lockkeeper::db::{Connection, Refusal};

/// The schema, line by line, sorted. What stands before `": "` names the thing, and no two lines name the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picture(Vec<(String, String)>);

impl Picture {
    /// Takes a picture of all user schemas. Temporary relations and what extensions brought along are left out.
    pub async fn take(connection: &mut Connection) -> Result<Self, Refusal> {
        let path = connection.texts("SELECT current_setting('search_path')").await?.concat();
        // With an empty path every name is printed with its schema, unless it is in pg_catalog.
        connection.run("SELECT set_config('search_path', '', false)").await?;
        let mut lines = Vec::new();
        let version = connection.version();
        let queries = relations::QUERIES.iter().chain(objects::QUERIES).filter(|query| version >= query.since);
        for query in queries {
            let found = connection.texts(&format!("{USER_OBJECTS} {}", query.sql)).await?;
            lines.extend(found.iter().map(|line| match line.split_once(": ") {
                Some((thing, what)) => (thing.to_owned(), what.to_owned()),
                None => (line.clone(), String::new()),
            }));
        }
        connection.run(&format!("SELECT set_config('search_path', '{}', false)", path.replace('\'', "''"))).await?;
        lines.sort();
        Ok(Self(lines))
    }

    /// Its things, and what there is to say of each.
    pub fn lines(&self) -> &[(String, String)] {
        &self.0
    }
}

/// A query that gives lines.
struct Query {
    /// The first major version that has its catalogs.
    since: u8,
    sql: &'static str,
}

/// From version 12 on.
const fn query(sql: &'static str) -> Query {
    Query { since: 12, sql }
}

/// `member`: what extensions brought along. `space`: user schemas. `relation`: everything in them that has columns, and sequences.
const USER_OBJECTS: &str = "
    WITH member AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'),
    space AS (
        SELECT oid, nspname FROM pg_namespace n
        WHERE nspname NOT IN ('pg_catalog', 'information_schema') AND nspname !~ '^pg_(toast|temp)'
          AND NOT EXISTS (SELECT FROM member WHERE classid = 'pg_namespace'::regclass AND objid = n.oid)),
    relation AS (
        SELECT c.*, format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN space n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
          AND NOT EXISTS (SELECT FROM member WHERE classid = 'pg_class'::regclass AND objid = c.oid))";
