//! CREATE INDEX, REINDEX.

use super::cursor::{Cursor, Read};
use super::{Operations, keyword, one, type_name};
use super::{alter, constraint};
use crate::model::name::Ident;
use crate::model::operation::{CreateIndex, IndexKey, IndexKeyKind, Operation, Reindex, ReindexScope};
use crate::sql::detail;
use crate::sql::lex::TokenKind;
use crate::text::Span;

/// CREATE INDEX.
pub(super) fn create(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("create")?;
    let unique = cursor.take("unique");
    let keyword = cursor.here();
    cursor.expect("index")?;
    let concurrently = cursor.take("concurrently");
    let if_not_exists = cursor.if_not_exists();
    // A name is needed behind IF NOT EXISTS only.
    let name = if if_not_exists || !cursor.sees("on") { Some(cursor.ident()?) } else { None };
    cursor.expect("on")?;
    let only = cursor.take("only");
    let head = Head { unique, concurrently, if_not_exists, only, keyword };
    let index = definition(cursor, head, name)?;
    Ok(one(cursor, from, Operation::CreateIndex(Box::new(index))))
}

/// The words of CREATE INDEX before the table.
struct Head {
    unique: bool,
    concurrently: bool,
    if_not_exists: bool,
    only: bool,
    keyword: Span,
}

/// From the table on.
fn definition(cursor: &mut Cursor<'_>, head: Head, name: Option<Ident>) -> Read<CreateIndex> {
    let Head { unique, concurrently, if_not_exists, only, keyword } = head;
    let table = cursor.name()?;
    cursor.take("*");
    let method = if cursor.take("using") { cursor.ident()? } else { Ident::folded("btree") };
    let mut keys = Vec::new();
    let mut group = cursor.group()?;
    for mut part in group.items()? {
        keys.push(key(&mut part)?);
        part.finish()?;
    }
    let include = constraint::include(cursor)?;
    let nulls_not_distinct = constraint::nulls_not_distinct(cursor)?;
    let options = if cursor.take("with") { alter::options(cursor)? } else { Vec::new() };
    let tablespace = if cursor.take("tablespace") { Some(cursor.ident()?) } else { None };
    let predicate = if cursor.take("where") {
        let tokens = cursor.rest();
        Some(cursor.expression(tokens)?)
    } else {
        None
    };
    Ok(CreateIndex {
        name,
        table,
        unique,
        concurrently,
        if_not_exists,
        only,
        method,
        keys,
        include,
        predicate,
        nulls_not_distinct,
        options,
        tablespace,
        keyword,
    })
}

/// One key: a column or an expression, then COLLATE, operator class, order.
pub(super) fn key(cursor: &mut Cursor<'_>) -> Read<IndexKey> {
    let what = key_kind(cursor)?;
    let collation = type_name::collation(cursor)?;
    let operator_class = if names_operator_class(cursor) { Some(cursor.name()?) } else { None };
    let with_options = operator_class.is_some() && cursor.sees("(");
    let operator_class_options = if with_options { alter::options(cursor)? } else { Vec::new() };
    let descending = cursor.take_any(&["asc", "desc"]) == Some("desc");
    let nulls_first = cursor.take_any(&["nulls first", "nulls last"]).map_or(descending, |words| words == "nulls first");
    Ok(IndexKey { what, operator_class, operator_class_options, collation, descending, nulls_first })
}

fn names_operator_class(cursor: &Cursor<'_>) -> bool {
    // NULLS is a name that PostgreSQL takes for the order before FIRST and LAST. WITH, ASC and DESC are reserved.
    let order = cursor.sees_any(&["nulls first", "nulls last"]).is_some();
    !order
        && match cursor.peek() {
            Some(token) if token.kind == TokenKind::QuotedIdent => true,
            Some(token) if token.kind == TokenKind::Word => keyword::names_a_column(&cursor.text(token).to_ascii_lowercase()),
            _ => false,
        }
}

fn key_kind(cursor: &mut Cursor<'_>) -> Read<IndexKeyKind> {
    if cursor.sees("(") {
        let tokens = cursor.group()?.rest();
        return Ok(IndexKeyKind::Expression(cursor.expression(tokens)?));
    }
    let from = cursor.mark();
    // A function call without parentheses around it; the only expression that needs none.
    let call = (cursor.take("cast") || cursor.type_or_function_name().is_ok()) && cursor.sees("(");
    if call {
        cursor.balanced()?;
        return Ok(IndexKeyKind::Expression(cursor.expression(cursor.tokens_from(from))?));
    }
    cursor.back_to(from);
    if cursor.peek().is_some_and(|token| detail::is_niladic(&cursor.text(token).to_ascii_lowercase())) {
        cursor.bump();
        return Ok(IndexKeyKind::Expression(cursor.expression(cursor.tokens_from(from))?));
    }
    Ok(IndexKeyKind::Column(cursor.ident()?))
}

/// REINDEX.
pub(super) fn reindex(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    cursor.expect("reindex")?;
    let mut concurrently = if cursor.sees("(") { concurrently_option(&mut cursor.group()?)? } else { false };
    let scope = match cursor.expect_any(&["index", "table", "schema", "database", "system"])? {
        "index" => ReindexScope::Index,
        "table" => ReindexScope::Table,
        "schema" => ReindexScope::Schema,
        "database" => ReindexScope::Database,
        _ => ReindexScope::System,
    };
    concurrently |= cursor.take("concurrently");
    let name = match scope {
        ReindexScope::Database | ReindexScope::System if cursor.at_end() => None,
        _ => Some(cursor.name()?),
    };
    Ok(one(cursor, from, Operation::Reindex(Reindex { scope, name, concurrently })))
}

/// CONCURRENTLY among the options in parentheses, unless it is switched off again.
fn concurrently_option(group: &mut Cursor<'_>) -> Read<bool> {
    let mut concurrently = false;
    for mut part in group.comma_parts()? {
        let option = part.label()?;
        let off = part.sees_any(&["false", "off", "0"]).is_some() || part.peek().is_some_and(|token| part.text(token) == "0");
        part.bump();
        part.finish()?;
        if option == "concurrently" {
            concurrently = !off;
        }
    }
    Ok(concurrently)
}
