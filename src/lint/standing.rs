//! A history whose files are judged again and again while they are edited: what was read stays read, and the schema before each judged file
//! stays replayed, until something before it changes.

use super::finding::Assessed;
use super::judge::{Judge, Neighbours};
use super::planned::Plans;
use super::{Asked, Replay, Settings, Suggest, Watch, read_all};
use crate::discover::{History, Migration, Role};
use crate::model::catalog::Catalog;
use crate::problem::Problem;
use crate::rule::story::Story;
use crate::sql::Script;
use foldhash::HashMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A history as it stands.
#[derive(Debug)]
pub struct Standing {
    history: History,
    /// Of each migration, what it says.
    scripts: Vec<Arc<Script>>,
    /// What is known before a migration, by whether the history is taken to begin with an empty database, and by the migration's index.
    before: BTreeMap<(bool, usize), Past>,
}

/// What the migrations before one leave behind.
#[derive(Clone, Debug)]
struct Past {
    catalog: Catalog,
    story: Story,
    plans: Plans,
}

impl Standing {
    /// Reads all files of a history.
    pub fn new(history: History) -> Self {
        let scripts = read_all(&history.migrations);
        Self { history, scripts, before: BTreeMap::new() }
    }

    /// Takes the history as it is now. Texts that are the same as before, in memory and not only in their letters, are not read again; files
    /// before the first one that has changed are not replayed again.
    pub fn renew(&mut self, history: History) {
        let (old, new) = (&self.history.migrations, &history.migrations);
        let same = old.iter().zip(new).take_while(|(old, new)| replay_alike(old, new)).count();
        self.scripts = read_again(new, (old, &self.scripts));
        // What stands before the first file that has changed is what it was; what nobody asks for again goes.
        let is_asked_for = |at: usize| history.migrations.get(at).is_some_and(|migration| migration.role == Role::Subject);
        self.before.retain(|(_, at), _| *at <= same && is_asked_for(*at));
        self.history = history;
    }

    /// The history.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The indexes of those that are judged.
    pub fn subjects(&self) -> Vec<usize> {
        let migrations = self.history.migrations.iter().enumerate();
        migrations.filter(|(_, migration)| migration.role == Role::Subject).map(|(at, _)| at).collect()
    }

    /// Judges one migration as if the others were history.
    pub fn judge(&mut self, at: usize, settings: &Settings<'_>, watch: &Watch<'_>) -> (Assessed, Vec<Problem>) {
        let mut ends = self.replayed(at, self.history.whole, settings);
        if ends.1.catalog.is_older_than_history() {
            // Whatever the number of the first file says, there was a schema before it.
            ends = self.replayed(at, false, settings);
        }
        let (mut replay, end) = ends;
        let (migration, script) = (&self.history.migrations[at], &*self.scripts[at]);
        let later = self.history.migrations.len() - 1 - at;
        let unfolded = replay.unfolded(migration, script);
        let neighbours = Neighbours { history: &self.history, end: &end, later };
        let asked = Asked { settings, suggest: Suggest::All, every: false, downs: false, watch };
        let judge = Judge::new(asked, (migration, script, &unfolded), neighbours);
        replay.budget.begin_file();
        let mut problems = Vec::new();
        let assessed = judge.file(&mut replay, false, &mut problems);
        (assessed, problems)
    }

    /// Forgets what was replayed: the settings are others now.
    pub fn forget_replayed(&mut self) {
        self.before.clear();
    }

    /// The schema before a migration, and the schema behind the last one.
    fn replayed<'s>(&mut self, at: usize, whole: bool, settings: &Settings<'s>) -> (Replay<'s>, Replay<'s>) {
        let before = self.before(at, whole, settings);
        if before.catalog.is_older_than_history() && whole {
            // It will be asked for otherwise at once.
            return (before.clone(), before);
        }
        let mut end = before.clone();
        for (migration, script) in self.history.migrations.iter().zip(&self.scripts).skip(at) {
            end.file(migration, script);
        }
        (before, end)
    }

    /// The schema before a migration: replayed from the nearest one before it that is kept.
    fn before<'s>(&mut self, at: usize, whole: bool, settings: &Settings<'s>) -> Replay<'s> {
        let nearest = self.before.range((whole, 0)..=(whole, at)).next_back();
        let (from, past) = nearest.map_or_else(|| (0, Past::none(whole)), |((_, from), past)| (*from, past.clone()));
        let mut replay = past.go_on(settings);
        if from < at {
            let files = self.history.migrations.iter().zip(&self.scripts);
            files.take(at).skip(from).for_each(|(migration, script)| replay.file(migration, script));
            self.before.insert((whole, at), Past::of(&replay));
        }
        replay
    }
}

impl Past {
    fn none(whole: bool) -> Self {
        Self { catalog: Catalog::new(whole), story: Story::default(), plans: Plans::default() }
    }

    fn of(replay: &Replay<'_>) -> Self {
        Self { catalog: replay.catalog.clone(), story: replay.story.clone(), plans: replay.plans.clone() }
    }

    fn go_on<'s>(self, settings: &Settings<'s>) -> Replay<'s> {
        let Self { catalog, story, plans } = self;
        Replay { catalog, story, plans, ..Replay::new(false, settings) }
    }
}

/// What migrations say. Texts of the old ones, the same in memory, are not read again.
pub(super) fn read_again(new: &[Migration], (old, scripts): (&[Migration], &[Arc<Script>])) -> Vec<Arc<Script>> {
    let text = |migration: &Migration| (Arc::as_ptr(&migration.source), migration.part);
    let known: HashMap<_, _> = old.iter().map(text).zip(scripts).collect();
    let of_known = |migration: &Migration| known.get(&text(migration)).map(|script| Arc::clone(script));
    let others: Vec<_> = new.iter().filter(|migration| !known.contains_key(&text(migration))).collect();
    let mut others = read_all(others).into_iter();
    new.iter().filter_map(|migration| of_known(migration).or_else(|| others.next())).collect()
}

/// Whether two migrations leave the same behind.
fn replay_alike(a: &Migration, b: &Migration) -> bool {
    let how = |migration: &Migration| (migration.part, migration.units.clone(), migration.declared, migration.step);
    Arc::ptr_eq(&a.source, &b.source) && how(a) == how(b)
}
