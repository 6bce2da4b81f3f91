//! `lockkeeper lsp`: the server that editors start.

use super::Exit;
use crate::lsp;
use clap::Args;

/// Editors start it themselves: docs/editors.md says how each is told to.
#[derive(Debug, Args)]
pub(super) struct Lsp {
    /// Standard input and output, which it uses anyway; some editors say so
    #[arg(long)]
    stdio: bool,
}

impl Lsp {
    pub fn run(self) -> Exit {
        let Self { stdio: _ } = self;
        if lsp::serve() { Exit::Clean } else { Exit::Findings }
    }
}
