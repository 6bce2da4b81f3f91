//! What a recipe is asked, and how it says no.

use crate::model::catalog::{Catalog, Column, Lookup, Relation};
use crate::model::effects::Version;
use crate::model::name::{Ident, Name};
use crate::model::operation::Operation;
use crate::sql::Statement;
use crate::text::{Located, SourceFile, Span};
use std::borrow::Cow;

/// The statements that a plan is to stand for, and what they meet.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// Where they stand.
    pub source: &'a SourceFile,
    /// The statements, in order; nearly always one, of one operation and the constraints that are written in it.
    pub statements: &'a [Statement],
    /// The schema before the first of them.
    pub before: &'a Catalog,
    /// The server's major version.
    pub server: Version,
    /// How many rows a batch of a backfill has.
    pub batch: u32,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The history does not tell something; a schema dump does.
    Unknown(String),
    /// There is no way to do it while others work: it takes a window.
    Window(String),
    /// There is nothing to cut into phases: code has to be deployed in the right order.
    Release(String),
}

impl Refusal {
    /// The reason in words.
    pub fn reason(&self) -> &str {
        match self {
            Self::Unknown(reason) | Self::Window(reason) | Self::Release(reason) => reason,
        }
    }
}

impl<'a> Ask<'a> {
    /// The first operation: what the statement is about.
    pub fn operation(&self) -> Option<&'a Operation> {
        self.operations().next().map(|operation| &operation.what)
    }

    /// All operations, in order.
    pub fn operations(&self) -> impl Iterator<Item = &'a Located<Operation>> {
        self.statements.iter().flat_map(|statement| &statement.operations)
    }

    /// The text of a part of the statements.
    pub fn text(&self, span: Span) -> Cow<'a, str> {
        self.source.text(span)
    }

    /// A table that has to be known.
    ///
    /// # Errors
    /// The history does not tell of it.
    pub fn table(&self, name: &Name) -> Result<&'a Relation, Refusal> {
        match self.before.relation(name) {
            Lookup::Known(relation) => Ok(relation),
            Lookup::Absent => Err(Refusal::Unknown(format!("there is no `{}`", name.sql()))),
            Lookup::Unknown => Err(Refusal::Unknown(format!("the history does not tell of `{}`", name.sql()))),
        }
    }

    /// A column that has to be known, with its type.
    ///
    /// # Errors
    /// The history does not tell of it.
    pub fn column(&self, table: &'a Relation, column: &Ident) -> Result<&'a Column, Refusal> {
        let shown = format!("`{}.{}`", table.name.name.sql(), column.sql());
        match table.find_column(column) {
            Lookup::Known(known) if known.data_type.is_some() => Ok(known),
            Lookup::Known(_) | Lookup::Unknown => Err(Refusal::Unknown(format!("the history does not tell the type of {shown}"))),
            Lookup::Absent => Err(Refusal::Unknown(format!("there is no column {shown}"))),
        }
    }
}
