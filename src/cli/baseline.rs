//! `lockkeeper baseline findings`: what is found today and is not to be counted tomorrow. Beside it stands `lockkeeper baseline VERSION`, which
//! speaks to the ledger of `apply`.

#[cfg(feature = "apply")]
use super::deploy::amend;
use super::render::RenderArgs;
use super::{Console, Exit};
use crate::config::baseline::{Baseline as Known, Entry, Known as KnownFile};
use crate::config::setup::Setup;
use crate::config::{Config, major_version};
use crate::discover::{self, Request};
use crate::lint::finding::{Allowance, Assessed, Report};
use crate::lint::{self, Settings};
use crate::model::effects::Version;
use crate::problem::{Problem, io_words};
use crate::report::count;
use crate::rule::Class;
use crate::text::{SourceFile, shown};
use clap::{Args, Subcommand};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Of what.
#[derive(Debug, Args)]
#[cfg_attr(feature = "apply", command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, after_help = amend::BASELINE_HELP))]
pub(super) struct Baseline {
    #[command(subcommand)]
    what: Option<What>,
    #[cfg(feature = "apply")]
    #[command(flatten)]
    ledger: amend::HasRun,
}

#[derive(Debug, Subcommand)]
enum What {
    /// For `lint`: write today's findings into lockkeeper.baseline.yaml, so that only new ones count
    ///
    /// `lint` neither shows nor counts them from then on, and says how many they are. A file in it keeps its class, and `--fail-on three-phase`
    /// or `maintenance-window` does not fail on it as long as its SQL stays what it is.
    ///
    /// A finding is known again by its rule, its file and the tokens that it is about: what is written elsewhere in the file, comments and line
    /// breaks do not matter. A new finding of the same rule is none of them. Nothing here is about the database: what has run there is told by
    /// `lockkeeper baseline VERSION`.
    Findings(Findings),
}

/// What is written down.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lockkeeper baseline findings                 everything that lockkeeper.yaml names
  lockkeeper baseline findings migrations/old  this directory; what the file says of others stays
  lockkeeper baseline findings --prune         take out what is found no more, and add nothing")]
struct Findings {
    /// Files or directories [default: the directories of lockkeeper.yaml, else the current one]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Take out what is found no more, and add nothing
    #[arg(long)]
    prune: bool,
    /// The server's major version, 12 to 19 [default: the config's, else 15]
    #[arg(long, value_name = "N", value_parser = major_version)]
    postgres: Option<Version>,
    /// The config [default: the nearest lockkeeper.yaml above the first path]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A schema dump (pg_dump --schema-only) that is older than all migrations
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    #[command(flatten)]
    render: RenderArgs,
}

impl Baseline {
    pub fn run(self, console: Console) -> Exit {
        match self.what {
            Some(What::Findings(findings)) => findings.run(console),
            #[cfg(feature = "apply")]
            None => self.ledger.run(console),
            #[cfg(not(feature = "apply"))]
            None => console.failed(&Problem::new("baseline::what", "a baseline of what?").help(WHICH)),
        }
    }
}

#[cfg(not(feature = "apply"))]
const WHICH: &str = "`lockkeeper baseline findings` for `lint`";

impl Findings {
    fn run(self, console: Console) -> Exit {
        let start = self.paths.first().map_or(Path::new(""), |path| if path.is_dir() { path } else { path.parent().unwrap_or(path) });
        let Setup { mut config, rules, mut problems, .. } = Setup::read(self.config.as_deref(), start);
        problems.extend(config.read_stats(None).err());
        let old = config.read_baseline().map_or_else(
            |problem| {
                problems.push(problem);
                Known::default()
            },
            |()| std::mem::take(&mut config.baseline),
        );
        let schema = self
            .schema
            .as_deref()
            .map(|path| SourceFile::read(path).map_err(|error| Problem::new("lint::schema", io_words(&error)).about(path)));
        let schema = schema.transpose().unwrap_or_else(|problem| {
            problems.push(problem);
            None
        });
        let mut found = discover::discover(&Request { schema, programs: self.render.programs(), ..self.request(&config) }, &config);
        problems.append(&mut found.problems);
        let server = self.postgres.or(config.postgres).unwrap_or(Version::DEFAULT);
        let report = lint::run_every(found, &Settings { rules: &rules, config: &config, server });
        problems.extend(report.problems.iter().cloned());
        if !problems.is_empty() {
            // What could not be judged may hold findings that would be missing.
            return problems.iter().fold(Exit::Failed, |_, problem| console.failed(problem));
        }
        let (new, change) = renewed(&old, &report, (self.prune, self.paths.is_empty()));
        let is_news = new.files != old.files || !new.path.exists();
        if let Err(problem) = if is_news { new.write() } else { Ok(()) } {
            return console.failed(&problem);
        }
        let total: usize = new.files.iter().map(|known| known.findings.len()).sum();
        let (path, total) = (new.path.display(), count(total, "finding"));
        console.print(Exit::Clean, |out| writeln!(out, "{path}: {total} ({} added, {} taken out)", change.added, change.gone))
    }

    fn request(&self, config: &Config) -> Request {
        let named = (!self.paths.is_empty()).then(|| self.paths.clone());
        let project = || Request::of_project(config).unwrap_or_else(|| Request { paths: vec![PathBuf::from(".")], ..Request::default() });
        named.map_or_else(project, |paths| Request { paths, ..Request::default() })
    }
}

/// How many entries came and went.
#[derive(Default)]
struct Change {
    added: usize,
    gone: usize,
}

/// The baseline after a run. What it says of files that were not judged stays, unless everything was asked for.
fn renewed(old: &Known, report: &Report, (prune, everything): (bool, bool)) -> (Known, Change) {
    let mut files: BTreeMap<String, KnownFile> = BTreeMap::new();
    for migration in &report.migrations {
        let path = old.written(migration.source.path());
        let mut known = today(migration, path.clone());
        if prune {
            let Some(was) = old.of(migration.source.path()) else { continue };
            known.findings.retain(|entry| was.findings.iter().any(|old| old.fingerprint == entry.fingerprint));
            // Who only prunes agrees to no class.
            (known.class, known.hash) = (was.class.min(known.class), was.hash.clone());
        }
        if known.class > Class::Additive || !known.findings.is_empty() {
            // A file may hold several migrations.
            let all = files.entry(path).or_insert_with(|| KnownFile { findings: Vec::new(), ..known.clone() });
            all.class = all.class.max(known.class);
            all.findings.append(&mut known.findings);
            all.findings.sort();
            all.findings.dedup();
        }
    }
    let judged: Vec<_> = report.migrations.iter().map(|migration| old.written(migration.source.path())).collect();
    let stays = |known: &&KnownFile| !everything && !judged.contains(&known.path) && old.place(known).exists();
    for known in old.files.iter().filter(stays) {
        files.insert(known.path.clone(), known.clone());
    }
    let fingerprints = |files: &mut dyn Iterator<Item = &KnownFile>| -> Vec<(String, String)> {
        files.flat_map(|known| known.findings.iter().map(|entry| (known.path.clone(), entry.fingerprint.clone()))).collect()
    };
    let (before, after) = (fingerprints(&mut old.files.iter()), fingerprints(&mut files.values()));
    let missing = |from: &[(String, String)], of: &[(String, String)]| of.iter().filter(|entry| !from.contains(entry)).count();
    let change = Change { added: missing(&before, &after), gone: missing(&after, &before) };
    (old.with(files.into_values().collect()), change)
}

/// What there is to know of a file.
fn today(migration: &Assessed, path: String) -> KnownFile {
    let source = &migration.source;
    let entry = |finding: &lint::finding::Finding| {
        let about = finding
            .statement
            .and_then(|at| migration.statements.get(at))
            .map_or("", |statement| source.shown().get(statement.span.range()).unwrap_or_default());
        Entry { rule: finding.rule.clone(), about: beginning(&shown(about)), fingerprint: finding.fingerprint.clone() }
    };
    // What a comment allows, it goes on allowing.
    let open = migration.findings.iter().filter(|finding| !matches!(finding.allowed, Some(Allowance::Comment { .. })));
    let mut findings: Vec<_> = open.map(entry).collect();
    findings.sort();
    KnownFile { path, class: migration.class, hash: lint::hash(source), findings }
}

/// The first words, in one line.
fn beginning(text: &str) -> String {
    const MOST: usize = 60;
    let line = text.split_whitespace().take(MOST).collect::<Vec<_>>().join(" ");
    if line.chars().count() <= MOST { line } else { line.chars().take(MOST - 3).chain("...".chars()).collect() }
}
