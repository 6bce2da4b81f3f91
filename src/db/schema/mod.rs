//! The schema of a live server as SQL: what `discover::Request::schema` takes, and what psql runs on an empty database.
//!
//! Only catalogs are read. Each query gives statements with a key, a rank and a name; another tells which needs which. Extensions stand for
//! what they brought along, and our own schema is left out. What has no statement here is named in a comment.

mod order;

use super::{Connection, Refusal};
use order::Piece;
use sqlx::Row;

/// Text that every other query begins with.
const OWN: &str = include_str!("own.sql");

/// Statements.
const STATEMENTS: [&str; 4] =
    [include_str!("types.sql"), include_str!("relations.sql"), include_str!("constraints.sql"), include_str!("belongings.sql")];

/// Pairs of keys.
const NEEDS: &str = include_str!("needs.sql");

/// Words.
const UNTOLD: &str = include_str!("untold.sql");

/// One picture, in which every name is printed with its schema. Views are printed under ACCESS SHARE on what they read, so whoever holds
/// ACCESS EXCLUSIVE there is waited for, and not for long.
const BEGIN: [&str; 4] = [
    "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "SET LOCAL search_path = ''",
    "SET LOCAL lock_timeout = '2s'",
    "SET LOCAL statement_timeout = '60s'",
];

/// How the text begins: every name in it has its schema, and functions may name what comes later.
const HEAD: &str = "\
-- The schema of a live server, as its catalogs tell it. What belongs to an extension comes with the extension.
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
";

/// The schema of the database, in an order in which it can be run. No transaction may be open.
///
/// # Errors
/// What the server says, that a lock is not free (55P03) among it.
pub async fn sql(connection: &mut Connection) -> Result<String, Refusal> {
    for statement in BEGIN {
        connection.run(statement).await?;
    }
    let text = read(connection).await;
    let end = connection.run("ROLLBACK").await;
    let text = text?;
    end.map(|()| text)
}

async fn read(connection: &mut Connection) -> Result<String, Refusal> {
    let mut pieces = Vec::new();
    for query in STATEMENTS {
        for row in connection.rows(&format!("{OWN}{query}")).await? {
            // Without a definition it has gone since the picture was taken.
            if let Some(sql) = row.try_get::<Option<String>, _>("sql")? {
                pieces.push(Piece { key: row.try_get("key")?, rank: row.try_get("rank")?, name: row.try_get("name")?, sql });
            }
        }
    }
    let needs = connection.rows(&format!("{OWN}{NEEDS}")).await?;
    let needs: Vec<(String, String)> = needs.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<_, Refusal>>()?;
    let untold = connection.texts(&format!("{OWN}{UNTOLD}")).await?;
    let mut text = HEAD.to_owned();
    for thing in untold {
        text.push_str(&format!("-- not told: {}\n", thing.replace('\n', " ")));
    }
    for piece in order::ordered(pieces, &needs) {
        text.push('\n');
        text.push_str(piece.sql.trim_end().trim_end_matches(';'));
        text.push_str(";\n");
    }
    Ok(text)
}
