//! Text of others as Markdown and HTML of GitHub and GitLab that shows it and does nothing else: no markup, no mention, no link.

use crate::text::shown;
use std::fmt::Write;

/// A text in a paragraph, in a cell or between HTML tags. What stands in backquotes is code.
pub(super) fn text(text: &str) -> String {
    let pieces: Vec<_> = text.split('`').collect();
    if pieces.len() % 2 == 0 {
        // One of them has no other end.
        return plain(text);
    }
    let piece = |(at, piece): (usize, &&str)| if at % 2 == 0 { plain(piece) } else { code(piece) };
    pieces.iter().enumerate().map(piece).collect()
}

/// Code in a paragraph, in a cell or between HTML tags.
pub(super) fn code(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    // A name that has a line break shows it.
    let text = text.replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t");
    // In code nobody is mentioned, but addresses are linked all the same: `://`, `www.` and `@` must not be seen.
    let break_up = |c, before, next| match c {
        '@' => Some("<!-- -->"),
        ':' if next == '/' => Some("<!-- -->"),
        'w' | 'W' if is_w(before) && next == '.' => Some("<!-- -->"),
        _ => None,
    };
    format!("<code>{}</code>", signs(&shown(&text), break_up))
}

/// A command that is about a file, to be copied into a shell: there, too, the name is no more than a name.
pub(super) fn command(before: &str, path: &str, behind: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    let word = match path.chars().all(is_plain) && !path.starts_with('-') {
        true => path.to_owned(),
        false => format!("'{}'", path.replace('\'', "'\\''")),
    };
    code(&format!("{before} {word}{behind}"))
}

/// Lines as they are. Their fence is longer than any in them.
pub(super) fn fenced(kind: &str, text: &str) -> String {
    let lines: Vec<_> = text.trim_end().lines().map(shown).collect();
    fenced_as_is(kind, &lines.join("\n"))
}

/// The same, byte for byte.
pub(super) fn fenced_as_is(kind: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{kind}\n{text}\n{fence}\n")
}

fn plain(text: &str) -> String {
    let text = shown(text).replace(['\n', '\r', '\t'], " ");
    // A space of no width makes other words of `@name`, `#12`, `GH-12`, `://` and `www.`.
    let break_up = |c: char, before: char, next: char| {
        let begins = match c {
            '@' | '#' => next.is_alphanumeric(),
            '-' => before.eq_ignore_ascii_case(&'h') && next.is_ascii_digit(),
            ':' => next == '/',
            'w' | 'W' => is_w(before) && next == '.',
            _ => false,
        };
        begins.then_some("\u{200B}")
    };
    let escaped = signs(&text, break_up);
    // At the start of a line these begin a list or a heading.
    match escaped.chars().next() {
        Some(first @ ('-' | '+' | '=')) => format!("&#{};{}", u32::from(first), &escaped[1..]),
        _ => escaped,
    }
}

fn is_w(c: char) -> bool {
    c.eq_ignore_ascii_case(&'w')
}

/// Each sign by itself, and behind it what `break_up` makes of it, of the one before and of the next.
fn signs(text: &str, break_up: impl Fn(char, char, char) -> Option<&'static str>) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    let mut before = ' ';
    while let Some(c) = rest.next() {
        escaped += &sign(c);
        escaped += break_up(c, before, rest.peek().copied().unwrap_or(' ')).unwrap_or_default();
        before = c;
    }
    escaped
}

/// One sign. What could be markup is written by its number.
fn sign(c: char) -> String {
    if c.is_ascii_punctuation() && !matches!(c, ',' | ';' | '\'' | '(' | ')' | '/' | '?' | '.' | '-' | ':' | '=' | '%' | '+' | '"') {
        let mut number = String::new();
        // Writing to a String does not fail.
        let _ = write!(number, "&#{};", u32::from(c));
        return number;
    }
    c.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_backquotes_is_code_unless_one_has_no_other_end() {
        assert_eq!(text("writes to `orders` wait"), "writes to <code>orders</code> wait");
        assert_eq!(text("writes to `or`ders` wait"), "writes to &#96;or&#96;ders&#96; wait");
    }

    #[test]
    fn no_name_becomes_markup_a_mention_or_a_link() {
        assert_eq!(code("<img>|`x`\n_@anna_"), "<code>&#60;img&#62;&#124;&#96;x&#96;&#92;n&#95;&#64;<!-- -->anna&#95;</code>");
        assert_eq!(text("@anna #12 GH-12 [a](b)"), "&#64;\u{200B}anna &#35;\u{200B}12 GH-\u{200B}12 &#91;a&#93;(b)");
        assert_eq!(text("https://a.b www.c.d"), "https:\u{200B}//a.b www\u{200B}.c.d");
    }

    #[test]
    fn a_name_in_a_command_is_one_word_of_it() {
        assert_eq!(command("lockkeeper plan", "m/1.sql", " --write DIR"), "<code>lockkeeper plan m/1.sql --write DIR</code>");
        assert_eq!(command("lockkeeper plan", "$(x)'y", ""), "<code>lockkeeper plan '&#36;(x)'&#92;''y'</code>");
    }

    #[test]
    fn a_fence_is_longer_than_any_in_it() {
        assert_eq!(fenced("sql", "a ``` b\n"), "````sql\na ``` b\n````\n");
        assert_eq!(fenced("sql", "a"), "```sql\na\n```\n");
    }
}
