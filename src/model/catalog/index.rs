//! Indexes come into being, on partitions too, and are adopted by constraints.

use super::naming::{Among, index_column_names};
use super::{Catalog, Constraint, Index, Lookup, Relation, Step, figure};
use crate::model::name::{Ident, QualifiedName};
use crate::model::operation::{Bound, ConstraintKind, CreateIndex, IndexKey, IndexKeyKind, ObjectKind};

/// The index that a partition has, or gets, for one of its parent's.
#[derive(Clone, Debug, PartialEq)]
pub struct GivenIndex {
    /// Its name.
    pub name: QualifiedName,
    /// It is built for the purpose; else the partition has it already.
    pub is_new: bool,
}

impl Catalog {
    pub(super) fn create_index(&mut self, create: &CreateIndex, step: Step) {
        let Some(table) = self.mention(&create.table, ObjectKind::Table) else { return };
        let name = self.index_name(create);
        if create.if_not_exists && self.relations.contains_key(&name) {
            return;
        }
        self.make_room(&name);
        let definition = Index::of(create, table);
        let surely_made = !create.if_not_exists || self.lookup(&name) == Lookup::Absent;
        self.put_index(name.clone(), definition, create.only, step);
        if let Some(index) = self.edit(&name) {
            index.tablespace.clone_from(&create.tablespace);
            index.surely_made &= surely_made;
        }
    }

    /// Puts an index on its table and, unless ONLY is said, an equal one on each partition that has none.
    pub(super) fn put_index(&mut self, name: QualifiedName, mut definition: Index, only: bool, step: Step) {
        let table = definition.table.clone();
        let Some(relation) = self.edit(&table) else { return };
        relation.indexes.push(name.clone());
        let persistence = relation.persistence;
        let partitions = if relation.partition_by.is_some() { relation.children.clone() } else { Vec::new() };
        // ON ONLY is written for partitioned tables alone, and is of no use without partitions.
        definition.valid = !only || (relation.complete && partitions.is_empty());
        let mut index = Relation::new(name.clone(), ObjectKind::Index, Some(step));
        index.persistence = persistence;
        index.index = Some(definition);
        self.put(index);
        if !only {
            for partition in partitions {
                self.give_index(&name, &partition, step);
            }
        }
    }

    /// Gives a partition the index of its parent: an equal one that it has already, or a new one. Its own partitions get theirs.
    pub(super) fn give_index(&mut self, parent: &QualifiedName, partition: &QualifiedName, step: Step) {
        let mut todo = vec![(parent.clone(), partition.clone())];
        while let Some((parent, partition)) = todo.pop() {
            let Some(index) = self.get(&parent).and_then(|relation| relation.index.clone()) else { continue };
            let given = match self.equal_index(&index, &partition) {
                Some(equal) => equal,
                None => self.copy_index(&index, &partition, step),
            };
            self.attach_index(&parent, &given);
            let Some(table) = self.get(&partition) else { continue };
            if table.partition_by.is_some() {
                todo.extend(table.children.iter().map(|child| (given.clone(), child.clone())));
            }
        }
    }

    /// An index of the table that does the same and has no parent yet.
    fn equal_index(&self, index: &Index, table: &QualifiedName) -> Option<QualifiedName> {
        let is_equal = |(relation, other): &(&Relation, &Index)| {
            relation.partition_of.is_none()
                && other.unique == index.unique
                && other.method == index.method
                && other.include == index.include
                && other.nulls_not_distinct == index.nulls_not_distinct
                && same_keys(other, index)
                && other.predicate.as_ref().map(|predicate| &predicate.text) == index.predicate.as_ref().map(|predicate| &predicate.text)
                // An index behind a constraint takes one that is behind a constraint too.
                && (index.constraint.is_none() || other.constraint.is_some())
        };
        self.indexes_of(self.get(table)?).find(is_equal).map(|(relation, _)| relation.name.clone())
    }

    /// The index that a partition has, or gets, for one of its parent's.
    pub fn index_for_partition(&self, index: &Index, partition: &QualifiedName) -> GivenIndex {
        match self.equal_index(index, partition) {
            Some(name) => GivenIndex { name, is_new: false },
            None => GivenIndex { name: self.copy_name(index, self.constraint_behind(index), partition), is_new: true },
        }
    }

    /// The names of the indexes that LIKE INCLUDING INDEXES gives a table.
    pub fn indexes_for_copy(&self, source: &Relation, table: &QualifiedName) -> Vec<QualifiedName> {
        self.indexes_of(source).map(|(_, index)| self.copy_name(index, self.constraint_behind(index), table)).collect()
    }

    fn constraint_behind(&self, index: &Index) -> Option<&Constraint> {
        self.get(&index.table)?.constraint(index.constraint.as_ref()?)
    }

    fn copy_name(&self, index: &Index, origin: Option<&Constraint>, table: &QualifiedName) -> QualifiedName {
        let (names, label, among) = match origin.map(|constraint| &constraint.kind) {
            None => (&index.names[..], "idx", Among::Relations),
            Some(ConstraintKind::PrimaryKey(_)) => (&[][..], "pkey", Among::Both),
            Some(ConstraintKind::Exclude { .. }) => (&index.names[..], "excl", Among::Both),
            Some(_) => (&index.names[..], "key", Among::Both),
        };
        self.choose_index_name(table, names, label, among)
    }

    /// An equal index on another table, named by the server, with the constraint that it stands behind.
    fn copy_index(&mut self, index: &Index, table: &QualifiedName, step: Step) -> QualifiedName {
        let origin = self.constraint_behind(index).cloned();
        let name = self.copy_name(index, origin.as_ref(), table);
        let mut copy = Index { table: table.clone(), valid: true, constraint: None, ..index.clone() };
        if let Some(origin) = origin {
            copy.constraint = Some(name.name.clone());
            let constraint = Constraint {
                name: name.name.clone(),
                index: Some(name.clone()),
                added_in: step,
                parent: None,
                local: true,
                comment: None,
                ..origin
            };
            if let ConstraintKind::PrimaryKey(key) = &constraint.kind {
                for column in key.columns.clone() {
                    self.set_not_null(table, &column);
                }
            }
            self.push_constraint(table, constraint);
        }
        self.put_index(name.clone(), copy, true, step);
        if let Some(index) = self.edit(&name).and_then(|relation| relation.index.as_mut()) {
            index.valid = true;
        }
        name
    }

    /// LIKE INCLUDING INDEXES.
    pub(super) fn copy_indexes(&mut self, table: &QualifiedName, from: &Relation, step: Step) {
        let mut indexes: Vec<Index> = self.indexes_of(from).map(|(_, index)| index.clone()).collect();
        // The server makes the primary key first.
        let is_primary = |index: &Index| index.constraint.is_some() && index.constraint.as_ref() == from.primary_key().map(|key| &key.name);
        indexes.sort_by_key(|index| !is_primary(index));
        for index in indexes {
            self.copy_index(&index, table, step);
        }
    }

    /// ALTER INDEX ATTACH PARTITION, and what comes to the same. The parent becomes valid with the last partition.
    pub(super) fn attach_index(&mut self, parent: &QualifiedName, child: &QualifiedName) {
        let Some(relation) = self.edit(child) else { return };
        relation.partition_of = Some((parent.clone(), Bound::Unknown));
        let constraint = relation.index.as_ref().and_then(|index| Some((index.table.clone(), index.constraint.clone()?)));
        let Some(relation) = self.edit(parent) else { return };
        relation.children.push(child.clone());
        let origin = relation.index.as_ref().and_then(|index| index.constraint.clone());
        if let (Some((table, name)), Some(origin)) = (constraint, origin)
            && let Some(constraint) = self.edit(&table).and_then(|table| table.constraint_mut(&name))
        {
            (constraint.parent, constraint.local) = (Some(origin), false);
        }
        self.validate_index(parent);
    }

    /// An index of a partitioned table is valid once each partition has attached a valid one.
    fn validate_index(&mut self, index: &QualifiedName) {
        let mut next = Some(index.clone());
        while let Some(name) = next.take() {
            let Some(relation) = self.get(&name) else { return };
            let Some(index) = relation.index.as_ref().filter(|index| !index.valid) else { return };
            let Some(table) = self.get(&index.table) else { return };
            let is_valid = |child: &QualifiedName| self.get(child).and_then(|child| child.index.as_ref()).is_some_and(|index| index.valid);
            if !table.complete || relation.children.len() < table.children.len() || !relation.children.iter().all(is_valid) {
                return;
            }
            next = relation.partition_of.as_ref().map(|(parent, _)| parent.clone());
            if let Some(index) = self.edit(&name).and_then(|relation| relation.index.as_mut()) {
                index.valid = true;
            }
        }
    }

    /// ADD CONSTRAINT ... USING INDEX: the index takes the constraint's name.
    pub(super) fn adopt_index(&mut self, table: &QualifiedName, index: &Ident, constraint: &QualifiedName) {
        let index = QualifiedName { schema: table.schema.clone(), name: index.clone() };
        if self.relations.contains_key(&index) {
            self.move_relation(&index, constraint.clone());
        } else {
            let mut relation = Relation::new(constraint.clone(), ObjectKind::Index, None);
            let (keys, names, include, options) = Default::default();
            let method = Ident::quoted("btree");
            relation.index = Some(Index {
                table: table.clone(),
                unique: true,
                method,
                keys,
                names,
                include,
                predicate: None,
                nulls_not_distinct: false,
                options,
                valid: true,
                constraint: None,
            });
            self.put(relation);
            if let Some(table) = self.edit(table) {
                table.indexes.push(constraint.clone());
            }
        }
        if let Some(index) = self.edit(constraint).and_then(|relation| relation.index.as_mut()) {
            index.constraint = Some(constraint.name.clone());
        }
    }
}

/// A column in parentheses, or with a COLLATE inside of them, is that column to the server (ComputeIndexAttrs).
pub(super) fn plain_where_it_can_be(keys: &[IndexKey]) -> Vec<IndexKey> {
    let plain = |key: &IndexKey| match &key.what {
        IndexKeyKind::Expression(expression) if expression.calls.is_empty() && expression.casts.is_empty() => match &expression.columns[..]
        {
            [column] if figure::is_column(&expression.text) => {
                let collation = key.collation.clone().or_else(|| figure::collation(&expression.text));
                IndexKey { what: IndexKeyKind::Column(column.clone()), collation, ..key.clone() }
            }
            _ => key.clone(),
        },
        IndexKeyKind::Expression(_) | IndexKeyKind::Column(_) => key.clone(),
    };
    keys.iter().map(plain).collect()
}

/// Equal keys, wherever their expressions stand in the file; their order does not count.
fn same_keys(one: &Index, other: &Index) -> bool {
    one.keys.len() == other.keys.len() && one.keys.iter().zip(&other.keys).all(|(one, other)| one.indexes_like(other))
}

impl Index {
    /// The index that CREATE INDEX makes on this table.
    pub fn of(create: &CreateIndex, table: QualifiedName) -> Self {
        Self {
            table,
            unique: create.unique,
            method: create.method.clone(),
            keys: plain_where_it_can_be(&create.keys),
            names: index_column_names(&create.keys, &create.include),
            include: create.include.clone(),
            predicate: create.predicate.clone(),
            nulls_not_distinct: create.nulls_not_distinct,
            options: create.options.clone(),
            valid: true,
            constraint: None,
        }
    }
}
