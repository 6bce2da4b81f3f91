//! What a token says: words compared, names folded, quotes and escapes undone.

use super::lex::{Token, TokenKind, continuation, dollar_tag, string_end};
use crate::model::name::Ident;
use crate::text::{SourceFile, Span};
use memchr::memmem;

impl Token {
    /// Whether it is this keyword, in any case; a quoted name never is.
    pub fn is_word(&self, source: &SourceFile, word: &str) -> bool {
        self.kind == TokenKind::Word && source.slice(self.span).eq_ignore_ascii_case(word.as_bytes())
    }

    /// Whether it is this punctuation or operator.
    pub fn is_mark(&self, source: &SourceFile, mark: &str) -> bool {
        matches!(self.kind, TokenKind::Punctuation | TokenKind::Operator) && source.slice(self.span) == mark.as_bytes()
    }

    /// The name that it stands for, folded or unquoted, and cut as the server does; `None` if it is no identifier, or has an escape that
    /// the server refuses.
    pub fn ident(&self, source: &SourceFile) -> Option<Ident> {
        match self.kind {
            TokenKind::Word => Some(Ident::folded(&source.text(self.span))),
            _ => self.name(source).map(|name| Ident::quoted(&name)),
        }
    }

    /// All of that name, however long.
    pub fn name(&self, source: &SourceFile) -> Option<String> {
        match self.kind {
            TokenKind::Word => Some(source.text(self.span).to_ascii_lowercase()),
            TokenKind::QuotedIdent => {
                let bytes = source.slice(self.span);
                match bytes[0] {
                    b'"' => Some(lossy(undouble(bytes, 0).0)),
                    _ => unicode_escapes(undouble(bytes, 2)),
                }
            }
            _ => None,
        }
    }

    /// The text that it stands for, quotes and escapes undone; `None` if it is no text literal (bit strings are none), or has an escape
    /// that the server refuses.
    pub fn string_value(&self, source: &SourceFile) -> Option<String> {
        let bytes = source.slice(self.span);
        match (self.kind, bytes.first()? | 0x20) {
            (TokenKind::DollarString, _) => Some(source.text(self.dollar_body(source)?).into_owned()),
            (TokenKind::String, b'e') => backslash_escapes(&bytes[1..]),
            (TokenKind::String, b'u') => unicode_escapes(undouble(bytes, 2)),
            (TokenKind::String, b'b' | b'x') => None,
            (TokenKind::String, b'n') => Some(lossy(undouble(bytes, 1).0)),
            (TokenKind::String, _) => Some(lossy(undouble(bytes, 0).0)),
            _ => None,
        }
    }

    /// What stands between the two tags of a dollar quote: text that can be read in place.
    pub fn dollar_body(&self, source: &SourceFile) -> Option<Span> {
        if self.kind != TokenKind::DollarString {
            return None;
        }
        let tag = dollar_tag(source.slice(self.span))?.len() as u32;
        Some(Span::new(self.span.start + tag, self.span.end - tag))
    }

    /// Whether it is a quote or comment that runs to the end of the text.
    pub fn never_ends(&self, source: &SourceFile) -> bool {
        self.why_broken(source).is_some_and(|why| why.starts_with("unterminated"))
    }

    /// What is wrong with a broken token, in the server's words; `None` for any other.
    pub fn why_broken(&self, source: &SourceFile) -> Option<&'static str> {
        if self.kind != TokenKind::Broken {
            return None;
        }
        let bytes = source.slice(self.span);
        Some(match bytes {
            [0] => "NUL byte",
            [b'"', b'"'] | [b'u' | b'U', b'&', b'"', b'"'] | [b'u' | b'U', b'&', b'"', b'"', b'\t'..=b' ' | b'-' | b'/', ..] => {
                "zero-length delimited identifier"
            }
            [b'/', b'*', ..] => "unterminated /* comment",
            _ if has_refused_escape(bytes) => "invalid Unicode escape",
            [b'"', ..] | [b'u' | b'U', b'&', b'"', ..] => "unterminated quoted identifier",
            [b'$', digit, ..] if digit.is_ascii_digit() => "trailing junk after parameter",
            [b'$', _, ..] => "unterminated dollar-quoted string",
            [b'b' | b'B' | b'x' | b'X', b'\'', ..] => "unterminated bit string literal",
            [b'\'', ..] | [_, b'\'', ..] | [b'u' | b'U', b'&', ..] => "unterminated quoted string",
            [digit, ..] if digit.is_ascii_digit() || *digit == b'.' => "trailing junk after numeric literal",
            [b'\\'] => "backslash outside quotes",
            _ => "character that begins no token",
        })
    }
}

fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Whether the text of a string or quoted identifier that ends has a Unicode escape that the server's scanner refuses.
pub(super) fn has_refused_escape(bytes: &[u8]) -> bool {
    match bytes {
        [b'e' | b'E', b'\'', ..] => {
            let unicode = memmem::find(bytes, b"\\u").or_else(|| memmem::find(bytes, b"\\U"));
            unicode.is_some() && string_end(bytes, 1, true).is_some() && backslash_escapes(&bytes[1..]).is_none()
        }
        [b'u' | b'U', b'&', b'\'', ..] => string_end(bytes, 2, false).is_some() && unicode_escapes(undouble(bytes, 2)).is_none(),
        [b'u' | b'U', b'&', b'"', ..] => bytes[3..].contains(&b'"') && unicode_escapes(undouble(bytes, 2)).is_none(),
        _ => false,
    }
}

/// The inside of a quote that opens at `open`, doubled quotes undone, the parts of a continued string joined; and what stands behind it.
fn undouble(bytes: &[u8], open: usize) -> (Vec<u8>, &[u8]) {
    let quote = bytes[open];
    let mut inside = Vec::with_capacity(bytes.len());
    let mut at = open + 1;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        if byte != quote {
            inside.push(byte);
        } else if bytes.get(at) == Some(&quote) {
            inside.push(quote);
            at += 1;
        } else if let Some(next) = continuation(bytes, at).filter(|_| quote == b'\'') {
            at = next + 1;
        } else {
            break;
        }
    }
    (inside, &bytes[at..])
}

/// The inside of `E'...'` (manual: sql-syntax-strings-escape).
fn backslash_escapes(bytes: &[u8]) -> Option<String> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut unicode = Unicode::default();
    let mut at = 1;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        if byte == b'\'' {
            if bytes.get(at) == Some(&b'\'') {
                at += 1;
            } else if let Some(next) = continuation(bytes, at) {
                at = next + 1;
                continue;
            } else {
                break;
            }
        }
        if byte != b'\\' {
            unicode.no_pair_is_open()?;
            out.push(byte);
            continue;
        }
        let escaped = *bytes.get(at)?;
        at += 1;
        if matches!(escaped, b'u' | b'U') {
            let length = if escaped == b'u' { 4 } else { 8 };
            unicode.push(code(bytes.get(at..at + length)?, 16)?, &mut out)?;
            at += length;
            continue;
        }
        unicode.no_pair_is_open()?;
        match escaped {
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'v' => out.push(11),
            b'0'..=b'7' => {
                let digits = bytes[at..].iter().take(2).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
                out.push(code(&bytes[at - 1..at + digits], 8)? as u8);
                at += digits;
            }
            b'x' if bytes.get(at).is_some_and(u8::is_ascii_hexdigit) => {
                let digits = bytes[at..].iter().take(2).take_while(|byte| byte.is_ascii_hexdigit()).count();
                out.push(code(&bytes[at..at + digits], 16)? as u8);
                at += digits;
            }
            other => out.push(other),
        }
    }
    unicode.no_pair_is_open()?;
    // The server refuses a zero byte, and bytes that are no text in its encoding.
    String::from_utf8(out).ok().filter(|text| !text.contains('\0'))
}

/// The inside of `U&'...'` or `U&"..."` (manual: sql-syntax-strings-uescape).
fn unicode_escapes((inside, behind): (Vec<u8>, &[u8])) -> Option<String> {
    let escape = match behind {
        [] => b'\\',
        [.., b'\'', escape, b'\''] => *escape,
        _ => return None,
    };
    if escape.is_ascii_hexdigit() || escape.is_ascii_whitespace() || matches!(escape, b'+' | b'\'' | b'"') {
        return None;
    }
    let mut out = Vec::with_capacity(inside.len());
    let mut unicode = Unicode::default();
    let mut at = 0;
    while let Some(&byte) = inside.get(at) {
        at += 1;
        if byte != escape || inside.get(at) == Some(&escape) {
            at += usize::from(byte == escape);
            unicode.no_pair_is_open()?;
            out.push(byte);
            continue;
        }
        let (from, length) = if inside.get(at) == Some(&b'+') { (at + 1, 6) } else { (at, 4) };
        unicode.push(code(inside.get(from..from + length)?, 16)?, &mut out)?;
        at = from + length;
    }
    unicode.no_pair_is_open()?;
    Some(lossy(out))
}

/// The number that digits of a radix write; `None` if one is no digit.
fn code(digits: &[u8], radix: u32) -> Option<u32> {
    digits.iter().try_fold(0u32, |code, digit| code.checked_mul(radix)?.checked_add(char::from(*digit).to_digit(radix)?))
}

/// Code points as they are read; the first half of a surrogate pair waits for the second.
#[derive(Default)]
struct Unicode {
    first_half: Option<u32>,
}

impl Unicode {
    fn push(&mut self, code: u32, out: &mut Vec<u8>) -> Option<()> {
        let point = match (self.first_half.take(), code) {
            (None, 0xD800..=0xDBFF) => {
                self.first_half = Some(code);
                return Some(());
            }
            (None, _) => code,
            (Some(first), 0xDC00..=0xDFFF) => 0x10000 + ((first - 0xD800) << 10) + (code - 0xDC00),
            (Some(_), _) => return None,
        };
        // The server refuses U+0000, a lone half of a pair, and what is beyond U+10FFFF.
        let point = char::from_u32(point).filter(|point| *point != '\0')?;
        out.extend_from_slice(point.encode_utf8(&mut [0; 4]).as_bytes());
        Some(())
    }

    fn no_pair_is_open(&self) -> Option<()> {
        self.first_half.is_none().then_some(())
    }
}
