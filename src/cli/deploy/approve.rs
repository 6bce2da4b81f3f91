//! `lockkeeper approve`: writes down that somebody agrees to a migration as it is.

use super::{Project, read_project};
use crate::apply::approval::{self, Approval, is_day, open_findings};
use crate::apply::backfill::file::JobFile;
use crate::apply::draft;
use crate::cli::{Console, Exit};
use crate::config::setup::Setup;
use crate::config::{FILE_NAME, major_version, non_empty};
use crate::model::effects::Version;
use crate::problem::Problem;
use clap::Args;
use std::path::{Path, PathBuf};

/// Writes a line into lockkeeper.approvals.yaml, which belongs into version control: the hash of the migration's SQL and of what undoes it, its
/// class, and everything that the linter says of it. Whoever changes a byte of the SQL has to ask again; comments and line ends do not count.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lockkeeper approve migrations/0042_drop_drafts.sql --by anna --reason 'nothing has read it since release 41'
  lockkeeper approve migrations/0043.sql --by anna --reason 'window on Sunday' --expires 2026-12-31 --env production")]
pub(in crate::cli) struct Approve {
    /// The migrations
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Who agrees
    #[arg(long, value_name = "WHO")]
    by: String,
    /// Why it may run as it is
    #[arg(long, value_name = "WHY")]
    reason: String,
    /// The last day on which it holds: 2026-12-31
    #[arg(long, value_name = "DAY")]
    expires: Option<String>,
    /// Only for this environment of lockkeeper.yaml
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    /// The server's major version, 12 to 19 [default: the config's, else 15]
    #[arg(long, value_name = "N", value_parser = major_version)]
    postgres: Option<Version>,
    /// The config [default: the nearest lockkeeper.yaml above the first file]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Approve {
    pub fn run(self, console: Console) -> Exit {
        if let Some(day) = self.expires.as_ref().filter(|day| !is_day(day)) {
            return console.failed(&Problem::new("approve::day", format!("`{day}` is no day")).help("write it as 2026-12-31"));
        }
        if self.by.trim().is_empty() || self.reason.trim().is_empty() {
            return console.failed(&Problem::new("approve::nobody", "an approval says who agrees, and why").help("--by NAME --reason WHY"));
        }
        let (config, directory) = self.place();
        let project = match read_project([config.as_deref(), directory.as_deref(), None], &[], console) {
            Ok(project) => project,
            Err(exit) => return exit,
        };
        if let Some(Err(problem)) = self.env.as_deref().map(|name| project.config.environment(Some(name))) {
            return console.failed(&problem);
        }
        match self.approvals(&project) {
            Ok(approvals) => {
                let said: Vec<_> = approvals.iter().map(line).collect();
                match approval::add(&project.approvals_path, approvals) {
                    Ok(()) => console.print(Exit::Clean, |out| said.iter().try_for_each(|line| writeln!(out, "{line}"))),
                    Err(problem) => console.failed(&problem),
                }
            }
            Err(problems) => problems.iter().fold(Exit::Failed, |_, problem| console.failed(problem)),
        }
    }

    /// The config, and the directory of the migrations: that of the first file, unless it lies beside those that the config names.
    fn place(&self) -> (Option<PathBuf>, Option<PathBuf>) {
        let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let directory = non_empty(self.files[0].parent().unwrap_or(Path::new(""))).to_owned();
        let Setup { config, .. } = Setup::read(self.config.as_deref(), &directory);
        let paths = config.migration_paths();
        let is_beside = !paths.is_empty() && !paths.iter().any(|path| whole(&self.files[0]).starts_with(whole(path)));
        let own = || Some(config.directory.join(FILE_NAME));
        if is_beside { (self.config.clone().or_else(own), None) } else { (self.config.clone(), Some(directory)) }
    }

    fn approvals(&self, project: &Project) -> Result<Vec<Approval>, Vec<Problem>> {
        let server = self.postgres.or(project.config.postgres).unwrap_or(Version::DEFAULT);
        let drafts = draft::drafts(&project.history).map_err(|problem| vec![problem])?;
        let settings = project.settings(server);
        let (mut keys, mut jobs) = (Vec::new(), Vec::new());
        for file in &self.files {
            let same = |path: &std::path::Path| {
                path == file || path.canonicalize().ok().is_some_and(|path| file.canonicalize().ok() == Some(path))
            };
            match drafts.iter().find(|draft| same(draft.source.path())) {
                Some(draft) => keys.push(draft.key.clone()),
                None if is_backfill(file, project) => {
                    let job = JobFile::read(file, &project.config.directory).map_err(|problem| vec![problem])?;
                    jobs.push(job.work(&project.history, &settings)?);
                }
                None => {
                    let problem = Problem::new("approve::no-migration", "this is none of the migrations")
                        .help("name a migration's own file, not the one that undoes it");
                    return Err(vec![problem.about(file)]);
                }
            }
        }
        let works = draft::works(&project.history, &drafts, &keys, &settings)?;
        Ok(works
            .iter()
            .chain(&jobs)
            .map(|work| Approval {
                migration: work.draft.key.clone(),
                hash: work.draft.approved_hash(),
                class: work.assessed.class,
                findings: open_findings(work),
                by: self.by.clone(),
                reason: self.reason.clone(),
                expires: self.expires.clone(),
                environment: self.env.clone(),
            })
            .collect())
    }
}

/// Whether a file that is no migration says that it is run in batches, as `lockkeeper backfill` runs it.
fn is_backfill(file: &Path, project: &Project) -> bool {
    JobFile::read(file, &project.config.directory).is_ok()
}

fn line(approval: &Approval) -> String {
    let findings = if approval.findings.is_empty() { String::new() } else { format!(", with {}", approval.findings.join(", ")) };
    format!("approved {} as {}{findings}", approval.migration, approval.class)
}
