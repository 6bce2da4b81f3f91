//! An expression of the catalog as SQL: its own tokens with the usual spaces between them, columns by other names where they have one.

use super::definition::Gap;
use crate::model::expression::Expression;
use crate::model::name::Ident;
use crate::sql::lex::{Lexer, Token, TokenKind};
use crate::sql::recognise::keyword;
use crate::text::{SourceFile, Span};

/// The SQL of an expression over the columns of one table. `renamed` gives the other name of a column that has one, and `is_column` tells
/// the table's columns from other names.
pub(super) fn sql(
    expression: &Expression,
    table: &Ident,
    renamed: impl Fn(&Ident) -> Option<Ident>,
    is_column: impl Fn(&Ident) -> bool,
) -> Result<String, Gap> {
    let named: Vec<Ident> = expression.places.iter().map(|place| expression.name_at(*place)).collect();
    if let Some(lost) = expression.columns.iter().find(|column| renamed(column).is_some() && !named.contains(column)) {
        return Err(Gap::new(format!("it cannot be told where `{lost}` stands in `{}`", expression.text)));
    }
    let renames = expression.columns.iter().any(|column| renamed(column).is_some());
    if renames && !expression.reads.is_empty() {
        return Err(Gap::new(format!("`{}` has a subquery, in which a name may mean another table's column", expression.text)));
    }
    let is_row = |place: &Span, name: &Ident| name == table && (!is_column(name) || stands_before_star(&expression.text, *place));
    if expression.places.iter().zip(&named).any(|(place, name)| is_row(place, name)) {
        return Err(Gap::new(format!("`{}` takes the row as a whole", expression.text)));
    }
    let source = SourceFile::new("expression", expression.text.as_bytes());
    let tokens: Vec<Token> = Lexer::new(&source, Span::new(0, expression.text.len() as u32)).collect();
    if let Some(token) = tokens.iter().find(|token| matches!(token.kind, TokenKind::Variable | TokenKind::Broken)) {
        return Err(Gap::new(format!("`{}` is not known before psql has put it in", source.text(token.span))));
    }
    let mut pieces: Vec<Piece> = Vec::with_capacity(tokens.len());
    let mut places = expression.places.iter().copied().peekable();
    for (at, token) in tokens.iter().enumerate() {
        let Some(place) = places.next_if(|place| *place == token.span) else {
            pieces.push(Piece::of(*token, &source, at.checked_sub(1).map(|at| tokens[at]), tokens.get(at + 1).copied()));
            continue;
        };
        let name = expression.name_at(place);
        if expression.reads.is_empty() {
            drop_table(&mut pieces);
        }
        pieces.push(Piece { text: renamed(&name).unwrap_or(name).sql(), kind: PieceKind::Name });
    }
    Ok(joined(&pieces))
}

/// Whether all of it is the call of one function, which needs no parentheses around it as the key of an index.
pub(super) fn is_call(expression: &Expression) -> bool {
    let source = SourceFile::new("expression", expression.text.as_bytes());
    let tokens: Vec<Token> = Lexer::new(&source, Span::new(0, expression.text.len() as u32)).collect();
    let open = tokens.iter().position(|token| token.is_mark(&source, "(")).unwrap_or(0);
    let named = open > 0 && tokens[..open].iter().all(|token| token.is_mark(&source, ".") || token.ident(&source).is_some());
    let first = expression
        .calls
        .first()
        .is_some_and(|call| tokens[..open].last().and_then(|token| token.ident(&source)) == Some(call.name.clone()));
    let mut depth = 0_i32;
    let closes = tokens.iter().enumerate().skip(open).find_map(|(at, token)| {
        depth += i32::from(token.is_mark(&source, "(")) - i32::from(token.is_mark(&source, ")"));
        (depth == 0).then_some(at)
    });
    named && first && closes == Some(tokens.len() - 1)
}

/// Whether it is the call of one function, or a word that stands for one.
pub(super) fn is_one_value(expression: &Expression) -> bool {
    is_call(expression) || !expression.text.contains(' ')
}

fn stands_before_star(text: &str, place: Span) -> bool {
    text[place.end as usize..].starts_with(" . *")
}

/// Takes the table in front of a column off again: inside its own definitions it is not needed, and its name may be an older one. NEW and
/// OLD of a trigger stay.
fn drop_table(pieces: &mut Vec<Piece>) {
    let is_row = |piece: &Piece| matches!(&*piece.text, "new" | "old");
    while let [.., qualifier, dot] = &pieces[..]
        && dot.text == "."
        && qualifier.kind == PieceKind::Name
        && !is_row(qualifier)
    {
        pieces.truncate(pieces.len() - 2);
    }
}

/// A token of the result.
struct Piece {
    text: String,
    kind: PieceKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PieceKind {
    /// A column, a function, a type.
    Name,
    Keyword,
    /// A literal.
    Value,
    /// An operator between two operands.
    Operator,
    /// A sign before one.
    Sign,
    Mark,
}

/// Keywords that are written like functions.
const LIKE_FUNCTIONS: &[&str] = &["all", "any", "cast", "left", "right", "some"];

impl Piece {
    fn of(token: Token, source: &SourceFile, before: Option<Token>, behind: Option<Token>) -> Self {
        let text = source.text(token.span).into_owned();
        let kind = match token.kind {
            TokenKind::QuotedIdent => PieceKind::Name,
            TokenKind::Word => {
                let part = before.is_some_and(|before| before.is_mark(source, "."));
                let called = behind.is_some_and(|behind| behind.is_mark(source, "(")) && LIKE_FUNCTIONS.contains(&&*text);
                let is_keyword = !part && !called && (!keyword::names_a_column(&text) || text == "between");
                if is_keyword { PieceKind::Keyword } else { PieceKind::Name }
            }
            TokenKind::Operator => {
                let opens = |before: Token| {
                    before.kind == TokenKind::Operator
                        || ["(", "[", ","].iter().any(|mark| before.is_mark(source, mark))
                        || before.kind == TokenKind::Word && !keyword::names_a_column(&source.text(before.span))
                };
                if matches!(&*text, "-" | "+") && before.is_none_or(opens) { PieceKind::Sign } else { PieceKind::Operator }
            }
            TokenKind::Punctuation => PieceKind::Mark,
            TokenKind::String
            | TokenKind::DollarString
            | TokenKind::Number
            | TokenKind::Parameter
            | TokenKind::Variable
            | TokenKind::Comment
            | TokenKind::Broken => PieceKind::Value,
        };
        Self { text: if kind == PieceKind::Keyword { text.to_uppercase() } else { text }, kind }
    }
}

fn joined(pieces: &[Piece]) -> String {
    let mut text = String::new();
    for (at, piece) in pieces.iter().enumerate() {
        if at.checked_sub(1).is_some_and(|before| needs_space(&pieces[before], piece)) {
            text.push(' ');
        }
        text.push_str(&piece.text);
    }
    text
}

fn needs_space(before: &Piece, piece: &Piece) -> bool {
    let mark = |piece: &Piece, marks: &[&str]| piece.kind == PieceKind::Mark && marks.contains(&&*piece.text);
    if mark(piece, &[")", "]", ",", ".", "::"]) || mark(before, &["(", "[", ".", "::"]) {
        return false;
    }
    let opens = mark(piece, &["(", "["]);
    let behind_value = before.kind == PieceKind::Name || mark(before, &[")", "]"]) || before.text == "ARRAY";
    let signed = before.kind == PieceKind::Sign && piece.kind == PieceKind::Value;
    !(opens && behind_value || signed)
}
