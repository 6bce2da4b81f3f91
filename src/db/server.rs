//! Throw-away servers: started from installed programs in a temporary folder, gone without a trace.

use super::installed::Installation;
use super::{Connection, Refusal, block_on};
use crate::problem::Problem;
use nix::unistd::{Gid, Uid, User};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::fs;
use std::io;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The superuser of every throw-away server.
pub const SUPERUSER: &str = "postgres";

/// There is no TCP and each server has a folder of its own, so the port only names the socket's file.
const PORT: u16 = 5432;

/// A server that takes longer than this to answer will not answer any more.
const PATIENCE: Duration = Duration::from_secs(60);

/// The path of a socket may have 107 bytes, `/.s.PGSQL.5432` included.
const LONGEST_FOLDER: usize = 80;

/// What every throw-away server is started with: nothing survives it, so nothing is flushed; nothing works in the background, so that
/// what is observed was done by the statement that is observed.
const SETTINGS: [(&str, &str); 9] = [
    ("listen_addresses", ""),
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("synchronous_commit", "off"),
    ("autovacuum", "off"),
    ("max_connections", "100"),
    ("max_prepared_transactions", "10"),
    ("shared_buffers", "32MB"),
    ("jit", "off"),
];

/// Runs the server and outlives whoever started it: its standard input ends when that process ends, however it ends.
const GUARD: &str = r#"
dir=$1; shift
"$@" </dev/null >"$dir/log" 2>&1 &
server=$!
read -r _
kill -QUIT "$server"
wait "$server"
cd / && rm -rf "$dir"
"#;

/// A running throw-away server. Dropping it stops it and removes its files; so does the end of the process, even by a signal.
#[derive(Debug)]
pub struct Server {
    installation: Installation,
    folder: PathBuf,
    guard: Child,
}

impl Server {
    /// Starts a server and waits until it answers. `settings` come after, and so override, those of every throw-away server.
    ///
    /// # Errors
    /// If it does not start: the message is the server's own.
    pub fn start(installation: &Installation, settings: &[(&str, &str)]) -> Result<Self, Problem> {
        let account = Account::choose()?;
        let folder = account.make_folder().map_err(|error| cannot(installation, &format!("no temporary folder: {error}")))?;
        if let Err(said) = account.initdb(installation, &folder) {
            let _ = fs::remove_dir_all(&folder);
            return Err(cannot(installation, &said));
        }
        let guard = account.guard(installation, &folder, settings);
        let guard = guard.map_err(|error| cannot(installation, &format!("`sh` does not start: {error}")))?;
        let server = Self { installation: installation.clone(), folder, guard };
        server.wait_until_ready()?;
        Ok(server)
    }

    /// How to connect to one of its databases.
    pub fn options(&self, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(&self.folder)
            .port(PORT)
            .username(SUPERUSER)
            .database(database)
            .ssl_mode(PgSslMode::Disable)
    }

    /// What it was started from.
    pub fn installation(&self) -> &Installation {
        &self.installation
    }

    /// The folder of its socket, as `psql --host` takes it.
    pub fn socket(&self) -> &Path {
        &self.folder
    }

    /// What it has said so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn wait_until_ready(&self) -> Result<(), Problem> {
        let begin = Instant::now();
        loop {
            let refusal = match block_on(self.knock())? {
                Ok(()) => return Ok(()),
                Err(refusal) => refusal,
            };
            let log = self.log();
            let fatal = log.lines().find(|line| line.contains("FATAL:") && !line.contains("starting up"));
            if fatal.is_some() || begin.elapsed() > PATIENCE {
                return Err(cannot(&self.installation, fatal.unwrap_or(&refusal.message)));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    async fn knock(&self) -> Result<(), Refusal> {
        Connection::open(&self.options("postgres")).await?.close().await;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // Nothing is left to do if there is no such process any more.
        let _ = self.guard.wait();
    }
}

/// Who runs the server: PostgreSQL refuses to run as root.
struct Account {
    /// Whom to become; `None`: stay who we are.
    become_user: Option<(Uid, Gid)>,
}

impl Account {
    fn choose() -> Result<Self, Problem> {
        if !nix::unistd::geteuid().is_root() {
            return Ok(Self { become_user: None });
        }
        let known = ["postgres", "nobody"].into_iter().find_map(|name| User::from_name(name).ok().flatten());
        let Some(user) = known else {
            let message = "PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody` to run it".to_owned();
            return Err(problem("db::no-user", message, Some("run lockkeeper as another user".to_owned())));
        };
        Ok(Self { become_user: Some((user.uid, user.gid)) })
    }

    /// A folder that belongs to the account, with a path that is short enough for a socket.
    fn make_folder(&self) -> io::Result<PathBuf> {
        let usual = std::env::temp_dir();
        let parent = if usual.as_os_str().len() > LONGEST_FOLDER { PathBuf::from("/tmp") } else { usual };
        let folder = tempfile::Builder::new().prefix("lockkeeper-").tempdir_in(parent)?.keep();
        if let Some((user, group)) = self.become_user {
            chown(&folder, Some(user.as_raw()), Some(group.as_raw()))?;
        }
        Ok(folder)
    }

    /// A command that runs as the account, in its folder, and that PG* variables and the locale of the caller do not reach.
    fn command(&self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder).env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("LC_ALL", "C").env("TZ", "UTC");
        if let Some((user, group)) = self.become_user {
            command.uid(user.as_raw()).gid(group.as_raw());
        }
        command
    }

    fn initdb(&self, installation: &Installation, folder: &Path) -> Result<(), String> {
        let mut initdb = self.command(&installation.bin.join("initdb"), folder);
        initdb.args(["--pgdata=data", "--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C"]).arg(format!("--username={SUPERUSER}"));
        let output = initdb.output().map_err(|error| format!("`initdb` does not start: {error}"))?;
        if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()) }
    }

    fn guard(&self, installation: &Installation, folder: &Path, settings: &[(&str, &str)]) -> io::Result<Child> {
        let mut guard = self.command(Path::new("/bin/sh"), folder);
        guard.arg("-c").arg(GUARD).arg("lockkeeper-server").arg(folder).arg(installation.bin.join("postgres"));
        guard.arg("-D").arg(folder.join("data")).arg("-k").arg(folder).arg("-p").arg(PORT.to_string());
        for (name, value) in SETTINGS.iter().chain(settings) {
            guard.arg("-c").arg(format!("{name}={value}"));
        }
        // A group of its own: Ctrl-C ends the caller, and the guard then ends the server.
        guard.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
    }
}

fn cannot(installation: &Installation, said: &str) -> Problem {
    let message = format!("PostgreSQL {} does not start: {said}", installation.release);
    problem("db::server-does-not-start", message, Some(format!("its programs are in `{}`", installation.bin.display())))
}

/// A problem that no text is to blame for.
pub(super) fn problem(code: &'static str, message: String, help: Option<String>) -> Problem {
    Problem { code, message, help, source: None, labels: Vec::new(), path: None }
}
