//! `lockkeeper rollback`: undoes the newest migrations, by the SQL that they bring along for it.

use super::Place;
use super::run::{Errand, Run};
use crate::apply::wish::{Pick, Wish};
use crate::cli::{Console, Exit};
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
    #[command(flatten)]
    run: Run,
}

impl Rollback {
    pub fn run(self, console: Console) -> Exit {
        let ready = match self.place.ready(console) {
            Ok(ready) => ready,
            Err(exit) => return exit,
        };
        let wish = Wish::Rollback(self.to.as_deref().map_or(Pick::Steps(self.steps), Pick::To));
        self.run.carry_out(&ready, Errand { command: "rollback", wish, patience: Duration::ZERO, said }, console)
    }
}

fn said(migrations: &[String]) -> String {
    match migrations.len() {
        1 => "1 migration undone".to_owned(),
        count => format!("{count} migrations undone"),
    }
}
