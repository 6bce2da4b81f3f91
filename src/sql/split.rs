//! Splits a migration file into statements without understanding them.
