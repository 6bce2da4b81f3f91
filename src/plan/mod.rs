//! What to run instead of a statement that stops traffic or breaks running code: a plan of phases, each of them a file.
//!
//! A recipe makes a plan out of the statement and of the catalog before it. The same plan is made again when its files are judged: a
//! statement that a phase prescribes is told from one that somebody has changed by comparing the two, see [`header`].

pub mod ask;
pub mod backfill;
pub mod belongings;
pub mod bound;
pub mod clauses;
pub mod definition;
mod expression;
pub mod header;
pub mod mirror;
pub mod index;
pub mod names;
pub mod recipe;
pub mod statement;

use crate::rule::recipe::Recipe;
pub use ask::{Ask, Refusal};

/// Phases to run, one after the other, instead of a statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What its files are called together: `rename-users-email`.
    pub name: String,
    /// What made it.
    pub recipe: Recipe,
    /// The statements that it stands for, on one line.
    pub instead_of: String,
    /// In their order.
    pub phases: Vec<Phase>,
    /// What the plan cannot do, and why.
    pub manual: Vec<Manual>,
    /// Where its end differs from that of the statement, in words; each thing that differs stands in backquotes, by its name.
    pub differs: Vec<String>,
}

/// One phase: one file, and what has to be true before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Phase {
    /// A few words, of which the file's name is made: `add email_address`.
    pub title: String,
    /// What kind of phase.
    pub stage: Stage,
    /// What it does, and why here, in a sentence.
    pub why: String,
    /// What the application does meanwhile, in a sentence.
    pub meanwhile: String,
    /// What has to be deployed before it.
    pub deploy: Option<String>,
    /// How long to wait after the phase before, in hours.
    pub wait_hours: Option<u32>,
    /// A query of one truth value that has to be true before it.
    pub assert: Option<String>,
    /// How its statements are put into transactions.
    pub runs: Runs,
    /// Of a backfill: its batches.
    pub batches: Option<Batches>,
    /// What is run.
    pub up: Vec<Line>,
    /// What undoes it.
    pub down: Down,
    /// Queries that show that it worked, each of one truth value.
    pub verify: Vec<String>,
}

/// The kinds of phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Adds, and breaks nothing.
    Expand,
    /// Fills rows, in batches.
    Backfill,
    /// Brings the new up to what the old was: indexes, constraints, proofs.
    Migrate,
    /// Takes away, or changes places, when nothing needs the old any more.
    Contract,
}

/// How the statements of a phase are put into transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runs {
    /// All together in one, behind a `lock_timeout`.
    InTransaction,
    /// It is a single statement, and PostgreSQL wants no transaction block around it.
    Alone,
}

/// The batches of a backfill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batches {
    /// The columns by which rows are walked through, as SQL writes them.
    pub key: Vec<String>,
    /// Rows in one batch.
    pub size: u32,
}

/// A statement of a phase, without its semicolon.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The statement.
    pub sql: String,
    /// The rules that would speak of it, and must not where the phases before it have been run.
    pub accepts: &'static [&'static str],
    /// Whether later phases rest on it: one that somebody has changed leaves them without their exemptions.
    pub needed: bool,
}

/// What undoes a phase.
#[derive(Clone, Debug, PartialEq)]
pub enum Down {
    /// Statements, in the order in which they run; none if there is nothing to undo.
    Sql(Vec<String>),
    /// There is no way back, and this is why.
    Nothing(String),
}

/// Something that a plan cannot do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manual {
    /// The thing: `view public.paid_orders`.
    pub thing: String,
    /// What to do with it, and why the plan does not.
    pub what: String,
}

impl Stage {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Expand => "expand",
            Self::Backfill => "backfill",
            Self::Migrate => "migrate",
            Self::Contract => "contract",
        }
    }
}

impl Phase {
    /// A phase that does nothing yet.
    pub fn new(stage: Stage, title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            stage,
            why: String::new(),
            meanwhile: String::new(),
            deploy: None,
            wait_hours: None,
            assert: None,
            runs: Runs::InTransaction,
            batches: None,
            up: Vec::new(),
            down: Down::Sql(Vec::new()),
            verify: Vec::new(),
        }
    }

    /// What it does, and why here.
    #[must_use]
    pub fn why(self, why: impl Into<String>) -> Self {
        Self { why: why.into(), ..self }
    }

    /// What the application does meanwhile.
    #[must_use]
    pub fn meanwhile(self, meanwhile: impl Into<String>) -> Self {
        Self { meanwhile: meanwhile.into(), ..self }
    }

    /// What has to be deployed before it.
    #[must_use]
    pub fn deploy(self, deploy: impl Into<String>) -> Self {
        Self { deploy: Some(deploy.into()), ..self }
    }

    /// How long to wait after the phase before.
    #[must_use]
    pub fn wait_hours(self, hours: u32) -> Self {
        Self { wait_hours: Some(hours), ..self }
    }

    /// What has to be true before it.
    #[must_use]
    pub fn assert(self, query: impl Into<String>) -> Self {
        Self { assert: Some(query.into()), ..self }
    }

    /// It is one statement that runs outside a transaction block.
    #[must_use]
    pub fn alone(self) -> Self {
        Self { runs: Runs::Alone, ..self }
    }

    /// A further statement.
    #[must_use]
    pub fn run(self, sql: impl Into<String>) -> Self {
        self.run_accepting(sql, &[])
    }

    /// A further statement, of which these rules would speak.
    #[must_use]
    pub fn run_accepting(mut self, sql: impl Into<String>, accepts: &'static [&'static str]) -> Self {
        self.up.push(Line { sql: sql.into(), accepts, needed: true });
        self
    }

    /// It locks two tables, which code locks in any order: from here on it gives up before PostgreSQL would look for a deadlock.
    #[must_use]
    pub fn gives_way(mut self) -> Self {
        self.up.push(Line { sql: mirror::GIVE_WAY.to_owned(), accepts: &[], needed: false });
        self
    }

    /// A further statement that undoes it, behind those that were said before.
    #[must_use]
    pub fn back(mut self, sql: impl Into<String>) -> Self {
        match &mut self.down {
            Down::Sql(statements) => statements.push(sql.into()),
            Down::Nothing(_) => self.down = Down::Sql(vec![sql.into()]),
        }
        self
    }

    /// Nothing undoes it.
    #[must_use]
    pub fn no_way_back(self, why: impl Into<String>) -> Self {
        Self { down: Down::Nothing(why.into()), ..self }
    }

    /// A query of one truth value that shows that it worked.
    #[must_use]
    pub fn verify(mut self, query: impl Into<String>) -> Self {
        self.verify.push(query.into());
        self
    }
}
