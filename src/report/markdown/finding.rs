//! One finding: its message to read at once, and folded up why it is so and what to do instead.

use super::escape::{code, command, fenced, text};
use super::plan;
use crate::lint::finding::{Assessed, Finding, Suggestion};
use crate::report::{Paint, Run, diff, whole_edits};
use crate::text::Span;
use std::collections::HashSet;

/// Reasons and advice that stand further up.
#[derive(Default)]
pub(super) struct Told(HashSet<String>);

/// Diffs of more lines than this are for the files, not for a comment.
const MOST_LINES: usize = 60;

/// `path:line:column`.
pub(super) fn place(migration: &Assessed, span: Span, run: &Run<'_>) -> String {
    let place = migration.source.place(span.start);
    code(&format!("{}:{}:{}", run.checkout.path(migration.source.path()), place.line, place.column))
}

pub(super) fn block(migration: &Assessed, finding: &Finding, run: &Run<'_>, told: &mut Told) -> String {
    let mut block = format!(
        "<details><summary><b>{}</b> {} {}</summary>\n\n",
        finding.severity,
        place(migration, finding.span, run),
        text(&finding.message)
    );
    let why = finding.why.trim();
    if !why.is_empty() && told.0.insert(why.to_owned()) {
        block += &paragraphs(why);
    }
    if !finding.assumed.is_empty() {
        let facts: Vec<_> = finding.assumed.iter().map(|fact| code(fact)).collect();
        block += &format!("The history does not tell {}: the worst is taken. A schema dump tells it.\n\n", facts.join(", "));
    }
    if let Some(suggestion) = &finding.suggestion {
        block += &instead(migration, finding, suggestion, run);
    }
    let explain = code(&format!("lockkeeper explain {}", finding.rule));
    block + &format!("Class {}; more in {explain}.\n</details>\n\n", finding.class)
}

/// What to do instead.
fn instead(migration: &Assessed, finding: &Finding, suggestion: &Suggestion, run: &Run<'_>) -> String {
    let mut words = format!("Instead ({}): {}.\n\n", suggestion.class, text(suggestion.title.trim_end_matches('.')));
    let lines = diff::of_edits(&migration.source, &suggestion.edits, Paint::new(false));
    if let Some(lines) = lines.filter(|lines| !lines.is_empty() && lines.len() <= MOST_LINES) {
        words += &(fenced("diff", &lines.join("\n")) + "\n");
    } else if !whole_edits(finding).is_empty() {
        words += "`lockkeeper lint --diff` has the whole change.\n\n";
    }
    for file in &suggestion.files {
        words += &format!("A new file, {}:\n\n{}\n", code(&run.checkout.path(&file.path)), fenced("sql", &file.text));
    }
    if let Some(why) = &suggestion.not_offered {
        words += &format!("There is no edit: {}.\n\n", text(why));
    }
    // What a plan of the whole file does need not be said in a few words, too.
    let is_planned = suggestion.recipe.is_some() && run.plan_of(migration).is_some_and(plan::is_whole);
    for step in suggestion.steps.iter().filter(|_| !is_planned) {
        // Some steps are told, and some are SQL.
        words += &match step.text.trim_end().ends_with(';') {
            true => format!("*{}*:\n\n{}\n", text(&step.phase), fenced("sql", &step.text)),
            false => format!("*{}*: {}\n\n", text(&step.phase), text(step.text.trim_end())),
        };
    }
    if suggestion.recipe.is_some() {
        let path = run.checkout.path(migration.source.path());
        words += &format!("All phases, with their SQL: {}\n\n", command("lockkeeper plan", &path, ""));
    }
    words
}

/// A reason: paragraphs, and lines of SQL, which begin with a space.
fn paragraphs(why: &str) -> String {
    let lines: Vec<_> = why.lines().filter(|line| !line.trim().is_empty()).collect();
    let mut words = String::new();
    for alike in lines.chunk_by(|a, b| a.starts_with(' ') == b.starts_with(' ')) {
        words += &match alike.first() {
            Some(first) if first.starts_with(' ') => fenced("sql", &alike.join("\n")),
            _ => text(&alike.join(" ")) + "\n",
        };
        words.push('\n');
    }
    words
}
