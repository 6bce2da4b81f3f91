//! Places in a file that are no text, or not the text that they look like: the server takes NUL and what is no UTF-8 nowhere, not even in
//! a quote or comment; what is hidden or was decoded wrongly it takes as it is.

mod misread;

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
    /// A mark that turns the direction of reading, or a character without width that stands beside plain ASCII.
    Hidden,
    /// UTF-8 that was read as another encoding and written as UTF-8 again; the first of the file.
    Misread,
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
    match str::from_utf8(bytes) {
        Ok(text) if memchr(0, bytes).is_none() => {
            if !text.is_ascii() {
                found.extend(strange(text, part.start));
            }
            return found;
        }
        Ok(_) | Err(_) => {}
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

/// The first hidden character of each line, and the first run that was misread.
fn strange(text: &str, offset: u32) -> Vec<BrokenText> {
    let mut found = Vec::new();
    let mut misread = misread::first(text);
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let at = |place: std::ops::Range<usize>| Span::new(offset + (start + place.start) as u32, offset + (start + place.end) as u32);
        found.extend(hidden(line).map(|place| BrokenText { span: at(place), kind: BrokenKind::Hidden }));
        if let Some(place) = misread.take_if(|place| place.start < start + line.len()) {
            let span = Span::new(offset + place.start as u32, offset + place.end as u32);
            found.push(BrokenText { span, kind: BrokenKind::Misread });
        }
        start += line.len();
    }
    found
}

/// The first character that nobody sees. Without width, some belong to a script or join parts of an emoji, and then have letters of it on
/// both sides; a byte order mark at the start of a file is told elsewhere.
fn hidden(line: &str) -> Option<std::ops::Range<usize>> {
    let mut before = 'a';
    let mut characters = line.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let after = characters.peek().map_or('\n', |(_, after)| *after);
        let turns = matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
        let no_width = matches!(character, '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}');
        let beside_ascii = (before.is_ascii_alphanumeric() || after.is_ascii_alphanumeric()) && at > 0;
        if turns || (no_width && beside_ascii) {
            return Some(at..at + character.len_utf8());
        }
        before = character;
    }
    None
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
    fn what_nobody_sees_is_found_and_what_a_script_needs_is_not() {
        let hidden = |text: &str| places(text.as_bytes()).iter().map(|(start, _, kind)| (*start, *kind)).collect::<Vec<_>>();
        assert_eq!(hidden("SELECT 'a\u{202E}b';"), [(9, BrokenKind::Hidden)]);
        assert_eq!(hidden("SELECT or\u{200B}ders;\n-- x\u{2060}\n"), [(9, BrokenKind::Hidden), (22, BrokenKind::Hidden)]);
        assert_eq!(hidden("SELECT 'می\u{200C}خواهم', '👩\u{200D}💻';"), []);
    }

    #[test]
    fn text_that_was_decoded_twice_is_found_once() {
        for (text, at) in [("-- grÃ¶ÃŸe Ã¤\n-- Ã¤", 5), ("-- the buyerâ€™s", 12), ("-- gr√∂√üe", 5), ("-- orders ‚Äî done", 10)]
        {
            assert_eq!(
                places(text.as_bytes()).iter().map(|(start, _, kind)| (*start, *kind)).collect::<Vec<_>>(),
                [(at, BrokenKind::Misread)],
                "{text}"
            );
        }
        for text in ["-- größe, Ã, â, é™, «Zürich», 日本語, naïve, 5 € – done", "-- ÉÈ ÀÙ Øå"] {
            assert_eq!(places(text.as_bytes()), [], "{text}");
        }
    }

    #[test]
    fn each_line_has_its_first() {
        assert_eq!(
            places(b"\xEF\xBB\xBFSELECT 1;\n-- caf\xE9 \xE9\nSELECT '\0\0';\n\xEF\xBB\xBF"),
            [(0, 3, BrokenKind::ByteOrderMark), (19, 20, BrokenKind::NotUtf8), (31, 32, BrokenKind::Nul)]
        );
    }
}
