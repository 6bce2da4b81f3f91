//! What the body of a trigger function does with the row, read from its tokens: which columns it touches, and which go into which.

use super::are_alike;
use crate::model::catalog::Relation;
use crate::model::name::Ident;
use crate::sql::lex::{Lexer, Token, TokenKind};
use crate::text::{SourceFile, Span};

/// What a trigger function does with the row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Body {
    /// Columns of NEW that it names, each once.
    touches: Vec<Ident>,
    /// Assignments to columns of NEW: the column that is read, and the one that is set.
    flows: Vec<(Ident, Ident)>,
}

impl Body {
    /// Reads a body, as a source of its own.
    pub(super) fn read(source: &SourceFile) -> Self {
        let tokens: Vec<Token> = Lexer::new(source, Span::new(0, source.bytes().len() as u32)).collect();
        let mut body = Self::default();
        // The column that the assignment sets in which the token stands.
        let mut target: Option<Ident> = None;
        for (at, token) in tokens.iter().enumerate() {
            if token.is_mark(source, ";") {
                target = None;
            }
            let Some((row, column)) = column_of_row(source, &tokens[at..]) else { continue };
            let begins = at.checked_sub(1).is_none_or(|before| begins_statement(source, tokens[before]));
            let assigns = tokens.get(at + 3).is_some_and(|next| next.is_mark(source, ":=") || next.is_mark(source, "="));
            if row == Row::New && !body.touches.contains(&column) {
                body.touches.push(column.clone());
            }
            match &target {
                _ if row == Row::New && begins && assigns => target = Some(column),
                Some(target) if *target != column => {
                    let flow = (column, target.clone());
                    if !body.flows.contains(&flow) {
                        body.flows.push(flow);
                    }
                }
                Some(_) | None => {}
            }
        }
        body
    }

    /// Whether it names a column of the new row.
    pub fn touches(&self, column: &Ident) -> bool {
        self.touches.contains(column)
    }

    /// The columns that it keeps equal, the older one first: each is copied into the other, or into one that is called alike.
    pub(super) fn pair(&self, table: &Relation) -> Option<(Ident, Ident)> {
        let added_in = |name: &Ident| table.column(name).map(|column| column.added_in);
        let back = |from: &Ident, to: &Ident| self.flows.iter().any(|(a, b)| a == to && b == from);
        self.flows.iter().find_map(|(from, to)| {
            let (first, second) = (added_in(from)?, added_in(to)?);
            let equal = back(from, to) || are_alike(from, to);
            match first.cmp(&second) {
                std::cmp::Ordering::Less if equal => Some((from.clone(), to.clone())),
                std::cmp::Ordering::Greater if equal => Some((to.clone(), from.clone())),
                _ => None,
            }
        })
    }
}

/// The two rows that a trigger function sees.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Row {
    New,
    Old,
}

/// `NEW.column` or `OLD.column` at the beginning of some tokens.
fn column_of_row(source: &SourceFile, tokens: &[Token]) -> Option<(Row, Ident)> {
    let [row, dot, column, ..] = tokens else { return None };
    let row = match row {
        row if row.is_word(source, "new") => Row::New,
        row if row.is_word(source, "old") => Row::Old,
        _ => return None,
    };
    dot.is_mark(source, ".").then(|| column.ident(source)).flatten().map(|column| (row, column))
}

/// Whether a statement of PL/pgSQL begins behind a token.
fn begins_statement(source: &SourceFile, token: Token) -> bool {
    let words = ["begin", "then", "else", "loop"];
    token.is_mark(source, ";") || (token.kind == TokenKind::Word && words.iter().any(|word| token.is_word(source, word)))
}

#[cfg(test)]
mod tests {
    use super::Body;
    use crate::text::SourceFile;
    use insta::assert_snapshot;

    /// The columns that a body touches, and what flows into what.
    fn words(text: &str) -> String {
        let source = SourceFile::new("body.sql", text);
        let body = Body::read(&source);
        let touches = body.touches.iter().map(|column| column.sql()).collect::<Vec<_>>().join(" ");
        let flows = body.flows.iter().map(|(from, to)| format!(", {} -> {}", from.sql(), to.sql())).collect::<String>();
        format!("{touches}{flows}")
    }

    #[test]
    fn an_assignment_lets_one_column_flow_into_another() {
        assert_snapshot!(words("BEGIN NEW.email_address := lower(NEW.email); RETURN NEW; END"), @"email_address email, email -> email_address");
        assert_snapshot!(words(r#"BEGIN new."To" = coalesce(OLD.a, NEW.b); END"#), @r#""To" b, a -> "To", b -> "To""#);
    }

    #[test]
    fn both_branches_of_a_condition_are_read_and_the_condition_is_no_assignment() {
        assert_snapshot!(
            words("BEGIN IF NEW.n IS NULL AND NEW.x = NEW.y THEN NEW.n := NEW.o; ELSE NEW.o := NEW.n; END IF; RETURN NEW; END"),
            @"n x y o, o -> n, n -> o"
        );
    }

    #[test]
    fn what_only_a_comment_or_a_string_says_is_not_done() {
        assert_snapshot!(words("BEGIN -- NEW.a := NEW.b;\n RAISE NOTICE 'NEW.c := NEW.d'; RETURN NEW; END"), @"");
    }
}
