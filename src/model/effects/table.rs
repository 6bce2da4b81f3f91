//! CREATE TABLE: what it takes from the tables that it refers to.

use super::scene::Scene;
use super::{Effects, partition};
use crate::model::catalog::Lookup;
use crate::model::lock::LockMode::ShareUpdateExclusive;
use crate::model::operation::{CreateTable, CreateTableAs};

/// CREATE TABLE without its constraints.
pub(super) fn create(scene: &Scene<'_>, create: &CreateTable, out: &mut Effects) {
    if create.if_not_exists && matches!(scene.catalog.relation(&create.name), Lookup::Known(_)) {
        return;
    }
    for parent in create.inherits.iter().filter_map(|name| scene.subject(name, false)) {
        out.lock(&parent.name, ShareUpdateExclusive);
    }
    let with_indexes = |words: &[Box<str>]| words.iter().any(|word| matches!(&**word, "all" | "indexes"));
    if create.partition_by.is_none() {
        let name = scene.catalog.creation_name(&create.name, create.persistence);
        for (source, _) in create.like.iter().filter(|(_, words)| with_indexes(words)) {
            if let Lookup::Known(source) = scene.catalog.relation(source) {
                out.builds.extend(scene.catalog.indexes_for_copy(source, &name));
            }
        }
    }
    if let Some((parent, bound)) = &create.partition_of {
        partition::create(scene, create, parent, bound, out);
    }
}

/// CREATE TABLE AS, SELECT INTO.
pub(super) fn create_as(scene: &Scene<'_>, create: &CreateTableAs, out: &mut Effects) {
    if create.if_not_exists && matches!(scene.catalog.relation(&create.name), Lookup::Known(_)) {
        return;
    }
    if create.with_data {
        out.unbounded = true;
        for table in scene.base_tables(&create.reads) {
            out.scan(&table.name);
        }
    }
}
