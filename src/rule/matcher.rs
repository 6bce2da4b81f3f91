//! Which operations a rule speaks about: `op`, `where`, `unless`, three-valued.

use super::facts::{self, Fact, Kind, Value};
use super::moment::Moment;
use super::node::{Fault, Node, What};
use super::schema;
use super::shape::{Key, Object, Shape};
use crate::model::kind::OpKind;
use crate::problem::did_you_mean;

/// The operations that a rule speaks about, and what has to hold for it to speak.
#[derive(Clone, Debug)]
pub struct Matcher {
    /// The operations.
    pub ops: Vec<OpKind>,
    /// All of these hold ...
    wheres: Vec<Want>,
    /// ... and none of these in full.
    unless: Vec<Vec<Want>>,
}

/// What is wanted of one fact.
#[derive(Clone, Debug)]
struct Want {
    name: &'static str,
    /// The fact as each of the matcher's operations has it, in their order.
    facts: Vec<&'static Fact>,
    test: Test,
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Is(bool),
    Words(Vec<&'static str>),
    Text(Vec<Pattern>),
    Range { at_least: Option<i64>, below: Option<i64> },
    Numbers(Vec<i64>),
}

#[derive(Clone, Debug, PartialEq)]
enum Pattern {
    Exactly(String),
    /// `*` stands for any text.
    Like(String),
}

/// Three-valued truth, after Kleene.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Truth {
    No,
    Unknown,
    Yes,
}

/// A test of one fact at one moment, for `lockkeeper show`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tested {
    /// The fact.
    pub fact: &'static str,
    /// Whether it stands under `unless`, and in which group.
    pub unless: Option<usize>,
    /// Whether it held; `None` if the fact is not known.
    pub held: Option<bool>,
}

/// What a rule speaks about. It comes first.
pub(super) const OP: Key = Key::needed("op", Shape::Schema(schema::ops), "the operation, or several; comes first");
/// All of these hold.
pub(super) const WHERE: Key = Key::new("where", Shape::Schema(schema::any_facts), "facts of the operation that all have to hold");
/// None of these groups holds in full.
pub(super) const UNLESS: Key = Key::new(
    "unless",
    Shape::Items(&Shape::Schema(schema::any_facts)),
    "facts of the operation under which the rule is silent; a list: groups",
);

/// A range of whole numbers.
pub(super) const RANGE: Object = Object {
    keys: &[
        Key::new("at_least", Shape::Number, "the least number that fits"),
        Key::new("below", Shape::Number, "the least number that no longer fits"),
    ],
    one_of: &["at_least", "below"],
};

/// A pattern of texts.
pub(super) const LIKE: Object = Object::of(&[Key::needed("like", Shape::Text, "a pattern: * stands for any text")]);

impl Matcher {
    /// Reads `op`, `where` and `unless` of a mapping that may have other keys beside them.
    ///
    /// # Errors
    /// An operation, a fact or a value that does not exist.
    pub fn read(node: &Node) -> Result<Self, Fault> {
        let entries = node.map()?;
        match entries.first() {
            Some((key, _)) if key.text()? != "op" => Err(key.fault("`op` comes first: what may be asked depends on it")),
            None => Err(node.fault("`op` is missing")),
            Some((_, op)) => {
                let ops = op.items().iter().map(read_op).collect::<Result<Vec<_>, _>>()?;
                if ops.is_empty() {
                    return Err(op.fault("there is no operation in it"));
                }
                let value = |name| entries.iter().find(|(key, _)| key.text() == Ok(name)).map(|(_, value)| value);
                let wheres = value("where").map_or(Ok(Vec::new()), |node| read_wants(node, &ops))?;
                let unless = value("unless").map_or(Ok(Vec::new()), |node| {
                    node.items().iter().map(|group| read_wants(group, &ops)).collect::<Result<Vec<_>, _>>()
                })?;
                Ok(Self { ops, wheres, unless })
            }
        }
    }

    /// Whether it holds at a moment of one of its operations; if so, the facts that were not known.
    pub fn holds(&self, moment: &Moment<'_>) -> Option<Vec<&'static str>> {
        let at = self.ops.iter().position(|op| *op == moment.kind())?;
        let mut assumed = Vec::new();
        for want in &self.wheres {
            match want.holds(at, moment) {
                Truth::No => return None,
                Truth::Yes => {}
                Truth::Unknown => assumed.push(want.name),
            }
        }
        for group in &self.unless {
            let mut unknown = Vec::new();
            let mut refuted = false;
            for want in group {
                match want.holds(at, moment) {
                    Truth::No => {
                        refuted = true;
                        break;
                    }
                    Truth::Yes => {}
                    Truth::Unknown => unknown.push(want.name),
                }
            }
            match (refuted, unknown.is_empty()) {
                (true, _) => {}
                (false, true) => return None,
                (false, false) => assumed.extend(unknown),
            }
        }
        assumed.sort_unstable();
        assumed.dedup();
        Some(assumed)
    }

    /// Every test at a moment of one of its operations, in order.
    pub fn tests(&self, moment: &Moment<'_>) -> Vec<Tested> {
        let Some(at) = self.ops.iter().position(|op| *op == moment.kind()) else { return Vec::new() };
        let wheres = self.wheres.iter().map(|want| (None, want));
        let unless = self.unless.iter().enumerate().flat_map(|(group, wants)| wants.iter().map(move |want| (Some(group), want)));
        let tested = |(unless, want): (Option<usize>, &Want)| Tested { fact: want.name, unless, held: want.holds(at, moment).known() };
        wheres.chain(unless).map(tested).collect()
    }
}

/// Facts that all have to hold, away from any rule's match.
#[derive(Clone, Debug)]
pub struct Condition {
    ops: Vec<OpKind>,
    wants: Vec<Want>,
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        let words = |one: &Self| one.wants.iter().map(|want| (want.name, want.test.clone())).collect::<Vec<_>>();
        self.ops == other.ops && words(self) == words(other)
    }
}

impl Condition {
    /// Reads `{ fact: want }` of a rule about `ops`.
    ///
    /// # Errors
    /// A fact or a value that does not exist.
    pub fn read(node: &Node, ops: &[OpKind]) -> Result<Self, Fault> {
        // What is said for all matches of a rule is read again for each of them.
        let wants = if ops.is_empty() { node.map().map(|_| Vec::new())? } else { read_wants(node, ops)? };
        Ok(Self { ops: ops.to_vec(), wants })
    }

    /// Whether it holds; if not, the first fact that does not, and whether that is because nobody knows.
    ///
    /// # Errors
    /// That fact.
    pub fn holds(&self, moment: &Moment<'_>) -> Result<(), (&'static str, bool)> {
        let Some(at) = self.ops.iter().position(|op| *op == moment.kind()) else { return Ok(()) };
        self.wants.iter().try_for_each(|want| match want.holds(at, moment) {
            Truth::Yes => Ok(()),
            Truth::No => Err((want.name, false)),
            Truth::Unknown => Err((want.name, true)),
        })
    }
}

impl Truth {
    fn of(value: bool) -> Self {
        if value { Self::Yes } else { Self::No }
    }

    fn known(self) -> Option<bool> {
        match self {
            Self::No => Some(false),
            Self::Yes => Some(true),
            Self::Unknown => None,
        }
    }
}

impl Want {
    fn holds(&self, op: usize, moment: &Moment<'_>) -> Truth {
        match (&self.test, (self.facts[op].read)(moment)) {
            (_, Value::Unknown) => Truth::Unknown,
            (Test::Is(wanted), Value::Bool(value)) => Truth::of(*wanted == value),
            (Test::Words(words), Value::Word(word) | Value::Named(word, _)) => Truth::of(words.contains(&word)),
            (Test::Text(patterns), Value::Text(text)) => Truth::of(patterns.iter().any(|pattern| pattern.matches(&text))),
            (Test::Numbers(numbers), Value::Number(number)) => Truth::of(numbers.contains(&number)),
            (Test::Range { at_least, below }, Value::Number(number)) => {
                Truth::of(at_least.is_none_or(|least| number >= least) && below.is_none_or(|below| number < below))
            }
            // The fact gave another kind of value than its row promises: nothing is known, and nothing is silenced.
            (Test::Is(_) | Test::Words(_) | Test::Text(_) | Test::Range { .. } | Test::Numbers(_), _) => Truth::Unknown,
        }
    }
}

impl Pattern {
    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Exactly(wanted) => wanted == text,
            Self::Like(pattern) => like(pattern, text),
        }
    }
}

/// Whether a text fits a pattern in which `*` stands for any text.
pub(super) fn like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

fn read_op(node: &Node) -> Result<OpKind, Fault> {
    let word = node.text()?;
    OpKind::read(word).ok_or_else(|| {
        let near = did_you_mean(word, OpKind::ALL.iter().map(|op| op.word()));
        node.fault(format!("no operation is called `{word}`{near}")).help("`lockkeeper rules --vocabulary` lists them all")
    })
}

fn read_wants(node: &Node, ops: &[OpKind]) -> Result<Vec<Want>, Fault> {
    node.map()?.iter().map(|(key, value)| read_want(key, value, ops)).collect()
}

fn read_want(key: &Node, value: &Node, ops: &[OpKind]) -> Result<Want, Fault> {
    let name = key.text()?;
    let find = |op: &OpKind| facts::find(name, *op).ok_or_else(|| unknown(key, name, *op, &format!("no fact `{name}`")));
    let facts = ops.iter().map(find).collect::<Result<Vec<_>, _>>()?;
    let mut kinds = facts.iter().map(|fact| fact.kind);
    let kind = kinds.next().ok_or_else(|| key.fault("there is no operation to ask"))?;
    if kinds.any(|other| other != kind) {
        return Err(key.fault(format!("`{name}` is not the same kind of fact for all of these operations; make it two matches")));
    }
    let test = match kind {
        Kind::Bool => Test::Is(value.bool()?),
        Kind::Words(words) => Test::Words(value.items().iter().map(|item| read_word(item, name, words)).collect::<Result<_, _>>()?),
        Kind::Number => read_number(value)?,
        Kind::Text => Test::Text(value.items().iter().map(read_pattern).collect::<Result<_, _>>()?),
    };
    Ok(Want { name: facts[0].name, facts, test })
}

/// The fault of asking for a fact that an operation has not.
pub(super) fn unknown(node: &Node, name: &str, op: OpKind, what: &str) -> Fault {
    let known = || facts::of(op).map(|fact| fact.name);
    match did_you_mean(name, known()) {
        near if near.is_empty() => {
            node.fault(format!("`{op}` has {what}")).help(format!("`lockkeeper rules --vocabulary {op}` lists what it has"))
        }
        near => node.fault(format!("`{op}` has {what}{near}")),
    }
}

fn read_word(node: &Node, name: &str, words: &'static [&'static str]) -> Result<&'static str, Fault> {
    let word = node.text()?;
    words.iter().copied().find(|known| *known == word).ok_or_else(|| {
        let near = did_you_mean(word, words.iter().copied());
        node.fault(format!("`{name}` is never `{word}`{near}")).help(format!("`{name}` is one of: {}", words.join(", ")))
    })
}

fn read_number(node: &Node) -> Result<Test, Fault> {
    let What::Map(_) = node.what else {
        return Ok(Test::Numbers(node.items().iter().map(Node::number).collect::<Result<_, _>>()?));
    };
    let (at_least, below) = read_range(node)?;
    Ok(Test::Range { at_least, below })
}

/// Reads `{ at_least: 14, below: 18 }`.
pub(super) fn read_range(node: &Node) -> Result<(Option<i64>, Option<i64>), Fault> {
    let fields = RANGE.fields(node)?;
    let bound = |key| fields.get(key).map(Node::number).transpose();
    match (bound("at_least")?, bound("below")?) {
        (None, None) => Err(node.fault("a range needs `at_least` or `below`")),
        range => Ok(range),
    }
}

fn read_pattern(node: &Node) -> Result<Pattern, Fault> {
    match &node.what {
        What::Map(_) => Ok(Pattern::Like(LIKE.fields(node)?.need("like")?.text()?.to_owned())),
        _ => Ok(Pattern::Exactly(node.text()?.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::like;

    #[test]
    fn a_star_stands_for_any_text() {
        assert!(like("tmp_*", "tmp_orders") && like("*_old", "orders_old") && like("a*b*c", "a__b__c") && like("orders", "orders"));
        assert!(!like("tmp_*", "orders") && !like("*_old", "older") && !like("a*b*c", "a_c") && !like("orders", "orders_old"));
    }
}
