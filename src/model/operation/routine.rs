//! Functions, procedures and triggers.

use crate::model::expression::Expression;
use crate::model::name::{Ident, Name};
use crate::model::types::TypeName;
use crate::text::Span;

/// CREATE FUNCTION, CREATE PROCEDURE.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateFunction {
    /// The function or procedure, as written.
    pub name: Name,
    /// OR REPLACE.
    pub or_replace: bool,
    /// CREATE PROCEDURE.
    pub procedure: bool,
    /// Types of the arguments that a call passes; `None` where one could not be read.
    pub arguments: Vec<Option<TypeName>>,
    /// What else a later definition of it has to keep.
    pub signature: Signature,
    /// LANGUAGE; `None` is `sql`, which a body outside of quotes need not say.
    pub language: Option<Ident>,
    /// `None`: the server takes VOLATILE.
    pub volatility: Option<Volatility>,
    /// RETURNS trigger.
    pub returns_trigger: bool,
    /// SECURITY DEFINER: runs with the rights of its owner.
    pub security_definer: bool,
    /// SET search_path is among its options, to any value.
    pub sets_search_path: bool,
    /// The body: a literal with its quotes, or the BEGIN ATOMIC block or RETURN. `None` if it is in a library, or psql puts it in.
    pub body: Option<Span>,
    /// BEGIN ATOMIC or RETURN (14): the body is parsed when the function is made, and depends on what it names.
    pub atomic: bool,
}

/// What CREATE OR REPLACE has to leave as it was, beside the types of the arguments.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Signature {
    /// Names of the arguments that a call passes; `None` for one without a name.
    pub names: Vec<Option<Ident>>,
    /// How many of them have a default.
    pub defaults: usize,
    /// OUT and INOUT arguments and the columns of RETURNS TABLE, with their types as far as they can be read.
    pub outputs: Vec<(Option<Ident>, Option<TypeName>)>,
    /// RETURNS; `None` for TABLE, for OUT arguments alone, and for a procedure.
    pub returns: Option<TypeName>,
    /// RETURNS SETOF or TABLE.
    pub returns_set: bool,
}

impl Signature {
    /// The names of all arguments, and of the columns that it gives back: variables of its body.
    pub fn variables(&self) -> Vec<Ident> {
        self.names.iter().chain(self.outputs.iter().map(|(name, _)| name)).flatten().cloned().collect()
    }
}

/// pg_proc.provolatile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Volatility {
    /// IMMUTABLE: the same arguments always give the same result.
    Immutable,
    /// STABLE: they do within one statement.
    Stable,
    /// VOLATILE: each call may give another result.
    Volatile,
}

/// CREATE TRIGGER.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateTrigger {
    /// The trigger, unique among those of its table.
    pub name: Ident,
    /// The table or view behind ON, as written.
    pub table: Name,
    /// OR REPLACE (14).
    pub or_replace: bool,
    /// CREATE CONSTRAINT TRIGGER.
    pub constraint: bool,
    /// INITIALLY DEFERRED: it fires at COMMIT.
    pub deferred: bool,
    /// BEFORE; false for AFTER and INSTEAD OF.
    pub before: bool,
    /// FOR EACH ROW; false for FOR EACH STATEMENT and if nothing is said.
    pub for_each_row: bool,
    /// `insert`, `update`, `delete`, `truncate`.
    pub events: Vec<Box<str>>,
    /// UPDATE OF columns; empty if every UPDATE fires it, or none.
    pub of_columns: Vec<Ident>,
    /// The function that it executes, as written; `None` if it could not be read.
    pub function: Option<Name>,
    /// CONSTRAINT TRIGGER ... FROM table.
    pub from: Option<Name>,
    /// INSTEAD OF.
    pub instead: bool,
    /// DEFERRABLE.
    pub deferrable: bool,
    /// REFERENCING, as written: the tables of old and new rows.
    pub referencing: Option<Box<str>>,
    /// WHEN.
    pub when: Option<Expression>,
    /// The arguments of the function, as written.
    pub arguments: Box<[Box<str>]>,
}
