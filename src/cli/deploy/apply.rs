//! `lockkeeper apply`: runs the migrations that are due.

use super::agreed::Agreed;
use super::journal::Journal;
use super::progress::Progress;
use super::{Place, dry, ended};
use crate::apply::pipeline::Agenda;
use crate::apply::verdict::Verdict;
use crate::apply::wish::{Wanted, Wish};
use crate::cli::{Console, Exit};
use crate::config::time;
use crate::db::block_on;
use crate::db::target::Target;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// Runs what has not run yet, each statement exactly once: judged again, held against its approval, one statement at a time, with short lock
/// timeouts and as many tries as it takes. What breaks off, goes on where it stood.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lockkeeper apply --env staging                 everything that is due
  lockkeeper apply --to 20240116120000           up to this one, it included
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
    /// Print the SQL that would be sent, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Run migrations behind which others have run already
    #[arg(long)]
    out_of_order: bool,
    /// How long another runner is waited for: 30s, 10min
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "0s")]
    wait: Duration,
    #[command(flatten)]
    agreed: Agreed,
    /// Where what happens is written, a line of JSON for each event [default: .lockkeeper/journal.jsonl beside the config]
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
}

impl Apply {
    pub fn run(self, console: Console) -> Exit {
        let ready = match self.place.ready(console) {
            Ok(ready) => ready,
            Err(exit) => return exit,
        };
        let settings = ready.project.settings(ready.server);
        let pipeline = ready.pipeline(&settings, "apply", self.wait);
        let wish = Wish::Apply(Wanted { to: self.to.as_deref(), out_of_order: self.out_of_order });
        if self.dry_run {
            return dry::run(&pipeline, wish, console);
        }
        let mut journal = match Journal::open(self.journal.as_deref(), &ready.project.config) {
            Ok(journal) => journal,
            Err(problem) => return console.failed(&problem),
        };
        let mut progress = Progress::new(console);
        let mut confirm = |agenda: &Agenda| self.agreed.to(agenda, &ready.target);
        let mut tell = |event: &_| {
            journal.write(event);
            progress.show(event);
        };
        let verdict = block_on(pipeline.run(wish, &mut confirm, &mut tell));
        match verdict {
            Ok(verdict) => {
                progress.end();
                said(&verdict, &ready.target, console);
                ended(&verdict, console)
            }
            Err(problem) => console.failed(&problem),
        }
    }
}

/// What was done, in a line.
fn said(verdict: &Verdict, target: &Target, console: Console) {
    let Verdict::Done { migrations, stopped } = verdict else { return };
    match migrations.len() {
        0 => console.note(&format!("nothing to do: everything has run on {}", target.shown)),
        1 => console.note(&format!("1 migration has run on {}", target.shown)),
        count => console.note(&format!("{count} migrations have run on {}", target.shown)),
    }
    if let Some(why) = stopped {
        console.note(&format!("the rest has to wait: {why}"));
    }
}
