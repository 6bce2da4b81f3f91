//! Reports bytes that the server takes nowhere, not even in a quote or comment: NUL, and what is no UTF-8.

use super::{Reading, Statement, unreadable};
use crate::model::operation::Operation;
use crate::text::{Located, SourceFile, Span};
use memchr::{memchr, memchr_iter};

/// Adds an [`Operation::Unreadable`] at the first bad byte of each statement; between statements, it is a statement of its own.
pub(super) fn report(source: &SourceFile, part: Span, statements: &mut Vec<Statement>) {
    let bytes = &source.bytes()[..(part.end as usize).min(source.bytes().len())];
    let bytes = &bytes[(part.start as usize).min(bytes.len())..];
    if memchr(0, bytes).is_none() && str::from_utf8(bytes).is_ok() {
        return;
    }
    let mut between = Vec::new();
    let mut next = 0;
    let mut reported_to = 0;
    each(bytes, |at, length| {
        let at = Span::new(part.start + at as u32, part.start + (at + length) as u32);
        if at.start < reported_to {
            return;
        }
        while statements.get(next).is_some_and(|statement| statement.span.end <= at.start) {
            next += 1;
        }
        match statements.get_mut(next) {
            Some(statement) if statement.span.start <= at.start => {
                reported_to = statement.span.end;
                add(source, statement, at);
            }
            following => {
                reported_to = following.map_or(part.end, |statement| statement.span.start);
                between.push(unreadable(at, at, what(source, at)));
            }
        }
    });
    statements.append(&mut between);
    statements.sort_by_key(|statement| statement.span.start);
}

/// Calls with the place and length of each bad byte or sequence.
fn each(bytes: &[u8], mut bad: impl FnMut(usize, usize)) {
    let mut at = 0;
    for chunk in bytes.utf8_chunks() {
        memchr_iter(0, chunk.valid().as_bytes()).for_each(|nul| bad(at + nul, 1));
        at += chunk.valid().len();
        if !chunk.invalid().is_empty() {
            bad(at, chunk.invalid().len());
        }
        at += chunk.invalid().len();
    }
}

fn add(source: &SourceFile, statement: &mut Statement, at: Span) {
    match statement.reading {
        Reading::Unreadable => return,
        Reading::Full | Reading::Partial => statement.reading = Reading::Partial,
    }
    statement.operations.push(Located { what: Operation::Unreadable { why: what(source, at).into() }, span: at });
}

fn what(source: &SourceFile, at: Span) -> String {
    match source.slice(at) {
        [0] => format!("NUL byte at offset {}", at.start),
        bytes => format!("byte 0x{:02X} at offset {} is not UTF-8", bytes.first().copied().unwrap_or_default(), at.start),
    }
}
