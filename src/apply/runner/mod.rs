//! Runner mode: another tool's command runs the migrations, and everything around it is ours.
//!
//! What is due is read from the tool's own table, before and behind the command. What the command does in between is watched as a statement of
//! ours would be, and what it has done is told by that table and by the catalog, never by its exit code alone.

mod child;

use super::agenda::Agenda;
use super::draft::{Draft, Work};
use super::event::{Event, Tell};
use super::execute::{Executor, Trouble};
use super::foreign::{self, Table};
use super::ledger::write::{self, migration_sql};
use super::ledger::{self, Entry, State};
use super::verdict::Verdict;
use super::wish::Wanted;
use crate::config::environments::without_passwords;
use crate::db::{Connection, Refusal};
use crate::plan::header;
use crate::problem::Problem;
use crate::sql;
use child::Ended;
use std::time::Duration;
use tokio::time::Instant;

/// Somebody else's command, and what is known of what it runs.
#[derive(Clone, Copy, Debug)]
pub struct With<'a> {
    /// Which migrations it is to run.
    pub wanted: Wanted<'a>,
    /// The program and its arguments.
    pub command: &'a [String],
    /// Why it may run though there are no files that tell what it does.
    pub unjudged: Option<&'a str>,
    /// Whether it gets the URL of the database in DATABASE_URL.
    pub url: bool,
}

impl With<'_> {
    /// The command as a line.
    pub fn line(&self) -> String {
        without_passwords(&self.command.join(" ")).into_owned()
    }
}

/// What the tool's table says.
#[derive(Clone, Debug, Default)]
struct Past {
    table: Option<Table>,
    /// The keys of the files that have run.
    ran: Vec<String>,
    /// What it says, if no files tell what that means.
    versions: Vec<String>,
}

impl Past {
    /// Reads the table, if the tool has made one already.
    async fn read(connection: &mut Connection, drafts: &[Draft], with: &With<'_>) -> Result<Self, Verdict> {
        let unreadable = |refusal: Refusal| Verdict::NotReady(vec![ledger::problem(&refusal)]);
        let table = match foreign::find_any(connection).await.map_err(unreadable)? {
            None => return Ok(Self::default()),
            Some(found) => found.map_err(|problem| Verdict::NotReady(vec![problem]))?,
        };
        let rows = table.rows(connection).await.map_err(unreadable)?;
        let versions = rows.iter().map(|row| row.version.clone().unwrap_or_else(|| row.script.clone())).collect();
        let ran = match with.unjudged {
            Some(_) => foreign::ended(&table, &rows).map(|()| Vec::new()),
            None => foreign::fit(&table, &rows, drafts),
        };
        let ran = ran.map_err(|problems| Verdict::NotReady(problems.into_iter().map(in_its_words).collect()))?;
        Ok(Self { ran: ran.into_iter().map(|draft| draft.key.clone()).collect(), table: Some(table), versions })
    }

    fn name(&self) -> String {
        self.table.as_ref().map_or_else(|| "no table of a tool that is known".to_owned(), |table| table.name.clone())
    }
}

/// The same problem where nobody adopts anything.
fn in_its_words(problem: Problem) -> Problem {
    let help = problem.help.clone().unwrap_or_default().replace("; then adopt", "; then run it again");
    problem.help(help)
}

/// What has run by the tool's table, as the ledger would say it; what the ledger knows of it stays.
///
/// # Errors
/// In what the table contradicts the ledger, and that nobody can tell what would run.
pub(super) async fn entries(
    connection: &mut Connection,
    with: &With<'_>,
    drafts: &[Draft],
    known: Vec<Entry>,
) -> Result<Vec<Entry>, Verdict> {
    if drafts.is_empty() && with.unjudged.is_none() {
        let message = format!("there is no SQL that tells what `{}` does: nobody can judge it", with.line());
        let help = "name the folder of its SQL files; or say why it may run all the same: --unjudged --reason WHY";
        return Err(Verdict::Refused(vec![Problem::new("runner::unjudged", message).help(help)]));
    }
    let past = Past::read(connection, drafts, with).await?;
    let has_run = |key: &str| past.ran.iter().any(|ran| ran == key);
    let lost = |entry: &&Entry| {
        entry.state != State::RolledBack && drafts.iter().any(|draft| draft.key == entry.key && !draft.repeatable) && !has_run(&entry.key)
    };
    if let Some(entry) = known.iter().find(lost) {
        let message = format!(
            "{} has run here or was begun, by lockkeeper's ledger; {} does not know it, and would run it again",
            entry.key,
            past.name()
        );
        let help = "`lockkeeper status` tells how it stands; `lockkeeper adopt --keep-in-step` keeps the table in step with what lockkeeper itself runs";
        return Err(Verdict::NotReady(vec![Problem::new("runner::history", message).help(help)]));
    }
    let mut entries: Vec<_> =
        known.into_iter().filter(|entry| has_run(&entry.key) || !drafts.iter().any(|draft| draft.key == entry.key)).collect();
    for draft in drafts.iter().filter(|draft| has_run(&draft.key)) {
        if !entries.iter().any(|entry| entry.key == draft.key && entry.state != State::RolledBack) {
            entries.retain(|entry| entry.key != draft.key);
            entries.push(seen(draft));
        }
    }
    Ok(entries)
}

/// All that is due: the command knows nothing of a phase that has to wait.
pub(super) fn all((works, stops): (Vec<Work>, Option<String>), with: &With<'_>) -> Result<Vec<Work>, Verdict> {
    let Some(why) = stops else { return Ok(works) };
    let message = format!("`{}` would run what has to wait: {why}", with.line());
    let help = "nothing was done; let the command stop before it, and say so with --to";
    Err(Verdict::Refused(vec![Problem::new("runner::phase", message).help(help)]))
}

/// Waits until no session works any more for a command of a run that is gone.
///
/// # Errors
/// Which one still does when patience is over, and how it is ended.
pub(super) async fn orphans(watch: &mut Connection, patience: Duration, tell: Tell<'_>) -> Result<(), Problem> {
    let query = format!(
        "SELECT pid::text FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '{}%' LIMIT 1",
        child::NAME
    );
    let begin = Instant::now();
    loop {
        let pid = watch.texts(&query).await.map_err(|refusal| ledger::problem(&refusal))?.concat();
        if pid.is_empty() {
            return Ok(());
        }
        if begin.elapsed() > patience {
            let message = format!("process {pid} still works for the command of a run that is gone");
            let help = format!("wait until it has ended, or end it: `SELECT pg_terminate_backend({pid})`; then run it again");
            return Err(Problem::new("runner::orphan", message).help(help));
        }
        tell(&Event::Waiting { blockers: vec![format!("process {pid}, which works for the command of a run that is gone")], queue: 0 });
        tokio::time::sleep(TICK).await;
    }
}

/// How often they are looked for.
const TICK: Duration = Duration::from_millis(250);

/// Whether the tool's table alone says that a migration has run.
pub(super) fn is_unnoted(entry: &Entry) -> bool {
    entry.run.is_none() && entry.changed.is_empty()
}

/// A migration of which the tool's table alone says that it has run.
fn seen(draft: &Draft) -> Entry {
    Entry {
        key: draft.key.clone(),
        name: draft.name.clone(),
        checksum: draft.checksum.clone(),
        hash: draft.hash.clone(),
        state: State::Baselined,
        phase: None,
        changed: String::new(),
        age: 0,
        run: None,
    }
}

/// Runs the command, and tells what has come of it.
///
/// # Errors
/// How it has ended, if not well.
pub(super) async fn run(executor: &mut Executor<'_>, agenda: &Agenda, with: &With<'_>, drafts: &[Draft]) -> Result<Vec<String>, Verdict> {
    let before = Past::read(&mut executor.sessions.watch, drafts, with).await?;
    let left = invalid(&mut executor.sessions.watch).await.map_err(operator)?;
    taken_over(executor, &before, drafts).await.map_err(operator)?;
    if agenda.works.is_empty() && with.unjudged.is_none() {
        return Ok(Vec::new());
    }
    if let Some(reason) = with.unjudged {
        executor.event("reason", reason).await.map_err(|trouble| unclear(&trouble.to_string(), with))?;
    }
    executor.event("runner", &format!("{}: begins", with.line())).await.map_err(|trouble| unclear(&trouble.to_string(), with))?;
    super::failpoint::reach("runner-begins");
    let ended = child::run(executor, agenda, with).await?;
    super::failpoint::reach("runner-ended");
    executor.alive().await.map_err(|trouble| unclear(&trouble.to_string(), with))?;
    let watch = &mut executor.sessions.watch;
    let after = Past::read(watch, drafts, with).await.map_err(|verdict| dirty(&verdict, &ended, with))?;
    let new: Vec<String> = match with.unjudged {
        Some(_) => after.versions.iter().filter(|version| !before.versions.contains(version)).cloned().collect(),
        None => after.ran.iter().filter(|key| !before.ran.contains(key)).cloned().collect(),
    };
    let leftovers: Vec<_> = invalid(watch).await.map_err(operator)?.into_iter().filter(|name| !left.contains(name)).collect();
    for draft in drafts.iter().filter(|draft| new.contains(&draft.key)) {
        let work = agenda.works.iter().find(|work| work.draft.key == draft.key);
        note(watch, executor.run, draft, (work.map(|work| work.assessed.class.word()), State::Applied)).await.map_err(operator)?;
    }
    let due = agenda.works.iter().map(|work| work.draft.key.clone()).collect();
    let outcome = Outcome { line: with.line(), table: after.name(), judged: with.unjudged.is_none(), due, new, leftovers, ended };
    let said = outcome.said();
    executor.event("runner", &said).await.map_err(|trouble| unclear(&trouble.to_string(), with))?;
    outcome.verdict()
}

/// What the tool has run without us has run.
async fn taken_over(executor: &mut Executor<'_>, before: &Past, drafts: &[Draft]) -> Result<(), Refusal> {
    let watch = &mut executor.sessions.watch;
    let known = ledger::entries(watch).await?;
    let is_known = |draft: &&Draft| known.iter().any(|entry| entry.key == draft.key && entry.state != State::RolledBack);
    for draft in drafts.iter().filter(|draft| before.ran.contains(&draft.key)).filter(|draft| !is_known(draft)) {
        note(watch, executor.run, draft, (None, State::Baselined)).await?;
    }
    Ok(())
}

async fn note(watch: &mut Connection, run: i64, draft: &Draft, (class, state): (Option<&str>, State)) -> Result<(), Refusal> {
    let script = sql::read(&draft.source, draft.part);
    let header = header::read(&draft.source, &script.comments);
    let phase = header.as_ref().map(|header| (header.plan, header.phase));
    watch.run(&migration_sql(run, draft, (class, phase), state)).await?;
    if state == State::Applied { write::event(watch, run, "migration", &format!("{} {}", draft.key, draft.name)).await } else { Ok(()) }
}

/// What a build that broke off leaves behind.
async fn invalid(watch: &mut Connection) -> Result<Vec<String>, Refusal> {
    watch.texts("SELECT i.indexrelid::regclass::text FROM pg_index i WHERE NOT i.indisvalid ORDER BY 1").await
}

fn operator(refusal: Refusal) -> Verdict {
    Verdict::Operator(ledger::problem(&refusal))
}

fn unclear(why: &str, with: &With<'_>) -> Verdict {
    let message = format!("what `{}` has done cannot be told: {why}", with.line());
    Verdict::Operator(Problem::new("runner::unclear", message).help("the tool's own table tells; the next `lockkeeper apply` reads it"))
}

/// The tool says itself that it has not come to its end.
fn dirty(verdict: &Verdict, ended: &Ended, with: &With<'_>) -> Verdict {
    let message = format!("`{}` {}; {}", with.line(), ended.words(), verdict.said().unwrap_or_default());
    let help = "look at what has happened, and put the tool's table right as its manual says; then run it again";
    Verdict::Operator(Problem::new("runner::dirty", message).help(help))
}

/// What has come of a command.
struct Outcome {
    line: String,
    table: String,
    judged: bool,
    due: Vec<String>,
    /// What its table says now, and did not before.
    new: Vec<String>,
    /// Invalid indexes that were not there before.
    leftovers: Vec<String>,
    ended: Ended,
}

impl Outcome {
    /// In a line, for the ledger.
    fn said(&self) -> String {
        let new = if self.new.is_empty() { "nothing".to_owned() } else { self.new.join(", ") };
        format!("{} {} after {:.3} s; by {} it has run {new}", self.line, self.ended.words(), self.ended.seconds, self.table)
    }

    fn verdict(self) -> Result<Vec<String>, Verdict> {
        let problem = |code: &'static str, help: &str| Problem::new(code, self.said()).help(help.to_owned());
        let again = "`lockkeeper apply` with the same command goes on from there";
        if !self.leftovers.is_empty() {
            let message = format!("{}; it has left invalid indexes behind: {}", self.said(), self.leftovers.join(", "));
            return Err(Verdict::Operator(
                Problem::new("runner::leftovers", message).help("DROP INDEX CONCURRENTLY each of them, then run it again"),
            ));
        }
        let surprises: Vec<_> = self.new.iter().filter(|key| self.judged && !self.due.contains(key)).cloned().collect();
        if !surprises.is_empty() {
            let message = format!("{}; {} was not among what was judged", self.said(), surprises.join(", "));
            return Err(Verdict::Operator(
                Problem::new("runner::more", message).help("look at it; does the command stop where --to does?"),
            ));
        }
        let missing: Vec<_> = self.due.iter().filter(|key| !self.new.contains(key)).cloned().collect();
        let nothing = self.new.is_empty();
        if self.ended.interrupted {
            return Err(Verdict::Interrupted(problem("runner::interrupted", again)));
        }
        if let Some(why) = &self.ended.gave_up {
            let help = format!("it was ended because {why}; {again}");
            let problem = problem("runner::busy", &help);
            return Err(if nothing { Verdict::Locked(problem) } else { Verdict::Partial(problem) });
        }
        match (self.ended.code, nothing, missing.is_empty()) {
            (Some(0), _, true) => Ok(self.new),
            (Some(0), true, false) => Err(Verdict::NotReady(vec![problem(
                "runner::elsewhere",
                "nothing of what is due: does the command work on this database? --pass-url gives it our URL as DATABASE_URL",
            )])),
            (Some(0), false, false) => Err(Verdict::Partial(problem("runner::partial", &format!("not: {}; {again}", missing.join(", "))))),
            (_, true, _) => Err(Verdict::RolledBack(problem(
                "runner::failed",
                "its own words above say why; whether a statement outside of a transaction has run, they alone tell",
            ))),
            (_, false, _) => Err(Verdict::Partial(problem("runner::failed", &format!("its own words above say why; mended, {again}")))),
        }
    }
}

impl Executor<'_> {
    /// That our own session still answers; if not, the server is called again.
    async fn alive(&mut self) -> Result<(), Trouble> {
        match self.sessions.watch.texts("SELECT 'here'").await {
            Ok(_) => Ok(()),
            Err(refusal) => self.reconnect(refusal).await,
        }
    }
}
