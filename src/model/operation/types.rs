//! CREATE TYPE, CREATE DOMAIN, ALTER DOMAIN.

use crate::model::expression::Expression;
use crate::model::name::Ident;
use crate::model::types::TypeName;

/// What CREATE TYPE makes.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeDefinition {
    /// AS ENUM: its labels in order, quotes undone.
    Enum(Vec<Box<str>>),
    /// AS (...): its attributes in order.
    Composite(Vec<(Ident, TypeName)>),
    /// AS RANGE.
    Range,
    /// CREATE TYPE name; and base types.
    Other,
}

/// A CHECK constraint of a domain.
#[derive(Clone, Debug, PartialEq)]
pub struct DomainCheck {
    /// As written; `None` lets the server choose.
    pub name: Option<Ident>,
    /// The condition; VALUE in it is the value that is checked.
    pub expression: Expression,
    /// NOT VALID: values that tables hold already are not looked at.
    pub not_valid: bool,
}

/// What ALTER DOMAIN does.
#[derive(Clone, Debug, PartialEq)]
pub enum DomainAction {
    /// SET DEFAULT.
    SetDefault,
    /// DROP DEFAULT.
    DropDefault,
    /// SET NOT NULL: reads every column of the domain.
    SetNotNull,
    /// DROP NOT NULL.
    DropNotNull,
    /// `ADD [CONSTRAINT name] CHECK`.
    AddCheck(DomainCheck),
    /// ADD CONSTRAINT ... NOT NULL (17).
    AddNotNull,
    /// DROP CONSTRAINT.
    DropConstraint {
        /// The constraint.
        name: Ident,
        /// IF EXISTS.
        if_exists: bool,
    },
    /// RENAME CONSTRAINT.
    RenameConstraint {
        /// The old name.
        from: Ident,
        /// The new name.
        to: Ident,
    },
    /// VALIDATE CONSTRAINT.
    ValidateConstraint {
        /// The constraint.
        name: Ident,
    },
    /// OWNER TO, SET SCHEMA.
    Other {
        /// Those keywords in lower case.
        words: Box<str>,
    },
}
