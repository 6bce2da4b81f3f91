//! The moment at which an operation is judged: everything a fact may look at.

use super::budget::Budget;
use super::story::Story;
use crate::model::catalog::{Catalog, Step};
use crate::model::effects::{Effects, Version};
use crate::model::kind::OpKind;
use crate::model::lock::{Blocks, LockMode};
use crate::model::name::QualifiedName;
use crate::model::operation::Operation;
use crate::model::session::{Held, Session};
use crate::model::sizes::Sizes;
use crate::rule::altered::Altered;
use crate::rule::elsewhere::Elsewhere;
use crate::rule::naming::Naming;
use crate::rule::outline::Outline;
use crate::rule::turnover::Turnover;
use crate::sql::broken_text::BrokenText;
use crate::sql::remark::{Remark, RemarkKind};
use crate::sql::{Nesting, Statement};
use crate::text::{Located, SourceFile, Span};
use std::ops::Range;
use std::sync::Arc;

/// Everything a fact may look at.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    /// What is judged.
    pub subject: Subject<'a>,
    /// The index of its statement in the file; `None` for the file as a whole.
    pub index: Option<usize>,
    /// All statements of the file; behind each one those of the bodies that it runs.
    pub file: &'a [Statement],
    /// What they do, by thing and by name.
    pub elsewhere: &'a Elsewhere<'a>,
    /// The file's text.
    pub source: &'a SourceFile,
    /// The migration's place in the replayed order.
    pub step: Step,
    /// The schema before this operation.
    pub before: &'a Catalog,
    /// The schema after the last migration that is known.
    pub end: &'a Catalog,
    /// The connection before this statement.
    pub session: &'a Session,
    /// What the open transaction holds from earlier statements.
    pub holding: &'a Holding,
    /// What the statement right before did, if that was an ALTER TABLE.
    pub previous: Option<&'a Altered>,
    /// What the migrations have done up to this operation.
    pub story: &'a Story,
    /// What all of them have done at the end.
    pub ahead: &'a Story,
    /// What this operation brings.
    pub effects: &'a Effects,
    /// What the whole statement brings.
    pub statement_effects: &'a Effects,
    /// The major version that is judged for.
    pub server: Version,
    /// Facts about the file as a whole and about its neighbours.
    pub migration: &'a Surroundings,
    /// Whether the file is a phase of a plan.
    pub planned: Planned,
}

/// Whether a file is a phase of a plan, as its header says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Planned {
    /// It does not say so.
    #[default]
    No,
    /// It is.
    Kept,
    /// A statement that later phases rest on is missing or was changed.
    Changed,
    /// The phases before it are not in the history, or not as the plan has them.
    Early,
    /// Its plan cannot be made again: of its statement, on the schema before it.
    Unmade,
}

/// What the open transaction holds, from earlier statements, of relations that others use.
#[derive(Clone, Debug, Default)]
pub struct Holding {
    /// The strongest lock; of equally strong ones the one that says most: the first on a table, else on an index.
    pub strongest: Option<Held>,
}

impl Holding {
    /// The strongest lock, if that is ACCESS EXCLUSIVE.
    pub fn exclusive(&self) -> Option<&Held> {
        self.strongest.as_ref().filter(|held| held.lock.mode == LockMode::AccessExclusive)
    }
}

/// What is judged: one thing that rules are filed under.
#[derive(Clone, Copy)]
pub enum Subject<'a> {
    /// An operation of a statement.
    Operation(&'a Located<Operation>),
    /// The file as a whole.
    Migration,
    /// A place in the file that is no text.
    BrokenText(BrokenText),
    /// A secret in a statement, or a name that the server cuts.
    Remark(&'a Remark),
    /// A statement as a whole, after its operations: whether one of them gave a finding that tells how others are blocked, and how they are.
    Statement {
        /// A finding of one of its operations has the class that the statement's effects have, or a worse one.
        explained: bool,
        /// Who waits for it.
        blocks: Blocks,
    },
    /// A suppression comment, one for each rule that it names.
    Allowance(&'a Allowed<'a>),
    /// What the suppression comments of another linter come to in a file.
    ForeignAllowance(&'a ForeignAllowed<'a>),
    /// A release as a whole, behind the last of its files.
    Release(&'a Budget),
}

/// What became of one rule id in a suppression comment.
#[derive(Clone, Debug)]
pub struct Allowed<'a> {
    /// The word behind `lockkeeper:`, and whether it is one that is understood; if not, the nearest one, if any is near.
    pub word: (&'a str, Result<(), Option<&'a str>>),
    /// The rule as the comment writes it.
    pub rule: &'a str,
    /// Whether a rule has this id or alias; if none has, the nearest one, if any is near.
    pub known: Result<(), Option<&'a str>>,
    /// `because ...`; `None` if it was left out.
    pub reason: Option<&'a str>,
    /// How many findings it covers.
    pub covers: usize,
    /// `allow-file` rather than `allow`.
    pub whole_file: bool,
    /// The comment.
    pub span: Span,
}

/// What suppression comments of another linter come to: one for all comments of a file of which the same is to be said.
#[derive(Clone, Debug)]
pub struct ForeignAllowed<'a> {
    /// The linter, as its users call it.
    pub linter: &'static str,
    /// The first of the comments, its first line without the dashes.
    pub comment: &'a str,
    /// What they come to.
    pub comes_to: ComesTo<'a>,
    /// The first of them.
    pub span: Span,
}

/// What a suppression comment of another linter comes to here.
#[derive(Clone, Debug)]
pub enum ComesTo<'a> {
    /// It allows findings; how it would read in our words.
    Allows {
        /// The comment in our words.
        words: String,
    },
    /// It names rules that have no counterpart here.
    NoCounterpart {
        /// Those of all comments.
        rules: Vec<&'static str>,
        /// Why the first one has none.
        why: &'static str,
    },
    /// It names a rule that the other linter does not have, and the nearest one that it has, if any is near.
    Unknown {
        /// As written.
        rule: &'a str,
        /// What may be meant.
        near: Option<&'static str>,
    },
    /// It names no rule, and allows nothing there either.
    Nothing,
}

impl<'a> Moment<'a> {
    /// The operation that is judged, if it is one.
    pub fn operation(&self) -> Option<&'a Operation> {
        match self.subject {
            Subject::Operation(operation) => Some(&operation.what),
            Subject::Statement { .. }
            | Subject::Migration
            | Subject::Remark(_)
            | Subject::BrokenText(_)
            | Subject::Allowance(_)
            | Subject::ForeignAllowance(_)
            | Subject::Release(_) => None,
        }
    }

    /// The statement it belongs to.
    pub fn statement(&self) -> Option<&'a Statement> {
        self.index.map(|index| &self.file[index])
    }

    /// What the file does elsewhere, by thing.
    pub fn outline(&self) -> &'a Outline {
        self.elsewhere.outline()
    }

    /// The names that the file gives and takes away.
    pub fn turnover(&self) -> &'a Turnover {
        self.elsewhere.turnover()
    }

    /// The statements behind this one, by index, that run in the same transaction; none if none is open.
    pub fn rest_of_transaction(&self) -> Range<usize> {
        let next = self.index.map_or(0, |here| here + 1);
        if self.session.in_transaction() { self.outline().rest_of_transaction(next) } else { next..next }
    }

    /// The statements of the open transaction before this one, by index.
    pub fn earlier_in_transaction(&self) -> Range<usize> {
        let here = self.index.unwrap_or(0);
        self.session.transaction_start().unwrap_or(here).min(here)..here
    }

    /// Where in a body it stands; `None`: in the file itself.
    pub fn nesting(&self) -> Option<&'a Nesting> {
        self.statement()?.nesting.as_deref()
    }

    /// The text that something in its operation points to.
    pub fn text(&self, span: Span) -> String {
        let code = self.nesting().and_then(|nesting| nesting.code.as_deref());
        code.unwrap_or(self.source).text(span).into_owned()
    }

    /// Where a finding about it points to.
    pub fn place(&self) -> Span {
        match self.subject {
            Subject::Operation(operation) => operation.span,
            Subject::Statement { .. } => self.statement().map_or(Span::default(), |statement| statement.span),
            // The file as a whole stands at its first statement.
            Subject::Migration | Subject::Release(_) => {
                self.file.first().map_or(Span::default(), |first| Span::new(first.span.start, first.span.start))
            }
            Subject::BrokenText(broken) => broken.span,
            Subject::Remark(remark) => remark.span,
            Subject::Allowance(allowed) => allowed.span,
            Subject::ForeignAllowance(foreign) => foreign.span,
        }
    }

    /// The word for what is judged.
    pub fn kind(&self) -> OpKind {
        match self.subject {
            Subject::Operation(operation) => operation.what.kind(),
            Subject::Statement { .. } => OpKind::Statement,
            Subject::Migration => OpKind::Migration,
            Subject::BrokenText(_) => OpKind::BrokenText,
            Subject::Remark(Remark { what: RemarkKind::Secret(_), .. }) => OpKind::Secret,
            Subject::Remark(Remark { what: RemarkKind::LongName(_), .. }) => OpKind::LongName,
            Subject::Allowance(_) => OpKind::Allowance,
            Subject::ForeignAllowance(_) => OpKind::ForeignAllowance,
            Subject::Release(_) => OpKind::Release,
        }
    }
}

/// Facts about a migration as a whole and about its neighbours.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// What is wrong with its place in the order, if anything.
    pub order: Order,
    /// The newest version of the base branch, where it is [`Order::Behind`] that.
    pub base_version: Option<String>,
    /// How many later migrations are known, those of its own release not among them: a constraint may still be validated there.
    pub later: usize,
    /// Tables (as stored, with schema) of which the config says that somebody always uses them.
    pub hot_tables: Arc<[QualifiedName]>,
    /// Its history begins with an empty database because somebody has said so: what no file makes does not exist.
    pub told_whole: bool,
    /// Whether psql runs the files.
    pub psql: PsqlCommands,
    /// The version that the file's name says.
    pub version: Option<String>,
    /// The rest of that name.
    pub name: String,
    /// The file begins with a comment that tells something.
    pub header: bool,
    /// Whether it can be undone.
    pub way_back: WayBack,
    /// How the project calls things.
    pub naming: Arc<Naming>,
    /// How large tables are.
    pub sizes: Arc<Sizes>,
}

/// Whether a migration can be undone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WayBack {
    /// A file or a part of it undoes it.
    There,
    /// Nothing does, though nearly all of those right before it can be undone.
    Missing,
    /// Nothing does, and that is not unusual here.
    #[default]
    NotUsual,
}

/// What is wrong with a migration's place in the order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Nothing.
    #[default]
    Fine,
    /// Another file has the same version.
    Duplicate,
    /// Its version's width differs from its neighbours', so that runners that compare text order it elsewhere.
    MixedWidth,
    /// A strict sequence leaves out the number before it.
    Gap,
    /// Its timestamp lies in the future.
    Future,
    /// It is new, and older by its version than what the base branch has already.
    Behind,
    /// The base branch has it with another text.
    Edited,
    /// The base branch has it, and it is no more.
    Gone,
}

/// Whether psql runs the files, as the config says: only psql knows its meta-commands and feeds COPY from the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PsqlCommands {
    /// Nothing tells.
    #[default]
    Untold,
    /// psql runs them.
    Allowed,
    /// Something else does.
    Refused,
}
