//! `lockkeeper backfill`: changes of many rows in batches, outside of the migrations' order, and a word to those that run.

use super::agreed::Agreed;
use super::journal::Journal;
use super::progress::Progress;
use super::{Project, Ready, dry, ended, read_project, version};
use crate::apply::backfill::file::JobFile;
use crate::apply::ledger;
use crate::apply::ledger::job::{self, Standing};
use crate::apply::pipeline::Agenda;
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
    #[arg(long, value_name = "KEY", group = "word", conflicts_with = "file")]
    pause: Option<String>,
    /// Let it go on
    #[arg(long, value_name = "KEY", group = "word", conflicts_with = "file")]
    resume: Option<String>,
    /// End it after its batch; what has committed stays
    #[arg(long, value_name = "KEY", group = "word", conflicts_with = "file")]
    cancel: Option<String>,
    /// Say how far each has come
    #[arg(long, group = "word", conflicts_with = "file")]
    list: bool,
    /// Print the SQL that would be sent, and change nothing
    #[arg(long, requires = "file")]
    dry_run: bool,
    /// How long another runner is waited for: 30s, 10min
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "0s")]
    wait: Duration,
    #[command(flatten)]
    connect: Connect,
    #[command(flatten)]
    agreed: Agreed,
    /// The config [default: the nearest lockkeeper.yaml above this directory]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where what happens is written, a line of JSON for each event [default: .lockkeeper/journal.jsonl beside the config]
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
}

impl BackfillCommand {
    pub fn run(self, console: Console) -> Exit {
        let project = match read_project(self.config.as_deref(), None, None, console) {
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
        let settings = ready.project.settings(ready.server);
        let pipeline = ready.pipeline(&settings, "backfill", self.wait);
        let wish = Wish::Backfill(job);
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
                    let what = if migrations.is_empty() { "nothing to do: it has run" } else { "it has run" };
                    console.note(&format!("{what} on {}", ready.target.shown));
                }
                ended(&verdict, console)
            }
            Err(problem) => console.failed(&problem),
        }
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

async fn list(connection: &mut Connection) -> Result<Vec<String>, Refusal> {
    let lines = job::list(connection).await?;
    Ok(if lines.is_empty() { vec!["no backfill has begun here".to_owned()] } else { lines })
}
