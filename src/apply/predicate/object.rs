//! What is no relation: databases, tablespaces, subscriptions, labels of enums, settings of the server.

use super::inquiry::{Inquiry, literal};
use super::{Evidence, transactional, unknown};
use crate::db::Refusal;
use crate::model::name::{Ident, Name};
use sqlx::Row;

/// A statement of which only its leading words and its object are known.
pub(super) async fn other(inquiry: &mut Inquiry<'_>, words: &str, object: Option<&Name>) -> Result<Evidence, Refusal> {
    Ok(match (words, object) {
        ("create database", Some(name)) => database(inquiry, &name.name).await?,
        ("create tablespace", Some(name)) => tablespace(inquiry, &name.name).await?,
        ("create subscription", Some(name)) => subscription(inquiry, &name.name).await?,
        // The same value once more, and a database that lies there already, cost nothing.
        ("alter system" | "alter database" | "checkpoint", _) => Evidence::Repeat,
        (words, _) if words.starts_with("discard") => Evidence::Repeat,
        ("alter subscription", _) => unknown("what a subscription has asked of the other server, the catalog does not tell"),
        _ => transactional(),
    })
}

/// A label of an enum.
pub(super) async fn labelled(inquiry: &mut Inquiry<'_>, name: &Name, label: &str) -> Result<Evidence, Refusal> {
    // Without its type it cannot have happened, and the server will say what is wrong.
    let Some(oid) = inquiry.find("to_regtype", name).await? else { return Ok(Evidence::NotYet) };
    let query = format!("SELECT FROM pg_enum WHERE enumtypid = {oid} AND enumlabel = {}", literal(label));
    Ok(done(inquiry.any(&query).await?))
}

/// Whether a tablespace is there; where it lies is not compared.
pub(super) async fn tablespace(inquiry: &mut Inquiry<'_>, name: &Ident) -> Result<Evidence, Refusal> {
    let query = format!("SELECT FROM pg_tablespace WHERE spcname = {}", literal(name.as_str()));
    Ok(done(inquiry.any(&query).await?))
}

/// Whether a subscription of this database is there; what it subscribes to is not compared.
pub(super) async fn subscription(inquiry: &mut Inquiry<'_>, name: &Ident) -> Result<Evidence, Refusal> {
    let here = "subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let query = format!("SELECT FROM pg_subscription WHERE {here} AND subname = {}", literal(name.as_str()));
    Ok(done(inquiry.any(&query).await?))
}

/// CREATE DATABASE; what it was made with is not compared.
async fn database(inquiry: &mut Inquiry<'_>, name: &Ident) -> Result<Evidence, Refusal> {
    Ok(match limit(inquiry, name).await? {
        None => Evidence::NotYet,
        Some(HALF_DROPPED) => Evidence::Leftover {
            what: format!("of database `{}` there is only what a DROP DATABASE that was broken off has left", name.sql()),
            drop: format!("DROP DATABASE {}", name.sql()),
        },
        Some(_) => Evidence::Done,
    })
}

/// DROP DATABASE. One that was broken off is to be run again.
pub(super) async fn database_dropped(inquiry: &mut Inquiry<'_>, name: &Ident) -> Result<Evidence, Refusal> {
    Ok(if limit(inquiry, name).await?.is_some() { Evidence::NotYet } else { Evidence::Done })
}

/// `datconnlimit` of a database that was being dropped: nobody can connect to it any more.
const HALF_DROPPED: i32 = -2;

async fn limit(inquiry: &mut Inquiry<'_>, name: &Ident) -> Result<Option<i32>, Refusal> {
    let query = format!("SELECT datconnlimit FROM pg_database WHERE datname = {}", literal(name.as_str()));
    Ok(inquiry.row(&query).await?.map(|row| row.try_get(0)).transpose()?)
}

fn done(is_there: bool) -> Evidence {
    if is_there { Evidence::Done } else { Evidence::NotYet }
}
