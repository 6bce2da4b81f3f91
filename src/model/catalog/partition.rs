//! What a table has from its parents: INHERITS, PARTITION OF, ATTACH and DETACH.

use super::replay::add_once;
use super::{Catalog, Column, Constraint, Relation, Step, Trigger};
use crate::model::name::{Name, QualifiedName};
use crate::model::operation::{Bound, ConstraintKind, ObjectKind};

impl Catalog {
    /// INHERITS in CREATE TABLE: columns, NOT NULL, defaults and CHECKs come from the parent; keys, indexes and identity do not.
    pub(super) fn inherit(&mut self, child: &QualifiedName, parent: &Name, step: Step) {
        let Some(parent) = self.mention(parent, ObjectKind::Table) else { return };
        self.become_child(child, &parent);
        let Some(from) = self.get(&parent).cloned() else { return };
        if let Some(table) = self.edit(child) {
            table.inherits.push(parent);
            table.complete &= from.complete;
            for column in &from.columns {
                table.inherit_column(Column { added_in: step, ..column.for_child() });
            }
        }
        self.inherit_checks(child, &from, step);
    }

    /// PARTITION OF in CREATE TABLE: all of the parent, its indexes, keys and row triggers included.
    pub(super) fn create_partition(&mut self, child: &QualifiedName, parent: &Name, bound: &Bound, step: Step) {
        let Some(parent) = self.mention(parent, ObjectKind::Table) else { return };
        self.become_child(child, &parent);
        let Some(from) = self.get(&parent).cloned() else { return };
        if let Some(table) = self.edit(child) {
            table.partition_of = Some((parent.clone(), bound.clone()));
            table.complete &= from.complete;
            if from.persistence == crate::model::operation::Persistence::Temporary {
                table.persistence = from.persistence;
            }
            // Up to 16 a partition has no identity of its own; from 17 on it uses its parent's.
            table.columns = from.columns.iter().map(|column| Column { added_in: step, ..column.for_child() }).collect();
        }
        self.inherit_checks(child, &from, step);
        self.take_from_parent(child, &from, step);
    }

    /// ATTACH PARTITION: the partition gets the indexes, foreign keys and triggers that it lacks.
    pub(super) fn attach_partition(&mut self, parent: &QualifiedName, partition: &Name, bound: &Bound, step: Step) {
        let Some(partition) = self.mention(partition, ObjectKind::Table) else { return };
        self.become_child(&partition, parent);
        let Some(from) = self.get(parent).cloned() else { return };
        if let Some(table) = self.edit(&partition) {
            table.partition_of = Some((parent.clone(), bound.clone()));
            if !from.complete {
                table.complete = false;
            }
            table.inherit_names(&from);
            // A partition has nothing of its own: whatever its parent has too is the parent's.
            table.columns.iter_mut().filter(|column| from.column(&column.name).is_some()).for_each(|column| column.local = false);
            table.constraints.iter_mut().filter(|constraint| constraint.parent.is_some()).for_each(|constraint| constraint.local = false);
        }
        self.take_from_parent(&partition, &from, step);
    }

    /// DETACH PARTITION: the table keeps what it has, as its own.
    pub(super) fn detach_partition(&mut self, parent: &QualifiedName, partition: &Name) {
        let Some(partition) = self.mention(partition, ObjectKind::Table) else { return };
        if let Some(parent) = self.edit(parent) {
            parent.children.retain(|child| *child != partition);
        }
        let Some(table) = self.edit(&partition) else { return };
        table.partition_of = None;
        table.become_own();
        for index in table.indexes.clone() {
            let Some(relation) = self.edit(&index) else { continue };
            if let Some((parent, _)) = relation.partition_of.take()
                && let Some(parent) = self.edit(&parent)
            {
                parent.children.retain(|child| *child != index);
            }
        }
    }

    /// ALTER TABLE ... INHERIT.
    pub(super) fn add_parent(&mut self, child: &QualifiedName, parent: &Name) {
        let Some(parent) = self.mention(parent, ObjectKind::Table) else { return };
        self.become_child(child, &parent);
        let Some(from) = self.get(&parent).cloned() else { return };
        if let Some(table) = self.edit(child) {
            add_once(&mut table.inherits, &parent);
            table.inherit_names(&from);
        }
    }

    /// ALTER TABLE ... NO INHERIT.
    pub(super) fn remove_parent(&mut self, child: &QualifiedName, parent: &Name) {
        let parent = self.resolve(parent);
        if let Some(parent) = self.edit(&parent) {
            parent.children.retain(|known| known != child);
        }
        if let Some(child) = self.edit(child) {
            child.inherits.retain(|known| *known != parent);
            if child.inherits.is_empty() {
                child.become_own();
            }
        }
    }

    fn become_child(&mut self, child: &QualifiedName, parent: &QualifiedName) {
        if let Some(parent) = self.edit(parent) {
            add_once(&mut parent.children, child);
        }
    }

    fn inherit_checks(&mut self, child: &QualifiedName, parent: &Relation, step: Step) {
        for check in parent.constraints.iter().filter(|constraint| constraint.is_inherited_by_name()) {
            // A new table has no row that could fail, so it is valid there even if it is not in the parent.
            let (validated, parent) = (check.enforced, Some(check.name.clone()));
            let inherited = Constraint { added_in: step, validated, parent, local: false, comment: None, ..check.clone() };
            match self.edit(child).and_then(|child| child.constraint_mut(&check.name)) {
                Some(known) => known.parent = inherited.parent,
                None => self.push_constraint(child, inherited),
            }
        }
    }

    /// Indexes, foreign keys and row triggers of a partitioned table, for a partition that lacks them.
    fn take_from_parent(&mut self, child: &QualifiedName, parent: &Relation, step: Step) {
        for index in &parent.indexes {
            self.give_index(index, child, step);
        }
        for key in parent.constraints.iter().filter(|constraint| matches!(constraint.kind, ConstraintKind::ForeignKey(_))) {
            self.give_foreign_key(child, key, step);
        }
        if let Some(table) = self.edit(child) {
            for trigger in parent.triggers.iter().filter(|trigger| trigger.for_each_row) {
                if !table.triggers.iter().any(|known| known.name == trigger.name) {
                    table.triggers.push(Trigger { comment: None, ..trigger.clone() });
                }
            }
        }
        let below = self.get(child).filter(|child| child.partition_by.is_some()).map_or(Vec::new(), |child| child.children.clone());
        for key in parent.constraints.iter().filter(|constraint| matches!(constraint.kind, ConstraintKind::ForeignKey(_))) {
            for partition in &below {
                self.give_foreign_key(partition, key, step);
            }
        }
    }

    /// An equal foreign key of the partition becomes the parent's; else it gets one.
    fn give_foreign_key(&mut self, child: &QualifiedName, key: &Constraint, step: Step) {
        let Some(table) = self.edit(child) else { return };
        let is_equal = |known: &&mut Constraint| match (&known.kind, &key.kind) {
            (ConstraintKind::ForeignKey(one), ConstraintKind::ForeignKey(other)) => {
                known.parent.is_none()
                    && known.referenced == key.referenced
                    && one.columns == other.columns
                    && one.referenced_columns == other.referenced_columns
                    && one.on_delete == other.on_delete
                    && one.on_delete_columns == other.on_delete_columns
                    && one.on_update == other.on_update
            }
            _ => false,
        };
        match table.constraints.iter_mut().find(is_equal) {
            Some(known) => (known.parent, known.local) = (Some(key.name.clone()), false),
            None => {
                self.put_foreign_key(
                    child,
                    Constraint { added_in: step, parent: Some(key.name.clone()), local: false, comment: None, ..key.clone() },
                );
            }
        }
    }
}

impl Constraint {
    /// CHECK and NOT NULL without NO INHERIT: children have them by the same name.
    fn is_inherited_by_name(&self) -> bool {
        matches!(self.kind, ConstraintKind::Check { .. } | ConstraintKind::NotNull { .. }) && !self.no_inherit
    }
}

impl Relation {
    fn inherit_column(&mut self, column: Column) {
        match self.columns.iter_mut().find(|known| known.name == column.name) {
            Some(known) => {
                known.not_null |= column.not_null;
                known.default = known.default.take().or(column.default);
            }
            None => self.columns.push(column),
        }
    }

    /// It has no parent any more, so all that it has is its own.
    fn become_own(&mut self) {
        self.columns.iter_mut().for_each(|column| column.local = true);
        for constraint in &mut self.constraints {
            (constraint.parent, constraint.local) = (None, true);
        }
    }

    /// Constraints that the table has by the same name as its new parent are the parent's from now on.
    fn inherit_names(&mut self, parent: &Relation) {
        for constraint in parent.constraints.iter().filter(|constraint| constraint.is_inherited_by_name()) {
            if let Some(known) = self.constraint_mut(&constraint.name) {
                known.parent = Some(constraint.name.clone());
            }
        }
    }
}
