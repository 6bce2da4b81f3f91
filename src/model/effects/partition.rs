//! Partitions coming and going: what the parent, the default partition and the tables around them feel.

use super::constraint::is_proof;
use super::scene::{Scene, Subject};
use super::{BreakKind, Effects};
use crate::model::catalog::{Constraint, Lookup};
use crate::model::expression::{Constant, Expression, Predicate};
use crate::model::lock::LockMode::{AccessExclusive, ShareRowExclusive, ShareUpdateExclusive};
use crate::model::name::{Ident, Name, QualifiedName};
use crate::model::operation::{Bound, ConstraintKind, CreateTable, Detach};
use std::cmp::Ordering;

/// CREATE TABLE ... PARTITION OF.
pub(super) fn create(scene: &Scene<'_>, create: &CreateTable, parent: &Name, bound: &Bound, out: &mut Effects) {
    let Some(parent) = scene.subject(parent, false) else { return };
    let name = scene.catalog.creation_name(&create.name, create.persistence);
    out.lock(&parent.name, AccessExclusive);
    recheck_default(scene, &parent, bound, out);
    for (_, _, referenced) in scene.foreign_keys(&parent) {
        scene.lock_with_partitions(&referenced, ShareRowExclusive, out);
    }
    for index in parent.indexes() {
        out.lock(index, ShareUpdateExclusive);
        if create.partition_by.is_none() {
            out.builds.extend(index_to_build(scene, index, &name));
        }
    }
}

/// ALTER TABLE ... ATTACH PARTITION.
pub(super) fn attach(scene: &Scene<'_>, parent: &Subject<'_>, partition: &Name, bound: &Bound, out: &mut Effects) {
    out.lock(&parent.name, ShareUpdateExclusive);
    let Some(partition) = scene.subject(partition, false) else { return };
    let members = scene.family(&partition, false);
    out.lock_all(members.iter().map(|member| &member.name), AccessExclusive);
    let scanned: Vec<&Subject<'_>> = members.iter().filter(|member| member.has_rows()).collect();
    if !fits(parent, &partition, bound) {
        scanned.iter().for_each(|member| out.scan(&member.name));
        if !partition.is_complete() || !parent.is_complete() {
            out.assume("constraints");
        }
    }
    recheck_default(scene, parent, bound, out);
    for index in parent.indexes() {
        out.lock(index, ShareUpdateExclusive);
        for member in &scanned {
            if let Some(built) = index_to_build(scene, index, &member.name) {
                out.builds.push(built);
                out.scan(&member.name);
            }
        }
    }
    for (_, key, referenced) in scene.foreign_keys(parent) {
        let equal = scene.foreign_keys(&partition).any(|(_, own, to)| to == referenced && own.columns == key.columns);
        // An equal key is merged into the parent's, and its own triggers dropped on both sides.
        scene.lock_with_partitions(&referenced, if equal { AccessExclusive } else { ShareRowExclusive }, out);
        if !equal {
            let other = scene.partitions(&scene.named(&referenced), false);
            for member in scanned.iter().copied().chain(other.iter().filter(|member| member.has_rows())) {
                out.scan(&member.name);
            }
        }
    }
}

/// The index that a partition lacks of its parent's.
fn index_to_build(scene: &Scene<'_>, of_parent: &QualifiedName, partition: &QualifiedName) -> Option<QualifiedName> {
    let index = scene.catalog.get(of_parent)?.index.as_ref()?;
    let given = scene.catalog.index_for_partition(index, partition);
    given.is_new.then_some(given.name)
}

/// ALTER TABLE ... DETACH PARTITION.
pub(super) fn detach(scene: &Scene<'_>, parent: &Subject<'_>, partition: &Name, how: Detach, out: &mut Effects) {
    let Some(partition) = scene.subject(partition, false) else { return };
    match how {
        Detach::Concurrently | Detach::Finalize => {
            out.lock(&parent.name, ShareUpdateExclusive);
            out.lock(&partition.name, AccessExclusive);
        }
        Detach::Plain => {
            out.lock(&parent.name, AccessExclusive);
            // Foreign keys to the parent are taken off the partition, which up to 13 is all that locks it so.
            let referenced = parent.relation.is_some_and(|relation| !relation.referenced_by.is_empty());
            let mode = if scene.server.0 >= 14 || referenced { AccessExclusive } else { ShareUpdateExclusive };
            out.lock(&partition.name, mode);
            if let Some(default) = default_of(scene, parent) {
                out.lock(&default.name, AccessExclusive);
            }
            let is_attached = |name: &QualifiedName| scene.catalog.get(name).is_some_and(|index| index.partition_of.is_some());
            for index in partition.indexes().iter().filter(|index| is_attached(index)) {
                out.lock(index, AccessExclusive);
            }
        }
    }
    // Its foreign keys stand alone from now on, and no row may be left that points into it.
    for (_, _, referenced) in scene.foreign_keys(&partition).filter(|(constraint, ..)| constraint.parent.is_some()) {
        scene.lock_with_partitions(&referenced, ShareRowExclusive, out);
    }
    for (from, _) in scene.catalog.foreign_keys_to(&parent.name) {
        for member in scene.partitions(&scene.named(&from.name), false) {
            out.lock(&member.name, AccessExclusive);
            out.scan(&member.name);
        }
        out.scan(&partition.name);
    }
}

/// MERGE and SPLIT PARTITION(S).
pub(super) fn rebuild(scene: &Scene<'_>, parent: &Subject<'_>, partitions: &[Name], out: &mut Effects) {
    out.lock(&parent.name, AccessExclusive);
    for partition in partitions.iter().filter_map(|name| scene.subject(name, false)) {
        out.lock(&partition.name, AccessExclusive);
        out.rewrites.push(partition.name.clone());
        out.scan(&partition.name);
        out.breaks(BreakKind::Removed, &partition.name, None);
    }
}

pub(super) fn default_of<'a>(scene: &Scene<'a>, parent: &Subject<'a>) -> Option<Subject<'a>> {
    let children = parent.relation?.children.iter().map(|name| scene.named(name));
    let is_default =
        |child: &Subject<'_>| child.relation.is_some_and(|relation| matches!(relation.partition_of, Some((_, Bound::Default))));
    children.into_iter().find(is_default)
}

/// Another partition takes rows from the default one's share: none may be there already.
fn recheck_default(scene: &Scene<'_>, parent: &Subject<'_>, bound: &Bound, out: &mut Effects) {
    if !parent.is_complete() {
        // There may be a default partition.
        out.assume("partitions");
    }
    let Some(default) = default_of(scene, parent).filter(|_| *bound != Bound::Default) else { return };
    let key = key_column(parent);
    let excluded = key.is_some_and(|key| {
        let proofs = || default.constraints().iter().filter_map(valid_check);
        is_never_null(&default, key) && proofs().flat_map(|check| &check.conjuncts).any(|part| excludes(part, key, bound))
    });
    for member in scene.family(&default, false) {
        out.lock(&member.name, AccessExclusive);
        if !excluded && member.has_rows() {
            out.scan(&member.name);
        }
    }
}

/// The key, if it is one column.
fn key_column<'a>(parent: &Subject<'a>) -> Option<&'a Ident> {
    match parent.relation?.partition_by.as_ref()?.columns.as_slice() {
        [Some(column)] => Some(column),
        _ => None,
    }
}

fn valid_check(constraint: &Constraint) -> Option<&Expression> {
    match &constraint.kind {
        ConstraintKind::Check { expression } if constraint.validated && constraint.enforced => Some(expression),
        ConstraintKind::Check { .. }
        | ConstraintKind::NotNull { .. }
        | ConstraintKind::Unique(_)
        | ConstraintKind::PrimaryKey(_)
        | ConstraintKind::Exclude { .. }
        | ConstraintKind::ForeignKey(_) => None,
    }
}

fn is_never_null(table: &Subject<'_>, column: &Ident) -> bool {
    table.column(column).is_some_and(|known| known.not_null) || table.constraints().iter().any(|constraint| is_proof(constraint, column))
}

/// Whether validated checks of a table prove that all its rows lie in the bound, so that nobody has to look.
fn fits(parent: &Subject<'_>, partition: &Subject<'_>, bound: &Bound) -> bool {
    let Some(key) = key_column(parent) else { return false };
    let parts: Vec<&Predicate> = partition.constraints().iter().filter_map(valid_check).flat_map(|check| &check.conjuncts).collect();
    // CHECK lets NULL pass, a bound does not.
    is_never_null(partition, key)
        && match bound {
            Bound::Range { from, to } => {
                let ([from], [to]) = (from.as_slice(), to.as_slice()) else { return false };
                parts.iter().any(|part| is_at_least(part, key, from)) && parts.iter().any(|part| is_below(part, key, to))
            }
            Bound::In(values) => parts.iter().any(|part| {
                matches!(part, Predicate::Compare { column, operator, value: Some(value) }
                    if column == key && &**operator == "=" && values.iter().any(|text| compare(value, text) == Some(Ordering::Equal)))
            }),
            Bound::Default | Bound::Hash | Bound::Unknown => false,
        }
}

fn is_at_least(part: &Predicate, key: &Ident, from: &str) -> bool {
    from.eq_ignore_ascii_case("minvalue")
        || bounded(part, key, &[">=", ">", "="], |value| compare(value, from), &[Ordering::Greater, Ordering::Equal])
}

fn is_below(part: &Predicate, key: &Ident, to: &str) -> bool {
    to.eq_ignore_ascii_case("maxvalue")
        || bounded(part, key, &["<"], |value| compare(value, to), &[Ordering::Less, Ordering::Equal])
        || bounded(part, key, &["<=", "="], |value| compare(value, to), &[Ordering::Less])
}

/// Whether a condition leaves no value of the key inside the bound.
fn excludes(part: &Predicate, key: &Ident, bound: &Bound) -> bool {
    let Bound::Range { from, to } = bound else { return false };
    let ([from], [to]) = (from.as_slice(), to.as_slice()) else { return false };
    bounded(part, key, &[">=", ">", "="], |value| compare(value, to), &[Ordering::Greater, Ordering::Equal])
        || bounded(part, key, &["<"], |value| compare(value, from), &[Ordering::Less, Ordering::Equal])
        || bounded(part, key, &["<=", "="], |value| compare(value, from), &[Ordering::Less])
}

fn bounded(
    part: &Predicate,
    key: &Ident,
    operators: &[&str],
    compared: impl Fn(&Constant) -> Option<Ordering>,
    wanted: &[Ordering],
) -> bool {
    match part {
        Predicate::Compare { column, operator, value: Some(value) } => {
            column == key && operators.contains(&&**operator) && compared(value).is_some_and(|order| wanted.contains(&order))
        }
        _ => false,
    }
}

/// How a constant of a condition compares with the text of a bound; `None` if that takes more than numbers, equal texts, or texts that
/// sort as dates do.
fn compare(value: &Constant, bound: &str) -> Option<Ordering> {
    let bound = bound.trim().trim_matches('\'');
    match value {
        Constant::Number(number) => match (number.parse::<i128>(), bound.parse::<i128>()) {
            (Ok(a), Ok(b)) => Some(a.cmp(&b)),
            _ => number.parse::<f64>().ok()?.partial_cmp(&bound.parse::<f64>().ok()?),
        },
        Constant::Text(text) if **text == *bound => Some(Ordering::Equal),
        Constant::Text(text) if is_date(text) && is_date(bound) => Some((**text).cmp(bound)),
        Constant::Text(_) | Constant::Null | Constant::Boolean(_) => None,
    }
}

/// `2026-01-31`, perhaps with a time of day behind it.
fn is_date(text: &str) -> bool {
    let shape =
        |text: &[u8]| text.iter().enumerate().all(|(at, byte)| if at == 4 || at == 7 { *byte == b'-' } else { byte.is_ascii_digit() });
    text.is_ascii() && text.len() == 10 && shape(text.as_bytes())
}

/// Whether a table is attached to a parent that the history knows, or may be.
pub(super) fn parent_of<'a>(scene: &Scene<'a>, table: &Subject<'a>) -> Option<Subject<'a>> {
    let (parent, _) = table.relation?.partition_of.as_ref()?;
    match scene.catalog.lookup(parent) {
        Lookup::Known(relation) => Some(scene.known(relation)),
        Lookup::Absent | Lookup::Unknown => Some(scene.named(parent)),
    }
}
