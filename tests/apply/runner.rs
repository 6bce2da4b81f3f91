//! Another tool's command inside of our pipeline. The tool is a script with the manners of dbmate: each file in a transaction with its row.

use super::project::{Project, Said, said};
use crate::servers::servers;
use lockkeeper::db::{Connection, block_on};
use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread::{self, sleep};
use std::time::Duration;

const TOOL: &str = r#"set -e
run() { psql -X -q -v ON_ERROR_STOP=1 "$@"; }
run -c "SET client_min_messages = error; CREATE TABLE IF NOT EXISTS schema_migrations (version varchar PRIMARY KEY)"
for file in m/*.sql; do
  version=$(basename "$file" | cut -d_ -f1)
  if [ -z "$(run -At -c "SELECT 1 FROM schema_migrations WHERE version = '$version'")" ]; then
    echo "Applying: $file"
    case "$file" in
      *_alone.sql) run -f "$file"; run -c "INSERT INTO schema_migrations VALUES ('$version')" ;;
      *) (echo "BEGIN;"; cat "$file"; echo "INSERT INTO schema_migrations VALUES ('$version'); COMMIT;") | run -f - ;;
    esac
  fi
done
"#;

const USERS: (&str, &str) = ("001_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY);\n");
const ORDERS: (&str, &str) = ("002_orders.sql", "CREATE TABLE orders (id bigint PRIMARY KEY, buyer bigint);\n");
const NOTE: (&str, &str) = ("003_note.sql", "ALTER TABLE orders ADD COLUMN note text;\n");

fn shop(files: &[(&str, &str)]) -> Project {
    let project = Project::new(servers().last().expect("a server"), files);
    fs::write(project.path().join("tool.sh"), TOOL).expect("the tool is written");
    project
}

/// `lockkeeper apply` with more arguments and the tool behind it.
fn command(project: &Project, arguments: &[&str]) -> Command {
    let bin = servers().last().expect("a server").installation().bin.clone();
    let mut all = vec!["apply"];
    all.extend(arguments);
    all.extend(["--", "sh", "tool.sh"]);
    let mut command = project.command(&all);
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{}:{path}", bin.display()));
    let socket = project.options.get_socket().expect("a socket").display().to_string();
    command.env("PGHOST", socket).env("PGPORT", "5432").env("PGUSER", "postgres");
    command.env("PGDATABASE", project.options.get_database().expect("a name"));
    command
}

fn apply(project: &Project, arguments: &[&str]) -> Said {
    said(&command(project, arguments).output().expect("lockkeeper starts"))
}

/// Starts it, and waits until a session of the tool waits for a lock or sleeps.
fn start(project: &Project) -> Child {
    let child = command(project, &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("lockkeeper starts");
    let busy = "SELECT pid::text FROM pg_stat_activity WHERE application_name LIKE 'lockkeeper with run %' AND wait_event IN ('PgSleep', 'relation')
                  AND datname = current_database()";
    (0..1000)
        .find(|_| {
            !project.ask(busy).is_empty() || {
                sleep(Duration::from_millis(10));
                false
            }
        })
        .expect("the tool is at work");
    child
}

fn ledger(project: &Project) -> String {
    project.ask("SELECT key || ' ' || state FROM lockkeeper.migration ORDER BY place")
}

fn ends(said: &Said, code: i32, words: &str) {
    assert!(said.code == code && said.says(words), "{} {}", said.code, said.err);
}

#[test]
fn the_tool_runs_what_was_judged_and_the_ledger_has_it() {
    let project = shop(&[USERS, ORDERS]);
    let ran = apply(&project, &[]);
    ends(&ran, 0, "2 migrations have run");
    assert!(ran.err.contains("    | Applying: m/002_orders.sql"), "{}", ran.err);
    assert_eq!(ledger(&project), "001 applied\n002 applied");
    assert_eq!(project.run(&["validate"]).code, 0);
    ends(&apply(&project, &[]), 0, "nothing to do");

    // What breaks running code needs somebody's word, whoever runs it; nothing was started.
    project.write("003_drop.sql", "ALTER TABLE orders DROP COLUMN buyer;\n");
    let refused = apply(&project, &[]);
    ends(&refused, 1, "nobody has approved it");
    assert!(!refused.err.contains("| "), "{}", refused.err);
    project.approve_all();
    ends(&apply(&project, &[]), 0, "1 migration has run");
}

#[test]
fn what_the_tool_has_run_without_us_is_noted() {
    let project = shop(&[USERS, ORDERS]);
    let killed = command(&project, &[]).env("LOCKKEEPER_FAILPOINT", "runner-ended").output().expect("lockkeeper starts");
    assert_eq!((killed.status.code(), ledger(&project)), (None, String::new()));
    ends(&apply(&project, &[]), 0, "nothing to do");
    assert_eq!(ledger(&project), "001 baselined\n002 baselined");
    assert_eq!(project.run(&["validate"]).code, 0);
}

#[test]
fn who_is_killed_before_the_tool_begins_has_run_nothing() {
    let project = shop(&[USERS, ORDERS]);
    let killed = command(&project, &[]).env("LOCKKEEPER_FAILPOINT", "runner-begins").output().expect("lockkeeper starts");
    assert_eq!((killed.status.code(), ledger(&project)), (None, String::new()));
    ends(&apply(&project, &[]), 0, "2 migrations have run");
    assert_eq!(ledger(&project), "001 applied\n002 applied");
}

#[test]
fn a_tool_that_fails_is_told_by_what_its_table_says() {
    let project = shop(&[("001_users.sql", "CREATE TABLE users (id bigint);\nSELECT no_such_column FROM users;\n")]);
    ends(&apply(&project, &[]), 6, "it has run nothing");
    project.write(USERS.0, USERS.1);
    project.write("002_orders.sql", "CREATE TABLE orders (id bigint);\nSELECT no_such_column FROM orders;\n");
    let failed = apply(&project, &[]);
    ends(&failed, 10, "by public.schema_migrations it has run 001");
    assert!(failed.err.contains("no_such_column"), "its words are passed on: {}", failed.err);
    assert_eq!(ledger(&project), "001 applied");
    project.write(ORDERS.0, ORDERS.1);
    ends(&apply(&project, &[]), 0, "1 migration has run");
}

#[test]
fn an_index_that_is_left_invalid_is_named() {
    let project = shop(&[USERS, ORDERS]);
    assert_eq!(apply(&project, &[]).code, 0);
    project.ask("INSERT INTO orders (id, buyer) VALUES (1, 7), (2, 7)");
    project.write("003_buyer_alone.sql", "CREATE UNIQUE INDEX CONCURRENTLY orders_buyer ON orders (buyer);\n");
    ends(&apply(&project, &[]), 7, "it has left invalid indexes behind: public.orders_buyer");
}

#[test]
fn a_command_that_does_nothing_here_has_not_run_anything() {
    let project = shop(&[USERS]);
    ends(&project.run(&["apply", "--", "true"]), 3, "does the command work on this database?");
    ends(&project.run(&["apply", "--", "no-such-tool"]), 3, "`no-such-tool` cannot be started");
    project.write(
        "lockkeeper.yaml",
        "migrations: [m]\nhistory: whole\nenvironments: { test: { confirm: false } }\napply: { with: [\"false\"] }\n",
    );
    ends(&project.run(&["apply"]), 6, "false ended with 1");
}

#[test]
fn ctrl_c_reaches_the_tool_and_its_sessions() {
    let project = shop(&[USERS, ("002_slow.sql", "CREATE TABLE orders (id bigint PRIMARY KEY);\nSELECT pg_sleep(60);\n")]);
    project.approve_all();
    let child = start(&project);
    let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).expect("a process id"));
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).expect("it is there");
    ends(&said(&child.wait_with_output().expect("it ends")), 130, "it has run 001");
    let sessions = "SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'lockkeeper%'";
    // The server notices a moment later that a client is gone.
    let gone = (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        project.ask(sessions) == "0"
    });
    assert!(gone, "a session is left");
    assert_eq!(ledger(&project), "001 applied");
}

#[test]
fn too_many_who_wait_behind_the_tool_end_its_statement() {
    let project = shop(&[USERS, ORDERS]);
    assert_eq!(apply(&project, &[]).code, 0);
    project.write(NOTE.0, NOTE.1);
    project.write(
        "lockkeeper.yaml",
        "migrations: [m]\nhistory: whole\nenvironments: { test: { confirm: false } }\napply: { lock: { timeout: 20s, max_waiters: 3 } }\n",
    );
    let read = |sql: &str, until: Option<mpsc::Receiver<()>>| {
        let reading = async {
            let mut connection = Connection::open(&project.options).await.expect("the server answers");
            connection.run(sql).await.expect("it may read");
            until.map(|until| until.recv());
            connection.close().await;
        };
        block_on(reading).expect("an event queue");
    };
    let (over, until) = mpsc::channel();
    let ended = thread::scope(|scope| {
        scope.spawn(|| read("BEGIN; SELECT count(*) FROM orders", Some(until)));
        let child = start(&project);
        for _ in 0..5 {
            scope.spawn(|| read("SELECT count(*) FROM orders", None));
        }
        let ended = said(&child.wait_with_output().expect("it ends"));
        over.send(()).expect("the reader waits for it");
        ended
    });
    ends(&ended, 9, "sessions were waiting behind it");
    ends(&apply(&project, &[]), 0, "1 migration has run");
}

#[test]
fn a_command_that_nobody_can_judge_is_refused_unless_somebody_says_why() {
    let project = shop(&[]);
    fs::create_dir_all(project.path().join("m")).expect("a folder");
    fs::write(project.path().join("m/001_users.py"), "op.create_table('users')\n").expect("a file");
    let tool = "psql -X -q -c 'CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(32) PRIMARY KEY)' \
                -c \"INSERT INTO alembic_version VALUES ('3a91')\"";
    fs::write(project.path().join("tool.sh"), tool).expect("the tool is written");
    ends(&apply(&project, &[]), 1, "nobody can judge it");
    ends(&apply(&project, &["--unjudged", "--reason", "render comes later"]), 0, "1 migration has run");
    assert_eq!(project.ask("SELECT text FROM lockkeeper.event WHERE kind = 'reason'"), "render comes later");
}
