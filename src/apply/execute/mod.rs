//! Runs migrations step by step, each step exactly once.
//!
//! A step in a transaction leaves its mark in the ledger inside of that transaction. A statement that runs alone cannot; whether it has
//! happened is asked of the catalog. What breaks off is decided by these two and never by what was last heard from the server.

mod alone;
mod attempt;
mod backfill;
mod batch;
mod kill;
mod resume;
mod statement;
mod trouble;

pub use kill::Spent;
pub use trouble::Trouble;

use super::draft::Work;
use super::event::{Event, Tell};
use super::failpoint;
use super::foreign;
use super::ledger::job::JobId;
use super::ledger::{Direction, State, write};
use super::notices::Notices;
use super::session::{self, NoLock, Sessions, lost};
use super::step::{Kind, Step};
use super::stop::Stop;
use crate::config::apply::Apply;
use crate::db::Refusal;
use sqlx::postgres::PgConnectOptions;
use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;
use tokio::time::Instant;

/// What is needed to run migrations.
pub struct Executor<'a> {
    /// The server.
    pub target: &'a PgConnectOptions,
    /// How long what is waited for.
    pub limits: &'a Apply,
    /// The sessions.
    pub sessions: Sessions,
    /// The run, in the ledger.
    pub run: i64,
    /// The wish to stop.
    pub stop: Stop,
    /// What the server says beside its answers.
    pub notices: Notices,
    /// Who was in the way of this step.
    pub spent: Spent,
    /// When the window ends in which what runs may run; `None`: it needs none.
    pub until: Option<Instant>,
    /// Who is told.
    pub tell: Tell<'a>,
}

/// How far a migration came that did not come to its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Broken {
    /// What happened.
    pub trouble: Trouble,
    /// The step in which it happened; `None`: in none.
    pub step: Option<u32>,
    /// How many steps of it have committed, before this run or in it.
    pub committed: usize,
}

impl Executor<'_> {
    /// Runs a migration from where it stands to its end.
    ///
    /// # Errors
    /// Where it broke off and why. What has committed is in the ledger.
    pub async fn migration(&mut self, work: &Work, direction: Direction) -> Result<(), Broken> {
        let result = self.all_steps(work, direction).await;
        let undone = |trouble: &Trouble| {
            matches!(trouble, Trouble::Failed(_) | Trouble::Spent { .. } | Trouble::Interrupted | Trouble::Premature(_) | Trouble::Closed)
        };
        if let Err(Broken { trouble, committed: 0, .. }) = &result
            && undone(trouble)
        {
            // It is as if it had never been begun. If that cannot be written, the next run finds the same out.
            let before = if direction == Direction::Up { State::RolledBack } else { State::Applied };
            let _ = self.note(work, before).await;
        }
        result
    }

    async fn all_steps(&mut self, work: &Work, direction: Direction) -> Result<(), Broken> {
        let mut committed = 0;
        let broken = |trouble: Trouble, step: Option<u32>, committed: usize| Broken { trouble, step, committed };
        let (begun, ended) = match direction {
            Direction::Up => (State::Applying, State::Applied),
            Direction::Down => (State::RollingBack, State::RolledBack),
        };
        self.note(work, begun).await.map_err(|trouble| broken(trouble, None, 0))?;
        failpoint::reach("migration-begun");
        let known = self.known(work, direction).await.map_err(|trouble| broken(trouble, None, 0))?;
        committed += known.len();
        // Whether the other tool could have run it is asked before anything more of it happens.
        self.in_step(work, direction).await.map_err(|trouble| broken(trouble, None, committed))?;
        self.holds(work, direction, &known).await.map_err(|trouble| broken(trouble, None, committed))?;
        // What earlier steps have set for the session holds for the later ones.
        self.set_again(work, &known).await.map_err(|trouble| broken(trouble, None, committed))?;
        for step in &work.steps {
            if known.contains(&step.number) {
                continue;
            }
            self.step(work, step, direction).await.map_err(|trouble| broken(trouble, Some(step.number), committed))?;
            committed += 1;
            failpoint::reach("step-ended");
        }
        self.proven(work, direction).await.map_err(|trouble| broken(trouble, None, committed))?;
        if direction == Direction::Down {
            write::undo_steps(&mut self.sessions.watch, &work.draft.key)
                .await
                .map_err(|refusal| broken(refusal.into(), None, committed))?;
        }
        let beside = self.in_step(work, direction).await.map_err(|trouble| broken(trouble, None, committed))?;
        self.note_with(work, ended, &beside).await.map_err(|trouble| broken(trouble, None, committed))?;
        failpoint::reach("migration-ended");
        Ok(())
    }

    /// Asks what has to be true before a phase runs. One that was begun before was asked then: what it has done may have made it untrue.
    async fn holds(&mut self, work: &Work, direction: Direction, known: &BTreeSet<u32>) -> Result<(), Trouble> {
        let asserts = work.header().filter(|_| direction == Direction::Up).map_or(Vec::new(), |header| header.asserts);
        let begun = match work.steps.first() {
            Some(step) if known.is_empty() => self.batches(work, step, direction).await? > 0,
            _ => true,
        };
        for query in asserts.into_iter().filter(|_| !begun) {
            if !self.ask(query).await? {
                return Err(Trouble::Premature(query.to_owned()));
            }
        }
        Ok(())
    }

    /// Takes back what the file has set for the session, and asks what a phase should have made true. Until it is, the migration has not ended.
    async fn proven(&mut self, work: &Work, direction: Direction) -> Result<(), Trouble> {
        session::set_up(&mut self.sessions.work, self.limits).await?;
        let verifies = work.header().filter(|_| direction == Direction::Up).map_or(Vec::new(), |header| header.verifies);
        for query in verifies {
            if !self.ask(query).await? {
                return Err(Trouble::Unproven(query.to_owned()));
            }
        }
        Ok(())
    }

    /// Notes where the migration stands.
    async fn note(&mut self, work: &Work, state: State) -> Result<(), Trouble> {
        self.note_with(work, state, "").await
    }

    /// The same, and in the same transaction what is true with it.
    async fn note_with(&mut self, work: &Work, state: State, beside: &str) -> Result<(), Trouble> {
        let header = work.header();
        let about = (work.assessed.class.word(), header.as_ref().map(|header| (header.plan, header.phase)));
        Ok(write::migration(&mut self.sessions.watch, self.run, &work.draft, about, state, beside).await?)
    }

    /// What the tool that ran migrations here before is to read in its own table, if somebody wants that.
    async fn in_step(&mut self, work: &Work, direction: Direction) -> Result<String, Trouble> {
        let Some(table) = foreign::kept(&mut self.sessions.watch).await? else { return Ok(String::new()) };
        foreign::beside(&table, &work.draft, direction).map_err(|why| {
            let message = format!(
                "{} of {} cannot be kept in step: {why}; `lockkeeper adopt` without --keep-in-step lets it be",
                table.name,
                table.tool.word()
            );
            Trouble::Failed(Refusal { code: OUT_OF_STEP.to_owned(), message })
        })
    }

    /// Runs the steps of a file that is no migration, from where they stand.
    ///
    /// # Errors
    /// As [`Self::migration`].
    pub async fn job(&mut self, work: &Work) -> Result<(), Broken> {
        let broken = |trouble: Trouble| Broken { trouble, step: None, committed: 0 };
        let known = self.known(work, Direction::Up).await.map_err(broken)?;
        self.holds(work, Direction::Up, &known).await.map_err(broken)?;
        for step in work.steps.iter().filter(|step| !known.contains(&step.number)) {
            let broken = |trouble: Trouble| Broken { trouble, step: Some(step.number), committed: 0 };
            self.step(work, step, Direction::Up).await.map_err(broken)?;
        }
        self.proven(work, Direction::Up).await.map_err(broken)
    }

    /// One step, with as many tries as it may have.
    async fn step(&mut self, work: &Work, step: &Step, direction: Direction) -> Result<(), Trouble> {
        let title = work.title(step);
        (self.tell)(&Event::Step { number: step.number, of: work.steps.len(), title, kind: step.kind.word() });
        let mut tries = Tries::new();
        self.spent = Spent::default();
        let (mut losses, mut batches) = (0, 0);
        loop {
            if self.stop.asked().await {
                return Err(Trouble::Interrupted);
            }
            if self.is_over() {
                return Err(Trouble::Closed);
            }
            if let Err(refusal) = self.sessions.still_ours().await {
                // Another runner may have had the lock meanwhile, and may have run this step.
                if self.found_done(work, step, direction, refusal).await? {
                    break;
                }
            }
            let attempt = tries.next();
            self.spent.next_try();
            let result = match step.kind {
                Kind::Transaction => self.in_transaction(work, step, direction, attempt).await,
                Kind::Alone => self.alone(work, step, direction, attempt).await,
                Kind::Backfill => self.backfill(work, step, direction, attempt).await,
            };
            match result {
                Ok(()) => break,
                Err(Trouble::Busy(refusal)) => self.pause(&refusal, &tries).await?,
                // It may be the statement itself that takes the server down.
                Err(Trouble::Lost(refusal)) if losses == MOST_LOSSES => return Err(Trouble::Lost(refusal)),
                Err(Trouble::Lost(refusal)) => {
                    losses += 1;
                    if self.found_done(work, step, direction, refusal).await? {
                        break;
                    }
                    // What has come further is not taken down by the same batch again and again.
                    let now = self.batches(work, step, direction).await?;
                    if now > batches {
                        (losses, batches) = (1, now);
                    }
                }
                Err(other) => return Err(other),
            }
        }
        (self.tell)(&Event::StepDone { number: step.number, seconds: tries.begin.elapsed().as_secs_f64() });
        Ok(())
    }

    /// How many batches of a step have committed.
    async fn batches(&mut self, work: &Work, step: &Step, direction: Direction) -> Result<u64, Trouble> {
        if step.kind != Kind::Backfill {
            return Ok(0);
        }
        let job = JobId { key: &work.draft.key, direction, number: step.number }.read(&mut self.sessions.watch).await?;
        Ok(job.map_or(0, |job| job.batches))
    }

    /// Waits before the next try: as long as others may have queued behind the last one, so that all of them get through, however many they
    /// are, and a random time, longer from try to try, so that two who are in each other's way do not meet again.
    async fn pause(&mut self, refusal: &Refusal, tries: &Tries) -> Result<(), Trouble> {
        let (lock, spent, attempt) = (self.limits.lock, tries.begin.elapsed(), tries.number);
        let longest = LONGEST_PAUSE.min(FIRST_PAUSE * 2u32.saturating_pow(attempt.min(16)));
        let random = RandomState::new().hash_one(attempt) as f64 / u64::MAX as f64;
        let pause = tries.last.elapsed().clamp(SHORTEST_PAUSE, lock.timeout.max(SHORTEST_PAUSE)) + longest.mul_f64(random);
        if attempt >= lock.attempts || spent + pause >= lock.budget {
            return Err(Trouble::Spent { refusal: refusal.clone(), attempts: attempt, seconds: spent.as_secs_f64() });
        }
        if self.until.is_some_and(|until| Instant::now() + pause >= until) {
            return Err(Trouble::Closed);
        }
        self.event("retry", &refusal.to_string()).await?;
        (self.tell)(&Event::Retry { attempt, why: refusal.to_string(), pause: pause.as_secs_f64() });
        tokio::select! {
            () = tokio::time::sleep(pause) => Ok(()),
            _ = self.stop.signal() => Err(Trouble::Interrupted),
        }
    }

    /// Calls a server that has gone away, and says whether a step has come to its end all the same.
    async fn found_done(&mut self, work: &Work, step: &Step, direction: Direction, refusal: Refusal) -> Result<bool, Trouble> {
        self.reconnect(refusal).await?;
        let known = self.known(work, direction).await?;
        self.set_again(work, &known).await?;
        Ok(known.contains(&step.number))
    }

    /// Calls a server that has gone away, until it answers or patience ends.
    pub(super) async fn reconnect(&mut self, refusal: Refusal) -> Result<(), Trouble> {
        (self.tell)(&Event::Reconnect { why: refusal.to_string() });
        let begin = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            match self.sessions.reopen(self.target, self.limits).await {
                Ok(()) => return Ok(()),
                Err(NoLock::Held(holder)) if begin.elapsed() >= self.limits.reconnect => {
                    return Err(Trouble::Lost(lost(&format!("the runner's lock is held by {holder}"))));
                }
                Err(NoLock::Refused(refusal)) if begin.elapsed() >= self.limits.reconnect || !trouble::is_lost(&refusal) => {
                    return Err(Trouble::Lost(refusal));
                }
                Err(NoLock::Held(_) | NoLock::Refused(_)) => {}
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = LONGEST_PAUSE.min(pause * 2),
                _ = self.stop.signal() => return Err(Trouble::Interrupted),
            }
        }
    }

    /// Whether the window has ended in which it may run.
    pub(super) fn is_over(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }

    /// Asks a query of one boolean, in a transaction that can change nothing.
    async fn ask(&mut self, query: &str) -> Result<bool, Trouble> {
        self.sessions.work.run("BEGIN READ ONLY").await?;
        let answer = self.sessions.work.texts(&format!("SELECT CASE WHEN ({query}) THEN 'true' END")).await;
        self.sessions.work.run("ROLLBACK").await?;
        Ok(answer?.concat() == "true")
    }

    /// Keeps in the ledger what happened.
    pub async fn event(&mut self, kind: &str, words: &str) -> Result<(), Trouble> {
        Ok(write::event(&mut self.sessions.watch, self.run, kind, words).await?)
    }
}

/// The tries of a step.
struct Tries {
    /// When the first one began.
    begin: Instant,
    /// When the last one began.
    last: Instant,
    /// How many there were.
    number: u32,
}

impl Tries {
    fn new() -> Self {
        let now = Instant::now();
        Self { begin: now, last: now, number: 0 }
    }

    /// The number of the one that begins.
    fn next(&mut self) -> u32 {
        self.number += 1;
        self.last = Instant::now();
        self.number
    }
}

/// Ours: another tool could not have run such a file.
const OUT_OF_STEP: &str = "LK004";

/// How often a step is tried again whose session ended while it ran.
const MOST_LOSSES: u32 = 3;

const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
