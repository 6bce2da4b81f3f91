//! One throw-away server, and databases that are copied from a filled one.

use lockkeeper::db::installed::installations;
use lockkeeper::db::server::Server;
use lockkeeper::db::{Connection, block_on};
use sqlx::postgres::PgConnectOptions;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// A checkpoint in the middle of a measurement would be measured as well.
const SETTINGS: [(&str, &str); 4] =
    [("shared_buffers", "256MB"), ("max_wal_size", "8GB"), ("checkpoint_timeout", "1h"), ("maintenance_work_mem", "64MB")];

/// The oldest of the servers that are there. A test that finds none fails: what has not been seen on one is not known.
pub fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let found = installations(None).unwrap_or_else(|problem| panic!("{}; {}", problem.message, problem.help.unwrap_or_default()));
        Server::start(&found[0], &SETTINGS).unwrap_or_else(|problem| panic!("{}", problem.message))
    })
}

/// A database that others are copied from, so that every measurement begins with the same rows at the same places.
pub struct Template {
    name: String,
}

impl Template {
    /// Makes one: `sql` makes the tables and fills them.
    pub fn filled(sql: &str) -> Self {
        let name = new_name();
        run("postgres", &[&format!("CREATE DATABASE {name} TEMPLATE template0")]);
        run(&name, &[sql, "VACUUM (ANALYZE)"]);
        Self { name }
    }

    /// A copy of it.
    pub fn copy(&self) -> Database {
        let name = new_name();
        run("postgres", &[&format!("CREATE DATABASE {name} TEMPLATE {}", self.name)]);
        Database { name }
    }
}

impl Drop for Template {
    fn drop(&mut self) {
        remove(&self.name);
    }
}

/// A database that is removed when it is dropped.
pub struct Database {
    name: String,
}

impl Database {
    /// How to connect to it.
    pub fn options(&self) -> PgConnectOptions {
        server().options(&self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        remove(&self.name);
    }
}

fn new_name() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("shop_{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

fn remove(name: &str) {
    // A panic that unwinds through here has said what was wrong.
    if !std::thread::panicking() {
        run("postgres", &[&format!("DROP DATABASE {name}")]);
    }
}

fn run(database: &str, statements: &[&str]) {
    let options = server().options(database);
    let work = async {
        let mut connection = Connection::open(&options).await.expect("the server answers");
        for sql in statements {
            connection.run(sql).await.unwrap_or_else(|refusal| panic!("{refusal}:\n{sql}"));
        }
        connection.close().await;
    };
    block_on(work).expect("the operating system gives an event queue");
}

/// What the server answers to a query of one text.
pub fn ask(sql: &str) -> String {
    let options = server().options("postgres");
    let work = async {
        let mut connection = Connection::open(&options).await.expect("the server answers");
        let answer = connection.texts(sql).await.unwrap_or_else(|refusal| panic!("{refusal}:\n{sql}"));
        connection.close().await;
        answer.concat()
    };
    block_on(work).expect("the operating system gives an event queue")
}
