//! Statements as a header writes them and as files are compared by: on one line, token by token.

use crate::sql::lex::{Lexer, Token, TokenKind};
use crate::text::{SourceFile, Span};

/// A statement on one line: comments are left out, white space becomes one space. `None` if one of its tokens goes over several lines.
pub fn on_one_line(source: &SourceFile, span: Span) -> Option<String> {
    let mut line = String::new();
    let mut end = span.start;
    for token in Lexer::new(source, span) {
        let text = std::str::from_utf8(source.slice(token.span)).ok().filter(|text| !text.contains(['\n', '\r']))?;
        if token.span.start > end && !line.is_empty() {
            line.push(' ');
        }
        line.push_str(text);
        end = token.span.end;
    }
    Some(line)
}

/// Whether two statements are the same but for white space, comments and the case of words.
pub fn same(left: (&SourceFile, Span), right: (&SourceFile, Span)) -> bool {
    let (mut ours, mut theirs) = (tokens(left), tokens(right));
    loop {
        match (ours.next(), theirs.next()) {
            (None, None) => return true,
            (Some(our), Some(their)) if same_token((left.0, our), (right.0, their)) => {}
            _ => return false,
        }
    }
}

/// A body between dollar quotes whose tag stands nowhere in it: a name may hold anything.
pub fn dollar_quoted(tag: &str, body: &str) -> String {
    let mut tag = format!("${tag}$");
    while body.contains(&tag) {
        tag.insert(tag.len() - 1, '_');
    }
    format!("{tag}{body}{tag}")
}

fn tokens<'a>((source, span): (&'a SourceFile, Span)) -> impl Iterator<Item = Token> + 'a {
    Lexer::new(source, span).filter(move |token| !token.is_mark(source, ";"))
}

fn same_token((left, our): (&SourceFile, Token), (right, their): (&SourceFile, Token)) -> bool {
    let (ours, theirs) = (left.slice(our.span), right.slice(their.span));
    our.kind == their.kind && if our.kind == TokenKind::Word { ours.eq_ignore_ascii_case(theirs) } else { same_lines(ours, theirs) }
}

/// A file may have other line ends than the plan.
fn same_lines(left: &[u8], right: &[u8]) -> bool {
    let without_returns = |bytes: &[u8]| bytes.iter().copied().filter(|byte| *byte != b'\r').collect::<Vec<_>>();
    left == right || without_returns(left) == without_returns(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> (std::sync::Arc<SourceFile>, Span) {
        (SourceFile::new("0001_orders.sql", text), Span::new(0, text.len() as u32))
    }

    #[test]
    fn a_statement_goes_onto_one_line_if_its_tokens_do() {
        let line = |text: &str| {
            let (source, span) = whole(text);
            on_one_line(&source, span)
        };
        assert_eq!(
            line("ALTER TABLE orders -- the old ones\n\tRENAME COLUMN \"a b\"   TO note").as_deref(),
            Some("ALTER TABLE orders RENAME COLUMN \"a b\" TO note")
        );
        assert_eq!(line("SELECT 'two\nlines'"), None);
    }

    #[test]
    fn a_body_that_holds_its_tag_gets_another_one() {
        assert_eq!(dollar_quoted("sync", "BEGIN END"), "$sync$BEGIN END$sync$");
        assert_eq!(dollar_quoted("sync", "NEW.\"$sync$\" := 1"), "$sync_$NEW.\"$sync$\" := 1$sync_$");
    }

    #[test]
    fn statements_are_the_same_whatever_their_white_space_and_case() {
        let are_same = |left: &str, right: &str| {
            let (left, right) = (whole(left), whole(right));
            same((&left.0, left.1), (&right.0, right.1))
        };
        assert!(are_same("alter table orders\r\n drop column note;", "ALTER TABLE orders DROP COLUMN note"));
        assert!(!are_same("ALTER TABLE orders DROP COLUMN note", "ALTER TABLE orders DROP COLUMN notes"));
        assert!(!are_same("ALTER TABLE orders DROP COLUMN note CASCADE", "ALTER TABLE orders DROP COLUMN note"));
        assert!(!are_same("SELECT 'a'", "SELECT 'A'"));
    }
}
