//! A project in a folder of its own with a database of its own, and `lockkeeper` run in it as a user runs it.

use crate::servers::new_database;
use lockkeeper::db::server::Server;
use lockkeeper::db::{Connection, block_on};
use sqlx::postgres::PgConnectOptions;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A project and its database.
pub struct Project {
    pub folder: TempDir,
    pub options: PgConnectOptions,
    url: String,
}

/// What a command answered.
#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    /// Whether it complained in these words, wherever a line of the report ends.
    pub fn says(&self, words: &str) -> bool {
        let words_only = |text: &str| text.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        words_only(&self.err).contains(&words_only(words))
    }
}

/// Nobody is asked, and nobody is waited for long.
const CONFIG: &str = "migrations: [m]\nhistory: whole\nenvironments:\n  test: { confirm: false }\n\
                      apply: { lock: { timeout: 300ms, budget: 20s }, reconnect: 20s }\n";

impl Project {
    /// A project of these files below `m/`; one that is called `lockkeeper.yaml` takes the place of the usual config.
    pub fn new(server: &Server, files: &[(&str, &str)]) -> Self {
        let options = block_on(new_database(server)).expect("an event queue");
        let url = format!(
            "postgres://postgres@localhost/{}?host={}&port=5432",
            options.get_database().unwrap_or_default(),
            server.socket().display()
        );
        let project = Self { folder: TempDir::new().expect("a temporary folder"), options, url };
        project.write("lockkeeper.yaml", CONFIG);
        files.iter().for_each(|(path, text)| project.write(path, text));
        project
    }

    /// Writes a file: below `m/`, or `lockkeeper.yaml`.
    pub fn write(&self, name: &str, text: &str) {
        let path = if name == "lockkeeper.yaml" { self.path().join(name) } else { self.path().join("m").join(name) };
        fs::create_dir_all(path.parent().expect("it lies in a folder")).expect("the folder can be made");
        fs::write(path, text).expect("the file can be written");
    }

    /// Removes a file below `m/`.
    pub fn remove(&self, name: &str) {
        fs::remove_file(self.path().join("m").join(name)).expect("it is there");
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The command line, in the folder and for the database of the project.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lockkeeper"));
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        command.env("LOCKKEEPER_ENV", "test").env("LOCKKEEPER_DATABASE_URL", &self.url).env("USER", "anna").env_remove("LOCKKEEPER_BY");
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Said {
        said(&self.command(arguments).output().expect("lockkeeper starts"))
    }

    /// The first column of a query, line by line.
    pub fn ask(&self, query: &str) -> String {
        let ask = async {
            let mut connection = Connection::open(&self.options).await.expect("the server answers");
            let texts = connection.texts(query).await.unwrap_or_else(|refusal| panic!("{query}: {refusal}"));
            connection.close().await;
            texts.join("\n")
        };
        block_on(ask).expect("an event queue")
    }

    /// Approves all files of the project.
    pub fn approve_all(&self) {
        let mut files: Vec<_> = fs::read_dir(self.path().join("m")).expect("there are files").flatten().map(|file| file.path()).collect();
        files.retain(|path| !path.to_string_lossy().contains(".down."));
        let files: Vec<_> =
            files.iter().map(|path| path.strip_prefix(self.path()).unwrap_or(path).to_string_lossy().into_owned()).collect();
        let mut arguments = vec!["approve", "--by", "anna", "--reason", "a test"];
        arguments.extend(files.iter().map(String::as_str));
        let said = self.run(&arguments);
        assert_eq!(said.code, 0, "{}", said.err);
    }
}

pub fn said(output: &Output) -> Said {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { code: output.status.code().unwrap_or(-1), out: text(&output.stdout), err: text(&output.stderr) }
}
