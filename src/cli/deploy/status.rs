//! `lockkeeper status`, `history` and `validate`: what has run, how, and whether it still fits the files. None of them writes anything.

use super::{Place, Project, ended};
use crate::apply::due::{self, Item, Status};
use crate::apply::ledger::{self, Direction, RunEntry};
use crate::apply::verdict::Verdict;
use crate::apply::{draft, session};
use crate::cli::{Console, Exit};
use crate::db::block_on;
use crate::db::target::Target;
use crate::problem::Problem;
use clap::Args;
use std::collections::BTreeMap;
use std::io::{self, Write};

/// Says of each migration whether it has run, what is due, and who is at work. Writes nothing.
#[derive(Debug, Args)]
pub(in crate::cli) struct StatusCommand {
    #[command(flatten)]
    place: Place,
}

/// Lists the runs, the newest first, with what each did. Writes nothing.
#[derive(Debug, Args)]
pub(in crate::cli) struct HistoryCommand {
    #[command(flatten)]
    place: Place,
    /// How many
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
    count: usize,
}

/// Holds the files and the database against the ledger: what has changed or gone missing since it ran, what was begun and has not ended, and
/// what is left over. Writes nothing.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 all is well, 3 something is not, 2 the run itself failed.")]
pub(in crate::cli) struct Validate {
    #[command(flatten)]
    place: Place,
}

/// What the database says.
struct Seen {
    items: Vec<Item>,
    /// How many steps of those that were begun and have not ended have committed.
    committed: BTreeMap<String, usize>,
    runs: Vec<RunEntry>,
    holder: String,
}

fn see(place: &Place, console: Console) -> Result<(Seen, Target), Exit> {
    let project = place.project(console)?;
    let target = place.target(&project, console)?;
    match block_on(ask(&project, &target)) {
        Ok(Ok(seen)) => Ok((seen, target)),
        Ok(Err(verdict)) => Err(ended(&verdict, console)),
        Err(problem) => Err(console.failed(&problem)),
    }
}

async fn ask(project: &Project, target: &Target) -> Result<Seen, Verdict> {
    let not_ready = |refusal: &crate::db::Refusal| Verdict::NotReady(vec![ledger::problem(refusal)]);
    let drafts = draft::drafts(&project.history).map_err(|problem| Verdict::Refused(vec![problem]))?;
    let unreachable = |refusal: crate::db::Refusal| {
        Verdict::NotReady(vec![
            Problem::new("apply::server", refusal.to_string()).help("is the URL that of the right server, and does it run?"),
        ])
    };
    let mut connection = session::own(&target.options, "lockkeeper status").await.map_err(unreachable)?;
    let entries = ledger::entries(&mut connection).await.map_err(|refusal| not_ready(&refusal))?;
    let runs = ledger::runs(&mut connection).await.map_err(|refusal| not_ready(&refusal))?;
    let holder = session::holder(&mut connection).await.map_err(|refusal| not_ready(&refusal))?;
    let items = due::items(&drafts, &entries);
    let mut committed = BTreeMap::new();
    for item in &items {
        let direction = match item.status {
            Status::Partial => Direction::Up,
            Status::PartlyUndone => Direction::Down,
            _ => continue,
        };
        let steps = ledger::steps(&mut connection, &item.key, direction).await.map_err(|refusal| not_ready(&refusal))?;
        committed.insert(item.key.clone(), steps.iter().filter(|step| step.is_done()).count());
    }
    connection.close().await;
    Ok(Seen { items, committed, runs, holder })
}

impl StatusCommand {
    pub fn run(self, console: Console) -> Exit {
        match see(&self.place, console) {
            Ok((seen, target)) => console.print(Exit::Clean, |out| write_status(&seen, &target, out)),
            Err(exit) => exit,
        }
    }
}

fn write_status(seen: &Seen, target: &Target, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{} ({})", target.shown, target.environment.name)?;
    let width = seen.items.iter().map(|item| item.key.chars().count()).max().unwrap_or_default();
    for item in &seen.items {
        let steps = seen.committed.get(&item.key).map_or(String::new(), |steps| format!(", {steps} of its steps have committed"));
        writeln!(out, "  {:width$}  {}{steps}  {}", item.key, item.status.words(), item.name)?;
    }
    let due = seen.items.iter().filter(|item| item.status.is_due()).count();
    let head = seen.items.iter().rfind(|item| matches!(item.status, Status::Applied | Status::Reformatted | Status::Baselined));
    writeln!(out, "at {}; {due} of {} to run", head.map_or("the beginning", |item| item.key.as_str()), seen.items.len())?;
    if !seen.holder.is_empty() {
        writeln!(out, "a runner is at work: {}", seen.holder)?;
    }
    Ok(())
}

impl HistoryCommand {
    pub fn run(self, console: Console) -> Exit {
        match see(&self.place, console) {
            Ok((seen, _)) => console.print(Exit::Clean, |out| seen.runs.iter().take(self.count).try_for_each(|run| write_run(run, out))),
            Err(exit) => exit,
        }
    }
}

fn write_run(run: &RunEntry, out: &mut dyn Write) -> io::Result<()> {
    let seconds = run.seconds.map_or(String::new(), |seconds| format!(" in {seconds:.1} s"));
    writeln!(out, "run {} {} {} on {}: {} by {}{seconds}", run.id, run.began, run.command, run.environment, run.state, run.who)?;
    for step in &run.steps {
        writeln!(out, "  {step}")?;
    }
    run.error.iter().try_for_each(|error| writeln!(out, "  {error}"))
}

impl Validate {
    pub fn run(self, console: Console) -> Exit {
        let (seen, target) = match see(&self.place, console) {
            Ok(seen) => seen,
            Err(exit) => return exit,
        };
        let worth =
            |item: &&Item| item.status.is_wrong() || matches!(item.status, Status::Partial | Status::OutOfOrder | Status::Reformatted);
        let told: Vec<_> = seen.items.iter().filter(worth).collect();
        let wrong = told.iter().any(|item| item.status != Status::Reformatted);
        let exit = if wrong { Exit::Code(Verdict::NotReady(Vec::new()).code()) } else { Exit::Clean };
        console.print(exit, |out| {
            told.iter().try_for_each(|item| writeln!(out, "{}: {}", item.key, item.status.words()))?;
            let run = seen.items.iter().filter(|item| matches!(item.status, Status::Applied | Status::Reformatted)).count();
            match wrong {
                true => writeln!(out, "{} does not fit its files", target.shown),
                false => writeln!(out, "{} fits its files: {run} have run", target.shown),
            }
        })
    }
}
