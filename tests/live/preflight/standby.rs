//! Standbys that keep up and that do not, and slots that keep WAL for nobody.

use super::{Limits, Touched, check, on_each, run, says};
use lockkeeper::db::installed::installations;
use lockkeeper::db::server::{SUPERUSER, Server};
use lockkeeper::db::{Connection, block_on};
use nix::unistd::{User, geteuid};
use sqlx::postgres::PgConnectOptions;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

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

/// A standby that streams from a server on this machine.
struct Standby {
    folder: PathBuf,
    guard: Child,
}

impl Standby {
    /// Copies the server and follows it under a name.
    fn of(primary: &Server, name: &str) -> Self {
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

    fn options(&self, primary: &PgConnectOptions) -> PgConnectOptions {
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

/// Waits until a query gives true.
async fn until(connection: &mut Connection, query: &str) {
    for _ in 0..600 {
        let texts = connection.texts(&format!("SELECT ({query})::text")).await.expect("it can be asked");
        if texts.concat() == "true" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it does not come to that: {query}");
}

#[test]
fn a_standby_that_is_behind_fails_and_the_standby_itself_takes_no_migrations() {
    let with_backup = |one: &&lockkeeper::db::installed::Installation| one.bin.join("pg_basebackup").exists();
    let found = installations(None).expect("there are servers");
    let installation = found.iter().find(with_backup).expect("one of them has pg_basebackup, as Debian's postgresql does");
    let primary = Server::start(installation, &[]).expect("it starts");
    let standby = Standby::of(&primary, "reporting");
    block_on(async {
        let options = primary.options("postgres");
        let nothing = Touched::default();
        let mut shop = run(&options, "CREATE TABLE orders (id bigint, note text)").await;
        until(&mut shop, "SELECT count(*) = 1 FROM pg_stat_replication WHERE state = 'streaming' AND replay_lsn >= pg_current_wal_lsn()")
            .await;
        says(&check(&options, "standbys", &nothing, &Limits::default()).await, &["pass: `reporting` is ", " behind"]);

        let its_own = standby.options(&options);
        let line = check(&its_own, "server", &nothing, &Limits::default()).await;
        says(&line, &["fail: PostgreSQL ", "standby, database `postgres`", "a standby takes no migrations -> name the primary"]);

        run(&its_own, "SELECT pg_wal_replay_pause()").await.close().await;
        shop.run("INSERT INTO orders SELECT n, repeat('note ', 100) FROM generate_series(1, 5000) n").await.expect("it is a primary");
        let limits = Limits { behind: 1 << 20, ..Limits::default() };
        says(
            &check(&options, "standbys", &nothing, &limits).await,
            &["fail: `reporting` (pid ", " MB behind, of 1.0 MB allowed -> wait until"],
        );
        run(&its_own, "SELECT pg_wal_replay_resume()").await.close().await;
        until(&mut shop, "SELECT bool_and(replay_lsn >= pg_current_wal_lsn()) FROM pg_stat_replication").await;
        says(&check(&options, "standbys", &nothing, &limits).await, &["pass: `reporting` is "]);

        shop.run("CREATE ROLE deployer LOGIN").await.expect("it is a primary");
        let line = check(&options.clone().username("deployer"), "standbys", &nothing, &limits).await;
        says(&line, &["warn: 1 standby connection; how far behind is hidden from this role -> GRANT pg_monitor"]);
    })
    .expect("an event queue");
}

#[test]
fn a_synchronous_standby_that_is_missing_fails_since_every_commit_waits_for_it() {
    on_each(&[], async |_, options| {
        says(&check(options, "standbys", &Touched::default(), &Limits::default()).await, &["pass: no standby is connected"]);
        let mut shop = run(options, "ALTER SYSTEM SET synchronous_standby_names = 'reporting'").await;
        shop.run("SELECT pg_reload_conf()").await.expect("a superuser may");
        until(&mut shop, "SELECT current_setting('synchronous_standby_names') = 'reporting'").await;
        let line = check(options, "standbys", &Touched::default(), &Limits::default()).await;
        says(&line, &["fail: synchronous_standby_names is `reporting`, and no such standby is connected"]);
    });
}

#[test]
fn a_slot_that_nobody_uses_is_a_warning_and_fails_once_it_keeps_too_much() {
    on_each(&[], async |_, options| {
        let nothing = Touched::default();
        assert_eq!(check(options, "slots", &nothing, &Limits::default()).await, "pass: no replication slots");
        let mut shop = run(options, "SELECT pg_create_physical_replication_slot('reporting', true)").await;
        let line = check(options, "slots", &nothing, &Limits::default()).await;
        says(&line, &["warn: slot `reporting`, used by nobody, keeps ", " -> SELECT pg_drop_replication_slot('reporting')"]);
        shop.run("INSERT INTO orders SELECT n, n, repeat('note ', 100) FROM generate_series(10001, 15000) n").await.expect("it may");
        let line = check(options, "slots", &nothing, &Limits { retained: 1 << 20, ..Limits::default() }).await;
        says(
            &line,
            &["fail: slot `reporting`, used by nobody, keeps ", " MB of WAL, of 1.0 MB allowed -> SELECT pg_drop_replication_slot"],
        );
    });
}
