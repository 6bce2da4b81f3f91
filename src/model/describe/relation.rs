//! What makes a relation or a type, in one line.

use super::{Line, Shown, Typed, persistence};
use crate::model::name::Name;
use crate::model::operation::{
    Bound, Column, CreateIndex, CreateTable, CreateTableAs, CreateView, Identity, IndexKey, IndexKeyKind, PartitionKey, TypeDefinition,
};
use std::fmt::{self, Display};

pub(super) fn table(table: &CreateTable, line: &mut Line) {
    let columns: Vec<_> = table.columns.iter().map(|column| Defined(&column.what)).collect();
    line.word(&table.name).group(&columns).flag(table.if_not_exists, "if_not_exists");
    line.maybe(persistence(table.persistence)).flag(table.foreign, "foreign");
    for (name, included) in &table.like {
        line.word(format_args!("like={name}({})", included.join(",")));
    }
    line.list("inherits", &table.inherits);
    if let Some((parent, bound)) = &table.partition_of {
        line.word(format_args!("partition_of={parent}[{}]", Bounded(bound)));
    }
    if let Some(PartitionKey { strategy, columns }) = &table.partition_by {
        let columns: Vec<&str> = columns.iter().map(|column| column.as_ref().map_or("?", |column| column.as_str())).collect();
        line.word(format_args!("partition_by={strategy}({})", columns.join(",")));
    }
    line.labelled("of", table.of_type.as_ref());
}

pub(super) fn table_as(table: &CreateTableAs, line: &mut Line) {
    line.word(&table.name).flag(table.if_not_exists, "if_not_exists").maybe(persistence(table.persistence));
    line.flag(!table.with_data, "no_data").list("reads", &table.reads);
}

/// A column as its definition says it, without its own constraints.
pub(super) struct Defined<'a>(pub &'a Column);

impl Display for Defined<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let column = self.0;
        write!(f, "{} {}", column.name, Typed(column.data_type.as_ref()))?;
        if let Some(collation) = &column.collation {
            write!(f, " collate {collation}")?;
        }
        f.write_str(if column.not_null { " not null" } else { "" })?;
        if let Some(default) = &column.default {
            write!(f, " default {}", Shown(default))?;
        }
        f.write_str(match column.identity {
            Some(Identity::Always) => " identity always",
            Some(Identity::ByDefault) => " identity by default",
            None => "",
        })?;
        match &column.generated {
            Some(generated) => write!(f, " {} {}", if generated.stored { "stored" } else { "virtual" }, Shown(&generated.expression)),
            None => Ok(()),
        }
    }
}

/// Where the rows of a partition lie.
pub(super) struct Bounded<'a>(pub &'a Bound);

impl Display for Bounded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Bound::Default => f.write_str("default"),
            Bound::In(values) => write!(f, "in {}", values.join(",")),
            Bound::Range { from, to } => write!(f, "{} to {}", from.join(","), to.join(",")),
            Bound::Hash { .. } => f.write_str("hash"),
            Bound::Unknown => f.write_str("?"),
        }
    }
}

pub(super) fn index(index: &CreateIndex, line: &mut Line) {
    let keys: Vec<_> = index.keys.iter().map(Keyed).collect();
    line.maybe(index.name.as_ref()).labelled("on", Some(&index.table)).group(&keys);
    line.flag(index.unique, "unique").flag(index.concurrently, "concurrently");
    line.flag(index.if_not_exists, "if_not_exists").flag(index.only, "only");
    line.labelled("using", Some(&index.method).filter(|method| **method != "btree")).list("include", &index.include);
    line.flag(index.nulls_not_distinct, "nulls_not_distinct").labelled("tablespace", index.tablespace.as_ref());
    line.expression("where", index.predicate.as_ref());
}

struct Keyed<'a>(&'a IndexKey);

impl Display for Keyed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.what {
            IndexKeyKind::Column(column) => write!(f, "{column}")?,
            IndexKeyKind::Expression(expression) => write!(f, "{}", Shown(expression))?,
        }
        if let Some(collation) = &self.0.collation {
            write!(f, " collate {collation}")?;
        }
        if let Some(class) = &self.0.operator_class {
            write!(f, " {class}")?;
        }
        f.write_str(if self.0.descending { " desc" } else { "" })?;
        // Said only where it is not what the direction means by itself.
        f.write_str(match (self.0.descending, self.0.nulls_first) {
            (false, true) => " nulls_first",
            (true, false) => " nulls_last",
            (false, false) | (true, true) => "",
        })
    }
}

pub(super) fn view(view: &CreateView, line: &mut Line) {
    line.word(&view.name).flag(view.or_replace, "or_replace").flag(view.if_not_exists, "if_not_exists");
    line.flag(view.temporary, "temporary")
        .flag(!view.with_data, "no_data")
        .flag(view.security_invoker, "security_invoker")
        .flag(view.star, "star");
    line.list("columns", view.columns.as_deref().unwrap_or_default()).list("reads", &view.reads).list("calls", &view.calls);
}

pub(super) fn data_type(name: &Name, definition: &TypeDefinition, line: &mut Line) {
    line.word(name);
    match definition {
        TypeDefinition::Enum(labels) => line.word("enum").group(labels),
        TypeDefinition::Composite(attributes) => {
            let attributes: Vec<_> = attributes.iter().map(|(name, data_type)| format!("{name} {data_type}")).collect();
            line.word("composite").group(&attributes)
        }
        TypeDefinition::Range => line.word("range"),
        TypeDefinition::Other => line,
    };
}
