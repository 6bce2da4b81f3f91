//! Renames and moves: everything that pointed to the old name points to the new one, as it does by OID on the server.

use super::{Catalog, Column, Constraint, Index, Relation};
use crate::model::expression::{Expression, Predicate};
use crate::model::name::{Ident, Name, QualifiedName};
use crate::model::operation::{ConstraintKind, IndexKey, IndexKeyKind, ObjectKind};

impl Catalog {
    /// Gives a relation another name or schema.
    pub(super) fn move_relation(&mut self, from: &QualifiedName, to: QualifiedName) {
        if *from == to {
            return;
        }
        let Some(mut relation) = self.take(from) else { return };
        relation.name = to.clone();
        relation.follow_itself(from, &to);
        self.point_indexes(&relation, &to);
        self.point_foreign_keys(&relation, from, &to);
        self.point_family(&relation, from, &to);
        self.point_readers(&relation, from, &to);
        self.point_owner(&mut relation, from, &to);
        self.published.iter_mut().filter(|published| published.table == *from).for_each(|published| published.table = to.clone());
        self.put(relation);
    }

    /// A table's indexes know its name; an index is known to its table and to the constraint before it.
    fn point_indexes(&mut self, relation: &Relation, to: &QualifiedName) {
        for index in &relation.indexes {
            if let Some(index) = self.edit(index).and_then(|relation| relation.index.as_mut()) {
                index.table = to.clone();
            }
        }
    }

    fn point_foreign_keys(&mut self, relation: &Relation, from: &QualifiedName, to: &QualifiedName) {
        for referenced in relation.constraints.iter().filter_map(|constraint| constraint.referenced.as_ref()) {
            if let Some(referenced) = self.edit(referenced) {
                referenced.referenced_by.iter_mut().filter(|(table, _)| table == from).for_each(|(table, _)| *table = to.clone());
            }
        }
        for (table, name) in &relation.referenced_by {
            if let Some(constraint) = self.edit(table).and_then(|table| table.constraint_mut(name)) {
                constraint.point_to(to);
            }
        }
    }

    fn point_family(&mut self, relation: &Relation, from: &QualifiedName, to: &QualifiedName) {
        let parents = relation.inherits.iter().chain(relation.partition_of.as_ref().map(|(parent, _)| parent));
        for parent in parents {
            if let Some(parent) = self.edit(parent) {
                replace(&mut parent.children, from, to);
            }
        }
        for child in &relation.children {
            if let Some(child) = self.edit(child) {
                replace(&mut child.inherits, from, to);
                if let Some((parent, _)) = child.partition_of.as_mut().filter(|(parent, _)| parent == from) {
                    *parent = to.clone();
                }
            }
        }
    }

    fn point_readers(&mut self, relation: &Relation, from: &QualifiedName, to: &QualifiedName) {
        for view in &relation.read_by {
            if let Some(query) = self.edit(view).and_then(|view| view.query.as_mut()) {
                replace(&mut query.reads, from, to);
            }
        }
        for read in relation.query.iter().flat_map(|query| &query.reads) {
            if let Some(read) = self.edit(read) {
                replace(&mut read.read_by, from, to);
            }
        }
    }

    /// What owns it knows its name: the table of an index, with the constraint before it, and the table of a sequence.
    fn point_owner(&mut self, relation: &mut Relation, from: &QualifiedName, to: &QualifiedName) {
        for sequence in &relation.owned_sequences {
            if let Some((table, _)) = self.edit(sequence).and_then(|sequence| sequence.owned_by.as_mut()) {
                *table = to.clone();
            }
        }
        if let Some((owner, column)) = &relation.owned_by {
            self.point_defaults(owner, column, from, to);
            if let Some(table) = self.edit(owner) {
                replace(&mut table.owned_sequences, from, to);
            }
        }
        let Some(index) = &mut relation.index else { return };
        let Some(table) = self.edit(&index.table) else { return };
        replace(&mut table.indexes, from, to);
        if table.clustered_on.as_ref() == Some(&from.name) {
            table.clustered_on = Some(to.name.clone());
        }
        let behind = table.constraints.iter_mut().find(|constraint| constraint.index.as_ref() == Some(from));
        let Some(constraint) = behind else { return };
        // The constraint is renamed with its index.
        constraint.index = Some(to.clone());
        let before = std::mem::replace(&mut constraint.name, to.name.clone());
        let table = table.name.clone();
        index.constraint = Some(to.name.clone());
        self.uncount_constraint_name(&table.schema, &before);
        self.count_constraint_name(&table.schema, &to.name);
    }

    /// The defaults that ask a sequence for numbers name it by its new name.
    fn point_defaults(&mut self, owner: &QualifiedName, column: &Ident, from: &QualifiedName, to: &QualifiedName) {
        for table in self.family(owner, false) {
            let column = self.edit(&table).and_then(|table| table.columns.iter_mut().find(|known| known.name == *column));
            if let Some(default) = column.and_then(|column| column.default.as_mut()).filter(|default| !default.calls.is_empty()) {
                default.text = point_literals(&default.text, from, to);
            }
        }
    }

    /// SET SCHEMA: a table takes its indexes and the sequences of its columns along.
    pub(super) fn move_to_schema(&mut self, name: &QualifiedName, schema: &Ident) {
        let Some(relation) = self.get(name) else { return };
        let with_it: Vec<QualifiedName> = relation.indexes.iter().chain(&relation.owned_sequences).cloned().collect();
        for name in with_it.into_iter().chain([name.clone()]) {
            let to = QualifiedName { schema: schema.clone(), name: name.name.clone() };
            self.move_relation(&name, to);
        }
    }

    /// RENAME COLUMN on one table: keys, indexes, expressions, foreign keys of others, triggers and views follow.
    pub(super) fn rename_column(&mut self, table: &QualifiedName, from: &Ident, to: &Ident) {
        let Some(relation) = self.edit(table) else { return };
        relation.learn_column(from).name = to.clone();
        for column in &mut relation.columns {
            column.follow(from, to);
        }
        for constraint in &mut relation.constraints {
            constraint.follow(from, to);
        }
        for trigger in &mut relation.triggers {
            replace(&mut trigger.of_columns, from, to);
            trigger.when.iter_mut().for_each(|condition| condition.follow(from, to));
        }
        for statistics in &mut relation.statistics {
            replace(&mut statistics.columns, from, to);
            statistics.expressions.iter_mut().for_each(|expression| expression.follow(from, to));
        }
        for policy in &mut relation.policies {
            policy.using.iter_mut().chain(&mut policy.check).for_each(|condition| condition.follow(from, to));
        }
        for part in relation.partition_by.iter_mut().flat_map(|key| &mut key.columns) {
            if part.as_ref() == Some(from) {
                *part = Some(to.clone());
            }
        }
        for published in self.published.iter_mut().filter(|published| published.table == *table) {
            replace(&mut published.columns, from, to);
            published.filter.iter_mut().for_each(|filter| filter.follow(from, to));
        }
        let Some(relation) = self.get(table) else { return };
        let (indexes, readers) = (relation.indexes.clone(), relation.read_by.clone());
        let (sequences, referenced_by) = (relation.owned_sequences.clone(), relation.referenced_by.clone());
        for index in indexes {
            if let Some(index) = self.edit(&index).and_then(|relation| relation.index.as_mut()) {
                index.follow(from, to);
            }
        }
        for view in readers {
            // The old name may mean another table's column too, so it stays.
            if let Some(query) = self.edit(&view).and_then(|view| view.query.as_mut()).filter(|query| query.mentions.contains(from)) {
                query.mentions.push(to.clone());
            }
        }
        for sequence in sequences {
            if let Some((_, column)) =
                self.edit(&sequence).and_then(|sequence| sequence.owned_by.as_mut()).filter(|(_, column)| column == from)
            {
                *column = to.clone();
            }
        }
        for (table, name) in referenced_by {
            if let Some(constraint) = self.edit(&table).and_then(|table| table.constraint_mut(&name))
                && let ConstraintKind::ForeignKey(key) = &mut constraint.kind
            {
                replace(&mut key.referenced_columns, from, to);
            }
        }
    }

    /// RENAME CONSTRAINT, on the children that have it from this table too.
    pub(super) fn rename_constraint_everywhere(&mut self, table: &QualifiedName, from: &Ident, to: &Ident) {
        for child in self.descendants(table) {
            let Some(relation) = self.edit(&child) else { continue };
            let inherited: Vec<Ident> =
                relation.constraints.iter().filter(|known| known.parent.as_ref() == Some(from)).map(|known| known.name.clone()).collect();
            for name in inherited {
                if let Some(constraint) = self.edit(&child).and_then(|child| child.constraint_mut(&name)) {
                    constraint.parent = Some(to.clone());
                    let by_name = matches!(constraint.kind, ConstraintKind::Check { .. } | ConstraintKind::NotNull { .. });
                    if by_name {
                        self.rename_constraint(&child, &name, to);
                    }
                }
            }
        }
        self.rename_constraint(table, from, to);
    }

    /// Renames one constraint of one table, and the index behind it.
    pub(super) fn rename_constraint(&mut self, table: &QualifiedName, from: &Ident, to: &Ident) {
        if from == to {
            return;
        }
        let Some(constraint) = self.edit(table).and_then(|table| table.constraint_mut(from)) else { return };
        if let Some(index) = constraint.index.clone() {
            let to = QualifiedName { schema: index.schema.clone(), name: to.clone() };
            return self.move_relation(&index, to);
        }
        constraint.name = to.clone();
        let referenced = constraint.referenced.clone();
        self.uncount_constraint_name(&table.schema, from);
        self.count_constraint_name(&table.schema, to);
        if let Some(referenced) = referenced.and_then(|name| self.edit(&name)) {
            let of_it = |entry: &&mut (QualifiedName, Ident)| entry.0 == *table && entry.1 == *from;
            referenced.referenced_by.iter_mut().filter(of_it).for_each(|(_, name)| *name = to.clone());
        }
    }

    /// RENAME TO of what is no relation.
    pub(super) fn rename_object(&mut self, object: ObjectKind, name: &Name, table: Option<&Name>, to: &Ident) {
        match (object, table) {
            (ObjectKind::Schema, _) => self.rename_schema(&name.name, to),
            (ObjectKind::Type | ObjectKind::Domain, _) => self.rename_type(name, to),
            (ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Aggregate, _) => self.rename_function(name, to),
            (ObjectKind::Trigger, Some(table)) => self.edit_table(table, |table| {
                table.triggers.iter_mut().filter(|trigger| trigger.name == name.name).for_each(|trigger| trigger.name = to.clone());
            }),
            (ObjectKind::Policy, Some(table)) => self.edit_table(table, |table| {
                table.policies.iter_mut().filter(|policy| policy.name == name.name).for_each(|policy| policy.name = to.clone());
            }),
            (ObjectKind::Rule, Some(table)) => self.edit_table(table, |table| replace(&mut table.rules, &name.name, to)),
            (ObjectKind::Statistics, _) => self.rename_statistics(name, to),
            (ObjectKind::Table | ObjectKind::ForeignTable | ObjectKind::Index, _)
            | (ObjectKind::View | ObjectKind::MaterializedView | ObjectKind::Sequence, _) => {
                if let Some(from) = self.mention(name, object) {
                    let to = QualifiedName { schema: from.schema.clone(), name: to.clone() };
                    self.move_relation(&from, to);
                }
            }
            (ObjectKind::Column | ObjectKind::Constraint | ObjectKind::Trigger | ObjectKind::Policy | ObjectKind::Rule, _)
            | (ObjectKind::Extension | ObjectKind::Database | ObjectKind::Tablespace | ObjectKind::Role, _)
            | (ObjectKind::Publication | ObjectKind::Subscription | ObjectKind::EventTrigger | ObjectKind::Other, _) => {}
        }
    }

    fn rename_schema(&mut self, from: &Ident, to: &Ident) {
        let inside: Vec<QualifiedName> = self.relations.keys().filter(|name| name.schema == *from).cloned().collect();
        self.set_schema(to.clone(), true);
        for name in inside {
            let moved = QualifiedName { schema: to.clone(), name: name.name.clone() };
            self.move_relation(&name, moved);
        }
        self.move_types_and_functions(from, to);
        self.set_schema(from.clone(), false);
    }

    fn rename_statistics(&mut self, name: &Name, to: &Ident) {
        let is_it = |known: &QualifiedName| known.name == name.name && name.schema.as_ref().is_none_or(|schema| known.schema == *schema);
        let table = self.relations().find(|table| table.statistics.iter().any(|known| is_it(&known.name))).map(|table| table.name.clone());
        if let Some(table) = table.and_then(|table| self.edit(&table)) {
            table.statistics.iter_mut().filter(|known| is_it(&known.name)).for_each(|known| known.name.name = to.clone());
        }
    }
}

/// The text of a default with another sequence in `nextval ( 'name' ...`, wherever it is this one.
fn point_literals(text: &str, from: &QualifiedName, to: &QualifiedName) -> String {
    const CALL: &str = "nextval ( '";
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(CALL) {
        result.push_str(before);
        result.push_str(CALL);
        // A quote in the name is written twice.
        let quote = |at: &usize| behind[*at..].starts_with('\'') && !behind[*at..].starts_with("''") && !behind[..*at].ends_with('\'');
        let end = (0..behind.len()).filter(|at| behind.is_char_boundary(*at)).find(quote).unwrap_or(behind.len());
        let literal = &behind[..end];
        let name = Name::from_literal(&literal.replace("''", "'"));
        let is_it = name.name == from.name && name.schema.as_ref().is_none_or(|schema| *schema == from.schema);
        let schema = name.schema.or((to.schema != from.schema).then_some(from.schema.clone())).map(|_| to.schema.clone());
        let pointed = Name { schema, name: to.name.clone() }.sql().replace('\'', "''");
        result.push_str(if is_it { &pointed } else { literal });
        rest = &behind[end..];
    }
    result.push_str(rest);
    result
}

fn replace<T: PartialEq + Clone>(list: &mut [T], from: &T, to: &T) {
    list.iter_mut().filter(|element| *element == from).for_each(|element| *element = to.clone());
}

impl Relation {
    /// References of a relation to itself.
    fn follow_itself(&mut self, from: &QualifiedName, to: &QualifiedName) {
        self.referenced_by.iter_mut().filter(|(table, _)| table == from).for_each(|(table, _)| *table = to.clone());
        self.constraints
            .iter_mut()
            .filter(|constraint| constraint.referenced.as_ref() == Some(from))
            .for_each(|constraint| constraint.point_to(to));
    }
}

impl Constraint {
    fn point_to(&mut self, table: &QualifiedName) {
        self.referenced = Some(table.clone());
        if let ConstraintKind::ForeignKey(key) = &mut self.kind {
            key.referenced = Name { schema: Some(table.schema.clone()), name: table.name.clone() };
        }
    }

    fn follow(&mut self, from: &Ident, to: &Ident) {
        match &mut self.kind {
            ConstraintKind::Check { expression } => expression.follow(from, to),
            ConstraintKind::NotNull { column } if column == from => *column = to.clone(),
            ConstraintKind::NotNull { .. } => {}
            ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => {
                replace(&mut key.columns, from, to);
                replace(&mut key.include, from, to);
            }
            ConstraintKind::Exclude { keys, columns, predicate, .. } => {
                keys.iter_mut().for_each(|key| key.follow(from, to));
                replace(columns, from, to);
                if let Some(predicate) = predicate {
                    predicate.follow(from, to);
                }
            }
            ConstraintKind::ForeignKey(key) => {
                replace(&mut key.columns, from, to);
                replace(&mut key.on_delete_columns, from, to);
            }
        }
    }
}

impl IndexKey {
    fn follow(&mut self, from: &Ident, to: &Ident) {
        match &mut self.what {
            IndexKeyKind::Column(column) if column == from => *column = to.clone(),
            IndexKeyKind::Column(_) => {}
            IndexKeyKind::Expression(expression) => expression.follow(from, to),
        }
    }
}

impl Index {
    fn follow(&mut self, from: &Ident, to: &Ident) {
        self.keys.iter_mut().for_each(|key| key.follow(from, to));
        replace(&mut self.include, from, to);
        if let Some(predicate) = &mut self.predicate {
            predicate.follow(from, to);
        }
    }
}

impl Column {
    fn follow(&mut self, from: &Ident, to: &Ident) {
        if let Some(generated) = &mut self.generated {
            generated.expression.follow(from, to);
        }
    }
}

impl Expression {
    /// A column that it reads has another name from now on.
    fn follow(&mut self, from: &Ident, to: &Ident) {
        if !self.columns.contains(from) {
            return;
        }
        replace(&mut self.columns, from, to);
        for part in &mut self.conjuncts {
            match part {
                Predicate::IsNotNull(column)
                | Predicate::IsNull(column)
                | Predicate::InList { column, .. }
                | Predicate::Compare { column, .. }
                | Predicate::InQuery { column, .. }
                    if column == from =>
                {
                    *column = to.clone();
                }
                Predicate::IsNotNull(_)
                | Predicate::IsNull(_)
                | Predicate::InList { .. }
                | Predicate::Compare { .. }
                | Predicate::InQuery { .. }
                | Predicate::True
                | Predicate::Other => {}
            }
        }
        self.rename_in_text(from, to);
    }
}
