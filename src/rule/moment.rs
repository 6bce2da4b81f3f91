//! The moment at which an operation is judged: everything a fact may look at.

use crate::model::catalog::{Catalog, Step};
use crate::model::effects::{Effects, Version};
use crate::model::operation::Operation;
use crate::model::session::Session;
use crate::sql::Statement;
use crate::text::Located;

/// Everything a fact may look at.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    /// The operation that is judged.
    pub operation: &'a Located<Operation>,
    /// The statement it belongs to, and that statement's index in the file.
    pub statement: &'a Statement,
    /// Its index in the file.
    pub index: usize,
    /// All statements of the file.
    pub file: &'a [Statement],
    /// The migration's place in the replayed order.
    pub step: Step,
    /// The schema before this operation.
    pub before: &'a Catalog,
    /// The schema after the last migration that is known.
    pub end: &'a Catalog,
    /// The connection before this statement.
    pub session: &'a Session,
    /// What this operation brings.
    pub effects: &'a Effects,
    /// What the whole statement brings.
    pub statement_effects: &'a Effects,
    /// The major version that is judged for.
    pub server: Version,
    /// Facts about the file as a whole and about its neighbours.
    pub migration: &'a Surroundings,
}

/// Facts about a migration as a whole and about its neighbours.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// What is wrong with its place in the order, if anything.
    pub order: Order,
    /// Whether a later migration is known (a constraint may still be validated there).
    pub has_later: bool,
    /// The first byte that is no UTF-8.
    pub not_utf8: Option<u32>,
    /// It begins with a byte order mark.
    pub byte_order_mark: bool,
    /// The first NUL byte.
    pub nul: Option<u32>,
    /// Names of tables (as stored, with schema) that the config calls small.
    pub small_tables: Vec<crate::model::name::QualifiedName>,
}

/// What is wrong with a migration's place in the order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Nothing.
    #[default]
    Fine,
    /// Another file has the same version.
    Duplicate,
    /// Its version's width differs from its neighbours', so that runners that compare text order it elsewhere.
    MixedWidth,
    /// A strict sequence leaves out the number before it.
    Gap,
    /// Its timestamp lies in the future.
    Future,
}
