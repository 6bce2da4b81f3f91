//! Names as the server stores them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The longest name the server keeps, in bytes; the rest is cut off (NAMEDATALEN - 1).
pub const LONGEST_IDENT: usize = 63;

/// One part of a name, folded and cut as the server does.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ident(Arc<str>);

impl Ident {
    /// From a part written without quotes: ASCII letters fold to lower case.
    pub fn folded(written: &str) -> Self {
        Self(cut(&written.to_ascii_lowercase()).into())
    }

    /// From the inside of a quoted part, doubled quotes already undone.
    pub fn quoted(written: &str) -> Self {
        Self(cut(written).into())
    }

    /// The name as it is stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Cuts after at most 63 bytes, never inside a character.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST_IDENT)]
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PartialEq<str> for Ident {
    fn eq(&self, other: &str) -> bool {
        *self.0 == *other
    }
}

impl PartialEq<&str> for Ident {
    fn eq(&self, other: &&str) -> bool {
        *self.0 == **other
    }
}

impl std::borrow::Borrow<str> for Ident {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A name as a statement writes it, with a schema or without. A database part in front is dropped, as the server only accepts its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    /// The schema, if one was written.
    pub schema: Option<Ident>,
    /// The object's own name.
    pub name: Ident,
}

impl Name {
    /// A name without a schema.
    pub fn bare(name: Ident) -> Self {
        Self { schema: None, name }
    }
}

impl Name {
    /// From a text that the server would read as a name, as `regclass` does: `orders_id_seq`, `shop."Orders_id_seq"`.
    pub fn from_literal(text: &str) -> Self {
        let mut parts: Vec<Ident> = Vec::new();
        let mut rest = text;
        loop {
            let (part, behind) = match rest.strip_prefix('"') {
                Some(inside) => {
                    let ends =
                        |at: usize| inside[at..].starts_with('"') && !inside[at..].starts_with("\"\"") && !inside[..at].ends_with('"');
                    let end = inside.char_indices().map(|(at, _)| at).find(|at| ends(*at)).unwrap_or(inside.len());
                    (Ident::quoted(&inside[..end].replace("\"\"", "\"")), inside.get(end + 1..).unwrap_or_default())
                }
                None => {
                    let end = rest.find('.').unwrap_or(rest.len());
                    (Ident::folded(rest[..end].trim()), &rest[end..])
                }
            };
            parts.push(part);
            match behind.trim_start().strip_prefix('.') {
                Some(next) => rest = next,
                None => break,
            }
        }
        let name = parts.pop().unwrap_or_else(|| Ident::quoted(""));
        Self { schema: parts.pop(), name }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => self.name.fmt(f),
        }
    }
}

/// Where an object really is: its schema is known.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QualifiedName {
    /// The schema it lives in.
    pub schema: Ident,
    /// Its own name.
    pub name: Ident,
}

impl fmt::Display for QualifiedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

impl FromStr for QualifiedName {
    type Err = std::convert::Infallible;

    /// Reads `schema.name`, or `name` in `public`; both parts as stored, nothing is folded.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (schema, name) = text.split_once('.').unwrap_or(("public", text));
        Ok(Self { schema: Ident::quoted(schema), name: Ident::quoted(name) })
    }
}

/// Words that a bare name cannot be (manual: appendix C, "reserved", also "reserved (can be function or type)"; 12 to 18 agree).
#[rustfmt::skip]
const RESERVED: &[&str] = &[
    "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "authorization", "binary", "both", "case", "cast",
    "check", "collate", "collation", "column", "concurrently", "constraint", "create", "cross", "current_catalog", "current_date",
    "current_role", "current_schema", "current_time", "current_timestamp", "current_user", "default", "deferrable", "desc", "distinct",
    "do", "else", "end", "except", "false", "fetch", "for", "foreign", "freeze", "from", "full", "grant", "group", "having", "ilike",
    "in", "initially", "inner", "intersect", "into", "is", "isnull", "join", "lateral", "leading", "left", "like", "limit", "localtime",
    "localtimestamp", "natural", "not", "notnull", "null", "offset", "on", "only", "or", "order", "outer", "overlaps", "placing",
    "primary", "references", "returning", "right", "select", "session_user", "similar", "some", "symmetric", "system_user", "table",
    "tablesample", "then", "to", "trailing", "true", "union", "unique", "user", "using", "variadic", "verbose", "when", "where",
    "window", "with",
];

impl Ident {
    /// The name as SQL has to write it: in quotes if it would fold or is a reserved word.
    pub fn sql(&self) -> String {
        let bare = !self.0.is_empty()
            && !self.0.starts_with(|first: char| first.is_ascii_digit() || first == '$')
            && self
                .0
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '$') || (!c.is_ascii() && c.is_alphabetic()))
            && RESERVED.binary_search(&&*self.0).is_err();
        if bare { self.0.to_string() } else { format!("\"{}\"", self.0.replace('"', "\"\"")) }
    }
}

impl Name {
    /// The name as SQL has to write it.
    pub fn sql(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{}", schema.sql(), self.name.sql()),
            None => self.name.sql(),
        }
    }
}

impl QualifiedName {
    /// The name as SQL has to write it, with its schema.
    pub fn sql(&self) -> String {
        format!("{}.{}", self.schema.sql(), self.name.sql())
    }
}

#[cfg(test)]
mod tests {
    use super::{Ident, RESERVED};

    #[test]
    fn reserved_words_stand_in_order_so_that_they_are_found() {
        assert!(RESERVED.is_sorted());
    }

    #[test]
    fn a_name_is_quoted_only_where_it_has_to_be() {
        let sql = |stored: &str| Ident::quoted(stored).sql();
        assert_eq!(
            [sql("orders"), sql("Users"), sql("order"), sql("a\"b"), sql("2fa"), sql("größe")].join(" "),
            "orders \"Users\" \"order\" \"a\"\"b\" \"2fa\" größe"
        );
    }
}
