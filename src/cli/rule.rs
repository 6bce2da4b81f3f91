//! `lockkeeper rule test` and `lockkeeper rule new`: for those who write rules.

use super::rules::ConfigArg;
use super::{Console, Exit};
use crate::config::setup::Setup;
use crate::lint::example::{self, Failure};
use crate::model::kind::OpKind;
use crate::problem::{Problem, did_you_mean, io_words};
use crate::report::{self, Paint};
use clap::{Args, Subcommand};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

#[derive(Debug, Subcommand)]
pub(super) enum RuleCommand {
    /// Run the examples of rules against all rules
    Test(Test),
    /// Begin a rule file
    New(New),
}

impl RuleCommand {
    pub fn run(self, console: Console) -> Exit {
        match self {
            Self::Test(test) => test.run(console),
            Self::New(new) => new.run(console),
        }
    }
}

/// A bad example makes its rule speak once and no other rule; a good one makes none speak. What an example claims (locks, rewrites,
/// scans, the fixed SQL) has to hold.
#[derive(Debug, Args)]
pub(super) struct Test {
    /// Rules by id [default: all]
    #[arg(value_name = "RULE")]
    rules: Vec<String>,
    #[command(flatten)]
    config: ConfigArg,
}

impl Test {
    fn run(self, console: Console) -> Exit {
        let (Setup { rules: mut set, .. }, mut exit) = self.config.setup(console);
        let mut tested: Vec<String> = Vec::new();
        for name in &self.rules {
            match set.find(name) {
                Some(entry) => tested.push(entry.id.clone()),
                None => {
                    let message = format!("there is no rule `{name}`{}", did_you_mean(name, set.names()));
                    exit = console.failed(&Problem::new("rule::unknown", message).help("`lockkeeper rules` lists them all"));
                }
            }
        }
        if self.rules.is_empty() {
            tested.extend(set.all().map(|entry| entry.id.clone()));
        }
        let mut failed = Vec::new();
        let mut examples = 0;
        for id in &tested {
            match set.while_on(id, example::test) {
                Some(Ok((number, failures))) => {
                    examples += number;
                    failed.extend((!failures.is_empty()).then_some((id, failures)));
                }
                Some(Err(problem)) => exit = console.failed(&problem),
                None => {}
            }
        }
        if exit == Exit::Clean && !failed.is_empty() {
            exit = Exit::Findings;
        }
        let paint = Paint::new(console.colour());
        console.print(exit, |out| {
            failed.iter().try_for_each(|(id, failures)| complain(id, failures, paint, out))?;
            let (rules, examples) = (report::count(tested.len(), "rule"), report::count(examples, "example"));
            writeln!(out, "{rules}, {examples}, {} of them wrong", failed.iter().map(|(_, some)| some.len()).sum::<usize>())
        })
    }
}

fn complain(id: &str, failures: &[Failure], paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", paint.bold(id))?;
    for failure in failures {
        writeln!(out, "  {}", failure.example)?;
        for complaint in &failure.complaints {
            writeln!(out, "    {complaint}")?;
        }
    }
    Ok(())
}

/// The id says the operation first: `drop-view`, `create-index-without-concurrently`.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  lockkeeper rule new drop-view --folder lockkeeper/rules")]
pub(super) struct New {
    /// The rule's id: lower-case words with hyphens
    #[arg(value_name = "ID")]
    id: String,
    /// Where to put it [default: the first of rule_folders, else ./rules]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArg,
}

impl New {
    fn run(self, console: Console) -> Exit {
        let (setup, exit) = self.config.setup(console);
        if exit != Exit::Clean {
            return exit;
        }
        if let Err(problem) = self.check(&setup) {
            return console.failed(&problem);
        }
        let folders = setup.config.rule_paths();
        let folder = self.folder.clone().or_else(|| folders.first().cloned()).unwrap_or_else(|| PathBuf::from("rules"));
        let path = folder.join(format!("{}.yaml", self.id));
        match write_new(&path, &scaffold(&self.id)) {
            Ok(()) => console.print(Exit::Clean, |out| {
                writeln!(out, "wrote {}; fill it, then: lockkeeper rule test {}", path.display(), self.id)?;
                if folders.is_empty() {
                    writeln!(out, "it is read once lockkeeper.yaml says: rule_folders: [{}]", folder.display())?;
                }
                Ok(())
            }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                console.failed(&Problem::new("rule::exists", "it is there already, and stays as it is").about(path))
            }
            Err(error) => console.failed(&Problem::new("rule::unwritable", io_words(&error)).about(path)),
        }
    }

    fn check(&self, setup: &Setup) -> Result<(), Problem> {
        let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        if !self.id.split('-').all(is_word) {
            return Err(Problem::new("rule::id", format!("`{}` is no id", self.id)).help("lower-case words with hyphens: drop-view"));
        }
        match setup.rules.find(&self.id) {
            Some(taken) => Err(Problem::new("rule::name-taken", format!("there is a rule called `{}` already: {}", self.id, taken.id))),
            None => Ok(()),
        }
    }
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}

/// A rule that can be read but says nothing of worth yet.
fn scaffold(id: &str) -> String {
    let words = id.replace('-', "_");
    // The operation whose word begins the id, the longest if there are several.
    let begins = |kind: &&OpKind| kind.is_operation() && words.starts_with(kind.word());
    let op = OpKind::ALL.iter().filter(begins).max_by_key(|kind| kind.word().len()).map_or("drop_view", |kind| kind.word());
    format!(
        "# What may be asked of `{op}` under `where`, and shown in texts as {{fact}}: lockkeeper rules --vocabulary {op}
title: The hazard in one line
severity: warning
class: three-phase
match:
  op: {op}
message: the thing, then the harm, in one line
why: |
  What the server does, how long, and who notices.
fix:
  class: three-phase
  title: what to do instead
  steps:
    - deploy: Release code that no longer needs it.
    - contract: The SQL that then can be run.
examples:
  bad:
    - sql: The SQL on which this rule speaks, once.
  good:
    - name: why this one is harmless
      sql: SQL on which no rule speaks.
"
    )
}
