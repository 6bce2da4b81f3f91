//! What the editor can do about a finding: apply its fix, apply all fixes that may be applied unseen, allow it with a reason, write the
//! phases to run instead.

use super::client::Client;
use super::diagnostics;
use super::document::{Document, Ruler};
use super::project::Project;
use crate::lint::finding::{Assessed, Edit, Finding, NewFile, Safety, Suggestion};
use crate::lint::fix::{FixedFile, How};
use crate::lint::planner::Piece;
use crate::report::diff;
use crate::text::Span;
use lsp_types::{
    CodeAction, CodeActionKind, CodeActionParams, CreateFile, CreateFileOptions, DeleteFile, DeleteFileOptions, Diagnostic,
    DocumentChangeOperation, DocumentChanges, OneOf, OptionalVersionedTextDocumentIdentifier, Position, Range, ResourceOp,
    TextDocumentEdit, TextEdit, WorkspaceEdit,
};
use serde_json::json;
use std::collections::HashMap;
use std::path::Path;

/// What can be done about the findings in a range.
pub fn actions(document: &Document, params: &CodeActionParams, (project, key): (&Project, &Path), client: &Client) -> Vec<CodeAction> {
    let Some(assessed) = project.assessed(document, key) else { return Vec::new() };
    let wants = |kind: &CodeActionKind| match &params.context.only {
        // A kind stands for all kinds below it.
        Some(only) => only.iter().any(|only| kind == only || only.as_str().is_empty() || is_below(kind.as_str(), only.as_str())),
        None => *kind == CodeActionKind::QUICKFIX,
    };
    let desk = Desk { document, assessed, client };
    let mut actions = Vec::new();
    if wants(&CodeActionKind::QUICKFIX) {
        let near = |diagnostic: &Diagnostic| touches(diagnostic.range, params.range);
        let found: Vec<_> =
            diagnostics::findings(document, assessed, client).into_iter().filter(|(_, diagnostic)| near(diagnostic)).collect();
        let open: Vec<_> = found.into_iter().filter(|(finding, _)| finding.allowed.is_none()).collect();
        actions.extend(open.iter().filter_map(|(finding, diagnostic)| desk.fix(finding, diagnostic)));
        actions.extend(open.iter().filter_map(|(finding, diagnostic)| desk.allow(finding, diagnostic)));
    }
    if wants(&CodeActionKind::QUICKFIX) && client.makes_files {
        actions.extend(desk.plan(params.range, project));
    }
    if wants(&CodeActionKind::SOURCE_FIX_ALL) {
        actions.extend(desk.fix_all(project));
    }
    actions
}

/// The edit of an action that was offered without it, since it takes time: the phase plan of a document.
///
/// # Errors
/// There is none, and why.
pub fn resolve(document: &Document, (project, key): (&Project, &Path), client: &Client) -> Result<WorkspaceEdit, String> {
    let assessed = project.assessed(document, key).ok_or("this is no migration that is judged")?;
    Desk { document, assessed, client }.phases(project)
}

fn is_below(kind: &str, only: &str) -> bool {
    kind.strip_prefix(only).is_some_and(|rest| rest.starts_with('.'))
}

/// Whether two ranges share a line: editors ask for the place of the cursor, wherever in the line it stands.
fn touches(a: Range, b: Range) -> bool {
    a.start.line <= b.end.line && b.start.line <= a.end.line
}

struct Desk<'a> {
    document: &'a Document,
    assessed: &'a Assessed,
    client: &'a Client,
}

impl Desk<'_> {
    /// Applies what a finding suggests.
    fn fix(&self, finding: &Finding, diagnostic: &Diagnostic) -> Option<CodeAction> {
        let suggestion = finding.suggestion.as_ref()?;
        if suggestion.edits.is_empty() && suggestion.files.is_empty() {
            return None;
        }
        let edit = self.edit(&suggestion.edits, &suggestion.files)?;
        let mut action = quick_fix(suggestion.title.clone(), diagnostic, edit);
        action.is_preferred = Some(suggestion.safety == Safety::Safe);
        Some(action)
    }

    /// Writes an allowance above the statement, without the reason: that is for who allows it.
    fn allow(&self, finding: &Finding, diagnostic: &Diagnostic) -> Option<CodeAction> {
        let statement = finding.statement.map(|at| self.assessed.statements.get(at)).unwrap_or(self.assessed.statements.first());
        let word = if finding.statement.is_some() { "allow" } else { "allow-file" };
        let comment = format!("-- lockkeeper: {word} {} because TODO: say why", finding.rule);
        let source = self.document.text();
        let at = statement.map_or(source.as_str().len(), |statement| statement.span.start as usize);
        let line = source.as_str()[..at].rfind(['\n', '\r']).map_or(0, |end| end + 1);
        let before = &source.as_str()[line..at];
        let indentation = &before[..before.len() - before.trim_start().len()];
        let end = source.line_end(at);
        let text = match before.trim_start_matches('\u{FEFF}').trim().is_empty() {
            true => format!("{comment}{end}{indentation}"),
            // A comment on a line with other statements would stand for the one before it.
            false => format!("{end}{indentation}{comment}{end}{indentation}"),
        };
        let edit = Edit { span: Span::new(at as u32, at as u32), text };
        let title = format!("allow {} {}, with a reason", finding.rule, if finding.statement.is_some() { "here" } else { "in this file" });
        Some(quick_fix(title, diagnostic, self.edit(&[edit], &[])?))
    }

    /// Writes the files of a plan, if one of the findings in a range has a recipe for one.
    fn plan(&self, range: Range, project: &Project) -> Option<CodeAction> {
        let has_recipe = |finding: &Finding| finding.suggestion.as_ref().is_some_and(|suggestion| suggestion.recipe.is_some());
        let found = diagnostics::findings(self.document, self.assessed, self.client).into_iter();
        let mut planned = found.filter(|(finding, _)| finding.allowed.is_none() && has_recipe(finding));
        let (_, diagnostic) = planned.find(|(_, diagnostic)| touches(diagnostic.range, range))?;
        let title = match self.client.deletes_files {
            true => "write the phases to run instead, as files; this file goes then",
            false => "write the phases to run instead, as files; then delete this file",
        };
        let title = title.to_owned();
        let mut action =
            CodeAction { title, kind: Some(CodeActionKind::QUICKFIX), diagnostics: Some(vec![diagnostic]), ..CodeAction::default() };
        if self.client.asks_later {
            action.data = Some(json!({ "uri": self.document.uri }));
        } else {
            action.edit = Some(self.phases(project).ok()?);
        }
        Some(action)
    }

    /// The files of the plan for the whole document.
    fn phases(&self, project: &Project) -> Result<WorkspaceEdit, String> {
        let plan = project.plan(self.document).ok_or("this is no migration that is judged")?;
        if let Some(none) = plan.no_room {
            return Err(none.to_string());
        }
        let refused = plan.pieces.iter().find_map(|piece| match piece {
            Piece::Refused { sql, refusal, .. } => Some(format!("{sql}: {}", refusal.reason())),
            Piece::Kept(..) | Piece::Planned(..) => None,
        });
        if let Some(why) = refused {
            return Err(why);
        }
        let is_own = |path: &Path| self.client.key(path) == self.client.key(&self.document.path);
        let (own, new): (Vec<_>, Vec<_>) = plan.files.into_iter().partition(|(path, _)| is_own(path));
        if let Some((path, _)) = new.iter().find(|(path, _)| path.exists()) {
            return Err(format!("there is a file `{}` already", path.display()));
        }
        let end = self.document.source().bytes().len();
        let whole = Span::new(0, u32::try_from(end).map_err(|_| "the file is too large")?);
        let edits: Vec<_> = own.into_iter().map(|(_, text)| Edit { span: whole, text }).collect();
        let files: Vec<_> = new.into_iter().map(|(path, text)| NewFile { path, text }).collect();
        let mut edit = self.edit(&edits, &files).ok_or_else(|| "this editor makes no files; `lockkeeper plan --write` does".to_owned())?;
        if let Some(DocumentChanges::Operations(operations)) = &mut edit.document_changes
            && edits.is_empty()
            && !files.is_empty()
            && self.client.deletes_files
        {
            let options = Some(DeleteFileOptions { recursive: None, ignore_if_not_exists: Some(true), annotation_id: None });
            let delete = DeleteFile { uri: self.document.uri.clone(), options };
            operations.push(DocumentChangeOperation::Op(ResourceOp::Delete(delete)));
        }
        Ok(edit)
    }

    /// Applies all fixes that may be applied unseen.
    fn fix_all(&self, project: &Project) -> Option<CodeAction> {
        let open = self.assessed.findings.iter().filter(|finding| finding.allowed.is_none());
        let is_safe = |suggestion: &Suggestion| suggestion.safety == Safety::Safe;
        if !open.filter_map(|finding| finding.suggestion.as_ref()).any(is_safe) {
            return None;
        }
        let fixed = project.fixed(self.document, How { review: false, new_files: self.client.makes_files })?;
        let (own, new): (Vec<_>, Vec<_>) = fixed.files.into_iter().partition(|file| file.path == self.document.path);
        let text = |file: FixedFile| String::from_utf8(file.new).ok();
        let own = own.into_iter().map(text).collect::<Option<Vec<_>>>()?;
        let edits: Vec<_> = own.iter().flat_map(|text| diff::edits(self.document.text().as_str(), text)).collect();
        let new = new.into_iter().map(|file| Some(NewFile { path: file.path.clone(), text: text(file)? })).collect::<Option<Vec<_>>>()?;
        if edits.is_empty() && new.is_empty() {
            return None;
        }
        Some(CodeAction {
            title: "lockkeeper: apply all fixes that keep the end the same".to_owned(),
            kind: Some(CodeActionKind::SOURCE_FIX_ALL),
            edit: Some(self.edit(&edits, &new)?),
            ..CodeAction::default()
        })
    }

    /// Changes of the document and new files, in the words that the editor understands; `None` if it makes no files.
    #[expect(clippy::mutable_key_type, reason = "the protocol's own type: what changes in it is no part of its hash")]
    fn edit(&self, edits: &[Edit], files: &[NewFile]) -> Option<WorkspaceEdit> {
        let mut ruler = Ruler::new(self.document.text(), self.client.encoding);
        let mut edits: Vec<_> = edits.to_vec();
        edits.sort_by_key(|edit| edit.span);
        let own: Vec<_> = edits.into_iter().map(|edit| TextEdit { range: ruler.range(edit.span), new_text: edit.text }).collect();
        if files.is_empty() && !self.client.takes_versions {
            let changes = HashMap::from([(self.document.uri.clone(), own)]);
            return Some(WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() });
        }
        if !files.is_empty() && !self.client.makes_files {
            return None;
        }
        let mut operations = Vec::new();
        for file in files {
            operations.extend(self.new_file(file)?);
        }
        if !own.is_empty() {
            let version = self.client.takes_versions.then_some(self.document.version);
            let text_document = OptionalVersionedTextDocumentIdentifier { uri: self.document.uri.clone(), version };
            operations
                .push(DocumentChangeOperation::Edit(TextDocumentEdit { text_document, edits: own.into_iter().map(OneOf::Left).collect() }));
        }
        Some(WorkspaceEdit { document_changes: Some(DocumentChanges::Operations(operations)), ..WorkspaceEdit::default() })
    }

    /// A file that does not exist yet, and its text.
    fn new_file(&self, file: &NewFile) -> Option<[DocumentChangeOperation; 2]> {
        let uri = self.client.uri(&file.path)?;
        let options = Some(CreateFileOptions { overwrite: Some(false), ignore_if_exists: Some(false) });
        let create = CreateFile { uri: uri.clone(), options, annotation_id: None };
        let start = Position::default();
        let text = TextEdit { range: Range { start, end: start }, new_text: file.text.clone() };
        let text_document = OptionalVersionedTextDocumentIdentifier { uri, version: None };
        let edit = TextDocumentEdit { text_document, edits: vec![OneOf::Left(text)] };
        Some([DocumentChangeOperation::Op(ResourceOp::Create(create)), DocumentChangeOperation::Edit(edit)])
    }
}

fn quick_fix(title: String, diagnostic: &Diagnostic, edit: WorkspaceEdit) -> CodeAction {
    let (kind, diagnostics) = (Some(CodeActionKind::QUICKFIX), Some(vec![diagnostic.clone()]));
    CodeAction { title, kind, diagnostics, edit: Some(edit), ..CodeAction::default() }
}
