//! Constraints in one line.

use super::Line;
use crate::model::operation::{AddConstraint, ConstraintKind, DomainCheck, ForeignKey, Key, Written};

pub(super) fn describe(constraint: &AddConstraint, line: &mut Line) {
    line.word(&constraint.table).flag(constraint.only, "only").maybe(constraint.name.as_ref());
    match &constraint.kind {
        ConstraintKind::Check { expression } => {
            line.word(super::Shown(expression));
        }
        ConstraintKind::NotNull { column } => {
            line.word(column);
        }
        ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => self::key(key, line),
        ConstraintKind::Exclude { method, columns, predicate, .. } => {
            line.labelled("using", method.as_ref()).group(columns).expression("where", predicate.as_ref());
        }
        ConstraintKind::ForeignKey(key) => foreign_key(key, line),
    }
    line.flag(constraint.not_valid, "not_valid").flag(!constraint.enforced, "not_enforced");
    line.flag(constraint.deferrable, "deferrable").flag(constraint.deferred, "deferred").flag(constraint.no_inherit, "no_inherit");
    line.word(match constraint.written {
        Written::CreateTable => "in create_table",
        Written::AddColumn => "in add_column",
        Written::AddConstraint => return,
    });
}

fn key(key: &Key, line: &mut Line) {
    match &key.using_index {
        Some(index) => line.labelled("using_index", Some(index)),
        None => line.group(&key.columns),
    };
    line.list("include", &key.include).flag(key.nulls_not_distinct, "nulls_not_distinct");
    line.flag(key.without_overlaps, "without_overlaps");
}

fn foreign_key(key: &ForeignKey, line: &mut Line) {
    line.group(&key.columns).word("->").word(&key.referenced);
    if !key.referenced_columns.is_empty() {
        line.group(&key.referenced_columns);
    }
    line.labelled("on_delete", key.on_delete.as_deref());
    if !key.on_delete_columns.is_empty() {
        line.group(&key.on_delete_columns);
    }
    line.labelled("on_update", key.on_update.as_deref());
}

pub(super) fn domain_check(check: &DomainCheck, line: &mut Line) {
    line.labelled("check", check.name.as_ref()).word(super::Shown(&check.expression)).flag(check.not_valid, "not_valid");
}
