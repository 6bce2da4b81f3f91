//! One throw-away server for each installed version, shared by all tests of this program.

use lockkeeper::db::Connection;
use lockkeeper::db::installed::installations;
use lockkeeper::db::server::Server;
use sqlx::postgres::PgConnectOptions;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// A zone with an offset and with summer time: without SET TimeZone in a migration nothing may count on UTC.
const SETTINGS: [(&str, &str); 1] = [("TimeZone", "Europe/Berlin")];

/// All of them, oldest first. A test that finds no server fails: what has not been seen on one is not known.
pub fn servers() -> &'static [Server] {
    static SERVERS: OnceLock<Vec<Server>> = OnceLock::new();
    SERVERS.get_or_init(|| {
        let found = installations(None).unwrap_or_else(|problem| {
            panic!("{}; {}", problem.message, problem.help.unwrap_or_default());
        });
        let start = |installation| Server::start(installation, &SETTINGS).unwrap_or_else(|problem| panic!("{}", problem.message));
        found.iter().map(start).collect()
    })
}

/// The oldest and the newest of them: what takes long is looked at where majors differ most.
pub fn oldest_and_newest() -> impl Iterator<Item = &'static Server> {
    let newest = servers().len().saturating_sub(1);
    servers().iter().enumerate().filter(move |(at, _)| *at == 0 || *at == newest).map(|(_, server)| server)
}

/// A new database, and how to connect to it.
pub async fn new_database(server: &Server) -> PgConnectOptions {
    database_like(server, "template0").await
}

/// A copy of a database that nobody is connected to.
pub async fn copy_of(server: &Server, original: &PgConnectOptions) -> PgConnectOptions {
    database_like(server, original.get_database().expect("it was made with a name")).await
}

async fn database_like(server: &Server, template: &str) -> PgConnectOptions {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("shop_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let mut connection = Connection::open(&server.options("postgres")).await.expect("the server answers");
    connection.run(&format!("CREATE DATABASE {name} TEMPLATE {template}")).await.expect("a superuser may create a database");
    connection.close().await;
    server.options(&name)
}

/// Removes a database that nobody needs any more: hundreds of them would fill the disk.
pub async fn remove_database(server: &Server, options: &PgConnectOptions) {
    let mut connection = Connection::open(&server.options("postgres")).await.expect("the server answers");
    let name = options.get_database().expect("it was made with a name");
    connection.run(&format!("DROP DATABASE {name}")).await.expect("the server waits for sessions that are about to end");
    connection.close().await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Write};
    use std::path::PathBuf;
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    /// Set for the process that is to be killed.
    const VICTIM: &str = "LOCKKEEPER_TEST_VICTIM";
    const FOLDER: &str = "its folder is ";

    #[test]
    fn a_server_is_gone_after_its_owner_was_killed() {
        if std::env::var_os(VICTIM).is_some() {
            let folder = servers()[0].socket().display().to_string();
            writeln!(std::io::stderr(), "{FOLDER}{folder}").expect("somebody listens");
            std::thread::sleep(Duration::from_secs(600));
        }
        let this_test = ["servers::tests::a_server_is_gone_after_its_owner_was_killed", "--exact"];
        let program = std::env::current_exe().expect("a test is a program");
        let mut victim = Command::new(program).args(this_test).env(VICTIM, "1").stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let victim = victim.as_mut().expect("the test runs once more");
        let said = BufReader::new(victim.stderr.take().expect("it is piped"));
        let folder = said.lines().map_while(Result::ok).find_map(|line| line.strip_prefix(FOLDER).map(PathBuf::from));
        let folder = folder.expect("the server has started");
        assert!(folder.join("data/postmaster.pid").exists());
        victim.kill().expect("it sleeps");
        victim.wait().expect("it has been killed");
        let begin = Instant::now();
        while folder.exists() {
            assert!(begin.elapsed() < Duration::from_secs(20), "{} is still there", folder.display());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
