//! SQL of what the catalog knows: indexes, constraints and columns as statements would define them, with columns by other names.
//!
//! A recipe that builds a copy of a column makes one [`Definitions`], tells it the new name, and asks it for each definition:
//!
//! ```text
//! let definitions = Definitions::new(catalog).written(&table.name, written).renaming(&table.name, from, to);
//! definitions.index(index, &names.copy_of(schema, &index.name.name, from, to), true)?    CREATE INDEX CONCURRENTLY ... ON ...
//! definitions.constraint(table, constraint, &name, Add::NotValid)?                       CONSTRAINT ... FOREIGN KEY ... NOT VALID
//! definitions.column(table, column)?                                                     email_address text COLLATE "C" DEFAULT ...
//! ```
//!
//! What is not known well enough to be written down is a [`Gap`], never a guess. Names are chosen by [`Names`](super::names::Names).

use super::expression;
use crate::model::catalog::{Catalog, Column, Constraint, Index, Relation};
use crate::model::expression::Expression;
use crate::model::name::{Ident, Name, QualifiedName};
use crate::model::operation::{ConstraintKind, ForeignKey, Identity, IndexKey, IndexKeyKind, Key, Options};
use crate::model::types::TypeName;
use std::fmt;

/// Why something cannot be carried over, in words that go on from its name: `it has a subquery, ...`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap(Box<str>);

impl Gap {
    /// For this reason.
    pub fn new(reason: impl Into<Box<str>>) -> Self {
        Self(reason.into())
    }

    /// The reason.
    pub fn reason(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How an index is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Build {
    /// While writes wait.
    Plain,
    /// CONCURRENTLY.
    Concurrently,
    /// ON ONLY a partitioned table: it is valid once each partition has attached one.
    Only,
}

/// How a constraint is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Add<'a> {
    /// As it is: rows that exist are checked.
    Whole,
    /// NOT VALID, where the server takes that: of CHECK, NOT NULL and FOREIGN KEY.
    NotValid,
    /// USING INDEX, of UNIQUE and PRIMARY KEY.
    UsingIndex(&'a Ident),
}

/// Writes definitions.
#[derive(Clone, Debug)]
pub struct Definitions<'a> {
    catalog: &'a Catalog,
    written: Vec<(QualifiedName, Name)>,
    renamed: Vec<(QualifiedName, Ident, Ident)>,
}

/// A relation's name as SQL; the schema `public` is left out.
pub fn qualified(name: &QualifiedName) -> String {
    let schema = (name.schema != "public").then(|| name.schema.clone());
    Name { schema, name: name.name.clone() }.sql()
}

/// Names in parentheses.
pub fn list<'i>(names: impl IntoIterator<Item = &'i Ident>) -> String {
    format!("({})", names.into_iter().map(Ident::sql).collect::<Vec<_>>().join(", "))
}

impl<'a> Definitions<'a> {
    /// Definitions as they are.
    pub fn new(catalog: &'a Catalog) -> Self {
        Self { catalog, written: Vec::new(), renamed: Vec::new() }
    }

    /// Calls a table as a statement has written it.
    #[must_use]
    pub fn written(mut self, table: &QualifiedName, name: &Name) -> Self {
        self.written.push((table.clone(), name.clone()));
        self
    }

    /// Says `to` wherever a definition says the column `from` of this table.
    #[must_use]
    pub fn renaming(mut self, table: &QualifiedName, from: &Ident, to: &Ident) -> Self {
        self.renamed.push((table.clone(), from.clone(), to.clone()));
        self
    }

    /// A relation's name as SQL: as a statement has written it, else [`qualified`].
    pub fn table(&self, table: &QualifiedName) -> String {
        match self.written.iter().find(|(known, _)| known == table) {
            Some((_, name)) => name.sql(),
            None => qualified(table),
        }
    }

    fn rename(&self, table: &QualifiedName, column: &Ident) -> Option<&Ident> {
        self.renamed.iter().find(|(known, from, _)| known == table && from == column).map(|(_, _, to)| to)
    }

    fn renames_any(&self, table: &QualifiedName) -> bool {
        self.renamed.iter().any(|(known, ..)| known == table)
    }

    /// A column's name in the copy.
    pub fn name<'n>(&'n self, table: &QualifiedName, column: &'n Ident) -> &'n Ident {
        self.rename(table, column).unwrap_or(column)
    }

    fn names(&self, table: &QualifiedName, columns: &[Ident]) -> String {
        list(columns.iter().map(|column| self.name(table, column)))
    }

    /// An expression over a table's columns.
    ///
    /// # Errors
    /// It takes the row as a whole, has a subquery, or it cannot be told where it names a column that has another name.
    pub fn expression(&self, table: &Relation, expression: &Expression) -> Result<String, Gap> {
        // Only then does it matter what else the expression says.
        let name = if self.renames_any(&table.name) { table.name.name.clone() } else { Ident::quoted("") };
        expression::sql(expression, &name, |column| self.rename(&table.name, column).cloned(), |name| table.column(name).is_some())
    }

    /// CREATE INDEX, the whole statement, for a copy of this index by another name.
    ///
    /// # Errors
    /// What the index is made of is not known, or the server does not build it CONCURRENTLY.
    pub fn index(&self, relation: &Relation, name: &Ident, concurrently: bool) -> Result<String, Gap> {
        let index = relation.index.as_ref().ok_or_else(|| Gap::new("it is no index"))?;
        let table = self.catalog.get(&index.table).ok_or_else(|| Gap::new("its table is not known"))?;
        self.index_on(relation, table, name, if concurrently { Build::Concurrently } else { Build::Plain })
    }

    /// The same on another table of its family, which has the same columns.
    ///
    /// # Errors
    /// As [`Definitions::index`].
    pub fn index_on(&self, relation: &Relation, table: &Relation, name: &Ident, build: Build) -> Result<String, Gap> {
        let index = relation.index.as_ref().ok_or_else(|| Gap::new("it is no index"))?;
        if index.keys.is_empty() {
            return Err(Gap::new("the history does not tell its columns"));
        }
        if build == Build::Concurrently && table.partition_by.is_some() {
            return Err(Gap::new(
                "PostgreSQL builds no index of a partitioned table CONCURRENTLY; build one on each partition and attach it",
            ));
        }
        if index.constraint.is_some() && !index.unique {
            return Err(Gap::new("it stands behind an exclusion constraint"));
        }
        let unique = if index.unique { "UNIQUE " } else { "" };
        let (how, only) = match build {
            Build::Plain => ("", ""),
            Build::Concurrently => ("CONCURRENTLY ", ""),
            Build::Only => ("", "ONLY "),
        };
        let method = if index.method == "btree" { String::new() } else { format!("USING {} ", index.method.sql()) };
        // What is renamed is said of the table that the index is on.
        let of = self.catalog.get(&index.table).unwrap_or(table);
        let keys = self.keys(of, &index.keys)?.join(", ");
        let tail = self.index_tail(of, relation, index)?;
        Ok(format!("CREATE {unique}INDEX {how}{} ON {only}{} {method}({keys}){tail}", name.sql(), self.table(&table.name)))
    }

    /// What follows the keys.
    fn index_tail(&self, table: &Relation, relation: &Relation, index: &Index) -> Result<String, Gap> {
        let mut tail = self.include(table, &index.include);
        if index.nulls_not_distinct {
            tail.push_str(" NULLS NOT DISTINCT");
        }
        tail.push_str(&with(&index.options));
        if let Some(tablespace) = &relation.tablespace {
            tail.push_str(&format!(" TABLESPACE {}", tablespace.sql()));
        }
        if let Some(predicate) = &index.predicate {
            tail.push_str(&format!(" WHERE {}", self.expression(table, predicate)?));
        }
        Ok(tail)
    }

    fn include(&self, table: &Relation, include: &[Ident]) -> String {
        if include.is_empty() { String::new() } else { format!(" INCLUDE {}", self.names(&table.name, include)) }
    }

    fn keys(&self, table: &Relation, keys: &[IndexKey]) -> Result<Vec<String>, Gap> {
        keys.iter().map(|key| self.key(table, key)).collect()
    }

    fn key(&self, table: &Relation, key: &IndexKey) -> Result<String, Gap> {
        let mut text = match &key.what {
            IndexKeyKind::Column(column) => self.name(&table.name, column).sql(),
            IndexKeyKind::Expression(expression) if expression::is_call(expression) => self.expression(table, expression)?,
            IndexKeyKind::Expression(expression) => format!("({})", self.expression(table, expression)?),
        };
        if let Some(collation) = &key.collation {
            text.push_str(&format!(" COLLATE {}", collation.sql()));
        }
        if let Some(class) = &key.operator_class {
            text.push_str(&format!(" {}{}", class.sql(), options(&key.operator_class_options)));
        }
        text.push_str(match (key.descending, key.nulls_first) {
            (false, false) => "",
            (false, true) => " NULLS FIRST",
            (true, true) => " DESC",
            (true, false) => " DESC NULLS LAST",
        });
        Ok(text)
    }

    /// What stands behind ALTER TABLE ... ADD for a copy of this constraint by another name.
    ///
    /// # Errors
    /// What it demands is not known, or it is none that the server adds in that way.
    pub fn constraint(&self, table: &Relation, constraint: &Constraint, name: &Ident, add: Add<'_>) -> Result<String, Gap> {
        let mut text = format!("CONSTRAINT {} {}", name.sql(), self.demand(table, constraint, add)?);
        if constraint.no_inherit {
            text.push_str(" NO INHERIT");
        }
        match (constraint.deferrable, constraint.deferred) {
            (_, true) => text.push_str(" DEFERRABLE INITIALLY DEFERRED"),
            (true, false) => text.push_str(" DEFERRABLE"),
            (false, false) => {}
        }
        if !constraint.enforced {
            text.push_str(" NOT ENFORCED");
        } else if add == Add::NotValid {
            text.push_str(" NOT VALID");
        }
        Ok(text)
    }

    fn demand(&self, table: &Relation, constraint: &Constraint, add: Add<'_>) -> Result<String, Gap> {
        let is_key = matches!(constraint.kind, ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_));
        match add {
            Add::UsingIndex(_) if !is_key => return Err(Gap::new("PostgreSQL takes an index only for UNIQUE and PRIMARY KEY")),
            Add::NotValid if is_key || matches!(constraint.kind, ConstraintKind::Exclude { .. }) => {
                return Err(Gap::new("PostgreSQL has no NOT VALID for it"));
            }
            Add::Whole | Add::NotValid | Add::UsingIndex(_) => {}
        }
        match &constraint.kind {
            ConstraintKind::Check { expression } => Ok(format!("CHECK ({})", self.expression(table, expression)?)),
            ConstraintKind::NotNull { column } => Ok(format!("NOT NULL {}", self.name(&table.name, column).sql())),
            ConstraintKind::Unique(key) => self.unique(table, "UNIQUE", key, add),
            ConstraintKind::PrimaryKey(key) => self.unique(table, "PRIMARY KEY", key, add),
            ConstraintKind::Exclude { method, keys, operators, include, parameters, predicate, .. } => {
                let elements: Vec<String> =
                    self.keys(table, keys)?.iter().zip(operators).map(|(key, operator)| format!("{key} WITH {operator}")).collect();
                let method = method.as_ref().map_or(String::new(), |method| format!(" USING {}", method.sql()));
                let mut text = format!("EXCLUDE{method} ({}){}", elements.join(", "), self.include(table, include));
                text.push_str(&with(&parameters.options));
                text.push_str(&index_tablespace(parameters.tablespace.as_ref()));
                if let Some(predicate) = predicate {
                    text.push_str(&format!(" WHERE ({})", self.expression(table, predicate)?));
                }
                Ok(text)
            }
            ConstraintKind::ForeignKey(key) => self.foreign_key(table, constraint, key),
        }
    }

    fn unique(&self, table: &Relation, words: &str, key: &Key, add: Add<'_>) -> Result<String, Gap> {
        if let Add::UsingIndex(index) = add {
            if key.without_overlaps {
                return Err(Gap::new("PostgreSQL takes no index for a key WITHOUT OVERLAPS"));
            }
            return Ok(format!("{words} USING INDEX {}", index.sql()));
        }
        if key.columns.is_empty() {
            return Err(Gap::new("the history does not tell its columns"));
        }
        let nulls = if key.nulls_not_distinct { " NULLS NOT DISTINCT" } else { "" };
        let mut columns = self.names(&table.name, &key.columns);
        if key.without_overlaps {
            columns.insert_str(columns.len() - 1, " WITHOUT OVERLAPS");
        }
        let parameters = format!("{}{}", with(&key.parameters.options), index_tablespace(key.parameters.tablespace.as_ref()));
        Ok(format!("{words}{nulls} {columns}{}{parameters}", self.include(table, &key.include)))
    }

    fn foreign_key(&self, table: &Relation, constraint: &Constraint, key: &ForeignKey) -> Result<String, Gap> {
        let referenced = constraint.referenced.clone().unwrap_or_else(|| self.catalog.resolve(&key.referenced));
        if key.referenced_columns.is_empty() && self.renames_any(&referenced) {
            return Err(Gap::new(format!("the history does not tell which columns of {} it refers to", qualified(&referenced))));
        }
        let columns = |of: &QualifiedName, columns: &[Ident]| match columns.split_last() {
            Some((last, rest)) if key.period => {
                let rest: String = rest.iter().map(|column| format!("{}, ", self.name(of, column).sql())).collect();
                format!("({rest}PERIOD {})", self.name(of, last).sql())
            }
            Some(_) | None => self.names(of, columns),
        };
        let mut text = format!("FOREIGN KEY {} REFERENCES {}", columns(&table.name, &key.columns), self.table(&referenced));
        if !key.referenced_columns.is_empty() {
            text.push_str(&format!(" {}", columns(&referenced, &key.referenced_columns)));
        }
        if key.match_full {
            text.push_str(" MATCH FULL");
        }
        if let Some(action) = key.on_update.as_deref().filter(|action| *action != "no action") {
            text.push_str(&format!(" ON UPDATE {}", action.to_uppercase()));
        }
        if let Some(action) = key.on_delete.as_deref().filter(|action| *action != "no action") {
            text.push_str(&format!(" ON DELETE {}", action.to_uppercase()));
            if !key.on_delete_columns.is_empty() {
                text.push_str(&format!(" {}", self.names(&table.name, &key.on_delete_columns)));
            }
        }
        Ok(text)
    }

    /// What stands behind ALTER TABLE ... ADD COLUMN for a copy of this column: all of its definition but constraints.
    ///
    /// # Errors
    /// Its type is not known, or something that its values are computed from.
    pub fn column(&self, table: &Relation, column: &Column) -> Result<String, Gap> {
        let mut text = format!("{} {}", self.name(&table.name, &column.name).sql(), self.data_type(column)?);
        if let Some(default) = self.default(table, column)? {
            // There AND, IS and their kin would be read as what follows the default.
            let bare = column.default.as_ref().is_some_and(|default| default.constant.is_some() || expression::is_one_value(default));
            text.push_str(&if bare { format!(" DEFAULT {default}") } else { format!(" DEFAULT ({default})") });
        }
        if let Some(generated) = &column.generated {
            let stored = if generated.stored { "STORED" } else { "VIRTUAL" };
            text.push_str(&format!(" GENERATED ALWAYS AS ({}) {stored}", self.expression(table, &generated.expression)?));
        }
        if let Some(identity) = column.identity {
            text.push_str(&format!(" {}", generated_as_identity(identity)));
        }
        if column.not_null && column.identity.is_none() {
            text.push_str(" NOT NULL");
        }
        Ok(text)
    }

    /// A column's type, with COLLATE if it has one of its own.
    ///
    /// # Errors
    /// The history does not tell it.
    pub fn data_type(&self, column: &Column) -> Result<String, Gap> {
        let data_type = column.data_type.as_ref().ok_or_else(|| Gap::new("the history does not tell its type"))?;
        let collation = column.collation.as_ref().map_or(String::new(), |collation| format!(" COLLATE {}", collation.sql()));
        Ok(format!("{}{collation}", self.type_name(data_type)?))
    }

    /// A type by the name that leads to it now.
    ///
    /// # Errors
    /// It is said by way of another column (`%TYPE`).
    pub fn type_name(&self, data_type: &TypeName) -> Result<String, Gap> {
        if data_type.name.name.as_str().contains('%') {
            return Err(Gap::new(format!("its type is said as {}", data_type.name.name)));
        }
        let name = self.catalog.resolve_type(&data_type.name);
        if data_type.name.schema.is_none() && !self.catalog.is_name_taken(&name) {
            return Ok(data_type.to_string());
        }
        let written = match &data_type.name.schema {
            Some(_) => data_type.name.clone(),
            None => Name { schema: (name.schema != "public").then_some(name.schema), name: name.name },
        };
        let modifiers = if data_type.modifiers.is_empty() { String::new() } else { format!("({})", data_type.modifiers.join(",")) };
        let array = if data_type.dimensions > 0 { "[]" } else { "" };
        Ok(format!("{}{modifiers}{array}", callable(&written)))
    }

    /// A column's default; `None` if it has none. Identity and generated columns have none.
    ///
    /// # Errors
    /// It cannot be written down.
    pub fn default(&self, table: &Relation, column: &Column) -> Result<Option<String>, Gap> {
        column.default.as_ref().map(|default| self.expression(table, default)).transpose()
    }
}

/// `GENERATED ... AS IDENTITY`, without the options of its sequence.
pub fn generated_as_identity(identity: Identity) -> &'static str {
    match identity {
        Identity::Always => "GENERATED ALWAYS AS IDENTITY",
        Identity::ByDefault => "GENERATED BY DEFAULT AS IDENTITY",
    }
}

/// The name of a function or type as SQL.
pub fn callable(name: &Name) -> String {
    let part = |part: &Ident| {
        let sql = part.sql();
        if KEYWORDS_OF_COLUMNS.binary_search(&&*sql).is_ok() { format!("\"{sql}\"") } else { sql }
    };
    match &name.schema {
        Some(schema) => format!("{}.{}", schema.sql(), part(&name.name)),
        None => part(&name.name),
    }
}

/// Keywords that may name a column or table without quotes, and no function or type (versions 12 to 19). Sorted.
const KEYWORDS_OF_COLUMNS: &[&str] = &[
    "between",
    "bigint",
    "bit",
    "boolean",
    "char",
    "character",
    "coalesce",
    "dec",
    "decimal",
    "exists",
    "extract",
    "float",
    "graph_table",
    "greatest",
    "grouping",
    "inout",
    "int",
    "integer",
    "interval",
    "json",
    "json_array",
    "json_arrayagg",
    "json_exists",
    "json_object",
    "json_objectagg",
    "json_query",
    "json_scalar",
    "json_serialize",
    "json_table",
    "json_value",
    "least",
    "merge_action",
    "national",
    "nchar",
    "none",
    "normalize",
    "nullif",
    "numeric",
    "out",
    "overlay",
    "position",
    "precision",
    "real",
    "row",
    "setof",
    "smallint",
    "substring",
    "time",
    "timestamp",
    "treat",
    "trim",
    "values",
    "varchar",
    "xmlattributes",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlnamespaces",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "xmltable",
];

/// ` WITH (fillfactor = 70)`, or nothing.
fn with(parameters: &Options) -> String {
    if parameters.is_empty() { String::new() } else { format!(" WITH {}", options(parameters)) }
}

/// `(fillfactor = 70)`, or nothing.
fn options(parameters: &Options) -> String {
    let option = |(name, value): &(Box<str>, Option<Box<str>>)| match value {
        Some(value) => format!("{name} = {value}"),
        None => name.to_string(),
    };
    if parameters.is_empty() { String::new() } else { format!("({})", parameters.iter().map(option).collect::<Vec<_>>().join(", ")) }
}

fn index_tablespace(tablespace: Option<&Ident>) -> String {
    tablespace.map_or(String::new(), |tablespace| format!(" USING INDEX TABLESPACE {}", tablespace.sql()))
}

#[cfg(test)]
mod tests;
