//! A plan for programs. Its shape is a contract: `docs/plan.schema.json` describes it, and fields are only ever added.

use crate::lint::planner::{FilePlan, Piece};
use crate::plan::{Down, Phase, Plan, Refusal, Runs};
use serde::Serialize;
use serde_json::{Value, json};
use std::io::{self, Write};

/// Writes the plan of a file as one JSON value.
///
/// # Errors
/// What the operating system says of the writer.
pub fn write(plan: &FilePlan, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &Json::of(plan)).map_err(io::Error::from)?;
    writeln!(out)
}

#[derive(Serialize)]
struct Json {
    schema: u32,
    postgres: u8,
    pieces: Vec<Value>,
    files: Vec<File>,
    findings: Vec<Value>,
    no_room: Option<String>,
}

#[derive(Serialize)]
struct File {
    path: String,
    text: String,
}

impl Json {
    fn of(plan: &FilePlan) -> Self {
        let file = |(path, text): &(std::path::PathBuf, String)| File { path: path.display().to_string(), text: text.clone() };
        let left = plan.judged.migrations.iter().flat_map(|migration| {
            let open = migration.findings.iter().filter(|finding| finding.allowed.is_none());
            open.map(|finding| json!({ "path": migration.source.path().display().to_string(), "rule": finding.rule, "message": finding.message }))
        });
        Self {
            schema: 1,
            postgres: plan.naive.server.0,
            pieces: plan.pieces.iter().map(piece).collect(),
            files: plan.files.iter().map(file).collect(),
            findings: left.collect(),
            no_room: plan.no_room.as_ref().map(ToString::to_string),
        }
    }
}

fn piece(piece: &Piece) -> Value {
    match piece {
        Piece::Kept(statements, _) => json!({ "kind": "kept", "statements": statements }),
        Piece::Planned(plan) => planned(plan),
        Piece::Refused { sql, class, refusal } => {
            let kind = match refusal {
                Refusal::Unknown(_) => "unknown",
                Refusal::Window(_) => "window",
                Refusal::Release(_) => "release",
            };
            json!({ "kind": "refused", "statement": sql, "class": class, "because": kind, "reason": refusal.reason() })
        }
    }
}

fn planned(plan: &Plan) -> Value {
    let manual: Vec<_> = plan.manual.iter().map(|manual| json!({ "thing": manual.thing, "what": manual.what })).collect();
    json!({
        "kind": "plan",
        "name": plan.name,
        "recipe": plan.recipe.word(),
        "instead_of": plan.instead_of,
        "phases": plan.phases.iter().map(phase).collect::<Vec<_>>(),
        "manual": manual,
        "differs": plan.differs,
    })
}

fn phase(phase: &Phase) -> Value {
    let (back, no_way_back) = match &phase.down {
        Down::Sql(statements) => (Some(statements), None),
        Down::Nothing(why) => (None, Some(why)),
    };
    json!({
        "stage": phase.stage.word(),
        "title": phase.title,
        "why": phase.why,
        "meanwhile": phase.meanwhile,
        "deploy": phase.deploy,
        "wait_hours": phase.wait_hours,
        "assert": phase.assert,
        "transaction": match phase.runs { Runs::InTransaction => "one", Runs::Alone => "none" },
        "backfill": phase.batches.as_ref().map(|batches| json!({ "key": batches.key, "batch": batches.size })),
        "statements": phase.up.iter().map(|line| &line.sql).collect::<Vec<_>>(),
        "verify": phase.verify,
        "back": back,
        "no_way_back": no_way_back,
    })
}
