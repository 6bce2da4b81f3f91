//! `baseline`: what had run before there was a ledger.

use super::{Change, Known, refused};
use crate::apply::ledger::State;
use crate::apply::verdict::Verdict;

/// Everything up to a version that is not baselined yet. What runs again whenever it changes will run once more.
pub(super) fn changes(known: &Known, to: &str) -> Result<Vec<Change>, Verdict> {
    let Some(last) = known.drafts.iter().position(|draft| draft.key == to) else { return Err(known.no_such(to)) };
    let mut changes = Vec::new();
    for draft in known.drafts[..=last].iter().filter(|draft| !draft.repeatable || draft.key == to) {
        let how = match known.entry(&draft.key).map(|entry| entry.state) {
            None | Some(State::RolledBack) => {
                changes.push(Change::Baselined(Box::new(draft.clone())));
                continue;
            }
            Some(State::Baselined) => continue,
            Some(State::Applied) => "has run here, and the ledger says so",
            Some(State::Applying) => "was begun here, and has not ended",
            Some(State::RollingBack) => "is being undone here, and that has not ended",
        };
        let message = format!("{} {how}: a baseline is for what ran before there was a ledger", draft.key);
        return Err(refused("apply::baseline", message, "`lockkeeper status` tells of each; nothing was changed"));
    }
    Ok(changes)
}
