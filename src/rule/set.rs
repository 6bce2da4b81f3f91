//! The rules of a run: the embedded ones and the project's own, found by id, by alias, or by operation.

use super::example::Examples;
use super::file::Rule;
use super::{Preset, Severity};
use crate::model::kind::OpKind;
use crate::problem::Problem;
use crate::text::SourceFile;
use foldhash::{HashMap, HashMapExt};
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

/// A rule as `src/build.rs` embeds it.
struct Embedded {
    id: &'static str,
    aliases: &'static [&'static str],
    ops: &'static [&'static str],
    text: &'static str,
}

static EMBEDDED: &[Embedded] = include!(concat!(env!("OUT_DIR"), "/rules.rs"));

/// The rules of a run.
#[derive(Debug)]
pub struct RuleSet {
    entries: Vec<Entry>,
    by_name: HashMap<Cow<'static, str>, Vec<usize>>,
    by_kind: Vec<Vec<usize>>,
}

/// A rule in its set.
#[derive(Debug)]
pub struct Entry {
    /// Its id.
    pub id: String,
    /// What other tools call it.
    pub aliases: Vec<Cow<'static, str>>,
    text: Text,
    level: Level,
    rule: OnceLock<Result<Rule, Problem>>,
}

#[derive(Debug)]
enum Text {
    Embedded(&'static str),
    Own(Arc<SourceFile>),
}

/// What the config makes of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    AsWritten,
    On,
    Off,
    At(Severity),
}

impl RuleSet {
    /// The rules that lockkeeper brings.
    pub fn embedded() -> Self {
        let mut set = Self {
            entries: Vec::with_capacity(EMBEDDED.len()),
            by_name: HashMap::with_capacity(4 * EMBEDDED.len()),
            by_kind: vec![Vec::new(); OpKind::ALL.len()],
        };
        for rule in EMBEDDED {
            let aliases = rule.aliases.iter().map(|alias| Cow::Borrowed(*alias)).collect();
            let ops = rule.ops.iter().filter_map(|word| OpKind::read(word));
            set.insert(Cow::Borrowed(rule.id), aliases, ops, Text::Embedded(rule.text), OnceLock::new());
        }
        set
    }

    /// Adds a rule of the project's own.
    ///
    /// # Errors
    /// What is wrong with its file, or that a rule of that name exists.
    pub fn add(&mut self, source: Arc<SourceFile>) -> Result<(), Problem> {
        let rule = Rule::read(&source)?;
        if self.by_name.contains_key(rule.id.as_str()) {
            let message = format!("there is a rule called `{}` already", rule.id);
            return Err(Problem::new("rule::name-taken", message).help("call the file otherwise").about(source.path()));
        }
        let (id, ops) = (rule.id.clone(), rule.ops());
        let aliases = rule.aliases.iter().cloned().map(Cow::Owned).collect();
        self.insert(Cow::Owned(id), aliases, ops.into_iter(), Text::Own(source), OnceLock::from(Ok(rule)));
        Ok(())
    }

    /// Lets a rule weigh otherwise than its file says, or with `None` lets it say nothing. False if no rule has this id or alias.
    pub fn switch(&mut self, name: &str, to: Option<Severity>) -> bool {
        let Some(rules) = self.by_name.get(name) else { return false };
        for at in rules {
            self.entries[*at].level = to.map_or(Level::Off, Level::At);
        }
        true
    }

    /// What is to be done while a rule speaks even if it is off by default: to run or to show its examples. `None` if there is no such rule.
    pub fn while_on<T>(&mut self, name: &str, what: impl FnOnce(&Entry, &Self) -> T) -> Option<T> {
        let at = *self.by_name.get(name)?.first()?;
        let level = self.entries[at].level;
        self.entries[at].turn_on();
        let result = what(&self.entries[at], self);
        self.entries[at].level = level;
        Some(result)
    }

    /// Lets the rules of a preset speak, unless something else is said of one.
    pub fn turn_on_preset(&mut self, preset: Preset) {
        let of_preset = |entry: &&mut Entry| entry.rule().is_ok_and(|rule| rule.preset == Some(preset));
        self.entries.iter_mut().filter(of_preset).for_each(Entry::turn_on);
    }

    /// The rule of an id, or the first one of an alias.
    pub fn find(&self, name: &str) -> Option<&Entry> {
        self.named(name).next()
    }

    /// The rule of an id, or the rules of an alias: what is one rule elsewhere may be several here.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &Entry> {
        self.by_name.get(name).into_iter().flatten().map(|at| &self.entries[*at])
    }

    /// All rules, by id.
    pub fn all(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Every id and alias.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(|name| &**name)
    }

    /// The rules that may speak about an operation.
    pub fn about(&self, kind: OpKind) -> impl Iterator<Item = &Entry> {
        self.by_kind[kind as usize].iter().map(|at| &self.entries[*at]).filter(|entry| entry.level != Level::Off)
    }

    /// What is wrong with those that have been asked for and cannot be read.
    pub fn broken(&self) -> impl Iterator<Item = &Problem> {
        self.entries.iter().filter_map(|entry| entry.rule.get()?.as_ref().err())
    }

    fn insert(
        &mut self,
        id: Cow<'static, str>,
        aliases: Vec<Cow<'static, str>>,
        ops: impl Iterator<Item = OpKind>,
        text: Text,
        rule: OnceLock<Result<Rule, Problem>>,
    ) {
        let at = self.entries.len();
        for name in std::iter::once(&id).chain(&aliases) {
            self.by_name.entry(name.clone()).or_default().push(at);
        }
        for op in ops {
            let rules = &mut self.by_kind[op as usize];
            if !rules.contains(&at) {
                rules.push(at);
            }
        }
        self.entries.push(Entry { id: id.into_owned(), aliases, text, level: Level::AsWritten, rule });
    }
}

impl Entry {
    /// The rule, read when it is first asked for.
    ///
    /// # Errors
    /// What is wrong with its file.
    pub fn rule(&self) -> Result<&Rule, &Problem> {
        self.rule.get_or_init(|| Rule::read(&self.source_until("\nexamples:"))).as_ref()
    }

    /// Its examples.
    ///
    /// # Errors
    /// What is wrong with its file.
    pub fn examples(&self) -> Result<Examples, Problem> {
        Rule::read_examples(&self.source())
    }

    /// Its file.
    pub fn source(&self) -> Arc<SourceFile> {
        self.source_until("\0")
    }

    /// What the config says of its weight; `None`: nothing.
    pub fn overridden(&self) -> Option<Severity> {
        match self.level {
            Level::At(severity) => Some(severity),
            Level::AsWritten | Level::On | Level::Off => None,
        }
    }

    /// Whether it speaks: the config does not turn it off, and turns it on if it is one of those that have to be.
    pub fn is_on(&self) -> bool {
        match self.level {
            Level::On | Level::At(_) => true,
            Level::Off => false,
            Level::AsWritten => self.rule().is_ok_and(|rule| !rule.opt_in),
        }
    }

    fn turn_on(&mut self) {
        if self.level == Level::AsWritten {
            self.level = Level::On;
        }
    }

    fn source_until(&self, end: &str) -> Arc<SourceFile> {
        match &self.text {
            Text::Embedded(text) => {
                let text = text.split(end).next().unwrap_or_default();
                SourceFile::new(format!("rules/{}.yaml", self.id), text)
            }
            Text::Own(source) => Arc::clone(source),
        }
    }
}
