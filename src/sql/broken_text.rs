//! Places in a file that are no text: the server takes NUL and what is no UTF-8 nowhere, not even in a quote or comment.

use crate::text::{SourceFile, Span};
use memchr::{memchr, memchr_iter};

/// A place in a file that is no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokenText {
    /// The bytes.
    pub span: Span,
    /// What they are.
    pub kind: BrokenKind,
}

/// What bytes are if they are no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokenKind {
    /// A byte order mark at the start of the file, which psql skips and other runners may send to the server.
    ByteOrderMark,
    /// A zero byte.
    Nul,
    /// Bytes that are not UTF-8.
    NotUtf8,
}

/// U+FEFF in UTF-8.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The first such place of each line.
pub(super) fn find(source: &SourceFile, part: Span) -> Vec<BrokenText> {
    let bytes = &source.bytes()[..(part.end as usize).min(source.bytes().len())];
    let bytes = &bytes[(part.start as usize).min(bytes.len())..];
    let mut found = Vec::new();
    if part.start == 0 && bytes.starts_with(BYTE_ORDER_MARK) {
        found.push(BrokenText { span: Span::new(0, 3), kind: BrokenKind::ByteOrderMark });
    }
    if memchr(0, bytes).is_none() && str::from_utf8(bytes).is_ok() {
        return found;
    }
    let mut line_end = 0;
    each(bytes, |at, length, kind| {
        if at >= line_end {
            line_end = memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |length| at + length);
            let at = part.start + at as u32;
            found.push(BrokenText { span: Span::new(at, at + length as u32), kind });
        }
    });
    found
}

/// Calls with the offset, length and kind of each such place.
fn each(bytes: &[u8], mut found: impl FnMut(usize, usize, BrokenKind)) {
    let mut at = 0;
    for chunk in bytes.utf8_chunks() {
        memchr_iter(0, chunk.valid().as_bytes()).for_each(|nul| found(at + nul, 1, BrokenKind::Nul));
        at += chunk.valid().len();
        if !chunk.invalid().is_empty() {
            found(at, chunk.invalid().len(), BrokenKind::NotUtf8);
        }
        at += chunk.invalid().len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(bytes: &[u8]) -> Vec<(u32, u32, BrokenKind)> {
        let source = SourceFile::new("orders.sql", bytes);
        let found = find(&source, Span::new(0, bytes.len() as u32));
        found.iter().map(|broken| (broken.span.start, broken.span.end, broken.kind)).collect()
    }

    #[test]
    fn text_has_no_such_place() {
        assert_eq!(places("SELECT 'größe'; -- 日本".as_bytes()), []);
    }

    #[test]
    fn each_line_has_its_first() {
        assert_eq!(
            places(b"\xEF\xBB\xBFSELECT 1;\n-- caf\xE9 \xE9\nSELECT '\0\0';\n\xEF\xBB\xBF"),
            [(0, 3, BrokenKind::ByteOrderMark), (19, 20, BrokenKind::NotUtf8), (31, 32, BrokenKind::Nul)]
        );
    }
}
