//! Constraints: what adding, validating, changing and dropping them locks, reads and builds.

use super::scene::{Scene, Subject};
use super::{BreakKind, Effects};
use crate::model::catalog::{Constraint, Index, Lookup};
use crate::model::expression::Predicate;
use crate::model::lock::LockMode;
use crate::model::name::{Ident, QualifiedName};
use crate::model::operation::{AddConstraint, Column, ConstraintKind, ForeignKey, IndexKey, IndexKeyKind, Key, Operation, Written};
use LockMode::{AccessExclusive, RowShare, Share, ShareRowExclusive, ShareUpdateExclusive};

/// Any constraint, wherever it was written.
pub(super) fn add(scene: &Scene<'_>, at: usize, add: &AddConstraint, out: &mut Effects) {
    match add.written {
        Written::CreateTable => with_new_table(scene, at, add, out),
        Written::AddColumn => match scene.column_of_inline(at) {
            Some((column, if_not_exists)) => {
                let Some(table) = scene.subject(&add.table, false) else { return };
                // From 13 on a column that is passed over takes its constraints with it.
                let passed_over = if_not_exists && table.column(&column.name).is_some() && scene.server.0 >= 13;
                if !passed_over {
                    to_table(scene, at, &table, add, out);
                }
            }
            None => scene.subject(&add.table, false).iter().for_each(|table| to_table(scene, at, table, add, out)),
        },
        Written::AddConstraint => scene.subject(&add.table, false).iter().for_each(|table| to_table(scene, at, table, add, out)),
    }
}

/// In CREATE TABLE: nothing is in the table yet; only what it refers to feels it.
fn with_new_table(scene: &Scene<'_>, at: usize, add: &AddConstraint, out: &mut Effects) {
    let Some(create) = scene.tables_made(at).next() else { return };
    if create.if_not_exists && matches!(scene.catalog.relation(&create.name), Lookup::Known(_)) {
        return;
    }
    let table = scene.catalog.creation_name(&create.name, create.persistence);
    match &add.kind {
        ConstraintKind::ForeignKey(key) => {
            let referenced = scene.catalog.resolve(&key.referenced);
            if scene.subject(&key.referenced, false).is_some() && referenced != table {
                scene.lock_with_partitions(&referenced, ShareRowExclusive, out);
            }
        }
        ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_) | ConstraintKind::Exclude { .. } if create.partition_by.is_none() => {
            out.builds.push(index_behind(scene, &table, add));
        }
        ConstraintKind::Unique(_)
        | ConstraintKind::PrimaryKey(_)
        | ConstraintKind::Exclude { .. }
        | ConstraintKind::Check { .. }
        | ConstraintKind::NotNull { .. } => {}
    }
}

fn index_behind(scene: &Scene<'_>, table: &QualifiedName, add: &AddConstraint) -> QualifiedName {
    QualifiedName { schema: table.schema.clone(), name: scene.catalog.constraint_name(table, add.name.as_ref(), &add.kind) }
}

fn to_table(scene: &Scene<'_>, at: usize, table: &Subject<'_>, add: &AddConstraint, out: &mut Effects) {
    let checked = !add.not_valid && add.enforced;
    match &add.kind {
        ConstraintKind::Check { .. } => {
            for member in scene.family(table, add.only || add.no_inherit) {
                out.lock(&member.name, AccessExclusive);
                if checked && member.has_rows() {
                    out.scan(&member.name);
                }
            }
            lock_descendants(scene, table, add, AccessExclusive, out);
        }
        ConstraintKind::NotNull { column } => {
            if checked {
                note_requirement(table, column, out);
            }
            for member in scene.family(table, add.only || add.no_inherit) {
                out.lock(&member.name, AccessExclusive);
                if checked {
                    look_for_nulls(scene, table, &member, column, out);
                }
            }
        }
        ConstraintKind::Unique(key) => unique(scene, table, add, key, false, out),
        ConstraintKind::PrimaryKey(key) => unique(scene, table, add, key, true, out),
        ConstraintKind::Exclude { .. } => build(scene, table, add, out),
        ConstraintKind::ForeignKey(key) => foreign_key(scene, at, table, add, key, out),
    }
}

fn unique(scene: &Scene<'_>, table: &Subject<'_>, add: &AddConstraint, key: &Key, primary: bool, out: &mut Effects) {
    let Some(index) = &key.using_index else { return build(scene, table, add, out) };
    let index = scene.named(&QualifiedName { schema: table.name.schema.clone(), name: index.clone() });
    out.lock(&table.name, AccessExclusive);
    // The index takes the constraint's name; where it has it already, it is only looked at.
    if add.name.as_ref().is_some_and(|name| *name != index.name.name) {
        out.lock(&index.name, ShareUpdateExclusive);
    }
    if primary {
        match index.relation.and_then(|relation| relation.index.as_ref()) {
            Some(known) => {
                for key in &known.keys {
                    if let IndexKeyKind::Column(column) = &key.what {
                        look_for_nulls(scene, table, table, column, out);
                    }
                }
            }
            None => {
                out.scan(&table.name);
                out.assume("index");
            }
        }
    }
}

/// A new index behind a constraint, on the table or on each of its partitions.
fn build(scene: &Scene<'_>, table: &Subject<'_>, add: &AddConstraint, out: &mut Effects) {
    let definition = definition(&table.name, &add.kind);
    for member in scene.partitions(table, add.only) {
        let own = member.name == table.name;
        // Up to 17 a partition is locked as by CREATE INDEX.
        out.lock(&member.name, if own || scene.server.0 >= 18 { AccessExclusive } else { Share });
        if !member.has_rows() {
            continue;
        }
        let equal = definition.as_ref().filter(|_| !own).map(|index| scene.catalog.index_for_partition(index, &member.name));
        match equal {
            Some(given) if !given.is_new => out.lock(&given.name, Share),
            _ => {
                let name = scene.catalog.constraint_name(&member.name, add.name.as_ref().filter(|_| own), &add.kind);
                out.builds.push(QualifiedName { schema: member.name.schema.clone(), name });
                out.scan(&member.name);
            }
        }
    }
    lock_descendants(scene, table, add, AccessExclusive, out);
}

/// The index behind UNIQUE or PRIMARY KEY, to be compared with those that partitions have.
fn definition(table: &QualifiedName, kind: &ConstraintKind) -> Option<Index> {
    let (ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key)) = kind else { return None };
    Some(Index {
        table: table.clone(),
        unique: true,
        method: Ident::folded("btree"),
        keys: key.columns.iter().cloned().map(IndexKey::of_column).collect(),
        include: key.include.clone(),
        predicate: None,
        nulls_not_distinct: key.nulls_not_distinct,
        options: Vec::new(),
        valid: true,
        // Only an index behind a constraint will do.
        constraint: Some(Ident::folded("")),
        names: Vec::new(),
    })
}

/// From 18 on ADD CONSTRAINT locks everything below the table first, whether or not the constraint goes there.
fn lock_descendants(scene: &Scene<'_>, table: &Subject<'_>, add: &AddConstraint, mode: LockMode, out: &mut Effects) {
    if scene.server.0 >= 18 && add.written == Written::AddConstraint {
        out.lock_all(scene.family(table, add.only).iter().map(|member| &member.name), mode);
    }
}

fn foreign_key(scene: &Scene<'_>, at: usize, table: &Subject<'_>, add: &AddConstraint, key: &ForeignKey, out: &mut Effects) {
    let checked = !add.not_valid && add.enforced;
    let referenced = scene.named(&scene.catalog.resolve(&key.referenced));
    // The check begins with the referencing rows: without any, the referenced table is not read (tried on 15).
    let nothing_to_check = table.relation.is_some_and(|table| table.is_empty_in(scene.session.step()));
    let checked = checked && !nothing_to_check && !(add.written == Written::AddColumn && new_keys_are_null(scene, at));
    for member in scene.partitions(table, add.only).iter().chain(&scene.partitions(&referenced, false)) {
        out.lock(&member.name, ShareRowExclusive);
        if checked && member.has_rows() {
            out.scan(&member.name);
        }
    }
    lock_descendants(scene, table, add, ShareRowExclusive, out);
}

/// The server skips the check of REFERENCES in ADD COLUMN if the column has no default. Up to 12 it looks at all columns that the
/// statement adds, and at foreign keys beside them.
fn new_keys_are_null(scene: &Scene<'_>, at: usize) -> bool {
    let is_filled = |column: &Column| {
        column.default.is_some() || column.generated.is_some() || column.data_type.as_ref().is_none_or(|data_type| data_type.serial)
    };
    if scene.server.0 >= 13 {
        return scene.column_of_inline(at).is_some_and(|(column, _)| !is_filled(column));
    }
    let beside = scene.statement.iter().any(|operation| match &operation.what {
        Operation::AddConstraint(add) => add.written == Written::AddConstraint && matches!(add.kind, ConstraintKind::ForeignKey(_)),
        _ => false,
    });
    !scene.added_columns().any(is_filled) && !beside
}

/// SET NOT NULL and what asks for the same.
pub(super) fn set_not_null(scene: &Scene<'_>, table: &Subject<'_>, only: bool, column: &Ident, out: &mut Effects) {
    note_requirement(table, column, out);
    for member in scene.family(table, only) {
        out.lock(&member.name, AccessExclusive);
        look_for_nulls(scene, table, &member, column, out);
    }
}

/// Code may leave the column out until now, unless a CHECK refuses NULL already: a NOT VALID one does so for new rows.
fn note_requirement(table: &Subject<'_>, column: &Ident, out: &mut Effects) {
    let refuses = |constraint: &Constraint| constraint.enforced && says_not_null(constraint, column);
    if !table.column(column).is_some_and(|known| known.not_null) && !table.constraints().iter().any(refuses) {
        out.breaks(BreakKind::Required, &table.name, Some(column));
    }
}

/// Reads the rows of `member`, which is `table` or below it, unless something proves that the column has no NULL.
fn look_for_nulls(scene: &Scene<'_>, table: &Subject<'_>, member: &Subject<'_>, column: &Ident, out: &mut Effects) {
    // ADD COLUMN puts a value into each row if it says NOT NULL itself; with a mere default, SET NOT NULL in the same statement looks.
    let numbered = |added: &Column| added.identity.is_some() || added.data_type.as_ref().is_some_and(|of| of.serial);
    let filled_here = scene.added_columns().any(|added| added.name == *column && (added.not_null || numbered(added)));
    if !member.has_rows() || filled_here || is_required(member, column) || proves(scene, member, column) {
        return;
    }
    // A check of the parent holds in its partitions, whose own copy the history may not show.
    if member.name != table.name && inherited_proof(scene, table, column) {
        return;
    }
    out.scan(&member.name);
    if !member.is_complete() {
        out.assume("constraints");
    }
}

/// NOT NULL already, and not only for new rows (18: NOT VALID).
fn is_required(table: &Subject<'_>, column: &Ident) -> bool {
    let half = |constraint: &Constraint| {
        matches!(&constraint.kind, ConstraintKind::NotNull { column: of } if of == column) && !constraint.validated
    };
    table.column(column).is_some_and(|known| known.not_null) && !table.constraints().iter().any(half)
}

fn proves(scene: &Scene<'_>, table: &Subject<'_>, column: &Ident) -> bool {
    table.constraints().iter().any(|constraint| is_proof(constraint, column) && !scene.drops_constraint(&constraint.name))
}

fn inherited_proof(scene: &Scene<'_>, table: &Subject<'_>, column: &Ident) -> bool {
    table
        .constraints()
        .iter()
        .any(|constraint| is_proof(constraint, column) && !constraint.no_inherit && !scene.drops_constraint(&constraint.name))
}

/// A validated CHECK that says `column IS NOT NULL` at its top level. `column > 0` lets NULL pass.
pub(super) fn is_proof(constraint: &Constraint, column: &Ident) -> bool {
    constraint.validated && constraint.enforced && says_not_null(constraint, column)
}

fn says_not_null(constraint: &Constraint, column: &Ident) -> bool {
    match &constraint.kind {
        ConstraintKind::Check { expression } => {
            expression.conjuncts.iter().any(|part| matches!(part, Predicate::IsNotNull(known) if known == column))
        }
        ConstraintKind::NotNull { .. }
        | ConstraintKind::Unique(_)
        | ConstraintKind::PrimaryKey(_)
        | ConstraintKind::Exclude { .. }
        | ConstraintKind::ForeignKey(_) => false,
    }
}

/// VALIDATE CONSTRAINT.
pub(super) fn validate(scene: &Scene<'_>, table: &Subject<'_>, only: bool, name: &Ident, out: &mut Effects) {
    out.lock(&table.name, ShareUpdateExclusive);
    if let Some(constraint) = table.relation.and_then(|relation| relation.constraint(name)) {
        if !constraint.validated {
            check_rows(scene, table, only, &constraint.kind, constraint.referenced.as_ref(), ShareUpdateExclusive, RowShare, out);
        }
        return;
    }
    let beside = scene.statement.iter().find_map(|operation| match &operation.what {
        Operation::AddConstraint(add) if add.name.as_ref() == Some(name) => Some(add),
        _ => None,
    });
    match beside {
        Some(add) => check_rows(scene, table, only, &add.kind, None, ShareUpdateExclusive, RowShare, out),
        None => {
            out.scan(&table.name);
            out.assume("constraint");
        }
    }
}

/// Reads all rows that a constraint is about.
#[expect(clippy::too_many_arguments, reason = "one walk over both sides, for VALIDATE and for ENFORCED")]
fn check_rows(
    scene: &Scene<'_>,
    table: &Subject<'_>,
    only: bool,
    kind: &ConstraintKind,
    referenced: Option<&QualifiedName>,
    on_table: LockMode,
    on_referenced: LockMode,
    out: &mut Effects,
) {
    let members = match kind {
        ConstraintKind::ForeignKey(_) => scene.partitions(table, only),
        ConstraintKind::Check { .. }
        | ConstraintKind::NotNull { .. }
        | ConstraintKind::Unique(_)
        | ConstraintKind::PrimaryKey(_)
        | ConstraintKind::Exclude { .. } => scene.family(table, only),
    };
    for member in members {
        out.lock(&member.name, on_table);
        if member.has_rows() {
            out.scan(&member.name);
        }
    }
    if let ConstraintKind::ForeignKey(key) = kind {
        let referenced = referenced.cloned().unwrap_or_else(|| scene.catalog.resolve(&key.referenced));
        for member in scene.partitions(&scene.named(&referenced), false) {
            out.lock(&member.name, on_referenced);
            if member.has_rows() {
                out.scan(&member.name);
            }
        }
    }
}

/// ALTER CONSTRAINT: only whether it is enforced (18 for foreign keys, 19 for checks) touches rows or other tables.
pub(super) fn alter(scene: &Scene<'_>, table: &Subject<'_>, name: &Ident, enforced: Option<bool>, out: &mut Effects) {
    out.lock(&table.name, AccessExclusive);
    let constraint = table.relation.and_then(|relation| relation.constraint(name));
    match (enforced, constraint) {
        (None, _) => {}
        (Some(true), Some(constraint)) => {
            if !constraint.enforced {
                let referenced = constraint.referenced.as_ref();
                check_rows(scene, table, false, &constraint.kind, referenced, AccessExclusive, ShareRowExclusive, out);
            }
        }
        (Some(false), Some(constraint)) => {
            if let Some(referenced) = &constraint.referenced {
                scene.release_referenced(referenced, out);
            }
        }
        (Some(enforced), None) => {
            out.assume("constraint");
            if enforced {
                out.scan(&table.name);
            }
        }
    }
}

/// DROP CONSTRAINT.
pub(super) fn drop(scene: &Scene<'_>, table: &Subject<'_>, only: bool, name: &Ident, cascade: bool, out: &mut Effects) {
    out.lock(&table.name, AccessExclusive);
    let Some(constraint) = table.relation.and_then(|relation| relation.constraint(name)) else {
        if !table.is_complete() {
            // It may be a foreign key, and then the other table is locked as well.
            out.assume("constraint");
        }
        return;
    };
    match &constraint.kind {
        ConstraintKind::Check { .. } | ConstraintKind::NotNull { .. } => {
            if !constraint.no_inherit {
                out.lock_all(scene.family(table, only).iter().map(|member| &member.name), AccessExclusive);
            }
        }
        ConstraintKind::ForeignKey(key) => {
            let referenced = constraint.referenced.clone().unwrap_or_else(|| scene.catalog.resolve(&key.referenced));
            out.lock_all(scene.partitions(table, only).iter().map(|member| &member.name), AccessExclusive);
            scene.release_referenced(&referenced, out);
        }
        ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_) | ConstraintKind::Exclude { .. } => {
            if let Some(index) = &constraint.index {
                super::index::lock_tree(scene, index, AccessExclusive, out);
            }
            if cascade {
                release_referencing(scene, &table.name, constraint, out);
            }
        }
    }
}

/// Foreign keys that need a unique constraint go with it.
fn release_referencing(scene: &Scene<'_>, table: &QualifiedName, unique: &Constraint, out: &mut Effects) {
    for (from, key) in scene.catalog.foreign_keys_to(table) {
        if unique.columns().iter().all(|column| key.points_to(column)) {
            scene.lock_with_partitions(&from.name, AccessExclusive, out);
        }
    }
}
