//! Reads as much of a Python file as tells which revision it is, and where it calls what.

use crate::text::{SourceFile, Span};

/// A word of Python.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    kind: Kind,
    span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A name, a keyword, or a number.
    Name,
    /// A string, its prefix and its quotes included.
    Text,
    /// One character that is neither.
    Sign(u8),
}

/// A Python file, cut into words. Comments are left out.
pub(super) struct Python<'a> {
    source: &'a SourceFile,
    tokens: Vec<Token>,
}

/// A call of a method: `op.add_column("orders", ...)`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Call {
    /// The method.
    pub method: String,
    /// Where the call begins, from 1.
    pub line: u32,
    /// The strings among its arguments, wherever they stand in them.
    pub texts: Vec<String>,
}

impl<'a> Python<'a> {
    pub fn read(source: &'a SourceFile) -> Self {
        Self { source, tokens: tokens(source.bytes()) }
    }

    /// The strings that are assigned to a variable of the module; `None`: nothing is.
    pub fn assigned(&self, variable: &str) -> Option<Vec<String>> {
        let at = self.tokens.iter().position(|token| self.is_at_margin(token) && self.is(token, variable))?;
        let equals = at + self.tokens[at..].iter().position(|token| token.kind == Kind::Sign(b'='))?;
        let line = |token: &Token| self.source.text_place(token.span.start).line;
        // An annotation may stand between them, but no other line.
        (line(&self.tokens[equals]) == line(&self.tokens[at])).then_some(())?;
        let value = &self.tokens[equals + 1..];
        let length = self.logical_line(value, line(&self.tokens[equals]));
        Some(value[..length].iter().filter_map(|token| self.string(token)).collect())
    }

    /// Where a function of the module begins, and the calls of methods in it, in order. Calls among the arguments of another are a part of it.
    pub fn function(&self, name: &str) -> Option<(u32, Vec<Call>)> {
        let is_head = |pair: &[Token]| self.is_at_margin(&pair[0]) && self.is(&pair[0], "def") && self.is(&pair[1], name);
        let at = self.tokens.windows(2).position(is_head)?;
        let mut depth = 0usize;
        let is_end = |token: &Token| {
            let is_end = depth == 0 && self.is_at_margin(token);
            depth = deeper(depth, token);
            is_end
        };
        let body = &self.tokens[at + 1..];
        let body = &body[..body.iter().position(is_end).unwrap_or(body.len())];
        Some((self.line(&self.tokens[at]), self.calls(body)))
    }

    fn calls(&self, body: &[Token]) -> Vec<Call> {
        let (mut calls, mut at) = (Vec::new(), 0);
        while let Some([object, dot, method, open, rest @ ..]) = body.get(at..) {
            let kinds = [object.kind, dot.kind, method.kind, open.kind];
            if kinds != [Kind::Name, Kind::Sign(b'.'), Kind::Name, Kind::Sign(b'(')] {
                at += 1;
                continue;
            }
            let mut depth = 1usize;
            let closes = |token: &Token| {
                depth = deeper(depth, token);
                depth == 0
            };
            let length = rest.iter().position(closes).unwrap_or(rest.len());
            let texts = rest[..length].iter().filter_map(|token| self.string(token)).collect();
            calls.push(Call { method: self.source.text(method.span).into_owned(), line: self.line(object), texts });
            at += 4 + length;
        }
        calls
    }

    /// How many tokens there are before a line ends that is not inside of brackets.
    fn logical_line(&self, tokens: &[Token], first: u32) -> usize {
        let mut depth = 0usize;
        let mut line = first;
        let ends = |token: &Token| {
            let ends = depth == 0 && self.line(token) > line;
            depth = deeper(depth, token);
            line = self.source.text_place(token.span.end).line;
            ends
        };
        tokens.iter().position(ends).unwrap_or(tokens.len())
    }

    fn line(&self, token: &Token) -> u32 {
        self.source.text_place(token.span.start).line
    }

    fn is(&self, token: &Token, word: &str) -> bool {
        token.kind == Kind::Name && self.source.slice(token.span) == word.as_bytes()
    }

    fn is_at_margin(&self, token: &Token) -> bool {
        self.source.text_place(token.span.start).column == 1
    }

    /// What stands between the quotes.
    fn string(&self, token: &Token) -> Option<String> {
        if token.kind != Kind::Text {
            return None;
        }
        let text = self.source.text(token.span);
        let text = text.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let quotes = if text.starts_with("\"\"\"") || text.starts_with("'''") { 3 } else { 1 };
        Some(text.get(quotes..text.len().checked_sub(quotes)?)?.to_owned())
    }
}

fn deeper(depth: usize, token: &Token) -> usize {
    match token.kind {
        Kind::Sign(b'(' | b'[' | b'{') => depth + 1,
        Kind::Sign(b')' | b']' | b'}') => depth.saturating_sub(1),
        Kind::Sign(_) | Kind::Name | Kind::Text => depth,
    }
}

fn tokens(bytes: &[u8]) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = if bytes.starts_with("\u{FEFF}".as_bytes()) { 3 } else { 0 };
    while let Some(byte) = bytes.get(at) {
        let start = at;
        let kind = match byte {
            b'#' => {
                at += bytes[at..].iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len() - at);
                continue;
            }
            b'"' | b'\'' => {
                at = string_end(bytes, at);
                Kind::Text
            }
            byte if is_word(*byte) => {
                at += bytes[at..].iter().position(|byte| !is_word(*byte)).unwrap_or(bytes.len() - at);
                // `r"..."`: a word of these letters right before a quote is a part of the string.
                let is_prefix = at - start <= 2 && bytes[start..at].iter().all(|byte| b"rbufRBUF".contains(byte));
                match bytes.get(at) {
                    Some(b'"' | b'\'') if is_prefix => {
                        at = string_end(bytes, at);
                        Kind::Text
                    }
                    _ => Kind::Name,
                }
            }
            byte if byte.is_ascii_whitespace() || *byte == b'\\' => {
                at += 1;
                continue;
            }
            byte => {
                at += 1;
                Kind::Sign(*byte)
            }
        };
        tokens.push(Token { kind, span: Span::new(start as u32, at as u32) });
    }
    tokens
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// One past the string whose first quote is at `start`; one of a single line ends with it, closed or not.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let quote = bytes[start];
    let is_long = bytes[start..].starts_with(&[quote; 3]);
    let mut at = start + if is_long { 3 } else { 1 };
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 2,
            b'\n' if !is_long => return at,
            byte if *byte == quote && !is_long => return at + 1,
            byte if *byte == quote && bytes[at..].starts_with(&[quote; 3]) => return at + 3,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#""""A note on orders: revision = "wrong"
"""
from alembic import op
revision: str = "0a1b"  # not "0c2d"
down_revision: Union[str, None] = (
    "0e3f",
    '0a4b',
)
branch_labels = None

def upgrade() -> None:
    # op.drop_table("orders")
    op.add_column(
        "orders", sa.Column("note", sa.Text(), server_default='it''s (none)')
)
    with op.get_context().autocommit_block():
        op.execute(r"""
DROP TABLE drafts""")

def downgrade():
    op.drop_column("orders", "note")
"#;

    #[test]
    fn variables_of_the_module_are_read_with_their_annotations() {
        let source = SourceFile::new("0a1b.py", FILE);
        let python = Python::read(&source);
        assert_eq!(python.assigned("revision"), Some(vec!["0a1b".to_owned()]));
        assert_eq!(python.assigned("down_revision"), Some(vec!["0e3f".to_owned(), "0a4b".to_owned()]));
        assert_eq!((python.assigned("branch_labels"), python.assigned("depends_on")), (Some(Vec::new()), None));
    }

    #[test]
    fn the_calls_of_a_function_are_those_up_to_the_next_line_at_the_margin() {
        let source = SourceFile::new("0a1b.py", FILE);
        let (line, calls) = Python::read(&source).function("upgrade").expect("it is there");
        let words: Vec<_> = calls.iter().map(|call| format!("{} {} {}", call.line, call.method, call.texts.join("|"))).collect();
        assert_eq!(line, 11);
        assert_eq!(words, ["13 add_column orders|note|it|s (none)", "16 get_context ", "17 execute \nDROP TABLE drafts"]);
    }

    #[test]
    fn a_file_that_is_broken_off_is_read_to_its_end() {
        for text in
            ["revision = \"0a", "revision = '''0a\\", "def upgrade", "def upgrade(:\n  op.execute(\"", "revision", "\u{FEFF}", "op.x("]
        {
            let source = SourceFile::new("broken.py", text);
            let python = Python::read(&source);
            let _ = (python.assigned("revision"), python.function("upgrade"));
        }
    }
}
