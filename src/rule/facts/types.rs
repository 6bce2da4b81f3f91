//! Facts about enum types and domains.

use super::object::{STATES, state};
use super::statement::{is_shared, shown};
use super::{Fact, Kind, Value, column, table};
use crate::model::catalog::Lookup;
use crate::model::kind::OpKind;
use crate::model::name::Name;
use crate::model::operation::{AlterAction, DomainAction, Operation, Realm};
use crate::model::types::UserType;
use crate::rule::moment::Moment;

const CHECKS: &[OpKind] = &[OpKind::AddDomainCheck, OpKind::AddDomainNotNull, OpKind::ValidateDomainConstraint];
const DOMAINS: &[OpKind] = &[OpKind::CreateDomain, OpKind::AddDomainCheck, OpKind::AddDomainNotNull, OpKind::ValidateDomainConstraint];

#[rustfmt::skip]
pub(super) const FACTS: &[Fact] = &[
    Fact { name: "placed", kind: Kind::Bool, of: &[OpKind::AddEnumValue], read: |m| matches!(m.operation(), Some(Operation::AddEnumValue { placed: true, .. })).into(),
           doc: "BEFORE or AFTER another value" },
    Fact { name: "enum", kind: Kind::Words(STATES), of: &[OpKind::AddEnumValue, OpKind::RenameEnumValue], read: enum_type,
           doc: "the enum type: `new` if this file made it" },
    Fact { name: "object", kind: Kind::Words(STATES), of: &[OpKind::DropAttribute], read: composite,
           doc: "the composite type: `new` if this file made it" },
    Fact { name: "value", kind: Kind::Text, of: &[OpKind::RenameEnumValue], read: |m| match m.operation() { Some(Operation::RenameEnumValue { from, .. }) => Value::Text((&**from).into()), _ => Value::Unknown },
           doc: "the enum value as it was called" },
    Fact { name: "new_value", kind: Kind::Text, of: &[OpKind::RenameEnumValue], read: |m| match m.operation() { Some(Operation::RenameEnumValue { to, .. }) => Value::Text((&**to).into()), _ => Value::Unknown },
           doc: "the enum value as it will be called" },
    Fact { name: "loses_values", kind: Kind::Bool, of: &[OpKind::ChangeColumnType], read: |m| (!lost_values(m).is_empty()).into(),
           doc: "old and new type are known enums, and the new one lacks values of the old one" },
    Fact { name: "lost_values", kind: Kind::Text, of: &[OpKind::ChangeColumnType], read: |m| lost_values(m).join(super::BETWEEN_NAMES).into(),
           doc: "those values" },
    Fact { name: "maps_values", kind: Kind::Bool, of: &[OpKind::ChangeColumnType], read: |m| maps_values(m).into(),
           doc: "USING does more with the old value than cast it" },
    Fact { name: "domain", kind: Kind::Words(STATES), of: DOMAINS, read: domain,
           doc: "the domain: `new` if this file made it" },
    Fact { name: "constrained", kind: Kind::Bool, of: &[OpKind::CreateDomain], read: |m| matches!(m.operation(), Some(Operation::CreateDomain { not_null, checks, .. }) if *not_null || !checks.is_empty()).into(),
           doc: "CHECK or NOT NULL is said" },
    Fact { name: "checks_tables", kind: Kind::Bool, of: CHECKS, read: checks_tables,
           doc: "columns of the domain in tables that existed before the migration are read as a whole" },
    Fact { name: "checked_tables", kind: Kind::Text, of: CHECKS, read: checked_tables,
           doc: "those tables, in words" },
];

fn enum_type<'a>(m: &Moment<'a>) -> Value<'a> {
    match m.operation() {
        Some(Operation::AddEnumValue { name, .. } | Operation::RenameEnumValue { name, .. }) => state(m, Realm::Type, name),
        _ => Value::Unknown,
    }
}

fn composite<'a>(m: &Moment<'a>) -> Value<'a> {
    match m.operation() {
        Some(Operation::Alter(target, _)) => state(m, Realm::Type, &target.name),
        _ => Value::Unknown,
    }
}

fn lost_values(m: &Moment<'_>) -> Vec<String> {
    let Some(AlterAction::ChangeType { column, data_type, .. }) = column::alter(m) else { return Vec::new() };
    let old = table::relation(m).and_then(|relation| relation.column(column)).and_then(|column| column.data_type.as_ref());
    let labels = |name: &Name| match m.before.user_type(name) {
        Lookup::Known(UserType::Enum(labels)) => Some(labels),
        Lookup::Known(_) | Lookup::Absent | Lookup::Unknown => None,
    };
    match (old.and_then(|old| labels(&old.name)), labels(&data_type.name)) {
        (Some(old), Some(new)) => old.iter().filter(|label| !new.contains(label)).map(ToString::to_string).collect(),
        _ => Vec::new(),
    }
}

/// By CASE, or by a function.
fn maps_values(m: &Moment<'_>) -> bool {
    let Some(AlterAction::ChangeType { using: Some(using), .. }) = column::alter(m) else { return false };
    !using.calls.is_empty() || using.text.split(' ').any(|word| word == "case")
}

fn domain<'a>(m: &Moment<'a>) -> Value<'a> {
    match m.operation() {
        Some(Operation::CreateDomain { name, .. } | Operation::AlterDomain { name, .. }) => state(m, Realm::Type, name),
        _ => Value::Unknown,
    }
}

/// Of a domain that nobody has seen it is not known which tables use it.
fn checks_tables<'a>(m: &Moment<'a>) -> Value<'a> {
    match m.operation() {
        Some(Operation::AlterDomain { action: DomainAction::AddCheck(check), .. }) if check.not_valid => false.into(),
        Some(Operation::AlterDomain { .. }) if m.effects.opaque => Value::Unknown,
        _ => m.effects.scans.iter().any(|table| is_shared(m, table)).into(),
    }
}

fn checked_tables<'a>(m: &Moment<'a>) -> Value<'a> {
    if m.effects.opaque {
        return "every table that uses it".into();
    }
    let tables: Vec<String> =
        m.effects.scans.iter().filter(|table| is_shared(m, table)).map(|table| format!("`{}`", shown(m, table))).collect();
    match tables.as_slice() {
        [one] => one.clone().into(),
        [one, two] => format!("{one} and {two}").into(),
        [one, rest @ ..] => format!("{one} and {} other tables", rest.len()).into(),
        [] => Value::Unknown,
    }
}
