//! `lockkeeper lint`: from paths to a report and an exit code.

use super::fix::{FixArgs, Output};
use super::format::FormatArgs;
use super::render::RenderArgs;
use super::scope::ScopeArgs;
use super::{Console, Exit};
use crate::config::baseline::{Baseline, Known};
use crate::config::setup::Setup;
use crate::config::{Config, FailOn, Level, major_version};
use crate::discover::{self, Discovered, Request, STDIN};
use crate::lint::finding::{Allowance, Report};
use crate::lint::planner::plans;
use crate::lint::{self, Settings};
use crate::model::effects::Version;
use crate::problem::{Problem, io_words};
use crate::report::checkout::Checkout;
use crate::report::{self, Format, Look, Run};
use crate::rule::set::RuleSet;
use crate::text::{SourceFile, read_pipe};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use indicatif::{ProgressBar, ProgressDrawTarget};
use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Judges each file on the schema that the files before it leave behind: a table that an earlier file makes exists, is large, and is in
/// use. A file named alone still has the earlier files of its directory replayed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lockkeeper lint                                          the directories of lockkeeper.yaml, else this one
  lockkeeper lint migrations/0042_buyer.sql                one file, with the files before it as history
  lockkeeper lint --schema dump.sql --no-history new.sql   one file on a schema that pg_dump -s has written
  git show HEAD:m/0042.sql | lockkeeper lint - --stdin-path m/0042.sql
  lockkeeper lint --stats stats.yaml                       what is small takes no time, what is large gets an estimate
  lockkeeper lint --since origin/main                      what a branch adds and changes, as one release
  lockkeeper lint --staged                                 what the next commit adds and changes, for hooks
  lockkeeper lint --release m/0041.sql m/0042.sql          two files that are deployed together
  lockkeeper lint --render                                 with the SQL that Alembic, Django ... print: docs/render.md
  lockkeeper lint --format json | jq .class
  lockkeeper lint --since origin/main --format html > report.html
  lockkeeper lint --since origin/main --format github --output sarif=lint.sarif --output markdown=comment.md
  lockkeeper lint --diff | git apply                       every fix that is offered; read it first
  lockkeeper lint --fail-on maintenance-window             only what needs a window fails the run

In SQL, an allowance stands above the statement, and says why:
  -- lockkeeper: allow drop-column because nothing has read it since release 41")]
pub(super) struct Lint {
    /// Files or directories; `-` is standard input [default: the directories of lockkeeper.yaml, else the current one]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    formats: FormatArgs,
    /// The server's major version, 12 to 19 [default: the config's, else 15]
    #[arg(long, value_name = "N", value_parser = major_version)]
    postgres: Option<Version>,
    /// From where on the run fails, with exit code 1 [default: the config's, else error]
    #[arg(long, value_name = "WHAT", value_parser = fail_on())]
    fail_on: Option<FailOn>,
    /// The config [default: the nearest lockkeeper.yaml above the first path]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The path that standard input stands for: its directory gives the history, and reports show it
    #[arg(long, value_name = "FILE")]
    stdin_path: Option<PathBuf>,
    #[command(flatten)]
    scope: ScopeArgs,
    /// Judge these files (or directories) as one release, deployed together; the others of their directories are history. Takes one or
    /// more, and may be repeated; nothing else is named then. Without --since or --release each file is a release of its own
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with_all = ["paths", "stdin_path"])]
    release: Vec<PathBuf>,
    /// Judge a file that is named alone without the earlier files of its directory
    #[arg(long)]
    no_history: bool,
    /// A schema dump (pg_dump --schema-only) that is older than all migrations
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// How large the tables are, as `lockkeeper stats` has written it [default: the config's, if it names one]
    #[arg(long, value_name = "FILE")]
    stats: Option<PathBuf>,
    #[command(flatten)]
    render: RenderArgs,
    #[command(flatten)]
    fixes: FixArgs,
}

fn fail_on() -> impl TypedValueParser<Value = FailOn> {
    PossibleValuesParser::new(FailOn::WORDS.iter().map(|(word, _)| PossibleValue::new(*word)))
        .try_map(|word| FailOn::WORDS.iter().find(|(known, _)| *known == word).map(|(_, what)| *what).ok_or("no such threshold"))
}

/// What stands for standard input among the paths.
const DASH: &str = "-";

impl Lint {
    pub fn run(self, console: Console) -> Exit {
        let start = self.start();
        let Setup { mut config, rules, mut problems, .. } = Setup::read(self.config.as_deref(), &start);
        problems.extend(config.read_stats(self.stats.as_deref()).err());
        problems.extend(config.read_baseline().err());
        let fail_on = self.fail_on.or(config.fail_on).unwrap_or(FailOn::Severity(crate::rule::Severity::Error));
        let server = self.postgres.or(config.postgres).unwrap_or(Version::DEFAULT);
        let (found, given) = match self.request(&config, !problems.is_empty()) {
            Ok((request, elsewhere)) => {
                let running = self.render.progress(&config);
                let mut found = discover::discover(&request, &config);
                running.finish_and_clear();
                found.skipped.elsewhere += elsewhere;
                (found, request.given.into_iter().next())
            }
            Err(problem) => (Discovered { problems: vec![problem], ..Discovered::default() }, None),
        };
        problems.extend(found.problems.iter().cloned());
        let skipped = found.skipped.clone();
        let progress = progress(&found);
        let format = self.formats.to_stdout();
        let suggest = self.formats.suggestions();
        let (how, is_readable) = (self.fixes.how(given.is_some()), problems.is_empty());
        let (found, settings) = (Discovered { problems, ..found }, Settings { rules: &rules, config: &config, server });
        // Where files are fixed, what is left has no plan: it is judged anew.
        let to_plan = (self.formats.shows_plans() && how.is_none()).then(|| found.clone());
        let (mut report, output) = match how {
            Some(how) if is_readable => self.fixes.carried_out(lint::fix::fixed(found, &settings, how), given.as_deref(), console),
            // What cannot be read may be what says that nothing is to be changed.
            Some(_) => self.fixes.left_alone(lint::run_for(found, &settings, suggest), given.as_deref()),
            None => (lint::run_for(found, &settings, suggest), Output::Report),
        };
        progress.finish_and_clear();
        report.problems.dedup_by(|a, b| a.message == b.message && a.path() == b.path() && a.labels == b.labels);

        if format == Format::Human && self.named().next().is_none() && !self.scope.is_told() {
            note_unused(console, &config, &rules, &skipped.patterns);
        }
        if !self.scope.is_told() && self.release.is_empty() && !self.no_history {
            note_stale(console, &config.baseline, &report, self.named().next().is_none());
        }
        let plans = to_plan.map(|found| plans(&found, &report, &settings, MOST_PLANS)).unwrap_or_default();
        let look = Look { colour: console.colour(), width: 110, diffs: self.fixes.shows_suggestions(), skipped };
        let run = Run { look, rules: &rules, fail_on, plans: &plans, checkout: Checkout::around_here() };
        report.problems.extend(self.formats.write_files(&report, &run));
        let exit = match () {
            () if !report.problems.is_empty() => Exit::Failed,
            () if report::fails(&report, fail_on) => Exit::Findings,
            () => Exit::Clean,
        };
        console.print(exit, |mut out| match output {
            Output::Report => report::write(&report, format, &run, &mut out),
            Output::Bytes(bytes) => out.write_all(&bytes),
        })
    }

    fn wants_stdin(&self) -> bool {
        self.paths.iter().any(|path| path.as_os_str() == DASH) || (self.paths.is_empty() && self.stdin_path.is_some())
    }

    /// The paths of the command line.
    fn named(&self) -> impl Iterator<Item = &PathBuf> {
        self.paths.iter().chain(&self.release)
    }

    /// Where the search for a config begins.
    fn start(&self) -> PathBuf {
        let first = self.named().find(|path| path.as_os_str() != DASH).or(self.stdin_path.as_ref());
        match first {
            Some(path) if path.is_dir() => path.clone(),
            Some(path) => path.parent().unwrap_or(Path::new("")).to_owned(),
            None => PathBuf::new(),
        }
    }

    /// What is to be judged, and how much of what was named is not. A config that cannot be read does not say where the migrations are, and
    /// then nothing else does.
    fn request(&self, config: &Config, broken_config: bool) -> Result<(Request, usize), Problem> {
        let one_release = !self.release.is_empty();
        let programs = self.render.programs();
        let mut request = Request { no_history: self.no_history, one_release, programs, ..Request::default() };
        let wants_stdin = self.wants_stdin();
        if wants_stdin && self.fixes.how(true).is_some() && self.paths.len() > 1 {
            let words = "standard input is fixed into standard output, and nothing else with it";
            return Err(Problem::new("lint::fix", words).help("name the files in a run of their own"));
        }
        if wants_stdin {
            let given = stdin(self.stdin_path.as_deref())?;
            request.paths.push(given.path().to_owned());
            request.given.push(given);
        }
        request.paths.extend(self.named().filter(|path| path.as_os_str() != DASH).cloned());
        if request.paths.is_empty() {
            match Request::of_project(config) {
                Some(Request { paths, all_programs, .. }) => (request.paths, request.all_programs) = (paths, all_programs),
                None if broken_config => {}
                None => request.paths.push(PathBuf::from(".")),
            }
        }
        if wants_stdin && self.scope.is_told() {
            return Err(Problem::new("lint::since", "standard input is no file of which git knows what has changed").help("name the file"));
        }
        let elsewhere = self.scope.narrow(&mut request, self.named().next().is_some(), config)?;
        if let Some(path) = &self.schema {
            let read = SourceFile::read(path).map_err(|error| Problem::new("lint::schema", io_words(&error)).about(path));
            request.schema = Some(read?);
        }
        Ok((request, elsewhere))
    }
}

fn stdin(path: Option<&Path>) -> Result<Arc<SourceFile>, Problem> {
    let path = path.unwrap_or(Path::new(STDIN));
    match read_pipe(io::stdin().lock()) {
        Ok(bytes) => Ok(SourceFile::new(path.strip_prefix(".").unwrap_or(path), bytes)),
        Err(error) => Err(Problem::new("lint::stdin", io_words(&error)).about(path)),
    }
}

/// Each plan replays the history of its file: whoever lints a whole tree does not want all of them.
const MOST_PLANS: usize = 20;

/// More files than this may take long enough to wonder.
const WORTH_PROGRESS: usize = 500;

fn progress(found: &Discovered) -> ProgressBar {
    let files: usize = found.histories.iter().map(|history| history.migrations.len()).sum();
    if files < WORTH_PROGRESS || !io::stderr().is_terminal() {
        return ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    }
    spinner(format!("judging {files} files"))
}

/// Says on a terminal what takes a while.
pub(super) fn spinner(words: String) -> ProgressBar {
    let bar = ProgressBar::new_spinner().with_message(words);
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// Entries of the baseline whose findings are gone: in the files that were judged, and, where all are, in files that are gone themselves.
fn note_stale(console: Console, baseline: &Baseline, report: &Report, all: bool) {
    let mut stale = Vec::new();
    // A file may hold several migrations.
    let mut covered: BTreeMap<&str, (&Known, Vec<&str>)> = BTreeMap::new();
    for migration in &report.migrations {
        let Some(known) = baseline.of(migration.source.path()) else { continue };
        let found = migration.findings.iter().filter(|finding| finding.allowed == Some(Allowance::Baseline));
        let (_, all) = covered.entry(&known.path).or_insert_with(|| (known, Vec::new()));
        all.extend(found.map(|finding| finding.fingerprint.as_str()));
    }
    for (known, covered) in covered.values() {
        let gone = known.findings.iter().filter(|entry| !covered.contains(&entry.fingerprint.as_str()));
        stale.extend(gone.map(|entry| format!("`{}` in {}", entry.rule, known.path)));
    }
    stale
        .extend(baseline.files.iter().filter(|known| all && !baseline.place(known).exists()).map(|known| format!("all of {}", known.path)));
    if let [first, others @ ..] = &stale[..] {
        let more = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
        let path = baseline.path.display();
        console.note(&format!("{path} has what is found no more: {first}{more}; `lockkeeper baseline findings --prune` takes it out"));
    }
}

/// What the config says for nothing.
fn note_unused(console: Console, config: &Config, rules: &RuleSet, used: &[usize]) {
    for (_, pattern) in config.exclude.written().iter().enumerate().filter(|(at, _)| !used.contains(at)) {
        console.note(&format!("nothing matches `{pattern}` under `exclude:`"));
    }
    let own = |name: &str| rules.find(name)?.rule().ok().filter(|rule| !rule.opt_in).map(|rule| rule.severity);
    for said in config.rules.iter().filter(|said| own(&said.rule).map(Level::At) == Some(said.level)) {
        console.note(&format!("`{}` weighs that much anyway: the line under `rules:` changes nothing", said.rule));
    }
}
