//! The catalog in plain lines, one for each thing, sorted: the lines that `db::dump` prints of a live database.

use super::{Catalog, Column, Constraint, Index, Relation};
use crate::model::name::{Ident, QualifiedName};
use crate::model::operation::{ConstraintKind, IndexKeyKind, ObjectKind, Persistence};
use crate::model::types::{TypeName, UserType};

impl Catalog {
    /// Every relation, column, constraint, index and type. Temporary relations are left out.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for relation in self.relations().filter(|relation| relation.persistence != Persistence::Temporary) {
            self.relation_lines(relation, &mut lines);
        }
        lines.extend(self.types.iter().map(|(name, user_type)| self.type_line(name, user_type)));
        lines.sort();
        lines
    }

    fn relation_lines(&self, relation: &Relation, lines: &mut Vec<String>) {
        let name = &relation.name;
        match relation.kind {
            ObjectKind::Index => lines.extend(relation.index.as_ref().map(|index| index_line(name, index))),
            kind => lines.push(format!("{} {name}{}", kind.words(), relation.origin())),
        }
        if relation.is_table() {
            lines.extend(relation.columns.iter().map(|column| self.column_line(name, column)));
        }
        // 18 keeps NOT NULL as constraints too; they are said of the column.
        let kept = relation.constraints.iter().filter(|constraint| !matches!(constraint.kind, ConstraintKind::NotNull { .. }));
        lines.extend(kept.map(|constraint| constraint_line(name, constraint)));
    }

    fn column_line(&self, table: &QualifiedName, column: &Column) -> String {
        let data_type = column.data_type.as_ref().map_or("?".to_owned(), |data_type| self.type_words(data_type));
        let not_null = if column.not_null { " not null" } else { "" };
        let value = match column {
            Column { generated: Some(_), .. } => " generated",
            Column { identity: Some(_), .. } => " identity",
            Column { default: Some(_), .. } => " default",
            Column { .. } => "",
        };
        format!("column {table}.{} {data_type}{not_null}{value}", column.name)
    }

    /// As `format_type` prints it when the search path is empty.
    fn type_words(&self, data_type: &TypeName) -> String {
        let name = self.resolve_type(&data_type.name);
        if data_type.name.schema.is_some() || !self.types.contains_key(&name) {
            return data_type.to_string();
        }
        format!("{}.{data_type}", name.schema)
    }

    fn type_line(&self, name: &QualifiedName, user_type: &UserType) -> String {
        match user_type {
            UserType::Enum(labels) if labels.is_empty() => format!("enum {name}"),
            UserType::Enum(labels) => format!("enum {name} {}", labels.join(", ")),
            UserType::Domain { base, .. } => format!("domain {name} {}", self.type_words(base)),
            UserType::Composite(_) => format!("composite {name}"),
            UserType::Other => format!("range {name}"),
        }
    }
}

impl Relation {
    /// Whose part or property it is, and how well it is known.
    fn origin(&self) -> String {
        let parent = self.partition_of.as_ref().map(|(parent, _)| format!(" partition of {parent}"));
        // Most count in bigint, which is not said.
        let numbers = self.numbers.as_deref().filter(|numbers| *numbers != "bigint").map(|numbers| format!(" as {numbers}"));
        let owner = self.owned_by.as_ref().map(|(table, column)| format!(" owned by {table}.{column}"));
        let known = match (self.made_in, self.complete) {
            (None, _) => ", only mentioned",
            (Some(_), false) if self.is_table() => ", partly known",
            (Some(_), _) => "",
        };
        format!("{}{}{}{known}", parent.unwrap_or_default(), numbers.unwrap_or_default(), owner.unwrap_or_default())
    }
}

fn constraint_line(table: &QualifiedName, constraint: &Constraint) -> String {
    let words = match &constraint.kind {
        ConstraintKind::Check { .. } => "check".to_owned(),
        ConstraintKind::NotNull { column } => format!("not null ({column})"),
        ConstraintKind::Unique(key) => format!("unique ({})", list(&key.columns)),
        ConstraintKind::PrimaryKey(key) => format!("primary key ({})", list(&key.columns)),
        ConstraintKind::Exclude { .. } => "exclude".to_owned(),
        ConstraintKind::ForeignKey(key) => {
            format!("foreign key ({}) references {} ({})", list(&key.columns), key.referenced, list(&key.referenced_columns))
        }
    };
    let not_valid = if constraint.validated { "" } else { " not valid" };
    format!("constraint {table}.{} {words}{not_valid}", constraint.name)
}

fn index_line(name: &QualifiedName, index: &Index) -> String {
    let keys: Vec<&str> = index
        .keys
        .iter()
        .map(|key| match &key.what {
            IndexKeyKind::Column(column) => column.as_str(),
            IndexKeyKind::Expression(_) => "*",
        })
        .collect();
    let unique = if index.unique { " unique" } else { "" };
    let partial = if index.predicate.is_some() { " where" } else { "" };
    let invalid = if index.valid { "" } else { " invalid" };
    format!("index {name} on {} {} ({}){unique}{partial}{invalid}", index.table, index.method, keys.join(", "))
}

fn list(columns: &[Ident]) -> String {
    columns.iter().map(Ident::as_str).collect::<Vec<_>>().join(", ")
}
