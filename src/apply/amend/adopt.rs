//! `adopt`: what another tool has run here counts as run.

use super::{Change, Known, ledger_verdict, refused};
use crate::apply::foreign::{self, Table, Tool};
use crate::apply::ledger::State;
use crate::apply::verdict::Verdict;
use crate::db::Connection;

/// Whose history is taken over, and how.
#[derive(Clone, Copy, Debug)]
pub struct Adopt<'a> {
    /// This tool's; `None`: of whom there is a table.
    pub from: Option<Tool>,
    /// The table, if it has not its usual name.
    pub table: Option<&'a str>,
    /// Whether its table says from now on what lockkeeper runs.
    pub keep: bool,
}

/// The baseline of exactly those that the tool has run. Its table is only read.
pub(super) async fn changes(connection: &mut Connection, known: &Known, adopt: Adopt<'_>) -> Result<Vec<Change>, Verdict> {
    let table = foreign::find(connection, adopt.from, adopt.table).await.map_err(ledger_verdict)?;
    let table = table.map_err(|problem| Verdict::Refused(vec![problem]))?;
    if let Some(why) = foreign::refuses(table.tool).filter(|_| adopt.keep) {
        let message = format!("{} cannot be kept in step: {why}", table.name);
        return Err(refused("apply::adopt", message, "adopt without --keep-in-step; from then on lockkeeper alone runs migrations here"));
    }
    let rows = table.rows(connection).await.map_err(ledger_verdict)?;
    let ran = foreign::fit(&table, &rows, &known.drafts).map_err(Verdict::Refused)?;
    let mut changes = Vec::new();
    for draft in ran {
        match known.entry(&draft.key).map(|entry| entry.state) {
            None | Some(State::RolledBack) => changes.push(Change::Baselined(Box::new(draft.clone()))),
            Some(State::Applied | State::Baselined) => {}
            Some(State::Applying | State::RollingBack) => {
                let message = format!("{} has run by {}, and was begun here and has not ended", draft.key, table.name);
                return Err(refused("apply::adopt", message, "end it first: `lockkeeper status` tells how it stands"));
            }
        }
    }
    let before = foreign::adopted(connection).await.map_err(ledger_verdict)?;
    changes.extend(settled(&before, table, adopt.keep));
    Ok(changes)
}

/// That this table is the one whose history was taken over, unless the ledger says just that.
fn settled(before: &[(Table, bool)], table: Table, keep: bool) -> Option<Change> {
    let known = before.iter().any(|(one, kept)| one.name == table.name && one.tool == table.tool && *kept == keep);
    let other_kept = before.iter().any(|(one, kept)| one.name != table.name && *kept);
    (!known || (keep && other_kept)).then_some(Change::Adopted { table, keep })
}
