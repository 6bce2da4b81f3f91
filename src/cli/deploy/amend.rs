//! `lockkeeper baseline`, `resolve`, `repair` and `adopt`: what somebody says of the past, written into the ledger with the reason.

use super::agreed::Agreed;
use super::{Place, ended};
use crate::apply::amend::{self, Amendment, Answer, Ask};
use crate::apply::foreign::Tool;
use crate::apply::verdict::Verdict;
use crate::cli::{Console, Exit};
use crate::config::time;
use crate::db::block_on;
use clap::{Args, ValueEnum};
use std::time::Duration;

/// What `lockkeeper baseline --help` ends with.
pub(in crate::cli) const BASELINE_HELP: &str = "Examples:
  lockkeeper baseline findings                 for lint: today's findings do not count any more
  lockkeeper baseline 20240116120000 --reason 'taken over from psql'
                                               for apply: this migration, and all before it, have run
  lockkeeper baseline 20240116120000 --reason 'taken over from psql' --dry-run

With a VERSION, nothing is run; `apply` goes on behind it. Refused if the ledger knows that one of them was run by lockkeeper. To take over the
history of another tool: `lockkeeper adopt`.";

/// Says that a migration, and all before it, had run before lockkeeper came. Nothing is run; `apply` goes on behind them.
#[derive(Debug, Args)]
pub(in crate::cli) struct HasRun {
    /// For `apply`: the last migration that has run; it, and all before it, count as run
    // The subcommand beside it needs none of this.
    #[arg(value_name = "VERSION", required = true)]
    migration: Option<String>,
    /// Why: it is kept in the ledger
    #[arg(long, value_name = "WHY", required = true)]
    reason: Option<String>,
    #[command(flatten)]
    how: How,
}

/// Says how a step has ended that was broken off, where neither the ledger nor the catalog can tell. If the catalog shows that it is not so,
/// it is refused.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lockkeeper resolve 20240116120000 --step 2 --as done --reason 'all rows are there'
  lockkeeper resolve 20240116120000 --step 2 --as not-run --reason 'the table is empty'")]
pub(in crate::cli) struct Resolve {
    /// The migration
    #[arg(value_name = "VERSION")]
    migration: String,
    /// Which of its steps
    #[arg(long, value_name = "N")]
    step: u32,
    /// How it has ended
    #[arg(long = "as", value_enum, value_name = "HOW")]
    ended: Ended,
    #[command(flatten)]
    said: Said,
}

/// Takes the files of today for what ran: where only comments have changed, or where somebody has mended a file after it ran. A migration
/// whose file is gone is forgotten if it is named. What has not ended is left alone.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lockkeeper repair --reason 'reformatted'                     all files that have changed since they ran
  lockkeeper repair 20240116120000 --reason 'squashed away'    this one, or, if its file is gone, forget it")]
pub(in crate::cli) struct Repair {
    /// This migration alone [default: all that have changed]
    #[arg(value_name = "VERSION")]
    migration: Option<String>,
    #[command(flatten)]
    said: Said,
}

/// Takes over the history of sqlx, golang-migrate, dbmate, goose, Flyway, refinery, diesel or Alembic: what has run by its table counts as run
/// here. The table is only read, unless it is to be kept in step.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lockkeeper adopt --dry-run             what would count as run, and nothing else
  lockkeeper adopt                       from the tool whose table is there
  lockkeeper adopt --keep-in-step        each later apply and rollback writes into the tool's table, too

Refused if the table names a version that no file has, if the tool has begun a migration and not ended it, and if it knows another
checksum of a file. Without --keep-in-step, or once the table is dropped, nothing is written to it any more.")]
pub(in crate::cli) struct Adopt {
    /// Whose history [default: that of the one tool whose table is there]
    #[arg(long, value_name = "TOOL", value_parser = tool)]
    from: Option<Tool>,
    /// The tool's table, if it has not its usual name
    #[arg(long, value_name = "SCHEMA.TABLE", requires = "from")]
    table: Option<String>,
    /// Write into the tool's table whatever lockkeeper runs from now on, as the tool would
    #[arg(long)]
    keep_in_step: bool,
    #[command(flatten)]
    how: How,
}

fn tool(word: &str) -> Result<Tool, String> {
    Tool::read(word).ok_or_else(|| format!("it is one of {}", Tool::all().map(Tool::word).collect::<Vec<_>>().join(", ")))
}

/// How a step has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Ended {
    /// It has run to its end
    Done,
    /// It has not run, or nothing of it is left
    NotRun,
}

/// Where, and why.
#[derive(Debug, Args)]
pub(super) struct Said {
    /// Why: it is kept in the ledger
    #[arg(long, value_name = "WHY")]
    reason: String,
    #[command(flatten)]
    how: How,
}

/// Where, and whether somebody wants it.
#[derive(Debug, Args)]
pub(super) struct How {
    #[command(flatten)]
    place: Place,
    /// Say what would be changed, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// How long another runner is waited for: 30s, 10min
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "0s")]
    wait: Duration,
    #[command(flatten)]
    agreed: Agreed,
}

impl HasRun {
    pub fn run(self, console: Console) -> Exit {
        let (to, reason) = (self.migration.unwrap_or_default(), self.reason.unwrap_or_default());
        self.how.run("baseline", Ask::Baseline { to: &to }, &reason, console)
    }
}

impl Resolve {
    pub fn run(self, console: Console) -> Exit {
        let answer = match self.ended {
            Ended::Done => Answer::Done,
            Ended::NotRun => Answer::NotRun,
        };
        self.said.how.run("resolve", Ask::Resolve { version: &self.migration, step: self.step, answer }, &self.said.reason, console)
    }
}

impl Repair {
    pub fn run(self, console: Console) -> Exit {
        self.said.how.run("repair", Ask::Repair { only: self.migration.as_deref() }, &self.said.reason, console)
    }
}

impl Adopt {
    pub fn run(self, console: Console) -> Exit {
        let adopt = amend::Adopt { from: self.from, table: self.table.as_deref(), keep: self.keep_in_step };
        let from = self.from.map_or("whose table is there", Tool::word);
        self.how.run("adopt", Ask::Adopt(adopt), &format!("the history of the tool that ran migrations before: {from}"), console)
    }
}

impl How {
    /// Works an answer out, asks, and writes it.
    pub(super) fn run(&self, command: &'static str, ask: Ask<'_>, reason: &str, console: Console) -> Exit {
        let ready = match self.place.ready(console) {
            Ok(ready) => ready,
            Err(exit) => return exit,
        };
        let settings = ready.project.settings(ready.server);
        let pipeline = ready.pipeline(&settings, command, self.wait);
        let target = &ready.target;
        if self.dry_run {
            return match block_on(pipeline.amendment(ask)) {
                Ok(Ok(amendment)) => dry(&amendment, console),
                Ok(Err(verdict)) => ended(&verdict, console),
                Err(problem) => console.failed(&problem),
            };
        }
        let mut confirm = |amendment: &Amendment| self.agreed.to_hash(&amendment.hash(), &amendment.database, target);
        let verdict = match block_on(pipeline.amend(ask, reason, &mut confirm)) {
            Ok(verdict) => verdict,
            Err(problem) => return console.failed(&problem),
        };
        let Verdict::Done { migrations: lines, .. } = &verdict else { return ended(&verdict, console) };
        match lines.is_empty() {
            true => console.note(&format!("nothing to do: the ledger on {} says so already", target.shown)),
            false => console.note(&format!("the ledger on {} says from now on:", target.shown)),
        }
        console.print(Exit::Clean, |out| lines.iter().try_for_each(|line| writeln!(out, "{line}")))
    }
}

/// Says what would be changed.
fn dry(amendment: &Amendment, console: Console) -> Exit {
    let exit = console.print(Exit::Clean, |out| amendment.changes.iter().try_for_each(|change| writeln!(out, "{}", change.words())));
    match amendment.changes.is_empty() {
        true => console.note("nothing to do"),
        false => console.note(&format!("nothing was changed; the hash of this is {}", amendment.hash())),
    }
    exit
}
