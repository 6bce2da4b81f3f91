//! Which change of a column's type rewrites the table, rebuilds its indexes, or only changes the catalog. The same in all of 12 to 19.

use super::pairs::{CHAR, OTHERS, TABLE, TIMESTAMP, TIMESTAMPTZ, When};
use super::{Collation, Conversion, EXTENSION_TYPES, TypeName, UserType};
use crate::model::catalog::{Catalog, Lookup};
use crate::model::expression::Expression;
use crate::model::name::Ident;
use Conversion::{Free, RebuildsIndexes, Rewrites, Unknown};

/// A change of a column's type, as ALTER COLUMN TYPE says it.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// The column.
    pub column: &'a Ident,
    /// Its type before.
    pub from: &'a TypeName,
    /// Its collation before; `None` is the type's own.
    pub from_collation: Option<&'a Collation>,
    /// Its type afterwards.
    pub to: &'a TypeName,
    /// COLLATE; `None` is the type's own.
    pub to_collation: Option<&'a Collation>,
    /// USING.
    pub using: Option<&'a Expression>,
    /// TimeZone of the session, if it is known.
    pub time_zone: Option<&'a str>,
}

/// What the change costs, indexes with expressions or predicates and checks aside.
pub fn conversion(change: &Change<'_>, catalog: &Catalog) -> Conversion {
    let by_type = match change.using {
        None => between(change.from, change.to, catalog, change.time_zone),
        Some(using) => match cast_of(change.column, using) {
            None => Rewrites,
            Some(None) => between(change.from, change.to, catalog, change.time_zone),
            Some(Some(through)) => {
                let first = between(change.from, through, catalog, change.time_zone);
                worse(first, between(through, change.to, catalog, change.time_zone))
            }
        },
    };
    let collation = |name: Option<&Collation>| name.filter(|name| name.name != "default").cloned();
    if collation(change.from_collation) == collation(change.to_collation) { by_type } else { worse(by_type, RebuildsIndexes) }
}

fn worse(a: Conversion, b: Conversion) -> Conversion {
    let weight = |conversion| match conversion {
        Free => 0,
        RebuildsIndexes => 1,
        Unknown => 2,
        Rewrites => 3,
    };
    if weight(a) >= weight(b) { a } else { b }
}

/// Whether USING does more than to cast the column once: then each row is written anew, whatever the types.
pub fn computes(column: &Ident, using: &Expression) -> bool {
    cast_of(column, using).is_none()
}

/// The types from which a column can become `to` and keep its rows, in words; `None`: there is none but `to` itself.
pub fn kept_from(to: &TypeName, catalog: &Catalog) -> Option<String> {
    let Some(target) = plain(to, catalog) else { return Some("a type that is stored alike".to_owned()) };
    if target.constrained || target.user_type.is_some() || target.data_type.dimensions > 0 {
        return None;
    }
    let side = Side::bare(target.data_type);
    let own = target.domain.then(|| format!("`{}`", target.data_type));
    let rows = TABLE.iter().filter(|(_, targets, ..)| targets.contains(&side.name));
    let words: Vec<String> = own.into_iter().chain(rows.filter_map(|(sources, _, when, _)| kept_when(sources, *when, &side))).collect();
    (!words.is_empty()).then(|| words.join(" or "))
}

/// The sources of a row, with what their modifiers have to be; `None` if the target's modifiers rule the row out.
fn kept_when(sources: &[&str], when: When, to: &Side<'_>) -> Option<String> {
    let unlimited = to.modifiers.is_empty();
    let names = || sources.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ");
    match when {
        When::Always => Some(names()),
        When::Unlimited | When::WholePrecisionInUtc if !unlimited => None,
        When::Unlimited => Some(names()),
        When::WholePrecisionInUtc => Some(format!("{} while TimeZone is UTC", names())),
        When::NotShorter if unlimited => Some(format!("{} of any length", names())),
        When::SameScaleNotSmaller | When::NotCoarser | When::IntervalNotCoarser if unlimited => {
            Some(format!("{} of any precision", names()))
        }
        When::NotShorter => Some(format!("{} of no more length", names())),
        When::SameScaleNotSmaller => Some(format!("{} of the same scale and no more digits", names())),
        When::NotCoarser | When::IntervalNotCoarser => Some(format!("{} of no more precision", names())),
    }
}

/// If USING is the column itself, possibly cast once: the type it is cast to. `None`: it computes something.
fn cast_of<'a>(column: &Ident, using: &'a Expression) -> Option<Option<&'a TypeName>> {
    let computes = !using.understood
        || using.constant.is_some()
        || !using.calls.is_empty()
        || !using.reads.is_empty()
        || using.operators.iter().any(|operator| !matches!(&**operator, "::" | "cast"))
        || using.text.contains(" when ")
        || using.columns.as_slice() != std::slice::from_ref(column);
    match using.casts.as_slice() {
        _ if computes => None,
        [] => Some(None),
        [one] => Some(Some(one)),
        _ => None,
    }
}

/// A type with its domains taken off.
struct Plain<'a> {
    data_type: &'a TypeName,
    /// It was a domain.
    domain: bool,
    /// A domain on the way has a CHECK or NOT NULL.
    constrained: bool,
    /// An enum, a composite or a range that the history made.
    user_type: Option<&'a UserType>,
}

fn between(from: &TypeName, to: &TypeName, catalog: &Catalog, time_zone: Option<&str>) -> Conversion {
    if same(from, to, catalog) {
        return Free;
    }
    let (Some(source), Some(target)) = (plain(from, catalog), plain(to, catalog)) else { return Unknown };
    // The server proves a domain's conditions row by row, and each row is written again.
    if target.constrained {
        return Rewrites;
    }
    let (a, b) = (Side::of_source(&source), Side::bare(target.data_type));
    let arrays = (source.data_type.dimensions > 0, target.data_type.dimensions > 0);
    if source.user_type.is_some() || target.user_type.is_some() || arrays != (false, false) {
        // Operator classes for any enum or any array are not kept from one type to the next, not even to its own domain.
        let alike = arrays.0 == arrays.1
            && source.data_type.name == target.data_type.name
            && (a.modifiers == b.modifiers || b.modifiers.is_empty());
        return if alike { RebuildsIndexes } else { Rewrites };
    }
    if a == b { Free } else { by_table(&a, &b, time_zone) }
}

/// Whether both name the same type with the same modifiers. Spellings are unified by whoever read them, schemas by the catalog.
fn same(from: &TypeName, to: &TypeName, catalog: &Catalog) -> bool {
    let alike = (from.dimensions > 0) == (to.dimensions > 0) && from.fields == to.fields && {
        let (a, b) = (Side::bare(from), Side::bare(to));
        a.modifiers == b.modifiers
    };
    alike
        && (from.name == to.name
            || match (from.built_in(), to.built_in()) {
                (Some(a), Some(b)) if is_well_known(a) || is_well_known(b) => a == b,
                _ => catalog.resolve_type(&from.name) == catalog.resolve_type(&to.name),
            })
}

/// How deep domains over domains are followed. The server sets no limit; a longer chain counts as unknown.
const DEEPEST_DOMAIN: usize = 32;

/// The type below all domains; `None` if the history does not tell one of them.
pub fn base_of<'a>(data_type: &'a TypeName, catalog: &'a Catalog) -> Option<&'a TypeName> {
    plain(data_type, catalog).map(|plain| plain.data_type)
}

fn plain<'a>(data_type: &'a TypeName, catalog: &'a Catalog) -> Option<Plain<'a>> {
    let mut at = Plain { data_type, domain: false, constrained: false, user_type: None };
    for _ in 0..DEEPEST_DOMAIN {
        if at.data_type.built_in().is_some_and(is_well_known) {
            return Some(at);
        }
        match catalog.user_type(&at.data_type.name) {
            Lookup::Known(UserType::Domain { base, constrained, .. }) if at.data_type.dimensions == 0 => {
                at = Plain { data_type: base, domain: true, constrained: at.constrained || *constrained, user_type: None };
            }
            Lookup::Known(user_type) => {
                at.user_type = Some(user_type);
                return Some(at);
            }
            // The types of well-known extensions, wherever they are installed.
            _ if is_well_known(at.data_type.name.name.as_str()) => return Some(at),
            Lookup::Absent | Lookup::Unknown => return None,
        }
    }
    None
}

/// Whether a name is one of the server's own types, or of a well-known extension.
pub(super) fn is_well_known(name: &str) -> bool {
    let of_extension = || EXTENSION_TYPES.iter().any(|(_, types)| types.contains(&name));
    OTHERS.contains(&name) || of_extension() || TABLE.iter().any(|(from, to, ..)| from.contains(&name) || to.contains(&name))
}

/// One side of a change, as the table compares it.
#[derive(Debug, PartialEq)]
struct Side<'a> {
    name: &'a str,
    modifiers: Vec<&'a str>,
    fields: Option<&'a str>,
}

impl<'a> Side<'a> {
    /// A column of a domain tells the server no length or precision, so any that the target has is checked.
    fn of_source(plain: &Plain<'a>) -> Self {
        let bare = Self::bare(plain.data_type);
        if plain.domain { Self { modifiers: if bare.name == CHAR { vec!["?"] } else { vec![] }, fields: None, ..bare } } else { bare }
    }

    fn bare(data_type: &'a TypeName) -> Self {
        let name = data_type.name.name.as_str();
        let mut modifiers: Vec<&str> = data_type.modifiers.iter().map(|modifier| modifier.trim()).collect();
        match (name, modifiers.as_slice()) {
            (CHAR | "bit", []) => modifiers.push("1"),
            // A scale of none is a scale of 0.
            ("numeric", [_]) => modifiers.push("0"),
            (_, ["6"]) if keeps_time(name) => modifiers.clear(),
            _ => {}
        }
        Self { name, modifiers, fields: data_type.fields.as_deref() }
    }

    fn number(&self, at: usize) -> Option<i64> {
        self.modifiers.get(at)?.parse().ok()
    }
}

fn keeps_time(name: &str) -> bool {
    matches!(name, TIMESTAMP | TIMESTAMPTZ | "time without time zone" | "time with time zone" | "interval")
}

fn by_table(from: &Side<'_>, to: &Side<'_>, time_zone: Option<&str>) -> Conversion {
    let row = TABLE.iter().find(|(sources, targets, ..)| sources.contains(&from.name) && targets.contains(&to.name));
    let Some((.., when, cost)) = row else { return Rewrites };
    match holds(*when, from, to, time_zone) {
        Some(true) => *cost,
        Some(false) => Rewrites,
        None => Unknown,
    }
}

/// Whether a row's condition holds; `None` if the time zone that decides it is not known.
fn holds(when: When, from: &Side<'_>, to: &Side<'_>, time_zone: Option<&str>) -> Option<bool> {
    let unlimited = to.modifiers.is_empty();
    // A modifier that is no number compares with nothing.
    let not_below = |at: usize| from.number(at).zip(to.number(at)).is_some_and(|(old, new)| new >= old);
    match when {
        When::Always => Some(true),
        When::Unlimited => Some(unlimited),
        When::NotShorter | When::NotCoarser => Some(unlimited || not_below(0)),
        When::SameScaleNotSmaller => Some(unlimited || (not_below(0) && from.number(1) == to.number(1))),
        When::IntervalNotCoarser => {
            let (old, new) = (least_field(from.fields), least_field(to.fields));
            Some(new <= old && (old > SECOND || unlimited || not_below(0)))
        }
        When::WholePrecisionInUtc if !unlimited => Some(false),
        When::WholePrecisionInUtc => time_zone.map(is_utc),
    }
}

const SECOND: u8 = 0;

/// The smallest field that an interval of these fields keeps, seconds being 0. None written: all are kept.
pub(super) fn least_field(fields: Option<&str>) -> u8 {
    match fields.and_then(|fields| fields.rsplit(' ').next()) {
        Some("minute") => 1,
        Some("hour") => 2,
        Some("day") => 3,
        Some("month") => 4,
        Some("year") => 5,
        _ => SECOND,
    }
}

/// Zones whose offset has been zero as long as they exist. Africa/Abidjan, say, had a local time before 1912.
fn is_utc(zone: &str) -> bool {
    let zone = zone.trim().to_ascii_lowercase();
    let name = zone.strip_prefix("etc/").unwrap_or(&zone);
    matches!(name, "utc" | "uct" | "gmt" | "zulu" | "universal" | "greenwich" | "gmt0" | "gmt+0" | "gmt-0" | "factory") || zone == "0"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::name::Name;

    /// `numeric(10,2)`, `interval day to second(3)`, `text[]`.
    fn data_type(text: &str) -> TypeName {
        let (text, dimensions) = text.strip_suffix("[]").map_or((text, 0), |inner| (inner, 1));
        let (name, modifiers) = match text.split_once('(') {
            Some((name, rest)) => (name, rest.trim_end_matches(')').split(',').map(Into::into).collect()),
            None => (text, vec![]),
        };
        let (name, fields) = match name.strip_prefix("interval ") {
            Some(fields) => ("interval", Some(fields.into())),
            None => (name, None),
        };
        TypeName { name: Name::bare(Ident::quoted(name)), modifiers, fields, dimensions, serial: false }
    }

    fn costs(from: &str, to: &str, time_zone: Option<&str>) -> Conversion {
        let (from, to, column) = (data_type(from), data_type(to), Ident::folded("note"));
        let change = Change { column: &column, from: &from, from_collation: None, to: &to, to_collation: None, using: None, time_zone };
        conversion(&change, &Catalog::new(true))
    }

    #[test]
    fn a_longer_limit_is_free_and_a_shorter_one_is_not() {
        assert_eq!(costs("character varying(50)", "character varying(100)", None), Free);
        assert_eq!(costs("character varying(50)", "text", None), Free);
        assert_eq!(costs("text", "character varying(50)", None), Rewrites);
        assert_eq!(costs("numeric(10,2)", "numeric(12,2)", None), Free);
        assert_eq!(costs("numeric(10)", "numeric(12,0)", None), Free);
        assert_eq!(costs("numeric(10,2)", "numeric(12,4)", None), Rewrites);
        assert_eq!(costs("character(10)", "character(20)", None), Rewrites);
        assert_eq!(costs("character varying(50)[]", "character varying(100)[]", None), Rewrites);
    }

    #[test]
    fn a_time_gains_a_zone_for_free_in_utc_only_and_with_all_six_digits_only() {
        assert_eq!(costs(TIMESTAMP, TIMESTAMPTZ, Some("UTC")), RebuildsIndexes);
        assert_eq!(costs("timestamp without time zone(3)", TIMESTAMPTZ, Some("Etc/UTC")), RebuildsIndexes);
        assert_eq!(costs("timestamp without time zone(3)", "timestamp with time zone(3)", Some("UTC")), Rewrites);
        assert_eq!(costs(TIMESTAMP, "timestamp with time zone(6)", Some("UTC")), RebuildsIndexes);
        assert_eq!(costs(TIMESTAMP, TIMESTAMPTZ, Some("Africa/Abidjan")), Rewrites);
        assert_eq!(costs(TIMESTAMP, TIMESTAMPTZ, None), Unknown);
        assert_eq!(costs(TIMESTAMP, "timestamp with time zone(3)", None), Rewrites);
    }

    #[test]
    fn an_interval_may_keep_finer_fields_but_not_coarser_ones() {
        assert_eq!(costs("interval", "interval day to second", None), Free);
        assert_eq!(costs("interval minute", "interval second", None), Free);
        assert_eq!(costs("interval", "interval year to month", None), Rewrites);
        assert_eq!(costs("interval(6)", "interval(3)", None), Rewrites);
        assert_eq!(costs("interval(3)", "interval", None), Free);
    }

    #[test]
    fn a_wider_integer_is_not_the_same_bytes() {
        assert_eq!(costs("integer", "bigint", None), Rewrites);
        assert_eq!(costs("integer", "oid", None), RebuildsIndexes);
        assert_eq!(costs("oid", "regclass", None), Free);
    }
}
