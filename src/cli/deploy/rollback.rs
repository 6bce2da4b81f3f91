//! `lockkeeper rollback`: undoes the newest migrations, by the SQL that they bring along for it.

use super::agreed::Agreed;
use super::journal::Journal;
use super::progress::Progress;
use super::{Place, dry, ended};
use crate::apply::pipeline::Agenda;
use crate::apply::verdict::Verdict;
use crate::apply::wish::{Pick, Wish};
use crate::cli::{Console, Exit};
use crate::db::block_on;
use clap::Args;
use std::time::Duration;

/// Runs the down parts of the newest migrations, the newest first, with the same care as `apply`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lockkeeper rollback --steps 1                  undo the newest one
  lockkeeper rollback --to 20240116120000        undo everything behind this one, which stays")]
pub(in crate::cli) struct Rollback {
    #[command(flatten)]
    place: Place,
    /// How many migrations are undone
    #[arg(long, value_name = "N", conflicts_with = "to", default_value_t = 1)]
    steps: usize,
    /// Undo everything behind this version
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
    /// Print the SQL that would be sent, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    agreed: Agreed,
    /// Where what happens is written, a line of JSON for each event [default: .lockkeeper/journal.jsonl beside the config]
    #[arg(long, value_name = "FILE")]
    journal: Option<std::path::PathBuf>,
}

impl Rollback {
    pub fn run(self, console: Console) -> Exit {
        let ready = match self.place.ready(console) {
            Ok(ready) => ready,
            Err(exit) => return exit,
        };
        let settings = ready.project.settings(ready.server);
        let pipeline = ready.pipeline(&settings, "rollback", Duration::ZERO);
        let wish = Wish::Rollback(self.to.as_deref().map_or(Pick::Steps(self.steps), Pick::To));
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
        match block_on(pipeline.run(wish, &mut confirm, &mut tell)) {
            Ok(verdict) => {
                progress.end();
                if let Verdict::Done { migrations, .. } = &verdict {
                    console.note(&format!("{} undone on {}", counted(migrations.len()), ready.target.shown));
                }
                ended(&verdict, console)
            }
            Err(problem) => console.failed(&problem),
        }
    }
}

fn counted(count: usize) -> String {
    if count == 1 { "1 migration".to_owned() } else { format!("{count} migrations") }
}
