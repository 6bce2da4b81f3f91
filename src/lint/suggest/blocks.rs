//! Cuts in a file that opens and ends its transactions itself: COMMIT, and BEGIN again.

use super::super::finding::Edit;
use super::Offer;
use super::layout::{Fresh, leaves_behind, only_sets, only_timeouts, statements};
use super::lines::Lines;
use crate::model::kind::OpKind;
use crate::model::operation::Operation;
use crate::rule::edit::{Side, Split};
use crate::rule::moment::Moment;
use crate::sql::Statement;
use crate::text::Span;
use std::ops::Range;

/// The transaction block around a statement.
pub(super) struct Block {
    /// Its BEGIN.
    begin: usize,
    /// The statement.
    here: usize,
    /// Its COMMIT.
    commit: usize,
}

impl Block {
    /// The block that a statement stands in.
    pub fn around(moment: &Moment<'_>, lines: &Lines<'_>) -> Result<Self, String> {
        let here = lines.here.ok_or_else(|| "it is about the file as a whole".to_owned())?;
        let start = moment.session.transaction_start().unwrap_or_default();
        let begin = moment.file[..start].iter().filter(|statement| statement.nesting.is_none()).count();
        let ends = |at: &usize| lines.statements[*at].operations.iter().any(|operation| is_end(operation.what.kind()));
        let commit = (here + 1..lines.statements.len()).find(ends).ok_or_else(|| "its transaction has no COMMIT".to_owned())?;
        match lines.statements[commit].operations.iter().any(|operation| operation.what.kind() == OpKind::Commit) {
            true => Ok(Self { begin, here, commit }),
            false => Err("its transaction is rolled back".to_owned()),
        }
    }

    /// Whether something but settings stands among these statements.
    fn does_something(range: Range<usize>, lines: &Lines<'_>) -> bool {
        !range.into_iter().all(|at| only_sets(lines.statements[at]))
    }

    /// BEGIN, and the settings that the block makes before a place.
    fn begin_again(&self, before: usize, lines: &Lines<'_>) -> String {
        let sets = (self.begin + 1..before).filter(|at| only_sets(lines.statements[*at]));
        let sets = sets.map(|at| format!("{};\n", lines.source.text(lines.statements[at].span)));
        std::iter::once("BEGIN;\n".to_owned()).chain(sets).collect()
    }
}

fn is_local(statement: &Statement) -> bool {
    statement.operations.iter().all(|operation| matches!(operation.what, Operation::Set { local: true, .. }))
}

fn is_end(kind: OpKind) -> bool {
    matches!(kind, OpKind::Commit | OpKind::Rollback | OpKind::TwoPhase)
}

/// Where each statement commits for itself, what is new stands beside the statement.
pub(super) fn beside(fresh: &[Fresh], mut edits: Vec<Edit>, lines: &Lines<'_>) -> Result<Offer, String> {
    let (earlier, later) = joined(fresh, lines);
    let at = lines.here.or(lines.statements.len().checked_sub(1)).ok_or_else(|| "there is no statement".to_owned())?;
    if !earlier.is_empty() {
        edits.push(lines.before(at, &earlier));
    }
    if !later.is_empty() {
        edits.push(lines.behind(at, &later));
    }
    Ok(Offer { edits, ..Offer::default() })
}

/// The SQL that comes before, and the SQL that comes behind.
fn joined(fresh: &[Fresh], lines: &Lines<'_>) -> (String, String) {
    let of = |side| fresh.iter().filter(|fresh| fresh.side == side).map(|fresh| lines.ended(&fresh.sql)).collect::<Vec<_>>().join("\n");
    (of(Side::Before), of(Side::After))
}

/// Cuts the block around the statement at hand.
pub(super) fn cut(block: &Block, cut: Option<Split>, fresh: &[Fresh], mut edits: Vec<Edit>, lines: &Lines<'_>) -> Result<Offer, String> {
    let Block { begin, here, commit } = *block;
    let (earlier, later) = joined(fresh, lines);
    if let Some(left) = lines.statements[begin + 1..here].iter().find_map(|statement| leaves_behind(statement)) {
        return Err(format!("what would be cut off may rest on {left} before it"));
    }
    let alone = cut == Some(Split::Alone);
    let steers = |at: &usize| is_local(lines.statements[*at]) && !only_timeouts(lines.statements[*at]);
    if let Some(set) = (begin + 1..here).find(steers).filter(|_| alone) {
        return Err(format!("outside of the transaction it would run without `{}`", lines.source.text(lines.statements[set].span)));
    }
    let before = alone || !earlier.is_empty() || matches!(cut, Some(Split::Before | Split::Around));
    let after = alone || matches!(cut, Some(Split::After | Split::Around));
    let (has_before, has_after) = (Block::does_something(begin + 1..here, lines), Block::does_something(here + 1..commit, lines));
    if before {
        edits.extend(cut_before(block, (alone, has_before), &earlier, lines));
    }
    if after {
        edits.extend(cut_after(block, (alone, has_after), lines));
    }
    if !later.is_empty() {
        let in_block = |fresh: &Fresh| !fresh.alone;
        let later = if fresh.iter().filter(|fresh| fresh.side == Side::After).all(in_block) {
            format!("\nBEGIN;\nSET LOCAL lock_timeout = '{}';\n{}\nCOMMIT;", crate::discover::place::LOCK_TIMEOUT, ended(&later))
        } else {
            format!("\n{later}")
        };
        let (tail, _) = lines.tail(commit);
        edits.push(Edit { span: Span::new(tail, tail), text: lines.with_line_ends(&format!("\n{later}")) });
    }
    // What was done or undone together no longer is.
    let needs_thought = (before && has_before) || (after && has_after);
    Ok(Offer { edits, needs_thought, ..Offer::default() })
}

fn ended(sql: &str) -> String {
    statements(sql).iter().map(|statement| format!("{statement};")).collect::<Vec<_>>().join("\n")
}

/// Ends the transaction before the statement, or takes out a BEGIN that would have nothing to hold together.
fn cut_before(block: &Block, (alone, has_before): (bool, bool), earlier: &str, lines: &Lines<'_>) -> Vec<Edit> {
    let Block { begin, here, .. } = *block;
    let earlier = if earlier.is_empty() { String::new() } else { format!("{earlier}\n\n") };
    if has_before {
        let again = if alone { String::new() } else { block.begin_again(here, lines) };
        return lines.between(here - 1, "COMMIT;", &(earlier + &again));
    }
    let from = lines.start_with_comments(begin);
    let first = Edit { span: Span::new(from, from), text: lines.with_line_ends(&earlier) };
    // Without a transaction SET LOCAL is nothing, and SET stays.
    let taken_out = (begin..here).filter(|at| alone && (*at == begin || is_local(lines.statements[*at])));
    std::iter::once(first).chain(taken_out.map(|at| lines.without_statement(at))).collect()
}

/// Ends the transaction behind the statement, or takes out a COMMIT that ends nothing any more.
fn cut_after(block: &Block, (alone, has_after): (bool, bool), lines: &Lines<'_>) -> Vec<Edit> {
    let Block { here, commit, .. } = *block;
    if has_after {
        return lines.between(here, if alone { "" } else { "COMMIT;" }, &block.begin_again(here, lines));
    }
    let taken_out = (here + 1..=commit).filter(|at| alone && (*at == commit || is_local(lines.statements[*at])));
    taken_out.map(|at| lines.without_statement(at)).collect()
}
