//! Findings and classes out of migrations: reads all files, replays each history, and judges its subjects on the way.

mod classify;
pub mod example;
pub mod finding;
mod fingerprint;
pub mod fix;
mod foreign;
mod holding;
mod judge;
mod planned;
#[cfg(test)]
mod plan_tests;
pub mod planner;
pub mod show;
pub mod standing;
mod suggest;
mod suppress;
mod unfold;
mod way_down;
#[cfg(test)]
mod tests;

use crate::config::Config;
use crate::discover::{Discovered, History, Migration, Role, Unit};
use crate::model::catalog::Catalog;
use crate::model::effects::{self, Effects, InTransaction, Version};
use crate::model::kind::OpKind;
use crate::model::operation::{Operation, SettingValue};
use crate::model::session::{Opener, Session, Timeout, TransactionMode};
use crate::problem::Problem;
use crate::rule::Severity;
use crate::rule::budget::Budget;
use crate::rule::moment::Order;
use crate::rule::set::RuleSet;
use crate::rule::story::{Story, Telling};
use crate::sql::remark::{Remark, RemarkKind};
use crate::sql::{self, Script, Statement};
use crate::text::Located;
use finding::{Assessed, Report};
pub use fingerprint::hash;
pub use judge::Watch;
use judge::{Judge, Neighbours};
use planned::Plans;
use rayon::prelude::*;
use std::borrow::Cow;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// What a run judges by.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    /// The rules.
    pub rules: &'a RuleSet,
    /// What the project says about itself.
    pub config: &'a Config,
    /// The server's major version.
    pub server: Version,
}

/// Which findings say what to do instead. To put that into the bytes of a file takes longer than to find what is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Suggest {
    /// None.
    Nothing,
    /// Errors and warnings.
    AboveAdvice,
    /// All that know it.
    All,
}

impl Suggest {
    fn is_wanted(self, severity: Severity) -> bool {
        match self {
            Self::All => true,
            Self::AboveAdvice => severity > Severity::Advice,
            Self::Nothing => false,
        }
    }
}

/// Judges everything that was found, with all suggestions.
pub fn run(discovered: Discovered, settings: &Settings<'_>) -> Report {
    judged(discovered, Asked { settings, suggest: Suggest::All, every: false, downs: false, watch: &|_| {} })
}

/// Judges everything that was found, and what undoes it, with no more suggestions than are wanted. Nothing else of the report depends on
/// them.
pub fn run_for(discovered: Discovered, settings: &Settings<'_>, suggest: Suggest) -> Report {
    judged(discovered, Asked { settings, suggest, every: false, downs: true, watch: &|_| {} })
}

/// Judges everything that was found, and shows each subject of it to `watch` when its rules are asked.
pub fn run_watched(discovered: Discovered, settings: &Settings<'_>, watch: &Watch<'_>) -> Report {
    judged(discovered, Asked { settings, suggest: Suggest::All, every: false, downs: false, watch })
}

/// Judges everything that was found, and gives also the findings of rules that speak but once in a file.
pub fn run_every(discovered: Discovered, settings: &Settings<'_>) -> Report {
    judged(discovered, Asked { settings, suggest: Suggest::Nothing, every: true, downs: true, watch: &|_| {} })
}

/// What somebody wants to know.
#[derive(Clone, Copy)]
struct Asked<'a> {
    settings: &'a Settings<'a>,
    suggest: Suggest,
    /// Whether a rule that speaks once in a file gives all its findings.
    every: bool,
    /// Whether what undoes a migration is judged, too.
    downs: bool,
    watch: &'a Watch<'a>,
}

fn judged(discovered: Discovered, asked: Asked<'_>) -> Report {
    let Discovered { histories, mut problems, .. } = discovered;
    let mut scripts = read_all(histories.iter().flat_map(|history| &history.migrations)).into_iter();
    let mut migrations = Vec::new();
    for history in &histories {
        let scripts: Vec<_> = scripts.by_ref().take(history.migrations.len()).collect();
        migrations.append(&mut judge_history(history, scripts, asked, &mut problems));
    }
    Report { server: asked.settings.server, migrations, problems }
}

/// Bytes less than this are not worth waking other threads for.
const WORTH_THREADS: usize = 64 * 1024;

/// What migrations say, in their order. Reading a file needs nothing but the file.
fn read_all<'m>(migrations: impl IntoIterator<Item = &'m Migration>) -> Vec<Arc<Script>> {
    let files: Vec<_> = migrations.into_iter().collect();
    let read = |migration: &&Migration| Arc::new(read_script(migration));
    let bytes: usize = files.iter().map(|migration| migration.source.bytes().len()).sum();
    if files.len() > 1 && bytes > WORTH_THREADS { files.par_iter().map(read).collect() } else { files.iter().map(read).collect() }
}

fn read_script(migration: &Migration) -> Script {
    let script = sql::read(&migration.source, migration.part);
    let is_secret = |remark: &&Remark| matches!(remark.what, RemarkKind::Secret(_));
    migration.source.hide(script.remarks.iter().filter(is_secret).map(|remark| remark.span).collect());
    script
}

/// Up to the first subject, the history is replayed once. From there on, it is replayed to its end, since what a migration leaves behind is
/// judged by what becomes of it; and then again, to judge.
fn judge_history(history: &History, scripts: Vec<Arc<Script>>, asked: Asked<'_>, problems: &mut Vec<Problem>) -> Vec<Assessed> {
    let settings = asked.settings;
    let Some(first) = history.migrations.iter().position(|migration| migration.role == Role::Subject) else { return Vec::new() };
    let (mut replay, mut end) = replayed(history, &scripts, first, settings, history.whole);
    if end.catalog.is_older_than_history() {
        // Whatever the number of the first file says, there was a schema before it.
        (replay, end) = replayed(history, &scripts, first, settings, false);
    }
    let downs_from = way_down::first_judged(history);
    let mut assessed = Vec::new();
    // What comes behind a file of a release is what comes behind the release.
    let last = history.migrations.iter().rposition(|migration| !(history.one_release && migration.role == Role::Subject));
    let last_subject = history.migrations.iter().rposition(|migration| migration.role == Role::Subject && migration.order != Order::Gone);
    // A script goes when it has been judged: a large history is never in memory as a whole twice.
    for (at, (migration, script)) in history.migrations.iter().zip(scripts).enumerate().skip(first) {
        match migration.role {
            Role::History => replay.file(migration, &script),
            Role::Subject => {
                let neighbours = Neighbours { history, end: &end, later: last.map_or(0, |last| last.saturating_sub(at)) };
                let unfolded = replay.unfolded(migration, &script);
                let judge = Judge::new(asked, (migration, &script, &unfolded), neighbours);
                if migration.order != Order::Gone {
                    replay.budget.begin_file();
                }
                let is_last = history.one_release && Some(at) == last_subject;
                assessed.push(judge.file(&mut replay, is_last, problems));
                let down = migration.way_down.as_deref().filter(|_| asked.downs && at >= downs_from);
                assessed.extend(down.and_then(|down| way_down::judge(down, &replay, history, asked, problems)));
            }
        }
    }
    assessed
}

/// The schema before the file `first`, and the schema behind the last one.
fn replayed<'a>(
    history: &History,
    scripts: &[Arc<Script>],
    first: usize,
    settings: &Settings<'a>,
    whole: bool,
) -> (Replay<'a>, Replay<'a>) {
    let mut replay = Replay::new(whole, settings);
    let mut files = history.migrations.iter().zip(scripts);
    files.by_ref().take(first).for_each(|(migration, script)| replay.file(migration, script));
    let mut end = replay.clone();
    files.for_each(|(migration, script)| end.file(migration, script));
    (replay, end)
}

/// The schema while a history is replayed.
#[derive(Clone)]
struct Replay<'a> {
    catalog: Catalog,
    story: Story,
    /// The locks of the release.
    budget: Budget,
    /// The plans whose phases have come by.
    plans: Plans,
    settings: Settings<'a>,
    /// The statements of the file that run together, and who opens their transaction, where not all do.
    units: Vec<(RangeInclusive<usize>, Opener)>,
}

impl<'a> Replay<'a> {
    /// Nothing has come by yet.
    fn new(whole: bool, settings: &Settings<'a>) -> Self {
        Self {
            catalog: Catalog::new(whole),
            story: Story::default(),
            budget: Budget::default(),
            plans: Plans::default(),
            settings: *settings,
            units: Vec::new(),
        }
    }
}

impl Replay<'_> {
    /// A whole file at once.
    fn file(&mut self, migration: &Migration, script: &Script) {
        let script = self.unfolded(migration, script);
        let script = &*script;
        let (_, mut session) = self.begin(migration, script);
        for (at, statement) in script.statements.iter().enumerate() {
            self.begin_statement(&mut session, script, at);
            for operation in &statement.operations {
                self.operation(&operation.what, (statement, at), migration);
            }
            self.end_statement(&mut session, script, at, &[]);
        }
    }

    /// The script with the bodies that it runs.
    fn unfolded<'s>(&self, migration: &Migration, script: &'s Script) -> Cow<'s, Script> {
        unfold::unfold(script, &migration.source, &self.catalog)
    }

    /// One operation of the statement runs. In a body COMMIT and ROLLBACK are the session's matter alone.
    fn operation(&mut self, operation: &Operation, statement: (&Statement, usize), migration: &Migration) {
        let telling = Telling { source: &migration.source, statement, step: migration.step };
        self.story.note(operation, &self.catalog, telling);
        if statement.0.nesting.is_none() || !ends_transaction(operation) {
            self.catalog.replay(operation, migration.step);
        }
        self.catalog.place(operation, &migration.source);
    }

    /// A new file begins, on a new connection. Gives how it is put into transactions, too.
    fn begin(&mut self, migration: &Migration, script: &Script) -> (TransactionMode, Session) {
        let mode = self.mode(migration, script);
        let mut session = Session::new(in_effect(mode, migration, script), migration.step);
        for (name, timeout) in
            [("lock_timeout", self.settings.config.role.lock_timeout), ("statement_timeout", self.settings.config.role.statement_timeout)]
        {
            if let Some(value) = setting(timeout) {
                session.preset(name, value);
            }
        }
        self.units = units(migration, script);
        self.plans.begin_file(migration, script, &self.catalog, self.settings.server);
        self.story.begin_file();
        self.catalog.begin_file(session.mode(), operations(script));
        self.catalog.follow(&session);
        (mode, session)
    }

    /// The statement is about to run.
    fn begin_statement(&mut self, session: &mut Session, script: &Script, at: usize) {
        if let Some(nesting) = &script.statements[at].nesting {
            // The statement that runs the body stands before its first one.
            session.begin_body(at.saturating_sub(1));
            (0..nesting.opens).for_each(|_| self.catalog.begin_branch());
        }
        if let Ok(which) = self.units.binary_search_by_key(&at, |(unit, _)| *unit.start()) {
            let (unit, opener) = &self.units[which];
            session.begin_unit(*opener, at, *unit.end());
        }
    }

    /// The statement is over; `effects` are those of its operations, if somebody asked for them.
    fn end_statement(&mut self, session: &mut Session, script: &Script, at: usize, effects: &[Effects]) {
        let none = Effects::default();
        let statement = &script.statements[at];
        for (which, operation) in statement.operations.iter().enumerate() {
            let is_nested = statement.nesting.is_some();
            if is_nested && ends_transaction(&operation.what) && session.opened_by() != Some(Opener::Body) {
                // The server refuses it.
                continue;
            }
            session.advance(&operation.what, effects.get(which).unwrap_or(&none), at);
            if steers_names(&operation.what) {
                self.catalog.follow(session);
            }
        }
        if let Some(nesting) = &statement.nesting {
            (0..nesting.closes).for_each(|_| self.catalog.end_branch());
            if script.statements.get(at + 1).is_none_or(|next| next.nesting.is_none()) {
                session.end_body();
                self.catalog.follow(session);
            }
        }
        if self.units.binary_search_by_key(&at, |(unit, _)| *unit.end()).is_ok() {
            session.end_unit();
            self.catalog.follow(session);
        }
    }

    /// Whether a transaction holds the file together. Where nobody says it, a statement that cannot run in one does.
    fn mode(&self, migration: &Migration, script: &Script) -> TransactionMode {
        let own = || script.statements.iter().filter(|statement| statement.nesting.is_none());
        let begins = own().flat_map(|statement| &statement.operations).any(|operation| matches!(operation.what, Operation::Begin));
        let refuses = migration.declared.is_none() && !begins && {
            let alone = Session::new(TransactionMode::None, migration.step);
            let assess = |statement: &Statement| effects::assess(&statement.operations, &self.catalog, &alone, self.settings.server);
            let mut doubtful = own().filter(|statement| statement.operations.iter().any(may_refuse_transactions));
            doubtful.any(|statement| assess(statement).iter().any(|effects| effects.transaction == InTransaction::Forbidden))
                || script.statements.iter().any(commits_in_body)
        };
        migration.transaction_mode(begins, refuses)
    }
}

/// Where pieces of a file have transactions of their own: which statements those hold. A message with one statement in it is none.
fn units(migration: &Migration, script: &Script) -> Vec<(RangeInclusive<usize>, Opener)> {
    let statements_in = |unit: &Unit| {
        let opener = match unit.mode {
            TransactionMode::OneMessage => Opener::OneMessage,
            TransactionMode::Runner => Opener::Runner,
            TransactionMode::None | TransactionMode::Explicit | TransactionMode::Assumed(_) => return None,
        };
        let first = script.statements.partition_point(|statement| statement.span.start < unit.span.start);
        let end = script.statements.partition_point(|statement| statement.span.start < unit.span.end);
        let own = script.statements.get(first..end)?.iter().filter(|statement| statement.nesting.is_none());
        let least = if opener == Opener::OneMessage { 2 } else { 1 };
        (own.count() >= least).then(|| (first..=end - 1, opener))
    };
    migration.units.iter().filter_map(statements_in).collect()
}

/// What a mode means for a file: a message with one statement in it is no transaction block, and where each piece has a transaction of its
/// own, the file has none.
fn in_effect(mode: TransactionMode, migration: &Migration, script: &Script) -> TransactionMode {
    let alone = || script.statements.iter().filter(|statement| statement.nesting.is_none()).count() == 1;
    match mode {
        TransactionMode::OneMessage if alone() => TransactionMode::None,
        TransactionMode::Runner if !migration.units.is_empty() => TransactionMode::None,
        mode => mode,
    }
}

fn operations(script: &Script) -> impl Iterator<Item = &Operation> {
    script.statements.iter().flat_map(|statement| &statement.operations).map(|operation| &operation.what)
}

/// The operations of which PostgreSQL refuses some form in a transaction block: the others need not be assessed twice.
fn may_refuse_transactions(operation: &Located<Operation>) -> bool {
    const KINDS: &[OpKind] = &[
        OpKind::CreateIndex,
        OpKind::DropIndex,
        OpKind::Reindex,
        OpKind::DetachPartition,
        OpKind::AddEnumValue,
        OpKind::Vacuum,
        OpKind::Cluster,
        OpKind::Repack,
        OpKind::DropDatabase,
        OpKind::DropTablespace,
        OpKind::DropSubscription,
        OpKind::SetTablespace,
        OpKind::AlterOther,
        OpKind::TwoPhase,
        OpKind::Reset,
        OpKind::Other,
    ];
    KINDS.contains(&operation.what.kind())
}

/// A body that commits or rolls back, which only works where no transaction is open around it.
fn commits_in_body(statement: &Statement) -> bool {
    let may = statement.nesting.as_ref().is_some_and(|nesting| !nesting.atomic && !nesting.caught);
    may && statement.operations.iter().any(|operation| ends_transaction(&operation.what))
}

fn ends_transaction(operation: &Operation) -> bool {
    matches!(operation, Operation::Commit { .. } | Operation::Rollback { .. })
}

/// Whether names may lead elsewhere after it.
fn steers_names(operation: &Operation) -> bool {
    matches!(
        operation,
        Operation::Set { .. }
            | Operation::Reset { .. }
            | Operation::Commit { .. }
            | Operation::Rollback { .. }
            | Operation::RollbackTo(_)
            | Operation::TwoPhase(_)
    )
}

fn setting(timeout: Timeout) -> Option<SettingValue> {
    match timeout {
        Timeout::Unset => None,
        Timeout::Off => Some(SettingValue::Literal("0".into())),
        Timeout::After(time) => Some(SettingValue::Literal(format!("{}ms", time.as_millis()).into())),
        Timeout::Unknown => Some(SettingValue::Unknown),
    }
}
