//! What is remarkable about the writing of a statement, whatever it does: secrets in plain text, and names that the server cuts.

mod long_name;
mod secret;

use super::lex::Token;
use crate::text::{SourceFile, Span};
pub use long_name::LongName;
pub use secret::SecretKind;

/// A piece of a statement that is remarkable as it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Remark {
    /// Where it stands; of a secret only what has to stay secret.
    pub span: Span,
    /// The index of its statement.
    pub statement: usize,
    /// What is remarkable about it.
    pub what: RemarkKind,
}

/// What is remarkable about a piece of a statement.
#[derive(Clone, Debug, PartialEq)]
pub enum RemarkKind {
    /// A secret stands in the file.
    Secret(SecretKind),
    /// A name of something new is longer than the server keeps.
    LongName(LongName),
}

/// Gathers the remarks of a file, statement by statement.
pub(super) struct Remarks<'a> {
    source: &'a SourceFile,
    /// Whether the file holds any word without which there is no secret.
    may_hold_secrets: bool,
    found: Vec<Remark>,
}

impl<'a> Remarks<'a> {
    pub fn new(source: &'a SourceFile, part: Span) -> Self {
        let part = Span::new(part.start.min(part.end), part.end.min(source.bytes().len() as u32));
        Self { source, may_hold_secrets: secret::may_be_in(source.slice(part)), found: Vec::new() }
    }

    /// Looks at the tokens of the next statement.
    pub fn statement(&mut self, statement: usize, tokens: &[Token]) {
        for (span, name) in long_name::find(self.source, tokens) {
            self.found.push(Remark { span, statement, what: RemarkKind::LongName(name) });
        }
        if self.may_hold_secrets {
            let secrets = secret::find(self.source, tokens);
            self.found.extend(secrets.into_iter().map(|(span, kind)| Remark { span, statement, what: RemarkKind::Secret(kind) }));
        }
    }

    /// All of them, in the order of the statements.
    pub fn into_vec(mut self) -> Vec<Remark> {
        long_name::note_collisions(&mut self.found);
        self.found
    }
}

#[cfg(test)]
mod tests;
