//! Constraints come, are validated, and go; with them the indexes that some of them own.

use super::index::plain_where_it_can_be;
use super::naming::index_column_names;
use super::{Catalog, Constraint, Index, Relation, Step};
use crate::model::name::{Ident, Name, QualifiedName};
use crate::model::operation::{AddConstraint, ConstraintKind, ForeignKey, IndexKey, IndexKeyKind, Key, ObjectKind, Written};

impl Catalog {
    pub(super) fn add_constraint(&mut self, add: &AddConstraint, step: Step) {
        let Some(table) = self.mention(&add.table, ObjectKind::Table) else { return };
        if self.is_passed_over(&table, add) {
            return;
        }
        let made = Constraint {
            name: self.constraint_name(&table, add.name.as_ref(), &add.kind),
            kind: self.completed(&add.kind, &table),
            referenced: None,
            // CREATE TABLE has no rows to pass over, so NOT VALID means nothing there.
            validated: add.enforced && (add.written == Written::CreateTable || !add.not_valid),
            enforced: add.enforced,
            deferrable: add.deferrable,
            deferred: add.deferred,
            no_inherit: add.no_inherit,
            added_in: step,
            index: None,
            parent: None,
            local: true,
            comment: None,
        };
        match &add.kind {
            ConstraintKind::Check { .. } | ConstraintKind::NotNull { .. } => self.add_check(&table, made, add.only),
            ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => self.add_key(&table, made, key, add, step),
            ConstraintKind::Exclude { .. } => self.add_exclusion(&table, made, step),
            ConstraintKind::ForeignKey(_) => self.add_foreign_key(&table, made, add.only),
        }
    }

    /// Whether the statement that brings it found its table or column in place and passed over it.
    fn is_passed_over(&self, table: &QualifiedName, add: &AddConstraint) -> bool {
        match (&self.passed_over, add.written) {
            (Some((passed, None)), Written::CreateTable) => passed == table,
            (Some((passed, Some(_))), Written::AddColumn) => passed == table,
            (Some(_), Written::CreateTable | Written::AddColumn | Written::AddConstraint) | (None, _) => false,
        }
    }

    /// A foreign key that names its table in full and its columns in words, where they are known.
    fn completed(&self, kind: &ConstraintKind, table: &QualifiedName) -> ConstraintKind {
        let mut kind = kind.clone();
        if let ConstraintKind::ForeignKey(key) = &mut kind {
            let referenced = self.resolve(&key.referenced);
            if key.referenced_columns.is_empty() {
                key.referenced_columns = self.primary_key_columns(&referenced);
            }
            key.referenced = Name { schema: Some(referenced.schema), name: referenced.name };
        }
        if let ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) = &mut kind
            && let Some(index) = key.using_index.take().and_then(|index| self.index_beside(table, &index))
        {
            key.columns = index.plain_columns();
            key.include = index.include.clone();
            key.nulls_not_distinct = index.nulls_not_distinct;
        }
        kind
    }

    fn primary_key_columns(&self, table: &QualifiedName) -> Vec<Ident> {
        let key = self.get(table).and_then(Relation::primary_key);
        key.map_or(Vec::new(), |key| key.columns().to_vec())
    }

    fn index_beside(&self, table: &QualifiedName, index: &Ident) -> Option<&Index> {
        self.get(&QualifiedName { schema: table.schema.clone(), name: index.clone() })?.index.as_ref()
    }

    /// Puts a constraint on one table.
    pub(super) fn push_constraint(&mut self, table: &QualifiedName, constraint: Constraint) {
        self.count_constraint_name(&table.schema, &constraint.name);
        if let Some(table) = self.edit(table) {
            table.constraints.push(constraint);
        }
    }

    /// CHECK and NOT NULL: children have them too, by the same name. A child that has one of this name keeps it, now inherited.
    fn add_check(&mut self, table: &QualifiedName, made: Constraint, only: bool) {
        let only = only || made.no_inherit;
        for name in self.family(table, only) {
            let parent = (name != *table).then(|| made.name.clone());
            if let (ConstraintKind::NotNull { column }, true) = (&made.kind, made.validated) {
                self.set_not_null(&name, column);
            }
            let known = if parent.is_some() { self.edit(&name).and_then(|child| child.constraint_mut(&made.name)) } else { None };
            match known {
                Some(known) => known.parent = parent,
                None => self.push_constraint(&name, Constraint { local: parent.is_none(), parent, ..made.clone() }),
            }
        }
    }

    pub(super) fn set_not_null(&mut self, table: &QualifiedName, column: &Ident) {
        if let Some(table) = self.edit(table) {
            table.learn_column(column).not_null = true;
        }
    }

    fn add_key(&mut self, table: &QualifiedName, mut made: Constraint, key: &Key, add: &AddConstraint, step: Step) {
        let primary = matches!(made.kind, ConstraintKind::PrimaryKey(_));
        if add.written != Written::AddConstraint && self.has_equal_key(table, &made, add) {
            return;
        }
        if primary {
            for column in made.columns().to_vec() {
                for name in self.family(table, add.only) {
                    self.set_not_null(&name, &column);
                }
            }
        }
        let index = QualifiedName { schema: table.schema.clone(), name: made.name.clone() };
        made.index = Some(index.clone());
        if let Some(using) = &key.using_index {
            self.adopt_index(table, using, &index);
            self.push_constraint(table, made);
            return;
        }
        let keys: Vec<IndexKey> = made.columns().iter().map(|column| IndexKey::of_column(column.clone())).collect();
        let method = if key.without_overlaps { "gist" } else { "btree" };
        let definition = Index {
            table: table.clone(),
            unique: true,
            method: Ident::quoted(method),
            names: index_column_names(&keys, &key.include),
            keys,
            include: key.include.clone(),
            predicate: None,
            nulls_not_distinct: key.nulls_not_distinct,
            options: key.parameters.options.clone(),
            valid: true,
            constraint: Some(made.name.clone()),
        };
        self.push_constraint(table, made);
        self.put_index(index.clone(), definition, add.only, step);
        self.edit_relation(&index, |index| index.tablespace.clone_from(&key.parameters.tablespace));
    }

    /// In one CREATE TABLE or ADD COLUMN, a key over the columns of another is dropped in its favour; a name written for either is kept.
    fn has_equal_key(&mut self, table: &QualifiedName, made: &Constraint, add: &AddConstraint) -> bool {
        let Some(relation) = self.get(table) else { return false };
        let is_equal = |other: &&Constraint| {
            other.added_in == made.added_in
                && other.deferrable == made.deferrable
                && other.parent.is_none()
                && equal_keys(&other.kind, &made.kind)
        };
        let Some(equal) = relation.constraints.iter().find(is_equal) else { return false };
        let (old, kind) = (equal.name.clone(), made.kind.clone());
        let written = add.name.is_some();
        if matches!(kind, ConstraintKind::PrimaryKey(_)) {
            // The primary key stays, by the other's name if that was written; a chosen one gives way to its own.
            let chosen = self.chosen_key_name(table, &old);
            self.rename_constraint(table, &old, if written || chosen { &made.name } else { &old });
            let name = if written || chosen { &made.name } else { &old };
            if let Some(known) = self.edit(table).and_then(|table| table.constraint_mut(name)) {
                known.kind = kind;
            }
            for column in made.columns().to_vec() {
                self.set_not_null(table, &column);
            }
        } else if written && self.chosen_key_name(table, &old) {
            self.rename_constraint(table, &old, &made.name);
        }
        true
    }

    /// Whether a key's name looks like one that the server chose.
    fn chosen_key_name(&self, table: &QualifiedName, name: &Ident) -> bool {
        let name = name.as_str().trim_end_matches(|c: char| c.is_ascii_digit());
        name.starts_with(table.name.as_str()) && (name.ends_with("_key") || name.ends_with("_pkey"))
    }

    fn add_exclusion(&mut self, table: &QualifiedName, mut made: Constraint, step: Step) {
        let ConstraintKind::Exclude { method, keys, include, parameters, predicate, .. } = &made.kind else { return };
        let tablespace = parameters.tablespace.clone();
        let index = QualifiedName { schema: table.schema.clone(), name: made.name.clone() };
        let keys = plain_where_it_can_be(keys);
        let definition = Index {
            table: table.clone(),
            unique: false,
            method: method.clone().unwrap_or_else(|| Ident::quoted("btree")),
            names: index_column_names(&keys, include),
            keys,
            include: include.clone(),
            predicate: predicate.clone(),
            nulls_not_distinct: false,
            options: parameters.options.clone(),
            valid: true,
            constraint: Some(made.name.clone()),
        };
        made.index = Some(index.clone());
        self.push_constraint(table, made);
        self.put_index(index.clone(), definition, false, step);
        self.edit_relation(&index, |index| index.tablespace = tablespace);
    }

    fn add_foreign_key(&mut self, table: &QualifiedName, made: Constraint, only: bool) {
        let ConstraintKind::ForeignKey(key) = &made.kind else { return };
        let referenced = self.mention(&key.referenced.clone(), ObjectKind::Table);
        // INHERITS children have foreign keys of their own; partitions have their parent's.
        let partitioned = self.get(table).is_some_and(|table| table.partition_by.is_some());
        for name in self.family(table, only || !partitioned) {
            let parent = (name != *table).then(|| made.name.clone());
            self.put_foreign_key(&name, Constraint { referenced: referenced.clone(), local: parent.is_none(), parent, ..made.clone() });
        }
    }

    /// Puts a foreign key on one table, under another name if its own is taken there.
    pub(super) fn put_foreign_key(&mut self, table: &QualifiedName, mut made: Constraint) {
        if made.parent.is_some() && self.get(table).is_some_and(|table| table.constraint(&made.name).is_some()) {
            made.name = self.constraint_name(table, None, &made.kind);
        }
        let entry = (table.clone(), made.name.clone());
        if let Some(referenced) = made.referenced.as_ref().and_then(|name| self.edit(name)) {
            referenced.referenced_by.push(entry);
        }
        self.push_constraint(table, made);
    }

    /// VALIDATE CONSTRAINT; the same constraint of children is validated with it.
    pub(super) fn validate_constraint(&mut self, table: &QualifiedName, name: &Ident, only: bool) {
        for relation in self.family(table, only) {
            let is_top = relation == *table;
            let Some(relation) = self.edit(&relation) else { continue };
            let of_it =
                |constraint: &&mut Constraint| if is_top { constraint.name == *name } else { constraint.parent.as_ref() == Some(name) };
            let mut not_null = None;
            if let Some(constraint) = relation.constraints.iter_mut().find(of_it) {
                constraint.validated = true;
                if let ConstraintKind::NotNull { column } = &constraint.kind {
                    not_null = Some(column.clone());
                }
            }
            if let Some(column) = not_null {
                relation.learn_column(&column).not_null = true;
            }
        }
    }

    /// DROP CONSTRAINT, with the index behind it and the foreign keys that need it; children that have it from this table lose it too.
    pub(super) fn drop_constraint(&mut self, table: &QualifiedName, name: &Ident, cascade: bool) {
        let below = self.descendants(table);
        if cascade {
            self.drop_keys_that_need(table, name);
        }
        self.remove_constraint(table, name);
        for child in below {
            let Some(relation) = self.edit(&child) else { continue };
            let mut going = Vec::new();
            for constraint in relation.constraints.iter_mut().filter(|constraint| constraint.parent.as_ref() == Some(name)) {
                constraint.parent = None;
                if !constraint.local {
                    going.push(constraint.name.clone());
                }
            }
            for name in going {
                self.remove_constraint(&child, &name);
            }
        }
    }

    /// Takes one constraint off one table, with its index and what needs it.
    pub(super) fn remove_constraint(&mut self, table: &QualifiedName, name: &Ident) -> Option<Constraint> {
        let relation = self.edit(table)?;
        let place = relation.constraints.iter().position(|constraint| constraint.name == *name)?;
        let constraint = relation.constraints.remove(place);
        self.uncount_constraint_name(&table.schema, name);
        if let Some(referenced) = constraint.referenced.as_ref().and_then(|name| self.edit(name)) {
            referenced.referenced_by.retain(|(from, known)| !(from == table && known == name));
        }
        if let Some(index) = &constraint.index {
            self.drop_relation(index);
        }
        if let (ConstraintKind::NotNull { column }, Some(relation)) = (&constraint.kind, self.edit(table)) {
            relation.learn_column(column).not_null = false;
        }
        Some(constraint)
    }

    /// Foreign keys that rest on a key: those over its columns, unless another key over them is older, since the server takes the first.
    fn drop_keys_that_need(&mut self, table: &QualifiedName, key: &Ident) {
        let Some(relation) = self.get(table) else { return };
        let Some(key) = relation.constraints.iter().find(|known| known.name == *key).filter(|key| key.index.is_some()) else { return };
        let first = relation.constraints.iter().find(|other| other.index.is_some() && same_columns(other.columns(), key.columns()));
        if first.is_some_and(|first| first.name != key.name) {
            return;
        }
        let rests = |from: &Constraint| matches!(&from.kind, ConstraintKind::ForeignKey(foreign) if same_columns(&foreign.referenced_columns, key.columns()));
        let going: Vec<(QualifiedName, Ident)> = self
            .foreign_keys_to(table)
            .filter(|(_, from)| rests(from))
            .map(|(from, constraint)| (from.name.clone(), constraint.name.clone()))
            .collect();
        for (from, name) in going {
            self.remove_constraint(&from, &name);
        }
    }

    /// CHECK constraints of LIKE INCLUDING CONSTRAINTS keep their names.
    pub(super) fn copy_checks(&mut self, table: &QualifiedName, from: &Relation, step: Step) {
        for check in from.constraints.iter().filter(|constraint| matches!(constraint.kind, ConstraintKind::Check { .. })) {
            self.push_constraint(
                table,
                Constraint { added_in: step, validated: check.enforced, parent: None, local: true, ..check.clone() },
            );
        }
    }
}

/// Whether two constraints are keys over the same columns, in the same order.
fn equal_keys(one: &ConstraintKind, other: &ConstraintKind) -> bool {
    match (one, other) {
        (
            ConstraintKind::Unique(one) | ConstraintKind::PrimaryKey(one),
            ConstraintKind::Unique(other) | ConstraintKind::PrimaryKey(other),
        ) => one.columns == other.columns && one.include == other.include && one.nulls_not_distinct == other.nulls_not_distinct,
        _ => false,
    }
}

fn same_columns(some: &[Ident], others: &[Ident]) -> bool {
    some.len() == others.len() && some.iter().all(|column| others.contains(column))
}

impl Index {
    /// The keys that are plain columns.
    pub fn plain_columns(&self) -> Vec<Ident> {
        let plain = self.keys.iter().filter_map(|key| match &key.what {
            IndexKeyKind::Column(column) => Some(column.clone()),
            IndexKeyKind::Expression(_) => None,
        });
        plain.collect()
    }
}

impl ForeignKey {
    /// The columns in pairs: one of the table, one of the table it points to; empty if the latter are not known.
    pub fn pairs(&self) -> impl Iterator<Item = (&Ident, &Ident)> {
        self.columns.iter().zip(&self.referenced_columns)
    }
}
