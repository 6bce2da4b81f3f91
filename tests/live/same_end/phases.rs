//! The phases of a plan as files, run one after the other as their headers say, forwards and backwards.

use super::compare::Declared;
use super::ends::{File, run};
use lockkeeper::db::{Connection, Refusal};
use lockkeeper::lint::planner::Piece;
use lockkeeper::model::session::TransactionMode;
use lockkeeper::plan::{Down, Plan, Runs, Stage, header};
use lockkeeper::text::SourceFile;
use sqlx::Row;
use sqlx::postgres::PgConnectOptions;

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
}

#[derive(Clone, Debug)]
enum Back {
    /// By these files.
    By(Vec<File>),
    /// Not at all, and the plan says so.
    Never,
}

/// The files of a planned migration, in order. Statements that stay as they are run as the migration does.
pub fn steps(pieces: &[Piece], mode: TransactionMode) -> Vec<Step> {
    let mut steps = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Kept(statements) => steps.push(Step {
                what: "what stays as it is".to_owned(),
                up: File { source: SourceFile::new("0001_kept.sql", ended(statements)), mode },
                down: Back::Never,
                assert: None,
                verify: Vec::new(),
                repeatable: false,
            }),
            Piece::Planned(plan) => steps.extend((0..plan.phases.len()).map(|at| Step::of(plan, at))),
            Piece::Refused { .. } => {}
        }
    }
    steps
}

/// What the plans say that will differ, or that somebody has to do by hand.
pub fn declared(pieces: &[Piece]) -> Declared {
    let plans = pieces.iter().filter_map(|piece| if let Piece::Planned(plan) = piece { Some(plan) } else { None });
    let by_hand = plans.clone().flat_map(|plan| &plan.manual).map(|manual| format!("`{}`", manual.thing));
    let sentences: Vec<_> = plans.flat_map(|plan| plan.differs.iter().cloned()).chain(by_hand).collect();
    Declared::in_words(&sentences)
}

impl Step {
    fn of(plan: &Plan, at: usize) -> Self {
        let phase = &plan.phases[at];
        let up: Vec<_> = phase.up.iter().map(|line| line.sql.clone()).collect();
        let head: String = header::lines(plan, at).iter().map(|line| format!("-- {line}\n")).collect();
        let file = |name: &str, head: &str, statements: &[String]| match phase.runs {
            Runs::InTransaction => {
                let text = format!("{head}SET LOCAL lock_timeout = '2s';\n{}", ended(statements));
                File { source: SourceFile::new(name, text), mode: TransactionMode::Runner }
            }
            Runs::Alone => {
                let text = format!("{head}-- lockkeeper: transaction none\n{}", ended(statements));
                File { source: SourceFile::new(name, text), mode: TransactionMode::None }
            }
        };
        let name = format!("{:04}_phase.sql", at + 1);
        let down = match &phase.down {
            Down::Sql(statements) => Back::By(vec![file(&format!("{:04}_phase.down.sql", at + 1), "", statements)]),
            Down::Nothing(_) => Back::Never,
        };
        Self {
            what: format!("phase {}/{} of {}", at + 1, plan.phases.len(), plan.name),
            up: file(&name, &head, &up),
            down,
            assert: phase.assert.clone(),
            verify: phase.verify.clone(),
            repeatable: phase.stage == Stage::Backfill,
        }
    }

    /// Its file.
    pub fn file(&self) -> &File {
        &self.up
    }

    /// Whether it can be rolled back.
    pub fn has_way_back(&self) -> bool {
        matches!(self.down, Back::By(_))
    }

    /// Runs it: what has to be true before is, and what has to be true afterwards. What can be repeated is.
    pub async fn forward(&self, database: &PgConnectOptions) -> Result<(), String> {
        let what = &self.what;
        if let Some(query) = &self.assert {
            is_true(database, query).await.map_err(|why| format!("{what}: before it, {query}: {why}"))?;
        }
        for _ in 0..=usize::from(self.repeatable) {
            run(database, &self.up).await.and_then(|done| done).map_err(|refusal| format!("{what}: {refusal}"))?;
        }
        for query in &self.verify {
            is_true(database, query).await.map_err(|why| format!("{what}: after it, {query}: {why}"))?;
        }
        Ok(())
    }

    /// Undoes it.
    pub async fn back(&self, database: &PgConnectOptions) -> Result<(), String> {
        let Back::By(files) = &self.down else { return Ok(()) };
        for file in files {
            let done = run(database, file).await.and_then(|done| done);
            done.map_err(|refusal| format!("{}: its way back: {refusal}", self.what))?;
        }
        Ok(())
    }
}

/// Asks a query of one truth value.
async fn is_true(database: &PgConnectOptions, query: &str) -> Result<(), String> {
    let ask = async {
        let mut connection = Connection::open(database).await?;
        let answer = connection.rows(query).await?;
        connection.close().await;
        let row = answer.first().ok_or(sqlx::Error::RowNotFound)?;
        Ok::<Option<bool>, Refusal>(row.try_get(0)?)
    };
    match ask.await {
        Ok(Some(true)) => Ok(()),
        Ok(other) => Err(format!("is {other:?}")),
        Err(refusal) => Err(refusal.to_string()),
    }
}

fn ended(statements: &[String]) -> String {
    statements.iter().map(|statement| format!("{statement};\n")).collect()
}
