//! What the server says beside its answers: NOTICE, WARNING and INFO, kept until the step that they belong to is recorded.
//!
//! sqlx hands them out as events of `tracing` and in no other way, with their message alone: DETAIL and HINT are lost.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use tracing::field::{Field, Visit};
use tracing::instrument::WithSubscriber;
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Level, Metadata, Subscriber};

/// The target of the events.
const TARGET: &str = "sqlx::postgres::notice";

/// A loop may RAISE a million of them.
const MOST: usize = 500;
/// Bytes of a message; what is longer is cut.
const LONGEST: usize = 4096;

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// WARNING.
    Warning,
    /// NOTICE.
    Notice,
    /// INFO and LOG, which sqlx does not tell apart.
    Info,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warning => "WARNING",
            Self::Notice => "NOTICE",
            Self::Info => "INFO",
        })
    }
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// How much it matters.
    pub severity: Severity,
    /// The server's words.
    pub message: String,
}

/// What was said since the last time that somebody asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// The first of them, in order.
    pub notices: Vec<Notice>,
    /// How many came after them, and were not kept.
    pub more: usize,
}

/// Hears what servers say to the futures that it is asked to listen to, and to no others.
#[derive(Clone, Debug)]
pub struct Notices {
    heard: Arc<Mutex<Heard>>,
    dispatch: Dispatch,
}

impl Default for Notices {
    fn default() -> Self {
        let heard = Arc::<Mutex<Heard>>::default();
        Self { dispatch: Dispatch::new(Listener { heard: Arc::clone(&heard) }), heard }
    }
}

impl Notices {
    /// Runs a future and listens. What is heard stays if the future is given up in the middle.
    pub async fn during<T>(&self, future: impl Future<Output = T>) -> T {
        future.with_subscriber(self.dispatch.clone()).await
    }

    /// What was heard since the last time.
    pub fn drain(&self) -> Heard {
        std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Listener {
    heard: Arc<Mutex<Heard>>,
}

impl Subscriber for Listener {
    /// Not DEBUG: a migration that sets `client_min_messages` to it would bury all else.
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Asked for the event, and before that by a hint, which is neither an event nor a span.
        !metadata.is_span() && metadata.target() == TARGET && *metadata.level() != Level::DEBUG
    }

    fn event(&self, event: &Event<'_>) {
        let severity = match *event.metadata().level() {
            Level::ERROR | Level::WARN => Severity::Warning,
            Level::INFO => Severity::Notice,
            Level::DEBUG | Level::TRACE => Severity::Info,
        };
        let mut message = Message(String::new());
        event.record(&mut message);
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        match heard.notices.len() < MOST {
            true => heard.notices.push(Notice { severity, message: message.0 }),
            false => heard.more += 1,
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        // Never asked: spans are not enabled.
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Message(String);

impl Visit for Message {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value[..value.floor_char_boundary(LONGEST)].clone_into(&mut self.0);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}
