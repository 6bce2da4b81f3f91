//! What an operation is judged against: its whole statement, the catalog and the session before it, the server's version.

use super::Version;
use super::footprint::keeps_rows;
use crate::model::catalog::{Catalog, Constraint, Lookup, Relation};
use crate::model::lock::LockMode;
use crate::model::name::{Ident, Name, QualifiedName};
use crate::model::operation::{AlterAction, Column, ConstraintKind, CreateTable, ForeignKey, ObjectKind, Operation};
use crate::model::session::Session;
use crate::text::Located;
use foldhash::{HashSet, HashSetExt};

#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub(super) statement: &'a [Located<Operation>],
    pub(super) catalog: &'a Catalog,
    pub(super) session: &'a Session,
    pub(super) server: Version,
}

/// A relation that a statement names.
#[derive(Clone)]
pub(super) struct Subject<'a> {
    pub(super) name: QualifiedName,
    /// What the history tells of it; `None` if nothing.
    pub(super) relation: Option<&'a Relation>,
    /// A partitioned table of an earlier migration without a partition that is known: a program makes them as time goes by.
    untold_partitions: bool,
}

impl<'a> Subject<'a> {
    /// Whether its columns, constraints and indexes are all known.
    pub(super) fn is_complete(&self) -> bool {
        self.relation.is_some_and(|relation| relation.complete)
    }

    pub(super) fn column(&self, name: &Ident) -> Option<&'a crate::model::catalog::Column> {
        self.relation?.column(name)
    }

    pub(super) fn constraints(&self) -> &'a [Constraint] {
        self.relation.map_or(&[], |relation| &relation.constraints)
    }

    pub(super) fn indexes(&self) -> &'a [QualifiedName] {
        self.relation.map_or(&[], |relation| &relation.indexes)
    }

    pub(super) fn is_partitioned(&self) -> bool {
        self.relation.is_some_and(|relation| relation.partition_by.is_some())
    }

    /// Rows of its own, or in partitions that nobody has shown. What is not known is taken for a plain table.
    pub(super) fn has_rows(&self) -> bool {
        self.untold_partitions || self.keeps_rows()
    }

    /// Rows of its own alone.
    pub(super) fn keeps_rows(&self) -> bool {
        self.relation.is_none_or(keeps_rows)
    }
}

impl<'a> Scene<'a> {
    /// The relation behind a name. `None` if it did not exist before the statement: IF EXISTS passes over it, or CREATE SCHEMA makes it.
    pub(super) fn subject(&self, name: &Name, if_exists: bool) -> Option<Subject<'a>> {
        if self.makes(name) {
            return None;
        }
        match self.catalog.relation(name) {
            Lookup::Known(relation) => Some(self.known(relation)),
            // Without IF EXISTS the server would refuse the statement; the history may also just be wrong.
            Lookup::Absent if if_exists => None,
            Lookup::Absent | Lookup::Unknown => Some(Self::unknown(&self.catalog.resolve(name))),
        }
    }

    /// Whether CREATE SCHEMA makes a table and works on it, all in this one statement.
    fn makes(&self, name: &Name) -> bool {
        let in_schema = matches!(self.statement.first().map(|first| &first.what), Some(Operation::CreateSchema { .. }));
        in_schema && self.tables_made(self.statement.len()).any(|create| create.name == *name)
    }

    /// The tables that the statement makes before its operation `at`, the nearest first. Only CREATE SCHEMA makes several.
    pub(super) fn tables_made(&self, at: usize) -> impl Iterator<Item = &'a CreateTable> {
        self.statement[..at].iter().rev().filter_map(|operation| match &operation.what {
            Operation::CreateTable(create) => Some(&**create),
            _ => None,
        })
    }

    /// A relation that the history knows.
    pub(super) fn known(&self, relation: &'a Relation) -> Subject<'a> {
        let childless = relation.partition_by.is_some() && relation.children.is_empty() && relation.index.is_none();
        let untold_partitions = childless && !relation.is_made_in(self.session.step());
        Subject { name: relation.name.clone(), relation: Some(relation), untold_partitions }
    }

    fn unknown(name: &QualifiedName) -> Subject<'a> {
        Subject { name: name.clone(), relation: None, untold_partitions: false }
    }

    pub(super) fn named(&self, name: &QualifiedName) -> Subject<'a> {
        self.catalog.get(name).map_or_else(|| Self::unknown(name), |relation| self.known(relation))
    }

    /// The relation itself and, unless ONLY is said, all partitions and children below it, parents first.
    pub(super) fn family(&self, subject: &Subject<'a>, only: bool) -> Vec<Subject<'a>> {
        let mut family = vec![subject.clone()];
        if !only && subject.relation.is_some_and(|relation| !relation.children.is_empty()) {
            family.extend(self.catalog.descendants(&subject.name).iter().map(|name| self.named(name)));
        }
        family
    }

    /// The same, but only if it is partitioned: foreign keys, unique constraints and indexes do not go to children by INHERITS.
    pub(super) fn partitions(&self, subject: &Subject<'a>, only: bool) -> Vec<Subject<'a>> {
        self.family(subject, only || !subject.is_partitioned())
    }

    /// The tables that hold the rows behind some names: views are followed to what they read, partitioned tables to their partitions.
    pub(super) fn base_tables(&self, reads: &[Name]) -> Vec<Subject<'a>> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        let mut next: Vec<Subject<'a>> = reads.iter().rev().filter_map(|name| self.subject(name, true)).collect();
        while let Some(subject) = next.pop() {
            if !seen.insert(subject.name.clone()) {
                continue;
            }
            match subject.relation.map(|relation| (relation.kind, &relation.query)) {
                Some((ObjectKind::View, Some(query))) => next.extend(query.reads.iter().rev().map(|name| self.named(name))),
                _ => found.extend(self.family(&subject, false).into_iter().filter(Subject::has_rows)),
            }
        }
        found
    }

    /// Relations that the history knows and that answer to a question, in the order of their names.
    pub(super) fn relations_where(&self, wanted: impl Fn(&Relation) -> bool) -> Vec<&'a Relation> {
        let mut found: Vec<&Relation> = self.catalog.relations().filter(|relation| wanted(relation)).collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }

    /// Views and materialized views that read a relation, also through one another. With a column: those that may name it.
    pub(super) fn views_over(&self, relation: &'a Relation, column: Option<&Ident>) -> Vec<&'a Relation> {
        let mut found: Vec<&Relation> = Vec::new();
        let mut seen: HashSet<&QualifiedName> = HashSet::new();
        let mut next = vec![(relation, column)];
        while let Some((below, column)) = next.pop() {
            for view in below.read_by.iter().filter_map(|name| self.catalog.get(name)) {
                let names_it = |column| view.query.as_ref().is_none_or(|query| query.mentions.contains(column));
                if column.is_none_or(names_it) && seen.insert(&view.name) {
                    found.push(view);
                    next.push((view, None));
                }
            }
        }
        found
    }

    /// Whether another subcommand of the same statement drops a constraint. Drops go first, whatever the order of writing.
    pub(super) fn drops_constraint(&self, name: &Ident) -> bool {
        self.statement.iter().any(|operation| match &operation.what {
            Operation::Alter(_, action) => matches!(&**action, AlterAction::DropConstraint { name: dropped, .. } if dropped == name),
            _ => false,
        })
    }

    /// Columns that the same statement adds.
    pub(super) fn added_columns(&self) -> impl Iterator<Item = &'a Column> {
        self.statement.iter().filter_map(|operation| match &operation.what {
            Operation::Alter(_, action) => match &**action {
                AlterAction::AddColumn { column, .. } => Some(column),
                _ => None,
            },
            _ => None,
        })
    }

    /// The ADD COLUMN that an inline constraint belongs to: the one before it.
    pub(super) fn column_of_inline(&self, at: usize) -> Option<(&'a Column, bool)> {
        self.statement[..at].iter().rev().find_map(|operation| match &operation.what {
            Operation::Alter(_, action) => match &**action {
                AlterAction::AddColumn { column, if_not_exists } => Some((column, *if_not_exists)),
                _ => None,
            },
            _ => None,
        })
    }

    /// The foreign keys of a table, with where they lead.
    pub(super) fn foreign_keys(
        &self,
        subject: &Subject<'a>,
    ) -> impl Iterator<Item = (&'a Constraint, &'a ForeignKey, QualifiedName)> + use<'a> {
        let catalog = self.catalog;
        subject.constraints().iter().filter_map(move |constraint| match &constraint.kind {
            ConstraintKind::ForeignKey(key) => {
                let referenced = constraint.referenced.clone().unwrap_or_else(|| catalog.resolve(&key.referenced));
                Some((constraint, key, referenced))
            }
            ConstraintKind::Check { .. }
            | ConstraintKind::NotNull { .. }
            | ConstraintKind::Unique(_)
            | ConstraintKind::PrimaryKey(_)
            | ConstraintKind::Exclude { .. } => None,
        })
    }

    /// A relation and, if it is partitioned, its partitions, all with one lock.
    pub(super) fn lock_with_partitions(&self, relation: &QualifiedName, mode: LockMode, out: &mut super::Effects) {
        for member in self.partitions(&self.named(relation), false) {
            out.lock(&member.name, mode);
        }
    }

    /// The tables whose triggers go with a foreign key that points to them. Up to 14 a partitioned table has none of its own.
    pub(super) fn release_referenced(&self, referenced: &QualifiedName, out: &mut super::Effects) {
        for member in self.partitions(&self.named(referenced), false) {
            if self.server.0 >= 15 || !member.is_partitioned() {
                out.lock(&member.name, LockMode::AccessExclusive);
            }
        }
    }
}
