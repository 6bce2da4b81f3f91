//! `lockkeeper show`: how a file is seen, for those who ask why a rule speaks or does not.

use super::render::RenderArgs;
use super::{Console, Exit};
use crate::config::major_version;
use crate::config::setup::Setup;
use crate::discover::{self, Request};
use crate::lint::{Settings, show};
use crate::model::effects::Version;
use crate::report;
use clap::Args;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
#[command(after_help = "Example:
  lockkeeper show migrations/0042_buyer.sql")]
pub(super) struct Show {
    /// A migration; the files before it are its history
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The server's major version, 12 to 19 [default: the config's, else 15]
    #[arg(long, value_name = "N", value_parser = major_version)]
    postgres: Option<Version>,
    /// The config [default: the nearest lockkeeper.yaml above the file]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    render: RenderArgs,
}

impl Show {
    pub fn run(self, console: Console) -> Exit {
        let start = self.file.parent().unwrap_or(Path::new(""));
        let Setup { mut config, rules, mut problems, .. } = Setup::read(self.config.as_deref(), start);
        problems.extend(config.read_stats(None).err());
        let server = self.postgres.or(config.postgres).unwrap_or(Version::DEFAULT);
        let found = discover::discover(
            &Request { paths: vec![self.file.clone()], programs: self.render.programs(), ..Request::default() },
            &config,
        );
        let (report, seen) = show::show(found, &Settings { rules: &rules, config: &config, server });
        let exit = problems.iter().chain(&report.problems).fold(Exit::Clean, |_, problem| console.failed(problem));
        console.print(exit, |mut out| report::show::write(&report, &seen, console.colour(), &mut out))
    }
}
