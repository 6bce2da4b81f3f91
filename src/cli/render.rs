//! `--render`: that somebody wants the programs of `render:` to be run.

use crate::discover::Programs;
use clap::Args;
use clap::builder::BoolishValueParser;

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
}
