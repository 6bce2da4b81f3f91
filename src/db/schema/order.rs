//! Statements in an order in which each finds what it needs.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// What makes it another than all others.
    pub(super) key: String,
    /// Where it stands among those that do not need each other: the lower the earlier.
    pub(super) rank: i32,
    /// Where it stands among those of its rank.
    pub(super) name: String,
    /// The text.
    pub(super) sql: String,
}

/// The pieces, each behind those that it needs, and otherwise by rank and name. `needs` are pairs of keys; those of no piece do not count.
/// Of pieces that need each other in a circle, the one that would stand first does.
pub(super) fn ordered(mut pieces: Vec<Piece>, needs: &[(String, String)]) -> Vec<Piece> {
    pieces.sort_by(|one, other| (one.rank, &one.name, &one.key).cmp(&(other.rank, &other.name, &other.key)));
    let places: HashMap<&str, usize> = pieces.iter().enumerate().map(|(at, piece)| (piece.key.as_str(), at)).collect();
    let mut missing = vec![0_usize; pieces.len()];
    let mut needed_by = vec![Vec::new(); pieces.len()];
    let pairs: BTreeSet<(usize, usize)> =
        needs.iter().filter_map(|(one, other)| Some((*places.get(one.as_str())?, *places.get(other.as_str())?))).collect();
    for (one, other) in pairs.into_iter().filter(|(one, other)| one != other) {
        missing[one] += 1;
        needed_by[other].push(one);
    }
    let mut ready: BinaryHeap<Reverse<usize>> = (0..pieces.len()).filter(|at| missing[*at] == 0).map(Reverse).collect();
    let mut waiting: BTreeSet<usize> = (0..pieces.len()).collect();
    let mut order = Vec::with_capacity(pieces.len());
    while let Some(next) = ready.pop().map(|Reverse(at)| at).or_else(|| waiting.first().copied()) {
        if !waiting.remove(&next) {
            continue;
        }
        order.push(next);
        for follower in &needed_by[next] {
            missing[*follower] = missing[*follower].saturating_sub(1);
            if missing[*follower] == 0 {
                ready.push(Reverse(*follower));
            }
        }
    }
    let mut pieces: Vec<Option<Piece>> = pieces.into_iter().map(Some).collect();
    order.into_iter().filter_map(|at| pieces.get_mut(at)?.take()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(pieces: &[(&str, i32)], needs: &[(&str, &str)]) -> String {
        let pieces =
            pieces.iter().map(|(key, rank)| Piece { key: (*key).to_owned(), rank: *rank, name: (*key).to_owned(), sql: String::new() });
        let needs: Vec<_> = needs.iter().map(|(one, other)| ((*one).to_owned(), (*other).to_owned())).collect();
        ordered(pieces.collect(), &needs).into_iter().map(|piece| piece.key).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_needs_nothing_stands_by_rank_and_name() {
        assert_eq!(order(&[("view", 2), ("users", 1), ("orders", 1)], &[]), "orders users view");
    }

    #[test]
    fn what_needs_something_of_a_higher_rank_waits_for_it() {
        let pieces = [("domain", 1), ("function", 2), ("table", 3), ("view", 4)];
        assert_eq!(order(&pieces, &[("domain", "function"), ("function", "table")]), "table function domain view");
    }

    #[test]
    fn a_circle_is_opened_where_it_would_begin() {
        let needs = [("orders", "total"), ("total", "orders"), ("view", "orders"), ("view", "nothing that is told")];
        assert_eq!(order(&[("total", 1), ("orders", 2), ("view", 3)], &needs), "total orders view");
    }
}
