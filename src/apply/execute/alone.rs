//! One try of a statement that runs outside of a transaction: the catalog is asked before and after.

use super::statement::Timeouts;
use super::{Executor, Trouble};
use crate::apply::draft::Work;
use crate::apply::event::Event;
use crate::apply::failpoint;
use crate::apply::ledger::Direction;
use crate::apply::ledger::write::{self, Begun};
use crate::apply::predicate::{self, Evidence};
use crate::apply::session::ANSWER;
use crate::apply::step::Step;
use crate::db::Refusal;
use crate::model::kind::OpKind;
use crate::model::operation::Operation;
use crate::sql::Statement;
use std::time::Duration;
use tokio::time::Instant;

/// As long as the server can count (2^31 ms).
const NO_END: Duration = Duration::from_secs(24 * 24 * 3600);

/// How often it is asked whether somebody is still at work.
const TICK: Duration = Duration::from_millis(500);

impl Executor<'_> {
    /// Runs the statement, and leaves nothing half-done behind if it fails.
    pub(super) async fn alone(&mut self, work: &Work, step: &Step, direction: Direction, attempt: u32) -> Result<(), Trouble> {
        let (Some(statement), Some((_, sql))) =
            (step.statements.first().and_then(|at| work.script.statements.get(*at)), work.texts(step).next())
        else {
            return Ok(());
        };
        let evidence = self.clear(work, statement).await?;
        if let Evidence::Differs { why } = evidence {
            return Err(Trouble::Failed(Refusal { code: DUPLICATE.to_owned(), message: why }));
        }
        let begun = Begun { run: self.run, key: &work.draft.key, direction, step, pid: self.sessions.work.pid(), attempt };
        let row = write::begin_step(&mut self.sessions.watch, &begun).await?;
        if evidence == Evidence::Done && statement.operations.iter().any(|operation| operation.what.kind() == OpKind::CreateIndex) {
            // Somebody has built exactly this index by hand, or an earlier migration has.
            write::end_step(&mut self.sessions.watch, row, "adopted", None).await?;
            (self.tell)(&Event::StepKnown {
                number: step.number,
                why: "the index is there already, exactly as it would be built".to_owned(),
            });
            return Ok(());
        }
        failpoint::reach("alone-begun");
        let (mut timeouts, began_at) = (self.in_time(self.timeouts(work, statement)), self.wal().await?);
        self.set_timeouts_alone(timeouts).await?;
        let number = if may_commit_inside(work, statement) { self.transactions().await } else { None };
        match self.statement(sql, &mut timeouts).await {
            Ok(()) => {}
            Err(Trouble::Lost(refusal)) => return Err(Trouble::Lost(refusal)),
            Err(trouble) if number.is_some() && self.transactions().await != number.map(|before| before + 2) => {
                // It stays begun in the ledger, so that no other run repeats what has committed.
                return Err(Trouble::Unclear(format!(
                    "{trouble}; what its code had committed before that stays; look, and say whether it counts as run: \
                     `lockkeeper resolve {} --step {} --as done` or `--as not-run`",
                    work.draft.key, step.number
                )));
            }
            Err(trouble) => {
                write::end_step(&mut self.sessions.watch, row, "failed", Some(&trouble.to_string())).await?;
                self.clear(work, statement).await?;
                return Err(trouble);
            }
        }
        failpoint::reach("alone-ended");
        match self.evidence(work, statement).await? {
            Evidence::Done | Evidence::Repeat | Evidence::Unknown { .. } => {}
            Evidence::NotYet => return Err(Trouble::Unclear("the server has run it, and the catalog does not show it".to_owned())),
            Evidence::Differs { why } => {
                write::end_step(&mut self.sessions.watch, row, "failed", Some(&why)).await?;
                return Err(Trouble::Failed(Refusal { code: DUPLICATE.to_owned(), message: why }));
            }
            Evidence::Leftover { what, .. } | Evidence::Busy { what, .. } => {
                write::end_step(&mut self.sessions.watch, row, "failed", Some(&what)).await?;
                self.clear(work, statement).await?;
                return Err(Trouble::Busy(Refusal { code: INVALID.to_owned(), message: what }));
            }
        }
        write::end_step(&mut self.sessions.watch, row, "done", None).await?;
        let wal = self.wal_since(&began_at).await?;
        Ok(write::note_wal(&mut self.sessions.watch, row, &wal).await?)
    }

    /// The number of the working session's transaction, counted by the server: two looks with a statement between them are two apart, unless
    /// the statement has ended transactions of its own.
    async fn transactions(&mut self) -> Option<i64> {
        let number = "SELECT pg_catalog.split_part(virtualtransaction, '/', 2) FROM pg_catalog.pg_locks \
                      WHERE pid = pg_catalog.pg_backend_pid() AND locktype = 'virtualxid' LIMIT 1";
        // A statement that was left alone by a second signal still runs, and then nobody waits for its answer.
        let texts = tokio::time::timeout(ANSWER, self.sessions.work.texts(number)).await.ok()?.ok()?;
        texts.first()?.parse().ok()
    }

    /// What the catalog says of a statement.
    pub(super) async fn evidence(&mut self, work: &Work, statement: &Statement) -> Result<Evidence, Trouble> {
        let path = self.sessions.work.texts("SELECT pg_catalog.current_setting('search_path')").await?.concat();
        Ok(predicate::look(&mut self.sessions.watch, statement, work.source(), &path).await?)
    }

    /// The same, once no session may be at work on it any more.
    async fn unhurried_evidence(&mut self, work: &Work, statement: &Statement) -> Result<Evidence, Trouble> {
        let begin = Instant::now();
        loop {
            let evidence = self.evidence(work, statement).await?;
            let Evidence::Busy { pid, what } = &evidence else { return Ok(evidence) };
            if begin.elapsed() > self.limits.index.timeout {
                return Err(Trouble::Unclear(format!("process {pid} is still at work: {what}")));
            }
            (self.tell)(&Event::Waiting { blockers: vec![format!("process {pid}: {what}")], queue: 0 });
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                _ = self.stop.signal() => return Err(Trouble::Interrupted),
            }
        }
    }

    /// Removes what a try has left behind, and says how it stands then.
    pub(super) async fn clear(&mut self, work: &Work, statement: &Statement) -> Result<Evidence, Trouble> {
        let evidence = self.unhurried_evidence(work, statement).await?;
        let Evidence::Leftover { what, drop } = evidence else { return Ok(evidence) };
        (self.tell)(&Event::Cleanup { what: what.clone() });
        self.event("cleanup", &what).await?;
        let mut timeouts = Timeouts::new(self.limits.index.lock_timeout, self.limits.index.timeout);
        self.set_timeouts_alone(timeouts).await?;
        // What is half-done is removed, even if the window has ended meanwhile.
        let until = self.until.take();
        let dropped = self.statement(&drop, &mut timeouts).await;
        self.until = until;
        dropped?;
        self.evidence(work, statement).await
    }

    /// The waits of index builds stop nobody; a short timeout only breeds leftovers. All others wait in the way of somebody.
    /// A loop in batches is as long as its table.
    fn timeouts(&self, work: &Work, statement: &Statement) -> Timeouts {
        if work.batches.is_some() {
            return Timeouts::new(self.limits.lock.timeout, NO_END);
        }
        let is_index = |operation: &Operation| matches!(operation.kind(), OpKind::CreateIndex | OpKind::DropIndex | OpKind::Reindex);
        let patient = statement.operations.iter().any(|operation| is_index(&operation.what));
        let lock = if patient { self.limits.index.lock_timeout } else { self.limits.lock.timeout };
        Timeouts::new(lock, self.limits.index.timeout)
    }

    /// As ours are the longer ones here, the file's own do not count.
    async fn set_timeouts_alone(&mut self, timeouts: Timeouts) -> Result<(), Trouble> {
        let sql = format!("SET lock_timeout = {}; SET statement_timeout = {}", timeouts.lock.as_millis(), timeouts.statement.as_millis());
        Ok(self.sessions.work.run(&sql).await?)
    }
}

/// Whether the code that a statement calls may commit by itself. A loop in batches does, and may be run as often as one likes.
fn may_commit_inside(work: &Work, statement: &Statement) -> bool {
    let calls = |operation: &Operation| matches!(operation, Operation::DoBlock { .. } | Operation::Call { .. });
    work.batches.is_none() && statement.operations.iter().any(|operation| calls(&operation.what))
}

/// duplicate_object
const DUPLICATE: &str = "42710";

/// Ours: what was built is not valid.
const INVALID: &str = "LK003";
