//! `lockkeeper rules` and `lockkeeper explain`: what lockkeeper knows.

use super::{Console, Exit};
use crate::config::setup::Setup;
use crate::discover::Skipped;
use crate::lint::example;
use crate::model::kind::OpKind;
use crate::problem::{Problem, did_you_mean};
use crate::report::{self, Look, Paint, manual};
use crate::rule::example::{Example, Examples};
use crate::rule::file::Rule;
use crate::rule::set::{Entry, RuleSet};
use crate::rule::{Class, PRESETS, Severity, vocabulary};
use clap::Args;
use serde::Serialize;
use std::borrow::Cow;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The config whose rules are meant.
#[derive(Debug, Args)]
pub(super) struct ConfigArg {
    /// The config [default: the nearest lockkeeper.yaml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigArg {
    /// The rules of the config; what is wrong with it is said, and fails the run.
    pub fn setup(&self, console: Console) -> (Setup, Exit) {
        let setup = self.setup_as_it_is();
        let exit = setup.problems.iter().fold(Exit::Clean, |_, problem| console.failed(problem));
        (setup, exit)
    }

    /// The rules of the config, whatever is wrong with it.
    pub fn setup_as_it_is(&self) -> Setup {
        Setup::read(self.config.as_deref(), Path::new(""))
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lockkeeper rules --json | jq -r '.[] | select(.severity == \"error\").id'
  lockkeeper rules --markdown > docs/rules.md
  lockkeeper rules --vocabulary drop_column")]
pub(super) struct List {
    /// As JSON
    #[arg(long)]
    json: bool,
    /// As the manual: a table of all, and a page of each
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    /// List the words that rules are written in instead: what may be asked of one operation, or of all
    #[arg(long, value_name = "OPERATION", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["json", "markdown"])]
    vocabulary: Option<String>,
    #[command(flatten)]
    config: ConfigArg,
}

/// A rule as `rules --json` writes it.
#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    title: &'a str,
    /// What a finding weighs here; `null`: the rule is off.
    severity: Option<Severity>,
    /// What it weighs if the config does not say otherwise.
    default_severity: Severity,
    class: Class,
    aliases: &'a [Cow<'static, str>],
}

impl List {
    pub fn run(self, console: Console) -> Exit {
        if let Some(operation) = &self.vocabulary {
            return list_words(operation, console);
        }
        let (mut setup, mut exit) = self.config.setup(console);
        if self.markdown {
            return match manual::rules(&mut setup.rules) {
                Ok(text) => console.print(exit, |out| out.write_all(text.as_bytes())),
                Err(problem) => console.failed(&problem),
            };
        }
        let mut rows = Vec::new();
        for entry in setup.rules.all() {
            match entry.rule() {
                Ok(rule) => rows.push(row(entry, rule)),
                Err(problem) => exit = console.failed(problem),
            }
        }
        rows.sort_by_key(|row| row.id);
        let paint = Paint::new(console.colour());
        console.print(exit, |out| if self.json { json(&rows, out) } else { table(&rows, paint, out) })
    }
}

fn row<'a>(entry: &'a Entry, rule: &'a Rule) -> Row<'a> {
    let severity = entry.is_on().then(|| entry.overridden().unwrap_or(rule.severity));
    Row { id: &entry.id, title: &rule.title, severity, default_severity: rule.severity, class: rule.class, aliases: &entry.aliases }
}

fn json(rows: &[Row<'_>], out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, rows).map_err(io::Error::from)?;
    writeln!(out)
}

fn table(rows: &[Row<'_>], paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let widest = rows.iter().map(|row| row.id.len()).max().unwrap_or_default();
    for row in rows {
        let severity = match row.severity {
            Some(severity) => paint.severity(severity, format_args!("{:<7}", severity.to_string())),
            None => paint.dim("off    "),
        };
        writeln!(out, "{}  {severity}  {}", paint.bold(format_args!("{:<widest$}", row.id)), row.title)?;
    }
    writeln!(out, "\n{} rules; `lockkeeper explain RULE` says more about one", rows.len())
}

/// The words that rules are written in, for one operation or for all.
fn list_words(operation: &str, console: Console) -> Exit {
    let text = match OpKind::read(operation) {
        Some(op) => vocabulary::facts_of(op),
        None if operation.is_empty() => vocabulary::everything(),
        None => {
            let guess = did_you_mean(operation, OpKind::ALL.iter().map(|op| op.word()));
            return console.failed(&Problem::new("rules::unknown-operation", format!("no operation is called `{operation}`{guess}")));
        }
    };
    console.print(Exit::Clean, |out| out.write_all(text.as_bytes()))
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  lockkeeper explain create-index-without-concurrently")]
pub(super) struct Explain {
    /// The rule's id, or the name that another tool has for it
    #[arg(value_name = "RULE")]
    rule: String,
    #[command(flatten)]
    config: ConfigArg,
}

impl Explain {
    pub fn run(self, console: Console) -> Exit {
        let (mut setup, exit) = self.config.setup(console);
        let is_on = setup.rules.find(&self.rule).is_some_and(Entry::is_on);
        // What is off shows its example all the same.
        let shown = setup.rules.while_on(&self.rule, |entry, rules| Self::show(entry, rules, is_on, (console, exit)));
        shown.unwrap_or_else(|| {
            let guess = did_you_mean(&self.rule, setup.rules.names());
            let problem = Problem::new("explain::unknown-rule", format!("there is no rule `{}`{guess}", self.rule));
            console.failed(&problem.help("`lockkeeper rules` lists them all"))
        })
    }

    fn show(entry: &Entry, rules: &RuleSet, is_on: bool, (console, exit): (Console, Exit)) -> Exit {
        let rule = match entry.rule() {
            Ok(rule) => rule,
            Err(problem) => return console.failed(problem),
        };
        let examples = match entry.examples() {
            Ok(examples) => examples,
            Err(problem) => return console.failed(&problem),
        };
        let page = Page { entry, is_on, rule, examples: &examples, rules, colour: console.colour() };
        console.print(exit, |mut out| page.write(&mut out))
    }
}

/// What there is to say about a rule.
struct Page<'a> {
    entry: &'a Entry,
    is_on: bool,
    rule: &'a Rule,
    examples: &'a Examples,
    rules: &'a RuleSet,
    colour: bool,
}

impl Page<'_> {
    /// The rule, the report of its first bad example, and the SQL of the others.
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let paint = Paint::new(self.colour);
        let severity = self.entry.overridden().unwrap_or(self.rule.severity);
        let weight = if self.is_on { severity.to_string() } else { "off".to_owned() };
        writeln!(out, "{}  {}, {}", paint.bold(&self.entry.id), paint.severity(severity, weight), paint.class(self.rule.class))?;
        writeln!(out, "{}", self.rule.title)?;
        if !self.entry.aliases.is_empty() {
            writeln!(out, "{}", paint.dim(format_args!("also known as {}", self.entry.aliases.join(", "))))?;
        }
        if !self.is_on {
            writeln!(out, "{}", paint.dim(self.switch(severity)))?;
        }
        if let Some(first) = self.examples.bad.first() {
            writeln!(out)?;
            let look = Look { colour: self.colour, width: 100, diffs: false, skipped: Skipped::default() };
            report::write_findings(&example::report(first, self.rules), &self.entry.id, &look, out)?;
        }
        for bad in self.examples.bad.iter().skip(1) {
            sql(&paint.severity(Severity::Error, "bad "), bad, paint, out)?;
        }
        for good in &self.examples.good {
            sql(&paint.good("good"), good, paint, out)?;
        }
        Ok(())
    }

    /// What turns a rule on that is off.
    fn switch(&self, severity: Severity) -> String {
        let alone = format!("`rules: {{ {}: {severity} }}`", self.entry.id);
        let preset = self.rule.preset.and_then(|preset| PRESETS.iter().find(|(_, known)| *known == preset));
        match preset {
            Some((word, _)) => format!("turned on by `presets: [{word}]` or {alone} in lockkeeper.yaml"),
            None => format!("turned on by {alone} in lockkeeper.yaml"),
        }
    }
}

/// An example as a comment and its SQL.
fn sql(mark: &str, example: &Example, paint: Paint, out: &mut impl Write) -> io::Result<()> {
    let mut mark = mark;
    if let Some(name) = &example.name {
        writeln!(out, "{mark}  {}", paint.dim(format_args!("-- {name}")))?;
        mark = "    ";
    }
    let files = example.files.iter().map(|file| file.sql.as_str());
    for line in files.chain(example.sql.as_deref()).flat_map(|sql| sql.trim_end().lines()) {
        writeln!(out, "{mark}  {line}")?;
        mark = "    ";
    }
    writeln!(out)
}
