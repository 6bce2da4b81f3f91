//! From files to a changed database: every stage in its order, none of which can be left out.

use super::agenda::Agenda;
use super::approval::Approval;
use super::draft::{self, Work};
use super::event::{Event, Tell};
use super::execute::{Broken, Executor, Spent, Trouble};
use super::ledger::write::{self, NewRun};
use super::ledger::{self, Direction};
use super::live;
use super::notices::Notices;
use super::orphan;
use super::preflight;
use super::runner::{self, With};
use super::session::{self, NoLock, Sessions};
use super::stop::Stop;
use super::verdict::{Verdict, verdict_of};
use super::window::{self, Door};
use super::wish::Wish;
use crate::config::environments::Environment;
use crate::config::window::Windows;
use crate::db::Refusal;
use crate::discover::History;
use crate::lint::Settings;
use crate::problem::Problem;
use sqlx::postgres::PgConnectOptions;
use std::path::Path;
use std::time::{Duration, Instant};

/// What is to be done, and with what.
pub struct Pipeline<'a> {
    /// The files.
    pub history: &'a History,
    /// What they are judged by, and how long what is waited for.
    pub settings: &'a Settings<'a>,
    /// Which database it is.
    pub environment: &'a Environment,
    /// How it is reached.
    pub target: &'a PgConnectOptions,
    /// What somebody has agreed to.
    pub approvals: &'a [Approval],
    /// Who calls.
    pub run: NewRun,
    /// How long another runner is waited for.
    pub patience: Duration,
}

/// Asks whoever calls whether that is what they want.
pub type Confirm<'a> = &'a mut dyn FnMut(&Agenda) -> Result<(), Problem>;

impl Pipeline<'_> {
    /// Does what is wished for, once `confirm` agrees.
    pub async fn run(&self, wish: Wish<'_>, confirm: Confirm<'_>, tell: Tell<'_>) -> Verdict {
        let agenda = match self.look(wish).await {
            Ok(agenda) if agenda.is_idle(&wish) => return Verdict::Done { migrations: Vec::new(), stopped: agenda.stops },
            Ok(agenda) => agenda,
            Err(verdict) => return verdict,
        };
        tell(&Event::Stage { stage: "gate", outcome: format!("passed: {} to run", agenda.works.len()) });
        let shut = match self.on_time(&agenda, wish, tell).await {
            Ok(None) => false,
            Ok(Some(_)) if wish.word().wait => true,
            Ok(Some(problem)) => return Verdict::Refused(vec![problem]),
            Err(verdict) => return verdict,
        };
        // What another tool has run is only noted.
        if let Err(problem) = if agenda.works.is_empty() && !wish.is_unjudged() { Ok(()) } else { confirm(&agenda) } {
            return Verdict::Refused(vec![problem]);
        }
        // A signal that comes before the first statement counts as well, once somebody has waited.
        let stop = match shut {
            true => match self.opened(tell).await {
                Ok(stop) => Some(stop),
                Err(verdict) => return verdict,
            },
            false => None,
        };
        if let Err(problem) = self.pooled(tell).await {
            return Verdict::NotReady(vec![problem]);
        }
        match Sessions::open(self.target, &self.settings.config.apply, self.patience).await {
            Ok(sessions) => self.behind_the_lock(&agenda, wish, (sessions, stop), tell).await,
            Err(no_lock) => no_lock_verdict(&no_lock),
        }
    }

    /// That it is not the time of what is due. What undoes something waits for no window.
    async fn on_time(&self, agenda: &Agenda, wish: Wish<'_>, tell: Tell<'_>) -> Result<Option<Problem>, Verdict> {
        let not_ready = |problem| Verdict::NotReady(vec![problem]);
        let (windows, Wish::Apply(_) | Wish::With(_)) = (self.windows(), wish) else { return Ok(None) };
        let needing = window::needing(windows, &agenda.works);
        let Some(first) = needing.first() else { return Ok(None) };
        let mut connection = session::own(self.target, "lockkeeper").await.map_err(|refusal| not_ready(unreachable(&refusal)))?;
        let door = window::look(&mut connection, windows).await;
        connection.close().await;
        let door = door.map_err(not_ready)?;
        let shut = window::not_now(first, &door);
        let verdict = if shut.is_some() { preflight::Verdict::Fail } else { preflight::Verdict::Pass };
        let evidence = format!("{} of what is due within it alone: {}", needing.len(), door.words());
        tell(&Event::Check { id: "window", verdict: verdict.word(), evidence });
        // Before anybody waits for it.
        match window::unsaid(&needing, wish.word()) {
            Some(problem) => Err(Verdict::Refused(vec![problem])),
            None => Ok(shut),
        }
    }

    fn windows(&self) -> &Windows {
        self.settings.config.windows(self.environment)
    }

    /// Waits until a window is open.
    async fn opened(&self, tell: Tell<'_>) -> Result<Stop, Verdict> {
        let not_ready = |problem| Verdict::NotReady(vec![problem]);
        let mut stop = Stop::listen().map_err(|error| not_ready(Problem::new("apply::signals", error.to_string())))?;
        match window::wait(self.target, self.windows(), &mut stop, tell).await {
            Ok(true) => Ok(stop),
            Ok(false) => {
                let problem = Problem::new("apply::interrupted", "interrupted while the window was waited for");
                Err(Verdict::Interrupted(problem.help("nothing was done")))
            }
            Err(problem) => Err(not_ready(problem)),
        }
    }

    /// Looks whether everything is ready for what is wished for, and changes nothing.
    pub async fn preflight(&self, wish: Wish<'_>, tell: Tell<'_>) -> Verdict {
        let agenda = match self.look(wish).await {
            Ok(agenda) => agenda,
            Err(verdict) => return verdict,
        };
        tell(&Event::Stage { stage: "gate", outcome: format!("passed: {} to run", agenda.works.len()) });
        let late = match self.on_time(&agenda, wish, tell).await {
            Ok(late) => late,
            Err(verdict) => return verdict,
        };
        if let Err(problem) = self.pooled(tell).await {
            return Verdict::NotReady(vec![problem]);
        }
        match self.fits(&agenda, wish, tell).await {
            Ok(()) => late.map_or(Verdict::Done { migrations: Vec::new(), stopped: agenda.stops }, |late| Verdict::Refused(vec![late])),
            Err(problems) => Verdict::NotReady(problems),
        }
    }

    /// Whether a pooler in between lets a session keep its lock.
    async fn pooled(&self, tell: Tell<'_>) -> Result<(), Problem> {
        let check = live::pooler(self.target).await.map_err(|refusal| unreachable(&refusal))?;
        tell(&live::event(&check));
        if check.verdict == preflight::Verdict::Fail { Err(live::problem(&check)) } else { Ok(()) }
    }

    /// Everything behind the lock: nobody else changes the ledger from here on.
    async fn behind_the_lock(&self, agreed: &Agenda, wish: Wish<'_>, with: (Sessions, Option<Stop>), tell: Tell<'_>) -> Verdict {
        let (mut sessions, stop) = with;
        if let Err(problem) = runner::orphans(&mut sessions.watch, self.settings.config.apply.reconnect, tell).await {
            return Verdict::Operator(problem);
        }
        // Another runner may have been at work while the lock was waited for.
        let agenda = match self.agenda(&mut sessions.watch, wish).await {
            Ok(now) if now.hash() == agreed.hash() => now,
            Ok(now) if now.is_idle(&wish) => return Verdict::Done { migrations: Vec::new(), stopped: now.stops },
            Ok(_) => {
                let problem = Problem::new("apply::changed", "another runner has changed what there is to do, while this one waited");
                return Verdict::NotReady(vec![problem.help("nothing was done; run it again")]);
            }
            Err(verdict) => return verdict,
        };
        if let Err(problem) = orphan::wait(&mut sessions.watch, self.settings.config.apply.reconnect, tell).await {
            return Verdict::Operator(problem);
        }
        if let Err(problems) = self.fits(&agenda, wish, tell).await {
            return Verdict::NotReady(problems);
        }
        let (stop, run) = match (stop.map_or_else(Stop::listen, Ok), self.run.begin(&mut sessions.watch).await) {
            (Ok(stop), Ok(run)) => (stop, run),
            (_, Err(refusal)) => return Verdict::NotReady(vec![ledger::problem(&refusal)]),
            (Err(error), _) => return Verdict::NotReady(vec![Problem::new("apply::signals", error.to_string())]),
        };
        let limits = &self.settings.config.apply;
        let mut executor = Executor {
            target: self.target,
            limits,
            sessions,
            run,
            stop,
            notices: Notices::default(),
            spent: Spent::default(),
            until: None,
            tell,
        };
        let direction = match wish {
            Wish::Apply(_) | Wish::With(_) | Wish::Backfill(_) => Direction::Up,
            Wish::Rollback(_) => Direction::Down,
        };
        for stage in ["backup", "rehearsal"] {
            let outcome = "skipped: not configured".to_owned();
            (executor.tell)(&Event::Stage { stage, outcome: outcome.clone() });
            // That it was skipped has to be on record before anything runs.
            if let Err(trouble) = executor.event(stage, &outcome).await {
                let verdict = verdict_of(&[], None, &Broken { trouble, step: None, committed: 0 }, direction);
                return self.close(executor, Err(verdict), agenda.stops).await;
            }
        }
        let result = match &wish {
            Wish::With(with) => self.with(&mut executor, &agenda, with).await,
            Wish::Apply(_) | Wish::Rollback(_) | Wish::Backfill(_) => self.each(&mut executor, &agenda, direction).await,
        };
        self.close(executor, result, agenda.stops).await
    }

    /// Whether the server is fit for it, and is what the files make of it.
    async fn fits(&self, agenda: &Agenda, wish: Wish<'_>, tell: Tell<'_>) -> Result<(), Vec<Problem>> {
        live::preflight(self.target, &agenda.works, self.settings, tell).await?;
        if let Wish::Apply(_) | Wish::With(_) = wish {
            let drafts: Vec<_> = agenda.works.iter().map(|work| work.draft.clone()).collect();
            let mut connection = session::own(self.target, "lockkeeper preflight").await.map_err(|refusal| vec![unreachable(&refusal)])?;
            let surprises = live::surprises(&mut connection, (self.history, &drafts), &agenda.works, self.settings).await;
            connection.close().await;
            let mut surprises = surprises.map_err(|refusal| vec![unreachable(&refusal)])?;
            // What was begun meets what it has done itself, and was looked at before it began.
            let begun = |path: &Path| agenda.works.iter().any(|work| work.source().path() == path && agenda.has_begun(work));
            surprises.retain(|problem| !problem.path().is_some_and(begun));
            if !surprises.is_empty() {
                return Err(surprises);
            }
        }
        tell(&Event::Stage { stage: "preflight", outcome: "passed".to_owned() });
        Ok(())
    }

    /// Runs migrations one after the other.
    async fn each(&self, executor: &mut Executor<'_>, agenda: &Agenda, direction: Direction) -> Result<Vec<String>, Verdict> {
        let mut done = Vec::new();
        for (at, work) in agenda.works.iter().enumerate() {
            let name = work.draft.title();
            (executor.tell)(&Event::Migration {
                name: name.clone(),
                at: at + 1,
                of: agenda.works.len(),
                class: work.assessed.class.word(),
            });
            let begin = Instant::now();
            if let Err(trouble) = self.within_window(executor, work, direction).await {
                return Err(verdict_of(&done, Some(work), &Broken { trouble, step: None, committed: 0 }, direction));
            }
            let ran = if work.is_job { executor.job(work).await } else { executor.migration(work, direction).await };
            ran.map_err(|broken| verdict_of(&done, Some(work), &broken, direction))?;
            (executor.tell)(&Event::MigrationDone { name: name.clone(), seconds: begin.elapsed().as_secs_f64() });
            done.push(name);
        }
        Ok(done)
    }

    /// Lets another tool's command run them, until the first window ends that one of them needs.
    async fn with(&self, executor: &mut Executor<'_>, agenda: &Agenda, with: &With<'_>) -> Result<Vec<String>, Verdict> {
        let mut until: Option<tokio::time::Instant> = None;
        for work in &agenda.works {
            if let Err(trouble) = self.within_window(executor, work, Direction::Up).await {
                let broken = Broken { trouble, step: None, committed: 0 };
                return Err(verdict_of(&[], Some(work), &broken, Direction::Up));
            }
            until = executor.until.or(until);
        }
        executor.until = until;
        let drafts = draft::drafts(self.history).map_err(|problem| Verdict::Refused(vec![problem]))?;
        runner::run(executor, agenda, with, &drafts).await
    }

    /// Lets a migration run until its window ends, if it needs one.
    async fn within_window(&self, executor: &mut Executor<'_>, work: &Work, direction: Direction) -> Result<(), Trouble> {
        executor.until = None;
        if work.is_job || direction == Direction::Down || !window::needs(self.windows(), work.assessed.class) {
            return Ok(());
        }
        match window::look(&mut executor.sessions.watch, self.windows()).await {
            Ok(Door::Open { left, .. }) => {
                executor.until = Some(tokio::time::Instant::now() + left);
                Ok(())
            }
            Ok(Door::Shut { .. }) => Err(Trouble::Closed),
            Err(problem) => Err(Trouble::Contradiction(problem.message)),
        }
    }

    /// Notes how it ended, and says goodbye.
    async fn close(&self, mut executor: Executor<'_>, result: Result<Vec<String>, Verdict>, stopped: Option<String>) -> Verdict {
        let verdict = match result {
            Ok(migrations) => Verdict::Done { migrations, stopped },
            Err(verdict) => verdict,
        };
        let said = write::end_run(&mut executor.sessions.watch, executor.run, verdict.state(), verdict.said().as_deref()).await;
        if said.is_err() {
            (executor.tell)(&Event::Stage {
                stage: "record",
                outcome: "the end of this run could not be written; the steps are in the ledger".to_owned(),
            });
        }
        executor.sessions.close().await;
        verdict
    }
}

pub(super) fn no_lock_verdict(no_lock: &NoLock) -> Verdict {
    match no_lock {
        NoLock::Held(holder) => Verdict::Locked(
            Problem::new("apply::locked", format!("another runner is at work here: {holder}"))
                .help("wait for it with --wait 10min, or look what it does"),
        ),
        NoLock::Refused(refusal) => Verdict::NotReady(vec![unreachable(refusal)]),
    }
}

pub(super) fn unreachable(refusal: &Refusal) -> Problem {
    let help = match refusal.code.as_str() {
        TOO_MANY_CONNECTIONS => {
            "nothing was done; it takes four connections: wait for others to end, or raise the limit of the role, the database or the server"
        }
        _ => "nothing was done; is the URL that of the right server, and does it run?",
    };
    Problem::new("apply::server", refusal.to_string()).help(help)
}

/// too_many_connections, of the server, the database or the role (PostgreSQL's manual, appendix A).
const TOO_MANY_CONNECTIONS: &str = "53300";
