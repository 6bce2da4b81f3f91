//! What the server does for one operation: locks, rewrites, scans, index builds.

use super::catalog::Catalog;
use super::lock::LockMode;
use super::name::QualifiedName;
use super::operation::Operation;
use super::session::Session;
use crate::text::Located;

/// A major version of PostgreSQL, 12 to 19.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u8);

impl Version {
    /// The oldest that is known.
    pub const OLDEST: Self = Self(12);
    /// The newest that is known.
    pub const NEWEST: Self = Self(19);
    /// What is assumed if nothing says otherwise: the oldest major that is still maintained.
    pub const DEFAULT: Self = Self(15);
}

/// A lock that a statement takes on a relation.
#[derive(Clone, Debug, PartialEq)]
pub struct Lock {
    /// What is locked.
    pub relation: QualifiedName,
    /// The strongest mode.
    pub mode: LockMode,
}

/// Whether a statement may run inside a transaction block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InTransaction {
    /// It may.
    #[default]
    Allowed,
    /// The server refuses it.
    Forbidden,
}

/// Physical consequences, each of which can be observed on a server. Names are resolved by the catalog before the statement.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effects {
    /// Relations that existed before the statement, each once, strongest mode above ACCESS SHARE.
    pub locks: Vec<Lock>,
    /// Tables and materialized views whose rows are written anew.
    pub rewrites: Vec<QualifiedName>,
    /// Tables that are read as a whole while the locks are held.
    pub scans: Vec<QualifiedName>,
    /// Indexes that are built for the first time.
    pub builds: Vec<QualifiedName>,
    /// Indexes that existed and are built anew.
    pub rebuilds: Vec<QualifiedName>,
    /// Whether a transaction block is possible.
    pub transaction: InTransaction,
    /// Rows are changed or read in a number that no bound limits (UPDATE without key range, INSERT ... SELECT): how long it takes grows
    /// with the table although no strong lock is held.
    pub unbounded: bool,
    /// Facts that the history did not tell and that were taken at their worst: `column_type`, `table`, ...
    pub assumed: Vec<&'static str>,
}

impl Effects {
    /// Whether the time it holds its locks grows with a table.
    pub fn takes_long(&self) -> bool {
        !(self.rewrites.is_empty() && self.scans.is_empty() && self.builds.is_empty() && self.rebuilds.is_empty()) || self.unbounded
    }

    /// The lock on one relation.
    pub fn lock_on(&self, relation: &QualifiedName) -> Option<LockMode> {
        self.locks.iter().find(|lock| lock.relation == *relation).map(|lock| lock.mode)
    }
}

/// The effects of each operation of one statement, in order. A statement is judged as a whole, since the subcommands of one ALTER TABLE
/// share one lock and one pass over the table; each operation gets what it brings itself.
///
/// In: the operations of one statement, the catalog before it, the session before it, the server's major version.
pub fn assess(_statement: &[Located<Operation>], _before: &Catalog, _session: &Session, _server: Version) -> Vec<Effects> {
    todo!()
}

/// All effects of a statement together: strongest lock for each relation, everything else united.
pub fn union(_effects: &[Effects]) -> Effects {
    todo!()
}
