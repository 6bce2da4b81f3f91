//! The hints of eugene 0.8.

use super::{TheirRule, ours};

#[rustfmt::skip]
pub(super) const RULES: &[TheirRule] = &[
    ours("E1",  "a constraint that is validated at once"),
    ours("E2",  "SET NOT NULL that reads the table"),
    ours("E3",  "a column of type json"),
    ours("E4",  "another statement while ACCESS EXCLUSIVE is held"),
    ours("E5",  "a change of type that rewrites the table"),
    ours("E6",  "CREATE INDEX without CONCURRENTLY"),
    ours("E7",  "a unique constraint that builds its index"),
    ours("E8",  "an exclusion constraint"),
    ours("E9",  "a strong lock without lock_timeout"),
    ours("E10", "a rewrite under a strong lock, seen by `eugene trace`"),
    ours("E11", "a serial or stored generated column"),
    ours("W12", "two ALTER TABLEs that could be one"),
    ours("W13", "CREATE TYPE AS ENUM"),
    ours("W14", "ADD PRIMARY KEY USING INDEX over columns that may be null"),
    ours("E15", "a foreign key without an index, seen by `eugene trace`"),
];
