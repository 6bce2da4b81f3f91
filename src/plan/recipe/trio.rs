//! ADD COLUMN, UPDATE, DROP COLUMN: three statements, or a few more, that are one change together.

use crate::model::name::{Ident, Name};
use crate::model::operation::{AlterAction, Column, Operation, Update};
use crate::sql::Statement;

/// Columns come, an UPDATE fills them, columns go.
pub(super) struct Trio<'s> {
    /// The table that gets columns.
    pub added_to: &'s Name,
    /// The columns that come, all of them empty and free to stay so.
    pub added: Vec<&'s Column>,
    /// The UPDATE, which sets those columns and no others.
    pub fill: &'s Statement,
    /// What it does.
    pub update: &'s Update,
    /// The table that loses columns.
    pub dropped_from: &'s Name,
    /// The columns that go.
    pub dropped: Vec<&'s Ident>,
    /// The statements that add columns, and those that drop some.
    pub adds: &'s [Statement],
    pub drops: &'s [Statement],
}

impl<'s> Trio<'s> {
    /// The first statements, if they are such a change.
    pub fn read(statements: &'s [Statement]) -> Option<Self> {
        let while_all = |statements: &[Statement], of_kind: fn(&AlterAction) -> bool| {
            statements
                .iter()
                .take_while(|statement| actions(statement).is_some_and(|mut all| all.all(|(_, action)| of_kind(action))))
                .count()
        };
        let (adds, rest) = statements.split_at(while_all(statements, is_add));
        let (fill, behind) = rest.split_first()?;
        let [operation] = &fill.operations[..] else { return None };
        let Operation::Update(update) = &operation.what else { return None };
        let drops = &behind[..while_all(behind, is_drop)];
        let added_to = one_table(adds)?;
        let dropped_from = one_table(drops)?;
        let added: Vec<&Column> = parts(adds)
            .filter_map(|(_, action)| if let AlterAction::AddColumn { column, .. } = action { Some(column) } else { None })
            .collect();
        let dropped = parts(drops)
            .filter_map(|(_, action)| if let AlterAction::DropColumn { column, .. } = action { Some(column) } else { None })
            .collect();
        let sets_all = update.columns.len() == added.len() && added.iter().all(|column| update.columns.contains(&column.name));
        let bare =
            |column: &&Column| !column.not_null && column.default.is_none() && column.generated.is_none() && column.identity.is_none();
        let is_one = *added_to == update.table && sets_all && !update.only && !update.current_of && added.iter().all(bare);
        is_one.then_some(Self { added_to, added, fill, update, dropped_from, dropped, adds, drops })
    }

    /// How many statements they are.
    pub fn count(&self) -> usize {
        self.adds.len() + 1 + self.drops.len()
    }
}

/// The table of these statements, if there are any and it is one.
fn one_table(statements: &[Statement]) -> Option<&Name> {
    let (table, _) = parts(statements).next()?;
    parts(statements).all(|(name, _)| name == table).then_some(table)
}

fn parts(statements: &[Statement]) -> impl Iterator<Item = (&Name, &AlterAction)> {
    statements.iter().filter_map(actions).flatten()
}

/// The parts of an ALTER TABLE, and nothing else.
fn actions(statement: &Statement) -> Option<impl Iterator<Item = (&Name, &AlterAction)>> {
    let all = statement.operations.iter().map(|operation| match &operation.what {
        Operation::Alter(target, action) if !target.only => Some((&target.name, &**action)),
        _ => None,
    });
    let all: Option<Vec<_>> = all.collect();
    all.filter(|all| !all.is_empty()).map(Vec::into_iter)
}

fn is_add(action: &AlterAction) -> bool {
    matches!(action, AlterAction::AddColumn { if_not_exists: false, .. })
}

fn is_drop(action: &AlterAction) -> bool {
    matches!(action, AlterAction::DropColumn { cascade: false, .. })
}
