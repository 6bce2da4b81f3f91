//! Reads `lockkeeper.yaml`: every key and value is checked where it stands.

use super::{Completeness, Config, FailOn, Globs, Level, Override, apply, environments, naming, render, schema};
use crate::model::effects::Version;
use crate::model::session::{Timeout, TransactionMode};
use crate::problem::Problem;
use crate::rule::moment::PsqlCommands;
use crate::rule::node::{self, Fault, Node, What};
use crate::rule::shape::{Key, Object, Shape, words};
use crate::rule::{PRESETS, Severity};
use crate::text::SourceFile;
use crate::tool;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

const CODE: &str = "config::wrong";

/// Reads one value into the config.
type Read = fn(&mut Config, &Node) -> Result<(), Fault>;

/// A key of the file, and what becomes of its value. A key without a value says nothing.
pub(super) struct Entry {
    pub key: Key,
    read: Read,
}

const fn entry(name: &'static str, shape: Shape, doc: &'static str, read: Read) -> Entry {
    Entry { key: Key::new(name, shape, doc), read }
}

const PATHS: Shape = Shape::Items(&Shape::Text);
const TIME: Shape = Shape::Schema(schema::time);

/// The keys of the file.
#[rustfmt::skip]
pub(super) const KEYS: &[Entry] = &[
    entry("migrations", PATHS, "where the migrations are; judged if `lockkeeper lint` is given no path",
          |config, node| paths(node).map(|paths| config.migrations = paths)),
    entry("postgres", Shape::Schema(schema::postgres), "the major version of the oldest server that they run on",
          |config, node| postgres(node).map(|version| config.postgres = Some(version))),
    entry("tool", Shape::Words(|| words(tool::WORDS)), "the tool that runs the migrations, if the files and what lies around them do not tell, or tell wrong",
          |config, node| node.one_of(tool::WORDS).map(|tool| config.tool = Some(tool))),
    entry("transaction", Shape::Words(|| words(TRANSACTIONS)), "how the migration runner sends a file: in a transaction of its own, each statement for itself, or the whole file as one message",
          |config, node| node.one_of(TRANSACTIONS).map(|mode| config.transaction = mode)),
    entry("psql", Shape::Words(|| words(PSQL)), "whether psql runs the files, so that its meta-commands are allowed",
          |config, node| node.one_of(PSQL).map(|psql| config.psql = psql)),
    entry("rules", Shape::Map(&Shape::Words(|| words(LEVELS))), "what a finding of a rule weighs: off, advice, warning or error",
          |config, node| overrides(node).map(|rules| config.rules = rules)),
    entry("presets", Shape::Items(&Shape::Words(|| words(PRESETS))), "rules that are off by default, turned on together",
          |config, node| {
              node.items().iter().map(|item| item.one_of(PRESETS)).collect::<Result<_, _>>().map(|presets| config.presets = presets)
          }),
    entry("naming", Shape::Schema(schema::naming), "how new things are called, for the rule name-against-agreement: snake_case, any, or patterns",
          |config, node| naming::read(node).map(|naming| config.naming = Arc::new(naming))),
    entry("rule_folders", PATHS, "folders of your own rules",
          |config, node| paths(node).map(|paths| config.rule_folders = paths)),
    entry("exclude", PATHS, "never judged: `*` stops at a slash, `**` does not",
          |config, node| globs(node).map(|globs| config.exclude = globs)),
    entry("small_tables", Shape::Either(&[PATHS, Shape::Keys(&SMALL_TABLES)]), "tables that will always be small, or from how many rows on they are not",
          small_tables),
    entry("stats", Shape::Text, "a file that `lockkeeper stats` has written: how large the tables really are",
          |config, node| node.text().map(|path| config.stats = Some(path.into()))),
    entry("hot_tables", PATHS, "tables that somebody always uses: two files of a release that lock one are a warning",
          |config, node| texts(node).map(|names| config.hot_tables = names.iter().filter_map(|name| name.parse().ok()).collect())),
    entry("lock_timeout", TIME, "the lock_timeout that the role which migrates has set: 2s",
          |config, node| timeout(node).map(|timeout| config.role.lock_timeout = timeout)),
    entry("statement_timeout", TIME, "the statement_timeout that the role which migrates has set: 5min",
          |config, node| timeout(node).map(|timeout| config.role.statement_timeout = timeout)),
    entry("history", Shape::Words(|| words(HISTORIES)), "whether the files begin with an empty database",
          |config, node| node.one_of(HISTORIES).map(|history| config.history = history)),
    entry("fail_on", Shape::Words(|| words(FailOn::WORDS)), "what makes the run fail",
          |config, node| node.one_of(FailOn::WORDS).map(|threshold| config.fail_on = Some(threshold))),
    entry("baseline", Shape::Text, "the file of findings that do not count, as `lockkeeper baseline findings` has written it",
          |config, node| node.text().map(|path| config.baseline_file = Some(path.into()))),
    entry("apply", Shape::Keys(&apply::APPLY), "how `lockkeeper apply` runs migrations: how long it waits for what, and what its session is set to",
          |config, node| apply::read(node).map(|apply| config.apply = apply)),
    entry("environments", Shape::Schema(schema::environments), "the databases: where each is, what it has to be called, and which migrations need an approval there",
          |config, node| environments::read(node).map(|environments| config.environments = environments)),
    entry("render", Shape::Schema(schema::render), "programs that print the SQL of migrations which are no SQL files: Alembic, Django, or any other",
          |config, node| render::read(node).map(|render| config.render = render)),
];

const SMALL_TABLES: Object = Object::of(&[
    Key::new("rows", Shape::Schema(schema::natural), "tables of fewer rows than this, and less than 64 MB, are small"),
    Key::new("names", PATHS, "tables that will always be small"),
]);

const TRANSACTIONS: &[(&str, Option<TransactionMode>)] = &[
    ("runner", Some(TransactionMode::Runner)),
    ("none", Some(TransactionMode::None)),
    ("one-message", Some(TransactionMode::OneMessage)),
    ("assumed", None),
];

const PSQL: &[(&str, PsqlCommands)] = &[("allowed", PsqlCommands::Allowed), ("refused", PsqlCommands::Refused)];

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
    environments::hide_passwords(source);
    let mut config = if says_nothing(source) { Config::default() } else { node::read(source, CODE, whole)? };
    config.source = Some(Arc::clone(source));
    config.directory = directory;
    Ok(config)
}

/// A file of comments alone is no YAML document, but it is a config.
fn says_nothing(source: &SourceFile) -> bool {
    let mut lines = source.bytes().split(|byte| *byte == b'\n').map(|line| line.trim_ascii());
    lines.all(|line| line.is_empty() || line.starts_with(b"#") || line == b"---")
}

fn whole(node: &Node) -> Result<Config, Fault> {
    let mut config = Config::default();
    let fields = node.fields(&known())?;
    for Entry { key, read } in KEYS {
        if let Some(value) = fields.get(key.name).filter(|value| value.what != What::Null) {
            read(&mut config, value)?;
        }
    }
    Ok(config)
}

fn known() -> Vec<&'static str> {
    KEYS.iter().map(|entry| entry.key.name).collect()
}

/// A problem with a line below `rules:`, at its place: the file is read once more, up to that key.
pub(super) fn override_problem(source: &Arc<SourceFile>, rule: &str, message: &str, help: &str) -> Problem {
    let read = node::read(source, CODE, |node| {
        let rules = node.fields(&known())?.need("rules")?;
        match rules.map()?.iter().find(|(key, _)| key.text().is_ok_and(|key| key == rule)) {
            Some((key, _)) => Err(key.fault(message).help(help)),
            None => Ok(()),
        }
    });
    read.err().unwrap_or_else(|| Problem::new(CODE, message).help(help).about(source.path()))
}

fn texts(node: &Node) -> Result<Vec<String>, Fault> {
    node.items().iter().map(|item| item.text().map(str::to_owned)).collect()
}

fn paths(node: &Node) -> Result<Vec<PathBuf>, Fault> {
    Ok(texts(node)?.into_iter().map(PathBuf::from).collect())
}

pub(super) fn globs(node: &Node) -> Result<Globs, Fault> {
    for item in node.items() {
        Globs::check(item.text()?).map_err(|why| item.fault(why))?;
    }
    Globs::new(texts(node)?).map_err(|why| node.fault(why))
}

fn overrides(node: &Node) -> Result<Vec<Override>, Fault> {
    let entries = node.map()?.iter();
    entries.map(|(rule, level)| Ok(Override { rule: rule.text()?.to_owned(), level: level.one_of(LEVELS)? })).collect()
}

/// The names of small tables, or `{ rows: N, names: [...] }`.
fn small_tables(config: &mut Config, node: &Node) -> Result<(), Fault> {
    let names = match &node.what {
        What::Map(_) => {
            let fields = SMALL_TABLES.fields(node)?;
            if let Some(rows) = fields.get("rows") {
                let below_zero = |_| rows.fault("a number below zero stands where a number of rows is expected");
                Arc::make_mut(&mut config.sizes).small_rows = u64::try_from(rows.number()?).map_err(below_zero)?;
            }
            fields.get("names")
        }
        What::Null | What::Bool(_) | What::Number(_) | What::Float(_) | What::Text(_) | What::List(_) => Some(node),
    };
    let names = names.map_or(Ok(Vec::new()), texts)?;
    Arc::make_mut(&mut config.sizes).small = names.iter().filter_map(|name| name.parse().ok()).collect();
    Ok(())
}

fn postgres(node: &Node) -> Result<Version, Fault> {
    let written = scalar(node)?;
    major_version(&written).map_err(|why| node.fault(why))
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
        .ok_or_else(|| format!("lockkeeper knows PostgreSQL {} to {}, not `{written}`", oldest.0, newest.0))
}

/// A time as PostgreSQL reads it: a number with a unit, milliseconds if there is none.
fn timeout(node: &Node) -> Result<Timeout, Fault> {
    let written = scalar(node)?;
    milliseconds(&written).ok_or_else(|| node.fault(format!("`{written}` is no time")).help("write it as PostgreSQL does: 500ms, 5s, 2min"))
}

/// A time as PostgreSQL writes it.
///
/// # Errors
/// How it is written.
pub fn time(written: &str) -> Result<Duration, String> {
    match milliseconds(written) {
        Some(Timeout::After(time)) => Ok(time),
        Some(Timeout::Off) => Ok(Duration::ZERO),
        Some(Timeout::Unset | Timeout::Unknown) | None => Err("write it as PostgreSQL does: 500ms, 5s, 2min".to_owned()),
    }
}

/// PostgreSQL's units of time, in milliseconds.
pub(super) const UNITS: &[(&str, f64)] =
    &[("us", 0.001), ("", 1.0), ("ms", 1.0), ("s", 1000.0), ("min", 60_000.0), ("h", 3_600_000.0), ("d", 86_400_000.0)];

/// A time as PostgreSQL reads it, if it is one.
pub(super) fn milliseconds(written: &str) -> Option<Timeout> {
    let written = written.trim();
    let unit_at = written.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(written.len());
    let (number, unit) = written.split_at(unit_at);
    let (_, unit) = UNITS.iter().find(|(word, _)| *word == unit.trim())?;
    let time = (number.parse::<f64>().ok()? * unit).round();
    // The server rounds to whole milliseconds, and 0 waits forever.
    Some(if time < 1.0 { Timeout::Off } else { Timeout::After(Duration::from_millis(time as u64)) })
}

/// A text, or a number as a text.
fn scalar(node: &Node) -> Result<String, Fault> {
    match &node.what {
        What::Number(number) => Ok(number.to_string()),
        What::Float(number) => Ok(number.to_string()),
        What::Null | What::Bool(_) | What::Text(_) | What::List(_) | What::Map(_) => node.text().map(str::to_owned),
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

    fn fault(text: &str) -> String {
        read(text).expect_err("there is a fault in it")
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
        assert_snapshot!(fault("postgres: 15\nmigratons: db\n"), @"there is no key `migratons` here, did you mean `migrations`? <- migratons (known keys: migrations, postgres, tool, transaction, psql, rules, presets, naming, rule_folders, exclude, small_tables, stats, hot_tables, lock_timeout, statement_timeout, history, fail_on, baseline, apply, environments, render)");
    }

    #[test]
    fn a_key_inside_a_map_in_braces_is_found() {
        assert_snapshot!(fault("rules: { drop-column: warnning }\n"), @"rules.drop-column: there is no `warnning` here, did you mean `warning`? <- warnning (one of: off, advice, warning, error)");
    }

    #[test]
    fn a_tool_that_nobody_knows_gets_a_guess() {
        assert_snapshot!(fault("tool: golang_migrate\n"), @"tool: there is no `golang_migrate` here, did you mean `golang-migrate`? <- golang_migrate (one of: plain, psql, golang-migrate, goose, dbmate, sqlx, refinery, diesel, flyway, liquibase, sqitch, prisma, drizzle, supabase, atlas, node-pg-migrate, hasura, postgres-migrations, graphile-migrate, pg-sql-migrate, sql-migrate)");
    }

    #[test]
    fn a_version_that_nobody_knows_names_those_that_are_known() {
        assert_snapshot!(fault("postgres: 9.6\n"), @"postgres: lockkeeper knows PostgreSQL 12 to 19, not `9.6` <- 9.6");
    }

    #[test]
    fn a_time_without_a_known_unit_is_refused() {
        assert_snapshot!(fault("lock_timeout: 5 parsecs\n"), @"lock_timeout: `5 parsecs` is no time <- 5 (write it as PostgreSQL does: 500ms, 5s, 2min)");
    }

    #[test]
    fn a_key_is_said_once() {
        assert_snapshot!(fault("postgres: 15\npostgres: 16\n"), @"`postgres` is said twice <- postgres");
    }

    #[test]
    fn a_value_of_the_wrong_kind_points_at_itself() {
        assert_snapshot!(fault("migrations: { a: b }\n"), @"migrations: a mapping stands where text is expected <- { (put it in quotes if it is meant as text)");
    }

    #[test]
    fn a_pattern_that_is_none_points_at_itself() {
        assert_snapshot!(fault("exclude:\n  - ok/*\n  - 'bad/[a'\n"), @"exclude[1]: `bad/[a` is no pattern of paths: unclosed character class; missing ']' <- 'bad/[a'");
    }

    #[test]
    fn yaml_that_is_none_points_at_the_line() {
        assert_snapshot!(fault("rules: {a: off\npostgres: 15\n"), @"did not find expected ',' or '}' at line 2 column 9, while parsing a flow mapping at line 1 column 8 <- :");
    }

    #[test]
    fn times_are_read_as_the_server_reads_them() {
        assert_eq!(milliseconds("2s"), Some(Timeout::After(Duration::from_secs(2))));
        assert_eq!(milliseconds("1500"), Some(Timeout::After(Duration::from_millis(1500))));
        assert_eq!(milliseconds("0"), Some(Timeout::Off));
        assert_eq!(milliseconds("2 min"), Some(Timeout::After(Duration::from_secs(120))));
        assert_eq!(milliseconds("soon"), None);
    }

    #[test]
    fn an_override_can_be_found_again() {
        let source = SourceFile::new("lockkeeper.yaml", "postgres: 15\nrules:\n  add-check: off\n  drop-colum: error\n");
        let problem = override_problem(&source, "drop-colum", "there is no rule `drop-colum`", "did you mean `drop-column`?");
        assert_eq!(source.text(problem.labels[0].0), "drop-colum");
    }
}
