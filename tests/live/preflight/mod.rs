//! The checks before `apply`, each made to pass, to warn and to fail by what is really so on a server.

mod disk;
mod pooler;
mod rights;
mod standby;
mod transactions;

use lockkeeper::apply::preflight::{Check, Limits, Touched, checks};
use lockkeeper::config::Config;
use lockkeeper::db::installed::installations;
use lockkeeper::db::server::Server;
use lockkeeper::db::{Connection, block_on, schema};
use lockkeeper::discover::{Discovered, Role, in_memory};
use lockkeeper::lint::{self, Settings};
use lockkeeper::model::effects::Version;
use lockkeeper::rule::set::RuleSet;
use lockkeeper::text::SourceFile;
use sqlx::postgres::PgConnectOptions;

/// A shop that is there already.
const SHOP: &str = "
    CREATE TABLE users (id bigint PRIMARY KEY, email text);
    CREATE TABLE orders (id bigint PRIMARY KEY, buyer bigint, note text);
    INSERT INTO users SELECT n, 'user ' || n FROM generate_series(1, 1000) n;
    INSERT INTO orders SELECT n, n % 1000 + 1, repeat('note ', 20) FROM generate_series(1, 5000) n";

/// Servers that nobody else uses: the oldest and the newest, since whatever is open anywhere on a server is seen.
fn own_servers(settings: &[(&str, &str)]) -> Vec<Server> {
    let mut found = installations(None).unwrap_or_else(|problem| panic!("{}", problem.message));
    if found.len() > 2 {
        found.drain(1..found.len() - 1);
    }
    found.iter().map(|one| Server::start(one, settings).unwrap_or_else(|problem| panic!("{}", problem.message))).collect()
}

/// Runs a test on each of them, with the shop in the database `postgres`.
fn on_each(settings: &[(&str, &str)], test: impl AsyncFn(&Server, &PgConnectOptions)) {
    for server in own_servers(settings) {
        block_on(async {
            let options = server.options("postgres");
            run(&options, SHOP).await;
            test(&server, &options).await;
        })
        .expect("an event queue");
    }
}

/// Another session, which has run something.
async fn run(options: &PgConnectOptions, sql: &str) -> Connection {
    let mut connection = Connection::open(options).await.expect("the server answers");
    connection.run(sql).await.unwrap_or_else(|refusal| panic!("{sql}: {refusal}"));
    connection
}

/// What a migration touches, judged on the schema of the live server.
async fn touched(options: &PgConnectOptions, migration: &str) -> Touched {
    let mut connection = Connection::open(options).await.expect("the server answers");
    let schema = schema::sql(&mut connection).await.expect("the schema can be read");
    let server = Version(connection.version());
    connection.close().await;
    let config = Config::default();
    let file = SourceFile::new("0002_change.sql", migration);
    let history = in_memory(Some(SourceFile::new("schema.sql", schema)), &[(file, Role::Subject)], &config);
    let found = Discovered { histories: vec![history], ..Discovered::default() };
    let report = lint::run(found, &Settings { rules: &RuleSet::embedded(), config: &config, server });
    Touched::by(&report.migrations)
}

/// One check, in one line: `fail: ... -> what to do`.
async fn check(options: &PgConnectOptions, id: &str, touched: &Touched, limits: &Limits) -> String {
    let mut connection = Connection::open(options).await.expect("the server answers");
    let checks = checks(&mut connection, touched, limits).await.expect("the server answers");
    connection.close().await;
    line(checks.into_iter().find(|check| check.id == id).expect("there is such a check"))
}

fn line(check: Check) -> String {
    let next = check.next.map_or(String::new(), |next| format!(" -> {next}"));
    format!("{}: {}{next}", check.verdict.word(), check.evidence)
}

/// The line says all of this, in this order.
fn says(line: &str, parts: &[&str]) {
    let mut rest = line;
    for part in parts {
        let at = rest.find(part).unwrap_or_else(|| panic!("`{part}` is not said (there) in\n{line}"));
        rest = &rest[at + part.len()..];
    }
}

#[test]
fn a_primary_that_can_be_written_to_passes_and_one_that_is_read_only_fails() {
    on_each(&[], async |server, options| {
        let release = &server.installation().release;
        let line = check(options, "server", &Touched::default(), &Limits::default()).await;
        assert_eq!(line, format!("pass: PostgreSQL {release}, primary, database `postgres` as `postgres`"));
        run(options, "ALTER DATABASE postgres SET default_transaction_read_only = on").await.close().await;
        let line = check(options, "server", &Touched::default(), &Limits::default()).await;
        says(&line, &["fail: ", "default_transaction_read_only is on", " -> ALTER DATABASE \"postgres\" RESET"]);
    });
}

#[test]
fn an_invalid_index_is_a_warning_that_names_what_is_to_take_its_name() {
    on_each(&[], async |_, options| {
        let alter = touched(options, "ALTER TABLE users ADD COLUMN name text").await;
        let line = check(options, "leftovers", &alter, &Limits::default()).await;
        assert_eq!(line, "pass: no invalid index, no constraint that is not validated");

        let mut shop = run(options, "INSERT INTO users SELECT id + 5000, email FROM users").await;
        shop.run("CREATE UNIQUE INDEX CONCURRENTLY users_email ON users (email)").await.expect_err("there are duplicates");
        shop.run("ALTER TABLE orders ADD CONSTRAINT orders_buyer FOREIGN KEY (buyer) REFERENCES users NOT VALID")
            .await
            .expect("it scans nothing");
        let line = check(options, "leftovers", &alter, &Limits::default()).await;
        says(
            &line,
            &[
                "warn: index public.users_email on public.users is invalid",
                "touch public.users",
                "1 constraint not validated: orders_buyer of public.orders",
            ],
        );
        says(&line, &[" -> DROP INDEX CONCURRENTLY public.users_email"]);

        let again = touched(options, "CREATE UNIQUE INDEX CONCURRENTLY users_email ON users (email)").await;
        // What lint makes of a name that is taken is its own matter; the check goes by the name.
        let again = Touched { builds: [("public.users_email".parse().expect("any text is a name"), [].into())].into(), ..again };
        let line = check(options, "leftovers", &again, &Limits::default()).await;
        says(&line, &["warn: ", "the migrations are to build one of that name"]);
    });
}

#[test]
fn wal_that_cannot_be_archived_fails() {
    let settings = |command| [("archive_mode", "on"), ("archive_command", command)];
    on_each(&settings("/bin/true"), async |_, options| {
        archived(options, "archived_count").await;
        says(&check(options, "archive", &Touched::default(), &Limits::default()).await, &["pass: ", "archived, the last "]);
    });
    on_each(&settings("/bin/false"), async |_, options| {
        archived(options, "failed_count").await;
        let line = check(options, "archive", &Touched::default(), &Limits::default()).await;
        says(&line, &["fail: archiving 0", " failed ", "none has ever been archived -> mend archive_command"]);
    });
    on_each(&[], async |_, options| {
        let line = check(options, "archive", &Touched::default(), &Limits::default()).await;
        assert_eq!(line, "pass: WAL is not archived (archive_mode is off)");
    });
}

/// Waits until the archiver has reported something.
async fn archived(options: &PgConnectOptions, counter: &str) {
    let mut connection = run(options, "SELECT pg_switch_wal()").await;
    while connection.texts(&format!("SELECT {counter}::text FROM pg_stat_archiver")).await.expect("it can be seen").concat() == "0" {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
