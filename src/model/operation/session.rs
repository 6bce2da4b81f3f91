//! Transactions in two phases, and values of settings.

/// The statements of a transaction in two phases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TwoPhase {
    /// PREPARE TRANSACTION: ends the current transaction, whose locks stay.
    Prepare,
    /// COMMIT PREPARED.
    Commit,
    /// ROLLBACK PREPARED.
    Rollback,
}

/// The right side of SET.
#[derive(Clone, Debug, PartialEq)]
pub enum SettingValue {
    /// A literal or a word, quotes undone.
    Literal(Box<str>),
    /// Several of them with commas between, as `SET search_path = app, public` has; bare words folded.
    List(Vec<Box<str>>),
    /// Something else: a variable.
    Unknown,
}
