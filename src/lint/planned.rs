//! The files of plans among the migrations: which statements are exactly what a phase prescribes.
//!
//! When the first phase of a plan comes by, the plan is made again, on the schema before it. From then on each phase is held against it.

use crate::discover::Migration;
use crate::model::catalog::Catalog;
use crate::model::effects::Version;
use crate::plan::header::{self, Header};
use crate::plan::{Line, Plan, Stage, recipe, statement};
use crate::rule::moment::Planned;
use crate::sql::Script;
use crate::text::{SourceFile, Span};
use std::sync::Arc;

/// The plans that the history has begun.
#[derive(Clone, Debug, Default)]
pub(super) struct Plans {
    begun: Vec<Begun>,
    current: Option<Current>,
    state: Planned,
}

#[derive(Clone, Debug)]
struct Begun {
    plan: Arc<Plan>,
    /// How many of its phases the history holds, each with everything that later ones rest on.
    done: usize,
}

/// The file at hand, if it is a phase of a plan.
#[derive(Clone, Debug)]
struct Current {
    plan: Arc<Plan>,
    /// Which phase, from 0.
    at: usize,
    /// Of each statement: which line of the phase it is.
    lines: Vec<Option<usize>>,
}

/// A statement that a phase prescribes.
pub(super) struct Prescribed<'a> {
    line: &'a Line,
    plan: &'a Plan,
    at: usize,
}

impl Plans {
    /// A file begins: reads its header, and holds its statements against the plan.
    pub fn begin_file(&mut self, migration: &Migration, script: &Script, before: &Catalog, server: Version) {
        self.current = None;
        self.state = match header::read(&migration.source, &script.comments) {
            Some(header) => self.phase(&header, (&migration.source, script), before, server),
            None => Planned::No,
        };
    }

    /// Whether the file at hand is a phase of a plan.
    pub fn state(&self) -> Planned {
        self.state
    }

    fn phase(&mut self, header: &Header<'_>, file: (&SourceFile, &Script), before: &Catalog, server: Version) -> Planned {
        if header.phase == 1 {
            let Some(plan) = header.recipe.and_then(|(recipe, instead_of)| recipe::cook(recipe, instead_of, before, server).ok()) else {
                return Planned::Unmade;
            };
            if plan.name != header.plan || plan.phases.len() != header.of {
                return Planned::Unmade;
            }
            self.begun.retain(|begun| begun.plan.name != plan.name);
            self.begun.push(Begun { plan: Arc::new(plan), done: 0 });
        }
        let is_it =
            |begun: &&mut Begun| begun.plan.name == header.plan && begun.plan.phases.len() == header.of && begun.done + 1 == header.phase;
        let Some(begun) = self.begun.iter_mut().find(is_it) else { return Planned::Early };
        let (source, script) = file;
        let at = begun.done;
        let prescribed = &begun.plan.phases[at].up;
        let lines = matched(source, script, prescribed);
        let is_kept = (0..prescribed.len()).filter(|which| prescribed[*which].needed).all(|which| lines.contains(&Some(which)));
        begun.done += usize::from(is_kept);
        self.current = Some(Current { plan: Arc::clone(&begun.plan), at, lines });
        if is_kept { Planned::Kept } else { Planned::Changed }
    }

    /// What a phase says of the statement with this index in the file, bodies not counted.
    pub fn prescribed(&self, index: usize) -> Option<Prescribed<'_>> {
        let current = self.current.as_ref()?;
        let line = &current.plan.phases[current.at].up[(*current.lines.get(index)?)?];
        Some(Prescribed { line, plan: &current.plan, at: current.at })
    }
}

impl Prescribed<'_> {
    /// Whether the plan has thought of what this rule says.
    pub fn accepts(&self, rule: &str) -> bool {
        self.line.accepts.contains(&rule)
    }

    /// Whether it takes away what old code needs.
    pub fn contracts(&self) -> bool {
        self.plan.phases[self.at].stage == Stage::Contract
    }
}

/// Which line each statement of the file is; they stand in the order of the phase, and others may stand between them.
fn matched(source: &SourceFile, script: &Script, prescribed: &[Line]) -> Vec<Option<usize>> {
    let sources: Vec<_> = prescribed.iter().map(|line| SourceFile::new("", line.sql.as_str())).collect();
    let whole = |source: &SourceFile| Span::new(0, source.bytes().len() as u32);
    let mut next = 0;
    let own = script.statements.iter().filter(|statement| statement.nesting.is_none());
    own.map(|statement| {
        let is_it = |which: &usize| statement::same((source, statement.span), (&sources[*which], whole(&sources[*which])));
        let found = (next..sources.len()).find(is_it)?;
        next = found + 1;
        Some(found)
    })
    .collect()
}
