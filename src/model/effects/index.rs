//! CREATE INDEX, REINDEX, and the locks on a tree of partitioned indexes.

use super::scene::{Scene, Subject};
use super::{Effects, InTransaction};
use crate::model::catalog::{Index, Lookup, Relation};
use crate::model::lock::LockMode;
use crate::model::lock::LockMode::{AccessExclusive, Share, ShareUpdateExclusive};
use crate::model::name::QualifiedName;
use crate::model::operation::{CreateIndex, ObjectKind, Reindex, ReindexScope};

/// CREATE INDEX.
pub(super) fn create(scene: &Scene<'_>, create: &CreateIndex, out: &mut Effects) {
    if create.concurrently {
        out.transaction = InTransaction::Forbidden;
    }
    let Some(table) = scene.subject(&create.table, false) else {
        // The table comes with its schema in this statement.
        if !scene.tables_made(scene.statement.len()).any(|made| made.name == create.table && made.partition_by.is_some()) {
            out.builds.push(scene.catalog.index_name(create));
        }
        return;
    };
    let mode = if create.concurrently { ShareUpdateExclusive } else { Share };
    out.lock(&table.name, mode);
    let name = scene.catalog.index_name(create);
    if create.if_not_exists && matches!(scene.catalog.lookup(&name), Lookup::Known(_)) {
        return;
    }
    if table.keeps_rows() || table.has_rows() && !create.only {
        out.builds.push(name);
        out.scan(&table.name);
        return;
    }
    // A partitioned index is made of those of the partitions.
    let definition = Index::of(create, table.name.clone());
    for partition in scene.partitions(&table, create.only).into_iter().skip(1) {
        out.lock(&partition.name, mode);
        let given = scene.catalog.index_for_partition(&definition, &partition.name);
        if !given.is_new {
            out.lock(&given.name, mode);
        } else if partition.has_rows() {
            out.builds.push(given.name);
            out.scan(&partition.name);
        }
    }
}

/// REINDEX.
pub(super) fn reindex(scene: &Scene<'_>, reindex: &Reindex, out: &mut Effects) {
    let mode = if reindex.concurrently { ShareUpdateExclusive } else { Share };
    if reindex.concurrently || matches!(reindex.scope, ReindexScope::Schema | ReindexScope::Database | ReindexScope::System) {
        out.transaction = InTransaction::Forbidden;
    }
    match (reindex.scope, &reindex.name) {
        (ReindexScope::Index, Some(name)) => {
            let Some(index) = scene.subject(name, false) else { return };
            match index.relation.and_then(|relation| relation.index.as_ref()) {
                Some(known) => {
                    let table = scene.named(&known.table);
                    let trees = tree(scene, &index.name);
                    in_place(scene, &table, Some(&trees), mode, out);
                }
                None => {
                    rebuild(&index.name, mode, out);
                    out.assume("table");
                }
            }
        }
        (ReindexScope::Table, Some(name)) => {
            if let Some(table) = scene.subject(name, false) {
                in_place(scene, &table, None, mode, out);
            }
        }
        (ReindexScope::Schema, Some(name)) => every(scene, mode, |relation| relation.name.schema == name.name, out),
        (ReindexScope::Database, _) => every(scene, mode, |_| true, out),
        (ReindexScope::System | ReindexScope::Index | ReindexScope::Table | ReindexScope::Schema, _) => {}
    }
    let many = match reindex.scope {
        ReindexScope::Schema | ReindexScope::Database => !scene.catalog.is_whole(),
        // The system catalogs, which every statement needs.
        ReindexScope::System => true,
        ReindexScope::Index | ReindexScope::Table => false,
    };
    // Of the tables that nobody knows, somebody waits for one.
    out.opaque |= many && !reindex.concurrently;
}

fn every(scene: &Scene<'_>, mode: LockMode, wanted: impl Fn(&Relation) -> bool, out: &mut Effects) {
    let is_table = |relation: &Relation| {
        matches!(relation.kind, ObjectKind::Table | ObjectKind::MaterializedView) && relation.partition_by.is_none() && wanted(relation)
    };
    for relation in scene.relations_where(is_table) {
        in_place(scene, &scene.known(relation), None, mode, out);
    }
}

/// The indexes of a table, or those among `some`, built anew. Of a partitioned table: those of its partitions, one transaction each.
fn in_place(scene: &Scene<'_>, table: &Subject<'_>, some: Option<&[QualifiedName]>, mode: LockMode, out: &mut Effects) {
    out.lock(&table.name, mode);
    let members = if table.is_partitioned() {
        // Up to 13 there is only a warning.
        if scene.server.0 < 14 {
            return;
        }
        out.transaction = InTransaction::Forbidden;
        scene.partitions(table, false)
    } else {
        vec![table.clone()]
    };
    for member in members.iter().filter(|member| member.has_rows()) {
        let indexes: Vec<_> = member.indexes().iter().filter(|index| some.is_none_or(|some| some.contains(index))).collect();
        if indexes.is_empty() && member.is_complete() {
            continue;
        }
        out.lock(&member.name, mode);
        out.scan(&member.name);
        for index in indexes {
            rebuild(index, mode, out);
        }
    }
}

fn rebuild(index: &QualifiedName, mode: LockMode, out: &mut Effects) {
    // CONCURRENTLY swaps in a second index; the first one goes when nobody uses it any more.
    out.lock(index, if mode == Share { AccessExclusive } else { mode });
    out.rebuilds.push(index.clone());
}

/// An index and, if it is partitioned, all indexes attached below it.
pub(super) fn tree(scene: &Scene<'_>, index: &QualifiedName) -> Vec<QualifiedName> {
    let mut tree = vec![index.clone()];
    tree.extend(scene.catalog.descendants(index));
    tree
}

/// An index, those attached below it, and the tables of all of them.
pub(super) fn lock_tree(scene: &Scene<'_>, index: &QualifiedName, mode: LockMode, out: &mut Effects) {
    for name in tree(scene, index) {
        if let Some(table) = scene.catalog.get(&name).and_then(|relation| relation.index.as_ref()) {
            out.lock(&table.table, mode);
        }
        out.lock(&name, mode);
    }
}
