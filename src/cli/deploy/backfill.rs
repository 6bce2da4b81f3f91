//! `lockkeeper backfill`: changes of many rows in batches, outside of the migrations' order, and a word to those that run.

use super::run::{Errand, Run};
use super::{Project, Ready, read_project, version};
use crate::apply::backfill::file::JobFile;
use crate::apply::ledger;
use crate::apply::ledger::job::{self, Standing};
use crate::apply::session;
use crate::apply::verdict::Verdict;
use crate::apply::wish::Wish;
use crate::cli::connect::Connect;
use crate::cli::{Console, Exit};
use crate::config::time;
use crate::db::target::Target;
use crate::db::{Connection, Refusal, block_on};
use crate::problem::Problem;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// Runs one UPDATE or DELETE in batches that each commit together with the place up to which the table has been gone through: whatever
/// happens, every row is changed exactly once, and the next call goes on from there. Batches are as large as 200 ms allow, and wait for
/// standbys that are behind.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lockkeeper backfill fill_state.sql             a file that begins with `-- lockkeeper: backfill key=id batch=5000`
  lockkeeper backfill --list                     how far each has come
  lockkeeper backfill --pause 20240116120000     a migration's version, or the path of a file
  lockkeeper backfill --resume fill_state.sql

Exit codes are those of `lockkeeper apply`.")]
pub(in crate::cli) struct BackfillCommand {
    /// The file
    #[arg(value_name = "FILE", required_unless_present_any = ["pause", "resume", "cancel", "list"])]
    file: Option<PathBuf>,
    /// The columns of the key, as SQL writes them [default: those of the file, else the table's own key]
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', requires = "file")]
    key: Vec<String>,
    /// How many rows the first batch has
    #[arg(long, value_name = "ROWS", requires = "file", value_parser = clap::value_parser!(u32).range(1..))]
    batch: Option<u32>,
    /// Let a backfill wait after its batch: a migration's version, or a file's path
    #[arg(long, value_name = "KEY", group = "word", conflicts_with_all = ["file", "dry_run"])]
    pause: Option<String>,
    /// Let it go on
    #[arg(long, value_name = "KEY", group = "word", conflicts_with_all = ["file", "dry_run"])]
    resume: Option<String>,
    /// End it after its batch; what has committed stays
    #[arg(long, value_name = "KEY", group = "word", conflicts_with_all = ["file", "dry_run"])]
    cancel: Option<String>,
    /// Say how far each has come
    #[arg(long, group = "word", conflicts_with_all = ["file", "dry_run"])]
    list: bool,
    /// How long another runner is waited for: 30s, 10min
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "0s")]
    wait: Duration,
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    run: Run,
    /// The config [default: the nearest lockkeeper.yaml above this directory]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl BackfillCommand {
    pub fn run(self, console: Console) -> Exit {
        let project = match read_project([self.config.as_deref(), None, None], &[], console) {
            Ok(project) => project,
            Err(exit) => return exit,
        };
        let target = match self.connect.target(&project.config, console) {
            Ok(target) => target,
            Err(problem) => return console.failed(&problem),
        };
        match &self.file {
            Some(file) => match JobFile::read(file, &project.config.directory) {
                Ok(job) => self.run_job(&job.with(&self.key, self.batch), project, target, console),
                Err(problem) => console.failed(&problem),
            },
            None => self.say(&target, console),
        }
    }

    fn run_job(&self, job: &JobFile, project: Project, target: Target, console: Console) -> Exit {
        let server = match version(&target, console) {
            Ok(server) => server,
            Err(exit) => return exit,
        };
        let ready = Ready { project, target, server };
        let wish = Wish::Backfill(job);
        self.run.carry_out(&ready, Errand { command: "backfill", wish, patience: self.wait, said }, console)
    }

    /// Says a word to backfills, or lists them.
    fn say(&self, target: &Target, console: Console) -> Exit {
        let word = [(&self.pause, Standing::Paused), (&self.resume, Standing::Running), (&self.cancel, Standing::Cancelled)];
        let word = word.into_iter().find_map(|(key, standing)| Some((key.as_deref()?, standing)));
        let said = block_on(async {
            let mut connection = session::own(&target.options, "lockkeeper").await?;
            let said = match word {
                Some((key, standing)) => job::tell(&mut connection, key, standing).await,
                None => list(&mut connection).await,
            };
            connection.close().await;
            said
        });
        let lines: Result<Vec<String>, Refusal> = match said {
            Ok(lines) => lines,
            Err(problem) => return console.failed(&problem),
        };
        match (lines, word) {
            (Err(refusal), _) => {
                console.failed(&ledger::problem(&refusal));
                Exit::Code(Verdict::NotReady(Vec::new()).code())
            }
            (Ok(keys), Some((key, _))) if keys.is_empty() => console.failed(
                &Problem::new("backfill::key", format!("`{key}` is no backfill that is under way here"))
                    .help("`lockkeeper backfill --list` names them"),
            ),
            (Ok(keys), Some((_, standing))) => {
                console.print(Exit::Clean, |out| keys.iter().try_for_each(|key| writeln!(out, "{key}: {}", standing.word())))
            }
            (Ok(lines), None) => console.print(Exit::Clean, |out| lines.iter().try_for_each(|line| writeln!(out, "{line}"))),
        }
    }
}

fn said(run: &[String]) -> String {
    if run.is_empty() { "nothing to do: it has run".to_owned() } else { "it has run".to_owned() }
}

async fn list(connection: &mut Connection) -> Result<Vec<String>, Refusal> {
    let lines = job::list(connection).await?;
    Ok(if lines.is_empty() { vec!["no backfill has begun here".to_owned()] } else { lines })
}
