//! The rows of a partition as a condition, for a recipe that has to say it.

use super::Refusal;
use crate::model::catalog::Relation;
use crate::model::effects::bound_rows;
use crate::model::name::Name;
use crate::model::operation::Bound;

/// Which rows lie in the bound; `called` is the parent's name as statements say it.
///
/// # Errors
/// The key has an expression, or the bound is not known.
pub fn condition(parent: &Relation, called: &Name, bound: &Bound) -> Result<String, Refusal> {
    let unknown = || {
        let name = called.sql();
        Refusal::Unknown(format!(
            "no CHECK can say which rows go into that partition of `{name}`: its key has an expression, or is not known"
        ))
    };
    bound_rows::rows_of(parent, called, bound).ok_or_else(unknown)
}
