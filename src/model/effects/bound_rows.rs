//! The rows of a partition as a condition: word for word what the server derives from the bound, so that a CHECK that says it is a proof.
//!
//! `get_qual_for_range`, `get_qual_for_list` and `get_qual_for_hash` in partbounds.c.

use crate::model::catalog::Relation;
use crate::model::name::{Ident, Name};
use crate::model::operation::Bound;

/// Which rows lie in the bound, in SQL. `called` is the parent's name, of which the condition of a hash partition needs the number. `None`:
/// the key has an expression, or the bound is DEFAULT or not known.
pub fn rows_of(parent: &Relation, called: &Name, bound: &Bound) -> Option<String> {
    let columns: Option<Vec<&Ident>> = parent.partition_by.as_ref()?.columns.iter().map(Option::as_ref).collect();
    let names: Vec<String> = columns?.iter().map(|column| column.sql()).collect();
    match bound {
        Bound::In(values) => match names.as_slice() {
            [column] => Some(in_list(column, values)),
            _ => None,
        },
        Bound::Range { from, to } if from.len() == names.len() && to.len() == names.len() => Some(in_range(&names, from, to)),
        Bound::Hash { modulus, remainder } => {
            let parent = called.sql().replace('\'', "''");
            Some(format!("satisfies_hash_partition('{parent}'::regclass::oid, {modulus}, {remainder}, {})", names.join(", ")))
        }
        Bound::Range { .. } | Bound::Default | Bound::Unknown => None,
    }
}

/// A condition as [`Expression`](crate::model::expression::Expression) keeps its text: folded, one space between two tokens.
pub(super) fn as_text(condition: &str) -> String {
    let mut tokens: Vec<String> = Vec::new();
    let mut rest = condition.chars().peekable();
    while let Some(first) = rest.next() {
        let mut token = String::from(first);
        match first {
            _ if first.is_whitespace() => continue,
            '\'' | '"' => {
                while let Some(next) = rest.next() {
                    token.push(next);
                    if next == first && rest.next_if_eq(&first).is_none() {
                        break;
                    }
                    if next == first {
                        token.push(first);
                    }
                }
            }
            '(' | ')' | ',' | '[' | ']' => {}
            _ if is_of_word(first) => {
                while let Some(next) = rest.next_if(|next| is_of_word(*next)) {
                    token.push(next);
                }
                token.make_ascii_lowercase();
            }
            _ => {
                while let Some(next) = rest.next_if(|next| is_sign(*next)) {
                    token.push(next);
                }
            }
        }
        tokens.push(token);
    }
    tokens.join(" ")
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$' | '.')
}

fn is_sign(c: char) -> bool {
    !is_of_word(c) && !c.is_whitespace() && !matches!(c, '\'' | '"' | '(' | ')' | ',' | '[' | ']')
}

fn in_list(column: &str, values: &[Box<str>]) -> String {
    let others: Vec<&str> = values.iter().map(|value| &**value).filter(|value| !is_word(value, "null")).collect();
    match (others.len() < values.len(), others.is_empty()) {
        (true, true) => format!("{column} IS NULL"),
        (true, false) => format!("{column} IS NULL OR {column} IN ({})", others.join(", ")),
        (false, _) => format!("{column} IS NOT NULL AND {column} IN ({})", others.join(", ")),
    }
}

fn in_range(columns: &[String], from: &[Box<str>], to: &[Box<str>]) -> String {
    let mut parts: Vec<String> = columns.iter().map(|column| format!("{column} IS NOT NULL")).collect();
    let is_value = |value: &str| !is_word(value, "minvalue") && !is_word(value, "maxvalue");
    // What both ends begin with is the same in all rows; the last column is left to the ends.
    let equal = |at: &usize| is_value(&from[*at]) && from[*at] == to[*at];
    let shared = (0..columns.len() - 1).take_while(equal).count();
    parts.extend((0..shared).map(|at| format!("{} = {}", columns[at], from[at])));
    parts.extend(side(&columns[shared..], &from[shared..], true));
    parts.extend(side(&columns[shared..], &to[shared..], false));
    parts.join(" AND ")
}

/// One end of a range: `(a > 1 OR (a = 1 AND b >= 2))`. None where nothing limits it.
fn side(columns: &[String], values: &[Box<str>], lower: bool) -> Option<String> {
    let (open, strict, lax) = if lower { ("minvalue", ">", ">=") } else { ("maxvalue", "<", "<=") };
    let mut alternatives = Vec::new();
    let mut equal: Vec<String> = Vec::new();
    for (at, (column, value)) in columns.iter().zip(values).enumerate() {
        let (is_open, is_shut) = (is_word(value, open), is_word(value, "minvalue") || is_word(value, "maxvalue"));
        if is_open && at == 0 {
            return None;
        }
        if is_open || is_shut {
            break;
        }
        // Behind the last value, or before one that all rows exceed, equality belongs to the range; behind one that none does, not.
        let next = values.get(at + 1);
        let ends_open = next.is_some_and(|next| is_word(next, open));
        let ends_shut = next.is_some_and(|next| is_word(next, if lower { "maxvalue" } else { "minvalue" }));
        let is_last = next.is_none();
        let operator = match (is_last, ends_open, ends_shut) {
            (true, ..) if lower => lax,
            (false, true, _) => lax,
            _ => strict,
        };
        let comparison = format!("{column} {operator} {value}");
        let all: Vec<String> = equal.iter().cloned().chain([comparison]).collect();
        alternatives.push(if all.len() > 1 { format!("({})", all.join(" AND ")) } else { all.join("") });
        if is_last || ends_open || ends_shut {
            break;
        }
        equal.push(format!("{column} = {value}"));
    }
    match alternatives.len() {
        0 => None,
        1 => alternatives.pop(),
        _ => Some(format!("({})", alternatives.join(" OR "))),
    }
}

fn is_word(text: &str, word: &str) -> bool {
    text.trim().eq_ignore_ascii_case(word)
}

#[cfg(test)]
mod tests {
    use super::{as_text, in_list, in_range};

    fn boxed(values: &[&str]) -> Vec<Box<str>> {
        values.iter().map(|value| (*value).into()).collect()
    }

    fn range(columns: &[&str], from: &[&str], to: &[&str]) -> String {
        let columns: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
        in_range(&columns, &boxed(from), &boxed(to))
    }

    #[test]
    fn a_range_says_what_the_server_derives_from_it() {
        assert_eq!(range(&["a"], &["1"], &["MAXVALUE"]), "a IS NOT NULL AND a >= 1");
        assert_eq!(
            range(&["a", "b"], &["1", "'x'"], &["3", "'z'"]),
            "a IS NOT NULL AND b IS NOT NULL AND (a > 1 OR (a = 1 AND b >= 'x')) AND (a < 3 OR (a = 3 AND b < 'z'))"
        );
        assert_eq!(range(&["a", "b"], &["4", "1"], &["4", "9"]), "a IS NOT NULL AND b IS NOT NULL AND a = 4 AND b >= 1 AND b < 9");
        assert_eq!(range(&["a", "b"], &["8", "MAXVALUE"], &["9", "MAXVALUE"]), "a IS NOT NULL AND b IS NOT NULL AND a > 8 AND a <= 9");
        assert_eq!(range(&["a", "b"], &["5", "MINVALUE"], &["7", "MINVALUE"]), "a IS NOT NULL AND b IS NOT NULL AND a >= 5 AND a < 7");
    }

    #[test]
    fn a_list_with_null_takes_null() {
        assert_eq!(in_list("state", &boxed(&["'open'", "NULL"])), "state IS NULL OR state IN ('open')");
        assert_eq!(in_list("state", &boxed(&["NULL"])), "state IS NULL");
    }

    #[test]
    fn a_condition_becomes_the_text_of_an_expression() {
        assert_eq!(
            as_text("NOT (\"Day\" IS NOT NULL AND \"Day\" >= 'it''s (1)' AND a::int < -1.5)"),
            "not ( \"Day\" is not null and \"Day\" >= 'it''s (1)' and a :: int < - 1.5 )"
        );
    }
}
