//! The commands that change a database, or tell what has been done to it.

mod agreed;
pub(super) mod amend;
pub(super) mod apply;
pub(super) mod approve;
pub(super) mod backfill;
mod dry;
mod journal;
pub(super) mod preflight;
mod progress;
pub(super) mod rollback;
mod run;
pub(super) mod status;

use super::connect::Connect;
use super::{Console, Exit};
use crate::apply::approval::{self, Approval};
use crate::apply::ledger::write::NewRun;
use crate::apply::pipeline::Pipeline;
use crate::apply::verdict::Verdict;
use crate::config::Config;
use crate::config::environments::Environment;
use crate::config::setup::Setup;
use crate::db::block_on;
use crate::db::target::Target;
use crate::discover::{self, History, Request};
use crate::lint::Settings;
use crate::model::effects::Version;
use crate::problem::{Problem, io_words};
use crate::rule::set::RuleSet;
use crate::text::SourceFile;
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Which migrations, and which database.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// The directory of the migrations [default: that of lockkeeper.yaml, else this one]
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
    #[command(flatten)]
    connect: Connect,
    /// The config [default: the nearest lockkeeper.yaml above the directory]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A schema dump (pg_dump --schema-only) that is older than all migrations
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
}

/// Everything about a project that a command needs.
pub(super) struct Project {
    config: Config,
    rules: RuleSet,
    history: History,
    approvals: Vec<Approval>,
    approvals_path: PathBuf,
}

impl Place {
    /// Reads the project. The first problem has been said if there is one.
    fn project(&self, console: Console) -> Result<Project, Exit> {
        let paths = [self.config.as_deref(), self.directory.as_deref(), self.schema.as_deref()];
        read_project(paths, &[], console)
    }

    fn target(&self, project: &Project, console: Console) -> Result<Target, Exit> {
        self.connect.target(&project.config, console).map_err(|problem| console.failed(&problem))
    }
}

/// Reads config, rules, migrations and approvals.
///
/// Another tool's command may run what no SQL files tell of; whether it may, is asked later.
fn read_project([config, directory, schema]: [Option<&Path>; 3], command: &[String], console: Console) -> Result<Project, Exit> {
    let Setup { mut config, rules, mut problems, .. } = Setup::read(config, directory.unwrap_or(Path::new("")));
    problems.extend(config.read_stats(None).err());
    let schema = schema.map(|path| SourceFile::read(path).map_err(|error| Problem::new("apply::schema", io_words(&error)).about(path)));
    let schema = schema.transpose().map_err(|problem| console.failed(&problem))?;
    let paths = match directory {
        Some(directory) => vec![directory.to_owned()],
        None if config.migrations.is_empty() => vec![PathBuf::from(".")],
        None => config.migration_paths(),
    };
    let mut found = discover::discover(&Request { paths, schema, ..Request::default() }, &config);
    if !command.is_empty() || !config.apply.with.is_empty() {
        found.problems.retain(|problem| problem.code != "discover::no-sql");
    }
    problems.append(&mut found.problems);
    let approvals_path = config.directory.join(approval::FILE_NAME);
    let approvals = approval::read(&approvals_path).unwrap_or_else(|problem| {
        problems.push(problem);
        Vec::new()
    });
    if !problems.is_empty() {
        return Err(problems.iter().fold(Exit::Failed, |_, problem| console.failed(problem)));
    }
    let count = found.histories.len();
    match found.histories.pop() {
        Some(history) if count == 1 => Ok(Project { config, rules, history, approvals, approvals_path }),
        Some(_) => {
            let problem =
                Problem::new("apply::several", format!("there are migrations in {count} directories, and one database has one history"));
            Err(console.failed(&problem.help("name one of the directories")))
        }
        None if !command.is_empty() || !config.apply.with.is_empty() => {
            let history = discover::in_memory(None, &[], &config);
            Ok(Project { config, rules, history, approvals, approvals_path })
        }
        None => {
            Err(console.failed(&Problem::new("apply::none", "there are no migrations").help("name their directory, or `lockkeeper init`")))
        }
    }
}

impl Project {
    fn settings(&self, server: Version) -> Settings<'_> {
        Settings { rules: &self.rules, config: &self.config, server }
    }
}

/// A project, and the server that it is run on.
struct Ready {
    project: Project,
    target: Target,
    server: Version,
}

impl Place {
    /// Reads the project and knocks at the server. What is wrong has been said.
    fn ready(&self, console: Console) -> Result<Ready, Exit> {
        self.ready_for(&[], console)
    }

    /// The same for another tool's command.
    fn ready_for(&self, command: &[String], console: Console) -> Result<Ready, Exit> {
        let paths = [self.config.as_deref(), self.directory.as_deref(), self.schema.as_deref()];
        let project = read_project(paths, command, console)?;
        let target = self.target(&project, console)?;
        let server = version(&target, console)?;
        Ok(Ready { project, target, server })
    }
}

impl Ready {
    fn pipeline<'a>(&'a self, settings: &'a Settings<'a>, command: &'static str, patience: Duration) -> Pipeline<'a> {
        Pipeline {
            history: &self.project.history,
            settings,
            environment: &self.target.environment,
            target: &self.target.options,
            approvals: &self.project.approvals,
            run: new_run(command, &self.target.environment),
            patience,
        }
    }
}

/// Who calls.
fn new_run(command: &'static str, environment: &Environment) -> NewRun {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let host = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok()).unwrap_or_default();
    let git = Command::new("git").args(["rev-parse", "HEAD"]).output().ok().filter(|output| output.status.success());
    NewRun {
        command,
        environment: environment.name.clone(),
        who: variable("LOCKKEEPER_BY").or_else(|| variable("USER")).or_else(|| variable("LOGNAME")).unwrap_or_else(|| "unknown".to_owned()),
        host,
        git: git.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()),
    }
}

/// The version of the server that is meant; the session is closed again.
fn version(target: &Target, console: Console) -> Result<Version, Exit> {
    let version = block_on(async {
        let connection = target.connect("lockkeeper").await?;
        let version = connection.version();
        connection.close().await;
        Ok::<_, Problem>(version)
    });
    match version {
        Ok(Ok(version)) => Ok(Version(version.clamp(Version::OLDEST.0, Version::NEWEST.0))),
        Ok(Err(problem)) | Err(problem) => {
            console.failed(&problem);
            Err(Exit::Code(Verdict::NotReady(Vec::new()).code()))
        }
    }
}

/// Says how a run ended.
fn ended(verdict: &Verdict, console: Console) -> Exit {
    for problem in verdict.problems() {
        console.failed(problem);
    }
    match verdict.code() {
        0 => Exit::Clean,
        code => Exit::Code(code),
    }
}
