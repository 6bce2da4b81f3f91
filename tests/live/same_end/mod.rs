//! A fix ends where the statement would have ended: both are run, each on a copy of the same database, and their ends are compared.

mod cases;
mod compare;
mod constraints;
mod ends;
mod fixes;
mod journey;
mod phases;
pub mod picture;
mod plans;
mod rows;
mod table;
#[cfg(test)]
mod tests;
mod undo;
