//! YAML as a tree of [`Node`]s, which a reader turns into its own noun or into a [`Fault`] of one node.
//!
//! The library behind [`yaml`] tells where something stands only when reading fails there. So nodes are numbered as they are read, and a
//! fault finds its place by reading the text once more and failing at that number. It costs nothing where nothing is wrong.

use crate::problem::{Problem, did_you_mean};
use crate::text::{SourceFile, Span};
use crate::yaml;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

/// A YAML value that knows its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value.
    pub what: What,
    id: u32,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Number(i64),
    /// A number with a fraction, or too large.
    Float(f64),
    /// Text, with quotes or without.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping; keys are texts.
    Map(Vec<(Node, Node)>),
}

/// What a reader found wrong, and at which node.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    at: u32,
    /// A piece of the node's text that is at fault, as written.
    piece: Option<String>,
    /// One line.
    pub message: String,
    /// What to type instead.
    pub help: Option<String>,
}

/// Reads a YAML file into `T`. `code` is the id that its problems carry: `rule::unreadable`.
///
/// # Errors
/// The first thing that is no YAML, or that `reader` did not accept, at its place.
pub fn read<T>(source: &Arc<SourceFile>, code: &'static str, reader: impl FnOnce(&Node) -> Result<T, Fault>) -> Result<T, Problem> {
    let root = yaml::read(source, code, NodeSeed { next: &Cell::new(0), fault: None })?;
    reader(&root).map_err(|fault| problem(source, code, &fault))
}

impl Node {
    /// A node that another format gives, under the number that its place is kept under.
    pub(super) fn numbered(what: What, id: u32) -> Self {
        Self { what, id }
    }

    /// A fault of this node.
    pub fn fault(&self, message: impl Into<String>) -> Fault {
        Fault { at: self.id, piece: None, message: message.into(), help: None }
    }

    /// Its text.
    ///
    /// # Errors
    /// It is something else.
    pub fn text(&self) -> Result<&str, Fault> {
        match &self.what {
            What::Text(text) => Ok(text),
            _ => Err(self
                .fault(format!("{} stands where text is expected", self.what.noun()))
                .help("put it in quotes if it is meant as text")),
        }
    }

    /// Its truth.
    ///
    /// # Errors
    /// It is something else.
    pub fn bool(&self) -> Result<bool, Fault> {
        match &self.what {
            What::Bool(bool) => Ok(*bool),
            _ => Err(self.fault(format!("{} stands where `true` or `false` is expected", self.what.noun()))),
        }
    }

    /// Its whole number.
    ///
    /// # Errors
    /// It is something else.
    pub fn number(&self) -> Result<i64, Fault> {
        match &self.what {
            What::Number(number) => Ok(*number),
            _ => Err(self.fault(format!("{} stands where a whole number is expected", self.what.noun()))),
        }
    }

    /// Its items; a value that is no list counts as a list of one.
    pub fn items(&self) -> &[Node] {
        match &self.what {
            What::List(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    /// Its items.
    ///
    /// # Errors
    /// It is something else.
    pub fn list(&self) -> Result<&[Node], Fault> {
        match &self.what {
            What::List(items) => Ok(items),
            _ => Err(self.fault(format!("{} stands where a list is expected", self.what.noun()))),
        }
    }

    /// Its keys and values, in order.
    ///
    /// # Errors
    /// It is something else, or says a key twice.
    pub fn map(&self) -> Result<&[(Node, Node)], Fault> {
        let What::Map(entries) = &self.what else {
            return Err(self.fault(format!("{} stands where a mapping is expected", self.what.noun())));
        };
        for (at, (key, _)) in entries.iter().enumerate() {
            let word = key.text()?;
            if entries[..at].iter().any(|(earlier, _)| earlier.what == key.what) {
                return Err(key.fault(format!("`{word}` is said twice")));
            }
        }
        Ok(entries)
    }

    /// Its keys and values, if all keys are among `known`.
    ///
    /// # Errors
    /// It is no mapping, or has another key.
    pub fn fields(&self, known: &[&str]) -> Result<Fields<'_>, Fault> {
        let entries = self.map()?;
        for (key, _) in entries {
            let word = key.text()?;
            if !known.contains(&word) {
                let message = format!("there is no key `{word}` here{}", did_you_mean(word, known.iter().copied()));
                return Err(key.fault(message).help(format!("known keys: {}", known.join(", "))));
            }
        }
        Ok(Fields { node: self, entries })
    }

    /// Its text turned into one of the words of a table.
    ///
    /// # Errors
    /// It is no text, or another word.
    pub fn one_of<T: Copy>(&self, table: &[(&str, T)]) -> Result<T, Fault> {
        let word = self.text()?;
        let known = || table.iter().map(|(word, _)| *word);
        table.iter().find(|(known, _)| *known == word).map(|(_, value)| *value).ok_or_else(|| {
            let message = format!("there is no `{word}` here{}", did_you_mean(word, known()));
            self.fault(message).help(format!("one of: {}", known().collect::<Vec<_>>().join(", ")))
        })
    }
}

impl Fault {
    /// Says which piece of the node's text is at fault, as written.
    #[must_use]
    pub fn about(mut self, piece: impl Into<String>) -> Self {
        self.piece = Some(piece.into());
        self
    }

    /// The number of the node.
    pub(super) fn node(&self) -> usize {
        self.at as usize
    }

    /// Says what to type instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// The entries of a mapping whose keys are all known.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'n> {
    node: &'n Node,
    entries: &'n [(Node, Node)],
}

impl<'n> Fields<'n> {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&'n Node> {
        self.entries.iter().find(|(known, _)| matches!(&known.what, What::Text(text) if text == key)).map(|(_, value)| value)
    }

    /// The value of a key that has to be there.
    ///
    /// # Errors
    /// It is not there.
    pub fn need(&self, key: &str) -> Result<&'n Node, Fault> {
        self.get(key).ok_or_else(|| self.node.fault(format!("`{key}` is missing")))
    }
}

impl What {
    fn noun(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a truth value",
            Self::Number(_) | Self::Float(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

/// Reads the text once more, to fail where the fault is.
fn problem(source: &Arc<SourceFile>, code: &'static str, fault: &Fault) -> Problem {
    let Err(mut problem) = yaml::read(source, code, NodeSeed { next: &Cell::new(0), fault: Some(fault) }) else {
        // Every fault comes from a node, and every node has been read before.
        return Problem::new(code, &fault.message).about(source.path());
    };
    if let (Some(piece), Some((span, _))) = (&fault.piece, problem.labels.first_mut()) {
        let rest = Span::new(span.start, u32::try_from(source.bytes().len()).unwrap_or(u32::MAX));
        if let Some(at) = source.text(rest).find(piece.as_str()).and_then(|at| u32::try_from(at).ok()) {
            *span = Span::new(span.start + at, span.start + at + piece.len() as u32);
        }
    }
    problem
}

/// Reads one node, counting; fails at the node of the fault, so that the library says where that is.
#[derive(Clone, Copy)]
struct NodeSeed<'c> {
    next: &'c Cell<u32>,
    fault: Option<&'c Fault>,
}

impl<'de> DeserializeSeed<'de> for NodeSeed<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        let id = self.next.get();
        self.next.set(id + 1);
        let what = deserializer.deserialize_any(WhatVisitor { seed: self, fault: self.fault.filter(|fault| fault.at == id) })?;
        Ok(Node { what, id })
    }
}

struct WhatVisitor<'c> {
    seed: NodeSeed<'c>,
    fault: Option<&'c Fault>,
}

impl WhatVisitor<'_> {
    fn give<E: serde::de::Error>(&self, what: What) -> Result<What, E> {
        match self.fault {
            Some(fault) => Err(E::custom(format_args!("{}\n{}", fault.message, fault.help.as_deref().unwrap_or_default()))),
            None => Ok(what),
        }
    }
}

impl<'de> Visitor<'de> for WhatVisitor<'_> {
    type Value = What;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plain value without a tag")
    }

    /// An empty file.
    fn visit_none<E: serde::de::Error>(self) -> Result<What, E> {
        self.give(What::Null)
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<What, E> {
        self.give(What::Null)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<What, E> {
        self.give(What::Bool(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<What, E> {
        self.give(What::Number(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<What, E> {
        self.give(i64::try_from(value).map_or(What::Float(value as f64), What::Number))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<What, E> {
        self.give(What::Float(value))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<What, E> {
        self.give(What::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<What, A::Error> {
        let mut list = Vec::new();
        self.give(What::Null)?;
        while let Some(item) = items.next_element_seed(self.seed)? {
            list.push(item);
        }
        Ok(What::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<What, A::Error> {
        let mut map = Vec::new();
        self.give(What::Null)?;
        while let Some(key) = entries.next_key_seed(self.seed)? {
            map.push((key, entries.next_value_seed(self.seed)?));
        }
        Ok(What::Map(map))
    }
}
