//! Facts about the constraint that an operation adds, validates or drops.

use super::{Fact, Kind, Value, column, table};
use crate::model::catalog::{Constraint, Lookup};
use crate::model::kind::OpKind;
use crate::model::name::Ident;
use crate::model::operation::{AddConstraint, AlterAction, ConstraintKind, ForeignKey, Key, Operation, Written};
use crate::rule::moment::Moment;

/// Operations that add a constraint, wherever it is written.
#[rustfmt::skip]
pub(super) const ADDS: &[OpKind] = &[
    OpKind::AddCheck, OpKind::AddNotNullConstraint, OpKind::AddUnique, OpKind::AddPrimaryKey, OpKind::AddExclusion, OpKind::AddForeignKey,
];

/// Operations that name a constraint.
#[rustfmt::skip]
const NAMES: &[OpKind] = &[
    OpKind::AddCheck, OpKind::AddNotNullConstraint, OpKind::AddUnique, OpKind::AddPrimaryKey, OpKind::AddExclusion, OpKind::AddForeignKey,
    OpKind::ValidateConstraint, OpKind::DropConstraint, OpKind::AlterConstraint,
];

const KEYS: &[OpKind] = &[OpKind::AddUnique, OpKind::AddPrimaryKey];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "constraint", kind: Kind::Text, of: NAMES, read: |m| name(m).map(|name| name.sql()).into(),
           doc: "its name, as written or as the server chooses it" },
    Fact { name: "written", kind: Kind::Words(&["create_table", "add_column", "add_constraint"]), of: ADDS, read: written,
           doc: "where it is written: in CREATE TABLE, in ADD COLUMN, or as ADD CONSTRAINT" },
    Fact { name: "not_valid", kind: Kind::Bool, of: ADDS, read: |m| added(m).map(|c| c.not_valid).into(),
           doc: "NOT VALID: old rows are not checked" },
    Fact { name: "enforced", kind: Kind::Bool, of: ADDS, read: |m| added(m).map(|c| c.enforced).into(),
           doc: "false for NOT ENFORCED (18)" },
    Fact { name: "using_index", kind: Kind::Bool, of: KEYS, read: |m| key(m).map(|key| key.using_index.is_some()).into(),
           doc: "USING INDEX: the index is there already" },
    Fact { name: "columns", kind: Kind::Text, of: &[OpKind::AddUnique, OpKind::AddPrimaryKey, OpKind::AddForeignKey], read: columns,
           doc: "its columns, separated by commas" },
    Fact { name: "referenced", kind: Kind::Words(&["existing", "new", "temporary", "absent"]), of: &[OpKind::AddForeignKey], read: referenced,
           doc: "the table that a foreign key leads to, in the words of `table`" },
    Fact { name: "references_itself", kind: Kind::Bool, of: &[OpKind::AddForeignKey], read: references_itself,
           doc: "a foreign key leads to its own table" },
    Fact { name: "index_on_columns", kind: Kind::Words(&["present", "missing", "untold"]), of: &[OpKind::AddForeignKey], read: index_on_columns,
           doc: "whether an index begins with the foreign key's columns at the end of the history; `untold` if not all indexes are known" },
    Fact { name: "validated_later", kind: Kind::Bool, of: ADDS, read: validated_later,
           doc: "the history validates it, drops it, or drops its table" },
    Fact { name: "has_later", kind: Kind::Bool, of: ADDS, read: |m| (m.migration.later > 0).into(),
           doc: "a later migration is known that is not of the same release" },
];

pub(super) fn added<'a>(m: &Moment<'a>) -> Option<&'a AddConstraint> {
    match m.operation()? {
        Operation::AddConstraint(constraint) => Some(constraint),
        _ => None,
    }
}

pub(super) fn key<'a>(m: &Moment<'a>) -> Option<&'a Key> {
    match &added(m)?.kind {
        ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => Some(key),
        ConstraintKind::Check { .. } | ConstraintKind::NotNull { .. } | ConstraintKind::Exclude { .. } | ConstraintKind::ForeignKey(_) => {
            None
        }
    }
}

pub(super) fn foreign_key<'a>(m: &Moment<'a>) -> Option<&'a ForeignKey> {
    match &added(m)?.kind {
        ConstraintKind::ForeignKey(key) => Some(key),
        _ => None,
    }
}

/// As written, else as the catalog names it.
pub(super) fn name(m: &Moment<'_>) -> Option<Ident> {
    match (added(m), column::alter(m)) {
        (Some(constraint), _) => {
            let table = m.before.resolve(&constraint.table);
            Some(m.before.constraint_name(&table, constraint.name.as_ref(), &constraint.kind))
        }
        (
            None,
            Some(
                AlterAction::ValidateConstraint { name }
                | AlterAction::DropConstraint { name, .. }
                | AlterAction::AlterConstraint { name, .. },
            ),
        ) => Some(name.clone()),
        (None, _) => None,
    }
}

fn written<'a>(m: &Moment<'a>) -> Value<'a> {
    match added(m).map(|constraint| constraint.written) {
        None => Value::Unknown,
        Some(Written::CreateTable) => Value::Word("create_table"),
        Some(Written::AddColumn) => Value::Word("add_column"),
        Some(Written::AddConstraint) => Value::Word("add_constraint"),
    }
}

fn columns<'a>(m: &Moment<'a>) -> Value<'a> {
    let columns = key(m).map(|key| &key.columns).or_else(|| foreign_key(m).map(|key| &key.columns));
    match columns {
        Some(columns) if !columns.is_empty() => columns.iter().map(Ident::sql).collect::<Vec<_>>().join(", ").into(),
        Some(_) | None => Value::Unknown,
    }
}

fn referenced<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(key) = foreign_key(m) else { return Value::Unknown };
    Value::Named(table::state(m, &key.referenced), key.referenced.sql().into())
}

fn references_itself<'a>(m: &Moment<'a>) -> Value<'a> {
    let (Some(constraint), Some(key)) = (added(m), foreign_key(m)) else { return Value::Unknown };
    (m.before.resolve(&constraint.table) == m.before.resolve(&key.referenced)).into()
}

/// Looked up in the schema after the last migration, since the index may come later.
fn index_on_columns<'a>(m: &Moment<'a>) -> Value<'a> {
    let (Some(constraint), Some(key)) = (added(m), foreign_key(m)) else { return Value::Unknown };
    let table = m.before.resolve(&constraint.table);
    let key_name = name(m);
    let is_key = |known: &Constraint| Some(&known.name) == key_name.as_ref();
    Value::Word(match m.end.get(&table) {
        // Dropped or renamed later: nobody is left to wait.
        None => "present",
        Some(table) if table.complete && !table.constraints.iter().any(is_key) => "present",
        Some(_) => match m.end.covering_index(&table, &key.columns) {
            Lookup::Known(_) => "present",
            Lookup::Absent => "missing",
            Lookup::Unknown => "untold",
        },
    })
}

/// A constraint that is no longer there was dropped or renamed, which is an end as good as VALIDATE.
fn validated_later<'a>(m: &Moment<'a>) -> Value<'a> {
    let (Some(constraint), Some(name)) = (added(m), name(m)) else { return Value::Unknown };
    let at_the_end: Option<&Constraint> = m.end.get(&m.before.resolve(&constraint.table)).and_then(|table| table.constraint(&name));
    at_the_end.is_none_or(|constraint| constraint.validated || !constraint.enforced).into()
}
