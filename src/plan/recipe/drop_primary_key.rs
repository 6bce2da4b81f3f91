//! A primary key that goes: logical replication learns to know the rows by another key first.

use super::Cooked;
use crate::model::catalog::Relation;
use crate::model::name::Ident;
use crate::model::operation::{AlterAction, ConstraintKind, IndexKeyKind, Operation, ReplicaIdentity};
use crate::plan::index::regclass;
use crate::plan::{Ask, Phase, Refusal, Stage};

/// What the rules say of a key that nothing goes by any more.
const DROP: &[&str] = &["drop-primary-key", "drop-constraint"];

/// Another unique key takes its part in replication; then it goes.
pub(super) fn cook(ask: &Ask<'_>) -> Result<Cooked, Refusal> {
    let not_it = || Refusal::Unknown("this drops no primary key".to_owned());
    let Some(Operation::Alter(target, action)) = ask.operation() else { return Err(not_it()) };
    let AlterAction::DropConstraint { name, if_exists, cascade } = &**action else { return Err(not_it()) };
    let relation = ask.table(&target.name)?;
    let key = relation.primary_key().filter(|key| key.name == *name).ok_or_else(not_it)?;
    let (table, constraint) = (target.name.sql(), name.sql());
    if *cascade || !relation.referenced_by.is_empty() {
        return Err(Refusal::Window(format!("foreign keys of other tables go by {constraint}; let them go by another unique key first")));
    }
    let ConstraintKind::PrimaryKey(columns) = &key.kind else { return Err(not_it()) };
    let mut phases = Vec::new();
    let mut differs = Vec::new();
    if relation.replica_identity == ReplicaIdentity::Default {
        let other = other_key(ask, relation, key.index.as_ref().map(|index| &index.name)).ok_or_else(|| {
            Refusal::Unknown(format!(
                "no other unique index over NOT NULL columns of {table} is known, by which replication could know its rows: make one first"
            ))
        })?;
        differs.push(format!("`{}` and `{}`: replication knows the rows by that index", relation.name, other));
        phases.push(
            Phase::new(Stage::Expand, "another identity")
                .why(format!("Without an identity every UPDATE and DELETE of {table} fails where the table is published."))
                .meanwhile("reads and writes go on; each of them waits for a moment")
                .run(format!("ALTER TABLE {table} REPLICA IDENTITY USING INDEX {}", other.sql()))
                .back(format!("ALTER TABLE {table} REPLICA IDENTITY DEFAULT")),
        );
    }
    let if_exists = if *if_exists { "IF EXISTS " } else { "" };
    let list: Vec<_> = columns.columns.iter().map(Ident::sql).collect();
    phases.push(
        Phase::new(Stage::Contract, format!("drop {name}"))
            .why("The key and its index go; nothing keeps these columns unique or NOT NULL by itself any more.")
            .meanwhile("reads and writes go on; each of them waits for a moment")
            .deploy(format!("code that looks for no row of {table} by {} alone, and writes ON CONFLICT on no such key", list.join(", ")))
            .wait_hours(48)
            .run_accepting(format!("ALTER TABLE {table} DROP CONSTRAINT {if_exists}{constraint}"), DROP)
            .no_way_back(format!(
                "to have it again: CREATE UNIQUE INDEX CONCURRENTLY on {table} ({}), then ADD PRIMARY KEY USING INDEX",
                list.join(", ")
            ))
            .verify(format!("SELECT NOT EXISTS (SELECT FROM pg_index WHERE indrelid = {} AND indisprimary)", regclass(&target.name))),
    );
    Ok(Cooked { name: format!("drop-{name}"), phases, manual: Vec::new(), differs })
}

/// A unique index, whole and over columns that are never NULL: what replication takes for an identity.
fn other_key(ask: &Ask<'_>, relation: &Relation, own: Option<&Ident>) -> Option<Ident> {
    let never_null = |column: &Ident| relation.column(column).is_some_and(|column| column.not_null);
    let fits = |key: &crate::model::operation::IndexKey| matches!(&key.what, IndexKeyKind::Column(column) if never_null(column));
    let indexes = ask.before.indexes_of(relation);
    let mut unique = indexes.filter(|(known, index)| {
        let whole = index.unique && index.valid && index.predicate.is_none() && index.keys.iter().all(fits);
        whole && Some(&known.name.name) != own
    });
    unique.next().map(|(known, _)| known.name.name.clone())
}
