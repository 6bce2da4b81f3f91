//! One statement, watched while it runs.

use super::{Executor, Trouble};
use crate::apply::event::Event;
use crate::apply::session::{ANSWER, Sessions, lost};
use crate::apply::watch;
use crate::db::Refusal;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// How often a running statement is looked at.
const TICK: Duration = Duration::from_millis(250);

/// How much longer than its own timeout a statement may take to be heard of again.
const GRACE: Duration = Duration::from_secs(10);

/// The timeouts of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Timeouts {
    pub lock: Duration,
    pub statement: Duration,
}

impl Executor<'_> {
    /// Runs one statement as one message on the working session, and keeps what the server says beside its answer.
    pub(super) async fn statement(&mut self, sql: &str, timeouts: Timeouts) -> Result<(), Trouble> {
        let result = self.watched(sql, timeouts).await;
        self.say_notices().await;
        result
    }

    /// Keeps what the server has said beside its answers.
    pub(super) async fn say_notices(&mut self) {
        let heard = self.notices.drain();
        for notice in heard.notices {
            let (severity, text) = (notice.severity.to_string(), notice.message);
            // It explains an error, so it is kept before that is answered; if the server is gone, the journal still has it.
            let _ = self.event(&severity, &text).await;
            (self.tell)(&Event::Notice { severity, text });
        }
        if heard.more > 0 {
            (self.tell)(&Event::Notice { severity: "NOTICE".to_owned(), text: format!("{} more of the kind", heard.more) });
        }
    }

    async fn watched(&mut self, sql: &str, timeouts: Timeouts) -> Result<(), Trouble> {
        let notices = self.notices.clone();
        let Sessions { work, watch, .. } = &mut self.sessions;
        let (pid, begin, most) = (work.pid(), Instant::now(), self.limits.lock.max_waiters as usize);
        let running = notices.during(work.run(sql));
        tokio::pin!(running);
        let (mut gave_up, mut interrupted, mut mute) = (None, 0, false);
        loop {
            tokio::select! {
                biased;
                result = &mut running => return judged(result, gave_up, interrupted > 0),
                count = self.stop.signal() => {
                    interrupted = count;
                    if count > 1 {
                        return Err(Trouble::Interrupted);
                    }
                    let _ = timeout(ANSWER, watch::cancel(watch, pid)).await;
                }
                () = tokio::time::sleep(TICK) => {
                    if begin.elapsed() > timeouts.statement + GRACE {
                        return Err(Trouble::Lost(lost("the server does not answer any more")));
                    }
                    // If the second connection is lost, the working one tells soon enough.
                    if mute {
                        continue;
                    }
                    let Ok(Ok(sight)) = timeout(ANSWER, watch::look(watch, pid)).await else {
                        mute = true;
                        continue;
                    };
                    if gave_up.is_none() && sight.queue > most {
                        gave_up = Some(sight.queue);
                        let _ = timeout(ANSWER, watch::cancel(watch, pid)).await;
                    }
                    if let Some(event) = sight.event() {
                        (self.tell)(&event);
                    }
                }
            }
        }
    }

    /// Sets the timeouts of the statements to come; a file that has set stricter ones keeps them.
    pub(super) async fn set_timeouts(&mut self, timeouts: Timeouts) -> Result<(), Trouble> {
        let stricter = |name: &str, wanted: Duration| {
            format!(
                "pg_catalog.set_config('{name}', coalesce((SELECT pg_catalog.min(s.setting::pg_catalog.int8) FROM pg_catalog.pg_settings s \
                 WHERE s.name = '{name}' AND s.setting::pg_catalog.int8 BETWEEN 1 AND {0}), {0})::pg_catalog.text, false)",
                wanted.as_millis()
            )
        };
        let sql = format!("SELECT {}, {}", stricter("lock_timeout", timeouts.lock), stricter("statement_timeout", timeouts.statement));
        Ok(self.sessions.work.run(&sql).await?)
    }
}

/// What has become of a statement, given who may have cancelled it.
fn judged(result: Result<(), Refusal>, gave_up: Option<usize>, interrupted: bool) -> Result<(), Trouble> {
    const CANCELED: &str = "57014";
    match result {
        Err(refusal) if refusal.code == CANCELED && interrupted => {
            let _ = refusal;
            Err(Trouble::Interrupted)
        }
        Err(refusal) if refusal.code == CANCELED => match gave_up {
            Some(queue) => {
                Err(Trouble::Busy(Refusal { message: format!("given up because {queue} sessions were waiting behind it"), ..refusal }))
            }
            // The server says which of the two it was; a person may try again, a timeout would only come again.
            None if refusal.message.contains("timeout") => Err(Trouble::Failed(refusal)),
            None => Err(Trouble::Busy(refusal)),
        },
        other => Ok(other?),
    }
}
