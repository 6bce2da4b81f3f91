//! Whether the CHECKs of a table prove where its rows lie, so that nobody has to look when it becomes a partition, or a neighbour of one.

use super::bound_rows::{as_text, rows_of};
use super::constraint::is_proof;
use crate::model::catalog::{Constraint, Relation};
use crate::model::expression::{Constant, Expression, Predicate};
use crate::model::name::{Ident, Name};
use crate::model::operation::{Bound, ConstraintKind};
use std::cmp::Ordering;

/// Whether validated CHECKs of a table prove that all its rows lie in a bound of the parent. CHECK lets NULL pass, a bound does not.
pub fn fits(parent: &Relation, table: &Relation, bound: &Bound) -> bool {
    if says(parent, table, bound, |condition| condition.to_owned()) {
        return true;
    }
    let Some(key) = key_column(parent) else { return false };
    let says = |wanted: &dyn Fn(&Predicate) -> bool| proofs(table).any(wanted);
    is_never_null(table, key)
        && match bound {
            Bound::Range { from, to } => {
                let ([from], [to]) = (from.as_slice(), to.as_slice()) else { return false };
                says(&|part| is_at_least(part, key, from)) && says(&|part| is_below(part, key, to))
            }
            Bound::In(values) => says(&|part| is_among(part, key, values)),
            Bound::Default | Bound::Hash { .. } | Bound::Unknown => false,
        }
}

/// Whether validated CHECKs of the default partition prove that it holds no row of a bound.
pub fn excludes(parent: &Relation, default: &Relation, bound: &Bound) -> bool {
    if says(parent, default, bound, |condition| format!("NOT ({condition})")) {
        return true;
    }
    let Some(key) = key_column(parent) else { return false };
    is_never_null(default, key) && proofs(default).any(|part| leaves_none(part, key, bound))
}

/// Whether a validated CHECK says of the rows of a bound, word for word, what the server asks.
fn says(parent: &Relation, table: &Relation, bound: &Bound, wanted: impl Fn(&str) -> String) -> bool {
    let bare = Name::bare(parent.name.name.clone());
    let full = Name { schema: Some(parent.name.schema.clone()), name: parent.name.name.clone() };
    let texts: Vec<String> =
        [bare, full].iter().filter_map(|called| rows_of(parent, called, bound)).map(|condition| as_text(&wanted(&condition))).collect();
    table.constraints.iter().filter_map(valid_check).any(|check| texts.contains(&check.text))
}

/// A condition that proves a bound as a CHECK, in SQL. `None` if the key is not one plain column, or the bound is none that a condition on
/// it says.
pub fn condition(parent: &Relation, bound: &Bound) -> Option<String> {
    let key = key_column(parent)?.sql();
    let parts: Vec<String> = match bound {
        Bound::Range { from, to } => {
            let ([from], [to]) = (from.as_slice(), to.as_slice()) else { return None };
            let least = (!is_word(from, "minvalue")).then(|| format!("{key} >= {from}"));
            let below = (!is_word(to, "maxvalue")).then(|| format!("{key} < {to}"));
            least.into_iter().chain(below).collect()
        }
        Bound::In(values) if values.iter().any(|value| is_word(value, "null")) => return None,
        Bound::In(values) => vec![format!("{key} IN ({})", values.join(", "))],
        Bound::Default | Bound::Hash { .. } | Bound::Unknown => return None,
    };
    Some([format!("{key} IS NOT NULL")].into_iter().chain(parts).collect::<Vec<_>>().join(" AND "))
}

/// The key, if it is one column.
fn key_column(parent: &Relation) -> Option<&Ident> {
    match parent.partition_by.as_ref()?.columns.as_slice() {
        [Some(column)] => Some(column),
        _ => None,
    }
}

/// What the validated CHECKs of a table say of each row.
pub(super) fn proofs(table: &Relation) -> impl Iterator<Item = &Predicate> {
    table.constraints.iter().filter_map(valid_check).flat_map(|check| &check.conjuncts)
}

fn valid_check(constraint: &Constraint) -> Option<&Expression> {
    match &constraint.kind {
        ConstraintKind::Check { expression } if constraint.validated && constraint.enforced => Some(expression),
        ConstraintKind::Check { .. }
        | ConstraintKind::NotNull { .. }
        | ConstraintKind::Unique(_)
        | ConstraintKind::PrimaryKey(_)
        | ConstraintKind::Exclude { .. }
        | ConstraintKind::ForeignKey(_) => None,
    }
}

fn is_never_null(table: &Relation, column: &Ident) -> bool {
    table.column(column).is_some_and(|known| known.not_null) || table.constraints.iter().any(|constraint| is_proof(constraint, column))
}

fn is_at_least(part: &Predicate, key: &Ident, from: &str) -> bool {
    is_word(from, "minvalue") || bounded(part, key, &[">=", ">", "="], |value| compare(value, from), &[Ordering::Greater, Ordering::Equal])
}

fn is_below(part: &Predicate, key: &Ident, to: &str) -> bool {
    is_word(to, "maxvalue")
        || bounded(part, key, &["<"], |value| compare(value, to), &[Ordering::Less, Ordering::Equal])
        || bounded(part, key, &["<=", "="], |value| compare(value, to), &[Ordering::Less])
}

/// Whether a condition leaves the key none but these values.
fn is_among(part: &Predicate, key: &Ident, values: &[Box<str>]) -> bool {
    let is_value = |constant: &Constant| values.iter().any(|text| compare(constant, text) == Some(Ordering::Equal));
    match part {
        Predicate::Compare { column, operator, value: Some(value) } => column == key && &**operator == "=" && is_value(value),
        Predicate::InList { column, values: listed } => column == key && listed.as_ref().is_some_and(|listed| listed.iter().all(is_value)),
        _ => false,
    }
}

/// Whether a condition leaves no value of the key inside the bound.
fn leaves_none(part: &Predicate, key: &Ident, bound: &Bound) -> bool {
    let Bound::Range { from, to } = bound else { return false };
    let ([from], [to]) = (from.as_slice(), to.as_slice()) else { return false };
    bounded(part, key, &[">=", ">", "="], |value| compare(value, to), &[Ordering::Greater, Ordering::Equal])
        || bounded(part, key, &["<"], |value| compare(value, from), &[Ordering::Less, Ordering::Equal])
        || bounded(part, key, &["<=", "="], |value| compare(value, from), &[Ordering::Less])
}

fn bounded(
    part: &Predicate,
    key: &Ident,
    operators: &[&str],
    compared: impl Fn(&Constant) -> Option<Ordering>,
    wanted: &[Ordering],
) -> bool {
    match part {
        Predicate::Compare { column, operator, value: Some(value) } => {
            column == key && operators.contains(&&**operator) && compared(value).is_some_and(|order| wanted.contains(&order))
        }
        _ => false,
    }
}

/// How a constant of a condition compares with the text of a bound; `None` if that takes more than numbers, equal texts, or texts that
/// sort as dates do.
fn compare(value: &Constant, bound: &str) -> Option<Ordering> {
    let bound = bound.trim().trim_matches('\'');
    match value {
        Constant::Number(number) => match (number.parse::<i128>(), bound.parse::<i128>()) {
            (Ok(a), Ok(b)) => Some(a.cmp(&b)),
            _ => number.parse::<f64>().ok()?.partial_cmp(&bound.parse::<f64>().ok()?),
        },
        Constant::Text(text) if **text == *bound => Some(Ordering::Equal),
        Constant::Text(text) if is_date(text) && is_date(bound) => Some((**text).cmp(bound)),
        Constant::Text(_) | Constant::Null | Constant::Boolean(_) => None,
    }
}

/// `2026-01-31`.
fn is_date(text: &str) -> bool {
    let shape =
        |text: &[u8]| text.iter().enumerate().all(|(at, byte)| if at == 4 || at == 7 { *byte == b'-' } else { byte.is_ascii_digit() });
    text.is_ascii() && text.len() == 10 && shape(text.as_bytes())
}

fn is_word(text: &str, word: &str) -> bool {
    text.trim().eq_ignore_ascii_case(word)
}
