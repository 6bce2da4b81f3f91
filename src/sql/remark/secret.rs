//! Passwords, connection strings and keys that stand in a file as they are.

use crate::sql::lex::{Lexer, Token, TokenKind};
use crate::text::{SourceFile, Span};
use memchr::memmem;
use std::ops::Range;

/// What a secret opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretKind {
    /// PASSWORD 'literal' of a role or a foreign server, or a setting that is called so.
    Password,
    /// The password in a connection string or a URL.
    Connection,
    /// A key that its form gives away, of a service or of a certificate.
    Key,
}

/// Parts of words, without which no secret is found: looked for once in the whole file.
const SIGNS: &[&str] = &["assword", "ASSWORD", "asswd", "ecret", "ECRET", "_key", "_KEY", "oken", "OKEN"];

/// Signs of a secret inside a literal.
const SIGNS_IN_TEXT: &[&str] = &["://", "assword=", "assword =", "PRIVATE KEY-----", "eyJ"];

/// How keys of services begin, and how many characters of a key follow at least.
const KEYS: &[(&str, usize)] = &[
    ("AKIA", 16),
    ("ASIA", 16),
    ("ghp_", 36),
    ("gho_", 36),
    ("ghs_", 36),
    ("github_pat_", 22),
    ("glpat-", 20),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("sk_live_", 16),
    ("rk_live_", 16),
    ("AIza", 35),
    ("SG.", 40),
];

/// Dollar quotes inside dollar quotes are looked into so far.
const DEEPEST: usize = 3;

/// Whether a file may hold a secret at all.
pub(super) fn may_be_in(bytes: &[u8]) -> bool {
    SIGNS.iter().any(|sign| memmem::find(bytes, sign.as_bytes()).is_some()) || may_be_in_text(bytes)
}

fn may_be_in_text(bytes: &[u8]) -> bool {
    let mut signs = SIGNS_IN_TEXT.iter().chain(KEYS.iter().map(|(sign, _)| sign));
    signs.any(|sign| memmem::find(bytes, sign.as_bytes()).is_some())
}

/// The secrets of a statement.
pub(super) fn find(source: &SourceFile, tokens: &[Token]) -> Vec<(Span, SecretKind)> {
    let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { return Vec::new() };
    let mut search = Search {
        source,
        sets: first.is_word(source, "set") || first.is_word(source, "alter"),
        holds_code: first.is_word(source, "do") || first.is_word(source, "create"),
        in_text: may_be_in_text(source.slice(first.span.to(last.span))),
        found: Vec::new(),
    };
    search.tokens(tokens);
    let mut codes = if search.holds_code { bodies(source, tokens) } else { Vec::new() };
    for _ in 0..DEEPEST {
        let mut inner = Vec::new();
        for code in codes {
            let tokens: Vec<_> = Lexer::new(source, code).collect();
            search.tokens(&tokens);
            inner.append(&mut bodies(source, &tokens));
        }
        codes = inner;
    }
    search.found.sort_by_key(|(span, _)| *span);
    search.found.dedup_by_key(|(span, _)| *span);
    search.found
}

fn bodies(source: &SourceFile, tokens: &[Token]) -> Vec<Span> {
    tokens.iter().filter_map(|token| token.dollar_body(source)).collect()
}

struct Search<'a> {
    source: &'a SourceFile,
    /// SET, or ALTER with SET in it.
    sets: bool,
    /// Dollar quotes hold code, whose own literals are looked at.
    holds_code: bool,
    in_text: bool,
    found: Vec<(Span, SecretKind)>,
}

impl Search<'_> {
    fn tokens(&mut self, tokens: &[Token]) {
        for (at, token) in tokens.iter().enumerate() {
            let is_literal = match token.kind {
                TokenKind::String => true,
                TokenKind::DollarString => !self.holds_code,
                _ => false,
            };
            if !is_literal {
                continue;
            }
            match inside(self.source, *token).filter(|_| self.is_password(&tokens[..at])) {
                Some(span) if is_plain(self.source.slice(span)) => self.found.push((span, SecretKind::Password)),
                Some(_) => {}
                None if self.in_text => self.text(token.span),
                None => {}
            }
        }
    }

    /// Whether the words before a literal call it a password: PASSWORD, or a setting of one's own whose name says so.
    fn is_password(&self, before: &[Token]) -> bool {
        let [.., last] = before else { return false };
        if last.is_word(self.source, "password") {
            return true;
        }
        let assigns = last.is_mark(self.source, "=") || last.is_word(self.source, "to");
        let name = before.iter().rev().nth(1).filter(|_| assigns && self.sets).and_then(|name| name.name(self.source));
        let is_own = |name: &str| name.contains('.') || before.iter().rev().nth(2).is_some_and(|dot| dot.is_mark(self.source, "."));
        const ENDINGS: [&str; 5] = ["password", "passwd", "secret", "_key", "token"];
        name.is_some_and(|name| is_own(&name) && ENDINGS.iter().any(|ending| name.to_ascii_lowercase().ends_with(ending)))
    }

    /// What gives itself away by its form.
    fn text(&mut self, literal: Span) {
        let bytes = self.source.slice(literal);
        let places = keys(bytes).map(|place| (place, SecretKind::Key));
        let places = places.chain(private_key(bytes).map(|place| (place, SecretKind::Key)));
        let places = places.chain(in_urls(bytes).chain(in_settings(bytes)).map(|place| (place, SecretKind::Connection)));
        for (place, kind) in places {
            if is_plain(&bytes[place.clone()]) {
                let start = literal.start + place.start as u32;
                self.found.push((Span::new(start, start + place.len() as u32), kind));
            }
        }
    }
}

/// Between the quotes.
fn inside(source: &SourceFile, literal: Token) -> Option<Span> {
    if let Some(body) = literal.dollar_body(source) {
        return Some(body);
    }
    let open = memchr::memchr(b'\'', source.slice(literal.span))? as u32;
    (literal.span.end > literal.span.start + open + 1).then(|| Span::new(literal.span.start + open + 1, literal.span.end - 1))
}

/// Something that is put in later is none, nor is a hash from which nobody can log in.
fn is_plain(bytes: &[u8]) -> bool {
    const PUT_IN_LATER: [&[u8]; 7] = [b"${", b"{{", b"$(", b"%(", b"<", b":'", b"__"];
    !bytes.is_empty()
        && !bytes.starts_with(b"SCRAM-SHA-256$")
        && !PUT_IN_LATER.iter().any(|sign| bytes.starts_with(sign))
        && !bytes.iter().all(|byte| matches!(byte, b'*' | b'x' | b'X' | b'.'))
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// Where words of a key's form stand: `eyJ` begins a JSON web token, of which two dots join the parts.
fn keys(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let known = KEYS.iter().copied().chain([("eyJ", 60)]);
    known.flat_map(move |(sign, least)| {
        memmem::find_iter(bytes, sign.as_bytes()).filter_map(move |at| {
            let begins = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
            let length = bytes[at..].iter().take_while(|byte| is_key_byte(**byte)).count();
            let is_token = sign != "eyJ" || bytes[at..at + length].iter().filter(|byte| **byte == b'.').count() == 2;
            (begins && length >= sign.len() + least && is_token).then(|| at..at + length)
        })
    })
}

fn private_key(bytes: &[u8]) -> Option<Range<usize>> {
    let sign = b"PRIVATE KEY-----";
    let start = memmem::find(bytes, sign)? + sign.len();
    let end = memmem::find(&bytes[start..], b"-----END").map_or(bytes.len(), |length| start + length);
    let space = bytes[start..end].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let length = bytes[start..end].trim_ascii().len();
    (length > 16).then(|| start + space..start + space + length)
}

/// `scheme://user:PASSWORD@host`.
fn in_urls(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
    memmem::find_iter(bytes, b"://").filter_map(|at| {
        let start = at + 3;
        let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'?' | b'#' | b'\'' | b'"' | b',' | b')' | b'<');
        let end = bytes[start..].iter().position(ends).map_or(bytes.len(), |length| start + length);
        let host = start + bytes[start..end].iter().rposition(|byte| *byte == b'@')?;
        let password = start + bytes[start..host].iter().position(|byte| *byte == b':')? + 1;
        Some(password..host)
    })
}

/// `host=db password=PASSWORD`.
fn in_settings(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let is_connection = ["host=", "dbname=", "user=", "hostaddr="].iter().any(|sign| memmem::find(bytes, sign.as_bytes()).is_some());
    memmem::find_iter(bytes, b"password").filter(move |_| is_connection).filter_map(|at| {
        let behind = |from: usize, is_in: fn(&u8) -> bool| from + bytes[from..].iter().take_while(|byte| is_in(byte)).count();
        let equals = behind(at + "password".len(), u8::is_ascii_whitespace);
        (bytes.get(equals) == Some(&b'=')).then_some(())?;
        let start = behind(equals + 1, |byte| byte.is_ascii_whitespace() || matches!(byte, b'\'' | b'\\'));
        Some(start..behind(start, |byte| !byte.is_ascii_whitespace() && !matches!(byte, b'\'' | b'\\' | b';')))
    })
}
