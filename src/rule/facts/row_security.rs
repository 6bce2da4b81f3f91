//! Facts about row-level security: whom policies let through, and what goes around them.

use super::{Fact, Kind, Value, column, table};
use crate::model::catalog::Lookup;
use crate::model::kind::OpKind;
use crate::model::name::{Ident, Name, QualifiedName};
use crate::model::operation::{AlterAction, CreateView, ObjectKind, Operation, Policy, RowSecurity};
use crate::rule::moment::Moment;
use std::ops::Range;

const SWITCH: &[OpKind] = &[OpKind::SetRowSecurity];
const WRITTEN: &[OpKind] = &[OpKind::CreatePolicy, OpKind::AlterPolicy];
const ON_POLICIES: &[OpKind] = &[OpKind::CreatePolicy, OpKind::AlterPolicy, OpKind::DropPolicy];
const VIEW: &[OpKind] = &[OpKind::CreateView];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "row_security", kind: Kind::Words(&["enable", "disable", "force", "no_force"]), of: SWITCH, read: row_security,
           doc: "what is switched" },
    Fact { name: "policies", kind: Kind::Words(&["there", "same_transaction", "later", "none"]), of: SWITCH, read: policies,
           doc: "whether the table has a policy, or gets one further down in the file, in the same transaction or in a later one" },
    Fact { name: "protected", kind: Kind::Bool, of: &[OpKind::SetRowSecurity, OpKind::CreatePolicy, OpKind::AlterPolicy, OpKind::DropPolicy], read: protected,
           doc: "row-level security is on for the table" },
    Fact { name: "policy", kind: Kind::Text, of: ON_POLICIES, read: |m| policy_name(m).into(), doc: "the policy" },
    Fact { name: "policy_replaced", kind: Kind::Bool, of: &[OpKind::DropPolicy], read: |m| is_replaced(m).into(),
           doc: "the same transaction makes a policy of the same table" },
    Fact { name: "last_policy", kind: Kind::Bool, of: &[OpKind::DropPolicy], read: |m| is_last(m).into(),
           doc: "the table has no other policy" },
    Fact { name: "every_row", kind: Kind::Bool, of: WRITTEN, read: |m| policy(m).map(|policy| policy.every_row).into(),
           doc: "USING (true) or WITH CHECK (true): every row passes" },
    Fact { name: "everybody", kind: Kind::Bool, of: WRITTEN, read: |m| policy(m).map(is_for_everybody).into(),
           doc: "it holds for every role: TO is left out of CREATE, or names PUBLIC" },
    Fact { name: "restrictive", kind: Kind::Bool, of: &[OpKind::CreatePolicy], read: |m| policy(m).map(|policy| policy.restrictive).into(),
           doc: "AS RESTRICTIVE: it takes rows away from what other policies let through" },
    Fact { name: "policy_command", kind: Kind::Words(&["all", "select", "insert", "update", "delete"]), of: &[OpKind::CreatePolicy], read: command,
           doc: "the statements that it is about" },
    Fact { name: "reads_protected", kind: Kind::Bool, of: VIEW, read: |m| read_and_protected(m).is_some().into(),
           doc: "the view reads a table on which row-level security is known to be on" },
    Fact { name: "protected_table", kind: Kind::Text, of: VIEW, read: |m| read_and_protected(m).map(Name::sql).into(),
           doc: "the first such table" },
    Fact { name: "invoker_rights", kind: Kind::Bool, of: VIEW, read: |m| view(m).map(|view| view.security_invoker || set_later(m, view)).into(),
           doc: "security_invoker is on: in the statement, or by a later one of the file" },
    Fact { name: "gets_row_security", kind: Kind::Bool, of: &[OpKind::CreateTable], read: gets_row_security,
           doc: "row-level security is on for the table behind the last migration that is known" },
];

fn row_security<'a>(m: &Moment<'a>) -> Value<'a> {
    match column::alter(m) {
        Some(AlterAction::RowSecurity(setting)) => Value::Word(match setting {
            RowSecurity::Enable => "enable",
            RowSecurity::Disable => "disable",
            RowSecurity::Force => "force",
            RowSecurity::NoForce => "no_force",
        }),
        _ => Value::Unknown,
    }
}

fn policies<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(table) = table::name(m).map(|name| m.before.resolve(&name)) else { return Value::Unknown };
    let known = m.before.get(&table);
    if known.is_some_and(|relation| !relation.policies.is_empty()) {
        return Value::Word("there");
    }
    if makes_policy(m, &table, &m.rest_of_transaction()) {
        return Value::Word("same_transaction");
    }
    if makes_policy(m, &table, &behind(m)) {
        return Value::Word("later");
    }
    match known {
        Some(relation) if relation.complete => Value::Word("none"),
        Some(_) | None => Value::Unknown,
    }
}

/// Whether a statement in a range of the file makes a policy of a table.
fn makes_policy(m: &Moment<'_>, table: &QualifiedName, among: &Range<usize>) -> bool {
    let is_it = |operation: &Operation| matches!(operation, Operation::Policy(policy) if policy.create && m.before.resolve(&policy.table) == *table);
    operations_on(m, &table.name, among).any(is_it)
}

/// What the statements of a range that speak of rights on a thing of this name do.
pub(super) fn operations_on<'a>(m: &Moment<'a>, name: &Ident, among: &Range<usize>) -> impl Iterator<Item = &'a Operation> {
    let (file, places) = (m.file, m.outline().rights_on(name));
    let here = &places[places.partition_point(|at| *at < among.start)..places.partition_point(|at| *at < among.end)];
    here.iter().flat_map(move |at| file[*at].operations.iter().map(|operation| &operation.what))
}

/// The statements behind this one.
pub(super) fn behind(m: &Moment<'_>) -> Range<usize> {
    m.index.map_or(0, |here| here + 1)..usize::MAX
}

fn protected<'a>(m: &Moment<'a>) -> Value<'a> {
    match table::relation(m) {
        Some(relation) if relation.row_security || relation.complete => relation.row_security.into(),
        Some(_) | None => Value::Unknown,
    }
}

fn policy<'a>(m: &Moment<'a>) -> Option<&'a Policy> {
    match m.operation() {
        Some(Operation::Policy(policy)) => Some(policy),
        _ => None,
    }
}

fn policy_name(m: &Moment<'_>) -> Option<String> {
    match m.operation()? {
        Operation::Policy(policy) => Some(policy.name.sql()),
        Operation::Drop(drop) => Some(drop.name.sql()),
        _ => None,
    }
}

fn is_for_everybody(policy: &Policy) -> bool {
    (policy.create && policy.roles.is_empty()) || policy.roles.iter().any(|role| *role == "public")
}

fn command<'a>(m: &Moment<'a>) -> Value<'a> {
    const COMMANDS: [&str; 5] = ["all", "select", "insert", "update", "delete"];
    let written = policy(m).and_then(|policy| policy.command.as_deref());
    written.and_then(|written| COMMANDS.into_iter().find(|command| *command == written)).map_or(Value::Unknown, Value::Word)
}

/// Whether a new policy comes before or behind it, so that nobody sees the table without.
fn is_replaced(m: &Moment<'_>) -> bool {
    let Some(table) = table::name(m).map(|name| m.before.resolve(&name)) else { return false };
    makes_policy(m, &table, &m.earlier_in_transaction()) || makes_policy(m, &table, &m.rest_of_transaction())
}

fn is_last(m: &Moment<'_>) -> Option<bool> {
    let Some(Operation::Drop(drop)) = m.operation() else { return None };
    let relation = table::relation(m)?;
    let others = relation.policies.iter().any(|policy| policy.name != drop.name.name);
    (others || relation.complete).then_some(!others)
}

fn view<'a>(m: &Moment<'a>) -> Option<&'a CreateView> {
    match m.operation() {
        Some(Operation::CreateView(view)) => Some(view),
        _ => None,
    }
}

fn read_and_protected<'a>(m: &Moment<'a>) -> Option<&'a Name> {
    let is_protected = |name: &&Name| matches!(m.before.relation(name), Lookup::Known(relation) if relation.row_security);
    view(m)?.reads.iter().find(is_protected)
}

/// ALTER VIEW ... SET (security_invoker) further down.
fn set_later(m: &Moment<'_>, view: &CreateView) -> bool {
    operations_on(m, &view.name.name, &behind(m)).any(|operation| match operation {
        Operation::Alter(target, action) if target.name == view.name && target.written == ObjectKind::View => {
            matches!(&**action, AlterAction::SetOptions { options } if options.iter().any(|(name, _)| **name == *"security_invoker"))
        }
        _ => false,
    })
}

fn gets_row_security<'a>(m: &Moment<'a>) -> Value<'a> {
    let Some(Operation::CreateTable(create)) = m.operation() else { return Value::Unknown };
    let name = m.before.creation_name(&create.name, create.persistence);
    m.end.get(&name).is_none_or(|relation| relation.row_security).into()
}
