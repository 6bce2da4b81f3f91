//! Who is asked before production is changed, and how: the program on a terminal and without one.

use crate::servers::{new_database, servers};
use lockkeeper::db::{Connection, block_on};
use nix::pty::openpty;
use sqlx::postgres::PgConnectOptions;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A shop with one migration, and the URL of its empty database.
fn shop() -> (TempDir, PgConnectOptions, String) {
    let options = block_on(new_database(&servers()[0])).expect("an event queue");
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("migrations")).expect("the folder is ours");
    let sql = "CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text);\n";
    for (name, text) in [("migrations/0001_orders.sql", sql), ("lockkeeper.yaml", "migrations: [migrations]\n")] {
        fs::write(folder.path().join(name), text).expect("the folder is ours");
    }
    let socket = options.get_socket().expect("it listens on a socket").display().to_string();
    let url = format!("postgres://postgres@/{}?host={socket}", options.get_database().expect("it has a name"));
    (folder, options, url)
}

fn lockkeeper(folder: &Path, url: &str, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockkeeper"));
    command.args(words).current_dir(folder).env("LOCKKEEPER_DATABASE_URL", url).stdin(Stdio::null());
    command
}

fn orders(options: &PgConnectOptions) -> bool {
    let there = async {
        let mut connection = Connection::open(options).await.expect("the server answers");
        connection.texts("SELECT coalesce(pg_catalog.to_regclass('public.orders')::text, 'none')").await.expect("it may ask").concat()
            == "orders"
    };
    block_on(there).expect("an event queue")
}

/// Exit code, and what stands on standard error.
fn answer(mut command: Command) -> (Option<i32>, String) {
    let output = command.output().expect("the program runs");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn without_a_terminal_the_refusal_prints_the_command_that_runs_it() {
    let (folder, options, url) = shop();
    let (code, said) = answer(lockkeeper(folder.path(), &url, &["apply", "--wait", "1s"]));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("`production` asks for the name of its database") && !orders(&options), "{said}");

    // Reports break lines where they like.
    let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let printed = flat.split("then: lockkeeper ").nth(1).unwrap_or_else(|| panic!("{flat}"));
    let words: Vec<_> = printed.split(' ').take(6).collect();
    assert_eq!(words[..5], ["apply", "--wait", "1s", "--yes", "--approve-hash"], "{flat}");

    let mut other: Vec<_> = words.clone();
    let wrong = words[5].chars().rev().collect::<String>();
    other[5] = &wrong;
    let (code, said) = answer(lockkeeper(folder.path(), &url, &other));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("is not what was looked at") && !orders(&options), "{said}");

    let (code, said) = answer(lockkeeper(folder.path(), &url, &words));
    assert!(code == Some(0) && orders(&options), "{said}");
}

/// Runs it on a terminal on which somebody types a line as soon as he is asked.
fn on_a_terminal(mut command: Command, typed: &str) -> (Option<i32>, String) {
    let terminal = openpty(None, None).expect("a terminal");
    let handle = || Stdio::from(terminal.slave.try_clone().expect("a handle"));
    let mut child = command.stdin(handle()).stderr(handle()).stdout(Stdio::null()).spawn().expect("the program runs");
    // It ends for us when it ends for the program.
    drop((command, terminal.slave));
    let mut screen = File::from(terminal.master);
    let (mut said, mut bytes, mut is_asked) = (Vec::new(), [0; 1024], false);
    // When the last program has gone, Linux gives an error instead of an end.
    while let Ok(count) = screen.read(&mut bytes) {
        if count == 0 {
            break;
        }
        said.extend_from_slice(&bytes[..count]);
        if !is_asked && String::from_utf8_lossy(&said).contains("to go on: ") {
            is_asked = true;
            screen.write_all(format!("{typed}\n").as_bytes()).expect("somebody types");
        }
    }
    (child.wait().expect("it ends").code(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn on_a_terminal_production_asks_for_the_name_of_the_database() {
    let (folder, options, url) = shop();
    let apply = || lockkeeper(folder.path(), &url, &["apply"]);
    let (code, said) = on_a_terminal(apply(), "shop");
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("This changes production.") && said.contains("that is not the name of the database") && !orders(&options),
        "{said}"
    );

    let (code, said) = on_a_terminal(apply(), options.get_database().expect("it has a name"));
    assert!(code == Some(0) && orders(&options), "{said}");
}
