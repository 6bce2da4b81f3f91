//! What there is to do: files held against the ledger, judged, approved, and at their time.

use super::backfill::file::JobFile;
use super::draft::{self, Draft, Work};
use super::due::{self, Item, Status};
use super::gate::{self, Circumstances, Time};
use super::hash;
use super::ledger::{self, Direction, Entry};
use super::pipeline::{Pipeline, unreachable};
use super::runner::{self, With};
use super::session;
use super::verdict::Verdict;
use super::wish::{Wanted, Wish};
use crate::db::{Connection, Refusal};
use crate::lint::Settings;
use crate::model::effects::Version;
use crate::problem::Problem;

/// What a run would do, before anything is done.
#[derive(Debug)]
pub struct Agenda {
    /// What there is, held against the ledger.
    pub items: Vec<Item>,
    /// What is to be run now, in order.
    pub works: Vec<Work>,
    /// Why what comes behind that has to wait.
    pub stops: Option<String>,
    /// What the connected database is called.
    pub database: String,
    /// How many have run by another tool's table, and the ledger does not know of them.
    pub unnoted: usize,
    /// The command that runs them, and why if nobody can judge it; nothing: we do.
    pub by: String,
}

impl Agenda {
    /// Whether an earlier run has begun a migration, and not ended it.
    pub(super) fn has_begun(&self, work: &Work) -> bool {
        self.items.iter().any(|item| item.key == work.draft.key && item.status == Status::Partial)
    }

    /// What would run, in its order: keys and names.
    pub fn names(&self) -> Vec<String> {
        self.works.iter().map(|work| work.draft.title()).collect()
    }

    /// Whether there is nothing to run, and nothing to note.
    pub(super) fn is_idle(&self, wish: &Wish<'_>) -> bool {
        self.works.is_empty() && !wish.is_unjudged() && self.unnoted == 0
    }

    /// Of everything that would run, in its order: twelve digits to type or to pass on.
    pub fn hash(&self) -> String {
        let all: String = self.works.iter().map(|work| work.draft.approved_hash()).collect();
        hash::checksum(format!("{all}{}", self.by).as_bytes())[..12].to_owned()
    }
}

impl Pipeline<'_> {
    /// What there is to do. Writes nothing.
    ///
    /// # Errors
    /// Why nothing can be done.
    pub async fn look(&self, wish: Wish<'_>) -> Result<Agenda, Verdict> {
        let opened = session::own(self.target, "lockkeeper").await;
        let mut connection = opened.map_err(|refusal| Verdict::NotReady(vec![unreachable(&refusal)]))?;
        let agenda = self.agenda(&mut connection, wish).await;
        connection.close().await;
        agenda
    }

    pub(super) async fn agenda(&self, connection: &mut Connection, wish: Wish<'_>) -> Result<Agenda, Verdict> {
        let about = about(connection).await?;
        self.is_the_one(&about)?;
        let entries = ledger::entries(connection).await.map_err(|refusal| Verdict::NotReady(vec![ledger::problem(&refusal)]))?;
        let drafts = draft::drafts(self.history).map_err(|problem| Verdict::Refused(vec![problem]))?;
        let entries = match &wish {
            Wish::With(with) => runner::entries(connection, with, &drafts, entries).await?,
            Wish::Apply(_) | Wish::Rollback(_) | Wish::Backfill(_) => entries,
        };
        let unnoted = entries.iter().filter(|entry| runner::is_unnoted(entry)).count();
        let items = due::items(&drafts, &entries);
        let (works, stops) = match wish {
            Wish::With(With { unjudged: Some(_), .. }) => (Vec::new(), None),
            Wish::With(with) => (runner::all(self.forwards(with.wanted, (&items, &drafts, &entries), &about.today)?, &with)?, None),
            Wish::Apply(wanted) => self.forwards(wanted, (&items, &drafts, &entries), &about.today)?,
            Wish::Rollback(pick) => (self.back(&pick.keys(&entries, &items)?, &drafts)?, None),
            Wish::Backfill(file) => (self.job(connection, file, &about.today).await?, None),
        };
        Ok(Agenda { items, works, stops, database: about.database, unnoted, by: wish.by() })
    }

    /// What is due, approved, and at its time.
    fn forwards(
        &self,
        wanted: Wanted<'_>,
        known: (&[Item], &[Draft], &[Entry]),
        today: &str,
    ) -> Result<(Vec<Work>, Option<String>), Verdict> {
        let (items, drafts, entries) = known;
        let keys = wanted.keys(items, drafts)?;
        let works = draft::works(self.history, drafts, &keys, self.settings).map_err(Verdict::Refused)?;
        let (works, stops) = in_their_time(works, entries)?;
        self.approved(&works, today)?;
        Ok((works, stops))
    }

    /// Whether somebody has approved what needs it.
    fn approved(&self, works: &[Work], today: &str) -> Result<(), Verdict> {
        let Settings { config, server, .. } = *self.settings;
        let server = (config.postgres.unwrap_or(Version::DEFAULT) != server).then_some(server);
        let refusals = gate::refusals(works, self.approvals, Circumstances { environment: self.environment, today, server });
        if refusals.is_empty() { Ok(()) } else { Err(Verdict::Refused(refusals)) }
    }

    /// A file that is no migration, unless it has run.
    async fn job(&self, connection: &mut Connection, file: &JobFile, today: &str) -> Result<Vec<Work>, Verdict> {
        let work = file.work(self.history, self.settings).map_err(Verdict::Refused)?;
        self.approved(std::slice::from_ref(&work), today)?;
        let unreadable = |refusal: Refusal| Verdict::NotReady(vec![ledger::problem(&refusal)]);
        if !ledger::exists(connection).await.map_err(unreadable)? {
            return Ok(vec![work]);
        }
        if let Some(other) = ledger::job::other(connection, file.name(), &work.draft.key).await.map_err(unreadable)? {
            let message = format!("it was begun with other SQL, and has not ended: {other}");
            let help = format!(
                "put the SQL back; or, to begin again at the first row with what it says now, `lockkeeper backfill --cancel {}`",
                file.name()
            );
            return Err(Verdict::NotReady(vec![Problem::new("backfill::changed", message).help(help).about(work.source().path())]));
        }
        let steps = ledger::steps(connection, &work.draft.key, Direction::Up).await.map_err(unreadable)?;
        let has_run =
            work.steps.iter().all(|step| steps.iter().any(|entry| i64::from(entry.number) == i64::from(step.number) && entry.is_done()));
        Ok(if has_run { Vec::new() } else { vec![work] })
    }

    /// What undoes migrations. Whoever has approved them has approved that as well.
    fn back(&self, keys: &[String], drafts: &[Draft]) -> Result<Vec<Work>, Verdict> {
        let one = |key: &String| match drafts.iter().find(|draft| draft.key == *key) {
            Some(draft) => draft::way_back(self.history, draft, self.settings).map_err(Verdict::Refused),
            None => {
                let problem =
                    Problem::new("apply::no-file", format!("`{key}` has run, and its file is gone: nobody knows how it is undone"));
                Err(Verdict::Refused(vec![problem.help("bring the file back from version control")]))
            }
        };
        keys.iter().map(one).collect()
    }

    /// Whether the connected database is the one that is meant.
    pub(super) fn is_the_one(&self, about: &About) -> Result<(), Verdict> {
        let not_ready = |code, message: String, help: &str| Err(Verdict::NotReady(vec![Problem::new(code, message).help(help.to_owned())]));
        if about.standby {
            return not_ready(
                "apply::standby",
                "this server is a standby: nothing can be changed there".to_owned(),
                "connect to the primary",
            );
        }
        match &self.environment.database {
            Some(wanted) if *wanted != about.database => not_ready(
                "apply::database",
                format!("this is the database `{}`, and the environment `{}` is `{wanted}`", about.database, self.environment.name),
                "name another environment with --env, or mend `environments:` in lockkeeper.yaml",
            ),
            _ => Ok(()),
        }
    }
}

/// What the server says of itself.
pub(super) struct About {
    pub(super) database: String,
    standby: bool,
    today: String,
}

pub(super) async fn about(connection: &mut Connection) -> Result<About, Verdict> {
    let query = "SELECT current_database()::text UNION ALL SELECT pg_is_in_recovery()::text UNION ALL SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD')";
    let said = connection.texts(query).await.map_err(|refusal| Verdict::NotReady(vec![unreachable(&refusal)]))?;
    let text = |at: usize| said.get(at).cloned().unwrap_or_default();
    Ok(About { database: text(0), standby: text(1) == "true", today: text(2) })
}

/// Cuts the list where a phase has to wait. If it is the first one, nothing can be done.
fn in_their_time(mut works: Vec<Work>, entries: &[Entry]) -> Result<(Vec<Work>, Option<String>), Verdict> {
    for at in 0..works.len() {
        let why = match gate::time(&works[at], entries, &works[..at]) {
            Time::Now => continue,
            Time::NotInOneRun(why) | Time::NotYet(why) => why,
        };
        if at == 0 {
            let path = works[0].source().path();
            return Err(Verdict::Refused(vec![
                Problem::new("apply::phase", why).help("nothing was done; run it again when it is time").about(path),
            ]));
        }
        works.truncate(at);
        return Ok((works, Some(why)));
    }
    Ok((works, None))
}
