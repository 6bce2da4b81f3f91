//! Sessions that are ended because they are in the way: only those that lockkeeper.yaml names, and only after a try was spent on them.

use crate::apply::event::{Event, Tell};
use crate::apply::ledger::{text, write};
use crate::config::apply::Kill;
use crate::db::{Connection, Refusal};
use sqlx::Row;
use std::collections::BTreeSet;
use std::time::Duration;

/// A session that is in the way, and what there is to say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Blocker {
    pid: i32,
    /// When it began: the server gives the number of a process again.
    began: String,
    words: String,
}

/// Who was seen in the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// During tries that are over: process and beginning.
    before: BTreeSet<(i32, String)>,
    /// During this try.
    now: BTreeSet<(i32, String)>,
    /// Those that were ended, or cannot be: told once.
    answered: BTreeSet<(i32, String)>,
}

impl Spent {
    /// Another try of the same step begins.
    pub(super) fn next_try(&mut self) {
        self.before.append(&mut self.now);
    }
}

/// Whose session it is, and since when it does what.
pub(super) struct Hunt<'a> {
    pub watch: &'a mut Connection,
    /// The session that waits.
    pub pid: i32,
    pub run: i64,
    /// How long an idle transaction has to have been idle.
    pub idle: Duration,
    pub kill: &'a Kill,
}

impl Hunt<'_> {
    /// Ends who blocks us now, has blocked a try before, and may be ended. Each is in the ledger before it is ended.
    pub(super) async fn end(&mut self, spent: &mut Spent, tell: Tell<'_>) -> Result<(), Refusal> {
        let Some(query) = self.query() else { return Ok(()) };
        for blocker in self.blockers(&query).await? {
            let known = (blocker.pid, blocker.began.clone());
            spent.now.insert(known.clone());
            if !spent.before.contains(&known) || !spent.answered.insert(known) {
                continue;
            }
            write::event(self.watch, self.run, "kill", &blocker.words).await?;
            // Asked again in the same statement: it may have gone on by now, and then it is not ended.
            let end = format!(
                "SELECT CASE WHEN pg_terminate_backend(b.pid) THEN 'ended' END FROM ({query}) b WHERE b.pid = {} AND b.began = {}",
                blocker.pid,
                text(&blocker.began)
            );
            let outcome = match self.watch.texts(&end).await {
                Ok(rows) if rows.concat() == "ended" => "ended by pg_terminate_backend".to_owned(),
                Ok(_) => "not ended: it has gone on by itself".to_owned(),
                Err(refusal) if refusal.code == NO_RIGHT => format!("not ended: {refusal}; GRANT pg_signal_backend to this role"),
                Err(refusal) => return Err(refusal),
            };
            let words = format!("{}: {outcome}", blocker.words);
            write::event(self.watch, self.run, "kill", &words).await?;
            tell(&Event::Killed { what: words });
        }
        Ok(())
    }

    async fn blockers(&mut self, query: &str) -> Result<Vec<Blocker>, Refusal> {
        let read = |row: &sqlx::postgres::PgRow| -> Result<Blocker, Refusal> {
            Ok(Blocker { pid: row.try_get(0)?, began: row.try_get(1)?, words: row.try_get(2)? })
        };
        self.watch.rows(query).await?.iter().map(read).collect()
    }

    /// The sessions that may be ended, of those that block ours at this moment: of this database, of no superuser, none that replicates, none of
    /// lockkeeper's own.
    fn query(&self) -> Option<String> {
        let which = match self.kill {
            Kill::Never => return None,
            Kill::IdleInTransaction => format!(
                "a.state LIKE 'idle in transaction%' AND clock_timestamp() - a.state_change >= interval '{} ms'",
                self.idle.as_millis()
            ),
            Kill::Applications(names) => {
                let names: Vec<_> = names.iter().map(|name| text(name)).collect();
                format!("a.application_name IN ({})", names.join(", "))
            }
        };
        Some(format!(
            "SELECT a.pid, coalesce(a.backend_start::text, '') AS began,
                    'process ' || a.pid || ' (' || coalesce(a.application_name, '') || ' of ' || a.usename || '), ' || coalesce(a.state, 'its state is hidden')
                    || coalesce(', query since ' || to_char(a.query_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC', '') AS words
             FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid
             WHERE a.pid = ANY (pg_blocking_pids({pid})) AND a.datname = current_database() AND NOT r.rolsuper
                   AND coalesce(a.backend_type, 'client backend') = 'client backend' AND a.application_name NOT LIKE 'lockkeeper%'
                   AND a.pid NOT IN (pg_backend_pid(), {pid}) AND {which}",
            pid = self.pid
        ))
    }
}

/// insufficient_privilege
const NO_RIGHT: &str = "42501";
