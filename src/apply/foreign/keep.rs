//! The rows of other tools, as those tools write them, for migrations that lockkeeper has run.

use super::fit::file_name;
use super::{Table, Tool, checksum};
use crate::apply::draft::Draft;
use crate::apply::ledger::{Direction, text};

/// Why a tool's table cannot be kept in step.
pub fn refuses(tool: Tool) -> Option<&'static str> {
    match tool {
        Tool::Alembic => Some("which revision comes behind which stands in its Python files alone"),
        Tool::Sqlx | Tool::GolangMigrate | Tool::Dbmate | Tool::Goose | Tool::Flyway | Tool::Refinery | Tool::Diesel => None,
    }
}

/// The SQL that brings a table in step with a migration that has been run or undone; nothing if the tool would not know of it.
///
/// # Errors
/// Why the tool could not have run such a file.
pub fn beside(table: &Table, draft: &Draft, direction: Direction) -> Result<String, String> {
    let name = &table.name;
    if table.tool == Tool::GolangMigrate {
        // golang-migrate/migrate, database/postgres/postgres.go: SetVersion leaves one row, or none behind the first one's way back.
        return Ok(format!(
            "DELETE FROM {name}; INSERT INTO {name} (version, dirty) SELECT pg_catalog.max(version::pg_catalog.int8), false \
             FROM lockkeeper.migration WHERE state IN ('applied', 'baselined') AND version ~ '^[0-9]{{1,18}}$' HAVING pg_catalog.count(*) > 0"
        ));
    }
    if draft.repeatable && table.tool != Tool::Flyway {
        return Ok(String::new());
    }
    let Some((column, version)) = row_of(table.tool, draft)? else { return flyway_again(table, draft, direction) };
    // Somebody may have run the other tool meanwhile; a row is there once all the same.
    let delete = format!("DELETE FROM {name} WHERE {column} = {version}");
    match direction {
        Direction::Down => Ok(delete),
        Direction::Up => Ok(format!("{delete}; {}", insert(table, draft, &version)?)),
    }
}

/// The column and the value by which the tool knows a migration; `None`: a repeatable one of Flyway has no version.
fn row_of(tool: Tool, draft: &Draft) -> Result<Option<(&'static str, String)>, String> {
    let Some(version) = draft.version.as_deref() else {
        return if draft.repeatable { Ok(None) } else { Err(format!("{} has no version", draft.key)) };
    };
    let number = || version.parse::<i64>().map(|number| number.to_string()).map_err(|_| format!("{version} is no number"));
    Ok(Some(match tool {
        Tool::Sqlx | Tool::Refinery | Tool::GolangMigrate => ("version", number()?),
        Tool::Goose => ("version_id", number()?),
        Tool::Dbmate => ("version", text(version)),
        Tool::Diesel => ("version", text(&version.replace('-', ""))),
        Tool::Flyway => ("version", text(version)),
        Tool::Alembic => ("version_num", text(version)),
    }))
}

fn insert(table: &Table, draft: &Draft, version: &str) -> Result<String, String> {
    let name = &table.name;
    let sum = || checksum::of(table, draft).ok_or_else(|| format!("the checksum of {} is not known", draft.key));
    Ok(match table.tool {
        // launchbadge/sqlx, sqlx-postgres/src/migrate.rs: execute_migration; source.rs: the description; the time is in nanoseconds
        Tool::Sqlx => format!(
            "INSERT INTO {name} (version, description, success, checksum, execution_time) \
             VALUES ({version}, {}, true, pg_catalog.decode('{}', 'hex'), {})",
            text(&draft.name.replace('_', " ")),
            sum()?,
            took(draft, 1_000_000_000)
        ),
        Tool::Dbmate | Tool::Diesel => format!("INSERT INTO {name} (version) VALUES ({version})"),
        // pressly/goose, internal/dialects/postgres.go: InsertVersion
        Tool::Goose => format!("INSERT INTO {name} (version_id, is_applied) VALUES ({version}, true)"),
        // rust-db/refinery, refinery_core/src/traits/mod.rs: insert_migration_query
        Tool::Refinery => format!(
            "INSERT INTO {name} (version, name, applied_on, checksum) VALUES ({version}, {}, \
             pg_catalog.to_char(pg_catalog.clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), {})",
            text(&draft.name),
            text(&sum()?)
        ),
        Tool::Flyway => flyway(table, draft, version, &sum()?),
        Tool::GolangMigrate | Tool::Alembic => return Err(format!("{} keeps no rows of migrations", table.tool.word())),
    })
}

/// flyway/flyway, Database.java: getInsertStatement; the time is in milliseconds.
fn flyway(table: &Table, draft: &Draft, version: &str, sum: &str) -> String {
    format!(
        "INSERT INTO {0} (installed_rank, version, description, type, script, checksum, installed_by, execution_time, success) \
         SELECT coalesce(pg_catalog.max(installed_rank), 0) + 1, {version}, {1}, 'SQL', {2}, {sum}, current_user, {3}, true FROM {0}",
        table.name,
        text(&draft.name.replace('_', " ")),
        text(&file_name(draft)),
        took(draft, 1000)
    )
}

/// Flyway writes a row each time that a repeatable migration runs.
fn flyway_again(table: &Table, draft: &Draft, direction: Direction) -> Result<String, String> {
    match (direction, checksum::of(table, draft)) {
        (Direction::Up, Some(sum)) => Ok(flyway(table, draft, "NULL", &sum)),
        (Direction::Up, None) => Err(format!("the checksum of {} is not known", draft.key)),
        (Direction::Down, _) => Ok(String::new()),
    }
}

/// How long its steps took, in parts of a second.
fn took(draft: &Draft, parts: u32) -> String {
    format!(
        "(SELECT coalesce(pg_catalog.round(pg_catalog.sum(extract(epoch FROM s.ended - s.began)) * {parts}), 0)::pg_catalog.int8 \
         FROM lockkeeper.step s WHERE s.migration = {} AND s.direction = 'up' AND NOT s.undone AND s.state IN ('done', 'adopted'))",
        text(&draft.key)
    )
}
