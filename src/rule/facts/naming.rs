//! Facts about the names of new things, and about names that leave out their schema.

use super::{Fact, Kind, Value, table};
use crate::model::catalog::Lookup;
use crate::model::kind::OpKind;
use crate::model::name::{Ident, Name};
use crate::model::operation::{AlterAction, ConstraintKind, ObjectKind, Operation, Persistence};
use crate::model::session::SearchPath;
use crate::rule::moment::Moment;
use crate::rule::naming::{NameKind, NewName};

#[rustfmt::skip]
const GIVES_NAMES: &[OpKind] = &[
    OpKind::CreateTable, OpKind::CreateTableAs, OpKind::AddColumn, OpKind::AddCheck, OpKind::AddUnique, OpKind::AddPrimaryKey,
    OpKind::AddForeignKey, OpKind::CreateIndex, OpKind::CreateView, OpKind::CreateMaterializedView, OpKind::CreateSequence,
    OpKind::CreateType, OpKind::CreateDomain, OpKind::CreateFunction, OpKind::CreateTrigger, OpKind::CreateSchema, OpKind::RenameTable,
    OpKind::RenameColumn, OpKind::RenameConstraint, OpKind::RenameIndex, OpKind::RenameView, OpKind::RenameSequence,
];

#[rustfmt::skip]
const SPEAKS_OF_RELATION: &[OpKind] = &[
    OpKind::CreateTable, OpKind::CreateTableAs, OpKind::CreateView, OpKind::CreateMaterializedView, OpKind::CreateSequence,
    OpKind::CreateIndex, OpKind::AddColumn, OpKind::DropColumn, OpKind::SetDefault, OpKind::SetNotNull, OpKind::ChangeColumnType,
    OpKind::RenameColumn, OpKind::RenameTable, OpKind::DropTable, OpKind::DropIndex, OpKind::DropView, OpKind::Truncate, OpKind::Insert,
    OpKind::Update, OpKind::Delete, OpKind::CreateTrigger,
];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "as_agreed", kind: Kind::Bool, of: GIVES_NAMES, read: |m| faults(m).next().is_none().into(),
           doc: "the names that it gives are as `naming:` in lockkeeper.yaml says: without a word, snake_case" },
    Fact { name: "naming_fault", kind: Kind::Text, of: GIVES_NAMES, read: naming_fault,
           doc: "which name is not, and how many more are not" },
    Fact { name: "misnamed", kind: Kind::Text, of: GIVES_NAMES, read: |m| list(&misnamed(m).into_iter().map(|new| new.name).collect::<Vec<_>>()).into(),
           doc: "the names that are not as agreed" },
    Fact { name: "agreed_names", kind: Kind::Text, of: GIVES_NAMES, read: |m| agreed(m).map(|names| list(&names.iter().collect::<Vec<_>>())).into(),
           doc: "the names that they would have by the agreement, in the same order" },
    Fact { name: "free_to_rename", kind: Kind::Bool, of: GIVES_NAMES, read: |m| agreed(m).is_some().into(),
           doc: "a name follows from the agreement for each of them, nothing has it, nothing else in the file says the old one, and no file comes later" },
    Fact { name: "unplaced", kind: Kind::Text, of: SPEAKS_OF_RELATION, read: |m| written(m).map(|name| name.name.sql()).into(),
           doc: "the relation, without its schema" },
    Fact { name: "placed", kind: Kind::Bool, of: SPEAKS_OF_RELATION, read: |m| is_placed(m).into(),
           doc: "which schema is meant does not hang on the connection: it is written, the file sets search_path, or the relation is temporary" },
];

/// The names that an operation gives to what nobody knows yet.
fn new_names<'a>(m: &Moment<'a>) -> Vec<NewName<'a>> {
    let own = |kind, name: &'a Ident| vec![NewName { kind, name, table: None }];
    let in_table = |kind, name: &'a Ident, table: &'a Name| vec![NewName { kind, name, table: Some(&table.name) }];
    match m.operation() {
        Some(Operation::CreateTable(table)) => {
            let column = |name: &'a Ident| NewName { kind: NameKind::Column, name, table: Some(&table.name.name) };
            let columns = table.columns.iter().map(|defined| column(&defined.what.name));
            own(NameKind::Table, &table.name.name).into_iter().chain(columns).collect()
        }
        Some(Operation::CreateTableAs(table)) => own(NameKind::Table, &table.name.name),
        Some(Operation::AddConstraint(constraint)) => {
            let kind = match constraint.kind {
                ConstraintKind::Unique(_) => NameKind::Unique,
                ConstraintKind::PrimaryKey(_) => NameKind::PrimaryKey,
                ConstraintKind::ForeignKey(_) => NameKind::ForeignKey,
                ConstraintKind::Check { .. } => NameKind::Check,
                ConstraintKind::NotNull { .. } | ConstraintKind::Exclude { .. } => return Vec::new(),
            };
            constraint.name.as_ref().map_or(Vec::new(), |name| in_table(kind, name, &constraint.table))
        }
        Some(Operation::CreateIndex(index)) => {
            let kind = if index.unique { NameKind::Unique } else { NameKind::Index };
            index.name.as_ref().map_or(Vec::new(), |name| in_table(kind, name, &index.table))
        }
        Some(Operation::CreateView(view) | Operation::CreateMaterializedView(view)) => own(NameKind::View, &view.name.name),
        Some(Operation::CreateSequence { name, .. }) => own(NameKind::Sequence, &name.name),
        Some(Operation::CreateType { name, .. } | Operation::CreateDomain { name, .. }) => own(NameKind::Type, &name.name),
        Some(Operation::CreateFunction(function)) => own(NameKind::Function, &function.name.name),
        Some(Operation::CreateTrigger(trigger)) => in_table(NameKind::Trigger, &trigger.name, &trigger.table),
        Some(Operation::CreateSchema { name, .. }) => own(NameKind::Schema, name),
        Some(Operation::Alter(target, action)) => match &**action {
            AlterAction::AddColumn { column, .. } => in_table(NameKind::Column, &column.name, &target.name),
            AlterAction::RenameColumn { to, .. } => in_table(NameKind::Column, to, &target.name),
            AlterAction::RenameConstraint { from, to } => match constraint_kind(m, &target.name, from) {
                Some(kind) => in_table(kind, to, &target.name),
                None => Vec::new(),
            },
            AlterAction::RenameTo { to } => match target.written {
                ObjectKind::View | ObjectKind::MaterializedView => own(NameKind::View, to),
                ObjectKind::Sequence => own(NameKind::Sequence, to),
                // To which table it belongs, and whether it is unique, is not said here.
                ObjectKind::Index => Vec::new(),
                _ => own(NameKind::Table, to),
            },
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn constraint_kind(m: &Moment<'_>, table: &Name, name: &Ident) -> Option<NameKind> {
    let Lookup::Known(relation) = m.before.relation(table) else { return None };
    match relation.constraint(name)?.kind {
        ConstraintKind::Unique(_) => Some(NameKind::Unique),
        ConstraintKind::PrimaryKey(_) => Some(NameKind::PrimaryKey),
        ConstraintKind::ForeignKey(_) => Some(NameKind::ForeignKey),
        ConstraintKind::Check { .. } => Some(NameKind::Check),
        ConstraintKind::NotNull { .. } | ConstraintKind::Exclude { .. } => None,
    }
}

fn faults<'a>(m: &Moment<'a>) -> impl Iterator<Item = String> + use<'a> {
    let naming = &m.migration.naming;
    new_names(m).into_iter().filter_map(|new| naming.fault(new))
}

fn naming_fault<'a>(m: &Moment<'a>) -> Value<'a> {
    let mut faults = faults(m);
    let Some(first) = faults.next() else { return Value::Unknown };
    match faults.count() {
        0 => first.into(),
        more => format!("{first} (and {more} more)").into(),
    }
}

fn misnamed<'a>(m: &Moment<'a>) -> Vec<NewName<'a>> {
    let naming = &m.migration.naming;
    new_names(m).into_iter().filter(|new| naming.fault(*new).is_some()).collect()
}

fn list(names: &[&Ident]) -> String {
    names.iter().map(|name| name.sql()).collect::<Vec<_>>().join(super::BETWEEN_NAMES)
}

/// The names that are agreed on instead. What is named in a later file, or once more in this one, in a body perhaps, keeps its name.
fn agreed(m: &Moment<'_>) -> Option<Vec<Ident>> {
    if m.story.file() != m.ahead.file() {
        return None;
    }
    let text = m.source.shown().to_lowercase();
    let new_names = misnamed(m);
    let agreed: Vec<Ident> = new_names.iter().map(|new| m.migration.naming.agreed(*new)).collect::<Option<_>>()?;
    let once = |name: &Ident| text.matches(&name.as_str().to_lowercase()).count() == 1;
    let is_relation = |name: &Ident| matches!(m.end.relation(&Name::bare(name.clone())), Lookup::Known(_));
    let is_column = |name: &Ident| table::relation(m).is_some_and(|table| table.column(name).is_some());
    let free = |name: &Ident| !text.contains(name.as_str()) && !is_relation(name) && !is_column(name);
    let apart = agreed.iter().enumerate().all(|(at, name)| !agreed[..at].contains(name));
    (apart && new_names.iter().all(|new| once(new.name)) && agreed.iter().all(free)).then_some(agreed)
}

/// The relation that the statement names.
fn written<'a>(m: &Moment<'a>) -> Option<&'a Name> {
    match m.operation()? {
        Operation::CreateTable(table) => Some(&table.name),
        Operation::CreateTableAs(table) => Some(&table.name),
        Operation::CreateView(view) | Operation::CreateMaterializedView(view) => Some(&view.name),
        Operation::CreateSequence { name, .. } => Some(name),
        operation => table::written(operation),
    }
}

fn is_placed(m: &Moment<'_>) -> bool {
    let made_temporary = match m.operation() {
        Some(Operation::CreateTable(table)) => table.persistence == Persistence::Temporary,
        Some(Operation::CreateTableAs(table)) => table.persistence == Persistence::Temporary,
        Some(Operation::CreateView(view)) => view.temporary,
        Some(Operation::CreateSequence { persistence, .. }) => *persistence == Persistence::Temporary,
        _ => false,
    };
    let is_told = |name: &Name| name.schema.is_some() || table::state(m, name) == "temporary";
    made_temporary || m.session.search_path() != SearchPath::Default || written(m).is_none_or(is_told)
}
