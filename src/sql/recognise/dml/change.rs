//! INSERT, UPDATE, DELETE and MERGE.

use super::super::cursor::{Cursor, Read};
use super::super::maintenance::relation;
use super::{Surveyed, rows};
use crate::model::expression::{Answers, Expression, Predicate};
use crate::model::name::{Ident, Name};
use crate::model::operation::{Delete, Insert, InsertSource, Operation, Update};
use crate::sql::detail::{self, Clause};
use crate::sql::lex::{Token, TokenKind};
use crate::text::{Located, SourceFile};

/// Literals of one statement beyond this many are not kept.
const MOST_LITERALS: usize = 256;

/// The statement that begins here; `statement` has its tokens and those of the WITH in front of it. Takes everything.
pub(super) fn read(cursor: &mut Cursor<'_>, statement: &Surveyed<'_>) -> Read<Located<Operation>> {
    let from = cursor.mark();
    let what = if cursor.take("insert into") {
        Operation::Insert(Box::new(insert(cursor, statement)?))
    } else if cursor.take("update") {
        Operation::Update(Box::new(update(cursor, statement)?))
    } else if cursor.take("delete from") {
        Operation::Delete(Box::new(delete(cursor, statement)?))
    } else {
        cursor.expect("merge into")?;
        merge(cursor, statement)?
    };
    cursor.rest();
    Ok(Located { what, span: cursor.span_from(from) })
}

fn insert(cursor: &mut Cursor<'_>, statement: &Surveyed<'_>) -> Read<Insert> {
    let table = cursor.name()?;
    if cursor.take("as") {
        cursor.ident()?;
    }
    let mut columns = Vec::new();
    if cursor.sees("(") && !begins_query(cursor, 1) {
        let mut group = cursor.group()?;
        add(&mut columns, group.list(assigned_column)?);
        group.finish()?;
    }
    cursor.take_any(&["overriding system value", "overriding user value"]);
    let source = source(cursor, statement)?;
    let values = statement.last(Clause::Values).unwrap_or_default();
    Ok(Insert {
        table,
        columns,
        literals: if matches!(source, InsertSource::Values { .. }) { literals(cursor.source(), values) } else { Vec::new() },
        source,
        on_conflict: statement.last(Clause::Conflict).is_some() || cursor.is_cut() && rows::rest(cursor).on_conflict,
        reads: statement.reads(),
        calls: statement.calls(),
    })
}

fn begins_query(cursor: &Cursor<'_>, ahead: usize) -> bool {
    ["select", "values", "table", "with", "("].iter().any(|word| cursor.sees_at(ahead, word))
}

/// What the rows of INSERT come from.
fn source(cursor: &mut Cursor<'_>, statement: &Surveyed<'_>) -> Read<InsertSource> {
    if cursor.take("default values") {
        return Ok(InsertSource::DefaultValues);
    }
    if !begins_query(cursor, 0) {
        return Err(cursor.fail("VALUES, DEFAULT VALUES or a query"));
    }
    let query = cursor.clone().until(|cursor| cursor.sees("on conflict") || cursor.sees("returning"));
    let query = match query {
        Ok(tokens) => tokens,
        // Of a statement that is cut the last row may be open.
        Err(_) if cursor.is_cut() => cursor.clone().rest(),
        Err(fault) => return Err(fault),
    };
    let is_query = statement.found.clauses.iter().any(|(clause, _)| *clause == Clause::Targets);
    if cursor.sees("values") && !is_query {
        let seen = rows::count(cursor.source(), &query[1..]);
        let more = if cursor.is_cut() { rows::rest(cursor).rows } else { 0 };
        return Ok(InsertSource::Values { rows: seen + more, numbers: rows::first(cursor.source(), &query[1..]) });
    }
    let summary = detail::query_over(cursor.source(), query, &statement.found.bounded);
    Ok(InsertSource::Query { limited: summary.limited, filters: summary.filters })
}

fn update(cursor: &mut Cursor<'_>, statement: &Surveyed<'_>) -> Read<Update> {
    let (table, only, alias) = target(cursor)?;
    cursor.expect("set")?;
    let set = statement.last(Clause::Set).ok_or_else(|| cursor.fail("SET"))?;
    let mut assignments = cursor.clone();
    let mut columns = Vec::new();
    for mut part in assignments_of(&mut assignments)? {
        add(&mut columns, assigned(&mut part)?);
    }
    let (filter, current_of) = filter(cursor, statement, &alias)?;
    Ok(Update {
        table,
        only,
        columns,
        filter,
        current_of,
        reads: statement.reads(),
        calls: statement.calls(),
        literals: literals(cursor.source(), set),
    })
}

/// The parts of SET between its commas.
fn assignments_of<'a>(cursor: &mut Cursor<'a>) -> Read<Vec<Cursor<'a>>> {
    let from = cursor.mark();
    cursor.until(|cursor| cursor.sees_any(&["from", "where", "returning"]).is_some() && !cursor.sees_before("distinct"))?;
    cursor.between(from, cursor.mark()).comma_parts()
}

/// The columns on the left of one `=`.
fn assigned(part: &mut Cursor<'_>) -> Read<Vec<Assigned>> {
    let columns = if part.sees("(") {
        let mut group = part.group()?;
        let columns = group.list(assigned_column)?;
        group.finish()?;
        columns
    } else {
        vec![assigned_column(part)?]
    };
    part.expect("=")?;
    if part.at_end() { Err(part.fail("a value")) } else { Ok(columns) }
}

/// A column that gets a value.
struct Assigned {
    column: Ident,
    /// The whole of it; false for a field or an element, of which a statement may set several.
    whole: bool,
}

/// Adds columns to those that are set: each part of one counts as the column, once.
fn add(columns: &mut Vec<Ident>, assigned: Vec<Assigned>) {
    for Assigned { column, whole } in assigned {
        if whole || !columns.contains(&column) {
            columns.push(column);
        }
    }
}

fn assigned_column(cursor: &mut Cursor<'_>) -> Read<Assigned> {
    let column = cursor.ident()?;
    let mut whole = true;
    loop {
        if cursor.take(".") {
            cursor.label()?;
        } else if cursor.sees("[") {
            cursor.balanced()?;
        } else {
            return Ok(Assigned { column, whole });
        }
        whole = false;
    }
}

fn delete(cursor: &mut Cursor<'_>, statement: &Surveyed<'_>) -> Read<Delete> {
    let (table, only, alias) = target(cursor)?;
    if !cursor.at_end() && cursor.sees_any(&["using", "where", "returning"]).is_none() {
        return Err(cursor.fail("USING, WHERE or the end"));
    }
    let (filter, current_of) = filter(cursor, statement, &alias)?;
    Ok(Delete { table, only, filter, current_of, reads: statement.reads(), calls: statement.calls() })
}

fn merge(cursor: &mut Cursor<'_>, statement: &Surveyed<'_>) -> Read<Operation> {
    let (table, _only, alias) = target(cursor)?;
    if !cursor.sees("using") {
        return Err(cursor.fail("USING"));
    }
    for clause in [Clause::On, Clause::When] {
        if statement.last(clause).is_none() {
            cursor.rest();
            return Err(cursor.fail(if clause == Clause::On { "ON" } else { "WHEN" }));
        }
    }
    let reads = statement.reads();
    // Of a source that LIMIT has cut out, the walk has kept the name; what stands in VALUES is written by hand. Few rows of the source
    // find few rows of the table only if something ties the two.
    let is_short = !statement.found.bounded.is_empty() || reads.is_empty();
    let limited = is_short && is_tied(cursor, statement, &alias);
    Ok(Operation::Merge { table, limited, reads, calls: statement.calls() })
}

/// Whether MERGE changes a row that is there only where an equality of ON finds it.
fn is_tied(cursor: &Cursor<'_>, statement: &Surveyed<'_>, table: &Ident) -> bool {
    let source = cursor.source();
    let branches = statement.found.clauses.iter().enumerate().filter(|(_, (clause, _))| *clause == Clause::When);
    let mut changes_rows = false;
    for (index, _) in branches {
        let words: Vec<_> = statement.found.part(index, statement.tokens).iter().take(4).collect();
        let says = |at: usize, word: &str| words.get(at).is_some_and(|token| token.is_word(source, word));
        if says(0, "not") && says(2, "by") && says(3, "source") {
            return false;
        }
        changes_rows |= !says(0, "not");
    }
    let on = statement.last(Clause::On).unwrap_or_default();
    let condition = detail::expression_over(source, on, &statement.found.bounded);
    let equals = !condition.understood || condition.operators.iter().any(|operator| matches!(&**operator, "=" | "in" | "is"));
    !changes_rows || (equals && names_column_of(cursor, on, &condition, table))
}

/// Whether a condition names a column that may be one of `table`: all others say that they are of another.
fn names_column_of(cursor: &Cursor<'_>, tokens: &[Token], condition: &Expression, table: &Ident) -> bool {
    let source = cursor.source();
    let is_dot = |token: Option<&Token>| token.is_some_and(|token| token.is_mark(source, "."));
    tokens.iter().enumerate().any(|(at, token)| {
        let Some(ident) = token.ident(source) else { return false };
        let before = at.checked_sub(1).and_then(|at| tokens.get(at));
        match (is_dot(before), is_dot(tokens.get(at + 1))) {
            (_, true) => ident == *table,
            (false, false) => condition.columns.contains(&ident),
            (true, false) => false,
        }
    })
}

/// The table that is changed, whether ONLY it is, and what its columns are qualified by. FOR PORTION OF (19) may stand between.
fn target(cursor: &mut Cursor<'_>) -> Read<(Name, bool, Ident)> {
    let (table, only) = relation(cursor)?;
    if cursor.take("for portion of") {
        cursor.ident()?;
        if cursor.sees("(") {
            cursor.group()?;
        } else {
            cursor.expect("from")?;
            cursor.until(|cursor| cursor.sees("to"))?;
            cursor.expect("to")?;
            cursor.until(|cursor| cursor.sees_any(&["as", "set", "using", "where", "returning"]).is_some())?;
        }
    }
    let goes_on = |cursor: &Cursor<'_>| cursor.at_end() || cursor.sees_any(&["set", "using", "where", "returning"]).is_some();
    let alias = if cursor.take("as") || !goes_on(cursor) { cursor.ident()? } else { table.name.clone() };
    Ok((table, only, alias))
}

/// WHERE, and whether it is WHERE CURRENT OF. `table` is what the columns of the changed table are qualified by.
fn filter(cursor: &Cursor<'_>, statement: &Surveyed<'_>, table: &Ident) -> Read<(Option<Expression>, bool)> {
    let Some(tokens) = statement.last(Clause::Where) else { return Ok((None, false)) };
    if tokens.is_empty() {
        return Err(cursor.fail("a condition behind WHERE"));
    }
    if let [current, of, ..] = tokens
        && current.is_word(cursor.source(), "current")
        && of.is_word(cursor.source(), "of")
    {
        let span = super::super::cursor::span_of(tokens).unwrap_or_default();
        let text = cursor.source().text(span).to_ascii_lowercase();
        return Ok((Some(Answers { span, text, understood: true, ..Answers::default() }.into()), true));
    }
    let mut filter = detail::expression_over(cursor.source(), tokens, &statement.found.bounded);
    if !filter.understood {
        cursor.note_unknown();
    }
    // What is only said of the other tables of FROM or USING bounds none of the rows that change.
    if filter.understood && !filter.columns.is_empty() && !names_column_of(cursor, tokens, &filter, table) {
        filter.conjuncts.iter_mut().for_each(|part| *part = Predicate::Other);
    }
    Ok((Some(filter), false))
}

/// The string literals among some tokens, each once.
fn literals(source: &SourceFile, tokens: &[Token]) -> Vec<Box<str>> {
    let mut found = detail::Once::default();
    for token in tokens.iter().filter(|token| matches!(token.kind, TokenKind::String | TokenKind::DollarString)) {
        if let Some(text) = token.string_value(source) {
            found.insert(Box::from(text));
        }
        if found.iter().len() == MOST_LITERALS {
            break;
        }
    }
    found.into_vec()
}
