//! Whether a statement that runs outside of transactions has happened. No row of the ledger commits with it, so the catalog is asked.
//!
//! What is asked follows from the operations of the statement. Nothing is changed: what has to be made to be compared with is made in a
//! transaction that is rolled back.

mod index;
mod inquiry;
mod object;
mod partition;
mod reindex;
mod shadow;

use crate::db::{Connection, Refusal};
use crate::model::operation::{AlterAction, Detach, Drop, ObjectKind, Operation};
use crate::sql::Statement;
use crate::text::SourceFile;
use inquiry::Inquiry;

/// What the catalog says of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// It has not happened.
    NotYet,
    /// It has happened, wholly.
    Done,
    /// It was broken off and has left something behind, which is to be removed before it runs (again).
    Leftover {
        /// What is there, in words.
        what: String,
        /// The statement that removes it, or brings to an end what was begun. It runs outside of transactions; the catalog is to be asked
        /// again behind it.
        drop: String,
    },
    /// Some session may be at work on it at this moment, so what is there is no leftover yet.
    Busy {
        /// The process that serves the session.
        pid: i32,
        /// What is there so far, in words.
        what: String,
    },
    /// Something of that name exists, and is not what the statement makes.
    Differs {
        /// In what, in words.
        why: String,
    },
    /// Running it again does no harm: VACUUM, ANALYZE, REFRESH, REINDEX, CLUSTER, CHECKPOINT ...
    Repeat,
    /// The catalog cannot tell.
    Unknown {
        /// Why, in words.
        why: String,
    },
}

/// Asks the catalog about a statement. `path` is the `search_path` of the session that runs it.
///
/// No transaction may be open on `connection`, and none is open behind it. Others wait for what it locks, ACCESS SHARE on a table, no
/// longer than it takes to make an empty copy of that table.
///
/// A name without a schema is looked up as it stands. Where two schemas of the path have an index of the same name, the one that is left
/// when the other has been dropped is taken for it: such a DROP is safe only with its schema written out.
///
/// # Errors
/// What the server says if it cannot be asked; then nothing is known.
pub async fn look(connection: &mut Connection, statement: &Statement, source: &SourceFile, path: &str) -> Result<Evidence, Refusal> {
    let mut inquiry = Inquiry::open(connection, path).await?;
    let answer = every(&mut inquiry, statement, source).await;
    let closed = inquiry.close().await;
    // Why it could not be asked says more than that the transaction could not be rolled back either.
    let evidence = answer?;
    closed?;
    Ok(evidence)
}

async fn every(inquiry: &mut Inquiry<'_>, statement: &Statement, source: &SourceFile) -> Result<Evidence, Refusal> {
    let mut all = Vec::with_capacity(1);
    for operation in &statement.operations {
        all.push(one(inquiry, &operation.what, statement, source).await?);
    }
    Ok(together(all))
}

/// What the operations of one statement say together: it has happened if all of them have.
fn together(all: Vec<Evidence>) -> Evidence {
    let mut kinds = all.iter();
    let Some(first) = kinds.next() else { return unknown("it does nothing that the catalog would know") };
    if kinds.all(|next| next == first) {
        return first.clone();
    }
    let stops = |evidence: &&Evidence| !matches!(evidence, Evidence::NotYet | Evidence::Done | Evidence::Repeat);
    match all.iter().find(stops) {
        Some(evidence) => evidence.clone(),
        None => unknown("one part of it has happened, and another has not"),
    }
}

async fn one(inquiry: &mut Inquiry<'_>, operation: &Operation, statement: &Statement, source: &SourceFile) -> Result<Evidence, Refusal> {
    match operation {
        Operation::CreateIndex(create) => index::created(inquiry, create, source, statement.span.end).await,
        Operation::Drop(what) => dropped(inquiry, what).await,
        Operation::Reindex(reindex) if reindex.concurrently => reindex::left(inquiry, reindex).await,
        Operation::Alter(table, action) => match &**action {
            AlterAction::DetachPartition { partition, how: Detach::Concurrently } => {
                partition::detached(inquiry, &table.name, partition).await
            }
            _ => Ok(transactional()),
        },
        Operation::AddEnumValue { name, value, .. } => object::labelled(inquiry, name, value).await,
        Operation::Vacuum { .. }
        | Operation::Analyze { .. }
        | Operation::Cluster { .. }
        | Operation::Repack { .. }
        | Operation::Reindex(_)
        | Operation::RefreshMaterializedView { .. }
        | Operation::Set { .. }
        | Operation::Reset { .. } => Ok(Evidence::Repeat),
        Operation::Other { words, object, .. } => object::other(inquiry, words, object.as_ref()).await,
        Operation::DoBlock { .. } | Operation::Call { .. } => {
            Ok(unknown("what its code has committed before it was broken off, the catalog does not tell"))
        }
        Operation::TwoPhase(_) => Ok(unknown("a prepared transaction that is gone may have been committed or rolled back")),
        Operation::Dynamic { .. } | Operation::Unreadable { .. } | Operation::PsqlCommand { .. } => {
            Ok(unknown("what it does could not be read"))
        }
        // Everything else runs in transactions, and is only run outside of them if a file asks for it.
        _ => Ok(transactional()),
    }
}

async fn dropped(inquiry: &mut Inquiry<'_>, what: &Drop) -> Result<Evidence, Refusal> {
    match what.object {
        ObjectKind::Index => index::dropped(inquiry, &what.name).await,
        ObjectKind::Database => object::database_dropped(inquiry, &what.name.name).await,
        ObjectKind::Tablespace => object::tablespace(inquiry, &what.name.name).await.map(opposite),
        ObjectKind::Subscription => object::subscription(inquiry, &what.name.name).await.map(opposite),
        _ => Ok(transactional()),
    }
}

/// What is there has not been dropped.
fn opposite(evidence: Evidence) -> Evidence {
    match evidence {
        Evidence::Done => Evidence::NotYet,
        Evidence::NotYet => Evidence::Done,
        other => other,
    }
}

fn transactional() -> Evidence {
    unknown("it runs in transactions, and the catalog is not asked about such a statement")
}

fn unknown(why: &str) -> Evidence {
    Evidence::Unknown { why: why.to_owned() }
}
