//! The one way onto a page: markup is what this source code spells out, and everything else is text.

use crate::text::shown;
use std::fmt::{self, Display, Write as _};
use std::io::{self, Write};
use std::path::Path;

/// Writes markup and text in turn: a literal is markup, and what stands in parentheses is escaped. There is no third way.
macro_rules! put {
    (@part $page:expr, $markup:literal) => { $page.markup($markup)? };
    (@part $page:expr, ($text:expr)) => { $page.text(&$text)? };
    ($page:expr, $($part:tt),+ $(,)?) => {{ $( put!(@part $page, $part); )+ }};
}
pub(super) use put;

/// A page that is being written.
pub(super) struct Page<'o, W> {
    out: &'o mut W,
}

impl<'o, W: Write> Page<'o, W> {
    pub fn new(out: &'o mut W) -> Self {
        Self { out }
    }

    /// Markup: nothing that was read from a file can be one.
    pub fn markup(&mut self, markup: &'static str) -> io::Result<()> {
        self.out.write_all(markup.as_bytes())
    }

    /// Text, between tags or between the double quotes of an attribute.
    pub fn text(&mut self, text: &(impl Display + ?Sized)) -> io::Result<()> {
        let mut escaped = Escaped { out: self.out, failed: None };
        match write!(escaped, "{text}") {
            Ok(()) => Ok(()),
            Err(_) => Err(escaped.failed.unwrap_or_else(|| io::Error::other("a text that cannot be written"))),
        }
    }

    /// The name of a file, which may be broken into lines behind its signs.
    pub fn path(&mut self, path: &Path) -> io::Result<()> {
        put!(self, "<span class=\"path\">");
        for (at, part) in path.to_string_lossy().split_inclusive(['/', '_', '-', '.']).enumerate() {
            if at > 0 {
                put!(self, "<wbr>");
            }
            put!(self, (part));
        }
        put!(self, "</span>");
        Ok(())
    }

    /// A sentence in which backquotes stand around names and code.
    pub fn prose(&mut self, text: &str) -> io::Result<()> {
        let mut pieces = text.split('`').enumerate().peekable();
        while let Some((at, piece)) = pieces.next() {
            // A backquote without a second one is a sign like any other.
            match (at % 2 == 1, pieces.peek().is_some()) {
                (true, true) => put!(self, "<code>", (piece), "</code>"),
                (true, false) => put!(self, "`", (piece)),
                (false, _) => put!(self, (piece)),
            }
        }
        Ok(())
    }

    /// Sentences with blank lines between; a line that begins with a space is SQL.
    pub fn paragraphs(&mut self, text: &str) -> io::Result<()> {
        let is_code = |line: &str| line.starts_with(' ');
        let lines: Vec<_> = text.trim_end().lines().collect();
        for block in lines.split(|line| line.trim().is_empty()) {
            for alike in block.chunk_by(|a, b| is_code(a) == is_code(b)) {
                if alike.first().is_some_and(|line| is_code(line)) {
                    put!(self, "<pre class=\"code\">", (alike.join("\n")), "</pre>");
                } else {
                    put!(self, "<p>");
                    self.prose(&alike.join(" "))?;
                    put!(self, "</p>");
                }
            }
        }
        Ok(())
    }
}

/// Lets no sign through that a browser would take for markup, nor one that nobody sees.
struct Escaped<'o, W> {
    out: &'o mut W,
    failed: Option<io::Error>,
}

impl<W: Write> fmt::Write for Escaped<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape(&shown(text), self.out).map_err(|error| {
            self.failed = Some(error);
            fmt::Error
        })
    }
}

fn escape(text: &str, out: &mut impl Write) -> io::Result<()> {
    let mut written = 0;
    for (at, byte) in text.bytes().enumerate() {
        let entity = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            b'\'' => "&#39;",
            _ => continue,
        };
        out.write_all(&text.as_bytes()[written..at])?;
        out.write_all(entity.as_bytes())?;
        written = at + 1;
    }
    out.write_all(&text.as_bytes()[written..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(write: impl FnOnce(&mut Page<'_, Vec<u8>>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut Page::new(&mut out)).expect("memory takes everything");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn text_is_never_markup() {
        let hostile = "</style><img src=x onerror='a(\"b\")'>&amp;\u{202e}\u{0}";
        let written = page(|page| {
            put!(page, "<p title=\"", (hostile), "\">", (hostile), "</p>");
            Ok(())
        });
        let text = "&lt;/style&gt;&lt;img src=x onerror=&#39;a(&quot;b&quot;)&#39;&gt;&amp;amp;??";
        assert_eq!(written, format!("<p title=\"{text}\">{text}</p>"));
    }

    #[test]
    fn names_stand_in_backquotes_and_a_lone_one_is_a_sign() {
        assert_eq!(page(|page| page.prose("`a` to `<b>`, or `c")), "<code>a</code> to <code>&lt;b&gt;</code>, or `c");
    }

    #[test]
    fn sentences_are_joined_and_sql_keeps_its_lines() {
        let written = page(|page| page.paragraphs("One\ntwo:\n  SELECT 1;\n\n  SELECT 2;\nThree"));
        let expected = "<p>One two:</p><pre class=\"code\">  SELECT 1;</pre><pre class=\"code\">  SELECT 2;</pre><p>Three</p>";
        assert_eq!(written, expected);
    }
}
