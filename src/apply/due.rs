//! What there is to do: files held against the ledger. Pure.

use super::draft::Draft;
use super::ledger::{Entry, State};

/// One migration, as files and ledger together tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// By what the ledger knows it.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub status: Status,
}

/// Where a migration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It has run.
    Applied,
    /// It had run when lockkeeper came.
    Baselined,
    /// It has not run, and nothing behind it has.
    Pending,
    /// It has not run, though something behind it has.
    OutOfOrder,
    /// It was begun, and has not ended.
    Partial,
    /// Its way back was begun, and has not ended.
    PartlyUndone,
    /// It has run, and its SQL is another one now.
    Changed,
    /// It has run, and its comments or line ends are others now.
    Reformatted,
    /// It has run, and its file is gone.
    Missing,
}

impl Status {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Baselined => "there before lockkeeper",
            Self::Pending => "pending",
            Self::OutOfOrder => "pending, behind ones that have run",
            Self::Partial => "begun, not ended",
            Self::PartlyUndone => "partly undone",
            Self::Changed => "changed since it ran",
            Self::Reformatted => "applied; only comments or line ends have changed since",
            Self::Missing => "applied, and its file is gone",
        }
    }

    /// Whether `apply` would run it.
    pub fn is_due(self) -> bool {
        matches!(self, Self::Pending | Self::OutOfOrder | Self::Partial)
    }

    /// Whether the ledger and the files contradict each other.
    pub fn is_wrong(self) -> bool {
        matches!(self, Self::Changed | Self::Missing | Self::PartlyUndone)
    }
}

/// Holds files against the ledger, in the order of the files; what has no file any more comes last. A repeatable migration that has changed
/// is pending again.
pub fn items(drafts: &[Draft], entries: &[Entry]) -> Vec<Item> {
    let entry = |draft: &Draft| entries.iter().find(|entry| entry.key == draft.key && entry.state != State::RolledBack);
    let last_run = drafts.iter().rposition(|draft| !draft.repeatable && entry(draft).is_some_and(|entry| entry.state != State::Applying));
    let mut items: Vec<_> = drafts
        .iter()
        .enumerate()
        .map(|(at, draft)| {
            let status = match entry(draft) {
                Some(entry) => known(draft, entry),
                None if !draft.repeatable && last_run.is_some_and(|last| at < last) => Status::OutOfOrder,
                None => Status::Pending,
            };
            Item { key: draft.key.clone(), name: draft.name.clone(), status }
        })
        .collect();
    let is_gone = |entry: &&Entry| entry.state != State::RolledBack && !drafts.iter().any(|draft| draft.key == entry.key);
    items.extend(entries.iter().filter(is_gone).map(|entry| Item {
        key: entry.key.clone(),
        name: entry.name.clone(),
        status: Status::Missing,
    }));
    items
}

fn known(draft: &Draft, entry: &Entry) -> Status {
    match entry.state {
        State::Applying => Status::Partial,
        State::RollingBack => Status::PartlyUndone,
        State::RolledBack => Status::Pending,
        State::Applied | State::Baselined if entry.checksum == draft.checksum => match entry.state {
            State::Baselined => Status::Baselined,
            _ => Status::Applied,
        },
        State::Applied | State::Baselined if entry.hash == draft.hash => Status::Reformatted,
        State::Applied | State::Baselined if draft.repeatable => Status::Pending,
        State::Applied | State::Baselined => Status::Changed,
    }
}
