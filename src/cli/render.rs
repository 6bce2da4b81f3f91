//! `--render`: that somebody wants the programs of `render:` to be run.

use super::lint::spinner;
use crate::config::Config;
use crate::config::environments::without_passwords;
use crate::discover::Programs;
use clap::Args;
use clap::builder::BoolishValueParser;
use indicatif::{ProgressBar, ProgressDrawTarget};
use std::io::{self, IsTerminal};

#[derive(Clone, Copy, Debug, Args)]
pub(super) struct RenderArgs {
    /// Run the programs that lockkeeper.yaml names under `render:`, which print the SQL of migrations that are no SQL files. They are code of the
    /// repository
    #[arg(long, env = "LOCKKEEPER_RENDER", hide_env_values = true, value_parser = BoolishValueParser::new())]
    render: bool,
}

impl RenderArgs {
    pub fn programs(self) -> Programs {
        if self.render { Programs::Run } else { Programs::Unasked }
    }

    /// Says on a terminal that programs are run, until it is finished.
    pub fn progress(self, config: &Config) -> ProgressBar {
        match config.render.first() {
            Some(first) if self.render && io::stderr().is_terminal() => {
                spinner(format!("running {}", without_passwords(&first.command.join(" "))))
            }
            _ => ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()),
        }
    }
}
