//! What one ALTER TABLE did, for the next statement: two of them on one table may be one.

use crate::model::catalog::Catalog;
use crate::model::effects::Effects;
use crate::model::lock::LockMode;
use crate::model::name::{Ident, Name, QualifiedName};
use crate::model::operation::{AlterAction, ConstraintKind, ObjectKind, Operation, Written};
use crate::sql::Statement;
use crate::sql::lex::{Lexer, TokenKind};
use crate::text::{SourceFile, Span};

/// An ALTER TABLE whose parts could stand in another one.
#[derive(Clone, Debug, PartialEq)]
pub struct Altered {
    /// The table.
    pub table: QualifiedName,
    /// What takes it its time.
    pub work: Work,
}

/// What takes an ALTER TABLE its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Nothing: the catalog alone is changed.
    Brief,
    /// Every row is read.
    Scan,
    /// Every row is written anew.
    Rewrite,
}

impl Altered {
    /// What a statement does, by the schema before it; `None` if it is no ALTER TABLE, does not shut its table, or does what does not go
    /// together with other subcommands.
    pub fn of(statement: &Statement, effects: &Effects, before: &Catalog) -> Option<Self> {
        let written = statement.operations.first().and_then(|operation| part_of(&operation.what))?;
        if !statement.operations.iter().all(|operation| part_of(&operation.what) == Some(written)) {
            return None;
        }
        let table = before.resolve(written);
        let is_index = |relation: &QualifiedName| before.get(relation).is_some_and(|known| known.index.is_some());
        let others = effects.locks.iter().filter(|lock| lock.relation != table && !is_index(&lock.relation));
        let alone = others.max_by_key(|lock| lock.mode).is_none_or(|lock| lock.mode < LockMode::ShareRowExclusive);
        if effects.lock_on(&table) != Some(LockMode::AccessExclusive) || !alone || !effects.assumed.is_empty() {
            return None;
        }
        let proves =
            |operation: &Operation| matches!(operation, Operation::Alter(_, action) if matches!(**action, AlterAction::SetNotNull { .. }));
        let work = if effects.rewrites.contains(&table) {
            Work::Rewrite
        } else if !effects.builds.is_empty() || !effects.rebuilds.is_empty() {
            // Each index is built by a pass of its own.
            return None;
        } else if effects.scans.contains(&table) {
            Work::Scan
        } else if statement.operations.iter().any(|operation| proves(&operation.what)) {
            // What proves it to the server may be a constraint that its neighbour drops: together they read every row.
            return None;
        } else {
            Work::Brief
        };
        Some(Self { table, work })
    }
}

/// The table of a subcommand that may stand beside others.
fn part_of(operation: &Operation) -> Option<&Name> {
    match operation {
        Operation::Alter(target, action) if target.written == ObjectKind::Table => {
            let alone = matches!(
                **action,
                AlterAction::RenameTo { .. }
                    | AlterAction::RenameColumn { .. }
                    | AlterAction::RenameConstraint { .. }
                    | AlterAction::SetSchema { .. }
                    | AlterAction::ValidateConstraint { .. }
                    | AlterAction::AttachPartition { .. }
                    | AlterAction::DetachPartition { .. }
                    | AlterAction::Unreadable { .. }
            );
            (!alone).then_some(&target.name)
        }
        Operation::AddConstraint(constraint) if constraint.written != Written::CreateTable => Some(&constraint.table),
        _ => None,
    }
}

/// Two ALTER TABLEs of a file, one right behind the other.
#[derive(Clone, Copy)]
pub struct Neighbours<'a> {
    source: &'a SourceFile,
    first: &'a Statement,
    second: &'a Statement,
}

/// What runners look for in comments: such a line cuts the file, or is about the statement behind it.
const TO_PROGRAMS: &[&str] = &["lockkeeper:", "+goose", "migrate:", "statement-breakpoint"];

impl<'a> Neighbours<'a> {
    /// The statement of a file at this index and the one before it.
    pub fn at(index: usize, file: &'a [Statement], source: &'a SourceFile) -> Option<Self> {
        let (first, second) = (file.get(index.checked_sub(1)?)?, file.get(index)?);
        (first.nesting.is_none() && second.nesting.is_none()).then_some(Self { source, first, second })
    }

    /// The semicolon between them, if nothing else stands there but comments for people.
    pub fn semicolon(self) -> Option<Span> {
        let mut lexer = Lexer::new(self.source, Span::new(self.first.span.end, self.second.span.start));
        let mut semicolon = None;
        while let Some(token) = lexer.next_lexeme() {
            match token.kind {
                TokenKind::Comment if TO_PROGRAMS.iter().any(|sign| self.source.text(token.span).contains(sign)) => return None,
                TokenKind::Comment => {}
                _ if token.is_mark(self.source, ";") && semicolon.is_none() => semicolon = Some(token.span),
                _ => return None,
            }
        }
        semicolon
    }

    /// ALTER TABLE and the table of the second one, up to its first subcommand.
    pub fn opening(self) -> Option<Span> {
        opening(self.second)
    }

    /// Whether they end alike as one: both open alike, and neither names what the other one changes. A column that the first one adds may
    /// get its default and its constraints from the second: the server adds columns before those.
    pub fn may_be_one(self) -> bool {
        let words = |span: Span| Lexer::new(self.source, span).map(|token| word(self.source, token.span)).collect::<Vec<_>>();
        let alike = match (opening(self.first), opening(self.second)) {
            (Some(one), Some(other)) => words(one) == words(other),
            _ => false,
        };
        let (Some(changed), Some(changed_later)) = (changed(self.first), changed(self.second)) else { return false };
        let added: Vec<_> = self.first.operations.iter().filter_map(|operation| added(&operation.what)).collect();
        let only_adds = self.second.operations.iter().all(|operation| is_added_to_column(&operation.what));
        let apart = |changed: &[&Ident], other: &Statement| {
            let named = names(self.source, other);
            changed.iter().all(|name| !named.contains(name) || (only_adds && added.contains(name)))
        };
        alike && self.semicolon().is_some() && apart(&changed, self.second) && apart(&changed_later, self.first)
    }
}

/// A token as it is compared.
fn word(source: &SourceFile, span: Span) -> String {
    let text = source.text(span);
    if text.starts_with('"') { text.into_owned() } else { text.to_ascii_lowercase() }
}

/// What stands before the first subcommand.
fn opening(statement: &Statement) -> Option<Span> {
    let first = statement.operations.first()?;
    (first.span.start > statement.span.start).then(|| Span::new(statement.span.start, first.span.start))
}

/// All that the subcommands of a statement name.
fn names(source: &SourceFile, statement: &Statement) -> Vec<Ident> {
    let from = opening(statement).map_or(statement.span.start, |opening| opening.end);
    Lexer::new(source, Span::new(from, statement.span.end)).filter_map(|token| token.ident(source)).collect()
}

/// The columns and constraints that a statement changes; `None` if it does something of which that is not told.
fn changed(statement: &Statement) -> Option<Vec<&Ident>> {
    let mut changed = Vec::new();
    for operation in &statement.operations {
        match &operation.what {
            Operation::AddConstraint(constraint) => changed.extend(&constraint.name),
            Operation::Alter(_, action) => changed.push(match &**action {
                AlterAction::AddColumn { column, .. } => &column.name,
                AlterAction::DropConstraint { name, .. } => name,
                other => other.column()?,
            }),
            _ => return None,
        }
    }
    Some(changed)
}

fn added(operation: &Operation) -> Option<&Ident> {
    match operation {
        Operation::Alter(_, action) => match &**action {
            AlterAction::AddColumn { column, .. } => Some(&column.name),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the server does it after it has added columns.
fn is_added_to_column(operation: &Operation) -> bool {
    match operation {
        Operation::AddConstraint(constraint) => !matches!(constraint.kind, ConstraintKind::Exclude { .. }),
        Operation::Alter(_, action) => matches!(**action, AlterAction::SetDefault { .. } | AlterAction::SetNotNull { .. }),
        _ => false,
    }
}
