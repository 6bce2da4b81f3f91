//! A text that is open in the editor: its edits, and places in it as the protocol counts them.

use crate::text::{SourceFile, Span};
use lsp_types::{Position, Range, TextDocumentContentChangeEvent, Uri};
use std::path::PathBuf;
use std::sync::Arc;

/// How the columns of a line are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// In bytes.
    Utf8,
    /// In the units of UTF-16.
    #[default]
    Utf16,
}

/// A text that is open in the editor.
#[derive(Debug)]
pub struct Document {
    /// What the editor calls it.
    pub uri: Uri,
    /// Counted by the editor.
    pub version: i32,
    /// Its path as reports show it.
    pub path: PathBuf,
    /// What it is.
    pub kind: Kind,
    text: Text,
    source: Arc<SourceFile>,
}

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A migration, perhaps.
    Sql,
    /// A config.
    Config,
    /// Something else, a rule perhaps.
    Other,
}

impl Document {
    /// A document that the editor has opened.
    pub fn new(uri: Uri, version: i32, (path, kind): (PathBuf, Kind), text: String) -> Self {
        let source = SourceFile::new(&path, text.clone());
        Self { uri, version, path, kind, text: Text::new(text), source }
    }

    /// The text as a file.
    pub fn source(&self) -> &Arc<SourceFile> {
        &self.source
    }

    /// The text, to find places in.
    pub fn text(&self) -> &Text {
        &self.text
    }

    /// Takes changes, one after the other.
    pub fn change(&mut self, version: i32, changes: Vec<TextDocumentContentChangeEvent>, encoding: Encoding) {
        self.version = version;
        for change in changes {
            match change.range {
                Some(range) => self.text.replace(range, &change.text, encoding),
                None => self.text = Text::new(change.text),
            }
        }
        self.source = SourceFile::new(&self.path, self.text.text.clone());
    }
}

/// A text and its lines. A line ends with `\n`, `\r\n` or `\r`, as the protocol has it.
#[derive(Debug)]
pub struct Text {
    text: String,
    starts: Vec<usize>,
}

impl Text {
    /// A text.
    pub fn new(text: String) -> Self {
        let starts = std::iter::once(0).chain((1..=text.len()).filter(|at| starts_line(text.as_bytes(), *at))).collect();
        Self { text, starts }
    }

    /// Its letters.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The byte at a position; what lies outside is the nearest byte inside.
    pub fn offset(&self, position: Position, encoding: Encoding) -> usize {
        let line = position.line as usize;
        let Some(start) = self.starts.get(line).copied() else { return self.text.len() };
        let line = self.text[start..self.starts.get(line + 1).copied().unwrap_or(self.text.len())].trim_end_matches(['\r', '\n']);
        let wanted = position.character as usize;
        match encoding {
            Encoding::Utf8 => start + line.floor_char_boundary(wanted),
            Encoding::Utf16 => {
                let mut units = 0;
                let before = line.chars().take_while(|c| {
                    units += c.len_utf16();
                    units <= wanted
                });
                start + before.map(char::len_utf8).sum::<usize>()
            }
        }
    }

    /// The line ending that the line around a byte has, or else the text's first one.
    pub fn line_end(&self, offset: usize) -> &'static str {
        let next = self.starts.partition_point(|start| *start <= offset);
        let ends_with_both = |at: usize| self.text.as_bytes()[..at].ends_with(b"\r\n");
        match self.starts.get(next).or(self.starts.get(1)) {
            Some(end) if ends_with_both(*end) => "\r\n",
            _ => "\n",
        }
    }

    fn replace(&mut self, range: Range, with: &str, encoding: Encoding) {
        let (start, end) = (self.offset(range.start, encoding), self.offset(range.end, encoding));
        let (start, end) = (start.min(end), start.max(end));
        self.text.replace_range(start..end, with);
        // Whether a line starts depends on the two bytes around the place.
        let first = self.starts.partition_point(|at| *at < start.max(1));
        let rest = self.starts.partition_point(|at| *at <= end);
        let new_end = start + with.len();
        let between: Vec<_> = (start.max(1)..=new_end).filter(|at| starts_line(self.text.as_bytes(), *at)).collect();
        let count = between.len();
        self.starts.splice(first..rest.max(first), between);
        for at in &mut self.starts[first + count..] {
            *at = *at - end + new_end;
        }
    }
}

fn starts_line(text: &[u8], at: usize) -> bool {
    match text[at - 1] {
        b'\n' => true,
        b'\r' => text.get(at) != Some(&b'\n'),
        _ => false,
    }
}

/// Finds positions in a text; quickly, if they are asked for from left to right.
#[derive(Debug)]
pub struct Ruler<'t> {
    text: &'t Text,
    encoding: Encoding,
    /// The last place that was asked for: its line, its offset, and the units before it in its line.
    last: (usize, usize, usize),
}

impl<'t> Ruler<'t> {
    /// A ruler for a text.
    pub fn new(text: &'t Text, encoding: Encoding) -> Self {
        Self { text, encoding, last: (0, 0, 0) }
    }

    /// The range of a span.
    pub fn range(&mut self, span: Span) -> Range {
        let start = self.position(span.start as usize);
        Range { start, end: self.position(span.end as usize) }
    }

    /// The position of a byte.
    pub fn position(&mut self, offset: usize) -> Position {
        let offset = self.text.text.floor_char_boundary(offset);
        let line = self.text.starts.partition_point(|start| *start <= offset) - 1;
        let (mut from, mut units) = (self.text.starts[line], 0);
        if self.last.0 == line && self.last.1 <= offset {
            (_, from, units) = self.last;
        }
        let between = &self.text.text[from..offset];
        units += match self.encoding {
            Encoding::Utf8 => between.len(),
            Encoding::Utf16 if between.is_ascii() => between.len(),
            Encoding::Utf16 => between.chars().map(char::len_utf16).sum(),
        };
        self.last = (line, offset, units);
        Position { line: line as u32, character: units as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn position(line: u32, character: u32) -> Position {
        Position { line, character }
    }

    #[test]
    fn columns_are_counted_as_the_editor_counts_them() {
        let text = Text::new("-- größe 😀 x\r\nSELECT 1;\rend".to_owned());
        let x = text.text.find('x').unwrap_or_default();
        assert_eq!(Ruler::new(&text, Encoding::Utf16).position(x), position(0, 12));
        assert_eq!(Ruler::new(&text, Encoding::Utf8).position(x), position(0, 16));
        assert_eq!(text.offset(position(0, 12), Encoding::Utf16), x);
        assert_eq!(text.offset(position(0, 16), Encoding::Utf8), x);
        // Inside of a character, behind the end of a line, and behind the last line.
        assert_eq!(text.offset(position(0, 10), Encoding::Utf16), x - 5);
        assert_eq!(text.offset(position(0, 99), Encoding::Utf16), x + 1);
        assert_eq!(text.offset(position(9, 0), Encoding::Utf8), text.text.len());
        assert_eq!(text.offset(position(2, 3), Encoding::Utf8), text.text.len());
        assert_eq!((text.line_end(0), text.line_end(20)), ("\r\n", "\n"));
    }

    proptest! {
        #[test]
        fn lines_are_the_same_after_edits_as_if_they_were_counted_anew(
            text in "[a😀ä\r\n]{0,12}",
            edits in prop::collection::vec((0u32..6, 0u32..6, 0u32..6, 0u32..6, "[b\r\n]{0,4}"), 0..6),
            wide in any::<bool>(),
        ) {
            let encoding = if wide { Encoding::Utf16 } else { Encoding::Utf8 };
            let mut text = Text::new(text);
            for (line, column, end_line, end_column, with) in edits {
                text.replace(Range { start: position(line, column), end: position(end_line, end_column) }, &with, encoding);
                prop_assert_eq!(&text.starts, &Text::new(text.text.clone()).starts, "{:?}", text.text);
            }
            let mut ruler = Ruler::new(&text, encoding);
            for (at, _) in text.text.char_indices() {
                let there = ruler.position(at);
                // Inside of a line ending there is no position: what is asked for there is the end of the line.
                let is_end = text.text[..at].ends_with('\r') && text.text[at..].starts_with('\n');
                prop_assert_eq!(text.offset(there, encoding), if is_end { at - 1 } else { at });
            }
        }
    }
}
