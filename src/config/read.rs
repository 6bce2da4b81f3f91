//! Reads `lockkeeper.yaml`: every key and value is checked where it stands.

use super::{Completeness, Config, FailOn, Globs, Level, Override};
use crate::model::effects::Version;
use crate::model::session::{Timeout, TransactionMode};
use crate::problem::{Problem, did_you_mean};
use crate::rule::Severity;
use crate::text::{SourceFile, Span};
use crate::yaml;
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The keys of the file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Migrations,
    Postgres,
    Transaction,
    Rules,
    RuleFolders,
    Exclude,
    SmallTables,
    LockTimeout,
    StatementTimeout,
    History,
    FailOn,
}

const KEYS: &[(&str, Key)] = &[
    ("migrations", Key::Migrations),
    ("postgres", Key::Postgres),
    ("transaction", Key::Transaction),
    ("rules", Key::Rules),
    ("rule_folders", Key::RuleFolders),
    ("exclude", Key::Exclude),
    ("small_tables", Key::SmallTables),
    ("lock_timeout", Key::LockTimeout),
    ("statement_timeout", Key::StatementTimeout),
    ("history", Key::History),
    ("fail_on", Key::FailOn),
];

const TRANSACTIONS: &[(&str, Option<TransactionMode>)] = &[
    ("runner", Some(TransactionMode::Runner)),
    ("none", Some(TransactionMode::None)),
    ("one-message", Some(TransactionMode::OneMessage)),
    ("assumed", None),
];

const LEVELS: &[(&str, Level)] = &[
    ("off", Level::Off),
    ("advice", Level::At(Severity::Advice)),
    ("warning", Level::At(Severity::Warning)),
    ("error", Level::At(Severity::Error)),
];

const HISTORIES: &[(&str, Completeness)] =
    &[("whole", Completeness::Whole), ("partial", Completeness::Partial), ("auto", Completeness::Auto)];

/// Reads the whole file.
pub(super) fn config(source: &Arc<SourceFile>, directory: PathBuf) -> Result<Config, Problem> {
    let mut config = yaml::read(source, "config::wrong", Whole)?;
    config.source = Some(Arc::clone(source));
    config.directory = directory;
    Ok(config)
}

/// Where the key at the end of `path` stands: the file is read once more, up to that key.
pub(super) fn place_of(source: &Arc<SourceFile>, path: &[&str]) -> Option<Span> {
    let stopped = yaml::read(source, "config::place", Walk { path }).err()?;
    stopped.labels.first().map(|(span, _)| *span)
}

/// The top level.
struct Whole;

impl<'de> DeserializeSeed<'de> for Whole {
    type Value = Config;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Config, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Whole {
    type Value = Config;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("keys with values, like `postgres: 15`")
    }

    // A file of comments alone is a config that says nothing.
    fn visit_unit<E>(self) -> Result<Config, E> {
        Ok(Config::default())
    }

    fn visit_none<E>(self) -> Result<Config, E> {
        Ok(Config::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Config, A::Error> {
        let mut config = Config::default();
        let mut seen = Vec::new();
        while let Some(key) = map.next_key_seed(NewKey { seen: &seen })? {
            seen.push(key);
            match key {
                Key::Migrations => config.migrations = paths(map.next_value_seed(TEXTS)?),
                Key::Postgres => config.postgres = map.next_value_seed(MAJOR)?,
                Key::Transaction => config.transaction = map.next_value_seed(OneOf { what: "transaction mode", known: TRANSACTIONS })?,
                Key::Rules => config.rules = map.next_value::<Option<Overrides>>()?.map(|rules| rules.0).unwrap_or_default(),
                Key::RuleFolders => config.rule_folders = paths(map.next_value_seed(TEXTS)?),
                Key::Exclude => {
                    config.exclude =
                        Globs::new(map.next_value_seed(Texts { each: |pattern| Globs::check(pattern) })?).map_err(de::Error::custom)?
                }
                Key::SmallTables => config.small_tables = map.next_value_seed(TEXTS)?.iter().filter_map(|name| name.parse().ok()).collect(),
                Key::LockTimeout => config.role.lock_timeout = map.next_value_seed(TIMEOUT)?,
                Key::StatementTimeout => config.role.statement_timeout = map.next_value_seed(TIMEOUT)?,
                Key::History => config.history = map.next_value_seed(OneOf { what: "kind of history", known: HISTORIES })?,
                Key::FailOn => config.fail_on = Some(map.next_value_seed(OneOf { what: "threshold", known: FailOn::WORDS })?),
            }
        }
        Ok(config)
    }
}

fn paths(texts: Vec<String>) -> Vec<PathBuf> {
    texts.into_iter().map(PathBuf::from).collect()
}

/// A key of the top level that was not there before.
struct NewKey<'a> {
    seen: &'a [Key],
}

impl<'de> DeserializeSeed<'de> for NewKey<'_> {
    type Value = Key;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NewKey<'_> {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key of lockkeeper.yaml")
    }

    fn visit_str<E: de::Error>(self, written: &str) -> Result<Key, E> {
        let key = word("key", KEYS, written)?;
        if self.seen.contains(&key) { Err(E::custom(format!("`{written}` is written twice"))) } else { Ok(key) }
    }
}

/// One word out of a table.
struct OneOf<T: 'static> {
    what: &'static str,
    known: &'static [(&'static str, T)],
}

impl<'de, T: Copy> DeserializeSeed<'de> for OneOf<T> {
    type Value = T;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<T: Copy> Visitor<'_> for OneOf<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a {}: {}", self.what, words(self.known))
    }

    fn visit_str<E: de::Error>(self, written: &str) -> Result<T, E> {
        word(self.what, self.known, written)
    }
}

fn word<T: Copy, E: de::Error>(what: &str, known: &'static [(&'static str, T)], written: &str) -> Result<T, E> {
    known.iter().find(|(name, _)| *name == written).map(|(_, value)| *value).ok_or_else(|| {
        let guess = did_you_mean(written, known.iter().map(|(name, _)| *name));
        E::custom(format!("there is no {what} `{written}`{guess}\nknown: {}", words(known)))
    })
}

fn words<T>(known: &[(&'static str, T)]) -> String {
    known.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// The map below `rules:`.
struct Overrides(Vec<Override>);

impl<'de> Deserialize<'de> for Overrides {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OverridesVisitor)
    }
}

struct OverridesVisitor;

impl<'de> Visitor<'de> for OverridesVisitor {
    type Value = Overrides;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("rules with a severity each, like `drop-column: warning`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Overrides, A::Error> {
        let mut overrides: Vec<Override> = Vec::new();
        while let Some(rule) = map.next_key::<String>()? {
            let level = map.next_value_seed(OneOf { what: "severity", known: LEVELS })?;
            if overrides.iter().any(|other| other.rule == rule) {
                return Err(de::Error::custom(format!("`{rule}` is written twice")));
            }
            overrides.push(Override { rule, level });
        }
        Ok(Overrides(overrides))
    }
}

/// One text or a list of them, each checked where it stands.
struct Texts {
    each: fn(&str) -> Result<(), String>,
}

/// Any text will do.
const TEXTS: Texts = Texts { each: |_| Ok(()) };

impl<'de> DeserializeSeed<'de> for Texts {
    type Value = Vec<String>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<String>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Texts {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of texts")
    }

    fn visit_unit<E>(self) -> Result<Vec<String>, E> {
        Ok(Vec::new())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<String>, E> {
        (self.each)(text).map_err(E::custom)?;
        Ok(vec![text.to_owned()])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<String>, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = list.next_element_seed(Text { check: self.each })? {
            texts.push(text);
        }
        Ok(texts)
    }
}

/// One text of a list.
struct Text {
    check: fn(&str) -> Result<(), String>,
}

impl<'de> DeserializeSeed<'de> for Text {
    type Value = String;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Text {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<String, E> {
        (self.check)(text).map(|()| text.to_owned()).map_err(E::custom)
    }
}

/// A number or a text that is read further; nothing at all is the default.
struct Checked<T> {
    absent: T,
    expecting: &'static str,
    read: fn(&str) -> Result<T, String>,
}

const MAJOR: Checked<Option<Version>> =
    Checked { absent: None, expecting: "a major version, like 15", read: |written| major_version(written).map(Some) };
const TIMEOUT: Checked<Timeout> = Checked { absent: Timeout::Unset, expecting: "a time, like 5s", read: timeout };

impl<'de, T> DeserializeSeed<'de> for Checked<T> {
    type Value = T;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<T> Visitor<'_> for Checked<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_str<E: de::Error>(self, written: &str) -> Result<T, E> {
        (self.read)(written).map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(self.absent)
    }
}

/// The major version out of `15` or `15.4`.
///
/// # Errors
/// What is known, in words.
pub fn major_version(written: &str) -> Result<Version, String> {
    let major = written.split('.').next().and_then(|major| major.parse().ok()).map(Version);
    let (oldest, newest) = (Version::OLDEST, Version::NEWEST);
    major
        .filter(|version| (oldest..=newest).contains(version))
        .ok_or_else(|| format!("lockkeeper knows no PostgreSQL `{written}`\nknown: {} to {}", oldest.0, newest.0))
}

/// A time as PostgreSQL reads it: a number with a unit, milliseconds if there is none.
fn timeout(written: &str) -> Result<Timeout, String> {
    let written = written.trim();
    let unit_at = written.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(written.len());
    let (number, unit) = written.split_at(unit_at);
    let milliseconds = match unit.trim() {
        "us" => Some(0.001),
        "" | "ms" => Some(1.0),
        "s" => Some(1000.0),
        "min" => Some(60_000.0),
        "h" => Some(3_600_000.0),
        "d" => Some(86_400_000.0),
        _ => None,
    };
    let time = number.parse::<f64>().ok().zip(milliseconds).map(|(number, unit)| (number * unit).round());
    match time {
        // The server rounds to whole milliseconds, and 0 waits forever.
        Some(time) if time < 1.0 => Ok(Timeout::Off),
        Some(time) => Ok(Timeout::After(Duration::from_millis(time as u64))),
        None => Err(format!("`{written}` is no time\nwrite it as PostgreSQL does: 500ms, 5s, 2min")),
    }
}

/// Follows keys down and stops, with an error that has a place, at the last one.
struct Walk<'a> {
    path: &'a [&'a str],
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((first, rest)) = self.path.split_first() else { return Ok(()) };
        while let Some(met) = map.next_key_seed(Stop { at: first, last: rest.is_empty() })? {
            match met {
                true => map.next_value_seed(Walk { path: rest })?,
                false => map.next_value::<de::IgnoredAny>().map(|_| ())?,
            }
        }
        Ok(())
    }
}

/// Whether a key is the one; if it is the last of the path, an error, because errors have places.
struct Stop<'a> {
    at: &'a str,
    last: bool,
}

impl<'de> DeserializeSeed<'de> for Stop<'_> {
    type Value = bool;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Stop<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<bool, E> {
        if key == self.at && self.last { Err(E::custom("here")) } else { Ok(key == self.at) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::TEMPLATE;
    use super::*;
    use insta::assert_snapshot;

    fn read(text: &str) -> Result<Config, String> {
        let source = SourceFile::new("lockkeeper.yaml", text);
        config(&source, PathBuf::new()).map_err(|problem| {
            let (span, _) = problem.labels[0];
            let help = problem.help.map(|help| format!(" ({help})")).unwrap_or_default();
            format!("{} <- {}{help}", problem.message, source.text(span))
        })
    }

    #[test]
    fn an_empty_config_and_one_of_comments_are_the_default() {
        for text in ["", "# nothing here\n", "---\n"] {
            assert!(read(text).is_ok_and(|config| config.migrations.is_empty() && config.postgres.is_none()), "{text:?}");
        }
    }

    #[test]
    fn the_template_is_read_and_says_only_where_the_migrations_are() {
        let config = read(TEMPLATE).expect("the template is a config");
        assert_eq!(config.migrations, [PathBuf::from("migrations")]);
        assert!(config.rules.is_empty() && config.fail_on.is_none());
    }

    #[test]
    fn the_examples_of_the_template_are_right_when_the_comment_signs_are_taken_away() {
        let is_example = |line: &&str| {
            line.starts_with("# ")
                && (line.ends_with(['5', ']', 's', 'n', 'r', 'o']) || line.ends_with("rules:") || line.starts_with("#   drop-column"))
        };
        let text: String = TEMPLATE
            .lines()
            .filter(|line| is_example(line) && line.contains(':') && !line.contains(','))
            .map(|line| format!("{}\n", &line[2..]))
            .collect();
        let config = read(&text).unwrap_or_else(|why| panic!("{why}\n{text}"));
        assert_eq!(config.transaction, Some(TransactionMode::Runner));
        assert_eq!(config.rules, [Override { rule: "drop-column".into(), level: Level::At(Severity::Warning) }]);
        assert_eq!(config.role.lock_timeout, Timeout::After(Duration::from_secs(2)));
    }

    #[test]
    fn a_key_that_nobody_knows_is_shown_with_the_one_that_was_meant() {
        assert_snapshot!(read("postgres: 15\nmigratons: db\n").unwrap_err(), @"there is no key `migratons`, did you mean `migrations`? <- migratons (known: migrations, postgres, transaction, rules, rule_folders, exclude, small_tables, lock_timeout, statement_timeout, history, fail_on)");
    }

    #[test]
    fn a_key_inside_a_map_in_braces_is_found() {
        assert_snapshot!(read("rules: { drop-column: warnning }\n").unwrap_err(), @"rules.drop-column: there is no severity `warnning`, did you mean `warning`? <- warnning (known: off, advice, warning, error)");
    }

    #[test]
    fn a_version_that_nobody_knows_names_those_that_are_known() {
        assert_snapshot!(read("postgres: 9.6\n").unwrap_err(), @"");
    }

    #[test]
    fn a_time_without_a_known_unit_is_refused() {
        assert_snapshot!(read("lock_timeout: 5 parsecs\n").unwrap_err(), @"");
    }

    #[test]
    fn a_key_is_said_once() {
        assert_snapshot!(read("postgres: 15\npostgres: 16\n").unwrap_err(), @"`postgres` is written twice <- postgres");
    }

    #[test]
    fn a_value_of_the_wrong_kind_points_at_itself() {
        assert_snapshot!(read("migrations: { a: b }\n").unwrap_err(), @"");
    }

    #[test]
    fn a_pattern_that_is_none_points_at_itself() {
        assert_snapshot!(read("exclude:\n  - ok/*\n  - 'bad/[a'\n").unwrap_err(), @"");
    }

    #[test]
    fn yaml_that_is_none_points_at_the_line() {
        assert_snapshot!(read("rules: {a: off\npostgres: 15\n").unwrap_err(), @"");
    }

    #[test]
    fn times_are_read_as_the_server_reads_them() {
        assert_eq!(timeout("2s"), Ok(Timeout::After(Duration::from_secs(2))));
        assert_eq!(timeout("1500"), Ok(Timeout::After(Duration::from_millis(1500))));
        assert_eq!(timeout("0"), Ok(Timeout::Off));
        assert_eq!(timeout("2 min"), Ok(Timeout::After(Duration::from_secs(120))));
        assert!(timeout("soon").is_err());
    }

    #[test]
    fn an_override_can_be_found_again() {
        let source = SourceFile::new("lockkeeper.yaml", "postgres: 15\nrules:\n  add-check: off\n  drop-colum: error\n");
        let span = place_of(&source, &["rules", "drop-colum"]).expect("it is there");
        assert_eq!(source.text(span), "drop-colum");
    }
}
