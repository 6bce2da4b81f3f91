//! Problem: everything that stops lockkeeper from doing what it was asked, as a miette Diagnostic.

use crate::text::{SourceFile, Span, shown_path};
use miette::{Diagnostic, LabeledSpan, MietteError, SourceCode, SourceSpan, SpanContents};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Something that is wrong with the input: what, where, and what to do about it.
#[derive(Debug, Clone)]
pub struct Problem {
    /// Stable id: `config::unknown-key`.
    pub code: &'static str,
    /// One line: the thing, then what is wrong with it.
    pub message: String,
    /// What to type, or what is known instead.
    pub help: Option<String>,
    /// The file it is about.
    pub source: Option<Arc<SourceFile>>,
    /// Places in it, with a word each.
    pub labels: Vec<(Span, String)>,
    /// The path it is about, if there is no text.
    pub path: Option<PathBuf>,
}

impl Problem {
    /// A problem without a place.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: None, source: None, labels: Vec::new(), path: None }
    }

    /// Says what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says where it is; may be said more than once for the same file. The first place is the one that one-line formats show.
    #[must_use]
    pub fn at(mut self, source: &Arc<SourceFile>, span: Span, label: impl Into<String>) -> Self {
        self.source = Some(Arc::clone(source));
        self.labels.push((span, label.into()));
        self
    }

    /// Says which path it is about, where there is no text to show.
    #[must_use]
    pub fn about(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// The first of its places, for what shows but one.
    pub fn place(&self) -> Option<(&SourceFile, Span)> {
        self.source.as_deref().zip(self.labels.first()).map(|(source, (span, _))| (source, *span))
    }

    /// The path it is about, if it is about one.
    pub fn path(&self) -> Option<&Path> {
        self.source.as_deref().map(SourceFile::path).or(self.path.as_deref())
    }
}

/// `, did you mean `x`?` with the known word that is nearest to `written`, or nothing if none is near.
pub fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(written, known).map(|word| format!(", did you mean `{word}`?")).unwrap_or_default()
}

/// The known word that is nearest to `written`, if one is near enough to be what was meant.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |word: &str| strsim::jaro_winkler(written, word);
    let best = known.into_iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(best) > 0.8).then_some(best)
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_deref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let source = self.source.as_deref()?;
        Some(Box::new(self.labels.iter().map(|(span, word)| label(source, *span, word))))
    }
}

/// More lines than this are not underlined: the first one stands for all.
const MOST_LINES: u32 = 8;

/// A label that miette can draw: inside the text, and over few lines.
pub(crate) fn label(source: &SourceFile, span: Span, word: &str) -> LabeledSpan {
    let text = source.shown();
    let length = text.len() as u32;
    let mut start = text.floor_char_boundary(span.start.min(length.saturating_sub(1)) as usize) as u32;
    let mut end = span.end.clamp(start, length);
    let (first, last) = (source.text_place(start).line, source.text_place(end).line);
    if last - first >= MOST_LINES {
        end = source.line(first).end.max(start);
    }
    if source.line(source.text_place(start).line).len() > LONGEST_LINE {
        end = text.floor_char_boundary(end.min(start + LONGEST_LINE / 2) as usize) as u32;
    }
    if span.start >= length {
        // Behind the last byte there is nothing to underline.
        (start, end) = (start, length);
    }
    let word = (!word.is_empty()).then(|| word.to_owned());
    LabeledSpan::new(word, start as usize, (end - start) as usize)
}

/// Lines longer than this are shown in part.
const LONGEST_LINE: u32 = 240;

impl SourceCode for SourceFile {
    fn read_span<'a>(&'a self, span: &SourceSpan, before: usize, after: usize) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let text = self.shown();
        let start = (span.offset().min(text.len())) as u32;
        let end = (span.offset() + span.len()).min(text.len()) as u32;
        let (place, last) = (self.text_place(start), self.text_place(end.max(start + 1) - 1));
        let first_line = place.line.saturating_sub(before as u32).max(1);
        let (own, own_last) = (self.line(place.line), self.line(last.line));
        let mut from = self.line(first_line).start;
        let mut to = self.line(last.line + after as u32).end;
        let mut line = first_line;
        // A line that no terminal can show is cut around the span, and has no lines of context.
        if own.len() > LONGEST_LINE {
            from = text.floor_char_boundary(own.start.max(start.saturating_sub(LONGEST_LINE / 3)) as usize) as u32;
            line = place.line;
        }
        if own_last.len() > LONGEST_LINE {
            to = text.floor_char_boundary(own_last.end.min(end + LONGEST_LINE / 3) as usize) as u32;
        }
        let lines = text[from as usize..to as usize].bytes().filter(|byte| *byte == b'\n').count() + 1;
        Ok(Box::new(Window {
            text: &text.as_bytes()[from as usize..to as usize],
            span: (from as usize, (to - from) as usize).into(),
            line: line as usize - 1,
            column: place.column as usize - 1,
            lines,
            name: name(self, start),
        }))
    }
}

/// What stands above the lines of a file, before their number. The lines of a text that a program has printed are those of that text.
fn name(source: &SourceFile, at: u32) -> String {
    let path = shown_path(source.path());
    match source.origin() {
        Some(origin) => format!("{path}:{}, in the SQL of {}", source.place(at).line, origin.by),
        None => path,
    }
}

/// Some lines of a file.
struct Window<'a> {
    text: &'a [u8],
    span: SourceSpan,
    line: usize,
    /// Of the span that was asked for, so that a header can say it.
    column: usize,
    lines: usize,
    name: String,
}

impl<'a> SpanContents<'a> for Window<'a> {
    fn data(&self) -> &'a [u8] {
        self.text
    }

    fn span(&self) -> &SourceSpan {
        &self.span
    }

    fn name(&self) -> Option<&str> {
        Some(&self.name)
    }

    fn line(&self) -> usize {
        self.line
    }

    fn column(&self) -> usize {
        self.column
    }

    fn line_count(&self) -> usize {
        self.lines
    }
}

/// What the operating system says, in the reader's words.
pub(crate) fn io_words(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file or directory".to_owned(),
        std::io::ErrorKind::PermissionDenied => "no permission to read it".to_owned(),
        std::io::ErrorKind::FileTooLarge => "files of 4 GiB and more cannot be read".to_owned(),
        _ => error.to_string(),
    }
}
