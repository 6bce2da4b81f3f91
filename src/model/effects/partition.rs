//! Partitions coming and going: what the parent, the default partition and the tables around them feel.

use super::scene::{Scene, Subject};
use super::{BreakKind, Effects, bound};
use crate::model::catalog::Lookup;
use crate::model::lock::LockMode::{AccessExclusive, ShareRowExclusive, ShareUpdateExclusive};
use crate::model::name::{Name, QualifiedName};
use crate::model::operation::{Bound, CreateTable, Detach};

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
    let fits = parent.relation.zip(partition.relation).is_some_and(|(parent, partition)| bound::fits(parent, partition, bound));
    if !fits {
        scanned.iter().for_each(|member| out.scan(&member.name));
        if !partition.is_complete() || !parent.is_complete() || may_fit(parent, &partition, bound) {
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

/// Whether a CHECK that is not understood may prove the bound: of a key of several columns, an expression or a hash.
fn may_fit(parent: &Subject<'_>, partition: &Subject<'_>, bound: &Bound) -> bool {
    let has_proofs = partition.relation.is_some_and(|partition| bound::proofs(partition).next().is_some());
    has_proofs && parent.relation.is_some_and(|parent| bound::condition(parent, bound).is_none())
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
    let mut children = parent.relation?.children.iter().filter_map(|name| scene.catalog.get(name));
    let default = children.find(|child| matches!(child.partition_of, Some((_, Bound::Default))))?;
    Some(scene.known(default))
}

/// Another partition takes rows from the default one's share: none may be there already.
fn recheck_default(scene: &Scene<'_>, parent: &Subject<'_>, bound: &Bound, out: &mut Effects) {
    if !parent.is_complete() {
        // There may be a default partition.
        out.assume("partitions");
    }
    let Some(default) = default_of(scene, parent).filter(|_| *bound != Bound::Default) else { return };
    let excluded = parent.relation.zip(default.relation).is_some_and(|(parent, default)| bound::excludes(parent, default, bound));
    for member in scene.family(&default, false) {
        out.lock(&member.name, AccessExclusive);
        if !excluded && member.has_rows() {
            out.scan(&member.name);
        }
    }
}

/// Whether a table is attached to a parent that the history knows, or may be.
pub(super) fn parent_of<'a>(scene: &Scene<'a>, table: &Subject<'a>) -> Option<Subject<'a>> {
    let (parent, _) = table.relation?.partition_of.as_ref()?;
    match scene.catalog.lookup(parent) {
        Lookup::Known(relation) => Some(scene.known(relation)),
        Lookup::Absent | Lookup::Unknown => Some(scene.named(parent)),
    }
}
