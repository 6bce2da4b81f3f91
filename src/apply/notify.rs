//! Tells others that a run begins, and how it has ended. Nothing of it can change how the run goes: a slow listener is not waited for while
//! migrations run, and one that cannot be reached is named, and that is all.

use super::verdict::Verdict;
use crate::config::environments::without_passwords;
use crate::config::notify::{Format, Moment, Route, To};
use crate::http::Client;
use serde_json::{Map, Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often somebody is called before they count as not reached.
const TRIES: u32 = 2;

/// How often a program that was called is looked at.
const GLANCE: Duration = Duration::from_millis(10);

/// What every message says.
#[derive(Clone, Debug)]
pub struct About {
    /// `apply`, `rollback` or `backfill`.
    pub command: &'static str,
    /// The environment's name.
    pub environment: String,
    /// Where its database is, without a password.
    pub database: String,
    /// The directory in which programs run.
    pub directory: PathBuf,
}

/// Somebody who was not reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreached {
    /// Who: a host, or a program. The rest of an address may be a secret.
    pub who: String,
    /// What happened instead.
    pub why: String,
}

/// Those who are told of one run.
#[derive(Debug)]
pub struct Notifier<'a> {
    routes: &'a [Route],
    about: About,
    begin: Instant,
    /// What was said when it began may still be on its way.
    on_the_way: Vec<Sent>,
}

impl<'a> Notifier<'a> {
    /// Of a run that is about to begin.
    pub fn new(routes: &'a [Route], about: About) -> Self {
        Self { routes, about, begin: Instant::now(), on_the_way: Vec::new() }
    }

    /// It is agreed and begins: `migrations` are to run, and `hash` is that of all of them. Waits for nobody.
    pub fn started(&mut self, migrations: &[String], hash: &str) {
        if migrations.is_empty() {
            return;
        }
        let About { command, environment, database, .. } = &self.about;
        let text = format!("lockkeeper {command} begins on {environment} ({database}): {}", migrations.join(", "));
        let message = self.message("start", text, [("migrations", json!(migrations)), ("hash", json!(hash))]);
        self.on_the_way = self.send(Moment::Start, &message);
    }

    /// It has ended. Waits until everybody was told, or was called in vain; gives those who were not reached.
    pub fn ended(mut self, verdict: &Verdict) -> Vec<Unreached> {
        // That it has begun is heard before that it has ended.
        let mut unreached = arrived(std::mem::take(&mut self.on_the_way));
        let (moment, event, migrations) = match verdict {
            Verdict::Done { migrations, .. } => (Moment::Success, "success", &migrations[..]),
            Verdict::Refused(_)
            | Verdict::NotReady(_)
            | Verdict::Locked(_)
            | Verdict::RolledBack(_)
            | Verdict::Operator(_)
            | Verdict::Invalid(_)
            | Verdict::Partial(_)
            | Verdict::Interrupted(_) => (Moment::Failure, "failure", &[][..]),
        };
        // Where nothing was due, nothing has happened.
        if moment == Moment::Failure || !migrations.is_empty() {
            let About { command, environment, database, .. } = &self.about;
            let what = if moment == Moment::Success { migrations.join(", ") } else { wrong(verdict) };
            let text = format!("lockkeeper {command} {} on {environment} ({database}): {what}", verdict.state());
            let fields = [
                ("migrations", json!(migrations)),
                ("status", json!(verdict.state())),
                ("exit_code", json!(verdict.code())),
                ("duration_seconds", json!(self.begin.elapsed().as_secs_f64())),
            ];
            unreached.extend(arrived(self.send(moment, &self.message(event, text, fields))));
        }
        unreached
    }

    fn message<const N: usize>(&self, event: &str, text: String, fields: [(&str, Value); N]) -> Map<String, Value> {
        let About { command, environment, database, .. } = &self.about;
        let known = [
            ("text", json!(text)),
            ("event", json!(event)),
            ("command", json!(command)),
            ("environment", json!(environment)),
            ("database", json!(database)),
        ];
        known.into_iter().chain(fields).map(|(name, value)| (name.to_owned(), value)).collect()
    }

    fn send(&self, moment: Moment, message: &Map<String, Value>) -> Vec<Sent> {
        let wanted = self.routes.iter().filter(|route| route.on.contains(&moment));
        let start = |route: &Route| {
            let (route, directory) = (route.clone(), self.about.directory.clone());
            let body = match route.format {
                Format::Json => json!(message),
                Format::Slack => json!({ "text": message["text"] }),
            };
            thread::spawn(move || tell(&route, &directory, &body.to_string()))
        };
        wanted.map(start).collect()
    }
}

/// What went wrong, with the file that it is about.
fn wrong(verdict: &Verdict) -> String {
    let said = verdict.problems().iter().map(|problem| match problem.path() {
        Some(path) => format!("{}: {}", path.display(), problem.message),
        None => problem.message.clone(),
    });
    without_passwords(&said.collect::<Vec<_>>().join("; ")).into_owned()
}

/// Waits for what is on its way.
fn arrived(on_the_way: Vec<Sent>) -> Vec<Unreached> {
    on_the_way.into_iter().filter_map(|sent| sent.join().ok()?.err()).collect()
}

/// A message that is on its way.
type Sent = JoinHandle<Result<(), Unreached>>;

/// Tells one of them, as often as it takes and is allowed.
fn tell(route: &Route, directory: &Path, body: &str) -> Result<(), Unreached> {
    let (who, address) = match &route.to {
        To::Url(url) => (host(url), Some(url.clone())),
        To::UrlEnv(name) => match std::env::var(name).ok().filter(|url| !url.is_empty()) {
            Some(url) => (host(&url), Some(url)),
            None => return Err(Unreached { who: name.clone(), why: "the environment variable is not set".to_owned() }),
        },
        To::Command(words) => (words[0].clone(), None),
    };
    let mut why = String::new();
    for _ in 0..TRIES {
        let sent = match (&address, &route.to) {
            (Some(url), _) => post(url, body, route.timeout),
            (None, To::Command(words)) => call(words, directory, body, route.timeout),
            (None, To::Url(_) | To::UrlEnv(_)) => Err("it has no address".to_owned()),
        };
        match sent {
            Ok(()) => return Ok(()),
            Err(reason) => why = reason,
        }
    }
    Err(Unreached { who, why })
}

/// `hooks.example.org` of `https://hooks.example.org/secret`.
fn host(url: &str) -> String {
    let behind = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = behind.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit_once('@').map_or(authority, |(_, host)| host).to_owned()
}

fn post(url: &str, body: &str, timeout: Duration) -> Result<(), String> {
    let answer = Client::new(timeout).ask("POST", url, &[], Some(body))?;
    if answer.is_success() { Ok(()) } else { Err(format!("it answers {}", answer.status)) }
}

fn call(words: &[String], directory: &Path, body: &str, timeout: Duration) -> Result<(), String> {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).current_dir(crate::config::non_empty(directory));
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| crate::problem::io_words(&error))?;
    if let Some(mut input) = child.stdin.take() {
        let body = body.to_owned();
        // One that does not read lets nobody write more than a pipe holds; one that has ended wants to know nothing.
        thread::spawn(move || input.write_all(body.as_bytes()));
    }
    ended(&mut child, timeout)
}

fn ended(child: &mut Child, timeout: Duration) -> Result<(), String> {
    let begin = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("it ends with {status}")),
            Ok(None) if begin.elapsed() < timeout => thread::sleep(GLANCE),
            Ok(None) | Err(_) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("it does not end within {} s", timeout.as_secs_f64()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn of_an_address_the_host_alone_is_shown() {
        for (url, shown) in [
            ("https://hooks.example.org/T000/B000/secret", "hooks.example.org"),
            ("http://keeper:secret@example.org:8080?token=secret", "example.org:8080"),
        ] {
            assert_eq!(host(url), shown);
        }
    }
}
