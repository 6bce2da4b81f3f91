//! The checks of `atlas migrate lint` on PostgreSQL.

use super::{TheirRule, ours, without};

#[rustfmt::skip]
pub(super) const RULES: &[TheirRule] = &[
    ours("DS101", "DROP SCHEMA"),
    ours("DS102", "DROP TABLE"),
    ours("DS103", "DROP COLUMN"),
    ours("MF101", "a unique index over rows that are there"),
    ours("MF102", "an index that becomes unique"),
    ours("MF103", "a column that is NOT NULL and has no default"),
    ours("MF104", "a column that becomes NOT NULL"),
    ours("BC101", "RENAME TABLE"),
    ours("BC102", "RENAME COLUMN"),
    ours("CD101", "DROP of a foreign key"),
    ours("PG101", "CREATE INDEX without CONCURRENTLY"),
    ours("PG102", "DROP INDEX without CONCURRENTLY"),
    ours("PG103", "CONCURRENTLY in a transaction"),
    ours("PG104", "ADD PRIMARY KEY"),
    ours("PG105", "ADD UNIQUE"),
    without("PG110", "columns in an order that wastes bytes",
            "the order of columns costs no outage"),
    ours("PG301", "a change of type that rewrites the table"),
    ours("PG302", "a volatile default"),
    ours("PG303", "SET NOT NULL that reads the table"),
    ours("PG304", "a primary key over columns that may be null"),
    ours("PG305", "a CHECK without NOT VALID"),
    ours("PG306", "a foreign key without NOT VALID"),
    ours("PG307", "SET LOGGED, SET UNLOGGED"),
    ours("PG308", "CREATE TRIGGER"),
    ours("PG309", "a stored generated column"),
    ours("PG310", "an identity column"),
    ours("PG311", "SET ACCESS METHOD"),
];
