//! How a session comes about: passwords, names and answers of real servers.

use crate::servers::servers;
use lockkeeper::config::environments::Environment;
use lockkeeper::db::server::Server;
use lockkeeper::db::target::Target;
use lockkeeper::db::{Connection, block_on};
use lockkeeper::problem::Problem;
use std::fs;
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use tempfile::TempDir;

/// The newest server, on which `keeper` has to say `hunter2`.
fn guarded() -> (Server, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let hba = folder.path().join("pg_hba.conf");
    fs::write(&hba, "local all keeper scram-sha-256\nlocal all all trust\n").expect("the folder is ours");
    for path in [folder.path(), &hba] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    }
    let newest = servers().last().expect("at least one is installed").installation();
    let server = Server::start(newest, &[("hba_file", &hba.display().to_string())]).unwrap_or_else(|problem| panic!("{}", problem.message));
    block_on(async {
        let mut connection = Connection::open(&server.options("postgres")).await.expect("the server answers");
        for sql in ["CREATE ROLE keeper LOGIN PASSWORD 'hunter2'", "CREATE DATABASE shop OWNER keeper"] {
            connection.run(sql).await.expect("a superuser may do it");
        }
        connection.close().await;
    })
    .expect("an event queue");
    (server, folder)
}

/// A TCP port of this machine behind which the server's socket is: throw-away servers have no TCP of their own.
fn port_of(server: &Server) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let socket = server.socket().join(".s.PGSQL.5432");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let server = UnixStream::connect(&socket).expect("the server listens");
            let (back, answers) = (stream.try_clone().expect("a handle"), server.try_clone().expect("a handle"));
            thread::spawn(move || copy(stream, server, |server| server.shutdown(Shutdown::Write)));
            thread::spawn(move || copy(answers, back, |client: &TcpStream| client.shutdown(Shutdown::Write)));
        }
    });
    port
}

fn copy<R: io::Read, W: io::Write>(mut from: R, mut to: W, end: fn(&W) -> io::Result<()>) {
    // Either end may go first.
    let _ = io::copy(&mut from, &mut to);
    let _ = end(&to);
}

/// What a session under this URL says of itself, or why there is none.
fn session(url: &str, environment: &Environment, variables: &[(&str, &str)]) -> Result<String, Problem> {
    let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    let target = Target::resolve(environment.clone(), Some(url), &variable)?;
    block_on(async {
        let mut connection = target.connect("lockkeeper").await?;
        let says = "SELECT pg_catalog.concat_ws(' ', session_user, pg_catalog.current_database(), pg_catalog.current_setting('application_name'), \
                    pg_catalog.current_setting('work_mem'))";
        let said = connection.texts(says).await.expect("it may ask").concat();
        connection.close().await;
        Ok(said)
    })?
}

fn words(answer: Result<String, Problem>) -> String {
    answer.unwrap_or_else(|problem| format!("{}: {} ({})", problem.code, problem.message, problem.help.unwrap_or_default()))
}

#[test]
fn a_password_opens_a_server_whoever_has_it() {
    let (server, folder) = guarded();
    let port = port_of(&server);
    let environment = Environment::named("development");
    let url = |user: &str| format!("postgres://{user}@127.0.0.1:{port}/shop");
    let with = |user: &str, variables: &[(&str, &str)]| words(session(&url(user), &environment, variables));

    assert_eq!(with("keeper:hunter2", &[]), "keeper shop lockkeeper 4MB");
    assert_eq!(with("keeper", &[("PGPASSWORD", "hunter2"), ("PGOPTIONS", "-c work_mem=8MB")]), "keeper shop lockkeeper 8MB");
    let home = folder.path().display().to_string();
    let pgpass = folder.path().join(".pgpass");
    fs::write(&pgpass, format!("localhost:*:*:*:hunter3\n127.0.0.1:{port}:shop:keeper:hunter2\n")).expect("the folder is ours");
    fs::set_permissions(&pgpass, fs::Permissions::from_mode(0o600)).expect("it is ours");
    assert_eq!(with("keeper", &[("HOME", &home)]), "keeper shop lockkeeper 4MB");

    let refused = with("keeper:hunter3", &[("HOME", &home)]);
    assert!(
        refused.starts_with(&format!(
            "target::refused: no session on postgres://keeper@127.0.0.1:{port}/shop: password authentication failed"
        )),
        "{refused}"
    );
    assert!(!refused.contains("hunter"), "{refused}");
}

#[test]
fn a_database_of_another_name_is_left_alone() {
    let server = &servers()[0];
    let environment = Environment { database: Some("shop".to_owned()), ..Environment::named("staging") };
    let url = format!("postgres://postgres@/template1?host={}", server.socket().display());
    let said = words(session(&url, &environment, &[]));
    assert!(
        said.starts_with("target::database: ") && said.contains("leads to the database `template1`, and `staging` has to be `shop`"),
        "{said}"
    );
    let right = Environment { database: Some("template1".to_owned()), ..environment };
    assert_eq!(words(session(&url, &right, &[])), "postgres template1 lockkeeper 4MB");
}

#[test]
fn a_server_that_cannot_prove_who_it_is_is_refused_if_it_has_to() {
    let port = port_of(&servers()[0]);
    let said =
        words(session(&format!("postgres://postgres@127.0.0.1:{port}/postgres?sslmode=verify-full"), &Environment::named("staging"), &[]));
    assert!(said.starts_with("target::refused: ") && said.contains("TLS") && said.contains("sslrootcert=FILE"), "{said}");
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let said = words(session(&format!("postgres://keeper@127.0.0.1:{port}/shop?connect_timeout=1"), &Environment::named("staging"), &[]));
    assert!(said.contains("no answer within 1 s"), "{said}");
}

/// The program in a folder that is the user's home, with these variables and no others of libpq's.
fn stats(home: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockkeeper"));
    command.arg("stats").args(arguments).current_dir(home).env_clear().env("HOME", home).envs(variables.iter().copied());
    let output = command.output().expect("the binary was built");
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_command_finds_its_database_in_variables_services_files_and_the_config() {
    let server = &servers()[0];
    let socket = server.socket().display().to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path();
    let write = |name: &str, text: &str| fs::write(home.join(name), text).expect("the folder is ours");
    let url = format!("postgres://postgres@/postgres?host={socket}");
    write(".pg_service.conf", &format!("[shop]\nhost={socket}\nuser=postgres\ndbname=postgres\n"));
    write(".env.staging", &format!("export DATABASE_URL='{url}'\n"));
    write("lockkeeper.yaml", &format!("environments: {{ production: {{ url: '{url}' }}, staging: {{ env_file: .env.staging }} }}\n"));
    let elsewhere = "postgres://nobody@/nowhere?host=/nowhere";
    for (arguments, variables) in [
        (&["--database-url", &url][..], &[("LOCKKEEPER_DATABASE_URL", elsewhere)][..]),
        (&[], &[("LOCKKEEPER_DATABASE_URL", &url), ("DATABASE_URL", elsewhere)]),
        (&[], &[("DATABASE_URL", &url), ("PGHOST", "/nowhere")]),
        (&[], &[("PGHOST", &socket), ("PGUSER", "postgres"), ("PGDATABASE", "postgres")]),
        (&[], &[("PGSERVICE", "shop")]),
        (&["--env", "staging"], &[]),
        (&[], &[("LOCKKEEPER_ENV", "staging")]),
        (&[], &[]),
    ] {
        let (code, out, err) = stats(home, arguments, variables);
        assert!(code == Some(0) && out.contains("database: \"postgres\""), "{arguments:?} {variables:?}: {out}{err}");
    }
    let (code, out, err) = stats(home, &["--env", "stagging"], &[]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(err.contains("there is no environment `stagging`, did you mean `staging`?"), "{err}");
}

#[test]
fn no_output_has_the_password_however_wrong_the_command_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let home: PathBuf = folder.path().into();
    let url = "postgres://keeper:hunter2@localhost:1/shop";
    for (arguments, variables) in [
        (&["--database-url", url][..], &[][..]),
        (&["--database-url", url, "--colour"], &[]),
        (&["--databas-url", url], &[]),
        (&[&format!("--databas-url={url}")], &[]),
        (&[&format!("--env={url}")], &[]),
        (&[url], &[]),
        (&[], &[("DATABASE_URL", url)]),
        (&[], &[("LOCKKEEPER_DATABASE_URL", "postgres://keeper:hunter2@localhost:hunter2/shop")]),
        (&["--help"], &[("DATABASE_URL", url), ("LOCKKEEPER_DATABASE_URL", url)]),
    ] {
        let (code, out, err) = stats(&home, arguments, variables);
        assert!(code == Some(2) || arguments.contains(&"--help"), "{arguments:?} {variables:?}: {out}{err}");
        assert!(!out.contains("hunter2") && !err.contains("hunter2"), "{arguments:?} {variables:?}: {out}{err}");
    }
}
