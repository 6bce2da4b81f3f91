//! What to do instead: an edit of the statement, or steps over several releases.

use super::edit::{self, Change};
use super::matcher::Condition;
use super::node::{Fault, Node};
use super::recipe::{RECIPES, Recipe};
use super::shape::{Key, Object, Shape, words};
use super::template::Template;
use super::{CLASSES, Class, schema};
use crate::model::kind::OpKind;

/// What to do instead.
#[derive(Clone, Debug, PartialEq)]
pub struct Fix {
    /// The class that remains with it.
    pub class: Class,
    /// One line; a fix without one is called by what its first step does.
    pub title: Option<Template>,
    /// Changes of the file, and further files: all of them or none.
    pub edits: Vec<Change>,
    /// What has to hold for the edits to be right.
    pub only: Option<Condition>,
    /// What is said where that does not hold.
    pub otherwise: Option<Template>,
    /// What to do over several releases, or after the edit.
    pub steps: Vec<Step>,
    /// What makes a plan of the whole change.
    pub recipe: Option<Recipe>,
    /// Somebody has to look at it before it is applied.
    pub review: bool,
    /// The end is not where the statement would have ended.
    pub ends_elsewhere: bool,
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

const SAFETY: &[(&str, bool)] = &[("safe", false), ("review", true)];
const ENDS: &[(&str, bool)] = &[("elsewhere", true)];

/// The keys of a fix.
#[rustfmt::skip]
pub(super) const FIX: Object = Object {
    keys: &[
        Key::needed("class", Shape::Words(|| words(CLASSES)), "the class that remains with it"),
        Key::new("title", Shape::Text, "one line"),
        Key::new("edit", Shape::Items(&Shape::Either(edit::FORMS)), "a change of the file, or several that belong together"),
        Key::new("where", Shape::Schema(schema::any_facts), "facts that all have to hold for the edit to be right; else the steps are left"),
        Key::new("otherwise", Shape::Text, "what is said where they do not hold: why there is no edit"),
        Key::new("steps", Shape::List(&STEP), "what to do over several releases, or after the edit"),
        Key::new("recipe", Shape::Words(|| words(RECIPES)), "what makes a plan of the whole change"),
        Key::new("safety", Shape::Words(|| words(SAFETY)), "review: somebody has to look at it before it is applied"),
        Key::new("ends", Shape::Words(|| words(ENDS)), "elsewhere: the end is not where the statement would have ended"),
    ],
    one_of: &["title", "edit", "steps"],
};

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
            edits: fields.get("edit").map_or(Ok(Vec::new()), |node| read_edits(node, ops))?,
            only: fields.get("where").map(|node| Condition::read(node, ops)).transpose()?,
            otherwise: fields.get("otherwise").map(|node| Template::read(node, ops)).transpose()?,
            steps: fields.get("steps").map_or(Ok(Vec::new()), |node| node.list()?.iter().map(|step| Step::read(step, ops)).collect())?,
            recipe: fields.get("recipe").map(|node| node.one_of(RECIPES)).transpose()?,
            review: flag("safety", SAFETY)?,
            ends_elsewhere: flag("ends", ENDS)?,
        };
        if fix.title.is_none() && fix.edits.is_empty() && fix.steps.is_empty() {
            return Err(node.fault("a fix needs `title`, `edit` or `steps`"));
        }
        match ["where", "otherwise"].iter().find_map(|key| fields.get(key)).filter(|_| fix.edits.is_empty()) {
            Some(alone) => Err(alone.fault("there is no `edit` that this could be about")),
            None => Ok(fix),
        }
    }
}

/// One edit or several. A file is cut once.
fn read_edits(node: &Node, ops: &[OpKind]) -> Result<Vec<Change>, Fault> {
    let edits = node.items().iter().map(|item| Change::read(item, ops)).collect::<Result<Vec<_>, _>>()?;
    match edits.iter().filter(|edit| matches!(edit, Change::Split(_))).count() {
        0 | 1 => Ok(edits),
        _ => Err(node.fault("`split` stands twice: `around` cuts before and behind the statement")),
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
