//! Writing down effects: each one in a word, and once.

use super::scene::Subject;
use super::{BreakKind, Breakage, Effects, Lock, Loss};
use crate::model::catalog::Relation;
use crate::model::lock::LockMode;
use crate::model::name::{Ident, QualifiedName};
use crate::model::operation::{ObjectKind, Realm};
use foldhash::{HashMap, HashMapExt};
use std::collections::hash_map::Entry;
use std::hash::Hash;

impl Effects {
    pub(super) fn lock(&mut self, relation: &QualifiedName, mode: LockMode) {
        self.locks.push(Lock { relation: relation.clone(), mode });
    }

    pub(super) fn lock_all<'a>(&mut self, relations: impl IntoIterator<Item = &'a QualifiedName>, mode: LockMode) {
        for relation in relations {
            self.lock(relation, mode);
        }
    }

    pub(super) fn scan(&mut self, relation: &QualifiedName) {
        self.scans.push(relation.clone());
    }

    /// The rows of a table are written anew, and all of its indexes with them.
    pub(super) fn rewrite(&mut self, table: &Subject<'_>) {
        if table.has_rows() {
            self.rewrites.push(table.name.clone());
            self.scan(&table.name);
            for index in table.indexes() {
                self.rebuild(index);
            }
        }
    }

    /// An index is built anew where it stands.
    pub(super) fn rebuild(&mut self, index: &QualifiedName) {
        self.lock(index, LockMode::AccessExclusive);
        self.rebuilds.push(index.clone());
    }

    pub(super) fn loses(&mut self, loss: Loss) {
        self.destroys.push(loss);
    }

    pub(super) fn breaks(&mut self, kind: BreakKind, relation: &QualifiedName, column: Option<&Ident>) {
        self.breaks.push(Breakage { kind, realm: Realm::Relation, relation: relation.clone(), column: column.cloned() });
    }

    /// What breaks is no relation.
    pub(super) fn breaks_other(&mut self, kind: BreakKind, realm: Realm, name: &QualifiedName) {
        self.breaks.push(Breakage { kind, realm, relation: name.clone(), column: None });
    }

    pub(super) fn assume(&mut self, fact: &'static str) {
        self.assumed.push(fact);
    }

    /// Each relation once, with its strongest lock; ACCESS SHARE, which nothing but ACCESS EXCLUSIVE minds, left out.
    pub(super) fn settle(&mut self) {
        self.locks.retain(|lock| lock.mode > LockMode::AccessShare);
        if self.locks.len() <= FEW {
            let locks = std::mem::take(&mut self.locks);
            for lock in locks {
                match self.locks.iter_mut().find(|kept| kept.relation == lock.relation) {
                    Some(kept) => kept.mode = kept.mode.max(lock.mode),
                    None => self.locks.push(lock),
                }
            }
        } else {
            let mut places: HashMap<QualifiedName, usize> = HashMap::with_capacity(self.locks.len());
            let mut kept: Vec<Lock> = Vec::with_capacity(self.locks.len());
            for lock in self.locks.drain(..) {
                match places.entry(lock.relation.clone()) {
                    Entry::Occupied(place) => kept[*place.get()].mode = kept[*place.get()].mode.max(lock.mode),
                    Entry::Vacant(place) => {
                        place.insert(kept.len());
                        kept.push(lock);
                    }
                }
            }
            self.locks = kept;
        }
        keep_first(&mut self.rewrites);
        keep_first(&mut self.scans);
        keep_first(&mut self.builds);
        keep_first(&mut self.rebuilds);
        keep_first(&mut self.assumed);
    }
}

/// So many are compared one with another sooner than they are put into a table.
const FEW: usize = 8;

fn keep_first<T: Clone + Eq + Hash>(all: &mut Vec<T>) {
    if all.len() <= FEW {
        let mut at = 1;
        while at < all.len() {
            if all[..at].contains(&all[at]) {
                all.remove(at);
            } else {
                at += 1;
            }
        }
    } else {
        let mut seen = std::collections::HashSet::with_capacity(all.len());
        all.retain(|one| seen.insert(one.clone()));
    }
}

/// Whether a relation keeps rows of its own: a table or materialized view that is not partitioned.
pub(super) fn keeps_rows(relation: &Relation) -> bool {
    matches!(relation.kind, ObjectKind::Table | ObjectKind::MaterializedView) && relation.partition_by.is_none()
}
