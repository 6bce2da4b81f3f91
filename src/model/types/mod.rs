//! Data types, and which change of a column's type rewrites the table, rebuilds indexes, or costs nothing.

mod conversion;
mod fit;
mod pairs;

use super::expression::Expression;
use super::name::{Ident, Name};
use std::fmt;

pub use conversion::{Change, base_of, computes, conversion, kept_from};
pub use fit::{KeyTypes, Narrowing, key_types, narrowing};

/// A type as a statement names it, spelling variants unified (`int`, `int4` and `integer` are `integer`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TypeName {
    /// The type, by the name `format_type` prints (`character varying`, `timestamp with time zone`); other names as written.
    pub name: Name,
    /// Numbers or words in parentheses: `{10, 2}` of `numeric(10, 2)`.
    pub modifiers: Vec<Box<str>>,
    /// The fields of an interval: `day to second`.
    pub fields: Option<Box<str>>,
    /// Array dimensions; 0 for none.
    pub dimensions: u8,
    /// `serial`, `bigserial`, `smallserial`: an integer whose default comes from a sequence of its own.
    pub serial: bool,
}

/// What a change of a column's type costs, indexes with expressions or predicates aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conversion {
    /// Only the catalog changes.
    Free,
    /// The table stays, indexes on the column are built anew.
    RebuildsIndexes,
    /// Table and all indexes are written anew.
    Rewrites,
    /// One of the types is not known well enough.
    Unknown,
}

/// The types that well-known extensions bring.
pub(super) const EXTENSION_TYPES: &[(&str, &[&str])] = &[
    ("citext", &["citext"]),
    ("cube", &["cube"]),
    ("hstore", &["hstore"]),
    ("isn", &["ean13", "isbn", "isbn13", "ismn", "ismn13", "issn", "issn13", "upc"]),
    ("ltree", &["ltree", "lquery", "ltxtquery"]),
    ("postgis", &["geometry", "geography", "box2d", "box3d"]),
    ("seg", &["seg"]),
    ("vector", &["vector", "halfvec", "sparsevec"]),
];

/// The collation clause of a column or of a change of type.
pub type Collation = Name;

/// A user-defined type as the history tells it.
#[derive(Clone, Debug, PartialEq)]
pub enum UserType {
    /// CREATE TYPE ... AS ENUM, labels in order.
    Enum(Vec<Box<str>>),
    /// CREATE DOMAIN.
    Domain {
        /// The type below it.
        base: TypeName,
        /// Whether it has a CHECK or NOT NULL of its own.
        constrained: bool,
        /// Its DEFAULT, for columns that have none of their own.
        default: Option<Expression>,
    },
    /// CREATE TYPE ... AS (...): attribute names and types.
    Composite(Vec<(Ident, TypeName)>),
    /// CREATE TYPE ... AS RANGE, base types, shells.
    Other,
}

impl TypeName {
    /// The name that the server's own types go by: no schema, or `pg_catalog`.
    pub fn built_in(&self) -> Option<&str> {
        let own = self.name.schema.as_ref().is_none_or(|schema| *schema == "pg_catalog");
        own.then(|| self.name.name.as_str())
    }

    /// Whether its name is that of one of the server's own types, or of a well-known extension, in whatever schema.
    pub fn is_well_known(&self) -> bool {
        conversion::is_well_known(self.name.name.as_str())
    }
}

/// As `format_type` prints it: `numeric(10,2)`, `timestamp(3) with time zone`, `interval day to second(3)`, `character varying(50)[]`.
impl fmt::Display for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own = self.built_in();
        match own.and_then(|name| name.split_once(' ')).filter(|(_, rest)| rest.ends_with("time zone")) {
            // The precision of a time stands before the words about its zone.
            Some((first, rest)) => {
                f.write_str(first)?;
                self.write_modifiers(f)?;
                write!(f, " {rest}")?;
            }
            None => {
                match own {
                    Some(name) if is_spelled_bare(name) => f.write_str(name)?,
                    Some(name) => write_ident(f, name)?,
                    None => {
                        if let Some(schema) = &self.name.schema {
                            write_ident(f, schema.as_str())?;
                            f.write_str(".")?;
                        }
                        write_ident(f, self.name.name.as_str())?;
                    }
                }
                if let Some(fields) = &self.fields {
                    write!(f, " {fields}")?;
                }
                self.write_modifiers(f)?;
            }
        }
        // However many dimensions were written, the server keeps "an array".
        f.write_str(if self.dimensions > 0 { "[]" } else { "" })
    }
}

impl TypeName {
    fn write_modifiers(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.modifiers.as_slice() {
            [] => Ok(()),
            some => write!(f, "({})", some.join(",")),
        }
    }
}

/// The server's own names of several words.
fn is_spelled_bare(name: &str) -> bool {
    matches!(name, "character varying" | "bit varying" | "double precision")
}

fn write_ident(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    let bare = name.bytes().next().is_some_and(plain) && name.bytes().all(|byte| plain(byte) || byte.is_ascii_digit() || byte == b'$');
    // The one-byte type: without quotes it would be character(1).
    if bare && name != "char" { f.write_str(name) } else { write!(f, "\"{}\"", name.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(name: &str, modifiers: &[&str], fields: Option<&str>, dimensions: u8) -> String {
        let name = Name::bare(Ident::quoted(name));
        let modifiers = modifiers.iter().map(|&modifier| modifier.into()).collect();
        TypeName { name, modifiers, fields: fields.map(Into::into), dimensions, serial: false }.to_string()
    }

    #[test]
    fn a_type_is_printed_as_the_server_prints_it() {
        assert_eq!(written("numeric", &["10", "2"], None, 0), "numeric(10,2)");
        assert_eq!(written("timestamp with time zone", &["3"], None, 0), "timestamp(3) with time zone");
        assert_eq!(written("interval", &["3"], Some("day to second"), 0), "interval day to second(3)");
        assert_eq!(written("character varying", &["50"], None, 2), "character varying(50)[]");
        assert_eq!(written("char", &[], None, 0), "\"char\"");
        assert_eq!(written("Mood", &[], None, 1), "\"Mood\"[]");
    }
}
