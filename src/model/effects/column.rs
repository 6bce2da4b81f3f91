//! ADD COLUMN, DROP COLUMN, ALTER COLUMN ... TYPE.

use super::default::{self, Fill};
use super::scene::{Scene, Subject};
use super::{BreakKind, Effects, Loss};
use crate::model::catalog::{Constraint, Index, Relation};
use crate::model::expression::{Constant, Expression};
use crate::model::lock::LockMode::{AccessExclusive, RowExclusive, ShareRowExclusive};
use crate::model::name::Ident;
use crate::model::operation::{Column, ConstraintKind, IndexKeyKind};
use crate::model::types::{Change, Collation, Conversion, TypeName, computes, conversion};

/// ADD COLUMN, without its constraints.
pub(super) fn add(scene: &Scene<'_>, table: &Subject<'_>, only: bool, column: &Column, if_not_exists: bool, out: &mut Effects) {
    out.lock(&table.name, AccessExclusive);
    if if_not_exists && table.column(&column.name).is_some() {
        return;
    }
    let fill = default::fill(scene, column);
    if let Fill::Unknown(fact) = fill {
        out.assume(fact);
    }
    let virtual_and_required = column.not_null && column.generated.as_ref().is_some_and(|generated| !generated.stored);
    for member in scene.family(table, only) {
        out.lock(&member.name, AccessExclusive);
        if fill != Fill::Catalog {
            out.rewrite(&member);
        } else if virtual_and_required && member.has_rows() {
            out.scan(&member.name);
        }
    }
    if fill != Fill::Catalog
        && let Some(default) = &column.default
    {
        out.lock_all(&default::sequences(scene, default), RowExclusive);
    }
    if is_demanded_of_writers(column) {
        out.breaks(BreakKind::Required, &table.name, Some(&column.name));
    }
}

/// INSERTs that do not know the column fail.
fn is_demanded_of_writers(column: &Column) -> bool {
    let by_default = column.default.as_ref().is_some_and(|default| default.constant != Some(Constant::Null));
    let serial = column.data_type.as_ref().is_some_and(|data_type| data_type.serial);
    column.not_null && !by_default && !serial && column.identity.is_none() && column.generated.is_none()
}

/// SET EXPRESSION (17): a stored column is written anew; a virtual one (19) has its checks looked at.
pub(super) fn set_expression(scene: &Scene<'_>, table: &Subject<'_>, only: bool, column: &Ident, out: &mut Effects) {
    for member in scene.family(table, only) {
        out.lock(&member.name, AccessExclusive);
        let stored = member.column(column).and_then(|known| known.generated.as_ref()).is_none_or(|generated| generated.stored);
        if stored {
            out.rewrite(&member);
        } else if member.constraints().iter().any(|constraint| is_looked_at(constraint, column)) {
            out.scan(&member.name);
        }
    }
}

/// DROP COLUMN.
pub(super) fn drop(scene: &Scene<'_>, table: &Subject<'_>, only: bool, column: &Ident, if_exists: bool, cascade: bool, out: &mut Effects) {
    out.lock(&table.name, AccessExclusive);
    if table.column(column).is_none() && if_exists && table.is_complete() {
        return;
    }
    if !table.is_complete() {
        // A foreign key may go with it, and then the other table is locked as well.
        out.assume("constraints");
    }
    out.loses(Loss::Column(table.name.clone(), column.clone()));
    out.breaks(BreakKind::Removed, &table.name, Some(column));
    for member in scene.family(table, only) {
        out.lock(&member.name, AccessExclusive);
        let Some(relation) = member.relation else { continue };
        let dependents = scene.catalog.dependents(&relation.name, column);
        for index in &dependents.indexes {
            super::index::lock_tree(scene, &index.name, AccessExclusive, out);
        }
        for constraint in &dependents.constraints {
            if let Some(referenced) = &constraint.referenced {
                scene.release_referenced(referenced, out);
            }
        }
        if let Some(sequence) = dependents.sequence {
            out.lock(&sequence.name, AccessExclusive);
        }
        if cascade {
            for (from, _) in &dependents.incoming {
                scene.lock_with_partitions(&from.name, AccessExclusive, out);
            }
            out.lock_all(scene.views_over(relation, Some(column)).iter().map(|view| &view.name), AccessExclusive);
        }
    }
}

/// What ALTER COLUMN ... TYPE says.
pub(super) struct NewType<'a> {
    pub(super) column: &'a Ident,
    pub(super) data_type: &'a TypeName,
    pub(super) collation: Option<&'a Collation>,
    pub(super) using: Option<&'a Expression>,
}

/// ALTER COLUMN ... TYPE.
pub(super) fn change_type(scene: &Scene<'_>, table: &Subject<'_>, only: bool, new: &NewType<'_>, out: &mut Effects) {
    for member in scene.family(table, only) {
        out.lock(&member.name, AccessExclusive);
        let known = member.column(new.column);
        let cost = match known.and_then(|column| Some((column, column.data_type.as_ref()?))) {
            Some((column, from)) => Cost::of(scene, new, from, column.collation.as_ref()),
            // Whatever the old type is.
            None if new.using.is_some_and(|using| computes(new.column, using)) => {
                Cost { all: Conversion::Rewrites, by_type: Conversion::Rewrites }
            }
            None => {
                out.assume("column_type");
                Cost { all: Conversion::Unknown, by_type: Conversion::Unknown }
            }
        };
        if cost.all == Conversion::Unknown && known.is_some() {
            let zone = scene.session.time_zone().is_none() && new.data_type.name.name.as_str().starts_with("timestamp");
            out.assume(if zone { "time_zone" } else { "column_type" });
        }
        // A longer limit is nothing that code could stumble over.
        if cost.all != Conversion::Free {
            out.breaks(BreakKind::Retyped, &member.name, Some(new.column));
        }
        match member.relation {
            Some(relation) => of_member(scene, &member, relation, new, cost, out),
            None => out.rewrite(&member),
        }
        if known.is_some_and(|column| column.identity.is_some())
            && let Some(sequence) = member.relation.and_then(|relation| scene.catalog.owned_sequence(relation, new.column))
        {
            out.lock(&sequence.name, ShareRowExclusive);
        }
    }
}

/// What a change costs, and what it would cost if the collation stayed.
#[derive(Clone, Copy)]
struct Cost {
    all: Conversion,
    by_type: Conversion,
}

impl Cost {
    fn of(scene: &Scene<'_>, new: &NewType<'_>, from: &TypeName, from_collation: Option<&Collation>) -> Self {
        let change = Change {
            column: new.column,
            from,
            from_collation,
            to: new.data_type,
            to_collation: new.collation,
            using: new.using,
            time_zone: scene.session.time_zone(),
        };
        let all = conversion(&change, scene.catalog);
        Self { all, by_type: conversion(&Change { to_collation: from_collation, ..change }, scene.catalog) }
    }
}

fn of_member(scene: &Scene<'_>, member: &Subject<'_>, relation: &Relation, new: &NewType<'_>, cost: Cost, out: &mut Effects) {
    let dependents = scene.catalog.dependents(&relation.name, new.column);
    let rewrites = matches!(cost.all, Conversion::Rewrites | Conversion::Unknown);
    if rewrites {
        out.rewrite(member);
    }
    // The server drops and makes again whatever rests on the column; where nothing about it changed, it keeps the old files.
    for index in &dependents.indexes {
        out.lock(&index.name, AccessExclusive);
        let known = index.index.as_ref();
        if known.and_then(|index| index.constraint.as_ref()).is_some_and(|name| scene.drops_constraint(name)) {
            continue;
        }
        if !rewrites && member.has_rows() && known.is_none_or(|index| is_rebuilt(index, new.column, cost.all)) {
            out.rebuild(&index.name);
            out.scan(&relation.name);
        }
    }
    let stays = |constraint: &&&Constraint| !scene.drops_constraint(&constraint.name);
    if member.has_rows() && dependents.constraints.iter().filter(stays).any(|constraint| is_looked_at(constraint, new.column)) {
        out.scan(&relation.name);
    }
    // Keys are compared by the same operators whatever the collation.
    let compared_anew = cost.by_type != Conversion::Free;
    let outgoing = dependents.constraints.iter().filter_map(|constraint| constraint.referenced.as_ref());
    for other in outgoing.chain(dependents.incoming.iter().map(|(from, _)| &from.name)) {
        for member in scene.partitions(&scene.named(other), false) {
            out.lock(&member.name, AccessExclusive);
            if compared_anew && member.has_rows() {
                out.scan(&member.name);
            }
        }
    }
}

/// An index with a predicate or an expression, whatever it is about, is made anew; a plain one if the order of its keys may change.
fn is_rebuilt(index: &Index, column: &Ident, cost: Conversion) -> bool {
    let is_key = || index.keys.iter().any(|key| matches!(&key.what, IndexKeyKind::Column(known) if known == column));
    index.expressions().next().is_some() || (cost == Conversion::RebuildsIndexes && is_key())
}

/// A CHECK that holds for the rows that are there is checked again.
fn is_looked_at(constraint: &Constraint, column: &Ident) -> bool {
    match &constraint.kind {
        ConstraintKind::Check { expression } => {
            constraint.validated && constraint.enforced && (expression.columns.contains(column) || !expression.understood)
        }
        ConstraintKind::NotNull { .. }
        | ConstraintKind::Unique(_)
        | ConstraintKind::PrimaryKey(_)
        | ConstraintKind::Exclude { .. }
        | ConstraintKind::ForeignKey(_) => false,
    }
}
