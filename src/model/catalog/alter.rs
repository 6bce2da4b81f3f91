//! ALTER TABLE and its kin: what each subcommand changes.

use super::{Catalog, Column, ConstraintKind, Relation, Step};
use crate::model::name::{Ident, Name, QualifiedName};
use crate::model::operation::{AlterAction, Identity, ObjectKind, RowSecurity, SequenceOptions, Target};
use crate::model::types::TypeName;

impl Catalog {
    pub(super) fn alter(&mut self, target: &Target, action: &AlterAction, step: Step) {
        self.passed_over = None;
        if matches!(target.written, ObjectKind::Type | ObjectKind::Domain) {
            return self.alter_type(&target.name, action);
        }
        if target.if_exists && self.relation(&target.name) == super::Lookup::Absent {
            return;
        }
        if let Some(name) = self.mention(&target.name, target.written) {
            self.alter_relation(&name, target.only, action, step);
        }
    }

    fn alter_relation(&mut self, name: &QualifiedName, only: bool, action: &AlterAction, step: Step) {
        match action {
            AlterAction::AddColumn { column, if_not_exists } => self.add_column(name, only, column, *if_not_exists, step),
            AlterAction::DropColumn { column, .. } => {
                self.drop_column(name, column);
                for child in if only { Vec::new() } else { self.descendants(name) } {
                    // One that a child defined itself stays there.
                    if self.get(&child).is_some_and(|child| child.column(column).is_some_and(|column| !column.local)) {
                        self.drop_column(&child, column);
                    }
                }
            }
            AlterAction::SetDefault { column, default } => {
                self.on_column(name, only, column, |column| column.default = Some(default.clone()))
            }
            AlterAction::DropDefault { column } => self.on_column(name, only, column, |column| column.default = None),
            AlterAction::SetNotNull { column } => self.on_column(name, only, column, |column| column.not_null = true),
            AlterAction::DropNotNull { column } => self.on_column(name, only, column, |column| column.not_null = false),
            AlterAction::ChangeType { column, data_type, collation, .. } => {
                self.on_column(name, only, column, |column| {
                    column.data_type = Some(data_type.clone());
                    column.collation.clone_from(collation);
                });
                self.follow_type(name, column, data_type);
            }
            AlterAction::SetExpression { column, expression } => self.on_column(name, only, column, |column| {
                if let Some(generated) = &mut column.generated {
                    generated.expression = expression.clone();
                }
            }),
            AlterAction::DropExpression { column, .. } => self.on_column(name, only, column, |column| column.generated = None),
            AlterAction::AddIdentity { column, always, options, .. } => {
                self.add_identity((name, column), *always, options, step);
                self.tell_sequence(name, column, options);
            }
            AlterAction::SetIdentity { column, always, options, .. } => {
                if let Some(always) = always {
                    let identity = if *always { Identity::Always } else { Identity::ByDefault };
                    self.edit_relation(name, |table| table.learn_column(column).identity = Some(identity));
                }
                self.tell_sequence(name, column, options);
            }
            AlterAction::DropIdentity { column, .. } => self.drop_identity(name, column),
            AlterAction::ValidateConstraint { name: constraint } => self.validate_constraint(name, constraint, only),
            AlterAction::DropConstraint { name: constraint, cascade, .. } => self.drop_constraint(name, constraint, *cascade),
            AlterAction::AlterConstraint { name: constraint, enforced, inherit, deferrable, deferred } => {
                self.edit_relation(name, |table| {
                    if let Some(constraint) = table.constraint_mut(constraint) {
                        constraint.enforced = enforced.unwrap_or(constraint.enforced);
                        constraint.validated &= *enforced != Some(false);
                        constraint.no_inherit = inherit.map_or(constraint.no_inherit, |inherit| !inherit);
                        constraint.deferrable |= *deferrable;
                        constraint.deferred = if *deferrable { *deferred } else { constraint.deferred };
                    }
                })
            }
            AlterAction::RenameColumn { from, to } => {
                for table in self.family(name, only) {
                    self.rename_column(&table, from, to);
                }
            }
            AlterAction::RenameConstraint { from, to } => self.rename_constraint_everywhere(name, from, to),
            AlterAction::RenameTo { to } => self.move_relation(name, QualifiedName { schema: name.schema.clone(), name: to.clone() }),
            AlterAction::SetSchema { schema } => self.move_to_schema(name, schema),
            AlterAction::RowSecurity(setting) => self.edit_relation(name, |table| match setting {
                RowSecurity::Enable => table.row_security = true,
                RowSecurity::Disable => table.row_security = false,
                RowSecurity::Force => table.details_mut().forced_row_security = true,
                RowSecurity::NoForce => table.details_mut().forced_row_security = false,
            }),
            AlterAction::SetPersistence(persistence) => self.set_persistence(name, *persistence),
            AlterAction::SetTablespace { tablespace } => self.edit_relation(name, |table| table.tablespace = Some(tablespace.clone())),
            AlterAction::SetAccessMethod { method } => self.edit_relation(name, |table| table.access_method.clone_from(method)),
            AlterAction::ClusterOn { index } => self.edit_relation(name, |table| table.clustered_on = Some(index.clone())),
            AlterAction::SetWithoutCluster => self.edit_relation(name, |table| table.clustered_on = None),
            AlterAction::ReplicaIdentity(identity) => self.edit_relation(name, |table| table.replica_identity = identity.clone()),
            AlterAction::Inherit { parent } => self.add_parent(name, parent),
            AlterAction::NoInherit { parent } => self.remove_parent(name, parent),
            AlterAction::AttachPartition { partition, bound } => self.attach_partition(name, partition, bound, step),
            AlterAction::DetachPartition { partition, .. } => self.detach_partition(name, partition),
            AlterAction::AttachIndex { index } => {
                if let Some(index) = self.mention(index, ObjectKind::Index) {
                    self.attach_index(name, &index);
                }
            }
            AlterAction::MergePartitions { partitions, into } => self.merge_partitions(name, partitions, into, step),
            // What the new partitions are called is not told.
            AlterAction::SplitPartition { .. } | AlterAction::Unreadable { .. } => self.now_incomplete(name),
            AlterAction::SetStatistics { .. }
            | AlterAction::SetColumnOptions { .. }
            | AlterAction::SetStorage { .. }
            | AlterAction::SetCompression { .. } => self.set_column_details(name, only, action),
            AlterAction::SetTrigger { enable, mode, triggers } => self.set_firing(name, *enable, mode.as_deref(), triggers),
            AlterAction::SetOptions { options } => self.edit_relation(name, |relation| relation.set_options(options, false)),
            AlterAction::ResetOptions { options } => {
                let names = options.iter().map(|name| (name.clone(), None)).collect();
                self.edit_relation(name, |relation| relation.set_options(&names, true));
            }
            AlterAction::OwnerTo { role } => self.edit_relation(name, |relation| relation.details_mut().owner = Some(role.clone())),
            AlterAction::SetRule { .. }
            | AlterAction::OfType { .. }
            | AlterAction::NotOf
            | AlterAction::DependsOnExtension
            | AlterAction::AddAttribute { .. }
            | AlterAction::DropAttribute { .. }
            | AlterAction::ChangeAttribute { .. }
            | AlterAction::RenameAttribute { .. }
            | AlterAction::Other { .. } => {}
        }
    }

    pub(super) fn edit_relation(&mut self, name: &QualifiedName, change: impl FnOnce(&mut Relation)) {
        if let Some(relation) = self.edit(name) {
            change(relation);
        }
    }

    pub(super) fn on_column(&mut self, table: &QualifiedName, only: bool, column: &Ident, change: impl Fn(&mut Column)) {
        for name in self.family(table, only) {
            self.edit_relation(&name, |table| change(table.learn_column(column)));
        }
    }

    fn add_column(&mut self, name: &QualifiedName, only: bool, column: &crate::model::operation::Column, if_not_exists: bool, step: Step) {
        if if_not_exists && self.get(name).is_some_and(|table| table.column(&column.name).is_some()) {
            self.passed_over = Some((name.clone(), Some(column.name.clone())));
            return;
        }
        // A column of this name that is known nevertheless is gone by a way that nobody saw.
        self.edit_relation(name, |table| table.columns.retain(|known| known.name != column.name));
        self.define_column(name, column, step);
        if only {
            return;
        }
        for child in self.descendants(name) {
            self.edit_relation(&child, |table| {
                if table.column(&column.name).is_none() {
                    table.columns.push(Column::defined(column, step).for_child());
                }
            });
        }
    }

    /// The sequence of an identity column takes over its type; that of a serial column stays as it is.
    fn follow_type(&mut self, table: &QualifiedName, column: &Ident, data_type: &TypeName) {
        let identity = |table: &&Relation| table.column(column).is_some_and(|column| column.identity.is_some());
        let sequence = self.get(table).filter(identity).and_then(|table| self.owned_sequence(table, column));
        if let Some(sequence) = sequence.map(|sequence| sequence.name.clone()) {
            self.edit_relation(&sequence, |sequence| sequence.numbers = Some(data_type.name.name.as_str().into()));
        }
    }

    fn add_identity(&mut self, (table, column): (&QualifiedName, &Ident), always: bool, options: &SequenceOptions, step: Step) {
        let data_type = self.get(table).and_then(|table| table.column(column)?.data_type.clone());
        self.create_owned_sequence((table, column), data_type.as_ref(), options.name.as_ref(), step);
        self.edit_relation(table, |table| {
            table.learn_column(column).identity = Some(if always { Identity::Always } else { Identity::ByDefault });
        });
    }

    /// The options of the sequence behind a column.
    pub(super) fn tell_sequence(&mut self, table: &QualifiedName, column: &Ident, options: &SequenceOptions) {
        if *options == SequenceOptions::default() {
            return;
        }
        let sequence = self.get(table).and_then(|table| self.owned_sequence(table, column)).map(|sequence| sequence.name.clone());
        if let Some(sequence) = sequence {
            self.edit_relation(&sequence, |sequence| sequence.details_mut().sequence.take_over(options));
        }
    }

    fn drop_identity(&mut self, table: &QualifiedName, column: &Ident) {
        let sequence = self.get(table).filter(|table| table.column(column).is_some_and(|column| column.identity.is_some()));
        let sequence = sequence.and_then(|table| self.owned_sequence(table, column)).map(|sequence| sequence.name.clone());
        if let Some(sequence) = sequence {
            self.drop_relation(&sequence);
        }
        self.edit_relation(table, |table| table.learn_column(column).identity = None);
    }

    fn set_persistence(&mut self, name: &QualifiedName, persistence: crate::model::operation::Persistence) {
        let Some(table) = self.edit(name) else { return };
        table.persistence = persistence;
        let with_it: Vec<QualifiedName> = table.indexes.iter().chain(&table.owned_sequences).cloned().collect();
        for name in with_it {
            self.edit_relation(&name, |relation| relation.persistence = persistence);
        }
    }

    /// MERGE PARTITIONS (19): the parts go, and one with the parent's shape comes.
    fn merge_partitions(&mut self, parent: &QualifiedName, partitions: &[Name], into: &Name, step: Step) {
        for partition in partitions {
            let partition = self.resolve(partition);
            self.drop_relation(&partition);
        }
        let into = self.creation_name(into, crate::model::operation::Persistence::Permanent);
        self.put(self.begin_relation(into.clone(), ObjectKind::Table, false, step));
        let parent = Name { schema: Some(parent.schema.clone()), name: parent.name.clone() };
        self.create_partition(&into, &parent, &crate::model::operation::Bound::Unknown, step);
    }

    /// Takes a column off one table, with all that cannot be without it.
    pub(super) fn drop_column(&mut self, table: &QualifiedName, column: &Ident) {
        let Some(relation) = self.get(table) else { return };
        let dependents = self.dependents(table, column);
        let constraints: Vec<Ident> = dependents.constraints.iter().map(|constraint| constraint.name.clone()).collect();
        let incoming: Vec<(QualifiedName, Ident)> = dependents
            .incoming
            .iter()
            .filter(
                |(_, constraint)| matches!(&constraint.kind, ConstraintKind::ForeignKey(key) if key.referenced_columns.contains(column)),
            )
            .map(|(from, constraint)| (from.name.clone(), constraint.name.clone()))
            .collect();
        let indexes: Vec<QualifiedName> = dependents.indexes.iter().map(|index| index.name.clone()).collect();
        let generated: Vec<Ident> = dependents.generated.iter().map(|column| column.name.clone()).collect();
        let sequences: Vec<QualifiedName> = dependents.sequence.iter().map(|sequence| sequence.name.clone()).collect();
        // Only a view that reads nothing else surely means this column by its name.
        let reads_this_alone = |view: &&&Relation| view.query.as_ref().is_some_and(|query| query.reads.len() == 1) && relation.complete;
        let views: Vec<QualifiedName> = dependents.views.iter().filter(reads_this_alone).map(|view| view.name.clone()).collect();
        for (from, name) in incoming {
            self.remove_constraint(&from, &name);
        }
        for name in constraints {
            self.remove_constraint(table, &name);
        }
        for name in indexes.iter().chain(&sequences).chain(&views) {
            self.drop_relation(name);
        }
        self.edit_relation(table, |table| {
            table.columns.retain(|known| known.name != *column && !generated.contains(&known.name));
            table.triggers.retain(|trigger| !trigger.of_columns.contains(column));
            table.statistics.retain(|statistics| !statistics.reads(column));
        });
    }
}
