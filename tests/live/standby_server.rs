//! A standby of a throw-away server, as `pg_basebackup` makes it.

use lockkeeper::db::installed::{Installation, installations};
use lockkeeper::db::server::{SUPERUSER, Server};
use nix::unistd::{User, geteuid};
use sqlx::postgres::PgConnectOptions;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// As for throw-away servers: it ends, and its files go, when its standard input ends.
const GUARD: &str = r#"
dir=$1; shift
"$@" </dev/null >"$dir/log" 2>&1 &
server=$!
read -r _
kill -QUIT "$server"
wait "$server"
cd / && rm -rf "$dir"
"#;

/// The newest installation that can copy its servers: those beside the installed one bring no pg_basebackup along.
pub fn that_copies() -> Installation {
    let found = installations(None).unwrap_or_else(|problem| panic!("{}; {}", problem.message, problem.help.unwrap_or_default()));
    let can_copy = |installation: &Installation| installation.bin.join("pg_basebackup").exists();
    found.into_iter().rev().find(can_copy).expect("one of them has pg_basebackup, as Debian's postgresql does")
}

/// A standby that streams from a server on this machine.
pub struct Standby {
    folder: PathBuf,
    guard: Child,
}

impl Standby {
    /// Copies the server and follows it under a name.
    pub fn of(primary: &Server, name: &str) -> Self {
        let folder = primary.socket().with_extension("standby");
        let bin = &primary.installation().bin;
        let source = format!("host={} port=5432 user={SUPERUSER} application_name={name}", primary.socket().display());
        let mut backup = as_server(&bin.join("pg_basebackup"));
        backup.args(["--checkpoint=fast", "--no-sync", "--write-recovery-conf", "--wal-method=stream", "--dbname", &source, "--pgdata"]);
        let output = backup.arg(&folder).output().expect("pg_basebackup starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut guard = as_server(Path::new("/bin/sh"));
        guard
            .args(["-c", GUARD, "lockkeeper-standby"])
            .arg(&folder)
            .arg(bin.join("postgres"))
            .arg("-D")
            .arg(&folder)
            .arg("-k")
            .arg(&folder);
        // As many as the server has, which has them from its command line: else nothing is replayed.
        guard.args(["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_prepared_transactions=10"]);
        let guard = guard.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("sh starts");
        Self { folder, guard }
    }

    /// How to connect to it, given how to connect to the server that it follows.
    pub fn options(&self, primary: &PgConnectOptions) -> PgConnectOptions {
        primary.clone().socket(&self.folder)
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// A command that runs as the throw-away servers do: not as root.
fn as_server(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/tmp");
    if geteuid().is_root() {
        let known = ["postgres", "nobody"].into_iter().find_map(|name| User::from_name(name).ok().flatten());
        let user = known.expect("servers run as one of them");
        command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    command
}
