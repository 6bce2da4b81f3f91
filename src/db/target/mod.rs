//! Which database is meant: flag, environment and config become one [`Target`], which knows where it came from and shows no password.

mod env_file;
mod parts;
mod passfile;
mod service;

use super::{Connection, Refusal};
use crate::config::environments::{Environment, passwords};
use crate::problem::Problem;
use parts::{PLACES, Parts, encoded};
use passfile::{Login, SOCKET_FOLDERS};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The variable that is ours alone.
pub const OWN_VARIABLE: &str = "LOCKKEEPER_DATABASE_URL";
/// The variable that everybody uses.
pub const DATABASE_URL: &str = "DATABASE_URL";

/// How long a server has to answer a new connection, if `connect_timeout` says nothing. sqlx has no such time, and a host that swallows packets
/// would keep us for minutes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A variable of the process, if it is set. Tests have others than the process.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A database, and how to get there.
///
/// What sqlx offers no way to set: TCP keepalives and `tcp_user_timeout` of our own end. A connection that a firewall has forgotten is noticed by
/// whoever waits for an answer with a time limit of his own; the server's end is set by its `tcp_keepalives_idle` and `tcp_user_timeout`.
#[derive(Clone)]
pub struct Target {
    /// For sqlx. Its own `Debug` shows the password.
    pub options: PgConnectOptions,
    /// Who said it: `DATABASE_URL`, `environments.production.url in lockkeeper.yaml`.
    pub origin: String,
    /// What lockkeeper.yaml says of it.
    pub environment: Environment,
    /// `postgres://keeper@db.example.org:5432/shop`
    pub shown: String,
    /// What the user had better know.
    pub warnings: Vec<String>,
    patience: Option<Duration>,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("shown", &self.shown).field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// The variables of this process.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Target {
    /// The database that is meant: `--database-url`, else LOCKKEEPER_DATABASE_URL, DATABASE_URL, the PG* variables, the environment's `env_file`,
    /// its `url` or `url_env`. What the first of them leaves out is filled in as libpq does: from a service, then from PG* variables.
    ///
    /// # Errors
    /// Nobody says it, or it cannot be understood. No error repeats a URL.
    pub fn resolve(environment: Environment, flag: Option<&str>, variables: Variables<'_>) -> Result<Self, Problem> {
        let file = environment.env_file.as_deref().map_or(Ok(BTreeMap::new()), env_file::read)?;
        let is_set = |value: &String| !value.is_empty();
        let process = |name: &str| variables(name).filter(is_set);
        let file = |name: &str| file.get(name).cloned().filter(is_set);
        let both = |name: &str| process(name).or_else(|| file(name));

        let found = Found::first(&environment, flag, [&process, &file, &both])?;
        let mut parts = found.parts;
        if let Some(name) = parts.get("service").map(str::to_owned).or_else(|| both("PGSERVICE")) {
            parts.fill(service::parts(&name, &both)?);
        }
        parts.fill(Parts::of_variables(&both));
        let mut target = Self::of(&parts, found.origin, environment)?;
        target.warnings.extend(found.warnings);
        let spare = if found.is_config { both("POSTGRES_PASSWORD") } else { None };
        let password = match parts.get("password").map(str::to_owned).or(spare) {
            Some(password) => Some(password),
            None => target.password_of_file(&parts, &both),
        };
        // Said even if there is none: sqlx has looked for one already, by what it knew then.
        target.options = target.options.password(password.as_deref().unwrap_or_default());
        Ok(target)
    }

    /// All but the password.
    fn of(parts: &Parts, origin: String, environment: Environment) -> Result<Self, Problem> {
        let given = |name: &str| parts.get(name).filter(|value| !value.is_empty());
        let wrong = |what: &str| Problem::new("target::url", format!("{origin}: {what}"));
        let mut options = with_options(given("options")).ok_or_else(|| wrong("its `options` cannot be understood"))?;
        let port = given("port").and_then(|port| port.parse().ok()).unwrap_or(5432);
        let host = given("hostaddr").or(given("host")).map_or_else(|| default_host(port), str::to_owned);
        let user = given("user").unwrap_or(options.get_username()).to_owned();
        let database = given("dbname").or(environment.database.as_deref()).unwrap_or(&user).to_owned();
        let mode = match given("sslmode").map(str::parse::<PgSslMode>) {
            Some(Ok(mode)) => mode,
            Some(Err(_)) => {
                return Err(wrong("its sslmode is none").help("one of: disable, allow, prefer, require, verify-ca, verify-full"));
            }
            None if is_local(&host) => PgSslMode::Prefer,
            None => PgSslMode::VerifyFull,
        };
        let patience = match given("connect_timeout").map(str::parse::<i64>) {
            Some(Ok(seconds)) => u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs),
            Some(Err(_)) => return Err(wrong("its connect_timeout is no number of seconds")),
            None => Some(PATIENCE),
        };
        options = options.host(&host).port(port).username(&user).database(&database).ssl_mode(mode);
        options = match given("sslrootcert") {
            // The authorities that the system trusts are those that sqlx begins with.
            Some("system") => options.ssl_root_cert_from_pem(Vec::new()),
            Some(path) => options.ssl_root_cert(path),
            None => options,
        };
        options = given("sslcert").map_or(options.clone(), |path| options.ssl_client_cert(path));
        options = given("sslkey").map_or(options.clone(), |path| options.ssl_client_key(path));
        let shown = shown(&user, &host, port, &database);
        let mut warnings: Vec<_> = if is_local(&host) { None } else { weakness(mode, &host) }.into_iter().collect();
        warnings.extend(parts.not_followed.iter().map(|name| not_followed(name)));
        Ok(Self { options, origin, environment, shown, warnings, patience })
    }

    /// The password in ~/.pgpass, or in the file that takes its place.
    fn password_of_file(&mut self, parts: &Parts, variables: Variables<'_>) -> Option<String> {
        let home = || variables("HOME").map(|home| Path::new(&home).join(".pgpass"));
        let path = parts.get("passfile").map(PathBuf::from).or_else(home)?;
        let host = parts.get("host").unwrap_or(self.options.get_host());
        let database = self.options.get_database().unwrap_or_default();
        let login = Login { host, port: self.options.get_port(), database, user: self.options.get_username() };
        passfile::password(&path, &login).unwrap_or_else(|why| {
            self.warnings.push(why);
            None
        })
    }

    /// Opens a session under an `application_name`, on a database that has the name that the environment wants.
    ///
    /// # Errors
    /// The server does not let us in, does not answer in time, or leads to another database.
    pub async fn connect(&self, application: &str) -> Result<Connection, Problem> {
        let options = self.options.clone().application_name(application);
        let opening = Connection::open(&options);
        let opened = match self.patience {
            Some(patience) => tokio::time::timeout(patience, opening).await.unwrap_or_else(|_| {
                let message = format!("no answer within {} s", patience.as_secs());
                Err(Refusal { code: super::code::CONNECTION.to_owned(), message })
            }),
            None => opening.await,
        };
        let mut connection = opened.map_err(|refusal| self.refused(&refusal))?;
        let Some(wanted) = &self.environment.database else { return Ok(connection) };
        let named = connection.texts("SELECT pg_catalog.current_database()::pg_catalog.text").await;
        let named = named.map_err(|refusal| self.refused(&refusal))?.concat();
        match named == *wanted {
            true => Ok(connection),
            false => {
                connection.close().await;
                Err(self.other_database(&named, wanted))
            }
        }
    }

    /// Why there is no session, and what may help.
    fn refused(&self, refusal: &Refusal) -> Problem {
        let origin = &self.origin;
        let help = match refusal.code.as_str() {
            "28P01" | "28000" => format!("the URL is that of {origin}; a password is looked for in it, in PGPASSWORD and in ~/.pgpass"),
            super::code::CONNECTION if ["TLS", "certificate"].iter().any(|word| refusal.message.contains(word)) => format!(
                "the URL is that of {origin}; who the server is, is checked unless it is on this machine: `sslrootcert=FILE` names the authority \
                 that vouches for it, `sslmode=require` checks nothing"
            ),
            _ => format!("the URL is that of {origin}"),
        };
        Problem::new("target::refused", format!("no session on {}: {refusal}", self.shown)).help(help)
    }

    fn other_database(&self, named: &str, wanted: &str) -> Problem {
        let name = &self.environment.name;
        Problem::new("target::database", format!("{} leads to the database `{named}`, and `{name}` has to be `{wanted}`", self.shown)).help(
            format!(
                "the URL is that of {}; the name is `environments.{name}.database` in lockkeeper.yaml; --env names another environment",
                self.origin
            ),
        )
    }
}

/// What says where to connect to, before anything is filled in.
struct Found {
    parts: Parts,
    origin: String,
    is_config: bool,
    warnings: Vec<String>,
}

impl Found {
    /// The first that says it, of: the flag, the process's variables, the file's, the config.
    fn first(environment: &Environment, flag: Option<&str>, [process, file, both]: [Variables<'_>; 3]) -> Result<Self, Problem> {
        let found = |parts, origin, warnings| Self { parts, origin, is_config: false, warnings };
        if let Some(url) = flag {
            let origin = "--database-url".to_owned();
            let seen = "everybody on this machine can read the password in --database-url (`ps`): put it into PGPASSWORD, ~/.pgpass or LOCKKEEPER_DATABASE_URL";
            let warnings = if passwords(url).is_empty() { Vec::new() } else { vec![seen.to_owned()] };
            return Ok(found(understood(url, &origin)?, origin, warnings));
        }
        if let Some((parts, origin)) = of_variables(process)? {
            let warnings = passed_over(environment, &origin).into_iter().collect();
            return Ok(found(parts, origin, warnings));
        }
        if let Some((parts, origin)) = of_variables(file)? {
            let path = environment.env_file.as_deref().unwrap_or(Path::new(""));
            return Ok(found(parts, format!("{origin} in {}", path.display()), Vec::new()));
        }
        let key = format!("environments.{}", environment.name);
        let (url, origin) = match (&environment.url, &environment.url_env) {
            (Some(url), _) => (url.clone(), format!("{key}.url in lockkeeper.yaml")),
            (None, Some(name)) => match both(name) {
                Some(url) => (url, format!("{name}, which {key}.url_env in lockkeeper.yaml names")),
                None => return Err(unsaid(format!("{name} is not set, and {key}.url_env in lockkeeper.yaml names it"))),
            },
            (None, None) => return Err(unsaid("nobody says which database is meant".to_owned())),
        };
        Ok(Self { parts: understood(&url, &origin)?, origin, is_config: true, warnings: Vec::new() })
    }
}

/// A URL in a variable, or a place in PG* variables; with the name of whoever said it.
fn of_variables(variables: Variables<'_>) -> Result<Option<(Parts, String)>, Problem> {
    for name in [OWN_VARIABLE, DATABASE_URL] {
        if let Some(url) = variables(name) {
            return Ok(Some((understood(&url, name)?, name.to_owned())));
        }
    }
    let places: Vec<_> = PLACES.into_iter().filter(|name| variables(name).is_some()).collect();
    // They are filled in later, behind a service, which libpq asks first.
    Ok((!places.is_empty()).then(|| (Parts::default(), places.join(" and "))))
}

fn understood(url: &str, origin: &str) -> Result<Parts, Problem> {
    Parts::of_url(url).map_err(|why| {
        // The URL may hold a password, so it is not repeated.
        Problem::new("target::url", format!("the URL of {origin} cannot be understood: {why}"))
            .help("write postgres://USER@HOST:PORT/DATABASE")
    })
}

fn unsaid(message: String) -> Problem {
    Problem::new("target::none", message).help(
        "say it by --database-url, LOCKKEEPER_DATABASE_URL, DATABASE_URL, PGHOST and PGDATABASE, or below `environments:` in lockkeeper.yaml",
    )
}

/// A URL of the config that a variable of general use comes before: somebody may have forgotten that it is set.
fn passed_over(environment: &Environment, origin: &str) -> Option<String> {
    let key = match (&environment.url, &environment.url_env) {
        (Some(_), _) => "url",
        (None, Some(name)) if name != origin => "url_env",
        (None, Some(_) | None) => return None,
    };
    (origin != OWN_VARIABLE).then(|| format!("environments.{}.{key} in lockkeeper.yaml is passed over for {origin}", environment.name))
}

/// Options with the `-c NAME=VALUE ...` of libpq's `options`. sqlx takes that text from a URL alone.
fn with_options(written: Option<&str>) -> Option<PgConnectOptions> {
    let options = PgConnectOptions::new_without_pgpass();
    match written {
        // PGOPTIONS has been read.
        Some(written) if options.get_options() != Some(written) => format!("postgres:///?options={}", encoded(written)).parse().ok(),
        Some(_) | None => Some(options),
    }
}

/// The socket of this machine's server if there is one, as libpq does.
fn default_host(port: u16) -> String {
    let has_socket = |folder: &&str| Path::new(folder).join(format!(".s.PGSQL.{port}")).exists();
    SOCKET_FOLDERS.into_iter().find(has_socket).unwrap_or("localhost").to_owned()
}

/// Whether what is sent there stays on this machine.
fn is_local(host: &str) -> bool {
    host.starts_with('/') || host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn shown(user: &str, host: &str, port: u16, database: &str) -> String {
    let (user, database) = (encoded(user), encoded(database));
    if host.starts_with('/') {
        return format!("postgres://{user}@/{database}?host={}&port={port}", encoded(host));
    }
    match host.contains(':') {
        true => format!("postgres://{user}@[{host}]:{port}/{database}"),
        false => format!("postgres://{user}@{}:{port}/{database}", encoded(host)),
    }
}

/// What a mode leaves open, where the way to the server is no wire inside this machine.
fn weakness(mode: PgSslMode, host: &str) -> Option<String> {
    let host = encoded(host);
    let open = |mode: &str| format!("what is sent to {host}, the password perhaps among it, may go unencrypted (sslmode={mode})");
    let unknown = |mode: &str, what: &str| format!("{what} that the server is {host} (sslmode={mode}; verify-full does)");
    match mode {
        PgSslMode::Disable => Some(open("disable")),
        PgSslMode::Allow => Some(open("allow")),
        PgSslMode::Prefer => Some(open("prefer")),
        PgSslMode::Require => Some(unknown("require", "nobody checks")),
        PgSslMode::VerifyCa => Some(unknown("verify-ca", "its certificate is checked, but not")),
        PgSslMode::VerifyFull => None,
    }
}

fn not_followed(name: &str) -> String {
    match name {
        // Prisma's.
        "schema" => "`schema` in the URL has no effect: `apply: { search_path: ... }` in lockkeeper.yaml says it".to_owned(),
        name => format!("`{name}` has no effect: lockkeeper cannot do it"),
    }
}

#[cfg(test)]
mod tests;
