//! What stands under the cursor: what a statement does on the server, what was found about it, and the page of a rule on its name.

use super::client::Client;
use super::document::{Document, Kind, Ruler};
use super::project::Project;
use crate::lint::finding::{Assessed, Finding, Judged};
use crate::model::effects::InTransaction;
use crate::model::lock::Blocked;
use crate::model::name::QualifiedName;
use crate::report::manual;
use crate::text::Span;
use lsp_types::{Hover, HoverContents, MarkupContent, MarkupKind, Position};
use std::fmt::Write;
use std::path::Path;

/// What there is to say about a place.
pub fn hover(document: &Document, at: Position, (project, key): (&mut Project, &Path), client: &Client) -> Option<Hover> {
    let offset = document.text().offset(at, client.encoding);
    let (text, span) = page(document, offset, project).or_else(|| {
        let assessed = project.assessed(document, key)?;
        let offset = u32::try_from(offset).ok()?;
        statement(assessed, offset)
    })?;
    let range = Ruler::new(document.text(), client.encoding).range(span);
    Some(Hover { contents: HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value: text }), range: Some(range) })
}

/// The pages of the rules that a word names: in a config anywhere, in SQL in what a comment says to lockkeeper.
fn page(document: &Document, offset: usize, project: &mut Project) -> Option<(String, Span)> {
    let text = document.text().as_str();
    let line = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    let before = &text[line..offset];
    if document.kind == Kind::Sql && !before.contains("lockkeeper:") {
        return None;
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == ':';
    let start = text[..offset].trim_end_matches(is_part).len();
    let end = offset + text[offset..].find(|c| !is_part(c)).unwrap_or(text.len() - offset);
    let word = text[start..end].trim_end_matches(':');
    let rules = &mut project.setup_mut().rules;
    let ids: Vec<_> = rules.named(word).map(|entry| entry.id.clone()).collect();
    // A rule that is off says in its page what it would say.
    let pages: Vec<_> = ids.iter().filter_map(|id| rules.while_on(id, manual::page)?.ok()).collect();
    (!pages.is_empty()).then(|| (pages.join("\n").trim().to_owned(), Span::new(start as u32, (start + word.len()) as u32)))
}

/// What the statement at an offset does, and what was found there.
fn statement(assessed: &Assessed, offset: u32) -> Option<(String, Span)> {
    let covers = |span: Span| span.start <= offset && offset <= span.end;
    let outer = assessed.statements.iter().find(|statement| covers(statement.span));
    let found: Vec<_> = assessed.findings.iter().filter(|finding| covers(finding.span)).collect();
    let mut text = String::new();
    if let Some(outer) = outer {
        // Of what a body runs, the statement at hand; what a call runs stands in the place of the call.
        let inner = outer.body.iter().rfind(|inner| covers(inner.span) && inner.span != outer.span).unwrap_or(outer);
        does(inner, &mut text);
    }
    for finding in &found {
        says(finding, &mut text);
    }
    let span = found.first().map(|finding| finding.span).filter(|_| outer.is_none()).or(outer.map(|outer| outer.span))?;
    Some((text.trim_end().to_owned(), span))
}

// Writing to a String does not fail.
fn does(statement: &Judged, text: &mut String) {
    let operations: Vec<_> = statement.operations.iter().map(|operation| format!("`{operation}`")).collect();
    let _ = write!(text, "{}: **{}**", operations.join(", "), statement.class);
    if statement.class_with_fixes != statement.class {
        let _ = write!(text, ", {} with what is suggested", statement.class_with_fixes);
    }
    let _ = writeln!(text, "\n");
    let effects = &statement.effects;
    let names = |names: &[QualifiedName]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let locks: Vec<_> = effects.locks.iter().map(|lock| format!("{} on `{}`", lock.mode, lock.relation)).collect();
    let lines = [
        ("locks", locks.join(", ")),
        ("rewrites", names(&effects.rewrites)),
        ("scans", names(&effects.scans)),
        ("builds", names(&effects.builds)),
        ("rebuilds", names(&effects.rebuilds)),
        ("reads wait", waits(statement.blocks.reads, statement)),
        ("writes wait", waits(statement.blocks.writes, statement)),
        ("transaction", if effects.transaction == InTransaction::Forbidden { "refused in a transaction block" } else { "" }.to_owned()),
        ("runs", if statement.conditional { "perhaps: it stands under a condition" } else { "" }.to_owned()),
    ];
    for (what, value) in lines.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = writeln!(text, "- {what}: {value}");
    }
    text.push('\n');
}

fn waits(blocked: Blocked, statement: &Judged) -> String {
    match (blocked, statement.estimate) {
        (Blocked::No, _) => String::new(),
        (Blocked::Brief, _) => "for a moment".to_owned(),
        (Blocked::Unknown, _) => "nobody can know for how long".to_owned(),
        (Blocked::Long, None) => "for a time that grows with the table".to_owned(),
        (Blocked::Long, Some(estimate)) => format!("for about {} s", estimate.seconds.max(1)),
    }
}

fn says(finding: &Finding, text: &mut String) {
    let allowed = finding.allowed.as_ref().map(|allowance| format!(" (allowed because {})", allowance.reason())).unwrap_or_default();
    let _ = writeln!(text, "---\n\n**{}** `{}`: {}{allowed}\n", finding.severity, finding.rule, finding.message);
    let _ = writeln!(text, "{}\n", finding.why.trim());
    if !finding.assumed.is_empty() {
        let _ = writeln!(text, "Not known, and taken at its worst: {}\n", finding.assumed.join(", "));
    }
    if let Some(suggestion) = &finding.suggestion {
        let _ = writeln!(text, "Instead, {}: {}.\n", suggestion.class, suggestion.title.trim_end_matches('.'));
    }
}
