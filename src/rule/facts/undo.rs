//! What undoes a migration: the statements that take back what it makes, the last one first.

use super::{Fact, Kind, table};
use crate::model::catalog::{Column, Lookup};
use crate::model::kind::OpKind;
use crate::model::name::{Ident, Name, QualifiedName};
use crate::model::operation::{
    AddConstraint, AlterAction, CreateFunction, CreateIndex, ObjectKind, Operation, Persistence, RowSecurity, Target, Written,
};
use crate::rule::moment::Moment;
use crate::sql::Statement;

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "undo_told", kind: Kind::Bool, of: &[OpKind::Migration], read: |m| undo(m).is_some().into(),
           doc: "each of its statements can be taken back by one that the history tells" },
    Fact { name: "undo", kind: Kind::Text, of: &[OpKind::Migration], read: |m| undo(m).map(|statements| statements.join(";\n")).into(),
           doc: "statements that take back all that the file does, if each of its statements can be taken back and the history tells how" },
];

/// What undoes an operation; `None`: nothing does, or nobody can tell.
type Back = Option<Option<String>>;

/// It leaves nothing behind that would have to be taken back.
const NOTHING: Back = Some(None);

/// Looks for it.
struct Undo<'m, 'a> {
    m: &'m Moment<'a>,
    /// What the file has made so far: with it all that it puts there goes, too.
    made: Vec<QualifiedName>,
    /// Columns and constraints that it has added to older tables.
    added: Vec<(QualifiedName, Ident)>,
    /// An index of older tables is dropped as it was built.
    concurrently: bool,
}

fn undo(m: &Moment<'_>) -> Option<Vec<String>> {
    undo_of(m, m.file)
}

/// What undoes some statements of a file.
pub fn undo_of<'s>(m: &Moment<'_>, statements: impl IntoIterator<Item = &'s Statement>) -> Option<Vec<String>> {
    let mut undo = Undo { m, made: Vec::new(), added: Vec::new(), concurrently: false };
    let mut back = Vec::new();
    for statement in statements {
        for operation in &statement.operations {
            match undo.of(&operation.what)? {
                // What stands in a body may not run.
                Some(_) if statement.nesting.is_some() => return None,
                sql => back.extend(sql),
            }
        }
    }
    back.reverse();
    // What cannot stand in a transaction stands alone.
    let fits = !undo.concurrently || back.len() == 1;
    (!back.is_empty() && fits).then_some(back)
}

fn drop_of(kind: &str, name: &Name) -> Back {
    Some(Some(format!("DROP {kind} {}", name.sql())))
}

impl Undo<'_, '_> {
    fn of(&mut self, operation: &Operation) -> Back {
        if self.is_within(operation) {
            return NOTHING;
        }
        match operation {
            Operation::CreateTable(table) => match table.persistence {
                Persistence::Temporary => NOTHING,
                Persistence::Permanent | Persistence::Unlogged => {
                    let kind = if table.foreign { "FOREIGN TABLE" } else { "TABLE" };
                    self.makes(&table.name, table.if_not_exists, kind)
                }
            },
            Operation::CreateTableAs(table) if table.persistence != Persistence::Temporary => {
                self.makes(&table.name, table.if_not_exists, "TABLE")
            }
            Operation::CreateView(view) if !view.temporary => self.makes(&view.name, view.or_replace, "VIEW"),
            Operation::CreateMaterializedView(view) => self.makes(&view.name, view.if_not_exists, "MATERIALIZED VIEW"),
            Operation::CreateSequence { name, if_not_exists, persistence, .. } if *persistence != Persistence::Temporary => {
                self.makes(name, *if_not_exists, "SEQUENCE")
            }
            Operation::CreateIndex(index) => {
                self.concurrently |= index.concurrently;
                of_index(index)
            }
            Operation::AddConstraint(constraint) => {
                self.added.extend(constraint.name.clone().map(|name| (self.m.before.resolve(&constraint.table), name)));
                of_constraint(constraint)
            }
            Operation::Alter(target, action) => self.of_action(target, action),
            Operation::CreateType { name, .. } => drop_of("TYPE", name),
            Operation::CreateDomain { name, .. } => drop_of("DOMAIN", name),
            Operation::CreateSchema { name, if_not_exists: false } => drop_of("SCHEMA", &Name::bare(name.clone())),
            Operation::CreateFunction(function) => of_function(function),
            Operation::CreateTrigger(trigger) if !trigger.or_replace => of_part("TRIGGER", &trigger.name, &trigger.table),
            Operation::Policy(policy) if policy.create => of_part("POLICY", &policy.name, &policy.table),
            // What it runs stands behind it.
            Operation::DoBlock { body: Some(_), language: None } => NOTHING,
            Operation::Select { calls, .. } if calls.is_empty() => NOTHING,
            // A comment on what stays harms nobody.
            Operation::Comment { label: false, .. } | Operation::Begin | Operation::Commit { chain: false } => NOTHING,
            Operation::Analyze { .. } | Operation::Reset { .. } => NOTHING,
            // The names in what undoes it would lead elsewhere without it.
            Operation::Set { name, .. } if &**name != "search_path" => NOTHING,
            Operation::Privilege(privilege) if !privilege.objects.is_empty() => {
                privilege.objects.iter().all(|name| self.made.contains(&self.m.before.resolve(name))).then_some(None)
            }
            _ => None,
        }
    }

    /// Whether it is about what the file has made itself; renaming that gives it another name to be dropped by.
    fn is_within(&self, operation: &Operation) -> bool {
        let renames = matches!(operation, Operation::Alter(_, action) if matches!(**action, AlterAction::RenameTo { .. } | AlterAction::SetSchema { .. }));
        let drops = matches!(operation, Operation::Drop(_));
        let about = table::written(operation).map(|name| self.m.before.resolve(name));
        !renames && !drops && about.is_some_and(|about| self.made.contains(&about))
    }

    /// A relation. What it might have passed over, or written over, is not its own.
    fn makes(&mut self, name: &Name, perhaps_not: bool, kind: &str) -> Back {
        let place = self.m.before.creation_name(name, Persistence::Permanent);
        if perhaps_not && self.m.before.lookup(&place) != Lookup::Absent {
            return None;
        }
        self.made.push(place);
        drop_of(kind, name)
    }

    fn of_action(&mut self, target: &Target, action: &AlterAction) -> Back {
        let alter = |rest: String| Some(Some(format!("{} {} {rest}", alter_of(target.written)?, target.name.sql())));
        let table = self.m.before.resolve(&target.name);
        let goes_anyway = |name: &Ident| self.added.iter().any(|(of, added)| *of == table && added == name);
        match action {
            AlterAction::AddColumn { column, if_not_exists: false } => {
                self.added.push((table, column.name.clone()));
                alter(format!("DROP COLUMN {}", column.name.sql()))
            }
            AlterAction::ValidateConstraint { name } => goes_anyway(name).then_some(None),
            AlterAction::SetNotNull { column } | AlterAction::SetDefault { column, .. } if goes_anyway(column) => NOTHING,
            AlterAction::RenameColumn { from, to } => alter(format!("RENAME COLUMN {} TO {}", to.sql(), from.sql())),
            AlterAction::RenameConstraint { from, to } => alter(format!("RENAME CONSTRAINT {} TO {}", to.sql(), from.sql())),
            AlterAction::RenameTo { to } => {
                let new = Name { schema: target.name.schema.clone(), name: to.clone() };
                Some(Some(format!("{} {} RENAME TO {}", alter_of(target.written)?, new.sql(), target.name.name.sql())))
            }
            AlterAction::SetNotNull { column } => {
                let known = self.column(target, column)?;
                if known.not_null { NOTHING } else { alter(format!("ALTER COLUMN {} DROP NOT NULL", column.sql())) }
            }
            AlterAction::SetDefault { column, .. } => {
                let known = self.column(target, column)?;
                known.default.is_none().then(|| alter(format!("ALTER COLUMN {} DROP DEFAULT", column.sql())))?
            }
            AlterAction::RowSecurity(RowSecurity::Enable) => match self.m.before.relation(&target.name) {
                Lookup::Known(known) if !known.row_security => alter("DISABLE ROW LEVEL SECURITY".to_owned()),
                _ => None,
            },
            _ => None,
        }
    }

    /// A column as it is before the file, if the history has seen it made.
    fn column(&self, target: &Target, column: &Ident) -> Option<&Column> {
        let Lookup::Known(relation) = self.m.before.relation(&target.name) else { return None };
        relation.column(column).filter(|known| known.data_type.is_some())
    }
}

fn alter_of(kind: ObjectKind) -> Option<&'static str> {
    match kind {
        ObjectKind::Table => Some("ALTER TABLE"),
        ObjectKind::View => Some("ALTER VIEW"),
        ObjectKind::Index => Some("ALTER INDEX"),
        ObjectKind::Sequence => Some("ALTER SEQUENCE"),
        _ => None,
    }
}

/// An index lies in the schema of its table.
fn of_index(index: &CreateIndex) -> Back {
    let name = index.name.clone().filter(|_| !index.if_not_exists)?;
    let kind = if index.concurrently { "INDEX CONCURRENTLY" } else { "INDEX" };
    drop_of(kind, &Name { schema: index.table.schema.clone(), name })
}

fn of_constraint(constraint: &AddConstraint) -> Back {
    match constraint.written {
        // It goes with its column or its table.
        Written::AddColumn | Written::CreateTable => NOTHING,
        Written::AddConstraint => {
            let name = constraint.name.as_ref()?.sql();
            Some(Some(format!("ALTER TABLE {} DROP CONSTRAINT {name}", constraint.table.sql())))
        }
    }
}

fn of_function(function: &CreateFunction) -> Back {
    if function.or_replace {
        return None;
    }
    let types: Option<Vec<String>> = function.arguments.iter().map(|of| Some(of.as_ref()?.to_string())).collect();
    let kind = if function.procedure { "PROCEDURE" } else { "FUNCTION" };
    Some(Some(format!("DROP {kind} {}({})", function.name.sql(), types?.join(", "))))
}

fn of_part(kind: &str, name: &Ident, table: &Name) -> Back {
    Some(Some(format!("DROP {kind} {} ON {}", name.sql(), table.sql())))
}
