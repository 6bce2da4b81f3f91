//! What may stand at each place of a YAML file: readers take their keys from it, and `rule::schema` makes the JSON Schema of it that
//! editors complete from.

use super::node::{Fault, Fields, Node};
use serde_json::Value;

/// A key that a mapping may have.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// As files write it.
    pub name: &'static str,
    /// What it says, in one line.
    pub doc: &'static str,
    /// What its value may be.
    pub shape: Shape,
    /// Whether a mapping without it is refused.
    pub needed: bool,
}

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Text.
    Text,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Number,
    /// One of these words.
    Words(fn() -> Vec<&'static str>),
    /// A list.
    List(&'static Shape),
    /// A list, or its only item.
    Items(&'static Shape),
    /// A mapping of these keys.
    Keys(&'static Object),
    /// A mapping from names that nobody can list.
    Map(&'static Shape),
    /// A mapping of one word to something.
    OneKey(fn() -> Vec<&'static str>, &'static Shape),
    /// One of several things.
    Either(&'static [Shape]),
    /// What only a JSON Schema can say.
    Schema(fn() -> Value),
}

/// A mapping whose keys are known.
#[derive(Clone, Copy, Debug)]
pub struct Object {
    /// Its keys, in the order in which we write them.
    pub keys: &'static [Key],
    /// One of these has to be there, if any are named.
    pub one_of: &'static [&'static str],
}

impl Key {
    /// One that may be left out.
    pub const fn new(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { name, doc, shape, needed: false }
    }

    /// One that has to be there.
    pub const fn needed(name: &'static str, shape: Shape, doc: &'static str) -> Self {
        Self { name, doc, shape, needed: true }
    }
}

impl Object {
    /// A mapping of these keys.
    pub const fn of(keys: &'static [Key]) -> Self {
        Self { keys, one_of: &[] }
    }

    /// The entries of a node, if all of its keys are known.
    ///
    /// # Errors
    /// It is no mapping, or has another key.
    pub fn fields<'n>(&self, node: &'n Node) -> Result<Fields<'n>, Fault> {
        node.fields(&names(self.keys))
    }
}

/// The names of keys.
pub fn names(keys: &[Key]) -> Vec<&'static str> {
    keys.iter().map(|key| key.name).collect()
}

/// The names of all keys of several mappings, each once.
pub fn names_in(shapes: &[Shape]) -> Vec<&'static str> {
    let mut all = Vec::new();
    for shape in shapes {
        if let Shape::Keys(object) = shape {
            all.extend(names(object.keys).into_iter().filter(|name| !all.contains(name)).collect::<Vec<_>>());
        }
    }
    all
}

/// The words of a table.
pub fn words<T>(table: &[(&'static str, T)]) -> Vec<&'static str> {
    table.iter().map(|(word, _)| *word).collect()
}
