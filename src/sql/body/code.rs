//! Code that stands in a string: its text with quotes and escapes undone, and where each byte of it stands in the file.

use crate::sql::lex::{Token, TokenKind};
use crate::text::{SourceFile, Span};
use std::path::Path;
use std::sync::Arc;

/// Text that is put together from pieces of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Text {
    text: String,
    pieces: Vec<Piece>,
}

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece {
    /// Where it begins in the text.
    at: u32,
    /// Where it comes from. If that is as long as the piece, each byte stands for itself.
    from: Span,
}

impl Text {
    /// Adds a piece.
    pub fn push(&mut self, piece: &str, from: Span) {
        if piece.is_empty() {
            return;
        }
        self.pieces.push(Piece { at: self.text.len() as u32, from });
        self.text.push_str(piece);
    }

    /// Adds all of another text.
    pub fn append(&mut self, other: &Self) {
        let shift = self.text.len() as u32;
        self.pieces.extend(other.pieces.iter().map(|piece| Piece { at: piece.at + shift, from: piece.from }));
        self.text.push_str(&other.text);
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// A body or a text for EXECUTE, as a source of its own.
#[derive(Clone, Debug)]
pub(super) struct Code {
    /// The text alone.
    pub source: Arc<SourceFile>,
    pieces: Vec<Piece>,
}

impl Code {
    /// A text, as if it were a file.
    pub fn new(path: &Path, text: Text) -> Self {
        Self { source: SourceFile::new(path, text.text), pieces: text.pieces }
    }

    /// All of it.
    pub fn whole(&self) -> Span {
        Span::new(0, self.source.bytes().len() as u32)
    }

    /// Where a part of it stands in the file.
    pub fn place(&self, part: Span) -> Span {
        let (Some(first), Some(last)) = (self.piece(part.start), self.piece(part.end.saturating_sub(1).max(part.start))) else {
            return Span::default();
        };
        let start = if self.is_exact(first) { first.1.from.start + (part.start - first.1.at) } else { first.1.from.start };
        let end = if self.is_exact(last) { last.1.from.start + (part.end - last.1.at) } else { last.1.from.end };
        Span::new(start, end.max(start))
    }

    fn piece(&self, at: u32) -> Option<(usize, Piece)> {
        let which = self.pieces.partition_point(|piece| piece.at <= at).checked_sub(1)?;
        Some((which, self.pieces[which]))
    }

    fn is_exact(&self, (which, piece): (usize, Piece)) -> bool {
        let end = self.pieces.get(which + 1).map_or(self.source.bytes().len() as u32, |next| next.at);
        piece.from.len() == end - piece.at
    }
}

/// What a string literal of a source stands for; `place` tells where its parts stand in the file. `None` if it is none.
pub(super) fn literal(source: &SourceFile, token: Token, place: impl Fn(Span) -> Span) -> Option<Text> {
    let value = token.string_value(source)?;
    let mut text = Text::default();
    if let Some(body) = token.dollar_body(source) {
        text.push(&value, place(body));
        return Some(text);
    }
    let written = source.text(token.span);
    let Some(inside) = written.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) else {
        text.push(&value, place(token.span));
        return Some(text);
    };
    if inside.replace("''", "'") != value {
        text.push(&value, place(token.span));
        return Some(text);
    }
    let mut at = token.span.start + 1;
    for (which, part) in inside.split("''").enumerate() {
        if which > 0 {
            text.push("'", place(Span::new(at, at + 2)));
            at += 2;
        }
        let end = at + part.len() as u32;
        text.push(part, place(Span::new(at, end)));
        at = end;
    }
    Some(text)
}

/// Whether a token is a string that holds text.
pub(super) fn is_text(token: Token) -> bool {
    matches!(token.kind, TokenKind::String | TokenKind::DollarString)
}
