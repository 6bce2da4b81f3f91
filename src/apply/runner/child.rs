//! The command as a child: what it says is passed on, its sessions are watched, and signals reach all of its processes.

use super::With;
use crate::apply::agenda::Agenda;
use crate::apply::event::Event;
use crate::apply::execute::Executor;
use crate::apply::session::ANSWER;
use crate::apply::step::Kind;
use crate::apply::verdict::Verdict;
use crate::apply::watch;
use crate::config::environments::without_passwords;
use crate::problem::{Problem, io_words};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use sqlx::ConnectOptions;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader, Split};
use tokio::process::{Child, Command};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// How a command has ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    /// Its exit code; `None`: a signal has ended it.
    pub code: Option<i32>,
    /// How long it took.
    pub seconds: f64,
    /// Whether somebody wanted it to stop.
    pub interrupted: bool,
    /// Why we have ended it.
    pub gave_up: Option<String>,
}

impl Ended {
    pub(super) fn words(&self) -> String {
        match self.code {
            Some(code) => format!("ended with {code}"),
            None => "was ended by a signal".to_owned(),
        }
    }
}

/// How often its sessions are looked at.
const TICK: Duration = Duration::from_millis(100);

/// How long its output is waited for when it has ended: a process that it has left behind may keep the pipe.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What its sessions are called, before the number of the run.
pub(super) const NAME: &str = "lockkeeper with run ";

/// A command that runs.
struct Running<'e, 'a> {
    executor: &'e mut Executor<'a>,
    /// What its sessions are called.
    name: String,
    /// Its processes.
    group: Pid,
    /// Whether a session of that name was ever seen.
    seen: bool,
    ended: Ended,
}

/// Runs the command to its end, and waits until its sessions are gone.
pub(super) async fn run(executor: &mut Executor<'_>, agenda: &Agenda, with: &With<'_>) -> Result<Ended, Verdict> {
    let name = format!("{NAME}{}", executor.run);
    let begin = Instant::now();
    (executor.tell)(&Event::Step { number: 1, of: 1, title: with.line(), kind: "command" });
    let mut child = start(executor, agenda, with, &name).map_err(|problem| Verdict::NotReady(vec![problem]))?;
    let group = Pid::from_raw(child.id().and_then(|id| i32::try_from(id).ok()).unwrap_or_default());
    let ended = Ended { code: None, seconds: 0.0, interrupted: false, gave_up: None };
    let mut running = Running { executor, name, group, seen: false, ended };
    running.ended.code = running.until_its_end(&mut child).await;
    running.ended.seconds = begin.elapsed().as_secs_f64();
    running.sessions_gone(with).await?;
    (running.executor.tell)(&Event::StepDone { number: 1, seconds: running.ended.seconds });
    // Short ones come and go between two looks.
    if !running.seen && begin.elapsed() > Duration::from_secs(2) {
        let text = "none of its sessions took PGAPPNAME: nobody could watch who waits for them".to_owned();
        (running.executor.tell)(&Event::Notice { severity: "NOTICE".to_owned(), text });
    }
    Ok(running.ended)
}

/// Starts it in a group of its own, so that Ctrl-C reaches it through us. What is secret stands in its environment alone.
fn start(executor: &Executor<'_>, agenda: &Agenda, with: &With<'_>, name: &str) -> Result<Child, Problem> {
    let Some((program, arguments)) = with.command.split_first() else {
        return Err(Problem::new("runner::command", "there is no command"));
    };
    let limits = executor.limits;
    let alone = agenda.works.iter().flat_map(|work| &work.steps).any(|step| step.kind == Kind::Alone);
    let statement = if alone { limits.index.timeout } else { limits.statement_timeout };
    let own = std::env::var("PGOPTIONS").unwrap_or_default();
    let options = format!("{own} -c lock_timeout={} -c statement_timeout={}", limits.lock.timeout.as_millis(), statement.as_millis());
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    command.env("PGAPPNAME", name).env("PGOPTIONS", options.trim());
    if with.url {
        command.env("DATABASE_URL", shared(executor.target.to_url_lossy().as_str()));
    }
    command.spawn().map_err(|error| {
        let problem = Problem::new("runner::command", format!("`{program}` cannot be started: {}", io_words(&error)));
        problem.help("nothing was done; no shell stands between: name the program and its arguments, each by itself")
    })
}

/// A URL as every tool takes it: some know one of the two schemes alone, and what is sqlx's own is a setting of the server to others.
fn shared(url: &str) -> String {
    let url = url.strip_prefix("postgres://").map_or_else(|| url.to_owned(), |rest| format!("postgresql://{rest}"));
    let Some((place, query)) = url.split_once('?') else { return url };
    let known: Vec<_> = query.split('&').filter(|pair| !pair.starts_with("statement-cache-capacity=")).collect();
    if known.is_empty() { place.to_owned() } else { format!("{place}?{}", known.join("&")) }
}

/// A line at a time of what it says.
struct Lines<R> {
    lines: Split<BufReader<R>>,
    open: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    fn of(pipe: R) -> Self {
        Self { lines: BufReader::new(pipe).split(b'\n'), open: true }
    }

    /// The next line; none when it is closed.
    async fn next(&mut self) -> Option<String> {
        let line = self.lines.next_segment().await.ok().flatten();
        self.open = line.is_some();
        line.map(|bytes| without_passwords(String::from_utf8_lossy(&bytes).trim_end()).into_owned())
    }
}

impl Running<'_, '_> {
    /// Passes on what it says, looks at its sessions, and hands signals on, until it has ended.
    async fn until_its_end(&mut self, child: &mut Child) -> Option<i32> {
        let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) else { return None };
        let (mut out, mut err) = (Lines::of(out), Lines::of(err));
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut status = None;
        let mut last = None;
        loop {
            tokio::select! {
                count = self.executor.stop.signal() => self.interrupt(count).await,
                line = out.next(), if out.open => self.say(line),
                line = err.next(), if err.open => self.say(line),
                ended = child.wait(), if status.is_none() => {
                    status = Some(ended.ok().and_then(|status| status.code()));
                    last = Some(Instant::now());
                }
                _ = tick.tick() => self.look().await,
            }
            let silent = !out.open && !err.open;
            if let (Some(code), true) = (status, silent || last.is_some_and(|at| at.elapsed() > LAST_WORDS)) {
                return code;
            }
        }
    }

    fn say(&mut self, line: Option<String>) {
        if let Some(text) = line {
            (self.executor.tell)(&Event::Output { text });
        }
    }

    /// The first wish to stop is Ctrl-C for all of its processes, the second asks again, the third waits for nothing.
    async fn interrupt(&mut self, count: u32) {
        self.ended.interrupted = true;
        let signal = match count {
            1 => Signal::SIGINT,
            2 => Signal::SIGTERM,
            _ => Signal::SIGKILL,
        };
        self.end(signal).await;
    }

    async fn end(&mut self, signal: Signal) {
        // If it has ended by itself meanwhile, there is nobody to tell.
        let _ = killpg(self.group, signal);
        for pid in self.sessions().await {
            let _ = timeout(ANSWER, watch::cancel(&mut self.executor.sessions.watch, pid)).await;
        }
    }

    /// Its sessions in this database.
    async fn sessions(&mut self) -> Vec<i32> {
        let query = format!(
            "SELECT pid::text FROM pg_stat_activity WHERE datname = current_database() AND application_name = '{}' AND pid <> pg_backend_pid()",
            self.name
        );
        let texts = timeout(ANSWER, self.executor.sessions.watch.texts(&query)).await;
        texts.map(Result::unwrap_or_default).unwrap_or_default().iter().filter_map(|pid| pid.parse().ok()).collect()
    }

    /// Whether somebody is in its way, and too many behind it; and whether its time is over.
    async fn look(&mut self) {
        let most = self.executor.limits.lock.max_waiters as usize;
        for pid in self.sessions().await {
            self.seen = true;
            let looked = timeout(ANSWER, watch::look(&mut self.executor.sessions.watch, pid)).await;
            let Ok(Ok(sight)) = looked else { continue };
            if sight.queue > most {
                self.ended.gave_up.get_or_insert_with(|| format!("{} sessions were waiting behind it", sight.queue));
                let _ = timeout(ANSWER, watch::cancel(&mut self.executor.sessions.watch, pid)).await;
            }
            if let Some(event) = sight.event() {
                (self.executor.tell)(&event);
            }
        }
        if self.ended.gave_up.is_none() && self.executor.is_over() {
            self.ended.gave_up = Some("the window has ended".to_owned());
            self.end(Signal::SIGINT).await;
        }
    }

    /// Waits until the server has ended all of its sessions: until then nobody knows what they have done.
    async fn sessions_gone(&mut self, with: &With<'_>) -> Result<(), Verdict> {
        let begin = Instant::now();
        loop {
            let pids = self.sessions().await;
            let Some(pid) = pids.first().copied() else { return Ok(()) };
            if begin.elapsed() > self.executor.limits.reconnect {
                let message = format!("`{}` has ended, and process {pid} of the server still works for it", with.line());
                let help = format!("wait until it has ended, or end it: `SELECT pg_terminate_backend({pid})`; then run it again");
                return Err(Verdict::Operator(Problem::new("runner::orphan", message).help(help)));
            }
            if self.ended.interrupted {
                let _ = timeout(ANSWER, watch::cancel(&mut self.executor.sessions.watch, pid)).await;
            }
            (self.executor.tell)(&Event::Waiting { blockers: vec![format!("process {pid}, which still works for it")], queue: 0 });
            tokio::time::sleep(TICK).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_one_that_other_tools_take() {
        let shown = shared("postgres://keeper:x@db:5432/shop?sslmode=require&statement-cache-capacity=100");
        assert_eq!(shown, "postgresql://keeper:x@db:5432/shop?sslmode=require");
        assert_eq!(shared("postgres://db/shop?statement-cache-capacity=100"), "postgresql://db/shop");
    }
}
