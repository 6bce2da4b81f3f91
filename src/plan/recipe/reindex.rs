//! Indexes that are built anew while everybody goes on reading and writing.

use super::Cooked;
use crate::model::catalog::{Lookup, Relation};
use crate::model::effects::Version;
use crate::model::operation::{Operation, Reindex, ReindexScope};
use crate::plan::clauses::Clauses;
use crate::plan::{Ask, Phase, Refusal, Stage};

/// REINDEX ... CONCURRENTLY.
pub(super) fn cook(ask: &Ask<'_>) -> Result<Cooked, Refusal> {
    let Some(Operation::Reindex(reindex)) = ask.operation() else { return Err(Refusal::Unknown("this is no REINDEX".to_owned())) };
    can_be_concurrent(ask, reindex)?;
    let word = match reindex.scope {
        ReindexScope::Index => "index",
        ReindexScope::Table => "table",
        ReindexScope::Schema => "schema",
        ReindexScope::Database => "database",
        ReindexScope::System => "system",
    };
    let unread = || Refusal::Unknown("this REINDEX cannot be read".to_owned());
    let clauses = Clauses::of(ask.source, ask.statements.first().ok_or_else(unread)?.span);
    let at = clauses.find(0, &[word]).ok_or_else(unread)?;
    let statement = match (reindex.concurrently, clauses.text(at + 1, clauses.len())) {
        (true, _) => clauses.text(0, clauses.len()),
        (false, name) => format!("{} CONCURRENTLY {name}", clauses.text(0, at + 1)),
    };
    let name = reindex.name.as_ref().map_or_else(|| word.to_owned(), |name| name.name.to_string());
    let phase = Phase::new(Stage::Migrate, "concurrently")
        .why(
            "Builds a copy of each index beside the old one and changes places. If it fails or is cancelled, it leaves invalid indexes behind \
             whose names end in _ccnew (drop them) or _ccold (drop them too): DROP INDEX CONCURRENTLY, then this phase again.",
        )
        .meanwhile("reads and writes as before; the disk holds each index twice for a while")
        .alone()
        .run(statement)
        .verify("SELECT NOT EXISTS (SELECT FROM pg_index WHERE NOT indisvalid AND indexrelid::regclass::text LIKE '%\\_cc%')");
    Ok(Cooked { name: format!("reindex-{name}"), phases: vec![phase], manual: Vec::new(), differs: Vec::new() })
}

fn can_be_concurrent(ask: &Ask<'_>, reindex: &Reindex) -> Result<(), Refusal> {
    if reindex.scope == ReindexScope::System {
        return Err(Refusal::Window("PostgreSQL refuses to build the indexes of its own catalogs concurrently".to_owned()));
    }
    let (ReindexScope::Index | ReindexScope::Table, Some(name)) = (reindex.scope, &reindex.name) else { return Ok(()) };
    let Lookup::Known(relation) = ask.before.relation(name) else {
        return Err(Refusal::Unknown(format!("the history does not tell of `{}`", name.sql())));
    };
    let table = relation.index.as_ref().and_then(|index| ask.before.get(&index.table)).unwrap_or(relation);
    if ask.server < Version(14) && table.partition_by.is_some() {
        return Err(Refusal::Window(
            "before PostgreSQL 14 nothing of a partitioned table is built anew; do it partition by partition".to_owned(),
        ));
    }
    if excludes(relation, table) {
        return Err(Refusal::Window("PostgreSQL builds the index of an exclusion constraint anew only while writes wait".to_owned()));
    }
    Ok(())
}

/// Whether the index stands behind an exclusion constraint.
fn excludes(relation: &Relation, table: &Relation) -> bool {
    let constraint = relation.index.as_ref().and_then(|index| table.constraint(index.constraint.as_ref()?));
    constraint.is_some_and(|constraint| matches!(constraint.kind, crate::model::operation::ConstraintKind::Exclude { .. }))
}
