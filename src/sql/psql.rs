//! What psql reads besides SQL: where a meta-command ends, and where the data of COPY ends.

use memchr::{memchr, memmem};

/// Commands that take the rest of their line as it is.
const WHOLE_LINE: &[&[u8]] = &[b"!", b"copy", b"h", b"help", b"ef", b"ev", b"sf", b"sf+", b"sv", b"sv+"];

/// Commands that send, discard or leave behind the statement before them.
const ENDS_STATEMENT: &[&[u8]] = &[
    b"g",
    b"gx",
    b"gexec",
    b"gset",
    b"gdesc",
    b"crosstabview",
    b"watch",
    b"bind",
    b"bind_named",
    b"parse",
    b"sendpipeline",
    b"r",
    b"reset",
    b"q",
    b"quit",
];

/// A meta-command in a file.
pub(super) struct Command<'a> {
    /// Its name, without the backslash.
    pub name: &'a [u8],
    /// One past its last byte that is no space.
    pub end: usize,
    /// Where SQL goes on.
    pub resume: usize,
}

impl<'a> Command<'a> {
    /// Reads the command whose backslash stands at `at`, as psqlscanslash.l does: a backslash outside quotes begins the next command, two
    /// lead back to SQL, the end of the line ends everything.
    pub fn at(bytes: &'a [u8], at: usize) -> Self {
        let line_end = line_end(bytes, at);
        let line = &bytes[..line_end];
        let name_end = (at + 1..line_end).find(|&at| line[at] == b'\\' || line[at].is_ascii_whitespace()).unwrap_or(line_end);
        let name = &line[at + 1..name_end];
        let arguments = line[name_end..].trim_ascii_start();
        let stop = if WHOLE_LINE.contains(&name) || arguments.starts_with(b"|") { line_end } else { arguments_end(line, name_end) };
        let resume = if line[stop..].starts_with(b"\\\\") { stop + 2 } else { stop };
        Self { name, end: at + line[at..stop].trim_ascii_end().len(), resume }
    }

    /// Whether the statement before it ends with it; other commands leave the statement open.
    pub fn ends_statement(&self) -> bool {
        ENDS_STATEMENT.contains(&self.name)
    }
}

/// The end of the line, or the next backslash that is in no quotes.
fn arguments_end(line: &[u8], from: usize) -> usize {
    let mut quote = None;
    let mut at = from;
    while let Some(&byte) = line.get(at) {
        match (quote, byte) {
            (None, b'\\') => return at,
            (None, b'\'' | b'"' | b'`') => quote = Some(byte),
            (Some(b'\''), b'\\') => at += 1,
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
        at += 1;
    }
    line.len()
}

/// The end of the line that holds `from`: its newline, or the end of the text.
pub(super) fn line_end(bytes: &[u8], from: usize) -> usize {
    memchr(b'\n', &bytes[from..]).map_or(bytes.len(), |length| from + length)
}

/// Data lines behind COPY FROM STDIN.
pub(super) struct Data {
    /// One past the data.
    pub end: usize,
    /// Where SQL goes on, behind the line that is `\.` alone; `None` if there is no such line, and the data never ends.
    pub resume: Option<usize>,
}

impl Data {
    /// Reads the lines from `from`, the start of a line, up to one that is `\.` alone.
    pub fn at(bytes: &[u8], from: usize) -> Self {
        let mut candidate = Some(from).filter(|&from| bytes[from..].starts_with(b"\\."));
        let mut later = memmem::find_iter(&bytes[from..], b"\n\\.").map(|newline| from + newline + 1);
        while let Some(at) = candidate.take().or_else(|| later.next()) {
            let line_end = line_end(bytes, at);
            if matches!(&bytes[at + 2..line_end], b"" | b"\r") {
                return Self { end: at, resume: Some((line_end + 1).min(bytes.len())) };
            }
        }
        Self { end: bytes.len(), resume: None }
    }
}
