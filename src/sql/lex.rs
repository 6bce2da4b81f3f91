//! PostgreSQL's tokens, with spans. Never fails: what the server's scanner would refuse is a token of kind [`TokenKind::Broken`].
//!
//! Follows `scan.l` and, for variables, `psqlscan.l`. What a token says (names, text) is in [`super::literal`].

mod class;

use super::literal::has_refused_escape;
use crate::text::{SourceFile, Span};
use class::{DIGIT, IDENT_CONT, IDENT_START, OPERATOR, SPACE, is};
use memchr::{memchr, memchr2, memmem};

/// One token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it stands.
    pub span: Span,
}

/// Kinds of token (manual: sql-syntax-lexical).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// An unquoted identifier or keyword.
    Word,
    /// `"..."`, also `U&"..."` with its `UESCAPE`.
    QuotedIdent,
    /// `'...'`, `E'...'`, `B'...'`, `X'...'`, `N'...'`, `U&'...'` with its `UESCAPE`; continuation over a newline included.
    String,
    /// `$tag$...$tag$`.
    DollarString,
    /// A number.
    Number,
    /// `$1`.
    Parameter,
    /// An operator: the longest run that PostgreSQL takes for one.
    Operator,
    /// `(`, `)`, `[`, `]`, `,`, `;`, `.`, `:`, `::`, `:=`, `..`.
    Punctuation,
    /// A psql variable, `:name`, `:'name'`, `:"name"`, `:{?name}`.
    Variable,
    /// `-- ...` or `/* ... */`; the iterator leaves them out, [`Lexer::next_lexeme`] gives them.
    Comment,
    /// A quote or comment that never ends, a NUL byte, a number with junk behind it, a byte that begins nothing.
    Broken,
}

/// Reads tokens from a range of a file, one after the other. As an iterator it leaves comments out.
#[derive(Clone, Debug)]
pub struct Lexer<'a> {
    /// The file up to the end of the range, so that offsets are the file's own.
    bytes: &'a [u8],
    at: usize,
    /// How many `[` are open: in a subscript a colon makes a slice, not a psql variable.
    brackets: u32,
    /// Up to here there are only signs, each an operator of its own.
    signs: usize,
    /// `${name}` stands for something.
    placeholders: bool,
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            let token = self.next_lexeme()?;
            if token.kind != TokenKind::Comment {
                return Some(token);
            }
        }
    }
}

impl<'a> Lexer<'a> {
    /// Begins at the start of a range of a file; nothing behind the range is looked at.
    pub fn new(source: &'a SourceFile, part: Span) -> Self {
        let bytes = source.bytes();
        let end = (part.end as usize).min(bytes.len());
        let placeholders = source.has_placeholders();
        Self { bytes: &bytes[..end], at: (part.start as usize).min(end), brackets: 0, signs: 0, placeholders }
    }

    /// The offset behind the last token given.
    pub fn offset(&self) -> u32 {
        self.at as u32
    }

    /// Goes on at another offset, behind something that is no SQL.
    pub(crate) fn resume(&mut self, offset: usize) {
        self.at = offset.min(self.bytes.len());
        self.brackets = 0;
    }

    /// The next token, comments included; only whitespace is left out.
    pub fn next_lexeme(&mut self) -> Option<Token> {
        while let Some(byte) = self.peek(0)
            && is(byte, SPACE)
        {
            self.at += 1;
        }
        let start = self.at;
        let kind = self.scan(self.peek(0)?);
        debug_assert!(self.at > start && self.at <= self.bytes.len());
        Some(Token { kind, span: Span::new(start as u32, self.at as u32) })
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    /// Moves behind the token that begins with `first`, and says what it is.
    fn scan(&mut self, first: u8) -> TokenKind {
        match first {
            b'\'' => self.string(0, false),
            b'"' => self.quoted_ident(0),
            b'$' if self.placeholder().is_some() => self.words(),
            b'$' => self.dollar(),
            b'0'..=b'9' => self.number(),
            b'.' if self.peek(1).is_some_and(|byte| byte.is_ascii_digit()) => self.number(),
            b'-' if self.peek(1) == Some(b'-') => self.line_comment(),
            b'/' if self.peek(1) == Some(b'*') => self.block_comment(),
            b':' => self.colon(),
            b'.' if self.peek(1) == Some(b'.') => self.take(2, TokenKind::Punctuation),
            b'[' => {
                self.brackets += 1;
                self.take(1, TokenKind::Punctuation)
            }
            b']' => {
                self.brackets = self.brackets.saturating_sub(1);
                self.take(1, TokenKind::Punctuation)
            }
            b'(' | b')' | b',' | b';' | b'.' => self.take(1, TokenKind::Punctuation),
            _ if is(first, IDENT_START) => self.word(first),
            _ if is(first, OPERATOR) => self.operator(),
            _ => self.take(1, TokenKind::Broken),
        }
    }

    fn take(&mut self, length: usize, kind: TokenKind) -> TokenKind {
        self.at += length;
        kind
    }

    /// Moves to the end of the range: what began never ends.
    fn take_rest(&mut self) -> TokenKind {
        self.at = self.bytes.len();
        TokenKind::Broken
    }

    fn word(&mut self, first: u8) -> TokenKind {
        match (first | 0x20, self.peek(1)) {
            (b'e', Some(b'\'')) => return self.string(1, true),
            (b'b' | b'x' | b'n', Some(b'\'')) => return self.string(1, false),
            (b'u', Some(b'&')) => match self.peek(2) {
                Some(b'\'') => return self.unicode(|lexer| lexer.string(2, false)),
                Some(b'"') => return self.unicode(|lexer| lexer.quoted_ident(2)),
                _ => {}
            },
            _ => {}
        }
        self.words()
    }

    /// Letters, and the placeholders between them: whatever stands for those, together they are a name.
    fn words(&mut self) -> TokenKind {
        loop {
            self.skip(IDENT_CONT);
            if self.placeholders && self.peek(0) == Some(b'{') && self.bytes[..self.at].ends_with(b"$") {
                self.at -= 1;
            }
            match self.placeholder() {
                Some(length) => self.at += length,
                None => return TokenKind::Word,
            }
        }
    }

    /// The length of `${name}`, where files have such.
    fn placeholder(&self) -> Option<usize> {
        let rest = self.bytes[self.at..].strip_prefix(b"${").filter(|_| self.placeholders)?;
        let length = rest.iter().take_while(|byte| !matches!(byte, b'}' | b'\n' | b'{' | b'\'' | b'"')).count();
        (length > 0 && rest.get(length) == Some(&b'}')).then_some(length + 3)
    }

    fn skip(&mut self, class: u8) {
        while let Some(byte) = self.peek(0)
            && is(byte, class)
        {
            self.at += 1;
        }
    }

    /// A quoted string whose opening quote stands `prefix` bytes ahead.
    fn string(&mut self, prefix: usize, backslash_escapes: bool) -> TokenKind {
        let start = self.at;
        let Some(end) = string_end(self.bytes, start + prefix, backslash_escapes) else { return self.take_rest() };
        self.at = end;
        let refused = backslash_escapes && has_refused_escape(&self.bytes[start..end]);
        if refused { TokenKind::Broken } else { TokenKind::String }
    }

    fn quoted_ident(&mut self, prefix: usize) -> TokenKind {
        let inside = self.at + prefix + 1;
        let mut from = inside;
        loop {
            let Some(stop) = memchr(b'"', &self.bytes[from..]).map(|stop| from + stop) else { return self.take_rest() };
            if self.bytes.get(stop + 1) == Some(&b'"') {
                from = stop + 2;
                continue;
            }
            self.at = stop + 1;
            // The server: zero-length delimited identifier.
            return if stop == inside { TokenKind::Broken } else { TokenKind::QuotedIdent };
        }
    }

    /// `U&...`, and `UESCAPE 'c'` behind it, which the server's parser takes as one token too.
    fn unicode(&mut self, quoted: impl Fn(&mut Self) -> TokenKind) -> TokenKind {
        let start = self.at;
        let kind = quoted(self);
        let mut ahead = self.clone();
        if let Some(word) = ahead.next()
            && self.bytes[word.span.range()].eq_ignore_ascii_case(b"uescape")
            && ahead.next().is_some_and(|escape| escape.kind == TokenKind::String)
        {
            self.at = ahead.at;
        }
        if has_refused_escape(&self.bytes[start..self.at]) { TokenKind::Broken } else { kind }
    }

    fn dollar(&mut self) -> TokenKind {
        if self.peek(1).is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
            self.skip(DIGIT);
            return self.no_junk(TokenKind::Parameter);
        }
        let Some(tag) = dollar_tag(&self.bytes[self.at..]) else { return self.take(1, TokenKind::Broken) };
        let inside = self.at + tag.len();
        match memmem::find(&self.bytes[inside..], tag) {
            Some(end) => self.take(tag.len() + end + tag.len(), TokenKind::DollarString),
            None => self.take_rest(),
        }
    }

    /// Decimal, hexadecimal, octal or binary, with underscores between digits (16).
    fn number(&mut self) -> TokenKind {
        let radix = match (self.peek(0), self.peek(1).map(|byte| byte | 0x20)) {
            (Some(b'0'), Some(b'x')) => Some(16),
            (Some(b'0'), Some(b'o')) => Some(8),
            (Some(b'0'), Some(b'b')) => Some(2),
            _ => None,
        };
        if let Some(radix) = radix {
            self.at += 2;
            let digits = self.at;
            self.digits(radix);
            let kind = self.no_junk(TokenKind::Number);
            return if self.at == digits { TokenKind::Broken } else { kind };
        }
        self.digits(10);
        // `1..10` is a range: the number ends before both dots.
        if self.peek(0) == Some(b'.') && self.peek(1) != Some(b'.') {
            self.at += 1;
            if self.peek(0) != Some(b'_') {
                self.digits(10);
            }
        }
        if self.peek(0).is_some_and(|byte| byte | 0x20 == b'e') {
            let sign = usize::from(matches!(self.peek(1), Some(b'+' | b'-')));
            if self.peek(1 + sign).is_some_and(|byte| byte.is_ascii_digit()) {
                self.at += 1 + sign;
                self.digits(10);
            } else if sign == 1 {
                return self.take(2, TokenKind::Broken);
            }
        }
        self.no_junk(TokenKind::Number)
    }

    /// Digits of a radix, each with at most one underscore before it.
    fn digits(&mut self, radix: u32) {
        let is_digit = |byte: Option<u8>| byte.is_some_and(|byte| char::from(byte).is_digit(radix));
        loop {
            if is_digit(self.peek(0)) {
                self.at += 1;
            } else if self.peek(0) == Some(b'_') && is_digit(self.peek(1)) {
                self.at += 2;
            } else {
                return;
            }
        }
    }

    /// The server: trailing junk after numeric literal, after parameter (15).
    fn no_junk(&mut self, kind: TokenKind) -> TokenKind {
        if self.peek(0).is_some_and(|byte| is(byte, IDENT_START)) {
            self.skip(IDENT_CONT);
            return TokenKind::Broken;
        }
        kind
    }

    fn line_comment(&mut self) -> TokenKind {
        let length = memchr2(b'\n', b'\r', &self.bytes[self.at..]);
        self.at = length.map_or(self.bytes.len(), |length| self.at + length);
        TokenKind::Comment
    }

    fn block_comment(&mut self) -> TokenKind {
        let mut depth = 1u32;
        let mut from = self.at + 2;
        while let Some(stop) = memchr2(b'*', b'/', &self.bytes[from..]).map(|stop| from + stop) {
            match (self.bytes[stop], self.bytes.get(stop + 1)) {
                (b'/', Some(b'*')) => depth += 1,
                (b'*', Some(b'/')) => depth -= 1,
                _ => {
                    from = stop + 1;
                    continue;
                }
            }
            from = stop + 2;
            if depth == 0 {
                self.at = from;
                return TokenKind::Comment;
            }
        }
        self.take_rest()
    }

    fn colon(&mut self) -> TokenKind {
        let second = self.peek(1);
        if matches!(second, Some(b':' | b'=')) {
            return self.take(2, TokenKind::Punctuation);
        }
        if self.brackets == 0
            && let Some(length) = variable(&self.bytes[self.at..])
        {
            return self.take(length, TokenKind::Variable);
        }
        self.take(1, TokenKind::Punctuation)
    }

    /// The longest run of operator characters that does not run into a comment; several characters end in `+` or `-` only if one of
    /// them is no operator of standard SQL (manual: sql-syntax-operators).
    fn operator(&mut self) -> TokenKind {
        if self.at < self.signs {
            return self.take(1, TokenKind::Operator);
        }
        let rest = &self.bytes[self.at..];
        let goes_on = |at: usize| is(rest[at], OPERATOR) && !rest[at..].starts_with(b"--") && !rest[at..].starts_with(b"/*");
        let run = (0..rest.len()).take_while(|at| goes_on(*at)).count();
        let mut length = run;
        if !rest[..run].iter().any(|byte| b"~!@#^&|`?%".contains(byte)) {
            while length > 1 && matches!(rest[length - 1], b'+' | b'-') {
                length -= 1;
            }
            self.signs = self.at + run;
        }
        self.take(length, TokenKind::Operator)
    }
}

/// One past the closing quote of the string that opens at `open`, its continuations included.
pub(super) fn string_end(bytes: &[u8], open: usize, backslash_escapes: bool) -> Option<usize> {
    let mut from = open + 1;
    loop {
        let rest = bytes.get(from..)?;
        let stop = from + if backslash_escapes { memchr2(b'\'', b'\\', rest)? } else { memchr(b'\'', rest)? };
        if bytes[stop] == b'\\' || bytes.get(stop + 1) == Some(&b'\'') {
            from = stop + 2;
        } else if let Some(quote) = continuation(bytes, stop + 1) {
            from = quote + 1;
        } else {
            return Some(stop + 1);
        }
    }
}

/// Where a string goes on: the next opening quote, if only whitespace with a newline in it, and comments, stand before it.
pub(super) fn continuation(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    let mut newline = false;
    loop {
        match bytes.get(at)? {
            b'\n' | b'\r' => newline = true,
            byte if is(*byte, SPACE) => {}
            b'-' if bytes.get(at + 1) == Some(&b'-') => {
                at += memchr2(b'\n', b'\r', &bytes[at..])?;
                continue;
            }
            b'\'' if newline => return Some(at),
            _ => return None,
        }
        at += 1;
    }
}

/// The `$tag$` that opens a dollar quote.
pub(super) fn dollar_tag(text: &[u8]) -> Option<&[u8]> {
    let name = text[1..].iter().take_while(|byte| is(**byte, IDENT_CONT) && **byte != b'$').count();
    let starts_well = name == 0 || is(text[1], IDENT_START);
    (starts_well && text.get(1 + name) == Some(&b'$')).then(|| &text[..name + 2])
}

/// The length of the psql variable that begins here with a colon. A name of digits only is left to array slices and JSON.
fn variable(text: &[u8]) -> Option<usize> {
    let name = |from: usize| text[from..].iter().take_while(|byte| is(**byte, IDENT_CONT) && **byte != b'$').count();
    match *text.get(1)? {
        quote @ (b'\'' | b'"') => {
            let name = name(2);
            (name > 0 && text.get(2 + name) == Some(&quote)).then_some(name + 3)
        }
        b'{' if text.get(2) == Some(&b'?') => {
            let name = name(3);
            (name > 0 && text.get(3 + name) == Some(&b'}')).then_some(name + 4)
        }
        first => is(first, IDENT_START).then(|| 1 + name(1)),
    }
}

#[cfg(test)]
mod tests;
