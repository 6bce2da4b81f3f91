//! `lockkeeper plan`: the phases to run instead of a migration.

use super::fix::beside;
use super::render::RenderArgs;
use super::{Console, Exit};
use crate::config::setup::Setup;
use crate::config::{major_version, non_empty};
use crate::discover::{self, Request};
use crate::lint::Settings;
use crate::lint::planner::{FilePlan, Piece, plan_file};
use crate::model::effects::Version;
use crate::problem::{Problem, io_words};
use crate::report;
use crate::text::SourceFile;
use clap::{Args, ValueEnum};
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Every statement that breaks running code or stops traffic becomes phases that do neither: each phase is a file in the project's own naming,
/// with what has to be deployed before it, how long to wait, a query that has to be true, and the way back. The other statements stay as they
/// are. What has no online way says so.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lockkeeper plan migrations/0042_rename_email.sql                      the timeline, with the SQL of each phase
  lockkeeper plan migrations/0042_rename_email.sql --write migrations   write the files; then delete 0042_rename_email.sql
  lockkeeper plan --schema dump.sql new.sql                             on a schema that pg_dump -s has written
  lockkeeper plan --format html m/0042_rename_email.sql > plan.html     to be read in a browser, or printed

Exit codes: 0 there is a plan for everything, 1 something has no online way, 2 the run itself failed.")]
pub(super) struct Plan {
    /// A migration; the files before it are its history
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Write the files of the plan into this directory; none that exists is overwritten
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
    /// How the plan is written to standard output
    #[arg(long, value_enum, default_value_t = FormatArg::Human, value_name = "FORMAT")]
    format: FormatArg,
    /// The server's major version, 12 to 19 [default: the config's, else 15]
    #[arg(long, value_name = "N", value_parser = major_version)]
    postgres: Option<Version>,
    /// The config [default: the nearest lockkeeper.yaml above the file]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A schema dump (pg_dump --schema-only) that is older than all migrations
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// How large the tables are, as `lockkeeper stats` has written it [default: the config's, if it names one]
    #[arg(long, value_name = "FILE")]
    stats: Option<PathBuf>,
    #[command(flatten)]
    render: RenderArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FormatArg {
    /// a timeline for people
    Human,
    /// for programs; docs/plan.schema.json describes it
    Json,
    /// one page for a browser, which needs nothing else
    Html,
}

impl Plan {
    pub fn run(self, console: Console) -> Exit {
        let start = self.file.parent().unwrap_or(Path::new(""));
        let Setup { mut config, rules, mut problems, .. } = Setup::read(self.config.as_deref(), start);
        problems.extend(config.read_stats(self.stats.as_deref()).err());
        let server = self.postgres.or(config.postgres).unwrap_or(Version::DEFAULT);
        let schema = match self.schema.as_ref().map(|path| SourceFile::read(path).map_err(|error| (path, error))).transpose() {
            Ok(schema) => schema,
            Err((path, error)) => return console.failed(&Problem::new("plan::schema", io_words(&error)).about(path)),
        };
        if !self.file.is_file() {
            let problem = Problem::new("plan::no-file", "a plan is made for one file, and this is none").help("name one migration");
            return console.failed(&problem.about(&self.file));
        }
        let found = discover::discover(
            &Request { paths: vec![self.file.clone()], schema, programs: self.render.programs(), ..Request::default() },
            &config,
        );
        let plan = plan_file(found, &Settings { rules: &rules, config: &config, server });
        problems.extend(plan.naive.problems.iter().cloned());
        if !problems.is_empty() {
            return problems.iter().fold(Exit::Failed, |_, problem| console.failed(problem));
        }
        if let Some(directory) = &self.write {
            if let Err(problem) = write_files(&plan, directory, &self.file) {
                return console.failed(&problem);
            }
            let file = self.file.display();
            console.note(&match plan.files.len() {
                0 => format!("nothing is written: `{file}` runs as it is"),
                files => format!("{files} files written to `{}`; they stand for `{file}`, which goes", directory.display()),
            });
        }
        let refused = plan.pieces.iter().any(|piece| matches!(piece, Piece::Refused { .. }));
        let exit = if refused { Exit::Findings } else { Exit::Clean };
        console.print(exit, |mut out| match self.format {
            FormatArg::Human => report::plan::write(&plan, console.colour(), &mut out),
            FormatArg::Json => report::plan_json::write(&plan, &mut out),
            FormatArg::Html => report::write_plan_page(&plan, &mut out),
        })
    }
}

/// Writes all files, or none: one that exists is never overwritten.
fn write_files(plan: &FilePlan, directory: &Path, naive: &Path) -> Result<(), Problem> {
    if let Some(none) = &plan.no_room {
        return Err(Problem::from(none.clone()).about(naive));
    }
    let home = plan.directory.as_path();
    let target = |path: &Path| directory.join(path.strip_prefix(home).unwrap_or(path));
    let cannot = |path: &Path, error: &std::io::Error| {
        let words = match error.kind() {
            ErrorKind::PermissionDenied => "no permission to write it".to_owned(),
            ErrorKind::AlreadyExists | ErrorKind::NotADirectory => "this is a file, and no directory".to_owned(),
            _ => io_words(error),
        };
        Problem::new("plan::write", words).about(path)
    };
    let exists = |path: &Path| {
        let help = "nothing was written; take the old one away, or write to another directory";
        Problem::new("plan::exists", "there is a file of this name already").help(help).about(path)
    };
    if let Some(taken) = plan.files.iter().map(|(path, _)| target(path)).find(|path| path.exists()) {
        return Err(exists(&taken));
    }
    let mut made = Made::default();
    let mut texts = Vec::new();
    for (path, text) in &plan.files {
        let path = target(path);
        let directory = non_empty(path.parent().unwrap_or(Path::new("")));
        made.directory(&directory).map_err(|error| cannot(&directory, &error))?;
        let written = beside(&directory).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            Ok(file)
        });
        texts.push((written.map_err(|error| cannot(&path, &error))?, path));
    }
    // All texts are on the disk: what is left to do is to give them their names.
    for (text, path) in texts {
        text.persist_noclobber(&path).map_err(|error| match error.error.kind() {
            ErrorKind::AlreadyExists => exists(&path),
            _ => cannot(&path, &error.error),
        })?;
        made.0.push(path);
    }
    made.keep();
    Ok(())
}

/// Files and directories that were made, in order: they go again unless all of them are kept.
#[derive(Default)]
struct Made(Vec<PathBuf>);

impl Made {
    fn directory(&mut self, directory: &Path) -> std::io::Result<()> {
        let missing: Vec<_> = directory.ancestors().take_while(|above| !non_empty(above).exists()).collect();
        for above in missing.into_iter().rev() {
            fs::create_dir(above)?;
            self.0.push(above.to_owned());
        }
        // It is one already, or a file.
        fs::create_dir_all(directory)
    }

    fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for path in self.0.iter().rev() {
            // What somebody else has put into a directory meanwhile keeps it.
            let _ = if path.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) };
        }
    }
}
