//! Whether a default is worked out once for all rows, or for each row anew.

use super::scene::Scene;
use crate::model::catalog::Lookup;
use crate::model::expression::Expression;
use crate::model::functions;
use crate::model::name::{Ident, Name, QualifiedName};
use crate::model::operation::{Column, Volatility};
use crate::model::types::{TypeName, UserType};

/// What ADD COLUMN does to the rows that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fill {
    /// Nothing: they read as NULL, or as the one value that the catalog keeps for them (11 and later).
    Catalog,
    /// Each row is written anew.
    EachRow,
    /// Taken to be written anew, since something about it is not known: the fact's name.
    Unknown(&'static str),
}

/// How the rows of a table get the value of a new column.
pub(super) fn fill(scene: &Scene<'_>, column: &Column) -> Fill {
    let serial = column.data_type.as_ref().is_some_and(|data_type| data_type.serial);
    if serial || column.identity.is_some() || column.generated.as_ref().is_some_and(|generated| generated.stored) {
        return Fill::EachRow;
    }
    if column.generated.is_some() {
        return Fill::Catalog;
    }
    let by_default = match &column.default {
        None => Fill::Catalog,
        Some(default) => by_expression(scene, default),
    };
    let of_type = |data_type| by_type(scene, data_type, column.default.is_none());
    match (by_default, column.data_type.as_ref().map_or(Fill::Unknown("column_type"), of_type)) {
        (Fill::EachRow, _) | (_, Fill::EachRow) => Fill::EachRow,
        (Fill::Unknown(fact), _) | (_, Fill::Unknown(fact)) => Fill::Unknown(fact),
        (Fill::Catalog, Fill::Catalog) => Fill::Catalog,
    }
}

fn by_expression(scene: &Scene<'_>, default: &Expression) -> Fill {
    match functions::volatility_of(default, scene.catalog, scene.server) {
        Some(Volatility::Volatile) => Fill::EachRow,
        Some(Volatility::Immutable | Volatility::Stable) => Fill::Catalog,
        None => Fill::Unknown("default"),
    }
}

/// A domain's conditions are checked row by row, even for NULL. Where a column has no default of its own, that of the uppermost domain
/// which has one holds.
fn by_type(scene: &Scene<'_>, data_type: &TypeName, takes_default: bool) -> Fill {
    let mut at = data_type;
    let mut default = None;
    let filled = |default: Option<&Expression>| default.map_or(Fill::Catalog, |default| by_expression(scene, default));
    // Domains may stand over domains; how deep is bounded, and what lies deeper counts as unknown.
    for _ in 0..32 {
        if at.dimensions > 0 || (at.built_in().is_some() && at.is_well_known()) {
            return filled(default);
        }
        match scene.catalog.user_type(&at.name) {
            Lookup::Known(UserType::Domain { constrained: true, .. }) => return Fill::EachRow,
            Lookup::Known(UserType::Domain { base, default: own, .. }) => {
                default = default.or(own.as_ref().filter(|_| takes_default));
                at = base;
            }
            Lookup::Known(UserType::Enum(_) | UserType::Composite(_) | UserType::Other) => return filled(default),
            Lookup::Absent | Lookup::Unknown if at.is_well_known() => return filled(default),
            // It may be a domain.
            Lookup::Absent | Lookup::Unknown => break,
        }
    }
    Fill::Unknown("column_type")
}

/// The sequences whose next value a default takes: `nextval('name')` with a literal.
pub(super) fn sequences(scene: &Scene<'_>, default: &Expression) -> Vec<QualifiedName> {
    let mut found = Vec::new();
    if !default.calls.iter().any(|call| call.name == "nextval") {
        return found;
    }
    for after in default.text.split("nextval ( '").skip(1) {
        if let Some((literal, _)) = after.split_once('\'') {
            let (schema, name) = match literal.split_once('.') {
                Some((schema, name)) => (Some(part(schema)), part(name)),
                None => (None, part(literal)),
            };
            found.extend(scene.subject(&Name { schema, name }, false).map(|sequence| sequence.name));
        }
    }
    found
}

fn part(text: &str) -> Ident {
    match text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(quoted) => Ident::quoted(&quoted.replace("\"\"", "\"")),
        None => Ident::folded(text),
    }
}
