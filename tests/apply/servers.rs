//! One throw-away server for each installed version, shared by all tests of this program.

use lockkeeper::db::installed::installations;
use lockkeeper::db::server::Server;
use lockkeeper::db::{Connection, block_on};
use sqlx::postgres::PgConnectOptions;
use std::future::Future;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Subscriptions are only made and dropped: nobody is to work for them.
const SETTINGS: [(&str, &str); 1] = [("max_logical_replication_workers", "0")];

/// All of them, oldest first. A test that finds no server fails: what has not been seen on one is not known.
pub fn servers() -> &'static [Server] {
    static SERVERS: OnceLock<Vec<Server>> = OnceLock::new();
    SERVERS.get_or_init(|| {
        let found = installations(None).unwrap_or_else(|problem| panic!("{}; {}", problem.message, problem.help.unwrap_or_default()));
        let start = |installation| Server::start(installation, &SETTINGS).unwrap_or_else(|problem| panic!("{}", problem.message));
        found.iter().map(start).collect()
    })
}

/// A new database, and how to connect to it.
pub async fn new_database(server: &Server) -> PgConnectOptions {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("shop_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let mut connection = Connection::open(&server.options("postgres")).await.expect("the server answers");
    connection.run(&format!("CREATE DATABASE {name} TEMPLATE template0")).await.expect("a superuser may create a database");
    connection.close().await;
    server.options(&name)
}

/// Plays a scene in a new database of each server from a major version on, and gives the words that all of them agree upon.
pub fn on_each<T: Future<Output = String>>(oldest: u8, scene: impl Fn(PgConnectOptions) -> T) -> String {
    let servers = servers().iter().filter(|server| server.installation().version.0 >= oldest);
    let play = |server| block_on(async { scene(new_database(server).await).await }).expect("an event queue");
    let words: Vec<String> = servers.map(play).collect();
    assert!(words.iter().all(|one| *one == words[0]), "servers differ:\n{}", words.join("\n---\n"));
    words.into_iter().next().expect("at least one server of that version")
}
