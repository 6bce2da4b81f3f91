//! One statement, watched while it runs.

use super::kill::Hunt;
use super::{Executor, Trouble};
use crate::apply::event::Event;
use crate::apply::session::{ANSWER, Sessions, lost};
use crate::apply::watch::{self, Sight};
use crate::db::{Connection, Refusal};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// How often a running statement is looked at: whoever waits behind it waits for so much longer at most when it has to be given up.
const TICK: Duration = Duration::from_millis(100);

/// How much longer than its own timeout a statement may take to be heard of again.
const GRACE: Duration = Duration::from_secs(10);

/// The timeouts of the statements of one transaction, or of one that runs alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Timeouts {
    /// Of the wait for a lock. The server begins anew with each lock and each statement; those behind the first lock wait for all of it.
    pub lock: Duration,
    /// Of each statement.
    pub statement: Duration,
    /// How much of `lock` has been waited.
    pub waited: Duration,
}

impl Timeouts {
    pub(super) fn new(lock: Duration, statement: Duration) -> Self {
        Self { lock, statement, waited: Duration::ZERO }
    }
}

impl Executor<'_> {
    /// Runs one statement as one message on the working session, and keeps what the server says beside its answer.
    pub(super) async fn statement(&mut self, sql: &str, timeouts: &mut Timeouts) -> Result<(), Trouble> {
        let mut wait = Duration::ZERO;
        let result = self.watched(sql, *timeouts, &mut wait).await;
        timeouts.waited += wait;
        self.say_notices().await;
        match result {
            Err(Trouble::Busy(refusal) | Trouble::Failed(refusal)) if self.is_over() && is_given_up(&refusal) => Err(Trouble::Closed),
            other => other,
        }
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

    async fn watched(&mut self, sql: &str, timeouts: Timeouts, waited: &mut Duration) -> Result<(), Trouble> {
        let notices = self.notices.clone();
        let Sessions { work, watch, .. } = &mut self.sessions;
        let (pid, begin, most) = (work.pid(), Instant::now(), self.limits.lock.max_waiters as usize);
        let running = notices.during(work.run(sql));
        tokio::pin!(running);
        // What is to be committed has been done in time.
        let until = self.until.filter(|_| sql != "COMMIT");
        let (mut gave_up, mut interrupted, mut mute, mut last) = (None, 0, false, Duration::ZERO);
        loop {
            tokio::select! {
                biased;
                // Whatever the second connection is about: locks are held, and what comes next has to be sent.
                result = &mut running => return judged(result, gave_up, interrupted > 0),
                count = self.stop.signal() => {
                    interrupted = count;
                    if count > 1 {
                        return Err(Trouble::Interrupted);
                    }
                    let _ = timeout(ANSWER, watch::cancel(watch, pid)).await;
                }
                seen = glance(watch, pid, mute) => {
                    if begin.elapsed() > timeouts.statement + GRACE {
                        return Err(Trouble::Lost(lost("the server does not answer any more")));
                    }
                    mute = seen.is_none();
                    let Some(sight) = seen else { continue };
                    if !sight.blockers.is_empty() {
                        let (run, idle, kill) = (self.run, self.limits.lock.timeout, &self.limits.kill);
                        let mut hunt = Hunt { watch: &mut *watch, pid, run, idle, kill };
                        // If it cannot be asked, they only stay.
                        let _ = timeout(ANSWER, hunt.end(&mut self.spent, &mut *self.tell)).await;
                    }
                    // Less than at the last look: it is another wait.
                    *waited += sight.waits.checked_sub(last).unwrap_or(sight.waits);
                    last = sight.waits;
                    let all = timeouts.waited + *waited;
                    // The server itself ends one wait in time. Of several it does not know, and the next look would come too late.
                    let over = until.filter(|until| Instant::now() >= *until).map(|_| "the window has ended".to_owned());
                    let reason = over.or_else(|| too_much(&sight, most, all > sight.waits && all + TICK > timeouts.lock));
                    if let Some(reason) = reason {
                        gave_up.get_or_insert(reason);
                        // It may come between two waits and end nothing: then the next look sends it again.
                        let _ = timeout(ANSWER, watch::cancel(watch, pid)).await;
                    }
                    if let Some(event) = sight.event() {
                        (self.tell)(&event);
                    }
                }
            }
        }
    }

    /// No statement goes on behind the end of the window, even if nobody is there any more to end it.
    pub(super) fn in_time(&self, timeouts: Timeouts) -> Timeouts {
        let Some(until) = self.until else { return timeouts };
        let rest = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        Timeouts { lock: timeouts.lock.min(rest), statement: timeouts.statement.min(rest), ..timeouts }
    }

    /// Sets the timeouts of the statements to come; a file that has set stricter ones keeps them.
    pub(super) async fn set_timeouts(&mut self, timeouts: Timeouts) -> Result<(), Trouble> {
        let timeouts = self.in_time(timeouts);
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

/// Whether a statement was ended from outside, or by a timeout: lock_not_available, query_canceled.
fn is_given_up(refusal: &Refusal) -> bool {
    matches!(refusal.code.as_str(), "55P03" | CANCELED)
}

const CANCELED: &str = "57014";

/// A look at a session, a moment from now; none if nobody answers, or is `mute` already. If the second connection is lost, the working one tells
/// soon enough.
async fn glance(watch: &mut Connection, pid: i32, mute: bool) -> Option<Sight> {
    tokio::time::sleep(TICK).await;
    if mute {
        return None;
    }
    timeout(ANSWER, watch::look(watch, pid)).await.ok()?.ok()
}

/// Why a wait for a lock has to end before its time.
fn too_much(sight: &Sight, most: usize, for_long: bool) -> Option<String> {
    match sight.queue {
        0 => None,
        queue if queue > most => Some(format!("{queue} sessions were waiting behind it")),
        _ if for_long && !sight.blockers.is_empty() => {
            Some("its waits for several locks together were longer than one may be, and somebody was waiting behind it".to_owned())
        }
        _ => None,
    }
}

/// What has become of a statement, given who may have cancelled it.
fn judged(result: Result<(), Refusal>, gave_up: Option<String>, interrupted: bool) -> Result<(), Trouble> {
    match result {
        Err(refusal) if refusal.code == CANCELED && interrupted => {
            let _ = refusal;
            Err(Trouble::Interrupted)
        }
        Err(refusal) if refusal.code == CANCELED => match gave_up {
            Some(reason) => Err(Trouble::Busy(Refusal { message: format!("given up because {reason}"), ..refusal })),
            // The server says which of the two it was; a person may try again, a timeout would only come again.
            None if refusal.message.contains("timeout") => Err(Trouble::Failed(refusal)),
            None => Err(Trouble::Busy(refusal)),
        },
        other => Ok(other?),
    }
}
