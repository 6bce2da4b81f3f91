//! Constraints, in a column definition and beside it.

use super::alter;
use super::cursor::{Cursor, Read};
use super::index;
use crate::model::name::{Ident, Name};
use crate::model::operation::{AddConstraint, ConstraintKind, ForeignKey, IndexParameters, Key, Operation, Written};
use crate::text::{Located, Span};
use std::cell::Cell;

/// A constraint whose table is not said yet.
#[derive(Debug)]
pub(super) struct Draft {
    pub name: Option<Ident>,
    pub kind: ConstraintKind,
    pub terms: Terms,
    /// The constraint itself, with its name and its terms.
    pub span: Span,
}

/// What may follow any constraint.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub deferrable: bool,
    pub deferred: bool,
    pub not_valid: bool,
    pub enforced: bool,
    pub no_inherit: bool,
}

impl Default for Terms {
    fn default() -> Self {
        Self { deferrable: false, deferred: false, not_valid: false, enforced: true, no_inherit: false }
    }
}

impl Draft {
    /// The operation that puts it on a table.
    pub fn on(self, table: &Name, only: bool, written: Written) -> Located<Operation> {
        let Terms { deferrable, deferred, not_valid, enforced, no_inherit } = self.terms;
        let table = table.clone();
        let (name, kind) = (self.name, self.kind);
        let what = AddConstraint { table, only, name, kind, written, not_valid, enforced, deferrable, deferred, no_inherit };
        Located { what: Operation::AddConstraint(Box::new(what)), span: self.span }
    }
}

/// Whether a table constraint comes next, not a column.
pub(super) fn begins(cursor: &Cursor<'_>) -> bool {
    // `exclude` alone may name a column.
    cursor.sees_any(&["constraint", "check", "unique", "primary", "foreign", "not", "exclude using", "exclude ("]).is_some()
}

/// `[CONSTRAINT name] ...` beside the columns.
pub(super) fn of_table(cursor: &mut Cursor<'_>) -> Read<Draft> {
    let from = cursor.mark();
    let name = name(cursor)?;
    let kind = if cursor.take("check") {
        check(cursor)?
    } else if cursor.take("not null") {
        ConstraintKind::NotNull { column: cursor.ident()? }
    } else if cursor.take("unique") {
        ConstraintKind::Unique(key(cursor)?)
    } else if cursor.take("primary key") {
        ConstraintKind::PrimaryKey(key(cursor)?)
    } else if cursor.take("exclude") {
        exclude(cursor)?
    } else if cursor.take("foreign key") {
        let (columns, period) = period_columns(cursor)?;
        cursor.expect("references")?;
        ConstraintKind::ForeignKey(ForeignKey { period, ..references(cursor, columns)? })
    } else {
        return Err(cursor.fail("CHECK, NOT NULL, UNIQUE, PRIMARY KEY, EXCLUDE or FOREIGN KEY"));
    };
    let mut terms = Terms::default();
    while term(cursor, &mut terms) {}
    Ok(Draft { name, kind, terms, span: cursor.span_from(from) })
}

/// CONSTRAINT name.
pub(super) fn name(cursor: &mut Cursor<'_>) -> Read<Option<Ident>> {
    if cursor.take("constraint") { cursor.ident().map(Some) } else { Ok(None) }
}

/// One word or two behind a constraint; in a column definition without NOT VALID, which the server refuses there.
pub(super) fn term(cursor: &mut Cursor<'_>, terms: &mut Terms) -> bool {
    if cursor.take("not valid") {
        terms.not_valid = true;
        return true;
    }
    if cursor.take("no inherit") {
        terms.no_inherit = true;
        return true;
    }
    term_of_column(cursor, terms)
}

/// The terms that a column definition also allows.
pub(super) fn term_of_column(cursor: &mut Cursor<'_>, terms: &mut Terms) -> bool {
    const TERMS: [&str; 6] = ["deferrable", "not deferrable", "initially deferred", "initially immediate", "enforced", "not enforced"];
    match cursor.take_any(&TERMS) {
        Some("deferrable") => terms.deferrable = true,
        Some("initially deferred") => (terms.deferrable, terms.deferred) = (true, true),
        Some("enforced") => terms.enforced = true,
        Some("not enforced") => terms.enforced = false,
        Some(_) => {}
        None => return false,
    }
    true
}

/// The condition behind CHECK.
pub(super) fn check(cursor: &mut Cursor<'_>) -> Read<ConstraintKind> {
    let mut group = cursor.group()?;
    let tokens = group.rest();
    Ok(ConstraintKind::Check { expression: cursor.expression(tokens)? })
}

/// Behind UNIQUE or PRIMARY KEY of a table constraint.
fn key(cursor: &mut Cursor<'_>) -> Read<Key> {
    if cursor.take("using index") {
        let using_index = Some(cursor.ident()?);
        return Ok(Key { using_index, ..of_columns(Vec::new()) });
    }
    let nulls_not_distinct = nulls_not_distinct(cursor)?;
    let mut group = cursor.group()?;
    let columns = group.list(Cursor::ident)?;
    let without_overlaps = group.take("without overlaps");
    group.finish()?;
    let include = include(cursor)?;
    let parameters = index_parameters(cursor)?;
    Ok(Key { include, nulls_not_distinct, without_overlaps, parameters, ..of_columns(columns) })
}

fn of_columns(columns: Vec<Ident>) -> Key {
    let parameters = IndexParameters::default();
    Key { columns, include: Vec::new(), using_index: None, nulls_not_distinct: false, without_overlaps: false, parameters }
}

/// Behind UNIQUE or PRIMARY KEY of a column.
pub(super) fn key_of(column: &Ident, cursor: &mut Cursor<'_>) -> Read<Key> {
    let nulls_not_distinct = nulls_not_distinct(cursor)?;
    let parameters = index_parameters(cursor)?;
    Ok(Key { nulls_not_distinct, parameters, ..of_columns(vec![column.clone()]) })
}

/// `NULLS [NOT] DISTINCT`.
pub(super) fn nulls_not_distinct(cursor: &mut Cursor<'_>) -> Read<bool> {
    if !cursor.take("nulls") {
        return Ok(false);
    }
    let not = cursor.take("not");
    cursor.expect("distinct")?;
    Ok(not)
}

/// `INCLUDE (...)`.
pub(super) fn include(cursor: &mut Cursor<'_>) -> Read<Vec<Ident>> {
    if cursor.take("include") { cursor.ident_group() } else { Ok(Vec::new()) }
}

/// `WITH (...)` and `USING INDEX TABLESPACE name` of the index behind a constraint.
fn index_parameters(cursor: &mut Cursor<'_>) -> Read<IndexParameters> {
    let options = if cursor.take("with") { alter::options(cursor)? } else { Vec::new() };
    let tablespace = if cursor.take("using index tablespace") { Some(cursor.ident()?) } else { None };
    Ok(IndexParameters { options, tablespace })
}

/// Behind EXCLUDE.
fn exclude(cursor: &mut Cursor<'_>) -> Read<ConstraintKind> {
    let method = if cursor.take("using") { Some(cursor.ident()?) } else { None };
    let mut group = cursor.group()?;
    let (mut keys, mut operators, mut columns) = (Vec::new(), Vec::new(), Vec::new());
    for mut part in group.items()? {
        let key = index::key(&mut part)?;
        part.expect("with")?;
        let from = part.mark();
        operator(&mut part)?;
        operators.push(part.text_from(from));
        part.finish()?;
        if let crate::model::operation::IndexKeyKind::Column(column) = &key.what {
            columns.push(column.clone());
        }
        keys.push(key);
    }
    let include = include(cursor)?;
    let parameters = index_parameters(cursor)?;
    let predicate = if cursor.take("where") {
        let mut group = cursor.group()?;
        let tokens = group.rest();
        Some(cursor.expression(tokens)?)
    } else {
        None
    };
    Ok(ConstraintKind::Exclude { method, keys, operators, columns, include, parameters, predicate })
}

/// `&&`, `OPERATOR(schema.&&)`.
fn operator(cursor: &mut Cursor<'_>) -> Read<()> {
    if cursor.take("operator") {
        return cursor.group().map(drop);
    }
    let schema = |cursor: &mut Cursor<'_>| -> Read<()> {
        cursor.ident()?;
        cursor.expect(".")
    };
    while !matches!(cursor.kind(), Some(crate::sql::lex::TokenKind::Operator)) {
        schema(cursor)?;
    }
    cursor.bump();
    Ok(())
}

/// `(a, PERIOD b)`, and whether PERIOD is said.
fn period_columns(cursor: &mut Cursor<'_>) -> Read<(Vec<Ident>, bool)> {
    let mut group = cursor.group()?;
    let period = Cell::new(false);
    let columns = group.list(|group| {
        // A column may itself be called period.
        if group.sees("period") && !group.sees_at(1, ",") && group.peek_at(1).is_some() {
            group.bump();
            period.set(true);
        }
        group.ident()
    })?;
    group.finish()?;
    Ok((columns, period.get()))
}

/// Behind REFERENCES.
pub(super) fn references(cursor: &mut Cursor<'_>, columns: Vec<Ident>) -> Read<ForeignKey> {
    let referenced = cursor.name()?;
    let referenced_columns = if cursor.sees("(") { period_columns(cursor)?.0 } else { Vec::new() };
    let match_full = cursor.take("match") && cursor.expect_any(&["full", "partial", "simple"])? == "full";
    let on_delete_columns = Vec::new();
    let (on_delete, on_update, period) = (None, None, false);
    let mut key = ForeignKey { columns, referenced, referenced_columns, on_delete, on_delete_columns, on_update, match_full, period };
    loop {
        if cursor.take("on delete") {
            let (action, columns) = key_action(cursor)?;
            (key.on_delete, key.on_delete_columns) = (Some(action), columns);
        } else if cursor.take("on update") {
            key.on_update = Some(key_action(cursor)?.0);
        } else {
            return Ok(key);
        }
    }
}

/// The action, and the columns that it names.
fn key_action(cursor: &mut Cursor<'_>) -> Read<(Box<str>, Vec<Ident>)> {
    let action = cursor.expect_any(&["no action", "restrict", "cascade", "set null", "set default"])?;
    let columns = if action.starts_with("set") && cursor.sees("(") { cursor.ident_group()? } else { Vec::new() };
    Ok((action.into(), columns))
}
