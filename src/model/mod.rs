//! What PostgreSQL is: operations, the catalog, locks and effects. Knows no SQL text and no rules.

pub mod catalog;
mod describe;
pub mod effects;
pub mod expression;
pub mod functions;
pub mod kind;
pub mod lock;
pub mod name;
pub mod operation;
pub mod session;
pub mod sizes;
pub mod types;
