//! `lockkeeper apply`: runs the migrations that are due.

use super::Place;
use super::run::{Errand, Run};
use crate::apply::runner::With;
use crate::apply::window::Word;
use crate::apply::wish::{Wanted, Wish};
use crate::cli::{Console, Exit};
use crate::config::time;
use clap::Args;
use std::time::Duration;

/// Runs what has not run yet, each statement exactly once: judged again, held against its approval, one statement at a time, with short lock
/// timeouts and as many tries as it takes. What breaks off, goes on where it stood.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lockkeeper apply --env staging                 everything that is due
  lockkeeper apply --to 20240116120000           up to this one, it included
  lockkeeper apply -- dbmate up                  let dbmate run what is due, with our gate before and our watch beside it
  lockkeeper apply --dry-run > session.sql       the SQL that would be sent, and nothing else
  lockkeeper apply --yes --approve-hash 3f2a...  without a terminal: the hash is that of the dry run

Exit codes: 0 done, 1 refused (not approved, or not its time), 2 usage or config, 3 the server or its history is not ready,
6 failed and rolled back, 7 somebody has to look, 8 it has run and is not valid, 9 somebody else is in the way, nothing changed,
10 some of it has run and the rest can go on, 130 stopped.")]
pub(in crate::cli) struct Apply {
    #[command(flatten)]
    place: Place,
    /// Run up to this version, it included
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
    /// Run migrations behind which others have run already
    #[arg(long)]
    out_of_order: bool,
    /// How long another runner is waited for: 30s, 10min
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "0s")]
    wait: Duration,
    /// Say that others know that they have to wait: what is maintenance-window runs where lockkeeper.yaml declares a window
    #[arg(long)]
    maintenance: bool,
    /// Wait until a window begins
    #[arg(long)]
    wait_window: bool,
    /// Let this command run them, instead of lockkeeper itself: what is due is read from its own table, and judged all the same
    /// [default: `with:` below `apply:` in lockkeeper.yaml]
    #[arg(last = true, value_name = "COMMAND")]
    with: Vec<String>,
    /// Let the command run though there are no SQL files that tell what it does
    #[arg(long, requires = "reason")]
    unjudged: bool,
    /// Why
    #[arg(long, value_name = "WHY", requires = "unjudged")]
    reason: Option<String>,
    /// Give the command the URL of the database as DATABASE_URL, its password included
    #[arg(long)]
    pass_url: bool,
    #[command(flatten)]
    run: Run,
}

impl Apply {
    pub fn run(self, console: Console) -> Exit {
        let ready = match self.place.ready_for(&self.with, console) {
            Ok(ready) => ready,
            Err(exit) => return exit,
        };
        let word = Word { maintenance: self.maintenance, wait: self.wait_window };
        let wanted = Wanted { to: self.to.as_deref(), out_of_order: self.out_of_order, word };
        let of_config = &ready.project.config.apply.with;
        let command = if self.with.is_empty() { of_config } else { &self.with };
        let with = With { wanted, command, unjudged: self.reason.as_deref(), url: self.pass_url };
        let wish = if command.is_empty() { Wish::Apply(wanted) } else { Wish::With(with) };
        self.run.carry_out(&ready, Errand { command: "apply", wish, patience: self.wait, said }, console)
    }
}

fn said(migrations: &[String]) -> String {
    match migrations.len() {
        0 => "nothing to do: everything has run".to_owned(),
        1 => "1 migration has run".to_owned(),
        count => format!("{count} migrations have run"),
    }
}
