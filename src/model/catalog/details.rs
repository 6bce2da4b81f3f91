//! What belongs to relations and columns beside their definition: comments, storage, policies, statistics, publications.

use super::{Catalog, Column, Relation};
use crate::model::expression::Expression;
use crate::model::name::{Ident, Name, QualifiedName};
use crate::model::operation::{self, AlterAction, CreateTrigger, ObjectKind, Operation, Options, Publishing, SequenceOptions, Triggers};
use crate::text::{SourceFile, Span};
use std::sync::Arc;

/// The right to do something with a relation or a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// `select`, `insert`, ..., `all`.
    pub privilege: Box<str>,
    /// Who has it; PUBLIC as that word in lower case.
    pub grantee: Ident,
    /// WITH GRANT OPTION.
    pub option: bool,
}

/// What few relations have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RelationDetails {
    /// The text of its comment as a literal, as written.
    pub comment: Option<Arc<str>>,
    /// Rights on all of it.
    pub grants: Vec<Grant>,
    /// OWNER TO; `None`: whoever made it.
    pub owner: Option<Ident>,
    /// WITH (...) of a table or view.
    pub options: Options,
    /// Of a view: WITH CHECK OPTION, `local` or `cascaded`.
    pub check_option: Option<Box<str>>,
    /// Of a sequence: how it counts.
    pub sequence: SequenceOptions,
    /// FORCE ROW LEVEL SECURITY.
    pub forced_row_security: bool,
}

/// What few columns have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ColumnDetails {
    /// The text of its comment as a literal, as written.
    pub comment: Option<Arc<str>>,
    /// Rights on this column.
    pub grants: Vec<Grant>,
    /// SET STORAGE.
    pub storage: Option<Box<str>>,
    /// SET COMPRESSION.
    pub compression: Option<Box<str>>,
    /// SET STATISTICS.
    pub statistics: Option<Box<str>>,
    /// SET (...).
    pub options: Options,
}

/// A policy of row-level security.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// Its name.
    pub name: Ident,
    /// AS RESTRICTIVE.
    pub restrictive: bool,
    /// `all`, `select`, `insert`, `update` or `delete`.
    pub command: Box<str>,
    /// TO; empty: everybody.
    pub roles: Vec<Ident>,
    /// USING.
    pub using: Option<Expression>,
    /// WITH CHECK.
    pub check: Option<Expression>,
    /// The text of its comment.
    pub comment: Option<Arc<str>>,
}

/// Extended statistics.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// Its name.
    pub name: QualifiedName,
    /// `ndistinct`, `dependencies`, `mcv`; empty: all.
    pub kinds: Vec<Ident>,
    /// Plain columns.
    pub columns: Vec<Ident>,
    /// Expressions (14).
    pub expressions: Vec<Expression>,
}

/// A table in a publication.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishedTable {
    /// The publication.
    pub publication: Ident,
    /// The table.
    pub table: QualifiedName,
    /// The columns that are published; empty: all.
    pub columns: Vec<Ident>,
    /// Only these rows are.
    pub filter: Option<Expression>,
}

/// When a trigger fires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Firing {
    /// As usual: not in replicas.
    #[default]
    Origin,
    /// ENABLE ALWAYS.
    Always,
    /// ENABLE REPLICA.
    Replica,
    /// DISABLE.
    Never,
}

impl Relation {
    /// What few relations have; all of it empty if this one has none.
    pub fn details(&self) -> &RelationDetails {
        static NONE: RelationDetails = RelationDetails {
            comment: None,
            grants: Vec::new(),
            owner: None,
            options: Vec::new(),
            check_option: None,
            sequence: SequenceOptions { name: None, start: None, increment: None, least: None, most: None, cache: None, cycle: None },
            forced_row_security: false,
        };
        self.details.as_deref().unwrap_or(&NONE)
    }

    pub(super) fn details_mut(&mut self) -> &mut RelationDetails {
        self.details.get_or_insert_default()
    }
}

impl Column {
    /// What few columns have; all of it empty if this one has none.
    pub fn details(&self) -> &ColumnDetails {
        static NONE: ColumnDetails =
            ColumnDetails { comment: None, grants: Vec::new(), storage: None, compression: None, statistics: None, options: Vec::new() };
        self.details.as_deref().unwrap_or(&NONE)
    }

    pub(super) fn details_mut(&mut self) -> &mut ColumnDetails {
        self.details.get_or_insert_default()
    }

    /// The column as a child gets it from its parent: by nothing but its name, type, storage and defaults.
    pub(super) fn for_child(&self) -> Self {
        Self {
            details: self.details.as_ref().and_then(|details| details.for_copy(false, true)),
            identity: None,
            local: false,
            ..self.clone()
        }
    }
}

impl ColumnDetails {
    /// What of it another table's column gets.
    pub(super) fn for_copy(&self, comment: bool, storage: bool) -> Option<Box<Self>> {
        let kept = Self {
            comment: self.comment.clone().filter(|_| comment),
            storage: self.storage.clone().filter(|_| storage),
            compression: self.compression.clone().filter(|_| storage),
            ..Self::default()
        };
        (kept != Self::default()).then(|| Box::new(kept))
    }
}

impl Catalog {
    /// COMMENT ON something of a relation.
    pub(super) fn comment(&mut self, object: ObjectKind, name: &Name, table: Option<&Name>, text: Option<&Arc<str>>) {
        let (relation, part) = match table {
            Some(table) => (table, Some(&name.name)),
            None => (name, None),
        };
        self.change_known(relation, |relation| match (object, part) {
            (ObjectKind::Column, Some(column))
                if text.is_some() || relation.column(column).is_some_and(|column| column.details.is_some()) =>
            {
                relation.learn_column(column).details_mut().comment = text.cloned();
            }
            (ObjectKind::Constraint, Some(name)) => {
                if let Some(constraint) = relation.constraint_mut(name) {
                    constraint.comment = text.cloned();
                }
            }
            (ObjectKind::Trigger, Some(name)) => {
                relation.triggers.iter_mut().filter(|trigger| trigger.name == *name).for_each(|trigger| trigger.comment = text.cloned());
            }
            (ObjectKind::Policy, Some(name)) => {
                relation.policies.iter_mut().filter(|policy| policy.name == *name).for_each(|policy| policy.comment = text.cloned());
            }
            (ObjectKind::Table | ObjectKind::ForeignTable | ObjectKind::Index, None)
            | (ObjectKind::View | ObjectKind::MaterializedView | ObjectKind::Sequence, None) => {
                relation.details_mut().comment = text.cloned();
            }
            _ => {}
        });
    }

    /// CREATE POLICY, ALTER POLICY.
    pub(super) fn policy(&mut self, policy: &operation::Policy) {
        let command = policy.command.clone().unwrap_or_else(|| "all".into());
        if policy.create {
            let made = Policy {
                name: policy.name.clone(),
                restrictive: policy.restrictive,
                command,
                roles: policy.roles.clone(),
                using: policy.using.clone(),
                check: policy.check.clone(),
                comment: None,
            };
            return self.edit_table(&policy.table, |table| {
                table.policies.retain(|known| known.name != made.name);
                table.policies.push(made);
            });
        }
        self.change_known(&policy.table, |table| {
            let Some(known) = table.policies.iter_mut().find(|known| known.name == policy.name) else { return };
            known.using = policy.using.clone().or(known.using.take());
            known.check = policy.check.clone().or(known.check.take());
            if !policy.roles.is_empty() {
                known.roles.clone_from(&policy.roles);
            }
        });
    }

    /// ENABLE and DISABLE TRIGGER.
    pub(super) fn set_firing(&mut self, table: &QualifiedName, enable: bool, mode: Option<&str>, triggers: &Triggers) {
        let firing = match (enable, mode) {
            (false, _) => Firing::Never,
            (true, Some("always")) => Firing::Always,
            (true, Some("replica")) => Firing::Replica,
            (true, _) => Firing::Origin,
        };
        let means = |name: &Ident| match triggers {
            Triggers::All | Triggers::User => true,
            Triggers::One(one) => one == name,
        };
        self.edit_relation(table, |table| {
            table.triggers.iter_mut().filter(|trigger| means(&trigger.name)).for_each(|trigger| trigger.firing = firing);
        });
    }

    /// What a column is told about its storage and statistics.
    pub(super) fn set_column_details(&mut self, table: &QualifiedName, only: bool, action: &AlterAction) {
        let told = |value: &str| (value != "default").then(|| value.into());
        let change = |column: &mut Column| match action {
            AlterAction::SetStatistics { target, .. } => column.details_mut().statistics.clone_from(target),
            AlterAction::SetStorage { storage, .. } => column.details_mut().storage = told(storage),
            AlterAction::SetCompression { method, .. } => column.details_mut().compression = told(method),
            AlterAction::SetColumnOptions { options, reset, .. } => set_options(&mut column.details_mut().options, options, *reset),
            _ => {}
        };
        if let Some(column) = action.column() {
            self.on_column(table, only, column, change);
        }
    }

    /// The tables of a publication.
    pub(super) fn publish(&mut self, publication: &Name, tables: &[operation::Published]) {
        if tables.iter().any(|table| table.how == Publishing::Set) {
            self.published.retain(|known| known.publication != publication.name);
        }
        for table in tables {
            let name = self.resolve(&table.name);
            self.published.retain(|known| known.publication != publication.name || known.table != name);
            if table.how == Publishing::Drop {
                continue;
            }
            let published = PublishedTable {
                publication: publication.name.clone(),
                table: name,
                columns: table.columns.clone(),
                filter: table.filter.clone(),
            };
            self.published.push(published);
        }
    }

    /// The publications that name a table.
    pub fn publications_of<'a>(&'a self, table: &'a QualifiedName) -> impl Iterator<Item = &'a PublishedTable> {
        self.published.iter().filter(move |known| known.table == *table)
    }

    /// Tells in which file something stands that was just made: the body of a function, the query of a view.
    pub fn place(&mut self, operation: &Operation, source: &Arc<SourceFile>) {
        match operation {
            Operation::CreateFunction(create) => self.place_body(create, source),
            Operation::CreateView(create) | Operation::CreateMaterializedView(create) => {
                let name = self.resolve(&create.name);
                let query = self.relations.get_mut(&name).and_then(|view| view.query.as_mut());
                // OR REPLACE and IF NOT EXISTS may have left an older one in place.
                if let Some(query) = query.filter(|query| query.span == create.definition) {
                    query.source = Some(Arc::clone(source));
                }
            }
            _ => {}
        }
    }
}

impl super::Query {
    /// Its text, if it is known where it stands.
    pub fn text(&self) -> Option<String> {
        let source = self.source.as_ref()?;
        Some(source.text(self.span).into_owned()).filter(|_| self.span != Span::default())
    }
}

impl super::Trigger {
    pub(super) fn made(create: &CreateTrigger, step: super::Step) -> Self {
        Self {
            name: create.name.clone(),
            function: create.function.clone(),
            arguments: create.arguments.clone(),
            of_columns: create.of_columns.clone(),
            before: create.before,
            instead: create.instead,
            for_each_row: create.for_each_row,
            constraint: create.constraint,
            deferrable: create.deferrable,
            deferred: create.deferred,
            from: create.from.clone(),
            referencing: create.referencing.clone(),
            when: create.when.clone(),
            events: create.events.clone(),
            firing: Firing::Origin,
            comment: None,
            added_in: step,
        }
    }
}

impl Statistics {
    /// Whether it is about this column.
    pub fn reads(&self, column: &Ident) -> bool {
        self.columns.contains(column) || self.expressions.iter().any(|expression| expression.columns.contains(column))
    }
}

impl Relation {
    /// What a sequence is told of how to count.
    pub(super) fn count(&mut self, options: &SequenceOptions) {
        if *options != SequenceOptions::default() {
            self.details_mut().sequence.take_over(options);
        }
    }

    /// SET (...) and RESET (...) of a table, an index or a view.
    pub(super) fn set_options(&mut self, said: &Options, reset: bool) {
        match &mut self.index {
            Some(index) => set_options(&mut index.options, said, reset),
            None => set_options(&mut self.details_mut().options, said, reset),
        }
    }
}

/// SET (...) and RESET (...).
pub(super) fn set_options(options: &mut Options, said: &Options, reset: bool) {
    options.retain(|(name, _)| !said.iter().any(|(other, _)| other == name));
    if !reset {
        options.extend(said.iter().cloned());
    }
}
