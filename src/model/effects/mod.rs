//! What the server does for one operation: locks, rewrites, scans, index builds, what is lost and which running code breaks.

mod alter;
pub mod bound;
pub mod bound_rows;
mod column;
mod constraint;
mod data;
mod default;
mod drop;
mod footprint;
mod index;
mod maintenance;
mod object;
mod partition;
mod scene;
mod table;

use super::catalog::Catalog;
use super::lock::LockMode;
use super::name::{Ident, QualifiedName};
use super::operation::{Operation, Realm, TwoPhase};
use super::session::Session;
use crate::text::Located;
use scene::Scene;

/// A major version of PostgreSQL, 12 to 19.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u8);

impl Version {
    /// The oldest that is known.
    pub const OLDEST: Self = Self(12);
    /// The newest that is known.
    pub const NEWEST: Self = Self(19);
    /// What is assumed if nothing says otherwise: the oldest major that is still maintained.
    pub const DEFAULT: Self = Self(15);
}

/// A lock that a statement takes on a relation.
#[derive(Clone, Debug, PartialEq)]
pub struct Lock {
    /// What is locked.
    pub relation: QualifiedName,
    /// The strongest mode.
    pub mode: LockMode,
}

/// Whether a statement may run inside a transaction block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InTransaction {
    /// It may.
    #[default]
    Allowed,
    /// The server refuses it.
    Forbidden,
}

/// What is gone once the statement has committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// A table or materialized view with its rows.
    Relation(QualifiedName),
    /// A column with its values.
    Column(QualifiedName, Ident),
    /// All rows of a table.
    Rows(QualifiedName),
    /// Everything in a schema.
    Schema(Ident),
    /// A database or a tablespace.
    Database,
}

/// Why code that runs now may fail once the statement has committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakKind {
    /// What it names is gone.
    Removed,
    /// What it names has another name.
    Renamed,
    /// A value that it may leave out has to be given.
    Required,
    /// The type of what it reads or writes is another.
    Retyped,
}

/// Something that code which runs now may rely on, and that is no longer so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breakage {
    /// What happens to it.
    pub kind: BreakKind,
    /// Among which names it is found.
    pub realm: Realm,
    /// The relation it is, or is in. For types and functions: their name; for a schema twice its own.
    pub relation: QualifiedName,
    /// The column.
    pub column: Option<Ident>,
}

/// Physical consequences, each of which can be observed on a server. Names are resolved by the catalog before the statement.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effects {
    /// Relations that existed before the statement, each once, strongest mode above ACCESS SHARE.
    pub locks: Vec<Lock>,
    /// Tables and materialized views whose rows are written anew, or copied to another place.
    pub rewrites: Vec<QualifiedName>,
    /// Tables that are read as a whole while the locks are held.
    pub scans: Vec<QualifiedName>,
    /// Indexes that are built for the first time, by the name that they get. A partitioned index has no rows of its own and is not named.
    pub builds: Vec<QualifiedName>,
    /// Indexes that existed and are built anew, or copied to another place.
    pub rebuilds: Vec<QualifiedName>,
    /// Whether a transaction block is possible.
    pub transaction: InTransaction,
    /// Rows are changed or read in a number that no bound limits (UPDATE without key range, INSERT ... SELECT): how long it takes grows
    /// with the table although no strong lock is held.
    pub unbounded: bool,
    /// Nothing can be known about what it does: a call of what nobody has shown, a statement that could not be read.
    pub opaque: bool,
    /// A materialized view that REFRESH fills while nobody waits for it: CONCURRENTLY stops no reader, one that was left WITH NO DATA has
    /// none, and nobody writes to it but another REFRESH.
    pub fills: Option<QualifiedName>,
    /// Data that it destroys.
    pub destroys: Vec<Loss>,
    /// What running code may rely on and finds changed.
    pub breaks: Vec<Breakage>,
    /// Facts that the history did not tell and that were taken at their worst: `column_type`, `table`, ...
    pub assumed: Vec<&'static str>,
}

impl Effects {
    /// Whether the time it holds its locks grows with a table.
    pub fn takes_long(&self) -> bool {
        !(self.rewrites.is_empty() && self.scans.is_empty() && self.builds.is_empty() && self.rebuilds.is_empty()) || self.unbounded
    }

    /// The lock on one relation.
    pub fn lock_on(&self, relation: &QualifiedName) -> Option<LockMode> {
        self.locks.iter().find(|lock| lock.relation == *relation).map(|lock| lock.mode)
    }
}

/// The effects of each operation of one statement, in order. A statement is judged as a whole, since the subcommands of one ALTER TABLE
/// share one lock and one pass over the table; each operation gets what it brings itself.
///
/// In: the operations of one statement, the catalog before it, the session before it, the server's major version.
pub fn assess(statement: &[Located<Operation>], before: &Catalog, session: &Session, server: Version) -> Vec<Effects> {
    let scene = Scene { statement, catalog: before, session, server };
    (0..statement.len()).map(|at| one(&scene, at)).collect()
}

/// All effects of a statement together: strongest lock for each relation, everything else united.
pub fn union(effects: &[Effects]) -> Effects {
    let mut all = Effects::default();
    for one in effects {
        all.locks.extend_from_slice(&one.locks);
        all.rewrites.extend_from_slice(&one.rewrites);
        all.scans.extend_from_slice(&one.scans);
        all.builds.extend_from_slice(&one.builds);
        all.rebuilds.extend_from_slice(&one.rebuilds);
        all.destroys.extend_from_slice(&one.destroys);
        all.breaks.extend_from_slice(&one.breaks);
        all.assumed.extend_from_slice(&one.assumed);
        all.unbounded |= one.unbounded;
        all.fills = all.fills.or_else(|| one.fills.clone());
        all.opaque |= one.opaque;
        if one.transaction == InTransaction::Forbidden {
            all.transaction = InTransaction::Forbidden;
        }
    }
    all.settle();
    all
}

fn one(scene: &Scene<'_>, at: usize) -> Effects {
    let mut effects = Effects::default();
    let out = &mut effects;
    match &scene.statement[at].what {
        Operation::CreateTable(create) => table::create(scene, create, out),
        Operation::CreateTableAs(create) => table::create_as(scene, create, out),
        Operation::Alter(target, action) => alter::alter(scene, target, action, out),
        Operation::AddConstraint(add) => constraint::add(scene, at, add, out),
        Operation::CreateIndex(create) => index::create(scene, create, out),
        Operation::Reindex(reindex) => index::reindex(scene, reindex, out),
        Operation::CreateView(view) => object::create_view(scene, view, out),
        Operation::CreateMaterializedView(view) => object::create_materialized_view(scene, view, out),
        Operation::RefreshMaterializedView { name, concurrently, with_data } => {
            object::refresh(scene, name, *concurrently, *with_data, out)
        }
        Operation::AlterSequence { name, if_exists, .. } => object::alter_sequence(scene, name, *if_exists, out),
        Operation::AlterDomain { name, action } => object::alter_domain(scene, name, action, out),
        Operation::RenameEnumValue { name, .. } => object::rename_value(scene, name, out),
        Operation::CreateTrigger(trigger) => object::create_trigger(scene, trigger, out),
        Operation::CreateRule { table, .. } => object::on_table(scene, table, LockMode::AccessExclusive, out),
        Operation::Policy(policy) => object::on_table(scene, &policy.table, LockMode::AccessExclusive, out),
        Operation::CreateStatistics { table, .. } => object::create_statistics(scene, table.as_ref(), out),
        Operation::Drop(what) => drop::drop(scene, what, out),
        Operation::Rename { object, name, table, .. } => object::rename(scene, *object, name, table.as_ref(), out),
        Operation::Truncate { table, only, cascade, restart_identity } => {
            drop::truncate(scene, table, *only, *cascade, *restart_identity, out)
        }
        Operation::Insert(insert) => data::insert(scene, insert, out),
        Operation::Update(update) => data::update(scene, update, out),
        Operation::Delete(delete) => data::delete(scene, delete, out),
        Operation::Merge { table, limited, .. } => data::merge(scene, table, *limited, out),
        Operation::Copy { table, from, .. } => data::copy(scene, table.as_ref(), *from, out),
        Operation::Select { reads, locks_rows, .. } => data::select(scene, reads, *locks_rows, out),
        Operation::LockTable { table, only, mode, .. } => maintenance::lock_table(scene, table, *only, *mode, out),
        Operation::Vacuum { table, full, .. } => maintenance::vacuum(scene, table.as_ref(), *full, out),
        Operation::Analyze { table } => maintenance::analyze(scene, table.as_ref(), out),
        Operation::Cluster { table, .. } => maintenance::cluster(scene, table.as_ref(), out),
        Operation::Repack { table, concurrently } => maintenance::repack(scene, table.as_ref(), *concurrently, out),
        Operation::Comment { object, name, table, .. } => object::comment(scene, *object, name.as_ref(), table.as_ref(), out),
        Operation::Dynamic { .. } | Operation::Unreadable { .. } | Operation::PsqlCommand { .. } => {
            out.opaque = scene.statement[at].what.runs_unseen();
        }
        Operation::Other { words, tables, transactional, .. } => {
            object::publish(scene, tables, out);
            if !transactional {
                out.transaction = InTransaction::Forbidden;
            }
            // ALTER TABLE ALL IN TABLESPACE, DROP OWNED: which relations lie there, or are his, only the server knows.
            out.opaque |= words.ends_with("all in tablespace") || &**words == "drop owned by";
        }
        Operation::TwoPhase(TwoPhase::Commit | TwoPhase::Rollback) => out.transaction = InTransaction::Forbidden,
        Operation::DoBlock { .. }
        | Operation::Call { .. }
        | Operation::CreateSequence { .. }
        | Operation::CreateType { .. }
        | Operation::CreateDomain { .. }
        | Operation::AddEnumValue { .. }
        | Operation::CreateFunction(_)
        | Operation::CreateSchema { .. }
        | Operation::CreateExtension { .. }
        | Operation::Privilege(_)
        | Operation::Begin
        | Operation::Commit { .. }
        | Operation::Rollback { .. }
        | Operation::Savepoint(_)
        | Operation::Release(_)
        | Operation::RollbackTo(_)
        | Operation::TwoPhase(TwoPhase::Prepare)
        | Operation::Set { .. }
        | Operation::Reset { .. }
        | Operation::SetConstraints { .. } => {}
    }
    effects.settle();
    effects
}
