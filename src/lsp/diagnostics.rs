//! Findings and problems as the protocol has them.

use super::client::Client;
use super::document::{Document, Ruler, Text};
use crate::lint::finding::{Allowance, Assessed, Finding};
use crate::problem::Problem;
use crate::rule::Severity;
use crate::text::{SourceFile, Span};
use lsp_types::{Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, Location, NumberOrString, Range};

/// More than this of one file say nothing more, and an editor would stop while it draws them.
pub const MOST: usize = 1000;

/// What stands in the place of the program's name.
const SOURCE: &str = "lockkeeper";

/// The findings about a document, each with its diagnostic.
pub fn findings<'a>(document: &Document, assessed: &'a Assessed, client: &Client) -> Vec<(&'a Finding, Diagnostic)> {
    let mut ruler = Ruler::new(document.text(), client.encoding);
    assessed.findings.iter().take(MOST).map(|finding| (finding, diagnostic(finding, document, &mut ruler, client))).collect()
}

fn diagnostic(finding: &Finding, document: &Document, ruler: &mut Ruler<'_>, client: &Client) -> Diagnostic {
    let range = ruler.range(finding.span);
    let mut diagnostic = Diagnostic {
        range,
        severity: Some(severity(finding.severity)),
        code: Some(NumberOrString::String(finding.rule.clone())),
        source: Some(SOURCE.to_owned()),
        message: finding.message.clone(),
        ..Diagnostic::default()
    };
    if let Some(allowance) = &finding.allowed {
        // Somebody has looked at it.
        diagnostic.severity = Some(DiagnosticSeverity::HINT);
        diagnostic.message = format!("allowed: {}", finding.message);
        let message = format!("allowed because {}", allowance.reason());
        let comment = match allowance {
            Allowance::Comment { span, .. } => Some(*span).filter(|_| client.shows_related),
            Allowance::Baseline => None,
        };
        match comment.map(|span| Location { uri: document.uri.clone(), range: ruler.range(span) }) {
            Some(location) => diagnostic.related_information = Some(vec![DiagnosticRelatedInformation { location, message }]),
            None => diagnostic.message = format!("{} ({message})", diagnostic.message),
        }
    }
    diagnostic
}

/// A problem with a file whose text is `text`.
pub fn problem(problem: &Problem, text: &Text, client: &Client) -> Diagnostic {
    let mut ruler = Ruler::new(text, client.encoding);
    let range = match problem.labels.first() {
        Some((span, _)) => ruler.range(*span),
        None => Range::default(),
    };
    let help = problem.help.as_ref().map(|help| format!("\n{help}")).unwrap_or_default();
    Diagnostic {
        range,
        severity: Some(DiagnosticSeverity::ERROR),
        code: Some(NumberOrString::String(problem.code.to_owned())),
        source: Some(SOURCE.to_owned()),
        message: format!("{}{help}", problem.message),
        ..Diagnostic::default()
    }
}

/// Says that there is more to say than is said.
pub fn and_more(count: usize) -> Diagnostic {
    let message = format!("and {count} more findings: `lockkeeper lint` shows all of them");
    Diagnostic { severity: Some(DiagnosticSeverity::INFORMATION), source: Some(SOURCE.to_owned()), message, ..Diagnostic::default() }
}

fn severity(severity: Severity) -> DiagnosticSeverity {
    match severity {
        Severity::Error => DiagnosticSeverity::ERROR,
        Severity::Warning => DiagnosticSeverity::WARNING,
        Severity::Advice => DiagnosticSeverity::INFORMATION,
    }
}

/// The text that a problem is about.
pub fn text_of(problem: &Problem) -> Text {
    let whole = |source: &SourceFile| source.text(Span::new(0, u32::try_from(source.bytes().len()).unwrap_or(u32::MAX))).into_owned();
    Text::new(problem.source.as_deref().map(whole).unwrap_or_default())
}
