//! sqlparser on one expression: whether it can be read, and what the conditions are that AND joins.

use super::plain::{self, Plain};
use super::survey::Survey;
use crate::model::expression::{Constant, Predicate};
use crate::model::name::Ident;
use crate::sql::lex::{Token, TokenKind};
use crate::text::SourceFile;
use sqlparser::ast::{self, BinaryOperator, Expr, UnaryOperator, Value};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

/// What the tree of an expression says.
pub(super) struct Tree {
    /// Whether there is a tree.
    pub understood: bool,
    /// The literal that it is.
    pub constant: Option<Constant>,
    /// The conditions that AND joins.
    pub conjuncts: Vec<Predicate>,
}

/// Longer expressions are not parsed: the tree of a chain is as deep as the chain is long, and dropping it overflows any stack at last.
const MOST_TOKENS: usize = 10_000;

/// Up to this many tokens, a tree stays small enough for the stack of any thread.
const SMALL: usize = 120;

/// How deep sqlparser may recurse on the caller's stack, and on the large one.
const DEPTH_SMALL: usize = 30;
const DEPTH_LARGE: usize = 400;

/// The stack on which long and deep expressions are parsed and dropped.
const LARGE_STACK: usize = 64 << 20;

/// Reads the shape of an expression; `survey` knows where its subqueries are. Of the relations in `bounded` LIMIT leaves a few rows.
pub(super) fn shape(source: &SourceFile, tokens: &[Token], survey: &Survey, bounded: &[Ident]) -> Tree {
    match plain::plain(source, tokens) {
        Some(Plain::Constant(constant)) => {
            let conjunct = if constant == Constant::Boolean(true) { Predicate::True } else { Predicate::Other };
            Tree { understood: true, constant: Some(constant), conjuncts: vec![conjunct] }
        }
        Some(Plain::Operand) => Tree { understood: true, constant: None, conjuncts: vec![Predicate::Other] },
        None if tokens.len() > MOST_TOKENS => unread(),
        None => parse(&rewritten(source, tokens, survey), tokens.len(), bounded),
    }
}

fn unread() -> Tree {
    Tree { understood: false, constant: None, conjuncts: vec![Predicate::Other] }
}

/// Parses on this stack if the expression is small, else on a large one.
fn parse(sql: &str, length: usize, bounded: &[Ident]) -> Tree {
    if length <= SMALL && nesting(sql) <= DEPTH_SMALL / 3 {
        return parse_here(sql, DEPTH_SMALL, bounded);
    }
    std::thread::scope(|scope| {
        let worker = std::thread::Builder::new().stack_size(LARGE_STACK).spawn_scoped(scope, || parse_here(sql, DEPTH_LARGE, bounded));
        worker.ok().and_then(|worker| worker.join().ok()).unwrap_or_else(unread)
    })
}

/// How deep brackets nest; those in strings count too, which only costs a thread.
fn nesting(sql: &str) -> usize {
    let mut depth = 0usize;
    let mut deepest = 0;
    for byte in sql.bytes() {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn parse_here(sql: &str, depth: usize, bounded: &[Ident]) -> Tree {
    let parser = Parser::new(&PostgreSqlDialect {}).with_recursion_limit(depth).try_with_sql(sql);
    let Ok(mut parser) = parser else { return unread() };
    match parser.parse_expr() {
        Ok(expression) if parser.peek_token_ref().token == sqlparser::tokenizer::Token::EOF => {
            Tree { understood: true, constant: constant(&expression), conjuncts: conjuncts(&expression, bounded) }
        }
        _ => unread(),
    }
}

/// The expression in words that sqlparser reads right: each subquery is cut down to `SELECT 1`, psql variables are parameters, and what it
/// would misread is spelled in another way.
fn rewritten(source: &SourceFile, tokens: &[Token], survey: &Survey) -> String {
    let mut sql = String::new();
    let mut queries = survey.queries.iter().peekable();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if let Some(query) = queries.next_if(|query| query.from == at) {
            sql.push_str(if query.limited { "SELECT 1 LIMIT 1 " } else { "SELECT 1 " });
            at = query.to;
            continue;
        }
        if token.is_word(source, "collate") {
            // Not behind every operand does sqlparser take it, and it changes no condition.
            at = behind_name(source, tokens, at + 1);
            continue;
        }
        let text = source.text(token.span);
        match token.kind {
            TokenKind::Variable => sql.push_str("$1"),
            TokenKind::Word if text.eq_ignore_ascii_case("isnull") => sql.push_str("IS NULL"),
            TokenKind::Word if text.eq_ignore_ascii_case("notnull") => sql.push_str("IS NOT NULL"),
            TokenKind::QuotedIdent if !text.starts_with('"') => match token.ident(source) {
                Some(name) => sql.push_str(&format!("\"{}\"", name.as_str().replace('"', "\"\""))),
                None => sql.push_str(&text),
            },
            TokenKind::String | TokenKind::DollarString => match token.string_value(source) {
                Some(value) => sql.push_str(&format!("'{}'", value.replace('\'', "''"))),
                None => sql.push_str(&text),
            },
            _ => sql.push_str(&text),
        }
        sql.push(' ');
        at += 1;
    }
    sql
}

/// The place behind a name with all its parts.
fn behind_name(source: &SourceFile, tokens: &[Token], mut at: usize) -> usize {
    while tokens.get(at + 1).is_some_and(|token| token.is_mark(source, ".")) {
        at += 2;
    }
    at + 1
}

/// The literal that an expression is, parentheses, casts and sign allowed.
fn constant(expression: &Expr) -> Option<Constant> {
    match expression {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => constant(inner),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match constant(expr)? {
            Constant::Number(number) => Some(Constant::Number(match number.strip_prefix('-') {
                Some(positive) => positive.into(),
                None => format!("-{number}").into(),
            })),
            Constant::Null | Constant::Boolean(_) | Constant::Text(_) => None,
        },
        Expr::UnaryOp { op: UnaryOperator::Plus, expr } => constant(expr).filter(|value| matches!(value, Constant::Number(_))),
        Expr::TypedString(typed) => literal(&typed.value.value),
        Expr::Interval(interval) => constant(&interval.value),
        Expr::Value(value) => literal(&value.value),
        _ => None,
    }
}

fn literal(value: &Value) -> Option<Constant> {
    Some(match value {
        Value::Null => Constant::Null,
        Value::Boolean(value) => Constant::Boolean(*value),
        Value::Number(number, _) => Constant::Number(number.as_str().into()),
        Value::SingleQuotedString(text)
        | Value::EscapedStringLiteral(text)
        | Value::UnicodeStringLiteral(text)
        | Value::NationalStringLiteral(text)
        | Value::SingleQuotedByteStringLiteral(text)
        | Value::HexStringLiteral(text) => Constant::Text(text.as_str().into()),
        _ => return None,
    })
}

/// A constant, or a value that another tells (`Some(None)`): a parameter, a subquery that stands for one value.
fn known(expression: &Expr) -> Option<Option<Constant>> {
    match expression {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => known(inner),
        Expr::Value(value) if matches!(value.value, Value::Placeholder(_)) => Some(None),
        Expr::Subquery(_) => Some(None),
        _ => constant(expression).map(Some),
    }
}

fn column(expression: &Expr) -> Option<Ident> {
    match expression {
        Expr::Nested(inner) => column(inner),
        Expr::Identifier(name) => Some(ident(name)),
        Expr::CompoundIdentifier(parts) => parts.last().map(ident),
        _ => None,
    }
}

fn ident(name: &ast::Ident) -> Ident {
    if name.quote_style.is_some() { Ident::quoted(&name.value) } else { Ident::folded(&name.value) }
}

/// The parts that AND joins, left to right. A chain leans left, and is as deep as it is long: no recursion.
fn conjuncts(expression: &Expr, bounded: &[Ident]) -> Vec<Predicate> {
    let mut found = Vec::new();
    let mut left = vec![expression];
    while let Some(part) = left.pop() {
        match part {
            Expr::Nested(inner) => left.push(inner),
            Expr::BinaryOp { left: first, op: BinaryOperator::And, right } => left.extend([&**right, &**first]),
            Expr::Between { expr, negated: false, low, high } => {
                for (operator, bound) in [(">=", low), ("<=", high)] {
                    found.push(compare(expr, operator, bound).unwrap_or(Predicate::Other));
                }
            }
            _ => found.push(predicate(part, bounded)),
        }
    }
    found
}

fn predicate(expression: &Expr, bounded: &[Ident]) -> Predicate {
    let found = match expression {
        Expr::IsNull(operand) => column(operand).map(Predicate::IsNull),
        Expr::IsNotNull(operand) => column(operand).map(Predicate::IsNotNull),
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => negated(expr),
        Expr::BinaryOp { left, op, right } => comparison(left, op, right).or_else(|| joined(left, op, right, bounded)),
        Expr::InList { expr, list, negated: false } if list.iter().all(|item| known(item).is_some()) => listed(expr, list),
        Expr::InSubquery { expr, subquery, negated: false } => in_query(expr, subquery),
        Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } => any(left, right),
        _ => (constant(expression) == Some(Constant::Boolean(true))).then_some(Predicate::True),
    };
    found.unwrap_or(Predicate::Other)
}

/// NOT over a test for NULL is the other test.
fn negated(mut expression: &Expr) -> Option<Predicate> {
    while let Expr::Nested(inner) = expression {
        expression = inner;
    }
    match expression {
        Expr::IsNull(operand) => column(operand).map(Predicate::IsNotNull),
        Expr::IsNotNull(operand) => column(operand).map(Predicate::IsNull),
        _ => None,
    }
}

fn comparison(left: &Expr, operator: &BinaryOperator, right: &Expr) -> Option<Predicate> {
    let (written, turned) = match operator {
        BinaryOperator::Eq => ("=", "="),
        BinaryOperator::NotEq => ("<>", "<>"),
        BinaryOperator::Lt => ("<", ">"),
        BinaryOperator::LtEq => ("<=", ">="),
        BinaryOperator::Gt => (">", "<"),
        BinaryOperator::GtEq => (">=", "<="),
        _ => return None,
    };
    if written == "=" && constant(left).is_some_and(|value| value != Constant::Null && constant(right) == Some(value)) {
        return Some(Predicate::True);
    }
    if let (Expr::Tuple(left), Expr::Tuple(right)) = (left, right) {
        return compare_rows(left, written, right);
    }
    compare(left, written, right).or_else(|| compare(right, turned, left))
}

/// `(shop, number) > ($1, $2)` goes by the first column; behind equal ones the others decide, so that column says `>=` of it.
fn compare_rows(left: &[Expr], operator: &str, right: &[Expr]) -> Option<Predicate> {
    let of_first = match operator {
        "=" => "=",
        ">" | ">=" => ">=",
        "<" | "<=" => "<=",
        _ => return None,
    };
    right.iter().all(|value| known(value).is_some()).then(|| compare(left.first()?, of_first, right.first()?))?
}

/// A column that equals one of a relation of which LIMIT leaves a few rows.
fn joined(left: &Expr, operator: &BinaryOperator, right: &Expr, bounded: &[Ident]) -> Option<Predicate> {
    let is_bounded = |side: &Expr| match side {
        Expr::CompoundIdentifier(parts) => parts.len() == 2 && bounded.contains(&ident(&parts[0])),
        _ => false,
    };
    if *operator != BinaryOperator::Eq || is_bounded(left) == is_bounded(right) {
        return None;
    }
    let other = if is_bounded(left) { right } else { left };
    Some(Predicate::InQuery { column: column(other)?, limited: true })
}

fn compare(left: &Expr, operator: &str, right: &Expr) -> Option<Predicate> {
    Some(Predicate::Compare { column: column(left)?, operator: operator.into(), value: known(right)? })
}

fn in_query(operand: &Expr, query: &ast::Query) -> Option<Predicate> {
    let column = match operand {
        Expr::Tuple(columns) => column(columns.first()?)?,
        _ => column(operand)?,
    };
    Some(Predicate::InQuery { column, limited: query.limit_clause.is_some() || query.fetch.is_some() })
}

/// `column = ANY (...)` over an array of constants or a query.
fn any(left: &Expr, mut right: &Expr) -> Option<Predicate> {
    while let Expr::Nested(inner) | Expr::Cast { expr: inner, .. } = right {
        right = inner;
    }
    match right {
        Expr::Subquery(query) => in_query(left, query),
        Expr::Array(array) if array.elem.iter().all(|item| known(item).is_some()) => listed(left, &array.elem),
        _ => known(right).and_then(|_| column(left)).map(|column| Predicate::InList { column, values: None }),
    }
}

fn listed(operand: &Expr, list: &[Expr]) -> Option<Predicate> {
    Some(Predicate::InList { column: column(operand)?, values: list.iter().map(constant).collect() })
}
