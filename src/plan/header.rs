//! The comments at the top of a plan's file: which phase it is of which plan, instead of what, and what has to be true before it.
//!
//! ```text
//! -- lockkeeper: phase 5/6 of rename-users-email
//! -- lockkeeper: recipe rename-column instead of ALTER TABLE users RENAME COLUMN email TO email_address
//! -- lockkeeper: deploy code that reads and writes only users.email_address
//! -- lockkeeper: wait 48 hours
//! -- lockkeeper: assert SELECT NOT EXISTS (SELECT FROM users WHERE email_address IS DISTINCT FROM email)
//! -- why: ...
//! ```

use super::{Down, Plan};
use crate::rule::recipe::Recipe;
use crate::text::{SourceFile, Span};

/// The words behind `lockkeeper:` that stand in such a header.
pub const VERBS: [&str; 7] = ["phase", "recipe", "deploy", "wait", "assert", "verify", "backfill"];

/// What a file's header says about its plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// Which phase, from 1.
    pub phase: usize,
    /// How many there are.
    pub of: usize,
    /// The plan's name.
    pub plan: &'a str,
    /// What made the plan, and the statements that it stands for.
    pub recipe: Option<(Recipe, &'a str)>,
    /// Where it says so.
    pub span: Span,
}

/// The lines of the header of a phase, without the `-- ` before each.
pub fn lines(plan: &Plan, at: usize) -> Vec<String> {
    let Some(phase) = plan.phases.get(at) else { return Vec::new() };
    let mut lines = vec![
        format!("lockkeeper: phase {}/{} of {}", at + 1, plan.phases.len(), plan.name),
        format!("lockkeeper: recipe {} instead of {}", plan.recipe.word(), plan.instead_of),
    ];
    lines.extend(phase.deploy.as_ref().map(|what| format!("lockkeeper: deploy {what}")));
    lines.extend(phase.wait_hours.map(|hours| format!("lockkeeper: wait {hours} hours")));
    lines.extend(phase.assert.as_ref().map(|query| format!("lockkeeper: assert {query}")));
    let batches = |batches: &super::Batches| format!("lockkeeper: backfill key={} batch={}", batches.key.join(","), batches.size);
    lines.extend(phase.batches.as_ref().map(batches));
    lines.extend(phase.verify.iter().map(|query| format!("lockkeeper: verify {query}")));
    lines.extend((!phase.why.is_empty()).then(|| format!("why: {}", phase.why)));
    if let Down::Nothing(reason) = &phase.down {
        lines.push(format!("no way back: {reason}"));
    }
    lines
}

/// What undoes a phase, as lines of its header, for a project whose migrations are not undone by files.
pub fn way_back(statements: &[String]) -> Vec<String> {
    let title = (!statements.is_empty()).then(|| "to go back:".to_owned());
    let ended: Vec<_> = statements.iter().map(|sql| format!("{};", sql.trim_end())).collect();
    title.into_iter().chain(ended.iter().flat_map(|sql| sql.lines()).map(|line| format!("  {line}"))).collect()
}

/// Reads the header out of a file's comments.
pub fn read<'a>(source: &'a SourceFile, comments: &[Span]) -> Option<Header<'a>> {
    let mut said = comments.iter().filter_map(|span| Some((*span, directive(source, *span)?)));
    let (span, phase) = said.find_map(|(span, words)| Some((span, words.strip_prefix("phase ")?)))?;
    let (numbers, plan) = phase.split_once(" of ")?;
    let (phase, of) = numbers.split_once('/')?;
    let recipe = said.find_map(|(_, words)| {
        let (word, instead_of) = words.strip_prefix("recipe ")?.split_once(" instead of ")?;
        Some((Recipe::named(word)?, instead_of.trim()))
    });
    Some(Header { phase: phase.trim().parse().ok()?, of: of.trim().parse().ok()?, plan: plan.trim(), recipe, span })
}

fn directive(source: &SourceFile, span: Span) -> Option<&str> {
    let text = std::str::from_utf8(source.slice(span)).ok()?;
    text.strip_prefix("--")?.trim().strip_prefix("lockkeeper:").map(str::trim)
}
