//! Column definitions: the type, the default, identity and generation, and the constraints that stand among them.

use super::constraint::{self, Draft, Terms};
use super::cursor::{Cursor, Read};
use super::{sequence, type_name};
use crate::model::expression::Expression;
use crate::model::name::Ident;
use crate::model::operation::{Column, ConstraintKind, Generated, Identity};
use crate::sql::lex::TokenKind;
use crate::text::Span;

/// A column, and the constraints that its definition brings.
#[derive(Debug)]
pub(super) struct Definition {
    pub column: Column,
    pub constraints: Vec<Draft>,
}

/// `name type ...`.
pub(super) fn definition(cursor: &mut Cursor<'_>) -> Read<Definition> {
    let from = cursor.mark();
    let name = cursor.ident()?;
    let data_type = type_name::read(cursor)?;
    let not_null = data_type.serial;
    let span = cursor.span_from(from);
    let column = Column { data_type: Some(data_type), not_null, ..bare(name, span) };
    rest(cursor, from, Definition { column, constraints: Vec::new() })
}

/// `name [WITH OPTIONS] ...`: a column whose type comes from a parent or a composite type.
pub(super) fn options(cursor: &mut Cursor<'_>) -> Read<Definition> {
    let from = cursor.mark();
    let name = cursor.ident()?;
    cursor.take("with options");
    let span = cursor.span_from(from);
    rest(cursor, from, Definition { column: bare(name, span), constraints: Vec::new() })
}

/// A column of which nothing is said yet.
fn bare(name: Ident, span: Span) -> Column {
    let (data_type, collation, default, identity, identity_options) = Default::default();
    let (generated, storage, compression) = Default::default();
    Column { name, data_type, collation, not_null: false, default, identity, identity_options, generated, storage, compression, span }
}

/// What follows name and type.
fn rest(cursor: &mut Cursor<'_>, from: usize, mut definition: Definition) -> Read<Definition> {
    while storage(cursor, &mut definition.column)? {}
    while qualifier(cursor, &mut definition)? {}
    definition.column.span = cursor.span_from(from);
    Ok(definition)
}

/// STORAGE, COMPRESSION, and OPTIONS of foreign tables.
fn storage(cursor: &mut Cursor<'_>, column: &mut Column) -> Read<bool> {
    if let Some(word) = cursor.take_any(&["storage", "compression"]) {
        // DEFAULT is a value here.
        let value = Some(cursor.label()?.as_str().into());
        *(if word == "storage" { &mut column.storage } else { &mut column.compression }) = value;
        return Ok(true);
    }
    if cursor.sees("options (") {
        cursor.skip(1);
        cursor.group()?;
        return Ok(true);
    }
    Ok(false)
}

/// One constraint, with its name if it has one, or COLLATE.
fn qualifier(cursor: &mut Cursor<'_>, definition: &mut Definition) -> Read<bool> {
    let from = cursor.mark();
    if let Some(collation) = type_name::collation(cursor)? {
        definition.column.collation = Some(collation);
        return Ok(true);
    }
    let name = constraint::name(cursor)?;
    let column = &mut definition.column;
    let mut terms = Terms::default();
    let kind = if cursor.take("not null") {
        column.not_null = true;
        cursor.take("no inherit");
        None
    } else if cursor.take("null") {
        None
    } else if cursor.take("default") {
        column.default = Some(default(cursor)?);
        None
    } else if cursor.take("generated") {
        generated(cursor, column)?;
        None
    } else if cursor.take("unique") {
        Some(ConstraintKind::Unique(constraint::key_of(&column.name, cursor)?))
    } else if cursor.take("primary key") {
        column.not_null = true;
        Some(ConstraintKind::PrimaryKey(constraint::key_of(&column.name, cursor)?))
    } else if cursor.take("check") {
        let check = constraint::check(cursor)?;
        terms.no_inherit = cursor.take("no inherit");
        Some(check)
    } else if cursor.take("references") {
        Some(ConstraintKind::ForeignKey(constraint::references(cursor, vec![column.name.clone()])?))
    } else if name.is_some() {
        return Err(cursor.fail("NOT NULL, DEFAULT, GENERATED, UNIQUE, PRIMARY KEY, CHECK or REFERENCES"));
    } else {
        return Ok(false);
    };
    while constraint::term_of_column(cursor, &mut terms) {}
    if let Some(kind) = kind {
        definition.constraints.push(Draft { name, kind, terms, span: cursor.span_from(from) });
    }
    Ok(true)
}

/// Words that go on with a b_expr: IS, and what stands inside of a type or a call. Behind a complete value any other word begins what
/// follows the expression.
const CONTINUATIONS: &[&str] = &[
    "is",
    "distinct",
    "from",
    "document",
    "time",
    "zone",
    "with time",
    "without time",
    "precision",
    "varying",
    "character",
    "char",
    "year",
    "month",
    "day",
    "hour",
    "minute",
    "second",
    "to",
    "over",
    "filter",
    "within",
    "group",
    "operator",
    "array",
];

/// The expression behind DEFAULT. In a column definition it is PostgreSQL's b_expr, which has no NOT, no NULL test and no COLLATE outside of
/// parentheses: those words belong to the next qualifier.
pub(super) fn default(cursor: &mut Cursor<'_>) -> Read<Expression> {
    let from = cursor.mark();
    let mut cases = 0u32;
    // A value is still to come: at the start, behind an operator, behind IS and IS NOT.
    let mut open = true;
    while let Some(token) = cursor.peek().filter(|token| !cursor.is(*token, ",")) {
        let word = matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent | TokenKind::Number);
        let behind_is = open && cursor.mark() > from;
        let begins_another = if open { cursor.sees("not") && !behind_is } else { word && cursor.sees_any(CONTINUATIONS).is_none() };
        if cases == 0 && begins_another {
            break;
        }
        if cursor.is(token, "case") {
            cases += 1;
        } else if cursor.is(token, "end") {
            cases = cases.saturating_sub(1);
        }
        open = token.kind == TokenKind::Operator
            || ["is", "distinct", "from", "::", "."].iter().any(|word| cursor.is(token, word))
            || behind_is && cursor.is(token, "not");
        cursor.balanced()?;
    }
    cursor.expression(cursor.tokens_from(from))
}

/// Behind GENERATED.
fn generated(cursor: &mut Cursor<'_>, column: &mut Column) -> Read<()> {
    let when = cursor.expect_any(&["always as", "by default as"])?;
    if cursor.take("identity") {
        column.not_null = true;
        column.identity = Some(if when == "always as" { Identity::Always } else { Identity::ByDefault });
        if cursor.sees("(") {
            column.identity_options = Some(sequence::options(&mut cursor.group()?)?.told);
        }
        return Ok(());
    }
    let mut group = cursor.group()?;
    let tokens = group.rest();
    let expression = cursor.expression(tokens)?;
    let stored = cursor.take_any(&["stored", "virtual"]) == Some("stored");
    column.generated = Some(Generated { expression, stored });
    Ok(())
}
