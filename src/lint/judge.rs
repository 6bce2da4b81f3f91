//! One migration judged: every subject in it is shown to the rules that are filed under its kind.

use super::finding::{Assessed, Finding, Judged};
use super::{Replay, Settings, classify, fingerprint, suggest, suppress};
use crate::discover::Migration;
use crate::model::catalog::Catalog;
use crate::model::effects::{self, Effects};
use crate::model::session::Session;
use crate::problem::Problem;
use crate::rule::Severity;
use crate::rule::file::{Case, Rule};
use crate::rule::moment::{Moment, Subject, Surroundings};
use crate::rule::set::Entry;
use crate::sql::Script;

/// Judges one migration.
pub(super) struct Judge<'a> {
    settings: &'a Settings<'a>,
    migration: &'a Migration,
    script: &'a Script,
    end: &'a Catalog,
    surroundings: Surroundings,
    nothing: Effects,
    watch: &'a Watch<'a>,
}

/// Is shown every subject as the rules see it.
pub type Watch<'a> = dyn Fn(&Moment<'_>) + 'a;

/// What is the same for all subjects of one statement.
#[derive(Clone, Copy)]
struct Here<'a> {
    index: Option<usize>,
    before: &'a Catalog,
    session: &'a Session,
    effects: &'a Effects,
    statement_effects: &'a Effects,
}

impl<'a> Judge<'a> {
    pub fn new(
        settings: &'a Settings<'a>,
        file: (&'a Migration, &'a Script),
        end: &'a Catalog,
        has_later: bool,
        watch: &'a Watch<'a>,
    ) -> Self {
        let (migration, script) = file;
        let surroundings = Surroundings {
            order: migration.order,
            has_later,
            version: migration.version.clone(),
            small_tables: settings.config.small_tables.clone(),
            ..Surroundings::default()
        };
        Self { settings, migration, script, end, surroundings, nothing: Effects::default(), watch }
    }

    /// Judges it, and moves the schema on behind it.
    pub fn file(&self, replay: &mut Replay<'_>, problems: &mut Vec<Problem>) -> Assessed {
        let (transaction, mut session) = replay.begin(self.migration, self.script);
        let mut findings = self.whole(&replay.catalog, &session);
        let mut statements = Vec::with_capacity(self.script.statements.len());
        for at in 0..self.script.statements.len() {
            statements.push(self.statement(at, replay, &mut session, &mut findings));
        }
        let allowances = suppress::read(&self.migration.source, self.script);
        for allowed in suppress::apply(&allowances, &mut findings, self.settings.rules) {
            let here = self.here(None, &replay.catalog, &session, &self.nothing, &self.nothing);
            findings.append(&mut self.ask(Subject::Allowance(&allowed), here));
        }
        self.keep_first_of_once(&mut findings);
        findings.sort_by(|a, b| (a.span, &a.rule).cmp(&(b.span, &b.rule)));
        fingerprint::stamp(&mut findings, &self.migration.source);
        let (class, class_with_fixes) = classify::migration(&mut statements, &findings);
        self.report_broken_rules(problems);
        Assessed {
            source: self.migration.source.clone(),
            version: self.migration.version.clone(),
            transaction,
            class,
            class_with_fixes,
            statements,
            findings,
        }
    }

    /// The file as a whole.
    fn whole(&self, before: &Catalog, session: &Session) -> Vec<Finding> {
        let here = self.here(None, before, session, &self.nothing, &self.nothing);
        let broken = self.script.broken_text.iter().map(|broken| Subject::BrokenText(*broken));
        std::iter::once(Subject::Migration).chain(broken).flat_map(|subject| self.ask(subject, here)).collect()
    }

    /// One statement: each of its operations, and then the whole of it.
    fn statement(&self, at: usize, replay: &mut Replay<'_>, session: &mut Session, findings: &mut Vec<Finding>) -> Judged {
        let statement = &self.script.statements[at];
        let each = effects::assess(&statement.operations, &replay.catalog, session, self.settings.server);
        let all = effects::union(&each);
        let scene =
            classify::Scene { catalog: &replay.catalog, session, step: self.migration.step, small: &self.surroundings.small_tables };
        let blocks = scene.blocks(&all);
        let class = scene.class(&all, blocks);
        // The whole is judged by the schema before it, and by the findings of its parts: so both answers are prepared.
        let here = self.here(Some(at), &replay.catalog, session, &all, &all);
        let [unexplained, explained] = [false, true].map(|explained| self.ask(Subject::Statement { explained, blocks }, here));
        let mut own = Vec::new();
        for (operation, effects) in statement.operations.iter().zip(&each) {
            let here = self.here(Some(at), &replay.catalog, session, effects, &all);
            own.append(&mut self.ask(Subject::Operation(operation), here));
            replay.catalog.replay(&operation.what, self.migration.step);
        }
        let is_explained = own.iter().any(|finding| finding.class >= class);
        own.append(&mut if is_explained { explained } else { unexplained });
        findings.append(&mut own);
        replay.end_statement(session, statement, at, &each);
        let mut operations: Vec<&str> = Vec::new();
        for operation in &statement.operations {
            let word = operation.what.kind().word();
            if !operations.contains(&word) {
                operations.push(word);
            }
        }
        // The class of the findings is added when the allowances are known.
        Judged { span: statement.span, reading: statement.reading, operations, effects: all, blocks, class, class_with_fixes: class }
    }

    fn here<'h>(
        &self,
        index: Option<usize>,
        before: &'h Catalog,
        session: &'h Session,
        effects: &'h Effects,
        statement_effects: &'h Effects,
    ) -> Here<'h> {
        Here { index, before, session, effects, statement_effects }
    }

    /// The findings about one subject: at most one of each rule.
    fn ask(&self, subject: Subject<'_>, here: Here<'_>) -> Vec<Finding> {
        let moment = Moment {
            subject,
            index: here.index,
            file: &self.script.statements,
            source: &self.migration.source,
            step: self.migration.step,
            before: here.before,
            end: self.end,
            session: here.session,
            effects: here.effects,
            statement_effects: here.statement_effects,
            server: self.settings.server,
            migration: &self.surroundings,
        };
        // Of the two askings of a statement, one is enough to see.
        if !matches!(subject, Subject::Statement { explained: true, .. }) {
            (self.watch)(&moment);
        }
        self.settings.rules.about(moment.kind()).filter_map(|entry| self.ask_rule(entry, &moment)).collect()
    }

    fn ask_rule(&self, entry: &Entry, moment: &Moment<'_>) -> Option<Finding> {
        let rule = entry.rule().ok()?;
        let (case, assumed) = rule.speaks(moment)?;
        let severity = entry.overridden().or(case.severity).unwrap_or(rule.severity);
        entry.is_on().then(|| finding(rule, case, severity, assumed, moment))
    }

    /// Of a rule that speaks once in a file, the first finding stands that nobody has allowed.
    fn keep_first_of_once(&self, findings: &mut Vec<Finding>) {
        let mut spoken: Vec<String> = Vec::new();
        findings.retain(|finding| {
            let once = self.settings.rules.find(&finding.rule).and_then(|entry| entry.rule().ok()).is_some_and(|rule| rule.once);
            let repeats = once && finding.allowed.is_none() && spoken.contains(&finding.rule);
            if once && finding.allowed.is_none() && !repeats {
                spoken.push(finding.rule.clone());
            }
            !repeats
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

fn finding(rule: &Rule, case: &Case, severity: Severity, assumed: Vec<&'static str>, moment: &Moment<'_>) -> Finding {
    Finding {
        rule: rule.id.clone(),
        severity,
        class: case.class.unwrap_or(rule.class),
        statement: moment.index,
        span: moment.place(),
        message: case.message.words(moment),
        why: case.why.words(moment),
        assumed: assumed.into_iter().map(str::to_owned).collect(),
        allowed: None,
        fingerprint: String::new(),
        suggestion: case.fix.as_ref().map(|fix| suggest::suggestion(fix, moment)),
    }
}
