//! The parts of a migration that could be statements of their own, and what their findings wish for.

use super::super::finding::Finding;
use super::{Piece, Settings};
use crate::model::catalog::Catalog;
use crate::model::operation::{Operation, Written};
use crate::plan::{Refusal, Runs, recipe};
use crate::rule::Class;
use crate::rule::recipe::Recipe;
use crate::sql::Statement;
use crate::sql::lex::Lexer;
use crate::text::{Located, SourceFile, Span};

/// A statement, or one of the parts that it could as well be written as.
#[derive(Clone)]
pub(super) struct Part {
    /// As a statement of its own.
    pub sql: String,
    /// Where it stands.
    span: Span,
    /// Its first operation.
    pub first: Span,
    /// It is several statements that want this together.
    pub together: Option<Recipe>,
}

/// The parts of all statements, each with the index of its first statement. Statements that want something together are one.
pub(super) fn all_parts(source: &SourceFile, statements: &[Statement]) -> Vec<(usize, Part)> {
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(statement) = statements.get(at) {
        let Some((recipe, count)) = recipe::together(source, &statements[at..]) else {
            all.extend(parts(source, statement).into_iter().map(|part| (at, part)));
            at += 1;
            continue;
        };
        let group = &statements[at..at + count];
        let sql = group.iter().map(|statement| source.text(statement.span).trim_end_matches(';').to_owned()).collect::<Vec<_>>().join("; ");
        let span = group.iter().map(|statement| statement.span).reduce(Span::to).unwrap_or(statement.span);
        let first = statement.operations.first().map_or(span, |first| first.span);
        all.push((at, Part { sql, span, first, together: Some(recipe) }));
        at += count;
    }
    all
}

/// `ALTER TABLE orders ADD a int, DROP b` is two parts; most statements are one.
fn parts(source: &SourceFile, statement: &Statement) -> Vec<Part> {
    let operations = &statement.operations;
    let whole = || Part {
        sql: source.text(statement.span).into_owned(),
        span: statement.span,
        first: operations.first().map_or(statement.span, |first| first.span),
        together: None,
    };
    let starts: Vec<_> = (0..operations.len()).filter(|at| *at == 0 || is_apart(&operations[*at])).collect();
    let separable = operations
        .iter()
        .all(|operation| matches!(operation.what, Operation::Alter(..) | Operation::AddConstraint(_) | Operation::Drop(_)));
    if starts.len() < 2 || !separable {
        return vec![whole()];
    }
    let span_of = |at: usize| {
        let end = starts.get(at + 1).copied().unwrap_or(operations.len());
        operations[starts[at]..end].iter().map(|operation| operation.span).reduce(Span::to).unwrap_or(statement.span)
    };
    let spans: Vec<_> = (0..starts.len()).map(span_of).collect();
    let behind = Span::new(spans[spans.len() - 1].end, statement.span.end);
    // Behind the last part of ALTER TABLE nothing follows; behind the last name of DROP, CASCADE may.
    let is_drop = matches!(operations[0].what, Operation::Drop(_));
    if !is_drop && Lexer::new(source, behind).next().is_some() {
        return vec![whole()];
    }
    let head = source.text(Span::new(statement.span.start, spans[0].start)).into_owned();
    let tail = source.text(behind).into_owned();
    let part = |(at, span): (usize, &Span)| Part {
        sql: format!("{head}{}{tail}", source.text(*span)),
        span: *span,
        first: operations[starts[at]].span,
        together: None,
    };
    spans.iter().enumerate().map(part).collect()
}

/// Whether an operation could be a statement of its own.
fn is_apart(operation: &Located<Operation>) -> bool {
    !matches!(&operation.what, Operation::AddConstraint(constraint) if constraint.written != Written::AddConstraint)
}

impl Part {
    /// Whether a place is inside of it.
    pub fn has(&self, place: Span) -> bool {
        place.start >= self.span.start && place.end <= self.span.end
    }
}

/// Rules that have nothing to say in a plan, where the statement has a transaction of its own.
const WITHIN_A_TRANSACTION: &[&str] = &["validate-constraint-in-same-transaction"];

/// What a part is asked for by its findings.
#[derive(Clone)]
pub(super) struct Wish {
    class: Class,
    /// The rule of its gravest finding.
    rule: String,
    /// The recipes of its findings, that of the gravest first.
    recipes: Vec<Recipe>,
}

pub(super) fn wish(part: &Part, findings: &[Finding]) -> Option<Wish> {
    let inside = |finding: &&Finding| part.has(finding.span) && !WITHIN_A_TRANSACTION.contains(&finding.rule.as_str());
    let mut grave: Vec<_> = findings.iter().filter(inside).filter(|finding| finding.allowed.is_none()).collect();
    grave.sort_by_key(|finding| std::cmp::Reverse((finding.class, finding.severity)));
    let gravest = grave.first()?;
    let (class, rule) = (gravest.class, gravest.rule.clone());
    if let Some(recipe) = part.together {
        return Some(Wish { class, rule, recipes: vec![recipe] });
    }
    let recipes = recipes_of(&grave);
    (class > Class::Additive || !recipes.is_empty()).then_some(Wish { class, rule, recipes })
}

/// The recipes of findings, in their order; one that does all that another does comes before it.
fn recipes_of(findings: &[&Finding]) -> Vec<Recipe> {
    let mut recipes: Vec<Recipe> = Vec::new();
    for recipe in findings.iter().filter_map(|finding| finding.suggestion.as_ref()?.recipe) {
        if !recipes.contains(&recipe) {
            recipes.push(recipe);
        }
    }
    let spared: Vec<_> = recipes.iter().copied().filter(|recipe| recipes.iter().any(|other| other.includes(*recipe))).collect();
    recipes.sort_by_key(|recipe| spared.contains(recipe));
    recipes
}

impl Wish {
    /// Whether no finding names a recipe.
    pub fn is_without_recipe(&self) -> bool {
        self.recipes.is_empty()
    }

    /// Takes the recipes of what is said of the part as a transaction of its own: behind others it may hold its locks already.
    pub fn look_apart(&mut self, part: &Part, findings: &[Finding]) {
        let inside: Vec<_> = findings.iter().filter(|finding| finding.allowed.is_none() && part.has(finding.span)).collect();
        self.recipes = recipes_of(&inside);
    }

    /// What stands around it in the file is in the way of a plan.
    pub fn refuse(&self, part: &Part, refusal: Refusal) -> Piece {
        Piece::Refused { sql: part.sql.clone(), class: self.class, refusal }
    }

    /// Why there are no phases of what no recipe is for.
    fn without_recipe(&self) -> Refusal {
        let explain = format!("`lockkeeper explain {}` says", self.rule);
        match self.class {
            Class::Additive | Class::ThreePhase => Refusal::Release(format!("one statement does it; {explain} which code comes before it")),
            Class::MaintenanceWindow => Refusal::Window(format!("no recipe makes phases of it; {explain} what else there is")),
        }
    }

    pub fn fulfil(&self, part: &Part, before: &Catalog, settings: &Settings<'_>) -> Piece {
        let mut refusal = self.without_recipe();
        for (at, recipe) in self.recipes.iter().enumerate() {
            match recipe::cook(*recipe, &part.sql, before, settings.server) {
                Ok(plan) => return Piece::Planned(plan),
                Err(said) if at == 0 => refusal = said,
                Err(_) => {}
            }
        }
        match self.class {
            // It stops nobody as it is.
            Class::Additive => Piece::Kept(vec![part.sql.clone()], Runs::InTransaction),
            class @ (Class::ThreePhase | Class::MaintenanceWindow) => Piece::Refused { sql: part.sql.clone(), class, refusal },
        }
    }
}
