//! What the cases have in common: releases of the shop's application in a few words.

use super::traffic::{Application, Operation};
use std::time::Duration;

/// A release that inserts, reads, updates two rows in a transaction and reads again, in turns.
pub fn application(name: &'static str, insert: &str, update: &str, read: &str) -> Application {
    let read = || Operation::Read(read.to_owned());
    Application {
        name,
        operations: vec![
            Operation::Write(insert.to_owned()),
            read(),
            Operation::WriteTwo(update.to_owned(), Duration::from_millis(1)),
            read(),
        ],
    }
}
