//! A step in batches: gone on with where it stands, batch by batch, until nothing is left.

use super::batch::{self, Turn};
use super::{Executor, Trouble};
use crate::apply::backfill::splice::{self, Change};
use crate::apply::backfill::way::{self, Way};
use crate::apply::backfill::{pace, throttle};
use crate::apply::draft::Work;
use crate::apply::event::Event;
use crate::apply::failpoint;
use crate::apply::ledger::job::{Job, JobId, Standing};
use crate::apply::ledger::write::{self, Begun};
use crate::apply::ledger::{Direction, text};
use crate::apply::session::{Sessions, lost};
use crate::apply::step::Step;
use crate::apply::watch;
use crate::db::Refusal;
use crate::model::name::Ident;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// How often it is looked whether it may go on.
const TICK: Duration = Duration::from_millis(250);

/// How often a wait, or what has been done, is told of.
const TOLD_EVERY: Duration = Duration::from_secs(1);

/// More passes than this mean that somebody makes rows as fast as they are changed.
const PASSES: u32 = 5;

/// A walk through a table.
pub(super) struct Walk<'a> {
    pub id: JobId<'a>,
    pub change: Change<'a>,
    pub way: Way,
    /// As it was last committed.
    pub job: Job,
    /// Rows of the next batch.
    pub size: u32,
    /// The role that the statement runs as.
    pub role: Option<String>,
    /// `statement_timeout` of rows that no key leads to, for they are one batch.
    pub patience: Duration,
    /// The standbys that were there when it began.
    standbys: BTreeSet<String>,
    begun: Instant,
    seen_before: u64,
    told: Option<Instant>,
    looked: Option<Instant>,
    /// Since when nothing but conflicts has come of it.
    stuck: Option<Instant>,
}

impl Executor<'_> {
    /// Runs the step from where it stands.
    pub(super) async fn backfill(&mut self, work: &Work, step: &Step, direction: Direction, attempt: u32) -> Result<(), Trouble> {
        let Some(statement) = step.statements.first().and_then(|at| work.script.statements.get(*at)) else { return Ok(()) };
        let change = splice::read(work.source(), statement).map_err(|refused| failed(refused.why.to_owned()))?;
        let begun = Begun { run: self.run, key: &work.draft.key, direction, step, pid: self.sessions.work.pid(), attempt };
        let row = write::begin_step(&mut self.sessions.watch, &begun).await?;
        failpoint::reach("backfill-begun");
        let began_at = self.wal().await?;
        let id = JobId { key: &work.draft.key, direction, number: step.number };
        let result = match self.begin_walk(work, step, change, id).await {
            Ok(mut walk) => self.walk(&mut walk).await.map_err(|trouble| partway(trouble, &walk.job)),
            Err(trouble) => Err(trouble),
        };
        match result {
            Ok(()) => {
                failpoint::reach("backfill-ended");
                write::end_step(&mut self.sessions.watch, row, "done", None).await?;
                let wal = self.wal_since(&began_at).await?;
                Ok(write::note_wal(&mut self.sessions.watch, row, &wal).await?)
            }
            Err(Trouble::Lost(refusal)) => Err(Trouble::Lost(refusal)),
            Err(trouble) => {
                write::end_step(&mut self.sessions.watch, row, "failed", Some(&trouble.to_string())).await?;
                Err(trouble)
            }
        }
    }

    /// Finds the way, and the place on it that was reached before.
    async fn begin_walk<'a>(&mut self, work: &'a Work, step: &Step, change: Change<'a>, id: JobId<'a>) -> Result<Walk<'a>, Trouble> {
        let known = id.read(&mut self.sessions.watch).await?;
        let known = match known {
            Some(job) if job.hash == step.hash => Some(job),
            Some(job) if job.batches > 0 && matches!(job.standing, Standing::Running | Standing::Paused) => {
                return Err(Trouble::Contradiction(format!(
                    "{} rows were changed in {} batches, and its SQL is another one now: put it back, or begin again at the first row with what it \
                     says now, by `lockkeeper backfill --cancel {}` before you run it",
                    job.rows, job.batches, id.key
                )));
            }
            Some(_) | None => None,
        };
        let declared: Vec<Ident> = match (&known, &work.batches) {
            (Some(job), _) => job.key.iter().map(|name| Ident::quoted(name)).collect(),
            (None, Some(batches)) => batches.key.iter().map(|name| named(name)).collect(),
            (None, None) => Vec::new(),
        };
        let table = change.table.sql();
        let oid = format!("SELECT pg_catalog.to_regclass({})::pg_catalog.oid::pg_catalog.text", text(&table));
        let oid = self.sessions.work.texts(&oid).await?.concat();
        let oid = oid.parse().map_err(|_| failed(format!("there is no table {table}")))?;
        let way = way::find(&mut self.sessions.watch, &change, oid, &declared).await?;
        let job = match known {
            Some(job) => job,
            None => {
                let size = work.batches.as_ref().map_or(pace::LEAST, |batches| batches.size);
                let job = Job::new(&step.hash, way.names(), size);
                id.begin(&mut self.sessions.watch, &job).await?;
                job
            }
        };
        let load = throttle::look(&mut self.sessions.watch, self.sessions.work.pid()).await?;
        self.say_unseen(&load).await?;
        Ok(Walk {
            size: pace::within(f64::from(job.batch)),
            seen_before: job.seen,
            standbys: load.standbys.into_iter().map(|standby| standby.name).collect(),
            role: self.limits.role.clone(),
            patience: self.limits.statement_timeout,
            begun: Instant::now(),
            told: None,
            looked: None,
            stuck: None,
            id,
            change,
            way,
            job,
        })
    }

    /// Batch after batch, pass after pass, until nothing is left.
    async fn walk(&mut self, walk: &mut Walk<'_>) -> Result<(), Trouble> {
        while walk.job.standing != Standing::Done {
            if self.stop.asked().await {
                return Err(Trouble::Interrupted);
            }
            if self.is_over() {
                return Err(Trouble::Closed);
            }
            self.let_others_go_first(walk).await?;
            let begin = Instant::now();
            let turn = self.batch(walk).await;
            self.say_notices().await;
            match turn {
                Ok(Turn::Went(job)) => {
                    failpoint::reach("batch-committed");
                    walk.size = pace::next(walk.size, begin.elapsed(), self.limits.backfill.target);
                    (walk.job, walk.stuck) = (job, None);
                    self.say_how_far(walk, false);
                }
                Ok(Turn::Through) => self.pass_ended(walk).await?,
                Ok(Turn::Paused) => self.wait_for_word(walk).await?,
                Ok(Turn::Cancelled) => {
                    return Err(failed(format!("it was cancelled; `lockkeeper backfill --resume {}` lets it go on", walk.id.key)));
                }
                Err(Trouble::Busy(refusal)) => self.give_way(walk, refusal).await?,
                Err(trouble) => return Err(trouble),
            }
        }
        self.say_how_far(walk, true);
        let Job { rows, batches, pass, .. } = walk.job;
        self.event("backfill", &format!("{}: {rows} rows changed in {batches} batches, {pass} passes", walk.id.key)).await
    }

    /// One batch. The first wish to stop waits for its end.
    async fn batch(&mut self, walk: &Walk<'_>) -> Result<Turn, Trouble> {
        let most = walk.patience + GRACE;
        let notices = self.notices.clone();
        let Self { sessions: Sessions { work, .. }, stop, .. } = self;
        let turn = {
            let batch = timeout(most, notices.during(batch::run(work, walk)));
            tokio::pin!(batch);
            loop {
                tokio::select! {
                    biased;
                    turn = &mut batch => break turn,
                    count = stop.signal() => if count > 1 {
                        return Err(Trouble::Interrupted);
                    }
                }
            }
        };
        let trouble = match turn {
            Err(_) => return Err(Trouble::Lost(lost("the server does not answer any more"))),
            Ok(Ok(turn)) => return Ok(turn),
            Ok(Err(trouble)) => trouble,
        };
        if !matches!(trouble, Trouble::Lost(_)) {
            work.run("ROLLBACK").await?;
        }
        match trouble {
            // Ours, as the batch is too large, or somebody's who has looked at it: a smaller one may get through either way.
            Trouble::Failed(refusal) if refusal.code == CANCELED => Err(Trouble::Busy(refusal)),
            other => Err(other),
        }
    }

    /// After a conflict: a smaller batch, a little later.
    async fn give_way(&mut self, walk: &mut Walk<'_>, refusal: Refusal) -> Result<(), Trouble> {
        let since = *walk.stuck.get_or_insert_with(Instant::now);
        walk.size = pace::halved(walk.size);
        if since.elapsed() > self.limits.lock.budget {
            return Err(Trouble::Spent { refusal, attempts: 1, seconds: since.elapsed().as_secs_f64() });
        }
        let pause = TICK.max(since.elapsed() / 10).min(Duration::from_secs(5));
        if walk.told.is_none_or(|told| told.elapsed() > TOLD_EVERY) {
            walk.told = Some(Instant::now());
            (self.tell)(&Event::Retry {
                attempt: 1,
                why: format!("{refusal}; the next batch has {} rows", walk.size),
                pause: pause.as_secs_f64(),
            });
        }
        self.sleep(pause).await
    }

    /// Waits as long as standbys are behind or the server is busy.
    async fn let_others_go_first(&mut self, walk: &mut Walk<'_>) -> Result<(), Trouble> {
        if walk.looked.is_some_and(|looked| looked.elapsed() < TICK) {
            return Ok(());
        }
        let mut told: Option<Instant> = None;
        loop {
            self.sessions.still_ours().await?;
            let load = throttle::look(&mut self.sessions.watch, self.sessions.work.pid()).await?;
            walk.looked = Some(Instant::now());
            let Some(why) = throttle::wait(&load, &walk.standbys, &self.limits.backfill) else { return Ok(()) };
            // Whoever wants it to end need not wait for a standby.
            if !id_goes_on(walk.id.read(&mut self.sessions.watch).await?) {
                return Ok(());
            }
            if told.is_none_or(|told| told.elapsed() > TOLD_AGAIN) {
                told = Some(Instant::now());
                self.event("throttled", &why).await?;
                (self.tell)(&Event::Waiting { blockers: vec![why], queue: 0 });
            }
            self.sleep(TICK).await?;
        }
    }

    /// Waits until somebody says that it goes on or ends.
    async fn wait_for_word(&mut self, walk: &Walk<'_>) -> Result<(), Trouble> {
        let why = format!("somebody's word: it is paused, and `lockkeeper backfill --resume {}` lets it go on", walk.id.key);
        (self.tell)(&Event::Waiting { blockers: vec![why], queue: 0 });
        while walk.id.read(&mut self.sessions.watch).await?.is_some_and(|job| job.standing == Standing::Paused) {
            self.sleep(TICK).await?;
            self.sessions.still_ours().await?;
        }
        Ok(())
    }

    /// The table has been gone through: either nothing is left, or there is another pass.
    async fn pass_ended(&mut self, walk: &mut Walk<'_>) -> Result<(), Trouble> {
        let left = match walk.change.left() {
            // Where a row still matches after it has been changed, another pass would change it again.
            Some(query) if walk.job.settles => self.count(&query).await?,
            Some(_) | None => 0,
        };
        if left == 0 {
            walk.id.end(&mut self.sessions.watch).await?;
            walk.job.standing = Standing::Done;
            return Ok(());
        }
        if walk.job.pass >= PASSES {
            return Err(failed(format!(
                "{left} rows still match after {PASSES} passes: does something write such rows, or keep them from being changed?"
            )));
        }
        walk.job = Job { pass: walk.job.pass + 1, cursor: None, last: None, swept: false, seen: 0, ..walk.job.clone() };
        walk.seen_before = 0;
        walk.begun = Instant::now();
        Ok(self.sessions.watch.run(&walk.id.advance(&walk.job)).await?)
    }

    /// How many rows are left.
    async fn count(&mut self, query: &str) -> Result<u64, Trouble> {
        let patience = self.limits.index.timeout;
        let begin = format!("BEGIN READ ONLY; SET LOCAL statement_timeout = {}", patience.as_millis());
        self.sessions.work.run(&begin).await?;
        let Self { sessions: Sessions { work, watch, .. }, stop, .. } = self;
        let pid = work.pid();
        let (rows, stopped) = {
            let rows = work.rows(query);
            tokio::pin!(rows);
            let mut stopped = 0;
            loop {
                tokio::select! {
                    biased;
                    rows = &mut rows => break (rows, stopped),
                    count = stop.signal() => {
                        stopped = count;
                        if count > 1 {
                            return Err(Trouble::Interrupted);
                        }
                        watch::cancel(watch, pid).await?;
                    }
                }
            }
        };
        work.run("ROLLBACK").await?;
        match rows {
            Err(_) if stopped > 0 => Err(Trouble::Interrupted),
            Err(refusal) => Err(refusal.into()),
            Ok(rows) => batch::count(rows.first(), 0).map_err(Trouble::from),
        }
    }

    /// Tells how far it has come, and about how long it takes.
    fn say_how_far(&mut self, walk: &mut Walk<'_>, at_the_end: bool) {
        if !at_the_end && walk.told.is_some_and(|told| told.elapsed() < TOLD_EVERY) {
            return;
        }
        walk.told = Some(Instant::now());
        let Job { rows, seen, .. } = walk.job;
        let rate = seen.saturating_sub(walk.seen_before) as f64 / walk.begun.elapsed().as_secs_f64().max(0.001);
        let total = walk.total().max(seen);
        let left = (walk.total() >= seen && rate > 0.0).then(|| (total - seen) as f64 / rate);
        (self.tell)(&Event::Batches { rows, seen, total: if at_the_end { seen } else { total }, batch: walk.size, rate, left });
    }

    /// That a standby is there and this role may not see how far it is.
    async fn say_unseen(&mut self, load: &throttle::Load) -> Result<(), Trouble> {
        let unseen = throttle::unseen(load);
        if unseen.is_empty() {
            return Ok(());
        }
        let words = format!("how far {} is behind is not seen, so nobody waits for it: GRANT pg_monitor to this role", unseen.join(", "));
        self.event("throttle", &words).await?;
        (self.tell)(&Event::Notice { severity: "WARNING".to_owned(), text: words });
        Ok(())
    }

    async fn sleep(&mut self, time: Duration) -> Result<(), Trouble> {
        tokio::select! {
            () = tokio::time::sleep(time) => Ok(()),
            _ = self.stop.signal() => Err(Trouble::Interrupted),
        }
    }
}

impl Walk<'_> {
    /// About how many rows a pass goes through: by the server's estimate, else by how dense the key has been so far.
    fn total(&self) -> u64 {
        if self.way.rows > 0 {
            return self.way.rows;
        }
        let number = |place: &Option<Vec<String>>| -> Option<f64> {
            match &place.as_deref()? {
                [one] => one.parse().ok(),
                _ => None,
            }
        };
        // Keys that are numbers mostly begin near 0.
        match (number(&self.job.cursor), number(&self.job.last)) {
            (Some(cursor), Some(last)) if cursor > 0.0 => (self.job.seen as f64 * (last / cursor)) as u64,
            _ => 0,
        }
    }
}

fn id_goes_on(job: Option<Job>) -> bool {
    job.is_some_and(|job| job.standing == Standing::Running)
}

/// A column as SQL writes it: in quotes, or folded.
fn named(written: &str) -> Ident {
    match written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inside) => Ident::quoted(&inside.replace("\"\"", "\"")),
        None => Ident::folded(written),
    }
}

/// What has committed stays, whatever ended it.
fn partway(trouble: Trouble, job: &Job) -> Trouble {
    match trouble {
        Trouble::Lost(refusal) => Trouble::Lost(refusal),
        other if job.batches > 0 => Trouble::Partway { batches: job.batches, rows: job.rows, why: Box::new(other) },
        other => other,
    }
}

/// A wait is told of again after this time.
const TOLD_AGAIN: Duration = Duration::from_secs(10);

/// How much longer than its statements a batch may take to be heard of.
const GRACE: Duration = Duration::from_secs(60);

/// query_canceled
const CANCELED: &str = "57014";

/// Ours: batches cannot go on.
const NO_BATCH: &str = "LK006";

pub(super) fn failed(message: String) -> Trouble {
    Trouble::Failed(Refusal { code: NO_BATCH.to_owned(), message })
}
