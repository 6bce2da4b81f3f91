//! The histories of other runners: which table is whose, what it says, and how a row of it is written.

mod checksum;
mod fit;
mod keep;

pub use fit::{ended, fit};
pub use keep::{beside, refuses};

use super::ledger::text;
use crate::db::{Connection, Refusal};
use crate::problem::Problem;
use sqlx::Row as _;

/// A runner of migrations that keeps its history in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// sqlx, by `sqlx migrate` or `migrate!`.
    Sqlx,
    /// golang-migrate.
    GolangMigrate,
    /// dbmate.
    Dbmate,
    /// goose.
    Goose,
    /// Flyway.
    Flyway,
    /// refinery.
    Refinery,
    /// diesel.
    Diesel,
    /// Alembic.
    Alembic,
}

/// What is known of a tool.
struct Kind {
    tool: Tool,
    word: &'static str,
    /// What its table is called unless somebody has said otherwise.
    table: &'static str,
    /// Columns by which the table is known.
    columns: &'static [&'static str],
    /// Asks for version, whether it ended well, checksum, what it is, and the name of the file, in the order in which they came.
    query: &'static str,
}

/// One row for each, from their sources.
const KINDS: [Kind; 8] = [
    // launchbadge/sqlx, sqlx-postgres/src/migrate.rs: ensure_migrations_table, dirty_version
    Kind {
        tool: Tool::Sqlx,
        word: "sqlx",
        table: "_sqlx_migrations",
        columns: &["version", "description", "success", "checksum", "execution_time"],
        query: "SELECT version::text, success, encode(checksum, 'hex'), '', '' FROM $table ORDER BY 1",
    },
    // golang-migrate/migrate, database/postgres/postgres.go: ensureVersionTable, Version
    Kind {
        tool: Tool::GolangMigrate,
        word: "golang-migrate",
        table: "schema_migrations",
        columns: &["version", "dirty"],
        query: "SELECT version::text, NOT dirty, '', '', '' FROM $table",
    },
    // amacneil/dbmate, pkg/driver/postgres/postgres.go: CreateMigrationsTable, SelectMigrations
    Kind {
        tool: Tool::Dbmate,
        word: "dbmate",
        table: "schema_migrations",
        columns: &["version"],
        query: "SELECT version::text, true, '', '', '' FROM $table ORDER BY 1",
    },
    // pressly/goose, internal/dialects/postgres.go: the newest row of a version counts, and that of 0 only says that the table was made
    Kind {
        tool: Tool::Goose,
        word: "goose",
        table: "goose_db_version",
        columns: &["id", "version_id", "is_applied", "tstamp"],
        query: "SELECT version_id::text, true, '', '', '' FROM \
                (SELECT DISTINCT ON (version_id) version_id, is_applied FROM $table ORDER BY version_id, id DESC) newest \
                WHERE is_applied AND version_id <> 0 ORDER BY version_id",
    },
    // flyway/flyway, PostgreSQLDatabase.java: getRawCreateScript; JdbcTableSchemaHistory.java: refreshCache
    Kind {
        tool: Tool::Flyway,
        word: "flyway",
        table: "flyway_schema_history",
        columns: &["installed_rank", "version", "description", "type", "script", "checksum", "installed_by", "execution_time", "success"],
        query: "SELECT version::text, success, checksum::text, type::text, script::text FROM $table ORDER BY installed_rank",
    },
    // rust-db/refinery, refinery_core/src/traits/mod.rs: ASSERT_MIGRATIONS_TABLE_QUERY
    Kind {
        tool: Tool::Refinery,
        word: "refinery",
        table: "refinery_schema_history",
        columns: &["version", "name", "applied_on", "checksum"],
        query: "SELECT version::text, true, checksum::text, '', '' FROM $table ORDER BY 1",
    },
    // diesel-rs/diesel, diesel/src/migration/setup_migration_table.sql
    Kind {
        tool: Tool::Diesel,
        word: "diesel",
        table: "__diesel_schema_migrations",
        columns: &["version", "run_on"],
        query: "SELECT version::text, true, '', '', '' FROM $table ORDER BY 1",
    },
    // sqlalchemy/alembic, alembic/ddl/impl.py: version_table_impl; there is a row for each head
    Kind {
        tool: Tool::Alembic,
        word: "alembic",
        table: "alembic_version",
        columns: &["version_num"],
        query: "SELECT version_num::text, true, '', '', '' FROM $table ORDER BY version_num",
    },
];

/// The table of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Whose it is.
    pub tool: Tool,
    /// Its name with its schema, as SQL.
    pub name: String,
    /// The type of its column `version`, if it has one.
    pub version: String,
}

/// What a table says of one migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its version; Flyway's repeatable migrations have none.
    pub version: Option<String>,
    /// Whether it came to its end.
    pub ended: bool,
    /// By what the tool knows its file again.
    pub checksum: Option<String>,
    /// Flyway: `SQL`, `BASELINE`, `DELETE` and others.
    pub kind: String,
    /// Flyway: the name of the file.
    pub script: String,
}

/// A table that may be one of those.
struct Seen {
    name: String,
    short: String,
    columns: Vec<(String, String)>,
}

impl Tool {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        KINDS.iter().map(|kind| kind.tool)
    }

    /// What it is called on the command line and in the ledger.
    pub fn word(self) -> &'static str {
        self.kind().word
    }

    /// The tool of that name.
    pub fn read(word: &str) -> Option<Self> {
        Self::all().find(|tool| tool.word() == word)
    }

    fn kind(self) -> &'static Kind {
        &KINDS[self as usize]
    }
}

/// The one table of another tool that is there.
///
/// # Errors
/// None, several, or one that is not as the tool makes it; and what the server says.
pub async fn find(connection: &mut Connection, from: Option<Tool>, named: Option<&str>) -> Result<Result<Table, Problem>, Refusal> {
    let seen = look(connection, named).await?;
    let fitting = |seen: &Seen| {
        let fits = |tool: &Tool| from.is_none_or(|from| from == *tool) && has_shape(*tool, seen, named.is_some());
        Tool::all().find(fits).map(|tool| table(tool, seen))
    };
    let mut tables: Vec<Table> = seen.iter().filter_map(fitting).collect();
    Ok(match (tables.pop(), tables.is_empty()) {
        (Some(table), true) => Ok(table),
        (Some(last), false) => Err(several(&tables, &last)),
        (None, _) => Err(none(&seen, from)),
    })
}

/// The same, if there is a table at all that may be one of those.
///
/// # Errors
/// As [`find`].
pub async fn find_any(connection: &mut Connection) -> Result<Option<Result<Table, Problem>>, Refusal> {
    if look(connection, None).await?.is_empty() {
        return Ok(None);
    }
    find(connection, None, None).await.map(Some)
}

fn table(tool: Tool, seen: &Seen) -> Table {
    let version = seen.columns.iter().find(|(name, _)| name == "version").map_or(String::new(), |(_, is)| is.clone());
    Table { tool, name: seen.name.clone(), version }
}

/// Whether a table has all columns that the tool's has. dbmate's has no other, which tells it from those of many more.
fn has_shape(tool: Tool, seen: &Seen, named: bool) -> bool {
    let kind = tool.kind();
    let has = |column: &&str| seen.columns.iter().any(|(name, _)| name == column);
    let exact = tool != Tool::Dbmate || seen.columns.len() == 1;
    (named || seen.short == kind.table) && kind.columns.iter().all(has) && exact
}

fn several(others: &[Table], last: &Table) -> Problem {
    let mut tables: Vec<_> = others.iter().chain([last]).collect();
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    let all: Vec<_> = tables.iter().map(|table| format!("{} of {}", table.name, table.tool.word())).collect();
    let one = tables[0];
    let help = match tables.iter().all(|table| table.tool == one.tool) {
        true => format!("say which: `lockkeeper adopt --from {} --table {}`", one.tool.word(), one.name),
        false => format!("say which: `lockkeeper adopt --from {}`", one.tool.word()),
    };
    Problem::new("apply::adopt", format!("there are {} histories here: {}", all.len(), all.join(", "))).help(help)
}

fn none(seen: &[Seen], from: Option<Tool>) -> Problem {
    let who = from.map_or("a tool that is known".to_owned(), |tool| tool.word().to_owned());
    let Some(seen) = seen.first() else {
        let problem = Problem::new("apply::adopt", format!("there is no table here in which {who} keeps its history"));
        return problem.help(
            "is it the right database? If the table has another name: --from TOOL --table SCHEMA.TABLE; without a table: `lockkeeper baseline VERSION --reason WHY`",
        );
    };
    let columns: Vec<_> = seen.columns.iter().map(|(name, _)| name.as_str()).collect();
    Problem::new("apply::adopt", format!("{} is not the table of {who}: its columns are {}", seen.name, columns.join(", ")))
        .help("say what has run yourself: `lockkeeper baseline VERSION --reason WHY`")
}

async fn look(connection: &mut Connection, named: Option<&str>) -> Result<Vec<Seen>, Refusal> {
    let which = match named {
        Some(name) => format!("c.oid = to_regclass({})", text(name)),
        None => {
            let names: Vec<_> = KINDS.iter().map(|kind| text(kind.table)).collect();
            format!("c.relname IN ({}) AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'lockkeeper')", names.join(", "))
        }
    };
    let query = format!(
        "SELECT format('%I.%I', n.nspname, c.relname), c.relname::text,
                array_agg(a.attname::text ORDER BY a.attnum), array_agg(format_type(a.atttypid, NULL)::text ORDER BY a.attnum)
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
              JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
         WHERE c.relkind IN ('r', 'p') AND {which} GROUP BY 1, 2 ORDER BY 1"
    );
    let read = |row: &sqlx::postgres::PgRow| -> Result<Seen, Refusal> {
        let (names, types): (Vec<String>, Vec<String>) = (row.try_get(2)?, row.try_get(3)?);
        Ok(Seen { name: row.try_get(0)?, short: row.try_get(1)?, columns: names.into_iter().zip(types).collect() })
    };
    connection.rows(&query).await?.iter().map(read).collect()
}

impl Table {
    /// What it says, in the order in which it happened.
    ///
    /// # Errors
    /// What the server says.
    pub async fn rows(&self, connection: &mut Connection) -> Result<Vec<Row>, Refusal> {
        let query = self.tool.kind().query.replace("$table", &self.name);
        let read = |row: &sqlx::postgres::PgRow| -> Result<Row, Refusal> {
            let (kind, script): (Option<String>, Option<String>) = (row.try_get(3)?, row.try_get(4)?);
            Ok(Row {
                version: row.try_get(0)?,
                ended: row.try_get(1)?,
                checksum: row.try_get(2)?,
                kind: kind.unwrap_or_default(),
                script: script.unwrap_or_default(),
            })
        };
        connection.rows(&query).await?.iter().map(read).collect()
    }
}

/// The table that is kept in step, if one is. Whoever drops it wants it no longer.
///
/// # Errors
/// What the server says.
pub async fn kept(connection: &mut Connection) -> Result<Option<Table>, Refusal> {
    Ok(adopted(connection).await?.into_iter().find(|(_, keep)| *keep).map(|(table, _)| table))
}

/// The tables whose history was taken over, and whether each is kept in step.
///
/// # Errors
/// What the server says.
pub async fn adopted(connection: &mut Connection) -> Result<Vec<(Table, bool)>, Refusal> {
    if connection.texts("SELECT pg_catalog.to_regclass('lockkeeper.adopted')::text").await?.concat().is_empty() {
        return Ok(Vec::new());
    }
    let query =
        "SELECT a.tool, a.relation, a.keep, coalesce((SELECT pg_catalog.format_type(v.atttypid, NULL) FROM pg_catalog.pg_attribute v
                         WHERE v.attrelid = pg_catalog.to_regclass(a.relation) AND v.attname = 'version'), '')
                 FROM lockkeeper.adopted a WHERE pg_catalog.to_regclass(a.relation) IS NOT NULL ORDER BY a.relation";
    let mut tables = Vec::new();
    for row in connection.rows(query).await? {
        let word: String = row.try_get(0)?;
        // A tool that only a newer lockkeeper knows is not ours to write for.
        let Some(tool) = Tool::read(&word) else { continue };
        tables.push((Table { tool, name: row.try_get(1)?, version: row.try_get(3)? }, row.try_get(2)?));
    }
    Ok(tables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tool_has_its_own_row() {
        assert!(Tool::all().all(|tool| tool.kind().tool == tool && Tool::read(tool.word()) == Some(tool)));
    }
}
