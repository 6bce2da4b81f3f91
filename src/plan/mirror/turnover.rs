//! What the short transaction does in which two columns change their names, and what its way back does.

/// Statements of one kind, forwards and backwards.
#[derive(Clone, Debug, Default)]
pub struct Both {
    /// Forwards.
    pub up: Vec<String>,
    /// On the way back.
    pub down: Vec<String>,
}

impl Both {
    /// One statement each way.
    pub fn push(&mut self, up: impl Into<String>, down: impl Into<String>) {
        self.up.push(up.into());
        self.down.push(down.into());
    }
}

/// The statements of the turnover, in the order in which they are run forwards.
#[derive(Clone, Debug, Default)]
pub struct Turnover {
    /// Foreign keys of others leave the column; on the way back those to the new one.
    pub unpoint: Both,
    /// What hangs on the old column gives up its names. Then the columns change theirs.
    pub away: Both,
    /// Where values come from: defaults, sequences, NOT NULL.
    pub values: Both,
    /// What hangs on the new column takes the names.
    pub place: Both,
    /// On the way back, last of all: foreign keys of others point to the old column again.
    pub repoint: Vec<String>,
    /// The old column has foreign keys to other tables, which go with it.
    pub points_away: bool,
}

impl Turnover {
    /// Whether it locks more than the one table.
    pub fn locks_others(&self) -> bool {
        !self.unpoint.up.is_empty()
    }
}
