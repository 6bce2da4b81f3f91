//! One operation on: which part of the catalog it changes.
//!
//! A statement that the server would refuse is replayed as if it had worked: the migration is history, so what is known must be wrong.

use super::{Catalog, Column, Relation, Statistics, Step, lookup};
use crate::model::effects::Version;
use crate::model::functions;
use crate::model::name::{Ident, Name, QualifiedName};
use crate::model::operation::{ObjectKind, Operation, Persistence, TwoPhase, Update, Volatility};

impl Catalog {
    /// Applies one operation of the migration `step`.
    pub fn replay(&mut self, operation: &Operation, step: Step) {
        match operation {
            Operation::CreateTable(create) => self.create_table(create, step),
            Operation::CreateTableAs(create) => self.create_table_as(create, step),
            Operation::Alter(target, action) => self.alter(target, action, step),
            Operation::AddConstraint(add) => self.add_constraint(add, step),
            Operation::CreateIndex(create) => self.create_index(create, step),
            Operation::CreateView(create) => self.create_view(create, ObjectKind::View, step),
            Operation::CreateMaterializedView(create) => self.create_view(create, ObjectKind::MaterializedView, step),
            Operation::CreateSequence { name, if_not_exists, persistence, data_type, owned_by, options } => {
                self.create_sequence(name, *if_not_exists, *persistence, data_type.as_ref(), step);
                self.change_known(name, |sequence| sequence.count(options));
                if let Some(owner) = owned_by {
                    self.own_sequence(name, owner);
                }
            }
            Operation::AlterSequence { name, data_type, owned_by, options, .. } => {
                self.change_known(name, |sequence| sequence.count(options));
                if let Some(data_type) = data_type {
                    self.set_sequence_type(name, data_type);
                }
                if let Some(owner) = owned_by {
                    self.own_sequence(name, owner);
                }
            }
            Operation::CreateType { name, definition } => self.create_type(name, definition),
            Operation::CreateDomain { name, base, not_null, default, checks } => {
                self.create_domain(name, base, default.as_ref(), *not_null, checks);
            }
            Operation::AlterDomain { name, action } => self.alter_domain(name, action),
            Operation::AddEnumValue { name, value, .. } => self.add_enum_value(name, value),
            Operation::RenameEnumValue { name, from, to } => self.rename_enum_value(name, from, to),
            Operation::CreateFunction(create) => self.create_function(create, step),
            Operation::CreateTrigger(create) => self.create_trigger(create, step),
            Operation::CreateRule { name, table, .. } => self.edit_table(table, |table| add_once(&mut table.rules, name)),
            Operation::Policy(policy) => self.policy(policy),
            Operation::CreateStatistics { name, table: Some(table), kinds, columns, expressions, if_not_exists } => {
                let (kinds, columns, expressions) = (kinds.clone(), columns.clone(), expressions.clone());
                let made = Statistics { name: self.resolve(table), kinds, columns, expressions };
                self.create_statistics(name.as_ref(), table, made, *if_not_exists);
            }
            Operation::CreateSchema { name, .. } => self.set_schema(name.clone(), true),
            Operation::CreateExtension { name, .. } => {
                self.extensions.insert(name.clone());
            }
            Operation::Drop(drop) => {
                let needs_relation =
                    matches!(drop.object, ObjectKind::Table | ObjectKind::View | ObjectKind::MaterializedView | ObjectKind::Index);
                if needs_relation && !drop.if_exists {
                    self.meet(&self.resolve(&drop.name));
                }
                if drop.object == ObjectKind::Index {
                    self.dropped_in_file.insert(self.resolve(&drop.name));
                }
                self.drop_object(drop);
            }
            Operation::Insert(insert) => self.fill(&insert.table),
            Operation::Update(update) => self.update(update),
            Operation::RefreshMaterializedView { name, with_data, .. } => self.change_known(name, |view| view.filled = *with_data),
            Operation::Privilege(privilege) => self.privilege(privilege),
            Operation::Comment { object, name: Some(name), table, text, label: false } => {
                self.comment(*object, name, table.as_ref(), text.as_ref());
            }
            Operation::Other { object: Some(publication), tables, .. } if !tables.is_empty() => self.publish(publication, tables),
            Operation::Delete(delete) => self.meet(&self.resolve(&delete.table)),
            Operation::Merge { table, .. } | Operation::Copy { table: Some(table), from: true, .. } => self.fill(table),
            Operation::Truncate { table, .. } | Operation::LockTable { table, .. } | Operation::Copy { table: Some(table), .. } => {
                self.meet(&self.resolve(table));
            }
            Operation::Rename { object, name, table, to } => self.rename_object(*object, name, table.as_ref(), to),
            Operation::Cluster { table: Some(table), index: Some(index) } => {
                self.edit_table(table, |table| table.clustered_on = Some(index.clone()))
            }
            Operation::Begin => self.open_transaction(),
            Operation::Commit { chain } => self.commit(*chain),
            Operation::Rollback { chain } => self.roll_back(*chain),
            Operation::Savepoint(name) => self.set_savepoint(name),
            Operation::Release(name) => self.release(name),
            Operation::RollbackTo(name) => self.roll_back_to(name),
            Operation::TwoPhase(TwoPhase::Prepare) => self.commit(false),
            Operation::Dynamic { .. } | Operation::Unreadable { .. } => self.forget(),
            Operation::PsqlCommand { .. } if operation.runs_unseen() => self.forget(),
            Operation::Other { words, .. } if matches!(&**words, "discard all" | "discard temp" | "discard temporary") => {
                self.drop_temporary()
            }
            Operation::Other { words, .. } if matches!(&**words, "drop owned by" | "import foreign schema") => self.forget(),
            // What they run are statements of their own.
            Operation::DoBlock { .. }
            | Operation::Call { .. }
            | Operation::CreateStatistics { .. }
            | Operation::Cluster { .. }
            | Operation::TwoPhase(TwoPhase::Commit | TwoPhase::Rollback)
            | Operation::PsqlCommand { .. }
            | Operation::Reindex(_)
            | Operation::Copy { .. }
            | Operation::Select { .. }
            | Operation::Vacuum { .. }
            | Operation::Analyze { .. }
            | Operation::Repack { .. }
            | Operation::Comment { .. }
            | Operation::Set { .. }
            | Operation::Reset { .. }
            | Operation::SetConstraints { .. }
            | Operation::Other { .. } => {}
        }
    }

    /// Whether a function that a query calls may run DDL: one that the server did not bring and that nobody declared STABLE.
    pub fn may_change_schema(&self, function: &Name) -> bool {
        match self.functions(function).iter().map(|known| known.volatility).max() {
            Some(volatility) => volatility == Volatility::Volatile,
            None => {
                let name = function.name.as_str();
                functions::volatility(name, Version::NEWEST).is_none() && !functions::is_aggregate(name)
            }
        }
    }

    /// The relation that a statement names, to be changed. One that is not known is taken note of: it exists, and that is all that is
    /// known of it. `None` for the server's own.
    pub(super) fn mention(&mut self, name: &Name, kind: ObjectKind) -> Option<QualifiedName> {
        let name = self.resolve(name);
        if !self.relations.contains_key(&name) {
            if lookup::is_system(&name.schema) && name.schema != "pg_temp" {
                return None;
            }
            self.meet(&name);
            let mut relation = Relation::new(name.clone(), kind, None);
            if name.schema == "pg_temp" {
                relation.persistence = Persistence::Temporary;
            }
            self.put(relation);
        }
        Some(name)
    }

    /// A relation has to be there for a statement to succeed. If a whole history has not made it, the history is not whole.
    fn meet(&mut self, name: &QualifiedName) {
        // What stands in a branch may never have run, and proves nothing.
        if self.whole
            && self.branches.is_empty()
            && !self.relations.contains_key(name)
            && !self.dropped.contains(name)
            && !lookup::is_system(&name.schema)
        {
            (self.whole, self.older) = (false, true);
        }
    }

    /// Rows come into a table.
    fn fill(&mut self, table: &Name) {
        let name = self.resolve(table);
        self.meet(&name);
        if self.get(&name).is_some_and(|relation| !relation.filled) {
            self.edit_relation(&name, |relation| relation.filled = true);
        }
    }

    /// Columns get values, in partitions and children as well.
    fn update(&mut self, update: &Update) {
        let name = self.resolve(&update.table);
        self.meet(&name);
        for table in self.family(&name, update.only) {
            let is_fresh = |column: &Column| !column.updated && update.columns.contains(&column.name);
            if self.get(&table).is_some_and(|relation| relation.columns.iter().any(is_fresh)) {
                self.edit_relation(&table, |relation| {
                    relation.columns.iter_mut().filter(|column| is_fresh(column)).for_each(|column| column.updated = true);
                });
            }
        }
    }

    /// Changes a relation if the history knows it.
    pub(super) fn change_known(&mut self, name: &Name, change: impl FnOnce(&mut Relation)) {
        let name = self.resolve(name);
        if self.get(&name).is_some() {
            self.edit_relation(&name, change);
        }
    }

    pub(super) fn edit_table(&mut self, table: &Name, change: impl FnOnce(&mut Relation)) {
        if let Some(relation) = self.mention(table, ObjectKind::Table).and_then(|name| self.edit(&name)) {
            change(relation);
        }
    }
}

impl Relation {
    /// A column to change; one that is not known is taken note of.
    pub(super) fn learn_column(&mut self, name: &Ident) -> &mut Column {
        let place = self.columns.iter().position(|column| column.name == *name).unwrap_or_else(|| {
            self.columns.push(Column::mentioned(name.clone()));
            self.columns.len() - 1
        });
        &mut self.columns[place]
    }
}

impl Column {
    /// A column of which nothing is known but its name.
    pub(super) fn mentioned(name: Ident) -> Self {
        let (data_type, collation, default, identity, generated) = Default::default();
        let (not_null, updated, details) = (false, false, None);
        Self { name, data_type, collation, not_null, default, identity, generated, local: true, added_in: Step::BASE, updated, details }
    }
}

pub(super) fn add_once<T: Clone + PartialEq>(list: &mut Vec<T>, element: &T) {
    if !list.contains(element) {
        list.push(element.clone());
    }
}
