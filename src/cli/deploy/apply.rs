//! `lockkeeper apply`: runs the migrations that are due.

use super::journal::Journal;
use super::progress::Progress;
use super::{Place, Project, ended, new_run, version};
use crate::apply::pipeline::{Agenda, Pipeline, Wanted};
use crate::apply::session;
use crate::apply::step::Kind;
use crate::apply::verdict::Verdict;
use crate::cli::{Console, Exit};
use crate::config::time;
use crate::db::block_on;
use crate::db::target::Target;
use crate::problem::Problem;
use clap::Args;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

/// Runs what has not run yet, each statement exactly once: judged again, held against its approval, one statement at a time, with short lock
/// timeouts and as many tries as it takes. What breaks off, goes on where it stood.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lockkeeper apply --env staging                 everything that is due
  lockkeeper apply --to 20240116120000           up to this one, it included
  lockkeeper apply --dry-run > session.sql       the SQL that would be sent, and nothing else
  lockkeeper apply --yes --approve-hash 3f2a...  without a terminal: the hash is that of the dry run

Exit codes: 0 done, 1 refused (not approved, or not its time), 2 usage or config, 3 the server or its history is not ready,
6 failed and rolled back, 7 somebody has to look, 8 it has run and is not valid, 9 somebody else is in the way, nothing changed,
10 some of it has run and the rest can go on, 130 stopped.")]
pub(in crate::cli) struct Apply {
    #[command(flatten)]
    place: Place,
    /// Run up to this version, it included
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
    /// Print the SQL that would be sent, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Run migrations behind which others have run already
    #[arg(long)]
    out_of_order: bool,
    /// How long another runner is waited for: 30s, 10min
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "0s")]
    wait: Duration,
    #[command(flatten)]
    agreed: Agreed,
    /// Where what happens is written, a line of JSON for each event [default: .lockkeeper/journal.jsonl beside the config]
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
}

/// That whoever calls knows what will be run.
#[derive(Debug, Args)]
pub(in crate::cli) struct Agreed {
    /// Ask nothing; with --approve-hash
    #[arg(long, requires = "approve_hash")]
    yes: bool,
    /// The hash of what is to be run, as --dry-run prints it
    #[arg(long, value_name = "HASH", requires = "yes")]
    approve_hash: Option<String>,
}

impl Agreed {
    /// Whether this is what whoever calls has agreed to.
    pub fn to(&self, target: &Target, hash: &str, command: &str) -> Result<(), Problem> {
        match &self.approve_hash {
            Some(agreed) if agreed == hash => Ok(()),
            Some(agreed) => {
                let problem =
                    Problem::new("apply::hash", format!("what would be run has the hash {hash}, and --approve-hash says {agreed}"));
                Err(problem.help(format!("look at it once more: `lockkeeper {command} --dry-run`")))
            }
            None if target.environment.confirm => {
                let problem =
                    Problem::new("apply::confirm", format!("`{}` is not changed without being asked for", target.environment.name));
                Err(problem.help(format!("look at it with --dry-run, then: `lockkeeper {command} --yes --approve-hash {hash}`")))
            }
            None => Ok(()),
        }
    }
}

impl Apply {
    pub fn run(self, console: Console) -> Exit {
        let prepared = self.place.project(console).and_then(|project| {
            let target = self.place.target(&project, console)?;
            let version = version(&target, console)?;
            Ok((project, target, version))
        });
        let (project, target, server) = match prepared {
            Ok(prepared) => prepared,
            Err(exit) => return exit,
        };
        let settings = project.settings(server);
        let pipeline = Pipeline {
            history: &project.history,
            settings: &settings,
            environment: &target.environment,
            target: &target.options,
            approvals: &project.approvals,
            run: new_run("apply", &target.environment),
            patience: self.wait,
        };
        let wanted = Wanted { to: self.to.as_deref(), out_of_order: self.out_of_order };
        if self.dry_run {
            return self.rehearse(&pipeline, wanted, (&project, &target), console);
        }
        let mut journal = match Journal::open(self.journal.as_deref(), &project.config) {
            Ok(journal) => journal,
            Err(problem) => return console.failed(&problem),
        };
        let mut progress = Progress::new(console);
        let mut confirm = |_: &Agenda, hash: &str| self.agreed.to(&target, hash, "apply");
        let mut tell = |event: &_| {
            journal.write(event);
            progress.show(event);
        };
        let verdict = block_on(pipeline.apply(wanted, &mut confirm, &mut tell));
        match verdict {
            Ok(verdict) => {
                progress.end();
                said(&verdict, &target, console);
                ended(&verdict, console)
            }
            Err(problem) => console.failed(&problem),
        }
    }

    /// Prints what would be sent.
    fn rehearse(&self, pipeline: &Pipeline<'_>, wanted: Wanted<'_>, (project, target): (&Project, &Target), console: Console) -> Exit {
        let agenda = block_on(async {
            let mut connection = session::own(&target.options, "lockkeeper")
                .await
                .map_err(|refusal| Verdict::NotReady(vec![Problem::new("apply::server", refusal.to_string())]))?;
            let agenda = pipeline.agenda(&mut connection, wanted).await;
            connection.close().await;
            agenda
        });
        match agenda {
            Ok(Ok(agenda)) => {
                let hash = agenda.hash();
                let exit = console.print(Exit::Clean, |out| write_session(&agenda, project, out));
                console.note(&format!("nothing was changed; the hash of this is {hash}"));
                if let Some(why) = &agenda.stops {
                    console.note(&format!("what comes behind it has to wait: {why}"));
                }
                exit
            }
            Ok(Err(verdict)) => ended(&verdict, console),
            Err(problem) => console.failed(&problem),
        }
    }
}

/// What was done, in a line.
fn said(verdict: &Verdict, target: &Target, console: Console) {
    let Verdict::Done { migrations, stopped } = verdict else { return };
    match migrations.len() {
        0 => console.note(&format!("nothing to do: everything has run on {}", target.shown)),
        1 => console.note(&format!("1 migration has run on {}", target.shown)),
        count => console.note(&format!("{count} migrations have run on {}", target.shown)),
    }
    if let Some(why) = stopped {
        console.note(&format!("the rest has to wait: {why}"));
    }
}

/// The SQL of a run, as psql could send it too; what the ledger gets beside it is left out.
fn write_session(agenda: &Agenda, project: &Project, out: &mut dyn Write) -> io::Result<()> {
    for (name, value) in session::settings(&project.config.apply) {
        writeln!(
            out,
            "SELECT pg_catalog.set_config({}, {}, false);",
            crate::apply::ledger::text(&name),
            crate::apply::ledger::text(&value)
        )?;
    }
    if let Some(role) = &project.config.apply.role {
        writeln!(out, "SET ROLE {};", crate::apply::ledger::text(role))?;
    }
    for work in &agenda.works {
        writeln!(out, "\n-- {} {}: {}", work.draft.key, work.draft.name, work.assessed.class)?;
        for step in &work.steps {
            let in_transaction = step.kind == Kind::Transaction;
            writeln!(
                out,
                "-- step {} of {}, {}",
                step.number,
                work.steps.len(),
                if in_transaction { "in a transaction" } else { "alone" }
            )?;
            if in_transaction {
                writeln!(out, "BEGIN;")?;
            }
            for (_, sql) in work.texts(step) {
                writeln!(out, "{sql};")?;
            }
            if in_transaction {
                writeln!(out, "COMMIT;")?;
            }
        }
    }
    Ok(())
}
