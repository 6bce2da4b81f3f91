//! Findings, and what a run of the linter gives: a [`Report`].

use crate::model::effects::{self, Effects, Lock, Version};
use crate::model::lock::{Blocked, Blocks};
use crate::model::session::{Held, Opener, TransactionMode};
use crate::model::sizes::Estimate;
use crate::problem::Problem;
use crate::rule::recipe::Recipe;
use crate::rule::{Class, Severity};
use crate::sql::Reading;
use crate::text::{SourceFile, Span};
use crate::tool::Tool;
use std::path::PathBuf;
use std::sync::Arc;

/// Everything that a run gives.
#[derive(Debug)]
pub struct Report {
    /// The server that was judged for.
    pub server: Version,
    /// The migrations that were judged, in their order; history is not among them.
    pub migrations: Vec<Assessed>,
    /// What could not be read or judged at all.
    pub problems: Vec<Problem>,
}

/// One migration, judged.
#[derive(Debug)]
pub struct Assessed {
    /// The file.
    pub source: Arc<SourceFile>,
    /// Its version, as the file's name says.
    pub version: Option<String>,
    /// What undoes a migration stands behind it, if there is a finding in it.
    pub part: Part,
    /// The tool that it was read for, as far as anything told.
    pub tool: Option<Tool>,
    /// All new files of its tool share its transaction, and its locks last until the last of them has run.
    pub shared_transaction: bool,
    /// How its statements are put into transactions.
    pub transaction: TransactionMode,
    /// The worst class of its statements, as written.
    pub class: Class,
    /// The same if every suggested fix is applied.
    pub class_with_fixes: Class,
    /// The baseline has that class, and the SQL is what it was then.
    pub class_in_baseline: bool,
    /// Its statements, in order.
    pub statements: Vec<Judged>,
    /// Its findings, by place.
    pub findings: Vec<Finding>,
}

impl Assessed {
    /// The findings that count.
    pub fn open(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.allowed.is_none())
    }

    /// Those that a comment allows, with its reason.
    pub fn allowed(&self) -> impl Iterator<Item = (&Finding, &str)> {
        self.findings.iter().filter_map(|finding| match &finding.allowed {
            Some(Allowance::Comment { reason, .. }) => Some((finding, reason.as_str())),
            Some(Allowance::Baseline) | None => None,
        })
    }
}

/// One statement, judged.
#[derive(Debug)]
pub struct Judged {
    /// Where it stands.
    pub span: Span,
    /// How much of it could be read.
    pub reading: Reading,
    /// The words of its operations, each once, in order (`create_index`).
    pub operations: Vec<&'static str>,
    /// What it does on the server, what its body does included.
    pub effects: Effects,
    /// Whether reads wait for it, and writes, over all relations that existed before the migration.
    pub blocks: Blocks,
    /// How it runs among the others of its file.
    pub course: Course,
    /// How long they wait, if `--stats` tells how large the tables are.
    pub estimate: Option<Estimate>,
    /// Whether data goes that was there before the migration.
    pub destroys: bool,
    /// As written.
    pub class: Class,
    /// With the suggested fixes.
    pub class_with_fixes: Class,
    /// The statements of the bodies that it runs, in order. The findings about them are the statement's own.
    pub body: Vec<Judged>,
    /// Whether it may not run: it stands in a body, under a condition.
    pub conditional: bool,
}

/// How a statement runs among the others of its file: for how long, what it stops, and in which transaction.
#[derive(Clone, Debug)]
pub struct Course {
    /// How long it takes: brief is a change of the catalog, long grows with a table that others may be using.
    pub takes: Blocked,
    /// Of its locks those for which reads or writes wait: on relations that others may be using. Where a table is locked as strongly as one
    /// of its indexes, the table stands for both.
    pub stops: Vec<Lock>,
    /// The transaction that it shares with other statements.
    pub transaction: Option<Within>,
    /// The strongest lock that this transaction holds already on a relation that others may be using; by the index of a statement of the file.
    pub held: Option<Held>,
}

/// The transaction of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Within {
    /// Index of its first statement in the file, its BEGIN included.
    pub start: usize,
    /// Who opened it.
    pub opener: Opener,
}

impl Course {
    /// Adds what a statement of its body does.
    fn add(&mut self, inner: &Self) {
        self.takes = self.takes.max(inner.takes);
        for lock in &inner.stops {
            match self.stops.iter_mut().find(|known| known.relation == lock.relation) {
                Some(known) => known.mode = known.mode.max(lock.mode),
                None => self.stops.push(lock.clone()),
            }
        }
    }
}

impl Judged {
    /// Adds what its body does.
    pub(super) fn add_body(&mut self) {
        for inner in &self.body {
            self.course.add(&inner.course);
            self.blocks = Blocks { reads: self.blocks.reads.max(inner.blocks.reads), writes: self.blocks.writes.max(inner.blocks.writes) };
            self.estimate = [self.estimate, inner.estimate].into_iter().flatten().max_by(|a, b| a.seconds.cmp(&b.seconds));
            self.destroys |= inner.destroys;
            self.class = self.class.max(inner.class);
            self.class_with_fixes = self.class_with_fixes.max(inner.class_with_fixes);
            if inner.reading != Reading::Full {
                self.reading = Reading::Partial;
            }
        }
        if !self.body.is_empty() {
            let each: Vec<_> = std::iter::once(&self.effects).chain(self.body.iter().map(|inner| &inner.effects)).cloned().collect();
            self.effects = effects::union(&each);
        }
    }
}

/// Which way a migration goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It is applied.
    Up,
    /// It is undone.
    Down,
}

impl Part {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// One finding.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule's id.
    pub rule: String,
    /// Which way its SQL goes.
    pub part: Part,
    /// As the rule or the config says.
    pub severity: Severity,
    /// What the finding makes of the migration.
    pub class: Class,
    /// Index of its statement in the file; `None` for the file as a whole.
    pub statement: Option<usize>,
    /// Where.
    pub span: Span,
    /// What stands in its statement before the first operation, or nothing: `ALTER TABLE orders`.
    pub(super) head: Span,
    /// The thing, then the harm, in one line.
    pub message: String,
    /// Why it is so: a paragraph.
    pub why: Arc<str>,
    /// Facts that the history did not tell and that were taken at their worst.
    pub assumed: Vec<String>,
    /// Why it does not count, if it does not.
    pub allowed: Option<Allowance>,
    /// Stays the same when other lines of the file change: 16 hexadecimal digits.
    pub fingerprint: String,
    /// What remains of the class if its fix is applied; `None`: it has none.
    pub class_with_fix: Option<Class>,
    /// What to do instead, where that is known and wanted.
    pub suggestion: Option<Suggestion>,
}

impl Finding {
    /// Takes out what no report of the file may show. An edit that would write it is not offered.
    pub(super) fn hide(&mut self, source: &SourceFile) {
        let clean = |text: &mut String| *text = source.without_hidden(text).into_owned();
        clean(&mut self.message);
        self.why = source.without_hidden(&self.why).into();
        if let Some(suggestion) = &mut self.suggestion {
            clean(&mut suggestion.title);
            suggestion.steps.iter_mut().for_each(|step| clean(&mut step.text));
            let shows = |text: &str| source.without_hidden(text) != text;
            if suggestion.edits.iter().any(|edit| shows(&edit.text)) || suggestion.files.iter().any(|file| shows(&file.text)) {
                (suggestion.edits, suggestion.files) = (Vec::new(), Vec::new());
                suggestion.not_offered = Some("it would write a secret that the file has".to_owned());
            }
        }
    }
}

/// Why a finding does not count.
#[derive(Clone, Debug, PartialEq)]
pub enum Allowance {
    /// An `-- lockkeeper: allow RULE because REASON` covers it.
    Comment {
        /// The reason that was given.
        reason: String,
        /// Where the comment stands.
        span: Span,
    },
    /// It is in the baseline: it was there before anybody looked.
    Baseline,
}

impl Allowance {
    /// Why, in words that may follow `because`.
    pub fn reason(&self) -> &str {
        match self {
            Self::Comment { reason, .. } => reason,
            Self::Baseline => "it is in the baseline",
        }
    }
}

/// What to do instead.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggestion {
    /// The class that remains.
    pub class: Class,
    /// Whether it may be applied unseen.
    pub safety: Safety,
    /// The end is not where the statement would have ended.
    pub ends_elsewhere: bool,
    /// One line.
    pub title: String,
    /// Changes to the same file; empty if the fix is more than an edit.
    pub edits: Vec<Edit>,
    /// Why the edits that the rule knows are not offered here.
    pub not_offered: Option<String>,
    /// The steps of a fix that needs several releases, in words and SQL.
    pub steps: Vec<Advice>,
    /// New files.
    pub files: Vec<NewFile>,
    /// What makes a plan of the whole change: `lockkeeper plan` prints it.
    pub recipe: Option<Recipe>,
}

/// Whether a suggestion may be applied unseen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Safety {
    /// The same end state.
    Safe,
    /// Somebody has to look at it.
    Review,
}

/// A change of a span's text.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// What is replaced; empty to insert.
    pub span: Span,
    /// What stands there afterwards.
    pub text: String,
}

/// One step of a fix.
#[derive(Clone, Debug, PartialEq)]
pub struct Advice {
    /// `expand`, `backfill`, `deploy`, `contract`, `run`.
    pub phase: String,
    /// SQL, or words for a deploy.
    pub text: String,
}

/// A file to add.
#[derive(Clone, Debug, PartialEq)]
pub struct NewFile {
    /// Beside the migration.
    pub path: PathBuf,
    /// Its whole text.
    pub text: String,
}
