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

use super::{Batches, Down, Plan};
use crate::rule::recipe::Recipe;
use crate::text::{SourceFile, Span};

/// The words behind `lockkeeper:` that stand in such a header.
pub const VERBS: [&str; 7] = ["phase", "recipe", "deploy", "wait", "assert", "verify", "backfill"];

/// What a file's header says about its plan, and about how it is run.
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
    /// What has to be deployed before it.
    pub deploy: Option<&'a str>,
    /// How many hours lie between the phase before and this one, at least.
    pub wait_hours: Option<u64>,
    /// Queries of one boolean that has to be true before it runs.
    pub asserts: Vec<&'a str>,
    /// Queries of one boolean that has to be true when it has run.
    pub verifies: Vec<&'a str>,
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
    let batches = |batches: &Batches| format!("lockkeeper: backfill key={} batch={}", batches.key.join(","), batches.size);
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

/// Reads the header out of a file's comments. What stands before its `phase` is no part of it.
pub fn read<'a>(source: &'a SourceFile, comments: &[Span]) -> Option<Header<'a>> {
    let mut said = comments.iter().filter_map(|span| Some((*span, directive(source, *span)?)));
    let (span, phase) = said.find_map(|(span, words)| Some((span, words.strip_prefix("phase ")?)))?;
    let (numbers, plan) = phase.split_once(" of ")?;
    let (phase, of) = numbers.split_once('/')?;
    let rest: Vec<_> = said.map(|(_, words)| words).collect();
    let all = |verb: &'static str| rest.iter().filter_map(move |words| words.strip_prefix(verb)?.strip_prefix(' ')).map(str::trim);
    let recipe = all("recipe").find_map(|words| {
        let (word, instead_of) = words.split_once(" instead of ")?;
        Some((Recipe::named(word)?, instead_of.trim()))
    });
    Some(Header {
        phase: phase.trim().parse().ok()?,
        of: of.trim().parse().ok()?,
        plan: plan.trim(),
        recipe,
        deploy: all("deploy").next(),
        wait_hours: all("wait").find_map(|words| words.split_whitespace().next()?.parse().ok()),
        asserts: all("assert").collect(),
        verifies: all("verify").collect(),
        span,
    })
}

/// The key and the size of the batches, as a file declares them: `-- lockkeeper: backfill key=id batch=5000`.
pub fn batches(source: &SourceFile, comments: &[Span]) -> Option<Batches> {
    let words = comments.iter().find_map(|span| directive(source, *span)?.strip_prefix("backfill"))?;
    let value = |name: &str| outside_quotes(words, char::is_whitespace).find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    let key = value("key").into_iter().flat_map(|key| outside_quotes(key, |c| c == ',')).map(str::to_owned).collect();
    Some(Batches { key, size: value("batch").and_then(|size| size.parse().ok()).unwrap_or(BATCH) })
}

/// The parts of a text between separators that do not stand in a quoted name.
fn outside_quotes(text: &str, separates: impl Fn(char) -> bool) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let parts = text.split(move |c: char| {
        quoted ^= c == '"';
        !quoted && separates(c)
    });
    parts.filter(|part| !part.is_empty())
}

/// Rows of a batch where nobody says how many.
const BATCH: u32 = 1_000;

fn directive(source: &SourceFile, span: Span) -> Option<&str> {
    let text = std::str::from_utf8(source.slice(span)).ok()?;
    text.strip_prefix("--")?.trim().strip_prefix("lockkeeper:").map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batches(line: &str) -> String {
        let source = SourceFile::new("m.sql", line);
        let read = super::batches(&source, &[Span::new(0, line.len() as u32)]);
        read.map_or("none".to_owned(), |batches| format!("{} by {}", batches.size, batches.key.join("+")))
    }

    #[test]
    fn the_key_and_the_size_of_batches_are_read_and_quoted_names_stay_whole() {
        assert_eq!(batches("-- lockkeeper: backfill key=id batch=5000"), "5000 by id");
        assert_eq!(batches("-- lockkeeper: backfill batch=10 key=shop,\"Order, No\",\"\"\"x\""), "10 by shop+\"Order, No\"+\"\"\"x\"");
        assert_eq!(batches("-- lockkeeper: backfill"), "1000 by ");
        assert_eq!(batches("-- lockkeeper: deploy it"), "none");
    }
}
