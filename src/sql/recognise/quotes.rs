//! What quoted tokens say: names as the server stores them, strings with their quotes undone.

use super::super::lex::{Token, TokenKind};
use crate::model::name::Ident;
use crate::text::SourceFile;

/// The name that a word or quoted identifier stands for; `None` for other tokens and for an empty `""`.
pub(crate) fn ident(source: &SourceFile, token: Token) -> Option<Ident> {
    let text = source.text(token.span);
    match token.kind {
        TokenKind::Word => Some(Ident::folded(&text)),
        TokenKind::QuotedIdent => {
            let unicode = text.starts_with(['u', 'U']);
            let inside = between_quotes(&text, '"')?.replace("\"\"", "\"");
            let name = if unicode { unicode_escapes(&inside)? } else { inside };
            (!name.is_empty()).then(|| Ident::quoted(&name))
        }
        _ => None,
    }
}

/// What a string literal says; `None` for other tokens, for bit strings, and where an escape cannot be read.
pub(crate) fn string(source: &SourceFile, token: Token) -> Option<String> {
    let text = source.text(token.span);
    match token.kind {
        TokenKind::DollarString => {
            let tag = text[1..].find('$')? + 2;
            text.get(tag..text.len().checked_sub(tag)?).map(str::to_owned)
        }
        TokenKind::String => {
            let quote = text.find('\'')?;
            let parts = quoted_parts(&text[quote..])?;
            match text[..quote].to_ascii_lowercase().as_str() {
                "" | "n" => Some(parts.replace("''", "'")),
                "e" => backslash_escapes(&parts),
                "u&" => unicode_escapes(&parts.replace("''", "'")),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The inside of a token that ends with `quote`, whatever prefix it has.
fn between_quotes(text: &str, quote: char) -> Option<&str> {
    let (_, inside) = text.split_once(quote)?;
    inside.strip_suffix(quote)
}

/// Joins `'a' newline 'b'` to `ab`; doubled quotes stay.
fn quoted_parts(text: &str) -> Option<String> {
    let inside = between_quotes(text, '\'')?;
    if !inside.contains('\n') && !inside.contains('\r') {
        return Some(inside.to_owned());
    }
    let mut joined = String::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(at) = rest.find('\'') {
        let behind = &rest[at + 1..];
        joined.push_str(&rest[..at]);
        if let Some(doubled) = behind.strip_prefix('\'') {
            joined.push_str("''");
            rest = doubled;
        } else {
            // The quote closes one part; the next one begins behind white space and comments that hold a newline.
            rest = behind_comments(behind).strip_prefix('\'')?;
        }
    }
    joined.push_str(rest);
    Some(joined)
}

fn behind_comments(text: &str) -> &str {
    let mut rest = text.trim_start();
    while rest.starts_with("--") {
        rest = rest.find('\n').map_or("", |newline| &rest[newline..]).trim_start();
    }
    rest
}

/// `\n`, `\x41`, `\101`, `\u0041` and `''` of an E string.
fn backslash_escapes(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '\'' {
            characters.next_if_eq(&'\'');
        }
        if character != '\\' {
            push(&mut bytes, character);
            continue;
        }
        match characters.next()? {
            'b' => bytes.push(8),
            'f' => bytes.push(12),
            'n' => bytes.push(b'\n'),
            'r' => bytes.push(b'\r'),
            't' => bytes.push(b'\t'),
            'v' => bytes.push(11),
            'x' if characters.peek().is_some_and(char::is_ascii_hexdigit) => bytes.push(digits(&mut characters, 16, 2) as u8),
            'u' => push(&mut bytes, exactly(&mut characters, 4)?),
            'U' => push(&mut bytes, exactly(&mut characters, 8)?),
            octal @ '0'..='7' => {
                let first = octal.to_digit(8)?;
                let mut value = first;
                for _ in 0..2 {
                    let Some(next) = characters.peek().and_then(|next| next.to_digit(8)) else { break };
                    value = value * 8 + next;
                    characters.next();
                }
                bytes.push(value as u8);
            }
            other => push(&mut bytes, other),
        }
    }
    String::from_utf8(bytes).ok()
}

fn push(bytes: &mut Vec<u8>, character: char) {
    bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

type Characters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Up to `most` digits.
fn digits(characters: &mut Characters<'_>, radix: u32, most: usize) -> u32 {
    let mut value = 0;
    for _ in 0..most {
        let Some(digit) = characters.peek().and_then(|next| next.to_digit(radix)) else { break };
        value = value * radix + digit;
        characters.next();
    }
    value
}

/// A character by exactly this many hexadecimal digits; surrogate pairs are not put together.
fn exactly(characters: &mut Characters<'_>, count: usize) -> Option<char> {
    let mut value = 0u32;
    for _ in 0..count {
        value = value.checked_mul(16)?.checked_add(characters.next()?.to_digit(16)?)?;
    }
    char::from_u32(value)
}

/// `\0041`, `\+000041` and `\\` of `U&` tokens whose escape character is the backslash.
fn unicode_escapes(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
        } else if characters.next_if_eq(&'\\').is_some() {
            out.push('\\');
        } else {
            let count = if characters.next_if_eq(&'+').is_some() { 6 } else { 4 };
            out.push(exactly(&mut characters, count)?);
        }
    }
    Some(out)
}
