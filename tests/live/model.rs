//! What `effects` says about a statement, beside what the statement did.

use crate::play::{Played, Relations, Step};
use lockkeeper::db::{Connection, Refusal};
use lockkeeper::lint::finding::{Assessed, Judged};
use lockkeeper::model::effects::Lock;
use lockkeeper::model::lock::LockMode;
use lockkeeper::model::name::{Ident, QualifiedName};
use sqlx::Row;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

/// One comparison: what was compared, and what is wrong with it.
pub type Comparison = (&'static str, Option<String>);

/// The relations that were there before a file: no claim is about those that it makes itself.
#[derive(Debug, Default)]
pub struct Before(BTreeMap<QualifiedName, Relation>);

#[derive(Debug)]
struct Relation {
    id: i64,
    index: bool,
    /// A table without rows, or an index on one: that it is scanned or rewritten cannot be seen.
    empty: bool,
}

impl Before {
    /// Looks at a database.
    pub async fn look(connection: &mut Connection) -> Result<Self, Refusal> {
        let sql = "SELECT n.nspname::text, c.relname::text, c.oid::int8 AS id, c.relkind IN ('i', 'I') AS index,
                          c.relkind IN ('r', 'm') AND pg_relation_size(c.oid) = 0 OR coalesce(pg_relation_size(x.indrelid), 1) = 0 AS empty
                   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_index x ON x.indexrelid = c.oid
                   WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_t'";
        let read = |row: &sqlx::postgres::PgRow| {
            let (schema, name): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            let name = QualifiedName { schema: Ident::quoted(&schema), name: Ident::quoted(&name) };
            Ok((name, Relation { id: row.try_get("id")?, index: row.try_get("index")?, empty: row.try_get("empty")? }))
        };
        Ok(Self(connection.rows(sql).await?.iter().map(read).collect::<Result<_, Refusal>>()?))
    }

    /// Those that an earlier statement of the file has neither dropped nor renamed.
    fn still<'a>(&'a self, there: &'a Relations, name: &QualifiedName) -> Option<&'a Relation> {
        self.0.get(name).filter(|relation| there.get(name) == Some(&relation.id))
    }
}

/// Compares each statement that was observed and not refused.
pub fn compare(before: &Before, assessed: &Assessed, played: &Played) -> Vec<Comparison> {
    let mut comparisons = Vec::new();
    let mut held = Locks::new();
    let mut transaction = 0;
    for step in &played.steps {
        if step.transaction != transaction {
            held.clear();
            transaction = step.transaction;
        }
        let Some(judged) = assessed.statements.get(step.statement) else {
            comparisons.push(("statements", Some(format!("statement {} was run but not judged", step.statement))));
            continue;
        };
        add(&mut held, &judged.effects.locks);
        comparisons.extend(of_statement(before, &held, judged, step));
    }
    comparisons
}

fn of_statement(before: &Before, held: &Locks, judged: &Judged, step: &Step) -> Vec<Comparison> {
    let Some(observed) = step.observed.as_ref().filter(|observed| observed.refused.is_none()) else { return Vec::new() };
    let effects = &judged.effects;
    let (mut seen, mut seen_on_indexes) = (Locks::new(), Locks::new());
    add(&mut seen, &observed.locks);
    add(&mut seen_on_indexes, &observed.index_locks);
    let on = |locks: &Locks, index: bool| {
        // All that reads or writes locks indexes a little; what matters begins where somebody would have to wait.
        let matters = |mode: &LockMode| !index || *mode >= LockMode::ShareUpdateExclusive;
        let is_meant = |name: &QualifiedName| before.still(&step.there, name).is_some_and(|relation| relation.index == index);
        words(locks.iter().filter(|(name, mode)| is_meant(name) && matters(mode)).map(|(name, mode)| format!("{name} {mode}")))
    };
    let with_rows = |names: &[QualifiedName]| {
        words(names.iter().filter(|name| before.still(&step.there, name).is_some_and(|relation| !relation.empty)))
    };
    let permanent = |names: &[QualifiedName]| words(names.iter().filter(|name| name.schema != "pg_temp"));
    let pairs = [
        ("locks", on(held, false), on(&seen, false)),
        ("index locks", on(held, true), on(&seen_on_indexes, true)),
        ("rewrites", with_rows(&effects.rewrites), with_rows(&observed.rewrites)),
        ("rebuilds", with_rows(&effects.rebuilds), with_rows(&observed.rebuilds)),
        ("scans", with_rows(&effects.scans), with_rows(&observed.scans)),
        ("builds", permanent(&effects.builds), permanent(&observed.builds)),
        ("transaction", words([format!("{:?}", effects.transaction)]), words([format!("{:?}", observed.transaction)])),
    ];
    let agrees = Agreement::of(judged);
    let compared = pairs.into_iter().map(|(what, said, seen)| {
        let complaint = || format!("statement {}, {what}: said [{}], seen [{}]", step.statement + 1, join(&said), join(&seen));
        (what, (!agrees.holds(what, &said, &seen)).then(complaint))
    });
    compared.collect()
}

/// What agreement means for a statement.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Agreement {
    /// What is said is seen, and nothing else.
    Exact,
    /// Something unknown was taken at its worst: more may be said than is seen.
    Worst,
    /// The planner and the rows decide whether a query reads a table as a whole: what is said is seen, and maybe another scan.
    Query,
    /// The same of a body in which something may not have run, or which commits.
    Branches,
    /// Nobody sees what runs.
    Hidden,
}

/// It may not run, or it ends the transaction that holds the locks.
fn may_leave_no_lock(nested: &Judged) -> bool {
    nested.conditional || nested.operations.iter().any(|operation| ["commit", "rollback"].contains(operation))
}

impl Agreement {
    fn of(judged: &Judged) -> Self {
        let is_one_of = |words: &[&str]| judged.operations.iter().any(|operation| words.contains(operation));
        if judged.effects.opaque {
            Self::Hidden
        } else if judged.body.iter().any(may_leave_no_lock) {
            Self::Branches
        } else if !judged.effects.assumed.is_empty() {
            Self::Worst
        } else if !judged.body.is_empty() || is_one_of(&["select", "insert", "update", "delete", "merge", "copy"]) {
            Self::Query
        } else {
            Self::Exact
        }
    }

    fn holds(self, what: &str, said: &BTreeSet<String>, seen: &BTreeSet<String>) -> bool {
        match self {
            Self::Hidden => seen.is_superset(said),
            Self::Branches if what == "scans" => true,
            Self::Branches if what == "transaction" => said == seen,
            Self::Branches | Self::Worst => said.is_superset(seen),
            Self::Query if what == "scans" => seen.is_superset(said),
            Self::Query | Self::Exact => said == seen,
        }
    }
}

/// The strongest mode on each relation.
type Locks = BTreeMap<QualifiedName, LockMode>;

fn add(locks: &mut Locks, more: &[Lock]) {
    for lock in more.iter().filter(|lock| lock.mode > LockMode::AccessShare) {
        let mode = locks.entry(lock.relation.clone()).or_insert(lock.mode);
        *mode = lock.mode.max(*mode);
    }
}

fn words(things: impl IntoIterator<Item = impl Display>) -> BTreeSet<String> {
    things.into_iter().map(|thing| thing.to_string()).collect()
}

fn join(words: &BTreeSet<String>) -> String {
    words.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}
