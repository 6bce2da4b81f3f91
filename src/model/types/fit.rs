//! Whether the values of one type fit into another: what a change of type loses, and whether a foreign key can compare its two sides.

use super::TypeName;
use super::conversion::least_field;
use Narrowing::{Fails, Loses};

/// What becomes of values that do not fit into the new type of their column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Narrowing {
    /// The first of them stops the statement.
    Fails,
    /// They are rounded or cut, and nobody is told.
    Loses,
}

/// How the two sides of a foreign key go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyTypes {
    /// The same type, or one that holds all keys and is compared as it is.
    Alike,
    /// An integer type that ends before the keys do.
    Narrower,
    /// Types that are compared after a cast.
    Cast,
    /// Types that the server does not compare: it refuses the key.
    Incomparable,
}

/// Digits that every value of an integer type has room for, and those that its largest has.
const INTEGERS: &[(&str, i64, i64)] = &[("smallint", 4, 5), ("integer", 9, 10), ("bigint", 18, 19)];

/// Digits that a binary fraction keeps.
const FRACTIONS: &[(&str, i64)] = &[("real", 6), ("double precision", 15)];

/// What a change of type does to values that the new type has no room for; `None` if it has room for all. `explicit`: by `column::type`,
/// which cuts a text where the assignment of a statement without USING fails.
pub fn narrowing(from: &TypeName, to: &TypeName, explicit: bool) -> Option<Narrowing> {
    if (from.dimensions > 0) != (to.dimensions > 0) {
        return None;
    }
    let (old, new) = (from.built_in()?, to.built_in()?);
    let exact = |data_type: &TypeName| (modifier(data_type, 0), modifier(data_type, 1).unwrap_or(0));
    match (old, new) {
        _ if is_text(old) && is_text(new) => too_long(from, to).then_some(if explicit { Loses } else { Fails }),
        ("bit" | "bit varying", "bit" | "bit varying") => too_long(from, to).then_some(if explicit { Loses } else { Fails }),
        ("numeric", "numeric") => between_numerics(exact(from), exact(to)),
        ("numeric", _) if integer(new).is_some() => to_integer(exact(from), integer(new)?.0),
        (_, "numeric") if integer(old).is_some() => {
            let (precision, scale) = exact(to);
            (precision? - scale < integer(old)?.1).then_some(Fails)
        }
        (_, "numeric") if fraction(old).is_some() => modifier(to, 0).map(|_| Loses),
        ("numeric", _) if fraction(new).is_some() => {
            exact(from).0.is_none_or(|digits| digits > fraction(new).unwrap_or(0)).then_some(Loses)
        }
        _ if integer(old).is_some() && integer(new).is_some() => (integer(new)? < integer(old)?).then_some(Fails),
        _ if fraction(old).is_some() && integer(new).is_some() => Some(Loses),
        _ if integer(old).is_some() && fraction(new).is_some() => (integer(old)?.0 > fraction(new)?).then_some(Loses),
        ("double precision", "real") => Some(Loses),
        _ => of_times(from, to, old, new),
    }
}

fn of_times(from: &TypeName, to: &TypeName, old: &str, new: &str) -> Option<Narrowing> {
    let is_timestamp = |name: &str| name.starts_with("timestamp with");
    let is_time = |name: &str| name.starts_with("time with");
    let digits = |data_type: &TypeName| modifier(data_type, 0).unwrap_or(6);
    match (old, new) {
        ("interval", "interval") => {
            (least_field(to.fields.as_deref()) > least_field(from.fields.as_deref()) || digits(to) < digits(from)).then_some(Loses)
        }
        (_, "date") if is_timestamp(old) => Some(Loses),
        _ if is_timestamp(old) && is_time(new) => Some(Loses),
        ("time with time zone", "time without time zone") => Some(Loses),
        _ if is_timestamp(old) && is_timestamp(new) || is_time(old) && is_time(new) => (digits(to) < digits(from)).then_some(Loses),
        _ => None,
    }
}

fn modifier(data_type: &TypeName, at: usize) -> Option<i64> {
    data_type.modifiers.get(at)?.trim().parse().ok()
}

fn integer(name: &str) -> Option<(i64, i64)> {
    INTEGERS.iter().find(|(known, ..)| *known == name).map(|(_, all, largest)| (*all, *largest))
}

fn fraction(name: &str) -> Option<i64> {
    FRACTIONS.iter().find(|(known, _)| *known == name).map(|(_, digits)| *digits)
}

fn is_text(name: &str) -> bool {
    matches!(name, "text" | "character varying" | "character" | "bpchar" | "citext")
}

fn too_long(from: &TypeName, to: &TypeName) -> bool {
    modifier(to, 0).is_some_and(|new| modifier(from, 0).is_none_or(|old| new < old))
}

type Exact = (Option<i64>, i64);

fn between_numerics((old, old_scale): Exact, (new, new_scale): Exact) -> Option<Narrowing> {
    let new = new?;
    match old {
        None => Some(Loses),
        Some(_) if new_scale < old_scale => Some(Loses),
        Some(old) => (new - new_scale < old - old_scale).then_some(Fails),
    }
}

fn to_integer((digits, scale): Exact, room: i64) -> Option<Narrowing> {
    match digits {
        None => Some(Loses),
        Some(_) if scale > 0 => Some(Loses),
        Some(digits) => (digits - scale > room).then_some(Fails),
    }
}

/// Families of types that the server compares with one another by operators that indexes know, each called by its first.
const COMPARED: &[&[&str]] = &[
    &["integer", "smallint", "bigint"],
    &["numeric"],
    &["real", "double precision"],
    &["text", "character varying"],
    &["name"],
    &["character", "bpchar"],
    &["citext"],
    &["date", "timestamp without time zone", "timestamp with time zone"],
    &["time without time zone"],
    &["time with time zone"],
    &["uuid"],
    &["boolean"],
    &["bytea"],
    &["inet", "cidr"],
    &["interval"],
    &["money"],
    &["bit", "bit varying"],
    &["macaddr"],
    &["oid"],
    &["jsonb"],
];

/// From the family of the key that refers to the family of the key that is referred to, where a cast goes by itself.
#[rustfmt::skip]
const CAST: &[(&str, &str)] = &[
    ("integer", "numeric"), ("integer", "real"), ("integer", "oid"), ("numeric", "real"),
    ("text", "character"), ("character", "text"), ("citext", "text"), ("text", "name"), ("name", "text"), ("character", "name"),
    ("time without time zone", "time with time zone"), ("time without time zone", "interval"),
];

/// How a foreign key of one type refers to a key of another, domains taken off; `None` if one of them is not known here.
pub fn key_types(from: &TypeName, to: &TypeName) -> Option<KeyTypes> {
    if from.dimensions > 0 || to.dimensions > 0 {
        return None;
    }
    let (old, new) = (from.name.name.as_str(), to.name.name.as_str());
    if old == new {
        return Some(KeyTypes::Alike);
    }
    let family = |name: &str| COMPARED.iter().find(|family| family.contains(&name)).copied();
    let (ours, theirs) = (family(old)?, family(new)?);
    Some(match (integer(old), integer(new)) {
        (Some(ours), Some(theirs)) if ours < theirs => KeyTypes::Narrower,
        _ if ours == theirs => KeyTypes::Alike,
        _ if CAST.contains(&(ours[0], theirs[0])) => KeyTypes::Cast,
        _ => KeyTypes::Incomparable,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::name::{Ident, Name};

    /// `numeric(10,2)`, `interval day to second`.
    fn data_type(text: &str) -> TypeName {
        let (name, modifiers) = match text.split_once('(') {
            Some((name, rest)) => (name, rest.trim_end_matches(')').split(',').map(Into::into).collect()),
            None => (text, vec![]),
        };
        let (name, fields) = name.split_once("interval ").map_or((name, None), |(_, fields)| ("interval", Some(fields.into())));
        TypeName { name: Name::bare(Ident::quoted(name)), modifiers, fields, dimensions: 0, serial: false }
    }

    fn narrows(from: &str, to: &str) -> Option<Narrowing> {
        narrowing(&data_type(from), &data_type(to), false)
    }

    #[test]
    fn what_has_no_room_stops_the_change_or_is_rounded() {
        assert_eq!(narrows("bigint", "integer"), Some(Fails));
        assert_eq!(narrows("integer", "bigint"), None);
        assert_eq!(narrows("text", "character varying(50)"), Some(Fails));
        assert_eq!(narrowing(&data_type("text"), &data_type("character varying(50)"), true), Some(Loses));
        assert_eq!(narrows("character varying(50)", "character varying(80)"), None);
        assert_eq!(narrows("numeric(10,2)", "numeric(8,2)"), Some(Fails));
        assert_eq!(narrows("numeric(10,2)", "numeric(12,1)"), Some(Loses));
        assert_eq!(narrows("numeric(10,2)", "numeric(12,4)"), None);
        assert_eq!(narrows("numeric(10,2)", "numeric(11,4)"), Some(Fails));
        assert_eq!(narrows("numeric(9,0)", "integer"), None);
        assert_eq!(narrows("numeric(10)", "integer"), Some(Fails));
        assert_eq!(narrows("double precision", "integer"), Some(Loses));
        assert_eq!(narrows("integer", "double precision"), None);
        assert_eq!(narrows("bigint", "double precision"), Some(Loses));
        assert_eq!(narrows("integer", "numeric(10,2)"), Some(Fails));
        assert_eq!(narrows("timestamp with time zone", "date"), Some(Loses));
        assert_eq!(narrows("timestamp with time zone", "timestamp with time zone(3)"), Some(Loses));
        assert_eq!(narrows("interval", "interval day to hour"), Some(Loses));
        assert_eq!(narrows("uuid", "text"), None);
    }

    #[test]
    fn keys_of_two_types_go_together_or_not() {
        let keys = |from: &str, to: &str| key_types(&data_type(from), &data_type(to));
        assert_eq!(keys("integer", "bigint"), Some(KeyTypes::Narrower));
        assert_eq!(keys("bigint", "integer"), Some(KeyTypes::Alike));
        assert_eq!(keys("text", "character varying(20)"), Some(KeyTypes::Alike));
        assert_eq!(keys("integer", "numeric"), Some(KeyTypes::Cast));
        assert_eq!(keys("numeric", "integer"), Some(KeyTypes::Incomparable));
        assert_eq!(keys("text", "uuid"), Some(KeyTypes::Incomparable));
        assert_eq!(keys("text", "mood"), None);
    }
}
