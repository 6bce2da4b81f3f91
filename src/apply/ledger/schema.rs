//! The tables of the ledger.

use super::FORMAT;
use crate::db::{Connection, Refusal};

/// Makes the ledger, if there is none. Only a runner that holds the lock of the database calls it.
///
/// # Errors
/// What the server says: the role needs CREATE on the database.
pub(super) async fn create(connection: &mut Connection) -> Result<(), Refusal> {
    connection.run(&format!("BEGIN; {TABLES} {ADOPTED} INSERT INTO lockkeeper.ledger (format) SELECT {FORMAT} WHERE NOT EXISTS (SELECT FROM lockkeeper.ledger); COMMIT")).await
}

const TABLES: &str = "
CREATE SCHEMA IF NOT EXISTS lockkeeper;
COMMENT ON SCHEMA lockkeeper IS 'what lockkeeper has run here; written by lockkeeper alone';
CREATE TABLE IF NOT EXISTS lockkeeper.ledger (
    format int NOT NULL,
    made timestamptz NOT NULL DEFAULT pg_catalog.now());
CREATE TABLE IF NOT EXISTS lockkeeper.run (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    command text NOT NULL,
    environment text NOT NULL,
    who text NOT NULL,
    host text NOT NULL,
    git text,
    tool text NOT NULL,
    state text NOT NULL,
    began timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    ended timestamptz,
    error text);
CREATE TABLE IF NOT EXISTS lockkeeper.migration (
    key text PRIMARY KEY,
    version text,
    name text NOT NULL,
    path text NOT NULL,
    checksum text NOT NULL,
    hash text NOT NULL,
    class text,
    plan text,
    phase int,
    state text NOT NULL,
    place bigint GENERATED ALWAYS AS IDENTITY,
    changed timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    run bigint REFERENCES lockkeeper.run);
CREATE TABLE IF NOT EXISTS lockkeeper.step (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run bigint NOT NULL REFERENCES lockkeeper.run,
    migration text NOT NULL,
    direction text NOT NULL,
    number int NOT NULL,
    kind text NOT NULL,
    hash text NOT NULL,
    state text NOT NULL,
    undone bool NOT NULL DEFAULT false,
    attempt int NOT NULL,
    pid int NOT NULL,
    backend_start timestamptz,
    xid text,
    began timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    ended timestamptz,
    wal_bytes numeric,
    error text);
CREATE INDEX IF NOT EXISTS step_migration ON lockkeeper.step (migration, direction, number, id);
CREATE TABLE IF NOT EXISTS lockkeeper.event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run bigint NOT NULL REFERENCES lockkeeper.run,
    at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    kind text NOT NULL,
    text text NOT NULL);
CREATE TABLE IF NOT EXISTS lockkeeper.job (
    migration text NOT NULL,
    direction text NOT NULL,
    number int NOT NULL,
    hash text NOT NULL,
    key text NOT NULL,
    cursor text,
    last text,
    pass int NOT NULL DEFAULT 1,
    swept bool NOT NULL DEFAULT false,
    batch int NOT NULL,
    batches bigint NOT NULL DEFAULT 0,
    rows bigint NOT NULL DEFAULT 0,
    seen bigint NOT NULL DEFAULT 0,
    settles bool NOT NULL DEFAULT true,
    state text NOT NULL,
    changed timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    PRIMARY KEY (migration, direction, number));
";

/// Whose history was taken over, and whether its table is kept in step. Ledgers that were made before it was known get it when it is needed.
pub const ADOPTED: &str = "
CREATE TABLE IF NOT EXISTS lockkeeper.adopted (
    relation text PRIMARY KEY,
    tool text NOT NULL,
    keep bool NOT NULL,
    run bigint REFERENCES lockkeeper.run,
    changed timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp());
";
