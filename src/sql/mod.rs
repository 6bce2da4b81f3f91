//! Bytes to operations: lex, split, recognise, detail, lower.

pub mod detail;
pub mod lex;
pub mod literal;
pub mod lower;
pub mod recognise;
pub mod split;

use crate::model::operation::Operation;
use crate::text::{Located, Span};

/// One statement of a file, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// From its first token to its last, the semicolon not included.
    pub span: Span,
    /// How much of it could be read.
    pub reading: Reading,
    /// What it does, in order.
    pub operations: Vec<Located<Operation>>,
}

/// How much of a statement could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// All of it.
    Full,
    /// Its kind and names; some detail is unknown.
    Partial,
    /// Nothing; its one operation is `Operation::Unreadable`.
    Unreadable,
}
