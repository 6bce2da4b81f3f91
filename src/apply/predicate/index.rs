//! CREATE INDEX and DROP INDEX.

use super::Evidence;
use super::inquiry::{Inquiry, Relation, literal, qualified};
use super::shadow::{self, Definition};
use crate::db::Refusal;
use crate::model::name::{Name, QualifiedName};
use crate::model::operation::CreateIndex;
use crate::text::SourceFile;
use sqlx::Row;

/// An index that is there, or what stands in the place of one.
struct Standing {
    oid: i64,
    name: QualifiedName,
    /// `relkind`.
    kind: String,
    /// Its table; `None` if it is no index.
    table: Option<i64>,
    valid: bool,
}

/// CREATE INDEX, which ends in the file at `end`.
pub(super) async fn created(inquiry: &mut Inquiry<'_>, create: &CreateIndex, source: &SourceFile, end: u32) -> Result<Evidence, Refusal> {
    // Without its table it cannot have happened, and the server will say what is wrong.
    let Some(table) = inquiry.relation(&create.table).await? else { return Ok(Evidence::NotYet) };
    match &create.name {
        Some(name) => {
            let place = format!("c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = {})", table.oid);
            let named = standing(inquiry, &format!("{place} AND c.relname = {}", literal(name.as_str()))).await?;
            match named.first() {
                Some(index) => named_index(inquiry, index, (create, source, end), &table).await,
                None => Ok(Evidence::NotYet),
            }
        }
        None => unnamed(inquiry, (create, source, end), &table).await,
    }
}

/// What CREATE INDEX says, and where.
type Written<'a> = (&'a CreateIndex, &'a SourceFile, u32);

async fn named_index(inquiry: &mut Inquiry<'_>, index: &Standing, written: Written<'_>, table: &Relation) -> Result<Evidence, Refusal> {
    let name = index.name.sql();
    if index.kind != "i" {
        let is = if index.kind == "I" { "an index of a partitioned table" } else { "no index" };
        return Ok(Evidence::Differs { why: format!("there is `{name}`, which is {is}") });
    }
    if index.table != Some(table.oid) {
        return Ok(Evidence::Differs { why: format!("there is `{name}`, an index of another table than `{}`", table.name.sql()) });
    }
    if !index.valid {
        return unfinished(inquiry, index, table).await;
    }
    let wanted = match shadow::wanted(inquiry, written.0, table, (written.1, written.2)).await? {
        Ok(wanted) => wanted,
        Err(why) => return Ok(Evidence::Unknown { why: format!("there is `{name}`, and {why}") }),
    };
    let there = shadow::definitions(inquiry, &format!("i.indexrelid = {}", index.oid), written.0).await?;
    Ok(match there.first().and_then(|(_, there)| there.difference(&wanted)) {
        None => Evidence::Done,
        Some(difference) => Evidence::Differs { why: format!("there is `{name}`, and {difference}") },
    })
}

/// The server has chosen the name, so any index of that definition may be it.
async fn unnamed(inquiry: &mut Inquiry<'_>, written: Written<'_>, table: &Relation) -> Result<Evidence, Refusal> {
    let indexes = standing(inquiry, &format!("i.indrelid = {} AND c.relkind = 'i'", table.oid)).await?;
    if indexes.is_empty() {
        return Ok(Evidence::NotYet);
    }
    let wanted = match shadow::wanted(inquiry, written.0, table, (written.1, written.2)).await? {
        Ok(wanted) => wanted,
        Err(why) => return Ok(Evidence::Unknown { why }),
    };
    let there = shadow::definitions(inquiry, &format!("i.indrelid = {}", table.oid), written.0).await?;
    let is_wanted = |definition: &Definition| definition.difference(&wanted).is_none();
    let same: Vec<i64> = there.iter().filter(|(_, definition)| is_wanted(definition)).map(|(oid, _)| *oid).collect();
    let mut same = indexes.iter().filter(|index| same.contains(&index.oid));
    if same.clone().any(|index| index.valid) {
        return Ok(Evidence::Done);
    }
    match same.next() {
        Some(index) => unfinished(inquiry, index, table).await,
        None => Ok(Evidence::NotYet),
    }
}

/// Of an index that is not valid: it is being built, or was left behind.
async fn unfinished(inquiry: &mut Inquiry<'_>, index: &Standing, table: &Relation) -> Result<Evidence, Refusal> {
    let name = index.name.sql();
    if let Some(pid) = inquiry.busy(&[table.oid, index.oid]).await? {
        return Ok(Evidence::Busy { pid, what: format!("index `{name}` is not valid, and process {pid} may be building it") });
    }
    Ok(Evidence::Leftover {
        what: format!("index `{name}` is invalid: its build was broken off"),
        drop: format!("DROP INDEX CONCURRENTLY {name}"),
    })
}

/// DROP INDEX. A drop that was broken off leaves the index invalid, and is to be run again.
pub(super) async fn dropped(inquiry: &mut Inquiry<'_>, name: &Name) -> Result<Evidence, Refusal> {
    let Some(index) = inquiry.relation(name).await? else { return Ok(Evidence::Done) };
    let name = index.name.sql();
    if !matches!(index.kind.as_str(), "i" | "I") {
        return Ok(Evidence::Differs { why: format!("there is `{name}`, which is no index") });
    }
    Ok(match inquiry.busy(&[index.oid]).await? {
        Some(pid) => Evidence::Busy { pid, what: format!("index `{name}` is there, and process {pid} may be dropping it") },
        None => Evidence::NotYet,
    })
}

async fn standing(inquiry: &mut Inquiry<'_>, condition: &str) -> Result<Vec<Standing>, Refusal> {
    let query = format!(
        "SELECT c.oid::int8, n.nspname::text, c.relname::text, c.relkind::text, i.indrelid::int8, coalesce(i.indisvalid, false)
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_index i ON i.indexrelid = c.oid
         WHERE {condition} ORDER BY c.oid"
    );
    let rows = inquiry.rows(&query).await?;
    rows.iter()
        .map(|row| {
            let name = qualified(row.try_get(1)?, row.try_get(2)?);
            Ok(Standing { oid: row.try_get(0)?, name, kind: row.try_get(3)?, table: row.try_get(4)?, valid: row.try_get(5)? })
        })
        .collect()
}
