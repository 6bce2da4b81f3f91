//! A run from its agreement to its end: what `apply`, `rollback` and `backfill` have in common.

use super::agreed::Agreed;
use super::journal::Journal;
use super::progress::Progress;
use super::{Ready, dry, ended};
use crate::apply::agenda::Agenda;
use crate::apply::event::Event;
use crate::apply::notify::{About, Notifier};
use crate::apply::verdict::Verdict;
use crate::apply::wish::Wish;
use crate::cli::{Console, Exit};
use crate::db::block_on;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// How a run is agreed to, and where it is told.
#[derive(Debug, Args)]
pub(in crate::cli) struct Run {
    /// Print the SQL that would be sent, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    agreed: Agreed,
    /// Where what happens is written, a line of JSON for each event [default: .lockkeeper/journal.jsonl beside the config]
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
}

/// What a run is for.
pub(super) struct Errand<'a> {
    /// The name of the command, as the ledger has it.
    pub command: &'static str,
    pub wish: Wish<'a>,
    /// How long another runner is waited for.
    pub patience: Duration,
    /// What is said when it is done: of the names of what has run, in lines.
    pub said: fn(&[String]) -> String,
}

impl Run {
    /// Does it, and says how it has ended.
    pub fn carry_out(&self, ready: &Ready, errand: Errand<'_>, console: Console) -> Exit {
        let settings = ready.project.settings(ready.server);
        let pipeline = ready.pipeline(&settings, errand.command, errand.patience);
        if self.dry_run {
            return dry::run(&pipeline, errand.wish, console);
        }
        let mut journal = match Journal::open(self.journal.as_deref(), &ready.project.config) {
            Ok(journal) => journal,
            Err(problem) => return console.failed(&problem),
        };
        let mut progress = Progress::new();
        let mut notifier = Notifier::new(&ready.project.config.apply.notify, about(ready, errand.command));
        let mut confirm = |agenda: &Agenda| {
            self.agreed.to(agenda, &ready.target)?;
            notifier.started(&agenda.names(), &agenda.hash());
            Ok(())
        };
        let mut tell = |event: &_| {
            journal.write(event);
            progress.show(event);
        };
        let verdict = match block_on(pipeline.run(errand.wish, &mut confirm, &mut tell)) {
            Ok(verdict) => verdict,
            Err(problem) => return console.failed(&problem),
        };
        for unreached in notifier.ended(&verdict) {
            tell(&Event::Unreached { who: unreached.who, why: unreached.why });
        }
        progress.end();
        if let Verdict::Done { migrations, stopped } = &verdict {
            console.note(&format!("{} on {}", (errand.said)(migrations), ready.target.shown));
            if let Some(why) = stopped {
                console.note(&format!("the rest has to wait: {why}"));
            }
        }
        ended(&verdict, console)
    }
}

fn about(ready: &Ready, command: &'static str) -> About {
    About {
        command,
        environment: ready.target.environment.name.clone(),
        database: ready.target.shown.clone(),
        directory: ready.project.config.directory.clone(),
    }
}
