//! Keeps count of what the open transaction holds, so that a long file need not be gone through for each of its statements.

use super::classify::Scene;
use crate::model::effects::{Effects, Lock};
use crate::model::operation::Operation;
use crate::model::session::{Held, Session};
use crate::rule::moment::Holding;
use crate::sql::Statement;

/// What the open transaction holds, and since which statement it is open.
#[derive(Debug, Default)]
pub(super) struct Hold {
    /// What rules see of it.
    pub now: Holding,
    start: Option<usize>,
}

/// The locks of a statement on relations that others use, to be asked before the statement changes the schema.
pub(super) fn on_relations_in_use(scene: &Scene<'_>, effects: &Effects) -> Vec<Lock> {
    effects.locks.iter().filter(|lock| lock.mode.blocks_writes() && scene.others_wait(effects, &lock.relation)).cloned().collect()
}

impl Hold {
    /// The statement `at` is over: `locks` are its own, `scene` is what it leaves behind.
    pub fn advance(&mut self, statement: &Statement, at: usize, locks: Vec<Lock>, scene: &Scene<'_>) {
        let goes_back = statement.operations.iter().any(|operation| matches!(operation.what, Operation::RollbackTo(_)));
        if goes_back || self.start != start(scene.session) {
            *self = Self { now: Holding::default(), start: start(scene.session) };
            // After ROLLBACK TO only the session knows what is still held.
            for held in scene.session.held().iter().filter(|held| scene.in_use(&held.lock.relation)) {
                self.take(held.clone(), scene);
            }
        } else if self.start.is_some() {
            for lock in locks {
                self.take(Held { lock, by: at }, scene);
            }
        }
    }

    fn take(&mut self, held: Held, scene: &Scene<'_>) {
        let is_index = |held: &Held| scene.catalog.get(&held.lock.relation).is_some_and(|relation| relation.index.is_some());
        // A table says more than one of its indexes.
        let rank = |held: &Held| (held.lock.mode, !is_index(held));
        if self.now.strongest.as_ref().is_none_or(|known| rank(known) < rank(&held)) {
            self.now.strongest = Some(held);
        }
    }
}

/// The first statement of the open transaction.
fn start(session: &Session) -> Option<usize> {
    session.transaction_start()
}
