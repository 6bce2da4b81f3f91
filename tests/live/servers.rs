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

/// A new database, and how to connect to it.
pub async fn new_database(server: &Server) -> PgConnectOptions {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("shop_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let mut connection = Connection::open(&server.options("postgres")).await.expect("the server answers");
    connection.run(&format!("CREATE DATABASE {name} TEMPLATE template0")).await.expect("a superuser may create a database");
    connection.close().await;
    server.options(&name)
}
