//! The command line: what can be asked, and what the exit code answers.

#[cfg(feature = "apply")]
mod connect;
#[cfg(feature = "apply")]
mod deploy;
mod baseline;
mod fix;
mod format;
#[cfg(feature = "github")]
mod github;
mod init;
mod lint;
#[cfg(feature = "lsp")]
mod lsp;
mod plan;
mod render;
mod rule;
mod rules;
mod schema;
mod scope;
mod show;
#[cfg(feature = "apply")]
mod stats;

use crate::config::environments::without_passwords;
use crate::problem::Problem;
use crate::report;
use clap::{Parser, Subcommand, ValueEnum};
use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

/// Makes changing a PostgreSQL schema safe: judges migrations by what the server will do.
///
/// Each statement is judged by the locks it takes, the tables it rewrites or scans, the code it breaks and the data it destroys, on the
/// schema that the migrations before it have made.
#[derive(Debug, Parser)]
#[command(name = "lockkeeper", version, max_term_width = 100, propagate_version = true)]
#[command(after_help = "Examples:
  lockkeeper lint                            judge the migrations that lockkeeper.yaml names
  lockkeeper lint migrations/0042_buyer.sql  one file, on the schema that the files before it make
  lockkeeper explain drop-column             what a rule means, with examples
  lockkeeper show migrations/0042_buyer.sql  why a rule speaks, or does not

Exit codes: 0 nothing to fail on, 1 findings, 2 the run itself failed.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Colours: on a terminal, always, or never; NO_COLOR turns them off too
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    color: Colour,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Judge migrations, and say what to do instead
    Lint(lint::Lint),
    /// Print the phases to run instead of a migration that breaks code or stops traffic
    Plan(plan::Plan),
    /// Run the migrations that are due, each exactly once
    #[cfg(feature = "apply")]
    #[command(alias = "upgrade")]
    Apply(deploy::apply::Apply),
    /// Look whether everything is ready for `apply`, and change nothing
    #[cfg(feature = "apply")]
    #[command(alias = "checks")]
    Preflight(deploy::preflight::Preflight),
    /// Write down that somebody agrees to a migration as it is
    #[cfg(feature = "apply")]
    Approve(deploy::approve::Approve),
    /// Say of each migration whether it has run
    #[cfg(feature = "apply")]
    #[command(alias = "current")]
    Status(deploy::status::StatusCommand),
    /// List the runs, and what each did
    #[cfg(feature = "apply")]
    History(deploy::status::HistoryCommand),
    /// Hold the files and the database against what has run
    #[cfg(feature = "apply")]
    Validate(deploy::status::Validate),
    /// Undo the newest migrations
    #[cfg(feature = "apply")]
    #[command(alias = "downgrade")]
    Rollback(deploy::rollback::Rollback),
    /// Change many rows in batches, or say a word to what does
    #[cfg(feature = "apply")]
    Backfill(deploy::backfill::BackfillCommand),
    /// Say what was there before lockkeeper came: findings, or migrations that have run
    ///
    /// `baseline findings` is for `lint`, and writes a file; `baseline VERSION` is for `apply`, and writes into the ledger in the database.
    Baseline(baseline::Baseline),
    /// Say how a step has ended that was broken off
    #[cfg(feature = "apply")]
    Resolve(deploy::amend::Resolve),
    /// Take the files of today for what ran
    #[cfg(feature = "apply")]
    Repair(deploy::amend::Repair),
    /// Take over the history of another tool
    #[cfg(feature = "apply")]
    Adopt(deploy::amend::Adopt),
    /// Write a commented lockkeeper.yaml, and set up a hook, a workflow, an editor
    Init(init::Init),
    /// Say how lockkeeper sees a file: operations, facts, effects, and what each rule made of them
    Show(show::Show),
    /// Ask a server how large its tables are, for `lint --stats`
    #[cfg(feature = "apply")]
    Stats(stats::Stats),
    /// Say what a rule means, with its examples
    Explain(rules::Explain),
    /// List all rules
    Rules(rules::List),
    /// Write the JSON Schema of lockkeeper.yaml or of rule files, for editors
    Schema(schema::Schema),
    /// Serve an editor on standard input and output, by the language server protocol
    #[cfg(feature = "lsp")]
    Lsp(lsp::Lsp),
    /// Tell a pull request what `lint` has found: what the GitHub Action runs
    #[cfg(feature = "github")]
    Github(github::Github),
    /// Write rules, and run their examples
    #[command(subcommand)]
    Rule(rule::RuleCommand),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Colour {
    Auto,
    Always,
    Never,
}

/// What a run answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing to fail on.
    Clean,
    /// Findings at or above the threshold.
    Findings,
    /// The run itself failed: usage, config, a path that cannot be read.
    Failed,
    /// What the command itself says that it means.
    Code(u8),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Clean => 0,
            Exit::Findings => 1,
            Exit::Failed => 2,
            Exit::Code(code) => code,
        })
    }
}

/// Runs a command line.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            print(&error);
            return if error.use_stderr() { Exit::Failed } else { Exit::Clean };
        }
    };
    let console = Console { choice: cli.color };
    match cli.command {
        Command::Lint(lint) => lint.run(console),
        #[cfg(feature = "apply")]
        Command::Backfill(backfill) => backfill.run(console),
        Command::Plan(plan) => plan.run(console),
        #[cfg(feature = "apply")]
        Command::Apply(apply) => apply.run(console),
        #[cfg(feature = "apply")]
        Command::Preflight(preflight) => preflight.run(console),
        #[cfg(feature = "apply")]
        Command::Approve(approve) => approve.run(console),
        #[cfg(feature = "apply")]
        Command::Status(status) => status.run(console),
        #[cfg(feature = "apply")]
        Command::History(history) => history.run(console),
        #[cfg(feature = "apply")]
        Command::Validate(validate) => validate.run(console),
        #[cfg(feature = "apply")]
        Command::Rollback(rollback) => rollback.run(console),
        Command::Baseline(baseline) => baseline.run(console),
        #[cfg(feature = "apply")]
        Command::Resolve(resolve) => resolve.run(console),
        #[cfg(feature = "apply")]
        Command::Repair(repair) => repair.run(console),
        #[cfg(feature = "apply")]
        Command::Adopt(adopt) => adopt.run(console),
        Command::Init(init) => init.run(console),
        Command::Show(show) => show.run(console),
        #[cfg(feature = "apply")]
        Command::Stats(stats) => stats.run(console),
        Command::Explain(explain) => explain.run(console),
        Command::Rules(list) => list.run(console),
        Command::Schema(schema) => schema.run(console),
        #[cfg(feature = "lsp")]
        Command::Lsp(lsp) => lsp.run(),
        #[cfg(feature = "github")]
        Command::Github(github) => github.run(console),
        Command::Rule(rule) => rule.run(console),
    }
}

/// Prints what clap says, which repeats arguments: one of them may be a URL that holds a password. A closed pipe is no failure of ours.
fn print(error: &clap::Error) {
    let text = error.to_string();
    let _ = match without_passwords(&text) {
        Cow::Owned(clean) if error.use_stderr() => io::stderr().lock().write_all(clean.as_bytes()),
        Cow::Owned(_) | Cow::Borrowed(_) => error.print(),
    };
}

/// Where words go.
#[derive(Clone, Copy, Debug)]
struct Console {
    choice: Colour,
}

impl Console {
    /// Whether standard output takes colours.
    fn colour(self) -> bool {
        self.wants(&io::stdout())
    }

    fn wants(self, stream: &impl IsTerminal) -> bool {
        let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        match self.choice {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => stream.is_terminal() && !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb"),
        }
    }

    /// Gives standard output, in one piece, to `write`. A reader that goes away (`| head`) is no failure.
    fn print(self, exit: Exit, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Exit {
        let mut out = io::BufWriter::with_capacity(64 * 1024, io::stdout().lock());
        match write(&mut out).and_then(|()| out.flush()) {
            Ok(()) => exit,
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => exit,
            Err(error) => self.failed(&Problem::new("cli::output", format!("the report could not be written: {error}"))),
        }
    }

    /// Says why a command cannot be done.
    fn failed(self, problem: &Problem) -> Exit {
        // If standard error is gone too, the exit code still tells.
        let _ = report::write_problem(problem, self.wants(&io::stderr()), &mut io::stderr().lock());
        Exit::Failed
    }

    /// A word beside the report.
    fn note(self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "note: {text}");
    }
}
