//! `lockkeeper rules` and `lockkeeper explain`: what lockkeeper knows.

use super::setup::Setup;
use super::{Console, Exit};
use crate::lint::example;
use crate::problem::{Problem, did_you_mean};
use crate::report::{self, Look, Paint};
use crate::rule::file::Rule;
use crate::rule::set::Entry;
use crate::rule::{Class, Severity};
use clap::Args;
use serde::Serialize;
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
        let setup = Setup::read(self.config.as_deref(), Path::new(""));
        let exit = setup.problems.iter().map(|problem| console.failed(problem)).last().unwrap_or(Exit::Clean);
        (setup, exit)
    }
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  lockkeeper rules --json | jq -r '.[] | select(.severity == \"error\").id'")]
pub(super) struct List {
    /// As JSON
    #[arg(long)]
    json: bool,
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
    aliases: &'a [String],
}

impl List {
    pub fn run(self, console: Console) -> Exit {
        let (setup, mut exit) = self.config.setup(console);
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
        let (setup, exit) = self.config.setup(console);
        let Some(entry) = setup.rules.find(&self.rule) else {
            let guess = did_you_mean(&self.rule, setup.rules.names());
            let problem = Problem::new("explain::unknown-rule", format!("there is no rule `{}`{guess}", self.rule));
            return console.failed(&problem.help("`lockkeeper rules` lists them all"));
        };
        let rule = match entry.rule() {
            Ok(rule) => rule,
            Err(problem) => return console.failed(problem),
        };
        let examples = match entry.examples() {
            Ok(examples) => examples,
            Err(problem) => return console.failed(&problem),
        };
        let paint = Paint::new(console.colour());
        let look = Look { colour: console.colour(), width: 100, skipped: Default::default() };
        console.print(exit, |mut out| {
            let severity = entry.overridden().unwrap_or(rule.severity);
            let weight = if entry.is_on() { severity.to_string() } else { "off".to_owned() };
            writeln!(out, "{}  {}, {}", paint.bold(&entry.id), paint.severity(severity, weight), paint.class(rule.class))?;
            writeln!(out, "{}", rule.title)?;
            if !entry.aliases.is_empty() {
                writeln!(out, "{}", paint.dim(format_args!("also known as {}", entry.aliases.join(", "))))?;
            }
            for example in &examples.bad {
                writeln!(out, "\n{} {}\n", paint.severity(Severity::Error, "bad:"), example::name(example))?;
                let report = example::report(example, &setup.rules);
                report::write_findings(&report, &entry.id, &look, &mut out)?;
            }
            for example in &examples.good {
                writeln!(out, "{} {}", paint.good("good:"), example::name(example))?;
                for line in example.sql.as_deref().unwrap_or_default().trim_end().lines() {
                    writeln!(out, "      {line}")?;
                }
            }
            Ok(())
        })
    }
}
