//! One try of a step that runs in a transaction.

use super::statement::Timeouts;
use super::{Executor, Trouble};
use crate::apply::draft::Work;
use crate::apply::failpoint;
use crate::apply::ledger::write::{self, Begun};
use crate::apply::ledger::{Direction, text};
use crate::apply::step::Step;
use crate::model::operation::Operation;

impl Executor<'_> {
    /// Runs the step in a transaction that also says that the step is done. If anything goes wrong, nothing has happened.
    pub(super) async fn in_transaction(&mut self, work: &Work, step: &Step, direction: Direction, attempt: u32) -> Result<(), Trouble> {
        let begun = Begun { run: self.run, key: &work.draft.key, direction, step, pid: self.sessions.work.pid(), attempt };
        let row = write::begin_step(&mut self.sessions.watch, &begun).await?;
        failpoint::reach("step-begun");
        match self.transaction(work, step, row).await {
            Ok(()) => Ok(()),
            Err(Trouble::Lost(refusal)) => Err(Trouble::Lost(refusal)),
            Err(trouble) => {
                // A session that cannot roll back is gone, and the server rolls back for it.
                let rolled_back = self.sessions.work.run("ROLLBACK").await;
                write::end_step(&mut self.sessions.watch, row, "failed", Some(&trouble.to_string())).await?;
                rolled_back.map_err(Trouble::from)?;
                Err(trouble)
            }
        }
    }

    async fn transaction(&mut self, work: &Work, step: &Step, row: i64) -> Result<(), Trouble> {
        let mut timeouts = Timeouts::new(self.limits.lock.timeout, self.limits.statement_timeout);
        let began_at = self.wal().await?;
        self.sessions.work.run("BEGIN").await?;
        self.set_timeouts(timeouts).await?;
        for (at, (span, sql)) in step.statements.iter().zip(work.texts(step)) {
            debug_assert_eq!(work.script.statements[*at].span, span);
            self.statement(sql, &mut timeouts).await?;
            if sets_timeouts(work, *at) {
                self.set_timeouts(timeouts).await?;
            }
            failpoint::reach("statement-ended");
        }
        self.mark(work, step, row).await?;
        failpoint::reach("before-commit");
        self.statement("COMMIT", &mut timeouts).await?;
        failpoint::reach("committed");
        let wal = self.wal_since(&began_at).await?;
        Ok(write::note_wal(&mut self.sessions.watch, row, &wal).await?)
    }

    /// Writes into the open transaction that the step is done, as the role that owns the ledger, and becomes again whoever the file wants.
    async fn mark(&mut self, work: &Work, step: &Step, row: i64) -> Result<(), Trouble> {
        let mark = write::done_inside(row);
        if !step.statements.iter().chain(work.steps.iter().flat_map(|step| &step.statements)).any(|at| changes_role(work, *at)) {
            return Ok(self.sessions.work.run(&mark).await?);
        }
        let who = "SELECT pg_catalog.current_setting('session_authorization') UNION ALL SELECT pg_catalog.current_setting('role')";
        let roles = self.sessions.work.texts(who).await?;
        self.sessions.work.run("RESET SESSION AUTHORIZATION").await?;
        self.sessions.work.run(&mark).await?;
        if let [session, role] = &roles[..] {
            self.sessions.work.run(&format!("SET SESSION AUTHORIZATION {}", text(session))).await?;
            self.sessions.work.run(&format!("SET ROLE {}", text(role))).await?;
        }
        Ok(())
    }

    /// Where the server's write-ahead log stands; nothing where that is not told.
    pub(super) async fn wal(&mut self) -> Result<String, Trouble> {
        let place = "SELECT CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_current_wal_insert_lsn()::text END";
        Ok(self.sessions.watch.texts(place).await?.concat())
    }

    pub(super) async fn wal_since(&mut self, place: &str) -> Result<String, Trouble> {
        if place.is_empty() {
            return Ok("0".to_owned());
        }
        let bytes = format!("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), {})::text", text(place));
        Ok(self.sessions.watch.texts(&bytes).await?.concat())
    }
}

fn operations(work: &Work, at: usize) -> impl Iterator<Item = &Operation> {
    work.script.statements.get(at).into_iter().flat_map(|statement| &statement.operations).map(|operation| &operation.what)
}

/// Whether a statement touches our timeouts. What a function or a body sets is not seen, and lasts no longer than the transaction's tries.
fn sets_timeouts(work: &Work, at: usize) -> bool {
    operations(work, at).any(|operation| match operation {
        Operation::Set { name, .. } => matches!(&**name, "lock_timeout" | "statement_timeout"),
        Operation::Reset { name } => name.as_deref().is_none_or(|name| matches!(name, "lock_timeout" | "statement_timeout")),
        _ => false,
    })
}

fn changes_role(work: &Work, at: usize) -> bool {
    operations(work, at).any(|operation| match operation {
        Operation::Set { name, .. } => matches!(&**name, "role" | "session_authorization"),
        _ => false,
    })
}
