//! Phases that build, attach and drop indexes while everybody goes on reading and writing.

use super::{Phase, Stage};
use crate::model::name::Name;

/// An expression of the relation with this name: `'shop.orders'::regclass`.
pub fn regclass(name: &Name) -> String {
    format!("'{}'::regclass", name.sql().replace('\'', "''"))
}

/// Whether an index is complete, as a query.
pub fn is_valid(index: &Name) -> String {
    format!("SELECT indisvalid FROM pg_index WHERE indexrelid = {}", regclass(index))
}

/// The phase that runs a CREATE INDEX CONCURRENTLY.
pub fn build(stage: Stage, create: String, index: &Name) -> Phase {
    let name = index.sql();
    Phase::new(stage, format!("build {}", index.name))
        .why(format!(
            "Builds {name} under SHARE UPDATE EXCLUSIVE, which stops neither reads nor writes. It waits for transactions that are older than \
             it. If it fails or is cancelled, it leaves an invalid index behind: run DROP INDEX CONCURRENTLY {name}, then this phase again."
        ))
        .meanwhile("reads and writes as before; each write keeps the new index up to date")
        .alone()
        .run(create)
        .back(format!("DROP INDEX CONCURRENTLY IF EXISTS {name}"))
        .verify(is_valid(index))
}

/// The phase that makes the index of a partition part of the index of its parent; `top` is the index of the whole table.
pub fn attach(top: &Name, parent: &Name, index: &Name) -> Phase {
    Phase::new(Stage::Migrate, format!("attach {}", index.name))
        .why(format!(
            "Makes {} part of {}. Only the catalog changes; queries of that one partition wait for a moment.",
            index.sql(),
            parent.sql()
        ))
        .meanwhile("reads and writes as before")
        .run(format!("ALTER INDEX {} ATTACH PARTITION {}", parent.sql(), index.sql()))
        // What is attached cannot be taken off again: the whole goes with all its parts, and what is left is built anew.
        .back(format!("DROP INDEX IF EXISTS {}", top.sql()))
}
