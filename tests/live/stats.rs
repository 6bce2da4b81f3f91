//! What `lockkeeper stats` tells of a server, and what `lint --stats` makes of it.

use crate::servers::{new_database, servers};
use lockkeeper::db::{Connection, block_on};
use lockkeeper::model::sizes::Sizes;
use lockkeeper::text::SourceFile;
use sqlx::postgres::PgConnectOptions;
use std::path::Path;
use std::process::{Command, Output};

const SHOP: &str = "
    CREATE TABLE settings (key text PRIMARY KEY, value text);
    INSERT INTO settings SELECT g, 'x' FROM generate_series(1, 50) g;
    CREATE SCHEMA \"Shop Front\";
    CREATE TABLE \"Shop Front\".\"Order: yes\" (id bigint PRIMARY KEY, note text);
    INSERT INTO \"Shop Front\".\"Order: yes\" SELECT g, repeat('x', 400) FROM generate_series(1, 40000) g;
    CREATE TABLE events (id bigint, day date) PARTITION BY RANGE (day);
    CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    INSERT INTO events SELECT g, '2025-06-01'::date + 365 * (g % 2) FROM generate_series(1, 30000) g;
    CREATE TABLE drafts (id bigint);
    CREATE ROLE reader LOGIN;
    ANALYZE settings, \"Shop Front\".\"Order: yes\", events, events_2025, events_2026;";

fn lockkeeper(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockkeeper"));
    command.args(arguments).current_dir(folder).env_remove("DATABASE_URL").output().expect("the binary was built")
}

fn url(options: &PgConnectOptions, user: &str) -> String {
    let socket = options.get_socket().expect("it listens on a socket").display().to_string();
    format!("postgres://{user}@localhost:{}/{}?host={socket}", options.get_port(), options.get_database().expect("it was made with a name"))
}

fn words(output: &[u8]) -> String {
    String::from_utf8_lossy(output).into_owned()
}

#[test]
fn the_sizes_of_a_server_are_told_to_anybody_who_may_connect() {
    for server in servers() {
        let options = block_on(async {
            let options = new_database(server).await;
            let mut connection = Connection::open(&options).await.expect("the server answers");
            connection.run("DROP ROLE IF EXISTS reader").await.expect("nothing is owned by it");
            connection.run(SHOP).await.expect("the shop is made");
            connection.close().await;
            options
        })
        .expect("an event queue");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let output = lockkeeper(&["stats", "--database-url", &url(&options, "reader")], folder.path());
        let text = words(&output.stdout);
        assert!(output.status.success(), "{}", words(&output.stderr));

        let mut sizes = Sizes::default();
        lockkeeper::config::stats::read(&SourceFile::new("stats.yaml", text.as_str()), &mut sizes).expect("it reads what it has written");
        let size = |name: &str| {
            let Ok(name) = name.parse();
            sizes.tables.get(&name).unwrap_or_else(|| panic!("{name} is not in\n{text}"))
        };
        let rows = ["settings", "Shop Front.Order: yes", "events", "events_2025", "drafts"].map(|name| size(name).rows);
        assert_eq!(
            rows,
            [Some(50), Some(40_000), Some(30_000), Some(15_000), Some(0)],
            "PostgreSQL {}\n{text}",
            server.installation().release
        );
        assert!(size("Shop Front.Order: yes").bytes > 40_000 * 400 && size("events").bytes > size("events_2025").bytes, "{text}");
        assert!(size("Shop Front.Order: yes").indexes["Order: yes_pkey"] > 100_000, "{text}");

        judge_by(&text, folder.path());
    }
}

/// A scan of the small table takes no time, one of the large table is told with its time.
fn judge_by(stats: &str, folder: &Path) {
    std::fs::write(folder.join("stats.yaml"), stats).expect("the folder is ours");
    let sql = "ALTER TABLE settings ALTER COLUMN value SET NOT NULL;\nALTER TABLE \"Shop Front\".\"Order: yes\" ALTER COLUMN note SET NOT NULL;\n";
    std::fs::write(folder.join("0042_note.sql"), sql).expect("the folder is ours");
    let lint = |arguments: &[&str]| words(&lockkeeper(&[&["lint", "0042_note.sql"], arguments].concat(), folder).stdout);
    let without = lint(&["--format", "short"]);
    let with = lint(&["--format", "short", "--stats", "stats.yaml"]);
    assert_eq!((without.matches("set-not-null").count(), with.matches("set-not-null").count()), (2, 1), "{without}\n{with}");
    let human = lint(&["--stats", "stats.yaml"]);
    assert!(human.contains("scans Shop Front.Order: yes, for about 1 s"), "{human}");
    assert!(human.contains("times are estimates that assume 100 MB read and 50 MB written a second"), "{human}");
}

#[test]
fn a_server_that_cannot_be_asked_is_a_problem_that_keeps_the_password_to_itself() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let no_server = format!("postgres://keeper:hunter2@localhost:1/shop?host={}", folder.path().display());
    for url in [no_server.as_str(), "postgres://keeper:hunter2@local host/shop", "keeper:hunter2"] {
        let output = lockkeeper(&["stats", "--database-url", url], folder.path());
        let said = words(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("target::") && !said.contains("hunter2"), "{said}");
    }
}
