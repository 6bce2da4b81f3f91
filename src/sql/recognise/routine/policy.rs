//! CREATE POLICY and ALTER POLICY.

use super::super::cursor::{Cursor, Read};
use super::super::{Operations, one};
use crate::model::name::Name;
use crate::model::operation::{ObjectKind, Operation};
use crate::sql::detail::Once;

/// CREATE POLICY, ALTER POLICY.
pub(in super::super) fn policy(cursor: &mut Cursor<'_>) -> Read<Operations> {
    let from = cursor.mark();
    let create = cursor.expect_any(&["create policy", "alter policy"])? == "create policy";
    if !create {
        cursor.if_exists();
    }
    let name = cursor.ident()?;
    cursor.expect("on")?;
    let table = cursor.name()?;
    if !create && cursor.take("rename to") {
        let to = cursor.ident()?;
        let rename = Operation::Rename { object: ObjectKind::Policy, name: Name::bare(name), table: Some(table), to };
        return Ok(one(cursor, from, rename));
    }
    if create && cursor.take("as") {
        // The server's grammar takes any word here and refuses most of them later.
        cursor.expect_any(&["permissive", "restrictive"])?;
    }
    if create && cursor.take("for") {
        cursor.expect_any(&["all", "select", "insert", "update", "delete"])?;
    }
    if cursor.take("to") {
        cursor.list(Cursor::role)?;
    }
    let (mut reads, mut calls) = (Once::default(), Once::default());
    for clause in ["using", "with check"] {
        if cursor.take(clause) {
            let condition = cursor.group()?.rest();
            let condition = cursor.expression(condition)?;
            reads.extend(condition.reads.iter().cloned());
            calls.extend(condition.calls.iter().cloned());
        }
    }
    let what = Operation::Policy { name, table, create, reads: reads.into_vec(), calls: calls.into_vec() };
    Ok(one(cursor, from, what))
}
