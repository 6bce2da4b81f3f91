//! One migration judged: every subject in it is shown to the rules that are filed under its kind.

use super::classify::{self, Scene};
use super::finding::{Assessed, Course, Finding, Judged, Part, Within};
use super::holding::{self, Hold};
use super::suggest::{self, Site};
use super::{Asked, Replay, Settings, Suggest, fingerprint, foreign, suppress};
use crate::discover::{History, Migration};
use crate::model::catalog::Catalog;
use crate::model::effects::{self, Effects, InTransaction, Lock};
use crate::model::lock::{Blocked, Blocks};
use crate::model::operation::Operation;
use crate::model::session::{Held, Opener, Session};
use crate::plan::backfill::IN_BATCHES;
use crate::plan::header;
use crate::problem::Problem;
use crate::rule::altered::Altered;
use crate::rule::elsewhere::Elsewhere;
use crate::rule::file::{Case, Rule};
use crate::rule::moment::{Holding, Moment, Planned, Subject, Surroundings};
use crate::rule::set::Entry;
use crate::rule::story::Story;
use crate::rule::{Class, Severity};
use crate::sql::{Nesting, Script, Statement};
use crate::text::Span;
use std::sync::Arc;

/// Judges one migration.
pub(super) struct Judge<'a> {
    settings: &'a Settings<'a>,
    suggest: Suggest,
    every: bool,
    history: &'a History,
    migration: &'a Migration,
    script: &'a Script,
    /// The same with the bodies that it runs.
    unfolded: &'a Script,
    /// Of each of those statements: the statement of the file that runs it.
    outer: Vec<usize>,
    end: &'a Replay<'a>,
    surroundings: Surroundings,
    elsewhere: Elsewhere<'a>,
    nothing: Effects,
    watch: &'a Watch<'a>,
}

/// What is known beside the migration.
#[derive(Clone, Copy)]
pub(super) struct Neighbours<'a> {
    /// Its history.
    pub history: &'a History,
    /// What all migrations leave behind.
    pub end: &'a Replay<'a>,
    /// How many come later, those of its release not among them.
    pub later: usize,
}

/// Is shown every subject as the rules see it.
pub type Watch<'a> = dyn Fn(&Moment<'_>) + 'a;

/// The schema and the connection while a file is judged.
struct Run<'r, 's> {
    replay: &'r mut Replay<'s>,
    session: Session,
    hold: Hold,
    /// The statement of the file in whose bodies something was found that nobody sees into: once is enough.
    unseen: Option<usize>,
    previous: Option<Altered>,
}

impl Run<'_, '_> {
    /// Where the subjects of a statement, or of the file, are judged.
    fn here<'h>(&'h self, index: Option<usize>, effects: &'h Effects, statement_effects: &'h Effects) -> Here<'h> {
        let (before, story) = (&self.replay.catalog, &self.replay.story);
        let (session, holding) = (&self.session, &self.hold.now);
        let (previous, planned) = (self.previous.as_ref(), self.replay.plans.state());
        Here { planned, index, before, story, session, holding, previous, effects, statement_effects }
    }
}

/// What is the same for all rules that are asked about one subject.
#[derive(Clone, Copy)]
struct Here<'a> {
    planned: Planned,
    index: Option<usize>,
    before: &'a Catalog,
    story: &'a Story,
    session: &'a Session,
    holding: &'a Holding,
    previous: Option<&'a Altered>,
    effects: &'a Effects,
    statement_effects: &'a Effects,
}

impl<'a> Judge<'a> {
    pub fn new(asked: Asked<'a>, file: (&'a Migration, &'a Script, &'a Script), neighbours: Neighbours<'a>) -> Self {
        let Asked { settings, suggest, every, watch, downs: _ } = asked;
        let (migration, script, unfolded) = file;
        let surroundings = Surroundings {
            order: migration.order,
            base_version: migration.base_version.clone(),
            later: neighbours.later,
            hot_tables: Arc::clone(&settings.config.hot_tables),
            told_whole: neighbours.history.told_whole,
            version: migration.version.clone(),
            name: migration.name.clone(),
            header: has_header(migration, script),
            way_back: migration.way_back,
            naming: Arc::clone(&settings.config.naming),
            psql: settings.config.psql,
            sizes: Arc::clone(&settings.config.sizes),
        };
        let (end, elsewhere) = (neighbours.end, Elsewhere::of(&unfolded.statements));
        let count = |seen: &mut usize, statement: &Statement| {
            *seen += usize::from(statement.nesting.is_none());
            Some(seen.saturating_sub(1))
        };
        let outer = unfolded.statements.iter().scan(0, count).collect();
        Self {
            settings,
            suggest,
            every,
            history: neighbours.history,
            migration,
            script,
            unfolded,
            outer,
            end,
            surroundings,
            elsewhere,
            nothing: Effects::default(),
            watch,
        }
    }

    /// Judges it, and the release that it ends, and moves the schema on behind it.
    pub fn file(&self, replay: &mut Replay<'_>, is_last_of_release: bool, problems: &mut Vec<Problem>) -> Assessed {
        let (transaction, session) = replay.begin(self.migration, self.unfolded);
        let mut run = Run { replay, session, hold: Hold::default(), unseen: None, previous: None };
        let mut findings = self.whole(&run);
        let mut statements: Vec<Judged> = Vec::with_capacity(self.script.statements.len());
        for (at, statement) in self.unfolded.statements.iter().enumerate() {
            if statement.nesting.is_none() {
                findings.append(&mut self.remarks(at, &run));
            }
            let judged = self.statement(at, &mut run, &mut findings);
            match statements.last_mut().filter(|_| statement.nesting.is_some()) {
                Some(outer) => outer.body.push(judged),
                None => statements.push(judged),
            }
        }
        if is_last_of_release {
            findings.append(&mut self.ask(Subject::Release(&run.replay.budget), run.here(None, &self.nothing, &self.nothing)));
        }
        statements.iter_mut().for_each(Judged::add_body);
        self.follow_plan(&run, &mut findings, &mut statements);
        let here = run.here(None, &self.nothing, &self.nothing);
        let comments = suppress::read(&self.migration.source, self.script);
        for allowed in suppress::apply(&comments.own, &mut findings, self.settings.rules) {
            findings.append(&mut self.ask(Subject::Allowance(&allowed), here));
        }
        for allowed in foreign::apply(&comments.foreign, &mut findings, (self.settings.rules, &self.migration.source)) {
            findings.append(&mut self.ask(Subject::ForeignAllowance(&allowed), here));
        }
        fingerprint::stamp(&mut findings, self.migration);
        let known = self.settings.config.baseline.of(self.migration.source.path());
        known.iter().for_each(|known| suppress::known(known, &mut findings));
        if !self.every {
            self.keep_first_of_once(&mut findings);
        }
        findings.sort_by(|a, b| (a.span, &a.rule).cmp(&(b.span, &b.rule)));
        let (class, class_with_fixes) = classify::migration(&mut statements, &findings);
        let class_in_baseline = known.is_some_and(|known| class <= known.class && known.hash == fingerprint::hash(&self.migration.source));
        self.report_broken_rules(problems);
        let (source, version) = (self.migration.source.clone(), self.migration.version.clone());
        let (tool, shared_transaction) = (self.migration.tool, self.migration.shared);
        Assessed {
            source,
            version,
            part: Part::Up,
            tool,
            shared_transaction,
            transaction,
            class,
            class_with_fixes,
            class_in_baseline,
            statements,
            findings,
        }
    }

    /// What a plan prescribes here, and has thought of, is no finding; where it takes away what old code needs, it is three-phase all the same.
    fn follow_plan(&self, run: &Run<'_, '_>, findings: &mut Vec<Finding>, statements: &mut [Judged]) {
        let prescribed = |statement: Option<usize>| statement.and_then(|at| run.replay.plans.prescribed(at));
        findings.retain(|finding| !prescribed(finding.statement).is_some_and(|prescribed| prescribed.accepts(&finding.rule)));
        if self.is_run_in_batches() {
            findings.retain(|finding| !IN_BATCHES.contains(&&*finding.rule));
        }
        for (at, statement) in statements.iter_mut().enumerate() {
            if prescribed(Some(at)).is_some_and(|prescribed| prescribed.contracts()) {
                statement.class = statement.class.max(Class::ThreePhase);
                statement.class_with_fixes = statement.class_with_fixes.max(Class::ThreePhase);
            }
        }
    }

    /// Whether the file is one change of rows, and says that it is run in batches.
    fn is_run_in_batches(&self) -> bool {
        let [statement] = &self.script.statements[..] else { return false };
        let is_change = |what: &Operation| matches!(what, Operation::Update(_) | Operation::Delete(_));
        statement.operations.iter().all(|operation| is_change(&operation.what))
            && header::batches(&self.migration.source, &self.script.comments).is_some()
    }

    /// The file as a whole.
    fn whole(&self, run: &Run<'_, '_>) -> Vec<Finding> {
        let here = run.here(None, &self.nothing, &self.nothing);
        let broken = self.script.broken_text.iter().map(|broken| Subject::BrokenText(*broken));
        std::iter::once(Subject::Migration).chain(broken).flat_map(|subject| self.ask(subject, here)).collect()
    }

    /// What is remarkable about the writing of one statement.
    fn remarks(&self, at: usize, run: &Run<'_, '_>) -> Vec<Finding> {
        let remarks = &self.script.remarks;
        let outer = self.outer[at];
        let from = remarks.partition_point(|remark| remark.statement < outer);
        let of_statement = remarks[from..].iter().take_while(|remark| remark.statement == outer);
        of_statement.flat_map(|remark| self.ask(Subject::Remark(remark), run.here(Some(at), &self.nothing, &self.nothing))).collect()
    }

    /// One statement: each of its operations, and then the whole of it.
    fn statement(&self, at: usize, run: &mut Run<'_, '_>, findings: &mut Vec<Finding>) -> Judged {
        let statement = &self.unfolded.statements[at];
        run.replay.begin_statement(&mut run.session, self.unfolded, at);
        let mut each = effects::assess(&statement.operations, &run.replay.catalog, &run.session, self.settings.server);
        if let Some(nesting) = &statement.nesting {
            add_effects_of_body(&mut each, statement, nesting);
        }
        let all = effects::union(&each);
        let scene = self.scene(run, at);
        let blocks = scene.blocks(&all, run.hold.now.strongest.as_ref().map(|held| held.lock.mode));
        let class = scene.class(&all, blocks);
        let destroys = scene.destroys(&all);
        let estimate = (blocks.reads.max(blocks.writes) == Blocked::Long).then(|| scene.sizes.estimate(&all, scene.catalog)).flatten();
        let locks = holding::on_relations_in_use(&scene, &all);
        let held = run.hold.now.strongest.clone().map(|held| Held { by: self.outer[held.by], ..held });
        let mut course =
            Course { takes: scene.duration(&all), stops: stops(&locks, scene.catalog), transaction: self.within(&run.session), held };
        let is_table = |lock: &&Lock| scene.catalog.get(&lock.relation).is_none_or(|relation| relation.index.is_none());
        let on_tables: Vec<_> = locks.iter().filter(is_table).cloned().collect();
        let transaction = run.session.transaction_start();
        let altered = Altered::of(statement, &all, &run.replay.catalog);
        let mut found = self.parts_and_whole(at, run, (&each, &all), (class, blocks));
        if statement.operations.iter().any(|operation| matches!(operation.what, Operation::Dynamic { .. }))
            && run.unseen.replace(self.outer[at]) == Some(self.outer[at])
        {
            found.clear();
        }
        findings.append(&mut found);
        run.replay.budget.note(on_tables.into_iter(), transaction, &self.migration.source);
        run.replay.end_statement(&mut run.session, self.unfolded, at, &each);
        // A BEGIN belongs to what it opens.
        course.transaction = course.transaction.or_else(|| self.within(&run.session));
        let mut hold = std::mem::take(&mut run.hold);
        hold.advance(statement, at, locks, &self.scene(run, at));
        run.hold = hold;
        run.previous = altered;
        // The class of the findings is added when the allowances are known.
        let (span, reading) = (statement.span, statement.reading);
        let conditional = statement.nesting.as_ref().is_some_and(|nesting| nesting.conditional);
        let (operations, class_with_fixes, body) = (words(statement), class, Vec::new());
        Judged { span, reading, operations, effects: all, blocks, course, estimate, destroys, class, class_with_fixes, body, conditional }
    }

    /// The findings about the operations of a statement, each by the schema that the one before it leaves behind; and about the whole, by
    /// the schema before it and by what was found about its parts.
    fn parts_and_whole(&self, at: usize, run: &mut Run<'_, '_>, does: (&[Effects], &Effects), is: (Class, Blocks)) -> Vec<Finding> {
        let ((each, all), (class, blocks)) = (does, is);
        let statement = &self.unfolded.statements[at];
        let operations = &statement.operations;
        let whole = |run: &Run<'_, '_>, explained| self.ask(Subject::Statement { explained, blocks }, run.here(Some(at), all, all));
        let explain = |findings: &[Finding]| findings.iter().any(|finding| finding.class >= class);
        // When several operations have changed the schema it is too late to ask about the whole, so both answers are prepared.
        let prepared = (operations.len() != 1).then(|| [false, true].map(|explained| whole(run, explained)));
        let mut findings = Vec::new();
        for (operation, effects) in operations.iter().zip(each) {
            findings.append(&mut self.ask(Subject::Operation(operation), run.here(Some(at), effects, all)));
            if prepared.is_none() {
                findings.append(&mut whole(run, explain(&findings)));
            }
            run.replay.operation(&operation.what, (statement, at), self.migration);
        }
        if let Some([unexplained, explained]) = prepared {
            findings.append(&mut if explain(&findings) { explained } else { unexplained });
        }
        findings
    }

    /// The transaction that is open, unless a body alone has it.
    fn within(&self, session: &Session) -> Option<Within> {
        let opener = session.opened_by().filter(|opener| *opener != Opener::Body)?;
        Some(Within { start: *self.outer.get(session.transaction_start()?)?, opener })
    }

    fn scene<'r>(&'r self, run: &'r Run<'_, '_>, at: usize) -> Scene<'r> {
        let (sizes, elsewhere) = (&*self.surroundings.sizes, &self.elsewhere);
        Scene { catalog: &run.replay.catalog, session: &run.session, step: self.migration.step, sizes, elsewhere, at }
    }

    /// The findings about one subject: at most one of each rule.
    fn ask(&self, subject: Subject<'_>, here: Here<'_>) -> Vec<Finding> {
        let moment = Moment {
            subject,
            index: here.index,
            file: &self.unfolded.statements,
            elsewhere: &self.elsewhere,
            source: &self.migration.source,
            step: self.migration.step,
            before: here.before,
            end: &self.end.catalog,
            story: here.story,
            ahead: &self.end.story,
            session: here.session,
            holding: here.holding,
            previous: here.previous,
            effects: here.effects,
            statement_effects: here.statement_effects,
            server: self.settings.server,
            migration: &self.surroundings,
            planned: here.planned,
        };
        (self.watch)(&moment);
        self.settings.rules.about(moment.kind()).filter_map(|entry| self.ask_rule(entry, &moment)).collect()
    }

    fn ask_rule(&self, entry: &Entry, moment: &Moment<'_>) -> Option<Finding> {
        let rule = entry.rule().ok().filter(|_| entry.is_on())?;
        let (case, assumed) = rule.speaks(moment)?;
        let severity = entry.overridden().or(case.severity).unwrap_or(rule.severity);
        let site = Site { history: self.history, migration: self.migration, config: self.settings.config };
        let mut finding = finding((rule, case), severity, assumed, moment);
        if let Some(fix) = case.fix.as_ref().filter(|_| self.suggest.is_wanted(severity)) {
            finding.suggestion = Some(suggest::suggestion(fix, moment, site));
        }
        if moment.source.hides_something() {
            finding.hide(moment.source);
        }
        finding.statement = moment.index.map(|at| self.outer[at]);
        Some(finding)
    }

    /// Of a rule that speaks once in a file, the first of its gravest findings stands that nobody has allowed.
    fn keep_first_of_once(&self, findings: &mut Vec<Finding>) {
        let once = |rule: &str| self.settings.rules.find(rule).and_then(|entry| entry.rule().ok()).is_some_and(|rule| rule.once);
        let mut speakers: Vec<(String, Severity, usize)> = Vec::new();
        for (at, finding) in findings.iter().enumerate().filter(|(_, finding)| finding.allowed.is_none()) {
            match speakers.iter_mut().find(|(rule, ..)| *rule == finding.rule) {
                Some((_, severity, first)) if *severity < finding.severity => (*severity, *first) = (finding.severity, at),
                Some(_) => {}
                None if once(&finding.rule) => speakers.push((finding.rule.clone(), finding.severity, at)),
                None => {}
            }
        }
        let mut at = 0..;
        findings.retain(|finding| {
            let at = at.next();
            finding.allowed.is_some() || speakers.iter().all(|(rule, _, first)| *rule != finding.rule || Some(*first) == at)
        });
    }

    fn report_broken_rules(&self, problems: &mut Vec<Problem>) {
        for problem in self.settings.rules.broken() {
            if !problems.iter().any(|known| known.message == problem.message && known.path() == problem.path()) {
                problems.push(problem.clone());
            }
        }
    }
}

/// Whether a comment before the first statement tells a reader something, rather than a program.
fn has_header(migration: &Migration, script: &Script) -> bool {
    const TO_PROGRAMS: [&str; 4] = ["lockkeeper:", "+goose", "migrate:", "no-transaction"];
    let first = script.statements.first().map_or(u32::MAX, |first| first.span.start);
    script.comments.iter().take_while(|comment| comment.start < first).any(|comment| {
        let text = migration.source.text(*comment);
        let words = text.trim_matches(|c: char| matches!(c, '-' | '/' | '*') || c.is_whitespace());
        !TO_PROGRAMS.iter().any(|sign| words.starts_with(sign)) && words.split_whitespace().count() > 2
    })
}

/// Of the locks of a statement those that say something: who waits for an index waits for its table, if that is locked as strongly.
fn stops(locks: &[Lock], catalog: &Catalog) -> Vec<Lock> {
    let table = |lock: &Lock| Some(&catalog.get(&lock.relation)?.index.as_ref()?.table);
    let is_said =
        |lock: &&Lock| table(lock).is_some_and(|table| locks.iter().any(|other| other.relation == *table && other.mode >= lock.mode));
    locks.iter().filter(|lock| !is_said(lock)).cloned().collect()
}

/// The words of a statement's operations, each once.
fn words(statement: &Statement) -> Vec<&'static str> {
    let mut words = Vec::with_capacity(1);
    for operation in &statement.operations {
        let word = operation.what.kind().word();
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

/// What stands in a body may end the transaction around it, or run again and again.
fn add_effects_of_body(each: &mut [Effects], statement: &Statement, nesting: &Nesting) {
    for (effects, operation) in each.iter_mut().zip(&statement.operations) {
        match operation.what {
            Operation::Commit { .. } | Operation::Rollback { .. } => effects.transaction = InTransaction::Forbidden,
            Operation::Insert(_) | Operation::Update(_) | Operation::Delete(_) | Operation::Merge { .. } => {
                effects.unbounded |= nesting.repeats;
            }
            _ => {}
        }
    }
}

/// What stands in a statement before its first operation.
fn head(statement: &Statement) -> Span {
    let first = statement.operations.first().map_or(statement.span.start, |first| first.span.start);
    Span::new(statement.span.start, first.max(statement.span.start))
}

/// What a rule says, without what to do instead.
fn finding((rule, case): (&Rule, &Case), severity: Severity, assumed: Vec<&'static str>, moment: &Moment<'_>) -> Finding {
    Finding {
        rule: rule.id.clone(),
        part: Part::Up,
        severity,
        class: case.class.unwrap_or(rule.class),
        statement: moment.index,
        span: moment.place(),
        head: moment.statement().map_or(Span::default(), head),
        message: match moment.nesting().and_then(|nesting| nesting.routine.as_ref()) {
            Some(routine) => format!("{} (`{routine}` does it)", case.message.words(moment)),
            None => case.message.words(moment),
        },
        why: case.why.shared_words(moment),
        assumed: assumed.into_iter().map(str::to_owned).collect(),
        allowed: None,
        fingerprint: String::new(),
        class_with_fix: case.fix.as_ref().map(|fix| fix.class),
        suggestion: None,
    }
}
