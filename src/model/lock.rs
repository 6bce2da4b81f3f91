//! The eight table lock modes and who waits for whom (manual: explicit-locking, table 13.2).

use std::fmt;

/// A table-level lock mode, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LockMode {
    /// Plain SELECT.
    AccessShare,
    /// SELECT FOR UPDATE and its kin.
    RowShare,
    /// INSERT, UPDATE, DELETE, MERGE.
    RowExclusive,
    /// VACUUM, CREATE INDEX CONCURRENTLY, VALIDATE CONSTRAINT.
    ShareUpdateExclusive,
    /// CREATE INDEX.
    Share,
    /// CREATE TRIGGER, ADD FOREIGN KEY.
    ShareRowExclusive,
    /// REFRESH MATERIALIZED VIEW CONCURRENTLY.
    Exclusive,
    /// Most forms of ALTER TABLE, DROP, TRUNCATE.
    AccessExclusive,
}

impl LockMode {
    /// All modes, weakest first.
    pub const ALL: [Self; 8] = [
        Self::AccessShare,
        Self::RowShare,
        Self::RowExclusive,
        Self::ShareUpdateExclusive,
        Self::Share,
        Self::ShareRowExclusive,
        Self::Exclusive,
        Self::AccessExclusive,
    ];

    /// The manual's words: `ACCESS EXCLUSIVE`.
    pub const fn words(self) -> &'static str {
        match self {
            Self::AccessShare => "ACCESS SHARE",
            Self::RowShare => "ROW SHARE",
            Self::RowExclusive => "ROW EXCLUSIVE",
            Self::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Self::Share => "SHARE",
            Self::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Self::Exclusive => "EXCLUSIVE",
            Self::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }

    /// The word that rule files use: `access_exclusive`.
    pub const fn id(self) -> &'static str {
        match self {
            Self::AccessShare => "access_share",
            Self::RowShare => "row_share",
            Self::RowExclusive => "row_exclusive",
            Self::ShareUpdateExclusive => "share_update_exclusive",
            Self::Share => "share",
            Self::ShareRowExclusive => "share_row_exclusive",
            Self::Exclusive => "exclusive",
            Self::AccessExclusive => "access_exclusive",
        }
    }

    /// Reads [`LockMode::words`] or [`LockMode::id`], or the name that `pg_locks.mode` shows (`AccessExclusiveLock`).
    pub fn read(text: &str) -> Option<Self> {
        let as_pg_locks = |mode: Self| format!("{}Lock", mode.words().split(' ').map(capitalised).collect::<String>());
        Self::ALL.into_iter().find(|mode| mode.words() == text || mode.id() == text || as_pg_locks(*mode) == text)
    }

    /// Whether a plain SELECT has to wait while this lock is held.
    pub fn blocks_reads(self) -> bool {
        self == Self::AccessExclusive
    }

    /// Whether INSERT, UPDATE and DELETE have to wait while this lock is held.
    pub fn blocks_writes(self) -> bool {
        self >= Self::Share
    }

    /// Whether two sessions cannot hold these two at once on one relation.
    pub fn conflicts_with(self, other: Self) -> bool {
        use LockMode::{AccessExclusive, AccessShare, Exclusive, RowExclusive, RowShare, Share, ShareRowExclusive, ShareUpdateExclusive};
        let (weak, strong) = if self <= other { (self, other) } else { (other, self) };
        match weak {
            AccessShare => strong == AccessExclusive,
            RowShare => strong >= Exclusive,
            RowExclusive => strong >= Share,
            ShareUpdateExclusive => strong >= ShareUpdateExclusive,
            // SHARE is the one mode above SHARE UPDATE EXCLUSIVE that does not conflict with itself.
            Share => strong != Share,
            ShareRowExclusive | Exclusive | AccessExclusive => true,
        }
    }
}

fn capitalised(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    format!("{first}{}", rest.to_ascii_lowercase())
}

impl fmt::Display for LockMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// Who waits for a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocks {
    /// Plain SELECT.
    pub reads: Blocked,
    /// INSERT, UPDATE, DELETE.
    pub writes: Blocked,
}

/// For how long others wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Blocked {
    /// Not at all.
    No,
    /// As long as a catalog change takes.
    Brief,
    /// Nothing can be known.
    Unknown,
    /// For a time that grows with the table.
    Long,
}

impl Blocked {
    /// The word of reports and rule files.
    pub const fn word(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Brief => "brief",
            Self::Unknown => "unknown",
            Self::Long => "long",
        }
    }
}
