//! The changes that are measured, with the applications on both sides of each.

mod columns;
mod constraints;
mod indexes;
mod keys;
mod tables;

pub use columns::*;
pub use constraints::*;
pub use indexes::*;
pub use keys::*;
pub use tables::*;
