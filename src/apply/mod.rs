//! Approved migrations, run exactly once: what is due, whether it may run, how it runs, and what the ledger says of it.

pub mod cleanup;
pub mod predicate;
