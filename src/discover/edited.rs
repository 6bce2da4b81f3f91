//! A history with other texts: what `discover` would find if some of its files were different, or if there were more of them.

use super::convention::{self, Purpose};
use super::{Down, History, Migration, Role, head, note_missing_ways_back, order, tool};
use crate::config::Config;
use crate::model::catalog::Step;
use crate::rule::moment::{Order, WayBack};
use crate::text::SourceFile;
use foldhash::HashMap;
use std::path::Path;
use std::sync::Arc;

impl History {
    /// The same with these texts. A path that it does not know is a new file, which is judged if it is a migration.
    #[must_use]
    pub fn edited(&self, files: &[Arc<SourceFile>], config: &Config) -> Self {
        let mut history = Self { project: self.project.around_others(files), ..self.clone() };
        let mut texts: HashMap<_, _> = files.iter().map(|file| (file.path(), file)).collect();
        for known in &mut history.migrations {
            if let Some(file) = texts.remove(known.source.path()) {
                *known = with_text(known, file, config);
            }
        }
        let is_new = |file: &&Arc<SourceFile>| texts.get(file.path()).is_some_and(|new| Arc::ptr_eq(new, file));
        let (ups, downs): (Vec<_>, Vec<_>) = files.iter().filter(is_new).partition(|file| purpose(file.path()) == Some(Purpose::Up));
        for file in ups {
            let migration = new_migration(file, config);
            let version = migration.version.clone().unwrap_or_default();
            let comes_before = |other: &Migration| {
                other.step == Step::BASE && other.order != Order::Gone
                    || other.version.as_deref().is_some_and(|other| order::versions(other, &version).is_lt())
            };
            let at = history.migrations.iter().rposition(comes_before).map_or(0, |last| last + 1);
            history.migrations.insert(at, migration);
        }
        for file in downs.into_iter().filter(|file| purpose(file.path()) == Some(Purpose::Down)) {
            let undone = convention::read(file.path()).and_then(|named| named.version);
            if let Some(up) = history.migrations.iter_mut().find(|migration| migration.version.is_some() && migration.version == undone) {
                (up.way_back, up.down) = (WayBack::There, Some(Down::File(file.path().to_owned())));
            }
        }
        tool::settle(history.migrations.iter_mut(), &history.project, config);
        history.renumber()
    }

    /// The same with a file behind all others, which alone is judged, whatever its name says.
    #[must_use]
    pub fn with_last(mut self, source: &Arc<SourceFile>) -> Self {
        self.migrations.iter_mut().for_each(|migration| migration.role = Role::History);
        let next = self.migrations.last().map_or(1, |last| last.step.0 + 1);
        self.migrations.push(Migration { step: Step(next), declared: None, tool: None, ..new_migration(source, &Config::default()) });
        self
    }

    /// Steps, and what rests on them, by the places in the list.
    fn renumber(mut self) -> Self {
        let own = |migration: &&mut Migration| migration.step != Step::BASE;
        for (at, migration) in self.migrations.iter_mut().filter(own).enumerate() {
            migration.step = Step(at as u32 + 1);
            if migration.way_back == WayBack::Missing {
                migration.way_back = WayBack::NotUsual;
            }
        }
        note_missing_ways_back(&mut self.migrations);
        if self.one_release { self.as_one_release() } else { self }
    }
}

fn purpose(path: &Path) -> Option<Purpose> {
    convention::read(path).map(|named| named.purpose)
}

fn with_text(migration: &Migration, source: &Arc<SourceFile>, config: &Config) -> Migration {
    let head = head::read(source, config.tool);
    let (tool, declared) = (head.tool, head.transaction());
    let way_back = if head.undone || head.down.is_some() { WayBack::There } else { migration.way_back };
    let down = head.down.map(Down::Part).or_else(|| migration.down.clone());
    Migration {
        source: Arc::clone(source),
        part: head.part,
        units: head.units,
        tool,
        declared,
        way_back,
        down,
        way_down: None,
        ..migration.clone()
    }
}

fn new_migration(source: &Arc<SourceFile>, config: &Config) -> Migration {
    let (named, head) = (convention::read_any(source.path()), head::read(source, config.tool));
    let declared = head.transaction();
    Migration {
        source: Arc::clone(source),
        part: head.part,
        units: head.units,
        version: named.version,
        name: named.name,
        tool: head.tool,
        shared: false,
        declared,
        role: Role::Subject,
        // Its place in the list tells, see `renumber`.
        step: Step(u32::MAX),
        way_back: if head.undone || head.down.is_some() { WayBack::There } else { WayBack::NotUsual },
        down: head.down.map(Down::Part),
        way_down: None,
        repeatable: false,
        order: Order::Fine,
        base_version: None,
    }
}
