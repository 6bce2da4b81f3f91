//! What the cases have in common: releases of the shop's application in a few words.

use super::traffic::{Application, Operation};

/// A release that inserts, reads, updates and reads again, in turns.
pub fn application(name: &'static str, insert: &str, update: &str, read: &str) -> Application {
    let read = || Operation::Read(read.to_owned());
    Application { name, operations: vec![Operation::Write(insert.to_owned()), read(), Operation::Write(update.to_owned()), read()] }
}
