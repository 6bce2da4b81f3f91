//! What hangs on a column: what goes with it, follows its new name, or keeps its type from changing.

use super::{Catalog, Column, Constraint, Relation, Trigger};
use crate::model::name::{Ident, QualifiedName};
use crate::model::operation::ConstraintKind;

/// Everything known that mentions a column.
#[derive(Debug, Default)]
pub struct Dependents<'a> {
    /// Indexes, those behind constraints included: the relation has its [`Index`](super::Index).
    pub indexes: Vec<&'a Relation>,
    /// Constraints of the table, its foreign keys included.
    pub constraints: Vec<&'a Constraint>,
    /// Foreign keys of other tables, and of this one, that point to it.
    pub incoming: Vec<(&'a Relation, &'a Constraint)>,
    /// Triggers with it in UPDATE OF.
    pub triggers: Vec<&'a Trigger>,
    /// Views and materialized views that read the table and have the column's name in their query.
    pub views: Vec<&'a Relation>,
    /// Generated columns of the table that are computed from it.
    pub generated: Vec<&'a Column>,
    /// Extended statistics.
    pub statistics: Vec<&'a QualifiedName>,
    /// Policies may mention it: there are some, and what they say is not known.
    pub policies: bool,
    /// It is part of the partition key, or an expression there may be.
    pub partition_key: bool,
    /// The sequence that it owns.
    pub sequence: Option<&'a Relation>,
}

impl Catalog {
    /// What is known to mention a column. Empty for a table that is not known; there may be more if it is not `complete`.
    pub fn dependents(&self, table: &QualifiedName, column: &Ident) -> Dependents<'_> {
        let Some(relation) = self.get(table) else { return Dependents::default() };
        // A foreign key that names no columns leads to the primary key, in which nothing may be null.
        let in_no_key = relation.column(column).is_some_and(|known| known.data_type.is_some() && !known.not_null);
        let points = |constraint: &Constraint| constraint.points_to(column) && !(in_no_key && constraint.names_no_target());
        let views = relation.read_by.iter().filter_map(|view| self.get(view));
        Dependents {
            indexes: self.indexes_of(relation).filter(|(_, index)| index.mentions(column)).map(|(relation, _)| relation).collect(),
            constraints: relation.constraints.iter().filter(|constraint| constraint.mentions(column)).collect(),
            incoming: self.foreign_keys_to(&relation.name).filter(|(_, constraint)| points(constraint)).collect(),
            triggers: relation.triggers.iter().filter(|trigger| trigger.of_columns.contains(column)).collect(),
            views: views.filter(|view| view.query.as_ref().is_some_and(|query| query.mentions.contains(column))).collect(),
            generated: relation.columns.iter().filter(|other| other.is_computed_from(column)).collect(),
            statistics: relation
                .statistics
                .iter()
                .filter(|statistics| statistics.reads(column))
                .map(|statistics| &statistics.name)
                .collect(),
            policies: !relation.policies.is_empty(),
            partition_key: relation
                .partition_by
                .as_ref()
                .is_some_and(|key| key.columns.iter().any(|part| part.as_ref().is_none_or(|part| part == column))),
            sequence: self.owned_sequence(relation, column),
        }
    }
}

impl Constraint {
    /// Whether a foreign key points to this column; also if it is not known which columns it points to.
    pub fn points_to(&self, column: &Ident) -> bool {
        match &self.kind {
            ConstraintKind::ForeignKey(key) => key.referenced_columns.is_empty() || key.referenced_columns.contains(column),
            ConstraintKind::Check { .. }
            | ConstraintKind::NotNull { .. }
            | ConstraintKind::Unique(_)
            | ConstraintKind::PrimaryKey(_)
            | ConstraintKind::Exclude { .. } => false,
        }
    }
}

impl Constraint {
    fn names_no_target(&self) -> bool {
        matches!(&self.kind, ConstraintKind::ForeignKey(key) if key.referenced_columns.is_empty())
    }
}

impl Column {
    fn is_computed_from(&self, column: &Ident) -> bool {
        self.generated.as_ref().is_some_and(|generated| generated.expression.columns.contains(column))
    }
}
