//! How the values of one type become those of another, and back.

use super::sync::Follows;
use super::{Compared, Twin, exactness};
use crate::model::catalog::{Catalog, Lookup};
use crate::model::expression::Expression;
use crate::model::name::Ident;
use crate::model::types::{self, Collation, Narrowing, TypeName, UserType};
use crate::plan::Refusal;
use crate::plan::definition::Gap;

/// The new type of a column, and how values go there and back.
#[derive(Clone, Debug)]
pub struct Retype {
    /// The new type.
    pub to: TypeName,
    /// The same as SQL, with COLLATE.
    pub data_type: String,
    /// Sets the new column.
    pub forward: Follows,
    /// The new value as an expression over the row.
    pub converted: String,
    /// There may be values that have none in the new type.
    pub may_fail: bool,
    /// What is true of all values that have room in the new type, where some may have none.
    pub fits: Option<String>,
    /// How values of the new type are compared.
    pub exactness: Compared,
    /// Different values of the new type are different in the old one.
    pub exact_back: bool,
    backward: Backward,
}

/// How the old value follows from the new one.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Backward {
    /// By a cast.
    Cast,
    /// `AT TIME ZONE` leads there and back, with this literal.
    Zone(String),
    /// Nobody can tell.
    Untold,
}

/// What ALTER COLUMN TYPE says.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The new type.
    pub data_type: &'a TypeName,
    /// COLLATE.
    pub collation: Option<&'a Collation>,
    /// USING.
    pub using: Option<&'a Expression>,
}

impl Retype {
    /// For a change of the twin's older column.
    ///
    /// # Errors
    /// It cannot be told what a value becomes.
    pub fn new(twin: &Twin<'_>, catalog: &Catalog, wanted: Wanted<'_>) -> Result<Self, Refusal> {
        let unknown = |gap: Gap| Refusal::Unknown(format!("how values become {} cannot be told: {gap}", wanted.data_type));
        let from = twin.old.data_type.as_ref().ok_or_else(|| unknown(Gap::new("the history does not tell the old type")))?;
        let definitions = twin.as_they_are();
        let bare = definitions.type_name(wanted.data_type).map_err(unknown)?;
        let collation = wanted.collation.map_or(String::new(), |collation| format!(" COLLATE {}", collation.sql()));
        let using = wanted.using.map(|using| Ok((using, definitions.expression(twin.table, using)?))).transpose().map_err(unknown)?;
        let computes = wanted.using.is_some_and(|using| !is_cast(&twin.old.name, using));
        refuse(from, wanted, twin, catalog)?;
        let narrowing = if computes { None } else { types::narrowing(from, wanted.data_type, wanted.using.is_some()) };
        let fits = (narrowing == Some(Narrowing::Fails)).then(|| fits(from, wanted.data_type, &twin.old.name.sql())).flatten();
        let may_fail = fits.is_none() && (narrowing == Some(Narrowing::Fails) || using.is_some());
        let or_null = may_fail.then(|| format!("NEW.{} := NULL;", twin.new.sql()));
        let forward = match &using {
            Some((_, expression)) => Follows::computed(&twin.new, expression, &twin.table.name.name),
            None => Follows::plainly(&twin.new, &twin.old.name),
        };
        let zone = wanted.using.and_then(|using| zone(&twin.old.name, using));
        let exact_back = zone.is_none() && is_exact_back(from, wanted.data_type);
        let backward = match zone {
            Some(zone) => Backward::Zone(zone),
            None if computes => Backward::Untold,
            None => Backward::Cast,
        };
        Ok(Self {
            to: wanted.data_type.clone(),
            data_type: format!("{bare}{collation}"),
            forward: Follows { or_null, ..forward },
            converted: using
                .map_or_else(|| format!("CAST({} AS {bare})", twin.old.name.sql()), |(_, expression)| format!("({expression})")),
            may_fail,
            fits,
            exactness: exactness(wanted.data_type, wanted.collation.is_some(), catalog),
            exact_back,
            backward,
        })
    }

    /// Sets `target`, of the old type, from `source`, of the new one; `None`: nobody can tell how.
    pub fn back(&self, target: &Ident, source: &Ident) -> Option<Follows> {
        let or_null = Some(format!("NEW.{} := NULL;", target.sql()));
        match &self.backward {
            Backward::Cast => Some(Follows { or_null, ..Follows::plainly(target, source) }),
            Backward::Zone(zone) => {
                Some(Follows { assignment: format!("NEW.{} := NEW.{} AT TIME ZONE {zone};", target.sql(), source.sql()), or_null })
            }
            Backward::Untold => None,
        }
    }
}

/// What makes a change of type one that nobody can plan.
fn refuse(from: &TypeName, wanted: Wanted<'_>, twin: &Twin<'_>, catalog: &Catalog) -> Result<(), Refusal> {
    if let Lookup::Known(UserType::Domain { constrained: true, .. }) = catalog.user_type(&wanted.data_type.name) {
        return Err(Refusal::Window(format!(
            "`{}` is a domain with conditions, and PostgreSQL adds a column of such a type only by writing the table anew",
            wanted.data_type
        )));
    }
    let knows_zones = |data_type: &TypeName| data_type.built_in().is_some_and(|name| name.ends_with("with time zone"));
    let cast = wanted.using.is_none_or(|using| is_cast(&twin.old.name, using));
    if knows_zones(from) != knows_zones(wanted.data_type) && cast {
        let column = twin.old.name.sql();
        return Err(Refusal::Unknown(format!(
            "a cast from {from} to {} takes the TimeZone of each session that writes, and they may differ: say it, as in USING {column} AT TIME ZONE 'UTC'",
            wanted.data_type
        )));
    }
    Ok(())
}

/// Whether USING does no more than to cast the column, once or several times.
fn is_cast(column: &Ident, using: &Expression) -> bool {
    using.understood
        && using.constant.is_none()
        && using.calls.is_empty()
        && using.reads.is_empty()
        && using.operators.iter().all(|operator| matches!(&**operator, "::" | "cast"))
        && !using.text.contains(" when ")
        && using.columns.as_slice() == std::slice::from_ref(column)
}

/// The literal of `column AT TIME ZONE 'UTC'`.
fn zone(column: &Ident, using: &Expression) -> Option<String> {
    let literal = using.text.strip_prefix(&column.sql())?.strip_prefix(" at time zone ")?;
    let inside = literal.strip_prefix('\'')?.strip_suffix('\'')?;
    (!inside.contains('\'')).then(|| literal.to_owned())
}

/// The values of integer types.
const INTEGERS: &[(&str, &str)] = &[
    ("smallint", "-32768 AND 32767"),
    ("integer", "-2147483648 AND 2147483647"),
    ("bigint", "-9223372036854775808 AND 9223372036854775807"),
];

fn is_text(name: &str) -> bool {
    matches!(name, "text" | "character varying")
}

/// What is true of the values that have room in the new type.
fn fits(from: &TypeName, to: &TypeName, column: &str) -> Option<String> {
    let (old, new) = (from.built_in()?, to.built_in()?);
    let modifier = |at: usize| to.modifiers.get(at).and_then(|number| number.trim().parse::<i64>().ok());
    let range = INTEGERS.iter().find(|(name, _)| *name == new).map(|(_, range)| range);
    match (old, new) {
        _ if is_text(old) && is_text(new) => Some(format!("char_length({column}) <= {}", modifier(0)?)),
        ("numeric", _) if range.is_some() => Some(format!("round({column}) BETWEEN {}", range?)),
        _ if range.is_some() && INTEGERS.iter().any(|(name, _)| *name == old) => Some(format!("{column} BETWEEN {}", range?)),
        (_, "numeric") => {
            let (precision, scale) = (modifier(0)?, modifier(1).unwrap_or(0));
            let digits = usize::try_from(precision - scale).ok()?;
            Some(format!("abs(round({column}::numeric, {scale})) < 1{}", "0".repeat(digits)))
        }
        _ => None,
    }
}

/// Whether two values of the new type that differ still do when they are cast back.
fn is_exact_back(from: &TypeName, to: &TypeName) -> bool {
    let (Some(old), Some(new)) = (from.built_in(), to.built_in()) else { return false };
    let is_integer = |name: &str| INTEGERS.iter().any(|(known, _)| *known == name);
    let scale = |data_type: &TypeName| match data_type.modifiers.as_slice() {
        [] => i64::MAX,
        modifiers => modifiers.get(1).and_then(|scale| scale.trim().parse().ok()).unwrap_or(0),
    };
    match (old, new) {
        ("numeric", "numeric") => scale(to) <= scale(from),
        ("numeric" | "text" | "character varying", _) if is_integer(new) => true,
        ("text" | "character varying", "uuid") => true,
        ("timestamp without time zone", "date") => true,
        _ => is_integer(old) && is_integer(new) || is_text(old) && is_text(new),
    }
}
