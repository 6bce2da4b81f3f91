//! Facts about the two sides of a foreign key: whether their types go together.

use super::{Fact, Kind, Value, table};
use crate::model::catalog::Relation;
use crate::model::kind::OpKind;
use crate::model::name::Ident;
use crate::model::operation::{AlterAction, Column, ConstraintKind, ForeignKey, Operation};
use crate::model::types::{KeyTypes, TypeName, base_of, key_types};
use crate::rule::moment::Moment;

const OF: &[OpKind] = &[OpKind::AddForeignKey];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "key_types", kind: Kind::Words(&["alike", "narrower", "cast", "incomparable", "untold"]), of: OF, read: |m| Value::Word(worst(m).map_or("untold", |pair| pair.word())),
           doc: "how the columns go with those that they refer to: of one kind; integers that end earlier; compared after a cast; refused by the server" },
    Fact { name: "key_column", kind: Kind::Text, of: OF, read: |m| worst(m).map(|pair| pair.column.sql()).into(),
           doc: "the column that `key_types` is about" },
    Fact { name: "key_column_type", kind: Kind::Text, of: OF, read: |m| worst(m).map(|pair| pair.from.to_string()).into(),
           doc: "its type" },
    Fact { name: "referenced_type", kind: Kind::Text, of: OF, read: |m| worst(m).map(|pair| pair.to.to_string()).into(),
           doc: "the type of the column that it refers to" },
    Fact { name: "key_column_free", kind: Kind::Bool, of: OF, read: |m| is_free(m).into(),
           doc: "the file defines that column, nothing but its definition rests on its type, and the type that it refers to has a name of its own" },
];

/// A column and what it refers to.
struct Pair<'a> {
    column: &'a Ident,
    from: &'a TypeName,
    to: &'a TypeName,
    how: KeyTypes,
}

impl Pair<'_> {
    fn word(&self) -> &'static str {
        match self.how {
            KeyTypes::Alike => "alike",
            KeyTypes::Narrower => "narrower",
            KeyTypes::Cast => "cast",
            KeyTypes::Incomparable => "incomparable",
        }
    }
}

/// The pair of columns that goes together worst; `None` if no pair is known.
fn worst<'a>(m: &Moment<'a>) -> Option<Pair<'a>> {
    let Some(Operation::AddConstraint(constraint)) = m.operation() else { return None };
    let ConstraintKind::ForeignKey(key) = &constraint.kind else { return None };
    let (table, other) = (table::relation(m)?, table::relation_named(m.before, &key.referenced)?);
    let pairs = key.columns.iter().zip(referenced_columns(key, other));
    pairs
        .filter_map(|(column, referenced)| {
            let from = table.column(column)?.data_type.as_ref()?;
            let to = other.column(referenced)?.data_type.as_ref()?;
            Some(Pair { column, from, to, how: key_types(base_of(from, m.before)?, base_of(to, m.before)?)? })
        })
        .max_by_key(|pair| match pair.how {
            KeyTypes::Alike => 0,
            KeyTypes::Cast => 1,
            KeyTypes::Narrower => 2,
            KeyTypes::Incomparable => 3,
        })
}

/// Those that are written, else the primary key.
fn referenced_columns<'a>(key: &'a ForeignKey, other: &'a Relation) -> &'a [Ident] {
    match (&key.referenced_columns[..], other.primary_key().map(|known| &known.kind)) {
        ([], Some(ConstraintKind::PrimaryKey(primary))) => &primary.columns,
        (written, _) => written,
    }
}

/// Where the file defines the column that goes together worst with what it refers to.
pub(crate) fn definition<'a>(m: &Moment<'a>) -> Option<&'a Column> {
    let (Some(Operation::AddConstraint(constraint)), Some(pair), Some(here)) = (m.operation(), worst(m), m.index) else { return None };
    let table = m.before.resolve(&constraint.table);
    let outside = m.file[..=here].iter().filter(|statement| statement.nesting.is_none());
    let mut defined = outside.flat_map(|statement| &statement.operations).filter_map(|operation| match &operation.what {
        Operation::CreateTable(made) if m.before.resolve(&made.name) == table => {
            made.columns.iter().map(|column| &column.what).find(|column| column.name == *pair.column)
        }
        Operation::Alter(target, action) if m.before.resolve(&target.name) == table => match &**action {
            AlterAction::AddColumn { column, .. } if column.name == *pair.column => Some(column),
            _ => None,
        },
        _ => None,
    });
    defined.next_back()
}

/// A default, a sequence or an expression is of the old type; so may be what other foreign keys refer to.
fn is_free(m: &Moment<'_>) -> bool {
    let (Some(column), Some(pair)) = (definition(m), worst(m)) else { return false };
    let is_bare = column.generated.is_none() && column.identity.is_none() && column.data_type.as_ref().is_some_and(|of| !of.serial);
    let default_fits = column.default.is_none() || pair.how == KeyTypes::Narrower;
    let as_it_stands = column.data_type.as_ref() == Some(pair.from);
    is_bare && default_fits && as_it_stands && pair.from.dimensions == 0 && pair.to.dimensions == 0
}
