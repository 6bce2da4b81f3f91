//! The text of one file: its bytes, places in it, and lines.

use std::borrow::Cow;
use std::fs::Metadata;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// A range of bytes in a [`SourceFile`], end exclusive. Files of 4 GiB and more are refused when they are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The span from `start` up to, not including, `end`.
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// The smallest span that covers both.
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// How many bytes it covers.
    pub const fn len(self) -> u32 {
        self.end.saturating_sub(self.start)
    }

    /// Whether it covers no byte: a place between two bytes.
    pub const fn is_empty(self) -> bool {
        self.start >= self.end
    }

    /// The same bytes as a range that slices.
    pub const fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// Something that was read, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Located<T> {
    /// What was read.
    pub what: T,
    /// The tokens that say so.
    pub span: Span,
}

/// A line and a column, both from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// A file as it is on disk: bytes that may be no UTF-8, under the path that reports show.
#[derive(Debug)]
pub struct SourceFile {
    path: PathBuf,
    bytes: Vec<u8>,
    lines: OnceLock<Lines>,
    shown: OnceLock<Option<String>>,
    hidden: OnceLock<Vec<Span>>,
    placeholders: OnceLock<()>,
    origin: Option<Origin>,
}

/// Where a text comes from that a program has printed: the file in the repository that the program has read, and which line of it is behind
/// which bytes.
#[derive(Debug)]
pub struct Origin {
    /// The file in the repository.
    pub file: Arc<SourceFile>,
    /// Who has printed the text: `alembic`.
    pub by: String,
    /// How the file is told to run a statement outside of a transaction, in words.
    pub alone: String,
    /// From which byte of the text on it comes from which line of the file, in order.
    pub lines: Vec<(u32, u32)>,
}

impl PartialEq for SourceFile {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path && self.bytes == other.bytes
    }
}

impl SourceFile {
    /// Takes bytes that are already in memory.
    pub fn new(path: impl Into<PathBuf>, bytes: impl Into<Vec<u8>>) -> Arc<Self> {
        Arc::new(Self::of(path.into(), bytes.into(), None))
    }

    /// Takes a text that a program has printed. It stands under the path of the file that the program has read.
    pub fn rendered(origin: Origin, bytes: impl Into<Vec<u8>>) -> Arc<Self> {
        Arc::new(Self::of(origin.file.path.clone(), bytes.into(), Some(origin)))
    }

    fn of(path: PathBuf, bytes: Vec<u8>, origin: Option<Origin>) -> Self {
        Self { path, bytes, lines: OnceLock::new(), shown: OnceLock::new(), hidden: OnceLock::new(), placeholders: OnceLock::new(), origin }
    }

    /// Reads a file, or what comes through a pipe.
    ///
    /// # Errors
    /// What the operating system says; `FileTooLarge` from 4 GiB on; that it is a pipe or a device that gives too much, or has no end.
    pub fn read(path: impl Into<PathBuf>) -> std::io::Result<Arc<Self>> {
        let path = path.into();
        let metadata = std::fs::metadata(&path)?;
        let most = u64::from(u32::MAX);
        if metadata.len() >= most {
            return Err(ErrorKind::FileTooLarge.into());
        }
        let file = std::fs::File::open(&path)?;
        let bytes = if is_device(&metadata) {
            // /dev/null is an empty file, and every other device is none.
            read_at_most(file, 0).map_err(|_| std::io::Error::other("this is a device, not a file"))?
        } else if metadata.is_file() {
            read_at_most(file, most)?
        } else {
            read_pipe(file)?
        };
        Ok(Self::new(path, bytes))
    }

    /// The path as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All bytes, a byte order mark included.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes of a span; none of one that is not the file's.
    pub fn slice(&self, span: Span) -> &[u8] {
        self.bytes.get(span.range()).unwrap_or_default()
    }

    /// The text of a span; bytes that are no UTF-8 become U+FFFD.
    pub fn text(&self, span: Span) -> Cow<'_, str> {
        String::from_utf8_lossy(self.slice(span))
    }

    /// Where the text comes from, if a program has printed it.
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// Where a reader of the repository finds a span: in this file, or in the one of which a program has printed it.
    pub fn in_repository(&self, span: Span) -> (&Self, Span) {
        let Some(origin) = &self.origin else { return (self, span) };
        let line = origin.lines[..origin.lines.partition_point(|(from, _)| *from <= span.start)].last().map_or(1, |(_, line)| *line);
        let whole = origin.file.line(line);
        let text = origin.file.slice(whole);
        let blank = text.len() - text.trim_ascii_start().len();
        (&origin.file, Span::new(whole.start + blank as u32, whole.start + text.trim_ascii_end().len().max(blank) as u32))
    }

    /// The line and column of a byte offset, as a reader of the repository finds it: of a text that a program has printed, those of the line
    /// that is behind it. [`SourceFile::text_place`] says the line of the text.
    pub fn place(&self, offset: u32) -> Place {
        let (file, span) = self.in_repository(Span::new(offset, offset));
        file.text_place(span.start)
    }

    /// The line and column of a byte offset in the text itself; [`SourceFile::line`] takes such a line.
    pub fn text_place(&self, offset: u32) -> Place {
        let Lines { starts, marks } = self.lines();
        let line = starts.partition_point(|&start| start <= offset).max(1);
        let line_start = starts[line - 1];
        // The nearest place before it whose column is known: the start of the line, or a mark inside a long one.
        let mark = marks[..marks.partition_point(|(at, _)| *at <= offset)].last();
        let (from, column) = mark.copied().filter(|(at, _)| *at >= line_start).unwrap_or((line_start, 1));
        let between = &self.bytes[from as usize..(offset as usize).clamp(from as usize, self.bytes.len())];
        Place { line: line as u32, column: column + characters(between) }
    }

    /// The bytes of a line (from 1), without the line break that ends it.
    pub fn line(&self, line: u32) -> Span {
        let starts = &self.lines().starts;
        let start = starts[(line as usize - 1).min(starts.len() - 1)];
        let Some(next) = starts.get(line as usize) else { return Span::new(start, self.bytes.len() as u32) };
        let is_return = *next > start + 1 && self.bytes[*next as usize - 2] == b'\r';
        Span::new(start, next - 1 - u32::from(is_return))
    }

    /// Says that whoever runs the file puts values for `${name}` into it first. To be said before anything is read.
    pub fn read_placeholders(&self) {
        self.placeholders.get_or_init(|| ());
    }

    /// Whether `${name}` stands for something.
    pub fn has_placeholders(&self) -> bool {
        self.placeholders.get().is_some()
    }

    /// Says what no report may show. To be said once, before anything is shown.
    pub fn hide(&self, secrets: Vec<Span>) {
        // Whoever reads the same file again finds the same.
        let _ = self.hidden.set(secrets);
    }

    /// A text that may quote the file, without what is hidden of it.
    pub fn without_hidden<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut text = Cow::Borrowed(text);
        for secret in self.hidden.get().into_iter().flatten().map(|span| self.text(*span)) {
            // As it is written, and with its quotes undone. What is very short is a part of other words, too.
            let forms = if secret.len() < 4 { [format!("'{secret}'"), String::new()] } else { [secret.replace("''", "'"), secret.into()] };
            for form in forms.iter().filter(|form| !form.is_empty()) {
                if text.contains(form.as_str()) {
                    text = Cow::Owned(text.replace(form.as_str(), "***"));
                }
            }
        }
        text
    }

    /// Whether anything is hidden.
    pub fn hides_something(&self) -> bool {
        self.hidden.get().is_some_and(|hidden| !hidden.is_empty())
    }

    /// The bytes as a terminal may show them: every byte that is no UTF-8, and every character that would move the cursor or turn the
    /// direction of reading, is a `?`, and what is hidden is a `*`, byte for byte, so that offsets stay.
    pub fn shown(&self) -> &str {
        let hidden = self.hidden.get().map_or(&[][..], Vec::as_slice);
        let cleaned = self.shown.get_or_init(|| match std::str::from_utf8(&self.bytes) {
            Ok(text) if hidden.is_empty() && !text.contains(is_unseen) && !has_lone_return(text.as_bytes()) => None,
            _ => Some(String::from_utf8_lossy(&cleaned(&self.bytes, hidden)).into_owned()),
        });
        cleaned.as_deref().unwrap_or_else(|| std::str::from_utf8(&self.bytes).unwrap_or_default())
    }

    fn lines(&self) -> &Lines {
        self.lines.get_or_init(|| {
            let after_newline = self.bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at as u32 + 1);
            let starts: Vec<_> = std::iter::once(0).chain(after_newline).collect();
            let marks = marks(&self.bytes, &starts);
            Lines { starts, marks }
        })
    }
}

/// More than this through a pipe is no migration; the other end may never stop writing.
const MOST_THROUGH_PIPE: u64 = 256 * 1024 * 1024;

/// Reads a pipe to its end.
///
/// # Errors
/// What the operating system says, or that more than 256 MiB came through it.
pub fn read_pipe(pipe: impl Read) -> std::io::Result<Vec<u8>> {
    read_at_most(pipe, MOST_THROUGH_PIPE).map_err(|error| match error.kind() {
        ErrorKind::FileTooLarge => std::io::Error::other("more than 256 MiB came through this pipe; give it as a file"),
        _ => error,
    })
}

/// Reads to the end, if that comes after no more than `most` bytes.
fn read_at_most(from: impl Read, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = from.take(most + 1).read_to_end(&mut bytes)?;
    if read as u64 > most { Err(ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

#[cfg(unix)]
fn is_device(metadata: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    metadata.file_type().is_char_device() || metadata.file_type().is_block_device()
}

#[cfg(not(unix))]
fn is_device(_: &Metadata) -> bool {
    false
}

/// Where lines begin.
#[derive(Debug)]
struct Lines {
    starts: Vec<u32>,
    /// Offsets inside long lines with their columns, so that a file of one line takes linear time too.
    marks: Vec<(u32, u32)>,
}

/// How far apart the marks of a long line are.
const MARK_EVERY: usize = 4096;

fn marks(bytes: &[u8], starts: &[u32]) -> Vec<(u32, u32)> {
    let mut marks = Vec::new();
    let ends = starts.iter().skip(1).copied().chain([bytes.len() as u32]);
    for (start, end) in starts.iter().copied().zip(ends).filter(|(start, end)| end - start > MARK_EVERY as u32) {
        let mut column = 1;
        for (at, chunk) in bytes[start as usize..end as usize].chunks_exact(MARK_EVERY).enumerate() {
            column += characters(chunk);
            marks.push((start + ((at + 1) * MARK_EVERY) as u32, column));
        }
    }
    marks
}

/// How many characters begin among these bytes: a byte that continues a UTF-8 character begins none.
fn characters(bytes: &[u8]) -> u32 {
    bytes.iter().filter(|&&byte| byte & 0xC0 != 0x80).count() as u32
}

/// A text as a terminal may show it: what would move the cursor or turn the direction of reading is a `?`.
pub fn shown(text: &str) -> Cow<'_, str> {
    if text.contains(is_unseen) { Cow::Owned(text.replace(is_unseen, "?")) } else { Cow::Borrowed(text) }
}

/// A path for a line of a report: one line whatever its name is, and nothing in it that a terminal, or who reads the log, would obey.
pub fn shown_path(path: &Path) -> String {
    let steers = |character: char| character.is_control() || is_unseen(character);
    path.to_string_lossy().replace(steers, "?")
}

/// Control characters that are no white space, and the marks that turn the direction of reading.
fn is_unseen(character: char) -> bool {
    (character.is_control() && !matches!(character, '\n' | '\t' | '\r'))
        || matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// A carriage return that no newline follows moves the cursor to the start of the line.
fn has_lone_return(bytes: &[u8]) -> bool {
    bytes.iter().enumerate().any(|(at, byte)| *byte == b'\r' && bytes.get(at + 1) != Some(&b'\n'))
}

fn cleaned(bytes: &[u8], hidden: &[Span]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        let mut characters = chunk.valid().chars().peekable();
        while let Some(character) = characters.next() {
            if is_unseen(character) || (character == '\r' && characters.peek() != Some(&'\n')) {
                clean.extend(std::iter::repeat_n(b'?', character.len_utf8()));
            } else {
                clean.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        clean.extend(std::iter::repeat_n(b'?', chunk.invalid().len()));
    }
    for secret in hidden {
        clean[secret.range()].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b'*');
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_also_in_a_line_of_many_kilobytes() {
        let text = format!("SELECT 1;\n-- {}ende", "ä".repeat(10_000));
        let source = SourceFile::new("long.sql", text.clone());
        let at = text.find("ende").expect("it is there") as u32;
        assert_eq!(source.place(at), Place { line: 2, column: 10_004 });
        assert_eq!(source.place(10), Place { line: 2, column: 1 });
        assert_eq!(source.place(9), Place { line: 1, column: 10 });
    }

    #[test]
    fn what_a_terminal_must_not_get_is_shown_as_question_marks_byte_for_byte() {
        let bytes = b"a\xFFb\x00c\x1B[2Jd\re\r\nf\xE2\x80\xAEg";
        let source = SourceFile::new("broken.sql", bytes);
        assert_eq!(source.shown(), "a?b?c?[2Jd?e\r\nf???g");
        assert_eq!(source.shown().len(), bytes.len());
    }

    #[test]
    fn what_is_hidden_is_shown_as_stars_and_quoted_as_three() {
        let source = SourceFile::new("role.sql", "PASSWORD 'größe\n1' x");
        source.hide(vec![Span::new(10, 19)]);
        assert_eq!(source.shown(), "PASSWORD '*******\n*' x");
        assert_eq!(source.without_hidden("near 'größe\n1'"), "near '***'");
    }

    #[test]
    fn what_a_program_has_printed_stands_in_the_file_that_it_has_read() {
        let file = SourceFile::new("0002_note.py", "import op\n\ndef upgrade():\n    op.add_column('orders')\n");
        let origin = Origin { file, by: "alembic".into(), alone: String::new(), lines: vec![(0, 3), (10, 4)] };
        let source = SourceFile::rendered(origin, "SELECT 1;\nALTER TABLE orders ADD COLUMN note text;\n");
        assert_eq!(source.path(), Path::new("0002_note.py"));
        assert_eq!((source.place(12), source.text_place(12)), (Place { line: 4, column: 5 }, Place { line: 2, column: 3 }));
        let (file, span) = source.in_repository(Span::new(12, 20));
        assert_eq!(file.text(span), "op.add_column('orders')");
        assert_eq!(source.place(0), Place { line: 3, column: 1 });
    }

    #[test]
    fn a_line_is_shown_without_its_line_break() {
        let source = SourceFile::new("two.sql", "one\r\ntwo");
        assert_eq!((source.text(source.line(1)), source.text(source.line(2))), ("one".into(), "two".into()));
        assert_eq!(source.text(source.line(9)), "two");
    }
}
