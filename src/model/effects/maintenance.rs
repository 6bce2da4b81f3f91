//! VACUUM, ANALYZE, CLUSTER, REPACK, LOCK TABLE.

use super::scene::{Scene, Subject};
use super::{Effects, InTransaction, object};
use crate::model::catalog::Relation;
use crate::model::lock::LockMode;
use crate::model::name::Name;
use crate::model::operation::ObjectKind;
use LockMode::{AccessExclusive, ShareUpdateExclusive};

/// LOCK TABLE, of a view too: then all that it reads is locked.
pub(super) fn lock_table(scene: &Scene<'_>, table: &Name, only: bool, mode: LockMode, out: &mut Effects) {
    let Some(subject) = scene.subject(table, false) else { return };
    for reached in object::below(scene, &subject) {
        out.lock_all(scene.family(&reached, only).iter().map(|member| &member.name), mode);
    }
}

/// The tables that a command of maintenance is about: those it names, or all that are known.
fn tables<'a>(scene: &Scene<'a>, table: Option<&Name>) -> Vec<Subject<'a>> {
    match table {
        Some(name) => scene.subject(name, false).map_or(Vec::new(), |subject| scene.partitions(&subject, false)),
        None => {
            let maintained = |relation: &Relation| matches!(relation.kind, ObjectKind::Table | ObjectKind::MaterializedView);
            let all = scene.relations_where(maintained).into_iter();
            all.map(|relation| scene.known(relation)).collect()
        }
    }
}

/// VACUUM. That it cuts empty pages off the end takes ACCESS EXCLUSIVE, but only if nobody else is there.
pub(super) fn vacuum(scene: &Scene<'_>, table: Option<&Name>, full: bool, out: &mut Effects) {
    out.transaction = InTransaction::Forbidden;
    for table in tables(scene, table) {
        if full {
            rewrite(&table, out);
        } else {
            out.lock(&table.name, ShareUpdateExclusive);
            if table.has_rows() {
                out.scan(&table.name);
            }
        }
    }
}

/// ANALYZE reads a sample of fixed size.
pub(super) fn analyze(scene: &Scene<'_>, table: Option<&Name>, out: &mut Effects) {
    for table in tables(scene, table) {
        out.lock(&table.name, ShareUpdateExclusive);
    }
}

/// CLUSTER. Without a name: all tables that were clustered before, one transaction each.
pub(super) fn cluster(scene: &Scene<'_>, table: Option<&Name>, out: &mut Effects) {
    match table {
        Some(name) => {
            let Some(subject) = scene.subject(name, false) else { return };
            if subject.is_partitioned() {
                out.transaction = InTransaction::Forbidden;
            }
            for member in scene.partitions(&subject, false) {
                rewrite(&member, out);
            }
        }
        None => {
            out.transaction = InTransaction::Forbidden;
            for relation in scene.relations_where(|relation| relation.clustered_on.is_some()) {
                rewrite(&scene.known(relation), out);
            }
        }
    }
}

/// REPACK (19). CONCURRENTLY works beside others and takes ACCESS EXCLUSIVE for its last moment.
pub(super) fn repack(scene: &Scene<'_>, table: Option<&Name>, concurrently: bool, out: &mut Effects) {
    let members = tables(scene, table);
    if concurrently || table.is_none() || members.len() > 1 {
        out.transaction = InTransaction::Forbidden;
    }
    for member in members {
        if concurrently {
            out.lock(&member.name, AccessExclusive);
            if member.has_rows() {
                out.scan(&member.name);
            }
        } else {
            rewrite(&member, out);
        }
    }
}

fn rewrite(table: &Subject<'_>, out: &mut Effects) {
    out.lock(&table.name, AccessExclusive);
    out.rewrite(table);
}
