//! DETACH PARTITION CONCURRENTLY, which commits once before it waits for all who use the parent.

use super::Evidence;
use super::inquiry::Inquiry;
use crate::db::Refusal;
use crate::model::name::Name;
use sqlx::Row;

/// Whether the partition is detached, and wholly.
pub(super) async fn detached(inquiry: &mut Inquiry<'_>, parent: &Name, partition: &Name) -> Result<Evidence, Refusal> {
    let (parent, partition) = match (inquiry.relation(parent).await?, inquiry.relation(partition).await?) {
        (Some(parent), Some(partition)) => (parent, partition),
        (None, _) => return Ok(Evidence::Unknown { why: format!("there is no table `{}`", parent.sql()) }),
        (_, None) => return Ok(Evidence::Unknown { why: format!("there is no table `{}`", partition.sql()) }),
    };
    // The column is there from 14 on, as is CONCURRENTLY.
    let query = format!(
        "SELECT i.inhparent::int8, coalesce(to_jsonb(i) ->> 'inhdetachpending' = 'true', false)
         FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relispartition AND i.inhrelid = {}",
        partition.oid
    );
    let Some(row) = inquiry.row(&query).await? else { return Ok(Evidence::Done) };
    let (of, pending): (i64, bool) = (row.try_get(0)?, row.try_get(1)?);
    let same_parent = parent.oid == of;
    let (parent, partition) = (parent.name.sql(), partition.name.sql());
    if !same_parent {
        return Ok(Evidence::Differs { why: format!("`{partition}` is a partition of another table than `{parent}`") });
    }
    if !pending {
        return Ok(Evidence::NotYet);
    }
    Ok(Evidence::Leftover {
        what: format!("the detaching of `{partition}` from `{parent}` was broken off between its two transactions"),
        drop: format!("ALTER TABLE {parent} DETACH PARTITION {partition} FINALIZE"),
    })
}
