//! Runs the program that prints migrations: without a shell, without input, and for a limited time.

use crate::config::environments::without_passwords;
use crate::config::render::{Render, Tool};
use crate::config::{Config, non_empty};
use crate::model::effects::Version;
use crate::problem::Problem;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// What a program has printed, and what was wrong with it in the end.
pub(super) struct Printed {
    pub text: Vec<u8>,
    pub problem: Option<Problem>,
}

/// What Django's shell runs: it prints all migrations.
const DJANGO: &str = include_str!("django.py");

/// Runs the program of an entry in a directory.
pub(super) fn run(entry: &Render, directory: &Path, config: &Config) -> Printed {
    let mut failed = Printed { text: Vec::new(), problem: None };
    let Version(server) = config.postgres.unwrap_or(Version::DEFAULT);
    let child = match start(entry, directory, server) {
        Ok(child) => child,
        Err(error) => {
            failed.problem = Some(not_started(entry, directory, &error));
            return failed;
        }
    };
    match finish(child, entry.timeout) {
        Ok(Finished { text, words, status }) => {
            let problem = (!status.success()).then(|| {
                // Some say it among what they print.
                let words = [words, last_lines(&text)].into_iter().find(|words| !words.is_empty());
                let problem = Problem::new("render::failed", format!("`{}` failed ({status})", shown(entry)));
                words.into_iter().fold(problem, Problem::help)
            });
            Printed { text, problem }
        }
        Err(error) => {
            let message = match error.kind() {
                ErrorKind::FileTooLarge => {
                    let message = format!("`{}` has printed more than {} MB, and was read no further", shown(entry), MOST >> 20);
                    failed.problem = Some(Problem::new("render::too-much", message).help("run it by hand to see what it prints"));
                    return failed;
                }
                ErrorKind::TimedOut => format!("`{}` has not ended after {} s", shown(entry), entry.timeout.as_secs_f32()),
                _ => format!("`{}` cannot be followed: {error}", shown(entry)),
            };
            failed.problem = Some(Problem::new("render::timeout", message).help("`timeout:` gives it longer"));
            failed
        }
    }
}

/// The command as somebody would type it.
pub(super) fn shown(entry: &Render) -> String {
    without_passwords(&entry.command.join(" ")).into_owned()
}

fn start(entry: &Render, directory: &Path, server: u8) -> io::Result<Child> {
    let [program, arguments @ ..] = &entry.command[..] else { return Err(ErrorKind::NotFound.into()) };
    let spawn = |program: &str| {
        let mut command = Command::new(program_in(directory, program));
        command.args(arguments).current_dir(non_empty(directory));
        if entry.tool == Tool::Django {
            command.args(["-c", &format!("PG_VERSION = {server}0000\n{DJANGO}")]);
        }
        // Looking at a project leaves nothing behind in it.
        command.env("PYTHONIOENCODING", "utf-8").env("PYTHONDONTWRITEBYTECODE", "1").env("NO_COLOR", "1");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
    };
    match spawn(program) {
        // Some systems have Python under its other name alone.
        Err(error) if error.kind() == ErrorKind::NotFound && program == "python" => spawn("python3"),
        started => started,
    }
}

/// A program with a slash in its name lies where the command runs; the others are found by PATH.
fn program_in(directory: &Path, program: &str) -> std::path::PathBuf {
    match program.contains('/') {
        true => std::path::absolute(directory.join(program)).unwrap_or_else(|_| program.into()),
        false => program.into(),
    }
}

fn not_started(entry: &Render, directory: &Path, error: &io::Error) -> Problem {
    let program = entry.command.first().map_or("", String::as_str);
    let (message, help) = match error.kind() {
        _ if !non_empty(directory).is_dir() => {
            (format!("`render:` runs in `{}`, and there is no such directory", directory.display()), "`directory:` says where it runs")
        }
        ErrorKind::NotFound => (
            format!("there is no program `{program}`"),
            "activate the environment that has it, or say how it is started: `command: [uv, run, alembic, upgrade, heads, --sql]`",
        ),
        _ => (format!("`{program}` cannot be started: {error}"), "`command:` says how it is started"),
    };
    Problem::new("render::not-started", message).help(help)
}

struct Finished {
    text: Vec<u8>,
    /// The end of what it said.
    words: String,
    status: ExitStatus,
}

/// More than this is no SQL of migrations; a program may never stop printing.
const MOST: u64 = 64 * 1024 * 1024;

/// How often is looked whether it has ended.
const TICK: Duration = Duration::from_millis(10);

/// Waits for a program. What it prints is read meanwhile, so that it never waits for us.
fn finish(mut child: Child, timeout: Duration) -> io::Result<Finished> {
    let (text, words) = (reader(child.stdout.take()), reader(child.stderr.take()));
    let end = Instant::now() + timeout;
    let status = loop {
        match child.try_wait()? {
            Some(status) => break status,
            None if Instant::now() >= end => {
                child.kill()?;
                child.wait()?;
                return Err(ErrorKind::TimedOut.into());
            }
            None => thread::sleep(TICK),
        }
    };
    // Programs that it has left behind may keep its output open.
    let rest = end.saturating_duration_since(Instant::now()).max(TICK);
    let gone = |_| io::Error::from(ErrorKind::TimedOut);
    let (text, words) = (text.recv_timeout(rest).map_err(gone)?, words.recv_timeout(rest).map_err(gone)?);
    if text.len() as u64 > MOST {
        return Err(ErrorKind::FileTooLarge.into());
    }
    Ok(Finished { text, words: last_lines(&words), status })
}

fn reader(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (to, from) = mpsc::channel();
    thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(pipe) = pipe {
            // What came before a pipe broke is what there is.
            let _ = pipe.take(MOST + 1).read_to_end(&mut text);
        }
        // Nobody waits any more if the time is over.
        let _ = to.send(text);
    });
    from
}

/// How many lines of what a program said are shown: the last ones say what went wrong.
const LINES: usize = 6;

fn last_lines(words: &[u8]) -> String {
    let words = String::from_utf8_lossy(words);
    let lines: Vec<_> = words.lines().filter(|line| !line.trim().is_empty()).collect();
    without_passwords(&lines[lines.len().saturating_sub(LINES)..].join("\n")).into_owned()
}
