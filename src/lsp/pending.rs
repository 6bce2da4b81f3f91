//! The requests that have no answer yet, and which of them nobody wants any more.

use lsp_server::RequestId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Requests by their id, and whether they are cancelled. Shared by who reads messages and who answers them.
#[derive(Clone, Debug, Default)]
pub struct Pending(Arc<Mutex<HashMap<RequestId, bool>>>);

impl Pending {
    /// A request has come.
    pub fn add(&self, id: RequestId) {
        self.requests().insert(id, false);
    }

    /// Nobody wants the answer any more. What has been answered stays answered.
    pub fn cancel(&self, id: &RequestId) {
        if let Some(cancelled) = self.requests().get_mut(id) {
            *cancelled = true;
        }
    }

    /// Whether nobody wants the answer.
    pub fn is_cancelled(&self, id: &RequestId) -> bool {
        self.requests().get(id) == Some(&true)
    }

    /// It has its answer.
    pub fn done(&self, id: &RequestId) {
        self.requests().remove(id);
    }

    fn requests(&self) -> MutexGuard<'_, HashMap<RequestId, bool>> {
        // Nobody can panic while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
