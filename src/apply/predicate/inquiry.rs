//! The transaction in which the catalog is asked.

use crate::db::{Connection, Refusal};
use crate::model::name::{Ident, Name, QualifiedName};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// An open transaction that only looks. Unless it says otherwise, nothing but `pg_catalog` is on its path, so that no function, operator or
/// table of the database is taken for the server's own.
pub(super) struct Inquiry<'a> {
    connection: &'a mut Connection,
    path: &'a str,
}

/// A relation as the catalog knows it.
#[derive(Debug)]
pub(super) struct Relation {
    pub oid: i64,
    /// `relkind`.
    pub kind: String,
    pub name: QualifiedName,
}

/// Nobody is to wait long behind the question; if a table cannot be locked in this time, it can be asked again.
const PATIENCE: &str = "2s";

const PLAIN_PATH: &str = "pg_catalog, pg_temp";

impl<'a> Inquiry<'a> {
    pub(super) async fn open(connection: &'a mut Connection, path: &'a str) -> Result<Self, Refusal> {
        // Each query sees what has been committed before it, and no snapshot stays in anybody's way.
        connection.run("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE").await?;
        let mut inquiry = Self { connection, path };
        match inquiry.settle().await {
            Ok(()) => Ok(inquiry),
            Err(refusal) => {
                // The first refusal is the one that says why.
                let _ = inquiry.close().await;
                Err(refusal)
            }
        }
    }

    async fn settle(&mut self) -> Result<(), Refusal> {
        self.connection.run(&format!("SET LOCAL lock_timeout = '{PATIENCE}'; SET LOCAL search_path = {PLAIN_PATH}")).await
    }

    /// Ends the transaction; nothing of it stays.
    pub(super) async fn close(self) -> Result<(), Refusal> {
        self.connection.run("ROLLBACK").await
    }

    /// The server's major version.
    pub(super) fn version(&self) -> u8 {
        self.connection.version()
    }

    pub(super) async fn rows(&mut self, query: &str) -> Result<Vec<PgRow>, Refusal> {
        self.connection.rows(query).await
    }

    /// The first row, if there is one.
    pub(super) async fn row(&mut self, query: &str) -> Result<Option<PgRow>, Refusal> {
        Ok(self.connection.rows(query).await?.into_iter().next())
    }

    /// Whether a query has rows.
    pub(super) async fn any(&mut self, query: &str) -> Result<bool, Refusal> {
        Ok(!self.connection.rows(query).await?.is_empty())
    }

    /// Runs a statement as the session that is asked for would run it: on its path.
    pub(super) async fn run_on_path(&mut self, sql: &str) -> Result<(), Refusal> {
        self.go_to(self.path).await?;
        self.connection.run(sql).await?;
        self.go_to(PLAIN_PATH).await
    }

    /// Where a name leads on the path: its object id by `lookup`, one of the server's own functions from text to an object (`to_regclass`).
    pub(super) async fn find(&mut self, lookup: &str, name: &Name) -> Result<Option<i64>, Refusal> {
        self.go_to(self.path).await?;
        let query = format!("SELECT pg_catalog.{lookup}({})::pg_catalog.oid::pg_catalog.int8", literal(&name.sql()));
        let found = self.row(&query).await?;
        self.go_to(PLAIN_PATH).await?;
        Ok(found.map(|row| row.try_get::<Option<i64>, _>(0)).transpose()?.flatten())
    }

    /// The relation that a name leads to on the path.
    pub(super) async fn relation(&mut self, name: &Name) -> Result<Option<Relation>, Refusal> {
        let Some(oid) = self.find("to_regclass", name).await? else { return Ok(None) };
        let query =
            "SELECT c.relkind::text, n.nspname::text, c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace";
        let Some(row) = self.row(&format!("{query} WHERE c.oid = {oid}")).await? else { return Ok(None) };
        let name = qualified(row.try_get(1)?, row.try_get(2)?);
        Ok(Some(Relation { oid, kind: row.try_get(0)?, name }))
    }

    /// The process of another session that may be building or dropping one of these relations, or an index of them.
    ///
    /// The statements that are asked about hold SHARE UPDATE EXCLUSIVE from their first transaction to their last. So does VACUUM, which
    /// tells everybody that it is there, and with it ANALYZE. Nobody else can begin such a statement while the lock is held, so to wait is
    /// right whoever holds it.
    pub(super) async fn busy(&mut self, relations: &[i64]) -> Result<Option<i32>, Refusal> {
        let relations: Vec<String> = relations.iter().map(i64::to_string).collect();
        let analyze = if self.version() >= 13 { "UNION ALL SELECT pid FROM pg_stat_progress_analyze" } else { "" };
        let query = format!(
            "SELECT l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
             WHERE l.locktype = 'relation' AND l.relation IN ({}) AND l.mode = 'ShareUpdateExclusiveLock' AND l.granted
               AND l.pid <> pg_backend_pid()
               AND NOT EXISTS (SELECT FROM (SELECT pid FROM pg_stat_progress_vacuum {analyze}) p WHERE p.pid = l.pid)
             ORDER BY l.pid LIMIT 1",
            relations.join(", ")
        );
        Ok(self.row(&query).await?.map(|row| row.try_get(0)).transpose()?)
    }

    async fn go_to(&mut self, path: &str) -> Result<(), Refusal> {
        let set = format!("SELECT pg_catalog.set_config('search_path', {}, true)", literal(path));
        self.connection.run(&set).await
    }
}

/// A name out of the catalog.
pub(super) fn qualified(schema: String, name: String) -> QualifiedName {
    QualifiedName { schema: Ident::quoted(&schema), name: Ident::quoted(&name) }
}

/// A text as a literal, whatever `standard_conforming_strings` says.
pub(super) fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') { format!(" E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

#[cfg(test)]
mod tests {
    use super::literal;

    #[test]
    fn a_literal_holds_quotes_and_backslashes() {
        assert_eq!([literal("orders"), literal("o'rders"), literal(r"or\ders")].join(" "), r"'orders' 'o''rders'  E'or\\ders'");
    }
}
