//! The report for programs. Its shape is a contract: `docs/report.schema.json` describes it, and fields are only ever added.

use super::{Totals, worst_class};
use crate::lint::finding::{Allowance, Assessed, Finding, Judged, Report, Safety, Suggestion};
use crate::model::effects::{InTransaction, Lock};
use crate::model::lock::Blocked;
use crate::model::name::QualifiedName;
use crate::model::session::TransactionMode;
use crate::model::sizes::Estimate;
use crate::problem::Problem;
use crate::rule::recipe::Recipe;
use crate::sql::Reading;
use crate::text::{SourceFile, Span};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use std::borrow::Cow;
use std::io::{self, Write};
use std::path::Path;

/// The number of the contract.
const SCHEMA: u32 = 1;

pub(super) fn write(report: &Report, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &Json(report)).map_err(io::Error::from)?;
    writeln!(out)
}

/// A noun of the linter as the contract writes it. Each is made when it is written, so that a long report takes no second memory.
struct Json<T>(T);

/// A noun whose places need the text of its file.
struct In<'a, T> {
    source: &'a SourceFile,
    what: T,
}

/// A list whose items are written one after the other.
struct List<I>(I);

impl<I: Iterator<Item: Serialize> + Clone> Serialize for List<I> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.clone())
    }
}

impl Serialize for Json<&Report> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let report = self.0;
        let mut map = to.serialize_struct("report", 7)?;
        map.serialize_field("schema", &SCHEMA)?;
        map.serialize_field("tool", &Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") })?;
        map.serialize_field("postgres", &report.server.0)?;
        map.serialize_field("class", &worst_class(report))?;
        map.serialize_field("summary", &Totals::of(&report.migrations))?;
        map.serialize_field("migrations", &List(report.migrations.iter().map(Json)))?;
        map.serialize_field("problems", &List(report.problems.iter().map(Json)))?;
        map.end()
    }
}

#[derive(serde::Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

impl Serialize for Json<&Assessed> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let migration = self.0;
        let source = &*migration.source;
        let mut map = to.serialize_struct("migration", 10 + usize::from(source.origin().is_some()))?;
        map.serialize_field("path", &path(source.path()))?;
        match source.origin() {
            Some(origin) => map.serialize_field("rendered", &Rendered { by: &origin.by, sql: source.shown() })?,
            None => map.skip_field("rendered")?,
        }
        map.serialize_field("version", &migration.version)?;
        map.serialize_field("part", migration.part.word())?;
        map.serialize_field("tool", &migration.tool.map(crate::tool::Tool::word))?;
        map.serialize_field("transaction", transaction(migration.transaction))?;
        map.serialize_field("shared_transaction", &migration.shared_transaction)?;
        map.serialize_field("class", &migration.class)?;
        map.serialize_field("class_with_fixes", &migration.class_with_fixes)?;
        map.serialize_field("statements", &List(migration.statements.iter().map(|what| In { source, what })))?;
        map.serialize_field("findings", &List(migration.findings.iter().map(|what| In { source, what })))?;
        map.end()
    }
}

/// The SQL that a program has printed of the file.
#[derive(serde::Serialize)]
struct Rendered<'a> {
    by: &'a str,
    sql: &'a str,
}

impl Serialize for In<'_, &Judged> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let statement = self.what;
        let body = statement.body.iter().map(|what| BodyStatement(In { source: self.source, what }));
        let mut map = to.serialize_struct("statement", 7)?;
        map.serialize_field("span", &In { source: self.source, what: statement.span })?;
        map.serialize_field("reading", reading(statement.reading))?;
        map.serialize_field("operations", &statement.operations)?;
        map.serialize_field("effects", &Json(statement))?;
        map.serialize_field("class", &statement.class)?;
        map.serialize_field("class_with_fixes", &statement.class_with_fixes)?;
        match statement.body.is_empty() {
            true => map.skip_field("body")?,
            false => map.serialize_field("body", &List(body))?,
        }
        map.end()
    }
}

/// A statement of a body: the classes that findings give belong to the statement that runs it.
struct BodyStatement<'a>(In<'a, &'a Judged>);

impl Serialize for BodyStatement<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let In { source, what: statement } = self.0;
        let mut map = to.serialize_struct("body_statement", 5)?;
        map.serialize_field("span", &In { source, what: statement.span })?;
        map.serialize_field("reading", reading(statement.reading))?;
        map.serialize_field("operations", &statement.operations)?;
        map.serialize_field("conditional", &statement.conditional)?;
        map.serialize_field("effects", &Json(statement))?;
        map.end()
    }
}

/// The effects of a statement.
impl Serialize for Json<&Judged> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let effects = &self.0.effects;
        let names = |names: &'_ [QualifiedName]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let transaction = match effects.transaction {
            InTransaction::Allowed => "allowed",
            InTransaction::Forbidden => "forbidden",
        };
        let mut map = to.serialize_struct("effects", 8)?;
        map.serialize_field("locks", &List(effects.locks.iter().map(Json)))?;
        map.serialize_field("blocks", &BlocksView { reads: blocked(self.0.blocks.reads), writes: blocked(self.0.blocks.writes) })?;
        map.serialize_field("rewrites", &names(&effects.rewrites))?;
        map.serialize_field("scans", &names(&effects.scans))?;
        map.serialize_field("builds", &names(&effects.builds))?;
        map.serialize_field("transaction", transaction)?;
        map.serialize_field("rebuilds", &names(&effects.rebuilds))?;
        map.serialize_field("estimate", &self.0.estimate.map(EstimateView::from))?;
        map.end()
    }
}

#[derive(serde::Serialize)]
struct EstimateView {
    seconds: u64,
    read_bytes: u64,
    written_bytes: u64,
    assumed_read_bytes_per_second: u64,
    assumed_write_bytes_per_second: u64,
}

impl From<Estimate> for EstimateView {
    fn from(estimate: Estimate) -> Self {
        Self {
            seconds: estimate.seconds,
            read_bytes: estimate.reads,
            written_bytes: estimate.writes,
            assumed_read_bytes_per_second: estimate.speed.reads,
            assumed_write_bytes_per_second: estimate.speed.writes,
        }
    }
}

#[derive(serde::Serialize)]
struct BlocksView {
    reads: &'static str,
    writes: &'static str,
}

impl Serialize for Json<&Lock> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_struct("lock", 2)?;
        map.serialize_field("relation", &self.0.relation.to_string())?;
        map.serialize_field("mode", self.0.mode.words())?;
        map.end()
    }
}

impl Serialize for In<'_, &Finding> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let finding = self.what;
        let source = self.source;
        let mut map = to.serialize_struct("finding", 12)?;
        map.serialize_field("rule", &finding.rule)?;
        map.serialize_field("part", finding.part.word())?;
        map.serialize_field("severity", &finding.severity)?;
        map.serialize_field("class", &finding.class)?;
        map.serialize_field("statement", &finding.statement)?;
        map.serialize_field("span", &In { source, what: finding.span })?;
        map.serialize_field("message", &finding.message)?;
        map.serialize_field("why", &*finding.why)?;
        map.serialize_field("assumed", &finding.assumed)?;
        map.serialize_field("allowed", &finding.allowed.as_ref().map(|what| In { source, what }))?;
        map.serialize_field("fingerprint", &finding.fingerprint)?;
        map.serialize_field("suggestion", &finding.suggestion.as_ref().map(Json))?;
        map.end()
    }
}

impl Serialize for In<'_, &Allowance> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let (kind, span) = match self.what {
            Allowance::Comment { span, .. } => ("comment", Some(In { source: self.source, what: *span })),
            Allowance::Baseline => ("baseline", None),
        };
        let mut map = to.serialize_struct("allowance", 3)?;
        map.serialize_field("kind", kind)?;
        map.serialize_field("reason", self.what.reason())?;
        map.serialize_field("span", &span)?;
        map.end()
    }
}

impl Serialize for Json<&Suggestion> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let suggestion = self.0;
        let edits = suggestion.edits.iter().map(|edit| EditView { start: edit.span.start, end: edit.span.end, text: &edit.text });
        let files = suggestion.files.iter().map(|file| FileView { path: path(&file.path), text: &file.text });
        let steps = suggestion.steps.iter().map(|step| StepView { phase: &step.phase, text: &step.text });
        let mut map = to.serialize_struct("suggestion", 7 + usize::from(suggestion.not_offered.is_some()))?;
        map.serialize_field("class", &suggestion.class)?;
        map.serialize_field("safety", safety(suggestion.safety))?;
        map.serialize_field("title", &suggestion.title)?;
        map.serialize_field("edits", &List(edits))?;
        if let Some(why) = &suggestion.not_offered {
            map.serialize_field("not_offered", why)?;
        }
        map.serialize_field("files", &List(files))?;
        map.serialize_field("steps", &List(steps))?;
        map.serialize_field("recipe", &suggestion.recipe.map(Recipe::word))?;
        map.end()
    }
}

#[derive(serde::Serialize)]
struct EditView<'a> {
    start: u32,
    end: u32,
    text: &'a str,
}

#[derive(serde::Serialize)]
struct FileView<'a> {
    path: Cow<'a, str>,
    text: &'a str,
}

#[derive(serde::Serialize)]
struct StepView<'a> {
    phase: &'a str,
    text: &'a str,
}

impl Serialize for Json<&Problem> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let problem = self.0;
        let mut map = to.serialize_struct("problem", 5)?;
        map.serialize_field("path", &problem.path().map(path))?;
        map.serialize_field("message", &problem.message)?;
        map.serialize_field("span", &problem.place().map(|(source, what)| In { source, what }))?;
        map.serialize_field("code", problem.code)?;
        map.serialize_field("help", &problem.help)?;
        map.end()
    }
}

impl Serialize for In<'_, Span> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let (file, Span { start, end }) = self.source.in_repository(self.what);
        let (first, last) = (file.place(start), file.place(end));
        let mut map = to.serialize_struct("span", 6)?;
        map.serialize_field("start", &start)?;
        map.serialize_field("end", &end)?;
        map.serialize_field("line", &first.line)?;
        map.serialize_field("column", &first.column)?;
        map.serialize_field("end_line", &last.line)?;
        map.serialize_field("end_column", &last.column)?;
        map.end()
    }
}

impl Serialize for Totals {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_struct("summary", 8)?;
        map.serialize_field("migrations", &self.migrations)?;
        map.serialize_field("statements", &self.statements)?;
        map.serialize_field("unreadable", &self.unreadable)?;
        map.serialize_field("errors", &self.errors)?;
        map.serialize_field("warnings", &self.warnings)?;
        map.serialize_field("advice", &self.advice)?;
        map.serialize_field("allowed", &self.allowed)?;
        map.serialize_field("baseline", &self.baseline)?;
        map.end()
    }
}

fn path(path: &Path) -> Cow<'_, str> {
    path.to_string_lossy()
}

fn transaction(mode: TransactionMode) -> &'static str {
    match mode {
        TransactionMode::Assumed(_) => "assumed",
        TransactionMode::Runner => "runner",
        TransactionMode::None => "none",
        TransactionMode::OneMessage => "one-message",
        TransactionMode::Explicit => "explicit",
    }
}

fn reading(reading: Reading) -> &'static str {
    match reading {
        Reading::Full => "full",
        Reading::Partial => "partial",
        Reading::Unreadable => "unreadable",
    }
}

fn blocked(blocked: Blocked) -> &'static str {
    match blocked {
        Blocked::No => "no",
        Blocked::Brief => "brief",
        Blocked::Unknown => "unknown",
        Blocked::Long => "long",
    }
}

fn safety(safety: Safety) -> &'static str {
    match safety {
        Safety::Safe => "safe",
        Safety::Review => "review",
    }
}
