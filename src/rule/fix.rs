//! What to do instead: an edit of the statement, or steps over several releases.

use super::node::{Fault, Node};
use super::recipe::{RECIPES, Recipe};
use super::shape::{Key, Object, Shape, names_in, words};
use super::template::Template;
use super::{CLASSES, Class};
use crate::model::kind::OpKind;

/// What to do instead.
#[derive(Clone, Debug, PartialEq)]
pub struct Fix {
    /// The class that remains with it.
    pub class: Class,
    /// One line; a fix without one is called by what its first step does.
    pub title: Option<Template>,
    /// A change of the statement.
    pub edit: Option<EditFix>,
    /// What to do over several releases, or after the edit.
    pub steps: Vec<Step>,
    /// What makes a plan of the whole change.
    pub recipe: Option<Recipe>,
    /// The fixed statement needs to run outside a transaction block.
    pub outside_transaction: bool,
    /// Somebody has to look at it before it is applied.
    pub review: bool,
    /// The end is not where the statement would have ended.
    pub ends_elsewhere: bool,
}

/// A change of the tokens of one operation.
#[derive(Clone, Debug, PartialEq)]
pub struct EditFix {
    /// Which tokens.
    pub place: EditPlace,
    /// The SQL that is put there.
    pub text: Template,
}

/// Which tokens of an operation an edit is about. Words are keywords, in upper case, one space between two.
#[derive(Clone, Debug, PartialEq)]
pub enum EditPlace {
    /// Behind the first occurrence of these words.
    After(String),
    /// Before the first occurrence of these words.
    Before(String),
    /// Instead of the last occurrence of these words.
    Replace(String),
    /// Behind the operation's last token.
    End,
    /// Instead of all tokens of the operation.
    Operation,
}

/// One step of a fix.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What kind of step.
    pub phase: Phase,
    /// SQL, or words for a deploy.
    pub text: Template,
}

/// The kinds of step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// SQL that adds and breaks nothing.
    Expand,
    /// SQL that is repeated in batches.
    Backfill,
    /// A release of the code, in words.
    Deploy,
    /// SQL that takes away, when nothing needs it any more.
    Contract,
    /// SQL or a command that is run by itself.
    Run,
}

const PHASES: &[(&str, Phase)] = &[
    ("expand", Phase::Expand),
    ("backfill", Phase::Backfill),
    ("deploy", Phase::Deploy),
    ("contract", Phase::Contract),
    ("run", Phase::Run),
];

impl Phase {
    /// The word for it.
    pub fn word(self) -> &'static str {
        PHASES.iter().find(|(_, phase)| *phase == self).map_or("run", |(word, _)| word)
    }
}

const OUTSIDE: &[(&str, bool)] = &[("none", true)];
const SAFETY: &[(&str, bool)] = &[("safe", false), ("review", true)];
const ENDS: &[(&str, bool)] = &[("elsewhere", true)];

/// The keys of a fix.
#[rustfmt::skip]
pub(super) const FIX: Object = Object {
    keys: &[
        Key::needed("class", Shape::Words(|| words(CLASSES)), "the class that remains with it"),
        Key::new("title", Shape::Text, "one line"),
        Key::new("edit", Shape::Either(FORMS), "a change of the operation's tokens"),
        Key::new("steps", Shape::List(&STEP), "what to do over several releases, or after the edit"),
        Key::new("recipe", Shape::Words(|| words(RECIPES)), "what makes a plan of the whole change"),
        Key::new("transaction", Shape::Words(|| words(OUTSIDE)), "none: the fixed statement runs outside of a transaction block"),
        Key::new("safety", Shape::Words(|| words(SAFETY)), "review: somebody has to look at it before it is applied"),
        Key::new("ends", Shape::Words(|| words(ENDS)), "elsewhere: the end is not where the statement would have ended"),
    ],
    one_of: &["title", "edit", "steps"],
};

const KEYWORDS: &str = "keywords in upper case, with one space between two";
const INSERT: Key = Key::needed("insert", Shape::Text, "the SQL that is put there");

/// The six forms of an edit.
const FORMS: &[Shape] = &[
    Shape::Keys(&Object::of(&[Key::needed("after", Shape::Text, KEYWORDS), INSERT])),
    Shape::Keys(&Object::of(&[Key::needed("before", Shape::Text, KEYWORDS), INSERT])),
    Shape::Keys(&Object::of(&[
        Key::needed("replace", Shape::Text, KEYWORDS),
        Key::needed("with", Shape::Text, "the SQL that stands there instead"),
    ])),
    Shape::Keys(&Object::of(&[Key::needed("remove", Shape::Text, KEYWORDS)])),
    Shape::Keys(&Object::of(&[Key::needed("append", Shape::Text, "SQL behind the operation's last token")])),
    Shape::Keys(&Object::of(&[Key::needed("rewrite", Shape::Text, "SQL instead of the whole operation")])),
];

/// One step of a fix: a word and its text.
const STEP: Shape = Shape::OneKey(|| words(PHASES), &Shape::Text);

impl Fix {
    /// Reads a fix of a rule about `ops`.
    ///
    /// # Errors
    /// A key, a word or a fact that does not exist.
    pub fn read(node: &Node, ops: &[OpKind]) -> Result<Self, Fault> {
        let fields = FIX.fields(node)?;
        let flag = |key: &str, table| fields.get(key).map_or(Ok(false), |node| node.one_of(table));
        let fix = Self {
            class: fields.need("class")?.one_of(CLASSES)?,
            title: fields.get("title").map(|node| Template::read(node, ops)).transpose()?,
            edit: fields.get("edit").map(|node| EditFix::read(node, ops)).transpose()?,
            steps: fields.get("steps").map_or(Ok(Vec::new()), |node| node.list()?.iter().map(|step| Step::read(step, ops)).collect())?,
            recipe: fields.get("recipe").map(|node| node.one_of(RECIPES)).transpose()?,
            outside_transaction: flag("transaction", OUTSIDE)?,
            review: flag("safety", SAFETY)?,
            ends_elsewhere: flag("ends", ENDS)?,
        };
        if fix.title.is_none() && fix.edit.is_none() && fix.steps.is_empty() {
            return Err(node.fault("a fix needs `title`, `edit` or `steps`"));
        }
        Ok(fix)
    }
}

impl EditFix {
    fn read(node: &Node, ops: &[OpKind]) -> Result<Self, Fault> {
        let fields = node.fields(&names_in(FORMS))?;
        let words = |node: &Node| read_keywords(node);
        let sql = |node: &Node| Template::read(node, ops);
        let (place, text) = match node.map()?.iter().map(|(key, _)| key.text().unwrap_or_default()).collect::<Vec<_>>()[..] {
            ["after", "insert"] => (EditPlace::After(words(fields.need("after")?)?), sql(fields.need("insert")?)?),
            ["before", "insert"] => (EditPlace::Before(words(fields.need("before")?)?), sql(fields.need("insert")?)?),
            ["replace", "with"] => (EditPlace::Replace(words(fields.need("replace")?)?), sql(fields.need("with")?)?),
            ["remove"] => (EditPlace::Replace(words(fields.need("remove")?)?), Template::default()),
            ["append"] => (EditPlace::End, sql(fields.need("append")?)?),
            ["rewrite"] => (EditPlace::Operation, sql(fields.need("rewrite")?)?),
            _ => {
                let forms = "{ after: KEYWORD, insert: SQL }, { before: KEYWORD, insert: SQL }, { replace: KEYWORD, with: SQL }, \
                             { remove: KEYWORD }, { append: SQL } or { rewrite: SQL }";
                return Err(node.fault("an edit has one of six forms").help(forms));
            }
        };
        Ok(Self { place, text })
    }
}

impl Step {
    fn read(node: &Node, ops: &[OpKind]) -> Result<Self, Fault> {
        match node.map()? {
            [(key, text)] => Ok(Self { phase: key.one_of(PHASES)?, text: Template::read(text, ops)? }),
            _ => Err(node.fault("a step is one word and its text: `- expand: ALTER TABLE ...`")),
        }
    }
}

fn read_keywords(node: &Node) -> Result<String, Fault> {
    let words = node.text()?;
    if words.is_empty() || !words.chars().all(|c| c.is_ascii_uppercase() || c == ' ' || c == '_') {
        return Err(node.fault("keywords are written in upper case, with one space between two"));
    }
    Ok(words.to_owned())
}
