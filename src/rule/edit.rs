//! The edits that a fix may make, as rule files write them: a few verbs, each with the place that it is about.
//!
//! Keywords are written in upper case and parts of the statement in lower case, so that `{ replace: type, with: jsonb }` is about the type of
//! a column and `{ replace: TYPE, with: ... }` about the word. What a part is, [`super::part`] tells.

use super::facts;
use super::matcher;
use super::node::{Fault, Fields, Node};
use super::part::{self, Part};
use super::shape::{Key, Object, Shape, names_in, words};
use super::template::Template;
use crate::model::kind::OpKind;
use crate::problem::did_you_mean;

/// One edit of a fix.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// SQL is put before a place, or behind it.
    Insert {
        /// Where.
        place: Place,
        /// On which side of it.
        side: Side,
        /// What.
        text: Template,
    },
    /// SQL stands instead of what is at a place; empty: that is left out.
    Replace {
        /// What goes.
        place: Place,
        /// What comes.
        text: Template,
    },
    /// The statement gets a transaction, a file or both to itself.
    Split(Split),
    /// A further migration.
    NewFile(NewFile),
    /// SQL that undoes the migration, where its runner looks for it.
    WayBack(Template),
}

/// Before or behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Before it.
    Before,
    /// Behind it.
    After,
}

/// What an edit is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// Keywords of the operation, in upper case with one space between two: the first occurrence to insert, the last one to replace.
    Words(String),
    /// An operator of the operation.
    Operator(String),
    /// A part that the operation knows; of the columns that a fact names, if it is about columns.
    Part(&'static Part, Option<String>),
    /// The name that a fact shows, where the statement writes it.
    Name(String),
    /// All tokens of the operation, or all that the finding points to.
    Operation,
    /// The statement.
    Statement,
    /// The transaction that is open: its first statement.
    Transaction,
    /// All statements of the file.
    File,
}

/// Where a file is cut, or a transaction where the file opens and ends its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// Before the statement.
    Before,
    /// Behind it.
    After,
    /// Before it and behind it.
    Around,
    /// The same, and it runs in no transaction.
    Alone,
    /// Of a file about tables that have nothing to do with each other: where it goes over from one to the next.
    Apart,
    /// The same as `Alone`, of the statement in whose body this one stands.
    Body,
}

/// A further migration, before the statement or behind all of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct NewFile {
    /// On which side.
    pub side: Side,
    /// Behind all migrations, not only behind this one.
    pub last: bool,
    /// Its SQL.
    pub sql: Template,
    /// What it is called after.
    pub name: Template,
    /// It runs in no transaction, as the only statement of its file.
    pub alone: bool,
    /// What undoes it.
    pub down: Option<Template>,
}

const SPLITS: &[(&str, Split)] = &[
    ("before", Split::Before),
    ("after", Split::After),
    ("around", Split::Around),
    ("alone", Split::Alone),
    ("apart", Split::Apart),
    ("body", Split::Body),
];
const RUNS: &[(&str, bool)] = &[("transaction", false), ("alone", true)];

/// Places that every operation has.
const PLACES: &[(&str, &str)] = &[
    ("operation", "all tokens of the operation, or all that the finding points to"),
    ("statement", "the whole statement"),
    ("transaction", "the first statement of the open transaction, behind BEGIN; only to insert before it"),
    ("file", "all statements of the file; only to insert before or after them"),
    ("name", "the name that the fact under `of` shows, where the statement writes it"),
];

const PLACE: &str = "KEYWORDS in upper case, an operator, or a part in lower case: operation, statement, transaction, file, name, type ...";
const OF: Key = Key::new("of", Shape::Text, "the fact that names the columns, or the name, which are meant");
const INSERT: Key = Key::needed("insert", Shape::Text, "the SQL that is put there");
const NAME: Key = Key::needed("name", Shape::Text, "a few words, of which the file's name is made");
const RUN: Key = Key::new("run", Shape::Words(|| words(RUNS)), "alone: as the only statement, outside of any transaction");
const DOWN: Key = Key::new("down", Shape::Text, "SQL that undoes it");

/// The forms of an edit.
#[rustfmt::skip]
pub(super) const FORMS: &[Shape] = &[
    Shape::Keys(&Object::of(&[Key::needed("after", Shape::Text, PLACE), OF, INSERT])),
    Shape::Keys(&Object::of(&[Key::needed("before", Shape::Text, PLACE), OF, INSERT])),
    Shape::Keys(&Object::of(&[Key::needed("replace", Shape::Text, PLACE), OF, Key::needed("with", Shape::Text, "the SQL that stands there instead")])),
    Shape::Keys(&Object::of(&[Key::needed("remove", Shape::Text, PLACE), OF])),
    Shape::Keys(&Object::of(&[Key::needed("append", Shape::Text, "SQL behind the operation's last token")])),
    Shape::Keys(&Object::of(&[Key::needed("rewrite", Shape::Text, "SQL instead of the whole operation")])),
    Shape::Keys(&Object::of(&[Key::needed("split", Shape::Words(|| words(SPLITS)), "where the file is cut into migrations; alone: the statement runs outside of any transaction; apart: where it goes over to tables that have nothing to do with those before")])),
    Shape::Keys(&Object::of(&[Key::needed("earlier", Shape::Text, "SQL of a migration before this statement"), NAME, RUN, DOWN])),
    Shape::Keys(&Object::of(&[Key::needed("later", Shape::Text, "SQL of a migration behind this file"), NAME, RUN, DOWN])),
    Shape::Keys(&Object::of(&[Key::needed("last", Shape::Text, "SQL of a migration behind all others"), NAME, RUN, DOWN])),
    Shape::Keys(&Object::of(&[Key::needed("way_back", Shape::Text, "SQL that undoes this migration, put where its runner looks for it")])),
];

const HELP: &str = "{ after: PLACE, insert: SQL }, { before: PLACE, insert: SQL }, { replace: PLACE, with: SQL }, { remove: PLACE }, \
                    { append: SQL }, { rewrite: SQL }, { split: before | after | around | alone | apart }, \
                    { earlier: SQL, name: WORDS }, { later: SQL, name: WORDS }, { last: SQL, name: WORDS } or { way_back: SQL }";

/// Reads one form.
struct Reader<'n> {
    fields: Fields<'n>,
    ops: &'n [OpKind],
}

impl Change {
    /// Reads an edit of a rule about `ops`.
    ///
    /// # Errors
    /// It has no form that is known, or names something that one of them has not.
    pub fn read(node: &Node, ops: &[OpKind]) -> Result<Self, Fault> {
        let fields = node.fields(&names_in(FORMS))?;
        let keys: Vec<_> = node.map()?.iter().map(|(key, _)| key.text().unwrap_or_default()).collect();
        let fits = |shape: &&Shape| matches!(shape, Shape::Keys(form) if fits(form, &keys));
        let Some(Shape::Keys(form)) = FORMS.iter().find(fits) else {
            return Err(node.fault("an edit has one of eleven forms").help(HELP));
        };
        let read = Reader { fields, ops };
        match form.keys[0].name {
            "after" => read.insert("after", Side::After),
            "before" => read.insert("before", Side::Before),
            "replace" => Ok(Self::Replace { place: read.what_goes("replace")?, text: read.sql("with")? }),
            "remove" => Ok(Self::Replace { place: read.what_goes("remove")?, text: Template::default() }),
            "append" => Ok(Self::Insert { place: Place::Operation, side: Side::After, text: read.sql("append")? }),
            "rewrite" => Ok(Self::Replace { place: Place::Operation, text: read.sql("rewrite")? }),
            "split" => read.fields.need("split")?.one_of(SPLITS).map(Self::Split),
            "earlier" => read.new_file("earlier", Side::Before),
            "last" => read.new_file("last", Side::After),
            "way_back" => read.sql("way_back").map(Self::WayBack),
            _ => read.new_file("later", Side::After),
        }
    }
}

/// Whether a mapping with these keys is of a form.
fn fits(form: &Object, keys: &[&str]) -> bool {
    let known = |key: &&str| form.keys.iter().any(|known| known.name == *key);
    keys.iter().all(known) && form.keys.iter().filter(|key| key.needed).all(|key| keys.contains(&key.name))
}

impl Reader<'_> {
    fn sql(&self, key: &str) -> Result<Template, Fault> {
        Template::read(self.fields.need(key)?, self.ops)
    }

    fn insert(&self, key: &str, side: Side) -> Result<Change, Fault> {
        let place = self.place(key)?;
        if place == Place::Transaction && side == Side::After {
            return Err(self.fields.need(key)?.fault("SQL can be inserted before the first statement of a transaction, not behind it"));
        }
        Ok(Change::Insert { place, side, text: self.sql("insert")? })
    }

    /// A place whose text can go.
    fn what_goes(&self, key: &str) -> Result<Place, Fault> {
        match self.place(key)? {
            Place::Transaction | Place::File => Err(self.fields.need(key)?.fault("only inserts are possible here")),
            place => Ok(place),
        }
    }

    fn place(&self, key: &str) -> Result<Place, Fault> {
        let node = self.fields.need(key)?;
        let word = node.text()?;
        let of = self.fields.get("of").map(|of| self.fact(of)).transpose()?;
        let place = match word {
            "operation" => Place::Operation,
            "statement" => Place::Statement,
            "transaction" => Place::Transaction,
            "file" => Place::File,
            "name" => Place::Name(of.clone().ok_or_else(|| node.fault("`of` says which name: `of: index`"))?),
            _ if is_operator(word) => Place::Operator(word.to_owned()),
            _ if is_keywords(word) => Place::Words(word.to_owned()),
            _ => Place::Part(self.part(node, word)?, of.clone()),
        };
        match (&place, of) {
            (Place::Name(_) | Place::Part(..), _) | (_, None) => Ok(place),
            (_, Some(_)) => Err(self.fields.need("of")?.fault(format!("`{word}` is the same whatever `of` says"))),
        }
    }

    fn part(&self, node: &Node, word: &str) -> Result<&'static Part, Fault> {
        if !word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') || word.is_empty() {
            return Err(node.fault("keywords are written in upper case with one space between two, and parts in lower case"));
        }
        let has = |part: &&Part| part.name == word && self.ops.iter().all(|op| part.of.contains(op));
        part::PARTS.iter().find(has).ok_or_else(|| {
            let own = part::PARTS.iter().filter(|part| self.ops.iter().all(|op| part.of.contains(op))).map(|part| part.name);
            let known: Vec<_> = PLACES.iter().map(|(name, _)| *name).chain(own).collect();
            let near = did_you_mean(word, known.iter().copied());
            node.fault(format!("there is no part `{word}` here{near}"))
                .help(format!("known: {}; KEYWORDS are in upper case", known.join(", ")))
        })
    }

    /// A fact that all operations have.
    fn fact(&self, node: &Node) -> Result<String, Fault> {
        let name = node.text()?;
        match self.ops.iter().find(|op| facts::find(name, **op).is_none()) {
            Some(op) => Err(matcher::unknown(node, name, *op, &format!("no fact `{name}`"))),
            None => Ok(name.to_owned()),
        }
    }

    fn new_file(&self, key: &str, side: Side) -> Result<Change, Fault> {
        Ok(Change::NewFile(NewFile {
            side,
            last: key == "last",
            sql: self.sql(key)?,
            name: self.sql("name")?,
            alone: self.fields.get("run").map_or(Ok(false), |node| node.one_of(RUNS))?,
            down: self.fields.get("down").map(|node| Template::read(node, self.ops)).transpose()?,
        }))
    }
}

fn is_keywords(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_uppercase() || c == ' ' || c == '_')
}

fn is_operator(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| "+-*/<>=~!@#%^&|`?".contains(c))
}

/// The parts of statements that edits may name, for `lockkeeper rules --vocabulary`.
pub fn vocabulary() -> impl Iterator<Item = (&'static str, &'static [OpKind], &'static str)> {
    let everywhere = PLACES.iter().map(|(name, doc)| (*name, OpKind::ALL, *doc));
    everywhere.chain(part::PARTS.iter().map(|part| (part.name, part.of, part.doc)))
}
