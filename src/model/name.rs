//! Names as the server stores them.

use std::fmt;
use std::str::FromStr;

/// The longest name the server keeps, in bytes; the rest is cut off (NAMEDATALEN - 1).
pub const LONGEST_IDENT: usize = 63;

/// One part of a name, folded and cut as the server does.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ident(Box<str>);

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
