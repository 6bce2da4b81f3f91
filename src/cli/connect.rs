//! What all commands that talk to a server take, and how they come to it.

use super::Console;
use crate::config::Config;
use crate::db::target::{self, Target};
use crate::problem::Problem;
use clap::Args;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// Which database is meant.
#[derive(Debug, Args)]
pub(super) struct Connect {
    /// The environment of lockkeeper.yaml that is meant [default: production]
    #[arg(long, value_name = "NAME", env = "LOCKKEEPER_ENV")]
    env: Option<String>,
    /// The database; without it, that of LOCKKEEPER_DATABASE_URL, DATABASE_URL, the PG* variables, or the environment
    #[arg(long, value_name = "URL")]
    database_url: Option<Url>,
}

/// A URL that may hold a password, so that it is never printed.
#[derive(Clone)]
struct Url(String);

impl FromStr for Url {
    type Err = Infallible;

    fn from_str(written: &str) -> Result<Self, Infallible> {
        Ok(Self(written.to_owned()))
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Connect {
    /// The database that is meant; what the user had better know of it is said.
    pub fn target(&self, config: &Config, console: Console) -> Result<Target, Problem> {
        let environment = config.environment(self.env.as_deref())?;
        let target = Target::resolve(environment, self.database_url.as_ref().map(|url| url.0.as_str()), &target::variable)?;
        for warning in &target.warnings {
            console.note(warning);
        }
        Ok(target)
    }
}
