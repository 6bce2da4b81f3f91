//! CREATE POLICY and ALTER POLICY.

use super::super::cursor::{Cursor, Read};
use super::super::{Operations, one};
use crate::model::expression::Predicate;
use crate::model::name::Name;
use crate::model::operation::{ObjectKind, Operation, Policy};
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
    // The server's grammar takes any word behind AS and refuses most of them later.
    let restrictive = create && cursor.take("as") && cursor.expect_any(&["permissive", "restrictive"])? == "restrictive";
    let command = match create && cursor.take("for") {
        true => Some(cursor.expect_any(&["all", "select", "insert", "update", "delete"])?),
        false => create.then_some("all"),
    };
    let roles = if cursor.take("to") { cursor.list(Cursor::role)? } else { Vec::new() };
    let (mut reads, mut calls, mut every_row) = (Once::default(), Once::default(), false);
    let (mut using, mut check) = (None, None);
    for clause in ["using", "with check"] {
        if cursor.take(clause) {
            let condition = cursor.group()?.rest();
            let condition = cursor.expression(condition)?;
            reads.extend(condition.reads.iter().cloned());
            calls.extend(condition.calls.iter().cloned());
            every_row |= condition.conjuncts.iter().all(|part| *part == Predicate::True) && condition.understood;
            *(if clause == "using" { &mut using } else { &mut check }) = Some(condition);
        }
    }
    let (command, reads, calls) = (command.map(Into::into), reads.into_vec(), calls.into_vec());
    let policy = Policy { name, table, create, restrictive, command, roles, using, check, every_row, reads, calls };
    Ok(one(cursor, from, Operation::Policy(Box::new(policy))))
}
