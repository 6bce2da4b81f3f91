//! What a file does beside the statement that is judged: its indices, each made when something first asks for it.

use super::outline::Outline;
use super::turnover::Turnover;
use crate::sql::Statement;
use std::cell::OnceCell;
use std::fmt;

/// A file's statements and the indices over them.
pub struct Elsewhere<'a> {
    file: &'a [Statement],
    outline: OnceCell<Outline>,
    turnover: OnceCell<Turnover>,
}

impl<'a> Elsewhere<'a> {
    /// Of a whole file; nothing is indexed yet.
    pub fn of(file: &'a [Statement]) -> Self {
        Self { file, outline: OnceCell::new(), turnover: OnceCell::new() }
    }

    /// What it does, by thing.
    pub fn outline(&self) -> &Outline {
        self.outline.get_or_init(|| Outline::of(self.file))
    }

    /// The names that it gives and takes away.
    pub fn turnover(&self) -> &Turnover {
        self.turnover.get_or_init(|| Turnover::of(self.file))
    }
}

impl fmt::Debug for Elsewhere<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Elsewhere").field("outline", &self.outline).field("turnover", &self.turnover).finish_non_exhaustive()
    }
}
