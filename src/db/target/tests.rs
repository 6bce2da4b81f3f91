//! Flags, variables and files in, words out; no server is asked.

use super::*;
use crate::config::Config;
use insta::assert_snapshot;
use std::fs;
use std::os::unix::fs::PermissionsExt;

/// A process with these variables, a config and a command line.
struct Asked<'a> {
    variables: &'a [(&'a str, &'a str)],
    config: &'a str,
    flag: Option<&'a str>,
    folder: tempfile::TempDir,
}

fn asked<'a>(variables: &'a [(&'a str, &'a str)]) -> Asked<'a> {
    Asked { variables, config: "", flag: None, folder: tempfile::tempdir().expect("a folder") }
}

impl<'a> Asked<'a> {
    fn config(self, config: &'a str) -> Self {
        Self { config, ..self }
    }

    fn flag(self, flag: &'a str) -> Self {
        Self { flag: Some(flag), ..self }
    }

    fn file(self, name: &str, text: &str) -> Self {
        let path = self.folder.path().join(name);
        fs::write(&path, text).expect("the folder is ours");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("the file is ours");
        self
    }

    /// The folder is the home of the user, too.
    fn target(&self) -> Result<Target, Problem> {
        let path = self.folder.path().join("lockkeeper.yaml");
        fs::write(&path, self.config).expect("the folder is ours");
        let environment = Config::read(&path)?.environment(None)?;
        let home = self.folder.path().display().to_string();
        Target::resolve(environment, self.flag, &|name| match name {
            "HOME" => Some(home.clone()),
            name => self.variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()),
        })
    }

    /// Where it goes, who said it, and what is said besides; or what is wrong.
    fn words(&self) -> String {
        let words = match self.target() {
            Ok(target) => format!("{} by {}{}", target.shown, target.origin, notes(&target)),
            Err(problem) => format!("{} ({})", problem.message, problem.help.unwrap_or_default()),
        };
        words.replace(&self.folder.path().display().to_string(), "HOME")
    }

    /// sqlx keeps the password to itself, but its URL has it.
    fn password(&self) -> String {
        use sqlx::ConnectOptions;
        self.target()
            .unwrap_or_else(|problem| panic!("{}", problem.message))
            .options
            .to_url_lossy()
            .password()
            .unwrap_or_default()
            .to_owned()
    }
}

fn notes(target: &Target) -> String {
    target.warnings.iter().map(|warning| format!(" | {warning}")).collect()
}

const ENVIRONMENTS: &str = "environments: { production: { url: postgres://keeper@config/shop, env_file: .env.production } }";
const OF_FILE: &str = "# of the shop\nexport DATABASE_URL='postgres://keeper@file/shop' # not committed\nPGPASSWORD=\"hunter2\"\n";

#[test]
fn the_flag_comes_first_and_the_config_last() {
    let variables = [
        ("LOCKKEEPER_DATABASE_URL", "postgres://keeper@own/shop"),
        ("DATABASE_URL", "postgres://keeper@general/shop"),
        ("PGHOST", "libpq"),
        ("PGUSER", "keeper"),
        ("PGDATABASE", "shop"),
    ];
    let all = || asked(&variables).config(ENVIRONMENTS).file(".env.production", OF_FILE);
    assert_snapshot!(all().flag("postgres://keeper@flag/shop").words(), @"postgres://keeper@flag:5432/shop by --database-url");
    assert_snapshot!(all().words(), @"postgres://keeper@own:5432/shop by LOCKKEEPER_DATABASE_URL");
    let from = |first: usize| asked(&variables[first..]).config(ENVIRONMENTS).file(".env.production", OF_FILE).words();
    assert_snapshot!(from(1), @"postgres://keeper@general:5432/shop by DATABASE_URL | environments.production.url in lockkeeper.yaml is passed over for DATABASE_URL");
    assert_snapshot!(from(2), @"postgres://keeper@libpq:5432/shop by PGHOST and PGDATABASE | environments.production.url in lockkeeper.yaml is passed over for PGHOST and PGDATABASE");
    assert_snapshot!(from(5), @"postgres://keeper@file:5432/shop by DATABASE_URL in HOME/.env.production");
    assert_snapshot!(asked(&[]).config(ENVIRONMENTS).words(), @"postgres://keeper@config:5432/shop by environments.production.url in lockkeeper.yaml");
}

#[test]
fn a_variable_that_the_config_names_holds_the_url() {
    let config = "environments: { production: { url_env: SHOP_URL } }";
    assert_snapshot!(asked(&[("SHOP_URL", "postgres://keeper:hunter2@db:6543/shop")]).config(config).words(), @"postgres://keeper@db:6543/shop by SHOP_URL, which environments.production.url_env in lockkeeper.yaml names");
    assert_snapshot!(asked(&[("SHOP_URL", "")]).config(config).words(), @"SHOP_URL is not set, and environments.production.url_env in lockkeeper.yaml names it (say it by --database-url, LOCKKEEPER_DATABASE_URL, DATABASE_URL, PGHOST and PGDATABASE, or below `environments:` in lockkeeper.yaml)");
    assert_snapshot!(asked(&[]).words(), @"nobody says which database is meant (say it by --database-url, LOCKKEEPER_DATABASE_URL, DATABASE_URL, PGHOST and PGDATABASE, or below `environments:` in lockkeeper.yaml)");
}

#[test]
fn what_a_url_leaves_out_is_filled_in_by_variables_and_by_the_name_that_the_environment_wants() {
    let variables = [("PGUSER", "keeper"), ("PGPORT", "6543"), ("PGPASSWORD", "hunter2"), ("PGHOSTADDR", "10.0.0.1")];
    let asked = asked(&variables).config("environments: { production: { database: shop } }");
    assert_snapshot!(asked.flag("postgres://db").words(), @"postgres://keeper@db:6543/shop by --database-url");
}

#[test]
fn a_service_comes_before_the_variables() {
    let services = "[shop]\nhost=db.example.org\n# the role\nuser=keeper\n\n[other]\nhost=nowhere\n";
    let variables = [("PGSERVICE", "shop"), ("PGUSER", "nobody"), ("PGDATABASE", "shop"), ("PGSYSCONFDIR", "/nowhere")];
    let with = |text: &str| asked(&variables).file(".pg_service.conf", text).words();
    assert_snapshot!(with(services), @"postgres://keeper@db.example.org:5432/shop by PGDATABASE and PGSERVICE");
    assert_snapshot!(with("[other]\nhost=nowhere\n"), @"there is no service `shop` (it is looked for in HOME/.pg_service.conf, /nowhere/pg_service.conf)");
    assert_snapshot!(with("[shop]\npassword hunter2\n"), @"line 2: there is no `=`; lockkeeper does not ask LDAP ()");
}

#[test]
fn a_password_is_taken_from_the_first_that_has_one() {
    let pgpass = "db:5432:shop:keeper:of the file\n";
    let url = "postgres://keeper@db/shop";
    assert_eq!(
        asked(&[("PGPASSWORD", "of the variable")]).file(".pgpass", pgpass).flag("postgres://keeper:of%20the%20URL@db/shop").password(),
        "of%20the%20URL"
    );
    assert_eq!(asked(&[("PGPASSWORD", "variable")]).file(".pgpass", pgpass).flag(url).password(), "variable");
    assert_eq!(asked(&[]).file(".pgpass", pgpass).flag(url).password(), "of%20the%20file");
    assert_eq!(asked(&[]).file(".pgpass", pgpass).flag("postgres://keeper@elsewhere/shop").password(), "");
    let config = "environments: { production: { url: postgres://keeper@db/shop } }";
    assert_eq!(asked(&[("POSTGRES_PASSWORD", "seed")]).config(config).password(), "seed");
    assert_eq!(asked(&[("POSTGRES_PASSWORD", "seed")]).flag(url).password(), "");
    assert_eq!(asked(&[]).config(ENVIRONMENTS).file(".env.production", OF_FILE).password(), "hunter2");
}

#[test]
fn a_server_elsewhere_has_to_prove_who_it_is_unless_somebody_says_otherwise() {
    let mode = |url: &str, variables: &[(&str, &str)]| {
        let target = asked(variables).flag(url).target().expect("it is right");
        format!("{:?}{}", target.options.get_ssl_mode(), notes(&target))
    };
    for local in [
        "postgres://localhost/shop",
        "postgres://127.0.0.1/shop",
        "postgres://[::1]/shop",
        "postgres:///shop?host=/run/shop",
        "postgres://%2Frun%2Fshop/shop",
    ] {
        assert_eq!(mode(local, &[]), "Prefer", "{local}");
    }
    let elsewhere = "postgres://keeper@db.example.org/shop";
    assert_snapshot!(mode(elsewhere, &[]), @"VerifyFull");
    assert_snapshot!(mode(elsewhere, &[("PGSSLMODE", "require")]), @"Require | nobody checks that the server is db.example.org (sslmode=require; verify-full does)");
    assert_snapshot!(mode("postgres://db.example.org/shop?sslmode=disable", &[("PGSSLMODE", "require")]), @"Disable | what is sent to db.example.org, the password perhaps among it, may go unencrypted (sslmode=disable)");
    assert_snapshot!(mode("postgres://db.example.org/shop?sslmode=verify-ca&sslrootcert=system", &[]), @"VerifyCa | its certificate is checked, but not that the server is db.example.org (sslmode=verify-ca; verify-full does)");
    assert_snapshot!(asked(&[]).flag("postgres://db.example.org/shop?sslmode=hunter2").words(), @"--database-url: its sslmode is none (one of: disable, allow, prefer, require, verify-ca, verify-full)");
}

#[test]
fn what_sqlx_cannot_do_is_said() {
    assert_snapshot!(asked(&[("PGTARGETSESSIONATTRS", "primary")]).flag("postgres://keeper@db/shop?channel_binding=require&schema=shop").words(), @"postgres://keeper@db:5432/shop by --database-url | `channel_binding` has no effect: lockkeeper cannot do it | `schema` in the URL has no effect: `apply: { search_path: ... }` in lockkeeper.yaml says it | `PGTARGETSESSIONATTRS` has no effect: lockkeeper cannot do it");
}

#[test]
fn a_place_is_shown_as_a_url_that_leads_there() {
    for (url, shown) in [
        ("postgresql://keeper@db/shop", "postgres://keeper@db:5432/shop"),
        ("postgres://keeper@[2001:db8::1]:6543/shop", "postgres://keeper@[2001:db8::1]:6543/shop"),
        ("postgres://the%20keeper@/shop?host=/run/the%20shop", "postgres://the%20keeper@/shop?host=/run/the%20shop&port=5432"),
        ("postgres://db?user=keeper&dbname=caf%C3%A9%1B[31m", "postgres://keeper@db:5432/caf%C3%A9%1B%5B31m"),
        ("postgres://keeper@db", "postgres://keeper@db:5432/keeper"),
    ] {
        let target = asked(&[]).flag(url).target().unwrap_or_else(|problem| panic!("{url}: {}", problem.message));
        assert_eq!(target.shown, shown, "{url}");
        let again = asked(&[]).flag(shown).target().expect("it is a URL");
        assert_eq!(again.shown, shown);
    }
}

#[test]
fn a_url_that_is_none_is_told_by_its_fault_and_not_repeated() {
    let faults: Vec<_> = [
        "keeper:hunter2",
        "host=db password=hunter2",
        "mysql://keeper:hunter2@db/shop",
        "postgres://keeper:hunter2/3@db/shop",
        "postgres://keeper:12/hunter2@db/shop",
        "postgres://keeper:12?hunter2@db/shop",
        "postgres://keeper:hunter2%@db/shop",
        "postgres://keeper:hunter2@local host/shop",
        "postgres://keeper:hunter2@db1:5432,db2:5433/shop",
        "postgres://keeper:hunter2@db:hunter2/shop",
        "postgres://keeper:hunter2@[::1/shop",
        "postgres://keeper:hunter2@db/shop?hostaddr=hunter2",
        "postgres://keeper:hunter2@db/shop?connect_timeout=hunter2",
    ]
    .into_iter()
    .map(|url| asked(&[("DATABASE_URL", url)]).target().map(|target| target.shown).unwrap_or_else(|problem| problem.message))
    .collect();
    let faults = faults.join("\n");
    assert!(!faults.contains("hunter2"), "{faults}");
    assert_snapshot!(faults, @r"
    the URL of DATABASE_URL cannot be understood: it does not begin with postgres://
    the URL of DATABASE_URL cannot be understood: it is a string of key=value pairs, and a URL is expected
    the URL of DATABASE_URL cannot be understood: it does not begin with postgres://
    the URL of DATABASE_URL cannot be understood: `/`, `?`, `@` and `%` in a password are written %2F, %3F, %40 and %25
    the URL of DATABASE_URL cannot be understood: `/`, `?`, `@` and `%` in a password are written %2F, %3F, %40 and %25
    the URL of DATABASE_URL cannot be understood: `/`, `?`, `@` and `%` in a password are written %2F, %3F, %40 and %25
    the URL of DATABASE_URL cannot be understood: `/`, `?`, `@` and `%` in a password are written %2F, %3F, %40 and %25
    the URL of DATABASE_URL cannot be understood: there is white space in its host
    the URL of DATABASE_URL cannot be understood: it names several hosts, and a migration has one target
    the URL of DATABASE_URL cannot be understood: its port is no number from 1 to 65535
    the URL of DATABASE_URL cannot be understood: its host opens a bracket and does not close it
    the URL of DATABASE_URL cannot be understood: its hostaddr is no address
    DATABASE_URL: its connect_timeout is no number of seconds
    ");
}

#[test]
fn a_password_in_the_flag_is_seen_by_everybody_on_the_machine_and_shown_by_nobody() {
    let asked = asked(&[]).flag("postgres://keeper:hunter2@localhost/shop");
    assert_snapshot!(asked.words(), @"postgres://keeper@localhost:5432/shop by --database-url | everybody on this machine can read the password in --database-url (`ps`): put it into PGPASSWORD, ~/.pgpass or LOCKKEEPER_DATABASE_URL");
    let target = asked.target().expect("it is right");
    assert!(!format!("{target:?}").contains("hunter2"), "{target:?}");
}

#[test]
fn a_line_of_an_env_file_that_tools_read_differently_is_refused_and_not_repeated() {
    let config = "environments: { production: { env_file: .env.production } }";
    let said = |line: &str| asked(&[]).config(config).file(".env.production", &format!("# of the shop\n{line}\n")).words();
    let faults = ["PGPASSWORD=\"hun${TER}2\"", "PGPASSWORD='hunter2", "PGPASSWORD hunter2", "hunter2@db=x", "PGPASSWORD='hunter'2"]
        .map(said)
        .join("\n");
    assert!(!faults.contains("hunter2") && !faults.contains("TER"), "{faults}");
    assert_snapshot!(faults, @r"
    line 2: a `$` or `\` that some would replace: write the value in single quotes (a line is NAME=value, or NAME='value')
    line 2: the quotes are not closed (a line is NAME=value, or NAME='value')
    line 2: there is no `=` (a line is NAME=value, or NAME='value')
    line 2: what stands before the `=` is no name (a line is NAME=value, or NAME='value')
    line 2: something stands behind the quotes (a line is NAME=value, or NAME='value')
    ");
}

#[test]
fn a_server_without_proof_is_told_with_what_would_prove_it() {
    let target = asked(&[]).flag("postgres://keeper:hunter2@db.example.org/shop").target().expect("it is right");
    for message in ["server does not support TLS", "invalid peer certificate: UnknownIssuer"] {
        let refusal = Refusal { code: crate::db::code::CONNECTION.to_owned(), message: message.to_owned() };
        assert!(target.refused(&refusal).help.is_some_and(|help| help.contains("sslrootcert=FILE")), "{message}");
    }
}
