//! `lockkeeper schema`: the JSON Schemas by which editors complete and check our YAML files.

use super::rules::ConfigArg;
use super::{Console, Exit};
use crate::config;
use crate::rule;
use clap::{Args, ValueEnum};

/// Written to standard output. docs/editors.md says how editors are told of it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lockkeeper schema config > .lockkeeper.schema.json
  lockkeeper schema rule > lockkeeper/rule.schema.json

The first line of a file may name its schema, for the YAML language server:
  # yaml-language-server: $schema=.lockkeeper.schema.json")]
pub(super) struct Schema {
    /// Of which files
    #[arg(value_enum, value_name = "OF")]
    of: Of,
    #[command(flatten)]
    config: ConfigArg,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Of {
    /// lockkeeper.yaml; the project's own rules are completed too
    Config,
    /// rule files
    Rule,
}

impl Schema {
    pub fn run(self, console: Console) -> Exit {
        let schema = match self.of {
            // An editor asks for it while the config is being written: what is wrong with that is said elsewhere.
            Of::Config => config::schema::config(&self.config.setup_as_it_is().rules),
            Of::Rule => rule::schema::rules(),
        };
        console.print(Exit::Clean, |out| {
            serde_json::to_writer_pretty(&mut *out, &schema).map_err(std::io::Error::from)?;
            writeln!(out)
        })
    }
}
