//! The statements that a file really runs: those in the bodies of its DO blocks, and of the functions and procedures that it calls, stand
//! behind the statement that runs them. A function that is made and not called runs nothing.

use crate::model::catalog::Catalog;
use crate::model::name::{Ident, Name};
use crate::model::operation::{CreateFunction, Operation, Volatility};
use crate::sql::body::{self, Nesting, Routine};
use crate::sql::{Reading, Script, Statement};
use crate::text::{Located, SourceFile, Span};
use std::borrow::Cow;
use std::sync::Arc;

/// So deep are calls followed, and so many statements of bodies are looked at in one file.
const DEEPEST: usize = 8;
const MOST: usize = 20_000;

/// The script of a file with all bodies that it runs. `catalog` is the schema before it.
pub(super) fn unfold<'s>(script: &'s Script, source: &Arc<SourceFile>, catalog: &Catalog) -> Cow<'s, Script> {
    let runs_more = |statement: &Statement| !statement.body.is_empty() || statement.operations.iter().any(|o| !o.what.calls().is_empty());
    if !script.statements.iter().any(runs_more) {
        return Cow::Borrowed(script);
    }
    let mut unfolding = Unfolding { source, catalog, made: Vec::new(), statements: Vec::new(), left: MOST };
    for statement in &script.statements {
        unfolding.outer(statement);
    }
    if unfolding.statements.len() == script.statements.len() {
        return Cow::Borrowed(script);
    }
    let (comments, broken_text, remarks) = (script.comments.clone(), script.broken_text.clone(), script.remarks.clone());
    Cow::Owned(Script { statements: unfolding.statements, comments, broken_text, remarks })
}

struct Unfolding<'a> {
    source: &'a Arc<SourceFile>,
    catalog: &'a Catalog,
    /// The functions that the file has made so far.
    made: Vec<&'a CreateFunction>,
    statements: Vec<Statement>,
    left: usize,
}

/// A routine that a call may find.
struct Found<'a> {
    language: Option<&'a Ident>,
    volatility: Volatility,
    pinned: bool,
    atomic: bool,
    parameters: Vec<Ident>,
    body: Option<(&'a Arc<SourceFile>, Span)>,
}

/// What a body is run by.
#[derive(Clone, Default)]
struct Around<'a> {
    /// The innermost routine, and where the file calls the outermost.
    routine: Option<(Arc<str>, Span)>,
    /// The bodies that are running.
    running: Vec<(&'a Arc<SourceFile>, Span)>,
    atomic: bool,
    conditional: bool,
    repeats: bool,
    caught: bool,
}

impl<'a> Unfolding<'a> {
    fn outer(&mut self, statement: &'a Statement) {
        let around = Around::default();
        self.statements.push(Statement { body: Vec::new(), ..statement.clone() });
        for nested in &statement.body {
            self.nested(nested.clone(), &around, None);
        }
        self.calls(statement, &around);
        for operation in &statement.operations {
            if let Operation::CreateFunction(create) = &operation.what {
                self.made.retain(|made| made.name != create.name || made.arguments != create.arguments);
                self.made.push(create);
            }
        }
    }

    /// A statement of a body, with the bodies that it runs itself. `code` is the text that its spans are about, if that is not the file's.
    fn nested(&mut self, mut statement: Statement, around: &Around<'a>, code: Option<&Arc<SourceFile>>) {
        let nesting = statement.nesting.get_or_insert_default();
        nesting.conditional |= around.conditional;
        nesting.repeats |= around.repeats;
        nesting.caught |= around.caught;
        nesting.atomic |= around.atomic;
        nesting.code = nesting.code.take().or_else(|| code.cloned());
        if let Some((routine, place)) = &around.routine {
            nesting.routine = Some(Arc::clone(routine));
            statement.span = *place;
            for operation in &mut statement.operations {
                operation.span = *place;
                if let Operation::CreateFunction(function) = &mut operation.what {
                    // It stands in another file than the one that is thought to make it.
                    function.body = None;
                }
            }
        }
        let around = Around {
            conditional: nesting.conditional,
            repeats: nesting.repeats,
            caught: nesting.caught,
            atomic: nesting.atomic,
            ..around.clone()
        };
        let at = self.statements.len();
        self.left = self.left.saturating_sub(1);
        self.statements.push(statement.clone());
        self.calls(&statement, &around);
        // A branch ends behind what its last statement runs.
        if self.statements.len() > at + 1
            && let Some(nesting) = &mut self.statements[at].nesting
        {
            let closes = std::mem::take(&mut nesting.closes);
            self.wrap(self.statements.len() - 1, 0, closes);
        }
    }

    fn wrap(&mut self, at: usize, opens: u32, closes: u32) {
        if let Some(nesting) = self.statements.get_mut(at).and_then(|statement| statement.nesting.as_mut()) {
            nesting.opens += opens;
            nesting.closes += closes;
        }
    }

    /// The bodies that the operations of a statement call.
    fn calls(&mut self, statement: &Statement, around: &Around<'a>) {
        for operation in &statement.operations {
            for name in operation.what.calls() {
                self.call(name, operation, around);
            }
        }
    }

    fn call(&mut self, name: &Name, operation: &Located<Operation>, around: &Around<'a>) {
        let is_call = matches!(operation.what, Operation::Call { .. });
        // A function that a change of rows calls computes values; of one that nobody has shown that is taken for granted.
        let matters = is_call || matches!(operation.what, Operation::Select { .. });
        let found = self.find(name);
        if found.is_empty() {
            if matters && (is_call || self.catalog.may_change_schema(name)) {
                self.unseen(format!("no migration before it makes `{}`", name.sql()), operation.span, around);
            }
            return;
        }
        // For each row once, or for none.
        let rows = match &operation.what {
            Operation::Call { .. } => false,
            Operation::Select { reads, .. } => !reads.is_empty(),
            _ => true,
        };
        let several = found.len() > 1;
        for routine in found.into_iter().filter(|routine| is_call || routine.volatility == Volatility::Volatile) {
            let mut inside = around.clone();
            inside.routine = Some((name.sql().into(), around.routine.as_ref().map_or(operation.span, |(_, place)| *place)));
            inside.atomic |= !is_call || routine.pinned;
            inside.repeats |= rows;
            inside.conditional |= rows || several;
            let from = self.statements.len();
            self.run(name, &routine, operation.span, inside, matters);
            if (rows || several) && self.statements.len() > from {
                self.wrap(from, 1, 0);
                self.wrap(self.statements.len() - 1, 0, 1);
            }
        }
    }

    fn run(&mut self, name: &Name, routine: &Found<'a>, span: Span, mut around: Around<'a>, matters: bool) {
        let language = routine.language.map_or("sql", Ident::as_str);
        let Some((source, place)) = routine.body.filter(|_| matches!(language, "plpgsql" | "sql")) else {
            if matters {
                self.unseen(format!("`{}` is written in {language}", name.sql()), span, &around);
            }
            return;
        };
        if around.running.iter().any(|(running, at)| Arc::ptr_eq(running, source) && *at == place) {
            // What it runs has been seen.
            return;
        }
        if around.running.len() == DEEPEST || self.left == 0 {
            return self.unseen(format!("`{}` stands behind too many calls", name.sql()), span, &around);
        }
        around.running.push((source, place));
        let Found { atomic, parameters, .. } = routine;
        let routine = Routine { language: routine.language, body: place, atomic: *atomic, parameters };
        for statement in body::routine(source, &routine) {
            self.nested(statement, &around, Some(source));
        }
    }

    /// A statement that stands for what nobody sees.
    fn unseen(&mut self, construct: String, span: Span, around: &Around<'a>) {
        let operation = Located { what: Operation::Dynamic { construct: construct.into() }, span };
        let nesting = Some(Box::new(Nesting::default()));
        let statement = Statement { span, reading: Reading::Partial, operations: vec![operation], body: Vec::new(), nesting };
        let around = Around { routine: around.routine.clone().filter(|_| !around.running.is_empty()), ..around.clone() };
        self.nested(statement, &around, None);
    }

    /// The routines of a name: those of this file, else those of earlier ones.
    fn find(&self, name: &Name) -> Vec<Found<'a>> {
        let is_it = |made: &Name| {
            made.name == name.name && made.schema.as_ref().zip(name.schema.as_ref()).is_none_or(|(made, called)| made == called)
        };
        let own = self.made.iter().filter(|made| is_it(&made.name)).map(|made| Found {
            language: made.language.as_ref(),
            volatility: made.volatility.unwrap_or(Volatility::Volatile),
            pinned: made.security_definer || made.sets_search_path,
            atomic: made.atomic,
            parameters: made.signature.variables(),
            body: made.body.map(|place| (self.source, place)),
        });
        let own: Vec<_> = own.collect();
        if !own.is_empty() {
            return own;
        }
        let known = self.catalog.functions(name).iter().map(|known| Found {
            language: known.language.as_ref(),
            volatility: known.volatility,
            pinned: known.pinned,
            atomic: known.atomic,
            parameters: known.signature.variables(),
            body: known.body.as_ref().map(|(source, place)| (source, *place)),
        });
        known.collect()
    }
}
