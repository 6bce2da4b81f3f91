//! The parts of statements that edits may name: where an operation writes its type, its default, its USING.

use super::altered::Neighbours;
use super::facts::{self, Value};
use super::moment::Moment;
use super::repetition;
use crate::model::kind::OpKind;
use crate::model::operation::{AlterAction, Column, Operation};
use crate::sql::lex::{Lexer, Token};
use crate::sql::recognise::type_at;
use crate::text::Span;
use std::fmt;

/// Which columns are meant.
pub type Wanted<'a> = dyn Fn(&Column) -> bool + 'a;

/// A part of an operation.
pub struct Part {
    /// As rule files write it.
    pub name: &'static str,
    /// The operations that have it.
    pub of: &'static [OpKind],
    /// One line for the manual.
    pub doc: &'static str,
    /// Where it stands, once for each column that `of` names.
    pub read: fn(&Moment<'_>, &Wanted<'_>) -> Vec<Span>,
}

impl PartialEq for Part {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.of == other.of
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

const DEFINES: &[OpKind] = &[OpKind::AddColumn, OpKind::CreateTable];

/// All parts. Two rows may share a name if they share no operation.
#[rustfmt::skip]
pub const PARTS: &[Part] = &[
    Part { name: "type", of: DEFINES, read: |m, of| columns(m, of).iter().filter_map(|column| type_of(m, column)).collect(),
           doc: "the type in the definition of a column, with its modifiers but without `[]`" },
    Part { name: "modifiers", of: DEFINES, read: |m, of| columns(m, of).iter().filter_map(|column| modifiers(m, column)).collect(),
           doc: "what stands in parentheses in that type, and these" },
    Part { name: "type", of: &[OpKind::ChangeColumnType], read: |m, _| behind_type(m).and_then(|from| type_at(m.source, from)).into_iter().collect(),
           doc: "the new type, with its modifiers but without `[]`" },
    Part { name: "default", of: DEFINES, read: |m, of| columns(m, of).iter().filter_map(|column| Some(column.default.as_ref()?.span)).collect(),
           doc: "the expression behind DEFAULT" },
    Part { name: "default", of: &[OpKind::SetDefault], read: default_that_is_set,
           doc: "the expression behind DEFAULT" },
    Part { name: "default_clause", of: DEFINES, read: default_clauses,
           doc: "DEFAULT and its expression" },
    Part { name: "type_clause", of: &[OpKind::CreateSequence], read: type_clause,
           doc: "AS and the type of its numbers" },
    Part { name: "using", of: &[OpKind::ChangeColumnType], read: using,
           doc: "USING and its expression" },
    Part { name: "autovacuum_enabled", of: &[OpKind::SetOptions, OpKind::CreateTable], read: |m, _| autovacuum_enabled(m).into_iter().collect(),
           doc: "the value of the storage parameter autovacuum_enabled" },
    Part { name: "definition", of: DEFINES, read: |m, of| columns(m, of).iter().map(|column| column.span).collect(),
           doc: "a column's name and all that follows it" },
    Part { name: "repetition", of: repetition::LISTS, read: |m, _| repetition::repetition(m).into_iter().collect(),
           doc: "the second of two equal items of its list" },
    Part { name: "key_type", of: &[OpKind::AddForeignKey], read: |m, _| key_type(m).into_iter().collect(),
           doc: "the type of the column that `key_types` is about, where the file defines it" },
    Part { name: "joint", of: &[OpKind::Statement], read: |m, _| neighbours(m).and_then(Neighbours::semicolon).into_iter().collect(),
           doc: "the semicolon that ends the statement before" },
    Part { name: "opening", of: &[OpKind::Statement], read: |m, _| neighbours(m).and_then(Neighbours::opening).into_iter().collect(),
           doc: "what stands before the first subcommand of ALTER TABLE" },
];

/// Where a part stands, of the columns that a fact names, or of all.
pub fn places(part: &Part, of: Option<&str>, m: &Moment<'_>) -> Vec<Span> {
    let names = of.map(|fact| names(fact, m));
    (part.read)(m, &|column| names.as_ref().is_none_or(|names| names.contains(&column.name.sql())))
}

/// The names that a fact shows, as SQL writes them.
pub fn names(fact: &str, m: &Moment<'_>) -> Vec<String> {
    match facts::find(fact, m.kind()).map(|fact| (fact.read)(m)) {
        Some(Value::Named(_, names) | Value::Text(names)) => names.split(facts::BETWEEN_NAMES).map(str::to_owned).collect(),
        Some(Value::Word(word)) => vec![word.to_owned()],
        Some(Value::Unknown | Value::Bool(_) | Value::Number(_)) | None => Vec::new(),
    }
}

fn neighbours<'a>(m: &Moment<'a>) -> Option<Neighbours<'a>> {
    Neighbours::at(m.index?, m.file, m.source)
}

/// The type of a column of a foreign key, where this file defines the column.
fn key_type(m: &Moment<'_>) -> Option<Span> {
    facts::key_definition(m).and_then(|column| type_of(m, column))
}

/// The columns that the operation defines.
fn columns<'a>(m: &Moment<'a>, wanted: &Wanted<'_>) -> Vec<&'a Column> {
    let all: Vec<&Column> = match m.operation() {
        Some(Operation::CreateTable(table)) => table.columns.iter().map(|column| &column.what).collect(),
        _ => match action(m) {
            Some(AlterAction::AddColumn { column, .. }) => vec![column],
            _ => Vec::new(),
        },
    };
    all.into_iter().filter(|column| wanted(column)).collect()
}

/// Behind the column's name.
fn type_of(m: &Moment<'_>, column: &Column) -> Option<Span> {
    column.data_type.as_ref()?;
    let name = Lexer::new(m.source, column.span).next()?;
    type_at(m.source, Span::new(name.span.end, column.span.end))
}

fn modifiers(m: &Moment<'_>, column: &Column) -> Option<Span> {
    let tokens: Vec<_> = Lexer::new(m.source, type_of(m, column)?).collect();
    let mark = |mark| move |token: &&Token| token.is_mark(m.source, mark);
    Some(tokens.iter().find(mark("("))?.span.to(tokens.iter().rfind(mark(")"))?.span))
}

/// The last one counts; without a value it is true.
fn autovacuum_enabled(m: &Moment<'_>) -> Option<Span> {
    let tokens = tokens(m);
    let name = tokens.iter().rposition(|token| token.is_word(m.source, "autovacuum_enabled"))?;
    let of_toast = name > 0 && tokens[name - 1].is_mark(m.source, ".");
    let [sign, value] = tokens.get(name + 1..name + 3)? else { return None };
    (m.source.slice(sign.span) == b"=" && !of_toast).then_some(value.span)
}

fn default_clauses(m: &Moment<'_>, of: &Wanted<'_>) -> Vec<Span> {
    let clause = |column: &&Column| {
        let value = column.default.as_ref()?.span;
        let before = Lexer::new(m.source, Span::new(column.span.start, value.start));
        before.filter(|token| token.is_word(m.source, "DEFAULT")).last().map(|word| word.span.to(value))
    };
    columns(m, of).iter().filter_map(clause).collect()
}

fn default_that_is_set(m: &Moment<'_>, _: &Wanted<'_>) -> Vec<Span> {
    match action(m) {
        Some(AlterAction::SetDefault { default, .. }) => vec![default.span],
        _ => Vec::new(),
    }
}

fn type_clause(m: &Moment<'_>, _: &Wanted<'_>) -> Vec<Span> {
    let word = tokens(m).into_iter().find(|token| token.is_word(m.source, "AS"));
    let clause = |word: Token| Some(word.span.to(type_at(m.source, Span::new(word.span.end, m.place().end))?));
    word.and_then(clause).into_iter().collect()
}

fn using(m: &Moment<'_>, _: &Wanted<'_>) -> Vec<Span> {
    let Some(AlterAction::ChangeType { using: Some(expression), .. }) = action(m) else { return Vec::new() };
    let word =
        tokens(m).into_iter().filter(|token| token.span.start < expression.span.start).rfind(|token| token.is_word(m.source, "USING"));
    word.map(|word| word.span.to(expression.span)).into_iter().collect()
}

/// What stands behind TYPE, which may be the column's name as well.
fn behind_type(m: &Moment<'_>) -> Option<Span> {
    let mut tokens = tokens(m).into_iter().peekable();
    tokens.next()?;
    tokens.next_if(|token| token.is_word(m.source, "COLUMN"));
    tokens.next()?;
    let word = tokens.find(|token| token.is_word(m.source, "TYPE"))?;
    Some(Span::new(word.span.end, m.place().end))
}

fn action<'a>(m: &Moment<'a>) -> Option<&'a AlterAction> {
    match m.operation() {
        Some(Operation::Alter(_, action)) => Some(action),
        _ => None,
    }
}

fn tokens(m: &Moment<'_>) -> Vec<Token> {
    Lexer::new(m.source, m.place()).collect()
}
