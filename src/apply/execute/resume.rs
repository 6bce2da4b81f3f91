//! Where a migration stands that was begun before: by the ledger, by the server's sessions, and by the catalog.

use super::{Executor, Trouble};
use crate::apply::draft::Work;
use crate::apply::event::Event;
use crate::apply::ledger::{self, Direction, StepEntry, write};
use crate::apply::predicate::Evidence;
use crate::apply::step::{Kind, Step};
use crate::apply::wish::quoted;
use crate::model::operation::Operation;
use crate::sql::Statement;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::Instant;

/// How often an old session is looked for.
const TICK: Duration = Duration::from_millis(250);

impl Executor<'_> {
    /// The numbers of the steps that need not run any more. Waits until no session works on one of them.
    pub(super) async fn known(&mut self, work: &Work, direction: Direction) -> Result<BTreeSet<u32>, Trouble> {
        let entries = self.settled(work, direction).await?;
        let mut known = BTreeSet::new();
        for entry in entries {
            let Some(step) = work.steps.iter().find(|step| i64::from(step.number) == i64::from(entry.number)) else {
                if entry.is_done() {
                    return Err(Trouble::Contradiction(format!("step {} has run, and the file has no such step any more", entry.number)));
                }
                continue;
            };
            if entry.is_done() && entry.hash != step.hash {
                return Err(Trouble::Contradiction(format!("step {} has run, and its SQL is another one now", entry.number)));
            }
            if entry.is_done() || (entry.state == "started" && self.has_happened(work, step, &entry).await?) {
                (self.tell)(&Event::StepKnown { number: step.number, why: how_known(&entry).to_owned() });
                known.insert(step.number);
            }
        }
        Ok(known)
    }

    /// The steps that were begun, once no session works on them any more.
    async fn settled(&mut self, work: &Work, direction: Direction) -> Result<Vec<StepEntry>, Trouble> {
        let begin = Instant::now();
        loop {
            let entries = ledger::steps(&mut self.sessions.watch, &work.draft.key, direction).await?;
            let Some(alive) = entries.iter().find(|entry| entry.state == "started" && entry.alive) else { return Ok(entries) };
            if begin.elapsed() > self.limits.reconnect {
                let pid = alive.pid;
                return Err(Trouble::Unclear(format!(
                    "process {pid} still works on step {} for a run that is gone; `SELECT pg_terminate_backend({pid})` ends it",
                    alive.number
                )));
            }
            (self.tell)(&Event::Waiting {
                blockers: vec![format!("process {}, which still works on step {}", alive.pid, alive.number)],
                queue: 0,
            });
            tokio::select! {
                () = tokio::time::sleep(TICK) => {}
                _ = self.stop.signal() => return Err(Trouble::Interrupted),
            }
        }
    }

    /// Whether a step that was begun, and of which nobody knows how it ended, has happened. In a transaction it has not: that it is done would
    /// stand in the ledger.
    async fn has_happened(&mut self, work: &Work, step: &Step, entry: &StepEntry) -> Result<bool, Trouble> {
        let statement = step.statements.first().and_then(|at| work.script.statements.get(*at));
        let (Kind::Alone, Some(statement)) = (step.kind, statement) else {
            let why =
                if step.kind == Kind::Backfill { "the session ended between two batches" } else { "the session ended before it committed" };
            write::end_step(&mut self.sessions.watch, entry.id, "failed", Some(why)).await?;
            return Ok(false);
        };
        match self.evidence_of(work, statement).await? {
            Evidence::Done => {
                write::end_step(&mut self.sessions.watch, entry.id, "adopted", None).await?;
                self.event("adopted", &format!("{} step {}: the catalog shows that it has happened", work.draft.key, step.number)).await?;
                Ok(true)
            }
            Evidence::NotYet | Evidence::Repeat | Evidence::Busy { .. } | Evidence::Leftover { .. } | Evidence::Differs { .. } => {
                write::end_step(
                    &mut self.sessions.watch,
                    entry.id,
                    "failed",
                    Some("the session ended, and the catalog does not show it done"),
                )
                .await?;
                Ok(false)
            }
            Evidence::Unknown { why } => Err(Trouble::Unclear(format!(
                "nobody knows whether step {} has run ({why}); look, and say so: `lockkeeper resolve {} --step {} --as done --reason WHY`, or \
                 `--as not-run`",
                step.number,
                quoted(&work.draft.key),
                step.number
            ))),
        }
    }

    /// What the catalog says of a statement; of a loop in batches, which may be run as often as one likes, its file's own queries say it.
    async fn evidence_of(&mut self, work: &Work, statement: &Statement) -> Result<Evidence, Trouble> {
        let is_loop =
            work.batches.is_some() && statement.operations.iter().any(|operation| matches!(operation.what, Operation::DoBlock { .. }));
        let verifies = work.header().filter(|_| is_loop).map_or(Vec::new(), |header| header.verifies);
        if verifies.is_empty() {
            return self.clear(work, statement).await;
        }
        for query in verifies {
            if !self.ask(query).await? {
                return Ok(Evidence::Repeat);
            }
        }
        Ok(Evidence::Done)
    }

    /// Sets for the session again what the steps that have run have set for it.
    pub(super) async fn set_again(&mut self, work: &Work, known: &BTreeSet<u32>) -> Result<(), Trouble> {
        for step in work.steps.iter().filter(|step| known.contains(&step.number)) {
            for (at, (_, sql)) in step.statements.iter().zip(work.texts(step)) {
                let operations = &work.script.statements[*at].operations;
                let is_setting = |operation: &Operation| matches!(operation, Operation::Set { local: false, .. } | Operation::Reset { .. });
                if !operations.is_empty() && operations.iter().all(|operation| is_setting(&operation.what)) {
                    self.sessions.work.run(sql).await?;
                }
            }
        }
        Ok(())
    }
}

fn how_known(entry: &StepEntry) -> &'static str {
    match entry.state.as_str() {
        "done" => "it has run before",
        _ => "the catalog shows that it has happened",
    }
}
