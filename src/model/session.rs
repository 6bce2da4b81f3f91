//! The connection that runs the migration: the open transaction, its settings, the locks it holds.

use super::catalog::Step;
use super::effects::{Effects, Lock};
use super::operation::Operation;
use std::time::Duration;

/// How the statements of a file are put into transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionMode {
    /// Nothing tells. `true`: taken to run in one transaction; `false`: in none, because the file holds a statement that refuses one.
    Assumed(bool),
    /// The runner opens a transaction around the file.
    Runner,
    /// Each statement commits for itself.
    None,
    /// The whole file is sent as one message, which the server runs as one transaction unless the file says BEGIN.
    OneMessage,
    /// The file says BEGIN and COMMIT itself; outside them each statement commits for itself.
    Explicit,
}

/// The state of the connection before a statement.
#[derive(Clone, Debug)]
pub struct Session {
    _todo: (),
}

/// A lock held since an earlier statement of the same transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// What and how.
    pub lock: Lock,
    /// Index of the statement that took it, in its file.
    pub by: usize,
}

/// Where the value of a timeout comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timeout {
    /// Nobody set it: the server's default, 0, unless the role says otherwise.
    Unset,
    /// Set to 0: waits forever.
    Off,
    /// Set to this.
    After(Duration),
    /// Set to something that cannot be read.
    Unknown,
}

impl Session {
    /// A fresh connection before the first statement of a file.
    pub fn new(_mode: TransactionMode, _step: Step) -> Self {
        todo!()
    }

    /// The mode of the file.
    pub fn mode(&self) -> TransactionMode {
        todo!()
    }

    /// Whether the next statement runs in a transaction that other statements share.
    pub fn in_transaction(&self) -> bool {
        todo!()
    }

    /// Whether the open transaction was opened by BEGIN in the file.
    pub fn in_explicit_transaction(&self) -> bool {
        todo!()
    }

    /// lock_timeout as it is now.
    pub fn lock_timeout(&self) -> Timeout {
        todo!()
    }

    /// statement_timeout as it is now.
    pub fn statement_timeout(&self) -> Timeout {
        todo!()
    }

    /// TimeZone, if the file sets it.
    pub fn time_zone(&self) -> Option<&str> {
        todo!()
    }

    /// The locks that the open transaction holds from earlier statements, strongest mode for each relation.
    pub fn held(&self) -> &[Held] {
        todo!()
    }

    /// Moves on by one operation of the statement `statement` (its index in the file).
    pub fn advance(&mut self, _operation: &Operation, _effects: &Effects, _statement: usize) {
        todo!()
    }
}
