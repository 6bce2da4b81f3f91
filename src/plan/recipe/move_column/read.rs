//! The statements that move columns, as most people write them: `UPDATE b SET c = a.c FROM a WHERE b.key = a.key`, or with a subselect.

use super::super::trio::Trio;
use crate::model::name::{Ident, Name};
use crate::plan::clauses::Clauses;
use crate::sql::Statement;
use crate::text::SourceFile;

/// What the statements say.
pub struct Move<'s> {
    /// ADD COLUMN, UPDATE, DROP COLUMN.
    pub trio: Trio<'s>,
    /// What the UPDATE calls the table that gets the columns.
    pub to: Ident,
    /// What it calls the one that loses them.
    pub from: Ident,
    /// Names without a table mean the one that loses them first: they stand in a subselect.
    pub inside: bool,
    /// The new columns, and what they are set to.
    pub set: Vec<(Ident, Written)>,
    /// Pairs of columns that say which rows belong together.
    pub joined: Vec<(Written, Written)>,
    /// Columns that have to have a value.
    pub filled: Vec<Written>,
}

/// What WHERE says: columns that are equal, and columns that have a value.
type Filters = (Vec<(Written, Written)>, Vec<Written>);

/// A column as it is written: behind what its table is called, or alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The table.
    pub of: Option<Ident>,
    /// The column.
    pub name: Ident,
}

impl<'s> Move<'s> {
    /// The first statements, if they are such a move.
    pub fn read(source: &SourceFile, statements: &'s [Statement]) -> Option<Self> {
        let trio = Trio::read(statements)?;
        let apart = trio.dropped_from != trio.added_to && trio.update.reads.iter().all(|read| read == trio.dropped_from);
        let clauses = Clauses::of(source, trio.fill.span);
        let end = (0..clauses.len()).find(|at| clauses.is_mark(*at, ";")).unwrap_or(clauses.len());
        if !apart || clauses.find(0, &["returning", "with"]).is_some() {
            return None;
        }
        let (_, to, set) = relation(&clauses, 1, &["set"])?;
        let from = clauses.find(set, &["from"]);
        let filter = clauses.find(set, &["where"]);
        match (from, filter) {
            (Some(at), _) => {
                let (from, filters) = source_of(&clauses, at, end, &trio)?;
                let set = assignments(&clauses, set + 1, at)?;
                let (joined, filled) = conditions(&clauses, filters, end)?;
                Some(Self { trio, to, from, inside: false, set, joined, filled })
            }
            // SET c = (SELECT a.c FROM a WHERE a.key = b.key)
            (None, None) => {
                let is_one = clauses.text(set + 2, set + 3) == "=" && clauses.is_mark(set + 3, "(") && clauses.is_mark(end - 1, ")");
                let inner = Clauses::of(source, is_one.then(|| clauses.span(set + 4, end - 1))??);
                let at = inner.find(0, &["from"]).filter(|_| inner.is(0, "select"))?;
                let (from, filters) = source_of(&inner, at, inner.len(), &trio)?;
                let set = vec![(clauses.ident(set + 1)?, column(&inner, 1, at)?)];
                let (joined, filled) = conditions(&inner, filters, inner.len())?;
                Some(Self { trio, to, from, inside: true, set, joined, filled })
            }
            (None, Some(_)) => None,
        }
    }
}

/// `a AS x WHERE` behind FROM, where `a` is the table that loses columns: what it is called, and the first place behind WHERE.
fn source_of(clauses: &Clauses<'_>, from: usize, end: usize, trio: &Trio<'_>) -> Option<(Ident, usize)> {
    let (name, called, behind) = relation(clauses, from + 1, &["where"])?;
    (name == *trio.dropped_from && behind < end).then_some((called, behind + 1))
}

/// A table with what it is called, up to the word behind it.
fn relation(clauses: &Clauses<'_>, at: usize, ends: &[&str]) -> Option<(Name, Ident, usize)> {
    let behind = clauses.behind_name(at);
    let name = match behind - at {
        1 => Name::bare(clauses.ident(at)?),
        3 => Name { schema: Some(clauses.ident(at)?), name: clauses.ident(at + 2)? },
        _ => return None,
    };
    let is_end = |at: usize| ends.iter().any(|word| clauses.is(at, word));
    if is_end(behind) {
        return Some((name.clone(), name.name, behind));
    }
    let alias = behind + usize::from(clauses.is(behind, "as"));
    is_end(alias + 1).then_some((name, clauses.ident(alias)?, alias + 1))
}

/// `c = a.c, d = a.d`.
fn assignments(clauses: &Clauses<'_>, start: usize, end: usize) -> Option<Vec<(Ident, Written)>> {
    let is_comma = |at: usize| clauses.is_mark(at, ",");
    pieces(start, end, is_comma)
        .map(|(from, to)| {
            let sets = from + 2 < to && clauses.text(from + 1, from + 2) == "=";
            Some((clauses.ident(from).filter(|_| sets)?, column(clauses, from + 2, to)?))
        })
        .collect()
}

/// `b.key = a.key AND a.c IS NOT NULL`.
fn conditions(clauses: &Clauses<'_>, start: usize, end: usize) -> Option<Filters> {
    let (mut joined, mut filled) = (Vec::new(), Vec::new());
    for (from, to) in pieces(start, end, |at| clauses.depth(at) == 0 && clauses.is(at, "and")) {
        if to > from + 3 && clauses.is(to - 3, "is") && clauses.is(to - 2, "not") && clauses.is(to - 1, "null") {
            filled.push(column(clauses, from, to - 3)?);
            continue;
        }
        let sign = (from..to).find(|at| clauses.text(*at, at + 1) == "=")?;
        joined.push((column(clauses, from, sign)?, column(clauses, sign + 1, to)?));
    }
    (!joined.is_empty()).then_some((joined, filled))
}

/// The stretches between separators.
fn pieces(start: usize, end: usize, separates: impl Fn(usize) -> bool) -> impl Iterator<Item = (usize, usize)> {
    let mut cuts: Vec<usize> = (start..end).filter(|at| separates(*at)).collect();
    cuts.push(end);
    let mut from = start;
    cuts.into_iter().map(move |cut| (std::mem::replace(&mut from, cut + 1), cut))
}

fn column(clauses: &Clauses<'_>, from: usize, to: usize) -> Option<Written> {
    match to.checked_sub(from)? {
        1 => Some(Written { of: None, name: clauses.ident(from)? }),
        // A schema before the table says nothing that the table does not.
        3 | 5 if (from..to).skip(1).step_by(2).all(|at| clauses.is_mark(at, ".")) => {
            Some(Written { of: Some(clauses.ident(to - 3)?), name: clauses.ident(to - 1)? })
        }
        _ => None,
    }
}
