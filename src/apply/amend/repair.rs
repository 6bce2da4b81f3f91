//! `repair`: files that are no longer what ran, and files that are gone.

use super::{Change, Known, refused};
use crate::apply::due::{self, Item, Status};
use crate::apply::ledger::State;
use crate::apply::verdict::Verdict;

/// Takes the text of today for what has changed; forgets what is gone only if it is named.
pub(super) fn changes(known: &Known, only: Option<&str>) -> Result<Vec<Change>, Verdict> {
    let items = due::items(&known.drafts, &known.entries);
    if let Some(key) = only {
        let Some(item) = items.iter().find(|item| item.key == key) else { return Err(known.no_such(key)) };
        return Ok(change(known, item, true)?.into_iter().collect());
    }
    items.iter().filter_map(|item| change(known, item, false).transpose()).collect()
}

fn change(known: &Known, item: &Item, named: bool) -> Result<Option<Change>, Verdict> {
    let running = || known.entry(&item.key).is_some_and(|entry| matches!(entry.state, State::Applying | State::RollingBack));
    match item.status {
        Status::Changed | Status::Reformatted => {
            let draft = known.drafts.iter().find(|draft| draft.key == item.key);
            Ok(draft.map(|draft| Change::Text(Box::new(draft.clone()))))
        }
        Status::Missing | Status::Partial | Status::PartlyUndone if named && running() => {
            let message = format!("{} was begun and has not ended: what has become of it, a repair cannot say", item.key);
            Err(refused("apply::repair", message, "bring its file back, and let `lockkeeper apply` or `lockkeeper rollback` end it"))
        }
        Status::Missing if named => Ok(Some(Change::Forgotten(item.key.clone()))),
        Status::Missing
        | Status::Applied
        | Status::Baselined
        | Status::Pending
        | Status::OutOfOrder
        | Status::Partial
        | Status::PartlyUndone => Ok(None),
    }
}
