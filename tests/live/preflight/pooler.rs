//! PgBouncer in its modes, and no PgBouncer.

use super::{Limits, line, on_each, says};
use lockkeeper::apply::preflight::pooler;
use lockkeeper::db::server::{SUPERUSER, Server};
use lockkeeper::db::{Connection, Refusal};
use nix::unistd::{Gid, Uid, User, geteuid};
use sqlx::postgres::PgConnectOptions;
use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Where Debian puts it, and where others do.
const PROGRAMS: [&str; 3] = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"];

/// A pooler in front of a server, on a socket in a folder of its own.
struct Bouncer {
    folder: PathBuf,
    process: Child,
}

impl Bouncer {
    async fn start(server: &Server, mode: &str, settings: &str) -> Self {
        let program = PROGRAMS.iter().find(|program| Path::new(program).exists());
        let program = program.expect("pgbouncer is installed: apt-get install pgbouncer");
        let folder = tempfile::Builder::new().prefix("lockkeeper-").tempdir_in("/tmp").expect("a folder").keep();
        let user = not_root();
        let socket = server.socket().display();
        let own = folder.display();
        let config = format!(
            "[databases]\n* = host={socket} port=5432\n[pgbouncer]\nlisten_addr =\nlisten_port = 6432\nunix_socket_dir = {own}\n\
             auth_type = any\nauth_file = {own}/users\npool_mode = {mode}\n{settings}\n"
        )
        // `any` logs everybody in as the user that the database names.
        .replace("port=5432", &format!("port=5432 user={SUPERUSER}"));
        fs::write(folder.join("config"), config).expect("it is our folder");
        fs::write(folder.join("users"), "").expect("it is our folder");
        let mut command = Command::new(program);
        if let Some((uid, gid)) = user {
            chown(&folder, Some(uid.as_raw()), Some(gid.as_raw())).expect("root may");
            command.uid(uid.as_raw()).gid(gid.as_raw());
        }
        let log = fs::File::create(folder.join("log")).expect("it is our folder");
        let process = command.arg(folder.join("config")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        let bouncer = Self { folder, process: process.expect("pgbouncer starts") };
        bouncer.wait(server).await;
        bouncer
    }

    async fn wait(&self, server: &Server) {
        for _ in 0..200 {
            match self.knock(server).await {
                Ok(()) => return,
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
        panic!("pgbouncer does not answer:\n{}", fs::read_to_string(self.folder.join("log")).unwrap_or_default());
    }

    async fn knock(&self, server: &Server) -> Result<(), Refusal> {
        Connection::open(&self.options(server)).await?.close().await;
        Ok(())
    }

    fn options(&self, server: &Server) -> PgConnectOptions {
        server.options("postgres").socket(&self.folder).port(6432)
    }
}

impl Drop for Bouncer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// PgBouncer refuses to run as root, as PostgreSQL does.
fn not_root() -> Option<(Uid, Gid)> {
    let known = || ["postgres", "nobody"].into_iter().find_map(|name| User::from_name(name).ok().flatten());
    geteuid().is_root().then(|| known().map(|user| (user.uid, user.gid))).flatten()
}

async fn through(server: &Server, mode: &str, settings: &str) -> String {
    let bouncer = Bouncer::start(server, mode, settings).await;
    // Others have been here: the pool has processes to choose from.
    let mut others = Vec::new();
    for _ in 0..2 {
        let mut other = Connection::open(&bouncer.options(server)).await.expect("there is room");
        other.run("BEGIN").await.expect("there is room");
        others.push(other);
    }
    for other in others {
        other.close().await;
    }
    let limits = Limits { lock_timeout: Duration::from_secs(1), ..Limits::default() };
    line(pooler::check(&bouncer.options(server), &limits).await.expect("the pooler answers"))
}

#[test]
fn a_pool_in_transaction_mode_fails_and_one_in_session_mode_passes() {
    on_each(&[], async |server, options| {
        let direct = pooler::check(options, &Limits::default()).await.expect("the server answers");
        assert_eq!(line(direct), "pass: each session keeps its own process of the server");
        assert_eq!(through(server, "session", "").await, "pass: each session keeps its own process of the server");
        for settings in ["", "server_round_robin = 1"] {
            let line = through(server, "transaction", settings).await;
            says(&line, &["fail: a pooler in transaction mode: ", " -> connect to the server itself", "direct_url"]);
        }
    });
}

#[test]
fn a_pool_without_room_is_told_from_one_that_moves_its_clients() {
    on_each(&[], async |server, _| {
        let alone = |mode| async move {
            let bouncer = Bouncer::start(server, mode, "default_pool_size = 1\nmax_db_connections = 1").await;
            let limits = Limits { lock_timeout: Duration::from_secs(1), ..Limits::default() };
            line(pooler::check(&bouncer.options(server), &limits).await.expect("the pooler answers"))
        };
        says(&alone("session").await, &["fail: a pooler without room for further sessions"]);
        says(&alone("transaction").await, &["fail: a pooler in transaction mode: a setting of one session was found in another"]);
    });
}
