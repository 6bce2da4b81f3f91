//! The phases of a plan as files, run one after the other as their headers say, forwards and backwards.

use super::compare::Declared;
use super::ends::{File, run};
use lockkeeper::db::{Connection, Refusal};
use lockkeeper::lint::finding::Assessed;
use lockkeeper::lint::planner::{FilePlan, Piece};
use lockkeeper::model::session::TransactionMode;
use lockkeeper::plan::{Down, Phase, Plan, Runs, Stage};
use lockkeeper::rule::Severity;
use lockkeeper::text::SourceFile;
use sqlx::Row;
use std::sync::Arc;

/// A file of a plan, and what has to be true before and after it.
#[derive(Clone, Debug)]
pub struct Step {
    /// `phase 2/5 of rename-users-email`.
    pub what: String,
    up: File,
    down: Back,
    assert: Option<String>,
    verify: Vec<String>,
    /// It may be stopped and run again at any time.
    repeatable: bool,
    /// What lint says of it.
    pub findings: Vec<String>,
}

#[derive(Clone, Debug)]
enum Back {
    /// By this file.
    By(File),
    /// There is nothing to undo.
    Nothing,
    /// Not at all, and the plan says so.
    Never,
}

/// The files of a planned migration, as they are printed, in order.
pub fn steps(planned: &FilePlan) -> Vec<Step> {
    let phases = planned.pieces.iter().flat_map(|piece| -> Vec<_> {
        match piece {
            Piece::Planned(plan) => (0..plan.phases.len()).map(|at| Some((plan, at))).collect(),
            Piece::Kept(..) | Piece::Refused { .. } => vec![None],
        }
    });
    let phases: Vec<_> = phases.collect();
    let files = &planned.judged.migrations;
    assert_eq!(phases.len(), files.len(), "each phase is one file: {:?}", planned.files);
    phases.into_iter().zip(files).map(|(phase, file)| Step::of(phase, file)).collect()
}

/// What the plans say that will differ, or that somebody has to do by hand.
pub fn declared(pieces: &[Piece]) -> Declared {
    let plans = pieces.iter().filter_map(|piece| if let Piece::Planned(plan) = piece { Some(plan) } else { None });
    let by_hand = plans.clone().flat_map(|plan| &plan.manual).map(|manual| format!("`{}`", manual.thing));
    let sentences: Vec<_> = plans.flat_map(|plan| plan.differs.iter().cloned()).chain(by_hand).collect();
    Declared::in_words(&sentences)
}

impl Step {
    fn of(phase: Option<(&Plan, usize)>, file: &Assessed) -> Self {
        let step = Self {
            what: "what stays as it is".to_owned(),
            up: File { source: Arc::clone(&file.source), mode: file.transaction },
            down: Back::Never,
            assert: None,
            verify: Vec::new(),
            repeatable: false,
            findings: Vec::new(),
        };
        let Some((plan, at)) = phase else { return step };
        let phase = &plan.phases[at];
        let spoken = file.findings.iter().filter(|finding| finding.allowed.is_none() && finding.severity > Severity::Advice);
        Self {
            what: format!("phase {}/{} of {}", at + 1, plan.phases.len(), plan.name),
            down: Back::of(phase),
            assert: phase.assert.clone(),
            verify: phase.verify.clone(),
            repeatable: phase.stage == Stage::Backfill,
            findings: spoken.map(|finding| format!("{}: {}", finding.rule, finding.message)).collect(),
            ..step
        }
    }

    /// Whether it can be rolled back.
    pub fn has_way_back(&self) -> bool {
        matches!(self.down, Back::By(_) | Back::Nothing)
    }

    /// Runs it: what has to be true before is, and what has to be true afterwards. What can be repeated is.
    pub async fn forward(&self, connection: &mut Connection) -> Result<(), String> {
        let what = &self.what;
        if let Some(query) = &self.assert {
            is_true(connection, query).await.map_err(|why| format!("{what}: before it, {query}: {why}"))?;
        }
        for _ in 0..=usize::from(self.repeatable) {
            run(connection, &self.up).await.map_err(|refusal| format!("{what}: {refusal}"))?;
        }
        for query in &self.verify {
            is_true(connection, query).await.map_err(|why| format!("{what}: after it, {query}: {why}"))?;
        }
        Ok(())
    }

    /// Undoes it.
    pub async fn back(&self, connection: &mut Connection) -> Result<(), String> {
        let Back::By(file) = &self.down else { return Ok(()) };
        run(connection, file).await.map_err(|refusal| format!("{}: its way back: {refusal}", self.what))
    }
}

impl Back {
    fn of(phase: &Phase) -> Self {
        match &phase.down {
            Down::Nothing(_) => Self::Never,
            Down::Sql(statements) if statements.is_empty() => Self::Nothing,
            Down::Sql(statements) => {
                let text: String = statements.iter().map(|statement| format!("{statement};\n")).collect();
                let mode = match phase.runs {
                    Runs::InTransaction => TransactionMode::Runner,
                    Runs::Alone => TransactionMode::None,
                };
                Self::By(File { source: SourceFile::new("back.sql", text), mode })
            }
        }
    }
}

/// Asks a query of one truth value.
async fn is_true(connection: &mut Connection, query: &str) -> Result<(), String> {
    let answer = async {
        let rows = connection.rows(query).await?;
        let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
        Ok::<Option<bool>, Refusal>(row.try_get(0)?)
    };
    match answer.await {
        Ok(Some(true)) => Ok(()),
        Ok(other) => Err(format!("is {other:?}")),
        Err(refusal) => Err(refusal.to_string()),
    }
}
