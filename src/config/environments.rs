//! `environments:` of lockkeeper.yaml: the databases that a project has, and what each asks for before it is changed.

use super::window::{self, Windows};
use super::{Config, schema};
use crate::problem::{Problem, did_you_mean};
use crate::rule::node::{Fault, Node};
use crate::rule::shape::{Key, Object, Shape, words};
use crate::rule::{CLASSES, Class};
use crate::text::{SourceFile, Span};
use std::borrow::Cow;
use std::ops::Range;
use std::path::PathBuf;

/// The environment that is meant where none is named: the one that forgives least.
pub const PRODUCTION: &str = "production";

/// One of the databases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// What it is called: `production`.
    pub name: String,
    /// The name that the connected database has to have.
    pub database: Option<String>,
    /// Where it is; there is no password in it.
    pub url: Option<String>,
    /// The environment variable that holds the URL.
    pub url_env: Option<String>,
    /// The classes that need an approval; those that always do are among them.
    pub approve: Vec<Class>,
    /// A file of `NAME=value` lines that is asked for what the process's environment does not say; its path as [`Config::environment`] gives it
    /// starts in the current directory.
    pub env_file: Option<PathBuf>,
    /// When migrations may run here that stop traffic; `None`: when `apply:` says.
    pub window: Option<Windows>,
    /// Whether `apply` asks for the database's name before it changes anything.
    pub confirm: bool,
}

impl Environment {
    /// One that nothing is said about.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            database: None,
            url: None,
            url_env: None,
            approve: ALWAYS.to_vec(),
            env_file: None,
            window: None,
            confirm: name == PRODUCTION,
        }
    }

    /// Whether migrations of a class need an approval here.
    pub fn needs_approval(&self, class: Class) -> bool {
        self.approve.contains(&class)
    }
}

/// These break running code or stop traffic: somebody has to want it, everywhere.
const ALWAYS: [Class; 2] = [Class::ThreePhase, Class::MaintenanceWindow];

impl Config {
    /// When migrations may run in an environment that stop traffic.
    pub fn windows<'a>(&'a self, environment: &'a Environment) -> &'a Windows {
        environment.window.as_ref().unwrap_or(&self.apply.window)
    }

    /// The environment of a name; without one, production. Production is there even if the file does not name it.
    ///
    /// # Errors
    /// Nothing is said about it: its name is probably misspelt.
    pub fn environment(&self, name: Option<&str>) -> Result<Environment, Problem> {
        let name = name.unwrap_or(PRODUCTION);
        if let Some(found) = self.environments.iter().find(|environment| environment.name == name) {
            let env_file = found.env_file.as_ref().map(|path| self.directory.join(path));
            return Ok(Environment { env_file, ..found.clone() });
        }
        if name == PRODUCTION {
            return Ok(Environment::named(PRODUCTION));
        }
        let mut known: Vec<_> = self.environments.iter().map(|environment| environment.name.as_str()).collect();
        if !known.contains(&PRODUCTION) {
            known.push(PRODUCTION);
        }
        // A URL that was meant for another flag may be in its place.
        let message = format!("there is no environment `{}`{}", without_passwords(name), did_you_mean(name, known.iter().copied()));
        let help = format!("known: {}; `environments:` in lockkeeper.yaml names them", known.join(", "));
        Err(Problem::new("config::environment", message).help(help))
    }
}

/// The keys of one environment.
pub(super) const ENVIRONMENT: Object = Object::of(&[
    Key::new("database", Shape::Text, "the name that the connected database has to have"),
    Key::new("url", Shape::Schema(schema::url), "where it is, without a password: postgres://migrator@db.example.org/shop"),
    Key::new("url_env", Shape::Schema(schema::variable), "the environment variable that holds its URL; instead of `url`"),
    Key::new(
        "approve",
        Shape::Items(&Shape::Words(|| words(CLASSES))),
        "classes that need an approval, besides three-phase and maintenance-window",
    ),
    Key::new("env_file", Shape::Text, "a file of NAME=value lines, asked for what the environment does not say: .env.production"),
    Key::new("window", window::WINDOWS, "when migrations may run here that stop traffic, instead of what `apply:` says"),
    Key::new("confirm", Shape::Bool, "whether `apply` asks for the database's name first; by default in production alone"),
]);

/// Reads `{ production: { database: shop, url_env: SHOP_URL }, staging: { approve: [] } }`.
pub(super) fn read(node: &Node) -> Result<Vec<Environment>, Fault> {
    node.map()?.iter().map(|(name, node)| environment(name.text()?, node)).collect()
}

fn environment(name: &str, node: &Node) -> Result<Environment, Fault> {
    let fields = ENVIRONMENT.fields(node)?;
    let mut environment = Environment::named(name);
    let text = |key: &str| fields.get(key).map(|node| node.text().map(str::to_owned)).transpose();
    environment.database = text("database")?;
    environment.url = fields.get("url").map(url).transpose()?;
    environment.url_env = fields.get("url_env").map(variable).transpose()?;
    if let (Some(_), Some(node)) = (&environment.url, fields.get("url_env")) {
        return Err(node.fault("`url` and `url_env` both say where it is").help("keep one of them"));
    }
    for class in fields.get("approve").map_or(&[][..], Node::items) {
        environment.approve.push(class.one_of(CLASSES)?);
    }
    environment.approve.sort();
    environment.approve.dedup();
    environment.env_file = text("env_file")?.map(PathBuf::from);
    environment.window = fields.get("window").map(window::read).transpose()?;
    if let Some(confirm) = fields.get("confirm") {
        environment.confirm = confirm.bool()?;
    }
    Ok(environment)
}

/// The beginnings of a URL, as libpq takes them.
pub(crate) const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

fn url(node: &Node) -> Result<String, Fault> {
    let written = node.text()?;
    // What stands here is committed, and everybody reads it. It is not repeated either.
    if !passwords(written).is_empty() {
        let help = "take it out, or put the whole URL into an environment variable and name that: `url_env: SHOP_URL`; a password may also stand \
                    in PGPASSWORD or ~/.pgpass";
        return Err(node.fault("the URL holds a password").help(help));
    }
    match SCHEMES.iter().any(|scheme| written.starts_with(scheme)) {
        true => Ok(written.to_owned()),
        false => Err(node.fault("this is no URL of a database").help("write postgres://USER@HOST:PORT/DATABASE")),
    }
}

pub(super) fn variable(node: &Node) -> Result<String, Fault> {
    let name = node.text()?;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match is_name {
        true => Ok(name.to_owned()),
        // It may be the URL itself, with its password.
        false => {
            Err(node.fault("this is no name of an environment variable").help("name the variable, as in SHOP_URL; a URL stands in `url`"))
        }
    }
}

/// Where passwords of URLs and connection strings are in a text: what is found is never shown. Too much is better than too little: a URL that
/// nobody can read any more may hold `/`, `?` and `@` in its password.
pub fn passwords(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("://") {
        let from = at + "://".len();
        let line = &text[from..from + text[from..].find('\n').unwrap_or(text.len() - from)];
        if let Some((colon, last)) = line.find(':').zip(line.rfind('@')) {
            found.push(from + colon + 1..from + last.max(colon + 1));
        }
    }
    for (at, key) in text.match_indices("password=") {
        let from = at + key.len();
        let length = text[from..].find(|c: char| c == '&' || c.is_whitespace()).unwrap_or(text.len() - from);
        found.push(from..from + length);
    }
    found.retain(|range| !range.is_empty());
    found
}

/// A text with three stars for each password.
pub fn without_passwords(text: &str) -> Cow<'_, str> {
    let mut ranges = passwords(text);
    if ranges.is_empty() {
        return text.into();
    }
    ranges.sort_by_key(|range| range.start);
    let (mut clean, mut at) = (String::with_capacity(text.len()), 0);
    for range in ranges.into_iter().filter(|range| !range.is_empty()) {
        // Two URLs in a line are one range and a part of it.
        if range.start >= at {
            clean.push_str(&text[at..range.start]);
            clean.push_str("***");
        }
        at = at.max(range.end);
    }
    clean.push_str(&text[at..]);
    clean.into()
}

/// Keeps the passwords of a config from every report that quotes it.
pub(super) fn hide_passwords(source: &SourceFile) {
    if let Ok(text) = std::str::from_utf8(source.bytes()) {
        source.hide(passwords(text).into_iter().map(|range| Span::new(range.start as u32, range.end as u32)).collect());
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::config_in;
    use super::*;
    use insta::assert_snapshot;
    use std::path::Path;

    fn config(text: &str) -> Result<Config, String> {
        config_in("db", text)
    }

    fn right(text: &str) -> Config {
        config(text).unwrap_or_else(|why| panic!("{why}\n{text}"))
    }

    fn fault(text: &str) -> String {
        config(text).expect_err("there is a fault in it")
    }

    const SHOP: &str = "environments:
  production: { database: shop, url_env: SHOP_URL, approve: [additive] }
  staging: { url: postgres://keeper@db.example.org/shop, env_file: .env.staging, confirm: true }
  development: {}
";

    #[test]
    fn production_is_meant_where_no_environment_is_named_and_asks_for_the_name() {
        let production = right(SHOP).environment(None).expect("it is there");
        assert_eq!((production.name.as_str(), production.database.as_deref(), production.confirm), ("production", Some("shop"), true));
        assert!(production.needs_approval(Class::Additive));
        assert_eq!(right("").environment(None).ok(), Some(Environment::named("production")));
    }

    #[test]
    fn an_environment_is_what_is_said_of_it() {
        let config = right(SHOP);
        let staging = config.environment(Some("staging")).expect("it is there");
        assert!(staging.confirm && !staging.needs_approval(Class::Additive) && staging.needs_approval(Class::ThreePhase));
        assert_eq!(staging.env_file.as_deref(), Some(Path::new("db/.env.staging")));
        let development = config.environment(Some("development")).expect("it is there");
        assert!(!development.confirm && development.needs_approval(Class::MaintenanceWindow));
    }

    #[test]
    fn an_environment_that_nobody_knows_is_a_problem_that_names_the_known_ones() {
        let said = |text: &str, name: &str| {
            let problem = right(text).environment(Some(name)).expect_err("nobody knows it");
            format!("{} ({})", problem.message, problem.help.unwrap_or_default())
        };
        assert_snapshot!(said(SHOP, "stagging"), @"there is no environment `stagging`, did you mean `staging`? (known: production, staging, development; `environments:` in lockkeeper.yaml names them)");
        assert_snapshot!(said("", "staging"), @"there is no environment `staging` (known: production; `environments:` in lockkeeper.yaml names them)");
    }

    #[test]
    fn a_password_is_refused_and_never_shown() {
        for url in [
            "postgres://keeper:hunter2@db/shop",
            "postgres://keeper:hunter2/@#%:x@db/shop",
            "'postgres://keeper@db/shop?sslmode=require&password=hunter2'",
            ">\n      postgres://keeper:hunter2@db/shop",
        ] {
            let said = fault(&format!("environments:\n  staging:\n    url: {url}\n"));
            assert!(said.starts_with("environments.staging.url: the URL holds a password <- ") && said.contains("url_env"), "{said}");
            assert!(!said.contains("hunter"), "{said}");
        }
        assert_snapshot!(fault("environments: { staging: { url_env: postgres://keeper:hunter2@db/shop } }"), @"environments.staging.url_env: this is no name of an environment variable <- postgres://keeper:*******@db/shop (name the variable, as in SHOP_URL; a URL stands in `url`)");
    }

    #[test]
    fn a_password_is_hidden_where_something_else_is_wrong() {
        let source = SourceFile::new(
            super::super::FILE_NAME,
            "environments:\n  staging:\n    url: postgres://keeper:hunter2@db/shop\n    confirm: maybe\n",
        );
        assert!(super::super::read::config(&source, PathBuf::new()).is_err());
        assert!(source.shown().contains("postgres://keeper:*******@db/shop"), "{}", source.shown());
    }

    #[test]
    fn a_text_is_shown_without_the_passwords_of_its_urls() {
        for (text, shown) in [
            ("no URL: keeper@db", "no URL: keeper@db"),
            ("'postgres://keeper:hunter2@db/shop' and", "'postgres://keeper:***@db/shop' and"),
            ("postgres://a:hunter2@db postgres://b:hunter3@db", "postgres://a:***@db"),
            ("x://a:hunter2@db\nx://b:hun@ter3@db?password=hunter4&user=b", "x://a:***@db\nx://b:***@db?password=***&user=b"),
            ("postgres://keeper@[::1]/shop", "postgres://keeper@[::1]/shop"),
        ] {
            assert_eq!(without_passwords(text), shown);
        }
    }

    #[test]
    fn a_url_is_one_and_is_said_once() {
        assert_snapshot!(fault("environments: { staging: { url: mysql://db/shop } }"), @"environments.staging.url: this is no URL of a database <- mysql://db/shop (write postgres://USER@HOST:PORT/DATABASE)");
        assert_snapshot!(fault("environments: { staging: { url: postgres://db/shop, url_env: SHOP_URL } }"), @"environments.staging.url_env: `url` and `url_env` both say where it is <- SHOP_URL (keep one of them)");
        assert_snapshot!(fault("environments: { staging: { approve: [aditive] } }"), @"environments.staging.approve[0]: there is no `aditive` here, did you mean `additive`? <- aditive (one of: additive, three-phase, maintenance-window)");
    }
}
