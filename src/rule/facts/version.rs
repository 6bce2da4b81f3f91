//! Facts about the server's version: what an operation needs, and what is there.

use super::{Fact, Kind, table};
use crate::model::expression::Expression;
use crate::model::kind::OpKind;
use crate::model::operation::{AddConstraint, AlterAction, ConstraintKind, DomainAction, Operation};
use crate::rule::moment::Moment;

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "newer_than_server", kind: Kind::Bool, of: OpKind::ALL, read: |m| need(m).is_some_and(|need| need.1 > m.server.0).into(),
           doc: "it needs a later major version than the one that is judged for" },
    Fact { name: "newer_feature", kind: Kind::Text, of: OpKind::ALL, read: |m| need(m).map(|need| need.0).into(),
           doc: "what it needs a later version for" },
    Fact { name: "needs_version", kind: Kind::Number, of: OpKind::ALL, read: |m| need(m).map(|need| i64::from(need.1)).into(),
           doc: "the major version that it needs" },
    Fact { name: "server", kind: Kind::Number, of: OpKind::ALL, read: |m| i64::from(m.server.0).into(),
           doc: "the major version that is judged for" },
];

/// A feature and the major version that brought it.
type Need = (&'static str, u8);

/// The newest thing in an operation (release notes of each version; the examples of version-gated-syntax are tried on servers).
fn need(m: &Moment<'_>) -> Option<Need> {
    let by_kind = match m.operation()? {
        Operation::CreateIndex(index) => index.nulls_not_distinct.then_some(("NULLS NOT DISTINCT", 15)),
        Operation::AddConstraint(constraint) => of_constraint(m, constraint),
        Operation::CreateTrigger(trigger) => trigger.or_replace.then_some(("CREATE OR REPLACE TRIGGER", 14)),
        Operation::CreateFunction(function) => function.atomic.then_some(("a function body without quotes", 14)),
        Operation::CreateView(view) => view.security_invoker.then_some(("security_invoker", 15)),
        Operation::Merge { .. } => Some(("MERGE", 15)),
        Operation::Repack { .. } => Some(("REPACK", 19)),
        Operation::Set { name, .. } => name.eq_ignore_ascii_case("transaction_timeout").then_some(("transaction_timeout", 17)),
        Operation::AlterDomain { action: DomainAction::AddNotNull, .. } => Some(("NOT NULL as a constraint of a domain", 17)),
        Operation::CreateTable(table) => table.columns.iter().filter_map(|column| of_column(&column.what)).max_by_key(|need| need.1),
        Operation::Alter(_, action) => of_action(action),
        _ => None,
    };
    let by_call = expressions(m.operation()?).into_iter().filter_map(of_calls).max_by_key(|need| need.1);
    by_kind.into_iter().chain(by_call).max_by_key(|need| need.1)
}

fn of_action(action: &AlterAction) -> Option<Need> {
    match action {
        AlterAction::AddColumn { column, .. } => of_column(column),
        AlterAction::DropExpression { .. } => Some(("DROP EXPRESSION", 13)),
        AlterAction::SetCompression { .. } => Some(("SET COMPRESSION", 14)),
        AlterAction::DetachPartition { how, .. } => {
            (*how != crate::model::operation::Detach::Plain).then_some(("DETACH PARTITION CONCURRENTLY", 14))
        }
        AlterAction::SetAccessMethod { method: Some(_) } => Some(("SET ACCESS METHOD", 15)),
        AlterAction::SetAccessMethod { method: None } => Some(("SET ACCESS METHOD DEFAULT", 17)),
        AlterAction::SetExpression { .. } => Some(("SET EXPRESSION", 17)),
        AlterAction::AlterConstraint { enforced: Some(_), .. } => Some(("ALTER CONSTRAINT ... [NOT] ENFORCED", 18)),
        AlterAction::AlterConstraint { inherit: Some(_), .. } => Some(("ALTER CONSTRAINT ... [NO] INHERIT", 18)),
        // 19rc1 still refuses both as syntax errors (measured).
        AlterAction::MergePartitions { .. } => Some(("MERGE PARTITIONS", 20)),
        AlterAction::SplitPartition { .. } => Some(("SPLIT PARTITION", 20)),
        _ => None,
    }
}

fn of_column(column: &crate::model::operation::Column) -> Option<Need> {
    column.generated.as_ref().filter(|generated| !generated.stored).map(|_| ("a virtual generated column", 18))
}

fn of_constraint(m: &Moment<'_>, constraint: &AddConstraint) -> Option<Need> {
    if !constraint.enforced {
        return Some(("NOT ENFORCED", 18));
    }
    match &constraint.kind {
        ConstraintKind::NotNull { .. } => Some(("NOT NULL as a constraint of a table", 18)),
        ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) if key.without_overlaps => Some(("WITHOUT OVERLAPS", 18)),
        ConstraintKind::Unique(key) if key.nulls_not_distinct => Some(("NULLS NOT DISTINCT", 15)),
        ConstraintKind::ForeignKey(_) if constraint.not_valid => {
            let partitioned = table::relation(m).is_some_and(|relation| relation.partition_by.is_some());
            partitioned.then_some(("a NOT VALID foreign key of a partitioned table", 18))
        }
        ConstraintKind::Unique(_)
        | ConstraintKind::PrimaryKey(_)
        | ConstraintKind::Check { .. }
        | ConstraintKind::Exclude { .. }
        | ConstraintKind::ForeignKey(_) => None,
    }
}

/// The expressions of an operation that may call a function which is young.
fn expressions(operation: &Operation) -> Vec<&Expression> {
    match operation {
        Operation::CreateTable(table) => table.columns.iter().filter_map(|column| column.what.default.as_ref()).collect(),
        Operation::Alter(_, action) => match &**action {
            AlterAction::AddColumn { column, .. } => column.default.iter().collect(),
            AlterAction::SetDefault { default, .. } => vec![default],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn of_calls(expression: &Expression) -> Option<Need> {
    let young = expression.calls.iter().filter(|call| call.schema.as_ref().is_none_or(|schema| *schema == "pg_catalog"));
    young
        .filter_map(|call| match call.name.as_str() {
            "uuidv7" => Some(("uuidv7()", 18)),
            "uuidv4" => Some(("uuidv4()", 18)),
            _ => None,
        })
        .next()
}
