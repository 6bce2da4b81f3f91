//! DROP: what goes, and what goes with it.
//!
//! Without CASCADE the server refuses to drop what others need. History that did so is taken to know better: those others are gone too.

use super::{Catalog, Relation};
use crate::model::expression::Expression;
use crate::model::name::{Ident, Name, QualifiedName};
use crate::model::operation::{Drop, ObjectKind};

impl Catalog {
    pub(super) fn drop_object(&mut self, drop: &Drop) {
        match drop.object {
            ObjectKind::Table
            | ObjectKind::ForeignTable
            | ObjectKind::View
            | ObjectKind::MaterializedView
            | ObjectKind::Sequence
            | ObjectKind::Index => self.drop_relation(&self.resolve(&drop.name)),
            ObjectKind::Type | ObjectKind::Domain => self.drop_type(&drop.name, drop.cascade),
            ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Aggregate => self.drop_function(&drop.name, drop.cascade),
            ObjectKind::Schema => self.drop_schema(&drop.name.name),
            ObjectKind::Extension => {
                self.extensions.remove(&drop.name.name);
                if drop.cascade {
                    self.forget();
                }
            }
            ObjectKind::Trigger => self.in_table(drop, |table, name| table.triggers.retain(|trigger| trigger.name != *name)),
            ObjectKind::Rule => self.in_table(drop, |table, name| table.rules.retain(|rule| rule != name)),
            ObjectKind::Policy => self.in_table(drop, |table, name| table.policies.retain(|policy| policy.name != *name)),
            ObjectKind::Statistics => self.drop_statistics(&drop.name),
            ObjectKind::Publication => self.published.retain(|known| known.publication != drop.name.name),
            ObjectKind::Column
            | ObjectKind::Constraint
            | ObjectKind::Database
            | ObjectKind::Tablespace
            | ObjectKind::Role
            | ObjectKind::Subscription
            | ObjectKind::EventTrigger => {}
            ObjectKind::Other => {
                if drop.cascade {
                    self.forget();
                }
            }
        }
    }

    fn in_table(&mut self, drop: &Drop, change: impl Fn(&mut Relation, &Ident)) {
        let Some(table) = drop.table.as_ref().map(|table| self.resolve(table)) else { return };
        for name in self.family(&table, false) {
            if let Some(table) = self.edit(&name) {
                change(table, &drop.name.name);
            }
        }
    }

    /// Drops a relation and all that cannot be without it: indexes, owned sequences, partitions, children, views, foreign keys to it.
    pub(super) fn drop_relation(&mut self, name: &QualifiedName) {
        let mut going = vec![name.clone()];
        while let Some(name) = going.pop() {
            let Some(relation) = self.take(&name) else { continue };
            self.let_go_of(&relation);
            self.published.retain(|published| published.table != name);
            for (table, constraint) in relation.referenced_by {
                self.remove_constraint(&table, &constraint);
            }
            going.extend(relation.indexes);
            going.extend(relation.owned_sequences);
            going.extend(relation.children);
            going.extend(relation.read_by);
        }
    }

    /// Takes a relation that is gone out of the lists of those that remain.
    fn let_go_of(&mut self, gone: &Relation) {
        let name = &gone.name;
        for referenced in gone.constraints.iter().filter_map(|constraint| constraint.referenced.as_ref()) {
            if let Some(referenced) = self.edit_existing(referenced) {
                referenced.referenced_by.retain(|(from, _)| from != name);
            }
        }
        for parent in gone.inherits.iter().chain(gone.partition_of.as_ref().map(|(parent, _)| parent)) {
            if let Some(parent) = self.edit_existing(parent) {
                parent.children.retain(|child| child != name);
            }
        }
        for read in gone.query.iter().flat_map(|query| &query.reads) {
            if let Some(read) = self.edit_existing(read) {
                read.read_by.retain(|view| view != name);
            }
        }
        if let Some((owner, column)) = &gone.owned_by {
            self.stop_numbering(owner, column, &gone.name.name);
            if let Some(owner) = self.edit_existing(owner) {
                owner.owned_sequences.retain(|sequence| sequence != name);
            }
        }
        let Some(index) = &gone.index else { return };
        let Some(table) = self.edit_existing(&index.table) else { return };
        table.indexes.retain(|known| known != name);
        if table.clustered_on.as_ref() == Some(&name.name) {
            table.clustered_on = None;
        }
        let owner =
            table.constraints.iter().find(|constraint| constraint.index.as_ref() == Some(name)).map(|constraint| constraint.name.clone());
        if let Some(constraint) = owner {
            self.remove_constraint(&index.table, &constraint);
        }
    }

    /// A column's sequence goes, and the default with it that asks it for numbers; so do the defaults that children have from it.
    fn stop_numbering(&mut self, owner: &QualifiedName, column: &Ident, sequence: &Ident) {
        for table in self.family(owner, false) {
            let Some(table) = self.edit_existing(&table) else { continue };
            let of_sequence = |default: &Expression| default.text.contains(sequence.as_str());
            let column = table.columns.iter_mut().find(|known| known.name == *column);
            if let Some(column) = column.filter(|column| column.default.as_ref().is_some_and(of_sequence)) {
                column.default = None;
            }
        }
    }

    /// To change a relation that may be gone already, without noting its absence.
    fn edit_existing(&mut self, name: &QualifiedName) -> Option<&mut Relation> {
        if self.relations.contains_key(name) { self.edit(name) } else { None }
    }

    fn drop_schema(&mut self, schema: &Ident) {
        let inside: Vec<QualifiedName> = self.relations.keys().filter(|name| name.schema == *schema).cloned().collect();
        for name in inside {
            self.drop_relation(&name);
        }
        self.drop_types_and_functions_in(schema);
        self.set_schema(schema.clone(), false);
    }

    fn drop_statistics(&mut self, name: &Name) {
        let is_it = |known: &QualifiedName| known.name == name.name && name.schema.as_ref().is_none_or(|schema| known.schema == *schema);
        let table = self.relations().find(|table| table.statistics.iter().any(|known| is_it(&known.name))).map(|table| table.name.clone());
        if let Some(table) = table.and_then(|table| self.edit(&table)) {
            table.statistics.retain(|known| !is_it(&known.name));
        }
    }
}
